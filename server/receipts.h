#ifndef HL_SERVER_RECEIPTS_H
#define HL_SERVER_RECEIPTS_H

#include "server/entries.h"
#include "server/outbox.h"
#include "server/session.h"

/*
 * Answers that wait for a signature.  An entry is promised only under a signed checkpoint: receipts_wait() when it is
 * staged (or found, for a duplicate), receipts_release() when a note covers it.  Each connection gets the note once,
 * as CHECKPOINT, then RECORDED with index, salt, time and path for each of its entries.
 *
 * Memory only: whoever loses its connection submits again and gets the same entry's receipt.
 */
#define RECEIPTS_MAX 65536

struct receipts;

int receipts_open(struct log *log, struct sessions *sessions, struct outbox *outbox, struct receipts **out);
void receipts_close(struct receipts *r);
/** receipts_wait - @document: a public one, which has no salt.  -HL_EBUSY at the limit. */
int receipts_wait(struct receipts *r, uint64_t conn, uint64_t tag, const struct entry *entry, bool document);
/** receipts_release - what waits below @size goes out under @note. */
int receipts_release(struct receipts *r, uint64_t size, struct span note);
/** receipts_checkpoint - @note to @s, unless it has had it (or a newer one). */
void receipts_checkpoint(struct receipts *r, struct session *s, uint64_t size, struct span note);
void receipts_gone(struct receipts *r, uint64_t conn);
size_t receipts_waiting(const struct receipts *r);

#endif
