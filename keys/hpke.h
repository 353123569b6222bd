#ifndef HL_KEYS_HPKE_H
#define HL_KEYS_HPKE_H

#include "keys/secret.h"

/*
 * RFC 9180 HPKE, DHKEM(X25519, HKDF-SHA256) 0x0020, HKDF-SHA256 0x0001, ChaCha20-Poly1305 0x0003, single-shot,
 * base mode and psk mode.  The ephemeral key is derived (7.1.3), so sealing is deterministic.  All secrets in
 * caller's guarded memory; everything derived here is wiped.
 */
#define HPKE_TAG 16

/** hpke_derive_keypair - RFC 9180 7.1.3 DeriveKeyPair(ikm). */
int hpke_derive_keypair(uint8_t sk[static 32], uint8_t pk[static 32], const uint8_t *ikm, size_t ikmlen);

struct hpke_psk {
    const uint8_t *psk; /* 32 bytes or more */
    size_t psklen;
    const uint8_t *id;
    size_t idlen;
};

/** hpke_seal - @psk NULL = base mode.  ct holds ptlen + 16.  -HL_EBADKEY for a small-order pkR; -HL_EPSK for a psk under 32 bytes. */
int hpke_seal(uint8_t *ct, const uint8_t skE[static 32], const uint8_t pkR[static 32], struct span info,
              const struct hpke_psk *psk, struct span aad, struct span pt);
/** hpke_open - pt holds ctlen - 16.  -HL_EOPEN. */
int hpke_open(uint8_t *pt, const uint8_t enc[static 32], const uint8_t skR[static 32], struct span info,
              const struct hpke_psk *psk, struct span aad, struct span ct);

#endif
