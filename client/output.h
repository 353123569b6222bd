#ifndef HL_CLIENT_OUTPUT_H
#define HL_CLIENT_OUTPUT_H

#include "client/verbs.h"
#include "common/name.h"

/*
 * Rows of verbs for people, for pipes and for machines.
 *
 *   --json     JSON Lines: every pair of every row, "schema":"hotline.<row>/1", never translated
 *   terminal   aligned columns of the row's kind, times as UTC
 *   pipe       the same columns, tab-separated, nothing cut, no colour
 *
 * Everything that came from outside passes text_safe().
 */
enum value_type { VALUE_TEXT, VALUE_NUMBER, VALUE_TIME, VALUE_HEX, VALUE_BASE64, VALUE_FLAG };

struct output {
    enum realm realm;
    bool json, terminal;
    char last[32]; /* kind of the row before: a new heading when it changes */
    size_t rows;   /* printed so far */
};

void output_init(struct output *o, enum realm realm, bool json);
/** output_row - print one row to stdout. */
int output_row(struct output *o, const struct pair *pair, size_t n);
/** output_type - how the value of @key is to be read. */
enum value_type output_type(const char *key);
/** output_value - @value as a person reads it (times UTC, digests hex), appended. */
void output_value(struct buf *out, const char *key, struct span value);

#endif
