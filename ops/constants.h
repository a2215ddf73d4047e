#ifndef WG_OPS_CONSTANTS_H
#define WG_OPS_CONSTANTS_H

#include "autograd/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Constants made from a rule, of the dtype given (WG_DTYPE_DEFAULT: f64); f32 is rounded from f64.
 * Errors of all, on the tape: WG_E_VALUE, WG_E_SHAPE (a negative or too large size), WG_E_DTYPE,
 * WG_E_NOMEM. The tape owns them. */

/* wg_arange: start, start + step, start + 2 step, ... up to stop, which is left out, as NumPy's:
 * [n] with n = max(0, ceil((stop - start) / step)).
 * Errors:  WG_E_VALUE where step is 0, a number is not finite, or, for i64, not whole. */
wg_tensor *wg_arange(wg_tape *t, wg_dtype dtype, double start, double stop, double step);

/* wg_linspace: n numbers at equal distances from start to stop, both of them included, as NumPy's:
 * [n]; n = 1 gives start. f32, f64.
 * Errors:  WG_E_VALUE where a number is not finite. */
wg_tensor *wg_linspace(wg_tape *t, wg_dtype dtype, double start, double stop, int64_t n);

/* wg_eye: 1 on the main diagonal, 0 elsewhere: [n, m]. */
wg_tensor *wg_eye(wg_tape *t, wg_dtype dtype, int64_t n, int64_t m);

#ifdef __cplusplus
}
#endif
#endif
