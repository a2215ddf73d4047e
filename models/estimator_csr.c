/* Estimators on sparse rows. */
#include "models/estimator_internal.h"
#include "models/metrics/metrics.h"

#include <inttypes.h>

/* For more no memory has weights; and sizes computed of so many do not overflow. */
#define ESTIMATOR_COLUMNS (INT64_C(1) << 48)

static wg_tape *estimator_csr_tape(const wg_csr *X)
{
    return X != NULL && X->value != NULL ? X->value->tape : NULL;
}

wg_estimator *wg_estimator_fit_csr(const wg_csr *X, wg_tensor *y,
                                   const wg_estimator_options *options)
{
    wg_tape *t = estimator_csr_tape(X);
    if (t == NULL) {
        wg_fail(y != NULL ? y->tape : NULL, WG_E_NULL, "estimator: no sparse rows");
        return wg_estimator_inert();
    }
    if (X->columns > ESTIMATOR_COLUMNS) {
        wg_fail(t, WG_E_SHAPE, "estimator: %" PRId64 " columns are too many", X->columns);
        return wg_estimator_inert();
    }
    const double none = 0;
    const wg_estimator_data data = {
        .X = wg_constant(t, X->value->dtype, WG_SHAPE(0, X->columns), &none), .sparse = X, .y = y};
    return wg_estimator_fit_data(&data, options);
}

/* Does the estimator take rows as they are, and so many columns? */
static bool estimator_csr_fits(const wg_estimator *e, const wg_csr *X)
{
    wg_tape *t = estimator_csr_tape(X);
    if (e == NULL || e->tape == NULL || t == NULL)
        return false;
    if (wg_pipeline_steps(e->pipeline) > 0 || wg_pipeline_text_columns(e->pipeline) > 0)
        wg_fail(t, WG_E_SHAPE,
                "estimator: it prepares its rows, which sparse rows cannot be: wg_csr_dense");
    else if (X->columns > wg_pipeline_columns(e->pipeline))
        wg_fail(t, WG_E_SHAPE,
                "estimator: sparse rows of %" PRId64 " columns, but %" PRId64 " were fitted",
                X->columns, wg_pipeline_columns(e->pipeline));
    return wg_tape_status(t) == WG_OK;
}

wg_tensor *wg_estimator_logits_csr(const wg_estimator *e, const wg_csr *X)
{
    if (!estimator_csr_fits(e, X))
        return wg_fail(estimator_csr_tape(X), WG_E_NULL, "estimator: an inert one, or no rows");
    return wg_mlp_forward_csr(e->mlp, X, false);
}

wg_tensor *wg_estimator_predict_csr(const wg_estimator *e, const wg_csr *X)
{
    wg_tensor *Z = wg_estimator_logits_csr(e, X);
    return wg_is_inert(Z) ? Z : wg_link_predict(e->kind->link, Z);
}

wg_tensor *wg_estimator_predict_proba_csr(const wg_estimator *e, const wg_csr *X)
{
    wg_tensor *Z = wg_estimator_logits_csr(e, X);
    return wg_is_inert(Z) ? Z : wg_link_probabilities(e->kind->link, Z);
}

double wg_estimator_score_csr(const wg_estimator *e, const wg_csr *X, const wg_tensor *y)
{
    wg_tape *t = estimator_csr_tape(X);
    wg_mark mark = wg_tape_mark(t);
    double accuracy = wg_accuracy(wg_estimator_predict_csr(e, X), y);
    if (wg_tape_status(t) == WG_OK)
        wg_tape_rewind(t, mark);
    return accuracy;
}
