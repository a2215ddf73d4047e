/* What all metrics check, and how they read labels. */
#include "models/metrics/metrics_internal.h"

#include <inttypes.h>
#include <math.h>

bool wg_metric_fail(const char *metric, wg_status status, const wg_tensor *a, const wg_tensor *b)
{
    wg_fail(a->tape, status, "%s: %s: %s %s, %s %s", metric, wg_status_text(status),
            wg_tensor_text(a).s, wg_dtype_name(a->dtype), wg_tensor_text(b).s,
            wg_dtype_name(b->dtype));
    return false;
}

bool wg_metric_readable(const char *metric, const wg_tensor *a, const wg_tensor *b)
{
    if (wg_is_inert(a) || wg_is_inert(b)) {
        const wg_tensor *one = wg_is_inert(a) ? b : a;
        wg_fail(one != NULL ? one->tape : NULL, WG_E_NULL, "%s: of an inert tensor", metric);
        return false;
    }
    if (a->tape != b->tape)
        return wg_metric_fail(metric, WG_E_TAPE, a, b);
    if (a->data == NULL || b->data == NULL)
        return wg_metric_fail(metric, WG_E_NULL, a, b);
    if (wg_is_stale(a) || wg_is_stale(b))
        return wg_metric_fail(metric, WG_E_STALE, a, b);
    return true;
}

int64_t wg_metric_label(const wg_tensor *y, int64_t i)
{
    return y->dtype == WG_I64 ? ((const int64_t *)y->data)[i] : (int64_t)wg_element(y, i);
}

bool wg_metric_labels(const char *metric, const wg_tensor *y, int64_t below)
{
    for (int64_t i = 0; i < y->size; i++) {
        double value = wg_element(y, i);
        bool in_range = value >= 0 && value < 0x1p63 && value == floor(value);
        if (in_range && wg_metric_label(y, i) < below)
            continue;
        wg_fail(y->tape, WG_E_INDEX, "%s: label %g at place %" PRId64 ", but %" PRId64 " classes",
                metric, value, i, below);
        return false;
    }
    return true;
}

bool wg_metric_numbers(const char *metric, const wg_tensor *x, double low, double high)
{
    if (x->dtype == WG_I64) {
        wg_fail(x->tape, WG_E_DTYPE, "%s: f32 or f64 wanted: %s is i64", metric,
                wg_tensor_text(x).s);
        return false;
    }
    for (int64_t i = 0; i < x->size; i++) {
        double value = wg_element(x, i);
        if (value >= low && value <= high)
            continue;
        wg_fail(x->tape, WG_E_VALUE, "%s: %g at place %" PRId64 " of %s", metric, value, i,
                wg_tensor_text(x).s);
        return false;
    }
    return true;
}
