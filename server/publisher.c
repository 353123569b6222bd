#include "server/publisher.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/error.h"
#include "common/file.h"
#include "common/tlog/tile_tree.h"
#include "server/ipc.h"

#define BATCH_BYTES (1u << 20)
#define WAIT_FOR_STORE_MS 100

struct publisher {
    struct store *store;
    struct tile_tree *tree;
    struct buf note; /* newest head; empty: nothing waits */
    uint64_t size;   /* of it */
    uint64_t published_ms, scrubbed_ms, scrub_at, damaged;
    struct buf entries;
};

int publisher_open(const struct store_conf *conf, const char *folder, struct publisher **out)
{
    struct publisher *p = calloc(1, sizeof(*p));
    struct store_head head;
    int rc = -HL_ENOMEM;

    *out = NULL;
    if (!p)
        return rc;
    buf_init(&p->note, CHECKPOINT_MAX);
    buf_init(&p->entries, BATCH_BYTES + UINT16_MAX);
    rc = file_mkdir(folder, 0755);
    if (!rc)
        rc = store_open_reader(conf, &p->store, &head);
    if (!rc)
        rc = tile_tree_open(folder, &p->tree);
    if (rc)
        publisher_close(p);
    else
        *out = p;
    return rc;
}

void publisher_close(struct publisher *p)
{
    if (!p)
        return;
    store_close(p->store);
    tile_tree_close(p->tree);
    buf_release(&p->note);
    buf_release(&p->entries);
    free(p);
}

uint64_t publisher_damaged(const struct publisher *p)
{
    return p->damaged;
}

int publisher_head(struct publisher *p, struct span bytes)
{
    struct note *note = malloc(sizeof(*note));
    struct checkpoint cp;
    int rc = note ? note_parse(note, bytes) : -HL_ENOMEM;

    if (!rc)
        rc = checkpoint_parse(&cp, note->text);
    free(note);
    if (rc || cp.size < p->size || cp.size < tile_tree_size(p->tree))
        return rc;
    p->size = cp.size;
    buf_clear(&p->note);
    return buf_put_span(&p->note, bytes);
}

/* ---- publishing ---- */

/* Entries from the store, hashed again on their way.  1: the head is reached; 0: more to come. */
static int publish_entries(struct publisher *p)
{
    uint64_t until = tile_tree_size(p->tree) + PUBLISH_BATCH;
    int rc = 0;

    while (!rc && tile_tree_size(p->tree) < p->size && tile_tree_size(p->tree) < until) {
        uint64_t left = p->size - tile_tree_size(p->tree);
        size_t n = 0;

        buf_clear(&p->entries);
        rc = store_read_entries(p->store, tile_tree_size(p->tree),
                                left < SCRUB_BATCH ? (size_t)left : SCRUB_BATCH, BATCH_BYTES,
                                &p->entries, &n);
        if (!rc && n == 0)
            rc = -HL_ESTORE;
        if (!rc)
            rc = tile_tree_put_entries(p->tree, buf_span(&p->entries));
    }
    return rc ? rc : tile_tree_size(p->tree) == p->size;
}

static int publish(struct publisher *p, uint64_t mono_ms)
{
    int rc = publish_entries(p);

    if (rc <= 0)
        return rc;
    rc = tile_tree_put_checkpoint(p->tree, buf_span(&p->note));
    buf_clear(&p->note);
    p->published_ms = mono_ms;
    return rc;
}

/* ---- scrubbing ---- */

static void scrub_batch(struct publisher *p)
{
    uint64_t bytes = 0;

    for (unsigned n = 0; n < SCRUB_BATCH && bytes < SCRUB_BYTES; n++) {
        int rc;

        if (p->scrub_at >= tile_tree_covered(p->tree)) {
            p->scrub_at = 0;
            return;
        }
        rc = store_scrub(p->store, p->scrub_at, &bytes);
        if (rc == -HL_ESTORE || rc == -HL_ENOENT) {
            p->damaged++;
            fprintf(stderr, "<2>publisher: entry %llu is damaged in the store\n",
                    (unsigned long long)p->scrub_at);
        }
        p->scrub_at++;
    }
}

int publisher_tick(struct publisher *p, uint64_t mono_ms, int *wait_ms)
{
    int rc = 0;

    if (p->note.n && mono_ms >= p->published_ms + PUBLISH_MS)
        rc = publish(p, mono_ms);
    if (!rc && mono_ms >= p->scrubbed_ms + SCRUB_MS) {
        p->scrubbed_ms = mono_ms;
        rc = store_checkpoint_wal(p->store); /* next to nothing when nothing was committed */
        scrub_batch(p);
    }
    *wait_ms = p->note.n && mono_ms >= p->published_ms + PUBLISH_MS ? 0 : SCRUB_MS / 4;
    return rc;
}

/* ---- the process ---- */

/* A new broker's store is made by the core; wait for it while the core lives. */
static int wait_for_store(int fd, const struct store_conf *conf)
{
    while (access(conf->path, F_OK) != 0) {
        struct pollfd p = { fd, 0, 0 };

        if (poll(&p, 1, WAIT_FOR_STORE_MS) > 0 && (p.revents & (POLLHUP | POLLERR)))
            return -HL_ENOENT;
    }
    return 0;
}

int publisher_run(int fd, const struct store_conf *conf, const char *folder)
{
    struct publisher *p = NULL;
    struct ipc core;
    int wait = 0, rc = wait_for_store(fd, conf);

    ipc_init(&core, fd);
    if (!rc)
        rc = publisher_open(conf, folder, &p);
    while (!rc) {
        struct pollfd poll_fd = { fd, POLLIN, 0 };
        enum ipc_type type;
        struct span payload;

        if (poll(&poll_fd, 1, wait) < 0 && errno != EINTR)
            rc = -HL_ESYS;
        if (!rc && poll_fd.revents)
            rc = ipc_read(&core);
        rc = rc > 0 ? 0 : rc;
        while (!rc && ipc_next(&core, &type, &payload, &rc))
            rc = type == IPC_HEAD ? publisher_head(p, payload) : -HL_EFORMAT;
        if (!rc)
            rc = publisher_tick(p, clock_mono_ms(), &wait);
    }
    publisher_close(p);
    ipc_release(&core);
    return rc == -HL_ENOENT ? 0 : rc;
}
