/* Outputs of programs and row blocks: leaves whose values are written by what computes them. */
#include "autograd/compile/program_internal.h"

#include <math.h>

/* The leaves are looked at once for all outputs, until the clock moves. Those that are outputs
 * themselves have been looked at before: they are older. */
static bool output_is_stale(const wg_tensor *x)
{
    wg_freshness *fresh = *(wg_freshness *const *)x->attrs;
    if (fresh->ran_at < 0 || fresh->asked_at == x->tape->clock)
        return fresh->ran_at < 0 || fresh->stale;
    fresh->stale = false;
    for (int64_t i = 0; i < fresh->n_leaves && !fresh->stale; i++)
        fresh->stale = fresh->leaf[i]->written > fresh->ran_at ||
                       (fresh->leaf[i]->state & WG_NODE_STALE) != 0;
    fresh->asked_at = x->tape->clock;
    return fresh->stale;
}

static const wg_op output_op = {.name = "output",
                                .formula = WG_OP_TEXT("x"),
                                .flags = WG_OP_LEAF,
                                .stale = output_is_stale,
                                .attr_size = sizeof(wg_freshness *)};

bool wg_is_output(const wg_tensor *x)
{
    return x->op == &output_op;
}

void wg_fresh_add(wg_freshness *fresh, const wg_tensor *leaf)
{
    fresh->leaf[fresh->n_leaves++] = leaf;
    fresh->follows = fresh->follows || wg_is_output(leaf);
}

void wg_fresh_end(wg_tape *t, wg_freshness *fresh)
{
    fresh->ran_at = -1;
    t->clock++;
    wg_stale_from(t, 0);
}

wg_tensor *wg_output_new(wg_tape *t, wg_freshness *fresh, const wg_tensor *y, wg_dtype dtype,
                         void *data)
{
    wg_tensor *x = wg_node_new(t, &output_op, NULL, 0, &fresh);
    if (x == NULL)
        return NULL;
    x->dtype = dtype;
    x->shape = y->shape;
    x->size = y->size;
    x->name = y->name;
    x->state = WG_NODE_LIVE | (fresh->follows ? WG_NODE_FOLLOWS : 0);
    x->data = data;
    t->has_outputs = true;
    return wg_node_push(x) ? x : NULL;
}

void wg_outputs_written(wg_tape *t, wg_freshness *fresh, wg_tensor *const outputs[], int n,
                        int64_t size)
{
    const bool read = t->size > size; /* by what was recorded since, or by another program */
    fresh->ran_at = t->clock += read;
    fresh->asked_at = -1;
    for (int i = 0; i < n; i++) {
        outputs[i]->state &= ~(unsigned)WG_NODE_STALE;
        outputs[i]->state |= read ? WG_NODE_WRITTEN : 0;
        outputs[i]->written = read ? t->clock : outputs[i]->written;
    }
    if (n > 0 && (read || fresh->follows))
        wg_stale_from(t, outputs[0]->index);
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
