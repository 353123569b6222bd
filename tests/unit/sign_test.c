#include <stdlib.h>

#include "tests/check.h"

#include <sodium.h>

#include "common/envelope.h"
#include "common/error.h"
#include "common/text.h"
#include "common/tlog/checkpoint.h"
#include "keys/seal.h"
#include "keys/sign.h"

#define TEXT "hotline/1 live card\nparty arcadia\n"
#define CHECKPOINT "doria.example/live/doria/1\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"

static void unhex(uint8_t *out, const char *hex)
{
    assert_int_equal(text_unhex(out, strlen(hex) / 2, span_str(hex)), 0);
}

/* Key number @i, always the same. */
static struct seckey *key_of(unsigned i)
{
    uint8_t seed[32] = { (uint8_t)i, (uint8_t)(i >> 8) };
    struct seckey *key;

    assert_int_equal(seckey_from_seed(&key, seed), 0);
    assert_true(sodium_is_zero(seed, 32)); /* wiped */
    return key;
}

/* RFC 8032, 7.1 */
static const struct {
    const char *name, *seed, *pk, *message, *sig;
} rfc8032[] = {
    { "TEST 1", "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9"
      "b46bd25bf5f0595bbe24655141438e7a100b" },
    { "TEST 2", "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
      "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f1"
      "1d8c387b2eaeb4302aeeb00d291612bb0c00" },
    { "TEST 3", "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
      "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
      "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984d"
      "c6594a7c15e9716ed28dc027beceea1ec40a" },
    { "TEST SHA(abc)", "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
      "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3fe"
      "ebbd454d4423643ce80e2a9ac94fa54ca49f",
      "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431"
      "e0303dca179c138ac17ad9bef1177331a704" },
};

static void test_rfc8032(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rfc8032); i++) {
        uint8_t seed[32], pk[32], message[64], want[64], sig[64];
        struct seckey *key;

        unhex(seed, rfc8032[i].seed);
        unhex(pk, rfc8032[i].pk);
        unhex(message, rfc8032[i].message);
        unhex(want, rfc8032[i].sig);
        CHECK_EQ(seckey_from_seed(&key, seed), 0, rfc8032[i].name);
        CHECK_BYTES(seckey_public(key), pk, 32, rfc8032[i].name);
        seckey_sign(key, SPAN(message, strlen(rfc8032[i].message) / 2), sig);
        CHECK_BYTES(sig, want, 64, rfc8032[i].name);
        seckey_free(key);
    }
    seckey_free(NULL);
}

/* An envelope as far as its release signature goes. */
static int verify(const uint8_t *pk, const uint8_t *sig)
{
    struct envelope env = { .header.realm = REALM_LIVE, .stamp.key = pk, .sig = sig };

    memset(env.id, 7, 32);
    return envelope_verify(&env);
}

/* L, the order of the prime-order group, little-endian. */
static const char order[] = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
/* A point of order 8. */
static const char torsion[] = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a";

/* S + L: the same number modulo L, another signature, if a verifier let it pass. */
static void add_order(uint8_t s[static 32])
{
    uint8_t l[32];
    unsigned carry = 0;

    unhex(l, order);
    for (size_t i = 0; i < 32; i++) {
        carry += s[i] + l[i];
        s[i] = (uint8_t)carry;
        carry >>= 8;
    }
}

/*
 * A signature whose R has a part of order 8: R' = rB + T, S = r + H(R' || A || M) a.  An equation
 * times the cofactor holds for it, the one without does not.
 */
static void sign_mixed(uint8_t sig[static 64], const uint8_t pk[static 32],
                       const uint8_t seed[static 32], struct span m)
{
    uint8_t hash[64], a[32], r[32], k[32], t[32], rb[32], wide[64] = { 0 };
    crypto_hash_sha512_state st;

    crypto_hash_sha512(hash, seed, 32);
    memcpy(a, hash, 32);
    a[0] &= 248;
    a[31] = (uint8_t)((a[31] & 63) | 64);
    memcpy(wide, a, 32);
    crypto_core_ed25519_scalar_reduce(a, wide);
    crypto_core_ed25519_scalar_random(r);
    assert_int_equal(crypto_scalarmult_ed25519_base_noclamp(rb, r), 0);
    unhex(t, torsion);
    assert_int_equal(crypto_core_ed25519_add(sig, rb, t), 0);
    crypto_hash_sha512_init(&st);
    crypto_hash_sha512_update(&st, sig, 32);
    crypto_hash_sha512_update(&st, pk, 32);
    crypto_hash_sha512_update(&st, m.p, m.n);
    crypto_hash_sha512_final(&st, hash);
    crypto_core_ed25519_scalar_reduce(k, hash);
    crypto_core_ed25519_scalar_mul(k, k, a);
    crypto_core_ed25519_scalar_add(sig + 32, k, r);
}

enum forge { GOOD, ONE_BIT, S_PLUS_L, MIXED_R, SMALL_R, ALL_ZERO };

static void test_strict_signatures(void **state)
{
    static const struct {
        const char *name;
        enum forge what;
        int want;
    } rows[] = {
        { "good", GOOD, 0 },
        { "one bit", ONE_BIT, -HL_ESIG },
        { "S + L", S_PLUS_L, -HL_ESIG },
        { "R of mixed order", MIXED_R, -HL_ESIG },
        { "R of small order", SMALL_R, -HL_ESIG },
        { "all zeroes", ALL_ZERO, -HL_ESIG },
    };
    uint8_t id[32], seed[32] = { 5 };
    struct seckey *key = key_of(5);
    struct buf m;

    (void)state;
    memset(id, 7, 32);
    buf_init(&m, 128);
    envelope_release_message(&m, REALM_LIVE, id);
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t sig[64];

        assert_int_equal(seal_release(key, REALM_LIVE, id, sig), 0);
        switch (rows[i].what) {
        case GOOD:
            break;
        case ONE_BIT:
            sig[10] ^= 1;
            break;
        case S_PLUS_L:
            add_order(sig + 32);
            break;
        case MIXED_R:
            sign_mixed(sig, seckey_public(key), seed, buf_span(&m));
            break;
        case SMALL_R:
            unhex(sig, torsion);
            break;
        case ALL_ZERO:
            memset(sig, 0, 64);
            break;
        }
        CHECK_EQ(verify(seckey_public(key), sig), rows[i].want, rows[i].name);
        CHECK_EQ(verify(seckey_public(key), sig) == 0,
                 crypto_sign_verify_detached(sig, m.p, m.n, seckey_public(key)) == 0, rows[i].name);
    }
    buf_release(&m);
    seckey_free(key);
}

/* Keys under which one fixed signature would fit any message, somewhere. */
static void test_strict_keys(void **state)
{
    static const struct {
        const char *name, *pk;
    } rows[] = {
        { "neutral", "0100000000000000000000000000000000000000000000000000000000000000" },
        { "zero", "0000000000000000000000000000000000000000000000000000000000000000" },
        { "order 8", torsion },
        { "neutral, not canonical",
          "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f" },
        { "zero, not canonical",
          "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f" },
        { "minus one", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f" },
    };
    static const uint8_t sig[64] = { 1 }; /* R = neutral, S = 0 */
    struct seckey *key = key_of(5);
    struct note_key note;
    uint8_t pk[32], t[32];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        unhex(pk, rows[i].pk);
        CHECK_EQ(verify(pk, sig), -HL_ESIG, rows[i].name);
        CHECK_EQ(note_key_init(&note, span_str("x"), NOTE_ED25519, pk), -HL_EBADKEY, rows[i].name);
    }
    unhex(t, torsion);
    assert_int_equal(crypto_core_ed25519_add(pk, seckey_public(key), t), 0);
    CHECK_EQ(note_key_init(&note, span_str("x"), NOTE_ED25519, pk), -HL_EBADKEY, "mixed order");
    seckey_free(key);
}

/* Signs @in by key @i into @out, freshly initialised. */
static int add_line(struct buf *out, struct span in, unsigned i)
{
    struct seckey *key = key_of(i);
    int rc;

    buf_init(out, 60000);
    rc = sign_document(out, in, span_str("arcadia"), key);
    seckey_free(key);
    return rc;
}

/* Whoever signs first, the same note comes out, and everyone's line verifies. */
static void test_any_order(void **state)
{
    static const unsigned orders[][4] = {
        { 1, 2, 3, 4 },
        { 4, 3, 2, 1 },
        { 2, 4, 1, 3 },
        { 3, 1, 4, 2 },
    };
    struct buf first = { 0 };

    (void)state;
    for (size_t i = 0; i < COUNT(orders); i++) {
        struct buf at = { 0 };

        for (size_t k = 0; k < 4; k++) {
            struct buf next;

            CHECK_EQ(add_line(&next, k ? buf_span(&at) : span_str(TEXT), orders[i][k]), 0, "sign");
            buf_release(&at);
            at = next;
        }
        if (i == 0)
            first = at;
        CHECK_EQ(span_eq(buf_span(&at), buf_span(&first)), 1,
                 "the order of signing leaves no trace");
        if (i)
            buf_release(&at);
    }

    struct note note;

    CHECK_EQ(note_parse(&note, buf_span(&first)), 0, "parses");
    CHECK_EQ(note.n, 4, "lines");
    for (size_t i = 1; i < note.n; i++)
        CHECK_EQ(memcmp(note.sig[i - 1].keyid, note.sig[i].keyid, 4) < 0, 1, "ascending");
    for (unsigned i = 1; i <= 4; i++) {
        struct seckey *key = key_of(i);
        struct note_key mine;

        note_key_init(&mine, span_str("arcadia"), NOTE_ED25519, seckey_public(key));
        CHECK_EQ(note_verify_key(&note, &mine, NULL), 1, "verifies");
        seckey_free(key);
    }
    buf_release(&first);
}

static void test_document_refuses(void **state)
{
    static const struct {
        const char *name, *text;
        int want;
    } rows[] = {
        { "a document", TEXT, 0 },
        { "no line feed at the end", "hotline/1 live card", -HL_EFORMAT },
        { "a checkpoint", CHECKPOINT, -HL_EFORMAT },
        { "a version to come", "hotline/2 live card\n", -HL_EFORMAT },
        { "only the beginning", "hotline/1 ", -HL_EFORMAT },
        { "empty", "", -HL_EFORMAT },
    };
    struct buf out, again;
    struct note note;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_EQ(add_line(&out, span_str(rows[i].text), 1), rows[i].want, rows[i].name);
        CHECK_EQ(rows[i].want && out.n, 0, rows[i].name);
        buf_release(&out);
    }
    assert_int_equal(add_line(&out, span_str(TEXT), 1), 0);
    CHECK_EQ(add_line(&again, buf_span(&out), 1), -HL_EEXIST, "the same line twice");
    assert_int_equal(add_line(&again, buf_span(&out), 2), 0);

    /* the two lines the other way round */
    assert_int_equal(note_parse(&note, buf_span(&again)), 0);
    struct span second = SPAN(note.sig[1].name.p - 4, again.p + again.n - note.sig[1].name.p + 4);
    struct span line = SPAN(note.sigs.p, note.sigs.n - second.n);

    buf_clear(&out);
    buf_put_span(&out, note.text);
    buf_put_str(&out, "\n");
    buf_put_span(&out, second);
    buf_put_span(&out, line);
    assert_int_equal(note_parse(&note, buf_span(&out)), 0);
    buf_release(&again);
    CHECK_EQ(add_line(&again, buf_span(&out), 3), -HL_EFORMAT, "out of order");
    buf_release(&out);

    struct seckey *key = key_of(1);

    buf_init(&out, 50);
    CHECK_EQ(sign_document(&out, span_str(TEXT), span_str("arcadia"), key), -HL_ETOOBIG, "no room");
    CHECK_EQ(sign_document(&out, span_str(TEXT), span_str("a b"), key), -HL_EFORMAT, "bad name");
    seckey_free(key);
    buf_release(&out);
}

static void test_checkpoint(void **state)
{
    static const struct {
        const char *name, *text, *origin;
        int want;
    } rows[] = {
        { "good", CHECKPOINT, "doria.example/live/doria/1", 0 },
        { "another origin", CHECKPOINT, "doria.example/live/doria/2", -HL_EKEY },
        { "a document", TEXT, "doria.example/live/doria/1", -HL_EFORMAT },
        { "an extension line", CHECKPOINT "more\n", "doria.example/live/doria/1", -HL_EFORMAT },
    };
    struct seckey *key = key_of(1);
    struct note_key log;

    (void)state;
    assert_int_equal(note_key_init(&log, span_str("doria.example/live/doria/1"), NOTE_ED25519,
                                   seckey_public(key)),
                     0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct checkpoint cp;
        struct note note;
        struct buf out;

        buf_init(&out, CHECKPOINT_MAX);
        CHECK_EQ(sign_checkpoint(&out, span_str(rows[i].text), span_str(rows[i].origin), key),
                 rows[i].want, rows[i].name);
        CHECK_EQ(rows[i].want && out.n, 0, rows[i].name);
        if (!rows[i].want)
            CHECK_EQ(checkpoint_open(&cp, &note, buf_span(&out), &log), 0, rows[i].name);
        buf_release(&out);
    }
    seckey_free(key);
}

static void test_cosignature(void **state)
{
    static const struct {
        const char *name, *text;
        uint64_t time;
        int want;
    } rows[] = {
        { "good", CHECKPOINT, 1795312142, 0 },
        { "time 0", CHECKPOINT, 0, -HL_EFORMAT },
        { "largest time", CHECKPOINT, INT64_MAX, 0 },
        { "beyond it", CHECKPOINT, UINT64_C(1) << 63, -HL_EFORMAT },
        { "a document", TEXT, 1795312142, -HL_EFORMAT },
    };
    struct seckey *log = key_of(1), *witness = key_of(2);
    struct note_key key;

    (void)state;
    assert_int_equal(note_key_init(&key, span_str("witness/arcadia.technical"), NOTE_COSIGNATURE,
                                   seckey_public(witness)),
                     0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct note note;
        struct buf out;
        uint64_t time = 0;

        buf_init(&out, CHECKPOINT_MAX);
        assert_int_equal(sign_checkpoint(&out, span_str(CHECKPOINT),
                                         span_str("doria.example/live/doria/1"), log),
                         0);
        CHECK_EQ(sign_cosignature(&out, span_str(rows[i].text),
                                  span_str("witness/arcadia.technical"), rows[i].time, witness),
                 rows[i].want, rows[i].name);
        CHECK_EQ(note_parse(&note, buf_span(&out)), 0, rows[i].name);
        CHECK_EQ(note_verify_key(&note, &key, &time), rows[i].want == 0, rows[i].name);
        CHECK_EQ(time, rows[i].want ? 0 : rows[i].time, rows[i].name);
        buf_release(&out);
    }
    seckey_free(log);
    seckey_free(witness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc8032),          cmocka_unit_test(test_strict_signatures),
        cmocka_unit_test(test_strict_keys),      cmocka_unit_test(test_any_order),
        cmocka_unit_test(test_document_refuses), cmocka_unit_test(test_checkpoint),
        cmocka_unit_test(test_cosignature),
    };

    if (keys_init())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
