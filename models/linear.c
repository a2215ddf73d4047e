#include "models/linear_internal.h"

#include "autograd/op.h"
#include "models/metrics/metrics.h"
#include "ops/arithmetic.h"
#include "ops/matmul.h"
#include "ops/reduce.h"

#include <inttypes.h>
#include <math.h>

wg_tensor *wg_linear_logits(wg_tensor *X, wg_tensor *W, wg_tensor *b)
{
    return wg_add(wg_matmul(X, W), b);
}

wg_tensor *wg_l2_penalty(wg_tensor *W, double C, int64_t n)
{
    if (C == 0 || (isinf(C) && C > 0))
        return NULL;
    if (!wg_is_inert(W) && (!(C > 0) || n <= 0))
        return wg_fail(W->tape, WG_E_VALUE, "penalty: C = %g with n = %" PRId64 " rows", C, n);
    return wg_scale(wg_sum(wg_square(W)), 1 / (2 * (double)n * C));
}

int64_t wg_rows_of(const wg_tensor *X)
{
    return wg_is_inert(X) || X->shape.ndim == 0 ? 0 : X->shape.dim[0];
}

int64_t wg_columns_of(const wg_tensor *X)
{
    return wg_is_inert(X) || X->shape.ndim < 2 ? 0 : X->shape.dim[1];
}

wg_tensor *wg_shared_or_new(wg_tensor *given, const wg_tensor *X, const char *name, int ndim,
                            const int64_t *dim)
{
    if (given != NULL)
        return given;
    if (wg_is_inert(X))
        return wg_fail(X != NULL ? X->tape : NULL, WG_E_NULL, "a model on an inert tensor");
    return wg_param(X->tape, name, X->dtype, ndim, dim);
}

double wg_accuracy_and_rewind(wg_tensor *predicted, const wg_tensor *truth, wg_mark mark)
{
    double accuracy = wg_accuracy(predicted, truth);
    if (!wg_is_inert(predicted) && wg_tape_status(predicted->tape) == WG_OK)
        wg_tape_rewind(predicted->tape, mark);
    return accuracy;
}
