#include "server/store_sqlite.h"

#include <string.h>

#include "common/error.h"

/* Look-ups and lists of facts.  A callback may read the
 * store, but neither commit nor list the same again. */

static int find_index(struct store *st, enum sql which, const struct arg *arg, size_t n,
                      uint64_t *index)
{
    sqlite3_stmt *s = sql_start(st, which, arg, n);
    int rc = sql_next(s);

    if (rc != 1)
        return rc ? rc : -HL_ENOENT;
    *index = sql_u64(s, 0);
    sql_rest(s);
    return 0;
}

int store_find_id(struct store *st, const uint8_t id[static 32], uint64_t *index)
{
    const struct arg arg = ARG_B(id, 32);

    return find_index(st, SQL_ID, &arg, 1, index);
}

int store_find_mid(struct store *st, const uint8_t mid[static 32], uint64_t *index)
{
    const struct arg arg = ARG_B(mid, 32);

    return find_index(st, SQL_MID, &arg, 1, index);
}

static int entry_id(struct store *st, uint64_t index, uint8_t id[static 32])
{
    sqlite3_stmt *s =
        sql_start(st, SQL_ENTRY, (const struct arg[]){ ARG_I(index), ARG_I(index + 1) }, 2);
    int rc = sql_next(s);

    if (rc != 1)
        return rc ? rc : -HL_ESTORE; /* the number is there, its entry is not */
    rc = sql_fixed(s, 6, id, 32);
    sql_rest(s);
    return rc;
}

int store_find_number(struct store *st, struct span sender, const uint8_t channel[static 32],
                      const uint8_t chain[static 16], uint64_t seq, uint64_t *index,
                      uint8_t id[static 32])
{
    const struct arg arg[] = { ARG_T(sender), ARG_B(channel, 32), ARG_B(chain, 16), ARG_I(seq) };
    int rc = find_index(st, SQL_NUMBER, arg, COUNT(arg), index);

    return rc ? rc : entry_id(st, *index, id);
}

/* Calls @row for each row until one returns non-zero, and returns that. */
static int each(struct store *st, enum sql which, const struct arg *arg, size_t n,
                int (*row)(sqlite3_stmt *s, void *list), void *list)
{
    sqlite3_stmt *s = sql_start(st, which, arg, n);
    int rc;

    while ((rc = sql_next(s)) == 1) {
        rc = row(s, list);
        if (rc) {
            sql_rest(s);
            return rc;
        }
    }
    return rc;
}

struct numbers {
    int (*fn)(void *arg, const uint8_t channel[static 32], const uint8_t chain[static 16],
              uint64_t seq);
    void *arg;
};

static int number_row(sqlite3_stmt *s, void *list)
{
    const struct numbers *l = list;
    uint8_t channel[32], chain[16];
    int rc = sql_fixed(s, 0, channel, sizeof(channel));

    if (!rc)
        rc = sql_fixed(s, 1, chain, sizeof(chain));
    return rc ? rc : l->fn(l->arg, channel, chain, sql_u64(s, 2));
}

int store_each_number(struct store *st, struct span sender,
                      int (*fn)(void *arg, const uint8_t channel[static 32],
                                const uint8_t chain[static 16], uint64_t seq),
                      void *arg)
{
    return each(st, SQL_NUMBERS, &ARG_T(sender), 1, number_row, &(struct numbers){ fn, arg });
}

struct mailbox {
    int (*fn)(void *arg, uint64_t index, unsigned precedence, bool held);
    void *arg;
};

static int mailbox_row(sqlite3_stmt *s, void *list)
{
    const struct mailbox *l = list;

    return l->fn(l->arg, sql_u64(s, 0), (unsigned)sqlite3_column_int(s, 1), sql_u64(s, 2) != 0);
}

int store_each_mailbox(struct store *st, struct span poc,
                       int (*fn)(void *arg, uint64_t index, unsigned precedence, bool held),
                       void *arg)
{
    return each(st, SQL_MAILBOX, &ARG_T(poc), 1, mailbox_row, &(struct mailbox){ fn, arg });
}

int store_mailbox_load(struct store *st, struct span poc, uint64_t *count, uint64_t *bytes)
{
    sqlite3_stmt *s = sql_start(st, SQL_MAILBOX_LOAD, &ARG_T(poc), 1);
    int rc = sql_next(s);

    if (rc != 1)
        return rc ? rc : -HL_ESTORE;
    *count = sql_u64(s, 0);
    *bytes = sql_u64(s, 1);
    sql_rest(s);
    return 0;
}

struct events {
    int (*fn)(void *arg, uint64_t index);
    void *arg;
};

static int event_row(sqlite3_stmt *s, void *list)
{
    const struct events *l = list;

    return l->fn(l->arg, sql_u64(s, 0));
}

int store_each_event(struct store *st, struct span poc, uint64_t from, size_t max,
                     int (*fn)(void *arg, uint64_t index), void *arg)
{
    const struct arg range[] = { ARG_T(poc), ARG_I(from), ARG_I(max) };

    return each(st, SQL_EVENTS, range, COUNT(range), event_row, &(struct events){ fn, arg });
}

struct documents {
    int (*fn)(void *arg, const char *key, uint64_t index, uint64_t time_ms, struct span note);
    void *arg;
};

static int document_row(sqlite3_stmt *s, void *list)
{
    const struct documents *l = list;
    const char *key = (const char *)sqlite3_column_text(s, 0);
    uint8_t ck[STORE_CK];
    int rc;

    if (!key)
        return -HL_ENOMEM;
    check_document(ck, span_str(key), sql_u64(s, 1), sql_u64(s, 2), sql_blob(s, 4));
    rc = check_column(s, 3, ck);
    return rc ? rc : l->fn(l->arg, key, sql_u64(s, 1), sql_u64(s, 2), sql_blob(s, 4));
}

int store_each_document(struct store *st,
                        int (*fn)(void *arg, const char *key, uint64_t index, uint64_t time_ms,
                                  struct span note),
                        void *arg)
{
    return each(st, SQL_DOCUMENTS, NULL, 0, document_row, &(struct documents){ fn, arg });
}

struct dues {
    int (*fn)(void *arg, uint64_t index, uint64_t due_ms);
    void *arg;
};

static int due_row(sqlite3_stmt *s, void *list)
{
    const struct dues *l = list;

    return l->fn(l->arg, sql_u64(s, 0), sql_u64(s, 1));
}

int store_each_due(struct store *st, int (*fn)(void *arg, uint64_t index, uint64_t due_ms),
                   void *arg)
{
    return each(st, SQL_DUES, NULL, 0, due_row, &(struct dues){ fn, arg });
}

struct uploads {
    int (*fn)(void *arg, const uint8_t id[static 32]);
    void *arg;
};

static int upload_row(sqlite3_stmt *s, void *list)
{
    const struct uploads *l = list;
    uint8_t id[32];
    int rc = sql_fixed(s, 0, id, sizeof(id));

    return rc ? rc : l->fn(l->arg, id);
}

int store_each_upload_before(struct store *st, uint64_t ms,
                             int (*fn)(void *arg, const uint8_t id[static 32]), void *arg)
{
    return each(st, SQL_UPLOADS_BEFORE, &ARG_I(ms), 1, upload_row, &(struct uploads){ fn, arg });
}
