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
/** link_fd - readable when link_receive() should be called (edge-triggered, as ZMQ_FD: call until it says 0). */
int link_fd(const struct link *l);
/** link_send - 0, or -HL_EBUSY (would block: try again after link_receive), -HL_ENOANSWER (down). */
int link_send(struct link *l, struct span frame);
/** link_receive - 1: a frame in @out (borrowed until the next call); 0: nothing now. */
int link_receive(struct link *l, struct span *out);
/** link_tick - time-outs and re-creation; returns ms until the next. */
int link_tick(struct link *l, uint64_t mono_ms);
enum link_state link_state(const struct link *l);

#endif
