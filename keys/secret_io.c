/* How a secret comes in and goes over to another
 * process of ours: prompt, descriptor, local socket. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <sodium.h>

#include "common/clock.h"
#include "common/error.h"
#include "common/file.h"
#include "keys/secret_bytes.h"

#define LINE_MAX_BYTES 1024
#define PASS_MS 2000

/*
 * One line, byte by byte, so that the next reader of @fd finds the next line.  When @stop becomes
 * readable (a signal waits) the line is given up.
 */
static int read_line(int fd, int stop, struct secret *line, size_t *n)
{
    for (*n = 0;;) {
        struct pollfd wait[] = { { fd, POLLIN, 0 }, { stop, POLLIN, 0 } };
        uint8_t c;
        ssize_t got;

        if (poll(wait, 2, -1) < 0 && errno != EINTR)
            return -HL_ESYS;
        if (wait[1].revents)
            return -HL_EPASS;
        if (!wait[0].revents)
            continue;
        got = read(fd, &c, 1);
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got < 0)
            return -HL_ESYS;
        if (got == 0 || c == '\n')
            return *n ? 0 : -HL_EPASS;
        if (*n == line->n)
            return -HL_EPASS;
        line->p[(*n)++] = c;
        sodium_memzero(&c, 1);
    }
}

/* The line in memory of its own size. */
static int read_secret(int fd, int stop, struct secret **out)
{
    struct secret *line = secret_new(LINE_MAX_BYTES);
    size_t n;
    int rc = line ? read_line(fd, stop, line, &n) : -HL_ENOMEM;

    if (!rc) {
        *out = secret_take(line->p, n);
        rc = *out ? 0 : -HL_ENOMEM;
    }
    secret_free(line);
    return rc;
}

/* What the keyboard or a colleague may send: it ends the prompt, then has its usual effect. */
static void prompt_signals(sigset_t *set)
{
    static const int list[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP, SIGALRM };

    sigemptyset(set);
    for (size_t i = 0; i < COUNT(list); i++)
        sigaddset(set, list[i]);
}

static int ask(int tty, int stop, const char *prompt, struct secret **out)
{
    int rc = file_write_all(tty, prompt, strlen(prompt));

    if (!rc)
        rc = read_secret(tty, stop, out);
    file_write_all(tty, "\n", 1);
    return rc;
}

/* Ask @times times; all answers must be the same. */
static int ask_quietly(int tty, int stop, const char *prompt, int times, struct secret **out)
{
    struct termios was, quiet;
    struct secret *again = NULL;
    int rc;

    if (tcgetattr(tty, &was))
        return -HL_EPASS;
    quiet = was;
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
    if (tcsetattr(tty, TCSAFLUSH, &quiet))
        return -HL_EPASS;
    rc = ask(tty, stop, prompt, out);
    if (!rc && times > 1)
        rc = ask(tty, stop, "once more: ", &again);
    if (again && (again->n != (*out)->n || sodium_memcmp(again->p, (*out)->p, again->n)))
        rc = -HL_EPASS;
    tcsetattr(tty, TCSAFLUSH, &was); /* also drops what was typed too much */
    secret_free(again);
    return rc;
}

static int prompt_tty(const char *prompt, int times, struct secret **out)
{
    int tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC), stop = -1;
    sigset_t caught, before;
    int rc = -HL_EPASS;

    if (tty < 0)
        return -HL_EPASS;
    prompt_signals(&caught);
    if (sigprocmask(SIG_BLOCK, &caught, &before)) {
        close(tty);
        return -HL_ESYS;
    }
    stop = signalfd(-1, &caught, SFD_CLOEXEC);
    if (stop >= 0)
        rc = ask_quietly(tty, stop, prompt, times, out);
    if (stop >= 0)
        close(stop);
    close(tty);
    sigprocmask(SIG_SETMASK, &before, NULL); /* the signal that waited comes now */
    return rc;
}

static int prompt_any(const char *prompt, int fd, int times, struct secret **out)
{
    int rc;

    *out = NULL;
    rc = fd >= 0 ? read_secret(fd, -1, out) : prompt_tty(prompt, times, out);
    if (rc) {
        secret_free(*out);
        *out = NULL;
    }
    return rc;
}

int secret_prompt(const char *prompt, int fd, struct secret **out)
{
    return prompt_any(prompt, fd, 1, out);
}

int secret_prompt_new(const char *prompt, int fd, struct secret **out)
{
    return prompt_any(prompt, fd, 2, out);
}

/* Only between processes of this machine: the bytes are not sealed on the way. */
static int check_local(int fd)
{
    struct sockaddr_storage name = { 0 };
    socklen_t n = sizeof(name), tn = sizeof(int);
    int type = 0;

    if (getsockname(fd, (struct sockaddr *)&name, &n) ||
        getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &tn))
        return -HL_ESYS;
    return name.ss_family == AF_UNIX && type == SOCK_STREAM ? 0 : -HL_ESYS;
}

/* All of @n bytes before @until, in either direction. */
static int move(int fd, uint8_t *p, size_t n, short event, uint64_t until)
{
    while (n) {
        uint64_t now = clock_mono_ms();
        struct pollfd wait = { fd, event, 0 };
        ssize_t k;

        if (now >= until)
            return -HL_EPASS;
        if (poll(&wait, 1, (int)(until - now)) <= 0)
            continue;
        k = event == POLLIN ? recv(fd, p, n, MSG_DONTWAIT)
                            : send(fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (k == 0)
            return -HL_EPASS;
        if (k < 0 && errno != EINTR && errno != EAGAIN)
            return -HL_ESYS;
        if (k > 0)
            p += k, n -= (size_t)k;
    }
    return 0;
}

int secret_send(int fd, const struct secret *s)
{
    uint64_t until = clock_mono_ms() + PASS_MS;
    uint8_t len[4];
    int rc = check_local(fd);

    if (!rc && s->n > LINE_MAX_BYTES)
        rc = -HL_ETOOBIG;
    put_u32(len, (uint32_t)s->n);
    if (!rc)
        rc = move(fd, len, sizeof(len), POLLOUT, until);
    return rc ? rc : move(fd, s->p, s->n, POLLOUT, until);
}

int secret_receive(int fd, struct secret **out)
{
    uint64_t until = clock_mono_ms() + PASS_MS;
    struct secret *s = NULL;
    uint8_t len[4];
    int rc = check_local(fd);

    *out = NULL;
    if (!rc)
        rc = move(fd, len, sizeof(len), POLLIN, until);
    if (rc)
        return rc;
    if (get_u32(len) < 1 || get_u32(len) > LINE_MAX_BYTES)
        return -HL_EFORMAT;
    s = secret_new(get_u32(len));
    if (!s)
        return -HL_ENOMEM;
    rc = move(fd, s->p, s->n, POLLIN, until);
    if (rc) {
        secret_free(s);
        return rc;
    }
    secret_lock(s);
    *out = s;
    return 0;
}
