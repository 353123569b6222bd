#ifndef HL_KEYS_SECRET_H
#define HL_KEYS_SECRET_H

#include "common/buf.h"

/*
 * Bytes that must not leak: guarded memory (sodium_malloc), wiped when freed.  No print, no copy, no
 * comparison but in constant time.  Only keys/ looks inside; others pass the pointer on.
 */
struct secret; /* opaque */

/** secret_new - @n bytes (1..65536) of guarded memory, zeroed; NULL when out of memory. */
struct secret *secret_new(size_t n);
/** secret_random - fresh random bytes, read-only from then on. */
struct secret *secret_random(size_t n);
/** secret_take - copies @p into guarded memory and wipes @p, also on failure; read-only from then on. */
struct secret *secret_take(void *p, size_t n);
void secret_free(struct secret *s);
size_t secret_size(const struct secret *s);

/**
 * secret_prompt - read a passphrase from the terminal without echo, or from descriptor @fd when it is >= 0
 * (one line).  Never from argv or the environment.  -HL_EPASS when there is neither.
 */
int secret_prompt(const char *prompt, int fd, struct secret **out);
/** secret_prompt_new - as secret_prompt(); a terminal asks twice, -HL_EPASS when the two differ. */
int secret_prompt_new(const char *prompt, int fd, struct secret **out);

/** secret_send / secret_receive - u32 length and bytes over a local stream socket (at most 1,024 bytes, 2 s), guarded at both ends. */
int secret_send(int fd, const struct secret *s);
int secret_receive(int fd, struct secret **out);

/** keys_init - sodium_init, no core dumps, not dumpable, seeds rand() for libzmq.  First call of every program. */
int keys_init(void);

#endif
