/* Ops with a wrong derivative, for the test of the checker: each has the forward kernel of a
 * built-in op, and a rule that is not right. */
#ifndef WGT_CHECK_PLANTED_H
#define WGT_CHECK_PLANTED_H

#include "autograd/op.h"

typedef struct wgt_planted {
    const char *op;  /* the built-in op that is copied */
    const char *bug; /* what is wrong with the copy's rule */
    int order;       /* 1: the first derivative is wrong; 2: only the second one is */
    wg_tensor *(*build)(wg_tensor *a,
                        wg_tensor *b); /* records the op on [4, 4] operands in its domain */
    wg_tensor *(*rule)(wg_tensor *y, wg_tensor *dy, int i); /* NULL: a zero gradient, declared */
} wgt_planted;

extern const wgt_planted wgt_planted_bugs[]; /* up to one whose op is NULL */

/* wgt_planted_loss: a model with this op in the middle, x [4, 4], w [4, 4] and v [4] its parameters
 * xs, and its loss; `right`: with the built-in op instead. The wrong op's name is "planted". */
wg_tensor *wgt_planted_loss(wg_tape *t, const wgt_planted *bug, bool right, wg_tensor *xs[3]);

#endif
