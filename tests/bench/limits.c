#include "tests/bench/bench.h"

#include "autograd/cpu_internal.h"
#include "autograd/pool.h"

#include <time.h>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

double bench_seconds(bool wall)
{
    struct timespec t;
    clock_gettime(wall ? CLOCK_MONOTONIC : CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- The peak: independent chains of FMAs in registers --------------------------------------- */

enum { ROUNDS = 200000 };

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
    volatile float sink;
    for (int i = 0; i < 16; i++)
        sink = _mm512_reduce_add_ps(s[i]);
    (void)sink;
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
    volatile float sink;
    for (int i = 0; i < 12; i++)
        sink = _mm256_cvtss_f32(s[i]);
    (void)sink;
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
    volatile float sink;
    for (int i = 0; i < 12; i++)
        sink = _mm_cvtss_f32(s[i]);
    (void)sink;
    return (double)rounds * 12 * 8;
}

static double flops(wg_isa isa, long rounds)
{
    if (isa == WG_ISA_AVX512)
        return flops_avx512(rounds);
    if (isa == WG_ISA_AVX2)
        return flops_avx2(rounds);
    return flops_baseline(rounds);
}
#elif defined(__aarch64__)
static double flops(wg_isa isa, long rounds)
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
    volatile float sink;
    for (int i = 0; i < 16; i++)
        sink = vaddvq_f32(s[i]);
    (void)sink;
    return (double)rounds * 16 * 8;
}
#else
static double flops(wg_isa isa, long rounds)
{
    (void)isa, (void)rounds;
    return 0;
}
#endif

/* ---- With threads ---------------------------------------------------------------------------- */

/* Seconds for `work` to be done once by each thread. The pool lives on; idle threads cost
 * nothing. */
static double limit_seconds(int threads, wg_pool_work *work)
{
    static wg_pool *pool;
    const bool several = threads > 1;
    if (several && wg_pool_threads(pool) != threads) {
        wg_pool_free(pool);
        pool = wg_pool_new(threads, NULL);
    }
    wg_pool *const taken = several ? pool : NULL;
    if (several)
        wg_pool_run(taken, threads, work, &threads); /* all are awake from now on */
    const double start = bench_seconds(several);
    wg_pool_run(taken, threads, work, &threads);
    return bench_seconds(several) - start;
}

static void peak_work(int64_t piece, int worker, void *context)
{
    (void)piece, (void)worker, (void)context;
    flops(wg_cpu_isa(), ROUNDS);
}

double bench_peak(int threads)
{
    const double each = flops(wg_cpu_isa(), 1) * ROUNDS;
    return each * threads / limit_seconds(threads, peak_work);
}

/* A buffer that no cache holds is summed, from four places at once and in as many chains as keep
 * the memory busy: a tenth faster than from one place, on pages of 4 KiB. */
enum { READ_COUNT = 1 << 25, READ_PLACES = 4, READ_WIDTH = 16 };
static float *read_buffer;

static void read_work(int64_t piece, int worker, void *context)
{
    const size_t pieces = READ_PLACES * (size_t) * (const int *)context;
    const size_t each = READ_COUNT / pieces / READ_WIDTH * READ_WIDTH;
    const float *x = read_buffer + (size_t)piece * READ_PLACES * each;
    float sum[READ_PLACES][READ_WIDTH] = {{0}};
    volatile float sink;
    (void)worker;
    for (size_t i = 0; i < each; i += READ_WIDTH)
        for (size_t k = 0; k < READ_PLACES; k++)
            for (size_t j = 0; j < READ_WIDTH; j++)
                sum[k][j] += x[k * each + i + j];
    for (int k = 0; k < READ_PLACES; k++)
        for (int j = 0; j < READ_WIDTH; j++)
            sink = sum[k][j];
    (void)sink;
}

double bench_read_speed(int threads)
{
    if (read_buffer == NULL) {
        read_buffer = bench_take(READ_COUNT * sizeof *read_buffer);
        for (size_t i = 0; i < READ_COUNT; i++)
            read_buffer[i] = (float)(i % 7);
    }
    return READ_COUNT * sizeof *read_buffer / limit_seconds(threads, read_work);
}
