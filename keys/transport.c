#include "keys/transport.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>
#include <zmq.h>

#include "common/error.h"
#include "keys/secret_bytes.h"

struct transport_key {
    uint8_t pk[32];
    struct secret *sk;
};

/* Takes @sk, also on failure. */
static int from_secret(struct transport_key **out, struct secret *sk)
{
    struct transport_key *key = sk ? malloc(sizeof(*key)) : NULL;

    *out = NULL;
    if (!key || crypto_scalarmult_base(key->pk, sk->p)) {
        secret_free(sk);
        free(key);
        return -HL_ENOMEM;
    }
    key->sk = sk;
    *out = key;
    return 0;
}

int transport_temporary(struct transport_key **out)
{
    return from_secret(out, secret_random(crypto_scalarmult_SCALARBYTES));
}

int transport_new(const char *path, enum realm realm, const char *name, const struct secret *pass,
                  uint8_t pub[static 32])
{
    struct transport_key *key;
    int rc = transport_temporary(&key);

    if (!rc)
        rc = keyfile_create(path, realm, KEY_TRANSPORT, name, key->pk, key->sk, pass);
    if (!rc)
        memcpy(pub, key->pk, 32);
    transport_free(key);
    return rc;
}

int transport_load(const char *path, enum realm realm, const struct secret *pass,
                   struct transport_key **out)
{
    struct secret *sk;
    int rc = keyfile_load(path, realm, KEY_TRANSPORT, pass, &sk);

    *out = NULL;
    return rc ? rc : from_secret(out, sk);
}

void transport_free(struct transport_key *key)
{
    if (!key)
        return;
    secret_free(key->sk);
    free(key);
}

const uint8_t *transport_public(const struct transport_key *key)
{
    return key->pk;
}

int transport_server(void *socket, const struct transport_key *key)
{
    int yes = 1;

    return zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &yes, sizeof(yes)) ||
                   zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, key->sk->p, key->sk->n)
               ? -HL_ESYS
               : 0;
}

int transport_client(void *socket, const struct transport_key *key, const uint8_t server[static 32])
{
    return zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, server, 32) ||
                   zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, key->pk, sizeof(key->pk)) ||
                   zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, key->sk->p, key->sk->n)
               ? -HL_ESYS
               : 0;
}
