#ifndef HL_TESTS_WORLD_H
#define HL_TESTS_WORLD_H

#include "common/agreement.h"
#include "common/card.h"
#include "common/directory.h"
#include "common/envelope.h"
#include "common/stop.h"
#include "common/subkeys.h"

/*
 * A fictional world for tests and bench: four parties with everything signed, from fixed seeds.
 *
 *   party     PoCs                     watch-1  watch-2  chief        hosts / witness
 *   arcadia   technical diplomatic     d,r,a    d,r,a    stop         witness at technical
 *   borealia  technical diplomatic     d,r,a    d,r,a    stop         witness at technical
 *   caldera   technical                d,r,a    d,a      audit,stop   witness at technical
 *   doria     technical                d,r,a    d,a      stop         host doria.example/<realm>/doria/1
 *
 * (d draft, r release, a acknowledge; holders officer-1, officer-2, officer-3; each PoC has a machine key.)  The
 * diplomatic offices have watch-1 alone, so that the two-person rule of the agreement does not bind them.
 * Alternates: arcadia.technical -> arcadia.diplomatic, borealia.technical -> borealia.diplomatic.
 *
 * Agreement ABCD-ICT-2026, in force when all four have signed: channels
 *   arcadia-borealia.crisis     arcadia.* borealia.*
 *   arcadia-borealia.technical  arcadia.technical borealia.technical
 *   abcd.notice                 all six
 * release two alone, psk allowed, sealed no, witnesses arcadia borealia caldera (quorum 2), auditor
 * caldera.technical (full).
 *
 * Every key is that of a label (SHA-256 of it is the seed), so no test needs a list of secrets:
 *   "arcadia/root-1" .. "root-3" (threshold 2)   "arcadia.technical/station"   "arcadia.technical/watch-1"
 *   "arcadia.technical/transport" (X25519)       "arcadia/witness"   "doria/log"   "doria/curve" (X25519)
 *   "arcadia.technical/subkey/<serial>/<day>" (X25519)
 */
enum { WORLD_ARCADIA, WORLD_BOREALIA, WORLD_CALDERA, WORLD_DORIA, WORLD_PARTIES };
enum { WORLD_CRISIS, WORLD_TECHNICAL, WORLD_NOTICE, WORLD_CHANNELS };
#define WORLD_POCS 6
#define WORLD_DOCUMENTS (2 * WORLD_PARTIES + WORLD_POCS)
#define WORLD_NOW UINT64_C(1795312142000) /* 2026-11-22T01:49:02Z */
#define WORLD_YEAR_MS (UINT64_C(365) * 86400000)

extern const char *const world_party[WORLD_PARTIES];
extern const char *const world_poc[WORLD_POCS]; /* arcadia.diplomatic arcadia.technical borealia.diplomatic ... */

struct world_key {
    uint8_t pk[32];
    uint8_t sk[64]; /* Ed25519: libsodium's; X25519: the first 32 bytes */
};
/** world_key/world_xkey - the Ed25519 or X25519 key of @label. */
struct world_key world_key(const char *label);
struct world_key world_xkey(const char *label);

/** world_sign - append @text as a note signed under @name by the keys of @labels, in order by key id. */
void world_sign(struct buf *note, struct span text, const char *name, const char *const *labels, size_t n);
/** world_sign_roots - by the threshold of @party's roots (root-1, root-2). */
void world_sign_roots(struct buf *note, struct span text, const char *party);

struct world {
    enum realm realm;
    uint64_t now_ms;
    char origin[64];                   /* doria.example/<realm>/doria/1 */
    struct buf card[WORLD_PARTIES];    /* notes, serial 1, valid now -+ 2 years */
    struct buf subkeys[WORLD_POCS];    /* notes, serial 1, from yesterday, 30 days */
    struct buf text;                   /* of the agreement */
    struct buf agreement[WORLD_PARTIES]; /* each party's note over it */
    uint8_t fingerprint[WORLD_PARTIES][32];
    uint8_t channel[WORLD_CHANNELS][32];
};

/** world_init - print and sign it all; asserts when the project's own parsers do not take it. */
void world_init(struct world *w, enum realm realm, uint64_t now_ms);
void world_release(struct world *w);
/** world_document - the documents in an order that a log takes: cards, subkeys, agreement notes; i < WORLD_DOCUMENTS. */
struct span world_document(const struct world *w, size_t i);
/** world_directory - all of it folded in: document i is entry i. */
struct directory *world_directory(const struct world *w);

/* For tests that change one thing: fill, change, print, sign. */
/** world_card - the struct behind a party's card; the spans point to static memory, poc is allocated: world_card_release(). */
void world_card(struct card *card, enum realm realm, int party, uint64_t now_ms);
void world_card_release(struct card *card);
/** world_next_card - make @card the successor of @prev_note (serial, previous). */
void world_next_card(struct card *card, struct span prev_note);
/** world_agreement - the struct behind the agreement; release with world_agreement_release(). */
void world_agreement(struct agreement *a, enum realm realm, uint64_t now_ms);
void world_agreement_release(struct agreement *a);
void world_subkeys(struct subkeys *s, const char *poc, uint64_t serial, uint64_t first_day, size_t days);
/** world_announce - append @s as a note signed by its PoC's station. */
void world_announce(struct buf *note, enum realm realm, const struct subkeys *s);
/** world_set_card/world_set_agreement - sign a changed struct and let @w hold its note(s) instead. */
void world_set_card(struct world *w, int party, struct card *card);
void world_set_agreement(struct world *w, struct agreement *filled);

/*
 * An envelope with good signatures, ids and subkeys of the world, but a body and wraps of nothing that opens:
 * what a broker and an auditor can judge.  Set what differs from the defaults (notification, ROUTINE, from borealia.diplomatic to
 * arcadia.diplomatic on the crisis channel, watch-1, category 1, marking 1, smallest bucket).
 */
struct world_message {
    unsigned kind, code, precedence, flags;
    int channel;                 /* WORLD_CRISIS ... */
    const char *sender, *key;    /* key: position, "watch-1" or "station"; or a whole label */
    const char *draft;           /* position of the drafter, NULL: one key does both */
    const char *to[8];           /* up to a NULL; none: empty list */
    unsigned role[8];            /* 0: action */
    uint64_t category, marking, seq, sealed_ms, ack_within_s, psk_epoch, psk_step;
    size_t bucket;               /* plain bytes: 4096 << n */
    uint8_t chain;               /* the chain is 16 of these */
    uint8_t salt;                /* another commit, so another message */
    size_t n_refs;
    uint8_t ref[4][32];
    size_t n_seen;
    struct seen seen[2];
};
void world_message_init(struct world_message *m, const struct world *w);
/** world_envelope - the file form of @m, appended to @out. */
void world_envelope(struct buf *out, const struct world *w, const struct world_message *m);

#endif
