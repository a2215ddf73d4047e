/* Owns the search for the op whose rule disagrees with its own forward kernel. */
#include "autograd/check/recorded_internal.h"

#include <math.h>
#include <string.h>

/* An op alone: y as a function of its operand i, all else as it stands on the tape. The op runs on
 * copies of the two nodes, so that the same tensor given twice is moved in one place only. */
typedef struct blame_local {
    wg_tensor y, x;
    const double *cotangent; /* [size of y] */
} blame_local;

#define BLAME_ENTRIES    64 /* an operand of more elements is checked ... */
#define BLAME_DIRECTIONS 8  /* ... along so many random directions */

static double blame_value(const double *x, void *local)
{
    blame_local *l = local;
    wg_tape *t = l->y.tape;
    (void)x; /* is l->x.data */
    if (!wg_node_run(&l->y)) {
        t->status = WG_OK;
        return (double)NAN;
    }
    long double sum = 0;
    for (int64_t j = 0; j < l->y.size; j++)
        sum += (long double)l->cotangent[j] * (long double)((const double *)l->y.data)[j];
    return (double)sum;
}

static bool blame_local_init(blame_local *l, const wg_tensor *y, int i, const wg_tensor *cotangent)
{
    wg_tape *t = y->tape;
    const wg_tensor *x = y->operand[i];
    l->y = *y;
    l->x = *x;
    l->cotangent = cotangent->data;
    size_t list = (size_t)y->n_operands * sizeof *y->operand;
    l->y.operand = wg_arena_take(&t->scratch, list, sizeof(void *));
    l->y.data = wg_arena_take(&t->scratch, (size_t)y->size * sizeof(double), WG_ALIGNMENT);
    l->x.data = wg_arena_take(&t->scratch, (size_t)x->size * sizeof(double), WG_ALIGNMENT);
    if (l->y.operand == NULL || l->y.data == NULL || l->x.data == NULL)
        return false;
    memcpy(l->y.operand, y->operand, list);
    l->y.operand[i] = &l->x;
    if (x->size > 0)
        memcpy(l->x.data, x->data, (size_t)x->size * sizeof(double));
    return true;
}

/* What the op's rule says, [size of operand i]: zeros where it declares them. NULL: nothing of use. */
static double *blame_claimed(wg_tensor *y, int i, wg_tensor *cotangent)
{
    wg_tape *t = y->tape;
    size_t bytes = (size_t)y->operand[i]->size * sizeof(double);
    double *claimed = wg_arena_take(&t->scratch, bytes, WG_ALIGNMENT);
    bool zero = (y->op->flags & WG_OP_ZERO_GRADIENT) != 0;
    if (claimed == NULL || (!zero && y->op->vjp == NULL))
        return NULL;
    wg_tensor *dx = zero ? NULL : y->op->vjp(y, cotangent, i);
    if (t->status != WG_OK ||
        (dx != NULL && (dx->tape != t || dx->dtype != WG_F64 || dx->size != y->operand[i]->size)))
        return NULL;
    if (dx == NULL)
        memset(claimed, 0, bytes);
    else if (bytes > 0)
        memcpy(claimed, dx->data, bytes);
    return claimed;
}

/* Does y's rule for operand i agree with differences of y's own kernel? */
static bool blame_agrees(wg_tensor *y, int i, const wg_check_options *options)
{
    blame_local l;
    size_t n = (size_t)y->operand[i]->size;
    wg_tensor *c = wg_check_random_like(y, 0, WG_CHECK_LOCAL, 0);
    double *claimed = blame_claimed(y, i, c);
    double *work = wg_arena_take(&y->tape->scratch, 2 * n * sizeof(double), WG_ALIGNMENT);
    if (claimed == NULL || work == NULL || !blame_local_init(&l, y, i, c))
        return true;
    wg_check_verdict verdict = n <= BLAME_ENTRIES
                                   ? wg_check_function(blame_value, &l, l.x.data, claimed, n,
                                                       options, NULL)
                                   : wg_check_directions(blame_value, &l, l.x.data, claimed, n,
                                                         BLAME_DIRECTIONS, work, options, NULL);
    return verdict != WG_CHECK_FAILED;
}

/* Operand i takes part where its changes reach y at all. What the user detached is not among what moves;
 * a detach that a rule recorded is, and it is wrong there: its claim, zero, is checked. */
static bool blame_concerns(const wg_tensor *y, int i)
{
    return y->dtype == WG_F64 && y->operand[i]->dtype == WG_F64;
}

const char *wg_check_blame(wg_check_session *s, const wg_recorded *r,
                           const wg_check_options *options)
{
    wg_tape *t = s->t;
    wg_check_options local = *options;
    local.largest = 0;
    for (int64_t k = 0; k < r->n; k++)
        for (int i = 0; i < r->node[k]->n_operands; i++) {
            wg_mark mark = wg_tape_mark(t);
            wg_arena_mark empty = wg_arena_height(&t->scratch);
            bool agrees = !blame_concerns(r->node[k], i) || blame_agrees(r->node[k], i, &local);
            wg_arena_rewind(&t->scratch, empty);
            wg_tape_rewind(t, mark);
            if (!agrees)
                return r->node[k]->op->name;
        }
    return "no single op: the gradient given, or how cotangents are combined";
}
