/* Gradient descent, with momentum on request. */
#include "models/optim/optimizer_internal.h"

#include "ops/elementwise.h"

#include <math.h>

/* c[0]: rate; c[1]: momentum; c[2]: weight of the gradient in the buffer; c[3]:
 * is it Nesterov's? */
static void sgd_prepare(const void *given, double rate, int64_t k, double c[])
{
    const wg_sgd_options *options = given;
    c[0] = rate;
    c[1] = options->momentum;
    c[2] = k == 1 ? 1 : 1 - options->dampening; /* the first gradient is taken whole */
    c[3] = options->nesterov;
}

#define SGD_UPDATE(name, real)                                                                     \
    static void name##_plain(int64_t n, real *restrict p, const real *restrict g, real rate)       \
    {                                                                                              \
        for (int64_t i = 0; i < n; i++)                                                            \
            p[i] -= rate * g[i];                                                                   \
    }                                                                                              \
                                                                                                   \
    static void name(int64_t n, real *restrict p, const real *restrict g, real *const s[],         \
                     const double c[])                                                             \
    {                                                                                              \
        real *restrict b = s[0];                                                                   \
        const real rate = (real)c[0], momentum = (real)c[1], weight = (real)c[2];                  \
        if (b == NULL) {                                                                           \
            name##_plain(n, p, g, rate);                                                           \
            return;                                                                                \
        }                                                                                          \
        for (int64_t i = 0; i < n; i++)                                                            \
            b[i] = momentum * b[i] + weight * g[i];                                                \
        if (c[3] == 0)                                                                             \
            name##_plain(n, p, b, rate);                                                           \
        else                                                                                       \
            for (int64_t i = 0; i < n; i++)                                                        \
                p[i] -= rate * (g[i] + momentum * b[i]);                                           \
    }

SGD_UPDATE(sgd_update_f32, float)
SGD_UPDATE(sgd_update_f64, double)

static wg_tensor *sgd_record(const void *given, wg_optimizer_record_job *job)
{
    const wg_sgd_options *options = given;
    wg_tensor *b = job->g;
    if (job->state[0] != NULL) {
        if (options->dampening != 0)
            return wg_fail(job->p->tape, WG_E_VALUE, "sgd: dampening is not recorded");
        b = job->next[0] = wg_add(wg_scale(job->state[0], options->momentum), job->g);
        if (options->nesterov)
            b = wg_add(job->g, wg_scale(b, options->momentum));
    }
    return wg_sub(job->p, wg_scale(b, job->rate));
}

static const wg_optimizer_rule sgd_rule = {.name = "sgd",
                                           .slot = {"momentum_buffer"},
                                           .prepare = sgd_prepare,
                                           .update_f32 = sgd_update_f32,
                                           .update_f64 = sgd_update_f64,
                                           .record = sgd_record};

wg_optimizer *wg_sgd_new(wg_tensor *const params[], int n, const wg_sgd_options *options)
{
    wg_sgd_options o = {0};
    if (options != NULL)
        o = *options;
    bool nesterov_fits = o.momentum > 0 && o.dampening == 0;
    return wg_optimizer_new(
        &(wg_optimizer_plan){
            .rule = &sgd_rule,
            .options = &o,
            .options_size = sizeof o,
            .range = {{"momentum", o.momentum, HUGE_VAL}, {"dampening", o.dampening, 1 + 0x1p-52}},
            .wrong = o.nesterov && !nesterov_fits ? "nesterov needs momentum, undampened" : NULL,
            .use = {o.momentum > 0},
            .rate = wg_option(o.rate, 0.01),
            .weight_decay = o.weight_decay,
            .decay_all = o.decay_all,
        },
        params, n);
}
