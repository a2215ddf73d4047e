/* The loops of the suites of scan. */
#include "tests/ops/loops.h"

#include <float.h>
#include <math.h>

#include "ops/activations.h"
#include "ops/arithmetic.h"
#include "ops/compare.h"
#include "ops/functions.h"
#include "ops/index.h"
#include "ops/layout.h"
#include "ops/matmul.h"
#include "ops/reduce.h"
#include "ops/slice.h"
#include "tests/support/assert.h"

enum { WIDTH = 2 };

/* ---- Bodies ---------------------------------------------------------------------------------- */

/* An LSTM cell: carries h and c (1, UNITS), x (1, WIDTH), params W, U and b; gives out h. */
static void lstm(wg_scan_step *s, void *user)
{
    wg_tensor *gate[4],
        *at = wg_add(wg_add(wg_matmul(s->x[0], s->param[0]), wg_matmul(s->carry[0], s->param[1])),
                     s->param[2]);
    (void)user;
    wg_split(at, 1, 4, NULL, gate);
    s->next[1] = wg_add(wg_mul(wg_sigmoid(gate[0]), s->carry[1]),
                        wg_mul(wg_sigmoid(gate[1]), wg_tanh(gate[2])));
    s->next[0] = s->y[0] = wg_mul(wg_sigmoid(gate[3]), wg_tanh(s->next[1]));
}

/* A choice, and a row taken by an index: carry (1, UNITS), xs (1, UNITS) and i64 (1), params a
 * table (5, UNITS) and a number; gives out the carry before and a number. */
static void chooses(wg_scan_step *s, void *user)
{
    wg_tensor *row = wg_gather_rows(s->param[0], s->x[1]);
    wg_tensor *up = wg_greater(s->x[0], s->carry[0]);
    (void)user;
    s->next[0] = wg_where(up, wg_mul(row, s->carry[0]), wg_sub(s->x[0], wg_mul(row, s->param[1])));
    s->y[0] = s->carry[0];
    s->y[1] = wg_sum(wg_square(s->next[0]));
}

/* Two carries that change places; no xs. */
static void swaps(wg_scan_step *s, void *user)
{
    (void)user;
    s->next[0] = s->carry[1];
    s->next[1] = wg_mul(s->carry[0], s->param[0]);
}

wg_tensor *wgt_loop_param(wg_tape *on, wg_dtype dtype, const char *name, int ndim,
                          const int64_t *dim)
{
    wg_tensor *x = wg_param(on, name, dtype, ndim, dim);
    ck_assert_int_eq(wg_fill_normal(x, 0, 0.7, (uint64_t)name[0] + 256 * (uint64_t)name[1]), WG_OK);
    return x;
}

void wgt_loop_init(wgt_loop *p, wg_tape *on, wg_dtype dtype, int which)
{
    static const int64_t rows[WGT_LOOP_STEPS] = {4, 0, 2, 2, 1, 3, 0};
    *p = (wgt_loop){.loop = {.steps = WGT_LOOP_STEPS}};
    wg_scan_loop *l = &p->loop;
    l->carries = p->carry;
    l->xs = p->x;
    l->params = p->param;
    p->carry[0] = wgt_loop_param(on, dtype, "h0", WG_SHAPE(1, UNITS));
    l->n_carries = 1;
    if (which == 0) {
        l->body = lstm;
        p->carry[1] = wgt_loop_param(on, dtype, "c0", WG_SHAPE(1, UNITS));
        p->x[0] = wgt_loop_param(on, dtype, "x", WG_SHAPE(WGT_LOOP_STEPS, 1, WIDTH));
        p->param[0] = wgt_loop_param(on, dtype, "W", WG_SHAPE(WIDTH, 4 * UNITS));
        p->param[1] = wgt_loop_param(on, dtype, "U", WG_SHAPE(UNITS, 4 * UNITS));
        p->param[2] = wgt_loop_param(on, dtype, "b", WG_SHAPE(4 * UNITS));
        l->n_carries = 2;
        l->n_xs = l->n_ys = 1;
        l->n_params = 3;
    } else if (which == 1) {
        l->body = chooses;
        p->x[0] = wgt_loop_param(on, dtype, "x", WG_SHAPE(WGT_LOOP_STEPS, 1, UNITS));
        p->x[1] = wg_constant(on, WG_I64, WG_SHAPE(WGT_LOOP_STEPS, 1), rows);
        p->param[0] = wgt_loop_param(on, dtype, "T", WG_SHAPE(5, UNITS));
        p->param[1] = wgt_loop_param(on, dtype, "s", WG_SCALAR);
        l->n_xs = l->n_params = l->n_ys = 2;
    } else {
        l->body = swaps;
        p->carry[1] = wgt_loop_param(on, dtype, "c0", WG_SHAPE(1, UNITS));
        p->param[0] = wgt_loop_param(on, dtype, "p", WG_SHAPE(1, UNITS));
        l->n_carries = 2;
        l->n_params = 1;
    }
    for (int k = 0; k < l->n_carries; k++)
        p->wrt[p->n_wrt++] = p->carry[k];
    p->wrt[p->n_wrt] = p->x[0];
    p->n_wrt += l->n_xs > 0;
    for (int k = 0; k < l->n_params; k++)
        p->wrt[p->n_wrt++] = p->param[k];
}

void wgt_loop_unroll(const wg_scan_loop *l, wg_tensor *last[], wg_tensor *ys[])
{
    wg_tensor *x[2], *next[4], *y[2], *all[2][WGT_LOOP_STEPS];
    for (int k = 0; k < l->n_carries; k++)
        last[k] = l->carries[k];
    for (int64_t i = 0; i < l->steps; i++) {
        const int64_t row = l->reverse ? l->steps - 1 - i : i;
        for (int k = 0; k < l->n_xs; k++)
            x[k] = wg_reshape(wg_slice(l->xs[k], 0, row, row + 1), l->xs[k]->shape.ndim - 1,
                              l->xs[k]->shape.dim + 1);
        l->body(&(wg_scan_step){last, x, l->params, next, y}, l->user);
        for (int k = 0; k < l->n_carries; k++)
            last[k] = next[k];
        for (int k = 0; k < l->n_ys; k++)
            all[k][row] = y[k];
    }
    for (int k = 0; k < l->n_ys; k++)
        ys[k] = wg_stack(all[k], (int)l->steps, 0);
}

wg_tensor *wgt_loop_total(const wg_scan_loop *l, wg_tensor *const last[], wg_tensor *const ys[])
{
    wg_tensor *sum = wg_scalar(l->carries[0]->tape, l->carries[0]->dtype, 0);
    for (int k = 0; k < l->n_carries; k++)
        sum = wg_add(sum, wg_sum(wg_mul(last[k], wg_add(last[k], last[0]))));
    for (int k = 0; k < l->n_ys; k++)
        sum = wg_add(sum, wg_mean(wg_sin(ys[k])));
    return sum;
}

void wgt_loop_like(const wg_tensor *a, const wg_tensor *b, double ulps)
{
    const double eps = b->dtype == WG_F32 ? (double)FLT_EPSILON : DBL_EPSILON;
    double largest = 0;
    ck_assert_msg(wg_tape_status(a->tape) == WG_OK, "%s", wg_tape_message(a->tape));
    ck_assert(wg_shape_same(&a->shape, &b->shape));
    ck_assert_int_eq(a->dtype, b->dtype);
    for (int64_t i = 0; i < b->size; i++)
        largest = fmax(largest, fabs(wg_at(b, i)));
    for (int64_t i = 0; i < b->size; i++)
        ck_assert_msg(fabs(wg_at(a, i) - wg_at(b, i)) <= ulps * eps * largest ||
                          (isnan(wg_at(a, i)) && isnan(wg_at(b, i))),
                      "%g and %g at %d", wg_at(a, i), wg_at(b, i), (int)i);
}
/* ---- Cases ----------------------------------------------------------------------------------- */

enum { DTYPES = 2, WAYS = 2, KEEPS = 4 };
static const int64_t snapshots[KEEPS] = {0, 1, 3, 4};

void wgt_loop_case(wgt_loop *p, wg_tape *on, int i)
{
    wgt_loop_init(p, on, i / WGT_LOOP_BODIES % DTYPES ? WG_F32 : WG_F64, i % WGT_LOOP_BODIES);
    p->loop.reverse = i / (WGT_LOOP_BODIES * DTYPES) % WAYS;
    p->loop.snapshots = snapshots[i / (WGT_LOOP_BODIES * DTYPES * WAYS)];
}
