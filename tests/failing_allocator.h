/* An allocator that fails at a given call, once or from then on, and counts what is not released. */
#ifndef WG_TESTS_FAILING_ALLOCATOR_H
#define WG_TESTS_FAILING_ALLOCATOR_H

#include "autograd/memory.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

typedef struct wgt_failing {
    int64_t calls;   /* of allocate and reallocate so far */
    int64_t fail_at; /* the call that fails, from 1; 0: none */
    bool from_then_on;
    int64_t live; /* allocations that were not released */
} wgt_failing;

static inline bool wgt_failing_now(wgt_failing *f)
{
    f->calls++;
    return f->fail_at > 0 && (f->from_then_on ? f->calls >= f->fail_at : f->calls == f->fail_at);
}

static inline void *wgt_failing_allocate(size_t size, void *user)
{
    wgt_failing *f = user;
    void *memory = wgt_failing_now(f) ? NULL : malloc(size);
    f->live += memory != NULL;
    return memory;
}

static inline void *wgt_failing_reallocate(void *memory, size_t size, void *user)
{
    return wgt_failing_now(user) ? NULL : realloc(memory, size);
}

static inline void wgt_failing_release(void *memory, void *user)
{
    wgt_failing *f = user;
    f->live--;
    free(memory);
}

static inline wg_allocator wgt_failing_allocator(wgt_failing *f)
{
    return (wg_allocator){wgt_failing_allocate, wgt_failing_reallocate, wgt_failing_release, f};
}

#endif
