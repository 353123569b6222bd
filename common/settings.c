#include "common/settings.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf.h"
#include "common/error.h"
#include "common/text.h"

#define PATH_MAX_LEN 128

struct load {
    const char *file;
    const struct setting *table;
    size_t n;
    void *target;
    struct buf *why;
};

static void *slot(const struct setting *s, void *target)
{
    return (char *)target + s->offset;
}

static unsigned line_of(const config_setting_t *at)
{
    return config_setting_source_line(at);
}

/* The dotted path of @at; "" when it is longer than any that a table may have. */
static void path_of(const config_setting_t *at, char out[static PATH_MAX_LEN])
{
    char path[PATH_MAX_LEN] = "", longer[PATH_MAX_LEN];

    for (; at && !config_setting_is_root(at); at = config_setting_parent(at)) {
        int n = snprintf(longer, sizeof(longer), "%s%s%s", config_setting_name(at),
                         *path ? "." : "", path);

        if (n >= (int)sizeof(longer)) {
            *path = 0;
            break;
        }
        memcpy(path, longer, sizeof(path));
    }
    memcpy(out, path, sizeof(path));
}

static const struct setting *find(const struct load *l, const char *path)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->table[i].path, path) == 0)
            return &l->table[i];
    return NULL;
}

/* Does some setting of the table stand below @path? */
static bool is_group(const struct load *l, const char *path)
{
    size_t n = strlen(path);

    for (size_t i = 0; i < l->n; i++)
        if (strncmp(l->table[i].path, path, n) == 0 && l->table[i].path[n] == '.')
            return true;
    return false;
}

static int unknown(const struct load *l, const config_setting_t *at, const char *path)
{
    struct conf_near near = CONF_NEAR(path);

    for (size_t i = 0; i < l->n; i++)
        conf_near(&near, l->table[i].path);
    return conf_unknown(l->why, l->file, line_of(at), "setting", &near);
}

static const char *type_words(enum setting_type type)
{
    switch (type) {
    case SETTING_STRING:
        return "text in quotes";
    case SETTING_INT:
        return "a whole number";
    case SETTING_BOOL:
        return "true or false";
    case SETTING_STRINGS:
        return "a list of texts, as [ \"a\", \"b\" ]";
    case SETTING_OTHER:
        break;
    }
    return "";
}

static int wrong_type(const struct load *l, const struct setting *s, const config_setting_t *at)
{
    return conf_fail(l->why, l->file, line_of(at), "'%s' must be %s", s->path, type_words(s->type));
}

static int take_string(const struct load *l, const struct setting *s, const config_setting_t *at,
                       char **out)
{
    const char *v = config_setting_get_string(at);
    int64_t n;

    if (!v)
        return wrong_type(l, s, at);
    n = (int64_t)strlen(v);
    if (s->max > 0 && (n < s->min || n > s->max))
        return conf_fail(l->why, l->file, line_of(at),
                         "'%s' has %" PRId64 " bytes; allowed are %" PRId64 " to %" PRId64, s->path,
                         n, s->min, s->max);
    *out = strdup(v);
    return *out ? 0 : -HL_ENOMEM;
}

static int take_int(const struct load *l, const struct setting *s, const config_setting_t *at,
                    int64_t *out)
{
    if (config_setting_type(at) != CONFIG_TYPE_INT64)
        return wrong_type(l, s, at);
    *out = config_setting_get_int64(at);
    if (*out < s->min || *out > s->max)
        return conf_fail(l->why, l->file, line_of(at),
                         "'%s' is %" PRId64 "; allowed are %" PRId64 " to %" PRId64, s->path, *out,
                         s->min, s->max);
    return 0;
}

static int take_strings(const struct load *l, const struct setting *s, const config_setting_t *at,
                        struct settings_list *out)
{
    int n = config_setting_length(at);

    if (!config_setting_is_array(at) && !config_setting_is_list(at))
        return wrong_type(l, s, at);
    out->v = calloc((size_t)n + 1, sizeof(*out->v));
    if (!out->v)
        return -HL_ENOMEM;
    for (int i = 0; i < n; i++) {
        int rc = take_string(l, s, config_setting_get_elem(at, (unsigned)i), &out->v[i]);

        if (rc)
            return rc;
        out->n++;
    }
    return 0;
}

static int take(const struct load *l, const struct setting *s, const config_setting_t *at)
{
    switch (s->type) {
    case SETTING_STRING:
        return take_string(l, s, at, slot(s, l->target));
    case SETTING_INT:
        return take_int(l, s, at, slot(s, l->target));
    case SETTING_BOOL:
        if (config_setting_type(at) != CONFIG_TYPE_BOOL)
            return wrong_type(l, s, at);
        *(bool *)slot(s, l->target) = config_setting_get_bool(at) != 0;
        return 0;
    case SETTING_STRINGS:
        return take_strings(l, s, at, slot(s, l->target));
    case SETTING_OTHER:
        return 0;
    }
    return -HL_ECONFIG;
}

static int walk(const struct load *l, config_t *c)
{
    bool into = true;
    config_setting_t *at = config_root_setting(c);

    while ((at = conf_next(at, into))) {
        char path[PATH_MAX_LEN];
        const struct setting *s;
        int rc = 0;

        path_of(at, path);
        s = find(l, path);
        into = !s && is_group(l, path);
        if (s)
            rc = take(l, s, at);
        else if (!into)
            rc = unknown(l, at, path);
        else if (!config_setting_is_group(at))
            rc = conf_fail(l->why, l->file, line_of(at), "'%s' must be a group { ... }", path);
        if (rc)
            return rc;
    }
    return 0;
}

static int set_default(const struct setting *s, void *target)
{
    switch (s->type) {
    case SETTING_STRING:
        *(char **)slot(s, target) = s->dstr ? strdup(s->dstr) : NULL;
        return s->dstr && !*(char **)slot(s, target) ? -HL_ENOMEM : 0;
    case SETTING_INT:
        *(int64_t *)slot(s, target) = s->dflt;
        return 0;
    case SETTING_BOOL:
        *(bool *)slot(s, target) = s->dflt != 0;
        return 0;
    case SETTING_STRINGS:
    case SETTING_OTHER:
        return 0;
    }
    return -HL_ECONFIG;
}

static int fill_in(const struct load *l, config_t *c)
{
    int rc = 0;

    for (size_t i = 0; i < l->n && !rc; i++) {
        const struct setting *s = &l->table[i];

        if (config_lookup(c, s->path))
            continue;
        rc = s->required ? conf_fail(l->why, l->file, 1, "'%s' is missing%s%s", s->path,
                                     s->help ? ": " : "", s->help ? s->help : "")
                         : set_default(s, l->target);
    }
    return rc;
}

static void clear(const struct setting *s, void *target)
{
    struct settings_list *list = slot(s, target); /* if it is one */

    switch (s->type) {
    case SETTING_STRING:
        free(*(char **)slot(s, target));
        *(char **)slot(s, target) = NULL;
        return;
    case SETTING_INT:
        *(int64_t *)slot(s, target) = 0;
        return;
    case SETTING_BOOL:
        *(bool *)slot(s, target) = false;
        return;
    case SETTING_STRINGS:
        for (size_t i = 0; i < list->n; i++)
            free(list->v[i]);
        free(list->v);
        *list = (struct settings_list){ 0 };
        return;
    case SETTING_OTHER:
        return;
    }
}

/* Memory that settings_free() may look at, whatever the caller left there. */
static void blank(const struct setting *s, void *target)
{
    switch (s->type) {
    case SETTING_STRING:
        *(char **)slot(s, target) = NULL;
        return;
    case SETTING_INT:
    case SETTING_BOOL:
    case SETTING_OTHER:
        return;
    case SETTING_STRINGS:
        *(struct settings_list *)slot(s, target) = (struct settings_list){ 0 };
        return;
    }
}

int settings_from(config_t *c, const char *name, const struct setting *table, size_t n,
                  void *target, struct buf *why)
{
    struct load l = { name, table, n, target, why };
    int rc;

    for (size_t i = 0; i < n; i++)
        blank(&table[i], target);
    rc = walk(&l, c);
    if (!rc)
        rc = fill_in(&l, c);
    if (rc)
        settings_free(table, n, target);
    return rc;
}

int settings_load(const char *path, const struct setting *table, size_t n, void *target,
                  struct buf *why)
{
    config_t c;
    int rc;

    config_init(&c);
    for (size_t i = 0; i < n; i++)
        blank(&table[i], target);
    rc = conf_read(&c, path, why);
    if (!rc)
        rc = settings_from(&c, path, table, n, target, why);
    config_destroy(&c);
    return rc;
}

void settings_free(const struct setting *table, size_t n, void *target)
{
    for (size_t i = 0; i < n; i++)
        clear(&table[i], target);
}
