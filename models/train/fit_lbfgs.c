#include "models/train/fit_lbfgs.h"

#include "autograd/compile/blocks.h"
#include "autograd/op.h"
#include "models/optim/minimize_internal.h"
#include "models/train/fit_internal.h"

#include <math.h>
#include <string.h>

/* Training by L-BFGS: one run of the minimizer is one iteration. */
typedef struct fit_lbfgs {
    wg_lbfgs *lbfgs;
    int64_t n; /* elements of all parameters */
    double *x; /* [n]: where it is; the parameters are this, rounded to their dtype */
    wg_objective objective;
    /* The last evaluation: a run begins with the one that the run before ended with. */
    bool evaluated;
    double *last_x, *last_gradient, last_value; /* [n], [n] */
    wg_optimum optimum;
} fit_lbfgs;

/* ---- The objective. --------------------------------------------------------------------------------- */

static double fit_lbfgs_value(const double x[], double g[], void *user)
{
    fit_lbfgs *m = user;
    size_t bytes = (size_t)m->n * sizeof *x;
    if (!m->evaluated || memcmp(x, m->last_x, bytes) != 0) {
        m->last_value = m->objective.value_and_gradient(x, m->last_gradient, m->objective.user);
        memcpy(m->last_x, x, bytes);
        m->evaluated = true;
        m->optimum.evaluations++;
    }
    memcpy(g, m->last_gradient, bytes);
    return m->last_value;
}

static wg_tensor *fit_lbfgs_block(wg_tape *t, wg_tensor *const rows[], void *user)
{
    const wg_fit_run *run = user;
    (void)t;
    wg_tensor *Z = run->model->logits(run->model->user, rows[0], true);
    wg_tensor *weights = run->rows.weights != NULL ? rows[2] : NULL;
    return wg_link_loss_sum(run->model->link, Z, rows[1], weights);
}

/* The mean loss with the penalty: over blocks of rows, which have to be leaves or constants; of sparse rows, over
 * all at once. */
static wg_objective fit_lbfgs_objective(wg_fit_run *run)
{
    const wg_fit_rows *r = &run->rows;
    wg_tensor *X = r->X.dense;
    if (r->X.sparse != NULL)
        return wg_objective_new(wg_fit_loss_of(run->model, wg_fit_logits(run->model, r->X, true),
                                               r->targets, r->weights, run->o.l2),
                                run->model->params, run->model->n_params, false);
    if (X->n_operands > 0 && (X->state & WG_NODE_LIVE) != 0)
        X = wg_constant(run->tape, X->dtype, X->shape.ndim, X->shape.dim, X->data);
    wg_tensor *rows[] = {X, r->targets, r->weights};
    wg_blocks_options o = {.scale = 1 / (double)r->n,
                           .penalty = wg_fit_penalty(run->model, run->o.l2)};
    return wg_objective_blocks(wg_blocks_new(rows, r->weights != NULL ? 3 : 2, run->model->params,
                                             run->model->n_params, fit_lbfgs_block, run, &o));
}

/* ---- The method. ------------------------------------------------------------------------------------ */

/* One iteration. */
static bool fit_lbfgs_epoch(wg_fit_run *run, double row[FIT_COLUMNS])
{
    fit_lbfgs *m = run->method;
    wg_optimum o = wg_lbfgs_run(m->lbfgs, m->x);
    if (o.stop == WG_STOP_NOT_FINITE)
        wg_fail(run->tape, WG_E_NOT_FINITE, "fit: lbfgs: %s", wg_stop_text(o.stop));
    m->optimum.stop = o.stop;
    m->optimum.iterations += o.iterations;
    m->optimum.value = o.value;
    m->optimum.gradient_norm = o.gradient_norm;
    row[FIT_LOSS] = o.value;
    row[FIT_ACCURACY] = row[FIT_RATE] = (double)NAN;
    return o.iterations > 0;
}

static bool fit_lbfgs_entry(void *method, int64_t i, wg_state_entry *entry)
{
    fit_lbfgs *m = method;
    if (i > 0)
        return wg_lbfgs_state(m->lbfgs, i - 1, entry);
    *entry = (wg_state_entry){"lbfgs.x", WG_F64, {.ndim = 1, .dim = {m->n}}, m->x};
    return true;
}

static bool fit_lbfgs_options_fit(wg_tape *t, const wg_fit_model *model, const wg_fit_options *o,
                                  const wg_lbfgs_options *lbfgs)
{
    const char *refused = o->batch != 0                              ? "option batch"
                          : o->optimizer != NULL                     ? "option optimizer"
                          : o->schedule != NULL                      ? "option schedule"
                          : model != NULL && model->set_step != NULL ? "dropout (set_step)"
                          : lbfgs->iterations != 0                   ? "option iterations (epochs)"
                          : lbfgs->value_tolerance != 0
                              ? "option value_tolerance (min_delta and patience)"
                              : NULL;
    if (refused != NULL)
        wg_fail(t, WG_E_VALUE, "fit: lbfgs takes no %s", refused);
    return t != NULL && wg_tape_status(t) == WG_OK;
}

/* Vectors, and a minimizer of what is recorded later. */
static bool fit_lbfgs_new(wg_fit_run *run, fit_lbfgs *m, const wg_lbfgs_options *options)
{
    wg_tape *t = run->tape;
    m->n = wg_params_size(run->model->params, run->model->n_params);
    size_t bytes = (size_t)m->n * sizeof(double);
    m->x = wg_tape_take(t, bytes);
    m->last_x = wg_tape_take(t, bytes);
    m->last_gradient = wg_tape_take(t, bytes);
    if (wg_tape_status(t) != WG_OK)
        return false;
    wg_params_to_vector(run->model->params, run->model->n_params, m->x);
    wg_lbfgs_options o = *options;
    o.iterations = 1;
    wg_objective f = {.tape = t,
                      .n = m->n,
                      .noise = wg_objective_noise(wg_dtype_of(run->model->params[0])),
                      .value_and_gradient = fit_lbfgs_value,
                      .user = m};
    m->lbfgs = wg_lbfgs_new(&f, &o);
    return wg_tape_status(t) == WG_OK;
}

static bool fit_lbfgs_prepare(wg_fit_run *run, const wg_lbfgs_options *options)
{
    fit_lbfgs *m = run->method;
    if (!fit_lbfgs_new(run, m, options) || !wg_fit_resume(run))
        return false;
    m->objective = fit_lbfgs_objective(run);
    return wg_tape_status(run->tape) == WG_OK;
}

static wg_fit_result fit_lbfgs_train(const wg_fit_model *model, wg_fit_features X, wg_tensor *y,
                                     const wg_fit_options *options, const wg_lbfgs_options *lbfgs)
{
    const wg_lbfgs_options defaults = {0};
    const wg_tensor *values = wg_fit_values(X);
    fit_lbfgs m = {.lbfgs = NULL};
    wg_fit_run run = {.method = &m, .epoch = fit_lbfgs_epoch, .entry = fit_lbfgs_entry};
    lbfgs = lbfgs != NULL ? lbfgs : &defaults;
    if (options != NULL)
        run.o = *options;
    run.o.epochs = run.o.epochs != 0 ? run.o.epochs : 1000;
    if (!fit_lbfgs_options_fit(values != NULL ? values->tape : NULL, model, &run.o, lbfgs))
        return (wg_fit_result){.stop = WG_FIT_ERROR};
    if (wg_fit_start(&run, model, X, y) && fit_lbfgs_prepare(&run, lbfgs))
        wg_fit_loop(&run);
    wg_fit_result result = wg_fit_end(&run);
    if (result.stop != WG_FIT_ERROR)
        result.optimum = m.optimum;
    if (result.stop == WG_FIT_CONVERGED && result.epochs == 0)
        result.best_loss = m.optimum.value;
    return result;
}

wg_fit_result wg_fit_lbfgs(const wg_fit_model *model, wg_tensor *X, wg_tensor *y,
                           const wg_fit_options *options, const wg_lbfgs_options *lbfgs)
{
    return fit_lbfgs_train(model, (wg_fit_features){.dense = X}, y, options, lbfgs);
}

wg_fit_result wg_fit_lbfgs_csr(const wg_fit_model *model, const wg_csr *X, wg_tensor *y,
                               const wg_fit_options *options, const wg_lbfgs_options *lbfgs)
{
    if (X == NULL || (model != NULL && model->logits_csr == NULL)) {
        wg_fail(y != NULL ? y->tape : NULL, WG_E_NULL,
                "fit: no sparse rows, or a model that takes none (logits_csr)");
        return (wg_fit_result){.stop = WG_FIT_ERROR};
    }
    return fit_lbfgs_train(model, (wg_fit_features){.sparse = X}, y, options, lbfgs);
}
