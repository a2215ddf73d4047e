#include "models/logistic.h"

#include "autograd/op.h"
#include "models/linear_internal.h"
#include "ops/activations.h"
#include "ops/arithmetic.h"
#include "ops/loss.h"

wg_logistic wg_logistic_new(wg_tensor *X, wg_tensor *y, const wg_logistic_options *options)
{
    wg_logistic_options o = {0};
    if (options != NULL)
        o = *options;
    wg_logistic m = {.X = X, .y = y};
    m.w = wg_shared_or_new(o.w, X, "w", WG_SHAPE(wg_columns_of(X), 1));
    m.b = wg_shared_or_new(o.b, X, "b", WG_SHAPE(1));
    m.logits = wg_linear_logits(X, m.w, m.b);
    m.mean_loss = wg_bce_with_logits_opt(m.logits, y,
                                         &(wg_bce_options){.positive_weight = o.positive_weight});
    m.penalty = wg_l2_penalty(m.w, o.C, o.n != 0 ? o.n : wg_rows_of(X));
    m.loss = m.penalty != NULL ? wg_add(m.mean_loss, m.penalty) : m.mean_loss;
    return m;
}

wg_tensor *wg_logistic_logits(const wg_logistic *model, wg_tensor *X)
{
    return wg_linear_logits(X, model != NULL ? model->w : NULL, model != NULL ? model->b : NULL);
}

wg_tensor *wg_logistic_probabilities(const wg_logistic *model, wg_tensor *X)
{
    return wg_sigmoid(wg_logistic_logits(model, X));
}

/* A comparison with 0 would make a plausible 0 of NaN. */
wg_tensor *wg_logistic_predict(const wg_logistic *model, wg_tensor *X)
{
    return wg_relu(wg_sign(wg_logistic_logits(model, X)));
}

double wg_logistic_accuracy(const wg_logistic *model, wg_tensor *X, const wg_tensor *y)
{
    wg_mark mark = wg_tape_mark(wg_is_inert(X) ? NULL : X->tape);
    return wg_accuracy_and_rewind(wg_logistic_predict(model, X), y, mark);
}
