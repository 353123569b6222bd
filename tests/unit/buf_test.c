#include "common/buf.h"

#include <stdlib.h>

#include "common/error.h"
#include "tests/check.h"

static void grows_to_its_limit(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    for (int i = 0; i < 1000; i++)
        CHECK_EQ(buf_put_u8(&b, (uint8_t)i), 0, "below the limit");
    CHECK_EQ(b.n, 1000, "all");
    CHECK_EQ(strlen(buf_str(&b)), 0, "a NUL first, and one after the last");
    CHECK_EQ(b.p[999], 231, "last");
    CHECK_EQ(buf_put_u8(&b, 0), -HL_ETOOBIG, "one over");
    CHECK_EQ(b.n, 1000, "unchanged");
    buf_release(&b);
}

static void errors_are_sticky(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 4);
    CHECK_EQ(buf_put_str(&b, "12345"), -HL_ETOOBIG, "too long");
    CHECK_EQ(buf_put_str(&b, "1"), -HL_ETOOBIG, "would fit, but comes after");
    CHECK_EQ(b.n, 0, "nothing");
    assert_null(buf_reserve(&b, 1));
    assert_string_equal(buf_str(&b), "");
    buf_clear(&b);
    CHECK_EQ(buf_put_str(&b, "1234"), 0, "forgotten");
    assert_string_equal(buf_str(&b), "1234");
    buf_release(&b);
}

static void sizes_that_wrap(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    CHECK_EQ(buf_put_str(&b, "abc"), 0, "some");
    assert_null(buf_reserve(&b, SIZE_MAX));
    buf_clear(&b);
    buf_put_str(&b, "abc");
    assert_null(buf_reserve(&b, SIZE_MAX - 2));
    CHECK_EQ(b.bad, -HL_ETOOBIG, "n + size would wrap");
    buf_release(&b);
}

static void big_endian(void **state)
{
    static const uint8_t want[] = { 0xab, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0xf7,
                                    0xf6, 0xf5, 0xf4, 0xf3, 0xf2, 0xf1, 0xf0 };
    struct buf b;

    (void)state;
    buf_init(&b, 64);
    buf_put_u8(&b, 0xab);
    buf_put_u16(&b, 0x0102);
    buf_put_u32(&b, 0x03040506);
    buf_put_u64(&b, 0xf7f6f5f4f3f2f1f0);
    CHECK_EQ(b.n, sizeof(want), "size");
    CHECK_BYTES(b.p, want, sizeof(want), "bytes");
    CHECK_EQ(get_u16(b.p + 1), 0x0102, "u16");
    CHECK_EQ(get_u32(b.p + 3), 0x03040506, "u32");
    assert_true(get_u64(b.p + 7) == 0xf7f6f5f4f3f2f1f0);
    buf_release(&b);
}

static void printf_and_reserve(void **state)
{
    struct buf b;
    uint8_t *p;

    (void)state;
    buf_init(&b, 70);
    CHECK_EQ(buf_printf(&b, "%s-%d", "x", 42), 0, "printf");
    p = buf_reserve(&b, 3);
    assert_non_null(p);
    memcpy(p, "abc", 3);
    buf_commit(&b, 2);
    assert_string_equal(buf_str(&b), "x-42ab");
    CHECK_EQ(buf_printf(&b, "%064d", 1), 0, "exactly to the limit");
    CHECK_EQ(b.n, 70, "full");
    CHECK_EQ(buf_printf(&b, "%d", 1), -HL_ETOOBIG, "over");
    CHECK_EQ(b.n, 70, "unchanged");
    buf_release(&b);
    assert_null(b.p);
    CHECK_EQ(b.max, 70, "limit stays");
}

static void consume(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 64);
    buf_put_str(&b, "abcdef");
    buf_consume(&b, 0);
    buf_consume(&b, 2);
    assert_string_equal(buf_str(&b), "cdef");
    buf_consume(&b, 4);
    CHECK_EQ(b.n, 0, "all");
    buf_release(&b);
    buf_consume(&b, 0);
}

static void spans(void **state)
{
    static const struct {
        const char *a, *b;
        int want;
    } rows[] = {
        { "", "", 0 },    { "a", "", 1 },    { "a", "a", 0 },   { "a", "b", -1 },
        { "ab", "a", 1 }, { "ab", "b", -1 }, { "a", "ab", -1 }, { "\xff", "a", 1 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int d = span_cmp(span_str(rows[i].a), span_str(rows[i].b));

        CHECK_EQ((d > 0) - (d < 0), rows[i].want, rows[i].a);
        CHECK_EQ(span_eq(span_str(rows[i].a), span_str(rows[i].b)), rows[i].want == 0, rows[i].a);
    }
    assert_true(span_eq(SPAN_NONE, SPAN("", 0)));
    assert_true(span_eq_str(SPAN("abc", 2), "ab"));
    CHECK_EQ(span_str(NULL).n, 0, "NULL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_to_its_limit),
        cmocka_unit_test(errors_are_sticky),
        cmocka_unit_test(sizes_that_wrap),
        cmocka_unit_test(big_endian),
        cmocka_unit_test(printf_and_reserve),
        cmocka_unit_test(consume),
        cmocka_unit_test(spans),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
