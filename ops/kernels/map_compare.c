#include "ops/kernels/map_internal.h"

/* clang-format off */

#define COMPARE(name, relation)                                                                    \
    WGK_MAP2(name, a, b, a relation b ? 1 : 0)                                                     \
    WGK_MAP2_OF(name, int64_t, i64, a, b, a relation b ? 1 : 0)

COMPARE(equal, ==)
COMPARE(not_equal, !=)
COMPARE(less, <)
COMPARE(less_equal, <=)
COMPARE(greater, >)
COMPARE(greater_equal, >=)

#undef COMPARE

WGK_MAP3(where, c, a, b, c != 0 ? a : b)
WGK_MAP3_OF(where, int64_t, i64, c, a, b, c != 0 ? a : b)

/* wgk_cast_<from>_<to>: T is the type cast from. */
#define CAST(from_suffix, from, to_suffix, to, value)                                              \
    WGK_SIGNATURE(cast_##from_suffix, to_suffix)                                                   \
    {                                                                                              \
        typedef from T;                                                                            \
        to *restrict y = out;                                                                      \
        const T *p = operand[0];                                                                   \
        (void)attrs;                                                                               \
        WGK_EACH1(0, n, v, y[i] = value)                                                           \
    }

/* The integers between -2^63 and 2^63, the latter excluded, both of which a float holds exactly. */
#define FITS_I64(v) ((v) >= -(T)9223372036854775808.0 && (v) < (T)9223372036854775808.0)

CAST(f32, float, f32, float, v)
CAST(f32, float, f64, double, (double)v)
CAST(f32, float, i64, int64_t, FITS_I64(v) ? (int64_t)v : INT64_MIN)
CAST(f64, double, f32, float, (float)v)
CAST(f64, double, f64, double, v)
CAST(f64, double, i64, int64_t, FITS_I64(v) ? (int64_t)v : INT64_MIN)
CAST(i64, int64_t, f32, float, (float)v)
CAST(i64, int64_t, f64, double, (double)v)
CAST(i64, int64_t, i64, int64_t, v)

#undef FITS_I64
#undef CAST
