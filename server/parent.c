#include "server/parent.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/error.h"
#include "common/file.h"
#include "server/control.h"
#include "server/ipc.h"
#include "server/notify.h"

enum role { ROLE_CORE, ROLE_FRONT, ROLE_SIGNER, ROLE_PUBLISHER, ROLES };
static const char *const role_name[ROLES] = { "core", "front", "signer", "publisher" };

#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 5000
#define BACKOFF_CALM_MS 10000 /* who lived that long starts again at once */
#define STOP_MS 10000
#define LAST_WORD_MS 500 /* for the core to end by itself, with its own status */
#define WATCHDOG_MS 5000
#define ROUND_MS 200 /* how late a deadline of the above may be met */

struct child {
    pid_t pid; /* 0: not running */
    uint64_t started_ms, due_ms, backoff_ms;
};

struct parent {
    const struct config *conf;
    const char *conf_path;
    struct child child[ROLES];
    struct ipc core;
    struct control *control;
    int signal_fd;
    bool ready, ever_ready, stopping, down; /* down: everything is to start anew */
    uint64_t down_ms, stop_ms, beat_ms;
    int status;
};

static void go_down(struct parent *p)
{
    if (!p->down)
        p->down_ms = clock_mono_ms();
    p->down = true;
}

/* ---- starting ---- */

static int become_user(const char *user)
{
    struct passwd *pw;

    if (!user || geteuid() != 0)
        return 0;
    pw = getpwnam(user);
    if (!pw || initgroups(user, pw->pw_gid) != 0 || setgid(pw->pw_gid) != 0 ||
        setuid(pw->pw_uid) != 0)
        return -HL_ESYS;
    return 0;
}

/* In the child: its descriptors at 3.., nothing else inherited, this program again. */
static _Noreturn void child_exec(const struct parent *p, enum role role, const int *fd, size_t n)
{
    char name[16], *argv[] = { name, NULL, NULL, NULL, NULL, NULL };
    char conf[CONFIG_PATH_MAX], option_c[] = "-c", option_role[] = "--role", value[16];
    sigset_t none;
    int keep[4];

    for (size_t i = 0; i < n; i++)
        keep[i] = fcntl(fd[i], F_DUPFD, 20); /* out of the way of their final places */
    for (size_t i = 0; i < n; i++)
        dup2(keep[i], FD_CORE + (int)i);
    close_range((unsigned)(FD_CORE + n), ~0u, 0);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() == 1 || become_user(p->conf->user) != 0)
        _exit(1);
    snprintf(name, sizeof(name), "hotlined");
    snprintf(conf, sizeof(conf), "%s", p->conf_path);
    snprintf(value, sizeof(value), "%s", role_name[role]);
    argv[1] = option_c;
    argv[2] = conf;
    argv[3] = option_role;
    argv[4] = value;
    execv("/proc/self/exe", argv);
    _exit(1);
}

static int child_start(struct parent *p, enum role role, const int *fd, size_t n)
{
    struct child *c = &p->child[role];
    pid_t pid = fork();

    if (pid < 0)
        return -HL_ESYS;
    if (pid == 0)
        child_exec(p, role, fd, n);
    c->pid = pid;
    c->started_ms = clock_mono_ms();
    return 0;
}

static int pair(int fd[2])
{
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == 0 ? 0 : -HL_ESYS;
}

static void close_pair(int fd[2])
{
    for (int i = 0; i < 2; i++)
        if (fd[i] >= 0)
            close(fd[i]);
}

/* Everybody, with a socketpair from each to the core. */
static int start_all(struct parent *p)
{
    int to[ROLES][2], core[ROLES], rc = 0;

    memset(to, -1, sizeof(to));
    for (int i = 0; i < ROLES && !rc; i++)
        rc = pair(to[i]); /* [ROLE_CORE]: ours */
    for (int i = 0; i < ROLES; i++)
        core[i] = to[i][1];
    if (!rc)
        rc = child_start(p, ROLE_CORE, core, ROLES);
    for (int i = ROLE_FRONT; i < ROLES && !rc; i++)
        rc = child_start(p, (enum role)i, &to[i][0], 1);
    if (!rc) {
        ipc_release(&p->core);
        ipc_init(&p->core, to[ROLE_CORE][0]);
        to[ROLE_CORE][0] = -1;
        p->down = p->ready = false;
    }
    for (int i = 0; i < ROLES; i++)
        close_pair(to[i]);
    return rc;
}

/* A new front or publisher, whose descriptor goes to the living core. */
static int start_one(struct parent *p, enum role role)
{
    int fd[2], rc = pair(fd);

    if (rc)
        return rc;
    rc = child_start(p, role, &fd[0], 1);
    if (!rc && ipc_send_fd(&p->core, role == ROLE_FRONT ? IPC_FRONT : IPC_PUBLISHER, fd[1]) != 0)
        go_down(p);
    close_pair(fd);
    return rc;
}

/* ---- ending ---- */

static bool any_child(const struct parent *p)
{
    for (int i = 0; i < ROLES; i++)
        if (p->child[i].pid)
            return true;
    return false;
}

static void end_children(struct parent *p, int signal)
{
    for (int i = 0; i < ROLES; i++)
        if (p->child[i].pid)
            kill(p->child[i].pid, signal);
}

static void child_ended(struct parent *p, enum role role, int status)
{
    struct child *c = &p->child[role];
    uint64_t now = clock_mono_ms();
    bool own = WIFEXITED(status) && WEXITSTATUS(status) != 0;

    c->pid = 0;
    if (now - c->started_ms > BACKOFF_CALM_MS)
        c->backoff_ms = 0;
    c->due_ms = now + c->backoff_ms;
    c->backoff_ms = c->backoff_ms ? 2 * c->backoff_ms : BACKOFF_MIN_MS;
    if (c->backoff_ms > BACKOFF_MAX_MS)
        c->backoff_ms = BACKOFF_MAX_MS;
    if (p->stopping) {
        if (role == ROLE_CORE) /* the others see its end, and have a second to end by themselves */
            p->stop_ms = now - STOP_MS + 1000;
        return;
    }
    fprintf(stderr, "<4>parent: %s ended (%s %d)\n", role_name[role],
            WIFSIGNALED(status) ? "signal" : "status",
            WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    if (own && !p->ever_ready && role != ROLE_PUBLISHER) { /* say so instead of trying for ever */
        p->status = WEXITSTATUS(status);
        p->stopping = true;
        p->stop_ms = now;
        ipc_put(&p->core, IPC_STOP, NULL, 0);
    }
    if (role == ROLE_CORE || role == ROLE_SIGNER)
        go_down(p);
}

static void reap(struct parent *p)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (int i = 0; i < ROLES; i++)
            if (p->child[i].pid == pid)
                child_ended(p, (enum role)i, status);
}

/* ---- events ---- */

static void on_signal(struct parent *p)
{
    struct signalfd_siginfo si;

    while (read(p->signal_fd, &si, sizeof(si)) == sizeof(si)) {
        if (si.ssi_signo == SIGHUP && !p->down) {
            notify("RELOADING=1");
            ipc_put(&p->core, IPC_RELOAD, NULL, 0);
            notify("READY=1");
        } else if (si.ssi_signo == SIGTERM || si.ssi_signo == SIGINT) {
            if (!p->stopping)
                ipc_put(&p->core, IPC_STOP, NULL, 0);
            notify("STOPPING=1");
            p->stopping = true;
            p->stop_ms = clock_mono_ms();
        }
    }
    reap(p);
}

static void on_core(struct parent *p)
{
    enum ipc_type type;
    struct span payload;
    int rc = ipc_read(&p->core);

    if (rc < 0) {
        go_down(p);
        ipc_release(&p->core);
        return;
    }
    while (ipc_next(&p->core, &type, &payload, &rc)) {
        if (type == IPC_READY) {
            p->ready = p->ever_ready = true;
            fprintf(stderr, "<6>hotlined: ready, %s on %s\n", p->conf->origin, p->conf->listen);
            notify("READY=1");
        } else if (type == IPC_STATUS && payload.n >= 4) {
            notify("WATCHDOG=1");
            control_answer(p->control, get_u32(payload.p), SPAN(payload.p + 4, payload.n - 4));
        }
    }
    if (rc)
        go_down(p);
}

static void ask_status(struct parent *p, uint32_t id)
{
    uint8_t be[4];
    struct span part = SPAN(be, sizeof(be));

    put_u32(be, id);
    if (!p->down)
        ipc_put(&p->core, IPC_STATUS, &part, 1);
    else
        control_answer(p->control, id, SPAN_NONE);
}

/* Who is missing, and due, starts. */
static int supervise(struct parent *p)
{
    uint64_t now = clock_mono_ms();
    int rc = 0;

    if (p->stopping || (p->down && any_child(p))) {
        bool late = p->stopping ? now - p->stop_ms > STOP_MS
                                : !p->child[ROLE_CORE].pid || now - p->down_ms > LAST_WORD_MS;

        if (late)
            end_children(p, SIGKILL);
        return 0;
    }
    if (p->down)
        return now >= p->child[ROLE_CORE].due_ms ? start_all(p) : 0;
    for (int i = ROLE_FRONT; i < ROLES && !rc; i++)
        if (i != ROLE_SIGNER && !p->child[i].pid && now >= p->child[i].due_ms)
            rc = start_one(p, (enum role)i);
    return rc;
}

static int parent_round(struct parent *p)
{
    struct pollfd fd[] = {
        { p->signal_fd, POLLIN, 0 },
        { p->core.fd, (short)(POLLIN | (ipc_waiting(&p->core) ? POLLOUT : 0)), 0 },
        { control_fd(p->control), POLLIN, 0 },
    };
    int rc;

    if (poll(fd, COUNT(fd), ROUND_MS) < 0 && errno != EINTR)
        return -HL_ESYS;
    on_signal(p);
    if (p->core.fd >= 0 && fd[1].revents)
        on_core(p);
    if (fd[2].revents)
        ask_status(p, control_accept(p->control));
    if (clock_mono_ms() - p->beat_ms > WATCHDOG_MS) {
        p->beat_ms = clock_mono_ms();
        ask_status(p, 0);
    }
    rc = supervise(p);
    if (p->core.fd >= 0 && ipc_flush(&p->core) < 0)
        go_down(p);
    return rc;
}

/* ---- the whole ---- */

static int parent_signals(struct parent *p)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGCHLD);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return -HL_ESYS;
    p->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return p->signal_fd < 0 ? -HL_ESYS : 0;
}

/* Who may write there could put back an old store, or a control socket of his own. */
static int parent_folder(const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return -HL_ENOENT;
    return st.st_mode & (S_IWGRP | S_IWOTH) ? -HL_EMODE : 0;
}

int parent_run(const struct config *conf, const char *conf_path)
{
    struct parent p = { .conf = conf, .conf_path = conf_path, .signal_fd = -1, .down = true };
    char path[CONFIG_PATH_MAX] = "";
    int rc, lock = -1;

    ipc_init(&p.core, -1);
    rc = parent_folder(conf->state);
    if (!rc)
        rc = config_state(conf, path, "hotlined.lock");
    if (!rc)
        rc = file_lock(path, &lock);
    if (!rc)
        rc = config_state(conf, path, "hotlined.sock");
    if (!rc)
        rc = control_open(path, &p.control);
    if (!rc)
        rc = parent_signals(&p);
    if (rc)
        fprintf(stderr, "<3>parent: %s: %s\n", *path ? path : conf->state, error_text(rc));
    while (!rc && !(p.stopping && !any_child(&p)))
        rc = parent_round(&p);
    end_children(&p, SIGKILL);
    while (any_child(&p) && waitpid(-1, NULL, 0) > 0)
        ;
    control_close(p.control);
    ipc_release(&p.core);
    if (p.signal_fd >= 0)
        close(p.signal_fd);
    if (lock >= 0)
        close(lock);
    return rc ? rc : p.status;
}

int parent_status(const struct config *conf)
{
    char path[CONFIG_PATH_MAX];
    int rc = config_state(conf, path, "hotlined.sock");

    return rc ? rc : control_ask(path, STDOUT_FILENO);
}
