#include "tests/check.h"

#include <stdlib.h>

#include <sodium.h>

#include "common/error.h"
#include "common/text.h"
#include "common/tlog/quorum.h"
#include "tests/vectors/tlog.h"

/*
 * Keys of this table: log L, witnesses A to G with seeds of one repeated byte; "$A" in a policy
 * stands for A's vkey of type 4, "$a" for the same key as a log's (type 1).
 */
#define WITNESSES 7
struct signer {
    uint8_t sk[64];
    struct note_key key, as_log;
};
static struct signer log_signer, other_log, witness[WITNESSES];

static void signer_make(struct signer *s, uint8_t seed_byte, uint8_t type, const char *name)
{
    uint8_t seed[32], pk[32];

    memset(seed, seed_byte, sizeof(seed));
    crypto_sign_seed_keypair(pk, s->sk, seed);
    CHECK_EQ(note_key_init(&s->key, span_str(name), type, pk), 0, name);
    CHECK_EQ(note_key_init(&s->as_log, span_str(name), NOTE_ED25519, pk), 0, name);
}

static int setup(void **state)
{
    char name[] = "A.example";

    (void)state;
    signer_make(&log_signer, 1, NOTE_ED25519, "log.example");
    signer_make(&other_log, 2, NOTE_ED25519, "other.example");
    for (size_t i = 0; i < WITNESSES; i++) {
        name[0] = (char)('A' + i);
        signer_make(&witness[i], (uint8_t)(0x10 + i), NOTE_COSIGNATURE, name);
    }
    return 0;
}

static struct buf expand(const char *text)
{
    struct buf out;

    buf_init(&out, 65536);
    for (; *text; text++) {
        if (*text != '$') {
            buf_put_u8(&out, (uint8_t)*text);
            continue;
        }
        text++;
        if (*text == 'L')
            note_key_print(&out, &log_signer.key);
        else if (*text == 'M')
            note_key_print(&out, &other_log.key);
        else if (*text >= 'a')
            note_key_print(&out, &witness[*text - 'a'].as_log);
        else
            note_key_print(&out, &witness[*text - 'A'].key);
    }
    return out;
}

static void put_line(struct buf *out, const struct signer *s, struct span text, uint64_t time)
{
    struct buf message;
    uint8_t sig[72];

    if (s->key.type == NOTE_ED25519) {
        crypto_sign_detached(sig, NULL, text.p, text.n, s->sk);
        note_put_sig(out, &s->key, sig, 64);
        return;
    }
    buf_init(&message, 10000);
    note_cosign_message(&message, time, text);
    put_u64(sig, time);
    crypto_sign_detached(sig + 8, NULL, message.p, message.n, s->sk);
    note_put_sig(out, &s->key, sig, 72);
    buf_release(&message);
}

/*
 * A checkpoint of log.example signed as @who says, one character a line: L the log, M another log,
 * A..G witnesses (the n-th line at time 100 + n), '!' spoils the line after it.
 */
static struct buf note_make(const char *who)
{
    uint8_t root[32] = { 1, 2, 3 };
    struct buf text, out;
    bool spoil = false;
    uint64_t n = 0;

    buf_init(&text, 1000);
    buf_init(&out, 65536);
    checkpoint_put(&text, span_str("log.example"), 9, root);
    buf_put_span(&out, buf_span(&text));
    buf_put_str(&out, "\n");
    for (; *who; who++) {
        if (*who == '!') {
            spoil = true;
            continue;
        }
        put_line(&out,
                 *who == 'L'   ? &log_signer
                 : *who == 'M' ? &other_log
                               : &witness[*who - 'A'],
                 buf_span(&text), 100 + n++);
        if (spoil)
            out.p[out.n - 20] = out.p[out.n - 20] == 'A' ? 'B' : 'A';
        spoil = false;
    }
    buf_release(&text);
    return out;
}

static void policy_rows(void **state)
{
    static const struct {
        const char *name, *policy;
        int want;
    } rows[] = {
        { "log and none", "log $L\nquorum none\n", 0 },
        { "one witness", "log $L\nwitness a $A\nquorum a\n", 0 },
        { "urls, tabs, comments",
          "# policy\n\n \t# c\n log\t$L\thttps://log.example/ \nwitness a  $A "
          "https://a/\nquorum\ta\n",
          0 },
        { "group", "log $L\nwitness a $A\nwitness b $B\ngroup g 2 a b\nquorum g\n", 0 },
        { "all, any",
          "log $L\nwitness a $A\nwitness b $B\ngroup g all a\ngroup h any g b\nquorum h\n", 0 },
        { "two logs", "log $L\nlog $M\nquorum none\n", 0 },
        { "no log", "quorum none\n", 0 },
        { "quorum first", "quorum none\nlog $L\n", 0 },
        { "witness of unknown type", "log $L\nwitness a a+00000000+BgAAAA==\nquorum none\n", 0 },
        { "names are bytes", "log $L\nwitness \xff $A\nquorum \xff\n", 0 },
        { "empty", "", -HL_EFORMAT },
        { "no quorum", "log $L\n", -HL_EFORMAT },
        { "two quorums", "log $L\nquorum none\nquorum none\n", -HL_EFORMAT },
        { "no final LF", "log $L\nquorum none", -HL_EFORMAT },
        { "CRLF", "log $L\r\nquorum none\r\n", -HL_EFORMAT },
        { "unknown keyword", "log $L\nwitnes a $A\nquorum none\n", -HL_EFORMAT },
        { "comment at the end of a line", "log $L\nquorum none # yes\n", -HL_EFORMAT },
        { "name before use", "log $L\nquorum a\nwitness a $A\n", -HL_EFORMAT },
        { "unknown member", "log $L\nwitness a $A\ngroup g 1 a b\nquorum g\n", -HL_EFORMAT },
        { "group in itself", "log $L\nwitness a $A\ngroup g 1 a g\nquorum g\n", -HL_EFORMAT },
        { "none as member", "log $L\nwitness a $A\ngroup g 1 a none\nquorum g\n", -HL_EFORMAT },
        { "none as witness", "log $L\nwitness none $A\nquorum none\n", -HL_EFORMAT },
        { "none as group", "log $L\nwitness a $A\ngroup none 1 a\nquorum none\n", -HL_EFORMAT },
        { "k 0", "log $L\nwitness a $A\ngroup g 0 a\nquorum g\n", -HL_EFORMAT },
        { "k above n", "log $L\nwitness a $A\ngroup g 2 a\nquorum g\n", -HL_EFORMAT },
        { "k with leading zero", "log $L\nwitness a $A\ngroup g 01 a\nquorum g\n", -HL_EFORMAT },
        { "k a word", "log $L\nwitness a $A\ngroup g most a\nquorum g\n", -HL_EFORMAT },
        { "no member", "log $L\ngroup g any\nquorum g\n", -HL_EFORMAT },
        { "witness without key", "log $L\nwitness a\nquorum a\n", -HL_EFORMAT },
        { "field too many", "log $L u v\nquorum none\n", -HL_EFORMAT },
        { "witness key type 1", "log $L\nwitness a $a\nquorum a\n", -HL_EFORMAT },
        { "log key type 4", "log $A\nquorum none\n", -HL_EFORMAT },
        { "name twice", "log $L\nwitness a $A\nwitness a $B\nquorum a\n", -HL_EDUPLICATE },
        { "group as witness", "log $L\nwitness a $A\ngroup a 1 a\nquorum a\n", -HL_EDUPLICATE },
        { "key twice", "log $L\nwitness a $A\nwitness b $A\ngroup g 2 a b\nquorum g\n",
          -HL_EDUPLICATE },
        { "log twice", "log $L\nlog $L\nquorum none\n", -HL_EDUPLICATE },
        { "witness key as log", "log $a\nwitness a $A\nquorum a\n", -HL_EDUPLICATE },
        { "member twice", "log $L\nwitness a $A\ngroup g 2 a a\nquorum g\n", -HL_EDUPLICATE },
        { "member of two groups",
          "log $L\nwitness a $A\nwitness b $B\ngroup g 1 a b\ngroup h 1 a\nquorum g\n",
          -HL_EDUPLICATE },
        { "small-order witness",
          "log $L\nwitness w w+0fd7ff53+BAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\nquorum w\n",
          -HL_EBADKEY },
        { "small-order log",
          "log w+98d32c6b+AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\nquorum none\n",
          -HL_EBADKEY },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf text = expand(rows[i].policy), why;
        struct quorum *q;

        buf_init(&why, 1000);
        CHECK_EQ(quorum_parse(&q, buf_span(&text), &why), rows[i].want, rows[i].name);
        CHECK_EQ(q != NULL, rows[i].want == 0, rows[i].name);
        CHECK_EQ(why.n != 0, rows[i].want != 0, rows[i].name);
        quorum_free(q);
        buf_release(&why);
        buf_release(&text);
    }
}

static void policy_limits(void **state)
{
    static const struct {
        const char *name;
        unsigned witnesses, groups;
        int want;
    } rows[] = {
        { "32 of each", 32, 32, 0 },
        { "64 of each", 64, 64, 0 },
        { "65 witnesses", 65, 1, -HL_ETOOBIG },
        { "65 groups", 64, 65, -HL_ETOOBIG },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf text, why;
        struct quorum *q;

        buf_init(&text, 65536);
        buf_init(&why, 1000);
        for (unsigned w = 0; w < rows[i].witnesses; w++) {
            struct signer s;

            signer_make(&s, (uint8_t)(0x80 + w), NOTE_COSIGNATURE, "w");
            buf_printf(&text, "witness w%u ", w);
            note_key_print(&text, &s.key);
            buf_put_str(&text, "\n");
        }
        for (unsigned g = 0; g < rows[i].groups && g < rows[i].witnesses; g++)
            buf_printf(&text, "group g%u any w%u\n", g, g);
        for (unsigned g = rows[i].witnesses; g < rows[i].groups; g++)
            buf_printf(&text, "group g%u any g%u\n", g, g - 1);
        buf_put_str(&text, "quorum g0\n");
        CHECK_EQ(quorum_parse(&q, buf_span(&text), &why), rows[i].want, rows[i].name);
        quorum_free(q);
        buf_release(&text);
        buf_release(&why);
    }
}

#define ABC "witness a $A\nwitness b $B\nwitness c $C\n"
#define XY                                                                                         \
    "log $L\nwitness x1 $A\nwitness x2 $B\nwitness x3 $C\ngroup x 2 x1 x2 x3\n"                    \
    "witness y1 $D\nwitness y2 $E\nwitness y3 $F\ngroup y any y1 y2 y3\ngroup xy all x y\nquorum " \
    "xy\n"

static void check_rows(void **state)
{
    static const struct {
        const char *name, *policy, *who;
        int want;
        bool met;
        unsigned cosigned;
        uint64_t oldest, newest;
    } rows[] = {
        { "none, log only", "log $L\nquorum none\n", "L", 0, true, 0, 0, 0 },
        { "none, cosigned", "log $L\n" ABC "quorum none\n", "LA", 0, true, 1, 101, 101 },
        { "one, missing", "log $L\n" ABC "quorum a\n", "LB", 0, false, 1, 101, 101 },
        { "one, there", "log $L\n" ABC "quorum a\n", "LBA", 0, true, 2, 101, 102 },
        { "2 of 3, 1", "log $L\n" ABC "group g 2 a b c\nquorum g\n", "LC", 0, false, 1, 101, 101 },
        { "2 of 3, 2", "log $L\n" ABC "group g 2 a b c\nquorum g\n", "LCA", 0, true, 2, 101, 102 },
        { "2 of 3, one key thrice", "log $L\n" ABC "group g 2 a b c\nquorum g\n", "LAAA", 0, false,
          1, 103, 103 },
        { "2 of 3, stranger", "log $L\n" ABC "group g 2 a b c\nquorum g\n", "LAD", 0, false, 1, 101,
          101 },
        { "all, 2", "log $L\n" ABC "group g all a b c\nquorum g\n", "LAB", 0, false, 2, 101, 102 },
        { "all, 3", "log $L\n" ABC "group g all a b c\nquorum g\n", "ALBC", 0, true, 3, 100, 103 },
        { "witness outside the quorum", "log $L\n" ABC "group g 2 a b\nquorum g\n", "LAC", 0, false,
          2, 101, 102 },
        { "nested, none", XY, "L", 0, false, 0, 0, 0 },
        { "nested, x only", XY, "LABC", 0, false, 3, 101, 103 },
        { "nested, y only", XY, "LDEF", 0, false, 3, 101, 103 },
        { "nested, 1 and 1", XY, "LAD", 0, false, 2, 101, 102 },
        { "nested, 2 and 1", XY, "LACF", 0, true, 3, 101, 103 },
        { "not signed by the log", "log $L\n" ABC "quorum a\n", "AB", -HL_EKEY, false, 0, 0, 0 },
        { "signed by another log", "log $L\nlog $M\nquorum none\n", "M", -HL_EKEY, false, 0, 0, 0 },
        { "by both", "log $M\nlog $L\nquorum none\n", "ML", 0, true, 0, 0, 0 },
        { "no log in the policy", "quorum none\n", "L", -HL_EKEY, false, 0, 0, 0 },
        { "bad log line", "log $L\nquorum none\n", "!L", -HL_ESIG, false, 0, 0, 0 },
        { "bad and good log line", "log $L\nquorum none\n", "L!L", -HL_ESIG, false, 0, 0, 0 },
        { "bad witness line", "log $L\n" ABC "quorum a\n", "LA!B", -HL_ESIG, false, 0, 0, 0 },
        { "bad line of a stranger", "log $L\n" ABC "quorum a\n", "LA!D", 0, true, 1, 101, 101 },
        { "bad line of another log", "log $L\nlog $M\nquorum none\n", "L!M", -HL_ESIG, false, 0, 0,
          0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf text = expand(rows[i].policy), note = note_make(rows[i].who);
        struct quorum_result res;
        struct checkpoint cp;
        struct quorum *q;

        CHECK_EQ(quorum_parse(&q, buf_span(&text), &(struct buf){ .max = 200 }), 0, rows[i].name);
        CHECK_EQ(quorum_check(q, buf_span(&note), &cp, &res), rows[i].want, rows[i].name);
        CHECK_EQ(res.met, rows[i].met, rows[i].name);
        CHECK_EQ(res.cosigned, rows[i].cosigned, rows[i].name);
        CHECK_EQ(res.oldest, rows[i].oldest, rows[i].name);
        CHECK_EQ(res.newest, rows[i].newest, rows[i].name);
        CHECK_EQ(cp.size, rows[i].want ? 0 : 9, rows[i].name);
        CHECK_EQ(res.log != NULL, rows[i].want == 0, rows[i].name);
        CHECK_EQ(res.of, rows[i].want ? 0 : quorum_witnesses(q), rows[i].name);
        quorum_free(q);
        buf_release(&text);
        buf_release(&note);
    }
}

#define EXAMPLE_POLICY "log " EXAMPLE_LOG "\nwitness w " EXAMPLE_WITNESS "\nquorum w\n"

static void proof_rows(void **state)
{
    static const struct {
        const char *name, *proof, *entry;
        int want;
    } rows[] = {
        { "2 in 3", EXAMPLE_PROOF_2, "charlie", 0 },
        { "0 in 3", EXAMPLE_PROOF_0, "alpha", 0 },
        { "another entry", EXAMPLE_PROOF_2, "alpha", -HL_EPROOF },
        { "another index", "c2sp.org/tlog-proof@v1\nindex 1\n" EXAMPLE_HASH_01 "\n\n" EXAMPLE_NOTE,
          "charlie", -HL_EPROOF },
        { "index beyond", "c2sp.org/tlog-proof@v1\nindex 3\n" EXAMPLE_HASH_01 "\n\n" EXAMPLE_NOTE,
          "charlie", -HL_EPROOF },
        { "hash more",
          "c2sp.org/tlog-proof@v1\nindex 2\n" EXAMPLE_HASH_01 "\n" EXAMPLE_HASH_01
          "\n\n" EXAMPLE_NOTE,
          "charlie", -HL_EPROOF },
        { "hash less", "c2sp.org/tlog-proof@v1\nindex 2\n\n" EXAMPLE_NOTE, "charlie", -HL_EPROOF },
        { "hashes swapped",
          "c2sp.org/tlog-proof@v1\nindex 0\n" EXAMPLE_HASH_2 "\n" EXAMPLE_HASH_1
          "\n\n" EXAMPLE_NOTE,
          "alpha", -HL_EPROOF },
        { "checkpoint of another log",
          "c2sp.org/tlog-proof@v1\nindex 2\n" EXAMPLE_HASH_01 "\n\n" LITE_NOTE_3, "charlie",
          -HL_EKEY },
        { "not a proof", EXAMPLE_NOTE, "charlie", -HL_EFORMAT },
    };
    struct quorum *q;

    (void)state;
    CHECK_EQ(quorum_parse(&q, span_str(EXAMPLE_POLICY), &(struct buf){ .max = 200 }), 0, "policy");
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct quorum_result res;
        struct checkpoint cp;
        struct proof p;

        CHECK_EQ(
            quorum_check_proof(q, span_str(rows[i].proof), span_str(rows[i].entry), &p, &cp, &res),
            rows[i].want, rows[i].name);
        CHECK_EQ(res.met, rows[i].want == 0, rows[i].name);
        if (rows[i].want == 0)
            CHECK_EQ(res.newest, EXAMPLE_TIME, rows[i].name);
    }
    quorum_free(q);
}

/* No bit of a receipt may be flipped and the receipt still be taken for witnessed. */
static void proof_bit_flips(void **state)
{
    uint8_t in[sizeof(EXAMPLE_PROOF_2) - 1];
    struct quorum *q;

    (void)state;
    CHECK_EQ(quorum_parse(&q, span_str(EXAMPLE_POLICY), &(struct buf){ .max = 200 }), 0, "policy");
    for (size_t bit = 0; bit < sizeof(in) * 8; bit++) {
        struct quorum_result res;
        struct checkpoint cp;
        struct proof p;
        int rc;

        memcpy(in, EXAMPLE_PROOF_2, sizeof(in));
        in[bit / 8] ^= (uint8_t)(1U << bit % 8);
        rc = quorum_check_proof(q, SPAN(in, sizeof(in)), span_str("charlie"), &p, &cp, &res);
        CHECK_EQ(rc == 0 && res.met, 0, "flipped");
    }
    quorum_free(q);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(policy_rows),     cmocka_unit_test(policy_limits),
        cmocka_unit_test(check_rows),      cmocka_unit_test(proof_rows),
        cmocka_unit_test(proof_bit_flips),
    };

    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, setup, NULL);
}
