#ifndef WG_AUTOGRAD_COPY_H
#define WG_AUTOGRAD_COPY_H

#include "autograd/tape.h"

#ifdef __cplusplus
extern "C" {
#endif

/* wg_tape_copy: a new tape with the same nodes in the same places, floats being of `dtype` (f32 or f64),
 * every value computed anew from the leaves' converted values. That is how an f32 model's gradient is
 * checked at full precision: wg_tape_copy(t, WG_F64). The copy borrows nothing from t: what inputs
 * borrowed is copied, too. Ops that cast to a float dtype cast to `dtype` in the copy.
 * The caller frees it. Never NULL; errors are the copy's own status: WG_E_NULL, WG_E_NOMEM, WG_E_DTYPE
 * (dtype is i64, or an op, a user's perhaps, does not exist in `dtype`), and t's status if it has one. */
wg_tape *wg_tape_copy(const wg_tape *t, wg_dtype dtype);

/* wg_twin: the tensor of `copy` that stands where x stands on its tape; inert where there is none. */
wg_tensor *wg_twin(wg_tape *copy, const wg_tensor *x);

#ifdef __cplusplus
}
#endif
#endif
