#include "server/log.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/tlog/tile.h"

/*
 * The tree in tiles of 256 hashes.  A tile in memory is a heap: node 1 is its root, the children of
 * node k are 2k and 2k + 1, its hashes are nodes 256..511; so every subtree of it is there for the
 * asking, and appending costs two hashes.  Kept are the partial tile of each level (the right edge)
 * and some full tiles: those that proofs used last, and all that are staged, for the store reads
 * them back only after the commit.
 *
 * Tile n of level l covers the entries n << 8(l+1) .. (n+1) << 8(l+1); the edge of level l holds
 * (size >> 8l) mod 256 hashes.
 */
#define LEVELS 8
#define CACHE_TILES 64
#define NODE_HASHES 256 /* node of the first hash */

struct tile {
    struct tile *next; /* cache: most recently used first */
    unsigned level;
    uint64_t n;
    uint8_t node[2 * TILE_WIDTH][32];
};

struct log {
    struct store *st;
    enum realm realm;
    uint64_t size, time_ms;
    int bad; /* a tile could not be staged: store and tree differ, nothing more is appended */
    struct tile edge[LEVELS];
    struct tile *cache;
};

static uint64_t covered(uint64_t size, unsigned level)
{
    return size >> (8 * level);
}

/* Put the hash number @i in its place and make the nodes that are complete with it. */
static void tile_add(struct tile *t, unsigned i, const uint8_t hash[static 32])
{
    unsigned k = NODE_HASHES + i;

    memcpy(t->node[k], hash, 32);
    for (; k > 1 && (k & 1); k /= 2)
        merkle_node(t->node[k / 2], t->node[k - 1], t->node[k]);
}

/* ---- full tiles ---- */

static bool committed(const struct log *log, const struct tile *t)
{
    return covered(store_size(log->st), t->level + 1) > t->n;
}

/* Drop the least recently used committed tile beyond the limit. */
static void cache_trim(struct log *log)
{
    struct tile **drop = NULL;
    size_t n = 0;

    for (struct tile **at = &log->cache; *at; at = &(*at)->next, n++)
        if (n >= CACHE_TILES && committed(log, *at))
            drop = at;
    if (drop) {
        struct tile *t = *drop;

        *drop = t->next;
        free(t);
    }
}

static void cache_put(struct log *log, struct tile *t)
{
    t->next = log->cache;
    log->cache = t;
    cache_trim(log);
}

static struct tile *cache_get(struct log *log, unsigned level, uint64_t n)
{
    for (struct tile **at = &log->cache; *at; at = &(*at)->next) {
        struct tile *t = *at;

        if (t->level != level || t->n != n)
            continue;
        *at = t->next;
        t->next = log->cache;
        log->cache = t;
        return t;
    }
    return NULL;
}

static int tile_load(struct log *log, unsigned level, uint64_t n, struct tile **out)
{
    struct tile *t = calloc(1, sizeof(*t));
    int rc;

    if (!t)
        return -HL_ENOMEM;
    t->level = level;
    t->n = n;
    rc = store_read_tile(log->st, level, n, t->node + NODE_HASHES);
    if (rc) {
        free(t);
        return rc == -HL_ENOENT ? -HL_ESTORE : rc; /* the head says that it is there */
    }
    for (unsigned k = NODE_HASHES - 1; k > 0; k--)
        merkle_node(t->node[k], t->node[2 * k], t->node[2 * k + 1]);
    cache_put(log, t);
    *out = t;
    return 0;
}

/* The tile in memory, partial or full. */
static int tile_find(struct log *log, unsigned level, uint64_t n, struct tile **out)
{
    if (n == covered(log->size, level + 1)) {
        *out = &log->edge[level];
        return 0;
    }
    *out = cache_get(log, level, n);
    return *out ? 0 : tile_load(log, level, n, out);
}

/* merkle_get: subtree of height @level number @n, complete within the size. */
static int log_get(void *arg, unsigned level, uint64_t n, uint8_t out[static 32])
{
    struct log *log = arg;
    unsigned height = level % 8;
    uint64_t first = n << height; /* of the hashes of its tile's level */
    struct tile *t;
    int rc = tile_find(log, level / 8, first / TILE_WIDTH, &t);

    if (!rc)
        memcpy(out, t->node[(NODE_HASHES >> height) + (n % (TILE_WIDTH >> height))], 32);
    return rc;
}

/* ---- opening ---- */

static int edge_load(struct log *log, unsigned level)
{
    uint64_t hashes = covered(log->size, level);
    unsigned n = hashes % TILE_WIDTH;
    uint8_t hash[TILE_WIDTH][32];
    int rc;

    if (level == 0)
        rc = store_read_leaves(log->st, hashes - n, n, hash);
    else
        rc = store_read_tile_roots(log->st, level - 1, hashes - n, n, hash);
    for (unsigned i = 0; !rc && i < n; i++)
        tile_add(&log->edge[level], i, hash[i]);
    return rc == -HL_ENOENT ? -HL_ESTORE : rc;
}

int log_open(struct store *st, enum realm realm, const struct store_head *head, struct log **out)
{
    struct log *log = calloc(1, sizeof(*log));
    uint8_t root[32];
    int rc = 0;

    *out = NULL;
    if (!log)
        return -HL_ENOMEM;
    log->st = st;
    log->realm = realm;
    log->size = head->size;
    log->time_ms = head->time_ms;
    for (unsigned level = 0; !rc && level < LEVELS; level++)
        rc = edge_load(log, level);
    log_root(log, root);
    if (!rc && memcmp(root, head->root, sizeof(root)) != 0)
        rc = -HL_ESTORE;
    if (rc)
        log_close(log);
    else
        *out = log;
    return rc;
}

void log_close(struct log *log)
{
    if (!log)
        return;
    while (log->cache) {
        struct tile *t = log->cache;

        log->cache = t->next;
        free(t);
    }
    free(log);
}

uint64_t log_size(const struct log *log)
{
    return log->size;
}

uint64_t log_time(const struct log *log, uint64_t now_ms)
{
    return now_ms > log->time_ms ? now_ms : log->time_ms;
}

/* ---- appending ---- */

/* The edge of @level is full: stage it, keep it, begin anew. @root receives its root. */
static int tile_done(struct log *log, unsigned level, uint8_t root[static 32])
{
    uint64_t n = covered(log->size, level + 1);
    struct tile *t = malloc(sizeof(*t));
    int rc;

    if (!t)
        return -HL_ENOMEM;
    *t = log->edge[level];
    t->level = level;
    t->n = n;
    rc = store_stage_tile(log->st, level, n, SPAN(t->node[NODE_HASHES], TILE_BYTES));
    if (rc) {
        free(t);
        return rc;
    }
    memcpy(root, t->node[1], 32);
    cache_put(log, t);
    return 0;
}

static int tree_add(struct log *log, const uint8_t leaf[static 32])
{
    uint8_t hash[32];
    int rc = 0;

    memcpy(hash, leaf, sizeof(hash));
    for (unsigned level = 0; !rc && level < LEVELS; level++) {
        unsigned i = covered(log->size, level) % TILE_WIDTH;

        tile_add(&log->edge[level], i, hash);
        if (i != TILE_WIDTH - 1)
            break;
        rc = tile_done(log, level, hash);
    }
    log->size++;
    return rc;
}

/* What the tree commits to: a document itself, of everything else the salted hash. */
static void leaf_of(const struct log *log, struct store_entry *e)
{
    uint8_t entry[32];

    if (e->kind == ENTRY_DOCUMENT) {
        merkle_leaf(e->leaf, e->record);
        return;
    }
    record_entry(entry, log->realm, e->salt, e->record);
    merkle_leaf(e->leaf, SPAN(entry, sizeof(entry)));
}

int log_append(struct log *log, struct store_entry *e, uint8_t salt_out[static 32])
{
    int rc;

    assert(e->time_ms >= log->time_ms);
    if (log->bad)
        return log->bad;
    if (e->kind == ENTRY_DOCUMENT) {
        e->salt = NULL;
    } else if (!e->salt) {
        randombytes_buf(salt_out, 32);
        e->salt = salt_out;
    }
    e->index = log->size;
    leaf_of(log, e);
    rc = store_stage_entry(log->st, e);
    if (rc)
        return rc;
    log->time_ms = e->time_ms;
    log->bad = tree_add(log, e->leaf);
    return log->bad;
}

/* ---- proving ---- */

/* The edge holds the complete subtrees that the size
 * is the sum of: one for each bit, the smallest last. */
void log_root(const struct log *log, uint8_t root[static 32])
{
    bool first = true;

    merkle_empty(root);
    for (unsigned bit = 0; log->size >> bit; bit++) {
        unsigned height = bit % 8;
        const uint8_t(*node)[32] = HASHES(log->edge[bit / 8].node);
        uint64_t i = (covered(log->size, bit / 8) % TILE_WIDTH) >> height;

        if (!(i & 1))
            continue;
        node += (NODE_HASHES >> height) + i - 1;
        if (first)
            memcpy(root, *node, 32);
        else
            merkle_node(root, *node, root);
        first = false;
    }
}

int log_root_at(struct log *log, uint64_t size, uint8_t root[static 32])
{
    return size > log->size ? -HL_EUSAGE : merkle_root(size, log_get, log, root);
}

int log_inclusion(struct log *log, uint64_t index, uint64_t size,
                  uint8_t proof[static MERKLE_MAX_PROOF][32], size_t *n)
{
    *n = 0;
    if (size > log->size)
        return -HL_EUSAGE;
    return merkle_prove_inclusion(index, size, log_get, log, proof, n);
}

int log_consistency(struct log *log, uint64_t size1, uint64_t size2,
                    uint8_t proof[static MERKLE_MAX_PROOF][32], size_t *n)
{
    *n = 0;
    if (size2 > log->size)
        return -HL_EUSAGE;
    return merkle_prove_consistency(size1, size2, log_get, log, proof, n);
}

int log_tile(struct log *log, unsigned level, uint64_t n, struct buf *out)
{
    unsigned width = level < LEVELS ? tile_width(level, n, store_size(log->st)) : 0;
    struct tile *t;
    int rc;

    if (!width)
        return -HL_ENOENT;
    rc = tile_find(log, level, n, &t);
    return rc ? rc : buf_put(out, t->node[NODE_HASHES], (size_t)width * 32);
}
