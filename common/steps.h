#ifndef HL_COMMON_STEPS_H
#define HL_COMMON_STEPS_H

#include "common/envelope.h"

/*
 * The state of a message at each recipient, from the record alone: which steps stand, when it was due.
 * Feed entries in index order; pure, bounded by the recipients of one message.
 */
struct step_state {
    struct span poc;
    unsigned role;
    uint64_t delivered_ms, acknowledged_ms, last_ms;
    uint64_t delivered_index, acknowledged_index;
    unsigned last; /* highest kind seen: 0, 16..21 */
    unsigned code;
    bool by_alternate; /* an alternate's acknowledgement counts for its principal */
};

struct steps {
    uint64_t recorded_ms, due_ms; /* due 0 = none */
    size_t n;
    struct step_state at[ENVELOPE_TO_MAX];
};

/**
 * steps_due - when an answer is due to a message of @from_ms with @deadline_s; 0 = never.  Never is also what is beyond
 * UINT32_MAX seconds or beyond 2^63 ms: no host opens such a deadline, and no desk may show one that wrapped.
 */
uint64_t steps_due(uint64_t from_ms, uint64_t deadline_s);
/** steps_init - for a message recorded at @recorded_ms with @deadline_s (0 none). */
void steps_init(struct steps *s, const struct header *h, uint64_t recorded_ms, uint64_t deadline_s);
/** steps_add - one step by @poc recorded at @time_ms as entry @index.  -HL_ETARGET when @poc is no recipient. */
int steps_add(struct steps *s, struct span poc, unsigned kind, unsigned code, uint64_t time_ms, uint64_t index);
/** steps_overdue - action addressees neither acknowledged (by them or an alternate) at @now; *undelivered counts those without a machine step. */
size_t steps_overdue(const struct steps *s, uint64_t now_ms, size_t *undelivered);

#endif
