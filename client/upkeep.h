#ifndef HL_CLIENT_UPKEEP_H
#define HL_CLIENT_UPKEEP_H

#include "client/agent.h"

/*
 * What the station does unasked, besides answering and cosigning:
 *
 *  1. Subkeys: 30 days are announced when none are in force, and again when fewer than UPKEEP_DAYS_LEFT remain (so weekly).
 *     The serial is the log's next; a list that was drawn and never recorded is announced, not drawn again.
 *  2. Documents of the own party that one host has and another would take go to the other.
 *  3. Subkeys and PSK steps whose time is over (FORMATS, "Times") are destroyed: never on one clock's word.
 */
#define UPKEEP_DAYS 30
#define UPKEEP_DAYS_LEFT 23
#define UPKEEP_EVERY_MS 5000

/** upkeep_tick - when it is due.  Errors of the desk only. */
int upkeep_tick(struct agent *a, uint64_t mono_ms);
/** upkeep_announce - draw and announce a new list now; the document's id into @id.  -HL_EKEY: no card in force lists the machine's key yet. */
int upkeep_announce(struct agent *a, uint8_t id[static 32], struct buf *why);
/** upkeep_days_left - announced days from today on, in the log that knows most; *@last_day, 0 none. */
uint64_t upkeep_days_left(const struct agent *a, uint64_t *last_day);

#endif
