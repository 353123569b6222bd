#ifndef HL_SERVER_FACTS_H
#define HL_SERVER_FACTS_H

#include "common/rules.h"
#include "server/hmap.h"
#include "server/store.h"

/*
 * What the rules need to know of earlier envelopes: which ids are recorded, who holds a number, what a message id
 * stands for.  Kept in memory, the least recently used forgotten beyond a limit, with the store behind it.
 *
 * facts_add() is called when an entry is staged, so that two envelopes of one turn see each other.  What is
 * staged is in memory until its commit: the limit is far above what one turn can add.
 */
#define FACTS_MAX 65536              /* nodes */
#define FACTS_BYTES_MAX (64u << 20)  /* headers kept */

struct facts;

/* One recorded envelope. */
struct fact_entry {
    uint64_t index, time_ms;
    uint8_t salt[32];
};

/* The message that a ref points to: its first entry.  The spans are good until the next call of facts. */
struct fact_message {
    uint64_t index, time_ms;
    unsigned precedence;
    const struct header *header;
};

int facts_open(struct store *st, enum realm realm, struct facts **out);
void facts_close(struct facts *f);
/** facts_id - is the envelope @id recorded?  0, -HL_ENOENT, -HL_ESTORE. */
int facts_id(struct facts *f, const uint8_t id[static 32], struct fact_entry *out);
/** facts_number - is the number of @env free, its own, or another's (@other: that envelope's id)? */
int facts_number(struct facts *f, const struct envelope *env, enum number_state *state, uint8_t other[static 32]);
/** facts_message - 0, -HL_ENOENT, -HL_ESTORE. */
int facts_message(struct facts *f, const uint8_t mid[static 32], struct fact_message *out);
/** facts_target - as the rules want it; an unknown message is no error, target->known says so. */
int facts_target(struct facts *f, const struct envelope *env, struct target *target);
int facts_add(struct facts *f, const struct envelope *env, const struct fact_entry *entry);

#endif
