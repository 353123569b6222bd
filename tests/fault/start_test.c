#include "tests/check.h"

#include "server/log.h"
#include "tests/fault/vfs.h"
#include "tests/store_sample.h"

/*
 * A start, a commit and a proof cost no more on a longer log.  Counted are calls and bytes at the
 * files, no time.  HL_ENTRIES (make test ENTRIES=1000000) says how long the longest log is.
 */
#define BATCH 4096
#define GROW (8 << 20)
#define WAL_FRAMES (GROW / 4 / (24 + 4096))

struct cost {
    uint64_t start_reads, commit_bytes, proof_reads;
};

static uint64_t longest(void)
{
    const char *s = getenv("HL_ENTRIES");

    return s && *s ? strtoull(s, NULL, 10) : 70000;
}

static void grow(struct opened *o, const struct store_conf *conf, uint64_t size)
{
    struct store_head head;
    struct store *reader;

    CHECK_EQ(store_open_reader(conf, &reader, &head), 0, "reader");
    while (log_size(o->log) < size) {
        uint64_t n = log_size(o->log), to = n + BATCH < size ? n + BATCH : size;

        CHECK_EQ(opened_append(o, n, to, true), 0, "commit");
        CHECK_EQ(store_checkpoint_wal(reader), 0, "move");
    }
    store_close(reader);
}

static void measure(const struct store_conf *conf, struct cost *cost)
{
    uint8_t proof[MERKLE_MAX_PROOF][32];
    struct opened o;
    uint64_t size;
    size_t n;

    vfs_count(0);
    CHECK_EQ(opened_open(&o, conf), 0, "start");
    cost->start_reads = vfs_count(VFS_READ);
    size = log_size(o.log);
    vfs_count(0);
    CHECK_EQ(log_inclusion(o.log, size / 3, size, proof, &n), 0, "proof");
    CHECK_EQ(log_consistency(o.log, size / 3, size, proof, &n), 0, "proof");
    cost->proof_reads = vfs_count(VFS_READ);
    CHECK_EQ(opened_append(&o, size, size + 1, false), 0, "commit");
    vfs_count(0);
    CHECK_EQ(opened_append(&o, size + 1, size + 2, false), 0, "commit");
    cost->commit_bytes = vfs_bytes();
    opened_close(&o);
}

static void long_log(void **state)
{
    const uint64_t sizes[] = { longest() / 100, longest() / 10, longest() };
    struct cost cost[COUNT(sizes)];
    struct folder f;
    struct opened o;

    (void)state;
    folder_make(&f);
    f.conf.grow_bytes = GROW;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        vfs_forget();
        CHECK_EQ(opened_open(&o, &f.conf), 0, "open");
        grow(&o, &f.conf, sizes[i]);
        opened_close(&o);
        CHECK_EQ(opened_open(&o, &f.conf), 0, "open"); /* now the WAL is moved and short */
        opened_close(&o);
        measure(&f.conf, &cost[i]);
        printf("%d entries: start %d reads, two proofs %d reads, commit %d bytes\n", (int)sizes[i],
               (int)cost[i].start_reads, (int)cost[i].proof_reads, (int)cost[i].commit_bytes);
    }
    for (size_t i = 0; i < COUNT(sizes); i++) {
        CHECK_EQ(cost[i].start_reads <= 3 * WAL_FRAMES + 128, 1,
                 "start"); /* the WAL: looked through, struck out, moved */
        CHECK_EQ(cost[i].proof_reads <= 64, 1, "proofs");
        CHECK_EQ(cost[i].commit_bytes <= 40 * 4096, 1, "commit");
    }
    folder_remove(f.dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(long_log) };

    vfs_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
