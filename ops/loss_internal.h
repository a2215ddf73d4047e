#ifndef WG_OPS_LOSS_INTERNAL_H
#define WG_OPS_LOSS_INTERNAL_H

#include "ops/loss.h"

/* wg_loss_reduce: losses l as the mean, the sum, or as they are. */
wg_tensor *wg_loss_reduce(wg_tensor *l, wg_reduction reduction, const char *op);

/* wg_loss_pair_fits: have x and y one shape? If not, an error that says what to do is recorded on
 * their tape. True where one of them is inert: the op that it is given to has the words for
 * that. */
bool wg_loss_pair_fits(const wg_tensor *x, const wg_tensor *y, const char *op);

/* wg_loss_fail: an option out of its range: WG_E_VALUE on the tape of the first of x and y that
 * there is. */
wg_tensor *wg_loss_fail(const wg_tensor *x, const wg_tensor *y, const char *op, const char *what);

#endif
