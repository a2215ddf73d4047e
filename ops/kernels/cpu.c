/* cpu.c: the choice of the instruction set, made once. */
#include "ops/kernels/cpu.h"

#include <stdatomic.h>
#include <stdlib.h>

bool wgk_cpu_has(wgk_isa isa)
{
    if (isa == WGK_ISA_BASELINE)
        return true;
#ifdef WGK_ISA_X86
    /* The builtin also asks whether the operating system saves the wide registers. */
    if (isa == WGK_ISA_AVX2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (isa == WGK_ISA_AVX512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    return false;
}

static wgk_isa cpu_detect(void)
{
    const char *forced = getenv("WENGERT_BASELINE");
    if (forced && forced[0] && !(forced[0] == '0' && !forced[1]))
        return WGK_ISA_BASELINE;
    if (wgk_cpu_has(WGK_ISA_AVX512))
        return WGK_ISA_AVX512;
    if (wgk_cpu_has(WGK_ISA_AVX2))
        return WGK_ISA_AVX2;
    return WGK_ISA_BASELINE;
}

/* Two threads that come first at once find the same answer and store it twice. */
wgk_isa wgk_cpu_isa(void)
{
    static _Atomic int known = -1;
    int isa = atomic_load_explicit(&known, memory_order_relaxed);
    if (isa < 0) {
        isa = (int)cpu_detect();
        atomic_store_explicit(&known, isa, memory_order_relaxed);
    }
    return (wgk_isa)isa;
}

const char *wgk_isa_name(wgk_isa isa)
{
    if (isa == WGK_ISA_AVX512)
        return "avx512";
    if (isa == WGK_ISA_AVX2)
        return "avx2";
#if defined(__aarch64__)
    return "neon";
#else
    return "baseline";
#endif
}
