/* wg_scan: the body is recorded, and the loop, or a loop of loops, applied. */
#include "ops/scan_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ops/layout.h"
#include "ops/slice.h"

/* ---- The body -------------------------------------------------------------------------------- */

/* Memory for what a body is given and what it sets: inputs, then outputs. */
typedef struct scan_lists {
    wg_tensor **operand; /* [1 + inputs] the body's leaf first */
    wg_tensor **input;   /* [inputs] in the body */
    wg_tensor **output;  /* [carries + ys] */
    int inputs, outputs;
} scan_lists;

static bool scan_lists_take(scan_lists *l, wg_tape *t, const wg_scan_loop *loop)
{
    l->inputs = loop->n_carries + loop->n_xs + loop->n_params;
    l->outputs = loop->n_carries + loop->n_ys;
    const size_t n = 1 + 2 * (size_t)l->inputs + (size_t)l->outputs;
    l->operand = wg_arena_take(&t->scratch, n * sizeof *l->operand, sizeof(void *));
    if (l->operand == NULL) {
        wg_fail(t, WG_E_NOMEM, "scan: out of memory");
        return false;
    }
    memset(l->operand, 0, n * sizeof *l->operand);
    l->input = l->operand + 1 + l->inputs;
    l->output = l->input + l->inputs;
    for (int k = 0; k < l->inputs; k++) {
        const int x = k - loop->n_carries, param = x - loop->n_xs;
        l->operand[1 + k] = x < 0       ? loop->carries[k]
                            : param < 0 ? loop->xs[x]
                                        : loop->params[param];
    }
    return true;
}

static void scan_body_inputs(const scan_lists *l, const wg_scan_loop *loop, wg_tape *body)
{
    for (int k = 0; k < l->inputs; k++) {
        const wg_tensor *x = l->operand[1 + k];
        const int row = k >= loop->n_carries && k < loop->n_carries + loop->n_xs;
        l->input[k] = wg_placeholder(body, NULL, x->dtype, x->shape.ndim - row, x->shape.dim + row);
        if (x->name != NULL)
            wg_rename(l->input[k], x->name);
    }
}

static bool scan_body_sets(const scan_lists *l, const wg_scan_loop *loop, wg_tape *body)
{
    for (int k = 0; k < l->outputs && wg_tape_status(body) == WG_OK; k++) {
        const wg_tensor *made = l->output[k];
        const int carry = k < loop->n_carries, number = carry ? k : k - loop->n_carries;
        if (wg_is_inert(made))
            wg_fail(body, WG_E_VALUE, "the body does not set %s %d", carry ? "next" : "y", number);
        else if (made->tape != body)
            wg_fail(body, WG_E_TAPE, "%s %d is no tensor of the body", carry ? "next" : "y",
                    number);
        else if (carry && !wg_shape_same(&made->shape, &l->input[k]->shape))
            wg_fail(body, WG_E_SHAPE, "next %d is not like its carry: %s, %s", k,
                    wg_tensor_text(made).s, wg_tensor_text(l->operand[1 + k]).s);
        else if (made->dtype == WG_I64 || made->dtype != l->output[0]->dtype ||
                 (carry && made->dtype != l->input[k]->dtype))
            wg_fail(body, WG_E_DTYPE, "%s %d is %s: carries and ys are floats of one dtype",
                    carry ? "next" : "y", number, wg_dtype_name(made->dtype));
    }
    return wg_tape_status(body) == WG_OK;
}

/* The loop as one node. */
static wg_tensor *scan_apply(wg_tape *t, const wg_scan_loop *loop, bool keep)
{
    const wg_scan_attrs attrs = {loop->steps, loop->n_carries, loop->n_xs, loop->n_ys,
                                 0,           loop->reverse,   keep};
    scan_lists l;
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    wg_tensor *y = &t->inert;
    wg_tape *body = wg_body_new(t);
    if (t->status == WG_OK && scan_lists_take(&l, t, loop)) {
        scan_body_inputs(&l, loop, body);
        wg_scan_step step = {l.input, l.input + loop->n_carries,
                             l.input + loop->n_carries + loop->n_xs, l.output,
                             l.output + loop->n_carries};
        if (wg_tape_status(body) == WG_OK)
            loop->body(&step, loop->user);
        scan_body_sets(&l, loop, body);
        if (t->status == WG_OK)
            l.operand[0] = wg_body_end(t, "scan", body, l.input, l.inputs, l.output, l.outputs,
                                       wg_scan_flat);
        y = wg_apply(&wg_op_scan, l.operand, 1 + l.inputs, &attrs);
    }
    wg_tape_free(body);
    wg_arena_rewind(&t->scratch, empty);
    return y;
}

/* A loop with `steps` known, and its last carries and ys. */
static void scan_plain(wg_tape *t, const wg_scan_loop *loop, bool keep, wg_tensor *last[],
                       wg_tensor *ys[])
{
    wg_tensor *y = scan_apply(t, loop, keep);
    if (wg_is_inert(y))
        return;
    for (int k = 0; k < loop->n_carries; k++) {
        const wg_shape *shape = &loop->carries[k]->shape;
        last[k] = wg_reshape(wg_scan_part(y, y, k, wg_scan_last_row(y->attrs), 1), shape->ndim,
                             shape->dim);
    }
    for (int k = 0; k < loop->n_ys; k++) {
        const int output = loop->n_carries + k;
        const wg_shape *row = &wg_scan_output(y, output)->shape;
        const wg_shape shape = wg_scan_rows_shape(loop->steps, row);
        ys[k] = wg_reshape(wg_scan_part(y, y, output, 0, loop->steps), shape.ndim, shape.dim);
    }
}

/* ---- Snapshots ------------------------------------------------------------------------------- */

/* The outer loop's body: the loop over one stretch of rows. */
static void scan_stretch(wg_scan_step *s, void *user)
{
    wg_scan_loop inner = *(const wg_scan_loop *)user;
    inner.carries = s->carry;
    inner.xs = s->x;
    inner.params = s->param;
    const wg_tensor *any = inner.n_carries > 0 ? s->carry[0]
                           : inner.n_xs > 0    ? s->x[0]
                                               : s->param[0];
    scan_plain(any->tape, &inner, false, s->next, s->y);
}

/* xs[k] becomes rows [first, end) of the loop's; of `stretch` rows each where that is not 0. */
static void scan_rows_of(const wg_scan_loop *loop, int64_t first, int64_t end, int64_t stretch,
                         wg_tensor **xs)
{
    for (int k = 0; k < loop->n_xs; k++) {
        xs[k] = wg_slice(loop->xs[k], 0, first, end);
        if (stretch == 0 || wg_is_inert(xs[k]))
            continue;
        wg_shape rows = xs[k]->shape;
        rows.dim[0] = stretch;
        const wg_shape shape = wg_scan_rows_shape((end - first) / stretch, &rows);
        xs[k] = wg_reshape(xs[k], shape.ndim, shape.dim);
    }
}

/* The stretches of m rows each, rows [first, end). */
static void scan_stretches(wg_tape *t, const wg_scan_loop *loop, int64_t first, int64_t end,
                           int64_t m, wg_tensor **xs, wg_tensor *last[], wg_tensor *ys[])
{
    wg_scan_loop inner = *loop, outer = *loop;
    inner.steps = m;
    outer.steps = (end - first) / m;
    outer.body = scan_stretch;
    outer.user = &inner;
    outer.xs = xs;
    scan_rows_of(loop, first, end, m, xs);
    scan_plain(t, &outer, true, last, ys);
    for (int k = 0; k < loop->n_ys && t->status == WG_OK; k++) {
        wg_shape shape = {.ndim = ys[k]->shape.ndim - 1, .dim = {end - first}};
        memcpy(shape.dim + 1, ys[k]->shape.dim + 2, (size_t)(shape.ndim - 1) * sizeof *shape.dim);
        ys[k] = wg_reshape(ys[k], shape.ndim, shape.dim);
    }
}

/* As many stretches of ceil(n / snapshots) rows as there are, and the rows that are left: where the
 * loop ends. lists: [n_xs + n_ys]. */
static void scan_snapshots(wg_tape *t, const wg_scan_loop *loop, wg_tensor **lists,
                           wg_tensor *last[], wg_tensor *ys[])
{
    const int64_t n = loop->steps, m = (n - 1) / loop->snapshots + 1, left = n % m;
    const int64_t first = loop->reverse ? left : 0;
    wg_tensor **more = lists + loop->n_xs;
    scan_stretches(t, loop, first, first + n - left, m, lists, last, ys);
    if (left == 0 || t->status != WG_OK)
        return;
    wg_scan_loop rest = *loop;
    rest.steps = left;
    rest.carries = last;
    rest.xs = lists;
    scan_rows_of(loop, loop->reverse ? 0 : n - left, loop->reverse ? left : n, 0, lists);
    scan_plain(t, &rest, true, last, more);
    for (int k = 0; k < loop->n_ys; k++)
        ys[k] = wg_concat(
            (wg_tensor *[]){loop->reverse ? more[k] : ys[k], loop->reverse ? ys[k] : more[k]}, 2,
            0);
}

/* ---- The call -------------------------------------------------------------------------------- */

static wg_tape *scan_tape(const wg_scan_loop *loop)
{
    wg_tensor *const *lists[] = {loop->carries, loop->xs, loop->params};
    const int n[] = {loop->n_carries, loop->n_xs, loop->n_params};
    for (int k = 0; k < 3; k++)
        for (int i = 0; lists[k] != NULL && i < n[k]; i++)
            if (lists[k][i] != NULL)
                return lists[k][i]->tape;
    return NULL;
}

/* All operands are there, and every one of the xs has `steps` rows. */
static bool scan_lists_fit(wg_tape *t, wg_scan_loop *loop)
{
    static const char *const role[] = {"carry", "x", "param"};
    wg_tensor *const *lists[] = {loop->carries, loop->xs, loop->params};
    const int n[] = {loop->n_carries, loop->n_xs, loop->n_params};
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < n[k]; i++)
            if (!wg_belongs(t, lists[k] != NULL ? lists[k][i] : NULL, "scan", role[k], i))
                return false;
    for (int i = 0; i < loop->n_xs; i++) {
        const wg_tensor *x = loop->xs[i];
        if (i == 0 && loop->steps == 0 && x->shape.ndim > 0)
            loop->steps = x->shape.dim[0];
        if (x->shape.ndim < 1 || x->shape.dim[0] != loop->steps)
            return wg_fail(t, WG_E_SHAPE, "scan: x %d has no %" PRId64 " rows: %s", i, loop->steps,
                           wg_tensor_text(x).s),
                   false;
    }
    return true;
}

static bool scan_fits(wg_tape *t, wg_scan_loop *loop)
{
    for (int k = 0; k < loop->n_carries; k++)
        if (loop->carries != NULL && !wg_is_inert(loop->carries[k]) &&
            loop->carries[k]->shape.ndim >= WG_MAX_DIMS)
            return wg_op_fail(loop->carries[k], WG_E_SHAPE, "a carry of 8 dimensions"), false;
    if (loop->body == NULL)
        wg_fail(t, WG_E_NULL, "scan: the body is NULL");
    else if (loop->n_carries < 0 || loop->n_xs < 0 || loop->n_params < 0 || loop->n_ys < 0 ||
             loop->steps < 0 || loop->snapshots < 0)
        wg_fail(t, WG_E_VALUE, "scan: a number is negative");
    else if (loop->n_carries + loop->n_ys == 0)
        wg_fail(t, WG_E_VALUE, "scan: no carries and no ys");
    else if (loop->n_xs == 0 && loop->steps == 0)
        wg_fail(t, WG_E_VALUE, "scan: neither xs nor steps say how many steps there are");
    else
        return scan_lists_fit(t, loop);
    return false;
}

/* lists: [n_carries + n_ys + n_xs + n_ys] for what is made on the way. last and ys are written when
 * nothing is read any more: they may be the lists of the operands. */
static void scan_do(wg_tape *t, const wg_scan_loop *loop, wg_tensor **lists, wg_tensor *last[],
                    wg_tensor *ys[])
{
    wg_tensor **made = lists + loop->n_carries;
    if (loop->snapshots > 0 && loop->snapshots < loop->steps)
        scan_snapshots(t, loop, made + loop->n_ys, lists, made);
    else
        scan_plain(t, loop, true, lists, made);
    for (int k = 0; k < loop->n_carries && last != NULL; k++)
        last[k] = lists[k];
    for (int k = 0; k < loop->n_ys; k++)
        ys[k] = made[k];
}

wg_status wg_scan(const wg_scan_loop *asked, wg_tensor *last[], wg_tensor *ys[])
{
    wg_scan_loop loop = asked != NULL ? *asked : (wg_scan_loop){.body = NULL};
    wg_tape *t = scan_tape(&loop);
    if (t == NULL || (t->status == WG_OK && loop.n_ys > 0 && ys == NULL))
        t = wg_fail(t, WG_E_NULL, "scan: the %s NULL", t == NULL ? "operands are" : "list of ys is")
                ->tape;
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    if (t->status == WG_OK && scan_fits(t, &loop)) {
        const size_t n = (size_t)loop.n_carries + (size_t)loop.n_xs + 2 * (size_t)loop.n_ys;
        wg_tensor **lists = wg_arena_take(&t->scratch, n * sizeof *lists, sizeof(void *));
        if (lists != NULL)
            scan_do(t, &loop, lists, last, ys);
        else
            wg_fail(t, WG_E_NOMEM, "scan: out of memory");
    }
    wg_arena_rewind(&t->scratch, empty);
    for (int k = 0; t->status != WG_OK && k < loop.n_carries && last != NULL; k++)
        last[k] = &t->inert;
    for (int k = 0; t->status != WG_OK && k < loop.n_ys && ys != NULL; k++)
        ys[k] = &t->inert;
    return t->status;
}
