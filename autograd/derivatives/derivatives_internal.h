#ifndef WG_AUTOGRAD_DERIVATIVES_DERIVATIVES_INTERNAL_H
#define WG_AUTOGRAD_DERIVATIVES_DERIVATIVES_INTERNAL_H

#include "autograd/derivatives/derivatives.h"

/* What products and matrices of derivatives share. */

/* wg_derivatives_list: room for n tensors in the tape's scratch; NULL, with the error recorded,
 * where there is none. */
wg_tensor **wg_derivatives_list(wg_tape *t, int n);

/* wg_derivatives_fit: are these n >= 1 tensors of t? False: an error was recorded for `what`. */
bool wg_derivatives_fit(wg_tape *t, const char *what, wg_tensor *const xs[], int n);

/* wg_derivatives_again: wg_vjp_many of ys that are derivatives: where these do not depend on an x,
 * although y does, strict_grad has nothing to say. */
wg_status wg_derivatives_again(wg_tensor *const ys[], wg_tensor *const dys[], int m,
                               wg_tensor *const xs[], int n, wg_tensor *gs[]);

#endif
