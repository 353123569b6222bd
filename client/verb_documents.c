#include <stdlib.h>
#include <string.h>

#include "client/upkeep.h"
#include "client/verb_list.h"
#include "common/document.h"
#include "common/error.h"

/* documents, submit, subkeys-announce: public documents and agreement notes, from and to the logs.
 */

/* ---- documents ---- */

struct listing {
    struct verb *verb;
    struct span origin;
};

static int document_row(void *arg, uint64_t index, uint64_t time_ms, struct span note)
{
    struct listing *l = arg;
    struct span type = verb_get(l->verb->req, "type");
    struct document doc;
    struct row r;

    if (document_decode(&doc, l->verb->agent->station->realm, note) ||
        (type.n && !span_eq_str(type, document_type_name(doc.type))))
        return 0;
    row_begin(&r, "document");
    row_span(&r, "host", l->origin);
    row_uint(&r, "index", index);
    row_uint(&r, "time_ms", time_ms);
    row_str(&r, "type", document_type_name(doc.type));
    row_span(&r, "bytes", note);
    return row_send(l->verb, &r);
}

int verb_documents_begin(struct verb *v)
{
    struct span host = verb_get(v->req, "host");
    int rc = 0;

    for (size_t i = 0; i < v->agent->n_syncs && !rc; i++) {
        struct listing l = { v, span_str(sync_host(v->agent->sync[i])->origin) };

        if (!host.n || span_eq(host, l.origin))
            rc = desk_document_each(v->agent->desk, l.origin, document_row, &l);
    }
    return rc;
}

/* ---- submit ---- */

static bool host_asked(const struct verb *v, struct span origin)
{
    struct span s;
    size_t i = 0;

    for (; (s = verb_get_nth(v->req, "host", i)).p; i++)
        if (span_eq(s, origin))
            return true;
    return i == 0;
}

static int submitting_row(struct verb *v, struct span origin, const struct receipt *rec, int why,
                          const char *sentence)
{
    struct row r;

    row_begin(&r, "document");
    row_span(&r, "host", origin);
    row_str(&r, "state", rec ? "recorded" : why ? "refused" : "queued");
    if (rec) {
        row_uint(&r, "index", rec->index);
        row_uint(&r, "time_ms", rec->time_ms);
    }
    row_str(&r, "code", why ? error_name(why) : "");
    row_str(&r, "sentence", sentence);
    return row_send(v, &r);
}

/* One host: 1 it waits; 0 recorded; else why it refused.  With @say, its row. */
static int submitting_host(struct verb *v, const struct submitting *s, size_t i, bool say,
                           char sentence[static 256])
{
    struct receipt rec;
    int why = 0, rc = desk_receipt_get(v->agent->desk, s->origin[i], s->id, &rec), said = 0;
    bool recorded = rc == 0 && rec.proved;

    if (!recorded && (rc == 0 || rc == -HL_ENOENT))
        rc = desk_outbox_refusal(v->agent->desk, s->origin[i], s->id, &why, sentence);
    if (say && rc >= 0)
        said =
            submitting_row(v, s->origin[i], recorded ? &rec : NULL, why, recorded ? "" : sentence);
    receipt_release(&rec);
    if (said)
        return said;
    return rc < 0 ? rc : rc == 1 ? 1 : why;
}

int submitting_look(struct verb *v, bool over)
{
    struct submitting *s = v->state;
    char sentence[256] = "", first[256] = "";
    bool waits = false;
    int refused = 0;

    for (size_t i = 0; i < s->n; i++)
        waits |= submitting_host(v, s, i, false, sentence) == 1;
    if (waits && !over)
        return VERB_WAITS;
    for (size_t i = 0; i < s->n; i++) {
        int rc = submitting_host(v, s, i, true, sentence);

        if (v->gone)
            return -HL_ESTATE;
        if (rc < 0 && !refused) {
            refused = rc;
            memcpy(first, sentence, sizeof(first));
        }
    }
    if (refused)
        return verb_fail(v, refused, "%s", first);
    return waits ? -HL_EQUEUED : 0;
}

int submitting_begin(struct verb *v, struct submitting *s)
{
    int rc = verb_wait(v, VERB_RECORD_WAIT_MS);

    for (size_t i = 0; i < s->n && !rc; i++)
        for (size_t k = 0; k < v->agent->n_syncs; k++)
            if (span_eq_str(s->origin[i], sync_host(v->agent->sync[k])->origin))
                sync_kick(v->agent->sync[k]);
    return rc ? rc : submitting_look(v, span_eq_str(verb_get(v->req, "wait_s"), "0"));
}

int verb_submit_begin(struct verb *v)
{
    struct submitting *s = v->state;
    struct span note = verb_get(v->req, "bytes");
    struct document doc;
    int rc = document_decode(&doc, v->agent->station->realm, note);

    if (rc)
        return verb_fail(v, rc, "this is no document of the %s realm: %s",
                         realm_name(v->agent->station->realm), error_text(rc));
    for (size_t i = 0; i < v->agent->n_syncs; i++) {
        struct span origin = span_str(sync_host(v->agent->sync[i])->origin);

        if (host_asked(v, origin))
            s->origin[s->n++] = origin;
    }
    if (s->n == 0)
        return verb_fail(v, -HL_EHOST, "this desk is set up for no such host");
    rc = desk_outbox_document(v->agent->desk, note, s->origin, s->n, s->id);
    return rc ? rc : submitting_begin(v, s);
}

int verb_subkeys_announce_begin(struct verb *v)
{
    struct submitting *s = v->state;
    int rc = upkeep_announce(v->agent, s->id, &v->why);

    for (size_t i = 0; i < v->agent->n_syncs; i++)
        if (!sync_is_dead(v->agent->sync[i]))
            s->origin[s->n++] = span_str(sync_host(v->agent->sync[i])->origin);
    return rc ? rc : submitting_begin(v, s);
}
