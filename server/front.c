#include "server/front.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <zmq.h>

#include "common/clock.h"
#include "common/error.h"
#include "common/text.h"
#include "common/wire.h"
#include "server/ipc.h"
#include "server/settle.h"
#include "server/zap.h"

#define FRAMES_A_ROUND 256
#define COUNTS_MS 1000
#define SLOW_RETRY_MS 5
#define ROUTING_ID 5                 /* bytes of libzmq's automatic routing id: 00 || u32 */
#define OPTION_ZAP_ENFORCE_DOMAIN 93 /* a DRAFT option whose macro the package hides */

/* Frames for a connection whose queue in libzmq is full: (u32 length || frame)*. */
struct slow {
    uint64_t conn;
    struct buf queue;
};

struct front {
    struct ipc core;
    void *context, *router;
    struct zap *zap;
    const char *listen;
    const struct transport_key *key;
    bool bound;
    size_t n_slow;
    struct slow slow[FRONT_SLOW];
    uint64_t count[IPC_COUNTS_N], told[IPC_COUNTS_N], told_ms;
    struct settle settle;
};

/* ---- the socket ---- */

static const struct {
    int option, value;
} options[] = {
    { ZMQ_HANDSHAKE_IVL, 10000 },
    { ZMQ_ROUTER_MANDATORY, 1 },
    { ZMQ_SNDHWM, 64 },
    { ZMQ_RCVHWM, 64 },
    { ZMQ_HEARTBEAT_IVL, 10000 },
    { ZMQ_HEARTBEAT_TIMEOUT, 30000 },
    { ZMQ_HEARTBEAT_TTL, 60000 },
    { ZMQ_LINGER, 0 },
    { ZMQ_BACKLOG, 512 },
    { ZMQ_TCP_KEEPALIVE, 1 },
    { ZMQ_TCP_MAXRT, 45000 },
    { ZMQ_IPV6, 1 },
    { OPTION_ZAP_ENFORCE_DOMAIN, 1 },
};

/* libzmq that has no descriptor left accepts nobody, at full speed, until some connection ends. */
static void raise_descriptors(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) != 0)
        return;
    r.rlim_cur = r.rlim_max < FRONT_DESCRIPTORS ? r.rlim_max : FRONT_DESCRIPTORS;
    (void)setrlimit(RLIMIT_NOFILE, &r);
}

static int front_bind(struct front *f)
{
    int64_t max = WIRE_FRAME_MAX;

    f->router = zmq_socket(f->context, ZMQ_ROUTER);
    if (!f->router || zmq_setsockopt(f->router, ZMQ_MAXMSGSIZE, &max, sizeof(max)) != 0 ||
        zmq_setsockopt(f->router, ZMQ_ZAP_DOMAIN, ZAP_DOMAIN, strlen(ZAP_DOMAIN)) != 0)
        return -HL_ESYS;
    for (size_t i = 0; i < COUNT(options); i++)
        if (zmq_setsockopt(f->router, options[i].option, &options[i].value, sizeof(int)) != 0)
            return -HL_ESYS;
    if (transport_server(f->router, f->key) != 0)
        return -HL_ESYS;
    if (zmq_bind(f->router, f->listen) != 0) {
        fprintf(stderr, "<3>front: %s: %s\n", f->listen, zmq_strerror(errno));
        return -HL_ESYS;
    }
    f->bound = true;
    return 0;
}

/* ---- towards the core ---- */

static int front_gone(struct front *f, uint64_t conn)
{
    uint8_t be[8];
    struct span part = SPAN(be, sizeof(be));

    put_u64(be, conn);
    return ipc_put(&f->core, IPC_GONE, &part, 1);
}

/* The payload carries the peer's User-Id; after a poll the routing id does not (libzmq 4.3.4). */
static bool front_peer(zmq_msg_t *payload, uint8_t key[static 32])
{
    const char *user = zmq_msg_gets(payload, "User-Id");

    return user && strlen(user) == 64 && text_unhex(key, 32, span_str(user)) == 0;
}

static int front_frame(struct front *f, zmq_msg_t *id, zmq_msg_t *payload)
{
    uint8_t conn[8] = { 0 }, key[32];
    struct span part[3] = { SPAN(conn, 8), SPAN(key, 32),
                            SPAN(zmq_msg_data(payload), zmq_msg_size(payload)) };

    if (zmq_msg_size(id) != ROUTING_ID || !front_peer(payload, key)) {
        f->count[FRONT_MALFORMED]++;
        return 0;
    }
    if (!zap_knows(f->zap, key)) {
        f->count[FRONT_MUTED]++;
        return 0;
    }
    memcpy(conn + 4, (uint8_t *)zmq_msg_data(id) + 1, 4);
    f->count[FRONT_FRAMES]++;
    f->count[FRONT_BYTES] += part[2].n;
    return ipc_put(&f->core, IPC_FRAME, part, 3);
}

/* One message of the ROUTER: routing id, one frame.
 * 1: taken; 0: none waits; negative: the core is gone. */
static int front_receive(struct front *f)
{
    zmq_msg_t part[2], spare;
    size_t n = 0;
    int more = 1, rc = 0;

    zmq_msg_init(&part[0]);
    zmq_msg_init(&part[1]);
    zmq_msg_init(&spare);
    while (more) {
        zmq_msg_t *m = n < 2 ? &part[n] : &spare;

        if (zmq_msg_recv(m, f->router, ZMQ_DONTWAIT) < 0)
            break;
        more = zmq_msg_more(m);
        n++;
    }
    if (n == 2)
        rc = front_frame(f, &part[0], &part[1]);
    else if (n)
        f->count[FRONT_MALFORMED]++;
    zmq_msg_close(&part[0]);
    zmq_msg_close(&part[1]);
    zmq_msg_close(&spare);
    return rc ? rc : n > 0;
}

/* ---- towards the peers ---- */

static int front_try(struct front *f, uint64_t conn, struct span frame)
{
    uint8_t id[ROUTING_ID] = { 0 };

    put_u32(id + 1, (uint32_t)conn);
    if (zmq_send(f->router, id, sizeof(id), ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0)
        return errno == EAGAIN ? -HL_EBUSY : -HL_ENOENT;
    return zmq_send(f->router, frame.p, frame.n, ZMQ_DONTWAIT) < 0 ? -HL_ENOENT : 0;
}

static void slow_end(struct front *f, size_t i)
{
    buf_release(&f->slow[i].queue);
    f->slow[i] = f->slow[--f->n_slow];
}

static int slow_add(struct front *f, uint64_t conn, struct span frame)
{
    size_t i = 0;

    while (i < f->n_slow && f->slow[i].conn != conn)
        i++;
    if (i == FRONT_SLOW) {
        f->count[FRONT_UNDELIVERED]++;
        return front_gone(f, conn);
    }
    if (i == f->n_slow) {
        f->slow[f->n_slow++].conn = conn;
        buf_init(&f->slow[i].queue, FRONT_PENDING);
    }
    buf_put_u32(&f->slow[i].queue, (uint32_t)frame.n);
    if (buf_put_span(&f->slow[i].queue, frame) == 0)
        return 0;
    f->count[FRONT_UNDELIVERED]++;
    slow_end(f, i);
    return front_gone(f, conn);
}

static bool slow_has(const struct front *f, uint64_t conn)
{
    for (size_t i = 0; i < f->n_slow; i++)
        if (f->slow[i].conn == conn)
            return true;
    return false;
}

static int front_send(struct front *f, uint64_t conn, struct span frame)
{
    int rc = slow_has(f, conn) ? -HL_EBUSY : front_try(f, conn, frame);

    if (rc == -HL_EBUSY)
        return slow_add(f, conn, frame);
    if (rc == -HL_ENOENT) {
        f->count[FRONT_UNDELIVERED]++;
        return front_gone(f, conn);
    }
    return rc;
}

static int slow_retry(struct front *f)
{
    int rc = 0;

    for (size_t i = 0; i < f->n_slow && !rc;) {
        struct slow *s = &f->slow[i];
        size_t at = 0;

        while (!rc && at < s->queue.n) {
            size_t n = get_u32(s->queue.p + at);

            rc = front_try(f, s->conn, SPAN(s->queue.p + at + 4, n));
            if (!rc)
                at += 4 + n;
        }
        buf_consume(&s->queue, at);
        if (rc == -HL_ENOENT) {
            rc = front_gone(f, s->conn);
            slow_end(f, i);
        } else if (!s->queue.n) {
            slow_end(f, i);
        } else {
            i++;
        }
        if (rc == -HL_EBUSY)
            rc = 0;
    }
    return rc;
}

/* ---- what the core says ---- */

static int front_keys(struct front *f, struct span payload)
{
    struct span generation = SPAN(payload.p, 4);
    int rc;

    if (payload.n < 4 || (payload.n - 4) % 32)
        return -HL_EFORMAT;
    rc = zap_keys(f->zap, SPAN(payload.p + 4, payload.n - 4));
    if (!rc && !f->bound)
        rc = front_bind(f);
    return rc ? rc : ipc_put(&f->core, IPC_KEYS_OK, &generation, 1);
}

static int front_core(struct front *f)
{
    enum ipc_type type;
    struct span payload;
    int rc = ipc_read(&f->core);

    if (rc < 0)
        return rc;
    rc = 0;
    while (!rc && ipc_next(&f->core, &type, &payload, &rc)) {
        if (type == IPC_KEYS)
            rc = front_keys(f, payload);
        else if (type == IPC_SEND && payload.n >= 8 && f->bound)
            rc = front_send(f, get_u64(payload.p), SPAN(payload.p + 8, payload.n - 8));
        else
            rc = -HL_EFORMAT;
    }
    return rc;
}

/* ---- the loop ---- */

static int front_counts(struct front *f)
{
    uint8_t be[8 * IPC_COUNTS_N];
    struct span part = SPAN(be, sizeof(be));
    uint64_t now = clock_mono_ms();

    if (now - f->told_ms < COUNTS_MS || memcmp(f->told, f->count, sizeof(f->told)) == 0)
        return 0;
    for (size_t i = 0; i < IPC_COUNTS_N; i++)
        put_u64(be + 8 * i, f->count[i]);
    memcpy(f->told, f->count, sizeof(f->told));
    f->told_ms = now;
    return ipc_put(&f->core, IPC_COUNTS, &part, 1);
}

static int front_round(struct front *f)
{
    bool full = ipc_waiting(&f->core) > FRONT_BUDGET;
    zmq_pollitem_t item[3] = {
        { NULL, f->core.fd, (short)(ZMQ_POLLIN | (ipc_waiting(&f->core) ? ZMQ_POLLOUT : 0)), 0 },
        { zap_socket(f->zap), 0, ZMQ_POLLIN, 0 },
        { f->router, 0, ZMQ_POLLIN, 0 },
    };
    int rc, ready, taken = 1;

    ready = zmq_poll(item, f->bound && !full ? 3 : 2, f->n_slow ? SLOW_RETRY_MS : COUNTS_MS);
    if (ready < 0)
        return errno == EINTR ? 0 : -HL_ESYS;
    if (ready)
        settle_busy(&f->settle, clock_mono_ms());
    else
        settle_idle(&f->settle, clock_mono_ms());
    f->count[FRONT_REFUSED] += zap_answer(f->zap);
    rc = item[0].revents & (ZMQ_POLLIN | ZMQ_POLLERR) ? front_core(f) : 0;
    if (!rc && f->n_slow)
        rc = slow_retry(f);
    for (int i = 0; i < FRAMES_A_ROUND && !rc && taken && f->bound && !full; i++) {
        taken = front_receive(f);
        rc = taken < 0 ? taken : 0;
        full = ipc_waiting(&f->core) > FRONT_BUDGET;
    }
    if (!rc)
        rc = front_counts(f);
    if (!rc)
        rc = ipc_flush(&f->core);
    return rc < 0 ? rc : 0;
}

int front_run(int fd, const char *listen, const struct transport_key *key)
{
    struct front f = { .listen = listen, .key = key };
    int rc = -HL_ENOMEM;

    ipc_init(&f.core, fd);
    raise_descriptors();
    f.context = zmq_ctx_new();
    if (f.context)
        rc = zap_open(f.context, &f.zap);
    while (!rc)
        rc = front_round(&f);
    while (f.n_slow)
        slow_end(&f, 0);
    if (f.router)
        zmq_close(f.router);
    zap_close(f.zap);
    if (f.context)
        zmq_ctx_term(f.context);
    ipc_release(&f.core);
    return rc == -HL_ENOENT ? 0 : rc;
}
