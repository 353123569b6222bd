#include "server/store_sqlite.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/tlog/tile.h"

/*
 * Staging: each call appends the statements that store_commit() will run, with copies of their
 * arguments. A call that fails has staged nothing.
 */

static int stage(struct store *st, enum sql sql, const struct arg *arg, size_t n)
{
    size_t bytes = 0;
    struct op *op;
    uint8_t *p;

    assert(st->writer);
    for (size_t i = 0; i < n; i++)
        bytes += arg[i].s.n;
    if (bytes > STORE_STAGE_MAX - st->staged_bytes)
        return -HL_ETOOBIG;
    op = malloc(sizeof(*op) + n * sizeof(*arg) + bytes);
    if (!op)
        return -HL_ENOMEM;
    *op = (struct op){ .sql = sql, .n = n, .bytes = bytes };
    p = (uint8_t *)&op->arg[n];
    for (size_t i = 0; i < n; i++) {
        op->arg[i] = arg[i];
        if (!arg[i].s.n)
            continue;
        memcpy(p, arg[i].s.p, arg[i].s.n);
        op->arg[i].s.p = p;
        p += arg[i].s.n;
    }
    *st->last = op;
    st->last = &op->next;
    st->staged_bytes += bytes;
    return 0;
}

/* Forget what was staged behind @mark, a former value of st->last. */
static void unstage(struct store *st, struct op **mark)
{
    struct op *op = *mark;

    *mark = NULL;
    st->last = mark;
    while (op) {
        struct op *next = op->next;

        st->staged_bytes -= op->bytes;
        free(op);
        op = next;
    }
}

void store_unstage(struct store *st)
{
    unstage(st, &st->first);
    st->staged_entries = 0;
}

size_t store_staged_bytes(const struct store *st)
{
    return st->staged_bytes;
}

#define STAGE(st, sql, ...)                                                                        \
    stage(st, sql, (const struct arg[]){ __VA_ARGS__ },                                            \
          sizeof((const struct arg[]){ __VA_ARGS__ }) / sizeof(struct arg))

static struct arg arg_hash(const uint8_t *hash)
{
    return hash ? ARG_B(hash, 32) : ARG_N;
}

/* A body that came inline, under a number of its own. */
static int stage_body(struct store *st, const struct store_entry *e)
{
    int rc = 0;

    for (uint64_t n = 0; !rc && n * STORE_CHUNK < e->body.n; n++) {
        size_t at = (size_t)n * STORE_CHUNK;
        struct span bytes = SPAN(e->body.p + at, e->body.n - at);
        uint8_t ck[STORE_CK];

        if (bytes.n > STORE_CHUNK)
            bytes.n = STORE_CHUNK;
        check_chunk(ck, e->id, n, bytes);
        rc = STAGE(st, SQL_CHUNK_PUT, ARG_I(st->next_body * STORE_BODY_ROWS + n),
                   ARG_B(ck, STORE_CK), ARG_B(bytes.p, bytes.n));
    }
    return rc;
}

/* The row; its body is the number @body, or what was uploaded in @body chunks. */
static int stage_row(struct store *st, const struct store_entry *e, enum sql put, uint64_t body)
{
    uint8_t ck[STORE_CK];

    check_entry(ck, e);
    return STAGE(st, put, ARG_I(e->index), ARG_B(e->leaf, 32), ARG_I(e->time_ms), ARG_I(e->kind),
                 ARG_I(e->message_kind), ARG_I(e->precedence), ARG_I(e->body_len), arg_hash(e->id),
                 arg_hash(e->salt), ARG_B(ck, STORE_CK), ARG_B(e->record.p, e->record.n),
                 ARG_B(e->wraps.p, e->wraps.n), ARG_I(body));
}

static int stage_facts(struct store *st, const struct store_entry *e)
{
    const struct arg line[] = { ARG_T(e->sender), ARG_B(e->channel, 32), ARG_B(e->chain, 16) };
    int rc = STAGE(st, SQL_ID_PUT, ARG_B(e->id, 32), ARG_I(e->index));

    if (!rc)
        rc = STAGE(st, SQL_MID_PUT, ARG_B(e->mid, 32), ARG_I(e->index));
    if (!rc)
        rc = stage(st, SQL_LINE_PUT, line, COUNT(line));
    if (!rc)
        rc = STAGE(st, SQL_NUMBER_PUT, line[0], line[1], line[2], ARG_I(e->seq), ARG_I(e->index));
    return rc;
}

static int stage_entry(struct store *st, const struct store_entry *e)
{
    bool uploaded = e->body_len && !e->body.n;
    int rc;

    if (uploaded)
        rc =
            stage_row(st, e, SQL_ENTRY_PUT_UPLOADED, (e->body_len + STORE_CHUNK - 1) / STORE_CHUNK);
    else
        rc = stage_row(st, e, SQL_ENTRY_PUT, e->body_len ? st->next_body : 0);
    if (!rc && uploaded)
        rc = STAGE(st, SQL_UPLOAD_DROP, ARG_B(e->id, 32));
    if (!rc && e->body.n)
        rc = stage_body(st, e);
    if (!rc && e->kind == ENTRY_ENVELOPE)
        rc = stage_facts(st, e);
    return rc;
}

int store_stage_entry(struct store *st, const struct store_entry *e)
{
    struct op **mark = st->last;
    int rc;

    assert(e->index == st->head.size + st->staged_entries);
    assert(!e->body_len || (e->id && e->body_len <= (uint64_t)STORE_BODY_ROWS * STORE_CHUNK));
    assert(!e->body.n || e->body.n == e->body_len);
    rc = stage_entry(st, e);
    if (rc) {
        unstage(st, mark);
        return rc;
    }
    st->staged_entries++;
    st->next_body += e->body.n != 0;
    return 0;
}

int store_stage_tile(struct store *st, unsigned level, uint64_t n, struct span bytes)
{
    uint8_t hash[TILE_WIDTH][32], root[32], ck[STORE_CK];

    assert(bytes.n == TILE_BYTES);
    memcpy(hash, bytes.p, sizeof(hash));
    tile_subtree_hash(root, HASHES(hash), 8, 0);
    check_tile(ck, tile_key(level, n), root, bytes);
    return STAGE(st, SQL_TILE_PUT, ARG_I(tile_key(level, n)), ARG_B(root, 32), ARG_B(ck, STORE_CK),
                 ARG_B(bytes.p, bytes.n));
}

int store_stage_mailbox(struct store *st, struct span poc, uint64_t index, unsigned precedence,
                        bool held)
{
    return STAGE(st, SQL_MAILBOX_PUT, ARG_T(poc), ARG_I(index), ARG_I(precedence), ARG_I(held));
}

int store_stage_mailbox_drop(struct store *st, struct span poc, uint64_t index)
{
    return STAGE(st, SQL_MAILBOX_DROP, ARG_T(poc), ARG_I(index));
}

int store_stage_event(struct store *st, struct span poc, uint64_t index)
{
    return STAGE(st, SQL_EVENT_PUT, ARG_T(poc), ARG_I(index));
}

int store_stage_chunk(struct store *st, const uint8_t id[static 32], uint64_t n, struct span bytes,
                      uint64_t now_ms)
{
    struct op **mark = st->last;
    uint8_t ck[STORE_CK];
    int rc;

    assert(n < STORE_BODY_ROWS && bytes.n && bytes.n <= STORE_CHUNK);
    check_chunk(ck, id, n, bytes);
    rc = STAGE(st, SQL_UPLOAD_TOUCH, ARG_B(id, 32), ARG_I(st->next_body), ARG_I(now_ms));
    if (!rc)
        rc = STAGE(st, SQL_UPLOAD_CHUNK_PUT, ARG_B(id, 32), ARG_I(n), ARG_B(ck, STORE_CK),
                   ARG_B(bytes.p, bytes.n));
    if (rc) {
        unstage(st, mark);
        return rc;
    }
    st->next_body += n == 0;
    return 0;
}

int store_stage_upload_drop(struct store *st, const uint8_t id[static 32])
{
    struct op **mark = st->last;
    int rc = STAGE(st, SQL_UPLOAD_CHUNKS_DROP, ARG_B(id, 32));

    if (!rc)
        rc = STAGE(st, SQL_UPLOAD_DROP, ARG_B(id, 32));
    if (rc)
        unstage(st, mark);
    return rc;
}

int store_stage_document(struct store *st, const char *key, uint64_t index, uint64_t time_ms,
                         struct span note)
{
    uint8_t ck[STORE_CK];

    check_document(ck, span_str(key), index, time_ms, note);
    return STAGE(st, SQL_DOCUMENT_PUT, ARG_T(span_str(key)), ARG_I(index), ARG_I(time_ms),
                 ARG_B(ck, STORE_CK), ARG_B(note.p, note.n));
}

int store_stage_document_drop(struct store *st, const char *key)
{
    return STAGE(st, SQL_DOCUMENT_DROP, ARG_T(span_str(key)));
}

int store_stage_note(struct store *st, enum store_note which, struct span note)
{
    uint8_t ck[STORE_CK];

    check_note(ck, which, note);
    return STAGE(st, SQL_NOTE_PUT, ARG_I(which), ARG_B(ck, STORE_CK), ARG_B(note.p, note.n));
}

int store_stage_due(struct store *st, uint64_t index, uint64_t due_ms)
{
    return STAGE(st, SQL_DUE_PUT, ARG_I(index), ARG_I(due_ms));
}

int store_stage_due_drop(struct store *st, uint64_t index)
{
    return STAGE(st, SQL_DUE_DROP, ARG_I(index));
}
