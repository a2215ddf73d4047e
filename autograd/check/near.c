/* Owns the look at what lies between x and y at the steps of a derivative: where something does not
 * move smoothly there, no difference tells; where it has a kink, that is named. */
#include "autograd/check/gradcheck_internal.h"
#include "autograd/grad.h"

#include <float.h>
#include <math.h>
#include <string.h>

#if WG_HAS_WIDE
#define NEAR_EPSILON ((double)WG_WIDE_EPSILON)
#else
#define NEAR_EPSILON DBL_EPSILON
#endif
/* How steps fall, and what inner rounding makes of a bend beside the slope at the last of them. */
#define NEAR_SHARE (WG_WIDE_BITS > 100 ? 0x1.3p-7 : 0x1.3p-4)
#define NEAR_INNER (WG_WIDE_BITS > 100 ? 1e-12 : 1e-8)

/* How an entry moves at the step h: (right - left)/2h, (left - 2 there + right)/h, and what
 * rounding makes of them. */
typedef struct near_motion {
    double slope, bend, noise;
} near_motion;

/* What moves, all entries of it one after the other, at the point and on both sides of it. */
typedef struct near_look {
    wg_recorded *r;
    size_t entry;
    const double *direction; /* or NULL: the entry moves */
    wg_dtype dtype;
    int64_t size;
    wg_check_real *at[3];   /* left of the point, there, right of it */
    near_motion *before[2]; /* at the step before, and at the one before that */
} near_look;

static bool near_take(near_look *l)
{
    wg_arena *scratch = &l->r->t->scratch;
    for (int64_t i = 0; i < l->r->n; i++)
        l->size += l->r->node[i]->size;
    const size_t n = (size_t)l->size;
    for (int k = 0; k < 3; k++)
        if ((l->at[k] = wg_arena_take(scratch, n * sizeof(wg_check_real), WG_ALIGNMENT)) == NULL)
            return false;
    l->before[0] = wg_arena_take(scratch, 2 * n * sizeof(near_motion), WG_ALIGNMENT);
    l->before[1] = l->before[0] + n;
    return l->before[0] != NULL;
}

/* Moves the xs to t along the line, and keeps what comes out. */
static bool near_run(near_look *l, wg_check_real t, wg_check_real *to)
{
    const wg_recorded *r = l->r;
    for (int64_t i = 0; i < r->size; i++) {
        const wg_check_real v = l->direction != NULL ? (wg_check_real)l->direction[i]
                                                     : (wg_check_real)(i == (int64_t)l->entry);
        const wg_check_real x = wg_check_real_at(r->origin, i, l->dtype) + t * v;
        wg_check_real_set(r->values, i, l->dtype, x);
    }
    const bool ran = wg_recorded_evaluate(r);
    for (int64_t i = 0, k = 0; i < r->n && ran; i++)
        for (int64_t j = 0; j < r->node[i]->size; j++)
            to[k++] = wg_check_real_at(r->node[i]->data, j, r->node[i]->dtype);
    return ran;
}

static near_motion near_motion_of(const near_look *l, int64_t k, double h)
{
    const wg_check_real left = l->at[0][k], here = l->at[1][k], right = l->at[2][k];
    const double size = fmax(fabs((double)here), fmax(fabs((double)left), fabs((double)right)));
    const double epsilon = l->dtype == WG_WIDE ? NEAR_EPSILON : DBL_EPSILON;
    return (near_motion){(double)((right - left) / (wg_check_real)h) / 2,
                         (double)((left - here - here + right) / (wg_check_real)h),
                         64 * fmax(epsilon * size, l->dtype == WG_WIDE ? 0 : DBL_TRUE_MIN) / h};
}

/* How a slope or a bend goes on as the step falls, v[0] being the finest: it stays, within a
 * fiftieth (a logarithm's changes by more); it falls; or its changes do. */
static bool near_stays(double a, double b, double noise)
{
    return fabs(a - b) <= 0.02 * fmax(fabs(a), fabs(b)) + noise;
}

static bool near_converges(const double v[3], double noise)
{
    return near_stays(v[0], v[1], noise) || fabs(v[0]) <= 0.6 * fabs(v[1]) ||
           fabs(v[0] - v[1]) <= 0.3 * fabs(v[1] - v[2]);
}

/* All entries of the node, from entry k of all on: smooth, or with a kink that stays. */
static void near_judge(const near_look *l, const wg_tensor *y, int64_t k, double h,
                       wg_check_near *near)
{
    for (int64_t j = k; j < k + y->size; j++) {
        const near_motion m = near_motion_of(l, j, h), *before = l->before[0];
        const near_motion *first = l->before[1];
        const double slope[3] = {m.slope, before[j].slope, first[j].slope};
        const double bend[3] = {m.bend, before[j].bend, first[j].bend};
        if (y->dtype == WG_I64 || !isfinite((double)l->at[1][j]))
            continue;
        /* An op may round more inside than its result does: what is little beside the slope is no
         * bend. */
        const bool smooth = near_converges(slope, m.noise) &&
                            near_converges(bend, m.noise + NEAR_INNER * fabs(m.slope));
        if (near->rough == NULL && !smooth) /* NaN is not smooth */
            near->rough = y->op->name;
        if (near->kink == NULL && smooth && near_stays(bend[0], bend[1], 0) &&
            fabs(m.bend) > 1e-3 * fabs(m.slope) + m.noise)
            near->kink = y->op->name;
    }
}

/* Keeps how all entries move at the step h, and how they did at the one before. */
static void near_keep(near_look *l, double h)
{
    near_motion *last = l->before[1];
    l->before[1] = l->before[0];
    l->before[0] = last;
    for (int64_t k = 0; k < l->size; k++)
        last[k] = near_motion_of(l, k, h);
}

/* The steps are h and three fractions of it: what is only noise or only periodic grows as the step
 * shrinks. */
static void near_compare(near_look *l, double h, wg_check_near *near)
{
    const double share = l->dtype == WG_WIDE ? NEAR_SHARE : 0x1.3p-4;
    bool ran = near_run(l, 0, l->at[1]);
    for (int step = 0; step < 4 && ran; step++, h *= share) {
        ran = near_run(l, (wg_check_real)-h, l->at[0]) && near_run(l, (wg_check_real)h, l->at[2]);
        for (int64_t i = 0, k = 0; i < l->r->n && ran && step >= 2; k += l->r->node[i++]->size)
            near_judge(l, l->r->node[i], k, h, near);
        if (ran)
            near_keep(l, h);
    }
    if (!ran)
        near->rough = "an op that refuses the values there";
}

static void near_end(near_look *l, wg_arena_mark empty)
{
    const wg_recorded *r = l->r;
    memcpy(r->values, r->origin, (size_t)r->size * wg_dtype_size(l->dtype));
    wg_arena_rewind(&r->t->scratch, empty);
}

/* ---- Rounding inside ------------------------------------------------------------------------- */

double wg_check_rounds(wg_recorded *r, double step, double gap, const char **op)
{
    wg_tape *t = r->t;
    const double epsilon = r->xs[0]->dtype == WG_WIDE ? NEAR_EPSILON : DBL_EPSILON;
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    double most = 0;
    *op = NULL;
    wg_recorded_evaluate(r);
    wg_mark mark = wg_tape_mark(t);
    wg_tensor **gs = wg_arena_take(&t->scratch, (size_t)r->n * sizeof *gs, sizeof(void *));
    if (gs != NULL && r->n > 0 &&
        wg_vjp_many(r->ys, r->cotangents, r->m, r->node, (int)r->n, gs) == WG_OK)
        for (int64_t i = 0; i < r->n; i++)
            for (int64_t k = 0; k < gs[i]->size; k++) {
                const double here = fabs(wg_element(gs[i], k) * wg_element(r->node[i], k));
                *op = here > most ? r->node[i]->op->name : *op;
                most = fmax(most, here);
            }
    wg_arena_rewind(&t->scratch, empty);
    wg_tape_rewind(t, mark);
    if (64 * epsilon * most / step >= gap / 4)
        return most;
    *op = NULL;
    return 0;
}

wg_check_near wg_check_look_near(wg_recorded *r, size_t entry, const double *direction, double step,
                                 double gap)
{
    wg_arena_mark empty = wg_arena_height(&r->t->scratch);
    near_look l = {.r = r, .entry = entry, .direction = direction, .dtype = r->xs[0]->dtype};
    wg_check_near near = {NULL, NULL, false};
    if (near_take(&l))
        near_compare(&l, step, &near);
    near_end(&l, empty);
    if (near.rough == NULL && gap > 0) {
        wg_check_rounds(r, step, gap, &near.rough);
        near.rounds = near.rough != NULL;
    }
    return near;
}

/* ---- Branches -------------------------------------------------------------------------------- */

/* Has y, which keeps its value, another one now? */
static bool near_has_switched(const wg_tensor *y)
{
    wg_arena *scratch = &y->tape->scratch;
    wg_arena_mark empty = wg_arena_height(scratch);
    const wg_tensor *all = wg_view_root(y);
    const size_t bytes = (size_t)all->size * wg_dtype_size(all->dtype);
    wg_tensor run = *all, now = *y;
    char *data = run.data = wg_arena_take(scratch, bytes + 1, WG_ALIGNMENT);
    bool switched = data != NULL && wg_node_run(&run);
    if (switched) {
        now.data = data + ((const char *)y->data - (const char *)all->data);
        switched = !wg_check_same_bits(&now, y);
    }
    if (y->tape->status != WG_OK) {
        y->tape->status = WG_OK;
        y->tape->message[0] = '\0';
    }
    wg_arena_rewind(scratch, empty);
    return switched;
}

const char *wg_check_branch(wg_recorded *r, size_t entry, const double *direction, double step)
{
    wg_arena_mark empty = wg_arena_height(&r->t->scratch);
    near_look l = {.r = r, .entry = entry, .direction = direction, .dtype = r->xs[0]->dtype};
    const char *op = NULL;
    bool taken = r->n_branches > 0 && near_take(&l);
    for (int side = -1; side <= 1 && taken && op == NULL; side += 2)
        if (near_run(&l, (wg_check_real)(side * step), l.at[0]))
            for (int64_t i = 0; i < r->n_branches && op == NULL; i++)
                op = near_has_switched(r->branch[i]) ? wg_view_root(r->branch[i])->op->name : NULL;
    near_end(&l, empty);
    return op;
}

#undef NEAR_EPSILON
#undef NEAR_SHARE
#undef NEAR_INNER
