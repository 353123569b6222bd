#include "keys/seal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/error.h"
#include "keys/secret_bytes.h"
#include "keys/wrap.h"

/* What is too large for a stack, and no secret. */
struct sheet {
    struct wraps wraps;
    uint8_t enc[32];
    uint8_t ct[ENVELOPE_TO_MAX][WRAP_CT];
};

static void make_cek(struct wrap_work *w, const struct seal_input *in, const uint8_t h[static 32])
{
    uint8_t fresh[32];
    const struct span parts[] = { SPAN(in->random ? in->random : fresh, 32), SPAN(h, 32) };

    randombytes_buf(fresh, sizeof(fresh));
    mac_label(w->cek, secret_span(in->hedge), in->realm, "cek", parts, COUNT(parts));
    sodium_memzero(fresh, sizeof(fresh));
}

/* One wrap; its cost is one X25519 operation. */
static int wrap_one(const struct seal_input *in, const struct wrap_work *w, struct sheet *sheet,
                    const uint8_t h[static 32], const struct hpke_psk *psk, size_t i)
{
    const struct hpke_pair e = { w->ske, sheet->enc };
    uint8_t room[WRAP_INFO_MAX];
    struct span info = wrap_info(room, in->realm, h, in->subkey[i], in->h->to[i].poc);
    int rc = hpke_seal(sheet->ct[i], e, in->subkey[i], info, psk, SPAN_NONE, SPAN(w->cek, 32));

    sheet->wraps.wrap[i] = (struct wrap){ in->subkey[i], sheet->ct[i] };
    return rc == -HL_EBADKEY ? -HL_ESUBKEY : rc;
}

static int wrap_all(const struct seal_input *in, const struct wrap_work *w, struct sheet *sheet,
                    const uint8_t h[static 32], const struct hpke_psk *psk)
{
    int rc = 0;

    sheet->wraps.enc = sheet->enc;
    sheet->wraps.n = in->h->n_to;
    for (size_t i = 0; i < in->h->n_to && !rc; i++)
        rc = wrap_one(in, w, sheet, h, psk, i);
    return rc;
}

/* The nonce is zero: the key serves this one body. */
static int seal_body(const struct seal_input *in, const struct wrap_work *w, struct sealed *out)
{
    static const uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];
    uint8_t aad[64], *p = buf_reserve(&out->body, in->plain.n + ENVELOPE_TAG);

    if (!p)
        return out->body.bad;
    memcpy(aad, out->h, 32);
    memcpy(aad + 32, out->wraps_hash, 32);
    crypto_aead_chacha20poly1305_ietf_encrypt(p, NULL, in->plain.p, in->plain.n, aad, sizeof(aad),
                                              NULL, nonce, w->body_key);
    buf_commit(&out->body, in->plain.n + ENVELOPE_TAG);
    return 0;
}

static int put_wraps(struct sealed *out, const struct wraps *wraps)
{
    int rc = wraps_put(&out->wraps, wraps);

    crypto_hash_sha256(out->wraps_hash, out->wraps.p, out->wraps.n);
    return rc;
}

static int seal_content(const struct seal_input *in, struct wrap_work *w, struct sheet *sheet,
                        struct sealed *out)
{
    const struct hpke_psk *psk;
    struct hpke_psk with;
    uint8_t id[32];
    int rc;

    if (!in->subkey)
        return -HL_ESUBKEY;
    rc = wrap_psk(&psk, &with, w, id, in->psk, in->h, in->s, out->h);
    if (rc)
        return rc;
    make_cek(w, in, out->h);
    rc = wrap_keys(w, sheet->enc, in->realm, out->h);
    if (!rc)
        rc = wrap_all(in, w, sheet, out->h, psk);
    if (!rc)
        rc = put_wraps(out, &sheet->wraps);
    return rc ? rc : seal_body(in, w, out);
}

int seal(const struct seal_input *in, struct sealed *out)
{
    struct sheet *sheet = calloc(1, sizeof(*sheet));
    struct wrap_work *w = wrap_work_new();
    int rc = sheet && w ? 0 : -HL_ENOMEM;

    assert(in->h->realm == in->realm && in->h->n_to <= ENVELOPE_TO_MAX);
    assert((in->h->commit.n == 0) == (in->plain.n == 0)); /* a step may bear a remark */
    assert((in->plain.n & (in->plain.n - 1)) == 0);       /* content_pad() made it */
    *out = (struct sealed){ 0 };
    buf_init(&out->wraps, ENVELOPE_WRAPS_MAX);
    buf_init(&out->body, ENVELOPE_BUCKET_MAX + ENVELOPE_TAG);
    envelope_head(out->h, in->realm, in->header, in->stamp);
    if (!rc)
        rc = in->plain.n ? seal_content(in, w, sheet, out) : put_wraps(out, &sheet->wraps);
    if (!rc) {
        crypto_hash_sha256(out->body_hash, out->body.p, out->body.n);
        envelope_id(out->id, in->realm, out->h, out->wraps_hash, out->body_hash);
    } else {
        sealed_release(out);
    }
    wrap_work_free(w);
    free(sheet);
    return rc;
}

void sealed_release(struct sealed *s)
{
    buf_release(&s->wraps);
    buf_release(&s->body);
    *s = (struct sealed){ 0 };
}

static int sign_message(const struct seckey *key, enum realm realm, const uint8_t hash[static 32],
                        int (*message)(struct buf *, enum realm, const uint8_t[static 32]),
                        uint8_t sig[static 64])
{
    uint8_t room[128];
    struct buf b = { .p = room, .cap = sizeof(room), .max = sizeof(room) - 1 };
    int rc = message(&b, realm, hash);

    if (!rc)
        seckey_sign(key, buf_span(&b), sig);
    return rc;
}

int seal_draft(const struct seckey *key, enum realm realm, const uint8_t mid[static 32],
               uint8_t sig[static 64])
{
    return sign_message(key, realm, mid, envelope_draft_message, sig);
}

int seal_release(const struct seckey *key, enum realm realm, const uint8_t id[static 32],
                 uint8_t sig[static 64])
{
    return sign_message(key, realm, id, envelope_release_message, sig);
}
