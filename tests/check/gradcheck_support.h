#ifndef WGT_CHECK_GRADCHECK_SUPPORT_H
#define WGT_CHECK_GRADCHECK_SUPPORT_H

#include "autograd/tape_internal.h"

/* All that a user could notice of a tape. */
typedef struct wgt_snapshot {
    wg_tape tape;
    wg_tensor *node; /* [size] */
    char *values;
} wgt_snapshot;

/* wgt_snapshot_compare: is the tape as it was taken? Frees the snapshot. */
wgt_snapshot wgt_snapshot_take(const wg_tape *t);
void wgt_snapshot_compare(wgt_snapshot *s, const wg_tape *t);

/* wgt_normal: a parameter of draws from N(0, 0.25). */
wg_tensor *wgt_normal(wg_tape *t, const char *name, wg_dtype dtype, uint64_t key, int ndim,
                      const int64_t *dim);

/* wgt_model_mlp: d - h - 3 with tanh on n rows of f32 or f64, and its gradient. */
typedef struct wgt_model {
    wg_tensor *xs[4], *loss, *gs[4];
} wgt_model;

wgt_model wgt_model_mlp(wg_tape *t, wg_dtype dtype, int64_t n, int64_t d, int64_t h);

/* wgt_claimed_square: a square whose rule says that the derivative is factor x, so right for 2. */
wg_tensor *wgt_claimed_square(wg_tensor *x, double factor);

#endif
