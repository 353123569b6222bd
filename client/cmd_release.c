#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/message_args.h"
#include "common/content.h"
#include "common/error.h"
#include "common/text.h"
#include "keys/keyfile.h"
#include "keys/seal.h"

/*
 * The second position.  Without --key the position on duty at this desk signs.  With --key the
 * signature is made here, in the releaser's own process: it recomputes what it is asked to sign,
 * and hands over only the signature.
 */
struct prepared_row {
    struct session *session;
    uint8_t id[32];
    int rc; /* of the recomputation */
    bool seen;
};

/* Commitment, message id and envelope id follow from what was shown, or nothing is signed. */
static int recompute(struct prepared_row *r, const struct pair *pair, size_t n)
{
    struct span header = row_get(pair, n, "header"), stamp = row_get(pair, n, "stamp");
    struct span salt = row_get(pair, n, "salt"), content = row_get(pair, n, "content");
    struct span wraps = row_get(pair, n, "wraps_hash"), body = row_get(pair, n, "body_hash");
    struct span id = row_get(pair, n, "id");
    struct header *h = calloc(1, sizeof(*h));
    enum realm realm = r->session->realm;
    struct content *c = calloc(1, sizeof(*c));
    uint8_t commit[32], head[32];
    int rc = h && c ? 0 : -HL_ENOMEM;

    if (!rc && (salt.n != 32 || wraps.n != 32 || body.n != 32 || id.n != 32))
        rc = -HL_EFORMAT;
    if (!rc)
        rc = header_decode(h, realm, header);
    if (!rc)
        rc = content_decode(c, content);
    if (!rc) {
        content_commit(commit, realm, salt.p, c);
        if (h->commit.n != 32 || memcmp(commit, h->commit.p, 32) != 0)
            rc = -HL_ECOMMIT;
    }
    if (!rc) {
        envelope_head(head, realm, header, stamp);
        envelope_id(r->id, realm, head, wraps.p, body.p);
        if (memcmp(r->id, id.p, 32) != 0)
            rc = -HL_ECOMMIT;
    }
    free(h);
    free(c);
    return rc;
}

static int prepared_row(void *arg, const struct pair *pair, size_t n)
{
    struct prepared_row *r = arg;

    if (!span_eq_str(pair[0].value, "release"))
        return 0;
    r->seen = true;
    r->rc = recompute(r, pair, n);
    return r->rc;
}

static void draft_pair(struct session *s, struct verb_request *req)
{
    const char *word = s->args.positional[0];
    uint8_t mid[32];

    if (text_unhex(mid, 32, span_str(word)) == 0)
        verb_add(req, "mid", session_keep(s, SPAN(mid, 32)));
    else
        verb_add(req, "draft", span_str(word));
}

/* What is about to be released, and who reads it. */
struct draft_row {
    struct session *session;
    struct verb_request *readers;
    char precedence[16], channel[64];
};

static int draft_row(void *arg, const struct pair *pair, size_t n)
{
    struct draft_row *d = arg;
    struct span v;

    if (span_eq_str(pair[0].value, "draft")) {
        v = row_get(pair, n, "precedence");
        snprintf(d->precedence, sizeof(d->precedence), "%.*s", (int)v.n, (const char *)v.p);
        v = row_get(pair, n, "channel");
        snprintf(d->channel, sizeof(d->channel), "%.*s", (int)v.n, (const char *)v.p);
    } else if (span_eq_str(pair[0].value, "recipient")) {
        struct span poc = row_get(pair, n, "poc"), role = row_get(pair, n, "role");
        char both[128];

        snprintf(both, sizeof(both), "%.*s %.*s", (int)poc.n, (const char *)poc.p, (int)role.n,
                 (const char *)role.p);
        verb_add(d->readers, "to", session_keep(d->session, span_str(both)));
    }
    return 0;
}

static int before_release(struct session *s, struct verb_request *req)
{
    struct verb_request *readers = calloc(1, sizeof(*readers));
    struct draft_row d = { .session = s, .readers = readers };
    struct span first;
    const uint8_t *space;
    int rc = -HL_ENOMEM;

    if (!readers)
        return rc;
    session_request(req, "draft-show");
    draft_pair(s, req);
    rc = session_ask(s, req, draft_row, &d);
    if (!rc && !s->json)
        rc = exposure_print(s, d.channel, readers);
    first = verb_get_nth(readers, "to", 0);
    space = first.n ? memchr(first.p, ' ', first.n) : NULL;
    if (space)
        first.n = (size_t)(space - first.p);
    if (!rc)
        rc = confirm_urgent(s, d.precedence, first);
    free(readers);
    return rc;
}

static int release_here(struct session *s, struct verb_request *req, const char *path)
{
    struct prepared_row r = { .session = s };
    struct secret *pass = NULL;
    struct seckey *key = NULL;
    const char *wait = args_get(&s->args, "wait");
    uint8_t sig[64];
    int rc = session_pass(s, path, &pass);

    if (!rc)
        rc = keyfile_load_sign(path, s->realm, KEY_POSITION, pass, &key);
    secret_free(pass);
    if (rc)
        return session_fail(s, rc, "%s: %s", path, error_text(rc));
    session_request(req, "release-prepare");
    draft_pair(s, req);
    verb_add(req, "key", SPAN(seckey_public(key), 32));
    for (size_t i = 0; i < s->args.n; i++)
        if (strcmp(s->args.option[i].spec->name, "alone") == 0 ||
            strcmp(s->args.option[i].spec->name, "break-glass") == 0)
            verb_add(req, s->args.option[i].spec->key, SPAN("1", 1));
    rc = session_ask(s, req, prepared_row, &r);
    if (!rc && (r.rc || !r.seen))
        rc = session_fail(s, r.rc ? r.rc : -HL_EBROKER,
                          "the desk asks to sign something else than it shows; nothing was signed");
    if (!rc)
        rc = seal_release(key, s->realm, r.id, sig);
    seckey_free(key);
    if (rc)
        return rc;
    session_request(req, "release-commit");
    verb_add(req, "id", SPAN(r.id, 32));
    verb_add(req, "sig", SPAN(sig, 64));
    if (wait)
        verb_add(req, "wait_s", span_str(wait));
    return session_ask(s, req, NULL, NULL);
}

int cmd_release(struct session *s)
{
    struct verb_request *req = malloc(sizeof(*req));
    const char *key = args_get(&s->args, "key");
    int rc;

    if (!req)
        return -HL_ENOMEM;
    rc = before_release(s, req);
    if (!rc && key) {
        rc = release_here(s, req, key);
    } else if (!rc) {
        session_request(req, "release");
        draft_pair(s, req);
        session_options(s, req);
        rc = session_ask(s, req, NULL, NULL);
    }
    free(req);
    return rc;
}
