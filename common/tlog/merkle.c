#include "common/tlog/merkle.h"

#include <assert.h>
#include <string.h>

#include <sodium.h>

#include "common/error.h"

void merkle_leaf(uint8_t out[static 32], struct span entry)
{
    static const uint8_t prefix = 0;
    crypto_hash_sha256_state st;

    crypto_hash_sha256_init(&st);
    crypto_hash_sha256_update(&st, &prefix, 1);
    if (entry.n)
        crypto_hash_sha256_update(&st, entry.p, entry.n);
    crypto_hash_sha256_final(&st, out);
}

void merkle_node(uint8_t out[static 32], const uint8_t l[static 32], const uint8_t r[static 32])
{
    uint8_t in[65] = { 1 };

    memcpy(in + 1, l, 32);
    memcpy(in + 33, r, 32);
    crypto_hash_sha256(out, in, sizeof(in));
}

void merkle_empty(uint8_t out[static 32])
{
    crypto_hash_sha256(out, NULL, 0);
}

/* The largest power of two strictly below @n, for n >= 2. */
static uint64_t split(uint64_t n)
{
    return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

void merkle_range_init(struct merkle_range *r)
{
    *r = (struct merkle_range){ 0 };
}

/* A binary counter: each trailing one of the old size is a full subtree to merge with. */
void merkle_range_add(struct merkle_range *r, const uint8_t leaf[static 32])
{
    uint8_t hash[32];

    assert(r->size < MERKLE_MAX_SIZE);
    memcpy(hash, leaf, 32);
    for (uint64_t s = r->size; s & 1; s >>= 1)
        merkle_node(hash, r->hash[--r->n], hash);
    memcpy(r->hash[r->n++], hash, 32);
    r->size++;
}

/* Fold subtree roots, largest first, into one. */
static void fold(uint8_t root[static 32], const uint8_t (*hash)[32], unsigned n)
{
    memcpy(root, hash[n - 1], 32);
    for (unsigned i = n - 1; i > 0; i--)
        merkle_node(root, hash[i - 1], root);
}

void merkle_range_root(const struct merkle_range *r, uint8_t root[static 32])
{
    if (r->n == 0)
        merkle_empty(root);
    else
        fold(root, r->hash, r->n);
}

/* RFC 9162 2.1.3.2 */
int merkle_verify_inclusion(const uint8_t leaf[static 32], uint64_t index, uint64_t size,
                            const uint8_t (*proof)[32], size_t n, const uint8_t root[static 32])
{
    uint64_t fn = index, sn = size - 1;
    uint8_t r[32];

    if (index >= size || size > MERKLE_MAX_SIZE)
        return -HL_EPROOF;
    memcpy(r, leaf, 32);
    for (size_t i = 0; i < n; i++) {
        if (sn == 0)
            return -HL_EPROOF; /* one hash too many */
        if ((fn & 1) || fn == sn) {
            merkle_node(r, proof[i], r);
            while (!(fn & 1) && fn) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            merkle_node(r, r, proof[i]);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && memcmp(r, root, 32) == 0 ? 0 : -HL_EPROOF;
}

/* From the empty tree, or to the same size: nothing
 * to prove, so no proof; only roots to compare. */
static int verify_trivial(uint64_t size1, const uint8_t root1[static 32], uint64_t size2,
                          const uint8_t root2[static 32], size_t n)
{
    uint8_t empty[32];

    merkle_empty(empty);
    if (n || (size2 == 0 && memcmp(root2, empty, 32) != 0))
        return -HL_EPROOF;
    return size1 == 0 || memcmp(root1, root2, 32) == 0 ? 0 : -HL_EPROOF;
}

/* RFC 9162 2.1.4.2 */
int merkle_verify_consistency(uint64_t size1, const uint8_t root1[static 32], uint64_t size2,
                              const uint8_t root2[static 32], const uint8_t (*proof)[32], size_t n)
{
    uint64_t fn = size1 - 1, sn = size2 - 1;
    uint8_t fr[32], sr[32];
    size_t i = 0;

    if (size1 > size2 || size2 > MERKLE_MAX_SIZE)
        return -HL_EPROOF;
    if (size1 == 0 || size1 == size2)
        return verify_trivial(size1, root1, size2, root2, n);
    if (n == 0)
        return -HL_EPROOF;
    for (; fn & 1; fn >>= 1)
        sn >>= 1;
    /* a size1 that is a power of two is itself the first subtree, and not repeated in the proof */
    memcpy(fr, fn ? proof[i++] : root1, 32);
    memcpy(sr, fr, 32);
    for (; i < n; i++) {
        if (sn == 0)
            return -HL_EPROOF;
        if ((fn & 1) || fn == sn) {
            merkle_node(fr, proof[i], fr);
            merkle_node(sr, proof[i], sr);
            while (!(fn & 1) && fn) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            merkle_node(sr, sr, proof[i]);
        }
        fn >>= 1;
        sn >>= 1;
    }
    if (sn != 0 || memcmp(fr, root1, 32) != 0 || memcmp(sr, root2, 32) != 0)
        return -HL_EPROOF;
    return 0;
}

/* Root of the leaves lo..hi-1, where @lo is a multiple
 * of every subtree that the range falls into. */
static int range_hash(uint64_t lo, uint64_t hi, merkle_get *get, void *arg, uint8_t out[static 32])
{
    uint8_t hash[64][32];
    unsigned n = 0;

    while (lo < hi) {
        unsigned level = 63 - (unsigned)__builtin_clzll(hi - lo);
        int rc = get(arg, level, lo >> level, hash[n]);

        if (rc)
            return rc;
        n++;
        lo += UINT64_C(1) << level;
    }
    fold(out, HASHES(hash), n);
    return 0;
}

static void reverse(uint8_t (*hash)[32], size_t n)
{
    uint8_t tmp[32];

    for (size_t i = 0; i < n / 2; i++) {
        memcpy(tmp, hash[i], 32);
        memcpy(hash[i], hash[n - 1 - i], 32);
        memcpy(hash[n - 1 - i], tmp, 32);
    }
}

/* Descends from the root, noting each sibling; a proof reads from the leaf upwards. */
int merkle_prove_inclusion(uint64_t index, uint64_t size, merkle_get *get, void *arg,
                           uint8_t proof[static MERKLE_MAX_PROOF][32], size_t *n)
{
    uint64_t lo = 0, hi = size;
    size_t count = 0;
    int rc = 0;

    *n = 0;
    if (index >= size || size > MERKLE_MAX_SIZE)
        return -HL_EUSAGE;
    while (hi - lo > 1 && !rc) {
        uint64_t mid = lo + split(hi - lo);

        if (index < mid) {
            rc = range_hash(mid, hi, get, arg, proof[count]);
            hi = mid;
        } else {
            rc = range_hash(lo, mid, get, arg, proof[count]);
            lo = mid;
        }
        count++;
    }
    if (rc)
        return rc;
    reverse(proof, count);
    *n = count;
    return 0;
}

/* RFC 6962 2.1.2, SUBPROOF without recursion. */
int merkle_prove_consistency(uint64_t size1, uint64_t size2, merkle_get *get, void *arg,
                             uint8_t proof[static MERKLE_MAX_PROOF][32], size_t *n)
{
    uint64_t lo = 0, hi = size2;
    size_t count = 0;
    int rc = 0;

    *n = 0;
    if (size1 > size2 || size2 > MERKLE_MAX_SIZE)
        return -HL_EUSAGE;
    if (size1 == 0 || size1 == size2)
        return 0;
    while (hi != size1 && !rc) {
        uint64_t mid = lo + split(hi - lo);

        if (size1 <= mid) {
            rc = range_hash(mid, hi, get, arg, proof[count]);
            hi = mid;
        } else {
            rc = range_hash(lo, mid, get, arg, proof[count]);
            lo = mid;
        }
        count++;
    }
    if (!rc && lo != 0) /* else the last subtree is the old root, which the verifier has */
        rc = range_hash(lo, hi, get, arg, proof[count++]);
    if (rc)
        return rc;
    reverse(proof, count);
    *n = count;
    return 0;
}

int merkle_root(uint64_t size, merkle_get *get, void *arg, uint8_t root[static 32])
{
    if (size > MERKLE_MAX_SIZE)
        return -HL_EUSAGE;
    if (size == 0) {
        merkle_empty(root);
        return 0;
    }
    return range_hash(0, size, get, arg, root);
}
