/* What was recorded becomes a body. */
#include "autograd/body_internal.h"

#include <string.h>

static void recorded_fill(wg_tape *body, const wg_tape *from, wg_tensor *const inputs[],
                          int n_inputs, const bool *needed, wg_tensor **twin)
{
    for (int i = 0; i < n_inputs; i++) {
        const wg_tensor *x = inputs[i];
        twin[x->index] = wg_placeholder(body, NULL, x->dtype, x->shape.ndim, x->shape.dim);
        if (x->name != NULL)
            wg_rename(twin[x->index], x->name);
    }
    for (int64_t i = 0; i < from->size && body->status == WG_OK; i++) {
        const wg_tensor *x = from->node[i];
        if (!needed[i] || twin[i] != NULL)
            continue;
        if (x->op == &wg_op_parameter || x->op == &wg_op_input || x->op == &wg_op_abstract)
            wg_op_fail(x, WG_E_VALUE, "made inside of the body: pass it in");
        if (from->status == WG_OK)
            twin[i] = wg_copy_node(body, x, WG_DTYPE_DEFAULT, twin);
        else
            wg_fail(body, from->status, "%s", from->message);
    }
}

wg_tensor *wg_body_end(wg_tape *t, const char *who, const wg_tape *from, wg_tensor *const inputs[],
                       int n_inputs, wg_tensor *const outputs[], int n_outputs,
                       wg_tensor *(*flat)(wg_tensor *))
{
    if (from->status != WG_OK)
        return wg_fail(t, from->status, "%s: %s", who, from->message);
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    bool *needed = wg_arena_take(&t->scratch, (size_t)from->size + 1, 1);
    wg_tensor **twin = wg_arena_take(&t->scratch, (size_t)(from->size + 1) * sizeof *twin,
                                     sizeof(void *));
    wg_tape *body = needed != NULL && twin != NULL ? wg_body_within(t) : NULL;
    wg_tensor *leaf = &t->inert;
    if (body != NULL) {
        memset(twin, 0, (size_t)(from->size + 1) * sizeof *twin);
        wg_mark_needed(from, outputs, n_outputs, from->size - 1, needed);
        recorded_fill(body, from, inputs, n_inputs, needed, twin);
        for (int i = 0; i < n_outputs && body->status == WG_OK; i++)
            flat(twin[outputs[i]->index]);
        leaf = wg_body_settle(t, who, body);
    } else
        wg_fail(t, WG_E_NOMEM, "%s: out of memory", who);
    wg_arena_rewind(&t->scratch, empty);
    return leaf;
}
