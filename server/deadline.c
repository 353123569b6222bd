#include "server/deadline.h"

#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/record.h"

#define SCAN_STEP 256 /* events read at once when rebuilding */

struct deadlines {
    struct store *store;
    enum realm realm;
    struct hmap map;
    struct deadline *
        *heap; /* the first due on top; heap[i] is not due after heap[2i+1], heap[2i+2] */
    size_t n, cap;
};

static void heap_set(struct deadlines *ds, size_t i, struct deadline *d)
{
    ds->heap[i] = d;
    d->at = i;
}

static void heap_up(struct deadlines *ds, struct deadline *d)
{
    size_t i = d->at;

    for (; i && ds->heap[(i - 1) / 2]->due_ms > d->due_ms; i = (i - 1) / 2)
        heap_set(ds, i, ds->heap[(i - 1) / 2]);
    heap_set(ds, i, d);
}

static void heap_down(struct deadlines *ds, struct deadline *d)
{
    size_t i = d->at;

    for (size_t k; (k = 2 * i + 1) < ds->n; i = k) {
        if (k + 1 < ds->n && ds->heap[k + 1]->due_ms < ds->heap[k]->due_ms)
            k++;
        if (ds->heap[k]->due_ms >= d->due_ms)
            break;
        heap_set(ds, i, ds->heap[k]);
    }
    heap_set(ds, i, d);
}

static int heap_add(struct deadlines *ds, struct deadline *d)
{
    size_t cap = ds->cap ? ds->cap * 2 : 64;
    struct deadline **heap;

    if (ds->n == ds->cap) {
        heap = realloc(ds->heap, cap * sizeof(struct deadline *));
        if (!heap)
            return -HL_ENOMEM;
        ds->heap = heap;
        ds->cap = cap;
    }
    heap_set(ds, ds->n++, d);
    heap_up(ds, d);
    return 0;
}

static void heap_remove(struct deadlines *ds, struct deadline *d)
{
    struct deadline *last = ds->heap[--ds->n];

    if (last == d)
        return;
    heap_set(ds, d->at, last);
    heap_up(ds, last);
    heap_down(ds, last);
}

static struct deadline *deadline_find(const struct deadlines *ds, const uint8_t mid[static 32])
{
    return (struct deadline *)hmap_find(&ds->map, SPAN(mid, 32));
}

/* Into memory; the store has it or gets it by the caller. */
static int deadline_new(struct deadlines *ds, const struct header *h, const uint8_t mid[static 32],
                        const struct deadline *facts)
{
    struct deadline *d = calloc(1, sizeof(*d) + h->n_to * sizeof(d->to[0]));

    if (!d)
        return -HL_ENOMEM;
    *d = *facts;
    if (heap_add(ds, d)) {
        free(d);
        return -HL_ENOMEM;
    }
    memcpy(d->mid, mid, 32);
    memcpy(d->channel, h->channel, 32);
    memcpy(d->sender, h->sender.p, h->sender.n);
    d->n = h->n_to;
    for (size_t i = 0; i < h->n_to; i++) {
        memcpy(d->to[i].poc, h->to[i].poc.p, h->to[i].poc.n);
        d->to[i].role = (uint8_t)h->to[i].role;
    }
    d->node.key = SPAN(d->mid, 32);
    hmap_add(&ds->map, &d->node);
    return 0;
}

int deadline_add(struct deadlines *ds, const struct envelope *env, uint64_t index, uint64_t time_ms,
                 uint64_t due_ms)
{
    const struct deadline facts = {
        .index = index, .time_ms = time_ms, .due_ms = due_ms, .precedence = env->stamp.precedence
    };
    int rc;

    if (deadline_find(ds, env->mid))
        return 0;
    rc = deadline_new(ds, &env->header, env->mid, &facts);
    return rc ? rc : store_stage_due(ds->store, index, due_ms);
}

/* ---- steps ---- */

static bool answers(unsigned kind)
{
    return kind >= KIND_ACKNOWLEDGED && kind <= KIND_REFUSED;
}

static void mark(struct deadline *d, struct span poc, unsigned kind)
{
    struct due_to *principal = NULL;

    for (size_t i = 0; i < d->n; i++) {
        struct due_to *to = &d->to[i];

        if (to->role == ROLE_ACTION)
            principal = to;
        if (!span_eq_str(poc, to->poc))
            continue;
        to->delivered = true;
        if (!answers(kind))
            continue;
        to->answered = true;
        if (to->role > ROLE_ALTERNATE && principal)
            principal->answered = true;
    }
}

static bool all_answered(const struct deadline *d)
{
    for (size_t i = 0; i < d->n; i++)
        if (d->to[i].role == ROLE_ACTION && !d->to[i].answered)
            return false;
    return true;
}

int deadline_close(struct deadlines *ds, struct deadline *d)
{
    uint64_t index = d->index;

    heap_remove(ds, d);
    hmap_remove(&ds->map, &d->node);
    free(d);
    return store_stage_due_drop(ds->store, index);
}

bool deadline_open(const struct deadlines *ds, const uint8_t mid[static 32])
{
    return deadline_find(ds, mid) != NULL;
}

struct deadline *deadline_step(struct deadlines *ds, const uint8_t mid[static 32], struct span poc,
                               unsigned kind)
{
    struct deadline *d = deadline_find(ds, mid);

    if (!d)
        return NULL;
    mark(d, poc, kind);
    return all_answered(d) ? d : NULL;
}

struct deadline *deadline_due(struct deadlines *ds, uint64_t now_ms)
{
    return ds->n && ds->heap[0]->due_ms <= now_ms ? ds->heap[0] : NULL;
}

int deadline_again(struct deadlines *ds, struct deadline *d, uint64_t due_ms)
{
    d->due_ms = due_ms;
    d->stage++;
    heap_up(ds, d);
    heap_down(ds, d);
    return store_stage_due(ds->store, d->index, due_ms);
}

uint64_t deadline_next_ms(const struct deadlines *ds)
{
    return ds->n ? ds->heap[0]->due_ms : UINT64_MAX;
}

size_t deadlines_count(const struct deadlines *ds)
{
    return ds->n;
}

/* ---- start: messages first, then one pass over the events of each sender ---- */

struct load {
    struct deadlines *ds;
    struct stored stored;
    struct header *header;
    uint64_t from; /* the next one */
    size_t n;      /* read in this step */
};

static int load_one(void *arg, uint64_t index, uint64_t due_ms)
{
    struct load *l = arg;
    struct deadline facts = { .index = index, .due_ms = due_ms };
    struct record rec;
    uint8_t mid[32];
    int rc = store_read(l->ds->store, index, &l->stored);

    if (!rc && (record_decode(&rec, buf_span(&l->stored.record)) || rec.type != RECORD_ENVELOPE ||
                header_decode(l->header, l->ds->realm, rec.header)))
        rc = -HL_ESTORE;
    if (rc)
        return rc == -HL_ENOMEM ? rc : 0; /* damaged: nothing can fall due of it */
    envelope_mid(mid, l->ds->realm, rec.header);
    if (deadline_find(l->ds, mid))
        return 0;
    facts.time_ms = l->stored.time_ms;
    facts.precedence = l->stored.precedence;
    return deadline_new(l->ds, l->header, mid, &facts);
}

/* How far the notices went: to alternate n, or to none. */
static void load_notice(struct deadline *d, const struct record *rec)
{
    unsigned stage = 1;

    if (rec->notice != NOTICE_UNDELIVERED && rec->notice != NOTICE_NOT_ACKNOWLEDGED &&
        rec->notice != NOTICE_ESCALATED)
        return;
    for (size_t i = 0; rec->notice == NOTICE_ESCALATED && i < d->n; i++)
        if (span_eq_str(rec->poc, d->to[i].poc) && d->to[i].role > ROLE_ALTERNATE)
            stage = d->to[i].role - ROLE_ALTERNATE;
    if (stage > d->stage)
        d->stage = stage;
}

static void load_record(struct load *l, const struct record *rec)
{
    struct deadline *d;

    if (rec->type == RECORD_NOTICE && (d = deadline_find(l->ds, rec->mid))) {
        load_notice(d, rec);
        return;
    }
    if (rec->type != RECORD_ENVELOPE || header_decode(l->header, l->ds->realm, rec->header) ||
        !kind_is_step(l->header->kind) || l->header->n_refs == 0)
        return;
    d = deadline_find(l->ds, l->header->ref[0]);
    if (d)
        mark(d, l->header->sender, l->header->kind);
}

static int load_event(void *arg, uint64_t index)
{
    struct load *l = arg;
    struct record rec;
    int rc = store_read(l->ds->store, index, &l->stored);

    l->from = index + 1;
    l->n++;
    if (rc == -HL_ENOMEM)
        return rc;
    if (!rc && record_decode(&rec, buf_span(&l->stored.record)) == 0)
        load_record(l, &rec);
    return 0;
}

/* The events of one sender, from its oldest open message on. */
static int load_sender(struct load *l, struct span sender, uint64_t from)
{
    int rc;

    l->from = from;
    do {
        l->n = 0;
        rc = store_each_event(l->ds->store, sender, l->from, SCAN_STEP, load_event, l);
    } while (!rc && l->n == SCAN_STEP);
    return rc;
}

static int by_sender(const void *a, const void *b)
{
    const struct deadline *x = *(struct deadline *const *)a, *y = *(struct deadline *const *)b;
    int cmp = strcmp(x->sender, y->sender);

    return cmp ? cmp : x->index < y->index ? -1 : x->index > y->index;
}

static int load_steps(struct load *l)
{
    struct deadlines *ds = l->ds;
    struct deadline **v = malloc((ds->n + 1) * sizeof(struct deadline *));
    int rc = v ? 0 : -HL_ENOMEM;

    if (v && ds->n) {
        memcpy(v, ds->heap, ds->n * sizeof(struct deadline *));
        qsort(v, ds->n, sizeof(struct deadline *), by_sender);
    }
    for (size_t i = 0; i < ds->n && !rc; i++)
        if (i == 0 || strcmp(v[i]->sender, v[i - 1]->sender) != 0)
            rc = load_sender(l, span_str(v[i]->sender), v[i]->index);
    free(v);
    return rc;
}

int deadlines_open(struct store *st, enum realm realm, struct deadlines **out)
{
    struct deadlines *ds = calloc(1, sizeof(*ds));
    struct load l = { .ds = ds, .header = malloc(sizeof(*l.header)) };
    int rc = ds && l.header ? hmap_init(&ds->map) : -HL_ENOMEM;

    *out = NULL;
    stored_init(&l.stored);
    if (!rc) {
        ds->store = st;
        ds->realm = realm;
        rc = store_each_due(st, load_one, &l);
    }
    if (!rc)
        rc = load_steps(&l);
    if (!rc) {
        *out = ds;
        ds = NULL;
    }
    stored_release(&l.stored);
    free(l.header);
    deadlines_close(ds);
    return rc;
}

static void deadline_free(void *arg, struct hmap_node *node)
{
    (void)arg;
    free(node);
}

void deadlines_close(struct deadlines *ds)
{
    if (!ds)
        return;
    hmap_each(&ds->map, deadline_free, NULL);
    hmap_release(&ds->map);
    free(ds->heap);
    free(ds);
}
