/* A cache of a CSV file, whoever made it: its table, and a training on the rows that are streamed. */
#include "models/estimator.h"
#include "models/files/csv_internal.h"
#include "tests/fuzz/harness.h"

enum { ROWS = 200, COLUMNS = 20 };

void fuzz_read(wg_tape *t, const char *path)
{
    const wg_pipeline_step steps[] = {{.kind = WG_STEP_IMPUTE, .imputer.indicate = true},
                                      {.kind = WG_STEP_STANDARDIZE}};
    const wg_estimator_options o = {.pipeline = {.steps = steps, .n_steps = 2}, .fit.epochs = 2};
    wg_csv_cache c;
    const wg_table *table = wg_csv_cache_load(&c, t, path);
    const wg_dataset d = {.table = table};
    if (table->rows > 0 && table->rows <= ROWS &&
        table->columns + table->string_columns <= COLUMNS && table->class_count > 1) {
        const wg_mark mark = wg_tape_mark(t);
        fuzz_extra = (size_t)1 << 24; /* of the training */
        wg_estimator_predict(wg_estimator_fit(&d, &o), &d);
        wg_tape_rewind(t, mark);
    }
    wg_csv_cache_close(&c);
}
