#include "server/broker.h"
#include "tests/fault/vfs.h"
#include "tests/rig.h"
#include "tests/world.h"

/*
 * Every failing call, and every power cut, within a scenario of all that a turn commits: a message,
 * one in pieces, a step, a card.  The turn that meets it ends the process.  After the restart every
 * promise is kept, the signer has signed nothing that the store does not hold, and the scenario can
 * be completed: nothing is recorded twice.
 */
static struct rig R;
#define B_DIP "borealia.diplomatic"
#define A_DIP "arcadia.diplomatic"

enum { SMALL, LARGE, STEP, MESSAGES };
static struct rig_mail mail[MESSAGES];
static struct buf card;
static bool promised[MESSAGES + 1];
static uint64_t where[MESSAGES + 1];

static void make_card(void)
{
    struct card c;
    struct buf text;

    world_card(&c, R.w.realm, WORLD_ARCADIA, R.w.now_ms);
    world_next_card(&c, buf_span(&R.w.card[WORLD_ARCADIA]));
    buf_init(&text, DOCUMENT_MAX);
    buf_init(&card, DOCUMENT_MAX);
    CHECK_EQ(card_print(&text, R.w.realm, &c), 0, "card");
    world_sign_roots(&card, buf_span(&text), "arcadia");
    buf_release(&text);
    world_card_release(&c);
}

static void begin(void)
{
    struct world_message m;

    rig_open(&R);
    world_message_init(&m, &R.w);
    rig_mail(&mail[SMALL], &R, &m);
    m.seq = 2;
    m.salt = 2;
    m.bucket = 131072;
    rig_mail(&mail[LARGE], &R, &m);
    rig_step(&m, &R, KIND_DELIVERED, A_DIP, "station", mail[SMALL].env.mid, 1);
    rig_mail(&mail[STEP], &R, &m);
    make_card();
    memset(promised, 0, sizeof(promised));
}

static void end(void)
{
    for (size_t i = 0; i < MESSAGES; i++)
        rig_mail_release(&mail[i]);
    buf_release(&card);
    rig_close(&R);
}

static void note_promises(const char *row)
{
    struct frame f;

    while (rig_take(&R, 1, VERB_RECORDED, &f)) {
        size_t i = (size_t)f.tag - 1;

        CHECK_EQ(!promised[i] || where[i] == f.index, 1, row);
        promised[i] = true;
        where[i] = f.index;
        if (i < MESSAGES)
            rig_check_receipt(&R, &f, &mail[i], row);
    }
}

/* As far as it goes: 0, or what ended the process. */
static int scenario(const char *row)
{
    struct frame f, doc = { .verb = VERB_DOCUMENT, .tag = MESSAGES + 1, .note = buf_span(&card) };
    const struct rig_mail *large = &mail[LARGE];
    uint64_t at = 0, total = large->front.n + large->env.body.n;
    int rc;

    rig_hello(&R, 1, B_DIP, 0, SPAN_NONE);
    for (uint64_t i = 0; i < MESSAGES; i++) {
        CHECK_EQ(rig_submit(&R, 1, B_DIP, i + 1, &mail[i]), 0, row);
        rc = rig_run(&R);
        note_promises(row);
        while (rc == 0 && rig_take(&R, 1, VERB_GOT, &f) && (at = f.offset) < total) {
            f = (struct frame){ .verb = VERB_CHUNK, .tag = i + 1, .offset = at };
            f.bytes = SPAN(large->env.body.p + (at - large->front.n), WIRE_CHUNK);
            if (total - at < WIRE_CHUNK)
                f.bytes.n = (size_t)(total - at);
            CHECK_EQ(rig_send(&R, 1, B_DIP, &f), 0, row);
            rc = rig_run(&R);
        }
        note_promises(row);
        if (rc)
            return rc;
    }
    CHECK_EQ(rig_send(&R, 1, B_DIP, &doc), 0, row);
    rc = rig_run(&R);
    note_promises(row);
    return rc;
}

static void check_after(const char *row)
{
    bool before[MESSAGES + 1];
    size_t waits;

    memcpy(before, promised, sizeof(before));
    CHECK_EQ(rig_start(&R), 0, row);
    rig_connect(&R, 2, A_DIP);
    waits = rig_count(&R, 2, VERB_DELIVER);
    CHECK_EQ(!before[LARGE] || waits >= 1, 1, row);
    CHECK_EQ(!before[SMALL] || before[STEP] || waits >= 1, 1, row);
    rig_clear(&R);
    CHECK_EQ(scenario(row), 0, row);
    for (size_t i = 0; i <= MESSAGES; i++)
        CHECK_EQ(promised[i], 1, row);
    CHECK_EQ(R.signed_size, WORLD_DOCUMENTS + MESSAGES + 1, row);
    CHECK_EQ(R.alarms, 0, row);
}

static void fail_each(enum vfs_how how, unsigned kinds, unsigned step, const char *row)
{
    bool fired = true;

    for (unsigned nth = 1; fired; nth += step) {
        int rc;

        begin();
        vfs_forget();
        R.alarms = 0;
        vfs_arm(kinds, (long)nth, how);
        rc = scenario(row);
        fired = vfs_fired();
        CHECK_EQ(rc == 0 || fired, 1, row);
        rig_stop(&R);
        if (how == VFS_POWER_CUT)
            vfs_reboot(nth);
        R.alarms = 0;
        check_after(row);
        end();
        CHECK_EQ(nth < 2000, 1, "an end");
    }
}

static void test_failing_writes(void **state)
{
    (void)state;
    fail_each(VFS_EIO, VFS_WRITE, 3, "write");
}

static void test_failing_syncs(void **state)
{
    (void)state;
    fail_each(VFS_EIO, VFS_SYNC, 1, "sync");
}

static void test_disk_full(void **state)
{
    (void)state;
    fail_each(VFS_ENOSPC_FOR_GOOD, VFS_WRITE, 7, "no space");
}

static void test_power_cuts(void **state)
{
    (void)state;
    fail_each(VFS_POWER_CUT, VFS_CHANGES, 4, "power cut");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failing_syncs),
        cmocka_unit_test(test_failing_writes),
        cmocka_unit_test(test_disk_full),
        cmocka_unit_test(test_power_cuts),
    };

    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm",
               1); /* the disk that fails is simulated: the real one need not be slow */
    vfs_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
