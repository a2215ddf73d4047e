/* Owns the look at an op's kinks with all its operands moving together: where entries tie, a rule
 * may be right for each alone and still give more, or less, than there is. */
#include "autograd/check/function_internal.h"
#include "autograd/check/gradcheck_internal.h"
#include "autograd/rng.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define TIE_ABS(x)    ((x) < 0 ? -(x) : (x))
#define TIE_MAX(a, b) ((a) > (b) ? (a) : (b))

/* What moves: no cotangent comes to a condition, which is held, or moved for another look. */
typedef enum tie_part { TIE_FREE, TIE_HELD, TIE_MOVES_WITH_XS } tie_part;

/* An op as a function of its operands of its own dtype, wide or f64, one after the other. */
typedef struct tie_local {
    const wg_recorded *r;
    wg_tensor *node; /* the op as it stands on the tape */
    wg_tensor y, *x; /* copies of it and of its operands [n_operands], with data of their own */
    wg_check_real *values, *origin; /* [n]: now; on the tape, or at a point around */
    wg_check_real *home, *claim;    /* [n]: on the tape; what the rule says of the output */
    wg_check_real epsilon;          /* of the dtype */
    double *direction;              /* [n] */
    tie_part *part;                 /* [n] */
    wg_tensor *cotangent;           /* 1 at the output, 0 elsewhere */
    size_t n;
    int64_t output;
} tie_local;

enum { TIE_OUTPUTS = 8, TIE_DIRECTIONS = 10, TIE_POINTS = 16 };

static void *tie_take(const tie_local *l, size_t count, size_t size)
{
    return wg_arena_take(&l->node->tape->scratch, count * size, WG_ALIGNMENT);
}

/* What the rule says of operand i; NULL: nothing, or (*good false) nothing of use. */
static const wg_tensor *tie_rule(tie_local *l, int i, bool *good)
{
    wg_tensor *y = l->node;
    const wg_tensor *dx = wg_check_rule(y, l->cotangent, i);
    *good = y->tape->status == WG_OK &&
            (dx == NULL || (dx->tape == y->tape && dx->dtype == y->dtype && dx->data != NULL &&
                            dx->size == y->operand[i]->size));
    return *good ? dx : NULL;
}

static wg_check_real tie_here(const tie_local *l, int64_t j)
{
    return wg_check_real_at(l->node->data, j, l->node->dtype);
}

/* Gives operands of the dtype memory of their own. */
static bool tie_adopt(tie_local *l)
{
    size_t at = 0;
    bool good = true;
    for (int k = 0; k < l->y.n_operands && good; k++) {
        wg_tensor *x = &l->x[k];
        l->y.operand[k] = x;
        *x = *l->node->operand[k];
        if (x->dtype != l->y.dtype)
            continue;
        const bool moves = wg_recorded_place(l->r, l->node->operand[k]) >= 0;
        const tie_part part = tie_rule(l, k, &good) != NULL ? TIE_FREE
                              : moves                       ? TIE_MOVES_WITH_XS
                                                            : TIE_HELD;
        for (int64_t i = 0; i < x->size; i++, at++) {
            l->home[at] = wg_check_real_at(x->data, i, x->dtype);
            l->part[at] = part;
        }
        x->data = tie_take(l, (size_t)x->size, wg_dtype_size(x->dtype));
        good = good && x->data != NULL;
    }
    memcpy(l->origin, l->home, l->n * sizeof *l->origin);
    memcpy(l->values, l->home, l->n * sizeof *l->values);
    return good;
}

static bool tie_begin(tie_local *l, const wg_recorded *r, wg_tensor *y)
{
    *l = (tie_local){.r = r, .node = y, .y = *y};
    for (int k = 0; k < y->n_operands; k++)
        if (y->operand[k]->dtype == y->dtype)
            l->n += (size_t)y->operand[k]->size;
    l->x = tie_take(l, (size_t)y->n_operands, sizeof *l->x);
    l->y.operand = tie_take(l, (size_t)y->n_operands, sizeof *l->y.operand);
    l->y.data = tie_take(l, (size_t)y->size, wg_dtype_size(y->dtype));
    l->values = tie_take(l, 4 * l->n, sizeof *l->values);
    l->direction = tie_take(l, l->n, sizeof *l->direction);
    l->part = tie_take(l, l->n, sizeof *l->part);
    l->cotangent = wg_zeros_like(y);
    if (l->x == NULL || l->y.operand == NULL || l->y.data == NULL || l->values == NULL ||
        l->direction == NULL || l->part == NULL || wg_is_inert(l->cotangent))
        return false;
    l->origin = l->values + l->n;
    l->claim = l->origin + l->n;
    l->home = l->claim + l->n;
    l->epsilon = (wg_check_real)DBL_EPSILON;
#if WG_HAS_WIDE
    if (y->dtype == WG_WIDE)
        l->epsilon = WG_WIDE_EPSILON;
#endif
    return tie_adopt(l);
}

/* Runs the op on the values. */
static bool tie_run(tie_local *l)
{
    const wg_check_real *from = l->values;
    for (int k = 0; k < l->y.n_operands; k++)
        for (int64_t i = 0; l->x[k].dtype == l->y.dtype && i < l->x[k].size; i++)
            wg_check_real_set(l->x[k].data, i, l->x[k].dtype, *from++);
    if (wg_node_run(&l->y))
        return true;
    l->y.tape->status = WG_OK;
    l->y.tape->message[0] = '\0';
    return false;
}

/* ---- Which outputs have a kink --------------------------------------------------------------- */

/* Direction 0 is the claim itself, 1 moves all alike, the others are random: each entry by its own
 * size, or by 1. `all`: what moves with the xs, too. */
static void tie_draw(tie_local *l, int number, bool all)
{
    wg_check_real largest = 1;
    for (size_t i = 0; i < l->n && number == 0; i++)
        largest = TIE_MAX(largest, TIE_ABS(l->claim[i]));
    for (size_t i = 0; i < l->n; i++) {
        const double x = fmin(fabs((double)l->home[i]), 0x1p1000); /* no draw makes it infinite */
        const double draw = number == 0   ? (double)(l->claim[i] / largest)
                            : number == 1 ? 1
                                          : wg_random_normal(WG_CHECK_LOCAL, (uint64_t)number, i);
        const bool moves = l->part[i] == TIE_FREE || (all && l->part[i] == TIE_MOVES_WITH_XS);
        l->direction[i] = moves ? draw * (x > 0 ? x : 1) : 0;
    }
}

/* What y holds at t along the direction; NULL without memory, or where the op refuses that. */
static wg_check_real *tie_at(tie_local *l, wg_check_real t)
{
    wg_check_real *to = tie_take(l, (size_t)l->y.size, sizeof *to);
    for (size_t i = 0; i < l->n; i++)
        l->values[i] = l->origin[i] + t * (wg_check_real)l->direction[i];
    const bool ran = to != NULL && tie_run(l);
    for (int64_t j = 0; j < l->y.size && ran; j++)
        to[j] = wg_check_real_at(l->y.data, j, l->y.dtype);
    memcpy(l->values, l->origin, l->n * sizeof *l->values);
    return ran ? to : NULL;
}

/* What all outputs change by per unit of the step h, to the left and to the right. */
typedef struct tie_slopes {
    wg_check_real h, *here, *left, *right;
} tie_slopes;

static bool tie_take_slopes(tie_local *l, wg_check_real h, tie_slopes *s)
{
    *s = (tie_slopes){h, tie_at(l, 0), tie_at(l, -h), tie_at(l, h)};
    const bool taken = s->here != NULL && s->left != NULL && s->right != NULL;
    for (int64_t j = 0; taken && j < l->y.size; j++) {
        s->left[j] = (s->here[j] - s->left[j]) / h;
        s->right[j] = (s->right[j] - s->here[j]) / h;
    }
    return taken;
}

static wg_check_real tie_step(const tie_local *l)
{
    return (wg_check_real)sqrt((double)l->epsilon);
}

/* Do two derivatives of output j differ, by more than rounding makes? */
static bool tie_differ(const tie_local *l, wg_check_real a, wg_check_real b, wg_check_real h,
                       int64_t j)
{
    const wg_check_real jump = TIE_ABS(b - a), size = TIE_ABS(a) + TIE_ABS(b);
    return jump > size / 1000000 && jump > 256 * l->epsilon * TIE_ABS(tie_here(l, j)) / h;
}

/* Are those to the left and to the right of output j different, and at both steps alike? */
static bool tie_is_kink(const tie_local *l, const tie_slopes *coarse, const tie_slopes *fine,
                        int64_t j)
{
    const wg_check_real left = fine->left[j], right = fine->right[j], jump = TIE_ABS(right - left);
    return tie_differ(l, left, right, fine->h, j) && TIE_ABS(left - coarse->left[j]) <= jump / 10 &&
           TIE_ABS(right - coarse->right[j]) <= jump / 10;
}

/* The outputs, some of many, that have a kink along a random direction; or -1. */
static void tie_find(tie_local *l, int64_t output[TIE_OUTPUTS])
{
    const wg_check_real h = tie_step(l);
    tie_slopes coarse, fine;
    int found = 0;
    for (int k = 0; k < TIE_OUTPUTS; k++)
        output[k] = -1;
    tie_draw(l, TIE_DIRECTIONS, false);
    if (!tie_take_slopes(l, h, &coarse) || !tie_take_slopes(l, h / 77, &fine))
        return;
    for (int64_t j = 0; j < l->y.size; j++) {
        if (!tie_is_kink(l, &coarse, &fine, j))
            continue;
        const int64_t place = wg_random_below(WG_CHECK_LOCAL, 0, (uint64_t)j, found + 1);
        if (found < TIE_OUTPUTS || place < TIE_OUTPUTS)
            output[found < TIE_OUTPUTS ? found : place] = j;
        found++;
    }
}

/* Does a condition change at the point itself, so that derivatives are others where it moves,
 * too? */
static bool tie_has_branch(tie_local *l)
{
    const wg_check_real h = tie_step(l);
    tie_slopes held, all;
    bool branch = false;
    tie_draw(l, TIE_DIRECTIONS, false);
    if (!tie_take_slopes(l, h, &held))
        return false;
    tie_draw(l, TIE_DIRECTIONS, true);
    if (!tie_take_slopes(l, h, &all))
        return false;
    for (int64_t j = 0; j < l->y.size && !branch; j++)
        branch = tie_differ(l, held.left[j], all.left[j], h, j) ||
                 tie_differ(l, held.right[j], all.right[j], h, j);
    return branch;
}

/* ---- Is the rule right there? ---------------------------------------------------------------- */

/* Sets the claim for the output; false: there is none, or it is not finite. */
static bool tie_claim(tie_local *l)
{
    wg_check_real *to = l->claim;
    bool good = true;
    wg_set_element(l->cotangent, l->output, 1);
    for (int i = 0; i < l->y.n_operands && good; i++) {
        if (l->x[i].dtype != l->y.dtype)
            continue;
        const wg_tensor *dx = tie_rule(l, i, &good);
        for (int64_t k = 0; k < l->x[i].size && good; k++, to++) {
            *to = dx != NULL ? wg_check_real_at(dx->data, k, dx->dtype) : 0;
            good = isfinite((double)*to);
        }
    }
    wg_set_element(l->cotangent, l->output, 0);
    return good;
}

#if WG_HAS_WIDE
/* How much the output is more than it is on the tape. */
static wg_wide tie_value(const wg_wide *x, void *local)
{
    tie_local *l = local;
    (void)x; /* is l->values */
    return tie_run(l) ? wg_check_real_at(l->y.data, l->output, WG_WIDE) - tie_here(l, l->output)
                      : (wg_wide)NAN;
}

static wg_check_outcome tie_judge_wide(tie_local *l, int k, wg_check_real claimed)
{
    wg_check_entry e;
    wg_wide_line line = {.f = tie_value,
                         .user = l,
                         .x = l->values,
                         .n = l->n,
                         .direction = l->direction,
                         .origin = l->origin,
                         .seed = 1,
                         .rounded = TIE_ABS(tie_here(l, l->output))};
    if (!wg_wide_line_begin(&line, 0))
        return WG_ENTRY_UNRESOLVED;
    wg_wide_judge(&line, (size_t)k, claimed, &e);
    return e.outcome;
}
#endif

/* The derivatives of the output along the direction, from the least to the largest. */
typedef struct tie_range {
    wg_check_real low, high;
} tie_range;

static bool tie_in_range(const tie_range *r, wg_check_real claimed)
{
    const wg_check_real size = TIE_ABS(r->low) + TIE_ABS(r->high) + TIE_ABS(claimed);
    return claimed >= r->low - size / 1000 && claimed <= r->high + size / 1000;
}

static void tie_widen(tie_range *r, wg_check_real slope)
{
    r->low = slope < r->low ? slope : r->low;
    r->high = slope > r->high ? slope : r->high;
}

/* Those at point k around, where nothing ties. */
static void tie_look_around(tie_local *l, int k, tie_range *r)
{
    tie_slopes s;
    for (size_t i = 0; i < l->n; i++) {
        const double size = fabs((double)l->home[i]);
        const double draw = 2 * wg_random_uniform(WG_CHECK_LOCAL, (uint64_t)k, i) - 1;
        l->origin[i] = l->home[i] + (wg_check_real)(0x1.3p-16 * (size > 0 ? size : 1) * draw);
    }
    if (tie_take_slopes(l, tie_step(l), &s)) {
        const wg_check_real left = s.left[l->output], right = s.right[l->output];
        if (TIE_ABS(right - left) <= (TIE_ABS(left) + TIE_ABS(right)) / 1000)
            tie_widen(r, right);
    }
    memcpy(l->origin, l->home, l->n * sizeof *l->origin);
}

/* In double: to a thousandth. At the point two steps must agree, or nothing is said. */
static wg_check_outcome tie_judge_double(tie_local *l, wg_check_real claimed)
{
    const wg_check_real h = tie_step(l);
    const int64_t j = l->output;
    tie_slopes coarse, fine;
    if (!tie_take_slopes(l, h, &coarse) || !tie_take_slopes(l, h / 77, &fine))
        return WG_ENTRY_UNRESOLVED;
    tie_range r = {fine.left[j], fine.left[j]};
    tie_widen(&r, fine.right[j]);
    const wg_check_real most = (TIE_ABS(r.low) + TIE_ABS(r.high)) / 2000;
    if (!(TIE_ABS(fine.left[j] - coarse.left[j]) <= most &&
          TIE_ABS(fine.right[j] - coarse.right[j]) <= most))
        return WG_ENTRY_UNRESOLVED;
    for (int k = 0; k < TIE_POINTS && !tie_in_range(&r, claimed); k++)
        tie_look_around(l, k, &r);
    return tie_in_range(&r, claimed) ? WG_ENTRY_KINK : WG_ENTRY_DISAGREES;
}

/* Along each direction the claim must lie between the derivatives to the left and to the right, or
 * among those at points around. */
static wg_check_outcome tie_judge(tie_local *l)
{
    wg_check_outcome worst = WG_ENTRY_KINK, here;
    if (!tie_claim(l))
        return WG_ENTRY_UNRESOLVED;
    for (int k = 0; k < TIE_DIRECTIONS && worst != WG_ENTRY_DISAGREES; k++) {
        wg_arena_mark empty = wg_arena_height(&l->node->tape->scratch);
        wg_check_real claimed = 0;
        tie_draw(l, k, false);
        for (size_t i = 0; i < l->n; i++)
            claimed += l->claim[i] * (wg_check_real)l->direction[i];
#if WG_HAS_WIDE
        if (l->y.dtype == WG_WIDE)
            here = tie_judge_wide(l, k, claimed);
        else
#endif
            here = tie_judge_double(l, claimed);
        worst = here > worst ? here : worst;
        wg_arena_rewind(&l->node->tape->scratch, empty);
    }
    return worst;
}

static wg_check_outcome tie_judge_all(tie_local *l)
{
    wg_check_outcome worst = tie_has_branch(l) ? WG_ENTRY_KINK : WG_ENTRY_AGREES;
    int64_t output[TIE_OUTPUTS];
    tie_find(l, output);
    for (int k = 0; k < TIE_OUTPUTS && worst != WG_ENTRY_DISAGREES; k++) {
        l->output = output[k];
        if (l->output < 0)
            continue;
        const wg_check_outcome here = tie_judge(l);
        worst = here > worst ? here : worst;
    }
    return worst;
}

wg_check_outcome wg_check_ties(const wg_recorded *r, wg_tensor *y)
{
    wg_tape *t = y->tape;
    if ((y->dtype != WG_WIDE && y->dtype != WG_F64) || y->op->vjp == NULL ||
        (y->op->flags & WG_OP_VIEW))
        return WG_ENTRY_AGREES;
    wg_mark mark = wg_tape_mark(t);
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    tie_local l;
    const wg_check_outcome found = tie_begin(&l, r, y) ? tie_judge_all(&l) : WG_ENTRY_UNRESOLVED;
    wg_arena_rewind(&t->scratch, empty);
    wg_tape_rewind(t, mark);
    return found;
}

/* Of a loop: in each step, where what is a condition is held. */
const char *wg_check_wrong_ties(const wg_recorded *r, wg_tensor *y)
{
    static const wg_recorded none = {0};
    const char *wrong = NULL;
    wg_check_steps s;
    if (y->op->holds == NULL)
        return wg_check_ties(r, y) == WG_ENTRY_DISAGREES ? y->op->name : NULL;
    for (wg_check_steps_begin(&s, y); wrong == NULL && wg_check_steps_next(&s);)
        for (int64_t k = 0; k < s.t->size && s.t->status == WG_OK && wrong == NULL; k++)
            wrong = wg_check_wrong_ties(&none, s.t->node[k]);
    wg_check_steps_end(&s);
    return wrong;
}

#undef TIE_ABS
#undef TIE_MAX
