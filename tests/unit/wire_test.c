#include "common/error.h"
#include "common/wire.h"
#include "tests/check.h"
#include "tests/diag.h"
#include "tests/sample.h"

static struct buf bytes, again;
static struct frame F;

#define H32 "0a*32"
/* clang-format off */
static const struct {
    const char *name, *text;
    int want;
} rows[] = {
    { "HELLO", "[1 1 'live' 'arcadia.technical' 0 '']", 0 },
    { "HELLO with checkpoint", "[1 1 'exercise' 'a.b' 9223372036854775807 'note']", 0 },
    { "HELLO of another protocol", "[1 2 'live' 'a.b' 0 '']", 0 }, /* answered, not ignored */
    { "HELLO, unknown realm", "[1 1 'lives' 'a.b' 0 '']", -HL_EREALM },
    { "HELLO of a party", "[1 1 'live' 'a' 0 '']", -HL_EFORMAT },
    { "HELLO, less", "[1 1 'live' 'a.b' 0]", -HL_EFORMAT },
    { "HELLO, more", "[1 1 'live' 'a.b' 0 '' 0]", -HL_EFORMAT },
    { "SUBMIT", "[2 1 5 'front' 'body']", 0 },
    { "SUBMIT without body", "[2 4294967296 5 'front' '']", 0 },
    { "SUBMIT, tag 0", "[2 0 5 'front' '']", -HL_EFORMAT },
    { "SUBMIT, tag over", "[2 4294967297 5 'front' '']", -HL_EFORMAT },
    { "SUBMIT, no front", "[2 1 5 '' '']", -HL_EFORMAT },
    { "SUBMIT, front of length 0", "[2 1 0 '' '']", -HL_EFORMAT },
    { "SUBMIT, front shorter", "[2 1 6 'front' '']", -HL_EFORMAT },
    { "SUBMIT, front longer", "[2 1 4 'front' '']", -HL_EFORMAT },
    { "SUBMIT, inline at its limit", "[2 1 5 'front' 00*32763]", 0 },
    { "SUBMIT, inline over its limit", "[2 1 5 'front' 00*32764]", -HL_EFORMAT },
    { "SUBMIT, inline far over", "[2 1 5 'front' 00*32769]", -HL_ETOOBIG },
    { "SUBMIT, front of a chunk", "[2 1 32768 00*32768 '']", 0 },
    { "SUBMIT, first chunk of a front", "[2 1 90000 00*32768 '']", 0 },
    { "SUBMIT, first chunk not whole", "[2 1 90000 00*32767 '']", -HL_EFORMAT },
    { "SUBMIT, body behind half a front", "[2 1 90000 00*32768 'b']", -HL_EFORMAT },
    { "SUBMIT, front too long", "[2 1 1000000 00*32768 '']", -HL_EFORMAT },
    { "SUBMIT, front of more than a chunk", "[2 1 32769 00*32769 '']", -HL_ETOOBIG },
    { "CHUNK", "[3 1 0 'x']", 0 },
    { "CHUNK, full", "[3 1 32768 00*32768]", 0 },
    { "CHUNK, empty", "[3 1 0 '']", -HL_EFORMAT },
    { "CHUNK, too long", "[3 1 0 00*32769]", -HL_ETOOBIG },
    { "CHUNK, last", "[3 1 1199999 'x']", 0 },
    { "CHUNK beyond the end", "[3 1 1199999 'xy']", -HL_EFORMAT },
    { "CHUNK, offset too large", "[3 1 1200001 'x']", -HL_EFORMAT },
    { "DOCUMENT", "[4 1 'note']", 0 },
    { "DOCUMENT of 60,000", "[4 1 61*60000]", 0 },
    { "DOCUMENT, empty", "[4 1 '']", -HL_EFORMAT },
    { "GOT", "[5 1 65536]", 0 },
    { "GOT, offset too large", "[5 1 1200001]", -HL_EFORMAT },
    { "FETCH", "[6 1 1 0 10]", 0 },
    { "FETCH 8", "[6 1 8 0 10]", 0 },
    { "FETCH 0", "[6 1 0 0 10]", -HL_EFORMAT },
    { "FETCH 9", "[6 1 9 0 10]", -HL_EFORMAT },
    { "COSIGNED", "[7 1 200 'sig']", 0 },
    { "COSIGNED, conflict", "[7 1 409 '']", 0 },
    { "COSIGNED, no status", "[7 1 0 '']", -HL_EFORMAT },
    { "COSIGNED, status 600", "[7 1 600 '']", -HL_EFORMAT },
    { "PING", "[8 0]", 0 },
    { "PONG", "[9 9223372036854775807 1796000000000]", 0 },
    { "PING 2^63", "[8 9223372036854775808]", -HL_EFORMAT },
    { "verb 0", "[0]", -HL_EFORMAT },
    { "verb 10", "[10 1]", -HL_EFORMAT },
    { "verb 15", "[15 1]", -HL_EFORMAT },
    { "verb 24", "[24 1]", -HL_EFORMAT },
    { "verb 2^32 + 8", "[4294967304 1]", -HL_EFORMAT },
    { "WELCOME", "[16 1 'live' 'hotline.example/live/arcadia/1' 'note' 10 1796000000000 []]", 0 },
    { "WELCOME with numbers", "[16 1 'live' 'o' '' 0 0 [[c1*32 ca*16 1] [c2*32 ca*16 7]]]", 0 },
    { "WELCOME, number 0", "[16 1 'live' 'o' '' 0 0 [[c1*32 ca*16 0]]]", -HL_EFORMAT },
    { "WELCOME, channel of 31", "[16 1 'live' 'o' '' 0 0 [[c1*31 ca*16 1]]]", -HL_EFORMAT },
    { "WELCOME, chain of 17", "[16 1 'live' 'o' '' 0 0 [[c1*32 ca*17 1]]]", -HL_EFORMAT },
    { "WELCOME, number of two", "[16 1 'live' 'o' '' 0 0 [[c1*32 ca*16]]]", -HL_EFORMAT },
    { "WELCOME, no origin", "[16 1 'live' '' '' 0 0 []]", -HL_EFORMAT },
    { "WELCOME, origin with blank", "[16 1 'live' 'a b' '' 0 0 []]", -HL_EFORMAT },
    { "RECORDED", "[17 1 5 1796000000000 " H32 " 6 [" H32 " " H32 "]]", 0 },
    { "RECORDED, a document", "[17 1 0 1 '' 1 []]", 0 },
    { "RECORDED, salt of 31", "[17 1 0 1 0a*31 1 []]", -HL_EFORMAT },
    { "RECORDED, salt of 33", "[17 1 0 1 0a*33 1 []]", -HL_EFORMAT },
    { "RECORDED, hash of 31", "[17 1 0 1 '' 1 [0a*31]]", -HL_EFORMAT },
    { "RECORDED, tag 0", "[17 0 0 1 '' 1 []]", -HL_EFORMAT },
    { "DELIVER", "[18 1 5 1 " H32 " 0 5 'front' 'body']", 0 },
    { "DELIVER, all flags", "[18 1 5 1 " H32 " 3 5 'front' '']", 0 },
    { "DELIVER, flag 4", "[18 1 5 1 " H32 " 4 5 'front' '']", -HL_EFORMAT },
    { "DELIVER without salt", "[18 1 5 1 '' 0 5 'front' '']", -HL_EFORMAT },
    { "DELIVER, front shorter", "[18 1 5 1 " H32 " 0 6 'front' '']", -HL_EFORMAT },
    { "CHECKPOINT", "[19 'note']", 0 },
    { "CHECKPOINT, empty", "[19 '']", -HL_EFORMAT },
    { "REFUSED", "[20 7 40 'not a member']", 0 },
    { "REFUSED, of the connection", "[20 0 4 '']", 0 },
    { "REFUSED, code 0", "[20 1 0 '']", -HL_EFORMAT },
    { "REFUSED, code 128", "[20 1 128 '']", -HL_EFORMAT },
    { "REFUSED, sentence at its limit", "[20 1 1 61*500]", 0 },
    { "REFUSED, sentence too long", "[20 1 1 61*501]", -HL_ETOOBIG },
    { "REFUSED, sentence of two lines", "[20 1 1 0a*1]", -HL_EFORMAT },
    { "REFUSED, sentence with escape", "[20 1 1 1b*1]", -HL_EFORMAT },
    { "FETCHED", "[21 1 3 5 10 " H32 "]", 0 },
    { "FETCHED, empty", "[21 1 5 0 12 '']", 0 },
    { "ADD-CHECKPOINT", "[22 9 'body']", 0 },
    { "OPENING", "[23 5 " H32 " 'record']", 0 },
    { "OPENING without salt", "[23 5 '' 'record']", -HL_EFORMAT },
    { "OPENING, empty", "[23 5 " H32 " '']", -HL_EFORMAT },
    { "trailing byte", "[8 0] 0", -HL_EFORMAT },
    { "nothing", "", -HL_EFORMAT },
    { "empty array", "[]", -HL_EFORMAT },
    { "verb as bytes", "['' 1]", -HL_EFORMAT },
    { "not an array", "8", -HL_EFORMAT },
    { "verb not shortest", "=82180800", -HL_EFORMAT },
    { "frame at its limit", "[21 1 3 5 10 00*65525]", 0 },
    { "frame too large", "[21 1 3 5 10 00*65530]", -HL_ETOOBIG },
};
/* clang-format on */

static void every_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct span in = diag(&bytes, rows[i].text);

        CHECK_EQ(frame_decode(&F, in), rows[i].want, rows[i].name);
        if (rows[i].want) {
            CHECK_EQ((unsigned)F.verb + F.tag + F.front.n + F.n_numbers + F.n_path, 0,
                     rows[i].name);
            continue;
        }
        buf_clear(&again);
        CHECK_EQ(frame_put(&again, &F), 0, rows[i].name);
        CHECK_EQ(span_eq(buf_span(&again), in), 1, rows[i].name);
    }
}

/* Every good row: each truncation is refused, each changed bit refused or another frame. */
static void damaged(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct span in = diag(&bytes, rows[i].text);

        if (rows[i].want || in.n > 1000)
            continue;
        for (size_t n = 0; n < in.n; n++) {
            uint8_t *p = exact(SPAN(in.p, n));

            CHECK_EQ(frame_decode(&F, SPAN(p, n)), -HL_EFORMAT, rows[i].name);
            free(p);
        }
        for (size_t bit = 0; bit < 8 * in.n; bit++) {
            bytes.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (frame_decode(&F, in) == 0) {
                buf_clear(&again);
                CHECK_EQ(frame_put(&again, &F), 0, rows[i].name);
                CHECK_EQ(span_eq(buf_span(&again), in), 1, rows[i].name);
            }
            bytes.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}

static void fields(void **state)
{
    (void)state;
    frame_decode(&F, diag(&bytes, "[1 1 'exercise' 'a.b' 9 'note']"));
    assert_int_equal(F.verb, VERB_HELLO);
    assert_int_equal(F.proto, 1);
    assert_int_equal(F.realm, REALM_EXERCISE);
    assert_true(span_eq_str(F.poc, "a.b"));
    assert_int_equal(F.since, 9);
    assert_true(span_eq_str(F.note, "note"));
    frame_decode(&F, diag(&bytes, "[18 1 5 6 " H32 " 3 5 'front' 'body']"));
    assert_int_equal(F.verb, VERB_DELIVER);
    assert_int_equal(F.note.n, 0);
    assert_int_equal(F.tag, 1);
    assert_int_equal(F.index, 5);
    assert_int_equal(F.time_ms, 6);
    assert_int_equal(F.salt.n, 32);
    assert_int_equal(F.flags, 3);
    assert_int_equal(F.front_len, 5);
    assert_true(span_eq_str(F.front, "front"));
    assert_true(span_eq_str(F.body, "body"));
    frame_decode(&F, diag(&bytes, "[17 1 5 6 " H32 " 7 [01*32 02*32]]"));
    assert_int_equal(F.size, 7);
    assert_int_equal(F.n_path, 2);
    assert_int_equal(F.path[1][31], 2);
    frame_decode(&F, diag(&bytes, "[16 1 'live' 'o' '' 8 9 [[c1*32 ca*16 1] [c2*32 cb*16 7]]]"));
    assert_int_equal(F.n_path, 0);
    assert_int_equal(F.size, 8);
    assert_int_equal(F.n_numbers, 2);
    assert_int_equal(F.number[1].channel[0], 0xc2);
    assert_int_equal(F.number[1].chain[0], 0xcb);
    assert_int_equal(F.number[1].seq, 7);
}

static void array_limits(void **state)
{
    struct buf text;

    (void)state;
    buf_init(&text, 1 << 16);
    for (size_t n = WIRE_NUMBERS_MAX; n <= WIRE_NUMBERS_MAX + 1; n++) {
        buf_clear(&text);
        buf_put_str(&text, "[16 1 'live' 'o' '' 0 0 [");
        for (size_t i = 0; i < n; i++)
            buf_put_str(&text, " [c1*32 ca*16 1]");
        buf_put_str(&text, "]]");
        CHECK_EQ(frame_decode(&F, diag(&bytes, buf_str(&text))),
                 n > WIRE_NUMBERS_MAX ? -HL_ETOOBIG : 0, "numbers");
    }
    for (size_t n = MERKLE_MAX_PROOF; n <= MERKLE_MAX_PROOF + 1; n++) {
        buf_clear(&text);
        buf_put_str(&text, "[17 1 5 6 '' 7 [");
        for (size_t i = 0; i < n; i++)
            buf_put_str(&text, " 0a*32");
        buf_put_str(&text, "]]");
        CHECK_EQ(frame_decode(&F, diag(&bytes, buf_str(&text))),
                 n > MERKLE_MAX_PROOF ? -HL_ETOOBIG : 0, "path");
    }
    buf_release(&text);
}

static void put_limits(void **state)
{
    static const uint8_t large[WIRE_FRAME_MAX];
    struct frame f = { .verb = VERB_CHECKPOINT, .note = SPAN(large, sizeof(large)) };

    (void)state;
    buf_clear(&again);
    assert_int_equal(frame_put(&again, &f), -HL_ETOOBIG);
    f.note.n -= 5; /* array head, verb, string head of three */
    buf_clear(&again);
    assert_int_equal(frame_put(&again, &f), 0);
    assert_int_equal(again.n, WIRE_FRAME_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row),    cmocka_unit_test(damaged),    cmocka_unit_test(fields),
        cmocka_unit_test(array_limits), cmocka_unit_test(put_limits),
    };
    int rc;

    buf_init(&again, 1 << 20);
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    buf_release(&again);
    buf_release(&bytes);
    return rc;
}
