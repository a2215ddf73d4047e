#include "models/estimator.h"
#include "ops/layout.h"
#include "tests/fuzz/harness.h"

/* An archive becomes an estimator that predicts, scores nothing it cannot, and is saved and loaded
 * again. */
void fuzz_read(wg_tape *t, const char *path)
{
    const wg_estimator *e = wg_estimator_load(t, path, NULL);
    const int64_t columns = e->columns;
    if (wg_tape_status(t) != WG_OK || columns > 100)
        return;
    const wg_mark mark = wg_tape_mark(t);
    wg_tensor *X = wg_full(t, e->dtype, WG_SHAPE(2, columns), 0.5);
    wg_estimator_predict(e, &(wg_dataset){.X = X});
    wg_estimator_predict_proba(e, &(wg_dataset){.X = X});
    wg_tape_rewind(t, mark);
    if (wg_estimator_save(e, path) == WG_OK)
        wg_estimator_load(t, path, NULL);
}
