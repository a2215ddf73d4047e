#ifndef WG_MODELS_DATA_SCALER_INTERNAL_H
#define WG_MODELS_DATA_SCALER_INTERNAL_H

#include "models/data/scaler.h"

/* wg_column_moments: mean[d] and population variance[d] of X's columns, of the rows of all ranks,
 * which are *rows; X [n, d], f32 or f64. All ranks take part, also with an error; false after
 * one. */
bool wg_column_moments(wg_tensor *X, double mean[], double variance[], double *rows);

#endif
