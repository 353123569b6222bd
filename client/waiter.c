#include "client/waiter.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cbor.h"
#include "common/error.h"

#define REPLY_MAX (8u << 20)
#define REPLY_FLUSH (1u << 20)
#define FLUSH_MS 1000 /* how long the agent waits for a command that has much to read */

struct waiter {
    struct waiter *next;
    struct agent *agent;
    int fd;
    struct buf in, out, strings;
    struct verb_request request;
    struct verb *verb; /* running; NULL before and after */
    bool ended, gone;
};

int waiter_listen(const struct station *station, int *fd)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    char path[600];
    int rc = -HL_ESYS;

    station_path(station, path, "agent.sock");
    if (strlen(path) >= sizeof(addr.sun_path))
        return -HL_ETOOBIG;
    memcpy(addr.sun_path, path, strlen(path) + 1);
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*fd < 0)
        return -HL_ESYS;
    /* whoever holds desk.lock owns the socket: a leftover is of a process that ended */
    if ((unlink(path) != 0 && errno != ENOENT) || fchmod(*fd, 0600) != 0)
        goto out;
    if (bind(*fd, (struct sockaddr *)&addr, sizeof(addr)) != 0 || chmod(path, 0600) != 0 ||
        listen(*fd, WAITERS_MAX) != 0)
        goto out;
    rc = 0;
out:
    if (rc) {
        close(*fd);
        *fd = -1;
    }
    return rc;
}

static void waiter_free(struct agent *a, struct waiter *w)
{
    for (struct waiter **at = &a->waiters; *at; at = &(*at)->next)
        if (*at == w) {
            *at = w->next;
            break;
        }
    if (w->verb)
        verb_cancel(w->verb);
    secret_free(w->request.pass);
    buf_release(&w->in);
    buf_release(&w->out);
    buf_release(&w->strings);
    close(w->fd);
    free(w);
}

void waiter_accept(struct agent *a)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);
    struct waiter *w;
    size_t n = 0;
    int fd = accept4(a->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0)
        return;
    for (w = a->waiters; w; w = w->next)
        n++;
    if (n >= WAITERS_MAX || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0 ||
        peer.uid != geteuid()) {
        close(fd);
        return;
    }
    w = calloc(1, sizeof(*w));
    if (!w) {
        close(fd);
        return;
    }
    w->agent = a;
    w->fd = fd;
    buf_init(&w->in, VERB_REQUEST_MAX + 4);
    buf_init(&w->out, REPLY_MAX);
    buf_init(&w->strings, VERB_REQUEST_MAX);
    w->next = a->waiters;
    a->waiters = w;
}

struct waiter *waiter_next(struct agent *a, struct waiter *w)
{
    return w ? w->next : a->waiters;
}

int waiter_fd(const struct waiter *w)
{
    return w->fd;
}

short waiter_wants(const struct waiter *w)
{
    return (short)(POLLIN | (w->out.n ? POLLOUT : 0));
}

/* A long list: hand on what the other end takes now, so that only one that does not read fills the
 * buffer. */
static void waiter_flush(struct waiter *w)
{
    struct pollfd p = { .fd = w->fd, .events = POLLOUT };

    while (w->out.n > REPLY_FLUSH && poll(&p, 1, FLUSH_MS) == 1) {
        ssize_t n = send(w->fd, w->out.p, w->out.n, MSG_NOSIGNAL);

        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return;
        if (n > 0)
            buf_consume(&w->out, (size_t)n);
    }
}

static int waiter_row(void *arg, const struct pair *pair, size_t n)
{
    struct waiter *w = arg;
    size_t at = w->out.n;

    buf_put_u32(&w->out, 0);
    cbor_put_array(&w->out, 2);
    cbor_put_uint(&w->out, 1);
    cbor_put_array(&w->out, n);
    for (size_t i = 0; i < n; i++) {
        cbor_put_array(&w->out, 2);
        cbor_put_bytes(&w->out, span_str(pair[i].key));
        cbor_put_bytes(&w->out, pair[i].value);
    }
    if (w->out.bad) {
        w->gone = true; /* it does not read */
        return w->out.bad;
    }
    put_u32(w->out.p + at, (uint32_t)(w->out.n - at - 4));
    waiter_flush(w);
    return 0;
}

static void waiter_end(void *arg, int code, const char *sentence)
{
    struct waiter *w = arg;
    size_t at = w->out.n;

    w->verb = NULL;
    w->ended = true;
    buf_put_u32(&w->out, 0);
    cbor_put_array(&w->out, 3);
    cbor_put_uint(&w->out, 2);
    cbor_put_uint(&w->out, (uint64_t)(code < 0 ? -code : code));
    cbor_put_bytes(&w->out, span_str(sentence ? sentence : ""));
    if (!w->out.bad)
        put_u32(w->out.p + at, (uint32_t)(w->out.n - at - 4));
}

static void waiter_start(struct waiter *w)
{
    static const char pass_key[] = "pass";
    struct verb_sink sink = { w, waiter_row, waiter_end };
    size_t len = get_u32(w->in.p);
    struct verb *verb;
    int rc;

    rc = verb_request_decode(&w->request, SPAN(w->in.p + 4, len), &w->strings);
    if (!rc && verb_get(&w->request, pass_key).p)
        rc = secret_receive(w->fd, &w->request.pass);
    if (rc) {
        waiter_end(w, rc, error_text(rc));
        return;
    }
    verb = verb_start(w->agent, &w->request, &sink);
    if (!w->ended)
        w->verb = verb;
}

static bool waiter_read(struct waiter *w)
{
    size_t want = w->in.n < 4 ? 4 - w->in.n : get_u32(w->in.p) + 4u - w->in.n;
    uint8_t *at;
    ssize_t got;

    if (w->verb || w->ended) { /* nothing more is expected: the other end went away */
        uint8_t byte;

        got = read(w->fd, &byte, 1);
        return got < 0 && (errno == EAGAIN || errno == EINTR);
    }
    if (want > VERB_REQUEST_MAX)
        return false;
    at = buf_reserve(&w->in, want);
    if (!at)
        return false;
    got = read(w->fd, at, want);
    if (got <= 0)
        return got < 0 && (errno == EAGAIN || errno == EINTR);
    buf_commit(&w->in, (size_t)got);
    if (w->in.n >= 4 && get_u32(w->in.p) > VERB_REQUEST_MAX)
        return false;
    if (w->in.n >= 4 && w->in.n == get_u32(w->in.p) + 4u)
        waiter_start(w);
    return true;
}

static bool waiter_write(struct waiter *w)
{
    ssize_t n = w->out.n ? send(w->fd, w->out.p, w->out.n, MSG_NOSIGNAL) : 0;

    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    buf_consume(&w->out, (size_t)n);
    return !w->ended || w->out.n;
}

void waiter_ready(struct agent *a, struct waiter *w, short revents)
{
    bool keep = !w->gone;

    if (keep && (revents & (POLLIN | POLLHUP | POLLERR)))
        keep = waiter_read(w) && !w->gone;
    if (keep && w->out.n)
        keep = waiter_write(w);
    if (!keep)
        waiter_free(a, w);
}

void waiter_release_all(struct agent *a)
{
    while (a->waiters)
        waiter_free(a, a->waiters);
}
