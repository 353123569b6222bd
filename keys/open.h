#ifndef HL_KEYS_OPEN_H
#define HL_KEYS_OPEN_H

#include "common/content.h"
#include "common/envelope.h"
#include "keys/psk.h"
#include "keys/subkeys.h"

/*
 * Opening: the wrap of this PoC, the enc check (every reader re-computes enc from the CEK and refuses a
 * mismatch), the body, the padding, the commitment.  The envelope was verified and judged before.
 */
struct opened {
    struct buf plain;      /* salt || len || content || padding; wiped by opened_release() */
    const uint8_t *salt;   /* 32, in plain */
    struct span content_bytes;
    struct content content; /* spans in plain */
};

/** open_envelope - 0, -HL_EMEMBER (no wrap for @poc), -HL_EOPEN, -HL_EPSK, -HL_EENC, -HL_EFORMAT (padding, content), -HL_ECOMMIT, -HL_EFLASH (an attachment). */
int open_envelope(const struct envelope *env, struct span poc, const struct subkey_ring *ring, const struct psk_ring *psk, struct opened *out);
void opened_release(struct opened *o);

#endif
