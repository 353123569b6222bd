#include "client/audit/report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

#define SENTENCE_MAX 2000

void audit_report_init(struct audit_report *r, const char *path)
{
    *r = (struct audit_report){ 0 };
    snprintf(r->path, sizeof(r->path), "%s", path);
    buf_init(&r->why, SENTENCE_MAX);
    buf_init(&r->missing.text, AUDIT_LINES_MAX * SENTENCE_MAX);
    buf_init(&r->alarms.text, AUDIT_LINES_MAX * SENTENCE_MAX);
}

void audit_report_release(struct audit_report *r)
{
    buf_release(&r->why);
    buf_release(&r->missing.text);
    buf_release(&r->alarms.text);
    free(r->number);
    r->number = NULL;
    r->n_numbers = 0;
}

enum audit_verdict audit_verdict(const struct audit_report *r)
{
    if (r->failed)
        return AUDIT_FAILED;
    return r->missing.n ? AUDIT_INCOMPLETE : AUDIT_VERIFIED;
}

static const struct {
    const char *name;
    int exit;
} verdicts[] = {
    [AUDIT_VERIFIED] = { "VERIFIED", EXIT_DONE },
    [AUDIT_FAILED] = { "FAILED", EXIT_FAILED },
    [AUDIT_INCOMPLETE] = { "INCOMPLETE", EXIT_INCOMPLETE },
};

int audit_exit(enum audit_verdict v)
{
    return verdicts[v].exit;
}

const char *audit_verdict_name(enum audit_verdict v)
{
    return verdicts[v].name;
}

/* A sentence may quote what a stranger wrote: it is made safe for a terminal here, once. */
static void put_sentence(struct buf *out, const char *fmt, va_list ap)
{
    char line[SENTENCE_MAX / 4];

    vsnprintf(line, sizeof(line), fmt, ap);
    text_safe(out, span_str(line));
}

int audit_fail(struct audit_report *r, int rc, const char *fmt, ...)
{
    va_list ap;

    if (r->failed)
        return rc;
    r->failed = rc;
    va_start(ap, fmt);
    put_sentence(&r->why, fmt, ap);
    va_end(ap);
    return rc;
}

int audit_fail_entry(struct audit_report *r, uint64_t index, int rc, const char *fmt, ...)
{
    va_list ap;

    if (r->failed)
        return rc;
    r->failed = rc;
    r->at_entry = true;
    r->failed_entry = index;
    va_start(ap, fmt);
    put_sentence(&r->why, fmt, ap);
    va_end(ap);
    return rc;
}

static void add_line(struct audit_lines *l, const char *fmt, va_list ap)
{
    if (l->n++ >= AUDIT_LINES_MAX)
        return;
    put_sentence(&l->text, fmt, ap);
    buf_put_u8(&l->text, '\n');
}

void audit_missing(struct audit_report *r, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    add_line(&r->missing, fmt, ap);
    va_end(ap);
}

void audit_alarm(struct audit_report *r, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    add_line(&r->alarms, fmt, ap);
    va_end(ap);
}
