#include "common/name.h"

#include "common/error.h"
#include "tests/check.h"

#define L31 "a123456789012345678901234567890"

enum { LABEL = 1, POC = 2, CHANNEL = 4, ORIGIN = 8 };

static void names(void **state)
{
    static const struct {
        const char *name;
        int is; /* what it may name */
    } rows[] = {
        { "arcadia", LABEL | CHANNEL | ORIGIN },
        { "a", LABEL | CHANNEL | ORIGIN },
        { "watch-1", LABEL | CHANNEL | ORIGIN },
        { L31, LABEL | CHANNEL | ORIGIN },
        { L31 "x", ORIGIN },
        { "arcadia.technical", POC | CHANNEL | ORIGIN },
        { L31 "." L31, POC | CHANNEL | ORIGIN }, /* 63 bytes */
        { L31 "." L31 ".x", ORIGIN },
        { "arcadia-borealia.crisis.x", CHANNEL | ORIGIN },
        { "host.example/live/doria/1", ORIGIN },
        { "", 0 },
        { "1arcadia", ORIGIN },
        { "-arcadia", ORIGIN },
        { "Arcadia", ORIGIN },
        { "arcadia_x", ORIGIN },
        { ".", ORIGIN },
        { "arcadia.", ORIGIN },
        { ".technical", ORIGIN },
        { "arcadia..technical", ORIGIN },
        { "arcadia.technical\n", 0 },
        { "arcadia technical", 0 },
        { "host+1", 0 },
        { "arcadi\xc3\xa1", 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct span s = span_str(rows[i].name);

        CHECK_EQ(name_label(s), (rows[i].is & LABEL) != 0, rows[i].name);
        CHECK_EQ(name_poc(s), (rows[i].is & POC) != 0, rows[i].name);
        CHECK_EQ(name_channel(s), (rows[i].is & CHANNEL) != 0, rows[i].name);
        CHECK_EQ(name_origin(s), (rows[i].is & ORIGIN) != 0, rows[i].name);
    }
    assert_false(name_label(SPAN("ab\0c", 4)));
}

static void parts(void **state)
{
    struct span poc = span_str("arcadia.technical");

    (void)state;
    assert_true(span_eq_str(name_party(poc), "arcadia"));
    assert_true(span_eq_str(name_office(poc), "technical"));
    assert_true(span_eq_str(name_party(span_str("arcadia")), "arcadia"));
    CHECK_EQ(name_office(span_str("arcadia")).n, 0, "none");
    CHECK_EQ(name_party(SPAN_NONE).n, 0, "empty");
}

static void put(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    CHECK_EQ(name_put(&b, span_str("abc")), 0, "N(abc)");
    CHECK_BYTES(b.p,
                "\x03"
                "abc",
                4, "N(abc)");
    CHECK_EQ(name_put(&b, span_str(L31 L31 "xy")), -HL_ETOOBIG, "64 bytes");
    buf_release(&b);
}

static void realms_and_labels(void **state)
{
    static const char want[] = "hotline/1 exercise field salt"; /* and its NUL */
    enum realm r = REALM_LIVE;
    struct buf b;

    (void)state;
    CHECK_EQ(realm_parse(&r, span_str("exercise")), 0, "exercise");
    CHECK_EQ(r, REALM_EXERCISE, "exercise");
    CHECK_EQ(realm_parse(&r, span_str("live")), 0, "live");
    CHECK_EQ(r, REALM_LIVE, "live");
    CHECK_EQ(realm_parse(&r, span_str("Live")), -HL_EREALM, "case");
    CHECK_EQ(realm_parse(&r, span_str("lives")), -HL_EREALM, "longer");
    CHECK_EQ(realm_parse(&r, SPAN_NONE), -HL_EREALM, "empty");
    buf_init(&b, 100);
    CHECK_EQ(label_put(&b, REALM_EXERCISE, "field salt"), 0, "label");
    CHECK_EQ(b.n, sizeof(want), "label");
    CHECK_BYTES(b.p, want, sizeof(want), "label");
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(parts),
        cmocka_unit_test(put),
        cmocka_unit_test(realms_and_labels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
