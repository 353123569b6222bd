#include <sodium.h>
#include <stdlib.h>

#include "common/tlog/quorum.h"
#include "tests/mutate.h"
#include "tests/world.h"

static struct world W;

static int read_text(struct span text)
{
    struct agreement *a = NULL;
    struct buf printed;
    int rc = agreement_new(&a, REALM_LIVE, text, NULL);

    assert_int_equal(a == NULL, rc != 0);
    if (!rc) {
        buf_init(&printed, DOCUMENT_MAX);
        assert_int_equal(agreement_print(&printed, REALM_LIVE, a), 0);
        check_reprint(text, &printed);
        buf_release(&printed);
    }
    agreement_free(a);
    return rc;
}

static void fields(void **state)
{
    const struct agreement_channel *c;
    struct agreement *a;

    (void)state;
    assert_int_equal(agreement_new(&a, REALM_LIVE, buf_span(&W.text), NULL), 0);
    assert_true(span_eq_str(a->name, "ABCD-ICT-2026"));
    assert_int_equal(a->n_parties, 4);
    assert_int_equal(agreement_party(a, span_str("caldera")), 2);
    assert_int_equal(agreement_party(a, span_str("caldera2")), -1);
    assert_memory_equal(a->party[2].fingerprint, W.fingerprint[WORLD_CALDERA], 32);
    assert_int_equal(a->force, 0);
    assert_int_equal(a->until_ms, 0);
    assert_int_equal(a->n_categories, 4);
    assert_true(span_eq_str(a->marking[3], "TLP:AMBER+STRICT"));
    assert_false(a->sealed);
    assert_int_equal(a->attachment[0].max, 400000);
    assert_int_equal(a->deadline_s[PRECEDENCE_FLASH], 600);
    assert_int_equal(a->handling_s[PRECEDENCE_ROUTINE], 7200);
    assert_true(a->two_person && a->alone);
    assert_int_equal(a->psk, PSK_ALLOWED);
    assert_int_equal(a->n_hosts, 1);
    assert_int_equal(a->n_witnesses, 3);
    assert_int_equal(a->quorum, 2);
    assert_true(a->auditor[0].full);
    assert_int_equal(a->retention_days, 3650);
    c = agreement_channel(a, span_str("abcd.notice"));
    assert_non_null(c);
    assert_int_equal(c->n_members, 6);
    for (size_t i = 0; i < c->n_members; i++) {
        assert_int_equal(channel_member_index(c, span_str(world_poc[i])), i);
        assert_true(span_eq(a->party[c->party[i]].party, name_party(span_str(world_poc[i]))));
    }
    assert_false(channel_member(c, span_str("arcadia.t")));
    assert_false(channel_member(c, span_str("a")));
    assert_false(channel_member(c, span_str("zz.z")));
    assert_null(agreement_channel(a, span_str("abcd")));
    agreement_free(a);
}

/* channel = H(L("channel") || H(text) || N(name)): another text, another channel. */
static void channel_ids(void **state)
{
    static const char label[] = "hotline/1 live channel"; /* and its NUL */
    static const char name[] = "\x17"
                               "arcadia-borealia.crisis";
    crypto_hash_sha256_state st;
    struct agreement filled;
    uint8_t hash[32], id[32];
    struct world other;

    (void)state;
    crypto_hash_sha256(hash, W.text.p, W.text.n);
    crypto_hash_sha256_init(&st);
    crypto_hash_sha256_update(&st, (const uint8_t *)label, sizeof(label));
    crypto_hash_sha256_update(&st, hash, 32);
    crypto_hash_sha256_update(&st, (const uint8_t *)name, sizeof(name) - 1);
    crypto_hash_sha256_final(&st, id);
    assert_memory_equal(id, W.channel[WORLD_CRISIS], 32);
    world_init(&other, REALM_LIVE, WORLD_NOW);
    assert_memory_equal(id, other.channel[WORLD_CRISIS], 32);
    world_agreement(&filled, REALM_LIVE, WORLD_NOW);
    filled.random[0] ^= 1;
    world_set_agreement(&other, &filled);
    assert_memory_not_equal(id, other.channel[WORLD_CRISIS], 32);
    world_agreement_release(&filled);
    world_release(&other);
}

#define DIGEST "zt8DG0rVrCPk/4QggiOzo+qIF1m0QLQOF3yEOQQVUiw="
static void rows(void **state)
{
    static const struct mutation table[] = {
        { "good", NULL, NULL, 0 },
        { "other realm", "hotline/1 live", "hotline/1 exercise", -HL_EREALM },
        { "other type", "live agreement", "live card", -HL_EFORMAT },
        { "name with a dot", "ABCD-ICT-2026", "ABCD.ICT", -HL_EFORMAT },
        { "name too long", "ABCD-ICT-2026", "ABCDABCDABCDABCDABCDABCDABCDABCDABCDABCDE",
          -HL_ETOOBIG },
        { "title in UTF-8", "Caldera and Doria", "C\xc3\xa1ldera", 0 },
        { "title with a bidi mark", "Caldera and Doria", "\xe2\x80\xabx", -HL_EFORMAT },
        { "party twice", "party borealia", "party arcadia", -HL_EDUPLICATE },
        { "party of capitals", "party borealia", "party Borealia", -HL_EFORMAT },
        { "force 2", "force all", "force 2", 0 },
        { "force 1", "force all", "force 1", -HL_EFORMAT },
        { "force of more than there are", "force all", "force 5", -HL_EFORMAT },
        { "force some", "force all", "force some", -HL_EFORMAT },
        { "valid until later", " 0\ncategory", " 1863776142000\ncategory", 0 },
        { "valid from a word", "valid 1763776142000", "valid today", -HL_EFORMAT },
        { "valid until a word", " 0\ncategory", " ever\ncategory", -HL_EFORMAT },
        { "valid backwards", " 0\ncategory", " 1763776142000\ncategory", -HL_EFORMAT },
        { "category twice", "category exercise", "category incident", -HL_EDUPLICATE },
        { "category too long", "category exercise",
          "category 0123456789012345678901234567890123456789012345678901234567890123",
          -HL_ETOOBIG },
        { "marking twice", "TLP:GREEN", "TLP:CLEAR", -HL_EDUPLICATE },
        { "sealed maybe", "sealed no", "sealed maybe", -HL_EFORMAT },
        { "sealed yes", "sealed no", "sealed yes", 0 },
        { "attachment of no type", "text/csv", "text-csv", -HL_EFORMAT },
        { "attachment of no size", "csv 400000", "csv 0", -HL_EFORMAT },
        { "attachment larger than a bucket", "csv 400000", "csv 1048577", -HL_EFORMAT },
        { "attachment type twice", "application/json", "text/csv", -HL_EDUPLICATE },
        { "no attachments", "attachment text/csv 400000\nattachment application/json 100000\n", "",
          0 },
        { "deadlines in another order", "deadline ROUTINE 86400\ndeadline PRIORITY 14400",
          "deadline PRIORITY 14400\ndeadline ROUTINE 86400", -HL_EFORMAT },
        { "deadline left out", "deadline FLASH 600\n", "", -HL_EFORMAT },
        { "handling twice", "handling FLASH 300\n", "handling FLASH 300\nhandling FLASH 300\n",
          -HL_ETOOBIG },
        { "deadline with a fraction", "FLASH 600", "FLASH 600.5", -HL_EFORMAT },
        { "release three", "release two", "release three", -HL_EFORMAT },
        { "release never", "two alone", "two never", 0 },
        { "release seldom", "two alone", "two seldom", -HL_EFORMAT },
        { "psk required", "psk allowed", "psk required", 0 },
        { "psk perhaps", "psk allowed", "psk perhaps", -HL_EFORMAT },
        { "suite 2", "suite 1", "suite 2", -HL_ESUITE },
        { "channel twice", "channel abcd.notice", "channel arcadia-borealia.crisis",
          -HL_EDUPLICATE },
        { "channel in capitals", "channel abcd.notice", "channel ABCD", -HL_EFORMAT },
        { "member of a party not named", "member doria.technical", "member eland.technical",
          -HL_EFORMAT },
        { "member is a party", "member doria.technical", "member doria", -HL_EFORMAT },
        { "member twice", "member caldera.technical", "member borealia.technical", -HL_EFORMAT },
        { "members out of order", "member caldera.technical\nmember doria.technical",
          "member doria.technical\nmember caldera.technical", -HL_EFORMAT },
        { "channel of one", "channel arcadia-borealia.technical\nmember arcadia.technical\n",
          "channel arcadia-borealia.technical\n", -HL_EFORMAT },
        { "host of another realm", "doria.example/live/", "doria.example/exercise/", -HL_EFORMAT },
        { "no host", "host doria.example/live/doria/1\n", "", -HL_EFORMAT },
        { "host twice", "host doria.example/live/doria/1\n",
          "host doria.example/live/doria/1\nhost doria.example/live/doria/1\n", -HL_EDUPLICATE },
        { "two witnesses",
          "witness arcadia.example/witness+f33dc63c+BDU6jQznebXoDEWCravJs0qUF+r5te4GdQL00BS2jhcb\n",
          "", -HL_EFORMAT },
        { "witness twice",
          "arcadia.example/witness+f33dc63c+BDU6jQznebXoDEWCravJs0qUF+r5te4GdQL00BS2jhcb",
          "caldera.example/witness+29da535a+BPpZ4qLNUDTaXgIfk5IKXW0ZIB1tcPnyvGZTmN7BE/jL",
          -HL_EDUPLICATE },
        { "witness with another's key id", "+f33dc63c+", "+29da535a+", -HL_EFORMAT },
        { "quorum 0", "quorum 2", "quorum 0", -HL_EFORMAT },
        { "quorum of all", "quorum 2", "quorum 3", 0 },
        { "quorum over all", "quorum 2", "quorum 4", -HL_EFORMAT },
        { "auditor of nothing", "technical full", "technical some", -HL_EFORMAT },
        { "auditor of statistics", "technical full", "technical statistics", 0 },
        { "auditor twice", "auditor caldera.technical full",
          "auditor caldera.technical full\nauditor caldera.technical statistics", -HL_EDUPLICATE },
        { "neutral auditor", "auditor caldera.technical", "auditor eland.audit", 0 },
        { "no auditor", "auditor caldera.technical full\n", "", 0 },
        { "retention 0", "retention 3650", "retention 0", -HL_EFORMAT },
        { "retention for ever", "retention 3650", "retention 36501", -HL_EFORMAT },
        { "language list", "language en", "language en,fr", -HL_EFORMAT },
        { "language twice", "language en", "language en\nlanguage en", -HL_EDUPLICATE },
        { "phrasebook", "phrasebook -", "phrasebook " DIGEST, 0 },
        { "phrasebook of zeros", "phrasebook -",
          "phrasebook AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", -HL_EFORMAT },
        { "treaty", "treaty " DIGEST, "treaty -", 0 },
        { "treaty too short", "treaty " DIGEST, "treaty zt8DG0rV", -HL_EFORMAT },
        { "no random line", "random pEGxX+mjz1ZmEZCguTud7H0EEnKIzIclCWfPO1KJTRE=\n", "",
          -HL_EFORMAT },
    };

    (void)state;
    mutate_rows(buf_span(&W.text), table, COUNT(table), read_text);
}

static void every_line(void **state)
{
    (void)state;
    assert_in_range(mutate_lines(buf_span(&W.text), read_text), 1, 60);
}

/* A witness line of key type 1 is no cosigner. */
static void witness_type(void **state)
{
    struct world_key key = world_key("arcadia/witness");
    struct agreement filled;
    struct note_key other;
    struct buf text;

    (void)state;
    world_agreement(&filled, REALM_LIVE, WORLD_NOW);
    document_note_key(&other, span_str("arcadia.example/witness"), NOTE_ED25519, key.pk);
    filled.witness[0] = other;
    buf_init(&text, DOCUMENT_MAX);
    agreement_print(&text, REALM_LIVE, &filled);
    assert_int_equal(read_text(buf_span(&text)), -HL_EFORMAT);
    buf_release(&text);
    world_agreement_release(&filled);
}

static void counts(void **state)
{
    static const struct {
        const char *name, *before, *before_n, *after_n;
        int at_most, there;
        bool four;
    } rows_[] = {
        { "category", "\nmarking", "\ncategory c", "", AGREEMENT_CATEGORIES, 4, false },
        { "marking", "\nsealed", "\nmarking m", "", AGREEMENT_MARKINGS, 4, false },
        { "attachment", "\ndeadline", "\nattachment a/", " 1", AGREEMENT_ATTACHMENTS, 2, false },
        { "channel", "\nhost", "\nchannel c", "\nmember arcadia.a\nmember borealia.b",
          AGREEMENT_CHANNELS, 3, false },
        { "member", "\nhost", "\nmember doria.w-", "", 600, 6, true },
        { "host", "\nwitness", "\nhost h", ".example/live/doria/1", AGREEMENT_HOSTS, 1, false },
        { "auditor", "\nretention", "\nauditor eland.a", " full", AGREEMENT_AUDITORS, 1, false },
        { "language", "\nphrasebook", "\nlanguage en-", "", AGREEMENT_LANGUAGES, 1, true },
    };
    struct buf lines, text;

    (void)state;
    buf_init(&lines, DOCUMENT_MAX);
    buf_init(&text, DOCUMENT_MAX);
    for (size_t i = 0; i < COUNT(rows_); i++)
        for (int over = 0; over <= 1; over++) {
            struct mutation m = { rows_[i].name, rows_[i].before, NULL, over ? -HL_ETOOBIG : 0 };

            buf_clear(&lines);
            for (int n = rows_[i].there; n < rows_[i].at_most + over; n++) {
                buf_put_str(&lines, rows_[i].before_n);
                buf_printf(&lines, rows_[i].four ? "%04d" : "%d", n);
                buf_put_str(&lines, rows_[i].after_n);
            }
            buf_put_str(&lines, rows_[i].before);
            m.put = buf_str(&lines);
            mutate_text(&text, buf_span(&W.text), &m);
            CHECK_EQ(read_text(buf_span(&text)), m.want, rows_[i].name);
        }
    buf_release(&lines);
    buf_release(&text);
}

/* The policy that a reader of this agreement applies is one that the policy parser takes. */
static void policy(void **state)
{
    struct world_key log = world_key("doria/log");
    struct note_key key;
    struct agreement *a;
    struct quorum *q;
    struct buf text;

    (void)state;
    assert_int_equal(agreement_new(&a, REALM_LIVE, buf_span(&W.text), NULL), 0);
    document_note_key(&key, span_str(W.origin), NOTE_ED25519, log.pk);
    buf_init(&text, 65536);
    assert_int_equal(agreement_policy(&text, a, &key), 0);
    assert_int_equal(quorum_parse(&q, buf_span(&text), NULL), 0);
    assert_int_equal(quorum_logs(q), 1);
    assert_string_equal(quorum_log(q, 0)->name, W.origin);
    assert_int_equal(quorum_witnesses(q), 3);
    for (size_t i = 0; i < 3; i++)
        assert_memory_equal(quorum_witness(q, i)->key, a->witness[i].key, 32);
    assert_non_null(strstr(buf_str(&text), "group witnesses 2 w1 w2 w3\nquorum witnesses\n"));
    quorum_free(q);
    agreement_free(a);
    buf_release(&text);
}

static int setup(void **state)
{
    (void)state;
    if (sodium_init() < 0)
        return -1;
    world_init(&W, REALM_LIVE, WORLD_NOW);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    world_release(&W);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields),     cmocka_unit_test(channel_ids),  cmocka_unit_test(rows),
        cmocka_unit_test(every_line), cmocka_unit_test(witness_type), cmocka_unit_test(counts),
        cmocka_unit_test(policy),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
