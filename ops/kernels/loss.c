#include "ops/kernels/loss.h"

#include <math.h>

#include "ops/kernels/reduce.h"
#include "ops/kernels/softmax.h"
#include "ops/kernels/vector_math.h"

/* ---- Binary cross-entropy -------------------------------------------------------------------------- */

static inline double loss_weigh(double c, double x)
{
    return c == 0 && isinf(x) ? 0 : c * x;
}

void wgk_weigh(int64_t n, const double *c, const double *x, double *v)
{
    for (int64_t i = 0; i < n; i++)
        v[i] = loss_weigh(c[i], x[i]);
}

/* softplus(±z) = max(±z, 0) + log1p(exp(-|z|)) share their logarithm. */
void wgk_bce(int64_t n, const double *z, const double *y, double w, double *l)
{
    for (int64_t i = 0; i < n; i++)
        l[i] = -fabs(z[i]);
    wgk_tile_log1p_exp_f64(n, l);
    for (int64_t i = 0; i < n; i++) {
        double tail = l[i]; /* NaN where z is */
        double plus = (z[i] > 0 ? z[i] : 0) + tail, minus = (z[i] < 0 ? -z[i] : 0) + tail;
        l[i] = loss_weigh(1 - y[i], plus) + loss_weigh(w * y[i], minus);
    }
}

/* sigmoid(-|z|) = e/(1 + e) and sigmoid(|z|) = 1/(1 + e), with e = exp(-|z|): neither is 1 minus the
 * other. */
void wgk_bce_grad(int64_t n, const double *dl, const double *z, const double *y, double w,
                  double *dz)
{
    for (int64_t i = 0; i < n; i++)
        dz[i] = -fabs(z[i]);
    wgk_tile_exp_f64(n, dz);
    for (int64_t i = 0; i < n; i++) {
        double e = dz[i], large = 1 / (1 + e), small = e / (1 + e);
        double p = z[i] < 0 ? small : large, q = z[i] < 0 ? large : small;
        dz[i] = dl[i] * ((1 - y[i]) * p - w * y[i] * q);
    }
}

/* ---- Softmax cross-entropy ------------------------------------------------------------------------- */

/* total - terms[i], without the cancellation where term i is nearly all of it. A row of -inf alone has
 * terms 0 and total 1. */
static double loss_others(const wgk_softmax_sum *sum, const double *terms, int64_t i)
{
    return i == sum->place ? sum->rest + (1 - terms[i]) : sum->total - terms[i];
}

double wgk_cross_entropy(int64_t n, double *z, int64_t label)
{
    wgk_softmax_sum sum = wgk_softmax_shift(n, z);
    double shifted = z[label];
    wgk_softmax_exp(&sum, n, z);
    return log1p(sum.rest) - shifted;
}

void wgk_cross_entropy_grad(int64_t n, double *z, int64_t label, double dl)
{
    wgk_softmax_sum sum = wgk_softmax_terms(n, z);
    double others = loss_others(&sum, z, label);
    for (int64_t i = 0; i < n; i++)
        z[i] = dl * (z[i] / sum.total);
    z[label] = -dl * (others / sum.total);
}

double wgk_soft_cross_entropy(int64_t n, double *z, const double *q, double *terms)
{
    wgk_softmax_sum sum = wgk_softmax_shift(n, z);
    for (int64_t i = 0; i < n; i++)
        terms[i] = z[i];
    wgk_softmax_exp(&sum, n, terms);
    double log_total = log1p(sum.rest);
    for (int64_t i = 0; i < n; i++)
        terms[i] = loss_weigh(q[i], log_total - z[i]);
    return wgk_sum(n, terms);
}

/* The place of the largest q, and the sum of the others. */
static double loss_rest(int64_t n, const double *q, int64_t *place)
{
    *place = 0;
    for (int64_t i = 1; i < n; i++)
        if (q[i] > q[*place])
            *place = i;
    return wgk_sum(*place, q) + wgk_sum(n - *place - 1, q + *place + 1);
}

/* Q*p_i - q_i = (e_i*(Q - q_i) - q_i*(E - e_i)) / E with Q, E the sums of q, e: for one-hot q this has no
 * cancellation however certain the row is. */
void wgk_soft_cross_entropy_grad(int64_t n, double *z, const double *q, double dl)
{
    if (n == 0)
        return;
    int64_t place;
    wgk_softmax_sum sum = wgk_softmax_terms(n, z);
    double rest = loss_rest(n, q, &place), all = rest + q[place];
    double at_place = loss_others(&sum, z, sum.place);
    for (int64_t i = 0; i < n; i++) {
        double other_q = i == place ? rest : all - q[i];
        double other_e = i == sum.place ? at_place : sum.total - z[i];
        z[i] = dl * ((z[i] * other_q - q[i] * other_e) / sum.total);
    }
}
