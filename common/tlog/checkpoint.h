#ifndef HL_TLOG_CHECKPOINT_H
#define HL_TLOG_CHECKPOINT_H

#include "common/tlog/merkle.h"
#include "common/tlog/note.h"

/* C2SP tlog-checkpoint: origin, size, root; no extension lines are written, and none are accepted of our logs. */
struct checkpoint {
    struct span origin; /* borrowed from the note's text */
    uint64_t size;
    uint8_t root[32];
};

#define CHECKPOINT_MAX 16384 /* a note with 32 cosignatures */

int checkpoint_put(struct buf *out, struct span origin, uint64_t size, const uint8_t root[static 32]);
/** checkpoint_parse - the text of a note.  -HL_EFORMAT. */
int checkpoint_parse(struct checkpoint *cp, struct span text);
/**
 * checkpoint_open - parse the note @in, demand that its origin is the key's name and that @log signed it.
 * @note receives the parsed note.  0, -HL_EFORMAT, -HL_EKEY (another log), -HL_ESIG (a line of @log fails, or none stands).
 */
int checkpoint_open(struct checkpoint *cp, struct note *note, struct span in, const struct note_key *log);

/* C2SP tlog-witness add-checkpoint: the request body, as a log writes it and a witness reads it. */
struct add_checkpoint {
    uint64_t old;
    uint8_t proof[MERKLE_MAX_PROOF][32];
    size_t n;
    struct span note; /* the signed checkpoint */
};
/** add_checkpoint_parse - 0 or -HL_EFORMAT; does not look into the note. */
int add_checkpoint_parse(struct add_checkpoint *req, struct span body);
int add_checkpoint_put(struct buf *out, uint64_t old, const uint8_t (*proof)[32], size_t n, struct span note);

#endif
