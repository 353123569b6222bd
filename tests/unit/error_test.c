#include "common/error.h"

#include <ctype.h>

#include "tests/check.h"

static void table_is_sound(void **state)
{
    int n = 0, last = 0;

    (void)state;
    for (int code = error_next(0); code; code = error_next(code), n++) {
        const char *name = error_name(code), *text = error_text(code);

        assert_true(code > last && code < HL_EMAX); /* ascending: no number stands twice */
        last = code;
        assert_true(strncmp(name, "E-", 2) == 0);
        CHECK_EQ(error_by_name(name), code, name);
        CHECK_EQ(error_exit(code) >= EXIT_FAILED_OTHER && error_exit(code) <= EXIT_KEY, 1, name);
        CHECK_EQ(error_exit(-code), error_exit(code), name);
        assert_ptr_equal(error_name(-code), name);
        CHECK_EQ(strlen(text) > 8 && text[strlen(text) - 1] != '.', 1, name);
        CHECK_EQ(strlen(error_hint(code)) > 8, 1, name);
    }
    assert_true(n > 50);
}

/* Numbers travel in REFUSED and names stand in scripts: these never change. */
static void numbers_and_names_stay(void **state)
{
    static const struct {
        int code, number;
        const char *name;
        int exit;
    } rows[] = {
        { HL_EFORMAT, 1, "E-FORMAT", 3 },
        { HL_ETOOBIG, 2, "E-TOOBIG", 5 },
        { HL_ESUITE, 3, "E-SUITE", 5 },
        { HL_EREALM, 4, "E-REALM", 5 },
        { HL_ESIG, 5, "E-SIG", 3 },
        { HL_EBADKEY, 6, "E-BADKEY", 3 },
        { HL_ECOMMIT, 7, "E-COMMIT", 3 },
        { HL_EKEY, 30, "E-KEY", 8 },
        { HL_ESTOPPED, 31, "E-STOPPED", 8 },
        { HL_ECHANNEL, 39, "E-CHANNEL", 5 },
        { HL_EFLASH, 46, "E-FLASH", 5 },
        { HL_EDUPLICATE, 51, "E-DUPLICATE", 5 },
        { HL_ENUMBER, 60, "E-NUMBER", 5 },
        { HL_EADMIT, 64, "E-ADMIT", 5 },
        { HL_ENOANSWER, 80, "E-NOANSWER", 6 },
        { HL_EWAITING, 81, "E-WAITING", 6 },
        { HL_EDEADLINE, 83, "E-DEADLINE", 7 },
        { HL_EUSAGE, 84, "E-USAGE", 2 },
        { HL_ECONFIG, 85, "E-CONFIG", 2 },
        { HL_ECANNOTREAD, 99, "E-CANNOTREAD", 3 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_EQ(rows[i].code, rows[i].number, rows[i].name);
        assert_string_equal(error_name(rows[i].code), rows[i].name);
        CHECK_EQ(error_exit(rows[i].code), rows[i].exit, rows[i].name);
    }
}

static void by_name(void **state)
{
    static const struct {
        const char *name;
        int want;
    } rows[] = {
        { "E-FORMAT", HL_EFORMAT },
        { "EFORMAT", HL_EFORMAT },
        { "eformat", HL_EFORMAT },
        { "e-Format", HL_EFORMAT },
        { "", 0 },
        { "E", 0 },
        { "E-", 0 },
        { "FORMAT", 0 },
        { "E-FORMATS", 0 },
        { "X-FORMAT", 0 },
        { "XFORMAT", 0 },
        { "E--FORMAT", 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_EQ(error_by_name(rows[i].name), rows[i].want, rows[i].name);
}

static void unknown_codes(void **state)
{
    (void)state;
    CHECK_EQ(error_exit(0), EXIT_DONE, "0");
    CHECK_EQ(error_exit(-126), EXIT_FAILED_OTHER, "unknown");
    assert_string_equal(error_name(126), "E-UNKNOWN");
    assert_non_null(error_text(126));
    assert_non_null(error_hint(126));
    CHECK_EQ(error_next(HL_EMAX), 0, "end");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_is_sound),
        cmocka_unit_test(numbers_and_names_stay),
        cmocka_unit_test(by_name),
        cmocka_unit_test(unknown_codes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
