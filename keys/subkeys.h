#ifndef HL_KEYS_SUBKEYS_H
#define HL_KEYS_SUBKEYS_H

#include "common/subkeys.h"
#include "keys/keyfile.h"

/*
 * The private side of a PoC's subkeys: a ring of lists, each a sealed file "subkeys-<serial>" in the desk's
 * keys folder.  Private keys of replaced lists live as long as their days; a day's key is destroyed when both
 * clocks say it is past its end by 96 h and the mailbox is drained, and never kept longer than 30 days.
 */
struct subkey_ring; /* opaque */

int subkey_ring_open(struct subkey_ring **out, const char *dir, enum realm realm, struct span poc, const struct secret *pass);
void subkey_ring_close(struct subkey_ring *ring);
/** subkey_ring_make - draw keys for @days days from @first_day as list @serial, store them, and fill the public list @pub. */
int subkey_ring_make(struct subkey_ring *ring, uint64_t serial, uint64_t first_day, size_t days, struct subkeys *pub);
/** subkey_ring_public - the public list @serial again, as it was made; -HL_ENOENT when it is not held with all its days. */
int subkey_ring_public(const struct subkey_ring *ring, uint64_t serial, struct subkeys *pub);
uint64_t subkey_ring_serial(const struct subkey_ring *ring); /* highest held, 0 none */
/** subkey_ring_has - is the private part of @pub here? */
bool subkey_ring_has(const struct subkey_ring *ring, const uint8_t pub[static 32]);
/** subkey_ring_expire - destroy days ended before both @local_ms and @cosigned_ms less 96 h (when @drained), or less 30 days. Returns how many. */
size_t subkey_ring_expire(struct subkey_ring *ring, uint64_t local_ms, uint64_t cosigned_ms, bool drained);

#endif
