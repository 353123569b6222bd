#ifndef HL_CLIENT_AUDIT_FOLD_H
#define HL_CLIENT_AUDIT_FOLD_H

#include "client/audit/numbers.h"
#include "client/audit/tree.h"
#include "common/directory.h"
#include "common/record.h"
#include "common/rules.h"

/*
 * The second pass of an audit: entries in order, judged as the host had to judge them.
 *
 *   public document        directory_apply()                        what is in force from here
 *   commitment, opened     record_entry() == entry, record_decode()
 *     envelope             envelope_verify(), rules_judge() at its entry, its number
 *     agreement note       directory_apply()
 *     notice, dummy        counted; notices are compared with the steps by the third pass (answers.h)
 *   commitment, closed     counted: normal for a reader of one's own traffic
 *
 * The first entry that fails ends the pass.
 */

/* A message that wants answers, and what was said about it. */
struct asked {
    uint64_t index, deadline_s;
};
struct told {
    uint64_t target, index; /* entries of the message, and of the step or notice about it */
    bool notice;
};

struct fold {
    const struct mirror *m;
    const struct audit_tree *tree;
    struct audit_report *r;
    struct directory *dir;
    struct tile_dir *d;
    struct idmap mids;     /* -> first entry with this message */
    struct idmap unpinned; /* parties already missed */
    struct numbers numbers;
    size_t n_asked, cap_asked, n_told, cap_told;
    struct asked *asked;
    struct told *told;
    struct buf scratch;       /* opening of a target */
    struct header target;     /* borrows from scratch */
    uint64_t seen_size;       /* memo of the last root asked for */
    uint8_t seen_root[32];
};

/** fold_init - a directory with the mirror's pins.  -HL_ENOMEM. */
int fold_init(struct fold *f, const struct mirror *m, const struct audit_tree *t, struct audit_report *r);
void fold_release(struct fold *f);
/** fold_run - all entries that are held.  0 whatever the verdict; -HL_ENOMEM, -HL_ESYS. */
int fold_run(struct fold *f);
/** fold_record - read entry @index's opening into @buf and decode it.  0 or an error that was already judged. */
int fold_record(const struct fold *f, uint64_t index, struct buf *buf, struct record *rec);

/* What a batch worker found out about one entry. */
struct item {
    uint64_t index;
    uint64_t next_ms; /* time of the next opened record in the batch, 0 none */
    struct buf entry, opening;
    bool opened;
    int rc; /* of opening, record and signatures */
    const char *what;
    struct record record;
    struct envelope env;
};
/** fold_item - judge one entry after its worker.  0 or an internal error; a verdict is in the report. */
int fold_item(struct fold *f, struct item *it);

#endif
