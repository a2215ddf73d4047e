/* gemm_bench: the speed of the matrix product, as GFLOP/s and as a fraction of what a loop of
 * register-only FMAs reaches in the same run, on one core.  A program of its own:
 *
 *     cc -std=c11 -O3 -ffp-contract=off -D_POSIX_C_SOURCE=200809L -I. tests/bench/gemm_bench.c \
 *        ops/kernels/gemm.c ops/kernels/cpu.c -lm -o gemm_bench && ./gemm_bench [name]
 *
 * Each line: the median of several samples with their spread; peak is measured beside each product,
 * because the clock of a shared machine moves.  GB/s counts every operand once. */
#include "ops/kernels/gemm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

enum { SAMPLES = 11, LARGE = 1 << 26 /* bytes that no cache holds */ };

/* Of this process on the processor: what others on the machine take in between is not counted. */
static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* ---- the peak: sixteen independent chains of FMAs in registers ------------------------------- */

static volatile float sink;

#if defined(__x86_64__)
__attribute__((target("avx512f"))) static double flops_avx512(long rounds)
{
    __m512 s[16];
    const __m512 x = _mm512_set1_ps(0.999f), y = _mm512_set1_ps(0.001f);
    for (int i = 0; i < 16; i++)
        s[i] = _mm512_set1_ps((float)i);
    for (long r = 0; r < rounds; r++) {
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++)
            s[i] = _mm512_fmadd_ps(s[i], x, y);
    }
    for (int i = 0; i < 16; i++)
        sink = _mm512_reduce_add_ps(s[i]);
    return (double)rounds * 16 * 32;
}

__attribute__((target("avx2,fma"))) static double flops_avx2(long rounds)
{
    __m256 s[12];
    const __m256 x = _mm256_set1_ps(0.999f), y = _mm256_set1_ps(0.001f);
    for (int i = 0; i < 12; i++)
        s[i] = _mm256_set1_ps((float)i);
    for (long r = 0; r < rounds; r++) {
#pragma GCC unroll 12
        for (int i = 0; i < 12; i++)
            s[i] = _mm256_fmadd_ps(s[i], x, y);
    }
    for (int i = 0; i < 12; i++)
        sink = _mm256_cvtss_f32(s[i]);
    return (double)rounds * 12 * 16;
}

/* Without FMA the peak is one multiplication and one addition. */
static double flops_baseline(long rounds)
{
    __m128 s[12];
    const __m128 x = _mm_set1_ps(0.999f), y = _mm_set1_ps(0.001f);
    for (int i = 0; i < 12; i++)
        s[i] = _mm_set1_ps((float)i);
    for (long r = 0; r < rounds; r++) {
#pragma GCC unroll 12
        for (int i = 0; i < 12; i++)
            s[i] = _mm_add_ps(_mm_mul_ps(s[i], x), y);
    }
    for (int i = 0; i < 12; i++)
        sink = _mm_cvtss_f32(s[i]);
    return (double)rounds * 12 * 8;
}

static double flops(wgk_isa isa, long rounds)
{
    if (isa == WGK_ISA_AVX512)
        return flops_avx512(rounds);
    if (isa == WGK_ISA_AVX2)
        return flops_avx2(rounds);
    return flops_baseline(rounds);
}
#elif defined(__aarch64__)
static double flops(wgk_isa isa, long rounds)
{
    (void)isa;
    float32x4_t s[16];
    const float32x4_t x = vdupq_n_f32(0.999f), y = vdupq_n_f32(0.001f);
    for (int i = 0; i < 16; i++)
        s[i] = vdupq_n_f32((float)i);
    for (long r = 0; r < rounds; r++) {
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++)
            s[i] = vfmaq_f32(y, s[i], x);
    }
    for (int i = 0; i < 16; i++)
        sink = vaddvq_f32(s[i]);
    return (double)rounds * 16 * 8;
}
#else
static double flops(wgk_isa isa, long rounds)
{
    (void)isa, (void)rounds;
    return 0;
}
#endif

/* GFLOP/s in f32; f64 has half of it. */
static double peak(wgk_isa isa)
{
    const double start = seconds(), work = flops(isa, 200000);
    return work / (seconds() - start) * 1e-9;
}

/* GB/s of a sum over memory: what a product can reach whose time goes into reading A. */
static double read_speed(const float *x, size_t bytes)
{
    float sum[64] = {0};
    const size_t n = bytes / sizeof *x / 64 * 64;
    const double start = seconds();
    for (size_t i = 0; i < n; i += 64)
        for (size_t j = 0; j < 64; j++)
            sum[j] += x[i + j];
    const double t = seconds() - start;
    for (int j = 0; j < 64; j++)
        sink = sum[j];
    return (double)bytes / t * 1e-9;
}

/* ---- products -------------------------------------------------------------------------------- */

typedef struct workload {
    const char *name;
    bool ta, tb;
    int64_t m, n, k;
} workload;

static const workload workloads[] = {
    {"square_256", false, false, 256, 256, 256},
    {"square_512", false, false, 512, 512, 512},
    {"square_1024", false, false, 1024, 1024, 1024},
    {"square_2048", false, false, 2048, 2048, 2048},
    {"square_512_nt", false, true, 512, 512, 512},
    {"square_512_tn", true, false, 512, 512, 512},
    {"square_512_tt", true, true, 512, 512, 512},
    {"mlp_forward", false, false, 128, 256, 784},
    {"mlp_weights", true, false, 784, 256, 128},
    {"mlp_inputs", false, true, 128, 784, 256},
    {"mlp_hidden_512", false, false, 128, 512, 512},
    {"mlp_hidden_512_tn", true, false, 512, 512, 128},
    {"mlp_hidden_512_nt", false, true, 128, 512, 512},
    {"softmax_forward", false, false, 128, 10, 784},
    {"softmax_weights", true, false, 784, 10, 128},
    {"softmax_inputs", false, true, 128, 784, 10},
    {"mlp_out_forward", false, false, 128, 10, 256},
    {"mlp_out_weights", true, false, 256, 10, 128},
    {"mlp_out_inputs", false, true, 128, 256, 10},
    {"rows_100", false, false, 4096, 1, 100},
    {"rows_100_t", true, false, 100, 1, 4096},
    {"rows_784", false, false, 4096, 1, 784},
    {"rows_784_t", true, false, 784, 1, 4096},
    {"long_100", false, false, 1000000, 1, 100},
    {"long_100_t", true, false, 100, 1, 1000000},
    {"long_softmax", false, false, 60000, 10, 784},
    {"long_softmax_t", true, false, 784, 10, 60000},
    {"vector_784_256", false, false, 1, 256, 784},
    {"vector_784_256_nt", false, true, 1, 784, 256},
    {"batch_8", false, false, 8, 256, 784},
    {"batch_8_nt", false, true, 8, 784, 256},
    {"batch_8_tn", true, false, 784, 256, 8},
    {"batch_32", false, false, 32, 64, 64},
    {"batch_32_nt", false, true, 32, 64, 64},
    {"batch_32_tn", true, false, 64, 64, 32},
    {"small_16", false, false, 32, 16, 10},
    {"small_16_tn", true, false, 10, 16, 32},
    {"small_3", false, false, 32, 3, 16},
    {"small_3_nt", false, true, 32, 16, 3},
    {"small_3_tn", true, false, 16, 3, 32},
    {"tiny", false, false, 1, 1, 4},
    {"tiny_4", false, false, 4, 4, 4},
};

static void *filled(size_t elements, wgk_gemm_type type)
{
    const size_t size = type == WGK_GEMM_F32 ? sizeof(float) : sizeof(double);
    void *p = aligned_alloc(64, (elements * size + 63) / 64 * 64);
    if (!p)
        exit(1);
    for (size_t i = 0; i < elements; i++) {
        const double v = (double)((i * 7919) % 1000) / 1000 - 0.5;
        if (type == WGK_GEMM_F32)
            ((float *)p)[i] = (float)v;
        else
            ((double *)p)[i] = v;
    }
    return p;
}

/* Plan and product, `times` times, as an eager caller would; seconds for each. */
static double measure(const workload *w, wgk_gemm_type type, wgk_isa isa,
                      const wgk_gemm_operands *o, void *workspace, void *partials, long times)
{
    const double start = seconds();
    for (long t = 0; t < times; t++) {
        wgk_gemm_plan plan;
        wgk_gemm_plan_init_isa(&plan, type, w->ta, w->tb, w->m, w->n, w->k, isa);
        for (int64_t p = 0; p < plan.pieces; p++)
            wgk_gemm_run(&plan, o, p, workspace, partials);
        wgk_gemm_finish(&plan, o, partials);
    }
    return (seconds() - start) / (double)times;
}

static void bench(const workload *w, wgk_gemm_type type, wgk_isa isa)
{
    wgk_gemm_plan plan;
    wgk_gemm_plan_init_isa(&plan, type, w->ta, w->tb, w->m, w->n, w->k, isa);
    void *a = filled((size_t)(w->m * w->k), type), *b = filled((size_t)(w->k * w->n), type);
    void *c = filled((size_t)(w->m * w->n), type);
    void *workspace = malloc(plan.workspace + 1), *partials = malloc(plan.partials + 1);
    const wgk_gemm_operands o = {.a = a,
                                 .b = b,
                                 .c = c,
                                 .lda = w->ta ? w->m : w->k,
                                 .ldb = w->tb ? w->k : w->n,
                                 .ldc = w->n,
                                 .alpha = 1,
                                 .beta = 0};
    const size_t size = type == WGK_GEMM_F32 ? 4 : 8, a_bytes = (size_t)(w->m * w->k) * size;
    double times[SAMPLES], peaks[SAMPLES], reads[SAMPLES];
    const double once = measure(w, type, isa, &o, workspace, partials, 1);
    const double warm = measure(w, type, isa, &o, workspace, partials, once > 1e-3 ? 1 : 10);
    const long repeats = warm > 5e-3 ? 1 : (long)(5e-3 / warm) + 1;
    for (int s = 0; s < SAMPLES; s++) {
        reads[s] = a_bytes > LARGE ? read_speed(a, a_bytes) : 0;
        peaks[s] = peak(isa) / (type == WGK_GEMM_F64 ? 2 : 1);
        times[s] = measure(w, type, isa, &o, workspace, partials, repeats);
    }
    qsort(times, SAMPLES, sizeof *times, compare);
    qsort(peaks, SAMPLES, sizeof *peaks, compare);
    qsort(reads, SAMPLES, sizeof *reads, compare);
    const double t = times[SAMPLES / 2], gflops = 2e-9 * (double)(w->m * w->n * w->k) / t;
    const double bytes = (double)(w->m * w->k + w->k * w->n + w->m * w->n) * (double)size;
    printf("%-18s %s %s%s %7ld %5ld %7ld %3ld %11.3f us +-%3.0f%% %7.1f GFLOP/s %5.2f of %5.1f "
           "(best %.2f) %6.1f GB/s",
           w->name, type == WGK_GEMM_F32 ? "f32" : "f64", w->ta ? "T" : "N", w->tb ? "T" : "N",
           (long)w->m, (long)w->n, (long)w->k, (long)plan.pieces, t * 1e6,
           50 * (times[SAMPLES - 2] - times[1]) / t, gflops, gflops / peaks[SAMPLES / 2],
           peaks[SAMPLES / 2], gflops * t / times[0] / peaks[SAMPLES - 1], bytes / t * 1e-9);
    if (a_bytes > LARGE)
        printf(" %.2f of reading A at %.1f", bytes / t * 1e-9 / reads[SAMPLES / 2],
               reads[SAMPLES / 2]);
    printf("\n");
    free(a), free(b), free(c), free(workspace), free(partials);
}

/* gemm_bench [part of a name [isa]]: isa is 0, 1 or 2, the best by default. */
int main(int argc, char **argv)
{
    const wgk_isa isa = argc > 2 ? (wgk_isa)atoi(argv[2]) : wgk_cpu_isa();
    if (!wgk_cpu_has(isa))
        return fprintf(stderr, "no such instruction set here\n"), 1;
    printf("%s, one core\n"
           "product, type, op(A) op(B), m n k, pieces, time, speed, fraction of peak\n",
           wgk_isa_name(isa));
    for (size_t i = 0; i < sizeof workloads / sizeof *workloads; i++) {
        if (argc > 1 && !strstr(workloads[i].name, argv[1]))
            continue;
        bench(&workloads[i], WGK_GEMM_F32, isa);
        bench(&workloads[i], WGK_GEMM_F64, isa);
    }
    return 0;
}
