#ifndef HL_COMMON_RULES_H
#define HL_COMMON_RULES_H

#include "common/directory.h"
#include "common/envelope.h"

/*
 * May this envelope be accepted?  Facts in, verdict out; the broker before it records, every reader before
 * it shows, the auditor for each entry.  Pure.  The signature itself was checked by envelope_verify();
 * order of checks as in FORMATS 2, Identity: key in force and permitted for the kind, draft key and holder,
 * agreement (channel, members, parties that signed, category, marking, precedence, PSK duty, attachment
 * size bucket, two-person rule), target, number.
 */
enum number_state { NUMBER_FREE, NUMBER_SAME, NUMBER_OTHER };

/* What is known of refs[0], where the kind has a target. */
struct target {
    bool known;
    unsigned kind;
    struct span sender;
    const uint8_t *channel;
    size_t n_to;
    const struct recipient *to;
};

struct rules_facts {
    const struct directory *dir;
    uint64_t at, time_ms; /* of the entry, or DIRECTORY_NOW and the clock before recording */
    struct span origin;   /* the host that records; empty for a reader who checks no host */
    enum number_state number;
    struct target target;
};

struct verdict {
    int rc;             /* 0 or -HL_E... */
    char sentence[256]; /* what the officer reads: which name, which list, what to do */
    bool alone;         /* accepted, but flagged: released alone or break-glass */
    uint64_t deadline_s, handling_s; /* that bind here, by precedence and agreement */
    const struct agreement *agreement;
    const struct agreement_channel *channel;
};

int rules_judge(const struct envelope *env, const struct rules_facts *f, struct verdict *v);

/** rules_recipients - the recipients of @env, with the defaults of FORMATS 2 for empty lists (steps). Returns the count, at most @max; -HL_ETARGET when the target is needed and unknown. */
int rules_recipients(const struct envelope *env, const struct target *t, struct recipient *out, size_t max);

#endif
