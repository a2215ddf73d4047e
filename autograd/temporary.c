/* Temporary memory from a tape's allocator, for whoever works on the tape. */
#include "autograd/tape_internal.h"

#include <inttypes.h>

/* Memory for n items, moved from `old` where that is not NULL; n = 0 gives memory, too. NULL, and
 * WG_E_NOMEM on the tape, where there is none, or no allocation can have so many bytes. */
static void *temporary_take(wg_tape *t, void *old, int64_t n, size_t item)
{
    void *memory = NULL;
    int64_t bytes;
    if (wg_tape_is_real(t) && n >= 0 && wg_size_multiply(n > 0 ? n : 1, (int64_t)item, &bytes) &&
        (uint64_t)bytes <= PTRDIFF_MAX) {
        const wg_allocator *from = &t->options.allocator;
        memory = old != NULL ? from->reallocate(old, (size_t)bytes, from->user)
                             : from->allocate((size_t)bytes, from->user);
    }
    if (memory == NULL)
        wg_fail(t, WG_E_NOMEM, "out of memory for %" PRId64 " items of %zu bytes", n, item);
    return memory;
}

void *wg_temporary(wg_tape *t, int64_t n, size_t item)
{
    return temporary_take(t, NULL, n, item);
}

void wg_temporary_free(wg_tape *t, void *memory)
{
    if (memory != NULL)
        t->options.allocator.release(memory, t->options.allocator.user);
}

bool wg_temporary_grow(wg_tape *t, void **memory, int64_t *capacity, int64_t need, size_t item)
{
    if (need <= *capacity)
        return true;
    int64_t wanted = *capacity < INT64_MAX / 2 ? 2 * *capacity : need;
    if (wanted < need)
        wanted = need;
    void *grown = temporary_take(t, *memory, wanted, item);
    if (grown == NULL)
        return false;
    *memory = grown;
    *capacity = wanted;
    return true;
}
