#ifndef HL_SERVER_FRAMES_H
#define HL_SERVER_FRAMES_H

#include "server/queue.h"
#include "server/stages.h"

/*
 * Frames that move sessions and windows and stage nothing: HELLO, GOT, COSIGNED, PING, and the pieces of a front.
 * A front that is whole goes back into @q, in the class of its precedence, to be verified and judged.
 */

/** frames_take - one frame of session @s.  0, or a code that ends the process; what is wrong with it is answered. */
int frames_take(struct stages *st, struct session *s, const struct frame *f, struct queue *q);

#endif
