#ifndef HL_SERVER_HEAD_H
#define HL_SERVER_HEAD_H

#include "common/tlog/checkpoint.h"
#include "server/broker.h"
#include "server/log.h"

/*
 * The newest signed head, and when to ask for the next.
 *
 *     (commit) -[head_ask: idle, or HEAD_EVERY_MS passed]-> ASKED -[head_signed]-> SIGNED
 *
 * One question at a time.  An empty answer is a refusal: nothing is promised until an operator has looked, and the
 * question is repeated every HEAD_REST_MS.  Only what was committed is shown to the signer.  It may answer with a newer
 * note of its own than we knew (our note was not stored before the end of the last process): then the next question
 * starts from that.
 *
 * After a start nothing is asked until the cosigners of the last witnessed checkpoint have said HELLO, or sign_wait_ms
 * have passed: their HELLO shows whether this store was rolled back.  A dead log is never signed again: head_die().
 */
#define HEAD_EVERY_MS 5
#define HEAD_REST_MS 10000
#define HEAD_COSIGNERS 64

struct head {
    struct store *store;
    struct log *log;
    const struct broker_out *out;
    struct note_key key;       /* of the log; its name is the origin */
    uint64_t size;             /* of the note, 0 none */
    struct buf note;           /* as signed, without cosignatures */
    bool fresh;                /* the note is to be staged */
    uint64_t asked, asked_ms;  /* size in question, 0 none */
    uint64_t rest_ms;          /* it refused: no question before */
    bool started, dead;
    uint64_t gate_ms;          /* no question before; 0 = open */
    uint64_t wait_ms;
    size_t n_gate;
    char gate[HEAD_COSIGNERS][64]; /* cosigners awaited */
};

int head_open(struct head *h, const struct broker_conf *conf, const struct broker_out *out, struct store *st, struct log *log);
void head_release(struct head *h);
/** head_await - ask nothing before @poc, a cosigner of the last witnessed checkpoint, has said HELLO. */
void head_await(struct head *h, struct span poc);
void head_hello(struct head *h, struct span poc);
/** head_ask - @committed is on stable storage; ask the signer when it is time. */
int head_ask(struct head *h, const struct store_head *committed, uint64_t now_ms, bool idle);
/**
 * head_signed - the signer's note.  1: a newer head than before; 0: nothing new; -HL_EFORK: the signer has signed what
 * this store does not hold; -HL_ESTATE: it refused; -HL_ESIG, -HL_EFORMAT, -HL_EKEY: not a note of the log.
 */
int head_signed(struct head *h, const struct store_head *committed, struct span note);
/** head_stage - put the newest note into the next commit, if it is not there yet. */
int head_stage(struct head *h);
/**
 * head_compare - a client's checkpoint, signed by this log: 0: it is consistent with the store, or not signed by us;
 * -HL_EFORK: ahead of the store or of another history.
 */
int head_compare(struct head *h, const struct store_head *committed, struct span note);
/** head_timeout - ms until a question may be asked that waits; -1 = nothing waits. */
int head_timeout(const struct head *h, const struct store_head *committed, uint64_t now_ms);

#endif
