/* The widest float that libm computes with: wg_wide. It decides gradient checks, and nothing else.
 *
 *   x86 and ppc64le with glibc            __float128, functions expf128, ...     113 bits
 *   aarch64, riscv64, s390x, ... glibc    long double, functions expl, ...       113 bits
 *   x86 with another libc (musl)          long double, the x87's, expl, ...       64 bits
 *   else, and with WG_NO_CHECK            there is none, and WG_HAS_WIDE is 0
 *
 * (With another libc a long double of 113 bits is no use: its functions may call those of double.)
 *
 * A body that serves several types names its type, f32, f64 or wide, in two macros:
 *   WG_F(wide, exp)(x)            the function of libm: expf, exp, expf128 or expl
 *   WG_K(wide, 0.797884560802865355879892119868763737)
 *                                 a constant, with the type's own suffix, so that no digit is lost
 *                                 on the way. Always with a decimal point, and 36 digits where it
 *                                 has more. Small whole numbers need none: 2 * x is always exact.
 * Attributes are doubles: a kernel casts them to float first where the f32 kernel rounds them.
 * The functions to use are those of WG_WIDE_FUNCTIONS; each is tested to the last digits. */
#ifndef WG_AUTOGRAD_WIDE_H
#define WG_AUTOGRAD_WIDE_H

#include <float.h>
#include <math.h> /* with glibc it says which libc there is */

#ifdef WG_NO_CHECK
#define WG_HAS_WIDE 0
#elif defined(__GLIBC__) && defined(__GNUC__) &&                                                   \
    (defined(__x86_64__) || defined(__i386__) ||                                                   \
     (defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)))
#define WG_HAS_WIDE     1
#define WG_WIDE_IS_F128 1
typedef __float128 wg_wide;
#define WG_F_wide(f)    f##f128
#define WG_K_wide(c)    (__extension__ c##Q)
#define WG_WIDE_BITS    113
#define WG_WIDE_DIGITS  33 /* that every value keeps */
#define WG_WIDE_EPSILON WG_K_wide(1.92592994438723585305597794258492732e-34)
#define WG_WIDE_MAX     WG_K_wide(1.18973149535723176508575932662800702e4932)
#define WG_WIDE_MIN     WG_K_wide(3.36210314311209350626267781732175260e-4932)
#elif LDBL_MANT_DIG == 113 && defined(__GLIBC__)
#define WG_HAS_WIDE     1
typedef long double wg_wide;
#define WG_F_wide(f)    f##l
#define WG_K_wide(c)    c##L
#define WG_WIDE_BITS    113
#define WG_WIDE_DIGITS  33
#define WG_WIDE_EPSILON LDBL_EPSILON
#define WG_WIDE_MAX     LDBL_MAX
#define WG_WIDE_MIN     LDBL_MIN
#elif LDBL_MANT_DIG == 64
#define WG_HAS_WIDE     1
typedef long double wg_wide;
#define WG_F_wide(f)    f##l
#define WG_K_wide(c)    c##L
#define WG_WIDE_BITS    64
#define WG_WIDE_DIGITS  18
#define WG_WIDE_EPSILON LDBL_EPSILON
#define WG_WIDE_MAX     LDBL_MAX
#define WG_WIDE_MIN     LDBL_MIN
#else
#define WG_HAS_WIDE  0
#define WG_WIDE_BITS 0
#endif

/* Bytes of one: 12 where i386 has no quad precision. */
#if WG_HAS_WIDE
#define WG_WIDE_SIZE sizeof(wg_wide)
#else
#define WG_WIDE_SIZE 16u
#endif

#define WG_F_f32(name) name##f
#define WG_F_f64(f)    f
#define WG_K_f32(c)    c##f
#define WG_K_f64(c)    c

#define WG_F(type, f) WG_F_##type(f)
#define WG_K(type, c) WG_K_##type(c)

/* Functions of one and of two variables. */
/* clang-format off */
#define WG_WIDE_FUNCTIONS(ONE, TWO)                                                                \
    ONE(exp) ONE(expm1) ONE(log) ONE(log2) ONE(log10) ONE(log1p) ONE(sqrt)                         \
    ONE(sin) ONE(cos) ONE(tan) ONE(asin) ONE(acos) ONE(atan)                                       \
    ONE(sinh) ONE(cosh) ONE(tanh) ONE(asinh) ONE(acosh) ONE(atanh) ONE(erf) ONE(erfc)              \
    ONE(fabs) ONE(floor) ONE(ceil) ONE(round) ONE(rint)                                            \
    TWO(pow) TWO(hypot) TWO(atan2) TWO(fmax) TWO(fmin) TWO(copysign) TWO(nextafter)
/* clang-format on */

#if WG_HAS_WIDE

#if defined(WG_WIDE_IS_F128)
#ifndef __cplusplus /* extern "C" in its <math.h> already */
/* glibc has these since 2.26; <math.h> shows them only to those who ask for GNU's extensions. Here
 * nobody asks for errno: a formula that says cosh(x) twice calls it once. */
#define WG_WIDE_ONE(f) extern wg_wide f##f128(wg_wide) __attribute__((const));
#define WG_WIDE_TWO(f) extern wg_wide f##f128(wg_wide, wg_wide) __attribute__((const));
WG_WIDE_FUNCTIONS(WG_WIDE_ONE, WG_WIDE_TWO)
#undef WG_WIDE_ONE
#undef WG_WIDE_TWO
extern wg_wide frexpf128(wg_wide, int *);
extern wg_wide ldexpf128(wg_wide, int);
#endif
#endif

#endif
#endif
