/* cpu.c: the choice of the instruction set, made once. */
#include "autograd/cpu_internal.h"

#include <stdatomic.h>
#include <stdlib.h>

bool wg_cpu_has(wg_isa isa)
{
    if (isa == WG_ISA_BASELINE)
        return true;
#ifdef WG_ISA_X86
    /* The builtin also asks whether the operating system saves the wide registers. */
    if (isa == WG_ISA_AVX2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (isa == WG_ISA_AVX512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    return false;
}

static wg_isa cpu_detect(void)
{
    const char *forced = getenv("WENGERT_BASELINE");
    if (forced && forced[0] && !(forced[0] == '0' && !forced[1]))
        return WG_ISA_BASELINE;
    if (wg_cpu_has(WG_ISA_AVX512))
        return WG_ISA_AVX512;
    if (wg_cpu_has(WG_ISA_AVX2))
        return WG_ISA_AVX2;
    return WG_ISA_BASELINE;
}

/* Two threads that come first at once find the same answer and store it twice. */
wg_isa wg_cpu_isa(void)
{
    static _Atomic int known = -1;
    int isa = atomic_load_explicit(&known, memory_order_relaxed);
    if (isa < 0) {
        isa = (int)cpu_detect();
        atomic_store_explicit(&known, isa, memory_order_relaxed);
    }
    return (wg_isa)isa;
}

const char *wg_isa_name(wg_isa isa)
{
    if (isa == WG_ISA_AVX512)
        return "avx512";
    if (isa == WG_ISA_AVX2)
        return "avx2";
#if defined(__aarch64__)
    return "neon";
#else
    return "baseline";
#endif
}
