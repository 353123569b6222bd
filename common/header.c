#include <string.h>

#include "common/cbor.h"
#include "common/envelope.h"
#include "common/error.h"

/*
 * The header: what is said to whom.
 *
 *     header = [realm, kind, code, channel, sender, drafted_ms, [* [poc, role]], category, marking,
 *               commit, [* ref]]
 */
#define HEADER_ITEMS 11
#define CODE_MAX UINT16_MAX
#define COMMIT_SIZE 32
#define SLOTS 1024

static bool kind_has_target(unsigned kind)
{
    return kind == KIND_REPLY || kind == KIND_CORRECTION || kind == KIND_RETRACTION ||
           kind == KIND_ENDORSEMENT || kind_is_step(kind);
}

static bool kind_known(unsigned kind)
{
    return (kind >= KIND_NOTIFICATION && kind <= KIND_VOID) || kind_is_step(kind) ||
           kind == KIND_EXERCISE_CONTROL;
}

/* Alternates 10 + n run n = 1, 2, ... directly after the action addressee for whom they stand. */
static bool roles_in_order(const struct header *h)
{
    const unsigned none = ROLE_ALTERNATE_MAX + 1;
    unsigned next = none;

    for (size_t i = 0; i < h->n_to; i++) {
        unsigned role = h->to[i].role;

        if (role == ROLE_ACTION)
            next = ROLE_ALTERNATE + 1;
        else if (role == ROLE_INFORMATION)
            next = none;
        else if (role == next && role != none)
            next++;
        else
            return false;
    }
    return true;
}

static uint32_t sum32(struct span s)
{
    uint32_t sum = 2166136261u; /* FNV-1a */

    for (size_t i = 0; i < s.n; i++)
        sum = (sum ^ s.p[i]) * 16777619u;
    return sum;
}

/* Open addressing.  Names chosen to collide cost what
 * comparing all pairs would: below a millisecond for 600. */
static bool pocs_once(const struct header *h)
{
    uint16_t slot[SLOTS] = { 0 }; /* index + 1 */

    for (size_t i = 0; i < h->n_to; i++) {
        struct span poc = h->to[i].poc;
        size_t k = sum32(poc) % SLOTS;

        if (!name_poc(poc))
            return false;
        for (; slot[k]; k = (k + 1) % SLOTS)
            if (span_eq(h->to[slot[k] - 1].poc, poc))
                return false;
        slot[k] = (uint16_t)(i + 1);
    }
    return true;
}

/* What the kind demands: target, code, recipients, sealing. */
static int kind_check(const struct header *h)
{
    bool sealed = h->commit.n != 0;

    if (h->kind == KIND_EXERCISE_CONTROL && h->realm != REALM_EXERCISE)
        return -HL_EKIND;
    if (kind_has_target(h->kind) && h->n_refs == 0)
        return -HL_EKIND;
    if (h->code && h->kind != KIND_REFUSED && h->kind != KIND_CANNOT_READ)
        return -HL_EKIND;
    if (!sealed && (!kind_is_bodyless(h->kind) || h->category || h->marking))
        return -HL_EKIND;
    if (h->n_to == 0 && (sealed || !kind_is_step(h->kind)))
        return -HL_EKIND;
    return 0;
}

static int header_check(const struct header *h)
{
    if (h->n_to > ENVELOPE_TO_MAX || h->n_refs > ENVELOPE_REFS_MAX)
        return -HL_ETOOBIG;
    if (!kind_known(h->kind) || h->code > CODE_MAX || !name_poc(h->sender))
        return -HL_EFORMAT;
    if (h->commit.n != 0 && h->commit.n != COMMIT_SIZE)
        return -HL_EFORMAT;
    if (!pocs_once(h) || !roles_in_order(h))
        return -HL_EFORMAT;
    return kind_check(h);
}

static void get_recipients(struct cbor_in *in, struct header *h)
{
    h->n_to = cbor_array(in, 0, ENVELOPE_TO_MAX);
    for (size_t i = 0; i < h->n_to && !in->bad; i++) {
        cbor_array(in, 2, 2);
        h->to[i].poc = cbor_bytes(in);
        h->to[i].role = (unsigned)cbor_uint_max(in, ROLE_ALTERNATE_MAX);
        cbor_array_end(in);
    }
    cbor_array_end(in);
}

static void get_refs(struct cbor_in *in, struct header *h)
{
    h->n_refs = cbor_array(in, 0, ENVELOPE_REFS_MAX);
    for (size_t i = 0; i < h->n_refs && !in->bad; i++)
        h->ref[i] = cbor_bytes_n(in, 32);
    cbor_array_end(in);
}

static int header_read(struct header *h, struct span bytes)
{
    struct cbor_in in;
    struct span realm;

    if (bytes.n > ENVELOPE_HEADER_MAX)
        return -HL_ETOOBIG;
    cbor_open(&in, bytes);
    cbor_array(&in, HEADER_ITEMS, HEADER_ITEMS);
    realm = cbor_bytes(&in);
    h->kind = (unsigned)cbor_uint_max(&in, UINT16_MAX);
    h->code = (unsigned)cbor_uint_max(&in, CODE_MAX);
    h->channel = cbor_bytes_n(&in, 32);
    h->sender = cbor_bytes(&in);
    h->drafted_ms = cbor_uint(&in);
    get_recipients(&in, h);
    h->category = cbor_uint(&in);
    h->marking = cbor_uint(&in);
    h->commit = cbor_bytes(&in);
    get_refs(&in, h);
    cbor_array_end(&in);
    return cbor_done(&in) ? in.bad : realm_parse(&h->realm, realm);
}

int header_decode(struct header *h, enum realm realm, struct span in)
{
    int rc = header_read(h, in);

    if (!rc && h->realm != realm)
        rc = -HL_EREALM;
    if (!rc)
        rc = header_check(h);
    if (rc)
        memset(h, 0, sizeof(*h));
    return rc;
}

int header_put(struct buf *out, const struct header *h)
{
    size_t start = out->n;
    int rc = header_check(h);

    if (rc)
        return rc;
    cbor_put_array(out, HEADER_ITEMS);
    cbor_put_bytes(out, span_str(realm_name(h->realm)));
    cbor_put_uint(out, h->kind);
    cbor_put_uint(out, h->code);
    cbor_put_bytes(out, SPAN(h->channel, 32));
    cbor_put_bytes(out, h->sender);
    cbor_put_uint(out, h->drafted_ms);
    cbor_put_array(out, h->n_to);
    for (size_t i = 0; i < h->n_to; i++) {
        cbor_put_array(out, 2);
        cbor_put_bytes(out, h->to[i].poc);
        cbor_put_uint(out, h->to[i].role);
    }
    cbor_put_uint(out, h->category);
    cbor_put_uint(out, h->marking);
    cbor_put_bytes(out, h->commit);
    cbor_put_array(out, h->n_refs);
    for (size_t i = 0; i < h->n_refs; i++)
        cbor_put_bytes(out, SPAN(h->ref[i], 32));
    if (!out->bad && out->n - start > ENVELOPE_HEADER_MAX)
        return -HL_ETOOBIG;
    return out->bad;
}
