/* bench [--json] [--only NAME] [--quick | --list | --once]: how fast the library is, against limits
 * measured in the same run. NAME is part of a workload's name, or, as =NAME, the whole of it.
 * --quick takes fewer samples; --list prints names; --once calls each twice and measures nothing: a
 * profiler does (see instructions.sh). */
#include "tests/bench/bench.h"

#include "autograd/allocator.h"
#include "autograd/cpu_internal.h"
#include "autograd/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 11, QUICK_SAMPLES = 5, SEED = 1964 };

static struct {
    bool json, quick, list, once;
    const char *only;
} options;

bool bench_wanted(const char *name)
{
    const char *only = options.only;
    if (only != NULL && only[0] == '=')
        return strcmp(name, only + 1) == 0;
    return only == NULL || strstr(name, only) != NULL;
}

/* ---- Measuring ------------------------------------------------------------------------------- */

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

static double timed(const bench_task *task, long repeats, bool wall)
{
    const double start = bench_seconds(wall);
    for (long i = 0; i < repeats; i++)
        task->step(task->context);
    return (bench_seconds(wall) - start) / (double)repeats;
}

/* So many that a sample is longer than what a clock and a first call cost. */
static long repeats_of(const bench_task *task, bool wall)
{
    const double once = timed(task, 1, wall), target = options.quick ? 5e-3 : 3e-2;
    return once >= target ? 1 : (long)(target / (once + 1e-9)) + 1;
}

static int threads_of(const bench_task *task)
{
    return task->threads > 1 ? task->threads : 1;
}

/* Seconds that a call must take at least: it computes while it reads. */
typedef struct limit {
    const char *name; /* of the slower of the two */
    double seconds, speed;
} limit;

static limit limit_of(const bench_task *task)
{
    const int threads = threads_of(task);
    const double peak = task->flops > 0 ? bench_peak(threads) / (task->f64 ? 2 : 1) : 1;
    const double reading = task->bytes > 0 ? bench_read_speed(threads) : 1;
    const limit computes = {task->f64 ? "peak f64" : "peak f32", task->flops / peak, peak};
    const limit reads = {"reading", task->bytes / reading, reading};
    return computes.seconds >= reads.seconds ? computes : reads;
}

/* ---- The table ------------------------------------------------------------------------------- */

typedef struct row {
    const bench_task *task;
    double value, spread; /* in the task's unit; as a share of it */
    double fraction;      /* of the limit's speed that was reached; 0: no limit */
    limit limit;
    double ratio; /* 0: compared with nothing */
} row;

static double unit_size(const char *unit)
{
    return unit[0] == 'n' ? 1e-9 : unit[0] == 'u' ? 1e-6 : 1e-3;
}

static void print_json(const row *r)
{
    const bench_task *task = r->task;
    printf("{\"name\": \"%s\", \"median\": %.6g, \"unit\": \"%s\", \"spread\": %.3f, "
           "\"threads\": %d",
           task->name, r->value, task->unit, r->spread, threads_of(task));
    if (r->fraction > 0)
        printf(", \"limit\": \"%s\", \"limit_value\": %.6g, \"fraction\": %.3f", r->limit.name,
               r->limit.speed, r->fraction);
    if (r->ratio > 0 && task->calls != NULL)
        printf(", \"evaluations\": %d, \"times_evaluations\": %.3f", (int)*task->calls, r->ratio);
    else if (r->ratio > 0)
        printf(", \"%s\": %.3f", task->doubled ? "exponent" : "speedup", r->ratio);
    if (task->comment != NULL)
        printf(", \"comment\": \"%s\"", task->comment);
    printf("}\n");
}

static void print_text(const row *r)
{
    const bench_task *task = r->task;
    printf("%-31s %9.4g %s +-%2.0f%%", task->name, r->value, task->unit, 100 * r->spread);
    if (r->fraction > 0)
        printf("  %.2f of %s (%.4g G/s)", r->fraction, r->limit.name, r->limit.speed * 1e-9);
    if (r->ratio > 0 && task->calls != NULL)
        printf("  %.2f times its %d evaluations", r->ratio, (int)*task->calls);
    else if (r->ratio > 0)
        printf(task->doubled ? "  grows as n^%.2f" : "  %.2f times one core", r->ratio);
    printf("%s%s\n", task->comment != NULL ? ", " : "", task->comment != NULL ? task->comment : "");
}

/* The spread leaves out the outermost sample at either end. */
static void print_row(const bench_task *task, double *times, double *ratios, int n, limit bound)
{
    const double seconds = median(times, n);
    row r = {.task = task, .limit = bound};
    r.value = seconds / (task->parts > 0 ? task->parts : 1) / unit_size(task->unit);
    r.spread = (times[n - 2] - times[1]) / (2 * seconds);
    r.fraction = bound.seconds / seconds;
    r.ratio = task->against != NULL ? median(ratios, n) : 0;
    (options.json ? print_json : print_text)(&r);
    fflush(stdout);
}

static double ratio_of(const bench_task *task, double seconds, double against)
{
    if (task->doubled)
        return log2(seconds / against);
    return task->calls != NULL ? seconds / ((double)*task->calls * against) : against / seconds;
}

static int compare_limits(const void *a, const void *b)
{
    return compare(&((const limit *)a)->seconds, &((const limit *)b)->seconds);
}

/* What instructions.sh has callgrind count: the second call, when all is warm. */
void bench_counted(const bench_task *task);
__attribute__((noinline)) void bench_counted(const bench_task *task)
{
    task->step(task->context);
}

void bench_measure(const bench_task *task)
{
    if (!bench_wanted(task->name))
        return;
    if (options.list || options.once) {
        printf("%s\n", task->name);
        if (options.once) {
            task->step(task->context);
            bench_counted(task);
        }
        return;
    }
    const int samples = options.quick ? QUICK_SAMPLES : SAMPLES;
    const bench_task *against = task->against;
    const bool wall = (against != NULL && !task->doubled) || task->threads > 1;
    const long repeats = repeats_of(task, wall);
    const long others = against != NULL ? repeats_of(against, wall) : 0;
    double times[SAMPLES], ratios[SAMPLES];
    limit limits[SAMPLES];
    for (int i = 0; i < samples; i++) {
        limits[i] = limit_of(task);
        times[i] = timed(task, repeats, wall);
        if (against != NULL)
            ratios[i] = ratio_of(task, times[i], timed(against, others, wall));
    }
    qsort(limits, (size_t)samples, sizeof *limits, compare_limits);
    print_row(task, times, ratios, samples, limits[samples / 2]);
}

/* ---- Data ------------------------------------------------------------------------------------ */

void *bench_take(size_t bytes)
{
    const wg_allocator a = wg_allocator_default();
    void *memory = a.allocate(bytes, a.user);
    if (memory == NULL) {
        fprintf(stderr, "bench: out of memory for %zu bytes\n", bytes);
        exit(1);
    }
    return memory;
}

void bench_release(void *memory)
{
    const wg_allocator a = wg_allocator_default();
    a.release(memory, a.user);
}

float *bench_normal_f32(int64_t n, uint64_t key)
{
    float *x = bench_take((size_t)n * sizeof *x);
    for (int64_t i = 0; i < n; i++)
        x[i] = (float)wg_random_normal(SEED, key, (uint64_t)i);
    return x;
}

double *bench_normal_f64(int64_t n, uint64_t key)
{
    double *x = bench_take((size_t)n * sizeof *x);
    for (int64_t i = 0; i < n; i++)
        x[i] = wg_random_normal(SEED, key, (uint64_t)i);
    return x;
}

/* Weights of N(0, 9 / d), so that logits are N(0, 9) whatever d is. */
static double *model_weights(int64_t d, uint64_t key)
{
    double *w = bench_normal_f64(d, key);
    for (int64_t j = 0; j < d; j++)
        w[j] *= 3 / sqrt((double)d);
    return w;
}

static double logit(const float *x, const double *w, int64_t d)
{
    double z = 0;
    for (int64_t j = 0; j < d; j++)
        z += (double)x[j] * w[j];
    return z;
}

float *bench_logistic_labels(const float *X, int64_t n, int64_t d)
{
    float *y = bench_take((size_t)n * sizeof *y);
    double *w = model_weights(d, 1000);
    for (int64_t i = 0; i < n; i++) {
        double p = 1 / (1 + exp(-logit(X + i * d, w, d)));
        y[i] = wg_random_uniform(SEED, 1001, (uint64_t)i) < p;
    }
    bench_release(w);
    return y;
}

/* The largest of logits with Gumbel noise is a draw from their softmax. */
static int64_t softmax_draw(const float *x, double *const *w, int64_t d, int64_t classes, int64_t i)
{
    double best = -(double)INFINITY;
    int64_t drawn = 0;
    for (int64_t c = 0; c < classes; c++) {
        double u = wg_random_uniform(SEED, 2001, (uint64_t)(i * classes + c));
        double z = logit(x, w[c], d) - log(-log(u + 0x1p-60));
        if (z > best) {
            best = z;
            drawn = c;
        }
    }
    return drawn;
}

int64_t *bench_softmax_labels(const float *X, int64_t n, int64_t d, int64_t classes)
{
    int64_t *y = bench_take((size_t)n * sizeof *y);
    double **w = bench_take((size_t)classes * sizeof *w);
    for (int64_t c = 0; c < classes; c++)
        w[c] = model_weights(d, 2002 + (uint64_t)c);
    for (int64_t i = 0; i < n; i++)
        y[i] = softmax_draw(X + i * d, w, d, classes, i);
    for (int64_t c = 0; c < classes; c++)
        bench_release(w[c]);
    bench_release(w);
    return y;
}

/* ---- The program ----------------------------------------------------------------------------- */

static int usage(FILE *stream, int status)
{
    fprintf(stream, "usage: bench [--json] [--only NAME] [--quick | --list | --once]\n");
    return status;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            options.json = true;
        else if (strcmp(argv[i], "--quick") == 0)
            options.quick = true;
        else if (strcmp(argv[i], "--list") == 0)
            options.list = true;
        else if (strcmp(argv[i], "--once") == 0)
            options.once = true;
        else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
            options.only = argv[++i];
        else
            return usage(strcmp(argv[i], "--help") == 0 ? stdout : stderr,
                         strcmp(argv[i], "--help") == 0 ? 0 : 2);
    }
    if (!options.json && !options.list && !options.once)
        printf("Wengert on %s, one core unless said. Inputs: normal features, labels drawn from a "
               "random\nlogistic or softmax model, seed %d, in memory of the library's default "
               "allocator "
               "(huge pages where\nthere are any), as files are read into it. Median of %d "
               "samples, half the "
               "width of all but two;\nlimits measured in between.\n\n",
               wg_isa_name(wg_cpu_isa()), SEED, options.quick ? QUICK_SAMPLES : SAMPLES);
    bench_gemm();
    bench_small();
    bench_growth();
    bench_ad();
    bench_jacobian();
    bench_train();
    bench_fit();
    return 0;
}
