#include "common/record.h"

#include <sodium.h>
#include <string.h>

#include "common/cbor.h"
#include "common/error.h"
#include "common/text.h"

#define SUITE 1

static const size_t items[] = {
    [RECORD_DUMMY] = 2, [RECORD_ENVELOPE] = 8, [RECORD_AGREEMENT] = 3, [RECORD_NOTICE] = 6
};

static void get_envelope(struct cbor_in *in, struct record *r)
{
    if (cbor_uint(in) != SUITE)
        cbor_fail(in, -HL_ESUITE);
    r->header = cbor_bytes_max(in, ENVELOPE_HEADER_MAX);
    r->stamp = cbor_bytes_max(in, ENVELOPE_STAMP_MAX);
    r->wraps_hash = cbor_bytes_n(in, 32);
    r->body_hash = cbor_bytes_n(in, 32);
    r->sig = cbor_bytes_n(in, 64);
}

static void get_notice(struct cbor_in *in, struct record *r)
{
    r->notice = (unsigned)cbor_uint_max(in, NOTICE_DESTROYED);
    r->mid = cbor_bytes_n(in, 32);
    r->poc = cbor_bytes(in);
    r->detail = cbor_bytes_max(in, RECORD_DETAIL_MAX);
}

static int record_check(const struct record *r)
{
    switch (r->type) {
    case RECORD_DUMMY:
        return 0;
    case RECORD_ENVELOPE:
        return r->header.n && r->stamp.n ? 0 : -HL_EFORMAT;
    case RECORD_AGREEMENT:
        return r->note.n ? 0 : -HL_EFORMAT;
    case RECORD_NOTICE:
        if (r->notice < NOTICE_UNDELIVERED || r->notice > NOTICE_DESTROYED ||
            (r->poc.n && !name_poc(r->poc)) || text_utf8(r->detail, true))
            return -HL_EFORMAT;
        return r->detail.n > RECORD_DETAIL_MAX ? -HL_ETOOBIG : 0;
    }
    return -HL_EFORMAT;
}

static int record_read(struct record *r, struct span bytes)
{
    struct cbor_in in;
    size_t n;

    if (bytes.n > RECORD_MAX)
        return -HL_ETOOBIG;
    cbor_open(&in, bytes);
    n = cbor_array(&in, 2, SIZE_MAX);
    r->type = (enum record_type)cbor_uint_max(&in, RECORD_NOTICE);
    r->time_ms = cbor_uint(&in);
    if (!in.bad && n != items[r->type])
        cbor_fail(&in, -HL_EFORMAT);
    if (r->type == RECORD_ENVELOPE)
        get_envelope(&in, r);
    else if (r->type == RECORD_AGREEMENT)
        r->note = cbor_bytes_max(&in, RECORD_AGREEMENT_MAX);
    else if (r->type == RECORD_NOTICE)
        get_notice(&in, r);
    cbor_array_end(&in);
    return cbor_done(&in);
}

int record_decode(struct record *r, struct span in)
{
    int rc;

    memset(r, 0, sizeof(*r));
    rc = record_read(r, in);
    if (!rc)
        rc = record_check(r);
    if (rc)
        memset(r, 0, sizeof(*r));
    return rc;
}

static void put_envelope(struct buf *out, struct span header, struct span stamp,
                         const uint8_t *wraps_hash, const uint8_t *body_hash, const uint8_t *sig)
{
    cbor_put_uint(out, SUITE);
    cbor_put_bytes(out, header);
    cbor_put_bytes(out, stamp);
    cbor_put_bytes(out, SPAN(wraps_hash, 32));
    cbor_put_bytes(out, SPAN(body_hash, 32));
    cbor_put_bytes(out, SPAN(sig, 64));
}

static void put_head(struct buf *out, enum record_type type, uint64_t time_ms)
{
    cbor_put_array(out, items[type]);
    cbor_put_uint(out, type);
    cbor_put_uint(out, time_ms);
}

int record_put(struct buf *out, const struct record *r)
{
    int rc = record_check(r);

    if (rc)
        return rc;
    put_head(out, r->type, r->time_ms);
    switch (r->type) {
    case RECORD_DUMMY:
        break;
    case RECORD_ENVELOPE:
        put_envelope(out, r->header, r->stamp, r->wraps_hash, r->body_hash, r->sig);
        break;
    case RECORD_AGREEMENT:
        cbor_put_bytes(out, r->note);
        break;
    case RECORD_NOTICE:
        cbor_put_uint(out, r->notice);
        cbor_put_bytes(out, SPAN(r->mid, 32));
        cbor_put_bytes(out, r->poc);
        cbor_put_bytes(out, r->detail);
        break;
    }
    return out->bad;
}

int record_put_envelope(struct buf *out, uint64_t time_ms, const struct envelope *env)
{
    put_head(out, RECORD_ENVELOPE, time_ms);
    put_envelope(out, env->header_bytes, env->stamp_bytes, env->wraps_hash, env->body_hash,
                 env->sig);
    return out->bad;
}

void record_entry(uint8_t entry[static 32], enum realm realm,
                  const uint8_t salt[static RECORD_SALT], struct span record)
{
    crypto_hash_sha256_state st;
    uint8_t label[LABEL_SIZE], len[4];
    size_t n = label_write(label, realm, "leaf");

    put_u32(len, (uint32_t)record.n);
    crypto_hash_sha256_init(&st);
    crypto_hash_sha256_update(&st, label, n);
    crypto_hash_sha256_update(&st, salt, RECORD_SALT);
    crypto_hash_sha256_update(&st, len, sizeof(len));
    crypto_hash_sha256_update(&st, record.p, record.n);
    crypto_hash_sha256_final(&st, entry);
}
