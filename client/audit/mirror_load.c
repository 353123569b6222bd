/*
 * Reading a mirror: what must be there before anything can be judged.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/audit/mirror_dir.h"
#include "common/error.h"
#include "common/file.h"
#include "common/record.h"
#include "common/text.h"

#define FILE_MAX 262144
#define PINS_MAX 1024

static int read_file(const char *dir, const char *name, struct buf *out, struct buf *why)
{
    char path[MIRROR_PATH_MAX];
    int rc;

    mirror_path(path, dir, name);
    rc = file_read(path, out);
    if (rc == -HL_ENOENT) {
        buf_printf(why, "%s is missing", path);
        rc = -HL_EINCOMPLETE;
    } else if (rc) {
        buf_printf(why, "%s: %s", path, error_text(rc));
    }
    return rc;
}

static int load_realm(struct mirror *m, struct buf *why)
{
    struct buf in;
    struct span rest, line;
    int rc;

    buf_init(&in, 64);
    rc = read_file(m->path, "realm", &in, why);
    rest = buf_span(&in);
    if (!rc && (!text_line(&rest, &line) || rest.n || realm_parse(&m->realm, line))) {
        buf_printf(why, "%s/realm says neither live nor exercise", m->path);
        rc = -HL_EINCOMPLETE;
    }
    buf_release(&in);
    return rc;
}

static int load_policy(struct mirror *m, struct buf *why)
{
    struct buf in, detail;
    int rc;

    buf_init(&in, FILE_MAX);
    buf_init(&detail, 1000);
    rc = read_file(m->path, "policy.txt", &in, why);
    if (!rc) {
        rc = quorum_parse(&m->policy, buf_span(&in), &detail);
        if (rc) {
            buf_printf(why, "%s/policy.txt: %s", m->path, buf_str(&detail));
            rc = rc == -HL_ENOMEM ? rc : -HL_EINCOMPLETE;
        }
    }
    buf_release(&detail);
    buf_release(&in);
    return rc;
}

static int pin_parse(struct mirror_pin *pin, struct span line)
{
    struct span party;

    if (!text_field(&line, &party) || !name_label(party) || party.n >= sizeof(pin->party))
        return -HL_EFORMAT;
    memcpy(pin->party, party.p, party.n);
    pin->party[party.n] = 0;
    return text_unhex(pin->fp, 32, line);
}

/* Pins may be missing: then no party's keys can be called its own. */
static int load_pins(struct mirror *m, struct buf *why)
{
    char path[MIRROR_PATH_MAX];
    struct span rest, line;
    struct buf in;
    int rc;

    mirror_path(path, m->path, "pins");
    buf_init(&in, FILE_MAX);
    rc = file_read(path, &in);
    m->pin = calloc(PINS_MAX, sizeof(*m->pin));
    if (!m->pin)
        rc = -HL_ENOMEM;
    rest = buf_span(&in);
    while (!rc && text_line(&rest, &line))
        if (m->n_pins == PINS_MAX || pin_parse(&m->pin[m->n_pins++], line))
            rc = -HL_EINCOMPLETE;
    if (!rc && rest.n)
        rc = -HL_EINCOMPLETE;
    if (rc == -HL_EINCOMPLETE)
        buf_printf(why, "%s: line %zu is not \"party fingerprint\"", path, m->n_pins);
    buf_release(&in);
    return rc == -HL_ENOENT ? 0 : rc;
}

int mirror_load(const char *path, struct mirror *m, struct buf *why)
{
    int rc;

    *m = (struct mirror){ 0 };
    buf_init(&m->note, FILE_MAX);
    if (strlen(path) >= sizeof(m->path)) {
        buf_put_str(why, "the path is too long");
        return -HL_ETOOBIG;
    }
    snprintf(m->path, sizeof(m->path), "%s", path);
    rc = load_realm(m, why);
    if (!rc)
        rc = load_policy(m, why);
    if (!rc)
        rc = load_pins(m, why);
    if (!rc)
        rc = read_file(m->path, "checkpoint", &m->note, why);
    if (rc)
        mirror_release(m);
    return rc;
}

void mirror_release(struct mirror *m)
{
    quorum_free(m->policy);
    buf_release(&m->note);
    free(m->pin);
    *m = (struct mirror){ 0 };
}

int mirror_opening(const struct mirror *m, uint64_t index, struct buf *out)
{
    char path[MIRROR_PATH_MAX];
    int rc;

    snprintf(path, sizeof(path), "%s/openings/%" PRIu64, m->path, index);
    buf_clear(out);
    rc = file_read(path, out);
    if (rc == -HL_ETOOBIG || (!rc && out->n <= RECORD_SALT))
        return -HL_EFORMAT;
    return rc;
}
