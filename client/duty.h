#ifndef HL_CLIENT_DUTY_H
#define HL_CLIENT_DUTY_H

#include "client/agent.h"

/*
 * Which positions are at the desk, and their unlocked keys (guarded memory of who holds the desk).
 *
 *   LOCKED -[duty_begin]-> ON DUTY -[duty_end]-> LOCKED
 *
 * A desk without a running agent remembers who is on duty; the key is then loaded again for each command, which
 * works for files without passphrase, else the command asks for it.
 */
int duty_begin(struct agent *a, struct span position, const struct secret *pass, struct buf *why);
int duty_end(struct agent *a, struct span position);
/**
 * duty_key - the key of @position, or, when empty, of the only position on duty whose key has all of @permissions by
 * the own card (before a card is seen: all fit, the broker will say).  @permissions 0: any position will do, the first on
 * duty.  @key is borrowed until duty_end().  -HL_EDUTY (none, or several: name one), -HL_EPASS, -HL_EPERM.
 */
int duty_key(struct agent *a, struct span position, unsigned permissions, const struct secret *pass,
             const struct seckey **key, struct buf *why);
/** duty_unlocked - is the key of @position in memory? */
bool duty_unlocked(const struct agent *a, struct span position);
void duty_release(struct agent *a);

#endif
