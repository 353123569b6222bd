#ifndef HL_CLIENT_COMPOSE_H
#define HL_CLIENT_COMPOSE_H

#include "client/agent.h"
#include "common/rules.h"

/*
 * From what an officer wants to say to an envelope on its way: header and commitment at drafting; stamp, number,
 * sealing and signature at release.  Taking the number and storing the signed envelope is one transaction.
 *
 *   compose_draft -> struct desk_draft -> compose_prepare -> struct prepared -> compose_commit -> outbox
 *                                                                        -> prepared_keep .. prepared_load ->
 *
 * The position's key may be elsewhere (a releaser's own process): compose_prepare() leaves the id to sign, and
 * compose_commit() takes only the signature.
 */
struct draft_input {
    struct span channel_name; /* "arcadia-borealia.crisis" */
    unsigned kind, code, precedence;
    size_t n_to;
    const struct recipient *to; /* action and information; alternates are added from the cards */
    struct span category, marking; /* words of the agreement; empty for bodyless kinds */
    bool seal_labels;          /* category and marking only inside */
    struct content *content;   /* subject, language, form, phrasebook, thread, form fields, text, attachment set; category and marking are added */
    size_t n_refs;
    const uint8_t *ref[ENVELOPE_REFS_MAX];
    uint64_t ack_within_s, lifetime_s;
};

/** compose_draft - header, salt, commitment; no signature yet.  @out is initialised.  @why says what the agreement does not allow. */
int compose_draft(struct agent *a, const struct draft_input *in, struct desk_draft *out, struct buf *why);
/** compose_sign_draft - the drafter's signature, when another position releases. */
int compose_sign_draft(struct agent *a, struct desk_draft *draft, const struct seckey *key);

struct prepared {
    struct message message; /* its envelope: file form, with zeroes for the signature */
    struct span origins[STATION_HOSTS];
    size_t n_origins;
};
void prepared_init(struct prepared *p);
void prepared_release(struct prepared *p);

/**
 * compose_prepare - stamp and seal @draft for release by @key at the next number; nothing is stored.  Judged by the
 * rules first: what a broker would refuse is refused here with the same sentence.  @out is initialised by the caller.
 */
int compose_prepare(struct agent *a, const struct desk_draft *draft, const uint8_t key[static 32], unsigned flags,
                    struct prepared *out, struct buf *why);
/** compose_commit - verify @sig, store envelope, number and outbox rows in one transaction, drop the draft, kick the syncs. -HL_ESTATE when the number was taken meanwhile. */
int compose_commit(struct agent *a, struct prepared *p, const uint8_t sig[static 64]);
/** prepared_keep / prepared_load - a release that waits for its signature, on the desk.  prepared_load: -HL_ENOENT. */
int prepared_keep(struct agent *a, const struct prepared *p);
int prepared_load(struct agent *a, const uint8_t id[static 32], struct prepared *p, struct buf *why);

/** compose_step - a bodyless step (16..21) on @target, to its sender (and, from 17, its other recipients where they are few), signed by @key and stored for all hosts. */
int compose_step(struct agent *a, const struct message *target, unsigned kind, unsigned code, const struct seckey *key,
                 uint8_t mid[static 32], struct buf *why);
/** compose_remark - the same with a remark, sealed for the same readers under the labels of @target. */
int compose_remark(struct agent *a, const struct message *target, unsigned kind, unsigned code, struct span language,
                   struct span text, const struct seckey *key, uint8_t mid[static 32], struct buf *why);
/** compose_again - @step of the machine, refused for its number, once more under the new chain. */
int compose_again(struct agent *a, const struct message *step);
/** compose_void - @message was refused by every host: its number is closed. */
int compose_void(struct agent *a, const struct message *message);
/** compose_channel - the sync whose directory has @name (or @id) in force, and what it says; NULL when none, and *@rc. */
struct sync *compose_channel(struct agent *a, struct span name, const uint8_t *id, struct channel_facts *facts, int *rc, struct buf *why);
/** compose_now - the time to seal by: this clock, unless it is more than a day off the newest time at which witnesses cosigned; then theirs, and *@doubted. */
uint64_t compose_now(const struct agent *a, bool *doubted);

#endif
