#include <sodium.h>
#include <stdlib.h>

#include "tests/mutate.h"
#include "tests/world.h"

static struct world W;

/* A card with one of everything: doria's, with a witness, an alternate, revoked and resumed things.
 */
static void rich(struct card *card)
{
    struct world_key key = world_key("doria/witness");

    world_card(card, REALM_LIVE, WORLD_DORIA, WORLD_NOW);
    card->serial = 2;
    memset(card->previous, 0xab, 32);
    document_note_key(&card->witness, span_str("doria.example/witness"), NOTE_COSIGNATURE, key.pk);
    card->has_witness = true;
    card->witness_office = span_str("technical");
    card->poc[0].alternate[card->poc[0].n_alternates++] = span_str("doria.diplomatic");
    card->n_revoked = 2;
    memset(card->revoked[0].key, 0x11, 32);
    card->revoked[0].since_ms = 5;
    memset(card->revoked[1].key, 0x12, 32);
    card->n_resumed = 1;
    memset(card->resumed[0], 0x13, 32);
}

static void rich_text(struct buf *text)
{
    struct card card;

    rich(&card);
    assert_int_equal(card_print(text, REALM_LIVE, &card), 0);
    world_card_release(&card);
}

/* Parse a text as a note, and print what was parsed. */
static int read_text(struct span text)
{
    struct card *card = NULL;
    struct buf note, printed;
    int rc;

    buf_init(&note, 1 << 21);
    world_sign_roots(&note, text, "doria");
    rc = card_new(&card, REALM_LIVE, buf_span(&note), NULL);
    assert_int_equal(card == NULL, rc != 0);
    if (!rc) {
        buf_init(&printed, DOCUMENT_MAX);
        assert_int_equal(card_print(&printed, REALM_LIVE, card), 0);
        check_reprint(text, &printed);
        buf_release(&printed);
    }
    card_free(card);
    buf_release(&note);
    return rc;
}

static void fields(void **state)
{
    struct buf text, note;
    struct card *card;

    (void)state;
    buf_init(&text, DOCUMENT_MAX);
    buf_init(&note, DOCUMENT_MAX);
    rich_text(&text);
    world_sign_roots(&note, buf_span(&text), "doria");
    assert_int_equal(card_new(&card, REALM_LIVE, buf_span(&note), NULL), 0);
    assert_true(span_eq_str(card->party, "doria"));
    assert_int_equal(card->serial, 2);
    assert_int_equal(card->threshold, 2);
    assert_int_equal(card->n_roots, 3);
    assert_true(card->has_witness);
    assert_string_equal(card->witness.name, "doria.example/witness");
    assert_int_equal(card->witness.type, NOTE_COSIGNATURE);
    assert_int_equal(card->n_pocs, 1);
    assert_string_equal(card->poc[0].name, "doria.technical");
    assert_true(span_eq_str(card->poc[0].languages, "en,fr"));
    assert_int_equal(card->poc[0].n_keys, 4);
    assert_int_equal(card->poc[0].key[0].permissions, PERM_MACHINE);
    assert_int_equal(card->poc[0].key[1].permissions, PERM_DRAFT | PERM_RELEASE | PERM_ACKNOWLEDGE);
    assert_true(span_eq_str(card->poc[0].key[1].holder, "officer-1"));
    assert_true(span_eq_str(card->poc[0].alternate[0], "doria.diplomatic"));
    assert_true(span_eq_str(card->host[0].origin, "doria.example/live/doria/1"));
    assert_true(span_eq_str(card->host[0].endpoint[0], "tcp://127.0.0.1:41873"));
    assert_int_equal(card->n_revoked, 2);
    assert_int_equal(card->revoked[0].since_ms, 5);
    assert_int_equal(card->n_resumed, 1);
    assert_non_null(card_poc(card, span_str("doria.technical")));
    assert_null(card_poc(card, span_str("doria.technica")));
    card_free(card);
    buf_release(&note);
    buf_release(&text);
}

#define X40 "0123456789012345678901234567890123456789"
#define X50 X40 "0123456789"
static void rows(void **state)
{
    static const struct mutation table[] = {
        { "good", NULL, NULL, 0 },
        { "other realm", "hotline/1 live", "hotline/1 exercise", -HL_EREALM },
        { "other type", "live card", "live stop", -HL_EFORMAT },
        { "party in capitals", "party doria", "party Doria", -HL_EFORMAT },
        { "party too long", "party doria", "party doria-doria-doria-doria-doria-doria",
          -HL_EFORMAT },
        { "serial 0", "serial 2", "serial 0", -HL_EFORMAT },
        { "serial 02", "serial 2", "serial 02", -HL_EFORMAT },
        { "serial 2^63", "serial 2", "serial 9223372036854775808", -HL_EFORMAT },
        { "serial -1", "serial 2", "serial -1", -HL_EFORMAT },
        { "first serial with a previous", "serial 2", "serial 1", -HL_EFORMAT },
        { "later serial without previous",
          "previous q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s=", "previous -", -HL_EFORMAT },
        { "previous of zeros", "previous q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s=",
          "previous AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", -HL_EFORMAT },
        { "previous with stray bits", "q6urq6s=", "q6urq6t=", -HL_EFORMAT },
        { "valid backwards", "valid 1732240142000", "valid 1932240142000", -HL_EFORMAT },
        { "valid for no time", "valid 1732240142000", "valid 1858384142000", -HL_EFORMAT },
        { "threshold 0", "threshold 2", "threshold 0", -HL_EFORMAT },
        { "threshold over the set", "threshold 2", "threshold 4", -HL_EFORMAT },
        { "threshold over all", "threshold 2", "threshold 6", -HL_EFORMAT },
        { "threshold with a sign", "threshold 2", "threshold +2", -HL_EFORMAT },
        { "root of small order", "root x7Orb+salfpNWt5vW4nAert8GUlM8z4caA0T43snJ2s=",
          "root AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", -HL_EBADKEY },
        { "witness at no office", "= technical\npoc", "= diplomatic\npoc", -HL_EFORMAT },
        { "witness name with a plus", "doria.example/witness", "doria.example+witness",
          -HL_EFORMAT },
        { "office twice", "\nhost",
          "\npoc technical en 24/7\ntransport "
          "CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nkey "
          "WGZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmY= machine station station\nhost",
          -HL_EDUPLICATE },
        { "another office", "\nhost",
          "\npoc legal en 0800-1600\ntransport "
          "CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nkey "
          "WGZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmY= machine station station\nhost",
          0 },
        { "attendance", "en,fr 24/7", "en,fr 24/8", -HL_EFORMAT },
        { "languages", "en,fr 24/7", "en,,fr 24/7", -HL_EFORMAT },
        { "transport of small order", "transport JXmaOIMZSC7GpmIA3RdlUgKn5pBBx/iJJzr4eqiclHA=",
          "transport AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", -HL_EBADKEY },
        { "transport key is also a curve key",
          "transport JXmaOIMZSC7GpmIA3RdlUgKn5pBBx/iJJzr4eqiclHA=",
          "transport Pu4ywMMgqEfDSfaabPzlgW9qEaJ8UE4zvxSmLlan2xY=", -HL_EDUPLICATE },
        { "position key is also a root", "key WsEfB95XVRI4IumXeo74Hb1ISIYJV2XRcyI4waNy0RA=",
          "key 2NGjHpOnBNR3XT+HsWZQuWnptRO66KsLYuOi0r9g9Go=", -HL_EDUPLICATE },
        { "position key is also the machine's", "key WsEfB95XVRI4IumXeo74Hb1ISIYJV2XRcyI4waNy0RA=",
          "key H3sl9w+v4nQnrzDXRmLVraf/kZX+Sa1/0ex/MY861o8=", -HL_EDUPLICATE },
        { "position key is also the log's", "key WsEfB95XVRI4IumXeo74Hb1ISIYJV2XRcyI4waNy0RA=",
          "key 4fOL4cOaD2sm8F+rMHnIjZGQY674p6aGsUDDAow36m4=", -HL_EDUPLICATE },
        { "a listed key is revoked", "revoked ERERERERERERERERERERERERERERERERERERERERERE=",
          "revoked H3sl9w+v4nQnrzDXRmLVraf/kZX+Sa1/0ex/MY861o8=", -HL_EDUPLICATE },
        { "revoked twice", "revoked ERERERERERERERERERERERERERERERERERERERERERE=",
          "revoked EhISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhI=", -HL_EDUPLICATE },
        { "revoked without since", "ERERE= 5", "ERERE=", -HL_EFORMAT },
        { "permissions out of order", "draft,acknowledge officer-2", "acknowledge,draft officer-2",
          -HL_EFORMAT },
        { "permission twice", "draft,acknowledge officer-2", "draft,draft officer-2", -HL_EFORMAT },
        { "permission unknown", "draft,acknowledge officer-2", "draft,forge officer-2",
          -HL_EFORMAT },
        { "machine and release", " machine station", " release,machine station", -HL_EFORMAT },
        { "machine at a position", " machine station station", " machine station watch-9",
          -HL_EFORMAT },
        { "person at the station", "officer-2 watch-2", "officer-2 station", -HL_EFORMAT },
        { "position twice", "officer-2 watch-2", "officer-2 watch-1", -HL_EDUPLICATE },
        { "holder in capitals", "officer-2", "Officer-2", -HL_EFORMAT },
        { "alternate without party", "alternate doria.diplomatic", "alternate diplomatic",
          -HL_EFORMAT },
        { "alternate is the PoC", "alternate doria.diplomatic", "alternate doria.technical",
          -HL_EFORMAT },
        { "alternate twice", "alternate doria.diplomatic",
          "alternate doria.diplomatic\nalternate doria.diplomatic", -HL_EDUPLICATE },
        { "host of another realm", "doria.example/live/", "doria.example/exercise/", -HL_EFORMAT },
        { "host of another party", "live/doria/1", "live/caldera/1", -HL_EFORMAT },
        { "host twice", "\nrevoked",
          "\nhost doria.example/live/doria/1 "
          "WGZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmY=\ncurve "
          "CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nendpoint tcp://h:1\nrevoked",
          -HL_EDUPLICATE },
        { "endpoint", "tcp://127", "ipc://127", -HL_EFORMAT },
        { "endpoint without an address", "tcp://127.0.0.1:41873", "tcp://", -HL_EFORMAT },
        { "endpoint of one letter", "tcp://127.0.0.1:41873", "tcp://h", 0 },
        { "endpoint of 256 bytes", "127.0.0.1", X50 X50 X50 X50 X40 "0123", -HL_EFORMAT },
        { "endpoint of 255 bytes", "127.0.0.1", X50 X50 X50 X50 X40 "012", 0 },
        { "resumed is no digest", "resumed ExMT", "resumed Ex", -HL_EFORMAT },
        { "seventeen languages of a line", "en,fr 24/7",
          "en,fr,aa,bb,cc,dd,ee,ff,gg,hh,ii,jj,kk,ll,mm,nn,oo,pp 24/7", 0 },
    };
    struct buf text;

    (void)state;
    buf_init(&text, DOCUMENT_MAX);
    rich_text(&text);
    mutate_rows(buf_span(&text), table, COUNT(table), read_text);
    buf_release(&text);
}

/* Too many of everything that repeats. */
static void counts(void **state)
{
    static const struct {
        const char *name, *before, *line;
        int at_most, there; /* allowed; already in the text */
    } rows[] = {
        { "transport", "\nkey", "\ntransport ", CARD_TRANSPORT, 1 },
        { "key", "\nalternate", "\nkey ", CARD_KEYS, 4 },
        { "alternate", "\nhost", "\nalternate ", CARD_ALTERNATES, 1 },
        { "curve", "\nendpoint", "\ncurve ", CARD_ENDPOINTS, 1 },
        { "endpoint", "\nrevoked", "\nendpoint ", CARD_ENDPOINTS, 1 },
        { "revoked", "\nresumed", "\nrevoked ", CARD_REVOKED, 2 },
    };
    struct buf good, lines, text;

    (void)state;
    buf_init(&good, DOCUMENT_MAX);
    buf_init(&lines, DOCUMENT_MAX);
    buf_init(&text, DOCUMENT_MAX);
    rich_text(&good);
    for (size_t i = 0; i < COUNT(rows); i++)
        for (int over = 0; over <= 1; over++) {
            struct mutation m = { rows[i].name, rows[i].before, NULL, over ? -HL_ETOOBIG : 0 };

            buf_clear(&lines);
            for (int n = rows[i].there; n < rows[i].at_most + over; n++) {
                char label[32];
                struct world_key key;

                snprintf(label, sizeof(label), "extra-%d", n);
                key = i == 0 || i == 3 ? world_xkey(label) : world_key(label);
                buf_put_str(&lines, rows[i].line);
                if (i == 2)
                    buf_printf(&lines, "caldera.%s", label);
                else if (i == 4)
                    buf_printf(&lines, "tcp://%s:1", label);
                else
                    text_base64(&lines, SPAN(key.pk, 32));
                if (i == 1)
                    buf_printf(&lines, " draft %s %s", label, label);
                if (i == 5)
                    buf_put_str(&lines, " 1");
            }
            buf_put_str(&lines, rows[i].before);
            m.put = buf_str(&lines);
            mutate_text(&text, buf_span(&good), &m);
            CHECK_EQ(read_text(buf_span(&text)), m.want, rows[i].name);
        }
    buf_release(&good);
    buf_release(&lines);
    buf_release(&text);
}

static void every_line(void **state)
{
    struct buf text;

    (void)state;
    buf_init(&text, DOCUMENT_MAX);
    rich_text(&text);
    /* optional lines dropped, exchangeable ones exchanged, an endpoint said twice: each prints as
     * it was read */
    assert_in_range(mutate_lines(buf_span(&text), read_text), 1, 40);
    buf_release(&text);
}

/* Without a host nothing but the name's own rule stands between it and the PoC's name. */
static void party_names(void **state)
{
    static const struct mutation table[] = {
        { "good", NULL, NULL, 0 },
        { "capitals", "party arcadia", "party Arcadia", -HL_EFORMAT },
        { "31 bytes", "party arcadia", "party a123456789012345678901234567890", 0 },
        { "32 bytes", "party arcadia", "party a1234567890123456789012345678901", -HL_EFORMAT },
        { "with a dot", "party arcadia", "party arcadia.x", -HL_EFORMAT },
    };
    struct card card;
    struct buf text;

    (void)state;
    world_card(&card, REALM_LIVE, WORLD_ARCADIA, WORLD_NOW);
    for (size_t i = 0; i < card.n_pocs; i++)
        card.poc[i].n_alternates = 0;
    buf_init(&text, DOCUMENT_MAX);
    card_print(&text, REALM_LIVE, &card);
    mutate_rows(buf_span(&text), table, COUNT(table), read_text);
    buf_release(&text);
    world_card_release(&card);
}

/* Two keys whose key ids under the PoC's name are equal; found by trying 100,000 labels, in
 * seconds. */
static void shared_key_id(void **state)
{
    static const char *const labels[] = { "grind-5930", "grind-100729" };
    struct buf text;

    (void)state;
    for (size_t both = 0; both <= 1; both++) {
        struct card card;

        world_card(&card, REALM_LIVE, WORLD_DORIA, WORLD_NOW);
        for (size_t i = 0; i <= both; i++) {
            struct world_key key = world_key(labels[i]);

            memcpy(card.poc[0].key[1 + i].key, key.pk, 32);
        }
        buf_init(&text, DOCUMENT_MAX);
        card_print(&text, REALM_LIVE, &card);
        assert_int_equal(read_text(buf_span(&text)), both ? -HL_EDUPLICATE : 0);
        buf_release(&text);
        world_card_release(&card);
    }
}

/* Random cards print to what parses to the same. */
static void any_card(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 60; n++) {
        struct card card;
        struct buf text;

        world_card(&card, REALM_LIVE, (int)(n % WORLD_PARTIES), WORLD_NOW);
        card.serial = 1 + n % 3;
        memset(card.previous, card.serial > 1 ? 0x77 : 0, 32);
        card.threshold = 1 + n % 3;
        card.n_roots = 3;
        card.n_pocs = n % 5 == 4 ? 0 : card.n_pocs;
        card.has_witness = card.has_witness && n % 2 && card.n_pocs;
        card.n_hosts = n % 7 == 3 ? 0 : card.n_hosts;
        for (size_t i = 0; i < card.n_pocs; i++) {
            card.poc[i].n_keys = 1 + (n + i) % card.poc[i].n_keys;
            card.poc[i].n_alternates = 0;
            card.poc[i].attendance = span_str(n % 2 ? "2200-0600" : "24/7");
        }
        card.n_revoked = n % 4;
        for (size_t i = 0; i < card.n_revoked; i++)
            randombytes_buf(card.revoked[i].key, 32);
        card.n_resumed = n % 3;
        for (size_t i = 0; i < card.n_resumed; i++)
            randombytes_buf(card.resumed[i], 32);
        buf_init(&text, DOCUMENT_MAX);
        assert_int_equal(card_print(&text, REALM_LIVE, &card), 0);
        assert_int_equal(read_text(buf_span(&text)), 0);
        buf_release(&text);
        world_card_release(&card);
    }
}

/* ---- who signs ---- */

/* Print, sign by the roots named "a1".. (of doria) and parse. */
static struct card *signed_card(struct card *filled, const char *const *labels, size_t n)
{
    struct buf text, note;
    struct card *card;

    buf_init(&text, DOCUMENT_MAX);
    buf_init(&note, DOCUMENT_MAX);
    card_print(&text, REALM_LIVE, filled);
    world_sign(&note, buf_span(&text), "doria", labels, n);
    assert_int_equal(card_new(&card, REALM_LIVE, buf_span(&note), NULL), 0);
    buf_release(&text);
    buf_release(&note);
    return card;
}

static void set_roots(struct card *card, const char *const *labels, size_t n, unsigned threshold)
{
    card->n_roots = n;
    card->threshold = threshold;
    for (size_t i = 0; i < n; i++) {
        struct world_key key = world_key(labels[i]);

        memcpy(card->root[i], key.pk, 32);
    }
}

static void thresholds(void **state)
{
    static const char *const old_set[] = { "o/1", "o/2", "o/3" };
    static const char *const new_set[] = { "o/3", "n/1", "n/2" };
    static const struct {
        const char *name, *by[6];
        int change; /* 1: other previous, 2: serial 3, 3: other party */
        int want;
    } rows[] = {
        { "both thresholds", { "o/1", "o/2", "n/1", "n/2" }, 0, 0 },
        { "one key of both sets counts in both", { "o/1", "o/3", "n/1" }, 0, 0 },
        { "all", { "o/1", "o/2", "o/3", "n/1", "n/2" }, 0, 0 },
        { "the new set alone", { "n/1", "n/2" }, 0, -HL_ESIG },
        { "the old set alone", { "o/1", "o/2" }, 0, -HL_ESIG },
        { "one of the old", { "o/1", "n/1", "n/2" }, 0, -HL_ESIG },
        { "one of the new", { "o/1", "o/2", "n/1" }, 0, -HL_ESIG },
        { "a stranger too", { "o/1", "o/2", "n/1", "n/2", "x/1" }, 0, -HL_ESIG },
        { "another previous", { "o/1", "o/2", "n/1", "n/2" }, 1, -HL_ECHAIN },
        { "a serial left out", { "o/1", "o/2", "n/1", "n/2" }, 2, -HL_ECHAIN },
    };
    struct card filled;
    struct card *prev;

    (void)state;
    world_card(&filled, REALM_LIVE, WORLD_DORIA, WORLD_NOW);
    set_roots(&filled, old_set, 3, 2);
    prev = signed_card(&filled, old_set, 2);
    assert_int_equal(card_verify(prev, NULL), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct card *card;
        size_t n = 0;

        set_roots(&filled, new_set, 3, 2);
        filled.serial = rows[i].change == 2 ? 3 : 2;
        memcpy(filled.previous, prev->digest, 32);
        filled.previous[0] ^= rows[i].change == 1;
        while (rows[i].by[n])
            n++;
        card = signed_card(&filled, rows[i].by, n);
        CHECK_EQ(card_verify(card, prev), rows[i].want, rows[i].name);
        card_free(card);
    }
    card_free(prev);
    world_card_release(&filled);
}

static void first_card(void **state)
{
    static const char *const set[] = { "o/1", "o/2", "o/3" };
    static const struct {
        const char *name, *by[4];
        unsigned threshold;
        int want;
    } rows[] = {
        { "one of one", { "o/1" }, 1, 0 },
        { "two where one is enough", { "o/1", "o/2" }, 1, 0 },
        { "one of two", { "o/1" }, 2, -HL_ESIG },
        { "three of three", { "o/1", "o/2", "o/3" }, 3, 0 },
        { "a stranger", { "x/1" }, 1, -HL_ESIG },
        { "a stranger beside", { "o/1", "x/1" }, 1, -HL_ESIG },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct card filled, *card;
        size_t n = 0;

        world_card(&filled, REALM_LIVE, WORLD_DORIA, WORLD_NOW);
        set_roots(&filled, set, 3, rows[i].threshold);
        while (rows[i].by[n])
            n++;
        card = signed_card(&filled, rows[i].by, n);
        CHECK_EQ(card_verify(card, NULL), rows[i].want, rows[i].name);
        card_free(card);
        world_card_release(&filled);
    }
}

static int judge(struct span note)
{
    struct card *card;
    int rc = card_new(&card, REALM_LIVE, note, NULL);

    if (!rc)
        rc = card_verify(card, NULL);
    if (card)
        card_free(card);
    return rc;
}

static void every_byte(void **state)
{
    (void)state;
    assert_int_equal(judge(buf_span(&W.card[WORLD_DORIA])), 0);
    mutate_bytes(buf_span(&W.card[WORLD_DORIA]), judge);
}

/* ---- small things ---- */

static void fingerprints(void **state)
{
    uint8_t root[2][32] = { { 1 }, { 2 } }, fp[6][32];

    (void)state;
    card_fingerprint(fp[0], REALM_LIVE, 1, (const uint8_t(*)[32])root, 2);
    card_fingerprint(fp[1], REALM_EXERCISE, 1, (const uint8_t(*)[32])root, 2);
    card_fingerprint(fp[2], REALM_LIVE, 2, (const uint8_t(*)[32])root, 2);
    card_fingerprint(fp[3], REALM_LIVE, 1, (const uint8_t(*)[32])root, 1);
    root[1][31] = 1;
    card_fingerprint(fp[4], REALM_LIVE, 1, (const uint8_t(*)[32])root, 2);
    root[1][31] = 0;
    card_fingerprint(fp[5], REALM_LIVE, 1, (const uint8_t(*)[32])root, 2);
    for (size_t a = 0; a < 5; a++)
        for (size_t b = a + 1; b < 5; b++)
            assert_memory_not_equal(fp[a], fp[b], 32);
    assert_memory_equal(fp[0], fp[5], 32);
}

static void permission_words(void **state)
{
    (void)state;
    for (unsigned p = 1; p < 64; p++) {
        bool lawful = !(p & PERM_MACHINE) || p == PERM_MACHINE;
        struct buf text;
        unsigned again;

        buf_init(&text, 128);
        permissions_print(&text, p);
        CHECK_EQ(permissions_parse(&again, buf_span(&text)), lawful ? 0 : -HL_EFORMAT,
                 buf_str(&text));
        if (lawful)
            CHECK_EQ(again, p, buf_str(&text));
        buf_release(&text);
    }
    for (size_t i = 0; i < 4; i++) {
        static const char *const bad[] = { "", ",", "draft,", ",draft" };
        unsigned p;

        CHECK_EQ(permissions_parse(&p, span_str(bad[i])), -HL_EFORMAT, bad[i]);
    }
}

static void attendance(void **state)
{
    static const struct {
        const char *text;
        int want;
        unsigned from, until;
    } rows[] = {
        { "24/7", 0, 0, 1440 },
        { "0800-1600", 0, 480, 960 },
        { "2200-0600", 0, 1320, 360 },
        { "0000-2400", 0, 0, 1440 },
        { "2400-0100", -HL_EFORMAT, 0, 0 },
        { "0800-0800", -HL_EFORMAT, 0, 0 },
        { "0860-1600", -HL_EFORMAT, 0, 0 },
        { "0800-2401", -HL_EFORMAT, 0, 0 },
        { "800-1600", -HL_EFORMAT, 0, 0 },
        { "0x00-1600", -HL_EFORMAT, 0, 0 },
        { "0800 1600", -HL_EFORMAT, 0, 0 },
        { "08:0-1600", -HL_EFORMAT, 0, 0 },
        { "", -HL_EFORMAT, 0, 0 },
        { "0800-16000", -HL_EFORMAT, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        unsigned from, until;

        CHECK_EQ(attendance_parse(span_str(rows[i].text), &from, &until), rows[i].want,
                 rows[i].text);
        if (!rows[i].want) {
            CHECK_EQ(from, rows[i].from, rows[i].text);
            CHECK_EQ(until, rows[i].until, rows[i].text);
        }
    }
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
        cmocka_unit_test(fields),       cmocka_unit_test(rows),
        cmocka_unit_test(counts),       cmocka_unit_test(every_line),
        cmocka_unit_test(party_names),  cmocka_unit_test(shared_key_id),
        cmocka_unit_test(any_card),     cmocka_unit_test(thresholds),
        cmocka_unit_test(first_card),   cmocka_unit_test(every_byte),
        cmocka_unit_test(fingerprints), cmocka_unit_test(permission_words),
        cmocka_unit_test(attendance),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
