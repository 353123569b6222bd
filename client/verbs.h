#ifndef HL_CLIENT_VERBS_H
#define HL_CLIENT_VERBS_H

#include "common/buf.h"

/*
 * A verb is what a command asks of the desk, whoever holds it: the agent (through agent.sock, peer uid checked) or
 * the command itself, running the same loop until the verb is done.  One implementation of everything, one writer.
 *
 * A request is a name and pairs; the reply is rows of pairs, then an end with a code and a sentence.  Values are
 * bytes; numbers are decimal.  On the socket: u32 length || CBOR.
 *
 *   request  [name: bstr, [* [key: bstr, value: bstr]]]
 *   reply    [1, [* [key: bstr, value: bstr]]]  a row      [2, code, sentence: bstr]  the end
 */
#define VERB_PAIRS_MAX 64
#define VERB_REQUEST_MAX (2u << 20) /* an attachment rides in it */

struct pair {
    const char *key;
    struct span value;
};

struct verb_request {
    char name[32];
    size_t n;
    struct pair pair[VERB_PAIRS_MAX]; /* borrowed */
};

/** verb_get - the value of @key, SPAN_NONE when absent.  verb_get_all: the i-th of several with one key. */
struct span verb_get(const struct verb_request *req, const char *key);
struct span verb_get_nth(const struct verb_request *req, const char *key, size_t i);
void verb_add(struct verb_request *req, const char *key, struct span value);
int verb_request_put(struct buf *out, const struct verb_request *req);
int verb_request_decode(struct verb_request *req, struct span in, struct buf *strings);

/* Where a verb's answers go. */
struct verb_sink {
    void *arg;
    /** one row; non-zero ends the verb (the reader is gone) */
    int (*row)(void *arg, const struct pair *pair, size_t n);
    void (*end)(void *arg, int code, const char *sentence);
};

struct agent;
/** verb_start - begin @req; answers at once or later, while the agent runs.  Returns a handle, or NULL when it ended already. */
struct verb *verb_start(struct agent *agent, const struct verb_request *req, const struct verb_sink *sink);
/** verb_cancel - the asker went away. */
void verb_cancel(struct verb *v);
/** verbs_poll - let waiting verbs look again: called by the agent after every change of the desk and at their deadlines; returns ms until the next deadline, -1 none. */
int verbs_poll(struct agent *agent, uint64_t mono_ms);

/*
 * Verbs (pairs in; rows out):
 *   send        channel, to.. ("poc role"), kind, precedence, category, marking, subject, language, form, field.. (name=bytes), text, attachment.. , ref.., ack_within_s,
 *               position, wait_s, draft_only            -> number, mid, state, (recorded: host, index, ms), (acknowledged: poc, ms)
 *   drafts                                              -> mid, subject, precedence, channel, drafted_ms, position
 *   release-prepare mid, position                       -> header, content, salt, draft_key, draft_sig, stamp, wraps_hash, body_hash, id, number
 *   release-commit  id, sig, wait_s                     -> as send
 *   inbox       all, limit                              -> number, mid, precedence, sender, channel, subject, state, received_ms, due_ms, recorded
 *   show        number | mid, channel                   -> everything of a message: header parts, content, steps, receipts
 *   ack         number, channel, position, typed        -> number of the step, state
 *   reply       as send, with number of the target
 *   watch       count, wait_s                           -> a row per event (message, step, notice)
 *   status                                              -> realm, poc, hosts (state, size, witnessed), unacknowledged, outbox, drafts, duty
 *   receipt     number, channel, host, witnessed, wait_s -> proof (tlog-proof bytes), entry (32 bytes), policy, grade
 *   duty-begin  position, pass                          duty-end position
 *   attachment  number, channel, index                  -> type, bytes, sha256
 *   submit      document                                -> per host: index or refusal
 *   party       list | pin                              agreement list | show
 *   subkeys     announce
 *   mirror      dir, host                               -> entries, openings written
 */

#endif
