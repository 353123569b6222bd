#ifndef HL_COMMON_RECORD_H
#define HL_COMMON_RECORD_H

#include "common/envelope.h"

/*
 * Records and entries (FORMATS 3).  An entry of the log is 32 bytes, the commitment to a record under a
 * salt; or a public document itself (33..60,000 bytes).  An opening is salt || record.
 */
enum record_type { RECORD_DUMMY, RECORD_ENVELOPE, RECORD_AGREEMENT, RECORD_NOTICE };
enum notice_kind { NOTICE_UNDELIVERED = 1, NOTICE_NOT_ACKNOWLEDGED, NOTICE_ESCALATED, NOTICE_REFUSED,
                   NOTICE_OPENED, NOTICE_DESTROYED };
#define RECORD_SALT 32
#define RECORD_MAX 60000
#define RECORD_DETAIL_MAX 1000
#define RECORD_AGREEMENT_MAX 45000

struct record {
    enum record_type type;
    uint64_t time_ms;
    /* envelope: parts as spans, borrowed */
    struct span header, stamp;
    const uint8_t *wraps_hash, *body_hash, *sig;
    struct span note; /* agreement */
    unsigned notice;  /* enum notice_kind */
    const uint8_t *mid; /* notice: 32 bytes, zeros when none */
    struct span poc, detail;
};

/** record_decode - 0, -HL_EFORMAT, -HL_ESUITE, -HL_ETOOBIG. Does not look into header or stamp. */
int record_decode(struct record *r, struct span in);
int record_put(struct buf *out, const struct record *r);
/** record_put_envelope - the record of @env at @time_ms. */
int record_put_envelope(struct buf *out, uint64_t time_ms, const struct envelope *env);
/** record_entry - H(L("leaf") || salt || u32 len || record). */
void record_entry(uint8_t entry[static 32], enum realm realm, const uint8_t salt[static RECORD_SALT], struct span record);

#endif
