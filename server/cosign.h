#ifndef HL_SERVER_COSIGN_H
#define HL_SERVER_COSIGN_H

#include "server/head.h"
#include "server/outbox.h"
#include "server/session.h"

/*
 * Cosignatures of the witnesses that agreements name, over this log's checkpoints (C2SP tlog-witness, carried by
 * ADD-CHECKPOINT and COSIGNED frames).  Nothing waits for them.
 *
 * A round is one signed checkpoint.  Every witness whose station is connected is asked for it, once at a time:
 *
 *     IDLE -[cosign_ask]-> ASKED -[cosign_answer 200]-> IDLE, cosigned
 *                                -[409: it says from which size]-> IDLE, asked again
 *                                -[else]-> IDLE, left alone for a minute
 *
 * A new round begins when all that were asked have answered, or after COSIGN_ROUND_MS; at most every witness_every_ms, and
 * every COSIGN_RENEW_MS on an unchanged log, so that readers see that it is alive.
 * When an agreement's quorum is reached its members get the checkpoint with the lines of that agreement's witnesses.
 */
#define COSIGN_WITNESSES 512
#define COSIGN_LINES 60 /* merged into the stored note, which stays a checkpoint that anyone parses */
#define COSIGN_ROUND_MS 2000
#define COSIGN_RENEW_MS 600000
#define COSIGN_BACKOFF_MS 60000

struct cosign;

int cosign_open(const struct broker_conf *conf, struct store *st, struct log *log, struct head *head, struct sessions *ss,
                struct outbox *out, struct cosign **c);
void cosign_close(struct cosign *c);
/** cosign_reload - the directory changed: which witnesses and agreements are there now. */
int cosign_reload(struct cosign *c, const struct directory *dir);
/** cosign_ask - begin a round if it is time, and ask who can be asked. */
int cosign_ask(struct cosign *c, uint64_t now_ms);
/** cosign_answer - COSIGNED of session @s. */
void cosign_answer(struct cosign *c, const struct directory *dir, struct session *s, uint64_t tag, uint64_t status, struct span body,
                   uint64_t now_ms);
void cosign_gone(struct cosign *c, uint64_t conn);
/** cosign_stage - put the newest witnessed note into the next commit, if it is not there yet. */
int cosign_stage(struct cosign *c);
bool cosign_unsaved(const struct cosign *c);
/** cosign_note - the newest checkpoint with a quorum, with its cosignatures; empty when none. */
struct span cosign_note(const struct cosign *c);
uint64_t cosign_size(const struct cosign *c);
int cosign_timeout(const struct cosign *c, uint64_t now_ms);
size_t cosign_witnesses(const struct cosign *c, size_t *connected);

#endif
