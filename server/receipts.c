#include "server/receipts.h"

#include <stdlib.h>
#include <string.h>

#include "common/error.h"

struct waiting {
    uint64_t conn, tag;
    struct entry entry;
    bool document;
};

struct receipts {
    struct log *log;
    struct sessions *sessions;
    struct outbox *outbox;
    struct waiting *v;
    size_t n, cap;
    uint64_t least; /* no waiting index is smaller */
};

int receipts_open(struct log *log, struct sessions *sessions, struct outbox *outbox,
                  struct receipts **out)
{
    struct receipts *r = calloc(1, sizeof(*r));

    *out = r;
    if (!r)
        return -HL_ENOMEM;
    *r = (struct receipts){ .log = log, .sessions = sessions, .outbox = outbox };
    return 0;
}

void receipts_close(struct receipts *r)
{
    if (r)
        free(r->v);
    free(r);
}

int receipts_wait(struct receipts *r, uint64_t conn, uint64_t tag, const struct entry *entry,
                  bool document)
{
    size_t cap = r->cap ? r->cap * 2 : 256;
    struct waiting *v;

    if (conn == 0)
        return 0;
    if (r->n >= RECEIPTS_MAX)
        return -HL_EBUSY;
    if (r->n == r->cap) {
        v = realloc(r->v, cap * sizeof(*v));
        if (!v)
            return -HL_ENOMEM;
        r->v = v;
        r->cap = cap;
    }
    if (r->n == 0 || entry->index < r->least)
        r->least = entry->index;
    r->v[r->n++] = (struct waiting){ conn, tag, *entry, document };
    return 0;
}

void receipts_checkpoint(struct receipts *r, struct session *s, uint64_t size, struct span note)
{
    struct frame f = { .verb = VERB_CHECKPOINT, .note = note };

    if (s->checkpoint >= size)
        return;
    s->checkpoint = size;
    outbox_put(r->outbox, s->conn, &f);
}

static int receipt_send(struct receipts *r, struct session *s, const struct waiting *w,
                        uint64_t size, struct span note)
{
    struct frame f = { .verb = VERB_RECORDED,
                       .tag = w->tag,
                       .index = w->entry.index,
                       .time_ms = w->entry.time_ms,
                       .size = size };
    int rc = log_inclusion(r->log, w->entry.index, size, f.path, &f.n_path);

    if (rc)
        return rc;
    if (!w->document)
        f.salt = SPAN(w->entry.salt, 32);
    if (s->concern <= w->entry.index)
        s->concern = w->entry.index + 1;
    receipts_checkpoint(r, s, size, note);
    outbox_put(r->outbox, s->conn, &f);
    return 0;
}

int receipts_release(struct receipts *r, uint64_t size, struct span note)
{
    size_t left = 0;
    int rc = 0;

    if (r->n == 0 || r->least >= size)
        return 0;
    r->least = UINT64_MAX;
    for (size_t i = 0; i < r->n; i++) {
        struct session *s;

        if (r->v[i].entry.index >= size && r->v[i].entry.index < r->least)
            r->least = r->v[i].entry.index;
        if (rc || r->v[i].entry.index >= size) {
            r->v[left++] = r->v[i];
            continue;
        }
        s = session_find(r->sessions, r->v[i].conn);
        if (s)
            rc = receipt_send(r, s, &r->v[i], size, note);
    }
    r->n = left;
    return rc;
}

void receipts_gone(struct receipts *r, uint64_t conn)
{
    size_t left = 0;

    for (size_t i = 0; i < r->n; i++)
        if (r->v[i].conn != conn)
            r->v[left++] = r->v[i];
    r->n = left;
}

size_t receipts_waiting(const struct receipts *r)
{
    return r->n;
}
