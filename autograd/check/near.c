/* Owns the look at what lies between x and y at the steps of a derivative: where something does not
 * move smoothly there, no difference tells; where it has a kink, that is named. */
#include "autograd/check/gradcheck_internal.h"

#include <math.h>
#include <string.h>

#if WG_HAS_WIDE
typedef wg_wide near_real;
#define NEAR_EPSILON ((double)WG_WIDE_EPSILON)
#else
typedef double near_real;
#define NEAR_EPSILON DBL_EPSILON
#endif

static near_real near_get(const void *values, int64_t i, wg_dtype dtype)
{
#if WG_HAS_WIDE
    if (dtype == WG_WIDE)
        return ((const near_real *)values)[i];
#endif
    return dtype == WG_F64 ? (near_real)((const double *)values)[i] : 0;
}

/* What moves, all entries of it one after the other, at the point and on both sides of it. */
typedef struct near_look {
    wg_recorded *r;
    size_t entry;
    const double *direction; /* or NULL: the entry moves */
    wg_dtype dtype;
    int64_t size;
    near_real *at[3];     /* left of the point, there, right of it */
    double *slope, *bend; /* of the coarser step: (right - left)/2h, (left - 2 there + right)/h */
} near_look;

static bool near_take(near_look *l)
{
    wg_arena *scratch = &l->r->t->scratch;
    for (int64_t i = 0; i < l->r->n; i++)
        l->size += l->r->node[i]->size;
    const size_t n = (size_t)l->size;
    for (int k = 0; k < 3; k++)
        if ((l->at[k] = wg_arena_take(scratch, n * sizeof(near_real), WG_ALIGNMENT)) == NULL)
            return false;
    l->slope = wg_arena_take(scratch, 2 * n * sizeof(double), WG_ALIGNMENT);
    l->bend = l->slope + n;
    return l->slope != NULL;
}

/* Moves the xs to t along the line, and keeps what comes out. */
static bool near_run(near_look *l, near_real t, near_real *to)
{
    const wg_recorded *r = l->r;
    for (int64_t i = 0; i < r->size; i++) {
        const near_real v = l->direction != NULL ? (near_real)l->direction[i]
                                                 : (near_real)(i == (int64_t)l->entry);
        const near_real x = near_get(r->origin, i, l->dtype) + t * v;
#if WG_HAS_WIDE
        if (l->dtype == WG_WIDE)
            ((near_real *)r->values)[i] = x;
        else
#endif
            ((double *)r->values)[i] = (double)x;
    }
    const bool ran = wg_recorded_evaluate(r);
    for (int64_t i = 0, k = 0; i < r->n && ran; i++)
        for (int64_t j = 0; j < r->node[i]->size; j++)
            to[k++] = near_get(r->node[i]->data, j, r->node[i]->dtype);
    return ran;
}

/* How an entry moves at the step h. */
typedef struct near_motion {
    double slope, bend, noise;
} near_motion;

static near_motion near_motion_of(const near_look *l, int64_t k, double h)
{
    const near_real left = l->at[0][k], here = l->at[1][k], right = l->at[2][k];
    const double size = fmax(fabs((double)here), fmax(fabs((double)left), fabs((double)right)));
    const double epsilon = l->dtype == WG_WIDE ? NEAR_EPSILON : DBL_EPSILON;
    return (near_motion){(double)((right - left) / (near_real)h) / 2,
                         (double)((left - here - here + right) / (near_real)h),
                         64 * fmax(epsilon * size, l->dtype == WG_WIDE ? 0 : DBL_TRUE_MIN) / h};
}

/* Is a the value b again, within a fiftieth (a logarithm's changes by more); or has it fallen with
 * the step? */
static bool near_same(double a, double b, double noise)
{
    return fabs(a - b) <= 0.02 * fmax(fabs(a), fabs(b)) + noise;
}

static bool near_follows(double fine, double coarse, double noise)
{
    return near_same(fine, coarse, noise) || fabs(fine) <= 0.6 * fabs(coarse);
}

/* The verdict on all entries of the node, from entry k of all on: smooth, or with a kink that
 * stays. */
static void near_judge(const near_look *l, const wg_tensor *y, int64_t k, double h,
                       wg_check_near *near)
{
    for (int64_t j = k; j < k + y->size; j++) {
        const near_motion m = near_motion_of(l, j, h);
        if (y->dtype == WG_I64 || !isfinite((double)l->at[1][j]))
            continue;
        const bool smooth = near_follows(m.slope, l->slope[j], m.noise) &&
                            near_follows(m.bend, l->bend[j], m.noise);
        if (near->rough == NULL && !smooth) /* NaN is not smooth */
            near->rough = y->op->name;
        if (near->kink == NULL && smooth && near_same(m.bend, l->bend[j], 0) &&
            fabs(m.bend) > 1e-3 * fabs(m.slope) + m.noise)
            near->kink = y->op->name;
    }
}

/* Keeps how all entries move at the step h; false: an op refuses the values there. */
static bool near_move(near_look *l, double h)
{
    return near_run(l, (near_real)-h, l->at[0]) && near_run(l, (near_real)h, l->at[2]);
}

static void near_keep(near_look *l, double h)
{
    for (int64_t k = 0; k < l->size; k++) {
        const near_motion m = near_motion_of(l, k, h);
        l->slope[k] = m.slope;
        l->bend[k] = m.bend;
    }
}

/* The steps are h and two fractions of it: what is only noise or only periodic grows as the step
 * shrinks. */
static void near_compare(near_look *l, double h, wg_check_near *near)
{
    const double share = l->dtype == WG_WIDE ? 0x1.3p-7 : 0x1.3p-4;
    bool ran = near_run(l, 0, l->at[1]) && near_move(l, h);
    for (int step = 1; step < 3 && ran; step++) {
        near_keep(l, h);
        h *= share;
        ran = near_move(l, h);
        for (int64_t i = 0, k = 0; i < l->r->n && ran; k += l->r->node[i++]->size)
            near_judge(l, l->r->node[i], k, h, near);
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

wg_check_near wg_check_look_near(wg_recorded *r, size_t entry, const double *direction, double step)
{
    wg_arena_mark empty = wg_arena_height(&r->t->scratch);
    near_look l = {.r = r, .entry = entry, .direction = direction, .dtype = r->xs[0]->dtype};
    wg_check_near near = {NULL, NULL};
    if (near_take(&l))
        near_compare(&l, step, &near);
    near_end(&l, empty);
    return near;
}

/* ---- Branches
 * -------------------------------------------------------------------------------------- */

/* Has y, which keeps its value, another one now? */
static bool near_has_switched(const wg_tensor *y)
{
    wg_arena *scratch = &y->tape->scratch;
    wg_arena_mark empty = wg_arena_height(scratch);
    const size_t bytes = (size_t)y->size * wg_dtype_size(y->dtype);
    wg_tensor now = *y;
    now.data = wg_arena_take(scratch, bytes + 1, WG_ALIGNMENT);
    const bool switched = now.data != NULL && wg_node_run(&now) &&
                          memcmp(now.data, y->data, bytes) != 0;
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
        if (near_run(&l, (near_real)(side * step), l.at[0]))
            for (int64_t i = 0; i < r->n_branches && op == NULL; i++)
                op = near_has_switched(r->branch[i]) ? r->branch[i]->op->name : NULL;
    near_end(&l, empty);
    return op;
}

#undef NEAR_EPSILON
