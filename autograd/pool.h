#ifndef WG_AUTOGRAD_POOL_H
#define WG_AUTOGRAD_POOL_H

#include "autograd/allocator.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Threads that share the work of one tape at a time; see wg_tape_options. Results never depend on
 * how many there are. */
typedef struct wg_pool wg_pool;

/* wg_pool_new: `threads` threads in all, 1 to 256, the one that calls wg_pool_run among them; 0: as
 * many as there are processors online. `allocator` may be NULL or all zero (libc's malloc). NULL
 * where threads or memory are not to be had, or for another number. The caller frees it, after the
 * tapes that use it. */
wg_pool *wg_pool_new(int threads, const wg_allocator *allocator);

/* wg_pool_free: ends the threads and gives the memory back. NULL is nothing. */
void wg_pool_free(wg_pool *pool);

/* wg_pool_threads: how many threads work; 1 for NULL. */
int wg_pool_threads(const wg_pool *pool);

/* One piece of some work, 0 <= piece < pieces, done by one of the workers, 0 <= worker < threads.
 * No two pieces run on the same worker at the same time. */
typedef void wg_pool_work(int64_t piece, int worker, void *context);

/* wg_pool_run: do all pieces, in any order, and return when all are done. With a pool of NULL, in a
 * process forked after the pool was made, and while the pool works for another thread, the caller
 * does them in order. Must not be called from within a piece. */
void wg_pool_run(wg_pool *pool, int64_t pieces, wg_pool_work *work, void *context);

#ifdef __cplusplus
}
#endif
#endif
