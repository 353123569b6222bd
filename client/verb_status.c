#include <stdlib.h>
#include <string.h>

#include "client/duty.h"
#include "client/upkeep.h"
#include "client/verb_list.h"
#include "common/clock.h"
#include "common/error.h"
#include "common/tlog/checkpoint.h"

/* status: what stands, what is late, what to do next. */

struct status {
    struct verb *verb;
    struct desk_counts counts;
    bool doubted;
    uint64_t days_left, overdue, unanswered, dead, gaps;
};

/* The root keys of this station's own party were compared, here or by its first card. */
static bool status_pinned(const struct agent *a)
{
    struct span party = name_party(span_str(a->station->poc));
    uint8_t pin[32];

    for (size_t i = 0; i < a->n_syncs; i++)
        if (directory_pinned(sync_directory(a->sync[i]), party, pin))
            return true;
    return false;
}

static void status_clock(struct status *s, struct row *r)
{
    struct agent *a = s->verb->agent;
    uint64_t now = clock_now_ms(), newest = 0;

    for (size_t i = 0; i < a->n_syncs; i++)
        if (sync_cosigned_ms(a->sync[i]) > newest)
            newest = sync_cosigned_ms(a->sync[i]);
    compose_now(a, &s->doubted);
    row_str(r, "clock", !newest ? "unknown" : s->doubted ? "doubted" : "ok");
    row_printf(r, "clock_skew_s", "%lld",
               newest ? ((long long)now - (long long)newest) / 1000 : 0LL);
}

static int status_station(struct status *s)
{
    struct agent *a = s->verb->agent;
    uint64_t last;
    struct row r;
    int rc = desk_count(a->desk, &s->counts);

    if (rc)
        return rc;
    row_begin(&r, "station");
    row_str(&r, "realm", realm_name(a->station->realm));
    row_str(&r, "poc", a->station->poc);
    row_str(&r, "language", a->station->language);
    row_uint(&r, "agent", a->listen_fd >= 0);
    row_uint(&r, "unread", s->counts.unread);
    row_uint(&r, "unacknowledged", s->counts.unacknowledged);
    row_uint(&r, "outbox", s->counts.outbox);
    row_uint(&r, "drafts", s->counts.drafts);
    row_uint(&r, "evidence", s->counts.evidence);
    row_uint(&r, "events", s->counts.events);
    status_clock(s, &r);
    s->days_left = upkeep_days_left(a, &last);
    row_uint(&r, "subkeys_last_day", last);
    row_uint(&r, "subkeys_days_left", s->days_left);
    row_uint(&r, "pinned", status_pinned(a));
    return row_send(s->verb, &r);
}

/* ---- hosts ---- */

static int status_host(struct status *s, struct sync *sync)
{
    const struct station_host *host = sync_host(sync);
    const struct desk_host *seen = sync_seen(sync);
    uint64_t waiting, witnessed = 0;
    struct checkpoint cp;
    struct note note;
    struct row r;
    int rc = desk_outbox_waiting(s->verb->agent->desk, span_str(host->origin), &waiting);

    if (rc)
        return rc;
    if (seen->witnessed.n &&
        checkpoint_open(&cp, &note, buf_span(&seen->witnessed), &host->log) == 0)
        witnessed = cp.size;
    s->unanswered += sync_unanswered(sync);
    s->dead += sync_is_dead(sync);
    row_begin(&r, "host");
    row_str(&r, "host", host->origin);
    row_str(&r, "endpoint", host->endpoint);
    row_str(&r, "state", sync_state_name(sync));
    row_uint(&r, "unanswered", sync_unanswered(sync));
    row_uint(&r, "size", sync_size(sync));
    row_uint(&r, "witnessed_size", witnessed);
    row_uint(&r, "witnessed_ms", sync_cosigned_ms(sync));
    row_uint(&r, "outbox", waiting);
    row_str(&r, "sentence",
            sync_fault_text(sync)[0] ? sync_fault_text(sync)
            : sync_unanswered(sync)  ? error_text(HL_ENOANSWER)
                                     : "");
    return row_send(s->verb, &r);
}

/* ---- duty ---- */

static int status_duty(void *arg, struct span position, uint64_t since_ms)
{
    struct status *s = arg;
    struct row r;

    row_begin(&r, "duty");
    row_span(&r, "position", position);
    row_uint(&r, "since_ms", since_ms);
    row_uint(&r, "unlocked", duty_unlocked(s->verb->agent, position));
    return row_send(s->verb, &r);
}

/* ---- gaps ---- */

/* On a channel of two every number of the other comes here, so a missing one that stays missing is
 * an alarm. */
struct gap {
    struct status *status;
    struct span sender;
    const uint8_t *channel;
};

static int status_gap(void *arg, uint64_t first, uint64_t last, uint64_t since_ms)
{
    struct gap *g = arg;
    struct agent *a = g->status->verb->agent;
    char channel[CHANNEL_TEXT];
    struct channel_facts facts;
    bool alarm = false;
    struct row r;

    if (channel_agreement(a, g->channel, &facts))
        alarm = facts.channel->n_members == 2 &&
                clock_now_ms() > since_ms + facts.agreement->handling_s[PRECEDENCE_ROUTINE] * 1000;
    g->status->gaps += alarm;
    channel_text(a, g->channel, channel);
    row_begin(&r, "gap");
    row_span(&r, "sender", g->sender);
    row_str(&r, "channel", channel);
    row_uint(&r, "first_seq", first);
    row_uint(&r, "last_seq", last);
    row_uint(&r, "since_ms", since_ms);
    row_uint(&r, "alarm", alarm);
    return row_send(g->status->verb, &r);
}

static int status_gaps(void *arg, struct span sender, const uint8_t channel[static 32])
{
    struct gap g = { arg, sender, channel };

    return desk_gaps(g.status->verb->agent->desk, sender, channel, status_gap, &g);
}

/* ---- overdue ---- */

struct late {
    struct status *status;
    struct envelope env;
    struct steps steps;
};

static int overdue_row(struct status *s, const struct message *m, const struct step_state *at,
                       uint64_t due_ms)
{
    char number[NUMBER_SIZE];
    struct row r;

    number_print(number, span_str(m->sender), m->seq);
    s->overdue++;
    row_begin(&r, "overdue");
    row_str(&r, "number", number);
    row_32(&r, "mid", m->mid);
    row_str(&r, "precedence", precedence_name(m->precedence));
    row_span(&r, "poc", at->poc);
    row_uint(&r, "undelivered", at->delivered_ms == 0);
    row_uint(&r, "due_ms", due_ms);
    return row_send(s->verb, &r);
}

static int overdue_consider(void *arg, const struct message *m)
{
    struct late *l = arg;
    struct agent *a = l->status->verb->agent;
    size_t undelivered;
    int rc;

    if (!kind_owes_ack(m->kind) || m->state != MESSAGE_RECORDED)
        return 0;
    if (envelope_decode(&l->env, a->station->realm, buf_span(&m->envelope)))
        return -HL_ESTORE;
    rc = message_steps(a, m, &l->env, &l->steps);
    if (rc || !steps_overdue(&l->steps, clock_now_ms(), &undelivered))
        return rc;
    for (size_t i = 0; i < l->steps.n && !rc; i++)
        if (l->steps.at[i].role == ROLE_ACTION && !l->steps.at[i].acknowledged_ms)
            rc = overdue_row(l->status, m, &l->steps.at[i], l->steps.due_ms);
    return rc;
}

static int status_overdue(struct status *s)
{
    struct late *l = calloc(1, sizeof(*l));
    int rc = -HL_ENOMEM;

    if (!l)
        return rc;
    l->status = s;
    rc = desk_each_open(s->verb->agent->desk, MESSAGE_OUT, overdue_consider, l);
    free(l);
    return rc;
}

/* ---- what to do now ---- */

static int status_next(struct status *s)
{
    const struct {
        bool when;
        const char *sentence;
    } hints[] = {
        { s->dead > 0,
          "a host is closed for good: show its evidence to the other parties (hotline evidence)" },
        { s->overdue > 0, "a recipient has not acknowledged in time: telephone it" },
        { s->counts.unacknowledged > 0, "messages wait for your acknowledgement: hotline inbox" },
        { s->gaps > 0, "numbers of a sender are missing: ask it by telephone" },
        { s->unanswered > 0,
          "a host does not answer: it is down or does not know this station's key" },
        { s->doubted, "this clock and that of the witnesses differ by more than a day: set it" },
        { s->days_left == 0, "no subkeys are announced: nobody can write to this desk" },
        { s->counts.drafts > 0, "drafts wait for release: hotline drafts" },
    };
    struct row r;
    int rc = 0;

    for (size_t i = 0; i < COUNT(hints) && !rc; i++) {
        if (!hints[i].when)
            continue;
        row_begin(&r, "next");
        row_str(&r, "sentence", hints[i].sentence);
        rc = row_send(s->verb, &r);
    }
    return rc;
}

int verb_status_begin(struct verb *v)
{
    struct status s = { .verb = v };
    int rc = status_station(&s);

    for (size_t i = 0; i < v->agent->n_syncs && !rc; i++)
        rc = status_host(&s, v->agent->sync[i]);
    if (!rc)
        rc = desk_duty_each(v->agent->desk, status_duty, &s);
    if (!rc)
        rc = desk_senders(v->agent->desk, status_gaps, &s);
    if (!rc)
        rc = status_overdue(&s);
    return rc ? rc : status_next(&s);
}
