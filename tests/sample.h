#ifndef HL_TESTS_SAMPLE_H
#define HL_TESTS_SAMPLE_H

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/envelope.h"

/*
 * Envelopes to break: well formed and signed, sealed to nobody (wraps and body are filler).  What a
 * test wants otherwise it changes in the structs before sample_sign().
 */
struct sample {
    struct header h;
    struct stamp s;
    struct wraps w;
    uint8_t pk[32], sk[64], draft_pk[32], draft_sk[64];
    uint8_t draft_sig[64], sig[64];
    struct buf header, stamp, wraps, body;
    struct envelope env; /* as sample_sign() signed it */
    char name[ENVELOPE_TO_MAX][16];
};

static inline void sample_init(struct sample *s)
{
    static const uint8_t seed[2][32] = { "releaser", "drafter" };

    memset(s, 0, sizeof(*s));
    crypto_sign_seed_keypair(s->pk, s->sk, seed[0]);
    crypto_sign_seed_keypair(s->draft_pk, s->draft_sk, seed[1]);
    buf_init(&s->header, 2 * ENVELOPE_HEADER_MAX);
    buf_init(&s->stamp, 2 * ENVELOPE_STAMP_MAX);
    buf_init(&s->wraps, 2 * ENVELOPE_WRAPS_MAX);
    buf_init(&s->body, 2 * ENVELOPE_MAX);
}

static inline void sample_release(struct sample *s)
{
    buf_release(&s->header);
    buf_release(&s->stamp);
    buf_release(&s->wraps);
    buf_release(&s->body);
}

static inline const uint8_t *sample_bytes(uint8_t fill)
{
    static uint8_t block[256][64];

    memset(block[fill], fill, 64);
    return block[fill];
}

static inline void sample_body(struct sample *s, size_t n)
{
    uint8_t *p;

    buf_clear(&s->body);
    p = buf_reserve(&s->body, n);
    assert(p);
    memset(p, 0xbd, n);
    buf_commit(&s->body, n);
}

/* A sealed FLASH notification to two: an action addressee and one for information. */
static inline void sample_sealed(struct sample *s)
{
    sample_init(s);
    s->h = (struct header){
        .realm = REALM_LIVE,
        .kind = KIND_NOTIFICATION,
        .channel = sample_bytes(0xc1),
        .sender = span_str("borealia.technical"),
        .drafted_ms = 1796000000000,
        .n_to = 2,
        .to = { { span_str("arcadia.technical"), ROLE_ACTION },
                { span_str("arcadia.diplomatic"), ROLE_INFORMATION } },
        .category = 1,
        .marking = 2,
        .commit = SPAN(sample_bytes(0xc0), 32),
    };
    s->s = (struct stamp){
        .key = s->pk,
        .precedence = PRECEDENCE_FLASH,
        .chain = sample_bytes(0xca),
        .seq = 7,
        .sealed_ms = 1796000001000,
        .ack_within_s = 600,
        .psk_epoch = 1,
        .psk_step = 3,
        .n_seen = 2,
        .seen = { { sample_bytes(1), 10, sample_bytes(0xaa) },
                  { sample_bytes(2), 20, sample_bytes(0xab) } },
    };
    s->w = (struct wraps){
        .enc = sample_bytes(0xec),
        .n = 2,
        .wrap = { { sample_bytes(0x51), sample_bytes(0xd1) },
                  { sample_bytes(0x52), sample_bytes(0xd2) } },
    };
    sample_body(s, ENVELOPE_BUCKET_MIN + ENVELOPE_TAG);
}

/* An acknowledgement without a body. */
static inline void sample_step(struct sample *s)
{
    sample_sealed(s);
    s->h.kind = KIND_ACKNOWLEDGED;
    s->h.n_to = 0;
    s->h.category = s->h.marking = 0;
    s->h.commit = SPAN_NONE;
    s->h.n_refs = 1;
    s->h.ref[0] = sample_bytes(0x3f);
    s->s.psk_epoch = s->s.psk_step = 0;
    s->w.enc = NULL;
    s->w.n = 0;
    buf_clear(&s->body);
}

/* @n recipients, all for information, in the bucket of @body bytes. */
static inline void sample_many(struct sample *s, size_t n, size_t body)
{
    sample_sealed(s);
    s->s.precedence = PRECEDENCE_ROUTINE;
    s->h.n_to = s->w.n = n;
    for (size_t i = 0; i < n; i++) {
        snprintf(s->name[i], sizeof(s->name[i]), "p%zu.desk", i);
        s->h.to[i] = (struct recipient){ span_str(s->name[i]), ROLE_INFORMATION };
        s->w.wrap[i] = s->w.wrap[i % 2];
    }
    sample_body(s, body);
}

/* Draft signature where a draft key is set, encodings, ids, release signature; returns the first
 * error. */
static inline int sample_sign(struct sample *s)
{
    struct envelope *e = &s->env;
    struct buf m;
    int rc;

    buf_clear(&s->header);
    buf_clear(&s->stamp);
    buf_clear(&s->wraps);
    buf_init(&m, 128);
    rc = header_put(&s->header, &s->h);
    if (rc)
        return rc;
    envelope_mid(e->mid, s->h.realm, buf_span(&s->header));
    envelope_draft_message(&m, s->h.realm, e->mid);
    crypto_sign_detached(s->draft_sig, NULL, m.p, m.n, s->draft_sk);
    rc = stamp_put(&s->stamp, &s->s);
    if (!rc)
        rc = wraps_put(&s->wraps, &s->w);
    e->header = s->h;
    e->stamp = s->s;
    e->header_bytes = buf_span(&s->header);
    e->stamp_bytes = buf_span(&s->stamp);
    e->wraps_bytes = buf_span(&s->wraps);
    e->body = buf_span(&s->body);
    e->body_len = s->body.n;
    crypto_hash_sha256(e->wraps_hash, s->wraps.p, s->wraps.n);
    crypto_hash_sha256(e->body_hash, s->body.p, s->body.n);
    envelope_head(e->h, s->h.realm, e->header_bytes, e->stamp_bytes);
    envelope_id(e->id, s->h.realm, e->h, e->wraps_hash, e->body_hash);
    buf_clear(&m);
    envelope_release_message(&m, s->h.realm, e->id);
    crypto_sign_detached(s->sig, NULL, m.p, m.n, s->sk);
    e->sig = s->sig;
    buf_release(&m);
    return rc;
}

/* A copy in memory of exactly @s.n bytes, so that a sanitizer sees one byte too many. */
static inline uint8_t *exact(struct span s)
{
    uint8_t *p = malloc(s.n ? s.n : 1);

    assert(p);
    if (s.n)
        memcpy(p, s.p, s.n);
    return p;
}

#endif
