#include "server/ipc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/error.h"

#define IPC_HEAD_SIZE 5
#define IPC_READ_SIZE (256u << 10)
#define IPC_KEEP (1u << 20) /* a buffer that grew beyond is given back when it is empty */

void ipc_init(struct ipc *ipc, int fd)
{
    *ipc = (struct ipc){ .fd = fd, .passed_fd = -1 };
    buf_init(&ipc->in, IPC_HEAD_SIZE + IPC_MAX + IPC_READ_SIZE);
    buf_init(&ipc->out, IPC_QUEUE);
    if (fd >= 0)
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

void ipc_release(struct ipc *ipc)
{
    if (ipc->fd >= 0)
        close(ipc->fd);
    if (ipc->passed_fd >= 0)
        close(ipc->passed_fd);
    ipc->fd = ipc->passed_fd = -1;
    buf_release(&ipc->in);
    buf_release(&ipc->out);
    ipc->taken = ipc->sent = 0;
}

static void ipc_take_fd(struct ipc *ipc, struct msghdr *msg)
{
    struct cmsghdr *c;

    for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
            c->cmsg_len != CMSG_LEN(sizeof(int)))
            continue;
        if (ipc->passed_fd >= 0)
            close(ipc->passed_fd);
        memcpy(&ipc->passed_fd, CMSG_DATA(c), sizeof(int));
    }
}

int ipc_read(struct ipc *ipc)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec io;
    struct msghdr msg = { .msg_iov = &io,
                          .msg_iovlen = 1,
                          .msg_control = control.bytes,
                          .msg_controllen = sizeof(control.bytes) };
    ssize_t n;

    buf_consume(&ipc->in, ipc->taken);
    ipc->taken = 0;
    io.iov_base = buf_reserve(&ipc->in, IPC_READ_SIZE);
    io.iov_len = IPC_READ_SIZE;
    if (!io.iov_base)
        return ipc->in.bad;
    n = recvmsg(ipc->fd, &msg, MSG_CMSG_CLOEXEC);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -HL_ENOENT;
    if (n == 0)
        return -HL_ENOENT;
    ipc_take_fd(ipc, &msg);
    buf_commit(&ipc->in, (size_t)n);
    return 1;
}

bool ipc_next(struct ipc *ipc, enum ipc_type *type, struct span *payload, int *rc)
{
    size_t left = ipc->in.n - ipc->taken, n;
    const uint8_t *p;

    *rc = 0;
    if (left < IPC_HEAD_SIZE)
        return false;
    p = ipc->in.p + ipc->taken;
    n = get_u32(p);
    if (n > IPC_MAX || p[4] < IPC_FRAME || p[4] > IPC_READY) {
        *rc = -HL_EFORMAT;
        return false;
    }
    if (left - IPC_HEAD_SIZE < n)
        return false;
    *type = (enum ipc_type)p[4];
    *payload = SPAN(p + IPC_HEAD_SIZE, n);
    ipc->taken += IPC_HEAD_SIZE + n;
    return true;
}

int ipc_put(struct ipc *ipc, enum ipc_type type, const struct span *part, size_t n)
{
    size_t len = 0;

    for (size_t i = 0; i < n; i++)
        len += part[i].n;
    if (len > IPC_MAX)
        return -HL_ETOOBIG;
    buf_put_u32(&ipc->out, (uint32_t)len);
    buf_put_u8(&ipc->out, (uint8_t)type);
    for (size_t i = 0; i < n; i++)
        buf_put_span(&ipc->out, part[i]);
    return ipc->out.bad;
}

size_t ipc_waiting(const struct ipc *ipc)
{
    return ipc->out.n - ipc->sent;
}

int ipc_flush(struct ipc *ipc)
{
    ssize_t n;

    if (!ipc_waiting(ipc))
        return 0;
    n = send(ipc->fd, ipc->out.p + ipc->sent, ipc_waiting(ipc), MSG_NOSIGNAL);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 1 : -HL_ENOENT;
    ipc->sent += (size_t)n;
    if (ipc_waiting(ipc)) {
        if (ipc->sent > IPC_MAX) { /* keep the queue from creeping upwards in memory */
            buf_consume(&ipc->out, ipc->sent);
            ipc->sent = 0;
        }
        return 1;
    }
    buf_clear(&ipc->out);
    ipc->sent = 0;
    if (ipc->out.cap > IPC_KEEP)
        buf_release(&ipc->out);
    return 0;
}

static int ipc_drain(struct ipc *ipc)
{
    int rc;

    while ((rc = ipc_flush(ipc)) == 1) {
        struct pollfd p = { ipc->fd, POLLOUT, 0 };

        if (poll(&p, 1, 5000) == 0)
            return -HL_ENOENT;
    }
    return rc;
}

int ipc_send_fd(struct ipc *ipc, enum ipc_type type, int fd)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = { .bytes = { 0 } };
    uint8_t head[IPC_HEAD_SIZE] = { 0 };
    struct iovec io = { head, sizeof(head) };
    struct msghdr msg = { .msg_iov = &io,
                          .msg_iovlen = 1,
                          .msg_control = control.bytes,
                          .msg_controllen = sizeof(control.bytes) };
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    int rc = ipc_drain(ipc);
    ssize_t n;

    if (rc)
        return rc;
    head[4] = (uint8_t)type;
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &fd, sizeof(int));
    while ((n = sendmsg(ipc->fd, &msg, MSG_NOSIGNAL)) < 0) {
        struct pollfd p = { ipc->fd, POLLOUT, 0 };

        if (errno != EINTR && (errno != EAGAIN || poll(&p, 1, 5000) == 0))
            return -HL_ENOENT;
    }
    buf_put(&ipc->out, head + n, sizeof(head) - (size_t)n);
    return ipc_drain(ipc);
}
