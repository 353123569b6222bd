#include <stdlib.h>
#include <string.h>

#include "client/audit/mirror_dir.h"
#include "client/verb_list.h"
#include "common/clock.h"
#include "common/error.h"

/*
 * mirror: the log of one host into a folder that the auditor's program reads
 * (client/audit/mirror_dir.h).
 *
 *   begin -> HEADS: the newest, and the newest with cosignatures, taken by the sync as any
 * checkpoint is
 *         -> ENTRIES, page by page, up to the newest witnessed head that this desk verified (else
 * the newest) -> checkpoint, policy, pins -> openings -> ended
 *
 * Entries are fetched again from the host, since the desk keeps only its right edge; the folder's
 * own range must lead to the head's root, which the desk verified, so the host cannot write
 * anything else into it.
 */
#define MIRROR_WAIT_MS 600000
#define MIRROR_RETRY_MS 200
#define MIRROR_PATIENCE_MS 5000
#define MIRROR_ENTRIES_A_FETCH 900
#define MIRROR_OPENINGS_A_FETCH 256

static void mirror_failed(struct verb *v, int rc)
{
    struct mirroring *m = v->state;

    if (!m->rc)
        m->rc = rc;
}

static void mirror_fetched(void *arg, int rc, struct span bundle)
{
    struct verb *v = arg;
    struct mirroring *m = v->state;

    m->asking = false;
    v->agent->changed++;
    if (!rc && !bundle.n)
        rc = -HL_EBROKER;
    if (!rc)
        rc = mirror_dir_put_entries(m->dir, bundle);
    if (rc)
        mirror_failed(v, rc);
}

static int mirror_ask(struct verb *v, struct mirroring *m)
{
    uint64_t at = mirror_dir_size(m->dir), count = m->size - at;
    int rc;

    if (count > MIRROR_ENTRIES_A_FETCH)
        count = MIRROR_ENTRIES_A_FETCH;
    rc = sync_fetch(m->sync, FETCH_ENTRIES, at, count, mirror_fetched, v);
    m->asking = rc == 0;
    return rc == -HL_EBUSY ? 0 : rc;
}

/* ---- when all entries are there ---- */

static int mirror_policy(struct verb *v, struct mirroring *m)
{
    const struct agreement *ag;
    struct buf policy;
    int rc = -HL_ENOENT;

    buf_init(&policy, 65536);
    for (size_t i = 0; (ag = directory_agreement(sync_directory(m->sync), i)) != NULL && rc; i++) {
        buf_clear(&policy);
        for (size_t k = 0; k < ag->n_hosts; k++)
            if (span_eq_str(ag->host[k], sync_host(m->sync)->origin))
                rc = agreement_policy(&policy, ag, &sync_host(m->sync)->log);
    }
    if (rc == -HL_ENOENT) /* no agreement names this host here: the log alone, no quorum */
        rc = buf_put_str(&policy, "log ");
    if (!rc && policy.n == 4) {
        note_key_print(&policy, &sync_host(m->sync)->log);
        rc = buf_put_str(&policy, "\nquorum none\n");
    }
    if (!rc)
        rc = mirror_dir_put_policy(m->dir, buf_span(&policy), &v->why);
    buf_release(&policy);
    return rc;
}

struct pinning {
    struct mirroring *m;
    const struct directory *dir;
    int rc;
};

/* Every party whose first root set this desk was given by hand, its own among them. */
static int mirror_pin(void *arg, const struct card *card)
{
    struct pinning *p = arg;
    uint8_t fp[32];

    if (directory_pinned(p->dir, card->party, fp))
        p->rc = mirror_dir_put_pin(p->m->dir, card->party, fp);
    return p->rc;
}

static int mirror_pins(struct mirroring *m)
{
    struct pinning p = { m, sync_directory(m->sync), 0 };

    directory_each_card(p.dir, mirror_pin, &p);
    return p.rc;
}

/* An opening that does not match its entry is a lie that proves nothing: it is counted as missing.
 */
static int mirror_opening_put(void *arg, uint64_t index, struct span salt, struct span record)
{
    struct mirroring *m = arg;
    int rc;

    if (index >= m->size || salt.n != 32)
        return 0;
    rc = mirror_dir_put_opening(m->dir, index, salt.p, record);
    if (rc == -HL_ELEAF) {
        m->missing++;
        return 0;
    }
    m->openings += rc == 0;
    return rc;
}

static int mirror_close(struct verb *v, struct mirroring *m)
{
    struct span origin = span_str(sync_host(m->sync)->origin);
    int rc = mirror_dir_put_checkpoint(m->dir, buf_span(&m->note));

    if (!rc)
        rc = mirror_policy(v, m);
    if (!rc)
        rc = mirror_pins(m);
    if (!rc)
        rc = desk_opening_each(v->agent->desk, origin, mirror_opening_put, m);
    return rc;
}

static int mirror_row(struct verb *v, struct mirroring *m)
{
    struct row r;

    row_begin(&r, "mirror");
    row_str(&r, "host", sync_host(m->sync)->origin);
    row_uint(&r, "size", m->size);
    row_uint(&r, "entries", m->size - m->began);
    row_uint(&r, "openings", m->openings);
    row_uint(&r, "missing", m->missing);
    return row_send(v, &r);
}

/* ---- what the mandate opens ---- */

/* The answer's frames were kept by the desk as they came (openings_take); here only where to go on.
 */
static void mirror_audited(void *arg, int rc, struct span bytes)
{
    struct verb *v = arg;
    struct mirroring *m = v->state;
    uint64_t next = sync_fetched_next(m->sync);

    (void)bytes;
    m->asking = false;
    v->agent->changed++;
    if (rc)
        mirror_failed(v, rc);
    m->audit = !rc && next > m->audit_at && next < m->size;
    m->audit_at = next;
}

static int mirror_audit(struct verb *v, struct mirroring *m)
{
    int rc =
        sync_fetch(m->sync, FETCH_AUDIT, m->audit_at, MIRROR_OPENINGS_A_FETCH, mirror_audited, v);

    m->asking = rc == 0;
    return rc == -HL_EBUSY ? 0 : rc;
}

/* ---- up to where ---- */

static void mirror_head(struct verb *v, int rc, struct span bytes, int witnessed)
{
    struct mirroring *m = v->state;

    m->heads--;
    v->agent->changed++;
    if (!rc)
        rc = sync_note(m->sync, bytes, &m->head[witnessed]);
    if (rc && rc != -HL_ENOENT) /* nothing is witnessed yet */
        mirror_failed(v, rc);
}

static void mirror_head_logged(void *arg, int rc, struct span bytes)
{
    mirror_head(arg, rc, bytes, 0);
}

static void mirror_head_witnessed(void *arg, int rc, struct span bytes)
{
    mirror_head(arg, rc, bytes, 1);
}

static int mirror_heads(struct verb *v, struct mirroring *m)
{
    int rc = sync_fetch(m->sync, FETCH_CHECKPOINT, 0, 0, mirror_head_logged, v);

    m->heads += rc == 0;
    if (!rc)
        rc = sync_fetch(m->sync, FETCH_CHECKPOINT, 1, 0, mirror_head_witnessed, v);
    m->heads += rc == 0 && m->heads;
    m->patience = clock_mono_ms() + MIRROR_PATIENCE_MS;
    return rc;
}

static uint64_t mirror_witnessed(struct mirroring *m)
{
    const struct desk_host *seen = sync_seen(m->sync);
    uint64_t size = 0;

    return seen->witnessed.n && sync_note(m->sync, buf_span(&seen->witnessed), &size) == 0 ? size
                                                                                           : 0;
}

/* Does the desk still catch up with the heads, or with the proof that the witnessed one is in its
 * range? */
static bool mirror_behind(struct mirroring *m)
{
    return sync_size(m->sync) < m->head[0] || sync_size(m->sync) < m->head[1] ||
           (mirror_witnessed(m) < m->head[1] && clock_mono_ms() < m->patience);
}

/* The desk has verified up to the heads: what is witnessed can be VERIFIED, so that is preferred.
 */
static int mirror_choose(struct verb *v, struct mirroring *m)
{
    const struct desk_host *seen = sync_seen(m->sync);
    uint64_t witnessed = mirror_witnessed(m);

    m->size = witnessed && witnessed >= m->began && witnessed <= sync_size(m->sync)
                  ? witnessed
                  : sync_size(m->sync);
    if (m->size == 0)
        return verb_fail(v, -HL_EINCOMPLETE, "nothing of this log has been verified yet");
    if (m->began > m->size)
        return verb_fail(v, -HL_ESTATE, "the folder holds more than this desk has verified");
    return buf_put_span(&m->note,
                        buf_span(m->size == witnessed ? &seen->witnessed : &seen->checkpoint));
}

int verb_mirror_look(struct verb *v, bool over)
{
    struct mirroring *m = v->state;

    if (!m->rc && over)
        m->rc = -HL_EINCOMPLETE;
    if (!m->rc && (m->heads || m->asking))
        return VERB_WAITS;
    if (!m->rc && !m->size && mirror_behind(m)) {
        v->look_at = clock_mono_ms() + MIRROR_RETRY_MS;
        return VERB_WAITS;
    }
    if (!m->rc && !m->size)
        m->rc = mirror_choose(v, m);
    if (!m->rc && (mirror_dir_size(m->dir) < m->size || m->audit)) {
        v->look_at = clock_mono_ms() + MIRROR_RETRY_MS;
        m->rc = mirror_dir_size(m->dir) < m->size ? mirror_ask(v, m) : mirror_audit(v, m);
        if (!m->rc)
            return VERB_WAITS;
    }
    if (!m->rc)
        m->rc = mirror_close(v, m);
    if (m->rc == -HL_EFORK || m->rc == -HL_EPROOF)
        return verb_fail(v, m->rc,
                         "the host shows other entries than this folder, or this desk, holds");
    return m->rc ? m->rc : mirror_row(v, m);
}

/* ---- begin, end ---- */

void verb_mirror_release(struct verb *v)
{
    struct mirroring *m = v->state;

    for (size_t i = 0; i < v->agent->n_syncs; i++)
        sync_forget(v->agent->sync[i], v);
    mirror_dir_close(m->dir);
    buf_release(&m->note);
}

static struct sync *mirror_host(struct verb *v)
{
    struct span host = verb_get(v->req, "host");

    for (size_t i = 0; i < v->agent->n_syncs; i++)
        if (!host.n || span_eq_str(host, sync_host(v->agent->sync[i])->origin))
            return v->agent->sync[i];
    return NULL;
}

int verb_mirror_begin(struct verb *v)
{
    struct mirroring *m = v->state;
    struct span dir = verb_get(v->req, "dir");
    char path[MIRROR_DIR_MAX];
    int rc;

    buf_init(&m->note, CHECKPOINT_MAX);
    m->sync = mirror_host(v);
    if (!m->sync)
        return verb_fail(v, -HL_EHOST, "this desk is set up for no such host");
    if (dir.n == 0 || dir.n >= sizeof(path) || dir.p[0] != '/')
        return verb_fail(v, -HL_EUSAGE, "dir: want a whole path");
    memcpy(path, dir.p, dir.n);
    path[dir.n] = 0;
    m->audit = verb_yes(v, "audit");
    rc = mirror_dir_open(path, v->agent->station->realm, &m->dir);
    if (rc)
        return verb_fail(v, rc, "%s: %s", path, error_text(rc));
    m->began = mirror_dir_size(m->dir);
    rc = mirror_heads(v, m);
    if (rc)
        return verb_fail(v, rc, "%s does not answer now", sync_host(m->sync)->origin);
    rc = verb_wait(v, MIRROR_WAIT_MS);
    return rc ? rc : verb_mirror_look(v, false);
}
