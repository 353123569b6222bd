#include "tests/check.h"

#include <stdlib.h>

#include "common/error.h"
#include "common/text.h"
#include "common/tlog/merkle.h"
#include "tests/vectors/merkle.inc"

static void unhex(uint8_t out[static 32], const char *hex, const char *row)
{
    CHECK_EQ(text_unhex(out, 32, span_str(hex)), 0, row);
}

static void inclusion_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(merkle_inclusion); i++) {
        const char *row = merkle_inclusion[i].name;
        uint8_t root[32], leaf[32], proof[8][32];

        unhex(root, merkle_inclusion[i].root, row);
        unhex(leaf, merkle_inclusion[i].leaf, row);
        for (size_t k = 0; k < merkle_inclusion[i].n; k++)
            unhex(proof[k], merkle_inclusion[i].proof.hex[k], row);
        CHECK_EQ(merkle_verify_inclusion(leaf, merkle_inclusion[i].index, merkle_inclusion[i].size,
                                         HASHES(proof), merkle_inclusion[i].n, root),
                 merkle_inclusion[i].want, row);
    }
}

static void consistency_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(merkle_consistency); i++) {
        const char *row = merkle_consistency[i].name;
        uint8_t root1[32], root2[32], proof[8][32];

        unhex(root1, merkle_consistency[i].root1, row);
        unhex(root2, merkle_consistency[i].root2, row);
        for (size_t k = 0; k < merkle_consistency[i].n; k++)
            unhex(proof[k], merkle_consistency[i].proof.hex[k], row);
        CHECK_EQ(merkle_verify_consistency(merkle_consistency[i].size1, root1,
                                           merkle_consistency[i].size2, root2, HASHES(proof),
                                           merkle_consistency[i].n),
                 merkle_consistency[i].want, row);
    }
}

/* The eight leaves of Certificate Transparency's tests. */
static void known_roots(void **state)
{
    static const struct {
        const char *name, *entry;
        size_t n;
        const char *root;
    } rows[] = {
        { "empty", "", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { "1", "", 0, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d" },
        { "2", "\x00", 1, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125" },
        { "3", "\x10", 1, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77" },
        { "4", "\x20\x21", 2, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7" },
        { "5", "\x30\x31", 2, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4" },
        { "6", "\x40\x41\x42\x43", 4,
          "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef" },
        { "7", "\x50\x51\x52\x53\x54\x55\x56\x57", 8,
          "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c" },
        { "8", "\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16,
          "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328" },
    };
    struct merkle_range range;

    (void)state;
    merkle_range_init(&range);
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t leaf[32], root[32], want[32];

        merkle_leaf(leaf, SPAN(rows[i].entry, rows[i].n));
        if (i > 0)
            merkle_range_add(&range, leaf);
        merkle_range_root(&range, root);
        unhex(want, rows[i].root, rows[i].name);
        CHECK_BYTES(root, want, 32, rows[i].name);
        CHECK_EQ(range.size, i, rows[i].name);
        CHECK_EQ(range.n, __builtin_popcountll(i), rows[i].name);
    }
}

/* A whole small tree: leaf i is the hash of its number, hash[level][n] the complete subtrees. */
#define LEAVES 64
struct tree {
    uint8_t hash[7][LEAVES][32];
    uint8_t root[LEAVES + 1][32];
    size_t size, asked; /* complete subtrees beyond size do not exist */
};

static int tree_get(void *arg, unsigned level, uint64_t n, uint8_t out[static 32])
{
    struct tree *t = arg;

    t->asked++;
    if (level > 6 || (n + 1) << level > t->size)
        return -HL_ENOENT;
    memcpy(out, t->hash[level][n], 32);
    return 0;
}

static struct tree *tree_new(void)
{
    struct tree *t = calloc(1, sizeof(*t));
    struct merkle_range range;

    assert_non_null(t);
    merkle_range_init(&range);
    merkle_range_root(&range, t->root[0]);
    for (size_t i = 0; i < LEAVES; i++) {
        uint8_t entry[4];

        put_u32(entry, (uint32_t)i);
        merkle_leaf(t->hash[0][i], SPAN(entry, sizeof(entry)));
        merkle_range_add(&range, t->hash[0][i]);
        merkle_range_root(&range, t->root[i + 1]);
    }
    for (unsigned level = 1; level < 7; level++)
        for (size_t n = 0; n < (size_t)LEAVES >> level; n++)
            merkle_node(t->hash[level][n], t->hash[level - 1][2 * n],
                        t->hash[level - 1][2 * n + 1]);
    return t;
}

/* Every other claim that one proof might be taken for is refused. */
static void no_other_index(const struct tree *t, size_t index, size_t size,
                           const uint8_t (*proof)[32], size_t n)
{
    for (size_t i = 0; i <= size; i++)
        if (i != index)
            CHECK_EQ(merkle_verify_inclusion(t->hash[0][index], i, size, proof, n, t->root[size]),
                     -HL_EPROOF, "another index");
    for (size_t k = 0; k < n; k++)
        CHECK_EQ(merkle_verify_inclusion(t->hash[0][index], index, size, proof, k, t->root[size]),
                 -HL_EPROOF, "cut short");
}

static void inclusion_all(void **state)
{
    struct tree *t = tree_new();
    uint8_t proof[MERKLE_MAX_PROOF][32];
    size_t n;

    (void)state;
    for (t->size = 1; t->size <= LEAVES; t->size++) {
        for (size_t i = 0; i < t->size; i++) {
            t->asked = 0;
            CHECK_EQ(merkle_prove_inclusion(i, t->size, tree_get, t, proof, &n), 0, "prove");
            CHECK_EQ(t->asked <= 12, 1, "asks for few subtrees");
            CHECK_EQ(merkle_verify_inclusion(t->hash[0][i], i, t->size, HASHES(proof), n,
                                             t->root[t->size]),
                     0, "verify");
            no_other_index(t, i, t->size, HASHES(proof), n);
            memset(proof[n], 0, 32);
            CHECK_EQ(merkle_verify_inclusion(t->hash[0][i], i, t->size, HASHES(proof), n + 1,
                                             t->root[t->size]),
                     -HL_EPROOF, "one hash more");
        }
    }
    free(t);
}

static void consistency_all(void **state)
{
    struct tree *t = tree_new();
    uint8_t proof[MERKLE_MAX_PROOF][32];
    size_t n;

    (void)state;
    for (t->size = 1; t->size <= LEAVES; t->size++) {
        for (size_t old = 0; old <= t->size; old++) {
            const uint8_t *root1 = t->root[old], *root2 = t->root[t->size];

            CHECK_EQ(merkle_prove_consistency(old, t->size, tree_get, t, proof, &n), 0, "prove");
            CHECK_EQ(merkle_verify_consistency(old, root1, t->size, root2, HASHES(proof), n), 0,
                     "verify");
            memset(proof[n], 0, 32);
            CHECK_EQ(merkle_verify_consistency(old, root1, t->size, root2, HASHES(proof), n + 1),
                     -HL_EPROOF, "one hash more");
            if (old == 0 || old == t->size)
                continue;
            CHECK_EQ(merkle_verify_consistency(old, root1, t->size, root2, HASHES(proof), n - 1),
                     -HL_EPROOF, "one hash less");
            CHECK_EQ(merkle_verify_consistency(old, root2, t->size, root2, HASHES(proof), n),
                     -HL_EPROOF, "another old root");
            CHECK_EQ(merkle_verify_consistency(old, root1, t->size, root1, HASHES(proof), n),
                     -HL_EPROOF, "another new root");
        }
    }
    free(t);
}

static void roots_from_subtrees(void **state)
{
    struct tree *t = tree_new();
    uint8_t root[32];

    (void)state;
    for (t->size = 0; t->size <= LEAVES; t->size++) {
        CHECK_EQ(merkle_root(t->size, tree_get, t, root), 0, "root");
        CHECK_BYTES(root, t->root[t->size], 32, "root");
    }
    free(t);
}

/* A hash of a node is not a leaf: the prefixes keep them apart. */
static void second_preimage(void **state)
{
    struct tree *t = tree_new();
    uint8_t entry[64], leaf[32];

    (void)state;
    memcpy(entry, t->hash[0][0], 32);
    memcpy(entry + 32, t->hash[0][1], 32);
    merkle_leaf(leaf, SPAN(entry, sizeof(entry)));
    CHECK_EQ(merkle_verify_inclusion(leaf, 0, 1, NULL, 0, t->root[2]), -HL_EPROOF, "node as leaf");
    free(t);
}

static void bad_calls(void **state)
{
    struct tree *t = tree_new();
    uint8_t proof[MERKLE_MAX_PROOF][32], zero[32] = { 0 };
    size_t n;

    (void)state;
    t->size = 7;
    CHECK_EQ(merkle_prove_inclusion(7, 7, tree_get, t, proof, &n), -HL_EUSAGE, "index = size");
    CHECK_EQ(merkle_prove_inclusion(0, 0, tree_get, t, proof, &n), -HL_EUSAGE, "empty tree");
    CHECK_EQ(merkle_prove_inclusion(0, 8, tree_get, t, proof, &n), -HL_ENOENT, "get fails");
    CHECK_EQ(merkle_prove_consistency(8, 7, tree_get, t, proof, &n), -HL_EUSAGE, "shrinks");
    CHECK_EQ(merkle_prove_consistency(3, 8, tree_get, t, proof, &n), -HL_ENOENT, "get fails");
    CHECK_EQ(merkle_prove_inclusion(0, MERKLE_MAX_SIZE + 1, tree_get, t, proof, &n), -HL_EUSAGE,
             "too large");
    CHECK_EQ(merkle_verify_inclusion(zero, 0, UINT64_MAX, HASHES(proof), 63, zero), -HL_EPROOF,
             "too large");
    CHECK_EQ(merkle_verify_inclusion(zero, 0, 0, NULL, 0, t->root[0]), -HL_EPROOF, "empty tree");
    CHECK_EQ(merkle_verify_consistency(1, zero, UINT64_MAX, zero, HASHES(proof), 63), -HL_EPROOF,
             "too large");
    free(t);
}

static int zero_get(void *arg, unsigned level, uint64_t n, uint8_t out[static 32])
{
    (void)arg;
    (void)n;
    memset(out, (int)level, 32);
    return 0;
}

/* The longest proofs that there are fit. */
static void largest_tree(void **state)
{
    static const uint64_t sizes[] = { MERKLE_MAX_SIZE, MERKLE_MAX_SIZE - 1,
                                      MERKLE_MAX_SIZE / 2 + 1 };
    uint8_t proof[MERKLE_MAX_PROOF][32];
    size_t n;

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        CHECK_EQ(merkle_prove_inclusion(0, sizes[i], zero_get, NULL, proof, &n), 0, "first");
        CHECK_EQ(n, 62, "first");
        CHECK_EQ(merkle_prove_inclusion(sizes[i] - 1, sizes[i], zero_get, NULL, proof, &n), 0,
                 "last");
        CHECK_EQ(merkle_prove_consistency(1, sizes[i], zero_get, NULL, proof, &n), 0, "from 1");
        CHECK_EQ(merkle_prove_consistency(sizes[i] - 1, sizes[i], zero_get, NULL, proof, &n), 0,
                 "by 1");
    }
    CHECK_EQ(
        merkle_prove_consistency(MERKLE_MAX_SIZE - 1, MERKLE_MAX_SIZE, zero_get, NULL, proof, &n),
        0, "longest");
    CHECK_EQ(n, MERKLE_MAX_PROOF, "longest");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(inclusion_vectors), cmocka_unit_test(consistency_vectors),
        cmocka_unit_test(known_roots),       cmocka_unit_test(inclusion_all),
        cmocka_unit_test(consistency_all),   cmocka_unit_test(roots_from_subtrees),
        cmocka_unit_test(second_preimage),   cmocka_unit_test(bad_calls),
        cmocka_unit_test(largest_tree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
