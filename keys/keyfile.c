#include "keys/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "common/error.h"
#include "common/file.h"
#include "common/text.h"
#include "keys/keyfile_text.h"
#include "keys/secret_bytes.h"

/* The folder of @path, opened: no one else may put another file under the name. */
static int open_folder(const char *path, int *fd)
{
    char copy[PATH_MAX];
    struct stat st;

    *fd = -1;
    if (snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy)) {
        errno = ENAMETOOLONG;
        return -HL_ESYS;
    }
    *fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*fd < 0)
        return errno == ENOENT ? -HL_ENOENT : -HL_ESYS;
    if (fstat(*fd, &st))
        return -HL_ESYS;
    if ((st.st_uid != geteuid() && st.st_uid != 0) ||
        ((st.st_mode & (S_IWGRP | S_IWOTH)) && !(st.st_mode & S_ISVTX)))
        return -HL_EMODE;
    return 0;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static void close_keep(int fd)
{
    int saved = errno;

    if (fd >= 0)
        close(fd);
    errno = saved;
}

/* Only a regular file under its own name; a fifo must not hold us up. */
static int open_regular(const char *path, int dir, int *fd, struct stat *st)
{
    *fd = openat(dir, last_part(path), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0)
        return errno == ENOENT ? -HL_ENOENT : -HL_ESYS;
    if (fstat(*fd, st))
        return -HL_ESYS;
    return S_ISREG(st->st_mode) ? 0 : -HL_EFORMAT;
}

static int read_all(int fd, struct buf *text)
{
    while (text->n < text->max) {
        ssize_t k = read(fd, text->p + text->n, text->max - text->n);

        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return -HL_ESYS;
        if (k == 0)
            return 0;
        text->n += (size_t)k;
    }
    return -HL_EFORMAT; /* larger than any key file */
}

/* The text of a key file that only its owner can reach, in guarded memory. */
static int read_private(const char *path, struct buf *text)
{
    struct stat st;
    int dir, fd = -1, rc = guarded_init(text, KEYFILE_TEXT_MAX + 1);

    if (rc)
        return rc;
    rc = open_folder(path, &dir);
    if (!rc)
        rc = open_regular(path, dir, &fd, &st);
    if (!rc)
        rc = file_check_private(fd);
    if (!rc)
        rc = read_all(fd, text);
    close_keep(fd);
    close_keep(dir);
    if (rc)
        guarded_release(text);
    return rc == -HL_ENOENT ? -HL_ENOKEY : rc;
}

int keyfile_info(const char *path, enum realm realm, struct keyfile_info *info)
{
    struct buf text;
    int rc = read_private(path, &text);

    *info = (struct keyfile_info){ 0 };
    if (rc)
        return rc;
    rc = keyfile_text_info(buf_span(&text), realm, info);
    guarded_release(&text);
    return rc;
}

int keyfile_load(const char *path, enum realm realm, enum key_use use, const struct secret *pass,
                 struct secret **out)
{
    struct buf text;
    int rc = read_private(path, &text);

    *out = NULL;
    if (rc)
        return rc;
    rc = keyfile_text_open(buf_span(&text), realm, use, pass, out);
    guarded_release(&text);
    return rc;
}

static int compose(struct buf *text, enum realm realm, enum key_use use, const char *name,
                   const uint8_t *pub, const struct secret *secret, const struct secret *pass)
{
    struct keyfile_info info = { .use = use, .has_public = pub != NULL, .sealed = pass != NULL };
    size_t n = strlen(name);
    int rc;

    *text = (struct buf){ 0 };
    if (n == 0 || n >= sizeof(info.name) || text_utf8(span_str(name), false))
        return -HL_EFORMAT;
    memcpy(info.name, name, n);
    if (pub)
        memcpy(info.public, pub, 32);
    rc = guarded_init(text, KEYFILE_TEXT_MAX);
    return rc ? rc : keyfile_text_put(text, realm, &info, secret, pass);
}

int keyfile_create(const char *path, enum realm realm, enum key_use use, const char *name,
                   const uint8_t *pub, const struct secret *secret, const struct secret *pass)
{
    struct buf text = { 0 };
    struct stat st;
    int dir, rc = open_folder(path, &dir);

    if (!rc && fstatat(dir, last_part(path), &st, AT_SYMLINK_NOFOLLOW) == 0)
        rc = -HL_EEXIST; /* before the passphrase is stretched */
    if (!rc)
        rc = compose(&text, realm, use, name, pub, secret, pass);
    if (!rc)
        rc = file_create(path, buf_span(&text), 0400);
    guarded_release(&text);
    close_keep(dir);
    return rc;
}

/*
 * A descriptor that may write over the bytes of the private file at @path.  Mode 0400 binds its
 * owner too, hence the second open; the inode must be the one looked at.
 */
static int open_for_wipe(const char *path, int *out, struct stat *st)
{
    struct stat again;
    int dir, fd = -1, rc = open_folder(path, &dir);

    *out = -1;
    if (!rc)
        rc = open_regular(path, dir, &fd, st);
    if (!rc && fchmod(fd, 0600))
        rc = -HL_ESYS;
    if (!rc)
        *out = openat(dir, last_part(path), O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (!rc && (*out < 0 || fstat(*out, &again)))
        rc = -HL_ESYS;
    if (!rc && (again.st_ino != st->st_ino || again.st_dev != st->st_dev))
        rc = -HL_EBUSY;
    if (rc) {
        close_keep(*out);
        *out = -1;
    }
    close_keep(fd);
    close_keep(dir);
    return rc;
}

static int wipe(int fd, off_t size)
{
    static const uint8_t zeroes[4096];

    if (lseek(fd, 0, SEEK_SET) < 0)
        return -HL_ESYS;
    for (off_t left = size; left > 0;) {
        size_t n = left < (off_t)sizeof(zeroes) ? (size_t)left : sizeof(zeroes);
        int rc = file_write_all(fd, zeroes, n);

        if (rc)
            return rc;
        left -= (off_t)n;
    }
    return fsync(fd) ? -HL_ESYS : 0;
}

int keyfile_replace(const char *path, enum realm realm, enum key_use use, const char *name,
                    const uint8_t *pub, const struct secret *secret, const struct secret *pass)
{
    struct buf text = { 0 };
    struct stat st = { 0 };
    int old, rc = open_for_wipe(path, &old, &st);

    if (rc && rc != -HL_ENOENT)
        return rc;
    rc = compose(&text, realm, use, name, pub, secret, pass);
    if (!rc)
        rc = file_publish(path, buf_span(&text), 0400);
    guarded_release(&text);
    if (old < 0)
        return rc;
    if (rc)
        (void)!fchmod(old, 0400); /* it stays in force */
    else
        rc = wipe(old, st.st_size);
    close_keep(old);
    return rc;
}

/* Overwrite, unlink, sync; what has the name, be it a key file or @any. */
static int destroy(const char *path, bool any)
{
    char head[64];
    struct stat st;
    ssize_t n;
    int dir = -1, fd, rc = open_for_wipe(path, &fd, &st);

    if (rc)
        return rc == -HL_ENOENT ? -HL_ENOKEY : rc;
    n = read(fd, head, sizeof(head));
    if (!any && (n <= 0 || !(keyfile_recognised(SPAN(head, n)) ||
                             sodium_is_zero((const uint8_t *)head, (size_t)n))))
        rc = -HL_EFORMAT; /* zeroes: destroying it was interrupted */
    if (!rc)
        rc = wipe(fd, st.st_size);
    if (rc)
        (void)!fchmod(fd, st.st_mode & 07777);
    if (!rc)
        rc = open_folder(path, &dir);
    if (!rc && (unlinkat(dir, last_part(path), 0) || fsync(dir)))
        rc = -HL_ESYS;
    close_keep(fd);
    close_keep(dir);
    return rc;
}

int keyfile_destroy(const char *path)
{
    return destroy(path, false);
}

/*
 * The rename comes first, so that a power cut leaves either the whole file or a leftover that
 * ring_each() destroys, never a ring file of zeroes.
 */
int keyfile_remove(const char *path)
{
    char aside[PATH_MAX];

    if (snprintf(aside, sizeof(aside), "%s" KEYFILE_LEFTOVER "%08x", path, randombytes_random()) >=
        (int)sizeof(aside)) {
        errno = ENAMETOOLONG;
        return -HL_ESYS;
    }
    if (rename(path, aside))
        return -HL_ESYS;
    return destroy(aside, true);
}
