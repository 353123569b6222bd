#include "common/cbor.h"

#include <stdlib.h>

#include "common/error.h"
#include "common/text.h"
#include "tests/check.h"

static size_t unhex(uint8_t *out, const char *hex)
{
    size_t n = strlen(hex) / 2;

    CHECK_EQ(text_unhex(out, n, span_str(hex)), 0, hex);
    return n;
}

/* A copy of exactly that size, so that a read past the end is seen by the sanitizer. */
static uint8_t *exact(const uint8_t *p, size_t n)
{
    uint8_t *copy = malloc(n ? n : 1);

    assert_non_null(copy);
    memcpy(copy, p, n);
    return copy;
}

/* RFC 8949 appendix A, as far as the subset goes, and the edges of each length. */
static const struct {
    const char *hex;
    uint64_t v;
} uints[] = {
    { "00", 0 },
    { "01", 1 },
    { "0a", 10 },
    { "17", 23 },
    { "1818", 24 },
    { "1819", 25 },
    { "1864", 100 },
    { "18ff", 255 },
    { "190100", 256 },
    { "1903e8", 1000 },
    { "19ffff", 65535 },
    { "1a00010000", 65536 },
    { "1a000f4240", 1000000 },
    { "1affffffff", UINT32_MAX },
    { "1b0000000100000000", UINT64_C(1) << 32 },
    { "1b000000e8d4a51000", 1000000000000 },
    { "1b7fffffffffffffff", INT64_MAX },
};

static void uints_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(uints); i++) {
        uint8_t want[9];
        size_t n = unhex(want, uints[i].hex);
        struct cbor_in in;
        struct buf b;

        buf_init(&b, 16);
        cbor_put_uint(&b, uints[i].v);
        CHECK_EQ(b.n, n, uints[i].hex);
        CHECK_BYTES(b.p, want, n, uints[i].hex);
        cbor_open(&in, SPAN(want, n));
        CHECK_EQ(cbor_uint(&in), uints[i].v, uints[i].hex);
        CHECK_EQ(cbor_done(&in), 0, uints[i].hex);
        for (size_t cut = 0; cut < n; cut++) {
            uint8_t *part = exact(want, cut);

            cbor_open(&in, SPAN(part, cut));
            CHECK_EQ(cbor_uint(&in), 0, uints[i].hex);
            CHECK_EQ(cbor_done(&in), -HL_EFORMAT, uints[i].hex);
            free(part);
        }
        buf_release(&b);
    }
}

/* Nothing of this may be read, whatever the reader asks for. */
static const struct {
    const char *name, *hex;
} hostile[] = {
    { "nothing", "" },
    { "0 in two bytes", "1800" },
    { "23 in two bytes", "1817" },
    { "0 in three bytes", "190000" },
    { "255 in three bytes", "1900ff" },
    { "65535 in five bytes", "1a0000ffff" },
    { "2^32-1 in nine bytes", "1b00000000ffffffff" },
    { "2^63", "1b8000000000000000" },
    { "2^64-1", "1bffffffffffffffff" },
    { "reserved 28", "1c" },
    { "reserved 29", "1d" },
    { "reserved 30", "1e" },
    { "uint of indefinite length", "1f" },
    { "negative", "20" },
    { "negative, long", "3900ff" },
    { "empty string's length in two bytes", "5800" },
    { "string length 23 in two bytes", "5817" },
    { "string length in three bytes", "5900ff" },
    { "string length in five bytes", "5a0000ffff" },
    { "string length in nine bytes", "5b00000000ffffffff" },
    { "string of 2^63 bytes", "5b8000000000000000" },
    { "string of 2^64-1 bytes", "5bffffffffffffffff" },
    { "string longer than the input", "42aa" },
    { "string of 2^62 bytes", "5b4000000000000000" },
    { "indefinite string", "5f41aaff" },
    { "text string", "6161" },
    { "empty text string", "60" },
    { "indefinite text string", "7f6161ff" },
    { "array length 0 in two bytes", "9800" },
    { "array length 23 in two bytes", "9817" },
    { "array length in three bytes", "9900ff" },
    { "array length in nine bytes", "9b00000000ffffffff" },
    { "array of 2^63 items", "9b8000000000000000" },
    { "indefinite array", "9f00ff" },
    { "empty map", "a0" },
    { "map", "a10000" },
    { "indefinite map", "bfff" },
    { "tag 0", "c000" },
    { "tag 24, embedded", "d8184100" },
    { "self-described", "d9d9f700" },
    { "false", "f4" },
    { "null", "f6" },
    { "undefined", "f7" },
    { "simple 255", "f8ff" },
    { "half float", "f90000" },
    { "float", "fa00000000" },
    { "double", "fb0000000000000000" },
    { "break", "ff" },
};

static void nothing_hostile_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(hostile); i++) {
        uint8_t raw[16];
        size_t n = unhex(raw, hostile[i].hex);
        uint8_t *p = exact(raw, n);
        struct cbor_in in;

        cbor_open(&in, SPAN(p, n));
        CHECK_EQ(cbor_uint(&in), 0, hostile[i].name);
        CHECK_EQ(in.bad, -HL_EFORMAT, hostile[i].name);
        cbor_open(&in, SPAN(p, n));
        CHECK_EQ(cbor_bytes(&in).n, 0, hostile[i].name);
        CHECK_EQ(in.bad, -HL_EFORMAT, hostile[i].name);
        cbor_open(&in, SPAN(p, n));
        CHECK_EQ(cbor_array(&in, 0, SIZE_MAX), 0, hostile[i].name);
        CHECK_EQ(in.bad, -HL_EFORMAT, hostile[i].name);
        free(p);
    }
}

static void strings_both_ways(void **state)
{
    static const size_t sizes[] = { 0, 1, 23, 24, 255, 256, 65535, 65536 };
    static uint8_t bytes[65536];

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct cbor_in in;
        struct span s;
        struct buf b;
        char row[16];

        snprintf(row, sizeof(row), "%zu bytes", sizes[i]);
        buf_init(&b, 70000);
        cbor_put_bytes(&b, SPAN(bytes, sizes[i]));
        CHECK_EQ(b.bad, 0, row);
        cbor_open(&in, buf_span(&b));
        s = cbor_bytes(&in);
        CHECK_EQ(s.n, sizes[i], row);
        CHECK_EQ(cbor_done(&in), 0, row);
        assert_true(s.n == 0 || s.p + s.n == b.p + b.n); /* borrowed, not copied */
        cbor_open(&in, SPAN(b.p, b.n - 1));
        CHECK_EQ(cbor_bytes(&in).n, 0, row);
        CHECK_EQ(in.bad, -HL_EFORMAT, row);
        if (sizes[i]) {
            cbor_open(&in, buf_span(&b));
            cbor_bytes_max(&in, sizes[i] - 1);
            CHECK_EQ(in.bad, -HL_ETOOBIG, row);
        }
        cbor_open(&in, buf_span(&b));
        cbor_bytes_max(&in, sizes[i]);
        CHECK_EQ(cbor_done(&in), 0, row);
        buf_release(&b);
    }
}

static void fixed_strings(void **state)
{
    static const uint8_t two[] = { 0x42, 0xaa, 0xbb };
    struct cbor_in in;
    const uint8_t *p;

    (void)state;
    cbor_open(&in, SPAN(two, 3));
    p = cbor_bytes_n(&in, 2);
    CHECK_BYTES(p, "\xaa\xbb", 2, "exact");
    for (size_t n = 0; n < 5; n++) {
        if (n == 2)
            continue;
        cbor_open(&in, SPAN(two, 3));
        p = cbor_bytes_n(&in, n);
        CHECK_EQ(in.bad, -HL_EFORMAT, "another size");
        CHECK_BYTES(p, "\0\0\0\0", n, "zeroes to look at");
    }
}

static void limits(void **state)
{
    static const struct {
        const char *name, *hex;
        size_t min, max;
        int want;
    } arrays[] = {
        { "in range", "82", 1, 3, 0 },
        { "at max", "83", 1, 3, 0 },
        { "above max", "84", 1, 3, -HL_ETOOBIG },
        { "below min", "80", 1, 3, -HL_EFORMAT },
        { "fixed, too many", "84", 3, 3, -HL_EFORMAT },
        { "fixed, too few", "82", 3, 3, -HL_EFORMAT },
    };
    static const uint8_t big[] = { 0x19, 0x01, 0x00 };
    struct cbor_in in;

    (void)state;
    for (size_t i = 0; i < COUNT(arrays); i++) {
        uint8_t raw[4];
        size_t n = unhex(raw, arrays[i].hex);

        cbor_open(&in, SPAN(raw, n));
        cbor_array(&in, arrays[i].min, arrays[i].max);
        CHECK_EQ(in.bad, arrays[i].want, arrays[i].name);
    }
    cbor_open(&in, SPAN(big, 3));
    CHECK_EQ(cbor_uint_max(&in, 256), 256, "at max");
    CHECK_EQ(in.bad, 0, "at max");
    cbor_open(&in, SPAN(big, 3));
    CHECK_EQ(cbor_uint_max(&in, 255), 0, "above max");
    CHECK_EQ(in.bad, -HL_EFORMAT, "above max");
}

static void nesting_ends_at_four(void **state)
{
    static const uint8_t five[] = { 0x81, 0x81, 0x81, 0x81, 0x81, 0x00 };
    struct cbor_in in;

    (void)state;
    cbor_open(&in, SPAN(five, sizeof(five)));
    for (int i = 0; i < CBOR_DEPTH; i++)
        CHECK_EQ(cbor_array(&in, 1, 1), 1, "within");
    CHECK_EQ(in.bad, 0, "within");
    cbor_array(&in, 1, 1);
    CHECK_EQ(in.bad, -HL_EFORMAT, "the fifth");
    /* siblings do not add up */
    cbor_open(&in, SPAN("\x80\x80\x80\x80\x80\x80", 6));
    for (int i = 0; i < 6; i++) {
        cbor_array(&in, 0, 0);
        cbor_array_end(&in);
    }
    CHECK_EQ(cbor_done(&in), 0, "siblings");
}

static void trailing_and_sticky(void **state)
{
    static const uint8_t pair[] = { 0x01, 0x02 };
    struct cbor_in in;

    (void)state;
    cbor_open(&in, SPAN(pair, 2));
    CHECK_EQ(cbor_uint(&in), 1, "first");
    CHECK_EQ(cbor_done(&in), -HL_EFORMAT, "a byte is left");
    cbor_open(&in, SPAN(pair, 2));
    cbor_bytes(&in);
    CHECK_EQ(cbor_uint(&in), 0, "after an error nothing is read");
    cbor_fail(&in, -HL_ETOOBIG);
    CHECK_EQ(cbor_done(&in), -HL_EFORMAT, "the first error stays");
    cbor_open(&in, SPAN_NONE);
    CHECK_EQ(cbor_done(&in), 0, "empty is all read");
}

/* One byte changed anywhere: read as something else or refused, and what is read writes the same
 * bytes. */
static void what_decodes_encodes_the_same(void **state)
{
    uint8_t raw[32];
    size_t n = unhex(raw, "83182a43aabbcc821903e81a000f4240");

    (void)state;
    for (size_t at = 0; at < n; at++) {
        for (unsigned v = 0; v < 256; v++) {
            uint8_t save = raw[at], *p;
            struct cbor_in in;
            struct buf b;

            raw[at] = (uint8_t)v;
            p = exact(raw, n);
            buf_init(&b, 64);
            cbor_open(&in, SPAN(p, n));
            cbor_put_array(&b, cbor_array(&in, 3, 3));
            cbor_put_uint(&b, cbor_uint(&in));
            cbor_put_bytes(&b, cbor_bytes(&in));
            cbor_put_array(&b, cbor_array(&in, 2, 2));
            cbor_put_uint(&b, cbor_uint(&in));
            cbor_put_uint(&b, cbor_uint(&in));
            if (cbor_done(&in) == 0) {
                CHECK_EQ(b.n, n, "as long");
                CHECK_BYTES(b.p, p, n, "the same");
            } else if (v == save) {
                fail_msg("the good bytes were refused");
            }
            buf_release(&b);
            free(p);
            raw[at] = save;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uints_both_ways),
        cmocka_unit_test(nothing_hostile_is_read),
        cmocka_unit_test(strings_both_ways),
        cmocka_unit_test(fixed_strings),
        cmocka_unit_test(limits),
        cmocka_unit_test(nesting_ends_at_four),
        cmocka_unit_test(trailing_and_sticky),
        cmocka_unit_test(what_decodes_encodes_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
