#include "common/envelope.h"
#include "common/error.h"
#include "common/parallel.h"
#include "tests/check.h"
#include "tests/diag.h"
#include "tests/sample.h"

/* The envelope as a whole; header, stamp and wraps alone are header_test.c's. */
static struct sample S;
static struct envelope E;
static struct buf file, front, again;

/* Sign the sample as it stands; both forms of it. */
static void encode(void)
{
    assert_int_equal(sample_sign(&S), 0);
    buf_clear(&file);
    buf_clear(&front);
    assert_int_equal(envelope_put(&file, &S.env), 0);
    assert_int_equal(envelope_put_front(&front, &S.env), 0);
}

static void sample_drafted(struct sample *s)
{
    sample_sealed(s);
    s->s.draft_key = s->draft_pk;
    s->s.draft_sig = s->draft_sig;
}

static void sample_large(struct sample *s)
{
    sample_many(s, ENVELOPE_TO_MAX, 65536 + ENVELOPE_TAG);
}

static const struct {
    const char *name;
    void (*make)(struct sample *s);
} samples[] = {
    { "sealed", sample_sealed },
    { "drafted by another", sample_drafted },
    { "step", sample_step },
    { "600 recipients", sample_large },
};

/* What decodes encodes to the same bytes, in both forms, with the same ids. */
static void round_trips(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(samples); i++) {
        const char *name = samples[i].name;

        samples[i].make(&S);
        encode();
        CHECK_EQ(envelope_decode(&E, REALM_LIVE, buf_span(&file)), 0, name);
        CHECK_EQ(envelope_verify(&E), 0, name);
        CHECK_BYTES(E.id, S.env.id, 32, name);
        CHECK_BYTES(E.mid, S.env.mid, 32, name);
        CHECK_BYTES(E.h, S.env.h, 32, name);
        CHECK_EQ(E.body_len, S.body.n, name);
        buf_clear(&again);
        envelope_put(&again, &E);
        CHECK_EQ(span_eq(buf_span(&again), buf_span(&file)), 1, name);

        CHECK_EQ(envelope_decode_front(&E, REALM_LIVE, buf_span(&front)), 0, name);
        CHECK_EQ(envelope_verify(&E), 0, name);
        CHECK_BYTES(E.id, S.env.id, 32, name);
        CHECK_EQ(E.body.n, 0, name);
        buf_clear(&again);
        envelope_put_front(&again, &E);
        CHECK_EQ(span_eq(buf_span(&again), buf_span(&front)), 1, name);
        CHECK_EQ(envelope_set_body(&E, buf_span(&S.body)), 0, name);
        buf_clear(&again);
        envelope_put(&again, &E);
        CHECK_EQ(span_eq(buf_span(&again), buf_span(&file)), 1, name);

        CHECK_EQ(envelope_decode_parts(&E, REALM_LIVE, S.env.header_bytes, S.env.stamp_bytes,
                                       S.env.wraps_hash, S.env.body_hash, S.sig),
                 0, name);
        CHECK_EQ(envelope_verify(&E), 0, name);
        CHECK_BYTES(E.id, S.env.id, 32, name);
        sample_release(&S);
    }
}

/* ---- parts that do not fit each other ---- */

enum base { SEALED, STEP };
static const struct {
    const char *name;
    enum base base;
    size_t n_wraps, body;
    unsigned precedence, psk_step;
    int want;
} fit_rows[] = {
    { "4 KiB", SEALED, 2, 4096 + 16, PRECEDENCE_FLASH, 3, 0 },
    { "4 KiB, no PSK", SEALED, 2, 4096 + 16, PRECEDENCE_FLASH, 0, 0 },
    { "8 KiB", SEALED, 2, 8192 + 16, PRECEDENCE_IMMEDIATE, 3, 0 },
    { "512 KiB", SEALED, 2, 524288 + 16, PRECEDENCE_ROUTINE, 3, 0 },
    { "1 MiB", SEALED, 2, 1048576 + 16, PRECEDENCE_ROUTINE, 3, 0 },
    { "FLASH of 8 KiB", SEALED, 2, 8192 + 16, PRECEDENCE_FLASH, 3, -HL_EFLASH },
    { "no body", SEALED, 2, 0, PRECEDENCE_ROUTINE, 3, -HL_EKIND },
    { "body of a tag", SEALED, 2, 16, PRECEDENCE_ROUTINE, 3, -HL_EFORMAT },
    { "body shorter than a tag", SEALED, 2, 15, PRECEDENCE_ROUTINE, 3, -HL_EFORMAT },
    { "2 KiB", SEALED, 2, 2048 + 16, PRECEDENCE_ROUTINE, 3, -HL_EFORMAT },
    { "4 KiB without tag", SEALED, 2, 4096, PRECEDENCE_ROUTINE, 3, -HL_EFORMAT },
    { "4 KiB less one", SEALED, 2, 4095 + 16, PRECEDENCE_ROUTINE, 3, -HL_EFORMAT },
    { "4 KiB and one", SEALED, 2, 4097 + 16, PRECEDENCE_ROUTINE, 3, -HL_EFORMAT },
    { "12 KiB", SEALED, 2, 12288 + 16, PRECEDENCE_ROUTINE, 3, -HL_EFORMAT },
    { "1 MiB and one", SEALED, 2, 1048577 + 16, PRECEDENCE_ROUTINE, 3, -HL_ETOOBIG },
    { "no wrap", SEALED, 0, 4096 + 16, PRECEDENCE_ROUTINE, 3, -HL_EKIND },
    { "a wrap less", SEALED, 1, 4096 + 16, PRECEDENCE_ROUTINE, 3, -HL_EKIND },
    { "a wrap more", SEALED, 3, 4096 + 16, PRECEDENCE_ROUTINE, 3, -HL_EKIND },
    { "bodyless", STEP, 0, 0, PRECEDENCE_FLASH, 0, 0 },
    { "bodyless with PSK", STEP, 0, 0, PRECEDENCE_ROUTINE, 3, -HL_EKIND },
    { "bodyless with wrap", STEP, 1, 0, PRECEDENCE_ROUTINE, 0, -HL_EKIND },
    { "bodyless with body", STEP, 0, 4096 + 16, PRECEDENCE_ROUTINE, 0, -HL_EKIND },
};

static void fit(size_t i)
{
    static const uint8_t some[96] = { 1 };

    if (fit_rows[i].base == SEALED)
        sample_sealed(&S);
    else
        sample_step(&S);
    S.s.precedence = fit_rows[i].precedence;
    S.s.psk_step = fit_rows[i].psk_step;
    S.s.psk_epoch = fit_rows[i].psk_step ? 1 : 0;
    S.w.enc = some;
    S.w.n = fit_rows[i].n_wraps;
    for (size_t k = 0; k < S.w.n; k++)
        S.w.wrap[k] = (struct wrap){ some + k, some };
    sample_body(&S, fit_rows[i].body);
    encode();
}

static void parts_fit(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(fit_rows); i++) {
        int want = fit_rows[i].want;

        fit(i);
        CHECK_EQ(envelope_decode(&E, REALM_LIVE, buf_span(&file)), want, fit_rows[i].name);
        /* a front says the length in a number, where too large is as wrong as not a bucket */
        CHECK_EQ(envelope_decode_front(&E, REALM_LIVE, buf_span(&front)),
                 want == -HL_ETOOBIG ? -HL_EFORMAT : want, fit_rows[i].name);
        sample_release(&S);
    }
}

/* A record's parts: nothing but the hashes says what wraps and body were. */
static void parts_of_record(void **state)
{
    uint8_t none[2][32], other[32];

    (void)state;
    memset(other, 7, sizeof(other));
    crypto_hash_sha256(none[0], (const uint8_t *)"\x82\x40\x80", 3);
    crypto_hash_sha256(none[1], NULL, 0);
    for (int step = 0; step < 2; step++) {
        (step ? sample_step : sample_sealed)(&S);
        encode();
        for (unsigned mask = 0; mask < 4; mask++) {
            bool wraps = mask & 1, body = mask & 2;
            int rc = envelope_decode_parts(&E, REALM_LIVE, S.env.header_bytes, S.env.stamp_bytes,
                                           wraps ? other : none[0], body ? other : none[1], S.sig);

            CHECK_EQ(rc, (step ? mask == 0 : mask == 3) ? 0 : -HL_EKIND, step ? "step" : "sealed");
        }
        sample_release(&S);
    }
}

/* ---- the arrays themselves ---- */

enum { SUITE = 1, HEADER, STAMP, WRAPS, BODY, SIG, MORE };
#define STEP_HEADER "<['live' 17 0 c1*32 'borealia.technical' 1796000000000 [] 0 0 '' [3f*32]]>"
#define STEP_STAMP "<[ee*32 [] 0 0 ca*16 1 1796000001000 600 0 0 0 []]>"
static const char *const file_base[] = { "1", STEP_HEADER, STEP_STAMP, "<['' []]>", "''", "51*64" };
static const struct {
    const char *name;
    struct diag_set set[DIAG_SETS];
    int want;
} file_rows[] = {
    { "good", { { 0 } }, 0 },
    { "suite 0", { { SUITE, "0" } }, -HL_ESUITE },
    { "suite 2", { { SUITE, "2" } }, -HL_ESUITE },
    { "suite 2, longer", { { SUITE, "2" }, { MORE, "0" } }, -HL_ESUITE },
    { "suite as bytes", { { SUITE, "'1'" } }, -HL_EFORMAT },
    { "suite not shortest", { { SUITE, "=1801" } }, -HL_EFORMAT },
    { "header empty", { { HEADER, "''" } }, -HL_EFORMAT },
    { "header as array", { { HEADER, "[]" } }, -HL_EFORMAT },
    { "header too large", { { HEADER, "00*40001" } }, -HL_ETOOBIG },
    { "header with trailing byte",
      { { HEADER, "<['live' 17 0 c1*32 'b.t' 1 [] 0 0 '' [3f*32]] 0>" } },
      -HL_EFORMAT },
    { "header of the other realm",
      { { HEADER, "<['exercise' 17 0 c1*32 'b.t' 1 [] 0 0 '' [3f*32]]>" } },
      -HL_EREALM },
    { "stamp empty", { { STAMP, "''" } }, -HL_EFORMAT },
    { "stamp too large", { { STAMP, "00*2001" } }, -HL_ETOOBIG },
    { "wraps empty", { { WRAPS, "''" } }, -HL_EFORMAT },
    { "wraps too large", { { WRAPS, "00*51665" } }, -HL_ETOOBIG },
    { "wraps not shortest", { { WRAPS, "=4482580080" } }, -HL_EFORMAT },
    { "body too large", { { BODY, "00*1048593" } }, -HL_ETOOBIG },
    { "signature of 63", { { SIG, "51*63" } }, -HL_EFORMAT },
    { "signature of 65", { { SIG, "51*65" } }, -HL_EFORMAT },
    { "an element less", { { SIG, "" } }, -HL_EFORMAT },
    { "an element more", { { MORE, "0" } }, -HL_EFORMAT },
    { "an envelope too large", { { HEADER, "00*1300000" } }, -HL_ETOOBIG },
};

static void file_every_row(void **state)
{
    static struct buf bytes;

    (void)state;
    for (size_t i = 0; i < COUNT(file_rows); i++) {
        diag_array(&bytes, file_base, COUNT(file_base), file_rows[i].set);
        CHECK_EQ(envelope_decode(&E, REALM_LIVE, buf_span(&bytes)), file_rows[i].want,
                 file_rows[i].name);
        CHECK_EQ(E.header_bytes.n != 0, file_rows[i].want == 0, file_rows[i].name);
    }
    CHECK_EQ(envelope_decode(&E, REALM_LIVE, SPAN_NONE), -HL_EFORMAT, "nothing");
    CHECK_EQ(envelope_decode(&E, REALM_LIVE, diag(&bytes, "=9f")), -HL_EFORMAT, "indefinite");
    CHECK_EQ(envelope_decode(&E, REALM_LIVE, diag(&bytes, "=9bffffffffffffffff01")), -HL_EFORMAT,
             "huge array");
    buf_release(&bytes);
}

static void forms_do_not_mix(void **state)
{
    (void)state;
    sample_sealed(&S);
    encode();
    assert_int_equal(envelope_decode(&E, REALM_LIVE, buf_span(&front)), -HL_EFORMAT);
    assert_int_equal(envelope_decode_front(&E, REALM_LIVE, buf_span(&file)), -HL_EFORMAT);
    assert_int_equal(envelope_decode(&E, REALM_EXERCISE, buf_span(&file)), -HL_EREALM);
    assert_int_equal(envelope_decode_front(&E, REALM_EXERCISE, buf_span(&front)), -HL_EREALM);
    sample_release(&S);
}

static void body_of_front(void **state)
{
    (void)state;
    sample_sealed(&S);
    encode();
    assert_int_equal(envelope_decode_front(&E, REALM_LIVE, buf_span(&front)), 0);
    assert_int_equal(envelope_set_body(&E, SPAN(S.body.p, S.body.n - 1)), -HL_EFORMAT);
    assert_int_equal(envelope_set_body(&E, SPAN_NONE), -HL_EFORMAT);
    S.body.p[S.body.n - 1] ^= 1;
    assert_int_equal(envelope_set_body(&E, buf_span(&S.body)), -HL_EFORMAT);
    assert_int_equal(E.body.n, 0);
    S.body.p[S.body.n - 1] ^= 1;
    assert_int_equal(envelope_set_body(&E, buf_span(&S.body)), 0);
    sample_release(&S);
}

/* ---- every truncation, every bit ---- */

static void truncated(void **state)
{
    (void)state;
    sample_drafted(&S);
    encode();
    for (size_t n = 0; n < file.n; n++) {
        uint8_t *p = exact(SPAN(file.p, n));

        CHECK_EQ(envelope_decode(&E, REALM_LIVE, SPAN(p, n)), -HL_EFORMAT, "file");
        free(p);
    }
    for (size_t n = 0; n < front.n; n++) {
        uint8_t *p = exact(SPAN(front.p, n));

        CHECK_EQ(envelope_decode_front(&E, REALM_LIVE, SPAN(p, n)), -HL_EFORMAT, "front");
        free(p);
    }
    sample_release(&S);
}

static void one_byte_more(void **state)
{
    (void)state;
    sample_sealed(&S);
    encode();
    buf_put_u8(&file, 0);
    buf_put_u8(&front, 0);
    assert_int_equal(envelope_decode(&E, REALM_LIVE, buf_span(&file)), -HL_EFORMAT);
    assert_int_equal(envelope_decode_front(&E, REALM_LIVE, buf_span(&front)), -HL_EFORMAT);
    sample_release(&S);
}

/* A changed bit is refused, and unless it is of the signature itself it is another envelope. */
static void changed(struct buf *b, size_t byte, uint8_t bit,
                    int (*decode_)(struct envelope *, enum realm, struct span))
{
    bool of_sig = byte >= b->n - 64;

    b->p[byte] ^= bit;
    if (decode_(&E, REALM_LIVE, buf_span(b)) == 0) {
        CHECK_EQ(envelope_verify(&E), -HL_ESIG, "flipped");
        CHECK_EQ(memcmp(E.id, S.env.id, 32) == 0, of_sig, "id");
    }
    b->p[byte] ^= bit;
}

static void every_bit(void **state)
{
    (void)state;
    sample_drafted(&S);
    encode();
    for (size_t i = 0; i < file.n; i++)
        for (unsigned k = 0; k < 8; k++)
            changed(&file, i, (uint8_t)(1u << k), envelope_decode);
    assert_int_equal(envelope_decode(&E, REALM_LIVE, buf_span(&file)), 0);
    sample_release(&S);
}

static void every_bit_of_a_step(void **state)
{
    (void)state;
    sample_step(&S);
    encode();
    for (size_t i = 0; i < front.n; i++)
        for (unsigned k = 0; k < 8; k++)
            changed(&front, i, (uint8_t)(1u << k), envelope_decode_front);
    assert_int_equal(envelope_decode_front(&E, REALM_LIVE, buf_span(&front)), 0);
    sample_release(&S);
}

/* A shard of the bytes of a large front; cmocka knows one thread, so a shard counts what was wrong.
 */
#define SHARDS 8
#ifdef HL_SAN
#define STEP_ 8 /* hashing dominates, and is not ours to sanitize */
#else
#define STEP_ 1
#endif
static void shard(void *arg, size_t k)
{
    struct envelope *e = malloc(sizeof(*e));
    uint8_t *p = exact(buf_span(&front));
    size_t *wrong = arg;

    assert(e);
    for (size_t i = k * STEP_; i < front.n; i += SHARDS * STEP_) {
        p[i] ^= (uint8_t)(1u << (i / SHARDS) % 8);
        if (envelope_decode_front(e, REALM_LIVE, SPAN(p, front.n)) == 0) {
            bool same = memcmp(e->id, S.env.id, 32) == 0;

            if (same != (i >= front.n - 64) || (same && envelope_verify(e) == 0))
                wrong[k]++;
        }
        p[i] ^= (uint8_t)(1u << (i / SHARDS) % 8);
    }
    free(p);
    free(e);
}

static void every_byte_of_a_large_front(void **state)
{
    size_t wrong[SHARDS] = { 0 };

    (void)state;
    sample_large(&S);
    encode();
    parallel_run(2, SHARDS, shard, wrong);
    for (size_t k = 0; k < SHARDS; k++)
        CHECK_EQ(wrong[k], 0, "changed byte accepted");
    sample_release(&S);
}

/* ---- signatures that other implementations disagree about ---- */

/* Small-order points: encodings of orders 1, 2, 4, 8, and of order 1 and 2 with x = -0 or y + p. */
static const char *const small_order[] = {
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

static const char group_order[] =
    "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

static void unhex(uint8_t out[static 32], const char *hex)
{
    assert_int_equal(sodium_hex2bin(out, 32, hex, 64, NULL, NULL, NULL), 0);
}

static void s_not_reduced(void **state)
{
    uint8_t order[32], sig[64];
    unsigned carry = 0;

    (void)state;
    sample_sealed(&S);
    encode();
    assert_int_equal(envelope_decode(&E, REALM_LIVE, buf_span(&file)), 0);
    memcpy(sig, S.sig, 64);
    unhex(order, group_order);
    for (size_t i = 0; i < 32; i++) {
        carry += (unsigned)sig[32 + i] + order[i];
        sig[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    E.sig = sig; /* S + l satisfies the equation too */
    assert_int_equal(envelope_verify(&E), -HL_ESIG);
    memcpy(sig + 32, order, 32);
    assert_int_equal(envelope_verify(&E), -HL_ESIG);
    sample_release(&S);
}

/*
 * With A of small order, R = S B - h A is found for some message without any secret: S = 0 and R =
 * -h A is one of eight points.  All pairs are tried; none may verify, whatever h is.
 */
static void small_order_keys(void **state)
{
    uint8_t key[32], sig[64] = { 0 };

    (void)state;
    sample_sealed(&S);
    encode();
    assert_int_equal(envelope_decode(&E, REALM_LIVE, buf_span(&file)), 0);
    E.stamp.key = key;
    E.sig = sig;
    for (size_t a = 0; a < COUNT(small_order); a++)
        for (size_t r = 0; r < COUNT(small_order); r++) {
            unhex(key, small_order[a]);
            unhex(sig, small_order[r]);
            CHECK_EQ(envelope_verify(&E), -HL_ESIG, small_order[a]);
        }
    sample_release(&S);
}

/* S = h a, R = the neutral element: a good equation that only a check of R's order refuses. */
static void small_order_r(void **state)
{
    uint8_t az[64], h[64], sig[64], hr[32];
    struct buf m;

    (void)state;
    sample_sealed(&S);
    encode();
    assert_int_equal(envelope_decode(&E, REALM_LIVE, buf_span(&file)), 0);
    buf_init(&m, 256);
    unhex(sig, small_order[0]);
    buf_put(&m, sig, 32);
    buf_put(&m, S.pk, 32);
    envelope_release_message(&m, REALM_LIVE, E.id);
    crypto_hash_sha512(h, m.p, m.n);
    crypto_core_ed25519_scalar_reduce(hr, h);
    crypto_hash_sha512(az, S.sk, 32);
    az[0] &= 248;
    az[31] = (az[31] & 127) | 64;
    memset(az + 32, 0, 32);
    crypto_core_ed25519_scalar_reduce(az, az);
    crypto_core_ed25519_scalar_mul(sig + 32, hr, az);
    E.sig = sig;
    assert_int_equal(envelope_verify(&E), -HL_ESIG);
    buf_release(&m);
    sample_release(&S);
}

/*
 * A' = A + T with T of order 8: whoever knows a signs so that S B = R + h A' - h T.  The equation
 * without cofactor holds only where 8 divides h; a verifier with cofactor would take all of them.
 * Where it holds, libsodium takes it: cards refuse such keys when they are enrolled (FORMATS 1).
 */
static void mixed_order_key(void **state)
{
    uint8_t a[64] = { 5 }, nonce[64], point[32], t[32], key[32], h[64], sig[64], tmp[32];
    bool had[2] = { false };

    (void)state;
    crypto_core_ed25519_scalar_reduce(a, a);
    assert_int_equal(crypto_scalarmult_ed25519_base_noclamp(point, a), 0);
    unhex(t, small_order[4]);
    assert_int_equal(crypto_core_ed25519_add(key, point, t), 0);
    sample_sealed(&S);
    S.s.key = key;
    encode();
    assert_int_equal(envelope_decode(&E, REALM_LIVE, buf_span(&file)), 0);
    E.sig = sig;
    for (uint8_t i = 1; i < 100; i++) {
        struct buf m;
        bool divides;

        memset(nonce, i, sizeof(nonce));
        crypto_core_ed25519_scalar_reduce(nonce, nonce);
        assert_int_equal(crypto_scalarmult_ed25519_base_noclamp(sig, nonce), 0);
        buf_init(&m, 256);
        buf_put(&m, sig, 32);
        buf_put(&m, key, 32);
        envelope_release_message(&m, REALM_LIVE, E.id);
        crypto_hash_sha512(h, m.p, m.n);
        buf_release(&m);
        crypto_core_ed25519_scalar_reduce(h, h);
        divides = (h[0] & 7) == 0;
        crypto_core_ed25519_scalar_mul(tmp, h, a);
        crypto_core_ed25519_scalar_add(sig + 32, nonce, tmp);
        CHECK_EQ(envelope_verify(&E), divides ? 0 : -HL_ESIG, "cofactor");
        had[divides] = true;
    }
    assert_true(had[0] && had[1]);
    sample_release(&S);
}

static void non_canonical_key(void **state)
{
    uint8_t key[32];

    (void)state;
    sample_sealed(&S);
    encode();
    assert_int_equal(envelope_decode(&E, REALM_LIVE, buf_span(&file)), 0);
    memset(key, 0xff, sizeof(key));
    key[0] = 0xf0; /* y = p + 3 */
    key[31] = 0x7f;
    E.stamp.key = key;
    assert_int_equal(envelope_verify(&E), -HL_ESIG);
    sample_release(&S);
}

/* Neither signature can stand for the other, nor for one of the other realm or of another envelope.
 */
static void signatures_are_bound(void **state)
{
    struct buf m;
    uint8_t sig[64];

    (void)state;
    sample_drafted(&S);
    encode();
    assert_int_equal(envelope_decode(&E, REALM_LIVE, buf_span(&file)), 0);
    buf_init(&m, 256);
    E.sig = sig;
    for (int i = 0; i < 4; i++) {
        buf_clear(&m);
        if (i == 0)
            envelope_draft_message(&m, REALM_LIVE, E.id);
        else if (i == 1)
            envelope_release_message(&m, REALM_LIVE, E.mid);
        else if (i == 2)
            envelope_release_message(&m, REALM_EXERCISE, E.id);
        else
            envelope_release_message(&m, REALM_LIVE, E.id);
        crypto_sign_detached(sig, NULL, m.p, m.n, S.sk);
        CHECK_EQ(envelope_verify(&E), i == 3 ? 0 : -HL_ESIG, "release");
    }
    E.stamp.draft_sig = sig; /* signed by the releaser, over id */
    assert_int_equal(envelope_verify(&E), -HL_ESIG);
    E.stamp.draft_sig = S.draft_sig;
    E.stamp.draft_key = S.pk;
    assert_int_equal(envelope_verify(&E), -HL_ESIG);
    buf_release(&m);
    sample_release(&S);
}

/* The same parts under the label of the other realm are another message and another envelope. */
static void realms_have_labels(void **state)
{
    uint8_t a[32], b[32];

    (void)state;
    sample_sealed(&S);
    encode();
    envelope_mid(a, REALM_EXERCISE, S.env.header_bytes);
    assert_memory_not_equal(a, S.env.mid, 32);
    envelope_head(a, REALM_EXERCISE, S.env.header_bytes, S.env.stamp_bytes);
    assert_memory_not_equal(a, S.env.h, 32);
    envelope_id(b, REALM_EXERCISE, S.env.h, S.env.wraps_hash, S.env.body_hash);
    assert_memory_not_equal(b, S.env.id, 32);
    sample_release(&S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips),
        cmocka_unit_test(parts_fit),
        cmocka_unit_test(parts_of_record),
        cmocka_unit_test(file_every_row),
        cmocka_unit_test(forms_do_not_mix),
        cmocka_unit_test(body_of_front),
        cmocka_unit_test(truncated),
        cmocka_unit_test(one_byte_more),
        cmocka_unit_test(every_bit),
        cmocka_unit_test(every_bit_of_a_step),
        cmocka_unit_test(every_byte_of_a_large_front),
        cmocka_unit_test(s_not_reduced),
        cmocka_unit_test(small_order_keys),
        cmocka_unit_test(small_order_r),
        cmocka_unit_test(mixed_order_key),
        cmocka_unit_test(non_canonical_key),
        cmocka_unit_test(signatures_are_bound),
        cmocka_unit_test(realms_have_labels),
    };
    int rc;

    buf_init(&file, 2 * ENVELOPE_MAX);
    buf_init(&front, 2 * ENVELOPE_MAX);
    buf_init(&again, 2 * ENVELOPE_MAX);
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    buf_release(&file);
    buf_release(&front);
    buf_release(&again);
    return rc;
}
