#include "tests/check.h"

#include <stdlib.h>

#include <sodium.h>

#include "common/error.h"
#include "common/text.h"
#include "common/tlog/proof.h"
#include "tests/vectors/tlog.h"

#define MAGIC "c2sp.org/tlog-proof@v1\n"
#define H EXAMPLE_HASH_01 "\n"

static void parse_rows(void **state)
{
    static const struct {
        const char *name, *in;
        int want;
        uint64_t index;
        size_t n;
    } rows[] = {
        { "example", EXAMPLE_PROOF_2, 0, 2, 1 },
        { "two hashes", EXAMPLE_PROOF_0, 0, 0, 2 },
        { "no hash", MAGIC "index 0\n\nx", 0, 0, 0 },
        { "extra", MAGIC "extra AAEC\nindex 7\n" H "\nx", 0, 7, 1 },
        { "largest index", MAGIC "index 9223372036854775807\n\nx", 0, INT64_MAX, 0 },
        { "index too large", MAGIC "index 9223372036854775808\n\nx", -HL_EFORMAT, 0, 0 },
        { "index with leading zero", MAGIC "index 02\n" H "\nx", -HL_EFORMAT, 0, 0 },
        { "index with sign", MAGIC "index -2\n" H "\nx", -HL_EFORMAT, 0, 0 },
        { "index with two blanks", MAGIC "index  2\n" H "\nx", -HL_EFORMAT, 0, 0 },
        { "index empty", MAGIC "index \n" H "\nx", -HL_EFORMAT, 0, 0 },
        { "index missing", MAGIC H "\nx", -HL_EFORMAT, 0, 0 },
        { "index twice", MAGIC "index 2\nindex 2\n" H "\nx", -HL_EFORMAT, 0, 0 },
        { "extra after index", MAGIC "index 2\nextra AAEC\n" H "\nx", -HL_EFORMAT, 0, 0 },
        { "extra twice", MAGIC "extra AAEC\nextra AAEC\nindex 2\n" H "\nx", -HL_EFORMAT, 0, 0 },
        { "extra empty", MAGIC "extra \nindex 2\n" H "\nx", -HL_EFORMAT, 0, 0 },
        { "extra unpadded", MAGIC "extra AAE\nindex 2\n" H "\nx", -HL_EFORMAT, 0, 0 },
        { "extra with stray bits", MAGIC "extra AAF=\nindex 2\n" H "\nx", -HL_EFORMAT, 0, 0 },
        { "other version", "c2sp.org/tlog-proof@v2\nindex 2\n" H "\nx", -HL_EFORMAT, 0, 0 },
        { "blank after the version", "c2sp.org/tlog-proof@v1 \nindex 2\n" H "\nx", -HL_EFORMAT, 0,
          0 },
        { "CRLF", "c2sp.org/tlog-proof@v1\r\nindex 2\r\n\r\nx", -HL_EFORMAT, 0, 0 },
        { "short hash", MAGIC "index 2\nAAEC\n\nx", -HL_EFORMAT, 0, 0 },
        { "blank after the hash", MAGIC "index 2\n" EXAMPLE_HASH_01 " \n\nx", -HL_EFORMAT, 0, 0 },
        { "no note", MAGIC "index 2\n" H "\n", -HL_EFORMAT, 0, 0 },
        { "no empty line", MAGIC "index 2\n" H, -HL_EFORMAT, 0, 0 },
        { "empty", "", -HL_EFORMAT, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t extra[16];
        struct buf again;
        struct proof p;
        size_t n = 0;

        CHECK_EQ(proof_parse(&p, span_str(rows[i].in)), rows[i].want, rows[i].name);
        CHECK_EQ(p.index, rows[i].index, rows[i].name);
        CHECK_EQ(p.n, rows[i].n, rows[i].name);
        if (rows[i].want)
            continue;
        if (p.has_extra)
            CHECK_EQ(text_unbase64(extra, sizeof(extra), &n, p.extra_base64), 0, rows[i].name);
        buf_init(&again, PROOF_MAX);
        proof_put(&again, SPAN(extra, n), p.index, HASHES(p.hash), p.n, p.note);
        CHECK_EQ(span_eq_str(buf_span(&again), rows[i].in), 1, rows[i].name);
        buf_release(&again);
    }
}

static void truncations(void **state)
{
    size_t head = sizeof(EXAMPLE_PROOF_2) - sizeof(EXAMPLE_NOTE);

    (void)state;
    for (size_t n = 0; n < sizeof(EXAMPLE_PROOF_2); n++) {
        uint8_t *p = malloc(n ? n : 1);
        struct proof proof;

        assert_non_null(p);
        memcpy(p, EXAMPLE_PROOF_2, n);
        CHECK_EQ(proof_parse(&proof, SPAN(p, n)), n > head ? 0 : -HL_EFORMAT, "cut");
        free(p);
    }
}

static void limits(void **state)
{
    static const struct {
        const char *name;
        size_t extra, hashes, note;
        int want;
    } rows[] = {
        { "largest extra", 49146, 0, 1, 0 },
        { "extra too long", 49147, 0, 1, -HL_ETOOBIG },
        { "63 hashes", 0, 63, 1, 0 },
        { "64 hashes", 0, 64, 1, -HL_EFORMAT },
        { "too big", 0, 0, PROOF_MAX, -HL_ETOOBIG },
    };
    uint8_t *zeros = calloc(1, PROOF_MAX);

    (void)state;
    assert_non_null(zeros);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf in;
        struct proof p;

        buf_init(&in, 2 * PROOF_MAX);
        proof_put(&in, SPAN(zeros, rows[i].extra), 1, HASHES(zeros), rows[i].hashes,
                  SPAN(zeros, rows[i].note));
        CHECK_EQ(proof_parse(&p, buf_span(&in)), rows[i].want, rows[i].name);
        CHECK_EQ(p.note.n, rows[i].want ? 0 : 1, rows[i].name);
        buf_release(&in);
    }
    free(zeros);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_rows),
        cmocka_unit_test(truncations),
        cmocka_unit_test(limits),
    };

    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
