#ifndef HL_CLIENT_WITNESS_H
#define HL_CLIENT_WITNESS_H

#include "client/agent.h"

/*
 * The station as a witness (C2SP tlog-witness, Ed25519 cosignature type 4): body and statuses of add-checkpoint.
 *
 * witness_answer - 0 with an HTTP-like status in @status (200, 400, 403, 404, 409, 422) and the answer's body:
 * signature lines (200), our size (409), else empty.  The state is stored before the cosignature leaves; a validly
 * signed checkpoint that contradicts ours is kept as evidence.  A negative return: the desk could not be written,
 * nothing is answered.
 */
int witness_answer(struct agent *a, const struct station_host *host, struct span body, uint64_t *status, struct buf *out);

#endif
