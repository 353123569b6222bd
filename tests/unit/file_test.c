#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/error.h"
#include "tests/check.h"

static char dir[PATH_MAX];

static const char *at(const char *name)
{
    static char path[4][PATH_MAX + 64];
    static unsigned turn;

    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof(path[turn]), "%s/%s", dir, name);
    return path[turn];
}

static int make_dir(void **state)
{
    const char *tmp = getenv("TMPDIR");

    (void)state;
    snprintf(dir, sizeof(dir), "%s/file-test-XXXXXX", tmp ? tmp : "/tmp");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    char cmd[PATH_MAX + 16];

    (void)state;
    snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
    return system(cmd);
}

static unsigned mode_of(const char *path)
{
    struct stat st;

    assert_int_equal(lstat(path, &st), 0);
    return st.st_mode & 07777;
}

static int names(void *arg, const char *path)
{
    buf_printf(arg, "%s ", strrchr(path, '/') + 1);
    return 0;
}

/* No temporary name may remain, whatever happened. */
static void check_only(const char *want)
{
    struct buf b;

    buf_init(&b, 4096);
    CHECK_EQ(file_each(dir, "", names, &b), 0, want);
    assert_string_equal(buf_str(&b), want);
    buf_release(&b);
}

static void publish_and_read(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    CHECK_EQ(file_read(at("none"), &b), -HL_ENOENT, "missing");
    CHECK_EQ(file_publish(at("a"), span_str("first"), 0640), 0, "new");
    CHECK_EQ(mode_of(at("a")), 0640, "mode");
    CHECK_EQ(file_publish(at("a"), span_str("second, longer"), 0400), 0, "replaced");
    CHECK_EQ(mode_of(at("a")), 0400, "mode");
    CHECK_EQ(file_read(at("a"), &b), 0, "read");
    assert_string_equal(buf_str(&b), "second, longer");
    buf_release(&b);
    check_only("a ");
    CHECK_EQ(file_publish(at("no/such"), span_str("x"), 0600), -HL_ENOENT, "folder missing");
    CHECK_EQ(file_publish(at("empty"), SPAN_NONE, 0600), 0, "empty file");
    unlink(at("empty"));
    unlink(at("a"));
}

static void create_never_replaces(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    CHECK_EQ(file_create(at("c"), span_str("one"), 0400), 0, "new");
    CHECK_EQ(file_create(at("c"), span_str("two"), 0400), -HL_EEXIST, "there already");
    CHECK_EQ(file_read(at("c"), &b), 0, "read");
    assert_string_equal(buf_str(&b), "one");
    check_only("c ");
    CHECK_EQ(file_keep(at("c"), span_str("one"), 0400), 0, "the same stands there");
    CHECK_EQ(file_keep(at("c"), span_str("two"), 0400), -HL_EFORK, "others stand there");
    CHECK_EQ(file_keep(at("c"), span_str("ones"), 0400), -HL_EFORK, "fewer stand there");
    CHECK_EQ(file_keep(at("c"), span_str("on"), 0400), -HL_EFORK, "more stand there");
    CHECK_EQ(file_keep(at("c"), SPAN_NONE, 0400), -HL_EFORK, "some stand there");
    assert_int_equal(symlink("nowhere", at("dangling")), 0);
    CHECK_EQ(file_create(at("dangling"), span_str("x"), 0400), -HL_EEXIST, "a dangling link");
    CHECK_EQ(access(at("nowhere"), F_OK), -1, "not written through");
    buf_release(&b);
    unlink(at("dangling"));
    unlink(at("c"));
}

static void read_limits(void **state)
{
    static const struct {
        const char *name;
        size_t size, max;
        int want;
    } rows[] = {
        { "empty", 0, 0, 0 },
        { "one byte into none", 1, 0, -HL_ETOOBIG },
        { "just fits", 100000, 100000, 0 },
        { "one over", 100001, 100000, -HL_ETOOBIG },
        { "exactly one step", 65536, 65536, 0 },
        { "one over a step", 65537, 65536, -HL_ETOOBIG },
    };
    static uint8_t bytes[100001];

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 31);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf b;

        buf_init(&b, rows[i].max);
        CHECK_EQ(file_publish(at("r"), SPAN(bytes, rows[i].size), 0600), 0, rows[i].name);
        CHECK_EQ(file_read(at("r"), &b), rows[i].want, rows[i].name);
        if (rows[i].want == 0) {
            CHECK_EQ(b.n, rows[i].size, rows[i].name);
            CHECK_BYTES(b.p, bytes, b.n, rows[i].name);
        }
        buf_release(&b);
    }
    unlink(at("r"));
}

static void read_only_regular_files(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    CHECK_EQ(file_publish(at("real"), span_str("x"), 0600), 0, "real");
    assert_int_equal(symlink("real", at("link")), 0);
    assert_int_equal(mkfifo(at("fifo"), 0600), 0);
    CHECK_EQ(file_read(at("link"), &b), -HL_ESYS, "symbolic link");
    CHECK_EQ(errno, ELOOP, "errno kept");
    CHECK_EQ(file_read(at("fifo"), &b), -HL_ESYS, "fifo, without waiting");
    CHECK_EQ(file_read(dir, &b), -HL_ESYS, "folder");
    CHECK_EQ(errno, EISDIR, "errno kept");
    CHECK_EQ(b.n, 0, "nothing read");
    CHECK_EQ(file_read("/dev/zero", &b), -HL_ESYS, "device");
    /* publishing over a link replaces the link, not what it points to */
    CHECK_EQ(file_publish(at("link"), span_str("new"), 0600), 0, "over a link");
    CHECK_EQ(file_read(at("real"), &b), 0, "target untouched");
    assert_string_equal(buf_str(&b), "x");
    buf_release(&b);
    unlink(at("link"));
    unlink(at("fifo"));
    unlink(at("real"));
}

static void private_rows(void **state)
{
    static const struct {
        unsigned mode;
        int want;
    } rows[] = { { 0400, 0 },         { 0600, 0 },         { 0640, -HL_EMODE }, { 0604, -HL_EMODE },
                 { 0420, -HL_EMODE }, { 0402, -HL_EMODE }, { 0777, -HL_EMODE } };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char row[16];
        int fd;

        snprintf(row, sizeof(row), "%o", rows[i].mode);
        CHECK_EQ(file_publish(at("p"), span_str("x"), rows[i].mode), 0, row);
        fd = open(at("p"), O_RDONLY);
        assert_true(fd >= 0);
        CHECK_EQ(file_check_private(fd), rows[i].want, row);
        close(fd);
    }
    if (geteuid() == 0) { /* only root can give a file away */
        int fd;

        CHECK_EQ(file_publish(at("p"), span_str("x"), 0600), 0, "foreign");
        assert_int_equal(chown(at("p"), 12345, (gid_t)-1), 0);
        fd = open(at("p"), O_RDONLY);
        CHECK_EQ(file_check_private(fd), -HL_EMODE, "another owner");
        close(fd);
    }
    CHECK_EQ(file_check_private(-1), -HL_ESYS, "no descriptor");
    unlink(at("p"));
}

static void mkdir_rows(void **state)
{
    struct stat st;

    (void)state;
    CHECK_EQ(file_mkdir(at("m/n/o"), 0700), 0, "with parents");
    assert_int_equal(stat(at("m/n/o"), &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    CHECK_EQ(mode_of(at("m/n")), 0700, "mode");
    CHECK_EQ(file_mkdir(at("m/n/o"), 0700), 0, "again");
    CHECK_EQ(file_mkdir(at("m//n/o/"), 0700), 0, "slashes");
    CHECK_EQ(file_publish(at("m/f"), span_str("x"), 0600), 0, "a file");
    CHECK_EQ(file_mkdir(at("m/f"), 0700), -HL_EEXIST, "a file in its place");
    CHECK_EQ(file_mkdir(at("m/f/g"), 0700), -HL_EEXIST, "a file on the way");
    CHECK_EQ(file_mkdir("", 0700), -HL_ENOENT, "empty");
    unlink(at("m/f"));
    rmdir(at("m/n/o"));
    rmdir(at("m/n"));
    rmdir(at("m"));
}

static void lock_holds(void **state)
{
    int a, b;

    (void)state;
    CHECK_EQ(file_lock(at("l"), &a), 0, "first");
    CHECK_EQ(mode_of(at("l")), 0600, "mode");
    CHECK_EQ(file_lock(at("l"), &b), -HL_EBUSY, "second");
    CHECK_EQ(b, -1, "no descriptor");
    close(a);
    CHECK_EQ(file_lock(at("l"), &b), 0, "after release");
    close(b);
    assert_int_equal(symlink("l", at("ll")), 0);
    CHECK_EQ(file_lock(at("ll"), &b), -HL_ESYS, "through a link");
    unlink(at("ll"));
    unlink(at("l"));
}

static int stop_at_b(void *arg, const char *path)
{
    names(arg, path);
    return strstr(path, "b.x") ? -HL_EFORMAT : 0;
}

static void each_in_order(void **state)
{
    static const char *const made[] = { "c.x", "a.x", "b.x", "B.x", "d.y", ".x" };
    struct buf b;

    (void)state;
    for (size_t i = 0; i < COUNT(made); i++)
        CHECK_EQ(file_publish(at(made[i]), SPAN_NONE, 0600), 0, made[i]);
    CHECK_EQ(file_mkdir(at("folder.x"), 0700), 0, "folder");
    assert_int_equal(symlink("a.x", at("link.x")), 0);
    buf_init(&b, 4096);
    CHECK_EQ(file_each(dir, ".x", names, &b), 0, "all");
    assert_string_equal(buf_str(&b), "B.x a.x b.x c.x ");
    buf_clear(&b);
    CHECK_EQ(file_each(dir, ".x", stop_at_b, &b), -HL_EFORMAT, "stops");
    assert_string_equal(buf_str(&b), "B.x a.x b.x ");
    buf_release(&b);
    CHECK_EQ(file_each(at("none"), ".x", names, &b), -HL_ENOENT, "no folder");
}

static void write_error_is_told(void **state)
{
    int fd = open("/dev/full", O_WRONLY);

    (void)state;
    assert_true(fd >= 0);
    CHECK_EQ(file_write_all(fd, "x", 1), -HL_ESYS, "full");
    CHECK_EQ(errno, ENOSPC, "errno kept");
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(publish_and_read), cmocka_unit_test(create_never_replaces),
        cmocka_unit_test(read_limits),      cmocka_unit_test(read_only_regular_files),
        cmocka_unit_test(private_rows),     cmocka_unit_test(mkdir_rows),
        cmocka_unit_test(lock_holds),       cmocka_unit_test(write_error_is_told),
        cmocka_unit_test(each_in_order),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
