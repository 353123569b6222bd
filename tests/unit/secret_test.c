#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "tests/check.h"

#include <sodium.h>

#include "common/clock.h"
#include "common/error.h"
#include "keys/secret_bytes.h"

static void test_bytes(void **state)
{
    static const size_t sizes[] = { 1, 31, 32, 33, 4096, 65536 };
    uint8_t mine[32], same[32] = { 0 };

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct secret *s = secret_new(sizes[i]), *r = secret_random(sizes[i]);

        CHECK_EQ(secret_size(s), sizes[i], "size");
        CHECK_EQ(sodium_is_zero(s->p, s->n), 1, "a new secret is zero");
        CHECK_EQ(sizes[i] < 31 || !sodium_is_zero(r->p, r->n), 1, "a random one is not");
        secret_free(s);
        secret_free(r);
    }
    memset(mine, 7, sizeof(mine));
    memset(same, 7, sizeof(same));
    struct secret *s = secret_take(mine, sizeof(mine)), *copy = secret_copy(s);

    CHECK_BYTES(s->p, same, 32, "taken");
    CHECK_BYTES(copy->p, same, 32, "copied");
    CHECK_EQ(sodium_is_zero(mine, sizeof(mine)), 1, "what was taken is wiped");
    assert_null(secret_copy(NULL));
    secret_free(s);
    secret_free(copy);
    secret_free(NULL);
}

enum touch { TOUCH_INSIDE, TOUCH_BEHIND, TOUCH_LOCKED, TOUCH_BUF_BEHIND };

static void touch(enum touch what)
{
    struct secret *s = secret_new(32);
    struct buf b;

    guarded_init(&b, 100);
    switch (what) {
    case TOUCH_INSIDE:
        ((volatile uint8_t *)s->p)[31] = 1;
        break;
    case TOUCH_BEHIND:
        ((volatile uint8_t *)s->p)[32] = 1;
        break;
    case TOUCH_LOCKED:
        secret_lock(s);
        ((volatile uint8_t *)s->p)[0] = 1;
        break;
    case TOUCH_BUF_BEHIND:
        ((volatile uint8_t *)b.p)[b.cap] = 1;
        break;
    }
}

static void test_guards(void **state)
{
    static const struct {
        const char *name;
        enum touch what;
        bool dies;
    } rows[] = {
        { "inside", TOUCH_INSIDE, false },
        { "one byte behind", TOUCH_BEHIND, true },
        { "locked", TOUCH_LOCKED, true },
        { "behind a guarded buffer", TOUCH_BUF_BEHIND, true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        pid_t child = fork();
        int status;

        if (child == 0) {
            signal(SIGSEGV, SIG_DFL);
            touch(rows[i].what);
            _exit(0);
        }
        waitpid(child, &status, 0);
        CHECK_EQ(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, rows[i].dies, rows[i].name);
    }
}

static void test_guarded_buf(void **state)
{
    struct buf b;
    const uint8_t *p;

    (void)state;
    CHECK_EQ(guarded_init(&b, 8), 0, "init");
    p = b.p;
    CHECK_EQ(buf_put(&b, "12345678", 8), 0, "all its room");
    CHECK_EQ(buf_put(&b, "9", 1), -HL_ETOOBIG, "one more");
    CHECK_EQ(b.p == p, 1, "never moves");
    guarded_release(&b);
    guarded_release(&b);
}

/* A descriptor from which @n bytes of @fill and then @tail can be read. */
static int source(size_t n, const char *tail)
{
    int fd[2];

    assert_int_equal(pipe(fd), 0);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(write(fd[1], "x", 1), 1);
    assert_int_equal(write(fd[1], tail, strlen(tail)), (ssize_t)strlen(tail));
    close(fd[1]);
    return fd[0];
}

static void test_prompt_fd(void **state)
{
    static const struct {
        const char *name;
        size_t fill;
        const char *tail;
        int want;
        size_t n;
    } rows[] = {
        { "one line", 8, "\n", 0, 8 },
        { "no line feed", 8, "", 0, 8 },
        { "more behind it", 8, "\nsecond\n", 0, 8 },
        { "longest", 1024, "\n", 0, 1024 },
        { "too long", 1025, "\n", -HL_EPASS, 0 },
        { "empty line", 0, "\n", -HL_EPASS, 0 },
        { "nothing", 0, "", -HL_EPASS, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int fd = source(rows[i].fill, rows[i].tail);
        struct secret *s = (struct secret *)(uintptr_t)1;

        CHECK_EQ(secret_prompt("never shown", fd, &s), rows[i].want, rows[i].name);
        CHECK_EQ(s ? secret_size(s) : 0, rows[i].n, rows[i].name);
        secret_free(s);
        close(fd);
    }
}

static void test_prompt_next_line(void **state)
{
    int fd = source(0, "one\nsecond\n");
    struct secret *a, *b;

    (void)state;
    CHECK_EQ(secret_prompt("", fd, &a), 0, "first");
    CHECK_EQ(secret_prompt_new("", fd, &b), 0, "second; a descriptor is asked once");
    CHECK_BYTES(a->p, "one", 3, "first");
    CHECK_EQ(span_eq_str(secret_span(b), "second"), 1, "second");
    secret_free(a);
    secret_free(b);
    close(fd);
}

/* In the child, on its own terminal: 0 when the answer is "sesame". */
static int answer(bool twice)
{
    struct secret *s;
    struct termios t;
    int rc = twice ? secret_prompt_new("pass: ", -1, &s) : secret_prompt("pass: ", -1, &s);

    if (tcgetattr(0, &t) || !(t.c_lflag & ECHO))
        return 90; /* the terminal stays silent for ever */
    if (rc)
        return -rc;
    return span_eq_str(secret_span(s), "sesame") ? 0 : 91;
}

/* All that the terminal shows until @want has been shown @times times, or the child is gone. */
static void read_until(int pty, char *seen, size_t max, const char *want, int times)
{
    size_t n = strlen(seen);

    for (;;) {
        int found = 0;
        ssize_t k;

        for (const char *p = seen; (p = strstr(p, want)); p += strlen(want))
            found++;
        if (found >= times || n + 1 >= max)
            return;
        k = read(pty, seen + n, max - n - 1);
        if (k <= 0)
            return;
        n += (size_t)k;
        seen[n] = 0;
    }
}

static void test_prompt_terminal(void **state)
{
    static const struct {
        const char *name, *first, *second;
        bool twice;
        int want; /* exit status; 128 + signal */
    } rows[] = {
        { "right", "sesame\n", NULL, false, 0 },
        { "other", "open\n", NULL, false, 91 },
        { "empty", "\n", NULL, false, HL_EPASS },
        { "the same twice", "sesame\n", "sesame\n", true, 0 },
        { "a slip", "sesame\n", "sesamw\n", true, HL_EPASS },
        { "a prefix", "sesame\n", "sesam\n", true, HL_EPASS },
        { "interrupted", "ses\x03", NULL, false, 128 + SIGINT },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char seen[512] = "";
        int pty, status;
        pid_t child = forkpty(&pty, NULL, NULL, NULL);

        if (child == 0)
            _exit(answer(rows[i].twice));
        read_until(pty, seen, sizeof(seen), "pass: ", 1);
        assert_true(write(pty, rows[i].first, strlen(rows[i].first)) > 0);
        if (rows[i].second) {
            read_until(pty, seen, sizeof(seen), "once more: ", 1);
            assert_true(write(pty, rows[i].second, strlen(rows[i].second)) > 0);
        }
        read_until(pty, seen, sizeof(seen), "never there", 1);
        waitpid(child, &status, 0);
        CHECK_EQ(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status), rows[i].want,
                 rows[i].name);
        CHECK_EQ(strstr(seen, "ses") != NULL || strstr(seen, "open") != NULL, 0, rows[i].name);
        close(pty);
    }
}

/* A signal ends the prompt and the terminal echoes again. */
static void test_prompt_restores(void **state)
{
    char seen[512] = "";
    struct termios t;
    int pty, tty, status;
    pid_t child = forkpty(&pty, NULL, NULL, NULL);

    (void)state;
    if (child == 0)
        _exit(answer(false));
    tty = open(ptsname(pty), O_RDWR | O_NOCTTY);
    read_until(pty, seen, sizeof(seen), "pass: ", 1);
    tcgetattr(tty, &t);
    CHECK_EQ(t.c_lflag & ECHO, 0, "silent while it asks");
    kill(child, SIGHUP);
    waitpid(child, &status, 0);
    CHECK_EQ(WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP, 1, "the signal has its effect");
    tcgetattr(tty, &t);
    CHECK_EQ((t.c_lflag & ECHO) != 0, 1, "echoes again");
    close(tty);
    close(pty);
}

static void test_no_terminal(void **state)
{
    pid_t child = fork();
    int status;

    (void)state;
    if (child == 0) {
        struct secret *s;

        setsid();
        _exit(-secret_prompt("", -1, &s));
    }
    waitpid(child, &status, 0);
    CHECK_EQ(WEXITSTATUS(status), HL_EPASS, "no terminal");
}

static void test_send(void **state)
{
    static const size_t sizes[] = { 1, 32, 1024 };
    int fd[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct secret *s = secret_random(sizes[i]), *got;

        CHECK_EQ(secret_send(fd[0], s), 0, "send");
        CHECK_EQ(secret_receive(fd[1], &got), 0, "receive");
        CHECK_EQ(span_eq(secret_span(s), secret_span(got)), 1, "the same");
        secret_free(s);
        secret_free(got);
    }
    struct secret *big = secret_random(1025);

    CHECK_EQ(secret_send(fd[0], big), -HL_ETOOBIG, "too big");
    secret_free(big);
    close(fd[0]);
    close(fd[1]);
}

static void test_receive_hostile(void **state)
{
    static const struct {
        const char *name;
        uint8_t bytes[16];
        size_t n;
        bool close;
        int want;
    } rows[] = {
        { "length 0", { 0, 0, 0, 0 }, 4, true, -HL_EFORMAT },
        { "length 1,025", { 0, 0, 4, 1 }, 4, true, -HL_EFORMAT },
        { "length 2^32 - 1", { 255, 255, 255, 255 }, 4, true, -HL_EFORMAT },
        { "closed at once", { 0 }, 0, true, -HL_EPASS },
        { "closed in the length", { 0, 0 }, 2, true, -HL_EPASS },
        { "closed in the bytes", { 0, 0, 0, 9, 1 }, 5, true, -HL_EPASS },
        { "stays silent", { 0, 0, 0, 9, 1 }, 5, false, -HL_EPASS },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t began = clock_mono_ms();
        struct secret *s = (struct secret *)(uintptr_t)1;
        int fd[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
        assert_int_equal(write(fd[0], rows[i].bytes, rows[i].n), (ssize_t)rows[i].n);
        if (rows[i].close)
            close(fd[0]);
        CHECK_EQ(secret_receive(fd[1], &s), rows[i].want, rows[i].name);
        CHECK_EQ(s == NULL, 1, rows[i].name);
        CHECK_EQ(clock_mono_ms() - began < 4000, 1, rows[i].name);
        if (!rows[i].close)
            close(fd[0]);
        close(fd[1]);
    }
}

static void test_only_local_streams(void **state)
{
    struct secret *s = secret_random(8), *got;
    int fd[2];

    (void)state;
    assert_int_equal(pipe(fd), 0);
    CHECK_EQ(secret_send(fd[1], s), -HL_ESYS, "a pipe");
    close(fd[0]);
    close(fd[1]);
    fd[0] = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(secret_send(fd[0], s), -HL_ESYS, "a network socket");
    close(fd[0]);
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, fd), 0);
    CHECK_EQ(secret_receive(fd[0], &got), -HL_ESYS, "datagrams");
    close(fd[0]);
    close(fd[1]);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    close(fd[1]);
    CHECK_EQ(secret_send(fd[0], s) != 0, 1, "nobody there, and no SIGPIPE");
    close(fd[0]);
    secret_free(s);
}

static void test_init(void **state)
{
    struct rlimit core;

    (void)state;
    CHECK_EQ(keys_init(), 0, "again");
    assert_int_equal(getrlimit(RLIMIT_CORE, &core), 0);
    CHECK_EQ(core.rlim_cur + core.rlim_max, 0, "no core dumps");
#ifndef HL_SAN
    CHECK_EQ(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0, "not dumpable");
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_guards),
        cmocka_unit_test(test_guarded_buf),
        cmocka_unit_test(test_prompt_fd),
        cmocka_unit_test(test_prompt_next_line),
        cmocka_unit_test(test_prompt_terminal),
        cmocka_unit_test(test_prompt_restores),
        cmocka_unit_test(test_no_terminal),
        cmocka_unit_test(test_send),
        cmocka_unit_test(test_receive_hostile),
        cmocka_unit_test(test_only_local_streams),
        cmocka_unit_test(test_init),
    };

    if (keys_init())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
