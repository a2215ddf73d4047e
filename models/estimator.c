/* Estimators: kinds of models, and how one is put together. */
#include "models/estimator.h"

#include "models/data/dataset_internal.h"
#include "models/estimator_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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

/* Of a table's columns, if it is these that are fitted. */
static void estimator_take_names(wg_estimator *e, const wg_dataset *d)
{
    if (d->table == NULL || d->sparse != NULL || d->X != wg_table_features(d->table))
        return;
    e->column_names = d->table->column_names;
    e->string_names = d->table->string_names;
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

static void estimator_new_mlp(wg_estimator *e, const wg_estimator_options *o)
{
    static const int64_t default_hidden[] = {64};
    bool given = o->n_hidden > 0 && o->hidden != NULL;
    const int64_t *hidden = given ? o->hidden : default_hidden;
    int n = !wg_estimator_kind_of(e->model)->hidden ? 0 : given ? o->n_hidden : 1;
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

/* ---- Fitting. -------------------------------------------------------------------------------- */

static bool estimator_options_fit(const wg_estimator *e, const wg_estimator_options *o)
{
    const wg_estimator_kind *kind = wg_estimator_kind_of(e->model);
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
static bool estimator_labels_fit(const wg_head *head, const wg_tensor *y, int64_t k)
{
    bool classes = head->kind != WG_HEAD_NUMBERS;
    if (classes && y->dtype != WG_I64)
        wg_fail(y->tape, WG_E_DTYPE, "estimator: y must be i64 [n]");
    else if (y->data == NULL || (classes && y->shape.ndim != 1))
        wg_fail(y->tape, WG_E_SHAPE, "estimator: y must be i64 [n]");
    else if (classes && k > y->size + 2)
        wg_fail(y->tape, WG_E_INDEX, "estimator: %" PRId64 " classes in %" PRId64 " rows", k,
                y->size);
    return wg_tape_status(y->tape) == WG_OK;
}

/* The model and head that the options ask for; false after an error. */
static bool estimator_choose(wg_tape *t, const wg_estimator_options *o, wg_estimator *e)
{
    const char *name = o->model != NULL ? o->model : o->head != NULL ? "linear" : "softmax";
    const wg_estimator_kind *kind = wg_estimator_kind_of(name);
    if (kind == NULL) {
        wg_fail(t, WG_E_VALUE, "estimator: there is no model '%s'", name);
        return false;
    }
    e->model = kind->name;
    e->head = kind->head != NULL ? kind->head : o->head != NULL ? o->head : &wg_head_softmax;
    return true;
}

/* Classes and names are the table's, where there is one. */
static bool estimator_table_says(const wg_estimator_data *data, wg_estimator_options *o)
{
    const wg_table *table = data->d.table;
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

wg_estimator *wg_estimator_fit(const wg_dataset *given, const wg_estimator_options *options)
{
    wg_estimator_options o = {0};
    if (options != NULL)
        o = *options;
    wg_estimator made = {.tape = NULL};
    wg_estimator_data data;
    wg_tape *t = wg_dataset_tape(given);
    if (t == NULL || wg_tape_status(t) != WG_OK || !estimator_choose(t, &o, &made) ||
        !wg_estimator_data_of(given, made.head->kind == WG_HEAD_NUMBERS, &data) ||
        !estimator_table_says(&data, &o))
        return wg_estimator_inert();
    made.tape = t;
    made.k = estimator_count(made.head, data.d.y, o.classes);
    if (!estimator_options_fit(&made, &o) || !estimator_labels_fit(made.head, data.d.y, made.k))
        return wg_estimator_inert();
    wg_estimator *e = wg_tape_take(t, sizeof *e);
    if (e == NULL)
        return wg_estimator_inert();
    *e = made;
    estimator_set_names(e, &o);
    estimator_take_names(e, &data.d);
    estimator_fit_pipeline(e, &data, &o);
    if (wg_tape_status(t) == WG_OK)
        estimator_new_mlp(e, &o);
    if (wg_tape_status(t) == WG_OK)
        wg_estimator_train(e, &data, &o);
    return wg_tape_status(t) == WG_OK ? e : wg_estimator_inert();
}
