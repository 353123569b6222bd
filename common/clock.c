#include "common/clock.h"

#include <time.h>

static int64_t offset_ms;

static uint64_t read_us(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

uint64_t clock_now_ms(void)
{
    return read_us(CLOCK_REALTIME) / 1000u + (uint64_t)offset_ms;
}

uint64_t clock_mono_ms(void)
{
    return clock_mono_us() / 1000u;
}

uint64_t clock_mono_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

void clock_adjust(int64_t ms)
{
    offset_ms = ms;
}

uint64_t clock_day(uint64_t ms)
{
    return ms / CLOCK_DAY_MS;
}
