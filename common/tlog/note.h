#ifndef HL_TLOG_NOTE_H
#define HL_TLOG_NOTE_H

#include "common/buf.h"

/*
 * C2SP signed-note: text, empty line, signature lines "— name base64(keyid[4] || sig)".
 * Parsing borrows; verifying takes the keys that the caller trusts.  Nothing here signs: a signer
 * hands raw signatures to note_put_sig().
 */
#define NOTE_MAX 1048576 /* bytes of a whole note */
#define NOTE_MAX_SIGS 100
#define NOTE_MAX_NAME 255

enum note_type { NOTE_ED25519 = 1, NOTE_COSIGNATURE = 4 };

struct note_sig {
    struct span name;   /* borrowed */
    uint8_t keyid[4];
    struct span base64; /* of keyid || sig, borrowed */
    uint8_t sig[72];    /* Ed25519: 64 bytes; cosignature: u64 time || 64 */
    size_t siglen;      /* 64, 72, or 0 for lengths of unknown types */
};

struct note {
    struct span text; /* with its final LF */
    struct span sigs; /* the signature lines */
    size_t n;
    struct note_sig sig[NOTE_MAX_SIGS];
};

/** a verifier key ("vkey"): <name>+<8 hex>+<base64(type || key)>, also of cosigners (type 4). */
struct note_key {
    char name[NOTE_MAX_NAME + 1];
    uint8_t type; /* enum note_type; others parse, and never verify */
    uint8_t key[32]; /* of other types: SHA-256 of the key, which tells keys apart and no more */
    uint8_t keyid[4];
};

/** note_name - may @s be a key name or an origin: 1..255 bytes of UTF-8 without control, Unicode space or '+'. */
bool note_name(struct span s);
/**
 * note_base64 - check that @in is canonical base64 of any length; its first bytes, at most @max, go to
 * @head, their full number to @n.  0 or -HL_EFORMAT.
 */
int note_base64(uint8_t *head, size_t max, size_t *n, struct span in);

/** note_parse - split @in.  0 or -HL_EFORMAT, -HL_ETOOBIG; on failure *note is all zeroes.  Verifies nothing. */
int note_parse(struct note *note, struct span in);
/** note_keyid - SHA-256(name || 0x0A || type || key)[0:4]. */
void note_keyid(uint8_t id[static 4], struct span name, uint8_t type, const uint8_t key[static 32]);
/**
 * note_key_parse - a vkey; refuses a wrong key id (but of other types, whose rule may differ) and a type-1/4
 * key that is not a canonical point of prime order (-HL_EBADKEY).  0, -HL_EFORMAT, -HL_EBADKEY.
 */
int note_key_parse(struct note_key *key, struct span vkey);
/** note_key_init - a key of type 1 or 4 from its parts.  Same errors. */
int note_key_init(struct note_key *key, struct span name, uint8_t type, const uint8_t pk[static 32]);
/** note_key_print - append the vkey of a type-1/4 key; -HL_EUSAGE for others. */
int note_key_print(struct buf *out, const struct note_key *key);
/**
 * note_verify_key - look for signature lines of @key in @note and verify them all.
 * 1 = one or more, all good (cosignature: *time = its seconds, the newest of several; may be NULL);
 * 0 = no line by this (name, key id), or a key of another type; -HL_ESIG = a line by it fails: the
 * whole note must be rejected; -HL_ENOMEM.
 */
int note_verify_key(const struct note *note, const struct note_key *key, uint64_t *time);
/** note_put_sig - append one signature line for raw @sig of @siglen bytes (64, or 72 with the time in front). */
int note_put_sig(struct buf *out, const struct note_key *key, const uint8_t *sig, size_t siglen);
/** note_cosign_message - append "cosignature/v1\ntime N\n" || text: what a witness signs. */
int note_cosign_message(struct buf *out, uint64_t time_s, struct span text);

#endif
