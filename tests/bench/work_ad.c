/* work_ad.c: objectives on which packages for automatic differentiation are compared: value and
 * gradient as one program. Definitions: Srajer, Kukelova, Fitzgibbon 2018, "A benchmark of selected
 * algorithmic differentiation tools" (mixture, LSTM); Lloyd 1982 (k-means); Laplace's expansion. */
#include "models/wengert.h"
#include "tests/bench/bench.h"

#include <stdio.h>

/* ---- An objective of one parameter and its program ------------------------------------------- */

typedef wg_tensor *ad_objective(wg_tape *t, wg_tensor *x);

static void ad_run(void *context)
{
    wg_program_run(context);
}

/* f of a parameter [n] of N(0, deviation). */
static void ad_measure(const char *name, ad_objective *f, int64_t n, double deviation)
{
    if (!bench_wanted(name))
        return;
    char comment[96];
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SHAPE(n)), *outputs[2];
    wg_fill_normal(x, 0, deviation, 1);
    outputs[0] = f(t, x);
    wg_grad(outputs[0], &x, 1, outputs + 1);
    wg_program *p = wg_compile(outputs, 2, NULL);
    snprintf(comment, sizeof comment, "%lld steps for %lld nodes, %.3g MB",
             (long long)wg_program_steps(p), (long long)wg_tape_size(t),
             1e-6 * (double)wg_program_memory(p));
    bench_measure(&(bench_task){
        .name = name, .unit = "us", .step = ad_run, .context = p, .comment = comment});
    if (wg_tape_status(t) != WG_OK)
        fprintf(stderr, "%s: %s\n", name, wg_tape_message(t));
    wg_tape_free(t);
}

/* Normal numbers that are no parameters: data. */
static wg_tensor *ad_data(wg_tape *t, int64_t n, int64_t d, uint64_t key)
{
    double *data = bench_normal_f64(n * d, key);
    wg_tensor *x = wg_constant(t, WG_F64, WG_SHAPE(n, d), data);
    bench_release(data);
    return x;
}

/* ---- LSTM whose gates have a weight a unit; predictions of the next row ---------------------- */

enum { LSTM_UNITS = 14, LSTM_LAYERS = 2, LSTM_STEPS = 1024 };

typedef struct lstm_layer {
    wg_tensor *w[4], *b[4], *hidden, *cell;
} lstm_layer;

/* Rows of x [-1, LSTM_UNITS] in their order. */
static wg_tensor *lstm_next(wg_tensor *rows, int64_t *at)
{
    wg_tensor *row = wg_slice(rows, 0, *at, *at + 1);
    ++*at;
    return wg_reshape(row, WG_SHAPE(LSTM_UNITS));
}

static wg_tensor *lstm_gate(const lstm_layer *l, int i, wg_tensor *x)
{
    wg_tensor *z = wg_add(wg_mul(x, l->w[i]), l->b[i]);
    return i == 3 ? wg_tanh(z) : wg_sigmoid(z);
}

static wg_tensor *lstm_step(lstm_layer *l, wg_tensor *x)
{
    wg_tensor *forget = lstm_gate(l, 0, x), *in = lstm_gate(l, 1, l->hidden);
    wg_tensor *out = lstm_gate(l, 2, x), *change = lstm_gate(l, 3, l->hidden);
    l->cell = wg_add(wg_mul(l->cell, forget), wg_mul(in, change));
    return l->hidden = wg_mul(out, wg_tanh(l->cell));
}

static wg_tensor *lstm_run(wg_tape *t, wg_tensor *x, int layers, int steps)
{
    wg_tensor *rows = wg_reshape(x, WG_SHAPE(-1, LSTM_UNITS));
    wg_tensor *data = ad_data(t, steps + 1, LSTM_UNITS, 3), *total = NULL;
    lstm_layer layer[8];
    int64_t at = 0, now = 0;
    for (int i = 0; i < layers; i++) {
        for (int k = 0; k < 4; k++) {
            layer[i].w[k] = lstm_next(rows, &at);
            layer[i].b[k] = lstm_next(rows, &at);
        }
        layer[i].hidden = lstm_next(rows, &at);
        layer[i].cell = lstm_next(rows, &at);
    }
    wg_tensor *in = lstm_next(rows, &at), *gain = lstm_next(rows, &at),
              *bias = lstm_next(rows, &at);
    wg_tensor *row = lstm_next(data, &now);
    for (int step = 0; step < steps; step++) {
        wg_tensor *h = wg_mul(row, in);
        for (int i = 0; i < layers; i++)
            h = lstm_step(&layer[i], h);
        wg_tensor *y = wg_add(wg_mul(h, gain), bias);
        row = lstm_next(data, &now);
        wg_tensor *fit = wg_dot(row, wg_sub(y, wg_logsumexp(y)));
        total = total == NULL ? fit : wg_add(total, fit);
    }
    return wg_scale(total, -1.0 / (LSTM_UNITS * steps));
}

static wg_tensor *lstm(wg_tape *t, wg_tensor *x)
{
    return lstm_run(t, x, LSTM_LAYERS, LSTM_STEPS);
}

static wg_tensor *lstm_deep(wg_tape *t, wg_tensor *x)
{
    return lstm_run(t, x, 6, 4 * LSTM_STEPS);
}

/* The same as a loop: the carries are hidden and cell of each layer, the params all else, and a step
 * is given a row and the next one. */
static void lstm_body(wg_scan_step *s, void *user)
{
    const int layers = *(const int *)user;
    wg_tensor *const *last = s->param + 8 * layers, *h = wg_mul(s->x[0], last[0]);
    for (int i = 0; i < layers; i++) {
        lstm_layer l = {.hidden = s->carry[2 * i], .cell = s->carry[2 * i + 1]};
        for (int k = 0; k < 4; k++) {
            l.w[k] = s->param[8 * i + 2 * k];
            l.b[k] = s->param[8 * i + 2 * k + 1];
        }
        h = lstm_step(&l, h);
        s->next[2 * i] = l.hidden;
        s->next[2 * i + 1] = l.cell;
    }
    wg_tensor *y = wg_add(wg_mul(h, last[1]), last[2]);
    s->y[0] = wg_dot(s->x[1], wg_sub(y, wg_logsumexp(y)));
}

static wg_tensor *lstm_loop(wg_tape *t, wg_tensor *x, int layers, int steps, int64_t snapshots)
{
    wg_tensor *rows = wg_reshape(x, WG_SHAPE(-1, LSTM_UNITS)), *carry[16], *param[67], *fit;
    wg_tensor *data = ad_data(t, steps + 1, LSTM_UNITS, 3);
    wg_tensor *xs[] = {wg_slice(data, 0, 0, steps), wg_slice(data, 0, 1, steps + 1)};
    int64_t at = 0;
    for (int i = 0; i < layers; i++) {
        for (int k = 0; k < 8; k++)
            param[8 * i + k] = lstm_next(rows, &at);
        carry[2 * i] = lstm_next(rows, &at);
        carry[2 * i + 1] = lstm_next(rows, &at);
    }
    for (int k = 0; k < 3; k++)
        param[8 * layers + k] = lstm_next(rows, &at);
    wg_scan(&(wg_scan_loop){.body = lstm_body,
                            .user = &layers,
                            .carries = carry,
                            .xs = xs,
                            .params = param,
                            .n_carries = 2 * layers,
                            .n_xs = 2,
                            .n_params = 8 * layers + 3,
                            .n_ys = 1,
                            .snapshots = snapshots},
            NULL, &fit);
    return wg_scale(wg_sum(fit), -1.0 / (LSTM_UNITS * steps));
}

static wg_tensor *lstm_scan(wg_tape *t, wg_tensor *x)
{
    return lstm_loop(t, x, LSTM_LAYERS, LSTM_STEPS, 0);
}

static wg_tensor *lstm_deep_scan(wg_tape *t, wg_tensor *x)
{
    return lstm_loop(t, x, 6, 4 * LSTM_STEPS, 0);
}

enum { LSTM_LONG = 100000 };

static wg_tensor *lstm_long(wg_tape *t, wg_tensor *x)
{
    return lstm_loop(t, x, 1, LSTM_LONG, 0);
}

static wg_tensor *lstm_long_snapshots(wg_tape *t, wg_tensor *x)
{
    return lstm_loop(t, x, 1, LSTM_LONG, 316);
}

static int64_t lstm_size(int layers)
{
    return (10 * layers + 3) * LSTM_UNITS;
}

/* ---- Gaussian mixture: log density of data, by weights, means and inverse Cholesky factors --- */

enum { MIXTURE_D = 10, MIXTURE_K = 25, MIXTURE_N = 1000 };

/* [k, 1 + d + d d]: each component's weight, mean and factor, of which all entries are free. */
static wg_tensor *mixture(wg_tape *t, wg_tensor *x)
{
    enum { D = MIXTURE_D, K = MIXTURE_K, N = MIXTURE_N };
    wg_tensor *each = wg_reshape(x, WG_SHAPE(K, 1 + D + D * D));
    wg_tensor *weight = wg_slice(each, 1, 0, 1);
    wg_tensor *mean = wg_expand_dims(wg_slice(each, 1, 1, 1 + D), WG_AXES(1)); /* [k, 1, d] */
    wg_tensor *factor = wg_reshape(wg_slice(each, 1, 1 + D, 1 + D + D * D), WG_SHAPE(K, D, D));
    wg_tensor *centered = wg_sub(ad_data(t, N, D, 4), mean); /* [k, n, d] */
    wg_tensor *z = wg_matmul(centered, factor);
    wg_tensor *distance = wg_sum_over(wg_square(z), WG_AXES(2), false); /* [k, n] */
    wg_tensor *each_log = wg_sub(weight, wg_scale(distance, 0.5));
    return wg_sub(wg_sum(wg_logsumexp_over(each_log, WG_AXES(0), false)),
                  wg_scale(wg_logsumexp(weight), N));
}

/* ---- k-means: squared distances to the nearest of k centers ---------------------------------- */

enum { MEANS_D = 8, MEANS_K = 10, MEANS_N = 1000 };

static wg_tensor *k_means(wg_tape *t, wg_tensor *x)
{
    wg_tensor *center = wg_reshape(x, WG_SHAPE(MEANS_K, MEANS_D));
    wg_tensor *rows = ad_data(t, MEANS_N, MEANS_D, 5);
    wg_tensor *product = wg_matmul_t(rows, false, center, true); /* [n, k] */
    wg_tensor *size = wg_sum_over(wg_square(center), WG_AXES(1), false);
    wg_tensor *nearest = wg_amin_over(wg_sub(size, wg_scale(product, 2)), WG_AXES(1), false);
    return wg_add(wg_sum(nearest), wg_sum(wg_square(rows)));
}

/* ---- Euler's method, ten steps of the logistic equation y' = y (1 - y) ----------------------- */

static wg_tensor *euler(wg_tape *t, wg_tensor *y)
{
    (void)t;
    for (int step = 0; step < 10; step++)
        y = wg_add(y, wg_scale(wg_mul(y, wg_affine(y, -1, 1)), 0.01));
    return wg_sum(y);
}

/* ---- The determinant of scalars by cofactors ------------------------------------------------- */

enum { COFACTORS = 7 };

/* Of the rows from `row` on, the columns that are not in `used`. */
static wg_tensor *cofactors_of(wg_tensor *const a[], int n, int row, unsigned used)
{
    wg_tensor *sum = NULL;
    int sign = 1;
    for (int column = 0; column < n; column++) {
        if (used >> column & 1)
            continue;
        wg_tensor *term = a[row * n + column];
        if (row + 1 < n)
            term = wg_mul(term, cofactors_of(a, n, row + 1, used | 1u << column));
        sum = sum == NULL ? term : (sign > 0 ? wg_add : wg_sub)(sum, term);
        sign = -sign;
    }
    return sum;
}

static wg_tensor *cofactors(wg_tape *t, wg_tensor *x)
{
    (void)t;
    wg_tensor *a[COFACTORS * COFACTORS];
    for (int i = 0; i < COFACTORS * COFACTORS; i++)
        a[i] = wg_reshape(wg_slice(x, 0, i, i + 1), WG_SCALAR);
    return cofactors_of(a, COFACTORS, 0, 0);
}

void bench_ad(void)
{
    ad_measure("lstm_2x1024", lstm, lstm_size(LSTM_LAYERS), 0.5);
    ad_measure("lstm_6x4096", lstm_deep, lstm_size(6), 0.5);
    ad_measure("lstm_2x1024_scan", lstm_scan, lstm_size(LSTM_LAYERS), 0.5);
    ad_measure("lstm_6x4096_scan", lstm_deep_scan, lstm_size(6), 0.5);
    ad_measure("lstm_1x100000_scan", lstm_long, lstm_size(1), 0.5);
    ad_measure("lstm_1x100000_snapshots", lstm_long_snapshots, lstm_size(1), 0.5);
    ad_measure("mixture_10_25_1000", mixture, MIXTURE_K * (1 + MIXTURE_D + MIXTURE_D * MIXTURE_D),
               1);
    ad_measure("k_means_8_10_1000", k_means, MEANS_K * MEANS_D, 1);
    ad_measure("euler_10x10000", euler, 10000, 1);
    ad_measure("determinant_7", cofactors, COFACTORS * COFACTORS, 1);
}
