#ifndef HL_SERVER_PARENT_H
#define HL_SERVER_PARENT_H

#include "server/config.h"

/*
 * The parent: starts the other processes, holds nothing itself.
 *
 *   front, publisher end     -> a new one, its descriptor passed to the core
 *   core or signer end       -> all end, all start again (restart is the recovery procedure)
 *   one of them ends by itself before the first READY -> the parent ends too, with its status: what a restart cannot
 *                               mend.  But for the publisher: no promise waits for it
 *   SIGHUP -> RELOAD         SIGTERM, SIGINT -> STOP, then every child is ended by its id
 *
 * Each child is this program executed again with --role, so that none inherits another's memory.  Descriptors:
 * FD_CORE of front, signer, publisher; FD_PARENT, FD_FRONT, FD_SIGNER, FD_PUBLISHER of the core.
 * `hotlined status` connects to <state>/hotlined.sock (0600, peer uid checked) and reads JSON lines until the end.
 */
enum { FD_CORE = 3, FD_PARENT = 3, FD_FRONT = 4, FD_SIGNER = 5, FD_PUBLISHER = 6 };

/**
 * parent_run - until told to stop. @conf_path is given on to the children.  0, the error that ended it, or (positive)
 * the exit status of the process that could not start.
 */
int parent_run(const struct config *conf, const char *conf_path);
/** parent_status - ask the running broker of @conf; its JSON lines to stdout. -HL_ENOANSWER when none runs. */
int parent_status(const struct config *conf);

#endif
