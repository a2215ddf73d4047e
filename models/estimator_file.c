/* Estimators as files. */
#include "models/estimator_internal.h"

#include "models/files/archive_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char estimator_format[] = "wengert estimator 2";

/* "estimator.class.0", "estimator.column.0", "estimator.text.0", ... */
static char *estimator_key(char key[48], const char *what, int64_t i)
{
    snprintf(key, 48, "estimator.%s.%" PRId64, what, i);
    return key;
}

/* How many there are, and each. */
static void estimator_put_names(wg_archive *a, const char *what, const char *const *names)
{
    char key[48];
    int64_t n = 0;
    for (; names[n] != NULL; n++)
        wg_archive_put_string(a, estimator_key(key, what, n), names[n]);
    snprintf(key, sizeof key, "estimator.%ss", what);
    wg_archive_put_integer(a, key, n);
}

static void estimator_put_if(wg_archive *a, const char *key, int64_t value)
{
    if (value != 0)
        wg_archive_put_integer(a, key, value);
}

/* How other rows are to be read, as far as it is not by default. */
static void estimator_put_reading(const wg_estimator *e, wg_archive *a)
{
    estimator_put_if(a, "estimator.zero_based", e->zero_based);
    if (e->csv == NULL)
        return;
    estimator_put_names(a, "column", e->column_names);
    estimator_put_names(a, "text", e->string_names);
    estimator_put_if(a, "estimator.separator", e->csv->separator);
    estimator_put_if(a, "estimator.header", e->csv->header);
    estimator_put_if(a, "estimator.infinite", e->csv->infinite);
    estimator_put_if(a, "estimator.no_label", e->csv->no_label);
    if (e->csv->missing_texts != NULL)
        estimator_put_names(a, "missing_text", e->csv->missing_texts);
}

/* Is every number of the model finite, as those of a training are? */
static bool estimator_finite(const wg_archive *a, const char *path, wg_status status)
{
    for (const wg_archive_entry *e = wg_archive_first(a); e != NULL; e = e->next)
        for (int64_t i = 0; e->tensor != NULL && i < e->tensor->size; i++) {
            const double value = wg_element(e->tensor, i);
            if (isfinite(value))
                continue;
            wg_fail(wg_archive_tape(a), status,
                    "%s: estimator: '%s' holds %g at place %" PRId64 ", as no trained model does",
                    path, e->name, isnan(value) ? fabs(value) : value, i);
            return false;
        }
    return wg_tape_status(wg_archive_tape(a)) == WG_OK;
}

wg_status wg_estimator_save(const wg_estimator *e, const char *path)
{
    if (e == NULL || e->tape == NULL)
        return WG_E_NULL;
    wg_tape *t = e->tape;
    wg_mark mark = wg_tape_mark(t);
    if (wg_tape_status(t) != WG_OK)
        return wg_ranks_agree(t, 0, "");
    char key[48];
    wg_archive *a = wg_archive_new(t);
    wg_archive_put_string(a, "format", estimator_format);
    wg_archive_put_string(a, "estimator.model", e->model);
    wg_archive_put_string(a, "estimator.head", e->head->name);
    wg_archive_put_string(a, "estimator.label", e->label_name);
    wg_archive_put_integer(a, "estimator.outputs", e->k);
    for (int64_t i = 0; i < e->class_count; i++)
        wg_archive_put_string(a, estimator_key(key, "class", i), e->class_names[i]);
    estimator_put_reading(e, a);
    wg_pipeline_save(e->pipeline, a);
    wg_mlp_save(e->mlp, a);
    if (estimator_finite(a, path != NULL ? path : "", WG_E_NOT_FINITE) && wg_ranks_number(t) == 0)
        wg_archive_save(a, path);
    if (wg_ranks_agree(t, 0, "") == WG_OK)
        wg_tape_rewind(t, mark);
    return wg_tape_status(t);
}

/* ---- Loading. -------------------------------------------------------------------------------- */

static wg_estimator *estimator_bad(const wg_archive *a, const char *what)
{
    wg_archive_fail(a, "estimator: %s", what);
    return wg_estimator_inert();
}

/* The n names, ended by NULL; NULL after an error. n is at most the number of entries, so that
 * no memory is taken for a mere claim. */
static const char **estimator_read_names(const wg_archive *a, const char *what, int64_t n)
{
    char key[48];
    const char **names = wg_tape_take(wg_archive_tape(a), ((size_t)n + 1) * sizeof *names);
    for (int64_t i = 0; names != NULL && i < n; i++) {
        names[i] = wg_archive_string(a, estimator_key(key, what, i));
        if (names[i] == NULL) {
            wg_archive_fail(a, "estimator: '%s' is missing", key);
            return NULL;
        }
    }
    return names;
}

/* k, and the names of the k classes. */
static bool estimator_read_classes(wg_estimator *e, const wg_archive *a)
{
    bool numbers = e->head->kind == WG_HEAD_NUMBERS;
    int64_t most = numbers ? INT64_MAX : wg_archive_count(a);
    if (!wg_archive_integer(a, "estimator", "estimator.outputs", numbers ? 1 : 2, most, &e->k))
        return false;
    e->class_count = numbers ? 0 : e->k;
    e->class_names = numbers ? NULL : estimator_read_names(a, "class", e->k);
    return numbers || e->class_names != NULL;
}

/* The head by its name, which must be one of the model's kind. */
static bool estimator_read_head(wg_estimator *e, const wg_archive *a, const wg_head *const own[])
{
    const wg_estimator_kind *kind = wg_estimator_kind_of(e->model);
    const char *name = wg_archive_string(a, "estimator.head");
    e->head = wg_head_find(name, own);
    if (e->head == NULL)
        wg_archive_fail(a,
                        "estimator: the head '%.80s' is unknown; it may be one of the heads to be "
                        "given for loading",
                        name != NULL ? name : "");
    else if (kind->head != NULL && kind->head != e->head)
        wg_archive_fail(a, "estimator: %s with the head '%s'", e->model, e->head->name);
    return wg_tape_status(wg_archive_tape(a)) == WG_OK;
}

/* A number that may be missing: 0. */
static bool estimator_read_if(const wg_archive *a, const char *key, int64_t most, int64_t *value)
{
    *value = 0;
    return wg_archive_string(a, key) == NULL ||
           wg_archive_integer(a, "estimator", key, 0, most, value);
}

/* How other rows are to be read. */
static bool estimator_read_reading(wg_estimator *e, const wg_archive *a)
{
    wg_csv_options o = {.separator = '\0'};
    int64_t zero_based, separator, header, infinite, no_label, texts;
    if (!estimator_read_if(a, "estimator.zero_based", 1, &zero_based) ||
        !estimator_read_if(a, "estimator.separator", 127, &separator) ||
        !estimator_read_if(a, "estimator.header", WG_CSV_HEADER_ABSENT, &header) ||
        !estimator_read_if(a, "estimator.infinite", 1, &infinite) ||
        !estimator_read_if(a, "estimator.no_label", 1, &no_label) ||
        !estimator_read_if(a, "estimator.missing_texts", wg_archive_count(a), &texts))
        return false;
    e->zero_based = zero_based != 0;
    o.separator = (char)separator;
    o.header = (wg_csv_header)header;
    o.infinite = infinite != 0;
    o.no_label = no_label != 0;
    if (wg_archive_string(a, "estimator.missing_texts") != NULL)
        o.missing_texts = estimator_read_names(a, "missing_text", texts);
    wg_estimator_set_csv(e, wg_archive_tape(a), &o);
    return wg_tape_status(wg_archive_tape(a)) == WG_OK;
}

/* The names of the pipeline's columns, if there are any. */
static bool estimator_read_columns(wg_estimator *e, const wg_archive *a)
{
    int64_t columns, strings;
    if (wg_archive_string(a, "estimator.columns") == NULL)
        return true;
    if (!wg_archive_integer(a, "estimator", "estimator.columns", 0, wg_archive_count(a),
                            &columns) ||
        !wg_archive_integer(a, "estimator", "estimator.texts", 0, wg_archive_count(a), &strings))
        return false;
    if (columns != e->columns || strings != e->string_columns) {
        wg_archive_fail(a,
                        "estimator: names of %" PRId64 " columns and %" PRId64
                        " string columns are not as many as the pipeline has",
                        columns, strings);
        return false;
    }
    e->column_names = estimator_read_names(a, "column", columns);
    e->string_names = estimator_read_names(a, "text", strings);
    return wg_tape_status(wg_archive_tape(a)) == WG_OK;
}

static bool estimator_parts_fit(const wg_estimator *e)
{
    const int64_t *sizes = e->mlp->options.sizes;
    const int n = e->mlp->options.n_sizes;
    return sizes != NULL && sizes[0] == e->pipeline->width &&
           (wg_estimator_kind_of(e->model)->hidden || n == 2) &&
           wg_head_k(e->head, sizes[n - 1]) == e->k;
}

static wg_estimator *estimator_from(const wg_archive *a, const wg_head *const heads[])
{
    const char *format = wg_archive_string(a, "format");
    if (format == NULL || strcmp(format, estimator_format) != 0)
        return estimator_bad(a, "the file is no estimator: its 'format' is another");
    wg_estimator *e = wg_tape_take(wg_archive_tape(a), sizeof *e);
    if (e == NULL)
        return wg_estimator_inert();
    e->model = wg_archive_string(a, "estimator.model");
    e->label_name = wg_archive_string(a, "estimator.label");
    if (wg_estimator_kind_of(e->model) == NULL || e->label_name == NULL)
        return estimator_bad(a, "'estimator.model' or 'estimator.label' is missing or unknown");
    if (!estimator_read_head(e, a, heads) || !estimator_read_classes(e, a))
        return wg_estimator_inert();
    wg_estimator_set_pipeline(e, wg_pipeline_load(a));
    e->mlp = wg_mlp_load(a);
    if (wg_tape_status(wg_archive_tape(a)) != WG_OK || !estimator_read_columns(e, a) ||
        !estimator_read_reading(e, a))
        return wg_estimator_inert();
    e->tape = wg_archive_tape(a);
    return estimator_parts_fit(e) ? e : estimator_bad(a, "the parts do not fit together");
}

wg_estimator *wg_estimator_load(wg_tape *t, const char *path, const wg_head *const heads[])
{
    const wg_archive *a = wg_archive_load(t, path);
    const bool finite = wg_tape_status(t) == WG_OK && estimator_finite(a, path, WG_E_FORMAT);
    return finite ? estimator_from(a, heads) : wg_estimator_inert();
}
