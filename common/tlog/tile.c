/*
 *   tile/<L>/<N>[.p/<W>]     L 0..7: hashes; "entries": entry bundles
 *   <N>: decimal in groups of three digits, all but the last with an x before: x001/x234/067
 */
#include "common/tlog/tile.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "common/text.h"

#define GROUPS 7 /* of a number below 2^64 */

void tile_path(char out[static TILE_PATH_MAX], const struct tile_id *id)
{
    unsigned group[GROUPS], n = 0;
    uint64_t rest = id->n;
    int len;

    assert(id->width >= 1 && id->width <= TILE_WIDTH);
    do {
        group[n++] = (unsigned)(rest % 1000);
        rest /= 1000;
    } while (rest);
    if (id->level == TILE_ENTRIES)
        len = snprintf(out, TILE_PATH_MAX, "tile/entries");
    else
        len = snprintf(out, TILE_PATH_MAX, "tile/%u", id->level);
    while (n--)
        len += snprintf(out + len, TILE_PATH_MAX - (size_t)len, n ? "/x%03u" : "/%03u", group[n]);
    if (id->width < TILE_WIDTH)
        snprintf(out + len, TILE_PATH_MAX - (size_t)len, ".p/%u", id->width);
}

/* Take @word off the front of *rest. */
static bool take(struct span *rest, const char *word)
{
    size_t n = strlen(word);

    if (rest->n < n || memcmp(rest->p, word, n) != 0)
        return false;
    *rest = SPAN(rest->p + n, rest->n - n);
    return true;
}

/* The digits at the front of *rest, as far as a tile path can need them. */
static uint64_t take_digits(struct span *rest, size_t max)
{
    uint64_t v = 0;
    size_t i = 0;

    for (; i < max && i < rest->n && rest->p[i] >= '0' && rest->p[i] <= '9'; i++)
        v = v * 10 + (uint64_t)(rest->p[i] - '0');
    *rest = SPAN(rest->p + i, rest->n - i);
    return v;
}

/* Read generously, print, and compare: whatever is not the canonical spelling is refused. */
int tile_parse(struct tile_id *id, struct span path)
{
    struct span rest = path;
    char again[TILE_PATH_MAX];
    bool more = true;

    *id = (struct tile_id){ .width = TILE_WIDTH };
    if (take(&rest, "tile/entries"))
        id->level = TILE_ENTRIES;
    else if (take(&rest, "tile/"))
        id->level = (unsigned)take_digits(&rest, 1);
    else
        return -HL_EFORMAT;
    for (unsigned i = 0; more && i < GROUPS; i++) {
        if (!take(&rest, "/") || id->n > (UINT64_MAX >> 1) / 1000 - 1)
            return -HL_EFORMAT;
        more = take(&rest, "x");
        id->n = id->n * 1000 + take_digits(&rest, 3);
    }
    if (take(&rest, ".p/"))
        id->width = (unsigned)take_digits(&rest, 3);
    if (more || rest.n || id->width < 1 || id->width > TILE_WIDTH ||
        (id->level > 7 && id->level != TILE_ENTRIES))
        return -HL_EFORMAT;
    tile_path(again, id);
    return span_eq_str(path, again) ? 0 : -HL_EFORMAT;
}

unsigned tile_width(unsigned level, uint64_t n, uint64_t size)
{
    uint64_t hashes = size >> (level == TILE_ENTRIES ? 0 : 8 * level);

    if (n < hashes >> 8)
        return TILE_WIDTH;
    return n == hashes >> 8 ? (unsigned)(hashes & 0xff) : 0;
}

void tile_subtree_hash(uint8_t out[static 32], const uint8_t (*hashes)[32], unsigned height,
                       unsigned i)
{
    uint8_t stack[9][32];
    unsigned first = i << height, n = 0;

    assert(height <= 8 && ((i + 1) << height) <= TILE_WIDTH);
    for (unsigned k = 0; k < 1U << height; k++) {
        memcpy(stack[n++], hashes[first + k], 32);
        for (unsigned s = k; s & 1; s >>= 1, n--)
            merkle_node(stack[n - 2], stack[n - 2], stack[n - 1]);
    }
    memcpy(out, stack[0], 32);
}

bool bundle_next(struct span *rest, struct span *entry, int *rc)
{
    size_t len;

    *rc = 0;
    if (rest->n == 0)
        return false;
    if (rest->n < 2 || rest->n - 2 < (len = get_u16(rest->p))) {
        *rc = -HL_EFORMAT;
        return false;
    }
    *entry = SPAN(rest->p + 2, len);
    *rest = SPAN(rest->p + 2 + len, rest->n - 2 - len);
    return true;
}

int bundle_put(struct buf *out, struct span entry)
{
    assert(entry.n <= UINT16_MAX);
    buf_put_u16(out, (uint16_t)entry.n);
    return buf_put_span(out, entry);
}
