#ifndef HL_CLIENT_COMMANDS_H
#define HL_CLIENT_COMMANDS_H

#include "client/args.h"
#include "client/output.h"
#include "client/station.h"
#include "client/verbs.h"

/*
 * The commands of `hotline`, one table.  A command reads its arguments, asks verbs of the desk (client/verbs.h) and
 * prints rows; it holds no state of its own.  The dispatcher prepares what an entry needs; usage prints from the table.
 */
enum need {
    NEED_DESK = 1,   /* a station's folder: settings read, no keys */
    NEED_REALM = 2,  /* works without a desk when --realm says the realm */
};

struct command;

struct session {
    const struct command *command;
    const char *desk_dir;    /* --desk, or NULL */
    struct station *station; /* NEED_DESK */
    enum realm realm;
    struct output out;
    struct args args;
    bool json, no_input;
    int pass_fd;             /* --passphrase-fd, -1 */
    struct buf keep;         /* strings that requests borrow: one block, filled before use */
    struct buf why;          /* a sentence about what went wrong */
};

struct command {
    const char *group;         /* heading in the usage */
    const char *name;          /* "inbox", "party card" */
    int (*run)(struct session *s);
    unsigned needs;
    unsigned min, max;         /* positional arguments */
    const char *args, *help;
    const struct arg_spec *specs; /* ends with a NULL name; NULL: none */
    /* for command_verb(): the verb, and the pairs that the positional arguments set; "MSG" names a message */
    const char *verb, *positional[2];
};

extern const struct command commands[];
extern const size_t commands_n;

/** command_verb - ask s->command->verb with the options that have a key; print its rows. */
int command_verb(struct session *s);
/** session_request - begin a request; session_options adds every option that has a key; session_message the name of a message from positional argument @from on ("BOREALIA 7-6", "BOREALIA" "7-6", a mid in hex; then a channel); -HL_EUSAGE. */
void session_request(struct verb_request *req, const char *verb);
void session_options(struct session *s, struct verb_request *req);
int session_message(struct session *s, struct verb_request *req, size_t from);
/** session_keep - @v lives until the session ends. */
struct span session_keep(struct session *s, struct span v);
/** session_path - @path as the agent finds it too: absolute. */
struct span session_path(struct session *s, const char *path);
/** session_ask - run @req; every row goes to @row (NULL: printed).  Returns the verb's end; its sentence is in s->why. */
int session_ask(struct session *s, const struct verb_request *req, int (*row)(void *arg, const struct pair *pair, size_t n), void *arg);
/** session_pass - the passphrase of key file @path when it is sealed; *pass NULL when it is not.  -HL_EPASS, -HL_ENOKEY... */
int session_pass(struct session *s, const char *path, struct secret **pass);
/** session_new_pass - a passphrase for new keys, NULL with --no-passphrase. -HL_EUSAGE when neither is possible. */
int session_new_pass(struct session *s, struct secret **pass);
/** session_fail - remember a sentence; returns @rc. */
int session_fail(struct session *s, int rc, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/** session_file - whole file or "-" (standard input) into @out; a secret key is refused without an echo. */
int session_file(struct session *s, const char *path, struct buf *out);
/** session_number - decimal option @name; @dflt when absent. -HL_EUSAGE. */
int session_number(struct session *s, const char *name, uint64_t dflt, uint64_t *v);

/* cmd_send.c */    int cmd_send(struct session *s), cmd_reply(struct session *s);
/* cmd_release.c */ int cmd_release(struct session *s);
/* cmd_show.c */    int cmd_show(struct session *s);
/* cmd_step.c */    int cmd_step(struct session *s);
/* cmd_duty.c */    int cmd_duty_begin(struct session *s);
/* cmd_receipt.c */ int cmd_receipt(struct session *s), cmd_attachment(struct session *s), cmd_export(struct session *s), cmd_import(struct session *s);
/* cmd_status.c */  int cmd_status(struct session *s);
/* cmd_agent.c */   int cmd_agent(struct session *s);
/* cmd_station.c */ int cmd_init(struct session *s), cmd_position(struct session *s), cmd_host(struct session *s);
/* cmd_party.c */   int cmd_party_init(struct session *s), cmd_party_card(struct session *s), cmd_party_sign(struct session *s), cmd_fingerprint(struct session *s), cmd_party_pin(struct session *s), cmd_stop(struct session *s), cmd_submit(struct session *s);
/* cmd_agreement.c */ int cmd_agreement_new(struct session *s), cmd_agreement_sign(struct session *s), cmd_agreement_show(struct session *s), cmd_agreement_explain(struct session *s);
/* cmd_psk.c */     int cmd_psk_half(struct session *s), cmd_psk_combine(struct session *s);
/* cmd_audit.c */   int cmd_audit_verify(struct session *s), cmd_audit_prove(struct session *s), cmd_audit_receipt(struct session *s);
/* cmd_own.c */     int cmd_config(struct session *s), cmd_explain(struct session *s), cmd_help(struct session *s), cmd_phrasebook(struct session *s);
/** cmd_topic - `hotline help TOPIC`. */
int cmd_topic(struct session *s, const char *topic);
/** print_version - for --version; returns the exit status. */
int print_version(void);

/** station_dump - every setting of the desk, its value and where it comes from. */
int station_dump(const struct station *s, struct buf *out);

#endif
