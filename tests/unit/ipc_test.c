#include "tests/check.h"

#include <sys/socket.h>
#include <unistd.h>

#include "common/error.h"
#include "server/ipc.h"

static void pair(struct ipc *a, struct ipc *b)
{
    int fd[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    ipc_init(a, fd[0]);
    ipc_init(b, fd[1]);
}

/* What was put comes out, whole, in order, however the stream is cut. */
static void test_messages_survive_the_stream(void **state)
{
    static uint8_t big[IPC_MAX];
    const size_t sizes[] = { 0, 1, 40, 65536, IPC_MAX };
    struct ipc a, b;
    size_t seen = 0;

    (void)state;
    pair(&a, &b);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        memset(big, (int)i, sizes[i]);
        struct span part[2] = { SPAN(big, sizes[i] / 2), SPAN(big, sizes[i] - sizes[i] / 2) };
        CHECK_EQ(ipc_put(&a, IPC_SEND, part, 2), 0, "put");
    }
    for (int round = 0; round < 100000 && seen < COUNT(sizes); round++) {
        enum ipc_type type;
        struct span payload;
        int rc;

        assert_true(ipc_flush(&a) >= 0);
        assert_true(ipc_read(&b) >= 0);
        while (ipc_next(&b, &type, &payload, &rc)) {
            CHECK_EQ(type, IPC_SEND, "type");
            CHECK_EQ(payload.n, sizes[seen], "size");
            if (payload.n)
                CHECK_EQ(payload.p[payload.n - 1], seen, "last byte");
            seen++;
        }
        CHECK_EQ(rc, 0, "next");
    }
    CHECK_EQ(seen, COUNT(sizes), "all seen");
    ipc_release(&a);
    ipc_release(&b);
}

static void test_malformed(void **state)
{
    static const struct {
        const char *name;
        uint8_t head[5];
        int want;
    } rows[] = {
        { "longer than the limit", { 0, 0x40, 0, 1, IPC_SEND }, -HL_EFORMAT },
        { "largest length", { 0xff, 0xff, 0xff, 0xff, IPC_SEND }, -HL_EFORMAT },
        { "type 0", { 0, 0, 0, 0, 0 }, -HL_EFORMAT },
        { "type beyond the last", { 0, 0, 0, 0, IPC_READY + 1 }, -HL_EFORMAT },
        { "not whole yet", { 0, 0, 0, 1, IPC_SEND }, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ipc a, b;
        enum ipc_type type;
        struct span payload;
        int rc;

        pair(&a, &b);
        assert_int_equal(write(a.fd, rows[i].head, 5), 5);
        CHECK_EQ(ipc_read(&b), 1, rows[i].name);
        CHECK_EQ(ipc_next(&b, &type, &payload, &rc), false, rows[i].name);
        CHECK_EQ(rc, rows[i].want, rows[i].name);
        ipc_release(&a);
        ipc_release(&b);
    }
}

static void test_gone(void **state)
{
    struct ipc a, b;

    (void)state;
    pair(&a, &b);
    CHECK_EQ(ipc_read(&b), 0, "nothing yet");
    ipc_release(&a);
    CHECK_EQ(ipc_read(&b), -HL_ENOENT, "closed");
    CHECK_EQ(ipc_put(&b, IPC_STOP, NULL, 0), 0, "put");
    CHECK_EQ(ipc_flush(&b), -HL_ENOENT, "flush");
    ipc_release(&b);
}

/* Two descriptors in a row: each belongs to its message. */
static void test_descriptors(void **state)
{
    struct ipc a, b;
    enum ipc_type type;
    struct span payload;
    int rc, p[2][2], got = 0;
    char c = 0;

    (void)state;
    pair(&a, &b);
    CHECK_EQ(ipc_put(&a, IPC_RELOAD, NULL, 0), 0, "before");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pipe(p[i]), 0);
        CHECK_EQ(ipc_send_fd(&a, i ? IPC_PUBLISHER : IPC_FRONT, p[i][1]), 0, "send");
        close(p[i][1]);
    }
    while (ipc_read(&b) == 1) {
        while (ipc_next(&b, &type, &payload, &rc)) {
            if (type == IPC_RELOAD)
                continue;
            CHECK_EQ(type, got ? IPC_PUBLISHER : IPC_FRONT, "order");
            assert_true(b.passed_fd >= 0);
            assert_int_equal(write(b.passed_fd, got ? "y" : "x", 1), 1);
            close(b.passed_fd);
            b.passed_fd = -1;
            got++;
        }
    }
    CHECK_EQ(got, 2, "both came");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(read(p[i][0], &c, 1), 1);
        CHECK_EQ(c, i ? 'y' : 'x', "through the passed descriptor");
        close(p[i][0]);
    }
    ipc_release(&a);
    ipc_release(&b);
}

static void test_a_reader_that_does_not_read(void **state)
{
    static uint8_t big[IPC_MAX];
    struct ipc a, b;
    struct span part = SPAN(big, sizeof(big));
    int rc = 0;
    size_t n = 0;

    (void)state;
    pair(&a, &b);
    while (!rc && n++ < 100)
        rc = ipc_put(&a, IPC_SEND, &part, 1);
    CHECK_EQ(rc, -HL_ETOOBIG, "the queue has its limit");
    ipc_release(&a);
    ipc_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages_survive_the_stream),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_gone),
        cmocka_unit_test(test_descriptors),
        cmocka_unit_test(test_a_reader_that_does_not_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
