#ifndef WG_OPS_ELEMENTWISE_H
#define WG_OPS_ELEMENTWISE_H

/* All elementwise ops, by subject. What holds for every one of them:
 *
 * Shape:  operands broadcast together by NumPy's rule; y has the common shape. Empty and
 *         zero-dimensional operands are allowed.
 * Dtype:  operands have one dtype, which y takes; f32 is computed in f32. i64 where it is said.
 * NaN:    a NaN that comes in goes out, except where it is said.
 * Errors: on the tape: WG_E_NULL, WG_E_TAPE, WG_E_STALE, WG_E_NOMEM of wg_apply; WG_E_SHAPE where
 *         shapes do not broadcast; WG_E_DTYPE where dtypes differ, or where the op is not for them.
 * Owner:  the tape, as of every tensor. */
#include "autograd/op.h"
#include "ops/activations.h"
#include "ops/arithmetic.h"
#include "ops/compare.h"
#include "ops/functions.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Ready-made functions for the descriptor of a user's own elementwise op, as those of the library:
 * .shape = wg_elementwise_shape, .forward = wg_elementwise_forward, .part = wg_elementwise_part,
 * .chunks = wg_size. The op has `map`, and at most WG_ELEMENTWISE_OPERANDS operands. */

/* wg_elementwise_shape: operands of one dtype, which `map` serves, broadcast together. */
bool wg_elementwise_shape(wg_tensor *y);

/* wg_elementwise_forward: runs op->map over the broadcast operands. */
void wg_elementwise_forward(const wg_tensor *y, const wg_piece *piece);

/* wg_elementwise_part: the same for elements [begin, end), from tiles and to `out`: see wg_op. */
void wg_elementwise_part(const wg_tensor *y, int64_t begin, int64_t end, void *out,
                         const void *const tile[]);

#ifdef __cplusplus
}
#endif
#endif
