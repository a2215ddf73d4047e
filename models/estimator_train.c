/* How an estimator's model is trained: its methods by name, and which options they take. */
#include "models/estimator_internal.h"

#include "models/train/fit_minimize.h"

#include <math.h>
#include <string.h>

/* ---- Methods. -------------------------------------------------------------------------------- */

/* Either an optimizer for mini-batches, or a way to train by all rows at once. */
typedef struct estimator_method {
    const char *name;
    wg_optimizer *(*optimizer)(double rate, wg_tensor *const w[], int n);
    wg_fit_result (*fit)(const wg_fit_model *model, const wg_dataset *data,
                         const wg_fit_options *options);
} estimator_method;

static wg_optimizer *estimator_sgd(double rate, wg_tensor *const w[], int n)
{
    return wg_sgd_new(w, n, &(wg_sgd_options){.rate = rate});
}

static wg_optimizer *estimator_momentum(double rate, wg_tensor *const w[], int n)
{
    return wg_sgd_new(w, n, &(wg_sgd_options){.rate = rate, .momentum = 0.9, .nesterov = true});
}

static wg_optimizer *estimator_rmsprop(double rate, wg_tensor *const w[], int n)
{
    return wg_rmsprop_new(w, n, &(wg_rmsprop_options){.rate = rate});
}

static wg_optimizer *estimator_adam(double rate, wg_tensor *const w[], int n)
{
    return wg_adam_new(w, n, &(wg_adam_options){.rate = rate});
}

static wg_optimizer *estimator_adagrad(double rate, wg_tensor *const w[], int n)
{
    return wg_adagrad_new(w, n, &(wg_adagrad_options){.rate = rate});
}

static wg_optimizer *estimator_adamw(double rate, wg_tensor *const w[], int n)
{
    return wg_adamw_new(w, n, &(wg_adam_options){.rate = rate});
}

static wg_fit_result estimator_lbfgs(const wg_fit_model *model, const wg_dataset *data,
                                     const wg_fit_options *options)
{
    return wg_fit_minimize(model, data, options, NULL);
}

static wg_fit_result estimator_newton(const wg_fit_model *model, const wg_dataset *data,
                                      const wg_fit_options *options)
{
    return wg_fit_minimize(model, data, options, &(wg_minimizer_options){.method = WG_NEWTON});
}

static wg_fit_result estimator_proximal(const wg_fit_model *model, const wg_dataset *data,
                                        const wg_fit_options *options)
{
    return wg_fit_minimize(model, data, options, &(wg_minimizer_options){.method = WG_PROXIMAL});
}

static const estimator_method estimator_methods[] = {
    {"lbfgs", NULL, estimator_lbfgs},       {"newton", NULL, estimator_newton},
    {"proximal", NULL, estimator_proximal}, {"sgd", estimator_sgd, NULL},
    {"adagrad", estimator_adagrad, NULL},   {"momentum", estimator_momentum, NULL},
    {"rmsprop", estimator_rmsprop, NULL},   {"adam", estimator_adam, NULL},
    {"adamw", estimator_adamw, NULL},
};

static const estimator_method *estimator_method_of(const char *name)
{
    for (size_t i = 0; i < sizeof estimator_methods / sizeof *estimator_methods; i++)
        if (strcmp(name, estimator_methods[i].name) == 0)
            return &estimator_methods[i];
    return NULL;
}

/* ---- Training. ------------------------------------------------------------------------------- */

static bool estimator_method_fits(wg_tape *t, const estimator_method *m, const char *name,
                                  bool sparse, const wg_estimator_options *o)
{
    if (m == NULL)
        wg_fail(t, WG_E_VALUE, "estimator: there is no optimizer '%s'", name);
    else if (m->fit != NULL && (o->rate != 0 || o->dropout != 0))
        wg_fail(t, WG_E_VALUE, "estimator: %s takes no option %s", name,
                o->rate != 0 ? "rate" : "dropout");
    else if (m->fit == NULL && sparse)
        wg_fail(t, WG_E_VALUE,
                "estimator: sparse rows are trained on by all rows at once (lbfgs), not by '%s'",
                name);
    return wg_tape_status(t) == WG_OK;
}

/* The share of L1 in the penalty. */
static double estimator_l1_ratio(wg_tape *t, const wg_estimator_options *o)
{
    const char *penalty = o->penalty != NULL ? o->penalty : "l2";
    const bool elastic = strcmp(penalty, "elastic_net") == 0, l1 = strcmp(penalty, "l1") == 0;
    if (!elastic && !l1 && strcmp(penalty, "l2") != 0)
        wg_fail(t, WG_E_VALUE, "estimator: there is no penalty '%s' (l2, l1, elastic_net)",
                penalty);
    else if (o->l1_ratio != 0 && !elastic)
        wg_fail(t, WG_E_VALUE, "estimator: l1_ratio = %g is an option of elastic_net", o->l1_ratio);
    return l1 ? 1 : elastic ? (o->l1_ratio != 0 ? o->l1_ratio : 0.5) : 0;
}

void wg_estimator_train(wg_estimator *e, const wg_estimator_data *data,
                        const wg_estimator_options *o)
{
    wg_tape *t = e->tape;
    wg_fit_model model = wg_mlp_fit_model(e->mlp, e->head);
    bool sparse = data->d.sparse != NULL, hidden = e->mlp->options.n_sizes > 2;
    const double ratio = estimator_l1_ratio(t, o);
    const char *name = o->optimizer != NULL ? o->optimizer
                       : ratio > 0          ? "proximal"
                       : hidden && !sparse  ? "adam"
                                            : "lbfgs";
    const estimator_method *method = estimator_method_of(name);
    double C = o->C != 0 ? o->C : hidden ? (double)INFINITY : 1;
    if (!(C > 0) || !(o->rate >= 0))
        wg_fail(t, WG_E_VALUE, "estimator: C = %g, rate = %g", C, o->rate);
    if (wg_tape_status(t) != WG_OK || !estimator_method_fits(t, method, name, sparse, o))
        return;
    wg_fit_options fit = o->fit;
    fit.seed = o->seed;
    fit.C = C;
    fit.l2 = 0;
    fit.l1_ratio = ratio;
    fit.optimizer = NULL;
    wg_dataset d = {.sparse = data->d.sparse, .y = data->d.y};
    if (!sparse)
        d.X = wg_pipeline_apply(e->pipeline, data->X, data->strings);
    if (method->fit == NULL)
        fit.optimizer = method->optimizer(o->rate, model.params, model.n_params);
    e->fit = method->fit != NULL ? method->fit(&model, &d, &fit) : wg_fit(&model, &d, &fit);
}
