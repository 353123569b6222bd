#include <stdio.h>
#include <string.h>

#include "client/commands.h"
#include "common/card.h"
#include "common/error.h"
#include "common/text.h"

static const char *or_else(const char *value, const char *dflt)
{
    return value ? value : dflt;
}

int cmd_init(struct session *s)
{
    const char *dir = s->args.positional[0], *poc = s->args.positional[1];
    struct secret *pass;
    int rc = session_new_pass(s, &pass);

    if (!rc)
        rc = station_create(dir, s->realm, poc, or_else(args_get(&s->args, "languages"), "en"),
                            or_else(args_get(&s->args, "attendance"), "24/7"),
                            args_get(&s->args, "witness") != NULL, pass, &s->why);
    secret_free(pass);
    if (!rc && !s->json)
        fprintf(stderr,
                "made the desk of %s (%s)\nnext: hotline --desk %s position NAME ..., then give "
                "%s/poc.public to whoever makes the party's card\n",
                poc, realm_name(s->realm), dir, dir);
    return rc;
}

int cmd_position(struct session *s)
{
    const char *name = s->args.positional[0], *holder = args_get(&s->args, "holder");
    const char *words = args_get(&s->args, "permissions");
    struct secret *pass = NULL;
    unsigned permissions = 0;
    int rc;

    if (!holder || !words || permissions_parse(&permissions, span_str(words)) != 0)
        return session_fail(s, -HL_EUSAGE,
                            "say --holder officer-1 --permissions draft,release,acknowledge");
    rc = session_new_pass(s, &pass);
    if (!rc)
        rc = station_position(s->station, name, holder, permissions, pass);
    secret_free(pass);
    if (!rc && !s->json)
        fprintf(stderr, "made the key of %s; its line stands in poc.public: a new card lists it\n",
                name);
    return rc;
}

/* host.public of a broker: "host <origin> <log key>", "curve <key>", "endpoint <address>". */
int cmd_host(struct session *s)
{
    struct span rest, line, word, field[4] = { SPAN_NONE };
    struct buf in, setting;
    int rc;

    buf_init(&in, 65536);
    buf_init(&setting, 1024);
    rc = session_file(s, s->args.positional[0], &in);
    rest = buf_span(&in);
    while (!rc && text_line(&rest, &line)) {
        text_field(&line, &word);
        if (span_eq_str(word, "host")) {
            text_field(&line, &field[0]);
            text_field(&line, &field[1]);
        } else if (span_eq_str(word, "curve")) {
            text_field(&line, &field[2]);
        } else if (span_eq_str(word, "endpoint")) {
            text_field(&line, &field[3]);
        }
    }
    for (size_t i = 0; i < 4 && !rc; i++) {
        if (!field[i].n)
            rc = session_fail(s, -HL_EFORMAT, "%s is no host.public", s->args.positional[0]);
        buf_put_span(&setting, field[i]);
        buf_put_str(&setting, i < 3 ? " " : "");
    }
    if (!rc)
        rc = station_add_host(s->station, buf_str(&setting), &s->why);
    buf_release(&in);
    buf_release(&setting);
    return rc;
}
