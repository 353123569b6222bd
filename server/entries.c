#include "server/entries.h"

#include <string.h>

#include "common/error.h"

static const uint8_t no_mid[32];

void entries_init(struct entries *e, struct log *log, enum realm realm)
{
    *e = (struct entries){ .log = log, .realm = realm };
    buf_init(&e->record, RECORD_MAX);
}

void entries_release(struct entries *e)
{
    buf_release(&e->record);
}

static int entries_append(struct entries *e, struct store_entry *se, uint64_t time_ms,
                          struct entry *out)
{
    int rc;

    *out = (struct entry){ 0 };
    if (e->record.bad)
        return e->record.bad;
    se->time_ms = log_time(e->log, time_ms);
    if (se->kind != ENTRY_DOCUMENT)
        se->record = buf_span(&e->record);
    rc = log_append(e->log, se, out->salt);
    out->index = se->index;
    out->time_ms = se->time_ms;
    return rc;
}

int entries_envelope(struct entries *e, const struct envelope *env, struct span body,
                     uint64_t time_ms, struct entry *out)
{
    struct store_entry se = { .kind = ENTRY_ENVELOPE,
                              .id = env->id,
                              .mid = env->mid,
                              .channel = env->header.channel,
                              .chain = env->stamp.chain,
                              .sender = env->header.sender,
                              .seq = env->stamp.seq,
                              .body_len = env->body_len,
                              .message_kind = env->header.kind,
                              .precedence = env->stamp.precedence,
                              .wraps = env->wraps_bytes,
                              .body = body };

    buf_clear(&e->record);
    record_put_envelope(&e->record, log_time(e->log, time_ms), env);
    return entries_append(e, &se, time_ms, out);
}

static int entries_record(struct entries *e, struct record *rec, struct store_entry *se,
                          uint64_t time_ms, struct entry *out)
{
    rec->time_ms = log_time(e->log, time_ms);
    buf_clear(&e->record);
    record_put(&e->record, rec);
    return entries_append(e, se, time_ms, out);
}

int entries_agreement(struct entries *e, struct span note, uint64_t time_ms, struct entry *out)
{
    struct record rec = { .type = RECORD_AGREEMENT, .note = note };
    struct store_entry se = { .kind = ENTRY_AGREEMENT };

    return entries_record(e, &rec, &se, time_ms, out);
}

/* Cut at a character, so that what is left is UTF-8. */
static struct span cut(struct span s)
{
    if (s.n <= RECORD_DETAIL_MAX)
        return s;
    s.n = RECORD_DETAIL_MAX;
    while (s.n && (s.p[s.n] & 0xc0) == 0x80)
        s.n--;
    return s;
}

int entries_notice(struct entries *e, const struct notice *notice, uint64_t time_ms,
                   struct entry *out)
{
    struct record rec = { .type = RECORD_NOTICE,
                          .notice = notice->kind,
                          .mid = notice->mid ? notice->mid : no_mid,
                          .poc = notice->poc,
                          .detail = cut(notice->detail) };
    struct store_entry se = { .kind = ENTRY_NOTICE,
                              .mid = notice->mid,
                              .channel = notice->channel,
                              .sender = notice->sender };

    return entries_record(e, &rec, &se, time_ms, out);
}

int entries_document(struct entries *e, struct span note, uint64_t time_ms, struct entry *out)
{
    struct store_entry se = { .kind = ENTRY_DOCUMENT, .record = note };

    return entries_append(e, &se, time_ms, out);
}
