#ifndef HL_TLOG_PROOF_H
#define HL_TLOG_PROOF_H

#include "common/tlog/checkpoint.h"
#include "common/tlog/merkle.h"

/* C2SP tlog-proof: a receipt.  "c2sp.org/tlog-proof@v1", [extra], index, hashes, empty line, checkpoint. */
#define PROOF_MAX 131072
#define PROOF_LINE_MAX 65535

struct proof {
    bool has_extra;
    struct span extra_base64; /* borrowed; decode with text_unbase64 */
    uint64_t index;
    uint8_t hash[MERKLE_MAX_PROOF][32];
    size_t n;
    struct span note; /* the checkpoint, borrowed */
};

/** proof_parse - strict; 0, -HL_EFORMAT, -HL_ETOOBIG; on failure *p is all zeroes.  Does not look into the note. */
int proof_parse(struct proof *p, struct span in);
/** proof_put - @extra raw bytes (base64 is ours); an empty span writes no extra line. */
int proof_put(struct buf *out, struct span extra, uint64_t index, const uint8_t (*hash)[32], size_t n,
              struct span note);

#endif
