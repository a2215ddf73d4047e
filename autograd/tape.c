/* The tape: what it owns, marks and rewinding, memory that lives as long as a node. */
#include "autograd/tape_internal.h"

#include <stdio.h>
#include <string.h>

wg_tape *wg_tape_new(const wg_tape_options *options)
{
    wg_tape_options chosen = {0};
    if (options != NULL)
        chosen = *options;
    const wg_allocator *from = &chosen.allocator;
    if (from->allocate == NULL)
        chosen.allocator = wg_allocator_default();
    else if (from->reallocate == NULL || from->release == NULL)
        return wg_misallocated_tape();
    wg_tape *t = chosen.allocator.allocate(sizeof *t, chosen.allocator.user);
    if (t == NULL)
        return wg_inert_tape();
    memset(t, 0, sizeof *t);
    t->options = chosen;
    wg_arena_init(&t->arena, &chosen.allocator);
    wg_arena_init(&t->scratch, &chosen.allocator);
    t->inert = wg_null_tape()->inert;
    t->inert.tape = t;
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
    wg_temporary_free(t, t->wire.send);
    wg_temporary_free(t, t->wire.receive);
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

/* Was nothing put on the tape since the place was marked, or is it gone? Then another mark is the
 * same place: a loop that marks and rewinds keeps one. */
static bool tape_is_at(const wg_tape *t, const wg_place *place)
{
    const wg_arena_mark height = wg_arena_height(&t->arena);
    return place != NULL && place->height.block == height.block &&
           place->height.used == height.used;
}

wg_mark wg_tape_mark(wg_tape *t)
{
    if (!wg_tape_is_real(t) || t->arena.current == NULL)
        return (wg_mark){.tape = t, .status = wg_tape_status(t)};
    if (tape_is_at(t, t->place))
        return (wg_mark){t, t->place->serial, t->size, t->status};
    wg_mark mark = {t, ++t->marks, t->size, t->status};
    wg_place *place = wg_arena_take(&t->arena, sizeof *place, sizeof(void *));
    if (place == NULL) {
        t->unplaced = mark.serial;
        wg_fail(t, WG_E_NOMEM, "mark: out of memory");
        return mark;
    }
    *place = (wg_place){t->place, mark.serial, t->size, t->undo, wg_arena_height(&t->arena)};
    t->place = place;
    return mark;
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

/* Returns the status that the tape had. */
static wg_status tape_status_back(wg_tape *t, wg_status status)
{
    const wg_status dropped = t->status;
    t->unplaced = 0;
    t->status = status;
    if (status == WG_OK)
        t->message[0] = '\0';
    else if (t->message[0] == '\0') /* a rewind to an older mark took its words */
        snprintf(t->message, sizeof t->message, "an error from before the mark: %s",
                 wg_status_name(status));
    return dropped;
}

wg_status wg_tape_rewind(wg_tape *t, wg_mark mark)
{
    if (!wg_tape_is_real(t))
        return wg_tape_status(t);
    if (mark.tape == t && mark.serial != 0 && mark.serial == t->unplaced)
        return tape_status_back(t, mark.status);
    static const wg_place empty = {0};
    const wg_place *place = t->place;
    while (place != NULL && place->serial > mark.serial)
        place = place->older;
    if (mark.serial == 0)
        place = &empty;
    if (mark.tape != t || place == NULL || place->serial != mark.serial) {
        wg_fail(t, WG_E_TAPE, "rewind: the mark %s",
                mark.tape != t ? "is of another tape" : "went with a rewind to an older one");
        return WG_E_TAPE;
    }
    tape_undo(t, place->undo);
    t->size = place->size;
    while (t->param != NULL && t->param->index >= t->size)
        t->param = *(wg_tensor **)t->param->plan;
    while (t->place != NULL && t->place->serial > mark.serial)
        t->place = t->place->older;
    wg_arena_rewind(&t->arena, place->height);
    return tape_status_back(t, mark.status);
}

static void *tape_take(wg_tape *t, size_t size, size_t alignment)
{
    if (t == NULL || t->status != WG_OK)
        return NULL;
    void *memory = wg_arena_take(&t->arena, size, alignment);
    if (memory == NULL)
        wg_fail(t, WG_E_NOMEM, "tape: out of memory for %zu bytes", size);
    else
        memset(memory, 0, size);
    return memory;
}

void *wg_tape_take(wg_tape *t, size_t size)
{
    return tape_take(t, size, WG_ALIGNMENT);
}

/* Names are many and short: they stand closer than numbers. */
char *wg_tape_copy_text(wg_tape *t, const char *text)
{
    if (text == NULL) {
        wg_fail(t, WG_E_NULL, "tape: the text to copy is NULL");
        return NULL;
    }
    size_t size = strlen(text) + 1;
    char *copy = tape_take(t, size, sizeof(void *));
    if (copy != NULL)
        memcpy(copy, text, size);
    return copy;
}
