#ifndef HL_CLIENT_AUDIT_NUMBERS_H
#define HL_CLIENT_AUDIT_NUMBERS_H

#include "client/audit/idmap.h"
#include "client/audit/report.h"

/* The numbers that opened envelopes bear, per (sender, channel): which are taken, which are missing. */
struct series;
struct numbers {
    struct idmap taken; /* (sender, channel, chain, seq) -> entry */
    struct idmap by_id; /* (sender, channel) -> series */
    size_t n, cap;
    struct series *v;
};

/** numbers_add - entry @index bears the number of @env.  1 when another entry has it (into *other), 0, -HL_ENOMEM. */
int numbers_add(struct numbers *n, const struct envelope *env, uint64_t index, uint64_t *other);
/** numbers_name - the channel of @env is called @name. */
void numbers_name(struct numbers *n, const struct envelope *env, struct span name);
/** numbers_report - fill the report's numbers, in order by sender and channel; gaps are missing. */
int numbers_report(struct numbers *n, struct audit_report *r);
void numbers_release(struct numbers *n);

#endif
