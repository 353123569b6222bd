#include <string.h>

#include "client/desk_db.h"
#include "common/clock.h"
#include "common/error.h"
#include "common/record.h"
#include "common/tlog/checkpoint.h"

/* What the logs say about messages: receipts, steps, openings; and the events that officers are
 * told of. */

#define EVENTS_KEPT 10000

void receipt_init(struct receipt *r)
{
    memset(r, 0, sizeof(*r));
    buf_init(&r->note, CHECKPOINT_MAX);
}

void receipt_release(struct receipt *r)
{
    buf_release(&r->note);
}

int desk_receipt_put(struct desk *d, struct span origin, const uint8_t mid[static 32],
                     const struct receipt *r)
{
    return db_run(d,
                  "INSERT INTO receipt VALUES(?,?,?,?,?,?,?,?,?)"
                  " ON CONFLICT(origin, mid) DO UPDATE SET idx=excluded.idx,"
                  " time_ms=excluded.time_ms, size=excluded.size, salt=excluded.salt,"
                  " proved=excluded.proved, path=excluded.path, note=excluded.note"
                  " WHERE excluded.proved >= receipt.proved",
                  BIND(B_TEXT(origin), B_KEY(mid), B_INT(r->index), B_INT(r->time_ms),
                       B_INT(r->size), B_KEY(r->salt), B_INT(r->proved),
                       B_BLOB(SPAN(r->path, r->n_path * 32)), B_BLOB(buf_span(&r->note))));
}

static int receipt_row(sqlite3_stmt *st, struct receipt *r)
{
    struct span path = db_blob(st, 5);

    if (path.n % 32 || path.n > sizeof(r->path))
        return -HL_ESTORE;
    r->index = db_int(st, 0);
    r->time_ms = db_int(st, 1);
    r->size = db_int(st, 2);
    r->proved = db_int(st, 4) != 0;
    r->n_path = path.n / 32;
    if (path.n)
        memcpy(r->path, path.p, path.n);
    if (db_bytes(st, 3, r->salt, 32))
        return -HL_ESTORE;
    return buf_put_span(&r->note, db_blob(st, 6));
}

int desk_receipt_get(struct desk *d, struct span origin, const uint8_t mid[static 32],
                     struct receipt *r)
{
    sqlite3_stmt *st;
    int rc = db_open(d, &st,
                     "SELECT idx, time_ms, size, salt, proved, path, note FROM receipt"
                     " WHERE origin=? AND mid=?",
                     BIND(B_TEXT(origin), B_KEY(mid)));

    receipt_init(r);
    if (!rc)
        rc = db_row(st);
    rc = rc == 1 ? receipt_row(st, r) : rc ? rc : -HL_ENOENT;
    sqlite3_finalize(st);
    return rc;
}

int desk_receipt_by_index(struct desk *d, struct span origin, uint64_t index,
                          uint8_t mid[static 32])
{
    sqlite3_stmt *st;
    int rc = db_open(d, &st, "SELECT mid FROM receipt WHERE origin=? AND idx=?",
                     BIND(B_TEXT(origin), B_INT(index)));

    if (!rc)
        rc = db_row(st);
    rc = rc == 1 ? db_bytes(st, 0, mid, 32) : rc ? rc : -HL_ENOENT;
    sqlite3_finalize(st);
    return rc;
}

/* ---- steps ---- */

int desk_step_add(struct desk *d, const uint8_t target[static 32], const struct desk_step *step)
{
    int rc = db_run(d, "INSERT OR IGNORE INTO step VALUES(?,?,?,?,?,?)",
                    BIND(B_KEY(step->mid), B_KEY(target), B_TEXT(step->poc), B_INT(step->kind),
                         B_INT(step->code), B_INT(step->time_ms)));

    return rc ? rc : db_changes(d) > 0;
}

int desk_step_each(struct desk *d, const uint8_t target[static 32],
                   int (*fn)(void *arg, const struct desk_step *step), void *arg)
{
    sqlite3_stmt *st;
    int rc = db_open(d, &st,
                     "SELECT poc, kind, code, time_ms, mid FROM step WHERE target=? ORDER BY rowid",
                     BIND(B_KEY(target)));

    while (!rc && (rc = db_row(st)) == 1) {
        struct span mid = db_blob(st, 4);
        struct desk_step step = { db_blob(st, 0), (unsigned)db_int(st, 1), (unsigned)db_int(st, 2),
                                  db_int(st, 3), mid.p };

        rc = mid.n == 32 ? fn(arg, &step) : -HL_ESTORE;
    }
    sqlite3_finalize(st);
    return rc;
}

bool desk_step_done(struct desk *d, const uint8_t target[static 32], struct span poc, unsigned kind)
{
    uint64_t n;

    return db_get_int(d, &n, "SELECT count(*) FROM step WHERE target=? AND poc=? AND kind=?",
                      BIND(B_KEY(target), B_TEXT(poc), B_INT(kind))) == 0 &&
           n > 0;
}

/* ---- openings ---- */

int desk_opening_add(struct desk *d, struct span origin, uint64_t index, struct span salt,
                     struct span record, bool proved)
{
    return db_run(d,
                  "INSERT INTO opening VALUES(?,?,?,?,?) ON CONFLICT(origin, idx) DO UPDATE SET"
                  " salt=excluded.salt, record=excluded.record, proved=excluded.proved"
                  " WHERE excluded.proved >= opening.proved",
                  BIND(B_TEXT(origin), B_INT(index), B_BLOB(salt), B_BLOB(record), B_INT(proved)));
}

int desk_opening_get(struct desk *d, struct span origin, uint64_t index, uint8_t salt[static 32],
                     struct buf *record, bool *proved)
{
    sqlite3_stmt *st;
    int rc = db_open(d, &st, "SELECT salt, record, proved FROM opening WHERE origin=? AND idx=?",
                     BIND(B_TEXT(origin), B_INT(index)));

    if (!rc)
        rc = db_row(st);
    if (rc == 1) {
        rc = db_bytes(st, 0, salt, 32);
        *proved = db_int(st, 2) != 0;
        if (!rc)
            rc = buf_put_span(record, db_blob(st, 1));
    } else if (!rc) {
        rc = -HL_ENOENT;
    }
    sqlite3_finalize(st);
    return rc;
}

bool desk_opening_proved(struct desk *d, struct span origin, uint64_t index)
{
    uint64_t n;

    return db_get_int(d, &n, "SELECT count(*) FROM opening WHERE origin=? AND idx=? AND proved=1",
                      BIND(B_TEXT(origin), B_INT(index))) == 0 &&
           n > 0;
}

int desk_opening_each(struct desk *d, struct span origin,
                      int (*fn)(void *arg, uint64_t index, struct span salt, struct span record),
                      void *arg)
{
    sqlite3_stmt *st;
    int rc = db_open(d, &st, "SELECT idx, salt, record FROM opening WHERE origin=? ORDER BY idx",
                     BIND(B_TEXT(origin)));

    while (!rc && (rc = db_row(st)) == 1)
        rc = fn(arg, db_int(st, 0), db_blob(st, 1), db_blob(st, 2));
    sqlite3_finalize(st);
    return rc;
}

/* ---- events ---- */

int desk_event_add(struct desk *d, const struct desk_event *e)
{
    int rc =
        db_run(d,
               "INSERT INTO event(time_ms, what, mid, kind, code, poc, detail)"
               " VALUES(?,?,?,?,?,?,?)",
               BIND(B_INT(clock_now_ms()), B_INT(e->what), B_BLOB(SPAN(e->mid, e->mid ? 32 : 0)),
                    B_INT(e->kind), B_INT(e->code), B_TEXT(e->poc), B_TEXT(e->detail)));

    if (rc)
        return rc;
    return db_run(d, "DELETE FROM event WHERE n <= (SELECT max(n) FROM event) - ?",
                  BIND(B_INT(EVENTS_KEPT)));
}

int desk_event_each(struct desk *d, uint64_t after,
                    int (*fn)(void *arg, const struct desk_event *e), void *arg)
{
    sqlite3_stmt *st;
    int rc = db_open(d, &st,
                     "SELECT n, time_ms, what, mid, kind, code, poc, detail FROM event"
                     " WHERE n > ? ORDER BY n",
                     BIND(B_INT(after)));

    while (!rc && (rc = db_row(st)) == 1) {
        struct span mid = db_blob(st, 3);
        struct desk_event e = { .n = db_int(st, 0),
                                .time_ms = db_int(st, 1),
                                .what = (enum event_what)db_int(st, 2),
                                .mid = mid.n == 32 ? mid.p : NULL,
                                .kind = (unsigned)db_int(st, 4),
                                .code = (unsigned)db_int(st, 5),
                                .poc = db_blob(st, 6),
                                .detail = db_blob(st, 7) };

        rc = fn(arg, &e);
    }
    sqlite3_finalize(st);
    return rc;
}

int desk_event_last(struct desk *d, uint64_t *n)
{
    return db_get_int(d, n, "SELECT coalesce(max(n), 0) FROM event", BIND_NONE);
}

/* ---- counts ---- */

int desk_count(struct desk *d, struct desk_counts *c)
{
    const struct {
        uint64_t *into;
        const char *sql;
    } counts[] = {
        { &c->unread, "SELECT count(*) FROM message WHERE closed=0 AND way=1 AND state IN (3,6)" },
        { &c->unacknowledged,
          "SELECT count(*) FROM message WHERE closed=0 AND way=1 AND state IN (3,4)"
          " AND kind IN (1,2,5,6,32)" },
        { &c->outbox, "SELECT count(*) FROM outbox WHERE refused=0" },
        { &c->drafts, "SELECT count(*) FROM draft" },
        { &c->evidence, "SELECT count(*) FROM evidence" },
        { &c->events, "SELECT coalesce(max(n), 0) FROM event" },
    };
    int rc = 0;

    for (size_t i = 0; i < COUNT(counts) && !rc; i++)
        rc = db_get_int(d, counts[i].into, counts[i].sql, BIND_NONE);
    return rc;
}
