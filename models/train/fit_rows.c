#include "models/train/fit_internal.h"

#include "autograd/op.h"
#include "models/data/split.h"
#include "ops/arithmetic.h"
#include "ops/compare.h"
#include "ops/index.h"
#include "ops/reduce.h"

#include <inttypes.h>
#include <math.h>

/* ---- Weights of rows. ------------------------------------------------------------------------------- */

static bool fit_weights_fit(wg_tape *t, const wg_tensor *w, int64_t n)
{
    if (w == NULL)
        return true;
    if (wg_is_inert(w) || w->tape != t || w->shape.ndim != 1 || w->size != n)
        wg_fail(t, WG_E_SHAPE, "fit: sample weights [%" PRId64 "] wanted, on the tape of X", n);
    else if (w->dtype == WG_I64)
        wg_fail(t, WG_E_DTYPE, "fit: sample weights must be f32 or f64");
    return wg_tape_status(t) == WG_OK;
}

/* The factor of each class, into factor[k]: class_weights, times n / (k * rows) where balanced. */
static void fit_class_factors(const wg_fit_options *o, const int64_t *label, int64_t n,
                              double *factor, int64_t k)
{
    for (int64_t c = 0; c < k; c++)
        factor[c] = 0;
    for (int64_t i = 0; i < n; i++)
        factor[label[i]] += 1;
    for (int64_t c = 0; c < k; c++) {
        double given = o->class_weights != NULL ? o->class_weights[c] : 1;
        double rows = factor[c] > 0 ? factor[c] : 1;
        factor[c] = o->balanced ? given * (double)n / ((double)k * rows) : given;
    }
}

/* weight[n] = factor of the row's class * sample weight, scaled to a mean of 1; false where that cannot be. */
static bool fit_fill_weights(double *weight, const int64_t *label, int64_t n, const double *factor,
                             const wg_tensor *sample)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        double own = sample != NULL ? wg_at(sample, i) : 1;
        weight[i] = factor[label[i]] * own;
        if (!(weight[i] >= 0))
            return false;
        sum += weight[i];
    }
    for (int64_t i = 0; i < n; i++)
        weight[i] *= (double)n / sum;
    return sum > 0 && isfinite(sum);
}

/* Labels and sample weights of the training rows -> [n] of the dtype. */
static wg_tensor *fit_weights(const wg_fit_options *o, const wg_tensor *labels,
                              const wg_tensor *sample, int64_t k, wg_dtype dtype)
{
    wg_tape *t = labels->tape;
    int64_t n = labels->size;
    wg_tensor *result = NULL;
    double *weight = wg_temporary(t, n, sizeof *weight);
    double *factor = wg_temporary(t, k, sizeof *factor);
    if (weight != NULL && factor != NULL) {
        fit_class_factors(o, labels->data, n, factor, k);
        if (fit_fill_weights(weight, labels->data, n, factor, sample))
            result = wg_cast(wg_constant(t, WG_F64, WG_SHAPE(n), weight), dtype);
        else
            wg_fail(t, WG_E_VALUE, "fit: weights must be >= 0, finite, and not all 0");
    }
    wg_temporary_free(t, factor);
    wg_temporary_free(t, weight);
    return result;
}

/* ---- The split. ------------------------------------------------------------------------------------- */

wg_tensor *wg_fit_values(wg_fit_features X)
{
    return X.sparse != NULL ? X.sparse->value : X.dense;
}

static int64_t fit_count(wg_fit_features X)
{
    if (X.sparse != NULL)
        return X.sparse->rows;
    return X.dense->shape.ndim > 0 ? X.dense->shape.dim[0] : -1;
}

static bool fit_data_fits(wg_fit_features X, wg_tensor *y, const wg_fit_options *o)
{
    const wg_tensor *values = wg_fit_values(X);
    if (wg_is_inert(values) || wg_is_inert(y)) {
        wg_fail(values != NULL ? values->tape
                : y != NULL    ? y->tape
                               : NULL,
                WG_E_NULL, "fit: X or y is NULL or inert");
        return false;
    }
    wg_tape *t = values->tape;
    if (t != y->tape)
        wg_fail(t, WG_E_TAPE, "fit: X and y are on two tapes");
    else if (values->dtype == WG_I64)
        wg_fail(t, WG_E_DTYPE, "fit: X must be f32 or f64");
    else if (y->shape.ndim != 1 || fit_count(X) != y->size || y->size == 0)
        wg_fail(t, WG_E_SHAPE, "fit: X [n, ...] and y [n] wanted, n >= 1");
    else if (!(o->l2 >= 0) || !isfinite(o->l2) || !(o->validation >= 0 && o->validation < 1))
        wg_fail(t, WG_E_VALUE, "fit: an l2 of %g, or a validation share of %g", o->l2,
                o->validation);
    return wg_tape_status(t) == WG_OK && fit_weights_fit(t, o->sample_weights, y->size);
}

wg_tensor *wg_fit_logits(const wg_fit_model *model, wg_fit_features X, bool training)
{
    return X.sparse != NULL ? model->logits_csr(model->user, X.sparse, training)
                            : model->logits(model->user, X.dense, training);
}

static wg_tensor *fit_some(wg_tensor *x, wg_tensor *rows)
{
    return rows != NULL ? wg_gather_rows(x, rows) : x;
}

static wg_fit_features fit_some_features(wg_fit_features X, wg_tensor *rows)
{
    if (rows == NULL)
        return X;
    if (X.sparse == NULL)
        return (wg_fit_features){.dense = wg_gather_rows(X.dense, rows)};
    return (wg_fit_features){.sparse = wg_csr_take_rows(X.sparse, rows->data, rows->size)};
}

/* How many classes the model tells apart, and by which ops: seen on the first row, and dropped again. */
static int64_t fit_classes(const wg_fit_model *model, wg_fit_features X, uint64_t *ops)
{
    wg_tape *t = wg_fit_values(X)->tape;
    wg_mark mark = wg_tape_mark(t);
    wg_tensor *first = wg_constant(t, WG_I64, WG_SHAPE(1), &(int64_t){0});
    if (wg_is_inert(first))
        return 0;
    wg_fit_features row = fit_some_features(X, first);
    wg_tensor *Z = wg_fit_logits(model, row, true);
    if (wg_is_inert(Z))
        return 0;
    *ops = wg_fit_identity_of_logits(Z, wg_fit_values(row));
    int64_t k = Z->shape.ndim == 2 ? wg_link_classes_of(model->link, Z->shape.dim[1]) : 0;
    wg_tape_rewind(t, mark);
    if (k == 0)
        wg_fail(t, WG_E_SHAPE, "fit: the model's logits do not fit its link");
    return k;
}

/* A copy that depends on nothing: labels may come from an input. */
static wg_tensor *fit_labels(wg_tensor *labels)
{
    if (wg_is_inert(labels))
        return labels;
    return wg_constant(labels->tape, labels->dtype, labels->shape.ndim, labels->shape.dim,
                       labels->data);
}

static wg_tensor *fit_sample_weights(const wg_fit_options *o, wg_tensor *train)
{
    const wg_tensor *w = o->sample_weights;
    if (w == NULL)
        return NULL;
    return fit_some(wg_constant(w->tape, w->dtype, w->shape.ndim, w->shape.dim, w->data), train);
}

bool wg_fit_rows_new(wg_fit_rows *rows, const wg_fit_model *model, wg_fit_features X, wg_tensor *y,
                     const wg_fit_options *o)
{
    if (!fit_data_fits(X, y, o))
        return false;
    wg_tape *t = wg_fit_values(X)->tape;
    wg_dtype dtype = wg_fit_values(X)->dtype;
    *rows = (wg_fit_rows){.classes = 0};
    rows->classes = fit_classes(model, X, &rows->ops);
    wg_train_test split = {NULL, NULL};
    wg_link_targets(WG_LINK_SOFTMAX, y, rows->classes, dtype); /* are the labels classes? */
    if (wg_tape_status(t) == WG_OK && o->validation > 0)
        split = wg_train_test_split(
            t, y->size,
            &(wg_train_test_options){.test = o->validation, .seed = o->seed, .stratify = y});
    if (wg_tape_status(t) != WG_OK)
        return false;
    wg_tensor *labels = fit_labels(fit_some(y, split.train));
    rows->X = fit_some_features(X, split.train);
    rows->labels = labels;
    rows->targets = wg_link_targets(model->link, labels, rows->classes, dtype);
    rows->n = wg_size(labels);
    if (wg_tape_status(t) == WG_OK &&
        (o->balanced || o->class_weights != NULL || o->sample_weights != NULL))
        rows->weights = fit_weights(o, labels, fit_sample_weights(o, split.train), rows->classes,
                                    dtype);
    if (split.test != NULL) {
        rows->held_X = fit_some_features(X, split.test);
        rows->held_labels = fit_labels(wg_gather_rows(y, split.test));
        rows->held_targets = wg_link_targets(model->link, rows->held_labels, rows->classes, dtype);
    }
    return wg_tape_status(t) == WG_OK;
}

wg_tensor *wg_fit_penalty(const wg_fit_model *model, double l2)
{
    wg_tensor *penalty = NULL;
    for (int i = 0; l2 > 0 && i < model->n_params; i++) {
        if (wg_ndim(model->params[i]) < 2)
            continue;
        wg_tensor *one = wg_scale(wg_sum(wg_square(model->params[i])), l2 / 2);
        penalty = penalty != NULL ? wg_add(penalty, one) : one;
    }
    return penalty;
}

wg_tensor *wg_fit_loss_of(const wg_fit_model *model, wg_tensor *Z, wg_tensor *targets,
                          wg_tensor *weights, double l2)
{
    wg_tensor *loss = wg_link_loss(model->link, Z, targets, weights);
    wg_tensor *penalty = wg_fit_penalty(model, l2);
    return penalty != NULL ? wg_add(loss, penalty) : loss;
}
