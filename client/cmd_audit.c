#include "client/audit/command.h"
#include "client/commands.h"

/* The auditor's commands are those of hotline-audit; they print and choose the exit status
 * themselves. */
static int audit(struct session *s, int (*run)(const struct audit_options *o))
{
    struct audit_options o = { .json = s->json, .out = args_get(&s->args, "out") };

    for (size_t i = 0; i < s->args.n_positional && i < COUNT(o.arg); i++)
        o.arg[o.n++] = s->args.positional[i];
    return run(&o);
}

int cmd_audit_verify(struct session *s)
{
    return audit(s, audit_command_verify);
}

int cmd_audit_prove(struct session *s)
{
    return audit(s, audit_command_prove);
}

int cmd_audit_receipt(struct session *s)
{
    return audit(s, audit_command_receipt);
}
