/* What platforms do each in their way: large memory, the number of processors. */
#ifndef _DEFAULT_SOURCE /* madvise is no part of POSIX */
#define _DEFAULT_SOURCE
#endif

#include "autograd/platform_internal.h"

#include <stdint.h>
#include <stdlib.h>
#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#else
#include <unistd.h>
#endif
#if defined(__linux__)
#include <sys/mman.h>
#endif

/* ---- Huge pages: where the C library does not declare them, all memory is malloc's. ---------- */

#ifdef MADV_HUGEPAGE
#define PLATFORM_PAGE                                                                              \
    ((size_t)2 << 20) /* a huge page of x86-64, and of arm64 with small pages of 4 KiB */

/* Where a whole page fits into the block, so that no memory is used beyond it. */
void wg_pages_advise(void *memory, size_t size)
{
    const uintptr_t start = (uintptr_t)memory;
    const size_t skip = (PLATFORM_PAGE - start % PLATFORM_PAGE) % PLATFORM_PAGE;
    const size_t length = (size - skip) / PLATFORM_PAGE * PLATFORM_PAGE;
    (void)madvise((char *)memory + skip, length, MADV_HUGEPAGE);
}

void *wg_pages_take(size_t size)
{
    void *memory;
    return posix_memalign(&memory, PLATFORM_PAGE, size) == 0 ? memory : NULL;
}
#else
void wg_pages_advise(void *memory, size_t size)
{
    (void)memory, (void)size;
}

void *wg_pages_take(size_t size)
{
    return malloc(size);
}
#endif

/* ---- Processors. ----------------------------------------------------------------------------- */

long wg_processors(void)
{
#if defined(_WIN32)
    SYSTEM_INFO about;
    GetSystemInfo(&about);
    return (long)about.dwNumberOfProcessors;
#elif defined(_SC_NPROCESSORS_ONLN)
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 1 ? online : 1;
#else
    return 1;
#endif
}
