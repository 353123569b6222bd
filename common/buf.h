#ifndef HL_COMMON_BUF_H
#define HL_COMMON_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Bytes that are borrowed (span) and bytes that grow up to a limit (buf).
 *
 * A span never owns and is never NUL-terminated.  A buf owns; every buf has its
 * limit from birth, and a failed growth (limit or memory) is sticky: later puts do
 * nothing, the caller checks bad once.
 */
struct span {
    const uint8_t *p;
    size_t n;
};

struct buf {
    uint8_t *p;
    size_t n, cap, max;
    int bad; /* 0, or -HL_ETOOBIG, or -HL_ENOMEM */
};

#define SPAN(ptr, len) ((struct span){ (const uint8_t *)(ptr), (len) })
#define SPAN_NONE ((struct span){ NULL, 0 })
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static inline struct span buf_span(const struct buf *b)
{
    return SPAN(b->p, b->n);
}

/** span_str - the bytes of a C string, without its NUL. */
struct span span_str(const char *s);
bool span_eq(struct span a, struct span b);
bool span_eq_str(struct span a, const char *s);
/** span_cmp - memcmp order, the shorter first when one is a prefix. */
int span_cmp(struct span a, struct span b);

/** buf_init - empty buffer that may grow to @max bytes; allocates nothing yet. */
void buf_init(struct buf *b, size_t max);
/** buf_release - frees and zeroes the struct; the content is not wiped (secrets live in keys/). */
void buf_release(struct buf *b);
/** buf_clear - length to 0 and error forgotten; keeps the memory. */
void buf_clear(struct buf *b);
/** buf_put - append; returns b->bad. */
int buf_put(struct buf *b, const void *p, size_t n);
int buf_put_span(struct buf *b, struct span s);
int buf_put_str(struct buf *b, const char *s);
int buf_put_u8(struct buf *b, uint8_t v);
/** buf_put_u16/u32/u64 - big-endian. */
int buf_put_u16(struct buf *b, uint16_t v);
int buf_put_u32(struct buf *b, uint32_t v);
int buf_put_u64(struct buf *b, uint64_t v);
int buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** buf_reserve - room for @n more bytes, uninitialised; NULL when bad.  buf_commit() adds them. */
uint8_t *buf_reserve(struct buf *b, size_t n);
void buf_commit(struct buf *b, size_t n);
/** buf_consume - drop the first @n bytes. */
void buf_consume(struct buf *b, size_t n);
/** buf_str - NUL-terminate (NUL not counted) and return as C string; "" when bad. */
const char *buf_str(struct buf *b);

uint16_t get_u16(const uint8_t *p);
uint32_t get_u32(const uint8_t *p);
uint64_t get_u64(const uint8_t *p);
void put_u16(uint8_t *p, uint16_t v);
void put_u32(uint8_t *p, uint32_t v);
void put_u64(uint8_t *p, uint64_t v);

#endif
