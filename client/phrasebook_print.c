/*
 * Paper: the book from which a message is read over a telephone, and the blank form to write one by
 * hand.
 */
#include <string.h>

#include "client/phrasebook.h"
#include "client/render_text.h"
#include "common/error.h"
#include "common/text.h"

#define CODE_COLUMNS 8

static const char *const alphabet[26] = {
    "Alfa",    "Bravo", "Charlie", "Delta",  "Echo",     "Foxtrot", "Golf",   "Hotel",  "India",
    "Juliett", "Kilo",  "Lima",    "Mike",   "November", "Oscar",   "Papa",   "Quebec", "Romeo",
    "Sierra",  "Tango", "Uniform", "Victor", "Whiskey",  "X-ray",   "Yankee", "Zulu",
};

static void spell(struct buf *out, const char *code)
{
    for (size_t i = 0; code[i]; i++) {
        if (code[i] == '-')
            continue;
        buf_put_str(out, i ? " " : "");
        if (code[i] >= 'A' && code[i] <= 'Z')
            buf_put_str(out, alphabet[code[i] - 'A']);
        else
            buf_put_u8(out, (uint8_t)code[i]);
    }
}

/* @text with something in the place of each parameter. */
static void put_template(struct buf *out, const char *text, bool rtl, bool blank)
{
    const char *open, *close;

    while ((open = strchr(text, '{')) && (close = strchr(open, '}'))) {
        buf_put(out, text, (size_t)(open - text));
        if (blank)
            buf_put_str(out, "________");
        else
            put_isolated(out, SPAN(open, (size_t)(close - open + 1)), rtl);
        text = close + 1;
    }
    buf_put_str(out, text);
}

static void put_entry(struct buf *out, const char *head, const char *text, bool rtl, bool blank)
{
    struct buf line, left;

    buf_init(&line, 65536);
    buf_init(&left, 4096);
    put_template(&line, text, rtl, blank);
    put_padded(&left, span_str(head), CODE_COLUMNS);
    put_wrapped(out, buf_span(&left), span_str("        "), buf_span(&line), rtl);
    buf_release(&line);
    buf_release(&left);
}

static void put_phrase(const struct phrasebook *pb, const struct phrase *p, size_t first,
                       size_t second, struct buf *out)
{
    buf_put_u8(out, '\n');
    put_padded(out, span_str(p->code), CODE_COLUMNS);
    spell(out, p->code);
    buf_put_u8(out, '\n');
    for (size_t lang = first;; lang = second) {
        if (p->text[lang])
            put_entry(out, "", p->text[lang], phrasebook_language(pb, lang)->rtl, false);
        if (lang == second)
            break;
    }
}

static void put_vocabulary(const struct phrasebook *pb, const char *vocabulary, size_t first,
                           size_t second, struct buf *out)
{
    const char *id;

    buf_printf(out, "\n%s\n", vocabulary);
    for (size_t i = 0; (id = phrasebook_next_word(pb, vocabulary, &i));) {
        const char *a = phrasebook_word(pb, vocabulary, span_str(id), first);
        const char *b = phrasebook_word(pb, vocabulary, span_str(id), second);

        buf_printf(out, "  %-26s %s", id, a ? a : "-");
        if (first != second) {
            buf_put_str(out, " = ");
            put_isolated(out, span_str(b ? b : "-"), phrasebook_language(pb, second)->rtl);
        }
        buf_put_u8(out, '\n');
    }
}

int phrasebook_print(const struct phrasebook *pb, size_t first, size_t second, struct buf *out)
{
    const char *vocabulary;
    char hex[65], groups[TEXT_GROUPS_SIZE];

    text_hex(hex, phrasebook_digest(pb), 32);
    text_groups(groups, phrasebook_digest(pb));
    buf_printf(out, "PHRASEBOOK %s   %s, %s\nSHA-256 %s\nby voice %s\n", phrasebook_version(pb),
               phrasebook_language(pb, first)->name, phrasebook_language(pb, second)->name, hex,
               groups);
    for (size_t i = 0; i < phrasebook_phrases(pb); i++)
        put_phrase(pb, phrasebook_at(pb, i), first, second, out);
    for (size_t i = 0; (vocabulary = phrasebook_next_vocabulary(pb, &i));)
        put_vocabulary(pb, vocabulary, first, second, out);
    return out->bad;
}

int phrasebook_print_form(const struct phrasebook *pb, const char *id, size_t lang, struct buf *out)
{
    bool rtl = phrasebook_language(pb, lang)->rtl;
    struct phrase_form form;

    if (!phrasebook_form(pb, span_str(id), &form))
        return -HL_ENOENT;
    buf_printf(out, "%s   %s   %s\n", id, form.title[lang] ? form.title[lang] : "",
               phrasebook_version(pb));
    for (size_t i = 0; i < form.n; i++) {
        buf_printf(out, "\n%2zu\n", i + 1);
        for (size_t k = 0; k < phrasebook_phrases(pb); k++) {
            const struct phrase *p = phrasebook_at(pb, k);

            if (phrase_in_family(p->code, form.family[i]))
                put_entry(out, p->code,
                          p->text[lang] ? p->text[lang]
                          : p->text[0]  ? p->text[0]
                                        : "",
                          rtl, true);
        }
    }
    return out->bad;
}
