#include "server/control.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/error.h"
#include "common/file.h"

#define ASK_MS 5000

struct control {
    int fd;
    char path[108];
    uint32_t next;
    struct {
        uint32_t id;
        int fd;
    } asker[CONTROL_MAX];
};

static int control_address(struct sockaddr_un *a, const char *path)
{
    *a = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof(a->sun_path))
        return -HL_ETOOBIG;
    memcpy(a->sun_path, path, strlen(path) + 1);
    return 0;
}

int control_open(const char *path, struct control **out)
{
    struct control *c = calloc(1, sizeof(*c));
    struct sockaddr_un a;
    int rc = -HL_ENOMEM;

    *out = NULL;
    if (!c)
        return rc;
    rc = control_address(&a, path);
    memcpy(c->path, a.sun_path, sizeof(c->path));
    c->fd = rc ? -1 : socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (!rc && c->fd < 0)
        rc = -HL_ESYS;
    if (!rc) {
        mode_t mask = umask(0177);

        unlink(path);
        if (bind(c->fd, (struct sockaddr *)&a, sizeof(a)) != 0 || listen(c->fd, CONTROL_MAX) != 0)
            rc = -HL_ESYS;
        umask(mask);
    }
    if (rc) {
        control_close(c);
        return rc;
    }
    *out = c;
    return 0;
}

void control_close(struct control *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < CONTROL_MAX; i++)
        if (c->asker[i].id)
            close(c->asker[i].fd);
    if (c->fd >= 0) {
        unlink(c->path);
        close(c->fd);
    }
    free(c);
}

int control_fd(const struct control *c)
{
    return c->fd;
}

static bool control_trusts(int fd)
{
    struct ucred peer;
    socklen_t n = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid());
}

/* A place of its own, or that of who waits longest: a core that ended answers nobody. */
static size_t control_place(const struct control *c)
{
    size_t oldest = 0;

    for (size_t i = 0; i < CONTROL_MAX; i++)
        if (c->asker[i].id < c->asker[oldest].id)
            oldest = i;
    return oldest;
}

uint32_t control_accept(struct control *c)
{
    int fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    size_t i = control_place(c);

    if (fd < 0)
        return 0;
    if (!control_trusts(fd)) {
        close(fd);
        return 0;
    }
    if (c->asker[i].id)
        close(c->asker[i].fd);
    if (++c->next == 0)
        c->next = 1;
    c->asker[i].id = c->next;
    c->asker[i].fd = fd;
    return c->next;
}

void control_answer(struct control *c, uint32_t id, struct span json)
{
    for (size_t i = 0; i < CONTROL_MAX; i++) {
        if (!id || c->asker[i].id != id)
            continue;
        (void)!send(c->asker[i].fd, json.p, json.n,
                    MSG_NOSIGNAL); /* a status fits the buffer, or is cut */
        close(c->asker[i].fd);
        c->asker[i].id = 0;
    }
}

int control_ask(const char *path, int out_fd)
{
    struct sockaddr_un a;
    char chunk[4096];
    ssize_t n = -1;
    size_t seen = 0;
    int rc = control_address(&a, path), fd = -1;

    if (!rc)
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return rc ? rc : -HL_ESYS;
    if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0) {
        struct pollfd p = { fd, POLLIN, 0 };

        while (poll(&p, 1, ASK_MS) > 0 && (n = read(fd, chunk, sizeof(chunk))) > 0 && !rc) {
            rc = file_write_all(out_fd, chunk, (size_t)n);
            seen += (size_t)n;
        }
    }
    close(fd);
    return rc ? rc : seen ? 0 : -HL_ENOANSWER;
}
