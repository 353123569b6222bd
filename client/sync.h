#ifndef HL_CLIENT_SYNC_H
#define HL_CLIENT_SYNC_H

#include "client/agent.h"

/*
 * In step with one host.  DOWN -[sync_hello]-> ASKED -[WELCOME]-> GREETED, back to DOWN when the link falls;
 * current when, besides, every entry below the newest signed head is verified.
 *
 * The host is not believed: every checkpoint must be signed by its log key; the entries between our size and its size
 * are fetched and added to our own range, whose root must be the checkpoint's (so consistency holds by construction);
 * public entries among them are folded into the directory, in order.  Two signed checkpoints that contradict each other
 * are a fork: both are kept as evidence, the host is marked dead, and officers are told.  What proves nothing (garbage,
 * entries that lead to no signed root, openings that are not in the log) changes nothing and is shown as a fault.
 *
 * Deliveries: decode, verify, judge at their entry, open, commit check, enc check, numbers; then the desk; then the
 * machine's step (delivered, or cannot-read).  What cannot be judged yet (entries before it not fetched) waits for them;
 * a FLASH does not wait, nor does anything longer than SYNC_LATER_MS: it is judged by what is in force now, shown as not
 * yet in the record, and judged again at its entry.
 * Receipts: the leaf is rebuilt from the envelope held here, its path must lead to the signed root.
 * `seen` of every stamp: the sender's checkpoint of each log must be consistent with ours; else a fork.
 */
struct sync;

int sync_open(struct agent *a, const struct station_host *host, struct sync **out);
/** sync_close - every open request ends with -HL_ENOANSWER first. */
void sync_close(struct sync *s);
/** sync_frame - one frame from the host.  0; what is wrong with the frame is no error of ours; -HL_ESTORE, -HL_ENOMEM end the agent. */
int sync_frame(struct sync *s, struct span frame);
/** sync_tick - hello, time-outs, outbox; *@next: ms until the next.  Errors as sync_frame(). */
int sync_tick(struct sync *s, uint64_t mono_ms, int *next);
/** sync_kick - the outbox has something new. */
void sync_kick(struct sync *s);
/** sync_current - greeted, and every entry of the newest head verified. */
bool sync_current(const struct sync *s);
/** sync_ready - greeted, and was current once since. */
bool sync_ready(const struct sync *s);
/** sync_quiet - current, and nothing more waits for us at the host: openings fetched, mailbox drained. */
bool sync_quiet(const struct sync *s);
/** sync_unanswered - silence for SYNC_ANSWER_MS: broker down, or it does not know our key. */
bool sync_unanswered(const struct sync *s);
bool sync_is_dead(const struct sync *s);
/** sync_state_name - "down", "asked", "up", "current", "dead".  sync_fault_text - what it did wrong, "". */
const char *sync_state_name(const struct sync *s);
const char *sync_fault_text(const struct sync *s);
/** sync_seen - what was verified of this log, for `seen` of a stamp and for the mirror. */
const struct desk_host *sync_seen(const struct sync *s);
struct directory *sync_directory(const struct sync *s);
const struct station_host *sync_host(const struct sync *s);
uint64_t sync_size(const struct sync *s);
/** sync_cosigned_ms - newest time at which a quorum of witnesses had cosigned a checkpoint of this log; 0 unknown. */
uint64_t sync_cosigned_ms(const struct sync *s);
struct link *sync_link(struct sync *s);

/** what FETCH brought: 0 and the bytes, or an error of the host (-HL_E...), -HL_ENOANSWER when the link fell. */
typedef void sync_fetched(void *arg, int rc, struct span bytes);
/** sync_fetch - ask FETCH @what.  -HL_EBUSY (too many open, or the link is full), -HL_ENOANSWER (down): then @fn is not called. */
int sync_fetch(struct sync *s, unsigned what, uint64_t x, uint64_t y, sync_fetched *fn, void *arg);
/** sync_note - a checkpoint that came in an answer, taken as one that the host sent; its size into *@size. -HL_EFORMAT, -HL_EKEY, -HL_ESIG: not of this log. */
int sync_note(struct sync *s, struct span note, uint64_t *size);
/** sync_fetched_next - within a sync_fetched: the second number of the answer (OPENINGS, AUDIT: where to go on). */
uint64_t sync_fetched_next(const struct sync *s);
/** sync_forget - @arg goes away: none of its requests is answered any more. */
void sync_forget(struct sync *s, const void *arg);
/** taking_carried - an envelope brought by hand: judged by @dir as it stands now, stored, answered by the station. Else why not. */
int taking_carried(struct agent *a, const struct directory *dir, struct span envelope, uint8_t mid[static 32], struct buf *why);

#endif
