#include "ops/kernels/loss.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "ops/kernels/reduce.h"
#include "ops/kernels/softmax.h"
#include "ops/kernels/vector_math.h"

/* ---- Binary cross-entropy -------------------------------------------------------------------------- */

/* The product is there anyway, and nothing branches: so loops over this vectorise. */
static inline double loss_weigh(double c, double x)
{
    const double product = c * x;
    const bool nothing = (c == 0) & (fabs(x) > DBL_MAX);
    return nothing ? 0 : product;
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

/* ---- Many rows at once ----------------------------------------------------------------------------- */

/* What wgk_softmax_sum holds, for each row of a group. */
typedef struct loss_sums {
    double largest[WGK_LOSS_ROWS], place[WGK_LOSS_ROWS], rest[WGK_LOSS_ROWS];
} loss_sums;

/* An entry that is NaN is the largest, and stays. */
static void loss_group_largest(int64_t n, const double *z, loss_sums *sum)
{
    double largest[WGK_LOSS_ROWS], place[WGK_LOSS_ROWS];
    for (int r = 0; r < WGK_LOSS_ROWS; r++) {
        largest[r] = z[r];
        place[r] = 0;
    }
    for (int64_t k = 1; k < n; k++) {
        const double *x = z + k * WGK_LOSS_ROWS, here = (double)k;
        for (int r = 0; r < WGK_LOSS_ROWS; r++) {
            const bool takes = !(x[r] <= largest[r]) & (largest[r] == largest[r]);
            largest[r] = takes ? x[r] : largest[r];
            place[r] = takes ? here : place[r];
        }
    }
    memcpy(sum->largest, largest, sizeof largest);
    memcpy(sum->place, place, sizeof place);
}

/* z - largest, as wgk_softmax_shift: an infinite largest leaves 0 where it is, or -inf everywhere. */
static void loss_group_shift(int64_t n, double *z, const loss_sums *sum)
{
    for (int64_t k = 0; k < n; k++) {
        double *x = z + k * WGK_LOSS_ROWS;
        for (int r = 0; r < WGK_LOSS_ROWS; r++) {
            const double largest = sum->largest[r], shifted = x[r] - largest;
            const double special = x[r] == HUGE_VAL ? 0 : -HUGE_VAL;
            x[r] = fabs(largest) > DBL_MAX ? special : shifted;
        }
    }
}

/* The terms, and their sum by row without the largest's, with what rounding loses added at the end
 * (Knuth's two-sum). All are at most 1: no infinity gets in its way. */
static void loss_group_exp(int64_t n, double *z, loss_sums *sum)
{
    double lost[WGK_LOSS_ROWS] = {0};
    wgk_tile_exp_f64(n * WGK_LOSS_ROWS, z);
    for (int r = 0; r < WGK_LOSS_ROWS; r++)
        sum->rest[r] = 0;
    for (int64_t k = 0; k < n; k++) {
        const double *x = z + k * WGK_LOSS_ROWS, place = (double)k;
        for (int r = 0; r < WGK_LOSS_ROWS; r++) {
            const double term = sum->place[r] == place ? 0 : x[r];
            const double s = sum->rest[r] + term, part = s - sum->rest[r];
            lost[r] += (sum->rest[r] - (s - part)) + (term - part);
            sum->rest[r] = s;
        }
    }
    for (int r = 0; r < WGK_LOSS_ROWS; r++)
        sum->rest[r] += lost[r];
}

void wgk_cross_entropy_group(int64_t n, double *z, const int64_t *label, double *l)
{
    loss_sums sum;
    double shifted[WGK_LOSS_ROWS];
    loss_group_largest(n, z, &sum);
    loss_group_shift(n, z, &sum);
    for (int r = 0; r < WGK_LOSS_ROWS; r++)
        shifted[r] = z[label[r] * WGK_LOSS_ROWS + r];
    loss_group_exp(n, z, &sum);
    wgk_tile_log1p_f64(WGK_LOSS_ROWS, sum.rest);
    for (int r = 0; r < WGK_LOSS_ROWS; r++)
        l[r] = sum.rest[r] - shifted[r];
}

void wgk_cross_entropy_grad_group(int64_t n, double *z, const int64_t *label, const double *dl)
{
    loss_sums sum;
    double at_label[WGK_LOSS_ROWS], total[WGK_LOSS_ROWS];
    loss_group_largest(n, z, &sum);
    loss_group_shift(n, z, &sum);
    loss_group_exp(n, z, &sum);
    for (int r = 0; r < WGK_LOSS_ROWS; r++) {
        const double term = z[label[r] * WGK_LOSS_ROWS + r];
        total[r] = 1 + sum.rest[r];
        at_label[r] = (double)label[r] == sum.place[r] ? sum.rest[r] + (1 - term) : total[r] - term;
        at_label[r] = -dl[r] * (at_label[r] / total[r]);
    }
    for (int64_t k = 0; k < n; k++)
        for (int r = 0; r < WGK_LOSS_ROWS; r++)
            z[k * WGK_LOSS_ROWS + r] = dl[r] * (z[k * WGK_LOSS_ROWS + r] / total[r]);
    for (int r = 0; r < WGK_LOSS_ROWS; r++)
        z[label[r] * WGK_LOSS_ROWS + r] = at_label[r];
}

/* ---- Soft labels, one row --------------------------------------------------------------------------- */

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
