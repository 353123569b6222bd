#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/directory_inner.h"
#include "common/error.h"

/* ---- what the folds share ---- */

int list_grow(void *array, size_t n, size_t size)
{
    void *old, *grown;

    if (n & (n - 1)) /* room doubles at 1, 2, 4, 8 ... */
        return 0;
    memcpy(&old, array, sizeof(old));
    grown = realloc(old, (n ? 2 * n : 1) * size);
    if (!grown)
        return -HL_ENOMEM;
    memcpy(array, &grown, sizeof(grown));
    return 0;
}

struct party *party_find(const struct directory *dir, struct span name)
{
    return map_get(&dir->parties, name);
}

struct party *party_make(struct directory *dir, struct span name)
{
    struct party *party = party_find(dir, name);

    if (party)
        return party;
    party = calloc(1, sizeof(*party));
    if (!party || map_reserve(&dir->parties, 1) ||
        list_grow(&dir->party, dir->n_parties, sizeof(struct party *))) {
        free(party);
        return NULL;
    }
    assert(name.n < sizeof(party->name));
    memcpy(party->name, name.p, name.n);
    dir->party[dir->n_parties++] = party;
    map_put(&dir->parties, party_name(party), party);
    return party;
}

struct stand *stand_newest(const struct directory *dir, const uint8_t key[static 32])
{
    return map_get(&dir->keys, SPAN(key, 32));
}

struct stand *stand_at(const struct directory *dir, uint64_t at, const uint8_t key[static 32])
{
    struct stand *s = stand_newest(dir, key);

    while (s && !covers(s->from, s->until, at))
        s = s->older;
    return s;
}

bool note_id(const struct directory *dir, const struct card_id *id, uint8_t out[static 16])
{
    uint8_t bytes[4 + NOTE_MAX_NAME];
    struct note_key key;

    if (!card_id_note_key(id, &key))
        return false;
    memcpy(bytes, key.keyid, 4);
    memcpy(bytes + 4, id->name.p, id->name.n);
    crypto_shorthash_siphashx24(out, bytes, 4 + id->name.n, dir->ids.seed);
    return true;
}

int stands_reserve(struct directory *dir, size_t n)
{
    if (map_reserve(&dir->keys, n) || map_reserve(&dir->ids, n) || map_reserve(&dir->hosts, n))
        return -HL_ENOMEM;
    return 0;
}

void stand_put(struct directory *dir, struct stand *stand)
{
    struct card_id id = { stand->key, stand->use, stand->name, 0, 0 };

    stand->older = stand_newest(dir, stand->key);
    map_put(&dir->keys, SPAN(stand->key, 32), stand);
    if (note_id(dir, &id, stand->note_id))
        map_put(&dir->ids, SPAN(stand->note_id, sizeof(stand->note_id)), stand);
    if (stand->use == USE_LOG) {
        stand->older_host = map_get(&dir->hosts, stand->name);
        map_put(&dir->hosts, stand->name, stand);
    }
}

/* ---- life ---- */

static void maps_each(struct directory *dir, void (*fn)(struct map *m))
{
    fn(&dir->parties);
    fn(&dir->keys);
    fn(&dir->ids);
    fn(&dir->rings);
    fn(&dir->hosts);
    fn(&dir->channels);
    fn(&dir->digests);
    fn(&dir->witnesses);
}

struct directory *directory_new(enum realm realm)
{
    struct directory *dir = calloc(1, sizeof(*dir));

    if (!dir)
        return NULL;
    dir->realm = realm;
    maps_each(dir, map_init);
    return dir;
}

static void party_free(struct party *party)
{
    for (size_t i = 0; i < party->n_versions; i++) {
        card_free(party->version[i].card);
        free(party->version[i].stand);
    }
    free(party->version);
    free(party->stop);
    free(party);
}

static void ring_free(struct ring *ring)
{
    for (size_t i = 0; i < ring->n; i++) {
        free(ring->list[i]->stand);
        free(ring->list[i]);
    }
    free(ring->list);
    free(ring);
}

void directory_free(struct directory *dir)
{
    if (!dir)
        return;
    for (size_t i = 0; i < dir->n_parties; i++)
        party_free(dir->party[i]);
    for (size_t i = 0; i < dir->n_rings; i++)
        ring_free(dir->ring[i]);
    for (size_t i = 0; i < dir->n_accords; i++) {
        agreement_free(dir->accord[i]->a);
        free(dir->accord[i]->hold);
        free(dir->accord[i]);
    }
    for (size_t i = 0; i < dir->n_conflicts; i++) {
        buf_release(&dir->conflict[i].a);
        buf_release(&dir->conflict[i].b);
    }
    free(dir->party);
    free(dir->ring);
    free(dir->accord);
    free(dir->conflict);
    maps_each(dir, map_release);
    free(dir);
}

enum realm directory_realm(const struct directory *dir)
{
    return dir->realm;
}

int directory_pin(struct directory *dir, struct span name, const uint8_t fp[static 32])
{
    struct party *party;

    if (!name_label(name))
        return -HL_EFORMAT;
    party = party_make(dir, name);
    if (!party)
        return -HL_ENOMEM;
    if (party->first_known && memcmp(party->first, fp, 32) != 0)
        return -HL_EFINGERPRINT;
    party->pinned = party->first_known = true;
    memcpy(party->pin, fp, 32);
    memcpy(party->first, fp, 32);
    return 0;
}

bool directory_pinned(const struct directory *dir, struct span name, uint8_t fp[static 32])
{
    const struct party *party = party_find(dir, name);

    if (!party || !party->pinned)
        return false;
    memcpy(fp, party->pin, 32);
    return true;
}

/* ---- documents ---- */

static void judged_release(struct judged *j)
{
    card_free(j->card);
    agreement_free(j->agreement);
}

static int judge_type(const struct directory *dir, struct judged *j, struct span note,
                      uint64_t time_ms, bool first, struct buf *why)
{
    switch (j->doc.type) {
    case DOCUMENT_CARD:
        return card_judge(dir, j, note, first, why);
    case DOCUMENT_SUBKEYS:
        return subkeys_judge(dir, j, note, time_ms, why);
    case DOCUMENT_STOP:
        return stop_judge(dir, j, note, time_ms, why);
    case DOCUMENT_AGREEMENT:
        return agreement_judge(dir, j, note, time_ms, why);
    }
    return -HL_EFORMAT;
}

static int judge(const struct directory *dir, struct judged *j, struct span note, uint64_t time_ms,
                 bool first, struct buf *why)
{
    int rc = document_decode(&j->doc, dir->realm, note);
    uint64_t most;

    if (rc)
        return document_say(why, rc, "this is no document of this realm: %s", error_text(rc));
    rc = judge_type(dir, j, note, time_ms, first, why);
    most = PARTY_BYTES_MAX + (j->doc.type == DOCUMENT_STOP ? PARTY_STOPS_MAX : 0);
    if (!rc && j->party && j->party->bytes + note.n > most)
        return document_say(why, -HL_EQUOTA,
                            "%s has published more than this directory holds of one party",
                            j->party->name);
    return rc;
}

static struct span about(const struct judged *j)
{
    switch (j->doc.type) {
    case DOCUMENT_CARD:
        return j->card ? j->card->party : SPAN_NONE;
    case DOCUMENT_SUBKEYS:
        return span_str(j->subkeys.poc);
    case DOCUMENT_STOP:
        return j->stop.party;
    case DOCUMENT_AGREEMENT:
        return j->doc.note.sig[0].name;
    }
    return SPAN_NONE;
}

static void tell(const struct judged *j, struct directory_change *change)
{
    struct span who = about(j);

    *change = (struct directory_change){ .type = j->doc.type,
                                         .keys_changed = j->doc.type != DOCUMENT_SUBKEYS };
    memcpy(change->digest, j->doc.digest, 32);
    if (j->card)
        change->serial = j->card->serial;
    else
        change->serial = j->doc.type == DOCUMENT_STOP ? j->stop.card : j->subkeys.serial;
    if (who.n && who.n < sizeof(change->party))
        memcpy(change->party, who.p, who.n);
}

static int fold(struct directory *dir, struct judged *j, uint64_t index, uint64_t time_ms)
{
    switch (j->doc.type) {
    case DOCUMENT_CARD:
        return card_fold(dir, j, index, time_ms);
    case DOCUMENT_SUBKEYS:
        return subkeys_fold(dir, j, index);
    case DOCUMENT_STOP:
        return stop_fold(dir, j, index);
    case DOCUMENT_AGREEMENT:
        return agreement_fold(dir, j, index);
    }
    return -HL_EFORMAT;
}

static int fold_counted(struct directory *dir, struct judged *j, struct span note, uint64_t index,
                        uint64_t time_ms)
{
    struct party *party = party_make(dir, name_party(about(j)));
    int rc = party ? fold(dir, j, index, time_ms) : -HL_ENOMEM;

    if (!rc)
        party->bytes += note.n;
    return rc;
}

int directory_check(const struct directory *dir, struct span note, uint64_t time_ms, bool first,
                    struct directory_change *change, struct buf *why)
{
    struct judged j = { .signer = -1 };
    int rc = judge(dir, &j, note, time_ms, first, why);

    if (change)
        tell(&j, change);
    judged_release(&j);
    return rc;
}

int directory_apply(struct directory *dir, struct span note, uint64_t index, uint64_t time_ms,
                    bool first, struct directory_change *change, struct buf *why)
{
    struct judged j = { .signer = -1 };
    int rc = judge(dir, &j, note, time_ms, first, why);

    if (change)
        tell(&j, change);
    if (rc == -HL_ECONFLICT && j.contradicts)
        (void)conflict_add(dir, &j, note); /* frozen even when the evidence cannot be kept */
    if (!rc)
        rc = fold_counted(dir, &j, note, index, time_ms);
    judged_release(&j);
    return rc;
}

/* What restoring needs of judging: parse, and find whom it is about. */
static int recall(const struct directory *dir, struct judged *j, struct span note)
{
    int rc = document_decode(&j->doc, dir->realm, note);

    if (rc)
        return rc;
    switch (j->doc.type) {
    case DOCUMENT_CARD:
        return card_parse(&j->card, dir->realm, note, NULL);
    case DOCUMENT_SUBKEYS:
        rc = subkeys_decode(&j->subkeys, dir->realm, note, &j->doc, NULL);
        j->party = party_find(dir, name_party(span_str(j->subkeys.poc)));
        return !rc && !j->party ? -HL_ECHAIN : rc;
    case DOCUMENT_STOP:
        rc = stop_decode(&j->stop, dir->realm, note, &j->doc, NULL);
        j->party = party_find(dir, j->stop.party);
        if (!rc && !j->party)
            rc = -HL_ECHAIN;
        if (!rc && stop_thing(dir, j, NULL))
            j->stand = NULL; /* what it stopped is no more */
        return rc;
    case DOCUMENT_AGREEMENT:
        return agreement_signer(dir, j, NULL);
    }
    return -HL_EFORMAT;
}

int directory_restore(struct directory *dir, struct span note, uint64_t index, uint64_t time_ms)
{
    struct judged j = { .signer = -1 };
    int rc = recall(dir, &j, note);

    if (!rc)
        rc = fold_counted(dir, &j, note, index, time_ms);
    judged_release(&j);
    return rc;
}
