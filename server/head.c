#include "server/head.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"

#define SIGN_WAIT_MS 10000

/* Does the root of @cp stand in this log?  0 or -HL_EFORK. */
static int same_history(struct head *h, uint64_t committed, const struct checkpoint *cp)
{
    uint8_t root[32];
    int rc;

    if (cp->size > committed)
        return -HL_EFORK;
    rc = log_root_at(h->log, cp->size, root);
    if (rc)
        return rc;
    return memcmp(root, cp->root, 32) == 0 ? 0 : -HL_EFORK;
}

static int head_parse(const struct head *h, struct span note, struct checkpoint *cp)
{
    struct note *parsed = malloc(sizeof(*parsed));
    int rc = parsed ? checkpoint_open(cp, parsed, note, &h->key) : -HL_ENOMEM;

    free(parsed);
    return rc;
}

int head_open(struct head *h, const struct broker_conf *conf, const struct broker_out *out,
              struct store *st, struct log *log)
{
    struct checkpoint cp;
    int rc;

    *h = (struct head){ .store = st, .log = log, .out = out };
    h->wait_ms = conf->sign_wait_ms ? conf->sign_wait_ms : SIGN_WAIT_MS;
    buf_init(&h->note, CHECKPOINT_MAX);
    rc = note_key_init(&h->key, span_str(conf->origin), NOTE_ED25519, conf->log_key);
    if (!rc)
        rc = store_note(st, STORE_NOTE_DEAD, &h->note);
    h->dead = rc == 0;
    buf_clear(&h->note);
    if (rc == 0 || rc == -HL_ENOENT)
        rc = store_note(st, STORE_NOTE_LOGGED, &h->note);
    if (rc == -HL_ENOENT)
        return 0;
    if (!rc)
        rc = head_parse(h, buf_span(&h->note), &cp);
    if (!rc)
        rc = same_history(h, log_size(log), &cp);
    if (!rc)
        h->size = cp.size;
    return rc == -HL_EFORK ? -HL_ESTORE : rc; /* one transaction wrote both */
}

void head_release(struct head *h)
{
    buf_release(&h->note);
}

void head_await(struct head *h, struct span poc)
{
    for (size_t i = 0; i < h->n_gate; i++)
        if (span_eq_str(poc, h->gate[i]))
            return;
    if (h->n_gate < HEAD_COSIGNERS && poc.n < sizeof(h->gate[0]))
        memcpy(h->gate[h->n_gate++], poc.p, poc.n);
}

void head_hello(struct head *h, struct span poc)
{
    for (size_t i = 0; i < h->n_gate; i++) {
        if (!span_eq_str(poc, h->gate[i]))
            continue;
        memmove(h->gate[i], h->gate[h->n_gate - 1], sizeof(h->gate[i]));
        memset(h->gate[--h->n_gate], 0, sizeof(h->gate[0]));
        return;
    }
}

static bool gate_closed(struct head *h, uint64_t now_ms)
{
    if (!h->started) {
        h->started = true;
        h->gate_ms = h->n_gate ? now_ms + h->wait_ms : 0;
    }
    if (h->gate_ms && (h->n_gate == 0 || now_ms >= h->gate_ms))
        h->gate_ms = 0;
    return h->gate_ms != 0;
}

int head_ask(struct head *h, const struct store_head *committed, uint64_t now_ms, bool idle)
{
    uint8_t proof[MERKLE_MAX_PROOF][32];
    size_t n = 0;
    int rc = 0;

    if (gate_closed(h, now_ms) || h->dead || h->asked || committed->size <= h->size ||
        now_ms < h->rest_ms)
        return 0;
    if (!idle && now_ms < h->asked_ms + HEAD_EVERY_MS)
        return 0;
    if (h->size)
        rc = log_consistency(h->log, h->size, committed->size, proof, &n);
    if (rc)
        return rc;
    h->asked = committed->size;
    h->asked_ms = now_ms;
    h->out->sign(h->out->arg, committed->size, committed->root, h->size, HASHES(proof), n);
    return 0;
}

int head_signed(struct head *h, const struct store_head *committed, struct span note)
{
    struct checkpoint cp;
    int rc;

    h->asked = 0;
    if (note.n == 0) {
        h->rest_ms = h->asked_ms + HEAD_REST_MS;
        return -HL_ESTATE;
    }
    rc = head_parse(h, note, &cp);
    if (!rc)
        rc = same_history(h, committed->size, &cp);
    if (rc || cp.size <= h->size)
        return rc;
    buf_clear(&h->note);
    rc = buf_put_span(&h->note, note);
    if (rc)
        return rc;
    h->size = cp.size;
    h->fresh = true;
    return 1;
}

int head_stage(struct head *h)
{
    int rc = h->fresh ? store_stage_note(h->store, STORE_NOTE_LOGGED, buf_span(&h->note)) : 0;

    h->fresh = false;
    return rc;
}

int head_compare(struct head *h, const struct store_head *committed, struct span note)
{
    struct checkpoint cp;
    int rc = note.n ? head_parse(h, note, &cp) : -HL_EFORMAT;

    if (rc)
        return rc == -HL_ENOMEM ? rc : 0; /* not signed by this log: it says nothing */
    return same_history(h, committed->size, &cp);
}

int head_timeout(const struct head *h, const struct store_head *committed, uint64_t now_ms)
{
    uint64_t at = h->gate_ms && h->n_gate ? h->gate_ms : h->asked_ms + HEAD_EVERY_MS;

    if (at < h->rest_ms)
        at = h->rest_ms;
    if (h->dead || h->asked || committed->size <= h->size)
        return -1;
    return at > now_ms ? (int)(at - now_ms) : 0;
}
