#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/message_args.h"
#include "common/error.h"

static struct span first_reader(const struct verb_request *req)
{
    struct span poc, rest = verb_get_nth(req, "to", 0);
    const uint8_t *space = rest.n ? memchr(rest.p, ' ', rest.n) : NULL;

    poc = rest;
    if (space)
        poc.n = (size_t)(space - rest.p);
    return poc;
}

/* NOT SENT must be read: it is said in so many words, and the exit status is 6. */
static int send_end(struct session *s, int rc)
{
    if (rc == -HL_EWAITING && !s->json)
        fputs("NOT SENT: WAITING FOR RELEASE by a second position\n", stderr);
    return rc;
}

static int send_request(struct session *s, const struct message_args *m,
                        const struct verb_request *req, const char *channel)
{
    int rc = 0;

    if (!s->json && channel && verb_get_nth(req, "to", 0).n)
        rc = exposure_print(s, channel, req);
    if (!rc && !args_get(&s->args, "draft"))
        rc = confirm_urgent(s, m->precedence, first_reader(req));
    if (rc || args_get(&s->args, "dry-run"))
        return rc;
    return send_end(s, session_ask(s, req, NULL, NULL));
}

int cmd_send(struct session *s)
{
    struct verb_request *req = malloc(sizeof(*req));
    struct message_args m;
    const char *channel;
    int rc = -HL_ENOMEM;

    message_args_init(&m);
    if (!req)
        goto out;
    session_request(req, "send");
    rc = message_args_read(s, &m, req);
    channel = s->args.n_positional ? s->args.positional[0] : m.form ? m.form->channel : NULL;
    if (!rc && !channel)
        rc = session_fail(s, -HL_EUSAGE, "name the channel, or give a form that does");
    if (rc)
        goto out;
    verb_add(req, "channel", span_str(channel));
    rc = send_request(s, &m, req, channel);
out:
    message_args_release(&m);
    free(req);
    return rc;
}

/* The target is named as everywhere; the verb fills in what is left out: channel, readers, labels,
 * thread. */
static int add_target(struct session *s, struct verb_request *req)
{
    struct verb_request *name = malloc(sizeof(*name));
    int rc;

    if (!name)
        return -HL_ENOMEM;
    session_request(name, "show");
    rc = session_message(s, name, 0);
    if (verb_get(name, "number").n)
        verb_add(req, "target-number", verb_get(name, "number"));
    if (verb_get(name, "mid").n)
        verb_add(req, "target-mid", verb_get(name, "mid"));
    if (verb_get(name, "channel").n)
        verb_add(req, "target-channel", verb_get(name, "channel"));
    free(name);
    return rc;
}

int cmd_reply(struct session *s)
{
    struct verb_request *req = malloc(sizeof(*req));
    struct message_args m;
    int rc = -HL_ENOMEM;

    message_args_init(&m);
    if (!req)
        goto out;
    session_request(req, "send");
    if (s->args.n_positional && args_get(&s->args, "kind")) {
        rc = session_fail(s, -HL_EUSAGE, "the command says the kind");
        goto out;
    }
    rc = message_args_read(s, &m, req);
    if (rc)
        goto out;
    if (!m.form) /* else the form has said it */
        verb_add(req, "kind", span_str(s->command->verb));
    rc = add_target(s, req);
    if (!rc)
        rc = send_request(s, &m, req, NULL);
out:
    message_args_release(&m);
    free(req);
    return rc;
}
