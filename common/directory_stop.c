/* Folding in subkeys and stops: what a party's own keys announce and take away. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/directory_inner.h"
#include "common/error.h"

/* ---- subkeys ---- */

/* Signed by exactly one machine key of the PoC, in force. */
static int machine_signed(const struct directory *dir, const struct card_poc *poc,
                          const struct note *note, uint64_t time_ms)
{
    struct note_key key[CARD_KEYS];
    bool by[CARD_KEYS];
    struct key_facts facts;
    size_t n = 0;
    int rc;

    for (size_t i = 0; i < poc->n_keys; i++)
        if (poc->key[i].permissions == PERM_MACHINE)
            document_note_key(&key[n++], span_str(poc->name), NOTE_ED25519, poc->key[i].key);
    if (n == 0 || note->n != 1)
        return -HL_ESIG;
    rc = document_signed(note, key, n, by);
    for (size_t i = 0; !rc && i < n; i++)
        if (by[i])
            rc = directory_key(dir, DIRECTORY_NOW, time_ms, key[i].key, &facts);
    return rc;
}

static int judge_list(const struct directory *dir, struct judged *j, struct buf *why)
{
    const struct list *last = j->ring ? j->ring->list[j->ring->n - 1] : NULL;

    for (size_t i = 0; j->ring && i < j->ring->n; i++)
        if (memcmp(j->ring->list[i]->digest, j->doc.digest, 32) == 0)
            return document_say(why, -HL_EEXIST, "these subkeys are already recorded");
    if (j->subkeys.serial != (last ? last->subkeys.serial + 1 : 1))
        return document_say(why, -HL_ECHAIN,
                            "subkeys %" PRIu64 " of %s are in force; these have serial %" PRIu64,
                            last ? last->subkeys.serial : 0, j->subkeys.poc, j->subkeys.serial);
    for (size_t i = 0; i < j->subkeys.n; i++) {
        const struct stand *old = stand_newest(dir, j->subkeys.key[i]);

        if (old && old->until == NEVER)
            return document_say(why, -HL_EDUPLICATE,
                                "a subkey of %s stands already: announce fresh ones",
                                j->subkeys.poc);
    }
    return 0;
}

int subkeys_judge(const struct directory *dir, struct judged *j, struct span note, uint64_t time_ms,
                  struct buf *why)
{
    int rc = subkeys_decode(&j->subkeys, dir->realm, note, &j->doc, why);
    struct span name = span_str(j->subkeys.poc);
    const struct card_poc *poc;

    if (rc)
        return rc;
    poc = directory_poc(dir, DIRECTORY_NOW, name);
    if (!poc)
        return document_say(why, -HL_EKEY, "%s stands in no card", j->subkeys.poc);
    j->party = party_find(dir, name_party(name));
    j->ring = map_get(&dir->rings, name);
    rc = judge_list(dir, j, why);
    if (rc)
        return rc;
    rc = machine_signed(dir, poc, &j->doc.note, time_ms);
    return rc ? document_say(why, rc, "subkeys must be signed by one machine key of %s in force",
                             j->subkeys.poc)
              : 0;
}

static struct ring *ring_make(struct directory *dir, const char *poc)
{
    struct ring *ring = map_get(&dir->rings, span_str(poc));

    if (ring)
        return ring;
    ring = calloc(1, sizeof(*ring));
    if (!ring || map_reserve(&dir->rings, 1) ||
        list_grow(&dir->ring, dir->n_rings, sizeof(struct ring *))) {
        free(ring);
        return NULL;
    }
    memcpy(ring->poc, poc, sizeof(ring->poc));
    dir->ring[dir->n_rings++] = ring;
    return ring;
}

int subkeys_fold(struct directory *dir, struct judged *j, uint64_t index)
{
    struct ring *ring = ring_make(dir, j->subkeys.poc);
    struct list *list = calloc(1, sizeof(*list));
    struct stand *stand = calloc(j->subkeys.n, sizeof(*stand));

    if (!ring || !list || !stand || stands_reserve(dir, j->subkeys.n) ||
        list_grow(&ring->list, ring->n, sizeof(struct list *))) {
        free(list);
        free(stand);
        return -HL_ENOMEM;
    }
    *list = (struct list){ .subkeys = j->subkeys, .index = index, .stand = stand };
    memcpy(list->digest, j->doc.digest, 32);
    for (size_t i = 0; ring->n && i < ring->list[ring->n - 1]->subkeys.n; i++)
        ring->list[ring->n - 1]->stand[i].until = index;
    for (size_t i = 0; i < j->subkeys.n; i++) {
        stand[i] = (struct stand){ .key = list->subkeys.key[i],
                                   .use = USE_SUBKEY,
                                   .name = span_str(ring->poc),
                                   .party = j->party,
                                   .from = index,
                                   .until = NEVER,
                                   .stopped = NEVER };
        stand_put(dir, &stand[i]);
    }
    if (ring->n == 0)
        map_put(&dir->rings, span_str(ring->poc), ring);
    ring->list[ring->n++] = list;
    return 0;
}

/* ---- stops ---- */

/* The key of the party that signed: one line, under
 * the name of a PoC, permission stop, in force. */
static int stop_key_signed(const struct directory *dir, const struct card *card,
                           const struct note *note, uint64_t time_ms)
{
    const struct card_poc *poc = card_poc(card, note->sig[0].name);
    struct note_key key[CARD_KEYS];
    bool by[CARD_KEYS];
    struct key_facts facts;
    int rc;

    if (!poc || note->n != 1)
        return -HL_ESIG;
    for (size_t i = 0; i < poc->n_keys; i++)
        document_note_key(&key[i], span_str(poc->name), NOTE_ED25519, poc->key[i].key);
    rc = document_signed(note, key, poc->n_keys, by);
    for (size_t i = 0; !rc && i < poc->n_keys; i++) {
        if (!by[i])
            continue;
        rc = directory_key(dir, DIRECTORY_NOW, time_ms, key[i].key, &facts);
        if (!rc && !(facts.permissions & PERM_STOP))
            rc = -HL_EPERM;
    }
    return rc;
}

static int thing_key(const struct directory *dir, struct judged *j, struct buf *why)
{
    bool subkey = j->stop.what == STOP_SUBKEY;

    if (j->stop.what == STOP_HOST)
        j->stand = map_get(&dir->hosts, j->stop.origin);
    else
        j->stand = stand_newest(dir, j->stop.id);
    /* subkeys of an older list may still be sealed to */
    if (!j->stand || j->stand->party != j->party || (!subkey && j->stand->until != NEVER) ||
        subkey != (j->stand->use == USE_SUBKEY))
        return document_say(why, -HL_EKEY, "%s lists no such thing: nothing to stop",
                            j->party->name);
    if (j->stand->use == USE_ROOT)
        return document_say(why, -HL_EPERM, "a root key is not stopped: publish a card without it");
    if (j->stand->stopped != NEVER)
        return document_say(why, -HL_EEXIST, "it is already stopped");
    return 0;
}

int stop_thing(const struct directory *dir, struct judged *j, struct buf *why)
{
    switch (j->stop.what) {
    case STOP_KEY:
    case STOP_SUBKEY:
    case STOP_HOST:
        return thing_key(dir, j, why);
    case STOP_AGREEMENT:
        for (size_t i = 0; i < j->party->n_stops; i++)
            if (j->party->stop[i].what == STOP_AGREEMENT && j->party->stop[i].until == NEVER &&
                memcmp(j->party->stop[i].id, j->stop.id, 32) == 0)
                return document_say(why, -HL_EEXIST, "%s has already stopped this agreement",
                                    j->party->name);
        return 0;
    }
    return -HL_EFORMAT;
}

int stop_judge(const struct directory *dir, struct judged *j, struct span note, uint64_t time_ms,
               struct buf *why)
{
    int rc = stop_decode(&j->stop, dir->realm, note, &j->doc, why);
    const struct card *card;

    if (rc)
        return rc;
    j->party = party_find(dir, j->stop.party);
    if (!party_version(j->party))
        return document_say(why, -HL_EKEY, "no card of the stop's party is known");
    card = party_version(j->party)->card;
    for (size_t i = 0; i < j->party->n_stops; i++)
        if (memcmp(j->party->stop[i].digest, j->doc.digest, 32) == 0)
            return document_say(why, -HL_EEXIST, "this stop is already recorded");
    if (j->stop.card != card->serial)
        return document_say(why, -HL_ECHAIN,
                            "card %" PRIu64 " of %s is in force; this stop names card %" PRIu64
                            ": make it again",
                            card->serial, j->party->name, j->stop.card);
    if (span_eq_str(j->doc.note.sig[0].name, j->party->name))
        rc = card_signed_by(card, &j->doc.note);
    else
        rc = stop_key_signed(dir, card, &j->doc.note, time_ms);
    if (rc)
        return document_say(why, rc,
                            "a stop must be signed by the roots of %s, or by one of its keys in "
                            "force with permission stop",
                            j->party->name);
    return stop_thing(dir, j, why);
}

static int hold_add(struct accord *accord, const struct party *party, const struct stopped *stop)
{
    int who = agreement_party(accord->a, party_name(party));

    if (who < 0)
        return 0; /* of a non-party: it does nothing */
    if (list_grow(&accord->hold, accord->n_holds, sizeof(struct hold)))
        return -HL_ENOMEM;
    accord->hold[accord->n_holds++] = (struct hold){ (unsigned)who, stop->from, stop->until };
    return 0;
}

int stop_fold(struct directory *dir, struct judged *j, uint64_t index)
{
    struct stopped stop = { .what = j->stop.what, .from = index, .until = NEVER };
    struct accord *accord = NULL;

    memcpy(stop.id, j->stop.id, 32);
    memcpy(stop.digest, j->doc.digest, 32);
    if (list_grow(&j->party->stop, j->party->n_stops, sizeof(stop)))
        return -HL_ENOMEM;
    if (stop.what == STOP_AGREEMENT)
        accord = map_get(&dir->digests, SPAN(stop.id, 32));
    if (accord && hold_add(accord, j->party, &stop))
        return -HL_ENOMEM;
    if (j->stand)
        j->stand->stopped = index;
    j->party->stop[j->party->n_stops++] = stop;
    return 0;
}

/* ---- agreements that come after the stops of their parties ---- */

int accord_holds(const struct directory *dir, struct accord *accord)
{
    for (size_t p = 0; p < accord->a->n_parties; p++) {
        const struct party *party = party_find(dir, accord->a->party[p].party);

        for (size_t i = 0; party && i < party->n_stops; i++)
            if (party->stop[i].what == STOP_AGREEMENT &&
                memcmp(party->stop[i].id, accord->a->digest, 32) == 0 &&
                hold_add(accord, party, &party->stop[i]))
                return -HL_ENOMEM;
    }
    return 0;
}
