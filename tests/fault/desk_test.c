#include "tests/check.h"

#include <stdlib.h>
#include <unistd.h>

#include "client/desk.h"
#include "common/error.h"
#include "tests/fault/vfs.h"

/*
 * Every failing call and every power cut while a desk takes numbers, receives and witnesses.  After
 * each the desk is opened again and must hold: every call that returned 0, whole; no number twice;
 * no cosignature without its state.
 */
#define STEPS 3

static char dir[64], path[96];
static struct vault *vault;
static uint8_t channel[32] = "channel";
static const struct span origin = { (const uint8_t *)"a.example/live/doria/1", 22 };

static void fill(uint8_t *p, size_t n, const char *label, uint64_t i)
{
    memset(p, 0, n);
    snprintf((char *)p, n, "%s %llu", label, (unsigned long long)i);
}

static void message(struct message *m, enum message_way way, uint64_t i)
{
    message_init(m);
    m->way = way;
    m->state = way == MESSAGE_OUT ? MESSAGE_QUEUED : MESSAGE_NEW;
    fill(m->mid, 32, way == MESSAGE_OUT ? "out" : "in", i);
    fill(m->id, 32, way == MESSAGE_OUT ? "out id" : "in id", i);
    memcpy(m->channel, channel, 32);
    m->kind = KIND_NOTIFICATION;
    m->seq = i;
    snprintf(m->sender, sizeof(m->sender), way == MESSAGE_OUT ? "arcadia.x" : "borealia.x");
    for (int k = 0; k < 3000; k++)
        buf_put_u32(&m->envelope, (uint32_t)i);
    buf_put_str(&m->content, "content");
}

/* One step: a message received, its step sent in the same transaction, the witness's state. */
static int step(struct desk *d, uint64_t i)
{
    uint8_t root[32] = { 1 };
    struct message in, out;
    int rc = desk_begin(d);

    if (rc)
        return rc;
    message(&in, MESSAGE_IN, i);
    message(&out, MESSAGE_OUT, i);
    rc = desk_receive(d, &in) == 1 ? 0 : -HL_ESTORE;
    if (!rc)
        rc = desk_number(d, channel, out.chain, &out.seq);
    if (!rc)
        rc = desk_send(d, &out, &origin, 1);
    if (!rc)
        rc = desk_witness_set(d, origin, i - 1, i, root, span_str("note"));
    if (rc)
        desk_abort(d);
    else
        rc = desk_commit(d);
    message_release(&in);
    message_release(&out);
    return rc;
}

static int scenario(void)
{
    struct desk *d;
    int done = 0;

    if (desk_open(path, REALM_LIVE, span_str("arcadia.x"), vault, &d))
        return 0;
    while (done < STEPS && step(d, (uint64_t)done + 1) == 0)
        done++;
    desk_close(d);
    return done;
}

/* What the reopened desk holds: steps 1..n whole, n being what was promised or one more. */
static void check(int promised, const char *name)
{
    struct message m;
    struct desk *d;
    uint8_t mid[32], root[32];
    uint64_t size = 0, last = 0;
    int held = 0, rc;

    CHECK_EQ(desk_open(path, REALM_LIVE, span_str("arcadia.x"), vault, &d), 0, name);
    for (uint64_t i = 1; i <= STEPS; i++) {
        fill(mid, 32, "in", i);
        rc = desk_message(d, mid, &m);
        CHECK_EQ(rc == 0 || rc == -HL_ENOENT, 1, name);
        message_release(&m);
        if (rc)
            break;
        held++;
        fill(mid, 32, "out", i);
        CHECK_EQ(desk_message(d, mid, &m), 0, name);
        CHECK_EQ(m.seq, last + 1, "numbers follow each other");
        CHECK_EQ(m.envelope.n, 12000, "whole");
        last = m.seq;
        message_release(&m);
    }
    rc = desk_witness_get(d, origin, &size, root);
    CHECK_EQ(rc == 0 || rc == -HL_ENOENT, 1, name);
    CHECK_EQ(size, held, "the witness stands where its steps do");
    CHECK_EQ(held >= promised && held <= promised + 1, 1, name);
    if (held < STEPS)
        CHECK_EQ(step(d, (uint64_t)held + 1), 0, "it goes on");
    desk_close(d);
}

static void fresh(void)
{
    char other[128];

    unlink(path);
    snprintf(other, sizeof(other), "%s-wal", path);
    unlink(other);
    snprintf(other, sizeof(other), "%s-journal", path);
    unlink(other);
    vfs_forget();
}

static void sweep(enum vfs_how how, bool reboot, const char *name)
{
    long nth = 0;
    bool fired = true;

    for (nth = 1; fired; nth++) {
        int promised;

        fresh();
        vfs_arm(VFS_CHANGES, nth, how);
        promised = scenario();
        fired = vfs_fired();
        if (reboot)
            vfs_reboot((uint64_t)nth);
        check(promised, name);
    }
    CHECK_EQ(nth > 15, 1, "calls were made to fail");
}

static void every_failing_call(void **state)
{
    (void)state;
    sweep(VFS_EIO, false, "one call fails");
    sweep(VFS_ENOSPC_FOR_GOOD, false, "the disk is full");
}

static void every_power_cut(void **state)
{
    (void)state;
    sweep(VFS_POWER_CUT, true, "the power fails");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_failing_call),
        cmocka_unit_test(every_power_cut),
    };
    char key[96], command[128];
    int failed;

    vfs_install();
    if (keys_init())
        return 1;
    snprintf(dir, sizeof(dir), "/tmp/desk-fault.XXXXXX");
    if (!mkdtemp(dir))
        return 1;
    snprintf(path, sizeof(path), "%s/desk.db", dir);
    snprintf(key, sizeof(key), "%s/vault.key", dir);
    if (vault_new(key, REALM_LIVE, "arcadia.x", NULL) || vault_open(&vault, key, REALM_LIVE, NULL))
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    vault_close(vault);
    snprintf(command, sizeof(command), "rm -r %s", dir);
    return system(command) ? 1 : failed;
}
