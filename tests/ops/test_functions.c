/* The functions of analysis: values and three derivatives against closed forms in long double, the
 * conventions of pow, xlogy, hypot and logaddexp, and what happens at the ends. */
#include "ops/loss.h"
#include "ops/registry.h"
#include "tests/ops/elementwise.h"
#include "tests/support/suites.h"

#include <float.h>
#include <math.h>

/* ---- Closed forms, by hand: f, f', f'', f''' ------------------------------------------------- */

#define CLOSED(name, f0, f1, f2, f3)                                                               \
    static void name##_closed(long double x, long double d[4])                                     \
    {                                                                                              \
        d[0] = f0;                                                                                 \
        d[1] = f1;                                                                                 \
        d[2] = f2;                                                                                 \
        d[3] = f3;                                                                                 \
    }

/* clang-format off */
#define W         (1 - x * x) /* of arcsin */
#define A         (1 + x * x) /* of arctan */
#define S         (1 / (coshl(x) * coshl(x)))
#define H         tanhl(x)
#define G         (1.128379167095512573896L * expl(-x * x))
#define TAN_SLOPE (1 + tanl(x) * tanl(x))

CLOSED(exp, expl(x), expl(x), expl(x), expl(x))
CLOSED(expm1, expm1l(x), expl(x), expl(x), expl(x))
CLOSED(log, logl(x), 1 / x, -1 / (x * x), 2 / (x * x * x))
CLOSED(log1p, log1pl(x), 1 / (1 + x), -powl(1 + x, -2), 2 * powl(1 + x, -3))
CLOSED(sqrt, sqrtl(x), 0.5L / sqrtl(x), -0.25L * powl(x, -1.5L), 0.375L * powl(x, -2.5L))
CLOSED(rsqrt, 1 / sqrtl(x), -0.5L * powl(x, -1.5L), 0.75L * powl(x, -2.5L),
       -1.875L * powl(x, -3.5L))
CLOSED(sin, sinl(x), cosl(x), -sinl(x), -cosl(x))
CLOSED(cos, cosl(x), -sinl(x), -cosl(x), sinl(x))
CLOSED(tan, tanl(x), TAN_SLOPE, 2 * tanl(x) * TAN_SLOPE,
       2 * TAN_SLOPE * (1 + 3 * tanl(x) * tanl(x)))
CLOSED(asin, asinl(x), powl(W, -0.5L), x *powl(W, -1.5L), (1 + 2 * x * x) * powl(W, -2.5L))
CLOSED(acos, acosl(x), -powl(W, -0.5L), -x *powl(W, -1.5L), -(1 + 2 * x * x) * powl(W, -2.5L))
CLOSED(atan, atanl(x), 1 / A, -2 * x / (A * A), (6 * x * x - 2) / (A * A * A))
CLOSED(sinh, sinhl(x), coshl(x), sinhl(x), coshl(x))
CLOSED(cosh, coshl(x), sinhl(x), coshl(x), sinhl(x))
CLOSED(tanh, H, S, -2 * H * S, S *(6 * H * H - 2))
CLOSED(erf, erfl(x), G, -2 * x * G, (4 * x * x - 2) * G)

static wg_tensor *cube_root(wg_tensor *x)
{
    return wg_pow_scalar(x, 1.0 / 3);
}
static const long double third = (long double)(1.0 / 3);
CLOSED(cube_root, powl(x, third), third *powl(x, third - 1),
       third *(third - 1) * powl(x, third - 2),
       third *(third - 1) * (third - 2) * powl(x, third - 3))

static const struct {
    const char *name;
    wgt_unary *f;
    wgt_closed_form *closed;
    double x[6]; /* points; 0 ends the list, except as the first */
} functions[] = {
    {"exp", wg_exp, exp_closed, {0, -30, -1.5, 0.25, 2, 80}},
    {"expm1", wg_expm1, expm1_closed, {0, -30, -1.5, 1e-9, 2, 80}},
    {"log", wg_log, log_closed, {1e-9, 0.3, 1, 2.5, 1e9}},
    {"log1p", wg_log1p, log1p_closed, {0, -0.75, 1e-9, 0.5, 1e6}},
    {"sqrt", wg_sqrt, sqrt_closed, {1e-9, 0.3, 1, 2.5, 1e6}},
    {"rsqrt", wg_rsqrt, rsqrt_closed, {1e-6, 0.3, 1, 2.5, 1e6}},
    {"sin", wg_sin, sin_closed, {0, -2, 0.1, 1.25}},
    {"cos", wg_cos, cos_closed, {0, -2, 0.1, 1.25}},
    {"tan", wg_tan, tan_closed, {0, -1.25, 0.1, 1.5}},
    {"asin", wg_asin, asin_closed, {0, -0.75, 0.125, 0.9375}},
    {"acos", wg_acos, acos_closed, {0, -0.75, 0.125, 0.9375}},
    {"atan", wg_atan, atan_closed, {0, -3, 0.1, 1.25, 1e5}},
    {"sinh", wg_sinh, sinh_closed, {0, -3, 1e-9, 1.25, 30}},
    {"cosh", wg_cosh, cosh_closed, {0, -3, 1e-9, 1.25, 30}},
    {"tanh", wg_tanh, tanh_closed, {0, -3, 1e-9, 1.25, 19, 40}},
    {"erf", wg_erf, erf_closed, {0, -3, 1e-9, 1.25, 5}},
    {"pow_scalar", cube_root, cube_root_closed, {1e-3, 0.3, 1.75, 1e3}},
};
/* clang-format on */

enum { FUNCTIONS = sizeof functions / sizeof functions[0] };

/* Every result is a handful of roundings, each of which moves it by some eps: 16 eps cover them for
 * values and derivatives, 64 the longer chains above, where terms also cancel (6 H^2 - 2 at 1.25
 * loses less than a digit). The points of erf have squares without rounding, which exp would
 * enlarge. */
START_TEST(closed_forms)
{
    const double rel[4] = {16 * DBL_EPSILON, 16 * DBL_EPSILON, 32 * DBL_EPSILON, 64 * DBL_EPSILON};
    int n = 1;
    while (n < 6 && functions[_i].x[n] != 0)
        n++;
    wgt_check_unary(functions[_i].name, functions[_i].f, functions[_i].closed, functions[_i].x, n,
                    rel, 16 * (double)FLT_EPSILON);
}
END_TEST

/* Values and derivatives where doubles end, all finite or exact limits. */
START_TEST(ends)
{
    static const struct {
        wgt_unary *f;
        double x, value, derivative;
    } rows[] = {
        {wg_exp, -INF, 0, 0},
        {wg_exp, INF, INF, INF},
        {wg_expm1, -1e4, -1, 0},
        {wg_expm1, -40, -1, 4.248354255291589e-18},
        {wg_log, 0, -INF, INF},
        {wg_log, INF, INF, 0},
        {wg_log, -1, QNAN, -1},
        {wg_sqrt, 0, 0, INF},
        {wg_rsqrt, INF, 0, 0},
        {wg_tanh, INF, 1, 0},
        {wg_tanh, -1e300, -1, 0},
        {wg_tanh, 300, 1, 1.0601586212017243e-260},
        {wg_erf, INF, 1, 0},
        {wg_erf, -1e300, -1, 0},
        {wg_atan, 1e300, 1.5707963267948966, 0},
        {wg_asin, 1, 1.5707963267948966, INF},
        {wg_acos, 1, 0, -INF},
        {wg_exp, 5e-324, 1, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double d[2];
        wgt_unary_at(rows[i].f, rows[i].x, 1, d);
        wgt_assert_close(d[0], rows[i].value, 2 * DBL_EPSILON, 0);
        wgt_assert_close(d[1], rows[i].derivative, 4 * DBL_EPSILON, 0);
    }
}
END_TEST

static wg_tensor *certain_loss(wg_tensor *z)
{
    return wg_bce_with_logits(z, wg_scalar(z->tape, WG_F64, 1));
}

/* Second derivatives that are small beside what they could be computed from. */
START_TEST(second_derivatives_keep_their_digits)
{
    static const struct {
        wgt_unary *f;
        double x, want;
    } rows[] = {
        {wg_asin, 1e-20, 1e-20},
        {wg_acos, 1e-20, -1e-20},
        {wg_asin, 1 - 0x1p-40, 0x1.6a09e667f3624p+58},
        {certain_loss, 40, 4.248354255291589e-18},
        {certain_loss, -40, 4.248354255291589e-18},
        {wg_softplus, 700, 9.859676543759770e-305},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double d[3];
        wgt_unary_at(rows[i].f, rows[i].x, 2, d);
        wgt_assert_close(d[2], rows[i].want, 16 * DBL_EPSILON, 0);
    }
}
END_TEST

/* 1/b overflows; 0/b and its derivative in b do not. */
START_TEST(zero_over_subnormal)
{
    static wgt_binary *const f[] = {wg_div, wg_div_or_zero};
    for (int i = 0; i < 2; i++) {
        double d[7];
        wgt_binary_at(f[i], 0, 1e-310, d);
        ck_assert(d[0] == 0 && d[1] == INF && d[2] == 0);
    }
}
END_TEST

START_TEST(higher_derivatives_stay_finite)
{
    static wgt_unary *const f[] = {wg_tanh, wg_erf};
    static const double x[] = {1e4, -1e4, 1e300, -1e300, INF, -INF};
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 6; k++) {
            double d[4];
            wgt_unary_at(f[i], x[k], 3, d);
            wgt_assert_that(d[1], ==, 0);
            wgt_assert_that(d[2], ==, 0);
            wgt_assert_that(d[3], ==, 0);
        }
}
END_TEST

/* ---- Powers ---------------------------------------------------------------------------------- */

START_TEST(pow_closed_form)
{
    static const double a[] = {0.5, 2, 3.25}, b[] = {-1.5, 0, 0.5, 2, 3};
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 5; k++) {
            const long double x = (long double)a[i], y = (long double)b[k], l = logl(x);
            double d[7];
            wgt_binary_at(wg_pow, a[i], b[k], d);
            const double eps = 16 * DBL_EPSILON;
            wgt_assert_close(d[0], (double)powl(x, y), eps, 0);
            wgt_assert_close(d[1], (double)(y * powl(x, y - 1)), eps, 0);
            wgt_assert_close(d[2], (double)(powl(x, y) * l), eps, 0);
            wgt_assert_close(d[3], (double)(y * (y - 1) * powl(x, y - 2)), eps, 0);
            wgt_assert_close(d[4], (double)(powl(x, y) * l * l), eps, 0);
            /* a sum whose terms may cancel: eps of the terms */
            const double terms = (double)(powl(x, y - 1) * (1 + fabsl(y * l)));
            wgt_assert_close(d[5], (double)(powl(x, y - 1) * (1 + y * l)), 0, eps * terms);
            wgt_assert_close(d[6], d[5], 0, eps * terms);
        }
}
END_TEST

/* The edges that functions.h names, then C11's annex F. */
START_TEST(pow_conventions)
{
    double d[7];
    wgt_binary_at(wg_pow, 3, 0, d);
    wgt_assert_that(d[1], ==, 0);
    wgt_binary_at(wg_pow, QNAN, 0, d);
    wgt_assert_that(d[0], ==, 1);
    wgt_assert_that(d[1], ==, 0);
    wgt_binary_at(wg_pow, 0, 0, d);
    wgt_assert_that(d[0], ==, 1);
    wgt_assert_that(d[1], ==, 0);
    wgt_assert_that(d[2], ==, 0);
    wgt_assert_that(d[3], ==, 0);
    wgt_binary_at(wg_pow, 0, 2, d);
    wgt_assert_that(d[0], ==, 0);
    wgt_assert_that(d[1], ==, 0);
    wgt_assert_that(d[2], ==, 0);
    wgt_assert_that(d[3], ==, 2);
    wgt_assert_that(d[4], ==, 0);
    wgt_assert_that(d[5], ==, 0);
    wgt_binary_at(wg_pow, 0, 1, d);
    wgt_assert_that(d[1], ==, 1);
    wgt_assert_that(d[2], ==, 0);
    wgt_assert_that(d[3], ==, 0);
    wgt_binary_at(wg_pow, -2, 3, d);
    wgt_assert_that(d[0], ==, -8);
    wgt_assert_that(d[1], ==, 12);
    ck_assert_double_nan(d[2]);
    wgt_assert_that(d[3], ==, -12);
    wgt_binary_at(wg_pow, 0, -1, d);
    wgt_assert_that(d[0], ==, INF);
    wgt_assert_that(d[1], ==, -INF);
    wgt_assert_that(d[2], ==, -INF);
    wgt_binary_at(wg_pow, -2, 0.5, d);
    ck_assert_double_nan(d[0]);
    ck_assert_double_nan(d[1]);
    ck_assert_double_nan(d[2]);
}
END_TEST

static wg_tensor *third_power(wg_tensor *x)
{
    return wg_pow_scalar(x, 3);
}
static wg_tensor *zeroth_power(wg_tensor *x)
{
    return wg_pow_scalar(x, 0);
}
static wg_tensor *pow_of_three(wg_tensor *x)
{
    return wg_pow(x, wg_scalar(x->tape, x->dtype, 3));
}

START_TEST(powers_end_in_zeros)
{
    static wgt_unary *const f[] = {third_power, pow_of_three};
    for (int i = 0; i < 2; i++) {
        wgt_assert_unary(f[i], 0, 5, (double[]){0, 0, 0, 6, 0, 0});
        wgt_assert_unary(f[i], -2, 5, (double[]){-8, 12, -12, 6, 0, 0});
    }
    wgt_assert_unary(zeroth_power, 0, 2, (double[]){1, 0, 0});
}
END_TEST

/* ---- Of two variables ------------------------------------------------------------------------ */

START_TEST(hypot_is_a_norm)
{
    double d[7];
    wgt_binary_at(wg_hypot, 3, 4, d);
    wgt_assert_that(d[0], ==, 5);
    wgt_assert_close(d[1], 0.6, DBL_EPSILON, 0);
    wgt_assert_close(d[2], 0.8, DBL_EPSILON, 0);
    wgt_assert_close(d[3], 16.0 / 125, 8 * DBL_EPSILON, 0);
    wgt_assert_close(d[4], 9.0 / 125, 8 * DBL_EPSILON, 0);
    wgt_assert_close(d[5], -12.0 / 125, 8 * DBL_EPSILON, 0);
    wgt_assert_close(d[6], d[5], 8 * DBL_EPSILON, 0);
    wgt_binary_at(wg_hypot, 0, 0, d);
    for (int i = 0; i < 7; i++)
        wgt_assert_that(d[i], ==, 0);
    wgt_binary_at(wg_hypot, 3e300, 4e300, d);
    wgt_assert_close(d[0], 5e300, 2 * DBL_EPSILON, 0);
    wgt_assert_close(d[1], 0.6, 2 * DBL_EPSILON, 0);
    wgt_binary_at(wg_hypot, 3e-300, 4e-300, d);
    wgt_assert_close(d[0], 5e-300, 2 * DBL_EPSILON, 0);
    wgt_assert_close(d[2], 0.8, 2 * DBL_EPSILON, 0);
}
END_TEST

START_TEST(logaddexp_is_shifted)
{
    double d[7];
    wgt_binary_at(wg_logaddexp, 1, 2, d);
    const double p = 1 / (1 + exp(1)), q = 1 / (1 + exp(-1)), eps = 8 * DBL_EPSILON;
    wgt_assert_close(d[0], log(exp(1) + exp(2)), eps, 0);
    wgt_assert_close(d[1], p, eps, 0);
    wgt_assert_close(d[2], q, eps, 0);
    wgt_assert_close(d[3], p * q, eps, 0);
    wgt_assert_close(d[4], p * q, eps, 0);
    wgt_assert_close(d[5], -p * q, eps, 0);
    wgt_assert_close(d[6], -p * q, eps, 0);
    wgt_binary_at(wg_logaddexp, -1e4, 1e4, d);
    wgt_assert_that(d[0], ==, 1e4);
    wgt_assert_that(d[1], ==, 0);
    wgt_assert_that(d[2], ==, 1);
    wgt_assert_that(d[3], ==, 0);
    wgt_assert_that(d[5], ==, 0);
    wgt_binary_at(wg_logaddexp, -INF, 3, d);
    wgt_assert_that(d[0], ==, 3);
    wgt_assert_that(d[1], ==, 0);
    wgt_assert_that(d[2], ==, 1);
    wgt_assert_that(d[4], ==, 0);
    wgt_binary_at(wg_logaddexp, -INF, -INF, d);
    wgt_assert_that(d[0], ==, -INF);
    wgt_assert_that(d[1], ==, 0);
    wgt_assert_that(d[2], ==, 0);
    wgt_assert_that(d[3], ==, 0);
    wgt_binary_at(wg_logaddexp, INF, INF, d);
    wgt_assert_that(d[0], ==, INF);
    wgt_assert_that(d[1], ==, 0.5);
    wgt_assert_that(d[2], ==, 0.5);
    wgt_binary_at(wg_logaddexp, INF, -1, d);
    wgt_assert_that(d[0], ==, INF);
    wgt_assert_that(d[1], ==, 1);
    wgt_assert_that(d[2], ==, 0);
    wgt_binary_at(wg_logaddexp, QNAN, -INF, d);
    ck_assert_double_nan(d[0]);
    ck_assert_double_nan(d[1]);
}
END_TEST

START_TEST(xlogy_at_zero)
{
    double d[7];
    wgt_binary_at(wg_xlogy, 2, 3, d);
    wgt_assert_close(d[0], 2 * log(3), 2 * DBL_EPSILON, 0);
    wgt_assert_close(d[1], log(3), 2 * DBL_EPSILON, 0);
    wgt_assert_close(d[2], 2.0 / 3, 2 * DBL_EPSILON, 0);
    wgt_assert_that(d[3], ==, 0);
    wgt_assert_close(d[4], -2.0 / 9, 4 * DBL_EPSILON, 0);
    wgt_assert_close(d[5], 1.0 / 3, 2 * DBL_EPSILON, 0);
    wgt_assert_close(d[6], 1.0 / 3, 2 * DBL_EPSILON, 0);
    wgt_binary_at(wg_xlogy, 0, 2, d);
    wgt_assert_that(d[0], ==, 0);
    wgt_assert_that(d[2], ==, 0);
    wgt_assert_close(d[1], log(2), DBL_EPSILON, 0);
    wgt_assert_that(d[5], ==, 0.5);
    wgt_assert_that(d[6], ==, 0.5);
    wgt_binary_at(wg_xlogy, 0, 0, d);
    wgt_assert_that(d[0], ==, 0);
    wgt_assert_that(d[1], ==, 0);
    wgt_assert_that(d[2], ==, 0);
    wgt_binary_at(wg_xlogy, 0, -1, d);
    wgt_assert_that(d[0], ==, 0);
    wgt_assert_that(d[1], ==, 0);
    wgt_assert_that(d[2], ==, 0);
    wgt_binary_at(wg_xlogy, 0, INF, d);
    wgt_assert_that(d[0], ==, 0);
    wgt_assert_that(d[2], ==, 0);
    wgt_binary_at(wg_xlogy, 0, QNAN, d);
    ck_assert_double_nan(d[0]);
    wgt_binary_at(wg_xlogy, 1, 0, d);
    wgt_assert_that(d[0], ==, -INF);
    wgt_assert_that(d[1], ==, -INF);
    wgt_assert_that(d[2], ==, INF);
    wgt_binary_at(wg_xlogy, QNAN, 1, d);
    ck_assert_double_nan(d[0]);
}
END_TEST

START_TEST(i64_is_refused)
{
    wg_tape *t = wg_tape_new(NULL);
    const int64_t one[2] = {1, 2};
    wg_tensor *k = wg_rename(wg_constant(t, WG_I64, WG_SHAPE(2), one), "k");
    ck_assert_double_nan(wg_item(wg_exp(k)));
    wgt_assert_status(t, WG_E_DTYPE, "exp: ");
    wgt_assert_status(t, WG_E_DTYPE, "k (2,)");
    wg_tape_free(t);
}
END_TEST

/* More elements than a tile, in steps of one and of none: every element is the same function of its
 * own operands, wherever it stands. */
START_TEST(place_does_not_matter)
{
    enum { N = 1300 };
    static double a[N];
    for (int i = 0; i < N; i++)
        a[i] = 0.01 * (i - N / 2);
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wg_constant(t, WG_F64, WG_SHAPE(N), a), *b = wg_scalar(t, WG_F64, 0.5);
    wg_tensor *left = wg_logaddexp(x, b), *right = wg_logaddexp(b, x), *f = wg_tanh(x);
    for (int i = 0; i < N; i += 37) {
        wg_tensor *one = wg_scalar(t, WG_F64, a[i]);
        wgt_assert_same_bits(wg_at(left, i), wg_item(wg_logaddexp(one, b)));
        wgt_assert_same_bits(wg_at(right, i), wg_item(wg_logaddexp(b, one)));
        wgt_assert_same_bits(wg_at(f, i), wg_item(wg_tanh(one)));
    }
    ck_assert_int_eq(wg_tape_status(t), WG_OK);
    wg_tape_free(t);
}
END_TEST

/* The same of a kernel's vectors, their ends, and numbers that are special. */
START_TEST(vectors_are_numbers)
{
    static const char *const names[] = {"exp", "expm1", "log",     "log1p",        "tanh",
                                        "erf", "erfc",  "sigmoid", "sigmoid_grad", "tanh_grad"};
    enum { N = 37, NAMES = sizeof names / sizeof *names };
    static const double special[] = {0,    -0.0,  HUGE_VAL, -HUGE_VAL, (double)NAN,
                                     1e30, -1e30, 745,      -745};
    const wg_dtype dtype = _i % 2 ? WG_F32 : WG_F64;
    const wg_op *op = wg_op_find(names[_i / 2]);
    ck_assert_ptr_nonnull(op);
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x[2], *one[2];
    for (int k = 0; k < 2; k++) {
        x[k] = wg_param(t, "x", dtype, WG_SHAPE(N));
        wg_fill_normal(x[k], 0, 3, (uint64_t)k);
        wg_edit(x[k]);
        for (int i = 0; i < 9; i++)
            wg_set_element(x[k], (3 + k) * i, special[i]);
    }
    wg_replay(t);
    wg_tensor *y = wg_apply(op, x, op->arity, NULL);
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < 2; k++)
            one[k] = wg_scalar(t, dtype, wg_at(x[k], i));
        const double got = wg_at(y, i), want = wg_item(wg_apply(op, one, op->arity, NULL));
        ck_assert_msg((isnan(got) && isnan(want)) || wgt_same_bits(got, want), "%s: %d: %a and %a",
                      op->name, i, got, want);
    }
    ck_assert_int_eq(wg_tape_status(t), WG_OK);
    wg_tape_free(t);
}
END_TEST

Suite *suite_functions(void)
{
    Suite *s = suite_create("functions");
    TCase *c = tcase_create("functions");
    tcase_add_loop_test(c, closed_forms, 0, FUNCTIONS);
    tcase_add_test(c, ends);
    tcase_add_test(c, second_derivatives_keep_their_digits);
    tcase_add_test(c, zero_over_subnormal);
    tcase_add_test(c, higher_derivatives_stay_finite);
    tcase_add_test(c, pow_closed_form);
    tcase_add_test(c, pow_conventions);
    tcase_add_test(c, powers_end_in_zeros);
    tcase_add_test(c, hypot_is_a_norm);
    tcase_add_test(c, logaddexp_is_shifted);
    tcase_add_test(c, xlogy_at_zero);
    tcase_add_test(c, i64_is_refused);
    tcase_add_test(c, place_does_not_matter);
    tcase_add_loop_test(c, vectors_are_numbers, 0, 20);
    suite_add_tcase(s, c);
    return s;
}
