#include "server/work.h"

#include "common/error.h"

static void prepare_front(struct work *w, enum realm realm, struct span front, struct span body)
{
    w->judged = true;
    w->rc = envelope_decode_front(&w->env, realm, front);
    if (!w->rc)
        w->rc = envelope_verify(&w->env);
    if (!w->rc && body.n)
        w->rc = envelope_set_body(&w->env, body);
    w->is_signed = w->rc == 0; /* with another body it is not what was signed */
}

void work_prepare(struct work *w, enum realm realm)
{
    w->rc = 0;
    w->is_signed = w->judged = false;
    switch (w->in->type) {
    case INPUT_DOCUMENT:
        return;
    case INPUT_FRONT:
        prepare_front(w, realm, SPAN(w->in->bytes, w->in->n), SPAN_NONE);
        return;
    case INPUT_FRAME:
        w->rc = frame_decode(&w->frame, SPAN(w->in->bytes, w->in->n));
        if (!w->rc && w->frame.verb == VERB_SUBMIT && w->frame.front_len == w->frame.front.n)
            prepare_front(w, realm, w->frame.front, w->frame.body);
        return;
    }
}
