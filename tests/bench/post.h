#ifndef HL_TESTS_BENCH_POST_H
#define HL_TESTS_BENCH_POST_H

#include "common/tlog/checkpoint.h"
#include "common/wire.h"
#include "keys/seal.h"
#include "keys/subkeys.h"
#include "tests/bench/town.h"

/*
 * A PoC of the town (tests/bench/town.h) at a real broker, for load, courier and stranger: its keys, its
 * connection, its envelopes, and the judgement of receipts.  What goes wrong here is the test's own fault: it dies.
 */
#define POST_REALM REALM_EXERCISE

struct post {
    struct town town;
    size_t i;              /* the PoC's number */
    const char *transport; /* its transport key is that of the label "<poc>/<transport>"; NULL: "transport" */
    char origin[256], endpoint[256];
    uint8_t curve[32];
    struct note_key log;
    void *zmq, *socket; /* the context is the caller's */
    struct seckey *position;
    struct secret *hedge;
    struct subkey_ring *ring; /* NULL for PoCs without subkeys */
};

_Noreturn void post_die(const char *what, int rc);

/** post_open - PoC @i of the town in @dir, as `load setup` and `hotlined init` left it. */
void post_open(struct post *p, void *zmq, const char *dir, size_t i, const char *transport);
void post_close(struct post *p);
struct span post_name(const struct post *p, size_t i);
/** post_connect - a new connection with the PoC's transport key, or with a fresh one that nobody knows. */
void post_connect(struct post *p, bool known);
void post_disconnect(struct post *p);

/** post_send - false when the socket would block. */
bool post_send(struct post *p, const struct frame *f);
bool post_send_bytes(struct post *p, struct span bytes);
/** post_receive - one frame within @wait_ms, borrowed until the next call; false when none came. */
bool post_receive(struct post *p, long wait_ms, struct span *bytes);
void post_hello(struct post *p, uint64_t since, struct span note);

/* An envelope in its file form, appended to @file. */
struct post_letter {
    size_t to; /* PoC */
    unsigned precedence;
    uint64_t seq;
    const uint8_t *chain; /* 16 */
    size_t text;          /* bytes of free text */
    const uint8_t *ack;   /* not NULL: an acknowledgement of this message id */
};
void post_seal(struct post *p, const struct post_letter *l, struct buf *file);
/** post_submit - the SUBMIT of the file form @env came from; @again: without inline body. */
void post_submit(struct frame *f, struct buf *front, const struct envelope *env, uint64_t tag, bool again);
/** post_receipt - does RECORDED prove that @env stands in the log under @head?  The entry's 32 bytes, its opening. */
int post_receipt(const struct frame *f, const struct envelope *env, const struct checkpoint *head, struct buf *opening);

#endif
