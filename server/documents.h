#ifndef HL_SERVER_DOCUMENTS_H
#define HL_SERVER_DOCUMENTS_H

#include "common/directory.h"
#include "server/entries.h"
#include "server/queue.h"

/*
 * Documents: judged by the directory, recorded, folded in, and kept for the next start.
 *
 * A party's first card is taken from the operator's folder, or from anyone when a pin or an agreement that stands here
 * names its root set.  An agreement is taken when it names this host.  A card that contradicts the one in force freezes
 * its party: it is no entry, but it is kept as evidence, and the freeze outlives a restart.
 *
 * Kept under "card/<party>/<serial>", "subkeys/<poc>/<serial>", "stop/<party>/<what>/<id>",
 * "agreement/<digest>/<party>", "conflict/<party>", "evidence/<n>": as much of it as directory_restore() needs, no more.
 */
struct documents;

/* What became of a document. */
struct admitted {
    struct directory_change change;
    struct entry entry;                /* new, or of the same note recorded earlier */
    bool known;                        /* it was recorded earlier: nothing new */
    const struct agreement *agreement; /* of an agreement note: whose members get its opening */
};

int documents_open(struct store *st, struct entries *entries, enum realm realm, const char *origin, struct directory *dir,
                   struct documents **out);
void documents_close(struct documents *d);
/**
 * documents_admit - judge @note and stage it.  0 with @out; a negative code with a sentence in @why: refused, nothing
 * staged but evidence of a conflict.  *@fatal: the process has to end.
 */
int documents_admit(struct documents *d, struct span note, bool from_folder, uint64_t time_ms, struct admitted *out,
                    struct buf *why, bool *fatal);
/** documents_audience - every PoC that gets the opening of @a's notes, once: members and auditors. */
int documents_audience(const struct agreement *a, int (*fn)(void *arg, struct span poc), void *arg);
/** documents_scan - queue what stands in folder @path and is not recorded: cards by serial, then agreements, subkeys, stops. */
int documents_scan(struct documents *d, const char *path, struct queue *q, size_t *n);
/** documents_evidence - keep @bytes (an envelope's record that contradicts one in the log); of EVIDENCE_MAX the oldest goes. */
#define EVIDENCE_MAX 64
int documents_evidence(struct documents *d, uint64_t index, uint64_t time_ms, struct span bytes);
size_t documents_count(const struct documents *d);

#endif
