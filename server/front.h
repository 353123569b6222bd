#ifndef HL_SERVER_FRONT_H
#define HL_SERVER_FRONT_H

#include "keys/transport.h"

/*
 * The front: frames <-> connections, and nothing else.  It holds the ROUTER, the ZAP handler and the transport
 * key; no file, no store.  It is not believed: what it hands to the core counts by its signature alone.
 *
 *   waits for KEYS -[front_keys]-> bound -[core gone]-> ends
 *
 * It binds only after the core has sent the table of keys, so no connection is ever judged by an empty one.  A
 * connection is named by ZeroMQ's own routing id, which never leaves the host.  While the core does not keep up
 * (FRONT_BUDGET bytes wait for it) the ROUTER is not read, and the peers' queues fill instead of ours.  A peer
 * that does not read has FRONT_PENDING bytes; then the core is told that it is gone.
 */
#define FRONT_BUDGET (2u << 20)
#define FRONT_PENDING (1u << 20) /* of one connection */
#define FRONT_SLOW 64            /* connections with pending bytes at once */
#define FRONT_DESCRIPTORS 65536  /* as far as the hard limit lets us */

/** front_run - serve @listen ("tcp://127.0.0.1:41873") until the core is gone; closes @fd.  0, -HL_ESYS (bind; a line on stderr). */
int front_run(int fd, const char *listen, const struct transport_key *key);

#endif
