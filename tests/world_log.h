#ifndef HL_TESTS_WORLD_LOG_H
#define HL_TESTS_WORLD_LOG_H

#include "client/audit/mirror_dir.h"
#include "common/record.h"
#include "tests/world.h"

/*
 * A log of the fictional world, made entry by entry in the folder of a mirror: signed by "doria/log", cosigned by
 * "arcadia/witness" (1), "borealia/witness" (2), "caldera/witness" (4); policy of the agreement (2 of 3).
 */
struct world_log {
    struct world w;
    char path[256];
    struct mirror_dir *m;
    struct merkle_range range;
    uint64_t now_ms; /* of the next record */
    uint32_t salts;
};

/** world_log_open - a new folder under /tmp, removed by world_log_close().  Policy and the pin of arcadia are written. */
void world_log_open(struct world_log *l, enum realm realm);
void world_log_close(struct world_log *l);
/** world_log_open_at - in the folder @path, which world_log_leave() leaves there. */
void world_log_open_at(struct world_log *l, enum realm realm, const char *path);
void world_log_leave(struct world_log *l);
uint64_t world_log_size(const struct world_log *l);
/** Each appends one entry and returns its index; @open: its opening is written too. */
uint64_t world_log_document(struct world_log *l, struct span note);
uint64_t world_log_record(struct world_log *l, const struct record *r, bool open);
uint64_t world_log_note(struct world_log *l, struct span agreement_note, bool open);
uint64_t world_log_notice(struct world_log *l, enum notice_kind kind, const uint8_t *mid, const char *poc);
uint64_t world_log_message(struct world_log *l, const struct world_message *m, uint8_t mid[static 32], bool open);
/** world_log_ground - cards, subkeys, agreement notes: 14 entries. */
void world_log_ground(struct world_log *l);
/** world_log_checkpoint - sign the head and write it; @witnesses: sum of bits; all cosign at now. */
void world_log_checkpoint(struct world_log *l, unsigned witnesses);
/** world_log_head - append the signed note of @size, @root instead. */
void world_log_head(struct buf *out, const struct world_log *l, uint64_t size, const uint8_t root[static 32],
                    unsigned witnesses);

#endif
