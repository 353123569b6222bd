#include "tests/check.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common/file.h"
#include "common/tlog/tile.h"
#include "common/tlog/tile_tree.h"
#include "keys/sign.h"
#include "server/ipc.h"
#include "server/publisher.h"
#include "tests/store_sample.h"

/* What is published leads to the signed root and is caught up after any end; what does not fit
 * stops it. */
#define ORIGIN "host.example/exercise/arcadia/1"

struct rig {
    struct folder f;
    char public[128];
    struct seckey *key;
    struct opened o;
    struct publisher *p;
    uint64_t now;
    struct buf note;
};

static void rig_open(struct rig *r)
{
    CHECK_EQ(publisher_open(&r->f.conf, r->public, &r->p), 0, "open");
}

static void rig_make(struct rig *r)
{
    uint8_t seed[32] = { 7 };

    *r = (struct rig){ .now = 5000 };
    folder_make(&r->f);
    snprintf(r->public, sizeof(r->public), "%s/public", r->f.dir);
    buf_init(&r->note, CHECKPOINT_MAX);
    CHECK_EQ(seckey_from_seed(&r->key, seed), 0, "key");
    CHECK_EQ(opened_open(&r->o, &r->f.conf), 0, "create");
    rig_open(r);
}

static void rig_free(struct rig *r)
{
    publisher_close(r->p);
    opened_close(&r->o);
    seckey_free(r->key);
    buf_release(&r->note);
    folder_remove(r->f.dir);
}

static void note_of(struct rig *r, uint64_t size, const uint8_t root[static 32])
{
    struct buf text;

    buf_init(&text, CHECKPOINT_MAX);
    buf_clear(&r->note);
    CHECK_EQ(checkpoint_put(&text, span_str(ORIGIN), size, root), 0, "text");
    CHECK_EQ(sign_checkpoint(&r->note, buf_span(&text), span_str(ORIGIN), r->key), 0, "sign");
    buf_release(&text);
}

/* Commit entries up to @size and tell the publisher. */
static void head(struct rig *r, uint64_t size, bool dummies)
{
    uint8_t root[32];

    while (log_size(r->o.log) < size) {
        uint64_t n = log_size(r->o.log), to = n + 1000 < size ? n + 1000 : size;

        CHECK_EQ(opened_append(&r->o, n, to, dummies), 0, "commit");
    }
    CHECK_EQ(log_root_at(r->o.log, size, root), 0, "root");
    note_of(r, size, root);
    CHECK_EQ(publisher_head(r->p, buf_span(&r->note)), 0, "head");
}

/* Seconds pass. */
static int ticks(struct rig *r, int n)
{
    int wait, rc = 0;

    for (int i = 0; !rc && i < n; i++) {
        r->now += 1000;
        rc = publisher_tick(r->p, r->now, &wait);
    }
    return rc;
}

/* The checkpoint in the folder is @r->note, and the tiles lead to its root and hold the entries. */
static void check_published(struct rig *r, uint64_t size, bool dummies, const char *row)
{
    static struct sample s;
    uint8_t root[32], want[32], entry[32];
    struct tile_dir *dir;
    char path[192];
    struct buf got;

    buf_init(&got, 65536);
    snprintf(path, sizeof(path), "%s/checkpoint", r->public);
    CHECK_EQ(file_read(path, &got), 0, row);
    CHECK_EQ(span_eq(buf_span(&got), buf_span(&r->note)), 1, row);
    CHECK_EQ(tile_dir_open(r->public, size, &dir), 0, row);
    CHECK_EQ(merkle_root(size, tile_dir_get, dir, root), 0, row);
    CHECK_EQ(log_root_at(r->o.log, size, want), 0, row);
    CHECK_BYTES(root, want, 32, row);
    for (uint64_t n = 0; n < size; n += 1 + n / 7) {
        if (dummies)
            sample_dummy(&s, n);
        else
            sample_envelope(&s, n);
        record_entry(entry, REALM_EXERCISE, s.salt, s.e.record);
        buf_clear(&got);
        CHECK_EQ(tile_dir_entry(dir, n, &got), 0, row);
        CHECK_EQ(span_eq(buf_span(&got), SPAN(entry, 32)), 1, row);
    }
    tile_dir_close(dir);
    buf_release(&got);
}

static bool published(const struct rig *r)
{
    char path[192];

    snprintf(path, sizeof(path), "%s/checkpoint", r->public);
    return access(path, F_OK) == 0;
}

static void sizes(void **state)
{
    static const uint64_t sizes[] = { 1, 2, 255, 256, 257, 300, 511, 512, 700 };
    struct rig r;

    (void)state;
    rig_make(&r);
    CHECK_EQ(ticks(&r, 3), 0, "nothing to publish");
    CHECK_EQ(published(&r), 0, "nothing to publish");
    for (size_t i = 0; i < COUNT(sizes); i++) {
        head(&r, sizes[i], false);
        CHECK_EQ(ticks(&r, 1), 0, "tick");
        check_published(&r, sizes[i], false, "published");
        if (i % 2) {
            publisher_close(r.p);
            rig_open(&r);
        }
    }
    rig_free(&r);
}

/* Behind after a restart: caught up in steps, the checkpoint last; the steps end and begin again
 * anywhere. */
static void caught_up_after_a_restart(void **state)
{
    const uint64_t size = 3 * PUBLISH_BATCH;
    struct rig r;

    (void)state;
    rig_make(&r);
    head(&r, 300, true);
    CHECK_EQ(ticks(&r, 1), 0, "tick");
    publisher_close(r.p);
    rig_open(&r);
    head(&r, size, true);
    CHECK_EQ(ticks(&r, 1), 0, "one step");
    publisher_close(r.p); /* amid it */
    rig_open(&r);
    CHECK_EQ(publisher_head(r.p, buf_span(&r.note)), 0, "the core says it again");
    CHECK_EQ(ticks(&r, 4), 0, "four steps");
    check_published(&r, size, true, "caught up");
    rig_free(&r);
}

static void older_heads_are_nothing(void **state)
{
    uint8_t root[32];
    struct rig r;

    (void)state;
    rig_make(&r);
    head(&r, 20, false);
    CHECK_EQ(ticks(&r, 1), 0, "tick");
    CHECK_EQ(log_root_at(r.o.log, 10, root), 0, "root");
    note_of(&r, 10, root);
    CHECK_EQ(publisher_head(r.p, buf_span(&r.note)), 0, "older");
    CHECK_EQ(publisher_head(r.p, SPAN("not a note", 10)), -HL_EFORMAT, "not a note");
    CHECK_EQ(ticks(&r, 2), 0, "tick");
    log_root_at(r.o.log, 20, root);
    note_of(&r, 20, root);
    check_published(&r, 20, false, "still the newer");
    rig_free(&r);
}

static void put_file(const struct rig *r, const char *name, const char *text)
{
    char path[192];

    snprintf(path, sizeof(path), "%s/%s", r->public, name);
    *strrchr(path, '/') = 0;
    CHECK_EQ(file_mkdir(path, 0755), 0, "folder");
    snprintf(path, sizeof(path), "%s/%s", r->public, name);
    CHECK_EQ(file_create(path, span_str(text), 0644), 0, name);
}

/* What stops it, before the checkpoint says what does not hold. */
static void what_does_not_fit(void **state)
{
    static const struct {
        const char *name, *file;
        uint64_t head;  /* size of the note; 300 entries are there */
        uint8_t turned; /* of its root */
        int want;
    } rows[] = {
        { "a bundle with other bytes", "tile/entries/000", 300, 0, -HL_EFORK },
        { "a tile with other bytes", "tile/0/000", 300, 0, -HL_EFORK },
        { "a partial tile with other bytes", "tile/0/001.p/44", 300, 0, -HL_EFORK },
        { "a root that the store does not have", NULL, 300, 1, -HL_EPROOF },
        { "a head beyond the store", NULL, 301, 0, -HL_ESTORE },
        { "all right", NULL, 300, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t root[32];
        struct rig r;

        rig_make(&r);
        head(&r, 300, false);
        log_root(r.o.log, root);
        root[0] ^= rows[i].turned;
        note_of(&r, rows[i].head, root);
        publisher_close(r.p);
        if (rows[i].file)
            put_file(&r, rows[i].file, "other bytes");
        rig_open(&r);
        CHECK_EQ(publisher_head(r.p, buf_span(&r.note)), 0, rows[i].name);
        CHECK_EQ(ticks(&r, 3), rows[i].want, rows[i].name);
        CHECK_EQ(published(&r), rows[i].want == 0, rows[i].name);
        rig_free(&r);
    }
}

static void wrong_folders(void **state)
{
    struct publisher *p;
    struct rig r;

    (void)state;
    rig_make(&r);
    publisher_close(r.p);
    put_file(&r, "checkpoint", "garbage\n");
    CHECK_EQ(publisher_open(&r.f.conf, r.public, &p), -HL_EFORMAT, "garbage for a checkpoint");
    r.p = NULL;
    rig_free(&r);

    rig_make(&r);
    head(&r, 300, false);
    publisher_close(r.p);
    put_file(&r, "checkpoint", buf_str(&r.note)); /* tiles are missing */
    CHECK_EQ(publisher_open(&r.f.conf, r.public, &p) < 0, 1, "a checkpoint without its tiles");
    r.p = NULL;
    rig_free(&r);
}

static uint32_t main_pages(const struct rig *r)
{
    int fd = open(r->f.path, O_RDONLY);
    uint8_t b[4];

    assert_int_equal(pread(fd, b, 4, 28), 4);
    close(fd); /* the store's locks of this process are not needed for what follows */
    return get_u32(b);
}

static void wal_is_moved(void **state)
{
    struct rig r;
    uint32_t before;

    (void)state;
    rig_make(&r);
    before = main_pages(&r);
    head(&r, 3, false);
    CHECK_EQ(main_pages(&r), before, "in the WAL");
    CHECK_EQ(ticks(&r, 1), 0, "tick");
    CHECK_EQ(main_pages(&r) > before, 1, "in the file");
    rig_free(&r);
}

/* Turn one byte of @bytes, wherever they stand in the store's file. */
static void damage(const struct rig *r, struct span bytes)
{
    struct buf file;
    uint8_t *at;
    int fd;

    buf_init(&file, 64 << 20);
    CHECK_EQ(file_read(r->f.path, &file), 0, "file");
    at = memmem(file.p, file.n, bytes.p, bytes.n);
    assert_non_null(at);
    at[5] ^= 1;
    fd = open(r->f.path, O_WRONLY);
    assert_int_equal(pwrite(fd, at + 5, 1, at + 5 - file.p), 1);
    close(fd);
    buf_release(&file);
}

static void scrub_finds_damage(void **state)
{
    static struct sample s;
    struct rig r;
    int null, saved;

    (void)state;
    rig_make(&r);
    head(&r, 600, false);
    CHECK_EQ(ticks(&r, 10), 0, "all of it, more than once");
    CHECK_EQ(publisher_damaged(r.p), 0, "nothing is damaged");
    publisher_close(r.p);
    opened_close(&r.o);
    CHECK_EQ(opened_open(&r.o, &r.f.conf), 0, "reopen: all goes into the file");
    CHECK_EQ(opened_append(&r.o, 600, 601, false), 0, "and the WAL begins anew");
    opened_close(&r.o);
    sample_envelope(&s, 500);
    damage(&r, SPAN(s.record, 100));
    sample_envelope(&s, 303);
    damage(&r, SPAN(s.body + 2000, 100));
    rig_open(&r);
    saved = dup(2);
    null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    dup2(null, 2); /* what it says is expected */
    CHECK_EQ(ticks(&r, 3), 0, "it goes on");
    dup2(saved, 2);
    close(saved);
    close(null);
    CHECK_EQ(publisher_damaged(r.p) >= 2, 1, "both found");
    rig_free(&r);
}

static void as_a_process(void **state)
{
    struct span part;
    struct ipc ipc;
    struct rig r;
    int pair[2], status = 0;
    pid_t pid;

    (void)state;
    rig_make(&r);
    head(&r, 30, false);
    for (int lie = 0; lie < 2; lie++) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        pid = fork();
        if (pid == 0) {
            close(pair[0]);
            _exit(publisher_run(pair[1], &r.f.conf, r.public) ? 1 : 0);
        }
        close(pair[1]);
        ipc_init(&ipc, pair[0]);
        part = lie ? SPAN("nonsense", 8) : buf_span(&r.note);
        CHECK_EQ(ipc_put(&ipc, IPC_HEAD, &part, 1), 0, "put");
        CHECK_EQ(ipc_flush(&ipc), 0, "flush");
        for (int i = 0; !lie && i < 500 && !published(&r); i++)
            poll(NULL, 0, 10);
        if (!lie)
            close(pair[0]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        CHECK_EQ(WIFEXITED(status) ? WEXITSTATUS(status) : -1, lie,
                 lie ? "a lie ends it" : "it ends with the core");
        if (lie)
            close(pair[0]);
        ipc_release(&ipc);
        check_published(&r, 30, false, "published");
    }
    rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes),
        cmocka_unit_test(caught_up_after_a_restart),
        cmocka_unit_test(older_heads_are_nothing),
        cmocka_unit_test(what_does_not_fit),
        cmocka_unit_test(wrong_folders),
        cmocka_unit_test(wal_is_moved),
        cmocka_unit_test(scrub_finds_damage),
        cmocka_unit_test(as_a_process),
    };

    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
