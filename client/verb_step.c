#include <string.h>

#include "client/duty.h"
#include "client/verb_list.h"
#include "common/card.h"
#include "common/error.h"

/* step: what an officer says about a message by one word; it confirms what the word says and no
 * more. */

static const unsigned step_kinds[] = { KIND_ACKNOWLEDGED, KIND_UNDERSTOOD, KIND_PASSED,
                                       KIND_REFUSED };

static int step_kind(struct verb *v, unsigned *kind)
{
    struct span s = verb_get(v->req, "kind");

    for (size_t i = 0; i < COUNT(step_kinds); i++)
        if (span_eq_str(s, kind_name(step_kinds[i]))) {
            *kind = step_kinds[i];
            return 0;
        }
    return verb_fail(v, -HL_EUSAGE, "kind: acknowledged, understood, passed or refused");
}

/* The officer typed "7-6" for BOREALIA 7-6: read from the message, not from memory of another. */
static int step_typed(struct verb *v, const struct message *m)
{
    struct span typed = verb_get(v->req, "typed");
    char number[NUMBER_SIZE];
    const char *digits;

    if (!typed.p)
        return 0;
    number_print(number, span_str(m->sender), m->seq);
    digits = strrchr(number, ' ');
    if (span_eq_str(typed, number) || (digits && span_eq_str(typed, digits + 1)))
        return 0;
    return verb_fail(v, -HL_EUSAGE, "what was typed is not the number of this message");
}

static int step_compose(struct verb *v, struct stepping *s, const struct message *m)
{
    struct span text = verb_get(v->req, "text"), language = verb_get(v->req, "language");
    const struct seckey *key;
    uint64_t code = 0;
    unsigned kind = 0;
    int rc = step_kind(v, &kind);

    if (!language.n)
        language = span_str(v->agent->station->language);
    if (!rc)
        rc = verb_uint(v, "code", 0, &code);
    if (!rc)
        rc = step_typed(v, m);
    if (!rc && m->way != MESSAGE_IN)
        rc = verb_fail(v, -HL_ETARGET, "a step refers to a message that was received");
    if (!rc)
        rc = duty_key(v->agent, verb_get(v->req, "position"), PERM_ACKNOWLEDGE, v->req->pass, &key,
                      &v->why);
    if (rc)
        return rc;
    if (text.n)
        return compose_remark(v->agent, m, kind, (unsigned)code, language, text, key, s->mid,
                              &v->why);
    return compose_step(v->agent, m, kind, (unsigned)code, key, s->mid, &v->why);
}

static int step_row(struct verb *v, const struct stepping *s, const struct message *step)
{
    char number[NUMBER_SIZE];
    struct row r;

    number_print(number, span_str(step->sender), step->seq);
    row_begin(&r, "step");
    row_str(&r, "number", number);
    row_32(&r, "mid", s->mid);
    row_str(&r, "kind", kind_name(step->kind));
    row_32(&r, "target", s->target);
    row_str(&r, "state", message_state_name(step->state));
    return row_send(v, &r);
}

int verb_step_look(struct verb *v, bool over)
{
    struct stepping *s = v->state;
    struct message m;
    int rc = desk_message(v->agent->desk, s->mid, &m), sent;

    if (!rc && m.state == MESSAGE_QUEUED && !over) {
        message_release(&m);
        return VERB_WAITS;
    }
    if (!rc && m.state == MESSAGE_QUEUED)
        rc = -HL_EQUEUED;
    else if (!rc && m.state == MESSAGE_REFUSED)
        rc = verb_fail(v, m.refused, "%s", m.sentence);
    sent = step_row(v, s, &m);
    message_release(&m);
    return rc ? rc : sent;
}

int verb_step_begin(struct verb *v)
{
    struct stepping *s = v->state;
    struct message m;
    int rc = verb_message(v, "", s->target);

    if (rc)
        return rc;
    rc = desk_message(v->agent->desk, s->target, &m);
    if (!rc)
        rc = step_compose(v, s, &m);
    message_release(&m);
    if (!rc)
        rc = verb_wait(v, VERB_RECORD_WAIT_MS);
    return rc ? rc : verb_step_look(v, span_eq_str(verb_get(v->req, "wait_s"), "0"));
}
