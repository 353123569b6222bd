#include "client/agent.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "client/duty.h"
#include "client/sync.h"
#include "client/upkeep.h"
#include "client/waiter.h"
#include "common/clock.h"
#include "common/error.h"
#include "common/file.h"

#define POLL_MAX (2 * STATION_HOSTS + 1 + WAITERS_MAX)
#define FRAMES_A_STEP 256 /* of one link, so that no host starves the others */
#define READY_MS 3000
#define SETTLE_MS 3000
#define BUSY_MS 5000 /* how long a command waits for another that holds the desk */

int agent_open(struct agent **out, struct station *station, struct buf *why)
{
    char path[600];
    struct agent *a = calloc(1, sizeof(*a));
    int rc = -HL_ENOMEM;

    *out = NULL;
    if (!a)
        return rc;
    a->station = station;
    a->listen_fd = a->lock_fd = -1;
    a->started = clock_mono_ms();
    station_path(station, path, "desk.lock");
    rc = file_lock(path, &a->lock_fd);
    if (rc) {
        buf_put_str(why, rc == -HL_EBUSY ? "another process holds the desk" : error_text(rc));
        goto out;
    }
    rc = station_unlock(station, NULL, why);
    if (rc)
        goto out;
    station_path(station, path, "desk.db");
    rc = desk_open(path, station->realm, span_str(station->poc), station->vault, &a->desk);
    if (rc) {
        buf_printf(why, "%s: %s", path, error_text(rc));
        goto out;
    }
    rc = agent_connect(a, why);
    if (rc)
        goto out;
    *out = a;
    a = NULL;
out:
    agent_close(a);
    return rc;
}

int agent_connect(struct agent *a, struct buf *why)
{
    int rc = 0;

    a->zmq = zmq_ctx_new();
    if (!a->zmq)
        return -HL_ESYS;
    for (size_t i = 0; i < a->station->n_hosts && !rc; i++) {
        rc = sync_open(a, &a->station->host[i], &a->sync[i]);
        if (rc)
            buf_printf(why, "host %s: %s", a->station->host[i].origin, error_text(rc));
        else
            a->n_syncs++;
    }
    return rc;
}

void agent_release(struct agent *a)
{
    char path[600];

    waiter_release_all(a);
    verbs_release(a);
    if (a->listen_fd >= 0) {
        station_path(a->station, path, "agent.sock");
        unlink(path);
        close(a->listen_fd);
    }
    duty_release(a);
    for (size_t i = 0; i < a->n_syncs; i++)
        sync_close(a->sync[i]);
    if (a->zmq)
        zmq_ctx_term(a->zmq);
    desk_close(a->desk);
    if (a->lock_fd >= 0)
        close(a->lock_fd);
}

void agent_close(struct agent *a)
{
    if (!a)
        return;
    agent_release(a);
    free(a);
}

int agent_listen(struct agent *a)
{
    return waiter_listen(a->station, &a->listen_fd);
}

static size_t agent_poll_items(struct agent *a, zmq_pollitem_t item[static POLL_MAX])
{
    size_t n = 0;

    for (size_t i = 0; i < a->n_syncs; i++) {
        void *socket[2];

        link_sockets(sync_link(a->sync[i]), socket);
        for (size_t k = 0; k < 2; k++)
            if (socket[k])
                item[n++] = (zmq_pollitem_t){ socket[k], 0, ZMQ_POLLIN, 0 };
    }
    if (a->listen_fd >= 0)
        item[n++] = (zmq_pollitem_t){ NULL, a->listen_fd, ZMQ_POLLIN, 0 };
    for (struct waiter *w = waiter_next(a, NULL); w && n < POLL_MAX; w = waiter_next(a, w))
        item[n++] =
            (zmq_pollitem_t){ NULL, waiter_fd(w),
                              (short)(ZMQ_POLLIN | (waiter_wants(w) & POLLOUT ? ZMQ_POLLOUT : 0)),
                              0 };
    return n;
}

static int agent_frames(struct agent *a)
{
    int rc = 0;

    for (size_t i = 0; i < a->n_syncs && !rc; i++) {
        struct link *l = sync_link(a->sync[i]);
        struct span frame;

        for (size_t k = 0; k < FRAMES_A_STEP && !rc && link_receive(l, &frame); k++)
            rc = sync_frame(a->sync[i], frame);
    }
    return rc;
}

/* Commands that wait for a frame or a deadline are looked at last, when this round's facts stand.
 */
static void agent_waiters(struct agent *a, const zmq_pollitem_t *item, size_t n)
{
    struct waiter *next;

    for (struct waiter *w = waiter_next(a, NULL); w; w = next) {
        short revents = 0;

        next = waiter_next(a, w);
        for (size_t i = 0; i < n; i++)
            if (!item[i].socket && item[i].fd == waiter_fd(w))
                revents = (short)((item[i].revents & ZMQ_POLLIN ? POLLIN : 0) |
                                  (item[i].revents & ZMQ_POLLERR ? POLLERR : 0) |
                                  (item[i].revents & ZMQ_POLLOUT ? POLLOUT : 0));
        waiter_ready(a, w, revents);
    }
}

static int sooner(int a, int b)
{
    if (a < 0)
        return b;
    return b < 0 || a < b ? a : b;
}

/* Greetings, time-outs, upkeep, verbs' deadlines; the time to sleep into *@wait_ms. */
static int agent_tick(struct agent *a, int *wait_ms)
{
    uint64_t now = clock_mono_ms();
    int rc = upkeep_tick(a, now), next;

    for (size_t i = 0; i < a->n_syncs && !rc; i++) {
        rc = sync_tick(a->sync[i], now, &next);
        *wait_ms = sooner(*wait_ms, next);
    }
    *wait_ms = sooner(*wait_ms, verbs_poll(a, clock_mono_ms()));
    return rc;
}

int agent_step(struct agent *a, int wait_ms)
{
    zmq_pollitem_t item[POLL_MAX];
    size_t n;
    int rc = agent_tick(a, &wait_ms);

    if (rc)
        return rc;
    n = agent_poll_items(a, item);
    if (zmq_poll(item, (int)n, wait_ms) < 0 && errno != EINTR)
        return -HL_ESYS;
    rc = agent_frames(a);
    if (rc)
        return rc;
    verbs_poll(a, clock_mono_ms());
    agent_waiters(a, item, n);
    for (size_t i = 0; i < n; i++)
        if (!item[i].socket && a->listen_fd >= 0 && item[i].fd == a->listen_fd &&
            (item[i].revents & ZMQ_POLLIN))
            waiter_accept(a);
    return 0;
}

/* ---- for one command ---- */

bool agent_ready(const struct agent *a)
{
    if (clock_mono_ms() - a->started >= READY_MS)
        return true;
    for (size_t i = 0; i < a->n_syncs; i++)
        if (!sync_ready(a->sync[i]) && !sync_unanswered(a->sync[i]) && !sync_is_dead(a->sync[i]))
            return false;
    return true;
}

bool agent_drained(const struct agent *a)
{
    for (size_t i = 0; i < a->n_syncs; i++)
        if (!sync_quiet(a->sync[i]) && !sync_unanswered(a->sync[i]) && !sync_is_dead(a->sync[i]))
            return false;
    return true;
}

/* What the verb queued, and the machine's steps, leave before the process does. */
static int agent_settle(struct agent *a)
{
    uint64_t until = clock_mono_ms() + SETTLE_MS, waiting;
    bool busy = true;
    int rc = 0;

    while (busy && !rc && clock_mono_ms() < until) {
        busy = false;
        for (size_t i = 0; i < a->n_syncs && !rc; i++) {
            rc = desk_outbox_waiting(a->desk, span_str(sync_host(a->sync[i])->origin), &waiting);
            busy |= waiting && sync_ready(a->sync[i]) && !sync_is_dead(a->sync[i]);
        }
        if (busy && !rc)
            rc = agent_step(a, 50);
    }
    return rc;
}

/* Passes everything on and remembers the end. */
struct ending {
    const struct verb_sink *sink;
    bool ended;
    int code;
};

static int ending_row(void *arg, const struct pair *pair, size_t n)
{
    struct ending *e = arg;

    return e->sink->row(e->sink->arg, pair, n);
}

static void ending_end(void *arg, int code, const char *sentence)
{
    struct ending *e = arg;

    e->ended = true;
    e->code = code;
    e->sink->end(e->sink->arg, code, sentence);
}

static void run_here(struct agent *a, const struct verb_request *req, struct ending *e)
{
    const struct verb_sink sink = { e, ending_row, ending_end };
    struct verb *v = verb_start(a, req, &sink);
    int rc = 0;

    while (!e->ended && !rc)
        rc = agent_step(a, 1000);
    if (!e->ended) {
        verb_cancel(v);
        ending_end(e, rc, error_text(rc));
        return;
    }
    rc = agent_settle(a);
    if (rc && !e->code)
        e->code = rc;
}

int agent_run_verb(struct station *station, const struct verb_request *req,
                   const struct verb_sink *sink)
{
    uint64_t until = clock_mono_ms() + BUSY_MS;
    struct ending e = { .sink = sink };
    const struct verb_sink asked = { &e, ending_row, ending_end };
    struct agent *a = NULL;
    struct buf why;
    int rc;

    buf_init(&why, 4096);
    do { /* another command may hold the desk for a moment */
        rc = agent_ask(station, req, &asked);
        if (rc != -HL_ENOENT || e.ended) /* the agent's answer may be "not found" too */
            goto out;
        buf_clear(&why);
        rc = agent_open(&a, station, &why);
        if (rc == -HL_EBUSY)
            poll(NULL, 0, 50);
    } while (rc == -HL_EBUSY && clock_mono_ms() < until);
    if (rc) {
        sink->end(sink->arg, rc, buf_str(&why));
        goto out;
    }
    run_here(a, req, &e);
    rc = e.code;
out:
    agent_close(a);
    buf_release(&why);
    return rc;
}
