/*
 * hotline-audit: the record, verified offline.  No network library, no database, no secret key in
 * this program.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "client/audit/prove.h"
#include "client/audit/verify.h"
#include "common/error.h"
#include "common/file.h"
#include "common/record.h"
#include "common/text.h"
#include "common/version.h"

#define OUTPUT_MAX (1 << 20)

struct options {
    bool json;
    const char *out;
    const char *arg[4];
    int n;
};

static int cmd_verify(const struct options *o);
static int cmd_prove(const struct options *o);
static int cmd_receipt(const struct options *o);

static const struct command {
    const char *name;
    int (*run)(const struct options *o);
    int args;
    bool json, out; /* options that it takes */
    const char *usage, *help;
} commands[] = {
    { "verify", cmd_verify, 1, true, false, "DIR [--json]",
      "verify the mirror in DIR from every entry up" },
    { "prove", cmd_prove, 2, false, true, "DIR INDEX [--out FILE]",
      "write the receipt of an entry, with its opening when the mirror has it" },
    { "receipt", cmd_receipt, 3, true, false, "PROOF ENTRY POLICY [--json]",
      "verify a receipt (tlog-proof) of the bytes in file ENTRY under a tlog-policy" },
};

static const char *const exits[] = {
    "0  VERIFIED",
    "1  unexpected failure",
    "2  wrong usage",
    "3  FAILED: evidence of tampering, or a bad signature; the first bad entry is named",
    "4  INCOMPLETE: nothing is wrong, something that a verdict needs is missing",
};

static void usage(FILE *to)
{
    fputs("hotline-audit verifies the record of a hotline, offline.\n\n", to);
    for (size_t i = 0; i < COUNT(commands); i++)
        fprintf(to, "  hotline-audit %-8s %s\n      %s\n", commands[i].name, commands[i].usage,
                commands[i].help);
    fputs("  hotline-audit --help | --version\n\nFILE \"-\" is standard input or output.  Exit "
          "status:\n",
          to);
    for (size_t i = 0; i < COUNT(exits); i++)
        fprintf(to, "  %s\n", exits[i]);
    fputs(
        "\nA stock check of a receipt with openssl and coreutils alone: tests/stock/receipt.sh.\n",
        to);
}

static int fail(int rc, const char *what)
{
    fprintf(stderr, "hotline-audit: error: %s\nhint: %s (%s)\n", what, error_hint(rc),
            error_name(rc));
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

static int cmd_verify(const struct options *o)
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

static int cmd_prove(const struct options *o)
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

static int judge_receipt(const struct options *o, const struct buf in[static 3])
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

static int cmd_receipt(const struct options *o)
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

static int parse(struct options *o, const struct command *c, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0 && c->json)
            o->json = true;
        else if (strcmp(argv[i], "--out") == 0 && c->out && i + 1 < argc)
            o->out = argv[++i];
        else if (argv[i][0] == '-' && argv[i][1])
            return -HL_EUSAGE;
        else if (o->n == c->args)
            return -HL_EUSAGE;
        else
            o->arg[o->n++] = argv[i];
    }
    return o->n == c->args ? 0 : -HL_EUSAGE;
}

static int run(const struct command *c, int argc, char **argv)
{
    struct options o = { 0 };

    if (parse(&o, c, argc, argv)) {
        fprintf(stderr, "usage: hotline-audit %s %s\n", c->name, c->usage);
        return EXIT_USAGE;
    }
    return c->run(&o);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        usage(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        usage(stdout);
        return fflush(stdout) ? EXIT_FAILED_OTHER : EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0)
        return puts("hotline-audit " HOTLINE_VERSION) < 0 || fflush(stdout) ? EXIT_FAILED_OTHER
                                                                            : EXIT_DONE;
    if (sodium_init() < 0)
        return fail(-HL_ESYS, "libsodium does not start");
    for (size_t i = 0; i < COUNT(commands); i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return run(&commands[i], argc - 2, argv + 2);
    fprintf(stderr, "hotline-audit: error: no command \"%s\"\nhint: hotline-audit --help\n",
            argv[1]);
    return EXIT_USAGE;
}
