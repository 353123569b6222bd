#include "client/release.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/inside.h"
#include "client/sync.h"
#include "common/clock.h"
#include "common/error.h"
#include "keys/seal.h"

/* One envelope in the making. */
struct making {
    struct agent *agent;
    const struct release *r;
    const struct directory *dir;
    struct channel_facts facts;
    struct stamp stamp;
    uint8_t chain[16], root[STATION_HOSTS][32];
    struct buf stamp_bytes;
    struct sealed sealed;
    struct envelope env;
    bool doubted;
};

/* ---- the stamp ---- */

/* The sender's newest verified checkpoint of each host, ascending by log key. */
static size_t stamp_seen(struct agent *a, struct seen seen[static ENVELOPE_SEEN_MAX],
                         uint8_t root[static STATION_HOSTS][32])
{
    size_t n = 0;

    for (size_t i = 0; i < a->n_syncs && n < ENVELOPE_SEEN_MAX; i++) {
        const struct desk_host *h = sync_seen(a->sync[i]);
        struct seen one = { sync_host(a->sync[i])->log.key, h->range.size, root[i] };
        size_t at = n;

        if (h->range.size == 0 || h->dead)
            continue;
        merkle_range_root(&h->range, root[i]);
        for (; at > 0 && memcmp(seen[at - 1].log, one.log, 32) > 0; at--)
            seen[at] = seen[at - 1];
        seen[at] = one;
        n++;
    }
    return n;
}

static int stamp_psk(struct making *m, struct buf *why)
{
    uint32_t epoch = 0, step = 0;
    int rc;

    if (!m->r->draft || m->facts.agreement->psk == PSK_NONE)
        return 0;
    rc = psk_current(m->agent->station->psk, m->r->h->channel, clock_day(m->stamp.sealed_ms),
                     &epoch, &step);
    if (!rc) {
        m->stamp.psk_epoch = epoch;
        m->stamp.psk_step = step;
        return 0;
    }
    if (m->facts.agreement->psk == PSK_ALLOWED)
        return 0;
    buf_put_str(why, "the agreement demands a pre-shared key and this desk has none for today");
    return rc;
}

static int stamp_number(struct making *m)
{
    const struct release *r = m->r;

    m->stamp.chain = m->chain;
    if (!r->chain)
        return desk_number(m->agent->desk, r->h->channel, m->chain, &m->stamp.seq);
    memcpy(m->chain, r->chain, 16);
    m->stamp.seq = r->seq;
    return 0;
}

static int making_stamp(struct making *m, struct buf *why)
{
    const struct release *r = m->r;
    int rc;

    m->stamp = (struct stamp){ .key = r->key,
                               .precedence = r->precedence,
                               .flags = r->flags,
                               .sealed_ms = compose_now(m->agent, &m->doubted),
                               .ack_within_s = r->ack_within_s,
                               .lifetime_s = r->lifetime_s };
    if (r->draft && r->draft->signed_draft && memcmp(r->draft->draft_key, r->key, 32) != 0) {
        m->stamp.draft_key = r->draft->draft_key;
        m->stamp.draft_sig = r->draft->draft_sig;
    }
    m->stamp.n_seen = stamp_seen(m->agent, m->stamp.seen, m->root);
    rc = stamp_number(m);
    if (!rc)
        rc = stamp_psk(m, why);
    return rc ? rc : stamp_put(&m->stamp_bytes, &m->stamp);
}

/* ---- sealing ---- */

/* The key of the day; when a recipient's list has run out, or the day is not to be known, its last.
 */
static int seal_subkeys(const struct making *m, uint8_t (*subkey)[32], struct buf *why)
{
    const struct header *h = m->r->h;

    for (size_t i = 0; i < h->n_to; i++) {
        uint64_t day = clock_day(m->stamp.sealed_ms);
        const uint8_t *key = directory_subkey(m->dir, DIRECTORY_NOW, h->to[i].poc, day);
        uint64_t last = directory_last_subkey_day(m->dir, DIRECTORY_NOW, h->to[i].poc, NULL);

        if (!key && last)
            key = directory_subkey(m->dir, DIRECTORY_NOW, h->to[i].poc, last);
        if (!key) {
            buf_printf(why, "%.*s has announced no subkeys", (int)h->to[i].poc.n,
                       (const char *)h->to[i].poc.p);
            return -HL_ESUBKEY;
        }
        memcpy(subkey[i], key, 32);
    }
    return 0;
}

static int making_seal(struct making *m, struct buf *why)
{
    const struct desk_draft *d = m->r->draft;
    uint8_t(*subkey)[32] = calloc(m->r->h->n_to + 1, 32);
    struct seal_input in = { .realm = m->r->h->realm,
                             .header = m->r->header,
                             .stamp = buf_span(&m->stamp_bytes),
                             .h = m->r->h,
                             .s = &m->stamp,
                             .subkey = (const uint8_t(*)[32])subkey,
                             .hedge = vault_hedge(m->agent->station->vault),
                             .psk = m->agent->station->psk };
    struct buf plain;
    int rc = subkey ? 0 : -HL_ENOMEM;

    buf_init(&plain, ENVELOPE_BUCKET_MAX);
    if (!rc && d)
        rc = seal_subkeys(m, subkey, why);
    if (!rc && d)
        rc = content_pad(&plain, d->salt, buf_span(&d->content));
    in.plain = buf_span(&plain);
    if (!rc)
        rc = seal(&in, &m->sealed);
    if (plain.p)
        sodium_memzero(plain.p, plain.n);
    buf_release(&plain);
    free(subkey);
    return rc;
}

/* ---- judging and keeping ---- */

/* What only its readers could refuse is refused here too. */
static int making_inside(const struct making *m, struct buf *why)
{
    struct content *c = calloc(1, sizeof(*c));
    int rc = c ? content_decode(c, buf_span(&m->r->draft->content)) : -HL_ENOMEM;

    if (!rc)
        rc = inside_judge(c, m->r->h, &m->stamp, m->facts.agreement, why);
    free(c);
    return rc;
}

/* What a broker would refuse is refused before a number is taken. */
static int making_judge(struct making *m, struct buf *why)
{
    static const uint8_t unsigned_yet[64];
    struct rules_facts facts = { .dir = m->dir,
                                 .at = DIRECTORY_NOW,
                                 .time_ms = m->stamp.sealed_ms,
                                 .number = NUMBER_FREE,
                                 .target = m->r->target };
    struct verdict v = { 0 };
    int rc = envelope_decode_parts(&m->env, m->r->h->realm, m->r->header, buf_span(&m->stamp_bytes),
                                   m->sealed.wraps_hash, m->sealed.body_hash, unsigned_yet);

    if (rc) {
        buf_put_str(why, error_text(rc));
        return rc;
    }
    m->env.body_len = m->sealed.body.n;
    rc = rules_judge(&m->env, &facts, &v);
    if (rc)
        buf_put_str(why, v.sentence[0] ? v.sentence : error_text(rc));
    return rc;
}

/* Every host that the agreement names, that we are set up for, and that is in use. */
static int making_origins(struct making *m, struct prepared *p, struct buf *why)
{
    const struct agreement *ag = m->facts.agreement;
    int rc = -HL_EHOST;

    for (size_t i = 0; i < m->agent->n_syncs; i++) {
        struct sync *s = m->agent->sync[i];
        struct span origin = span_str(sync_host(s)->origin);

        for (size_t k = 0; k < ag->n_hosts; k++) {
            if (!span_eq(ag->host[k], origin))
                continue;
            if (sync_is_dead(s))
                rc = -HL_EDEAD;
            else if (directory_stopped_host(m->dir, DIRECTORY_NOW, origin))
                rc = -HL_ESTOPPED;
            else
                p->origins[p->n_origins++] = origin;
        }
    }
    if (p->n_origins)
        return 0;
    buf_printf(why, "no host is left for %.*s: %s", (int)ag->name.n, (const char *)ag->name.p,
               error_text(rc));
    return rc;
}

static int making_message(struct making *m, struct prepared *p)
{
    const struct header *h = m->r->h;
    struct message *msg = &p->message;
    int rc;

    msg->way = MESSAGE_OUT;
    msg->state = MESSAGE_QUEUED;
    msg->kind = h->kind;
    msg->precedence = m->stamp.precedence;
    msg->time_ms = clock_now_ms();
    msg->doubted = m->doubted;
    msg->seq = m->stamp.seq;
    memcpy(msg->id, m->sealed.id, 32);
    memcpy(msg->mid, m->env.mid, 32);
    memcpy(msg->chain, m->chain, 16);
    memcpy(msg->channel, h->channel, 32);
    memcpy(msg->sender, h->sender.p, h->sender.n);
    m->env.wraps_bytes = buf_span(&m->sealed.wraps);
    m->env.body = buf_span(&m->sealed.body);
    rc = envelope_put(&msg->envelope, &m->env);
    if (rc || !m->r->draft)
        return rc;
    memcpy(msg->salt, m->r->draft->salt, 32);
    return buf_put_span(&msg->content, buf_span(&m->r->draft->content));
}

int release_prepare(struct agent *a, const struct release *r, struct prepared *p, struct buf *why)
{
    struct making *m = calloc(1, sizeof(*m));
    struct sync *s;
    int rc = -HL_ENOMEM;

    if (!m)
        return rc;
    m->agent = a;
    m->r = r;
    buf_init(&m->stamp_bytes, ENVELOPE_STAMP_MAX);
    s = compose_channel(a, SPAN_NONE, r->h->channel, &m->facts, &rc, why);
    if (!s)
        goto out;
    m->dir = sync_directory(s);
    rc = making_stamp(m, why);
    if (!rc && r->draft)
        rc = making_inside(m, why);
    if (!rc)
        rc = making_seal(m, why);
    if (!rc)
        rc = making_judge(m, why);
    if (!rc)
        rc = making_origins(m, p, why);
    if (!rc)
        rc = making_message(m, p);
out:
    sealed_release(&m->sealed);
    buf_release(&m->stamp_bytes);
    free(m);
    return rc;
}

/* ---- messages ---- */

int release_target(struct agent *a, const struct header *h, struct target_at *at, struct target *t)
{
    const struct header *th = &at->env.header;
    int rc;

    message_init(&at->message);
    if (h->n_refs == 0)
        return 0;
    rc = desk_message(a->desk, h->ref[0], &at->message);
    if (rc)
        return rc == -HL_ENOENT ? 0 : rc;
    if (envelope_decode(&at->env, h->realm, buf_span(&at->message.envelope)))
        return -HL_ESTORE;
    *t = (struct target){ true, th->kind, th->sender, th->channel, th->n_to, th->to };
    return 0;
}

int compose_prepare(struct agent *a, const struct desk_draft *draft, const uint8_t key[static 32],
                    unsigned flags, struct prepared *p, struct buf *why)
{
    struct header *h = calloc(1, sizeof(*h));
    struct target_at *at = calloc(1, sizeof(*at));
    struct release r = { .draft = draft,
                         .header = buf_span(&draft->header),
                         .h = h,
                         .key = key,
                         .precedence = draft->precedence,
                         .flags = flags,
                         .ack_within_s = draft->ack_within_s,
                         .lifetime_s = draft->lifetime_s };
    int rc = -HL_ENOMEM;

    if (!h || !at)
        goto out;
    rc = header_decode(h, a->station->realm, r.header);
    if (!rc)
        rc = release_target(a, h, at, &r.target);
    if (!rc)
        rc = release_prepare(a, &r, p, why);
out:
    if (at)
        message_release(&at->message);
    free(at);
    free(h);
    return rc;
}

/* ---- once more ---- */

int release_judge(struct agent *a, const struct envelope *env, struct prepared *p, struct buf *why)
{
    struct making *m = calloc(1, sizeof(*m));
    struct target_at *at = calloc(1, sizeof(*at));
    struct rules_facts facts = { .at = DIRECTORY_NOW, .number = NUMBER_FREE };
    struct verdict v = { 0 };
    struct sync *s = NULL;
    int rc = -HL_ENOMEM;

    if (!m || !at)
        goto out;
    m->agent = a;
    rc = release_target(a, &env->header, at, &facts.target);
    if (!rc)
        s = compose_channel(a, SPAN_NONE, env->header.channel, &m->facts, &rc, why);
    if (!s)
        goto out;
    m->dir = facts.dir = sync_directory(s);
    facts.time_ms = compose_now(a, NULL);
    rc = rules_judge(env, &facts, &v);
    if (rc)
        buf_put_str(why, v.sentence);
    else
        rc = making_origins(m, p, why);
out:
    if (at)
        message_release(&at->message);
    free(at);
    free(m);
    return rc;
}
