#include "server/broker_inner.h"

#include <assert.h>
#include <string.h>

#include "common/error.h"
#include "common/parallel.h"
#include "server/fetch.h"
#include "server/frames.h"

/* The inputs of one turn: which, in which order, and to whom of the stages. */
#define TURN_BYTES (256u << 10)
#define TURN_COPIES 4096 /* mail and events staged: one step of a large channel makes 600 */
#define TURN_CONTROL 1024
#define TURN_FETCHES 32

/* The session that an input came from; NULL when its key is in no card in force (any more). */
static int session_of(struct broker *b, const struct input *in, struct session **out)
{
    struct span poc;
    int rc;

    *out = session_find(b->st.sessions, in->conn);
    if (*out && memcmp((*out)->key, in->key, 32) == 0)
        return 0;
    poc = *out ? SPAN_NONE : directory_transport(b->st.dir, b->st.now_ms, in->key);
    *out = NULL;
    if (poc.n == 0) {
        b->st.metrics.unknown_key++;
        return 0;
    }
    rc = session_get(b->st.sessions, in->conn, in->key, poc, out);
    return rc == -HL_ENOMEM ? rc : 0;
}

static int control_one(struct broker *b, const struct input *in)
{
    struct frame f;
    struct session *s;
    int rc = session_of(b, in, &s);

    if (rc || !s)
        return rc;
    rc = frame_decode(&f, SPAN(in->bytes, in->n));
    if (rc) {
        outbox_refuse(&b->st.outbox, in->conn, 0, rc, NULL);
        return 0;
    }
    return frames_take(&b->st, s, &f, b->queue);
}

int broker_control(struct broker *b)
{
    struct input *in;
    int rc = 0;

    for (size_t i = 0; i < TURN_CONTROL && !rc && (in = queue_take(b->queue, QUEUE_CONTROL)); i++) {
        rc = control_one(b, in);
        input_free(in);
    }
    return rc;
}

static size_t stream_bytes(const struct input *in)
{
    return in->n > 2048 ? in->n : 0; /* inline bodies and chunks; small frames count as entries */
}

static bool is_document(const struct input *in)
{
    struct peek p;

    if (in->type == INPUT_DOCUMENT)
        return true;
    return in->type == INPUT_FRAME && queue_peek(&p, SPAN(in->bytes, in->n)) == 0 &&
           p.verb == VERB_DOCUMENT;
}

bool broker_full(const struct broker *b)
{
    return receipts_waiting(b->st.receipts) > RECEIPTS_MAX - TURN_ENTRIES;
}

/* A turn with FLASH holds only FLASH; a document closes its turn. */
static void choose(struct broker *b)
{
    bool flash = queue_waiting(b->queue, QUEUE_FLASH) > 0, closed = broker_full(b);
    size_t room = TURN_ENTRIES > b->intake.entries ? TURN_ENTRIES - b->intake.entries : 0,
           bytes = 0;

    b->n_work = 0;
    for (enum queue_class c = QUEUE_FLASH; c <= (flash ? QUEUE_FLASH : QUEUE_ROUTINE); c++) {
        while (!closed && b->n_work < room && bytes < TURN_BYTES) {
            struct input *in = queue_take(b->queue, c);

            if (!in)
                break;
            b->work[b->n_work++].in = in;
            bytes += stream_bytes(in);
            closed = is_document(in);
        }
    }
}

static void prepare_one(void *arg, size_t i)
{
    struct broker *b = arg;

    work_prepare(&b->work[i], b->st.conf.realm);
}

static int do_frame(struct broker *b, struct work *w)
{
    struct session *s;
    int rc = session_of(b, w->in, &s);

    if (rc || !s)
        return rc;
    delivery_credit(b->st.deliveries, s);
    if (!s->ready) {
        outbox_refuse(&b->st.outbox, s->conn, 0, -HL_ESTATE, "HELLO comes first");
        return 0;
    }
    if (w->judged)
        return intake_envelope(&b->intake, w);
    if (w->rc) {
        outbox_refuse(&b->st.outbox, s->conn, 0, w->rc, NULL);
        return 0;
    }
    if (w->frame.verb == VERB_DOCUMENT)
        return intake_document(&b->intake, s->conn, w->frame.tag, w->frame.note);
    assert(w->frame.verb == VERB_CHUNK);
    return intake_chunk(&b->intake, w);
}

static int do_work(struct broker *b, struct work *w)
{
    if (w->in->type == INPUT_DOCUMENT)
        return intake_document(&b->intake, 0, 0, SPAN(w->in->bytes, w->in->n));
    return do_frame(b, w);
}

int broker_work(struct broker *b)
{
    size_t i = 0;
    int rc = 0;

    choose(b);
    parallel_for(b->n_work, prepare_one, b);
    for (; i < b->n_work && !rc && b->intake.copies < TURN_COPIES; i++) {
        rc = do_work(b, &b->work[i]);
        input_free(b->work[i].in);
    }
    while (b->n_work > i) /* what is left goes first in the next turn */
        queue_return(b->queue, b->work[--b->n_work].in);
    return rc;
}

static int fetch_one(struct broker *b, const struct input *in)
{
    struct frame f;
    struct session *s;
    int rc = session_of(b, in, &s);

    if (rc || !s)
        return rc;
    delivery_credit(b->st.deliveries, s);
    rc = s->ready ? frame_decode(&f, SPAN(in->bytes, in->n)) : -HL_ESTATE;
    if (!rc)
        return fetch_frame(&b->st, s, &f);
    outbox_refuse(&b->st.outbox, s->conn, 0, rc, NULL);
    return 0;
}

int broker_fetches(struct broker *b)
{
    struct input *in;
    int rc = 0;

    for (size_t i = 0; i < TURN_FETCHES && !rc && (in = queue_take(b->queue, QUEUE_FETCH)); i++) {
        rc = fetch_one(b, in);
        input_free(in);
    }
    return rc;
}
