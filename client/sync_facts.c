#include "client/sync_state.h"

/* What others may know of a sync. */

bool sync_current(const struct sync *s)
{
    return s->phase == SYNC_GREETED && !s->fetching && !s->seen.dead &&
           s->head.size <= s->seen.range.size;
}

bool sync_ready(const struct sync *s)
{
    return s->ready;
}

bool sync_quiet(const struct sync *s)
{
    return sync_current(s) && s->quiet && !s->proving && !s->later;
}

bool sync_unanswered(const struct sync *s)
{
    return s->unanswered;
}

bool sync_is_dead(const struct sync *s)
{
    return s->seen.dead;
}

const char *sync_state_name(const struct sync *s)
{
    if (s->seen.dead)
        return "dead";
    switch (s->phase) {
    case SYNC_DOWN:
        return "down";
    case SYNC_ASKED:
        return "asked";
    case SYNC_GREETED:
        return sync_current(s) ? "current" : "up";
    }
    return "";
}

const char *sync_fault_text(const struct sync *s)
{
    return s->fault;
}

struct directory *sync_directory(const struct sync *s)
{
    return s->dir;
}

const struct station_host *sync_host(const struct sync *s)
{
    return s->host;
}

uint64_t sync_size(const struct sync *s)
{
    return s->seen.range.size;
}

uint64_t sync_cosigned_ms(const struct sync *s)
{
    return s->cosigned_ms;
}

const struct desk_host *sync_seen(const struct sync *s)
{
    return &s->seen;
}

struct link *sync_link(struct sync *s)
{
    return s->link;
}

void sync_kick(struct sync *s)
{
    s->kicked = true;
}

struct span sync_origin(const struct sync *s)
{
    return span_str(s->host->origin);
}

uint64_t sync_tag(struct sync *s)
{
    if (s->next_tag == UINT64_C(1) << 32)
        s->next_tag = 1;
    return s->next_tag++;
}

int sync_send(struct sync *s, const struct frame *f)
{
    int rc;

    buf_clear(&s->frame);
    rc = frame_put(&s->frame, f);
    return rc ? rc : link_send(s->link, buf_span(&s->frame));
}
