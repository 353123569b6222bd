#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "server/sandbox.h"
#include "tests/check.h"

#ifndef HL_SAN /* the sanitizers do not live in a sandbox: sandbox_enter() leaves it out for them  \
                */

static char open_dir[64], closed_dir[64];

/* What a child tries after sandbox_enter(): 0, or the errno of what was refused. */
static int try_open(const char *dir, int flags)
{
    char path[96];
    int fd;

    snprintf(path, sizeof(path), "%s/file", dir);
    fd = open(path, flags, 0600);
    return fd < 0 ? errno : 0;
}

static int open_inside(void)
{
    return try_open(open_dir, O_RDWR);
}
static int create_inside(void)
{
    char path[96];

    snprintf(path, sizeof(path), "%s/new", open_dir);
    return creat(path, 0600) < 0 ? errno : unlink(path) != 0 ? errno : 0;
}
static int open_outside(void)
{
    return try_open(closed_dir, O_RDONLY);
}
static int create_outside(void)
{
    return try_open(closed_dir, O_RDWR | O_CREAT);
}
static int list_root(void)
{
    return open("/", O_RDONLY | O_DIRECTORY) < 0 ? errno : 0;
}
static int open_passwd(void)
{
    return open("/etc/passwd", O_RDONLY) < 0 ? errno : 0;
}
static int inet_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) < 0 ? errno : 0;
}
static int unix_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM, 0) < 0 ? errno : 0;
}
static int connect_out(void)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "/nowhere" };

    return connect(0, (struct sockaddr *)&a, sizeof(a)) != 0 ? errno : 0;
}
static int signal_parent(void)
{
    return kill(getppid(), 0) != 0 ? errno : 0;
}
static int signal_thread(void)
{
    return syscall(SYS_tgkill, getppid(), getppid(), 0) != 0 ? errno : 0;
}
static int limit_parent(void)
{
    struct rlimit r;

    return prlimit(getppid(), RLIMIT_NOFILE, NULL, &r) != 0 ? errno : 0;
}
static int limit_itself(void)
{
    struct rlimit r;

    return getrlimit(RLIMIT_NOFILE, &r) != 0 || setrlimit(RLIMIT_NOFILE, &r) != 0 ? errno : 0;
}
static int abort_itself(void)
{
    abort();
}
static int x32_call(void)
{
    return syscall(0x40000000 | SYS_getpid) < 0 ? errno : 0;
}
static int run_shell(void)
{
    execl("/bin/sh", "sh", "-c", "exit 0", NULL);
    return errno;
}
static int trace_parent(void)
{
    return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) != 0 ? errno : 0;
}
static int set_clock(void)
{
    struct timespec t = { .tv_sec = 1 };

    return clock_settime(CLOCK_REALTIME, &t) != 0 ? errno : 0;
}
static int change_root(void)
{
    return chroot("/") != 0 ? errno : 0;
}
static int read_proc(void)
{
    FILE *f = fopen("/proc/self/status", "r");

    return f ? 0 : errno;
}
static int ordinary_life(void)
{
    void *p = malloc(1 << 20);
    int fd[2];

    if (!p || pipe(fd) != 0 || write(fd[1], "x", 1) != 1 || read(fd[0], p, 1) != 1)
        return errno ? errno : EIO;
    free(p);
    return 0;
}

#define KILLED 1000 /* by the filter */

/* The exit status of a child in @role's sandbox that does @act, or KILLED. */
static int in_sandbox(enum sandbox_role role, int (*act)(void))
{
    const char *dir[] = { open_dir };
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        if (sandbox_enter(role, dir, role == SANDBOX_FRONT ? 0 : 1) != 0)
            _exit(255);
        _exit(act());
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid, "wait");
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
        return KILLED;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void roles_and_calls(void **state)
{
    static const struct {
        const char *name;
        int (*act)(void);
        int front, other; /* what comes of it */
    } rows[] = {
        { "ordinary life", ordinary_life, 0, 0 },
        { "a file of its folder", open_inside, EACCES, 0 },
        { "a new file in its folder", create_inside, EACCES, 0 },
        { "a file elsewhere", open_outside, EACCES, EACCES },
        { "a new file elsewhere", create_outside, EACCES, EACCES },
        { "the root folder", list_root, EACCES, EACCES },
        { "/etc/passwd", open_passwd, EACCES, EACCES },
        { "/proc/self/status", read_proc, EACCES, EACCES },
        { "an internet socket", inet_socket, 0, EPERM },
        { "a local socket", unix_socket, 0, EPERM },
        { "connecting", connect_out, EPERM, EPERM },
        { "a signal to another process", signal_parent, EPERM, EPERM },
        { "a signal to a thread of another", signal_thread, EPERM, EPERM },
        { "a limit of another process", limit_parent, EPERM, EPERM },
        { "its own limits", limit_itself, 0, 0 },
        { "its own end", abort_itself, -SIGABRT, -SIGABRT },
        { "another program", run_shell, KILLED, KILLED },
        { "a call by its x32 number", x32_call, KILLED, KILLED },
        { "tracing", trace_parent, KILLED, KILLED },
        { "the system's clock", set_clock, KILLED, KILLED },
        { "another root", change_root, KILLED, KILLED },
    };
    static const enum sandbox_role others[] = { SANDBOX_CORE, SANDBOX_SIGNER, SANDBOX_PUBLISHER };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_EQ(in_sandbox(SANDBOX_FRONT, rows[i].act), rows[i].front, rows[i].name);
        for (size_t k = 0; k < COUNT(others); k++)
            CHECK_EQ(in_sandbox(others[k], rows[i].act), rows[i].other, rows[i].name);
    }
}

static int make_dir(char dir[static 64])
{
    char path[96];
    int fd;

    snprintf(dir, 64, "/tmp/hotline-test-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/file", dir);
    fd = creat(path, 0600);
    return fd < 0 ? -1 : close(fd);
}

static int setup(void **state)
{
    (void)state;
    return make_dir(open_dir) || make_dir(closed_dir);
}

static int teardown(void **state)
{
    const char *const dir[] = { open_dir, closed_dir };
    char path[96];

    (void)state;
    for (size_t i = 0; i < COUNT(dir); i++) {
        snprintf(path, sizeof(path), "%s/file", dir[i]);
        unlink(path);
        rmdir(dir[i]);
    }
    return 0;
}

#else

static void roles_and_calls(void **state)
{
    (void)state;
    CHECK_EQ(sandbox_enter(SANDBOX_FRONT, NULL, 0), 0, "left out under sanitizers");
}

static int setup(void **state)
{
    (void)state;
    return 0;
}
#define teardown setup

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(roles_and_calls, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
