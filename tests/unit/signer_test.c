#include "tests/check.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common/tlog/checkpoint.h"
#include "server/ipc.h"
#include "server/signer.h"
#include "tests/store_sample.h"

/*
 * The signer signs what extends its last one, and nothing else; what it has signed is on the disk
 * before; and no end of the process, at any moment, makes it sign two histories.
 */
#define TREE 40
#define ORIGIN "host.example/exercise/arcadia/1"

/* What the next sync does: the process ends before it, after it, or it fails. */
static enum { SYNC, DIE_BEFORE, DIE_AFTER, FAIL } next_sync;

int fdatasync(int fd)
{
    static int (*real)(int);
    int rc;

    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
    if (next_sync == DIE_BEFORE)
        _exit(0);
    if (next_sync == FAIL) {
        errno = EIO;
        return -1;
    }
    rc = real(fd);
    if (next_sync == DIE_AFTER)
        _exit(0);
    return rc;
}

/* ---- a small tree, and another one that agrees with it up to entry 20 ---- */

static uint8_t hashes[2][7][64][32];

static void tree_make(void)
{
    for (int t = 0; t < 2; t++) {
        for (uint64_t i = 0; i < 64; i++)
            sample_hash(hashes[t][0][i], t && i >= 20 ? "other" : "leaf", i);
        for (unsigned l = 1; l < 7; l++)
            for (unsigned i = 0; i < 64u >> l; i++)
                merkle_node(hashes[t][l][i], hashes[t][l - 1][2 * i], hashes[t][l - 1][2 * i + 1]);
    }
}

static int tree_get(void *arg, unsigned level, uint64_t n, uint8_t out[static 32])
{
    memcpy(out, hashes[*(int *)arg][level][n], 32);
    return 0;
}

struct rig {
    struct folder f;
    char path[128];
    struct seckey *key;
    struct signer *s;
};

static void rig_make(struct rig *r)
{
    uint8_t seed[32] = { 7 };

    folder_make(&r->f);
    snprintf(r->path, sizeof(r->path), "%s/head", r->f.dir);
    CHECK_EQ(seckey_from_seed(&r->key, seed), 0, "key");
    CHECK_EQ(signer_open(r->path, ORIGIN, r->key, &r->s), 0, "first start");
    next_sync = SYNC;
    tree_make();
}

static void rig_reopen(struct rig *r)
{
    signer_close(r->s);
    CHECK_EQ(signer_open(r->path, ORIGIN, r->key, &r->s), 0, "reopen");
}

static void rig_free(struct rig *r)
{
    signer_close(r->s);
    seckey_free(r->key);
    folder_remove(r->f.dir);
}

/* Ask for @size of tree @t from @old; the size of the note, or the error. */
static int64_t ask(struct rig *r, int t, uint64_t size, uint64_t old)
{
    uint8_t root[32], proof[MERKLE_MAX_PROOF][32];
    struct note_key key;
    struct checkpoint cp;
    struct note note;
    struct buf out;
    size_t n = 0;
    int rc;

    buf_init(&out, CHECKPOINT_MAX);
    CHECK_EQ(merkle_root(size, tree_get, &t, root), 0, "root");
    if (old <= size)
        CHECK_EQ(merkle_prove_consistency(old, size, tree_get, &t, proof, &n), 0, "proof");
    rc = signer_sign(r->s, size, root, old, HASHES(proof), n, &out);
    CHECK_EQ(rc == 0 || out.n == 0, 1, "no note with an error");
    if (!rc) {
        CHECK_EQ(note_key_init(&key, span_str(ORIGIN), NOTE_ED25519, seckey_public(r->key)), 0,
                 "key");
        CHECK_EQ(checkpoint_open(&cp, &note, buf_span(&out), &key), 0, "the note verifies");
        CHECK_EQ(merkle_root(cp.size, tree_get, &(int){ 0 }, root), 0, "root");
        CHECK_BYTES(cp.root, root, 32, "always of the first tree");
    }
    buf_release(&out);
    return rc ? rc : (int64_t)cp.size;
}

static void what_it_signs(void **state)
{
    static const struct {
        const char *name;
        int tree;
        uint64_t size, old;
        int64_t want;
    } rows[] = {
        { "something from nowhere, but not the first", 0, 5, 3, -HL_ESTATE },
        { "nothing", 0, 0, 0, -HL_ESTATE },
        { "the first", 0, 5, 0, 5 },
        { "the same again", 0, 5, 0, 5 },
        { "the same, from itself", 0, 5, 5, 5 },
        { "the next", 0, 24, 5, 24 },
        { "one that forks", 1, 24, 24, -HL_EFORK },
        { "another root of the same size, from before it", 1, 24, 5, 24 },
        { "another root of the same size, from itself", 1, 24, 24, -HL_EFORK },
        { "a fork, proved from before it", 1, 30, 20, 24 },
        { "a fork, proved from its own root", 1, 30, 24, -HL_EFORK },
        { "a smaller one", 0, 20, 5, 24 },
        { "a smaller one, from the last", 0, 20, 24, -HL_EFORK },
        { "from a larger one than the last", 0, 40, 30, -HL_ESTATE },
        { "from one that it did not keep", 0, 40, 5, 24 },
        { "from the last", 0, 40, 24, 40 },
    };
    struct rig r;

    (void)state;
    rig_make(&r);
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_EQ(ask(&r, rows[i].tree, rows[i].size, rows[i].old), rows[i].want, rows[i].name);
        if (i % 3 == 2)
            rig_reopen(&r);
    }
    rig_free(&r);
}

static void wrong_proof(void **state)
{
    uint8_t root[32], proof[MERKLE_MAX_PROOF][32];
    struct buf out;
    struct rig r;
    size_t n;
    int t = 0;

    (void)state;
    rig_make(&r);
    buf_init(&out, CHECKPOINT_MAX);
    CHECK_EQ(ask(&r, 0, 13, 0), 13, "first");
    CHECK_EQ(merkle_root(29, tree_get, &t, root), 0, "root");
    CHECK_EQ(merkle_prove_consistency(13, 29, tree_get, &t, proof, &n), 0, "proof");
    for (size_t i = 0; i < n; i++) {
        proof[i][31] ^= 1;
        CHECK_EQ(signer_sign(r.s, 29, root, 13, HASHES(proof), n, &out), -HL_EFORK,
                 "a hash turned");
        proof[i][31] ^= 1;
    }
    CHECK_EQ(signer_sign(r.s, 29, root, 13, HASHES(proof), n - 1, &out), -HL_EFORK, "cut");
    CHECK_EQ(signer_sign(r.s, 29, root, 13, HASHES(proof), n + 1, &out), -HL_EFORK, "too long");
    CHECK_EQ(out.n, 0, "no note");
    CHECK_EQ(signer_sign(r.s, 29, root, 13, HASHES(proof), n, &out), 0, "right");
    buf_release(&out);
    rig_free(&r);
}

/* In a child: ask, with the next sync as told; it must not answer. */
static void die_asking(struct rig *r, uint64_t size, uint64_t old, int how)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        next_sync = how;
        ask(r, 0, size, old);
        _exit(1); /* it answered */
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0, "it ended at the sync");
}

static void killed_around_the_sync(void **state)
{
    struct rig r;

    (void)state;
    rig_make(&r);
    CHECK_EQ(ask(&r, 0, 5, 0), 5, "first");
    die_asking(&r, 9, 5, DIE_AFTER);
    rig_reopen(&r);
    CHECK_EQ(ask(&r, 1, 30, 5), 9, "it kept 9 before it answered: a core that knows of 5 is told");
    CHECK_EQ(ask(&r, 0, 9, 5), 9, "and gets the note for it");
    CHECK_EQ(ask(&r, 0, 12, 9), 12, "and goes on");
    die_asking(&r, 16, 12, DIE_BEFORE);
    rig_reopen(&r);
    CHECK_EQ(ask(&r, 0, 16, 12), 16, "before the sync: either way it goes on");
    rig_free(&r);
}

static void failed_sync(void **state)
{
    struct rig r;

    (void)state;
    rig_make(&r);
    CHECK_EQ(ask(&r, 0, 5, 0), 5, "first");
    next_sync = FAIL;
    CHECK_EQ(ask(&r, 0, 9, 5), -HL_ESYS, "no signature without its state");
    signer_close(r.s);
    r.s = NULL;
    CHECK_EQ(signer_open(r.path, ORIGIN, r.key, &r.s), -HL_ESYS, "a start writes what it has read");
    next_sync = SYNC;
    CHECK_EQ(signer_open(r.path, ORIGIN, r.key, &r.s), 0, "then it starts");
    CHECK_EQ(ask(&r, 0, 9, 5), 9, "and signs");
    rig_free(&r);
}

static void turn_byte(const char *path, off_t at)
{
    int fd = open(path, O_RDWR);
    uint8_t b;

    assert_true(fd != -1);
    assert_int_equal(pread(fd, &b, 1, at), 1);
    b ^= 0x10;
    assert_int_equal(pwrite(fd, &b, 1, at), 1);
    close(fd);
}

/*
 * Slot 0 holds the second signature, slot 1 the first.  A torn slot was never answered, so the
 * other counts; where it was answered and damaged later, the core knows more than the state, and
 * nothing is signed.
 */
static void torn_slot(void **state)
{
    static const off_t places[] = { 0, 7, 15, 16, 47, 48, 2000, 4063, 4064, 4095 };

    (void)state;
    for (size_t i = 0; i < 2 * COUNT(places); i++) {
        off_t place = places[i / 2] + (off_t)(i % 2) * SIGNER_SLOT;
        struct rig r;

        rig_make(&r);
        CHECK_EQ(ask(&r, 0, 5, 0), 5, "first");
        CHECK_EQ(ask(&r, 0, 9, 5), 9, "second");
        signer_close(r.s);
        turn_byte(r.path, place);
        CHECK_EQ(signer_open(r.path, ORIGIN, r.key, &r.s), 0, "one slot is whole");
        CHECK_EQ(ask(&r, 0, 12, 9), i % 2 ? 12 : -HL_ESTATE,
                 "it goes on, or sees that it is behind");
        signer_close(r.s);
        turn_byte(r.path, 100);
        turn_byte(r.path, SIGNER_SLOT + 100);
        CHECK_EQ(signer_open(r.path, ORIGIN, r.key, &r.s), -HL_ESTORE, "no slot is whole");
        rig_free(&r);
    }
}

static void wrong_state_files(void **state)
{
    static const uint8_t garbage[9000] = "garbage";
    uint8_t seed[32] = { 8 };
    struct seckey *other;
    struct signer *s;
    struct rig r;
    int fd;

    (void)state;
    rig_make(&r);
    CHECK_EQ(seckey_from_seed(&other, seed), 0, "key");
    CHECK_EQ(ask(&r, 0, 5, 0), 5, "first");
    CHECK_EQ(signer_open(r.path, ORIGIN, r.key, &s), -HL_EBUSY, "two signers");
    signer_close(r.s);
    CHECK_EQ(signer_open(r.path, ORIGIN "1", r.key, &s), -HL_ESTORE, "of another log");
    CHECK_EQ(signer_open(r.path, ORIGIN, other, &s), -HL_ESTORE, "of another key");
    chmod(r.path, 0620);
    CHECK_EQ(signer_open(r.path, ORIGIN, r.key, &s), -HL_EMODE, "others may write it");
    chmod(r.path, 0600);
    for (size_t n = 0; n <= sizeof(garbage); n += 1500) {
        fd = open(r.path, O_WRONLY | O_TRUNC);
        assert_int_equal(write(fd, garbage, n), n);
        close(fd);
        CHECK_EQ(signer_open(r.path, ORIGIN, r.key, &s), -HL_ESTORE, "garbage");
    }
    unlink(r.path);
    CHECK_EQ(symlink("/dev/null", r.path), 0, "link");
    CHECK_EQ(signer_open(r.path, ORIGIN, r.key, &s), -HL_ESYS, "link");
    unlink(r.path);
    CHECK_EQ(signer_open(r.path, ORIGIN, r.key, &r.s), 0, "lost");
    CHECK_EQ(ask(&r, 0, 9, 5), -HL_ESTATE, "a lost state signs nothing that has a past");
    seckey_free(other);
    rig_free(&r);
}

/* ---- the process ---- */

static pid_t run(struct rig *r, int *fd)
{
    int pair[2];
    pid_t pid;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    pid = fork();
    if (pid == 0) {
        close(pair[0]);
        dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), 2); /* its complaints are expected */
        _exit(signer_run(pair[1], r->s) ? 1 : 0);
    }
    close(pair[1]);
    *fd = pair[0];
    return pid;
}

static int ended(pid_t pid)
{
    int status = 0;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The bytes of the answer to a question of @n bytes. */
static size_t exchange(struct ipc *ipc, const uint8_t *question, size_t n)
{
    struct span part = SPAN(question, n), answer;
    enum ipc_type type;
    int rc = 0;

    CHECK_EQ(ipc_put(ipc, IPC_SIGN, &part, 1), 0, "put");
    CHECK_EQ(ipc_flush(ipc), 0, "flush");
    while (!ipc_next(ipc, &type, &answer, &rc))
        if (rc || ipc_read(ipc) < 0)
            return SIZE_MAX;
    CHECK_EQ(type, IPC_SIGNED, "type");
    return answer.n;
}

static void as_a_process(void **state)
{
    uint8_t question[48 + 32] = { 0 };
    struct ipc ipc;
    struct rig r;
    pid_t pid;
    int fd, t = 0;

    (void)state;
    rig_make(&r);
    put_u64(question, 5);
    merkle_root(5, tree_get, &t, question + 8);
    pid = run(&r, &fd);
    ipc_init(&ipc, fd);
    CHECK_EQ(exchange(&ipc, question, 48) > 100, 1, "a note");
    put_u64(question + 40, 6);
    CHECK_EQ(exchange(&ipc, question, 48), 0, "a refusal is an empty answer");
    put_u64(question + 40, 0);
    CHECK_EQ(exchange(&ipc, question, 48) > 100, 1, "and it goes on");
    close(fd);
    CHECK_EQ(ended(pid), 0, "it ends with the core");
    ipc_release(&ipc);
    for (size_t n = 0; n < sizeof(question); n += 13) { /* never 48 */
        pid = run(&r, &fd);
        ipc_init(&ipc, fd);
        CHECK_EQ(exchange(&ipc, question, n), SIZE_MAX, "no answer to nonsense");
        close(fd);
        CHECK_EQ(ended(pid), 1, "it ends");
        ipc_release(&ipc);
    }
    rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_signs),
        cmocka_unit_test(wrong_proof),
        cmocka_unit_test(killed_around_the_sync),
        cmocka_unit_test(failed_sync),
        cmocka_unit_test(torn_slot),
        cmocka_unit_test(wrong_state_files),
        cmocka_unit_test(as_a_process),
    };

    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
