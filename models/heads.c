/* The built-in heads: softmax, sigmoid, one-vs-rest, regression. */
#include "models/heads.h"

#include "models/metrics/metrics.h"
#include "ops/activations.h"
#include "ops/arithmetic.h"
#include "ops/compare.h"
#include "ops/index.h"
#include "ops/layout.h"
#include "ops/reduce.h"
#include "ops/slice.h"
#include "ops/softmax.h"

#include <string.h>

/* ---- Losses. --------------------------------------------------------------------------------- */

/* The mean or sum of w_i l_i, of losses l [n]. */
static wg_tensor *heads_weighted(wg_tensor *l, wg_tensor *weights, wg_reduction how)
{
    wg_tensor *each = weights != NULL ? wg_mul(l, weights) : l;
    return how == WG_SUM ? wg_sum(each) : wg_mean(each);
}

static wg_tensor *heads_softmax_loss(wg_tensor *Z, wg_tensor *targets, wg_tensor *weights,
                                     wg_reduction how)
{
    wg_cross_entropy_options o = {.reduction = weights != NULL ? WG_NONE : how};
    wg_tensor *loss = wg_cross_entropy_opt(Z, targets, &o);
    return weights != NULL ? heads_weighted(loss, weights, how) : loss;
}

static wg_tensor *heads_one_vs_rest_loss(wg_tensor *Z, wg_tensor *targets, wg_tensor *weights,
                                         wg_reduction how)
{
    if (weights == NULL && how == WG_SUM)
        return wg_bce_with_logits_opt(Z, targets, &(wg_bce_options){.reduction = WG_SUM});
    wg_tensor *each = wg_bce_with_logits_opt(Z, targets, &(wg_bce_options){.reduction = WG_NONE});
    return heads_weighted(wg_sum_over(each, WG_AXES(1), false), weights, how);
}

static wg_tensor *heads_sigmoid_loss(wg_tensor *Z, wg_tensor *targets, wg_tensor *weights,
                                     wg_reduction how)
{
    if (weights == NULL)
        return wg_bce_with_logits_opt(Z, targets, &(wg_bce_options){.reduction = how});
    return heads_one_vs_rest_loss(Z, targets, weights, how);
}

static wg_tensor *heads_regression_loss(wg_tensor *Z, wg_tensor *targets, wg_tensor *weights,
                                        wg_reduction how)
{
    if (weights == NULL && how == WG_MEAN)
        return wg_mse(Z, targets, WG_MEAN);
    wg_tensor *each = wg_mse(Z, targets, WG_NONE);
    return heads_weighted(wg_mean_over(each, WG_AXES(1), false), weights, how);
}

/* ---- Targets, predictions. ------------------------------------------------------------------- */

static wg_tensor *heads_softmax(wg_tensor *Z)
{
    return wg_softmax(Z, -1);
}

static wg_tensor *heads_sigmoids(wg_tensor *Z)
{
    return wg_concat((wg_tensor *[]){wg_sigmoid(wg_neg(Z)), wg_sigmoid(Z)}, 2, 1);
}

/* p_j / (p_1 + ... + p_k) for p = sigmoid(z), by their logarithms: all p may be too small for a
 * float. */
static wg_tensor *heads_shares(wg_tensor *Z)
{
    return wg_softmax(wg_log_sigmoid(Z), -1);
}

/* The first of equal ones. */
static wg_tensor *heads_largest(wg_tensor *Z)
{
    return wg_argmax_over(Z, 1, false);
}

/* Class 1 where the logit is above 0. */
static wg_tensor *heads_above(wg_tensor *Z)
{
    wg_tensor *above = wg_greater(Z, wg_zeros_like(Z));
    return wg_reshape(wg_cast(above, WG_I64), WG_SHAPE(wg_size(Z)));
}

/* ---- Metrics. -------------------------------------------------------------------------------- */

static double heads_accuracy(const wg_tensor *predicted, const wg_tensor *P, const wg_tensor *truth)
{
    (void)P;
    return wg_accuracy(predicted, truth);
}

static double heads_log_loss(const wg_tensor *predicted, const wg_tensor *P, const wg_tensor *truth)
{
    (void)predicted;
    return wg_log_loss(P, truth);
}

static double heads_r2(const wg_tensor *predicted, const wg_tensor *P, const wg_tensor *truth)
{
    (void)P;
    return wg_r2(predicted, truth);
}

static double heads_rmse(const wg_tensor *predicted, const wg_tensor *P, const wg_tensor *truth)
{
    (void)P;
    return wg_rmse(predicted, truth);
}

static const wg_head_metric heads_of_classes[] = {{"accuracy", heads_accuracy},
                                                  {"log loss", heads_log_loss}};
static const wg_head_metric heads_of_numbers[] = {{"R2", heads_r2}, {"RMSE", heads_rmse}};

/* ---- The heads. ------------------------------------------------------------------------------ */

const wg_head wg_head_softmax = {.name = "softmax",
                                 .kind = WG_HEAD_CLASSES,
                                 .loss = heads_softmax_loss,
                                 .predict = heads_largest,
                                 .probabilities = heads_softmax,
                                 .metrics = heads_of_classes,
                                 .n_metrics = 2};

const wg_head wg_head_sigmoid = {.name = "sigmoid",
                                 .kind = WG_HEAD_TWO_CLASSES,
                                 .loss = heads_sigmoid_loss,
                                 .predict = heads_above,
                                 .probabilities = heads_sigmoids,
                                 .metrics = heads_of_classes,
                                 .n_metrics = 2};

const wg_head wg_head_one_vs_rest = {.name = "one_vs_rest",
                                     .kind = WG_HEAD_CLASSES,
                                     .targets = wg_one_hot,
                                     .loss = heads_one_vs_rest_loss,
                                     .predict = heads_largest,
                                     .probabilities = heads_shares,
                                     .metrics = heads_of_classes,
                                     .n_metrics = 2};

const wg_head wg_head_regression = {.name = "regression",
                                    .kind = WG_HEAD_NUMBERS,
                                    .loss = heads_regression_loss,
                                    .metrics = heads_of_numbers,
                                    .n_metrics = 2};

const wg_head *wg_head_find(const char *name, const wg_head *const own[])
{
    static const wg_head *const built_in[] = {&wg_head_softmax, &wg_head_sigmoid,
                                              &wg_head_one_vs_rest, &wg_head_regression, NULL};
    for (int i = 0; name != NULL && own != NULL && own[i] != NULL; i++)
        if (strcmp(name, own[i]->name) == 0)
            return own[i];
    return name != NULL && own != built_in ? wg_head_find(name, built_in) : NULL;
}
