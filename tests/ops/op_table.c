#include "tests/ops/op_table.h"

#include "autograd/rng.h"
#include "ops/registry.h"
#include "tests/support/assert.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ARRAY_MOST = 8192, /* entries of a result */
    DRAW_TRIES = 2000, /* to get away from kinks */
};

static const wgt_row *const table_families[] = {
    wgt_rows_elementwise, wgt_rows_layout, wgt_rows_slice,  wgt_rows_index, wgt_rows_reduce,
    wgt_rows_matmul,      wgt_rows_loss,   wgt_rows_sparse, wgt_rows_scan,
};

const wgt_row *wgt_row_at(int i)
{
    size_t families = sizeof table_families / sizeof *table_families;
    for (size_t f = 0; f < families; f++)
        for (const wgt_row *row = table_families[f]; row->op != NULL; row++)
            if (i-- == 0)
                return row;
    return NULL;
}

int wgt_row_count(void)
{
    int n = 0;
    while (wgt_row_at(n) != NULL)
        n++;
    return n;
}

/* ---- Variants -------------------------------------------------------------------------------- */

const wgt_variant *wgt_variants(const wgt_row *row)
{
    static const wgt_variant unary[] = {{"2x3", {0}}, {".", {0}},   {"1", {0}}, {"0x3", {0}},
                                        {"7", {0}},   {"700", {0}}, {NULL, {0}}};
    static const wgt_variant binary[] = {
        {"2x3 2x3", {0}}, {"2x3 3", {0}}, {"3 2x1", {0}},     {"2x1 1x3", {0}}, {". 4", {0}},
        {"4 .", {0}},     {". .", {0}},   {"2x1x2 3x1", {0}}, {"0x3 3", {0}},   {"1 0", {0}},
        {". =", {0}},     {"2x3 =", {0}}, {"600 600", {0}},   {"200x3 3", {0}}, {NULL, {0}}};
    static const wgt_variant ternary[] = {
        {"2x3 2x3 2x3", {0}}, {". 2x1 1x3", {0}},   {"2x1 3 .", {0}},   {"3 . 2x1", {0}},
        {". . .", {0}},       {"0 . 1", {0}},       {"2x3 = =", {0}},   {"2x3 = 3", {0}},
        {"3 2x3 =", {0}},     {"600 600 600", {0}}, {"200x3 3 .", {0}}, {NULL, {0}}};
    static const wgt_variant *const by_arity[] = {NULL, unary, binary, ternary};
    return row->variants != NULL ? row->variants : by_arity[wg_op_find(row->op)->arity];
}

/* "2x3" or "." up to a space; where it ends. */
static const char *variant_shape(const char *text, wg_shape *shape)
{
    memset(shape, 0, sizeof *shape);
    if (*text == '.')
        return text + 1;
    for (;; text++) {
        char *end;
        shape->dim[shape->ndim++] = strtoll(text, &end, 10);
        text = end;
        if (*text != 'x')
            return text;
    }
}

/* ---- Drawing operands ------------------------------------------------------------------------ */

enum { DRAW_SEED = 20 };

typedef struct draw_range {
    double low, high;
} draw_range;

static draw_range draw_domain(const wg_op *op, int i)
{
    draw_range all = {-2, 2};
    if (i > 2 || (op->domain[i].low == 0 && op->domain[i].high == 0))
        return all;
    return (draw_range){op->domain[i].low, op->domain[i].high};
}

static void draw_put(wg_tensor *x, int64_t i, double value)
{
    if (x->dtype == WG_F32)
        ((float *)x->data)[i] = (float)value;
    else if (x->dtype == WG_F64)
        ((double *)x->data)[i] = value;
    else
        ((int64_t *)x->data)[i] = (int64_t)floor(value);
}

/* A leaf of i64 is a constant, since parameters are floats. */
static wg_tensor *draw_leaf(wg_tape *t, wg_dtype dtype, const wg_shape *shape)
{
    if (dtype == WG_I64)
        return wg_full(t, dtype, shape->ndim, shape->dim, 0);
    return wg_param(t, NULL, dtype, shape->ndim, shape->dim);
}

/* One value in each of n equal parts of the range, in random order: no two of them are close. Whole
 * numbers are drawn from 0, 1, 2, ... in the same way. */
static void draw_spread(wg_tensor *x, draw_range r, uint64_t key)
{
    int64_t *order = malloc(sizeof *order * (size_t)(x->size + 1));
    wg_random_permutation(DRAW_SEED, key, x->size, order);
    for (int64_t i = 0; i < x->size; i++) {
        double place = (double)order[i] + 0.1 +
                       0.8 * wg_random_uniform(DRAW_SEED, ~key, (uint64_t)i);
        draw_put(x, i, r.low + (r.high - r.low) * place / (double)x->size);
    }
    free(order);
}

static void draw_below(wg_tensor *x, int64_t n, uint64_t key)
{
    for (int64_t i = 0; i < x->size; i++)
        draw_put(x, i, (double)wg_random_below(DRAW_SEED, key, (uint64_t)i, n));
}

/* Operand c->n, from its word in the variant; where the word ends. */
static const char *draw_operand(wgt_case *c, const char *word, wg_dtype dtype, draw_range r)
{
    wg_shape shape;
    uint64_t key = (uint64_t)c->n + 1;
    wg_tensor **x = &c->operand[c->n];
    char kind = *word;
    if (kind == '=') {
        *x = c->operand[c->n - 1];
        return word + 1;
    }
    int64_t below = kind == '?' ? 2 : kind == '<' ? strtoll(word + 1, NULL, 10) : 0;
    word = kind == '<' ? strchr(word, ':') + 1 : kind == '?' ? word + 1 : word;
    word = variant_shape(word, &shape);
    *x = draw_leaf(c->tape, kind == '<' ? WG_I64 : dtype, &shape);
    if (below > 0)
        draw_below(*x, below, key);
    else
        draw_spread(*x, r, key);
    if (below == 0 && dtype != WG_I64)
        c->x[c->n_x++] = *x;
    return word;
}

/* What the operand and those that repeat it may all be. */
static draw_range draw_common(const wg_op *op, const char *word, int i)
{
    draw_range r = draw_domain(op, i);
    while ((word = strchr(word, ' ')) != NULL && *++word == '=') {
        draw_range next = draw_domain(op, ++i);
        r.low = fmax(r.low, next.low);
        r.high = fmin(r.high, next.high);
    }
    return r;
}

/* Checkers look at steps of up to 1/8 (of 1, or of larger entries). */
#define DRAW_CLEARANCE 0.14L

/* The first entry of the result that is too close to a kink, or -1. */
static int64_t draw_closest(const wgt_case *c, int64_t *size)
{
    wgt_array x[WGT_OPERANDS], y = wgt_case_reference(c);
    int64_t close = -1;
    *size = y.size;
    for (int k = 0; k < c->n; k++)
        x[k] = wgt_array_of(c->operand[k]);
    for (int64_t i = 0; i < y.size && close < 0; i++) {
        long double entry[WGT_OPERANDS] = {0};
        for (int k = 0; k < c->n; k++)
            entry[k] = wgt_broadcast_entry(&x[k], &y.shape, i);
        if (c->row->clear(entry, c->row->k) < DRAW_CLEARANCE)
            close = i;
    }
    for (int k = 0; k < c->n; k++)
        wgt_array_free(&x[k]);
    wgt_array_free(&y);
    return close;
}

/* Draws entries anew until all entries of the result are clear of kinks. An operand of the
 * result's size is moved at the entry concerned, others somewhere. Ties of an operand with itself
 * cannot be helped. */
static void draw_clear(const wgt_case *c)
{
    const wg_op *op = wg_op_find(c->row->op);
    int64_t size, close;
    for (uint64_t try = 0; c->row->clear != NULL && try < DRAW_TRIES; try++) {
        if ((close = draw_closest(c, &size)) < 0)
            return;
        int k = (int)(try % (uint64_t)c->n);
        wg_tensor *x = c->operand[k];
        bool whole = x->size == size, other = false;
        for (int j = 0; j < c->n; j++)
            other = other || c->operand[j]->size == size;
        if (other && !whole)
            continue;
        draw_range r = draw_domain(op, k);
        int64_t at = whole ? close : wg_random_below(DRAW_SEED, 98, try, x->size);
        draw_put(x, at, r.low + (r.high - r.low) * wg_random_uniform(DRAW_SEED, 99, try));
    }
}

wg_tensor *wgt_draw_like(const wg_tensor *x, const char *name, uint64_t key)
{
    wg_tensor *v = wg_param(x->tape, name, x->dtype, x->shape.ndim, x->shape.dim);
    ck_assert_int_eq(wg_fill_normal(v, 0, 1, key), WG_OK);
    return v;
}

/* ---- Cases ----------------------------------------------------------------------------------- */

bool wgt_row_takes(const wgt_row *row, wg_dtype dtype)
{
    if (dtype != WG_I64)
        return true;
    return row->value != NULL ? wg_op_find(row->op)->map[WG_I64] != NULL : row->integers;
}

static wg_tensor *case_record(const wgt_case *c)
{
    if (c->row->record != NULL)
        return c->row->record(c->operand, c->n, c->variant->a);
    return wg_apply(wg_op_find(c->row->op), c->operand, c->n, c->row->k);
}

wgt_case wgt_case_new(const wgt_row *row, const wgt_variant *variant, wg_dtype dtype)
{
    wgt_case c = {.row = row, .variant = variant, .tape = wg_tape_new(NULL)};
    const char *word = variant->shapes;
    const wg_op *op = wg_op_find(row->op);
    ck_assert_msg(op != NULL, "the table has a row for %s, which is no op", row->op);
    snprintf(c.name, sizeof c.name, "%s [%s] %s", row->op, word, wg_dtype_name(dtype));
    for (; *word != '\0'; c.n++) {
        word = draw_operand(&c, word, dtype, draw_common(op, word, c.n));
        word += *word == ' ';
    }
    if (dtype != WG_I64)
        draw_clear(&c);
    c.y = case_record(&c);
    ck_assert_msg(wg_tape_status(c.tape) == WG_OK, "%s: %s", c.name, wg_tape_message(c.tape));
    ck_assert_msg(c.y->op == op, "%s: records %s", c.name, c.y->op->name);
    return c;
}

void wgt_case_free(wgt_case *c)
{
    wg_tape_free(c->tape);
}

/* ---- Arrays ---------------------------------------------------------------------------------- */

static wgt_array array_new(int64_t size)
{
    wgt_array x = {.size = size};
    x.value = calloc((size_t)size + 1, sizeof *x.value);
    x.terms = calloc((size_t)size + 1, sizeof *x.terms);
    return x;
}

void wgt_array_free(wgt_array *x)
{
    free(x->value);
    free(x->terms);
}

wgt_array wgt_array_of(const wg_tensor *x)
{
    wgt_array a = array_new(x->size);
    a.shape = x->shape;
    for (int64_t i = 0; i < x->size; i++)
        a.value[i] = x->dtype == WG_F32   ? (long double)((const float *)x->data)[i]
                     : x->dtype == WG_F64 ? (long double)((const double *)x->data)[i]
                                          : (long double)((const int64_t *)x->data)[i];
    return a;
}

void wgt_shape_set(wgt_array *y, const wg_shape *shape)
{
    y->shape = *shape;
    y->size = wg_shape_size(shape);
    ck_assert_int_le(y->size, ARRAY_MOST);
}

void wgt_place_of(const wg_shape *shape, int64_t i, int64_t place[WG_MAX_DIMS])
{
    for (int axis = shape->ndim - 1; axis >= 0; axis--) {
        place[axis] = i % shape->dim[axis];
        i /= shape->dim[axis];
    }
}

int64_t wgt_number_of(const wg_shape *shape, const int64_t place[WG_MAX_DIMS])
{
    int64_t i = 0;
    for (int axis = 0; axis < shape->ndim; axis++)
        i = i * shape->dim[axis] + place[axis];
    return i;
}

long double wgt_broadcast_entry(const wgt_array *x, const wg_shape *to, int64_t i)
{
    int64_t place[WG_MAX_DIMS], own[WG_MAX_DIMS];
    int missing = to->ndim - x->shape.ndim;
    wgt_place_of(to, i, place);
    for (int axis = 0; axis < x->shape.ndim; axis++)
        own[axis] = x->shape.dim[axis] == 1 ? 0 : place[axis + missing];
    return x->value[wgt_number_of(&x->shape, own)];
}

static void entries_reference(const wgt_row *row, const wgt_array x[], int n, wgt_array *y)
{
    long double entry[WGT_OPERANDS] = {0};
    wg_shape shape = x[0].shape;
    for (int k = 1; k < n; k++)
        ck_assert(wg_shape_broadcast(&shape, &x[k].shape, &shape));
    wgt_shape_set(y, &shape);
    for (int64_t i = 0; i < y->size; i++) {
        for (int k = 0; k < n; k++)
            entry[k] = wgt_broadcast_entry(&x[k], &shape, i);
        y->value[i] = row->value(entry, row->k);
        y->terms[i] = row->terms(entry, row->k);
    }
}

wgt_array wgt_case_reference(const wgt_case *c)
{
    wgt_array x[WGT_OPERANDS], y = array_new(ARRAY_MOST);
    for (int k = 0; k < c->n; k++)
        x[k] = wgt_array_of(c->operand[k]);
    if (c->row->value != NULL)
        entries_reference(c->row, x, c->n, &y);
    else
        c->row->reference(x, c->n, c->variant->a, &y);
    for (int k = 0; k < c->n; k++)
        wgt_array_free(&x[k]);
    return y;
}
