#include "client/phrasebook.h"

#include "common/error.h"
#include "common/file.h"
#include "tests/check.h"

#define BOOK "conf/phrasebook/core.cfg"

/* A small book; rows replace one piece of it. */
static const char small[] =
    "schema = \"hotline.phrasebook/1\"; id = \"small\"; version = \"1\";\n"
    "languages = (\n"
    " { tag = \"en\"; name = \"English\"; direction = \"ltr\"; thousands = \",\"; agreed = true; "
    "},\n"
    " { tag = \"ar\"; name = \"x\"; direction = \"rtl\"; thousands = \",\"; agreed = false; } );\n"
    "words = {\n"
    " label = { nature = { en = \"Nature\"; ar = \"N\"; }; };\n"
    " kind = { notification = { en = \"notification\"; ar = \"n\"; }; };\n"
    " yesno = { yes = { en = \"yes\"; ar = \"y\"; }; no = { en = \"no\"; ar = \"n\"; }; };\n"
    " trend = { up = { en = \"rising\"; ar = \"r\"; }; down = { en = \"falling\"; ar = \"f\"; }; "
    "};\n"
    "};\n"
    "forms = { ICT-1 = { kind = \"notification\"; en = \"t\"; ar = \"t\"; fields = [ \"NAT\" ]; }; "
    "};\n"
    "phrases = {\n"
    " NAT-01 = { label = \"nature\"; params = [ \"n count\", \"sure bool\", \"how word trend\" ];\n"
    "  en = \"{n} {sure} {how}\"; ar = \"{how} {n} {sure}\"; };\n"
    " NAT-24 = { label = \"nature\"; params = [ ]; en = \"nothing\"; ar = \"x\"; };\n"
    "};\n";

/* @small with @from replaced by @to, once. */
static struct span with(struct buf *b, const char *from, const char *to)
{
    const char *at = *from ? strstr(small, from) : small;

    assert_non_null(at);
    buf_clear(b);
    buf_put(b, small, (size_t)(at - small));
    buf_put_str(b, to);
    buf_put_str(b, at + strlen(from));
    return buf_span(b);
}

static void the_core_book_is_sound(void **state)
{
    struct phrasebook *pb;
    struct buf why;

    (void)state;
    buf_init(&why, 65536);
    CHECK_EQ(phrasebook_open(&pb, BOOK, &why), 0, BOOK);
    CHECK_EQ(phrasebook_languages(pb), 2, "en and ar");
    if (phrasebook_lint(pb, &why))
        fail_msg("%s", buf_str(&why));
    assert_string_equal(phrasebook_version(pb), "core 2026.1");
    phrasebook_free(pb);
    buf_release(&why);
}

static void digest_is_of_the_bytes(void **state)
{
    /* sha256sum of "abc" is the vector of FIPS 180-2; here of the file, against libsodium's own on
     * a copy */
    struct phrasebook *a, *b;
    struct buf why, text;

    (void)state;
    buf_init(&why, 4096);
    buf_init(&text, 65536);
    CHECK_EQ(phrasebook_new(&a, "a", span_str(small), &why), 0, "small");
    CHECK_EQ(phrasebook_new(&b, "b", with(&text, "", ""), &why), 0, "same");
    assert_memory_equal(phrasebook_digest(a), phrasebook_digest(b), 32);
    phrasebook_free(b);
    CHECK_EQ(phrasebook_new(&b, "b", with(&text, "words = {", "words =  {"), &why), 0,
             "one blank more");
    assert_memory_not_equal(phrasebook_digest(a), phrasebook_digest(b), 32);
    phrasebook_free(a);
    phrasebook_free(b);
    buf_release(&why);
    buf_release(&text);
}

static void refused_at_loading(void **state)
{
    static const struct {
        const char *name, *from, *to, *want;
    } rows[] = {
        { "schema", "phrasebook/1", "phrasebook/2", ":1: error: not a phrasebook" },
        { "no id", "id = \"small\"; ", "", "'id' is missing" },
        { "unknown setting", "version = \"1\";", "version = \"1\"; colour = 1;",
          "unknown setting 'colour'" },
        { "direction", "\"rtl\"", "\"up\"", ":4: error: 'entry': direction must be" },
        { "no tag", "tag = \"ar\";", "", ":4: error: 'entry': a language has tag" },
        { "no label", "label = \"nature\"; params = [ ];", "params = [ ];",
          ":15: error: 'NAT-24': a phrase has" },
        { "unknown type", "n count", "n number", "unknown type of a parameter" },
        { "word without vocabulary", "how word trend", "how word", "this type takes a vocabulary" },
        { "count with vocabulary", "n count", "n count trend",
          "this type takes a vocabulary, or takes none" },
        { "three words too many", "how word trend", "how word trend x", "unknown type" },
        { "twice", "sure bool", "n bool", "a parameter stands twice" },
        { "no type", "n count", "n", "a parameter is" },
        { "a long name", "n count", "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn count",
          "at most 31 characters" },
        { "duplicate code", "NAT-24", "NAT-01", ":15: error: duplicate setting name" },
        { "form without fields", "fields = [ \"NAT\" ];", "", "a form has kind" },
        { "form of numbers", "fields = [ \"NAT\" ];", "fields = [ 1 ];", "fields name families" },
        { "a turned line", "\"falling\"", "\"\xe2\x80\xae\"", "not plain UTF-8" },
        { "an escape", "\"falling\"", "\"\\x1b\"", "a control or direction character" },
    };
    struct phrasebook *pb;
    struct buf why, text;

    (void)state;
    buf_init(&why, 4096);
    buf_init(&text, 65536);
    for (size_t i = 0; i < COUNT(rows); i++) {
        buf_clear(&why);
        CHECK_EQ(phrasebook_new(&pb, "small", with(&text, rows[i].from, rows[i].to), &why),
                 -HL_ECONFIG, rows[i].name);
        assert_null(pb);
        if (!strstr(buf_str(&why), rows[i].want))
            fail_msg("[%s] got: %swant: %s", rows[i].name, buf_str(&why), rows[i].want);
    }
    buf_release(&why);
    buf_release(&text);
}

static void lint_finds(void **state)
{
    static const struct {
        const char *name, *from, *to, *want; /* want NULL: clean */
    } rows[] = {
        { "clean", "", "", NULL },
        { "not translated", " ar = \"{how} {n} {sure}\";", "", "NAT-01 (ar): not translated" },
        { "word not translated", " ar = \"f\";", "", "trend.down (ar): not translated" },
        { "parameter missing", "{how} {n} {sure}", "{how} {n}",
          "NAT-01 (ar): a parameter is missing" },
        { "parameter unknown", "{how} {n} {sure}", "{how} {n} {sure} {who}",
          "NAT-01 (ar): names a parameter" },
        { "open brace", "{how} {n} {sure}", "{how} {n} {sure",
          "NAT-01 (ar): a brace without its partner" },
        { "lone brace", "{how} {n} {sure}", "{how} {n} {sure}}", "a brace without its partner" },
        { "nested brace", "{how} {n} {sure}", "{how} {n} {{sure}", "a brace without its partner" },
        { "label", "label = \"nature\"; params = [ ]", "label = \"nture\"; params = [ ]",
          "NAT-24: its label" },
        { "vocabulary", "how word trend", "how word trnd", "uses a vocabulary that is not there" },
        { "bool of a vocabulary without yes", "sure bool", "sure bool trend",
          "a bool needs a vocabulary of yes and no" },
        { "code's shape", "NAT-24", "NATO-24", "NATO-24: a code is three capital letters" },
        { "code, small letters", "NAT-24", "nat-24", "a code is three capital letters" },
        { "another family, one letter away", "NAT-24", "NAD-01",
          "NAD-01: one character from a code" },
        { "another family, letters swapped", "NAT-24", "NTA-01",
          "NTA-01: one character from a code" },
        { "blame", "\"nothing\"", "\"The Attack was seen\"",
          "NAT-24 (en): 'attack' presumes law or blame" },
        { "blame in Arabic", "en = \"nothing\"; ar = \"x\"", "en = \"nothing\"; ar = \"هجوم\"",
          "presumes law or blame" },
        { "blame in a word", "\"falling\"", "\"weaponised\"",
          "trend.down (en): 'weapon' presumes" },
        { "drill", "\"nothing\"", "\"this is not a drill\"", "could be said in a drill" },
        { "two words, one text", "\"falling\"", "\"Rising\"",
          "trend.up (en): two words of a vocabulary have one text" },
        { "family without phrases", "[ \"NAT\" ]", "[ \"NIX\" ]",
          "ICT-1: a field has a family without phrases" },
        { "kind", "kind = \"notification\"", "kind = \"letter\"", "ICT-1: its kind is not" },
        { "empty text", "\"nothing\"", "\"\"", "NAT-24 (en): not translated" },
    };
    struct phrasebook *pb;
    struct buf out, text;

    (void)state;
    buf_init(&out, 65536);
    buf_init(&text, 65536);
    for (size_t i = 0; i < COUNT(rows); i++) {
        unsigned n;

        buf_clear(&out);
        CHECK_EQ(phrasebook_new(&pb, "small", with(&text, rows[i].from, rows[i].to), &out), 0,
                 rows[i].name);
        n = phrasebook_lint(pb, &out);
        CHECK_EQ(n > 0, rows[i].want != NULL, rows[i].name);
        if (rows[i].want && !strstr(buf_str(&out), rows[i].want))
            fail_msg("[%s] got: %swant: %s", rows[i].name, buf_str(&out), rows[i].want);
        phrasebook_free(pb);
    }
    buf_release(&out);
    buf_release(&text);
}

/* In one family it is a note: the codes of forms in use do differ in one digit. */
static void near_codes_are_noted(void **state)
{
    struct phrasebook *pb;
    struct buf out, text;

    (void)state;
    buf_init(&out, 65536);
    buf_init(&text, 65536);
    CHECK_EQ(phrasebook_new(&pb, "small", with(&text, "NAT-24", "NAT-02"), &out), 0, "near");
    CHECK_EQ(phrasebook_lint(pb, &out), 0, "no error");
    assert_non_null(strstr(buf_str(&out), "note: NAT-01 and NAT-02 differ in one digit"));
    phrasebook_free(pb);
    buf_release(&out);
    buf_release(&text);
}

static void words_are_found(void **state)
{
    static const struct {
        const char *typed, *want;
    } rows[] = {
        { "none-known", "none-known" },
        { "none known", "none-known" },
        { "None, known", "none-known" },
        { "no injuries known", "none-known" },
        { "لا إصابات معروفة", "none-known" },
        { "none", NULL },
        { "", NULL },
        { "none-known.en", NULL },
        { "no injuries", NULL },
    };
    struct phrasebook *pb;
    struct buf why;

    (void)state;
    buf_init(&why, 4096);
    CHECK_EQ(phrasebook_open(&pb, BOOK, &why), 0, BOOK);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *got = phrasebook_find_word(pb, "injuries", rows[i].typed);

        CHECK_EQ(got != NULL, rows[i].want != NULL, rows[i].typed);
        if (got)
            assert_string_equal(got, rows[i].want);
    }
    assert_null(phrasebook_find_word(pb, "no-such", "none"));
    assert_null(phrasebook_word(pb, "injuries", span_str("none-known.en"), 0));
    assert_null(phrasebook_word(pb, "injuries", SPAN_NONE, 0));
    CHECK_EQ(phrasebook_find_language(pb, span_str("ar-EG")), 1, "region");
    CHECK_EQ(phrasebook_find_language(pb, span_str("en")), 0, "exact");
    CHECK_EQ(phrasebook_find_language(pb, span_str("e")), -1, "none");
    CHECK_EQ(phrasebook_find_language(pb, SPAN_NONE), -1, "empty");
    phrasebook_free(pb);
    buf_release(&why);
}

static void printed(void **state)
{
    struct phrasebook *pb;
    struct buf out;

    (void)state;
    buf_init(&out, 1 << 20);
    CHECK_EQ(phrasebook_open(&pb, BOOK, &out), 0, BOOK);
    CHECK_EQ(phrasebook_print(pb, 0, 1, &out), 0, "book");
    assert_non_null(strstr(buf_str(&out),
                           "\nNAT-02  November Alfa Tango 0 2\n"
                           "        ICT incident, {nature}. Malicious: {malicious}"));
    assert_non_null(strstr(buf_str(&out), "حادث في تكنولوجيا المعلومات"));
    buf_clear(&out);
    CHECK_EQ(phrasebook_print_form(pb, "ICT-1", 0, &out), 0, "form");
    assert_non_null(
        strstr(buf_str(&out), "\n 1\nBAS-01  Arrangement ________, art. ________; UN norms"));
    assert_non_null(strstr(buf_str(&out), "\n20\nANX-01  "));
    CHECK_EQ(phrasebook_print_form(pb, "ICT-9", 0, &out), -HL_ENOENT, "no such form");
    phrasebook_free(pb);
    buf_release(&out);
}

static void missing_file(void **state)
{
    struct phrasebook *pb;
    struct buf why;

    (void)state;
    buf_init(&why, 4096);
    CHECK_EQ(phrasebook_open(&pb, "/nonexistent", &why), -HL_ENOENT, "missing");
    assert_string_equal(buf_str(&why), "/nonexistent: error: not found\n");
    assert_null(pb);
    phrasebook_free(NULL);
    buf_release(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_core_book_is_sound),
        cmocka_unit_test(digest_is_of_the_bytes),
        cmocka_unit_test(refused_at_loading),
        cmocka_unit_test(lint_finds),
        cmocka_unit_test(near_codes_are_noted),
        cmocka_unit_test(words_are_found),
        cmocka_unit_test(printed),
        cmocka_unit_test(missing_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
