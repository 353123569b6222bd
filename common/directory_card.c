/*
 * Folding in cards: chains, fingerprints, keys that already stand, contradictions.
 *
 *     none -[card_fold serial 1]-> n -[card_fold n+1]-> n+1 ...
 *     n -[conflict_add]-> n, frozen -[directory_resolve]-> n
 */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/directory_inner.h"
#include "common/error.h"

#define SHOW(s) (int)(s).n, (const char *)(s).p

static void first_set(const struct card *card, uint8_t fp[static 32])
{
    card_fingerprint(fp, card->realm, card->threshold, (const uint8_t(*)[32])card->root,
                     card->n_roots);
}

/* May @id stand, given what stands now?  Under the same name and use of the same party it may. */
static bool id_free(const struct directory *dir, const struct card *card, const struct party *party,
                    const struct card_id *id)
{
    const struct stand *old = stand_newest(dir, id->key);
    uint8_t name[16];

    if (old && old->until == NEVER) {
        if (old->party != party || old->use != id->use || !span_eq(old->name, id->name))
            return false;
        if (id->use == USE_POSITION &&
            !span_eq(old->signing->position, card->poc[id->poc].key[id->i].position))
            return false;
    }
    if (!note_id(dir, id, name))
        return true;
    old = map_get(&dir->ids, SPAN(name, sizeof(name)));
    return !old || old->until != NEVER || memcmp(old->key, id->key, 32) == 0;
}

int card_keys_free(const struct directory *dir, const struct card *card, const struct party *party,
                   struct buf *why)
{
    struct card_id id[CARD_IDS_MAX];
    size_t n = card_ids(card, id);

    for (size_t i = 0; i < n; i++)
        if (!id_free(dir, card, party, &id[i]))
            return document_say(why, -HL_EDUPLICATE,
                                "a key of %.*s already stands under another name or use, or has "
                                "another's key id: make a new key",
                                SHOW(id[i].name));
    return 0;
}

static int judge_first(const struct party *party, const struct card *card, bool first,
                       struct buf *why)
{
    uint8_t fp[32];

    if (card->serial != 1)
        return document_say(why, -HL_ECHAIN,
                            "no card of %.*s is known: its cards must come from serial 1 on",
                            SHOW(card->party));
    first_set(card, fp);
    if (party && party->pinned && memcmp(fp, party->pin, 32) != 0)
        return document_say(why, -HL_EFINGERPRINT,
                            "the root keys of %.*s do not match the fingerprint given by hand",
                            SHOW(card->party));
    if (!first && !(party && party->pinned))
        return document_say(why, -HL_EADMIT, "%.*s is not admitted here", SHOW(card->party));
    return card_verify(card, NULL);
}

/* Another text of the serial in force: is it as good as the one that we have? */
static int judge_rival(const struct directory *dir, struct judged *j, struct buf *why)
{
    const struct party *party = j->party;
    const struct version *now = party_version(party);
    const struct version *before = party->n_versions > 1 ? now - 1 : NULL;
    uint8_t fp[32];
    int rc;

    first_set(j->card, fp);
    if (j->card->serial == 1 && memcmp(fp, party->first, 32) != 0)
        return -HL_EFINGERPRINT;
    if (j->card->serial == 1)
        rc = card_verify(j->card, NULL);
    else if (before && before->card->serial + 1 == j->card->serial)
        rc = card_verify(j->card, before->card);
    else
        rc = -HL_ECHAIN; /* what came before is not here: it cannot be judged */
    if (rc)
        return rc;
    for (size_t i = 0; i < dir->n_conflicts; i++)
        if (!party->frozen && dir->conflict[i].party == party &&
            memcmp(dir->conflict[i].digest, j->card->digest, 32) == 0)
            return document_say(why, -HL_ECHAIN,
                                "the officers of %s have let another card of serial %" PRIu64
                                " stand",
                                party->name, j->card->serial);
    j->contradicts = true;
    return document_say(why, -HL_ECONFLICT,
                        "two cards of %s bear serial %" PRIu64
                        " and both are validly signed: its changes are frozen",
                        party->name, j->card->serial);
}

static int judge_next(const struct directory *dir, struct judged *j, struct buf *why)
{
    const struct version *now = party_version(j->party);

    for (size_t i = 0; i < j->party->n_versions; i++)
        if (memcmp(j->party->version[i].card->digest, j->card->digest, 32) == 0)
            return document_say(why, -HL_EEXIST, "this card is already recorded");
    if (j->card->serial == now->card->serial)
        return judge_rival(dir, j, why);
    if (j->party->frozen)
        return document_say(why, -HL_ECONFLICT,
                            "changes of %s are frozen until its officers say which card stands",
                            j->party->name);
    if (j->card->serial != now->card->serial + 1)
        return document_say(why, -HL_ECHAIN,
                            "serial %" PRIu64 " of %s is in force; this card has serial %" PRIu64,
                            now->card->serial, j->party->name, j->card->serial);
    return card_verify(j->card, now->card);
}

/* An Ed25519 key that stands or stood was checked when it came. */
static bool key_known(const void *dir, const uint8_t *key)
{
    const struct stand *old = stand_newest(dir, key);

    return old && old->use != USE_TRANSPORT && old->use != USE_CURVE && old->use != USE_SUBKEY;
}

int card_judge(const struct directory *dir, struct judged *j, struct span note, bool first,
               struct buf *why)
{
    int rc = card_parse(&j->card, dir->realm, note, why);

    if (rc)
        return rc;
    j->party = party_find(dir, j->card->party);
    if (party_version(j->party))
        rc = judge_next(dir, j, why);
    else
        rc = judge_first(j->party, j->card, first, why);
    if (!rc)
        rc = card_keys_free(dir, j->card, j->party, why);
    if (!rc)
        rc = card_points(j->card, key_known, dir, why);
    return rc ? document_say(why, rc, "the card of %.*s: %s", SHOW(j->card->party), error_text(rc))
              : 0;
}

static void open_stands(struct directory *dir, struct party *party, struct version *v,
                        const struct card_id *id)
{
    for (size_t i = 0; i < v->n_stands; i++) {
        struct stand *s = &v->stand[i];

        *s = (struct stand){ .key = id[i].key,
                             .use = id[i].use,
                             .name = id[i].name,
                             .party = party,
                             .card = v->card,
                             .from = v->index,
                             .until = NEVER,
                             .stopped = NEVER };
        if (s->use == USE_TRANSPORT || s->use == USE_POSITION || s->use == USE_MACHINE)
            s->poc = &v->card->poc[id[i].poc];
        if (s->use == USE_POSITION || s->use == USE_MACHINE)
            s->signing = &s->poc->key[id[i].i];
        if (s->use == USE_LOG || s->use == USE_CURVE)
            s->host = &v->card->host[id[i].i];
        stand_put(dir, s);
    }
}

/* Lift the stops of agreements that the card resumes. */
static void resume(struct directory *dir, struct party *party, const struct card *card,
                   uint64_t index)
{
    for (size_t r = 0; r < card->n_resumed; r++) {
        struct accord *accord = map_get(&dir->digests, SPAN(card->resumed[r], 32));

        for (size_t i = 0; i < party->n_stops; i++)
            if (party->stop[i].what == STOP_AGREEMENT && party->stop[i].until == NEVER &&
                memcmp(party->stop[i].id, card->resumed[r], 32) == 0)
                party->stop[i].until = index;
        for (size_t i = 0; accord && i < accord->n_holds; i++)
            if (accord->hold[i].until == NEVER &&
                span_eq_str(accord->a->party[accord->hold[i].party].party, party->name))
                accord->hold[i].until = index;
    }
}

int card_fold(struct directory *dir, struct judged *j, uint64_t index, uint64_t time_ms)
{
    struct card_id id[CARD_IDS_MAX];
    struct version v = { .card = j->card, .index = index, .time_ms = time_ms };
    struct party *party = party_make(dir, j->card->party);
    struct version *old;

    v.n_stands = card_ids(j->card, id);
    v.stand = calloc(v.n_stands, sizeof(*v.stand));
    if (!party || !v.stand || stands_reserve(dir, v.n_stands) ||
        list_grow(&party->version, party->n_versions, sizeof(v))) {
        free(v.stand);
        return -HL_ENOMEM;
    }
    old = party_version(party);
    for (size_t i = 0; old && i < old->n_stands; i++)
        old->stand[i].until = index;
    if (!party->first_known && j->card->serial == 1) {
        first_set(j->card, party->first);
        party->first_known = true;
    }
    assert(party->version); /* list_grow() made room */
    party->version[party->n_versions++] = v;
    open_stands(dir, party, &v, id);
    resume(dir, party, j->card, index);
    j->card = NULL;
    return 0;
}

int conflict_add(struct directory *dir, struct judged *j, struct span note)
{
    struct conflict c = { .party = j->party };
    const struct card *card = party_version(j->party)->card;
    size_t n = 0;

    j->party->frozen = true;
    for (size_t i = 0; i < dir->n_conflicts; i++) {
        if (memcmp(dir->conflict[i].digest, j->card->digest, 32) == 0)
            return 0;
        n += dir->conflict[i].party == j->party;
    }
    if (n >= PARTY_CONFLICTS_MAX)
        return 0; /* more of the same proves no more */
    memcpy(c.digest, j->card->digest, 32);
    buf_init(&c.a, DOCUMENT_MAX);
    buf_init(&c.b, DOCUMENT_MAX);
    buf_put_span(&c.a, buf_span(&card->text));
    buf_put_span(&c.b, note);
    if (c.a.bad || c.b.bad || list_grow(&dir->conflict, dir->n_conflicts, sizeof(c))) {
        buf_release(&c.a);
        buf_release(&c.b);
        return -HL_ENOMEM;
    }
    dir->conflict[dir->n_conflicts++] = c;
    return 0;
}

bool directory_conflict(const struct directory *dir, size_t i, struct span *a, struct span *b)
{
    if (i >= dir->n_conflicts)
        return false;
    *a = buf_span(&dir->conflict[i].a);
    *b = buf_span(&dir->conflict[i].b);
    return true;
}

bool directory_frozen(const struct directory *dir, struct span party)
{
    const struct party *p = party_find(dir, party);

    return p && p->frozen;
}

int directory_resolve(struct directory *dir, struct span name, const uint8_t digest[static 32],
                      uint64_t index, uint64_t time_ms)
{
    struct judged j = { .party = party_find(dir, name) };
    const struct conflict *c = NULL;
    int rc = 0;

    if (!j.party || !j.party->frozen)
        return -HL_ENOENT;
    for (size_t i = 0; i < dir->n_conflicts; i++)
        if (dir->conflict[i].party == j.party && memcmp(dir->conflict[i].digest, digest, 32) == 0)
            c = &dir->conflict[i];
    if (!c && memcmp(party_version(j.party)->card->digest, digest, 32) != 0)
        return -HL_ENOENT;
    if (c) {
        rc = card_new(&j.card, dir->realm, buf_span(&c->b), NULL);
        if (!rc)
            rc = card_keys_free(dir, j.card, j.party, NULL);
        if (!rc)
            rc = card_fold(dir, &j, index, time_ms);
        card_free(j.card);
    }
    if (!rc)
        j.party->frozen = false;
    return rc;
}
