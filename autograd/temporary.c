/* Temporary memory from a tape's allocator, for whoever works on the tape. */
#include "autograd/op.h"

#include <inttypes.h>

/* The bytes of n items, or 0 where no allocation can have them. */
static size_t temporary_bytes(int64_t n, size_t item)
{
    int64_t bytes;
    if (n == 0)
        n = 1;
    if (n < 0 || !wg_size_multiply(n, (int64_t)item, &bytes))
        return 0;
    return (uint64_t)bytes > PTRDIFF_MAX ? 0 : (size_t)bytes;
}

void *wg_temporary(wg_tape *t, int64_t n, size_t item)
{
    const wg_allocator *from = wg_tape_allocator(t);
    size_t bytes = temporary_bytes(n, item);
    void *memory = bytes > 0 ? from->allocate(bytes, from->user) : NULL;
    if (memory == NULL)
        wg_fail(t, WG_E_NOMEM, "%" PRId64 " items of %zu bytes", n, item);
    return memory;
}

void wg_temporary_free(wg_tape *t, void *memory)
{
    const wg_allocator *from = wg_tape_allocator(t);
    if (memory != NULL)
        from->release(memory, from->user);
}

bool wg_temporary_grow(wg_tape *t, void **memory, int64_t *capacity, int64_t need, size_t item)
{
    if (need <= *capacity)
        return true;
    const wg_allocator *from = wg_tape_allocator(t);
    int64_t wanted = *capacity < INT64_MAX / 2 ? 2 * *capacity : need;
    if (wanted < need)
        wanted = need;
    size_t bytes = temporary_bytes(wanted, item);
    void *grown = NULL;
    if (bytes > 0 && *memory == NULL)
        grown = from->allocate(bytes, from->user);
    else if (bytes > 0)
        grown = from->reallocate(*memory, bytes, from->user);
    if (grown == NULL) {
        wg_fail(t, WG_E_NOMEM, "%" PRId64 " items of %zu bytes", wanted, item);
        return false;
    }
    *memory = grown;
    *capacity = wanted;
    return true;
}
