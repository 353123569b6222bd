#include <sodium.h>
#include <string.h>

#include "client/desk_db.h"
#include "common/cbor.h"
#include "common/error.h"

#define DRAFT_MAX (ENVELOPE_HEADER_MAX + CONTENT_MAX + 1024)

/* A draft at rest: one box, since it was shown to nobody yet. */

void desk_draft_init(struct desk_draft *dr)
{
    memset(dr, 0, sizeof(*dr));
    buf_init(&dr->header, ENVELOPE_HEADER_MAX);
    buf_init(&dr->content, CONTENT_MAX);
}

void desk_draft_release(struct desk_draft *dr)
{
    if (dr->content.p)
        sodium_memzero(dr->content.p, dr->content.n);
    buf_release(&dr->header);
    buf_release(&dr->content);
}

static int draft_encode(struct buf *out, const struct desk_draft *dr)
{
    cbor_put_array(out, 9);
    cbor_put_bytes(out, buf_span(&dr->header));
    cbor_put_bytes(out, buf_span(&dr->content));
    cbor_put_bytes(out, SPAN(dr->salt, 32));
    cbor_put_bytes(out, dr->signed_draft ? SPAN(dr->draft_key, 32) : SPAN_NONE);
    cbor_put_bytes(out, dr->signed_draft ? SPAN(dr->draft_sig, 64) : SPAN_NONE);
    cbor_put_uint(out, dr->precedence);
    cbor_put_uint(out, dr->ack_within_s);
    cbor_put_uint(out, dr->lifetime_s);
    cbor_put_uint(out, dr->made_ms);
    return out->bad;
}

static int draft_decode(struct desk_draft *dr, struct span in)
{
    struct cbor_in c;
    struct span key, sig;

    cbor_open(&c, in);
    cbor_array(&c, 9, 9);
    buf_put_span(&dr->header, cbor_bytes(&c));
    buf_put_span(&dr->content, cbor_bytes(&c));
    memcpy(dr->salt, cbor_bytes_n(&c, 32), 32);
    key = cbor_bytes_max(&c, 32);
    sig = cbor_bytes_max(&c, 64);
    dr->precedence = (unsigned)cbor_uint_max(&c, 3);
    dr->ack_within_s = cbor_uint(&c);
    dr->lifetime_s = cbor_uint(&c);
    dr->made_ms = cbor_uint(&c);
    cbor_array_end(&c);
    dr->signed_draft = key.n == 32 && sig.n == 64;
    if (dr->signed_draft) {
        memcpy(dr->draft_key, key.p, 32);
        memcpy(dr->draft_sig, sig.p, 64);
    }
    if (dr->header.bad || dr->content.bad)
        return -HL_ENOMEM;
    return cbor_done(&c) ? -HL_ESTORE : 0;
}

static void buf_wipe(struct buf *b)
{
    if (b->p)
        sodium_memzero(b->p, b->n);
    buf_release(b);
}

int desk_draft_put(struct desk *d, const struct desk_draft *dr)
{
    struct buf plain, box;
    int rc;

    buf_init(&plain, DRAFT_MAX);
    buf_init(&box, DRAFT_MAX + VAULT_OVERHEAD);
    rc = draft_encode(&plain, dr);
    if (!rc)
        rc = box_seal(d, &box, "draft", dr->mid, buf_span(&plain));
    if (!rc)
        rc = db_run(d,
                    "INSERT INTO draft(mid, box) VALUES(?,?)"
                    " ON CONFLICT(mid) DO UPDATE SET box=excluded.box",
                    BIND(B_KEY(dr->mid), B_BLOB(buf_span(&box))));
    buf_wipe(&plain);
    buf_release(&box);
    return rc;
}

static int draft_row(struct desk *d, sqlite3_stmt *st, struct desk_draft *dr)
{
    struct buf plain;
    int rc;

    desk_draft_init(dr);
    buf_init(&plain, DRAFT_MAX);
    rc = db_bytes(st, 0, dr->mid, 32);
    if (!rc)
        rc = box_open(d, &plain, "draft", dr->mid, db_blob(st, 1));
    if (!rc)
        rc = draft_decode(dr, buf_span(&plain));
    buf_wipe(&plain);
    return rc;
}

int desk_draft_get(struct desk *d, const uint8_t mid[static 32], struct desk_draft *dr)
{
    sqlite3_stmt *st;
    int rc = db_open(d, &st, "SELECT mid, box FROM draft WHERE mid=?", BIND(B_KEY(mid)));

    if (!rc)
        rc = db_row(st); /* before @dr is touched: @mid may be its own */
    desk_draft_init(dr);
    rc = rc == 1 ? draft_row(d, st, dr) : rc ? rc : -HL_ENOENT;
    sqlite3_finalize(st);
    return rc;
}

int desk_draft_each(struct desk *d, int (*fn)(void *arg, const struct desk_draft *dr), void *arg)
{
    struct desk_draft dr;
    sqlite3_stmt *st;
    int rc = db_open(d, &st, "SELECT mid, box FROM draft ORDER BY n", BIND_NONE);

    while (!rc && (rc = db_row(st)) == 1) {
        rc = draft_row(d, st, &dr);
        if (!rc)
            rc = fn(arg, &dr);
        desk_draft_release(&dr);
    }
    sqlite3_finalize(st);
    return rc;
}

int desk_draft_drop(struct desk *d, const uint8_t mid[static 32])
{
    int rc = db_run(d, "DELETE FROM prepared WHERE mid=?", BIND(B_KEY(mid)));

    if (!rc)
        rc = db_run(d, "DELETE FROM draft WHERE mid=?", BIND(B_KEY(mid)));
    return rc ? rc : db_changes(d) ? 0 : -HL_ENOENT;
}

int desk_prepared_put(struct desk *d, const uint8_t mid[static 32], const uint8_t id[static 32],
                      struct span bytes)
{
    struct buf box;
    int rc;

    buf_init(&box, bytes.n + VAULT_OVERHEAD);
    rc = box_seal(d, &box, "prepared", mid, bytes);
    if (!rc)
        rc = db_run(d, "INSERT OR REPLACE INTO prepared VALUES(?,?,?)",
                    BIND(B_KEY(mid), B_KEY(id), B_BLOB(buf_span(&box))));
    buf_release(&box);
    return rc;
}

int desk_prepared_get(struct desk *d, const uint8_t id[static 32], uint8_t mid[static 32],
                      struct buf *bytes)
{
    sqlite3_stmt *st;
    int rc = db_open(d, &st, "SELECT mid, box FROM prepared WHERE id=?", BIND(B_KEY(id)));

    if (!rc)
        rc = db_row(st);
    if (rc == 1) {
        rc = db_bytes(st, 0, mid, 32);
        if (!rc)
            rc = box_open(d, bytes, "prepared", mid, db_blob(st, 1));
    } else if (!rc) {
        rc = -HL_ENOENT;
    }
    sqlite3_finalize(st);
    return rc;
}
