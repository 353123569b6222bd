#ifndef HL_COMMON_ENVELOPE_H
#define HL_COMMON_ENVELOPE_H

#include "common/buf.h"
#include "common/name.h"

/*
 * The envelope, suite 1 (FORMATS 2): decoding, ids, signature verification, encoding.
 *
 *     envelope = [1, header: bstr, stamp: bstr, wraps: bstr, body: bstr, sig: bstr64]
 *     front    = [1, header: bstr, stamp: bstr, wraps: bstr, H(body): bstr32, len(body), sig: bstr64]
 *
 * The front matter is all that a broker judges; the body follows.  Both decode into one struct, whose
 * spans and pointers borrow from the input, which must outlive it.  A decoded envelope is canonical,
 * within its limits, of the given realm, and consistent in itself: kinds, roles, flags, bodyless rules,
 * buckets, "FLASH is bare" as far as sizes show.  Whether it is signed says envelope_verify(); whether
 * it is allowed says rules_judge().
 */
#define ENVELOPE_MAX 1200000
#define ENVELOPE_HEADER_MAX 40000
#define ENVELOPE_STAMP_MAX 2000
#define ENVELOPE_TO_MAX 600
#define ENVELOPE_REFS_MAX 16
#define ENVELOPE_SEEN_MAX 8
#define ENVELOPE_WRAPS_MAX (ENVELOPE_TO_MAX * 86 + 64)
#define ENVELOPE_FRONT_MAX (ENVELOPE_HEADER_MAX + ENVELOPE_STAMP_MAX + ENVELOPE_WRAPS_MAX + 256)
#define ENVELOPE_BUCKET_MIN 4096    /* plain; the body is 16 bytes longer */
#define ENVELOPE_BUCKET_MAX 1048576
#define ENVELOPE_TAG 16

enum kind {
    KIND_NOTIFICATION = 1, KIND_REQUEST, KIND_REPLY, KIND_INFORMATION, KIND_CORRECTION,
    KIND_RETRACTION, KIND_ENDORSEMENT, KIND_LINK_TEST, KIND_VOID,
    KIND_DELIVERED = 16, KIND_ACKNOWLEDGED, KIND_UNDERSTOOD, KIND_PASSED, KIND_REFUSED,
    KIND_CANNOT_READ,
    KIND_EXERCISE_CONTROL = 32
};

enum precedence { PRECEDENCE_ROUTINE, PRECEDENCE_PRIORITY, PRECEDENCE_IMMEDIATE, PRECEDENCE_FLASH };
enum role { ROLE_ACTION = 1, ROLE_INFORMATION = 2, ROLE_ALTERNATE = 10 /* 10 + n */ };
#define ROLE_ALTERNATE_MAX 19
enum envelope_flag { FLAG_BREAK_GLASS = 1, FLAG_RELEASED_ALONE = 2, FLAG_CARRIED = 4 };

struct recipient {
    struct span poc;
    unsigned role;
};

struct header {
    enum realm realm;
    unsigned kind, code;
    const uint8_t *channel; /* 32 */
    struct span sender;
    uint64_t drafted_ms;
    size_t n_to;
    struct recipient to[ENVELOPE_TO_MAX];
    uint64_t category, marking; /* 0 = sealed in the content, or bodyless */
    struct span commit;         /* 32 bytes, or empty when bodyless */
    size_t n_refs;
    const uint8_t *ref[ENVELOPE_REFS_MAX]; /* 32 each; ref[0] is the target of 3, 5, 6, 7, 16..21 */
};

struct seen {
    const uint8_t *log; /* 32: the log's Ed25519 key */
    uint64_t size;
    const uint8_t *root; /* 32 */
};

struct stamp {
    const uint8_t *key;       /* 32: who released */
    const uint8_t *draft_key; /* 32, or NULL when one key did both */
    const uint8_t *draft_sig; /* 64, or NULL */
    unsigned precedence, flags;
    const uint8_t *chain; /* 16 */
    uint64_t seq;         /* from 1 */
    uint64_t sealed_ms, ack_within_s, lifetime_s;
    uint64_t psk_epoch, psk_step; /* psk_step 0 = base mode */
    size_t n_seen;
    struct seen seen[ENVELOPE_SEEN_MAX];
};

struct wrap {
    const uint8_t *subkey; /* 32 */
    const uint8_t *ct;     /* 48 */
};

struct wraps {
    const uint8_t *enc; /* 32, NULL when bodyless */
    size_t n;
    struct wrap wrap[ENVELOPE_TO_MAX];
};

struct envelope {
    struct header header;
    struct stamp stamp;
    struct wraps wraps;
    struct span header_bytes, stamp_bytes, wraps_bytes; /* contents of the byte strings */
    struct span body;      /* empty until it is there (front), or when bodyless */
    uint64_t body_len;     /* as announced */
    const uint8_t *sig;    /* 64 */
    uint8_t wraps_hash[32], body_hash[32];
    uint8_t mid[32];       /* H(L("message") || header) */
    uint8_t h[32];         /* H(L("head") || H(header) || H(stamp)) */
    uint8_t id[32];        /* H(L("envelope") || u16 suite || h || H(wraps) || H(body)) */
};

/** envelope_decode - the file form, with its body. 0, -HL_EFORMAT, -HL_ESUITE, -HL_ETOOBIG, -HL_EREALM, -HL_EKIND, -HL_EFLASH. On failure *env is all zeroes. Verifies no signature. */
int envelope_decode(struct envelope *env, enum realm realm, struct span in);
/** envelope_decode_front - the front matter; body stays empty. Same errors. */
int envelope_decode_front(struct envelope *env, enum realm realm, struct span in);
/** envelope_set_body - give the body of a front its bytes: length and hash must match, else -HL_EFORMAT. */
int envelope_set_body(struct envelope *env, struct span body);
/** envelope_decode_parts - from a record's parts (header, stamp, hashes, sig): wraps and body stay unknown. */
int envelope_decode_parts(struct envelope *env, enum realm realm, struct span header, struct span stamp,
                          const uint8_t wraps_hash[static 32], const uint8_t body_hash[static 32],
                          const uint8_t sig[static 64]);

/** envelope_verify - release signature over id and draft signature over mid. Pure, for parallel_for. 0 or -HL_ESIG. */
int envelope_verify(const struct envelope *env);

int envelope_put(struct buf *out, const struct envelope *env);
int envelope_put_front(struct buf *out, const struct envelope *env);

int header_put(struct buf *out, const struct header *h);
int stamp_put(struct buf *out, const struct stamp *s);
int wraps_put(struct buf *out, const struct wraps *w);
/** header_decode/stamp_decode - one part alone, e.g. of a draft.  wraps_decode checks nothing against the header. */
int header_decode(struct header *h, enum realm realm, struct span in);
int stamp_decode(struct stamp *s, struct span in);
int wraps_decode(struct wraps *w, struct span in);

void envelope_mid(uint8_t mid[static 32], enum realm realm, struct span header);
void envelope_head(uint8_t h[static 32], enum realm realm, struct span header, struct span stamp);
void envelope_id(uint8_t id[static 32], enum realm realm, const uint8_t h[static 32],
                 const uint8_t wraps_hash[static 32], const uint8_t body_hash[static 32]);
/** envelope_draft_message / envelope_release_message - the bytes that the drafter and the releaser sign. */
int envelope_draft_message(struct buf *out, enum realm realm, const uint8_t mid[static 32]);
int envelope_release_message(struct buf *out, enum realm realm, const uint8_t id[static 32]);

/** kind_is_step - 16..21.  kind_is_bodyless - 9 and 16..21.  kind_name - "acknowledged"; NULL when unknown. */
bool kind_is_step(unsigned kind);
bool kind_is_bodyless(unsigned kind);
const char *kind_name(unsigned kind);
int kind_parse(unsigned *kind, struct span s);
const char *precedence_name(unsigned p);   /* "FLASH" */
const char *precedence_letter(unsigned p); /* "Z" */
int precedence_parse(unsigned *p, struct span s);

/** number_print - "BOREALIA 7-6": party of the PoC in capitals, decimal seq, Damm digit.  @out holds NUMBER_SIZE. */
#define NUMBER_SIZE 64
void number_print(char out[static NUMBER_SIZE], struct span sender, uint64_t seq);
/** number_parse - "BOREALIA 7-6" or "borealia 7-6" into party (lower case) and seq; -HL_EFORMAT on a wrong check digit. */
int number_parse(char party[static 32], uint64_t *seq, const char *text);

#endif
