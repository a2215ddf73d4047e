#ifndef WG_OPS_REDUCE_H
#define WG_OPS_REDUCE_H

#include "autograd/op.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Reductions. Each comes in two forms: wg_sum(x) reduces every axis and gives zero dimensions;
 * wg_sum_over(x, WG_AXES(0, 2), keep) reduces the axes given (negative ones count from the last;
 * none: no axis) and leaves them out of the shape, or keeps them with size 1 where `keep` is true.
 *
 * Errors of all: WG_E_VALUE (no such axis, or one given twice), WG_E_DTYPE (f32 and f64 only,
 * unless said otherwise), WG_E_NULL, WG_E_STALE, WG_E_NOMEM, on the tape.
 * Sums are compensated (f32: made in double): the error does not grow with the number of terms. */

/* wg_sum, wg_sum_over: y = sum_i x_i; f32, f64, and i64 (which wraps).   Derivative: dx_i = dy.
 * Edges: the sum of nothing is 0.
 * Source: Knuth, TAOCP 2, sec. 4.2.2, theorem B (the error of one addition, exactly). */
wg_tensor *wg_sum(wg_tensor *x);
wg_tensor *wg_sum_over(wg_tensor *x, int n_axes, const int *axes, bool keep);

/* wg_mean, wg_mean_over: y = sum_i x_i / n.   Derivative: dx_i = dy / n.
 * Edges: the mean of nothing is NaN. */
wg_tensor *wg_mean(wg_tensor *x);
wg_tensor *wg_mean_over(wg_tensor *x, int n_axes, const int *axes, bool keep);

/* wg_prod, wg_prod_over: y = product of x_i, in about log2(n) rounds of pairwise products; f32,
 * f64, i64.
 * Derivative: dx_i = dy * (product of the others), exact where factors are zero, to any order.
 * Edges: the product of nothing is 1.
 * Note:  recorded as wg_mul of halves; it is no op of its own. */
wg_tensor *wg_prod(wg_tensor *x);
wg_tensor *wg_prod_over(wg_tensor *x, int n_axes, const int *axes, bool keep);

/* wg_amax, wg_amin, and _amax_over, _amin_over: the largest and the smallest entry; f32, f64, i64.
 * Derivative: dy, split evenly among the entries that are equal to y; 0 for the others.
 * Edges: NaN where there is a NaN, which then takes the cotangent; of nothing: WG_E_SHAPE. */
wg_tensor *wg_amax(wg_tensor *x);
wg_tensor *wg_amax_over(wg_tensor *x, int n_axes, const int *axes, bool keep);
wg_tensor *wg_amin(wg_tensor *x);
wg_tensor *wg_amin_over(wg_tensor *x, int n_axes, const int *axes, bool keep);

/* wg_argmax, wg_argmin, and _argmax_over, _argmin_over: the index (i64) of the first largest or
 * smallest entry, along one axis, or in row-major order over all; no derivative. f32, f64, i64.
 * Edges: the first NaN where there is one; of nothing: WG_E_SHAPE. */
wg_tensor *wg_argmax(wg_tensor *x);
wg_tensor *wg_argmax_over(wg_tensor *x, int axis, bool keep);
wg_tensor *wg_argmin(wg_tensor *x);
wg_tensor *wg_argmin_over(wg_tensor *x, int axis, bool keep);

/* wg_var, wg_var_over: y = sum_i (x_i - mean)^2 / max(0, n - correction); wg_std, wg_std_over: its
 * square root.
 * The short forms have correction 1 (an unbiased variance); 0 gives the population's.
 * Derivative: var: 2*(x_i - mean)*dy / (n - correction); std: that over 2*std, and 0 where std = 0.
 * Edges: n <= correction: NaN or infinity, as PyTorch. wg_std neither overflows nor underflows.
 * Note:  recorded as mean, difference, and sum of squares or norm. */
wg_tensor *wg_var(wg_tensor *x);
wg_tensor *wg_var_over(wg_tensor *x, double correction, int n_axes, const int *axes, bool keep);
wg_tensor *wg_std(wg_tensor *x);
wg_tensor *wg_std_over(wg_tensor *x, double correction, int n_axes, const int *axes, bool keep);

/* wg_norm, wg_norm_over: order 1: sum |x_i|; 2: sqrt(sum x_i^2), scaled so that it neither
 * overflows nor underflows; INFINITY: max |x_i|. Another order is WG_E_VALUE.
 * Derivative: 1: sign(x_i)*dy; 2: x_i/y*dy; INFINITY: sign(x_i)*dy split evenly among ties. At 0:
 * 0.
 * Edges: of nothing: 0; order INFINITY: WG_E_SHAPE.
 * Source: Blue 1978, "A portable Fortran program to find the Euclidean norm of a vector"
 * (scaling). */
wg_tensor *wg_norm(wg_tensor *x, double order);
wg_tensor *wg_norm_over(wg_tensor *x, double order, int n_axes, const int *axes, bool keep);

/* wg_cosine_similarity: y = sum_i a_i b_i / (max(|a|, epsilon) max(|b|, epsilon)) along one axis,
 * with |a| the 2-norm there; a and b broadcast. As PyTorch's; epsilon > 0, 0 stands for 1e-8.
 * Derivative: da = (b / |b| - y a / |a|) dy / |a|; where |a| < epsilon that of a.b / (epsilon |b|).
 * Edges: 0 where a or b is 0; neither overflows nor underflows where the result does not.
 * Note:  recorded as other ops. */
wg_tensor *wg_cosine_similarity(wg_tensor *a, wg_tensor *b, int axis, double epsilon);

#ifdef __cplusplus
}
#endif
#endif
