#include "models/metrics.h"

#include "autograd/op.h"

#include <math.h>

/* Do both have values of now, of one tape, shape and dtype? */
static bool metrics_fit(const char *metric, const wg_tensor *predicted, const wg_tensor *truth)
{
    if (wg_is_inert(predicted) || wg_is_inert(truth)) {
        const wg_tensor *one = wg_is_inert(predicted) ? truth : predicted;
        wg_fail(one != NULL ? one->tape : NULL, WG_E_NULL, "%s: of an inert tensor", metric);
        return false;
    }
    char p[WG_SHAPE_TEXT + 96], q[WG_SHAPE_TEXT + 96];
    wg_tensor_text(predicted, p, sizeof p);
    wg_tensor_text(truth, q, sizeof q);
    wg_tape *t = predicted->tape;
    wg_status wrong = t != truth->tape                                   ? WG_E_TAPE
                      : !wg_shape_same(&predicted->shape, &truth->shape) ? WG_E_SHAPE
                      : predicted->dtype != truth->dtype                 ? WG_E_DTYPE
                      : predicted->data == NULL || truth->data == NULL   ? WG_E_NULL
                      : wg_is_stale(predicted) || wg_is_stale(truth)     ? WG_E_STALE
                                                                         : WG_OK;
    if (wrong != WG_OK)
        wg_fail(t, wrong, "%s: %s: %s %s against %s %s", metric, wg_status_text(wrong), p,
                wg_dtype_name(predicted->dtype), q, wg_dtype_name(truth->dtype));
    return wrong == WG_OK;
}

double wg_accuracy(const wg_tensor *predicted, const wg_tensor *truth)
{
    if (!metrics_fit("accuracy", predicted, truth))
        return (double)NAN;
    int64_t hits = 0;
    for (int64_t i = 0; i < predicted->size; i++)
        hits += predicted->dtype == WG_I64
                    ? ((const int64_t *)predicted->data)[i] == ((const int64_t *)truth->data)[i]
                    : wg_at(predicted, i) == wg_at(truth, i);
    return (double)hits / (double)predicted->size;
}
