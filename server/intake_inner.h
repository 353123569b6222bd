#ifndef HL_SERVER_INTAKE_INNER_H
#define HL_SERVER_INTAKE_INNER_H

#include "server/intake.h"

/* Of intake*.c alone. */

/** intake_event - entry @index is something that @poc gets. */
int intake_event(struct intake *in, struct span poc, uint64_t index);
/** intake_is_event - steps, voids and link tests wait in no mailbox: nobody answers them by a step. */
bool intake_is_event(unsigned kind);
/** intake_distribute - the recorded envelope to its recipients (in->to), and what it makes due.  Before facts_add(). */
int intake_distribute(struct intake *in, const struct envelope *env, const struct entry *entry);
/** intake_leave_mailbox - what a step takes out of its sender's mailbox. */
int intake_leave_mailbox(struct intake *in, const struct envelope *env);
/** intake_step - what a step answers. */
int intake_step(struct intake *in, const struct envelope *env);
/** intake_close_deadline - nobody will escalate any more: held copies go. */
int intake_close_deadline(struct intake *in, struct deadline *d);
/** intake_notice - record a notice. */
int intake_notice(struct intake *in, const struct notice *n, struct entry *out);

#endif
