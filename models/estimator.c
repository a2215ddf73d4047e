#include "models/estimator.h"

#include "models/estimator_internal.h"
#include "models/metrics/metrics.h"
#include "models/train/fit_lbfgs.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const wg_estimator_kind estimator_kinds[] = {
    {"logistic", WG_LINK_SIGMOID, false},
    {"softmax", WG_LINK_SOFTMAX, false},
    {"one_vs_rest", WG_LINK_ONE_VS_REST, false},
    {"mlp", WG_LINK_SOFTMAX, true},
};

static const wg_estimator estimator_inert = {.tape = NULL};

/* Functions that take an estimator look at its tape first. */
wg_estimator *wg_estimator_inert(void)
{
    return (wg_estimator *)(uintptr_t)&estimator_inert;
}

static bool estimator_is_inert(const wg_estimator *e)
{
    return e == NULL || e->tape == NULL;
}

const wg_estimator_kind *wg_estimator_kind_of(const char *name)
{
    for (size_t i = 0; i < sizeof estimator_kinds / sizeof *estimator_kinds; i++)
        if (name != NULL && strcmp(name, estimator_kinds[i].name) == 0)
            return &estimator_kinds[i];
    return NULL;
}

/* ---- What is made: names, preparation, network. ----------------------------------------------------- */

static int64_t estimator_count_classes(const wg_tensor *y, int64_t given)
{
    int64_t k = 2;
    if (given != 0)
        return given;
    for (int64_t i = 0; y->dtype == WG_I64 && i < y->size; i++) {
        int64_t label = ((const int64_t *)y->data)[i];
        if (label >= k && label < INT64_MAX)
            k = label + 1;
    }
    return k;
}

static void estimator_set_names(wg_estimator *e, const wg_estimator_options *o)
{
    e->label_name = wg_tape_copy_text(e->tape, o->label_name != NULL ? o->label_name : "label");
    e->class_name = wg_tape_take(e->tape, (size_t)e->classes * sizeof *e->class_name);
    for (int64_t i = 0; e->class_name != NULL && i < e->classes; i++) {
        char number[32];
        snprintf(number, sizeof number, "%" PRId64, i);
        e->class_name[i] = wg_tape_copy_text(e->tape,
                                             o->class_names != NULL ? o->class_names[i] : number);
    }
}

static void estimator_fit_pipeline(wg_estimator *e, const wg_estimator_data *data,
                                   const wg_estimator_options *o)
{
    static const wg_pipeline_step standardize = {.kind = WG_STEP_STANDARDIZE};
    wg_pipeline_options p = o->pipeline;
    if (p.n_steps != 0 && data->sparse != NULL)
        wg_fail(e->tape, WG_E_VALUE, "estimator: sparse rows take no steps of option pipeline");
    if (p.n_steps == 0 && !o->raw && data->sparse == NULL) {
        p.steps = &standardize;
        p.n_steps = 1;
    }
    e->pipeline = wg_pipeline_fit(data->X, data->text, data->text_columns, &p);
}

static void estimator_new_mlp(wg_estimator *e, const wg_estimator_options *o, wg_dtype dtype)
{
    static const int64_t default_hidden[] = {64};
    bool given = o->n_hidden > 0 && o->hidden != NULL;
    const int64_t *hidden = given ? o->hidden : default_hidden;
    int n = !e->kind->hidden ? 0 : given ? o->n_hidden : 1;
    int64_t *sizes = wg_tape_take(e->tape, ((size_t)n + 2) * sizeof *sizes);
    if (sizes != NULL && wg_pipeline_width(e->pipeline) == 0)
        wg_fail(e->tape, WG_E_SHAPE, "estimator: the rows have no columns to learn from");
    if (wg_tape_status(e->tape) != WG_OK)
        return;
    sizes[0] = wg_pipeline_width(e->pipeline);
    for (int i = 0; i < n; i++)
        sizes[i + 1] = hidden[i];
    sizes[n + 1] = e->kind->link == WG_LINK_SIGMOID ? 1 : e->classes;
    e->mlp = wg_mlp_new(e->tape, &(wg_mlp_options){.sizes = sizes,
                                                   .n_sizes = n + 2,
                                                   .activation = o->activation,
                                                   .dropout = o->dropout,
                                                   .layer_norm = o->layer_norm,
                                                   .init = n == 0 ? "zeros" : NULL,
                                                   .dtype = dtype,
                                                   .seed = o->seed});
}

/* ---- Training. -------------------------------------------------------------------------------------- */

/* The optimizer of that name; NULL where there is none. */
static wg_optimizer *estimator_optimizer(const char *name, double rate, wg_tensor *const w[], int n)
{
    if (strcmp(name, "sgd") == 0)
        return wg_sgd_new(w, n, &(wg_sgd_options){.rate = rate});
    if (strcmp(name, "momentum") == 0)
        return wg_sgd_new(w, n, &(wg_sgd_options){.rate = rate, .momentum = 0.9, .nesterov = true});
    if (strcmp(name, "rmsprop") == 0)
        return wg_rmsprop_new(w, n, &(wg_rmsprop_options){.rate = rate});
    if (strcmp(name, "adam") == 0)
        return wg_adam_new(w, n, &(wg_adam_options){.rate = rate});
    if (strcmp(name, "adamw") == 0)
        return wg_adamw_new(w, n, &(wg_adam_options){.rate = rate});
    return NULL;
}

/* Is it lbfgs? Its options, and those of sparse rows, are looked at here. */
static bool estimator_is_lbfgs(wg_tape *t, const char *optimizer, bool sparse,
                               const wg_estimator_options *o)
{
    bool lbfgs = strcmp(optimizer, "lbfgs") == 0;
    if (lbfgs && (o->rate != 0 || o->dropout != 0))
        wg_fail(t, WG_E_VALUE, "estimator: lbfgs takes no option %s",
                o->rate != 0 ? "rate" : "dropout");
    if (!lbfgs && sparse)
        wg_fail(t, WG_E_VALUE, "estimator: sparse rows are trained by lbfgs alone, not by '%s'",
                optimizer);
    return lbfgs;
}

static void estimator_train(wg_estimator *e, const wg_estimator_data *data,
                            const wg_estimator_options *o)
{
    wg_tape *t = e->tape;
    wg_fit_model model = wg_fit_mlp(e->mlp, e->kind->link);
    bool batches = e->kind->hidden && data->sparse == NULL;
    const char *optimizer = o->optimizer != NULL ? o->optimizer : batches ? "adam" : "lbfgs";
    bool lbfgs = estimator_is_lbfgs(t, optimizer, data->sparse != NULL, o);
    double C = o->C != 0 ? o->C : e->kind->hidden ? (double)INFINITY : 1;
    wg_fit_options fit = o->fit;
    if (!(C > 0) || !(o->rate >= 0))
        wg_fail(t, WG_E_VALUE, "estimator: C = %g, rate = %g", C, o->rate);
    if (wg_tape_status(t) != WG_OK)
        return;
    fit.seed = o->seed;
    fit.l2 = 1 / ((double)data->y->size * C);
    fit.optimizer = lbfgs ? NULL
                          : estimator_optimizer(optimizer, o->rate, model.params, model.n_params);
    wg_tensor *Z = wg_pipeline_apply(e->pipeline, data->X, data->text);
    if (data->sparse != NULL)
        e->result = wg_fit_lbfgs_csr(&model, data->sparse, data->y, &fit, NULL);
    else if (lbfgs)
        e->result = wg_fit_lbfgs(&model, Z, data->y, &fit, NULL);
    else if (fit.optimizer != NULL)
        e->result = wg_fit(&model, Z, data->y, &fit);
    else
        wg_fail(t, WG_E_VALUE, "estimator: there is no optimizer '%s'", optimizer);
}

static bool estimator_options_fit(const wg_estimator *e, const wg_estimator_options *o)
{
    if (e->kind == NULL)
        wg_fail(e->tape, WG_E_VALUE, "estimator: there is no model '%s'", o->model);
    else if (e->classes < 2 || (e->kind->link == WG_LINK_SIGMOID && e->classes != 2))
        wg_fail(e->tape, WG_E_VALUE, "estimator: %s with %" PRId64 " classes", e->kind->name,
                e->classes);
    else if (!e->kind->hidden && (o->n_hidden != 0 || o->layer_norm))
        wg_fail(e->tape, WG_E_VALUE, "estimator: %s has no hidden layers", e->kind->name);
    return wg_tape_status(e->tape) == WG_OK;
}

/* More classes than rows with labels are an error in the labels, and would take memory for nothing. */
static bool estimator_labels_fit(const wg_tensor *y, int64_t classes)
{
    if (y->dtype != WG_I64 || y->shape.ndim != 1 || y->data == NULL)
        wg_fail(y->tape, y->dtype != WG_I64 ? WG_E_DTYPE : WG_E_SHAPE,
                "estimator: y must be i64 [n]");
    else if (classes > y->size + 2)
        wg_fail(y->tape, WG_E_INDEX, "estimator: %" PRId64 " classes in %" PRId64 " rows", classes,
                y->size);
    return wg_tape_status(y->tape) == WG_OK;
}

wg_estimator *wg_estimator_fit_data(const wg_estimator_data *data,
                                    const wg_estimator_options *options)
{
    wg_estimator_options o = {0};
    if (options != NULL)
        o = *options;
    wg_tensor *X = data->X, *y = data->y;
    wg_tape *t = X != NULL ? X->tape : y != NULL ? y->tape : NULL;
    if (wg_is_inert(X) || wg_is_inert(y))
        wg_fail(t, WG_E_NULL, "estimator: X or y is NULL or inert");
    wg_estimator *e = t != NULL && wg_tape_status(t) == WG_OK ? wg_tape_take(t, sizeof *e) : NULL;
    if (e == NULL)
        return wg_estimator_inert();
    *e = (wg_estimator){.tape = t,
                        .kind = wg_estimator_kind_of(o.model != NULL ? o.model : "softmax"),
                        .classes = estimator_count_classes(y, o.classes)};
    if (!estimator_options_fit(e, &o) || !estimator_labels_fit(y, e->classes))
        return wg_estimator_inert();
    estimator_set_names(e, &o);
    estimator_fit_pipeline(e, data, &o);
    if (wg_tape_status(t) == WG_OK)
        estimator_new_mlp(e, &o, X->dtype);
    if (wg_tape_status(t) == WG_OK)
        estimator_train(e, data, &o);
    return wg_tape_status(t) == WG_OK ? e : wg_estimator_inert();
}

wg_estimator *wg_estimator_fit(wg_tensor *X, wg_tensor *y, const wg_estimator_options *options)
{
    return wg_estimator_fit_data(&(wg_estimator_data){.X = X, .y = y}, options);
}

/* ---- Using it. -------------------------------------------------------------------------------------- */

wg_tensor *wg_estimator_logits_of(const wg_estimator *e, wg_tensor *X, const char *const *text)
{
    if (estimator_is_inert(e))
        return wg_fail(X != NULL ? X->tape : NULL, WG_E_NULL, "estimator: an inert one");
    return wg_mlp_forward(e->mlp, wg_pipeline_apply(e->pipeline, X, text), false);
}

wg_tensor *wg_estimator_logits(const wg_estimator *e, wg_tensor *X)
{
    return wg_estimator_logits_of(e, X, NULL);
}

wg_tensor *wg_estimator_predict(const wg_estimator *e, wg_tensor *X)
{
    wg_tensor *Z = wg_estimator_logits(e, X);
    return wg_is_inert(Z) ? Z : wg_link_predict(e->kind->link, Z);
}

wg_tensor *wg_estimator_predict_proba(const wg_estimator *e, wg_tensor *X)
{
    wg_tensor *Z = wg_estimator_logits(e, X);
    return wg_is_inert(Z) ? Z : wg_link_probabilities(e->kind->link, Z);
}

double wg_estimator_score(const wg_estimator *e, wg_tensor *X, const wg_tensor *y)
{
    wg_tape *t = X != NULL ? X->tape : NULL;
    wg_mark mark = wg_tape_mark(t);
    double accuracy = wg_accuracy(wg_estimator_predict(e, X), y);
    if (wg_tape_status(t) == WG_OK)
        wg_tape_rewind(t, mark);
    return accuracy;
}

wg_fit_result wg_estimator_fit_result(const wg_estimator *e)
{
    return estimator_is_inert(e) ? (wg_fit_result){.stop = WG_FIT_ERROR} : e->result;
}

const char *wg_estimator_model(const wg_estimator *e)
{
    return estimator_is_inert(e) ? "" : e->kind->name;
}

const char *wg_estimator_label_name(const wg_estimator *e)
{
    return estimator_is_inert(e) ? "" : e->label_name;
}

int64_t wg_estimator_columns(const wg_estimator *e)
{
    return estimator_is_inert(e) ? 0 : wg_pipeline_columns(e->pipeline);
}

int64_t wg_estimator_text_columns(const wg_estimator *e)
{
    return estimator_is_inert(e) ? 0 : wg_pipeline_text_columns(e->pipeline);
}

const char *const *wg_estimator_column_names(const wg_estimator *e)
{
    return estimator_is_inert(e) ? NULL : e->column_names;
}

const char *const *wg_estimator_text_names(const wg_estimator *e)
{
    return estimator_is_inert(e) ? NULL : e->text_names;
}

int64_t wg_estimator_class_count(const wg_estimator *e)
{
    return estimator_is_inert(e) ? 0 : e->classes;
}

const char *wg_estimator_class_name(const wg_estimator *e, int64_t i)
{
    return i >= 0 && i < wg_estimator_class_count(e) ? e->class_name[i] : "";
}

wg_dtype wg_estimator_dtype(const wg_estimator *e)
{
    return estimator_is_inert(e) ? WG_F32 : wg_mlp_dtype(e->mlp);
}

wg_mlp *wg_estimator_mlp(const wg_estimator *e)
{
    return estimator_is_inert(e) ? NULL : e->mlp;
}
