#include "common/error.h"
#include "common/record.h"
#include "tests/check.h"
#include "tests/diag.h"
#include "tests/sample.h"

static struct buf bytes, again;

#define MID "3f*32"
/* clang-format off */
static const struct {
    const char *name, *text;
    int want;
} rows[] = {
    { "dummy", "[0 1796000000000]", 0 },
    { "dummy with more", "[0 1 1]", -HL_EFORMAT },
    { "dummy without time", "[0]", -HL_EFORMAT },
    { "time 2^63", "[0 9223372036854775808]", -HL_EFORMAT },
    { "type 4", "[4 1]", -HL_EFORMAT },
    { "type as bytes", "['' 1]", -HL_EFORMAT },
    { "envelope", "[1 1 1 01*250 02*300 03*32 04*32 05*64]", 0 },
    { "envelope of suite 2", "[1 1 2 01*250 02*300 03*32 04*32 05*64]", -HL_ESUITE },
    { "envelope without header", "[1 1 1 '' 02*300 03*32 04*32 05*64]", -HL_EFORMAT },
    { "envelope without stamp", "[1 1 1 01*250 '' 03*32 04*32 05*64]", -HL_EFORMAT },
    { "header at its limit", "[1 1 1 01*40000 02*2000 03*32 04*32 05*64]", 0 },
    { "header over its limit", "[1 1 1 01*40001 02*300 03*32 04*32 05*64]", -HL_ETOOBIG },
    { "stamp over its limit", "[1 1 1 01*250 02*2001 03*32 04*32 05*64]", -HL_ETOOBIG },
    { "wraps hash of 31", "[1 1 1 01*250 02*300 03*31 04*32 05*64]", -HL_EFORMAT },
    { "body hash of 33", "[1 1 1 01*250 02*300 03*32 04*33 05*64]", -HL_EFORMAT },
    { "signature of 63", "[1 1 1 01*250 02*300 03*32 04*32 05*63]", -HL_EFORMAT },
    { "envelope with more", "[1 1 1 01*250 02*300 03*32 04*32 05*64 1]", -HL_EFORMAT },
    { "agreement", "[2 1 'hotline/1 live agreement']", 0 },
    { "agreement at its limit", "[2 1 61*45000]", 0 },
    { "agreement over its limit", "[2 1 61*45001]", -HL_ETOOBIG },
    { "agreement empty", "[2 1 '']", -HL_EFORMAT },
    { "notice", "[3 1 1 " MID " 'a.b' 'not fetched']", 0 },
    { "notice without poc and detail", "[3 1 6 00*32 '' '']", 0 },
    { "notice kind 0", "[3 1 0 " MID " 'a.b' '']", -HL_EFORMAT },
    { "notice kind 7", "[3 1 7 " MID " 'a.b' '']", -HL_EFORMAT },
    { "notice mid of 31", "[3 1 1 3f*31 'a.b' '']", -HL_EFORMAT },
    { "notice without mid", "[3 1 1 '' 'a.b' '']", -HL_EFORMAT },
    { "notice for a party", "[3 1 1 " MID " 'a' '']", -HL_EFORMAT },
    { "detail at its limit", "[3 1 1 " MID " 'a.b' 61*1000]", 0 },
    { "detail over its limit", "[3 1 1 " MID " 'a.b' 61*1001]", -HL_ETOOBIG },
    { "detail not UTF-8", "[3 1 1 " MID " 'a.b' ff*1]", -HL_EFORMAT },
    { "detail with escape", "[3 1 1 " MID " 'a.b' 1b*1]", -HL_EFORMAT },
    { "trailing byte", "[0 1] 0", -HL_EFORMAT },
    { "too large", "[2 1 61*60001]", -HL_ETOOBIG },
    { "nothing", "", -HL_EFORMAT },
    { "not an array", "0", -HL_EFORMAT },
};
/* clang-format on */

static void every_row(void **state)
{
    struct record r;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct span in = diag(&bytes, rows[i].text);

        CHECK_EQ(record_decode(&r, in), rows[i].want, rows[i].name);
        if (rows[i].want) {
            CHECK_EQ(r.time_ms, 0, rows[i].name);
            continue;
        }
        buf_clear(&again);
        CHECK_EQ(record_put(&again, &r), 0, rows[i].name);
        CHECK_EQ(span_eq(buf_span(&again), in), 1, rows[i].name);
    }
}

static const char *const kinds[] = {
    "[0 1796000000000]",
    "[1 1796000000000 1 01*250 02*300 03*32 04*32 05*64]",
    "[2 1796000000000 'hotline/1 live agreement']",
    "[3 1796000000000 1 " MID " 'a.b' 'not fetched']",
};

static void truncated(void **state)
{
    struct record r;

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct span in = diag(&bytes, kinds[i]);

        for (size_t n = 0; n < in.n; n++) {
            uint8_t *p = exact(SPAN(in.p, n));

            CHECK_EQ(record_decode(&r, SPAN(p, n)), -HL_EFORMAT, kinds[i]);
            free(p);
        }
    }
}

/* Every changed bit is refused or is another record, hence another entry. */
static void every_bit(void **state)
{
    static const uint8_t salt[RECORD_SALT] = { 0x5a };
    uint8_t entry[32], other[32];
    struct record r;

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct span in = diag(&bytes, kinds[i]);

        record_entry(entry, REALM_LIVE, salt, in);
        for (size_t bit = 0; bit < 8 * in.n; bit++) {
            bytes.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (record_decode(&r, in) == 0) {
                buf_clear(&again);
                CHECK_EQ(record_put(&again, &r), 0, kinds[i]);
                CHECK_EQ(span_eq(buf_span(&again), in), 1, kinds[i]);
            }
            record_entry(other, REALM_LIVE, salt, in);
            CHECK_EQ(memcmp(entry, other, 32) != 0, 1, kinds[i]);
            bytes.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}

/* The entry depends on the realm, the salt, the record and where one ends and the other begins. */
static void entry_binds(void **state)
{
    uint8_t salt[RECORD_SALT] = { 0x5a }, entry[32], other[32], want[32];
    struct span in = diag(&bytes, kinds[0]);
    struct buf m;

    (void)state;
    record_entry(entry, REALM_LIVE, salt, in);
    buf_init(&m, 1000);
    buf_put(&m, "hotline/1 live leaf", sizeof("hotline/1 live leaf"));
    buf_put(&m, salt, 32);
    buf_put(&m, "\0\0\0\x0b", 4);
    buf_put_span(&m, in);
    assert_int_equal(in.n, 11);
    crypto_hash_sha256(want, m.p, m.n);
    assert_memory_equal(entry, want, 32);
    record_entry(other, REALM_EXERCISE, salt, in);
    assert_memory_not_equal(entry, other, 32);
    salt[31] = 1;
    record_entry(other, REALM_LIVE, salt, in);
    assert_memory_not_equal(entry, other, 32);
    buf_release(&m);
}

/* The record of an envelope leads back to the envelope's id and signature. */
static void of_envelope(void **state)
{
    static void (*const make[])(struct sample *) = { sample_sealed, sample_step };
    static struct sample s;
    static struct envelope e;
    struct record r;

    (void)state;
    for (size_t i = 0; i < COUNT(make); i++) {
        make[i](&s);
        assert_int_equal(sample_sign(&s), 0);
        buf_clear(&again);
        assert_int_equal(record_put_envelope(&again, 1796000000123, &s.env), 0);
        assert_int_equal(record_decode(&r, buf_span(&again)), 0);
        assert_int_equal(r.type, RECORD_ENVELOPE);
        assert_int_equal(r.time_ms, 1796000000123);
        assert_int_equal(envelope_decode_parts(&e, REALM_LIVE, r.header, r.stamp, r.wraps_hash,
                                               r.body_hash, r.sig),
                         0);
        assert_memory_equal(e.id, s.env.id, 32);
        assert_int_equal(envelope_verify(&e), 0);
        sample_release(&s);
    }
}

static void put_refuses(void **state)
{
    static const uint8_t zeros[32];
    struct record r = { .type = RECORD_NOTICE, .notice = 7, .mid = zeros };

    (void)state;
    buf_clear(&again);
    assert_int_equal(record_put(&again, &r), -HL_EFORMAT);
    r.notice = NOTICE_OPENED;
    r.poc = span_str("arcadia");
    assert_int_equal(record_put(&again, &r), -HL_EFORMAT);
    r.poc = SPAN_NONE;
    r.detail = span_str("\x1b[2J");
    assert_int_equal(record_put(&again, &r), -HL_EFORMAT);
    r = (struct record){ .type = RECORD_AGREEMENT };
    assert_int_equal(record_put(&again, &r), -HL_EFORMAT);
    assert_int_equal(again.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row),   cmocka_unit_test(truncated),   cmocka_unit_test(every_bit),
        cmocka_unit_test(entry_binds), cmocka_unit_test(of_envelope), cmocka_unit_test(put_refuses),
    };
    int rc;

    buf_init(&again, 1 << 20);
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    buf_release(&again);
    buf_release(&bytes);
    return rc;
}
