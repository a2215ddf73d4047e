#ifndef WG_AUTOGRAD_ARENA_INTERNAL_H
#define WG_AUTOGRAD_ARENA_INTERNAL_H

#include "autograd/memory.h"

#define WG_ALIGNMENT 64 /* of values: a cache line, and a vector register of AVX-512 */

typedef struct wg_arena_block wg_arena_block;

/* A stack of memory. Blocks stand in a list; those behind `current` are empty and kept, so that a
 * step that is recorded, rewound and recorded again asks the allocator for nothing. */
typedef struct wg_arena {
    wg_allocator allocator;
    wg_arena_block *first;
    wg_arena_block *current;
} wg_arena;

/* A height of the stack. */
typedef struct wg_arena_mark {
    wg_arena_block *block;
    size_t used;
} wg_arena_mark;

void wg_arena_init(wg_arena *arena, const wg_allocator *allocator);
void wg_arena_clear(wg_arena *arena); /* gives every block back */

/* Memory of `size` bytes, aligned to `alignment` (a power of two, at most WG_ALIGNMENT); not
 * initialised; NULL where the allocator has none. Size 0 gives an address that must not be read. */
void *wg_arena_take(wg_arena *arena, size_t size, size_t alignment);

wg_arena_mark wg_arena_height(const wg_arena *arena);
void wg_arena_rewind(wg_arena *arena, wg_arena_mark mark);

#endif
