/* Newton's method, by conjugate gradients or by the whole Hessian. */
#include "models/optim/minimize_internal.h"

#include "autograd/rng.h"

#include <math.h>
#include <string.h>

typedef struct newton_vectors {
    double *residual, *search, *image; /* by CG: [n] each */
    double *random;                    /* by CG: [n], of mean 0 and mean square 1 */
    double *probe, *probe_image;       /* by CG: [n] each: a vector times these, and H times that */
    double *hessian, *factor, *rest;   /* exact: [n, n], [n, n], [n (n + 3)] */
    int64_t *order;                    /* exact: [n] */
} newton_vectors;

static void newton_negate(int64_t n, const double from[], double to[])
{
    for (int64_t i = 0; i < n; i++)
        to[i] = -from[i];
}

/* ---- What rounding leaves of curvature. ------------------------------------------------------
 *
 * A product H p is off by a part of what is summed up in it, so that p' H p has an error of about
 * the noise times sum_i p_i^2 H_ii, whatever the variables' scales are (for H >= 0, |H_ij| is at
 * most sqrt(H_ii H_jj)). Curvature below that is none: where H p is 0, as for all biases of a
 * softmax model alike, only round-off is left of it, and of the gradient, too, and a step, one over
 * the other, would be of any length.
 * Source: Higham 2002, "Accuracy and stability of numerical algorithms", eq. 3.12, on products. */

/* sum_i p_i^2 H_ii, estimated by the quadratic form of p times random factors. Source: Hutchinson
 * 1990, "A stochastic estimator of the trace of the influence matrix for Laplacian smoothing
 * splines". */
static double newton_expected(wg_minimizer *m, const double p[])
{
    const newton_vectors *w = m->work;
    for (int64_t i = 0; i < m->f.n; i++)
        w->probe[i] = w->random[i] * p[i];
    m->f.hessian_product(w->probe, w->probe_image, m->f.user);
    m->products++;
    return fabs(wg_vector_dot(m->f.n, w->probe, w->probe_image));
}

/* The curvature along w->search. *hidden: the part of it that may be round-off, 0 where there is no
 * doubt: it is looked for in the first direction, and where the curvature is small beside the
 * largest that was seen, *largest. */
static double newton_curvature(wg_minimizer *m, bool first, double *largest, double *hidden)
{
    const newton_vectors *w = m->work;
    const int64_t n = m->f.n;
    m->f.hessian_product(w->search, w->image, m->f.user);
    m->products++;
    const double curvature = wg_vector_dot(n, w->search, w->image);
    const double square = wg_vector_dot(n, w->search, w->search);
    *largest = fmax(*largest, sqrt(wg_vector_dot(n, w->image, w->image) / square));
    const bool small = !(curvature > 16 * m->f.noise * *largest * square);
    *hidden = first || small ? m->f.noise * newton_expected(m, w->search) : 0;
    return curvature;
}

/* ---- Conjugate gradients. -------------------------------------------------------------------- */

/* One step of it along p. */
static double newton_cg_step(wg_minimizer *m, double rr, double curvature)
{
    const newton_vectors *w = m->work;
    const int64_t n = m->f.n;
    wg_vector_add(n, rr / curvature, w->search, m->descent.direction);
    wg_vector_add(n, rr / curvature, w->image, w->residual);
    const double next = wg_vector_dot(n, w->residual, w->residual);
    for (int64_t i = 0; i < n; i++)
        w->search[i] = -w->residual[i] + next / rr * w->search[i];
    return next;
}

/* H d = -g from d = 0, to the precision that pays. With r = H d + g, the first direction is -g:
 * what H's null space holds is never entered, but for round-off. False, and d = 0: the first
 * direction has no curvature, or a negative one. If it has less than can be told from round-off, d
 * is the step over the most that it may be. */
static bool newton_cg(wg_minimizer *m)
{
    const newton_vectors *w = m->work;
    const int64_t n = m->f.n;
    double *d = m->descent.direction, largest = 0, hidden;
    memset(d, 0, (size_t)n * sizeof *d);
    memcpy(w->residual, m->descent.gradient, (size_t)n * sizeof *d);
    newton_negate(n, w->residual, w->search);
    double rr = wg_vector_dot(n, w->residual, w->residual);
    const double norm = sqrt(rr), enough = fmin(0.1, sqrt(norm)) * norm;
    for (int64_t k = 0; k < m->o.products && sqrt(rr) > enough; k++) {
        const double curvature = newton_curvature(m, k == 0, &largest, &hidden);
        if (curvature > hidden) {
            rr = newton_cg_step(m, rr, curvature);
            continue;
        }
        const bool round_off = k == 0 && hidden > 0 && curvature >= -hidden;
        if (round_off)
            wg_vector_add(n, rr / hidden, w->search, d);
        return k > 0 || round_off;
    }
    return true;
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

/* Without a direction of descent (a NaN in H), that of steepest descent. False: H is not positive
 * semidefinite. */
static bool newton_exact(wg_minimizer *m)
{
    const newton_vectors *w = m->work;
    const wg_objective *f = &m->f;
    const int64_t n = f->n;
    f->hessian(w->hessian, f->user);
    m->products++;
    double shift = 0;
    newton_negate(n, m->descent.gradient, m->descent.direction);
    if (wg_tape_status(f->tape) != WG_OK || !isfinite(wg_vector_largest(n * n, w->hessian)))
        return false;
    int64_t rank = -1;
    for (double next = 0; rank < 0 && isfinite(next);) {
        shift = next;
        newton_shifted(n, w->hessian, shift, w->factor);
        rank = wg_semidefinite_factor(n, w->factor, m->f.noise, w->order, w->rest);
        next = shift > 0 ? 4 * shift : newton_first_shift(n, w->hessian);
    }
    if (rank > 0) {
        double *b = w->rest + n * (n + 2); /* -g: the direction is written while b is read */
        memcpy(b, m->descent.direction, (size_t)n * sizeof *b);
        wg_semidefinite_solve(n, rank, w->factor, w->order, b, m->descent.direction, w->rest);
    }
    return rank > 0 && shift == 0;
}

/* ---- The rules. ------------------------------------------------------------------------------ */

/* Along the direction, which by f's parabola (`convex`: it is one with a minimum) leads to it, or
 * else down the gradient. Near the minimum, where the value would fall by less than its noise, the
 * gradient has to: it does, by the rate at which Newton's method converges, until it is round-off,
 * of which any step makes other round-off. */
static bool newton_move(wg_minimizer *m, bool convex)
{
    wg_descent *d = &m->descent;
    const int64_t n = d->f->n;
    const double gain = -wg_vector_dot(n, d->gradient, d->direction) / 2;
    const bool near = convex && gain <= d->f->noise * fabs(d->value);
    double value;
    if (wg_tape_status(d->f->tape) != WG_OK)
        return false;
    if (!wg_line_search(d, 1, &value)) {
        newton_negate(n, d->gradient, d->direction);
        if (!wg_line_search(d, 1, &value))
            return false;
    }
    if (near && wg_vector_dot(n, d->trial_gradient, d->trial_gradient) >=
                    wg_vector_dot(n, d->gradient, d->gradient))
        return false;
    wg_descent_move(d, value);
    return true;
}

static bool newton_step(wg_minimizer *m)
{
    return newton_move(m, newton_cg(m));
}

static bool newton_exact_step(wg_minimizer *m)
{
    return newton_move(m, newton_exact(m));
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
    w->random = wg_vector_new(t, m->f.n);
    w->probe = wg_vector_new(t, m->f.n);
    w->probe_image = wg_vector_new(t, m->f.n);
    for (int64_t i = 0; w->random != NULL && i < m->f.n; i++)
        w->random[i] = sqrt(3) * (2 * wg_random_uniform(0, 0, (uint64_t)i) - 1);
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
