#ifndef HL_SERVER_CONTROL_H
#define HL_SERVER_CONTROL_H

#include "common/buf.h"

/*
 * The operator's socket: who connects (same uid, or root) gets the status and the end.  At most CONTROL_MAX wait at
 * once, then the oldest has to go; nothing is ever read from them.
 */
#define CONTROL_MAX 8

struct control;

/** control_open - listen at @path (0600; a left-over is replaced). -HL_ESYS, -HL_ENOMEM. */
int control_open(const char *path, struct control **out);
void control_close(struct control *c);
int control_fd(const struct control *c);
/** control_accept - take a connection; the id under which it waits, 0 when refused. */
uint32_t control_accept(struct control *c);
/** control_answer - give @json to the connection @id and close it; an unknown id is nothing. */
void control_answer(struct control *c, uint32_t id, struct span json);
/** control_ask - the other side: copy what the broker at @path says to @out_fd.  -HL_ENOANSWER. */
int control_ask(const char *path, int out_fd);

#endif
