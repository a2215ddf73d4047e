#include "three_ways.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Probabilities of one row, minus 1 at its class: what the closed form multiplies with x. */
static void residual(const job *j, int64_t i, int64_t d, int64_t k, long double *r)
{
    long double sum = 0;
    for (int64_t c = 0; c < k; c++) {
        r[c] = (long double)wg_at(j->param[1], c);
        for (int64_t f = 0; f < d; f++)
            r[c] += (long double)wg_at(j->X, i * d + f) *
                    (long double)wg_at(j->param[0], c * d + f);
        r[c] = expl(r[c]);
        sum += r[c];
    }
    if (k == 1)
        sum += 1; /* the class 0, whose logit is 0 */
    int64_t label = wg_data_i64(j->classes)[i];
    for (int64_t c = 0; c < k; c++)
        r[c] = r[c] / sum - (k == 1 ? label == 1 : label == c);
}

/* (P - Y)^T X / n, and behind it the column sums of (P - Y) / n: entry by entry as in the two gradients. */
static void closed_form(const job *j, double *entry)
{
    int64_t n = wg_dim(j->X, 0), d = wg_dim(j->X, 1), k = wg_size(j->param[1]);
    long double *sum = calloc((size_t)((d + 2) * k), sizeof *sum), *r = sum + (d + 1) * k;
    if (sum == NULL)
        return;
    for (int64_t i = 0; i < n; i++) {
        residual(j, i, d, k, r);
        for (int64_t f = 0; f <= d; f++)
            for (int64_t c = 0; c < k; c++)
                sum[f < d ? c * d + f : d * k + c] += r[c] *
                                                      (f < d ? (long double)wg_at(j->X, i * d + f)
                                                             : 1);
    }
    for (int64_t e = 0; e < (d + 1) * k; e++)
        entry[e] = (double)(sum[e] / (long double)n);
    free(sum);
}

static double loss_with(job *j, int p, int64_t e, double value)
{
    ((double *)wg_edit(j->param[p]))[e] = value;
    wg_replay_to(&j->loss, 1);
    return wg_item(j->loss);
}

/* (f(x - 2h) - 8 f(x - h) + 8 f(x + h) - f(x + 2h)) / 12h, by replaying the loss. */
static double difference(job *j, int p, int64_t e)
{
    double x = wg_at(j->param[p], e), h = 1e-3;
    double outer = loss_with(j, p, e, x + 2 * h) - loss_with(j, p, e, x - 2 * h);
    double inner = loss_with(j, p, e, x + h) - loss_with(j, p, e, x - h);
    loss_with(j, p, e, x);
    return (8 * inner - outer) / (12 * h);
}

void check_three_ways(job *j)
{
    int64_t weights = wg_size(j->param[0]), all = weights + wg_size(j->param[1]);
    double *closed = calloc(2 * (size_t)all, sizeof *closed), *autodiff = closed + all;
    double worst_closed = 0, worst_difference = 0;
    if (closed == NULL)
        return;
    closed_form(j, closed);
    wg_replay_to(j->gradient, 2);
    for (int64_t i = 0; i < all; i++) /* now: differences will write the parameters */
        autodiff[i] = wg_at(j->gradient[i >= weights], i >= weights ? i - weights : i);
    printf("  gradient       autodiff        closed form finite differences\n");
    for (int64_t i = 0; i < all; i++) {
        int p = i >= weights;
        int64_t e = p ? i - weights : i;
        double g = autodiff[i], d = difference(j, p, e);
        worst_closed = fmax(worst_closed, fabs(g - closed[i]));
        worst_difference = fmax(worst_difference, fabs(g - d));
        if ((i * 5 + 17) % all < 5 || i == weights) /* some, evenly spread, and the first bias */
            printf("  %s[%-3" PRId64 "] %18.15f  %18.15f  %18.15f\n", p ? "b" : "W", e, g,
                   closed[i], d);
    }
    printf("  largest difference of %" PRId64
           " entries: closed form %.1e, finite differences %.1e\n",
           all, worst_closed, worst_difference);
    free(closed);
}
