#include "tests/check.h"

#include <fcntl.h>
#include <sys/wait.h>

#include "common/file.h"
#include "server/log.h"
#include "tests/fault/vfs.h"
#include "tests/store_sample.h"

/*
 * Stores that are wrong, cut, or have a byte turned: a clear error or the right answer, never
 * another one, never a crash; and what was refused is left as it was.
 */
#define ENTRIES 300
#define FRAME (24 + 4096)

static struct sample sample;
static int said; /* lines of diagnostics that are errors */

static void hear(int level, const char *line)
{
    said += level <= 3 && strlen(line) > 0;
}

/* ---- a store as bytes ---- */

struct image {
    struct buf main, wal;
    uint64_t frames[3]; /* of the WAL: good ones before the last two commits, before the last, and
                           in all */
};

static void image_take(struct image *im, const struct folder *f)
{
    char wal[128];

    snprintf(wal, sizeof(wal), "%s-wal", f->path);
    buf_init(&im->main, 64 << 20);
    buf_init(&im->wal, 64 << 20);
    CHECK_EQ(file_read(f->path, &im->main), 0, "main");
    CHECK_EQ(file_read(wal, &im->wal), 0, "wal");
}

static void image_free(struct image *im)
{
    buf_release(&im->main);
    buf_release(&im->wal);
}

static void put_file(const char *path, struct span s)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd != -1);
    CHECK_EQ(file_write_all(fd, s.p, s.n), 0, path);
    close(fd);
}

/* The files of @im in an empty folder; NULL spans leave one out. */
static void image_put(const struct folder *f, struct span main, struct span wal)
{
    char name[128];

    vfs_forget();
    snprintf(name, sizeof(name), "%s-shm", f->path);
    unlink(name);
    unlink(f->path);
    if (main.p)
        put_file(f->path, main);
    snprintf(name, sizeof(name), "%s-wal", f->path);
    unlink(name);
    if (wal.p)
        put_file(name, wal);
}

static bool file_is(const char *path, struct span want)
{
    struct buf got;
    bool same;
    int rc;

    buf_init(&got, 64 << 20);
    rc = file_read(path, &got);
    same = want.p ? rc == 0 && span_eq(buf_span(&got), want) : rc == -HL_ENOENT;
    buf_release(&got);
    return same;
}

static void check_unchanged(const struct folder *f, struct span main, struct span wal,
                            const char *row)
{
    char name[128];

    CHECK_EQ(file_is(f->path, main), 1, row);
    snprintf(name, sizeof(name), "%s-wal", f->path);
    CHECK_EQ(file_is(name, wal), 1, row);
    snprintf(name, sizeof(name), "%s.new", f->path);
    CHECK_EQ(access(name, F_OK), -1, row);
}

static uint64_t good_frames(struct span wal)
{
    uint64_t n = 0;

    while (32 + (n + 1) * FRAME <= wal.n && memcmp(wal.p + 32 + n * FRAME + 8, wal.p + 16, 8) == 0)
        n++;
    return n;
}

static void count_frames(struct image *im, const struct folder *f, int which)
{
    struct image now;

    image_take(&now, f);
    im->frames[which] = good_frames(buf_span(&now.wal));
    image_free(&now);
}

/* A store of ENTRIES envelopes, whose last two commits have one entry each. */
static void image_make(struct image *im, struct folder *f, bool moved)
{
    struct store *reader;
    struct store_head head;
    struct opened o;

    folder_make(f);
    vfs_forget();
    CHECK_EQ(opened_open(&o, &f->conf), 0, "create");
    for (uint64_t n = 0; n < ENTRIES - 2; n += 149)
        CHECK_EQ(opened_append(&o, n, n + 149, false), 0, "commit");
    if (moved) { /* all in the main file, and the WAL begun anew */
        CHECK_EQ(store_open_reader(&f->conf, &reader, &head), 0, "reader");
        CHECK_EQ(store_checkpoint_wal(reader), 0, "move");
        store_close(reader);
    }
    count_frames(im, f, 0);
    CHECK_EQ(opened_append(&o, ENTRIES - 2, ENTRIES - 1, false), 0, "commit");
    count_frames(im, f, 1);
    CHECK_EQ(opened_append(&o, ENTRIES - 1, ENTRIES, false), 0, "commit");
    count_frames(im, f, 2);
    opened_close(&o);
    if (moved) {
        CHECK_EQ(opened_open(&o, &f->conf), 0, "reopen");
        opened_close(&o);
    }
    image_take(im, f);
}

/* ---- reading everything ---- */

static int read_body(struct store *st, uint64_t n)
{
    struct buf body;
    int rc = 0;

    buf_init(&body, 1 << 20);
    for (uint64_t i = 0; !rc && i * 32768 < sample.e.body_len; i++)
        rc = store_read_chunk(st, n, i, &body);
    if (!rc)
        CHECK_EQ(span_eq(buf_span(&body), sample.e.body), 1, "a wrong body");
    buf_release(&body);
    return rc;
}

static int read_entry(struct store *st, uint64_t n)
{
    struct stored got = { 0 };
    uint8_t id[32];
    uint64_t index;
    int rc;

    sample_envelope(&sample, n);
    rc = store_read(st, n, &got);
    if (!rc) {
        CHECK_EQ(span_eq(buf_span(&got.record), sample.e.record), 1, "a wrong record");
        CHECK_EQ(span_eq(buf_span(&got.wraps), sample.e.wraps), 1, "wrong wraps");
        CHECK_EQ(got.time_ms, sample.e.time_ms, "a wrong time");
        CHECK_BYTES(got.salt, sample.salt, 32, "a wrong salt");
    }
    stored_release(&got);
    if (!rc)
        rc = store_find_id(st, sample.id, &index);
    if (!rc)
        CHECK_EQ(index, n, "a wrong id");
    if (!rc)
        rc = store_find_mid(st, sample.mid, &index);
    if (!rc)
        CHECK_EQ(index, n, "a wrong mid");
    if (!rc)
        rc =
            store_find_number(st, sample.e.sender, sample.channel, sample.chain, n + 1, &index, id);
    return rc ? rc : read_body(st, n);
}

/* 0: all is right; or the first error.  A wrong answer fails the test. */
static int read_all(const struct store_conf *conf, uint64_t *size)
{
    uint8_t tile[256][32];
    struct opened o = { .st = NULL };
    int rc = opened_open(&o, conf);

    *size = rc ? 0 : o.head.size;
    for (uint64_t n = 0; !rc && n < *size; n++)
        rc = read_entry(o.st, n);
    if (!rc && *size >= 256)
        rc = store_read_tile(o.st, 0, 0, tile);
    opened_close(&o);
    return rc;
}

/* ---- tests ---- */

static void wrong_stores(void **state)
{
    static const uint8_t zero[4096], garbage[8192] = "not a store";
    struct image im;
    struct folder f;
    struct span main, wal;
    uint8_t *version, *header;

    (void)state;
    image_make(&im, &f, true);
    main = buf_span(&im.main);
    wal = buf_span(&im.wal);
    version = malloc(main.n);
    header = malloc(wal.n);
    assert_true(version && header);
    memcpy(version, main.p, main.n);
    version[63]++;
    memcpy(header, wal.p, wal.n);
    header[17] ^= 4;

    const struct {
        const char *name;
        enum realm realm;
        const char *origin;
        struct span main, wal;
        int want;
    } rows[] = {
        { "wrong realm", REALM_LIVE, f.conf.origin, main, wal, -HL_EREALM },
        { "wrong origin", REALM_EXERCISE, "host.example/exercise/arcadia/2", main, wal,
          -HL_EREALM },
        { "wrong version", REALM_EXERCISE, f.conf.origin, SPAN(version, main.n), wal, -HL_ESTORE },
        { "empty file", REALM_EXERCISE, f.conf.origin, SPAN(main.p, 0), wal, -HL_ESTORE },
        { "50 bytes", REALM_EXERCISE, f.conf.origin, SPAN(main.p, 50), wal, -HL_ESTORE },
        { "one page", REALM_EXERCISE, f.conf.origin, SPAN(main.p, 4096), wal, -HL_ESTORE },
        { "half", REALM_EXERCISE, f.conf.origin, SPAN(main.p, main.n / 2), wal, -HL_ESTORE },
        { "garbage", REALM_EXERCISE, f.conf.origin, SPAN(garbage, sizeof(garbage)), wal,
          -HL_ESTORE },
        { "no main file", REALM_EXERCISE, f.conf.origin, SPAN_NONE, wal, -HL_ESTORE },
        { "no WAL", REALM_EXERCISE, f.conf.origin, main, SPAN_NONE, -HL_ESTORE },
        { "empty WAL", REALM_EXERCISE, f.conf.origin, main, SPAN(wal.p, 0), -HL_ESTORE },
        { "20 bytes of WAL", REALM_EXERCISE, f.conf.origin, main, SPAN(wal.p, 20), -HL_ESTORE },
        { "zeroes for a WAL", REALM_EXERCISE, f.conf.origin, main, SPAN(zero, sizeof(zero)),
          -HL_ESTORE },
        { "garbage for a WAL", REALM_EXERCISE, f.conf.origin, main, SPAN(garbage, sizeof(garbage)),
          -HL_ESTORE },
        { "WAL header turned", REALM_EXERCISE, f.conf.origin, main, SPAN(header, wal.n),
          -HL_ESTORE },
        { "right", REALM_EXERCISE, f.conf.origin, main, wal, 0 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct store_conf conf = f.conf;
        struct store_head head;
        struct store *st;

        conf.realm = rows[i].realm;
        conf.origin = rows[i].origin;
        image_put(&f, rows[i].main, rows[i].wal);
        CHECK_EQ(store_open(&conf, &st, &head), rows[i].want, rows[i].name);
        store_close(st);
        if (rows[i].want)
            check_unchanged(&f, rows[i].main, rows[i].wal, rows[i].name);
    }
    free(version);
    free(header);
    image_free(&im);
    folder_remove(f.dir);
}

static void no_store_for_a_reader(void **state)
{
    struct store_head head;
    struct folder f;
    struct store *st;

    (void)state;
    folder_make(&f);
    CHECK_EQ(store_open_reader(&f.conf, &st, &head), -HL_ENOENT, "no store");
    check_unchanged(&f, SPAN_NONE, SPAN_NONE, "no store");
    CHECK_EQ(symlink("/etc/passwd", f.path), 0, "link");
    CHECK_EQ(store_open(&f.conf, &st, &head) < 0, 1, "a link to elsewhere");
    unlink(f.path);
    CHECK_EQ(mkdir(f.path, 0700), 0, "folder");
    CHECK_EQ(store_open(&f.conf, &st, &head) < 0, 1, "a folder in its place");
    folder_remove(f.dir);
}

/* A power cut amid the creation: what lies about is made anew. */
static void unfinished_creation(void **state)
{
    static const uint8_t zero[4096];
    static const char *const left[] = { ".new", ".new-journal", ".new-wal", ".new-shm" };
    struct opened o;
    struct folder f;
    char name[128];

    (void)state;
    for (size_t wal = 0; wal <= sizeof(zero); wal += 10 + wal) {
        folder_make(&f);
        image_put(&f, SPAN_NONE, SPAN(zero, wal));
        for (size_t i = 0; i < COUNT(left); i++) {
            snprintf(name, sizeof(name), "%s%s", f.path, left[i]);
            put_file(name, SPAN("garbage", 7));
        }
        CHECK_EQ(opened_open(&o, &f.conf), 0, "create");
        CHECK_EQ(opened_append(&o, 0, 2, false), 0, "use");
        opened_close(&o);
        CHECK_EQ(access(name, F_OK), -1, "nothing is left");
        folder_remove(f.dir);
    }
}

/* As another user where we are root: file modes do not stop root. */
static int as_nobody(int (*fn)(const struct folder *f), const struct folder *f)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        if (getuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
            _exit(99);
        _exit(fn(f) ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WEXITSTATUS(status);
}

static int cannot_open(const struct folder *f)
{
    struct store_head head;
    struct store *st;
    int rc = store_open(&f->conf, &st, &head);

    return rc == -HL_ESTORE || rc == -HL_ESYS;
}

static void read_only_folder(void **state)
{
    struct image im;
    struct folder f;
    char name[128];

    (void)state;
    image_make(&im, &f, true);
    snprintf(name, sizeof(name), "%s-wal", f.path);
    chmod(f.path, 0444);
    chmod(name, 0444);
    chmod(f.dir, 0555);
    CHECK_EQ(as_nobody(cannot_open, &f), 0, "read-only store");
    check_unchanged(&f, buf_span(&im.main), buf_span(&im.wal), "read-only store");
    chmod(f.dir, 0755);
    unlink(f.path);
    unlink(name);
    chmod(f.dir, 0555);
    CHECK_EQ(as_nobody(cannot_open, &f), 0, "no store, and no place for one");
    check_unchanged(&f, SPAN_NONE, SPAN_NONE, "no place");
    chmod(f.dir, 0755);
    image_free(&im);
    folder_remove(f.dir);
}

/*
 * One byte of the main file turned, at places all over it.  Reading everything finds it: whatever
 * is not free space is covered by the check of its page.
 */
static void turned_bytes_in_the_file(void **state)
{
    struct image im;
    struct folder f;
    uint64_t size, found = 0, tried = 0, pages;

    (void)state;
    image_make(&im, &f, true);
    pages = get_u32(im.main.p + 28);
    for (uint64_t at = 1; at < pages * 4096; at += 4096 + 4096 / 3, tried++) {
        int rc;

        im.main.p[at] ^= (uint8_t)(1u << at % 8);
        image_put(&f, buf_span(&im.main), buf_span(&im.wal));
        rc = read_all(&f.conf, &size);
        CHECK_EQ(rc == 0 || rc == -HL_ESTORE, 1, "right or -HL_ESTORE");
        CHECK_EQ(rc != 0 || size == ENTRIES, 1, "nothing is missing");
        found += rc != 0;
        im.main.p[at] ^= (uint8_t)(1u << at % 8);
    }
    printf("%d of %d turned bytes found\n", (int)found, (int)tried);
    CHECK_EQ(said > 0, 1, "and said so");
    CHECK_EQ(found * 100 >= tried * 95, 1, "found"); /* the rest: pages that the WAL replaces */
    image_free(&im);
    folder_remove(f.dir);
}

/*
 * One byte of the WAL turned: before the last commit it is damage; in the last commit, or in what
 * marks the end of the one before, it looks like a power cut; behind, it is nothing.
 */
static void turned_bytes_in_the_wal(void **state)
{
    struct image im;
    struct folder f;
    uint64_t size, before_last, end;

    (void)state;
    image_make(&im, &f, false);
    before_last = 32 + im.frames[1] * FRAME;
    end = 32 + im.frames[2] * FRAME;
    CHECK_EQ(im.frames[2] == good_frames(buf_span(&im.wal)) && im.frames[1] < im.frames[2], 1,
             "frames");
    for (uint64_t at = 0; at < im.wal.n; at += at < 64 ? 1 : at > end ? 65537 : 1009) {
        bool marks = at >= before_last - FRAME && at < before_last - FRAME + 24;
        int rc;

        im.wal.p[at] ^= (uint8_t)(1u << at % 8);
        image_put(&f, buf_span(&im.main), buf_span(&im.wal));
        rc = read_all(&f.conf, &size);
        if (at < before_last && !marks)
            CHECK_EQ(rc, -HL_ESTORE, "damage");
        else if (!marks)
            CHECK_EQ(rc, 0, "cut");
        if (rc == 0)
            CHECK_EQ(size >= ENTRIES - (at >= end ? 0 : marks ? 2 : 1), 1, "what is left");
        if (rc)
            check_unchanged(&f, buf_span(&im.main), buf_span(&im.wal), "damaged WAL");
        im.wal.p[at] ^= (uint8_t)(1u << at % 8);
    }
    image_free(&im);
    folder_remove(f.dir);
}

/* A page in the place of another, an older state of a page, zeroes: whole pages that were good
 * once. */
static void misplaced_pages(void **state)
{
    static const uint8_t zero[4096];
    struct image im;
    struct folder f;
    uint64_t size, pages;
    uint8_t keep[4096];

    (void)state;
    image_make(&im, &f, true);
    pages = get_u32(im.main.p + 28);
    for (uint64_t page = 3; page + 1 < pages; page += pages / 40) {
        uint8_t *p = im.main.p + page * 4096;
        int rc;

        memcpy(keep, p, 4096);
        for (int way = 0; way < 2; way++) {
            memcpy(p, way ? zero : p + 4096, 4096);
            image_put(&f, buf_span(&im.main), buf_span(&im.wal));
            rc = read_all(&f.conf, &size);
            CHECK_EQ(rc == -HL_ESTORE || (rc == 0 && size == ENTRIES), 1, way ? "zeroes" : "moved");
            memcpy(p, keep, 4096);
        }
    }
    image_free(&im);
    folder_remove(f.dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_stores),
        cmocka_unit_test(no_store_for_a_reader),
        cmocka_unit_test(unfinished_creation),
        cmocka_unit_test(read_only_folder),
        cmocka_unit_test(turned_bytes_in_the_file),
        cmocka_unit_test(turned_bytes_in_the_wal),
        cmocka_unit_test(misplaced_pages),
    };

    store_diag(hear);
    vfs_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
