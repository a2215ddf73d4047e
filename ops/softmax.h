#ifndef WG_OPS_SOFTMAX_H
#define WG_OPS_SOFTMAX_H

#include "autograd/op.h"

#ifdef __cplusplus
extern "C" {
#endif

/* wg_softmax: y_i = exp(x_i) / sum_j exp(x_j) along one axis (negative: from the last).
 * Shape:   x any of ndim >= 1 -> y the same; f32, f64.
 * Derivative:   dx_i = y_i * (dy_i - sum_j dy_j*y_j).
 * Edges:   never overflows; x_i = -inf gives 0; all -inf: all 0 (the derivative of logsumexp
 *          there); k entries of +inf: 1/k each and 0 elsewhere; a NaN makes the whole row NaN.
 * Errors:  WG_E_VALUE (no such axis), WG_E_DTYPE, WG_E_NULL, WG_E_STALE, WG_E_NOMEM, on the tape.
 * Source:  Blanchard, Higham, Higham 2021, "Accurately computing the log-sum-exp and softmax
 *          functions" (the shifted form). */
wg_tensor *wg_softmax(wg_tensor *x, int axis);

/* wg_log_softmax: y_i = x_i - log(sum_j exp(x_j)) along one axis; never the logarithm of a softmax.
 * Shape:   x any of ndim >= 1 -> y the same; f32, f64.
 * Derivative:   dx_i = dy_i - exp(y_i) * sum_j dy_j.
 * Edges:   x_i = -inf gives -inf; all -inf: all -inf; k entries of +inf: -log(k) each and -inf
 *          elsewhere; a NaN makes the whole row NaN. An entry far above the others is accurate: its
 *          tiny logarithm is made by log1p.
 * Errors, source: as wg_softmax. */
wg_tensor *wg_log_softmax(wg_tensor *x, int axis);

/* wg_logsumexp, wg_logsumexp_over: y = log(sum_i exp(x_i)), shifted by the largest x_i; a
 * reduction, as those of reduce.h: over every axis, or over the axes given.   Derivative:
 * softmax(x)*dy.
 * Edges: all -inf, or nothing: -inf with derivative 0; some +inf: +inf, and the derivative is
 *   shared among them.
 * Source: Blanchard, Higham, Higham 2021, "Accurately computing the log-sum-exp and softmax
 *   functions" (the shifted form, with log1p of what is left beside the largest term). */
wg_tensor *wg_logsumexp(wg_tensor *x);
wg_tensor *wg_logsumexp_over(wg_tensor *x, int n_axes, const int *axes, bool keep);

#ifdef __cplusplus
}
#endif
#endif
