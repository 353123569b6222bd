#ifndef HL_COMMON_WIRE_H
#define HL_COMMON_WIRE_H

#include "common/envelope.h"
#include "common/tlog/merkle.h"

/*
 * Every frame between client and broker (FORMATS 4).  One ZeroMQ message part, at most 64 KiB, CBOR
 * array whose first item is the verb.  c> from the client, b> from the broker.
 *
 *  c> HELLO      [1, proto, realm, poc, since, checkpoint]   since: index of the first opening wanted; checkpoint: newest note held, or ""
 *  c> SUBMIT     [2, tag, front_len, front, body]            front: its first bytes; body: whole, only when front and body together fit WIRE_INLINE
 *  cb CHUNK      [3, tag, offset, bytes]                     offset counts in front || body; bytes <= WIRE_CHUNK
 *  c> DOCUMENT   [4, tag, note]
 *  cb GOT        [5, tag, offset]                            everything below offset is taken; the window is offset .. offset + 2 chunks
 *  c> FETCH      [6, tag, what, a, b]
 *  c> COSIGNED   [7, tag, status, body]                      answer to ADD-CHECKPOINT, as in tlog-witness
 *  c> PING       [8, nonce]                                answered after HELLO only: who hears PONG is greeted
 *  b> PONG       [9, nonce, time_ms]
 *  b> WELCOME    [16, proto, realm, origin, checkpoint, size, time_ms, [* [channel, chain, seq]]]
 *  b> RECORDED   [17, tag, index, time_ms, salt, size, [* hash]]   salt "" for a public document; the CHECKPOINT of that size came before
 *  b> DELIVER    [18, tag, index, time_ms, salt, flags, front_len, front, body]   as SUBMIT; tag names its chunks
 *  b> CHECKPOINT [19, note]
 *  b> REFUSED    [20, tag, code, sentence]                   tag 0: of the connection
 *  b> FETCHED    [21, tag, what, a, b, bytes]
 *  b> ADD-CHECKPOINT [22, tag, body]
 *  b> OPENING    [23, index, salt, record]                   a notice or an agreement note; in answers to AUDIT any record
 *
 * Tags are chosen by the client for SUBMIT, DOCUMENT, FETCH (1..2^32), by the broker for DELIVER and
 * ADD-CHECKPOINT; the two spaces do not meet.
 *
 * SUBMIT: the broker answers with one of REFUSED; RECORDED (bodyless, inline or duplicate, once signed); GOT
 * with the offset from which it wants the stream (resumption).  Nothing past the front moves before that
 * GOT, except a body that rides inline: it costs less than the round trip that it saves.  A client that
 * repeats a SUBMIT sends no inline body.
 * DELIVER: messages before their window; at most two chunks are unacknowledged (GOT with the DELIVER's tag),
 * and two more that only FLASH may use.
 *
 * FETCH what:  1 ENTRIES a=first b=count      FETCHED a=first b=count, bundle (u16 length || entry)*
 *              2 TILE a=level b=n             FETCHED bytes = hashes of that tile, full or partial
 *              3 INCLUSION a=index b=size     FETCHED bytes = hashes
 *              4 CONSISTENCY a=size1 b=size2  FETCHED bytes = hashes
 *              5 OPENINGS a=first b=count     DELIVER/OPENING frames, then FETCHED a=first b=next: openings addressed to this PoC from index a
 *              6 CHECKPOINT a=0 newest logged, a=1 newest with cosignatures   FETCHED bytes = note
 *              7 BODY a=index b=offset        FETCHED bytes of front || body of an envelope addressed to or sent by this PoC
 *              8 AUDIT a=first b=count        OPENING frames of every record of the agreements that name this PoC as auditor with full mandate, then FETCHED b=next
 */
#define WIRE_PROTO 1
#define WIRE_FRAME_MAX 65536
#define WIRE_CHUNK 32768
#define WIRE_INLINE 32768
#define WIRE_WINDOW (2 * WIRE_CHUNK)

enum wire_verb { VERB_HELLO = 1, VERB_SUBMIT, VERB_CHUNK, VERB_DOCUMENT, VERB_GOT, VERB_FETCH, VERB_COSIGNED,
            VERB_PING, VERB_PONG, VERB_WELCOME = 16, VERB_RECORDED, VERB_DELIVER, VERB_CHECKPOINT,
            VERB_REFUSED, VERB_FETCHED, VERB_ADD_CHECKPOINT, VERB_OPENING };
enum fetch { FETCH_ENTRIES = 1, FETCH_TILE, FETCH_INCLUSION, FETCH_CONSISTENCY, FETCH_OPENINGS,
             FETCH_CHECKPOINT, FETCH_BODY, FETCH_AUDIT };
enum deliver_flag { DELIVER_ESCALATED = 1, DELIVER_EVENT = 2 /* stays, is not taken from a mailbox by a step */ };

struct wire_number {
    const uint8_t *channel, *chain;
    uint64_t seq;
};
#define WIRE_NUMBERS_MAX 256

struct frame {
    enum wire_verb verb;
    uint64_t tag;          /* SUBMIT CHUNK DOCUMENT GOT FETCH COSIGNED RECORDED DELIVER REFUSED FETCHED ADD_CHECKPOINT; nonce of PING, PONG */
    uint64_t proto;        /* HELLO WELCOME */
    enum realm realm;      /* HELLO WELCOME */
    struct span poc;       /* HELLO */
    struct span origin;    /* WELCOME */
    struct span note;      /* checkpoint of HELLO, WELCOME, CHECKPOINT; note of DOCUMENT; body of COSIGNED, ADD_CHECKPOINT */
    uint64_t since;        /* HELLO */
    uint64_t size;         /* WELCOME RECORDED */
    uint64_t index;        /* RECORDED DELIVER OPENING */
    uint64_t time_ms;      /* WELCOME RECORDED DELIVER PONG */
    struct span salt;      /* RECORDED DELIVER OPENING: 32 bytes or empty */
    uint64_t flags;        /* DELIVER */
    uint64_t front_len;    /* SUBMIT DELIVER */
    struct span front, body; /* SUBMIT DELIVER */
    uint64_t offset;       /* CHUNK GOT */
    struct span bytes;     /* CHUNK FETCHED; record of OPENING */
    uint64_t what, a, b;   /* FETCH FETCHED */
    uint64_t status;       /* COSIGNED */
    uint64_t code;         /* REFUSED */
    struct span sentence;  /* REFUSED, UTF-8 <= 500 bytes */
    size_t n_path;         /* RECORDED */
    uint8_t path[MERKLE_MAX_PROOF][32];
    size_t n_numbers;      /* WELCOME */
    struct wire_number number[WIRE_NUMBERS_MAX];
};

/** frame_decode - strict; spans borrow.  0, -HL_EFORMAT, -HL_ETOOBIG.  Only the fields of the verb are set. */
int frame_decode(struct frame *f, struct span in);
int frame_put(struct buf *out, const struct frame *f);

#endif
