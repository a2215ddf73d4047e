#ifndef WG_OPS_RANDOM_H
#define WG_OPS_RANDOM_H

#include "autograd/op.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Random ops are pure functions, so that a replay at one step, a gradient check and a derivative
 * see the same draws. What is drawn depends on (seed, key, step, i) alone, i counting the results:
 * not on the tape's seed, on which wg_fill_normal depends. Give every random op of a model a key of
 * its own, and let an i64 input `step` of one element count training steps; wg_bind on it, before a
 * replay, draws anew. (autograd/rng.h has the same numbers for plain C.)
 *   Rows that are a part of a whole draw what they draw in it where step is [2]: the step, and how
 * many rows of the whole stand before these. So random ops in blocks of rows (wg_blocks_new) draw
 * alike whatever the blocks, threads and ranks are: give the numbers of the rows, [n] i64, as rows,
 * too, and concatenate the step and the first of a block's.
 * Errors of all, on the tape: WG_E_SHAPE (step has not one element, nor is it [2], ...),
 * WG_E_DTYPE (step is not i64, ...), WG_E_VALUE, WG_E_NULL, WG_E_TAPE, WG_E_STALE, WG_E_NOMEM. */

/* wg_dropout: y_i = x_i / (1 - rate), or 0 with probability `rate`.
 * Shape:   x any (f32, f64) -> y the same.   Derivative: dx = the same dropout of dy.
 * Edges:   rate 0 gives x; a dropped infinity or NaN is 0. For prediction, record a model without
 * it.
 * Errors:  WG_E_VALUE (rate is not in [0, 1)), WG_E_DTYPE (x is i64).
 * Source:  Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from
 *          overfitting", sec. 10 (scaling at training time). */
wg_tensor *wg_dropout(wg_tensor *x, double rate, uint64_t seed, uint64_t key, wg_tensor *step);

/* wg_uniform: y_i drawn from [0, 1): multiples of 2^-53, in f32 of 2^-24 (those of f64, cut off).
 * wg_normal: y_i drawn from N(0, 1), as sqrt(-2 log(1 - u)) cos(2 pi v): finite, |y_i| < 8.6.
 * Shape:   that given, f32 or f64.   Derivative: 0.
 * Errors:  WG_E_SHAPE (a size that is negative or too large), WG_E_DTYPE (i64).
 * Source:  Box and Muller 1958, "A note on the generation of random normal deviates". */
wg_tensor *wg_uniform(wg_dtype dtype, int ndim, const int64_t *dim, uint64_t seed, uint64_t key,
                      wg_tensor *step);
wg_tensor *wg_normal(wg_dtype dtype, int ndim, const int64_t *dim, uint64_t seed, uint64_t key,
                     wg_tensor *step);

/* wg_categorical: a class for each row of p along the last axis, class k with probability
 * p_k / sum_j p_j. From logits z: wg_categorical(wg_softmax(z, -1), ...). Its log-probability, as a
 * policy gradient wants it, is -wg_cross_entropy of z and the class.
 * Shape:   p [.., k] (f32, f64) -> y [..] (i64).   Derivative: none, an index has no cotangent.
 * Edges:   a class of probability 0 is never drawn. In f32 the draw has 24 bits.
 * Errors:  WG_E_SHAPE (p has no axis, or no classes), WG_E_DTYPE (p is i64), WG_E_VALUE (an entry
 *          is negative, NaN or infinite, or a row's sum is not positive or overflows); a replay
 *          checks again. */
wg_tensor *wg_categorical(wg_tensor *p, uint64_t seed, uint64_t key, wg_tensor *step);

#ifdef __cplusplus
}
#endif
#endif
