/* A stream between two processes, cut anywhere: what comes out is what stands there, message by
 * message, and after the first malformed one nothing. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/error.h"
#include "server/ipc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STREAM_MAX 65536 /* what a socket takes at once */

/* All whole messages that are there, compared with the input at *@at. */
static int drain(struct ipc *ipc, const uint8_t *data, size_t size, size_t *at)
{
    enum ipc_type type;
    struct span payload;
    int rc;

    while (ipc_next(ipc, &type, &payload, &rc)) {
        if (*at + 5 + payload.n > size || get_u32(data + *at) != payload.n ||
            data[*at + 4] != type || memcmp(data + *at + 5, payload.p, payload.n) != 0)
            abort();
        *at += 5 + payload.n;
    }
    if (rc && (*at + 5 > size || rc != -HL_EFORMAT))
        abort();
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ipc ipc;
    size_t at = 0, cut;
    int fd[2], rc = 0;

    if (size < 1 || size > STREAM_MAX)
        return 0;
    cut = (size_t)data[0] * size / 256;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) != 0)
        abort();
    ipc_init(&ipc, fd[0]);
    for (size_t sent = 0, n = cut; !rc && sent < size; sent += n, n = size - sent) {
        if (n && write(fd[1], data + sent, n) != (ssize_t)n)
            abort();
        if (n && ipc_read(&ipc) != 1)
            abort();
        rc = drain(&ipc, data, sent + n, &at);
        if (n == 0 && sent)
            break;
    }
    ipc_release(&ipc);
    close(fd[1]);
    return 0;
}
