#include "tests/ops/random_graph.h"

#include "autograd/grad.h"
#include "autograd/rng.h"
#include "ops/elementwise.h"
#include "ops/layout.h"
#include "ops/matmul.h"
#include "ops/reduce.h"
#include "ops/slice.h"
#include "ops/softmax.h"

enum { FRESH = 8 }; /* operands are drawn from the newest values */

typedef struct maker {
    wg_tape *t;
    uint64_t seed, drawn;
    int64_t rows, columns;
    wg_tensor *value[FRESH]; /* all [rows, columns] */
    wgt_graph graph;
} maker;

static int draw(maker *m, int n)
{
    return (int)(wg_random_uniform(m->seed, 7, m->drawn++) * n);
}

static wg_tensor *any(maker *m)
{
    return m->value[draw(m, FRESH)];
}

static wg_tensor *through_another_dtype(wg_tensor *x)
{
    const wg_dtype own = wg_dtype_of(x);
    return wg_cast(wg_tanh(wg_cast(x, own == WG_F32 ? WG_F64 : WG_F32)), own);
}

static wg_tensor *through_a_view(maker *m, wg_tensor *x)
{
    wg_tensor *flat = wg_reshape(x, WG_SHAPE(m->rows * m->columns));
    return wg_reshape(wg_sigmoid(flat), WG_SHAPE(m->rows, m->columns));
}

/* The rows in another order: the last one first. */
static wg_tensor *through_slices(maker *m, wg_tensor *x)
{
    wg_tensor *part[] = {wg_slice(x, 0, m->rows - 1, m->rows), wg_slice(x, 0, 0, m->rows - 1)};
    return wg_concat(part, 2, 0);
}

static wg_tensor *next(maker *m)
{
    wg_tensor *x = any(m);
    wg_tensor *const *p = m->graph.param;
    switch (draw(m, 20)) {
    case 0: return wg_tanh(x);
    case 1: return wg_sigmoid(x);
    case 2: return wg_neg(x);
    case 3: return wg_relu(x);
    case 4: return wg_gelu(x);
    case 5: return wg_mul(wg_sigmoid(x), wg_tanh(x));
    case 6: return wg_add(x, p[1]);
    case 7: return wg_mul(x, p[2]);
    case 8: return wg_sub(x, any(m));
    case 9: return wg_tanh(wg_matmul(x, p[0]));
    case 10: return wg_softmax(x, 1);
    case 11: return wg_sub(x, wg_mean_over(x, WG_AXES(0), false));
    case 12: return wg_mul(x, wg_sum_over(wg_square(p[1]), WG_AXES(0), true));
    case 13: return through_another_dtype(x);
    case 14: return through_a_view(m, x);
    case 15: return through_slices(m, x);
    case 16: return wg_where(wg_greater(x, any(m)), x, wg_scale(any(m), 0.5));
    case 17: return wg_maximum(wg_shift(x, 0.25), p[1]);
    case 18: return wg_softplus(wg_neg(wg_square(x)));
    default: return wg_mul(x, wg_tanh(any(m)));
    }
}

static void make_leaves(maker *m, wg_dtype dtype, const void *data)
{
    wgt_graph *g = &m->graph;
    g->input = data == NULL ? wg_placeholder(m->t, "X", dtype, WG_SHAPE(m->rows, m->columns))
                            : wg_input(m->t, "X", dtype, WG_SHAPE(m->rows, m->columns), data);
    g->param[0] = wg_param(m->t, "W", dtype, WG_SHAPE(m->columns, m->columns));
    g->param[1] = wg_param(m->t, "b", dtype, WG_SHAPE(m->columns));
    g->param[2] = wg_param(m->t, "s", dtype, WG_SCALAR);
    wgt_graph_write(g, 0);
}

static void make_outputs(maker *m)
{
    wgt_graph *g = &m->graph;
    wg_tensor *loss = wg_sum(m->value[0]);
    for (int i = 1; i < FRESH; i++)
        loss = wg_add(loss, wg_sum(wg_square(m->value[i])));
    g->output[0] = loss;
    wg_tensor *wrt[] = {g->param[0], g->param[1], g->param[2], g->input};
    wg_grad(loss, wrt, 4, &g->output[1]);
    g->output[5] = m->value[draw(m, FRESH)];
    g->output[6] = wg_slice(m->value[draw(m, FRESH)], 0, 1, 2);
    g->n_outputs = WGT_GRAPH_OUTPUTS;
}

wgt_graph wgt_graph_new(wg_tape *t, uint64_t seed, wg_dtype dtype, int64_t rows, int64_t columns,
                        int ops, const void *data)
{
    maker m = {.t = t, .seed = seed, .rows = rows, .columns = columns};
    make_leaves(&m, dtype, data);
    for (int i = 0; i < FRESH; i++)
        m.value[i] = m.graph.input;
    for (int i = 0; i < ops; i++) {
        wg_tensor *y = next(&m);
        m.value[draw(&m, FRESH)] = y;
    }
    make_outputs(&m);
    return m.graph;
}

void wgt_graph_write(const wgt_graph *g, uint64_t key)
{
    for (int i = 0; i < WGT_GRAPH_PARAMS; i++)
        wg_fill_normal(g->param[i], 0, 0.5, 10 * key + (uint64_t)i);
}
