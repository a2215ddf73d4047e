#include "models/optimizer_internal.h"

static void sgd_update_f32(const wg_optimizer *o, int64_t n, float *p, const float *g,
                           float *const state[])
{
    (void)state;
    float rate = (float)o->rate;
    for (int64_t i = 0; i < n; i++)
        p[i] -= rate * g[i];
}

static void sgd_update_f64(const wg_optimizer *o, int64_t n, double *p, const double *g,
                           double *const state[])
{
    (void)state;
    for (int64_t i = 0; i < n; i++)
        p[i] -= o->rate * g[i];
}

static const wg_optimizer_rule sgd_rule = {
    .name = "sgd", .update_f32 = sgd_update_f32, .update_f64 = sgd_update_f64};

wg_optimizer *wg_sgd_new(wg_tensor *const params[], int n, const wg_sgd_options *options)
{
    double rate = options != NULL && options->rate != 0 ? options->rate : 0.01;
    return wg_optimizer_new(&sgd_rule, params, n, rate, NULL, 0);
}
