#ifndef HL_TESTS_FAULT_VFS_H
#define HL_TESTS_FAULT_VFS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A SQLite VFS over the system's one that misbehaves on demand.  vfs_install() makes it the default, before
 * anything else touches SQLite; it forwards, counts, and
 *
 *   - fails the nth call of the armed kinds (or that one and all later ones), or
 *   - cuts the power at the nth call: from then on every call fails, and vfs_reboot() leaves in the files an
 *     arbitrary, seeded choice of what was written since each file's last good sync, by sectors of 512 bytes.
 *
 * A sync that was made to fail does what Linux may do: what it should have written stays readable and is
 * lost at the next power cut, whatever later syncs say, unless it is written again.
 */
enum vfs_kind {
    VFS_OPEN = 1,
    VFS_WRITE = 2,
    VFS_SYNC = 4,
    VFS_TRUNCATE = 8,
    VFS_SHM = 16,
    VFS_READ = 32,
    VFS_DELETE = 64,
};
#define VFS_CHANGES (VFS_OPEN | VFS_WRITE | VFS_SYNC | VFS_TRUNCATE | VFS_SHM | VFS_DELETE)

enum vfs_how { VFS_EIO, VFS_ENOSPC, VFS_EIO_FOR_GOOD, VFS_ENOSPC_FOR_GOOD, VFS_POWER_CUT };

void vfs_install(void);
/** vfs_arm - make the @nth (from 1) call of @kinds go wrong. */
void vfs_arm(unsigned kinds, long nth, enum vfs_how how);
/** vfs_fired - disarm; did it go wrong? */
bool vfs_fired(void);
/** vfs_reboot - after (or in place of) a power cut, with every connection closed: decide what the disk kept. */
void vfs_reboot(uint64_t seed);
/** vfs_forget - take all that was written as durable (a new scenario begins). */
void vfs_forget(void);
/** vfs_count - calls of @kind since the last vfs_count(0). */
uint64_t vfs_count(unsigned kind);
/** vfs_bytes - bytes written since then. */
uint64_t vfs_bytes(void);

#endif
