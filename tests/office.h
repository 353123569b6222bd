#ifndef HL_TESTS_OFFICE_H
#define HL_TESTS_OFFICE_H

#include "client/agent.h"
#include "client/verbs.h"
#include "tests/world.h"

/*
 * An office of the fictional world at work: station with the world's keys, a desk in memory, an agent, one host (at
 * @endpoint, or nowhere).  Subkeys are its own, serial 2, since the world's have no private half.
 */
struct office {
    const struct world *w;
    char dir[64];
    struct station station;
    struct agent agent;
    struct buf subkeys; /* the signed note */
};
void office_open(struct office *o, const struct world *w, const char *poc, const char *endpoint, const uint8_t curve[static 32]);
void office_close(struct office *o);
/** office_fold - the world's documents and the subkeys of @peers into this office's directory, as if they had come from the host. */
void office_fold(struct office *o, const struct office *const *peers, size_t n);

/* What a verb answered. */
#define ANSWER_ROWS 200
struct answer {
    int code;
    char sentence[512];
    bool ended;
    size_t n;
    struct answered {
        size_t n;
        struct pair pair[VERB_ROW_MAX]; /* keys and values in bytes */
    } row[ANSWER_ROWS];
    struct buf bytes;
};
void answer_init(struct answer *a);
void answer_release(struct answer *a);
/** answer_get - the value of @key in the @i-th row of kind @row; SPAN_NONE. */
struct span answer_get(const struct answer *a, const char *row, size_t i, const char *key);
bool answer_is(const struct answer *a, const char *row, size_t i, const char *key, const char *want);
size_t answer_count(const struct answer *a, const char *row);

/** office_start - begin verb @name with pairs "key=value" up to a NULL; the request lives in @o until the next. */
void office_start(struct office *o, struct answer *a, const char *name, ...) __attribute__((sentinel));
/** office_request - the same in two steps, for values that are no C strings: fill it, then office_begin(). */
struct verb_request *office_request(void);
void office_begin(struct office *o, struct answer *a);
/** office_run - run the agent until the verb ended; @beside runs between its steps (NULL: nothing).  Returns the code. */
int office_run(struct office *o, struct answer *a, void (*beside)(void *arg), void *arg);

#endif
