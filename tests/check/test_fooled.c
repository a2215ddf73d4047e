/* Every known way to fool the checker: wrong rules that once passed, right ones that were once
 * accused. */
#include "autograd/rng.h"
#include "models/wengert.h"
#include "ops/registry.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>
#include <string.h>

static wg_check_verdict check(wg_tensor *y, wg_tensor *x, wg_check_report *r)
{
    return wg_gradcheck(y, &x, NULL, 1, NULL, r);
}

/* ---- False passes ---------------------------------------------------------------------------- */

static wg_tensor *rule_nothing(wg_tensor *y, wg_tensor *dy, int i)
{
    (void)y, (void)dy, (void)i;
    return NULL;
}
static wg_tensor *rule_forgets(wg_tensor *y, wg_tensor *dy, int i)
{
    (void)dy;
    return wg_cos(y->operand[i]);
}
static wg_tensor *rule_squares(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_mul(wg_square(dy), wg_cos(y->operand[i]));
}
static wg_tensor *rule_normalizes(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_mul(wg_div(dy, wg_abs(dy)), wg_cos(y->operand[i]));
}

static wg_tensor *wrong_sine(wg_tensor *x, wg_tensor *(*rule)(wg_tensor *, wg_tensor *, int))
{
    static wg_op op;
    op = *wg_op_find("sin");
    op.name = "wrong_sine";
    op.vjp = rule;
    return wg_apply(&op, &x, 1, NULL);
}

/* Its period divides every power of two: differences at such steps do not see it. */
START_TEST(a_period_of_all_steps)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(3), (double[]){0.5, -1.25, 2});
    wg_tensor *s = wrong_sine(wg_scale(x, 1024 * 3.14159265358979323846), rule_nothing);
    wg_check_report r;
    ck_assert_int_eq(check(wg_add(wg_sum(wg_square(x)), wg_sum(s)), x, &r), WG_CHECK_FAILED);
    ck_assert_str_eq(r.blame, "wrong_sine");
    wg_tape_free(t);
}
END_TEST

START_TEST(not_linear_in_the_cotangent)
{
    wg_tensor *(*const rules[])(wg_tensor *, wg_tensor *, int) = {rule_forgets, rule_squares,
                                                                  rule_normalizes};
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(3), (double[]){0.5, -1.25, 2});
    wg_tensor *one = wgt_param(t, "one", WG_SHAPE(1), (double[]){0.7});
    wg_check_report r;
    ck_assert_int_eq(check(wg_sum(wrong_sine(x, rules[_i])), x, &r), WG_CHECK_FAILED);
    ck_assert_str_eq(r.blame, "wrong_sine");
    ck_assert_int_eq(check(wrong_sine(one, rules[_i]), one, &r), WG_CHECK_FAILED);
    ck_assert_str_eq(r.blame, "wrong_sine");
    wg_tape_free(t);
}
END_TEST

/* x^3 x: the cube's derivative, 3 x^2, is kept as a number, and the second derivative
 * claims 6 x^2. */
static wg_tensor *rule_captures(wg_tensor *y, wg_tensor *dy, int i)
{
    wg_tensor *x = y->operand[i];
    double value[3];
    for (int64_t k = 0; k < 3; k++)
        value[k] = 3 * wg_at(x, k) * wg_at(x, k);
    return wg_mul(dy, wg_constant(x->tape, WG_F64, WG_SHAPE(3), value));
}

static void cube_map(int64_t n, void *y, const void *const x[], const int64_t stride[],
                     const void *attrs)
{
    const double *a = x[0];
    (void)attrs;
    for (int64_t i = 0; i < n; i++)
        ((double *)y)[i] = a[i * stride[0]] * a[i * stride[0]] * a[i * stride[0]];
}

START_TEST(a_captured_value)
{
    static wg_op cube;
    cube = *wg_op_find("square");
    cube.name = "cube";
    cube.vjp = rule_captures;
    cube.map[WG_F64] = cube_map;
    cube.map[WG_WIDE] = NULL;
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(3), (double[]){0.5, -1.25, 2});
    wg_tensor *y = wg_sum(wg_mul(wg_apply(&cube, &x, 1, NULL), x));
    ck_assert_int_eq(check(y, x, NULL), WG_CHECK_PASSED);
    ck_assert_int_eq(wg_gradcheck_second(y, &x, 1, NULL, NULL), WG_CHECK_FAILED);
    ck_assert_int_eq(wg_tape_status(t), WG_OK);
    wg_tape_free(t);
}
END_TEST

/* Alternates by 1e-6; depends on where its work is cut. */
static int impure_calls;

static void alternating_map(int64_t n, void *y, const void *const x[], const int64_t stride[],
                            const void *attrs)
{
    const double *a = x[0], more = impure_calls++ % 2 == 0 ? 1 : 1 + 1e-6;
    (void)attrs;
    for (int64_t i = 0; i < n; i++)
        ((double *)y)[i] = more * a[i * stride[0]] * a[i * stride[0]];
}

static void cut_map(int64_t n, void *y, const void *const x[], const int64_t stride[],
                    const void *attrs)
{
    const double *a = x[0];
    (void)attrs;
    for (int64_t i = 0; i < n; i++)
        ((double *)y)[i] = a[i * stride[0]] * a[i * stride[0]] * (i == 0 && n < 4 ? 1 + 1e-9 : 1);
}

/* A NaN whose sign changes from call to call, as from place to place in a vector. */
static void nan_map(int64_t n, void *y, const void *const x[], const int64_t stride[],
                    const void *attrs)
{
    const double sign = impure_calls++ % 2 == 0 ? 1 : -1;
    (void)x;
    (void)stride;
    (void)attrs;
    for (int64_t i = 0; i < n; i++)
        ((double *)y)[i] = copysign((double)NAN, sign);
}

START_TEST(the_sign_of_nan)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(2), (double[]){0.4, -0.7});
    wg_op op = *wg_op_find("square");
    op.name = "nan";
    op.map[WG_F64] = nan_map;
    op.map[WG_WIDE] = NULL;
    wg_check_report r;
    const wg_check_verdict v = check(wg_sum(wg_apply(&op, &x, 1, NULL)), x, &r);
    ck_assert_msg(r.note == NULL || strstr(r.note, "other bits") == NULL, "%s: %s",
                  wg_check_verdict_name(v), r.note);
    wg_tape_free(t);
}
END_TEST

START_TEST(an_impure_op)
{
    static wg_op op;
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(4), (double[]){0.5, -1.25, 2, 1});
    op = *wg_op_find("square");
    op.name = "impure";
    op.map[WG_F64] = _i == 0 ? alternating_map : cut_map;
    op.map[WG_WIDE] = NULL;
    wg_check_report r;
    ck_assert_int_eq(check(wg_sum(wg_apply(&op, &x, 1, NULL)), x, &r), WG_CHECK_FAILED);
    ck_assert_str_eq(r.blame, "impure");
    wg_tape_free(t);
}
END_TEST

/* ---- False accusations ----------------------------------------------------------------------- */

typedef struct accused {
    const char *what;
    wg_tensor *(*f)(wg_tensor *);
    int n;
    double x[4];
} accused;

static wg_tensor *entropy(wg_tensor *p)
{
    wg_tensor *q = wg_shift(wg_neg(p), 1);
    return wg_neg(wg_add(wg_mul(p, wg_log(p)), wg_mul(q, wg_log(q))));
}
static wg_tensor *log1p_over(wg_tensor *x)
{
    return wg_div(wg_log1p(x), x);
}
static wg_tensor *fast_sine(wg_tensor *x)
{
    return wg_sin(wg_scale(x, 1e6));
}
static wg_tensor *gap_of_logits(wg_tensor *x)
{
    return wg_sub(wg_logsumexp(x), wg_amax(x));
}
static wg_tensor *jensen_shannon(wg_tensor *x)
{
    wg_tensor *p = wg_softmax(x, -1), *q = wg_softmax(wg_neg(x), -1);
    wg_tensor *m = wg_scale(wg_add(p, q), 0.5);
    return wg_scale(wg_add(wg_sum(wg_sub(wg_xlogy(p, p), wg_xlogy(p, m))),
                           wg_sum(wg_sub(wg_xlogy(q, q), wg_xlogy(q, m)))),
                    0.5);
}
static wg_tensor *z_scores(wg_tensor *x)
{
    wg_tensor *centred = wg_sub(x, wg_mean(x));
    wg_tensor *z = wg_div(centred, wg_sqrt(wg_mean(wg_square(centred))));
    return wg_mul(z, wg_square(z));
}
static wg_tensor *relu_pair(wg_tensor *x)
{
    return wg_sub(wg_relu(x), wg_relu(wg_neg(x)));
}
static wg_tensor *steep_relu(wg_tensor *x)
{
    return wg_scale(wg_relu(x), 3);
}

static wg_tensor *pole(wg_tensor *x)
{
    return wg_reciprocal(wg_maximum(x, x));
}
static wg_tensor *largest_and_size(wg_tensor *x)
{
    return wg_add(wg_scale(wg_maximum(x, x), 0.5), wg_scale(wg_abs(x), 0.25));
}
static wg_tensor *bell(wg_tensor *x)
{
    return wg_add(wg_exp(wg_neg(wg_square(x))), x);
}
static wg_tensor *self_information(wg_tensor *x)
{
    wg_tensor *p = wg_softmax(x, -1);
    return wg_xlogy(p, p);
}
static wg_tensor *steep_round(wg_tensor *x)
{
    return wg_round(wg_sinh(wg_sinh(x)));
}
static wg_tensor *saturated_ratio(wg_tensor *x)
{
    return wg_gelu(wg_atan2(wg_tan(wg_cos(x)), x));
}
/* Below 0 its rule has 0 * inf. */
static wg_tensor *edge_of_power(wg_tensor *x)
{
    return wg_log_sigmoid(wg_pow(wg_relu6(wg_asinh(x)), x));
}

static wg_tensor *diagonal_length(wg_tensor *x)
{
    return wg_hypot(x, x);
}

static const accused accused_cases[] = {
    {"entropy", entropy, 4, {1e-12, 1e-9, 1e-6, 1e-3}},
    {"log1p(x)/x", log1p_over, 1, {1e-5}},
    {"sin at 1e12", wg_sin, 2, {1e12, 3e11}},
    {"asin next to 1", wg_asin, 1, {1 - 1e-13}},
    {"sin(1e6 x)", fast_sine, 2, {0.7, -1.3}},
    {"logsumexp - amax", gap_of_logits, 2, {41, 0}},
    {"Jensen-Shannon", jensen_shannon, 3, {-30, 25, 40}},
    {"exp at -740", wg_exp, 1, {-740}},
    {"z-scores", z_scores, 4, {1e8, 1e8 + 1e-4, 1e8 + 2.5e-4, 1e8 + 3e-4}},
    {"hardswish next to -3/2", wg_hardswish, 1, {-1.5000005}},
    {"relu at 0", steep_relu, 3, {0, 1, -1}},
    {"relu at 0 alone", steep_relu, 1, {0}},
    {"relu(x) - relu(-x)", relu_pair, 2, {0, 2}},
};

START_TEST(right_but_hard)
{
    const accused *c = &accused_cases[_i];
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(c->n), c->x), *y = c->f(x);
    wg_check_report r;
    const wg_gradcheck_options along = {.directions = 4};
    wg_check_verdict v = check(y, x, &r);
    if (WG_WIDE_BITS == 113) /* 64 bits may leave it open */
        ck_assert_msg(v == WG_CHECK_PASSED, "%s: %s at [%zu], %g for %g", c->what,
                      wg_check_verdict_name(v), r.worst.index, r.worst.claimed,
                      r.worst.numeric.value);
    ck_assert_msg(v != WG_CHECK_FAILED, "%s is accused", c->what);
    v = wg_gradcheck(y, &x, NULL, 1, &along, &r);
    ck_assert_msg(v != WG_CHECK_FAILED, "%s: accused along a direction: %g for %g", c->what,
                  r.worst.claimed, r.worst.numeric.value);
    wg_tape_free(t);
}
END_TEST

/* Taylor remainders along a direction: kinks, poles and periods near the point accuse no right
 * rule. */
static wg_tensor *hinge(wg_tensor *x)
{
    return wg_relu(wg_shift(wg_neg(x), 1));
}

START_TEST(taylor_near_kinks)
{
    const accused cases[] = {
        {"hinge", hinge, 4, {1, 0.999, 1.001, -2}}, {"relu at 0", steep_relu, 3, {0, 1e-6, -1e-3}},
        {"log near 0", wg_log, 2, {1e-12, 3}},      {"1/x near 0", wg_reciprocal, 2, {1e-9, -2}},
        {"sin(1e6 x)", fast_sine, 2, {0.7, -1.3}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int order = 2; order <= 3; order++)
            for (uint64_t seed = 1; seed < 9; seed++) {
                wg_tape *t = wg_tape_new(NULL);
                wg_tensor *x = wgt_param(t, "x", WG_SHAPE(cases[i].n), cases[i].x);
                const wg_check_options o = {.seed = seed};
                wg_check_taylor_report r;
                ck_assert_msg(wg_gradcheck_taylor(wg_sum(cases[i].f(x)), x, order, &o, &r) !=
                                  WG_CHECK_FAILED,
                              "%s, order %d: rate %g", cases[i].what, order, r.rate);
                wg_tape_free(t);
            }
}
END_TEST

/* relu(x + relu(x)) at 0, twice: the convention lies outside the one-sided derivatives along most
 * directions, and x relu(x) has two curvatures. No mode accuses them, asked for a name or not. */
static wg_tensor *relu_of_relu(wg_tensor *x)
{
    return wg_relu(wg_add(x, wg_relu(x)));
}
static wg_tensor *two_curvatures(wg_tensor *x)
{
    return wg_mul(x, wg_relu(x));
}

START_TEST(kinks_meet_in_every_mode)
{
    wg_tensor *(*const f[])(wg_tensor *) = {relu_of_relu, two_curvatures};
    for (uint64_t seed = 1; seed < 9; seed++) {
        wg_tape *t = wg_tape_new(NULL);
        wg_tensor *x = wgt_param(t, "x", WG_SHAPE(3), (double[]){-0.09, 0, 0});
        wg_tensor *y = wg_sum(f[_i](wg_affine(x, 1.1, 0)));
        const wg_gradcheck_options o = {.directions = 3, .check.seed = seed, .no_blame = true};
        for (int order = 2; order <= 3; order++)
            ck_assert_int_ne(wg_gradcheck_taylor(y, x, order, &o.check, NULL), WG_CHECK_FAILED);
        ck_assert_int_ne(wg_gradcheck(y, &x, NULL, 1, &o, NULL), WG_CHECK_FAILED);
        ck_assert_int_ne(wg_gradcheck_second(y, &x, 1, &o, NULL), WG_CHECK_FAILED);
        wg_tape_free(t);
    }
}
END_TEST

/* sum(layer_norm(x)) is 0 everywhere: its Hessian is nothing but round-off, which has no
 * symmetry. */
START_TEST(a_hessian_of_round_off)
{
    for (uint64_t seed = 1; seed < 200; seed++) {
        wg_tape *t = wg_tape_new(NULL);
        double values[8];
        for (uint64_t i = 0; i < 8; i++)
            values[i] = wg_random_normal(5, seed, i);
        wg_tensor *x = wgt_param(t, "x", WG_SHAPE(4, 2), values);
        wg_tensor *y = wg_sum(wg_layer_norm(x, NULL, NULL, 1e-3));
        ck_assert_int_ne(wg_gradcheck_second(y, &x, 1, NULL, NULL), WG_CHECK_FAILED);
        wg_tape_free(t);
    }
}
END_TEST

/* Second derivatives below the normal numbers have next to no digits, and no symmetry. */
START_TEST(a_hessian_of_subnormal_numbers)
{
    for (uint64_t seed = 0; seed < 100; seed++) {
        wg_tape *t = wg_tape_new(NULL);
        double values[6] = {0};
        for (uint64_t i = 1; i < 6; i++)
            values[i] = -735 - 10 * wg_random_uniform(11, seed, i);
        wg_tensor *x = wgt_param(t, "x", WG_SHAPE(1, 6), values), *p = wg_softmax(x, 1);
        const wg_check_verdict v = wg_gradcheck_second(wg_sum(wg_xlogy(p, p)), &x, 1, NULL, NULL);
        ck_assert_int_ne(v, WG_CHECK_FAILED);
        wg_tape_free(t);
    }
}
END_TEST

/* What a rule computes from 2^-30 of the cotangent may be subnormal inside, and nothing linear. */
START_TEST(a_rule_of_subnormal_numbers)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(2), (double[]){4e-304, 0}), *part[2], *y;
    ck_assert_int_eq(wg_unstack(x, 0, 2, part), WG_OK);
    y = wg_atan2(part[0], part[1]);
    ck_assert_int_eq(wg_gradcheck(y, &x, NULL, 1, NULL, NULL), WG_CHECK_PASSED);
    wg_tape_free(t);
}
END_TEST

/* The second derivative of |x - 1/2| + x^3, where what is recorded anew a step away takes the other
 * branch. */
START_TEST(second_order_near_a_kink)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(2), (double[]){0.50001, 0.4999});
    wg_tensor *y = wg_sum(wg_add(wg_abs(wg_shift(x, -0.5)), wg_mul(x, wg_square(x))));
    wg_check_report r;
    ck_assert_int_ne(wg_gradcheck_second(y, &x, 1, NULL, &r), WG_CHECK_FAILED);
    wg_tape_free(t);
}
END_TEST

/* What no step can tell: periods and stairs far shorter than the spacing of floats, entries that
 * vanish beside others, subnormal numbers. */
static const accused beyond_cases[] = {
    {"hypot of subnormals", diagonal_length, 3, {-5.875, 4.9e-324, 7.5625}},
    {"x^x at 0", edge_of_power, 3, {0}},
    {"floor at -1e308", wg_floor, 3, {-1e308, 0.5, -4e10}},
    {"round at 1e12", wg_round, 1, {1e12}},
    {"cos at -8.5e37", wg_cos, 2, {-8.5e37, 1}},
    {"tan at 9e213", wg_tan, 3, {-3.2, 0.4, -9.0331132228626873e+213}},
    {"gelu beside 1e222", wg_gelu, 3, {1.0641321822526068e+222, -0.625, -3.4}},
    {"exp(-x^2) beside 1e222", bell, 3, {1e222, 0.6, 0}},
    {"sqrt at 5e-324", wg_sqrt, 3, {4.9e-324, 3.4, 2e-63}},
    {"1/x at -5e-154", pole, 3, {-5.2453775080107125e-154, 0.8125, -3.2}},
    {"maximum at 1e308", largest_and_size, 2, {1e308, 0}},
    {"1/x at 1e308", wg_reciprocal, 3, {-4.125, 1e308, -8.5e37}},
    {"gelu(atan2(tan(cos)))", saturated_ratio, 3, {1.5157330584301921e+263, 0.45, -1.95}},
    {"sin at 1e12", wg_sin, 1, {1e12}},
    {"entropy of softmax at 1e-3000", self_information, 3, {0, -7000, 3}},
    {"round at 4e24", steep_round, 2, {4.75, -1.125}},
};

START_TEST(beyond_all_steps)
{
    const accused *c = &beyond_cases[_i];
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(c->n), c->x), *y = c->f(x), *sum = wg_sum(y);
    for (int precision = WG_CHECK_AUTO; precision <= WG_CHECK_DOUBLE; precision++)
        for (size_t directions = 0; directions <= 2; directions += 2)
            for (int whole = 0; whole < 2; whole++) {
                wg_check_report r;
                const wg_gradcheck_options o = {.precision = (wg_check_precision)precision,
                                                .directions = directions};
                wg_check_verdict v = wg_gradcheck(whole ? sum : y, &x, NULL, 1, &o, &r);
                ck_assert_msg(v != WG_CHECK_FAILED || !isfinite(r.worst.claimed),
                              "%s, precision %d: [%zu] accused, %g for %g", c->what, precision,
                              r.worst.index, r.worst.claimed, r.worst.numeric.value);
                if (r.verdict == WG_CHECK_UNRESOLVED) /* then no entry is said to be wrong */
                    ck_assert_int_ne(r.worst.outcome, WG_ENTRY_DISAGREES);
            }
    wg_tape_free(t);
}
END_TEST

static double plain_sine(const double *x, void *user)
{
    (void)user;
    return sin(x[0]);
}

/* A plain function has doubles alone: what they cannot resolve is not accused, and what they can
 * is. */
START_TEST(plain_functions)
{
    wg_check_report r;
    for (int k = 0; k < 20; k++) {
        double x = 1e12 + 3.7 * k, claimed = cos(x);
        ck_assert_int_eq(wg_check_function(plain_sine, NULL, &x, &claimed, 1, NULL, &r),
                         WG_CHECK_UNRESOLVED);
    }
    double x = 1e4, claimed = 1.001 * cos(x);
    ck_assert_int_eq(wg_check_function(plain_sine, NULL, &x, &claimed, 1, NULL, &r),
                     WG_CHECK_FAILED);
}
END_TEST

/* Chains of ops, drawn at random, at values of all sizes: right rules are accused at none. */
static double any_value(uint64_t key, uint64_t i)
{
    static const double special[] = {0, -0.0, 5e-324, 1e308, -1e308, 1e-38, 0x1p63, 1e-310, 1e6};
    const double u = wg_random_uniform(3, key, 10 * i), v = wg_random_uniform(3, key, 10 * i + 1);
    if (u < 0.1)
        return special[(size_t)(v * 9)];
    return u < 0.3 ? exp(1400 * v - 700) : u < 0.5 ? -exp(60 * v - 30) : 8 * v - 4;
}

static wg_tensor *any_chain(wg_tensor *x, uint64_t key)
{
    int ops = 0;
    wg_tensor *y = x;
    while (wg_op_at(ops) != NULL)
        ops++;
    for (uint64_t i = 0; i < 40; i++) {
        const double u = wg_random_uniform(4, key, 2 * i), v = wg_random_uniform(4, key, 2 * i + 1);
        const wg_op *op = wg_op_at((int)(u * ops));
        wg_tensor *two[] = {y, v < 0.5 ? x : y};
        if ((op->flags & WG_OP_ELEMENTWISE) && op->attr_size == 0 && op->arity <= 2 &&
            op->arity >= 1)
            y = wg_apply(op, two, op->arity, NULL);
        if (v < 0.2)
            break;
    }
    return wg_sum(y);
}

START_TEST(chains_at_any_values)
{
    size_t judged = 0;
    for (uint64_t key = 0; key < 1500; key++) {
        wg_tape *t = wg_tape_new(NULL);
        double values[3];
        for (uint64_t i = 0; i < 3; i++)
            values[i] = any_value(key, i);
        wg_tensor *x = wgt_param(t, "x", WG_SHAPE(3), values), *y = any_chain(x, key);
        const wg_gradcheck_options o = {.precision = (wg_check_precision)(key % 3),
                                        .directions = key % 5 == 0 ? 2 : 0};
        wg_check_report r;
        const wg_check_verdict v = wg_gradcheck(y, &x, NULL, 1, &o, &r);
        ck_assert_msg(v != WG_CHECK_FAILED || !isfinite(r.worst.claimed), "chain %d: %s, %g for %g",
                      (int)key, r.blame, r.worst.claimed, r.worst.numeric.value);
        ck_assert_msg(r.narrow == NULL, "chain %d: %s is narrow", (int)key, r.narrow);
        judged += v == WG_CHECK_PASSED || v == WG_CHECK_VACUOUS;
        wg_tape_free(t);
    }
    ck_assert_uint_ge(judged, 800);
}
END_TEST

/* A cotangent of 5e-324, of which 2^-30 is nothing at all, over an x that is as small. */
START_TEST(a_cotangent_that_vanishes)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(3), (double[]){0.28, -45000, 5e-324});
    wg_check_report r;
    ck_assert_int_eq(check(wg_sum(wg_sigmoid(wg_log(x))), x, &r), WG_CHECK_NOT_FINITE);
    wg_tape_free(t);
}
END_TEST

/* A branch that changes at the point itself is a kink of the op that chooses. */
START_TEST(a_branch_is_a_kink)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(3), (double[]){0, 1, -1});
    wg_tensor *y = wg_where(wg_greater(x, wg_zeros_like(x)), wg_scale(x, 2), x);
    wg_check_report r;
    for (int precision = WG_CHECK_AUTO; precision <= WG_CHECK_DOUBLE; precision++) {
        const wg_gradcheck_options o = {.precision = (wg_check_precision)precision};
        ck_assert_int_eq(wg_gradcheck(y, &x, NULL, 1, &o, &r), WG_CHECK_PASSED);
        ck_assert_uint_eq(r.kink, 1);
        ck_assert_uint_eq(r.worst.index, 0);
        ck_assert_str_eq(r.worst.op, "greater");
        ck_assert_int_eq(wg_gradcheck(wg_relu(x), &x, NULL, 1, &o, &r), WG_CHECK_PASSED);
        ck_assert_str_eq(r.worst.op, "relu");
        ck_assert_double_eq_tol(fabs(r.worst.numeric.right - r.worst.numeric.left), 1, 2);
    }
    wg_tape_free(t);
}
END_TEST

Suite *suite_fooled(void)
{
    Suite *suite = suite_create("fooled");
    TCase *tc = tcase_create("false passes");
    tcase_add_test(tc, a_period_of_all_steps);
    tcase_add_loop_test(tc, not_linear_in_the_cotangent, 0, 3);
    tcase_add_test(tc, a_captured_value);
    tcase_add_loop_test(tc, an_impure_op, 0, 2);
    tcase_add_test(tc, the_sign_of_nan);
    suite_add_tcase(suite, tc);
    TCase *right = tcase_create("false accusations");
    tcase_add_loop_test(right, right_but_hard, 0,
                        (int)(sizeof accused_cases / sizeof *accused_cases));
    tcase_add_loop_test(right, beyond_all_steps, 0,
                        (int)(sizeof beyond_cases / sizeof *beyond_cases));
    tcase_add_test(right, taylor_near_kinks);
    tcase_add_loop_test(right, kinks_meet_in_every_mode, 0, 2);
    tcase_add_test(right, a_hessian_of_round_off);
    tcase_add_test(right, a_hessian_of_subnormal_numbers);
    tcase_add_test(right, a_rule_of_subnormal_numbers);
    tcase_add_test(right, second_order_near_a_kink);
    tcase_add_test(right, plain_functions);
    tcase_add_test(right, chains_at_any_values);
    tcase_add_test(right, a_cotangent_that_vanishes);
    tcase_add_test(right, a_branch_is_a_kink);
    suite_add_tcase(suite, right);
    return suite;
}
