#ifndef WG_OPS_DROPOUT_H
#define WG_OPS_DROPOUT_H

#include "autograd/op.h"

#ifdef __cplusplus
extern "C" {
#endif

/* wg_dropout: y_i = x_i / (1 - rate), or 0 with probability `rate`.
 * What is dropped is a pure function of (seed, key, step, i): give every dropout of a model a key
 * of its own, and let an i64 input `step` of one element count training steps. A replay at one
 * step, a gradient check, and the derivative all see the same mask.
 * Shape:   x any (f32, f64) -> y the same.   Derivative: dx = the same dropout of dy.
 * Edges:   rate 0 gives x; a dropped infinity or NaN is 0. For prediction, record a model without
 * it.
 * Errors:  WG_E_VALUE (rate is not in [0, 1)), WG_E_SHAPE (step has not one element), WG_E_DTYPE (x
 *          is i64, or step is not), WG_E_NULL, WG_E_TAPE, WG_E_STALE, WG_E_NOMEM, on the tape.
 * Source:  Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from
 *          overfitting", sec. 10 (scaling at training time). */
wg_tensor *wg_dropout(wg_tensor *x, double rate, uint64_t seed, uint64_t key, wg_tensor *step);

#ifdef __cplusplus
}
#endif
#endif
