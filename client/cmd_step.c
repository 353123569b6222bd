#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/commands.h"
#include "common/error.h"

/*
 * Acknowledging is deliberate: who acknowledges has read the number.  On the command line the
 * number is the name of the message, so it has been typed; a mid is not, and asks for --typed.
 */
int cmd_step(struct session *s)
{
    struct verb_request *req = malloc(sizeof(*req));
    struct span number;
    int rc;

    if (!req)
        return -HL_ENOMEM;
    session_request(req, "step");
    rc = session_message(s, req, 0);
    verb_add(req, "kind", span_str(s->command->verb));
    session_options(s, req);
    number = verb_get(req, "number");
    if (!rc && !args_get(&s->args, "typed") && number.n) {
        const uint8_t *space = memchr(number.p, ' ', number.n);

        if (space)
            verb_add(req, "typed", SPAN(space + 1, number.n - (size_t)(space + 1 - number.p)));
    }
    if (!rc)
        rc = session_ask(s, req, NULL, NULL);
    if (!rc && !s->json && strcmp(s->command->verb, "acknowledged") == 0)
        fputs("This confirms receipt only. It accepts no fact, no attribution and no obligation.\n",
              stderr);
    free(req);
    return rc;
}
