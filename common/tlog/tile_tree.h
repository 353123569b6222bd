#ifndef HL_TLOG_TILE_TREE_H
#define HL_TLOG_TILE_TREE_H

#include "common/tlog/checkpoint.h"
#include "common/tlog/tile_build.h"

/*
 * A tree of tiles in a folder that grows (C2SP tlog-tiles): what a broker publishes and a mirror holds.  Full bundles and
 * full tiles go to disk as they fill; the rest of the right edge is in memory until a checkpoint covers it.
 *
 *   COUNTING -[tile_tree_put_entries]-> COUNTING -[tile_tree_put_checkpoint]-> COVERED -[tile_tree_put_entries]-> COUNTING
 *
 * Durable and in order: tiles before the checkpoint that needs them, by rename; the partials of the checkpoint before go
 * last.  The writer refuses what cannot belong together: entries that do not lead to the note's root, other bytes under
 * a tile's name.  It verifies no signature.
 */
#define TILE_TREE_PATH 512 /* of the folder, with its NUL */

struct tile_tree;

/**
 * tile_tree_open - take up where the folder's checkpoint stands, or begin anew.  The folder exists.
 * -HL_ESTORE (its tiles do not lead to its checkpoint), -HL_ENOENT (a tile is missing), -HL_EFORMAT, -HL_ETOOBIG, -HL_ESYS, -HL_ENOMEM.
 */
int tile_tree_open(const char *path, struct tile_tree **out);
void tile_tree_close(struct tile_tree *t);
/** tile_tree_size - entries held: the index of the next one to put.  tile_tree_covered - of the checkpoint on disk. */
uint64_t tile_tree_size(const struct tile_tree *t);
uint64_t tile_tree_covered(const struct tile_tree *t);
/** tile_tree_put_entries - (u16 length || entry)* from tile_tree_size() on.  -HL_EFORMAT, -HL_EFORK (other bytes stand there), -HL_ESYS; after an error close it. */
int tile_tree_put_entries(struct tile_tree *t, struct span bundle);
/** tile_tree_check - may @note cover what is held?  -HL_EFORMAT, -HL_EINCOMPLETE (another size), -HL_EPROOF (another root). */
int tile_tree_check(const struct tile_tree *t, struct span note);
/** tile_tree_put_checkpoint - check, then partial tiles, then `checkpoint`, then the partials of the one before are removed. */
int tile_tree_put_checkpoint(struct tile_tree *t, struct span note);
/** tile_tree_entry - copy entry @index that is held.  -HL_EINCOMPLETE, -HL_EFORMAT. */
int tile_tree_entry(struct tile_tree *t, uint64_t index, struct buf *out);

#endif
