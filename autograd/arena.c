#include "autograd/arena_internal.h"

#define ARENA_BLOCK_FIRST   ((size_t)16 << 10) /* payload of the first block, bytes */
#define ARENA_BLOCK_LARGEST ((size_t)1 << 20)

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

void *wg_arena_take_beyond(wg_arena *arena, size_t size, size_t alignment)
{
    if (size > SIZE_MAX / 4)
        return NULL;
    wg_arena_block *kept = arena->current != NULL ? arena->current->next : arena->first;
    void *memory = kept != NULL ? wg_arena_take_from(kept, size, alignment) : NULL;
    if (memory == NULL) {
        kept = arena_block_new(arena, size + WG_ARENA_GAP);
        if (kept == NULL)
            return NULL;
        memory = wg_arena_take_from(kept, size, alignment);
    }
    arena->current = kept;
    return memory;
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
