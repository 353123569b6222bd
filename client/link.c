#include "client/link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "common/clock.h"
#include "common/error.h"

/* ZeroMQ's own events; HANDSHAKE_* exist since 4.3 */
#define LINK_EVENTS                                                                                \
    (ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_DISCONNECTED |    \
     ZMQ_EVENT_MONITOR_STOPPED)
#define BACKOFF_MIN_MS 500
#define BACKOFF_MAX_MS 30000

struct link {
    void *context, *socket, *monitor;
    const struct station_host *host;
    const struct transport_key *key;
    enum link_state state;
    uint64_t retry_at; /* 0: the socket lives */
    unsigned backoff_ms;
    zmq_msg_t in;
    bool holds; /* @in holds a frame that was handed out */
};

static const struct {
    int option, value;
} socket_options[] = {
    { ZMQ_LINGER, 0 },
    { ZMQ_SNDHWM, 64 },
    { ZMQ_RCVHWM, 64 },
    { ZMQ_IMMEDIATE, 1 }, /* nothing is queued to a broker that is down */
    { ZMQ_HANDSHAKE_IVL, 10000 },
    { ZMQ_HEARTBEAT_IVL, 10000 },
    { ZMQ_HEARTBEAT_TIMEOUT, 30000 },
    { ZMQ_HEARTBEAT_TTL, 60000 },
    { ZMQ_RECONNECT_IVL, BACKOFF_MIN_MS },
    { ZMQ_RECONNECT_IVL_MAX, BACKOFF_MAX_MS },
    { ZMQ_CONNECT_TIMEOUT, 10000 },
    { ZMQ_TCP_MAXRT, 45000 },
    { ZMQ_TCP_KEEPALIVE, 1 },
};

static void link_disconnect(struct link *l)
{
    if (l->holds)
        zmq_msg_close(&l->in);
    l->holds = false;
    if (l->socket) {
        zmq_socket_monitor(l->socket, NULL, 0);
        zmq_close(l->socket);
    }
    if (l->monitor)
        zmq_close(l->monitor);
    l->socket = l->monitor = NULL;
    l->state = LINK_DOWN;
}

static int link_connect(struct link *l)
{
    char address[64];
    int64_t frame_max = WIRE_FRAME_MAX;
    int zero = 0, rc = -HL_ESYS;

    snprintf(address, sizeof(address), "inproc://link-%p", (void *)l);
    l->socket = zmq_socket(l->context, ZMQ_DEALER);
    l->monitor = zmq_socket(l->context, ZMQ_PAIR);
    if (!l->socket || !l->monitor)
        goto out;
    for (size_t i = 0; i < COUNT(socket_options); i++)
        if (zmq_setsockopt(l->socket, socket_options[i].option, &socket_options[i].value,
                           sizeof(int)) != 0)
            goto out;
    if (zmq_setsockopt(l->socket, ZMQ_MAXMSGSIZE, &frame_max, sizeof(frame_max)) != 0)
        goto out;
    rc = transport_client(l->socket, l->key, l->host->curve);
    if (rc)
        goto out;
    rc = -HL_ESYS;
    zmq_setsockopt(l->monitor, ZMQ_LINGER, &zero, sizeof(zero));
    if (zmq_socket_monitor(l->socket, address, LINK_EVENTS) != 0 ||
        zmq_connect(l->monitor, address) != 0 || zmq_connect(l->socket, l->host->endpoint) != 0)
        goto out;
    l->retry_at = 0;
    rc = 0;
out:
    if (rc)
        link_disconnect(l);
    return rc;
}

int link_open(void *zmq_context, const struct station_host *host, const struct transport_key *key,
              struct link **out)
{
    struct link *l = calloc(1, sizeof(*l));
    int rc;

    *out = NULL;
    if (!l)
        return -HL_ENOMEM;
    l->context = zmq_context;
    l->host = host;
    l->key = key;
    l->backoff_ms = BACKOFF_MIN_MS;
    rc = link_connect(l);
    if (rc) {
        free(l);
        return rc;
    }
    *out = l;
    return 0;
}

void link_close(struct link *l)
{
    if (!l)
        return;
    link_disconnect(l);
    free(l);
}

void link_sockets(const struct link *l, void *out[static 2])
{
    out[0] = l->socket;
    out[1] = l->monitor;
}

enum link_state link_state(const struct link *l)
{
    return l->state;
}

int link_send(struct link *l, struct span frame)
{
    if (!l->socket)
        return -HL_ENOANSWER;
    if (zmq_send(l->socket, frame.p, frame.n, ZMQ_DONTWAIT) >= 0)
        return 0;
    if (errno == EAGAIN)
        return l->state == LINK_UP ? -HL_EBUSY : -HL_ENOANSWER;
    return -HL_ESYS;
}

int link_receive(struct link *l, struct span *out)
{
    int more;

    if (l->holds)
        zmq_msg_close(&l->in);
    l->holds = false;
    while (l->socket) {
        zmq_msg_init(&l->in);
        if (zmq_msg_recv(&l->in, l->socket, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(&l->in);
            return 0;
        }
        more = zmq_msg_more(&l->in);
        if (!more) {
            l->holds = true;
            *out = SPAN(zmq_msg_data(&l->in), zmq_msg_size(&l->in));
            return 1;
        }
        /* a broker sends single parts; whatever else comes is not ours */
        zmq_msg_close(&l->in);
    }
    return 0;
}

/* An authentication failure ends libzmq's own reconnecting: make a new socket, later each time. */
static void link_give_up(struct link *l, uint64_t mono_ms)
{
    link_disconnect(l);
    l->retry_at = mono_ms + l->backoff_ms;
    l->backoff_ms = l->backoff_ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : l->backoff_ms * 2;
}

static bool link_event(struct link *l, uint16_t *event)
{
    zmq_msg_t part;
    bool got = false;

    if (!l->monitor)
        return false;
    zmq_msg_init(&part);
    if (zmq_msg_recv(&part, l->monitor, ZMQ_DONTWAIT) >= (int)sizeof(*event)) {
        memcpy(event, zmq_msg_data(&part), sizeof(*event));
        got = true;
        while (zmq_msg_more(&part) && zmq_msg_recv(&part, l->monitor, ZMQ_DONTWAIT) >= 0)
            continue;
    }
    zmq_msg_close(&part);
    return got;
}

int link_tick(struct link *l, uint64_t mono_ms)
{
    uint16_t event;

    while (link_event(l, &event)) {
        if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) {
            l->state = LINK_UP;
            l->backoff_ms = BACKOFF_MIN_MS;
        } else if (event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) {
            link_give_up(l, mono_ms);
        } else {
            l->state = LINK_DOWN;
        }
    }
    if (!l->retry_at)
        return -1;
    if (mono_ms >= l->retry_at && link_connect(l) != 0)
        link_give_up(l, mono_ms);
    return l->retry_at ? (int)(l->retry_at - mono_ms) : -1;
}
