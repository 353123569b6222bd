#include <stdlib.h>
#include <string.h>

#include "client/verb_list.h"
#include "common/card.h"
#include "common/error.h"
#include "common/text.h"

/* Drafts, and their release: by a position on duty here, or by a key that signs in a process of its
 * own. */

static const char *role_text(unsigned role, char out[static 16])
{
    size_t n = 0;

    if (role == ROLE_ACTION)
        return "action";
    if (role == ROLE_INFORMATION)
        return "information";
    memcpy(out, "alternate ", 10);
    n = 10;
    out[n++] = (char)('0' + (role - ROLE_ALTERNATE) % 10);
    out[n] = 0;
    return out;
}

/* ---- which draft ---- */

struct draft_search {
    uint64_t at, want; /* ordinal, from 1 */
    const uint8_t *mid;
    uint8_t found[32];
};

static int draft_consider(void *arg, const struct desk_draft *d)
{
    struct draft_search *s = arg;

    s->at++;
    if (s->mid ? memcmp(s->mid, d->mid, 32) != 0 : s->at != s->want)
        return 0;
    memcpy(s->found, d->mid, 32);
    return 1;
}

static int draft_named(struct verb *v, struct desk_draft *draft, uint64_t *number)
{
    struct draft_search s = { 0 };
    int rc = verb_32(v, "mid", &s.mid);

    desk_draft_init(draft);
    if (rc == -HL_ENOENT) {
        rc = verb_uint(v, "draft", 0, &s.want);
        if (!rc && !s.want)
            rc =
                verb_fail(v, -HL_EUSAGE, "name a draft: its number in `drafts`, or its message id");
    }
    if (rc)
        return rc;
    rc = desk_draft_each(v->agent->desk, draft_consider, &s);
    *number = s.at;
    if (rc == 1)
        return desk_draft_get(v->agent->desk, s.found, draft);
    return rc ? rc : verb_fail(v, -HL_ENOENT, "no such draft");
}

uint64_t draft_ordinal(struct agent *a, const uint8_t mid[static 32])
{
    struct draft_search s = { .mid = mid };

    return desk_draft_each(a->desk, draft_consider, &s) == 1 ? s.at : 0;
}

/* ---- rows ---- */

static const struct card_key *card_key_of(struct agent *a, const uint8_t key[static 32])
{
    for (size_t i = 0; i < a->n_syncs; i++) {
        const struct card_poc *poc =
            directory_poc(sync_directory(a->sync[i]), DIRECTORY_NOW, span_str(a->station->poc));

        for (size_t k = 0; poc && k < poc->n_keys; k++)
            if (memcmp(poc->key[k].key, key, 32) == 0)
                return &poc->key[k];
    }
    return NULL;
}

static void draft_to(struct row *r, const struct header *h)
{
    struct buf to;

    buf_init(&to, 3000);
    for (size_t i = 0; i < h->n_to; i++) {
        char role[16];

        buf_printf(&to, "%s%.*s %s", i ? ", " : "", (int)h->to[i].poc.n,
                   (const char *)h->to[i].poc.p, role_text(h->to[i].role, role));
    }
    row_printf(r, "to", "%s", to.bad ? "(many)" : buf_str(&to));
    buf_release(&to);
}

static int draft_rows(struct verb *v, const struct desk_draft *d, uint64_t number,
                      const struct header *h, const struct content *c)
{
    const struct card_key *key = d->signed_draft ? card_key_of(v->agent, d->draft_key) : NULL;
    char channel[CHANNEL_TEXT];
    struct row r;

    row_begin(&r, "draft");
    row_uint(&r, "draft", number);
    row_32(&r, "mid", d->mid);
    row_span(&r, "subject", c->subject);
    row_str(&r, "kind", kind_name(h->kind));
    row_str(&r, "precedence", precedence_name(d->precedence));
    channel_text(v->agent, h->channel, channel);
    row_str(&r, "channel", channel);
    draft_to(&r, h);
    row_uint(&r, "drafted_ms", h->drafted_ms);
    row_span(&r, "position", key ? key->position : SPAN_NONE);
    row_32(&r, "key", d->signed_draft ? d->draft_key : NULL);
    row_uint(&r, "signed", d->signed_draft);
    return row_send(v, &r);
}

static int draft_parts(struct verb *v, struct span header, struct span content, struct header **h,
                       struct content **c)
{
    *h = malloc(sizeof(**h));
    *c = calloc(1, sizeof(**c));
    if (!*h || !*c)
        return -HL_ENOMEM;
    return header_decode(*h, v->agent->station->realm, header) || content_decode(*c, content)
               ? -HL_ESTORE
               : 0;
}

int draft_row_send(struct verb *v, const struct desk_draft *d, uint64_t number)
{
    struct header *h;
    struct content *c;
    int rc = draft_parts(v, buf_span(&d->header), buf_span(&d->content), &h, &c);

    if (!rc)
        rc = draft_rows(v, d, number, h, c);
    free(h);
    free(c);
    return rc;
}

struct listing {
    struct verb *verb;
    uint64_t at;
};

static int draft_list(void *arg, const struct desk_draft *d)
{
    struct listing *l = arg;

    return draft_row_send(l->verb, d, ++l->at);
}

int verb_drafts_begin(struct verb *v)
{
    struct listing l = { v, 0 };

    return desk_draft_each(v->agent->desk, draft_list, &l);
}

static int recipient_rows(struct verb *v, const struct header *h)
{
    struct row r;
    char role[16];
    int rc = 0;

    for (size_t i = 0; i < h->n_to && !rc; i++) {
        row_begin(&r, "recipient");
        row_span(&r, "poc", h->to[i].poc);
        row_str(&r, "role", role_text(h->to[i].role, role));
        rc = row_send(v, &r);
    }
    return rc;
}

static int field_rows(struct verb *v, const struct content *c)
{
    struct row r;
    int rc = 0;

    for (size_t i = CONTENT_FIXED; i < c->n && !rc; i++) {
        row_begin(&r, "field");
        row_span(&r, "name", c->name[i]);
        row_span(&r, "bytes", c->field[i]);
        rc = row_send(v, &r);
    }
    return rc;
}

int verb_draft_show_begin(struct verb *v)
{
    struct desk_draft draft;
    struct header *h = NULL;
    struct content *c = NULL;
    uint64_t number;
    int rc = draft_named(v, &draft, &number);

    if (!rc)
        rc = draft_parts(v, buf_span(&draft.header), buf_span(&draft.content), &h, &c);
    if (!rc)
        rc = draft_rows(v, &draft, number, h, c);
    if (!rc)
        rc = recipient_rows(v, h);
    if (!rc)
        rc = field_rows(v, c);
    free(h);
    free(c);
    desk_draft_release(&draft);
    return rc;
}

int verb_draft_drop_begin(struct verb *v)
{
    struct desk_draft draft;
    uint64_t number;
    int rc = draft_named(v, &draft, &number);

    if (!rc)
        rc = desk_draft_drop(v->agent->desk, draft.mid);
    desk_draft_release(&draft);
    v->agent->changed++;
    return rc;
}

/* ---- release ---- */

int verb_release_begin(struct verb *v)
{
    struct desk_draft draft;
    uint64_t number;
    int rc = draft_named(v, &draft, &number);

    if (!rc)
        rc = verb_release_draft(v, &draft, v->state);
    desk_draft_release(&draft);
    return rc;
}

static int prepared_row(struct verb *v, const struct desk_draft *d, const struct prepared *p)
{
    struct envelope *env = malloc(sizeof(*env));
    char number[NUMBER_SIZE];
    struct row r;
    int rc = env ? 0 : -HL_ENOMEM;

    if (!rc && envelope_decode(env, v->agent->station->realm, buf_span(&p->message.envelope)))
        rc = -HL_ESTORE;
    if (!rc) {
        number_print(number, span_str(p->message.sender), p->message.seq);
        row_begin(&r, "release");
        row_32(&r, "mid", env->mid);
        row_32(&r, "id", env->id);
        row_str(&r, "number", number);
        row_span(&r, "header", env->header_bytes);
        row_span(&r, "content", buf_span(&d->content));
        row_32(&r, "salt", d->salt);
        row_32(&r, "draft_key", d->signed_draft ? d->draft_key : NULL);
        row_span(&r, "draft_sig", SPAN(d->draft_sig, d->signed_draft ? 64 : 0));
        row_span(&r, "stamp", env->stamp_bytes);
        row_32(&r, "wraps_hash", env->wraps_hash);
        row_32(&r, "body_hash", env->body_hash);
        rc = row_send(v, &r);
    }
    free(env);
    return rc;
}

int verb_release_prepare_begin(struct verb *v)
{
    unsigned flags = (verb_yes(v, "alone") ? FLAG_RELEASED_ALONE : 0) |
                     (verb_yes(v, "break_glass") ? FLAG_BREAK_GLASS : 0);
    struct desk_draft draft;
    struct prepared p;
    const uint8_t *key;
    uint64_t number;
    int rc = draft_named(v, &draft, &number);

    prepared_init(&p);
    if (!rc && (rc = verb_32(v, "key", &key)) == -HL_ENOENT)
        rc = verb_fail(v, -HL_EUSAGE, "key: who will sign, 32 bytes");
    if (!rc)
        rc = compose_prepare(v->agent, &draft, key, flags, &p, &v->why);
    if (!rc)
        rc = prepared_keep(v->agent, &p);
    if (!rc)
        rc = prepared_row(v, &draft, &p);
    prepared_release(&p);
    desk_draft_release(&draft);
    return rc;
}

int verb_release_commit_begin(struct verb *v)
{
    struct span sig = verb_get(v->req, "sig");
    struct prepared p;
    const uint8_t *id;
    int rc = verb_32(v, "id", &id);

    if (rc || sig.n != 64)
        return verb_fail(v, -HL_EUSAGE, "want id (32 bytes) and sig (64 bytes)");
    prepared_init(&p);
    rc = prepared_load(v->agent, id, &p, &v->why);
    if (rc == -HL_ENOENT)
        rc = verb_fail(v, -HL_ESTATE, "nothing is prepared under this id: prepare again");
    if (!rc)
        rc = compose_commit(v->agent, &p, sig.p);
    if (rc == -HL_ESTATE)
        verb_fail(v, rc, "its number was taken meanwhile: prepare again");
    if (!rc)
        rc = sending_begin(v, v->state, p.message.mid);
    prepared_release(&p);
    return rc;
}
