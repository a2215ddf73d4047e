/* What all heads share: targets from labels or numbers, predictions, and the L2 penalty. */
#include "models/train/head.h"

#include "ops/arithmetic.h"
#include "ops/compare.h"
#include "ops/index.h"
#include "ops/layout.h"
#include "ops/reduce.h"

#include <inttypes.h>
#include <math.h>

int64_t wg_head_k(const wg_head *head, int64_t columns)
{
    switch (head->kind) {
    case WG_HEAD_TWO_CLASSES: return columns == 1 ? 2 : 0;
    case WG_HEAD_CLASSES: return columns > 1 ? columns : 0;
    default: return columns;
    }
}

/* ---- Targets. -------------------------------------------------------------------------------- */

static wg_tensor *head_fail(const wg_tensor *y, wg_status status, const char *what)
{
    return wg_fail(y->tape, status, "%s: %s %s", what, wg_tensor_text(y).s,
                   wg_dtype_name(y->dtype));
}

static bool head_labels_fit(const wg_tensor *y, int64_t k)
{
    if (y->dtype != WG_I64)
        head_fail(y, WG_E_DTYPE, "labels must be i64");
    else if (y->shape.ndim != 1)
        head_fail(y, WG_E_SHAPE, "labels must be [n]");
    for (int64_t i = 0; wg_tape_status(y->tape) == WG_OK && i < y->size; i++) {
        int64_t label = ((const int64_t *)y->data)[i];
        if (label < 0 || label >= k)
            wg_fail(y->tape, WG_E_INDEX,
                    "row %" PRId64 " has the label %" PRId64 ", but there are %" PRId64 " classes",
                    i, label, k);
    }
    return wg_tape_status(y->tape) == WG_OK;
}

/* [n, k] numbers of the dtype; the inert tensor after an error. */
static wg_tensor *head_numbers(wg_tensor *y, int64_t k, wg_dtype dtype)
{
    bool one = k == 1 && y->shape.ndim == 1;
    if (!one && (y->shape.ndim != 2 || y->shape.dim[1] != k))
        return head_fail(y, WG_E_SHAPE, "a row must have as many numbers as the model has outputs");
    if (y->dtype != WG_I64 && y->dtype != dtype)
        return head_fail(y, WG_E_DTYPE, "numbers must have the dtype of the rows (or be i64)");
    wg_tensor *numbers = wg_cast(y, dtype);
    return one ? wg_reshape(numbers, WG_SHAPE(y->size, 1)) : numbers;
}

wg_tensor *wg_head_targets(const wg_head *head, wg_tensor *y, int64_t k, wg_dtype dtype)
{
    if (wg_is_inert(y))
        return wg_fail(y != NULL ? y->tape : NULL, WG_E_NULL, "labels are NULL or inert");
    if (y->data == NULL || wg_is_stale(y))
        return head_fail(y, WG_E_STALE, "labels: replay first");
    if (head->kind == WG_HEAD_NUMBERS)
        y = head_numbers(y, k, dtype);
    else if (!head_labels_fit(y, k))
        return wg_fail(y->tape, WG_E_INDEX, "labels do not fit");
    if (wg_is_inert(y))
        return y;
    if (head->targets != NULL)
        return head->targets(y, k, dtype);
    if (head->kind == WG_HEAD_TWO_CLASSES)
        return wg_reshape(wg_cast(y, dtype), WG_SHAPE(y->size, 1));
    return y;
}

/* ---- Predictions. ---------------------------------------------------------------------------- */

wg_tensor *wg_head_predict(const wg_head *head, wg_tensor *Z)
{
    if (wg_is_inert(Z) || (head->kind == WG_HEAD_NUMBERS && head->predict == NULL))
        return Z;
    wg_tensor *y = head->predict(Z);
    if (head->kind == WG_HEAD_NUMBERS || wg_is_inert(y) || Z->size == 0)
        return y;
    wg_tensor *largest = wg_amax_over(Z, WG_AXES(1), false); /* NaN where there is one */
    wg_tensor *none = wg_full(Z->tape, WG_I64, WG_SCALAR, -1);
    return wg_where(wg_equal(largest, largest), y, none);
}

wg_tensor *wg_head_probabilities(const wg_head *head, wg_tensor *Z)
{
    if (wg_is_inert(Z))
        return Z;
    if (head->probabilities == NULL)
        return wg_fail(Z->tape, WG_E_VALUE, "the head '%s' has no probabilities", head->name);
    return head->probabilities(Z);
}

/* ---- The penalty. ---------------------------------------------------------------------------- */

wg_tensor *wg_l2_penalty(wg_tensor *const params[], int n, double l2)
{
    wg_tensor *penalty = NULL;
    for (int i = 0; l2 != 0 && i < n; i++) {
        if (wg_is_inert(params[i]) || params[i]->shape.ndim < 2)
            continue;
        if (!(l2 > 0 && isfinite(l2)))
            return wg_fail(params[i]->tape, WG_E_VALUE, "a penalty of l2 = %g", l2);
        wg_tensor *one = wg_scale(wg_sum(wg_square(params[i])), l2 / 2);
        penalty = penalty != NULL ? wg_add(penalty, one) : one;
    }
    return penalty;
}
