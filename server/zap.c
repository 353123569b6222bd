#include "server/zap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "common/error.h"
#include "common/text.h"

/* Request: version, id, domain, address, identity,
 * mechanism, credentials (one: the client's CURVE key). */
enum {
    ZAP_VERSION,
    ZAP_ID,
    ZAP_DOMAIN_PART,
    ZAP_ADDRESS,
    ZAP_IDENTITY,
    ZAP_MECHANISM,
    ZAP_KEY,
    ZAP_PARTS
};
#define ZAP_PART_MAX 256

struct zap {
    void *socket;
    uint8_t (*key)[32]; /* sorted */
    size_t n;
};

int zap_open(void *context, struct zap **out)
{
    struct zap *zap = calloc(1, sizeof(*zap));
    int linger = 0;

    *out = NULL;
    if (!zap)
        return -HL_ENOMEM;
    zap->socket = zmq_socket(context, ZMQ_REP);
    if (!zap->socket || zmq_setsockopt(zap->socket, ZMQ_LINGER, &linger, sizeof(linger)) != 0 ||
        zmq_bind(zap->socket, ZAP_ENDPOINT) != 0) {
        zap_close(zap);
        return -HL_ESYS;
    }
    *out = zap;
    return 0;
}

void zap_close(struct zap *zap)
{
    if (!zap)
        return;
    if (zap->socket)
        zmq_close(zap->socket);
    free(zap->key);
    free(zap);
}

void *zap_socket(const struct zap *zap)
{
    return zap->socket;
}

static int key_cmp(const void *a, const void *b)
{
    return memcmp(a, b, 32);
}

int zap_keys(struct zap *zap, struct span keys)
{
    size_t n = keys.n / 32;
    uint8_t(*key)[32] = calloc(n + 1, 32);

    if (!key)
        return -HL_ENOMEM;
    if (n) {
        memcpy(key, keys.p, n * 32);
        qsort(key, n, 32, key_cmp);
    }
    free(zap->key);
    zap->key = key;
    zap->n = n;
    return 0;
}

bool zap_knows(const struct zap *zap, const uint8_t key[static 32])
{
    return zap->n && bsearch(key, zap->key, zap->n, 32, key_cmp);
}

/* A part longer than any that we accept counts as empty. */
static int zap_receive(void *socket, uint8_t part[ZAP_PARTS][ZAP_PART_MAX], size_t len[ZAP_PARTS])
{
    int more = 1;
    size_t size = sizeof(more), n = 0;

    for (; more; n++) {
        uint8_t spare[ZAP_PART_MAX];
        int got =
            zmq_recv(socket, n < ZAP_PARTS ? part[n] : spare, ZAP_PART_MAX, n ? 0 : ZMQ_DONTWAIT);

        if (got < 0)
            return -HL_ENOENT;
        if (n < ZAP_PARTS)
            len[n] = got <= ZAP_PART_MAX ? (size_t)got : 0;
        zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size);
    }
    return n == ZAP_PARTS ? 0 : -HL_EFORMAT;
}

static bool zap_admits(const struct zap *zap, uint8_t part[ZAP_PARTS][ZAP_PART_MAX],
                       const size_t len[ZAP_PARTS])
{
    return span_eq_str(SPAN(part[ZAP_DOMAIN_PART], len[ZAP_DOMAIN_PART]), ZAP_DOMAIN) &&
           span_eq_str(SPAN(part[ZAP_MECHANISM], len[ZAP_MECHANISM]), "CURVE") &&
           len[ZAP_KEY] == 32 && zap_knows(zap, part[ZAP_KEY]);
}

uint64_t zap_answer(struct zap *zap)
{
    uint8_t part[ZAP_PARTS][ZAP_PART_MAX];
    size_t len[ZAP_PARTS];
    uint64_t refused = 0;
    int rc;

    while ((rc = zap_receive(zap->socket, part, len)) != -HL_ENOENT) {
        bool admit = rc == 0 && zap_admits(zap, part, len);
        char user[65] = "";

        if (admit)
            text_hex(user, part[ZAP_KEY], 32);
        refused += !admit;
        zmq_send(zap->socket, "1.0", 3, ZMQ_SNDMORE);
        zmq_send(zap->socket, part[ZAP_ID], rc == 0 ? len[ZAP_ID] : 0, ZMQ_SNDMORE);
        zmq_send(zap->socket, admit ? "200" : "300", 3, ZMQ_SNDMORE);
        zmq_send(zap->socket, "", 0, ZMQ_SNDMORE);
        zmq_send(zap->socket, user, strlen(user), ZMQ_SNDMORE);
        zmq_send(zap->socket, "", 0, 0);
    }
    return refused;
}
