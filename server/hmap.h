#ifndef HL_SERVER_HMAP_H
#define HL_SERVER_HMAP_H

#include "common/buf.h"

/*
 * Hash table of nodes that live inside their owners (first member), by byte keys that the owners hold.
 * Keyed SipHash, because the keys are chosen by strangers.  It owns its buckets only; limits are the owner's.
 */
struct hmap_node {
    struct hmap_node *next;
    struct span key; /* points into the owner, unchanged while in the map */
};

struct hmap {
    struct hmap_node **bucket;
    size_t n, size; /* nodes; buckets, a power of two */
    uint8_t secret[16];
};

int hmap_init(struct hmap *m);
/** hmap_release - frees the buckets; the nodes were taken out or are freed by hmap_each(). */
void hmap_release(struct hmap *m);
struct hmap_node *hmap_find(const struct hmap *m, struct span key);
/** hmap_add - @node is not in the map, nor is its key. */
void hmap_add(struct hmap *m, struct hmap_node *node);
void hmap_remove(struct hmap *m, struct hmap_node *node);
/** hmap_each - @fn may remove and free the node it is given, no other. */
void hmap_each(struct hmap *m, void (*fn)(void *arg, struct hmap_node *node), void *arg);

#endif
