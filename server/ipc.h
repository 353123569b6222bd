#ifndef HL_SERVER_IPC_H
#define HL_SERVER_IPC_H

#include "common/buf.h"

/*
 * All messages between the processes of hotlined: u32 length || u8 type || payload on a stream socketpair, one
 * buffered read and one write a turn.  Both ends distrust lengths; a malformed message ends the reader.
 *
 *   front -> core     FRAME     conn u64, key[32], bytes   a frame of a connection authenticated by that key
 *                     GONE      conn u64
 *                     KEYS_OK   generation u32             this table is in effect; others are muted
 *                     COUNTS    u64 x IPC_COUNTS_N         since the front's start: enum front_count
 *   core -> front     KEYS      generation u32, key[32] x n
 *                     SEND      conn u64, bytes
 *   core -> signer    SIGN      size u64, root[32], old u64, hash[32] x n
 *   signer -> core    SIGNED    note                       empty: it does not extend what was signed
 *   core -> publisher HEAD      note
 *   parent -> core    FRONT     a new front's descriptor travels with it (SCM_RIGHTS)
 *                     PUBLISHER likewise
 *                     RELOAD, STOP
 *                     STATUS    id u32
 *   core -> parent    STATUS    id u32, json
 *                     READY
 *
 * A descriptor rides on the whole head of its message, and a read stops behind it: a reader that takes all
 * messages between two reads finds each one's descriptor in passed_fd.
 */
enum ipc_type { IPC_FRAME = 1, IPC_GONE, IPC_KEYS_OK, IPC_COUNTS, IPC_KEYS, IPC_SEND, IPC_SIGN, IPC_SIGNED, IPC_HEAD,
                IPC_FRONT, IPC_PUBLISHER, IPC_RELOAD, IPC_STATUS, IPC_STOP, IPC_READY };
#define IPC_MAX (4u << 20)    /* of one message: 65,536 keys of 32 bytes and some */
#define IPC_QUEUE (64u << 20) /* of what is queued for a slow reader; beyond it the reader counts as gone */

/* What a front counts. */
enum front_count { FRONT_REFUSED, FRONT_MUTED, FRONT_MALFORMED, FRONT_UNDELIVERED, FRONT_FRAMES, FRONT_BYTES, IPC_COUNTS_N };

struct ipc {
    int fd;
    struct buf in, out;
    size_t taken;  /* bytes of in already handed out */
    size_t sent;   /* bytes of out already written */
    int passed_fd; /* received by SCM_RIGHTS, -1 none; the taker sets it back to -1 */
};

void ipc_init(struct ipc *ipc, int fd);
void ipc_release(struct ipc *ipc);
/** ipc_read - one read into the buffer. 1: bytes came; 0: nothing now; -HL_ENOENT: the other end is gone; -HL_ESYS. */
int ipc_read(struct ipc *ipc);
/** ipc_next - the next whole message in the buffer, borrowed until the next ipc_read(); false when there is none.  -HL_EFORMAT through @rc. */
bool ipc_next(struct ipc *ipc, enum ipc_type *type, struct span *payload, int *rc);
/** ipc_put - queue a message made of @n parts.  -HL_ETOOBIG: the reader is too slow. */
int ipc_put(struct ipc *ipc, enum ipc_type type, const struct span *part, size_t n);
/** ipc_flush - one write of what is queued; 0 all written, 1 some left (poll for POLLOUT), -HL_ENOENT gone. */
int ipc_flush(struct ipc *ipc);
/** ipc_send_fd - a message without payload that carries @fd; waits until all is written. */
int ipc_send_fd(struct ipc *ipc, enum ipc_type type, int fd);
/** ipc_waiting - bytes queued and not yet written. */
size_t ipc_waiting(const struct ipc *ipc);

#endif
