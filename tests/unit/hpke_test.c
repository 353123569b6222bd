#include "tests/check.h"

#include <sodium.h>

#include "common/error.h"
#include "common/text.h"
#include "keys/hpke.h"
#include "tests/vectors/rfc9180.inc"

#define MAX 256

struct bytes {
    uint8_t p[MAX];
    size_t n;
};

static struct bytes unhex(const char *hex)
{
    struct bytes b = { .n = strlen(hex) / 2 };

    assert_int_equal(text_unhex(b.p, b.n, span_str(hex)), 0);
    return b;
}

static struct span span_of(const struct bytes *b)
{
    return SPAN(b->p, b->n);
}

static void check_hex(const uint8_t *got, const char *hex, const char *row)
{
    struct bytes want = unhex(hex);

    CHECK_BYTES(got, want.p, want.n, row);
}

/* A vector, ready for the functions. */
struct given {
    struct bytes info, skE, pkE, skR, pkR, psk, psk_id;
    struct hpke_psk with, *psk_or_null;
};

static void give(struct given *g, const struct hpke_vector *v)
{
    *g = (struct given){ .info = unhex(v->info),
                         .skE = unhex(v->skEm),
                         .pkE = unhex(v->pkEm),
                         .skR = unhex(v->skRm),
                         .pkR = unhex(v->pkRm) };
    if (!v->psk)
        return;
    g->psk = unhex(v->psk);
    g->psk_id = unhex(v->psk_id);
    g->with = (struct hpke_psk){ g->psk.p, g->psk.n, g->psk_id.p, g->psk_id.n };
    g->psk_or_null = &g->with;
}

static void test_derive(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(hpke_vectors); i++) {
        const struct hpke_vector *v = &hpke_vectors[i];
        struct bytes ikm = unhex(v->ikmE);
        uint8_t sk[32], pk[32];

        CHECK_EQ(hpke_derive_keypair(sk, pk, ikm.p, ikm.n), 0, v->name);
        check_hex(sk, v->skEm, v->name);
        check_hex(pk, v->pkEm, v->name);
        check_hex(pk, v->enc, v->name);
        ikm = unhex(v->ikmR);
        CHECK_EQ(hpke_derive_keypair(sk, pk, ikm.p, ikm.n), 0, v->name);
        check_hex(sk, v->skRm, v->name);
        check_hex(pk, v->pkRm, v->name);
    }
}

static void check_steps(const struct hpke_steps *s, const struct hpke_vector *v)
{
    check_hex(s->shared_secret, v->shared_secret, v->name);
    check_hex(s->key_schedule_context, v->key_schedule_context, v->name);
    check_hex(s->secret, v->secret, v->name);
    check_hex(s->key, v->key, v->name);
    check_hex(s->base_nonce, v->base_nonce, v->name);
    check_hex(s->exporter_secret, v->exporter_secret, v->name);
}

static void test_steps(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(hpke_vectors); i++) {
        const struct hpke_vector *v = &hpke_vectors[i];
        struct hpke_steps s;
        struct given g;

        give(&g, v);
        CHECK_EQ(hpke_steps_seal(&s, (struct hpke_pair){ g.skE.p, g.pkE.p }, g.pkR.p,
                                 span_of(&g.info), g.psk_or_null),
                 0, v->name);
        check_steps(&s, v);
        memset(&s, 0, sizeof(s));
        CHECK_EQ(hpke_steps_open(&s, g.pkE.p, (struct hpke_pair){ g.skR.p, g.pkR.p },
                                 span_of(&g.info), g.psk_or_null),
                 0, v->name);
        check_steps(&s, v);
    }
}

/* Key and base nonce serve every message of the RFC's contexts, though we send but the first. */
static void test_encryptions(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(hpke_vectors); i++)
        for (size_t k = 0; k < COUNT(hpke_encryptions[i]); k++) {
            const struct hpke_encryption *e = &hpke_encryptions[i][k];
            struct bytes key = unhex(hpke_vectors[i].key),
                         nonce = unhex(hpke_vectors[i].base_nonce);
            struct bytes aad = unhex(e->aad), pt = unhex(HPKE_PT);
            uint8_t ct[MAX];

            nonce.p[10] ^= (uint8_t)(e->seq >> 8);
            nonce.p[11] ^= (uint8_t)e->seq;
            check_hex(nonce.p, e->nonce, e->aad);
            crypto_aead_chacha20poly1305_ietf_encrypt(ct, NULL, pt.p, pt.n, aad.p, aad.n, NULL,
                                                      nonce.p, key.p);
            check_hex(ct, e->ct, e->aad);
        }
}

static void test_single_shot(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(hpke_vectors); i++) {
        const char *name = hpke_vectors[i].name;
        struct bytes aad = unhex(hpke_encryptions[i][0].aad), pt = unhex(HPKE_PT);
        struct bytes ct = unhex(hpke_encryptions[i][0].ct);
        uint8_t out[MAX];
        struct given g;

        give(&g, &hpke_vectors[i]);
        CHECK_EQ(hpke_seal(out, (struct hpke_pair){ g.skE.p, g.pkE.p }, g.pkR.p, span_of(&g.info),
                           g.psk_or_null, span_of(&aad), span_of(&pt)),
                 0, name);
        CHECK_BYTES(out, ct.p, ct.n, name);
        CHECK_EQ(hpke_open(out, g.pkE.p, (struct hpke_pair){ g.skR.p, g.pkR.p }, span_of(&g.info),
                           g.psk_or_null, span_of(&aad), span_of(&ct)),
                 0, name);
        CHECK_BYTES(out, pt.p, pt.n, name);
    }
}

enum change {
    NOTHING,
    PSK,
    PSK_ID,
    INFO,
    AAD,
    CT,
    ENC,
    OTHER_KEY,
    NO_PSK,
    SHORT_PSK,
    NO_ID,
    SMALL_ENC,
    SHORT_CT
};

static void test_open_refuses(void **state)
{
    static const struct {
        const char *name;
        enum change what;
        int want;
    } rows[] = {
        { "nothing", NOTHING, 0 },
        { "wrong psk", PSK, -HL_EOPEN },
        { "wrong psk id", PSK_ID, -HL_EOPEN },
        { "wrong info", INFO, -HL_EOPEN },
        { "wrong aad", AAD, -HL_EOPEN },
        { "changed ciphertext", CT, -HL_EOPEN },
        { "another enc", ENC, -HL_EOPEN },
        { "another recipient", OTHER_KEY, -HL_EOPEN },
        { "base mode for psk", NO_PSK, -HL_EOPEN },
        { "psk of 31 bytes", SHORT_PSK, -HL_EPSK },
        { "psk without id", NO_ID, -HL_EPSK },
        { "enc of small order", SMALL_ENC, -HL_EOPEN },
        { "shorter than a tag", SHORT_CT, -HL_EOPEN },
    };
    uint8_t sk[32], pk[32];

    (void)state;
    hpke_derive_keypair(sk, pk, (const uint8_t *)"another", 7);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bytes aad = unhex(hpke_encryptions[1][0].aad), ct = unhex(hpke_encryptions[1][0].ct);
        uint8_t out[MAX];
        struct given g;

        give(&g, &hpke_vectors[1]);
        struct hpke_pair r = { g.skR.p, g.pkR.p };

        switch (rows[i].what) {
        case NOTHING:
            break;
        case PSK:
            g.psk.p[31] ^= 1;
            break;
        case PSK_ID:
            g.psk_id.p[0] ^= 1;
            break;
        case INFO:
            g.info.p[g.info.n - 1] ^= 1;
            break;
        case AAD:
            aad.n--;
            break;
        case CT:
            ct.p[0] ^= 1;
            break;
        case ENC:
            memcpy(g.pkE.p, pk, 32);
            break;
        case OTHER_KEY:
            r = (struct hpke_pair){ sk, pk };
            break;
        case NO_PSK:
            g.psk_or_null = NULL;
            break;
        case SHORT_PSK:
            g.with.psklen = 31;
            break;
        case NO_ID:
            g.with.idlen = 0;
            break;
        case SMALL_ENC:
            memset(g.pkE.p, 0, 32);
            break;
        case SHORT_CT:
            ct.n = HPKE_TAG - 1;
            break;
        }
        CHECK_EQ(hpke_open(out, g.pkE.p, r, span_of(&g.info), g.psk_or_null, span_of(&aad),
                           span_of(&ct)),
                 rows[i].want, rows[i].name);
        CHECK_EQ(rows[i].want == -HL_EOPEN && ct.n > HPKE_TAG ? sodium_is_zero(out, ct.n - HPKE_TAG)
                                                              : 1,
                 1, rows[i].name);
    }
}

/* The points of small order on the curve and its twist, canonical or not (RFC 7748; libsodium's
 * list). */
static void test_small_order(void **state)
{
    static const char *const points[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(points); i++) {
        struct bytes pk = unhex(points[i]);
        uint8_t ct[64];
        struct given g;

        give(&g, &hpke_vectors[0]);
        CHECK_EQ(hpke_seal(ct, (struct hpke_pair){ g.skE.p, g.pkE.p }, pk.p, span_of(&g.info), NULL,
                           SPAN_NONE, SPAN("0123456789abcdef", 16)),
                 -HL_EBADKEY, points[i]);
    }
}

static void test_seal_refuses(void **state)
{
    uint8_t ct[64];
    struct given g;

    (void)state;
    give(&g, &hpke_vectors[1]);
    g.with.psklen = 31;
    CHECK_EQ(hpke_seal(ct, (struct hpke_pair){ g.skE.p, g.pkE.p }, g.pkR.p, span_of(&g.info),
                       &g.with, SPAN_NONE, SPAN("x", 1)),
             -HL_EPSK, "31 bytes");
    g.with.psklen = 32;
    g.with.id = NULL;
    CHECK_EQ(hpke_seal(ct, (struct hpke_pair){ g.skE.p, g.pkE.p }, g.pkR.p, span_of(&g.info),
                       &g.with, SPAN_NONE, SPAN("x", 1)),
             -HL_EPSK, "no id");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_derive),       cmocka_unit_test(test_steps),
        cmocka_unit_test(test_encryptions),  cmocka_unit_test(test_single_shot),
        cmocka_unit_test(test_open_refuses), cmocka_unit_test(test_small_order),
        cmocka_unit_test(test_seal_refuses),
    };

    if (keys_init())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
