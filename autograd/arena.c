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

static size_t arena_start(const wg_arena_block *block, size_t alignment)
{
    return (block->used + alignment - 1) & ~(alignment - 1);
}

static int arena_fits(const wg_arena_block *block, size_t size, size_t alignment)
{
    size_t start = arena_start(block, alignment);
    return start <= block->size && size <= block->size - start;
}

void *wg_arena_take(wg_arena *arena, size_t size, size_t alignment)
{
    if (size > SIZE_MAX / 2)
        return NULL;
    size_t need = size + ARENA_GAP;
    wg_arena_block *block = arena->current;
    if (block == NULL || !arena_fits(block, need, alignment)) {
        wg_arena_block *kept = block != NULL ? block->next : arena->first;
        block = kept != NULL && arena_fits(kept, need, alignment) ? kept
                                                                  : arena_block_new(arena, need);
        if (block == NULL)
            return NULL;
        arena->current = block;
    }
    size_t start = arena_start(block, alignment);
    block->used = start + need;
    ASAN_UNPOISON_MEMORY_REGION(block->payload + start, size);
    return block->payload + start;
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
