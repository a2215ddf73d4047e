/* Owns checks that do not go entry by entry: random directions, Taylor remainders, step sweeps. */
#include "autograd/check/function.h"

#include "autograd/check/function_internal.h"
#include "autograd/rng.h"

#include <math.h>
#include <string.h>

/* ---- sums ------------------------------------------------------------------------------------ */

/* A sum that carries its rounding error along (Neumaier 1974): a directional derivative has as many
 * terms as x has entries, and its own error must stay far below the tolerance. */
typedef struct check_sum {
    double sum;
    double rest;
} check_sum;

static void check_sum_add(check_sum *s, double term)
{
    const double sum = s->sum + term;
    s->rest += fabs(s->sum) >= fabs(term) ? (s->sum - sum) + term : (term - sum) + s->sum;
    s->sum = sum;
}

static double check_dot(const double *a, const double *b, size_t n)
{
    check_sum s = {0.0, 0.0};
    for (size_t i = 0; i < n; i++) {
        if (a[i] != 0.0 && b[i] != 0.0)
            check_sum_add(&s, a[i] * b[i]);
    }
    return isfinite(s.sum) ? s.sum + s.rest : s.sum;
}

/* ---- random directions ----------------------------------------------------------------------- */

/* Steps of the usual size along v move each entry by about 1/sqrt(n) of what it would move alone,
 * so that f changes by as much as along one entry. */
static void check_draw_direction(const wg_check_state *c, size_t number, double *v)
{
    const size_t n = c->line.n;
    const double spread = 1.0 / sqrt((double)n);
    for (size_t i = 0; i < n; i++) {
        const double scale = fmax(c->options.unit, fabs(c->line.origin[i]));
        v[i] = spread * scale * wg_random_normal(c->options.seed, number, i);
    }
}

wg_check_verdict wg_check_directions_by(wg_function *f, void *user, double *x,
                                        const double *claimed, size_t n, size_t directions,
                                        double *work, const wg_check_options *options,
                                        const wg_check_decide *decide, wg_check_report *report)
{
    wg_check_state c;
    bool begun = wg_check_begin(&c, f, user, x, claimed, n, options);
    if (begun && !work) {
        c.report.verdict = WG_CHECK_INVALID;
        begun = false;
    }
    if (!begun)
        return wg_check_hand_over(&c, report);
    double *v = work, *origin = work + n;
    memcpy(origin, x, n * sizeof *x);
    wg_check_tell(&c, decide, (wg_shape){0});
    c.line.origin = origin;
    c.line.direction = v;
    c.report.largest = c.options.largest; /* sizes are those of directional derivatives now */
    for (size_t j = 0; j < directions; j++) {
        check_draw_direction(&c, j, v);
        wg_check_line(&c, j, check_dot(claimed, v, n));
    }
    return wg_check_end(&c, report);
}

wg_check_verdict wg_check_directions(wg_function *f, void *user, double *x, const double *claimed,
                                     size_t n, size_t directions, double *work,
                                     const wg_check_options *options, wg_check_report *report)
{
    return wg_check_directions_by(f, user, x, claimed, n, directions, work, options, NULL, report);
}

/* ---- Taylor remainders ----------------------------------------------------------------------- */

/* The first step moves no entry by more than an eighth of its scale. */
static double taylor_first_step(const double *x, const double *v, size_t n, double unit)
{
    double most = 0.0;
    for (size_t i = 0; i < n; i++)
        most = fmax(most, fabs(v[i]) / fmax(unit, fabs(x[i])));
    return most > 0.0 && isfinite(most) ? 0.125 / most : 0.125;
}

static double taylor_remainder(wg_line *line, double t, double derivative, double curvature)
{
    const double change = wg_line_at(line, t, NULL) - line->value;
    return fabs(change - t * derivative - 0.5 * t * t * curvature);
}

/* Least-squares slope of log2 r against log2 t over the finest rows (at most four) above the
 * noise; NaN if there are fewer than three. */
static double taylor_rate(const wg_check_taylor_report *r)
{
    double sum_j = 0.0, sum_jj = 0.0, sum_r = 0.0, sum_jr = 0.0;
    int count = 0;
    for (int j = WG_CHECK_TAYLOR_ROWS - 1; j >= 0 && count < 4; j--) {
        const double remainder = r->rows[j].remainder;
        if (!isfinite(remainder) || remainder <= 32.0 * r->noise)
            continue;
        const double log_r = log2(remainder), octave = -(double)j;
        count++;
        sum_j += octave;
        sum_jj += octave * octave;
        sum_r += log_r;
        sum_jr += octave * log_r;
    }
    if (count < 3)
        return (double)NAN;
    return (count * sum_jr - sum_j * sum_r) / (count * sum_jj - sum_j * sum_j);
}

/* Too few remainders above the noise for a rate. If even the first is nearly noise while the linear
 * term stands far out of it, f is linear as far as can be seen, and the derivative is right. */
static wg_check_verdict taylor_judge_noise(const wg_check_taylor_report *r, double derivative)
{
    const double linear = fabs(r->rows[0].t * derivative);
    if (!(linear > 1e5 * r->noise))
        return WG_CHECK_VACUOUS;
    return r->rows[0].remainder <= 1e-4 * linear ? WG_CHECK_PASSED : WG_CHECK_FAILED;
}

static void taylor_fill(wg_line *line, double first, double derivative, double curvature,
                        wg_check_taylor_report *r)
{
    for (int j = 0; j < WG_CHECK_TAYLOR_ROWS; j++) {
        wg_check_taylor_row *row = &r->rows[j];
        row->t = ldexp(first, -j);
        row->remainder = taylor_remainder(line, row->t, derivative, curvature);
        row->rate = j > 0 ? log2(r->rows[j - 1].remainder / row->remainder) : (double)NAN;
    }
    r->rate = taylor_rate(r);
}

/* Do differences say that the derivative is right, or cannot they tell? */
static bool taylor_is_right(const wg_difference *d, double derivative)
{
    const double low = d->kink ? fmin(d->left, d->right) : d->value;
    const double high = d->kink ? fmax(d->left, d->right) : d->value;
    const double slack = 4 * (d->truncation + d->roundoff) + 1e-6 * fmax(fabs(low), fabs(high));
    return !d->finite || (derivative >= low - slack && derivative <= high + slack);
}

/* A rate that is too low where the derivative is right: kinks or periods lie within the steps. Only
 * the rate of the order below is that of a wrong Hv. */
static wg_check_verdict taylor_judge(const wg_check_taylor_report *r, const wg_difference *d,
                                     double derivative)
{
    const bool right = taylor_is_right(d, derivative);
    if (isnan(r->rate)) {
        const wg_check_verdict noise = taylor_judge_noise(r, derivative);
        return noise == WG_CHECK_FAILED && right ? WG_CHECK_UNRESOLVED : noise;
    }
    if (r->rate >= r->order - 0.25)
        return WG_CHECK_PASSED;
    const bool below = r->order == 3 && !d->kink && fabs(r->rate - 2) < 0.05;
    return right && !below ? WG_CHECK_UNRESOLVED : WG_CHECK_FAILED;
}

/* Twelve steps, and where their rate is too low finer ones, as long as there is one above the
 * noise. */
static wg_check_verdict taylor_run(wg_line *line, double unit, double derivative, double curvature,
                                   wg_check_taylor_report *r)
{
    r->claimed = isfinite(derivative) && !isfinite(curvature) ? curvature : derivative;
    if (!wg_line_is_finite(line))
        return WG_CHECK_UNRESOLVED;
    if (!isfinite(r->claimed))
        return WG_CHECK_FAILED;
    double first = taylor_first_step(line->origin, line->direction, line->n, unit);
    const wg_difference d = wg_difference_examine(line, 0, derivative);
    r->noise = fmax(d.noise, 0x1p-52 * fmax(fabs(line->value), fabs(first * derivative)));
    taylor_fill(line, first, derivative, curvature, r);
    const bool noise = isnan(r->rate) && isfinite(r->rows[0].remainder);
    for (int i = 0; i < 4 && !noise && !(r->rate >= r->order - 0.25); i++) {
        wg_check_taylor_report finer = *r;
        taylor_fill(line, first *= 0x1p-6, derivative, curvature, &finer);
        if (!isnan(finer.rate))
            *r = finer;
    }
    return taylor_judge(r, &d, derivative);
}

wg_check_verdict wg_check_taylor(wg_function *f, void *user, double *x, const double *g,
                                 const double *v, const double *hv, size_t n, double *work,
                                 const wg_check_options *options, wg_check_taylor_report *report)
{
    const double unit = options && options->unit > 0.0 ? options->unit : 1.0;
    wg_check_taylor_report r = {
        .verdict = WG_CHECK_INVALID, .order = hv ? 3 : 2, .rate = (double)NAN};
    wg_line line = {.f = f, .user = user, .x = x, .n = n, .origin = work, .direction = v};
    if (f && n == 0) {
        r.verdict = WG_CHECK_VACUOUS;
    } else if (f && x && g && v && work) {
        memcpy(work, x, n * sizeof *x);
        r.verdict = WG_CHECK_NOT_FINITE;
        if (wg_line_begin(&line))
            r.verdict = taylor_run(&line, unit, check_dot(g, v, n), hv ? check_dot(v, hv, n) : 0.0,
                                   &r);
    }
    if (report)
        *report = r;
    return r.verdict;
}

/* ---- step sweep ------------------------------------------------------------------------------ */

double wg_check_sweep(wg_function *f, void *user, double *x, size_t n, size_t entry, double exact,
                      double from, double to, wg_check_sweep_row *rows, size_t count)
{
    wg_line line = {.f = f, .user = user, .x = x, .n = n, .entry = entry};
    const double ratio = count > 1 ? pow(to / from, 1.0 / (double)(count - 1)) : 1.0;
    if (!f || !x || entry >= n || (!rows && count > 0))
        return (double)NAN;
    const bool finite = wg_line_begin(&line);
    for (size_t j = 0; j < count; j++) {
        wg_check_sweep_row *row = &rows[j];
        row->h = from * pow(ratio, (double)j);
        row->error2 = row->error3 = row->error5 = (double)NAN;
        if (!finite)
            continue;
        const wg_stencil s = wg_stencil_at(&line, row->h);
        row->error2 = fabs(s.forward - exact);
        row->error3 = fabs(s.three - exact);
        row->error5 = fabs(s.five - exact);
    }
    return line.value;
}
