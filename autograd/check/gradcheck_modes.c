/* Owns the modes that look at recorded gradients otherwise: second order, Taylor, sweep. */
#include "autograd/check/gradcheck_internal.h"
#include "autograd/derivatives/derivatives.h"
#include "autograd/grad.h"

#include <float.h>
#include <math.h>
#include <string.h>

static void *mode_take(wg_check_session *s, size_t count, size_t size)
{
    return wg_arena_take(&s->t->scratch, count * size, WG_ALIGNMENT);
}

/* ---- Second order ---------------------------------------------------------------------------- */

/* The gradients g of y, two random tangents, and the Hessian's products with them: [n] each. */
typedef struct second_order {
    wg_tensor **g, **u, **v, **hu, **hv;
} second_order;

/* NULL, or why there is no second derivative. */
static const char *second_record(wg_check_session *s, second_order *o, uint64_t seed)
{
    size_t n = (size_t)s->n;
    wg_tensor **list = mode_take(s, 5 * n, sizeof *list);
    if (list == NULL)
        return "out of memory";
    *o = (second_order){list, list + n, list + 2 * n, list + 3 * n, list + 4 * n};
    for (int i = 0; i < s->n; i++) {
        o->u[i] = wg_check_random_like(s->xs[i], seed, WG_CHECK_TANGENT, i);
        o->v[i] = wg_check_random_like(s->xs[i], seed, WG_CHECK_SECOND_TANGENT, i);
    }
    if (wg_grad(s->y, s->xs, s->n, o->g) == WG_OK)
        wg_vjp_many(o->g, o->u, s->n, s->xs, s->n, o->hu);
    if (s->t->status == WG_OK)
        wg_vjp_many(o->g, o->v, s->n, s->xs, s->n, o->hv);
    return wg_check_why(s, "no second derivative can be derived");
}

static long double second_dot(wg_check_session *s, wg_tensor *const a[], wg_tensor *const b[],
                              long double *terms)
{
    long double sum = 0;
    for (int i = 0; i < s->n; i++)
        for (int64_t j = 0; j < a[i]->size; j++) {
            long double term = (long double)wg_element(a[i], j) * (long double)wg_element(b[i], j);
            sum += term;
            *terms += fabsl(term);
        }
    return sum;
}

/* <u, Hv> - <v, Hu>, two sums of the same products in another order; *terms: their size. */
static long double second_gap(wg_check_session *s, const second_order *o, long double *terms)
{
    *terms = 0;
    long double uhv = second_dot(s, o->u, o->hv, terms);
    return fabsl(uhv - second_dot(s, o->v, o->hu, terms));
}

/* The same in wide floats, where what is but rounding in double all but vanishes: is the gap within
 * rtol of the terms, or below the last digits of y, or next to nothing beside the one in double?
 * False where there is no wide form. */
static bool second_symmetric_wide(wg_check_session *s, uint64_t seed, double rtol,
                                  long double in_double)
{
    bool symmetric = false;
    wg_check_session w;
    second_order o;
    if (!WG_HAS_WIDE)
        return false;
    if (wg_check_session_wide(&w, s) && second_record(&w, &o, seed) == NULL) {
        long double terms, first = fabsl((long double)wg_item(w.y));
        const long double gap = second_gap(&w, &o, &terms);
        second_dot(&w, o.u, o.g, &first);
        symmetric = gap <= (long double)rtol * terms + 1e-26L * first + (long double)DBL_MIN ||
                    gap <= 1e-6L * in_double;
    }
    wg_check_session_end(&w);
    return symmetric;
}

/* Differences have just said how well Hv is known, entry by entry; what the chain of ops that made
 * it has lost to cancellation stays within the same relative tolerance, or is gone in wide
 * floats. */
static bool second_symmetric(wg_check_session *s, const second_order *o, uint64_t seed, double rtol)
{
    long double terms, first = 0, gap = second_gap(s, o, &terms);
    second_dot(s, o->u, o->g,
               &first); /* a Hessian that is next to nothing beside this is round-off */
    return gap <= (long double)rtol * terms + 1e-13L * first + (long double)DBL_MIN ||
           !wg_check_independent(s) || second_symmetric_wide(s, seed, rtol, gap);
}

/* Is g, replayed with x moved a little, what wg_grad records anew there? It is not where a rule
 * keeps a value as a constant: its second derivatives then lack what that value moves by. */
static bool second_follows(wg_check_session *s, const second_order *o, int i)
{
    wg_tape *t = s->t;
    wg_mark mark = wg_tape_mark(t);
    const size_t n = (size_t)s->n;
    wg_tensor **ys = mode_take(s, 2 * n + 1, sizeof *ys);
    wg_recorded r;
    bool follows = true;
    if (ys == NULL)
        return true;
    wg_tensor **anew = ys + n + 1;
    memcpy(ys, o->g, n * sizeof *ys);
    ys[n] = s->y;
    const wg_check_claim claim = {ys, NULL, s->n + 1, NULL};
    if (!wg_recorded_begin(&r, s, &claim, s->xs + i, 1))
        return true;
    double *x = r.values, *step = mode_take(s, (size_t)r.size, sizeof *step);
    const double *v = o->v[i]->data;
    for (int64_t k = 0; k < r.size && step != NULL; k++)
        step[k] = 0x1.3p-10 * v[k] * (x[k] != 0 ? fabs(x[k]) : 1);
    /* Branches are held, and what is recorded anew takes others: then nothing can be said. */
    const bool still = step != NULL && wg_check_branch(&r, 0, step, 1) == NULL;
    for (int64_t k = 0; k < r.size && still; k++)
        x[k] += step[k];
    if (still && wg_recorded_run(&r) && wg_grad(s->y, s->xs, s->n, anew) == WG_OK)
        for (int j = 0; j < s->n; j++) {
            const double gap = wg_compare_closed_form(o->g[j], anew[j]->data, 0, NULL);
            follows = follows && !(gap > 1e-9);
        }
    t->status = WG_OK;
    memcpy(x, r.origin, (size_t)r.size * sizeof *x);
    wg_recorded_end(&r);
    wg_tape_rewind(t, mark);
    return follows;
}

static bool second_all_follow(wg_check_session *s, const second_order *o)
{
    bool follow = true;
    for (int i = 0; i < s->n && follow; i++) {
        wg_arena_mark empty = wg_arena_height(&s->t->scratch);
        follow = second_follows(s, o, i);
        wg_arena_rewind(&s->t->scratch, empty);
    }
    return follow;
}

typedef struct second_context {
    uint64_t seed;
    second_order *order; /* set on the session's own tape */
} second_context;

static const char *second_claim(wg_check_session *s, const void *context, wg_check_claim *claim)
{
    const second_context *c = context;
    second_order o;
    const char *why = second_record(s, &o, c->seed);
    if (why != NULL)
        return why;
    *claim = (wg_check_claim){o.g, o.v, s->n, o.hv};
    if (!s->t->wide)
        *c->order = o;
    return NULL;
}

/* The derivative of a wrong gradient may be right, and is no Hessian: is the gradient wrong along a
 * direction? */
static bool second_lacks_first(wg_tensor *y, wg_tensor *const xs[], int n,
                               const wg_gradcheck_options *options, wg_check_report reports[])
{
    wg_gradcheck_options o = *options;
    o.directions = 1;
    o.nearby = 0;
    o.check.listen = NULL;
    if (wg_gradcheck(y, xs, NULL, n, &o, reports) != WG_CHECK_FAILED)
        return false;
    for (int i = 0; i < n && reports != NULL; i++)
        if (reports[i].verdict == WG_CHECK_FAILED && reports[i].note == NULL)
            reports[i].note = "the first derivative is wrong";
    return true;
}

wg_check_verdict wg_gradcheck_second(wg_tensor *y, wg_tensor *const xs[], int n,
                                     const wg_gradcheck_options *options, wg_check_report reports[])
{
    static const wg_gradcheck_options defaults = {0};
    const wg_gradcheck_options *chosen = options != NULL ? options : &defaults;
    const char *why;
    wg_check_session s;
    second_order o;
    if (second_lacks_first(y, xs, n, chosen, reports))
        return WG_CHECK_FAILED;
    if (!wg_check_session_begin(&s, y, xs, n, &why))
        return wg_check_invalid(reports, n, why);
    const second_context context = {chosen->check.seed, &o};
    wg_check_claim claim;
    wg_check_verdict verdict;
    if ((why = second_claim(&s, &context, &claim)) != NULL)
        verdict = wg_check_invalid(reports, n, why);
    else {
        verdict = wg_check_recorded(&s, &claim, second_claim, &context, chosen, false, reports);
        const bool passed = verdict == WG_CHECK_PASSED || verdict == WG_CHECK_VACUOUS;
        const double rtol = chosen->check.rtol > 0 ? chosen->check.rtol : 1e-7;
        if (verdict == WG_CHECK_PASSED && !second_symmetric(&s, &o, chosen->check.seed, rtol))
            verdict = wg_check_fail(reports, n, NULL, "the Hessian, which is not symmetric");
        else if (passed && !second_all_follow(&s, &o))
            verdict = wg_check_fail(reports, n, NULL, "a rule that keeps a value as a constant");
    }
    wg_check_session_end(&s);
    return verdict;
}

/* ---- One input of a scalar y ----------------------------------------------------------------- */

/* y of one element as a function of x, with the gradient and, along v, the Hessian's product. */
typedef struct mode_scalar {
    wg_check_session s;
    wg_recorded r;
    wg_tensor *one, *g, *v, *hv;
} mode_scalar;

/* A random direction in which each entry moves by its own size, or by 1 where it is 0. */
static wg_tensor *mode_direction(const wg_tensor *x, uint64_t seed)
{
    wg_tensor *v = wg_check_random_like(x, seed, WG_CHECK_TANGENT, 0);
    for (int64_t i = 0; i < wg_size(v); i++)
        if (((const double *)x->data)[i] != 0)
            ((double *)v->data)[i] *= fabs(((const double *)x->data)[i]);
    return v;
}

static bool mode_scalar_record(mode_scalar *m, bool second, uint64_t seed)
{
    wg_tensor *x = m->s.xs[0];
    if (m->s.y->size != 1 || wg_grad(m->s.y, &x, 1, &m->g) != WG_OK)
        return false;
    m->v = mode_direction(x, seed);
    m->hv = NULL;
    if (second && wg_vjp(m->g, m->v, &x, 1, &m->hv) != WG_OK)
        return false;
    m->one = wg_ones_like(m->s.y);
    const wg_check_claim claim = {&m->s.y, &m->one, 1, &m->g};
    return m->s.t->status == WG_OK && wg_recorded_begin(&m->r, &m->s, &claim, m->s.xs, 1);
}

static bool mode_scalar_begin(mode_scalar *m, wg_tensor *y, wg_tensor *x, bool second,
                              uint64_t seed)
{
    const char *why;
    if (!wg_check_session_begin(&m->s, y, &x, 1, &why))
        return false;
    if (mode_scalar_record(m, second, seed))
        return true;
    wg_check_session_end(&m->s);
    return false;
}

static void mode_scalar_end(mode_scalar *m)
{
    wg_recorded_end(&m->r);
    wg_check_session_end(&m->s);
}

/* Kinks within the steps, and digits that double loses, make remainders like a wrong gradient's:
 * then wide differences along two directions decide. */
static void mode_decide(wg_tensor *y, wg_tensor *x, wg_check_taylor_report *r)
{
    const wg_gradcheck_options o = {.precision = WG_CHECK_WIDE, .directions = 2, .no_blame = true};
    wg_check_report report;
    const wg_check_verdict by = r->order == 2 ? wg_gradcheck(y, &x, NULL, 1, &o, &report)
                                              : wg_gradcheck_second(y, &x, 1, &o, &report);
    r->wide = report.wide > 0 && by != WG_CHECK_UNRESOLVED && by != WG_CHECK_INVALID;
    if (r->wide || by != WG_CHECK_FAILED)
        r->verdict = r->wide ? by : WG_CHECK_UNRESOLVED;
}

wg_check_verdict wg_gradcheck_taylor(wg_tensor *y, wg_tensor *x, int order,
                                     const wg_check_options *options,
                                     wg_check_taylor_report *report)
{
    mode_scalar m;
    wg_check_taylor_report r = {.verdict = WG_CHECK_INVALID, .order = order};
    if ((order == 2 || order == 3) &&
        mode_scalar_begin(&m, y, x, order == 3, options != NULL ? options->seed : 0)) {
        size_t n = (size_t)m.r.size;
        double *work = mode_take(&m.s, n, sizeof(double));
        if (work != NULL)
            wg_check_taylor(wg_recorded_value, &m.r, m.r.values, m.g->data, m.v->data,
                            m.hv != NULL ? m.hv->data : NULL, n, work, options, &r);
        mode_scalar_end(&m);
        if (r.verdict == WG_CHECK_FAILED || r.verdict == WG_CHECK_UNRESOLVED)
            mode_decide(y, x, &r);
    }
    if (report != NULL)
        *report = r;
    return r.verdict;
}

wg_status wg_gradcheck_sweep(wg_tensor *y, wg_tensor *x, int64_t entry, double from, double to,
                             wg_check_sweep_row *rows, size_t count)
{
    mode_scalar m;
    if (entry < 0 || entry >= wg_size(x))
        return WG_E_INDEX;
    if (!mode_scalar_begin(&m, y, x, false, 0))
        return WG_E_VALUE;
    double exact = ((const double *)m.g->data)[entry];
    wg_check_sweep(wg_recorded_value, &m.r, m.r.values, (size_t)m.r.size, (size_t)entry, exact,
                   from, to, rows, count);
    mode_scalar_end(&m);
    return WG_OK;
}
