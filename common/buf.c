#include "common/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"

struct span span_str(const char *s)
{
    return SPAN(s, s ? strlen(s) : 0);
}

bool span_eq(struct span a, struct span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool span_eq_str(struct span a, const char *s)
{
    return span_eq(a, span_str(s));
}

int span_cmp(struct span a, struct span b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int d = n ? memcmp(a.p, b.p, n) : 0;

    return d ? d : (a.n > b.n) - (a.n < b.n);
}

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){ .max = max };
}

void buf_release(struct buf *b)
{
    free(b->p);
    *b = (struct buf){ .max = b->max };
}

void buf_clear(struct buf *b)
{
    b->n = 0;
    b->bad = 0;
}

/* One byte more than asked, so that buf_str() always has room for its NUL. */
static int buf_grow(struct buf *b, size_t n)
{
    size_t cap = b->cap ? b->cap : 64;
    uint8_t *p;

    if (b->bad)
        return b->bad;
    if (n > b->max || b->n > b->max - n)
        return b->bad = -HL_ETOOBIG;
    if (b->n + n < b->cap)
        return 0;
    while (cap <= b->n + n)
        cap *= 2;
    p = realloc(b->p, cap);
    if (!p)
        return b->bad = -HL_ENOMEM;
    b->p = p;
    b->cap = cap;
    return 0;
}

uint8_t *buf_reserve(struct buf *b, size_t n)
{
    return buf_grow(b, n) ? NULL : b->p + b->n;
}

void buf_commit(struct buf *b, size_t n)
{
    assert(n <= b->cap - b->n);
    b->n += n;
}

int buf_put(struct buf *b, const void *p, size_t n)
{
    if (buf_grow(b, n))
        return b->bad;
    if (n)
        memcpy(b->p + b->n, p, n);
    b->n += n;
    return 0;
}

int buf_put_span(struct buf *b, struct span s)
{
    return buf_put(b, s.p, s.n);
}

int buf_put_str(struct buf *b, const char *s)
{
    return buf_put_span(b, span_str(s));
}

int buf_put_u8(struct buf *b, uint8_t v)
{
    return buf_put(b, &v, 1);
}

int buf_put_u16(struct buf *b, uint16_t v)
{
    uint8_t be[2];

    put_u16(be, v);
    return buf_put(b, be, sizeof(be));
}

int buf_put_u32(struct buf *b, uint32_t v)
{
    uint8_t be[4];

    put_u32(be, v);
    return buf_put(b, be, sizeof(be));
}

int buf_put_u64(struct buf *b, uint64_t v)
{
    uint8_t be[8];

    put_u64(be, v);
    return buf_put(b, be, sizeof(be));
}

int buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    assert(n >= 0);
    if (buf_grow(b, (size_t)n))
        return b->bad;
    va_start(ap, fmt);
    vsnprintf((char *)b->p + b->n, (size_t)n + 1, fmt, ap); /* the spare byte takes the NUL */
    va_end(ap);
    b->n += (size_t)n;
    return 0;
}

void buf_consume(struct buf *b, size_t n)
{
    assert(n <= b->n);
    if (n && n < b->n)
        memmove(b->p, b->p + n, b->n - n);
    b->n -= n;
}

const char *buf_str(struct buf *b)
{
    if (buf_grow(b, 0))
        return "";
    b->p[b->n] = 0;
    return (const char *)b->p;
}

uint16_t get_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

uint32_t get_u32(const uint8_t *p)
{
    return (uint32_t)get_u16(p) << 16 | get_u16(p + 2);
}

uint64_t get_u64(const uint8_t *p)
{
    return (uint64_t)get_u32(p) << 32 | get_u32(p + 4);
}

void put_u16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

void put_u32(uint8_t *p, uint32_t v)
{
    put_u16(p, (uint16_t)(v >> 16));
    put_u16(p + 2, (uint16_t)v);
}

void put_u64(uint8_t *p, uint64_t v)
{
    put_u32(p, (uint32_t)(v >> 32));
    put_u32(p + 4, (uint32_t)v);
}
