#ifndef HL_COMMON_DIRECTORY_H
#define HL_COMMON_DIRECTORY_H

#include "common/agreement.h"
#include "common/card.h"
#include "common/stop.h"
#include "common/subkeys.h"

/*
 * What is in force at an entry: a fold over the public entries of one log (cards, subkeys, stops) and the
 * agreement notes that this reader may see.  Pure; broker, clients and auditors run the same fold.
 *
 * "at" is an entry index: a query sees what entries below @at established.  DIRECTORY_NOW sees all.
 * Time of validity is judged at the entry's time_ms.  The fold keeps history, so any "at" may be asked; a
 * broker that only needs the present loads only what is in force (directory_restore()).
 *
 *  1. Public documents are judged by public documents alone, and by what stands now: so whoever folds one
 *     log comes to the same directory, with or without the confidential agreements and the far past.
 *  2. A root set renews itself even when its card has run out; every other key counts only within its
 *     card's time of validity.
 *  3. A stop names the card in force; one that names another serial is refused, so no stop is lifted before it
 *     was made and none is replayed after it was lifted.  A thing already stopped is not stopped again.
 *  4. Of a frozen party (-HL_ECONFLICT) no card and no agreement note is taken; stops (they only take away)
 *     and subkeys (signed by a machine key that stood before) are.  directory_resolve() thaws.
 *     An older serial than the one in force is -HL_ECHAIN: who stole a replaced root set cannot freeze its party.
 *  5. What is held of one party has a limit (-HL_EQUOTA): it fills its own place, nobody else's.
 *  6. Suspended or expired agreements take no new messages; steps on recorded ones stay possible (rules.h).
 */
#define DIRECTORY_NOW UINT64_MAX
#define DIRECTORY_RECORDED UINT64_MAX /* as time_ms of a recorded public document: its host judged the time; who cannot open all records before it cannot, and folds it all the same (rule 1) */

struct directory;

struct directory *directory_new(enum realm realm);
void directory_free(struct directory *dir);
enum realm directory_realm(const struct directory *dir);

/** directory_pin - the fingerprint of @party's first root set, given by hand.  A first card with another set is -HL_EFINGERPRINT. */
int directory_pin(struct directory *dir, struct span party, const uint8_t fp[static 32]);
bool directory_pinned(const struct directory *dir, struct span party, uint8_t fp[static 32]);

/* What a document would do or has done. */
struct directory_change {
    enum document_type type;
    char party[64]; /* or PoC, of subkeys */
    uint64_t serial;
    uint8_t digest[32];
    bool keys_changed; /* transport keys, signing keys or agreements changed: sessions must be judged again */
};

/**
 * directory_check - may @note (card, subkeys, stop, or one party's agreement note) be recorded now?
 * 0, or -HL_EEXIST (already recorded: same text, nothing to do), -HL_EADMIT (first card of an unpinned party
 * when @first is false), -HL_ECHAIN, -HL_ECONFLICT, -HL_ESIG, -HL_EDUPLICATE, -HL_EBADKEY, -HL_EKEY,
 * -HL_EPERM, -HL_EFINGERPRINT, -HL_EFORMAT, ...  @why gets a sentence.
 */
int directory_check(const struct directory *dir, struct span note, uint64_t time_ms, bool first, struct directory_change *change, struct buf *why);
/** directory_apply - check and fold in as entry @index at @time_ms.  Same errors; on error nothing changed, except that -HL_ECONFLICT freezes the party. */
int directory_apply(struct directory *dir, struct span note, uint64_t index, uint64_t time_ms, bool first, struct directory_change *change, struct buf *why);
/**
 * directory_restore - fold in what this installation itself recorded earlier, without its predecessors and without
 * verifying again; in index order.  Of each party: its first card (else directory_pin(): agreements name the first
 * set), the card before the one in force (else a conflict cannot be judged), the one in force and stops that name
 * its serial; the newest two subkeys of each PoC; every stop of an agreement that is not lifted; agreement notes.
 */
int directory_restore(struct directory *dir, struct span note, uint64_t index, uint64_t time_ms);

/* A signing key, at an entry. */
struct key_facts {
    struct span poc, holder, position; /* borrowed from the card */
    unsigned permissions;
};
/** directory_key - 0, -HL_EKEY, -HL_ESTOPPED, -HL_EVALIDITY. */
int directory_key(const struct directory *dir, uint64_t at, uint64_t time_ms, const uint8_t key[static 32], struct key_facts *facts);
/** directory_revoked - does the card in force of the party that had @key list it as revoked?  Since when, into @since_ms. */
bool directory_revoked(const struct directory *dir, uint64_t at, const uint8_t key[static 32], uint64_t *since_ms);
/** directory_card - the card of @party in force; NULL when none. */
const struct card *directory_card(const struct directory *dir, uint64_t at, struct span party);
const struct card_poc *directory_poc(const struct directory *dir, uint64_t at, struct span poc);
/** directory_release_holders - how many holders the card lists for @poc with permission release (stopped or not: a stop must not loosen the rule). The two-person rule binds from two. */
unsigned directory_release_holders(const struct directory *dir, uint64_t at, uint64_t time_ms, struct span poc);
/** directory_transport - the PoC that may connect with @key now; SPAN_NONE when none. */
struct span directory_transport(const struct directory *dir, uint64_t time_ms, const uint8_t key[static 32]);
/** directory_each_transport - call @fn for every transport key in force. */
void directory_each_transport(const struct directory *dir, uint64_t time_ms, void (*fn)(void *arg, const uint8_t key[static 32], struct span poc), void *arg);
/** directory_subkey - the X25519 key of @poc for UTC @day (of the highest serial, not stopped); NULL when none. */
const uint8_t *directory_subkey(const struct directory *dir, uint64_t at, struct span poc, uint64_t day);
/** directory_subkey_stopped - has the X25519 key been stopped? */
bool directory_subkey_stopped(const struct directory *dir, uint64_t at, const uint8_t key[static 32]);
/** directory_last_subkey_day - the last announced day of @poc; 0 when none. */
uint64_t directory_last_subkey_day(const struct directory *dir, uint64_t at, struct span poc, uint64_t *serial);

/* An agreement, at an entry. */
struct channel_facts {
    const struct agreement *agreement;
    const struct agreement_channel *channel;
    size_t number; /* of the agreement, as in directory_agreement() */
};
/** directory_channel - 0 in force; -HL_ECHANNEL unknown, -HL_EFORCE, -HL_ESTOPPED, -HL_EVALIDITY (@facts is set for all but the first). */
int directory_channel(const struct directory *dir, uint64_t at, uint64_t time_ms, const uint8_t channel[static 32], struct channel_facts *facts);
/** directory_member - may @poc take part in the channel?  0, -HL_EMEMBER, -HL_EFORCE (its party has not signed), -HL_ESTOPPED (its party suspended). */
int directory_member(const struct directory *dir, uint64_t at, const struct channel_facts *facts, struct span poc);
/** directory_signed - has @party signed @agreement below @at? */
bool directory_signed(const struct directory *dir, uint64_t at, const struct agreement *a, struct span party);
/** directory_agreement - iterate: agreement number @i, NULL at the end.  directory_agreement_by: by digest. */
const struct agreement *directory_agreement(const struct directory *dir, size_t i);
const struct agreement *directory_agreement_by(const struct directory *dir, const uint8_t digest[static 32]);
/** directory_stopped_host - has @origin been stopped by its party? */
bool directory_stopped_host(const struct directory *dir, uint64_t at, struct span origin);
/** directory_host - the host record of @origin in any card in force; NULL when none. */
const struct card_host *directory_host(const struct directory *dir, uint64_t at, struct span origin);
/** directory_witness - whose station holds witness key @key: its PoC into @poc (64 bytes); -HL_ENOENT. */
int directory_witness(const struct directory *dir, uint64_t at, const uint8_t key[static 32], char poc[static 64]);
/** directory_each_card - cards in force now, in name order. */
void directory_each_card(const struct directory *dir, int (*fn)(void *arg, const struct card *card), void *arg);
/** directory_conflict - the i-th pair of contradicting cards (notes), false at the end: evidence. */
bool directory_conflict(const struct directory *dir, size_t i, struct span *a, struct span *b);
/** directory_frozen - is @party frozen by a conflict? */
bool directory_frozen(const struct directory *dir, struct span party);
/** directory_resolve - officers have spoken: of @party's contradicting cards the one with @digest stands, from entry @index. -HL_ENOENT. */
int directory_resolve(struct directory *dir, struct span party, const uint8_t digest[static 32], uint64_t index, uint64_t time_ms);

#endif
