#ifndef HL_COMMON_TLOG_TILE_BUILD_H
#define HL_COMMON_TLOG_TILE_BUILD_H

#include "common/tlog/tile.h"

/*
 * The hash tiles of a tree that grows leaf by leaf: who publishes writes what it emits, who verifies
 * compares it with what was published.  Full tiles are emitted as they fill, in the order in which they do
 * (a level before the one above it); partial ones when asked for.
 */
#define TILE_LEVELS 8

/** receives one tile; non-zero ends the call that emitted it, and the builder is of no further use. */
typedef int tile_emit(void *arg, const struct tile_id *id, struct span hashes);

struct tile_builder {
    struct merkle_range range; /* .size leaves so far */
    tile_emit *emit;
    void *arg;
    uint8_t hash[TILE_LEVELS][TILE_WIDTH][32];
};

void tile_builder_init(struct tile_builder *b, tile_emit *emit, void *arg);
/** tile_builder_add - one leaf hash.  0, or what @emit returned. */
int tile_builder_add(struct tile_builder *b, const uint8_t leaf[static 32]);
/** tile_builder_partials - emit the partial tile of every level at the present size. */
int tile_builder_partials(struct tile_builder *b);
/** tile_builder_resume - take up at @size from the tiles in @d.  0 or as tile_dir_get(). */
int tile_builder_resume(struct tile_builder *b, uint64_t size, struct tile_dir *d);

#endif
