#ifndef HL_SERVER_DOCUMENTS_INNER_H
#define HL_SERVER_DOCUMENTS_INNER_H

#include "server/documents.h"

/* Of documents*.c alone: what is kept, in memory as in the store. */
#define KEY_SIZE 256

/* One document that the store keeps. */
struct kept {
    char key[KEY_SIZE];
    uint64_t index, time_ms;
    uint8_t hash[32]; /* of the whole note */
};

struct documents {
    struct store *store;
    struct entries *entries;
    enum realm realm;
    const char *origin;
    struct directory *dir;
    struct kept *v;
    size_t n, cap;
};

#endif
