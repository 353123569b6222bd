#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sodium.h>

#include "client/audit/mirror_dir.h"
#include "common/error.h"
#include "common/file.h"
#include "common/record.h"
#include "common/text.h"
#include "tests/vectors/tlog.h"

/* A log of commitments: record i says "i", its salt is 32 times the low byte of i. */
struct log {
    struct merkle_range range;
};

static char *folder_new(void)
{
    char *path = strdup("/tmp/hotline-mirror-XXXXXX");

    assert_non_null(path);
    assert_non_null(mkdtemp(path));
    return path;
}

static void folder_free(char *path)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -r '%s'", path);
    CHECK_EQ(system(command), 0, "rm");
    free(path);
}

static void opening(uint64_t i, uint8_t salt[static 32], uint8_t record[static 8],
                    uint8_t entry[static 32])
{
    memset(salt, (int)(i & 0xff), 32);
    put_u64(record, i);
    record_entry(entry, REALM_EXERCISE, salt, SPAN(record, 8));
}

/* Put the log's next @n entries. */
static int grow(struct log *log, struct mirror_dir *m, uint64_t n)
{
    struct buf bundle;
    int rc;

    buf_init(&bundle, 1 << 20);
    for (uint64_t i = 0; i < n; i++) {
        uint8_t salt[32], record[8], entry[32], leaf[32];

        opening(log->range.size, salt, record, entry);
        bundle_put(&bundle, SPAN(entry, 32));
        merkle_leaf(leaf, SPAN(entry, 32));
        merkle_range_add(&log->range, leaf);
    }
    rc = mirror_dir_put_entries(m, buf_span(&bundle));
    buf_release(&bundle);
    return rc;
}

/* A note of the log as it stands; @spoil: another root, or another size. */
enum spoil { SPOIL_NONE, SPOIL_ROOT, SPOIL_SIZE };

static struct buf note(const struct log *log, enum spoil spoil)
{
    uint8_t root[32];
    struct buf out;

    buf_init(&out, 10000);
    merkle_range_root(&log->range, root);
    root[0] ^= spoil == SPOIL_ROOT;
    checkpoint_put(&out, span_str(EXAMPLE_ORIGIN), log->range.size + (spoil == SPOIL_SIZE), root);
    buf_put_str(&out, "\n" EXAMPLE_LOG_LINE);
    return out;
}

static int checkpoint(const struct log *log, struct mirror_dir *m, enum spoil spoil)
{
    struct buf n = note(log, spoil);
    int rc = mirror_dir_put_checkpoint(m, buf_span(&n));

    buf_release(&n);
    return rc;
}

/* The folder's tiles lead to the log's root, and its entries are the log's. */
static void check_folder(const char *path, const struct log *log, const char *row)
{
    uint8_t root[32], want[32], salt[32], record[8];
    struct tile_dir *d;
    struct buf entry;

    buf_init(&entry, 100);
    merkle_range_root(&log->range, want);
    CHECK_EQ(tile_dir_open(path, log->range.size, &d), 0, row);
    CHECK_EQ(merkle_root(log->range.size, tile_dir_get, d, root), 0, row);
    CHECK_BYTES(root, want, 32, row);
    for (uint64_t i = 0; i < log->range.size; i++) {
        buf_clear(&entry);
        CHECK_EQ(tile_dir_entry(d, i, &entry), 0, row);
        opening(i, salt, record, want);
        CHECK_EQ(span_eq(buf_span(&entry), SPAN(want, 32)), 1, row);
    }
    tile_dir_close(d);
    buf_release(&entry);
}

static bool exists(const char *path, const char *name)
{
    char file[MIRROR_PATH_MAX];

    mirror_path(file, path, name);
    return access(file, F_OK) == 0;
}

/* Grows over bundle borders, closed and opened again at every checkpoint and at once. */
static void grows(void **state)
{
    static const uint64_t steps[] = { 1, 2, 252, 1, 1, 255, 256, 300, 700 };

    (void)state;
    for (int reopen = 0; reopen < 2; reopen++) {
        char *path = folder_new();
        struct log log = { 0 };
        struct mirror_dir *m;

        CHECK_EQ(mirror_dir_open(path, REALM_EXERCISE, &m), 0, "open");
        for (size_t i = 0; i < COUNT(steps); i++) {
            CHECK_EQ(grow(&log, m, steps[i]), 0, "grow");
            CHECK_EQ(checkpoint(&log, m, SPOIL_NONE), 0, "checkpoint");
            CHECK_EQ(checkpoint(&log, m, SPOIL_NONE), 0, "the same again");
            check_folder(path, &log, "folder");
            if (!reopen)
                continue;
            mirror_dir_close(m);
            CHECK_EQ(mirror_dir_open(path, REALM_EXERCISE, &m), 0, "open again");
            CHECK_EQ(mirror_dir_size(m), log.range.size, "size");
        }
        mirror_dir_close(m);
        CHECK_EQ(exists(path, "tile/0/000.p"), 0, "old partial tiles are gone");
        CHECK_EQ(exists(path, "tile/1/000.p/6"), 1, "the last partial tile is there");
        CHECK_EQ(exists(path, "checkpoints/256"), 1, "earlier checkpoint");
        folder_free(path);
    }
}

/* Entries that no checkpoint covers are forgotten with the process, whole bundles on disk or not.
 */
static void forgets_what_is_not_covered(void **state)
{
    char *path = folder_new();
    struct log log = { 0 }, covered;
    struct mirror_dir *m;

    (void)state;
    CHECK_EQ(mirror_dir_open(path, REALM_EXERCISE, &m), 0, "open");
    CHECK_EQ(grow(&log, m, 10), 0, "grow");
    CHECK_EQ(checkpoint(&log, m, SPOIL_NONE), 0, "checkpoint");
    covered = log;
    CHECK_EQ(grow(&log, m, 600), 0, "grow");
    mirror_dir_close(m);
    CHECK_EQ(mirror_dir_open(path, REALM_EXERCISE, &m), 0, "open again");
    CHECK_EQ(mirror_dir_size(m), 10, "size");
    CHECK_EQ(grow(&covered, m, 600), 0, "the same bundles again");
    CHECK_EQ(checkpoint(&covered, m, SPOIL_NONE), 0, "checkpoint");
    check_folder(path, &covered, "folder");
    mirror_dir_close(m);
    folder_free(path);
}

static void check_file(const char *path, const char *name, struct span want)
{
    char file[MIRROR_PATH_MAX];
    struct buf in;

    buf_init(&in, 100000);
    mirror_path(file, path, name);
    CHECK_EQ(file_read(file, &in), 0, name);
    CHECK_EQ(span_eq(buf_span(&in), want), 1, name);
    buf_release(&in);
}

static void refuses(void **state)
{
    char *path = folder_new(), file[MIRROR_PATH_MAX];
    uint8_t salt[32], record[8], entry[32], fp[32] = { 7 };
    struct buf why, other, more;
    struct log log = { 0 };
    struct mirror_dir *m, *live;

    (void)state;
    buf_init(&why, 1000);
    CHECK_EQ(mirror_dir_open(path, REALM_EXERCISE, &m), 0, "open");
    CHECK_EQ(mirror_dir_open(path, REALM_LIVE, &live), -HL_EREALM, "other realm");
    CHECK_EQ(grow(&log, m, 300), 0, "grow");
    CHECK_EQ(checkpoint(&log, m, SPOIL_ROOT), -HL_EPROOF, "other root");
    CHECK_EQ(checkpoint(&log, m, SPOIL_SIZE), -HL_EINCOMPLETE, "other size");
    CHECK_EQ(mirror_dir_put_checkpoint(m, span_str("x")), -HL_EFORMAT, "no note");
    CHECK_EQ(exists(path, "checkpoint"), 0, "nothing was published");
    CHECK_EQ(checkpoint(&log, m, SPOIL_NONE), 0, "checkpoint");

    other = note(&log, SPOIL_ROOT);
    CHECK_EQ(mirror_dir_put_note(m, buf_span(&other)), -HL_EFORK, "earlier note, other root");
    buf_release(&other);
    other = note(&log, SPOIL_NONE);
    CHECK_EQ(mirror_dir_put_note(m, buf_span(&other)), 0, "earlier note");
    buf_release(&other);

    more = note(&log, SPOIL_NONE);
    buf_put_str(&more, EXAMPLE_WITNESS_LINE);
    CHECK_EQ(mirror_dir_put_note(m, buf_span(&more)), 0, "the same with a cosignature");
    check_file(path, "checkpoint", buf_span(&more));
    check_file(path, "checkpoints/300", buf_span(&more));
    CHECK_EQ(checkpoint(&log, m, SPOIL_NONE), 0, "without it again");
    check_file(path, "checkpoint", buf_span(&more));
    buf_release(&more);
    other = note(&log, SPOIL_SIZE);
    CHECK_EQ(mirror_dir_put_note(m, buf_span(&other)), -HL_EINCOMPLETE, "of more entries");
    buf_release(&other);

    for (uint64_t i = 0; i < 300; i += 299) {
        opening(i, salt, record, entry);
        CHECK_EQ(mirror_dir_has_opening(m, i), 0, "not yet");
        CHECK_EQ(mirror_dir_put_opening(m, i, salt, SPAN(record, 8)), 0, "opening");
        CHECK_EQ(mirror_dir_put_opening(m, i, salt, SPAN(record, 8)), 0, "opening again");
        CHECK_EQ(mirror_dir_has_opening(m, i), 1, "there");
        CHECK_EQ(mirror_dir_put_opening(m, i + 1, salt, SPAN(record, 8)),
                 i ? -HL_EINCOMPLETE : -HL_ELEAF, "another entry's");
        CHECK_EQ(mirror_dir_put_opening(m, i, salt, SPAN(record, 7)), -HL_ELEAF, "cut");
    }
    CHECK_EQ(mirror_dir_put_entries(m, SPAN("\0\5abc", 5)), -HL_EFORMAT, "cut bundle");
    CHECK_EQ(mirror_dir_put_policy(m, span_str("quorum\n"), &why), -HL_EFORMAT, "policy");
    CHECK_EQ(mirror_dir_put_policy(m, span_str("log " EXAMPLE_LOG "\nquorum none\n"), &why), 0,
             "policy");
    CHECK_EQ(mirror_dir_put_pin(m, span_str("arcadia"), fp), 0, "pin");
    CHECK_EQ(mirror_dir_put_pin(m, span_str("borealia"), fp), 0, "pin");
    CHECK_EQ(mirror_dir_put_pin(m, span_str("arcadia"), fp), 0, "pin again");
    fp[0]++;
    CHECK_EQ(mirror_dir_put_pin(m, span_str("arcadia"), fp), -HL_EFINGERPRINT, "another pin");
    mirror_dir_close(m);

    mirror_path(file, path, "tile/0/001.p/44");
    CHECK_EQ(file_publish(file, SPAN(entry, 32), 0644), 0, "damage");
    CHECK_EQ(mirror_dir_open(path, REALM_EXERCISE, &m), -HL_EFORMAT, "damaged tile");
    CHECK_EQ(unlink(file), 0, "remove");
    CHECK_EQ(mirror_dir_open(path, REALM_EXERCISE, &m), -HL_ENOENT, "missing tile");
    buf_release(&why);
    folder_free(path);
}

static void loads(void **state)
{
    static const struct {
        const char *name, *file, *bytes;
        int want;
        const char *says;
    } rows[] = {
        { "good", "pins",
          "arcadia 0000000000000000000000000000000000000000000000000000000000000001\n", 0, "" },
        { "no pins", "pins", NULL, 0, "" },
        { "no realm", "realm", NULL, -HL_EINCOMPLETE, "realm is missing" },
        { "no policy", "policy.txt", NULL, -HL_EINCOMPLETE, "policy.txt is missing" },
        { "no checkpoint", "checkpoint", NULL, -HL_EINCOMPLETE, "checkpoint is missing" },
        { "bad realm", "realm", "test\n", -HL_EINCOMPLETE, "neither" },
        { "bad policy", "policy.txt", "quorum x\n", -HL_EINCOMPLETE, "policy.txt: line 1" },
        { "bad pins", "pins", "arcadia\n", -HL_EINCOMPLETE, "line 1" },
        { "pin cut", "pins", "arcadia 00\n", -HL_EINCOMPLETE, "line 1" },
        { "pins without LF", "pins", "arcadia", -HL_EINCOMPLETE, "pins" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *path = folder_new(), file[MIRROR_PATH_MAX];
        struct log log = { 0 };
        struct mirror_dir *d;
        struct mirror m;
        struct buf why;

        buf_init(&why, 1000);
        CHECK_EQ(mirror_dir_open(path, REALM_EXERCISE, &d), 0, rows[i].name);
        CHECK_EQ(mirror_dir_put_policy(d, span_str("log " EXAMPLE_LOG "\nquorum none\n"), &why), 0,
                 rows[i].name);
        CHECK_EQ(grow(&log, d, 3), 0, rows[i].name);
        CHECK_EQ(checkpoint(&log, d, SPOIL_NONE), 0, rows[i].name);
        mirror_dir_close(d);
        mirror_path(file, path, rows[i].file);
        if (rows[i].bytes)
            CHECK_EQ(file_publish(file, span_str(rows[i].bytes), 0644), 0, rows[i].name);
        else
            unlink(file);
        CHECK_EQ(mirror_load(path, &m, &why), rows[i].want, rows[i].name);
        CHECK_EQ(strstr(buf_str(&why), rows[i].says) != NULL, 1, rows[i].name);
        CHECK_EQ(m.n_pins, i == 0, rows[i].name);
        CHECK_EQ(m.realm, rows[i].want ? REALM_LIVE : REALM_EXERCISE, rows[i].name);
        mirror_release(&m);
        buf_release(&why);
        folder_free(path);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows),
        cmocka_unit_test(forgets_what_is_not_covered),
        cmocka_unit_test(refuses),
        cmocka_unit_test(loads),
    };

    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
