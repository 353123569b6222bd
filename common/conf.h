#ifndef HL_COMMON_CONF_H
#define HL_COMMON_CONF_H

#include <libconfig.h>

#include "common/buf.h"

/*
 * libconfig made safe, for settings, phrasebook, forms and scenarios; never for what is signed.
 *
 * Debian's 1.5 reads other files on @include, cuts integers to 32 bits, and stops at a NUL.  Here the
 * bytes are checked before it sees them: UTF-8 that shows as itself, no @include, no nesting beyond
 * CONF_DEPTH, no integer beyond 63 bits; every integer arrives as CONFIG_TYPE_INT64.
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

#endif
