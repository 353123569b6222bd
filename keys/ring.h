#ifndef HL_KEYS_RING_H
#define HL_KEYS_RING_H

#include "common/buf.h"

/* Many secrets of one sort: files "<prefix><rest>" in the desk's keys folder.  Inside keys/ only. */

/**
 * ring_each - call @fn with each such file, in name order; stops at the first non-zero.  Destroys what an
 * interrupted write or destruction left behind, so no old secret outlives a power cut unseen.
 */
int ring_each(const char *dir, const char *prefix, int (*fn)(void *arg, const char *path, struct span rest), void *arg);
/** ring_path - "<dir>/<name>" into @out (RING_PATH bytes); -HL_ETOOBIG. */
#define RING_PATH 1024
int ring_path(char out[static RING_PATH], const char *dir, const char *name);

#endif
