/* Loops for the suites of scan: three bodies, the same loops unrolled, and what makes a number of their
 * results. */
#ifndef WGT_OPS_LOOPS_H
#define WGT_OPS_LOOPS_H

#include "ops/scan.h"

enum { WGT_LOOP_STEPS = 7, UNITS = 3, WGT_LOOP_BODIES = 3, WGT_LOOP_CASES = 48 };

typedef struct wgt_loop {
    wg_scan_loop loop;
    wg_tensor *carry[2], *x[2], *param[3];
    wg_tensor *wrt[6];
    int n_wrt;
} wgt_loop;

/* A parameter of normal draws, which follow from its name. */
wg_tensor *wgt_loop_param(wg_tape *on, wg_dtype dtype, const char *name, int ndim,
                          const int64_t *dim);

/* wgt_loop_init: the loop of body `which` < WGT_LOOP_BODIES, to be differentiated with respect to wrt.
 * wgt_loop_case: case i < WGT_LOOP_CASES: each body in f64 and f32, both ways, with different snapshots. */
void wgt_loop_init(wgt_loop *p, wg_tape *on, wg_dtype dtype, int which);
void wgt_loop_case(wgt_loop *p, wg_tape *on, int i);

/* unroll: the same loop, every step a part of the tape. total: a number that depends on all that it gives. */
void wgt_loop_unroll(const wg_scan_loop *l, wg_tensor *last[], wg_tensor *ys[]);
wg_tensor *wgt_loop_total(const wg_scan_loop *l, wg_tensor *const last[], wg_tensor *const ys[]);

/* Is a what b is, but for `ulps` of its largest entry? */
void wgt_loop_like(const wg_tensor *a, const wg_tensor *b, double ulps);

#endif
