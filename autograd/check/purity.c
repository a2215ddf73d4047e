/* Owns the check that ops are pure: the same operands give the same bits, however the
 * work is cut. */
#include "autograd/check/gradcheck_internal.h"

#include <math.h>
#include <string.h>

bool wg_check_same_bits(const wg_tensor *a, const wg_tensor *b)
{
    const size_t size = wg_dtype_size(a->dtype);
    if (a->size == 0 || memcmp(a->data, b->data, (size_t)a->size * size) == 0)
        return true;
    const char *at = a->data, *bt = b->data;
    for (int64_t i = 0; i < a->size; i++, at += size, bt += size)
        if (memcmp(at, bt, size) != 0 && !(isnan(wg_element(a, i)) && isnan(wg_element(b, i))))
            return false;
    return true;
}

/* The work in pieces of 1, 2, 3, 5, 8, ... chunks. */
static void pure_run_cut(const wg_tensor *y, void *workspace)
{
    int64_t before = 0, size = 1;
    for (int64_t begin = 0; begin < y->chunks;) {
        const int64_t end = y->chunks - begin < size ? y->chunks : begin + size;
        y->op->forward(y, &(wg_piece){begin, end, workspace});
        const int64_t next = before + size;
        before = size;
        size = next;
        begin = end;
    }
}

/* Does y's op give y's bits again, whole and cut? */
static bool pure_node(wg_tensor *y, bool *no_memory)
{
    wg_tape *t = y->tape;
    const size_t bytes = (size_t)y->size * wg_dtype_size(y->dtype);
    wg_tensor again = *y;
    if (bytes == 0 || (y->op->flags & WG_OP_VIEW) || y->op->forward == NULL)
        return true;
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    again.data = wg_arena_take(&t->scratch, bytes, WG_ALIGNMENT);
    void *workspace = wg_arena_take(&t->scratch, wg_node_workspace_size(y) + 1, WG_ALIGNMENT);
    bool pure = true;
    *no_memory = *no_memory || again.data == NULL || workspace == NULL;
    if (again.data != NULL && workspace != NULL && wg_node_run(&again)) {
        pure = wg_check_same_bits(&again, y);
        if (pure && y->chunks > 1) {
            memset(again.data, 0, bytes);
            pure_run_cut(&again, workspace);
            pure = wg_check_same_bits(&again, y);
        }
    }
    wg_arena_rewind(&t->scratch, empty);
    return pure;
}

const char *wg_check_impure(const wg_check_session *s, bool *no_memory)
{
    wg_tape *t = s->user;
    const wg_tensor *y = s->caller_y;
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    bool *needed = wg_arena_take(&t->scratch, (size_t)y->index + 1, 1);
    const char *impure = NULL;
    *no_memory = needed == NULL;
    if (needed != NULL)
        wg_mark_needed(t, (wg_tensor *[]){t->node[y->index]}, 1, y->index, needed);
    for (int64_t i = 0; i <= y->index && needed != NULL && impure == NULL; i++)
        if (needed[i] && t->node[i]->data != NULL && !pure_node(t->node[i], no_memory))
            impure = t->node[i]->op->name;
    wg_arena_rewind(&t->scratch, empty);
    return impure;
}
