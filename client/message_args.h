#ifndef HL_CLIENT_MESSAGE_ARGS_H
#define HL_CLIENT_MESSAGE_ARGS_H

#include "client/commands.h"
#include "client/form.h"

/*
 * What an officer typed, as the pairs of a `send`: a form file, options that override it, text, an attachment.
 * Everything that the request borrows lives here until it was asked.
 */
struct message_args {
    struct phrasebook *book; /* NULL when neither form nor rendering needed one */
    struct form *form;       /* NULL without --form */
    struct buf text, file, attachment;
    uint64_t ack_within_s;
    const char *precedence;
};

void message_args_init(struct message_args *m);
void message_args_release(struct message_args *m);
/** message_args_read - read files and options of the session and add the pairs to @req. */
int message_args_read(struct session *s, struct message_args *m, struct verb_request *req);
/** session_phrasebook - $HOTLINE_PHRASEBOOK, else <desk>/phrasebook.cfg, else that of the source tree around the
 * program, else the installed one. -HL_ENOENT. */
int session_phrasebook(struct session *s, struct phrasebook **out);
/** session_mid - the message id of @number (as people write it). */
int session_mid(struct session *s, const char *number, uint8_t mid[static 32]);
/**
 * exposure_print - to stderr: who will read it, who learns that it exists and what, and that every reader can prove
 * it.  @readers: "poc action|information", from @req's pairs "to".
 */
int exposure_print(struct session *s, const char *channel, const struct verb_request *req);
/** confirm_urgent - in the live realm a FLASH or IMMEDIATE is released only when "<PRECEDENCE> <PARTY>" was typed. -HL_EUSAGE. */
int confirm_urgent(struct session *s, const char *precedence, struct span first_reader);

#endif
