#ifndef HL_SERVER_PUBLISHER_H
#define HL_SERVER_PUBLISHER_H

#include "server/store.h"

/*
 * The publisher: a reader of the store and the folder of tiles, for any static server.  No promise waits for it.
 *
 *   HEAD note -[publisher_head]-> WAITING -[publisher_tick: at most every PUBLISH_MS]-> PUBLISHED
 *
 * It writes from the entries themselves, hashed again: a store whose bytes no longer lead to the signed root stops it
 * (-HL_EPROOF), and so does a folder with other bytes (-HL_EFORK).  Between heads it moves the WAL into the store's file and
 * scrubs: all that is stored about an entry is read and hashed again, a batch a tick, and damage is reported with its
 * index.
 */
#define PUBLISH_MS 1000
#define SCRUB_MS 1000
#define SCRUB_BATCH 256 /* entries a tick, and not many more bytes than: */
#define SCRUB_BYTES (4u << 20)
#define PUBLISH_BATCH 4096 /* entries a tick, while catching up */

struct publisher;

int publisher_open(const struct store_conf *conf, const char *folder, struct publisher **out);
void publisher_close(struct publisher *p);
/** publisher_head - a signed checkpoint of entries that are committed; older ones are nothing. -HL_EFORMAT, -HL_ENOMEM. */
int publisher_head(struct publisher *p, struct span note);
/** publisher_tick - what is due now; ms until the next in *@wait_ms.  A negative return ends the process. */
int publisher_tick(struct publisher *p, uint64_t mono_ms, int *wait_ms);
/** publisher_damaged - entries found damaged by the scrub. */
uint64_t publisher_damaged(const struct publisher *p);
/** publisher_run - the process: heads from @fd until the core is gone. */
int publisher_run(int fd, const struct store_conf *conf, const char *folder);

#endif
