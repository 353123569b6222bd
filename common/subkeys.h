#ifndef HL_COMMON_SUBKEYS_H
#define HL_COMMON_SUBKEYS_H

#include "common/document.h"

/*
 *   hotline/1 <realm> subkeys
 *   poc <party.office>
 *   serial <n>
 *   day <YYYY-MM-DD> <X25519 key, base64>      1..40, consecutive days ascending
 *
 * Signed by one machine key of the PoC (note name = the PoC).
 */
#define SUBKEYS_DAYS 40

struct subkeys {
    char poc[64];
    uint64_t serial;
    uint64_t first_day; /* UTC day since 1970 */
    size_t n;
    uint8_t key[SUBKEYS_DAYS][32];
};

/** subkeys_decode - form only: a list of fresh, different keys.  Who signed is the directory's to judge. */
int subkeys_decode(struct subkeys *s, enum realm realm, struct span note, struct document *doc, struct buf *why);
/** subkeys_print - the text to sign. */
int subkeys_print(struct buf *out, enum realm realm, const struct subkeys *s);

#endif
