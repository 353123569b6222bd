#include <fcntl.h>
#include <inttypes.h>
#include <time.h>

#include "server/log.h"
#include "tests/store_sample.h"

/*
 * store_bench [folder [seconds]]: commits a second with 1 and with 64 entries, each an envelope of
 * the smallest bucket (4,112 bytes) into a mailbox, beside the floor of the same disk at the same
 * time: a plain file, made beforehand, that takes the same bytes with write and fdatasync.  Prints
 * p50 and p99 of one commit.
 */
#define RUNS_MAX 100000

static uint64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static uint64_t took[RUNS_MAX];

static int ascending(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static void report(const char *what, size_t entries, size_t n, uint64_t ns)
{
    qsort(took, n, sizeof(took[0]), ascending);
    printf("%-24s %8.0f commits/s %9.0f entries/s   p50 %6.0f us  p99 %6.0f us\n", what,
           (double)n * 1e9 / (double)ns, (double)n * (double)entries * 1e9 / (double)ns,
           (double)took[n / 2] / 1000, (double)took[n * 99 / 100] / 1000);
}

static void floor_run(const char *dir, size_t entries, uint64_t budget_ns)
{
    static uint8_t bytes[64 * 5500];
    char path[128];
    uint64_t begin, at = 0;
    size_t n = 0;
    int fd;

    snprintf(path, sizeof(path), "%s/floor", dir);
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (fd == -1)
        exit(1);
    for (uint64_t i = 0; i < (64u << 20); i += sizeof(bytes))
        if (pwrite(fd, bytes, sizeof(bytes), (off_t)i) < 0)
            exit(1);
    fsync(fd);
    for (begin = now_ns(); n < RUNS_MAX && now_ns() - begin < budget_ns; n++) {
        uint64_t start = now_ns();

        if (pwrite(fd, bytes, entries * 5500, (off_t)at) < 0 || fdatasync(fd) != 0)
            exit(1);
        at = (at + entries * 5500) % (63u << 20);
        took[n] = now_ns() - start;
    }
    report(entries == 1 ? "floor, 1 entry" : "floor, 64 entries", entries, n, now_ns() - begin);
    close(fd);
    unlink(path);
}

static struct sample sample[64];

/* What a turn gets from outside: not part of what is measured. */
static void draft(uint64_t first, size_t entries)
{
    for (size_t i = 0; i < entries; i++) {
        sample_envelope(&sample[i], first + i);
        sample[i].e.record.n = 700;
        sample[i].e.wraps.n = 200;
        sample[i].e.body_len = sample[i].e.body.n = 4112;
    }
}

static int turn(struct opened *o, size_t entries)
{
    uint8_t salt[32];
    int rc = 0;

    for (size_t i = 0; !rc && i < entries; i++) {
        uint64_t n = log_size(o->log);

        rc = log_append(o->log, &sample[i].e, salt);
        if (!rc)
            rc = store_stage_mailbox(o->st, span_str("borealia.technical"), n, 1, false);
        if (!rc)
            rc = store_stage_due(o->st, n, 5);
    }
    return rc ? rc : opened_commit(o);
}

/* The publisher's part, in the same thread here: it costs the rate, but not the single commit. */
static void move_wal(struct store *reader, uint64_t *moved)
{
    if (now_ns() - *moved < 100000000)
        return;
    if (store_checkpoint_wal(reader))
        exit(1);
    *moved = now_ns();
}

static void store_run(struct opened *o, struct store *reader, size_t entries, uint64_t budget_ns)
{
    uint64_t begin = now_ns(), moved = begin, drafting = 0;
    size_t n = 0;

    for (; n < RUNS_MAX && now_ns() - begin - drafting < budget_ns; n++) {
        uint64_t before = now_ns(), start;

        draft(log_size(o->log), entries);
        start = now_ns();
        drafting += start - before;
        if (turn(o, entries)) {
            fprintf(stderr, "store_bench: commit failed\n");
            exit(1);
        }
        took[n] = now_ns() - start;
        move_wal(reader, &moved);
    }
    report(entries == 1 ? "store, 1 entry" : "store, 64 entries", entries, n,
           now_ns() - begin - drafting);
}

int main(int argc, char **argv)
{
    uint64_t budget = (argc > 2 ? strtoull(argv[2], NULL, 10) : 3) * 1000000000;
    struct store_conf conf = { .realm = REALM_EXERCISE, .origin = "bench.example/exercise/a/1" };
    struct store_head head;
    struct store *reader;
    struct opened o;
    char dir[96], path[128];

    snprintf(dir, sizeof(dir), "%s/store-bench-XXXXXX", argc > 1 ? argv[1] : ".");
    if (!mkdtemp(dir))
        return 1;
    snprintf(path, sizeof(path), "%s/store", dir);
    conf.path = path;
    if (opened_open(&o, &conf) || store_open_reader(&conf, &reader, &head))
        return 1;
    for (int round = 0; round < 2; round++) {
        floor_run(dir, 1, budget);
        store_run(&o, reader, 1, budget);
        floor_run(dir, 64, budget);
        store_run(&o, reader, 64, budget);
    }
    printf("%" PRIu64 " entries at the end\n", o.head.size);
    store_close(reader);
    opened_close(&o);
    folder_remove(dir);
    return 0;
}
