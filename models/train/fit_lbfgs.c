/* Training by L-BFGS. */
#include "models/train/fit_lbfgs.h"

#include "autograd/op.h"
#include "models/train/fit_internal.h"

static void *fit_lbfgs_make(const wg_objective *f, const void *options)
{
    wg_lbfgs_options o = *(const wg_lbfgs_options *)options;
    const char *refused = o.iterations != 0        ? "iterations (epochs)"
                          : o.value_tolerance != 0 ? "value_tolerance (min_delta and patience)"
                                                   : NULL;
    if (refused != NULL)
        wg_fail(f->tape, WG_E_VALUE, "fit: lbfgs takes no option %s", refused);
    o.iterations = 1;
    return wg_lbfgs_new(f, &o);
}

static wg_optimum fit_lbfgs_run(void *minimizer, double x[])
{
    return wg_lbfgs_run(minimizer, x);
}

static bool fit_lbfgs_state(void *minimizer, int64_t i, wg_state_entry *entry)
{
    return wg_lbfgs_state(minimizer, i, entry);
}

wg_fit_result wg_fit_lbfgs(const wg_fit_model *model, const wg_dataset *data,
                           const wg_fit_options *options, const wg_lbfgs_options *lbfgs)
{
    static const wg_fit_minimizer kind = {
        .name = "lbfgs", .make = fit_lbfgs_make, .run = fit_lbfgs_run, .state = fit_lbfgs_state};
    static const wg_lbfgs_options defaults = {0};
    return wg_fit_whole(model, data, options, &kind, lbfgs != NULL ? lbfgs : &defaults);
}
