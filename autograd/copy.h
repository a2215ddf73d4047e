#ifndef WG_AUTOGRAD_COPY_H
#define WG_AUTOGRAD_COPY_H

#include "autograd/tape.h"

#ifdef __cplusplus
extern "C" {
#endif

/* wg_tape_copy: a new tape with the same nodes in the same places, floats being of `dtype` (f32, f64, wide),
 * every value computed anew from the leaves' converted values. That is how an f32 model's gradient is
 * checked at full precision: wg_tape_copy(t, WG_F64). The copy borrows nothing from t: what inputs
 * borrowed is copied, too. Ops that cast to a float dtype cast to `dtype` in the copy.
 * A cast to f32 is the identity in wide floats, as its rule says: differences of a rounding tell nothing of a
 * rule, and what it costs wg_audit tells.
 * In wide floats (autograd/wide.h) what is discrete (comparisons, floor, argmax, casts to i64) keeps the values
 * that it has on t, so that no rounding switches a branch; all else is computed by reference kernels, slowly.
 * The caller frees it. Never NULL; errors are the copy's own status: WG_E_NULL, WG_E_NOMEM, WG_E_DTYPE
 * (dtype is i64, or an op, a user's perhaps, does not exist in `dtype`), and t's status if it has one. */
wg_tape *wg_tape_copy(const wg_tape *t, wg_dtype dtype);

/* wg_twin: the tensor of `copy` that stands where x stands on its tape; inert where there is none. */
wg_tensor *wg_twin(wg_tape *copy, const wg_tensor *x);

/* wg_wide_split: element i of a wide tensor as a double and, in *rest, what the double lacks. NaN where x is
 * not wide or has no such element. wg_wide_text: the same with all its digits, "1.0000...e+0"; returns text. */
double wg_wide_split(const wg_tensor *x, int64_t i, double *rest);
char *wg_wide_text(const wg_tensor *x, int64_t i, char *text, size_t size);

#ifdef __cplusplus
}
#endif
#endif
