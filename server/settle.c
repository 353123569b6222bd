#include "server/settle.h"

#include <malloc.h>

void settle_busy(struct settle *s, uint64_t mono_ms)
{
    s->busy_ms = mono_ms;
    s->due = true;
}

void settle_idle(struct settle *s, uint64_t mono_ms)
{
    if (!s->due || mono_ms < s->busy_ms + SETTLE_MS)
        return;
    malloc_trim(0);
    s->due = false;
}

int settle_wait(const struct settle *s, int wait_ms)
{
    return s->due && (wait_ms < 0 || wait_ms > SETTLE_MS) ? SETTLE_MS : wait_ms;
}
