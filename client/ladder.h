#ifndef HL_CLIENT_LADDER_H
#define HL_CLIENT_LADDER_H

#include "client/desk.h"
#include "common/steps.h"

/* Where a message stands at each of its recipients, as far as this desk knows: what its steps say. */

/** kind_owes_ack - kinds that ask for an acknowledgement. */
bool kind_owes_ack(unsigned kind);
/** ladder_read - the steps on @mid, whose header is @h, in @out, which borrows from @h; no due time. */
int ladder_read(struct desk *d, const uint8_t mid[static 32], const struct header *h, struct steps *out);
/** ladder_acknowledged - by every action addressee, or an alternate for it. */
bool ladder_acknowledged(const struct steps *s);

#endif
