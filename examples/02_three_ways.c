/* One gradient three ways, at random weights of a logistic regression on 300 points: from the tape;
 * from the closed form, X^T (sigmoid(z) - y) / n; and from differences of the loss, which need no
 * mathematics but lose digits. Each answers for the others.
 *
 * Run as build/02_three_ways. Prints:
 *
 *     the tape's gradient in w is t(X)·(sigmoid(X·w + b) - y)/300
 *
 *              tape                closed form         differences
 *     w[0]  -0.162848064358312  -0.162848064358312  -0.162848064349007
 *     w[1]  -0.544289599979630  -0.544289599979630  -0.544289599984659
 *     b[0]  -0.074387056636561  -0.074387056636561  -0.074387056641713
 *
 *     the error of the difference in w[0], by its step:
 *     h = 1e-01  2.1e-04
 *     h = 1e-03  2.1e-08
 *     h = 1e-05  9.3e-12
 *     h = 1e-07  2.4e-11
 *     h = 1e-09  9.5e-09
 *     h = 1e-11  5.6e-07
 */
#include <math.h>
#include <stdio.h>
#include <wengert.h>

enum { D = 2, ENTRIES = D + 1 }; /* two weights, and the bias */

/* The mean over the rows of (sigmoid(z) - y) x, with x = 1 for the bias. */
static void closed_form(const wg_tensor *X, const wg_tensor *y, const wg_tensor *w,
                        const wg_tensor *b, double g[ENTRIES])
{
    const int64_t n = wg_dim(X, 0);
    for (int j = 0; j < ENTRIES; j++)
        g[j] = 0;
    for (int64_t i = 0; i < n; i++) {
        double z = wg_item(b);
        for (int j = 0; j < D; j++)
            z += wg_at(w, j) * wg_at(X, i * D + j);
        const double residual = 1 / (1 + exp(-z)) - wg_at(y, i);
        for (int j = 0; j < ENTRIES; j++)
            g[j] += residual * (j < D ? wg_at(X, i * D + j) : 1) / (double)n;
    }
}

/* (f(x + h) - f(x - h)) / 2h for entry j of a parameter; the loss is replayed, nothing else. */
static double difference(wg_tensor *loss, wg_tensor *param, int64_t j, double h)
{
    double value[2];
    const double at = wg_at(param, j);
    for (int side = 0; side < 2; side++) {
        ((double *)wg_edit(param))[j] = side == 0 ? at + h : at - h;
        wg_replay_to(&loss, 1);
        value[side] = wg_item(loss);
    }
    ((double *)wg_edit(param))[j] = at;
    return (value[0] - value[1]) / ((at + h) - (at - h));
}

int main(void)
{
    wg_tape *t = wg_tape_new(&(wg_tape_options){.seed = 1});
    wg_table *data = wg_csv_read(t, "examples/data/two_class_300.csv", NULL);
    wg_tensor *X = wg_rename(wg_table_features(data), "X"),
              *y = wg_rename(wg_table_labels(data), "y");
    wg_tensor *w = wg_param(t, "w", WG_F64, WG_SHAPE(D, 1)),
              *b = wg_param(t, "b", WG_F64, WG_SHAPE(1));
    wg_fill_normal(w, 0, 1, 1);
    wg_fill_normal(b, 0, 1, 2);
    wg_tensor *loss = wg_bce_with_logits(wg_add(wg_matmul(X, w), b), y);
    wg_tensor *wrt[] = {w, b}, *g[2];
    wg_grad(loss, wrt, 2, g);

    printf("the tape's gradient in w is ");
    wg_print_formula(stdout, g[0]);
    double closed[ENTRIES];
    closed_form(X, y, w, b, closed);
    printf("\n         tape                closed form         differences\n");
    for (int j = 0; j < ENTRIES; j++) {
        const int p = j < D ? 0 : 1;
        const int64_t entry = j < D ? j : 0;
        const double numeric = difference(loss, wrt[p], entry, 1e-5);
        wg_replay(t);
        printf("%s[%d]  %18.15f  %18.15f  %18.15f\n", p == 0 ? "w" : "b", (int)entry,
               wg_at(g[p], entry), closed[j], numeric);
    }
    printf("\nthe error of the difference in w[0], by its step:\n");
    for (double h = 1e-1; h > 1e-12; h /= 100)
        printf("h = %.0e  %.1e\n", h, fabs(difference(loss, w, 0, h) - closed[0]));

    int failed = wg_tape_status(t) != WG_OK;
    if (failed)
        fprintf(stderr, "%s\n", wg_tape_message(t));
    wg_tape_free(t);
    return failed;
}
