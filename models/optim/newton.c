/* Newton's method, by conjugate gradients or by the whole Hessian. */
#include "models/optim/minimize_internal.h"

#include <math.h>
#include <string.h>

typedef struct newton_vectors {
    double *residual, *search, *image; /* by CG: [n] each */
    double *hessian, *factor, *rest;   /* exact: [n, n], [n, n], [n (n + 3)] */
    int64_t *order;                    /* exact: [n] */
} newton_vectors;

/* ---- Conjugate gradients. -------------------------------------------------------------------- */

static void newton_negate(int64_t n, const double from[], double to[])
{
    for (int64_t i = 0; i < n; i++)
        to[i] = -from[i];
}

/* H d = -g from d = 0, to the precision that pays. With r = H d + g, the first direction is -g:
 * what H's null space holds is never entered. */
static void newton_cg(wg_minimizer *m)
{
    const newton_vectors *w = m->work;
    const wg_objective *f = &m->f;
    const int64_t n = f->n;
    double *d = m->descent.direction, *r = w->residual, *p = w->search, *Hp = w->image;
    memset(d, 0, (size_t)n * sizeof *d);
    memcpy(r, m->descent.gradient, (size_t)n * sizeof *r);
    newton_negate(n, r, p);
    double rr = wg_vector_dot(n, r, r);
    const double norm = sqrt(rr), enough = fmin(0.1, sqrt(norm)) * norm;
    for (int64_t k = 0; k < m->o.products && sqrt(rr) > enough; k++) {
        f->hessian_product(p, Hp, f->user);
        m->products++;
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

/* ---- The whole Hessian. ---------------------------------------------------------------------- */

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
static void newton_exact(wg_minimizer *m)
{
    const newton_vectors *w = m->work;
    const wg_objective *f = &m->f;
    const int64_t n = f->n;
    f->hessian(w->hessian, f->user);
    m->products++;
    double shift = 0;
    newton_negate(n, m->descent.gradient, m->descent.direction);
    if (wg_tape_status(f->tape) != WG_OK || !isfinite(wg_vector_largest(n * n, w->hessian)))
        return;
    for (int64_t rank = -1; rank < 0;) {
        newton_shifted(n, w->hessian, shift, w->factor);
        rank = wg_semidefinite_factor(n, w->factor, 0, w->order, w->rest);
        shift = shift > 0 ? 4 * shift : newton_first_shift(n, w->hessian);
        if (rank < 0 && isfinite(shift))
            continue;
        if (rank > 0) {
            double *b = w->rest + n * (n + 2); /* -g: the direction is written while b is read */
            memcpy(b, m->descent.direction, (size_t)n * sizeof *b);
            wg_semidefinite_solve(n, rank, w->factor, w->order, b, m->descent.direction, w->rest);
        }
        return;
    }
}

/* ---- The rules. ------------------------------------------------------------------------------ */

/* Along the direction, or else down the gradient. */
static bool newton_move(wg_minimizer *m)
{
    wg_descent *d = &m->descent;
    double value;
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

static bool newton_step(wg_minimizer *m)
{
    newton_cg(m);
    return newton_move(m);
}

static bool newton_exact_step(wg_minimizer *m)
{
    newton_exact(m);
    return newton_move(m);
}

/* The rules' memory, where the objective has the second derivatives that they ask for. */
static newton_vectors *newton_vectors_new(wg_minimizer *m, bool can)
{
    if (!can)
        wg_fail(m->f.tape, WG_E_VALUE, "%s: an objective without second derivatives",
                m->rule->name);
    return m->work = can ? wg_tape_take(m->f.tape, sizeof(newton_vectors)) : NULL;
}

static bool newton_take(wg_minimizer *m)
{
    wg_tape *t = m->f.tape;
    newton_vectors *w = newton_vectors_new(m, m->f.hessian_product != NULL);
    if (w == NULL)
        return false;
    w->residual = wg_vector_new(t, m->f.n);
    w->search = wg_vector_new(t, m->f.n);
    w->image = wg_vector_new(t, m->f.n);
    return wg_tape_status(t) == WG_OK;
}

static bool newton_exact_take(wg_minimizer *m)
{
    wg_tape *t = m->f.tape;
    int64_t square;
    newton_vectors *w = newton_vectors_new(m, m->f.hessian != NULL);
    if (w == NULL)
        return false;
    if (!wg_size_multiply(m->f.n, m->f.n, &square) || square > INT64_MAX / 2)
        square = -1;
    w->hessian = wg_vector_new(t, square);
    w->factor = wg_vector_new(t, square);
    w->rest = wg_vector_new(t, square < 0 ? square : square + 3 * m->f.n);
    w->order = wg_tape_take(t, (size_t)m->f.n * sizeof *w->order);
    return wg_tape_status(t) == WG_OK;
}

const wg_minimizer_rule wg_newton_rule = {
    .name = "newton", .iterations = 100, .take = newton_take, .step = newton_step};
const wg_minimizer_rule wg_newton_exact_rule = {
    .name = "newton", .iterations = 100, .take = newton_exact_take, .step = newton_exact_step};
