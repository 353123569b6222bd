#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "client/agent.h"
#include "common/cbor.h"
#include "common/error.h"
#include "common/file.h"
#include "keys/secret.h"

/* The asking side of agent.sock: connect, say it, read rows until the end. */

#define REPLY_FRAME_MAX (4u << 20)

static int ask_connect(const struct station *station, int *fd)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    struct ucred peer;
    socklen_t len = sizeof(peer);
    char path[600];

    station_path(station, path, "agent.sock");
    if (strlen(path) >= sizeof(addr.sun_path))
        return -HL_ENOENT; /* no agent can listen there either */
    memcpy(addr.sun_path, path, strlen(path) + 1);
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (*fd < 0)
        return -HL_ESYS;
    if (connect(*fd, (struct sockaddr *)&addr, sizeof(addr)) != 0)
        return errno == ENOENT || errno == ECONNREFUSED ? -HL_ENOENT : -HL_ESYS;
    /* whoever listens there sees passphrases: it must be ours */
    if (getsockopt(*fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0 || peer.uid != geteuid())
        return -HL_EMODE;
    return 0;
}

static int ask_send(int fd, const struct verb_request *req)
{
    struct buf out;
    int rc;

    buf_init(&out, VERB_REQUEST_MAX + 4);
    buf_put_u32(&out, 0);
    rc = verb_request_put(&out, req);
    if (!rc) {
        put_u32(out.p, (uint32_t)(out.n - 4));
        rc = file_write_all(fd, out.p, out.n);
    }
    if (!rc && verb_get(req, "pass").p && req->pass)
        rc = secret_send(fd, req->pass);
    buf_release(&out);
    return rc;
}

static int ask_read(int fd, uint8_t *p, size_t n)
{
    while (n) {
        ssize_t got = read(fd, p, n);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return -HL_EBROKER; /* the agent ended */
        p += got;
        n -= (size_t)got;
    }
    return 0;
}

static int ask_frame(int fd, struct buf *in)
{
    uint8_t head[4], *at;
    size_t n;
    int rc = ask_read(fd, head, sizeof(head));

    if (rc)
        return rc;
    n = get_u32(head);
    buf_clear(in);
    at = n <= REPLY_FRAME_MAX ? buf_reserve(in, n) : NULL;
    if (!at)
        return -HL_ETOOBIG;
    rc = ask_read(fd, at, n);
    buf_commit(in, rc ? 0 : n);
    return rc;
}

/* Keys as C strings; the values borrow from the frame. */
static int ask_row(struct cbor_in *in, struct buf *keys, const struct verb_sink *sink)
{
    struct pair pair[VERB_ROW_MAX];
    size_t n = cbor_array(in, 0, VERB_ROW_MAX);

    buf_clear(keys);
    if (!buf_reserve(keys, n * 64 + 1))
        return keys->bad;
    for (size_t i = 0; i < n && !in->bad; i++) {
        pair[i].key = (const char *)keys->p + keys->n;
        cbor_array(in, 2, 2);
        buf_put_span(keys, cbor_bytes_max(in, 63));
        buf_put_u8(keys, 0);
        pair[i].value = cbor_bytes(in);
        cbor_array_end(in);
    }
    cbor_array_end(in);
    cbor_array_end(in);
    if (cbor_done(in))
        return -HL_EFORMAT;
    return sink->row(sink->arg, pair, n) ? -HL_ESTATE : 0;
}

static int ask_end(struct cbor_in *in, struct buf *text, const struct verb_sink *sink)
{
    int code = -(int)cbor_uint_max(in, HL_EMAX);

    buf_clear(text);
    buf_put_span(text, cbor_bytes(in));
    cbor_array_end(in);
    if (cbor_done(in))
        return -HL_EFORMAT;
    sink->end(sink->arg, code, buf_str(text));
    return code;
}

/* One frame of the reply: 1 a row; else the end, with its code in *@code. */
static int ask_reply(struct span frame, struct buf *scratch, const struct verb_sink *sink,
                     int *code)
{
    struct cbor_in in;
    size_t n;
    uint64_t type;

    cbor_open(&in, frame);
    n = cbor_array(&in, 2, 3);
    type = cbor_uint(&in);
    if (type == 1 && n == 2) {
        *code = ask_row(&in, scratch, sink);
        return *code == 0;
    }
    *code = -HL_EFORMAT;
    if (type == 2 && n == 3) {
        *code = ask_end(&in, scratch, sink);
        return *code == -HL_EFORMAT ? 0 : 2;
    }
    return 0;
}

int agent_ask(const struct station *station, const struct verb_request *req,
              const struct verb_sink *sink)
{
    struct buf frame, scratch;
    int fd = -1, rc, more = 1;

    buf_init(&frame, REPLY_FRAME_MAX);
    buf_init(&scratch, REPLY_FRAME_MAX);
    rc = ask_connect(station, &fd);
    if (rc == -HL_ENOENT)
        goto out;
    if (!rc)
        rc = ask_send(fd, req);
    while (!rc && more == 1) {
        rc = ask_frame(fd, &frame);
        if (!rc)
            more = ask_reply(buf_span(&frame), &scratch, sink, &rc);
    }
    if (more != 2) /* it ended without an end */
        sink->end(sink->arg, rc, error_text(rc));
out:
    if (fd >= 0)
        close(fd);
    buf_release(&frame);
    buf_release(&scratch);
    return rc;
}
