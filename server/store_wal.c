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
 * for then the rest are commits.  The two can be told apart.  store_open() always makes the WAL
 * start over, under new salts, before it writes; a commit is synced before the next one is written;
 * a failed one is the last of its process.  So a power cut leaves at most one unfinished commit in
 * a generation, behind all good ones: at most one frame that ends a commit (its size field is not
 * zero), with no frame of the generation behind it.  More than that is damage.  (A turned byte in
 * the very last commit looks like the power cut.  The signer's own state shows that case, if
 * anything of it was promised.)
 */
#define WAL_HEADER 32
#define WAL_FRAME 24
#define WAL_MAGIC 0x377f0682u

struct wal {
    int fd;
    bool big; /* checksums over big-endian words */
    uint8_t salt[8];
    uint32_t sum[2];
};

static int wal_path(char out[static PATH_MAX], const char *path)
{
    int n = snprintf(out, PATH_MAX, "%s-wal", path);

    return n < 0 || n >= PATH_MAX ? -HL_ESYS : 0;
}

static int wal_open(const char *path, int flags)
{
    char name[PATH_MAX];

    if (wal_path(name, path))
        return -1;
    return open(name, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
}

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

/* 1: whole; 0: the file ends before; negative: errno. */
static int read_at(int fd, void *p, size_t n, off_t at)
{
    ssize_t got;

    do
        got = pread(fd, p, n, at);
    while (got == -1 && errno == EINTR);
    return got == -1 ? -HL_ESYS : (size_t)got == n;
}

/* 1: a good header, @w ready for the first frame; 0: all zeroes; negative: neither. */
static int wal_header(struct wal *w)
{
    static const uint8_t zero[WAL_HEADER];
    uint8_t h[WAL_HEADER];
    int rc = read_at(w->fd, h, sizeof(h), 0);

    if (rc <= 0)
        return rc ? rc : -HL_ESTORE;
    if (memcmp(h, zero, sizeof(h)) == 0)
        return 0;
    w->big = get_u32(h) & 1;
    w->sum[0] = w->sum[1] = 0;
    memcpy(w->salt, h + 16, sizeof(w->salt));
    sum_add(w, h, 24);
    if ((get_u32(h) & ~1u) != WAL_MAGIC || get_u32(h + 8) != STORE_PAGE || !sum_is(w, h + 24))
        return -HL_ESTORE;
    return 1;
}

int wal_look(const char *path, enum wal_state *state)
{
    struct wal w = { .fd = wal_open(path, O_RDONLY) };
    int rc;

    *state = WAL_MISSING;
    if (w.fd == -1)
        return errno == ENOENT ? 0 : -HL_ESYS;
    rc = wal_header(&w);
    *state = rc == 1 ? WAL_USED : WAL_EMPTY;
    close(w.fd);
    return rc < 0 ? rc : 0;
}

int wal_make(const char *path, uint64_t bytes)
{
    static const uint8_t zero[65536];
    int fd = wal_open(path, O_WRONLY | O_CREAT | O_TRUNC);
    int rc = fd == -1 ? -HL_ESYS : 0;

    for (uint64_t n = 0; !rc && n < bytes; n += sizeof(zero))
        rc = file_write_all(fd, zero, sizeof(zero));
    if (!rc && fsync(fd) != 0)
        rc = -HL_ESYS;
    if (fd != -1 && close(fd) != 0 && !rc)
        rc = -HL_ESYS;
    return rc;
}

/* Of the frames from number @i on, which SQLite will not take: how many commits end in them, and
 * what follows. */
static int scan_rest(struct wal *w, uint64_t i)
{
    uint8_t f[WAL_FRAME];
    bool ended = false;
    int rc;

    while ((rc = read_at(w->fd, f, sizeof(f),
                         (off_t)(WAL_HEADER + i * (WAL_FRAME + STORE_PAGE)))) == 1) {
        bool ours = memcmp(f + 8, w->salt, sizeof(w->salt)) == 0;

        if (ours && ended)
            return -HL_ESTORE;
        ended |= ours && get_u32(f + 4);
        i++;
    }
    return rc;
}

int wal_scan(const char *path)
{
    uint8_t f[WAL_FRAME + STORE_PAGE];
    struct wal w = { .fd = wal_open(path, O_RDONLY) };
    uint64_t i = 0;
    int rc;

    if (w.fd == -1)
        return -HL_ESYS;
    rc = wal_header(&w);
    while (rc == 1) {
        rc = read_at(w.fd, f, sizeof(f), (off_t)(WAL_HEADER + i * sizeof(f)));
        if (rc != 1)
            break;
        sum_add(&w, f, 8);
        sum_add(&w, f + WAL_FRAME, STORE_PAGE);
        if (memcmp(f + 8, w.salt, sizeof(w.salt)) != 0 || !sum_is(&w, f + 16)) {
            rc = scan_rest(&w, i);
            break;
        }
        i++;
    }
    close(w.fd);
    return rc < 0 ? rc : 0;
}
