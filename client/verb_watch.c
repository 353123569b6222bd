#include <string.h>

#include "client/verb_list.h"
#include "common/clock.h"
#include "common/content.h"
#include "common/error.h"

/* watch: what happened, one row each; after count of them, or at wait_s, it ends. */

static const char *event_kind(const struct desk_event *e)
{
    if (e->what == EVENT_NOTICE)
        return notice_name(e->kind);
    return e->kind ? kind_name(e->kind) : "";
}

static void event_message(struct verb *v, struct row *r, const struct message *m, struct content *c)
{
    char number[NUMBER_SIZE], channel[CHANNEL_TEXT];

    number_print(number, span_str(m->sender), m->seq);
    channel_text(v->agent, m->channel, channel);
    row_printf(r, "number", "%s", number);
    row_str(r, "precedence", precedence_name(m->precedence));
    row_printf(r, "channel", "%s", channel);
    if (m->content.n && content_decode(c, buf_span(&m->content)) == 0)
        row_span(r, "subject", c->subject);
}

static int event_row(void *arg, const struct desk_event *e)
{
    static struct content content; /* one loop, one thread */
    struct verb *v = arg;
    struct watch_state *w = v->state;
    struct message m;
    struct row r;
    int rc;

    w->after = e->n;
    memset(&content, 0, sizeof(content));
    message_init(&m);
    row_begin(&r, "event");
    row_uint(&r, "event", e->n);
    row_str(&r, "what", event_name(e->what));
    row_32(&r, "mid", e->mid);
    row_str(&r, "kind", event_kind(e));
    row_span(&r, "poc", e->poc);
    row_uint(&r, "code", e->code);
    row_uint(&r, "time_ms", e->time_ms);
    row_span(&r, "detail", e->detail);
    if (e->mid && desk_message(v->agent->desk, e->mid, &m) == 0)
        event_message(v, &r, &m, &content);
    rc = row_send(v, &r);
    message_release(&m);
    if (rc)
        return rc;
    return w->count && --w->left == 0;
}

int verb_watch_look(struct verb *v, bool over)
{
    struct watch_state *w = v->state;
    int rc = desk_event_each(v->agent->desk, w->after, event_row, v);

    if (rc)
        return rc > 0 ? 0 : rc;
    if (!over)
        return VERB_WAITS;
    return w->count ? -HL_EDEADLINE : 0;
}

int verb_watch_begin(struct verb *v)
{
    struct watch_state *w = v->state;
    uint64_t last;
    int rc = desk_event_last(v->agent->desk, &last);

    if (!rc)
        rc = verb_uint(v, "since", last, &w->after);
    if (!rc)
        rc = verb_uint(v, "count", 0, &w->count);
    w->left = w->count;
    if (!rc && verb_get(v->req, "wait_s").p)
        rc = verb_wait(v, 0);
    return rc ? rc : verb_watch_look(v, v->deadline && clock_mono_ms() >= v->deadline);
}
