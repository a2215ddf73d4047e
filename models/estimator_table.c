/* Estimators on tables: columns by their names, classes by theirs. */
#include "models/estimator_internal.h"
#include "models/files/number_internal.h"
#include "models/files/table_internal.h"
#include "models/files/text_internal.h"
#include "models/metrics/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef const char *estimator_name_of(const wg_table *table, int64_t i);

/* The table's names, which live as long as the table, and so longer than what is fitted on it; ended by NULL. */
static const char **estimator_list_names(const wg_table *table, estimator_name_of *name, int64_t n)
{
    const char **names = wg_tape_take(wg_table_tape(table), ((size_t)n + 1) * sizeof *names);
    for (int64_t i = 0; names != NULL && i < n; i++)
        names[i] = name(table, i);
    return names;
}

wg_estimator *wg_estimator_fit_table(const wg_table *table, const wg_estimator_options *options)
{
    wg_tape *t = wg_table_tape(table);
    wg_estimator_options o = {0};
    if (options != NULL)
        o = *options;
    if (o.classes != 0 || o.class_names != NULL || o.label_name != NULL)
        wg_fail(t, WG_E_VALUE,
                "estimator: options classes, class_names and label_name are the table's");
    const wg_estimator_data data = {.X = wg_table_features(table),
                                    .text = wg_table_strings(table),
                                    .text_columns = wg_table_string_columns(table),
                                    .y = wg_table_classes(table)};
    if (t == NULL || wg_tape_status(t) != WG_OK)
        return wg_estimator_inert();
    o.classes = wg_table_class_count(table);
    o.class_names = estimator_list_names(table, wg_table_class_name, o.classes);
    o.label_name = wg_table_label_name(table);
    const char **columns = estimator_list_names(table, wg_table_column_name,
                                                wg_table_columns(table));
    const char **texts = estimator_list_names(table, wg_table_string_name, data.text_columns);
    wg_estimator *e = wg_estimator_fit_data(&data, &o);
    if (wg_tape_status(t) == WG_OK) {
        e->column_names = columns;
        e->text_names = texts;
    }
    return e;
}

/* ---- Are these the columns that were fitted? ---------------------------------------------------------- */

static const char *estimator_quoted(const char *name, char quoted[WG_SHOWN + 2])
{
    char shown[WG_SHOWN];
    if (name == NULL)
        return "nothing";
    snprintf(quoted, WG_SHOWN + 2, "'%s'", wg_shown(name, strlen(name), shown));
    return quoted;
}

static bool estimator_names_fit(const wg_table *table, const char *kind, const char *const *fitted,
                                estimator_name_of *name, int64_t n)
{
    char found_text[WG_SHOWN + 2], fitted_text[WG_SHOWN + 2];
    for (int64_t j = 0; fitted != NULL && (j < n || fitted[j] != NULL); j++) {
        const char *found = j < n ? name(table, j) : NULL;
        if (found != NULL && fitted[j] != NULL && strcmp(found, fitted[j]) == 0)
            continue;
        wg_fail(wg_table_tape(table), WG_E_VALUE,
                "estimator: %s: column %" PRId64 " of %s is %s, but %s was fitted",
                wg_table_path(table), j + 1, kind, estimator_quoted(found, found_text),
                estimator_quoted(fitted[j], fitted_text));
        return false;
    }
    return true;
}

/* By name and file: a row's number would be one of a table that may hold some of the file's rows only. */
static bool estimator_texts_known(const wg_estimator *e, const wg_table *table)
{
    char text[WG_SHOWN + 2], column[WG_SHOWN + 2];
    int64_t columns = wg_table_string_columns(table);
    const char *const *texts = wg_table_strings(table);
    int64_t unknown = wg_encoder_unknown(wg_pipeline_encoder(e->pipeline), texts,
                                         columns > 0 ? wg_table_rows(table) : 0);
    if (unknown < 0)
        return true;
    wg_fail(wg_table_tape(table), WG_E_VALUE,
            "estimator: %s: column %s: %s was not there at the fit (option ignore_unknown would "
            "take it)",
            wg_table_path(table),
            estimator_quoted(wg_table_string_name(table, unknown % columns), column),
            estimator_quoted(texts[unknown], text));
    return false;
}

static bool estimator_table_fits(const wg_estimator *e, const wg_table *table)
{
    wg_tape *t = wg_table_tape(table);
    if (e->tape == NULL || t == NULL || wg_tape_status(t) != WG_OK)
        return false;
    int64_t texts = wg_table_string_columns(table), fitted = wg_estimator_text_columns(e);
    if (!estimator_names_fit(table, "texts", e->text_names, wg_table_string_name, texts) ||
        !estimator_names_fit(table, "numbers", e->column_names, wg_table_column_name,
                             wg_table_columns(table)))
        return false;
    if (texts != fitted) {
        wg_fail(t, WG_E_SHAPE,
                "estimator: %s: %" PRId64 " columns of texts, but %" PRId64 " were fitted",
                wg_table_path(table), texts, fitted);
        return false;
    }
    return estimator_texts_known(e, table);
}

/* ---- Using it. ---------------------------------------------------------------------------------------- */

wg_tensor *wg_estimator_logits_table(const wg_estimator *e, const wg_table *table)
{
    if (e == NULL || !estimator_table_fits(e, table))
        return wg_fail(wg_table_tape(table), WG_E_NULL, "estimator: an inert one, or no table");
    return wg_estimator_logits_of(e, wg_table_features(table), wg_table_strings(table));
}

wg_tensor *wg_estimator_predict_table(const wg_estimator *e, const wg_table *table)
{
    wg_tensor *Z = wg_estimator_logits_table(e, table);
    return wg_is_inert(Z) ? Z : wg_link_predict(e->kind->link, Z);
}

wg_tensor *wg_estimator_predict_proba_table(const wg_estimator *e, const wg_table *table)
{
    wg_tensor *Z = wg_estimator_logits_table(e, table);
    return wg_is_inert(Z) ? Z : wg_link_probabilities(e->kind->link, Z);
}

/* The class of that name, or else of that number ("1" and "1.0" are one class, as in a table); -1: none. */
static int64_t estimator_find_class(const wg_estimator *e, const char *name)
{
    double given, own;
    for (int64_t k = 0; k < e->classes; k++)
        if (strcmp(name, e->class_name[k]) == 0)
            return k;
    if (wg_number_read(name, &given) != WG_NUMBER_FINITE)
        return -1;
    for (int64_t k = 0; k < e->classes; k++)
        if (wg_number_read(e->class_name[k], &own) == WG_NUMBER_FINITE &&
            wg_label_order(name, given, e->class_name[k], own) == 0)
            return k;
    return -1;
}

/* The estimator's number of each of the table's classes, -1 where there is none, into number[]. */
static bool estimator_number_classes(const wg_estimator *e, const wg_table *table, int64_t number[])
{
    wg_c_locale locale;
    if (!wg_c_locale_enter(&locale)) {
        wg_fail(wg_table_tape(table), WG_E_NOMEM, "estimator: no memory for the C locale");
        return false;
    }
    for (int64_t c = 0; c < wg_table_class_count(table); c++)
        number[c] = estimator_find_class(e, wg_table_class_name(table, c));
    wg_c_locale_leave(&locale);
    return true;
}

wg_tensor *wg_estimator_classes(const wg_estimator *e, const wg_table *table)
{
    wg_tape *t = wg_table_tape(table);
    const wg_tensor *own = wg_table_classes(table);
    if (e == NULL || e->tape == NULL || t == NULL || wg_tape_status(t) != WG_OK)
        return wg_fail(t, WG_E_NULL, "estimator: an inert one, or no table");
    int64_t n = wg_size(own);
    int64_t *number = wg_temporary(t, wg_table_class_count(table), sizeof *number);
    int64_t *row = number != NULL ? wg_temporary(t, n, sizeof *row) : NULL;
    wg_tensor *classes = NULL;
    if (row != NULL && estimator_number_classes(e, table, number)) {
        for (int64_t i = 0; i < n; i++)
            row[i] = number[wg_data_i64(own)[i]];
        classes = wg_constant(t, WG_I64, WG_SHAPE(n), row);
    }
    wg_temporary_free(t, row);
    wg_temporary_free(t, number);
    return classes != NULL ? classes : wg_fail(t, WG_E_NOMEM, "estimator: classes");
}

double wg_estimator_score_table(const wg_estimator *e, const wg_table *table)
{
    wg_tape *t = wg_table_tape(table);
    wg_mark mark = wg_tape_mark(t);
    const wg_tensor *predicted = wg_estimator_predict_table(e, table);
    double accuracy = wg_accuracy(predicted, wg_estimator_classes(e, table));
    if (wg_tape_status(t) == WG_OK)
        wg_tape_rewind(t, mark);
    return accuracy;
}
