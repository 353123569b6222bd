#include <stdlib.h>
#include <string.h>

#include "client/verb.h"
#include "common/clock.h"
#include "common/content.h"
#include "common/error.h"
#include "common/record.h"
#include "common/steps.h"
#include "common/text.h"

/* What several verbs say about a message: one place, so that all commands tell the same. */

bool channel_agreement(struct agent *a, const uint8_t channel[static 32],
                       struct channel_facts *facts)
{
    for (size_t i = 0; i < a->n_syncs; i++)
        if (directory_channel(sync_directory(a->sync[i]), DIRECTORY_NOW, compose_now(a, NULL),
                              channel, facts) != -HL_ECHANNEL)
            return true;
    return false;
}

void channel_text(struct agent *a, const uint8_t channel[static 32], char out[static CHANNEL_TEXT])
{
    struct channel_facts facts;

    if (!channel_agreement(a, channel, &facts)) {
        text_hex(out, channel, 32);
        return;
    }
    memcpy(out, facts.channel->name.p, facts.channel->name.n);
    out[facts.channel->name.n] = 0;
}

const char *message_state_name(enum message_state state)
{
    switch (state) {
    case MESSAGE_QUEUED:
        return "queued";
    case MESSAGE_RECORDED:
        return "recorded";
    case MESSAGE_REFUSED:
        return "refused";
    case MESSAGE_NEW:
        return "new";
    case MESSAGE_SEEN:
        return "seen";
    case MESSAGE_ACKNOWLEDGED:
        return "acknowledged";
    case MESSAGE_CANNOT_READ:
        return "cannot-read";
    }
    return "";
}

const char *event_name(enum event_what what)
{
    switch (what) {
    case EVENT_MESSAGE:
        return "message";
    case EVENT_REPETITION:
        return "repetition";
    case EVENT_STEP:
        return "step";
    case EVENT_NOTICE:
        return "notice";
    case EVENT_RECORDED:
        return "recorded";
    case EVENT_REFUSED:
        return "refused";
    case EVENT_CANNOT_READ:
        return "cannot-read";
    case EVENT_FAULT:
        return "fault";
    }
    return "";
}

const char *notice_name(unsigned kind)
{
    static const char *const name[] = {
        [NOTICE_UNDELIVERED] = "undelivered",  [NOTICE_NOT_ACKNOWLEDGED] = "not-acknowledged",
        [NOTICE_ESCALATED] = "escalated",      [NOTICE_REFUSED] = "refused",
        [NOTICE_OPENED] = "opened-to-auditor", [NOTICE_DESTROYED] = "destroyed"
    };

    return kind < COUNT(name) && name[kind] ? name[kind] : "unknown";
}

/* ---- when is it due ---- */

/* The record's time at the first host that has it; before that, when it was sealed. */
static uint64_t recorded_ms(struct agent *a, const struct message *m, const struct envelope *env)
{
    uint64_t first = 0;

    for (size_t i = 0; i < a->n_syncs; i++) {
        struct receipt r;

        if (desk_receipt_get(a->desk, span_str(sync_host(a->sync[i])->origin), m->mid, &r) == 0 &&
            (!first || r.time_ms < first))
            first = r.time_ms;
        receipt_release(&r);
    }
    return first ? first : env->stamp.sealed_ms;
}

uint64_t message_due(struct agent *a, const struct message *m, const struct envelope *env,
                     bool *bound)
{
    struct channel_facts facts;
    uint64_t agreed = 0, within = env->stamp.ack_within_s;

    *bound = false;
    if (!kind_owes_ack(m->kind))
        return 0;
    if (channel_agreement(a, m->channel, &facts))
        agreed = facts.agreement->deadline_s[env->stamp.precedence & 3];
    *bound = agreed > 0;
    if (within < agreed) /* the sender may give more time, but not less (common/rules.h) */
        within = agreed;
    return steps_due(recorded_ms(a, m, env), within);
}

/* ---- retracted? ---- */

struct retraction {
    struct agent *agent;
    const uint8_t *target;
    const char *sender;      /* only its own PoC retracts a message */
    unsigned kind;           /* looked for */
    const uint8_t *other_by; /* signed by another holder than this key's; NULL: by anybody */
    bool found;
    uint8_t mid[32], key[32];
};

/* One holder may have several keys. */
static bool one_hand(const struct agent *a, const uint8_t key[static 32],
                     const uint8_t other[static 32])
{
    struct key_facts one, two;

    if (memcmp(key, other, 32) == 0)
        return true;
    for (size_t i = 0; i < a->n_syncs; i++) {
        const struct directory *dir = sync_directory(a->sync[i]);

        directory_key(dir, DIRECTORY_NOW, DIRECTORY_RECORDED, key, &one);
        directory_key(dir, DIRECTORY_NOW, DIRECTORY_RECORDED, other, &two);
        if (one.holder.n && span_eq(one.holder, two.holder))
            return true;
    }
    return false;
}

/* A message of that kind whose first reference is the target. */
static int retraction_consider(void *arg, const uint8_t mid[static 32])
{
    struct retraction *r = arg;
    struct envelope *env = malloc(sizeof(*env));
    struct message m;
    int rc = desk_message(r->agent->desk, mid, &m);

    if (!rc && env && m.kind == r->kind && m.state != MESSAGE_REFUSED &&
        strcmp(m.sender, r->sender) == 0 &&
        envelope_decode(env, r->agent->station->realm, buf_span(&m.envelope)) == 0 &&
        env->header.n_refs && memcmp(env->header.ref[0], r->target, 32) == 0 &&
        (!r->other_by || !one_hand(r->agent, env->stamp.key, r->other_by))) {
        r->found = true;
        memcpy(r->mid, mid, 32);
        memcpy(r->key, env->stamp.key, 32);
    }
    message_release(&m);
    free(env);
    return rc == -HL_ENOENT ? 0 : rc;
}

static bool referred(struct retraction *r)
{
    return desk_ref_each(r->agent->desk, r->target, retraction_consider, r) == 0 && r->found;
}

/*
 * Retracted by one position, until a second of another holder confirms (endorses) or reverses
 * (retracts) the retraction.
 */
static const char *retraction_state(struct agent *a, const struct message *m)
{
    struct retraction r = {
        .agent = a, .target = m->mid, .sender = m->sender, .kind = KIND_RETRACTION
    };
    struct retraction after = { .agent = a, .target = r.mid, .sender = m->sender };

    if (!referred(&r))
        return "";
    after.other_by = r.key;
    after.kind = KIND_RETRACTION;
    if (referred(&after))
        return "reversed";
    after.kind = KIND_ENDORSEMENT;
    return referred(&after) ? "confirmed" : "unconfirmed";
}

/* ---- row message ---- */

static void flags_text(struct row *r, const struct message *m, const struct envelope *env)
{
    unsigned f = env->stamp.flags;

    row_printf(r, "flags", "%s%s%s%s", f & FLAG_BREAK_GLASS ? "break-glass," : "",
               f & FLAG_RELEASED_ALONE ? "released-alone," : "", f & FLAG_CARRIED ? "carried," : "",
               m->doubted ? "clock," : "");
    if (r->pair[r->n - 1].value.n)
        r->pair[r->n - 1].value.n--; /* the last comma */
}

static void message_pairs(struct verb *v, struct row *r, const struct message *m,
                          const struct envelope *env, const struct content *c)
{
    char number[NUMBER_SIZE];
    bool bound;

    number_print(number, span_str(m->sender), m->seq);
    row_printf(r, "number", "%s", number);
    row_32(r, "mid", m->mid);
    row_32(r, "id", m->id);
    row_str(r, "way", m->way == MESSAGE_OUT ? "out" : "in");
    row_str(r, "kind", kind_name(m->kind));
    row_uint(r, "code", env->header.code);
    row_str(r, "precedence", precedence_name(m->precedence));
    row_str(r, "sender", m->sender);
    row_span(r, "subject", c->subject);
    row_str(r, "state", message_state_name(m->state));
    row_uint(r, "sealed_ms", env->stamp.sealed_ms);
    row_uint(r, "stored_ms", m->time_ms);
    row_uint(r, "ack_within_s", env->stamp.ack_within_s);
    row_uint(r, "due_ms", message_due(v->agent, m, env, &bound));
    row_uint(r, "recorded", m->recorded);
    row_uint(r, "carried", m->carried);
    flags_text(r, m, env);
    row_uint(r, "attachment", content_field(c, "attachment").p != NULL);
    row_uint(r, "unread", m->state == MESSAGE_NEW);
    row_uint(r, "unacknowledged",
             m->way == MESSAGE_IN && kind_owes_ack(m->kind) &&
                 (m->state == MESSAGE_NEW || m->state == MESSAGE_SEEN));
    row_str(r, "retracted", retraction_state(v->agent, m));
    row_str(r, "sentence", m->sentence);
}

int message_row_send(struct verb *v, const struct message *m)
{
    struct envelope *env = malloc(sizeof(*env));
    struct content *c = calloc(1, sizeof(*c));
    char channel[CHANNEL_TEXT];
    struct row r;
    int rc = env && c ? 0 : -HL_ENOMEM;

    if (!rc && envelope_decode(env, v->agent->station->realm, buf_span(&m->envelope)))
        rc = -HL_ESTORE;
    if (!rc && m->content.n && content_decode(c, buf_span(&m->content)))
        rc = -HL_ESTORE;
    if (!rc) {
        row_begin(&r, "message");
        message_pairs(v, &r, m, env, c);
        channel_text(v->agent, m->channel, channel);
        row_str(&r, "channel", channel);
        row_32(&r, "channel-id", m->channel);
        rc = row_send(v, &r);
    }
    free(env);
    free(c);
    return rc;
}

int message_row_mid(struct verb *v, const uint8_t mid[static 32])
{
    struct message m;
    int rc = desk_message(v->agent->desk, mid, &m);

    if (!rc)
        rc = message_row_send(v, &m);
    message_release(&m);
    return rc;
}

/* ---- steps and hosts ---- */

int message_steps(struct agent *a, const struct message *m, const struct envelope *env,
                  struct steps *out)
{
    bool bound;
    int rc = ladder_read(a->desk, m->mid, &env->header, out);

    out->due_ms = message_due(a, m, env, &bound);
    return rc;
}

/* A step that came with a remark is kept as a message, too. */
int step_row_send(struct verb *v, const struct desk_step *step)
{
    struct content *c = calloc(1, sizeof(*c));
    struct message m;
    struct row r;
    int rc = c ? desk_message(v->agent->desk, step->mid, &m) : -HL_ENOMEM;

    if (!rc && m.content.n && content_decode(c, buf_span(&m.content)))
        rc = -HL_ESTORE;
    if (!rc || rc == -HL_ENOENT) {
        row_begin(&r, "step");
        row_span(&r, "poc", step->poc);
        row_str(&r, "kind", kind_name(step->kind));
        row_uint(&r, "code", step->code);
        row_uint(&r, "time_ms", step->time_ms);
        row_32(&r, "mid", step->mid);
        row_span(&r, "remark", content_field(c, "text"));
        rc = row_send(v, &r);
    }
    if (c)
        message_release(&m);
    free(c);
    return rc;
}

static int host_row(struct verb *v, const struct message *m, struct span origin)
{
    char sentence[256];
    struct receipt rec;
    struct row r;
    int why, out = desk_outbox_refusal(v->agent->desk, origin, m->id, &why, sentence);
    int rc = desk_receipt_get(v->agent->desk, origin, m->mid, &rec);

    if (rc == -HL_ENOENT && out == -HL_ENOENT)
        goto out;
    if (rc && rc != -HL_ENOENT)
        goto out;
    row_begin(&r, "host");
    row_span(&r, "host", origin);
    if (rc == 0) {
        row_uint(&r, "index", rec.index);
        row_uint(&r, "time_ms", rec.time_ms);
        row_uint(&r, "size", rec.size);
    }
    row_str(&r, "grade",
            rc == 0 && rec.proved ? "logged"
            : rc == 0             ? "claimed"
            : out                 ? "sent"
                                  : "refused");
    row_str(&r, "code", why ? error_name(why) : "");
    row_str(&r, "sentence", sentence);
    rc = row_send(v, &r);
out:
    receipt_release(&rec);
    return rc == -HL_ENOENT ? 0 : rc;
}

int host_rows(struct verb *v, const struct message *m)
{
    int rc = 0;

    for (size_t i = 0; i < v->agent->n_syncs && !rc; i++)
        rc = host_row(v, m, span_str(sync_host(v->agent->sync[i])->origin));
    return rc;
}
