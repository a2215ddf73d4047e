/* RMSProp: steps by an average of the squared gradient, centered and with momentum on request. */
#include "models/optim/optimizer_internal.h"

#include "ops/elementwise.h"

#include <math.h>

/* c[0]: rate; c[1], c[2]: alpha, 1 - alpha; c[3]: epsilon; c[4]: momentum */
static void rmsprop_prepare(const void *given, double rate, int64_t k, double c[])
{
    const wg_rmsprop_options *options = given;
    (void)k;
    c[0] = rate;
    c[1] = options->alpha;
    c[2] = 1 - options->alpha;
    c[3] = options->epsilon;
    c[4] = options->momentum;
}

/* One pass for what the plain rule, the centered one and each with momentum have in common would
 * branch in its loop: the scaled gradient g / s is made first, in a piece that stays in the nearest
 * cache. */
#define RMSPROP_UPDATE(name, real, root)                                                           \
    static void name##_scale(int64_t n, const real *restrict g, real *restrict v,                  \
                             real *restrict scaled, const double c[])                              \
    {                                                                                              \
        const real alpha = (real)c[1], rest = (real)c[2], epsilon = (real)c[3];                    \
        for (int64_t i = 0; i < n; i++) {                                                          \
            v[i] = alpha * v[i] + rest * g[i] * g[i];                                              \
            scaled[i] = g[i] / (root(v[i]) + epsilon);                                             \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    static void name##_scale_centered(int64_t n, const real *restrict g, real *restrict v,         \
                                      real *restrict u, real *restrict scaled, const double c[])   \
    {                                                                                              \
        const real alpha = (real)c[1], rest = (real)c[2], epsilon = (real)c[3];                    \
        for (int64_t i = 0; i < n; i++) {                                                          \
            v[i] = alpha * v[i] + rest * g[i] * g[i];                                              \
            u[i] = alpha * u[i] + rest * g[i];                                                     \
            real variance = v[i] - u[i] * u[i];                                                    \
            variance = variance < 0 ? 0 : variance; /* rounded; a NaN stays */                     \
            scaled[i] = g[i] / (root(variance) + epsilon);                                         \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    static void name##_move(int64_t n, real *restrict p, const real *restrict scaled,              \
                            real *restrict b, const double c[])                                    \
    {                                                                                              \
        const real rate = (real)c[0], momentum = (real)c[4];                                       \
        for (int64_t i = 0; b != NULL && i < n; i++)                                               \
            b[i] = momentum * b[i] + scaled[i];                                                    \
        const real *restrict step = b != NULL ? b : scaled;                                        \
        for (int64_t i = 0; i < n; i++)                                                            \
            p[i] -= rate * step[i];                                                                \
    }                                                                                              \
                                                                                                   \
    static void name(int64_t n, real *p, const real *g, real *const s[], const double c[])         \
    {                                                                                              \
        real scaled[RMSPROP_PIECE];                                                                \
        for (int64_t at = 0; at < n; at += RMSPROP_PIECE) {                                        \
            const int64_t k = n - at < RMSPROP_PIECE ? n - at : RMSPROP_PIECE;                     \
            if (s[1] == NULL)                                                                      \
                name##_scale(k, g + at, s[0] + at, scaled, c);                                     \
            else                                                                                   \
                name##_scale_centered(k, g + at, s[0] + at, s[1] + at, scaled, c);                 \
            name##_move(k, p + at, scaled, s[2] != NULL ? s[2] + at : NULL, c);                    \
        }                                                                                          \
    }

enum { RMSPROP_PIECE = 256 };

RMSPROP_UPDATE(rmsprop_update_f32, float, sqrtf)
RMSPROP_UPDATE(rmsprop_update_f64, double, sqrt)

static wg_tensor *rmsprop_average(wg_tensor *a, wg_tensor *b, double alpha)
{
    wg_tensor *old = wg_scale(a, alpha);
    return wg_add(old, wg_scale(b, 1 - alpha));
}

static wg_tensor *rmsprop_record(const void *given, wg_optimizer_record_job *job)
{
    const wg_rmsprop_options *options = given;
    wg_tensor *v = job->next[0] = rmsprop_average(job->state[0], wg_square(job->g), options->alpha);
    if (job->state[1] != NULL) {
        wg_tensor *u = job->next[1] = rmsprop_average(job->state[1], job->g, options->alpha);
        v = wg_relu(wg_sub(v, wg_square(u)));
    }
    wg_tensor *step = wg_div(job->g, wg_shift(wg_sqrt(v), options->epsilon));
    if (job->state[2] != NULL)
        step = job->next[2] = wg_add(wg_scale(job->state[2], options->momentum), step);
    return wg_sub(job->p, wg_scale(step, job->rate));
}

static const wg_optimizer_rule rmsprop_rule = {
    .name = "rmsprop",
    .slot = {"square_avg", "grad_avg", "momentum_buffer"},
    .prepare = rmsprop_prepare,
    .update_f32 = rmsprop_update_f32,
    .update_f64 = rmsprop_update_f64,
    .record = rmsprop_record};

wg_optimizer *wg_rmsprop_new(wg_tensor *const params[], int n, const wg_rmsprop_options *options)
{
    wg_rmsprop_options o = {0};
    if (options != NULL)
        o = *options;
    o.alpha = wg_option(o.alpha, 0.99);
    o.epsilon = wg_option(o.epsilon, 1e-8);
    return wg_optimizer_new(
        &(wg_optimizer_plan){
            .rule = &rmsprop_rule,
            .options = &o,
            .options_size = sizeof o,
            .range = {{"alpha", o.alpha, 1},
                      {"epsilon", o.epsilon, HUGE_VAL},
                      {"momentum", o.momentum, HUGE_VAL}},
            .use = {true, o.centered, o.momentum > 0},
            .rate = wg_option(o.rate, 0.01),
            .weight_decay = o.weight_decay,
            .decay_all = o.decay_all,
        },
        params, n);
}
