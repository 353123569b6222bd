#include "client/audit/notes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/text.h"

#define NOTE_FILE_MAX 262144

struct loading {
    const struct mirror *m;
    const struct checkpoint *head;
    struct notes *notes;
    struct audit_report *r;
};

static uint64_t ms(uint64_t seconds)
{
    return seconds > UINT64_MAX / 2000 ? UINT64_MAX / 2 : seconds * 1000;
}

static int newest(const struct mirror *m, struct audit_tree *t, struct audit_report *r)
{
    struct quorum_result res;
    int rc = quorum_check(m->policy, buf_span(&m->note), &t->head, &res);

    if (rc == -HL_ENOMEM)
        return rc;
    if (rc) {
        audit_fail(r, rc, "checkpoint: %s",
                   rc == -HL_EKEY ? "no log of the policy signed it" : error_text(rc));
        return 0;
    }
    t->log = *res.log;
    snprintf(r->origin, sizeof(r->origin), "%s", res.log->name);
    r->size = t->head.size;
    r->cosigned = res.cosigned;
    r->witnesses = res.of;
    r->quorum = res.met;
    r->witnessed = res.met ? r->size : 0;
    r->cosigned_ms = ms(res.newest);
    r->checkpoints = 1;
    return 0;
}

static int add(struct notes *notes, const struct checkpoint *cp, const struct quorum_result *res)
{
    if (notes->n == notes->cap) {
        size_t cap = notes->cap ? 2 * notes->cap : 64;
        struct kept_note *v = realloc(notes->v, cap * sizeof(*v));

        if (!v)
            return -HL_ENOMEM;
        notes->v = v;
        notes->cap = cap;
    }
    notes->v[notes->n] = (struct kept_note){ *cp, ms(res->oldest), ms(res->newest) };
    notes->v[notes->n++].cp.origin = SPAN_NONE;
    return 0;
}

/* One file of checkpoints/. */
static int earlier(struct loading *l, uint64_t size, struct span in)
{
    struct quorum_result res;
    struct checkpoint cp;
    int rc = quorum_check(l->m->policy, in, &cp, &res);

    if (rc == -HL_ENOMEM)
        return rc;
    if (!rc && (cp.size != size || !span_eq_str(cp.origin, l->r->origin)))
        rc = -HL_EFORMAT;
    if (rc) {
        audit_fail(l->r, rc, "checkpoints/%" PRIu64 ": %s", size, error_text(rc));
        return 0;
    }
    if (size > l->r->size) {
        audit_missing(l->r,
                      "entries %" PRIu64 " to %" PRIu64 ": checkpoints/%" PRIu64
                      ", signed by the log, covers them",
                      l->r->size, size - 1, size);
        return 0;
    }
    if (size == l->r->size) { /* a copy of the newest */
        if (memcmp(cp.root, l->head->root, 32) != 0)
            audit_fail(l->r, -HL_EFORK,
                       "checkpoint and checkpoints/%" PRIu64 " have one size and two roots", size);
        return 0;
    }
    if (res.met && size > l->r->witnessed)
        l->r->witnessed = size;
    l->r->checkpoints++;
    return add(l->notes, &cp, &res);
}

static int one_file(void *arg, const char *path)
{
    struct loading *l = arg;
    const char *name = strrchr(path, '/') + 1;
    struct buf in;
    uint64_t size;
    int rc;

    if (text_decimal(&size, span_str(name)))
        return 0; /* not ours: what a crash left behind */
    buf_init(&in, NOTE_FILE_MAX);
    rc = file_read(path, &in);
    if (rc == -HL_ETOOBIG)
        rc = audit_fail(l->r, -HL_EFORMAT, "checkpoints/%s: %s", name, error_text(rc)) ? 0 : rc;
    else if (!rc)
        rc = earlier(l, size, buf_span(&in));
    buf_release(&in);
    return rc;
}

/* Recorded, but seen by too few: what the host could still take back. */
static void not_witnessed(struct audit_report *r)
{
    if (!r->quorum)
        audit_missing(
            r,
            "cosignatures: %u of %u witnesses cosigned the newest checkpoint, the policy wants "
            "more; entries from %" PRIu64 " on are logged, not witnessed",
            r->cosigned, r->witnesses, r->witnessed);
}

static int by_size(const void *a, const void *b)
{
    const struct kept_note *x = a, *y = b;

    return (x->cp.size > y->cp.size) - (x->cp.size < y->cp.size);
}

static int brackets(struct audit_tree *t, const struct notes *notes, const struct audit_report *r)
{
    t->bracket = calloc(notes->n + 1, sizeof(*t->bracket));
    if (!t->bracket)
        return -HL_ENOMEM;
    for (size_t i = 0; i < notes->n; i++)
        t->bracket[t->n_brackets++] =
            (struct audit_bracket){ notes->v[i].cp.size, notes->v[i].oldest_ms,
                                    notes->v[i].newest_ms };
    t->bracket[t->n_brackets++] = (struct audit_bracket){ r->size, r->cosigned_ms, r->cosigned_ms };
    return 0;
}

int notes_load(const struct mirror *m, struct audit_tree *t, struct notes *notes,
               struct audit_report *r)
{
    struct loading l = { m, &t->head, notes, r };
    char path[MIRROR_PATH_MAX];
    int rc = newest(m, t, r);

    if (rc || r->failed)
        return rc;
    mirror_path(path, m->path, "checkpoints");
    rc = file_each(path, "", one_file, &l);
    if (rc == -HL_ENOENT)
        rc = 0;
    if (!rc)
        not_witnessed(r);
    if (!rc && notes->n)
        qsort(notes->v, notes->n, sizeof(*notes->v), by_size);
    return rc ? rc : brackets(t, notes, r);
}

void notes_release(struct notes *notes)
{
    free(notes->v);
    *notes = (struct notes){ 0 };
}
