#include "client/ladder.h"

bool kind_owes_ack(unsigned kind)
{
    return (kind >= KIND_NOTIFICATION && kind <= KIND_RETRACTION) || kind == KIND_EXERCISE_CONTROL;
}

static int ladder_step(void *arg, const struct desk_step *step)
{
    steps_add(arg, step->poc, step->kind, step->code, step->time_ms, 0); /* else: of no recipient */
    return 0;
}

int ladder_read(struct desk *d, const uint8_t mid[static 32], const struct header *h,
                struct steps *out)
{
    steps_init(out, h, 0, 0);
    return desk_step_each(d, mid, ladder_step, out);
}

bool ladder_acknowledged(const struct steps *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->at[i].role == ROLE_ACTION && !s->at[i].acknowledged_ms)
            return false;
    return true;
}
