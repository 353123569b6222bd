#ifndef HL_SERVER_ZAP_H
#define HL_SERVER_ZAP_H

#include "common/buf.h"

/*
 * Who may connect: the handler of ZeroMQ's authentication protocol (RFC 27/ZAP), answered from a table in memory.
 *
 * An unknown or suspended key gets status 300: silence.  libzmq drops the peer at the end of its handshake
 * interval and the peer tries again, so a key that is admitted later needs no restart at the other end (400
 * would stop it for good).  The User-Id of an admitted peer is its key in hex: what the front tells the core.
 *
 * The table also mutes: revocation does not cut a live connection, so every frame is looked up again.
 */
#define ZAP_ENDPOINT "inproc://zeromq.zap.01"
#define ZAP_DOMAIN "hotline"

struct zap;

/** zap_open - bind the handler; must precede every socket that it guards.  -HL_ESYS, -HL_ENOMEM. */
int zap_open(void *zmq_context, struct zap **out);
void zap_close(struct zap *zap);
void *zap_socket(const struct zap *zap);
/** zap_keys - replace the table: @n keys of 32 bytes, any order.  -HL_ENOMEM (the old table stays). */
int zap_keys(struct zap *zap, struct span keys);
bool zap_knows(const struct zap *zap, const uint8_t key[static 32]);
/** zap_answer - answer every request that waits; returns how many were refused. */
uint64_t zap_answer(struct zap *zap);

#endif
