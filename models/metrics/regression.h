#ifndef WG_MODELS_METRICS_REGRESSION_H
#define WG_MODELS_METRICS_REGRESSION_H

#include "autograd/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How good predicted numbers are, by scikit-learn's definitions.
 * Shape:  predicted and truth the same, f32 or f64.
 * Errors: WG_E_SHAPE, WG_E_DTYPE, WG_E_STALE, WG_E_TAPE, WG_E_NULL, on the tape; the result is NaN.
 * Of no rows: NaN. A NaN comes out as NaN. */

/* wg_rmse: (mean of (predicted - truth)^2)^(1/2), over all entries. */
double wg_rmse(const wg_tensor *predicted, const wg_tensor *truth);

/* wg_r2: 1 - (sum of (predicted - truth)^2) / (sum of (truth - its mean)^2), by column, and the
 * mean over columns: 1 is perfect, 0 as good as the mean, negative worse. [n] is one column.
 * Edges:  a column of equal numbers: 1 where all are predicted exactly, else 0. */
double wg_r2(const wg_tensor *predicted, const wg_tensor *truth);

#ifdef __cplusplus
}
#endif
#endif
