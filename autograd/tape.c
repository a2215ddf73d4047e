#include "autograd/tape_internal.h"

#include <string.h>

/* Stands for 'no memory', for every thread. It is never written: its status is an error from the
 * start, and nothing is recorded on a tape that has one. */
static wg_tape tape_inert = {
    .status = WG_E_NOMEM,
    .inert = {.tape = &tape_inert, .op = &wg_op_constant, .index = -1, .dtype = WG_F64},
    .message = "tape: out of memory",
};

wg_tape *wg_inert_tape(void)
{
    return &tape_inert;
}

wg_tape *wg_tape_new(const wg_tape_options *options)
{
    wg_tape_options chosen = {0};
    if (options != NULL)
        chosen = *options;
    if (chosen.allocator.allocate == NULL)
        chosen.allocator = wg_allocator_default();
    wg_tape *t = chosen.allocator.allocate(sizeof *t, chosen.allocator.user);
    if (t == NULL)
        return wg_inert_tape();
    memset(t, 0, sizeof *t);
    t->options = chosen;
    wg_arena_init(&t->arena, &chosen.allocator);
    wg_arena_init(&t->scratch, &chosen.allocator);
    t->inert = (wg_tensor){.tape = t, .op = &wg_op_constant, .index = -1, .dtype = WG_F64};
    return t;
}

void wg_tape_free(wg_tape *t)
{
    if (t == NULL || t == wg_inert_tape())
        return;
    wg_allocator allocator = t->options.allocator;
    wg_arena_clear(&t->arena);
    wg_arena_clear(&t->scratch);
    if (t->node != NULL)
        allocator.release(t->node, allocator.user);
    if (t->workspace != NULL)
        allocator.release(t->workspace, allocator.user);
    allocator.release(t, allocator.user);
}

wg_status wg_tape_status(const wg_tape *t)
{
    return t != NULL ? t->status : WG_E_NULL;
}

const char *wg_tape_message(const wg_tape *t)
{
    return t != NULL ? t->message : "the tape is NULL";
}

int64_t wg_tape_size(const wg_tape *t)
{
    return t != NULL ? t->size : 0;
}

const wg_allocator *wg_tape_allocator(const wg_tape *t)
{
    return &t->options.allocator;
}

wg_mark wg_tape_mark(const wg_tape *t)
{
    if (t == NULL)
        return (wg_mark){.status = WG_E_NULL};
    wg_arena_mark height = wg_arena_height(&t->arena);
    return (wg_mark){t->size, height.block, height.used, t->status};
}

/* Parameters that stay get back the gradients that stay with them. */
static void tape_forget_gradients(wg_tape *t, int64_t size)
{
    for (; t->backward != NULL && t->backward->index >= size; t->backward = t->backward->older)
        for (int i = t->backward->n - 1; i >= 0; i--)
            t->backward->entry[i].param->grad = t->backward->entry[i].former;
}

wg_status wg_tape_rewind(wg_tape *t, wg_mark mark)
{
    if (t == NULL)
        return WG_E_NULL;
    if (t == wg_inert_tape())
        return t->status;
    if (mark.size > t->size) {
        wg_fail(t, WG_E_TAPE, "rewind: the mark is at node %lld, the tape has %lld",
                (long long)mark.size, (long long)t->size);
        return WG_E_TAPE;
    }
    tape_forget_gradients(t, mark.size);
    t->size = mark.size;
    wg_arena_rewind(&t->arena, (wg_arena_mark){mark.block, mark.used});
    t->status = mark.status;
    if (t->status == WG_OK)
        t->message[0] = '\0';
    return t->status;
}

void *wg_tape_take(wg_tape *t, size_t size)
{
    if (t == NULL || t->status != WG_OK)
        return NULL;
    void *memory = wg_arena_take(&t->arena, size, WG_ALIGNMENT);
    if (memory == NULL)
        wg_fail(t, WG_E_NOMEM, "tape: out of memory for %zu bytes", size);
    else
        memset(memory, 0, size);
    return memory;
}

char *wg_tape_copy_text(wg_tape *t, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = wg_tape_take(t, size);
    if (copy != NULL)
        memcpy(copy, text, size);
    return copy;
}
