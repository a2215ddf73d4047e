#ifndef WG_MODELS_LINEAR_INTERNAL_H
#define WG_MODELS_LINEAR_INTERNAL_H

#include "autograd/tape.h"

/* wg_linear_logits: X W + b.   Shapes: X [n, d], W [d, k], b [k] -> [n, k]. */
wg_tensor *wg_linear_logits(wg_tensor *X, wg_tensor *W, wg_tensor *b);

/* wg_l2_penalty: ||W||^2 / (2 n C), zero dimensions; NULL where C is 0 or infinite: no penalty. The inert
 * tensor, and WG_E_VALUE on the tape, where C or n is out of its range. */
wg_tensor *wg_l2_penalty(wg_tensor *W, double C, int64_t n);

/* wg_rows_of, wg_columns_of: the sizes of a matrix; 0, and no error, where X has no such axis. */
int64_t wg_rows_of(const wg_tensor *X);
int64_t wg_columns_of(const wg_tensor *X);

/* wg_shared_or_new: `given`, or a new parameter of X's tape and dtype where it is NULL. */
wg_tensor *wg_shared_or_new(wg_tensor *given, const wg_tensor *X, const char *name, int ndim,
                            const int64_t *dim);

/* wg_accuracy_and_rewind: the accuracy of a prediction that was recorded after `mark`, which is then
 * dropped again; after an error it stays, and so does the error. */
double wg_accuracy_and_rewind(wg_tensor *predicted, const wg_tensor *truth, wg_mark mark);

#endif
