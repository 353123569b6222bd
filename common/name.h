#ifndef HL_COMMON_NAME_H
#define HL_COMMON_NAME_H

#include "common/buf.h"

/* Names (FORMATS, head): party and office [a-z][a-z0-9-]{0,30}; PoC party.office; channels 1..63 bytes. */
#define NAME_MAX_LEN 63 /* of anything that stands in N(s) */

/** name_label - a party, an office, a position: [a-z][a-z0-9-]{0,30}. */
bool name_label(struct span s);
/** name_poc - party.office. */
bool name_poc(struct span s);
/** name_channel - labels joined by '.', 1..63 bytes. */
bool name_channel(struct span s);
/** name_origin - a schema-less URL path for a log: printable ASCII without blank or '+', 1..255 bytes. */
bool name_origin(struct span s);
/** name_party - the party of a PoC (the part before the dot; all of it when there is none). */
struct span name_party(struct span poc);
struct span name_office(struct span poc);
/** name_put - append N(s): u8 length, bytes. */
int name_put(struct buf *b, struct span s);

enum realm { REALM_LIVE, REALM_EXERCISE };
/** realm_name - "live" or "exercise". */
const char *realm_name(enum realm realm);
int realm_parse(enum realm *realm, struct span s);

/**
 * label_put - append L(p) = "hotline/1 " realm " " p 00 (FORMATS head): the only labels there are.
 */
int label_put(struct buf *b, enum realm realm, const char *purpose);
/** label_write - the same into @out without allocating; returns its length. */
#define LABEL_SIZE 48
size_t label_write(uint8_t out[static LABEL_SIZE], enum realm realm, const char *purpose);

#endif
