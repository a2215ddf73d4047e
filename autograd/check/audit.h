#ifndef WG_AUTOGRAD_CHECK_AUDIT_H
#define WG_AUTOGRAD_CHECK_AUDIT_H

#include "autograd/tensor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Is the computed number accurate? Every node of a recorded computation against its value in wide
 * floats: how many digits are right, and how many its op lost by itself. That is the lesson "never
 * compute log(0)" as a tool: the op that loses digits is named, and where the pattern is known its
 * cure. Record gradients first (wg_grad), and give them among the ys, to have them audited, too. */

/* A node, at its worst entry. */
typedef struct wg_audit_row {
    const wg_tensor *node; /* on the tape that was audited */
    int64_t entry;         /* index in row-major order */
    double value;          /* as computed */
    double exact;          /* in wide floats, rounded to double */
    double digits;         /* decimal digits of `value` that are right: 0 to 15.95 (f32: 7.22) */
    double lost; /* digits that the op loses by itself, on exact operands rounded to their dtype */
    double condition;    /* sum of |x f'(x) / f(x)| over operands: how relative errors of x grow */
    bool overflow;       /* the value is infinite or NaN, the exact one is not */
    const char *pattern; /* "log of a sigmoid", "decided by rounding" (a comparison, floor or argmax
                          * that exact operands decide otherwise), or NULL */
    const char *cure;    /* "wg_log_sigmoid(x)", or NULL */
} wg_audit_row;

/* wg_audit: audits what the n tensors ys are computed from. rows [most] take the nodes that lose
 * most, sorted by what they lose themselves.
 * A row has a pattern and a cure only where some y has lost three digits or more, or is NaN, and
 * the op has lost three by itself. An op that makes NaN of numbers has lost all.
 * Returns: the number of rows written; 0 where there is nothing to audit, with the reason in *why
 *          (which may be NULL): no wide floats, an op without a wide form, or whose wide kernel
 *          passes through a narrower float, what is stale, memory.
 * The tape is left as it was. */
size_t wg_audit(wg_tensor *const ys[], int n, wg_audit_row rows[], size_t most, const char **why);

/* wg_audit_print: the same as a table of the ten worst and their cures. Returns the digits that are
 * right in the worst entry of these: NaN where nothing could be audited. */
double wg_audit_print(FILE *out, wg_tensor *const ys[], int n);

/* wg_audit_csv: rows as CSV, with a line of headers. */
void wg_audit_csv(FILE *out, const wg_audit_row rows[], size_t count);

#ifdef __cplusplus
}
#endif
#endif
