#include "client/args.h"

#include <string.h>

#include "common/error.h"
#include "common/text.h"

const char *nearest(const char *word, const char *const *list)
{
    const char *best = NULL;
    unsigned least = 3;

    for (; *list; list++) {
        unsigned d = text_distance(span_str(word), span_str(*list), 2);

        if (d < least) {
            least = d;
            best = *list;
        }
    }
    return best;
}

static void unknown(const struct arg_spec *specs, const char *word, struct buf *why)
{
    const char *names[ARGS_MAX] = { NULL };
    const char *near;
    size_t n = 0;

    for (; specs->name && n + 1 < ARGS_MAX; specs++)
        names[n++] = specs->name;
    near = nearest(word, names);
    buf_printf(why, "unknown option --%s", word);
    if (near)
        buf_printf(why, "; did you mean --%s?", near);
}

static const struct arg_spec *find_long(const struct arg_spec *specs, const char *name, size_t n)
{
    for (; specs->name; specs++)
        if (strlen(specs->name) == n && memcmp(specs->name, name, n) == 0)
            return specs;
    return NULL;
}

static const struct arg_spec *find_short(const struct arg_spec *specs, char letter)
{
    for (; specs->name; specs++)
        if (specs->letter == letter)
            return specs;
    return NULL;
}

static int too_many(struct buf *why)
{
    buf_put_str(why, "too many arguments");
    return -HL_EUSAGE;
}

/* One option at argv[*i], with its value from behind '=', from the same word, or from the next. */
static int args_option(struct args *out, const struct arg_spec *specs, int argc, char **argv,
                       int *i, struct buf *why)
{
    const char *word = argv[*i], *value = NULL;
    const struct arg_spec *s;

    if (out->n == ARGS_MAX)
        return too_many(why);
    if (word[1] == '-') {
        const char *eq = strchr(word, '=');

        s = find_long(specs, word + 2, eq ? (size_t)(eq - word - 2) : strlen(word + 2));
        value = eq ? eq + 1 : NULL;
        if (!s)
            unknown(specs, word + 2, why);
    } else {
        s = find_short(specs, word[1]);
        value = word[2] ? word + 2 : NULL;
        if (!s)
            buf_printf(why, "unknown option %s", word);
    }
    if (!s)
        return -HL_EUSAGE;
    if (!s->value && value) {
        buf_printf(why, "--%s takes no value", s->name);
        return -HL_EUSAGE;
    }
    if (s->value && !value && ++*i < argc)
        value = argv[*i];
    if (s->value && !value) {
        buf_printf(why, "--%s needs %s", s->name, s->value);
        return -HL_EUSAGE;
    }
    out->option[out->n].spec = s;
    out->option[out->n++].value = s->value ? value : "1";
    return 0;
}

int args_parse(struct args *out, const struct arg_spec *specs, int argc, char **argv,
               struct buf *why)
{
    bool options = true;
    int rc = 0;

    memset(out, 0, sizeof(*out));
    for (int i = 0; i < argc && !rc; i++) {
        if (options && strcmp(argv[i], "--") == 0)
            options = false;
        else if (options && argv[i][0] == '-' && argv[i][1])
            rc = args_option(out, specs, argc, argv, &i, why);
        else if (out->n_positional == ARGS_MAX)
            rc = too_many(why);
        else
            out->positional[out->n_positional++] = argv[i];
    }
    return rc;
}

const char *args_get(const struct args *a, const char *name)
{
    const char *value = NULL;

    for (size_t i = 0; i < a->n; i++)
        if (strcmp(a->option[i].spec->name, name) == 0)
            value = a->option[i].value;
    return value;
}

const char *args_nth(const struct args *a, const char *name, size_t nth)
{
    for (size_t i = 0; i < a->n; i++)
        if (strcmp(a->option[i].spec->name, name) == 0 && nth-- == 0)
            return a->option[i].value;
    return NULL;
}
