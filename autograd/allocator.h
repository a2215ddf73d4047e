#ifndef WG_AUTOGRAD_ALLOCATOR_H
#define WG_AUTOGRAD_ALLOCATOR_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where a tape's memory comes from. All three functions are given `user`; they follow the contracts
 * of malloc, realloc and free. Sizes of 0 are never asked for. They are called by the thread that
 * uses the tape, never by the threads of a pool. */
typedef struct wg_allocator {
    void *(*allocate)(size_t size, void *user);
    void *(*reallocate)(void *memory, size_t size, void *user);
    void (*release)(void *memory, void *user);
    void *user;
} wg_allocator;

/* wg_allocator_default: malloc, realloc and free of libc. On Linux a block of 4 MiB or more starts
 * on a boundary of 2 MiB and asks the kernel for huge pages (madvise); a block grown to that size
 * asks too, but is not aligned. */
wg_allocator wg_allocator_default(void);

#ifdef __cplusplus
}
#endif
#endif
