#ifndef HL_COMMON_STOP_H
#define HL_COMMON_STOP_H

#include "common/document.h"

/*
 *   hotline/1 <realm> stop
 *   party <party>
 *   card <serial of the card in force>       a later serial that lists the thing (an agreement: as resumed) lifts the stop
 *   key|subkey <key> / agreement <digest> / host <origin>     exactly one
 *   reason <free>
 *
 * Signed by the threshold of the root set, or by one key of the party with permission stop.  The thing is one that
 * the card or the newest subkeys of the party list, but for an agreement, whose parties are nobody's business.  Root
 * keys are not stopped: a new card replaces them, as fast.
 */
enum stop_what { STOP_KEY, STOP_SUBKEY, STOP_AGREEMENT, STOP_HOST };

struct stop {
    struct span party;
    uint64_t card;
    enum stop_what what;
    uint8_t id[32];     /* key or digest */
    struct span origin; /* host */
    struct span reason;
};

/** stop_decode - form only; spans borrow from @note. */
int stop_decode(struct stop *s, enum realm realm, struct span note, struct document *doc, struct buf *why);
/** stop_print - the text to sign. */
int stop_print(struct buf *out, enum realm realm, const struct stop *s);

#endif
