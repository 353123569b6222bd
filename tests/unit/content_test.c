#include "common/content.h"
#include "common/error.h"
#include "tests/check.h"
#include "tests/diag.h"
#include "tests/sample.h"

static struct buf bytes, again;

/* ---- one form field ---- */

#define FIELD(params) "[2 'NAT-02' 0 [" params "]]"
#define P(name, type, value) "['" name "' " type " " value "]"

/* clang-format off */
static const struct {
    const char *name, *text;
    int want;
} field_rows[] = {
    { "no parameters", FIELD(""), 0 },
    { "text", FIELD(P("what", "0", "'remote control lost'")), 0 },
    { "empty text", FIELD(P("what", "0", "''")), 0 },
    { "text in UTF-8", FIELD(P("what", "0", "=42d0b6")), 0 },
    { "text ends within a character", FIELD(P("what", "0", "=43d0b6c3")), -HL_EFORMAT },
    { "text of two lines", FIELD(P("what", "0", "=43610a62")), -HL_EFORMAT },
    { "text with bidi override", FIELD(P("what", "0", "=43e280ae")), -HL_EFORMAT },
    { "text with escape", FIELD(P("what", "0", "=421b5b")), -HL_EFORMAT },
    { "longest text", FIELD(P("what", "0", "61*4000")), 0 },
    { "text too long", FIELD(P("what", "0", "61*4001")), -HL_ETOOBIG },
    { "text as number", FIELD(P("what", "0", "5")), -HL_EFORMAT },
    { "uint", FIELD(P("affected", "1", "11")), 0 },
    { "largest uint", FIELD(P("affected", "1", "9223372036854775807")), 0 },
    { "uint 2^63", FIELD(P("affected", "1", "9223372036854775808")), -HL_EFORMAT },
    { "uint as bytes", FIELD(P("affected", "1", "'11'")), -HL_EFORMAT },
    { "true", FIELD(P("critical", "2", "1")), 0 },
    { "false", FIELD(P("critical", "2", "0")), 0 },
    { "neither", FIELD(P("critical", "2", "2")), -HL_EFORMAT },
    { "time", FIELD(P("began", "3", "1796000000000")), 0 },
    { "duration", FIELD(P("accuracy", "4", "1200")), 0 },
    { "code", FIELD(P("sector", "5", "'energy'")), 0 },
    { "code empty", FIELD(P("sector", "5", "''")), -HL_EFORMAT },
    { "code with blank", FIELD(P("sector", "5", "'en ergy'")), -HL_EFORMAT },
    { "code of 32", FIELD(P("sector", "5", "61*32")), -HL_EFORMAT },
    { "list", FIELD(P("withheld", "6", "['operator' 'network details']")), 0 },
    { "empty list", FIELD(P("withheld", "6", "[]")), 0 },
    { "list of numbers", FIELD(P("withheld", "6", "[1]")), -HL_EFORMAT },
    { "list of lists", FIELD(P("withheld", "6", "[[]]")), -HL_EFORMAT },
    { "list with escape", FIELD(P("withheld", "6", "[1b*1]")), -HL_EFORMAT },
    { "list with long text", FIELD(P("withheld", "6", "[61*4001]")), -HL_ETOOBIG },
    { "list of 64", FIELD(P("withheld", "6", "['' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' ''"
                            " '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '']")), 0 },
    { "list of 65", FIELD(P("withheld", "6", "['' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' ''"
                            " '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '' '']")), -HL_ETOOBIG },
    { "mid", FIELD(P("annex", "7", "3f*32")), 0 },
    { "mid of 31", FIELD(P("annex", "7", "3f*31")), -HL_EFORMAT },
    { "type 8", FIELD(P("annex", "8", "0")), -HL_EFORMAT },
    { "several", FIELD(P("a", "1", "1") " " P("b_2", "0", "'x'") " " P("c", "5", "'y'")), 0 },
    { "name twice", FIELD(P("a", "1", "1") " " P("b", "1", "1") " " P("a", "0", "''")), -HL_EFORMAT },
    { "name empty", FIELD(P("", "1", "1")), -HL_EFORMAT },
    { "name in capitals", FIELD(P("A", "1", "1")), -HL_EFORMAT },
    { "name with digit first", FIELD(P("1a", "1", "1")), -HL_EFORMAT },
    { "name with dash", FIELD(P("a-b", "1", "1")), -HL_EFORMAT },
    { "name of 31", FIELD("[61*31 1 1]"), 0 },
    { "name of 32", FIELD("[61*32 1 1]"), -HL_EFORMAT },
    { "parameter of two", FIELD("['a' 1]"), -HL_EFORMAT },
    { "parameter of four", FIELD("['a' 1 1 1]"), -HL_EFORMAT },
    { "unknown", "[2 'NAT-02' 1 []]", 0 },
    { "withheld", "[2 'NAT-02' 2 []]", 0 },
    { "state 3", "[2 'NAT-02' 3 []]", -HL_EFORMAT },
    { "unknown with value", "[2 'NAT-02' 1 [['a' 1 1]]]", -HL_EFORMAT },
    { "withheld with value", "[2 'NAT-02' 2 [['a' 1 1]]]", -HL_EFORMAT },
    { "number 0", "[0 'NAT-02' 0 []]", -HL_EFORMAT },
    { "number 99", "[99 'NAT-02' 0 []]", 0 },
    { "number 100", "[100 'NAT-02' 0 []]", -HL_EFORMAT },
    { "no code", "[2 '' 0 []]", -HL_EFORMAT },
    { "code with control", "[2 =414e 0 []]", 0 },
    { "field of three", "[2 'NAT-02' 0]", -HL_EFORMAT },
    { "field of five", "[2 'NAT-02' 0 [] 0]", -HL_EFORMAT },
    { "trailing byte", "[2 'NAT-02' 0 []] 0", -HL_EFORMAT },
    { "nothing", "", -HL_EFORMAT },
};
/* clang-format on */

static void form_field_every_row(void **state)
{
    struct form_field f;

    (void)state;
    for (size_t i = 0; i < COUNT(field_rows); i++) {
        struct span in = diag(&bytes, field_rows[i].text);

        CHECK_EQ(form_field_decode(&f, in), field_rows[i].want, field_rows[i].name);
        if (field_rows[i].want)
            continue;
        buf_clear(&again);
        CHECK_EQ(form_field_put(&again, &f), 0, field_rows[i].name);
        CHECK_EQ(span_eq(buf_span(&again), in), 1, field_rows[i].name);
    }
}

static void form_field_limits(void **state)
{
    struct form_field f = { .number = 2, .code = span_str("NAT-02"), .n = CONTENT_PARAMS_MAX };
    char name[CONTENT_PARAMS_MAX + 1][8];
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    for (size_t i = 0; i < CONTENT_PARAMS_MAX; i++) {
        snprintf(name[i], sizeof(name[i]), "p%zu", i);
        f.param[i] = (struct param){ .name = span_str(name[i]), .type = PARAM_UINT, .u = i };
    }
    assert_int_equal(form_field_put(&out, &f), 0);
    assert_int_equal(form_field_decode(&f, buf_span(&out)), 0);
    assert_int_equal(f.n, CONTENT_PARAMS_MAX);
    assert_int_equal(f.param[31].u, 31);
    f.n++;
    assert_int_equal(form_field_put(&out, &f), -HL_ETOOBIG);
    buf_release(&out);
}

static void list_is_walked(void **state)
{
    static const struct {
        const char *text;
        const char *want[4];
    } rows[] = {
        { "[]", { NULL } },
        { "['']", { "", NULL } },
        { "['operator' '' 'network details']", { "operator", "", "network details", NULL } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct span rest = diag(&bytes, rows[i].text), text;
        size_t left = 0, n = 0;

        for (; param_list_next(&rest, &left, &text); n++)
            CHECK_EQ(rows[i].want[n] && span_eq_str(text, rows[i].want[n]), 1, rows[i].text);
        CHECK_EQ(rows[i].want[n] == NULL, 1, rows[i].text);
        CHECK_EQ(param_list_next(&rest, &left, &text), false, rows[i].text);
    }
}

/* ---- an attachment ---- */

static const struct {
    const char *name, *text;
    int want;
} attachment_rows[] = {
    { "good", "['application/json' 'Annex A' 7b*2]", 0 },
    { "empty", "['text/plain' '' '']", 0 },
    { "vendor type", "['application/vnd.x+json' '' 00*1]", 0 },
    { "no type", "['' '' '']", -HL_EFORMAT },
    { "no subtype", "['text/' '' '']", -HL_EFORMAT },
    { "no slash", "['text' '' '']", -HL_EFORMAT },
    { "two slashes", "['a/b/c' '' '']", -HL_EFORMAT },
    { "only a slash", "['/' '' '']", -HL_EFORMAT },
    { "type in capitals", "['Text/plain' '' '']", -HL_EFORMAT },
    { "type with parameter", "['text/plain;charset=utf-8' '' '']", -HL_EFORMAT },
    { "type with NUL", "[=4461006263 '' '']", -HL_EFORMAT },
    { "type with NUL and slash", "[=44612f0063 '' '']", -HL_EFORMAT },
    { "type too long", "[61*128 '' '']", -HL_ETOOBIG },
    { "label at its limit", "['a/b' 61*255 '']", 0 },
    { "label too long", "['a/b' 61*256 '']", -HL_ETOOBIG },
    { "label of two lines", "['a/b' 0a*1 '']", -HL_EFORMAT },
    { "label not UTF-8", "['a/b' c0*1 '']", -HL_EFORMAT },
    { "two items", "['a/b' '']", -HL_EFORMAT },
    { "four items", "['a/b' '' '' '']", -HL_EFORMAT },
    { "trailing byte", "['a/b' '' ''] 0", -HL_EFORMAT },
};

static void attachment_every_row(void **state)
{
    struct attachment a;

    (void)state;
    for (size_t i = 0; i < COUNT(attachment_rows); i++) {
        struct span in = diag(&bytes, attachment_rows[i].text);

        CHECK_EQ(attachment_decode(&a, in), attachment_rows[i].want, attachment_rows[i].name);
        if (attachment_rows[i].want)
            continue;
        buf_clear(&again);
        CHECK_EQ(attachment_put(&again, &a), 0, attachment_rows[i].name);
        CHECK_EQ(span_eq(buf_span(&again), in), 1, attachment_rows[i].name);
    }
}

/* ---- content ---- */

enum { SUBJECT = 1, LANGUAGE, FORM, PHRASEBOOK, THREAD, NAMES, F6, F7, F8 };
/* field 5 holds N(name) of those that follow: here "2", "text" */
static const char *const content_base[] = {
    "'Remote control lost'", "'en'",      "'ICT-1'", "aa*32", "''", "=4701320474657874",
    "<[2 'NAT-02' 0 []]>",   "'Call us.'"
};

/* clang-format off */
static const struct {
    const char *name;
    struct diag_set set[DIAG_SETS];
    int want;
} content_rows[] = {
    { "good", { { 0 } }, 0 },
    { "nothing said", { { SUBJECT, "''" }, { LANGUAGE, "''" }, { FORM, "''" }, { PHRASEBOOK, "''" } }, 0 },
    { "in a thread", { { THREAD, "3f*32" } }, 0 },
    { "six fields", { { NAMES, "''" }, { F6, "" }, { F7, "" } }, 0 },
    { "five fields", { { NAMES, "" }, { F6, "" }, { F7, "" } }, -HL_EFORMAT },
    { "subject of two lines", { { SUBJECT, "0a*1" } }, -HL_EFORMAT },
    { "subject not UTF-8", { { SUBJECT, "80*1" } }, -HL_EFORMAT },
    { "subject at its limit", { { SUBJECT, "61*500" } }, 0 },
    { "subject too long", { { SUBJECT, "61*501" } }, -HL_ETOOBIG },
    { "subject as number", { { SUBJECT, "1" } }, -HL_EFORMAT },
    { "language with region", { { LANGUAGE, "'zh-Hant-TW'" } }, 0 },
    { "language ends in a dash", { { LANGUAGE, "'en-'" } }, -HL_EFORMAT },
    { "language begins with a dash", { { LANGUAGE, "'-en'" } }, -HL_EFORMAT },
    { "language with two dashes", { { LANGUAGE, "'en--x'" } }, -HL_EFORMAT },
    { "language with underscore", { { LANGUAGE, "'en_GB'" } }, -HL_EFORMAT },
    { "subtag of nine", { { LANGUAGE, "'abcdefghi'" } }, -HL_EFORMAT },
    { "language of 36", { { LANGUAGE, "'aaaaaaaa-aaaaaaaa-aaaaaaaa-aaaaaaaa-'" } }, -HL_EFORMAT },
    { "form of 31", { { FORM, "41*31" } }, 0 },
    { "form of 32", { { FORM, "41*32" } }, -HL_EFORMAT },
    { "form not ASCII", { { FORM, "c3*1" } }, -HL_EFORMAT },
    { "phrasebook of 31", { { PHRASEBOOK, "aa*31" } }, -HL_EFORMAT },
    { "thread of 33", { { THREAD, "3f*33" } }, -HL_EFORMAT },
    /* names: "2", "text" is =47 0132 04 74657874 */
    { "a name less", { { NAMES, "=420132" } }, -HL_EFORMAT },
    { "a name more", { { NAMES, "=49013204746578740133" } }, -HL_EFORMAT },
    { "a name too long", { { NAMES, "=4701320574657874" } }, -HL_EFORMAT },
    { "a name too short", { { NAMES, "=4701320374657874" } }, -HL_EFORMAT },
    { "an empty name", { { NAMES, "=46000474657874" } }, -HL_EFORMAT },
    { "an unknown name", { { NAMES, "=4701320474657875" } }, -HL_EFORMAT },
    { "number 02", { { NAMES, "=480230320474657874" } }, -HL_EFORMAT },
    { "number 0", { { NAMES, "=4701300474657874" } }, -HL_EFORMAT },
    { "another number than the field's", { { NAMES, "=4701330474657874" } }, -HL_EFORMAT },
    { "field and text exchanged", { { NAMES, "=4704746578740132" } }, -HL_EFORMAT },
    { "text before field", { { NAMES, "=4704746578740132" }, { F6, "'Call us.'" }, { F7, "<[2 'NAT-02' 0 []]>" } }, 0 },
    { "a field twice", { { NAMES, "=4401320132" }, { F7, "<[2 'NAT-02' 0 []]>" } }, -HL_EFORMAT },
    { "fields descending", { { NAMES, "=4401320131" }, { F7, "<[1 'NAT-02' 0 []]>" } }, -HL_EFORMAT },
    { "fields ascending", { { NAMES, "=4401320139" }, { F7, "<[9 'NAT-02' 0 []]>" } }, 0 },
    { "9 before 10", { { NAMES, "=450139023130" }, { F6, "<[9 'NAT-02' 0 []]>" }, { F7, "<[10 'NAT-02' 0 []]>" } }, 0 },
    { "text twice", { { NAMES, "=4a04746578740474657874" }, { F6, "''" } }, -HL_EFORMAT },
    { "text of two lines", { { F7, "=43610a62" } }, 0 },
    { "text with carriage return", { { F7, "=43610d62" } }, -HL_EFORMAT },
    { "text not UTF-8", { { F7, "80*1" } }, -HL_EFORMAT },
    { "attachment", { { NAMES, "=4d01320a6174746163686d656e74" }, { F7, "<['a/b' '' 00*9]>" } }, 0 },
    { "attachment broken", { { NAMES, "=4d01320a6174746163686d656e74" }, { F7, "<['ab' '' 00*9]>" } }, -HL_EFORMAT },
    { "category", { { NAMES, "=4b01320863617465676f7279" }, { F7, "'12'" } }, 0 },
    { "category 0", { { NAMES, "=4b01320863617465676f7279" }, { F7, "'0'" } }, -HL_EFORMAT },
    { "category 012", { { NAMES, "=4b01320863617465676f7279" }, { F7, "'012'" } }, -HL_EFORMAT },
    { "marking", { { NAMES, "=4a0132076d61726b696e67" }, { F7, "'3'" } }, 0 },
    { "marking as word", { { NAMES, "=4a0132076d61726b696e67" }, { F7, "'TLP:RED'" } }, -HL_EFORMAT },
};
/* clang-format on */

static void content_every_row(void **state)
{
    static struct content c;

    (void)state;
    for (size_t i = 0; i < COUNT(content_rows); i++) {
        struct span in = diag_array(&bytes, content_base, COUNT(content_base), content_rows[i].set);

        CHECK_EQ(content_decode(&c, in), content_rows[i].want, content_rows[i].name);
        if (content_rows[i].want) {
            CHECK_EQ(c.n, 0, content_rows[i].name);
            continue;
        }
        buf_clear(&again);
        CHECK_EQ(content_put(&again, &c), 0, content_rows[i].name);
        CHECK_EQ(span_eq(buf_span(&again), in), 1, content_rows[i].name);
    }
}

static void content_fields(void **state)
{
    static const struct diag_set none[DIAG_SETS];
    static struct content c;

    (void)state;
    diag_array(&bytes, content_base, COUNT(content_base), none);
    assert_int_equal(content_decode(&c, buf_span(&bytes)), 0);
    assert_int_equal(c.n, 8);
    assert_true(span_eq_str(c.subject, "Remote control lost"));
    assert_true(span_eq_str(c.language, "en"));
    assert_true(span_eq_str(c.form, "ICT-1"));
    assert_int_equal(c.phrasebook.n, 32);
    assert_int_equal(c.thread.n, 0);
    assert_true(span_eq_str(content_field(&c, "text"), "Call us."));
    assert_int_equal(content_field(&c, "2").p[0], 0x84);
    assert_null(content_field(&c, "attachment").p);
    assert_null(content_field(&c, "").p);
}

static void content_limits(void **state)
{
    static struct content c;
    struct buf text;

    (void)state;
    buf_init(&text, 1 << 16);
    for (size_t n = CONTENT_FIELDS_MAX; n <= CONTENT_FIELDS_MAX + 1; n++) {
        buf_clear(&text);
        buf_put_str(&text, "[");
        for (size_t i = 0; i < n; i++)
            buf_put_str(&text, " ''");
        buf_put_str(&text, "]");
        CHECK_EQ(content_decode(&c, diag(&bytes, buf_str(&text))),
                 n > CONTENT_FIELDS_MAX ? -HL_ETOOBIG : -HL_EFORMAT, "fields");
    }
    buf_clear(&text);
    buf_printf(&text, "['' '' '' '' '' =450474657874 61*%d]", CONTENT_MAX);
    assert_int_equal(content_decode(&c, diag(&bytes, buf_str(&text))), -HL_ETOOBIG);
    buf_release(&text);
}

static void content_truncated(void **state)
{
    static const struct diag_set none[DIAG_SETS];
    static struct content c;
    struct span in = diag_array(&bytes, content_base, COUNT(content_base), none);

    (void)state;
    for (size_t n = 0; n < in.n; n++) {
        uint8_t *p = exact(SPAN(in.p, n));

        CHECK_EQ(content_decode(&c, SPAN(p, n)), -HL_EFORMAT, "truncated");
        free(p);
    }
}

/* Every changed bit is refused or changes the commitment. */
static void content_every_bit(void **state)
{
    static const struct diag_set attached[DIAG_SETS] = { { NAMES, "=4d01320a6174746163686d656e74" },
                                                         { F7, "<['a/b' 'A' 00*9]>" } };
    static const uint8_t salt[32] = { 9 };
    static struct content c;
    uint8_t commit[32], other[32];
    struct span in = diag_array(&bytes, content_base, COUNT(content_base), attached);

    (void)state;
    assert_int_equal(content_decode(&c, in), 0);
    content_commit(commit, REALM_LIVE, salt, &c);
    for (size_t bit = 0; bit < 8 * in.n; bit++) {
        bytes.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (content_decode(&c, in) == 0) {
            content_commit(other, REALM_LIVE, salt, &c);
            CHECK_EQ(memcmp(commit, other, 32) != 0, 1, "commit");
        }
        bytes.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void content_put_refuses(void **state)
{
    static struct content c = { .n = CONTENT_FIXED };

    (void)state;
    buf_clear(&again);
    c.subject = span_str("\x1b[2J");
    assert_int_equal(content_put(&again, &c), -HL_EFORMAT);
    c.subject = SPAN_NONE;
    c.n = 7;
    c.name[6] = span_str("password");
    assert_int_equal(content_put(&again, &c), -HL_EFORMAT);
    c.name[6] = span_str("1");
    assert_int_equal(content_put(&again, &c), -HL_EFORMAT);
    c.n = 5;
    assert_int_equal(content_put(&again, &c), -HL_ETOOBIG);
    assert_int_equal(again.n, 0);
}

static void fits(void **state)
{
    static const struct {
        const char *name;
        const char *names, *field;
        unsigned precedence;
        uint64_t category, marking;
        int want;
    } rows[] = {
        { "FLASH with text", "=450474657874", "''", PRECEDENCE_FLASH, 0, 0, 0 },
        { "FLASH with attachment", "=4b0a6174746163686d656e74", "<['a/b' '' '']>", PRECEDENCE_FLASH,
          0, 0, -HL_EFLASH },
        { "IMMEDIATE with attachment", "=4b0a6174746163686d656e74", "<['a/b' '' '']>",
          PRECEDENCE_IMMEDIATE, 0, 0, 0 },
        { "sealed category", "=490863617465676f7279", "'1'", PRECEDENCE_FLASH, 0, 0, 0 },
        { "category twice", "=490863617465676f7279", "'1'", PRECEDENCE_FLASH, 1, 0, -HL_EFORMAT },
        { "sealed category, marking outside", "=490863617465676f7279", "'1'", PRECEDENCE_FLASH, 0,
          2, 0 },
        { "marking twice", "=48076d61726b696e67", "'1'", PRECEDENCE_FLASH, 0, 1, -HL_EFORMAT },
    };
    static struct content c;
    static struct header h;
    static struct stamp s;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[200];

        snprintf(text, sizeof(text), "['' '' '' '' '' %s %s]", rows[i].names, rows[i].field);
        CHECK_EQ(content_decode(&c, diag(&bytes, text)), 0, rows[i].name);
        s.precedence = rows[i].precedence;
        h.category = rows[i].category;
        h.marking = rows[i].marking;
        CHECK_EQ(content_fits(&c, &h, &s), rows[i].want, rows[i].name);
    }
}

/* The commitment by hand, from the formulas alone; and each field shown alone leads to it. */
static void commitment(void **state)
{
    static const struct diag_set none[DIAG_SETS];
    static struct content c;
    uint8_t salt[32], salt_i[32], ci[8][32], want[32], got[32];
    struct buf m;

    (void)state;
    memset(salt, 0x5a, sizeof(salt));
    diag_array(&bytes, content_base, COUNT(content_base), none);
    assert_int_equal(content_decode(&c, buf_span(&bytes)), 0);
    buf_init(&m, 4096);
    for (size_t i = 0; i < c.n; i++) {
        crypto_auth_hmacsha256_state st;

        crypto_auth_hmacsha256_init(&st, salt, 32);
        crypto_auth_hmacsha256_update(&st, (const uint8_t *)"hotline/1 live field salt", 26);
        crypto_auth_hmacsha256_update(&st, (const uint8_t[]){ 0, (uint8_t)i }, 2);
        crypto_auth_hmacsha256_final(&st, salt_i);
        content_field_salt(got, REALM_LIVE, salt, (uint16_t)i);
        assert_memory_equal(got, salt_i, 32);
        buf_clear(&m);
        buf_put(&m, "hotline/1 live field", 21);
        buf_put_u16(&m, (uint16_t)i);
        buf_put(&m, salt_i, 32);
        buf_put_u32(&m, (uint32_t)c.field[i].n);
        buf_put_span(&m, c.field[i]);
        crypto_hash_sha256(ci[i], m.p, m.n);
        content_field_commit(got, REALM_LIVE, (uint16_t)i, salt_i, c.field[i]);
        assert_memory_equal(got, ci[i], 32);
    }
    buf_clear(&m);
    buf_put(&m, "hotline/1 live content", 23);
    buf_put_u16(&m, 8);
    buf_put(&m, ci, sizeof(ci));
    crypto_hash_sha256(want, m.p, m.n);
    content_commit(got, REALM_LIVE, salt, &c);
    assert_memory_equal(got, want, 32);
    content_commit_of(got, REALM_LIVE, (const uint8_t(*)[32])ci, 8);
    assert_memory_equal(got, want, 32);
    content_commit(got, REALM_EXERCISE, salt, &c);
    assert_memory_not_equal(got, want, 32);
    buf_release(&m);
}

/* ---- padding ---- */

static void buckets(void **state)
{
    static const struct {
        size_t len, want;
    } rows[] = {
        { 0, 4096 },     { 4060, 4096 },     { 4061, 8192 },      { 8156, 8192 },
        { 8157, 16384 }, { 524252, 524288 }, { 524253, 1048576 }, { 1048540, 1048576 },
        { 1048541, 0 },  { SIZE_MAX, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_EQ(content_bucket(rows[i].len), rows[i].want, "bucket");
}

static void padding(void **state)
{
    static const uint8_t salt[32] = { 1, 2, 3 };
    static uint8_t text[CONTENT_MAX + 1];
    static const size_t lengths[] = { 0, 1, 4060, 4061, CONTENT_MAX };
    const uint8_t *got_salt;
    struct span got;

    (void)state;
    memset(text, 'x', sizeof(text));
    for (size_t i = 0; i < COUNT(lengths); i++) {
        buf_clear(&again);
        assert_int_equal(content_pad(&again, salt, SPAN(text, lengths[i])), 0);
        assert_int_equal(again.n, content_bucket(lengths[i]));
        assert_int_equal(content_unpad(buf_span(&again), &got_salt, &got), 0);
        assert_int_equal(got.n, lengths[i]);
        assert_memory_equal(got_salt, salt, 32);
        assert_true(span_eq(got, SPAN(text, lengths[i])));
    }
    assert_int_equal(content_pad(&again, salt, SPAN(text, CONTENT_MAX + 1)), -HL_ETOOBIG);
}

static void padding_is_checked(void **state)
{
    static const struct {
        const char *name;
        size_t plain; /* bytes */
        uint32_t len; /* claimed */
        size_t dirt;  /* offset of a byte that is not zero; 0 = none */
        int want;
    } rows[] = {
        { "good", 4096, 100, 0, 0 },
        { "full", 4096, 4060, 0, 0 },
        { "one more than fits", 4096, 4061, 0, -HL_EFORMAT },
        { "huge length", 4096, UINT32_MAX, 0, -HL_EFORMAT },
        { "bucket not minimal", 8192, 100, 0, -HL_EFORMAT },
        { "bucket minimal", 8192, 4061, 0, 0 },
        { "first byte of padding", 4096, 100, 136, -HL_EFORMAT },
        { "last byte of padding", 4096, 100, 4095, -HL_EFORMAT },
        { "last byte of content", 4096, 100, 135, 0 },
        { "not a bucket", 4095, 100, 0, -HL_EFORMAT },
        { "not a bucket either", 4097, 100, 0, -HL_EFORMAT },
        { "2 KiB", 2048, 100, 0, -HL_EFORMAT },
        { "nothing", 0, 0, 0, -HL_EFORMAT },
        { "2 MiB", 2097152, 1048541, 0, -HL_EFORMAT },
    };
    const uint8_t *salt;
    struct span got;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t *p = calloc(1, rows[i].plain + 1);
        uint8_t *at = exact(SPAN(p, rows[i].plain));

        if (rows[i].plain >= 36)
            put_u32(at + 32, rows[i].len);
        if (rows[i].dirt)
            at[rows[i].dirt] = 1;
        CHECK_EQ(content_unpad(SPAN(at, rows[i].plain), &salt, &got), rows[i].want, rows[i].name);
        free(at);
        free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(form_field_every_row),
        cmocka_unit_test(form_field_limits),
        cmocka_unit_test(list_is_walked),
        cmocka_unit_test(attachment_every_row),
        cmocka_unit_test(content_every_row),
        cmocka_unit_test(content_fields),
        cmocka_unit_test(content_limits),
        cmocka_unit_test(content_truncated),
        cmocka_unit_test(content_every_bit),
        cmocka_unit_test(content_put_refuses),
        cmocka_unit_test(fits),
        cmocka_unit_test(commitment),
        cmocka_unit_test(buckets),
        cmocka_unit_test(padding),
        cmocka_unit_test(padding_is_checked),
    };
    int rc;

    buf_init(&again, 1 << 22);
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    buf_release(&again);
    buf_release(&bytes);
    return rc;
}
