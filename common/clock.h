#ifndef HL_COMMON_CLOCK_H
#define HL_COMMON_CLOCK_H

#include <stdint.h>

/*
 * The only source of time.  Wall time is ms since 1970 UTC; durations are measured on the
 * monotonic clock.  clock_adjust() lets the exercise realm run at another time; the live realm
 * never calls it (settings refuse it there).
 */
#define CLOCK_DAY_MS UINT64_C(86400000)

uint64_t clock_now_ms(void);
uint64_t clock_mono_ms(void);
uint64_t clock_mono_us(void);
void clock_adjust(int64_t offset_ms);
/** clock_day - UTC day number since 1970 of @ms. */
uint64_t clock_day(uint64_t ms);

#endif
