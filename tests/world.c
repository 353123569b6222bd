#include "tests/world.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/clock.h"
#include "common/error.h"

const char *const world_party[WORLD_PARTIES] = { "arcadia", "borealia", "caldera", "doria" };
const char *const world_poc[WORLD_POCS] = { "arcadia.diplomatic",  "arcadia.technical",
                                            "borealia.diplomatic", "borealia.technical",
                                            "caldera.technical",   "doria.technical" };

#define DRA (PERM_DRAFT | PERM_RELEASE | PERM_ACKNOWLEDGE)
#define DA (PERM_DRAFT | PERM_ACKNOWLEDGE)

static const struct {
    int party;
    const char *office;
    unsigned watch1, watch2, chief; /* permissions; 0: no such position */
    const char *alternate;
} offices[WORLD_POCS] = {
    { WORLD_ARCADIA, "diplomatic", DRA, 0, 0, NULL },
    { WORLD_ARCADIA, "technical", DRA, DRA, PERM_STOP, "arcadia.diplomatic" },
    { WORLD_BOREALIA, "diplomatic", DRA, 0, 0, NULL },
    { WORLD_BOREALIA, "technical", DRA, DRA, PERM_STOP, "borealia.diplomatic" },
    { WORLD_CALDERA, "technical", DRA, DA, PERM_STOP | PERM_AUDIT, NULL },
    { WORLD_DORIA, "technical", DRA, DA, PERM_STOP, NULL },
};

static const struct {
    const char *name;
    size_t first, n; /* of world_poc */
    size_t step;
} channels[WORLD_CHANNELS] = {
    [WORLD_CRISIS] = { "arcadia-borealia.crisis", 0, 4, 1 },
    [WORLD_TECHNICAL] = { "arcadia-borealia.technical", 1, 2, 2 },
    [WORLD_NOTICE] = { "abcd.notice", 0, 6, 1 },
};

static const char *const origins[] = {
    [REALM_LIVE] = "doria.example/live/doria/1", [REALM_EXERCISE] = "doria.example/exercise/doria/1"
};

struct world_key world_key(const char *label)
{
    struct world_key key;
    uint8_t seed[32];

    crypto_hash_sha256(seed, (const uint8_t *)label, strlen(label));
    crypto_sign_seed_keypair(key.pk, key.sk, seed);
    return key;
}

struct world_key world_xkey(const char *label)
{
    struct world_key key = { 0 };

    crypto_hash_sha256(key.sk, (const uint8_t *)label, strlen(label));
    crypto_scalarmult_base(key.pk, key.sk);
    return key;
}

static void public_key(uint8_t pk[static 32], const char *owner, const char *what, bool x)
{
    char label[128];
    struct world_key key;

    snprintf(label, sizeof(label), "%s/%s", owner, what);
    key = x ? world_xkey(label) : world_key(label);
    memcpy(pk, key.pk, 32);
}

/* ---- signing ---- */

struct line {
    struct note_key key;
    uint8_t sig[64];
};

static int by_keyid(const void *a, const void *b)
{
    return memcmp(((const struct line *)a)->key.keyid, ((const struct line *)b)->key.keyid, 4);
}

void world_sign(struct buf *note, struct span text, const char *name, const char *const *labels,
                size_t n)
{
    struct line line[10];

    assert(n <= COUNT(line));
    for (size_t i = 0; i < n; i++) {
        struct world_key key = world_key(labels[i]);

        document_note_key(&line[i].key, span_str(name), NOTE_ED25519, key.pk);
        crypto_sign_detached(line[i].sig, NULL, text.p, text.n, key.sk);
    }
    qsort(line, n, sizeof(line[0]), by_keyid);
    buf_put_span(note, text);
    buf_put_u8(note, '\n');
    for (size_t i = 0; i < n; i++)
        note_put_sig(note, &line[i].key, line[i].sig, 64);
    assert(!note->bad);
}

void world_sign_roots(struct buf *note, struct span text, const char *party)
{
    char label[2][64];
    const char *const labels[] = { label[0], label[1] };

    snprintf(label[0], sizeof(label[0]), "%s/root-1", party);
    snprintf(label[1], sizeof(label[1]), "%s/root-2", party);
    world_sign(note, text, party, labels, 2);
}

/* ---- cards ---- */

static void add_key(struct card_poc *poc, const char *position, const char *holder, unsigned perm)
{
    struct card_key *key = &poc->key[poc->n_keys++];

    public_key(key->key, poc->name, position, false);
    key->permissions = perm;
    key->holder = span_str(holder);
    key->position = span_str(position);
}

static void add_poc(struct card *card, size_t i)
{
    struct card_poc *poc = &card->poc[card->n_pocs++];

    snprintf(poc->name, sizeof(poc->name), "%s", world_poc[i]);
    poc->office = span_str(offices[i].office);
    poc->languages = span_str("en,fr");
    poc->attendance = span_str("24/7");
    poc->n_transport = 1;
    public_key(poc->transport[0], poc->name, "transport", true);
    add_key(poc, "station", "station", PERM_MACHINE);
    add_key(poc, "watch-1", "officer-1", offices[i].watch1);
    if (offices[i].watch2)
        add_key(poc, "watch-2", "officer-2", offices[i].watch2);
    if (offices[i].chief)
        add_key(poc, "chief", "officer-3", offices[i].chief);
    if (offices[i].alternate)
        poc->alternate[poc->n_alternates++] = span_str(offices[i].alternate);
}

static void add_witness(struct card *card, int party)
{
    struct world_key key;
    char text[64];

    snprintf(text, sizeof(text), "%s/witness", world_party[party]);
    key = world_key(text);
    snprintf(text, sizeof(text), "%s.example/witness", world_party[party]);
    document_note_key(&card->witness, span_str(text), NOTE_COSIGNATURE, key.pk);
    card->has_witness = true;
    card->witness_office = span_str("technical");
}

static void add_host(struct card *card, enum realm realm)
{
    struct card_host *host = &card->host[card->n_hosts++];

    host->origin = span_str(origins[realm]);
    public_key(host->log_key, "doria", "log", false);
    host->n_curve = 1;
    public_key(host->curve[0], "doria", "curve", true);
    host->n_endpoints = 1;
    host->endpoint[0] = span_str("tcp://127.0.0.1:41873");
}

void world_card(struct card *card, enum realm realm, int party, uint64_t now_ms)
{
    static const char *const roots[] = { "root-1", "root-2", "root-3" };

    *card = (struct card){ .realm = realm, .serial = 1, .threshold = 2, .n_roots = COUNT(roots) };
    card->party = span_str(world_party[party]);
    card->from_ms = now_ms - 2 * WORLD_YEAR_MS;
    card->until_ms = now_ms + 2 * WORLD_YEAR_MS;
    for (size_t i = 0; i < COUNT(roots); i++)
        public_key(card->root[i], world_party[party], roots[i], false);
    card->poc = calloc(CARD_POCS, sizeof(card->poc[0]));
    assert(card->poc);
    for (size_t i = 0; i < WORLD_POCS; i++)
        if (offices[i].party == party)
            add_poc(card, i);
    if (party == WORLD_DORIA)
        add_host(card, realm);
    else
        add_witness(card, party);
}

void world_card_release(struct card *card)
{
    free(card->poc);
    *card = (struct card){ 0 };
}

void world_next_card(struct card *card, struct span prev_note)
{
    struct card *prev;
    int rc = card_parse(&prev, card->realm, prev_note, NULL);

    assert(rc == 0);
    card->serial = prev->serial + 1;
    memcpy(card->previous, prev->digest, 32);
    card_free(prev);
}

/* ---- the agreement ---- */

static void add_channel(struct agreement *a, size_t i)
{
    struct agreement_channel *c = &a->channel[a->n_channels++];

    c->name = span_str(channels[i].name);
    c->n_members = channels[i].n;
    c->member = calloc(c->n_members, sizeof(c->member[0]));
    assert(c->member);
    for (size_t k = 0; k < c->n_members; k++)
        c->member[k] = span_str(world_poc[channels[i].first + k * channels[i].step]);
}

/* Of the set as the card lists it, ascending. */
static void fingerprint(uint8_t fp[static 32], enum realm realm, int party,
                        struct note_key *witness)
{
    struct card card;
    struct buf text;

    world_card(&card, realm, party, WORLD_NOW);
    buf_init(&text, DOCUMENT_MAX);
    card_print(&text, realm, &card); /* sorts */
    card_fingerprint(fp, realm, card.threshold, (const uint8_t(*)[32])card.root, card.n_roots);
    *witness = card.witness;
    buf_release(&text);
    world_card_release(&card);
}

static void add_party(struct agreement *a, enum realm realm, int party)
{
    struct note_key witness;

    fingerprint(a->party[a->n_parties].fingerprint, realm, party, &witness);
    a->party[a->n_parties++].party = span_str(world_party[party]);
    if (witness.name[0])
        a->witness[a->n_witnesses++] = witness;
}

static void add_rules(struct agreement *a)
{
    static const char *const categories[] = { "incident", "vulnerability", "exercise",
                                              "link-test" };
    static const char *const markings[] = { "TLP:CLEAR", "TLP:GREEN", "TLP:AMBER",
                                            "TLP:AMBER+STRICT" };
    static const uint64_t deadline_s[4] = { 86400, 14400, 1800, 600 };
    static const uint64_t handling_s[4] = { 7200, 3600, 900, 300 };

    for (size_t i = 0; i < COUNT(categories); i++)
        a->category[a->n_categories++] = span_str(categories[i]);
    for (size_t i = 0; i < COUNT(markings); i++)
        a->marking[a->n_markings++] = span_str(markings[i]);
    a->attachment[0].type = span_str("text/csv");
    a->attachment[0].max = 400000;
    a->attachment[1].type = span_str("application/json");
    a->attachment[1].max = 100000;
    a->n_attachments = 2;
    memcpy(a->deadline_s, deadline_s, sizeof(deadline_s));
    memcpy(a->handling_s, handling_s, sizeof(handling_s));
    a->two_person = a->alone = true;
    a->psk = PSK_ALLOWED;
}

void world_agreement(struct agreement *a, enum realm realm, uint64_t now_ms)
{
    *a = (struct agreement){ .name = span_str("ABCD-ICT-2026"),
                             .quorum = 2,
                             .retention_days = 3650 };
    a->title = span_str("Arrangement on ICT Incident Information and Crisis Communication between "
                        "Arcadia, Borealia, Caldera and Doria");
    a->from_ms = now_ms - WORLD_YEAR_MS;
    for (int party = 0; party < WORLD_PARTIES; party++)
        add_party(a, realm, party);
    add_rules(a);
    a->channel = calloc(WORLD_CHANNELS, sizeof(a->channel[0]));
    assert(a->channel);
    for (size_t i = 0; i < WORLD_CHANNELS; i++)
        add_channel(a, i);
    a->host[a->n_hosts++] = span_str(origins[realm]);
    a->auditor[a->n_auditors].poc = span_str("caldera.technical");
    a->auditor[a->n_auditors++].full = true;
    a->language[a->n_languages++] = span_str("en");
    crypto_hash_sha256(a->treaty, (const uint8_t *)"the treaty", 10);
    crypto_hash_sha256(a->random, (const uint8_t *)"random", 6);
}

void world_agreement_release(struct agreement *a)
{
    for (size_t i = 0; i < a->n_channels; i++)
        free(a->channel[i].member);
    free(a->channel);
    *a = (struct agreement){ 0 };
}

/* ---- all of it ---- */

void world_subkeys(struct subkeys *s, const char *poc, uint64_t serial, uint64_t first_day,
                   size_t days)
{
    *s = (struct subkeys){ .serial = serial, .first_day = first_day, .n = days };
    snprintf(s->poc, sizeof(s->poc), "%s", poc);
    for (size_t i = 0; i < days; i++) {
        char what[64];

        snprintf(what, sizeof(what), "subkey/%llu/%llu", (unsigned long long)serial,
                 (unsigned long long)(first_day + i));
        public_key(s->key[i], poc, what, true);
    }
}

void world_set_card(struct world *w, int party, struct card *card)
{
    struct buf text;

    buf_init(&text, DOCUMENT_MAX);
    card_print(&text, w->realm, card);
    buf_clear(&w->card[party]);
    world_sign_roots(&w->card[party], buf_span(&text), world_party[party]);
    buf_release(&text);
}

static void init_cards(struct world *w)
{
    for (int party = 0; party < WORLD_PARTIES; party++) {
        struct note_key witness;
        struct card card;

        world_card(&card, w->realm, party, w->now_ms);
        buf_init(&w->card[party], DOCUMENT_MAX);
        world_set_card(w, party, &card);
        fingerprint(w->fingerprint[party], w->realm, party, &witness);
        world_card_release(&card);
    }
}

void world_announce(struct buf *note, enum realm realm, const struct subkeys *s)
{
    char label[128];
    const char *const labels[] = { label };
    struct buf text;

    buf_init(&text, DOCUMENT_MAX);
    subkeys_print(&text, realm, s);
    snprintf(label, sizeof(label), "%s/station", s->poc);
    world_sign(note, buf_span(&text), s->poc, labels, 1);
    buf_release(&text);
}

static void init_subkeys(struct world *w)
{
    for (size_t i = 0; i < WORLD_POCS; i++) {
        struct subkeys s;

        buf_init(&w->subkeys[i], DOCUMENT_MAX);
        world_subkeys(&s, world_poc[i], 1, clock_day(w->now_ms) - 1, 30);
        world_announce(&w->subkeys[i], w->realm, &s);
    }
}

void world_set_agreement(struct world *w, struct agreement *filled)
{
    struct agreement *parsed;
    struct buf why;
    int rc;

    buf_init(&why, 1024);
    buf_clear(&w->text);
    agreement_print(&w->text, w->realm, filled);
    rc = agreement_new(&parsed, w->realm, buf_span(&w->text), &why);
    if (rc)
        fprintf(stderr, "world: %s\n", buf_str(&why));
    assert(rc == 0);
    for (size_t i = 0; i < WORLD_CHANNELS; i++)
        memcpy(w->channel[i], parsed->channel[i].id, 32);
    for (int party = 0; party < WORLD_PARTIES; party++) {
        buf_clear(&w->agreement[party]);
        world_sign_roots(&w->agreement[party], buf_span(&w->text), world_party[party]);
    }
    agreement_free(parsed);
    buf_release(&why);
}

static void init_agreement(struct world *w)
{
    struct agreement filled;

    buf_init(&w->text, DOCUMENT_MAX);
    for (int party = 0; party < WORLD_PARTIES; party++)
        buf_init(&w->agreement[party], DOCUMENT_MAX);
    world_agreement(&filled, w->realm, w->now_ms);
    world_set_agreement(w, &filled);
    world_agreement_release(&filled);
}

void world_init(struct world *w, enum realm realm, uint64_t now_ms)
{
    *w = (struct world){ .realm = realm, .now_ms = now_ms };
    snprintf(w->origin, sizeof(w->origin), "%s", origins[realm]);
    init_cards(w);
    init_subkeys(w);
    init_agreement(w);
}

void world_release(struct world *w)
{
    for (size_t i = 0; i < WORLD_PARTIES; i++) {
        buf_release(&w->card[i]);
        buf_release(&w->agreement[i]);
    }
    for (size_t i = 0; i < WORLD_POCS; i++)
        buf_release(&w->subkeys[i]);
    buf_release(&w->text);
}

struct span world_document(const struct world *w, size_t i)
{
    assert(i < WORLD_DOCUMENTS);
    if (i < WORLD_PARTIES)
        return buf_span(&w->card[i]);
    i -= WORLD_PARTIES;
    if (i < WORLD_POCS)
        return buf_span(&w->subkeys[i]);
    return buf_span(&w->agreement[i - WORLD_POCS]);
}

struct directory *world_directory(const struct world *w)
{
    struct directory *dir = directory_new(w->realm);
    struct directory_change change;
    struct buf why;

    assert(dir);
    buf_init(&why, 1024);
    for (size_t i = 0; i < WORLD_DOCUMENTS; i++) {
        int rc = directory_apply(dir, world_document(w, i), i, w->now_ms, true, &change, &why);

        if (rc)
            fprintf(stderr, "world: document %zu: %s: %s\n", i, error_name(rc), buf_str(&why));
        assert(rc == 0);
    }
    buf_release(&why);
    return dir;
}

/* ---- envelopes ---- */

void world_message_init(struct world_message *m, const struct world *w)
{
    *m = (struct world_message){ .kind = KIND_NOTIFICATION,
                                 .channel = WORLD_CRISIS,
                                 .sender = "borealia.diplomatic",
                                 .key = "watch-1",
                                 .to = { "arcadia.diplomatic" },
                                 .category = 1,
                                 .marking = 1,
                                 .seq = 1,
                                 .sealed_ms = w->now_ms,
                                 .bucket = ENVELOPE_BUCKET_MIN,
                                 .chain = 0xc4 };
}

/* Everything that the encoders borrow. */
struct draft {
    struct header header;
    struct stamp stamp;
    struct wraps wraps;
    struct world_key key, drafter;
    uint8_t commit[32], chain[16], enc[32], draft_sig[64], ct[48];
    uint8_t subkey[8][32];
};

static struct world_key position_key(const char *poc, const char *position)
{
    char label[128];

    if (strchr(position, '/'))
        return world_key(position);
    snprintf(label, sizeof(label), "%s/%s", poc, position);
    return world_key(label);
}

static void fill_header(struct draft *d, const struct world *w, const struct world_message *m)
{
    d->header = (struct header){ .realm = w->realm,
                                 .kind = m->kind,
                                 .code = m->code,
                                 .channel = w->channel[m->channel],
                                 .sender = span_str(m->sender),
                                 .drafted_ms = m->sealed_ms,
                                 .n_refs = m->n_refs };
    for (size_t i = 0; i < m->n_refs; i++)
        d->header.ref[i] = m->ref[i];
    for (size_t i = 0; i < COUNT(m->to) && m->to[i]; i++)
        d->header.to[d->header.n_to++] =
            (struct recipient){ span_str(m->to[i]), m->role[i] ? m->role[i] : ROLE_ACTION };
    if (kind_is_bodyless(m->kind))
        return;
    memset(d->commit, m->salt, sizeof(d->commit));
    d->header.category = m->category;
    d->header.marking = m->marking;
    d->header.commit = SPAN(d->commit, 32);
}

static void fill_stamp(struct draft *d, const struct world *w, const struct world_message *m,
                       struct span header)
{
    memset(d->chain, m->chain, sizeof(d->chain));
    d->key = position_key(m->sender, m->key);
    d->stamp = (struct stamp){ .key = d->key.pk,
                               .precedence = m->precedence,
                               .flags = m->flags,
                               .chain = d->chain,
                               .seq = m->seq,
                               .sealed_ms = m->sealed_ms,
                               .ack_within_s = m->ack_within_s,
                               .psk_epoch = m->psk_epoch,
                               .psk_step = m->psk_step,
                               .n_seen = m->n_seen };
    memcpy(d->stamp.seen, m->seen, sizeof(m->seen));
    if (m->draft) {
        struct buf message;
        uint8_t mid[32];

        buf_init(&message, 256);
        d->drafter = position_key(m->sender, m->draft);
        envelope_mid(mid, w->realm, header);
        envelope_draft_message(&message, w->realm, mid);
        crypto_sign_detached(d->draft_sig, NULL, message.p, message.n, d->drafter.sk);
        d->stamp.draft_key = d->drafter.pk;
        d->stamp.draft_sig = d->draft_sig;
        buf_release(&message);
    }
}

static void fill_wraps(struct draft *d, const struct world_message *m)
{
    if (kind_is_bodyless(m->kind))
        return;
    memset(d->enc, 0xe5, sizeof(d->enc));
    memset(d->ct, 0x5e, sizeof(d->ct));
    d->wraps.enc = d->enc;
    for (size_t i = 0; i < d->header.n_to; i++) {
        char what[64];

        snprintf(what, sizeof(what), "subkey/1/%llu", (unsigned long long)clock_day(m->sealed_ms));
        public_key(d->subkey[i], m->to[i], what, true);
        d->wraps.wrap[d->wraps.n++] = (struct wrap){ d->subkey[i], d->ct };
    }
}

/* The body means nothing; it depends on what makes the message another one. */
static void put_body(struct buf *body, const struct world_message *m)
{
    size_t n = kind_is_bodyless(m->kind) ? 0 : m->bucket + ENVELOPE_TAG;
    uint8_t *p = n ? buf_reserve(body, n) : NULL;

    if (p) {
        memset(p, (int)(m->seq & 0xff), n);
        buf_commit(body, n);
    }
}

static void release(struct buf *out, struct draft *d, const struct world *w, struct buf part[4])
{
    struct envelope env = { .header = d->header, .stamp = d->stamp, .wraps = d->wraps };
    uint8_t sig[64];
    struct buf message;

    buf_init(&message, 256);
    env.header_bytes = buf_span(&part[0]);
    env.stamp_bytes = buf_span(&part[1]);
    env.wraps_bytes = buf_span(&part[2]);
    env.body = buf_span(&part[3]);
    env.body_len = env.body.n;
    crypto_hash_sha256(env.wraps_hash, env.wraps_bytes.p, env.wraps_bytes.n);
    crypto_hash_sha256(env.body_hash, env.body.n ? env.body.p : (const uint8_t *)"", env.body.n);
    envelope_head(env.h, w->realm, env.header_bytes, env.stamp_bytes);
    envelope_id(env.id, w->realm, env.h, env.wraps_hash, env.body_hash);
    envelope_release_message(&message, w->realm, env.id);
    crypto_sign_detached(sig, NULL, message.p, message.n, d->key.sk);
    env.sig = sig;
    envelope_put(out, &env);
    buf_release(&message);
}

void world_envelope(struct buf *out, const struct world *w, const struct world_message *m)
{
    struct draft *d = calloc(1, sizeof(*d));
    struct buf part[4];

    assert(d);
    for (size_t i = 0; i < COUNT(part); i++)
        buf_init(&part[i], ENVELOPE_MAX);
    fill_header(d, w, m);
    header_put(&part[0], &d->header);
    fill_stamp(d, w, m, buf_span(&part[0]));
    stamp_put(&part[1], &d->stamp);
    fill_wraps(d, m);
    wraps_put(&part[2], &d->wraps);
    put_body(&part[3], m);
    release(out, d, w, part);
    assert(!out->bad);
    for (size_t i = 0; i < COUNT(part); i++)
        buf_release(&part[i]);
    free(d);
}
