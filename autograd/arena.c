/* A tape's memory: a stack of blocks, given back by rewinding. apply.c takes a node's value. */
#include "autograd/arena_internal.h"

#ifdef WG_ARENA_TINY /* whatever is taken is allocated: for tests in which that fails */
#define ARENA_BLOCK_FIRST   ((size_t)1)
#define ARENA_BLOCK_LARGEST ((size_t)2)
#define ARENA_BLOCK_SPARE   ((size_t)0)
#else
#define ARENA_BLOCK_FIRST   ((size_t)16 << 10) /* payload of the first block, bytes */
#define ARENA_BLOCK_LARGEST ((size_t)1 << 20)
#define ARENA_BLOCK_SPARE   ((size_t)32 << 10)
#endif

void wg_arena_init(wg_arena *arena, const wg_allocator *allocator)
{
    *arena = (wg_arena){.allocator = *allocator};
}

/* Gives back the blocks from *link on. */
static void arena_release(wg_arena *arena, wg_arena_block **link)
{
    while (*link != NULL) {
        wg_arena_block *block = *link;
        *link = block->next;
        ASAN_UNPOISON_MEMORY_REGION(block->payload, block->size);
        arena->allocator.release(block, arena->allocator.user);
    }
}

void wg_arena_clear(wg_arena *arena)
{
    arena_release(arena, &arena->first);
    arena->current = NULL;
}

/* Where the blocks behind the current one, which are empty, begin. */
static wg_arena_block **arena_kept(wg_arena *arena)
{
    return arena->current != NULL ? &arena->current->next : &arena->first;
}

/* Blocks double from the first to the largest; what is larger than half a block, so that two of it
 * would not fit, gets one of its own, with some room behind it for the nodes that follow. */
static size_t arena_block_size(const wg_arena *arena, size_t need)
{
    size_t size = ARENA_BLOCK_FIRST;
    if (arena->current != NULL)
        size = arena->current->size < ARENA_BLOCK_LARGEST / 2 ? 2 * arena->current->size
                                                              : ARENA_BLOCK_LARGEST;
    return need > size / 2 ? need + ARENA_BLOCK_SPARE : size;
}

/* A new block behind the current one. */
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
    *arena_kept(arena) = block;
    return block;
}

/* The first kept block with so much room, moved behind the current one; NULL: there is none. */
static wg_arena_block *arena_reuse(wg_arena *arena, size_t need)
{
    wg_arena_block **first = arena_kept(arena);
    for (wg_arena_block **link = first; *link != NULL; link = &(*link)->next) {
        wg_arena_block *block = *link;
        if (block->size < need)
            continue;
        *link = block->next;
        block->next = *first;
        *first = block;
        return block;
    }
    return NULL;
}

/* Where no kept block has room, all of them go before a new one comes. What is then held is in use,
 * but for the ends of blocks, each shorter than what did not fit there: at most
 * twice what is in use. */
void *wg_arena_take_beyond(wg_arena *arena, size_t size, size_t alignment)
{
    if (size > SIZE_MAX / 4)
        return NULL;
    size_t need = size + WG_ARENA_GAP;
    wg_arena_block *block = arena_reuse(arena, need);
    if (block == NULL) {
        arena_release(arena, arena_kept(arena));
        block = arena_block_new(arena, need);
    }
    if (block == NULL)
        return NULL;
    arena->current = block;
    return wg_arena_take_from(block, size, alignment);
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
