#include "client/audit/command.h"

#include <stdio.h>
#include <string.h>

#include "client/audit/prove.h"
#include "client/audit/verify.h"
#include "common/error.h"
#include "common/file.h"
#include "common/record.h"
#include "common/text.h"

#define OUTPUT_MAX (1 << 26)

static int fail(int rc, const char *what)
{
    fprintf(stderr, "audit: error: %s\nhint: %s (%s)\n", what, error_hint(rc), error_name(rc));
    return rc == -HL_EUSAGE ? EXIT_USAGE : EXIT_FAILED_OTHER;
}

static int print(const struct buf *out)
{
    if (out->bad || fwrite(out->p, 1, out->n, stdout) != out->n || fflush(stdout))
        return fail(-HL_ESYS, "cannot write to standard output");
    return 0;
}

/* The whole file at @path, or standard input for "-". */
static int read_input(const char *path, struct buf *in)
{
    uint8_t chunk[4096];
    size_t n;

    if (strcmp(path, "-") != 0)
        return file_read(path, in);
    while ((n = fread(chunk, 1, sizeof(chunk), stdin)) > 0)
        if (buf_put(in, chunk, n))
            return in->bad;
    return ferror(stdin) ? -HL_ESYS : 0;
}

/* What cannot be read cannot be verified: INCOMPLETE, with the name. */
static int unreadable(const char *path, int rc)
{
    printf("%-10s %s: %s\n", audit_verdict_name(AUDIT_INCOMPLETE), path, error_text(rc));
    return EXIT_INCOMPLETE;
}

int audit_command_verify(const struct audit_options *o)
{
    struct audit_report r;
    struct buf out;
    int rc, status;

    buf_init(&out, OUTPUT_MAX);
    audit_report_init(&r, o->arg[0]);
    rc = audit_verify(o->arg[0], &r);
    if (rc) {
        status = fail(rc, error_text(rc));
    } else {
        if (o->json)
            audit_json(&out, &r);
        else
            audit_card(&out, &r);
        status = print(&out);
        status = status ? status : audit_exit(audit_verdict(&r));
    }
    audit_report_release(&r);
    buf_release(&out);
    return status;
}

/* 3 and 4 are verdicts on the mirror; what is no verdict is 1. */
static int prove_exit(int rc, const char *why)
{
    int status = error_exit(rc);

    if (rc == -HL_ESYS || rc == -HL_ENOMEM || rc == -HL_ETOOBIG)
        return fail(rc, why);
    status = status == EXIT_INCOMPLETE ? EXIT_INCOMPLETE : EXIT_FAILED;
    fprintf(stderr, "%-10s %s: %s\n",
            audit_verdict_name(status == EXIT_FAILED ? AUDIT_FAILED : AUDIT_INCOMPLETE),
            error_name(rc), why);
    return status;
}

int audit_command_prove(const struct audit_options *o)
{
    struct buf out, why;
    uint64_t index;
    int rc, status;

    if (text_decimal(&index, span_str(o->arg[1])))
        return fail(-HL_EUSAGE, "INDEX is a decimal number without leading zeros");
    buf_init(&out, OUTPUT_MAX);
    buf_init(&why, 2000);
    rc = audit_prove(o->arg[0], index, &out, &why);
    if (rc) {
        status = prove_exit(rc, buf_str(&why));
    } else if (o->out && strcmp(o->out, "-") != 0) {
        rc = file_publish(o->out, buf_span(&out), 0644);
        status = rc ? fail(rc, o->out) : EXIT_DONE;
    } else {
        status = print(&out);
    }
    buf_release(&out);
    buf_release(&why);
    return status;
}

static int judge_receipt(const struct audit_options *o, const struct buf in[static 3])
{
    struct audit_receipt r;
    struct buf out;
    int status, rc = audit_receipt(buf_span(&in[0]), buf_span(&in[1]), buf_span(&in[2]), &r);

    buf_init(&out, OUTPUT_MAX);
    if (rc) {
        status = fail(rc, error_text(rc));
    } else {
        if (o->json)
            audit_receipt_json(&out, &r);
        else
            audit_receipt_card(&out, &r);
        status = print(&out);
        status = status ? status : audit_exit(r.verdict);
    }
    audit_receipt_release(&r);
    buf_release(&out);
    return status;
}

int audit_command_receipt(const struct audit_options *o)
{
    struct buf in[3];
    int rc = 0, i, status;

    for (i = 0; i < 3; i++)
        buf_init(&in[i], OUTPUT_MAX);
    for (i = 0; i < 3 && !rc; i++)
        rc = read_input(o->arg[i], &in[i]);
    status = rc ? unreadable(o->arg[i - 1], rc) : judge_receipt(o, in);
    for (i = 0; i < 3; i++)
        buf_release(&in[i]);
    return status;
}
