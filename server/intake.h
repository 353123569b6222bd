#ifndef HL_SERVER_INTAKE_H
#define HL_SERVER_INTAKE_H

#include "server/stages.h"
#include "server/work.h"

/*
 * One input becomes entries, or a refusal: judge, then do.  The only part of the turn that stages entries.
 *
 * Every function returns 0, or a negative code that ends the process: something is staged in half, or memory or store
 * gave up.  A refusal is no failure; it goes to the outbox.
 *
 * A refusal of an envelope whose signature was verified by a key of the directory is also recorded (notice "refused", to
 * the PoC of that key), within quota_take(); two envelopes of one number are both kept.
 */
struct intake {
    struct stages *st;
    size_t entries, bytes, copies; /* staged by this turn; copies: mail and events */
    /* of the input at hand */
    struct verdict verdict;
    struct recipient to[ENVELOPE_TO_MAX];
    bool has[ENVELOPE_TO_MAX]; /* of in->to: he has the message already */
    size_t n_to;
    struct envelope env; /* of a stream that became whole */
};

void intake_begin(struct intake *in, struct stages *st);
/** intake_envelope - the envelope of @w (SUBMIT or whole front), verified or not. */
int intake_envelope(struct intake *in, struct work *w);
/** intake_chunk - body bytes of a stream. */
int intake_chunk(struct intake *in, const struct work *w);
int intake_document(struct intake *in, uint64_t conn, uint64_t tag, struct span note);
/** intake_due - deadlines that passed, at most @max entries: notices and escalation. */
int intake_due(struct intake *in, size_t max);

#endif
