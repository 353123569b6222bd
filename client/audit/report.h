#ifndef HL_CLIENT_AUDIT_REPORT_H
#define HL_CLIENT_AUDIT_REPORT_H

#include "common/envelope.h"
#include "common/error.h"

/*
 * What an audit found.
 *
 * VERIFIED: everything that this reader holds is as it must be.  FAILED: something is not; the first bad entry is
 * named.  INCOMPLETE: nothing is wrong, but something that a verdict needs is missing.  FAILED outweighs INCOMPLETE.
 * An alarm is what officers must look at although the log is sound: a party contradicting itself, a clock that is
 * off, a false notice.  Alarms do not change the verdict.
 */
enum audit_verdict { AUDIT_VERIFIED, AUDIT_FAILED, AUDIT_INCOMPLETE };

#define AUDIT_LINES_MAX 200 /* of a list; more are counted, not shown */

struct audit_lines {
    size_t n;
    struct buf text; /* one sentence a line */
};

/* The numbers of one sender on one channel. */
struct audit_number {
    char sender[64];
    uint8_t channel[32];
    char name[64];       /* of the channel, when its agreement is open */
    uint64_t upto;       /* all numbers 1..upto are here */
    uint64_t highest;    /* the highest seen */
    uint64_t held;       /* how many are here */
    uint64_t last_index; /* entry of the highest */
};

struct audit_report {
    char path[512];
    enum realm realm;
    char origin[256];
    int failed;            /* 0 or -HL_E...: the first thing that is wrong */
    bool at_entry;
    uint64_t failed_entry; /* when at_entry */
    struct buf why;
    struct audit_lines missing, alarms;

    uint64_t size;         /* of the newest checkpoint */
    uint64_t checked;      /* entries below this one were judged */
    uint64_t documents, commitments, opened, unopened;
    uint64_t envelopes, signatures, agreements, notices, dummies;
    uint64_t first_ms, last_ms; /* of opened records; 0 when none */
    uint64_t checkpoints, consistent;
    uint64_t good_size;    /* of the last checkpoint that the entries lead to */
    unsigned cosigned, witnesses;
    bool quorum;
    uint64_t witnessed;    /* entries under the largest checkpoint that meets the quorum */
    uint64_t cosigned_ms;  /* newest cosignature */
    uint64_t alone;        /* released alone, or break-glass */
    uint64_t due, in_time, late, unanswered; /* action addressees of messages with a deadline */
    size_t n_numbers;
    struct audit_number *number;
};

void audit_report_init(struct audit_report *r, const char *path);
void audit_report_release(struct audit_report *r);
enum audit_verdict audit_verdict(const struct audit_report *r);
/** audit_exit - enum hl_exit of a verdict: 0, 3, 4. */
int audit_exit(enum audit_verdict v);
const char *audit_verdict_name(enum audit_verdict v);

/** audit_fail - note the first failure; later ones are dropped.  Returns @rc. */
int audit_fail(struct audit_report *r, int rc, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int audit_fail_entry(struct audit_report *r, uint64_t index, int rc, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void audit_missing(struct audit_report *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void audit_alarm(struct audit_report *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** audit_card - append the verdict card for a terminal. */
int audit_card(struct buf *out, const struct audit_report *r);
/** audit_json - append the same as one JSON object, schema hotline.audit/1. */
int audit_json(struct buf *out, const struct audit_report *r);

#endif
