#include "common/error.h"

#include <stddef.h>
#include <stdlib.h>
#include <strings.h>

static const struct {
    int code;
    const char *name; /* "E-FORMAT" */
    int exit;
    const char *text, *hint;
} table[] = {
#define ROW(sym, num, exit, text, hint) { num, "E-" #sym, exit, text, hint },
    HL_ERRORS(ROW)
#undef ROW
};

#define ROWS (sizeof(table) / sizeof(table[0]))

static size_t find(int code)
{
    size_t i = 0;

    code = abs(code);
    while (i < ROWS && table[i].code != code)
        i++;
    return i;
}

const char *error_name(int code)
{
    size_t i = find(code);

    return i == ROWS ? "E-UNKNOWN" : table[i].name;
}

const char *error_text(int code)
{
    size_t i = find(code);

    return i == ROWS ? "an unknown failure" : table[i].text;
}

const char *error_hint(int code)
{
    size_t i = find(code);

    return i == ROWS ? "update this installation" : table[i].hint;
}

int error_exit(int code)
{
    size_t i = find(code);

    if (code == 0)
        return EXIT_DONE;
    return i == ROWS ? EXIT_FAILED_OTHER : table[i].exit;
}

int error_by_name(const char *name)
{
    if ((*name | 32) != 'e')
        return 0;
    name += name[1] == '-' ? 2 : 1;
    for (size_t i = 0; i < ROWS; i++)
        if (strcasecmp(name, table[i].name + 2) == 0)
            return table[i].code;
    return 0;
}

int error_next(int code)
{
    int next = 0;

    for (size_t i = 0; i < ROWS; i++)
        if (table[i].code > code && (!next || table[i].code < next))
            next = table[i].code;
    return next;
}
