#include "server/hmap.h"

#include <assert.h>
#include <stdlib.h>

#include <sodium.h>

#include "common/error.h"

#define HMAP_FIRST 64

int hmap_init(struct hmap *m)
{
    static_assert(sizeof(m->secret) == crypto_shorthash_KEYBYTES, "key of SipHash");
    *m = (struct hmap){ .size = HMAP_FIRST };
    m->bucket = calloc(m->size, sizeof(*m->bucket));
    if (!m->bucket)
        return -HL_ENOMEM;
    randombytes_buf(m->secret, sizeof(m->secret));
    return 0;
}

void hmap_release(struct hmap *m)
{
    free(m->bucket);
    *m = (struct hmap){ 0 };
}

static struct hmap_node **hmap_slot(const struct hmap *m, struct span key)
{
    uint8_t hash[crypto_shorthash_BYTES];

    crypto_shorthash(hash, key.p, key.n, m->secret);
    return &m->bucket[get_u64(hash) & (m->size - 1)];
}

struct hmap_node *hmap_find(const struct hmap *m, struct span key)
{
    struct hmap_node *node = m->bucket ? *hmap_slot(m, key) : NULL;

    while (node && !span_eq(node->key, key))
        node = node->next;
    return node;
}

/* A map that cannot grow only becomes slower. */
static void hmap_grow(struct hmap *m)
{
    struct hmap old = *m;

    m->bucket = calloc(old.size * 2, sizeof(*m->bucket));
    if (!m->bucket) {
        *m = old;
        return;
    }
    m->size = old.size * 2;
    for (size_t i = 0; i < old.size; i++) {
        for (struct hmap_node *node = old.bucket[i], *next; node; node = next) {
            struct hmap_node **slot = hmap_slot(m, node->key);

            next = node->next;
            node->next = *slot;
            *slot = node;
        }
    }
    free(old.bucket);
}

void hmap_add(struct hmap *m, struct hmap_node *node)
{
    struct hmap_node **slot;

    if (m->n >= m->size)
        hmap_grow(m);
    slot = hmap_slot(m, node->key);
    node->next = *slot;
    *slot = node;
    m->n++;
}

void hmap_remove(struct hmap *m, struct hmap_node *node)
{
    struct hmap_node **slot = hmap_slot(m, node->key);

    while (*slot && *slot != node)
        slot = &(*slot)->next;
    assert(*slot == node);
    *slot = node->next;
    node->next = NULL;
    m->n--;
}

void hmap_each(struct hmap *m, void (*fn)(void *arg, struct hmap_node *node), void *arg)
{
    for (size_t i = 0; m->bucket && i < m->size; i++) {
        for (struct hmap_node *node = m->bucket[i], *next; node; node = next) {
            next = node->next;
            fn(arg, node);
        }
    }
}
