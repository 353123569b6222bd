#ifndef HL_COMMON_CARD_H
#define HL_COMMON_CARD_H

#include "common/document.h"

/*
 * A party's card (FORMATS 1), text:
 *
 *   hotline/1 <realm> card
 *   party <party>
 *   serial <n>
 *   previous <digest of the previous serial's text, or ->
 *   valid <from ms> <until ms>
 *   threshold <k>
 *   root <key>                                  1..5, ascending
 *   witness <name> <key> <office>               0..1; the office whose station holds it
 *   poc <office> <languages, comma> <attendance>   attendance: "24/7" or "HHMM-HHMM" UTC
 *     transport <Z85-free base64 curve key>     1..8
 *     key <key> <permissions, comma> <holder> <position>   1..32; position "station" for machine keys
 *     alternate <party.office>                  0..9, in order
 *   host <origin> <log key>                     0..8
 *     curve <base64 key>                        1..4
 *     endpoint <tcp://...>                      1..4
 *   revoked <key> <since ms>                    0..64; any key that the party listed before
 *   resumed <agreement digest>                  0..16; lifts the party's own stop of that agreement
 *
 * Signed by the threshold of the previous serial's set and of its own.  Serial 1 has no previous; every other has.
 * Offices, positions (but "station") and keys stand once.  An origin ends in "/<realm>/<party>/<generation>".
 */
enum permission {
    PERM_DRAFT = 1, PERM_RELEASE = 2, PERM_ACKNOWLEDGE = 4, PERM_MACHINE = 8, PERM_STOP = 16, PERM_AUDIT = 32
};

#define CARD_ROOTS 5
#define CARD_POCS 16
#define CARD_KEYS 32
#define CARD_TRANSPORT 8
#define CARD_ALTERNATES 9
#define CARD_HOSTS 8
#define CARD_ENDPOINTS 4
#define CARD_REVOKED 64
#define CARD_RESUMED 16

struct card_key {
    uint8_t key[32];
    unsigned permissions; /* enum permission bits; machine stands alone */
    struct span holder, position;
};

struct card_poc {
    char name[64]; /* party.office */
    struct span office, languages, attendance;
    size_t n_transport, n_keys, n_alternates;
    uint8_t transport[CARD_TRANSPORT][32];
    struct card_key key[CARD_KEYS];
    struct span alternate[CARD_ALTERNATES];
};

struct card_host {
    struct span origin;
    uint8_t log_key[32];
    size_t n_curve, n_endpoints;
    uint8_t curve[CARD_ENDPOINTS][32];
    struct span endpoint[CARD_ENDPOINTS];
};

struct card {
    struct buf text; /* owned copy of the whole note; the spans borrow from it */
    enum realm realm;
    uint8_t digest[32];
    struct span party;
    uint64_t serial;
    uint8_t previous[32]; /* zeros for "-" */
    uint64_t from_ms, until_ms;
    unsigned threshold;
    size_t n_roots, n_pocs, n_hosts, n_revoked, n_resumed;
    uint8_t root[CARD_ROOTS][32];
    bool has_witness;
    struct note_key witness; /* type 4 */
    struct span witness_office;
    struct card_poc *poc; /* n_pocs */
    struct card_host host[CARD_HOSTS];
    struct { uint8_t key[32]; uint64_t since_ms; } revoked[CARD_REVOKED];
    uint8_t resumed[CARD_RESUMED][32];
};

/** card_new - parse a card note.  Checks form only; signatures: card_verify(). */
int card_new(struct card **out, enum realm realm, struct span note, struct buf *why);
/** card_parse - card_new() without card_points(), which costs some 0.1 ms a key: for who verifies signatures first. */
int card_parse(struct card **out, enum realm realm, struct span note, struct buf *why);
void card_free(struct card *card);
/** card_verify - signed by its own threshold and, when @prev, that of the previous serial; no other signature lines. 0, -HL_ESIG, -HL_ECHAIN. */
int card_verify(const struct card *card, const struct card *prev);
/** card_print - the text to sign, of a struct that the caller filled (text, digest unused); sorts the roots in place. -HL_ETOOBIG. */
int card_print(struct buf *out, enum realm realm, struct card *card);
/** card_signed_by - is @note signed by the threshold of @card's root set, and by nobody else?  0 or -HL_ESIG. */
int card_signed_by(const struct card *card, const struct note *note);
/** card_fingerprint - H(L("root set") || u8 threshold || keys ascending) of a root set. */
void card_fingerprint(uint8_t fp[static 32], enum realm realm, unsigned threshold, const uint8_t (*root)[32], size_t n);
const struct card_poc *card_poc(const struct card *card, struct span poc);

/* Every key that a card puts under a name and a use. */
enum card_use { USE_ROOT, USE_WITNESS, USE_TRANSPORT, USE_POSITION, USE_MACHINE, USE_LOG, USE_CURVE, USE_SUBKEY };
struct card_id {
    const uint8_t *key; /* 32 */
    enum card_use use;
    struct span name;   /* party, PoC, witness name or origin; the note name where the key signs */
    size_t poc, i;      /* of TRANSPORT, POSITION, MACHINE: poc[poc].key[i]; of LOG and CURVE: host[i] */
};
#define CARD_IDS_MAX (CARD_ROOTS + 1 + CARD_POCS * (CARD_TRANSPORT + CARD_KEYS) + CARD_HOSTS * (1 + CARD_ENDPOINTS))
/** card_ids - list them into @out (CARD_IDS_MAX); returns how many. */
size_t card_ids(const struct card *card, struct card_id *out);
/** card_points - all Ed25519 keys, but those that @known (may be NULL) says were checked before, are canonical and of prime order. 0 or -HL_EBADKEY. */
int card_points(const struct card *card, bool (*known)(const void *arg, const uint8_t *key), const void *arg, struct buf *why);
/** card_id_note_key - the verifier key of a use that signs notes; false for transport, curve, subkey. */
bool card_id_note_key(const struct card_id *id, struct note_key *key);

/** permissions_parse/print - "draft,release". */
int permissions_parse(unsigned *p, struct span s);
int permissions_print(struct buf *out, unsigned p);
/** attendance_parse - "24/7" is 0 and 1440; "0800-1600" is 480 and 960; until may be before from (over midnight). -HL_EFORMAT. */
int attendance_parse(struct span s, unsigned *from_min, unsigned *until_min);

#endif
