#ifndef HL_SERVER_OUTBOX_H
#define HL_SERVER_OUTBOX_H

#include "common/wire.h"
#include "server/broker.h"

/*
 * Frames that wait for the commit.  A turn puts its answers here, and broker.c lets them go when what
 * they promise is on stable storage: commit, then reply, in one place.
 *
 * Bounded by what a turn takes in; beyond OUTBOX_MAX frames are dropped and counted, and the client asks again.
 */
#define OUTBOX_MAX (64u << 20)

struct outbox {
    struct buf bytes;
    struct outbox_item {
        uint64_t conn;
        size_t end; /* of its frame in bytes */
    } *item;
    size_t n, cap;
    uint64_t dropped, sent; /* frames, since the start */
};

void outbox_init(struct outbox *o);
void outbox_release(struct outbox *o);
/** outbox_put - queue @f for @conn; conn 0 (no connection: the documents folder) is nothing. */
void outbox_put(struct outbox *o, uint64_t conn, const struct frame *f);
/** outbox_refuse - REFUSED [tag, code, sentence]; @sentence NULL = that of the error table. */
void outbox_refuse(struct outbox *o, uint64_t conn, uint64_t tag, int rc, const char *sentence);
void outbox_got(struct outbox *o, uint64_t conn, uint64_t tag, uint64_t offset);
void outbox_flush(struct outbox *o, const struct broker_out *out);

#endif
