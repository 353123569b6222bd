#include "tests/fault/vfs.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#define SECTOR 512
#define DISKS 16

/* What is known of one file, by its name; outlives the handles on it. */
struct disk {
    char path[512];
    sqlite3_int64 synced_size;
};

/* A sector as it was before one write, while that write is not durable. */
struct before {
    struct disk *disk;
    sqlite3_int64 sector;
    uint64_t write; /* number of the write */
    bool lost;      /* its sync failed */
    unsigned char bytes[SECTOR];
};

struct file {
    sqlite3_file base;
    struct disk *disk; /* NULL: not tracked */
    sqlite3_file *below;
};

static sqlite3_vfs *system_vfs;
static struct disk disks[DISKS];
static size_t n_disks;
static struct before *befores;
static size_t n_befores, cap_befores;
static uint64_t writes, counts[VFS_DELETE + 1], bytes_written;
static unsigned armed;
static long left;
static enum vfs_how how;
static bool fired, dead;

#define BELOW(f) (((struct file *)(f))->below)

/* ---- what goes wrong ---- */

void vfs_arm(unsigned kinds, long nth, enum vfs_how what)
{
    armed = kinds;
    left = nth;
    how = what;
    fired = false;
}

bool vfs_fired(void)
{
    bool was = fired;

    armed = 0;
    fired = false;
    return was;
}

uint64_t vfs_count(unsigned kind)
{
    uint64_t n = counts[kind];

    if (!kind) {
        memset(counts, 0, sizeof(counts));
        bytes_written = 0;
    }
    return n;
}

uint64_t vfs_bytes(void)
{
    return bytes_written;
}

/* SQLITE_OK, or how this call fails. */
static int happens(enum vfs_kind kind)
{
    bool for_good = how == VFS_EIO_FOR_GOOD || how == VFS_ENOSPC_FOR_GOOD;

    counts[kind]++;
    if (dead)
        return SQLITE_IOERR;
    if (!(armed & kind) || --left > 0 || (left < 0 && !for_good))
        return SQLITE_OK;
    fired = true;
    if (how == VFS_POWER_CUT) {
        dead = true;
        return SQLITE_IOERR;
    }
    return how == VFS_ENOSPC || how == VFS_ENOSPC_FOR_GOOD ? SQLITE_FULL : SQLITE_IOERR;
}

/* ---- what the disk holds ---- */

static struct disk *disk_of(const char *path)
{
    for (size_t i = 0; i < n_disks; i++)
        if (strcmp(disks[i].path, path) == 0)
            return &disks[i];
    if (n_disks == DISKS)
        abort();
    snprintf(disks[n_disks].path, sizeof(disks[0].path), "%s", path);
    return &disks[n_disks++];
}

static sqlite3_int64 size_of(sqlite3_file *below)
{
    sqlite3_int64 size = 0;

    below->pMethods->xFileSize(below, &size);
    return size;
}

static struct before *before_new(void)
{
    if (n_befores == cap_befores) {
        cap_befores = cap_befores ? 2 * cap_befores : 1024;
        befores = realloc(befores, cap_befores * sizeof(*befores));
        if (!befores)
            abort();
    }
    return &befores[n_befores++];
}

static void remember(struct file *f, sqlite3_int64 at, sqlite3_int64 n)
{
    static unsigned char bytes[256 * SECTOR]; /* SQLite's VFS reads less than 128 KiB at once */
    sqlite3_int64 first = at / SECTOR, end = (at + n + SECTOR - 1) / SECTOR;

    if (!f->disk || n <= 0)
        return;
    writes++;
    for (sqlite3_int64 s = first; s < end; s++) {
        size_t i = (size_t)(s - first) % 255;
        struct before *b = before_new();

        if (i == 0) /* short: zeroes */
            f->below->pMethods->xRead(f->below, bytes, 255 * SECTOR, s * SECTOR);
        *b = (struct before){ .disk = f->disk, .sector = s, .write = writes };
        memcpy(b->bytes, bytes + i * SECTOR, SECTOR);
    }
}

/* Is the sector of befores[@i] written again later, by a write whose sync has not failed? */
static bool written_again(size_t i)
{
    for (size_t k = i + 1; k < n_befores; k++)
        if (befores[k].disk == befores[i].disk && befores[k].sector == befores[i].sector &&
            !befores[k].lost)
            return true;
    return false;
}

static void synced(struct file *f)
{
    size_t kept = 0;

    for (size_t i = 0; i < n_befores; i++) {
        if (befores[i].disk == f->disk && (!befores[i].lost || written_again(i)))
            befores[i].write = 0;
    }
    for (size_t i = 0; i < n_befores; i++)
        if (befores[i].write)
            befores[kept++] = befores[i];
    n_befores = kept;
    f->disk->synced_size = size_of(f->below);
}

static void sync_failed(struct file *f)
{
    for (size_t i = 0; i < n_befores; i++)
        if (befores[i].disk == f->disk)
            befores[i].lost = true;
}

static uint64_t draw(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 33;
}

/* One of six ways in which a disk can lose: nothing, all, half of the sectors, of the writes, few,
 * most. */
static void disk_reboot(struct disk *d, uint64_t *seed)
{
    unsigned way = (unsigned)(draw(seed) % 6);
    uint64_t last = 0;
    bool undo = false;
    int fd = open(d->path, O_RDWR);

    if (fd == -1)
        return;
    for (size_t i = n_befores; i-- > 0;) {
        const struct before *b = &befores[i];

        if (b->disk != d)
            continue;
        if (way != 3 || b->write != last)
            undo = draw(seed) % 16 < (unsigned[]){ 0, 16, 8, 8, 1, 15 }[way];
        last = b->write;
        if (undo && pwrite(fd, b->bytes, SECTOR, b->sector * SECTOR) != SECTOR)
            abort();
    }
    if (way && draw(seed) % 2 && lseek(fd, 0, SEEK_END) > d->synced_size &&
        ftruncate(fd, d->synced_size) != 0)
        abort();
    close(fd);
}

void vfs_reboot(uint64_t seed)
{
    for (size_t i = 0; i < n_disks; i++)
        disk_reboot(&disks[i], &seed);
    vfs_forget();
}

void vfs_forget(void)
{
    n_befores = 0;
    n_disks = 0;
    dead = false;
    armed = 0;
}

/* ---- files ---- */

static int file_close(sqlite3_file *f)
{
    return BELOW(f)->pMethods->xClose(BELOW(f));
}

static int file_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
    int rc = happens(VFS_READ);

    return rc ? SQLITE_IOERR_READ : BELOW(f)->pMethods->xRead(BELOW(f), p, n, at);
}

static int file_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
    bool alive = !dead;
    int rc = happens(VFS_WRITE);

    if (rc && how == VFS_POWER_CUT && alive) { /* amid the write */
        remember((struct file *)f, at, n);
        BELOW(f)->pMethods->xWrite(BELOW(f), p, n, at);
    }
    if (rc)
        return rc;
    bytes_written += (uint64_t)n;
    remember((struct file *)f, at, n);
    return BELOW(f)->pMethods->xWrite(BELOW(f), p, n, at);
}

static int file_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    int rc = happens(VFS_TRUNCATE);

    if (rc)
        return SQLITE_IOERR_TRUNCATE;
    remember((struct file *)f, size, size_of(BELOW(f)) - size);
    return BELOW(f)->pMethods->xTruncate(BELOW(f), size);
}

/* Nothing is handed to the real disk: what is durable is decided here, and the tests are faster. */
static int file_sync(sqlite3_file *f, int flags)
{
    struct file *file = (struct file *)f;
    int rc = happens(VFS_SYNC);

    (void)flags;
    if (rc && how != VFS_POWER_CUT && file->disk)
        sync_failed(file);
    if (rc)
        return SQLITE_IOERR_FSYNC;
    if (file->disk)
        synced(file);
    return SQLITE_OK;
}

static int file_size(sqlite3_file *f, sqlite3_int64 *size)
{
    return dead ? SQLITE_IOERR_FSTAT : BELOW(f)->pMethods->xFileSize(BELOW(f), size);
}

static int file_lock(sqlite3_file *f, int level)
{
    return dead ? SQLITE_IOERR_LOCK : BELOW(f)->pMethods->xLock(BELOW(f), level);
}

static int file_unlock(sqlite3_file *f, int level)
{
    return BELOW(f)->pMethods->xUnlock(BELOW(f), level);
}

static int file_reserved_lock(sqlite3_file *f, int *held)
{
    return BELOW(f)->pMethods->xCheckReservedLock(BELOW(f), held);
}

static int file_control(sqlite3_file *f, int op, void *arg)
{
    if (op == SQLITE_FCNTL_SIZE_HINT) { /* it may extend the file */
        int rc = happens(VFS_WRITE);

        if (rc)
            return rc;
    }
    return BELOW(f)->pMethods->xFileControl(BELOW(f), op, arg);
}

static int file_sector(sqlite3_file *f)
{
    return BELOW(f)->pMethods->xSectorSize(BELOW(f));
}

static int file_device(sqlite3_file *f)
{
    return BELOW(f)->pMethods->xDeviceCharacteristics(BELOW(f));
}

static int file_shm_map(sqlite3_file *f, int region, int n, int extend, void volatile **p)
{
    int rc = happens(VFS_SHM);

    *p = NULL;
    return rc ? SQLITE_IOERR_SHMMAP : BELOW(f)->pMethods->xShmMap(BELOW(f), region, n, extend, p);
}

/* Taking a lock can fail; giving it back cannot. */
static int file_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
    int rc = flags & SQLITE_SHM_LOCK ? happens(VFS_SHM) : SQLITE_OK;

    return rc ? SQLITE_IOERR_SHMLOCK : BELOW(f)->pMethods->xShmLock(BELOW(f), offset, n, flags);
}

static void file_shm_barrier(sqlite3_file *f)
{
    BELOW(f)->pMethods->xShmBarrier(BELOW(f));
}

static int file_shm_unmap(sqlite3_file *f, int drop)
{
    return BELOW(f)->pMethods->xShmUnmap(BELOW(f), drop);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_reserved_lock,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_device,
    .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier,
    .xShmUnmap = file_shm_unmap,
};

/* ---- the VFS ---- */

static bool is_tracked(const char *name, int flags)
{
    size_t n = name ? strlen(name) : 0;

    if (!(flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)))
        return false;
    /* a store in the making has no promises, and is begun anew */
    return n && !strstr(name, ".new");
}

static int vfs_open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out)
{
    struct file *file = (struct file *)f;
    int rc = happens(VFS_OPEN);

    (void)vfs;
    *file = (struct file){ .disk = NULL };
    if (rc)
        return SQLITE_CANTOPEN;
    file->below = (sqlite3_file *)(void *)&file[1];
    rc = system_vfs->xOpen(system_vfs, name, file->below, flags, out);
    if (file->below->pMethods)
        file->base.pMethods = &methods;
    if (rc == SQLITE_OK && is_tracked(name, flags)) {
        size_t known = n_disks;

        file->disk = disk_of(name);
        if (n_disks != known)
            file->disk->synced_size = size_of(file->below);
    }
    return rc;
}

static int vfs_delete_file(sqlite3_vfs *vfs, const char *name, int sync)
{
    int rc = happens(VFS_DELETE);

    (void)vfs;
    return rc ? SQLITE_IOERR_DELETE : system_vfs->xDelete(system_vfs, name, sync);
}

static int vfs_access_file(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
    (void)vfs;
    return system_vfs->xAccess(system_vfs, name, flags, out);
}

static int vfs_full_name(sqlite3_vfs *vfs, const char *name, int n, char *out)
{
    (void)vfs;
    return system_vfs->xFullPathname(system_vfs, name, n, out);
}

void vfs_install(void)
{
    static sqlite3_vfs vfs;

    system_vfs = sqlite3_vfs_find(NULL);
    vfs = *system_vfs;
    vfs.zName = "fault";
    vfs.pNext = NULL;
    vfs.szOsFile = (int)sizeof(struct file) + system_vfs->szOsFile;
    vfs.xOpen = vfs_open_file;
    vfs.xDelete = vfs_delete_file;
    vfs.xAccess = vfs_access_file;
    vfs.xFullPathname = vfs_full_name;
    if (sqlite3_vfs_register(&vfs, 1) != SQLITE_OK)
        abort();
}
