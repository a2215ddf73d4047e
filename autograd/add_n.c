/* The sum of the cotangents that meet at a node. */
#include "autograd/op.h"

#include <math.h>
#include <string.h>

/* Elements summed together: two rows of doubles stay in the first cache. */
#define ACCUMULATE_TILE 128

#define ACCUMULATE_FEW 4 /* elements: fewer are summed one by one */

static bool add_n_shape(wg_tensor *y)
{
    const wg_tensor *x = y->operand[0];
    if (x->dtype == WG_I64)
        return wg_op_fail(y, WG_E_DTYPE, "f32 or f64 is needed");
    for (int i = 1; i < y->n_operands; i++) {
        if (y->operand[i]->dtype != x->dtype)
            return wg_op_fail(y, WG_E_DTYPE, "dtypes differ");
        if (!wg_shape_same(&y->operand[i]->shape, &x->shape))
            return wg_op_fail(y, WG_E_SHAPE, "shapes differ");
    }
    y->dtype = x->dtype;
    y->shape = x->shape;
    return true;
}

/* Adds x[start..] to sum, and to rest what the rounding of each addition lost (Knuth's two-sum). */
#define ADD_N_ADD(T)                                                                               \
    for (int64_t i = 0; i < n; i++) {                                                              \
        const double a = sum[i], b = (double)((const T *)x->data)[start + i];                      \
        const double s = a + b, part = s - a;                                                      \
        rest[i] += (a - (s - part)) + (b - part);                                                  \
        sum[i] = s;                                                                                \
    }

static void add_n_add(const wg_tensor *x, int64_t start, int64_t n, double *restrict sum,
                      double *restrict rest)
{
    if (x->dtype == WG_F32)
        ADD_N_ADD(float)
    else
        ADD_N_ADD(double)
}

#undef ADD_N_ADD

/* An infinite sum has a rest of NaN, which must not replace it. */
static void add_n_store(const wg_tensor *y, int64_t start, int64_t n, const double *sum,
                        const double *rest)
{
    for (int64_t i = 0; i < n; i++) {
        double total = isnan(rest[i]) ? sum[i] : sum[i] + rest[i];
        if (y->dtype == WG_F32)
            ((float *)y->data)[start + i] = (float)total;
        else
            ((double *)y->data)[start + i] = total;
    }
}

/* Two terms, the common case: one rounding, nothing to compensate. */
static void add_n_two(const wg_tensor *y, int64_t begin, int64_t end)
{
    const void *a = y->operand[0]->data, *b = y->operand[1]->data;
    if (y->dtype == WG_F32)
        for (int64_t i = begin; i < end; i++)
            ((float *)y->data)[i] = ((const float *)a)[i] + ((const float *)b)[i];
    else
        for (int64_t i = begin; i < end; i++)
            ((double *)y->data)[i] = ((const double *)a)[i] + ((const double *)b)[i];
}

/* The same for one element: in registers no term waits for the store of the one before. */
static void add_n_one(const wg_tensor *y, int64_t at)
{
    const bool f32 = y->dtype == WG_F32;
    double sum = 0, rest = 0;
    for (int k = 0; k < y->n_operands; k++) {
        const void *x = y->operand[k]->data;
        const double b = f32 ? (double)((const float *)x)[at] : ((const double *)x)[at];
        const double s = sum + b, part = s - sum;
        rest += (sum - (s - part)) + (b - part);
        sum = s;
    }
    add_n_store(y, at, 1, &sum, &rest);
}

#if WG_HAS_WIDE
/* Wide sums need no compensation. */
static void add_n_wide(const wg_tensor *y, int64_t begin, int64_t end)
{
    for (int64_t i = begin; i < end; i++) {
        wg_wide sum = 0;
        for (int k = 0; k < y->n_operands; k++)
            sum += ((const wg_wide *)y->operand[k]->data)[i];
        ((wg_wide *)y->data)[i] = sum;
    }
}
#endif

static void add_n_forward(const wg_tensor *y, const wg_piece *piece)
{
#if WG_HAS_WIDE
    if (y->dtype == WG_WIDE) {
        add_n_wide(y, piece->begin, piece->end);
        return;
    }
#endif
    if (y->n_operands == 2) {
        add_n_two(y, piece->begin, piece->end);
        return;
    }
    if (y->size < ACCUMULATE_FEW) {
        for (int64_t i = piece->begin; i < piece->end; i++)
            add_n_one(y, i);
        return;
    }
    double sum[ACCUMULATE_TILE], rest[ACCUMULATE_TILE];
    for (int64_t start = piece->begin; start < piece->end; start += ACCUMULATE_TILE) {
        int64_t n = piece->end - start < ACCUMULATE_TILE ? piece->end - start : ACCUMULATE_TILE;
        memset(sum, 0, (size_t)n * sizeof *sum);
        memset(rest, 0, (size_t)n * sizeof *rest);
        for (int k = 0; k < y->n_operands; k++)
            add_n_add(y->operand[k], start, n, sum, rest);
        add_n_store(y, start, n, sum, rest);
    }
}

static wg_tensor *add_n_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    (void)y;
    (void)i;
    return dy;
}

const wg_op wg_op_add_n = {
    .name = "add_n",
    .formula = "y = x0 + x1 + ...",
    .source = "Knuth, The Art of Computer Programming 2, sec. 4.2.2 (two-sum)",
    .arity = WG_VARIADIC,
    .flags = WG_OP_WIDE,
    .shape = add_n_shape,
    .forward = add_n_forward,
    .vjp = add_n_vjp,
    .chunks = wg_size,
};

wg_tensor *wg_add_n(wg_tensor *const x[], int n)
{
    return n == 1 && !wg_is_inert(x[0]) ? x[0] : wg_apply(&wg_op_add_n, x, n, NULL);
}
