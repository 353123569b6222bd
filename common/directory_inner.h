#ifndef HL_COMMON_DIRECTORY_INNER_H
#define HL_COMMON_DIRECTORY_INNER_H

#include "common/directory.h"
#include "common/record.h"

/*
 * The parts of the directory, for directory*.c alone.
 *
 * A *stand* is one key under one name and use, from the entry that lists it until the entry that lists it no more: a
 * card opens a stand for each of its keys and closes those of the card before it; so does a list of subkeys.  What
 * happened to a key is the chain of its stands, newest first; what is in force at an entry is the stand that covers
 * it: from < at <= until, and not yet stopped: at <= stopped.  Nothing is ever removed: the past can be asked.
 */
#define NEVER UINT64_MAX

struct stand {
    const uint8_t *key; /* 32, of the card or list */
    enum card_use use;
    struct span name;   /* party, PoC, witness name, origin */
    struct party *party;
    const struct card *card;           /* NULL of a subkey */
    const struct card_poc *poc;        /* of TRANSPORT, POSITION, MACHINE */
    const struct card_key *signing;    /* of POSITION, MACHINE */
    const struct card_host *host;      /* of LOG, CURVE */
    uint64_t from, until, stopped;
    uint8_t note_id[16];               /* hash of (key id, name), of keys that sign notes */
    struct stand *older, *older_host;  /* of this key; of this origin (LOG) */
};

struct version {
    struct card *card;
    uint64_t index, time_ms;
    struct stand *stand;
    size_t n_stands;
};

struct stopped {
    enum stop_what what;
    uint8_t id[32];     /* of an agreement */
    uint8_t digest[32]; /* of the stop's text */
    uint64_t from, until;
};

struct party {
    char name[32];
    bool pinned, first_known, frozen;
    uint8_t pin[32], first[32]; /* fingerprints: given by hand; of the first root set folded in */
    uint64_t bytes; /* of the notes held of it */
    size_t n_versions, n_stops;
    struct version *version;
    struct stopped *stop;
};

struct list {
    struct subkeys subkeys;
    uint8_t digest[32];
    uint64_t index;
    struct stand *stand; /* subkeys.n */
};

struct ring { /* the lists of one PoC */
    char poc[64];
    size_t n;
    struct list **list;
};

struct hold { /* a party's stop of an agreement */
    unsigned party;
    uint64_t from, until;
};

struct accord { /* an agreement, who signed and who stopped it */
    struct agreement *a;
    size_t number;
    uint64_t signed_at[AGREEMENT_PARTIES];
    uint64_t in_force; /* the entry of the last note that it needs */
    size_t n_holds;
    struct hold *hold;
    struct place { /* what the map of channels leads to */
        struct accord *accord;
        const struct agreement_channel *channel;
    } place[AGREEMENT_CHANNELS];
};

struct conflict {
    struct party *party;
    struct buf a, b; /* notes: the card in force, and the other */
    uint8_t digest[32]; /* of b's text */
};

/* Open addressing, keyed by borrowed bytes; never shrinks, so a lookup needs no care. */
struct map {
    struct slot {
        struct span key;
        uint64_t hash;
        void *value;
    } *slot;
    size_t cap, n;
    uint8_t seed[16];
};

void map_init(struct map *m);
void map_release(struct map *m);
/** map_reserve - room for @n more: map_put() of that many cannot fail then.  0 or -HL_ENOMEM. */
int map_reserve(struct map *m, size_t n);
/** map_put - replaces the value (and the borrowed key) when it is there. */
void map_put(struct map *m, struct span key, void *value);
void *map_get(const struct map *m, struct span key);

struct directory {
    enum realm realm;
    struct map parties, keys, ids, rings, hosts, channels, digests, witnesses;
    struct party **party;
    size_t n_parties;
    struct ring **ring;
    size_t n_rings;
    struct accord **accord;
    size_t n_accords;
    struct conflict *conflict;
    size_t n_conflicts;
};

/* Limits are each party's own, so that none fills what the others need. */
#define PARTY_BYTES_MAX (UINT64_C(16) << 20)
#define PARTY_STOPS_MAX (UINT64_C(1) << 20) /* stops have room when all else is full */
#define PARTY_CONFLICTS_MAX 4

/* A document, judged: what folding it in needs. */
struct judged {
    struct document doc;
    struct party *party;   /* NULL: new */
    struct card *card;     /* owned until folded in */
    struct subkeys subkeys;
    struct ring *ring;     /* NULL: new */
    struct stop stop;
    struct stand *stand;   /* that a stop of key, subkey or host stops */
    struct agreement *agreement; /* owned until folded in; NULL when the accord is known */
    struct accord *accord;
    int signer;            /* index of the party among the agreement's */
    bool contradicts;      /* the rc is -HL_ECONFLICT because of this card itself */
};

/* Judging is pure; folding cannot fail but for memory, and then has changed nothing. */
int card_judge(const struct directory *dir, struct judged *j, struct span note, bool first, struct buf *why);
int card_fold(struct directory *dir, struct judged *j, uint64_t index, uint64_t time_ms);
int card_keys_free(const struct directory *dir, const struct card *card, const struct party *party, struct buf *why);
int conflict_add(struct directory *dir, struct judged *j, struct span note);
int subkeys_judge(const struct directory *dir, struct judged *j, struct span note, uint64_t time_ms, struct buf *why);
int subkeys_fold(struct directory *dir, struct judged *j, uint64_t index);
int stop_judge(const struct directory *dir, struct judged *j, struct span note, uint64_t time_ms, struct buf *why);
/** stop_thing - find what j->stop stops: 0, -HL_EEXIST (stopped already), -HL_EKEY, -HL_EPERM. */
int stop_thing(const struct directory *dir, struct judged *j, struct buf *why);
int stop_fold(struct directory *dir, struct judged *j, uint64_t index);
/** accord_holds - take over the stops of @accord that its parties made before it was known here. */
int accord_holds(const struct directory *dir, struct accord *accord);
int agreement_judge(const struct directory *dir, struct judged *j, struct span note, uint64_t time_ms, struct buf *why);
/** agreement_signer - parse and find out whose note it is, without judging it. */
int agreement_signer(const struct directory *dir, struct judged *j, struct buf *why);
int agreement_fold(struct directory *dir, struct judged *j, uint64_t index);

struct party *party_find(const struct directory *dir, struct span name);
/** party_make - find or add; NULL: no memory. */
struct party *party_make(struct directory *dir, struct span name);
/** party_card - the card of @party at @at; NULL when none. */
const struct card *party_card(const struct party *party, uint64_t at);
static inline struct version *party_version(const struct party *party)
{
    return party && party->n_versions ? &party->version[party->n_versions - 1] : NULL;
}
static inline struct span party_name(const struct party *party)
{
    return span_str(party->name);
}
/** stand_at - the stand of @key that covers @at; NULL when none. */
struct stand *stand_at(const struct directory *dir, uint64_t at, const uint8_t key[static 32]);
/** stand_newest - the newest stand of @key, which alone may stand now. */
struct stand *stand_newest(const struct directory *dir, const uint8_t key[static 32]);
/** stands_open/stand_put - reserve maps for @n stands; open one (after the reserve). */
int stands_reserve(struct directory *dir, size_t n);
void stand_put(struct directory *dir, struct stand *stand);
/** note_id - hash of (key id, name) of @key under @name; false when the use signs no notes. */
bool note_id(const struct directory *dir, const struct card_id *id, uint8_t out[static 16]);
/** list_grow - room for one more in an array of @n pointers or structs of @size; doubles.  0 or -HL_ENOMEM. */
int list_grow(void *array, size_t n, size_t size);
static inline bool covers(uint64_t from, uint64_t until, uint64_t at)
{
    return from < at && at <= until;
}

#endif
