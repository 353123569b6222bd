#ifndef HL_CLIENT_AUDIT_ANSWERS_H
#define HL_CLIENT_AUDIT_ANSWERS_H

#include "client/audit/fold.h"

/*
 * The third pass of an audit: what was due, when it was answered, and whether the host's notices about it are true.
 * By the agreement's deadlines from the record's time; attendance hours are not counted.
 */
int answers_run(struct fold *f);

#endif
