#ifndef HL_SERVER_QUEUE_H
#define HL_SERVER_QUEUE_H

#include "common/wire.h"

/*
 * What waits for a turn, by class: a class is served in order of arrival, a higher one first.
 *
 * The class of a SUBMIT is the precedence in its stamp, read without judging: it only orders the work, and
 * the signature over it is verified before anything follows from it.  A stop is in the class of FLASH, other
 * documents in that of IMMEDIATE.  CONTROL moves windows and sessions and touches no store (HELLO, GOT,
 * COSIGNED, PING, pieces of a front); FETCH only reads, and waits for all others.
 *
 * Limits: QUEUE_CONN_FRAMES and QUEUE_CONN_BYTES of one connection (more is dropped and counted: a client
 * that keeps its window never meets them), QUEUE_BYTES in all: what comes after is still taken, up to QUEUE_SLACK, and
 * -HL_EQUOTA tells the front to stop reading.
 */
#define QUEUE_CONN_FRAMES 2048
#define QUEUE_CONN_BYTES (1u << 20)
#define QUEUE_BYTES (64u << 20)
#define QUEUE_SLACK (8u << 20)

enum queue_class {
    QUEUE_CONTROL, QUEUE_FLASH, QUEUE_IMMEDIATE, QUEUE_PRIORITY, QUEUE_ROUTINE, QUEUE_FETCH, QUEUE_CLASSES
};

enum input_type {
    INPUT_FRAME,   /* bytes are a frame of conn */
    INPUT_FRONT,   /* bytes are the whole front of stream (conn, tag) */
    INPUT_DOCUMENT /* bytes are a note from the documents folder; conn 0 */
};

struct input {
    struct input *next;
    enum input_type type;
    enum queue_class class;
    uint64_t conn, tag;
    uint8_t key[32]; /* that the front authenticated */
    size_t n;
    uint8_t bytes[];
};

/* What of a frame is needed to put it into its place; read without copying, believing nothing. */
struct peek {
    uint64_t verb, tag;
    enum queue_class class;
    bool front_whole; /* of a SUBMIT */
};

struct queue;

int queue_open(struct queue **out);
void queue_close(struct queue *q);
/** queue_peek - -HL_EFORMAT when not even verb and tag can be read. */
int queue_peek(struct peek *p, struct span frame);
/** queue_front_class - class of an envelope's whole front; ROUTINE when unreadable. */
enum queue_class queue_front_class(struct span front);
/** queue_put - copies.  0; -HL_EQUOTA: taken, but read no more; -HL_ETOOBIG: dropped, this connection has too much waiting; -HL_ENOMEM. */
int queue_put(struct queue *q, enum input_type type, enum queue_class class, uint64_t conn, uint64_t tag,
              const uint8_t key[static 32], struct span bytes);
/** queue_take - the oldest input of @class, the caller's to free with input_free(); NULL when none. */
struct input *queue_take(struct queue *q, enum queue_class class);
/** queue_return - put back what was taken last, to be taken first. */
void queue_return(struct queue *q, struct input *in);
void input_free(struct input *in);
/** queue_drop - forget what waits from @conn (0: from every connection; the folder's documents stay). */
void queue_drop(struct queue *q, uint64_t conn);
size_t queue_waiting(const struct queue *q, enum queue_class class);
size_t queue_bytes(const struct queue *q);
bool queue_empty(const struct queue *q);

#endif
