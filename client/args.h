#ifndef HL_CLIENT_ARGS_H
#define HL_CLIENT_ARGS_H

#include "common/buf.h"

/*
 * The arguments of one command, read by a table: options in any order, "--name value", "--name=value", short forms,
 * "--" ends them; an unknown option is an error with "did you mean".  Borrowed from argv.
 */
struct arg_spec {
    const char *name;  /* "channel": --channel */
    char letter;       /* 'W': -W; 0 none */
    const char *value; /* "SECONDS": takes a value, so called in the usage; NULL: a flag */
    const char *key;   /* the verb's pair that it sets; NULL: the command looks at it itself */
    const char *help;
};

#define ARGS_MAX 256

struct args {
    size_t n, n_positional;
    struct {
        const struct arg_spec *spec;
        const char *value; /* "1" for a flag */
    } option[ARGS_MAX];
    const char *positional[ARGS_MAX];
};

/** args_parse - @specs ends with a NULL name.  0 or -HL_EUSAGE with a sentence in @why. */
int args_parse(struct args *out, const struct arg_spec *specs, int argc, char **argv, struct buf *why);
/** args_get - the last value of option @name, NULL when absent.  args_nth - the i-th of several. */
const char *args_get(const struct args *a, const char *name);
const char *args_nth(const struct args *a, const char *name, size_t i);
/** nearest - the word of @list (NULL-terminated) at most two typing errors away from @word; NULL when none. */
const char *nearest(const char *word, const char *const *list);

#endif
