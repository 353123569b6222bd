#include "server/queue.h"

#include <stdlib.h>
#include <string.h>

#include "common/cbor.h"
#include "common/error.h"
#include "server/hmap.h"

struct lane {
    struct input *first, **last;
    size_t n;
};

/* How much one connection has waiting. */
struct load {
    struct hmap_node node;
    uint64_t conn;
    size_t frames, bytes;
};

struct queue {
    struct lane lane[QUEUE_CLASSES];
    struct hmap loads;
    size_t bytes;
};

int queue_open(struct queue **out)
{
    struct queue *q = calloc(1, sizeof(*q));
    int rc = q ? hmap_init(&q->loads) : -HL_ENOMEM;

    *out = NULL;
    if (rc) {
        free(q);
        return rc;
    }
    for (unsigned c = 0; c < QUEUE_CLASSES; c++)
        q->lane[c].last = &q->lane[c].first;
    *out = q;
    return 0;
}

static void load_free(void *arg, struct hmap_node *node)
{
    (void)arg;
    free(node);
}

void queue_close(struct queue *q)
{
    if (!q)
        return;
    for (unsigned c = 0; c < QUEUE_CLASSES; c++)
        for (struct input *in; (in = queue_take(q, c));)
            input_free(in);
    hmap_each(&q->loads, load_free, NULL);
    hmap_release(&q->loads);
    free(q);
}

void input_free(struct input *in)
{
    free(in);
}

static const enum queue_class of_precedence[] = { QUEUE_ROUTINE, QUEUE_PRIORITY, QUEUE_IMMEDIATE,
                                                  QUEUE_FLASH };

/* front = [1, header, stamp, ...], stamp = [key, draft, precedence, ...] */
enum queue_class queue_front_class(struct span front)
{
    struct cbor_in in, stamp;
    uint64_t precedence;

    cbor_open(&in, front);
    cbor_array(&in, 7, 7);
    cbor_uint(&in);
    cbor_bytes(&in);
    cbor_open(&stamp, cbor_bytes(&in));
    cbor_array(&stamp, 1, 32);
    cbor_bytes(&stamp);
    if (cbor_array(&stamp, 0, 2) == 2) {
        cbor_bytes(&stamp);
        cbor_bytes(&stamp);
    }
    cbor_array_end(&stamp);
    precedence = cbor_uint_max(&stamp, COUNT(of_precedence) - 1);
    return in.bad || stamp.bad ? QUEUE_ROUTINE : of_precedence[precedence];
}

/* The first line of a document's text names its type. */
static enum queue_class document_class(struct span note)
{
    static const char head[] = "hotline/1 ", type[] = " stop\n";
    const uint8_t *lf = note.n ? memchr(note.p, '\n', note.n < 64 ? note.n : 64) : NULL;
    size_t line = lf ? (size_t)(lf - note.p) + 1 : 0;

    if (line > sizeof(head) + sizeof(type) && memcmp(note.p, head, sizeof(head) - 1) == 0 &&
        memcmp(note.p + line - (sizeof(type) - 1), type, sizeof(type) - 1) == 0)
        return QUEUE_FLASH;
    return QUEUE_IMMEDIATE;
}

int queue_peek(struct peek *p, struct span frame)
{
    struct cbor_in in;
    uint64_t front_len;
    struct span front;

    *p = (struct peek){ .class = QUEUE_CONTROL };
    cbor_open(&in, frame);
    cbor_array(&in, 2, 16);
    p->verb = cbor_uint(&in);
    p->tag = cbor_uint(&in);
    if (in.bad)
        return -HL_EFORMAT;
    if (p->verb == VERB_FETCH)
        p->class = QUEUE_FETCH;
    else if (p->verb == VERB_DOCUMENT)
        p->class = document_class(cbor_bytes(&in));
    if (p->verb == VERB_SUBMIT) {
        front_len = cbor_uint(&in);
        front = cbor_bytes(&in);
        p->front_whole = !in.bad && front_len == front.n;
        if (p->front_whole)
            p->class = queue_front_class(front);
    }
    return 0;
}

static struct load *load_of(struct queue *q, uint64_t conn)
{
    struct load *l = (struct load *)hmap_find(&q->loads, SPAN(&conn, sizeof(conn)));

    if (l)
        return l;
    l = calloc(1, sizeof(*l));
    if (!l)
        return NULL;
    l->conn = conn;
    l->node.key = SPAN(&l->conn, sizeof(l->conn));
    hmap_add(&q->loads, &l->node);
    return l;
}

static void load_less(struct queue *q, const struct input *in)
{
    struct load *l = (struct load *)hmap_find(&q->loads, SPAN(&in->conn, sizeof(in->conn)));

    if (!l)
        return;
    l->frames--;
    l->bytes -= in->n;
    if (l->frames == 0) {
        hmap_remove(&q->loads, &l->node);
        free(l);
    }
}

int queue_put(struct queue *q, enum input_type type, enum queue_class class, uint64_t conn,
              uint64_t tag, const uint8_t key[static 32], struct span bytes)
{
    struct lane *lane = &q->lane[class];
    struct load *load;
    struct input *in;

    if (q->bytes + bytes.n > QUEUE_BYTES + QUEUE_SLACK)
        return -HL_ETOOBIG;
    load = load_of(q, conn);
    if (!load)
        return -HL_ENOMEM;
    if (conn && (load->frames >= QUEUE_CONN_FRAMES || load->bytes + bytes.n > QUEUE_CONN_BYTES))
        return -HL_ETOOBIG;
    in = malloc(sizeof(*in) + bytes.n);
    if (!in)
        return -HL_ENOMEM; /* an empty load costs nothing and is found again */
    *in = (struct input){ .type = type, .class = class, .conn = conn, .tag = tag, .n = bytes.n };
    memcpy(in->key, key, 32);
    if (bytes.n)
        memcpy(in->bytes, bytes.p, bytes.n);
    load->frames++;
    load->bytes += bytes.n;
    q->bytes += bytes.n;
    *lane->last = in;
    lane->last = &in->next;
    lane->n++;
    return q->bytes > QUEUE_BYTES ? -HL_EQUOTA : 0;
}

static struct input *lane_unlink(struct queue *q, struct lane *lane, struct input **at)
{
    struct input *in = *at;

    *at = in->next;
    if (lane->last == &in->next)
        lane->last = at;
    in->next = NULL;
    lane->n--;
    q->bytes -= in->n;
    load_less(q, in);
    return in;
}

struct input *queue_take(struct queue *q, enum queue_class class)
{
    struct lane *lane = &q->lane[class];

    return lane->first ? lane_unlink(q, lane, &lane->first) : NULL;
}

void queue_return(struct queue *q, struct input *in)
{
    struct lane *lane = &q->lane[in->class];
    struct load *load = load_of(q, in->conn);

    if (!load) { /* no memory: as if it had been lost on the way */
        input_free(in);
        return;
    }
    load->frames++;
    load->bytes += in->n;
    q->bytes += in->n;
    in->next = lane->first;
    if (!lane->first)
        lane->last = &in->next;
    lane->first = in;
    lane->n++;
}

void queue_drop(struct queue *q, uint64_t conn)
{
    for (unsigned c = 0; c < QUEUE_CLASSES; c++) {
        struct lane *lane = &q->lane[c];

        for (struct input **at = &lane->first; *at;) {
            if ((*at)->type != INPUT_DOCUMENT && (conn == 0 || (*at)->conn == conn))
                input_free(lane_unlink(q, lane, at));
            else
                at = &(*at)->next;
        }
    }
}

size_t queue_waiting(const struct queue *q, enum queue_class class)
{
    return q->lane[class].n;
}

size_t queue_bytes(const struct queue *q)
{
    return q->bytes;
}

bool queue_empty(const struct queue *q)
{
    for (unsigned c = 0; c < QUEUE_CLASSES; c++)
        if (q->lane[c].n)
            return false;
    return true;
}
