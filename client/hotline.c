/*
 * hotline: the client.  This file finds the command in the table, prepares what it needs, runs it,
 * and turns its result into an exit status and, on stderr, a sentence and a hint.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/commands.h"
#include "common/clock.h"
#include "common/error.h"
#include "common/text.h"

#define KEEP_MAX (64u << 20)

static const struct arg_spec none[] = { { NULL, 0, NULL, NULL, NULL } };

/* Options that come before the command's name. */
static const struct arg_spec globals[] = {
    { "desk", 'd', "DIR", NULL, "the desk (default: $HOTLINE_DESK, else $XDG_STATE_HOME/hotline)" },
    { "realm", 0, "REALM", NULL, "live or exercise, for commands that need no desk" },
    { "json", 0, NULL, NULL, "JSON Lines on stdout" },
    { "no-input", 0, NULL, NULL, "never ask; fail instead" },
    { "passphrase-fd", 0, "FD", NULL, "read passphrases from this descriptor, a line each" },
    { "help", 'h', NULL, NULL, "this help" },
    { "version", 'V', NULL, NULL, "program, protocol, libraries" },
    { NULL, 0, NULL, NULL, NULL },
};

/* ---- finding the command ---- */

static bool named(const struct command *c, int argc, char **argv, int *words)
{
    const char *space = strchr(c->name, ' ');

    *words = space ? 2 : 1;
    if (argc < *words)
        return false;
    if (!space)
        return strcmp(argv[0], c->name) == 0;
    return strlen(argv[0]) == (size_t)(space - c->name) &&
           strncmp(argv[0], c->name, strlen(argv[0])) == 0 && strcmp(argv[1], space + 1) == 0;
}

static const struct command *find(int argc, char **argv, int *words)
{
    for (size_t i = 0; i < commands_n; i++)
        if (named(&commands[i], argc, argv, words))
            return &commands[i];
    return NULL;
}

/* "party" alone: the commands that begin so. */
static bool print_family(FILE *to, const char *word)
{
    size_t len = strlen(word);
    bool any = false;

    for (size_t i = 0; i < commands_n; i++) {
        const struct command *c = &commands[i];

        if (strncmp(c->name, word, len) != 0 || c->name[len] != ' ')
            continue;
        fprintf(to, "%s hotline %s%s%s\n", any ? "      " : "usage:", c->name, *c->args ? " " : "",
                c->args);
        any = true;
    }
    return any;
}

static int no_command(const char *word)
{
    const char *names[256] = { NULL };
    const char *near;
    size_t n = 0;

    if (print_family(stderr, word))
        return EXIT_USAGE;
    for (size_t i = 0; i < commands_n && n < 255; i++)
        names[n++] = commands[i].name;
    near = nearest(word, names);
    fprintf(stderr, "hotline: error: no command \"%s\"\n", word);
    if (near)
        fprintf(stderr, "hint: did you mean \"hotline %s\"?\n", near);
    else
        fputs("hint: see `hotline help`\n", stderr);
    return EXIT_USAGE;
}

/* ---- help ---- */

static void print_specs(FILE *to, const struct arg_spec *specs)
{
    for (; specs && specs->name; specs++) {
        char left[64];

        snprintf(left, sizeof(left), "--%s%s%s", specs->name, specs->value ? " " : "",
                 specs->value ? specs->value : "");
        if (specs->letter)
            fprintf(to, "  -%c, %-26s %s\n", specs->letter, left, specs->help);
        else
            fprintf(to, "      %-26s %s\n", left, specs->help);
    }
}

static void print_command(FILE *to, const struct command *c)
{
    fprintf(to, "usage: hotline %s%s%s\n%s\n", c->name, *c->args ? " " : "", c->args, c->help);
    print_specs(to, c->specs);
}

static void print_usage(FILE *to)
{
    const char *group = "";

    fputs("usage: hotline [--desk DIR] [--json] COMMAND [ARGUMENTS]\n", to);
    for (size_t i = 0; i < commands_n; i++) {
        if (strcmp(group, commands[i].group) != 0)
            fprintf(to, "\n%s\n", group = commands[i].group);
        fprintf(to, "  %-18s %s\n", commands[i].name, commands[i].help);
    }
    fputs("\nbefore any command\n", to);
    print_specs(to, globals);
}

int cmd_help(struct session *s)
{
    char *argv[2] = { NULL, NULL };
    const struct command *c;
    int words;

    if (!s->args.n_positional) {
        print_usage(stdout);
        return 0;
    }
    for (size_t i = 0; i < 2 && i < s->args.n_positional; i++)
        argv[i] = strdup(s->args.positional[i]);
    c = argv[0] ? find(argv[1] ? 2 : 1, argv, &words) : NULL;
    free(argv[0]);
    free(argv[1]);
    if (!c && s->args.n_positional == 1 && print_family(stdout, s->args.positional[0]))
        return 0;
    if (!c)
        return cmd_topic(s, s->args.positional[0]);
    print_command(stdout, c);
    return 0;
}

/* ---- one run ---- */

static int report(struct session *s, int rc)
{
    if ((fflush(stdout) != 0 || ferror(stdout)) && !rc) /* whatever was written before, too */
        rc = -HL_ESYS;
    if (rc == 0)
        return EXIT_DONE;
    if (rc > 0) /* an exit status that the command chose itself, after saying why */
        return rc;
    while (s->why.n && s->why.p[s->why.n - 1] == '\n') /* settings end each complaint so */
        s->why.n--;
    fprintf(stderr, "hotline: error: %s\n", s->why.n ? buf_str(&s->why) : error_text(rc));
    fprintf(stderr, "hint: %s (%s)\n", error_hint(rc), error_name(rc));
    return error_exit(rc);
}

static int no_desk(struct session *s)
{
    const char *dir = s->desk_dir ? s->desk_dir : getenv("HOTLINE_DESK");

    buf_clear(&s->why);
    return session_fail(s, -HL_ENOENT,
                        "no desk%s%s: name one with --desk or HOTLINE_DESK, or make one with "
                        "`hotline --realm exercise init DIR PARTY.OFFICE`",
                        dir ? " in " : "", dir ? dir : "");
}

static int prepare(struct session *s, const struct args *global)
{
    const char *realm = args_get(global, "realm");
    int rc = 0;

    if (realm && realm_parse(&s->realm, span_str(realm)) != 0)
        return session_fail(s, -HL_EUSAGE, "--realm is live or exercise");
    if (s->command->needs & NEED_DESK) {
        rc = station_open(&s->station, s->desk_dir, &s->why);
        if (!rc)
            s->realm = s->station->realm;
        else if (rc == -HL_ENOENT)
            rc = no_desk(s);
    } else if ((s->command->needs & NEED_REALM) && !realm) {
        return session_fail(s, -HL_EUSAGE, "say --realm live or --realm exercise");
    }
    output_init(&s->out, s->realm, s->json);
    return rc;
}

static int run(struct session *s, const struct args *global, int argc, char **argv)
{
    const struct command *c = s->command;
    int rc = args_parse(&s->args, c->specs ? c->specs : none, argc, argv, &s->why);

    if (!rc && (s->args.n_positional < c->min || s->args.n_positional > c->max)) {
        print_command(stderr, c);
        return EXIT_USAGE;
    }
    if (!rc)
        rc = prepare(s, global);
    return rc ? rc : c->run(s);
}

/* Global options end at the command's name. */
static int split(struct args *global, int argc, char **argv, int *first, struct buf *why)
{
    int i = 1;

    while (i < argc && argv[i][0] == '-' && argv[i][1]) {
        bool joined = strchr(argv[i], '=') || (argv[i][1] != '-' && argv[i][2]);
        bool value =
            !joined && (strcmp(argv[i], "--desk") == 0 || strcmp(argv[i], "-d") == 0 ||
                        strcmp(argv[i], "--realm") == 0 || strcmp(argv[i], "--passphrase-fd") == 0);

        i += value ? 2 : 1;
    }
    *first = i < argc ? i : argc;
    return args_parse(global, globals, *first - 1, argv + 1, why);
}

static int start(struct session *s, int argc, char **argv)
{
    struct args global;
    char status[] = "status", *bare[] = { status };
    int first, words, rc = split(&global, argc, argv, &first, &s->why);
    uint64_t fd;

    if (rc)
        return report(s, rc);
    if (args_get(&global, "version"))
        return print_version();
    if (args_get(&global, "help")) {
        print_usage(stdout);
        return report(s, 0);
    }
    s->desk_dir = args_get(&global, "desk");
    s->json = args_get(&global, "json") != NULL;
    s->no_input = args_get(&global, "no-input") != NULL || !isatty(STDIN_FILENO);
    if (args_get(&global, "passphrase-fd") &&
        text_decimal(&fd, span_str(args_get(&global, "passphrase-fd"))) == 0 && fd < 1024)
        s->pass_fd = (int)fd;
    argc -= first;
    argv += first;
    if (argc == 0) {
        argc = 1;
        argv = bare;
    }
    s->command = find(argc, argv, &words);
    if (!s->command)
        return no_command(argv[0]);
    for (int i = words; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0)
            break;
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_command(stdout, s->command);
            return report(s, 0);
        }
        if (strcmp(argv[i], "--json") == 0) { /* also behind the command's name */
            s->json = true;
            memmove(argv + i, argv + i + 1, (size_t)(argc - i) * sizeof(*argv));
            argc--;
            i--;
        }
    }
    return report(s, run(s, &global, argc - words, argv + words));
}

int main(int argc, char **argv)
{
    struct session s = { .pass_fd = -1 };
    int rc;

    signal(SIGPIPE, SIG_IGN);
    if (keys_init() != 0)
        return EXIT_FAILED_OTHER;
    buf_init(&s.keep, KEEP_MAX);
    buf_init(&s.why, 4096);
    rc = start(&s, argc, argv);
    station_close(s.station);
    buf_release(&s.keep);
    buf_release(&s.why);
    return rc;
}
