#ifndef HL_CLIENT_WISH_H
#define HL_CLIENT_WISH_H

#include "client/verb.h"

/* What the officer wants to say: the pairs of send, retract and link-test, read into what compose_draft() takes. */
struct wish {
    struct draft_input in;
    struct content content;
    struct recipient to[ENVELOPE_TO_MAX];
    struct target_of {
        bool known;
        uint8_t mid[32];
        struct message message;
        struct envelope env;
        struct content content;
    } target;
};

/** wish_read - @kind 0: as the pairs say.  What a target fills in: see verbs.h.  -HL_EUSAGE and others with a sentence. */
int wish_read(struct verb *v, struct wish *w, unsigned kind);

#endif
