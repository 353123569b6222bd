#include "common/tlog/tile_tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/error.h"
#include "common/file.h"

#define PATH_SIZE (TILE_TREE_PATH + TILE_PATH_MAX)

struct tile_tree {
    char path[TILE_TREE_PATH];
    uint64_t covered;      /* size of the checkpoint on disk */
    struct buf bundle;     /* entries of the bundle that is filling */
    struct tile_dir *full; /* the full bundles on disk */
    uint64_t full_size;
    struct tile_builder tiles;
};

static void path_of(char out[static PATH_SIZE], const struct tile_tree *t, const char *name)
{
    snprintf(out, PATH_SIZE, "%s/%s", t->path, name);
}

static int emit(void *arg, const struct tile_id *id, struct span hashes)
{
    const struct tile_tree *t = arg;

    return tile_write(t->path, id, hashes);
}

static int note_open(struct checkpoint *cp, struct span in)
{
    struct note *note = malloc(sizeof(*note));
    int rc = note ? note_parse(note, in) : -HL_ENOMEM;

    if (!rc)
        rc = checkpoint_parse(cp, note->text);
    free(note);
    return rc;
}

/* ---- taking up where the folder stands ---- */

/* The entries that the next bundle begins with: those
 * of the tree, or a wider bundle would pass damage on. */
static int resume_bundle(struct tile_tree *t, struct tile_dir *d, uint64_t size)
{
    uint8_t leaf[32], hash[32];
    struct buf entry;
    int rc = 0;

    buf_init(&entry, UINT16_MAX);
    for (uint64_t i = size - size % TILE_WIDTH; i < size && !rc; i++) {
        buf_clear(&entry);
        rc = tile_dir_entry(d, i, &entry);
        if (!rc)
            rc = tile_dir_get(d, 0, i, hash);
        merkle_leaf(leaf, buf_span(&entry));
        if (!rc && memcmp(leaf, hash, 32) != 0)
            rc = -HL_ESTORE;
        if (!rc)
            rc = bundle_put(&t->bundle, buf_span(&entry));
    }
    buf_release(&entry);
    return rc;
}

static int resume_at(struct tile_tree *t, const struct checkpoint *cp)
{
    struct tile_dir *d;
    uint8_t root[32];
    int rc = tile_dir_open(t->path, cp->size, &d);

    if (!rc)
        rc = tile_builder_resume(&t->tiles, cp->size, d);
    if (!rc)
        rc = resume_bundle(t, d, cp->size);
    if (!rc) {
        merkle_range_root(&t->tiles.range, root);
        rc = memcmp(root, cp->root, 32) ? -HL_ESTORE : 0;
    }
    t->covered = cp->size;
    tile_dir_close(d);
    return rc;
}

static int resume(struct tile_tree *t)
{
    char path[PATH_SIZE];
    struct checkpoint cp;
    struct buf note;
    int rc;

    path_of(path, t, "checkpoint");
    buf_init(&note, CHECKPOINT_MAX);
    rc = file_read(path, &note);
    if (!rc)
        rc = note_open(&cp, buf_span(&note));
    if (!rc)
        rc = resume_at(t, &cp);
    else if (rc == -HL_ENOENT)
        rc = 0; /* a new tree */
    buf_release(&note);
    return rc;
}

int tile_tree_open(const char *path, struct tile_tree **out)
{
    struct tile_tree *t;
    int rc;

    *out = NULL;
    if (strlen(path) >= TILE_TREE_PATH)
        return -HL_ETOOBIG;
    t = calloc(1, sizeof(*t));
    if (!t)
        return -HL_ENOMEM;
    snprintf(t->path, sizeof(t->path), "%s", path);
    buf_init(&t->bundle, TILE_WIDTH * (2 + UINT16_MAX));
    tile_builder_init(&t->tiles, emit, t);
    rc = resume(t);
    if (rc)
        tile_tree_close(t);
    else
        *out = t;
    return rc;
}

void tile_tree_close(struct tile_tree *t)
{
    if (!t)
        return;
    tile_dir_close(t->full);
    buf_release(&t->bundle);
    free(t);
}

uint64_t tile_tree_size(const struct tile_tree *t)
{
    return t->tiles.range.size;
}

uint64_t tile_tree_covered(const struct tile_tree *t)
{
    return t->covered;
}

/* ---- growing ---- */

static int bundle_flush(struct tile_tree *t, unsigned width)
{
    struct tile_id id = { TILE_ENTRIES, (tile_tree_size(t) - 1) / TILE_WIDTH, width };

    return tile_write(t->path, &id, buf_span(&t->bundle));
}

int tile_tree_put_entries(struct tile_tree *t, struct span bundle)
{
    struct span entry;
    int rc = 0;

    while (!rc && bundle_next(&bundle, &entry, &rc)) {
        uint8_t leaf[32];

        merkle_leaf(leaf, entry);
        rc = bundle_put(&t->bundle, entry);
        if (!rc)
            rc = tile_builder_add(&t->tiles, leaf);
        if (!rc && tile_tree_size(t) % TILE_WIDTH == 0) {
            rc = bundle_flush(t, TILE_WIDTH);
            buf_clear(&t->bundle);
        }
    }
    return rc;
}

/* What the tree of the last checkpoint had as partial tiles, and the present one has no more. */
static void remove_partials(const struct tile_tree *t, uint64_t old)
{
    for (unsigned i = 0; i <= TILE_LEVELS; i++) {
        unsigned level = i == TILE_LEVELS ? TILE_ENTRIES : i;
        uint64_t hashes = old >> (level == TILE_ENTRIES ? 0 : 8 * level);
        struct tile_id id = { level, hashes / TILE_WIDTH, hashes % TILE_WIDTH };
        char path[PATH_SIZE], tile[TILE_PATH_MAX];

        if (!id.width || tile_width(level, id.n, tile_tree_size(t)) == id.width)
            continue;
        tile_path(tile, &id);
        path_of(path, t, tile);
        unlink(path); /* one that stays does no harm */
        *strrchr(path, '/') = 0;
        rmdir(path);
    }
}

int tile_tree_check(const struct tile_tree *t, struct span note)
{
    struct checkpoint cp;
    uint8_t root[32];
    int rc = note_open(&cp, note);

    if (rc)
        return rc;
    if (cp.size != tile_tree_size(t))
        return -HL_EINCOMPLETE;
    merkle_range_root(&t->tiles.range, root);
    return memcmp(root, cp.root, 32) == 0 ? 0 : -HL_EPROOF;
}

int tile_tree_put_checkpoint(struct tile_tree *t, struct span note)
{
    uint64_t size = tile_tree_size(t), old = t->covered;
    char path[PATH_SIZE];
    int rc = tile_tree_check(t, note);

    if (!rc && size % TILE_WIDTH)
        rc = bundle_flush(t, (unsigned)(size % TILE_WIDTH));
    if (!rc)
        rc = tile_builder_partials(&t->tiles);
    path_of(path, t, "checkpoint");
    if (!rc)
        rc = file_publish(path, note, 0644);
    if (!rc) {
        t->covered = size;
        remove_partials(t, old);
    }
    return rc;
}

/* ---- reading back ---- */

/* Entry @index out of the bundle that is filling. */
static int pending_entry(const struct tile_tree *t, uint64_t index, struct buf *out)
{
    struct span rest = buf_span(&t->bundle), entry = SPAN_NONE;
    int rc = 0;

    for (uint64_t i = 0; i <= index % TILE_WIDTH; i++)
        if (!bundle_next(&rest, &entry, &rc))
            return -HL_EINCOMPLETE;
    return buf_put_span(out, entry);
}

int tile_tree_entry(struct tile_tree *t, uint64_t index, struct buf *out)
{
    uint64_t full = tile_tree_size(t) / TILE_WIDTH * TILE_WIDTH;
    int rc = 0;

    if (index >= full)
        return pending_entry(t, index, out);
    if (!t->full || t->full_size != full) {
        tile_dir_close(t->full);
        rc = tile_dir_open(t->path, full, &t->full);
        t->full_size = full;
    }
    return rc ? rc : tile_dir_entry(t->full, index, out);
}
