#include <sodium.h>
#include <string.h>

#include "client/desk_db.h"
#include "common/error.h"

/*
 * One row per host for an envelope or a document.
 *
 *   (none) -[desk_send, desk_outbox_document]-> WAITING -[desk_outbox_done]-> (none)
 *                                               WAITING -[desk_outbox_refuse]-> REFUSED (kept, to
 * be shown)
 */
static int outbox_row(sqlite3_stmt *st, struct span origin, struct outbox_row *row)
{
    row->origin = origin;
    row->precedence = (unsigned)db_int(st, 1);
    row->document = db_int(st, 2) != 0;
    row->bytes = db_blob(st, 3);
    if (row->bytes.n == 0)
        return -HL_ESTORE;
    return db_bytes(st, 0, row->id, 32);
}

int desk_outbox_each(struct desk *d, struct span origin,
                     int (*fn)(void *arg, const struct outbox_row *row), void *arg)
{
    struct outbox_row row;
    sqlite3_stmt *st;
    int rc = db_open(d, &st,
                     "SELECT o.id, o.precedence, o.document, coalesce(m.envelope, t.note)"
                     " FROM outbox o LEFT JOIN message m ON o.document=0 AND m.id=o.id"
                     " LEFT JOIN outdocument t ON o.document=1 AND t.id=o.id"
                     " WHERE o.origin=? AND o.refused=0"
                     " ORDER BY o.document DESC, o.precedence DESC, o.n",
                     BIND(B_TEXT(origin)));

    while (!rc && (rc = db_row(st)) == 1) {
        rc = outbox_row(st, origin, &row);
        if (!rc)
            rc = fn(arg, &row);
    }
    sqlite3_finalize(st);
    return rc;
}

int desk_outbox_done(struct desk *d, struct span origin, const uint8_t id[static 32])
{
    return db_run(d, "DELETE FROM outbox WHERE origin=? AND id=?", BIND(B_TEXT(origin), B_KEY(id)));
}

int desk_outbox_refuse(struct desk *d, struct span origin, const uint8_t id[static 32], int why,
                       const char *sentence, bool *last)
{
    uint64_t waiting, recorded;
    int rc = db_run(d, "UPDATE outbox SET refused=?, sentence=? WHERE origin=? AND id=?",
                    BIND(B_INT(why < 0 ? -why : why), B_STR(sentence), B_TEXT(origin), B_KEY(id)));

    if (!rc)
        rc = db_get_int(d, &waiting, "SELECT count(*) FROM outbox WHERE id=? AND refused=0",
                        BIND(B_KEY(id)));
    if (!rc)
        rc = db_get_int(d, &recorded,
                        "SELECT count(*) FROM receipt WHERE proved=1 AND mid IN"
                        " (SELECT mid FROM message WHERE id=?1 UNION SELECT ?1)",
                        BIND(B_KEY(id)));
    *last = !rc && waiting == 0 && recorded == 0;
    return rc;
}

int desk_outbox_refusal(struct desk *d, struct span origin, const uint8_t id[static 32], int *why,
                        char sentence[static 256])
{
    sqlite3_stmt *st;
    int rc = db_open(d, &st, "SELECT refused, sentence FROM outbox WHERE origin=? AND id=?",
                     BIND(B_TEXT(origin), B_KEY(id)));

    *why = 0;
    sentence[0] = 0;
    if (!rc)
        rc = db_row(st);
    if (rc == 1) {
        *why = -(int)db_int(st, 0);
        db_text(st, 1, sentence, 256);
        rc = *why ? 0 : 1;
    } else if (!rc) {
        rc = -HL_ENOENT;
    }
    sqlite3_finalize(st);
    return rc;
}

static int outbox_document_row(struct desk *d, struct span origin, const uint8_t id[static 32])
{
    uint64_t have;
    int rc =
        db_get_int(d, &have, "SELECT count(*) FROM receipt WHERE origin=? AND mid=? AND proved=1",
                   BIND(B_TEXT(origin), B_KEY(id)));

    if (rc || have)
        return rc;
    return db_run(d,
                  "INSERT INTO outbox(origin, id, precedence, document, refused, sentence)"
                  " VALUES(?,?,3,1,0,'') ON CONFLICT(origin, id) DO UPDATE SET refused=0",
                  BIND(B_TEXT(origin), B_KEY(id)));
}

int desk_outbox_document(struct desk *d, struct span note, const struct span *origins, size_t n,
                         uint8_t id[static 32])
{
    int rc = desk_begin(d);

    if (rc)
        return rc;
    crypto_hash_sha256(id, note.p, note.n);
    rc = db_run(d, "INSERT OR IGNORE INTO outdocument VALUES(?,?)", BIND(B_KEY(id), B_BLOB(note)));
    for (size_t i = 0; i < n && !rc; i++)
        rc = outbox_document_row(d, origins[i], id);
    if (rc) {
        desk_abort(d);
        return rc;
    }
    return desk_commit(d);
}

int desk_outbox_waiting(struct desk *d, struct span origin, uint64_t *n)
{
    return db_get_int(d, n, "SELECT count(*) FROM outbox WHERE origin=? AND refused=0",
                      BIND(B_TEXT(origin)));
}
