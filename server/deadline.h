#ifndef HL_SERVER_DEADLINE_H
#define HL_SERVER_DEADLINE_H

#include "common/envelope.h"
#include "server/hmap.h"
#include "server/store.h"

/*
 * Messages that wait for an answer of their action addressees.  Bounded by what is open, not by the log.
 *
 *     (recorded, due) -[deadline_add]-> OPEN -[deadline_step: the last action addressee answered]-> closed
 *                                        |-[deadline_due: time passed]-> input of the turn (notices, escalation)
 *                                        +-[deadline_again / deadline_close]
 *
 * An officer's step answers (acknowledged, understood, passed, refused), an alternate's for its principal; a machine's
 * step only says "delivered".  What stands is rebuilt at the start from the steps and notices that the sender got.
 */
struct due_to {
    char poc[64];
    uint8_t role;
    bool delivered, answered;
};

struct deadline {
    struct hmap_node node; /* by mid */
    size_t at; /* place in the heap */
    uint8_t mid[32], channel[32];
    char sender[64];
    uint64_t index, time_ms, due_ms;
    unsigned precedence, stage; /* how often it fell due; it falls due every (due_ms - time_ms) / (stage + 1) */
    size_t n;
    struct due_to to[]; /* as in the header */
};

struct deadlines;

/** deadlines_open - what the store has open, with the steps since. */
int deadlines_open(struct store *st, enum realm realm, struct deadlines **out);
void deadlines_close(struct deadlines *ds);
/** deadline_add - the message of @env, entry @index at @time_ms, is due at @due_ms; a message that is open stays as it was. */
int deadline_add(struct deadlines *ds, const struct envelope *env, uint64_t index, uint64_t time_ms, uint64_t due_ms);
/** deadline_open - is message @mid open? */
bool deadline_open(const struct deadlines *ds, const uint8_t mid[static 32]);
/** deadline_step - @poc answered (@kind) message @mid.  The deadline when it was the last answer: the caller closes it; else NULL. */
struct deadline *deadline_step(struct deadlines *ds, const uint8_t mid[static 32], struct span poc, unsigned kind);
/** deadline_due - the first that is due at @now_ms, or NULL. */
struct deadline *deadline_due(struct deadlines *ds, uint64_t now_ms);
/** deadline_again - due again at @due_ms, one stage further.  deadline_close - over. */
int deadline_again(struct deadlines *ds, struct deadline *d, uint64_t due_ms);
int deadline_close(struct deadlines *ds, struct deadline *d);
/** deadline_next_ms - when the next is due; UINT64_MAX = none. */
uint64_t deadline_next_ms(const struct deadlines *ds);
size_t deadlines_count(const struct deadlines *ds);

#endif
