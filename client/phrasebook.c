#include "client/phrasebook.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/conf.h"
#include "common/error.h"
#include "common/file.h"
#include "common/settings.h"
#include "common/text.h"

struct head {
    char *schema, *id, *version;
};

struct phrasebook {
    config_t conf; /* owns all strings but those of head */
    struct head head;
    char *name, version[80];
    uint8_t digest[32];
    const config_setting_t *words, *forms;
    size_t n_languages, n_phrases;
    struct phrasebook_language language[PHRASEBOOK_LANGUAGES];
    struct phrase *phrase;
};

#define AT(field) offsetof(struct head, field)

static const struct setting head_table[] = {
    { "schema", SETTING_STRING, AT(schema), true, 1, 31, 0, NULL, "hotline.phrasebook/1" },
    { "id", SETTING_STRING, AT(id), true, 1, 31, 0, NULL, NULL },
    { "version", SETTING_STRING, AT(version), true, 1, 31, 0, NULL, NULL },
    { "languages", SETTING_OTHER, 0, true, 0, 0, 0, NULL, NULL },
    { "words", SETTING_OTHER, 0, true, 0, 0, 0, NULL, NULL },
    { "forms", SETTING_OTHER, 0, true, 0, 0, 0, NULL, NULL },
    { "phrases", SETTING_OTHER, 0, true, 0, 0, 0, NULL, NULL },
};

static const struct {
    const char *name;
    enum phrase_type type;
    const char *vocabulary; /* default; NULL: takes none; "": must be named */
} types[] = {
    { "name", PHRASE_NAME, NULL },       { "count", PHRASE_COUNT, NULL },
    { "bool", PHRASE_BOOL, "yesno" },    { "time", PHRASE_TIME, NULL },
    { "daytime", PHRASE_DAYTIME, NULL }, { "minutes", PHRASE_MINUTES, NULL },
    { "word", PHRASE_WORD, "" },         { "words", PHRASE_WORDS, "" },
    { "party", PHRASE_PARTY, "party" },  { "item", PHRASE_ITEM, NULL },
};

/* The member called @name, compared whole: libconfig's own search stops at '.', ':' and '/'. */
static config_setting_t *member(const config_setting_t *group, struct span name)
{
    if (!group || !config_setting_is_group(group))
        return NULL;
    for (int i = 0; i < config_setting_length(group); i++) {
        config_setting_t *s = config_setting_get_elem(group, (unsigned)i);

        if (span_eq_str(name, config_setting_name(s)))
            return s;
    }
    return NULL;
}

static const char *string_of(const config_setting_t *group, const char *name)
{
    const config_setting_t *s = member(group, span_str(name));

    return s ? config_setting_get_string(s) : NULL;
}

static int fail(const struct phrasebook *pb, const config_setting_t *at, struct buf *why,
                const char *sentence)
{
    const char *name = config_setting_name(at);

    return conf_fail(why, pb->name, config_setting_source_line(at), "'%s': %s",
                     name ? name : "entry", sentence);
}

static int load_languages(struct phrasebook *pb, struct buf *why)
{
    const config_setting_t *list = config_lookup(&pb->conf, "languages");
    int n = config_setting_length(list);

    if (!config_setting_is_list(list) || n < 1 || n > PHRASEBOOK_LANGUAGES)
        return fail(pb, list, why, "must be a list of 1 to 8 languages");
    for (int i = 0; i < n; i++) {
        const config_setting_t *at = config_setting_get_elem(list, (unsigned)i);
        struct phrasebook_language *l = &pb->language[i];
        const char *direction = string_of(at, "direction");
        int agreed = 0;

        l->tag = string_of(at, "tag");
        l->name = string_of(at, "name");
        l->thousands = string_of(at, "thousands");
        if (!l->tag || !l->name || !l->thousands || !direction ||
            !config_setting_lookup_bool(at, "agreed", &agreed))
            return fail(pb, at, why, "a language has tag, name, direction, thousands and agreed");
        if (strcmp(direction, "ltr") != 0 && strcmp(direction, "rtl") != 0)
            return fail(pb, at, why, "direction must be \"ltr\" or \"rtl\"");
        l->rtl = direction[0] == 'r';
        l->agreed = agreed != 0;
    }
    pb->n_languages = (size_t)n;
    return 0;
}

static int load_param(const struct phrasebook *pb, const config_setting_t *at, struct phrase *p,
                      struct buf *why)
{
    const char *text = config_setting_get_string(at);
    struct span rest = span_str(text), name, type, vocabulary = SPAN_NONE;
    struct phrase_param *q = &p->param[p->n];
    size_t t = 0;

    if (!text || !text_field(&rest, &name) || !text_field(&rest, &type))
        return fail(pb, at, why, "a parameter is \"name type\" or \"name word vocabulary\"");
    text_field(&rest, &vocabulary);
    while (t < COUNT(types) && !span_eq_str(type, types[t].name))
        t++;
    if (t == COUNT(types) || rest.n)
        return fail(pb, at, why, "unknown type of a parameter");
    if (!vocabulary.n && types[t].vocabulary)
        vocabulary = span_str(types[t].vocabulary);
    if ((vocabulary.n != 0) != (types[t].vocabulary != NULL))
        return fail(pb, at, why, "this type takes a vocabulary, or takes none");
    if (name.n >= sizeof(q->name) || vocabulary.n >= sizeof(q->vocabulary))
        return fail(pb, at, why, "a name of at most 31 characters");
    if (phrase_param(p, name))
        return fail(pb, at, why, "a parameter stands twice");
    memcpy(q->name, name.p, name.n);
    if (vocabulary.n)
        memcpy(q->vocabulary, vocabulary.p, vocabulary.n);
    q->type = types[t].type;
    p->n++;
    return 0;
}

static int load_phrase(const struct phrasebook *pb, const config_setting_t *at, struct phrase *p,
                       struct buf *why)
{
    const config_setting_t *params = member(at, span_str("params"));
    int n = params ? config_setting_length(params) : 0, rc = 0;

    p->code = config_setting_name(at);
    p->line = config_setting_source_line(at);
    p->label = string_of(at, "label");
    if (!p->label || !params || n > PHRASE_PARAMS)
        return fail(pb, at, why, "a phrase has label, params (at most 12) and a text per language");
    for (size_t l = 0; l < pb->n_languages; l++)
        p->text[l] = string_of(at, pb->language[l].tag);
    for (int i = 0; i < n && !rc; i++)
        rc = load_param(pb, config_setting_get_elem(params, (unsigned)i), p, why);
    return rc;
}

static int load_phrases(struct phrasebook *pb, struct buf *why)
{
    const config_setting_t *list = config_lookup(&pb->conf, "phrases");
    int n = config_setting_length(list), rc = 0;

    if (!config_setting_is_group(list) || n < 1)
        return fail(pb, list, why, "must be a group of phrases");
    pb->phrase = calloc((size_t)n, sizeof(*pb->phrase));
    if (!pb->phrase)
        return -HL_ENOMEM;
    for (int i = 0; i < n && !rc; i++)
        rc = load_phrase(pb, config_setting_get_elem(list, (unsigned)i), &pb->phrase[i], why);
    pb->n_phrases = (size_t)n;
    return rc;
}

/* Forms are read when asked for; here only their shape. */
static int check_forms(const struct phrasebook *pb, struct buf *why)
{
    for (int i = 0; i < config_setting_length(pb->forms); i++) {
        const config_setting_t *at = config_setting_get_elem(pb->forms, (unsigned)i);
        const config_setting_t *fields = member(at, span_str("fields"));
        int n = fields ? config_setting_length(fields) : 0;

        if (!string_of(at, "kind") || n < 1 || n > (int)COUNT(((struct phrase_form *)0)->family))
            return fail(pb, at, why, "a form has kind and 1 to 32 fields");
        for (int k = 0; k < n; k++)
            if (!config_setting_get_string_elem(fields, k))
                return fail(pb, at, why, "fields name families of phrases");
    }
    return 0;
}

static int load(struct phrasebook *pb, struct span bytes, struct buf *why)
{
    int rc = conf_parse(&pb->conf, pb->name, bytes, why);

    if (!rc)
        rc = settings_from(&pb->conf, pb->name, head_table, COUNT(head_table), &pb->head, why);
    if (rc)
        return rc;
    if (strcmp(pb->head.schema, "hotline.phrasebook/1") != 0)
        return conf_fail(why, pb->name, 1, "not a phrasebook of schema hotline.phrasebook/1");
    crypto_hash_sha256(pb->digest, bytes.p, bytes.n);
    snprintf(pb->version, sizeof(pb->version), "%s %s", pb->head.id, pb->head.version);
    pb->words = config_lookup(&pb->conf, "words");
    pb->forms = config_lookup(&pb->conf, "forms");
    if (!config_setting_is_group(pb->words) || !config_setting_is_group(pb->forms))
        return conf_fail(why, pb->name, 1, "words and forms must be groups");
    rc = load_languages(pb, why);
    if (!rc)
        rc = load_phrases(pb, why);
    return rc ? rc : check_forms(pb, why);
}

int phrasebook_new(struct phrasebook **out, const char *name, struct span bytes, struct buf *why)
{
    struct phrasebook *pb = calloc(1, sizeof(*pb));
    int rc = -HL_ENOMEM;

    *out = NULL;
    if (!pb)
        return rc;
    config_init(&pb->conf);
    pb->name = strdup(name);
    if (pb->name)
        rc = load(pb, bytes, why);
    if (rc)
        phrasebook_free(pb);
    else
        *out = pb;
    return rc;
}

int phrasebook_open(struct phrasebook **out, const char *path, struct buf *why)
{
    struct buf bytes;
    int rc;

    *out = NULL;
    buf_init(&bytes, CONF_SIZE_MAX);
    rc = file_read(path, &bytes);
    if (rc)
        buf_printf(why, "%s: error: %s\n", path, error_text(rc));
    else
        rc = phrasebook_new(out, path, buf_span(&bytes), why);
    buf_release(&bytes);
    return rc;
}

void phrasebook_free(struct phrasebook *pb)
{
    if (!pb)
        return;
    settings_free(head_table, COUNT(head_table), &pb->head);
    config_destroy(&pb->conf);
    free(pb->phrase);
    free(pb->name);
    free(pb);
}

const uint8_t *phrasebook_digest(const struct phrasebook *pb)
{
    return pb->digest;
}

const char *phrasebook_name(const struct phrasebook *pb)
{
    return pb->name;
}

const char *phrasebook_version(const struct phrasebook *pb)
{
    return pb->version;
}

size_t phrasebook_languages(const struct phrasebook *pb)
{
    return pb->n_languages;
}

const struct phrasebook_language *phrasebook_language(const struct phrasebook *pb, size_t i)
{
    return &pb->language[i];
}

int phrasebook_find_language(const struct phrasebook *pb, struct span tag)
{
    for (;;) {
        const uint8_t *dash;

        for (size_t i = 0; i < pb->n_languages; i++)
            if (span_eq_str(tag, pb->language[i].tag))
                return (int)i;
        dash = tag.n ? memrchr(tag.p, '-', tag.n) : NULL;
        if (!dash)
            return -1;
        tag.n = (size_t)(dash - tag.p);
    }
}

size_t phrasebook_phrases(const struct phrasebook *pb)
{
    return pb->n_phrases;
}

const struct phrase *phrasebook_at(const struct phrasebook *pb, size_t i)
{
    return &pb->phrase[i];
}

const struct phrase *phrasebook_phrase(const struct phrasebook *pb, struct span code)
{
    for (size_t i = 0; i < pb->n_phrases; i++)
        if (span_eq_str(code, pb->phrase[i].code))
            return &pb->phrase[i];
    return NULL;
}

const struct phrase_param *phrase_param(const struct phrase *p, struct span name)
{
    for (size_t i = 0; i < p->n; i++)
        if (span_eq_str(name, p->param[i].name))
            return &p->param[i];
    return NULL;
}

const char *phrasebook_word(const struct phrasebook *pb, const char *vocabulary, struct span id,
                            size_t lang)
{
    const config_setting_t *word = member(member(pb->words, span_str(vocabulary)), id);

    return word ? string_of(word, pb->language[lang].tag) : NULL;
}

/* "None known" and "none, known" are the id none-known. */
static void slug(const char *typed, char out[static 64])
{
    size_t n = 0;

    for (; *typed && n + 1 < 64; typed++) {
        char c = *typed >= 'A' && *typed <= 'Z' ? (char)(*typed | 32) : *typed;
        bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

        if (letter)
            out[n++] = c;
        else if (n && out[n - 1] != '-')
            out[n++] = '-';
    }
    while (n && out[n - 1] == '-')
        n--;
    out[n] = 0;
}

const char *phrasebook_find_word(const struct phrasebook *pb, const char *vocabulary,
                                 const char *typed)
{
    const config_setting_t *all = member(pb->words, span_str(vocabulary));
    const config_setting_t *word;
    char id[64];

    slug(typed, id);
    word = member(all, span_str(id));
    if (word)
        return config_setting_name(word);
    for (size_t i = 0; all && i < (size_t)config_setting_length(all); i++) {
        word = config_setting_get_elem(all, (unsigned)i);
        for (size_t l = 0; l < pb->n_languages; l++) {
            const char *text = string_of(word, pb->language[l].tag);

            if (text && strcmp(text, typed) == 0)
                return config_setting_name(word);
        }
    }
    return NULL;
}

static const char *next_name(const config_setting_t *group, size_t *i)
{
    if (!group || *i >= (size_t)config_setting_length(group))
        return NULL;
    return config_setting_name(config_setting_get_elem(group, (unsigned)(*i)++));
}

const char *phrasebook_next_word(const struct phrasebook *pb, const char *vocabulary, size_t *i)
{
    return next_name(member(pb->words, span_str(vocabulary)), i);
}

const char *phrasebook_next_vocabulary(const struct phrasebook *pb, size_t *i)
{
    return next_name(pb->words, i);
}

bool phrasebook_form_at(const struct phrasebook *pb, size_t i, struct phrase_form *form)
{
    const config_setting_t *at, *fields;

    *form = (struct phrase_form){ 0 };
    if (i >= (size_t)config_setting_length(pb->forms))
        return false;
    at = config_setting_get_elem(pb->forms, (unsigned)i);
    fields = member(at, span_str("fields"));
    form->id = config_setting_name(at);
    form->kind = string_of(at, "kind");
    for (size_t l = 0; l < pb->n_languages; l++)
        form->title[l] = string_of(at, pb->language[l].tag);
    form->n = (size_t)config_setting_length(fields);
    for (size_t k = 0; k < form->n; k++)
        form->family[k] = config_setting_get_string_elem(fields, (int)k);
    return true;
}

bool phrasebook_form(const struct phrasebook *pb, struct span id, struct phrase_form *form)
{
    for (size_t i = 0; phrasebook_form_at(pb, i, form); i++)
        if (span_eq_str(id, form->id))
            return true;
    return false;
}

bool phrase_in_family(const char *code, const char *family)
{
    const char *dash = strrchr(code, '-');

    return dash && span_eq_str(SPAN(code, (size_t)(dash - code)), family);
}
