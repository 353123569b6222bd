#include "server/store_sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/error.h"
#include "common/file.h"

/*
 * The WAL file, as SQLite documents its format: a header of 32 bytes, then frames of 24 bytes and a
 * page. All frames of one generation carry the salts of the header; a running checksum chains them.
 *
 * SQLite takes a WAL up to the first frame whose checksum fails and forgets the rest in silence:
 * right after a power cut, where the rest was never promised; wrong when a stored byte has turned,
 * for then the rest are commits.  The two can be told apart.  A commit is synced before the next
 * one is written; a failed one is the last of its process; and store_open() strikes out what such a
 * one has left.  So behind the good frames is at most one unfinished commit: at most one frame that
 * ends a commit (its size field is not zero), with no frame of the generation behind it.  More than
 * that is damage.  (A turned byte in the very last commit, or in what marks the end of the one
 * before it, looks like the power cut.  The signer's own state shows that case, if anything of it
 * was promised.)
 *
 * A second trap: after a failed fsync the kernel may keep the bytes in its cache and call them
 * clean, so that a restarted process reads commits that are not on the disk, and no later fsync
 * brings them there.  So what is taken over at opening is written back, byte for byte, before
 * anything builds on it.
 */
#define WAL_HEADER 32
#define WAL_FRAME 24
#define WAL_MAGIC 0x377f0682u

struct wal {
    sqlite3_file *f;
    bool big; /* checksums over big-endian words */
    uint8_t salt[8];
    uint32_t sum[2];
};

static uint32_t word(const struct wal *w, const uint8_t *p)
{
    return w->big ? get_u32(p) : __builtin_bswap32(get_u32(p));
}

static void sum_add(struct wal *w, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i += 8) {
        w->sum[0] += word(w, p + i) + w->sum[1];
        w->sum[1] += word(w, p + i + 4) + w->sum[0];
    }
}

static bool sum_is(const struct wal *w, const uint8_t *p)
{
    return get_u32(p) == w->sum[0] && get_u32(p + 4) == w->sum[1];
}

/* 1: a good header, @w ready for the first frame; 0: all zeroes; negative: neither. */
static int wal_header(struct wal *w, const uint8_t h[static WAL_HEADER])
{
    static const uint8_t zero[WAL_HEADER];

    if (memcmp(h, zero, WAL_HEADER) == 0)
        return 0;
    w->big = get_u32(h) & 1;
    w->sum[0] = w->sum[1] = 0;
    memcpy(w->salt, h + 16, sizeof(w->salt));
    sum_add(w, h, 24);
    if ((get_u32(h) & ~1u) != WAL_MAGIC || get_u32(h + 8) != STORE_PAGE || !sum_is(w, h + 24))
        return -HL_ESTORE;
    return 1;
}

static int wal_path(char out[static PATH_MAX], const char *path)
{
    int n = snprintf(out, PATH_MAX, "%s-wal", path);

    return n < 0 || n >= PATH_MAX ? -HL_ESYS : 0;
}

/* By open() and read(): SQLite takes its locks on the other files. */
int wal_look(const char *path, enum wal_state *state)
{
    uint8_t h[WAL_HEADER];
    char name[PATH_MAX];
    struct wal w;
    int fd, rc = wal_path(name, path);

    *state = WAL_MISSING;
    if (rc)
        return rc;
    fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd == -1)
        return errno == ENOENT ? 0 : -HL_ESYS;
    rc = read(fd, h, sizeof(h)) == sizeof(h) ? wal_header(&w, h) : -HL_ESTORE;
    *state = rc == 1 ? WAL_USED : rc == 0 ? WAL_EMPTY : WAL_GARBAGE;
    close(fd);
    return 0;
}

int wal_make(const char *path, uint64_t bytes)
{
    static const uint8_t zero[65536];
    char name[PATH_MAX];
    int rc = wal_path(name, path), fd = -1;

    if (!rc) {
        fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
        rc = fd == -1 ? -HL_ESYS : 0;
    }
    for (uint64_t n = 0; !rc && n < bytes; n += sizeof(zero))
        rc = file_write_all(fd, zero, sizeof(zero));
    if (!rc && fsync(fd) != 0)
        rc = -HL_ESYS;
    if (fd != -1 && close(fd) != 0 && !rc)
        rc = -HL_ESYS;
    return rc;
}

static int write_back(struct wal *w, const uint8_t *p, size_t n, uint64_t at)
{
    int rc = w->f->pMethods->xWrite(w->f, p, (int)n, (sqlite3_int64)at);

    return rc ? -HL_ESTORE : 0;
}

static uint64_t frame_at(uint64_t i)
{
    return WAL_HEADER + i * (WAL_FRAME + STORE_PAGE);
}

/* The frames from number @i on, behind the last commit: at most one that was not finished. */
static int check_rest(const struct wal *w, uint64_t i)
{
    uint8_t f[WAL_FRAME];
    bool ended = false;
    int rc;

    for (; (rc = vfs_read(w->f, f, sizeof(f), frame_at(i))) == 1; i++) {
        bool ours = memcmp(f + 8, w->salt, sizeof(w->salt)) == 0;

        if (ours && ended)
            return -HL_ESTORE;
        ended |= ours && get_u32(f + 4);
    }
    return rc;
}

/* Strike them out, so that the next unfinished commit is alone again. */
static int strike_rest(struct wal *w, uint64_t i)
{
    static const uint8_t struck[WAL_FRAME];
    uint8_t f[WAL_FRAME];
    int rc;

    for (; (rc = vfs_read(w->f, f, sizeof(f), frame_at(i))) == 1; i++) {
        if (memcmp(f + 8, w->salt, sizeof(w->salt)) != 0)
            continue;
        rc = write_back(w, struck, sizeof(struck), frame_at(i));
        if (rc)
            break;
    }
    return rc;
}

static int check_frames(struct wal *w, struct wal_info *info)
{
    uint8_t f[WAL_FRAME + STORE_PAGE];
    uint64_t i;
    int rc;

    for (i = 0; (rc = vfs_read(w->f, f, sizeof(f), frame_at(i))) == 1; i++) {
        sum_add(w, f, 8);
        sum_add(w, f + WAL_FRAME, STORE_PAGE);
        if (memcmp(f + 8, w->salt, sizeof(w->salt)) != 0 || !sum_is(w, f + 16))
            break;
        if (get_u32(f + 4))
            *info = (struct wal_info){ .frames = i + 1, .pages = get_u32(f + 4) };
        rc = write_back(w, f, sizeof(f), frame_at(i));
        if (rc)
            return rc;
    }
    if (rc >= 0)
        rc = check_rest(w, info->frames);
    return rc ? rc : strike_rest(w, info->frames);
}

static int wal_file(sqlite3 *db, sqlite3_file **f)
{
    int rc = sqlite3_file_control(db, NULL, SQLITE_FCNTL_JOURNAL_POINTER, f);

    return rc == SQLITE_OK && *f ? 0 : -HL_ESTORE;
}

int wal_check(sqlite3 *db, struct wal_info *info)
{
    struct wal w = { .f = NULL };
    uint8_t h[WAL_HEADER];
    int rc = wal_file(db, &w.f);

    *info = (struct wal_info){ .frames = 0 };
    if (!rc && vfs_read(w.f, h, sizeof(h), 0) != 1)
        rc = -HL_ESTORE;
    if (!rc)
        rc = wal_header(&w, h);
    if (rc != 1)
        return rc;
    rc = write_back(&w, h, sizeof(h), 0);
    if (!rc)
        rc = check_frames(&w, info);
    if (!rc && w.f->pMethods->xSync(w.f, SQLITE_SYNC_NORMAL) != SQLITE_OK)
        rc = -HL_ESTORE;
    return rc;
}

int wal_holds(sqlite3 *db, const struct wal_info *info, uint32_t first)
{
    size_t n = info->pages - first + 1, found = 0;
    uint8_t f[WAL_FRAME];
    bool *held;
    sqlite3_file *file;
    int rc = wal_file(db, &file);

    if (rc || n > info->frames)
        return -HL_ESTORE;
    held = calloc(n, sizeof(*held));
    if (!held)
        return -HL_ENOMEM;
    rc = 1;
    for (uint64_t i = 0; rc == 1 && i < info->frames; i++) {
        rc = vfs_read(file, f, sizeof(f), frame_at(i));
        if (rc == 1 && get_u32(f) >= first && get_u32(f) <= info->pages) {
            found += !held[get_u32(f) - first];
            held[get_u32(f) - first] = true;
        }
    }
    free(held);
    return rc == 1 && found == n ? 0 : -HL_ESTORE;
}
