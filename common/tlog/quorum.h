#ifndef HL_TLOG_QUORUM_H
#define HL_TLOG_QUORUM_H

#include "common/tlog/checkpoint.h"
#include "common/tlog/proof.h"

/*
 * C2SP tlog-policy: logs, witnesses, groups, one quorum.  Names before use, a member of at most one
 * group, duplicate public keys refused, k in 1..n.  Small-order keys are refused (-HL_EBADKEY).
 */
#define QUORUM_MAX_LOGS 64
#define QUORUM_MAX_WITNESSES 64
#define QUORUM_MAX_GROUPS 64

struct quorum; /* opaque: the group table has invariants */

/**
 * quorum_parse - 0 with *out (quorum_free() it), or -HL_EFORMAT, -HL_ETOOBIG, -HL_EBADKEY, -HL_EDUPLICATE (a
 * key or name twice, a member of two groups), -HL_ENOMEM; @why then gets a sentence with the line.
 */
int quorum_parse(struct quorum **out, struct span text, struct buf *why);
void quorum_free(struct quorum *q);
size_t quorum_logs(const struct quorum *q);
const struct note_key *quorum_log(const struct quorum *q, size_t i);
size_t quorum_witnesses(const struct quorum *q);
const struct note_key *quorum_witness(const struct quorum *q, size_t i);

struct quorum_result {
    const struct note_key *log; /* which log signed */
    unsigned cosigned, of;      /* witnesses of the policy that cosigned, and their number */
    bool met;
    uint64_t oldest, newest;    /* cosignature seconds among those counted, 0 when none */
    bool by[QUORUM_MAX_WITNESSES];
};

/**
 * quorum_check - open the checkpoint @in under the policy.  0 with @res (met or not),
 * -HL_EFORMAT, -HL_EKEY (signed by no log of the policy), -HL_ESIG (a known key's line fails).
 * On an error *cp and *res are all zeroes.
 */
int quorum_check(const struct quorum *q, struct span in, struct checkpoint *cp, struct quorum_result *res);
/** quorum_check_proof - the whole receipt: log, inclusion of @entry (its bytes; -HL_EPROOF), quorum in @res. Same errors. */
int quorum_check_proof(const struct quorum *q, struct span proof, struct span entry, struct proof *p,
                       struct checkpoint *cp, struct quorum_result *res);

#endif
