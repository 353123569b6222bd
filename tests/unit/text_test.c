#include "common/text.h"

#include <stdlib.h>

#include "common/error.h"
#include "tests/check.h"

static struct span lit(const char *s, size_t n)
{
    return n ? SPAN(s, n) : span_str(s);
}

static void base64_rows(void **state)
{
    static const struct {
        const char *plain, *text;
    } rows[] = { /* RFC 4648, section 10 */
                 { "", "" },
                 { "f", "Zg==" },
                 { "fo", "Zm8=" },
                 { "foo", "Zm9v" },
                 { "foob", "Zm9vYg==" },
                 { "fooba", "Zm9vYmE=" },
                 { "foobar", "Zm9vYmFy" }
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf b;
        uint8_t back[16];
        size_t n;

        buf_init(&b, 64);
        CHECK_EQ(text_base64(&b, span_str(rows[i].plain)), 0, rows[i].text);
        assert_string_equal(buf_str(&b), rows[i].text);
        CHECK_EQ(b.n, text_base64_size(strlen(rows[i].plain)), rows[i].text);
        CHECK_EQ(text_unbase64(back, sizeof(back), &n, buf_span(&b)), 0, rows[i].text);
        CHECK_EQ(n, strlen(rows[i].plain), rows[i].text);
        CHECK_BYTES(back, rows[i].plain, n, rows[i].text);
        CHECK_EQ(text_unbase64_n(back, n, buf_span(&b)), 0, rows[i].text);
        CHECK_EQ(text_unbase64_n(back, n + 1, buf_span(&b)), -HL_EFORMAT, rows[i].text);
        if (n)
            CHECK_EQ(text_unbase64(back, n - 1, &n, buf_span(&b)), -HL_ETOOBIG, rows[i].text);
        buf_release(&b);
    }
}

static void base64_hostile(void **state)
{
    static const struct {
        const char *name, *text;
    } rows[] = {
        { "no padding", "Zg" },
        { "half a padding", "Zg=" },
        { "stray bits", "Zh==" },
        { "stray bits in two", "Zm9=" },
        { "space", "Zm 9v" },
        { "space at the end", "Zm9v " },
        { "line feed", "Zm9v\n" },
        { "url alphabet", "-_-_" },
        { "padding first", "=Zm9" },
        { "only padding", "====" },
        { "padding within", "Zg==Zg==" },
        { "three paddings", "Z===" },
        { "high byte at the end", "AAA\x80" },
        { "high byte for a slash", "A\xffzz" },
        { "NUL within", "Zm\0v" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t out[16];
        size_t n = 99, len = strcmp(rows[i].name, "NUL within") ? strlen(rows[i].text) : 4;

        CHECK_EQ(text_unbase64(out, sizeof(out), &n, SPAN(rows[i].text, len)), -HL_EFORMAT,
                 rows[i].name);
        CHECK_EQ(n, 0, rows[i].name);
    }
}

static void base64_limit_is_sticky(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 7);
    CHECK_EQ(text_base64(&b, span_str("foobar")), -HL_ETOOBIG, "8 characters into 7");
    CHECK_EQ(b.n, 0, "nothing written");
    buf_release(&b);
}

static void hex_rows(void **state)
{
    static const struct {
        const char *text;
        int want;
    } rows[] = { { "00ff7f", 0 },           { "00FF7f", -HL_EFORMAT }, /* one text for one value */
                 { "00ff7", -HL_EFORMAT },  { "00ff7f0", -HL_EFORMAT }, { "00 f7f", -HL_EFORMAT },
                 { "0x00ff", -HL_EFORMAT }, { "", -HL_EFORMAT } };
    uint8_t v[3];
    char out[7];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_EQ(text_unhex(v, 3, span_str(rows[i].text)), rows[i].want, rows[i].text);
    CHECK_EQ(text_unhex(v, 3, span_str("00ff7f")), 0, "again");
    text_hex(out, v, 3);
    assert_string_equal(out, "00ff7f");
}

static void decimal_rows(void **state)
{
    static const struct {
        const char *text;
        int rc;
        uint64_t want;
    } rows[] = {
        { "0", 0, 0 },
        { "7", 0, 7 },
        { "1000", 0, 1000 },
        { "9223372036854775807", 0, INT64_MAX },
        { "9223372036854775808", -HL_EFORMAT, 0 },
        { "9999999999999999999", -HL_EFORMAT, 0 },
        { "18446744073709551616", -HL_EFORMAT, 0 },
        { "", -HL_EFORMAT, 0 },
        { "00", -HL_EFORMAT, 0 },
        { "07", -HL_EFORMAT, 0 },
        { "+7", -HL_EFORMAT, 0 },
        { "-7", -HL_EFORMAT, 0 },
        { " 7", -HL_EFORMAT, 0 },
        { "7 ", -HL_EFORMAT, 0 },
        { "0x7", -HL_EFORMAT, 0 },
        { "7\n", -HL_EFORMAT, 0 },
        { "\xd9\xa7", -HL_EFORMAT, 0 }, /* an Arabic-Indic seven is no digit here */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t v = 0;

        CHECK_EQ(text_decimal(&v, span_str(rows[i].text)), rows[i].rc, rows[i].text);
        CHECK_EQ(v, rows[i].want, rows[i].text);
    }
}

static void damm_known(void **state)
{
    (void)state;
    CHECK_EQ(text_damm(span_str("572")), 4, "the example of Damm's thesis");
    CHECK_EQ(text_damm(span_str("5724")), 0, "with its digit");
    CHECK_EQ(text_damm(span_str("")), 0, "empty");
    CHECK_EQ(text_damm(span_str("5a2")), -HL_EFORMAT, "a letter");
}

/* Every wrong digit and every swap of neighbours is seen: the reason for having the digit. */
static void damm_catches(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 10000; n += 7) {
        char s[8], t[8];

        snprintf(s, sizeof(s), "%04u", n);
        s[4] = (char)('0' + text_damm(SPAN(s, 4)));
        for (size_t at = 0; at < 5; at++) {
            for (char d = '0'; d <= '9'; d++) {
                memcpy(t, s, sizeof(t));
                t[at] = d;
                if (d != s[at] && text_damm(SPAN(t, 5)) == 0)
                    fail_msg("%.5s as %.5s not seen", s, t);
            }
            memcpy(t, s, sizeof(t));
            t[at] = s[(at + 1) % 5];
            t[(at + 1) % 5] = s[at];
            if (at < 4 && t[at] != s[at] && text_damm(SPAN(t, 5)) == 0)
                fail_msg("%.5s swapped to %.5s not seen", s, t);
        }
    }
}

static void groups_of_a_digest(void **state)
{
    uint8_t hash[32], other[32];
    char g[TEXT_GROUPS_SIZE], typed[64];

    (void)state;
    for (size_t i = 0; i < sizeof(hash); i++)
        hash[i] = (uint8_t)(i * 37 + 1);
    memcpy(other, hash, 32);
    other[31] ^= 1;
    text_groups(g, hash);
    CHECK_EQ(strlen(g), 47, g);
    assert_string_equal(g, "68961-19729-72561-67966-76163-99406-79766-30044");
    CHECK_EQ(text_groups_check(g, hash), 0, "as printed");
    CHECK_EQ(text_groups_check(g, other), -HL_EFINGERPRINT, "another digest");

    memcpy(typed, g, sizeof(g));
    for (char *p = typed; *p; p++)
        if (*p == '-')
            *p = ' ';
    CHECK_EQ(text_groups_check(typed, hash), 0, "with blanks");
    typed[12] = typed[12] == '9' ? '0' : (char)(typed[12] + 1);
    CHECK_EQ(text_groups_check(typed, hash), 3, "a typing error in the third group");
    CHECK_EQ(text_groups_check(typed, other), 3, "the typing error is named before the mismatch");
    typed[46] = 0;
    CHECK_EQ(text_groups_check(typed, hash), -HL_EFORMAT, "a digit short");
    CHECK_EQ(text_groups_check("", hash), -HL_EFORMAT, "nothing typed");
    snprintf(typed, sizeof(typed), "%s0", g);
    CHECK_EQ(text_groups_check(typed, hash), -HL_EFORMAT, "a digit too many");
    memcpy(typed, g, sizeof(g));
    typed[0] = 'x';
    CHECK_EQ(text_groups_check(typed, hash), -HL_EFORMAT, "a letter");
}

static void utf8_rows(void **state)
{
    static const struct {
        const char *name, *text;
        size_t n;
        int line, lines; /* wanted without and with line breaks */
    } rows[] = {
        { "ascii", "plain ~", 0, 0, 0 },
        { "arabic", "\xd8\xa5\xd8\xae\xd8\xb7\xd8\xa7\xd8\xb1", 0, 0, 0 },
        { "chinese", "\xe7\x83\xad\xe7\xba\xbf", 0, 0, 0 },
        { "plane 1", "\xf0\x9f\x98\x80", 0, 0, 0 },
        { "joiner, needed in Persian", "\xe2\x80\x8c", 0, 0, 0 },
        { "line feed", "a\nb", 0, -HL_EFORMAT, 0 },
        { "tab", "a\tb", 0, -HL_EFORMAT, 0 },
        { "carriage return", "a\rb", 0, -HL_EFORMAT, -HL_EFORMAT },
        { "NUL", "a\0b", 3, -HL_EFORMAT, -HL_EFORMAT },
        { "escape", "\x1b[31m", 0, -HL_EFORMAT, -HL_EFORMAT },
        { "delete", "\x7f", 0, -HL_EFORMAT, -HL_EFORMAT },
        { "C1 control sequence introducer", "\xc2\x9b", 0, -HL_EFORMAT, -HL_EFORMAT },
        { "right-to-left override", "\xe2\x80\xae", 0, -HL_EFORMAT, -HL_EFORMAT },
        { "left-to-right mark", "\xe2\x80\x8e", 0, -HL_EFORMAT, -HL_EFORMAT },
        { "Arabic letter mark", "\xd8\x9c", 0, -HL_EFORMAT, -HL_EFORMAT },
        { "first strong isolate", "\xe2\x81\xa8", 0, -HL_EFORMAT, -HL_EFORMAT },
        { "line separator", "\xe2\x80\xa8", 0, -HL_EFORMAT, -HL_EFORMAT },
        { "byte order mark", "\xef\xbb\xbf", 0, -HL_EFORMAT, -HL_EFORMAT },
        { "noncharacter", "\xef\xbf\xbe", 0, -HL_EFORMAT, -HL_EFORMAT },
        { "private use", "\xee\x80\x80", 0, -HL_EFORMAT, -HL_EFORMAT },
        { "plane 4", "\xf1\x80\x80\x80", 0, -HL_EFORMAT, -HL_EFORMAT },
        { "tag", "\xf3\xa0\x81\x81", 0, -HL_EFORMAT, -HL_EFORMAT },
        { "surrogate", "\xed\xa0\x80", 0, -HL_EFORMAT, -HL_EFORMAT },
        { "beyond U+10FFFF", "\xf4\x90\x80\x80", 0, -HL_EFORMAT, -HL_EFORMAT },
        { "two bytes for a slash", "\xc0\xaf", 0, -HL_EFORMAT, -HL_EFORMAT },
        { "three bytes for a slash", "\xe0\x80\xaf", 0, -HL_EFORMAT, -HL_EFORMAT },
        { "four bytes for U+0800", "\xf0\x80\xa0\x80", 0, -HL_EFORMAT, -HL_EFORMAT },
        { "lone continuation", "\x80", 0, -HL_EFORMAT, -HL_EFORMAT },
        { "cut short", "\xe7\x83", 0, -HL_EFORMAT, -HL_EFORMAT },
        { "five bytes", "\xf8\x88\x80\x80\x80", 0, -HL_EFORMAT, -HL_EFORMAT },
        { "ff", "\xff", 0, -HL_EFORMAT, -HL_EFORMAT },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct span s = lit(rows[i].text, rows[i].n);
        uint8_t *exact = malloc(s.n); /* so that reading past the end is seen */

        memcpy(exact, s.p, s.n);
        CHECK_EQ(text_utf8(SPAN(exact, s.n), false), rows[i].line, rows[i].name);
        CHECK_EQ(text_utf8(SPAN(exact, s.n), true), rows[i].lines, rows[i].name);
        free(exact);
    }
    CHECK_EQ(text_utf8(SPAN_NONE, false), 0, "empty");
}

static void safe_rows(void **state)
{
    static const struct {
        const char *in, *want;
    } rows[] = {
        { "plain \xd8\xa5", "plain \xd8\xa5" },
        { "\x1b]0;title\x07", "\\x1b]0;title\\x07" },
        { "a\nb\r", "a\\x0ab\\x0d" },
        { "\xe2\x80\xae"
          "abc",
          "\\xe2\\x80\\xae"
          "abc" },
        { "\xc2\x9b"
          "31m",
          "\\xc2\\x9b"
          "31m" },
        { "\xff\xe7\x83", "\\xff\\xe7\\x83" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf b;

        buf_init(&b, 256);
        CHECK_EQ(text_safe(&b, span_str(rows[i].in)), 0, rows[i].want);
        assert_string_equal(buf_str(&b), rows[i].want);
        CHECK_EQ(text_utf8(buf_span(&b), false), 0, rows[i].want);
        buf_release(&b);
    }
}

static void time_rows(void **state)
{
    static const struct {
        uint64_t ms;
        const char *time, *milli, *dtg;
    } rows[] = {
        { 0, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z", "01 0000Z JAN 70" },
        { 951782399999, "2000-02-28T23:59:59Z", "2000-02-28T23:59:59.999Z", "28 2359Z FEB 00" },
        { 951782400000, "2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000Z", "29 0000Z FEB 00" },
        { 951868800000, "2000-03-01T00:00:00Z", "2000-03-01T00:00:00.000Z", "01 0000Z MAR 00" },
        { 1795312142000, "2026-11-22T01:49:02Z", "2026-11-22T01:49:02.000Z", "22 0149Z NOV 26" },
        { 4107542399001, "2100-02-28T23:59:59Z", "2100-02-28T23:59:59.001Z", "28 2359Z FEB 00" },
        { 4107542400000, "2100-03-01T00:00:00Z", "2100-03-01T00:00:00.000Z", "01 0000Z MAR 00" },
        { 253402300799000, "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000Z", "31 2359Z DEC 99" },
    };
    char out[TEXT_TIME_SIZE];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t back;

        text_time(out, rows[i].ms);
        assert_string_equal(out, rows[i].time);
        CHECK_EQ(text_untime(&back, span_str(out)), 0, out);
        CHECK_EQ(back, rows[i].ms / 1000 * 1000, out);
        text_time_ms(out, rows[i].ms);
        assert_string_equal(out, rows[i].milli);
        text_dtg(out, rows[i].ms);
        assert_string_equal(out, rows[i].dtg);
    }
    text_time_ms(out, INT64_MAX); /* a hostile time still fits */
    assert_string_equal(out, "292278994-08-17T07:12:55.807Z");
}

static void untime_hostile(void **state)
{
    static const char *const rows[] = {
        "",
        "2026",
        "2026-11-22T01:49:02",
        "2026-11-22T01:49:02z",
        "2026-11-22 01:49:02Z",
        "2026-11-22T01:49:60Z",
        "2026-11-22T24:00:00Z",
        "2026-13-01",
        "2026-00-01",
        "2026-02-29",
        "2100-02-29",
        "2026-04-31",
        "2026-11-00",
        "1969-12-31",
        "2026-11-2 ",
        "2026/11/22",
        "2026-11-22T01:60:02Z",
        " 026-11-22",
        "2026-11-22T01:49:02Z ",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t ms = 42;

        CHECK_EQ(text_untime(&ms, span_str(rows[i])), -HL_EFORMAT, rows[i]);
        CHECK_EQ(ms, 42, rows[i]);
    }
}

/* Each day of four centuries and a bit follows the day before it. */
static void every_day_round(void **state)
{
    char out[TEXT_TIME_SIZE];

    (void)state;
    for (uint64_t day = 0; day < 150000; day++) {
        uint64_t back;

        text_time(out, day * 86400000);
        CHECK_EQ(text_untime(&back, SPAN(out, 10)), 0, out);
        CHECK_EQ(back, day * 86400000, out);
    }
}

static void lines_and_fields(void **state)
{
    struct span rest = span_str("one two\n\nlast without end"), part, field;

    (void)state;
    assert_true(text_line(&rest, &part));
    assert_true(span_eq_str(part, "one two"));
    assert_true(text_field(&part, &field));
    assert_true(span_eq_str(field, "one"));
    assert_true(text_field(&part, &field));
    assert_true(span_eq_str(field, "two"));
    assert_false(text_field(&part, &field));
    assert_true(text_line(&rest, &part));
    CHECK_EQ(part.n, 0, "empty line");
    assert_false(text_line(&rest, &part));
    assert_true(span_eq_str(rest, "last without end"));
    CHECK_EQ(part.n, 0, "no line, nothing given");
}

static void fields_keep_their_spaces(void **state)
{
    static const struct {
        const char *in, *want; /* fields, each in brackets */
    } rows[] = {
        { "a", "[a]" },   { "a b c", "[a][b][c]" }, { "a  b", "[a][][b]" }, { " a", "[][a]" },
        { "a ", "[a ]" }, { " ", "[ ]" },           { "a b ", "[a][b ]" },  { "", "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct span rest = span_str(rows[i].in), f;
        struct buf b;

        buf_init(&b, 64);
        while (text_field(&rest, &f))
            buf_printf(&b, "[%.*s]", (int)f.n, (const char *)f.p);
        assert_string_equal(buf_str(&b), rows[i].want);
        buf_release(&b);
    }
}

static void distance_rows(void **state)
{
    static const struct {
        const char *a, *b;
        unsigned want;
    } rows[] = {
        { "", "", 0 },        { "abc", "abc", 0 },
        { "", "abc", 3 },     { "abc", "acb", 1 },
        { "abc", "abd", 1 },  { "abc", "ab", 1 },
        { "abc", "xabc", 1 }, { "abcd", "badc", 2 },
        { "ca", "abc", 3 },   { "kitten", "sitting", 3 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct span a = span_str(rows[i].a), b = span_str(rows[i].b);

        CHECK_EQ(text_distance(a, b, 9), rows[i].want, rows[i].b);
        CHECK_EQ(text_distance(b, a, 9), rows[i].want, rows[i].b);
        CHECK_EQ(text_distance(a, b, 1), rows[i].want < 2 ? rows[i].want : 2, rows[i].b);
    }
    CHECK_EQ(text_distance(SPAN("", 0), SPAN(rows, 64), 5), 6, "a word too long");
}

static void ascii_rows(void **state)
{
    (void)state;
    assert_true(text_ascii(span_str(" ~")));
    assert_false(text_ascii(span_str("\x1f")));
    assert_false(text_ascii(span_str("\x7f")));
    assert_false(text_ascii(span_str("\xc3\xa9")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_rows),
        cmocka_unit_test(base64_hostile),
        cmocka_unit_test(base64_limit_is_sticky),
        cmocka_unit_test(hex_rows),
        cmocka_unit_test(decimal_rows),
        cmocka_unit_test(damm_known),
        cmocka_unit_test(damm_catches),
        cmocka_unit_test(groups_of_a_digest),
        cmocka_unit_test(utf8_rows),
        cmocka_unit_test(safe_rows),
        cmocka_unit_test(ascii_rows),
        cmocka_unit_test(distance_rows),
        cmocka_unit_test(time_rows),
        cmocka_unit_test(untime_hostile),
        cmocka_unit_test(every_day_round),
        cmocka_unit_test(lines_and_fields),
        cmocka_unit_test(fields_keep_their_spaces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
