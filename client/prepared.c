#include <stdlib.h>
#include <string.h>

#include "client/release.h"
#include "client/sync.h"
#include "common/clock.h"
#include "common/error.h"

/* From a prepared release and its signature to the outbox; and a release whose signature comes from
 * elsewhere. */

void prepared_init(struct prepared *p)
{
    memset(p, 0, sizeof(*p));
    message_init(&p->message);
}

void prepared_release(struct prepared *p)
{
    message_release(&p->message);
}

/* ---- storing ---- */

static int commit_sign(struct agent *a, struct prepared *p, const uint8_t sig[static 64],
                       struct envelope *env, struct buf *signed_file)
{
    int rc = envelope_decode(env, a->station->realm, buf_span(&p->message.envelope));

    if (rc)
        return rc;
    env->sig = sig;
    rc = envelope_verify(env);
    return rc ? rc : envelope_put(signed_file, env);
}

static int commit_store(struct agent *a, struct prepared *p, const struct envelope *env)
{
    int rc = desk_send(a->desk, &p->message, p->origins, p->n_origins);

    for (size_t i = 0; i < env->header.n_refs && !rc; i++)
        rc = desk_ref_add(a->desk, p->message.mid, env->header.ref[i]);
    if (!rc && !kind_is_bodyless(p->message.kind)) {
        rc = desk_draft_drop(a->desk, p->message.mid);
        rc = rc == -HL_ENOENT ? 0 : rc;
    }
    return rc;
}

int compose_commit(struct agent *a, struct prepared *p, const uint8_t sig[static 64])
{
    struct envelope *env = calloc(1, sizeof(*env));
    struct buf file;
    int rc = -HL_ENOMEM;

    buf_init(&file, ENVELOPE_MAX);
    if (!env)
        return rc;
    rc = commit_sign(a, p, sig, env, &file);
    if (rc)
        goto out;
    buf_clear(&p->message.envelope);
    buf_put_span(&p->message.envelope, buf_span(&file));
    rc = envelope_decode(env, a->station->realm, buf_span(&p->message.envelope));
    if (!rc)
        rc = desk_begin(a->desk);
    if (rc)
        goto out;
    rc = commit_store(a, p, env);
    if (rc) {
        desk_abort(a->desk);
        goto out;
    }
    rc = desk_commit(a->desk);
    for (size_t i = 0; i < a->n_syncs; i++)
        sync_kick(a->sync[i]);
    a->changed++;
out:
    buf_release(&file);
    free(env);
    return rc;
}

int prepared_keep(struct agent *a, const struct prepared *p)
{
    return desk_prepared_put(a->desk, p->message.mid, p->message.id,
                             buf_span(&p->message.envelope));
}

/* ---- a release whose signature comes from elsewhere ---- */

static int prepared_fill(struct agent *a, const struct envelope *env, const struct desk_draft *d,
                         struct prepared *p)
{
    struct message *m = &p->message;

    m->way = MESSAGE_OUT;
    m->state = MESSAGE_QUEUED;
    m->kind = env->header.kind;
    m->precedence = env->stamp.precedence;
    m->time_ms = clock_now_ms();
    compose_now(a, &m->doubted);
    m->seq = env->stamp.seq;
    memcpy(m->mid, env->mid, 32);
    memcpy(m->id, env->id, 32);
    memcpy(m->chain, env->stamp.chain, 16);
    memcpy(m->channel, env->header.channel, 32);
    memcpy(m->sender, env->header.sender.p, env->header.sender.n);
    memcpy(m->salt, d->salt, 32);
    return buf_put_span(&m->content, buf_span(&d->content));
}

int prepared_load(struct agent *a, const uint8_t id[static 32], struct prepared *p, struct buf *why)
{
    struct envelope *env = calloc(1, sizeof(*env));
    struct desk_draft draft;
    uint8_t mid[32];
    int rc = -HL_ENOMEM;

    desk_draft_init(&draft);
    if (!env)
        return rc;
    rc = desk_prepared_get(a->desk, id, mid, &p->message.envelope);
    if (!rc)
        rc = desk_draft_get(a->desk, mid, &draft);
    if (!rc && envelope_decode(env, a->station->realm, buf_span(&p->message.envelope)))
        rc = -HL_ESTORE;
    if (!rc)
        rc = prepared_fill(a, env, &draft, p);
    if (!rc)
        rc = release_judge(a, env, p, why);
    desk_draft_release(&draft);
    free(env);
    return rc;
}
