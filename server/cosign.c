#include "server/cosign_inner.h"

#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/text.h"

#define EVERY_MS 250

int cosign_open(const struct broker_conf *conf, struct store *st, struct log *log,
                struct head *head, struct sessions *ss, struct outbox *out, struct cosign **result)
{
    struct cosign *c = calloc(1, sizeof(*c));
    struct checkpoint cp;
    struct note *note = malloc(sizeof(*note));
    int rc = c && note ? 0 : -HL_ENOMEM;

    *result = NULL;
    if (!rc) {
        c->store = st;
        c->log = log;
        c->head = head;
        c->sessions = ss;
        c->outbox = out;
        c->every_ms = conf->witness_every_ms ? conf->witness_every_ms : EVERY_MS;
        buf_init(&c->note, CHECKPOINT_MAX);
        buf_init(&c->lines, COSIGN_WITNESSES * 512);
        buf_init(&c->merged, CHECKPOINT_MAX);
        rc = store_note(st, STORE_NOTE_WITNESSED, &c->merged);
    }
    if (!rc)
        rc = checkpoint_open(&cp, note, buf_span(&c->merged), &head->key);
    if (!rc)
        c->witnessed = cp.size;
    if (rc == -HL_ENOENT)
        rc = 0;
    free(note);
    if (rc)
        cosign_close(c);
    else
        *result = c;
    return rc;
}

void cosign_close(struct cosign *c)
{
    if (!c)
        return;
    buf_release(&c->note);
    buf_release(&c->lines);
    buf_release(&c->merged);
    free(c);
}

/* ---- who ---- */

bool cosign_names_host(const struct cosign *c, const struct agreement *a)
{
    for (size_t i = 0; i < a->n_hosts; i++)
        if (span_eq_str(a->host[i], c->head->key.name))
            return true;
    return false;
}

bool cosign_same_key(const struct note_key *a, const struct note_key *b)
{
    return memcmp(a->key, b->key, 32) == 0 && strcmp(a->name, b->name) == 0;
}

struct witness *cosign_find(struct cosign *c, const struct note_key *key)
{
    for (size_t i = 0; i < c->n; i++)
        if (cosign_same_key(&c->witness[i].key, key))
            return &c->witness[i];
    return NULL;
}

/* Is @key among the cosigners of the last witnessed
 * checkpoint?  Then a start waits for its station. */
static void await_cosigner(struct cosign *c, const struct witness *w)
{
    struct note *note;

    if (c->head->started || c->merged.n == 0 || !w->poc[0])
        return;
    note = malloc(sizeof(*note));
    if (note && note_parse(note, buf_span(&c->merged)) == 0 &&
        note_verify_key(note, &w->key, NULL) == 1)
        head_await(c->head, span_str(w->poc));
    free(note);
}

int cosign_reload(struct cosign *c, const struct directory *dir)
{
    const struct agreement *a;

    for (size_t i = 0; (a = directory_agreement(dir, i)); i++) {
        for (size_t k = 0; cosign_names_host(c, a) && k < a->n_witnesses; k++) {
            struct witness *w = cosign_find(c, &a->witness[k]);

            if (!w && c->n < COSIGN_WITNESSES) {
                w = &c->witness[c->n++];
                w->key = a->witness[k];
            }
        }
    }
    for (size_t i = 0; i < c->n; i++) {
        struct witness *w = &c->witness[i];

        if (directory_witness(dir, DIRECTORY_NOW, w->key.key, w->poc) != 0)
            w->poc[0] = '\0';
        await_cosigner(c, w);
    }
    return 0;
}

size_t cosign_witnesses(const struct cosign *c, size_t *connected)
{
    *connected = 0;
    for (size_t i = 0; i < c->n; i++) {
        const struct office *o = office_find(c->sessions, span_str(c->witness[i].poc));

        *connected += o && o->current;
    }
    return c->n;
}

/* ---- asking ---- */

static struct session *witness_session(const struct cosign *c, const struct witness *w)
{
    struct office *o = w->poc[0] ? office_find(c->sessions, span_str(w->poc)) : NULL;

    return o ? o->current : NULL;
}

static bool round_over(const struct cosign *c, uint64_t now_ms)
{
    if (c->size == c->head->size)
        return now_ms >= c->began_ms + COSIGN_RENEW_MS;
    if (now_ms < c->began_ms + c->every_ms && c->size)
        return false;
    for (size_t i = 0; i < c->n; i++)
        if (c->witness[i].conn && now_ms < c->began_ms + COSIGN_ROUND_MS)
            return false;
    return true;
}

static int round_begin(struct cosign *c, uint64_t now_ms)
{
    c->size = c->head->size;
    c->began_ms = now_ms;
    buf_clear(&c->lines);
    buf_clear(&c->note);
    for (size_t i = 0; i < c->n; i++)
        c->witness[i].line_n = 0;
    return buf_put_span(&c->note, buf_span(&c->head->note));
}

static int witness_ask(struct cosign *c, struct witness *w, struct session *s, uint64_t now_ms)
{
    struct frame f = { .verb = VERB_ADD_CHECKPOINT };
    uint8_t proof[MERKLE_MAX_PROOF][32];
    size_t n = 0;
    struct buf body;
    int rc = 0;

    if (w->known && w->size && w->size < c->size)
        rc = log_consistency(c->log, w->size, c->size, proof, &n);
    if (rc)
        return rc;
    buf_init(&body, WIRE_FRAME_MAX / 2);
    rc = add_checkpoint_put(&body, w->size, HASHES(proof), n, buf_span(&c->note));
    if (!rc) {
        c->tag = c->tag % (UINT64_C(1) << 32) + 1;
        w->conn = s->conn;
        w->tag = f.tag = c->tag;
        w->asked_size = c->size;
        w->asked_ms = now_ms;
        f.note = buf_span(&body);
        outbox_put(c->outbox, s->conn, &f);
    }
    buf_release(&body);
    return rc;
}

int cosign_ask(struct cosign *c, uint64_t now_ms)
{
    int rc = 0;

    if (c->head->dead || c->head->size == 0 || c->n == 0)
        return 0;
    if (round_over(c, now_ms))
        rc = round_begin(c, now_ms);
    for (size_t i = 0; i < c->n && !rc; i++) {
        struct witness *w = &c->witness[i];
        struct session *s = witness_session(c, w);

        if (w->conn && now_ms >= w->asked_ms + COSIGN_BACKOFF_MS)
            w->conn = 0;
        if (s && !w->conn && !w->line_n && now_ms >= w->rest_until_ms && w->size <= c->size)
            rc = witness_ask(c, w, s, now_ms);
    }
    return rc;
}

void cosign_gone(struct cosign *c, uint64_t conn)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->witness[i].conn == conn || conn == 0)
            c->witness[i].conn = 0;
}

int cosign_timeout(const struct cosign *c, uint64_t now_ms)
{
    uint64_t at = c->began_ms + (c->size == c->head->size ? COSIGN_RENEW_MS : c->every_ms);

    if (c->head->dead || c->head->size == 0 || c->n == 0)
        return -1;
    if (at <= now_ms) /* a witness that does not answer holds the round up, not the loop */
        at = c->began_ms + COSIGN_ROUND_MS;
    return at > now_ms ? (int)(at - now_ms) : COSIGN_ROUND_MS;
}

int cosign_stage(struct cosign *c)
{
    int rc = c->fresh ? store_stage_note(c->store, STORE_NOTE_WITNESSED, buf_span(&c->merged)) : 0;

    c->fresh = false;
    return rc;
}

bool cosign_unsaved(const struct cosign *c)
{
    return c->fresh;
}

struct span cosign_note(const struct cosign *c)
{
    return buf_span(&c->merged);
}

uint64_t cosign_size(const struct cosign *c)
{
    return c->witnessed;
}
