#include "server/documents_inner.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/error.h"
#include "common/file.h"

/* What the operator put into the folder, in an order that the directory can take. */
struct scan {
    struct documents *d;
    struct queue *q;
    struct buf file;
    struct found {
        enum document_type type;
        uint64_t serial;
        struct buf note;
    } * v;
    size_t n, cap, queued;
};

static const int folder_order[] = {
    [DOCUMENT_CARD] = 0, [DOCUMENT_AGREEMENT] = 1, [DOCUMENT_SUBKEYS] = 2, [DOCUMENT_STOP] = 3
};

static int by_order(const void *a, const void *b)
{
    const struct found *x = a, *y = b;

    if (x->type != y->type)
        return folder_order[x->type] - folder_order[y->type];
    return x->serial < y->serial ? -1 : x->serial > y->serial;
}

static bool recorded(const struct documents *d, struct span note)
{
    uint8_t hash[32];

    crypto_hash_sha256(hash, note.p, note.n);
    for (size_t i = 0; i < d->n; i++)
        if (memcmp(d->v[i].hash, hash, 32) == 0)
            return true;
    return false;
}

static uint64_t serial_of(const struct documents *d, const struct document *doc, struct span note)
{
    struct card *card;
    uint64_t serial = 0;

    if (doc->type == DOCUMENT_CARD && card_new(&card, d->realm, note, NULL) == 0) {
        serial = card->serial;
        card_free(card);
    }
    return serial;
}

/* A file that is no document at all is the turn's to refuse, with its reason. */
static int scan_file(void *arg, const char *path)
{
    struct scan *s = arg;
    size_t cap = s->cap ? s->cap * 2 : 64;
    struct document doc = { 0 };
    struct found *v;
    int rc;

    buf_clear(&s->file);
    rc = file_read(path, &s->file);
    if (rc)
        return rc == -HL_ENOMEM ? rc : 0;
    if (recorded(s->d, buf_span(&s->file)))
        return 0;
    if (document_decode(&doc, s->d->realm, buf_span(&s->file)))
        doc.type = DOCUMENT_STOP;
    if (s->n == s->cap) {
        v = realloc(s->v, cap * sizeof(*v));
        if (!v)
            return -HL_ENOMEM;
        s->v = v;
        s->cap = cap;
    }
    v = &s->v[s->n++];
    *v = (struct found){ .type = doc.type, .serial = serial_of(s->d, &doc, buf_span(&s->file)) };
    buf_init(&v->note, DOCUMENT_MAX);
    return buf_put_span(&v->note, buf_span(&s->file));
}

int documents_scan(struct documents *d, const char *path, struct queue *q, size_t *n)
{
    static const uint8_t no_key[32];
    struct scan s = { .d = d, .q = q };
    int rc;

    *n = 0;
    buf_init(&s.file, DOCUMENT_MAX);
    rc = file_each(path, "", scan_file, &s);
    if (!rc && s.n)
        qsort(s.v, s.n, sizeof(*s.v), by_order);
    for (size_t i = 0; i < s.n; i++) {
        if (!rc)
            rc =
                queue_put(q, INPUT_DOCUMENT, QUEUE_IMMEDIATE, 0, 0, no_key, buf_span(&s.v[i].note));
        if (rc == -HL_EQUOTA)
            rc = 0;
        buf_release(&s.v[i].note);
    }
    *n = s.n;
    free(s.v);
    buf_release(&s.file);
    return rc;
}
