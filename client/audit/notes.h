#ifndef HL_CLIENT_AUDIT_NOTES_H
#define HL_CLIENT_AUDIT_NOTES_H

#include "client/audit/tree.h"

/* The checkpoints of a mirror, verified under its policy, ascending by size. */
struct kept_note {
    struct checkpoint cp; /* its origin is not kept */
    uint64_t oldest_ms, newest_ms;
};

struct notes {
    size_t n, cap;
    struct kept_note *v; /* earlier ones, without the newest */
};

/**
 * notes_load - judge the newest checkpoint (report: origin, size, witnesses, quorum; @t: head, log, brackets) and those
 * in checkpoints/.  0 whatever the verdict, or -HL_ENOMEM, -HL_ESYS.
 */
int notes_load(const struct mirror *m, struct audit_tree *t, struct notes *notes, struct audit_report *r);
void notes_release(struct notes *notes);

#endif
