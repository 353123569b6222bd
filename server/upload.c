#include "server/upload.h"

#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/wire.h"

struct uploads {
    struct store *store;
    struct hmap by_stream, by_id;
    struct upload *newest, *oldest;
    size_t n;
    uint64_t swept_ms;
};

int uploads_open(struct store *st, struct uploads **out)
{
    struct uploads *us = calloc(1, sizeof(*us));
    int rc = us ? hmap_init(&us->by_stream) : -HL_ENOMEM;

    *out = NULL;
    if (!rc)
        rc = hmap_init(&us->by_id);
    if (rc) {
        uploads_close(us);
        return rc;
    }
    us->store = st;
    *out = us;
    return 0;
}

/* ---- the list by last touch, oldest last ---- */

static void upload_unlink(struct uploads *us, struct upload *u)
{
    if (u->newer)
        u->newer->older = u->older;
    else
        us->newest = u->older;
    if (u->older)
        u->older->newer = u->newer;
    else
        us->oldest = u->newer;
    us->n--;
}

static void upload_touch(struct uploads *us, struct upload *u, uint64_t now_ms)
{
    u->touched_ms = now_ms;
    u->newer = NULL;
    u->older = us->newest;
    *(us->newest ? &us->newest->newer : &us->oldest) = u;
    us->newest = u;
    us->n++;
}

static void upload_park(struct uploads *us, struct upload *u)
{
    if (u->conn)
        hmap_remove(&us->by_stream, &u->by_stream);
    u->conn = u->tag = 0;
    buf_release(&u->front);
    buf_clear(&u->part); /* it comes again, from the chunk's beginning */
}

void upload_done(struct uploads *us, struct upload *u)
{
    upload_park(us, u);
    if (u->accepted)
        hmap_remove(&us->by_id, &u->by_id);
    upload_unlink(us, u);
    buf_release(&u->part);
    free(u);
}

/* Its connection does not go on with it: what was accepted can be resumed. */
static void upload_leave(struct uploads *us, struct upload *u)
{
    if (u->accepted)
        upload_park(us, u);
    else
        upload_done(us, u);
}

int upload_drop(struct uploads *us, struct upload *u)
{
    int rc = u->accepted && u->staged ? store_stage_upload_drop(us->store, u->id) : 0;

    upload_done(us, u);
    return rc;
}

void uploads_close(struct uploads *us)
{
    if (!us)
        return;
    for (struct upload *u = us->newest, *older; u; u = older) {
        older = u->older;
        upload_done(us, u);
    }
    hmap_release(&us->by_stream);
    hmap_release(&us->by_id);
    free(us);
}

/* ---- front ---- */

static void stream_key(uint8_t key[static 16], uint64_t conn, uint64_t tag)
{
    put_u64(key, conn);
    put_u64(key + 8, tag);
}

struct upload *upload_find(const struct uploads *us, uint64_t conn, uint64_t tag)
{
    uint8_t key[16];

    stream_key(key, conn, tag);
    return (struct upload *)hmap_find(&us->by_stream, SPAN(key, sizeof(key)));
}

static struct upload *of_id(const struct uploads *us, const uint8_t id[static 32])
{
    struct hmap_node *node = hmap_find(&us->by_id, SPAN(id, 32));

    return node ? (struct upload *)((char *)node - offsetof(struct upload, by_id)) : NULL;
}

/* Room for one more: the oldest without a connection has to go.  -HL_EQUOTA when all have one. */
static int make_room(struct uploads *us, const char *sender, size_t limit)
{
    struct upload *oldest = NULL;
    size_t n = 0;

    for (struct upload *u = us->newest; u; u = u->older) {
        if (sender && strcmp(u->sender, sender) != 0)
            continue;
        n++;
        if (!u->conn)
            oldest = u;
    }
    if (n < limit)
        return 0;
    return oldest ? upload_drop(us, oldest) : -HL_EQUOTA;
}

int upload_begin(struct uploads *us, uint64_t conn, uint64_t tag, uint64_t front_len,
                 struct span front, uint64_t now_ms, struct upload **out)
{
    struct upload *u = upload_find(us, conn, tag);
    size_t open = 0;
    int rc;

    *out = NULL;
    if (u)
        upload_leave(us, u);
    for (u = us->newest; u; u = u->older)
        open += u->conn == conn;
    rc = open >= UPLOADS_PER_CONN ? -HL_EQUOTA : make_room(us, NULL, UPLOADS_MAX);
    if (rc)
        return rc;
    u = calloc(1, sizeof(*u));
    if (!u)
        return -HL_ENOMEM;
    u->conn = conn;
    u->tag = tag;
    u->dirty = true;
    u->front_len = front_len;
    buf_init(&u->front, ENVELOPE_FRONT_MAX);
    buf_init(&u->part, WIRE_CHUNK);
    stream_key(u->stream, conn, tag);
    u->by_stream.key = SPAN(u->stream, sizeof(u->stream));
    hmap_add(&us->by_stream, &u->by_stream);
    upload_touch(us, u, now_ms);
    if (buf_put_span(&u->front, front)) {
        rc = u->front.bad;
        upload_done(us, u);
        return rc;
    }
    *out = u;
    return 0;
}

uint64_t upload_next(const struct upload *u)
{
    return u->accepted ? u->front_len + u->staged + u->part.n : u->front.n;
}

int upload_front(struct uploads *us, struct upload *u, uint64_t offset, struct span bytes,
                 uint64_t now_ms)
{
    upload_unlink(us, u);
    upload_touch(us, u, now_ms);
    u->dirty = true;
    if (u->accepted || offset != u->front.n || u->front.n == u->front_len)
        return 0;
    if (bytes.n > u->front_len - u->front.n)
        bytes.n = (size_t)(u->front_len - u->front.n); /* no body before the verdict */
    if (buf_put_span(&u->front, bytes))
        return u->front.bad;
    return u->front.n == u->front_len;
}

/* ---- body ---- */

/* What an earlier process stored of this envelope; anything wrong with it, and it is dropped. */
static int resume_stored(struct uploads *us, struct upload *u)
{
    uint64_t chunks = 0;
    int rc = store_upload_have(us->store, u->id, &chunks);

    if (rc || chunks == 0)
        return rc == -HL_ENOENT ? 0 : rc;
    for (uint64_t i = 0; i < chunks && !rc && u->staged < u->body_len; i++) {
        buf_clear(&u->part);
        rc = store_upload_chunk(us->store, u->id, i, &u->part);
        if (!rc && u->part.n != WIRE_CHUNK && u->staged + u->part.n != u->body_len)
            rc = -HL_ESTORE;
        if (!rc) {
            crypto_hash_sha256_update(&u->hash, u->part.p, u->part.n);
            u->staged += u->part.n;
        }
    }
    buf_clear(&u->part);
    if (!rc && u->staged < u->body_len)
        return 0;
    /* damaged, or whole but never recorded (its verdict changed): from the beginning */
    u->staged = 0;
    crypto_hash_sha256_init(&u->hash);
    return store_stage_upload_drop(us->store, u->id);
}

static void resume_parked(struct upload *u, const struct upload *old)
{
    u->staged = old->staged;
    u->hash = old->hash;
}

int upload_accept(struct uploads *us, struct upload *u, const struct envelope *env, uint64_t now_ms,
                  struct stream_id *was)
{
    struct upload *old = of_id(us, env->id);
    int rc = 0;

    *was = (struct stream_id){ 0 };
    memcpy(u->sender, env->header.sender.p, env->header.sender.n);
    memcpy(u->id, env->id, 32);
    memcpy(u->body_hash, env->body_hash, 32);
    u->body_len = env->body_len;
    u->precedence = env->stamp.precedence;
    crypto_hash_sha256_init(&u->hash);
    if (old) {
        *was = (struct stream_id){ old->conn, old->tag };
        resume_parked(u, old);
        upload_done(us, old);
    } else {
        rc = make_room(us, u->sender, UPLOADS_PER_SENDER + 1); /* with this one */
        if (!rc)
            rc = resume_stored(us, u);
    }
    if (rc)
        return rc;
    u->accepted = true;
    u->dirty = true;
    u->by_id.key = SPAN(u->id, 32);
    hmap_add(&us->by_id, &u->by_id);
    upload_unlink(us, u);
    upload_touch(us, u, now_ms);
    return 0;
}

static int stage_part(struct uploads *us, struct upload *u, uint64_t now_ms)
{
    int rc =
        store_stage_chunk(us->store, u->id, u->staged / WIRE_CHUNK, buf_span(&u->part), now_ms);

    crypto_hash_sha256_update(&u->hash, u->part.p, u->part.n);
    u->staged += u->part.n;
    buf_clear(&u->part);
    return rc;
}

static bool hash_right(const struct upload *u)
{
    crypto_hash_sha256_state st = u->hash;
    uint8_t hash[32];

    crypto_hash_sha256_final(&st, hash);
    return memcmp(hash, u->body_hash, 32) == 0;
}

/* The next bytes of @bytes that belong to the chunk that is filling. */
static int take_some(struct uploads *us, struct upload *u, struct span *bytes, uint64_t now_ms)
{
    size_t n = WIRE_CHUNK - u->part.n < bytes->n ? WIRE_CHUNK - u->part.n : bytes->n;
    int rc = buf_put(&u->part, bytes->p, n);

    *bytes = SPAN(bytes->p + n, bytes->n - n);
    if (!rc && (u->part.n == WIRE_CHUNK || u->staged + u->part.n == u->body_len))
        rc = stage_part(us, u, now_ms);
    return rc;
}

int upload_chunk(struct uploads *us, struct upload *u, uint64_t offset, struct span bytes,
                 uint64_t now_ms)
{
    int rc = 0;

    upload_unlink(us, u);
    upload_touch(us, u, now_ms);
    u->dirty = true;
    if (!u->accepted || offset != upload_next(u) || bytes.n > u->body_len - u->staged - u->part.n)
        return 0; /* the GOT says what is wanted */
    while (bytes.n && !rc)
        rc = take_some(us, u, &bytes, now_ms);
    if (rc || u->staged < u->body_len)
        return rc;
    return hash_right(u) ? 1 : -HL_EFORMAT;
}

int upload_supersede(struct uploads *us, const uint8_t id[static 32])
{
    struct upload *u = of_id(us, id);

    return u ? upload_drop(us, u) : 0;
}

/* ---- ends ---- */

void upload_gone(struct uploads *us, uint64_t conn)
{
    for (struct upload *u = us->newest, *older; u; u = older) {
        older = u->older;
        if (u->conn && (conn == 0 || u->conn == conn))
            upload_leave(us, u);
    }
}

static int expire_stored(void *arg, const uint8_t id[static 32])
{
    struct uploads *us = arg;

    return of_id(us, id) ? 0 : store_stage_upload_drop(us->store, id);
}

int upload_expire(struct uploads *us, uint64_t now_ms)
{
    uint64_t before = now_ms > UPLOAD_EXPIRE_MS ? now_ms - UPLOAD_EXPIRE_MS : 0;
    int rc = 0;

    for (struct upload *u = us->oldest, *newer; u && u->touched_ms < before && !rc; u = newer) {
        newer = u->newer;
        rc = upload_drop(us, u);
    }
    if (rc || now_ms < us->swept_ms + UPLOAD_EXPIRE_MS / 4)
        return rc;
    us->swept_ms = now_ms;
    return store_each_upload_before(us->store, before, expire_stored, us);
}

void upload_each_dirty(struct uploads *us, void (*fn)(void *arg, const struct upload *u), void *arg)
{
    /* what was touched last stands first; a turn touches few */
    for (struct upload *u = us->newest; u && u->dirty; u = u->older) {
        u->dirty = false;
        if (u->conn && (u->accepted || u->front.n < u->front_len)) /* no body before a verdict */
            fn(arg, u);
    }
}

size_t uploads_count(const struct uploads *us)
{
    return us->n;
}
