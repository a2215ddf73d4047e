/* First and second derivatives of a recorded scalar against differences: for tests of single
 * ops. */
#ifndef WGT_SUPPORT_SLOPES_H
#define WGT_SUPPORT_SLOPES_H

#include <math.h>
#include <stdlib.h>

#include "autograd/grad.h"
#include "autograd/rng.h"
#include "ops/arithmetic.h"
#include "ops/reduce.h"
#include "tests/support/assert.h"

/* y with entry i of the f64 parameter x at `value`. */
static inline double wgt_value_at(wg_tensor *y, wg_tensor *x, int64_t i, double value)
{
    double *entry = (double *)wg_edit(x) + i, before = *entry;
    *entry = value;
    ck_assert_int_eq(wg_replay_to(&y, 1), WG_OK);
    double found = wg_item(y);
    ((double *)wg_edit(x))[i] = before;
    return found;
}

/* The 5-point difference: its error is h^4/30 times the fifth derivative, and about 1e-13 |y| of
 * round-off with h = 1e-3. */
static inline double wgt_difference(wg_tensor *y, wg_tensor *x, int64_t i)
{
    double at = wg_at(x, i), h = 1e-3;
    double near = wgt_value_at(y, x, i, at + h) - wgt_value_at(y, x, i, at - h);
    double far = wgt_value_at(y, x, i, at + 2 * h) - wgt_value_at(y, x, i, at - 2 * h);
    ck_assert_int_eq(wg_replay(x->tape), WG_OK);
    return (8 * near - far) / (12 * h);
}

/* The gradient g of y in x, entry by entry, to 1e-8 of its largest entry (or of 1). */
static inline void wgt_assert_derivative(wg_tensor *y, wg_tensor *x, wg_tensor *g)
{
    ck_assert_int_eq(wg_tape_status(x->tape), WG_OK);
    ck_assert(wg_shape_same(&x->shape, &g->shape));
    double scale = 1;
    for (int64_t i = 0; i < wg_size(x); i++)
        scale = fmax(scale, fabs(wg_at(g, i)));
    for (int64_t i = 0; i < wg_size(x); i++) {
        double claimed = wg_at(g, i);
        wgt_assert_close(claimed, wgt_difference(y, x, i), 0, 1e-8 * scale);
    }
}

/* A constant of x's shape with entries of about 1, for random cotangents. */
static inline wg_tensor *wgt_random_like(wg_tensor *x, uint64_t key)
{
    double *values = malloc(sizeof *values * (size_t)(wg_size(x) + 1));
    for (int64_t i = 0; i < wg_size(x); i++)
        values[i] = wg_random_normal(7, key, (uint64_t)i);
    wg_tensor *c = wg_constant(x->tape, WG_F64, x->shape.ndim, x->shape.dim, values);
    free(values);
    return c;
}

/* y is any f64 tensor of the n parameters xs: checks the gradient of <y, random>, and the gradient
 * of <that gradient, random>. */
static inline void wgt_assert_derivatives(wg_tensor *y, wg_tensor *const xs[], int n)
{
    wg_tensor *gs[8], *gs2[8], *inner = NULL;
    wg_tensor *s = wg_sum(wg_mul(y, wgt_random_like(y, 1)));
    ck_assert_int_eq(wg_grad(s, xs, n, gs), WG_OK);
    for (int k = 0; k < n; k++) {
        wgt_assert_derivative(s, xs[k], gs[k]);
        wg_tensor *part = wg_sum(wg_mul(gs[k], wgt_random_like(gs[k], 2 + (uint64_t)k)));
        inner = inner == NULL ? part : wg_add(inner, part);
    }
    ck_assert_int_eq(wg_grad(inner, xs, n, gs2), WG_OK);
    for (int k = 0; k < n; k++)
        wgt_assert_derivative(inner, xs[k], gs2[k]);
}

/* A parameter of random entries of about 1. */
static inline wg_tensor *wgt_random_param(wg_tape *t, const char *name, int ndim,
                                          const int64_t *dim, uint64_t key)
{
    wg_tensor *x = wg_param(t, name, WG_F64, ndim, dim);
    ck_assert_int_eq(wg_fill_normal(x, 0, 1, key), WG_OK);
    return x;
}

/* The largest magnitude in x. */
static inline double wgt_largest(const wg_tensor *x)
{
    double most = 0;
    for (int64_t i = 0; i < wg_size(x); i++)
        most = fmax(most, fabs(wg_at(x, i)));
    return most;
}

/* A constant f64 vector, and the gradient of the sum of y in x. */
static inline wg_tensor *wgt_gradient(wg_tensor *y, wg_tensor *x)
{
    wg_tensor *g = NULL, *s = wg_sum(y);
    ck_assert_int_eq(wg_grad(s, &x, 1, &g), WG_OK);
    return g;
}

#endif
