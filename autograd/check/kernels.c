/* Owns the look at each kernel alone: those of f64 beside their wide twins, those of f32 beside
 * f64's. Wrong is what no rounding explains. */
#include "autograd/check/gradcheck_internal.h"
#include "autograd/rng.h"
#include "autograd/tape.h"

#include <float.h>
#include <math.h>
#include <string.h>

bool wg_check_is_op(const wg_op *a, const wg_op *b)
{
    return a == b || (a->forward == b->forward && a->attr_size == b->attr_size &&
                      strcmp(a->name, b->name) == 0);
}

/* ---- One kernel ------------------------------------------------------------------------------ */

/* What the twin of a node in a larger dtype, or the node itself, gives for the values that the
 * node's operands hold, each off by up to `spread` of itself, otherwise for every point; with a
 * spread of 1 for values of that sign from 1/2 to 3/2. NULL: out of memory, or the op refuses
 * them. */
static void *kernel_run(const wg_tensor *x, wg_tensor *twin, double spread, uint64_t point,
                        wg_arena *scratch)
{
    void **values = wg_arena_take(scratch, (size_t)x->n_operands * sizeof *values, sizeof(void *));
    bool complete = values != NULL;
    for (int k = 0; complete && k < x->n_operands; k++) {
        wg_tensor moved = *twin->operand[k];
        values[k] = NULL;
        if (moved.dtype == WG_I64)
            continue;
        const size_t bytes = (size_t)moved.size * wg_dtype_size(moved.dtype);
        complete = (values[k] = moved.data = wg_arena_take(scratch, bytes, WG_ALIGNMENT)) != NULL;
        for (int64_t i = 0; complete && i < moved.size; i++) {
            const double draw = 2 * wg_random_uniform(point, (uint64_t)k, (uint64_t)i) - 1;
            const double at = wg_element(x->operand[k], i);
            wg_set_element(&moved, i,
                           spread < 1 ? at * (1 + spread * draw) : copysign(1 + draw / 2, at));
        }
    }
    return complete ? wg_check_run_on(twin, values, scratch) : NULL;
}

/* What a kernel gave, and what its twin gives for the same operands and for some beside them. */
typedef struct kernel_values {
    const wg_tensor *x;
    const void *want, *near; /* [size of x] */
    double share;            /* of the value, which is more than rounding makes of it */
    double most;             /* more than this is too large for x's dtype */
    double lost;             /* see kernel_lost */
    wg_dtype dtype;          /* of want and near */
} kernel_values;

/* What may vanish below the normal numbers on the way is carried on by the largest operand. */
static double kernel_lost(const wg_tensor *x, double least)
{
    double largest = 1;
    for (int k = 0; k < x->n_operands; k++)
        for (int64_t i = 0; i < x->operand[k]->size && x->operand[k]->dtype != WG_I64; i++)
            if (isfinite(wg_element(x->operand[k], i)))
                largest = fmax(largest, fabs(wg_element(x->operand[k], i)));
    return least * largest;
}

/* What entry i should be, and by how much it differs beside the operands; NaN: nothing can be said:
 * what x's dtype cannot hold, or what overflows in double on the way, is no fault of the kernel's,
 * and at the end of the domain, where rounding an operand leaves it, there is no measure. */
static void kernel_entry(const kernel_values *v, int64_t i, double *want, double *beside)
{
#if WG_HAS_WIDE
    if (v->dtype == WG_WIDE) {
        const wg_wide w = ((const wg_wide *)v->want)[i];
        *want = (double)w;
        *beside = (double)(((const wg_wide *)v->near)[i] - w);
    } else
#endif
    {
        *want = ((const double *)v->want)[i];
        *beside = ((const double *)v->near)[i] - *want;
    }
    const bool overflows = v->dtype != WG_F64 && !isfinite(wg_element(v->x, i));
    if (!(fabs(*want) <= v->most) || !isfinite(*beside) || overflows)
        *want = *beside = (double)NAN;
}

/* The first entry at which a kernel is off by more than its share, and more than rounding its
 * operands makes; -1: none is. Each entry counts by itself; a loop is many kernels, whose entries
 * are measured by the largest. */
static int64_t kernel_first_off(const kernel_values *v)
{
    const bool loop = v->x->operand[0]->op == &wg_op_body;
    double want, beside, largest = 0, near = 0;
    for (int64_t i = 0; i < v->x->size && loop; i++) {
        kernel_entry(v, i, &want, &beside);
        largest = fmax(largest, fabs(want));
        near = fmax(near, fabs(beside));
    }
    for (int64_t i = 0; i < v->x->size; i++) {
        kernel_entry(v, i, &want, &beside);
        const double here = wg_element(v->x, i), size = loop ? largest : fabs(want);
        const double most = v->share * size + 64 * (loop ? near : fabs(beside)) + v->lost;
        if (!isnan(want) && !(fabs(here - want) <= most))
            return i;
    }
    return -1;
}

/* The values beside may excuse what is off. */
static int64_t kernel_first_unexcused(kernel_values *v, wg_tensor *twin, double spread,
                                      wg_arena *scratch, bool *no_memory)
{
    v->near = v->want;
    if (kernel_first_off(v) < 0)
        return -1;
    v->near = kernel_run(v->x, twin, spread, 1, scratch);
    *no_memory = *no_memory || v->near == NULL; /* both kernels took these values before */
    return v->near != NULL ? kernel_first_off(v) : -1;
}

enum { KERNEL_POINTS = 12 };

/* Is the kernel off by much the same share, more than `most`, to one side at points around? Another
 * formula is; what rounding inside makes is not: 12 draws have one sign and lie within a factor of
 * four in one of 50,000 cases. */
static bool kernel_is_biased(wg_tensor *x, wg_tensor *twin, int64_t entry, double most,
                             wg_arena *scratch)
{
    double low = (double)INFINITY, high = -(double)INFINITY;
    for (uint64_t point = 1; point <= KERNEL_POINTS; point++) {
        wg_arena_mark empty = wg_arena_height(scratch);
        wg_tensor here = *x, full = *twin;
        here.data = kernel_run(x, x, 0x1p-8, point, scratch);
        full.data = kernel_run(x, twin, 0x1p-8, point, scratch);
        double share = (double)NAN;
        if (here.data != NULL && full.data != NULL)
            share = wg_element(&here, entry) / wg_element(&full, entry) - 1;
        wg_arena_rewind(scratch, empty);
        if (!isfinite(share))
            return false;
        low = fmin(low, share);
        high = fmax(high, share);
    }
    const double least = fmin(fabs(low), fabs(high));
    return low * high > 0 && least > most && least >= fmax(fabs(low), fabs(high)) / 4;
}

/* May rounding inside of the kernel explain what is off: 1 - cos(x) at 1e-9 is 0? It is no more
 * then than some digits of 1, or of the largest operand, and gone where operands are of size 1,
 * if there are any: what is drawn at random has fewer digits in f32. */
static bool kernel_rounds(const kernel_values *v, wg_tensor *x, wg_tensor *twin, int64_t entry,
                          double share, wg_arena *scratch)
{
    double want, beside;
    kernel_entry(v, entry, &want, &beside);
    const double epsilon = x->dtype == WG_F32 ? (double)FLT_EPSILON : DBL_EPSILON;
    if (!(fabs(wg_element(x, entry) - want) <= kernel_lost(x, 64 * epsilon)))
        return false;
    bool moves = false;
    for (int k = 0; k < x->n_operands; k++)
        moves = moves || x->operand[k]->dtype != WG_I64;
    wg_tensor here = *x, full = *twin;
    here.data = kernel_run(x, x, 1, 1, scratch);
    full.data = kernel_run(x, twin, 1, 1, scratch);
    if (here.data == NULL || full.data == NULL || !moves)
        return true;
    want = wg_element(&full, entry);
    return !isfinite(want) || fabs(wg_element(&here, entry) - want) <= share * fabs(want);
}

static const char *kernel_wrong_inside(const wg_tensor *x, wg_dtype full, bool *no_memory);

/* The node's op, or one in its body, whose kernel gives something else than its twin's in a larger
 * dtype; NULL: none does. By a thousandth, or by less, which is 500 units in the last place of f32
 * and 10^8 of f64 (and, where rounding the operands makes more, as many of these), at all points
 * around. In double a square vanishes below the root of the least number; in the twins of f32's
 * kernels none does. */
static const char *kernel_wrong(wg_tensor *x, wg_tensor *twin, wg_arena *scratch, bool *no_memory)
{
    wg_arena_mark empty = wg_arena_height(scratch);
    const bool f32 = x->dtype == WG_F32, loop = x->operand[0]->op == &wg_op_body;
    kernel_values at = {.x = x,
                        .want = kernel_run(x, twin, 0, 1, scratch),
                        .share = loop  ? 1e-3
                                 : f32 ? 3e-5
                                       : 1e-8,
                        .most = f32 ? (double)FLT_MAX / 2 : DBL_MAX,
                        .lost = kernel_lost(x, f32 ? (double)FLT_MIN : sqrt(DBL_MIN)),
                        .dtype = twin->dtype};
    bool wrong = at.want != NULL;
    *no_memory = *no_memory || !wrong;
    const double spread = loop || f32 ? 0x1p-22 : 0x1p-36;
    const int64_t off = wrong ? kernel_first_unexcused(&at, twin, spread, scratch, no_memory) : -1;
    wrong = off >= 0;
    if (wrong && !loop) {
        const double share = at.share;
        at.share = 1e-3;
        const int64_t far = kernel_first_unexcused(&at, twin, 0x1p-22, scratch, no_memory);
        wrong = (far >= 0 || kernel_is_biased(x, twin, off, share, scratch)) &&
                !kernel_rounds(&at, x, twin, far >= 0 ? far : off, share, scratch);
    }
    wg_arena_rewind(scratch, empty);
    if (wrong && x->op->holds != NULL)
        return kernel_wrong_inside(x, twin->dtype, no_memory);
    return wrong ? x->op->name : NULL;
}

/* Has the node, on a tape whose copy has its twin, a kernel that can be compared? */
static bool kernel_is_there(const wg_tensor *x, const wg_tensor *twin)
{
    return x->data != NULL && twin->data != NULL && x->n_operands > 0 &&
           !(x->op->flags & WG_OP_VIEW);
}

/* A loop is many kernels, and what one step decides or loses the next ones carry on: each is
 * compared alone, in every step. */
static const char *kernel_wrong_inside(const wg_tensor *x, wg_dtype full, bool *no_memory)
{
    const char *wrong = NULL;
    wg_check_steps s;
    for (wg_check_steps_begin(&s, x); wrong == NULL && wg_check_steps_next(&s);) {
        wg_tape *copy = wg_tape_copy(s.t, full);
        const bool good = s.t->status == WG_OK && copy->status == WG_OK;
        *no_memory = *no_memory || s.t->status == WG_E_NOMEM || copy->status == WG_E_NOMEM;
        for (int64_t i = 0; good && i < s.t->size && wrong == NULL; i++)
            if (s.t->node[i]->dtype == x->dtype && kernel_is_there(s.t->node[i], copy->node[i]) &&
                !wg_is_discrete(s.t->node[i]))
                wrong = kernel_wrong(s.t->node[i], copy->node[i], &copy->scratch, no_memory);
        wg_tape_free(copy);
    }
    wg_check_steps_end(&s);
    return wrong;
}

/* ---- Of f32 ---------------------------------------------------------------------------------- */

/* The first op that y and the gs, on the user's tape, are computed with whose kernel of f32 is off;
 * NULL: none is. */
const char *wg_check_wrong_single(wg_tape *t, wg_tensor *y, wg_tensor *const gs[], int n,
                                  bool *no_memory)
{
    wg_tape *copy = wg_tape_copy(t, WG_F64);
    int64_t last = y->index;
    for (int i = 0; i < n; i++)
        last = gs[i]->index > last ? gs[i]->index : last;
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    bool *needed = wg_arena_take(&t->scratch, 2 * ((size_t)last + 1), 1);
    const char *wrong = NULL;
    *no_memory = copy->status == WG_E_NOMEM || needed == NULL;
    if (copy->status == WG_OK && needed != NULL) {
        wg_mark_needed(t, gs, n, last, needed);
        wg_mark_needed(t, &y, 1, y->index, needed + last + 1);
        for (int64_t i = 0; i <= last && wrong == NULL; i++) {
            wg_tensor *x = t->node[i];
            const bool used = needed[i] || (i <= y->index && needed[last + 1 + i]);
            if (used && x->dtype == WG_F32 && kernel_is_there(x, copy->node[i]))
                wrong = kernel_wrong(x, copy->node[i], &copy->scratch, no_memory);
        }
    }
    wg_arena_rewind(&t->scratch, empty);
    wg_tape_free(copy);
    return wrong;
}

/* ---- Of f64 ---------------------------------------------------------------------------------- */

#if WG_HAS_WIDE

/* Is twin the same node on the wide tape? A rule may record something else there. */
static bool kernel_is_twin(const wg_tensor *x, const wg_tensor *twin)
{
    const size_t size = x->op->attr_size;
    bool same = wg_check_is_op(x->op, twin->op) && x->dtype == WG_F64 && twin->dtype == WG_WIDE &&
                wg_shape_same(&x->shape, &twin->shape) && x->n_operands == twin->n_operands &&
                (size == 0 || memcmp(x->attrs, twin->attrs, size) == 0);
    for (int k = 0; k < x->n_operands && same; k++)
        same = wg_shape_same(&x->operand[k]->shape, &twin->operand[k]->shape);
    return same;
}

/* Are the values of x, computed from other kernels' values, those of its wide twin, which were
 * computed from wide ones? Then its kernel is right: for an error of its own to be hidden, those
 * before it would have to make up for it. */
static bool kernel_agrees(const wg_tensor *x, const wg_tensor *twin)
{
    const double *here = x->data;
    const wg_wide *want = twin->data;
    for (int64_t i = 0; i < x->size; i++)
        if (!(fabs(here[i] - (double)want[i]) <= 1e-9 * fabs(here[i])))
            return false;
    return true;
}

enum { KERNEL_AHEAD = 8 };

const char *wg_check_wrong_kernel(const wg_check_session *s, const wg_check_session *wide)
{
    bool no_memory = false; /* then a kernel is not compared */
    const char *wrong = NULL;
    /* Rules may record more in wide floats, for digits that no double has. */
    int64_t next = wide->t->before;
    for (int64_t i = s->t->before; i < s->t->size && wrong == NULL; i++) {
        wg_tensor *x = s->t->node[i];
        int64_t k = next;
        while (k < wide->t->size && k < next + KERNEL_AHEAD && !kernel_is_twin(x, wide->t->node[k]))
            k++;
        if (k == wide->t->size || k == next + KERNEL_AHEAD)
            continue;
        next = k + 1;
        if (!wg_is_stale(x) && kernel_is_there(x, wide->t->node[k]) && !wg_is_discrete(x) &&
            !kernel_agrees(x, wide->t->node[k]))
            wrong = kernel_wrong(x, wide->t->node[k], &wide->t->scratch, &no_memory);
    }
    return wrong;
}

#endif
