/* Owns the look at each wide kernel alone: those that pass through a narrower float stand still at
 * the steps of wide differences, which then say nothing of their rules. */
#include "autograd/check/function_internal.h"
#include "autograd/check/gradcheck_internal.h"
#include "autograd/rng.h"
#include "autograd/tape.h"

#include <float.h>
#include <math.h>
#include <string.h>

#if WG_STAIR_SHOWS

#define NARROW_ABS(x)    WG_F(wide, fabs)(x)
#define NARROW_MAX(a, b) WG_F(wide, fmax)(a, b)

/* An op alone, on copies of a node and of its operands, whose wide entries are numbered through. */
typedef struct narrow_op {
    wg_tensor y;
    wg_wide *here, *tiny, *down, *up; /* [size of y] without a step, and at three */
    wg_wide *from, *x;                /* [n] the entries, and where they move */
    int64_t n;
    bool drawn;         /* they are of size 1, not the node's own */
    wg_wide most;       /* the largest of them */
    int64_t entry, out; /* which of them and of y's make a function of one variable */
} narrow_op;

static bool narrow_run(narrow_op *l, wg_wide *to)
{
    l->y.data = to;
    if (wg_node_run(&l->y))
        return true;
    l->y.tape->status = WG_OK;
    l->y.tape->message[0] = '\0';
    return false;
}

/* Moves entries [begin, end) by about t of themselves, to either side. */
static void narrow_move(narrow_op *l, int64_t begin, int64_t end, wg_wide t)
{
    memcpy(l->x, l->from, (size_t)l->n * sizeof *l->x);
    for (int64_t i = begin; i < end; i++) {
        const double draw = 2 * wg_random_uniform(1, 0x57a12, (uint64_t)i) - 1;
        const double share = draw < 0 ? (draw - 1) / 2 : (draw + 1) / 2;
        l->x[i] += t * (wg_wide)share * l->x[i];
    }
}

/* The large step. At operands of size 1 it is more than the treads of a float; at others less, for
 * what bends and breaks near them. */
static wg_wide narrow_large(const narrow_op *l)
{
    return l->drawn ? (wg_wide)0x1p-20 : (wg_wide)0x1p-40;
}

/* The values at steps of entries [begin, end). */
static bool narrow_steps(narrow_op *l, int64_t begin, int64_t end)
{
    const wg_wide large = narrow_large(l);
    narrow_move(l, begin, end, (wg_wide)WG_STAIR_TINY);
    bool ran = narrow_run(l, l->tiny);
    narrow_move(l, begin, end, -large);
    ran = ran && narrow_run(l, l->down);
    narrow_move(l, begin, end, large);
    return ran && narrow_run(l, l->up);
}

/* Of what the kernel works with: that of y, or of what y changes by as the entries do by their own
 * size; may be more at operands of any size, up to their squares. */
static wg_wide narrow_size(const narrow_op *l, int64_t i)
{
    const wg_wide slope = (l->up[i] - l->down[i]) / (2 * narrow_large(l));
    const wg_wide size = NARROW_MAX(NARROW_ABS(l->here[i]), NARROW_ABS(slope));
    return l->drawn ? size : NARROW_MAX(NARROW_MAX(size, 1), l->most * l->most);
}

/* A kernel that is wide is smooth at all scales: its slopes at steps of 2^-70 and at large ones
 * differ by what its curvature and rounding make. One that rounds to p bits on its way stands still
 * on treads 2^-p wide: its slope at 2^-70 lacks what is rounded. */
static bool narrow_differs(const narrow_op *l, int64_t i)
{
    const wg_wide small = (l->tiny[i] - l->here[i]) / (wg_wide)WG_STAIR_TINY;
    const wg_wide large = (l->up[i] - l->down[i]) / (2 * narrow_large(l));
    return NARROW_ABS(large - small) > (wg_wide)0x1p-20 * narrow_size(l, i);
}

/* The entry that makes y's entry `out` differ. */
static int64_t narrow_entry(narrow_op *l, int64_t out)
{
    int64_t begin = 0, end = l->n;
    while (end - begin > 1) {
        const int64_t middle = begin + (end - begin) / 2;
        if (narrow_steps(l, begin, middle) && narrow_differs(l, out))
            end = middle;
        else
            begin = middle;
    }
    return begin;
}

static wg_wide narrow_value(wg_wide t, void *op)
{
    narrow_op *l = op;
    narrow_move(l, l->entry, l->entry + 1, t);
    return narrow_run(l, l->up) ? l->up[l->out] : (wg_wide)NAN;
}

/* Is x, where the kernel takes a riser, halfway between two numbers of a narrower float? */
static bool narrow_is_halfway(wg_wide x)
{
    static const int bits[] = {FLT_MANT_DIG, DBL_MANT_DIG, 64};
    int exponent;
    const wg_wide mantissa = WG_F(wide, frexp)(x, &exponent);
    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
        const wg_wide units = WG_F(wide, ldexp)(NARROW_ABS(mantissa), bits[i]);
        const wg_wide rest = units - WG_F(wide, floor)(units) - (wg_wide)0.5;
        if (NARROW_ABS(rest) < (wg_wide)0x1p-12)
            return true;
    }
    return false;
}

/* A feature nearby, or a value of which little more is left than rounding, makes slopes differ,
 * too: the stair is the proof. Of operands of size 1 its risers are far higher than rounding makes
 * anything. At others the digits may be lost that y is made of, as in (1 - cos x) / x^2 near 0:
 * then risers must be just where a narrower float has them. */
#define NARROW_RISER 0x1p-76

static bool narrow_is_stair(narrow_op *l, int64_t out)
{
    wg_wide riser, at[2];
    l->out = out;
    l->entry = narrow_entry(l, out);
    if (!narrow_steps(l, l->entry, l->entry + 1) || !narrow_differs(l, out) ||
        !wg_wide_is_stair(narrow_value, l, (wg_wide)NARROW_RISER * narrow_size(l, out), &riser, at))
        return false;
    bool halfway = true;
    for (int i = 0; i < 2; i++) {
        narrow_move(l, l->entry, l->entry + 1, at[i]);
        halfway = halfway && narrow_is_halfway(l->x[l->entry]);
    }
    return halfway || (l->drawn && riser > (wg_wide)NARROW_RISER);
}

#undef NARROW_RISER

enum { NARROW_SUSPECTS = 4 };

/* Is y a stair of one of the entries? */
static bool narrow_here(narrow_op *l)
{
    int64_t suspect[NARROW_SUSPECTS];
    int n = 0;
    if (narrow_run(l, l->here) && narrow_steps(l, 0, l->n))
        for (int64_t i = 0; i < l->y.size && n < NARROW_SUSPECTS; i++)
            if (narrow_differs(l, i))
                suspect[n++] = i;
    bool stair = false;
    for (int i = 0; i < n && !stair; i++)
        stair = narrow_is_stair(l, suspect[i]);
    return stair;
}

/* Of the op's domain, or from 1/2 to 3/2 with the sign of `here`. */
static wg_wide narrow_draw(const wg_op *op, int k, int64_t i, wg_wide here)
{
    const double high = wg_random_uniform(2, (uint64_t)k, 2 * (uint64_t)i);
    const double low = wg_random_uniform(2, (uint64_t)k, 2 * (uint64_t)i + 1) * 0x1p-53;
    const double least = k < 3 ? op->domain[k].low : 0, most = k < 3 ? op->domain[k].high : 0;
    const wg_wide share = (wg_wide)high + (wg_wide)low;
    if (least < most)
        return (wg_wide)least + share * ((wg_wide)most - (wg_wide)least);
    return here < 0 ? -share - (wg_wide)0.5 : share + (wg_wide)0.5;
}

/* Gives the entries the values of y's operands, or drawn ones. */
static void narrow_place(narrow_op *l, const wg_tensor *y, bool drawn)
{
    int64_t at = 0;
    l->drawn = drawn;
    l->most = 0;
    for (int k = 0; k < y->n_operands; k++) {
        const wg_tensor *x = y->operand[k];
        for (int64_t i = 0; x->dtype == WG_WIDE && i < x->size; i++, at++) {
            const wg_wide own = ((const wg_wide *)x->data)[i];
            l->x[at] = l->from[at] = drawn ? narrow_draw(y->op, k, i, own) : own;
            l->most = NARROW_MAX(l->most, NARROW_ABS(own));
        }
    }
}

static bool narrow_begin(narrow_op *l, const wg_tensor *y)
{
    wg_arena *scratch = &y->tape->scratch;
    const size_t list = (size_t)y->n_operands, size = (size_t)y->size;
    *l = (narrow_op){.y = *y};
    for (size_t k = 0; k < list; k++)
        l->n += y->operand[k]->dtype == WG_WIDE ? y->operand[k]->size : 0;
    wg_tensor *x = wg_arena_take(scratch, list * sizeof *x, WG_ALIGNMENT);
    l->y.operand = wg_arena_take(scratch, list * sizeof *l->y.operand, sizeof(void *));
    l->here = wg_arena_take(scratch, 4 * size * sizeof *l->here, WG_ALIGNMENT);
    l->x = wg_arena_take(scratch, 2 * (size_t)l->n * sizeof *l->x, WG_ALIGNMENT);
    if (x == NULL || l->y.operand == NULL || l->here == NULL || l->x == NULL)
        return false;
    l->tiny = l->here + size;
    l->down = l->tiny + size;
    l->up = l->down + size;
    l->from = l->x + l->n;
    wg_wide *at = l->x;
    for (size_t k = 0; k < list; k++) {
        x[k] = *y->operand[k];
        l->y.operand[k] = &x[k];
        if (x[k].dtype != WG_WIDE)
            continue;
        x[k].data = at;
        at += x[k].size;
    }
    return true;
}

/* Does y's kernel pass through a narrower float, at its own operands, or, where nothing else has
 * shown that, at those of size 1? */
static bool narrow_kernel(const wg_tensor *y, bool known, bool *no_memory)
{
    narrow_op l;
    bool narrow = false;
    wg_arena_mark empty = wg_arena_height(&y->tape->scratch);
    const bool begun = narrow_begin(&l, y);
    *no_memory = *no_memory || !begun;
    for (int drawn = 0; drawn < (known ? 1 : 2) && begun && l.n > 0 && !narrow; drawn++) {
        narrow_place(&l, y, drawn != 0);
        narrow = narrow_here(&l);
    }
    wg_arena_rewind(&y->tape->scratch, empty);
    return narrow;
}

/* Has one of the last nodes before the given one the same kernel? */
static bool narrow_is_known(const wg_tape *t, int64_t i)
{
    const wg_tensor *y = t->node[i];
    const size_t size = y->op->attr_size;
    for (int64_t k = i - 1; k >= 0 && k >= i - 64; k--) {
        const wg_tensor *other = t->node[k];
        if (other->op == y->op && other->dtype == WG_WIDE && other->data != NULL &&
            other->size > 0 && (size == 0 || memcmp(other->attrs, y->attrs, size) == 0))
            return true;
    }
    return false;
}

/* In the steps of a loop. */
static const char *narrow_inside(const wg_tensor *y, bool *no_memory)
{
    const char *narrow = NULL;
    wg_check_steps s;
    for (wg_check_steps_begin(&s, y); narrow == NULL && wg_check_steps_next(&s);) {
        *no_memory = *no_memory || s.t->status == WG_E_NOMEM;
        narrow = s.t->status == WG_OK ? wg_check_narrow(s.t, no_memory) : NULL;
    }
    wg_check_steps_end(&s);
    return narrow;
}

/* Has y a narrower dtype than an operand? On a wide tape no node that the user recorded has: a rule
 * asked for f64. */
static bool narrow_by_dtype(const wg_tensor *y)
{
    bool narrow = false;
    for (int k = 0; k < y->n_operands && (y->dtype == WG_F32 || y->dtype == WG_F64); k++)
        narrow = narrow || y->operand[k]->dtype == WG_WIDE;
    return narrow;
}

/* The op at fault in node i, or NULL. */
static const char *narrow_node(const wg_tape *t, int64_t i, bool *no_memory)
{
    const wg_tensor *y = t->node[i];
    if (y->data == NULL || y->size == 0 || (y->op->flags & (WG_OP_VIEW | WG_OP_LEAF)) ||
        wg_is_discrete(y))
        return NULL;
    if (y->op->holds != NULL)
        return narrow_inside(y, no_memory);
    const bool narrow = narrow_by_dtype(y) ||
                        (y->dtype == WG_WIDE && narrow_kernel(y, narrow_is_known(t, i), no_memory));
    return narrow ? y->op->name : NULL;
}

const char *wg_check_narrow(const wg_tape *t, bool *no_memory)
{
    const char *narrow = NULL;
    for (int64_t i = 0; i < t->size && narrow == NULL; i++)
        narrow = narrow_node(t, i, no_memory);
    return narrow;
}

#undef NARROW_ABS
#undef NARROW_MAX

#else

const char *wg_check_narrow(const wg_tape *t, bool *no_memory)
{
    (void)t, (void)no_memory;
    return NULL;
}

#endif
