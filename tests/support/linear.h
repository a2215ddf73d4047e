/* What holds for every op that is linear in its operand. */
#ifndef WGT_SUPPORT_LINEAR_H
#define WGT_SUPPORT_LINEAR_H

#include "autograd/op.h"

enum { WGT_LINEAR_MOST = 1024 }; /* elements of x, of y */

/* y was computed from the f64 parameter x by linear ops alone, from small whole numbers, so that
 * all sums are exact. J from the rule is y's matrix: y = J x, the JVP along v is J v, and the
 * rule's own rule gives the transpose of J. */
void wgt_assert_linear(wg_tensor *x, wg_tensor *y);

/* y's op computes the same bits in one piece and unit by unit, from the last to the first. */
void wgt_assert_pieces(wg_tensor *y);

/* A parameter of the values 1, 2, 3, ... */
wg_tensor *wgt_counting(wg_tape *t, int ndim, const int64_t *dim);

/* The same as a constant of any dtype. */
wg_tensor *wgt_counting_of(wg_tape *t, wg_dtype dtype, int ndim, const int64_t *dim);

/* y is f64, has this shape (two arguments), and these values. */
void wgt_assert_tensor(const wg_tensor *y, int ndim, const int64_t *dim, const double *values);

#endif
