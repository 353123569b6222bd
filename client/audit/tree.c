/*
 * Two trees are built side by side: E from the entries as they stand in the bundles, T from the
 * leaf hashes as they stand in the level-0 tiles (each borrows from the other what is missing
 * there).  Which of them leads to the signed root tells what is bad where they differ:
 *
 *     T leads there, E not     the entry was changed
 *     E leads there, T not     the tile was changed
 *     neither                  both; the first bad entry lies behind the last good checkpoint
 */
#include "client/audit/tree.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "client/audit/notes.h"
#include "common/file.h"
#include "common/text.h"
#include "common/tlog/tile_build.h"

struct walk {
    const struct mirror *m;
    struct audit_report *r;
    struct tile_dir *d;
    struct buf bundle;
    struct merkle_range e;
    struct tile_builder t;
    const struct notes *notes;
    size_t next_note;
    bool bad_note;
    uint64_t bad_note_size;
    bool differs; /* an entry and its tile, first at: */
    uint64_t differs_at;
    uint8_t entry_leaf[32], tile_leaf[32];
    bool framing;  /* it differs because its bundle cannot be read on */
    bool bad_tile; /* a tile above level 0, or of a wrong length */
    char tile[TILE_PATH_MAX];
    bool stopped; /* neither entry nor leaf hash is here */
    uint64_t held;
};

static void differ(struct walk *w, uint64_t index, const uint8_t entry[static 32],
                   const uint8_t tile[static 32], bool framing)
{
    if (w->differs)
        return;
    w->differs = true;
    w->differs_at = index;
    w->framing = framing;
    memcpy(w->entry_leaf, entry, 32);
    memcpy(w->tile_leaf, tile, 32);
}

static void tile_name(struct walk *w, unsigned level, uint64_t n, char out[static TILE_PATH_MAX])
{
    struct tile_id id = { level, n, tile_width(level, n, w->r->size) };

    tile_path(out, &id);
}

/* Note one bad or missing tile; one line each, however many of its hashes are asked for. */
static void tile_trouble(struct walk *w, unsigned level, uint64_t n, int rc)
{
    char path[TILE_PATH_MAX];

    tile_name(w, level, n, path);
    if (rc == -HL_ENOENT)
        audit_missing(w->r, "%s", path);
    else if (!w->bad_tile) {
        w->bad_tile = true;
        memcpy(w->tile, path, sizeof(path));
    }
}

/* Tiles above level 0 must hold what follows from those below. */
static int compare_tile(void *arg, const struct tile_id *id, struct span hashes)
{
    struct walk *w = arg;

    for (unsigned i = 0; id->level > 0 && i < id->width; i++) {
        uint8_t have[32];
        int rc = tile_dir_get(w->d, 8 * id->level, id->n * TILE_WIDTH + i, have);

        if (rc == -HL_ESYS || rc == -HL_ENOMEM)
            return rc;
        if (rc || memcmp(have, hashes.p + 32 * (size_t)i, 32) != 0) {
            tile_trouble(w, id->level, id->n, rc);
            break;
        }
    }
    return 0;
}

/* Checkpoints of the size that the entries have reached. */
static void pass_notes(struct walk *w)
{
    uint8_t root[32];

    for (; w->next_note < w->notes->n && w->notes->v[w->next_note].cp.size == w->e.size;
         w->next_note++) {
        const struct checkpoint *cp = &w->notes->v[w->next_note].cp;

        merkle_range_root(&w->e, root);
        if (memcmp(root, cp->root, 32) == 0) {
            w->r->consistent++;
            w->r->good_size = cp->size;
        } else if (!w->bad_note) {
            w->bad_note = true;
            w->bad_note_size = cp->size;
        }
    }
}

/* One leaf: from the entry, when it can be read, and from the tile, when it is there. */
static int step(struct walk *w, uint64_t index, const struct span *entry, bool framing)
{
    uint8_t e[32], t[32];
    int rc = tile_dir_get(w->d, 0, index, t);

    if (rc == -HL_ESYS || rc == -HL_ENOMEM)
        return rc;
    if (rc && index % TILE_WIDTH == 0)
        tile_trouble(w, 0, index / TILE_WIDTH, rc);
    if (rc && !entry) {
        w->stopped = true;
        if (framing)
            audit_fail_entry(w->r, index, -HL_EFORMAT, "its bundle is cut");
        return 0;
    }
    if (entry)
        merkle_leaf(e, *entry);
    else
        memcpy(e, t, 32);
    if (rc)
        memcpy(t, e, 32);
    if (framing || memcmp(e, t, 32) != 0)
        differ(w, index, e, t, framing);
    merkle_range_add(&w->e, e);
    rc = tile_builder_add(&w->t, t);
    pass_notes(w);
    return rc;
}

static uint64_t bundle_end(const struct walk *w, uint64_t n)
{
    uint64_t end = (n + 1) * TILE_WIDTH;

    return end < w->r->size ? end : w->r->size;
}

static void missing_bundle(struct walk *w, uint64_t n)
{
    char path[TILE_PATH_MAX];

    tile_name(w, TILE_ENTRIES, n, path);
    audit_missing(w->r, "%s (entries %" PRIu64 " to %" PRIu64 ")", path, n * TILE_WIDTH,
                  bundle_end(w, n) - 1);
    if (w->held > n * TILE_WIDTH)
        w->held = n * TILE_WIDTH;
}

/* What follows the last entry of this tree: nothing, or in a full bundle the entries of a larger
 * tree. */
static void bundle_tail(struct walk *w, uint64_t n, struct span rest, unsigned width)
{
    unsigned count = (unsigned)(bundle_end(w, n) - n * TILE_WIDTH);
    struct span entry;
    int rc;

    while (bundle_next(&rest, &entry, &rc))
        count++;
    if ((rc || count != width) && !w->bad_tile) {
        w->bad_tile = true;
        tile_name(w, TILE_ENTRIES, n, w->tile);
    }
}

static int walk_bundle(struct walk *w, uint64_t n)
{
    unsigned width = 0;
    int rc = tile_dir_bundle(w->d, n, &w->bundle, &width);
    bool here = rc == 0, framed = here;
    struct span rest = buf_span(&w->bundle), entry;

    if (rc == -HL_ENOENT)
        missing_bundle(w, n);
    else if (rc && rc != -HL_EFORMAT)
        return rc;
    here = here || rc == -HL_EFORMAT;
    for (uint64_t i = n * TILE_WIDTH; i < bundle_end(w, n) && !w->stopped; i++) {
        bool was = framed;
        int bad;

        framed = framed && bundle_next(&rest, &entry, &bad);
        rc = step(w, i, framed ? &entry : NULL, here && !framed && (was || i == n * TILE_WIDTH));
        if (rc)
            return rc;
    }
    if (framed)
        bundle_tail(w, n, rest, width);
    return 0;
}

static int walk_all(struct walk *w)
{
    int rc = 0;

    pass_notes(w);
    for (uint64_t n = 0; n * TILE_WIDTH < w->r->size && !rc && !w->stopped; n++)
        rc = walk_bundle(w, n);
    if (!rc && !w->stopped)
        rc = tile_builder_partials(&w->t);
    return rc;
}

static void judge_entry(struct walk *w, bool e_good, bool t_good)
{
    char e[65], t[65];

    text_hex(e, w->entry_leaf, 32);
    text_hex(t, w->tile_leaf, 32);
    if (t_good && w->framing)
        audit_fail_entry(w->r, w->differs_at, -HL_EPROOF,
                         "its bundle is cut or its length was changed");
    else if (t_good)
        audit_fail_entry(w->r, w->differs_at, -HL_EPROOF,
                         "the entry was changed: it hashes to %s, the log signed %s", e, t);
    else if (e_good)
        audit_fail_entry(
            w->r, w->differs_at, -HL_EPROOF,
            "its tile was changed: it holds %s, the entry hashes to %s as the log signed", t, e);
    else
        audit_fail_entry(
            w->r, w->differs_at, -HL_EPROOF,
            "entry (hash %s) and tile (hash %s) differ, and neither leads to the signed root", e,
            t);
}

static void judge(struct walk *w, const struct checkpoint *head)
{
    uint8_t e[32], t[32];
    bool e_good, t_good;

    merkle_range_root(&w->e, e);
    merkle_range_root(&w->t.range, t);
    e_good = memcmp(e, head->root, 32) == 0;
    t_good = memcmp(t, head->root, 32) == 0;
    if (w->differs)
        judge_entry(w, e_good, t_good);
    else if (!e_good)
        audit_fail(w->r, -HL_EPROOF,
                   "the entries do not lead to the signed root; the first bad one is in %" PRIu64
                   " to %" PRIu64,
                   w->r->good_size, w->r->size - (w->r->size > 0));
    else if (w->bad_note)
        audit_fail(w->r, -HL_EFORK,
                   "checkpoints/%" PRIu64
                   ", signed by the log, is not on the way to the newest one",
                   w->bad_note_size);
    else if (w->bad_tile)
        audit_fail(w->r, -HL_EPROOF, "%s does not hold what follows from the entries", w->tile);
    if (e_good && !w->differs && !w->bad_note) {
        w->r->good_size = head->size;
        w->r->consistent++;
    }
}

static int walk_init(struct walk *w, const struct mirror *m, const struct notes *notes,
                     struct audit_report *r)
{
    w->m = m;
    w->r = r;
    w->notes = notes;
    w->held = r->size;
    buf_init(&w->bundle, TILE_BUNDLE_MAX);
    merkle_range_init(&w->e);
    tile_builder_init(&w->t, compare_tile, w);
    return tile_dir_open(m->path, r->size, &w->d);
}

static int check_tree(const struct mirror *m, struct audit_tree *t, const struct notes *notes,
                      struct audit_report *r)
{
    struct walk *w = calloc(1, sizeof(*w));
    int rc;

    if (!w)
        return -HL_ENOMEM;
    rc = walk_init(w, m, notes, r);
    if (!rc)
        rc = walk_all(w);
    if (!rc && !w->stopped)
        judge(w, &t->head);
    t->held = w->held;
    tile_dir_close(w->d);
    buf_release(&w->bundle);
    free(w);
    return rc;
}

int audit_tree(const struct mirror *m, struct audit_tree *t, struct audit_report *r)
{
    struct notes notes = { 0 };
    int rc;

    *t = (struct audit_tree){ 0 };
    rc = notes_load(m, t, &notes, r);
    if (!rc && !r->failed)
        rc = check_tree(m, t, &notes, r);
    notes_release(&notes);
    return rc;
}

void audit_tree_release(struct audit_tree *t)
{
    free(t->bracket);
    *t = (struct audit_tree){ 0 };
}
