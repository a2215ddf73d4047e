/* Pipelines: the preparation of rows, fitted once and applied to all; into archives and back. */
#include "models/data/pipeline.h"

#include "autograd/op.h"
#include "models/data/encoder_internal.h"
#include "models/files/archive_internal.h"
#include "ops/slice.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define PIPELINE_COLUMNS (INT64_MAX / 2) /* sums of two such numbers fit */

enum { PIPELINE_BLOCK = 1 << 20 }; /* bytes of the rows that are prepared at a time, about */

/* A step, and what was fitted for it. */
typedef struct wg_pipeline_fitted {
    wg_pipeline_step step;
    wg_scaler *scaler;   /* of WG_STEP_STANDARDIZE */
    wg_imputer *imputer; /* of WG_STEP_IMPUTE */
} pipeline_step;

static const wg_pipeline pipeline_inert = {.tape = NULL};

/* No function takes a pipeline that it could write. */
static wg_pipeline *pipeline_none(void)
{
    return (wg_pipeline *)(uintptr_t)&pipeline_inert;
}

static bool pipeline_is_inert(const wg_pipeline *p)
{
    return p == NULL || p->tape == NULL;
}

/* A pipeline with room for n_steps steps and none yet. While steps are appended, its width is that
 * of the numbers. */
static wg_pipeline *pipeline_new(wg_tape *t, wg_dtype dtype, int64_t columns, int n_steps)
{
    wg_pipeline *p = wg_tape_take(t, sizeof *p);
    pipeline_step *step = wg_tape_take(t, (size_t)n_steps * sizeof *step);
    if (p == NULL || step == NULL)
        return pipeline_none();
    *p = (wg_pipeline){
        .tape = t, .dtype = dtype, .columns = columns, .width = columns, .step = step};
    return p;
}

/* ---- Applying it. ---------------------------------------------------------------------------- */

static wg_tensor *pipeline_apply_step(const pipeline_step *s, wg_tensor *X)
{
    if (s->step.kind == WG_STEP_POLYNOMIAL && !wg_is_inert(X) && wg_is_streamed(X))
        return wg_fail(X->tape, WG_E_VALUE, "pipeline: no polynomial features of streamed rows");
    switch (s->step.kind) {
    case WG_STEP_STANDARDIZE: return wg_scaler_apply(s->scaler, X);
    case WG_STEP_IMPUTE: return wg_imputer_apply(s->imputer, X);
    default: return wg_polynomial(X, &s->step.polynomial);
    }
}

static wg_tensor *pipeline_numbers(const wg_pipeline *p, wg_tensor *X)
{
    for (int i = 0; i < p->n_steps; i++)
        X = pipeline_apply_step(&p->step[i], X);
    return X;
}

/* The same of rows that nothing is to follow, some at a time: no step's results are kept but the
 * last one's. */
static wg_tensor *pipeline_constant(const wg_pipeline *p, wg_tensor *X)
{
    wg_tape *t = p->tape;
    const int64_t n = X->shape.dim[0], width = p->width - wg_encoder_width(p->encoder);
    const int64_t block = 1 + PIPELINE_BLOCK / ((int64_t)wg_row_bytes(X) + 1);
    wg_tensor *y = wg_full(t, p->dtype, WG_SHAPE(n, width), 0);
    for (int64_t row = 0, m; wg_tape_status(t) == WG_OK && row < n; row += m) {
        const wg_mark mark = wg_tape_mark(t);
        m = n - row < block ? n - row : block;
        wg_tensor *part = pipeline_numbers(p,
                                           wg_input(t, X->name, X->dtype, WG_SHAPE(m, p->columns),
                                                    wg_rows_at(t, X, row, m, NULL)));
        if (wg_tape_status(t) != WG_OK)
            break;
        if (part->size > 0)
            memcpy((char *)y->data + (size_t)row * wg_row_bytes(y), part->data,
                   (size_t)m * wg_row_bytes(y));
        wg_tape_rewind(t, mark);
    }
    return y;
}

static wg_tensor *pipeline_rows(const wg_pipeline *p, wg_tensor *X)
{
    const bool follows = (X->state & WG_NODE_LIVE) != 0 || wg_is_streamed(X);
    return p->n_steps == 0 || follows ? pipeline_numbers(p, X) : pipeline_constant(p, X);
}

wg_tensor *wg_pipeline_join(const wg_pipeline *p, wg_tensor *X, wg_tensor *hot)
{
    return wg_concat((wg_tensor *[]){pipeline_numbers(p, X), hot}, 2, 1);
}

static bool pipeline_fits(const wg_pipeline *p, const wg_tensor *X)
{
    if (X->tape != p->tape)
        wg_fail(p->tape, WG_E_TAPE, "pipeline: %s is of another tape", wg_tensor_text(X).s);
    else if (X->shape.ndim != 2 || X->shape.dim[1] != p->columns)
        wg_fail(p->tape, WG_E_SHAPE, "pipeline: (n, %" PRId64 ") wanted: %s", p->columns,
                wg_tensor_text(X).s);
    else if (X->dtype != p->dtype)
        wg_fail(p->tape, WG_E_DTYPE, "pipeline: %s wanted: %s is %s", wg_dtype_name(p->dtype),
                wg_tensor_text(X).s, wg_dtype_name(X->dtype));
    else if (p->encoder != NULL && !(X->state & WG_NODE_LIVE) && !wg_is_streamed(X) &&
             X->data == NULL && X->size > 0)
        wg_fail(p->tape, WG_E_VALUE, "pipeline: %s has no value to stand beside strings",
                wg_tensor_text(X).s);
    return wg_tape_status(p->tape) == WG_OK;
}

/* String columns as columns of numbers behind those of X. What follows an input must follow it when
 * it is replayed. */
static wg_tensor *pipeline_encoded(const wg_pipeline *p, wg_tensor *X, const char *const *strings,
                                   bool stream)
{
    const bool live = (X->state & WG_NODE_LIVE) != 0;
    if (live && !stream)
        return wg_pipeline_join(p, X,
                                wg_encoder_apply(p->encoder, strings, X->shape.dim[0], X->dtype));
    X = pipeline_rows(p, X);
    return wg_is_inert(X) ? X
           : stream       ? wg_encoder_stream(p->encoder, strings, X)
                          : wg_encoder_append(p->encoder, strings, X);
}

static wg_tensor *pipeline_apply(const wg_pipeline *p, wg_tensor *X, const char *const *strings,
                                 bool stream)
{
    if (pipeline_is_inert(p) || wg_is_inert(X) || !pipeline_fits(p, X)) {
        wg_tape *t = X != NULL ? X->tape : NULL;
        return wg_fail(pipeline_is_inert(p) ? t : p->tape, WG_E_NULL,
                       "pipeline: an inert pipeline, or no X");
    }
    return p->encoder == NULL ? pipeline_rows(p, X)
                              : pipeline_encoded(p, X, strings, stream || wg_is_streamed(X));
}

wg_tensor *wg_pipeline_apply(const wg_pipeline *pipeline, wg_tensor *X, const char *const *strings)
{
    return pipeline_apply(pipeline, X, strings, false);
}

wg_tensor *wg_pipeline_stream(const wg_pipeline *pipeline, wg_tensor *X, const char *const *strings)
{
    return pipeline_apply(pipeline, X, strings, true);
}

/* ---- Fitting it. ----------------------------------------------------------------------------- */

/* A tensor that outlives a rewind: its values, temporary. NULL: an error was recorded. */
static void *pipeline_values(const wg_tensor *x)
{
    size_t bytes = (size_t)x->size * wg_dtype_size(x->dtype);
    void *values = wg_temporary(x->tape, x->size, wg_dtype_size(x->dtype));
    if (values != NULL)
        memcpy(values, x->data, bytes);
    return values;
}

/* NULL: an error was recorded. */
static wg_scaler *pipeline_scaler(const wg_pipeline *p, wg_tensor *mean, wg_tensor *scale,
                                  wg_tensor *rest)
{
    wg_scaler *scaler = wg_tape_take(p->tape, sizeof *scaler);
    if (scaler != NULL)
        *scaler = (wg_scaler){mean, scale, rest};
    return scaler;
}

/* A column of NaN, or of numbers whose squares overflow, has no place on a scale. */
static bool pipeline_scaled(const wg_scaler *s)
{
    for (int64_t j = 0; j < s->scale->size; j++)
        if (!isfinite(wg_element(s->scale, j)) || !isfinite(wg_element(s->mean, j))) {
            wg_fail(s->scale->tape, WG_E_NOT_FINITE,
                    "pipeline: column %" PRId64
                    " cannot be standardized: its numbers are too large, or none",
                    j + 1);
            return false;
        }
    return true;
}

/* The scaler of what the steps so far make of X; all else is rewound. NULL: an error was
 * recorded. */
static wg_scaler *pipeline_fit_scaler(const wg_pipeline *p, wg_tensor *X)
{
    wg_tape *t = p->tape;
    wg_mark mark = wg_tape_mark(t);
    const wg_scaler *fitted = wg_scaler_fit(pipeline_numbers(p, X));
    if (wg_tape_status(t) != WG_OK || !pipeline_scaled(fitted))
        return NULL;
    wg_tensor *part[] = {fitted->mean, fitted->scale, fitted->rest};
    void *values[3] = {NULL, NULL, NULL};
    bool kept = true;
    for (int i = 0; i < 3 && kept; i++)
        kept = part[i] == NULL || (values[i] = pipeline_values(part[i])) != NULL;
    if (kept)
        wg_tape_rewind(t, mark);
    for (int i = 0; i < 3; i++) {
        part[i] = values[i] == NULL ? NULL
                                    : wg_constant(t, p->dtype, WG_SHAPE(p->width), values[i]);
        wg_temporary_free(t, values[i]);
    }
    return kept ? pipeline_scaler(p, part[0], part[1], part[2]) : NULL;
}

/* How many columns a fitted step makes of that many; < 0: it cannot be applied to them. */
static int64_t pipeline_step_columns(const pipeline_step *s, int64_t columns)
{
    switch (s->step.kind) {
    case WG_STEP_STANDARDIZE: return s->scaler != NULL ? columns : -1;
    case WG_STEP_IMPUTE:
        if (s->imputer == NULL || s->imputer->fill == NULL)
            return -1;
        return columns + (s->imputer->indicated != NULL ? s->imputer->indicated->size : 0);
    case WG_STEP_POLYNOMIAL: return wg_polynomial_columns(columns, &s->step.polynomial);
    default: return -1;
    }
}

/* Appends a step that is fitted. False: it cannot be applied to the columns there are. */
static bool pipeline_append(wg_pipeline *p, pipeline_step step)
{
    int64_t columns = pipeline_step_columns(&step, p->width);
    if (columns < 0 || columns > PIPELINE_COLUMNS)
        return false;
    p->step[p->n_steps++] = step;
    p->imputer = p->step[0].imputer;
    p->width = columns;
    return true;
}

static bool pipeline_fit_steps(wg_pipeline *p, wg_tensor *X, const wg_pipeline_options *o)
{
    for (int i = 0; i < o->n_steps; i++) {
        pipeline_step s = {.step = o->steps[i]};
        if (s.step.kind == WG_STEP_STANDARDIZE)
            s.scaler = pipeline_fit_scaler(p, X);
        if (s.step.kind == WG_STEP_IMPUTE && i == 0)
            s.imputer = wg_imputer_fit(X, &s.step.imputer);
        if (wg_tape_status(p->tape) == WG_OK && pipeline_append(p, s))
            continue;
        const char *why = s.step.kind == WG_STEP_POLYNOMIAL ? "too many polynomial features"
                          : s.step.kind == WG_STEP_IMPUTE   ? "missing values come first"
                                                            : "an unknown kind";
        wg_fail(p->tape, WG_E_VALUE, "pipeline: step %d: %s: degree %d of %" PRId64 " columns", i,
                why, s.step.polynomial.degree, p->width);
        return false;
    }
    return true;
}

/* Takes the encoder, if there is one: its columns come behind those of the numbers. */
static void pipeline_set_encoder(wg_pipeline *p, wg_encoder *encoder)
{
    p->encoder = encoder;
    p->string_columns = encoder->columns;
    p->width += wg_encoder_width(encoder);
}

wg_pipeline *wg_pipeline_fit(wg_tensor *X, const char *const *strings, int64_t string_columns,
                             const wg_pipeline_options *options)
{
    wg_pipeline_options o = {0};
    if (options != NULL)
        o = *options;
    if (wg_is_inert(X) || X->shape.ndim != 2 || X->dtype == WG_I64 || string_columns < 0 ||
        o.n_steps < 0 || (o.n_steps > 0 && o.steps == NULL)) {
        wg_fail(X != NULL ? X->tape : NULL, wg_is_inert(X) ? WG_E_NULL : WG_E_VALUE,
                "pipeline: f32 or f64 (n, d), %" PRId64 " string columns, %d steps: %s",
                string_columns, o.n_steps, X != NULL ? wg_tensor_text(X).s : "");
        return pipeline_none();
    }
    wg_tape *t = X->tape;
    wg_pipeline *p = pipeline_new(t, X->dtype, X->shape.dim[1], o.n_steps);
    if (p->tape == NULL || !pipeline_fit_steps(p, X, &o))
        return pipeline_none();
    if (string_columns > 0)
        pipeline_set_encoder(
            p, wg_encoder_fit(t, strings, X->shape.dim[0], string_columns, &o.encoder));
    return wg_tape_status(t) == WG_OK ? p : pipeline_none();
}

/* ---- Into an archive and back. --------------------------------------------------------------- */

enum { PIPELINE_NAME = 64, PIPELINE_STEPS = 1000, PIPELINE_WIDTH = 1 << 16 };

static char *pipeline_name(char *name, int i, const char *part)
{
    snprintf(name, PIPELINE_NAME, "pipeline.%d%s", i, part);
    return name;
}

static const char *const pipeline_kinds[] = {[WG_STEP_STANDARDIZE] = "standardize",
                                             [WG_STEP_POLYNOMIAL] = "polynomial",
                                             [WG_STEP_IMPUTE] = "impute"};

static void pipeline_save_scaler(const wg_scaler *scaler, int i, wg_archive *a)
{
    char name[PIPELINE_NAME];
    wg_archive_put_tensor(a, pipeline_name(name, i, ".mean"), scaler->mean);
    wg_archive_put_tensor(a, pipeline_name(name, i, ".scale"), scaler->scale);
    if (scaler->rest != NULL)
        wg_archive_put_tensor(a, pipeline_name(name, i, ".rest"), scaler->rest);
}

static void pipeline_save_imputer(const wg_imputer *imputer, int i, wg_archive *a)
{
    char name[PIPELINE_NAME];
    wg_archive_put_tensor(a, pipeline_name(name, i, ".fill"), imputer->fill);
    if (imputer->indicated != NULL)
        wg_archive_put_tensor(a, pipeline_name(name, i, ".indicated"), imputer->indicated);
}

static void pipeline_save_polynomial(const wg_polynomial_options *o, int i, wg_archive *a)
{
    char name[PIPELINE_NAME];
    wg_archive_put_integer(a, pipeline_name(name, i, ".degree"), o->degree);
    wg_archive_put_integer(a, pipeline_name(name, i, ".interaction_only"), o->interaction_only);
    wg_archive_put_integer(a, pipeline_name(name, i, ".include_bias"), o->include_bias);
}

static void pipeline_save_step(const pipeline_step *s, int i, wg_archive *a)
{
    char name[PIPELINE_NAME];
    wg_archive_put_string(a, pipeline_name(name, i, ""), pipeline_kinds[s->step.kind]);
    switch (s->step.kind) {
    case WG_STEP_STANDARDIZE: pipeline_save_scaler(s->scaler, i, a); break;
    case WG_STEP_IMPUTE: pipeline_save_imputer(s->imputer, i, a); break;
    default: pipeline_save_polynomial(&s->step.polynomial, i, a); break;
    }
}

wg_status wg_pipeline_save(const wg_pipeline *pipeline, wg_archive *a)
{
    if (pipeline_is_inert(pipeline))
        return wg_archive_put_string(a, "pipeline", NULL);
    wg_archive_put_string(a, "pipeline.dtype", wg_dtype_name(pipeline->dtype));
    wg_archive_put_integer(a, "pipeline.columns", pipeline->columns);
    wg_archive_put_integer(a, "pipeline.steps", pipeline->n_steps);
    for (int i = 0; i < pipeline->n_steps; i++)
        pipeline_save_step(&pipeline->step[i], i, a);
    wg_archive_put_integer(a, "pipeline.texts", pipeline->string_columns);
    if (pipeline->encoder != NULL)
        wg_encoder_save(pipeline->encoder, a);
    return wg_tape_status(wg_archive_tape(a));
}

/* A tensor of the pipeline's dtype, as long as there are columns; NULL where it is none. */
static wg_tensor *pipeline_vector(const wg_pipeline *p, const wg_archive *a, const char *name)
{
    wg_tensor *x = wg_archive_tensor(a, name);
    bool fits = x != NULL && x->dtype == p->dtype && x->shape.ndim == 1 && x->size == p->width;
    return fits ? x : NULL;
}

static wg_scaler *pipeline_read_scaler(const wg_pipeline *p, const wg_archive *a, int i)
{
    char name[PIPELINE_NAME];
    wg_tensor *mean = pipeline_vector(p, a, pipeline_name(name, i, ".mean"));
    wg_tensor *scale = pipeline_vector(p, a, pipeline_name(name, i, ".scale"));
    wg_tensor *rest = wg_archive_tensor(a, pipeline_name(name, i, ".rest"));
    if (mean == NULL || scale == NULL || (rest != NULL && pipeline_vector(p, a, name) == NULL))
        return NULL;
    return pipeline_scaler(p, mean, scale, rest);
}

static wg_imputer *pipeline_read_imputer(const wg_pipeline *p, const wg_archive *a, int i)
{
    char name[PIPELINE_NAME];
    wg_tensor *fill = pipeline_vector(p, a, pipeline_name(name, i, ".fill"));
    wg_tensor *indicated = wg_archive_tensor(a, pipeline_name(name, i, ".indicated"));
    bool fits = i == 0 && fill != NULL &&
                (indicated == NULL || (indicated->dtype == WG_I64 && indicated->shape.ndim == 1 &&
                                       indicated->size <= p->width));
    for (int64_t j = 0; fits && indicated != NULL && j < indicated->size; j++)
        fits = wg_data_i64(indicated)[j] >= 0 && wg_data_i64(indicated)[j] < p->width;
    wg_imputer *imputer = fits ? wg_tape_take(p->tape, sizeof *imputer) : NULL;
    if (imputer != NULL)
        *imputer = (wg_imputer){fill, indicated};
    return imputer;
}

static bool pipeline_read_polynomial(const wg_archive *a, int i, wg_polynomial_options *o)
{
    char name[PIPELINE_NAME];
    int64_t degree, only, bias;
    const char *who = "pipeline";
    if (!wg_archive_integer(a, who, pipeline_name(name, i, ".degree"), 0, 1000, &degree) ||
        !wg_archive_integer(a, who, pipeline_name(name, i, ".interaction_only"), 0, 1, &only) ||
        !wg_archive_integer(a, who, pipeline_name(name, i, ".include_bias"), 0, 1, &bias))
        return false;
    *o = (wg_polynomial_options){(int)degree, only == 1, bias == 1};
    return true;
}

/* The columns that steps of an archive may make: of what a model takes there are as many weights. A
 * degree and a number of columns alone could ask for megabytes a row. */
static int64_t pipeline_limit(const wg_archive *a)
{
    int64_t elements = PIPELINE_WIDTH;
    for (const wg_archive_entry *e = wg_archive_first(a); e != NULL; e = e->next)
        if (e->tensor != NULL && !wg_size_add(elements, e->tensor->size, &elements))
            return INT64_MAX;
    return elements;
}

static bool pipeline_read_step(wg_pipeline *p, const wg_archive *a, int i)
{
    char name[PIPELINE_NAME];
    const char *kind = wg_archive_string(a, pipeline_name(name, i, ""));
    pipeline_step s = {.scaler = NULL};
    bool fits = false;
    if (kind != NULL && strcmp(kind, pipeline_kinds[WG_STEP_STANDARDIZE]) == 0) {
        s.step.kind = WG_STEP_STANDARDIZE;
        s.scaler = pipeline_read_scaler(p, a, i);
        fits = true;
    } else if (kind != NULL && strcmp(kind, pipeline_kinds[WG_STEP_IMPUTE]) == 0) {
        s.step.kind = WG_STEP_IMPUTE;
        s.imputer = pipeline_read_imputer(p, a, i);
        fits = true;
    } else if (kind != NULL && strcmp(kind, pipeline_kinds[WG_STEP_POLYNOMIAL]) == 0) {
        s.step.kind = WG_STEP_POLYNOMIAL;
        fits = pipeline_read_polynomial(a, i, &s.step.polynomial);
    }
    if (fits && pipeline_append(p, s))
        return wg_tape_status(wg_archive_tape(a)) == WG_OK;
    wg_archive_fail(a, "pipeline: '%s' is missing, or not what fits", name);
    return false;
}

wg_pipeline *wg_pipeline_load(const wg_archive *a)
{
    int64_t columns, steps, strings;
    if (wg_archive_tape(a) == NULL || wg_tape_status(wg_archive_tape(a)) != WG_OK ||
        !wg_archive_integer(a, "pipeline", "pipeline.columns", 0, PIPELINE_COLUMNS, &columns) ||
        !wg_archive_integer(a, "pipeline", "pipeline.steps", 0, PIPELINE_STEPS, &steps) ||
        !wg_archive_integer(a, "pipeline", "pipeline.texts", 0, wg_archive_count(a), &strings))
        return pipeline_none();
    const char *dtype = wg_archive_string(a, "pipeline.dtype");
    bool f32 = dtype != NULL && strcmp(dtype, "f32") == 0;
    if (!f32 && (dtype == NULL || strcmp(dtype, "f64") != 0)) {
        wg_archive_fail(a, "pipeline: 'pipeline.dtype' is neither f32 nor f64");
        return pipeline_none();
    }
    wg_pipeline *p = pipeline_new(wg_archive_tape(a), f32 ? WG_F32 : WG_F64, columns, (int)steps);
    int64_t limit = steps > 0 ? pipeline_limit(a) : 0;
    for (int i = 0; i < steps && p->tape != NULL; i++) {
        if (!pipeline_read_step(p, a, i))
            return pipeline_none();
        if (p->width > limit) {
            wg_archive_fail(a,
                            "pipeline: step %d makes %" PRId64 " columns, more than a model in the "
                            "file can take",
                            i, p->width);
            return pipeline_none();
        }
    }
    if (p->tape != NULL && strings > 0)
        pipeline_set_encoder(p, wg_encoder_load(a));
    if (wg_tape_status(wg_archive_tape(a)) == WG_OK && p->string_columns != strings)
        wg_archive_fail(a, "pipeline: 'encoder.columns' is not 'pipeline.texts'");
    return wg_tape_status(wg_archive_tape(a)) == WG_OK ? p : pipeline_none();
}
