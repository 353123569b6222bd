#include "client/render_text.h"

#include "common/text.h"

#define FSI "\xe2\x81\xa8" /* U+2068 first strong isolate */
#define PDI "\xe2\x81\xa9" /* U+2069 pop directional isolate */
#define UNBROKEN 0x1f      /* no sender's byte: text_safe() lets none pass */
#define RLM "\xe2\x80\x8f" /* U+200F right-to-left mark */

static const struct {
    uint32_t first, last;
    unsigned columns;
} widths[] = {
    { 0x0300, 0x036f, 0 },   { 0x0483, 0x0489, 0 }, { 0x0591, 0x05bd, 0 }, { 0x0610, 0x061a, 0 },
    { 0x064b, 0x065f, 0 },   { 0x0670, 0x0670, 0 }, { 0x06d6, 0x06dc, 0 }, { 0x06df, 0x06e4, 0 },
    { 0x1100, 0x115f, 2 },   { 0x200b, 0x200f, 0 }, { 0x2066, 0x2069, 0 }, { 0x20d0, 0x20ff, 0 },
    { 0x2e80, 0xa4cf, 2 },   { 0xac00, 0xd7a3, 2 }, { 0xf900, 0xfaff, 2 }, { 0xfe00, 0xfe0f, 0 },
    { 0xfe30, 0xfe6f, 2 },   { 0xff00, 0xff60, 2 }, { 0xffe0, 0xffe6, 2 }, { 0x1f300, 0x1faff, 2 },
    { 0x20000, 0x3fffd, 2 },
};

size_t text_columns(struct span s)
{
    size_t columns = 0;

    while (s.n) {
        uint32_t c;
        size_t n = text_char(s, &c), w = 1;

        for (size_t i = 0; n && i < COUNT(widths); i++)
            if (c >= widths[i].first && c <= widths[i].last)
                w = widths[i].columns;
        columns += w;
        n = n ? n : 1;
        s = SPAN(s.p + n, s.n - n);
    }
    return columns;
}

void put_isolated(struct buf *out, struct span s, bool rtl)
{
    bool isolate = rtl || !text_ascii(s);

    if (isolate)
        buf_put_str(out, FSI);
    text_safe(out, s);
    if (isolate)
        buf_put_str(out, PDI);
}

void put_unbroken(struct buf *out, struct span s, bool rtl)
{
    buf_put_str(out, rtl ? FSI : "");
    for (size_t i = 0; i < s.n; i++)
        buf_put_u8(out, s.p[i] == ' ' ? UNBROKEN : s.p[i]);
    buf_put_str(out, rtl ? PDI : "");
}

void unbroken_end(struct buf *out, size_t begin)
{
    for (size_t i = begin; i < out->n; i++)
        if (out->p[i] == UNBROKEN)
            out->p[i] = ' ';
}

void put_padded(struct buf *out, struct span s, size_t columns)
{
    size_t n = text_columns(s);

    buf_put_span(out, s);
    for (; n < columns; n++)
        buf_put_u8(out, ' ');
}

/* Is an isolate open after @s, when @open were before? */
static unsigned isolates_open(struct span s, unsigned open)
{
    for (size_t i = 0; i + 3 <= s.n; i++) {
        struct span three = SPAN(s.p + i, 3);

        if (span_eq_str(three, FSI))
            open++;
        else if (span_eq_str(three, PDI) && open)
            open--;
    }
    return open;
}

static void put_times(struct buf *out, const char *s, unsigned n)
{
    while (n--)
        buf_put_str(out, s);
}

/*
 * What of @text fits into @columns, up to a blank, or up to the edge when no blank is there: a
 * terminal must not break a line itself and so begin one that is not ours.  *text keeps the rest.
 */
static struct span take_line(struct span *text, size_t columns)
{
    struct span all = *text;
    size_t used = 0, at = 0, blank = 0, n;

    if (!all.n)
        return all;
    for (; at < all.n; at += n) {
        uint32_t c;

        n = text_char(SPAN(all.p + at, all.n - at), &c);
        n = n ? n : 1;
        used += text_columns(SPAN(all.p + at, n));
        if (all.p[at] == ' ')
            blank = at;
        if (used > columns)
            break;
    }
    if (at < all.n && blank)
        at = blank;
    *text = SPAN(all.p + at, all.n - at);
    while (text->n && text->p[0] == ' ')
        *text = SPAN(text->p + 1, text->n - 1);
    return SPAN(all.p, at);
}

void put_wrapped(struct buf *out, struct span head, struct span next_head, struct span text,
                 bool rtl)
{
    size_t indent = text_columns(head);
    size_t columns = indent + 20 < RENDER_COLUMNS ? RENDER_COLUMNS - indent : 20;
    unsigned open = 0;

    do {
        struct span line = take_line(&text, columns);
        size_t begin = out->n;

        buf_put_str(out, rtl ? RLM : "");
        buf_put_span(out, head);
        put_times(out, FSI, open);
        buf_put_span(out, line);
        open = isolates_open(line, open);
        put_times(out, PDI, open);
        while (out->n && !out->bad && out->p[out->n - 1] == ' ')
            out->n--;
        unbroken_end(out, begin);
        buf_put_u8(out, '\n');
        head = next_head;
    } while (text.n);
}
