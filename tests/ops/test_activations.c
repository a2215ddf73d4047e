/* Activations: values and three derivatives against closed forms in long double; the limits at
 * +-inf and what happens at +-1e4 and +-1e300; kinks. */
#include "tests/ops/elementwise.h"
#include "tests/support/suites.h"

#include <float.h>

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
static long double p_of(long double x)
{
    return 1 / (1 + expl(-x));
}
#define P       p_of(x)
#define Q       p_of(-x)
#define D1      (P * Q)                   /* sigmoid' */
#define D2      (P * Q * -tanhl(x / 2))   /* sigmoid'' */
#define D3      (P * Q * (1 - 6 * P * Q)) /* sigmoid''' */
#define F       (0.5L * erfcl(-x * 0.707106781186547524401L))
#define DENSITY (0.398942280401432677940L * expl(-x * x / 2))

CLOSED(sigmoid, P, D1, D2, D3)
CLOSED(softplus, fmaxl(x, 0) + log1pl(expl(-fabsl(x))), P, D1, D2)
CLOSED(log_sigmoid, fminl(x, 0) - log1pl(expl(-fabsl(x))), Q, -D1, -D2)
CLOSED(silu, x *P, P + x * D1, 2 * D1 + x * D2, 3 * D2 + x * D3)
CLOSED(gelu, x *F, F + x * DENSITY, (2 - x * x) * DENSITY, (x * x * x - 4 * x) * DENSITY)
CLOSED(elu, x > 0 ? x : expm1l(x) / 2, x > 0 ? 1 : expl(x) / 2, x > 0 ? 0 : expl(x) / 2,
       x > 0 ? 0 : expl(x) / 2)

/* x P(v): Leibniz, and the chain rule of third order. */
#define K  0.044715L
#define V0 (1.59576912160573071176L * (x + K * x * x * x))
#define V1 (1.59576912160573071176L * (1 + 3 * K * x * x))
#define V2 (1.59576912160573071176L * 6 * K * x)
#define V3 (1.59576912160573071176L * 6 * K)
static void gelu_tanh_closed(long double x, long double d[4])
{
    const long double p = p_of(V0), q = p_of(-V0), s1 = p * q, s2 = s1 * (q - p),
                      s3 = s1 * (1 - 6 * s1);
    const long double g1 = s1 * V1, g2 = s2 * V1 * V1 + s1 * V2;
    const long double g3 = s3 * V1 * V1 * V1 + 3 * s2 * V1 * V2 + s1 * V3;
    d[0] = x * p;
    d[1] = p + x * g1;
    d[2] = 2 * g1 + x * g2;
    d[3] = 3 * g2 + x * g3;
}

static wg_tensor *half_elu(wg_tensor *x)
{
    return wg_elu(x, 0.5);
}
/* clang-format on */

static const struct {
    const char *name;
    wgt_unary *f;
    wgt_closed_form *closed;
} smooth[] = {
    {"sigmoid", wg_sigmoid, sigmoid_closed},
    {"softplus", wg_softplus, softplus_closed},
    {"log_sigmoid", wg_log_sigmoid, log_sigmoid_closed},
    {"silu", wg_silu, silu_closed},
    {"gelu", wg_gelu, gelu_closed},
    {"gelu_tanh", wg_gelu_tanh, gelu_tanh_closed},
    {"elu", half_elu, elu_closed},
};

enum { SMOOTH = sizeof smooth / sizeof smooth[0] };

/* Each is a handful of roundings: 16 eps for values and derivatives, 64 beyond. The points keep
 * away from zeros of the derivatives, and |x| is small enough that the exponent x^2/2 of gelu's
 * tail (12.5 at most) does not carry its rounding far: 12.5 eps, and as much for the argument of
 * erfc, hence 40. */
START_TEST(closed_forms)
{
    static const double x[] = {-5, -2.5, -0.25, 0.125, 1, 5};
    const double rel[4] = {40 * DBL_EPSILON, 40 * DBL_EPSILON, 64 * DBL_EPSILON, 64 * DBL_EPSILON};
    wgt_check_unary(smooth[_i].name, smooth[_i].f, smooth[_i].closed, x, 6, rel,
                    40 * (double)FLT_EPSILON);
}
END_TEST

/* Where y has rounded to 1, y (1 - y) is 0 and e^-x is not; the same far below. */
START_TEST(tails_keep_their_digits)
{
    static wgt_unary *const f[] = {wg_sigmoid, wg_softplus, wg_log_sigmoid, wg_silu};
    static wgt_closed_form *const closed[] = {sigmoid_closed, softplus_closed, log_sigmoid_closed,
                                              silu_closed};
    static const double x[] = {-700, -100, -38, 38, 100, 700};
    const double rel[4] = {16 * DBL_EPSILON, 16 * DBL_EPSILON, 64 * DBL_EPSILON, 64 * DBL_EPSILON};
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 6; k++) {
            long double want[4];
            double got[4];
            closed[i]((long double)x[k], want);
            wgt_unary_at(f[i], x[k], 3, got);
            for (int order = 0; order < 4; order++)
                wgt_assert_close(got[order], (double)want[order], rel[order], 0);
        }
}
END_TEST

static wg_tensor *leak(wg_tensor *x)
{
    return wg_leaky_relu(x, 0.25);
}

/* At -big and at +big: value and derivative. Beyond 1e4 an infinity differs in the value alone. */
static const struct {
    wgt_unary *f;
    double low_value_sign; /* value at -big: this times big, or 0 */
    double low_derivative, high_value_sign, high_derivative;
    double low_limit, high_limit; /* values where the sign above is 0 */
} ends[] = {
    {wg_sigmoid, 0, 0, 0, 0, 0, 1},      {wg_softplus, 0, 0, 1, 1, 0, 0},
    {wg_log_sigmoid, -1, 1, 0, 0, 0, 0}, {wg_relu, 0, 0, 1, 1, 0, 0},
    {leak, -0.25, 0.25, 1, 1, 0, 0},     {half_elu, 0, 0, 1, 1, -0.5, 0},
    {wg_silu, 0, 0, 1, 1, 0, 0},         {wg_gelu, 0, 0, 1, 1, 0, 0},
    {wg_gelu_tanh, 0, 0, 1, 1, 0, 0},
};

START_TEST(ends_are_exact)
{
    static const double big[] = {1e4, 1e300, INF};
    for (int k = 0; k < 3; k++) {
        double d[4];
        wgt_unary_at(ends[_i].f, -big[k], 3, d);
        wgt_assert_that(
            d[0], ==,
            (ends[_i].low_value_sign != 0 ? ends[_i].low_value_sign * big[k] : ends[_i].low_limit));
        wgt_assert_that(d[1], ==, ends[_i].low_derivative);
        wgt_assert_that(d[2], ==, 0);
        wgt_assert_that(d[3], ==, 0);
        wgt_assert_unary(ends[_i].f, big[k], 3,
                         (double[]){(ends[_i].high_value_sign != 0 ? big[k] : ends[_i].high_limit),
                                    ends[_i].high_derivative, 0, 0});
        float s[2];
        wgt_unary_f32_at(ends[_i].f, k == 1 ? -1e30F : -(float)big[k], s);
        wgt_assert_that(s[1], ==, (float)ends[_i].low_derivative);
        wgt_unary_f32_at(ends[_i].f, k == 1 ? 1e30F : (float)big[k], s);
        wgt_assert_that(s[1], ==, (float)ends[_i].high_derivative);
    }
}
END_TEST

START_TEST(nan_and_denormals)
{
    double d[2];
    wgt_assert_unary(ends[_i].f, QNAN, 0, (double[]){QNAN});
    for (int sign = -1; sign <= 1; sign += 2) {
        double at_zero[2];
        wgt_unary_at(ends[_i].f, sign * 5e-324, 1, d);
        ck_assert_double_finite(d[0]);
        ck_assert_double_finite(d[1]);
        wgt_unary_at(ends[_i].f, sign * 1e-300, 1, at_zero);
        wgt_assert_that(d[1], ==, at_zero[1]);
    }
}
END_TEST

START_TEST(kinks)
{
    double d[3];
    wgt_assert_unary(wg_relu, 0, 2, (double[]){0, 0, 0});
    wgt_assert_unary(leak, 0, 2, (double[]){0, 0.25, 0});
    wgt_assert_unary(half_elu, 0, 2, (double[]){0, 0.5, 0.5});
    wgt_assert_unary(wg_relu, 2, 2, (double[]){2, 1, 0});
    wgt_assert_unary(leak, -2, 2, (double[]){-0.5, 0.25, 0});
    wgt_unary_at(wg_relu, QNAN, 1, d);
    wgt_assert_that(d[1], ==, 1);
}
END_TEST

/* An infinite cotangent at a closed gate: selected, so 0, where a product would be NaN. */
START_TEST(cotangents_are_selected)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SCALAR), *g;
    const double minus_one = -1;
    wg_write(x, &minus_one, sizeof minus_one);
    wg_vjp(wg_relu(x), wg_scalar(t, WG_F64, INF), &x, 1, &g);
    wgt_assert_that(wg_item(g), ==, 0);
    wg_tape_free(t);
}
END_TEST

/* A Jacobian-vector product is the VJP of the VJP with respect to a cotangent that has no value: no
 * rule of a derivative may look at it. */
START_TEST(derivatives_are_linear_in_abstract_cotangents)
{
    static wgt_unary *const f[] = {wg_sigmoid, wg_relu, leak,         half_elu,
                                   wg_silu,    wg_gelu, wg_gelu_tanh, wg_softplus};
    for (int i = 0; i < 8; i++) {
        wg_tape *t = wg_tape_new(NULL);
        wg_tensor *x = wg_param(t, "x", WG_F64, WG_SHAPE(2)),
                  *u = wg_abstract(t, WG_F64, WG_SHAPE(2));
        const double at[] = {-0.75, 1.5}, tangent[] = {3, -2};
        wg_write(x, at, sizeof at);
        wg_tensor *v = wg_constant(t, WG_F64, WG_SHAPE(2), tangent), *g, *jv;
        wg_vjp(f[i](x), u, &x, 1, &g);
        wg_vjp(g, v, &u, 1, &jv);
        for (int k = 0; k < 2; k++) {
            double d[2];
            wgt_unary_at(f[i], at[k], 1, d);
            wgt_assert_close(wg_at(jv, k), d[1] * tangent[k], 4 * DBL_EPSILON, 0);
        }
        wg_tape_free(t);
    }
}
END_TEST

Suite *suite_activations(void)
{
    Suite *s = suite_create("activations");
    TCase *c = tcase_create("activations");
    const int n = sizeof ends / sizeof ends[0];
    tcase_add_loop_test(c, closed_forms, 0, SMOOTH);
    tcase_add_test(c, tails_keep_their_digits);
    tcase_add_loop_test(c, ends_are_exact, 0, n);
    tcase_add_loop_test(c, nan_and_denormals, 0, n);
    tcase_add_test(c, kinks);
    tcase_add_test(c, cotangents_are_selected);
    tcase_add_test(c, derivatives_are_linear_in_abstract_cotangents);
    suite_add_tcase(s, c);
    return s;
}
