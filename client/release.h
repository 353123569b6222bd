#ifndef HL_CLIENT_RELEASE_H
#define HL_CLIENT_RELEASE_H

#include "client/compose.h"

/*
 * How a header, with or without content, becomes an envelope at the next number.  Shared by compose.c's messages and
 * compose_step.c's steps and voids.
 */
struct release {
    const struct desk_draft *draft; /* NULL for a bodyless envelope */
    struct span header;             /* encoded */
    const struct header *h;         /* the same, decoded */
    const uint8_t *key;             /* who will sign */
    unsigned precedence, flags;
    uint64_t ack_within_s, lifetime_s;
    const uint8_t *chain; /* a void: the number that it closes; else NULL and the next */
    uint64_t seq;
    struct target target;
};

/** release_prepare - the unsigned envelope, judged; @p was initialised. */
int release_prepare(struct agent *a, const struct release *r, struct prepared *p, struct buf *why);
/** release_judge - the rules may have changed since @env was prepared: judge it again, and name the hosts in @p. */
int release_judge(struct agent *a, const struct envelope *env, struct prepared *p, struct buf *why);
/** release_target - what refs[0] of @h is, as far as this desk holds it, with the storage that @t borrows from. */
struct target_at {
    struct message message;
    struct envelope env;
};
int release_target(struct agent *a, const struct header *h, struct target_at *at, struct target *t);

#endif
