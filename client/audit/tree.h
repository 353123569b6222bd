#ifndef HL_CLIENT_AUDIT_TREE_H
#define HL_CLIENT_AUDIT_TREE_H

#include "client/audit/mirror_dir.h"
#include "client/audit/report.h"

/*
 * The first pass of an audit: every entry is hashed again, to leaves, to tiles, to the root that the log signed; every
 * kept checkpoint must lie on the way.
 */

/* A checkpoint and when it was cosigned: an entry below size is no younger than oldest_ms. */
struct audit_bracket {
    uint64_t size;
    uint64_t oldest_ms, newest_ms; /* 0: not cosigned */
};

struct audit_tree {
    struct checkpoint head;
    struct note_key log;
    uint64_t held;      /* entries 0..held-1 are here without a gap */
    size_t n_brackets;  /* ascending by size, the newest checkpoint last */
    struct audit_bracket *bracket;
};

/**
 * audit_tree - fill the report's tree part.  0 whatever the verdict; -HL_ENOMEM, -HL_ESYS when it could not be done.
 * @t: what the second pass needs; audit_tree_release() it.
 */
int audit_tree(const struct mirror *m, struct audit_tree *t, struct audit_report *r);
void audit_tree_release(struct audit_tree *t);

#endif
