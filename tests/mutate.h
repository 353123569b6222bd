#ifndef HL_TESTS_MUTATE_H
#define HL_TESTS_MUTATE_H

#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/text.h"
#include "tests/check.h"

/*
 * Ways to break a text of lines.  @read parses a text, and when it takes it, prints it again and
 * compares (check_reprint): so a mutation is refused or a document of its own, never another
 * spelling of one.
 */
typedef int (*mutate_read)(struct span text);

/* One row: the first @find in the good text becomes @put (NULL: the good text as it is). */
struct mutation {
    const char *name, *find, *put;
    int want;
};

static inline int check_reprint(struct span text, const struct buf *printed)
{
    if (!span_eq(text, buf_span(printed))) {
        fprintf(stderr, "took:\n%.*s\nprinted:\n%.*s\n", (int)text.n, (const char *)text.p,
                (int)printed->n, (const char *)printed->p);
        fail_msg("what is taken must print to the same bytes");
    }
    return 0;
}

/* The good text with row's change, into @out. */
static inline void mutate_text(struct buf *out, struct span good, const struct mutation *row)
{
    const uint8_t *at = row->find ? memmem(good.p, good.n, row->find, strlen(row->find)) : good.p;

    CHECK_EQ(at != NULL, 1, row->name);
    buf_clear(out);
    buf_put(out, good.p, (size_t)(at - good.p));
    if (row->find) {
        buf_put_str(out, row->put);
        at += strlen(row->find);
    }
    buf_put(out, at, (size_t)(good.p + good.n - at));
}

static inline void mutate_rows(struct span good, const struct mutation *row, size_t n,
                               mutate_read read)
{
    struct buf text;

    buf_init(&text, 1 << 20);
    for (size_t i = 0; i < n; i++) {
        mutate_text(&text, good, &row[i]);
        CHECK_EQ(read(buf_span(&text)), row[i].want, row[i].name);
    }
    buf_release(&text);
}

/* What happens to one line @at..@end (with its LF) of the text. */
enum line_change {
    LINE_DROP,
    LINE_TWICE,
    LINE_AFTER_NEXT,
    LINE_MISSPELT,
    LINE_FIELD_MORE,
    LINE_FIELD_LESS,
    LINE_TWO_BLANKS,
    LINE_BLANK_LAST,
    LINE_TAB,
    LINE_CR,
    LINE_NUL,
    LINE_HIGH,
    LINE_EMPTY,
    LINE_LONG,
    LINE_CHANGES
};

static inline void mutate_line(struct buf *out, struct span line, struct span next,
                               enum line_change change)
{
    const uint8_t *blank = memchr(line.p, ' ', line.n);
    const uint8_t *last = memrchr(line.p, ' ', line.n);

    switch (change) {
    case LINE_DROP:
        break;
    case LINE_TWICE:
        buf_put_span(out, line);
        buf_put_span(out, line);
        break;
    case LINE_AFTER_NEXT:
        buf_put_span(out, next);
        buf_put_span(out, line);
        return;
    case LINE_MISSPELT:
        buf_put_u8(out, line.p[0] ^ 0x20);
        buf_put(out, line.p + 1, line.n - 1);
        break;
    case LINE_FIELD_MORE:
        buf_put(out, line.p, line.n - 1);
        buf_put_str(out, " more\n");
        break;
    case LINE_FIELD_LESS:
        buf_put(out, line.p, (size_t)(last - line.p));
        buf_put_u8(out, '\n');
        break;
    case LINE_TWO_BLANKS:
        buf_put(out, line.p, (size_t)(blank - line.p));
        buf_put_u8(out, ' ');
        buf_put(out, blank, (size_t)(line.p + line.n - blank));
        break;
    case LINE_BLANK_LAST:
        buf_put(out, line.p, line.n - 1);
        buf_put_str(out, " \n");
        break;
    case LINE_TAB:
    case LINE_CR:
    case LINE_NUL:
    case LINE_HIGH:
        buf_put(out, line.p, line.n - 1);
        buf_put_u8(out, change == LINE_TAB   ? '\t'
                        : change == LINE_CR  ? '\r'
                        : change == LINE_NUL ? 0
                                             : 0xe9);
        buf_put_u8(out, '\n');
        break;
    case LINE_EMPTY:
        buf_put_u8(out, '\n');
        buf_put_span(out, line);
        break;
    case LINE_LONG:
        buf_put(out, line.p, line.n - 1);
        for (size_t i = 0; i < 1100; i++)
            buf_put_u8(out, 'x');
        buf_put_u8(out, '\n');
        break;
    case LINE_CHANGES:
        break;
    }
    buf_put_span(out, next);
}

/* Every line in every way; returns how many texts were still taken (as documents of their own). */
static inline size_t mutate_lines(struct span good, mutate_read read)
{
    size_t taken = 0;
    struct buf text;

    buf_init(&text, 1 << 20);
    for (unsigned change = 0; change < LINE_CHANGES; change++) {
        struct span rest = good, line;
        const uint8_t *at = good.p;

        while (text_line(&rest, &line)) {
            const uint8_t *lf = rest.n ? memchr(rest.p, '\n', rest.n) : NULL;
            struct span next = SPAN(rest.p, lf ? (size_t)(lf - rest.p) + 1 : 0);
            int rc;

            if (change == LINE_AFTER_NEXT && !next.n)
                continue; /* the last line has none */
            buf_clear(&text);
            buf_put(&text, good.p, (size_t)(at - good.p));
            mutate_line(&text, SPAN(line.p, line.n + 1), next, (enum line_change)change);
            buf_put(&text, rest.p + next.n, rest.n - next.n);
            rc = read(buf_span(&text));
            taken += rc == 0;
            if (change == LINE_MISSPELT || change >= LINE_TWO_BLANKS) {
                char name[64];

                snprintf(name, sizeof(name), "change %u at byte %zu", change,
                         (size_t)(at - good.p));
                CHECK_EQ(rc != 0, 1, name);
            }
            at = rest.p;
        }
    }
    buf_release(&text);
    return taken;
}

/* Every byte of @note with one bit flipped (another one at each), and every truncation, must be
 * refused by @judge. */
static inline void mutate_bytes(struct span note, mutate_read judge)
{
    uint8_t *copy = malloc(note.n);
    char name[64];

    assert_non_null(copy);
    for (size_t i = 0; i < note.n; i++) {
        memcpy(copy, note.p, note.n);
        copy[i] ^= (uint8_t)(1u << i % 8);
        snprintf(name, sizeof(name), "bit %zu of byte %zu", i % 8, i);
        CHECK_EQ(judge(SPAN(copy, note.n)) != 0, 1, name);
    }
    free(copy);
    for (size_t n = 0; n < note.n; n += n < 64 || n + 64 > note.n ? 1 : 13) {
        copy = malloc(n ? n : 1); /* of exactly that size, for the sanitizer */
        assert_non_null(copy);
        memcpy(copy, note.p, n);
        snprintf(name, sizeof(name), "cut to %zu", n);
        CHECK_EQ(judge(SPAN(copy, n)) != 0, 1, name);
        free(copy);
    }
}

#endif
