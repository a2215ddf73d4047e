#ifndef WGT_BENCH_BENCH_H
#define WGT_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Limits of this machine, measured in the same run as what is held against them. ---------- */

/* bench_seconds: of the clock on the wall, or of the processor, which leaves out what others on a
 * shared machine take in between. */
double bench_seconds(bool wall);

/* With so many threads at once. bench_peak: f32 operations a second, by FMAs in registers; f64 has
 * half. bench_read_speed: bytes a second that are read from memory. */
double bench_peak(int threads);
double bench_read_speed(int threads);

/* ---- Measuring ------------------------------------------------------------------------------- */

/* One line of the table. A call of `step` does `flops` operations and reads `bytes` from memory; it
 * can be no faster than the slower of the two, which is its limit. It counts for `parts` of the
 * unit (ops of a chain; 0 stands for 1). */
typedef struct bench_task {
    const char *name, *unit; /* "us", "ns", "ms" */
    void (*step)(void *context);
    void *context;
    double flops, bytes; /* both 0: no limit is known */
    bool f64;            /* the operations are in double */
    double parts;
    int threads; /* 0 stands for 1; with more, time is that of the clock on the wall */

    /* What this is compared with, NULL: nothing. Both are timed in turn, on the wall, and the ratio
     * of each pair of samples counts: how many times faster this is, or, where `calls` says how
     * many calls of `against` this consists of, how many times as long as they it takes. */
    const struct bench_task *against;
    const int64_t *calls;
    bool doubled;        /* `against` is this at half the size: k of the growth n^k is printed */
    const char *comment; /* NULL: none */
} bench_task;

/* bench_measure: median and spread of several samples, printed as a line of the table or of JSON.
 * Nothing where --only names something else. */
void bench_measure(const bench_task *task);

/* bench_wanted: does --only ask for this name, or is everything asked for? */
bool bench_wanted(const char *name);

/* bench_take: memory of the library's default allocator, as what is read from files is on; without
 * any, the program ends. bench_release: gives it back. */
void *bench_take(size_t bytes);
void bench_release(void *memory);

/* ---- Data: normal features, labels drawn from a random logistic or softmax model; fixed seeds.
 * ---- */

float *bench_normal_f32(int64_t n, uint64_t key);
double *bench_normal_f64(int64_t n, uint64_t key);
/* Labels of the rows of X [n, d], 0 and 1 or classes, drawn from a model whose weights are N(0, 9 /
 * d). The caller gives what any of these returns to bench_release. */
float *bench_logistic_labels(const float *X, int64_t n, int64_t d);
int64_t *bench_softmax_labels(const float *X, int64_t n, int64_t d, int64_t classes);

/* ---- Families of workloads ------------------------------------------------------------------- */

void bench_gemm(void);
void bench_train(void);
void bench_fit(void);
void bench_small(void);
void bench_growth(void);
void bench_ad(void);
void bench_jacobian(void);

#endif
