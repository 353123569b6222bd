#ifndef HL_SERVER_ENTRIES_H
#define HL_SERVER_ENTRIES_H

#include "common/envelope.h"
#include "common/record.h"
#include "server/log.h"

/*
 * The only place where the turn makes entries: builds the record (FORMATS 3), lets the log give it index, salt and
 * leaf, and says what came of it.  Decides nothing.  Any error ends the process: half an entry is staged.
 */
struct entries {
    struct log *log;
    enum realm realm;
    struct buf record; /* scratch */
};

struct entry {
    uint64_t index, time_ms;
    uint8_t salt[32]; /* zeros for a public document */
};

struct notice {
    enum notice_kind kind;
    const uint8_t *mid; /* NULL = none */
    struct span poc;    /* whom it is about; may be empty */
    struct span detail; /* UTF-8, cut to RECORD_DETAIL_MAX */
    /* of the message that it is about; channel NULL = none */
    const uint8_t *channel;
    struct span sender;
};

void entries_init(struct entries *e, struct log *log, enum realm realm);
void entries_release(struct entries *e);
/** entries_envelope - @body when it came inline, else its chunks were staged under its id. */
int entries_envelope(struct entries *e, const struct envelope *env, struct span body, uint64_t time_ms, struct entry *out);
int entries_agreement(struct entries *e, struct span note, uint64_t time_ms, struct entry *out);
int entries_notice(struct entries *e, const struct notice *notice, uint64_t time_ms, struct entry *out);
/** entries_document - a card, subkeys or stop note: the entry is the note. */
int entries_document(struct entries *e, struct span note, uint64_t time_ms, struct entry *out);

#endif
