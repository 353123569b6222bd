#include <string.h>

#include "client/sync_state.h"
#include "common/error.h"

/* ---- the stream of one delivery: front || body ---- */

static struct inbound *inbound_find(struct sync *s, uint64_t tag)
{
    for (size_t i = 0; i < SYNC_INBOUND; i++)
        if (s->inbound[i].used && s->inbound[i].tag == tag)
            return &s->inbound[i];
    return NULL;
}

static void inbound_end(struct inbound *in)
{
    in->used = false;
    buf_release(&in->stream);
}

void inbound_reset(struct sync *s)
{
    for (size_t i = 0; i < SYNC_INBOUND; i++)
        inbound_end(&s->inbound[i]);
}

static int inbound_got(struct sync *s, uint64_t tag, uint64_t offset)
{
    struct frame f = { .verb = VERB_GOT, .tag = tag, .offset = offset };

    return sync_send(s, &f);
}

/* Is it whole?  1 and @env when so; 0 when more must come; negative when it can be nothing. */
static int inbound_whole(struct sync *s, uint64_t front_len, struct span stream,
                         struct envelope *env)
{
    int rc;

    if (stream.n < front_len)
        return 0;
    rc = envelope_decode_front(env, s->agent->station->realm, SPAN(stream.p, front_len));
    if (rc)
        return rc;
    if (stream.n - front_len < env->body_len)
        return 0;
    rc = envelope_set_body(env, SPAN(stream.p + front_len, stream.n - front_len));
    return rc ? rc : 1;
}

static int inbound_take(struct sync *s, const struct inbound *in, const struct envelope *env)
{
    struct later what = { .index = in->index, .time_ms = in->time_ms, .flags = in->flags };
    struct buf file;
    int rc;

    memcpy(what.salt, in->salt, 32);
    buf_init(&file, ENVELOPE_MAX);
    rc = envelope_put(&file, env);
    if (!rc)
        rc = taking_envelope(s, &what, buf_span(&file), false);
    buf_release(&file);
    return rc;
}

static int inbound_try(struct sync *s, struct inbound *in)
{
    static struct envelope env; /* 40 kB; one loop, one thread */
    uint64_t tag = in->tag, offset = in->stream.n;
    int rc = inbound_whole(s, in->front_len, buf_span(&in->stream), &env);

    if (rc == 0)
        return inbound_got(s, tag, offset);
    rc = rc < 0 ? sync_fault(s, "a delivery that is no envelope", buf_span(&in->stream))
                : inbound_take(s, in, &env);
    inbound_end(in);
    return rc ? rc : inbound_got(s, tag, offset);
}

int inbound_deliver(struct sync *s, const struct frame *f)
{
    struct inbound *in = inbound_find(s, f->tag);

    if (f->salt.n != 32 || f->front_len > ENVELOPE_FRONT_MAX || f->front.n > f->front_len)
        return 0;
    for (size_t i = 0; i < SYNC_INBOUND && !in; i++)
        if (!s->inbound[i].used)
            in = &s->inbound[i];
    if (!in)
        return 0; /* the broker goes beyond its window: it comes again later */
    inbound_end(in);
    in->used = true;
    in->tag = f->tag;
    in->index = f->index;
    in->time_ms = f->time_ms;
    in->flags = f->flags;
    in->front_len = f->front_len;
    memcpy(in->salt, f->salt.p, 32);
    buf_put_span(&in->stream, f->front);
    if (buf_put_span(&in->stream, f->body))
        return in->stream.bad;
    return inbound_try(s, in);
}

int inbound_chunk(struct sync *s, const struct frame *f)
{
    struct inbound *in = inbound_find(s, f->tag);

    if (!in || f->offset != in->stream.n)
        return 0;
    if (buf_put_span(&in->stream, f->bytes)) {
        inbound_end(in);
        return 0;
    }
    return inbound_try(s, in);
}
