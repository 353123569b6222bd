#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/directory_inner.h"
#include "common/error.h"

void map_init(struct map *m)
{
    *m = (struct map){ 0 };
    randombytes_buf(m->seed, sizeof(m->seed)); /* keys come from strangers */
}

void map_release(struct map *m)
{
    free(m->slot);
    *m = (struct map){ 0 };
}

static uint64_t hash_of(const struct map *m, struct span key)
{
    uint8_t hash[crypto_shorthash_BYTES];

    crypto_shorthash(hash, key.n ? key.p : (const uint8_t *)"", key.n, m->seed);
    return get_u64(hash);
}

/* The slot of @key, or the free one where it would go. */
static struct slot *find(const struct map *m, struct span key, uint64_t hash)
{
    size_t i = hash & (m->cap - 1);

    while (m->slot[i].value && (m->slot[i].hash != hash || !span_eq(m->slot[i].key, key)))
        i = (i + 1) & (m->cap - 1);
    return &m->slot[i];
}

int map_reserve(struct map *m, size_t n)
{
    struct map big = *m;

    while (big.cap == 0 || (m->n + n) * 2 > big.cap)
        big.cap = big.cap ? 2 * big.cap : 64;
    if (big.cap == m->cap)
        return 0;
    big.slot = calloc(big.cap, sizeof(*big.slot));
    if (!big.slot)
        return -HL_ENOMEM;
    for (size_t i = 0; i < m->cap; i++)
        if (m->slot[i].value)
            *find(&big, m->slot[i].key, m->slot[i].hash) = m->slot[i];
    free(m->slot);
    *m = big;
    return 0;
}

void map_put(struct map *m, struct span key, void *value)
{
    uint64_t hash = hash_of(m, key);
    struct slot *slot = find(m, key, hash);

    m->n += slot->value == NULL;
    *slot = (struct slot){ key, hash, value };
}

void *map_get(const struct map *m, struct span key)
{
    return m->cap ? find(m, key, hash_of(m, key))->value : NULL;
}
