#ifndef WG_TESTS_BENCH_H
#define WG_TESTS_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Limits of this machine, measured in the same run as what is held against them. -------------- */

double bench_seconds(bool wall);
double bench_peak(void); /* f32 operations a second of one core: register-only FMAs; f64 has half */
double bench_read_speed(void); /* bytes a second that one core reads from memory */

/* ---- Measuring ----------------------------------------------------------------------------------- */

typedef enum bench_limit {
    BENCH_NO_LIMIT,
    BENCH_PEAK_F32,
    BENCH_PEAK_F64,
    BENCH_READING
} bench_limit;

/* One line of the table. A call of `step` does `work` operations or bytes, and counts for `parts` of the
 * unit (ops of a chain; 0 stands for 1). */
typedef struct bench_task {
    const char *name, *unit; /* "us", "ns", "ms" */
    void (*step)(void *context);
    void *context;
    double work, parts;
    bench_limit limit;
    int threads; /* 0 stands for 1; with more, time is that of the clock on the wall */
    double
        another; /* seconds of another measurement: `ratio` tells how many times faster this is */
} bench_task;

/* bench_measure: median and spread of several samples, printed as a line of the table or of JSON; the
 * median in seconds. NaN, and nothing printed, where --only names something else. */
double bench_measure(const bench_task *task);

/* bench_wanted: does --only ask for this name, or is everything asked for? */
bool bench_wanted(const char *name);

/* ---- Data: normal features, labels drawn from a random logistic or softmax model; fixed seeds. ---- */

float *bench_normal_f32(int64_t n, uint64_t key);
double *bench_normal_f64(int64_t n, uint64_t key);
/* Labels of the rows of X [n, d]: of a model with weights 1/sqrt(d) N(0, 1) * 3; y [n] of 0 and 1, or classes. */
void bench_logistic_labels(const float *X, int64_t n, int64_t d, float *y);
void bench_softmax_labels(const float *X, int64_t n, int64_t d, int64_t classes, int64_t *y);

/* ---- Families of workloads ------------------------------------------------------------------------ */

void bench_gemm(void);
void bench_train(void);
void bench_fit(void);
void bench_small(void);

#endif
