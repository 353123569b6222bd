#include "tests/check.h"

#include "server/log.h"
#include "tests/fault/vfs.h"
#include "tests/store_sample.h"

/*
 * Every failing call and every power cut in a scenario of all kinds of commits.  After each, the
 * store is opened again and must hold: every commit that returned 0, at most one more (the one on
 * its way), each whole, and nothing else.  Then it must go on.
 */
#define COMMITS 10

/* How many entries the log has after commit number @k of the scenario. */
static const uint64_t sizes[COMMITS + 1] = { 0, 1, 2, 2, 2, 3, 270, 271, 272, 272, 290 };

static const struct span poc = { (const uint8_t *)"borealia.technical", 18 };
static struct sample sample;

/* Envelope 2 is uploaded in three chunks by commits 3, 4 and 5. */
static void sample_uploaded(void)
{
    sample_envelope(&sample, 16);
    sample.e.time_ms = 1700000000002;
}

static int append(struct opened *o, uint64_t n)
{
    uint8_t salt[32];
    int rc;

    if (n == 2)
        sample_uploaded();
    else if (n >= 3 && n < 270)
        sample_dummy(&sample, n);
    else
        sample_envelope(&sample, n);
    if (n == 2)
        sample.e.body = SPAN_NONE;
    rc = log_append(o->log, &sample.e, salt);
    if (!rc)
        rc = store_stage_mailbox(o->st, poc, n, 1, false);
    if (!rc)
        rc = store_stage_event(o->st, poc, n);
    return rc ? rc : store_stage_due(o->st, n, 1000 + n);
}

/* Stage what belongs to commit number @k beside its entries. */
static int stage_beside(struct opened *o, int k)
{
    uint8_t note[1200];

    memset(note, k, sizeof(note));
    if (k == 3 || k == 4 || k == 5) {
        size_t at = (size_t)(k - 3) * 32768;

        sample_uploaded();
        return store_stage_chunk(o->st, sample.id, (uint64_t)k - 3,
                                 SPAN(sample.body + at, k == 5 ? 80000 - at : 32768), 5);
    }
    if (k == 7)
        return store_stage_mailbox_drop(o->st, poc, 0);
    if (k == 9)
        return store_stage_document(o->st, "card/arcadia", 5, 50, SPAN(note, sizeof(note)));
    return store_stage_note(o->st, STORE_NOTE_LOGGED, SPAN(note, sizeof(note)));
}

static int commit(struct opened *o, int k)
{
    int rc = stage_beside(o, k);

    for (uint64_t n = sizes[k - 1]; !rc && n < sizes[k]; n++)
        rc = append(o, n);
    return rc ? rc : opened_commit(o);
}

static int count_row(void *arg, uint64_t index)
{
    uint64_t *n = arg;

    return index == (*n)++ ? 0 : -HL_ESTORE;
}

static int count_due(void *arg, uint64_t index, uint64_t due_ms)
{
    return due_ms == 1000 + index ? count_row(arg, index) : -HL_ESTORE;
}

static int count_mailbox(void *arg, uint64_t index, unsigned precedence, bool held)
{
    return precedence == 1 && !held ? count_row(arg, index) : -HL_ESTORE;
}

static void check_entry(struct store *st, uint64_t n, const char *row)
{
    struct stored got = { 0 };
    struct buf body;
    uint64_t index;

    buf_init(&body, 1 << 20);
    if (n == 2)
        sample_uploaded();
    else if (n >= 3 && n < 270)
        sample_dummy(&sample, n);
    else
        sample_envelope(&sample, n);
    CHECK_EQ(store_read(st, n, &got), 0, row);
    CHECK_EQ(span_eq(buf_span(&got.record), sample.e.record), 1, row);
    for (uint64_t i = 0; i * 32768 < got.body_len; i++)
        CHECK_EQ(store_read_chunk(st, n, i, &body), 0, row);
    CHECK_EQ(span_eq(buf_span(&body), sample.e.body), 1, row);
    if (sample.e.kind == ENTRY_ENVELOPE) {
        CHECK_EQ(store_find_id(st, sample.id, &index), 0, row);
        CHECK_EQ(index, n, row);
        CHECK_EQ(store_find_mid(st, sample.mid, &index), 0, row);
    }
    buf_release(&body);
    stored_release(&got);
}

/* What stands beside the entries after @k commits. */
static void check_beside(struct store *st, int k, const char *row)
{
    static const uint8_t last_note[] = { 0, 1, 2, 2, 2, 2, 6, 6, 8, 8, 10 };
    struct buf note;
    uint64_t have;

    buf_init(&note, 4096);
    CHECK_EQ(store_note(st, STORE_NOTE_LOGGED, &note), k >= 1 ? 0 : -HL_ENOENT, row);
    if (k >= 1)
        CHECK_EQ(note.p[1199], last_note[k], row);
    sample_uploaded();
    CHECK_EQ(store_upload_have(st, sample.id, &have), 0, row);
    CHECK_EQ(have, k == 3 ? 1 : k == 4 ? 2 : 0, row);
    buf_release(&note);
}

static void check_lists(struct store *st, int k, const char *row)
{
    uint64_t events = 0, dues = 0, waiting = k >= 7, count, bytes;

    CHECK_EQ(store_each_event(st, poc, 0, 1000, count_row, &events), 0, row);
    CHECK_EQ(events, sizes[k], row);
    CHECK_EQ(store_each_due(st, count_due, &dues), 0, row);
    CHECK_EQ(dues, sizes[k], row);
    CHECK_EQ(store_each_mailbox(st, poc, count_mailbox, &waiting), 0, row);
    CHECK_EQ(waiting, sizes[k], row);
    CHECK_EQ(store_mailbox_load(st, poc, &count, &bytes), 0, row);
    CHECK_EQ(count, sizes[k] - (k >= 7), row);
}

static int see_document(void *arg, const char *key, uint64_t index, uint64_t time_ms,
                        struct span note)
{
    (void)key;
    *(int *)arg += index == 5 && time_ms == 50 && note.n == 1200 && note.p[7] == 9;
    return 0;
}

/* Is commit number @k there?  Some add no entry, and show in what else they left. */
static bool has_commit(struct opened *o, int k)
{
    int documents = 0;
    uint64_t have = 0;

    if (k > COMMITS || sizes[k] > o->head.size)
        return false;
    sample_uploaded();
    store_upload_have(o->st, sample.id, &have);
    store_each_document(o->st, see_document, &documents);
    if (k == 3 || k == 4)
        return o->head.size > 2 || have >= (uint64_t)k - 2;
    if (k == 9)
        return documents == 1;
    return true;
}

/*
 * Open, and make the commits that are missing; a reader moves the WAL in between.  Returns the last
 * commit that is promised: what an opened store shows is, for it may be signed.
 */
static int go_on(const struct store_conf *conf, int promised)
{
    struct opened o = { .st = NULL };
    struct store *reader = NULL;
    struct store_head head;
    int rc = opened_open(&o, conf);

    while (!rc && has_commit(&o, promised + 1))
        promised++;
    if (!rc)
        rc = store_open_reader(conf, &reader, &head);
    while (!rc && promised < COMMITS) {
        rc = commit(&o, promised + 1);
        promised += rc == 0;
        if (!rc && promised % 4 == 2)
            rc = store_checkpoint_wal(reader);
    }
    store_close(reader);
    opened_close(&o);
    return promised;
}

/* Open again: all that was promised is there, at most one commit more, and nothing else.  Then go
 * on. */
static void check_after(const struct store_conf *conf, int promised, const char *row)
{
    struct opened o = { .st = NULL };
    uint64_t index;
    int k = promised;

    CHECK_EQ(opened_open(&o, conf), 0, row);
    CHECK_EQ(has_commit(&o, promised), 1, row);
    k += has_commit(&o, promised + 1);
    CHECK_EQ(o.head.size, sizes[k], row);
    CHECK_EQ(has_commit(&o, 9), k >= 9, row);
    for (uint64_t n = 0; n < o.head.size; n += n >= 3 && n < 250 ? 19 : 1) /* most are dummies */
        check_entry(o.st, n, row);
    CHECK_EQ(store_read(o.st, o.head.size, &(struct stored){ 0 }), -HL_ENOENT, row);
    sample_envelope(&sample, o.head.size == 2 ? 16 : o.head.size);
    CHECK_EQ(store_find_id(o.st, sample.id, &index), -HL_ENOENT, row);
    check_beside(o.st, k, row);
    check_lists(o.st, k, row);
    opened_close(&o);
    CHECK_EQ(go_on(conf, k), COMMITS, row);
}

/* With a WAL of four pages, which the writer moves all the time, or one that takes it all. */
static void scenario_folder(struct folder *f, bool roomy)
{
    folder_make(f);
    f->conf.grow_bytes = roomy ? 1 << 21 : 1 << 16;
}

static void without_faults(void **state)
{
    struct folder f;

    (void)state;
    scenario_folder(&f, false);
    vfs_forget();
    CHECK_EQ(go_on(&f.conf, 0), COMMITS, "all");
    check_after(&f.conf, COMMITS, "all");
    folder_remove(f.dir);
}

/* Fail the nth call, until there is no nth call. */
static void fail_all(unsigned kinds, enum vfs_how how, long step)
{
    bool fired = true;
    char row[64];

    for (long nth = 1; fired; nth += step) {
        struct folder f;
        int promised;

        snprintf(row, sizeof(row), "kinds %u, how %d, nth %ld", kinds, how, nth);
        scenario_folder(&f, nth / 2 % 2);
        vfs_forget();
        vfs_arm(kinds, nth, how);
        promised = go_on(&f.conf, 0);
        fired = vfs_fired();
        CHECK_EQ(fired || promised == COMMITS, 1, row);
        check_after(&f.conf, promised, row);
        folder_remove(f.dir);
    }
}

static uint64_t rounds(void)
{
    const char *s = getenv("HL_FAULT_ROUNDS");

    return s ? strtoull(s, NULL, 10) : 1;
}

/* A step between calls that gets smaller with more rounds. */
static long sparse(long step)
{
    return rounds() < (uint64_t)step ? step / (long)rounds() : 1;
}

static void every_failing_call(void **state)
{
    (void)state;
    fail_all(VFS_CHANGES, VFS_EIO, 1);
    fail_all(VFS_CHANGES, VFS_EIO_FOR_GOOD, sparse(11));
    fail_all(VFS_WRITE, VFS_ENOSPC, sparse(7));
    fail_all(VFS_WRITE | VFS_SYNC | VFS_TRUNCATE, VFS_ENOSPC_FOR_GOOD, sparse(11));
    fail_all(VFS_READ, VFS_EIO, sparse(41));
}

/* Cut the power at the nth call, keep some of what was not synced. */
static void every_power_cut(void **state)
{
    char row[64];

    (void)state;
    for (uint64_t seed = 1; seed <= rounds(); seed++) {
        bool fired = true;

        for (long nth = 1; fired; nth++) {
            struct folder f;
            int promised;

            snprintf(row, sizeof(row), "cut at %ld, seed %d", nth, (int)seed);
            scenario_folder(&f, nth / 2 % 2);
            vfs_forget();
            vfs_arm(VFS_WRITE | VFS_SYNC | VFS_TRUNCATE, nth, VFS_POWER_CUT);
            promised = go_on(&f.conf, 0);
            fired = vfs_fired();
            vfs_reboot(seed * 1000003 + (uint64_t)nth);
            check_after(&f.conf, promised, row);
            folder_remove(f.dir);
        }
    }
}

/*
 * The power fails amid a commit, and once more in the start that follows: what the first one left
 * behind the good frames must be taken neither for commits nor for damage.
 */
static void two_power_cuts(void **state)
{
    char row[64];

    (void)state;
    for (uint64_t seed = 1; seed <= 150 * rounds(); seed++) {
        struct folder f;
        int promised;

        snprintf(row, sizeof(row), "two cuts, seed %d", (int)seed);
        scenario_folder(&f, true);
        vfs_forget();
        vfs_arm(VFS_SYNC, 15 + (long)seed % 17, VFS_POWER_CUT);
        promised = go_on(&f.conf, 0);
        vfs_reboot(seed);
        vfs_arm(VFS_SYNC, 2 + (long)seed / 17 % 2, VFS_POWER_CUT);
        promised = go_on(&f.conf, promised);
        vfs_reboot(seed * 7654321);
        check_after(&f.conf, promised, row);
        folder_remove(f.dir);
    }
}

/*
 * A sync fails; the process is started again and reads from the cache what is not on the disk, and
 * goes on; then the power fails as well.
 */
static void failed_sync_then_power_cut(void **state)
{
    bool fired = true;
    char row[64];

    (void)state;
    for (long nth = 1; fired; nth += sparse(3)) {
        bool cut = true;

        for (long then = 1; cut && fired; then += 7 + then / 2) {
            struct folder f;
            int promised;

            snprintf(row, sizeof(row), "sync %ld fails, cut at %ld", nth, then);
            scenario_folder(&f, nth / 2 % 2);
            vfs_forget();
            vfs_arm(VFS_SYNC, nth, VFS_EIO);
            promised = go_on(&f.conf, 0);
            fired = vfs_fired();
            vfs_arm(VFS_WRITE | VFS_SYNC, then, VFS_POWER_CUT);
            promised = go_on(&f.conf, promised);
            cut = vfs_fired();
            vfs_reboot((uint64_t)(nth * 7919 + then));
            check_after(&f.conf, promised, row);
            folder_remove(f.dir);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_faults),
        cmocka_unit_test(every_failing_call),
        cmocka_unit_test(every_power_cut),
        cmocka_unit_test(two_power_cuts),
        cmocka_unit_test(failed_sync_then_power_cut),
    };

    vfs_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
