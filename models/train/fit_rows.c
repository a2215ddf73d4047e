/* Data as a training takes them: split, encoded, weighted. */
#include "models/train/fit_internal.h"

#include "autograd/op.h"
#include "ops/arithmetic.h"
#include "ops/compare.h"
#include "ops/index.h"

#include <inttypes.h>
#include <math.h>

/* ---- Weights of rows. ------------------------------------------------------------------------ */

static bool fit_weights_are_valid(wg_tape *t, const wg_tensor *w, int64_t n)
{
    if (w == NULL)
        return true;
    if (wg_is_inert(w) || w->tape != t || w->shape.ndim != 1 || w->size != n)
        wg_fail(t, WG_E_SHAPE, "fit: sample weights [%" PRId64 "] wanted, on the tape of X", n);
    else if (w->dtype == WG_I64)
        wg_fail(t, WG_E_DTYPE, "fit: sample weights must be f32 or f64");
    else if (wg_is_stale(w))
        wg_fail(t, WG_E_STALE, "fit: sample weights: replay first: %s", wg_tensor_text(w).s);
    return wg_tape_status(t) == WG_OK;
}

/* Numbers to be learned are finite; labels are of i64. */
static bool fit_y_is_valid(const wg_tensor *y)
{
    if (wg_is_stale(y)) {
        wg_fail(y->tape, WG_E_STALE, "fit: y: replay first: %s", wg_tensor_text(y).s);
        return false;
    }
    const int64_t columns = y->size / y->shape.dim[0];
    for (int64_t i = 0; y->dtype != WG_I64 && y->data != NULL && i < y->size; i++)
        if (!isfinite(wg_element(y, i))) {
            wg_fail(y->tape, WG_E_NOT_FINITE, "fit: y: row %" PRId64 ", column %" PRId64 " is %g",
                    i / columns + 1, i % columns + 1, wg_element(y, i));
            return false;
        }
    return true;
}

/* The factor of each class, into factor[k]: class_weights, times n / (k * rows) where balanced. */
static void fit_class_factors(wg_tape *t, const wg_fit_options *o, const int64_t *label, int64_t n,
                              int64_t all, double *factor, int64_t k)
{
    for (int64_t c = 0; c < k; c++)
        factor[c] = 0;
    for (int64_t i = 0; k > 0 && i < n; i++)
        factor[label[i]] += 1;
    wg_ranks_sum(t, factor, k);
    for (int64_t c = 0; c < k; c++) {
        double given = o->class_weights != NULL ? o->class_weights[c] : 1;
        double rows = factor[c] > 0 ? factor[c] : 1;
        factor[c] = o->balanced ? given * (double)all / ((double)k * rows) : given;
    }
}

/* weight[n] = factor of the row's class (NULL: none) * sample weight. */
static void fit_fill_weights(wg_tape *t, double *weight, const int64_t *label, int64_t n,
                             const double *factor, const wg_tensor *sample)
{
    for (int64_t i = 0; i < n; i++) {
        double own = sample != NULL ? wg_at(sample, i) : 1;
        weight[i] = factor != NULL ? factor[label[i]] * own : own;
        if (!(weight[i] >= 0))
            wg_fail(t, WG_E_VALUE, "fit: weights must be >= 0, finite, and not all 0");
    }
}

static void fit_add_weights(int64_t first, int64_t end, double sum[], void *user)
{
    const double *weight = ((const wg_tensor *)user)->data;
    for (int64_t i = first; i < end; i++)
        sum[0] += weight[i];
}

/* Weights [n] -> [n] of the dtype, scaled so that the mean over all ranks' rows is 1. */
static wg_tensor *fit_scale_weights(wg_tape *t, const double *weight, int64_t n, int64_t all,
                                    wg_dtype dtype)
{
    double sum = 0;
    wg_tensor *w = wg_constant(t, WG_F64, WG_SHAPE(n), weight), *shared = wg_ranks_share(w);
    if (wg_ranks_agree(t, 0, "") == WG_OK)
        wg_ranks_sum_rows(t, shared->shape.dim[0], 1, fit_add_weights, shared, &sum);
    if (!(sum > 0 && isfinite(sum)))
        return wg_fail(t, WG_E_VALUE, "fit: weights must be >= 0, finite, and not all 0");
    return wg_cast(wg_scale(w, (double)all / sum), dtype);
}

/* Labels and sample weights of n training rows -> [n] of the dtype. k = 0: the labels are no
 * classes. */
static wg_tensor *fit_weights(const wg_fit_options *o, const wg_fit_rows *rows,
                              const wg_tensor *sample, int64_t k, wg_dtype dtype)
{
    const wg_tensor *labels = rows->labels;
    wg_tape *t = labels->tape;
    const int64_t n = labels->shape.dim[0];
    wg_tensor *result = NULL;
    double *weight = wg_temporary(t, n, sizeof *weight);
    double *factor = wg_temporary(t, k, sizeof *factor);
    if (wg_ranks_agree(t, 0, "") == WG_OK) {
        fit_class_factors(t, o, labels->data, n, rows->n, factor, k);
        fit_fill_weights(t, weight, labels->data, n, k > 0 ? factor : NULL, sample);
        if (wg_ranks_agree(t, 0, "") == WG_OK)
            result = fit_scale_weights(t, weight, n, rows->n, dtype);
    }
    wg_temporary_free(t, factor);
    wg_temporary_free(t, weight);
    return result;
}

/* ---- The split. ------------------------------------------------------------------------------ */

wg_tensor *wg_fit_loss_of(const wg_fit_run *run, wg_tensor *Z, wg_tensor *targets,
                          wg_tensor *weights)
{
    wg_tensor *loss = run->model->head->loss(Z, targets, weights, WG_MEAN);
    wg_tensor *penalty = wg_l2_penalty(run->model->params, run->model->n_params, run->l2);
    return penalty != NULL ? wg_add(loss, penalty) : loss;
}

bool wg_fit_predicts_classes(const wg_fit_model *model)
{
    return model->head->kind != WG_HEAD_NUMBERS;
}

static bool fit_weights_wanted(const wg_fit_options *o)
{
    return o->balanced || o->class_weights != NULL || o->sample_weights != NULL;
}

static bool fit_data_options_are_valid(wg_tape *t, const wg_fit_model *model,
                                       const wg_fit_options *o)
{
    if (!(o->l2 >= 0) || !isfinite(o->l2) || !(o->validation >= 0 && o->validation < 1))
        wg_fail(t, WG_E_VALUE,
                "fit: l2 = %g, validation = %g; l2 >= 0 and 0 <= validation < 1 wanted", o->l2,
                o->validation);
    else if (!(o->l1_ratio >= 0 && o->l1_ratio <= 1))
        wg_fail(t, WG_E_VALUE, "fit: an l1_ratio of %g, outside [0, 1]", o->l1_ratio);
    else if (!(o->C >= 0) || (o->C > 0 && o->l2 > 0))
        wg_fail(t, WG_E_VALUE, "fit: C = %g with l2 = %g; C > 0 and no l2 wanted", o->C, o->l2);
    else if (o->C > 0 && isinf(1 / o->C))
        wg_fail(t, WG_E_VALUE, "fit: C = %g is so small that the penalty 1 / C is infinite", o->C);
    else if ((o->balanced || o->class_weights != NULL) && !wg_fit_predicts_classes(model))
        wg_fail(t, WG_E_VALUE, "fit: balanced and class_weights are for classes, not for '%s'",
                model->head->name);
    return wg_tape_status(t) == WG_OK;
}

/* Other rows than the table's numbers may be what was made of its strings. */
static bool fit_leaves_strings_out(const wg_dataset *d)
{
    return d->sparse == NULL && d->table != NULL && d->table->string_columns > 0 &&
           d->X == wg_table_features(d->table);
}

static bool fit_data_is_valid(const wg_fit_model *model, const wg_dataset *d,
                              const wg_fit_options *o)
{
    const wg_tensor *values = wg_dataset_values(d), *y = d->y;
    wg_tape *t = wg_dataset_tape(d);
    if (wg_is_inert(values) || wg_is_inert(y))
        wg_fail(t, WG_E_NULL, "fit: rows or labels are NULL or inert");
    else if (t != y->tape)
        wg_fail(t, WG_E_TAPE, "fit: X and y are on two tapes");
    else if (d->sparse != NULL && !model->takes_sparse)
        wg_fail(t, WG_E_VALUE, "fit: the model takes no sparse rows: wg_csr_dense");
    else if (fit_leaves_strings_out(d))
        wg_fail(t, WG_E_VALUE, "fit: the table has string columns, which an estimator encodes");
    else if (values->dtype != WG_F32 && values->dtype != WG_F64)
        wg_fail(t, WG_E_DTYPE, "fit: X must be f32 or f64");
    else if (wg_is_streamed(values) && (o->batch != 0 || o->validation > 0))
        wg_fail(t, WG_E_VALUE,
                "fit: streamed rows are trained all at once (wg_fit_minimize), without a split");
    else if (y->shape.ndim < 1 || wg_dataset_rows(d) != y->shape.dim[0] || y->size == 0)
        wg_fail(t, WG_E_SHAPE, "fit: X [n, ...] and y [n] wanted, n >= 1: %s, %s",
                wg_tensor_text(values).s, wg_tensor_text(y).s);
    return t != NULL && wg_tape_status(t) == WG_OK && fit_data_options_are_valid(t, model, o) &&
           fit_weights_are_valid(t, o->sample_weights, y->shape.dim[0]) && fit_y_is_valid(y);
}

wg_tensor *wg_fit_outputs(const wg_fit_model *model, const wg_dataset *rows, bool training)
{
    return model->outputs(model->user, rows, training);
}

static wg_tensor *fit_tensor_take(wg_tensor *x, wg_tensor *rows)
{
    return rows != NULL ? wg_gather_rows(x, rows) : x;
}

static wg_dataset fit_dataset_take(const wg_dataset *d, wg_tensor *rows)
{
    wg_dataset bare = {.X = d->X, .sparse = d->sparse};
    return rows != NULL ? wg_dataset_take(&bare, rows) : bare;
}

/* k, and by which ops: seen on the first row, and dropped again; of sparse rows on none, for how
 * many entries a row has is its own. */
static int64_t fit_k(const wg_fit_model *model, const wg_dataset *d, uint64_t *ops)
{
    wg_tape *t = wg_dataset_tape(d);
    wg_mark mark = wg_tape_mark(t);
    const int64_t rows = d->sparse != NULL ? 0 : 1;
    wg_tensor *first = wg_constant(t, WG_I64, WG_SHAPE(rows), &(int64_t){0});
    if (wg_is_inert(first))
        return 0;
    wg_dataset row = fit_dataset_take(d, first);
    wg_tensor *Z = wg_fit_outputs(model, &row, true);
    if (wg_is_inert(Z))
        return 0;
    wg_fit_identity_of_outputs(model->head, Z, wg_dataset_values(&row), ops);
    if (wg_tape_status(t) != WG_OK)
        return 0;
    wg_text text = wg_tensor_text(Z);
    int64_t k = Z->shape.ndim == 2 ? wg_head_k(model->head, Z->shape.dim[1]) : 0;
    wg_tape_rewind(t, mark);
    if (k == 0)
        wg_fail(t, WG_E_SHAPE, "fit: the head '%s' cannot have the model's outputs %s",
                model->head->name, text.s);
    return k;
}

/* A copy that depends on nothing: labels may come from an input. */
static wg_tensor *fit_fixed(wg_tensor *x)
{
    if (wg_is_inert(x))
        return x;
    return wg_constant(x->tape, x->dtype, x->shape.ndim, x->shape.dim, x->data);
}

/* Labels of some rows, as they are predicted. */
static wg_tensor *fit_labels(const wg_fit_model *model, wg_tensor *y, wg_tensor *rows, int64_t k,
                             wg_dtype dtype)
{
    static const wg_head numbers = {.kind = WG_HEAD_NUMBERS};
    wg_tensor *labels = fit_fixed(fit_tensor_take(y, rows));
    return wg_fit_predicts_classes(model) ? labels : wg_head_targets(&numbers, labels, k, dtype);
}

static wg_train_test fit_split(const wg_fit_model *model, const wg_dataset *d,
                               const wg_fit_options *o)
{
    wg_train_test_options split = {.test = o->validation, .seed = o->seed};
    if (o->validation == 0)
        return (wg_train_test){NULL, NULL};
    if (wg_fit_predicts_classes(model))
        split.stratify = d->y;
    if (wg_fit_is_shared(d->y->tape))
        return wg_fit_split_rows(d->y, &split);
    return wg_train_test_split(wg_dataset_tape(d), d->y->shape.dim[0], &split);
}

/* Factors of rows: of their class, and of their own. */
static void fit_weight_rows(wg_fit_rows *rows, const wg_fit_model *model, wg_tensor *train,
                            const wg_fit_options *o, wg_dtype dtype)
{
    const wg_tensor *w = o->sample_weights;
    wg_tensor *sample = NULL;
    if (w != NULL)
        sample = fit_tensor_take(
            wg_constant(w->tape, w->dtype, w->shape.ndim, w->shape.dim, w->data), train);
    if (wg_ranks_agree(rows->labels->tape, 0, "") == WG_OK)
        rows->weights = fit_weights(o, rows, sample, wg_fit_predicts_classes(model) ? rows->k : 0,
                                    dtype);
}

/* Will the labels do, of validation rows, too? What is made of them may be a matrix [n, k]. */
static bool fit_targets_are_valid(const wg_head *head, wg_tensor *y, int64_t k, wg_dtype dtype)
{
    wg_mark mark = wg_tape_mark(y->tape);
    if (wg_tape_status(y->tape) != WG_OK || wg_is_inert(wg_head_targets(head, y, k, dtype)))
        return false;
    wg_tape_rewind(y->tape, mark);
    return wg_tape_status(y->tape) == WG_OK;
}

bool wg_fit_rows_fit(wg_fit_rows *rows, const wg_fit_model *model, const wg_dataset *given,
                     const wg_fit_options *o)
{
    const wg_dataset d = wg_dataset_with_y(given, !wg_fit_predicts_classes(model));
    *rows = (wg_fit_rows){.k = 0};
    if (!fit_data_is_valid(model, &d, o))
        return false;
    rows->k = fit_k(model, &d, &rows->ops);
    return fit_targets_are_valid(model->head, d.y, rows->k, wg_dataset_values(&d)->dtype);
}

bool wg_fit_rows_new(wg_fit_rows *rows, const wg_fit_model *model, const wg_dataset *given,
                     const wg_fit_options *o)
{
    const wg_dataset d = wg_dataset_with_y(given, !wg_fit_predicts_classes(model));
    wg_tape *t = wg_dataset_tape(&d);
    wg_dtype dtype = wg_dataset_values(&d)->dtype;
    wg_train_test split = fit_split(model, &d, o);
    if (wg_ranks_agree(t, 0, "") != WG_OK)
        return false;
    rows->train = fit_dataset_take(&d, split.train);
    rows->labels = fit_labels(model, d.y, split.train, rows->k, dtype);
    rows->targets = wg_head_targets(model->head, rows->labels, rows->k, dtype);
    rows->n = wg_ranks_rows(t, wg_tape_status(t) == WG_OK ? rows->labels->shape.dim[0] : 0, NULL);
    if (fit_weights_wanted(o))
        fit_weight_rows(rows, model, split.train, o, dtype);
    if (split.test != NULL) {
        rows->validation_rows = split.test;
        rows->validation = fit_dataset_take(&d, split.test);
        rows->validation_labels = fit_labels(model, d.y, split.test, rows->k, dtype);
        rows->validation_targets = wg_head_targets(model->head, rows->validation_labels, rows->k,
                                                   dtype);
    }
    return wg_ranks_agree(t, 0, "") == WG_OK;
}
