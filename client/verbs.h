#ifndef HL_CLIENT_VERBS_H
#define HL_CLIENT_VERBS_H

#include "common/buf.h"

/*
 * A verb is what a command asks of the desk, whoever holds it: the agent (through agent.sock, peer uid checked) or
 * the command itself, running the same loop until the verb is done.  One implementation of everything, one writer.
 *
 * A request is a name and pairs; the reply is rows of pairs, then an end with a code and a sentence.  On the socket:
 * u32 length || CBOR; a passphrase follows the request when it has the pair "pass".
 *
 *   request  [name: bstr, [* [key: bstr, value: bstr]]]
 *   reply    [1, [* [key: bstr, value: bstr]]]  a row      [2, code, sentence: bstr]  the end
 *
 * Values are bytes.  Unless said otherwise: numbers and times (ms) are decimal; yes is "1", no is "0"; mid, id,
 * channel-id, digests, keys and salts are their raw bytes; names and words are text; what is not known is empty.  A pair
 * that a verb does not know, or that comes twice where only ".." may, is -HL_EUSAGE.  The first pair of each row is
 * "row", its kind.  VERB_LIST below is the reference: every verb, its pairs in, its rows out.
 */
#define VERB_PAIRS_MAX 800          /* 600 recipients and 128 fields */
#define VERB_REQUEST_MAX (2u << 20) /* an attachment rides in it */
#define VERB_ROW_MAX 64             /* pairs of a row */

struct pair {
    const char *key;
    struct span value;
};

struct secret;

struct verb_request {
    char name[32];
    struct secret *pass; /* a passphrase that goes with it, borrowed; on the socket it follows the request, guarded end to end */
    size_t n;
    struct pair pair[VERB_PAIRS_MAX]; /* borrowed */
};

/** verb_get - the value of @key, SPAN_NONE when absent.  verb_get_nth: the i-th of several with one key. */
struct span verb_get(const struct verb_request *req, const char *key);
struct span verb_get_nth(const struct verb_request *req, const char *key, size_t i);
/** verb_add - one more pair; beyond VERB_PAIRS_MAX the request is marked and verb_request_put() says -HL_ETOOBIG. */
void verb_add(struct verb_request *req, const char *key, struct span value);
int verb_request_put(struct buf *out, const struct verb_request *req);
/** verb_request_decode - @strings holds the keys as C strings and must outlive @req, as must @in.  -HL_EFORMAT, -HL_ETOOBIG. */
int verb_request_decode(struct verb_request *req, struct span in, struct buf *strings);
/** row_get - the value of @key in a row, SPAN_NONE when absent. */
struct span row_get(const struct pair *pair, size_t n, const char *key);

/* Where a verb's answers go. */
struct verb_sink {
    void *arg;
    /** one row; non-zero ends the verb (the reader is gone), with an end all the same */
    int (*row)(void *arg, const struct pair *pair, size_t n);
    /** @code: 0 or -HL_E...; @sentence: what the officer reads, "" when there is nothing to add to error_text() */
    void (*end)(void *arg, int code, const char *sentence);
};

struct agent;
/** verb_start - begin @req; answers at once or later, while the agent runs.  Returns a handle, or NULL when it ended already.  @req is borrowed until the end. */
struct verb *verb_start(struct agent *agent, const struct verb_request *req, const struct verb_sink *sink);
/** verb_cancel - the asker went away: nothing more is sent to its sink. */
void verb_cancel(struct verb *v);
/** verbs_release - end all waiting verbs; the agent closes. */
void verbs_release(struct agent *agent);
/** verbs_poll - let waiting verbs look again: called by the agent after every change of the desk and at their deadlines; returns ms until the next deadline, -1 none. */
int verbs_poll(struct agent *agent, uint64_t mono_ms);

/*
 * MESSAGES ARE NAMED by `number` ("BOREALIA 7-6"), where needed with `channel` (its name), or by `mid`.  Below, MSG
 * stands for: number | mid, [channel].  -HL_ENOENT, -HL_EAMBIGUOUS (several channels have that number).
 *
 * ROW message (of send, inbox, show, thread, outbox):
 *   row=message number mid id way=in|out kind=<word> code precedence=<word> sender channel channel-id subject state
 *   sealed_ms stored_ms ack_within_s due_ms recorded=<hosts whose receipt verified> carried flags attachment=0|1
 *   unread unacknowledged retracted=|unconfirmed|confirmed|reversed sentence
 *     state: out: queued recorded refused       in: new seen acknowledged cannot-read
 *     flags: of the stamp, comma: break-glass released-alone carried; and clock (sealed while this clock was doubted)
 *     due_ms: of a message that we owe an acknowledgement, or of one sent that others owe; 0 none
 *
 * WAITING: `wait_s` is how long the command waits.  A verb with it never ends later than that.
 *
 * VERB_LIST
 *
 * send         [channel], to.. ("<poc> action|information"), kind (word; default notification), precedence (word; default
 *              ROUTINE), category, marking (words of the agreement), seal_labels=1, subject, language, form, phrasebook
 *              (32 bytes), field.. ("<name>=<bytes>", names of common/content.h: form fields "1".."99" in ascending
 *              order), text, attachment (encoding of common/content.h; at most one), ref.. (mid), ack_within_s,
 *              lifetime_s, position, draft_only=1, alone=1, break_glass=1, wait_s;
 *              target MSG as target-number | target-mid, target-channel: what a reply, correction, retraction or endorsement
 *              refers to; it fills in what is left out: channel, recipients (a reply: its sender for action, its other
 *              recipients for information; the others: the same recipients), precedence, category, marking, thread
 *              -> row message (when it has a number), row host per host, row step per step that came while waiting
 *              ends 0: recorded by a host (with wait_s: and acknowledged by every action addressee)
 *                -HL_EWAITING: kept as a draft for another position (row draft)       -HL_EQUEUED: not recorded in time
 *                -HL_EDEADLINE: recorded, not acknowledged within wait_s              else: refused, with the sentence
 *              without wait_s it waits up to 10 s for the first record; wait_s=0 does not wait at all (-HL_EQUEUED)
 * retract      MSG, [position], [text], [language], [wait_s]       one action, same reach and precedence as the message
 *              -> as send                                           (rows and ends)
 * drafts       -> row draft: draft=<1..> mid subject kind precedence channel to="<poc role>, .." drafted_ms position key
 *              signed=0|1                                           oldest first
 * draft-show   draft | mid -> row draft, rows recipient and field as in show
 * draft-drop   draft | mid -> (none)
 * release      draft | mid, [position], [alone=1], [break_glass=1], [wait_s] -> as send
 * release-prepare  draft | mid, key (who will sign: 32 bytes, of a position of the card), [alone=1], [break_glass=1]
 *              -> row release: mid id number header content salt draft_key draft_sig stamp wraps_hash body_hash
 *                 The signer recomputes commitment, mid and id from these, shows the content, and signs id with
 *                 seal_release() in its own process.  Kept by the desk until committed, prepared again, or overtaken.
 * release-commit   id, sig (64 bytes), [wait_s] -> as send; -HL_ESTATE: the number was taken meanwhile, prepare again
 *
 * inbox        [all=1] (default: what is unread or unacknowledged), [limit] (default 100)   -> rows message, newest first
 * outbox       [all=1] (default: what is not recorded or not acknowledged), [limit]         -> rows message, newest first
 * show         MSG, [mark=1] (it was read: new becomes seen)
 *              -> row message
 *                 row header  mid id category marking language form phrasebook thread commit drafted_ms sealed_ms lifetime_s
 *                             chain seq psk=0|1 key holder position draft_key draft_holder draft_position
 *                 row recipient  poc role=action|information|"alternate <n>" delivered_ms acknowledged_ms last=<word> code due=requested|bound
 *                 row ref     mid number kind way                     what it refers to
 *                 row related mid number kind sender state            what refers to it (replies, corrections, retractions, endorsements)
 *                 row field   name bytes                              in order; "text" and "attachment" among them
 *                 row step    poc kind code time_ms mid remark
 *                 row notice  kind=undelivered|not-acknowledged|escalated|refused|.. poc detail time_ms host
 *                 row host    host index time_ms size grade=sent|logged|witnessed code sentence
 * thread       MSG -> rows message, oldest first: all of its thread
 * step         MSG, kind=acknowledged|understood|passed|refused, [code], [text] (a remark, sealed: printed beside the step in
 *              every view), [language], [position], [typed] (as the officer typed the
 *              number: "7-6"; must be that of the message), [wait_s]
 *              -> row step: number mid kind target state=queued|recorded        ends as send (acknowledgements excepted)
 * watch        [since=<event>] (default: from now; 0: all kept), [count], [wait_s]
 *              -> row event: event what=message|repetition|step|notice|recorded|refused|cannot-read|fault number mid kind precedence
 *                 poc channel code time_ms subject detail
 *              ends 0 after count events, or at wait_s when no count was given; -HL_EDEADLINE: fewer than count in time
 * status       -> row station  realm poc language agent=0|1 unread unacknowledged outbox drafts evidence events
 *                              clock=unknown|ok|doubted clock_skew_s subkeys_last_day subkeys_days_left pinned
 *                 row host     host endpoint state=down|asked|up|current|dead unanswered=0|1 size witnessed_size
 *                              witnessed_ms outbox sentence
 *                 row duty     position since_ms unlocked=0|1
 *                 row gap      sender channel first_seq last_seq since_ms alarm=0|1        numbers missing below the highest seen
 *                 row overdue  number mid precedence poc undelivered=0|1 due_ms
 *                 row next     sentence                              what to do now, most urgent first
 *
 * receipt      MSG, [host], [witnessed=1] (nothing less will do), [wait_s]
 *              -> row receipt: number mid host index time_ms size grade=logged|witnessed cosigned of quorum
 *                 proof (tlog-proof with extra) entry (32 bytes) policy (tlog-policy of the agreement and this host)
 *              -HL_EQUEUED: no receipt yet; -HL_EQUORUM: witnessed was asked for and is not there in time
 * attachment   MSG, [dir] (saved there, mode 0400, under a name of ours)
 *              -> row attachment: type label size sha256 bytes | path
 * export       MSG -> row envelope: number mid id bytes (file form, as it travels)
 * import       bytes (file form) -> row message; ends 0, or why it is refused. Accepted: stored as carried, answered by steps
 * link-test    channel, to.. , [wait_s] -> as send: a signed link test by the station
 * ping         [wait_s] (default 10) -> row ping: host ms | sentence            round trip to each host
 *
 * duty-begin   position, pass -> row duty          duty-end  position (empty: all) -> rows duty that ended
 * contacts     -> row contact: poc party languages attendance alternates="<poc> .." serial subkeys_last_day fingerprint
 *                 pinned=0|1 channels="<name> .."
 * party-list   -> row party: party serial digest fingerprint first_fingerprint pinned=0|1 from_ms until_ms pocs=".. .." conflict=0|1
 * party-pin    party, fingerprint (32 bytes) | typed (digit groups as read out) -> row party; -HL_EFINGERPRINT, -HL_EFORMAT
 * agreement-list -> row agreement: name digest title state=in-force|<error name> from_ms until_ms signed="<party> .."
 *                 missing="<party> .." suspended="<party> .." hosts=".." quorum of
 * agreement-show name | digest -> row agreement, row text: bytes, rows channel: name channel-id members=".. .." 
 * documents    [type=card|subkeys|stop|agreement], [host] -> row document: host index time_ms type bytes (the note)
 * submit       bytes (a note: card, subkeys, stop, or one party's agreement note), [host..] (default all), [wait_s] (default 10)
 *              -> row document: host state=recorded|refused|queued index time_ms code sentence
 *              ends 0: recorded by each; -HL_EQUEUED: some not yet; else the first refusal
 * subkeys-announce [wait_s] -> as submit           draws 30 new days and publishes them
 * psk-list     -> row psk: channel channel-id epoch first_day lowest_step check
 * psk-combine  half-a, half-b (paths), channel, epoch, first_day (UTC day), [pass] -> row psk
 *
 * mirror       dir, [host] (default: first), [audit=1] (fetch what the mandate as auditor opens), [wait_s] (default 600)
 *              -> row mirror: host size entries openings missing
 * evidence     -> row evidence: time_ms what bytes
 */

#endif
