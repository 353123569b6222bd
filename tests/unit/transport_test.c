#include <stdlib.h>
#include <unistd.h>

#include "tests/check.h"

#include <sodium.h>
#include <zmq.h>

#include "common/error.h"
#include "keys/transport.h"

static char dir[] = "/tmp/transport-test-XXXXXX";
static char path[64];

static int setup(void **state)
{
    (void)state;
    if (keys_init() || !mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/transport.key", dir);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return rmdir(dir);
}

static void test_file(void **state)
{
    struct transport_key *key;
    uint8_t pub[32];

    (void)state;
    CHECK_EQ(transport_new(path, REALM_LIVE, "arcadia.technical", NULL, pub), 0, "new");
    CHECK_EQ(transport_new(path, REALM_LIVE, "arcadia.technical", NULL, pub), -HL_EEXIST, "again");
    CHECK_EQ(transport_load(path, REALM_EXERCISE, NULL, &key), -HL_EREALM, "other realm");
    CHECK_EQ(key == NULL, 1, "other realm");
    CHECK_EQ(transport_load(path, REALM_LIVE, NULL, &key), 0, "load");
    CHECK_BYTES(transport_public(key), pub, 32, "public half");
    transport_free(key);
    transport_free(NULL);
    keyfile_destroy(path);
}

/* Does "hello" arrive when the client expects @server_pub? */
static bool arrives(const struct transport_key *server, const struct transport_key *client,
                    const uint8_t *server_pub, bool curve)
{
    void *ctx = zmq_ctx_new(), *s = zmq_socket(ctx, ZMQ_PULL), *c = zmq_socket(ctx, ZMQ_PUSH);
    char endpoint[128], got[16];
    size_t n = sizeof(endpoint);
    int wait = 400, zero = 0;
    bool came;

    assert_int_equal(transport_server(s, server), 0);
    if (curve)
        assert_int_equal(transport_client(c, client, server_pub), 0);
    zmq_setsockopt(s, ZMQ_RCVTIMEO, &wait, sizeof(wait));
    zmq_setsockopt(s, ZMQ_LINGER, &zero, sizeof(zero));
    zmq_setsockopt(c, ZMQ_LINGER, &zero, sizeof(zero));
    assert_int_equal(zmq_bind(s, "tcp://127.0.0.1:*"), 0);
    zmq_getsockopt(s, ZMQ_LAST_ENDPOINT, endpoint, &n);
    assert_int_equal(zmq_connect(c, endpoint), 0);
    assert_int_equal(zmq_send(c, "hello", 5, 0), 5);
    came = zmq_recv(s, got, sizeof(got), 0) == 5 && memcmp(got, "hello", 5) == 0;
    zmq_close(c);
    zmq_close(s);
    zmq_ctx_term(ctx);
    return came;
}

static void test_sessions(void **state)
{
    struct transport_key *server, *client, *other;

    (void)state;
    assert_int_equal(transport_temporary(&server), 0);
    assert_int_equal(transport_temporary(&client), 0);
    assert_int_equal(transport_temporary(&other), 0);
    CHECK_EQ(memcmp(transport_public(server), transport_public(client), 32) != 0, 1, "fresh");
    CHECK_EQ(arrives(server, client, transport_public(server), true), 1, "the right server");
    CHECK_EQ(arrives(server, client, transport_public(other), true), 0, "another server");
    CHECK_EQ(arrives(server, client, NULL, false), 0, "a client without CURVE");
    transport_free(server);
    transport_free(client);
    transport_free(other);
}

static void test_no_socket(void **state)
{
    struct transport_key *key;

    (void)state;
    assert_int_equal(transport_temporary(&key), 0);
    CHECK_EQ(transport_server(NULL, key), -HL_ESYS, "server");
    CHECK_EQ(transport_client(NULL, key, transport_public(key)), -HL_ESYS, "client");
    transport_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_sessions),
        cmocka_unit_test(test_no_socket),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
