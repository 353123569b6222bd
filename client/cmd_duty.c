#include <stdio.h>
#include <stdlib.h>

#include "client/commands.h"
#include "common/error.h"

int cmd_duty_begin(struct session *s)
{
    struct verb_request *req = malloc(sizeof(*req));
    char name[80], path[600];
    struct secret *pass = NULL;
    int rc = -HL_ENOMEM;

    if (!req)
        return rc;
    if (!name_label(span_str(s->args.positional[0]))) {
        rc = session_fail(s, -HL_EUSAGE, "a position is a word like watch-1");
        goto out;
    }
    snprintf(name, sizeof(name), "keys/%s.key", s->args.positional[0]);
    station_path(s->station, path, name);
    rc = session_pass(s, path, &pass);
    if (rc)
        goto out;
    session_request(req, "duty-begin");
    verb_add(req, "position", span_str(s->args.positional[0]));
    req->pass = pass;
    rc = session_ask(s, req, NULL, NULL);
out:
    secret_free(pass);
    free(req);
    return rc;
}
