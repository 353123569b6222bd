/*
 * One entry, judged at its place in the log.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "client/audit/fold.h"

#define SLACK_MS 120000 /* by which a host's clock may leave its bracket */
#define SHOW(s) (int)(s).n, (const char *)(s).p

/* The newest time before which entry @index cannot have been recorded, and the first after which it
 * was. */
static void bracket_of(const struct fold *f, uint64_t index, uint64_t *from, uint64_t *until)
{
    const struct audit_tree *t = f->tree;

    *from = 0;
    *until = 0;
    for (size_t i = 0; i < t->n_brackets; i++) {
        const struct audit_bracket *b = &t->bracket[i];

        if (b->size <= index && b->newest_ms > *from)
            *from = b->newest_ms;
        if (b->size > index && b->oldest_ms && !*until)
            *until = b->oldest_ms;
    }
}

/* ---- public documents ---- */

/*
 * A document has no time of its own: it was recorded between the record before it and the first
 * checkpoint that covers it.  A document that is valid at either end is taken.
 */
static int apply_document(struct fold *f, const struct item *it, struct directory_change *change,
                          struct buf *why)
{
    uint64_t from, until;
    int rc;

    bracket_of(f, it->index, &from, &until);
    from = f->r->last_ms > from ? f->r->last_ms : from;
    if (it->next_ms && (!until || it->next_ms < until))
        until = it->next_ms;
    rc = directory_apply(f->dir, buf_span(&it->entry), it->index, from, true, change, why);
    if ((rc == -HL_EVALIDITY || rc == -HL_EKEY) && until > from) {
        buf_clear(why);
        rc = directory_apply(f->dir, buf_span(&it->entry), it->index, until, true, change, why);
    }
    return rc;
}

static int judge_document(struct fold *f, const struct item *it)
{
    struct directory_change change = { 0 };
    struct buf why;
    int rc;

    f->r->documents++;
    buf_init(&why, 1000);
    rc = apply_document(f, it, &change, &why);
    if (!rc && change.type == DOCUMENT_AGREEMENT)
        audit_fail_entry(f->r, it->index, -HL_EFORMAT, "an agreement note stands in the open");
    else if (rc == -HL_EEXIST)
        audit_alarm(f->r, "entry %" PRIu64 ": the host recorded a document again", it->index);
    else if (rc == -HL_ECONFLICT)
        audit_alarm(f->r, "entry %" PRIu64 ": %s contradicts itself: %s", it->index, change.party,
                    buf_str(&why));
    else if (rc == -HL_EVALIDITY)
        audit_missing(f->r, "the time of entry %" PRIu64 " (%s), on which its validity hangs",
                      it->index, buf_str(&why));
    else if (rc && rc != -HL_ENOMEM)
        audit_fail_entry(f->r, it->index, rc, "a public document does not hold: %s", buf_str(&why));
    buf_release(&why);
    return rc == -HL_ENOMEM ? rc : 0;
}

/* ---- records ---- */

static int judge_time(struct fold *f, const struct item *it)
{
    uint64_t time = it->record.time_ms, from, until;

    if (time < f->r->last_ms)
        return audit_fail_entry(f->r, it->index, -HL_EFORMAT,
                                "its time is %" PRIu64 " ms before that of an earlier entry",
                                f->r->last_ms - time);
    bracket_of(f, it->index, &from, &until);
    if ((from && time + SLACK_MS < from) || (until && time > until + SLACK_MS))
        audit_alarm(f->r,
                    "entry %" PRIu64
                    ": the host's time is outside the cosignatures around it by more than "
                    "%d s",
                    it->index, SLACK_MS / 1000);
    f->r->first_ms = f->r->first_ms ? f->r->first_ms : time;
    f->r->last_ms = time;
    return 0;
}

static int judge_agreement(struct fold *f, const struct item *it)
{
    struct directory_change change = { 0 };
    struct buf why;
    int rc;

    f->r->agreements++;
    buf_init(&why, 1000);
    rc = directory_apply(f->dir, it->record.note, it->index, it->record.time_ms, true, &change,
                         &why);
    if (!rc && change.type != DOCUMENT_AGREEMENT)
        audit_fail_entry(f->r, it->index, -HL_EFORMAT,
                         "a public document is recorded as an agreement");
    else if (rc == -HL_EEXIST)
        audit_alarm(f->r, "entry %" PRIu64 ": the host recorded an agreement note again",
                    it->index);
    else if (rc && rc != -HL_ENOMEM)
        audit_fail_entry(f->r, it->index, rc, "an agreement note does not hold: %s", buf_str(&why));
    buf_release(&why);
    return rc == -HL_ENOMEM ? rc : 0;
}

static int append(void **v, size_t *n, size_t *cap, const void *one, size_t size)
{
    if (*n == *cap) {
        size_t more = *cap ? 2 * *cap : 64;
        void *p = realloc(*v, more * size);

        if (!p)
            return -HL_ENOMEM;
        *v = p;
        *cap = more;
    }
    memcpy((uint8_t *)*v + *n * size, one, size);
    ++*n;
    return 0;
}

static int add_told(struct fold *f, uint64_t target, uint64_t index, bool notice)
{
    struct told one = { target, index, notice };
    void *v = f->told;
    int rc = append(&v, &f->n_told, &f->cap_told, &one, sizeof(one));

    f->told = v;
    return rc;
}

static int add_asked(struct fold *f, uint64_t index, uint64_t deadline_s)
{
    struct asked one = { index, deadline_s };
    void *v = f->asked;
    int rc = append(&v, &f->n_asked, &f->cap_asked, &one, sizeof(one));

    f->asked = v;
    return rc;
}

static int judge_notice(struct fold *f, const struct item *it)
{
    uint64_t target;

    f->r->notices++;
    if (it->record.notice != NOTICE_UNDELIVERED && it->record.notice != NOTICE_NOT_ACKNOWLEDGED)
        return 0;
    return idmap_get(&f->mids, it->record.mid, &target) ? add_told(f, target, it->index, true) : 0;
}

/* ---- envelopes ---- */

/* Read the message that refs[0] names, when it was opened. */
static int find_target(struct fold *f, const struct header *h, struct target *t, uint64_t *index)
{
    struct record rec;
    int rc;

    *t = (struct target){ 0 };
    if (h->n_refs == 0 || !idmap_get(&f->mids, h->ref[0], index))
        return 0;
    rc = fold_record(f, *index, &f->scratch, &rec);
    if (!rc)
        rc = header_decode(&f->target, f->m->realm, rec.header);
    if (rc)
        return rc; /* it was read before: the disk changed under us */
    *t = (struct target){ .known = true,
                          .kind = f->target.kind,
                          .sender = f->target.sender,
                          .channel = f->target.channel,
                          .n_to = f->target.n_to,
                          .to = f->target.to };
    return 0;
}

/* What the sender says it saw of this log; a lie of the sender or a fork of the host, so no verdict
 * on the log. */
static int compare_seen(struct fold *f, const struct item *it)
{
    const struct stamp *s = &it->env.stamp;
    int rc = 0;

    for (size_t i = 0; i < s->n_seen && !rc; i++) {
        const struct seen *seen = &s->seen[i];

        if (memcmp(seen->log, f->tree->log.key, 32) != 0)
            continue;
        if (seen->size <= it->index && seen->size != f->seen_size) {
            rc = merkle_root(seen->size, tile_dir_get, f->d, f->seen_root);
            f->seen_size = rc ? UINT64_MAX : seen->size;
        }
        if (rc == -HL_ENOENT)
            return 0; /* a missing tile is reported already */
        if (!rc && (seen->size > it->index || memcmp(seen->root, f->seen_root, 32) != 0))
            audit_alarm(f->r,
                        "entry %" PRIu64 ": %.*s signed that it saw another log of size %" PRIu64
                        ": ask it for that checkpoint; with the log's signature it proves a fork",
                        it->index, SHOW(it->env.header.sender), seen->size);
    }
    return rc;
}

/* Could the refusal come from what is closed to this reader?  Keys are public, and judged without
 * excuse. */
static bool excused(const struct fold *f, const struct item *it, const struct rules_facts *facts,
                    int rc)
{
    const struct stamp *s = &it->env.stamp;
    struct key_facts key;

    if (f->r->unopened == 0 ||
        directory_key(f->dir, it->index, it->record.time_ms, s->key, &key) != 0)
        return false;
    if (rc == -HL_ECHANNEL || rc == -HL_EFORCE)
        return true;
    return !facts->target.known && it->env.header.n_refs > 0 &&
           (rc == -HL_ETARGET || rc == -HL_ESTOPPED || rc == -HL_EVALIDITY || rc == -HL_ETWOPERSON);
}

/* Is the party's first root set what a hand compared, ours or that of a pinned party which signed
 * the same text? */
static bool vouched(const struct fold *f, uint64_t index, struct span party,
                    const struct agreement *a)
{
    uint8_t fp[32];

    if (directory_pinned(f->dir, party, fp))
        return true;
    for (size_t i = 0; i < a->n_parties; i++)
        if (directory_pinned(f->dir, a->party[i].party, fp) &&
            directory_signed(f->dir, index, a, a->party[i].party))
            return true;
    return false;
}

static int require_pin(struct fold *f, const struct item *it, const struct verdict *v)
{
    struct span party = name_party(it->env.header.sender);
    uint8_t id[32];
    uint64_t old;
    int rc;

    if (vouched(f, it->index, party, v->agreement))
        return 0;
    crypto_hash_sha256(id, party.p, party.n);
    rc = idmap_put(&f->unpinned, id, it->index, &old);
    if (rc == 0)
        audit_missing(f->r,
                      "pins: the fingerprint of %.*s, which signed entry %" PRIu64
                      "; no pinned party vouches for it",
                      SHOW(party), it->index);
    return rc < 0 ? rc : 0;
}

static int judge_number(struct fold *f, const struct item *it, enum number_state *state)
{
    uint64_t other;
    int rc = numbers_add(&f->numbers, &it->env, it->index, &other);
    struct envelope *env;
    struct record rec;

    *state = NUMBER_FREE;
    if (rc <= 0)
        return rc;
    env = malloc(sizeof(*env));
    rc = env ? fold_record(f, other, &f->scratch, &rec) : -HL_ENOMEM;
    if (!rc)
        rc = envelope_decode_parts(env, f->m->realm, rec.header, rec.stamp, rec.wraps_hash,
                                   rec.body_hash, rec.sig);
    if (!rc)
        *state = memcmp(env->id, it->env.id, 32) ? NUMBER_OTHER : NUMBER_SAME;
    if (*state == NUMBER_SAME)
        audit_alarm(f->r,
                    "entry %" PRIu64 ": the host recorded the envelope of entry %" PRIu64 " again",
                    it->index, other);
    free(env);
    return rc;
}

/* An accepted envelope: what later entries may refer to. */
static int accept(struct fold *f, const struct item *it, const struct verdict *v, bool known,
                  uint64_t target)
{
    unsigned kind = it->env.header.kind;
    uint64_t old;
    int rc;

    f->r->alone += v->alone;
    numbers_name(&f->numbers, &it->env, v->channel->name);
    rc = require_pin(f, it, v);
    if (rc)
        return rc;
    if (kind_is_step(kind))
        return known ? add_told(f, target, it->index, false) : 0;
    rc = idmap_put(&f->mids, it->env.mid, it->index, &old);
    if (rc == 0 && v->deadline_s)
        return add_asked(f, it->index, v->deadline_s);
    return rc < 0 ? rc : 0;
}

static int judge_envelope(struct fold *f, const struct item *it)
{
    struct rules_facts facts = { .dir = f->dir,
                                 .at = it->index,
                                 .time_ms = it->record.time_ms,
                                 .origin = span_str(f->r->origin) };
    uint64_t target = 0, old;
    struct verdict v;
    int rc = judge_number(f, it, &facts.number);

    f->r->signatures++;
    if (!rc)
        rc = find_target(f, &it->env.header, &facts.target, &target);
    if (!rc)
        rc = compare_seen(f, it);
    if (rc)
        return rc;
    rc = rules_judge(&it->env, &facts, &v);
    if (!rc)
        return accept(f, it, &v, facts.target.known, target);
    if (!excused(f, it, &facts, rc)) {
        audit_fail_entry(f->r, it->index, rc, "the host had to refuse it: %s", v.sentence);
        return 0;
    }
    audit_missing(f->r, "an opening on which entry %" PRIu64 " hangs: %s", it->index, v.sentence);
    return idmap_put(&f->mids, it->env.mid, it->index, &old) < 0 ? -HL_ENOMEM : 0;
}

static int judge_record(struct fold *f, const struct item *it)
{
    f->r->opened++;
    if (it->record.type == RECORD_ENVELOPE)
        f->r->envelopes++;
    if (it->rc) {
        audit_fail_entry(f->r, it->index, it->rc, "%s", it->what);
        return 0;
    }
    if (judge_time(f, it))
        return 0;
    switch (it->record.type) {
    case RECORD_DUMMY:
        f->r->dummies++;
        return 0;
    case RECORD_ENVELOPE:
        return judge_envelope(f, it);
    case RECORD_AGREEMENT:
        return judge_agreement(f, it);
    case RECORD_NOTICE:
        return judge_notice(f, it);
    }
    return 0;
}

int fold_item(struct fold *f, struct item *it)
{
    size_t n = it->entry.n;

    if (n > 32 && n <= DOCUMENT_MAX && !it->opened)
        return judge_document(f, it);
    if (n != 32) {
        audit_fail_entry(
            f->r, it->index, -HL_EFORMAT, "it is %s: %zu bytes",
            it->opened ? "opened, and no commitment" : "neither a commitment nor a document", n);
        return 0;
    }
    f->r->commitments++;
    if (it->opened)
        return judge_record(f, it);
    f->r->unopened++;
    return 0;
}
