/* A cache of a CSV or an svmlight file, whoever made it: its table, and a training on the rows that are
 * streamed. */
#include "models/estimator.h"
#include "models/files/csv_internal.h"
#include "models/files/svmlight_internal.h"
#include "tests/fuzz/harness.h"

enum { ROWS = 200, COLUMNS = 20 };

static void train(wg_tape *t, const wg_dataset *d, const wg_estimator_options *o)
{
    if (d->table->rows <= 0 || d->table->rows > ROWS || wg_dataset_columns(d) > COLUMNS ||
        d->table->class_count < 2)
        return;
    const wg_mark mark = wg_tape_mark(t);
    fuzz_extra = (size_t)1 << 24; /* of the training */
    wg_estimator_predict(wg_estimator_fit(d, o), d);
    wg_tape_rewind(t, mark);
}

void fuzz_read(wg_tape *t, const char *path)
{
    const wg_pipeline_step steps[] = {{.kind = WG_STEP_IMPUTE, .imputer.indicate = true},
                                      {.kind = WG_STEP_STANDARDIZE}};
    const wg_estimator_options o = {.pipeline = {.steps = steps, .n_steps = 2}, .fit.epochs = 2};
    const wg_mark mark = wg_tape_mark(t);
    wg_csv_cache c;
    wg_svmlight_cache s;
    wg_csv_cache_load(&c, t, path);
    train(t, &(wg_dataset){.table = c.table}, &o);
    wg_csv_cache_close(&c);
    if (wg_tape_status(t) != WG_E_FORMAT)
        return;
    wg_tape_rewind(t, mark);
    wg_svmlight_cache_load(&s, t, path);
    train(t, &(wg_dataset){.table = s.table, .sparse = s.features},
          &(wg_estimator_options){.fit.epochs = 2});
    wg_svmlight_cache_close(&s);
}
