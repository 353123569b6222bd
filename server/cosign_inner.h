#ifndef HL_SERVER_COSIGN_INNER_H
#define HL_SERVER_COSIGN_INNER_H

#include "server/cosign.h"

/* Of cosign*.c alone. */

struct witness {
    struct note_key key;
    char poc[64];       /* whose station holds it; "" unknown */
    bool known;         /* size is what it told us */
    uint64_t size;      /* of its newest cosignature */
    uint64_t conn, tag; /* asked, 0 not */
    uint64_t asked_size, asked_ms, rest_until_ms;
    size_t line, line_n; /* its line in c->lines, of this round; line_n 0 none */
};

struct cosign {
    struct store *store;
    struct log *log;
    struct head *head;
    struct sessions *sessions;
    struct outbox *outbox;
    uint64_t every_ms, tag;
    size_t n;
    struct witness witness[COSIGN_WITNESSES];
    /* the round */
    uint64_t size, began_ms;
    struct buf note, lines;
    /* the newest with a quorum */
    uint64_t witnessed;
    struct buf merged;
    bool fresh;
};

bool cosign_names_host(const struct cosign *c, const struct agreement *a);
bool cosign_same_key(const struct note_key *a, const struct note_key *b);
/** cosign_find - the witness with this name and key, NULL when there is none. */
struct witness *cosign_find(struct cosign *c, const struct note_key *key);

#endif
