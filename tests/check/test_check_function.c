/* The checker checked: planted bugs must be caught, right gradients must never be accused. */
#include "tests/support/problems.h"
#include "tests/support/suites.h"

#include <math.h>
#include <string.h>

/* ---- right gradients are never accused ------------------------------------------------------- */

typedef struct tally {
    size_t cases, passed, failed, unresolved, vacuous, entries, kinks, evaluations;
} tally;

static void tally_add(tally *t, const wgt_problem *p, const wg_check_report *r)
{
    char text[800];
    wgt_problem_text(p, r, text, sizeof text);
    ck_assert_msg(r->verdict != WG_CHECK_FAILED, "accused: %s", text);
    ck_assert_msg(r->verdict != WG_CHECK_NOT_FINITE && r->verdict != WG_CHECK_INVALID, "%s", text);
    t->cases++;
    t->passed += r->verdict == WG_CHECK_PASSED;
    t->unresolved += r->verdict == WG_CHECK_UNRESOLVED;
    t->vacuous += r->verdict == WG_CHECK_VACUOUS;
    t->entries += r->entries;
    t->kinks += r->kink;
    t->evaluations += r->evaluations;
}

static tally check_right_gradients(int regime, size_t cases, int points, bool near_kinks)
{
    tally t = {0};
    const wg_check_options options = {.points = points};
    for (size_t i = 0; i < cases; i++) {
        wgt_problem p = wgt_problem_draw(i % WGT_PROBLEM_FUNCTIONS);
        if (near_kinks)
            wgt_problem_approach_kink(&p);
        wgt_problem_rescale(&p, regime);
        wg_check_report r;
        wgt_problem_check(&p, p.gradient, &options, &r);
        tally_add(&t, &p, &r);
    }
    return t;
}

/* Ordinary sizes: everything passes, and cheaply. */
START_TEST(smooth_cases)
{
    const tally five = check_right_gradients(WGT_PLAIN, 8000, 5, false);
    ck_assert_uint_eq(five.passed + five.vacuous, five.cases);
    ck_assert_double_le((double)five.evaluations, 5.0 * (double)five.entries);
    const tally three = check_right_gradients(WGT_PLAIN, 8000, 3, false);
    ck_assert_uint_eq(three.passed + three.vacuous, three.cases);
    ck_assert_double_le((double)three.evaluations, 3.0 * (double)three.entries);
}
END_TEST

START_TEST(kinked_cases)
{
    for (int points = 3; points <= 5; points += 2) {
        const tally t = check_right_gradients(WGT_PLAIN, 8000, points, true);
        ck_assert_uint_ge(t.passed + t.vacuous, t.cases - t.cases / 1000);
        ck_assert_uint_gt(t.kinks, 1000);
    }
}
END_TEST

/* Losses of 1e-7 and 1e9, inputs of 1e-8 and 1e8, and f's that compute with a cancellation or in
 * single precision, so that small derivatives drown: those may stay unresolved, none may be
 * accused. */
START_TEST(scaled_cases)
{
    static const double resolved[WGT_REGIMES] = {1.0, 0.99, 0.99, 0.99, 0.95, 0.99, 0.85, 0.85};
    for (int regime = WGT_TINY_LOSS; regime < WGT_REGIMES; regime++) {
        for (int near = 0; near < 2; near++) {
            const tally t = check_right_gradients(regime, 2000, 5, near);
            ck_assert_msg((double)(t.passed + t.vacuous) >= resolved[regime] * (double)t.cases,
                          "regime %d: %zu of %zu unresolved", regime, t.unresolved, t.cases);
        }
    }
}
END_TEST

/* ---- planted bugs are always caught ---------------------------------------------------------- */

enum {
    SIGN_ALL,
    SIGN_ONE,
    SCALE_ALL,
    SCALE_ONE,
    ZERO_LARGE,
    ZERO_SMALL,
    NOT_A_NUMBER,
    INFINITE,
    SWAPPED,
    DROPPED_TERM,
    ADDED,
    SHIFTED,
    BUGS
};

/* Plants the bug; false if it would not change the gradient by more than a thousandth somewhere. */
static bool plant(const wgt_problem *p, int bug, double *g)
{
    const size_t i = wgt_draw_below(p->n), j = (i + 1) % p->n;
    memcpy(g, p->gradient, sizeof p->gradient);
    double size = 0.0;
    for (size_t k = 0; k < p->n; k++) {
        size = fmax(size, fabs(g[k]));
        if (bug == SIGN_ALL)
            g[k] = -g[k];
        if (bug == SCALE_ALL)
            g[k] *= 1.001;
        if (bug == SHIFTED)
            g[k] = p->gradient[(k + 1) % p->n];
    }
    if (bug == SIGN_ONE)
        g[i] = -g[i];
    if (bug == SCALE_ONE)
        g[i] *= 1.001;
    if (bug == ZERO_LARGE || bug == ZERO_SMALL)
        g[i] = 0.0;
    if (bug == NOT_A_NUMBER)
        g[i] = (double)NAN;
    if (bug == INFINITE)
        g[i] = (double)INFINITY;
    if (bug == SWAPPED)
        g[i] = p->gradient[j], g[j] = p->gradient[i];
    if (bug == DROPPED_TERM && !p->row)
        return false;
    if (bug == DROPPED_TERM) /* the i-th term's share in its second argument */
        g[j] -= 0.5 * p->gain / p->unit * p->w[i] *
                p->row->derivative(0.5 * (p->x[i] + p->x[j]) / p->unit);
    if (bug == ADDED)
        g[i] += 1e-5 * size;
    if (bug == NOT_A_NUMBER || bug == INFINITE)
        return true;
    for (size_t k = 0; k < p->n; k++) {
        if (fabs(g[k] - p->gradient[k]) > 0.9e-3 * fabs(p->gradient[k]) &&
            fabs(g[k] - p->gradient[k]) > 1e-7 * p->gain / p->unit)
            return true;
    }
    return false;
}

static size_t check_bugs(size_t function, int bug, int points, int regime)
{
    const wg_check_options options = {.points = points};
    for (int attempt = 0; attempt < 20; attempt++) {
        wgt_problem p = wgt_problem_draw(function);
        if (bug == ZERO_SMALL) { /* F = small f(x) + ..., with a true derivative of about 5e-7 */
            if (!p.row)
                return 0;
            for (size_t i = 0; i < p.n; i++)
                p.w[i] *= i == 0 || wgt_draw_below(2) ? 5e-7 : 1.0;
        }
        wgt_problem_rescale(&p, regime);
        double claimed[WGT_PROBLEM_MOST];
        if (!plant(&p, bug, claimed))
            continue;
        wg_check_report r;
        char text[800];
        wgt_problem_check(&p, claimed, &options, &r);
        wgt_problem_text(&p, &r, text, sizeof text);
        ck_assert_msg(r.verdict == WG_CHECK_FAILED, "bug %d missed: %s", bug, text);
        return 1;
    }
    return 0;
}

START_TEST(planted_bugs)
{
    size_t caught = 0, functions = 0;
    for (size_t function = 0; function < WGT_PROBLEM_FUNCTIONS; function++) {
        const size_t before = caught;
        for (int bug = 0; bug < BUGS; bug++) {
            for (int again = 0; again < 4; again++)
                caught += check_bugs(function, bug, again & 1 ? 5 : 3, WGT_PLAIN);
            caught += check_bugs(function, bug, 5, WGT_TINY_LOSS);
            caught += check_bugs(function, bug, 5, WGT_HUGE_INPUT);
            caught += check_bugs(function, bug, 5, WGT_TINY_INPUT);
        }
        functions += caught >= before + 6;
    }
    ck_assert_uint_eq(functions, WGT_PROBLEM_FUNCTIONS);
    ck_assert_uint_ge(caught, 2500);
}
END_TEST

/* ---- by directions --------------------------------------------------------------------------- */

START_TEST(random_directions)
{
    size_t checked = 0;
    for (size_t i = 0; i < 2000; i++) {
        wgt_problem p = wgt_problem_draw(i % WGT_PROBLEM_FUNCTIONS);
        double work[2 * WGT_PROBLEM_MOST], claimed[WGT_PROBLEM_MOST];
        wg_check_report r;
        wgt_problem_rescale(&p, WGT_PLAIN);
        wg_check_directions(wgt_problem_value, &p, p.x, p.gradient, p.n, 3, work, NULL, &r);
        ck_assert_msg(r.verdict == WG_CHECK_PASSED || r.verdict == WG_CHECK_VACUOUS, "%s: %s",
                      wgt_problem_name(&p), wg_check_verdict_name(r.verdict));
        if (!plant(&p, SIGN_ONE, claimed))
            continue;
        wg_check_directions(wgt_problem_value, &p, p.x, claimed, p.n, 3, work, NULL, &r);
        checked += r.verdict == WG_CHECK_FAILED;
        ck_assert_int_eq(r.verdict, WG_CHECK_FAILED);
    }
    ck_assert_uint_gt(checked, 1000);
}
END_TEST

/* ---- one entry ------------------------------------------------------------------------------- */

static double two_entries(const double *x, void *user)
{
    (void)user;
    return 2 * x[0] + 3 * x[1];
}

static double jitters(const double *x, void *user)
{
    (void)user;
    return 1 + 1e-3 * sin(1e15 * x[0]);
}

/* Where f is noise, nothing is known of a derivative, not even that it is 0. */
START_TEST(zero_claimed_of_noise)
{
    double x = 0.3;
    const double claimed = 0;
    wg_check_report r;
    ck_assert_int_eq(wg_check_function(jitters, NULL, &x, &claimed, 1, NULL, &r),
                     WG_CHECK_UNRESOLVED);
}
END_TEST

/* The entry told is the one that is off most, wherever it stands; a wrong one before all. */
START_TEST(worst_entry)
{
    double x[2] = {0.5, 0.25};
    wg_check_report r;
    const double far_first[2] = {2 + 1e-7, 3 + 1e-8}, far_last[2] = {2 + 1e-8, 3 + 2e-7};
    ck_assert_int_eq(wg_check_function(two_entries, NULL, x, far_first, 2, NULL, &r),
                     WG_CHECK_PASSED);
    ck_assert_uint_eq(r.worst.index, 0);
    ck_assert_int_eq(wg_check_function(two_entries, NULL, x, far_last, 2, NULL, &r),
                     WG_CHECK_PASSED);
    ck_assert_uint_eq(r.worst.index, 1);
    const double wrong[2] = {1, 3.1}, nearly[2] = {2 + 1e-7, -3};
    ck_assert_int_eq(wg_check_function(two_entries, NULL, x, wrong, 2, NULL, &r), WG_CHECK_FAILED);
    ck_assert_uint_eq(r.worst.index, 0);
    ck_assert_int_eq(wg_check_function(two_entries, NULL, x, nearly, 2, NULL, &r), WG_CHECK_FAILED);
    ck_assert_uint_eq(r.worst.index, 1);
}
END_TEST

/* Steep enough that the first step is too large for it and the second is not; both are too large
 * for the tanh, which lives at the scale of x. */
static double hidden_tanh(const double *x, void *user)
{
    (void)user;
    return sin(100 * x[0]) + 3e-10 * tanh(1e6 * x[0]);
}

START_TEST(hidden_behind_the_second_step)
{
    double x = 1e-6, smooth = 100 * cos(1e-4), whole = smooth + 3e-4 / (cosh(1) * cosh(1));
    ck_assert_int_eq(wg_check_function(hidden_tanh, NULL, &x, &whole, 1, NULL, NULL),
                     WG_CHECK_PASSED);
    ck_assert_int_eq(wg_check_function(hidden_tanh, NULL, &x, &smooth, 1, NULL, NULL),
                     WG_CHECK_FAILED);
}
END_TEST

Suite *suite_check_function(void)
{
    Suite *suite = suite_create("check_function");
    TCase *cases = tcase_create("right gradients");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, smooth_cases);
    tcase_add_test(cases, kinked_cases);
    tcase_add_test(cases, scaled_cases);
    suite_add_tcase(suite, cases);
    TCase *bugs = tcase_create("planted bugs");
    tcase_set_timeout(bugs, 60);
    tcase_add_test(bugs, planted_bugs);
    tcase_add_test(bugs, random_directions);
    tcase_add_test(bugs, worst_entry);
    tcase_add_test(bugs, zero_claimed_of_noise);
    tcase_add_test(bugs, hidden_behind_the_second_step);
    suite_add_tcase(suite, bugs);
    return suite;
}
