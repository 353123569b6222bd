#ifndef HL_CLIENT_LINK_H
#define HL_CLIENT_LINK_H

#include "common/wire.h"
#include "client/station.h"

/*
 * One connection to one broker: a DEALER of its own with the options of docs (HWM, heartbeats, back-off), a monitor
 * for authentication failures, re-created when libzmq gave up.  Carries frames; knows nothing of what they mean.
 */
struct link;

enum link_state { LINK_DOWN, LINK_UP };

int link_open(void *zmq_context, const struct station_host *host, const struct transport_key *key, struct link **out);
void link_close(struct link *l);
/** link_sockets - the two ZeroMQ sockets (traffic, monitor) for zmq_poll(); @out[1] may be NULL. */
void link_sockets(const struct link *l, void *out[static 2]);
/** link_send - 0, or -HL_EBUSY (would block: try again after link_receive), -HL_ENOANSWER (down). */
int link_send(struct link *l, struct span frame);
/** link_receive - 1: a frame in @out (borrowed until the next call); 0: nothing now. */
int link_receive(struct link *l, struct span *out);
/** link_tick - drains the monitor, re-creates the socket when it is due; returns ms until the next, -1 none. */
int link_tick(struct link *l, uint64_t mono_ms);
enum link_state link_state(const struct link *l);

#endif
