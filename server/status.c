#include "server/status.h"

#include "common/json.h"

static void put_mailbox(void *arg, const struct mailbox *mb)
{
    struct json *j = arg;

    if (mb->count == 0)
        return;
    json_object(j, NULL);
    json_str(j, "poc", mb->poc);
    json_uint(j, "messages", mb->count);
    json_uint(j, "bytes", mb->bytes);
    json_end(j);
}

static void put_head(struct stages *st, struct json *j)
{
    json_object(j, "head");
    json_uint(j, "size", st->committed.size);
    json_hex(j, "root", st->committed.root, 32);
    json_uint(j, "time_ms", st->committed.time_ms);
    json_uint(j, "signed", st->head.size);
    json_uint(j, "witnessed", cosign_size(st->cosign));
    json_bool(j, "signature_outstanding", st->head.asked != 0);
    json_bool(j, "waits_for_cosigners", st->head.gate_ms != 0);
    json_bool(j, "dead", st->head.dead);
    json_end(j);
}

static void put_waiting(struct stages *st, const struct queue *q, struct json *j)
{
    static const char *const name[QUEUE_CLASSES] = { "control",  "flash",   "immediate",
                                                     "priority", "routine", "fetch" };

    json_object(j, "waiting");
    for (enum queue_class c = 0; c < QUEUE_CLASSES; c++)
        json_uint(j, name[c], queue_waiting(q, c));
    json_uint(j, "bytes", queue_bytes(q));
    json_uint(j, "receipts", receipts_waiting(st->receipts));
    json_uint(j, "uploads", uploads_count(st->uploads));
    json_uint(j, "deadlines", deadlines_count(st->deadlines));
    json_end(j);
}

static const char *space_word(const struct stages *st)
{
    if (st->free_bytes < st->conf.space_min)
        return "steps and FLASH only";
    return st->free_bytes < st->conf.space_low ? "urgent only" : "ample";
}

static void put_counters(const struct stages *st, struct json *j)
{
    json_object(j, "counters");
#define METRIC_PUT(name) json_uint(j, #name, st->metrics.name);
    METRICS(METRIC_PUT)
#undef METRIC_PUT
    json_uint(j, "frames_sent", st->outbox.sent);
    json_uint(j, "frames_dropped", st->outbox.dropped);
    json_uint(j, "damaged", delivery_damaged(st->deliveries));
    json_end(j);
}

int status_write(struct stages *st, const struct queue *q, size_t keys, struct buf *out)
{
    size_t connected = 0, witnesses = cosign_witnesses(st->cosign, &connected);
    struct json j;

    json_init(&j, out);
    json_begin(&j, "broker", realm_name(st->conf.realm));
    json_str(&j, "origin", st->conf.origin);
    put_head(st, &j);
    json_uint(&j, "sessions", sessions_count(st->sessions));
    json_uint(&j, "stations", sessions_ready(st->sessions));
    json_uint(&j, "transport_keys", keys);
    json_uint(&j, "documents", documents_count(st->documents));
    json_uint(&j, "witnesses", witnesses);
    json_uint(&j, "witnesses_connected", connected);
    json_str(&j, "space", space_word(st));
    json_uint(&j, "free_bytes", st->free_bytes == UINT64_MAX ? 0 : st->free_bytes);
    put_waiting(st, q, &j);
    json_array(&j, "mailboxes");
    mailboxes_each(st->mailboxes, put_mailbox, &j);
    json_array_end(&j);
    put_counters(st, &j);
    json_end(&j);
    return out->bad;
}
