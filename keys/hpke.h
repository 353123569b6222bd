#ifndef HL_KEYS_HPKE_H
#define HL_KEYS_HPKE_H

#include "keys/secret.h"

/*
 * RFC 9180 HPKE, DHKEM(X25519, HKDF-SHA256) 0x0020, HKDF-SHA256 0x0001, ChaCha20-Poly1305 0x0003, single-shot,
 * base mode and psk mode.  The ephemeral key is derived (7.1.3), so sealing is deterministic.  All secrets in
 * caller's guarded memory; everything derived here is wiped.
 *
 * Both halves of the own key are given, since one ephemeral key serves many recipients and one subkey many
 * messages: a wrap costs one X25519 operation, not two.
 */
#define HPKE_TAG 16

/** hpke_derive_keypair - RFC 9180 7.1.3 DeriveKeyPair(ikm). */
int hpke_derive_keypair(uint8_t sk[static 32], uint8_t pk[static 32], const uint8_t *ikm, size_t ikmlen);

struct hpke_pair {
    const uint8_t *sk, *pk; /* 32 each; pk is that of sk */
};

struct hpke_psk {
    const uint8_t *psk; /* 32 bytes or more */
    size_t psklen;
    const uint8_t *id;
    size_t idlen;
};

/** hpke_seal - @psk NULL = base mode.  ct holds ptlen + 16.  -HL_EBADKEY for a small-order pkR; -HL_EPSK for a psk under 32 bytes or without id. */
int hpke_seal(uint8_t *ct, struct hpke_pair e, const uint8_t pkR[static 32], struct span info,
              const struct hpke_psk *psk, struct span aad, struct span pt);
/** hpke_open - pt holds ctlen - 16; zeroes on failure.  -HL_EOPEN, -HL_EPSK. */
int hpke_open(uint8_t *pt, const uint8_t enc[static 32], struct hpke_pair r, struct span info,
              const struct hpke_psk *psk, struct span aad, struct span ct);

/*
 * The values between, in the names of the RFC (4.1, 5.1), for its vectors and for who implements it anew.
 * The caller wipes them.
 */
struct hpke_steps {
    uint8_t shared_secret[32];
    uint8_t key_schedule_context[65];
    uint8_t secret[32], key[32], base_nonce[12], exporter_secret[32];
};
/** hpke_steps_seal / hpke_steps_open - all steps before the AEAD; the errors of hpke_seal() and hpke_open(). */
int hpke_steps_seal(struct hpke_steps *s, struct hpke_pair e, const uint8_t pkR[static 32], struct span info, const struct hpke_psk *psk);
int hpke_steps_open(struct hpke_steps *s, const uint8_t enc[static 32], struct hpke_pair r, struct span info, const struct hpke_psk *psk);

#endif
