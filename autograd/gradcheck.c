#include "autograd/gradcheck.h"

#include "autograd/copy.h"
#include "autograd/grad.h"
#include "autograd/gradcheck_internal.h"
#include "autograd/rng.h"

#include <math.h>
#include <string.h>

/* ---- The session --------------------------------------------------------------------------------- */

static const char *check_misfit(const wg_tensor *y, wg_tensor *const xs[], int n)
{
    if (wg_is_inert(y))
        return "y is NULL or inert";
    if (y->tape->status != WG_OK)
        return "the tape has an error";
    if (y->dtype == WG_I64)
        return "y is i64";
    if (y->state & (WG_NODE_STALE | WG_NODE_HOLLOW))
        return "y is out of date: replay first";
    for (int i = 0; i < n; i++) {
        if (wg_is_inert(xs[i]))
            return "an x is NULL or inert";
        if (xs[i]->tape != y->tape)
            return "an x is of another tape";
        if (xs[i]->dtype == WG_I64)
            return "an x is i64";
    }
    return NULL;
}

static bool check_has_f32(const wg_tensor *y, wg_tensor *const xs[], int n)
{
    bool f32 = y->dtype == WG_F32;
    for (int i = 0; i < n; i++)
        f32 = f32 || xs[i]->dtype == WG_F32;
    return f32;
}

/* The twins of y and the xs on the session's tape. */
static bool check_adopt(wg_check_session *s, wg_tensor *y, wg_tensor *const xs[], int n)
{
    s->xs = wg_arena_take(&s->t->scratch, (size_t)n * sizeof *s->xs, sizeof(void *));
    if (s->xs == NULL)
        return false;
    s->n = n;
    s->caller = xs;
    s->y = s->copied ? wg_twin(s->t, y) : y;
    for (int i = 0; i < n; i++)
        s->xs[i] = s->copied ? wg_twin(s->t, xs[i]) : xs[i];
    return s->t->status == WG_OK;
}

bool wg_check_session_begin(wg_check_session *s, wg_tensor *y, wg_tensor *const xs[], int n,
                            const char **why)
{
    if (!wg_is_inert(y) && y->tape->written)
        wg_stale_spread(y->tape);
    if ((*why = check_misfit(y, xs, n)) != NULL)
        return false;
    s->copied = check_has_f32(y, xs, n);
    s->t = s->copied ? wg_tape_copy(y->tape, WG_F64) : y->tape;
    s->mark = wg_tape_mark(s->t);
    s->scratch = wg_arena_height(&s->t->scratch);
    s->options = s->t->options;
    s->t->options.check_finite = false;
    s->t->options.on_error = NULL;
    if (check_adopt(s, y, xs, n))
        return true;
    *why = s->copied ? "the f32 tape cannot be copied to f64" : "out of memory";
    wg_check_session_end(s);
    return false;
}

void wg_check_session_end(wg_check_session *s)
{
    wg_arena_rewind(&s->t->scratch, s->scratch);
    s->t->options = s->options;
    s->mark.status = WG_OK;
    wg_tape_rewind(s->t, s->mark);
    if (s->copied)
        wg_tape_free(s->t);
}

wg_check_verdict wg_check_invalid(wg_check_report reports[], int n, const char *why)
{
    for (int i = 0; i < n && reports != NULL; i++)
        reports[i] = (wg_check_report){.verdict = WG_CHECK_INVALID, .blame = why};
    return WG_CHECK_INVALID;
}

/* ---- Recorded tensors as a function -------------------------------------------------------------- */

bool wg_recorded_begin(wg_recorded *r, wg_tensor *const ys[], wg_tensor *const cotangents[], int m,
                       wg_tensor *x)
{
    *r = (wg_recorded){.ys = ys, .cotangents = cotangents, .m = m, .x = x, .borrowed = x->data};
    size_t bytes = (size_t)x->size * sizeof(double);
    r->values = wg_arena_take(&x->tape->scratch, bytes, WG_ALIGNMENT);
    if (r->values == NULL || !wg_plan_init(&r->plan, &x, 1, ys, m))
        return false;
    if (bytes > 0)
        memcpy(r->values, x->data, bytes);
    x->data = r->values;
    return true;
}

/* The same values in, the same bits out: what was computed from x is as it was. */
void wg_recorded_end(wg_recorded *r)
{
    r->x->data = r->borrowed;
    wg_plan_run(&r->plan);
}

/* A point at which the ops refuse to be evaluated has no value; that is no error of the tape's. */
double wg_recorded_value(const double *x, void *recorded)
{
    wg_recorded *r = recorded;
    (void)x; /* is r->values */
    if (!wg_plan_run(&r->plan)) {
        r->x->tape->status = WG_OK;
        r->x->tape->message[0] = '\0';
        return (double)NAN;
    }
    long double sum = 0;
    for (int k = 0; k < r->m; k++) {
        const double *y = r->ys[k]->data, *c = r->cotangents[k]->data;
        for (int64_t i = 0; i < r->ys[k]->size; i++)
            sum += (long double)c[i] * (long double)y[i];
    }
    return (double)sum;
}

/* ---- The check ----------------------------------------------------------------------------------- */

static double check_largest(wg_tensor *const gs[], int n)
{
    double largest = 0;
    for (int i = 0; i < n; i++)
        for (int64_t j = 0; j < gs[i]->size; j++)
            largest = fmax(largest, fabs(((const double *)gs[i]->data)[j]));
    return largest;
}

/* The claimed gradient as it is before anything moves: g may itself be a part of y. */
static double *check_claimed(wg_tape *t, const wg_tensor *g)
{
    size_t bytes = (size_t)g->size * sizeof(double);
    double *claimed = wg_arena_take(&t->scratch, bytes, WG_ALIGNMENT);
    if (claimed != NULL && bytes > 0)
        memcpy(claimed, g->data, bytes);
    return claimed;
}

static wg_check_verdict check_input(wg_check_session *s, wg_recorded *r, const double *claimed,
                                    const wg_gradcheck_options *o, wg_check_report *report)
{
    size_t n = (size_t)r->x->size;
    if (o->directions == 0)
        return wg_check_function(wg_recorded_value, r, r->values, claimed, n, &o->check, report);
    double *work = wg_arena_take(&s->t->scratch, 2 * n * sizeof(double), WG_ALIGNMENT);
    if (work == NULL)
        return wg_check_invalid(report, 1, "out of memory");
    return wg_check_directions(wg_recorded_value, r, r->values, claimed, n, o->directions, work,
                               &o->check, report);
}

/* The order of the enumeration is not that of severity: what failed is worse than what is unclear. */
static wg_check_verdict check_severest(wg_check_verdict a, wg_check_verdict b)
{
    static const int severity[] = {
        [WG_CHECK_PASSED] = 0,     [WG_CHECK_VACUOUS] = 1, [WG_CHECK_UNRESOLVED] = 2,
        [WG_CHECK_NOT_FINITE] = 3, [WG_CHECK_FAILED] = 4,  [WG_CHECK_INVALID] = 5};
    return severity[a] >= severity[b] ? a : b;
}

wg_check_verdict wg_check_recorded(wg_check_session *s, wg_tensor *const ys[],
                                   wg_tensor *const cotangents[], int m, wg_tensor *const gs[],
                                   const wg_gradcheck_options *options, wg_check_report reports[])
{
    wg_check_verdict verdict = WG_CHECK_PASSED;
    wg_gradcheck_options o = *options;
    o.check.largest = fmax(o.check.largest, check_largest(gs, s->n));
    if (!isfinite(o.check.largest))
        o.check.largest = 0;
    for (int i = 0; i < s->n; i++) {
        wg_recorded r;
        wg_check_report report;
        wg_arena_mark empty = wg_arena_height(&s->t->scratch);
        double *claimed = check_claimed(s->t, gs[i]);
        if (claimed != NULL && wg_recorded_begin(&r, ys, cotangents, m, s->xs[i])) {
            check_input(s, &r, claimed, &o, &report);
            wg_recorded_end(&r);
        } else
            wg_check_invalid(&report, 1, "out of memory");
        report.name = s->caller[i]->name;
        if (report.verdict == WG_CHECK_FAILED && !o.no_blame)
            report.blame = wg_check_blame(s, ys, m, s->xs[i]);
        wg_arena_rewind(&s->t->scratch, empty);
        verdict = check_severest(verdict, report.verdict);
        if (reports != NULL)
            reports[i] = report;
    }
    return verdict;
}

wg_tensor *wg_check_random_like(const wg_tensor *x, uint64_t seed, uint64_t key)
{
    wg_tensor *v = wg_zeros_like(x);
    for (int64_t i = 0; i < wg_size(v); i++)
        ((double *)v->data)[i] = wg_random_normal(seed, key, (uint64_t)i);
    return v;
}

/* The claimed gradients on the session's tape: given ones, or derived ones. */
static const char *check_gradients(wg_check_session *s, wg_tensor *c, wg_tensor *const given[],
                                   wg_tensor *gs[])
{
    if (given == NULL)
        return wg_vjp(s->y, c, s->xs, s->n, gs) == WG_OK ? NULL : "no gradient can be derived";
    if (s->y->size != 1)
        return "a gradient is given, but y has not one element";
    for (int i = 0; i < s->n; i++) {
        if (wg_is_inert(given[i]))
            return "a claimed gradient is NULL or inert";
        gs[i] = s->copied ? wg_twin(s->t, given[i]) : given[i];
        if (gs[i]->tape != s->t || gs[i]->dtype != WG_F64 || gs[i]->data == NULL ||
            !wg_shape_same(&gs[i]->shape, &s->xs[i]->shape))
            return "a claimed gradient is not like its x";
    }
    return NULL;
}

wg_check_verdict wg_gradcheck(wg_tensor *y, wg_tensor *const xs[], wg_tensor *const gs[], int n,
                              const wg_gradcheck_options *options, wg_check_report reports[])
{
    static const wg_gradcheck_options defaults = {0};
    const wg_gradcheck_options *o = options != NULL ? options : &defaults;
    const char *why;
    wg_check_session s;
    if (!wg_check_session_begin(&s, y, xs, n, &why))
        return wg_check_invalid(reports, n, why);
    wg_check_verdict verdict;
    wg_tensor *c = s.y->size == 1 ? wg_ones_like(s.y)
                                  : wg_check_random_like(s.y, o->check.seed, WG_CHECK_COTANGENT);
    wg_tensor **claimed = wg_arena_take(&s.t->scratch, (size_t)n * sizeof *claimed, 8);
    why = claimed == NULL || s.t->status != WG_OK ? "out of memory"
                                                  : check_gradients(&s, c, gs, claimed);
    if (why == NULL)
        verdict = wg_check_recorded(&s, &s.y, &c, 1, claimed, o, reports);
    else
        verdict = wg_check_invalid(reports, n, why);
    wg_check_session_end(&s);
    return verdict;
}

wg_check_verdict wg_gradcheck_print(FILE *stream, wg_tensor *y, wg_tensor *const xs[],
                                    wg_tensor *const gs[], int n,
                                    const wg_gradcheck_options *options)
{
    wg_allocator a = wg_allocator_default();
    if (!wg_is_inert(y))
        a = *wg_tape_allocator(y->tape);
    wg_check_report *reports = a.allocate(((size_t)n + 1) * sizeof *reports, a.user);
    if (reports == NULL)
        return WG_CHECK_INVALID;
    wg_check_verdict verdict = wg_gradcheck(y, xs, gs, n, options, reports);
    wg_check_report_print(stream, reports, (size_t)n);
    a.release(reports, a.user);
    return verdict;
}

double wg_compare_closed_form(const wg_tensor *g, const double *closed, double scale,
                              int64_t *worst)
{
    if (wg_is_inert(g) || g->data == NULL)
        return (double)NAN;
    double largest = 0, difference = 0;
    int64_t at = 0;
    for (int64_t i = 0; i < g->size; i++) {
        double d = fabs(wg_at(g, i) - closed[i]);
        largest = fmax(largest, fabs(closed[i]));
        if (d > difference || isnan(d)) {
            difference = d;
            at = i;
        }
        if (isnan(d))
            break;
    }
    if (worst != NULL)
        *worst = at;
    double by = scale > 0 ? scale : largest;
    return difference == 0 ? 0 : difference / by;
}
