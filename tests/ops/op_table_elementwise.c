/* Rows of the elementwise ops: a closed form each, in long double. */
#include "tests/ops/op_table.h"

#include <math.h>

#define FREE   1 /* of kinks */
#define ITSELF 0 /* nothing cancels that would be larger than the value */

#define OUTSIDE(x, low, high) fminl(fabsl((x) - (low)), fabsl((x) - (high)))
#define SIGMA(x)              (1 / (1 + expl(-(x))))
#define SOFTPLUS(x)           (fmaxl(x, 0) + log1pl(expl(-fabsl(x))))
/* clang-format off */
#define BCE(z, y, w)          ((1 - (y)) * SOFTPLUS(z) + (w) * (y) * SOFTPLUS(-(z)))

/* The normal density, its integral, and gelu_tanh's u = 2 (2/pi)^(1/2) (x + 0.044715 x^3). */
#define DENSITY(x) (0.398942280401432677939946059934L * expl(-(x) * (x) / 2))
#define NORMAL(x)  (erfcl(-(x) * 0.707106781186547524400844362105L) / 2)
/* clang-format on */
#define TANH_U(x)  (1.59576912160573071175978423973L * ((x) + 0.044715L * (x) * (x) * (x)))
#define TANH_DU(x) (1.59576912160573071175978423973L * (1 + 3 * 0.044715L * (x) * (x)))

#define CONDITIONS                                                                                 \
    WGT_VARIANTS({"?2x3 2x3 2x3", {0}}, {"?3 2x1 .", {0}}, {"?. 2x3 3", {0}}, {"?2x1 3 =", {0}},   \
                 {"?. . .", {0}}, {"?0 1 .", {0}}, {"?600 600 600", {0}})
#define ALIKE                                                                                      \
    WGT_VARIANTS({"2x3 2x3", {0}}, {". .", {0}}, {"0x3 0x3", {0}}, {"3 =", {0}}, {"600 600", {0}})

/* The functions of a row are called after the line that it stands in. */
#define JOIN_(a, b) a##b
#define JOIN(a, b)  JOIN_(a, b)

#define SMOOTH(op, ulps, value)        ROW(op, ulps, value, FREE, ITSELF, 0, 0, NULL)
#define KINKED(op, ulps, value, clear) ROW(op, ulps, value, clear, ITSELF, 0, 0, NULL)

#define ENTRY(name, formula)                                                                       \
    static long double name(const long double *x, const double *numbers)                           \
    {                                                                                              \
        const long double a = x[0], b = x[1], c = x[2];                                            \
        const long double k[2] = {(long double)numbers[0], (long double)numbers[1]};               \
        (void)a, (void)b, (void)c, (void)k;                                                        \
        return formula;                                                                            \
    }
#define ROW(op, ulps, value, clear, terms, k0, k1, variants)                                       \
    ENTRY(JOIN(value_, __LINE__), value)                                                           \
    ENTRY(JOIN(clear_, __LINE__), clear)                                                           \
    ENTRY(JOIN(terms_, __LINE__), terms)
#include "tests/ops/op_table_elementwise.inc"
#undef ROW

#define ROW(name, bound, formula, distance, sizes, k0, k1, list)                                   \
    {.op = #name,                                                                                  \
     .ulps = bound,                                                                                \
     .value = JOIN(value_, __LINE__),                                                              \
     .clear = JOIN(clear_, __LINE__),                                                              \
     .terms = JOIN(terms_, __LINE__),                                                              \
     .k = {k0, k1},                                                                                \
     .variants = list},
const wgt_row wgt_rows_elementwise[] = {
#include "tests/ops/op_table_elementwise.inc"
    {.op = NULL},
};
#undef ROW
