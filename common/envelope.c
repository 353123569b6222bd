#include "common/envelope.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "common/cbor.h"
#include "common/error.h"

#define SUITE 1
#define FILE_ITEMS 6
#define FRONT_ITEMS 7
#define BODY_MAX (ENVELOPE_BUCKET_MAX + ENVELOPE_TAG)

static const uint8_t no_wraps[] = { 0x82, 0x40, 0x80 };

static void hash(uint8_t out[static 32], struct span s)
{
    crypto_hash_sha256(out, s.p, s.n);
}

static void hash_label(crypto_hash_sha256_state *st, enum realm realm, const char *purpose)
{
    uint8_t label[LABEL_SIZE];
    size_t n = label_write(label, realm, purpose);

    crypto_hash_sha256_init(st);
    crypto_hash_sha256_update(st, label, n);
}

void envelope_mid(uint8_t mid[static 32], enum realm realm, struct span header)
{
    crypto_hash_sha256_state st;

    hash_label(&st, realm, "message");
    crypto_hash_sha256_update(&st, header.p, header.n);
    crypto_hash_sha256_final(&st, mid);
}

void envelope_head(uint8_t h[static 32], enum realm realm, struct span header, struct span stamp)
{
    crypto_hash_sha256_state st;
    uint8_t part[64];

    hash(part, header);
    hash(part + 32, stamp);
    hash_label(&st, realm, "head");
    crypto_hash_sha256_update(&st, part, sizeof(part));
    crypto_hash_sha256_final(&st, h);
}

void envelope_id(uint8_t id[static 32], enum realm realm, const uint8_t h[static 32],
                 const uint8_t wraps_hash[static 32], const uint8_t body_hash[static 32])
{
    crypto_hash_sha256_state st;
    uint8_t suite[2];

    put_u16(suite, SUITE);
    hash_label(&st, realm, "envelope");
    crypto_hash_sha256_update(&st, suite, sizeof(suite));
    crypto_hash_sha256_update(&st, h, 32);
    crypto_hash_sha256_update(&st, wraps_hash, 32);
    crypto_hash_sha256_update(&st, body_hash, 32);
    crypto_hash_sha256_final(&st, id);
}

/* What is signed: a label and 32 bytes, so that a smart card can do it. */
static size_t signed_message(uint8_t out[static LABEL_SIZE + 32], enum realm realm,
                             const char *purpose, const uint8_t digest[static 32])
{
    size_t n = label_write(out, realm, purpose);

    memcpy(out + n, digest, 32);
    return n + 32;
}

int envelope_draft_message(struct buf *out, enum realm realm, const uint8_t mid[static 32])
{
    uint8_t m[LABEL_SIZE + 32];

    return buf_put(out, m, signed_message(m, realm, "draft", mid));
}

int envelope_release_message(struct buf *out, enum realm realm, const uint8_t id[static 32])
{
    uint8_t m[LABEL_SIZE + 32];

    return buf_put(out, m, signed_message(m, realm, "release", id));
}

int envelope_verify(const struct envelope *env)
{
    uint8_t m[LABEL_SIZE + 32];
    size_t n = signed_message(m, env->header.realm, "release", env->id);

    if (crypto_sign_verify_detached(env->sig, m, n, env->stamp.key) != 0)
        return -HL_ESIG;
    if (!env->stamp.draft_key)
        return 0;
    n = signed_message(m, env->header.realm, "draft", env->mid);
    if (crypto_sign_verify_detached(env->stamp.draft_sig, m, n, env->stamp.draft_key) != 0)
        return -HL_ESIG;
    return 0;
}

static bool bucket_body(uint64_t len)
{
    uint64_t plain = len - ENVELOPE_TAG;

    return len >= ENVELOPE_BUCKET_MIN + ENVELOPE_TAG && len <= BODY_MAX &&
           (plain & (plain - 1)) == 0;
}

static bool is_hash_of(const uint8_t h[static 32], struct span s)
{
    uint8_t want[32];

    hash(want, s);
    return memcmp(h, want, 32) == 0;
}

/* Bodyless: no commitment, wraps, body or PSK.  All or none; header_decode() saw to the header. */
static int bodyless_check(const struct envelope *env)
{
    bool none = is_hash_of(env->wraps_hash, SPAN(no_wraps, sizeof(no_wraps))) &&
                is_hash_of(env->body_hash, SPAN_NONE);

    return none && !env->stamp.psk_step && !env->wraps.n && !env->body_len ? 0 : -HL_EKIND;
}

static int sealed_check(const struct envelope *env)
{
    if (env->wraps.n != env->header.n_to || env->body_len == 0)
        return -HL_EKIND;
    if (!bucket_body(env->body_len))
        return -HL_EFORMAT;
    if (env->stamp.precedence == PRECEDENCE_FLASH &&
        env->body_len != ENVELOPE_BUCKET_MIN + ENVELOPE_TAG)
        return -HL_EFLASH;
    return 0;
}

/* Header and stamp, and all that follows from them; the hashes of wraps and body are known. */
static int decode_head(struct envelope *env, enum realm realm)
{
    int rc = header_decode(&env->header, realm, env->header_bytes);

    if (!rc)
        rc = stamp_decode(&env->stamp, env->stamp_bytes);
    if (rc)
        return rc;
    envelope_mid(env->mid, realm, env->header_bytes);
    envelope_head(env->h, realm, env->header_bytes, env->stamp_bytes);
    envelope_id(env->id, realm, env->h, env->wraps_hash, env->body_hash);
    return 0;
}

static int split(struct envelope *env, struct span bytes, size_t items)
{
    struct cbor_in in;
    size_t n;

    if (bytes.n > ENVELOPE_MAX)
        return -HL_ETOOBIG;
    cbor_open(&in, bytes);
    n = cbor_array(&in, 1, SIZE_MAX);
    if (cbor_uint(&in) != SUITE)
        cbor_fail(&in, -HL_ESUITE);
    if (n != items)
        cbor_fail(&in, -HL_EFORMAT);
    env->header_bytes = cbor_bytes_max(&in, ENVELOPE_HEADER_MAX);
    env->stamp_bytes = cbor_bytes_max(&in, ENVELOPE_STAMP_MAX);
    env->wraps_bytes = cbor_bytes_max(&in, ENVELOPE_WRAPS_MAX);
    if (items == FRONT_ITEMS) {
        memcpy(env->body_hash, cbor_bytes_n(&in, 32), 32);
        env->body = SPAN_NONE;
        env->body_len = cbor_uint(&in);
    } else {
        env->body = cbor_bytes_max(&in, BODY_MAX);
        env->body_len = env->body.n;
    }
    env->sig = cbor_bytes_n(&in, 64);
    cbor_array_end(&in);
    return cbor_done(&in);
}

static int decode(struct envelope *env, enum realm realm, struct span in, size_t items)
{
    int rc = split(env, in, items);

    if (!rc)
        rc = wraps_decode(&env->wraps, env->wraps_bytes);
    if (!rc) {
        hash(env->wraps_hash, env->wraps_bytes);
        if (items == FILE_ITEMS)
            hash(env->body_hash, env->body);
        rc = decode_head(env, realm);
    }
    if (!rc)
        rc = env->header.commit.n ? sealed_check(env) : bodyless_check(env);
    if (rc)
        memset(env, 0, sizeof(*env));
    return rc;
}

int envelope_decode(struct envelope *env, enum realm realm, struct span in)
{
    return decode(env, realm, in, FILE_ITEMS);
}

int envelope_decode_front(struct envelope *env, enum realm realm, struct span in)
{
    return decode(env, realm, in, FRONT_ITEMS);
}

int envelope_set_body(struct envelope *env, struct span body)
{
    uint8_t got[32];

    if (body.n != env->body_len)
        return -HL_EFORMAT;
    hash(got, body);
    if (memcmp(got, env->body_hash, 32) != 0)
        return -HL_EFORMAT;
    env->body = body;
    return 0;
}

int envelope_decode_parts(struct envelope *env, enum realm realm, struct span header,
                          struct span stamp, const uint8_t wraps_hash[static 32],
                          const uint8_t body_hash[static 32], const uint8_t sig[static 64])
{
    int rc;

    env->header_bytes = header;
    env->stamp_bytes = stamp;
    env->wraps_bytes = env->body = SPAN_NONE;
    env->wraps.enc = NULL;
    env->wraps.n = 0;
    env->body_len = 0;
    env->sig = sig;
    memcpy(env->wraps_hash, wraps_hash, 32);
    memcpy(env->body_hash, body_hash, 32);
    rc = decode_head(env, realm);
    if (!rc && !env->header.commit.n)
        rc = bodyless_check(env);
    else if (!rc && (is_hash_of(wraps_hash, SPAN(no_wraps, sizeof(no_wraps))) ||
                     is_hash_of(body_hash, SPAN_NONE)))
        rc = -HL_EKIND;
    if (rc)
        memset(env, 0, sizeof(*env));
    return rc;
}

static void put_parts(struct buf *out, const struct envelope *env, size_t items)
{
    cbor_put_array(out, items);
    cbor_put_uint(out, SUITE);
    cbor_put_bytes(out, env->header_bytes);
    cbor_put_bytes(out, env->stamp_bytes);
    cbor_put_bytes(out, env->wraps_bytes);
}

int envelope_put(struct buf *out, const struct envelope *env)
{
    assert(env->body.n == env->body_len);
    put_parts(out, env, FILE_ITEMS);
    cbor_put_bytes(out, env->body);
    cbor_put_bytes(out, SPAN(env->sig, 64));
    return out->bad;
}

int envelope_put_front(struct buf *out, const struct envelope *env)
{
    put_parts(out, env, FRONT_ITEMS);
    cbor_put_bytes(out, SPAN(env->body_hash, 32));
    cbor_put_uint(out, env->body_len);
    cbor_put_bytes(out, SPAN(env->sig, 64));
    return out->bad;
}
