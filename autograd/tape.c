#include "autograd/tape_internal.h"

#include <string.h>

static void *tape_no_memory(size_t size, void *user)
{
    (void)size;
    (void)user;
    return NULL;
}

static void *tape_no_more_memory(void *memory, size_t size, void *user)
{
    (void)memory;
    (void)size;
    (void)user;
    return NULL;
}

static void tape_nothing_to_release(void *memory, void *user)
{
    (void)memory;
    (void)user;
}

#define TAPE_INERT(which, code, text)                                                              \
    {                                                                                              \
        .options.allocator = {tape_no_memory, tape_no_more_memory, tape_nothing_to_release, NULL}, \
        .status = (code), .message = text,                                                         \
        .inert = {                                                                                 \
            .tape = &tape_inert[which], .op = &wg_op_constant, .index = -1, .dtype = WG_F64},      \
    }

/* Stand for 'no memory' and 'no tape', for every thread. They are never written: their status is an
 * error from the start, and nothing is recorded on a tape that has one. */
static wg_tape tape_inert[2] = {
    TAPE_INERT(0, WG_E_NOMEM, "tape: out of memory"),
    TAPE_INERT(1, WG_E_NULL, "the tape is NULL"),
};

wg_tape *wg_inert_tape(void)
{
    return &tape_inert[0];
}

wg_tape *wg_null_tape(void)
{
    return &tape_inert[1];
}

bool wg_tape_is_real(const wg_tape *t)
{
    return t != NULL && t != &tape_inert[0] && t != &tape_inert[1];
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
    if (!wg_tape_is_real(t))
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

const wg_tape_options *wg_tape_options_of(const wg_tape *t)
{
    return &(t != NULL ? t : wg_null_tape())->options;
}

const wg_allocator *wg_tape_allocator(const wg_tape *t)
{
    return t != NULL ? &t->options.allocator : &tape_inert[1].options.allocator;
}

wg_mark wg_tape_mark(const wg_tape *t)
{
    if (t == NULL)
        return (wg_mark){.tape = NULL, .status = WG_E_NULL};
    wg_arena_mark height = wg_arena_height(&t->arena);
    return (wg_mark){t, t->size, height.block, t->undo, height.used, t->status};
}

bool wg_undo_note(wg_tape *t, wg_tensor *const xs[], int n)
{
    wg_undo *undo = wg_tape_take(t, sizeof *undo + (size_t)n * sizeof(struct wg_undo_entry));
    if (undo == NULL)
        return false;
    undo->older = t->undo;
    undo->n = n;
    for (int i = 0; i < n; i++)
        undo->entry[i] = (struct wg_undo_entry){xs[i], xs[i]->grad, xs[i]->name};
    t->undo = undo;
    return true;
}

/* Undoes what was noted after `last`, newest first. */
static void tape_undo(wg_tape *t, const wg_undo *last)
{
    for (; t->undo != NULL && t->undo != last; t->undo = t->undo->older)
        for (int64_t i = 0; i < t->undo->n; i++) {
            struct wg_undo_entry *former = &t->undo->entry[i];
            former->x->grad = former->grad;
            former->x->name = former->name;
        }
}

wg_status wg_tape_rewind(wg_tape *t, wg_mark mark)
{
    if (t == NULL)
        return WG_E_NULL;
    if (!wg_tape_is_real(t))
        return t->status;
    if (mark.tape != t) {
        wg_fail(t, WG_E_TAPE, "rewind: the mark is of another tape");
        return WG_E_TAPE;
    }
    if (mark.size > t->size) {
        wg_fail(t, WG_E_TAPE, "rewind: the mark is at node %lld, the tape has %lld",
                (long long)mark.size, (long long)t->size);
        return WG_E_TAPE;
    }
    tape_undo(t, mark.undo);
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
    if (text == NULL) {
        wg_fail(t, WG_E_NULL, "tape: the text to copy is NULL");
        return NULL;
    }
    size_t size = strlen(text) + 1;
    char *copy = wg_tape_take(t, size);
    if (copy != NULL)
        memcpy(copy, text, size);
    return copy;
}
