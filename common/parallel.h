#ifndef HL_COMMON_PARALLEL_H
#define HL_COMMON_PARALLEL_H

#include <stddef.h>

/*
 * parallel_for - run fn(arg, i) for i in 0..n-1 on max(1, cores - 2) threads (inline when that is
 * one or n is small) and wait for all.  fn must be pure but for its own slot of arg.
 */
void parallel_for(size_t n, void (*fn)(void *arg, size_t i), void *arg);
/** parallel_run - the same on @threads threads (at most 32), the caller's included. */
void parallel_run(unsigned threads, size_t n, void (*fn)(void *arg, size_t i), void *arg);

#endif
