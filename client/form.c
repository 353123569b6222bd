#include "client/form.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/form_reading.h"
#include "common/conf.h"
#include "common/error.h"
#include "common/file.h"
#include "common/name.h"
#include "common/text.h"

#define LISTS_MAX 65536

#define AT(field) offsetof(struct form, field)

static const struct setting table[] = {
    { "form", SETTING_STRING, AT(id), true, 1, 31, 0, NULL, "as \"ICT-1\"" },
    { "stage", SETTING_STRING, AT(stage), false, 1, 31, 0, NULL, NULL },
    { "channel", SETTING_STRING, AT(channel), false, 1, 63, 0, NULL, NULL },
    { "precedence", SETTING_STRING, AT(precedence_word), false, 1, 31, 0, NULL, NULL },
    { "category", SETTING_STRING, AT(category), false, 1, 63, 0, NULL, NULL },
    { "marking", SETTING_STRING, AT(marking), false, 1, 63, 0, NULL, NULL },
    { "action", SETTING_STRINGS, AT(action), false, 3, 63, 0, NULL, NULL },
    { "info", SETTING_STRINGS, AT(info), false, 3, 63, 0, NULL, NULL },
    { "ack_within_min", SETTING_INT, AT(ack_within_min), false, 0, 43200, 0, NULL, NULL },
    { "lifetime_min", SETTING_INT, AT(lifetime_min), false, 0, 43200, 0, NULL, NULL },
    { "language", SETTING_STRING, AT(language), false, 2, 35, 0, "en", NULL },
    { "subject", SETTING_STRING, AT(subject), false, 1, 200, 0, NULL, NULL },
    { "text", SETTING_STRING, AT(text), false, 1, 4000, 0, NULL, NULL },
    { "kind", SETTING_STRING, AT(kind_word), false, 1, 31, 0, NULL, NULL },
    { "fields", SETTING_OTHER, 0, true, 0, 0, 0, NULL, "at least one field" },
};

static unsigned line_of(const struct form_reading *r, const char *name)
{
    const config_setting_t *s = config_lookup(r->conf, name);

    return s ? config_setting_source_line(s) : 1;
}

static int find_phrase(const struct form_reading *r, const config_setting_t *at, const char *code,
                       const struct phrase **out)
{
    struct conf_near near = CONF_NEAR(code);

    *out = phrasebook_phrase(r->pb, span_str(code));
    if (*out)
        return 0;
    for (size_t i = 0; i < phrasebook_phrases(r->pb); i++)
        conf_near(&near, phrasebook_at(r->pb, i)->code);
    return conf_unknown(r->why, r->file, config_setting_source_line(at), "phrase", &near);
}

/* Anything in the group that is neither ours nor the phrase's. */
static int check_names(const struct form_reading *r, const config_setting_t *at,
                       const struct phrase *p)
{
    static const char *const own[] = { "n", "code", "state" };

    for (int i = 0; i < config_setting_length(at); i++) {
        const config_setting_t *s = config_setting_get_elem(at, (unsigned)i);
        const char *name = config_setting_name(s);
        struct conf_near near = CONF_NEAR(name);
        bool known = phrase_param(p, span_str(name)) != NULL;

        for (size_t k = 0; k < COUNT(own); k++)
            known = known || strcmp(own[k], name) == 0;
        if (known)
            continue;
        for (size_t k = 0; k < p->n; k++)
            conf_near(&near, p->param[k].name);
        return conf_unknown(r->why, r->file, config_setting_source_line(s), "parameter", &near);
    }
    return 0;
}

static int take_params(struct form_reading *r, const config_setting_t *at, const struct phrase *p,
                       struct form_field *f)
{
    for (size_t i = 0; i < p->n; i++) {
        const config_setting_t *s = config_setting_get_member(at, p->param[i].name);
        int rc;

        if ((f->state == FIELD_VALUE) != (s != NULL))
            return conf_fail(r->why, r->file, config_setting_source_line(at),
                             f->state == FIELD_VALUE ? "%s: '%s' is missing"
                                                     : "%s is not stated, so '%s' must be left out",
                             p->code, p->param[i].name);
        if (!s)
            continue;
        rc = form_param(r, s, &p->param[i], &f->param[f->n++]);
        if (rc)
            return rc;
    }
    return 0;
}

static int take_state(const struct form_reading *r, const config_setting_t *at, unsigned *state)
{
    const config_setting_t *s = config_setting_get_member(at, "state");
    const char *word = s ? config_setting_get_string(s) : "value";

    if (word && strcmp(word, "value") == 0)
        *state = FIELD_VALUE;
    else if (word && strcmp(word, "unknown") == 0)
        *state = FIELD_UNKNOWN;
    else if (word && strcmp(word, "withheld") == 0)
        *state = FIELD_WITHHELD;
    else
        return form_wrong(r, s, "\"unknown\" or \"withheld\"");
    return 0;
}

/* Field @f of the form has a number of its own and a phrase of the family that the form has there.
 */
static int check_place(const struct form_reading *r, const config_setting_t *at,
                       const struct form *form, unsigned n, const char *code)
{
    unsigned line = config_setting_source_line(at);

    if (n < 1 || n > r->shape.n)
        return conf_fail(r->why, r->file, line, "form %s has fields 1 to %zu, not %u", r->shape.id,
                         r->shape.n, n);
    if (form->n && n <= form->field[form->n - 1].number)
        return conf_fail(r->why, r->file, line, "field %u stands out of order or twice", n);
    if (!phrase_in_family(code, r->shape.family[n - 1]))
        return conf_fail(r->why, r->file, line, "field %u of form %s takes phrases %s-.., not %s",
                         n, r->shape.id, r->shape.family[n - 1], code);
    return 0;
}

static int add_field(struct form *form, const struct form_field *f)
{
    size_t begin = form->store.n;
    int rc = form_field_put(&form->store, f);

    if (rc)
        return rc;
    form->field[form->n].number = f->number;
    form->field[form->n].bytes = SPAN(NULL, form->store.n - begin);
    form->n++;
    return 0;
}

static int take_field(struct form_reading *r, const config_setting_t *at, struct form *form)
{
    struct form_field f = { 0 };
    const struct phrase *p;
    const char *code;
    long long n;
    int rc;

    if (!config_setting_is_group(at))
        return form_wrong(r, at, "{ n = ..; code = ..; ... }");
    if (!config_setting_lookup_int64(at, "n", &n) ||
        !config_setting_lookup_string(at, "code", &code))
        return conf_fail(r->why, r->file, config_setting_source_line(at),
                         "a field has a number n and a phrase code");
    f.number = n < 0 || n > CONTENT_NUMBER_MAX ? 0 : (unsigned)n;
    buf_clear(&r->lists);
    rc = find_phrase(r, at, code, &p);
    if (!rc)
        rc = check_place(r, at, form, f.number, code);
    if (!rc)
        rc = check_names(r, at, p);
    if (!rc)
        rc = take_state(r, at, &f.state);
    if (!rc)
        rc = take_params(r, at, p, &f);
    if (rc)
        return rc;
    f.code = span_str(p->code);
    rc = add_field(form, &f);
    return rc ? conf_fail(r->why, r->file, config_setting_source_line(at), "field %u: %s", f.number,
                          error_text(rc))
              : 0;
}

/* The stage is a field like others, so that it is signed and can be disclosed alone. */
static int add_stage(const struct form_reading *r, struct form *form)
{
    struct form_field f = { .number = FORM_STAGE, .code = span_str("STG-01"), .n = 1 };
    struct conf_near near = CONF_NEAR(form->stage);
    const char *id = phrasebook_find_word(r->pb, "stage", form->stage), *word;

    for (size_t i = 0; (word = phrasebook_next_word(r->pb, "stage", &i));)
        conf_near(&near, word);
    if (!id)
        return conf_unknown(r->why, r->file, line_of(r, "stage"), "stage", &near);
    f.param[0] =
        (struct param){ .name = span_str("stage"), .type = PARAM_CODE, .bytes = span_str(id) };
    return add_field(form, &f);
}

static int take_fields(struct form_reading *r, config_t *c, struct form *form)
{
    const config_setting_t *list = config_lookup(c, "fields");
    int rc = 0;

    if (!config_setting_is_list(list) || config_setting_length(list) < 1)
        return form_wrong(r, list, "a list ( {...}, {...} ) of fields");
    for (int i = 0; i < config_setting_length(list) && !rc; i++)
        rc = take_field(r, config_setting_get_elem(list, (unsigned)i), form);
    if (!rc && form->stage)
        rc = add_stage(r, form);
    return rc;
}

/* The store may have moved while it grew. */
static void point_fields(struct form *form)
{
    const uint8_t *at = form->store.p;

    for (size_t i = 0; i < form->n; i++) {
        form->field[i].bytes.p = at;
        at += form->field[i].bytes.n;
    }
}

static int check_pocs(const struct form_reading *r, const char *name,
                      const struct settings_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        if (!name_poc(span_str(list->v[i])))
            return conf_fail(r->why, r->file, line_of(r, name),
                             "'%s' is not the name of a point of contact", list->v[i]);
    return 0;
}

static int take_head(struct form_reading *r, struct form *form)
{
    struct conf_near near = CONF_NEAR(form->id);
    const char *kind;
    int rc;

    if (!phrasebook_form(r->pb, span_str(form->id), &r->shape)) {
        for (size_t i = 0; phrasebook_form_at(r->pb, i, &r->shape); i++)
            conf_near(&near, r->shape.id);
        return conf_unknown(r->why, r->file, line_of(r, "form"), "form", &near);
    }
    kind = form->kind_word ? form->kind_word : r->shape.kind;
    if (kind_parse(&form->kind, span_str(kind)))
        return conf_fail(r->why, r->file, line_of(r, "kind"), "unknown kind '%s'", kind);
    if (form->precedence_word &&
        precedence_parse(&form->precedence, span_str(form->precedence_word)))
        return conf_fail(r->why, r->file, line_of(r, "precedence"), "unknown precedence '%s'",
                         form->precedence_word);
    if (form->channel && !name_channel(span_str(form->channel)))
        return conf_fail(r->why, r->file, line_of(r, "channel"),
                         "'%s' is not the name of a channel", form->channel);
    if (phrasebook_find_language(r->pb, span_str(form->language)) < 0)
        return conf_fail(r->why, r->file, line_of(r, "language"),
                         "the phrasebook has no language '%s'", form->language);
    form->ack_within_s = (uint64_t)form->ack_within_min * 60;
    form->lifetime_s = (uint64_t)form->lifetime_min * 60;
    form->phrasebook = phrasebook_digest(r->pb);
    if (!form->subject && asprintf(&form->subject, "%s%s%s", form->id, form->stage ? " " : "",
                                   form->stage ? form->stage : "") < 0) {
        form->subject = NULL;
        return -HL_ENOMEM;
    }
    rc = check_pocs(r, "action", &form->action);
    return rc ? rc : check_pocs(r, "info", &form->info);
}

int form_parse(struct form **out, const char *name, struct span bytes, const struct phrasebook *pb,
               uint64_t release_ms, struct buf *why)
{
    config_t c;
    struct form_reading r = { name, &c, pb, release_ms, .why = why };
    struct form *form = calloc(1, sizeof(*form));
    int rc = -HL_ENOMEM;

    *out = NULL;
    if (!form)
        return rc;
    config_init(&c);
    buf_init(&form->store, CONTENT_MAX);
    buf_init(&r.lists, LISTS_MAX);
    if (buf_reserve(&r.lists, LISTS_MAX))
        rc = conf_parse(&c, name, bytes, why);
    if (!rc)
        rc = settings_from(&c, name, table, COUNT(table), form, why);
    if (!rc)
        rc = take_head(&r, form);
    if (!rc)
        rc = take_fields(&r, &c, form);
    point_fields(form);
    buf_release(&r.lists);
    config_destroy(&c);
    if (rc)
        form_free(form);
    else
        *out = form;
    return rc;
}

int form_read(struct form **out, const char *path, const struct phrasebook *pb, uint64_t release_ms,
              struct buf *why)
{
    struct buf bytes;
    int rc;

    *out = NULL;
    buf_init(&bytes, CONF_SIZE_MAX);
    rc = file_read(path, &bytes);
    if (rc)
        buf_printf(why, "%s: error: %s\n", path, error_text(rc));
    else
        rc = form_parse(out, path, buf_span(&bytes), pb, release_ms, why);
    buf_release(&bytes);
    return rc;
}

void form_free(struct form *f)
{
    if (!f)
        return;
    settings_free(table, COUNT(table), f);
    buf_release(&f->store);
    free(f);
}
