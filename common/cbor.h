#ifndef HL_COMMON_CBOR_H
#define HL_COMMON_CBOR_H

#include "common/buf.h"

/*
 * Deterministic CBOR (RFC 8949 4.2.1), the subset of FORMATS 2: unsigned integers
 * below 2^63, byte strings and arrays; definite, shortest form.  Anything else is
 * -HL_EFORMAT.
 *
 * Reading is sticky: read every item, check bad (or cbor_done()) once.  After an
 * error every read returns 0 or an empty span.  Spans borrow from the input.
 */
struct cbor_in {
    const uint8_t *p, *end;
    int bad;
    unsigned depth; /* arrays opened by nested readers; limit CBOR_DEPTH */
};

#define CBOR_DEPTH 4

void cbor_open(struct cbor_in *in, struct span s);
uint64_t cbor_uint(struct cbor_in *in);
/** cbor_uint_max - as cbor_uint(), refusing values above @max. */
uint64_t cbor_uint_max(struct cbor_in *in, uint64_t max);
struct span cbor_bytes(struct cbor_in *in);
/** cbor_bytes_max - refuses a string longer than @max with -HL_ETOOBIG. */
struct span cbor_bytes_max(struct cbor_in *in, size_t max);
/** cbor_bytes_n - a string of exactly @n bytes; on error a pointer to static zeroes (n <= 64). */
const uint8_t *cbor_bytes_n(struct cbor_in *in, size_t n);
/**
 * cbor_array - the head of an array of @min..@max items; returns the count.
 * The caller reads that many items; nesting is counted by cbor_array()/cbor_array_end().
 */
size_t cbor_array(struct cbor_in *in, size_t min, size_t max);
void cbor_array_end(struct cbor_in *in);
/** cbor_done - 0 when nothing failed and no byte is left; else the error. */
int cbor_done(struct cbor_in *in);
/** cbor_fail - record @rc as the reader's error unless it has one. */
void cbor_fail(struct cbor_in *in, int rc);

void cbor_put_uint(struct buf *b, uint64_t v);
void cbor_put_bytes(struct buf *b, struct span s);
void cbor_put_array(struct buf *b, size_t n);
/** cbor_put_bytes_head - only the head of a byte string of @n bytes; the caller appends them. */
void cbor_put_bytes_head(struct buf *b, size_t n);

#endif
