#ifndef HL_CLIENT_SYNC_H
#define HL_CLIENT_SYNC_H

#include "client/agent.h"

/*
 * In step with one host.  DOWN -[sync_hello]-> GREETED -[sync_entries]-> CURRENT, back to DOWN when the link falls.
 *
 * The host is not believed: every checkpoint must be signed by its log key; the entries between our size and its size
 * are fetched and added to our own range, whose root must be the checkpoint's (so consistency holds by construction);
 * public entries among them are folded into the directory, in order.  A contradiction is a fork: both notes are kept
 * as evidence, the host is marked dead, and officers are told.
 *
 * Deliveries: decode, verify, judge at their entry, open, commit check, enc check, numbers; then the desk; then the
 * machine's step (delivered, or cannot-read).  What cannot be judged yet (entries behind it not fetched) waits for them.
 * Receipts: the leaf is rebuilt from the envelope held here, its path must lead to the signed root.
 * `seen` of every stamp: the sender's checkpoint of this log must be consistent with ours; else a fork.
 */
struct sync;

int sync_open(struct agent *a, const struct station_host *host, struct sync **out);
void sync_close(struct sync *s);
/** sync_frame - one frame from the host. */
int sync_frame(struct sync *s, struct span frame);
/** sync_tick - hello, time-outs, outbox; returns ms until the next. */
int sync_tick(struct sync *s, uint64_t mono_ms);
/** sync_kick - the outbox has something new. */
void sync_kick(struct sync *s);
bool sync_current(const struct sync *s);
const struct directory *sync_directory(const struct sync *s);
const struct station_host *sync_host(const struct sync *s);
uint64_t sync_size(const struct sync *s);
struct link *sync_link(struct sync *s);
/** sync_fetch - ask FETCH @what; @fn gets the FETCHED bytes or an error (-HL_ENOANSWER when the link falls). */
int sync_fetch(struct sync *s, unsigned what, uint64_t x, uint64_t y, void (*fn)(void *arg, int rc, struct span bytes), void *arg);

#endif
