#include "server/store_sqlite.h"

#include <assert.h>

#include "common/error.h"

/*
 * The commit: fence, staged statements in their order, COMMIT (one fdatasync of the WAL).  After a
 * failure the store is dead: what the disk holds is known only by opening it again.
 */

/* Only under our term and on our size does the head advance; else another writer has taken over. */
static int fence(struct store *st, const struct store_head *prev, const struct store_head *next)
{
    uint8_t ck[STORE_CK];
    const struct arg arg[] = { ARG_I(st->term),       ARG_I(prev->size),    ARG_I(next->size),
                               ARG_B(next->root, 32), ARG_I(next->time_ms), ARG_B(ck, STORE_CK) };
    int rc;

    check_head(ck, st->term, next);
    rc = sql_run(st, SQL_ADVANCE, arg, COUNT(arg));
    if (!rc && sqlite3_changes(st->db) != 1)
        rc = -HL_EFENCED;
    return rc;
}

static int run_staged(struct store *st)
{
    int rc = 0;

    for (const struct op *op = st->first; !rc && op; op = op->next)
        rc = sql_run(st, op->sql, op->arg, op->n);
    return rc;
}

int store_checkpoint_wal(struct store *st)
{
    int rc = sqlite3_wal_checkpoint_v2(st->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);

    return rc == SQLITE_BUSY ? 0 : store_error(rc); /* another one is at it */
}

/*
 * The publisher moves the WAL into the file, but only in a pause of the writer can the WAL start
 * over.  When it has outgrown what was made ready for it, the writer makes that pause, unless the
 * publisher is at it just now.  The commit is stable whatever comes of this; what failed here comes
 * back with the next commit.
 */
static void shorten_wal(struct store *st)
{
    if (st->wal_frames > st->wal_limit && store_checkpoint_wal(st))
        st->dead = true;
}

int store_commit(struct store *st, const struct store_head *prev, const struct store_head *next)
{
    int rc;

    assert(st->writer);
    if (st->dead)
        return -HL_ESTORE;
    assert(next->size == prev->size + st->staged_entries);
    rc = sql_run(st, SQL_BEGIN, NULL, 0);
    if (!rc)
        rc = fence(st, prev, next);
    if (!rc)
        rc = run_staged(st);
    if (!rc)
        rc = sql_run(st, SQL_COMMIT, NULL, 0);
    store_unstage(st);
    if (rc) {
        if (!sqlite3_get_autocommit(st->db))
            sql_run(st, SQL_ROLLBACK, NULL, 0);
        st->dead = true;
        return rc;
    }
    st->head = *next;
    shorten_wal(st);
    return 0;
}
