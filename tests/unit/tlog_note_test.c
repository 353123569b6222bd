#include "tests/check.h"

#include <stdlib.h>

#include <sodium.h>

#include "common/error.h"
#include "common/text.h"
#include "common/tlog/note.h"
#include "tests/vectors/tlog.h"

#define DASH "\xe2\x80\x94 "
#define SIG64                                                                                      \
    "AAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
/* initialises a struct span */
#define LIT(s)                                                                                     \
    {                                                                                              \
        (const uint8_t *)(s), sizeof(s) - 1                                                        \
    }

static struct note_key key(const char *vkey)
{
    struct note_key k;

    CHECK_EQ(note_key_parse(&k, span_str(vkey)), 0, vkey);
    return k;
}

static void parse_rows(void **state)
{
    static const struct {
        const char *name;
        struct span in;
        int want;
        size_t text, n;
    } rows[] = {
        { "the spec's", LIT(SPEC_NOTE), 0, sizeof(SPEC_TEXT) - 1, 1 },
        { "checkpoint", LIT(EXAMPLE_NOTE), 0, sizeof(EXAMPLE_TEXT) - 1, 2 },
        { "text with empty lines", LIT("a\n\nb\n\n" DASH "n " SIG64 "\n"), 0, 5, 1 },
        { "text that looks signed", LIT("a\n\n" DASH "n " SIG64 "\n\n" DASH "n " SIG64 "\n"), 0,
          3 + 6 + 92 + 1, 1 },
        { "short unknown signature", LIT("a\n\n" DASH "n AAAAAQA=\n"), 0, 2, 1 },
        { "empty", LIT(""), -HL_EFORMAT, 0, 0 },
        { "no signature", LIT("a\n\n"), -HL_EFORMAT, 0, 0 },
        { "no separator", LIT("a\n" DASH "n " SIG64 "\n"), -HL_EFORMAT, 0, 0 },
        { "no final LF", LIT("a\n\n" DASH "n " SIG64), -HL_EFORMAT, 0, 0 },
        { "CRLF", LIT("a\n\n" DASH "n " SIG64 "\r\n"), -HL_EFORMAT, 0, 0 },
        { "hyphen for dash", LIT("a\n\n- n " SIG64 "\n"), -HL_EFORMAT, 0, 0 },
        { "dash without blank", LIT("a\n\n\xe2\x80\x94n " SIG64 "\n"), -HL_EFORMAT, 0, 0 },
        { "dash alone", LIT("a\n\n" DASH "\n"), -HL_EFORMAT, 0, 0 },
        { "no name", LIT("a\n\n" DASH " " SIG64 "\n"), -HL_EFORMAT, 0, 0 },
        { "name with plus", LIT("a\n\n" DASH "n+m " SIG64 "\n"), -HL_EFORMAT, 0, 0 },
        { "name with no-break space", LIT("a\n\n" DASH "n\xc2\xa0m " SIG64 "\n"), -HL_EFORMAT, 0,
          0 },
        { "two blanks", LIT("a\n\n" DASH "n  " SIG64 "\n"), -HL_EFORMAT, 0, 0 },
        { "blank at the end", LIT("a\n\n" DASH "n " SIG64 " \n"), -HL_EFORMAT, 0, 0 },
        { "no base64", LIT("a\n\n" DASH "n \n"), -HL_EFORMAT, 0, 0 },
        { "only a key id", LIT("a\n\n" DASH "n AAAAAQ==\n"), -HL_EFORMAT, 0, 0 },
        { "base64 unpadded", LIT("a\n\n" DASH "n AAAAAQA\n"), -HL_EFORMAT, 0, 0 },
        { "base64 with stray bits", LIT("a\n\n" DASH "n AAAAAQB=\n"), -HL_EFORMAT, 0, 0 },
        { "base64 of URLs", LIT("a\n\n" DASH "n AAAAAQ_-\n"), -HL_EFORMAT, 0, 0 },
        { "NUL in the text", LIT("a\0\n\n" DASH "n " SIG64 "\n"), -HL_EFORMAT, 0, 0 },
        { "tab in the text", LIT("a\tb\n\n" DASH "n " SIG64 "\n"), -HL_EFORMAT, 0, 0 },
        { "overlong UTF-8", LIT("\xc0\x80\n\n" DASH "n " SIG64 "\n"), -HL_EFORMAT, 0, 0 },
        { "overlong by 3", LIT("\xe0\x9f\xbf\n\n" DASH "n " SIG64 "\n"), -HL_EFORMAT, 0, 0 },
        { "surrogate", LIT("\xed\xa0\x80\n\n" DASH "n " SIG64 "\n"), -HL_EFORMAT, 0, 0 },
        { "beyond Unicode", LIT("\xf4\x90\x80\x80\n\n" DASH "n " SIG64 "\n"), -HL_EFORMAT, 0, 0 },
        { "byte f8", LIT("\xf8\x88\x80\x80\n\n" DASH "n " SIG64 "\n"), -HL_EFORMAT, 0, 0 },
        { "lone continuation", LIT("\x80\n\n" DASH "n " SIG64 "\n"), -HL_EFORMAT, 0, 0 },
        { "cut UTF-8", LIT("a\n\n" DASH "n " SIG64 "\n\xe2\x80"), -HL_EFORMAT, 0, 0 },
        { "highest code point", LIT("\xf4\x8f\xbf\xbf\n\n" DASH "n " SIG64 "\n"), 0, 5, 1 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct note note;

        CHECK_EQ(note_parse(&note, rows[i].in), rows[i].want, rows[i].name);
        CHECK_EQ(note.text.n, rows[i].text, rows[i].name);
        CHECK_EQ(note.n, rows[i].n, rows[i].name);
    }
}

/* In a buffer of exactly that size, so that a sanitizer sees a step beyond. */
static void truncations(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof(EXAMPLE_NOTE) - 1; n++) {
        uint8_t *p = malloc(n ? n : 1);
        bool whole = n == sizeof(EXAMPLE_TEXT EXAMPLE_LOG_LINE); /* one line less is a note */
        struct note note;

        assert_non_null(p);
        memcpy(p, EXAMPLE_NOTE, n);
        CHECK_EQ(note_parse(&note, SPAN(p, n)), whole ? 0 : -HL_EFORMAT, "cut");
        free(p);
    }
}

static void limits(void **state)
{
    static const char line[] = DASH "n " SIG64 "\n";
    struct buf in;
    struct note note;

    (void)state;
    buf_init(&in, 2 * NOTE_MAX);
    buf_put_str(&in, "a\n\n");
    for (size_t i = 0; i < NOTE_MAX_SIGS; i++)
        buf_put_str(&in, line);
    CHECK_EQ(note_parse(&note, buf_span(&in)), 0, "100 signatures");
    CHECK_EQ(note.n, NOTE_MAX_SIGS, "100 signatures");
    buf_put_str(&in, line);
    CHECK_EQ(note_parse(&note, buf_span(&in)), -HL_ETOOBIG, "101 signatures");
    buf_clear(&in);
    while (in.n < NOTE_MAX)
        buf_put_str(&in, "a\n");
    buf_put_str(&in, "\n");
    buf_put_str(&in, line);
    CHECK_EQ(note_parse(&note, buf_span(&in)), -HL_ETOOBIG, "more than a megabyte");
    buf_release(&in);
}

static void names(void **state)
{
    static const struct {
        const char *name;
        struct span in;
        bool want;
    } rows[] = {
        { "plain", LIT("hotline.example/live/arcadia/1"), true },
        { "UTF-8", LIT("caf\xc3\xa9"), true },
        { "empty", LIT(""), false },
        { "blank", LIT("a b"), false },
        { "plus", LIT("a+b"), false },
        { "LF", LIT("a\nb"), false },
        { "next line", LIT("a\xc2\x85"), false },
        { "thin space", LIT("a\xe2\x80\x89"), false },
        { "line separator", LIT("a\xe2\x80\xa8"), false },
        { "ideographic space", LIT("a\xe3\x80\x80"), false },
        { "not UTF-8", LIT("a\xff"), false },
    };
    char longest[NOTE_MAX_NAME + 1];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_EQ(note_name(rows[i].in), rows[i].want, rows[i].name);
    memset(longest, 'a', sizeof(longest));
    CHECK_EQ(note_name(SPAN(longest, NOTE_MAX_NAME)), true, "255");
    CHECK_EQ(note_name(SPAN(longest, NOTE_MAX_NAME + 1)), false, "256");
}

static void vkey_rows(void **state)
{
    static const struct {
        const char *name, *vkey;
        int want;
    } rows[] = {
        { "spec", SPEC_KEY, 0 },
        { "log", EXAMPLE_LOG, 0 },
        { "witness", EXAMPLE_WITNESS, 0 },
        { "litewitness", LITE_KEY, 0 },
        { "wrong key id",
          "hotline.example/audit+02f8ea02+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c",
          -HL_EFORMAT },
        { "upper-case key id",
          "hotline.example/audit+02F8EA01+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c",
          -HL_EFORMAT },
        { "another name",
          "hotline.example/audi+02f8ea01+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c",
          -HL_EFORMAT },
        { "another type",
          "hotline.example/audit+02f8ea01+BIqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c",
          -HL_EFORMAT },
        { "cut", "hotline.example/audit+02f8ea01+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0",
          -HL_EFORMAT },
        { "byte more",
          "hotline.example/audit+02f8ea01+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29cAA==",
          -HL_EFORMAT },
        { "empty key", "hotline.example/audit+02f8ea01+", -HL_EFORMAT },
        { "type only", "hotline.example/audit+02f8ea01+AQ==", -HL_EFORMAT },
        { "no name", "+02f8ea01+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c", -HL_EFORMAT },
        { "no plus", "hotline.example/audit", -HL_EFORMAT },
        { "empty", "", -HL_EFORMAT },
        { "short key id", "a+02f8ea0+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c", -HL_EFORMAT },
        { "unknown type parses", "a+00000000+BgAAAA==", 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct note_key k;
        struct buf again;

        CHECK_EQ(note_key_parse(&k, span_str(rows[i].vkey)), rows[i].want, rows[i].name);
        CHECK_EQ(k.name[0] != 0, rows[i].want == 0, rows[i].name);
        if (rows[i].want || k.type == 6)
            continue;
        buf_init(&again, 1000);
        note_key_print(&again, &k);
        CHECK_EQ(span_eq_str(buf_span(&again), rows[i].vkey), 1, rows[i].name);
        buf_release(&again);
    }
}

/* Points under which others accept signatures over anything, and spellings that differ between
 * verifiers. */
static void bad_points(void **state)
{
    static const struct {
        const char *name, *hex;
    } rows[] = {
        { "neutral", "0100000000000000000000000000000000000000000000000000000000000000" },
        { "zero (order 4)", "0000000000000000000000000000000000000000000000000000000000000000" },
        { "order 2", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f" },
        { "order 8", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05" },
        { "order 8, other", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a" },
        { "y not canonical", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f" },
        { "neutral, sign set", "0100000000000000000000000000000000000000000000000000000000000080" },
        { "not on the curve", "0200000000000000000000000000000000000000000000000000000000000000" },
    };
    uint8_t mixed[32], good[32], order8[32];
    struct note_key k;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t typed[33] = { NOTE_ED25519 };
        char vkey[128];
        struct buf b;
        uint8_t id[4];
        char hex[9];

        CHECK_EQ(text_unhex(typed + 1, 32, span_str(rows[i].hex)), 0, rows[i].name);
        CHECK_EQ(note_key_init(&k, span_str("a"), NOTE_ED25519, typed + 1), -HL_EBADKEY,
                 rows[i].name);
        CHECK_EQ(note_key_init(&k, span_str("a"), NOTE_COSIGNATURE, typed + 1), -HL_EBADKEY,
                 rows[i].name);
        note_keyid(id, span_str("a"), NOTE_ED25519, typed + 1);
        text_hex(hex, id, 4);
        buf_init(&b, sizeof(vkey));
        buf_printf(&b, "a+%s+", hex);
        text_base64(&b, SPAN(typed, sizeof(typed)));
        CHECK_EQ(note_key_parse(&k, buf_span(&b)), -HL_EBADKEY, rows[i].name);
        buf_release(&b);
    }
    CHECK_EQ(text_unhex(good, 32, span_str(EXAMPLE_LOG_PK)), 0, "good");
    CHECK_EQ(text_unhex(order8, 32, span_str(rows[3].hex)), 0, "order 8");
    CHECK_EQ(crypto_core_ed25519_add(mixed, good, order8), 0, "mixed order");
    CHECK_EQ(note_key_init(&k, span_str("a"), NOTE_ED25519, mixed), -HL_EBADKEY, "mixed order");
    CHECK_EQ(note_key_init(&k, span_str("a"), NOTE_ED25519, good), 0, "good");
    CHECK_EQ(note_key_init(&k, span_str("a"), 2, good), -HL_EFORMAT, "ECDSA is not ours");
    CHECK_EQ(note_key_init(&k, span_str("a b"), NOTE_ED25519, good), -HL_EFORMAT, "bad name");
}

#define OTHER_LINE DASH "other.example " SIG64 "\n"

static void verify_rows(void **state)
{
    static const struct {
        const char *name, *note, *vkey;
        int want;
        uint64_t time;
    } rows[] = {
        { "the spec's", SPEC_NOTE, SPEC_KEY, 1, 0 },
        { "log", EXAMPLE_NOTE, EXAMPLE_LOG, 1, 0 },
        { "witness", EXAMPLE_NOTE, EXAMPLE_WITNESS, 1, EXAMPLE_TIME },
        { "litewitness 1", LITE_NOTE_1, LITE_KEY, 1, 0 },
        { "litewitness 3", LITE_NOTE_3, LITE_KEY, 1, 0 },
        { "litewitness 5", LITE_NOTE_5, LITE_KEY, 1, 0 },
        { "unknown lines beside", EXAMPLE_TEXT "\n" OTHER_LINE EXAMPLE_LOG_LINE OTHER_LINE,
          EXAMPLE_LOG, 1, 0 },
        { "twice the same", EXAMPLE_TEXT "\n" EXAMPLE_LOG_LINE EXAMPLE_LOG_LINE, EXAMPLE_LOG, 1,
          0 },
        { "no line by it", EXAMPLE_TEXT "\n" EXAMPLE_WITNESS_LINE, EXAMPLE_LOG, 0, 0 },
        { "other text",
          EXAMPLE_ORIGIN "\n4\nwbk11a9HUn+jg9kJ+6DGS2cRRNoHh9/ZZTu+y/RG708=\n\n" EXAMPLE_LOG_LINE,
          EXAMPLE_LOG, -HL_ESIG, 0 },
        { "other text, witness",
          EXAMPLE_ORIGIN
          "\n4\nwbk11a9HUn+jg9kJ+6DGS2cRRNoHh9/ZZTu+y/RG708=\n\n" EXAMPLE_WITNESS_LINE,
          EXAMPLE_WITNESS, -HL_ESIG, 0 },
        { "one good, one bad",
          EXAMPLE_TEXT
          "\n" EXAMPLE_LOG_LINE DASH
          "hotline.example/audit AvjqAW40OZ3dOkHGB2RrPZDwX5slkwZCN3rS7uwBjuriHXjogo6k6HP3bNRdceBP0"
          "w14aKSu7VuNBh6CecdP3av6LQ4=\n",
          EXAMPLE_LOG, -HL_ESIG, 0 },
        { "key id fits, name not", EXAMPLE_TEXT "\n" DASH "hotline.example/audi AvjqAQA=\n",
          EXAMPLE_LOG, 0, 0 },
        { "name fits, key id not", EXAMPLE_TEXT "\n" DASH "hotline.example/audit AvjqAgA=\n",
          EXAMPLE_LOG, 0, 0 },
        { "known key, wrong length", EXAMPLE_TEXT "\n" DASH "hotline.example/audit AvjqAQA=\n",
          EXAMPLE_LOG, -HL_ESIG, 0 },
        { "cosignature in a log's line",
          EXAMPLE_TEXT "\n" DASH
                       "hotline.example/audit AvjqAQAAAABlU/EBirpDCoCz+by3xbK1vwPpJDVLzmCFjRCHLsCCZ"
                       "NdSaHyl+BLhZRgkO5YJWB6bJmRx/xKFou9YgGFzu4tq94SGAg==\n",
          EXAMPLE_LOG, -HL_ESIG, 0 },
        { "unknown type never verifies", EXAMPLE_TEXT "\n" DASH "a AAAAAAA=\n",
          "a+00000000+BgAAAA==", 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct note_key k = key(rows[i].vkey);
        uint64_t time = 99;
        struct note note;

        CHECK_EQ(note_parse(&note, span_str(rows[i].note)), 0, rows[i].name);
        CHECK_EQ(note_verify_key(&note, &k, &time), rows[i].want, rows[i].name);
        if (rows[i].want == 1)
            CHECK_EQ(time, rows[i].time, rows[i].name);
        CHECK_EQ(note_verify_key(&note, &k, NULL), rows[i].want, rows[i].name);
    }
}

/* A cosigner that signs with the times given, and what becomes of them. */
static void cosignature_times(void **state)
{
    static const struct {
        const char *name;
        uint64_t time[2];
        int want;
        uint64_t newest;
    } rows[] = {
        { "one", { 5, 5 }, 1, 5 },
        { "two, newest last", { 5, 9 }, 1, 9 },
        { "two, newest first", { 9, 5 }, 1, 9 },
        { "zero", { 0, 0 }, -HL_ESIG, 0 },
        { "largest", { INT64_MAX, INT64_MAX }, 1, INT64_MAX },
        { "too large", { (uint64_t)INT64_MAX + 1, (uint64_t)INT64_MAX + 1 }, -HL_ESIG, 0 },
        { "good and zero", { 5, 0 }, -HL_ESIG, 0 },
    };
    uint8_t seed[32], pk[32], sk[64], sig[72];
    struct note_key k;

    (void)state;
    memset(seed, 0x0b, sizeof(seed));
    crypto_sign_seed_keypair(pk, sk, seed);
    CHECK_EQ(note_key_init(&k, span_str("w.example"), NOTE_COSIGNATURE, pk), 0, "key");
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out, message;
        struct note note;
        uint64_t time;

        buf_init(&out, NOTE_MAX);
        buf_init(&message, NOTE_MAX);
        buf_put_str(&out, EXAMPLE_TEXT "\n");
        for (size_t j = 0; j < 2; j++) {
            buf_clear(&message);
            CHECK_EQ(note_cosign_message(&message, rows[i].time[j], span_str(EXAMPLE_TEXT)), 0,
                     rows[i].name);
            put_u64(sig, rows[i].time[j]);
            crypto_sign_detached(sig + 8, NULL, message.p, message.n, sk);
            note_put_sig(&out, &k, sig, sizeof(sig));
        }
        CHECK_EQ(note_parse(&note, buf_span(&out)), 0, rows[i].name);
        CHECK_EQ(note_verify_key(&note, &k, &time), rows[i].want, rows[i].name);
        if (rows[i].want == 1)
            CHECK_EQ(time, rows[i].newest, rows[i].name);
        buf_release(&out);
        buf_release(&message);
    }
}

/* Our own signatures and lines are byte for byte those of the example. */
static void example_made_again(void **state)
{
    uint8_t seed[32], pk[32], sk[64], sig[72], want[72];
    struct note_key log = key(EXAMPLE_LOG), witness = key(EXAMPLE_WITNESS);
    struct buf message, out;

    (void)state;
    buf_init(&message, 1000);
    buf_init(&out, 1000);
    buf_put_str(&out, EXAMPLE_TEXT "\n");
    memset(seed, 0x01, sizeof(seed));
    crypto_sign_seed_keypair(pk, sk, seed);
    CHECK_BYTES(pk, log.key, 32, "log key");
    crypto_sign_detached(sig, NULL, (const uint8_t *)EXAMPLE_TEXT, sizeof(EXAMPLE_TEXT) - 1, sk);
    CHECK_EQ(text_unhex(want, 64, span_str(EXAMPLE_LOG_SIG)), 0, "hex");
    CHECK_BYTES(sig, want, 64, "log signature");
    note_put_sig(&out, &log, sig, 64);
    memset(seed, 0x0b, sizeof(seed));
    crypto_sign_seed_keypair(pk, sk, seed);
    CHECK_BYTES(pk, witness.key, 32, "witness key");
    note_cosign_message(&message, EXAMPLE_TIME, span_str(EXAMPLE_TEXT));
    put_u64(sig, EXAMPLE_TIME);
    crypto_sign_detached(sig + 8, NULL, message.p, message.n, sk);
    CHECK_EQ(text_unhex(want, 72, span_str(EXAMPLE_COSIGNATURE)), 0, "hex");
    CHECK_BYTES(sig, want, 72, "cosignature");
    CHECK_EQ(note_put_sig(&out, &witness, sig, 72), 0, "put");
    CHECK_EQ(span_eq_str(buf_span(&out), EXAMPLE_NOTE), 1, "the whole note");
    buf_release(&message);
    buf_release(&out);
}

/* No bit of a signed note may be flipped: it is refused, or the key's line is gone. */
static void bit_flips(void **state)
{
    struct note_key log = key(EXAMPLE_LOG);
    uint8_t in[sizeof(EXAMPLE_NOTE) - 1];
    size_t end = sizeof(EXAMPLE_TEXT EXAMPLE_LOG_LINE);

    (void)state;
    for (size_t bit = 0; bit < end * 8; bit++) {
        struct note note;

        memcpy(in, EXAMPLE_NOTE, sizeof(in));
        in[bit / 8] ^= (uint8_t)(1U << bit % 8);
        if (note_parse(&note, SPAN(in, sizeof(in))) == 0)
            CHECK_EQ(note_verify_key(&note, &log, NULL) == 1, 0, "flipped");
    }
}

/* note_base64 works in pieces: the seams must not show. */
static void long_base64(void **state)
{
    static const size_t sizes[] = { 0, 1, 2, 3, 767, 768, 769, 1535, 1536, 1537, 2420 };
    uint8_t raw[3000], head[4];
    struct buf b;
    size_t n;

    (void)state;
    for (size_t i = 0; i < sizeof(raw); i++)
        raw[i] = (uint8_t)(i * 7);
    buf_init(&b, 10000);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        buf_clear(&b);
        text_base64(&b, SPAN(raw, sizes[i]));
        memset(head, 0xee, sizeof(head));
        CHECK_EQ(note_base64(head, sizeof(head), &n, buf_span(&b)), 0, "length");
        CHECK_EQ(n, sizes[i], "length");
        CHECK_BYTES(head, raw, n < 4 ? n : 4, "head");
        CHECK_EQ(n < 4 ? head[n] : 0xee, 0xee, "no byte more");
        buf_put_u8(&b, '=');
        CHECK_EQ(note_base64(head, sizeof(head), &n, buf_span(&b)), -HL_EFORMAT, "padding more");
    }
    buf_clear(&b);
    text_base64(&b, SPAN(raw, 767)); /* a whole piece, with padding */
    text_base64(&b, SPAN(raw, 3));
    CHECK_EQ(note_base64(head, sizeof(head), &n, buf_span(&b)), -HL_EFORMAT, "padding at a seam");
    buf_release(&b);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_rows),  cmocka_unit_test(truncations),
        cmocka_unit_test(limits),      cmocka_unit_test(names),
        cmocka_unit_test(vkey_rows),   cmocka_unit_test(bad_points),
        cmocka_unit_test(verify_rows), cmocka_unit_test(cosignature_times),
        cmocka_unit_test(bit_flips),   cmocka_unit_test(example_made_again),
        cmocka_unit_test(long_base64),
    };

    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
