#ifndef HL_CLIENT_VERB_H
#define HL_CLIENT_VERB_H

#include "client/compose.h"
#include "client/ladder.h"
#include "client/sync.h"
#include "client/verbs.h"
#include "common/steps.h"
#include "common/tlog/quorum.h"

/*
 * What the verbs share.  Private to verbs.c and verb_*.c.
 *
 *   (none) -[verb_start]-> READYING (hosts to greet, mailbox to drain) -[begin]-> ended
 *                                                                      -[begin]-> WAITING -[look]-> ended
 *
 * begin() and look() return 0 or a negative code to end, VERB_WAITS to be looked at again: when something changed, at
 * look_at, and at the deadline.
 */
#define VERB_WAITS 1
#define VERB_RECORD_WAIT_MS 10000

enum verb_needs {
    NEEDS_NOTHING,
    NEEDS_READY,   /* hosts greeted: numbers and directory are those of now */
    NEEDS_DRAINED, /* and, when no agent runs, the mailbox is fetched */
};

struct verb;
struct verb_entry {
    const char *name;
    int (*begin)(struct verb *v);
    int (*look)(struct verb *v, bool over); /* NULL: begin() ends it */
    enum verb_needs needs;
    const char *keys;  /* what may come, separated by blanks; with '*' several times */
    size_t state_size; /* of v->state, zeroed */
    void (*release)(struct verb *v);
};
extern const struct verb_entry verb_entries[];

struct verb {
    struct verb *next;
    struct agent *agent;
    const struct verb_entry *entry;
    const struct verb_request *req;
    struct verb_sink sink;
    bool begun, gone;
    uint64_t changed;            /* of the agent, when it was last looked at */
    uint64_t ready_by;           /* mono ms: begin by then */
    uint64_t deadline, look_at;  /* mono ms; 0: none */
    struct buf why;              /* the sentence of the end */
    void *state;
};

/** verb_wait - the pair wait_s as a deadline from now; absent: @dflt_ms.  -HL_EUSAGE. */
int verb_wait(struct verb *v, uint64_t dflt_ms);
/** verb_uint / verb_yes / verb_32 - pairs by type; -HL_EUSAGE with a sentence.  Absent: @dflt, false, -HL_ENOENT. */
int verb_uint(struct verb *v, const char *key, uint64_t dflt, uint64_t *out);
bool verb_yes(const struct verb *v, const char *key);
int verb_32(struct verb *v, const char *key, const uint8_t **out);
/** verb_fail - put a sentence and return @rc. */
int verb_fail(struct verb *v, int rc, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/** verb_message - the message that number | mid, channel name (with @prefix before each key, "" or "target-"). */
int verb_message(struct verb *v, const char *prefix, uint8_t mid[static 32]);

/* ---- rows ---- */
struct row {
    struct pair pair[VERB_ROW_MAX];
    size_t n, used;
    char store[4096]; /* printed values */
};
void row_begin(struct row *r, const char *kind);
/** the value is borrowed until row_send(). */
void row_span(struct row *r, const char *key, struct span value);
void row_str(struct row *r, const char *key, const char *value);
void row_32(struct row *r, const char *key, const uint8_t *value);
/** the value is kept in the row. */
void row_uint(struct row *r, const char *key, uint64_t v);
void row_printf(struct row *r, const char *key, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/** row_send - 0; non-zero ends the verb: the reader is gone. */
int row_send(struct verb *v, const struct row *r);

/* ---- what several verbs say (verb_rows.c) ---- */
#define CHANNEL_TEXT 65
/** channel_text - its name where an agreement here has it, else its id in hex. */
void channel_text(struct agent *a, const uint8_t channel[static 32], char out[static CHANNEL_TEXT]);
/** channel_agreement - what this desk knows about @channel, in force or not; false when nothing. */
bool channel_agreement(struct agent *a, const uint8_t channel[static 32], struct channel_facts *facts);
const char *message_state_name(enum message_state state);
const char *event_name(enum event_what what);
const char *notice_name(unsigned kind);
/** message_row_send - row message of @m. */
int message_row_send(struct verb *v, const struct message *m);
int message_row_mid(struct verb *v, const uint8_t mid[static 32]);
/** message_due - when an acknowledgement is owed, 0 none; *@bound: the agreement binds (else the sender asks). */
uint64_t message_due(struct agent *a, const struct message *m, const struct envelope *env, bool *bound);
/** message_steps - what stands at each recipient; @out borrows from @env. */
int message_steps(struct agent *a, const struct message *m, const struct envelope *env, struct steps *out);
int step_row_send(struct verb *v, const struct desk_step *step);
/** host_rows - a row host for each host that @mid was sent to or is recorded by. */
int host_rows(struct verb *v, const struct message *m);

/* ---- what waiting verbs remember ---- */
struct stepping {
    uint8_t mid[32], target[32];
};
struct watch_state {
    uint64_t after, count, left;
};

struct receiving {
    struct sync *sync;
    struct receipt receipt;     /* the logged one */
    struct message message;
    struct quorum *quorum;
    struct buf policy, record, note;
    struct checkpoint cp;       /* of note; its origin borrows from it */
    bool asking, strict, done;
    uint8_t path[MERKLE_MAX_PROOF][32];
    size_t n_path;
    struct quorum_result result;
};
struct mirroring {
    struct sync *sync;
    struct mirror_dir *dir;
    uint64_t head[2];     /* newest head that the host showed: logged, witnessed */
    unsigned heads;       /* answers awaited about heads */
    uint64_t patience;    /* mono ms: until then a proof for the witnessed head is awaited */
    uint64_t began, size; /* entries in the folder before; that it shall hold (0: not chosen yet) */
    struct buf note;      /* the head of that size */
    bool asking, audit;
    uint64_t audit_at, openings, missing;
    int rc;
};
struct pinging {
    struct ping {
        struct verb *verb;
        uint64_t asked; /* mono ms */
        bool waits;
    } at[STATION_HOSTS];
    bool silent; /* a host did not answer */
};

/* ---- sending (verb_send.c) ---- */
struct sending {
    uint8_t mid[32];
    size_t steps;         /* rows step sent already */
    bool ack, recorded;   /* waiting for acknowledgements too; row message and hosts were sent */
};
/** sending_begin - @mid is on its way: wait for record and acknowledgement as the pair wait_s says. */
int sending_begin(struct verb *v, struct sending *s, const uint8_t mid[static 32]);
int sending_look(struct verb *v, struct sending *s, bool over);
/** verb_release_draft - release @draft by the position that the request names; then as sending_begin(). */
int verb_release_draft(struct verb *v, const struct desk_draft *draft, struct sending *s);
/** draft_ordinal - its place among the drafts, from 1, oldest first. */
uint64_t draft_ordinal(struct agent *a, const uint8_t mid[static 32]);
int draft_row_send(struct verb *v, const struct desk_draft *d, uint64_t number);
/** verb_document - submit @note to the hosts named (or all) and wait; shared by submit and subkeys-announce. */
struct submitting {
    uint8_t id[32];
    size_t n;
    struct span origin[STATION_HOSTS];
};
int submitting_begin(struct verb *v, struct submitting *s);
int submitting_look(struct verb *v, bool over);

#endif
