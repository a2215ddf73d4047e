#ifndef WG_MODELS_DATA_IMPUTER_H
#define WG_MODELS_DATA_IMPUTER_H

#include "autograd/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct wg_imputer_options {
    bool median;   /* default false: the mean of the column's other values; true: their median */
    bool indicate; /* default false; true: a column more, 1 where the value was missing and else 0,
                      for each in which one was missing at the fit */
} wg_imputer_options;

/* What takes the place of missing values, which are NaN: a number a column, of the rows that it was
 * fitted on; 0 where a column has nothing else. It belongs to the tape of the tensor that it was
 * fitted on. As scikit-learn's SimpleImputer (keep_empty_features=True). Its members are to be
 * read; NULL in an inert one. */
typedef struct wg_imputer {
    wg_tensor *fill;      /* [d], of X's dtype */
    wg_tensor *indicated; /* [m], i64: the columns that are indicated; NULL: none */
} wg_imputer;

/* wg_imputer_fit: of X [n, d], f32 or f64; the values of this moment are what counts. NULL options
 * are the defaults. Errors: WG_E_SHAPE, WG_E_DTYPE, WG_E_STALE, WG_E_NULL, WG_E_NOMEM, on the tape;
 * the result is then an inert imputer, never NULL. */
wg_imputer *wg_imputer_fit(const wg_tensor *X, const wg_imputer_options *options);

/* wg_imputer_apply: X [r, d] -> [r, d + m], recorded on the tape. Errors: those of wg_where. */
wg_tensor *wg_imputer_apply(const wg_imputer *imputer, wg_tensor *X);

#ifdef __cplusplus
}
#endif
#endif
