#include "common/text.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "common/error.h"

size_t text_base64_size(size_t n)
{
    return (n + 2) / 3 * 4;
}

int text_base64(struct buf *out, struct span in)
{
    size_t n = text_base64_size(in.n);
    uint8_t *p = buf_reserve(out, n); /* and one spare byte, for the NUL */

    if (!p)
        return out->bad;
    sodium_bin2base64((char *)p, n + 1, in.n ? in.p : (const uint8_t *)"", in.n,
                      sodium_base64_VARIANT_ORIGINAL);
    buf_commit(out, n);
    return 0;
}

/* libsodium 1.0.18 takes every byte above 0x7f for a '/' where char is signed. */
static bool has_high_byte(struct span in)
{
    uint8_t all = 0;

    for (size_t i = 0; i < in.n; i++)
        all |= in.p[i];
    return all & 0x80;
}

int text_unbase64(uint8_t *out, size_t max, size_t *n, struct span in)
{
    size_t want = in.n / 4 * 3;

    *n = 0;
    if (in.n % 4 || has_high_byte(in))
        return -HL_EFORMAT;
    if (in.n == 0)
        return 0;
    if (in.p[in.n - 1] == '=')
        want -= in.p[in.n - 2] == '=' ? 2 : 1;
    if (want > max)
        return -HL_ETOOBIG;
    if (sodium_base642bin(out, max, (const char *)in.p, in.n, NULL, n, NULL,
                          sodium_base64_VARIANT_ORIGINAL)) {
        *n = 0;
        return -HL_EFORMAT;
    }
    return 0;
}

int text_unbase64_n(uint8_t *out, size_t n, struct span in)
{
    size_t got;

    if (in.n != text_base64_size(n) || text_unbase64(out, n, &got, in) || got != n)
        return -HL_EFORMAT;
    return 0;
}

void text_hex(char *out, const uint8_t *in, size_t n)
{
    sodium_bin2hex(out, 2 * n + 1, in, n);
}

static int nibble(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int text_unhex(uint8_t *out, size_t n, struct span in)
{
    if (in.n != 2 * n)
        return -HL_EFORMAT;
    for (size_t i = 0; i < n; i++) {
        int high = nibble(in.p[2 * i]), low = nibble(in.p[2 * i + 1]);

        if (high < 0 || low < 0)
            return -HL_EFORMAT;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return 0;
}

int text_decimal(uint64_t *v, struct span in)
{
    uint64_t sum = 0;

    if (in.n < 1 || in.n > 19 || (in.n > 1 && in.p[0] == '0'))
        return -HL_EFORMAT;
    for (size_t i = 0; i < in.n; i++) {
        if (in.p[i] < '0' || in.p[i] > '9')
            return -HL_EFORMAT;
        sum = sum * 10 + (uint64_t)(in.p[i] - '0'); /* 19 digits stay below 2^64 */
    }
    if (sum >> 63)
        return -HL_EFORMAT;
    *v = sum;
    return 0;
}

/*
 * Damm (2004): a quasigroup of order 10, totally anti-symmetric, so that every single wrong digit
 * and every swap of neighbours changes the result.  A string with its check digit gives 0.
 */
int text_damm(struct span digits)
{
    static const uint8_t row[10][10] = {
        { 0, 3, 1, 7, 5, 9, 8, 6, 4, 2 }, { 7, 0, 9, 2, 1, 5, 4, 8, 6, 3 },
        { 4, 2, 0, 6, 8, 7, 1, 3, 5, 9 }, { 1, 7, 5, 0, 9, 8, 3, 4, 2, 6 },
        { 6, 1, 2, 3, 0, 4, 5, 9, 7, 8 }, { 3, 6, 7, 4, 2, 0, 9, 5, 8, 1 },
        { 5, 8, 6, 9, 7, 2, 0, 1, 3, 4 }, { 8, 9, 4, 5, 3, 6, 2, 0, 1, 7 },
        { 9, 4, 3, 8, 6, 1, 7, 2, 0, 5 }, { 2, 5, 8, 1, 4, 3, 6, 7, 9, 0 },
    };
    unsigned at = 0;

    for (size_t i = 0; i < digits.n; i++) {
        if (digits.p[i] < '0' || digits.p[i] > '9')
            return -HL_EFORMAT;
        at = row[at][digits.p[i] - '0'];
    }
    return (int)at;
}

void text_groups(char out[static TEXT_GROUPS_SIZE], const uint8_t hash[static 32])
{
    for (size_t i = 0; i < TEXT_GROUPS; i++) {
        char *g = out + 6 * i;

        /* four bytes a group: the bias of mod 10,000 is below 2^-18 */
        snprintf(g, 5, "%04u", (unsigned)(get_u32(hash + 4 * i) % 10000));
        g[4] = (char)('0' + text_damm(SPAN(g, 4)));
        g[5] = i + 1 < TEXT_GROUPS ? '-' : 0;
    }
}

int text_groups_check(const char *typed, const uint8_t hash[static 32])
{
    char want[TEXT_GROUPS_SIZE], got[TEXT_GROUPS * 5];
    size_t n = 0;

    for (; *typed; typed++) {
        if (*typed == ' ' || *typed == '-')
            continue;
        if (*typed < '0' || *typed > '9' || n == sizeof(got))
            return -HL_EFORMAT;
        got[n++] = *typed;
    }
    if (n != sizeof(got))
        return -HL_EFORMAT;
    for (size_t i = 0; i < TEXT_GROUPS; i++)
        if (text_damm(SPAN(got + 5 * i, 5)) != 0)
            return (int)i + 1;
    text_groups(want, hash);
    for (size_t i = 0; i < TEXT_GROUPS; i++)
        if (memcmp(got + 5 * i, want + 6 * i, 5) != 0)
            return -HL_EFINGERPRINT;
    return 0;
}

bool text_ascii(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < 0x20 || s.p[i] > 0x7e)
            return false;
    return true;
}

bool text_line(struct span *rest, struct span *line)
{
    const uint8_t *lf = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;

    *line = SPAN_NONE;
    if (!lf)
        return false;
    *line = SPAN(rest->p, (size_t)(lf - rest->p));
    *rest = SPAN(lf + 1, rest->n - line->n - 1);
    return true;
}

bool text_field(struct span *rest, struct span *field)
{
    const uint8_t *blank;

    *field = SPAN_NONE;
    if (!rest->n)
        return false;
    blank = memchr(rest->p, ' ', rest->n);
    if (!blank || blank == rest->p + rest->n - 1) {
        *field = *rest;
        *rest = SPAN_NONE;
        return true;
    }
    *field = SPAN(rest->p, (size_t)(blank - rest->p));
    *rest = SPAN(blank + 1, rest->n - field->n - 1);
    return true;
}

#define WORD_MAX 63

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Optimal string alignment; three rows are enough, since a swap looks back two. */
unsigned text_distance(struct span a, struct span b, unsigned limit)
{
    unsigned rows[3][WORD_MAX + 1];

    if (a.n > WORD_MAX || b.n > WORD_MAX)
        return limit + 1;
    for (unsigned j = 0; j <= b.n; j++)
        rows[0][j] = j;
    for (unsigned i = 1; i <= a.n; i++) {
        unsigned *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

        now[0] = i;
        for (unsigned j = 1; j <= b.n; j++) {
            unsigned wrong = a.p[i - 1] != b.p[j - 1];

            now[j] = least(last[j - 1] + wrong, least(last[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
                now[j] = least(now[j], before[j - 2] + 1);
        }
    }
    return least(rows[a.n % 3][b.n], limit + 1);
}
