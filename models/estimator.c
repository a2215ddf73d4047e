/* Estimators: models and optimizers by name, and how an estimator is put together and trained. */
#include "models/estimator_internal.h"

#include "models/data/encoder_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#ifndef ESTIMATOR_ENCODED
#define ESTIMATOR_ENCODED (1 << 24) /* bytes of prepared rows from which on strings are streamed */
#endif

static const wg_estimator_kind estimator_kinds[] = {
    {"logistic", &wg_head_sigmoid, false},
    {"softmax", &wg_head_softmax, false},
    {"one_vs_rest", &wg_head_one_vs_rest, false},
    {"regression", &wg_head_regression, false},
    {"linear", NULL, false},
    {"mlp", NULL, true},
};

static const wg_estimator estimator_inert = {
    .model = "", .label_name = "", .fit.stop = WG_FIT_ERROR};

/* Functions that take an estimator look at its tape first. */
wg_estimator *wg_estimator_inert(void)
{
    return (wg_estimator *)(uintptr_t)&estimator_inert;
}

const wg_estimator_kind *wg_estimator_kind_of(const char *name)
{
    for (size_t i = 0; i < sizeof estimator_kinds / sizeof *estimator_kinds; i++)
        if (name != NULL && strcmp(name, estimator_kinds[i].name) == 0)
            return &estimator_kinds[i];
    return NULL;
}

/* ---- What is made: names, preparation, network. ---------------------------------------------- */

/* k of the labels: classes, or numbers a row. */
static int64_t estimator_count(const wg_head *head, const wg_tensor *y, int64_t given)
{
    if (head->kind == WG_HEAD_NUMBERS)
        return y->shape.ndim == 2 ? y->shape.dim[1] : 1;
    int64_t k = 2;
    if (given != 0)
        return given;
    for (int64_t i = 0; y->dtype == WG_I64 && y->data != NULL && i < y->size; i++) {
        int64_t label = ((const int64_t *)y->data)[i];
        if (label >= k && label < INT64_MAX)
            k = label + 1;
    }
    return k;
}

static void estimator_set_names(wg_estimator *e, const wg_estimator_options *o)
{
    e->label_name = wg_tape_copy_text(e->tape, o->label_name != NULL ? o->label_name : "label");
    if (e->head->kind == WG_HEAD_NUMBERS)
        return;
    const char **names = wg_tape_take(e->tape, ((size_t)e->k + 1) * sizeof *names);
    for (int64_t i = 0; names != NULL && i < e->k; i++) {
        char number[32];
        snprintf(number, sizeof number, "%" PRId64, i);
        names[i] = wg_tape_copy_text(e->tape, o->class_names != NULL ? o->class_names[i] : number);
    }
    e->class_count = e->k;
    e->class_names = names;
}

void wg_estimator_set_pipeline(wg_estimator *e, wg_pipeline *pipeline)
{
    e->pipeline = pipeline;
    e->columns = pipeline->columns;
    e->string_columns = pipeline->string_columns;
    e->dtype = pipeline->dtype;
}

#ifndef WG_NO_FILES

/* Both lists, and NULL behind the last. */
static const char *const *estimator_join_names(const wg_estimator *e, wg_tape *t)
{
    size_t n = 0, k = 0;
    while (e->column_names[n] != NULL)
        n++;
    while (e->string_names[k] != NULL)
        k++;
    const char **names = wg_tape_take(t, (n + k + 1) * sizeof *names);
    for (size_t j = 0; names != NULL && j < n + k; j++)
        names[j] = j < n ? e->column_names[j] : e->string_names[j - n];
    return names;
}

void wg_estimator_set_csv(wg_estimator *e, wg_tape *t, const wg_csv_options *read)
{
    wg_csv_options *o = e->column_names != NULL ? wg_tape_take(t, sizeof *o) : NULL;
    if (o == NULL)
        return;
    if (read != NULL)
        *o = *read;
    o->label = e->label_name;
    o->columns = estimator_join_names(e, t);
    o->strings = e->string_names;
    o->missing = WG_CSV_MISSING_KEEP;
    o->f32 = e->dtype == WG_F32;
    e->csv = o;
}

/* As the table was read; without a label where the one that was learned is no column of it. */
static void estimator_keep_reading(wg_estimator *e, const wg_estimator_data *data,
                                   const wg_estimator_options *o)
{
    wg_csv_options read = {.separator = '\0'};
    if (data->d.table != NULL && data->d.table->csv != NULL)
        read = *data->d.table->csv;
    read.no_label = o->label_name == NULL;
    wg_estimator_set_csv(e, e->tape, &read);
}

#endif /* WG_NO_FILES */

/* Of a table's columns, if it is these that are fitted. */
static void estimator_take_names(wg_estimator *e, const wg_estimator_data *data)
{
    static const char *const none[] = {NULL};
    const wg_dataset *d = &data->d;
    e->zero_based = d->table != NULL && d->table->zero_based;
    if (d->table == NULL || d->sparse != NULL || d->X != wg_table_features(d->table))
        return;
    e->column_names = d->table->column_names;
    e->string_names = data->string_columns > 0 ? d->table->string_names : none;
}

static void estimator_fit_pipeline(wg_estimator *e, const wg_estimator_data *data,
                                   const wg_estimator_options *o)
{
    static const wg_pipeline_step standardize = {.kind = WG_STEP_STANDARDIZE};
    wg_pipeline_options p = o->pipeline;
    if (p.n_steps != 0 && data->d.sparse != NULL)
        wg_fail(e->tape, WG_E_VALUE, "estimator: sparse rows take no steps of option pipeline");
    if (p.n_steps == 0 && !o->raw && data->d.sparse == NULL) {
        p.steps = &standardize;
        p.n_steps = 1;
    }
    wg_estimator_set_pipeline(e, wg_pipeline_fit(data->X, data->strings, data->string_columns, &p));
}

static void estimator_new_mlp(wg_estimator *e, bool may_hide, const wg_estimator_options *o)
{
    static const int64_t default_hidden[] = {64};
    bool given = o->n_hidden > 0 && o->hidden != NULL;
    const int64_t *hidden = given ? o->hidden : default_hidden;
    int n = !may_hide ? 0 : given ? o->n_hidden : 1;
    int64_t *sizes = wg_tape_take(e->tape, ((size_t)n + 2) * sizeof *sizes);
    if (sizes != NULL && e->pipeline->width == 0)
        wg_fail(e->tape, WG_E_SHAPE, "estimator: the rows have no columns to learn from");
    if (wg_tape_status(e->tape) != WG_OK)
        return;
    sizes[0] = e->pipeline->width;
    for (int i = 0; i < n; i++)
        sizes[i + 1] = hidden[i];
    sizes[n + 1] = e->head->kind == WG_HEAD_TWO_CLASSES ? 1 : e->k;
    e->mlp = wg_mlp_new(e->tape, &(wg_mlp_options){.sizes = sizes,
                                                   .n_sizes = n + 2,
                                                   .activation = o->activation,
                                                   .dropout = o->dropout,
                                                   .layer_norm = o->layer_norm,
                                                   .init = n == 0 ? "zeros" : NULL,
                                                   .dtype = e->dtype,
                                                   .seed = o->seed});
}

/* ---- Methods. -------------------------------------------------------------------------------- */

/* Either an optimizer for mini-batches, or a way to train by all rows at once. */
typedef struct estimator_method {
    const char *name;
    wg_optimizer *(*optimizer)(double rate, wg_tensor *const w[], int n);
    wg_fit_result (*fit)(const wg_fit_model *model, const wg_dataset *data,
                         const wg_fit_options *options);
} estimator_method;

static wg_optimizer *estimator_sgd(double rate, wg_tensor *const w[], int n)
{
    return wg_sgd_new(w, n, &(wg_sgd_options){.rate = rate});
}

static wg_optimizer *estimator_momentum(double rate, wg_tensor *const w[], int n)
{
    return wg_sgd_new(w, n, &(wg_sgd_options){.rate = rate, .momentum = 0.9, .nesterov = true});
}

static wg_optimizer *estimator_rmsprop(double rate, wg_tensor *const w[], int n)
{
    return wg_rmsprop_new(w, n, &(wg_rmsprop_options){.rate = rate});
}

static wg_optimizer *estimator_adam(double rate, wg_tensor *const w[], int n)
{
    return wg_adam_new(w, n, &(wg_adam_options){.rate = rate});
}

static wg_optimizer *estimator_adagrad(double rate, wg_tensor *const w[], int n)
{
    return wg_adagrad_new(w, n, &(wg_adagrad_options){.rate = rate});
}

static wg_optimizer *estimator_adamw(double rate, wg_tensor *const w[], int n)
{
    return wg_adamw_new(w, n, &(wg_adam_options){.rate = rate});
}

/* A gradient g is up to |g| / (the least curvature) from the optimum, and where classes can nearly
 * be told apart that is 1e-4 and less. In f32 round-off ends it. */
static double estimator_tolerance(const wg_fit_model *model)
{
    return model->params[0]->dtype == WG_F64 ? 1e-11 : 0;
}

static wg_fit_result estimator_lbfgs(const wg_fit_model *model, const wg_dataset *data,
                                     const wg_fit_options *options)
{
    const wg_minimizer_options o = {.tolerance = estimator_tolerance(model)};
    return wg_fit_minimize(model, data, options, &o);
}

static wg_fit_result estimator_newton(const wg_fit_model *model, const wg_dataset *data,
                                      const wg_fit_options *options)
{
    const wg_minimizer_options o = {.method = WG_NEWTON, .tolerance = estimator_tolerance(model)};
    return wg_fit_minimize(model, data, options, &o);
}

static wg_fit_result estimator_proximal(const wg_fit_model *model, const wg_dataset *data,
                                        const wg_fit_options *options)
{
    return wg_fit_minimize(model, data, options, &(wg_minimizer_options){.method = WG_PROXIMAL});
}

static const estimator_method estimator_methods[] = {
    {"lbfgs", NULL, estimator_lbfgs},       {"newton", NULL, estimator_newton},
    {"proximal", NULL, estimator_proximal}, {"sgd", estimator_sgd, NULL},
    {"adagrad", estimator_adagrad, NULL},   {"momentum", estimator_momentum, NULL},
    {"rmsprop", estimator_rmsprop, NULL},   {"adam", estimator_adam, NULL},
    {"adamw", estimator_adamw, NULL},
};

static const estimator_method *estimator_method_of(const char *name)
{
    for (size_t i = 0; i < sizeof estimator_methods / sizeof *estimator_methods; i++)
        if (strcmp(name, estimator_methods[i].name) == 0)
            return &estimator_methods[i];
    return NULL;
}

/* ---- Training. ------------------------------------------------------------------------------- */

static bool estimator_method_fits(wg_tape *t, const estimator_method *m, const char *name,
                                  bool sparse, const wg_estimator_options *o)
{
    if (m == NULL)
        wg_fail(t, WG_E_VALUE, "estimator: there is no optimizer '%s'", name);
    else if (m->fit != NULL && (o->rate != 0 || o->dropout != 0))
        wg_fail(t, WG_E_VALUE, "estimator: %s takes no option %s", name,
                o->rate != 0 ? "rate" : "dropout");
    else if (m->fit == NULL && sparse)
        wg_fail(t, WG_E_VALUE,
                "estimator: sparse rows are trained on by all rows at once (lbfgs), not by '%s'",
                name);
    return wg_tape_status(t) == WG_OK;
}

/* The share of L1 in the penalty. */
static double estimator_l1_ratio(wg_tape *t, const wg_estimator_options *o)
{
    const char *penalty = o->penalty != NULL ? o->penalty : "l2";
    const bool elastic = strcmp(penalty, "elastic_net") == 0, l1 = strcmp(penalty, "l1") == 0;
    if (!elastic && !l1 && strcmp(penalty, "l2") != 0)
        wg_fail(t, WG_E_VALUE, "estimator: there is no penalty '%s' (l2, l1, elastic_net)",
                penalty);
    else if (o->l1_ratio != 0 && !elastic)
        wg_fail(t, WG_E_VALUE, "estimator: l1_ratio = %g is an option of elastic_net", o->l1_ratio);
    return l1 ? 1 : elastic ? (o->l1_ratio != 0 ? o->l1_ratio : 0.5) : 0;
}

/* The rows as the network takes them. Where all are read in order, again and again, columns of
 * strings that would take more than that are encoded each time: a file of one letter a field may
 * ask for hundreds of bytes a field. */
static wg_tensor *estimator_prepared(const wg_estimator *e, const wg_estimator_data *data,
                                     bool in_order)
{
    const double bytes = (double)data->X->shape.dim[0] * (double)e->pipeline->width *
                         (double)wg_dtype_size(e->dtype);
    const bool stream = in_order && bytes > ESTIMATOR_ENCODED && wg_ranks_size(e->tape) == 1;
    return stream ? wg_pipeline_stream(e->pipeline, data->X, data->strings)
                  : wg_pipeline_apply(e->pipeline, data->X, data->strings);
}

static void estimator_train(wg_estimator *e, const wg_estimator_data *data,
                            const wg_estimator_options *o)
{
    wg_tape *t = e->tape;
    wg_fit_model model = wg_mlp_fit_model(e->mlp, e->head);
    bool sparse = data->d.sparse != NULL, hidden = e->mlp->options.n_sizes > 2;
    const double ratio = estimator_l1_ratio(t, o);
    const char *name = o->optimizer != NULL ? o->optimizer
                       : ratio > 0          ? "proximal"
                       : hidden && !sparse  ? "adam"
                                            : "lbfgs";
    const estimator_method *method = estimator_method_of(name);
    double C = o->C != 0 ? o->C : hidden ? (double)INFINITY : 1;
    if (!(C > 0) || !(o->rate >= 0))
        wg_fail(t, WG_E_VALUE, "estimator: C = %g, rate = %g", C, o->rate);
    if (wg_tape_status(t) != WG_OK || !estimator_method_fits(t, method, name, sparse, o))
        return;
    wg_fit_options fit = o->fit;
    fit.seed = o->seed;
    fit.C = C;
    fit.l2 = 0;
    fit.l1_ratio = ratio;
    fit.optimizer = NULL;
    wg_dataset d = {.sparse = data->d.sparse, .y = data->d.y};
    if (!sparse)
        d.X = estimator_prepared(e, data, method->fit != NULL && fit.validation == 0);
    if (e->string_columns > 0 && wg_ranks_size(t) > 1)
        d.X = wg_encoder_share(d.X);
    if (method->fit == NULL)
        fit.optimizer = method->optimizer(o->rate, model.params, model.n_params);
    e->fit = method->fit != NULL ? method->fit(&model, &d, &fit) : wg_fit(&model, &d, &fit);
}

/* ---- Fitting. -------------------------------------------------------------------------------- */

static bool estimator_options_fit(const wg_estimator *e, const wg_estimator_kind *kind,
                                  const wg_estimator_options *o)
{
    bool two = e->head->kind == WG_HEAD_TWO_CLASSES;
    if (kind->head != NULL && o->head != NULL && o->head != kind->head)
        wg_fail(e->tape, WG_E_VALUE, "estimator: %s has a head of its own; linear and mlp take any",
                e->model);
    else if (e->k < 1 || (e->head->kind != WG_HEAD_NUMBERS && (e->k < 2 || (two && e->k != 2))))
        wg_fail(e->tape, WG_E_VALUE, "estimator: %s with %" PRId64 " classes", e->model, e->k);
    else if (!kind->hidden && (o->n_hidden != 0 || o->layer_norm))
        wg_fail(e->tape, WG_E_VALUE, "estimator: %s has no hidden layers", e->model);
    return wg_tape_status(e->tape) == WG_OK;
}

/* More classes than rows with labels are an error in the labels, and would take memory for
 * nothing. */
static bool estimator_labels_fit(const wg_head *head, const wg_tensor *y, int64_t rows, int64_t k)
{
    bool classes = head->kind != WG_HEAD_NUMBERS;
    if (classes && y->dtype != WG_I64)
        wg_fail(y->tape, WG_E_DTYPE, "estimator: y must be i64 [n]");
    else if (y->data == NULL && y->size > 0)
        wg_fail(y->tape, WG_E_VALUE, "estimator: y has no value: %s", wg_tensor_text(y).s);
    else if (classes && y->shape.ndim != 1)
        wg_fail(y->tape, WG_E_SHAPE, "estimator: y must be i64 [n]");
    else if (classes && k > rows + 2)
        wg_fail(y->tape, WG_E_INDEX, "estimator: %" PRId64 " classes in %" PRId64 " rows", k, rows);
    return wg_tape_status(y->tape) == WG_OK;
}

/* The model and head that the options ask for; NULL after an error. */
static const wg_estimator_kind *estimator_choose(wg_tape *t, const wg_estimator_options *o,
                                                 wg_estimator *e)
{
    const char *name = o->model != NULL ? o->model : o->head != NULL ? "linear" : "softmax";
    const wg_estimator_kind *kind = wg_estimator_kind_of(name);
    if (kind == NULL) {
        wg_fail(t, WG_E_VALUE, "estimator: there is no model '%s'", name);
        return NULL;
    }
    e->model = kind->name;
    e->head = kind->head != NULL ? kind->head : o->head != NULL ? o->head : &wg_head_softmax;
    return kind;
}

/* Classes and names are the table's, where the labels are. */
static bool estimator_table_says(const wg_estimator_data *data, wg_estimator_options *o)
{
    const wg_table *table = data->labels;
    if (table == NULL)
        return true;
    if (o->classes != 0 || o->class_names != NULL || o->label_name != NULL) {
        wg_fail(data->X->tape, WG_E_VALUE,
                "estimator: options classes, class_names and label_name are the table's");
        return false;
    }
    o->classes = table->class_count;
    o->class_names = table->class_names;
    o->label_name = table->label_name;
    return true;
}

/* Model, rows and options, as far as they can be judged before any rank knows of another's rows. */
static const wg_estimator_kind *estimator_begin(wg_tape *t, const wg_dataset *given,
                                                wg_estimator_options *o, wg_estimator *made,
                                                wg_estimator_data *data)
{
    const wg_estimator_kind *kind = estimator_choose(t, o, made);
    const bool missing = o->pipeline.n_steps > 0 && o->pipeline.steps != NULL &&
                         o->pipeline.steps[0].kind == WG_STEP_IMPUTE;
    made->tape = t;
    return kind != NULL &&
                   wg_estimator_data_of(given, made->head->kind == WG_HEAD_NUMBERS, missing,
                                        data) &&
                   estimator_table_says(data, o)
               ? kind
               : NULL;
}

/* Classes, of all ranks, and names; then all that is made of them. */
static void estimator_build(wg_estimator *e, const wg_estimator_kind *kind, wg_estimator_data *data,
                            wg_estimator_options *o)
{
    wg_tape *t = e->tape;
    const bool named = data->labels != NULL && data->labels->class_count > 0;
    if (named && e->head->kind != WG_HEAD_NUMBERS)
        wg_estimator_join_classes(data, o);
    if (wg_tape_status(t) != WG_OK)
        return;
    const int64_t rows = wg_ranks_rows(t, data->d.y->shape.dim[0], NULL);
    e->k = wg_estimator_most_classes(t, estimator_count(e->head, data->d.y, o->classes));
    if (estimator_options_fit(e, kind, o) && estimator_labels_fit(e->head, data->d.y, rows, e->k)) {
        estimator_set_names(e, o);
        estimator_take_names(e, data);
    }
    if (wg_ranks_agree(t, wg_estimator_hash(e), "columns, model or version") == WG_OK)
        estimator_fit_pipeline(e, data, o);
    if (wg_tape_status(t) == WG_OK) {
#ifndef WG_NO_FILES
        estimator_keep_reading(e, data, o);
#endif
        estimator_new_mlp(e, kind->hidden, o);
    }
    if (wg_ranks_agree(t, 0, "") == WG_OK)
        estimator_train(e, data, o);
}

wg_estimator *wg_estimator_fit(const wg_dataset *given, const wg_estimator_options *options)
{
    wg_estimator_options o = {0};
    if (options != NULL)
        o = *options;
    wg_estimator made = {.tape = NULL};
    wg_estimator_data data;
    wg_tape *t = wg_dataset_tape(given);
    if (t == NULL)
        return wg_estimator_inert();
    const bool well = wg_tape_status(t) == WG_OK;
    const wg_estimator_kind *kind = well ? estimator_begin(t, given, &o, &made, &data) : NULL;
    wg_estimator *e = wg_tape_take(t, sizeof *e);
    if (wg_ranks_agree(t, 0, "") != WG_OK || kind == NULL)
        return wg_estimator_inert();
    *e = made;
    estimator_build(e, kind, &data, &o);
    return wg_tape_status(t) == WG_OK ? e : wg_estimator_inert();
}
