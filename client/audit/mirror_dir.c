/*
 * Writing a mirror.  Full bundles and full tiles go to disk as they fill; the rest of the right
 * edge is in memory until a checkpoint covers it.
 *
 *   COUNTING -[mirror_dir_put_entries]-> COUNTING -[mirror_dir_put_checkpoint]-> COVERED
 * -[.._put_entries]-> COUNTING
 */
#include "client/audit/mirror_dir.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/error.h"
#include "common/file.h"
#include "common/record.h"
#include "common/text.h"
#include "common/tlog/tile_build.h"

#define PINS_MAX 65536
#define NOTE_FILE_MAX 65536

struct mirror_dir {
    char path[MIRROR_DIR_MAX];
    enum realm realm;
    uint64_t covered;      /* size of the checkpoint on disk */
    struct buf bundle;     /* entries of the bundle that is filling */
    struct tile_dir *full; /* the full bundles on disk */
    uint64_t full_size;
    struct tile_builder tiles;
};

void mirror_path(char out[static MIRROR_PATH_MAX], const char *dir, const char *name)
{
    snprintf(out, MIRROR_PATH_MAX, "%s/%s", dir, name);
}

static void sized_path(char out[static MIRROR_PATH_MAX], const char *dir, const char *folder,
                       uint64_t n)
{
    snprintf(out, MIRROR_PATH_MAX, "%s/%s/%" PRIu64, dir, folder, n);
}

static int emit(void *arg, const struct tile_id *id, struct span hashes)
{
    const struct mirror_dir *m = arg;

    return tile_write(m->path, id, hashes);
}

static int claim_realm(const struct mirror_dir *m)
{
    char path[MIRROR_PATH_MAX], line[16];
    int rc;

    snprintf(line, sizeof(line), "%s\n", realm_name(m->realm));
    mirror_path(path, m->path, "realm");
    rc = file_keep(path, span_str(line), 0644);
    return rc == -HL_EFORK ? -HL_EREALM : rc;
}

static int make_folders(const struct mirror_dir *m)
{
    static const char *const names[] = { "", "checkpoints", "openings" };
    char path[MIRROR_PATH_MAX];
    int rc = 0;

    for (size_t i = 0; i < COUNT(names) && !rc; i++) {
        mirror_path(path, m->path, names[i]);
        rc = file_mkdir(path, 0755);
    }
    return rc;
}

static int note_open(struct checkpoint *cp, struct span in)
{
    struct note note;
    int rc = note_parse(&note, in);

    return rc ? rc : checkpoint_parse(cp, note.text);
}

/* The entries of the bundle that is filling, from the partial bundle on disk. */
static int resume_bundle(struct mirror_dir *m, struct tile_dir *d, uint64_t size)
{
    struct buf entry;
    int rc = 0;

    buf_init(&entry, UINT16_MAX);
    for (uint64_t i = size - size % TILE_WIDTH; i < size && !rc; i++) {
        buf_clear(&entry);
        rc = tile_dir_entry(d, i, &entry);
        if (!rc)
            rc = bundle_put(&m->bundle, buf_span(&entry));
    }
    buf_release(&entry);
    return rc;
}

static int resume(struct mirror_dir *m, const struct checkpoint *cp)
{
    struct tile_dir *d;
    uint8_t root[32];
    int rc = tile_dir_open(m->path, cp->size, &d);

    if (!rc)
        rc = tile_builder_resume(&m->tiles, cp->size, d);
    if (!rc)
        rc = resume_bundle(m, d, cp->size);
    if (!rc) {
        merkle_range_root(&m->tiles.range, root);
        rc = memcmp(root, cp->root, 32) ? -HL_ESTORE : 0;
    }
    m->covered = cp->size;
    tile_dir_close(d);
    return rc;
}

static int resume_checkpoint(struct mirror_dir *m)
{
    char path[MIRROR_PATH_MAX];
    struct checkpoint cp;
    struct buf note;
    int rc;

    mirror_path(path, m->path, "checkpoint");
    buf_init(&note, NOTE_FILE_MAX);
    rc = file_read(path, &note);
    if (!rc)
        rc = note_open(&cp, buf_span(&note));
    if (!rc)
        rc = resume(m, &cp);
    else if (rc == -HL_ENOENT)
        rc = 0; /* a new mirror */
    buf_release(&note);
    return rc;
}

int mirror_dir_open(const char *path, enum realm realm, struct mirror_dir **out)
{
    struct mirror_dir *m;
    int rc;

    *out = NULL;
    if (strlen(path) >= MIRROR_DIR_MAX)
        return -HL_ETOOBIG;
    m = calloc(1, sizeof(*m));
    if (!m)
        return -HL_ENOMEM;
    snprintf(m->path, sizeof(m->path), "%s", path);
    m->realm = realm;
    buf_init(&m->bundle, TILE_WIDTH * (2 + UINT16_MAX));
    tile_builder_init(&m->tiles, emit, m);
    rc = make_folders(m);
    if (!rc)
        rc = claim_realm(m);
    if (!rc)
        rc = resume_checkpoint(m);
    if (rc)
        mirror_dir_close(m);
    else
        *out = m;
    return rc;
}

void mirror_dir_close(struct mirror_dir *m)
{
    if (!m)
        return;
    tile_dir_close(m->full);
    buf_release(&m->bundle);
    free(m);
}

uint64_t mirror_dir_size(const struct mirror_dir *m)
{
    return m->tiles.range.size;
}

int mirror_dir_put_policy(struct mirror_dir *m, struct span policy, struct buf *why)
{
    char path[MIRROR_PATH_MAX];
    struct quorum *q;
    int rc = quorum_parse(&q, policy, why);

    if (rc)
        return rc;
    quorum_free(q);
    mirror_path(path, m->path, "policy.txt");
    return file_publish(path, policy, 0644);
}

/* The fingerprint of @party among the lines of @pins: 0, -HL_ENOENT, or -HL_EFINGERPRINT when it is
 * another. */
static int pin_find(struct span pins, struct span party, const char *hex)
{
    struct span line, field;

    while (text_line(&pins, &line))
        if (text_field(&line, &field) && span_eq(field, party))
            return span_eq_str(line, hex) ? 0 : -HL_EFINGERPRINT;
    return -HL_ENOENT;
}

int mirror_dir_put_pin(struct mirror_dir *m, struct span party, const uint8_t fp[static 32])
{
    char path[MIRROR_PATH_MAX], hex[65];
    struct buf pins;
    int rc;

    text_hex(hex, fp, 32);
    mirror_path(path, m->path, "pins");
    buf_init(&pins, PINS_MAX);
    rc = file_read(path, &pins);
    if (!rc || rc == -HL_ENOENT)
        rc = pin_find(buf_span(&pins), party, hex);
    if (rc == -HL_ENOENT) {
        buf_put_span(&pins, party);
        rc = buf_printf(&pins, " %s\n", hex);
        if (!rc)
            rc = file_publish(path, buf_span(&pins), 0644);
    }
    buf_release(&pins);
    return rc;
}

/* The bundle is full: to disk with it, and open the folder anew for the entries in it. */
static int bundle_flush(struct mirror_dir *m, unsigned width)
{
    struct tile_id id = { TILE_ENTRIES, (mirror_dir_size(m) - 1) / TILE_WIDTH, width };

    return tile_write(m->path, &id, buf_span(&m->bundle));
}

int mirror_dir_put_entries(struct mirror_dir *m, struct span bundle)
{
    struct span entry;
    int rc = 0;

    while (!rc && bundle_next(&bundle, &entry, &rc)) {
        uint8_t leaf[32];

        merkle_leaf(leaf, entry);
        rc = bundle_put(&m->bundle, entry);
        if (!rc)
            rc = tile_builder_add(&m->tiles, leaf);
        if (!rc && mirror_dir_size(m) % TILE_WIDTH == 0) {
            rc = bundle_flush(m, TILE_WIDTH);
            buf_clear(&m->bundle);
        }
    }
    return rc;
}

/* What the tree of the last checkpoint had as partial tiles, and the present one has no more. */
static void remove_partials(const struct mirror_dir *m, uint64_t old)
{
    for (unsigned i = 0; i <= TILE_LEVELS; i++) {
        unsigned level = i == TILE_LEVELS ? TILE_ENTRIES : i;
        uint64_t hashes = old >> (level == TILE_ENTRIES ? 0 : 8 * level);
        struct tile_id id = { level, hashes / TILE_WIDTH, hashes % TILE_WIDTH };
        char path[MIRROR_PATH_MAX], tile[TILE_PATH_MAX];

        if (!id.width || tile_width(level, id.n, mirror_dir_size(m)) == id.width)
            continue;
        tile_path(tile, &id);
        mirror_path(path, m->path, tile);
        unlink(path); /* one that stays does no harm */
        *strrchr(path, '/') = 0;
        rmdir(path);
    }
}

static int put_note(const struct mirror_dir *m, uint64_t size, struct span note)
{
    char path[MIRROR_PATH_MAX];

    sized_path(path, m->path, "checkpoints", size);
    return file_publish(path, note, 0644);
}

int mirror_dir_put_checkpoint(struct mirror_dir *m, struct span note)
{
    uint64_t size = mirror_dir_size(m), old = m->covered;
    char path[MIRROR_PATH_MAX];
    struct checkpoint cp;
    uint8_t root[32];
    int rc = note_open(&cp, note);

    if (rc)
        return rc;
    if (cp.size != size)
        return -HL_EINCOMPLETE;
    merkle_range_root(&m->tiles.range, root);
    if (memcmp(root, cp.root, 32) != 0)
        return -HL_EPROOF;
    if (size % TILE_WIDTH)
        rc = bundle_flush(m, (unsigned)(size % TILE_WIDTH));
    if (!rc)
        rc = tile_builder_partials(&m->tiles);
    if (!rc)
        rc = put_note(m, size, note);
    mirror_path(path, m->path, "checkpoint");
    if (!rc)
        rc = file_publish(path, note, 0644);
    if (!rc) {
        m->covered = size;
        remove_partials(m, old);
    }
    return rc;
}

int mirror_dir_put_note(struct mirror_dir *m, struct span note)
{
    char path[MIRROR_PATH_MAX];
    struct checkpoint cp, stands;
    struct buf old;
    int rc = note_open(&cp, note);

    if (rc)
        return rc;
    sized_path(path, m->path, "checkpoints", cp.size);
    buf_init(&old, NOTE_FILE_MAX);
    rc = file_read(path, &old);
    if (rc == -HL_ENOENT) {
        rc = put_note(m, cp.size, note);
    } else if (!rc) {
        rc = note_open(&stands, buf_span(&old));
        if (!rc && memcmp(stands.root, cp.root, 32) != 0)
            rc = -HL_EFORK;
    }
    buf_release(&old);
    return rc;
}

/* Entry @index out of the bundle that is filling. */
static int pending_entry(const struct mirror_dir *m, uint64_t index, struct buf *out)
{
    struct span rest = buf_span(&m->bundle), entry = SPAN_NONE;
    int rc = 0;

    for (uint64_t i = 0; i <= index % TILE_WIDTH; i++)
        if (!bundle_next(&rest, &entry, &rc))
            return -HL_EINCOMPLETE;
    return buf_put_span(out, entry);
}

static int entry_get(struct mirror_dir *m, uint64_t index, struct buf *out)
{
    uint64_t full = mirror_dir_size(m) / TILE_WIDTH * TILE_WIDTH;
    int rc = 0;

    if (index >= full)
        return pending_entry(m, index, out);
    if (!m->full || m->full_size != full) {
        tile_dir_close(m->full);
        rc = tile_dir_open(m->path, full, &m->full);
        m->full_size = full;
    }
    return rc ? rc : tile_dir_entry(m->full, index, out);
}

int mirror_dir_put_opening(struct mirror_dir *m, uint64_t index, const uint8_t salt[static 32],
                           struct span record)
{
    char path[MIRROR_PATH_MAX];
    struct buf entry, opening;
    uint8_t want[32];
    int rc;

    buf_init(&entry, UINT16_MAX);
    buf_init(&opening, MIRROR_OPENING_MAX);
    rc = entry_get(m, index, &entry);
    if (rc)
        goto out;
    record_entry(want, m->realm, salt, record);
    rc = -HL_ELEAF;
    if (!span_eq(buf_span(&entry), SPAN(want, 32)))
        goto out;
    buf_put(&opening, salt, 32);
    rc = buf_put_span(&opening, record);
    if (rc)
        goto out;
    sized_path(path, m->path, "openings", index);
    rc = file_keep(path, buf_span(&opening), 0644);
out:
    buf_release(&opening);
    buf_release(&entry);
    return rc;
}

bool mirror_dir_has_opening(const struct mirror_dir *m, uint64_t index)
{
    char path[MIRROR_PATH_MAX];

    sized_path(path, m->path, "openings", index);
    return access(path, F_OK) == 0;
}
