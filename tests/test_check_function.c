/* The checker checked: planted bugs must be caught, right gradients must never be accused. */
#include "autograd/check_function.h"
#include "tests/suites.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST = 8 }; /* entries of the test functions */

/* ---- random numbers (SplitMix64: Steele, Lea, Flood 2014) ------------------------------------ */

static uint64_t random_state = 1;

static uint64_t random_bits(void)
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static double random_between(double low, double high)
{
    return low + (high - low) * (double)(random_bits() >> 11) * 0x1p-53;
}

static size_t random_below(size_t n)
{
    return (size_t)(random_bits() % n);
}

/* ---- the functions --------------------------------------------------------------------------- */

/* phi and its derivative; F(x) = sum of w_i phi((x_i + x_{i+1}) / 2), indices modulo n. */
typedef struct scalar_row {
    const char *name;
    double (*value)(double);
    double (*slope)(double);
    double low, high; /* where it is sampled */
    double kink;      /* NaN: smooth */
} scalar_row;

#define SCALAR(name, value, slope)                                                                 \
    static double name##_value(double x)                                                           \
    {                                                                                              \
        return value;                                                                              \
    }                                                                                              \
    static double name##_slope(double x)                                                           \
    {                                                                                              \
        return slope;                                                                              \
    }

/* clang-format off */
SCALAR(sine, sin(x), cos(x))
SCALAR(exponential, exp(x), exp(x))
SCALAR(tangens, tanh(x), 1 / (cosh(x) * cosh(x)))
SCALAR(sigmoid, 1 / (1 + exp(-x)), 1 / ((1 + exp(-x)) * (1 + exp(x))))
SCALAR(softplus, fmax(x, 0) + log1p(exp(-fabs(x))), 1 / (1 + exp(-x)))
SCALAR(logarithm, log(x), 1 / x)
SCALAR(root, sqrt(x), 0.5 / sqrt(x))
SCALAR(inverse, 1 / x, -1 / (x * x))
SCALAR(square, x * x, 2 * x)
SCALAR(cubic, x * x * x, 3 * x * x)
SCALAR(power, pow(x, 1.7), 1.7 * pow(x, 0.7))
SCALAR(arctan, atan(x), 1 / (1 + x * x))
SCALAR(errorf, erf(x), exp(-x * x) * 1.1283791670955126)
SCALAR(gaussian, exp(-0.5 * x * x), -x * exp(-0.5 * x * x))
SCALAR(cosine_h, cosh(x), sinh(x))
SCALAR(log_one, log1p(x), 1 / (1 + x))
SCALAR(entropy, x * log(x), log(x) + 1)
SCALAR(wave, x * sin(x), sin(x) + x * cos(x))
SCALAR(lorentz, 1 / (1 + x * x), -2 * x / ((1 + x * x) * (1 + x * x)))
SCALAR(log_cosh, log(cosh(x)), tanh(x))
SCALAR(exp_minus, expm1(x), exp(x))
SCALAR(silu, x / (1 + exp(-x)), (1 + exp(-x) + x * exp(-x)) / ((1 + exp(-x)) * (1 + exp(-x))))
SCALAR(relu, fmax(x, 0), x > 0 ? 1 : 0)
SCALAR(absolute, fabs(x), x > 0 ? 1 : x < 0 ? -1 : 0)
SCALAR(leaky, x > 0 ? x : 0.01 * x, x > 0 ? 1 : 0.01)
SCALAR(hinge, fmax(1 - x, 0), x < 1 ? -1 : 0)
SCALAR(clamped, fmin(fmax(x, -0.5), 0.5), x < -0.5 || x > 0.5 ? 0 : 1)
SCALAR(huber, fabs(x) < 1 ? 0.5 * x * x : fabs(x) - 0.5, fabs(x) < 1 ? x : x > 0 ? 1 : -1)
SCALAR(bent, fmax(x, x * x), x > 0 && x < 1 ? 1 : 2 * x)
SCALAR(shrunk, x > 0.3 ? x - 0.3 : x < -0.3 ? x + 0.3 : 0, fabs(x) > 0.3 ? 1 : 0)

#define ROW(name, low, high) {#name, name##_value, name##_slope, low, high, (double)NAN}
#define KINKED(name, low, high, kink) {#name, name##_value, name##_slope, low, high, kink}

static const scalar_row rows[] = {
    ROW(sine, -3, 3), ROW(exponential, -3, 3), ROW(tangens, -2, 2), ROW(sigmoid, -4, 4),
    ROW(softplus, -4, 4), ROW(logarithm, 0.01, 5), ROW(root, 0.01, 5), ROW(inverse, 0.1, 4),
    ROW(square, -3, 3), ROW(cubic, -2, 2), ROW(power, 0.05, 4), ROW(arctan, -3, 3),
    ROW(errorf, -2, 2), ROW(gaussian, -2, 2), ROW(cosine_h, -3, 3), ROW(log_one, -0.9, 3),
    ROW(entropy, 0.01, 3), ROW(wave, -4, 4), ROW(lorentz, -3, 3), ROW(log_cosh, -3, 3),
    ROW(exp_minus, -3, 3), ROW(silu, -4, 4),
    KINKED(relu, -2, 2, 0), KINKED(absolute, -2, 2, 0), KINKED(leaky, -2, 2, 0),
    KINKED(hinge, -2, 4, 1), KINKED(clamped, -2, 2, 0.5), KINKED(huber, -3, 3, 1),
    KINKED(bent, -2, 3, 1), KINKED(shrunk, -2, 2, 0.3),
};
/* clang-format on */

enum { ROWS = sizeof rows / sizeof rows[0], SMOOTH_ROWS = 22 };

/* Functions that are not sums of functions of one variable; x and w have n entries. */
typedef struct vector_row {
    const char *name;
    double (*value)(const double *x, const double *w, size_t n);
    void (*gradient)(const double *x, const double *w, size_t n, double *g);
} vector_row;

static double log_sum_exp(const double *x, const double *w, size_t n)
{
    double most = x[0], sum = 0.0;
    (void)w;
    for (size_t i = 0; i < n; i++)
        most = fmax(most, x[i]);
    for (size_t i = 0; i < n; i++)
        sum += exp(x[i] - most);
    return most + log(sum);
}

static void log_sum_exp_gradient(const double *x, const double *w, size_t n, double *g)
{
    const double total = log_sum_exp(x, w, n);
    for (size_t i = 0; i < n; i++)
        g[i] = exp(x[i] - total);
}

/* Cross-entropy with the softmax of x and soft labels w^2 / |w|^2. */
static double cross_entropy(const double *x, const double *w, size_t n)
{
    double sum = 0.0, weights = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += w[i] * w[i] * (log_sum_exp(x, w, n) - x[i]);
        weights += w[i] * w[i];
    }
    return sum / weights;
}

static void cross_entropy_gradient(const double *x, const double *w, size_t n, double *g)
{
    double weights = 0.0;
    for (size_t i = 0; i < n; i++)
        weights += w[i] * w[i];
    log_sum_exp_gradient(x, w, n, g);
    for (size_t i = 0; i < n; i++)
        g[i] -= w[i] * w[i] / weights;
}

static double rosenbrock(const double *x, const double *w, size_t n)
{
    double sum = 0.0;
    (void)w;
    for (size_t i = 0; i + 1 < n; i++) {
        const double a = x[i + 1] - x[i] * x[i], b = 1.0 - x[i];
        sum += 100.0 * a * a + b * b;
    }
    return sum;
}

static void rosenbrock_gradient(const double *x, const double *w, size_t n, double *g)
{
    (void)w;
    memset(g, 0, n * sizeof *g);
    for (size_t i = 0; i + 1 < n; i++) {
        const double a = x[i + 1] - x[i] * x[i];
        g[i] += -400.0 * a * x[i] - 2.0 * (1.0 - x[i]);
        g[i + 1] += 200.0 * a;
    }
}

static double norm(const double *x, const double *w, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += (x[i] - w[i]) * (x[i] - w[i]);
    return sqrt(sum);
}

static void norm_gradient(const double *x, const double *w, size_t n, double *g)
{
    const double length = norm(x, w, n);
    for (size_t i = 0; i < n; i++)
        g[i] = (x[i] - w[i]) / length;
}

static double variance(const double *x, const double *w, size_t n)
{
    double mean = 0.0, sum = 0.0;
    (void)w;
    for (size_t i = 0; i < n; i++)
        mean += x[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        sum += (x[i] - mean) * (x[i] - mean);
    return sum / (double)n;
}

static void variance_gradient(const double *x, const double *w, size_t n, double *g)
{
    double mean = 0.0;
    (void)w;
    for (size_t i = 0; i < n; i++)
        mean += x[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        g[i] = 2.0 * (x[i] - mean) / (double)n;
}

static double product(const double *x, const double *w, size_t n)
{
    double p = w[0];
    for (size_t i = 0; i < n; i++)
        p *= x[i] + 2.5;
    return p;
}

static void product_gradient(const double *x, const double *w, size_t n, double *g)
{
    for (size_t i = 0; i < n; i++) {
        g[i] = w[0];
        for (size_t j = 0; j < n; j++)
            if (j != i)
                g[i] *= x[j] + 2.5;
    }
}

/* Two layers: sum over four hidden units of w_k tanh(sum_i sin(i + 2k) x_i). */
static double network(const double *x, const double *w, size_t n)
{
    double sum = 0.0;
    for (size_t k = 0; k < 4; k++) {
        double z = 0.0;
        for (size_t i = 0; i < n; i++)
            z += sin((double)(i + 2 * k)) * x[i];
        sum += w[k % n] * tanh(z);
    }
    return sum;
}

static void network_gradient(const double *x, const double *w, size_t n, double *g)
{
    memset(g, 0, n * sizeof *g);
    for (size_t k = 0; k < 4; k++) {
        double z = 0.0;
        for (size_t i = 0; i < n; i++)
            z += sin((double)(i + 2 * k)) * x[i];
        for (size_t i = 0; i < n; i++)
            g[i] += w[k % n] * sin((double)(i + 2 * k)) / (cosh(z) * cosh(z));
    }
}

static double largest(const double *x, const double *w, size_t n)
{
    double most = x[0];
    (void)w;
    for (size_t i = 0; i < n; i++)
        most = fmax(most, x[i]);
    return most;
}

static void largest_gradient(const double *x, const double *w, size_t n, double *g)
{
    const double most = largest(x, w, n);
    double ties = 0.0;
    for (size_t i = 0; i < n; i++)
        ties += x[i] == most;
    for (size_t i = 0; i < n; i++)
        g[i] = x[i] == most ? 1.0 / ties : 0.0;
}

static const vector_row vectors[] = {
    {"log_sum_exp", log_sum_exp, log_sum_exp_gradient},
    {"cross_entropy", cross_entropy, cross_entropy_gradient},
    {"rosenbrock", rosenbrock, rosenbrock_gradient},
    {"norm", norm, norm_gradient},
    {"variance", variance, variance_gradient},
    {"product", product, product_gradient},
    {"network", network, network_gradient},
    {"largest", largest, largest_gradient},
};

enum { VECTORS = sizeof vectors / sizeof vectors[0], FUNCTIONS = ROWS + VECTORS };

/* ---- one problem: a function, a point, a scale ------------------------------------------------ */

/* F(x) = gain * (f(x / unit) + lift) - drop: losses and inputs of any size, with cancellation. */
typedef struct problem {
    const scalar_row *row; /* one of these two */
    const vector_row *vector;
    size_t n;
    double x[MOST], w[MOST], gradient[MOST];
    double gain, unit, lift, drop;
    bool single; /* the result passes through a float */
} problem;

static double problem_inner(const problem *p, const double *x)
{
    double u[MOST], sum = 0.0;
    for (size_t i = 0; i < p->n; i++)
        u[i] = x[i] / p->unit;
    if (p->vector)
        return p->vector->value(u, p->w, p->n);
    for (size_t i = 0; i < p->n; i++)
        sum += p->w[i] * p->row->value(0.5 * (u[i] + u[(i + 1) % p->n]));
    return sum;
}

static double problem_value(const double *x, void *user)
{
    const problem *p = user;
    const double value = p->gain * (problem_inner(p, x) + p->lift) - p->drop;
    return p->single ? (double)(float)value : value;
}

static void problem_differentiate(problem *p)
{
    double u[MOST], *g = p->gradient;
    const size_t n = p->n;
    for (size_t i = 0; i < n; i++)
        u[i] = p->x[i] / p->unit;
    memset(g, 0, sizeof p->gradient);
    if (p->vector)
        p->vector->gradient(u, p->w, n, g);
    for (size_t i = 0; i < n && p->row; i++) {
        const double slope = 0.5 * p->w[i] * p->row->slope(0.5 * (u[i] + u[(i + 1) % n]));
        g[i] += slope;
        g[(i + 1) % n] += slope;
    }
    for (size_t i = 0; i < n; i++)
        g[i] *= p->gain / p->unit;
}

static problem problem_draw(size_t function)
{
    problem p = {.n = 2 + random_below(MOST - 2), .gain = 1.0, .unit = 1.0};
    if (function < ROWS)
        p.row = &rows[function];
    else
        p.vector = &vectors[function - ROWS];
    for (size_t i = 0; i < p.n; i++) {
        p.x[i] = p.row ? random_between(p.row->low, p.row->high) : random_between(-1.5, 1.5);
        p.w[i] = random_between(0.2, 2.0) * (random_bits() & 1 ? 1.0 : -1.0);
    }
    return p;
}

/* Moves some entries to a kink, or to within 10^-1 ... 10^-15 of one. */
static void problem_approach_kink(problem *p)
{
    const double distance = random_below(3) == 0 ? 0.0 : pow(10.0, -random_between(1.0, 15.0));
    const double side = random_bits() & 1 ? distance : -distance;
    const size_t i = random_below(p->n), next = (i + 1) % p->n;
    if (p->row && !isnan(p->row->kink))
        p->x[i] = p->x[next] = p->row->kink + side;
    if (p->vector && p->vector->value == largest)
        p->x[i] = largest(p->x, p->w, p->n) + side;
}

enum { PLAIN, TINY_LOSS, HUGE_LOSS, TINY_INPUT, HUGE_INPUT, CANCELLING, LIFTED, SINGLE, REGIMES };

/* Call after the point is chosen. */
static void problem_rescale(problem *p, int regime)
{
    const double value = fmax(fabs(problem_inner(p, p->x)), 1e-3);
    if (regime == TINY_LOSS)
        p->gain = 1e-7 / value;
    if (regime == HUGE_LOSS)
        p->gain = 1e9 / value;
    if (regime == TINY_INPUT)
        p->unit = 1e-8;
    if (regime == HUGE_INPUT)
        p->unit = 1e8;
    if (regime == CANCELLING)
        p->drop = problem_inner(p, p->x) - 1e-7; /* a loss of 1e-7 of terms of 1 */
    if (regime == LIFTED)
        p->lift = p->drop = 1e9; /* lumps of 1e-7 */
    p->single = regime == SINGLE;
    for (size_t i = 0; i < p->n; i++)
        p->x[i] *= p->unit;
    problem_differentiate(p);
}

static wg_check_verdict problem_check(problem *p, const double *claimed,
                                      const wg_check_options *options, wg_check_report *r)
{
    double before[MOST];
    memcpy(before, p->x, sizeof before);
    const wg_check_verdict verdict = wg_check_function(problem_value, p, p->x, claimed, p->n,
                                                       options, r);
    ck_assert_mem_eq(p->x, before, sizeof before);
    ck_assert_uint_eq(r->agree + r->kink + r->unresolved + r->disagree, r->entries);
    return verdict;
}

static const char *problem_name(const problem *p)
{
    return p->row ? p->row->name : p->vector->name;
}

static void describe(const problem *p, const wg_check_report *r, char *text, size_t size)
{
    const wg_check_entry *e = &r->worst;
    const wg_difference *d = &e->numeric;
    snprintf(
        text, size,
        "%s, n %zu, unit %g, gain %g, single %d: %s, f %.17g, entry %zu, x %.17g, claimed %.17g, "
        "numeric %.17g, truncation %g, round-off %g, step %g, slopes %g %g",
        problem_name(p), p->n, p->unit, p->gain, p->single, wg_check_verdict_name(r->verdict),
        r->value, e->index, p->x[e->index], e->claimed, d->value, d->truncation, d->roundoff,
        d->step, d->left, d->right);
}

/* ---- right gradients are never accused --------------------------------------------------------- */

typedef struct tally {
    size_t cases, passed, failed, unresolved, vacuous, entries, kinks, evaluations;
} tally;

static void tally_add(tally *t, const problem *p, const wg_check_report *r)
{
    char text[800];
    describe(p, r, text, sizeof text);
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
        problem p = problem_draw(i % FUNCTIONS);
        if (near_kinks)
            problem_approach_kink(&p);
        problem_rescale(&p, regime);
        wg_check_report r;
        problem_check(&p, p.gradient, &options, &r);
        tally_add(&t, &p, &r);
    }
    return t;
}

/* Ordinary sizes: everything passes, and cheaply. */
START_TEST(smooth_cases)
{
    const tally five = check_right_gradients(PLAIN, 8000, 5, false);
    ck_assert_uint_eq(five.passed + five.vacuous, five.cases);
    ck_assert_double_le((double)five.evaluations, 5.0 * (double)five.entries);
    const tally three = check_right_gradients(PLAIN, 8000, 3, false);
    ck_assert_uint_eq(three.passed + three.vacuous, three.cases);
    ck_assert_double_le((double)three.evaluations, 3.0 * (double)three.entries);
}
END_TEST

START_TEST(kinked_cases)
{
    for (int points = 3; points <= 5; points += 2) {
        const tally t = check_right_gradients(PLAIN, 8000, points, true);
        ck_assert_uint_ge(t.passed + t.vacuous, t.cases - t.cases / 1000);
        ck_assert_uint_gt(t.kinks, 1000);
    }
}
END_TEST

/* Losses of 1e-7 and 1e9, inputs of 1e-8 and 1e8, and f's that compute with a cancellation or in
 * single precision, so that small slopes drown: those may stay unresolved, none may be accused. */
START_TEST(scaled_cases)
{
    static const double resolved[REGIMES] = {1.0, 0.99, 0.99, 0.99, 0.95, 0.99, 0.85, 0.85};
    for (int regime = TINY_LOSS; regime < REGIMES; regime++) {
        for (int near = 0; near < 2; near++) {
            const tally t = check_right_gradients(regime, 2000, 5, near);
            ck_assert_msg((double)(t.passed + t.vacuous) >= resolved[regime] * (double)t.cases,
                          "regime %d: %zu of %zu unresolved", regime, t.unresolved, t.cases);
        }
    }
}
END_TEST

/* ---- planted bugs are always caught ------------------------------------------------------------ */

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
static bool plant(const problem *p, int bug, double *g)
{
    const size_t i = random_below(p->n), j = (i + 1) % p->n;
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
                p->row->slope(0.5 * (p->x[i] + p->x[j]) / p->unit);
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
        problem p = problem_draw(function);
        if (bug == ZERO_SMALL) { /* F = small f(x) + ..., with a true slope of about 5e-7 */
            if (!p.row)
                return 0;
            for (size_t i = 0; i < p.n; i++)
                p.w[i] *= i == 0 || random_below(2) ? 5e-7 : 1.0;
        }
        problem_rescale(&p, regime);
        double claimed[MOST];
        if (!plant(&p, bug, claimed))
            continue;
        wg_check_report r;
        char text[800];
        problem_check(&p, claimed, &options, &r);
        describe(&p, &r, text, sizeof text);
        ck_assert_msg(r.verdict == WG_CHECK_FAILED, "bug %d missed: %s", bug, text);
        return 1;
    }
    return 0;
}

START_TEST(planted_bugs)
{
    size_t caught = 0, functions = 0;
    for (size_t function = 0; function < FUNCTIONS; function++) {
        const size_t before = caught;
        for (int bug = 0; bug < BUGS; bug++) {
            for (int again = 0; again < 4; again++)
                caught += check_bugs(function, bug, again & 1 ? 5 : 3, PLAIN);
            caught += check_bugs(function, bug, 5, TINY_LOSS);
            caught += check_bugs(function, bug, 5, HUGE_INPUT);
            caught += check_bugs(function, bug, 5, TINY_INPUT);
        }
        functions += caught >= before + 6;
    }
    ck_assert_uint_eq(functions, FUNCTIONS);
    ck_assert_uint_ge(caught, 2500);
}
END_TEST

/* ---- verdicts that are neither passed nor failed ------------------------------------------------ */

static double no_number(const double *x, void *user)
{
    (void)user;
    return x[0] > 0.0 ? (double)NAN : 1.0;
}

static double nothing(const double *x, void *user)
{
    (void)x;
    (void)user;
    return 3.0;
}

static double huge_noise(const double *x, void *user)
{
    (void)user;
    return (1e9 + 1e-4 * sin(x[0]) + 1e-4 * x[1]) - 1e9; /* lumps of 1.2e-7 */
}

static double sum_of_two(const double *x, void *user)
{
    (void)user;
    return x[0] + 5e-7 * x[1];
}

START_TEST(other_verdicts)
{
    double x[2] = {0.5, 0.25};
    const double zero[2] = {0.0, 0.0}, one[2] = {1.0, 1.0}, small[2] = {1.0, 0.0};
    wg_check_report r;
    ck_assert_int_eq(wg_check_function(no_number, NULL, x, one, 2, NULL, &r), WG_CHECK_NOT_FINITE);
    ck_assert(isnan(r.value) && r.entries == 0);
    ck_assert_int_eq(wg_check_function(nothing, NULL, x, zero, 2, NULL, &r), WG_CHECK_VACUOUS);
    ck_assert_int_eq(wg_check_function(nothing, NULL, x, one, 2, NULL, &r), WG_CHECK_FAILED);
    ck_assert_int_eq(wg_check_function(nothing, NULL, x, one, 0, NULL, NULL), WG_CHECK_VACUOUS);
    ck_assert_int_eq(wg_check_function(sum_of_two, NULL, x, small, 2, NULL, &r), WG_CHECK_FAILED);
    ck_assert_uint_eq(r.worst.index, 1);
    ck_assert_double_eq_tol(r.worst.numeric.value, 5e-7, 1e-12);
    const double tiny[2] = {1e-4 * cos(0.5), 1e-4};
    ck_assert_int_eq(wg_check_function(huge_noise, NULL, x, tiny, 2, NULL, &r),
                     WG_CHECK_UNRESOLVED);
}
END_TEST

START_TEST(bad_arguments)
{
    double x[1] = {0.5};
    const double one[1] = {1.0};
    wg_check_report r;
    ck_assert_int_eq(wg_check_function(NULL, NULL, x, one, 1, NULL, &r), WG_CHECK_INVALID);
    ck_assert_int_eq(wg_check_function(nothing, NULL, NULL, one, 1, NULL, &r), WG_CHECK_INVALID);
    ck_assert_int_eq(wg_check_function(nothing, NULL, x, NULL, 1, NULL, &r), WG_CHECK_INVALID);
    ck_assert_int_eq(wg_check_directions(nothing, NULL, x, one, 1, 1, NULL, NULL, &r),
                     WG_CHECK_INVALID);
    const wg_check_options bad[] = {
        {.points = 4},         {.step = 1.0},     {.step = -1.0},
        {.rtol = (double)NAN}, {.bars = 0.5},     {.resolution = 1.0},
        {.unresolved = 1.0},   {.largest = -1.0}, {.unit = -1.0},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_int_eq(wg_check_function(nothing, NULL, x, one, 1, &bad[i], &r),
                         WG_CHECK_INVALID);
}
END_TEST

/* ---- the other modes ---------------------------------------------------------------------------- */

START_TEST(random_directions)
{
    size_t checked = 0;
    for (size_t i = 0; i < 2000; i++) {
        problem p = problem_draw(i % FUNCTIONS);
        double work[2 * MOST], claimed[MOST];
        wg_check_report r;
        problem_rescale(&p, PLAIN);
        wg_check_directions(problem_value, &p, p.x, p.gradient, p.n, 3, work, NULL, &r);
        ck_assert_msg(r.verdict == WG_CHECK_PASSED || r.verdict == WG_CHECK_VACUOUS, "%s: %s",
                      problem_name(&p), wg_check_verdict_name(r.verdict));
        if (!plant(&p, SIGN_ONE, claimed))
            continue;
        wg_check_directions(problem_value, &p, p.x, claimed, p.n, 3, work, NULL, &r);
        checked += r.verdict == WG_CHECK_FAILED;
        ck_assert_int_eq(r.verdict, WG_CHECK_FAILED);
    }
    ck_assert_uint_gt(checked, 1000);
}
END_TEST

/* f = exp(x0) sin(x1), whose Hessian is known. */
static double product_of_two(const double *x, void *user)
{
    (void)user;
    return exp(x[0]) * sin(x[1]);
}

START_TEST(taylor_remainders)
{
    double x[2] = {0.3, 0.8}, work[2];
    const double v[2] = {0.7, -0.4}, e = exp(0.3), s = sin(0.8), c = cos(0.8);
    const double g[2] = {e * s, e * c}, bad_g[2] = {e * s, 1.001 * e * c};
    const double hv[2] = {e * s * v[0] + e * c * v[1], e * c * v[0] - e * s * v[1]};
    const double bad_hv[2] = {hv[0], 1.01 * hv[1]};
    wg_check_taylor_report r;
    wg_check_taylor(product_of_two, NULL, x, g, v, NULL, 2, work, &r);
    ck_assert_int_eq(r.verdict, WG_CHECK_PASSED);
    ck_assert_double_eq_tol(r.rate, 2.0, 0.05);
    wg_check_taylor(product_of_two, NULL, x, g, v, hv, 2, work, &r);
    ck_assert_int_eq(r.verdict, WG_CHECK_PASSED);
    ck_assert_double_eq_tol(r.rate, 3.0, 0.1);
    wg_check_taylor(product_of_two, NULL, x, bad_g, v, NULL, 2, work, &r);
    ck_assert_int_eq(r.verdict, WG_CHECK_FAILED);
    wg_check_taylor(product_of_two, NULL, x, g, v, bad_hv, 2, work, &r);
    ck_assert_int_eq(r.verdict, WG_CHECK_FAILED);
    const double line[2] = {1.0, 5e-7};
    ck_assert_int_eq(wg_check_taylor(sum_of_two, NULL, x, line, v, NULL, 2, work, &r),
                     WG_CHECK_PASSED);
    ck_assert_int_eq(wg_check_taylor(nothing, NULL, x, line, v, NULL, 2, work, &r),
                     WG_CHECK_FAILED);
}
END_TEST

static double entropy_from_0(double x)
{
    return x == 0 ? 0 : x * log(x);
}

static double steep(double x)
{
    return tanh(1e6 * x);
}

typedef struct vertical_case {
    double (*f)(double);
    double x, claimed;
    wg_check_verdict verdict;
} vertical_case;

static double vertical_value(const double *x, void *user)
{
    return ((const vertical_case *)user)->f(*x);
}

/* At the vertical ends of a curve a claim of infinity cannot be refuted; elsewhere it can. */
START_TEST(vertical_slopes)
{
    const double inf = (double)INFINITY;
    vertical_case cases_[] = {
        {sqrt, 0, inf, WG_CHECK_UNRESOLVED},       {sqrt, 0, -inf, WG_CHECK_FAILED},
        {sqrt, 0, (double)NAN, WG_CHECK_FAILED},   {sqrt, 1, inf, WG_CHECK_FAILED},
        {asin, 1, inf, WG_CHECK_UNRESOLVED},       {asin, -1, inf, WG_CHECK_UNRESOLVED},
        {cbrt, 0, inf, WG_CHECK_UNRESOLVED},       {entropy_from_0, 0, -inf, WG_CHECK_UNRESOLVED},
        {entropy_from_0, 0, inf, WG_CHECK_FAILED}, {fabs, 0, inf, WG_CHECK_FAILED},
        {square_value, 0, inf, WG_CHECK_FAILED},   {steep, 0, inf, WG_CHECK_FAILED},
    };
    for (size_t i = 0; i < sizeof cases_ / sizeof *cases_; i++) {
        double x = cases_[i].x;
        ck_assert_msg(wg_check_function(vertical_value, &cases_[i], &x, &cases_[i].claimed, 1, NULL,
                                        NULL) == cases_[i].verdict,
                      "case %zu", i);
        ck_assert_double_eq(x, cases_[i].x);
    }
}
END_TEST

/* Each curve falls with its order on the right, rises with 1/h on the left, and 5 points win. */
START_TEST(step_sweep)
{
    double x[2] = {0.3, 0.8}, least[3] = {1.0, 1.0, 1.0};
    wg_check_sweep_row rows_[40];
    const double exact = exp(0.3) * sin(0.8);
    const double value = wg_check_sweep(product_of_two, NULL, x, 2, 0, exact, 0.5, 1e-13, rows_,
                                        40);
    ck_assert_double_eq(value, product_of_two(x, NULL));
    for (size_t i = 0; i < 40; i++) {
        least[0] = fmin(least[0], rows_[i].error2);
        least[1] = fmin(least[1], rows_[i].error3);
        least[2] = fmin(least[2], rows_[i].error5);
    }
    ck_assert_double_eq(rows_[0].h, 0.5);
    ck_assert_double_eq_tol(rows_[39].h, 1e-13, 1e-16);
    ck_assert_double_lt(least[0], 1e-7);
    ck_assert_double_lt(least[1], 1e-9);
    ck_assert_double_lt(least[2], 1e-11);
    ck_assert_double_gt(rows_[39].error2, 1e-5);
    ck_assert_double_gt(rows_[39].error5, 1e-5);
    const double order2 = log(rows_[2].error2 / rows_[4].error2) / log(rows_[2].h / rows_[4].h);
    const double order5 = log(rows_[2].error5 / rows_[4].error5) / log(rows_[2].h / rows_[4].h);
    ck_assert_double_eq_tol(order2, 1.0, 0.2);
    ck_assert_double_eq_tol(order5, 4.0, 0.2);
    ck_assert(isnan(wg_check_sweep(NULL, NULL, x, 2, 0, exact, 0.5, 1e-13, rows_, 40)));
    ck_assert(isnan(wg_check_sweep(product_of_two, NULL, x, 2, 2, exact, 0.5, 1e-13, rows_, 40)));
    ck_assert(isnan(wg_check_sweep(product_of_two, NULL, x, 2, 0, exact, 0.5, 1e-13, NULL, 40)));
}
END_TEST

START_TEST(ulps)
{
    ck_assert_uint_eq(wg_ulp_distance(1.0, 1.0 + DBL_EPSILON), 1);
    ck_assert_uint_eq(wg_ulp_distance(-0.0, 0.0), 0);
    ck_assert_uint_eq(wg_ulp_distance(-5e-324, 5e-324), 2);
    ck_assert_uint_eq(wg_ulp_distance((double)NAN, 1.0), UINT64_MAX);
    ck_assert_uint_gt(wg_ulp_distance(-DBL_MAX, DBL_MAX), (uint64_t)1 << 63);
}
END_TEST

START_TEST(printed_report)
{
    double x[2] = {0.5, 0.25};
    const double wrong[2] = {1.0, 0.0}, right[2] = {1.0, 5e-7};
    wg_check_report r[2];
    wg_check_function(sum_of_two, NULL, x, right, 2, NULL, &r[0]);
    wg_check_function(sum_of_two, NULL, x, wrong, 2, NULL, &r[1]);
    r[0].name = "good";
    r[1].name = "bad";
    r[1].blame = "mul (node 3)";
    FILE *file = tmpfile();
    ck_assert_ptr_nonnull(file);
    wg_check_report_print(file, r, 2);
    rewind(file);
    char text[2000];
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    static const char *const expected[] = {"good",         "passed",       "bad",        "failed",
                                           "[1] is wrong", "mul (node 3)", "NOT PASSED", "1 of 2"};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        ck_assert_msg(strstr(text, expected[i]) != NULL, "no '%s' in\n%s", expected[i], text);
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
    suite_add_tcase(suite, bugs);
    TCase *rest = tcase_create("the rest");
    tcase_add_test(rest, other_verdicts);
    tcase_add_test(rest, bad_arguments);
    tcase_add_test(rest, random_directions);
    tcase_add_test(rest, taylor_remainders);
    tcase_add_test(rest, vertical_slopes);
    tcase_add_test(rest, step_sweep);
    tcase_add_test(rest, ulps);
    tcase_add_test(rest, printed_report);
    suite_add_tcase(suite, rest);
    return suite;
}
