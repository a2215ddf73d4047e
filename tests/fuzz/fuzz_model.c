#include "models/estimator.h"
#include "models/files/csv.h"
#include "tests/fuzz/harness.h"

/* From CSV to a model and its predictions: whatever can be read is trained on for two epochs. */
void fuzz_read(wg_tape *t, const char *path)
{
    const wg_table *table = wg_csv_read(t, path, NULL);
    if (wg_tape_status(t) != WG_OK)
        return;
    const wg_mark mark = wg_tape_mark(t);
    const wg_dataset data = {.table = table};
    const wg_estimator_options options[] = {{.fit.epochs = 2},
                                            {.model = "regression", .fit.epochs = 2}};
    for (int i = 0; i < 2; i++) {
        const wg_estimator *e = wg_estimator_fit(&data, &options[i]);
        wg_estimator_predict(e, &data);
        wg_estimator_score(e, &data);
        wg_tape_rewind(t, mark);
    }
}
