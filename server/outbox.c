#include "server/outbox.h"

#include <stdlib.h>

#include "common/error.h"

#define SENTENCE_MAX 500

void outbox_init(struct outbox *o)
{
    *o = (struct outbox){ 0 };
    buf_init(&o->bytes, OUTBOX_MAX);
}

void outbox_release(struct outbox *o)
{
    buf_release(&o->bytes);
    free(o->item);
    *o = (struct outbox){ 0 };
}

static bool outbox_room(struct outbox *o)
{
    size_t cap = o->cap ? o->cap * 2 : 64;
    struct outbox_item *item;

    if (o->n < o->cap)
        return true;
    item = realloc(o->item, cap * sizeof(*item));
    if (!item)
        return false;
    o->item = item;
    o->cap = cap;
    return true;
}

void outbox_put(struct outbox *o, uint64_t conn, const struct frame *f)
{
    size_t n = o->bytes.n;

    if (conn == 0)
        return;
    if (!outbox_room(o) || frame_put(&o->bytes, f) || o->bytes.bad) {
        o->bytes.n = n; /* half a frame is none */
        o->bytes.bad = 0;
        o->dropped++;
        return;
    }
    o->item[o->n++] = (struct outbox_item){ conn, o->bytes.n };
}

void outbox_refuse(struct outbox *o, uint64_t conn, uint64_t tag, int rc, const char *sentence)
{
    struct frame f = { .verb = VERB_REFUSED, .tag = tag, .code = (uint64_t)(rc < 0 ? -rc : rc) };

    f.sentence = span_str(sentence && *sentence ? sentence : error_text(rc));
    if (f.sentence.n > SENTENCE_MAX)
        f.sentence = span_str(error_text(rc));
    outbox_put(o, conn, &f);
}

void outbox_got(struct outbox *o, uint64_t conn, uint64_t tag, uint64_t offset)
{
    struct frame f = { .verb = VERB_GOT, .tag = tag, .offset = offset };

    outbox_put(o, conn, &f);
}

void outbox_flush(struct outbox *o, const struct broker_out *out)
{
    size_t at = 0;

    for (size_t i = 0; i < o->n; i++) {
        out->send(out->arg, o->item[i].conn, SPAN(o->bytes.p + at, o->item[i].end - at));
        at = o->item[i].end;
    }
    o->sent += o->n;
    o->n = 0;
    buf_clear(&o->bytes);
}
