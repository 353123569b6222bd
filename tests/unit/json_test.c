#include "common/json.h"

#include "tests/check.h"

static void strings(void **state)
{
    static const struct {
        const char *in, *want;
    } rows[] = {
        { "", "\"\"" },
        { "plain", "\"plain\"" },
        { "quote \" and \\", "\"quote \\\" and \\\\\"" },
        { "line\nend\t", "\"line\\u000aend\\u0009\"" },
        { "\x1b[31m", "\"\\u001b[31m\"" },
        { "\x7f", "\"\\u007f\"" },
        { "\xd8\xa5", "\"\xd8\xa5\"" },
        { "\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\"" },
        { "\xe2\x80\xae", "\"\\u202e\"" }, /* a direction override may not reach a screen */
        { "\xf3\xa0\x81\x81", "\"\\udb40\\udc41\"" }, /* a tag: two surrogates */
        { "\xff\xc3", "\"\\u00ff\\u00c3\"" },         /* not UTF-8: byte by byte */
        { "\xed\xa0\x80", "\"\\u00ed\\u00a0\\u0080\"" },
        { "</script>", "\"</script>\"" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf b;
        struct json j;

        buf_init(&b, 256);
        json_init(&j, &b);
        json_str(&j, NULL, rows[i].in);
        assert_string_equal(buf_str(&b), rows[i].want);
        buf_release(&b);
    }
}

static void a_whole_object(void **state)
{
    static const uint8_t bytes[] = { 0x00, 0xab, 0xff };
    struct buf b;
    struct json j;

    (void)state;
    buf_init(&b, 1024);
    json_init(&j, &b);
    json_begin(&j, "message", "exercise");
    json_array(&j, "empty");
    json_array_end(&j);
    json_array(&j, "mixed");
    json_uint(&j, NULL, UINT64_MAX);
    json_int(&j, NULL, INT64_MIN);
    json_object(&j, NULL);
    json_bool(&j, "yes", true);
    json_bool(&j, "no", false);
    json_end(&j);
    json_object(&j, NULL);
    json_end(&j);
    json_array_end(&j);
    json_hex(&j, "hash", bytes, sizeof(bytes));
    json_span(&j, "a \"key\"", SPAN("ab", 1));
    json_end(&j);
    assert_string_equal(
        buf_str(&b),
        "{\"schema\":\"hotline.message/1\",\"realm\":\"exercise\",\"empty\":[],"
        "\"mixed\":[18446744073709551615,-9223372036854775808,"
        "{\"yes\":true,\"no\":false},{}],\"hash\":\"00abff\",\"a \\\"key\\\"\":\"a\"}");
    CHECK_EQ(j.depth, 0, "closed");
    buf_release(&b);
}

static void limit_is_sticky(void **state)
{
    struct buf b;
    struct json j;

    (void)state;
    buf_init(&b, 20);
    json_init(&j, &b);
    json_begin(&j, "message", "live");
    json_end(&j);
    assert_int_not_equal(b.bad, 0);
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings),
        cmocka_unit_test(a_whole_object),
        cmocka_unit_test(limit_is_sticky),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
