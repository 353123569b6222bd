#include "server/cosign_inner.h"

#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/text.h"

/* What the witnesses answer, and when that makes a quorum. */

/* Append the line of @w in the COSIGNED @body, when it is good. */
static int take_line(struct cosign *c, struct witness *w, struct span body)
{
    struct note *note = malloc(sizeof(*note));
    struct checkpoint cp;
    struct buf whole;
    size_t at = c->lines.n;
    int rc = note ? 0 : -HL_ENOMEM;

    buf_init(&whole, CHECKPOINT_MAX);
    if (!rc)
        rc = note_parse(note, buf_span(&c->note));
    if (!rc)
        rc = checkpoint_parse(&cp, note->text);
    if (!rc) {
        buf_put_span(&whole, note->text);
        buf_put_u8(&whole, '\n');
        rc = buf_put_span(&whole, body);
    }
    if (!rc)
        rc = note_parse(note, buf_span(&whole));
    if (!rc)
        rc = note_verify_key(note, &w->key, NULL) == 1 ? 0 : -HL_ESIG;
    for (size_t i = 0; !rc && i < note->n; i++) {
        if (!span_eq_str(note->sig[i].name, w->key.name) ||
            memcmp(note->sig[i].keyid, w->key.keyid, 4) != 0)
            continue;
        rc = note_put_sig(&c->lines, &w->key, note->sig[i].sig, note->sig[i].siglen);
        w->line = at;
        w->line_n = c->lines.n - at;
        break;
    }
    buf_release(&whole);
    free(note);
    return rc;
}

static struct span line_of(const struct cosign *c, const struct witness *w)
{
    return w ? SPAN(c->lines.p + w->line, w->line_n) : SPAN_NONE;
}

/* How many of @a's witnesses have cosigned this round; with @out, their lines. */
static unsigned cosigned(struct cosign *c, const struct agreement *a, struct buf *out)
{
    unsigned n = 0;

    for (size_t k = 0; k < a->n_witnesses; k++) {
        struct span line = line_of(c, cosign_find(c, &a->witness[k]));

        n += line.n != 0;
        if (out && line.n)
            buf_put_span(out, line);
    }
    return n;
}

struct notify {
    struct cosign *c;
    const struct agreement *a;
    struct frame f;
};

static bool member_of(const struct agreement *a, struct span poc)
{
    for (size_t i = 0; i < a->n_channels; i++)
        if (channel_member(&a->channel[i], poc))
            return true;
    return false;
}

/* Who sent or got something that this note is the first to cover. */
static void notify_one(void *arg, struct session *s)
{
    struct notify *n = arg;

    if (!s->ready || s->concern <= s->witnessed || !member_of(n->a, session_poc(s)))
        return;
    s->witnessed = n->c->size;
    outbox_put(n->c->outbox, s->conn, &n->f);
}

static void quorum_reached(struct cosign *c, const struct agreement *a)
{
    struct notify n = { .c = c, .a = a, .f = { .verb = VERB_CHECKPOINT } };
    struct buf note;

    buf_init(&note, CHECKPOINT_MAX);
    buf_put_span(&note, buf_span(&c->note));
    cosigned(c, a, &note);
    if (!note.bad) {
        n.f.note = buf_span(&note);
        session_each(c->sessions, notify_one, &n);
    }
    buf_release(&note);
    c->witnessed = c->size;
    buf_clear(&c->merged);
    buf_put_span(&c->merged, buf_span(&c->note));
    for (size_t i = 0, lines = 0; i < c->n && lines < COSIGN_LINES; i++) {
        lines += c->witness[i].line_n != 0;
        buf_put_span(&c->merged, line_of(c, &c->witness[i]));
    }
    c->fresh = !c->merged.bad;
}

static void cosigned_by(struct cosign *c, const struct directory *dir, struct witness *w)
{
    const struct agreement *a;

    for (size_t i = 0; (a = directory_agreement(dir, i)); i++) {
        bool names = false;

        for (size_t k = 0; k < a->n_witnesses; k++)
            names = names || cosign_same_key(&a->witness[k], &w->key);
        if (names && cosign_names_host(c, a) && cosigned(c, a, NULL) >= a->quorum)
            quorum_reached(c, a);
    }
}

/* It says what it cosigned last.  Once that is used at
 * once; a witness that says it again and again waits. */
static void conflict(struct cosign *c, struct witness *w, struct span body, uint64_t now_ms)
{
    uint64_t size;

    w->rest_until_ms = w->known ? now_ms + COSIGN_ROUND_MS : 0;
    if (body.n && body.p[body.n - 1] == '\n')
        body.n--;
    if (text_decimal(&size, body) == 0) {
        w->known = true;
        w->size = size;
    } else {
        w->rest_until_ms = now_ms + COSIGN_BACKOFF_MS;
    }
    if (w->known && w->size > c->head->size)
        c->head->out->diag(c->head->out->arg, 4,
                           "a witness says that it cosigned a larger tree than this one");
}

void cosign_answer(struct cosign *c, const struct directory *dir, struct session *s, uint64_t tag,
                   uint64_t status, struct span body, uint64_t now_ms)
{
    struct witness *w = NULL;

    for (size_t i = 0; i < c->n && !w; i++)
        if (c->witness[i].conn == s->conn && c->witness[i].tag == tag)
            w = &c->witness[i];
    if (!w)
        return;
    w->conn = 0;
    if (status == 200 && w->asked_size == c->size && take_line(c, w, body) == 0) {
        w->known = true;
        w->size = c->size;
        cosigned_by(c, dir, w);
    } else if (status == 409) {
        conflict(c, w, body, now_ms);
    } else if (status != 200 || w->asked_size == c->size) {
        w->rest_until_ms = now_ms + COSIGN_BACKOFF_MS;
    } else {
        w->known = true; /* late, for a round that is over: if it is not so, a 409 will say it */
        w->size = w->asked_size;
    }
}
