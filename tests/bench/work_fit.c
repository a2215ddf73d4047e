#include "models/wengert.h"
#include "tests/bench/bench.h"

#include <stdlib.h>

/* A full-batch objective: mean loss over n rows plus |w|^2 / (2n), as scikit-learn's C = 1. */
typedef struct fit {
    wg_tape *t;
    wg_tensor *w, *b;
    bool softmax;
    wg_blocks *objective;
} fit;

static wg_tensor *fit_loss(wg_tape *t, wg_tensor *const rows[], void *user)
{
    const fit *f = user;
    (void)t;
    wg_tensor *z = wg_add(wg_matmul(rows[0], f->w), f->b);
    if (f->softmax)
        return wg_cross_entropy_opt(z, rows[1], &(wg_cross_entropy_options){.reduction = WG_SUM});
    return wg_bce_with_logits_opt(z, rows[1], &(wg_bce_options){.reduction = WG_SUM});
}

static void fit_evaluate(void *context)
{
    fit *f = context;
    wg_edit(f->w); /* as an optimizer would between two evaluations */
    wg_blocks_run(f->objective);
}

static void fit_build(fit *f, wg_tensor *X, wg_tensor *y, int64_t outputs)
{
    const double n = (double)wg_dim(X, 0);
    f->w = wg_param(f->t, "w", X->dtype, WG_SHAPE(wg_dim(X, 1), outputs));
    f->b = wg_param(f->t, "b", X->dtype, WG_SHAPE(outputs));
    wg_tensor *rows[] = {X, y}, *params[] = {f->w, f->b};
    wg_tensor *penalty = wg_scale(wg_sum(wg_square(f->w)), 1 / (2 * n));
    f->objective = wg_blocks_new(rows, 2, params, 2, fit_loss, f,
                                 &(wg_blocks_options){.scale = 1 / n, .penalty = penalty});
}

/* One evaluation of loss and gradient; the limit is the time to read X once. */
static double fit_measure(const char *name, wg_dtype dtype, int64_t n, int64_t d, int64_t classes,
                          const void *X, const void *y, int threads, double another)
{
    if (!bench_wanted(name))
        return 0;
    wg_pool *pool = threads > 1 ? wg_pool_new(threads, NULL) : NULL;
    fit f = {.t = wg_tape_new(&(wg_tape_options){.pool = pool}), .softmax = classes > 2};
    wg_tensor *features = wg_input(f.t, "X", dtype, WG_SHAPE(n, d), X);
    wg_tensor *labels = f.softmax ? wg_input(f.t, "y", WG_I64, WG_SHAPE(n), y)
                                  : wg_input(f.t, "y", dtype, WG_SHAPE(n, 1), y);
    fit_build(&f, features, labels, f.softmax ? classes : 1);
    double seconds = bench_measure(&(bench_task){
        .name = name,
        .unit = "ms",
        .step = fit_evaluate,
        .context = &f,
        .work = (double)n * (double)d * (double)wg_dtype_size(dtype),
        .limit = threads > 1 ? BENCH_NO_LIMIT : BENCH_READING,
        .threads = threads,
        .another = another,
    });
    wg_tape_free(f.t);
    wg_pool_free(pool);
    return seconds;
}

static void bench_logistic_f32(void)
{
    const int64_t n = 1000000, d = 100;
    if (!bench_wanted("logreg_1e6x100") && !bench_wanted("logreg_1e6x100_2_threads"))
        return;
    float *X = bench_normal_f32(n * d, 21), *y = malloc((size_t)n * sizeof *y);
    bench_logistic_labels(X, n, d, y);
    double one = fit_measure("logreg_1e6x100", WG_F32, n, d, 2, X, y, 1, 0);
    fit_measure("logreg_1e6x100_2_threads", WG_F32, n, d, 2, X, y, 2, one);
    free(X);
    free(y);
}

static void bench_logistic_f64(void)
{
    const int64_t n = 200000, d = 50;
    if (!bench_wanted("logreg_fit_evaluation") && !bench_wanted("logreg_fit_evaluation_2_threads"))
        return;
    float *X = bench_normal_f32(n * d, 22), *y = malloc((size_t)n * sizeof *y);
    double *X64 = malloc((size_t)(n * d) * sizeof *X64), *y64 = malloc((size_t)n * sizeof *y64);
    bench_logistic_labels(X, n, d, y);
    for (int64_t i = 0; i < n * d; i++)
        X64[i] = (double)X[i];
    for (int64_t i = 0; i < n; i++)
        y64[i] = (double)y[i];
    double one = fit_measure("logreg_fit_evaluation", WG_F64, n, d, 2, X64, y64, 1, 0);
    fit_measure("logreg_fit_evaluation_2_threads", WG_F64, n, d, 2, X64, y64, 2, one);
    free(X);
    free(y);
    free(X64);
    free(y64);
}

static void bench_softmax_f32(void)
{
    const int64_t n = 60000, d = 784, classes = 10;
    if (!bench_wanted("softmax_fit_evaluation") &&
        !bench_wanted("softmax_fit_evaluation_2_threads"))
        return;
    float *X = bench_normal_f32(n * d, 11);
    int64_t *y = malloc((size_t)n * sizeof *y);
    bench_softmax_labels(X, n, d, classes, y);
    double one = fit_measure("softmax_fit_evaluation", WG_F32, n, d, classes, X, y, 1, 0);
    fit_measure("softmax_fit_evaluation_2_threads", WG_F32, n, d, classes, X, y, 2, one);
    free(X);
    free(y);
}

void bench_fit(void)
{
    bench_logistic_f32();
    bench_logistic_f64();
    bench_softmax_f32();
}
