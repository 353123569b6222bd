#ifndef HL_CLIENT_SYNC_STATE_H
#define HL_CLIENT_SYNC_STATE_H

#include "client/sync.h"
#include "common/tlog/checkpoint.h"

/*
 * What the parts of a sync share.  Private to them:
 *
 *   sync.c       greeting, frames to the parts, time           requests.c  FETCH and its answers; sync_facts.c
 *   catchup.c    signed heads, entries, directory
 *   openings.c   agreement notes and notices, the cursor       later.c     what waits for entries
 *   others.c     what senders saw of this log; witnesses       inbound.c   streams of deliveries
 *   taking.c     a whole envelope, judged, opened, stored      outbound.c  outbox to the host; receipts.c
 */
#define SYNC_REQUESTS 80
#define SYNC_INBOUND 8
#define SYNC_OUTBOUND 64
#define SYNC_ENTRIES_A_FETCH 900 /* commitments of 34 bytes in one frame */
#define SYNC_PROVING 64
#define SYNC_ANSWER_MS 10000
#define SYNC_PING_MS 20000
#define SYNC_RETRY_MS 2000
#define SYNC_RETRY_MAX_MS 60000
#define SYNC_LATER_MS 30000  /* how long a delivery waits for the entries before it, then it is shown as not in the record */
#define SYNC_PAST 64
#define SYNC_SEEN 16

enum sync_phase { SYNC_DOWN, SYNC_ASKED, SYNC_GREETED };

struct request {
    uint64_t tag; /* 0: free */
    unsigned what;
    uint64_t deadline;
    sync_fetched *fn;
    void *arg;
};

/* An envelope on its way in: front || body, in order. */
struct inbound {
    bool used;
    uint64_t tag, index, time_ms, flags, front_len;
    uint8_t salt[32];
    struct buf stream;
};

/* An envelope or document on its way out. */
struct outbound {
    bool used;
    uint8_t id[32];
    uint64_t tag;      /* of its SUBMIT or DOCUMENT */
    uint64_t retry_at; /* mono ms; when a passing refusal is over */
    unsigned retries;
    bool waiting;      /* answered with a passing refusal: send again at retry_at */
    bool document, repeated;
    unsigned precedence;
    struct buf stream; /* front || body; the note of a document */
    uint64_t front_len, granted, sent;
};

/* A head of the log: signed by it. */
struct head {
    uint64_t size;
    uint8_t root[32];
    struct buf note;
};

/* What a sender, or a checkpoint with cosignatures, says about a smaller tree of this log. */
struct claim {
    uint64_t size; /* 0: free */
    uint8_t root[32], mid[32];
    bool cosigned;
    struct buf note; /* the cosigned checkpoint */
};

struct sync {
    struct agent *agent;
    const struct station_host *host;
    struct link *link;
    struct directory *dir;
    struct desk_host seen; /* what was verified: range, checkpoint, witnessed, cursor, dead */
    enum sync_phase phase;
    uint64_t asked_at, heard_at, pinged_at, down_at, next_tag;
    bool ready;            /* greeted, and was current once since */
    bool unanswered;       /* greeting, or connecting, met silence for SYNC_ANSWER_MS */
    bool kicked;           /* the outbox may hold something new */
    uint64_t scan_at;
    int error;             /* of the desk: ends the agent */
    char fault[160];       /* what this host did wrong, for status; empty */

    /* the newest signed head, and our range on its way to @target */
    struct head head, target;
    bool fetching;
    uint64_t fetch_at; /* not before; after entries that led nowhere */
    unsigned failures;
    struct merkle_range range;
    struct buf fetched_documents; /* (u64 index, u32 length, note)* found on the way, applied when the root agrees */
    uint64_t newest_ms;           /* newest record time known of this log */

    struct { uint64_t size; uint8_t root[32]; } past[SYNC_PAST]; /* heads that we verified, a ring */
    size_t n_past;
    struct claim claim[SYNC_SEEN];
    bool checking;          /* a consistency proof for claim[checked] is on its way */
    size_t checked;
    uint64_t ours_size;     /* the tree it must lead to */
    uint8_t ours_root[32];
    uint64_t cosigned_ms;   /* newest time at which a quorum had cosigned a checkpoint of this log */

    struct request request[SYNC_REQUESTS];
    uint64_t fetched_b;     /* b of the FETCHED at hand */
    struct inbound inbound[SYNC_INBOUND];
    struct outbound outbound[SYNC_OUTBOUND];
    struct later *later;    /* openings and deliveries that wait for the entries before them */
    bool dropped;           /* something found no room in it: greet anew when it is empty */

    size_t proving;         /* openings whose proof is on its way */
    uint64_t pushed;        /* 1 + the highest event of this connection; the cursor when all of them are done */
    bool held;              /* one of them was not in the log: the cursor stays on this connection */
    uint64_t quiet_tag, quiet_frames, frames; /* pings that meet no delivery: the mailbox is drained */
    unsigned pongs;
    bool quiet;
    struct buf frame;       /* scratch for sending */
};

/* sync.c */
int sync_send(struct sync *s, const struct frame *f);
uint64_t sync_tag(struct sync *s);
struct span sync_origin(const struct sync *s);
/** hashes_take - a proof as FETCHED carries it; false when it is none. */
bool hashes_take(uint8_t out[static MERKLE_MAX_PROOF][32], size_t *n, struct span bytes);
/** sync_auditing - FETCH AUDIT is being answered: openings are those of the mandate, not events. */
bool sync_auditing(const struct sync *s);
/** sync_dead - a fault of the host is proved: keep @a and @b as evidence, use the host no more. */
int sync_dead(struct sync *s, const char *what, struct span a, struct span b);
/** sync_fault - something is wrong with this host that proves nothing yet: say so, keep @bytes. */
int sync_fault(struct sync *s, const char *what, struct span bytes);

/* requests.c */
struct request *request_find(struct sync *s, uint64_t tag);
/** request_end - the callback may ask again. */
void request_end(struct request *r, int rc, struct span bytes);
void requests_expire(struct sync *s, uint64_t mono_ms);

/* catchup.c */
int catchup_load(struct sync *s);
/** catchup_note - a checkpoint of the host, signed or ignored; fetches what lies between. */
int catchup_note(struct sync *s, struct span note);
int catchup_tick(struct sync *s, uint64_t mono_ms);
void catchup_reset(struct sync *s);

/* openings.c */
/** openings_take - an agreement note or a notice. */
int openings_take(struct sync *s, uint64_t index, struct span salt, struct span record);
void openings_pushed(struct sync *s, uint64_t index);
int openings_tick(struct sync *s);
void openings_reset(struct sync *s);

/* later.c */
struct later {
    struct later *next;
    uint64_t index, time_ms, flags, deadline;
    bool opening; /* else an envelope */
    bool shown;   /* the envelope was stored already: judge it again at its entry */
    uint8_t salt[32];
    struct buf bytes; /* an envelope in file form, or a record */
};
int later_add(struct sync *s, const struct later *from, struct span bytes);
/** later_run - take up what can be judged now: entries below our size, and what waited too long. */
int later_run(struct sync *s, uint64_t mono_ms);
void later_release(struct sync *s);

/* others.c */
/** others_saw - what the sender of @mid saw of this log (or of another: nothing) must agree with what we saw. */
int others_saw(struct sync *s, const struct seen *seen, const uint8_t mid[static 32]);
/** others_cosigned - a checkpoint of the log with cosignatures. */
int others_cosigned(struct sync *s, const struct checkpoint *cp, struct span note);
int others_tick(struct sync *s);
/** others_judge_again - another agreement is known: its quorum may have cosigned what we hold. */
void others_judge_again(struct sync *s);
void others_past(struct sync *s);
void others_release(struct sync *s);
bool has_cosignatures(struct span note);

/* inbound.c */
int inbound_deliver(struct sync *s, const struct frame *f);
int inbound_chunk(struct sync *s, const struct frame *f);
void inbound_reset(struct sync *s);

/* taking.c */
/** taking_envelope - a whole envelope (file form) that the host says is recorded as @index; @late: it waited long enough. */
int taking_envelope(struct sync *s, const struct later *what, struct span envelope, bool late);

/* outbound.c */
int outbound_scan(struct sync *s, uint64_t mono_ms);
int outbound_got(struct sync *s, const struct frame *f);
int outbound_refused(struct sync *s, const struct frame *f);
void outbound_reset(struct sync *s);
struct outbound *outbound_by_tag(struct sync *s, uint64_t tag);
void outbound_end(struct outbound *o);
/** outbound_file - the envelope in file form, and its message id. */
int outbound_file(const struct sync *s, const struct outbound *o, uint8_t mid[static 32], struct buf *file);

/* receipts.c */
int receipts_recorded(struct sync *s, const struct frame *f);
/** receipts_ask - let the host prove that what it delivered as entry @index is in the log. */
int receipts_ask(struct sync *s, uint64_t index);

#endif
