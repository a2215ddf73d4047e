/* Owns the verdict on a recorded gradient. */
#include "autograd/check/appeal_internal.h"
#include "autograd/check/gradcheck_internal.h"
#include "autograd/grad.h"
#include "autograd/rng.h"
#include "autograd/tape.h"

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

/* A check of gradients, derived or given, and who decides where double cannot. */
typedef struct check_task {
    wg_check_session *s;
    const wg_check_claim *c;
    const wg_gradcheck_options *o;
    wg_appeal *appeal;
    bool given;
} check_task;

/* A pass in double, in which what does not agree clearly is decided in wide floats; or all in wide
 * floats. */
static void check_input(const check_task *k, wg_recorded *r, const double *claimed, int i,
                        wg_check_report *report)
{
    const wg_gradcheck_options *o = k->o;
    wg_appeal *appeal = k->appeal;
    const size_t n = (size_t)r->size;
    double *work = wg_arena_take(&r->t->scratch, 2 * n * sizeof(double), WG_ALIGNMENT);
    const bool wide = o->precision != WG_CHECK_DOUBLE;
    const wg_check_decide decide = {wide ? wg_appeal_judge : NULL,
                                    wg_look,
                                    appeal,
                                    o->precision == WG_CHECK_WIDE,
                                    &appeal->doubtful,
                                    appeal->s->caller[i]->name,
                                    r->xs[0]->shape};
    if (work == NULL) {
        wg_check_invalid(report, 1, "out of memory");
        return;
    }
    wg_appeal_input(appeal, i, r, o->directions > 0 ? work : NULL);
    if (o->directions == 0)
        wg_check_function_by(wg_recorded_value, r, r->values, claimed, n, &o->check, &decide,
                             report);
    else
        wg_check_directions_by(wg_recorded_value, r, r->values, claimed, n, o->directions, work,
                               &o->check, &decide, report);
    wg_look_end(appeal);
    wg_appeal_input_end(appeal);
    report->narrow = appeal->narrow;
    if (appeal->no_memory)
        wg_check_invalid(report, 1, "out of memory");
    if (report->note == NULL && appeal->why[0] != '\0' &&
        ((wide && report->unresolved > 0) || o->precision == WG_CHECK_WIDE))
        report->note = "decided in double: there is no wide form";
}

/* The order of the enumeration is not that of severity: what failed is worse than
 * what is unclear. */
static wg_check_verdict check_severest(wg_check_verdict a, wg_check_verdict b)
{
    static const int severity[] = {
        [WG_CHECK_PASSED] = 0,     [WG_CHECK_VACUOUS] = 1, [WG_CHECK_UNRESOLVED] = 2,
        [WG_CHECK_NOT_FINITE] = 3, [WG_CHECK_FAILED] = 4,  [WG_CHECK_INVALID] = 5};
    return severity[a] >= severity[b] ? a : b;
}

/* The op at fault, in wide floats where there are any. Where every rule agrees with its own op the
 * gradient given is wrong; a derived one cannot be, and what is left is told. The verdict on a
 * derived one hangs on that: it is looked for, too, where no name is wanted. */
static void check_blame(const check_task *k, wg_recorded *r, int i, wg_check_report *report)
{
    const bool given = k->given;
    if (k->o->no_blame && given)
        return;
    const wg_recorded *wide = wg_appeal_recorded(k->appeal, i, r);
    const char *blame = wg_check_blame(wide != NULL ? wide : r, &k->o->check);
    wg_appeal_input_end(k->appeal);
    if (blame == NULL && !given && (blame = wg_look_blame(k->appeal, i, &k->o->check)) != NULL)
        report->note = "at a kink any claim passes; next to it a rule is wrong";
    if (blame == NULL && !given && (blame = wg_check_wrong_in_walk(k->s, k->c)) != NULL)
        report->note = "a rule gives something else in the gradient than for the same values alone";
    report->blame = k->o->no_blame ? NULL : blame;
    if (blame != NULL)
        return;
    if (given || isnan(report->worst.claimed)) {
        report->note =
            given ? "every rule agrees with its own op: the gradient given is wrong, or is NaN"
                  : "every rule agrees with its own op, but the gradient is NaN: 0 times infinity";
        return;
    }
    k->appeal->apart = true; /* in doubles all may be another */
    report->verdict = WG_CHECK_UNRESOLVED;
    report->unresolved += report->disagree;
    report->disagree = 0;
    report->worst.outcome = WG_ENTRY_UNRESOLVED;
    report->note =
        "every rule agrees with its own op: kinks meet here, or digits are lost between them";
}

/* At a kink a rule may be right for each entry alone, and wrong where several tie. */
static void check_ties(const check_task *task, wg_recorded *r, int i, wg_check_report *report)
{
    const wg_recorded *wide = wg_appeal_recorded(task->appeal, i, r), *by = wide != NULL ? wide : r;
    const char *tied = NULL;
    for (int64_t k = 0; k < by->n && tied == NULL; k++)
        tied = wg_check_wrong_ties(by, by->node[k]);
    wg_appeal_input_end(task->appeal);
    if (tied != NULL)
        wg_check_fail(report, 1, "a rule that is right for each entry alone, not where several tie",
                      task->o->no_blame ? NULL : tied);
}

static void check_one(const check_task *k, int i, wg_check_report *report)
{
    wg_recorded r;
    wg_check_session *s = k->s;
    wg_arena_mark empty = wg_arena_height(&s->t->scratch);
    double *claimed = check_claimed(s->t, k->c->gs[i]);
    if (claimed != NULL && wg_recorded_begin(&r, s, k->c, s->xs + i, 1)) {
        check_input(k, &r, claimed, i, report);
        wg_recorded_end(&r);
    } else
        wg_check_invalid(report, 1, "out of memory");
    report->name = s->caller[i]->name;
    if (report->verdict == WG_CHECK_INVALID && report->blame == NULL)
        report->blame = "an option is out of its range";
    if (report->verdict == WG_CHECK_FAILED)
        check_blame(k, &r, i, report);
    else if (report->kink > 0 && !k->given)
        check_ties(k, &r, i, report);
    wg_arena_rewind(&s->t->scratch, empty);
}

static wg_check_verdict check_inputs(const check_task *k, wg_check_report reports[])
{
    wg_check_verdict verdict = WG_CHECK_PASSED;
    for (int i = 0; i < k->s->n; i++) {
        wg_check_report report;
        check_one(k, i, &report);
        verdict = check_severest(verdict, report.verdict);
        if (reports != NULL)
            reports[i] = report;
    }
    return verdict;
}

/* Where wide floats decided, the f64 kernels are compared with what decided, and the rules where
 * claims differ. Returns the op that is to blame, and what for. */
static const char *check_wrong_in_double(const wg_appeal *appeal, bool given, const char **note,
                                         bool *no_memory)
{
    const char *wrong = NULL;
#if WG_HAS_WIDE
    *note = "an f64 kernel does not compute what its wide one does";
    if (appeal->open)
        wrong = wg_check_wrong_kernel(appeal->s, &appeal->w);
    if (wrong == NULL && appeal->apart && !given) {
        *note = "an f64 rule does not give what its wide one does";
        wrong = wg_check_wrong_rule(appeal->s, no_memory);
    }
#else
    (void)appeal, (void)given, (void)note, (void)no_memory;
#endif
    return wrong;
}

/* What is wrong with an op whose rules differences do not accuse. */
static wg_check_verdict check_ops(wg_check_session *s, wg_appeal *appeal, bool given,
                                  wg_check_verdict verdict, wg_check_report reports[])
{
    bool no_memory;
    const char *note = "an op gives other bits when evaluated again, or cut otherwise";
    const char *wrong = wg_check_impure(s, &no_memory);
    if (wrong == NULL && verdict != WG_CHECK_INVALID && !no_memory)
        wrong = check_wrong_in_double(appeal, given, &note, &no_memory);
    if (no_memory || appeal->no_memory)
        return wg_check_invalid(reports, s->n, "out of memory");
    if (wrong == NULL || verdict == WG_CHECK_INVALID)
        return verdict;
    return wg_check_fail(reports, s->n, note, wrong);
}

/* What does not agree along one wide direction is all decided wide. */
wg_check_verdict wg_check_recorded(wg_check_session *s, const wg_check_claim *c,
                                   wg_check_record *record, const void *context,
                                   const wg_gradcheck_options *options, bool given,
                                   wg_check_report reports[])
{
    wg_gradcheck_options o = *options;
    wg_appeal appeal;
    o.check.largest = fmax(o.check.largest, check_largest(c->gs, s->n));
    if (!isfinite(o.check.largest))
        o.check.largest = 0;
    wg_appeal_init(&appeal, s, record, context);
    appeal.derived = !given;
    if (o.precision == WG_CHECK_AUTO && wg_appeal_is_cheap(&appeal) &&
        !wg_look_screens(&appeal, o.check.seed))
        o.precision = WG_CHECK_WIDE;
    const check_task task = {s, c, &o, &appeal, given};
    wg_check_verdict verdict = check_inputs(&task, reports);
    verdict = check_ops(s, &appeal, given, verdict, reports);
    wg_appeal_end(&appeal);
    return verdict;
}

typedef struct check_context {
    wg_tensor *const *given; /* or NULL */
    uint64_t seed;
} check_context;

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
        gs[i] = s->copied ? wg_tape_counterpart(s->t, given[i]) : given[i];
        if (gs[i]->dtype != s->xs[i]->dtype || gs[i]->data == NULL ||
            !wg_shape_same(&gs[i]->shape, &s->xs[i]->shape))
            return "a claimed gradient is not like its x";
    }
    return NULL;
}

static const char *check_record(wg_check_session *s, const void *context, wg_check_claim *claim)
{
    const check_context *o = context;
    const size_t n = (size_t)s->n;
    wg_tensor **list = wg_arena_take(&s->t->scratch, (n + 1) * sizeof *list, sizeof(void *));
    if (list == NULL)
        return "out of memory";
    list[n] = s->y->size == 1 ? wg_ones_like(s->y)
                              : wg_check_random_like(s->y, o->seed, WG_CHECK_COTANGENT, 0);
    *claim = (wg_check_claim){&s->y, list + n, 1, list};
    return s->t->status != WG_OK ? "out of memory" : check_gradients(s, list[n], o->given, list);
}

/* Are the gradients given what wg_vjp derives on the user's tape, bit by bit? They are judged as
 * such then: what is wrong with them is a rule, and on a copy in f64 they have no branch that f32
 * took. Returns NULL, or why that cannot be told. */
static const char *check_compare(const wg_check_session *s, wg_tensor *const given[], bool *derived)
{
    wg_tape *t = s->user;
    wg_mark mark = wg_tape_mark(t);
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    wg_tensor **gs = wg_arena_take(&t->scratch, (size_t)s->n * sizeof *gs, sizeof(void *));
    wg_tensor *y = t->node[s->caller_y->index];
    *derived = gs != NULL && wg_grad(y, s->caller, s->n, gs) == WG_OK;
    for (int i = 0; i < s->n && *derived; i++)
        *derived = wg_check_same_bits(gs[i], given[i]);
    const bool no_memory = gs == NULL || t->status == WG_E_NOMEM;
    wg_arena_rewind(&t->scratch, empty);
    wg_tape_rewind(t, mark);
    return no_memory ? "out of memory" : NULL;
}

/* At the point that the tape is at. */
static wg_check_verdict check_here(wg_tensor *y, wg_tensor *const xs[], wg_tensor *const gs[],
                                   int n, const wg_gradcheck_options *o, wg_check_report reports[])
{
    check_context context = {gs, o->check.seed};
    const char *why;
    wg_check_claim claim;
    wg_check_session s;
    bool derived = gs == NULL;
    if (!wg_check_session_begin(&s, y, xs, n, &why))
        return wg_check_invalid(reports, n, why);
    wg_check_verdict verdict;
    why = check_record(&s, &context, &claim);
    if (why == NULL && gs != NULL)
        why = check_compare(&s, gs, &derived);
    context.given = s.given = derived ? NULL : gs;
    if (why == NULL && gs != NULL && derived)
        why = check_record(&s, &context, &claim);
    if (why == NULL) {
        verdict = wg_check_recorded(&s, &claim, check_record, &context, o, !derived, reports);
        if (derived)
            verdict = check_severest(verdict, wg_check_linear(&s, &claim, o, reports));
        verdict = check_severest(
            verdict, wg_check_single(&s, y, claim.cotangents[0], gs, claim.gs, o->single, reports));
    } else
        verdict = wg_check_invalid(reports, n, why);
    wg_check_session_end(&s);
    return verdict;
}

/* ---- Points nearby --------------------------------------------------------------------------- */

/* y, the xs and the gs on a copy of their tape. */
typedef struct check_copy {
    wg_tape *t;
    wg_tensor *y, **xs, **gs;
} check_copy;

static bool check_copy_begin(check_copy *c, wg_tensor *y, wg_tensor *const xs[],
                             wg_tensor *const gs[], int n)
{
    *c = (check_copy){.t = wg_tape_copy(y->tape, y->dtype)};
    c->xs = wg_tape_take(c->t, 2 * (size_t)n * sizeof *c->xs);
    if (c->xs == NULL || c->t->status != WG_OK)
        return false;
    c->gs = gs != NULL ? c->xs + n : NULL;
    c->y = wg_tape_counterpart(c->t, y);
    for (int i = 0; i < n; i++) {
        c->xs[i] = wg_tape_counterpart(c->t, xs[i]);
        if (gs != NULL)
            c->gs[i] = wg_tape_counterpart(c->t, gs[i]);
    }
    return c->t->status == WG_OK;
}

static bool check_move(const check_copy *c, wg_tensor *const xs[], int n, size_t point,
                       const wg_gradcheck_options *o)
{
    const double unit = o->check.unit > 0 ? o->check.unit : 1;
    for (int i = 0; i < n; i++) {
        const bool editable = wg_edit(c->xs[i]) != NULL;
        for (int64_t k = 0; k < xs[i]->size && editable; k++) {
            const double x = wg_element(xs[i], k);
            const uint64_t key = WG_CHECK_NEARBY + WG_CHECK_KEYS * ((uint64_t)i + 1000 * point);
            const double size = isfinite(x) ? fmax(unit, fabs(x)) : unit;
            const double moved = x + o->radius * size *
                                         wg_random_normal(o->check.seed, key, (uint64_t)k);
            wg_set_element(c->xs[i], k, moved);
        }
    }
    return wg_replay(c->t) == WG_OK;
}

/* The same at points around; what is worse there replaces what was found at the point. */
static wg_check_verdict check_nearby(wg_tensor *y, wg_tensor *const xs[], wg_tensor *const gs[],
                                     int n, const wg_gradcheck_options *o,
                                     wg_check_report reports[])
{
    check_copy c;
    wg_check_verdict verdict = WG_CHECK_PASSED;
    const bool copied = check_copy_begin(&c, y, xs, gs, n);
    for (size_t point = 0; point < o->nearby && copied; point++) {
        wg_check_report *there = wg_arena_take(&c.t->arena, (size_t)n * sizeof *there, 16);
        if (there == NULL || !check_move(&c, xs, n, point, o))
            break;
        verdict = check_severest(verdict, check_here(c.y, c.xs, c.gs, n, o, there));
        for (int i = 0; i < n && reports != NULL; i++)
            if (check_severest(reports[i].verdict, there[i].verdict) != reports[i].verdict) {
                reports[i] = there[i];
                reports[i].name = xs[i]->name;
                reports[i].note = "at a point nearby";
            }
    }
    if (c.t->status != WG_OK)
        verdict = wg_check_invalid(
            reports, n,
            c.t->status == WG_E_NOMEM ? "out of memory" : "the xs of points nearby are leaves");
    wg_tape_free(c.t);
    return verdict;
}

wg_check_verdict wg_gradcheck(wg_tensor *y, wg_tensor *const xs[], wg_tensor *const gs[], int n,
                              const wg_gradcheck_options *options, wg_check_report reports[])
{
    wg_gradcheck_options o = options != NULL ? *options : (wg_gradcheck_options){0};
    o.radius = o.radius == 0 ? 0.1 : o.radius;
    if (!(o.single >= 0) || !(o.radius > 0))
        return wg_check_invalid(reports, n, "an option is out of its range");
    wg_check_verdict verdict = check_here(y, xs, gs, n, &o, reports);
    if (o.nearby > 0 && verdict != WG_CHECK_INVALID)
        verdict = check_severest(verdict, check_nearby(y, xs, gs, n, &o, reports));
    return verdict;
}
