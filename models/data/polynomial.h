#ifndef WG_MODELS_DATA_POLYNOMIAL_H
#define WG_MODELS_DATA_POLYNOMIAL_H

#include "autograd/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct wg_polynomial_options {
    int degree;            /* the largest, >= 1; default 0 stands for 2 */
    bool interaction_only; /* default false; true: no factor twice: x1 x2, but not x1^2 */
    bool include_bias;     /* default false (scikit-learn: true); true: a first column of ones */
} wg_polynomial_options;

/* wg_polynomial: all products of columns up to a degree, in scikit-learn's order: of degree 1, of
 * degree 2, ..., and among equals by their factors: x1, x2, x1^2, x1 x2, x2^2. NULL options are the
 * defaults.
 * Shape:  X [n, d], f32 or f64 -> [n, wg_polynomial_columns(d, options)].
 * Derivative:  that of the products: it is recorded as slices, products and joins of columns.
 * Errors: WG_E_SHAPE (no matrix, too many columns), WG_E_VALUE (degree), WG_E_NULL, WG_E_STALE,
 *   WG_E_NOMEM, on the tape. */
wg_tensor *wg_polynomial(wg_tensor *X, const wg_polynomial_options *options);

/* wg_polynomial_columns: how many columns d columns become: for degree k, (d + k over k) with the
 * bias, one less without; fewer with interaction_only. -1 for a degree or d out of range, or too
 * many columns. */
int64_t wg_polynomial_columns(int64_t d, const wg_polynomial_options *options);

#ifdef __cplusplus
}
#endif
#endif
