/* Adam and AdamW: steps by averages of the gradient and of its square. */
#include "models/optim/optimizer_internal.h"

#include "ops/elementwise.h"

#include <math.h>

/* c[0]: rate / (1 - beta1^k); c[1]: 1 / sqrt(1 - beta2^k); c[2], c[3]: the betas; c[4]: epsilon */
static void adam_prepare(const void *given, double rate, int64_t k, double c[])
{
    const wg_adam_options *options = given;
    c[0] = rate / (1 - pow(options->beta1, (double)k));
    c[1] = 1 / sqrt(1 - pow(options->beta2, (double)k));
    c[2] = options->beta1;
    c[3] = options->beta2;
    c[4] = options->epsilon;
}

/* Each element is read and written once: the step is as fast as memory is. 1 - beta is rounded to
 * `real` from double, as in PyTorch. `keep` comes before the root of `square`. */
#define ADAM_ELEMENTS(real, root, keep, square)                                                    \
    const real step = (real)c[0], unbias = (real)c[1], epsilon = (real)c[4];                       \
    const real beta1 = (real)c[2], rest1 = (real)(1 - c[2]);                                       \
    const real beta2 = (real)c[3], rest2 = (real)(1 - c[3]);                                       \
    for (int64_t i = 0; i < n; i++) {                                                              \
        u[i] = beta1 * u[i] + rest1 * g[i];                                                        \
        v[i] = beta2 * v[i] + rest2 * g[i] * g[i];                                                 \
        keep;                                                                                      \
        p[i] -= step * u[i] / (root(square) * unbias + epsilon);                                   \
    }

/* AMSGrad: a NaN in v stays, until v has none. */
#define ADAM_UPDATE(name, real, root)                                                              \
    static void name##_plain(int64_t n, real *restrict p, const real *restrict g,                  \
                             real *restrict u, real *restrict v, const double c[])                 \
    {                                                                                              \
        ADAM_ELEMENTS(real, root, (void)0, v[i])                                                   \
    }                                                                                              \
                                                                                                   \
    static void name##_amsgrad(int64_t n, real *restrict p, const real *restrict g,                \
                               real *restrict u, real *restrict v, real *restrict w,               \
                               const double c[])                                                   \
    {                                                                                              \
        ADAM_ELEMENTS(real, root, w[i] = w[i] > v[i] ? w[i] : v[i], w[i])                          \
    }                                                                                              \
                                                                                                   \
    static void name(int64_t n, real *p, const real *g, real *const s[], const double c[])         \
    {                                                                                              \
        if (s[2] == NULL)                                                                          \
            name##_plain(n, p, g, s[0], s[1], c);                                                  \
        else                                                                                       \
            name##_amsgrad(n, p, g, s[0], s[1], s[2], c);                                          \
    }

ADAM_UPDATE(adam_update_f32, float, sqrtf)
ADAM_UPDATE(adam_update_f64, double, sqrt)

/* 1 - beta^k, which cancels for beta near 1. */
static wg_tensor *adam_bias(wg_tensor *k, double beta)
{
    return wg_neg(wg_expm1(wg_scale(k, log(beta))));
}

/* beta a + (1 - beta) b */
static wg_tensor *adam_average(wg_tensor *a, wg_tensor *b, double beta)
{
    wg_tensor *old = wg_scale(a, beta);
    return wg_add(old, wg_scale(b, 1 - beta));
}

static wg_tensor *adam_record(const void *given, wg_optimizer_record_job *job)
{
    const wg_adam_options *options = given;
    if (job->shared[0] == NULL) {
        job->shared[0] = wg_reciprocal(adam_bias(job->steps, options->beta1));
        job->shared[1] = wg_rsqrt(adam_bias(job->steps, options->beta2));
    }
    wg_tensor *step = wg_scale(job->shared[0], job->rate), *unbias = job->shared[1];
    wg_tensor *u = job->next[0] = adam_average(job->state[0], job->g, options->beta1);
    wg_tensor *v = job->next[1] = adam_average(job->state[1], wg_square(job->g), options->beta2);
    if (job->state[2] != NULL)
        v = job->next[2] = wg_maximum(v, job->state[2]);
    wg_tensor *below = wg_shift(wg_mul(wg_sqrt(v), unbias), options->epsilon);
    return wg_sub(job->p, wg_div(wg_mul(u, step), below));
}

static const wg_optimizer_rule adam_rules[] = {
    {.name = "adam",
     .slot = {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"},
     .prepare = adam_prepare,
     .update_f32 = adam_update_f32,
     .update_f64 = adam_update_f64,
     .record = adam_record,
     .record_counts = true},
    {.name = "adamw",
     .slot = {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"},
     .prepare = adam_prepare,
     .update_f32 = adam_update_f32,
     .update_f64 = adam_update_f64,
     .record = adam_record,
     .record_counts = true},
};

static wg_optimizer *adam_new(wg_tensor *const params[], int n, const wg_adam_options *options,
                              bool decoupled)
{
    wg_adam_options o = {0};
    if (options != NULL)
        o = *options;
    o.beta1 = wg_option(o.beta1, 0.9);
    o.beta2 = wg_option(o.beta2, 0.999);
    o.epsilon = wg_option(o.epsilon, 1e-8);
    return wg_optimizer_new(
        &(wg_optimizer_plan){
            .rule = &adam_rules[decoupled],
            .options = &o,
            .options_size = sizeof o,
            .range = {{"beta1", o.beta1, 1},
                      {"beta2", o.beta2, 1},
                      {"epsilon", o.epsilon, HUGE_VAL}},
            .use = {true, true, o.amsgrad},
            .rate = wg_option(o.rate, 0.001),
            .weight_decay = decoupled ? wg_option(o.weight_decay, 0.01) : o.weight_decay,
            .decoupled = decoupled,
            .decay_all = o.decay_all,
        },
        params, n);
}

wg_optimizer *wg_adam_new(wg_tensor *const params[], int n, const wg_adam_options *options)
{
    return adam_new(params, n, options, false);
}

wg_optimizer *wg_adamw_new(wg_tensor *const params[], int n, const wg_adam_options *options)
{
    return adam_new(params, n, options, true);
}
