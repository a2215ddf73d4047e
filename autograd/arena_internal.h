#ifndef WG_AUTOGRAD_ARENA_INTERNAL_H
#define WG_AUTOGRAD_ARENA_INTERNAL_H

#include "autograd/allocator.h"

#include <stdint.h>

/* Under AddressSanitizer what is not taken, or was rewound, is poisoned: a dangling pointer into
 * the arena is caught as one into the heap would be. */
#if defined(__SANITIZE_ADDRESS__)
#define WG_ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WG_ARENA_ASAN 1
#endif
#endif
#ifdef WG_ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define WG_ARENA_GAP 64 /* poisoned bytes between neighbours */
#else
#define WG_ARENA_GAP                             0
#define ASAN_POISON_MEMORY_REGION(start, size)   ((void)(start), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(start, size) ((void)(start), (void)(size))
#endif

/* Of values of as many bytes: a cache line, and a vector register of AVX-512. */
#define WG_ALIGNMENT 64

typedef struct wg_arena_block {
    struct wg_arena_block *next;
    size_t size; /* payload, bytes */
    size_t used;
    char *payload; /* aligned to WG_ALIGNMENT, inside the same allocation */
} wg_arena_block;

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

/* wg_arena_init: an empty arena that takes its blocks from the allocator, which is copied.
 * wg_arena_clear gives every block back. */
void wg_arena_init(wg_arena *arena, const wg_allocator *allocator);
void wg_arena_clear(wg_arena *arena);

/* wg_arena_take_from: memory in the block; NULL where it has not so much. A size is at most a
 * quarter of what a size_t holds, and so is `used`: their sum does not overflow. */
static inline void *wg_arena_take_from(wg_arena_block *block, size_t size, size_t alignment)
{
    size_t start = (block->used + alignment - 1) & ~(alignment - 1);
    if (start + size + WG_ARENA_GAP > block->size)
        return NULL;
    block->used = start + size + WG_ARENA_GAP;
    ASAN_UNPOISON_MEMORY_REGION(block->payload + start, size);
    return block->payload + start;
}

/* wg_arena_take_beyond: goes on in the next block that is kept, or in a new one. */
void *wg_arena_take_beyond(wg_arena *arena, size_t size, size_t alignment);

/* wg_arena_take: memory of `size` bytes, aligned to `alignment` (a power of two, at most
 * WG_ALIGNMENT); not initialized; NULL where the allocator has none. Size 0 gives an address that
 * must not be read. */
static inline void *wg_arena_take(wg_arena *arena, size_t size, size_t alignment)
{
    void *memory = NULL;
    if (arena->current != NULL && size <= SIZE_MAX / 4)
        memory = wg_arena_take_from(arena->current, size, alignment);
    return memory != NULL ? memory : wg_arena_take_beyond(arena, size, alignment);
}

/* wg_arena_height: how much is taken now, for wg_arena_rewind. */
static inline wg_arena_mark wg_arena_height(const wg_arena *arena)
{
    return (wg_arena_mark){arena->current, arena->current != NULL ? arena->current->used : 0};
}

/* wg_arena_rewind: give back what was taken since the mark; blocks are kept for what comes next.
 * Good where nothing below the mark was given back since it was made. */
void wg_arena_rewind(wg_arena *arena, wg_arena_mark mark);

#endif
