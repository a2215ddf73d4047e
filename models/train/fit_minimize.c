/* Training by all rows at once: the mean loss and the penalty as an objective, which a minimizer
 * takes one iteration an epoch. */
#include "models/train/fit_internal.h"

#include "autograd/compile/blocks.h"
#include "autograd/op.h"
#include "models/optim/minimize_internal.h"
#include "models/optim/optimizer_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct fit_minimize {
    wg_minimizer_options o; /* of one iteration a run */
    const char *name;       /* of the method */
    wg_minimizer *minimizer;
    int64_t n; /* elements of all parameters */
    double
        *x; /* [n]: where it is; the parameters are what follows from it, rounded to their dtype */
    char x_name[32];
    wg_fit_coordinates coordinates; /* of x */
    double *parameters;             /* [n]: of an x, or along a direction */
    wg_objective objective;
    /* The last evaluation: a run begins with the one that the run before ended with. */
    bool evaluated;
    double *last_x, *last_gradient, last_value; /* [n], [n] */
    wg_optimum optimum;
} fit_minimize;

/* ---- The objective. -------------------------------------------------------------------------- */

static double fit_minimize_value(const double x[], double g[], void *user)
{
    fit_minimize *m = user;
    size_t bytes = (size_t)m->n * sizeof *x;
    if (!m->evaluated || memcmp(x, m->last_x, bytes) != 0) {
        memcpy(m->parameters, x, bytes);
        wg_fit_coordinates_to(&m->coordinates, m->parameters);
        m->last_value = m->objective.value_and_gradient(m->parameters, m->last_gradient,
                                                        m->objective.user);
        memcpy(m->last_x, x, bytes);
        m->evaluated = true;
        m->optimum.evaluations++;
    }
    memcpy(g, m->last_gradient, bytes);
    wg_fit_coordinates_gradient(&m->coordinates, g);
    return m->last_value;
}

static void fit_minimize_product(const double v[], double hv[], void *user)
{
    fit_minimize *m = user;
    memcpy(m->parameters, v, (size_t)m->n * sizeof *v);
    wg_fit_coordinates_to(&m->coordinates, m->parameters);
    m->objective.hessian_product(m->parameters, hv, m->objective.user);
    wg_fit_coordinates_gradient(&m->coordinates, hv);
}

static void fit_minimize_hessian(double h[], void *user)
{
    fit_minimize *m = user;
    m->objective.hessian(h, m->objective.user);
    wg_fit_coordinates_hessian(&m->coordinates, h, m->n);
}

static wg_tensor *fit_minimize_block(wg_tape *t, wg_tensor *const rows[], void *user)
{
    const wg_fit_run *run = user;
    const wg_dataset block = {.X = rows[0]};
    (void)t;
    wg_tensor *Z = wg_fit_outputs(run->model, &block, true);
    wg_tensor *weights = run->rows.weights != NULL ? rows[2] : NULL;
    return run->model->head->loss(Z, rows[1], weights, WG_SUM);
}

/* Rows of a block where a row's outputs are wider than what it is made of; 0: as many as X says. */
static int64_t fit_minimize_block_rows(const wg_fit_run *run)
{
    const wg_tensor *X = run->rows.train.X;
    const int64_t size = (int64_t)wg_dtype_size(X->dtype), k = run->rows.k;
    const int64_t width = (int64_t)wg_row_bytes(X) / size, rows = (512 << 10) / size / k;
    return k <= width ? 0 : rows > 0 ? rows : 1;
}

/* The mean loss with the penalty: over blocks of rows, which have to be leaves or constants. */
static wg_objective fit_minimize_objective(wg_fit_run *run, bool curvature)
{
    const wg_fit_rows *r = &run->rows;
    const wg_fit_model *model = run->model;
    wg_tensor *X = r->train.X;
    if (r->train.sparse != NULL)
        return wg_objective_blocks(wg_fit_sparse_blocks(run), curvature);
    if (X->n_operands > 0 && (X->state & WG_NODE_LIVE) != 0)
        X = wg_constant(run->tape, X->dtype, X->shape.ndim, X->shape.dim, X->data);
    wg_tensor *rows[] = {X, r->targets, r->weights};
    wg_blocks_options o = {.rows = fit_minimize_block_rows(run),
                           .scale = 1 / (double)r->n,
                           .penalty = wg_l2_penalty(model->params, model->n_params, run->l2)};
    wg_blocks *blocks = wg_blocks_new(rows, r->weights != NULL ? 3 : 2, model->params,
                                      model->n_params, fit_minimize_block, run, &o);
    return wg_objective_blocks(blocks, curvature);
}

/* ---- The method. ----------------------------------------------------------------------------- */

/* One iteration. */
static bool fit_minimize_epoch(wg_fit_run *run, double row[])
{
    fit_minimize *m = run->method;
    wg_optimum o = wg_minimizer_run(m->minimizer, m->x);
    if (o.stop == WG_STOP_NOT_FINITE && wg_dataset_finite(&run->rows.train, false, "fit"))
        wg_fail(run->tape, WG_E_NOT_FINITE, "fit: %s: %s", m->name, wg_stop_text(o.stop));
    if (m->optimum.iterations == 0)
        m->optimum.start = o.start;
    m->optimum.stop = o.stop;
    m->optimum.iterations += o.iterations;
    m->optimum.products += o.products;
    m->optimum.value = o.value;
    m->optimum.gradient_norm = o.gradient_norm;
    row[FIT_LOSS] = o.value;
    row[FIT_ACCURACY] = row[FIT_RATE] = (double)NAN;
    const double *gradient = m->last_gradient;
    for (int i = 0; i < run->model->n_params; gradient += run->model->params[i++]->size)
        row[FIT_COLUMNS + i] = sqrt(
            wg_sum_of_squares(WG_F64, run->model->params[i]->size, gradient));
    return o.iterations > 0;
}

static bool fit_minimize_entry(void *method, int64_t i, wg_state_entry *entry)
{
    fit_minimize *m = method;
    if (i > 0)
        return wg_minimizer_state(m->minimizer, i - 1, entry);
    *entry = (wg_state_entry){m->x_name, WG_F64, {.ndim = 1, .dim = {m->n}}, m->x};
    return true;
}

static void fit_minimize_options_fit(wg_tape *t, const fit_minimize *m, const wg_fit_model *model,
                                     const wg_fit_options *o)
{
    const char *refused = o->batch != 0          ? "option batch"
                          : m->o.iterations != 0 ? "option iterations (epochs)"
                          : m->o.value_tolerance != 0
                              ? "option value_tolerance (min_delta and patience)"
                          : o->optimizer != NULL                     ? "option optimizer"
                          : o->schedule != NULL                      ? "option schedule"
                          : model != NULL && model->set_step != NULL ? "dropout (set_step)"
                                                                     : NULL;
    if (refused != NULL)
        wg_fail(t, WG_E_VALUE, "fit: %s takes no %s", m->name, refused);
}

/* Vectors, and a minimizer of what is recorded later. */
static void fit_minimize_new(wg_fit_run *run, fit_minimize *m)
{
    wg_tape *t = run->tape;
    m->n = wg_params_size(run->model->params, run->model->n_params);
    size_t bytes = (size_t)m->n * sizeof(double);
    m->x = wg_tape_take(t, bytes);
    m->last_x = wg_tape_take(t, bytes);
    m->last_gradient = wg_tape_take(t, bytes);
    m->parameters = wg_tape_take(t, bytes);
    if (wg_ranks_agree(t, 0, "") != WG_OK ||
        (m->o.method != WG_PROXIMAL && !wg_fit_coordinates_new(&m->coordinates, run)))
        return;
    wg_params_to_vector(run->model->params, run->model->n_params, m->x);
    wg_fit_coordinates_from(&m->coordinates, m->x);
    wg_objective f = {.tape = t,
                      .n = m->n,
                      .noise = wg_objective_noise(wg_dtype_of(run->model->params[0])),
                      .value_and_gradient = fit_minimize_value,
                      .hessian_product = fit_minimize_product,
                      .hessian = fit_minimize_hessian,
                      .user = m};
    wg_minimizer_options o = m->o;
    o.iterations = 1;
    if (o.method == WG_PROXIMAL && o.penalized == NULL)
        o.penalized = wg_params_penalized(t, run->model->params, run->model->n_params);
    if (run->l1 > 0)
        o.l1 = run->l1;
    m->minimizer = wg_minimizer_new(&f, &o);
}

static bool fit_minimize_prepare(wg_fit_run *run)
{
    fit_minimize *m = run->method;
    const bool curvature = m->o.method == WG_NEWTON || m->o.method == WG_NEWTON_EXACT;
    fit_minimize_new(run, m);
    if (!wg_fit_resume(run))
        return false;
    m->objective = fit_minimize_objective(run, curvature);
    return wg_tape_status(run->tape) == WG_OK;
}

wg_fit_result wg_fit_minimize(const wg_fit_model *model, const wg_dataset *data,
                              const wg_fit_options *options, const wg_minimizer_options *minimizer)
{
    static const char *const names[] = {[WG_LBFGS] = "lbfgs",
                                        [WG_NEWTON] = "newton",
                                        [WG_NEWTON_EXACT] = "newton",
                                        [WG_PROXIMAL] = "proximal"};
    fit_minimize m = {.name = "minimizer"};
    wg_fit_run run = {.method = &m, .epoch = fit_minimize_epoch, .entry = fit_minimize_entry};
    const wg_dataset d = wg_dataset_numbers(data);
    if (minimizer != NULL)
        m.o = *minimizer;
    if ((unsigned)m.o.method < sizeof names / sizeof *names)
        m.name = names[m.o.method];
    snprintf(m.x_name, sizeof m.x_name, "%s.point", m.name);
    if (options != NULL)
        run.o = *options;
    if (run.o.epochs == 0)
        run.o.epochs = m.o.method == WG_PROXIMAL ? 10000 : 1000;
    fit_minimize_options_fit(wg_dataset_tape(&d), &m, model, &run.o);
    run.method_hash = wg_fit_identity_of_minimizer(&m.o);
    if (wg_fit_start(&run, model, &d) && fit_minimize_prepare(&run))
        wg_fit_loop(&run);
    wg_fit_result result = wg_fit_end(&run);
    if (result.stop != WG_FIT_ERROR)
        result.optimum = m.optimum;
    return result;
}
