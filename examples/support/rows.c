#include "rows.h"

#include <string.h>

bool rows_are_sparse(const char *path)
{
    static const char *const endings[] = {".svm", ".svmlight", ".libsvm"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t n = strlen(path), k = strlen(endings[i]);
        if (n >= k && strcmp(path + n - k, endings[i]) == 0)
            return true;
    }
    return false;
}

rows rows_read(wg_tape *t, const char *path, const rows_options *o)
{
    rows r = {NULL, NULL};
    if (rows_are_sparse(path)) {
        wg_svmlight_options svmlight = {.columns = o->columns, .f32 = o->f32};
        r.table = wg_svmlight_read(t, path, &svmlight, &r.sparse);
        return r;
    }
    wg_csv_options csv = {.separator = o->separator,
                          .label = o->label,
                          .no_label = o->no_label,
                          .strings = o->categories,
                          .header = o->no_header ? WG_CSV_HEADER_ABSENT : WG_CSV_HEADER_AUTO,
                          .missing = o->drop_missing ? WG_CSV_MISSING_DROP : WG_CSV_MISSING_ERROR,
                          .f32 = o->f32};
    r.table = wg_csv_read(t, path, &csv);
    return r;
}

rows rows_take(const rows *all, const wg_tensor *which)
{
    rows r = {.table = wg_table_take(all->table, which)};
    if (all->sparse != NULL)
        r.sparse = wg_csr_take_rows(all->sparse, wg_data_i64(which), wg_size(which));
    return r;
}

int64_t rows_count(const rows *r)
{
    return wg_table_rows(r->table);
}

int64_t rows_columns(const rows *r)
{
    return r->sparse != NULL ? r->sparse->columns
                             : wg_table_columns(r->table) + wg_table_string_columns(r->table);
}

wg_estimator *rows_fit(const rows *r, const wg_estimator_options *options)
{
    if (r->sparse == NULL)
        return wg_estimator_fit(&(wg_dataset){.table = r->table}, options);
    wg_estimator_options o = *options;
    o.classes = wg_table_class_count(r->table);
    o.class_names = wg_table_class_names(r->table);
    return wg_estimator_fit(&(wg_dataset){.sparse = r->sparse, .y = wg_table_classes(r->table)},
                            &o);
}

wg_tensor *rows_predict(const wg_estimator *e, const rows *r)
{
    return r->sparse != NULL ? wg_estimator_predict(e, &(wg_dataset){.sparse = r->sparse})
                             : wg_estimator_predict(e, &(wg_dataset){.table = r->table});
}

wg_tensor *rows_probabilities(const wg_estimator *e, const rows *r)
{
    return r->sparse != NULL ? wg_estimator_predict_proba(e, &(wg_dataset){.sparse = r->sparse})
                             : wg_estimator_predict_proba(e, &(wg_dataset){.table = r->table});
}

wg_tensor *rows_classes(const wg_estimator *e, const rows *r)
{
    return wg_estimator_targets(e, &(wg_dataset){.table = r->table});
}
