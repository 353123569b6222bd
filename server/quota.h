#ifndef HL_SERVER_QUOTA_H
#define HL_SERVER_QUOTA_H

#include "common/envelope.h"
#include "server/hmap.h"

/*
 * How much one party may cost this host.
 *
 * Waiting: messages and body bytes in one PoC's mailbox.  ROUTINE and PRIORITY may fill it to the quota, IMMEDIATE to
 * twice, FLASH (bare, 4 KiB) to four times: whoever floods a mailbox with ordinary messages does not shut out urgent ones.
 *
 * Rates: token buckets.  QUOTA_REFUSALS bounds the notices that refused envelopes make, by the PoC whose key signed
 * them, never by what the front says.  QUOTA_DOCUMENTS bounds the documents that a PoC brings, which stay for ever.
 */
struct quota_conf {
    uint64_t messages, bytes; /* waiting, at ROUTINE */
};

enum quota_rate { QUOTA_REFUSALS, QUOTA_DOCUMENTS, QUOTA_RATES };

struct quotas;

int quotas_open(const struct quota_conf *conf, struct quotas **out);
void quotas_close(struct quotas *q);
/** quota_waiting - may a message of @precedence with @add bytes join @count messages of @bytes?  0 or -HL_EQUOTA. */
int quota_waiting(const struct quotas *q, unsigned precedence, uint64_t count, uint64_t bytes, uint64_t add);
/** quota_take - one token of @who at @now_ms; false when there is none (or no memory). */
bool quota_take(struct quotas *q, enum quota_rate rate, struct span who, uint64_t now_ms);

#endif
