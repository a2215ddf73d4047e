#ifndef WG_MODELS_DATA_SCALER_H
#define WG_MODELS_DATA_SCALER_H

#include "autograd/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Standardization: z = (x - mean) / scale by column, with the mean and the population standard
 * deviation of the rows that the scaler was fitted on; a constant column keeps its scale, it is
 * divided by 1. As scikit-learn's StandardScaler. A scaler belongs to the tape of the tensor it was
 * fitted on. Its members are to be read: constants [d] of X's dtype; NULL in an inert one.
 *   rest: (the mean - its f32) / scale, so that rows whose spread is of the size of an f32's
 *   rounding are centred (rows at 1e7 that differ by 1); NULL where that is zero, as in f64. */
typedef struct wg_scaler {
    wg_tensor *mean, *scale, *rest;
} wg_scaler;

/* wg_scaler_fit: mean_j = sum_i X_ij / n, scale_j = (sum_i (X_ij - mean_j)^2 / n)^(1/2), in two
 * passes and in double; scale_j = 1 where the deviation is no more than its own round-off.
 * Shape:  X [n, d], f32 or f64, n >= 1. The values of this moment are what counts.
 * Ranks:  of the rows of all; the same on each.
 * Edges:  a NaN or infinity in a column makes its mean and scale NaN.
 * Errors: WG_E_SHAPE, WG_E_DTYPE, WG_E_STALE, WG_E_NULL, WG_E_NOMEM, on the tape; the result is
 *   then an inert scaler, never NULL.
 * Source: Chan, Golub, LeVeque 1983, "Algorithms for computing the sample variance", eq. 1.7. */
wg_scaler *wg_scaler_fit(wg_tensor *X);

/* wg_scaler_apply: (X - mean) / scale - rest, recorded on the tape: on an input it is replayed with
 * it.
 * Shape:  X [m, d] of the scaler's dtype -> the same.   Derivative: 1 / scale.
 * Errors: those of wg_sub and wg_div; WG_E_NULL for an inert scaler. */
wg_tensor *wg_scaler_apply(const wg_scaler *scaler, wg_tensor *X);

/* wg_standardize: X by its own mean and scale: fit and apply. */
wg_tensor *wg_standardize(wg_tensor *X);

#ifdef __cplusplus
}
#endif
#endif
