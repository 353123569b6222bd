#include "keys/open.h"

#include <assert.h>
#include <string.h>

#include <sodium.h>

#include "common/error.h"
#include "keys/secret_bytes.h"
#include "keys/subkeys_pair.h"
#include "keys/wrap.h"

/* Our place among the recipients; wraps stand in the same order. */
static int find_wrap(const struct envelope *env, struct span poc, size_t *at)
{
    for (*at = 0; *at < env->header.n_to; ++*at)
        if (span_eq(env->header.to[*at].poc, poc))
            return *at < env->wraps.n ? 0 : -HL_EMEMBER;
    return -HL_EMEMBER;
}

static int open_wrap(const struct envelope *env, struct span poc, const struct subkey_ring *ring,
                     const struct psk_ring *psk_ring, struct wrap_work *w)
{
    const struct hpke_psk *psk;
    struct hpke_psk with;
    struct hpke_pair pair;
    uint8_t room[WRAP_INFO_MAX], id[32];
    struct span info;
    size_t i;
    int rc = find_wrap(env, poc, &i);

    if (rc)
        return rc;
    if (!subkey_ring_pair(ring, env->wraps.wrap[i].subkey, &pair))
        return -HL_EOPEN; /* destroyed, or never ours */
    rc = wrap_psk(&psk, &with, w, id, psk_ring, &env->header, &env->stamp, env->h);
    if (rc)
        return rc;
    info = wrap_info(room, env->header.realm, env->h, env->wraps.wrap[i].subkey, poc);
    return hpke_open(w->cek, env->wraps.enc, pair, info, psk, SPAN_NONE,
                     SPAN(env->wraps.wrap[i].ct, WRAP_CT));
}

/* Whoever holds the CEK must be able to show which
 * wraps were good, so enc has to follow from it. */
static int check_enc(const struct envelope *env, struct wrap_work *w)
{
    uint8_t enc[32];
    int rc = wrap_keys(w, enc, env->header.realm, env->h);

    return rc || sodium_memcmp(enc, env->wraps.enc, 32) ? -HL_EENC : 0;
}

static int open_body(const struct envelope *env, const struct wrap_work *w, struct buf *plain)
{
    static const uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];
    uint8_t aad[64], *p;

    if (env->body.n < ENVELOPE_BUCKET_MIN + ENVELOPE_TAG)
        return -HL_EFORMAT;
    p = buf_reserve(plain, env->body.n - ENVELOPE_TAG);
    if (!p)
        return plain->bad;
    memcpy(aad, env->h, 32);
    memcpy(aad + 32, env->wraps_hash, 32);
    if (crypto_aead_chacha20poly1305_ietf_decrypt(p, NULL, NULL, env->body.p, env->body.n, aad,
                                                  sizeof(aad), nonce, w->body_key))
        return -HL_EOPEN;
    buf_commit(plain, env->body.n - ENVELOPE_TAG);
    return 0;
}

static int check_content(const struct envelope *env, struct opened *out)
{
    uint8_t commit[32];
    int rc = content_unpad(buf_span(&out->plain), &out->salt, &out->content_bytes);

    if (!rc)
        rc = content_decode(&out->content, out->content_bytes);
    if (rc)
        return -HL_EFORMAT;
    content_commit(commit, env->header.realm, out->salt, &out->content);
    if (!span_eq(SPAN(commit, 32), env->header.commit))
        return -HL_ECOMMIT;
    return content_fits(&out->content, &env->header, &env->stamp);
}

int open_envelope(const struct envelope *env, struct span poc, const struct subkey_ring *ring,
                  const struct psk_ring *psk, struct opened *out)
{
    struct wrap_work *w = wrap_work_new();
    int rc = w ? open_wrap(env, poc, ring, psk, w) : -HL_ENOMEM;

    assert(env->body.n == env->body_len); /* a front has no body yet */
    *out = (struct opened){ 0 };
    buf_init(&out->plain, ENVELOPE_BUCKET_MAX);
    if (!rc)
        rc = check_enc(env, w);
    if (!rc)
        rc = open_body(env, w, &out->plain);
    if (!rc)
        rc = check_content(env, out);
    if (rc)
        opened_release(out);
    wrap_work_free(w);
    return rc;
}

void opened_release(struct opened *o)
{
    if (o->plain.p)
        sodium_memzero(o->plain.p, o->plain.cap);
    buf_release(&o->plain);
    *o = (struct opened){ 0 };
}
