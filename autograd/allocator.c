/* The default allocator: memory as a tape takes it where its options name none. Arenas, in which
 * a tape keeps it, are arena.c's; pages are platform.c's. */
#include "autograd/allocator.h"

#include "autograd/platform_internal.h"

#include <stdint.h>
#include <stdlib.h>

#define MEMORY_LARGE ((size_t)4 << 20) /* from here on memory is asked for in huge pages */

static void *memory_allocate(size_t size, void *user)
{
    (void)user;
    if (size < MEMORY_LARGE)
        return malloc(size);
    if (size > PTRDIFF_MAX) /* more than any object has */
        return NULL;
    void *memory = wg_pages_take(size);
    if (memory != NULL)
        wg_pages_advise(memory, size);
    return memory;
}

/* What has grown begins where realloc put it. */
static void *memory_reallocate(void *memory, size_t size, void *user)
{
    (void)user;
    void *moved = size <= PTRDIFF_MAX ? realloc(memory, size) : NULL;
    if (moved != NULL && size >= MEMORY_LARGE)
        wg_pages_advise(moved, size);
    return moved;
}

static void memory_release(void *memory, void *user)
{
    (void)user;
    free(memory);
}

wg_allocator wg_allocator_default(void)
{
    return (wg_allocator){memory_allocate, memory_reallocate, memory_release, NULL};
}
