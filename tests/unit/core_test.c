/* The core among neighbours that lie: a front or publisher that breaks the form is dropped and
 * replaced, and nothing else happens; without parent or signer the core ends. */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/error.h"
#include "server/core.h"
#include "server/ipc.h"
#include "tests/check.h"
#include "tests/store_sample.h"

enum { PARENT, FRONT, SIGNER, PUBLISHER, PEERS };

struct bench {
    struct folder folder;
    struct ipc peer[PEERS]; /* our ends */
    pid_t core;
};

static _Noreturn void core_child(const struct bench *b, int fd[PEERS][2])
{
    uint8_t key[32], secret[64], seed[32] = { 1 };
    char origin[] = "d.example/exercise/p0/1", state[64];
    struct config conf = { .realm = REALM_EXERCISE, .origin = origin, .state = state };
    struct core_fds fds = { fd[PARENT][1], fd[FRONT][1], fd[SIGNER][1], fd[PUBLISHER][1] };

    crypto_sign_seed_keypair(key, secret, seed);
    memcpy(state, b->folder.dir, sizeof(state));
    for (int i = 0; i < PEERS; i++)
        close(fd[i][0]);
    if (!freopen("/dev/null", "w", stderr))
        _exit(99);
    conf.quota_messages = conf.quota_mb = 10;
    conf.space_low_mb = conf.space_min_mb = 1;
    _exit(-core_run(&conf, key, &fds));
}

static void bench_open(struct bench *b)
{
    int fd[PEERS][2];

    folder_make(&b->folder);
    for (int i = 0; i < PEERS; i++)
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd[i]), 0, "pair");
    b->core = fork();
    if (b->core == 0)
        core_child(b, fd);
    for (int i = 0; i < PEERS; i++) {
        close(fd[i][1]);
        ipc_init(&b->peer[i], fd[i][0]);
    }
}

/* The core's exit status, within 5 s; -1 when it did not end. */
static int bench_ended(struct bench *b)
{
    int status;

    for (int i = 0; i < 500; i++) {
        if (waitpid(b->core, &status, WNOHANG) == b->core) {
            b->core = 0;
            return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
        }
        poll(NULL, 0, 10);
    }
    return -1;
}

static void bench_close(struct bench *b)
{
    if (b->core) {
        kill(b->core, SIGKILL);
        waitpid(b->core, NULL, 0);
    }
    for (int i = 0; i < PEERS; i++)
        ipc_release(&b->peer[i]);
    folder_remove(b->folder.dir);
}

/* The next message for @peer within 5 s: its type, 0 when the core closed, -1 when nothing came. */
static int next_type(struct bench *b, int peer)
{
    struct pollfd p = { b->peer[peer].fd, POLLIN, 0 };
    enum ipc_type type;
    struct span payload;
    int rc = 0;

    while (!ipc_next(&b->peer[peer], &type, &payload, &rc)) {
        if (rc || poll(&p, 1, 5000) <= 0)
            return -1;
        if (ipc_read(&b->peer[peer]) < 0)
            return 0;
    }
    return (int)type;
}

static void say(struct bench *b, int peer, unsigned type, const void *p, size_t n)
{
    struct pollfd out = { b->peer[peer].fd, POLLOUT, 0 };
    struct span part = SPAN(p, n);
    int rc;

    CHECK_EQ(ipc_put(&b->peer[peer], (enum ipc_type)type, &part, 1), 0, "put");
    while ((rc = ipc_flush(&b->peer[peer])) == 1)
        CHECK_EQ(poll(&out, 1, 5000), 1, "room");
    CHECK_EQ(rc, 0, "flush");
}

/* As the parent does: another front. */
static void new_front(struct bench *b)
{
    int fd[2];

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0, "pair");
    CHECK_EQ(ipc_send_fd(&b->peer[PARENT], IPC_FRONT, fd[1]), 0, "pass");
    close(fd[1]);
    ipc_release(&b->peer[FRONT]);
    ipc_init(&b->peer[FRONT], fd[0]);
}

static void greet_front(struct bench *b, const char *row)
{
    const uint8_t generation[4] = { 0, 0, 0, 1 };

    CHECK_EQ(next_type(b, FRONT), IPC_KEYS, row);
    say(b, FRONT, IPC_KEYS_OK, generation, 4);
}

static void lying_front(void **state)
{
    static const uint8_t zero[64];
    static const struct {
        const char *name;
        unsigned type;
        size_t n;
    } rows[] = {
        { "a frame without its head", IPC_FRAME, 39 },
        { "an end of half a connection", IPC_GONE, 7 },
        { "an end of more than one", IPC_GONE, 9 },
        { "a table confirmed in words", IPC_KEYS_OK, 5 },
        { "counts of another version", IPC_COUNTS, 40 },
        { "as if it were the signer", IPC_SIGNED, 10 },
        { "as if it were the parent, passing a front", IPC_FRONT, 0 },
        { "as if it were the parent, passing a publisher", IPC_PUBLISHER, 0 },
        { "as if it were the parent, stopping", IPC_STOP, 0 },
        { "as if it were the parent, asking", IPC_STATUS, 4 },
        { "what only we say", IPC_KEYS, 36 },
    };
    struct bench b;

    (void)state;
    bench_open(&b);
    greet_front(&b, "first");
    CHECK_EQ(next_type(&b, PARENT), IPC_READY, "ready");
    for (size_t i = 0; i < COUNT(rows); i++) {
        say(&b, FRONT, rows[i].type, zero, rows[i].n);
        CHECK_EQ(next_type(&b, FRONT), 0, rows[i].name);
        new_front(&b);
        greet_front(&b, rows[i].name);
    }
    CHECK_EQ(write(b.peer[FRONT].fd, "\377\377\377\377\1", 5), 5, "length");
    CHECK_EQ(next_type(&b, FRONT), 0, "a length beyond every limit");
    new_front(&b);
    greet_front(&b, "last");
    say(&b, PARENT, IPC_STATUS, zero, 4);
    CHECK_EQ(next_type(&b, PARENT), IPC_STATUS, "it lives");
    say(&b, PARENT, IPC_STOP, NULL, 0);
    CHECK_EQ(bench_ended(&b), 0, "and ends when told");
    bench_close(&b);
}

/* Frames of connections and keys that the front makes up: nothing is believed, nothing ends. */
static void invented_frames(void **state)
{
    uint8_t p[8 + 32 + 100];
    struct bench b;

    (void)state;
    bench_open(&b);
    greet_front(&b, "first");
    CHECK_EQ(next_type(&b, PARENT), IPC_READY, "ready");
    for (int i = 0; i < 5000; i++) {
        randombytes_buf(p, sizeof(p));
        memset(p, 0, i % 3 ? 4 : 8); /* connection 0, too */
        say(&b, FRONT, IPC_FRAME, p, 40 + (size_t)i % 100);
    }
    say(&b, PARENT, IPC_STATUS, p, 4);
    CHECK_EQ(next_type(&b, PARENT), IPC_STATUS, "it lives");
    say(&b, PARENT, IPC_STOP, NULL, 0);
    CHECK_EQ(bench_ended(&b), 0, "and ends when told");
    bench_close(&b);
}

static void neighbours_gone(void **state)
{
    static const struct {
        const char *name;
        int peer;
        unsigned type; /* what it says; 0: it ends */
        bool fatal;
    } rows[] = {
        { "the publisher ends", PUBLISHER, 0, false },
        { "the publisher speaks", PUBLISHER, IPC_HEAD, false },
        { "the front ends", FRONT, 0, false },
        { "the signer ends", SIGNER, 0, true },
        { "the signer asks", SIGNER, IPC_SIGN, true },
        { "the parent ends", PARENT, 0, true },
        { "the parent confirms keys", PARENT, IPC_KEYS_OK, true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bench b;

        bench_open(&b);
        greet_front(&b, rows[i].name);
        CHECK_EQ(next_type(&b, PARENT), IPC_READY, rows[i].name);
        if (rows[i].type)
            say(&b, rows[i].peer, rows[i].type, NULL, 0);
        else
            ipc_release(&b.peer[rows[i].peer]);
        if (rows[i].fatal) {
            CHECK_EQ(bench_ended(&b), HL_ENOENT, rows[i].name);
        } else {
            say(&b, PARENT, IPC_STATUS, "\0\0\0\7", 4);
            CHECK_EQ(next_type(&b, PARENT), IPC_STATUS, rows[i].name);
        }
        bench_close(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lying_front),
        cmocka_unit_test(invented_frames),
        cmocka_unit_test(neighbours_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
