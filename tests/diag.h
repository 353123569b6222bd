#ifndef HL_TESTS_DIAG_H
#define HL_TESTS_DIAG_H

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"

/*
 * Bytes to decode, written as text and encoded without any of the code under test:
 *
 *     [ ... ]    array        42       unsigned integer, shortest form
 *     'text'     byte string  c1*32    byte string of 32 bytes c1
 *     <x y>      byte string that holds the encodings of x and y
 *     =8118ff    these bytes as they are
 *
 * Items are separated by single blanks.
 */
static inline void diag_head(struct buf *out, unsigned major, uint64_t v)
{
    unsigned n = v < 24 ? 0 : v < 256 ? 1 : v < 65536 ? 2 : v >> 32 ? 8 : 4;

    buf_put_u8(out, (uint8_t)(major << 5 | (n == 0   ? (unsigned)v
                                            : n == 1 ? 24
                                            : n == 2 ? 25
                                            : n == 4 ? 26
                                                     : 27)));
    while (n--)
        buf_put_u8(out, (uint8_t)(v >> (8 * n)));
}

static inline size_t diag_items(struct buf *out, const char **p, char end);

static inline void diag_raw(struct buf *out, const char **p)
{
    size_t len = strcspn(*p, " ]>");
    char pair[3] = { 0 };

    assert(len % 2 == 0);
    for (size_t i = 0; i < len; i += 2) {
        memcpy(pair, *p + i, 2);
        buf_put_u8(out, (uint8_t)strtoul(pair, NULL, 16));
    }
    *p += len;
}

static inline void diag_nested(struct buf *out, const char **p, unsigned major, char end)
{
    struct buf inner;
    size_t n;

    buf_init(&inner, 1 << 21);
    n = diag_items(&inner, p, end);
    diag_head(out, major, major == 4 ? n : inner.n);
    buf_put_span(out, buf_span(&inner));
    buf_release(&inner);
}

static inline void diag_scalar(struct buf *out, const char **p)
{
    const char *start = *p;
    size_t len = strcspn(start, " ]>");
    const char *star = memchr(start, '*', len);

    *p += len;
    if (!star) {
        diag_head(out, 0, strtoull(start, NULL, 10));
        return;
    }
    len = strtoul(star + 1, NULL, 10);
    diag_head(out, 2, len);
    while (len--)
        buf_put_u8(out, (uint8_t)strtoul(start, NULL, 16));
}

static inline void diag_item(struct buf *out, const char **p)
{
    const char *end;

    switch (*(*p)++) {
    case '[':
        diag_nested(out, p, 4, ']');
        break;
    case '<':
        diag_nested(out, p, 2, '>');
        break;
    case '=':
        diag_raw(out, p);
        break;
    case '\'':
        end = strchr(*p, '\'');
        assert(end);
        diag_head(out, 2, (uint64_t)(end - *p));
        buf_put(out, *p, (size_t)(end - *p));
        *p = end + 1;
        break;
    default:
        (*p)--;
        diag_scalar(out, p);
    }
}

static inline size_t diag_items(struct buf *out, const char **p, char end)
{
    size_t n = 0;

    for (; **p == ' '; (*p)++)
        ;
    for (; **p != end; n++) {
        assert(**p);
        diag_item(out, p);
        for (; **p == ' '; (*p)++)
            ;
    }
    if (end)
        (*p)++;
    return n;
}

/* diag - clear @out and encode @text into it. */
static inline struct span diag(struct buf *out, const char *text)
{
    if (!out->max)
        buf_init(out, 1 << 21);
    buf_clear(out);
    diag_items(out, &text, 0);
    assert(!out->bad);
    return buf_span(out);
}

/* A row replaces single items of an array that is good as it stands. */
#define DIAG_SETS 5
struct diag_set {
    int item; /* from 1; 0 ends the list */
    const char *text;
};

/* diag_array - @n items of @base with @set applied; the item number n + 1 is appended. */
static inline struct span diag_array(struct buf *out, const char *const *base, size_t n,
                                     const struct diag_set *set)
{
    struct buf text;
    struct span s;

    buf_init(&text, 1 << 20);
    buf_put_str(&text, "[");
    for (size_t i = 1; i <= n + 1; i++) {
        const char *item = i <= n ? base[i - 1] : "";

        for (size_t k = 0; k < DIAG_SETS && set[k].item; k++)
            if (set[k].item == (int)i)
                item = set[k].text;
        buf_printf(&text, " %s", item);
    }
    buf_put_str(&text, " ]");
    s = diag(out, buf_str(&text));
    buf_release(&text);
    return s;
}

#endif
