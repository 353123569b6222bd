#ifndef HL_KEYS_SEAL_H
#define HL_KEYS_SEAL_H

#include "common/content.h"
#include "common/envelope.h"
#include "keys/psk.h"
#include "keys/sign.h"

/*
 * Sealing (FORMATS 2): CEK from the desk's hedge and fresh randomness, one ephemeral key for all recipients,
 * a wrap for each, the body.  Sealing again is a new stamp, hence a new CEK.
 */
struct seal_input {
    enum realm realm;
    struct span header;          /* encoded; borrowed */
    struct span stamp;           /* encoded; borrowed */
    const struct header *h;      /* decoded, for recipients and channel */
    const struct stamp *s;
    const uint8_t (*subkey)[32]; /* one per recipient, same order */
    struct span plain;           /* salt || len || content || padding; empty when bodyless */
    const struct secret *hedge;  /* 32 bytes, made with the desk */
    const struct psk_ring *psk;  /* needed when s->psk_step > 0 */
    const uint8_t *random;       /* NULL: fresh; else 32 bytes, for test vectors */
};

struct sealed {
    struct buf wraps, body;
    uint8_t wraps_hash[32], body_hash[32], h[32], id[32];
};

/** seal - wraps and body.  0, -HL_ESUBKEY, -HL_EPSK, -HL_ENOMEM. */
int seal(const struct seal_input *in, struct sealed *out);
void sealed_release(struct sealed *s);

/** seal_draft - the drafter's signature over mid; seal_release - the releaser's over id. */
int seal_draft(const struct seckey *key, enum realm realm, const uint8_t mid[static 32], uint8_t sig[static 64]);
int seal_release(const struct seckey *key, enum realm realm, const uint8_t id[static 32], uint8_t sig[static 64]);

#endif
