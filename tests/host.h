#ifndef HL_TESTS_HOST_H
#define HL_TESTS_HOST_H

#include "common/tlog/checkpoint.h"
#include "common/wire.h"
#include "keys/sign.h"
#include "keys/transport.h"
#include "tests/world.h"

/*
 * A host that does what it is told, lies included: log and signatures are real (keys of the world), the rest is a script.
 * For tests of what a client makes of a hostile host; the real broker is exercised in tests/scenario.
 */
enum lie {
    LIE_NONE,
    LIE_ENTRIES,    /* FETCH ENTRIES: one byte of the last entry differs */
    LIE_INCLUSION,  /* FETCH INCLUSION: one byte of the proof differs */
    LIE_CONSISTENCY,
    LIE_RECEIPT,    /* RECORDED: one byte of the path differs */
    LIE_SALT,       /* DELIVER, OPENING: another salt than that of the entry */
    LIE_SILENCE,    /* no answer to anything */
    LIE_REFUSE,     /* SUBMIT is refused with @code */
};

#define HOST_ENTRIES 64
struct host {
    const struct world *w;
    void *zmq, *socket;
    struct transport_key *transport;
    struct seckey *log;
    char endpoint[64];
    enum lie lie;
    unsigned code; /* of LIE_REFUSE */
    struct {
        struct buf entry, record; /* record: of a commitment */
        uint8_t salt[32], leaf[32];
        uint64_t time_ms;
    } at[HOST_ENTRIES];
    size_t n;
    struct buf note;   /* of all entries */
    uint8_t conn[64];  /* of the newest HELLO */
    size_t conn_len;
    bool greeted;
    uint64_t since;    /* of that HELLO */
    struct buf hello_note;
    struct buf cosigned; /* body of the newest COSIGNED, with its status */
    uint64_t status;
    size_t hellos, submits, documents, got;
    const uint8_t *known_channel, *known_chain; /* a number for WELCOME, when known_seq */
    uint64_t known_seq;
};

void host_open(struct host *h, const struct world *w);
void host_close(struct host *h);
/** host_step - answer what came. */
void host_step(void *host);
/** entries; each returns its index. */
size_t host_document(struct host *h, struct span note);
size_t host_record(struct host *h, struct span record, uint64_t time_ms);
size_t host_agreement(struct host *h, struct span note);
size_t host_envelope(struct host *h, struct span file);
/** host_sign - a checkpoint of all entries, in h->note; with @push it is sent. */
void host_sign(struct host *h, bool push);
/** host_note - a signed checkpoint of whatever is said. */
void host_note(struct buf *out, const struct host *h, uint64_t size, const uint8_t root[static 32]);
size_t host_consistency(struct host *h, uint64_t old, uint64_t size, uint8_t proof[static MERKLE_MAX_PROOF][32]);
/** host_cosign - append the cosignatures of ARCADIA and BOREALIA at @time_s to the newest note; with @push it is sent. */
void host_cosign(struct host *h, uint64_t time_s, bool push);
void host_root(const struct host *h, size_t size, uint8_t root[static 32]);
void host_send(struct host *h, const struct frame *f);
void host_send_bytes(struct host *h, struct span bytes);
/** host_deliver - DELIVER the envelope @file as entry @index. */
void host_deliver(struct host *h, struct span file, size_t index, unsigned flags);
void host_opening(struct host *h, size_t index);
/** host_ground - the world's documents (agreement notes as commitments), signed. */
void host_ground(struct host *h);

#endif
