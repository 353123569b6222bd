#include "common/envelope.h"
#include "common/error.h"
#include "tests/check.h"

static void prints(void **state)
{
    static const struct {
        const char *sender;
        uint64_t seq;
        const char *want;
    } rows[] = {
        { "borealia.technical", 7, "BOREALIA 7-6" },
        { "borealia.technical", 1, "BOREALIA 1-3" },
        { "arcadia.technical", 572, "ARCADIA 572-4" }, /* the example of Damm's thesis */
        { "a.b", 10, "A 10-1" },
        { "x-1.y", 42, "X-1 42-7" },
        { "abcdefghijklmnopqrstuvwxyz-0123.o", UINT64_C(9223372036854775807),
          "ABCDEFGHIJKLMNOPQRSTUVWXYZ-0123 9223372036854775807-7" },
    };
    char out[NUMBER_SIZE], party[32];
    uint64_t seq;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct span sender = span_str(rows[i].sender);

        number_print(out, sender, rows[i].seq);
        CHECK_EQ(strcmp(out, rows[i].want), 0, rows[i].want);
        CHECK_EQ(number_parse(party, &seq, out), 0, rows[i].want);
        CHECK_EQ(seq, rows[i].seq, rows[i].want);
        CHECK_EQ(span_eq_str(name_party(sender), party), 1, rows[i].want);
    }
}

static void parses(void **state)
{
    static const struct {
        const char *text;
        int want;
    } rows[] = {
        { "BOREALIA 7-6", 0 },
        { "borealia 7-6", 0 },
        { "Borealia 7-6", 0 },
        { "BOREALIA 7-5", -HL_EFORMAT },
        { "BOREALIA 7", -HL_EFORMAT },
        { "BOREALIA 7-", -HL_EFORMAT },
        { "BOREALIA -6", -HL_EFORMAT },
        { "BOREALIA 7 6", -HL_EFORMAT },
        { "BOREALIA  7-6", -HL_EFORMAT },
        { " BOREALIA 7-6", -HL_EFORMAT },
        { "BOREALIA 7-6 ", -HL_EFORMAT },
        { "BOREALIA 7-66", -HL_EFORMAT },
        { "BOREALIA 07-6", -HL_EFORMAT },
        { "BOREALIA 0-0", -HL_EFORMAT },
        { "BOREALIA +7-6", -HL_EFORMAT },
        { "BOREALIA 9223372036854775808-0", -HL_EFORMAT },
        { "BOREALIA.TECHNICAL 7-6", -HL_EFORMAT },
        { "7-6", -HL_EFORMAT },
        { "1BOREALIA 7-6", -HL_EFORMAT },
        { "BOR\xc3\x89 7-6", -HL_EFORMAT },
        { "ABCDEFGHIJKLMNOPQRSTUVWXYZ-01234 7-6", -HL_EFORMAT },
        { "", -HL_EFORMAT },
        { " ", -HL_EFORMAT },
    };
    char party[32];
    uint64_t seq;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_EQ(number_parse(party, &seq, rows[i].text), rows[i].want, rows[i].text);
}

/* What a check digit is for: no single wrong digit and no two exchanged neighbours pass. */
static void typing_errors_are_caught(void **state)
{
    char party[32], text[NUMBER_SIZE];
    uint64_t seq;

    (void)state;
    for (uint64_t n = 1; n < 2000; n++) {
        size_t len, start = strlen("BOREALIA ");

        number_print(text, span_str("borealia.t"), n);
        len = strlen(text);
        for (size_t i = start; i < len; i++) {
            char was = text[i];

            for (char c = '0'; c <= '9' && was != '-'; c++) {
                text[i] = c;
                CHECK_EQ(number_parse(party, &seq, text) == 0, c == was, text);
            }
            text[i] = was;
            if (i + 1 >= len - 2 || text[i] == text[i + 1])
                continue;
            text[i] = text[i + 1];
            text[i + 1] = was;
            CHECK_EQ(number_parse(party, &seq, text), -HL_EFORMAT, text);
            text[i + 1] = text[i];
            text[i] = was;
        }
    }
}

static void kinds_have_words(void **state)
{
    static const unsigned kinds[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17, 18, 19, 20, 21, 32 };
    size_t found = 0;

    (void)state;
    for (unsigned k = 0; k < 100; k++) {
        unsigned back;

        if (!kind_name(k))
            continue;
        CHECK_EQ(found < COUNT(kinds) && kinds[found] == k, 1, kind_name(k));
        found++;
        CHECK_EQ(kind_parse(&back, span_str(kind_name(k))), 0, kind_name(k));
        CHECK_EQ(back, k, kind_name(k));
        CHECK_EQ(kind_is_step(k), k >= 16 && k <= 21, kind_name(k));
        CHECK_EQ(kind_is_bodyless(k), k == 9 || (k >= 16 && k <= 21), kind_name(k));
    }
    CHECK_EQ(found, COUNT(kinds), "all");
    assert_int_equal(kind_parse(&(unsigned){ 0 }, span_str("Acknowledged")), -HL_EFORMAT);
    assert_int_equal(kind_parse(&(unsigned){ 0 }, SPAN_NONE), -HL_EFORMAT);
}

static void precedences_have_words(void **state)
{
    static const struct {
        const char *text;
        int want;
        unsigned p;
    } rows[] = {
        { "ROUTINE", 0, 0 },        { "PRIORITY", 0, 1 },    { "IMMEDIATE", 0, 2 },
        { "FLASH", 0, 3 },          { "flash", 0, 3 },       { "FLASHX", -HL_EFORMAT, 0 },
        { "FLAS", -HL_EFORMAT, 0 }, { "Z", -HL_EFORMAT, 0 }, { "O", -HL_EFORMAT, 0 },
        { "3", -HL_EFORMAT, 0 },    { "", -HL_EFORMAT, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        unsigned p = 0;

        CHECK_EQ(precedence_parse(&p, span_str(rows[i].text)), rows[i].want, rows[i].text);
        CHECK_EQ(p, rows[i].p, rows[i].text);
    }
    assert_string_equal(precedence_name(PRECEDENCE_FLASH), "FLASH");
    assert_string_equal(precedence_letter(PRECEDENCE_FLASH), "Z");
    assert_string_equal(precedence_letter(PRECEDENCE_IMMEDIATE), "O");
    assert_null(precedence_name(4));
    assert_null(precedence_letter(4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints),
        cmocka_unit_test(parses),
        cmocka_unit_test(typing_errors_are_caught),
        cmocka_unit_test(kinds_have_words),
        cmocka_unit_test(precedences_have_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
