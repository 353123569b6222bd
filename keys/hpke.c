/*
 * RFC 9180, the one suite that we use.  Names of functions and variables follow the RFC; the
 * sections are named beside them.
 */
#include "keys/hpke.h"

#include <assert.h>
#include <string.h>

#include <sodium.h>

#include "common/error.h"

#define NH 32 /* SHA-256 */
#define BYTES(array) SPAN(array, sizeof(array))
#define TEXT(literal) SPAN(literal, sizeof(literal) - 1)

enum mode { MODE_BASE = 0, MODE_PSK = 1 };

static const uint8_t kem_id[] = { 'K', 'E', 'M', 0x00, 0x20 };
static const uint8_t suite_id[] = { 'H', 'P', 'K', 'E', 0x00, 0x20, 0x00, 0x01, 0x00, 0x03 };

/* HMAC-SHA256(key, parts[0] || ...); an empty salt is HMAC's all-zero key (RFC 5869 2.2). */
static void hmac(uint8_t out[static NH], struct span key, const struct span *parts, size_t n)
{
    crypto_auth_hmacsha256_state st;

    crypto_auth_hmacsha256_init(&st, key.n ? key.p : (const uint8_t *)"", key.n);
    for (size_t i = 0; i < n; i++)
        crypto_auth_hmacsha256_update(&st, parts[i].p, parts[i].n);
    crypto_auth_hmacsha256_final(&st, out);
    sodium_memzero(&st, sizeof(st));
}

/* 4: LabeledExtract(salt, label, ikm) of the KEM or of the whole suite. */
static void labeled_extract(uint8_t prk[static NH], struct span id, struct span salt,
                            struct span label, struct span ikm)
{
    const struct span parts[] = { TEXT("HPKE-v1"), id, label, ikm };

    hmac(prk, salt, parts, COUNT(parts));
}

/* 4: LabeledExpand(prk, label, info, L); no output of this suite is longer than one block. */
static void labeled_expand(uint8_t *out, size_t len, struct span id, const uint8_t prk[static NH],
                           struct span label, struct span info)
{
    const uint8_t head[] = { 0, (uint8_t)len };
    const struct span parts[] = { BYTES(head), TEXT("HPKE-v1"), id, label, info, TEXT("\x01") };
    uint8_t block[NH];

    assert(len <= NH);
    hmac(block, SPAN(prk, NH), parts, COUNT(parts));
    memcpy(out, block, len);
    sodium_memzero(block, sizeof(block));
}

int hpke_derive_keypair(uint8_t sk[static 32], uint8_t pk[static 32], const uint8_t *ikm,
                        size_t ikmlen)
{
    uint8_t prk[NH];

    labeled_extract(prk, BYTES(kem_id), SPAN_NONE, TEXT("dkp_prk"), SPAN(ikm, ikmlen));
    labeled_expand(sk, 32, BYTES(kem_id), prk, TEXT("sk"), SPAN_NONE);
    sodium_memzero(prk, sizeof(prk));
    return crypto_scalarmult_base(pk, sk) ? -HL_EBADKEY : 0;
}

/* 4.1: Encap and Decap after the key pair: DH, then ExtractAndExpand. */
static int kem(uint8_t shared_secret[static 32], const uint8_t *sk, const uint8_t *pk,
               const uint8_t *enc, const uint8_t *pkR)
{
    uint8_t dh[32], prk[NH], context[64];
    int rc = crypto_scalarmult(dh, sk, pk) ? -HL_EBADKEY : 0; /* refuses an all-zero result */

    if (!rc) {
        memcpy(context, enc, 32);
        memcpy(context + 32, pkR, 32);
        labeled_extract(prk, BYTES(kem_id), SPAN_NONE, TEXT("eae_prk"), BYTES(dh));
        labeled_expand(shared_secret, 32, BYTES(kem_id), prk, TEXT("shared_secret"),
                       BYTES(context));
    }
    sodium_memzero(dh, sizeof(dh));
    sodium_memzero(prk, sizeof(prk));
    return rc;
}

/* 5.1: KeySchedule. */
static void key_schedule(struct hpke_steps *s, struct span info, const struct hpke_psk *psk)
{
    uint8_t *context = s->key_schedule_context;
    struct span id = psk ? SPAN(psk->id, psk->idlen) : SPAN_NONE;
    struct span key = psk ? SPAN(psk->psk, psk->psklen) : SPAN_NONE;

    context[0] = psk ? MODE_PSK : MODE_BASE;
    labeled_extract(context + 1, BYTES(suite_id), SPAN_NONE, TEXT("psk_id_hash"), id);
    labeled_extract(context + 33, BYTES(suite_id), SPAN_NONE, TEXT("info_hash"), info);
    labeled_extract(s->secret, BYTES(suite_id), BYTES(s->shared_secret), TEXT("secret"), key);
    labeled_expand(s->key, sizeof(s->key), BYTES(suite_id), s->secret, TEXT("key"),
                   BYTES(s->key_schedule_context));
    labeled_expand(s->base_nonce, sizeof(s->base_nonce), BYTES(suite_id), s->secret,
                   TEXT("base_nonce"), BYTES(s->key_schedule_context));
    labeled_expand(s->exporter_secret, sizeof(s->exporter_secret), BYTES(suite_id), s->secret,
                   TEXT("exp"), BYTES(s->key_schedule_context));
}

/* 5.1: VerifyPSKInputs, and 9.5: 32 bytes at least. */
static int check_psk(const struct hpke_psk *psk)
{
    return psk && (!psk->psk || psk->psklen < 32 || !psk->id || !psk->idlen) ? -HL_EPSK : 0;
}

int hpke_steps_seal(struct hpke_steps *s, struct hpke_pair e, const uint8_t pkR[static 32],
                    struct span info, const struct hpke_psk *psk)
{
    int rc = check_psk(psk);

    if (!rc)
        rc = kem(s->shared_secret, e.sk, pkR, e.pk, pkR);
    if (!rc)
        key_schedule(s, info, psk);
    return rc;
}

int hpke_steps_open(struct hpke_steps *s, const uint8_t enc[static 32], struct hpke_pair r,
                    struct span info, const struct hpke_psk *psk)
{
    int rc = check_psk(psk);

    if (!rc && kem(s->shared_secret, r.sk, enc, enc, r.pk))
        rc = -HL_EOPEN;
    if (!rc)
        key_schedule(s, info, psk);
    return rc;
}

int hpke_seal(uint8_t *ct, struct hpke_pair e, const uint8_t pkR[static 32], struct span info,
              const struct hpke_psk *psk, struct span aad, struct span pt)
{
    struct hpke_steps s;
    int rc = hpke_steps_seal(&s, e, pkR, info, psk);

    if (!rc) /* sequence number 0: the nonce is the base nonce */
        crypto_aead_chacha20poly1305_ietf_encrypt(ct, NULL, pt.p, pt.n, aad.p, aad.n, NULL,
                                                  s.base_nonce, s.key);
    sodium_memzero(&s, sizeof(s));
    return rc;
}

int hpke_open(uint8_t *pt, const uint8_t enc[static 32], struct hpke_pair r, struct span info,
              const struct hpke_psk *psk, struct span aad, struct span ct)
{
    struct hpke_steps s;
    int rc;

    if (ct.n < HPKE_TAG)
        return -HL_EOPEN;
    rc = hpke_steps_open(&s, enc, r, info, psk);
    if (!rc && crypto_aead_chacha20poly1305_ietf_decrypt(pt, NULL, NULL, ct.p, ct.n, aad.p, aad.n,
                                                         s.base_nonce, s.key))
        rc = -HL_EOPEN;
    if (rc)
        sodium_memzero(pt, ct.n - HPKE_TAG);
    sodium_memzero(&s, sizeof(s));
    return rc;
}
