/*
 * Tiles in a folder.  One hash tile per level and one bundle are kept; proofs walk a path from leaf
 * to root, and audits go from left to right, so both find most of what they need there.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/file.h"
#include "common/tlog/tile.h"

#define LEVELS 8

struct slot {
    bool loaded;
    uint64_t n;
    unsigned width;
    uint8_t hash[TILE_WIDTH][32];
};

struct tile_dir {
    char *path;
    uint64_t size;
    struct slot slot[LEVELS];
    bool bundle_loaded;
    uint64_t bundle_n;
    struct buf bundle;
    struct span entry[TILE_WIDTH];
};

int tile_dir_open(const char *path, uint64_t size, struct tile_dir **out)
{
    struct tile_dir *d = calloc(1, sizeof(*d));

    *out = NULL;
    if (!d)
        return -HL_ENOMEM;
    d->path = strdup(path);
    d->size = size;
    buf_init(&d->bundle, TILE_BUNDLE_MAX);
    if (!d->path) {
        tile_dir_close(d);
        return -HL_ENOMEM;
    }
    *out = d;
    return 0;
}

void tile_dir_close(struct tile_dir *d)
{
    if (!d)
        return;
    buf_release(&d->bundle);
    free(d->path);
    free(d);
}

static int file_path(char out[static PATH_MAX], const char *dir, const struct tile_id *id)
{
    char tile[TILE_PATH_MAX];
    int n;

    tile_path(tile, id);
    n = snprintf(out, PATH_MAX, "%s/%s", dir, tile);
    return n < 0 || n >= PATH_MAX ? -HL_ETOOBIG : 0;
}

/* The file of @id, or of the full tile in place of a missing partial; *width says which. */
static int tile_read(const char *dir, const struct tile_id *id, struct buf *out, unsigned *width)
{
    struct tile_id full = *id;
    char path[PATH_MAX];
    int rc = file_path(path, dir, id);

    *width = id->width;
    if (!rc)
        rc = file_read(path, out);
    if (rc != -HL_ENOENT || id->width == TILE_WIDTH)
        return rc == -HL_ETOOBIG ? -HL_EFORMAT : rc;
    *width = full.width = TILE_WIDTH;
    buf_clear(out);
    rc = file_path(path, dir, &full);
    if (!rc)
        rc = file_read(path, out);
    return rc == -HL_ETOOBIG ? -HL_EFORMAT : rc;
}

static int slot_load(struct tile_dir *d, unsigned level, uint64_t n)
{
    struct slot *s = &d->slot[level];
    struct tile_id id = { level, n, tile_width(level, n, d->size) };
    struct buf raw;
    unsigned width;
    int rc;

    if (s->loaded && s->n == n)
        return 0;
    if (id.width == 0)
        return -HL_EUSAGE;
    s->loaded = false;
    buf_init(&raw, TILE_BYTES);
    rc = tile_read(d->path, &id, &raw, &width);
    if (!rc && raw.n != width * 32)
        rc = -HL_EFORMAT;
    if (!rc) {
        memcpy(s->hash, raw.p, id.width * 32);
        s->n = n;
        s->width = id.width;
        s->loaded = true;
    }
    buf_release(&raw);
    return rc;
}

int tile_dir_get(void *tile_dir, unsigned level, uint64_t n, uint8_t out[static 32])
{
    struct tile_dir *d = tile_dir;
    unsigned height = level % 8, i = (unsigned)(n & ((1U << (8 - height)) - 1));
    const struct slot *s;
    int rc;

    if (level / 8 >= LEVELS)
        return -HL_EUSAGE;
    s = &d->slot[level / 8];
    rc = slot_load(d, level / 8, n >> (8 - height));
    if (rc)
        return rc;
    if ((i + 1) << height > s->width)
        return -HL_EUSAGE;
    tile_subtree_hash(out, HASHES(s->hash), height, i);
    return 0;
}

int tile_dir_bundle(struct tile_dir *d, uint64_t n, struct buf *out, unsigned *width)
{
    struct tile_id id = { TILE_ENTRIES, n, tile_width(TILE_ENTRIES, n, d->size) };

    if (id.width == 0)
        return -HL_EUSAGE;
    buf_clear(out);
    return tile_read(d->path, &id, out, width);
}

static int bundle_split(struct tile_dir *d, unsigned width)
{
    struct span rest = buf_span(&d->bundle), entry;
    unsigned n = 0;
    int rc;

    while (bundle_next(&rest, &entry, &rc)) {
        if (n == width)
            return -HL_EFORMAT;
        d->entry[n++] = entry;
    }
    return rc ? rc : n == width ? 0 : -HL_EFORMAT;
}

static int bundle_load(struct tile_dir *d, uint64_t n)
{
    unsigned width;
    int rc;

    if (d->bundle_loaded && d->bundle_n == n)
        return 0;
    d->bundle_loaded = false;
    rc = tile_dir_bundle(d, n, &d->bundle, &width);
    if (!rc)
        rc = bundle_split(d, width);
    if (!rc) {
        d->bundle_n = n;
        d->bundle_loaded = true;
    }
    return rc;
}

int tile_dir_entry(struct tile_dir *d, uint64_t index, struct buf *out)
{
    int rc;

    if (index >= d->size)
        return -HL_EUSAGE;
    rc = bundle_load(d, index / TILE_WIDTH);
    return rc ? rc : buf_put_span(out, d->entry[index % TILE_WIDTH]);
}

int tile_write(const char *path, const struct tile_id *id, struct span bytes)
{
    char file[PATH_MAX], *slash;
    int rc = file_path(file, path, id);

    if (rc)
        return rc;
    slash = strrchr(file, '/');
    *slash = 0;
    rc = file_mkdir(file, 0755);
    *slash = '/';
    return rc ? rc : file_keep(file, bytes, 0644);
}
