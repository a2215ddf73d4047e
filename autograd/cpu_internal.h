/* cpu_internal.h: which set of vector instructions the kernels may use on this processor. */
#ifndef WG_AUTOGRAD_CPU_INTERNAL_H
#define WG_AUTOGRAD_CPU_INTERNAL_H

#include <stdbool.h>

/* The bodies of kernels can be compiled for AVX2 and AVX512 (isa_avx2.inc, isa_avx512.inc). */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(WG_BASELINE_ONLY)
#define WG_ISA_X86
#endif

/* In ascending order.  Every set includes those before it that exist on the architecture.
 *   BASELINE  what every processor of the architecture has: SSE2 on x86-64, NEON on aarch64,
 *             whatever the compiler makes of 16-byte vectors elsewhere
 *   AVX2      AVX2 and FMA (x86-64)
 *   AVX512    AVX-512 F, BW, DQ and VL (x86-64) */
typedef enum wg_isa { WG_ISA_BASELINE, WG_ISA_AVX2, WG_ISA_AVX512, WG_ISA_COUNT } wg_isa;

/* The best set that the processor and the operating system support, or BASELINE where the
 * environment variable WENGERT_BASELINE is set to anything but "" or "0".  The answer is found at
 * the first call and kept for the life of the process; any thread may call at any time. */
wg_isa wg_cpu_isa(void);

/* True if this processor can run the set (the environment is not asked). */
bool wg_cpu_has(wg_isa isa);

/* "baseline", "avx2", "avx512"; on aarch64 the baseline is called "neon". */
const char *wg_isa_name(wg_isa isa);

#endif
