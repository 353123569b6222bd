#ifndef HL_COMMON_CONF_H
#define HL_COMMON_CONF_H

#include <libconfig.h>

#include "common/buf.h"

/*
 * libconfig made safe, for settings, phrasebook, forms and scenarios; never for what is signed.
 *
 * Debian's 1.5 reads other files on @include, cuts integers to 32 bits, and stops at a NUL.  Here the
 * bytes are checked before it sees them: UTF-8 that shows as itself, no @include, no nesting beyond
 * CONF_DEPTH, no integer beyond 63 bits; every integer arrives as CONFIG_TYPE_INT64; and what escapes have
 * written into a string is plain text too.
 *
 * Errors are one line "name:line: error: sentence" appended to @why, and -HL_ECONFIG.
 */
#define CONF_DEPTH 16
#define CONF_SIZE_MAX (1u << 20)

/** conf_read - file @path into @c, which the caller initialised and destroys. 0, -HL_ECONFIG, or as file_read(). */
int conf_read(config_t *c, const char *path, struct buf *why);
/** conf_parse - the same from bytes; @name stands in messages. */
int conf_parse(config_t *c, const char *name, struct span bytes, struct buf *why);
/** conf_fail - append an error about @line of @name to @why; returns -HL_ECONFIG. */
int conf_fail(struct buf *why, const char *name, unsigned line, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/** conf_next - the setting after @at in the order of the file, below it first when @into; NULL at the end. */
config_setting_t *conf_next(config_setting_t *at, bool into);

/* "did you mean": conf_near() each candidate, then conf_unknown(). */
struct conf_near {
    const char *given, *best; /* best: two typos away at most, or NULL */
    unsigned distance;
};
#define CONF_NEAR(word) ((struct conf_near){ .given = (word), .distance = 3 })
void conf_near(struct conf_near *near, const char *candidate);
/** conf_unknown - conf_fail() with "unknown @what 'given'; did you mean 'best'?". */
int conf_unknown(struct buf *why, const char *name, unsigned line, const char *what, const struct conf_near *near);

#endif
