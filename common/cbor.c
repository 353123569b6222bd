#include "common/cbor.h"

#include "common/error.h"

/* major types of RFC 8949 3.1 */
enum { MAJOR_UINT = 0, MAJOR_BYTES = 2, MAJOR_ARRAY = 4 };

void cbor_open(struct cbor_in *in, struct span s)
{
    *in = (struct cbor_in){ .p = s.p, .end = s.n ? s.p + s.n : s.p };
}

void cbor_fail(struct cbor_in *in, int rc)
{
    if (!in->bad)
        in->bad = rc;
}

/* The argument of the next head, which must be of @major and in its shortest form. */
static uint64_t cbor_head(struct cbor_in *in, unsigned major)
{
    size_t left = (size_t)(in->end - in->p), n;
    uint64_t v = 0;
    unsigned low;

    if (in->bad)
        return 0;
    if (left < 1 || in->p[0] >> 5 != major) {
        cbor_fail(in, -HL_EFORMAT);
        return 0;
    }
    low = in->p[0] & 31;
    n = low < 24 ? 0 : low < 28 ? (size_t)1 << (low - 24) : 9;
    if (n > 8 || left < 1 + n) {
        cbor_fail(in, -HL_EFORMAT);
        return 0;
    }
    for (size_t i = 0; i < n; i++)
        v = v << 8 | in->p[1 + i];
    if (n == 0)
        v = low;
    if ((n == 1 && v < 24) || (n > 1 && v >> (n * 4) == 0) || v >> 63) {
        cbor_fail(in, -HL_EFORMAT);
        return 0;
    }
    in->p += 1 + n;
    return v;
}

uint64_t cbor_uint(struct cbor_in *in)
{
    return cbor_head(in, MAJOR_UINT);
}

uint64_t cbor_uint_max(struct cbor_in *in, uint64_t max)
{
    uint64_t v = cbor_uint(in);

    if (v > max) {
        cbor_fail(in, -HL_EFORMAT);
        return 0;
    }
    return v;
}

struct span cbor_bytes(struct cbor_in *in)
{
    return cbor_bytes_max(in, SIZE_MAX);
}

struct span cbor_bytes_max(struct cbor_in *in, size_t max)
{
    uint64_t n = cbor_head(in, MAJOR_BYTES);
    struct span s;

    if (in->bad)
        return SPAN_NONE;
    if (n > max || n > (size_t)(in->end - in->p)) {
        cbor_fail(in, n > max ? -HL_ETOOBIG : -HL_EFORMAT);
        return SPAN_NONE;
    }
    s = SPAN(in->p, (size_t)n);
    in->p += n;
    return s;
}

const uint8_t *cbor_bytes_n(struct cbor_in *in, size_t n)
{
    static const uint8_t zeroes[64];
    struct span s = cbor_bytes(in);

    if (!in->bad && s.n != n)
        cbor_fail(in, -HL_EFORMAT);
    return in->bad ? zeroes : s.p;
}

size_t cbor_array(struct cbor_in *in, size_t min, size_t max)
{
    uint64_t n = cbor_head(in, MAJOR_ARRAY);

    if (!in->bad && (n < min || in->depth >= CBOR_DEPTH))
        cbor_fail(in, -HL_EFORMAT);
    if (!in->bad && n > max)
        cbor_fail(in, min == max ? -HL_EFORMAT : -HL_ETOOBIG);
    if (in->bad)
        return 0;
    in->depth++;
    return (size_t)n;
}

void cbor_array_end(struct cbor_in *in)
{
    if (in->depth)
        in->depth--;
}

int cbor_done(struct cbor_in *in)
{
    if (!in->bad && in->p != in->end)
        cbor_fail(in, -HL_EFORMAT);
    return in->bad;
}

static void cbor_put_head(struct buf *b, unsigned major, uint64_t v)
{
    uint8_t head = (uint8_t)(major << 5);

    if (v < 24) {
        buf_put_u8(b, (uint8_t)(head | v));
    } else if (v <= UINT8_MAX) {
        buf_put_u8(b, head | 24);
        buf_put_u8(b, (uint8_t)v);
    } else if (v <= UINT16_MAX) {
        buf_put_u8(b, head | 25);
        buf_put_u16(b, (uint16_t)v);
    } else if (v <= UINT32_MAX) {
        buf_put_u8(b, head | 26);
        buf_put_u32(b, (uint32_t)v);
    } else {
        buf_put_u8(b, head | 27);
        buf_put_u64(b, v);
    }
}

void cbor_put_uint(struct buf *b, uint64_t v)
{
    cbor_put_head(b, MAJOR_UINT, v);
}

void cbor_put_bytes_head(struct buf *b, size_t n)
{
    cbor_put_head(b, MAJOR_BYTES, n);
}

void cbor_put_bytes(struct buf *b, struct span s)
{
    cbor_put_bytes_head(b, s.n);
    buf_put_span(b, s);
}

void cbor_put_array(struct buf *b, size_t n)
{
    cbor_put_head(b, MAJOR_ARRAY, n);
}
