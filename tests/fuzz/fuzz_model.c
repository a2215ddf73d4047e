#include "models/estimator.h"
#include "models/files/csv.h"
#include "tests/fuzz/harness.h"

/* What training may take: L-BFGS keeps 24 vectors of the weights, and a pass over the rows some 12
 * matrices of their features and classes; the arena as much again. A matrix product packs parts of
 * its operands, 105 KB for the tape and for the program each. */
static size_t needed(const wg_table *table)
{
    const size_t rows = (size_t)table->rows, classes = (size_t)table->class_count + 1;
    const size_t features = (size_t)(table->columns + table->rows * table->string_columns) + 1;
    return 250000 +
           2 * sizeof(double) * (24 * features * classes + 12 * rows * (features + classes));
}

/* From CSV to a model and its predictions: whatever can be read is trained on for two epochs. */
void fuzz_read(wg_tape *t, const char *path)
{
    const wg_table *table = wg_csv_read(t, path, NULL);
    if (wg_tape_status(t) != WG_OK)
        return;
    fuzz_extra = needed(table);
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
