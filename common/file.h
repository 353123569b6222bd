#ifndef HL_COMMON_FILE_H
#define HL_COMMON_FILE_H

#include "common/buf.h"

/*
 * Safe files.  Opening never follows a symbolic link at the last component; publishing writes a
 * temporary name in the same folder, syncs, renames, and syncs the folder.  Errors: -HL_ENOENT,
 * -HL_EEXIST, -HL_EMODE, -HL_ETOOBIG, -HL_EBUSY, -HL_ESYS (errno kept).
 */

/** file_read - whole file into @out (its max is the limit). */
int file_read(const char *path, struct buf *out);
/** file_check_private - the file at @fd belongs to this user (or root) and no one else may read or write it; -HL_EMODE. */
int file_check_private(int fd);
/** file_publish - write all of @s under @path with @mode, durable and atomic; replaces. */
int file_publish(const char *path, struct span s, unsigned mode);
/** file_create - as file_publish() but never replaces: -HL_EEXIST. */
int file_create(const char *path, struct span s, unsigned mode);
/** file_keep - as file_create(), but 0 when the same bytes stand there, -HL_EFORK when others do. */
int file_keep(const char *path, struct span s, unsigned mode);
/** file_mkdir - make @path and missing parents with @mode; 0 when it exists already as a folder. */
int file_mkdir(const char *path, unsigned mode);
/** file_lock - open (0600, created) and lock @path for this process; *fd holds the lock.  -HL_EBUSY when held. */
int file_lock(const char *path, int *fd);
/** file_sync_dir - fsync a folder. */
int file_sync_dir(const char *path);
/** file_each - call @fn for each regular file in @dir whose name ends in @suffix, in name order; stops at the first non-zero. */
int file_each(const char *dir, const char *suffix, int (*fn)(void *arg, const char *path), void *arg);
/** file_write_all - write every byte to @fd; EINTR is retried. */
int file_write_all(int fd, const void *p, size_t n);

#endif
