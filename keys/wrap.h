#ifndef HL_KEYS_WRAP_H
#define HL_KEYS_WRAP_H

#include "common/envelope.h"
#include "keys/hpke.h"
#include "keys/psk.h"

/* What sealing and opening derive alike (FORMATS 2).  Inside keys/ only. */
#define WRAP_INFO_MAX 256
#define WRAP_CT (32 + HPKE_TAG)

/* Secrets of one sealing or opening, in guarded memory from wrap_work_new(). */
struct wrap_work {
    uint8_t cek[32];
    uint8_t ske[32];      /* the ephemeral key */
    uint8_t body_key[32];
    uint8_t psk[32];      /* as it enters HPKE */
};

struct wrap_work *wrap_work_new(void);
void wrap_work_free(struct wrap_work *w);

/** wrap_keys - from cek: the ephemeral pair and the body key. */
int wrap_keys(struct wrap_work *w, uint8_t enc[static 32], enum realm realm, const uint8_t h[static 32]);
/** wrap_info - L("wrap") || h || subkey || N(poc), in @room. */
struct span wrap_info(uint8_t room[static WRAP_INFO_MAX], enum realm realm, const uint8_t h[static 32],
                      const uint8_t subkey[static 32], struct span poc);
/**
 * wrap_psk - psk and its id for the channel, epoch and step of header and stamp.  *out points to @psk, which points to
 * @w and @id; it is NULL in base mode.  -HL_EPSK.
 */
int wrap_psk(const struct hpke_psk **out, struct hpke_psk *psk, struct wrap_work *w, uint8_t id[static 32],
             const struct psk_ring *ring, const struct header *header, const struct stamp *stamp,
             const uint8_t h[static 32]);

#endif
