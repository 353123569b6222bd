#ifndef HL_COMMON_AGREEMENT_H
#define HL_COMMON_AGREEMENT_H

#include "common/document.h"
#include "common/envelope.h"

/*
 *   hotline/1 <realm> agreement
 *   name <label>                              ABCD-ICT-2026: [A-Za-z0-9-]{1,40}
 *   title <free>
 *   party <party> <root set fingerprint>      2..64
 *   force all | force <n>                     n (2 or more) of the named parties, then among those that signed
 *   valid <from ms> <until ms or 0>
 *   category <word>                           1..64, index from 1
 *   marking <word>                            1..32, index from 1
 *   sealed <yes|no>                           may category and marking be sealed (0 in the header)?
 *   attachment <media type> <max bytes>       0..16
 *   deadline <precedence> <ack seconds>       4, ROUTINE first
 *   handling <precedence> <seconds>           4: how long a gap in numbers is only a state
 *   release <one|two> <alone|never>           two positions; may the drafter release alone after waiting?
 *   psk <none|allowed|required>
 *   suite 1
 *   channel <name>                            1..64
 *     member <party.office>                   2..600, ascending; of named parties
 *   host <origin>                             1..8
 *   witness <vkey type 4>                     3..32
 *   quorum <k>
 *   auditor <party.office> <full|statistics>  0..16
 *   retention <days>
 *   language <BCP 47>                         1..16
 *   phrasebook <digest or ->
 *   treaty <digest or ->
 *   random <base64 of 32 bytes>
 *
 * Three witnesses or more, where a card lists at most one: so one at least belongs to neither side of a bilateral
 * channel, as far as cards tell.
 *
 * Each party publishes its own note over the same text, signed by the threshold of its root set (note
 * names: the party).
 */
#define AGREEMENT_PARTIES 64
#define AGREEMENT_CATEGORIES 64
#define AGREEMENT_MARKINGS 32
#define AGREEMENT_ATTACHMENTS 16
#define AGREEMENT_CHANNELS 64
#define AGREEMENT_HOSTS 8
#define AGREEMENT_WITNESSES 32
#define AGREEMENT_AUDITORS 16
#define AGREEMENT_LANGUAGES 16

enum psk_duty { PSK_NONE, PSK_ALLOWED, PSK_REQUIRED };
/** psk_duty_name - "none", "allowed", "required". */
const char *psk_duty_name(enum psk_duty duty);

struct agreement_channel {
    struct span name;
    uint8_t id[32]; /* H(L("channel") || digest || N(name)) */
    size_t n_members;
    struct span *member; /* n_members, ascending */
    uint8_t *party;      /* n_members: index of its party in the agreement */
};

struct agreement {
    struct buf text; /* owned copy of the text (no signatures); spans borrow */
    uint8_t digest[32];
    struct span name, title;
    size_t n_parties, n_categories, n_markings, n_attachments, n_channels, n_hosts, n_witnesses, n_auditors, n_languages;
    struct { struct span party; uint8_t fingerprint[32]; } party[AGREEMENT_PARTIES];
    unsigned force; /* 0 = all */
    uint64_t from_ms, until_ms;
    struct span category[AGREEMENT_CATEGORIES], marking[AGREEMENT_MARKINGS];
    bool sealed;
    struct { struct span type; uint64_t max; } attachment[AGREEMENT_ATTACHMENTS];
    uint64_t deadline_s[4], handling_s[4];
    bool two_person, alone;
    enum psk_duty psk;
    struct agreement_channel *channel;
    struct span host[AGREEMENT_HOSTS];
    struct note_key witness[AGREEMENT_WITNESSES];
    unsigned quorum;
    struct { struct span poc; bool full; } auditor[AGREEMENT_AUDITORS];
    uint64_t retention_days;
    struct span language[AGREEMENT_LANGUAGES];
    uint8_t phrasebook[32], treaty[32]; /* zeros for "-" */
    uint8_t random[32];
};

/**
 * agreement_new - parse a copy of @text (not a note) into *out, the caller's to free; NULL on failure.
 * -HL_EFORMAT, -HL_ESUITE, -HL_EREALM, -HL_ETOOBIG, -HL_EDUPLICATE (something stands twice), -HL_ENOMEM; @why gets a sentence.
 */
int agreement_new(struct agreement **out, enum realm realm, struct span text, struct buf *why);
void agreement_free(struct agreement *a);
/** agreement_print - the text to sign, of a struct that the caller filled (text, digest, channel ids unused); sorts the members in place. -HL_ETOOBIG. */
int agreement_print(struct buf *out, enum realm realm, struct agreement *a);
/** agreement_party - index of @party, or -1. */
int agreement_party(const struct agreement *a, struct span party);
const struct agreement_channel *agreement_channel(const struct agreement *a, struct span name);
bool channel_member(const struct agreement_channel *c, struct span poc);
/** channel_member_index - where @poc stands among the members, or -1. */
int channel_member_index(const struct agreement_channel *c, struct span poc);
/** agreement_policy - append a tlog-policy for one log of this agreement: log, witnesses, quorum. */
int agreement_policy(struct buf *out, const struct agreement *a, const struct note_key *log);

#endif
