#ifndef HL_CLIENT_AUDIT_VERIFY_H
#define HL_CLIENT_AUDIT_VERIFY_H

#include "client/audit/report.h"

/*
 * audit_verify - judge the mirror in @dir (its layout: mirror_dir.h), from every entry up.  The caller has called
 * audit_report_init(@r, @dir).
 *
 * 0: the verdict is in the report (audit_verdict()).  -HL_ENOMEM, -HL_ESYS, -HL_ETOOBIG: there is none.
 * A folder that is no mirror, or lacks what a verdict rests on (policy, checkpoint), is INCOMPLETE.
 */
int audit_verify(const char *dir, struct audit_report *r);

#endif
