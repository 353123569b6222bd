#ifndef HL_SERVER_BROKER_INNER_H
#define HL_SERVER_BROKER_INNER_H

#include "server/intake.h"
#include "server/keytable.h"
#include "server/queue.h"
#include "server/stages.h"
#include "server/work.h"

/* Of broker*.c alone. */
#define TURN_ENTRIES 256

struct broker {
    struct stages st;
    struct queue *queue;
    struct intake intake;
    struct work *work; /* TURN_ENTRIES */
    size_t n_work;
    struct keytable keys;
    bool overflow, more_deliveries, told;
    uint64_t space_ms, notes_ms, announced_ms;
    char origin[NOTE_MAX_NAME + 1];
    uint8_t log_key[32];
};

/** broker_control - take the frames that move sessions and windows. */
int broker_control(struct broker *b);
/** broker_work - choose what this turn takes, verify it on several threads, judge and stage it in order. */
int broker_work(struct broker *b);
/** broker_fetches - answer some questions. */
int broker_fetches(struct broker *b);
/** broker_full - so many receipts wait for the signer that nothing more is taken. */
bool broker_full(const struct broker *b);

#endif
