/*
 * hotline-audit: the record, verified offline.  No network library, no database, no secret key in
 * this program.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "client/audit/command.h"
#include "common/error.h"
#include "common/version.h"

static const struct command {
    const char *name;
    int (*run)(const struct audit_options *o);
    int args;
    bool json, out; /* options that it takes */
    const char *usage, *help;
} commands[] = {
    { "verify", audit_command_verify, 1, true, false, "DIR [--json]",
      "verify the mirror in DIR from every entry up" },
    { "prove", audit_command_prove, 2, false, true, "DIR INDEX [--out FILE]",
      "write the receipt of an entry, with its opening when the mirror has it" },
    { "receipt", audit_command_receipt, 3, true, false, "PROOF ENTRY POLICY [--json]",
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

static int parse(struct audit_options *o, const struct command *c, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0 && c->json)
            o->json = true;
        else if (strcmp(argv[i], "--out") == 0 && c->out && i + 1 < argc)
            o->out = argv[++i];
        else if ((argv[i][0] == '-' && argv[i][1]) || o->n == c->args)
            return -HL_EUSAGE;
        else
            o->arg[o->n++] = argv[i];
    }
    return o->n == c->args ? 0 : -HL_EUSAGE;
}

static int run(const struct command *c, int argc, char **argv)
{
    struct audit_options o = { 0 };

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
        return EXIT_FAILED_OTHER;
    for (size_t i = 0; i < COUNT(commands); i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return run(&commands[i], argc - 2, argv + 2);
    fprintf(stderr, "hotline-audit: error: no command \"%s\"\nhint: hotline-audit --help\n",
            argv[1]);
    return EXIT_USAGE;
}
