#ifndef HL_COMMON_TEXT_H
#define HL_COMMON_TEXT_H

#include "common/buf.h"

/* Text forms of bytes and numbers, strict in, canonical out.  Nothing here allocates but into a buf. */

/** text_base64 - append RFC 4648 section 4, padded. */
int text_base64(struct buf *out, struct span in);
/** text_base64_size - characters for @n bytes, without NUL. */
size_t text_base64_size(size_t n);
/** text_unbase64 - strict: padding required, no stray bits, no spaces.  0 or -HL_EFORMAT, -HL_ETOOBIG. */
int text_unbase64(uint8_t *out, size_t max, size_t *n, struct span in);
/** text_unbase64_n - exactly @n bytes or -HL_EFORMAT. */
int text_unbase64_n(uint8_t *out, size_t n, struct span in);

/** text_hex - lower case, NUL-terminated; @out holds 2 * n + 1. */
void text_hex(char *out, const uint8_t *in, size_t n);
/** text_unhex - exactly @n bytes, lower case only. */
int text_unhex(uint8_t *out, size_t n, struct span in);

/** text_decimal - strict ASCII decimal without leading zeros, below 2^63. */
int text_decimal(uint64_t *v, struct span in);

/** text_damm - Damm check digit (0..9) of a string of decimal digits (0 when its check digit is the last); -HL_EFORMAT. */
int text_damm(struct span digits);
/**
 * text_groups - a digest as digit groups for reading aloud (8 groups of 5, each four digits and
 * its Damm check digit, separated by '-': 47 characters + NUL; 32 digits, 106 bits of @hash).
 * Group i = u32 at hash[4i], mod 10,000.
 */
#define TEXT_GROUPS 8
#define TEXT_GROUPS_SIZE (TEXT_GROUPS * 6)
void text_groups(char out[static TEXT_GROUPS_SIZE], const uint8_t hash[static 32]);
/**
 * text_groups_check - compare what was typed (digits; blanks and '-' ignored) with @hash.
 * 0 = equal; k > 0 = group k has a typing error (check digit); -HL_EFINGERPRINT = well typed, another
 * hash; -HL_EFORMAT = not TEXT_GROUPS groups.  Never says which digits were expected.
 */
int text_groups_check(const char *typed, const uint8_t hash[static 32]);

/** text_utf8 - 0 when valid UTF-8 without controls (but LF and TAB when @lines), bidi controls, U+FEFF, private use, unassigned planes. */
int text_utf8(struct span s, bool lines);
/** text_char - bytes of the first character of @s (shortest form), in *c; 0 when it is not UTF-8. @s is not empty. */
size_t text_char(struct span s, uint32_t *c);
/** text_plain - a character that text_utf8(s, false) accepts. */
bool text_plain(uint32_t c);
/** text_ascii - only 0x20..0x7e. */
bool text_ascii(struct span s);
/** text_safe - append @s for a terminal: every byte of what text_utf8(s, false) refuses becomes \xNN, LF too. */
int text_safe(struct buf *out, struct span s);

/** text_time - "2026-11-22T01:49:02Z" from ms since 1970; @out holds TEXT_TIME_SIZE.  text_time_ms adds .mmm. */
#define TEXT_TIME_SIZE 32
void text_time(char out[static TEXT_TIME_SIZE], uint64_t ms);
void text_time_ms(char out[static TEXT_TIME_SIZE], uint64_t ms);
/** text_dtg - date-time group "22 0149Z NOV 26". */
void text_dtg(char out[static TEXT_TIME_SIZE], uint64_t ms);
/** text_untime - "2026-11-22T01:49:02Z" or "2026-11-22" (midnight UTC) to ms; -HL_EFORMAT. */
int text_untime(uint64_t *ms, struct span in);

/**
 * text_distance - Damerau's distance (one wrong, missing or added byte, or two neighbours swapped, each
 * once); above @limit, or when a word has more than 63 bytes, @limit + 1.
 */
unsigned text_distance(struct span a, struct span b, unsigned limit);

/** text_line - split the next LF-terminated line off *rest into *line (without LF). False at the end or when no LF is left. */
bool text_line(struct span *rest, struct span *line);
/**
 * text_field - split the next field (single-space separated) off *rest. False when nothing is left.
 * Two spaces give an empty field; a trailing space stays in the last field, where a strict reader refuses it.
 */
bool text_field(struct span *rest, struct span *field);

#endif
