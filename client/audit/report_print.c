/*
 * The verdict card, and the same as JSON.  The verdict is the first word; what it proves and what
 * it does not comes with it, always.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/audit/report.h"
#include "common/json.h"
#include "common/text.h"

/* "1 042": groups of three digits, as in print. */
static const char *grouped(char out[static 32], uint64_t v)
{
    char digits[24];
    size_t n = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, v), k = 0;

    for (size_t i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0)
            out[k++] = ' ';
        out[k++] = digits[i];
    }
    out[k] = 0;
    return out;
}

static void put_period(struct buf *out, const struct audit_report *r)
{
    char from[TEXT_TIME_SIZE], until[TEXT_TIME_SIZE];

    if (!r->first_ms)
        return;
    text_time(from, r->first_ms);
    text_time(until, r->last_ms);
    buf_printf(out, ", %s to %s", from, until);
}

static void put_failure(struct buf *out, const struct audit_report *r)
{
    if (!r->failed)
        return;
    if (r->at_entry)
        buf_printf(out, "  first bad entry: %" PRIu64 "\n", r->failed_entry);
    buf_printf(out, "  %s: %.*s\n", error_name(r->failed), (int)r->why.n, (const char *)r->why.p);
    buf_printf(out, "  last good checkpoint: %" PRIu64 " entries\n", r->good_size);
    buf_printf(out, "  do now: %s\n", error_hint(r->failed));
}

static void put_list(struct buf *out, const char *head, const struct audit_lines *l)
{
    struct span rest = buf_span(&l->text), line;

    if (!l->n)
        return;
    buf_printf(out, "%s\n", head);
    while (text_line(&rest, &line))
        buf_printf(out, "  - %.*s\n", (int)line.n, (const char *)line.p);
    if (l->n > AUDIT_LINES_MAX)
        buf_printf(out, "  and %zu more\n", l->n - AUDIT_LINES_MAX);
}

static void put_counts(struct buf *out, const struct audit_report *r)
{
    buf_printf(out,
               "  signatures %" PRIu64 "/%" PRIu64 "   inclusion %" PRIu64 "/%" PRIu64
               "   consistency %" PRIu64 "/%" PRIu64 " checkpoints   witnesses %u of %u (%s)\n",
               r->signatures, r->envelopes, r->good_size, r->size, r->consistent, r->checkpoints,
               r->cosigned, r->witnesses, r->quorum ? "quorum met" : "quorum not met");
    if (!r->quorum && r->witnessed)
        buf_printf(out, "  witnessed: the first %" PRIu64 " entries\n", r->witnessed);
    buf_printf(out,
               "  opened %" PRIu64 " of %" PRIu64 " commitments; public documents %" PRIu64 "\n",
               r->opened, r->commitments, r->documents);
    buf_printf(out,
               "  envelopes %" PRIu64 "   agreement notes %" PRIu64 "   notices %" PRIu64
               "   dummies %" PRIu64 "   released alone %" PRIu64 "\n",
               r->envelopes, r->agreements, r->notices, r->dummies, r->alone);
    if (r->due)
        buf_printf(out,
                   "  answers due %" PRIu64 ": in time %" PRIu64 ", late %" PRIu64 ", none %" PRIu64
                   " (attendance hours not counted)\n",
                   r->due, r->in_time, r->late, r->unanswered);
}

static void put_numbers(struct buf *out, const struct audit_report *r)
{
    char number[NUMBER_SIZE];

    if (!r->n_numbers)
        return;
    buf_put_str(out, "Up to where, by sender and channel:\n");
    for (size_t i = 0; i < r->n_numbers; i++) {
        const struct audit_number *a = &r->number[i];

        number_print(number, span_str(a->sender), a->upto ? a->upto : a->highest);
        buf_printf(out, "  %s on %s: ", a->sender,
                   a->name[0] ? a->name : "a channel not open here");
        if (a->upto == a->highest)
            buf_printf(out, "complete up to %s (entry %" PRIu64 ")\n", number, a->last_index);
        else if (a->upto)
            buf_printf(out, "complete up to %s; beyond it %" PRIu64 " of %" PRIu64 " held\n",
                       number, a->held - a->upto, a->highest - a->upto);
        else
            buf_printf(out, "number 1 is not held; %" PRIu64 " of %" PRIu64 " held, the last %s\n",
                       a->held, a->highest, number);
    }
    buf_put_str(out, "  beyond these numbers nothing is known: ask the senders for their last.\n");
}

static const char proves[] =
    "What this proves:        every entry is as the log signed it and as the witnesses saw it; "
    "nothing\n"
    "                         was changed, removed or reordered since.  What was opened was signed "
    "by\n"
    "                         the keys in force at its entry, under an agreement that allows it.\n";
static const char not_proves[] = "What it does not prove:  that the content is true; that no "
                                 "message was sent by other means; what\n"
                                 "                         stands in entries that were not opened "
                                 "here; anything later than the\n"
                                 "                         checkpoint.\n";

int audit_card(struct buf *out, const struct audit_report *r)
{
    enum audit_verdict v = audit_verdict(r);
    char n[32];

    buf_printf(out, "%-10s %s entries", audit_verdict_name(v), grouped(n, r->size));
    put_period(out, r);
    buf_printf(out, "\n  log %s (%s)   mirror ", r->origin[0] ? r->origin : "unknown",
               r->realm == REALM_LIVE ? "LIVE" : "EXERCISE");
    text_safe(out, span_str(r->path));
    buf_put_str(out, "\n");
    put_failure(out, r);
    put_counts(out, r);
    put_list(out, "Missing:", &r->missing);
    put_list(out, "Alarms:", &r->alarms);
    put_numbers(out, r);
    if (v == AUDIT_VERIFIED)
        buf_put_str(out, proves);
    else
        buf_printf(out, "What this proves:        %s\n",
                   v == AUDIT_FAILED
                       ? "something is wrong; keep the mirror as it is, it is evidence."
                       : "nothing that is here is wrong; it is not the whole.");
    return buf_put_str(out, not_proves);
}

static void json_lines(struct json *j, const char *key, const struct audit_lines *l)
{
    struct span rest = buf_span(&l->text), line;

    json_array(j, key);
    while (text_line(&rest, &line))
        json_span(j, NULL, line);
    json_array_end(j);
}

static void json_failure(struct json *j, const struct audit_report *r)
{
    if (!r->failed)
        return;
    json_object(j, "failed");
    json_str(j, "error", error_name(r->failed));
    json_span(j, "why", buf_span(&r->why));
    if (r->at_entry)
        json_uint(j, "entry", r->failed_entry);
    json_uint(j, "last_good_checkpoint", r->good_size);
    json_end(j);
}

static void json_numbers(struct json *j, const struct audit_report *r)
{
    json_array(j, "numbers");
    for (size_t i = 0; i < r->n_numbers; i++) {
        const struct audit_number *a = &r->number[i];

        json_object(j, NULL);
        json_str(j, "sender", a->sender);
        json_hex(j, "channel", a->channel, 32);
        json_str(j, "channel_name", a->name);
        json_uint(j, "complete_up_to", a->upto);
        json_uint(j, "highest", a->highest);
        json_uint(j, "held", a->held);
        json_uint(j, "last_entry", a->last_index);
        json_end(j);
    }
    json_array_end(j);
}

int audit_json(struct buf *out, const struct audit_report *r)
{
    const struct {
        const char *key;
        uint64_t v;
    } counts[] = {
        { "entries", r->size },
        { "checked", r->checked },
        { "documents", r->documents },
        { "commitments", r->commitments },
        { "opened", r->opened },
        { "envelopes", r->envelopes },
        { "signatures", r->signatures },
        { "agreement_notes", r->agreements },
        { "notices", r->notices },
        { "dummies", r->dummies },
        { "released_alone", r->alone },
        { "first_ms", r->first_ms },
        { "last_ms", r->last_ms },
        { "checkpoints", r->checkpoints },
        { "consistent", r->consistent },
        { "cosigned", r->cosigned },
        { "witnesses", r->witnesses },
        { "witnessed_entries", r->witnessed },
        { "cosigned_ms", r->cosigned_ms },
        { "answers_due", r->due },
        { "answers_in_time", r->in_time },
        { "answers_late", r->late },
        { "answers_none", r->unanswered },
        { "missing_count", r->missing.n },
        { "alarms_count", r->alarms.n },
    };
    struct json j;

    json_init(&j, out);
    json_begin(&j, "audit", realm_name(r->realm));
    json_str(&j, "verdict", audit_verdict_name(audit_verdict(r)));
    json_str(&j, "log", r->origin);
    json_failure(&j, r);
    for (size_t i = 0; i < COUNT(counts); i++)
        json_uint(&j, counts[i].key, counts[i].v);
    json_bool(&j, "quorum", r->quorum);
    json_lines(&j, "missing", &r->missing);
    json_lines(&j, "alarms", &r->alarms);
    json_numbers(&j, r);
    json_end(&j);
    return buf_put_u8(out, '\n');
}
