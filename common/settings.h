#ifndef HL_COMMON_SETTINGS_H
#define HL_COMMON_SETTINGS_H

#include "common/buf.h"

/*
 * libconfig by schema table.  Unknown settings, wrong types and values out of range are errors with
 * file and line and, two typos away, "did you mean".  @include is refused.  An empty file is an error.
 * Pointers in the target are strdup'ed and freed by settings_free().
 */
enum setting_type { SETTING_STRING, SETTING_INT, SETTING_BOOL, SETTING_STRINGS, SETTING_OTHER /* known; who loads it reads it */ };

struct settings_list {
    char **v;
    size_t n;
};

struct setting {
    const char *path; /* "limits.mailbox_kb" */
    enum setting_type type;
    size_t offset; /* in the target struct: char *, int64_t, bool, struct settings_list */
    bool required;
    int64_t min, max; /* of an integer; of a string's length when max > 0 */
    int64_t dflt;     /* integer or bool */
    const char *dstr; /* string default, NULL = NULL */
    const char *help;
};

/** settings_load - read @path into @target; on error a full line "file:line: error: ..." is in @why. 0, -HL_ECONFIG, -HL_ENOENT. */
int settings_load(const char *path, const struct setting *table, size_t n, void *target, struct buf *why);
struct config_t;
/** settings_from - the same from a parsed file; @name stands in messages. */
int settings_from(struct config_t *c, const char *name, const struct setting *table, size_t n, void *target, struct buf *why);
void settings_free(const struct setting *table, size_t n, void *target);
/** settings_dump - every setting of a file that settings_load() accepts, with its value and origin (file:line or "built-in"). */
int settings_dump(const char *path, const struct setting *table, size_t n, struct buf *out);

#endif
