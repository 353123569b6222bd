#include <sodium.h>
#include <stdlib.h>

#include "common/clock.h"
#include "tests/mutate.h"
#include "tests/world.h"

static int decode(struct subkeys *s, struct span text)
{
    static const char *const labels[] = { "arcadia.technical/station" };
    struct document doc;
    struct buf note;
    int rc;

    buf_init(&note, 1 << 21);
    world_sign(&note, text, "arcadia.technical", labels, 1);
    rc = subkeys_decode(s, REALM_LIVE, buf_span(&note), &doc, NULL);
    buf_release(&note);
    return rc;
}

static int read_text(struct span text)
{
    struct subkeys s;
    struct buf printed;
    int rc = decode(&s, text);

    if (!rc) {
        buf_init(&printed, DOCUMENT_MAX);
        assert_int_equal(subkeys_print(&printed, REALM_LIVE, &s), 0);
        check_reprint(text, &printed);
        buf_release(&printed);
    }
    return rc;
}

static void text_of(struct buf *text, uint64_t serial, const char *day, size_t days)
{
    struct subkeys s;
    uint64_t ms;

    assert_int_equal(text_untime(&ms, span_str(day)), 0);
    world_subkeys(&s, "arcadia.technical", serial, clock_day(ms), days);
    buf_init(text, DOCUMENT_MAX);
    assert_int_equal(subkeys_print(text, REALM_LIVE, &s), 0);
}

static void fields(void **state)
{
    struct subkeys s;
    struct buf text;

    (void)state;
    text_of(&text, 7, "2026-12-30", 3);
    assert_int_equal(decode(&s, buf_span(&text)), 0);
    assert_string_equal(s.poc, "arcadia.technical");
    assert_int_equal(s.serial, 7);
    assert_int_equal(s.first_day, 20817); /* 2026-12-30 */
    assert_int_equal(s.n, 3);
    assert_non_null(strstr(buf_str(&text), "\nday 2027-01-01 ")); /* over the year's end */
    buf_release(&text);
}

static void rows(void **state)
{
    static const struct mutation table[] = {
        { "good", NULL, NULL, 0 },
        { "other realm", "live", "exercise", -HL_EREALM },
        { "other type", "live subkeys", "live card", -HL_EFORMAT },
        { "a party", "arcadia.technical", "arcadia", -HL_EFORMAT },
        { "serial 0", "serial 7", "serial 0", -HL_EFORMAT },
        { "a day left out", "day 2024-02-29", "day 2024-03-02", -HL_EFORMAT },
        { "no such day", "day 2024-02-28", "day 2024-02-30", -HL_EFORMAT },
        { "a time of day", "day 2024-02-28", "day 2024-02-28T00:00:00Z", -HL_EFORMAT },
        { "short date", "day 2024-02-28", "day 2024-2-28", -HL_EFORMAT },
        { "the first day alone is free", "day 2024-02-28", "day 2024-02-27", -HL_EFORMAT },
    };
    struct buf text;

    (void)state;
    text_of(&text, 7, "2024-02-28", 3);
    mutate_rows(buf_span(&text), table, COUNT(table), read_text);
    buf_release(&text);
}

static void keys(void **state)
{
    struct subkeys s, got;
    struct buf text;

    (void)state;
    for (int row = 0; row < 3; row++) {
        static const int want[] = { 0, -HL_EDUPLICATE, -HL_EBADKEY };

        world_subkeys(&s, "arcadia.technical", 1, 20000, 5);
        if (row == 1)
            memcpy(s.key[4], s.key[1], 32);
        if (row == 2)
            memset(s.key[2], 0, 32);
        buf_init(&text, DOCUMENT_MAX);
        subkeys_print(&text, REALM_LIVE, &s);
        assert_int_equal(decode(&got, buf_span(&text)), want[row]);
        buf_release(&text);
    }
}

static void counts(void **state)
{
    static const struct {
        size_t days;
        int want;
    } rows_[] = { { 0, -HL_EFORMAT }, { 1, 0 }, { SUBKEYS_DAYS, 0 } };
    struct buf text;

    (void)state;
    for (size_t i = 0; i < COUNT(rows_); i++) {
        text_of(&text, 1, "2026-11-22", rows_[i].days);
        assert_int_equal(read_text(buf_span(&text)), rows_[i].want);
        if (rows_[i].days == SUBKEYS_DAYS) {
            buf_put_str(&text, "day 2027-01-01 CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
            assert_int_equal(read_text(buf_span(&text)), -HL_ETOOBIG);
        }
        buf_release(&text);
    }
}

static void every_line(void **state)
{
    struct buf text;

    (void)state;
    text_of(&text, 7, "2024-02-28", 4);
    /* the first or last day dropped */
    assert_int_equal(mutate_lines(buf_span(&text), read_text), 2);
    buf_release(&text);
}

/* Form and signature of a list, as the directory judges it. */
static struct directory *dir;

static int judge(struct span note)
{
    return directory_check(dir, note, WORLD_NOW, true, NULL, NULL);
}

static void every_byte(void **state)
{
    struct world w;
    struct subkeys s;
    struct buf note;

    (void)state;
    world_init(&w, REALM_LIVE, WORLD_NOW);
    dir = world_directory(&w);
    world_subkeys(&s, "arcadia.technical", 2, clock_day(WORLD_NOW), 8);
    buf_init(&note, DOCUMENT_MAX);
    world_announce(&note, REALM_LIVE, &s);
    assert_int_equal(judge(buf_span(&note)), 0);
    mutate_bytes(buf_span(&note), judge);
    buf_release(&note);
    directory_free(dir);
    world_release(&w);
}

static int setup(void **state)
{
    (void)state;
    return sodium_init() < 0 ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields), cmocka_unit_test(rows),       cmocka_unit_test(keys),
        cmocka_unit_test(counts), cmocka_unit_test(every_line), cmocka_unit_test(every_byte),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
