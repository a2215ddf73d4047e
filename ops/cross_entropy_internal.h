#ifndef WG_OPS_CROSS_ENTROPY_INTERNAL_H
#define WG_OPS_CROSS_ENTROPY_INTERNAL_H

#include "ops/kernels/rows.h"
#include "ops/loss.h"

/* Logits are rows z [..., c]; of labels and losses there is one for each row: [...]. */

/* An attribute: the label whose rows have no loss. No padding, since attributes are compared by
 * bits. */
typedef struct wg_ignored_label {
    int64_t ignore; /* 0 or 1 */
    int64_t label;  /* 0 where nothing is ignored */
} wg_ignored_label;

/* wg_label_describe: of an op whose attributes begin with a wg_ignored_label. */
void wg_label_describe(const wg_tensor *y, char *text, size_t size);

/* wg_labels_check: is every label a class, or ignored? If not, WG_E_INDEX for the op that makes
 * y. */
bool wg_labels_check(const wg_tensor *y, const wg_tensor *labels, int64_t classes,
                     const wg_ignored_label *ignored);

/* wg_smooth_labels: t_k = (1 - e)*[k = label] + e/c, and 0 in ignored rows: [...] -> [..., c]. */
wg_tensor *wg_smooth_labels(wg_tensor *labels, wg_dtype dtype, int64_t classes, double smoothing,
                            const wg_ignored_label *ignored);

/* wg_logits_classes: c.  wg_logits_rows: the shape [...].  wg_logits_sum: the sum over the last
 * axis. */
int64_t wg_logits_classes(const wg_tensor *z);
wg_shape wg_logits_rows(const wg_tensor *z);
wg_tensor *wg_logits_sum(wg_tensor *x, bool keep);

/* wg_logits_lines: the rows of z, for kernels.  wg_logits_column: [...] -> [..., 1].
 * wg_logits_used: z without the rows whose `used` [..., 1] is 0: what they hold, NaN even, is of no
 * account.  wg_logits_softmax_times: J u with J the Jacobian of softmax(z). */
wgk_rows wg_logits_lines(const wg_tensor *z);
wg_tensor *wg_logits_column(wg_tensor *x);
wg_tensor *wg_logits_used(wg_tensor *z, wg_tensor *used);
wg_tensor *wg_logits_softmax_times(wg_tensor *z, wg_tensor *u);

/* wg_logits_fit: operand i, the logits, must be rows of f32 or f64.
 * wg_logits_grad_fits: a gradient has the shape of the logits, operand 1; its cotangent, operand 0,
 * is one a row.  wg_logits_grad_chunks: the rows.
 * wg_logits_workspace: for `count` rows of numbers. */
bool wg_logits_fit(const wg_tensor *y, int i);
bool wg_logits_grad_fits(wg_tensor *g);
int64_t wg_logits_grad_chunks(const wg_tensor *g);
size_t wg_logits_workspace(const wg_tensor *z, int count);

/* wg_cross_entropy_rows: l = logsumexp(z) - z_label, 0 in ignored rows.
 * wg_soft_cross_entropy_rows: l = -sum_k q_k * log_softmax(z)_k. */
wg_tensor *wg_cross_entropy_rows(wg_tensor *z, wg_tensor *labels, const wg_ignored_label *ignored);
wg_tensor *wg_soft_cross_entropy_rows(wg_tensor *z, wg_tensor *q);

#endif
