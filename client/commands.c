#include "client/commands.h"

#define END                                                                                        \
    {                                                                                              \
        NULL, 0, NULL, NULL, NULL                                                                  \
    }
#define WAIT                                                                                       \
    {                                                                                              \
        "wait", 'W', "SECONDS", "wait_s", "wait that long; see the exit status"                    \
    }
#define POSITION                                                                                   \
    {                                                                                              \
        "position", 0, "NAME", "position", "sign as this position (default: the one on duty)"      \
    }
#define NEW_PASS                                                                                   \
    {                                                                                              \
        "no-passphrase", 0, NULL, NULL, "new keys are not sealed; file mode and disk protect them" \
    }
#define ALL                                                                                        \
    {                                                                                              \
        "all", 'a', NULL, "all", "everything, not only what is open"                               \
    }
#define LIMIT                                                                                      \
    {                                                                                              \
        "limit", 'n', "N", "limit", "at most N"                                                    \
    }
#define HOST                                                                                       \
    {                                                                                              \
        "host", 0, "ORIGIN", "host", "of this host (default: the first)"                           \
    }
#define PARTY_DIR                                                                                  \
    {                                                                                              \
        "party", 0, "DIR", NULL, "the party's folder, with its root keys and newest card"          \
    }

static const struct arg_spec send_specs[] = {
    { "form", 'f', "FILE", NULL, "a form file (fields, addressees, precedence)" },
    { "text", 't', "FILE", NULL, "free text from a file, - for standard input" },
    { "attach", 0, "FILE", NULL, "one attachment" },
    { "attach-type", 0, "TYPE", NULL, "its media type (default application/octet-stream)" },
    { "attach-label", 0, "LABEL", NULL, "what it is called in the message (default: annex)" },
    { "to", 0, "POC", NULL, "action addressee; may be repeated" },
    { "info", 0, "POC", NULL, "information addressee; may be repeated" },
    { "kind", 0, "KIND", "kind", "notification (default), request, information" },
    { "precedence", 'p', "WORD", "precedence", "ROUTINE (default), PRIORITY, IMMEDIATE, FLASH" },
    { "category", 0, "WORD", "category", "a category of the agreement" },
    { "marking", 0, "WORD", "marking", "a marking of the agreement" },
    { "seal-labels", 0, NULL, "seal_labels", "keep category and marking from the host" },
    { "subject", 's', "TEXT", "subject", "one line" },
    { "language", 0, "TAG", "language", "of the free text (default: the desk's)" },
    { "ref", 0, "NUMBER", NULL, "a message that this one names; may be repeated" },
    { "ack-within", 0, "SECONDS", "ack_within_s", "default: the agreement's deadline" },
    { "draft", 0, NULL, "draft_only", "only draft; another position releases" },
    POSITION,
    { "alone", 0, NULL, "alone",
      "release alone after waiting for the second position (shown to all)" },
    { "break-glass", 0, NULL, "break_glass",
      "release alone at once (shown to all, in every report)" },
    { "confirm", 0, "TEXT", NULL, "what an urgent live message must have typed: FLASH ARCADIA" },
    { "dry-run", 0, NULL, NULL, "show who would read it and what they would see; send nothing" },
    WAIT,
    END,
};
static const struct arg_spec release_specs[] = {
    POSITION,
    { "key", 0, "FILE", NULL,
      "sign in this process with this position key; the desk gets only the signature" },
    { "alone", 0, NULL, "alone", "no second position answered in 5 minutes" },
    { "break-glass", 0, NULL, "break_glass", "override the two-position rule" },
    { "confirm", 0, "TEXT", NULL, "what an urgent live message must have typed: FLASH ARCADIA" },
    WAIT,
    END,
};
static const struct arg_spec list_specs[] = { ALL, LIMIT, END };
static const struct arg_spec show_specs[] = {
    { "language", 0, "TAG", NULL, "in this language (default: the desk's)" },
    { "fields", 0, NULL, NULL, "the raw rows instead of the rendered form" },
    END,
};
static const struct arg_spec step_specs[] = {
    { "typed", 0, "NUMBER", "typed", "the number as you read it: 7-6" },
    { "code", 0, "N", "code", "reason, for refused" },
    { "text", 't', "TEXT", "text", "a remark, sealed; it stands beside the step in every view" },
    POSITION,
    WAIT,
    END,
};
static const struct arg_spec retract_specs[] = {
    { "text", 't', "TEXT", "text", "why, in free text" }, POSITION, WAIT, END
};
static const struct arg_spec endorse_specs[] = {
    { "text", 't', "FILE", NULL, "free text from a file, - for standard input" },
    POSITION,
    WAIT,
    END,
};
static const struct arg_spec watch_specs[] = {
    { "count", 'n', "N", "count", "end after N events" },
    { "since", 0, "EVENT", "since", "from this event on (0: all kept)" },
    WAIT,
    END,
};
static const struct arg_spec wait_specs[] = { WAIT, END };
static const struct arg_spec receipt_specs[] = {
    HOST,
    { "witnessed", 0, NULL, "witnessed", "nothing less than the agreement's quorum" },
    { "out", 'o', "DIR", NULL, "write receipt.tlog-proof, receipt.entry and policy.txt there" },
    WAIT,
    END,
};
static const struct arg_spec dir_specs[] = {
    { "dir", 0, "DIR", NULL, "into this folder (default: .)" }, END
};
static const struct arg_spec out_specs[] = {
    { "out", 'o', "FILE", NULL, "into this file (default: standard output)" }, END
};
static const struct arg_spec duty_specs[] = { END };
static const struct arg_spec init_specs[] = {
    { "languages", 0, "TAGS", NULL, "comma-separated, the reader's first (default: en)" },
    { "attendance", 0, "HOURS", NULL, "24/7 (default) or 0800-1600, UTC" },
    { "witness", 0, NULL, NULL, "this station holds the party's witness key" },
    NEW_PASS,
    END,
};
static const struct arg_spec position_specs[] = {
    { "holder", 0, "NAME", NULL, "who holds it, opaque: officer-3" },
    { "permissions", 0, "WORDS", NULL, "comma-separated: draft release acknowledge stop audit" },
    NEW_PASS,
    END,
};
static const struct arg_spec party_init_specs[] = {
    { "roots", 0, "N", NULL, "root keys to make, 1 to 5 (default 1)" },
    { "threshold", 0, "K", NULL, "how many sign (default: all)" },
    NEW_PASS,
    END,
};
static const struct arg_spec card_specs[] = {
    { "poc", 0, "FILE", NULL, "poc.public of a PoC; may be repeated; replaces that office" },
    { "host", 0, "FILE", NULL, "host.public of a broker that the party runs; may be repeated" },
    { "alternate", 0, "OFFICE=POC", NULL, "an alternate of an office, in order; may be repeated" },
    { "drop", 0, "OFFICE|ORIGIN", NULL, "leave out what the card before had; may be repeated" },
    { "revoke", 0, "KEY", NULL, "a key (base64) that is revoked from now; may be repeated" },
    { "resume", 0, "DIGEST", NULL, "lift the party's stop of this agreement (hex)" },
    { "days", 0, "N", NULL, "valid for N days (default 365)" },
    END,
};
static const struct arg_spec stop_specs[] = {
    PARTY_DIR,
    { "key", 0, "FILE", NULL, "sign with a position key that has the permission stop" },
    { "card", 0, "FILE", NULL, "the card in force (default: card.note of the party's folder)" },
    { "reason", 0, "TEXT", NULL, "shown to everyone" },
    { "out", 'o', "FILE", NULL, "into this file (default: standard output)" },
    END,
};
static const struct arg_spec pin_specs[] = {
    { "typed", 0, "DIGITS", "typed", "the digit groups as the other side reads them out" },
    END,
};
static const struct arg_spec agreement_new_specs[] = {
    { "card", 0, "FILE", NULL, "a card of each party; may be repeated" },
    { "out", 'o', "FILE", NULL, "into this file (default: standard output)" },
    END,
};
static const struct arg_spec agreement_sign_specs[] = {
    PARTY_DIR,
    { "out", 'o', "FILE", NULL, "into this file (default: standard output)" },
    END,
};
static const struct arg_spec documents_specs[] = {
    { "type", 0, "TYPE", "type", "card, subkeys, stop or agreement" },
    HOST,
    END,
};
static const struct arg_spec submit_specs[] = {
    { "host", 0, "ORIGIN", "host", "only to this host" }, WAIT, END
};
static const struct arg_spec psk_half_specs[] = { { "name", 0, "NAME", NULL, "what it is for" },
                                                  NEW_PASS,
                                                  END };
static const struct arg_spec psk_combine_specs[] = {
    { "channel", 0, "NAME", "channel", "the channel that it protects" },
    { "epoch", 0, "N", "epoch", "number of this key on that channel, from 1" },
    { "first-day", 0, "DATE", NULL, "its first UTC day, as agreed: 2026-11-22 (default: today)" },
    END,
};
static const struct arg_spec mirror_specs[] = {
    HOST,
    { "audit", 0, NULL, "audit", "with the openings of this PoC's mandate as auditor" },
    WAIT,
    END,
};
static const struct arg_spec explain_specs[] = { END };

/* clang-format off */
const struct command commands[] = {
    { "daily", "send", cmd_send, NEED_DESK, 0, 1, "[CHANNEL] [--form FILE] ...", "draft a message, and release it where one position may", send_specs, "send", { NULL, NULL } },
    { "daily", "inbox", command_verb, NEED_DESK, 0, 0, "", "what came and awaits you", list_specs, "inbox", { NULL, NULL } },
    { "daily", "outbox", command_verb, NEED_DESK, 0, 0, "", "what you sent and is not settled", list_specs, "outbox", { NULL, NULL } },
    { "daily", "show", cmd_show, NEED_DESK, 1, 3, "NUMBER [CHANNEL]", "a message, in your language, with its steps", show_specs, "show", { "MSG", NULL } },
    { "daily", "thread", command_verb, NEED_DESK, 1, 3, "NUMBER [CHANNEL]", "all messages of its thread", NULL, "thread", { "MSG", NULL } },
    { "daily", "ack", cmd_step, NEED_DESK, 1, 3, "NUMBER [CHANNEL]", "acknowledge receipt (it confirms receipt only)", step_specs, "acknowledged", { NULL, NULL } },
    { "daily", "understood", cmd_step, NEED_DESK, 1, 3, "NUMBER [CHANNEL]", "say that the message was understood", step_specs, "understood", { NULL, NULL } },
    { "daily", "passed", cmd_step, NEED_DESK, 1, 3, "NUMBER [CHANNEL]", "say that it was passed on", step_specs, "passed", { NULL, NULL } },
    { "daily", "refuse", cmd_step, NEED_DESK, 1, 3, "NUMBER [CHANNEL]", "refuse it, with a reason code", step_specs, "refused", { NULL, NULL } },
    { "daily", "reply", cmd_reply, NEED_DESK, 1, 3, "NUMBER [CHANNEL] [--form FILE] ...", "answer a message", send_specs, "reply", { NULL, NULL } },
    { "daily", "correct", cmd_reply, NEED_DESK, 1, 3, "NUMBER [CHANNEL] [--form FILE] ...", "correct fields of a message of yours", send_specs, "correction", { NULL, NULL } },
    { "daily", "retract", command_verb, NEED_DESK, 1, 3, "NUMBER [CHANNEL]", "retract a message of this PoC, one action, same reach", retract_specs, "retract", { "MSG", NULL } },
    { "daily", "endorse", cmd_reply, NEED_DESK, 1, 3, "NUMBER [CHANNEL]", "confirm a retraction or a release alone, as second position", endorse_specs, "endorsement", { NULL, NULL } },
    { "daily", "drafts", command_verb, NEED_DESK, 0, 0, "", "what waits for release", NULL, "drafts", { NULL, NULL } },
    { "daily", "release", cmd_release, NEED_DESK, 1, 1, "DRAFT", "release a draft as the second position", release_specs, "release", { NULL, NULL } },
    { "daily", "watch", command_verb, NEED_DESK, 0, 0, "", "events as they come; -n N -W S ends", watch_specs, "watch", { NULL, NULL } },
    { "daily", "status", cmd_status, NEED_DESK, 0, 0, "", "where things stand, and what to do next", NULL, "status", { NULL, NULL } },
    { "daily", "duty begin", cmd_duty_begin, NEED_DESK, 1, 1, "POSITION", "unlock a position's key", duty_specs, "duty-begin", { NULL, NULL } },
    { "daily", "duty end", command_verb, NEED_DESK, 0, 1, "[POSITION]", "lock it", NULL, "duty-end", { "position", NULL } },

    { "people", "contacts", command_verb, NEED_DESK, 0, 0, "", "who can be reached, when, through which channels", NULL, "contacts", { NULL, NULL } },
    { "people", "fingerprint", cmd_fingerprint, NEED_REALM, 1, 1, "CARD", "the digits of a party's root set, to be read aloud", NULL, NULL, { NULL, NULL } },
    { "people", "ping", command_verb, NEED_DESK, 0, 0, "", "round trip to each host", wait_specs, "ping", { NULL, NULL } },

    { "by hand", "export", cmd_export, NEED_DESK, 1, 3, "NUMBER [CHANNEL]", "a message as it travels, for a stick or a letter", out_specs, "export", { "MSG", NULL } },
    { "by hand", "import", cmd_import, NEED_DESK, 1, 1, "FILE", "take a message that was carried by hand", NULL, "import", { NULL, NULL } },
    { "by hand", "attachment save", cmd_attachment, NEED_DESK, 1, 3, "NUMBER [CHANNEL]", "save an attachment, read-only, under a name of ours", dir_specs, "attachment", { "MSG", NULL } },

    { "trust", "init", cmd_init, NEED_REALM, 2, 2, "DIR PARTY.OFFICE", "make the desk and the station keys of a PoC", init_specs, NULL, { NULL, NULL } },
    { "trust", "position", cmd_position, NEED_DESK, 1, 1, "NAME", "make a position's key", position_specs, NULL, { NULL, NULL } },
    { "trust", "host", cmd_host, NEED_DESK, 1, 1, "host.public", "connect this desk to a broker", NULL, NULL, { NULL, NULL } },
    { "trust", "party init", cmd_party_init, NEED_REALM, 2, 2, "DIR PARTY", "make a party's folder and root keys", party_init_specs, NULL, { NULL, NULL } },
    { "trust", "party card", cmd_party_card, NEED_REALM, 1, 1, "DIR", "make and sign the party's next card", card_specs, NULL, { NULL, NULL } },
    { "trust", "party sign", cmd_party_sign, NEED_REALM, 2, 2, "DIR NOTE", "add the signatures of the root keys in DIR", out_specs, NULL, { NULL, NULL } },
    { "trust", "party list", command_verb, NEED_DESK, 0, 0, "", "the parties whose cards are in force", NULL, "party-list", { NULL, NULL } },
    { "trust", "party pin", cmd_party_pin, NEED_DESK, 1, 1, "PARTY", "compare a fingerprint: type what the other side reads out", pin_specs, "party-pin", { NULL, NULL } },
    { "trust", "agreement new", cmd_agreement_new, NEED_REALM, 1, 1, "FILE.cfg", "print an agreement's text from its source", agreement_new_specs, NULL, { NULL, NULL } },
    { "trust", "agreement sign", cmd_agreement_sign, NEED_REALM, 1, 1, "TEXT", "sign an agreement's text for a party", agreement_sign_specs, NULL, { NULL, NULL } },
    { "trust", "agreement list", command_verb, NEED_DESK, 0, 0, "", "agreements known to this desk, and who signed", NULL, "agreement-list", { NULL, NULL } },
    { "trust", "agreement show", cmd_agreement_show, NEED_DESK, 1, 1, "NAME|DIGEST", "one agreement", NULL, "agreement-show", { "name", NULL } },
    { "trust", "agreement explain", cmd_agreement_explain, NEED_REALM, 2, 2, "TEXT PARTY", "what it means for a party, in sentences", NULL, NULL, { NULL, NULL } },
    { "trust", "subkeys announce", command_verb, NEED_DESK, 0, 0, "", "draw and publish 30 days of new subkeys", wait_specs, "subkeys-announce", { NULL, NULL } },
    { "trust", "stop", cmd_stop, NEED_REALM, 2, 2, "key|subkey|agreement|host ID", "write a stop: takes away at once", stop_specs, NULL, { NULL, NULL } },
    { "trust", "submit", cmd_submit, NEED_DESK, 1, 1, "NOTE", "bring a document into the record", submit_specs, "submit", { NULL, NULL } },
    { "trust", "documents", command_verb, NEED_DESK, 0, 0, "", "the documents of the record", documents_specs, "documents", { NULL, NULL } },
    { "trust", "psk half", cmd_psk_half, NEED_REALM, 1, 1, "FILE", "draw one half of a pre-shared key, for a courier", psk_half_specs, NULL, { NULL, NULL } },
    { "trust", "psk combine", cmd_psk_combine, NEED_DESK, 2, 2, "HALF-A HALF-B", "join two halves; compare the check value by telephone", psk_combine_specs, "psk-combine", { "half-a", "half-b" } },
    { "trust", "psk list", command_verb, NEED_DESK, 0, 0, "", "the pre-shared keys of this desk", NULL, "psk-list", { NULL, NULL } },

    { "record", "receipt", cmd_receipt, NEED_DESK, 1, 3, "NUMBER [CHANNEL]", "the proof that a message was recorded", receipt_specs, "receipt", { "MSG", NULL } },
    { "record", "audit mirror", command_verb, NEED_DESK, 1, 1, "DIR", "copy the record, verified, into a folder", mirror_specs, "mirror", { "dir", NULL } },
    { "record", "audit verify", cmd_audit_verify, 0, 1, 1, "DIR", "recompute everything: VERIFIED, FAILED or INCOMPLETE", NULL, NULL, { NULL, NULL } },
    { "record", "audit prove", cmd_audit_prove, 0, 2, 2, "DIR INDEX", "a tlog-proof of one entry of a mirror", out_specs, NULL, { NULL, NULL } },
    { "record", "audit receipt", cmd_audit_receipt, 0, 3, 3, "PROOF ENTRY POLICY", "check a receipt, offline", NULL, NULL, { NULL, NULL } },
    { "record", "evidence", command_verb, NEED_DESK, 0, 0, "", "what proves a fault of somebody", NULL, "evidence", { NULL, NULL } },

    { "own", "agent", cmd_agent, NEED_DESK, 0, 0, "", "the station: stays connected, fetches, answers, cosigns", NULL, NULL, { NULL, NULL } },
    { "own", "config", cmd_config, NEED_DESK, 0, 0, "", "the desk's settings and where they come from", NULL, NULL, { NULL, NULL } },
    { "own", "phrasebook", cmd_phrasebook, 0, 1, 2, "lint|print [FILE]", "check or print a phrasebook", NULL, NULL, { NULL, NULL } },
    { "own", "explain", cmd_explain, 0, 1, 1, "E-NAME", "what an error means and what to do", explain_specs, NULL, { NULL, NULL } },
    { "own", "help", cmd_help, 0, 0, 2, "[COMMAND | exit-codes | errors]", "this list, or one command", NULL, NULL, { NULL, NULL } },
};
/* clang-format on */
const size_t commands_n = COUNT(commands);
