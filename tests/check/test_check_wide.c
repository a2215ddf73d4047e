/* Derivatives decided in wide floats: right ones pass wherever one fixed step fails, wrong ones do
 * not. */
#include "autograd/check/function.h"
#include "tests/support/suites.h"

#if WG_HAS_WIDE

#define F(f) WG_F(wide, f)
#define K(c) WG_K(wide, c)

typedef wg_wide scalar(wg_wide);

static wg_wide call(const wg_wide *x, void *user)
{
    scalar **f = user;
    return (*f)(x[0]);
}

static wg_wide fast_sine(wg_wide x)
{
    return F(sin)(1000000 * x);
}
static wg_wide entropy(wg_wide p)
{
    return -p * F(log)(p) - (1 - p) * F(log1p)(-p);
}
static wg_wide log1p_over(wg_wide x)
{
    return F(log1p)(x) / x;
}
static wg_wide offset(wg_wide x)
{
    return (K(1.0e9) + x) - K(1.0e9);
}
static wg_wide coarse(wg_wide x) /* moves at the largest of the first steps alone */
{
    const wg_wide far = WG_WIDE_BITS == 113 ? K(0x1p74) : K(0x1p41);
    return (far + x) - far;
}
static wg_wide narrow(wg_wide x) /* changes within 1e-12 of x = 1 */
{
    return F(tanh)((x - 1) * K(1.0e12));
}
static wg_wide wide_relu(wg_wide x)
{
    return x > 0 ? 3 * x : 0;
}
static wg_wide root(wg_wide x)
{
    return x * F(sqrt)(x);
}
static wg_wide power(wg_wide x)
{
    return x * x * x;
}
static wg_wide periodic(wg_wide x)
{
    return x * x + F(sin)(1024 * K(3.14159265358979323846264338327950288) * x);
}

typedef struct wide_case {
    const char *name;
    scalar *f;
    wg_wide x, derivative;
} wide_case;

static wg_check_verdict judged(scalar *f, wg_wide x, wg_wide claimed, wg_check_report *r)
{
    wg_wide at = x;
    wg_check_verdict v = wg_check_function_wide(call, &f, &at, &claimed, 1, NULL, r);
    ck_assert(at == x);
    return v;
}

/* A wide float of 64 bits may leave a hard case open; it gives no wrong verdict either. */
static bool is_verdict(wg_check_verdict v, wg_check_verdict want)
{
    return v == want || (WG_WIDE_BITS < 113 && v == WG_CHECK_UNRESOLVED);
}

START_TEST(right_and_wrong)
{
    const wide_case cases[] = {
        {"sin at 1e12", WG_F(wide, sin), K(1.0e12), F(cos)(K(1.0e12))},
        {"sin(1e6 x)", fast_sine, K(0.7), 1000000 * F(cos)(1000000 * K(0.7))},
        {"log at 1e-12", WG_F(wide, log), K(1.0e-12), 1 / K(1.0e-12)},
        {"log at 1e-300", WG_F(wide, log), K(1.0e-300), 1 / K(1.0e-300)},
        {"asin next to 1", WG_F(wide, asin), 1 - K(1.0e-13),
         1 / F(sqrt)((2 - K(1.0e-13)) * K(1.0e-13))},
        {"entropy", entropy, K(1.0e-7), F(log)((1 - K(1.0e-7)) / K(1.0e-7))},
        {"log1p(x)/x", log1p_over, K(1.0e-5),
         1 / (K(1.0e-5) * (1 + K(1.0e-5))) - F(log1p)(K(1.0e-5)) / K(1.0e-10)},
        {"an offset", offset, K(0.5), 1},
        {"narrow", narrow, 1 + K(1.0e-13), K(1.0e12) / F(cosh)(K(1.0e-1)) / F(cosh)(K(1.0e-1))},
        {"exp at -740", WG_F(wide, exp), -740, F(exp)(-740)},
        {"power at 0", power, 0, 0},
        {"x^2 + sin(1024 pi x)", periodic, K(0.375),
         K(0.75) + 1024 * K(3.14159265358979323846264338327950288)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        wg_check_report r;
        const wide_case *c = &cases[i];
        wg_check_verdict v = judged(c->f, c->x, c->derivative, &r);
        ck_assert_msg(is_verdict(v, c->derivative == 0 ? WG_CHECK_VACUOUS : WG_CHECK_PASSED),
                      "%s: %s, %g for %g", c->name, wg_check_verdict_name(v), r.worst.numeric.value,
                      (double)c->derivative);
        ck_assert_uint_eq(r.wide, 1);
        v = judged(c->f, c->x,
                   c->derivative * (1 + (WG_WIDE_BITS == 113 ? K(1.0e-8) : K(1.0e-4))) +
                       (c->derivative == 0 ? K(5.0e-7) : 0),
                   &r);
        ck_assert_msg(is_verdict(v, WG_CHECK_FAILED), "%s: wrong, but %s", c->name,
                      wg_check_verdict_name(v));
        v = judged(c->f, c->x, c->derivative == 0 ? K(1.0e-20) : 0, &r);
        ck_assert_msg(is_verdict(v, WG_CHECK_FAILED), "%s: nothing, but %s", c->name,
                      wg_check_verdict_name(v));
        v = judged(c->f, c->x, (wg_wide)NAN, &r);
        ck_assert_msg(v == WG_CHECK_FAILED, "%s: NaN, but %s", c->name, wg_check_verdict_name(v));
    }
}
END_TEST

static wg_wide both(const wg_wide *x, void *user)
{
    (void)user;
    return x[0] + x[1];
}

/* Beside an entry of 1e40, steps of the other's own size are lost. */
START_TEST(beside_a_large_entry)
{
    wg_wide x[] = {K(1.0e40), 0}, claimed[] = {1, 1};
    wg_check_report r;
    ck_assert(
        is_verdict(wg_check_function_wide(both, NULL, x, claimed, 2, NULL, &r), WG_CHECK_PASSED));
    claimed[1] = 0;
    ck_assert_int_ne(wg_check_function_wide(both, NULL, x, claimed, 2, NULL, &r), WG_CHECK_PASSED);
}
END_TEST

/* An error of 1e-10 of the derivative is seen wherever f is not as steep as its digits are. */
START_TEST(small_errors)
{
    wg_check_report r;
    const wg_wide x = K(0.7), d = F(cos)(x);
    ck_assert_int_eq(judged(WG_F(wide, sin), x, d * (1 + K(1.0e-10)), &r), WG_CHECK_FAILED);
    ck_assert_int_eq(judged(WG_F(wide, sin), x, d + K(1.0e-10), &r), WG_CHECK_FAILED);
    ck_assert_int_eq(judged(WG_F(wide, sin), x, d * (1 + K(1.0e-13)), &r), WG_CHECK_PASSED);
}
END_TEST

/* Two steps at which it stands still say nothing where a larger one moved it. */
START_TEST(still_at_small_steps)
{
    wg_check_report r;
    ck_assert_int_eq(judged(coarse, 1, 1, &r), WG_CHECK_PASSED);
    ck_assert_int_eq(judged(coarse, 1, 0, &r), WG_CHECK_FAILED);
}
END_TEST

static wg_wide beside(wg_wide x)
{
    return x + K(1.0e40);
}

/* What noise hides is no agreement. */
START_TEST(hidden_by_noise)
{
    wg_check_report r;
    for (int claimed = 0; claimed < 8; claimed += 7) {
        ck_assert_int_eq(judged(beside, 1, claimed, &r), WG_CHECK_VACUOUS);
        ck_assert_int_eq(r.note != NULL, claimed != 0);
    }
    const wg_wide loud = WG_WIDE_BITS == 113 ? K(1.0e16) : K(1.0e32);
    ck_assert_int_eq(judged(beside, 1, loud, &r), WG_CHECK_FAILED);
}
END_TEST

START_TEST(kinks_and_ends)
{
    wg_check_report r;
    ck_assert_int_eq(judged(wide_relu, 0, 0, &r), WG_CHECK_PASSED);
    ck_assert_int_eq(judged(wide_relu, 0, K(1.5), &r), WG_CHECK_PASSED);
    ck_assert_uint_eq(r.kink, 1);
    ck_assert(r.worst.numeric.kink);
    ck_assert_double_eq_tol(r.worst.numeric.right - r.worst.numeric.left, 3, 1e-9);
    ck_assert_int_eq(judged(wide_relu, 0, K(3.5), &r), WG_CHECK_FAILED);
    ck_assert_int_eq(judged(wide_relu, 0, K(-0.5), &r), WG_CHECK_FAILED);
    ck_assert_int_eq(judged(WG_F(wide, sqrt), 0, (wg_wide)INFINITY, &r), WG_CHECK_UNRESOLVED);
    ck_assert_int_eq(judged(WG_F(wide, sqrt), 1, (wg_wide)INFINITY, &r), WG_CHECK_FAILED);
    ck_assert_int_eq(judged(WG_F(wide, log), -1, 1, &r), WG_CHECK_NOT_FINITE);
    ck_assert_int_eq(judged(root, 0, 1, &r), WG_CHECK_FAILED);
}
END_TEST

#undef F
#undef K

#endif

Suite *suite_check_wide(void)
{
    Suite *suite = suite_create("check_wide");
    TCase *tc = tcase_create("wide");
#if WG_HAS_WIDE
    tcase_add_test(tc, right_and_wrong);
    tcase_add_test(tc, beside_a_large_entry);
    tcase_add_test(tc, small_errors);
    tcase_add_test(tc, still_at_small_steps);
    tcase_add_test(tc, hidden_by_noise);
    tcase_add_test(tc, kinks_and_ends);
#endif
    suite_add_tcase(suite, tc);
    return suite;
}
