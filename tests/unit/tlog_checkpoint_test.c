#include "tests/check.h"

#include <stdlib.h>

#include <sodium.h>

#include "common/error.h"
#include "common/text.h"
#include "common/tlog/checkpoint.h"
#include "tests/vectors/tlog.h"

#define DASH "\xe2\x80\x94 "
#define ROOT "wbk11a9HUn+jg9kJ+6DGS2cRRNoHh9/ZZTu+y/RG708="
#define HASH "KgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static void text_rows(void **state)
{
    static const struct {
        const char *name, *text;
        int want;
        uint64_t size;
    } rows[] = {
        { "example", EXAMPLE_TEXT, 0, 3 },
        { "empty tree", "o\n0\n" ROOT "\n", 0, 0 },
        { "largest", "o\n9223372036854775807\n" ROOT "\n", 0, INT64_MAX },
        { "too large", "o\n9223372036854775808\n" ROOT "\n", -HL_EFORMAT, 0 },
        { "leading zero", "o\n03\n" ROOT "\n", -HL_EFORMAT, 0 },
        { "sign", "o\n+3\n" ROOT "\n", -HL_EFORMAT, 0 },
        { "hex", "o\n0x3\n" ROOT "\n", -HL_EFORMAT, 0 },
        { "blank after", "o\n3 \n" ROOT "\n", -HL_EFORMAT, 0 },
        { "no size", "o\n\n" ROOT "\n", -HL_EFORMAT, 0 },
        { "no origin", "\n3\n" ROOT "\n", -HL_EFORMAT, 0 },
        { "origin with blank", "o p\n3\n" ROOT "\n", -HL_EFORMAT, 0 },
        { "origin with plus", "o+p\n3\n" ROOT "\n", -HL_EFORMAT, 0 },
        { "extension line", "o\n3\n" ROOT "\nx\n", -HL_EFORMAT, 0 },
        { "empty extension line", "o\n3\n" ROOT "\n\n", -HL_EFORMAT, 0 },
        { "root unpadded", "o\n3\nwbk11a9HUn+jg9kJ+6DGS2cRRNoHh9/ZZTu+y/RG708\n", -HL_EFORMAT, 0 },
        { "root with stray bits", "o\n3\nwbk11a9HUn+jg9kJ+6DGS2cRRNoHh9/ZZTu+y/RG709=\n",
          -HL_EFORMAT, 0 },
        { "root of 33 bytes", "o\n3\nwbk11a9HUn+jg9kJ+6DGS2cRRNoHh9/ZZTu+y/RG708A\n", -HL_EFORMAT,
          0 },
        { "root of 31 bytes", "o\n3\nwbk11a9HUn+jg9kJ+6DGS2cRRNoHh9/ZZTu+y/RG7w==\n", -HL_EFORMAT,
          0 },
        { "no final LF", "o\n3\n" ROOT, -HL_EFORMAT, 0 },
        { "two lines", "o\n3\n", -HL_EFORMAT, 0 },
        { "empty", "", -HL_EFORMAT, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct checkpoint cp;
        struct buf again;

        CHECK_EQ(checkpoint_parse(&cp, span_str(rows[i].text)), rows[i].want, rows[i].name);
        CHECK_EQ(cp.size, rows[i].size, rows[i].name);
        if (rows[i].want)
            continue;
        buf_init(&again, 1000);
        CHECK_EQ(checkpoint_put(&again, cp.origin, cp.size, cp.root), 0, rows[i].name);
        CHECK_EQ(span_eq_str(buf_span(&again), rows[i].text), 1, rows[i].name);
        buf_release(&again);
    }
}

static void open_rows(void **state)
{
    static const struct {
        const char *name, *note, *key;
        int want;
    } rows[] = {
        { "example", EXAMPLE_NOTE, EXAMPLE_LOG, 0 },
        { "litewitness", LITE_NOTE_3, LITE_KEY, 0 },
        { "another log's", LITE_NOTE_3, EXAMPLE_LOG, -HL_EKEY },
        { "only cosigned", EXAMPLE_TEXT "\n" EXAMPLE_WITNESS_LINE, EXAMPLE_LOG, -HL_ESIG },
        /* the witness signs for its own name what looks like a checkpoint of the log */
        { "witness key as log", EXAMPLE_NOTE, EXAMPLE_WITNESS, -HL_EKEY },
        { "not a checkpoint", SPEC_NOTE, SPEC_KEY, -HL_EFORMAT },
        { "not a note", EXAMPLE_TEXT, EXAMPLE_LOG, -HL_EFORMAT },
        { "other root",
          EXAMPLE_ORIGIN "\n3\nxbk11a9HUn+jg9kJ+6DGS2cRRNoHh9/ZZTu+y/RG708=\n\n" EXAMPLE_LOG_LINE,
          EXAMPLE_LOG, -HL_ESIG },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct note_key key;
        struct checkpoint cp;
        struct note note;

        CHECK_EQ(note_key_parse(&key, span_str(rows[i].key)), 0, rows[i].name);
        CHECK_EQ(checkpoint_open(&cp, &note, span_str(rows[i].note), &key), rows[i].want,
                 rows[i].name);
        CHECK_EQ(cp.size, rows[i].want ? 0 : 3, rows[i].name);
    }
}

static void add_checkpoint_rows(void **state)
{
    static const struct {
        const char *name, *body;
        int want;
        size_t n;
    } rows[] = {
        { "first", "old 0\n\n" LITE_NOTE_1, 0, 0 },
        { "1 to 3", "old 1\n" LITE_PROOF_1_3 "\n" LITE_NOTE_3, 0, 2 },
        { "1 to 5", "old 1\n" LITE_PROOF_1_5 "\n" LITE_NOTE_5, 0, 3 },
        { "without proof", "old 1\n\n" LITE_NOTE_3, 0, 0 },
        { "old with leading zero", "old 01\n\n" LITE_NOTE_3, -HL_EFORMAT, 0 },
        { "no old", "\n" LITE_NOTE_3, -HL_EFORMAT, 0 },
        { "old empty", "old \n\n" LITE_NOTE_3, -HL_EFORMAT, 0 },
        { "Old", "Old 1\n\n" LITE_NOTE_3, -HL_EFORMAT, 0 },
        { "short hash", "old 1\nKgEAAAAA\n\n" LITE_NOTE_3, -HL_EFORMAT, 0 },
        { "blank before the hash", "old 1\n " HASH "\n\n" LITE_NOTE_3, -HL_EFORMAT, 0 },
        { "no note", "old 1\n" LITE_PROOF_1_3 "\n", -HL_EFORMAT, 0 },
        { "no empty line", "old 1\n" LITE_PROOF_1_3, -HL_EFORMAT, 0 },
        { "empty", "", -HL_EFORMAT, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct add_checkpoint req;
        struct buf again;

        CHECK_EQ(add_checkpoint_parse(&req, span_str(rows[i].body)), rows[i].want, rows[i].name);
        if (rows[i].want)
            continue;
        CHECK_EQ(req.n, rows[i].n, rows[i].name);
        buf_init(&again, 10000);
        add_checkpoint_put(&again, req.old, HASHES(req.proof), req.n, req.note);
        CHECK_EQ(span_eq_str(buf_span(&again), rows[i].body), 1, rows[i].name);
        buf_release(&again);
    }
}

static void add_checkpoint_limit(void **state)
{
    struct add_checkpoint req;
    struct buf body;

    (void)state;
    for (size_t n = 62; n <= 64; n++) {
        buf_init(&body, 10000);
        buf_put_str(&body, "old 1\n");
        for (size_t i = 0; i < n; i++)
            buf_put_str(&body, HASH "\n");
        buf_put_str(&body, "\n" LITE_NOTE_3);
        CHECK_EQ(add_checkpoint_parse(&req, buf_span(&body)), n < 64 ? 0 : -HL_EFORMAT, "hashes");
        buf_release(&body);
    }
}

/* The consistency proofs of the other implementation's tests lead where their signed checkpoints
 * say. */
static void third_party_consistency(void **state)
{
    static const struct {
        const char *name, *body;
    } rows[] = {
        { "1 to 3", "old 1\n" LITE_PROOF_1_3 "\n" LITE_NOTE_3 },
        { "1 to 5", "old 1\n" LITE_PROOF_1_5 "\n" LITE_NOTE_5 },
    };
    struct checkpoint old, new;
    struct note_key key;
    struct note note;

    (void)state;
    CHECK_EQ(note_key_parse(&key, span_str(LITE_KEY)), 0, "key");
    CHECK_EQ(checkpoint_open(&old, &note, span_str(LITE_NOTE_1), &key), 0, "old");
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct add_checkpoint req;

        CHECK_EQ(add_checkpoint_parse(&req, span_str(rows[i].body)), 0, rows[i].name);
        CHECK_EQ(checkpoint_open(&new, &note, req.note, &key), 0, rows[i].name);
        CHECK_EQ(merkle_verify_consistency(old.size, old.root, new.size, new.root,
                                           HASHES(req.proof), req.n),
                 0, rows[i].name);
        CHECK_EQ(
            merkle_verify_consistency(old.size, old.root, new.size, new.root, HASHES(req.proof), 0),
            -HL_EPROOF, rows[i].name);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_rows),
        cmocka_unit_test(open_rows),
        cmocka_unit_test(add_checkpoint_rows),
        cmocka_unit_test(add_checkpoint_limit),
        cmocka_unit_test(third_party_consistency),
    };

    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
