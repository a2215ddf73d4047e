/* Owns the search for the op whose rule disagrees with its own forward kernel. */
#include "autograd/check/function_internal.h"
#include "autograd/check/gradcheck_internal.h"
#include "autograd/grad.h"
#include "autograd/rng.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* An op alone: y as a function of its operand i, all else as it stands on the tape. The op runs on
 * copies of the two nodes, so that the same tensor given twice is moved in one place only. */
typedef struct blame_local {
    wg_tensor y, x;
    const void *value, *origin; /* [size of y, x]: what they hold on the tape */
    const void *cotangent;      /* [size of y], of y's dtype, as all these */
#if WG_HAS_WIDE
    wg_wide_line line;
#endif
} blame_local;

/* What is found of a rule is a wg_check_outcome: from good to bad, right, a kink, open, wrong. */

#define BLAME_ENTRIES    64     /* an operand of more elements is checked ... */
#define BLAME_DIRECTIONS 8      /* ... along so many random directions */
#define BLAME_WORK       131072 /* in wide floats: entries times elements, all looked at */

static bool blame_run(blame_local *l)
{
    if (wg_node_run(&l->y))
        return true;
    l->y.tape->status = WG_OK;
    return false;
}

static double blame_value(const double *x, void *local)
{
    blame_local *l = local;
    (void)x; /* is l->x.data */
    if (!blame_run(l))
        return (double)NAN;
    long double sum = 0;
    for (int64_t j = 0; j < l->y.size; j++)
        sum += (long double)((const double *)l->cotangent)[j] *
               (long double)((const double *)l->y.data)[j];
    return (double)sum;
}

static bool blame_local_init(blame_local *l, const wg_tensor *y, int i, const wg_tensor *cotangent)
{
    wg_tape *t = y->tape;
    const wg_tensor *x = y->operand[i];
    const size_t element = wg_dtype_size(y->dtype);
    l->y = *y;
    l->x = *x;
    l->value = y->data;
    l->origin = x->data;
    l->cotangent = cotangent->data;
    size_t list = (size_t)y->n_operands * sizeof *y->operand;
    l->y.operand = wg_arena_take(&t->scratch, list, sizeof(void *));
    l->y.data = wg_arena_take(&t->scratch, (size_t)y->size * element, WG_ALIGNMENT);
    l->x.data = wg_arena_take(&t->scratch, (size_t)x->size * element, WG_ALIGNMENT);
    if (l->y.operand == NULL || l->y.data == NULL || l->x.data == NULL)
        return false;
    memcpy(l->y.operand, y->operand, list);
    l->y.operand[i] = &l->x;
    if (x->size > 0)
        memcpy(l->x.data, x->data, (size_t)x->size * element);
    return true;
}

/* How a rule is asked: about a random cotangent, again for this operand alone, about the cotangent
 * of the tape, or about two parts that are the same one. */
typedef enum blame_way { BLAME_RANDOM, BLAME_AGAIN, BLAME_OWN, BLAME_TWICE, BLAME_WAYS } blame_way;

static wg_tensor *blame_ask(wg_tensor *y, int i, wg_tensor *c, blame_way way)
{
    if (way != BLAME_TWICE)
        return way == BLAME_AGAIN ? wg_check_rule_alone(y, c, i) : wg_check_rule(y, c, i);
    wg_tensor *half = wg_zeros_like(c);
    for (int64_t k = 0; k < wg_size(c); k++)
        wg_set_element(half, k, wg_element(c, k) / 2);
    return y->op->vjp_parts((wg_tensor *[]){y, y}, (wg_tensor *[]){half, half}, 2);
}

/* What the op's rule says, [size of operand i]: zeros where it declares them. NULL:
 * nothing of use. */
static void *blame_claimed(wg_tensor *y, int i, wg_tensor *cotangent, blame_way way)
{
    wg_tape *t = y->tape;
    size_t bytes = (size_t)y->operand[i]->size * wg_dtype_size(y->dtype);
    void *claimed = wg_arena_take(&t->scratch, bytes, WG_ALIGNMENT);
    bool zero = (y->op->flags & WG_OP_ZERO_GRADIENT) != 0;
    if (claimed == NULL || (!zero && y->op->vjp == NULL))
        return NULL;
    wg_tensor *dx = zero ? NULL : blame_ask(y, i, cotangent, way);
    if (t->status != WG_OK ||
        (dx != NULL && (dx->tape != t || dx->dtype != y->dtype || dx->size != y->operand[i]->size)))
        return NULL;
    if (dx == NULL)
        memset(claimed, 0, bytes);
    else if (bytes > 0)
        memcpy(claimed, dx->data, bytes);
    return claimed;
}

#if WG_HAS_WIDE
/* Changes are summed: the rounding of a large entry that does not move hides no small one. Where a
 * view's elements are, its run tells. */
static wg_wide blame_value_wide(const wg_wide *x, void *local)
{
    blame_local *l = local;
    wg_wide sum = 0;
    (void)x;
    if (!blame_run(l))
        return (wg_wide)NAN;
    const wg_wide *here = l->value, *now = l->y.data, *c = l->cotangent;
    for (int64_t j = 0; j < l->y.size; j++)
        sum += now[j] == here[j] ? 0 : c[j] * (now[j] - here[j]);
    return sum;
}

/* The largest term that depends on the operand's entry i: those of which a NaN there makes NaN, or
 * all. */
static wg_wide blame_size(blame_local *l, int64_t i)
{
    wg_wide *x = &((wg_wide *)l->x.data)[i], kept = *x, moves = 0, all = 0;
    *x = (wg_wide)NAN;
    const bool ran = blame_run(l);
    const wg_wide *here = l->value, *now = l->y.data, *c = l->cotangent;
    *x = kept;
    for (int64_t j = 0; j < l->y.size; j++) {
        const wg_wide size = WG_F(wide, fabs)(c[j] * here[j]);
        all = WG_F(wide, fmax)(all, size);
        if (ran && now[j] != now[j])
            moves = WG_F(wide, fmax)(moves, size);
    }
    return moves > 0 ? moves : all;
}

static wg_check_outcome blame_judge_wide(blame_local *l, const wg_wide *claimed, int64_t i)
{
    wg_check_entry e;
    l->line.entry = (size_t)i;
    l->line.rounded = blame_size(l, i);
    wg_wide_judge(&l->line, (size_t)i, claimed[i], &e);
    const bool loud = e.numeric.roundoff <= 1e-3 * fmax(fabs(e.claimed), fabs(e.numeric.value)) ||
                      (e.claimed == 0 && e.numeric.value == 0);
    return e.outcome == WG_ENTRY_DISAGREES || loud ? e.outcome : WG_ENTRY_UNRESOLVED;
}

/* The worst finding of every stride-th entry, each alone. */
static wg_check_outcome blame_find_entries(blame_local *l, const wg_wide *claimed, int64_t stride)
{
    wg_check_outcome worst = WG_ENTRY_AGREES;
    l->line.direction = NULL;
    for (int64_t i = 0; i < l->x.size && worst != WG_ENTRY_DISAGREES; i += stride) {
        const wg_check_outcome found = blame_judge_wide(l, claimed, i);
        worst = found > worst ? found : worst;
    }
    return worst;
}

/* Does the claim hold where entries [begin, end) move together? */
static bool blame_holds(blame_local *l, const wg_wide *claimed, double *v, int64_t begin,
                        int64_t end)
{
    const wg_wide *x = l->origin;
    wg_wide along = 0;
    memset(v, 0, (size_t)l->x.size * sizeof *v);
    for (int64_t i = begin; i < end; i++) {
        v[i] = (x[i] != 0 ? fabs((double)x[i]) : 1) *
               wg_random_normal(1, WG_CHECK_SCREEN, (uint64_t)i);
        along += claimed[i] * (wg_wide)v[i];
    }
    wg_check_entry e;
    l->line.direction = v;
    l->line.rounded = 0;
    wg_wide_judge(&l->line, 0, along, &e);
    return e.outcome != WG_ENTRY_DISAGREES;
}

/* Of many entries: halves what does not hold down to one, which is judged alone: where kinks meet
 * a sum may be off that is right in each entry. */
static wg_check_outcome blame_find_halving(blame_local *l, const wg_wide *claimed)
{
    int64_t begin = 0, end = l->x.size;
    double *v = wg_arena_take(&l->y.tape->scratch, (size_t)end * sizeof *v, WG_ALIGNMENT);
    if (v == NULL || blame_holds(l, claimed, v, begin, end))
        return WG_ENTRY_UNRESOLVED;
    while (end - begin > 1) {
        const int64_t middle = begin + (end - begin) / 2;
        if (blame_holds(l, claimed, v, begin, middle))
            begin = middle;
        else
            end = middle;
    }
    l->line.direction = NULL;
    return blame_judge_wide(l, claimed, begin) == WG_ENTRY_DISAGREES ? WG_ENTRY_DISAGREES
                                                                     : WG_ENTRY_UNRESOLVED;
}

/* All entries; of many, some that are spread over x, and what is off where all move. */
static wg_check_outcome blame_find_wide(blame_local *l, const wg_wide *claimed)
{
    const int64_t n = l->x.size;
    const bool all = n <= BLAME_WORK && n * (n + l->y.size) <= BLAME_WORK;
    l->line = (wg_wide_line){.f = blame_value_wide,
                             .user = l,
                             .x = l->x.data,
                             .n = (size_t)n,
                             .origin = l->origin,
                             .seed = 1};
    const wg_wide value = blame_value_wide(l->line.x, l);
    if (!wg_wide_line_begin(&l->line, value))
        return WG_ENTRY_UNRESOLVED;
    const wg_check_outcome found = blame_find_entries(l, claimed, all ? 1 : n / BLAME_ENTRIES + 1);
    return all || found == WG_ENTRY_DISAGREES ? found : blame_find_halving(l, claimed);
}
#else
static wg_check_outcome blame_find_wide(blame_local *l, const void *claimed)
{
    (void)l, (void)claimed;
    return WG_ENTRY_UNRESOLVED;
}
#endif

static wg_check_outcome blame_find_double(blame_local *l, const double *claimed,
                                          const wg_check_options *options)
{
    const size_t n = (size_t)l->x.size;
    double *work = wg_arena_take(&l->y.tape->scratch, 2 * n * sizeof(double), WG_ALIGNMENT);
    if (work == NULL)
        return WG_ENTRY_UNRESOLVED;
    wg_check_verdict verdict = n <= BLAME_ENTRIES
                                   ? wg_check_function(blame_value, l, l->x.data, claimed, n,
                                                       options, NULL)
                                   : wg_check_directions(blame_value, l, l->x.data, claimed, n,
                                                         BLAME_DIRECTIONS, work, options, NULL);
    return verdict == WG_CHECK_FAILED ? WG_ENTRY_DISAGREES : WG_ENTRY_UNRESOLVED;
}

/* Does y's rule for operand i, asked in this way, agree with differences of y's own kernel? */
static wg_check_outcome blame_find_way(wg_tensor *y, int i, wg_tensor *c, blame_way way,
                                       const wg_check_options *options)
{
    blame_local l;
    wg_mark mark = wg_tape_mark(y->tape);
    wg_arena_mark empty = wg_arena_height(&y->tape->scratch);
    wg_check_outcome found = WG_ENTRY_UNRESOLVED;
    void *claimed = blame_claimed(y, i, c, way);
    if (claimed != NULL && blame_local_init(&l, y, i, c))
        found = y->dtype == WG_WIDE ? blame_find_wide(&l, claimed)
                                    : blame_find_double(&l, claimed, options);
    wg_arena_rewind(&y->tape->scratch, empty);
    wg_tape_rewind(y->tape, mark);
    return found;
}

/* What is found of a random cotangent; all others may accuse, but leave nothing open: their entries
 * are as large and as small as it happens. */
static wg_check_outcome blame_find(wg_tensor *y, int i, wg_tensor *own,
                                   const wg_check_options *options)
{
    wg_mark mark = wg_tape_mark(y->tape);
    wg_tensor *c = wg_check_random_like(y, 0, WG_CHECK_LOCAL, 0);
    wg_check_outcome found = WG_ENTRY_AGREES;
    for (int way = 0; way < BLAME_WAYS && found != WG_ENTRY_DISAGREES; way++) {
        if ((way == BLAME_OWN && own == NULL) ||
            (way == BLAME_TWICE && (i != 0 || y->op->vjp_parts == NULL)))
            continue;
        const wg_check_outcome here = blame_find_way(y, i, way == BLAME_OWN ? own : c,
                                                     (blame_way)way, options);
        found = way == BLAME_RANDOM || here == WG_ENTRY_DISAGREES ? here : found;
    }
    wg_tape_rewind(y->tape, mark);
    return found;
}

/* Operand i takes part where its changes reach y at all. What the user detached is not among what
 * moves; a detach that a rule recorded is, and it is wrong there: its claim, zero, is checked. */
static bool blame_concerns(const wg_tensor *y, int i)
{
    return (y->dtype == WG_F64 || y->dtype == WG_WIDE) && y->operand[i]->dtype == y->dtype;
}

/* Operands that do not move with r's x (r is empty: all do) have no part in what is asked: a mask
 * of infinities, or a condition, is left where it is. Of a loop each is asked: what is found of it
 * is looked for inside. */
static bool blame_is_held(const wg_recorded *r, const wg_tensor *y, int i)
{
    return r->n > 0 && y->op->holds == NULL && wg_recorded_place(r, y->operand[i]) < 0;
}

/* The worst finding of y's rules, each operand's alone and all moving together. */
static wg_check_outcome blame_find_op(const wg_recorded *r, wg_tensor *y, wg_tensor *own,
                                      const wg_check_options *options)
{
    wg_check_outcome worst = y->op->holds != NULL ? WG_ENTRY_AGREES : wg_check_ties(r, y);
    for (int i = 0; i < y->n_operands && worst != WG_ENTRY_DISAGREES; i++) {
        if (!blame_concerns(y, i) || blame_is_held(r, y, i))
            continue;
        const wg_check_outcome here = blame_find(y, i, own, options);
        worst = here > worst ? here : worst;
    }
    return worst;
}

static wg_check_outcome blame_find_node(const wg_recorded *r, wg_tensor *y, wg_tensor *own,
                                        const wg_check_options *options, const char **op);

/* The worst finding of the ops of a step; what is a condition in it is held. */
static wg_check_outcome blame_find_step(wg_tape *t, const wg_check_options *options,
                                        const char **op)
{
    static const wg_recorded none = {0};
    wg_check_outcome worst = WG_ENTRY_AGREES;
    const int64_t size = t->status == WG_OK ? t->size : 0;
    for (int64_t k = 0; k < size && worst != WG_ENTRY_DISAGREES; k++) {
        const wg_check_outcome here = blame_find_node(&none, t->node[k], NULL, options, op);
        worst = here > worst ? here : worst;
    }
    return t->status == WG_OK ? worst : WG_ENTRY_UNRESOLVED;
}

/* The worst finding of a loop's ops, in all its steps, or the first of many: its rule is made of
 * theirs, and is no derivative where kinks meet in it. It may be wrong itself, where they all
 * agree. */
static wg_check_outcome blame_find_inside(const wg_tensor *y, wg_check_outcome found,
                                          const wg_check_options *options, const char **op)
{
    wg_check_outcome worst = WG_ENTRY_AGREES;
    wg_check_steps s;
    for (wg_check_steps_begin(&s, y); worst != WG_ENTRY_DISAGREES && wg_check_steps_next(&s);) {
        const wg_check_outcome here = blame_find_step(s.t, options, op);
        worst = here > worst ? here : worst;
    }
    wg_check_steps_end(&s);
    if (worst == WG_ENTRY_DISAGREES)
        return worst;
    if (worst == WG_ENTRY_AGREES && found == WG_ENTRY_DISAGREES) {
        *op = y->op->name;
        return found;
    }
    return s.all ? worst : WG_ENTRY_UNRESOLVED;
}

/* The op before y on its tape whose rule records a detach, as y is: what is wrong with that is the
 * rule; y's own where there is none. */
static const char *blame_detaching(const wg_tensor *y)
{
    wg_tape *t = y->tape;
    const char *op = y->op->name;
    for (int64_t k = 0; k < y->index && op == y->op->name; k++) {
        wg_tensor *x = t->node[k];
        const bool asks = x->data != NULL && x->dtype == y->dtype && x->op->vjp != NULL;
        wg_mark mark = wg_tape_mark(t);
        wg_tensor *c = asks ? wg_check_random_like(x, 0, WG_CHECK_LOCAL, 0) : NULL;
        for (int i = 0; asks && i < x->n_operands && t->status == WG_OK; i++)
            if (blame_concerns(x, i))
                wg_check_rule(x, c, i);
        for (int64_t n = mark.size; n < t->size; n++)
            op = t->node[n]->op == y->op ? x->op->name : op;
        wg_tape_rewind(t, mark);
    }
    return op;
}

/* The worst finding of y; *op: which op is wrong, y's or one in its body. */
static wg_check_outcome blame_find_node(const wg_recorded *r, wg_tensor *y, wg_tensor *own,
                                        const wg_check_options *options, const char **op)
{
    const wg_check_outcome found = blame_find_op(r, y, own, options);
    if (found >= WG_ENTRY_UNRESOLVED && y->op->holds != NULL)
        return blame_find_inside(y, found, options, op);
    if (found == WG_ENTRY_DISAGREES)
        *op = y->op->flags & WG_OP_DETACHED ? blame_detaching(y) : y->op->name;
    return found;
}

/* The worst finding of all that moves with r's x; *op: the first op that is wrong. */
static wg_check_outcome blame_find_all(const wg_recorded *r, const wg_check_options *options,
                                       const char **op)
{
    wg_tape *t = r->t;
    wg_mark mark = wg_tape_mark(t);
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    wg_check_options local = *options;
    wg_check_outcome worst = WG_ENTRY_AGREES;
    const wg_check_claim claim = {r->ys, r->cotangents, r->m, NULL};
    wg_tensor **own = wg_check_cotangents(t, &claim, r->node, r->n);
    local.largest = 0;
    *op = NULL;
    for (int64_t k = 0; k < r->n && worst != WG_ENTRY_DISAGREES; k++) {
        const wg_check_outcome found = blame_find_node(r, r->node[k], own != NULL ? own[k] : NULL,
                                                       &local, op);
        worst = found > worst ? found : worst;
    }
    if (worst != WG_ENTRY_DISAGREES)
        *op = NULL;
    wg_arena_rewind(&t->scratch, empty);
    wg_tape_rewind(t, mark);
    return worst;
}

const char *wg_check_blame(const wg_recorded *r, const wg_check_options *options)
{
    const char *op;
    blame_find_all(r, options, &op);
    return op;
}

wg_check_outcome wg_check_rules(const wg_recorded *r)
{
    static const wg_check_options defaults = {0};
    const char *op;
    return blame_find_all(r, &defaults, &op);
}

#undef BLAME_ENTRIES
#undef BLAME_DIRECTIONS
#undef BLAME_WORK
