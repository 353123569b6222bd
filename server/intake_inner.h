#ifndef HL_SERVER_INTAKE_INNER_H
#define HL_SERVER_INTAKE_INNER_H

#include "server/intake.h"

/* Of intake*.c alone. */

/** intake_event - entry @index is something that @poc gets. */
int intake_event(struct intake *in, struct span poc, uint64_t index);
/** intake_notice - record a notice. */
int intake_notice(struct intake *in, const struct notice *n, struct entry *out);

#endif
