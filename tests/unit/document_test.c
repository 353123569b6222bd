#include <sodium.h>
#include <stdlib.h>

#include "tests/mutate.h"
#include "tests/world.h"

/* ---- a toy grammar: what the walk does, apart from what any document means ---- */

struct toy {
    char trace[256]; /* words taken, in order */
};

#define TOY(word_)                                                                                 \
    static int toy_##word_(void *target, struct span *field, size_t n)                             \
    {                                                                                              \
        struct toy *t = target;                                                                    \
        size_t at = strlen(t->trace);                                                              \
                                                                                                   \
        snprintf(t->trace + at, sizeof(t->trace) - at, #word_ "%zu ", n);                          \
        return n && span_eq_str(field[0], "bad") ? -HL_EBADKEY : 0;                                \
    }
TOY(one)
TOY(opt)
TOY(head)
TOY(sub)
TOY(two)
TOY(free)
TOY(tail)

static const struct keyword toy[] = {
    { "one", 1, 1, 1, false, 0, toy_one },   { "opt", 0, 2, 2, false, 0, toy_opt },
    { "head", 0, 3, 1, false, 0, toy_head }, { "sub", 1, 2, 1, false, 3, toy_sub },
    { "two", 0, 1, 0, true, 3, toy_two },    { "free", 1, 1, 1, true, 0, toy_free },
    { "tail", 0, 1, 1, false, 0, toy_tail },
};

static void walk(void **state)
{
    static const struct {
        const char *name, *text, *trace;
        int want;
        const char *why;
    } rows[] = {
        { "least", "one a\nfree b c d\n", "one1 free2 ", 0, "" },
        { "all",
          "one a\nopt b c\nopt d e\nhead f\nsub g\nsub h\ntwo i j\nhead k\nsub l\nfree m n\ntail "
          "o\n",
          "one1 opt2 opt2 head1 sub1 sub1 two1 head1 sub1 free2 tail1 ", 0, "" },
        { "nothing", "", "", -HL_EFORMAT, "\"one\" is missing" },
        { "first is missing", "free b c\n", "", -HL_EFORMAT, "line 2: \"one\" is missing" },
        { "last is missing", "one a\n", "one1 ", -HL_EFORMAT, "line 3: \"free\" is missing" },
        { "repeated", "one a\none b\nfree c d\n", "one1 ", -HL_ETOOBIG, "more than 1 of \"one\"" },
        { "repeated too often", "one a\nopt b c\nopt b c\nopt b c\nfree d e\n", "one1 opt2 opt2 ",
          -HL_ETOOBIG, "more than 2" },
        { "backwards", "one a\nhead f\nsub g\nopt b c\nfree d e\n", "one1 head1 sub1 ", -HL_EFORMAT,
          "\"opt\" does not belong here" },
        { "member without head", "one a\nsub g\nfree d e\n", "one1 ", -HL_EFORMAT,
          "\"sub\" does not belong here" },
        { "member after its group", "one a\nhead f\nsub g\nfree d e\nsub g\n",
          "one1 head1 sub1 free2 ", -HL_EFORMAT, "does not belong here" },
        { "group misses its member", "one a\nhead f\nfree d e\n", "one1 head1 ", -HL_EFORMAT,
          "\"sub\" is missing" },
        { "second group misses its member", "one a\nhead f\nsub g\nhead f\nfree d e\n",
          "one1 head1 sub1 head1 ", -HL_EFORMAT, "\"sub\" is missing" },
        { "first group misses its member", "one a\nhead f\nhead f\nsub g\nfree d e\n",
          "one1 head1 ", -HL_EFORMAT, "\"sub\" is missing" },
        { "members counted per group",
          "one a\nhead f\nsub g\nsub g\nhead f\nsub g\nsub g\nfree d e\n",
          "one1 head1 sub1 sub1 head1 sub1 sub1 free2 ", 0, "" },
        { "members out of order", "one a\nhead f\nsub g\ntwo h\nsub g\nfree d e\n",
          "one1 head1 sub1 two1 ", -HL_EFORMAT, "\"sub\" does not belong here" },
        { "too many heads",
          "one a\nhead f\nsub g\nhead f\nsub g\nhead f\nsub g\nhead f\nsub g\nfree d e\n",
          "one1 head1 sub1 head1 sub1 head1 sub1 ", -HL_ETOOBIG, "more than 3" },
        { "unknown", "one a\nwhat b\nfree c d\n", "one1 ", -HL_EFORMAT,
          "no such line here: \"what\"" },
        { "keyword alone", "one\nfree c d\n", "", -HL_EFORMAT, "no such line" },
        { "no field", "one \nfree c d\n", "", -HL_EFORMAT, "takes 1 fields" },
        { "field too many", "one a b\nfree c d\n", "", -HL_EFORMAT, "takes 1 fields" },
        { "two blanks", "one  a\nfree c d\n", "", -HL_EFORMAT, "takes 1 fields" },
        { "blank at the end", "one a \nfree c d\n", "", -HL_EFORMAT, "takes 1 fields" },
        { "free without text", "one a\nfree c\n", "one1 ", -HL_EFORMAT, "1 fields and a text" },
        { "free with UTF-8", "one a\nfree c Гриш\xc3\xa9\n", "one1 free2 ", 0, "" },
        { "free with a control", "one a\nfree c d\x07\n", "one1 ", -HL_EFORMAT, "and a text" },
        { "free with DEL", "one a\nfree c d\x7f\n", "one1 ", -HL_EFORMAT, "and a text" },
        { "free with C1", "one a\nfree c d\xc2\x85\n", "one1 ", -HL_EFORMAT, "and a text" },
        { "free with a bidi override", "one a\nfree c d\xe2\x80\xae\n", "one1 ", -HL_EFORMAT,
          "and a text" },
        { "free with a bidi isolate", "one a\nfree c d\xe2\x81\xa6\n", "one1 ", -HL_EFORMAT,
          "and a text" },
        { "free that is not UTF-8", "one a\nfree c d\xff\n", "one1 ", -HL_EFORMAT, "and a text" },
        { "free with a blank before", "one a\nfree c  d\n", "one1 ", -HL_EFORMAT, "and a text" },
        { "UTF-8 outside the free field", "one \xc3\xa9\nfree c d\n", "", -HL_EFORMAT, "takes 1" },
        { "tab", "one\ta\nfree c d\n", "", -HL_EFORMAT, "no such line" },
        { "CR", "one a\r\nfree c d\n", "", -HL_EFORMAT, "takes 1 fields" },
        { "line without end", "one a\nfree c d", "one1 ", -HL_EFORMAT, "does not end" },
        { "empty line", "one a\n\nfree c d\n", "one1 ", -HL_EFORMAT, "no such line" },
        { "a reader's error", "one a\nopt bad c\nfree c d\n", "one1 opt2 ", -HL_EBADKEY,
          "line 3: opt: " },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct toy t = { "" };
        struct buf text, why;

        buf_init(&text, 4096);
        buf_init(&why, 4096);
        buf_put_str(&text, "hotline/1 live toy\n");
        buf_put_str(&text, rows[i].text);
        CHECK_EQ(document_read(buf_span(&text), toy, COUNT(toy), &t, &why), rows[i].want,
                 rows[i].name);
        CHECK_EQ(strcmp(t.trace, rows[i].trace), 0, rows[i].name);
        if (!strstr(buf_str(&why), rows[i].why))
            fprintf(stderr, "[%s] why: %s\n", rows[i].name, buf_str(&why));
        CHECK_EQ(strstr(buf_str(&why), rows[i].why) != NULL, 1, rows[i].name);
        buf_release(&text);
        buf_release(&why);
    }
}

static void line_length(void **state)
{
    struct buf text;
    struct toy t = { "" };

    (void)state;
    for (int over = 0; over <= 1; over++) {
        buf_init(&text, 4096);
        buf_put_str(&text, "hotline/1 live toy\none a\nfree b ");
        for (int i = 0; i < DOCUMENT_LINE_MAX - 7 + over; i++)
            buf_put_u8(&text, 'x');
        buf_put_u8(&text, '\n');
        CHECK_EQ(document_read(buf_span(&text), toy, COUNT(toy), &t, NULL), over ? -HL_ETOOBIG : 0,
                 over ? "one byte over" : "just");
        buf_release(&text);
    }
}

/* ---- first line ---- */

static void first_line(void **state)
{
    static const struct {
        const char *line;
        int want;
    } rows[] = {
        { "hotline/1 live card\n", 0 },
        { "hotline/1 live subkeys\n", 0 },
        { "hotline/1 live stop\n", 0 },
        { "hotline/1 live agreement\n", 0 },
        { "hotline/1 exercise card\n", -HL_EREALM },
        { "hotline/1 test card\n", -HL_EFORMAT },
        { "hotline/2 live card\n", -HL_EFORMAT },
        { "hotline/1 live checkpoint\n", -HL_EFORMAT },
        { "hotline/1 live card \n", -HL_EFORMAT },
        { "hotline/1 live card more\n", -HL_EFORMAT },
        { "hotline/1  live card\n", -HL_EFORMAT },
        { "hotline/1 live\n", -HL_EFORMAT },
        { "doria.example/live/doria/1\n", -HL_EFORMAT },
        { " hotline/1 live card\n", -HL_EFORMAT },
        { "HOTLINE/1 live card\n", -HL_EFORMAT },
    };
    static const char *const labels[] = { "arcadia/root-1" };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t hash[32];
        struct document doc;
        struct buf note;

        buf_init(&note, 4096);
        world_sign(&note, span_str(rows[i].line), "arcadia", labels, 1);
        CHECK_EQ(document_decode(&doc, REALM_LIVE, buf_span(&note)), rows[i].want, rows[i].line);
        crypto_hash_sha256(hash, (const uint8_t *)rows[i].line, strlen(rows[i].line));
        if (!rows[i].want) {
            CHECK_BYTES(doc.digest, hash, 32, rows[i].line);
            CHECK_EQ(strstr(rows[i].line, document_type_name(doc.type)) != NULL, 1, rows[i].line);
        }
        buf_release(&note);
    }
}

/* A note of exactly @size bytes: is it taken? */
static int decode_sized(size_t size)
{
    static const char *const labels[] = { "arcadia/root-1" };
    struct buf text, note;
    struct document doc;
    int rc;

    buf_init(&text, 2 * DOCUMENT_MAX);
    buf_init(&note, 2 * DOCUMENT_MAX);
    buf_put_str(&text, "hotline/1 live card\n");
    world_sign(&note, buf_span(&text), "arcadia", labels, 1);
    size -= note.n;
    while (size-- > 1)
        buf_put_u8(&text, 'x');
    buf_put_u8(&text, '\n');
    buf_clear(&note);
    world_sign(&note, buf_span(&text), "arcadia", labels, 1);
    rc = document_decode(&doc, REALM_LIVE, buf_span(&note));
    buf_release(&text);
    buf_release(&note);
    return rc;
}

static void size_limit(void **state)
{
    (void)state;
    assert_int_equal(decode_sized(DOCUMENT_MAX), 0);
    assert_int_equal(decode_sized(DOCUMENT_MAX + 1), -HL_ETOOBIG);
}

/* ---- signature lines ---- */

static void signature_lines(void **state)
{
    static const char *const keys[] = { "k/1", "k/2", "k/3" };
    static const struct {
        const char *name;
        const char *signer; /* note name */
        int label[3];       /* which keys, in this order; 9: a stranger; -1: end */
        int spoil;          /* signature whose last byte is wrong, -1 none */
        int want;
        int by; /* bits */
    } rows[] = {
        /* by key id the order is fixed below: ascending[0], [1], [2] */
        { "one", "arcadia", { 1, -1, -1 }, -1, 0, 2 },
        { "all in order", "arcadia", { 0, 1, 2 }, -1, 0, 7 },
        { "out of order", "arcadia", { 1, 0, -1 }, -1, -HL_ESIG, 0 },
        { "twice", "arcadia", { 1, 1, -1 }, -1, -HL_ESIG, 0 },
        { "a stranger beside", "arcadia", { 0, 9, -1 }, -1, -HL_ESIG, 0 },
        { "under another name", "borealia", { 0, -1, -1 }, -1, -HL_ESIG, 0 },
        { "does not verify", "arcadia", { 0, 1, -1 }, 1, -HL_ESIG, 0 },
    };
    struct note_key key[3];
    struct span text = span_str("hotline/1 live stop\n");

    (void)state;
    for (size_t i = 0; i < 3; i++) { /* bubble them into the order of their key ids */
        struct world_key k = world_key(keys[i]);

        document_note_key(&key[i], span_str("arcadia"), NOTE_ED25519, k.pk);
    }
    for (size_t i = 0; i < COUNT(rows); i++) {
        int order[3] = { 0, 1, 2 };
        struct buf note;
        struct note parsed;
        bool by[3];

        for (size_t a = 0; a < 3; a++)
            for (size_t b = a + 1; b < 3; b++)
                if (memcmp(key[order[a]].keyid, key[order[b]].keyid, 4) > 0) {
                    int swap = order[a];

                    order[a] = order[b];
                    order[b] = swap;
                }
        buf_init(&note, 4096);
        buf_put_span(&note, text);
        buf_put_u8(&note, '\n');
        for (int s = 0; s < 3 && rows[i].label[s] >= 0; s++) {
            bool stranger = rows[i].label[s] == 9;
            struct world_key k = world_key(stranger ? "k/stranger" : keys[order[rows[i].label[s]]]);
            struct note_key line;
            uint8_t sig[64];

            document_note_key(&line, span_str(rows[i].signer), NOTE_ED25519, k.pk);
            crypto_sign_detached(sig, NULL, text.p, text.n, k.sk);
            sig[63] ^= s == rows[i].spoil;
            note_put_sig(&note, &line, sig, 64);
        }
        assert_int_equal(note_parse(&parsed, buf_span(&note)), 0);
        CHECK_EQ(document_signed(&parsed, key, 3, by), rows[i].want, rows[i].name);
        for (int k = 0; k < 3 && !rows[i].want; k++)
            CHECK_EQ(by[order[k]], (rows[i].by >> k) & 1, rows[i].name);
        buf_release(&note);
    }
}

/* ---- fields ---- */

static void base64_of(char out[static 64], const uint8_t key[static 32])
{
    struct buf b;

    buf_init(&b, 64);
    text_base64(&b, SPAN(key, 32));
    snprintf(out, 64, "%s", buf_str(&b));
    buf_release(&b);
}

static void ed25519_keys(void **state)
{
    static const struct {
        const char *name, *hex;
        int want;
    } rows[] = {
        { "generator", "5866666666666666666666666666666666666666666666666666666666666666", 0 },
        { "identity", "0100000000000000000000000000000000000000000000000000000000000000",
          -HL_EBADKEY },
        { "order 2", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
          -HL_EBADKEY },
        { "order 4", "0000000000000000000000000000000000000000000000000000000000000000",
          -HL_EBADKEY },
        { "order 8", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
          -HL_EBADKEY },
        { "not canonical: y = p + 1",
          "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", -HL_EBADKEY },
        { "not canonical: y = p",
          "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", -HL_EBADKEY },
        { "no point", "0200000000000000000000000000000000000000000000000000000000000000",
          -HL_EBADKEY },
    };
    uint8_t key[32], bytes[32];
    char field[64];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(text_unhex(bytes, 32, span_str(rows[i].hex)), 0);
        base64_of(field, bytes);
        CHECK_EQ(document_key(key, span_str(field)), rows[i].want, rows[i].name);
    }
    assert_int_equal(document_key(key, span_str("short")), -HL_EFORMAT);
    field[43] = 'A'; /* no padding */
    assert_int_equal(document_key(key, span_str(field)), -HL_EFORMAT);
}

/* A point of the prime-order group plus one of order 8 is valid for many libraries, and refused
 * here. */
static void mixed_order_key(void **state)
{
    struct world_key good = world_key("mixed");
    uint8_t eight[32], mixed[32], key[32];
    char field[64];

    (void)state;
    assert_int_equal(
        text_unhex(eight, 32,
                   span_str("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")),
        0);
    assert_int_equal(crypto_core_ed25519_add(mixed, good.pk, eight), 0);
    base64_of(field, mixed);
    assert_int_equal(document_key(key, span_str(field)), -HL_EBADKEY);
}

static void x25519_keys(void **state)
{
    static const struct {
        const char *name, *hex;
        int want;
    } rows[] = {
        { "base point", "0900000000000000000000000000000000000000000000000000000000000000", 0 },
        { "0", "0000000000000000000000000000000000000000000000000000000000000000", -HL_EBADKEY },
        { "1", "0100000000000000000000000000000000000000000000000000000000000000", -HL_EBADKEY },
        { "order 8", "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
          -HL_EBADKEY },
        { "order 8 too", "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
          -HL_EBADKEY },
        { "p - 1", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
          -HL_EBADKEY },
        { "p - 2 is fine", "ebffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", 0 },
        { "p", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", -HL_EBADKEY },
        { "p + 1", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
          -HL_EBADKEY },
        { "p + 9", "f6ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
          -HL_EBADKEY },
        { "below p by the second byte",
          "000000000000000000000000000000000000000000000000000000000000007f", 0 },
        { "high bit", "0900000000000000000000000000000000000000000000000000000000000080",
          -HL_EBADKEY },
        { "below p by the top byte",
          "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7e", 0 },
    };
    const uint8_t scalar[32] = { 8, 1, 2, 3, [31] = 64 };
    uint8_t key[32], bytes[32], shared[32];
    char field[64];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(text_unhex(bytes, 32, span_str(rows[i].hex)), 0);
        base64_of(field, bytes);
        CHECK_EQ(document_xkey(key, span_str(field)), rows[i].want, rows[i].name);
        if (!rows[i].want) /* what libsodium refuses, we refuse */
            CHECK_EQ(crypto_scalarmult(shared, scalar, bytes), 0, rows[i].name);
    }
}

static void origins(void **state)
{
    static const struct {
        const char *origin;
        bool want;
    } rows[] = {
        { "doria.example/live/doria/1", true },
        { "a/b/live/doria/12", true },
        { "doria.example/exercise/doria/1", false },
        { "doria.example/live/doria/0", false },
        { "doria.example/live/doria/01", false },
        { "doria.example/live/doria", false },
        { "doria.example/live/Doria/1", false },
        { "/live/doria/1", false },
        { "doria.example/live/doria/1/", false },
        { "doria+x.example/live/doria/1", false },
        { "live/doria/1", false },
        { "", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct span party;

        CHECK_EQ(document_origin(span_str(rows[i].origin), REALM_LIVE, &party), rows[i].want,
                 rows[i].origin);
        if (rows[i].want)
            CHECK_EQ(span_eq_str(party, "doria"), 1, rows[i].origin);
    }
}

static void languages(void **state)
{
    static const struct {
        const char *tags;
        bool one, many;
    } rows[] = {
        { "en", true, true },
        { "zh-Hans-CN", true, true },
        { "en,fr,zh-Hant", false, true },
        { "sl-rozaj-biske-1994", true, true },
        { "e", false, false },
        { "en,", false, false },
        { ",en", false, false },
        { "en--US", false, false },
        { "en-", false, false },
        { "-en", false, false },
        { "en_US", false, false },
        { "abcdefghi", false, false },
        { "12", false, false },
        { "", false, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_EQ(document_languages(span_str(rows[i].tags), false), rows[i].one, rows[i].tags);
        CHECK_EQ(document_languages(span_str(rows[i].tags), true), rows[i].many, rows[i].tags);
    }
}

static int setup(void **state)
{
    (void)state;
    return sodium_init() < 0 ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(walk),
        cmocka_unit_test(line_length),
        cmocka_unit_test(first_line),
        cmocka_unit_test(size_limit),
        cmocka_unit_test(signature_lines),
        cmocka_unit_test(ed25519_keys),
        cmocka_unit_test(mixed_order_key),
        cmocka_unit_test(x25519_keys),
        cmocka_unit_test(origins),
        cmocka_unit_test(languages),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
