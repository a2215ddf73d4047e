#include "autograd/arena_internal.h"

#include <stdint.h>

/* Under AddressSanitizer what is not taken, or was rewound, is poisoned: a dangling pointer into the
 * arena is caught as one into the heap would be. */
#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif
#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define ARENA_GAP 64 /* poisoned bytes between neighbours */
#else
#define ARENA_GAP                                0
#define ASAN_POISON_MEMORY_REGION(start, size)   ((void)(start), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(start, size) ((void)(start), (void)(size))
#endif

#define ARENA_BLOCK_FIRST   ((size_t)16 << 10) /* payload of the first block, bytes */
#define ARENA_BLOCK_LARGEST ((size_t)1 << 20)

struct wg_arena_block {
    wg_arena_block *next;
    size_t size; /* payload, bytes */
    size_t used;
    char *payload; /* aligned to WG_ALIGNMENT, inside the same allocation */
};

void wg_arena_init(wg_arena *arena, const wg_allocator *allocator)
{
    *arena = (wg_arena){.allocator = *allocator};
}

void wg_arena_clear(wg_arena *arena)
{
    wg_arena_block *block = arena->first;
    while (block != NULL) {
        wg_arena_block *next = block->next;
        ASAN_UNPOISON_MEMORY_REGION(block->payload, block->size);
        arena->allocator.release(block, arena->allocator.user);
        block = next;
    }
    arena->first = arena->current = NULL;
}

/* Blocks double from the first to the largest; what is larger than that gets a block of its own. */
static size_t arena_block_size(const wg_arena *arena, size_t need)
{
    size_t size = ARENA_BLOCK_FIRST;
    if (arena->current != NULL)
        size = arena->current->size < ARENA_BLOCK_LARGEST / 2 ? 2 * arena->current->size
                                                              : ARENA_BLOCK_LARGEST;
    return need > size ? need : size;
}

/* A new block behind the current one, in front of those that are kept. */
static wg_arena_block *arena_block_new(wg_arena *arena, size_t need)
{
    size_t size = arena_block_size(arena, need);
    if (size > SIZE_MAX - sizeof(wg_arena_block) - WG_ALIGNMENT)
        return NULL;
    wg_arena_block *block = arena->allocator.allocate(sizeof(wg_arena_block) + WG_ALIGNMENT + size,
                                                      arena->allocator.user);
    if (block == NULL)
        return NULL;
    uintptr_t start = (uintptr_t)(block + 1);
    size_t skip = (WG_ALIGNMENT - start % WG_ALIGNMENT) % WG_ALIGNMENT;
    *block = (wg_arena_block){NULL, size, 0, (char *)(block + 1) + skip};
    ASAN_POISON_MEMORY_REGION(block->payload, size);
    wg_arena_block **link = arena->current != NULL ? &arena->current->next : &arena->first;
    block->next = *link;
    *link = block;
    return block;
}

/* Memory in the block; NULL where it has not so much. A size is at most a quarter of what a size_t holds, and
 * so is `used`: their sum does not overflow. */
static void *arena_take_from(wg_arena_block *block, size_t size, size_t alignment)
{
    size_t start = (block->used + alignment - 1) & ~(alignment - 1);
    if (start + size + ARENA_GAP > block->size)
        return NULL;
    block->used = start + size + ARENA_GAP;
    ASAN_UNPOISON_MEMORY_REGION(block->payload + start, size);
    return block->payload + start;
}

/* Goes on in the next block that is kept, or in a new one. */
static void *arena_take_beyond(wg_arena *arena, size_t size, size_t alignment)
{
    wg_arena_block *kept = arena->current != NULL ? arena->current->next : arena->first;
    void *memory = kept != NULL ? arena_take_from(kept, size, alignment) : NULL;
    if (memory == NULL) {
        kept = arena_block_new(arena, size + ARENA_GAP);
        if (kept == NULL)
            return NULL;
        memory = arena_take_from(kept, size, alignment);
    }
    arena->current = kept;
    return memory;
}

void *wg_arena_take(wg_arena *arena, size_t size, size_t alignment)
{
    if (size > SIZE_MAX / 4)
        return NULL;
    void *memory = arena->current != NULL ? arena_take_from(arena->current, size, alignment) : NULL;
    return memory != NULL ? memory : arena_take_beyond(arena, size, alignment);
}

wg_arena_mark wg_arena_height(const wg_arena *arena)
{
    return (wg_arena_mark){arena->current, arena->current != NULL ? arena->current->used : 0};
}

void wg_arena_rewind(wg_arena *arena, wg_arena_mark mark)
{
    wg_arena_block *block = mark.block != NULL ? mark.block : arena->first;
    if (block == NULL || arena->current == NULL) /* nothing taken since the last rewind */
        return;
    size_t used = mark.used;
    wg_arena_block *last = arena->current;
    arena->current = mark.block;
    for (;; block = block->next, used = 0) {
        block->used = used;
        ASAN_POISON_MEMORY_REGION(block->payload + used, block->size - used);
        if (block == last)
            break;
    }
}
