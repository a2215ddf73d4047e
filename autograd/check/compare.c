/* Owns comparisons of values: with a closed form, and those of a tape with f32 with
 * the f64 copy's. */
#include "autograd/check/gradcheck_internal.h"
#include "autograd/grad.h"
#include "autograd/tape.h"

#include <math.h>

/* Equal infinities do not differ; a NaN differs by NaN. */
static double compare_gap(double a, double b)
{
    return a == b ? 0 : fabs(a - b);
}

double wg_compare_closed_form(const wg_tensor *g, const double *closed, double scale,
                              int64_t *worst)
{
    if (wg_is_inert(g) || g->data == NULL || closed == NULL)
        return (double)NAN;
    double largest = 0, gap = 0;
    int64_t at = 0;
    for (int64_t i = 0; i < g->size && !isnan(gap); i++) {
        double here = compare_gap(wg_at(g, i), closed[i]);
        largest = isfinite(closed[i]) ? fmax(largest, fabs(closed[i])) : largest;
        if (!(here <= gap)) {
            gap = here;
            at = i;
        }
    }
    if (worst != NULL)
        *worst = at;
    return gap == 0 ? 0 : gap / (scale > 0 ? scale : largest);
}

/* The largest |single - full| over the largest |full|. */
static double single_gap(const wg_tensor *single, const wg_tensor *full)
{
    return wg_compare_closed_form(single, full->data, 0, NULL);
}

/* c, a cotangent on the copy, for y on the user's tape. */
static wg_tensor *single_cotangent(wg_tensor *y, const wg_tensor *c)
{
    wg_tensor *single = wg_zeros_like(y);
    const double *value = c->data;
    for (int64_t i = 0; i < wg_size(single); i++)
        if (y->dtype == WG_F32)
            ((float *)single->data)[i] = (float)value[i];
        else
            ((double *)single->data)[i] = value[i];
    return single;
}

/* The first op before y whose values differ from those of its twin; NULL: all are alike. */
static const char *single_first_off(const wg_check_session *s, const wg_tensor *y, double most)
{
    for (int64_t i = 0; i <= y->index; i++) {
        const wg_tensor *x = s->user->node[i], *full = wg_tape_counterpart(s->t, x);
        bool values = x->dtype != WG_I64 && x->data != NULL && full->data != NULL && x->size > 0;
        if (values && !(single_gap(x, full) <= most))
            return x->op->name;
    }
    return NULL;
}

static void single_judge(wg_check_report *report, double gap, double most, const char *off)
{
    report->single = gap;
    if (gap <= most || report->verdict == WG_CHECK_FAILED)
        return;
    report->verdict = WG_CHECK_UNRESOLVED;
    report->blame = off != NULL ? off : "the gradient: its f32 values are far from those in f64";
}

/* With gs, the gradient on the user's tape. */
static wg_check_verdict single_compare(wg_check_session *s, const wg_tensor *y,
                                       wg_tensor *const gs[], wg_tensor *const claimed[],
                                       double most, wg_check_report reports[])
{
    const char *off = single_first_off(s, y, most);
    wg_check_verdict verdict = WG_CHECK_PASSED;
    for (int i = 0; i < s->n; i++) {
        double gap = single_gap(gs[i], claimed[i]);
        verdict = gap <= most ? verdict : WG_CHECK_UNRESOLVED;
        if (reports != NULL)
            single_judge(&reports[i], gap, most, off);
    }
    return verdict;
}

wg_check_verdict wg_check_single(wg_check_session *s, wg_tensor *y, const wg_tensor *c,
                                 wg_tensor *const given[], wg_tensor *const claimed[], double most,
                                 wg_check_report reports[])
{
    wg_tape *t = s->user;
    if (!s->copied)
        return WG_CHECK_PASSED;
    if (given != NULL)
        return single_compare(s, y, given, claimed, most, reports);
    wg_check_verdict verdict = WG_CHECK_INVALID;
    wg_mark mark = wg_tape_mark(t);
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    wg_tensor **gs = wg_arena_take(&t->scratch, (size_t)s->n * sizeof *gs, sizeof(void *));
    wg_tensor *dy = single_cotangent(y, c);
    if (gs != NULL && wg_vjp(y, dy, s->caller, s->n, gs) == WG_OK)
        verdict = single_compare(s, y, gs, claimed, most, reports);
    else
        wg_check_invalid(reports, s->n, "out of memory");
    wg_arena_rewind(&t->scratch, empty);
    wg_tape_rewind(t, mark);
    return verdict;
}
