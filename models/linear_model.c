/* Linear models: logits, a head's loss, the penalty. */
#include "models/linear_model.h"

#include "autograd/op.h"
#include "models/layers.h"
#include "ops/arithmetic.h"
#include "ops/compare.h"

#include <inttypes.h>
#include <math.h>

/* The size of an axis; 0, and no error, where X has no such axis. */
static int64_t linear_size(const wg_tensor *X, int axis)
{
    return wg_is_inert(X) || X->shape.ndim <= axis ? 0 : X->shape.dim[axis];
}

/* `given`, or a new parameter of X's tape and dtype where it is NULL. */
static wg_tensor *linear_param(wg_tensor *given, const wg_tensor *X, const char *name, int ndim,
                               const int64_t *dim)
{
    return given != NULL ? given : wg_param(X->tape, name, X->dtype, ndim, dim);
}

/* y as the loss takes it: labels and numbers go through the head, probabilities are as they are. */
static wg_tensor *linear_targets(const wg_head *head, wg_tensor *y, int64_t k, wg_dtype dtype)
{
    bool soft = head->kind != WG_HEAD_NUMBERS && !wg_is_inert(y) && y->dtype != WG_I64;
    return soft ? y : wg_head_targets(head, y, k, dtype);
}

/* l2 of the options; false, and an error, where they are out of range. */
static bool linear_l2(wg_tape *t, const wg_linear_model_options *o, int64_t rows, double *l2)
{
    int64_t n = o->n != 0 ? o->n : rows;
    *l2 = 0;
    if (o->C == 0 || (isinf(o->C) && o->C > 0))
        return true;
    *l2 = 1 / ((double)n * o->C);
    if (o->C > 0 && n > 0 && isfinite(*l2))
        return true;
    wg_fail(t, WG_E_VALUE, "penalty: C = %g with n = %" PRId64 " rows", o->C, n);
    return false;
}

/* What is made on an error: all inert. */
static wg_linear_model linear_inert(const wg_linear_model *m, wg_tape *t)
{
    wg_tensor *inert = wg_fail(t, WG_E_NULL, "a linear model of an inert tensor, or without head");
    return (wg_linear_model){.head = m->head,
                             .X = m->X,
                             .y = m->y,
                             .W = inert,
                             .b = inert,
                             .logits = inert,
                             .mean_loss = inert,
                             .loss = inert};
}

/* One for each row; a column of them would be broadcast along the rows' losses. */
static bool linear_weights_fit(wg_tape *t, const wg_tensor *weights, int64_t n)
{
    if (weights != NULL && !wg_is_inert(weights) &&
        (weights->shape.ndim != 1 || weights->shape.dim[0] != n))
        wg_fail(t, WG_E_SHAPE, "linear model: weights [%" PRId64 "] wanted: %s", n,
                wg_tensor_text(weights).s);
    return wg_tape_status(t) == WG_OK;
}

wg_linear_model wg_linear_model_new(wg_tensor *X, wg_tensor *y, int64_t k, const wg_head *head,
                                    const wg_linear_model_options *options)
{
    wg_linear_model_options o = {0};
    if (options != NULL)
        o = *options;
    wg_linear_model m = {.head = head, .X = X, .y = y};
    wg_tape *t = X != NULL ? X->tape : NULL;
    double l2;
    if (wg_is_inert(X) || head == NULL || !linear_l2(t, &o, linear_size(X, 0), &l2) ||
        !linear_weights_fit(t, o.weights, linear_size(X, 0)))
        return linear_inert(&m, t);
    int64_t columns = head->kind == WG_HEAD_TWO_CLASSES ? 1 : k;
    if (k < 1 || wg_head_k(head, columns) != k) {
        wg_fail(t, WG_E_VALUE, "linear model: the head '%s' cannot have k = %" PRId64, head->name,
                k);
        return linear_inert(&m, t);
    }
    m.W = linear_param(o.W, X, "W", WG_SHAPE(columns, linear_size(X, 1)));
    m.b = linear_param(o.b, X, "b", WG_SHAPE(columns));
    m.logits = wg_linear(X, m.W, m.b);
    m.mean_loss = head->loss(m.logits, linear_targets(head, y, k, X->dtype), o.weights, WG_MEAN);
    m.penalty = wg_l2_penalty(&m.W, 1, l2);
    m.loss = m.penalty != NULL ? wg_add(m.mean_loss, m.penalty) : m.mean_loss;
    return m;
}

wg_linear_model wg_logistic_new(wg_tensor *X, wg_tensor *y, const wg_linear_model_options *options)
{
    return wg_linear_model_new(X, y, 2, &wg_head_sigmoid, options);
}

wg_linear_model wg_softmax_regression_new(wg_tensor *X, wg_tensor *y, int64_t k,
                                          const wg_linear_model_options *options)
{
    return wg_linear_model_new(X, y, k, &wg_head_softmax, options);
}

/* ---- Other rows. ----------------------------------------------------------------------------- */

wg_tensor *wg_linear_model_logits(const wg_linear_model *model, wg_tensor *X)
{
    if (model == NULL || model->head == NULL)
        return wg_fail(X != NULL ? X->tape : NULL, WG_E_NULL, "linear model: none, or no head");
    return wg_linear(X, model->W, model->b);
}

wg_tensor *wg_linear_model_predict(const wg_linear_model *model, wg_tensor *X)
{
    wg_tensor *Z = wg_linear_model_logits(model, X);
    return wg_is_inert(Z) ? Z : wg_head_predict(model->head, Z);
}

/* Labels as they are predicted: 0 and 1 as floats [n, 1] become classes. */
static const wg_tensor *linear_truth(const wg_head *head, const wg_tensor *y)
{
    bool floats = !wg_is_inert(y) && y->dtype != WG_I64 && y->shape.ndim == 2 && y->data != NULL;
    if (head->kind != WG_HEAD_TWO_CLASSES || !floats)
        return y;
    wg_tensor *now = wg_constant(y->tape, y->dtype, WG_SHAPE(y->size), y->data);
    return wg_cast(now, WG_I64);
}

double wg_linear_model_score(const wg_linear_model *model, wg_tensor *X, const wg_tensor *y)
{
    wg_tape *t = X != NULL ? X->tape : NULL;
    wg_mark mark = wg_tape_mark(t);
    wg_tensor *Z = wg_linear_model_logits(model, X);
    if (wg_is_inert(Z) || model->head->n_metrics == 0)
        return (double)NAN;
    const wg_head *head = model->head;
    wg_tensor *P = head->probabilities != NULL ? head->probabilities(Z) : NULL;
    double score = head->metrics[0].value(wg_head_predict(head, Z), P, linear_truth(head, y));
    if (wg_tape_status(t) == WG_OK)
        wg_tape_rewind(t, mark);
    return score;
}
