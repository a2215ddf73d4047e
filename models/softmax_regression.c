#include "models/softmax_regression.h"

#include "autograd/op.h"
#include "models/linear_internal.h"
#include "ops/arithmetic.h"
#include "ops/loss.h"
#include "ops/reduce.h"
#include "ops/softmax.h"

wg_softmax_regression wg_softmax_regression_new(wg_tensor *X, wg_tensor *y, int64_t k,
                                                const wg_softmax_regression_options *options)
{
    wg_softmax_regression_options o = {0};
    if (options != NULL)
        o = *options;
    wg_softmax_regression m = {.X = X, .y = y};
    m.W = wg_shared_or_new(o.W, X, "W", WG_SHAPE(wg_columns_of(X), k));
    m.b = wg_shared_or_new(o.b, X, "b", WG_SHAPE(k));
    m.logits = wg_linear_logits(X, m.W, m.b);
    m.mean_loss = wg_cross_entropy(m.logits, y);
    m.penalty = wg_l2_penalty(m.W, o.C, o.n != 0 ? o.n : wg_rows_of(X));
    m.loss = m.penalty != NULL ? wg_add(m.mean_loss, m.penalty) : m.mean_loss;
    return m;
}

wg_tensor *wg_softmax_regression_logits(const wg_softmax_regression *model, wg_tensor *X)
{
    return wg_linear_logits(X, model != NULL ? model->W : NULL, model != NULL ? model->b : NULL);
}

wg_tensor *wg_softmax_regression_probabilities(const wg_softmax_regression *model, wg_tensor *X)
{
    return wg_softmax(wg_softmax_regression_logits(model, X), -1);
}

wg_tensor *wg_softmax_regression_predict(const wg_softmax_regression *model, wg_tensor *X)
{
    return wg_argmax_over(wg_softmax_regression_logits(model, X), -1, false);
}

double wg_softmax_regression_accuracy(const wg_softmax_regression *model, wg_tensor *X,
                                      const wg_tensor *y)
{
    wg_mark mark = wg_tape_mark(wg_is_inert(X) ? NULL : X->tape);
    return wg_accuracy_and_rewind(wg_softmax_regression_predict(model, X), y, mark);
}
