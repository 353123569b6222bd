/* What is in force at an entry.  Nothing here walks over the parties but what says "each". */
#include <stdlib.h>
#include <string.h>

#include "common/directory_inner.h"
#include "common/error.h"

static bool valid(const struct card *card, uint64_t time_ms)
{
    return time_ms == DIRECTORY_RECORDED || (card->from_ms <= time_ms && time_ms < card->until_ms);
}

/* ---- keys ---- */

/* The party that had @key below @at lists it as revoked now. */
bool directory_revoked(const struct directory *dir, uint64_t at, const uint8_t key[static 32],
                       uint64_t *since_ms)
{
    const struct stand *s = stand_newest(dir, key);
    const struct card *card;

    while (s && s->from >= at)
        s = s->older;
    card = s ? party_card(s->party, at) : NULL;
    for (size_t i = 0; card && i < card->n_revoked; i++)
        if (memcmp(card->revoked[i].key, key, 32) == 0) {
            *since_ms = card->revoked[i].since_ms;
            return true;
        }
    return false;
}

int directory_key(const struct directory *dir, uint64_t at, uint64_t time_ms,
                  const uint8_t key[static 32], struct key_facts *facts)
{
    const struct stand *s = stand_at(dir, at, key);
    uint64_t since_ms;

    *facts = (struct key_facts){ 0 };
    if (!s || !s->signing)
        return directory_revoked(dir, at, key, &since_ms) ? -HL_ESTOPPED : -HL_EKEY;
    facts->poc = s->name;
    facts->holder = s->signing->holder;
    facts->position = s->signing->position;
    facts->permissions = s->signing->permissions;
    if (at > s->stopped)
        return -HL_ESTOPPED;
    return valid(s->card, time_ms) ? 0 : -HL_EVALIDITY;
}

static bool connects(const struct stand *s, uint64_t time_ms)
{
    return s->use == USE_TRANSPORT && s->until == NEVER && s->stopped == NEVER &&
           valid(s->card, time_ms);
}

struct span directory_transport(const struct directory *dir, uint64_t time_ms,
                                const uint8_t key[static 32])
{
    const struct stand *s = stand_newest(dir, key);

    return s && connects(s, time_ms) ? s->name : SPAN_NONE;
}

void directory_each_transport(const struct directory *dir, uint64_t time_ms,
                              void (*fn)(void *arg, const uint8_t key[static 32], struct span poc),
                              void *arg)
{
    for (size_t p = 0; p < dir->n_parties; p++) {
        const struct version *v = party_version(dir->party[p]);

        for (size_t i = 0; v && i < v->n_stands; i++)
            if (connects(&v->stand[i], time_ms))
                fn(arg, v->stand[i].key, v->stand[i].name);
    }
}

int directory_witness(const struct directory *dir, uint64_t at, const uint8_t key[static 32],
                      char poc[static 64])
{
    const struct stand *s = stand_at(dir, at, key);

    if (!s || s->use != USE_WITNESS || at > s->stopped)
        return -HL_ENOENT;
    for (size_t i = 0; i < s->card->n_pocs; i++)
        if (span_eq(s->card->poc[i].office, s->card->witness_office)) {
            memcpy(poc, s->card->poc[i].name, 64);
            return 0;
        }
    return -HL_ENOENT;
}

/* ---- cards ---- */

const struct card *party_card(const struct party *party, uint64_t at)
{
    for (size_t i = party ? party->n_versions : 0; i > 0; i--)
        if (party->version[i - 1].index < at)
            return party->version[i - 1].card;
    return NULL;
}

const struct card *directory_card(const struct directory *dir, uint64_t at, struct span party)
{
    return party_card(party_find(dir, party), at);
}

const struct card_poc *directory_poc(const struct directory *dir, uint64_t at, struct span poc)
{
    const struct card *card = directory_card(dir, at, name_party(poc));

    return card ? card_poc(card, poc) : NULL;
}

unsigned directory_release_holders(const struct directory *dir, uint64_t at, uint64_t time_ms,
                                   struct span name)
{
    const struct card *card = directory_card(dir, at, name_party(name));
    const struct card_poc *poc = card && valid(card, time_ms) ? card_poc(card, name) : NULL;
    unsigned holders = 0;

    for (size_t i = 0; poc && i < poc->n_keys; i++) {
        size_t k = 0;

        if (!(poc->key[i].permissions & PERM_RELEASE))
            continue;
        while (k < i && !((poc->key[k].permissions & PERM_RELEASE) &&
                          span_eq(poc->key[k].holder, poc->key[i].holder)))
            k++;
        holders += k == i;
    }
    return holders;
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(struct party *const *)a)->name, (*(struct party *const *)b)->name);
}

void directory_each_card(const struct directory *dir, int (*fn)(void *arg, const struct card *card),
                         void *arg)
{
    struct party **sorted = calloc(dir->n_parties + 1, sizeof(*sorted));
    int rc = sorted ? 0 : 1;

    for (size_t i = 0; sorted && i < dir->n_parties; i++)
        sorted[i] = dir->party[i];
    if (sorted)
        qsort(sorted, dir->n_parties, sizeof(*sorted), by_name);
    for (size_t i = 0; !rc && i < dir->n_parties; i++)
        if (party_version(sorted[i]))
            rc = fn(arg, party_version(sorted[i])->card);
    free(sorted);
}

/* ---- subkeys ---- */

const uint8_t *directory_subkey(const struct directory *dir, uint64_t at, struct span poc,
                                uint64_t day)
{
    const struct ring *ring = map_get(&dir->rings, poc);

    for (size_t i = ring ? ring->n : 0; i > 0; i--) {
        const struct list *list = ring->list[i - 1];
        uint64_t n = day - list->subkeys.first_day;

        if (list->index >= at || day < list->subkeys.first_day || n >= list->subkeys.n)
            continue;
        return at > list->stand[n].stopped ? NULL : list->subkeys.key[n];
    }
    return NULL;
}

bool directory_subkey_stopped(const struct directory *dir, uint64_t at,
                              const uint8_t key[static 32])
{
    const struct stand *s = stand_newest(dir, key);

    while (s && (s->use != USE_SUBKEY || s->from >= at))
        s = s->older;
    return s && at > s->stopped;
}

uint64_t directory_last_subkey_day(const struct directory *dir, uint64_t at, struct span poc,
                                   uint64_t *serial)
{
    const struct ring *ring = map_get(&dir->rings, poc);

    for (size_t i = ring ? ring->n : 0; i > 0; i--) {
        const struct list *list = ring->list[i - 1];

        if (list->index >= at)
            continue;
        if (serial)
            *serial = list->subkeys.serial;
        return list->subkeys.first_day + list->subkeys.n - 1;
    }
    if (serial)
        *serial = 0;
    return 0;
}

/* ---- agreements ---- */

static bool held(const struct accord *accord, uint64_t at, unsigned party)
{
    for (size_t i = 0; i < accord->n_holds; i++)
        if (accord->hold[i].party == party &&
            covers(accord->hold[i].from, accord->hold[i].until, at))
            return true;
    return false;
}

int directory_channel(const struct directory *dir, uint64_t at, uint64_t time_ms,
                      const uint8_t channel[static 32], struct channel_facts *facts)
{
    const struct place *place = map_get(&dir->channels, SPAN(channel, 32));
    const struct agreement *a;

    *facts = (struct channel_facts){ 0 };
    if (!place)
        return -HL_ECHANNEL;
    a = place->accord->a;
    *facts = (struct channel_facts){ a, place->channel, place->accord->number };
    if (place->accord->in_force >= at)
        return -HL_EFORCE;
    if (a->n_parties == 2 && (held(place->accord, at, 0) || held(place->accord, at, 1)))
        return -HL_ESTOPPED;
    if (time_ms < a->from_ms || (a->until_ms && time_ms >= a->until_ms))
        return -HL_EVALIDITY;
    return 0;
}

int directory_member(const struct directory *dir, uint64_t at, const struct channel_facts *facts,
                     struct span poc)
{
    const struct accord *accord = dir->accord[facts->number];
    int i = channel_member_index(facts->channel, poc);

    if (i < 0)
        return -HL_EMEMBER;
    if (accord->signed_at[facts->channel->party[i]] >= at)
        return -HL_EFORCE;
    return held(accord, at, facts->channel->party[i]) ? -HL_ESTOPPED : 0;
}

bool directory_signed(const struct directory *dir, uint64_t at, const struct agreement *a,
                      struct span party)
{
    const struct accord *accord = map_get(&dir->digests, SPAN(a->digest, 32));
    int i = agreement_party(a, party);

    return accord && i >= 0 && accord->signed_at[i] < at;
}

const struct agreement *directory_agreement(const struct directory *dir, size_t i)
{
    return i < dir->n_accords ? dir->accord[i]->a : NULL;
}

const struct agreement *directory_agreement_by(const struct directory *dir,
                                               const uint8_t digest[static 32])
{
    const struct accord *accord = map_get(&dir->digests, SPAN(digest, 32));

    return accord ? accord->a : NULL;
}

/* ---- hosts ---- */

static const struct stand *host_at(const struct directory *dir, uint64_t at, struct span origin)
{
    const struct stand *s = map_get(&dir->hosts, origin);

    while (s && !covers(s->from, s->until, at))
        s = s->older_host;
    return s;
}

bool directory_stopped_host(const struct directory *dir, uint64_t at, struct span origin)
{
    const struct stand *s = host_at(dir, at, origin);

    return s && at > s->stopped;
}

const struct card_host *directory_host(const struct directory *dir, uint64_t at, struct span origin)
{
    const struct stand *s = host_at(dir, at, origin);

    return s ? s->host : NULL;
}
