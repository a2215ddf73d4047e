#ifndef WG_OPS_SCAN_INTERNAL_H
#define WG_OPS_SCAN_INTERNAL_H

#include "autograd/body_internal.h"
#include "ops/scan.h"

/* The op. Operands: the body, carries, xs, params. The body's inputs: one carry each, one row of
 * each of the xs, the params; its outputs: the next carries, ys, and sums. The result is all of
 * them in one dimension, output by output: a carry's last value, or, where they are kept, those
 * before and after every step (n + 1 rows; row t is before step t, or behind it in reverse); n
 * rows of each y; the sum of each sum over the steps.
 * Params and sums are each other's derivatives, as are xs and ys: the set is closed, and no carry
 * grows by what is only added up. */
typedef struct wg_scan_attrs {
    int64_t n, carries, xs, ys, sums, reverse, keep; /* no padding */
} wg_scan_attrs;

extern const wg_op wg_op_scan;

/* Output k of the node or of its attributes: rows, size of a row, and where it starts in the
 * result, in elements.  wg_scan_part: its rows [first, first + rows) in one dimension, a view. */
int64_t wg_scan_rows(const wg_scan_attrs *a, int k);
int64_t wg_scan_size(const wg_tensor *y, int k);
int64_t wg_scan_start(const wg_tensor *y, int k);
wg_tensor *wg_scan_part(wg_tensor *y, wg_tensor *packed, int k, int64_t first, int64_t rows);

/* The row of a carry behind the last step. */
static inline int64_t wg_scan_last_row(const wg_scan_attrs *a)
{
    return a->keep && !a->reverse ? a->n : 0;
}

/* wg_scan_outputs: how many.  wg_scan_flat_output, wg_scan_output: output k in the body, and what
 * it was before it became flat. */
static inline int wg_scan_outputs(const wg_scan_attrs *a)
{
    return (int)(a->carries + a->ys + a->sums);
}
wg_tensor *wg_scan_flat_output(const wg_tensor *y, int k);
const wg_tensor *wg_scan_output(const wg_tensor *y, int k);

/* wg_scan_flat: x as one row, (size,), on x's tape. */
wg_tensor *wg_scan_flat(wg_tensor *x);

/* wg_scan_rows_shape: (n, row...); of 9 dimensions, which no tensor has, where the row has 8. */
wg_shape wg_scan_rows_shape(int64_t n, const wg_shape *row);

/* The op's rule: a loop in the other direction, of the VJP of the body. Errors are the tape's; what
 * it records the tape owns.   Source: Griewank and Walther 2008, sec. 3.2 (reverse sweeps). */
void wg_scan_vjp_all(wg_tensor *y, wg_tensor *dy, const bool wanted[], wg_tensor *dx[]);
wg_tensor *wg_scan_vjp(wg_tensor *y, wg_tensor *dy, int i);

/* What checks hold of a body: see wg_op_holds. An i64 is kept as a float: those of a body come from
 * floats, or are indices. */
extern const wg_op_holds wg_scan_holds;

/* The op as C. */
void wg_scan_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row);

#endif
