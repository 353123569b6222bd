#ifndef HL_KEYS_SECRET_BYTES_H
#define HL_KEYS_SECRET_BYTES_H

#include "common/name.h"
#include "keys/secret.h"

/*
 * What only keys/ sees of a secret; no file outside this folder includes it.
 *
 * Long-lived secrets are in sodium_malloc() memory (guard pages around, locked, wiped when freed) and
 * read-only once they are filled.  Values of one call may live on its stack, if the call wipes them on
 * every path.
 */
struct secret {
    size_t n;
    uint8_t *p; /* sodium_malloc; its end touches the guard page */
};

static inline struct span secret_span(const struct secret *s)
{
    return SPAN(s->p, s->n);
}

/** secret_lock - from now on a write to the bytes ends the process. */
void secret_lock(struct secret *s);
/** secret_copy - a second guarded copy, locked; NULL for NULL or when out of memory. */
struct secret *secret_copy(const struct secret *s);

/**
 * guarded_init - a buffer of at most @max bytes in guarded memory.  It never moves, so nothing is left
 * behind in the heap.  guarded_release() wipes; buf_release() must not be called.  -HL_ENOMEM.
 */
int guarded_init(struct buf *b, size_t max);
void guarded_release(struct buf *b);

/** mac_label - M(key, L(purpose) || parts). */
void mac_label(uint8_t out[static 32], struct span key, enum realm realm, const char *purpose,
               const struct span *parts, size_t n);
/** hash_label - H(L(purpose) || parts). */
void hash_label(uint8_t out[static 32], enum realm realm, const char *purpose,
                const struct span *parts, size_t n);

#endif
