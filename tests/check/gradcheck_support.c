/* What the suites of recorded gradients share: a tape before and after, and things to check. */
#include "tests/check/gradcheck_support.h"

#include "models/wengert.h"
#include "tests/support/assert.h"
#include "tests/support/support.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* ---- The tape as it was ---------------------------------------------------------------------- */

static size_t value_bytes(const wg_tensor *x)
{
    return x->data != NULL ? (size_t)x->size * wg_dtype_size(x->dtype) : 0;
}

wgt_snapshot wgt_snapshot_take(const wg_tape *t)
{
    size_t bytes = 1;
    for (int64_t i = 0; i < t->size; i++)
        bytes += value_bytes(t->node[i]);
    wgt_snapshot s = {*t, malloc(((size_t)t->size + 1) * sizeof *s.node), malloc(bytes)};
    char *to = s.values;
    for (int64_t i = 0; i < t->size; i++) {
        s.node[i] = *t->node[i];
        if (value_bytes(t->node[i]) > 0)
            memcpy(to, t->node[i]->data, value_bytes(t->node[i]));
        to += value_bytes(t->node[i]);
    }
    return s;
}

/* Field by field from the shape on: nobody sets the bytes before it, nor the dims past its ndim. */
static void compare_nodes(const wg_tensor *a, const wg_tensor *b)
{
    wgt_assert_same_bytes(a, b, offsetof(wg_tensor, state) + sizeof a->state);
    ck_assert(wg_shape_same(&a->shape, &b->shape));
}

void wgt_snapshot_compare(wgt_snapshot *s, const wg_tape *t)
{
    const char *from = s->values;
    ck_assert_int_eq(t->size, s->tape.size);
    ck_assert_int_eq(t->status, s->tape.status);
    ck_assert_str_eq(t->message, s->tape.message);
    ck_assert_int_eq(t->written, s->tape.written);
    ck_assert_ptr_eq(t->undo, s->tape.undo);
    wgt_assert_same_bytes(&t->options, &s->tape.options, sizeof t->options);
    wgt_assert_same_bytes(&t->inert, &s->tape.inert, sizeof t->inert);
    for (int64_t i = 0; i < t->size; i++) {
        compare_nodes(t->node[i], &s->node[i]);
        if (value_bytes(t->node[i]) > 0)
            wgt_assert_same_bytes(t->node[i]->data, from, value_bytes(t->node[i]));
        from += value_bytes(t->node[i]);
    }
    wg_arena_mark then = wg_arena_height(&s->tape.arena), now = wg_arena_height(&t->arena);
    if (!WGT_ARENA_TINY) { /* a mark has a block of its own there */
        ck_assert_ptr_eq(then.block, now.block);
        ck_assert_uint_eq(then.used, now.used);
    }
    ck_assert_uint_eq(wg_arena_height(&t->scratch).used, 0);
    free(s->node);
    free(s->values);
}

/* ---- Models ---------------------------------------------------------------------------------- */

wg_tensor *wgt_normal(wg_tape *t, const char *name, wg_dtype dtype, uint64_t key, int ndim,
                      const int64_t *dim)
{
    wg_tensor *x = wg_param(t, name, dtype, ndim, dim);
    wg_fill_normal(x, 0, 0.5, key);
    return x;
}

wgt_model wgt_model_mlp(wg_tape *t, wg_dtype dtype, int64_t n, int64_t d, int64_t h)
{
    wgt_model m;
    wg_tensor *y = wg_full(t, WG_I64, WG_SHAPE(n), 0);
    for (int64_t i = 0; i < n; i++)
        ((int64_t *)y->data)[i] = i % 3;
    wg_tensor *X = wgt_normal(t, "X", dtype, 1, WG_SHAPE(n, d));
    m.xs[0] = wgt_normal(t, "W1", dtype, 2, WG_SHAPE(d, h));
    m.xs[1] = wgt_normal(t, "b1", dtype, 3, WG_SHAPE(h));
    m.xs[2] = wgt_normal(t, "W2", dtype, 4, WG_SHAPE(h, 3));
    m.xs[3] = wgt_normal(t, "b2", dtype, 5, WG_SHAPE(3));
    wg_tensor *a = wg_tanh(wg_add(wg_matmul(X, m.xs[0]), m.xs[1]));
    m.loss = wg_cross_entropy(wg_add(wg_matmul(a, m.xs[2]), m.xs[3]), y);
    wg_grad(m.loss, m.xs, 4, m.gs);
    return m;
}

static double claimed_factor;

static wg_tensor *claimed_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_scale(wg_mul(dy, y->operand[i]), claimed_factor);
}

wg_tensor *wgt_claimed_square(wg_tensor *x, double factor)
{
    static wg_op op;
    op = *wg_op_find("square");
    op.name = "claimed_square";
    op.vjp = claimed_vjp;
    claimed_factor = factor;
    return wg_apply(&op, &x, 1, NULL);
}
