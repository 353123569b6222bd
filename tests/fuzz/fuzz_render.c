/*
 * Whatever content decodes can be shown, in both directions and realms: no line wider than the
 * terminal, no control or direction character but ours, isolates closed on their line, one end.
 */
#include <stdlib.h>
#include <string.h>

#include "client/render.h"
#include "client/render_text.h"
#include "common/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static struct phrasebook *open_book(void)
{
    static struct phrasebook *book;
    struct buf why;

    if (book)
        return book;
    buf_init(&why, 4096);
    require(phrasebook_open(&book, "conf/phrasebook/core.cfg", &why) == 0);
    buf_release(&why);
    return book;
}

static void check_line(struct span line)
{
    int open = 0;

    require(text_columns(line) <= RENDER_COLUMNS);
    for (size_t n, at = 0; at < line.n; at += n) {
        uint32_t c;

        n = text_char(SPAN(line.p + at, line.n - at), &c);
        require(n > 0);
        open += c == 0x2068;
        open -= c == 0x2069;
        require(open >= 0);
        require(c == 0x2068 || c == 0x2069 || (c == 0x200f && at == 0) || text_plain(c));
    }
    require(open == 0);
}

static void show(const struct content *c, size_t lang, enum realm realm)
{
    static const struct render_to to = { { (const uint8_t *)"arcadia.technical", 17 },
                                         ROLE_ALTERNATE + 1 };
    struct phrasebook *pb = open_book();
    struct render_facts facts = { .realm = realm,
                                  .exercise = span_str("NORTHERN LAMP 26"),
                                  .precedence = 3,
                                  .kind = KIND_CORRECTION,
                                  .number = span_str("BOREALIA 7-6"),
                                  .channel = span_str("arcadia-borealia.crisis"),
                                  .sender = span_str("borealia.technical"),
                                  .n_to = 1,
                                  .to = &to,
                                  .sealed_ms = 1795312142000,
                                  .ack_due_ms = 1795312742000 };
    struct span rest, line;
    struct buf out;
    unsigned ends = 0;

    buf_init(&out, RENDER_MAX * 2);
    if (render_message(&out, pb, lang, &facts, c) == 0) {
        rest = buf_span(&out);
        while (text_line(&rest, &line)) {
            check_line(line);
            ends += line.n > 6 && memcmp(line.p, "END OF", 6) == 0;
        }
        require(rest.n == 0);
        require(ends == 1 || lang == 1);
    }
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct content c;

    if (content_decode(&c, SPAN(data, size)))
        return 0;
    show(&c, 0, REALM_EXERCISE);
    show(&c, 1, REALM_EXERCISE);
    show(&c, 1, REALM_LIVE);
    return 0;
}
