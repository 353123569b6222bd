#include <string.h>

#include "client/desk_db.h"
#include "common/error.h"

/* The station as a witness, who is on duty, fingerprints compared by hand. */

int desk_witness_get(struct desk *d, struct span origin, uint64_t *size, uint8_t root[static 32])
{
    sqlite3_stmt *st;
    int rc = db_open(d, &st, "SELECT size, root FROM witness WHERE origin=?", BIND(B_TEXT(origin)));

    if (!rc)
        rc = db_row(st);
    if (rc == 1) {
        *size = db_int(st, 0);
        rc = db_bytes(st, 1, root, 32);
    } else if (!rc) {
        rc = -HL_ENOENT;
    }
    sqlite3_finalize(st);
    return rc;
}

int desk_witness_set(struct desk *d, struct span origin, uint64_t old, uint64_t size,
                     const uint8_t root[static 32], struct span note)
{
    int rc = db_run(d,
                    "INSERT INTO witness SELECT ?1,?2,?3,?4"
                    " WHERE ?5=coalesce((SELECT size FROM witness WHERE origin=?1), 0)"
                    " ON CONFLICT(origin) DO UPDATE SET size=excluded.size, root=excluded.root,"
                    " note=excluded.note",
                    BIND(B_TEXT(origin), B_INT(size), B_KEY(root), B_BLOB(note), B_INT(old)));

    return rc ? rc : db_changes(d) ? 0 : -HL_ESTATE;
}

int desk_duty_set(struct desk *d, struct span position, bool on, uint64_t time_ms)
{
    return on ? db_run(d, "INSERT OR IGNORE INTO duty VALUES(?,?)",
                       BIND(B_TEXT(position), B_INT(time_ms)))
              : db_run(d, "DELETE FROM duty WHERE position=?", BIND(B_TEXT(position)));
}

int desk_duty_each(struct desk *d, int (*fn)(void *arg, struct span position, uint64_t since_ms),
                   void *arg)
{
    sqlite3_stmt *st;
    int rc = db_open(d, &st, "SELECT position, since_ms FROM duty ORDER BY since_ms", BIND_NONE);

    while (!rc && (rc = db_row(st)) == 1)
        rc = fn(arg, db_blob(st, 0), db_int(st, 1));
    sqlite3_finalize(st);
    return rc;
}

int desk_pin_set(struct desk *d, struct span party, const uint8_t fp[static 32])
{
    return db_run(d, "INSERT OR REPLACE INTO pin VALUES(?,?)", BIND(B_TEXT(party), B_KEY(fp)));
}

int desk_pin_each(struct desk *d,
                  int (*fn)(void *arg, struct span party, const uint8_t fp[static 32]), void *arg)
{
    sqlite3_stmt *st;
    int rc = db_open(d, &st, "SELECT party, fingerprint FROM pin ORDER BY party", BIND_NONE);

    while (!rc && (rc = db_row(st)) == 1) {
        struct span fp = db_blob(st, 1);

        rc = fp.n == 32 ? fn(arg, db_blob(st, 0), fp.p) : -HL_ESTORE;
    }
    sqlite3_finalize(st);
    return rc;
}
