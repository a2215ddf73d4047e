/* Rows of the loop: three bodies, and the same loops in long double. */
#include "tests/ops/op_table.h"

#include "ops/arithmetic.h"
#include "ops/compare.h"
#include "ops/functions.h"
#include "ops/index.h"
#include "ops/matmul.h"
#include "ops/scan.h"

#include <math.h>
#include <string.h>

/* Numbers of a variant: the body, does it run backwards. Operands: a carry, x, two params. */

/* c <- p c + x; gives out c q. */
static void recurs(wg_scan_step *s, void *user)
{
    (void)user;
    s->next[0] = wg_add(wg_mul(s->param[0], s->carry[0]), s->x[0]);
    s->y[0] = wg_mul(s->carry[0], s->param[1]);
}

static void recurs_by_hand(const long double *c, const wgt_array *x, int64_t t, const wgt_array *p,
                           const wgt_array *q, long double *next, long double *y)
{
    for (int64_t i = 0; i < p->size; i++) {
        next[i] = p->value[i] * c[i] + x->value[t * p->size + i];
        y[i] = c[i] * q->value[i];
    }
}

/* c <- tanh(c W + x b), c (1, d), x a number a step; gives out the next c. */
static void cell(wg_scan_step *s, void *user)
{
    wg_tensor *in = wg_mul(s->param[1], s->x[0]);
    (void)user;
    s->next[0] = s->y[0] = wg_tanh(wg_add(wg_matmul(s->carry[0], s->param[0]), in));
}

static void cell_by_hand(const long double *c, const wgt_array *x, int64_t t, const wgt_array *w,
                         const wgt_array *b, long double *next, long double *y)
{
    const int64_t d = b->size;
    for (int64_t j = 0; j < d; j++) {
        long double sum = x->value[t] * b->value[j];
        for (int64_t i = 0; i < d; i++)
            sum += c[i] * w->value[i * d + j];
        next[j] = y[j] = tanhl(sum);
    }
}

/* x i64: c <- 0 is chosen ? c p : row x of T, c (1, d); gives out the row times c. */
static void chooses(wg_scan_step *s, void *user)
{
    wg_tensor *row = wg_gather_rows(s->param[0], s->x[0]);
    wg_tensor *zero = wg_equal(s->x[0], wg_zeros_like(s->x[0]));
    (void)user;
    s->next[0] = wg_where(zero, wg_mul(s->carry[0], s->param[1]), row);
    s->y[0] = wg_mul(row, s->carry[0]);
}

static void chooses_by_hand(const long double *c, const wgt_array *x, int64_t t,
                            const wgt_array *table, const wgt_array *p, long double *next,
                            long double *y)
{
    const int64_t d = p->size, row = (int64_t)x->value[t];
    for (int64_t i = 0; i < d; i++) {
        y[i] = table->value[row * d + i] * c[i];
        next[i] = row == 0 ? c[i] * p->value[i] : table->value[row * d + i];
    }
}

typedef void scan_by_hand(const long double *c, const wgt_array *x, int64_t t, const wgt_array *p,
                          const wgt_array *q, long double *next, long double *y);

static const struct {
    wg_scan_body *body;
    scan_by_hand *by_hand;
} scan_rows[] = {{recurs, recurs_by_hand}, {cell, cell_by_hand}, {chooses, chooses_by_hand}};

static wg_tensor *record_scan(wg_tensor *const x[], int n, const int64_t *a)
{
    wg_tensor *last, *ys;
    const wg_scan_loop loop = {.body = scan_rows[a[0]].body,
                               .carries = x,
                               .xs = x + 1,
                               .params = x + 2,
                               .n_carries = 1,
                               .n_xs = 1,
                               .n_params = n - 2,
                               .n_ys = 1,
                               .reverse = a[1]};
    if (wg_scan(&loop, &last, &ys) != WG_OK)
        return last;
    return last->operand[0]->operand[0]; /* of which both are views */
}

/* Carries before and behind every step, where they are kept, then ys. Errors of a step are carried
 * on: terms of twice the largest value. */
static void reference_scan(const wgt_array x[], int n, const int64_t *a, wgt_array *y)
{
    const int64_t steps = x[1].shape.dim[0], d = x[0].size;
    long double *kept = y->value, *ys = kept + (steps + 1) * d, most = 1;
    (void)n;
    wgt_shape_set(y, &(wg_shape){1, {(2 * steps + 1) * d}});
    for (int64_t i = 0; i < d; i++)
        kept[(a[1] ? steps * d : 0) + i] = x[0].value[i];
    for (int64_t s = 0; s < steps; s++) {
        const int64_t t = a[1] ? steps - 1 - s : s, from = a[1] ? t + 1 : t, to = a[1] ? t : t + 1;
        scan_rows[a[0]].by_hand(kept + from * d, &x[1], t, &x[2], &x[3], kept + to * d, ys + t * d);
    }
    for (int64_t i = 0; i < y->size; i++)
        most = fmaxl(most, fabsl(y->value[i]));
    for (int64_t i = 0; i < y->size; i++)
        y->terms[i] = 2 * most;
}

/* clang-format off */
const wgt_row wgt_rows_scan[] = {
    WGT_ROW(scan, 8, false, {"3 4x3 3 3", {0, 0}}, {"3 4x3 3 3", {0, 1}}, {". 5 . .", {0, 0}},
            {"2 0x2 2 2", {0, 0}}, {"0 2x0 0 0", {0, 1}}, {"1x3 4 3x3 3", {1, 0}},
            {"1x2 3 2x2 2", {1, 1}}, {"1x2 <3:5x1 3x2 2", {2, 0}}, {"1x2 <3:5x1 3x2 2", {2, 1}}),
    {.op = NULL},
};
/* clang-format on */
