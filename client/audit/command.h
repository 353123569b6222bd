#ifndef HL_CLIENT_AUDIT_COMMAND_H
#define HL_CLIENT_AUDIT_COMMAND_H

#include "common/buf.h"

/*
 * The auditor's commands, as `hotline-audit` and `hotline audit` run them alike: they print the verdict to stdout and
 * return the exit status (enum hl_exit): 0 VERIFIED, 3 FAILED, 4 INCOMPLETE, never mixed; 1 and 2 as everywhere.
 */
struct audit_options {
    bool json;
    const char *out;    /* prove: file, NULL or "-": stdout */
    const char *arg[4]; /* verify: DIR; prove: DIR INDEX; receipt: PROOF ENTRY POLICY */
    int n;
};

int audit_command_verify(const struct audit_options *o);
int audit_command_prove(const struct audit_options *o);
int audit_command_receipt(const struct audit_options *o);

#endif
