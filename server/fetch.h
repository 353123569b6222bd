#ifndef HL_SERVER_FETCH_H
#define HL_SERVER_FETCH_H

#include "server/stages.h"

/*
 * Answers to FETCH: reads only, of what is committed, at most about two chunks each.  Entries, tiles and proofs are for
 * everybody; bodies for sender and recipients; openings for whom they are addressed to; AUDIT for those that an agreement
 * names as auditor with full mandate: every opening of that agreement, as OPENING frames, envelopes included.
 *
 * How much was covered stands in b of FETCHED: entries given (ENTRIES), where to go on (OPENINGS, AUDIT).
 */
#define FETCH_COUNT_MAX 256

/** fetch_frame - one FETCH of the READY session @s.  0, or a code that ends the process. */
int fetch_frame(struct stages *st, struct session *s, const struct frame *f);

#endif
