#include "server/store_sqlite.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"

/*
 * A VFS over the default one.  It does two things; all else goes through to the file below.
 *
 * It checks pages of the main file: the last 8 bytes of each page (SQLite leaves them alone:
 * "reserved") are SipHash-2-4 of the rest under the key "hotline\0" || u64 offset, so a page that
 * turned, was torn, or lies in the wrong place is -HL_ESTORE instead of a wrong answer; an index is
 * covered like a row.  The key is no secret: this finds damage, not forgery.  Memory-mapped reads
 * would bypass the check, so xFetch is not offered.  The WAL has its own checksums, over pages as
 * SQLite hands them out: see store_wal.c.
 *
 * It gathers the writes of the WAL, which SQLite makes in pieces of 24 and 4,096 bytes, and hands
 * them down in one before anything that could tell the difference: a sync, a read, another place.
 * With synchronous=FULL no other connection looks at a frame before its sync.
 */
#define HELD_MAX (120 * 1024) /* SQLite's unix VFS takes less than 128 KiB at once */

struct page_file {
    sqlite3_file base;
    bool pages;    /* the main file */
    uint8_t *held; /* WAL: bytes not yet handed down; NULL: none are gathered */
    int held_n;
    sqlite3_int64 held_at;
    sqlite3_file *below; /* follows in the same allocation */
};

#define BELOW(f) (((struct page_file *)(f))->below)

static int flush(sqlite3_file *f)
{
    struct page_file *pf = (struct page_file *)f;
    int n = pf->held_n;

    pf->held_n = 0;
    return n ? BELOW(f)->pMethods->xWrite(BELOW(f), pf->held, n, pf->held_at) : SQLITE_OK;
}

/* Keep @p for later, if it continues what is kept or nothing is. */
static int hold(struct page_file *pf, const void *p, int n, sqlite3_int64 at)
{
    int rc = SQLITE_OK;

    if (at != pf->held_at + pf->held_n || n > HELD_MAX - pf->held_n)
        rc = flush(&pf->base);
    if (rc)
        return rc;
    if (n > HELD_MAX)
        return pf->below->pMethods->xWrite(pf->below, p, n, at);
    if (!pf->held_n)
        pf->held_at = at;
    memcpy(pf->held + pf->held_n, p, (size_t)n);
    pf->held_n += n;
    return SQLITE_OK;
}

static void page_check(uint8_t check[static STORE_PAGE_CHECK], const uint8_t *page,
                       sqlite3_int64 at)
{
    uint8_t key[crypto_shorthash_KEYBYTES] = "hotline";

    put_u64(key + 8, (uint64_t)at);
    crypto_shorthash(check, page, STORE_PAGE - STORE_PAGE_CHECK, key);
}

static bool is_page(const sqlite3_file *f, int n, sqlite3_int64 at)
{
    return ((const struct page_file *)f)->pages && n == STORE_PAGE && at % STORE_PAGE == 0;
}

static int page_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
    uint8_t check[STORE_PAGE_CHECK], *page = p;
    int rc = flush(f);

    if (!rc)
        rc = BELOW(f)->pMethods->xRead(BELOW(f), p, n, at);
    if (!is_page(f, n, at) || (rc && rc != SQLITE_IOERR_SHORT_READ))
        return rc;
    if (rc)
        return SQLITE_IOERR_CORRUPTFS; /* SQLite would take what is missing for zeroes */
    page_check(check, page, at);
    if (memcmp(check, page + STORE_PAGE - STORE_PAGE_CHECK, sizeof(check)) != 0)
        return SQLITE_IOERR_CORRUPTFS;
    return SQLITE_OK;
}

static int page_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
    struct page_file *pf = (struct page_file *)f;
    uint8_t page[STORE_PAGE];

    if (pf->held)
        return hold(pf, p, n, at);
    if (!is_page(f, n, at))
        return BELOW(f)->pMethods->xWrite(BELOW(f), p, n, at);
    memcpy(page, p, sizeof(page));
    page_check(page + STORE_PAGE - STORE_PAGE_CHECK, page, at);
    return BELOW(f)->pMethods->xWrite(BELOW(f), page, n, at);
}

static int page_close(sqlite3_file *f)
{
    int rc = flush(f), rc2 = BELOW(f)->pMethods->xClose(BELOW(f));

    free(((struct page_file *)f)->held);
    return rc ? rc : rc2;
}

static int page_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    int rc = flush(f);

    return rc ? rc : BELOW(f)->pMethods->xTruncate(BELOW(f), size);
}

static int page_sync(sqlite3_file *f, int flags)
{
    int rc = flush(f);

    return rc ? rc : BELOW(f)->pMethods->xSync(BELOW(f), flags);
}

static int page_size(sqlite3_file *f, sqlite3_int64 *size)
{
    int rc = flush(f);

    return rc ? rc : BELOW(f)->pMethods->xFileSize(BELOW(f), size);
}

static int page_lock(sqlite3_file *f, int level)
{
    return BELOW(f)->pMethods->xLock(BELOW(f), level);
}

static int page_unlock(sqlite3_file *f, int level)
{
    return BELOW(f)->pMethods->xUnlock(BELOW(f), level);
}

static int page_reserved_lock(sqlite3_file *f, int *held)
{
    return BELOW(f)->pMethods->xCheckReservedLock(BELOW(f), held);
}

static int page_control(sqlite3_file *f, int op, void *arg)
{
    return BELOW(f)->pMethods->xFileControl(BELOW(f), op, arg);
}

static int page_sector(sqlite3_file *f)
{
    return BELOW(f)->pMethods->xSectorSize(BELOW(f));
}

static int page_device(sqlite3_file *f)
{
    return BELOW(f)->pMethods->xDeviceCharacteristics(BELOW(f));
}

static int page_shm_map(sqlite3_file *f, int region, int n, int extend, void volatile **p)
{
    return BELOW(f)->pMethods->xShmMap(BELOW(f), region, n, extend, p);
}

static int page_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
    return BELOW(f)->pMethods->xShmLock(BELOW(f), offset, n, flags);
}

static void page_shm_barrier(sqlite3_file *f)
{
    BELOW(f)->pMethods->xShmBarrier(BELOW(f));
}

static int page_shm_unmap(sqlite3_file *f, int drop)
{
    return BELOW(f)->pMethods->xShmUnmap(BELOW(f), drop);
}

static const sqlite3_io_methods page_methods = {
    .iVersion = 2,
    .xClose = page_close,
    .xRead = page_read,
    .xWrite = page_write,
    .xTruncate = page_truncate,
    .xSync = page_sync,
    .xFileSize = page_size,
    .xLock = page_lock,
    .xUnlock = page_unlock,
    .xCheckReservedLock = page_reserved_lock,
    .xFileControl = page_control,
    .xSectorSize = page_sector,
    .xDeviceCharacteristics = page_device,
    .xShmMap = page_shm_map,
    .xShmLock = page_shm_lock,
    .xShmBarrier = page_shm_barrier,
    .xShmUnmap = page_shm_unmap,
};

static int page_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out)
{
    sqlite3_vfs *below = vfs->pAppData;
    struct page_file *pf = (struct page_file *)f;
    int rc;

    *pf = (struct page_file){ .pages = flags & SQLITE_OPEN_MAIN_DB };
    pf->below = (sqlite3_file *)(void *)&pf[1];
    rc = below->xOpen(below, name, pf->below, flags, out);
    if (!pf->below->pMethods)
        return rc;
    pf->base.pMethods = &page_methods;
    if (rc == SQLITE_OK && (flags & SQLITE_OPEN_WAL))
        pf->held = malloc(HELD_MAX); /* without memory nothing is gathered */
    return rc;
}

static int page_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    sqlite3_vfs *below = vfs->pAppData;

    return below->xDelete(below, name, sync);
}

static int page_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
    sqlite3_vfs *below = vfs->pAppData;

    return below->xAccess(below, name, flags, out);
}

static int page_full_name(sqlite3_vfs *vfs, const char *name, int n, char *out)
{
    sqlite3_vfs *below = vfs->pAppData;

    return below->xFullPathname(below, name, n, out);
}

static sqlite3_vfs page_vfs;
static int page_vfs_rc;

static void page_vfs_register(void)
{
    sqlite3_vfs *below = sqlite3_vfs_find(NULL);

    page_vfs_rc = SQLITE_ERROR;
    if (!below)
        return;
    page_vfs = *below; /* time, randomness, sleep need no state */
    page_vfs.zName = STORE_VFS;
    page_vfs.pNext = NULL;
    page_vfs.szOsFile = (int)sizeof(struct page_file) + below->szOsFile;
    page_vfs.pAppData = below;
    page_vfs.xOpen = page_open;
    page_vfs.xDelete = page_delete;
    page_vfs.xAccess = page_access;
    page_vfs.xFullPathname = page_full_name;
    page_vfs_rc = sqlite3_vfs_register(&page_vfs, 0);
}

int store_vfs(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, page_vfs_register);
    return store_error(page_vfs_rc);
}

int vfs_read(sqlite3_file *f, void *p, size_t n, uint64_t at)
{
    int rc = f->pMethods->xRead(f, p, (int)n, (sqlite3_int64)at);

    if (rc == SQLITE_IOERR_SHORT_READ)
        return 0;
    return rc == SQLITE_OK ? 1 : -HL_ESTORE;
}

int vfs_read_main(const char *path, void *p, size_t n)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(STORE_VFS);
    const char *name = sqlite3_create_filename(path, "", "", 0, NULL);
    sqlite3_file *f = calloc(1, (size_t)vfs->szOsFile);
    const int flags = SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_READWRITE;
    int rc = -HL_ENOMEM;

    if (!name || !f)
        goto out;
    rc = -HL_ESYS;
    if (vfs->xOpen(vfs, name, f, flags, NULL) != SQLITE_OK)
        goto out;
    rc = vfs_read(f, p, n, 0) == 1 ? 0 : -HL_ESTORE;
    f->pMethods->xClose(f);
out:
    free(f);
    sqlite3_free_filename(name);
    return rc;
}
