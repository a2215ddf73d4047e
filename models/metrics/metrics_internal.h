#ifndef WG_MODELS_METRICS_METRICS_INTERNAL_H
#define WG_MODELS_METRICS_METRICS_INTERNAL_H

#include "autograd/op.h"

/* What metrics share. All record an error that begins with the metric's name, and return false. */

/* wg_metric_readable: both tensors have values of now, and one tape. */
bool wg_metric_readable(const char *metric, const wg_tensor *a, const wg_tensor *b);

/* wg_metric_fail: records "accuracy: shapes do not fit: p (4,) f64, y (5,) i64". Always false. */
bool wg_metric_fail(const char *metric, wg_status status, const wg_tensor *a, const wg_tensor *b);

/* wg_metric_labels: is every entry of y, of any dtype, a whole number in [0, below)? WG_E_INDEX. */
bool wg_metric_labels(const char *metric, const wg_tensor *y, int64_t below);

/* wg_metric_numbers: is x f32 or f64 (WG_E_DTYPE), and no entry outside [low, high] or NaN
 * (WG_E_VALUE)? */
bool wg_metric_numbers(const char *metric, const wg_tensor *x, double low, double high);

/* wg_metric_label: entry i of labels that have passed; nothing is checked. */
int64_t wg_metric_label(const wg_tensor *y, int64_t i);

#endif
