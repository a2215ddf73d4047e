#ifndef WG_OPS_CROSS_ENTROPY_INTERNAL_H
#define WG_OPS_CROSS_ENTROPY_INTERNAL_H

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

/* wg_cross_entropy_rows: l = logsumexp(z) - z_label, 0 in ignored rows.
 * wg_soft_cross_entropy_rows: l = -sum_k q_k * log_softmax(z)_k. */
wg_tensor *wg_cross_entropy_rows(wg_tensor *z, wg_tensor *labels, const wg_ignored_label *ignored);
wg_tensor *wg_soft_cross_entropy_rows(wg_tensor *z, wg_tensor *q);

#endif
