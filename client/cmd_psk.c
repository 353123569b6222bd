#include <stdio.h>
#include <stdlib.h>

#include "client/commands.h"
#include "common/clock.h"
#include "common/error.h"
#include "common/text.h"
#include "keys/psk.h"

int cmd_psk_half(struct session *s)
{
    const char *name = args_get(&s->args, "name");
    struct secret *pass;
    int rc = session_new_pass(s, &pass);

    if (!rc)
        rc = psk_half_new(s->args.positional[0], s->realm, name ? name : "half", pass);
    secret_free(pass);
    if (!rc && !s->json)
        fputs("one half: bring it to each member of the channel by a courier of its own\n", stderr);
    return rc;
}

int cmd_psk_combine(struct session *s)
{
    struct verb_request *req = malloc(sizeof(*req));
    const char *date = args_get(&s->args, "first-day");
    struct secret *pass = NULL;
    uint64_t ms = clock_now_ms();
    char day[24];
    int rc = -HL_ENOMEM;

    if (!req)
        return rc;
    rc = 0;
    if (date && text_untime(&ms, span_str(date)) != 0)
        rc = session_fail(s, -HL_EUSAGE, "--first-day is a date like 2026-11-22");
    if (!rc)
        rc = session_pass(s, s->args.positional[0], &pass);
    snprintf(day, sizeof(day), "%llu", (unsigned long long)clock_day(ms));
    session_request(req, "psk-combine");
    session_options(s, req);
    verb_add(req, "half-a", session_path(s, s->args.positional[0]));
    verb_add(req, "half-b", session_path(s, s->args.positional[1]));
    verb_add(req, "first_day", span_str(day));
    req->pass = pass;
    if (!rc)
        rc = session_ask(s, req, NULL, NULL);
    secret_free(pass);
    free(req);
    return rc;
}
