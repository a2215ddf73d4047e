#include "rows.h"

#include <string.h>

rows rows_read(wg_tape *t, const char *path, const rows_options *o)
{
    wg_csv_options csv = {.label = o->label,
                          .no_label = o->no_label,
                          .texts = o->categories,
                          .header = o->no_header ? WG_CSV_HEADER_ABSENT : WG_CSV_HEADER,
                          .missing = o->drop_missing ? WG_CSV_MISSING_DROP : WG_CSV_MISSING_ERROR,
                          .f32 = o->f32};
    return (rows){.table = wg_csv_read(t, path, &csv)};
}

rows rows_take(const rows *all, const wg_tensor *which)
{
    return (rows){.table = wg_table_take(all->table, which)};
}

int64_t rows_count(const rows *r)
{
    return wg_table_rows(r->table);
}

int64_t rows_columns(const rows *r)
{
    return wg_table_columns(r->table) + wg_table_text_columns(r->table);
}

wg_estimator *rows_fit(const rows *r, const wg_estimator_options *options)
{
    return wg_estimator_fit_table(r->table, options);
}

wg_tensor *rows_predict(const wg_estimator *e, const rows *r)
{
    return wg_estimator_predict_table(e, r->table);
}

wg_tensor *rows_probabilities(const wg_estimator *e, const rows *r)
{
    return wg_estimator_predict_proba_table(e, r->table);
}

wg_tensor *rows_classes(const wg_estimator *e, const rows *r)
{
    return wg_estimator_classes(e, r->table);
}
