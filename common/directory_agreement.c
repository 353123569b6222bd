/* Folding in agreement notes: each party's signature over one text. */
#include <stdlib.h>
#include <string.h>

#include "common/directory_inner.h"
#include "common/error.h"

#define SHOW(s) (int)(s).n, (const char *)(s).p

static const struct agreement *text_of(const struct judged *j)
{
    return j->accord ? j->accord->a : j->agreement;
}

int agreement_signer(const struct directory *dir, struct judged *j, struct buf *why)
{
    struct span name = j->doc.note.sig[0].name;
    int rc = 0;

    j->accord = map_get(&dir->digests, SPAN(j->doc.digest, 32));
    if (!j->accord)
        rc = agreement_new(&j->agreement, dir->realm, j->doc.note.text, why);
    if (rc)
        return rc;
    j->signer = agreement_party(text_of(j), name);
    j->party = party_find(dir, name);
    if (j->signer < 0)
        return document_say(why, -HL_ESIG, "\"%.*s\" is no party of agreement %.*s", SHOW(name),
                            SHOW(text_of(j)->name));
    return 0;
}

/* Does the witness key stand, in a card or another
 * agreement, under another name, or its id for another key? */
static bool witness_free(const struct directory *dir, const struct note_key *key)
{
    struct card_id id = { key->key, USE_WITNESS, span_str(key->name), 0, 0 };
    const struct stand *old = stand_newest(dir, key->key), *same_id;
    const struct note_key *other;
    uint8_t name[16];

    note_id(dir, &id, name);
    same_id = map_get(&dir->ids, SPAN(name, sizeof(name)));
    if (old && old->until == NEVER && (old->use != USE_WITNESS || !span_eq(old->name, id.name)))
        return false;
    if (same_id && same_id->until == NEVER && memcmp(same_id->key, key->key, 32) != 0)
        return false;
    other = map_get(&dir->witnesses, SPAN(key->key, 32));
    if (other && strcmp(other->name, key->name) != 0)
        return false;
    for (size_t i = 0; i < dir->n_accords; i++)
        for (size_t k = 0; k < dir->accord[i]->a->n_witnesses; k++) {
            other = &dir->accord[i]->a->witness[k];
            if (memcmp(other->keyid, key->keyid, 4) == 0 && strcmp(other->name, key->name) == 0 &&
                memcmp(other->key, key->key, 32) != 0)
                return false;
        }
    return true;
}

static int judge_text(const struct directory *dir, const struct agreement *a, struct buf *why)
{
    for (size_t i = 0; i < a->n_witnesses; i++)
        if (!witness_free(dir, &a->witness[i]))
            return document_say(why, -HL_EDUPLICATE,
                                "the key of witness %s already stands under another name or use, "
                                "or has another's key id",
                                a->witness[i].name);
    return 0;
}

/* Its roots come first: a text that nobody signed is not worth parsing. */
static int judge_signature(const struct judged *j, struct span name, struct buf *why)
{
    const struct version *now = party_version(j->party);

    if (!now)
        return document_say(
            why, -HL_EKEY,
            "no card of %.*s is known: an agreement is signed by the roots of a party", SHOW(name));
    if (card_signed_by(now->card, &j->doc.note))
        return document_say(why, -HL_ESIG, "the note is not signed by the root keys of %s in force",
                            j->party->name);
    return 0;
}

static int judge_signer(const struct judged *j, uint64_t time_ms, struct buf *why)
{
    const struct card *card = party_version(j->party)->card;
    const struct agreement *a = text_of(j);

    if (j->party->frozen)
        return document_say(why, -HL_ECONFLICT,
                            "changes of %s are frozen until its officers say which card stands",
                            j->party->name);
    if (!j->party->first_known || memcmp(j->party->first, a->party[j->signer].fingerprint, 32) != 0)
        return document_say(
            why, -HL_EFINGERPRINT,
            "agreement %.*s names another root set for %s than its cards begin with", SHOW(a->name),
            j->party->name);
    if (time_ms < card->from_ms || time_ms >= card->until_ms)
        return document_say(why, -HL_EVALIDITY, "the card of %s has run out", j->party->name);
    return 0;
}

int agreement_judge(const struct directory *dir, struct judged *j, struct span note,
                    uint64_t time_ms, struct buf *why)
{
    struct span name = j->doc.note.sig[0].name;
    int rc;

    if (note.n > RECORD_AGREEMENT_MAX)
        return document_say(why, -HL_ETOOBIG, "an agreement note has at most %d bytes",
                            RECORD_AGREEMENT_MAX);
    j->party = party_find(dir, name);
    rc = judge_signature(j, name, why);
    if (!rc)
        rc = agreement_signer(dir, j, why);
    if (rc)
        return rc;
    if (j->accord && j->accord->signed_at[j->signer] != NEVER)
        return document_say(why, -HL_EEXIST, "%s has already signed this agreement",
                            j->party->name);
    rc = judge_signer(j, time_ms, why);
    if (!rc && !j->accord)
        rc = judge_text(dir, j->agreement, why);
    return rc;
}

/* In force from the last note needed: the entry at which enough parties had signed. */
static void count_signers(struct accord *accord, uint64_t index)
{
    unsigned need = accord->a->force ? accord->a->force : (unsigned)accord->a->n_parties, have = 0;

    for (size_t p = 0; p < accord->a->n_parties; p++)
        have += accord->signed_at[p] != NEVER;
    if (have == need)
        accord->in_force = index;
}

static struct accord *accord_make(struct directory *dir, struct judged *j)
{
    struct accord *accord = calloc(1, sizeof(*accord));

    if (!accord || map_reserve(&dir->digests, 1) ||
        map_reserve(&dir->channels, j->agreement->n_channels) ||
        map_reserve(&dir->witnesses, j->agreement->n_witnesses) ||
        list_grow(&dir->accord, dir->n_accords, sizeof(struct accord *)))
        goto fail;
    *accord = (struct accord){ .a = j->agreement, .number = dir->n_accords, .in_force = NEVER };
    for (size_t p = 0; p < AGREEMENT_PARTIES; p++)
        accord->signed_at[p] = NEVER;
    if (accord_holds(dir, accord))
        goto fail;
    j->agreement = NULL;
    dir->accord[dir->n_accords++] = accord;
    map_put(&dir->digests, SPAN(accord->a->digest, 32), accord);
    for (size_t i = 0; i < accord->a->n_witnesses; i++)
        map_put(&dir->witnesses, SPAN(accord->a->witness[i].key, 32), &accord->a->witness[i]);
    for (size_t i = 0; i < accord->a->n_channels; i++) {
        accord->place[i] = (struct place){ accord, &accord->a->channel[i] };
        map_put(&dir->channels, SPAN(accord->a->channel[i].id, 32), &accord->place[i]);
    }
    return accord;
fail:
    if (accord)
        free(accord->hold);
    free(accord);
    return NULL;
}

int agreement_fold(struct directory *dir, struct judged *j, uint64_t index)
{
    struct accord *accord = j->accord ? j->accord : accord_make(dir, j);

    if (!accord)
        return -HL_ENOMEM;
    accord->signed_at[j->signer] = index;
    count_signers(accord, index);
    return 0;
}
