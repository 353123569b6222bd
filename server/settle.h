#ifndef HL_SERVER_SETTLE_H
#define HL_SERVER_SETTLE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * After a burst the heap keeps what it grew to, as holes.  A process that has had nothing to do for SETTLE_MS gives
 * them back, once; never while there is work.
 */
#define SETTLE_MS 1000

struct settle {
    uint64_t busy_ms;
    bool due;
};

/** settle_busy - something was done now. */
void settle_busy(struct settle *s, uint64_t mono_ms);
/** settle_idle - nothing was: give memory back when it is time. */
void settle_idle(struct settle *s, uint64_t mono_ms);
/** settle_wait - a poll's time-out (-1: for ever), no longer than until then. */
int settle_wait(const struct settle *s, int wait_ms);

#endif
