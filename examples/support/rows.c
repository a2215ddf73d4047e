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
    return wg_svmlight_recognized(path);
}

wg_dataset rows_read(wg_tape *t, const char *path, const rows_options *o)
{
    wg_dataset r = {.X = NULL};
    if (rows_are_sparse(path)) {
        wg_svmlight_options svmlight = {.columns = o->columns, .f32 = o->f32};
        wg_csr *sparse = NULL;
        r.table = wg_svmlight_read(t, path, &svmlight, &sparse);
        r.sparse = sparse;
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
