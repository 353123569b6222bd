/*
 * What makes a phrasebook worth signing: the same meaning in every column, nothing that presumes
 * law or blame, nothing that a misheard letter turns into something else.
 */
#include <string.h>
#include <strings.h>

#include "client/phrasebook.h"
#include "common/conf.h"
#include "common/text.h"

#define TEXT_MAX 400

struct lint {
    const struct phrasebook *pb;
    struct buf *out;
    unsigned errors;
};

/* Words that presume what only a court or a government may find; and what a drill must never say.
 */
static const struct {
    const char *tag, *word, *why;
} refused[] = {
    { "en", "attack", "presumes law or blame" },
    { "en", "aggress", "presumes law or blame" },
    { "en", "weapon", "presumes law or blame" },
    { "en", "perpetrat", "presumes law or blame" },
    { "en", "state-sponsored", "presumes law or blame" },
    { "en", "hostile", "presumes law or blame" },
    { "en", "enemy", "presumes law or blame" },
    { "en", "culprit", "presumes law or blame" },
    { "en", "not a drill", "could be said in a drill" },
    { "en", "not an exercise", "could be said in a drill" },
    { "en", "real world", "could be said in a drill" },
    { "ar", "هجوم", "presumes law or blame" },
    { "ar", "عدوان", "presumes law or blame" },
    { "ar", "سلاح", "presumes law or blame" },
    { "ar", "مرتكب", "presumes law or blame" },
    { "ar", "معاد", "presumes law or blame" },
    { "ar", "ليس تمرين", "could be said in a drill" },
};

static void error(struct lint *l, unsigned line, const char *what, const char *lang,
                  const char *sentence)
{
    conf_fail(l->out, phrasebook_name(l->pb), line, "%s%s%s%s: %s", what, *lang ? " (" : "", lang,
              *lang ? ")" : "", sentence);
    l->errors++;
}

static const char *tag_of(const struct lint *l, size_t lang)
{
    return phrasebook_language(l->pb, lang)->tag;
}

static void check_text(struct lint *l, unsigned line, const char *what, size_t lang,
                       const char *text)
{
    const char *tag = tag_of(l, lang);

    if (!text || !*text) {
        error(l, line, what, tag, "not translated");
        return;
    }
    if (strlen(text) > TEXT_MAX || text_utf8(span_str(text), false))
        error(l, line, what, tag, "not one line of at most 400 bytes");
    for (size_t i = 0; i < COUNT(refused); i++)
        if (strcmp(tag, refused[i].tag) == 0 && strcasestr(text, refused[i].word)) {
            char sentence[96];

            snprintf(sentence, sizeof(sentence), "'%s' %s", refused[i].word, refused[i].why);
            error(l, line, what, tag, sentence);
        }
}

/* Every declared parameter stands in the text, and nothing else in braces does. */
static void check_braces(struct lint *l, const struct phrase *p, size_t lang)
{
    const char *at = p->text[lang], *tag = tag_of(l, lang);
    unsigned seen = 0;

    while ((at = strpbrk(at, "{}"))) {
        const char *end = strpbrk(at + 1, "{}");
        const struct phrase_param *q;

        if (*at == '}' || !end || *end == '{') {
            error(l, p->line, p->code, tag, "a brace without its partner");
            return;
        }
        q = phrase_param(p, SPAN(at + 1, (size_t)(end - at - 1)));
        if (!q || q->type == PHRASE_ITEM)
            error(l, p->line, p->code, tag, "names a parameter that it does not have");
        else
            seen |= 1u << (q - p->param);
        at = end + 1;
    }
    for (size_t i = 0; i < p->n; i++)
        if (p->param[i].type != PHRASE_ITEM && !(seen & 1u << i))
            error(l, p->line, p->code, tag, "a parameter is missing in the text");
}

static void check_vocabulary(struct lint *l, const struct phrase *p, const char *vocabulary,
                             enum phrase_type type)
{
    size_t i = 0, n = 0;

    while (phrasebook_next_word(l->pb, vocabulary, &i))
        n++;
    if (n == 0)
        error(l, p->line, p->code, "", "uses a vocabulary that is not there");
    else if (type == PHRASE_BOOL &&
             (n != 2 || !phrasebook_word(l->pb, vocabulary, span_str("yes"), 0) ||
              !phrasebook_word(l->pb, vocabulary, span_str("no"), 0)))
        error(l, p->line, p->code, "", "a bool needs a vocabulary of yes and no");
}

/* "ABC-01": three letters, so that they can be spelled, and two digits. */
static bool code_shape(const char *code)
{
    for (size_t i = 0; i < 6; i++) {
        char c = code[i];
        bool ok = i < 3 ? c >= 'A' && c <= 'Z' : i == 3 ? c == '-' : c >= '0' && c <= '9';

        if (!ok)
            return false;
    }
    return code[6] == 0;
}

static void check_phrase(struct lint *l, const struct phrase *p)
{
    if (!code_shape(p->code))
        error(l, p->line, p->code, "", "a code is three capital letters, '-' and two digits");
    if (!phrasebook_word(l->pb, "label", span_str(p->label), 0))
        error(l, p->line, p->code, "", "its label is not in the vocabulary 'label'");
    for (size_t i = 0; i < p->n; i++)
        if (p->param[i].vocabulary[0])
            check_vocabulary(l, p, p->param[i].vocabulary, p->param[i].type);
    for (size_t lang = 0; lang < phrasebook_languages(l->pb); lang++) {
        check_text(l, p->line, p->code, lang, p->text[lang]);
        if (p->text[lang])
            check_braces(l, p, lang);
    }
}

/* One misheard or swapped character must not give another valid code; across families it is an
 * error. */
static void check_distance(struct lint *l, const struct phrase *a, const struct phrase *b)
{
    if (text_distance(span_str(a->code), span_str(b->code), 2) >= 2)
        return;
    if (strncmp(a->code, b->code, 4) != 0)
        error(l, b->line, b->code, "", "one character from a code of another family");
    else
        buf_printf(l->out,
                   "%s:%u: note: %s and %s differ in one digit: by voice, read the check group\n",
                   phrasebook_name(l->pb), b->line, a->code, b->code);
}

static void check_words(struct lint *l, const char *vocabulary)
{
    const struct phrasebook *pb = l->pb;
    const char *id, *other;

    for (size_t i = 0; (id = phrasebook_next_word(pb, vocabulary, &i));) {
        char what[80];

        snprintf(what, sizeof(what), "%s.%s", vocabulary, id);
        if (strlen(id) > 31)
            error(l, 1, what, "", "an id of at most 31 characters");
        for (size_t lang = 0; lang < phrasebook_languages(pb); lang++) {
            const char *text = phrasebook_word(pb, vocabulary, span_str(id), lang);

            check_text(l, 1, what, lang, text);
            for (size_t k = i; text && (other = phrasebook_next_word(pb, vocabulary, &k));) {
                const char *same = phrasebook_word(pb, vocabulary, span_str(other), lang);

                if (same && strcasecmp(text, same) == 0)
                    error(l, 1, what, tag_of(l, lang), "two words of a vocabulary have one text");
            }
        }
    }
}

static bool has_family(const struct phrasebook *pb, const char *family)
{
    for (size_t i = 0; i < phrasebook_phrases(pb); i++)
        if (phrase_in_family(phrasebook_at(pb, i)->code, family))
            return true;
    return false;
}

static void check_form(struct lint *l, const struct phrase_form *f)
{
    if (!phrasebook_word(l->pb, "kind", span_str(f->kind), 0))
        error(l, 1, f->id, "", "its kind is not in the vocabulary 'kind'");
    for (size_t lang = 0; lang < phrasebook_languages(l->pb); lang++)
        check_text(l, 1, f->id, lang, f->title[lang]);
    for (size_t i = 0; i < f->n; i++)
        if (!has_family(l->pb, f->family[i]))
            error(l, 1, f->id, "", "a field has a family without phrases");
}

unsigned phrasebook_lint(const struct phrasebook *pb, struct buf *out)
{
    struct lint l = { pb, out, 0 };
    struct phrase_form form;
    const char *vocabulary;

    for (size_t i = 0; i < phrasebook_phrases(pb); i++) {
        check_phrase(&l, phrasebook_at(pb, i));
        for (size_t k = 0; k < i; k++)
            check_distance(&l, phrasebook_at(pb, k), phrasebook_at(pb, i));
    }
    for (size_t i = 0; (vocabulary = phrasebook_next_vocabulary(pb, &i));)
        check_words(&l, vocabulary);
    for (size_t i = 0; phrasebook_form_at(pb, i, &form); i++)
        check_form(&l, &form);
    return l.errors;
}
