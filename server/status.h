#ifndef HL_SERVER_STATUS_H
#define HL_SERVER_STATUS_H

#include "server/queue.h"
#include "server/stages.h"

/** status_write - one JSON object of numbers and states for the operator; names of PoCs, never of messages. */
int status_write(struct stages *st, const struct queue *q, size_t keys, struct buf *out);

#endif
