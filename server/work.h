#ifndef HL_SERVER_WORK_H
#define HL_SERVER_WORK_H

#include "common/envelope.h"
#include "common/wire.h"
#include "server/queue.h"

/*
 * The pure part of a turn: an input is decoded and its signature verified, on several threads, before anything is
 * decided.  It touches nothing but its own slot.
 */
struct work {
    struct input *in;  /* owned */
    struct frame frame;
    struct envelope env; /* of a SUBMIT or a front; decoded when rc is 0 */
    int rc;              /* what decoding or verifying said */
    bool is_signed;      /* verified as it stands: a refusal may be recorded */
    bool judged;         /* env is to be judged: it came whole, or its front did */
};

/** work_prepare - parallel_for over struct work[]. */
void work_prepare(struct work *w, enum realm realm);

#endif
