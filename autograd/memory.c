/* madvise is no part of POSIX; where the C library does not declare it, all memory is malloc's. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE
#endif

#include "autograd/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#define MEMORY_PAGE                                                                                \
    ((size_t)2 << 20) /* a huge page of x86-64, and of arm64 with small pages of 4 KiB */
#define MEMORY_LARGE ((size_t)4 << 20) /* from here on memory is asked for in huge pages */

#ifdef MADV_HUGEPAGE
/* Asks for huge pages where a whole one fits into the block, so that no memory is used beyond it. Advice
 * only: where the kernel has none, pages stay as they are. */
static void memory_advise(void *memory, size_t size)
{
    const uintptr_t start = (uintptr_t)memory;
    const size_t skip = (MEMORY_PAGE - start % MEMORY_PAGE) % MEMORY_PAGE;
    const size_t length = (size - skip) / MEMORY_PAGE * MEMORY_PAGE;
    (void)madvise((char *)memory + skip, length, MADV_HUGEPAGE);
}

static void *memory_large(size_t size)
{
    void *memory;
    return posix_memalign(&memory, MEMORY_PAGE, size) == 0 ? memory : NULL;
}
#else
static void memory_advise(void *memory, size_t size)
{
    (void)memory, (void)size;
}

static void *memory_large(size_t size)
{
    return malloc(size);
}
#endif

static void *memory_allocate(size_t size, void *user)
{
    (void)user;
    if (size < MEMORY_LARGE)
        return malloc(size);
    void *memory = memory_large(size);
    if (memory != NULL)
        memory_advise(memory, size);
    return memory;
}

/* What has grown begins where realloc put it. */
static void *memory_reallocate(void *memory, size_t size, void *user)
{
    (void)user;
    void *moved = realloc(memory, size);
    if (moved != NULL && size >= MEMORY_LARGE)
        memory_advise(moved, size);
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
