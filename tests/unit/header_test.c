#include "common/error.h"
#include "tests/check.h"
#include "tests/diag.h"
#include "tests/sample.h"

/*
 * The parts of an envelope alone: header, stamp, wraps.  Every row is a good array with one thing
 * wrong.
 */
static struct buf bytes, again;

/* ---- header ---- */

enum { REALM = 1, KIND, CODE, CHANNEL, SENDER, DRAFTED, TO, CATEGORY, MARKING, COMMIT, REFS, MORE };
static const char *const header_base[] = { "'live'",
                                           "1",
                                           "0",
                                           "c1*32",
                                           "'borealia.technical'",
                                           "1796000000000",
                                           "[['arcadia.technical' 1] ['arcadia.diplomatic' 2]]",
                                           "1",
                                           "2",
                                           "c0*32",
                                           "[]" };

#define REF                                                                                        \
    {                                                                                              \
        REFS, "[3f*32]"                                                                            \
    }
#define BARE                                                                                       \
    { COMMIT, "00*0" }, { CATEGORY, "0" },                                                         \
    {                                                                                              \
        MARKING, "0"                                                                               \
    }
#define TO_(roles)                                                                                 \
    {                                                                                              \
        TO, "[" roles "]"                                                                          \
    }

/* clang-format off */
static const struct {
    const char *name;
    struct diag_set set[DIAG_SETS];
    int want;
} header_rows[] = {
    { "good", { { 0 } }, 0 },
    { "request", { { KIND, "2" } }, 0 },
    { "information", { { KIND, "4" } }, 0 },
    { "link test", { { KIND, "8" } }, 0 },
    { "void, sealed", { { KIND, "9" } }, 0 },
    { "void, bodyless", { { KIND, "9" }, BARE }, 0 },
    { "sealed category and marking", { { CATEGORY, "0" }, { MARKING, "0" } }, 0 },
    { "largest index", { { CATEGORY, "9223372036854775807" } }, 0 },
    { "drafted at zero", { { DRAFTED, "0" } }, 0 },
    { "to itself", { TO_("['borealia.technical' 1]") }, 0 },
    { "longest poc", { { SENDER, "'abcdefghijklmnopqrstuvwxyz-0123.abcdefghijklmnopqrstuvwxyz-0123'" } }, 0 },
    /* realm */
    { "the other realm", { { REALM, "'exercise'" } }, -HL_EREALM },
    { "no realm", { { REALM, "''" } }, -HL_EREALM },
    { "unknown realm", { { REALM, "'Live'" } }, -HL_EREALM },
    { "realm as number", { { REALM, "0" } }, -HL_EFORMAT },
    /* kind */
    { "kind 0", { { KIND, "0" } }, -HL_EFORMAT },
    { "kind 10", { { KIND, "10" } }, -HL_EFORMAT },
    { "kind 15", { { KIND, "15" }, REF }, -HL_EFORMAT },
    { "kind 22", { { KIND, "22" }, REF }, -HL_EFORMAT },
    { "kind 31", { { KIND, "31" } }, -HL_EFORMAT },
    { "exercise control, live", { { KIND, "32" } }, -HL_EKIND },
    { "kind 33", { { KIND, "33" } }, -HL_EFORMAT },
    { "kind 257", { { KIND, "257" } }, -HL_EFORMAT },
    { "kind 2^32 + 1", { { KIND, "4294967297" } }, -HL_EFORMAT },
    { "kind not shortest", { { KIND, "=1801" } }, -HL_EFORMAT },
    /* target */
    { "reply", { { KIND, "3" }, REF }, 0 },
    { "reply without target", { { KIND, "3" } }, -HL_EKIND },
    { "correction", { { KIND, "5" }, REF }, 0 },
    { "correction without target", { { KIND, "5" } }, -HL_EKIND },
    { "retraction", { { KIND, "6" }, REF }, 0 },
    { "retraction without target", { { KIND, "6" } }, -HL_EKIND },
    { "endorsement", { { KIND, "7" }, REF }, 0 },
    { "endorsement without target", { { KIND, "7" } }, -HL_EKIND },
    { "delivered without target", { { KIND, "16" }, BARE }, -HL_EKIND },
    { "acknowledged without target", { { KIND, "17" }, BARE }, -HL_EKIND },
    { "understood without target", { { KIND, "18" }, BARE }, -HL_EKIND },
    { "passed without target", { { KIND, "19" }, BARE }, -HL_EKIND },
    { "refused without target", { { KIND, "20" }, BARE }, -HL_EKIND },
    { "cannot-read without target", { { KIND, "21" }, BARE }, -HL_EKIND },
    /* bodyless and default recipients */
    { "delivered to nobody", { { KIND, "16" }, REF, BARE, }, 0 },
    { "acknowledged to nobody", { { KIND, "17" }, REF, { COMMIT, "''" }, { CATEGORY, "0" }, { MARKING, "0" } }, 0 },
    { "sealed acknowledgement", { { KIND, "17" }, REF }, 0 },
    { "sealed acknowledgement to nobody", { { KIND, "17" }, REF, { TO, "[]" } }, -HL_EKIND },
    { "bodyless with category", { { KIND, "17" }, REF, { COMMIT, "''" }, { MARKING, "0" } }, -HL_EKIND },
    { "bodyless with marking", { { KIND, "17" }, REF, { COMMIT, "''" }, { CATEGORY, "0" } }, -HL_EKIND },
    { "bodyless notification", { BARE }, -HL_EKIND },
    { "bodyless reply", { { KIND, "3" }, REF, BARE }, -HL_EKIND },
    { "bodyless link test", { { KIND, "8" }, BARE }, -HL_EKIND },
    { "notification to nobody", { { TO, "[]" } }, -HL_EKIND },
    { "void to nobody", { { KIND, "9" }, BARE, { TO, "[]" } }, -HL_EKIND },
    /* code */
    { "refused with code", { { KIND, "20" }, { CODE, "7" }, REF }, 0 },
    { "cannot-read with largest code", { { KIND, "21" }, { CODE, "65535" }, REF }, 0 },
    { "code too large", { { KIND, "21" }, { CODE, "65536" }, REF }, -HL_EFORMAT },
    { "code of a notification", { { CODE, "1" } }, -HL_EKIND },
    { "code of an acknowledgement", { { KIND, "17" }, { CODE, "1" }, REF }, -HL_EKIND },
    /* names */
    { "no sender", { { SENDER, "''" } }, -HL_EFORMAT },
    { "sender without office", { { SENDER, "'borealia'" } }, -HL_EFORMAT },
    { "sender in capitals", { { SENDER, "'Borealia.technical'" } }, -HL_EFORMAT },
    { "sender with two dots", { { SENDER, "'a.b.c'" } }, -HL_EFORMAT },
    { "party of 32", { { SENDER, "'abcdefghijklmnopqrstuvwxyz-01234.a'" } }, -HL_EFORMAT },
    { "recipient with NUL", { TO_("[=4361002e 1]") }, -HL_EFORMAT },
    { "recipient twice", { TO_("['a.b' 1] ['c.d' 2] ['a.b' 2]") }, -HL_EFORMAT },
    /* roles */
    { "role 0", { TO_("['a.b' 0]") }, -HL_EFORMAT },
    { "role 3", { TO_("['a.b' 3]") }, -HL_EFORMAT },
    { "role 10", { TO_("['a.b' 1] ['c.d' 10]") }, -HL_EFORMAT },
    { "alternate", { TO_("['a.b' 1] ['c.d' 11]") }, 0 },
    { "alternates of two", { TO_("['a.b' 1] ['a.c' 11] ['a.d' 12] ['b.b' 1] ['b.c' 11] ['c.c' 2]") }, 0 },
    { "nine alternates", { TO_("['a.b' 1] ['a.a' 11] ['b.a' 12] ['c.a' 13] ['d.a' 14] ['e.a' 15] ['f.a' 16]"
                               " ['g.a' 17] ['h.a' 18] ['i.a' 19]") }, 0 },
    { "ten alternates", { TO_("['a.b' 1] ['a.a' 11] ['b.a' 12] ['c.a' 13] ['d.a' 14] ['e.a' 15] ['f.a' 16]"
                              " ['g.a' 17] ['h.a' 18] ['i.a' 19] ['j.a' 20]") }, -HL_EFORMAT },
    { "alternate of nobody", { TO_("['a.b' 11]") }, -HL_EFORMAT },
    { "alternate of an information addressee", { TO_("['a.b' 2] ['c.d' 11]") }, -HL_EFORMAT },
    { "alternate after another", { TO_("['a.b' 1] ['c.d' 2] ['e.f' 11]") }, -HL_EFORMAT },
    { "second alternate first", { TO_("['a.b' 1] ['c.d' 12]") }, -HL_EFORMAT },
    { "alternate skipped", { TO_("['a.b' 1] ['c.d' 11] ['e.f' 13]") }, -HL_EFORMAT },
    { "alternate repeated", { TO_("['a.b' 1] ['c.d' 11] ['e.f' 11]") }, -HL_EFORMAT },
    /* sizes and types */
    { "channel of 31", { { CHANNEL, "c1*31" } }, -HL_EFORMAT },
    { "channel of 33", { { CHANNEL, "c1*33" } }, -HL_EFORMAT },
    { "commit of 31", { { COMMIT, "c0*31" } }, -HL_EFORMAT },
    { "commit of 33", { { COMMIT, "c0*33" } }, -HL_EFORMAT },
    { "ref of 31", { { REFS, "[3f*31]" } }, -HL_EFORMAT },
    { "time 2^63", { { DRAFTED, "9223372036854775808" } }, -HL_EFORMAT },
    { "category 2^63", { { CATEGORY, "9223372036854775808" } }, -HL_EFORMAT },
    { "negative time", { { DRAFTED, "=20" } }, -HL_EFORMAT },
    { "float time", { { DRAFTED, "=f90000" } }, -HL_EFORMAT },
    { "sender as text", { { SENDER, "=63612e62" } }, -HL_EFORMAT },
    { "recipients as map", { { TO, "=a0" } }, -HL_EFORMAT },
    { "recipients indefinite", { { TO, "=9f8243612e6201ff" } }, -HL_EFORMAT },
    { "tagged time", { { DRAFTED, "=c100" } }, -HL_EFORMAT },
    { "recipient of one", { TO_("['a.b']") }, -HL_EFORMAT },
    { "recipient of three", { TO_("['a.b' 1 1]") }, -HL_EFORMAT },
    { "an element less", { { REFS, "" } }, -HL_EFORMAT },
    { "an element more", { { MORE, "0" } }, -HL_EFORMAT },
    { "sixteen refs", { { REFS, "[1*32 2*32 3*32 4*32 5*32 6*32 7*32 8*32 9*32 a*32 b*32 c*32 d*32 e*32 f*32 10*32]" } }, 0 },
    { "seventeen refs", { { REFS, "[1*32 2*32 3*32 4*32 5*32 6*32 7*32 8*32 9*32 a*32 b*32 c*32 d*32 e*32 f*32 10*32 11*32]" } }, -HL_ETOOBIG },
};
/* clang-format on */

static void header_every_row(void **state)
{
    static struct header h;

    (void)state;
    for (size_t i = 0; i < COUNT(header_rows); i++) {
        struct span in = diag_array(&bytes, header_base, COUNT(header_base), header_rows[i].set);

        CHECK_EQ(header_decode(&h, REALM_LIVE, in), header_rows[i].want, header_rows[i].name);
        if (header_rows[i].want) {
            CHECK_EQ(h.n_to + h.kind + h.sender.n, 0, header_rows[i].name);
            continue;
        }
        buf_clear(&again);
        CHECK_EQ(header_put(&again, &h), 0, header_rows[i].name);
        CHECK_EQ(span_eq(buf_span(&again), in), 1, header_rows[i].name);
    }
}

static void header_exercise(void **state)
{
    static const struct diag_set control[DIAG_SETS] = { { REALM, "'exercise'" }, { KIND, "32" } };
    static struct header h;
    struct span in = diag_array(&bytes, header_base, COUNT(header_base), control);

    (void)state;
    assert_int_equal(header_decode(&h, REALM_EXERCISE, in), 0);
    assert_int_equal(h.realm, REALM_EXERCISE);
    assert_int_equal(header_decode(&h, REALM_LIVE, in), -HL_EREALM);
}

static void header_fields(void **state)
{
    static struct header h;
    static const struct diag_set two[DIAG_SETS] = { { REFS, "[aa*32 bb*32]" }, { KIND, "3" } };
    struct span in = diag_array(&bytes, header_base, COUNT(header_base), two);

    (void)state;
    assert_int_equal(header_decode(&h, REALM_LIVE, in), 0);
    assert_int_equal(h.kind, KIND_REPLY);
    assert_int_equal(h.channel[31], 0xc1);
    assert_true(span_eq_str(h.sender, "borealia.technical"));
    assert_int_equal(h.drafted_ms, 1796000000000);
    assert_int_equal(h.n_to, 2);
    assert_true(span_eq_str(h.to[1].poc, "arcadia.diplomatic"));
    assert_int_equal(h.to[1].role, ROLE_INFORMATION);
    assert_int_equal(h.category, 1);
    assert_int_equal(h.marking, 2);
    assert_int_equal(h.commit.p[0], 0xc0);
    assert_int_equal(h.n_refs, 2);
    assert_int_equal(h.ref[1][0], 0xbb);
}

/* 600 recipients pass, 601 do not; nor does a header over 40,000 bytes with fewer. */
static void header_limits(void **state)
{
    static const struct {
        const char *name;
        size_t n;
        int office; /* letters of each office */
        int want;
    } rows[] = {
        { "600", 600, 4, 0 },
        { "601", 601, 4, -HL_ETOOBIG },
        { "540 with long names", 540, 31, 0 },
        { "600 with long names", 600, 31, -HL_ETOOBIG },
    };
    static struct header h;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf to;
        struct diag_set set[DIAG_SETS] = { { TO, NULL } };

        buf_init(&to, 1 << 20);
        buf_put_str(&to, "[");
        for (size_t k = 0; k < rows[i].n; k++)
            buf_printf(&to, " ['%s%04zu.%.*s' 2]",
                       rows[i].office > 4 ? "abcdefghijklmnopqrstuvwxyza" : "p", k, rows[i].office,
                       "abcdefghijklmnopqrstuvwxyz-0123");
        buf_put_str(&to, "]");
        set[0].text = buf_str(&to);
        diag_array(&bytes, header_base, COUNT(header_base), set);
        CHECK_EQ(header_decode(&h, REALM_LIVE, buf_span(&bytes)), rows[i].want, rows[i].name);
        buf_release(&to);
    }
}

/* What no one could decode, no one can encode. */
static void header_put_refuses(void **state)
{
    static const struct header zero;
    static struct sample s;

    (void)state;
    buf_clear(&again);
    sample_sealed(&s);
    assert_int_equal(header_put(&again, &zero), -HL_EFORMAT);
    s.h.to[1].poc = s.h.to[0].poc;
    assert_int_equal(header_put(&again, &s.h), -HL_EFORMAT);
    s.h.n_to = 1;
    s.h.commit = SPAN_NONE;
    assert_int_equal(header_put(&again, &s.h), -HL_EKIND);
    s.h.commit = SPAN(sample_bytes(0xc0), 32);
    s.h.kind = KIND_REPLY;
    assert_int_equal(header_put(&again, &s.h), -HL_EKIND);
    assert_int_equal(again.n, 0);
    sample_release(&s);
}

/* ---- stamp ---- */

enum {
    KEY = 1,
    DRAFT,
    PRECEDENCE,
    FLAGS,
    CHAIN,
    SEQ,
    SEALED,
    ACK,
    LIFETIME,
    EPOCH,
    STEP,
    SEEN,
    MORE2
};
static const char *const stamp_base[] = { "ee*32",         "[]",  "0", "0", "ca*16", "1",
                                          "1796000001000", "600", "0", "1", "3",     "[]" };

/* clang-format off */
static const struct {
    const char *name;
    struct diag_set set[DIAG_SETS];
    int want;
} stamp_rows[] = {
    { "good", { { 0 } }, 0 },
    { "drafted by another", { { DRAFT, "[dd*32 d5*64]" } }, 0 },
    { "FLASH", { { PRECEDENCE, "3" } }, 0 },
    { "all flags", { { FLAGS, "7" } }, 0 },
    { "no PSK", { { EPOCH, "0" }, { STEP, "0" } }, 0 },
    { "PSK epoch 0", { { EPOCH, "0" } }, 0 },
    { "last step", { { STEP, "366" } }, 0 },
    { "largest epoch", { { EPOCH, "4294967295" } }, 0 },
    { "largest seq", { { SEQ, "9223372036854775807" } }, 0 },
    { "seen", { { SEEN, "[[01*32 1 aa*32] [02*32 5 bb*32]]" } }, 0 },
    { "eight seen", { { SEEN, "[[1*32 1 a*32] [2*32 1 a*32] [3*32 1 a*32] [4*32 1 a*32] [5*32 1 a*32]"
                              " [6*32 1 a*32] [7*32 1 a*32] [8*32 1 a*32]]" } }, 0 },
    { "nine seen", { { SEEN, "[[1*32 1 a*32] [2*32 1 a*32] [3*32 1 a*32] [4*32 1 a*32] [5*32 1 a*32]"
                             " [6*32 1 a*32] [7*32 1 a*32] [8*32 1 a*32] [9*32 1 a*32]]" } }, -HL_ETOOBIG },
    { "seen descending", { { SEEN, "[[02*32 1 aa*32] [01*32 5 bb*32]]" } }, -HL_EFORMAT },
    { "seen twice", { { SEEN, "[[01*32 1 aa*32] [01*32 5 bb*32]]" } }, -HL_EFORMAT },
    { "seen of size 0", { { SEEN, "[[01*32 0 aa*32]]" } }, -HL_EFORMAT },
    { "seen of two", { { SEEN, "[[01*32 1]]" } }, -HL_EFORMAT },
    { "seen key of 31", { { SEEN, "[[01*31 1 aa*32]]" } }, -HL_EFORMAT },
    { "seen root of 33", { { SEEN, "[[01*32 1 aa*33]]" } }, -HL_EFORMAT },
    { "key of 31", { { KEY, "ee*31" } }, -HL_EFORMAT },
    { "no key", { { KEY, "''" } }, -HL_EFORMAT },
    { "draft of one", { { DRAFT, "[dd*32]" } }, -HL_EFORMAT },
    { "draft of three", { { DRAFT, "[dd*32 d5*64 1]" } }, -HL_ETOOBIG },
    { "draft key of 33", { { DRAFT, "[dd*33 d5*64]" } }, -HL_EFORMAT },
    { "draft signature of 63", { { DRAFT, "[dd*32 d5*63]" } }, -HL_EFORMAT },
    { "draft as bytes", { { DRAFT, "''" } }, -HL_EFORMAT },
    { "precedence 4", { { PRECEDENCE, "4" } }, -HL_EFORMAT },
    { "flag 8", { { FLAGS, "8" } }, -HL_EFORMAT },
    { "flag 2^32", { { FLAGS, "4294967296" } }, -HL_EFORMAT },
    { "chain of 15", { { CHAIN, "ca*15" } }, -HL_EFORMAT },
    { "seq 0", { { SEQ, "0" } }, -HL_EFORMAT },
    { "seq 2^63", { { SEQ, "9223372036854775808" } }, -HL_EFORMAT },
    { "sealed 2^63", { { SEALED, "9223372036854775808" } }, -HL_EFORMAT },
    { "step 0 with an epoch", { { STEP, "0" } }, -HL_EFORMAT },
    { "step 367", { { STEP, "367" } }, -HL_EFORMAT },
    { "epoch 2^32", { { EPOCH, "4294967296" } }, -HL_EFORMAT },
    { "an element less", { { SEEN, "" } }, -HL_EFORMAT },
    { "an element more", { { MORE2, "0" } }, -HL_EFORMAT },
};
/* clang-format on */

static void stamp_every_row(void **state)
{
    static struct stamp s;

    (void)state;
    for (size_t i = 0; i < COUNT(stamp_rows); i++) {
        struct span in = diag_array(&bytes, stamp_base, COUNT(stamp_base), stamp_rows[i].set);

        CHECK_EQ(stamp_decode(&s, in), stamp_rows[i].want, stamp_rows[i].name);
        buf_clear(&again);
        if (stamp_rows[i].want) {
            CHECK_EQ(stamp_put(&again, &s), -HL_EFORMAT, stamp_rows[i].name); /* zeroed: seq 0 */
            continue;
        }
        CHECK_EQ(stamp_put(&again, &s), 0, stamp_rows[i].name);
        CHECK_EQ(span_eq(buf_span(&again), in), 1, stamp_rows[i].name);
    }
}

static void stamp_fields(void **state)
{
    static const struct diag_set all[DIAG_SETS] = { { DRAFT, "[dd*32 d5*64]" },
                                                    { PRECEDENCE, "2" },
                                                    { FLAGS, "4" },
                                                    { LIFETIME, "9" },
                                                    { SEEN, "[[01*32 8 aa*32] [02*32 5 bb*32]]" } };
    struct stamp s;

    (void)state;
    diag_array(&bytes, stamp_base, COUNT(stamp_base), all);
    assert_int_equal(stamp_decode(&s, buf_span(&bytes)), 0);
    assert_int_equal(s.key[0], 0xee);
    assert_int_equal(s.draft_key[0], 0xdd);
    assert_int_equal(s.draft_sig[63], 0xd5);
    assert_int_equal(s.precedence, PRECEDENCE_IMMEDIATE);
    assert_int_equal(s.flags, FLAG_CARRIED);
    assert_int_equal(s.chain[15], 0xca);
    assert_int_equal(s.seq, 1);
    assert_int_equal(s.sealed_ms, 1796000001000);
    assert_int_equal(s.ack_within_s, 600);
    assert_int_equal(s.lifetime_s, 9);
    assert_int_equal(s.psk_epoch, 1);
    assert_int_equal(s.psk_step, 3);
    assert_int_equal(s.n_seen, 2);
    assert_int_equal(s.seen[0].size, 8);
    assert_int_equal(s.seen[1].root[0], 0xbb);
}

static void stamp_too_large(void **state)
{
    static const uint8_t large[ENVELOPE_STAMP_MAX + 1];
    struct stamp s;

    (void)state;
    assert_int_equal(stamp_decode(&s, SPAN(large, sizeof(large))), -HL_ETOOBIG);
}

/* ---- wraps ---- */

static const struct {
    const char *name, *text;
    int want;
} wraps_rows[] = {
    { "nothing", "['' []]", 0 },
    { "one", "[ec*32 [[51*32 d1*48]]]", 0 },
    { "two", "[ec*32 [[51*32 d1*48] [52*32 d2*48]]]", 0 },
    { "enc without wraps", "[ec*32 []]", -HL_EFORMAT },
    { "wraps without enc", "['' [[51*32 d1*48]]]", -HL_EFORMAT },
    { "enc of 31", "[ec*31 [[51*32 d1*48]]]", -HL_EFORMAT },
    { "enc of 33", "[ec*33 [[51*32 d1*48]]]", -HL_EFORMAT },
    { "subkey of 31", "[ec*32 [[51*31 d1*48]]]", -HL_EFORMAT },
    { "ct of 47", "[ec*32 [[51*32 d1*47]]]", -HL_EFORMAT },
    { "ct of 49", "[ec*32 [[51*32 d1*49]]]", -HL_EFORMAT },
    { "wrap of one", "[ec*32 [[51*32]]]", -HL_EFORMAT },
    { "wrap of three", "[ec*32 [[51*32 d1*48 1]]]", -HL_EFORMAT },
    { "array of three", "[ec*32 [[51*32 d1*48]] 1]", -HL_EFORMAT },
    { "trailing byte", "['' []] 0", -HL_EFORMAT },
    { "empty", "", -HL_EFORMAT },
};

static void wraps_every_row(void **state)
{
    static struct wraps w;

    (void)state;
    for (size_t i = 0; i < COUNT(wraps_rows); i++) {
        struct span in = diag(&bytes, wraps_rows[i].text);

        CHECK_EQ(wraps_decode(&w, in), wraps_rows[i].want, wraps_rows[i].name);
        if (wraps_rows[i].want)
            continue;
        buf_clear(&again);
        CHECK_EQ(wraps_put(&again, &w), 0, wraps_rows[i].name);
        CHECK_EQ(span_eq(buf_span(&again), in), 1, wraps_rows[i].name);
    }
}

/* Every truncation of each part, in memory of exactly that size. */
static void truncated(void **state)
{
    static struct header h;
    static struct stamp st;
    static struct wraps w;
    static struct sample s;

    (void)state;
    sample_sealed(&s);
    s.s.draft_key = s.draft_pk;
    s.s.draft_sig = s.draft_sig;
    assert_int_equal(sample_sign(&s), 0);
    for (size_t n = 0; n < s.header.n; n++) {
        uint8_t *p = exact(SPAN(s.header.p, n));

        CHECK_EQ(header_decode(&h, REALM_LIVE, SPAN(p, n)), -HL_EFORMAT, "header");
        free(p);
    }
    for (size_t n = 0; n < s.stamp.n; n++) {
        uint8_t *p = exact(SPAN(s.stamp.p, n));

        CHECK_EQ(stamp_decode(&st, SPAN(p, n)), -HL_EFORMAT, "stamp");
        free(p);
    }
    for (size_t n = 0; n < s.wraps.n; n++) {
        uint8_t *p = exact(SPAN(s.wraps.p, n));

        CHECK_EQ(wraps_decode(&w, SPAN(p, n)), -HL_EFORMAT, "wraps");
        free(p);
    }
    sample_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_every_row),   cmocka_unit_test(header_exercise),
        cmocka_unit_test(header_fields),      cmocka_unit_test(header_limits),
        cmocka_unit_test(header_put_refuses), cmocka_unit_test(stamp_every_row),
        cmocka_unit_test(stamp_fields),       cmocka_unit_test(stamp_too_large),
        cmocka_unit_test(wraps_every_row),    cmocka_unit_test(truncated),
    };

    buf_init(&again, 1 << 21);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
