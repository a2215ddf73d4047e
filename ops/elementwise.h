#ifndef WG_OPS_ELEMENTWISE_H
#define WG_OPS_ELEMENTWISE_H

/* All elementwise ops, by subject. What holds for every one of them:
 *
 * Shape:  operands broadcast together by NumPy's rule; y has the common shape. Empty and
 *         zero-dimensional operands are as good as others.
 * Dtype:  operands have one dtype, which y takes; f32 is computed in f32. i64 where it is said.
 * NaN:    a NaN that comes in goes out, except where it is said.
 * Errors: on the tape: WG_E_NULL, WG_E_TAPE, WG_E_STALE, WG_E_NOMEM of wg_apply; WG_E_SHAPE where
 *         shapes do not broadcast; WG_E_DTYPE where dtypes differ, or where the op is not for them.
 * Owner:  the tape, as of every tensor. */
#include "ops/activations.h"
#include "ops/arithmetic.h"
#include "ops/compare.h"
#include "ops/functions.h"

#endif
