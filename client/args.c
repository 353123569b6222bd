#include "client/args.h"

#include <string.h>

#include "common/error.h"

#define WORD_MAX 40

/* Damerau's distance with adjacent swaps, words of at most WORD_MAX letters. */
static size_t distance(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b), row[3][WORD_MAX + 1];

    if (n > WORD_MAX || m > WORD_MAX)
        return WORD_MAX;
    for (size_t j = 0; j <= m; j++)
        row[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *now = row[i % 3], *up = row[(i + 2) % 3], *upup = row[(i + 1) % 3];

        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t d = up[j - 1] + (a[i - 1] != b[j - 1]);

            d = up[j] + 1 < d ? up[j] + 1 : d;
            d = now[j - 1] + 1 < d ? now[j - 1] + 1 : d;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                upup[j - 2] + 1 < d)
                d = upup[j - 2] + 1;
            now[j] = d;
        }
    }
    return row[n % 3][m];
}

const char *nearest(const char *word, const char *const *list)
{
    const char *best = NULL;
    size_t least = 3;

    for (; *list; list++) {
        size_t d = distance(word, *list);

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
