#ifndef HL_KEYS_SUBKEYS_PAIR_H
#define HL_KEYS_SUBKEYS_PAIR_H

#include "keys/hpke.h"
#include "keys/subkeys.h"

/* Inside keys/ only. */

/** subkey_ring_pair - both halves of subkey @pub, borrowed until the ring changes; false when it is not held. */
bool subkey_ring_pair(const struct subkey_ring *ring, const uint8_t pub[static 32], struct hpke_pair *pair);

#endif
