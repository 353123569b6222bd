#ifndef HL_TLOG_MERKLE_H
#define HL_TLOG_MERKLE_H

#include "common/buf.h"

/*
 * RFC 6962 trees over SHA-256; proofs as RFC 9162 2.1.3 and 2.1.4.  Pure.  A hash is 32 bytes, an
 * array of hashes is uint8_t (*)[32]; a proof has at most MERKLE_MAX_PROOF hashes.
 */
#define MERKLE_MAX_PROOF 63
/* C before C23 does not add const to arrays by itself: HASHES(proof) passes a writable array of hashes */
#define HASHES(array) ((const uint8_t(*)[32])(array))
#define MERKLE_MAX_SIZE (UINT64_C(1) << 62) /* so that no proof is longer */

void merkle_leaf(uint8_t out[static 32], struct span entry);
void merkle_node(uint8_t out[static 32], const uint8_t l[static 32], const uint8_t r[static 32]);
void merkle_empty(uint8_t out[static 32]);

/** The right edge of a tree: the roots of its full subtrees, largest first.  What a verifier keeps. */
struct merkle_range {
    uint64_t size;
    unsigned n; /* popcount(size) */
    uint8_t hash[64][32];
};

void merkle_range_init(struct merkle_range *r);
void merkle_range_add(struct merkle_range *r, const uint8_t leaf[static 32]);
void merkle_range_root(const struct merkle_range *r, uint8_t root[static 32]);

/** merkle_verify_inclusion - 0 or -HL_EPROOF. */
int merkle_verify_inclusion(const uint8_t leaf[static 32], uint64_t index, uint64_t size,
                            const uint8_t (*proof)[32], size_t n, const uint8_t root[static 32]);
/**
 * merkle_verify_consistency - root1 of size1 extends to root2 of size2.  From size1 0 there is nothing
 * to prove: the proof must be empty, root1 is not looked at; the root of size2 0 is the empty tree's.
 * 0 or -HL_EPROOF.
 */
int merkle_verify_consistency(uint64_t size1, const uint8_t root1[static 32], uint64_t size2,
                              const uint8_t root2[static 32], const uint8_t (*proof)[32], size_t n);

/** where the hashes of complete subtrees come from: subtree of height @level (2^level leaves) number @n. 0 or an error that ends the proof. */
typedef int merkle_get(void *arg, unsigned level, uint64_t n, uint8_t out[static 32]);

/** merkle_prove_inclusion - 0, or -HL_EUSAGE (index >= size), or what @get returned. */
int merkle_prove_inclusion(uint64_t index, uint64_t size, merkle_get *get, void *arg,
                           uint8_t proof[static MERKLE_MAX_PROOF][32], size_t *n);
int merkle_prove_consistency(uint64_t size1, uint64_t size2, merkle_get *get, void *arg,
                             uint8_t proof[static MERKLE_MAX_PROOF][32], size_t *n);
/** merkle_root - root of the first @size leaves from complete subtrees. */
int merkle_root(uint64_t size, merkle_get *get, void *arg, uint8_t root[static 32]);

#endif
