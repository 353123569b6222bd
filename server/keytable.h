#ifndef HL_SERVER_KEYTABLE_H
#define HL_SERVER_KEYTABLE_H

#include "server/stages.h"

/*
 * Which transport keys may connect: the whole table goes out when it changes, and the front mutes all others at once.
 * Sessions whose key it no longer lists end with it.  Made again when a document changed keys, and every KEYTABLE_MS,
 * because validity ends without a document.
 */
#define KEYTABLE_MS 60000

struct keytable {
    uint8_t (*key)[32];
    size_t n;
    bool out; /* it went out once */
    uint64_t made_ms;
};

void keytable_release(struct keytable *t);
/** keytable_refresh - after a commit: send the table if it changed since. */
int keytable_refresh(struct keytable *t, struct stages *st);

#endif
