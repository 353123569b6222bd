/* Every keyed and unkeyed hash of keys/ begins with
 * a label (FORMATS, head): two purposes never meet. */
#include <assert.h>

#include <sodium.h>

#include "keys/secret_bytes.h"

#define LABEL_MAX 64

/* A buf over the caller's array: with max below cap it never reallocates. */
static struct span label(uint8_t room[static LABEL_MAX], enum realm realm, const char *purpose)
{
    struct buf b = { .p = room, .cap = LABEL_MAX, .max = LABEL_MAX - 1 };

    label_put(&b, realm, purpose);
    assert(!b.bad);
    return buf_span(&b);
}

void mac_label(uint8_t out[static 32], struct span key, enum realm realm, const char *purpose,
               const struct span *parts, size_t n)
{
    crypto_auth_hmacsha256_state st;
    uint8_t room[LABEL_MAX];
    struct span l = label(room, realm, purpose);

    crypto_auth_hmacsha256_init(&st, key.p, key.n);
    crypto_auth_hmacsha256_update(&st, l.p, l.n);
    for (size_t i = 0; i < n; i++)
        crypto_auth_hmacsha256_update(&st, parts[i].p, parts[i].n);
    crypto_auth_hmacsha256_final(&st, out);
    sodium_memzero(&st, sizeof(st));
}

void hash_label(uint8_t out[static 32], enum realm realm, const char *purpose,
                const struct span *parts, size_t n)
{
    crypto_hash_sha256_state st;
    uint8_t room[LABEL_MAX];
    struct span l = label(room, realm, purpose);

    crypto_hash_sha256_init(&st);
    crypto_hash_sha256_update(&st, l.p, l.n);
    for (size_t i = 0; i < n; i++)
        crypto_hash_sha256_update(&st, parts[i].p, parts[i].n);
    crypto_hash_sha256_final(&st, out);
    sodium_memzero(&st, sizeof(st));
}
