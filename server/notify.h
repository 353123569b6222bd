#ifndef HL_SERVER_NOTIFY_H
#define HL_SERVER_NOTIFY_H

/**
 * notify - tell the service manager ("READY=1", "STOPPING=1", "WATCHDOG=1"): one datagram to $NOTIFY_SOCKET
 * (sd_notify(3)), nothing when there is none.  A failure is nobody's trouble.
 */
void notify(const char *state);

#endif
