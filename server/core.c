#include "server/core.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/error.h"
#include "common/json.h"
#include "common/tlog/checkpoint.h"
#include "server/broker.h"
#include "server/ipc.h"
#include "server/settle.h"

enum { PEER_PARENT, PEER_FRONT, PEER_SIGNER, PEER_PUBLISHER, PEERS };
static const char *const peer_name[PEERS] = { "parent", "front", "signer", "publisher" };

struct core {
    enum realm realm;
    struct broker *broker;
    struct ipc peer[PEERS];
    struct buf keys; /* the newest table: a new front gets it first */
    struct buf head; /* the newest signed head: a new publisher catches up with it */
    uint32_t generation, confirmed;
    uint64_t count[IPC_COUNTS_N];
    bool ready, stop, full;
    struct settle settle;
};

static bool peer_up(const struct core *c, int peer)
{
    return c->peer[peer].fd >= 0;
}

static void peer_drop(struct core *c, int peer)
{
    ipc_release(&c->peer[peer]);
    if (peer == PEER_FRONT)
        broker_gone(c->broker, 0);
}

/* A peer that cannot take what is put for it ends, and its parent starts a new one. */
static void peer_put(struct core *c, int peer, enum ipc_type type, const struct span *part,
                     size_t n)
{
    if (peer_up(c, peer) && ipc_put(&c->peer[peer], type, part, n) != 0) {
        fprintf(stderr, "<4>core: %s does not keep up\n", peer_name[peer]);
        c->peer[peer].out.bad = -HL_ETOOBIG; /* dropped by the next flush, not inside a turn */
    }
}

/* ---- what leaves a turn ---- */

static void out_send(void *arg, uint64_t conn, struct span frame)
{
    uint8_t be[8];
    struct span part[2] = { SPAN(be, sizeof(be)), frame };

    put_u64(be, conn);
    peer_put(arg, PEER_FRONT, IPC_SEND, part, 2);
}

static void core_send_keys(struct core *c)
{
    struct span part = buf_span(&c->keys);

    peer_put(c, PEER_FRONT, IPC_KEYS, &part, 1);
}

static void out_keys(void *arg, const uint8_t (*key)[32], size_t n)
{
    struct core *c = arg;

    buf_clear(&c->keys);
    buf_put_u32(&c->keys, ++c->generation);
    buf_put(&c->keys, key, n * 32);
    core_send_keys(c);
}

static void out_sign(void *arg, uint64_t size, const uint8_t root[static 32], uint64_t old,
                     const uint8_t (*proof)[32], size_t n)
{
    uint8_t be[16];
    struct span part[4] = { SPAN(be, 8), SPAN(root, 32), SPAN(be + 8, 8), SPAN(proof, n * 32) };

    put_u64(be, size);
    put_u64(be + 8, old);
    peer_put(arg, PEER_SIGNER, IPC_SIGN, part, 4);
}

static void out_publish(void *arg, struct span note)
{
    struct core *c = arg;

    if (note.p != c->head.p) {
        buf_clear(&c->head);
        buf_put_span(&c->head, note);
    }
    peer_put(c, PEER_PUBLISHER, IPC_HEAD, &note, 1);
}

static void out_diag(void *arg, int level, const char *line)
{
    (void)arg;
    fprintf(stderr, "<%d>core: %s\n", level, line);
}

/* ---- what comes in ---- */

static const char *const count_name[IPC_COUNTS_N] = {
    [FRONT_REFUSED] = "refused_handshakes",
    [FRONT_MUTED] = "muted_frames",
    [FRONT_MALFORMED] = "malformed_messages",
    [FRONT_UNDELIVERED] = "undelivered_frames",
    [FRONT_FRAMES] = "frames",
    [FRONT_BYTES] = "bytes",
};

static void core_status_front(const struct core *c, struct buf *out)
{
    struct json j;

    json_init(&j, out);
    json_begin(&j, "front", realm_name(c->realm));
    json_bool(&j, "up", peer_up(c, PEER_FRONT));
    json_bool(&j, "keys_in_effect", c->confirmed == c->generation);
    for (size_t i = 0; i < IPC_COUNTS_N; i++)
        json_uint(&j, count_name[i], c->count[i]);
    json_end(&j);
    buf_put_u8(out, '\n');
}

/* Two JSON lines: the broker's, the front's. */
static int core_status(struct core *c, struct span id)
{
    struct buf json;
    struct span part[2] = { id, SPAN_NONE };
    int rc;

    if (id.n != 4)
        return -HL_EFORMAT;
    buf_init(&json, IPC_MAX - 4);
    rc = broker_status(c->broker, &json);
    if (!rc && json.n && json.p[json.n - 1] != '\n')
        buf_put_u8(&json, '\n');
    core_status_front(c, &json);
    part[1] = buf_span(&json);
    if (!rc)
        peer_put(c, PEER_PARENT, IPC_STATUS, part, 2);
    buf_release(&json);
    return rc;
}

static void core_adopt(struct core *c, int peer)
{
    int fd = c->peer[PEER_PARENT].passed_fd;

    c->peer[PEER_PARENT].passed_fd = -1;
    peer_drop(c, peer);
    ipc_init(&c->peer[peer], fd);
    if (peer == PEER_FRONT) {
        c->confirmed = 0;
        core_send_keys(c);
    } else if (c->head.n) {
        out_publish(c, buf_span(&c->head));
    }
}

static int from_parent(struct core *c, enum ipc_type type, struct span p)
{
    if (type == IPC_FRONT || type == IPC_PUBLISHER)
        core_adopt(c, type == IPC_FRONT ? PEER_FRONT : PEER_PUBLISHER);
    else if (type == IPC_RELOAD)
        return broker_reload(c->broker);
    else if (type == IPC_STATUS)
        return core_status(c, p);
    else if (type == IPC_STOP)
        c->stop = true;
    else
        return -HL_EFORMAT;
    return 0;
}

static int from_front(struct core *c, enum ipc_type type, struct span p)
{
    int rc = 0;

    if (type == IPC_FRAME && p.n >= 40) {
        rc = broker_frame(c->broker, get_u64(p.p), p.p + 8, SPAN(p.p + 40, p.n - 40));
        c->full |= rc == -HL_EQUOTA;
    } else if (type == IPC_GONE && p.n == 8) {
        broker_gone(c->broker, get_u64(p.p));
    } else if (type == IPC_KEYS_OK && p.n == 4) {
        c->confirmed = get_u32(p.p);
        if (!c->ready)
            peer_put(c, PEER_PARENT, IPC_READY, NULL, 0);
        c->ready = true;
    } else if (type == IPC_COUNTS && p.n == 8 * IPC_COUNTS_N) {
        for (size_t i = 0; i < IPC_COUNTS_N; i++)
            c->count[i] = get_u64(p.p + 8 * i);
    } else {
        return -HL_EFORMAT;
    }
    return rc == -HL_ENOMEM ? rc : 0;
}

static int core_take(struct core *c, int peer, enum ipc_type type, struct span p)
{
    if (peer == PEER_PARENT)
        return from_parent(c, type, p);
    if (peer == PEER_FRONT)
        return from_front(c, type, p);
    if (peer == PEER_SIGNER && type == IPC_SIGNED)
        return broker_signed(c->broker, p);
    return -HL_EFORMAT;
}

/* Messages of one peer, until it has none or the turn's queue is full. */
static int core_drain(struct core *c, int peer)
{
    enum ipc_type type;
    struct span p;
    int rc = 0;

    while (!rc && peer_up(c, peer) && (peer != PEER_FRONT || !c->full) &&
           ipc_next(&c->peer[peer], &type, &p, &rc))
        rc = core_take(c, peer, type, p);
    return rc;
}

/* The front and the publisher may go; their lies end them, not us. */
static int core_peer(struct core *c, int peer, short revents)
{
    bool vital = peer == PEER_PARENT || peer == PEER_SIGNER;
    int rc = 0;

    if (revents & (POLLIN | POLLHUP | POLLERR))
        rc = ipc_read(&c->peer[peer]);
    if (rc >= 0)
        rc = core_drain(c, peer);
    if (rc != -HL_ENOENT && rc != -HL_EFORMAT)
        return rc;
    if (vital) {
        fprintf(stderr, "<4>core: %s is gone\n", peer_name[peer]);
        return -HL_ENOENT;
    }
    peer_drop(c, peer);
    return 0;
}

static int core_flush(struct core *c)
{
    for (int i = 0; i < PEERS; i++) {
        if (!peer_up(c, i) || (!c->peer[i].out.bad && ipc_flush(&c->peer[i]) >= 0))
            continue;
        if (i == PEER_PARENT || i == PEER_SIGNER)
            return -HL_ENOENT;
        peer_drop(c, i);
    }
    return 0;
}

static int core_round(struct core *c, bool busy)
{
    struct pollfd p[PEERS];
    int rc = 0, ready, wait = busy ? 0 : broker_timeout(c->broker, clock_now_ms());

    for (int i = 0; i < PEERS; i++) {
        bool in = peer_up(c, i) && (i != PEER_FRONT || !c->full);

        p[i] = (struct pollfd){ c->peer[i].fd, in ? POLLIN : 0, 0 };
        if (peer_up(c, i) && ipc_waiting(&c->peer[i]))
            p[i].events |= POLLOUT;
    }
    ready = poll(p, PEERS, settle_wait(&c->settle, wait));
    if (ready < 0 && errno != EINTR)
        return -HL_ESYS;
    if (ready || busy)
        settle_busy(&c->settle, clock_mono_ms());
    else
        settle_idle(&c->settle, clock_mono_ms());
    for (int i = 0; i < PEERS && !rc; i++)
        if (p[i].revents)
            rc = core_peer(c, i, p[i].revents);
    if (!rc)
        rc = broker_turn(c->broker, clock_now_ms());
    if (rc >= 0 &&
        c->full) { /* the turn made room: what the front's buffer still holds comes first */
        int more;

        c->full = false;
        more = core_drain(c, PEER_FRONT);
        if (more == -HL_EFORMAT)
            peer_drop(c, PEER_FRONT);
        rc = more == -HL_ENOMEM ? more : 1;
    }
    if (rc >= 0 && core_flush(c) != 0)
        return -HL_ENOENT;
    return rc;
}

int core_run(const struct config *conf, const uint8_t log_key[static 32],
             const struct core_fds *fds)
{
    struct core c = { .realm = conf->realm };
    char store[CONFIG_PATH_MAX];
    const struct broker_out out = { &c, out_send, out_keys, out_sign, out_publish, out_diag };
    const struct broker_conf b = { .realm = conf->realm,
                                   .origin = conf->origin,
                                   .log_key = log_key,
                                   .store_path = store,
                                   .documents_dir = conf->documents,
                                   .quota_messages = (uint64_t)conf->quota_messages,
                                   .quota_bytes = (uint64_t)conf->quota_mb << 20,
                                   .space_low = (uint64_t)conf->space_low_mb << 20,
                                   .space_min = (uint64_t)conf->space_min_mb << 20 };
    int rc = config_state(conf, store, "store.db");

    buf_init(&c.keys, IPC_MAX);
    buf_init(&c.head, CHECKPOINT_MAX);
    ipc_init(&c.peer[PEER_PARENT], fds->parent);
    ipc_init(&c.peer[PEER_FRONT], fds->front);
    ipc_init(&c.peer[PEER_SIGNER], fds->signer);
    ipc_init(&c.peer[PEER_PUBLISHER], fds->publisher);
    if (!rc)
        rc = broker_open(&b, &out, &c.broker);
    if (rc)
        fprintf(stderr, "<3>core: %s: %s\n", store, error_text(rc));
    else
        rc = 1;
    while (rc >= 0 && !c.stop) /* what still waits for a turn was not promised; it comes again */
        rc = core_round(&c, rc == 1);
    if (c.broker)
        broker_close(c.broker);
    for (int i = 0; i < PEERS; i++)
        ipc_release(&c.peer[i]);
    buf_release(&c.keys);
    buf_release(&c.head);
    return rc < 0 ? rc : 0;
}
