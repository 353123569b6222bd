#ifndef HL_KEYS_TRANSPORT_H
#define HL_KEYS_TRANSPORT_H

#include "keys/keyfile.h"

/* Transport keys (CURVE, X25519) and where they meet ZeroMQ: nothing else sees the secret half. */
struct transport_key; /* opaque */

int transport_new(const char *path, enum realm realm, const char *name, const struct secret *pass, uint8_t pub[static 32]);
int transport_load(const char *path, enum realm realm, const struct secret *pass, struct transport_key **out);
/** transport_temporary - a key that lives only in memory (tests, bench). */
int transport_temporary(struct transport_key **out);
void transport_free(struct transport_key *key);
const uint8_t *transport_public(const struct transport_key *key);
/** transport_server - make @socket a CURVE server with this key. transport_client - a client of @server. Errors: -HL_ESYS. */
int transport_server(void *socket, const struct transport_key *key);
int transport_client(void *socket, const struct transport_key *key, const uint8_t server[static 32]);

#endif
