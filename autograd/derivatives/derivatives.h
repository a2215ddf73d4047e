#ifndef WG_AUTOGRAD_DERIVATIVES_DERIVATIVES_H
#define WG_AUTOGRAD_DERIVATIVES_DERIVATIVES_H

#include "autograd/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Derivatives other than the gradient, from the one rule that each op has. Costs are given in
 * replays of the nodes between the xs and y; recording a VJP costs about 2 such replays, and its
 * nodes cost about 2 to replay. Errors of all: those of wg_grad; the results are then inert. */

/* wg_jvp: J v = sum_i d y / d xs[i] . vs[i], the derivative of y along the tangent (vs), recorded
 * on the tape: the VJP of the VJP with respect to its cotangent, which is never computed with.
 * Shapes: vs[i] as xs[i]; result as y.   Cost: about 3 replays.
 * Errors: also WG_E_NO_RULE where an op's rule is not linear in its cotangent, or forgets it;
 *         it is named. */
wg_tensor *wg_jvp(wg_tensor *y, wg_tensor *const xs[], wg_tensor *const vs[], int n);

/* wg_jvp_many: jvs[j] = sum_i d y / d xs[i] . vs[j n + i] for k lists of n tangents, recorded on
 * the tape. What does not depend on a tangent is recorded once, and the part that is linear in it
 * k times. With the rows of an identity matrix as tangents the jvs are the columns of the Jacobian,
 * as nodes: wg_stack makes one tensor of them, which can be compiled.
 * Shapes: vs[j n + i] as xs[i]; jvs[j] as y.   Cost: about 2 + k replays.
 * Errors: those of wg_jvp; k < 1: WG_E_VALUE. All jvs are inert then. */
wg_status wg_jvp_many(wg_tensor *y, wg_tensor *const xs[], int n, wg_tensor *const vs[], int k,
                      wg_tensor *jvs[]);

/* wg_hvp: hvs[i] = sum_k d2 y / d xs[i] d xs[k] . vs[k], the Hessian of a y of one element times
 * the tangent (vs), recorded on the tape: the VJP of the gradient.
 * Shapes: vs[i] and hvs[i] as xs[i].   Cost: about 6 replays, once; about 5 to replay. */
wg_status wg_hvp(wg_tensor *y, wg_tensor *const xs[], wg_tensor *const vs[], int n,
                 wg_tensor *hvs[]);

/* wg_jacobian: all of dy/dx, one row an element of y, one column an element of the xs, one after
 * the other: [size of y, sum of the sizes of the xs]. The result is a constant: the value of this
 * moment. Nothing else stays on the tape. Cost: one VJP, and about 2 replays a row; where there are
 * fewer columns than rows: one JVP, and about 2 replays a column. */
wg_tensor *wg_jacobian(wg_tensor *y, wg_tensor *const xs[], int n);

/* wg_hessian: all second derivatives of a y of one element: [m, m] with m the sum of the sizes of
 * the xs; symmetric up to rounding (it is not made so). A constant, as wg_jacobian.
 * Cost: one HVP, and about 4 replays a row. */
wg_tensor *wg_hessian(wg_tensor *y, wg_tensor *const xs[], int n);

#ifdef __cplusplus
}
#endif
#endif
