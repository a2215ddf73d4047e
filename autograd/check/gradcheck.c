/* Owns the verdict on a recorded gradient. */
#include "autograd/check/gradcheck_internal.h"
#include "autograd/copy.h"
#include "autograd/grad.h"

#include <math.h>
#include <string.h>

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
        if (claimed != NULL && wg_recorded_begin(&r, s, ys, cotangents, m, s->xs[i])) {
            check_input(s, &r, claimed, &o, &report);
            wg_recorded_end(&r);
        } else
            wg_check_invalid(&report, 1, "out of memory");
        report.name = s->caller[i]->name;
        if (report.verdict == WG_CHECK_INVALID && report.blame == NULL)
            report.blame = "an option is out of its range";
        if (report.verdict == WG_CHECK_FAILED && !o.no_blame)
            report.blame = wg_check_blame(s, &r, &o.check);
        wg_arena_rewind(&s->t->scratch, empty);
        verdict = check_severest(verdict, report.verdict);
        if (reports != NULL)
            reports[i] = report;
    }
    return verdict;
}

/* The claimed gradients on the session's tape: given ones, or derived ones. */
static const char *check_gradients(wg_check_session *s, wg_tensor *c, wg_tensor *const given[],
                                   wg_tensor *gs[])
{
    if (given == NULL) {
        wg_vjp(s->y, c, s->xs, s->n, gs);
        return wg_check_why(s, "no gradient can be derived");
    }
    if (s->y->size != 1)
        return "a gradient is given, but y has not one element";
    for (int i = 0; i < s->n; i++) {
        if (wg_is_inert(given[i]))
            return "a claimed gradient is NULL or inert";
        if (given[i]->tape != s->user)
            return "a claimed gradient is of another tape";
        if (wg_is_stale(given[i]))
            return "a claimed gradient is out of date: replay first";
        gs[i] = s->copied ? wg_twin(s->t, given[i]) : given[i];
        if (gs[i]->dtype != WG_F64 || gs[i]->data == NULL ||
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
                                  : wg_check_random_like(s.y, o->check.seed, WG_CHECK_COTANGENT, 0);
    wg_tensor **claimed = wg_arena_take(&s.t->scratch, (size_t)n * sizeof *claimed, 8);
    why = claimed == NULL || s.t->status != WG_OK ? "out of memory"
                                                  : check_gradients(&s, c, gs, claimed);
    if (why == NULL) {
        verdict = wg_check_recorded(&s, &s.y, &c, 1, claimed, o, reports);
        verdict = check_severest(verdict, wg_check_single(&s, y, c, gs, claimed, reports));
    } else
        verdict = wg_check_invalid(reports, n, why);
    wg_check_session_end(&s);
    return verdict;
}

wg_check_verdict wg_gradcheck_print(FILE *stream, wg_tensor *y, wg_tensor *const xs[],
                                    wg_tensor *const gs[], int n,
                                    const wg_gradcheck_options *options)
{
    size_t rows = n > 1 ? (size_t)n : 1; /* the reason why nothing was checked needs one, too */
    wg_allocator a = wg_allocator_default();
    if (!wg_is_inert(y))
        a = *wg_tape_allocator(y->tape);
    wg_check_report *reports = a.allocate(rows * sizeof *reports, a.user);
    if (reports == NULL)
        return WG_CHECK_INVALID;
    wg_check_verdict verdict = wg_gradcheck(y, xs, gs, n, options, reports);
    if (n < 1)
        wg_check_invalid(reports, 1, "there is no x");
    wg_check_report_print(stream, reports, rows);
    a.release(reports, a.user);
    return verdict;
}
