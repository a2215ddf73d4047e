/* cpu.h: which set of vector instructions the kernels may use on this processor. */
#ifndef WG_OPS_KERNELS_CPU_H
#define WG_OPS_KERNELS_CPU_H

#include <stdbool.h>

/* The bodies of kernels can be compiled for AVX2 and AVX512 (isa_avx2.inc, isa_avx512.inc). */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(WG_BASELINE_ONLY)
#define WGK_ISA_X86
#endif

/* In ascending order.  Every set includes those before it that exist on the architecture.
 *   BASELINE  what every processor of the architecture has: SSE2 on x86-64, NEON on aarch64,
 *             whatever the compiler makes of 16-byte vectors elsewhere
 *   AVX2      AVX2 and FMA (x86-64)
 *   AVX512    AVX-512 F, BW, DQ and VL (x86-64) */
typedef enum wgk_isa { WGK_ISA_BASELINE, WGK_ISA_AVX2, WGK_ISA_AVX512, WGK_ISA_COUNT } wgk_isa;

/* The best set that the processor and the operating system support, or BASELINE where the
 * environment variable WENGERT_BASELINE is set to anything but "" or "0".  The answer is found at
 * the first call and kept for the life of the process; any thread may call at any time. */
wgk_isa wgk_cpu_isa(void);

/* True if this processor can run the set (the environment is not asked). */
bool wgk_cpu_has(wgk_isa isa);

/* "baseline", "avx2", "avx512"; on aarch64 the baseline is called "neon". */
const char *wgk_isa_name(wgk_isa isa);

#endif
