/* Functions with known gradients, at random points and of all sizes, for the checker to judge. */
#include "tests/support/problems.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

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

size_t wgt_draw_below(size_t n)
{
    return (size_t)(random_bits() % n);
}

/* ---- the functions --------------------------------------------------------------------------- */

#define SCALAR(name, value, derivative)                                                            \
    static double name##_value(double x)                                                           \
    {                                                                                              \
        return value;                                                                              \
    }                                                                                              \
    static double name##_derivative(double x)                                                      \
    {                                                                                              \
        return derivative;                                                                         \
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

#define ROW(name, low, high) {#name, name##_value, name##_derivative, low, high, (double)NAN}
#define KINKED(name, low, high, kink) {#name, name##_value, name##_derivative, low, high, kink}

static const wgt_scalar_row rows[] = {
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

enum { ROWS = sizeof rows / sizeof rows[0] };

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

static const wgt_vector_row vectors[] = {
    {"log_sum_exp", log_sum_exp, log_sum_exp_gradient},
    {"cross_entropy", cross_entropy, cross_entropy_gradient},
    {"rosenbrock", rosenbrock, rosenbrock_gradient},
    {"norm", norm, norm_gradient},
    {"variance", variance, variance_gradient},
    {"product", product, product_gradient},
    {"network", network, network_gradient},
    {"largest", largest, largest_gradient},
};

_Static_assert(ROWS + sizeof vectors / sizeof vectors[0] == WGT_PROBLEM_FUNCTIONS,
               "count them anew");

/* ---- one problem: a function, a point, a scale ----------------------------------------------- */

static double problem_inner(const wgt_problem *p, const double *x)
{
    double u[WGT_PROBLEM_MOST], sum = 0.0;
    for (size_t i = 0; i < p->n; i++)
        u[i] = x[i] / p->unit;
    if (p->vector)
        return p->vector->value(u, p->w, p->n);
    for (size_t i = 0; i < p->n; i++)
        sum += p->w[i] * p->row->value(0.5 * (u[i] + u[(i + 1) % p->n]));
    return sum;
}

double wgt_problem_value(const double *x, void *user)
{
    const wgt_problem *p = user;
    const double value = p->gain * (problem_inner(p, x) + p->lift) - p->drop;
    return p->single ? (double)(float)value : value;
}

static void problem_differentiate(wgt_problem *p)
{
    double u[WGT_PROBLEM_MOST], *g = p->gradient;
    const size_t n = p->n;
    for (size_t i = 0; i < n; i++)
        u[i] = p->x[i] / p->unit;
    memset(g, 0, sizeof p->gradient);
    if (p->vector)
        p->vector->gradient(u, p->w, n, g);
    for (size_t i = 0; i < n && p->row; i++) {
        const double derivative = 0.5 * p->w[i] * p->row->derivative(0.5 * (u[i] + u[(i + 1) % n]));
        g[i] += derivative;
        g[(i + 1) % n] += derivative;
    }
    for (size_t i = 0; i < n; i++)
        g[i] *= p->gain / p->unit;
}

wgt_problem wgt_problem_draw(size_t function)
{
    wgt_problem p = {.n = 2 + wgt_draw_below(WGT_PROBLEM_MOST - 2), .gain = 1.0, .unit = 1.0};
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

void wgt_problem_approach_kink(wgt_problem *p)
{
    const double distance = wgt_draw_below(3) == 0 ? 0.0 : pow(10.0, -random_between(1.0, 15.0));
    const double side = random_bits() & 1 ? distance : -distance;
    const size_t i = wgt_draw_below(p->n), next = (i + 1) % p->n;
    if (p->row && !isnan(p->row->kink))
        p->x[i] = p->x[next] = p->row->kink + side;
    if (p->vector && p->vector->value == largest)
        p->x[i] = largest(p->x, p->w, p->n) + side;
}

void wgt_problem_rescale(wgt_problem *p, int regime)
{
    const double value = fmax(fabs(problem_inner(p, p->x)), 1e-3);
    if (regime == WGT_TINY_LOSS)
        p->gain = 1e-7 / value;
    if (regime == WGT_HUGE_LOSS)
        p->gain = 1e9 / value;
    if (regime == WGT_TINY_INPUT)
        p->unit = 1e-8;
    if (regime == WGT_HUGE_INPUT)
        p->unit = 1e8;
    if (regime == WGT_CANCELLING)
        p->drop = problem_inner(p, p->x) - 1e-7; /* a loss of 1e-7 of terms of 1 */
    if (regime == WGT_LIFTED)
        p->lift = p->drop = 1e9; /* lumps of 1e-7 */
    p->single = regime == WGT_SINGLE;
    for (size_t i = 0; i < p->n; i++)
        p->x[i] *= p->unit;
    problem_differentiate(p);
}

wg_check_verdict wgt_problem_check(wgt_problem *p, const double *claimed,
                                   const wg_check_options *options, wg_check_report *r)
{
    double before[WGT_PROBLEM_MOST];
    memcpy(before, p->x, sizeof before);
    const wg_check_verdict verdict = wg_check_function(wgt_problem_value, p, p->x, claimed, p->n,
                                                       options, r);
    ck_assert_mem_eq(p->x, before, sizeof before);
    ck_assert_uint_eq(r->agree + r->kink + r->unresolved + r->disagree, r->entries);
    return verdict;
}

const char *wgt_problem_name(const wgt_problem *p)
{
    return p->row ? p->row->name : p->vector->name;
}

void wgt_problem_text(const wgt_problem *p, const wg_check_report *r, char *text, size_t size)
{
    const wg_check_entry *e = &r->worst;
    const wg_difference *d = &e->numeric;
    snprintf(
        text, size,
        "%s, n %zu, unit %g, gain %g, single %d: %s, f %.17g, entry %zu, x %.17g, claimed %.17g, "
        "numeric %.17g, truncation %g, round-off %g, step %g, derivatives %g %g",
        wgt_problem_name(p), p->n, p->unit, p->gain, p->single, wg_check_verdict_name(r->verdict),
        r->value, e->index, p->x[e->index], e->claimed, d->value, d->truncation, d->roundoff,
        d->step, d->left, d->right);
}
