/* reduce_composed.c: reductions that are recorded as other ops, and need no rule of their own. */
#include <math.h>

#include "ops/axes_internal.h"
#include "ops/elementwise.h"
#include "ops/layout.h"
#include "ops/reduce_internal.h"
#include "ops/slice.h"

/* The axes as bits; false, with an error recorded, where x is NULL or an axis is wrong. */
static bool composed_mask(const wg_tensor *x, const char *op, int n, const int *axes,
                          uint32_t *mask)
{
    if (!wg_is_inert(x))
        return wg_axes_mask(x, op, n, axes, mask);
    if (x == NULL)
        wg_fail(NULL, WG_E_NULL, "%s: operand 0 is NULL", op);
    return false;
}

/* What a builder returns once an error was recorded: recording on x gives its tape's inert
 * tensor. */
static wg_tensor *composed_inert(wg_tensor *x)
{
    return wg_neg(x);
}

/* All axes of x as a list; returns how many. */
static int composed_all(const wg_tensor *x, int axes[WG_MAX_DIMS])
{
    int ndim = wg_is_inert(x) ? 0 : x->shape.ndim;
    for (int i = 0; i < ndim; i++)
        axes[i] = i;
    return ndim;
}

/* ---- prod ------------------------------------------------------------------------------------ */

/* x as a matrix [rows, n] whose second axis is what is reduced. */
static wg_tensor *prod_matrix(wg_tensor *x, uint32_t mask, const wgk_rows *rows)
{
    int order[WG_MAX_DIMS], n = 0;
    for (int along = 0; along <= 1; along++)
        for (int i = 0; i < x->shape.ndim; i++)
            if (((mask >> i) & 1u) == (uint32_t)along)
                order[n++] = i;
    if (!rows->contiguous)
        x = wg_permute(x, n, order);
    return wg_reshape(x, WG_SHAPE(rows->n_rows, rows->row_size));
}

/* Halves are multiplied until one column is left; `odd` collects the columns that have no
 * partner. */
static wg_tensor *prod_halves(wg_tensor *x, int64_t n)
{
    wg_tensor *odd = NULL;
    while (n > 1) {
        int64_t half = n / 2;
        wg_tensor *left = wg_slice(x, 1, 0, half);
        wg_tensor *right = wg_slice(x, 1, half, 2 * half);
        if (n % 2 == 1) {
            wg_tensor *last = wg_slice(x, 1, n - 1, n);
            odd = odd != NULL ? wg_mul(odd, last) : last;
        }
        x = wg_mul(left, right);
        n = half;
    }
    return odd != NULL ? wg_mul(x, odd) : x;
}

wg_tensor *wg_prod_over(wg_tensor *x, int n_axes, const int *axes, bool keep)
{
    uint32_t mask;
    if (!composed_mask(x, "prod", n_axes, axes, &mask))
        return composed_inert(x);
    const wg_shape shape = wg_axes_without(&x->shape, mask, keep);
    wgk_rows rows = wg_axes_rows(x, mask);
    if (rows.row_size == 0)
        return wg_full(x->tape, x->dtype, shape.ndim, shape.dim, 1);
    wg_tensor *y = prod_halves(prod_matrix(x, mask, &rows), rows.row_size);
    return wg_reshape(y, shape.ndim, shape.dim);
}

wg_tensor *wg_prod(wg_tensor *x)
{
    int axes[WG_MAX_DIMS], n = composed_all(x, axes);
    return wg_prod_over(x, n, axes, false);
}

/* ---- var, std -------------------------------------------------------------------------------- */

/* x - mean, and in *degrees what the sum of its squares is divided by; inert after an error. */
static wg_tensor *var_deviations(wg_tensor *x, const char *op, double correction, int n_axes,
                                 const int *axes, double *degrees)
{
    uint32_t mask;
    *degrees = 0;
    if (!composed_mask(x, op, n_axes, axes, &mask))
        return composed_inert(x);
    wg_tensor *mean = wg_mean_over(x, n_axes, axes, true);
    if (wg_is_inert(mean))
        return composed_inert(x);
    *degrees = fmax(0, (double)x->size / (double)mean->size - correction);
    return wg_sub(x, mean);
}

wg_tensor *wg_var_over(wg_tensor *x, double correction, int n_axes, const int *axes, bool keep)
{
    double degrees;
    wg_tensor *deviations = var_deviations(x, "var", correction, n_axes, axes, &degrees);
    wg_tensor *sum = wg_sum_over(wg_square(deviations), n_axes, axes, keep);
    return wg_scale(sum, 1 / degrees);
}

wg_tensor *wg_std_over(wg_tensor *x, double correction, int n_axes, const int *axes, bool keep)
{
    double degrees;
    wg_tensor *deviations = var_deviations(x, "std", correction, n_axes, axes, &degrees);
    wg_tensor *length = wg_norm_over(deviations, 2, n_axes, axes, keep);
    return wg_scale(length, 1 / sqrt(degrees));
}

wg_tensor *wg_var(wg_tensor *x)
{
    int axes[WG_MAX_DIMS], n = composed_all(x, axes);
    return wg_var_over(x, 1, n, axes, false);
}

wg_tensor *wg_std(wg_tensor *x)
{
    int axes[WG_MAX_DIMS], n = composed_all(x, axes);
    return wg_std_over(x, 1, n, axes, false);
}

/* ---- norm ------------------------------------------------------------------------------------ */

wg_tensor *wg_norm_over(wg_tensor *x, double order, int n_axes, const int *axes, bool keep)
{
    uint32_t mask;
    if (!composed_mask(x, "norm", n_axes, axes, &mask))
        return composed_inert(x);
    if (order == 1)
        return wg_sum_over(wg_abs(x), n_axes, axes, keep);
    if (order == 2)
        return wg_norm2_over(x, n_axes, axes, keep);
    if (order == HUGE_VAL)
        return wg_amax_over(wg_abs(x), n_axes, axes, keep);
    return wg_fail(x->tape, WG_E_VALUE, "norm: the order is %g, but 1, 2 or INFINITY wanted",
                   order);
}

wg_tensor *wg_norm(wg_tensor *x, double order)
{
    int axes[WG_MAX_DIMS], n = composed_all(x, axes);
    return wg_norm_over(x, order, n, axes, false);
}

/* ---- cosine similarity ----------------------------------------------------------------------- */

/* x / max(|x|, epsilon) */
static wg_tensor *cosine_unit(wg_tensor *x, int axis, double epsilon)
{
    wg_tensor *length = wg_norm2_over(x, 1, &axis, true);
    return wg_div(x, wg_clamp(length, epsilon, HUGE_VAL));
}

wg_tensor *wg_cosine_similarity(wg_tensor *a, wg_tensor *b, int axis, double epsilon)
{
    wg_shape both;
    if (wg_is_inert(a) || wg_is_inert(b) || !wg_shape_broadcast(&a->shape, &b->shape, &both))
        return wg_mul(a, b); /* fails, with the right words */
    if (!(epsilon >= 0))
        return wg_fail(a->tape, WG_E_VALUE, "cosine_similarity: epsilon is %g, but > 0 wanted",
                       epsilon);
    epsilon = epsilon == 0 ? 1e-8 : epsilon;
    a = cosine_unit(wg_broadcast_to(a, both.ndim, both.dim), axis, epsilon);
    b = cosine_unit(wg_broadcast_to(b, both.ndim, both.dim), axis, epsilon);
    return wg_sum_over(wg_mul(a, b), 1, &axis, false);
}
