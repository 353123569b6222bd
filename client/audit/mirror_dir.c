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
#include "common/tlog/tile_tree.h"

#define PINS_MAX 65536
#define NOTE_FILE_MAX 65536

struct mirror_dir {
    char path[MIRROR_DIR_MAX];
    enum realm realm;
    struct tile_tree *tree;
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

static int note_open(struct checkpoint *cp, struct span in, size_t *lines)
{
    struct note note;
    int rc = note_parse(&note, in);

    *lines = note.n;
    return rc ? rc : checkpoint_parse(cp, note.text);
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
    rc = make_folders(m);
    if (!rc)
        rc = claim_realm(m);
    if (!rc)
        rc = tile_tree_open(path, &m->tree);
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
    tile_tree_close(m->tree);
    free(m);
}

uint64_t mirror_dir_size(const struct mirror_dir *m)
{
    return tile_tree_size(m->tree);
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

int mirror_dir_put_entries(struct mirror_dir *m, struct span bundle)
{
    return tile_tree_put_entries(m->tree, bundle);
}

/*
 * Witnesses cosign a checkpoint one by one, so a note may come again with more lines, or with
 * fewer. 0: @note is news to the file at @path; 1: a note as good stands there; -HL_EFORK: of the
 * same size with another root.
 */
static int stands_already(const char *path, const struct checkpoint *cp, size_t lines)
{
    struct checkpoint stands;
    size_t have = 0;
    struct buf old;
    int rc;

    buf_init(&old, NOTE_FILE_MAX);
    rc = file_read(path, &old);
    if (!rc)
        rc = note_open(&stands, buf_span(&old), &have);
    buf_release(&old);
    if (rc)
        return rc == -HL_ENOENT ? 0 : rc;
    if (stands.size != cp->size)
        return 0;
    return memcmp(stands.root, cp->root, 32) != 0 ? -HL_EFORK : lines <= have;
}

static int keep_note(const char *path, const struct checkpoint *cp, size_t lines, struct span note)
{
    int rc = stands_already(path, cp, lines);

    if (rc)
        return rc < 0 ? rc : 0;
    return file_publish(path, note, 0644);
}

int mirror_dir_put_checkpoint(struct mirror_dir *m, struct span note)
{
    char path[MIRROR_PATH_MAX];
    struct checkpoint cp = { 0 };
    size_t lines = 0;
    int rc = note_open(&cp, note, &lines);

    if (!rc)
        rc = tile_tree_check(m->tree, note);
    sized_path(path, m->path, "checkpoints", cp.size);
    if (!rc)
        rc = keep_note(path, &cp, lines, note);
    mirror_path(path, m->path, "checkpoint");
    if (!rc)
        rc = stands_already(path, &cp, lines);
    if (rc)
        return rc < 0 ? rc : 0;
    return tile_tree_put_checkpoint(m->tree, note);
}

int mirror_dir_put_note(struct mirror_dir *m, struct span note)
{
    char path[MIRROR_PATH_MAX];
    struct checkpoint cp = { 0 };
    size_t lines = 0;
    int rc = note_open(&cp, note, &lines);

    if (!rc && cp.size > tile_tree_covered(m->tree))
        rc = -HL_EINCOMPLETE;
    sized_path(path, m->path, "checkpoints", cp.size);
    if (!rc)
        rc = keep_note(path, &cp, lines, note);
    mirror_path(path, m->path, "checkpoint");
    if (!rc && cp.size == tile_tree_covered(m->tree))
        rc = keep_note(path, &cp, lines, note);
    return rc;
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
    rc = tile_tree_entry(m->tree, index, &entry);
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
