#include <sodium.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/record.h"
#include "common/rules.h"
#include "tests/mutate.h"
#include "tests/world.h"

static struct world W;
static struct directory *dir;
static uint64_t next; /* index of the next entry */

/* Each test begins with the world folded in, unless it starts on its own. */
static int begin(void **state)
{
    (void)state;
    world_init(&W, REALM_LIVE, WORLD_NOW);
    dir = world_directory(&W);
    next = WORLD_DOCUMENTS;
    return 0;
}

static int end(void **state)
{
    (void)state;
    directory_free(dir);
    world_release(&W);
    return 0;
}

static int check(struct span note)
{
    return directory_check(dir, note, WORLD_NOW, true, NULL, NULL);
}

/* check says what apply does, and changes nothing. */
static int apply(struct span note)
{
    int rc = check(note), again = directory_apply(dir, note, next, WORLD_NOW, true, NULL, NULL);

    assert_int_equal(rc, again);
    next += rc == 0;
    return rc;
}

/* ---- makers: each returns a note in a static buffer ---- */

static struct buf note_;

static struct span fresh(void)
{
    if (note_.max == 0)
        buf_init(&note_, DOCUMENT_MAX);
    buf_clear(&note_);
    return SPAN_NONE;
}

typedef void (*edit)(struct card *card);

/* The party's card with @serial after the note @prev, changed by @change, signed by @labels (NULL:
 * its roots). */
static struct span card_after(int party, struct span prev, edit change, const char *const *labels,
                              size_t n)
{
    struct card card;
    struct buf text;

    fresh();
    buf_init(&text, DOCUMENT_MAX);
    world_card(&card, W.realm, party, W.now_ms);
    if (prev.n)
        world_next_card(&card, prev);
    if (change)
        change(&card);
    card_print(&text, W.realm, &card);
    if (labels)
        world_sign(&note_, buf_span(&text), world_party[party], labels, n);
    else
        world_sign_roots(&note_, buf_span(&text), world_party[party]);
    world_card_release(&card);
    buf_release(&text);
    return buf_span(&note_);
}

/* The next card of the party; W.card keeps the newest that was taken. */
static int apply_card(int party, edit change)
{
    struct span note = card_after(party, buf_span(&W.card[party]), change, NULL, 0);
    int rc = apply(note);

    if (!rc) {
        buf_clear(&W.card[party]);
        buf_put_span(&W.card[party], note);
    }
    return rc;
}

static struct span stop_note(const char *party, uint64_t serial, enum stop_what what,
                             const uint8_t *id, const char *signer_name, const char *const *labels,
                             size_t n)
{
    struct stop s = { .party = span_str(party),
                      .card = serial,
                      .what = what,
                      .origin = span_str(W.origin),
                      .reason = span_str("lost") };
    struct buf text;

    fresh();
    buf_init(&text, DOCUMENT_MAX);
    if (id)
        memcpy(s.id, id, 32);
    stop_print(&text, W.realm, &s);
    world_sign(&note_, buf_span(&text), signer_name, labels, n);
    buf_release(&text);
    return buf_span(&note_);
}

static int stop_by_roots(int party, uint64_t serial, enum stop_what what, const uint8_t *id)
{
    char label[2][64];
    const char *const labels[] = { label[0], label[1] };
    struct world_key key[2];
    struct note_key line[2];

    for (int i = 0; i < 2; i++) {
        snprintf(label[i], sizeof(label[i]), "%s/root-%d", world_party[party], i + 1);
        key[i] = world_key(label[i]);
        document_note_key(&line[i], span_str(world_party[party]), NOTE_ED25519, key[i].pk);
    }
    return apply(stop_note(world_party[party], serial, what, id, world_party[party], labels, 2));
}

static struct span subkeys_note(const char *poc, uint64_t serial, uint64_t first, size_t days)
{
    struct subkeys s;

    fresh();
    world_subkeys(&s, poc, serial, first, days);
    world_announce(&note_, W.realm, &s);
    return buf_span(&note_);
}

static int key_rc(uint64_t at, const char *label)
{
    struct world_key key = world_key(label);
    struct key_facts facts;

    return directory_key(dir, at, WORLD_NOW, key.pk, &facts);
}

static int channel_rc(uint64_t at, int channel)
{
    struct channel_facts facts;

    return directory_channel(dir, at, WORLD_NOW, W.channel[channel], &facts);
}

/* ---- what the world establishes ---- */

static void in_force_from_its_entry(void **state)
{
    struct world_key key = world_key("borealia.technical/watch-2");
    struct key_facts facts;

    (void)state;
    /* borealia's card is entry 1: what stands below 2 knows it */
    assert_int_equal(directory_key(dir, 1, WORLD_NOW, key.pk, &facts), -HL_EKEY);
    assert_int_equal(directory_key(dir, 2, WORLD_NOW, key.pk, &facts), 0);
    assert_int_equal(directory_key(dir, DIRECTORY_NOW, WORLD_NOW, key.pk, &facts), 0);
    assert_true(span_eq_str(facts.poc, "borealia.technical"));
    assert_true(span_eq_str(facts.holder, "officer-2"));
    assert_true(span_eq_str(facts.position, "watch-2"));
    assert_int_equal(facts.permissions, PERM_DRAFT | PERM_RELEASE | PERM_ACKNOWLEDGE);
    assert_null(directory_card(dir, 0, span_str("arcadia")));
    assert_non_null(directory_card(dir, 1, span_str("arcadia")));
    assert_null(directory_card(dir, DIRECTORY_NOW, span_str("eland")));
    assert_non_null(directory_poc(dir, 1, span_str("arcadia.technical")));
    assert_null(directory_poc(dir, DIRECTORY_NOW, span_str("arcadia.legal")));
    assert_null(directory_poc(dir, DIRECTORY_NOW, span_str("arcadia")));
}

static void keys_of_other_uses_do_not_sign(void **state)
{
    static const char *const labels[] = { "arcadia/root-1", "arcadia/witness", "doria/log",
                                          "arcadia.technical/transport" };

    (void)state;
    for (size_t i = 0; i < COUNT(labels); i++)
        CHECK_EQ(key_rc(DIRECTORY_NOW, labels[i]), -HL_EKEY, labels[i]);
    assert_int_equal(key_rc(DIRECTORY_NOW, "arcadia.technical/watch-1"), 0);
}

static void validity_by_the_given_time(void **state)
{
    static const struct {
        const char *name;
        uint64_t time_ms;
        int want;
    } rows[] = {
        { "before", WORLD_NOW - 2 * WORLD_YEAR_MS - 1, -HL_EVALIDITY },
        { "first ms", WORLD_NOW - 2 * WORLD_YEAR_MS, 0 },
        { "last ms", WORLD_NOW + 2 * WORLD_YEAR_MS - 1, 0 },
        { "after", WORLD_NOW + 2 * WORLD_YEAR_MS, -HL_EVALIDITY },
        { "recorded: not judged", DIRECTORY_RECORDED, 0 },
    };
    struct world_key key = world_key("arcadia.technical/watch-1");
    struct world_key transport = world_xkey("arcadia.technical/transport");
    struct channel_facts channel;
    struct key_facts facts;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_EQ(directory_key(dir, DIRECTORY_NOW, rows[i].time_ms, key.pk, &facts), rows[i].want,
                 rows[i].name);
        CHECK_EQ(directory_transport(dir, rows[i].time_ms, transport.pk).n > 0, rows[i].want == 0,
                 rows[i].name);
    }
    assert_int_equal(directory_channel(dir, DIRECTORY_NOW, WORLD_NOW - WORLD_YEAR_MS - 1,
                                       W.channel[0], &channel),
                     -HL_EVALIDITY);
    assert_non_null(channel.agreement);
    assert_int_equal(
        directory_channel(dir, DIRECTORY_NOW, WORLD_NOW - WORLD_YEAR_MS, W.channel[0], &channel),
        0);
}

struct tally {
    size_t n;
    char last[64];
};

static void count_transport(void *arg, const uint8_t key[static 32], struct span poc)
{
    struct tally *s = arg;

    assert_true(span_eq(directory_transport(dir, WORLD_NOW, key), poc));
    s->n++;
}

static int count_card(void *arg, const struct card *card)
{
    struct tally *s = arg;

    s->n++;
    assert_true(span_cmp(span_str(s->last), card->party) < 0); /* ascending */
    snprintf(s->last, sizeof(s->last), "%.*s", (int)card->party.n, (const char *)card->party.p);
    return 0;
}

static void look_ups(void **state)
{
    struct world_key witness = world_key("caldera/witness");
    struct world_key stranger = world_xkey("stranger");
    struct tally seen = { 0, "" };
    char poc[64];

    (void)state;
    directory_each_transport(dir, WORLD_NOW, count_transport, &seen);
    assert_int_equal(seen.n, WORLD_POCS);
    seen.n = 0;
    directory_each_card(dir, count_card, &seen);
    assert_int_equal(seen.n, WORLD_PARTIES);
    assert_int_equal(directory_transport(dir, WORLD_NOW, stranger.pk).n, 0);
    assert_int_equal(directory_witness(dir, DIRECTORY_NOW, witness.pk, poc), 0);
    assert_string_equal(poc, "caldera.technical");
    assert_int_equal(directory_witness(dir, 2, witness.pk, poc), -HL_ENOENT);
    assert_int_equal(directory_witness(dir, DIRECTORY_NOW, stranger.pk, poc), -HL_ENOENT);
    assert_int_equal(
        directory_witness(dir, DIRECTORY_NOW, world_key("arcadia.technical/watch-1").pk, poc),
        -HL_ENOENT);
    assert_int_equal(stop_by_roots(WORLD_CALDERA, 1, STOP_KEY, witness.pk), 0);
    assert_int_equal(directory_witness(dir, DIRECTORY_NOW, witness.pk, poc), -HL_ENOENT);
    assert_non_null(directory_host(dir, DIRECTORY_NOW, span_str(W.origin)));
    assert_null(directory_host(dir, 3, span_str(W.origin)));
    assert_null(directory_host(dir, DIRECTORY_NOW, span_str("other.example/live/doria/1")));
    assert_int_equal(
        directory_release_holders(dir, DIRECTORY_NOW, WORLD_NOW, span_str("arcadia.technical")), 2);
    assert_int_equal(
        directory_release_holders(dir, DIRECTORY_NOW, WORLD_NOW, span_str("arcadia.diplomatic")),
        1);
    assert_int_equal(
        directory_release_holders(dir, DIRECTORY_NOW, WORLD_NOW, span_str("eland.technical")), 0);
}

/* ---- cards ---- */

static void first_card_and_fingerprint(void **state)
{
    struct directory *d = directory_new(REALM_LIVE);
    struct span note = buf_span(&W.card[WORLD_ARCADIA]);
    uint8_t other[32] = { 1 }, fp[32];

    (void)state;
    assert_int_equal(directory_check(d, note, WORLD_NOW, false, NULL, NULL), -HL_EADMIT);
    assert_int_equal(directory_check(d, note, WORLD_NOW, true, NULL, NULL), 0);
    assert_false(directory_pinned(d, span_str("arcadia"), fp));
    assert_int_equal(directory_pin(d, span_str("arcadia"), other), 0);
    assert_int_equal(directory_check(d, note, WORLD_NOW, true, NULL, NULL), -HL_EFINGERPRINT);
    assert_int_equal(directory_pin(d, span_str("arcadia"), W.fingerprint[0]), -HL_EFINGERPRINT);
    directory_free(d);
    d = directory_new(REALM_LIVE);
    assert_int_equal(directory_pin(d, span_str("arcadia"), W.fingerprint[0]), 0);
    assert_true(directory_pinned(d, span_str("arcadia"), fp));
    assert_memory_equal(fp, W.fingerprint[0], 32);
    assert_int_equal(directory_apply(d, note, 0, WORLD_NOW, false, NULL, NULL), 0);
    directory_free(d);
    /* a pin that comes after the card is checked as well */
    assert_int_equal(directory_pin(dir, span_str("arcadia"), other), -HL_EFINGERPRINT);
    assert_int_equal(directory_pin(dir, span_str("arcadia"), W.fingerprint[0]), 0);
    assert_int_equal(directory_pin(dir, span_str("Arcadia"), fp), -HL_EFORMAT);
}

static void other_realm(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, REALM_EXERCISE, WORLD_NOW);
    for (size_t i = 0; i < WORLD_DOCUMENTS; i++)
        assert_int_equal(check(world_document(&w, i)), -HL_EREALM);
    world_release(&w);
}

static void skip_serial(struct card *card)
{
    card->serial++;
}

static void other_previous(struct card *card)
{
    card->previous[7] ^= 1;
}

static void later_first(struct card *card)
{
    card->serial = 2;
    memset(card->previous, 9, 32);
}

static void serial_after_serial(void **state)
{
    static const char *const one[] = { "arcadia/root-1" };
    static const struct {
        const char *name;
        edit change;
        const char *const *labels;
        int want;
    } rows[] = {
        { "a serial left out", skip_serial, NULL, -HL_ECHAIN },
        { "another previous", other_previous, NULL, -HL_ECHAIN },
        { "below the threshold", NULL, one, -HL_ESIG },
    };
    struct directory *d = directory_new(REALM_LIVE);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_EQ(apply(card_after(WORLD_ARCADIA, buf_span(&W.card[0]), rows[i].change,
                                  rows[i].labels, 1)),
                 rows[i].want, rows[i].name);
    assert_int_equal(apply(buf_span(&W.card[0])), -HL_EEXIST);
    assert_int_equal(apply_card(WORLD_ARCADIA, NULL), 0);
    assert_int_equal(apply_card(WORLD_ARCADIA, NULL), 0);
    assert_int_equal(directory_card(dir, DIRECTORY_NOW, span_str("arcadia"))->serial, 3);
    assert_int_equal(directory_card(dir, next - 1, span_str("arcadia"))->serial, 2);
    assert_int_equal(directory_card(dir, next - 2, span_str("arcadia"))->serial, 1);
    /* an older serial with another text changes nothing and freezes nobody */
    assert_int_equal(apply(card_after(WORLD_ARCADIA, SPAN_NONE, later_first, NULL, 0)), -HL_ECHAIN);
    assert_false(directory_frozen(dir, span_str("arcadia")));
    /* a chain that does not begin at 1 is not taken */
    assert_int_equal(directory_check(d, buf_span(&W.card[0]), WORLD_NOW, true, NULL, NULL),
                     -HL_ECHAIN);
    directory_free(d);
}

static void new_keys(struct card *card)
{
    struct world_key key = world_key("arcadia.technical/watch-9");

    for (size_t i = 0; i < card->n_pocs; i++)
        if (strcmp(card->poc[i].name, "arcadia.technical") == 0) /* watch-1 gives way */
            memcpy(card->poc[i].key[1].key, key.pk, 32);
}

static void a_card_replaces_keys_at_its_entry(void **state)
{
    uint64_t entry = next, since;
    struct world_key old = world_key("arcadia.technical/watch-1");

    (void)state;
    assert_int_equal(apply_card(WORLD_ARCADIA, new_keys), 0);
    assert_int_equal(key_rc(entry, "arcadia.technical/watch-1"), 0);
    assert_int_equal(key_rc(entry, "arcadia.technical/watch-9"), -HL_EKEY);
    assert_int_equal(key_rc(entry + 1, "arcadia.technical/watch-1"), -HL_EKEY);
    assert_int_equal(key_rc(entry + 1, "arcadia.technical/watch-9"), 0);
    assert_int_equal(key_rc(DIRECTORY_NOW, "arcadia.technical/watch-2"), 0);
    assert_false(directory_revoked(dir, DIRECTORY_NOW, old.pk, &since));
}

static void revoke(struct card *card)
{
    struct world_key mine = world_key("arcadia.technical/watch-1");
    struct world_key theirs = world_key("borealia.technical/watch-1");

    new_keys(card);
    memcpy(card->revoked[0].key, mine.pk, 32);
    card->revoked[0].since_ms = 77;
    memcpy(card->revoked[1].key, theirs.pk, 32);
    card->n_revoked = 2;
}

static void revoked_keys_since(void **state)
{
    struct world_key mine = world_key("arcadia.technical/watch-1");
    struct world_key theirs = world_key("borealia.technical/watch-1");
    uint64_t entry = next, since = 0;

    (void)state;
    assert_int_equal(apply_card(WORLD_ARCADIA, revoke), 0);
    assert_int_equal(key_rc(DIRECTORY_NOW, "arcadia.technical/watch-1"), -HL_ESTOPPED);
    assert_int_equal(key_rc(entry, "arcadia.technical/watch-1"), 0);
    assert_true(directory_revoked(dir, DIRECTORY_NOW, mine.pk, &since));
    assert_int_equal(since, 77);
    assert_false(directory_revoked(dir, entry, mine.pk, &since));
    /* nobody revokes another's key */
    assert_false(directory_revoked(dir, DIRECTORY_NOW, theirs.pk, &since));
    assert_int_equal(key_rc(DIRECTORY_NOW, "borealia.technical/watch-1"), 0);
}

static const char *const rotated[] = { "arcadia/root-1", "arcadia/root-2", "arcadia/new-1",
                                       "arcadia/new-2" };

static void new_roots(struct card *card)
{
    for (size_t i = 0; i < 2; i++) {
        struct world_key key = world_key(rotated[2 + i]);

        memcpy(card->root[i], key.pk, 32);
    }
    card->n_roots = 2;
}

static void roots_are_rotated_by_both_sets(void **state)
{
    struct span prev = buf_span(&W.card[0]);

    (void)state;
    assert_int_equal(check(card_after(WORLD_ARCADIA, prev, new_roots, rotated, 2)), -HL_ESIG);
    assert_int_equal(check(card_after(WORLD_ARCADIA, prev, new_roots, rotated + 2, 2)), -HL_ESIG);
    assert_int_equal(check(card_after(WORLD_ARCADIA, prev, new_roots, rotated + 1, 3)), -HL_ESIG);
    assert_int_equal(apply(card_after(WORLD_ARCADIA, prev, new_roots, rotated, 4)), 0);
    /* the old set signs no more */
    buf_clear(&W.card[0]);
    buf_put_span(&W.card[0], buf_span(&note_));
    assert_int_equal(apply_card(WORLD_ARCADIA, NULL), -HL_ESIG);
}

/* ---- contradictions ---- */

static void one_way(struct card *card)
{
    card->until_ms--;
}

static void other_way(struct card *card)
{
    card->until_ms -= 2;
}

static void third_way(struct card *card)
{
    card->until_ms -= 3;
}

static void another_set(struct card *card)
{
    new_roots(card);
}

static void two_cards_of_one_serial(void **state)
{
    struct span first = buf_span(&W.card[0]), a, b;
    struct buf rival, keep;
    struct card *card;
    uint8_t digest[2][32];

    (void)state;
    buf_init(&rival, DOCUMENT_MAX);
    buf_init(&keep, DOCUMENT_MAX);
    buf_put_span(&rival, card_after(WORLD_ARCADIA, first, other_way, NULL, 0));
    buf_put_span(&keep, card_after(WORLD_ARCADIA, first, one_way, NULL, 0));
    assert_int_equal(apply(buf_span(&keep)), 0);
    /* a rival that is not validly signed freezes nobody */
    assert_int_equal(apply(card_after(WORLD_ARCADIA, first, other_way, rotated, 1)), -HL_ESIG);
    assert_int_equal(apply(card_after(WORLD_ARCADIA, first, other_way, rotated + 2, 2)), -HL_ESIG);
    assert_false(directory_frozen(dir, span_str("arcadia")));
    assert_int_equal(apply(buf_span(&rival)), -HL_ECONFLICT);
    assert_true(directory_frozen(dir, span_str("arcadia")));
    assert_true(directory_conflict(dir, 0, &a, &b));
    assert_true(span_eq(a, buf_span(&keep)) && span_eq(b, buf_span(&rival)));
    assert_false(directory_conflict(dir, 1, &a, &b));
    assert_int_equal(apply(buf_span(&rival)), -HL_ECONFLICT);
    assert_false(directory_conflict(dir, 1, &a, &b)); /* kept once */

    /* frozen: no card, no agreement note; the other parties are free */
    assert_int_equal(apply(card_after(WORLD_ARCADIA, buf_span(&keep), NULL, NULL, 0)),
                     -HL_ECONFLICT);
    assert_int_equal(apply_card(WORLD_BOREALIA, NULL), 0);
    assert_int_equal(directory_card(dir, DIRECTORY_NOW, span_str("arcadia"))->until_ms,
                     WORLD_NOW + 2 * WORLD_YEAR_MS - 1);
    /* but its keys can be taken away, and it stays reachable */
    assert_int_equal(
        stop_by_roots(WORLD_ARCADIA, 2, STOP_KEY, world_key("arcadia.technical/watch-1").pk), 0);
    assert_int_equal(apply(subkeys_note("arcadia.technical", 2, clock_day(WORLD_NOW), 9)), 0);

    /* officers have spoken: the second stands */
    assert_int_equal(card_new(&card, REALM_LIVE, buf_span(&rival), NULL), 0);
    memcpy(digest[1], card->digest, 32);
    card_free(card);
    memset(digest[0], 1, 32);
    assert_int_equal(directory_resolve(dir, span_str("arcadia"), digest[0], next, WORLD_NOW),
                     -HL_ENOENT);
    assert_int_equal(directory_resolve(dir, span_str("borealia"), digest[1], next, WORLD_NOW),
                     -HL_ENOENT);
    assert_int_equal(directory_resolve(dir, span_str("arcadia"), digest[1], next++, WORLD_NOW), 0);
    assert_false(directory_frozen(dir, span_str("arcadia")));
    assert_int_equal(directory_card(dir, DIRECTORY_NOW, span_str("arcadia"))->until_ms,
                     WORLD_NOW + 2 * WORLD_YEAR_MS - 2);
    assert_int_equal(apply(card_after(WORLD_ARCADIA, buf_span(&rival), NULL, NULL, 0)), 0);
    buf_release(&rival);
    buf_release(&keep);
}

static void the_first_one_may_stand_too(void **state)
{
    struct span first = buf_span(&W.card[0]), prev;
    struct buf rival;
    uint8_t digest[32];

    (void)state;
    buf_init(&rival, DOCUMENT_MAX);
    buf_put_span(&rival, card_after(WORLD_ARCADIA, first, other_way, NULL, 0));
    assert_int_equal(apply_card(WORLD_ARCADIA, one_way), 0);
    prev = buf_span(&W.card[0]);
    assert_int_equal(apply(buf_span(&rival)), -HL_ECONFLICT);
    memcpy(digest, directory_card(dir, DIRECTORY_NOW, span_str("arcadia"))->digest, 32);
    assert_int_equal(directory_resolve(dir, span_str("arcadia"), digest, next, WORLD_NOW), 0);
    /* the one that fell does not freeze again */
    assert_int_equal(apply(buf_span(&rival)), -HL_ECHAIN);
    assert_false(directory_frozen(dir, span_str("arcadia")));
    assert_int_equal(apply(card_after(WORLD_ARCADIA, prev, NULL, NULL, 0)), 0);
    buf_release(&rival);
}

static void two_first_cards(void **state)
{
    struct span a, b;

    (void)state;
    /* another root set calls itself arcadia: that is an impostor, not a contradiction */
    assert_int_equal(apply(card_after(WORLD_ARCADIA, SPAN_NONE, another_set, rotated + 2, 2)),
                     -HL_EFINGERPRINT);
    assert_false(directory_frozen(dir, span_str("arcadia")));
    assert_int_equal(apply(card_after(WORLD_ARCADIA, SPAN_NONE, third_way, NULL, 0)),
                     -HL_ECONFLICT);
    assert_true(directory_frozen(dir, span_str("arcadia")));
    assert_true(directory_conflict(dir, 0, &a, &b));
}

static uint64_t shorter_by;

static void shorter(struct card *card)
{
    card->until_ms -= shorter_by;
}

static void evidence_has_a_limit_of_each_party(void **state)
{
    struct span first = buf_span(&W.card[0]), a, b;
    size_t n = 0;

    (void)state;
    assert_int_equal(apply(card_after(WORLD_ARCADIA, first, one_way, NULL, 0)), 0);
    for (shorter_by = 5; shorter_by < 15; shorter_by++)
        assert_int_equal(apply(card_after(WORLD_ARCADIA, first, shorter, NULL, 0)), -HL_ECONFLICT);
    while (directory_conflict(dir, n, &a, &b))
        n++;
    assert_int_equal(n, 4);
}

/* Cards of nearly 60 kB without end: refused to this party, while the others go on. */
static void large(struct card *card)
{
    static char office[CARD_POCS][32], languages[960], alternate[CARD_ALTERNATES][64];
    static uint8_t machine[CARD_POCS][32], transport[CARD_POCS][32];

    snprintf(languages, sizeof(languages), "aa");
    while (strlen(languages) + 36 < sizeof(languages))
        snprintf(languages + strlen(languages), sizeof(languages) - strlen(languages), ",%s",
                 "en-abcdefgh-abcdefgh-abcdefgh-abc");
    for (size_t i = 0; i < CARD_ALTERNATES; i++)
        snprintf(alternate[i], sizeof(alternate[i]), "a%030zu.a%030zu", i, i);
    for (size_t i = 2; i < CARD_POCS; i++) {
        struct card_poc *poc = &card->poc[i];

        snprintf(office[i], sizeof(office[i]), "o%030zu", i);
        if (sodium_is_zero(machine[i], 32)) {
            memcpy(machine[i], world_key(office[i]).pk, 32);
            memcpy(transport[i], world_xkey(office[i]).pk, 32);
        }
        *poc = (struct card_poc){ .office = span_str(office[i]),
                                  .languages = span_str(languages),
                                  .attendance = span_str("24/7"),
                                  .n_transport = 1,
                                  .n_keys = 1,
                                  .n_alternates = CARD_ALTERNATES };
        poc->key[0] = (struct card_key){ .permissions = PERM_MACHINE,
                                         .holder = span_str("station"),
                                         .position = span_str("station") };
        memcpy(poc->key[0].key, machine[i], 32);
        memcpy(poc->transport[0], transport[i], 32);
        for (size_t k = 0; k < CARD_ALTERNATES; k++)
            poc->alternate[k] = span_str(alternate[k]);
    }
    card->n_pocs = CARD_POCS;
}

static void a_party_fills_its_own_place_only(void **state)
{
    uint64_t held = 0;
    int rc = 0;

    (void)state;
    while (!rc) {
        struct span note = card_after(WORLD_ARCADIA, buf_span(&W.card[0]), large, NULL, 0);

        rc = directory_apply(dir, note, next, WORLD_NOW, true, NULL, NULL);
        if (rc)
            break;
        next++;
        held += note.n;
        buf_clear(&W.card[0]);
        buf_put_span(&W.card[0], note);
        assert_in_range(held, 0, 20 << 20);
    }
    assert_int_equal(rc, -HL_EQUOTA);
    assert_in_range(held, 15 << 20, 16 << 20);
    assert_int_equal(apply_card(WORLD_BOREALIA, NULL), 0);
    rc = 0;
    for (uint64_t serial = 2; !rc; serial++) /* smaller ones fit a while longer */
        rc = directory_apply(dir, subkeys_note("arcadia.technical", serial, 20000, 1), next++,
                             WORLD_NOW, true, NULL, NULL);
    assert_int_equal(rc, -HL_EQUOTA);
    /* taking away is always possible */
    assert_int_equal(stop_by_roots(WORLD_ARCADIA,
                                   directory_card(dir, DIRECTORY_NOW, span_str("arcadia"))->serial,
                                   STOP_KEY, world_key("arcadia.technical/watch-1").pk),
                     0);
}

/* ---- keys that already stand ---- */

/* What borealia's next card takes, and where. */
static const char *stolen;
static bool stolen_x;
static enum card_use stolen_use;

static void steal(struct card *card)
{
    struct world_key key = stolen_x ? world_xkey(stolen) : world_key(stolen);
    struct card_poc *poc = &card->poc[1]; /* technical */

    switch (stolen_use) {
    case USE_ROOT:
        memcpy(card->root[2], key.pk, 32);
        break;
    case USE_WITNESS:
        document_note_key(&card->witness, span_str("borealia.example/witness"), NOTE_COSIGNATURE,
                          key.pk);
        break;
    case USE_TRANSPORT:
        memcpy(poc->transport[0], key.pk, 32);
        break;
    case USE_POSITION:
        memcpy(poc->key[1].key, key.pk, 32);
        break;
    case USE_MACHINE:
        memcpy(poc->key[0].key, key.pk, 32);
        break;
    case USE_LOG:
    case USE_CURVE:
        card->n_hosts = 1;
        card->host[0] = (struct card_host){ .origin = span_str("b.example/live/borealia/1"),
                                            .n_curve = 1,
                                            .n_endpoints = 1 };
        card->host[0].endpoint[0] = span_str("tcp://b:1");
        memcpy(card->host[0].log_key, world_key("b/log").pk, 32);
        memcpy(card->host[0].curve[0], world_xkey("b/curve").pk, 32);
        memcpy(stolen_use == USE_LOG ? card->host[0].log_key : card->host[0].curve[0], key.pk, 32);
        break;
    case USE_SUBKEY:
        break;
    }
}

static void no_key_under_two_names_or_uses(void **state)
{
    static const struct {
        const char *label;
        bool x;
    } standing[] = {
        /* of another party, under every use */
        { "arcadia/root-1", false },
        { "arcadia/witness", false },
        { "arcadia.technical/station", false },
        { "arcadia.technical/watch-1", false },
        { "doria/log", false },
        { "arcadia.technical/transport", true },
        { "doria/curve", true },
        { "SUBKEY", true },
        /* of its own, under another use or name */
        { "borealia/root-1", false },
        { "borealia/witness", false },
        { "borealia.diplomatic/station", false },
        { "borealia.diplomatic/watch-1", false },
        { "borealia.technical/chief", false },
        { "borealia.diplomatic/transport", true },
    };
    char subkey[64];

    (void)state;
    snprintf(subkey, sizeof(subkey), "caldera.technical/subkey/1/%llu",
             (unsigned long long)clock_day(WORLD_NOW));
    for (size_t i = 0; i < COUNT(standing); i++)
        for (unsigned use = USE_ROOT; use < USE_SUBKEY; use++) {
            bool x = use == USE_TRANSPORT || use == USE_CURVE;
            char row[128];
            int rc;

            stolen = strcmp(standing[i].label, "SUBKEY") ? standing[i].label : subkey;
            stolen_x = standing[i].x;
            stolen_use = (enum card_use)use;
            if (x != stolen_x)
                continue; /* as a point of the other curve it may not even be a key */
            if (use == USE_ROOT && strcmp(stolen, "borealia/root-1") == 0)
                continue; /* twice in one list: a matter of form */
            rc = check(card_after(WORLD_BOREALIA, buf_span(&W.card[1]), steal, NULL, 0));
            snprintf(row, sizeof(row), "%s as use %u", stolen, use);
            if (use == USE_WITNESS && strcmp(stolen, "borealia/witness") == 0)
                CHECK_EQ(rc, 0, row); /* where it stands already */
            else
                CHECK_EQ(rc, -HL_EDUPLICATE, row);
        }
}

static void relabel(struct card *card)
{
    struct card_key swap = card->poc[1].key[1];

    card->poc[1].key[1].position = card->poc[1].key[2].position;
    card->poc[1].key[2].position = swap.position;
}

static void drop_watch(struct card *card)
{
    card->poc[1].n_keys = 2; /* station, watch-1 */
}

static void a_key_keeps_its_position(void **state)
{
    (void)state;
    assert_int_equal(check(card_after(WORLD_BOREALIA, buf_span(&W.card[1]), relabel, NULL, 0)),
                     -HL_EDUPLICATE);
    /* a key that stands no more is free again, for who holds it */
    assert_int_equal(apply_card(WORLD_BOREALIA, drop_watch), 0);
    stolen = "borealia.technical/watch-2";
    stolen_x = false;
    stolen_use = USE_POSITION;
    assert_int_equal(check(card_after(WORLD_ARCADIA, buf_span(&W.card[0]), steal, NULL, 0)), 0);
}

/* A watch key that becomes the machine's, in one office and one card. */
static void watch_to_station(struct card *card)
{
    struct card_poc *poc = &card->poc[1];

    memcpy(poc->key[0].key, poc->key[1].key, 32);
    poc->key[1] = poc->key[--poc->n_keys];
}

static void a_key_keeps_its_use(void **state)
{
    (void)state;
    assert_int_equal(
        check(card_after(WORLD_BOREALIA, buf_span(&W.card[1]), watch_to_station, NULL, 0)),
        -HL_EDUPLICATE);
}

/* Signed by the roots, but with a key that is none: refused like any other. */
static void no_point(struct card *card)
{
    memset(card->poc[0].key[1].key, 0, 32);
}

/* A subkey that stands no more is a key of the other curve: that it was known does not make it a
 * point. */
static uint8_t old_subkey[32];

static void subkey_as_position(struct card *card)
{
    memcpy(card->poc[0].key[1].key, old_subkey, 32);
}

static void keys_are_points_of_prime_order(void **state)
{
    uint64_t day = clock_day(WORLD_NOW) - 1;

    (void)state;
    assert_int_equal(check(card_after(WORLD_BOREALIA, buf_span(&W.card[1]), no_point, NULL, 0)),
                     -HL_EBADKEY);
    for (int i = 0; i < 30; i++) { /* half of all x-coordinates are no y-coordinate of a point */
        const uint8_t *key =
            directory_subkey(dir, DIRECTORY_NOW, span_str("caldera.technical"), day + (uint64_t)i);

        memcpy(old_subkey, key, 32);
        if (!crypto_core_ed25519_is_valid_point(key))
            break;
    }
    assert_false(crypto_core_ed25519_is_valid_point(old_subkey));
    assert_int_equal(apply(subkeys_note("caldera.technical", 2, day, 30)), 0);
    assert_int_equal(
        check(card_after(WORLD_BOREALIA, buf_span(&W.card[1]), subkey_as_position, NULL, 0)),
        -HL_EBADKEY);
}

static void subkeys_that_stand(void **state)
{
    static const char *const labels[] = { "arcadia.technical/transport", "doria/curve", "SUBKEY" };
    static const char *const signer[] = { "arcadia.technical/station" };

    (void)state;
    for (size_t i = 0; i < COUNT(labels); i++) {
        struct subkeys s;
        struct buf text;
        char label[64];
        struct world_key key;

        snprintf(label, sizeof(label), "caldera.technical/subkey/1/%llu",
                 (unsigned long long)clock_day(WORLD_NOW));
        key = world_xkey(i == 2 ? label : labels[i]);
        world_subkeys(&s, "arcadia.technical", 2, clock_day(WORLD_NOW), 5);
        memcpy(s.key[3], key.pk, 32);
        buf_init(&text, DOCUMENT_MAX);
        subkeys_print(&text, W.realm, &s);
        fresh();
        world_sign(&note_, buf_span(&text), "arcadia.technical", signer, 1);
        CHECK_EQ(check(buf_span(&note_)), -HL_EDUPLICATE, labels[i]);
        buf_release(&text);
    }
}

/* ---- subkeys ---- */

static void days_of_the_highest_serial(void **state)
{
    uint64_t today = clock_day(WORLD_NOW), entry = next, serial;
    struct span poc = span_str("arcadia.technical");
    char label[64];

    (void)state;
    assert_int_equal(apply(subkeys_note("arcadia.technical", 2, today + 5, 30)), 0);
    for (uint64_t day = today - 2; day < today + 40; day++) {
        const uint8_t *now = directory_subkey(dir, DIRECTORY_NOW, poc, day);
        const uint8_t *then = directory_subkey(dir, entry, poc, day);
        unsigned list = day >= today + 5 && day < today + 35   ? 2
                        : day >= today - 1 && day < today + 29 ? 1
                                                               : 0;

        snprintf(label, sizeof(label), "arcadia.technical/subkey/%u/%llu", list,
                 (unsigned long long)day);
        CHECK_EQ(now != NULL, list != 0, label);
        if (now)
            CHECK_BYTES(now, world_xkey(label).pk, 32, label);
        CHECK_EQ(then != NULL, day >= today - 1 && day < today + 29, label);
        if (then && list == 2)
            assert_memory_not_equal(now, then, 32);
    }
    assert_int_equal(directory_last_subkey_day(dir, DIRECTORY_NOW, poc, &serial), today + 34);
    assert_int_equal(serial, 2);
    assert_int_equal(directory_last_subkey_day(dir, entry, poc, &serial), today + 28);
    assert_int_equal(serial, 1);
    assert_int_equal(directory_last_subkey_day(dir, DIRECTORY_NOW, span_str("a.b"), &serial), 0);
    assert_null(directory_subkey(dir, DIRECTORY_NOW, span_str("a.b"), today));
}

static void who_announces_subkeys(void **state)
{
    static const struct {
        const char *name, *poc, *as;
        uint64_t serial;
        const char *labels[2];
        int want;
    } rows[] = {
        { "its machine",
          "arcadia.technical",
          "arcadia.technical",
          2,
          { "arcadia.technical/station" },
          0 },
        { "a position",
          "arcadia.technical",
          "arcadia.technical",
          2,
          { "arcadia.technical/watch-1" },
          -HL_ESIG },
        { "another PoC's machine",
          "arcadia.technical",
          "arcadia.diplomatic",
          2,
          { "arcadia.diplomatic/station" },
          -HL_ESIG },
        { "that machine under this name",
          "arcadia.technical",
          "arcadia.technical",
          2,
          { "arcadia.diplomatic/station" },
          -HL_ESIG },
        { "a root", "arcadia.technical", "arcadia", 2, { "arcadia/root-1" }, -HL_ESIG },
        { "machine and position",
          "arcadia.technical",
          "arcadia.technical",
          2,
          { "arcadia.technical/station", "arcadia.technical/watch-1" },
          -HL_ESIG },
        { "serial again",
          "arcadia.technical",
          "arcadia.technical",
          1,
          { "arcadia.technical/station" },
          -HL_ECHAIN },
        { "serial left out",
          "arcadia.technical",
          "arcadia.technical",
          3,
          { "arcadia.technical/station" },
          -HL_ECHAIN },
        { "PoC in no card",
          "arcadia.legal",
          "arcadia.legal",
          1,
          { "arcadia.legal/station" },
          -HL_EKEY },
        { "party in no card",
          "eland.technical",
          "eland.technical",
          1,
          { "eland.technical/station" },
          -HL_EKEY },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct subkeys s;
        struct buf text;

        world_subkeys(&s, rows[i].poc, 9, clock_day(WORLD_NOW), 5); /* keys of a fresh label */
        s.serial = rows[i].serial;
        buf_init(&text, DOCUMENT_MAX);
        subkeys_print(&text, W.realm, &s);
        fresh();
        world_sign(&note_, buf_span(&text), rows[i].as, rows[i].labels, rows[i].labels[1] ? 2 : 1);
        CHECK_EQ(check(buf_span(&note_)), rows[i].want, rows[i].name);
        buf_release(&text);
    }
    assert_int_equal(apply(buf_span(&W.subkeys[0])), -HL_EEXIST);
    assert_int_equal(apply(subkeys_note("arcadia.technical", 2, clock_day(WORLD_NOW), 5)), 0);
    assert_int_equal(apply(subkeys_note("arcadia.technical", 2, clock_day(WORLD_NOW), 5)),
                     -HL_EEXIST);
    /* a stopped machine announces nothing */
    assert_int_equal(
        stop_by_roots(WORLD_ARCADIA, 1, STOP_KEY, world_key("arcadia.technical/station").pk), 0);
    assert_int_equal(apply(subkeys_note("arcadia.technical", 3, clock_day(WORLD_NOW), 5)),
                     -HL_ESTOPPED);
}

/* ---- stops ---- */

static void who_stops_what(void **state)
{
    static const char *const roots[] = { "arcadia/root-1", "arcadia/root-2" };
    static const char *const chief[] = { "arcadia.technical/chief", "arcadia.technical/watch-1" };
    static const char *const watch[] = { "arcadia.technical/watch-1" };
    static const char *const foreign[] = { "borealia.technical/chief" };
    static const char *const doria[] = { "doria.technical/chief" };
    static const struct {
        const char *name, *party;
        uint64_t serial;
        enum stop_what what;
        const char *thing; /* label */
        const char *as;
        const char *const *labels;
        size_t n;
        int want;
    } rows[] = {
        { "a position by the roots", "arcadia", 1, STOP_KEY, "arcadia.technical/watch-2", "arcadia",
          roots, 2, 0 },
        { "a machine by a stop key", "arcadia", 1, STOP_KEY, "arcadia.diplomatic/station",
          "arcadia.technical", chief, 1, 0 },
        { "a witness", "arcadia", 1, STOP_KEY, "arcadia/witness", "arcadia.technical", chief, 1,
          0 },
        { "the log key", "doria", 1, STOP_KEY, "doria/log", "doria.technical", doria, 1, 0 },
        { "the host", "doria", 1, STOP_HOST, NULL, "doria.technical", doria, 1, 0 },
        { "an agreement", "arcadia", 1, STOP_AGREEMENT, "AGREEMENT", "arcadia.technical", chief, 1,
          0 },
        { "one root of two", "arcadia", 1, STOP_KEY, "arcadia.technical/watch-2", "arcadia", roots,
          1, -HL_ESIG },
        { "a key without permission", "arcadia", 1, STOP_KEY, "arcadia.technical/watch-2",
          "arcadia.technical", watch, 1, -HL_EPERM },
        { "two keys", "arcadia", 1, STOP_KEY, "arcadia.technical/watch-2", "arcadia.technical",
          chief, 2, -HL_ESIG },
        { "another party's key", "arcadia", 1, STOP_KEY, "arcadia.technical/watch-2",
          "borealia.technical", foreign, 1, -HL_ESIG },
        { "another party's thing", "arcadia", 1, STOP_KEY, "borealia.technical/watch-1",
          "arcadia.technical", chief, 1, -HL_EKEY },
        { "another party's host", "arcadia", 1, STOP_HOST, NULL, "arcadia.technical", chief, 1,
          -HL_EKEY },
        { "a key of nobody", "arcadia", 1, STOP_KEY, "nobody", "arcadia.technical", chief, 1,
          -HL_EKEY },
        { "a root", "arcadia", 1, STOP_KEY, "arcadia/root-3", "arcadia", roots, 2, -HL_EPERM },
        { "a key as a subkey", "arcadia", 1, STOP_SUBKEY, "arcadia.technical/watch-1",
          "arcadia.technical", chief, 1, -HL_EKEY },
        { "an older card", "arcadia", 0, STOP_KEY, "arcadia.technical/watch-2", "arcadia", roots, 2,
          -HL_EFORMAT },
        { "a card to come", "arcadia", 2, STOP_KEY, "arcadia.technical/watch-2", "arcadia", roots,
          2, -HL_ECHAIN },
        { "a party without a card", "eland", 1, STOP_KEY, "nobody", "eland", roots, 2, -HL_EKEY },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct world_key key = world_key(rows[i].thing ? rows[i].thing : "");
        uint8_t digest[32];

        crypto_hash_sha256(digest, W.text.p, W.text.n);
        CHECK_EQ(check(stop_note(rows[i].party, rows[i].serial, rows[i].what,
                                 rows[i].what == STOP_AGREEMENT ? digest : key.pk, rows[i].as,
                                 rows[i].labels, rows[i].n)),
                 rows[i].want, rows[i].name);
    }
}

static void a_stop_holds_from_its_entry_until_a_later_card(void **state)
{
    struct world_key key = world_key("arcadia.technical/watch-1");
    struct world_key transport = world_xkey("arcadia.technical/transport");
    uint64_t entry = next, lift;

    (void)state;
    assert_int_equal(stop_by_roots(WORLD_ARCADIA, 1, STOP_KEY, key.pk), 0);
    assert_int_equal(stop_by_roots(WORLD_ARCADIA, 1, STOP_KEY, transport.pk), 0);
    assert_int_equal(key_rc(entry, "arcadia.technical/watch-1"), 0);
    assert_int_equal(key_rc(entry + 1, "arcadia.technical/watch-1"), -HL_ESTOPPED);
    assert_int_equal(key_rc(DIRECTORY_NOW, "arcadia.technical/watch-1"), -HL_ESTOPPED);
    assert_int_equal(directory_transport(dir, WORLD_NOW, transport.pk).n, 0);
    /* stopping does not loosen the two-person rule */
    assert_int_equal(
        directory_release_holders(dir, DIRECTORY_NOW, WORLD_NOW, span_str("arcadia.technical")), 2);
    /* once more, in the same words or others */
    assert_int_equal(stop_by_roots(WORLD_ARCADIA, 1, STOP_KEY, key.pk), -HL_EEXIST);
    lift = next;
    assert_int_equal(apply_card(WORLD_ARCADIA, NULL), 0);
    assert_int_equal(key_rc(lift, "arcadia.technical/watch-1"), -HL_ESTOPPED);
    assert_int_equal(key_rc(lift + 1, "arcadia.technical/watch-1"), 0);
    assert_true(directory_transport(dir, WORLD_NOW, transport.pk).n > 0);
    /* the old stop cannot be said again; it is known, and names another card */
    assert_int_equal(stop_by_roots(WORLD_ARCADIA, 1, STOP_KEY, key.pk), -HL_EEXIST);
    assert_int_equal(
        stop_by_roots(WORLD_ARCADIA, 1, STOP_KEY, world_key("arcadia.technical/watch-2").pk),
        -HL_ECHAIN);
    assert_int_equal(stop_by_roots(WORLD_ARCADIA, 2, STOP_KEY, key.pk), 0);
    assert_int_equal(key_rc(DIRECTORY_NOW, "arcadia.technical/watch-1"), -HL_ESTOPPED);
}

static void a_stopped_stop_key_stops_nothing(void **state)
{
    static const char *const chief[] = { "arcadia.technical/chief" };

    (void)state;
    assert_int_equal(stop_by_roots(WORLD_ARCADIA, 1, STOP_KEY, world_key(chief[0]).pk), 0);
    assert_int_equal(
        apply(stop_note("arcadia", 1, STOP_KEY, world_key("arcadia.technical/watch-1").pk,
                        "arcadia.technical", chief, 1)),
        -HL_ESTOPPED);
}

static void stopped_subkeys(void **state)
{
    struct span poc = span_str("arcadia.technical");
    uint64_t today = clock_day(WORLD_NOW), entry = next;
    char label[64];
    struct world_key key;

    (void)state;
    snprintf(label, sizeof(label), "arcadia.technical/subkey/1/%llu", (unsigned long long)today);
    key = world_xkey(label);
    assert_int_equal(stop_by_roots(WORLD_ARCADIA, 1, STOP_SUBKEY, key.pk), 0);
    assert_non_null(directory_subkey(dir, entry, poc, today));
    assert_null(directory_subkey(dir, DIRECTORY_NOW, poc, today));
    assert_non_null(directory_subkey(dir, DIRECTORY_NOW, poc, today + 1));
    assert_true(directory_subkey_stopped(dir, DIRECTORY_NOW, key.pk));
    assert_false(directory_subkey_stopped(dir, entry, key.pk));
    /* also of a list that has been replaced, for it may still be sealed to */
    assert_int_equal(apply(subkeys_note("arcadia.technical", 2, today, 9)), 0);
    assert_non_null(directory_subkey(dir, DIRECTORY_NOW, poc, today));
    snprintf(label, sizeof(label), "arcadia.technical/subkey/1/%llu",
             (unsigned long long)(today + 1));
    key = world_xkey(label);
    assert_int_equal(stop_by_roots(WORLD_ARCADIA, 1, STOP_SUBKEY, key.pk), 0);
    assert_true(directory_subkey_stopped(dir, DIRECTORY_NOW, key.pk));
    assert_int_equal(stop_by_roots(WORLD_ARCADIA, 1, STOP_SUBKEY, key.pk), -HL_EEXIST);
    assert_int_equal(stop_by_roots(WORLD_BOREALIA, 1, STOP_SUBKEY, key.pk), -HL_EKEY);
}

static void stopped_hosts(void **state)
{
    uint64_t entry = next;

    (void)state;
    assert_false(directory_stopped_host(dir, DIRECTORY_NOW, span_str(W.origin)));
    assert_int_equal(stop_by_roots(WORLD_DORIA, 1, STOP_HOST, NULL), 0);
    assert_false(directory_stopped_host(dir, entry, span_str(W.origin)));
    assert_true(directory_stopped_host(dir, entry + 1, span_str(W.origin)));
    assert_int_equal(stop_by_roots(WORLD_DORIA, 1, STOP_HOST, NULL), -HL_EEXIST);
    assert_int_equal(apply_card(WORLD_DORIA, NULL), 0);
    assert_false(directory_stopped_host(dir, DIRECTORY_NOW, span_str(W.origin)));
}

/* ---- agreements ---- */

/* A world with @a changed, all cards folded in and the notes of the first @signers parties. */
static void start_with(void (*change)(struct agreement *a), int signers)
{
    struct agreement a;

    directory_free(dir);
    dir = directory_new(REALM_LIVE);
    world_agreement(&a, W.realm, W.now_ms);
    if (change)
        change(&a);
    world_set_agreement(&W, &a);
    world_agreement_release(&a);
    next = 0;
    for (size_t i = 0; i < WORLD_PARTIES + WORLD_POCS; i++)
        assert_int_equal(apply(world_document(&W, i)), 0);
    for (int i = 0; i < signers; i++)
        assert_int_equal(apply(buf_span(&W.agreement[i])), 0);
}

static void in_force_when_all_have_signed(void **state)
{
    const struct agreement *a = directory_agreement(dir, 0);
    uint64_t last = WORLD_DOCUMENTS - 1;

    (void)state;
    assert_non_null(a);
    assert_null(directory_agreement(dir, 1));
    assert_ptr_equal(directory_agreement_by(dir, a->digest), a);
    assert_int_equal(channel_rc(last, WORLD_CRISIS), -HL_EFORCE);
    assert_int_equal(channel_rc(last + 1, WORLD_CRISIS), 0);
    for (int p = 0; p < WORLD_PARTIES; p++) {
        uint64_t entry = last - 3 + (uint64_t)p;

        assert_false(directory_signed(dir, entry, a, span_str(world_party[p])));
        assert_true(directory_signed(dir, entry + 1, a, span_str(world_party[p])));
        assert_int_equal(apply(buf_span(&W.agreement[p])), -HL_EEXIST);
    }
    assert_false(directory_signed(dir, DIRECTORY_NOW, a, span_str("eland")));
    W.channel[0][0] ^= 1;
    assert_int_equal(channel_rc(DIRECTORY_NOW, WORLD_CRISIS), -HL_ECHANNEL);
}

static void two_of_them(struct agreement *a)
{
    a->force = 2;
}

static void in_force_when_n_have_signed(void **state)
{
    struct channel_facts facts;

    (void)state;
    start_with(two_of_them, 1);
    assert_int_equal(channel_rc(DIRECTORY_NOW, WORLD_NOTICE), -HL_EFORCE);
    assert_int_equal(apply(buf_span(&W.agreement[1])), 0);
    assert_int_equal(
        directory_channel(dir, DIRECTORY_NOW, WORLD_NOW, W.channel[WORLD_NOTICE], &facts), 0);
    /* among those that signed */
    assert_int_equal(directory_member(dir, DIRECTORY_NOW, &facts, span_str("arcadia.technical")),
                     0);
    assert_int_equal(directory_member(dir, DIRECTORY_NOW, &facts, span_str("doria.technical")),
                     -HL_EFORCE);
    assert_int_equal(directory_member(dir, DIRECTORY_NOW, &facts, span_str("eland.technical")),
                     -HL_EMEMBER);
    assert_int_equal(apply(buf_span(&W.agreement[3])), 0);
    assert_int_equal(directory_member(dir, next - 1, &facts, span_str("doria.technical")),
                     -HL_EFORCE);
    assert_int_equal(directory_member(dir, next, &facts, span_str("doria.technical")), 0);
    assert_int_equal(channel_rc(next - 1, WORLD_NOTICE),
                     0); /* the third note changes nothing for the rest */
}

static void who_signs_agreements(void **state)
{
    static const struct {
        const char *name, *as;
        const char *labels[3];
        int want;
    } rows[] = {
        { "its roots", "arcadia", { "arcadia/root-2", "arcadia/root-3" }, 0 },
        { "one root", "arcadia", { "arcadia/root-2" }, -HL_ESIG },
        { "another's roots under this name",
          "arcadia",
          { "borealia/root-1", "borealia/root-2" },
          -HL_ESIG },
        { "a position", "arcadia.technical", { "arcadia.technical/watch-1" }, -HL_EKEY },
        { "no party of it", "eland", { "eland/root-1", "eland/root-2" }, -HL_EKEY },
        { "a stranger beside", "arcadia", { "arcadia/root-1", "arcadia/root-2", "x" }, -HL_ESIG },
    };

    (void)state;
    start_with(NULL, 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t n = 0;

        while (n < 3 && rows[i].labels[n])
            n++;
        fresh();
        world_sign(&note_, buf_span(&W.text), rows[i].as, rows[i].labels, n);
        CHECK_EQ(check(buf_span(&note_)), rows[i].want, rows[i].name);
    }
}

/* Caldera in the text is another than the one whose cards stand: its note does not count. */
static void false_party(struct agreement *a)
{
    a->party[2].fingerprint[0] ^= 1;
}

static void no_false_party(void **state)
{
    (void)state;
    start_with(false_party, 2);
    assert_int_equal(apply(buf_span(&W.agreement[2])), -HL_EFINGERPRINT);
    assert_int_equal(apply(buf_span(&W.agreement[3])), 0);
    assert_int_equal(channel_rc(DIRECTORY_NOW, WORLD_CRISIS), -HL_EFORCE);
}

/* The agreement names the first set; after a rotation the set in force signs. */
static void rotated_roots_sign(void **state)
{
    (void)state;
    start_with(NULL, 0);
    assert_int_equal(apply(card_after(WORLD_ARCADIA, buf_span(&W.card[0]), new_roots, rotated, 4)),
                     0);
    assert_int_equal(check(buf_span(&W.agreement[0])), -HL_ESIG);
    fresh();
    world_sign(&note_, buf_span(&W.text), "arcadia", rotated + 2, 2);
    assert_int_equal(apply(buf_span(&note_)), 0);
}

/* From its first ms on a card signs, and an agreement is valid until its last. */
static void from_now(struct card *card)
{
    card->from_ms = WORLD_NOW;
}

static void until_now(struct agreement *a)
{
    a->until_ms = WORLD_NOW;
}

static void at_the_edges_of_validity(void **state)
{
    struct channel_facts facts;

    (void)state;
    start_with(until_now, 0);
    assert_int_equal(apply_card(WORLD_ARCADIA, from_now), 0);
    for (int i = 0; i < WORLD_PARTIES; i++)
        assert_int_equal(apply(buf_span(&W.agreement[i])), 0);
    assert_int_equal(channel_rc(DIRECTORY_NOW, WORLD_CRISIS), -HL_EVALIDITY);
    assert_int_equal(directory_channel(dir, DIRECTORY_NOW, WORLD_NOW - 1, W.channel[0], &facts), 0);
}

static void soon_over(struct card *card)
{
    card->until_ms = WORLD_NOW;
}

static void an_expired_card_signs_no_agreement(void **state)
{
    (void)state;
    start_with(NULL, 0);
    assert_int_equal(apply_card(WORLD_ARCADIA, soon_over), 0);
    assert_int_equal(apply(buf_span(&W.agreement[0])), -HL_EVALIDITY);
    assert_int_equal(apply_card(WORLD_ARCADIA, NULL), 0); /* but renews itself */
    assert_int_equal(apply(buf_span(&W.agreement[0])), 0);
}

static void a_frozen_party_signs_no_agreement(void **state)
{
    (void)state;
    start_with(NULL, 0);
    assert_int_equal(apply(card_after(WORLD_ARCADIA, SPAN_NONE, other_way, NULL, 0)),
                     -HL_ECONFLICT);
    assert_int_equal(apply(buf_span(&W.agreement[0])), -HL_ECONFLICT);
    assert_int_equal(apply(buf_span(&W.agreement[1])), 0);
}

static const char *spare_witness_name;
static const char *spare_witness_label;

static void other_witness(struct agreement *a)
{
    document_note_key(&a->witness[2], span_str(spare_witness_name), NOTE_COSIGNATURE,
                      world_key(spare_witness_label).pk);
}

static void witnesses_that_stand(void **state)
{
    static const struct {
        const char *name, *as, *label;
        int want;
    } rows[] = {
        { "a fresh one", "eland.example/witness", "eland/witness", 0 },
        { "a witness under another name", "eland.example/witness", "caldera/witness",
          -HL_EDUPLICATE },
        { "a root", "eland.example/witness", "doria/root-1", -HL_EDUPLICATE },
        { "a position", "eland.example/witness", "caldera.technical/watch-1", -HL_EDUPLICATE },
        { "the log", "eland.example/witness", "doria/log", -HL_EDUPLICATE },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        spare_witness_name = rows[i].as;
        spare_witness_label = rows[i].label;
        start_with(other_witness, 0);
        CHECK_EQ(check(buf_span(&W.agreement[0])), rows[i].want, rows[i].name);
    }
}

/* Agreements may share witnesses, under one name each. */
static void witnesses_of_two_agreements(void **state)
{
    static const struct {
        const char *name, *as;
        int want;
    } rows[] = {
        { "the same names", "caldera.example/witness", 0 },
        { "a free witness under its name", "eland.example/witness", 0 },
        { "a free witness under another name", "eland.example/other", -HL_EDUPLICATE },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool shared = i == 0;
        struct agreement a;
        struct buf text;

        spare_witness_name = shared ? rows[i].as : "eland.example/witness";
        spare_witness_label = shared ? "caldera/witness" : "eland/witness";
        start_with(other_witness, 1);
        world_agreement(&a, W.realm, W.now_ms);
        a.random[0] ^= 1;
        document_note_key(&a.witness[2], span_str(rows[i].as), NOTE_COSIGNATURE,
                          world_key(spare_witness_label).pk);
        buf_init(&text, DOCUMENT_MAX);
        agreement_print(&text, W.realm, &a);
        fresh();
        world_sign_roots(&note_, buf_span(&text), "borealia");
        CHECK_EQ(check(buf_span(&note_)), rows[i].want, rows[i].name);
        buf_release(&text);
        world_agreement_release(&a);
    }
}

/* Two keys that share name and key id (found by trying 60,000 labels): a line could mean either. */
static void witness_with_another_s_key_id(void **state)
{
    static const char *const labels[] = { "grind-30833", "grind-59798" };
    struct note_key key[2];
    struct agreement a;
    struct buf text;

    (void)state;
    for (int i = 0; i < 2; i++)
        document_note_key(&key[i], span_str("arcadia.example/witness"), NOTE_COSIGNATURE,
                          world_key(labels[i]).pk);
    assert_memory_equal(key[0].keyid, key[1].keyid, 4);
    for (int in_card = 0; in_card <= 1; in_card++) {
        start_with(NULL, 0);
        buf_init(&text, DOCUMENT_MAX);
        for (int i = 0; i < 2; i++) {
            if (in_card && i == 0) { /* the first stands in arcadia's card */
                struct card card;

                fresh();
                world_card(&card, W.realm, WORLD_ARCADIA, W.now_ms);
                world_next_card(&card, buf_span(&W.card[0]));
                card.witness = key[0];
                card_print(&text, W.realm, &card);
                world_sign_roots(&note_, buf_span(&text), "arcadia");
                world_card_release(&card);
                assert_int_equal(apply(buf_span(&note_)), 0);
                buf_clear(&text);
                continue;
            }
            fresh(); /* else in an agreement of its own */
            world_agreement(&a, W.realm, W.now_ms);
            a.witness[0] = key[i];
            a.random[0] ^= (uint8_t)i;
            agreement_print(&text, W.realm, &a);
            world_sign_roots(&note_, buf_span(&text), "borealia");
            world_agreement_release(&a);
            CHECK_EQ(apply(buf_span(&note_)), i ? -HL_EDUPLICATE : 0, labels[i]);
            buf_clear(&text);
        }
        buf_release(&text);
    }
}

static void too_long(void **state)
{
    struct buf text;

    (void)state;
    start_with(NULL, 0);
    buf_init(&text, DOCUMENT_MAX);
    buf_put_str(&text, "hotline/1 live agreement\n");
    while (text.n < RECORD_AGREEMENT_MAX)
        buf_put_str(&text, "category x\n");
    fresh();
    world_sign_roots(&note_, buf_span(&text), "arcadia");
    assert_int_equal(check(buf_span(&note_)), -HL_ETOOBIG);
    buf_release(&text);
}

static void every_byte_of_an_agreement_note(void **state)
{
    (void)state;
    start_with(NULL, 0);
    assert_int_equal(check(buf_span(&W.agreement[0])), 0);
    mutate_bytes(buf_span(&W.agreement[0]), check);
}

/* ---- suspension ---- */

static int stop_agreement(int party, uint64_t serial)
{
    uint8_t digest[32];

    crypto_hash_sha256(digest, W.text.p, W.text.n);
    return stop_by_roots(party, serial, STOP_AGREEMENT, digest);
}

static void resume(struct card *card)
{
    crypto_hash_sha256(card->resumed[0], W.text.p, W.text.n);
    card->n_resumed = 1;
}

static void a_party_suspends_its_membership(void **state)
{
    struct channel_facts facts;
    uint64_t entry = next, lift;

    (void)state;
    assert_int_equal(stop_agreement(WORLD_ARCADIA, 1), 0);
    assert_int_equal(
        directory_channel(dir, DIRECTORY_NOW, WORLD_NOW, W.channel[WORLD_NOTICE], &facts), 0);
    assert_int_equal(directory_member(dir, entry, &facts, span_str("arcadia.technical")), 0);
    assert_int_equal(directory_member(dir, entry + 1, &facts, span_str("arcadia.technical")),
                     -HL_ESTOPPED);
    assert_int_equal(directory_member(dir, entry + 1, &facts, span_str("caldera.technical")), 0);
    assert_int_equal(stop_agreement(WORLD_ARCADIA, 1), -HL_EEXIST);
    /* a card as such does not resume it; one that says so does */
    assert_int_equal(apply_card(WORLD_ARCADIA, NULL), 0);
    assert_int_equal(directory_member(dir, DIRECTORY_NOW, &facts, span_str("arcadia.technical")),
                     -HL_ESTOPPED);
    lift = next;
    assert_int_equal(apply_card(WORLD_BOREALIA, resume), 0); /* another's saying so does not */
    assert_int_equal(directory_member(dir, DIRECTORY_NOW, &facts, span_str("arcadia.technical")),
                     -HL_ESTOPPED);
    lift = next;
    assert_int_equal(apply_card(WORLD_ARCADIA, resume), 0);
    assert_int_equal(directory_member(dir, lift, &facts, span_str("arcadia.technical")),
                     -HL_ESTOPPED);
    assert_int_equal(directory_member(dir, lift + 1, &facts, span_str("arcadia.technical")), 0);
    assert_int_equal(stop_agreement(WORLD_ARCADIA, 3), 0);
    assert_int_equal(directory_member(dir, DIRECTORY_NOW, &facts, span_str("arcadia.technical")),
                     -HL_ESTOPPED);
}

static void bilateral(struct agreement *a)
{
    a->n_parties = 2;
    for (size_t i = 2; i < a->n_channels; i++)
        free(a->channel[i].member);
    a->n_channels = 2;
}

/* Only the two sides' notes, over a text that only they sign. */
static void start_bilateral(void)
{
    struct agreement a, *parsed;

    directory_free(dir);
    dir = directory_new(REALM_LIVE);
    world_agreement(&a, W.realm, W.now_ms);
    bilateral(&a);
    buf_clear(&W.text);
    agreement_print(&W.text, W.realm, &a);
    world_agreement_release(&a);
    assert_int_equal(agreement_new(&parsed, W.realm, buf_span(&W.text), NULL), 0);
    for (size_t i = 0; i < 2; i++)
        memcpy(W.channel[i], parsed->channel[i].id, 32);
    agreement_free(parsed);
    next = 0;
    for (size_t i = 0; i < WORLD_PARTIES + WORLD_POCS; i++)
        assert_int_equal(apply(world_document(&W, i)), 0);
}

static void sign_bilateral(int party)
{
    fresh();
    world_sign_roots(&note_, buf_span(&W.text), world_party[party]);
    assert_int_equal(apply(buf_span(&note_)), 0);
}

/* A message of borealia.diplomatic on the crisis channel, about one that it got from arcadia. */
static int judge_kind(unsigned kind, const char *key)
{
    static struct envelope env;
    struct recipient to = { span_str("borealia.diplomatic"), ROLE_ACTION };
    struct rules_facts f = { .dir = dir, .at = DIRECTORY_NOW, .time_ms = WORLD_NOW };
    struct world_message m;
    struct verdict v;
    struct buf bytes;

    f.target = (struct target){
        true, KIND_NOTIFICATION, span_str("arcadia.diplomatic"), W.channel[WORLD_CRISIS], 1, &to
    };
    world_message_init(&m, &W);
    m.kind = kind;
    m.key = key;
    m.n_refs = 1;
    if (kind_is_step(kind))
        m.to[0] = NULL;
    buf_init(&bytes, ENVELOPE_MAX);
    world_envelope(&bytes, &W, &m);
    assert_int_equal(envelope_decode(&env, W.realm, buf_span(&bytes)), 0);
    (void)rules_judge(&env, &f, &v);
    buf_release(&bytes);
    return v.rc;
}

static void one_side_suspends_a_bilateral_agreement(void **state)
{
    (void)state;
    start_bilateral();
    sign_bilateral(WORLD_ARCADIA);
    sign_bilateral(WORLD_BOREALIA);
    assert_int_equal(channel_rc(DIRECTORY_NOW, WORLD_CRISIS), 0);
    /* of a non-party: it is recorded, for nobody can tell, and does nothing */
    assert_int_equal(stop_agreement(WORLD_CALDERA, 1), 0);
    assert_int_equal(channel_rc(DIRECTORY_NOW, WORLD_CRISIS), 0);
    assert_int_equal(stop_agreement(WORLD_BOREALIA, 1), 0);
    assert_int_equal(channel_rc(next - 1, WORLD_CRISIS), 0);
    assert_int_equal(channel_rc(next, WORLD_CRISIS), -HL_ESTOPPED);
    /* nothing new, but what was recorded before can be answered for */
    assert_int_equal(judge_kind(KIND_NOTIFICATION, "watch-1"), -HL_ESTOPPED);
    assert_int_equal(judge_kind(KIND_REPLY, "watch-1"), -HL_ESTOPPED);
    assert_int_equal(judge_kind(KIND_DELIVERED, "station"), 0);
    assert_int_equal(judge_kind(KIND_ACKNOWLEDGED, "watch-1"), 0);
}

/* The stop is public and known before the agreement is opened to this reader. */
static void a_stop_that_came_before_the_agreement_was_known(void **state)
{
    (void)state;
    start_bilateral();
    assert_int_equal(stop_agreement(WORLD_BOREALIA, 1), 0);
    sign_bilateral(WORLD_ARCADIA);
    sign_bilateral(WORLD_BOREALIA);
    assert_int_equal(channel_rc(DIRECTORY_NOW, WORLD_CRISIS), -HL_ESTOPPED);
}

/* ---- with the rules ---- */

static void what_is_stopped_cannot_be_used(void **state)
{
    static const struct {
        const char *name;
        int party;
        enum stop_what what;
        const char *thing;
        const char *sender, *key, *draft, *to;
        int channel;
        unsigned kind; /* 0: notification; a step has a known target */
        bool origin;
        int want;
        const char *says;
    } rows[] = {
        { "the signing key", WORLD_BOREALIA, STOP_KEY, "borealia.diplomatic/watch-1",
          "borealia.diplomatic", "watch-1", NULL, "arcadia.diplomatic", WORLD_CRISIS, 0, false,
          -HL_ESTOPPED, "signing key" },
        { "the drafter's key", WORLD_BOREALIA, STOP_KEY, "borealia.technical/watch-1",
          "borealia.technical", "watch-2", "watch-1", "arcadia.diplomatic", WORLD_CRISIS, 0, false,
          -HL_ESTOPPED, "drafter's key" },
        { "another key", WORLD_BOREALIA, STOP_KEY, "borealia.technical/watch-1",
          "borealia.diplomatic", "watch-1", NULL, "arcadia.diplomatic", WORLD_CRISIS, 0, false, 0,
          "" },
        { "the sender's membership", WORLD_BOREALIA, STOP_AGREEMENT, NULL, "borealia.diplomatic",
          "watch-1", NULL, "arcadia.diplomatic", WORLD_CRISIS, 0, false, -HL_ESTOPPED,
          "sender borealia.diplomatic has suspended" },
        { "the recipient's membership", WORLD_ARCADIA, STOP_AGREEMENT, NULL, "borealia.diplomatic",
          "watch-1", NULL, "arcadia.diplomatic", WORLD_CRISIS, 0, false, -HL_ESTOPPED,
          "recipient arcadia.diplomatic has suspended" },
        { "a third party's membership", WORLD_DORIA, STOP_AGREEMENT, NULL, "borealia.diplomatic",
          "watch-1", NULL, "arcadia.diplomatic", WORLD_NOTICE, 0, false, 0, "" },
        { "a reply, of what came before the suspension", WORLD_BOREALIA, STOP_AGREEMENT, NULL,
          "borealia.diplomatic", "watch-1", NULL, "arcadia.diplomatic", WORLD_CRISIS, KIND_REPLY,
          false, -HL_ESTOPPED, "suspended" },
        { "delivered, of what came before the suspension", WORLD_BOREALIA, STOP_AGREEMENT, NULL,
          "borealia.diplomatic", "station", NULL, NULL, WORLD_CRISIS, KIND_DELIVERED, false, 0,
          "" },
        { "the host", WORLD_DORIA, STOP_HOST, NULL, "borealia.diplomatic", "watch-1", NULL,
          "arcadia.diplomatic", WORLD_CRISIS, 0, true, -HL_ESTOPPED, "host" },
        { "the host, for a reader", WORLD_DORIA, STOP_HOST, NULL, "borealia.diplomatic", "watch-1",
          NULL, "arcadia.diplomatic", WORLD_CRISIS, 0, false, 0, "" },
        { "the subkey sealed to", WORLD_ARCADIA, STOP_SUBKEY, "SUBKEY", "borealia.diplomatic",
          "watch-1", NULL, "arcadia.diplomatic", WORLD_CRISIS, 0, false, -HL_ESTOPPED,
          "arcadia.diplomatic" },
    };
    static struct envelope env;
    char subkey[64];

    (void)state;
    snprintf(subkey, sizeof(subkey), "arcadia.diplomatic/subkey/1/%llu",
             (unsigned long long)clock_day(WORLD_NOW));
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *thing = rows[i].thing ? rows[i].thing : "";
        struct recipient to = { span_str("borealia.diplomatic"), ROLE_ACTION };
        struct world_key key = strcmp(thing, "SUBKEY") ? world_key(thing) : world_xkey(subkey);
        struct world_message m;
        struct verdict v;
        struct buf bytes;
        uint64_t entry;

        directory_free(dir);
        dir = world_directory(&W);
        next = entry = WORLD_DOCUMENTS;
        if (rows[i].what == STOP_AGREEMENT)
            assert_int_equal(stop_agreement(rows[i].party, 1), 0);
        else
            assert_int_equal(stop_by_roots(rows[i].party, 1, rows[i].what, key.pk), 0);
        world_message_init(&m, &W);
        m.sender = rows[i].sender;
        m.key = rows[i].key;
        m.draft = rows[i].draft;
        m.to[0] = rows[i].to;
        m.channel = rows[i].channel;
        m.kind = rows[i].kind ? rows[i].kind : m.kind;
        m.n_refs = rows[i].kind ? 1 : 0;
        buf_init(&bytes, ENVELOPE_MAX);
        world_envelope(&bytes, &W, &m);
        CHECK_EQ(envelope_decode(&env, W.realm, buf_span(&bytes)), 0, rows[i].name);
        for (int later = 0; later <= 1; later++) {
            struct rules_facts f = { .dir = dir,
                                     .at = entry + (uint64_t)later,
                                     .time_ms = WORLD_NOW,
                                     .origin = rows[i].origin ? span_str(W.origin) : SPAN_NONE };

            if (rows[i].kind)
                f.target = (struct target){ true,
                                            KIND_NOTIFICATION,
                                            span_str("arcadia.diplomatic"),
                                            W.channel[rows[i].channel],
                                            1,
                                            &to };
            CHECK_EQ(rules_judge(&env, &f, &v), later ? rows[i].want : 0, rows[i].name);
            if (later && !strstr(v.sentence, rows[i].says))
                fprintf(stderr, "[%s] %s\n", rows[i].name, v.sentence);
            if (later)
                CHECK_EQ(strstr(v.sentence, rows[i].says) != NULL, 1, rows[i].name);
        }
        buf_release(&bytes);
    }
}

/* ---- without memory ---- */

#ifndef HL_SAN /* the sanitizer brings an allocator of its own */
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *calloc(size_t n, size_t size);
void *realloc(void *p, size_t size);

static int fail_at; /* the nth allocation from now fails; 0: none */
static int starved;

static bool fails(void)
{
    return fail_at && --fail_at == 0;
}

void *calloc(size_t n, size_t size)
{
    return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
    return fails() ? NULL : __libc_realloc(p, size);
}

/* Fail the first, second ... allocation of folding @note in, until none is left to fail. */
static void starve(struct span note)
{
    struct buf copy;
    int rc = -HL_ENOMEM;

    buf_init(&copy, DOCUMENT_MAX);
    buf_put_span(&copy, note);
    for (int nth = 1; rc; nth++) {
        fail_at = nth;
        rc = directory_apply(dir, buf_span(&copy), next, WORLD_NOW, true, NULL, NULL);
        assert_in_range(nth, 1, 200);
        if (!rc) {
            assert_true(fail_at > 0); /* it went through because none failed */
            fail_at = 0;
            break;
        }
        fail_at = 0;
        starved++;
        assert_int_equal(rc, -HL_ENOMEM);
        /* nothing changed: what stood stands, what is new does not */
        assert_int_equal(check(buf_span(&copy)), 0);
        assert_int_equal(key_rc(DIRECTORY_NOW, "borealia.technical/watch-1"), 0);
    }
    next++;
    assert_int_equal(check(buf_span(&copy)), -HL_EEXIST);
    buf_release(&copy);
}

static void without_memory_nothing_changes(void **state)
{
    (void)state;
    start_with(NULL, 0);
    starve(card_after(WORLD_ARCADIA, buf_span(&W.card[0]), new_keys, NULL, 0));
    starve(subkeys_note("arcadia.technical", 2, clock_day(WORLD_NOW), 30));
    starve(buf_span(&W.agreement[1]));
    starve(buf_span(&W.agreement[2]));
    {
        static const char *const roots[] = { "borealia/root-1", "borealia/root-2" };
        uint8_t digest[32];

        crypto_hash_sha256(digest, W.text.p, W.text.n);
        starve(stop_note("borealia", 1, STOP_AGREEMENT, digest, "borealia", roots, 2));
    }
    assert_in_range(starved, 20, 200);
}
#endif

/* ---- a restart ---- */

static void move_to(struct directory *to)
{
    directory_free(dir);
    dir = to;
}

static void restored_is_as_good_as_folded(void **state)
{
    struct directory *d = directory_new(REALM_LIVE);
    struct world_key stopped = world_key("arcadia.technical/watch-2");
    struct world_key today_key;
    struct buf kept[8], rival;
    uint64_t at[8];
    char label[64];
    size_t n = 0;

    (void)state;
    snprintf(label, sizeof(label), "arcadia.technical/subkey/2/%llu",
             (unsigned long long)clock_day(WORLD_NOW));
    today_key = world_xkey(label);
    /* arcadia: three cards, one stopped key, two lists; doria suspends */
    buf_init(&rival, DOCUMENT_MAX);
    for (int i = 0; i < 2; i++)
        assert_int_equal(apply_card(WORLD_ARCADIA, NULL), 0);
    for (size_t i = 0; i < 8; i++)
        buf_init(&kept[i], DOCUMENT_MAX);
    at[n] = 0; /* first card */
    {
        struct world again;

        world_init(&again, REALM_LIVE, WORLD_NOW);
        buf_put_span(&kept[n++], buf_span(&again.card[0]));
        at[n] = WORLD_DOCUMENTS; /* the card before the one in force */
        buf_put_span(&kept[n], card_after(WORLD_ARCADIA, buf_span(&again.card[0]), NULL, NULL, 0));
        buf_put_span(&rival, card_after(WORLD_ARCADIA, buf_span(&kept[n]), other_way, NULL, 0));
        n++;
        world_release(&again);
    }
    at[n] = WORLD_DOCUMENTS + 1;
    buf_put_span(&kept[n++], buf_span(&W.card[0]));
    at[n] = next;
    assert_int_equal(stop_by_roots(WORLD_ARCADIA, 3, STOP_KEY, stopped.pk), 0);
    buf_put_span(&kept[n++], buf_span(&note_));
    at[n] = next;
    assert_int_equal(apply(subkeys_note("arcadia.technical", 2, clock_day(WORLD_NOW), 20)), 0);
    buf_put_span(&kept[n++], buf_span(&note_));
    at[n] = next;
    assert_int_equal(stop_agreement(WORLD_DORIA, 1), 0);
    buf_put_span(&kept[n++], buf_span(&note_));

    assert_int_equal(directory_restore(d, buf_span(&kept[0]), at[0], WORLD_NOW), 0);
    for (size_t i = 1; i < WORLD_DOCUMENTS; i++)
        assert_int_equal(directory_restore(d, world_document(&W, i), i, WORLD_NOW), 0);
    for (size_t i = 1; i < n; i++)
        assert_int_equal(directory_restore(d, buf_span(&kept[i]), at[i], WORLD_NOW), 0);
    for (int restored = 0; restored <= 1; restored++) {
        struct channel_facts facts;

        if (restored)
            move_to(d);
        assert_int_equal(key_rc(DIRECTORY_NOW, "arcadia.technical/watch-1"), 0);
        assert_int_equal(key_rc(DIRECTORY_NOW, "arcadia.technical/watch-2"), -HL_ESTOPPED);
        assert_int_equal(channel_rc(DIRECTORY_NOW, WORLD_NOTICE), 0);
        assert_int_equal(
            directory_channel(dir, DIRECTORY_NOW, WORLD_NOW, W.channel[WORLD_NOTICE], &facts), 0);
        assert_int_equal(directory_member(dir, DIRECTORY_NOW, &facts, span_str("doria.technical")),
                         -HL_ESTOPPED);
        assert_memory_equal(directory_subkey(dir, DIRECTORY_NOW, span_str("arcadia.technical"),
                                             clock_day(WORLD_NOW)),
                            today_key.pk, 32);
        assert_int_equal(check(buf_span(&W.card[0])), -HL_EEXIST);
        assert_int_equal(check(buf_span(&W.agreement[2])), -HL_EEXIST);
        assert_int_equal(check(buf_span(&kept[3])), -HL_EEXIST);
        assert_int_equal(check(buf_span(&kept[4])), -HL_EEXIST);
        assert_int_equal(check(buf_span(&rival)), -HL_ECONFLICT);
        assert_int_equal(check(card_after(WORLD_ARCADIA, buf_span(&W.card[0]), NULL, NULL, 0)), 0);
        assert_int_equal(check(subkeys_note("arcadia.technical", 3, clock_day(WORLD_NOW), 9)), 0);
        stolen = "arcadia.technical/watch-1";
        stolen_x = false;
        stolen_use = USE_POSITION;
        assert_int_equal(check(card_after(WORLD_BOREALIA, buf_span(&W.card[1]), steal, NULL, 0)),
                         -HL_EDUPLICATE);
    }
    for (size_t i = 0; i < 8; i++)
        buf_release(&kept[i]);
    buf_release(&rival);
}

/* Without the first card a pin says with which set the chain began. */
static void restored_with_a_pin(void **state)
{
    struct directory *d = directory_new(REALM_LIVE);

    (void)state;
    assert_int_equal(apply_card(WORLD_ARCADIA, NULL), 0);
    assert_int_equal(directory_pin(d, span_str("arcadia"), W.fingerprint[0]), 0);
    assert_int_equal(directory_restore(d, buf_span(&W.card[0]), 20, WORLD_NOW), 0);
    move_to(d);
    assert_int_equal(check(buf_span(&W.agreement[0])), 0);
    /* what was before is not here, so a rival cannot be judged: nobody is frozen */
    assert_int_equal(check(card_after(WORLD_ARCADIA, SPAN_NONE, later_first, NULL, 0)), -HL_ECHAIN);
}

static void restored_without_either(void **state)
{
    struct directory *d = directory_new(REALM_LIVE);

    (void)state;
    assert_int_equal(apply_card(WORLD_ARCADIA, NULL), 0);
    assert_int_equal(directory_restore(d, buf_span(&W.card[0]), 20, WORLD_NOW), 0);
    move_to(d);
    assert_int_equal(check(buf_span(&W.agreement[0])), -HL_EFINGERPRINT);
}

static void restoring_has_an_order(void **state)
{
    struct directory *d = directory_new(REALM_LIVE);

    (void)state;
    assert_int_equal(
        stop_by_roots(WORLD_ARCADIA, 1, STOP_KEY, world_key("arcadia.technical/watch-1").pk), 0);
    assert_int_equal(directory_restore(d, buf_span(&note_), 20, WORLD_NOW), -HL_ECHAIN);
    /* a stop of what is no more stops nothing, and is no error */
    for (size_t i = 0; i < WORLD_PARTIES; i++)
        assert_int_equal(directory_restore(d, buf_span(&W.card[i]), i, WORLD_NOW), 0);
    assert_int_equal(
        stop_by_roots(WORLD_ARCADIA, 1, STOP_SUBKEY,
                      directory_subkey(dir, DIRECTORY_NOW, span_str("arcadia.technical"),
                                       clock_day(WORLD_NOW))),
        0);
    assert_int_equal(directory_restore(d, buf_span(&note_), 20, WORLD_NOW), 0);
    assert_int_equal(directory_restore(d, span_str("no note"), 22, WORLD_NOW), -HL_EFORMAT);
    directory_free(d);
    d = directory_new(REALM_LIVE);
    assert_int_equal(directory_restore(d, buf_span(&W.subkeys[0]), 21, WORLD_NOW), -HL_ECHAIN);
    directory_free(d);
}

/* ---- what is told ---- */

static void changes_are_told(void **state)
{
    struct directory_change change;
    struct buf why;

    (void)state;
    buf_init(&why, 1024);
    assert_int_equal(directory_check(dir,
                                     card_after(WORLD_ARCADIA, buf_span(&W.card[0]), NULL, NULL, 0),
                                     WORLD_NOW, true, &change, &why),
                     0);
    assert_int_equal(change.type, DOCUMENT_CARD);
    assert_string_equal(change.party, "arcadia");
    assert_int_equal(change.serial, 2);
    assert_true(change.keys_changed);
    assert_int_equal(why.n, 0);
    assert_int_equal(directory_check(dir, subkeys_note("arcadia.technical", 2, 20000, 3), WORLD_NOW,
                                     true, &change, &why),
                     0);
    assert_int_equal(change.type, DOCUMENT_SUBKEYS);
    assert_string_equal(change.party, "arcadia.technical");
    assert_false(change.keys_changed);
    assert_int_equal(directory_check(dir, subkeys_note("arcadia.technical", 5, 20000, 3), WORLD_NOW,
                                     true, &change, &why),
                     -HL_ECHAIN);
    assert_int_equal(change.serial, 5);
    assert_non_null(strstr(buf_str(&why), "subkeys 1 of arcadia.technical are in force"));
    buf_clear(&why);
    assert_int_equal(
        stop_by_roots(WORLD_ARCADIA, 1, STOP_KEY, world_key("arcadia.technical/watch-1").pk), 0);
    assert_int_equal(directory_check(dir, buf_span(&note_), WORLD_NOW, true, &change, &why),
                     -HL_EEXIST);
    assert_int_equal(change.type, DOCUMENT_STOP);
    assert_int_equal(change.serial, 1);
    assert_true(change.keys_changed);
    buf_release(&why);
    assert_int_equal(directory_check(dir, span_str("no note"), WORLD_NOW, true, &change, NULL),
                     -HL_EFORMAT);
}

static int setup(void **state)
{
    (void)state;
    return sodium_init() < 0 ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    buf_release(&note_);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(in_force_from_its_entry),
        TEST(keys_of_other_uses_do_not_sign),
        TEST(validity_by_the_given_time),
        TEST(look_ups),
        TEST(first_card_and_fingerprint),
        TEST(other_realm),
        TEST(serial_after_serial),
        TEST(a_card_replaces_keys_at_its_entry),
        TEST(revoked_keys_since),
        TEST(roots_are_rotated_by_both_sets),
        TEST(two_cards_of_one_serial),
        TEST(the_first_one_may_stand_too),
        TEST(two_first_cards),
        TEST(evidence_has_a_limit_of_each_party),
        TEST(a_party_fills_its_own_place_only),
        TEST(no_key_under_two_names_or_uses),
        TEST(a_key_keeps_its_position),
        TEST(a_key_keeps_its_use),
        TEST(keys_are_points_of_prime_order),
        TEST(subkeys_that_stand),
        TEST(days_of_the_highest_serial),
        TEST(who_announces_subkeys),
        TEST(who_stops_what),
        TEST(a_stop_holds_from_its_entry_until_a_later_card),
        TEST(a_stopped_stop_key_stops_nothing),
        TEST(stopped_subkeys),
        TEST(stopped_hosts),
        TEST(in_force_when_all_have_signed),
        TEST(in_force_when_n_have_signed),
        TEST(who_signs_agreements),
        TEST(no_false_party),
        TEST(rotated_roots_sign),
        TEST(at_the_edges_of_validity),
        TEST(an_expired_card_signs_no_agreement),
        TEST(a_frozen_party_signs_no_agreement),
        TEST(witnesses_that_stand),
        TEST(witnesses_of_two_agreements),
        TEST(witness_with_another_s_key_id),
        TEST(too_long),
        TEST(every_byte_of_an_agreement_note),
        TEST(a_party_suspends_its_membership),
        TEST(one_side_suspends_a_bilateral_agreement),
        TEST(a_stop_that_came_before_the_agreement_was_known),
        TEST(what_is_stopped_cannot_be_used),
#ifndef HL_SAN
        TEST(without_memory_nothing_changes),
#endif
        TEST(restored_is_as_good_as_folded),
        TEST(restored_with_a_pin),
        TEST(restored_without_either),
        TEST(restoring_has_an_order),
        TEST(changes_are_told),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
