#include <signal.h>
#include <stdio.h>

#include "client/agent.h"
#include "client/commands.h"
#include "common/error.h"

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
    (void)sig;
    stopped = 1;
}

/* For good: until SIGTERM or SIGINT, or until the desk cannot be written. */
int cmd_agent(struct session *s)
{
    struct sigaction sa = { .sa_handler = on_signal }; /* no SA_RESTART: the poll returns */
    struct agent *a = NULL;
    int rc;

    sigemptyset(&sa.sa_mask);
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGINT, &sa, NULL);
    rc = agent_open(&a, s->station, &s->why);
    if (!rc)
        rc = agent_listen(a);
    if (!rc)
        fprintf(stderr, "hotline: agent of %s (%s) ready\n", s->station->poc, realm_name(s->realm));
    while (!rc && !stopped)
        rc = agent_step(a, 1000);
    agent_close(a);
    return rc;
}
