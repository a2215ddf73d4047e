#include "autograd/memory.h"

#include <stdlib.h>

static void *memory_allocate(size_t size, void *user)
{
    (void)user;
    return malloc(size);
}

static void *memory_reallocate(void *memory, size_t size, void *user)
{
    (void)user;
    return realloc(memory, size);
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
