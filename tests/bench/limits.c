#include "tests/bench/bench.h"

#include "ops/kernels/cpu.h"

#include <stdlib.h>
#include <time.h>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

/* CPU time leaves out what others on a shared machine take in between; threads need the clock on the
 * wall. */
double bench_seconds(bool wall)
{
    struct timespec t;
    clock_gettime(wall ? CLOCK_MONOTONIC : CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- The peak: independent chains of FMAs in registers ------------------------------------------- */

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

double bench_peak(void)
{
    const double start = bench_seconds(false), work = flops(wgk_cpu_isa(), 200000);
    return work / (bench_seconds(false) - start);
}

/* A buffer that no cache holds is summed, in as many chains as keep the memory busy. */
double bench_read_speed(void)
{
    static float *buffer;
    enum { COUNT = 1 << 25 };
    if (buffer == NULL) {
        buffer = malloc(COUNT * sizeof *buffer);
        for (size_t i = 0; buffer != NULL && i < COUNT; i++)
            buffer[i] = (float)(i % 7);
    }
    if (buffer == NULL)
        return 0;
    float sum[64] = {0};
    const double start = bench_seconds(false);
    for (size_t i = 0; i < COUNT; i += 64)
        for (size_t j = 0; j < 64; j++)
            sum[j] += buffer[i + j];
    const double t = bench_seconds(false) - start;
    for (int j = 0; j < 64; j++)
        sink = sum[j];
    return COUNT * sizeof *buffer / t;
}
