#ifndef HL_TLOG_TILE_H
#define HL_TLOG_TILE_H

#include "common/buf.h"
#include "common/tlog/merkle.h"

/*
 * C2SP tlog-tiles: tiles of height 8 (256 hashes, 8,192 bytes), entry bundles of 256 x (u16 length
 * || entry).  Paths: tile/<L>/<N>[.p/<W>], tile/entries/<N>[.p/<W>].
 */
#define TILE_WIDTH 256
#define TILE_BYTES (TILE_WIDTH * 32)
#define TILE_PATH_MAX 96
#define TILE_ENTRIES 255 /* as @level: an entry bundle */

struct tile_id {
    unsigned level; /* 0..7, or TILE_ENTRIES */
    uint64_t n;
    unsigned width; /* 1..256 */
};

/** tile_path - "tile/0/x001/234.p/17". */
void tile_path(char out[static TILE_PATH_MAX], const struct tile_id *id);
/** tile_parse - the reverse, strict.  0 or -HL_EFORMAT. */
int tile_parse(struct tile_id *id, struct span path);
/** tile_width - the width of tile (@level, @n) in a tree of @size entries: 0..256. */
unsigned tile_width(unsigned level, uint64_t n, uint64_t size);
/** tile_subtree_hash - root of the subtree of 2^@height leaves-of-the-tile number @i in a tile's @hashes (height 0..8). */
void tile_subtree_hash(uint8_t out[static 32], const uint8_t (*hashes)[32], unsigned height, unsigned i);
/** bundle_next - next entry of a bundle; false at the end (*rc 0) and when it is cut short (*rc -HL_EFORMAT). */
bool bundle_next(struct span *rest, struct span *entry, int *rc);
int bundle_put(struct buf *out, struct span entry);

/*
 * Tiles in a folder (mirror or publication).  tile_dir_get() is a merkle_get over the folder for a tree
 * of @size entries, with a small cache; a missing partial falls back to the full tile.  Returns 0,
 * -HL_ENOENT (no such file), -HL_EFORMAT (a file of the wrong length), -HL_EUSAGE (not in this tree).
 * Hashes are believed as they stand; a verifier compares what follows from them with a signed root.
 */
struct tile_dir;
int tile_dir_open(const char *path, uint64_t size, struct tile_dir **out);
void tile_dir_close(struct tile_dir *d);
int tile_dir_get(void *tile_dir, unsigned level, uint64_t n, uint8_t out[static 32]);
/** tile_dir_entry - append entry @index to @out.  -HL_ENOENT (INCOMPLETE), -HL_EFORMAT, -HL_EUSAGE (beyond the size). */
int tile_dir_entry(struct tile_dir *d, uint64_t index, struct buf *out);
/** tile_dir_bundle - the bytes of bundle @n into @out (cleared first), unread; *width entries belong there. */
int tile_dir_bundle(struct tile_dir *d, uint64_t n, struct buf *out, unsigned *width);
#define TILE_BUNDLE_MAX (TILE_WIDTH * (2 + 65535))
/** tile_write - write one tile or bundle under @path durably; the same bytes may stand there already, other bytes are -HL_EFORK. */
int tile_write(const char *path, const struct tile_id *id, struct span bytes);

#endif
