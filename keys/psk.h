#ifndef HL_KEYS_PSK_H
#define HL_KEYS_PSK_H

#include "keys/keyfile.h"

/*
 * Pre-shared keys (FORMATS 2): two halves by courier, XORed; ratcheted once per UTC day from the first day;
 * only the steps still needed are kept (older ones are destroyed with the subkeys).
 *
 *   psk[0] = half_a XOR half_b       psk[d] = M(psk[d-1], L("psk ratchet") || channel || u32 epoch || u32 d)
 */
#define PSK_STEP_MAX 366

struct psk_ring; /* opaque: the PSKs of a desk */

/** psk_half_new - a fresh half into its own key file. */
int psk_half_new(const char *path, enum realm realm, const char *name, const struct secret *pass);
/** psk_combine - two half files into the ring, for (@channel, @epoch), day 1 = @first_day (UTC day). */
int psk_combine(struct psk_ring *ring, const char *half_a, const char *half_b, const struct secret *pass_a, const struct secret *pass_b,
                const uint8_t channel[static 32], uint32_t epoch, uint64_t first_day);
int psk_ring_open(struct psk_ring **out, const char *dir, enum realm realm, const struct secret *pass);
void psk_ring_close(struct psk_ring *ring);
/** psk_check_value - the eight digits compared by telephone; from the ring at combining time, stored with it. */
int psk_check_value(const struct psk_ring *ring, const uint8_t channel[static 32], uint32_t epoch, char digits[static 9]);
/** psk_current - newest epoch of @channel whose first day is not after @day: its epoch and step (day - first + 1); -HL_EPSK when none. */
int psk_current(const struct psk_ring *ring, const uint8_t channel[static 32], uint64_t day, uint32_t *epoch, uint32_t *step);
/** psk_at - psk[step] into @out (32 bytes, guarded), derived in scratch memory.  -HL_EPSK: unknown epoch, step destroyed, > 366, or more than one day off the UTC day of @sealed_ms (refused before any hashing). */
int psk_at(const struct psk_ring *ring, const uint8_t channel[static 32], uint32_t epoch, uint32_t step, uint64_t sealed_ms, struct secret *out);
/** psk_advance - destroy steps below @keep_from_day. */
int psk_advance(struct psk_ring *ring, uint64_t keep_from_day);
struct psk_info { uint8_t channel[32]; uint32_t epoch; uint64_t first_day; uint32_t lowest_step; char check[9]; };
bool psk_list(const struct psk_ring *ring, size_t i, struct psk_info *info);

#endif
