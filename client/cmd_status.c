#include <stdio.h>

#include "client/commands.h"

/* The realm stands first and last, so that nobody takes one world for the other. */
int cmd_status(struct session *s)
{
    int rc;

    if (!s->json)
        printf("%s   %s\n", s->realm == REALM_LIVE ? "LIVE" : "EXERCISE EXERCISE EXERCISE",
               s->station->poc);
    rc = command_verb(s);
    if (!s->json && s->realm == REALM_EXERCISE)
        puts("EXERCISE EXERCISE EXERCISE");
    return rc;
}
