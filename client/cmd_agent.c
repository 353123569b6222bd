#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "client/agent.h"
#include "client/commands.h"
#include "common/error.h"

#define BUSY_TRIES 100
#define BUSY_MS 100

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
    (void)sig;
    stopped = 1;
}

/* A command that runs without an agent holds the desk for a moment: it is waited for, another agent
 * is not. */
static int open_when_free(struct session *s, struct agent **a)
{
    int rc = -HL_EBUSY;

    for (unsigned i = 0; i < BUSY_TRIES && rc == -HL_EBUSY && !stopped; i++) {
        if (i)
            usleep(BUSY_MS * 1000);
        buf_clear(&s->why);
        rc = agent_open(a, s->station, &s->why);
    }
    return rc;
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
    rc = open_when_free(s, &a);
    if (!rc)
        rc = agent_listen(a);
    if (!rc)
        fprintf(stderr, "hotline: agent of %s (%s) ready\n", s->station->poc, realm_name(s->realm));
    while (!rc && !stopped)
        rc = agent_step(a, 1000);
    agent_close(a);
    return rc;
}
