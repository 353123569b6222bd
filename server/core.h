#ifndef HL_SERVER_CORE_H
#define HL_SERVER_CORE_H

#include "server/config.h"

/*
 * The core process: carries bytes between the other processes and the turn (server/broker.h), which knows
 * nothing of processes.  One loop: read what came, one turn, write what left.
 *
 *   front  gone: sessions are dropped, nothing recorded changes; the parent passes a new one
 *   signer gone, parent gone, a failed commit: the core ends; restart is the recovery procedure
 *   publisher gone: the parent passes a new one, which catches up
 */
struct core_fds {
    int parent, front, signer, publisher;
};

/** core_run - until STOP (0) or a failure that ends the process. */
int core_run(const struct config *conf, const uint8_t log_key[static 32], const struct core_fds *fds);

#endif
