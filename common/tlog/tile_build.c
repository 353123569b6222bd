#include "common/tlog/tile_build.h"

#include <string.h>

void tile_builder_init(struct tile_builder *b, tile_emit *emit, void *arg)
{
    merkle_range_init(&b->range);
    b->emit = emit;
    b->arg = arg;
}

int tile_builder_add(struct tile_builder *b, const uint8_t leaf[static 32])
{
    uint64_t n = b->range.size; /* number of the hash in its level */
    uint8_t hash[32];

    memcpy(hash, leaf, 32);
    merkle_range_add(&b->range, leaf);
    for (unsigned level = 0; level < TILE_LEVELS; level++) {
        struct tile_id id = { level, n / TILE_WIDTH, TILE_WIDTH };
        int rc;

        memcpy(b->hash[level][n % TILE_WIDTH], hash, 32);
        if (n % TILE_WIDTH != TILE_WIDTH - 1)
            break;
        rc = b->emit(b->arg, &id, SPAN(b->hash[level], TILE_BYTES));
        if (rc)
            return rc;
        tile_subtree_hash(hash, HASHES(b->hash[level]), 8, 0);
        n /= TILE_WIDTH;
    }
    return 0;
}

int tile_builder_partials(struct tile_builder *b)
{
    for (unsigned level = 0; level < TILE_LEVELS; level++) {
        uint64_t n = (b->range.size >> (8 * level)) / TILE_WIDTH;
        struct tile_id id = { level, n, tile_width(level, n, b->range.size) };
        int rc = 0;

        if (id.width)
            rc = b->emit(b->arg, &id, SPAN(b->hash[level], id.width * 32));
        if (rc)
            return rc;
    }
    return 0;
}

/* The roots of the full subtrees, largest first: what a range of @size leaves keeps. */
static int resume_range(struct merkle_range *r, uint64_t size, struct tile_dir *d)
{
    uint64_t first = 0;

    merkle_range_init(r);
    r->size = size;
    for (unsigned level = 63; level-- > 0;) {
        int rc = 0;

        if (!(size >> level & 1))
            continue;
        rc = tile_dir_get(d, level, first >> level, r->hash[r->n++]);
        if (rc)
            return rc;
        first += UINT64_C(1) << level;
    }
    return 0;
}

int tile_builder_resume(struct tile_builder *b, uint64_t size, struct tile_dir *d)
{
    int rc = resume_range(&b->range, size, d);

    for (unsigned level = 0; level < TILE_LEVELS && !rc; level++) {
        uint64_t hashes = size >> (8 * level), first = hashes & ~UINT64_C(0xff);

        for (uint64_t n = first; n < hashes && !rc; n++)
            rc = tile_dir_get(d, 8 * level, n, b->hash[level][n % TILE_WIDTH]);
    }
    return rc;
}
