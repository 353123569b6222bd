#ifndef HL_CLIENT_AUDIT_PROVE_H
#define HL_CLIENT_AUDIT_PROVE_H

#include "client/audit/report.h"
#include "common/record.h"
#include "common/tlog/quorum.h"

/* Receipts: made from a mirror, and judged with nothing but the entry and a policy. */

/**
 * audit_prove - append the tlog-proof of entry @index of the mirror in @dir under its newest checkpoint to @out; with the
 * opening as extra when the mirror has it.  What is written has been verified.
 * 0; -HL_EINCOMPLETE (a file is missing, no such entry yet), -HL_EPROOF, -HL_ELEAF, -HL_EKEY, -HL_ESIG, -HL_EFORMAT,
 * -HL_ENOMEM, -HL_ESYS; @why gets a sentence.
 */
int audit_prove(const char *dir, uint64_t index, struct buf *out, struct buf *why);

struct audit_receipt {
    enum audit_verdict verdict;
    int rc; /* -HL_E... unless VERIFIED */
    struct buf why;
    char origin[256];
    uint64_t index, size;
    struct quorum_result witnesses; /* .log is not kept */
    /* of the opening that rides in the proof */
    bool opened;
    enum realm realm;
    enum record_type type;
    uint64_t time_ms;
    char number[NUMBER_SIZE], sender[64]; /* of an envelope */
    unsigned kind;
};

/**
 * audit_receipt - judge a receipt: signatures and inclusion, then the quorum, then its opening.
 * VERIFIED: @entry stands in the log, and as many witnesses saw it as the policy wants.  INCOMPLETE: logged, not
 * witnessed; or the policy does not parse.  FAILED: anything else.  audit_receipt_release() it.
 */
int audit_receipt(struct span proof, struct span entry, struct span policy, struct audit_receipt *r);
void audit_receipt_release(struct audit_receipt *r);
int audit_receipt_card(struct buf *out, const struct audit_receipt *r);
int audit_receipt_json(struct buf *out, const struct audit_receipt *r);

#endif
