#include "common/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "common/error.h"

#define READ_STEP 65536
#define EACH_MAX 65536 /* names of one folder */

static int from_errno(void)
{
    switch (errno) {
    case ENOENT:
        return -HL_ENOENT;
    case EEXIST:
        return -HL_EEXIST;
    default:
        return -HL_ESYS;
    }
}

/* Cleaning up must not change what the caller will print. */
static void close_keep(int fd)
{
    int saved = errno;

    if (fd >= 0)
        close(fd);
    errno = saved;
}

static int read_to_end(int fd, struct buf *out)
{
    for (;;) {
        size_t left = out->max - out->n, step = left < READ_STEP ? left : READ_STEP;
        uint8_t beyond, *p = &beyond;
        ssize_t n;

        if (step && !(p = buf_reserve(out, step)))
            return out->bad;
        n = read(fd, p, step ? step : 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -HL_ESYS;
        if (n == 0)
            return 0;
        if (!step)
            return -HL_ETOOBIG;
        buf_commit(out, (size_t)n);
    }
}

int file_read(const char *path, struct buf *out)
{
    /* O_NONBLOCK: a fifo under the name must not hold us up */
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    int rc;

    if (fd < 0)
        return from_errno();
    rc = -HL_ESYS;
    if (fstat(fd, &st))
        goto out;
    if (!S_ISREG(st.st_mode)) {
        errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
        goto out;
    }
    rc = read_to_end(fd, out);
out:
    close_keep(fd);
    return rc;
}

int file_check_private(int fd)
{
    struct stat st;

    if (fstat(fd, &st))
        return -HL_ESYS;
    if ((st.st_uid != geteuid() && st.st_uid != 0) || (st.st_mode & (S_IRWXG | S_IRWXO)))
        return -HL_EMODE;
    return 0;
}

int file_write_all(int fd, const void *p, size_t n)
{
    const uint8_t *at = p;

    while (n) {
        ssize_t k = write(fd, at, n);

        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return -HL_ESYS;
        at += k;
        n -= (size_t)k;
    }
    return 0;
}

int file_sync_dir(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc;

    if (fd < 0)
        return from_errno();
    rc = fsync(fd) ? -HL_ESYS : 0;
    close_keep(fd);
    return rc;
}

static int sync_parent(const char *path)
{
    char copy[PATH_MAX];

    if (snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy)) {
        errno = ENAMETOOLONG;
        return -HL_ESYS;
    }
    return file_sync_dir(dirname(copy));
}

/* Everything that may fail before the name appears. */
static int write_temporary(const char *temp, struct span s, unsigned mode)
{
    int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int rc;

    if (fd < 0)
        return from_errno();
    rc = file_write_all(fd, s.p, s.n);
    if (!rc && (fchmod(fd, mode) || fsync(fd)))
        rc = -HL_ESYS;
    close_keep(fd);
    return rc;
}

static int put(const char *path, struct span s, unsigned mode, unsigned flags)
{
    char temp[PATH_MAX];
    int rc, saved;

    if (snprintf(temp, sizeof(temp), "%s.new-%08x", path, randombytes_random()) >=
        (int)sizeof(temp)) {
        errno = ENAMETOOLONG;
        return -HL_ESYS;
    }
    rc = write_temporary(temp, s, mode);
    if (!rc && renameat2(AT_FDCWD, temp, AT_FDCWD, path, flags))
        rc = from_errno();
    if (!rc)
        return sync_parent(path);
    saved = errno;
    unlink(temp);
    errno = saved;
    return rc;
}

int file_publish(const char *path, struct span s, unsigned mode)
{
    return put(path, s, mode, 0);
}

int file_create(const char *path, struct span s, unsigned mode)
{
    return put(path, s, mode, RENAME_NOREPLACE);
}

/* Are the bytes of the file at @path these? */
static int compare(const char *path, struct span s)
{
    struct buf old;
    int rc;

    buf_init(&old, s.n);
    rc = file_read(path, &old);
    if (rc == -HL_ETOOBIG || (!rc && !span_eq(buf_span(&old), s)))
        rc = -HL_EFORK;
    buf_release(&old);
    return rc;
}

int file_keep(const char *path, struct span s, unsigned mode)
{
    int rc = file_create(path, s, mode);

    return rc == -HL_EEXIST ? compare(path, s) : rc;
}

static int make_one(const char *path, unsigned mode)
{
    struct stat st;

    if (mkdir(path, mode) == 0)
        return sync_parent(path);
    if (errno != EEXIST)
        return from_errno();
    if (stat(path, &st))
        return from_errno();
    return S_ISDIR(st.st_mode) ? 0 : -HL_EEXIST;
}

int file_mkdir(const char *path, unsigned mode)
{
    char part[PATH_MAX];
    size_t n = strlen(path);

    if (n == 0 || n >= sizeof(part)) {
        errno = n ? ENAMETOOLONG : ENOENT;
        return from_errno();
    }
    for (size_t i = 1; i <= n; i++) {
        int rc;

        if (path[i] && path[i] != '/')
            continue;
        memcpy(part, path, i);
        part[i] = 0;
        rc = make_one(part, mode);
        if (rc)
            return rc;
    }
    return 0;
}

int file_lock(const char *path, int *fd)
{
    int rc;

    *fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (*fd < 0)
        return from_errno();
    if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    rc = errno == EWOULDBLOCK ? -HL_EBUSY : -HL_ESYS;
    close_keep(*fd);
    *fd = -1;
    return rc;
}

static bool wanted(DIR *d, const char *name, const char *suffix)
{
    size_t n = strlen(name), k = strlen(suffix);
    struct stat st;

    return n > k && strcmp(name + n - k, suffix) == 0 &&
           fstatat(dirfd(d), name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Paths of all wanted files, sorted, in *list; the caller frees also after an error. */
static int collect(const char *dir, const char *suffix, char ***list, size_t *n)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    int rc = 0;

    if (!d)
        return from_errno();
    while (!rc && (errno = 0, e = readdir(d))) {
        char **more;

        if (!wanted(d, e->d_name, suffix))
            continue;
        more = *n < EACH_MAX ? reallocarray(*list, *n + 1, sizeof(**list)) : NULL;
        if (more)
            *list = more;
        if (!more)
            rc = *n < EACH_MAX ? -HL_ENOMEM : -HL_ETOOBIG;
        else if (asprintf(&more[*n], "%s/%s", dir, e->d_name) < 0)
            rc = -HL_ENOMEM;
        else
            ++*n;
    }
    if (!rc && errno)
        rc = -HL_ESYS;
    closedir(d);
    if (*n)
        qsort(*list, *n, sizeof(**list), by_bytes);
    return rc;
}

int file_each(const char *dir, const char *suffix, int (*fn)(void *arg, const char *path),
              void *arg)
{
    char **list = NULL;
    size_t n = 0;
    int rc = collect(dir, suffix, &list, &n);

    for (size_t i = 0; i < n; i++) {
        if (!rc)
            rc = fn(arg, list[i]);
        free(list[i]);
    }
    free(list);
    return rc;
}
