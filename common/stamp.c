#include <string.h>

#include "common/cbor.h"
#include "common/envelope.h"
#include "common/error.h"

/*
 * The stamp: how an envelope leaves; and the wraps: who can open it.
 *
 *     stamp = [key, draft: [] / [key, sig], precedence, flags, chain, seq, sealed_ms, ack_within_s,
 *              lifetime_s, psk_epoch, psk_step, seen: [* [log, size, root]]]
 *     wraps = [enc, [* [subkey, ct]]]
 */
#define STAMP_ITEMS 12
#define FLAGS_ALL (FLAG_BREAK_GLASS | FLAG_RELEASED_ALONE | FLAG_CARRIED)
#define PSK_STEPS 366
#define CT_SIZE (32 + ENVELOPE_TAG)

static int stamp_check(const struct stamp *s)
{
    if (s->n_seen > ENVELOPE_SEEN_MAX)
        return -HL_ETOOBIG;
    if (s->precedence > PRECEDENCE_FLASH || (s->flags & ~(unsigned)FLAGS_ALL) || s->seq == 0)
        return -HL_EFORMAT;
    if (s->psk_epoch > UINT32_MAX || s->psk_step > PSK_STEPS ||
        (s->psk_step == 0 && s->psk_epoch != 0))
        return -HL_EFORMAT;
    for (size_t i = 0; i < s->n_seen; i++) {
        if (s->seen[i].size == 0)
            return -HL_EFORMAT;
        if (i && memcmp(s->seen[i - 1].log, s->seen[i].log, 32) >= 0)
            return -HL_EFORMAT;
    }
    return 0;
}

static void get_draft(struct cbor_in *in, struct stamp *s)
{
    size_t n = cbor_array(in, 0, 2);

    s->draft_key = s->draft_sig = NULL;
    if (n == 1)
        cbor_fail(in, -HL_EFORMAT);
    if (n == 2) {
        s->draft_key = cbor_bytes_n(in, 32);
        s->draft_sig = cbor_bytes_n(in, 64);
    }
    cbor_array_end(in);
}

static void get_seen(struct cbor_in *in, struct stamp *s)
{
    s->n_seen = cbor_array(in, 0, ENVELOPE_SEEN_MAX);
    for (size_t i = 0; i < s->n_seen && !in->bad; i++) {
        cbor_array(in, 3, 3);
        s->seen[i].log = cbor_bytes_n(in, 32);
        s->seen[i].size = cbor_uint(in);
        s->seen[i].root = cbor_bytes_n(in, 32);
        cbor_array_end(in);
    }
    cbor_array_end(in);
}

static int stamp_read(struct stamp *s, struct span bytes)
{
    struct cbor_in in;

    if (bytes.n > ENVELOPE_STAMP_MAX)
        return -HL_ETOOBIG;
    cbor_open(&in, bytes);
    cbor_array(&in, STAMP_ITEMS, STAMP_ITEMS);
    s->key = cbor_bytes_n(&in, 32);
    get_draft(&in, s);
    s->precedence = (unsigned)cbor_uint_max(&in, PRECEDENCE_FLASH);
    s->flags = (unsigned)cbor_uint_max(&in, FLAGS_ALL);
    s->chain = cbor_bytes_n(&in, 16);
    s->seq = cbor_uint(&in);
    s->sealed_ms = cbor_uint(&in);
    s->ack_within_s = cbor_uint(&in);
    s->lifetime_s = cbor_uint(&in);
    s->psk_epoch = cbor_uint(&in);
    s->psk_step = cbor_uint(&in);
    get_seen(&in, s);
    cbor_array_end(&in);
    return cbor_done(&in);
}

int stamp_decode(struct stamp *s, struct span in)
{
    int rc = stamp_read(s, in);

    if (!rc)
        rc = stamp_check(s);
    if (rc)
        memset(s, 0, sizeof(*s));
    return rc;
}

int stamp_put(struct buf *out, const struct stamp *s)
{
    int rc = stamp_check(s);

    if (rc)
        return rc;
    cbor_put_array(out, STAMP_ITEMS);
    cbor_put_bytes(out, SPAN(s->key, 32));
    cbor_put_array(out, s->draft_key ? 2 : 0);
    if (s->draft_key) {
        cbor_put_bytes(out, SPAN(s->draft_key, 32));
        cbor_put_bytes(out, SPAN(s->draft_sig, 64));
    }
    cbor_put_uint(out, s->precedence);
    cbor_put_uint(out, s->flags);
    cbor_put_bytes(out, SPAN(s->chain, 16));
    cbor_put_uint(out, s->seq);
    cbor_put_uint(out, s->sealed_ms);
    cbor_put_uint(out, s->ack_within_s);
    cbor_put_uint(out, s->lifetime_s);
    cbor_put_uint(out, s->psk_epoch);
    cbor_put_uint(out, s->psk_step);
    cbor_put_array(out, s->n_seen);
    for (size_t i = 0; i < s->n_seen; i++) {
        cbor_put_array(out, 3);
        cbor_put_bytes(out, SPAN(s->seen[i].log, 32));
        cbor_put_uint(out, s->seen[i].size);
        cbor_put_bytes(out, SPAN(s->seen[i].root, 32));
    }
    return out->bad;
}

static int wraps_read(struct wraps *w, struct span bytes)
{
    struct cbor_in in;
    struct span enc;

    if (bytes.n > ENVELOPE_WRAPS_MAX)
        return -HL_ETOOBIG;
    cbor_open(&in, bytes);
    cbor_array(&in, 2, 2);
    enc = cbor_bytes(&in);
    w->n = cbor_array(&in, 0, ENVELOPE_TO_MAX);
    for (size_t i = 0; i < w->n && !in.bad; i++) {
        cbor_array(&in, 2, 2);
        w->wrap[i].subkey = cbor_bytes_n(&in, 32);
        w->wrap[i].ct = cbor_bytes_n(&in, CT_SIZE);
        cbor_array_end(&in);
    }
    cbor_array_end(&in);
    cbor_array_end(&in);
    if (enc.n != (w->n ? 32 : 0))
        cbor_fail(&in, -HL_EFORMAT);
    w->enc = enc.n ? enc.p : NULL;
    return cbor_done(&in);
}

int wraps_decode(struct wraps *w, struct span in)
{
    int rc = wraps_read(w, in);

    if (rc)
        memset(w, 0, sizeof(*w));
    return rc;
}

int wraps_put(struct buf *out, const struct wraps *w)
{
    cbor_put_array(out, 2);
    cbor_put_bytes(out, SPAN(w->enc, w->n ? 32 : 0));
    cbor_put_array(out, w->n);
    for (size_t i = 0; i < w->n; i++) {
        cbor_put_array(out, 2);
        cbor_put_bytes(out, SPAN(w->wrap[i].subkey, 32));
        cbor_put_bytes(out, SPAN(w->wrap[i].ct, CT_SIZE));
    }
    return out->bad;
}
