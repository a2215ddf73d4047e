/* bench [--json] [--only NAME] [--quick]: how fast the library is, against limits measured in the same
 * run. NAME is part of a workload's name. --quick takes fewer samples. */
#include "tests/bench/bench.h"

#include "autograd/rng.h"
#include "ops/kernels/cpu.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 11, QUICK_SAMPLES = 5, SEED = 1964 };

static struct {
    bool json, quick;
    const char *only;
} options;

bool bench_wanted(const char *name)
{
    return options.only == NULL || strstr(name, options.only) != NULL;
}

/* ---- Measuring ----------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *x, int n)
{
    qsort(x, (size_t)n, sizeof *x, compare);
    return x[n / 2];
}

static double timed(const bench_task *task, long repeats)
{
    const bool wall = task->threads > 1;
    const double start = bench_seconds(wall);
    for (long i = 0; i < repeats; i++)
        task->step(task->context);
    return (bench_seconds(wall) - start) / (double)repeats;
}

static double limit_of(bench_limit limit)
{
    if (limit == BENCH_READING)
        return bench_read_speed();
    return limit == BENCH_NO_LIMIT ? 0 : bench_peak() / (limit == BENCH_PEAK_F64 ? 2 : 1);
}

static double unit_size(const char *unit)
{
    return unit[0] == 'n' ? 1e-9 : unit[0] == 'u' ? 1e-6 : 1e-3;
}

static void print_row(const bench_task *task, double seconds, double spread, double limit)
{
    static const char *const limits[] = {"-", "peak f32", "peak f64", "reading"};
    const double value = seconds / (task->parts > 0 ? task->parts : 1) / unit_size(task->unit);
    const double fraction = limit > 0 ? task->work / seconds / limit : 0;
    const double ratio = task->another > 0 ? task->another / seconds : 0;
    if (options.json) {
        printf("{\"name\": \"%s\", \"median\": %.6g, \"unit\": \"%s\", \"spread\": %.3f, "
               "\"threads\": %d, \"limit\": \"%s\", \"limit_value\": %.6g, \"fraction\": %.3f, "
               "\"ratio\": %.3f}\n",
               task->name, value, task->unit, spread, task->threads > 1 ? task->threads : 1,
               limits[task->limit], limit, fraction, ratio);
        return;
    }
    printf("%-26s %10.4g %s +-%3.0f%%", task->name, value, task->unit, 100 * spread);
    if (limit > 0)
        printf("   %.2f of %s (%.4g G/s)", fraction, limits[task->limit], limit * 1e-9);
    if (ratio > 0)
        printf("   %.2f times one core", ratio);
    printf("\n");
    fflush(stdout);
}

double bench_measure(const bench_task *task)
{
    if (!bench_wanted(task->name))
        return (double)NAN;
    const int samples = options.quick ? QUICK_SAMPLES : SAMPLES;
    double times[SAMPLES], limits[SAMPLES];
    const double warm = timed(task, 1), target = options.quick ? 5e-3 : 3e-2;
    const long repeats = warm >= target ? 1 : (long)(target / (warm + 1e-9)) + 1;
    for (int i = 0; i < samples; i++) {
        limits[i] = limit_of(task->limit);
        times[i] = timed(task, repeats);
    }
    const double seconds = median(times, samples);
    const double spread = (times[samples - 2] - times[1]) / (2 * seconds);
    print_row(task, seconds, spread, median(limits, samples));
    return seconds;
}

/* ---- Data ---------------------------------------------------------------------------------------- */

static void *taken(size_t bytes)
{
    void *memory = malloc(bytes);
    if (memory == NULL) {
        fprintf(stderr, "bench: out of memory for %zu bytes\n", bytes);
        exit(1);
    }
    return memory;
}

float *bench_normal_f32(int64_t n, uint64_t key)
{
    float *x = taken((size_t)n * sizeof *x);
    for (int64_t i = 0; i < n; i++)
        x[i] = (float)wg_random_normal(SEED, key, (uint64_t)i);
    return x;
}

double *bench_normal_f64(int64_t n, uint64_t key)
{
    double *x = taken((size_t)n * sizeof *x);
    for (int64_t i = 0; i < n; i++)
        x[i] = wg_random_normal(SEED, key, (uint64_t)i);
    return x;
}

static double logit(const float *x, int64_t d, uint64_t model)
{
    double z = 0;
    for (int64_t j = 0; j < d; j++)
        z += (double)x[j] * wg_random_normal(SEED, model, (uint64_t)j);
    return 3 * z / sqrt((double)d);
}

void bench_logistic_labels(const float *X, int64_t n, int64_t d, float *y)
{
    for (int64_t i = 0; i < n; i++) {
        double p = 1 / (1 + exp(-logit(X + i * d, d, 1000)));
        y[i] = wg_random_uniform(SEED, 1001, (uint64_t)i) < p;
    }
}

/* The largest of logits with Gumbel noise is a draw from their softmax. */
void bench_softmax_labels(const float *X, int64_t n, int64_t d, int64_t classes, int64_t *y)
{
    for (int64_t i = 0; i < n; i++) {
        double best = -(double)INFINITY;
        for (int64_t c = 0; c < classes; c++) {
            double u = wg_random_uniform(SEED, 2001, (uint64_t)(i * classes + c));
            double z = logit(X + i * d, d, 2002 + (uint64_t)c) - log(-log(u + 0x1p-60));
            if (z > best) {
                best = z;
                y[i] = c;
            }
        }
    }
}

/* ---- The program --------------------------------------------------------------------------------- */

static int usage(FILE *stream, int status)
{
    fprintf(stream, "usage: bench [--json] [--only NAME] [--quick]\n");
    return status;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            options.json = true;
        else if (strcmp(argv[i], "--quick") == 0)
            options.quick = true;
        else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
            options.only = argv[++i];
        else
            return usage(strcmp(argv[i], "--help") == 0 ? stdout : stderr,
                         strcmp(argv[i], "--help") == 0 ? 0 : 2);
    }
    if (!options.json)
        printf("Wengert on %s, one core unless said. Inputs: normal features, labels drawn from a "
               "random\nlogistic or softmax model, seed %d. Median of %d samples.\n\n",
               wgk_isa_name(wgk_cpu_isa()), SEED, options.quick ? QUICK_SAMPLES : SAMPLES);
    bench_gemm();
    bench_small();
    bench_train();
    bench_fit();
    return 0;
}
