/*
 * Which characters may stand in a text, and how any bytes are shown on a terminal.
 *
 * Allowed is what shows as itself in its place.  Refused: controls, what turns the direction of a
 * line (a reader would see another order than was signed), separators that end a line, the byte
 * order mark, tags, noncharacters, private use, and the planes in which nothing is assigned.
 */
#include "common/error.h"
#include "common/text.h"

static const struct {
    uint32_t first, last;
} refused[] = {
    { 0x0000, 0x001f },    /* C0 */
    { 0x007f, 0x009f },    /* DEL, C1 */
    { 0x061c, 0x061c },    /* Arabic letter mark */
    { 0x200e, 0x200f },    /* left-to-right and right-to-left mark */
    { 0x2028, 0x202e },    /* line and paragraph separator; embeddings and overrides */
    { 0x2060, 0x206f },    /* invisible operators, isolates, deprecated format characters */
    { 0xe000, 0xf8ff },    /* private use */
    { 0xfdd0, 0xfdef },    /* noncharacters */
    { 0xfeff, 0xfeff },    /* byte order mark */
    { 0xfff0, 0xfffb },    /* unassigned, interlinear annotation */
    { 0xfffe, 0xffff },    /* noncharacters */
    { 0x1fffe, 0x1ffff },  /* noncharacters */
    { 0x2fffe, 0x2ffff },  /* noncharacters */
    { 0x3fffe, 0x10ffff }, /* noncharacters; unassigned planes, tags, private use */
};

size_t text_char(struct span s, uint32_t *c)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    uint8_t head = s.p[0];
    size_t n = head < 0x80   ? 1
               : head < 0xc0 ? 0
               : head < 0xe0 ? 2
               : head < 0xf0 ? 3
               : head < 0xf8 ? 4
                             : 0;

    if (n == 0 || n > s.n)
        return 0;
    *c = n == 1 ? head : head & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if (s.p[i] >> 6 != 2)
            return 0;
        *c = *c << 6 | (s.p[i] & 0x3f);
    }
    if (*c < least[n] || (*c >= 0xd800 && *c <= 0xdfff) || *c > 0x10ffff)
        return 0;
    return n;
}

bool text_plain(uint32_t c)
{
    for (size_t i = 0; i < COUNT(refused); i++)
        if (c >= refused[i].first && c <= refused[i].last)
            return false;
    return true;
}

int text_utf8(struct span s, bool lines)
{
    for (size_t i = 0, n; i < s.n; i += n) {
        uint32_t c;

        n = text_char(SPAN(s.p + i, s.n - i), &c);
        if (n == 0 || !(text_plain(c) || (lines && (c == '\n' || c == '\t'))))
            return -HL_EFORMAT;
    }
    return 0;
}

int text_safe(struct buf *out, struct span s)
{
    for (size_t i = 0, n; i < s.n; i += n) {
        uint32_t c;

        n = text_char(SPAN(s.p + i, s.n - i), &c);
        if (n && text_plain(c)) {
            buf_put(out, s.p + i, n);
            continue;
        }
        n = n ? n : 1;
        for (size_t k = 0; k < n; k++)
            buf_printf(out, "\\x%02x", s.p[i + k]);
    }
    return out->bad;
}
