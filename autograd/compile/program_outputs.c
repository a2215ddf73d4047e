/* Outputs of programs and row blocks: leaves whose values are written by what computes them. */
#include "autograd/compile/program_internal.h"

#include <math.h>

static bool output_is_stale(const wg_tensor *x)
{
    const wg_freshness *fresh = *(const wg_freshness *const *)x->attrs;
    bool stale = fresh->ran_at < 0;
    for (int64_t i = 0; i < fresh->n_leaves && !stale; i++)
        stale = fresh->leaf[i]->written > fresh->ran_at;
    return stale;
}

static const wg_op output_op = {.name = "output",
                                .formula = WG_OP_TEXT("x"),
                                .flags = WG_OP_LEAF,
                                .stale = output_is_stale,
                                .attr_size = sizeof(const wg_freshness *)};

wg_tensor *wg_output_new(wg_tape *t, const wg_freshness *fresh, const wg_tensor *y, wg_dtype dtype,
                         void *data)
{
    wg_tensor *x = wg_node_new(t, &output_op, NULL, 0, &fresh);
    if (x == NULL)
        return NULL;
    x->dtype = dtype;
    x->shape = y->shape;
    x->size = y->size;
    x->name = y->name;
    x->state = WG_NODE_LIVE;
    x->data = data;
    return wg_node_push(x) ? x : NULL;
}

void wg_outputs_written(wg_tape *t, wg_freshness *fresh, wg_tensor *const outputs[], int n,
                        int64_t size)
{
    fresh->ran_at = t->clock;
    for (int i = 0; i < n; i++) {
        outputs[i]->state &= ~(unsigned)WG_NODE_STALE;
        outputs[i]->state |= t->size > size ? WG_NODE_WRITTEN : 0;
    }
    t->written |= t->size > size;
}

void wg_output_spoil(const wg_tensor *y)
{
    for (int64_t i = 0; i < y->size; i++)
        switch (y->dtype) {
        case WG_F32: ((float *)y->data)[i] = NAN; break;
        case WG_F64: ((double *)y->data)[i] = (double)NAN; break;
        case WG_I64: ((int64_t *)y->data)[i] = INT64_MIN; break;
        default: break;
        }
}
