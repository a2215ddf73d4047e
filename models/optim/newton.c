/* Newton's method, by conjugate gradients or by the whole Hessian. */
#include "models/optim/newton.h"

#include "models/optim/minimize_internal.h"
#include "models/optim/newton_internal.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

typedef struct newton_work {
    wg_descent descent;
    wg_newton_options options;
    double *residual, *search, *image; /* CG: [n] each */
    double *hessian, *factor, *rest;   /* EXACT: [n, n], [n, n], [n (n + 2)] */
    int64_t *order;                    /* EXACT: [n] */
    int64_t products;
} newton_work;

/* ---- Conjugate gradients. ----------------------------------------------------------------------- */

static void newton_negate(int64_t n, const double from[], double to[])
{
    for (int64_t i = 0; i < n; i++)
        to[i] = -from[i];
}

/* H d = -g from d = 0, to the precision that pays. With r = H d + g, the first direction is -g: what H's
 * null space holds is never entered. */
static void newton_cg(newton_work *w)
{
    const wg_objective *f = w->descent.f;
    const int64_t n = f->n;
    double *d = w->descent.direction, *r = w->residual, *p = w->search, *Hp = w->image;
    memset(d, 0, (size_t)n * sizeof *d);
    memcpy(r, w->descent.gradient, (size_t)n * sizeof *r);
    newton_negate(n, r, p);
    double rr = wg_vector_dot(n, r, r);
    const double norm = sqrt(rr), enough = fmin(0.1, sqrt(norm)) * norm;
    for (int64_t k = 0; k < w->options.products && sqrt(rr) > enough; k++) {
        f->hessian_product(p, Hp, f->user);
        w->products++;
        const double curvature = wg_vector_dot(n, p, Hp);
        const double lengths = wg_vector_dot(n, p, p) * wg_vector_dot(n, Hp, Hp);
        if (!(curvature > 0x1p-50 * sqrt(lengths)))
            return; /* before the first step: d = 0, and newton_step goes down the gradient */
        const double a = rr / curvature, former = rr;
        wg_vector_add(n, a, p, d);
        wg_vector_add(n, a, Hp, r);
        rr = wg_vector_dot(n, r, r);
        for (int64_t i = 0; i < n; i++)
            p[i] = -r[i] + rr / former * p[i];
    }
}

/* ---- The whole Hessian. ------------------------------------------------------------------------- */

/* (H + H') / 2 + shift I */
static void newton_shifted(int64_t n, const double h[], double shift, double to[])
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            to[i * n + j] = (h[i * n + j] + h[j * n + i]) / 2 + (i == j ? shift : 0);
}

static double newton_first_shift(int64_t n, const double h[])
{
    double least = 0, largest = 0;
    for (int64_t i = 0; i < n; i++) {
        least = fmin(least, h[i * n + i]);
        largest = fmax(largest, fabs(h[i * n + i]));
    }
    return fmax(-2 * least, 1e-3 * fmax(largest, 1e-300));
}

/* Without a direction of descent (a NaN in H), that of steepest descent. */
static void newton_exact(newton_work *w)
{
    const wg_objective *f = w->descent.f;
    const int64_t n = f->n;
    f->hessian(w->hessian, f->user);
    w->products++;
    double shift = 0;
    newton_negate(n, w->descent.gradient, w->descent.direction);
    if (wg_tape_status(f->tape) != WG_OK || !isfinite(wg_vector_largest(n * n, w->hessian)))
        return;
    for (int64_t rank = -1; rank < 0;) {
        newton_shifted(n, w->hessian, shift, w->factor);
        rank = wg_semidefinite_factor(n, w->factor, w->order);
        shift = shift > 0 ? 4 * shift : newton_first_shift(n, w->hessian);
        if (rank < 0 && isfinite(shift))
            continue;
        if (rank > 0) {
            double *b = w->rest + n * (n + 2); /* -g: the direction is written while b is read */
            memcpy(b, w->descent.direction, (size_t)n * sizeof *b);
            wg_semidefinite_solve(n, rank, w->factor, w->order, b, w->descent.direction, w->rest);
        }
        return;
    }
}

/* ---- Running. --------------------------------------------------------------------------------- */

static bool newton_step(newton_work *w)
{
    wg_descent *d = &w->descent;
    double value;
    if (w->options.method == WG_NEWTON_CG)
        newton_cg(w);
    else
        newton_exact(w);
    if (wg_tape_status(d->f->tape) != WG_OK)
        return false;
    if (!wg_line_search(d, 1, &value)) {
        newton_negate(d->f->n, d->gradient, d->direction);
        if (!wg_line_search(d, 1, &value))
            return false;
    }
    wg_descent_move(d, value);
    return true;
}

static bool newton_set_options(newton_work *w, const wg_objective *f,
                               const wg_newton_options *options)
{
    wg_newton_options *o = &w->options;
    if (options != NULL)
        *o = *options;
    if (o->iterations == 0)
        o->iterations = 100;
    if (o->tolerance == 0)
        o->tolerance = 1e-8;
    if (o->products == 0)
        o->products = f->n > 10 ? 10 * f->n : 100;
    const bool can = o->method == WG_NEWTON_CG ? f->hessian_product != NULL : f->hessian != NULL;
    if (can && o->iterations > 0 && o->tolerance > 0 && o->products > 0 &&
        (unsigned)o->method <= WG_NEWTON_EXACT)
        return true;
    wg_fail(f->tape, WG_E_VALUE,
            "newton: iterations %" PRId64 ", tolerance %g, products %" PRId64 ", %s", o->iterations,
            o->tolerance, o->products, can ? "method" : "no second derivatives");
    return false;
}

static bool newton_take(newton_work *w, const wg_objective *f)
{
    if (!wg_descent_new(&w->descent, f))
        return false;
    if (w->options.method == WG_NEWTON_CG) {
        w->residual = wg_vector_new(f, f->n);
        w->search = wg_vector_new(f, f->n);
        w->image = wg_vector_new(f, f->n);
    } else {
        int64_t square;
        if (!wg_size_multiply(f->n, f->n, &square) || square > INT64_MAX / 2)
            square = -1;
        w->hessian = wg_vector_new(f, square);
        w->factor = wg_vector_new(f, square);
        w->rest = wg_vector_new(f, square < 0 ? square : square + 3 * f->n);
        w->order = wg_tape_take(f->tape, (size_t)f->n * sizeof *w->order);
    }
    return wg_tape_status(f->tape) == WG_OK;
}

static wg_optimum newton_result(newton_work *w, wg_stop stop, int64_t iterations)
{
    wg_descent *d = &w->descent;
    if (stop == WG_STOP_LINE_SEARCH)
        wg_descent_at(d, d->x); /* the last trial was another point */
    return (wg_optimum){.stop = stop,
                        .iterations = iterations,
                        .evaluations = d->evaluations,
                        .products = w->products,
                        .value = d->value,
                        .gradient_norm = wg_vector_largest(d->f->n, d->gradient)};
}

wg_optimum wg_newton_run(const wg_objective *f, double x[], const wg_newton_options *options)
{
    newton_work w = {.products = 0};
    wg_stop stop;
    int64_t i = 0;
    if (wg_tape_status(f->tape) != WG_OK || !newton_set_options(&w, f, options) ||
        !newton_take(&w, f))
        return (wg_optimum){
            .stop = WG_STOP_ERROR, .value = (double)NAN, .gradient_norm = (double)NAN};
    wg_descent_at(&w.descent, x);
    for (; !wg_descent_stops(&w.descent, w.options.tolerance, i, w.options.iterations, &stop); i++)
        if (!newton_step(&w)) {
            const bool error = wg_tape_status(f->tape) != WG_OK;
            return newton_result(&w, error ? WG_STOP_ERROR : WG_STOP_LINE_SEARCH, i);
        }
    return newton_result(&w, stop, i);
}

wg_optimum wg_newton_minimize(wg_tensor *loss, wg_tensor *const params[], int n,
                              const wg_newton_options *options)
{
    const wg_mark mark = wg_tape_mark(loss != NULL ? loss->tape : NULL);
    const bool products = options == NULL || options->method == WG_NEWTON_CG;
    const wg_objective f = wg_objective_new(loss, params, n, products);
    double *x = wg_vector_new(&f, f.n);
    if (x != NULL)
        wg_params_to_vector(params, n, x);
    const wg_optimum minimum = wg_newton_run(&f, x, options);
    if (minimum.stop != WG_STOP_ERROR) {
        wg_tape_rewind(f.tape, mark);
        wg_replay_to(&loss, 1);
    }
    return minimum;
}
