#include "server/signer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/error.h"
#include "common/file.h"
#include "common/tlog/checkpoint.h"
#include "server/ipc.h"

#define SLOT_DIGEST (SIGNER_SLOT - 32)

struct signer {
    int fd;
    const char *origin;
    const struct seckey *key;
    uint64_t counter, size; /* size 0: nothing was signed */
    uint8_t root[32];
    struct buf text;
};

/* ---- the state file ---- */

static void slot_digest(const struct signer *s, const uint8_t slot[static SIGNER_SLOT],
                        uint8_t digest[static 32])
{
    crypto_hash_sha256_state st;

    crypto_hash_sha256_init(&st);
    crypto_hash_sha256_update(&st, slot, SLOT_DIGEST);
    crypto_hash_sha256_update(&st, (const uint8_t *)s->origin, strlen(s->origin));
    crypto_hash_sha256_update(&st, seckey_public(s->key), 32);
    crypto_hash_sha256_final(&st, digest);
}

static void slot_fill(const struct signer *s, uint8_t slot[static SIGNER_SLOT], uint64_t counter,
                      uint64_t size, const uint8_t root[static 32])
{
    memset(slot, 0, SIGNER_SLOT);
    put_u64(slot, counter);
    put_u64(slot + 8, size);
    memcpy(slot + 16, root, 32);
    slot_digest(s, slot, slot + SLOT_DIGEST);
}

static bool slot_read(struct signer *s, const uint8_t slot[static SIGNER_SLOT])
{
    uint8_t digest[32];

    slot_digest(s, slot, digest);
    if (memcmp(digest, slot + SLOT_DIGEST, 32) != 0)
        return false;
    if (get_u64(slot) >= s->counter) {
        s->counter = get_u64(slot);
        s->size = get_u64(slot + 8);
        memcpy(s->root, slot + 16, 32);
    }
    return true;
}

static int slot_write(struct signer *s, uint64_t size, const uint8_t root[static 32])
{
    uint8_t slot[SIGNER_SLOT];
    off_t at = (off_t)((s->counter + 1) % 2 * SIGNER_SLOT);

    slot_fill(s, slot, s->counter + 1, size, root);
    if (pwrite(s->fd, slot, sizeof(slot), at) != (ssize_t)sizeof(slot) || fdatasync(s->fd) != 0)
        return -HL_ESYS;
    s->counter++;
    s->size = size;
    memmove(s->root, root, 32);
    return 0;
}

/* Both slots at once under a name that appears when
 * they are durable; no later write extends the file. */
static int state_create(const struct signer *s, const char *path)
{
    uint8_t slots[2 * SIGNER_SLOT];
    const uint8_t nothing[32] = { 0 };

    for (unsigned i = 0; i < 2; i++)
        slot_fill(s, slots + i * SIGNER_SLOT, i, 0, nothing);
    return file_create(path, SPAN(slots, sizeof(slots)), 0600);
}

static int state_open(struct signer *s, const char *path)
{
    const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW;
    int rc;

    s->fd = open(path, flags);
    if (s->fd < 0 && errno == ENOENT) {
        rc = state_create(s, path);
        if (rc)
            return rc;
        s->fd = open(path, flags);
    }
    if (s->fd < 0)
        return -HL_ESYS;
    rc = file_check_private(s->fd);
    if (!rc && flock(s->fd, LOCK_EX | LOCK_NB) != 0)
        rc = -HL_EBUSY;
    return rc;
}

static int state_read(struct signer *s)
{
    uint8_t slot[2][SIGNER_SLOT];
    int whole = 0;

    if (pread(s->fd, slot, sizeof(slot), 0) != (ssize_t)sizeof(slot))
        return -HL_ESTORE;
    for (int i = 0; i < 2; i++)
        whole += slot_read(s, slot[i]);
    return whole ? slot_write(s, s->size, s->root) : -HL_ESTORE;
}

int signer_open(const char *path, const char *origin, const struct seckey *key, struct signer **out)
{
    struct signer *s = calloc(1, sizeof(*s));
    int rc;

    *out = NULL;
    if (!s)
        return -HL_ENOMEM;
    s->origin = origin;
    s->key = key;
    buf_init(&s->text, CHECKPOINT_MAX);
    rc = state_open(s, path);
    if (!rc)
        rc = state_read(s);
    if (rc)
        signer_close(s);
    else
        *out = s;
    return rc;
}

void signer_close(struct signer *s)
{
    if (!s)
        return;
    if (s->fd >= 0)
        close(s->fd);
    buf_release(&s->text);
    free(s);
}

/* ---- signing ---- */

static int signer_note(struct signer *s, struct buf *out)
{
    int rc;

    buf_clear(&s->text);
    rc = checkpoint_put(&s->text, span_str(s->origin), s->size, s->root);
    return rc ? rc : sign_checkpoint(out, buf_span(&s->text), span_str(s->origin), s->key);
}

int signer_sign(struct signer *s, uint64_t size, const uint8_t root[static 32], uint64_t old,
                const uint8_t (*proof)[32], size_t n, struct buf *out)
{
    int rc;

    if (size == 0 || old > s->size)
        return -HL_ESTATE;
    if (old <
        s->size) /* of another tree of @size, too: the core finds its store rolled back by it */
        return signer_note(s, out);
    if (size == s->size)
        return memcmp(root, s->root, 32) == 0 ? signer_note(s, out) : -HL_EFORK;
    if (s->size && merkle_verify_consistency(s->size, s->root, size, root, proof, n) != 0)
        return -HL_EFORK;
    rc = slot_write(s, size, root); /* before the signature exists */
    return rc ? rc : signer_note(s, out);
}

/* ---- the process ---- */

static int signer_answer(struct signer *s, struct ipc *core, struct span p)
{
    uint8_t proof[MERKLE_MAX_PROOF][32];
    size_t n = p.n < 48 ? 0 : (p.n - 48) / 32;
    struct buf note;
    struct span part;
    int rc = -HL_EFORMAT;

    if (p.n < 48 || (p.n - 48) % 32 || n > MERKLE_MAX_PROOF)
        return rc;
    memcpy(proof, p.p + 48, n * 32);
    buf_init(&note, CHECKPOINT_MAX);
    rc = signer_sign(s, get_u64(p.p), p.p + 8, get_u64(p.p + 40), HASHES(proof), n, &note);
    if (rc == -HL_EFORK || rc == -HL_ESTATE) {
        fprintf(stderr, "<2>signer: will not sign size %llu: %s\n",
                (unsigned long long)get_u64(p.p),
                rc == -HL_EFORK
                    ? "it does not extend what was signed"
                    : "its state is behind what it signed: the file was lost, damaged or put back");
        buf_clear(&note);
        rc = 0;
    }
    part = buf_span(&note);
    if (!rc)
        rc = ipc_put(core, IPC_SIGNED, &part, 1);
    buf_release(&note);
    return rc;
}

int signer_run(int fd, struct signer *s)
{
    struct ipc core;
    int rc = 0;

    ipc_init(&core, fd);
    if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0)
        fprintf(stderr, "<5>signer: memory is not locked: %s\n", strerror(errno));
    while (!rc) {
        struct pollfd p = { fd, (short)(POLLIN | (ipc_waiting(&core) ? POLLOUT : 0)), 0 };
        enum ipc_type type;
        struct span payload;

        if (poll(&p, 1, -1) < 0 && errno != EINTR)
            rc = -HL_ESYS;
        if (!rc)
            rc = ipc_read(&core);
        rc = rc > 0 ? 0 : rc;
        while (!rc && ipc_next(&core, &type, &payload, &rc))
            rc = type == IPC_SIGN ? signer_answer(s, &core, payload) : -HL_EFORMAT;
        if (!rc && ipc_flush(&core) < 0)
            rc = -HL_ENOENT;
    }
    ipc_release(&core);
    return rc == -HL_ENOENT ? 0 : rc;
}
