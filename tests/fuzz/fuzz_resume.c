#include "models/heads.h"
#include "models/mlp.h"
#include "models/train/fit.h"
#include "tests/fuzz/harness.h"

enum { ROWS = 6, COLUMNS = 2 };

/* A training goes on from the file as its checkpoint, or refuses it and leaves the parameters
 * alone. */
void fuzz_read(wg_tape *t, const char *path)
{
    wg_mlp *mlp = wg_mlp_new(t,
                             &(wg_mlp_options){.sizes = (int64_t[]){COLUMNS, 3, 2}, .n_sizes = 3});
    wg_tensor *X = wg_full(t, WG_DTYPE_DEFAULT, WG_SHAPE(ROWS, COLUMNS), 0.25);
    wg_tensor *y = wg_full(t, WG_I64, WG_SHAPE(ROWS), 1);
    const wg_fit_model model = wg_mlp_fit_model(mlp, &wg_head_softmax);
    const double before = wg_at(wg_params_get(mlp->params, "fc1.weight"), 0);
    wg_fit(&model, &(wg_dataset){.X = X, .y = y},
           &(wg_fit_options){.epochs = 2, .checkpoint = path, .resume = true});
    if (wg_tape_status(t) != WG_OK && wg_at(wg_params_get(mlp->params, "fc1.weight"), 0) != before)
        fuzz_die("a refused checkpoint changed a parameter", wg_tape_message(t));
}
