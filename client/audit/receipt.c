#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/audit/prove.h"
#include "common/json.h"
#include "common/text.h"

#define OPENING_MAX (RECORD_SALT + RECORD_MAX)

static int verdict(struct audit_receipt *r, enum audit_verdict v, int rc, const char *why)
{
    r->verdict = v;
    r->rc = rc;
    text_safe(&r->why, span_str(why));
    return 0;
}

/* Which realm's label makes the opening the entry's?  None: it is not the entry's. */
static int match(struct audit_receipt *r, struct span entry, struct span opening)
{
    static const enum realm realms[] = { REALM_LIVE, REALM_EXERCISE };
    uint8_t want[32];

    for (size_t i = 0; i < COUNT(realms); i++) {
        record_entry(want, realms[i], opening.p,
                     SPAN(opening.p + RECORD_SALT, opening.n - RECORD_SALT));
        r->realm = realms[i];
        if (span_eq(entry, SPAN(want, 32)))
            return 0;
    }
    return -HL_ELEAF;
}

static int open_envelope(struct audit_receipt *r, const struct record *rec)
{
    struct envelope *env = malloc(sizeof(*env));
    int rc;

    if (!env)
        return -HL_ENOMEM;
    rc = envelope_decode_parts(env, r->realm, rec->header, rec->stamp, rec->wraps_hash,
                               rec->body_hash, rec->sig);
    if (!rc)
        rc = envelope_verify(env);
    if (!rc) {
        number_print(r->number, env->header.sender, env->stamp.seq);
        memcpy(r->sender, env->header.sender.p, env->header.sender.n);
        r->kind = env->header.kind;
    }
    free(env);
    return rc;
}

static int open_extra(struct audit_receipt *r, struct span entry, struct span base64)
{
    uint8_t *raw = malloc(OPENING_MAX);
    struct record rec;
    size_t n;
    int rc = raw ? text_unbase64(raw, OPENING_MAX, &n, base64) : -HL_ENOMEM;

    if (!rc)
        rc = n <= RECORD_SALT ? -HL_ELEAF : match(r, entry, SPAN(raw, n));
    if (!rc)
        rc = record_decode(&rec, SPAN(raw + RECORD_SALT, n - RECORD_SALT));
    if (!rc && rec.type == RECORD_ENVELOPE)
        rc = open_envelope(r, &rec);
    if (!rc) {
        r->opened = true;
        r->type = rec.type;
        r->time_ms = rec.time_ms;
    }
    free(raw);
    return rc;
}

static int judge(const struct quorum *q, struct span proof, struct span entry,
                 struct audit_receipt *r)
{
    struct checkpoint cp;
    struct proof p;
    int rc = quorum_check_proof(q, proof, entry, &p, &cp, &r->witnesses);

    if (!rc) {
        snprintf(r->origin, sizeof(r->origin), "%s", r->witnesses.log->name);
        r->witnesses.log = NULL;
        r->index = p.index;
        r->size = cp.size;
        if (p.has_extra)
            rc = open_extra(r, entry, p.extra_base64);
    }
    if (rc == -HL_ENOMEM)
        return rc;
    if (rc)
        return verdict(r, AUDIT_FAILED, rc, error_text(rc));
    if (!r->witnesses.met)
        return verdict(r, AUDIT_INCOMPLETE, -HL_EQUORUM, error_text(-HL_EQUORUM));
    r->verdict = AUDIT_VERIFIED;
    return 0;
}

int audit_receipt(struct span proof, struct span entry, struct span policy, struct audit_receipt *r)
{
    struct quorum *q;
    struct buf why;
    int rc;

    *r = (struct audit_receipt){ .verdict = AUDIT_FAILED };
    buf_init(&r->why, 4000);
    buf_init(&why, 1000);
    rc = quorum_parse(&q, policy, &why);
    if (rc && rc != -HL_ENOMEM)
        rc = verdict(r, AUDIT_INCOMPLETE, -HL_EINCOMPLETE, buf_str(&why));
    else if (!rc)
        rc = judge(q, proof, entry, r);
    quorum_free(q);
    buf_release(&why);
    return rc;
}

void audit_receipt_release(struct audit_receipt *r)
{
    buf_release(&r->why);
}

static const char *type_name(enum record_type type)
{
    switch (type) {
    case RECORD_DUMMY:
        return "a dummy";
    case RECORD_ENVELOPE:
        return "an envelope";
    case RECORD_AGREEMENT:
        return "an agreement note";
    case RECORD_NOTICE:
        return "a notice of the host";
    }
    return "";
}

static void put_opening(struct buf *out, const struct audit_receipt *r)
{
    char time[TEXT_TIME_SIZE];

    if (!r->opened)
        return;
    text_time_ms(time, r->time_ms);
    buf_printf(out, "  opened   %s, recorded %s by the host's clock (%s)\n", type_name(r->type),
               time, r->realm == REALM_LIVE ? "LIVE" : "EXERCISE");
    if (r->type == RECORD_ENVELOPE)
        buf_printf(
            out, "           %s, %s from %s; its signature verifies under the key that it names\n",
            r->number, kind_name(r->kind), r->sender);
}

int audit_receipt_card(struct buf *out, const struct audit_receipt *r)
{
    char oldest[TEXT_TIME_SIZE];

    buf_printf(out, "%-10s ", audit_verdict_name(r->verdict));
    if (!r->origin[0]) {
        buf_printf(out, "%s: %.*s\n", error_name(r->rc), (int)r->why.n, (const char *)r->why.p);
        return out->bad;
    }
    buf_printf(out, "entry %" PRIu64 " of %s, in a tree of %" PRIu64 "\n", r->index, r->origin,
               r->size);
    if (r->rc)
        buf_printf(out, "  %s: %.*s\n", error_name(r->rc), (int)r->why.n, (const char *)r->why.p);
    buf_printf(out, "  grade    %s: %u of %u witnesses\n",
               r->witnesses.met ? "witnessed" : "logged", r->witnesses.cosigned, r->witnesses.of);
    if (r->witnesses.oldest) {
        text_time(oldest, r->witnesses.oldest * 1000);
        buf_printf(out, "           existed by %s (first cosignature)\n", oldest);
    }
    put_opening(out, r);
    buf_put_str(out, "What this proves:        the entry stands in the log at this index, "
                     "unchanged since then.\n"
                     "What it does not prove:  whose key signed it (the directory says that: audit "
                     "verify); that\n"
                     "                         the content is true.\n");
    return out->bad;
}

int audit_receipt_json(struct buf *out, const struct audit_receipt *r)
{
    struct json j;

    json_init(&j, out);
    json_begin(&j, "receipt", r->opened ? realm_name(r->realm) : "");
    json_str(&j, "verdict", audit_verdict_name(r->verdict));
    if (r->rc) {
        json_str(&j, "error", error_name(r->rc));
        json_span(&j, "why", buf_span(&r->why));
    }
    if (r->origin[0]) {
        json_str(&j, "log", r->origin);
        json_uint(&j, "entry", r->index);
        json_uint(&j, "size", r->size);
        json_str(&j, "grade", r->witnesses.met ? "witnessed" : "logged");
        json_uint(&j, "cosigned", r->witnesses.cosigned);
        json_uint(&j, "witnesses", r->witnesses.of);
        json_uint(&j, "cosigned_ms", r->witnesses.oldest * 1000);
    }
    if (r->opened)
        json_uint(&j, "time_ms", r->time_ms);
    if (r->opened && r->type == RECORD_ENVELOPE) {
        json_str(&j, "number", r->number);
        json_str(&j, "kind", kind_name(r->kind));
        json_str(&j, "sender", r->sender);
    }
    json_end(&j);
    return buf_put_u8(out, '\n');
}
