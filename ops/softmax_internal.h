#ifndef WG_OPS_SOFTMAX_INTERNAL_H
#define WG_OPS_SOFTMAX_INTERNAL_H

#include "ops/softmax.h"

/* With p = softmax(x) over the axes (bit i for axis i), exact in the tails of rows that are nearly
 * certain:
 * wg_log_softmax_jvp: u - sum(p*u).   wg_softmax_times: p * (u - sum(p*u)), J u with J softmax's
 * Jacobian, which is symmetric. */
wg_tensor *wg_log_softmax_jvp(wg_tensor *u, wg_tensor *x, uint32_t axes);
wg_tensor *wg_softmax_times(wg_tensor *x, wg_tensor *u, uint32_t axes);

/* As C, in a row of x that is open: wg_softmax_write_top: `most`, the largest entry, `top`, its
 * number, and `rest`, the sum of exp(x - most) over the others; returns the name of the function
 * that x - most is taken with.
 * wg_softmax_write_soft: y = factor (softmax(x) sum q - q), 0 where all q are 0, whatever x is. */
wg_text wg_softmax_write_top(wg_c_writer *c, const wg_tensor *x, const wg_c_nest *rows,
                             wg_c_nest *along);
void wg_softmax_write_soft(wg_c_writer *c, const wg_tensor *x, const wg_tensor *q,
                           const wg_c_nest *rows, wg_c_nest *along, const char *factor);

/* How the ops are written as C; softmax and log_softmax alike. */
void wg_softmax_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row);
void wg_log_softmax_jvp_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row);
void wg_log_softmax_vjp_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row);
void wg_logsumexp_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row);

#endif
