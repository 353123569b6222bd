#ifndef HL_SERVER_UPLOAD_H
#define HL_SERVER_UPLOAD_H

#include <sodium.h>

#include "common/envelope.h"
#include "server/hmap.h"
#include "server/store.h"

/*
 * Envelopes that come in pieces: a stream of front || body, of one connection and tag.
 *
 *     (SUBMIT) -[upload_begin]-> FRONT -[upload_front: whole]-> JUDGED -[upload_accept]-> BODY -[upload_chunk: whole]-> recorded
 *                                                                                 |
 *                             PARKED <-[upload_gone: the connection ended]--------+
 *                             PARKED -[upload_accept: submitted again]-> BODY, from the chunk that was reached
 *
 * Body bytes are taken only after the front's signature was verified and its verdict was good.  They are staged in
 * chunks of 32 KiB as they fill; the hash runs along, and a body that is not what was signed is dropped whole.
 * After a restart the chunks in the store are read and hashed again.  A second stream of one envelope takes over from
 * the first.
 *
 * Limits: UPLOADS_PER_CONN open streams of a connection, UPLOADS_PER_SENDER unfinished envelopes of one sender,
 * UPLOADS_MAX in all; the oldest parked one has to go.  Untouched for UPLOAD_EXPIRE_MS: dropped.
 */
#define UPLOADS_PER_CONN 4
#define UPLOADS_PER_SENDER 16
#define UPLOADS_MAX 256
#define UPLOAD_EXPIRE_MS UINT64_C(3600000)

struct upload {
    struct hmap_node by_stream, by_id; /* by_id only from upload_accept() on */
    struct upload *newer, *older;     /* by last touch */
    uint8_t stream[16];               /* conn || tag */
    uint64_t conn, tag, touched_ms;
    uint64_t front_len;
    struct buf front;
    bool accepted, dirty; /* dirty: a GOT is due after the commit */
    char sender[64];
    uint8_t id[32], body_hash[32];
    unsigned precedence;
    uint64_t body_len, staged; /* body bytes; staged ones are whole chunks */
    struct buf part;           /* the chunk that is filling */
    crypto_hash_sha256_state hash;
};

struct uploads;

int uploads_open(struct store *st, struct uploads **out);
void uploads_close(struct uploads *us);
/** upload_begin - a SUBMIT whose body does not ride inline; takes the place of a stream of the same tag.  -HL_EQUOTA, -HL_ENOMEM. */
int upload_begin(struct uploads *us, uint64_t conn, uint64_t tag, uint64_t front_len, struct span front,
                 uint64_t now_ms, struct upload **out);
struct upload *upload_find(const struct uploads *us, uint64_t conn, uint64_t tag);
/** upload_next - the stream offset that is wanted next. */
uint64_t upload_next(const struct upload *u);
/** upload_front - bytes of the front; what does not come next, or lies behind it, is ignored.  1: whole now; 0. */
int upload_front(struct uploads *us, struct upload *u, uint64_t offset, struct span bytes, uint64_t now_ms);
/**
 * upload_accept - the verdict was good: take the body, from where an earlier stream of this envelope stopped.
 * *@was is the connection and tag that lost the stream to this one (conn 0: none).
 */
struct stream_id {
    uint64_t conn, tag;
};
int upload_accept(struct uploads *us, struct upload *u, const struct envelope *env, uint64_t now_ms, struct stream_id *was);
/** upload_chunk - body bytes.  1: whole, and the hash is right; 0: more; -HL_EFORMAT: not what was signed, dropped. */
int upload_chunk(struct uploads *us, struct upload *u, uint64_t offset, struct span bytes, uint64_t now_ms);
/** upload_drop - end it and drop what the store holds.  upload_done - end it; the store's chunks are an entry's now. */
int upload_drop(struct uploads *us, struct upload *u);
void upload_done(struct uploads *us, struct upload *u);
/** upload_supersede - envelope @id is recorded otherwise: drop its unfinished stream, if any. */
int upload_supersede(struct uploads *us, const uint8_t id[static 32]);
void upload_gone(struct uploads *us, uint64_t conn);
int upload_expire(struct uploads *us, uint64_t now_ms);
/** upload_each_dirty - streams that advanced since the last call: their GOT may leave. */
void upload_each_dirty(struct uploads *us, void (*fn)(void *arg, const struct upload *u), void *arg);
size_t uploads_count(const struct uploads *us);

#endif
