/*
 * Batches of one bundle: read, then check openings and signatures on all cores, then judge in
 * order.
 */
#include "client/audit/fold.h"

#include <stdlib.h>
#include <string.h>

#include "common/parallel.h"

#define BATCH TILE_WIDTH

struct batch {
    const struct fold *f;
    size_t n;
    struct item item[BATCH];
};

int fold_init(struct fold *f, const struct mirror *m, const struct audit_tree *t,
              struct audit_report *r)
{
    int rc = 0;

    *f = (struct fold){ .m = m, .tree = t, .r = r, .seen_size = UINT64_MAX };
    buf_init(&f->scratch, MIRROR_OPENING_MAX);
    f->dir = directory_new(m->realm);
    if (!f->dir)
        return -HL_ENOMEM;
    for (size_t i = 0; i < m->n_pins && !rc; i++)
        rc = directory_pin(f->dir, span_str(m->pin[i].party), m->pin[i].fp);
    if (rc && rc != -HL_ENOMEM) {
        audit_missing(r, "pins: %s", error_text(rc));
        rc = 0;
    }
    return rc ? rc : tile_dir_open(m->path, r->size, &f->d);
}

void fold_release(struct fold *f)
{
    directory_free(f->dir);
    tile_dir_close(f->d);
    idmap_release(&f->mids);
    idmap_release(&f->unpinned);
    numbers_release(&f->numbers);
    free(f->asked);
    free(f->told);
    buf_release(&f->scratch);
}

int fold_record(const struct fold *f, uint64_t index, struct buf *buf, struct record *rec)
{
    int rc = mirror_opening(f->m, index, buf);

    return rc ? rc : record_decode(rec, SPAN(buf->p + RECORD_SALT, buf->n - RECORD_SALT));
}

static int read_item(const struct fold *f, struct item *it, uint64_t index)
{
    int rc;

    it->index = index;
    it->rc = 0;
    it->what = "";
    it->opened = false;
    buf_clear(&it->entry);
    rc = tile_dir_entry(f->d, index, &it->entry);
    if (rc)
        return rc;
    rc = mirror_opening(f->m, index, &it->opening);
    if (rc == -HL_ENOENT)
        return 0;
    it->opened = true;
    if (rc == -HL_EFORMAT) {
        it->rc = -HL_ELEAF;
        it->what = "its opening is too short or too long";
        rc = 0;
    }
    return rc;
}

static int check_envelope(const struct fold *f, struct item *it)
{
    const struct record *r = &it->record;
    int rc = envelope_decode_parts(&it->env, f->m->realm, r->header, r->stamp, r->wraps_hash,
                                   r->body_hash, r->sig);

    it->what = "its envelope is not well-formed";
    if (rc)
        return rc;
    it->what = "a signature of its envelope does not verify";
    return envelope_verify(&it->env);
}

static int check_opening(const struct fold *f, struct item *it)
{
    struct span record = SPAN(it->opening.p + RECORD_SALT, it->opening.n - RECORD_SALT);
    uint8_t want[32];
    int rc;

    record_entry(want, f->m->realm, it->opening.p, record);
    it->what = "its opening is not what the entry commits to";
    if (!span_eq(buf_span(&it->entry), SPAN(want, 32)))
        return -HL_ELEAF;
    it->what = "its record is not well-formed";
    rc = record_decode(&it->record, record);
    if (!rc && it->record.type == RECORD_ENVELOPE)
        rc = check_envelope(f, it);
    return rc;
}

/* Pure but for its own item. */
static void check_item(void *arg, size_t i)
{
    struct batch *b = arg;
    struct item *it = &b->item[i];

    if (it->opened && !it->rc)
        it->rc = check_opening(b->f, it);
}

static void look_ahead(struct batch *b)
{
    uint64_t next = 0;

    for (size_t i = b->n; i-- > 0;) {
        struct item *it = &b->item[i];

        it->next_ms = next;
        if (it->opened && !it->rc)
            next = it->record.time_ms;
    }
}

static int run_batch(struct fold *f, struct batch *b, uint64_t first)
{
    int rc = 0;

    for (b->n = 0; b->n < BATCH && first + b->n < f->tree->held && !rc; b->n++)
        rc = read_item(f, &b->item[b->n], first + b->n);
    if (rc)
        return rc;
    parallel_for(b->n, check_item, b);
    look_ahead(b);
    for (size_t i = 0; i < b->n && !rc && !f->r->failed; i++) {
        rc = fold_item(f, &b->item[i]);
        f->r->checked += !rc && !f->r->failed;
    }
    return rc;
}

int fold_run(struct fold *f)
{
    struct batch *b = calloc(1, sizeof(*b));
    int rc = 0;

    if (!b)
        return -HL_ENOMEM;
    b->f = f;
    for (size_t i = 0; i < BATCH; i++) {
        buf_init(&b->item[i].entry, UINT16_MAX);
        buf_init(&b->item[i].opening, MIRROR_OPENING_MAX);
    }
    for (uint64_t first = 0; first < f->tree->held && !rc && !f->r->failed; first += BATCH)
        rc = run_batch(f, b, first);
    for (size_t i = 0; i < BATCH; i++) {
        buf_release(&b->item[i].entry);
        buf_release(&b->item[i].opening);
    }
    free(b);
    return rc;
}
