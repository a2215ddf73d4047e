/* Adagrad: each element's rate falls with the sum of its squared gradients. */
#include "models/optim/optimizer_internal.h"

#include <math.h>

/* c[0]: rate / (1 + (k - 1) rate_decay); c[1]: epsilon */
static void adagrad_prepare(const void *given, double rate, int64_t k, double c[])
{
    const wg_adagrad_options *options = given;
    c[0] = rate / (1 + (double)(k - 1) * options->rate_decay);
    c[1] = options->epsilon;
}

#define ADAGRAD_UPDATE(name, real, root)                                                           \
    static void name(int64_t n, real *restrict p, const real *restrict g, real *const s[],         \
                     const double c[])                                                             \
    {                                                                                              \
        real *restrict sum = s[0];                                                                 \
        const real rate = (real)c[0], epsilon = (real)c[1];                                        \
        for (int64_t i = 0; i < n; i++) {                                                          \
            sum[i] += g[i] * g[i];                                                                 \
            p[i] -= rate * g[i] / (root(sum[i]) + epsilon);                                        \
        }                                                                                          \
    }

ADAGRAD_UPDATE(adagrad_update_f32, float, sqrtf)
ADAGRAD_UPDATE(adagrad_update_f64, double, sqrt)
#undef ADAGRAD_UPDATE

static const wg_optimizer_rule adagrad_rule = {.name = "adagrad",
                                               .slot = {"sum"},
                                               .prepare = adagrad_prepare,
                                               .update_f32 = adagrad_update_f32,
                                               .update_f64 = adagrad_update_f64};

wg_optimizer *wg_adagrad_new(wg_tensor *const params[], int n, const wg_adagrad_options *options)
{
    wg_adagrad_options o = {0};
    if (options != NULL)
        o = *options;
    o.epsilon = wg_option(o.epsilon, 1e-10);
    return wg_optimizer_new(
        &(wg_optimizer_plan){
            .rule = &adagrad_rule,
            .options = &o,
            .options_size = sizeof o,
            .range = {{"rate_decay", o.rate_decay, HUGE_VAL},
                      {"start", o.start, HUGE_VAL},
                      {"epsilon", o.epsilon, HUGE_VAL}},
            .use = {true},
            .start = o.start,
            .rate = wg_option(o.rate, 0.01),
            .weight_decay = o.weight_decay,
            .decay_all = o.decay_all,
        },
        params, n);
}
