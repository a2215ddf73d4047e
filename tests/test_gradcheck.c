/* The check of a recorded gradient: that it leaves the tape as it was, what it holds still, what it refuses.
 * That it catches bugs and accuses nobody else is in test_planted.c. */
#include "autograd/derivatives.h"
#include "autograd/grad.h"
#include "autograd/gradcheck.h"
#include "autograd/tape_internal.h"
#include "models/wengert.h"
#include "tests/assert.h"
#include "tests/suites.h"
#include "tests/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- The tape as it was ---------------------------------------------------------------------------- */

/* All that a user could notice of a tape. */
typedef struct snapshot {
    wg_tape tape;
    wg_tensor *node; /* [size] */
    char *values;
} snapshot;

static size_t value_bytes(const wg_tensor *x)
{
    return x->data != NULL ? (size_t)x->size * wg_dtype_size(x->dtype) : 0;
}

static snapshot snapshot_take(const wg_tape *t)
{
    size_t bytes = 1;
    for (int64_t i = 0; i < t->size; i++)
        bytes += value_bytes(t->node[i]);
    snapshot s = {*t, malloc(((size_t)t->size + 1) * sizeof *s.node), malloc(bytes)};
    char *to = s.values;
    for (int64_t i = 0; i < t->size; i++) {
        s.node[i] = *t->node[i];
        if (value_bytes(t->node[i]) > 0)
            memcpy(to, t->node[i]->data, value_bytes(t->node[i]));
        to += value_bytes(t->node[i]);
    }
    return s;
}

static void snapshot_compare(snapshot *s, const wg_tape *t)
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
        wgt_assert_same_bytes(t->node[i], &s->node[i], sizeof *s->node);
        if (value_bytes(t->node[i]) > 0)
            wgt_assert_same_bytes(t->node[i]->data, from, value_bytes(t->node[i]));
        from += value_bytes(t->node[i]);
    }
    wg_arena_mark then = wg_arena_height(&s->tape.arena), now = wg_arena_height(&t->arena);
    ck_assert_ptr_eq(then.block, now.block);
    ck_assert_uint_eq(then.used, now.used);
    ck_assert_uint_eq(wg_arena_height(&t->scratch).used, 0);
    free(s->node);
    free(s->values);
}

/* ---- Models ----------------------------------------------------------------------------------------- */

typedef struct model {
    wg_tensor *xs[4], *loss, *gs[4];
} model;

static wg_tensor *normal(wg_tape *t, const char *name, wg_dtype dtype, uint64_t key, int rank,
                         const int64_t *dim)
{
    wg_tensor *x = wg_param(t, name, dtype, rank, dim);
    wg_fill_normal(x, 0, 0.5, key);
    return x;
}

/* d - h - 3 with tanh on n rows of f32 or f64. */
static model mlp(wg_tape *t, wg_dtype dtype, int64_t n, int64_t d, int64_t h)
{
    model m;
    wg_tensor *y = wg_full(t, WG_I64, WG_SHAPE(n), 0);
    for (int64_t i = 0; i < n; i++)
        ((int64_t *)y->data)[i] = i % 3;
    wg_tensor *X = normal(t, "X", dtype, 1, WG_SHAPE(n, d));
    m.xs[0] = normal(t, "W1", dtype, 2, WG_SHAPE(d, h));
    m.xs[1] = normal(t, "b1", dtype, 3, WG_SHAPE(h));
    m.xs[2] = normal(t, "W2", dtype, 4, WG_SHAPE(h, 3));
    m.xs[3] = normal(t, "b2", dtype, 5, WG_SHAPE(3));
    wg_tensor *a = wg_tanh(wg_add(wg_matmul(X, m.xs[0]), m.xs[1]));
    m.loss = wg_cross_entropy(wg_add(wg_matmul(a, m.xs[2]), m.xs[3]), y);
    wg_grad(m.loss, m.xs, 4, m.gs);
    return m;
}

/* A square whose rule is `factor` x dy, so right for 2. */
static double claimed_factor;

static wg_tensor *claimed_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_scale(wg_mul(dy, y->operand[i]), claimed_factor);
}

static wg_tensor *claimed_square(wg_tensor *x, double factor)
{
    static wg_op op;
    op = *wg_op_find("square");
    op.name = "claimed_square";
    op.vjp = claimed_vjp;
    claimed_factor = factor;
    return wg_apply(&op, &x, 1, NULL);
}

/* ---- A right gradient ------------------------------------------------------------------------------- */

START_TEST(a_model_passes)
{
    wg_tape *t = wgt_strict_tape();
    model m = mlp(t, WG_F64, 6, 4, 5);
    static const wg_gradcheck_options three = {.check.points = 3}, some = {.directions = 7};
    const wg_gradcheck_options *options[] = {NULL, &three, &some};
    wg_check_report reports[4];
    snapshot before = snapshot_take(t);
    for (int k = 0; k < 3; k++)
        for (int given = 0; given < 2; given++) {
            wg_check_verdict verdict = wg_gradcheck(m.loss, m.xs, given ? m.gs : NULL, 4,
                                                    options[k], reports);
            ck_assert_int_eq(verdict, WG_CHECK_PASSED);
            for (int i = 0; i < 4; i++) {
                size_t entries = k == 2 ? 7 : (size_t)wg_size(m.xs[i]);
                ck_assert_str_eq(reports[i].name, m.xs[i]->name);
                ck_assert_ptr_null(reports[i].blame);
                ck_assert_uint_eq(reports[i].entries, entries);
                ck_assert_uint_eq(reports[i].agree, entries);
                ck_assert_uint_le(reports[i].evaluations, (k == 1 ? 3 : 5) * entries + 1);
                ck_assert_double_eq(reports[i].value, wg_item(m.loss));
            }
        }
    ck_assert_int_eq(wg_gradcheck(m.loss, m.xs, NULL, 4, NULL, NULL), WG_CHECK_PASSED);
    snapshot_compare(&before, t);
    wg_tape_free(t);
}
END_TEST

START_TEST(every_mode_leaves_the_tape)
{
    wg_tape *t = wgt_strict_tape();
    model m = mlp(t, WG_F64, 6, 4, 5);
    wg_check_taylor_report taylor;
    wg_check_sweep_row rows[8];
    wg_backward(m.loss);
    snapshot before = snapshot_take(t);
    ck_assert_int_eq(wg_gradcheck_second(m.loss, m.xs, 4, NULL, NULL), WG_CHECK_PASSED);
    ck_assert_int_eq(wg_gradcheck_taylor(m.loss, m.xs[0], 2, &taylor), WG_CHECK_PASSED);
    ck_assert_int_eq(wg_gradcheck_taylor(m.loss, m.xs[0], 3, &taylor), WG_CHECK_PASSED);
    ck_assert_int_eq(wg_gradcheck_sweep(m.loss, m.xs[0], 3, 0.1, 1e-9, rows, 8), WG_OK);
    snapshot_compare(&before, t);
    ck_assert_ptr_nonnull(wg_grad_of(m.xs[0]));
    wg_tape_free(t);
}
END_TEST

/* A model of f32 has errors of 1e-7 in its loss: only its f64 copy can agree to 1e-7. */
START_TEST(f32_is_checked_through_its_copy)
{
    wg_tape *t = wgt_strict_tape();
    model m = mlp(t, WG_F32, 6, 4, 5);
    wg_check_report reports[4];
    wg_check_taylor_report taylor;
    wg_check_sweep_row rows[8];
    snapshot before = snapshot_take(t);
    ck_assert_int_eq(wg_gradcheck(m.loss, m.xs, m.gs, 4, NULL, reports), WG_CHECK_PASSED);
    ck_assert_uint_eq(reports[0].agree, 20);
    ck_assert_double_gt(reports[0].single, 0);
    ck_assert_double_lt(reports[0].single, 1e-6);
    ck_assert_str_eq(reports[0].name, "W1");
    ck_assert(reports[0].value != wg_item(m.loss));
    wgt_assert_close(reports[0].value, wg_item(m.loss), 1e-6, 0);
    ck_assert_int_eq(wg_gradcheck(m.loss, m.xs, NULL, 4, NULL, NULL), WG_CHECK_PASSED);
    ck_assert_int_eq(wg_gradcheck_second(m.loss, m.xs, 4, NULL, NULL), WG_CHECK_PASSED);
    ck_assert_int_eq(wg_gradcheck_taylor(m.loss, m.xs[2], 3, &taylor), WG_CHECK_PASSED);
    ck_assert_int_eq(wg_gradcheck_sweep(m.loss, m.xs[0], 3, 0.1, 1e-9, rows, 8), WG_OK);
    ck_assert_double_lt(rows[3].error5, 1e-9);
    snapshot_compare(&before, t);
    wg_tape_free(t);
}
END_TEST

static void coarse_product(int64_t n, void *y, const void *const x[], const int64_t step[],
                           const void *attrs)
{
    (void)attrs;
    for (int64_t i = 0; i < n; i++)
        ((float *)y)[i] = 1.5f * ((const float *)x[0])[i * step[0]] *
                          ((const float *)x[1])[i * step[1]];
}

/* The f64 kernel and the rule are right: differences in f64 cannot see what f32 makes of them. */
START_TEST(a_wrong_f32_kernel_is_noticed)
{
    static wg_op wrong;
    wrong = wgt_op_product;
    wrong.map[WG_F32] = coarse_product;
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = normal(t, "x", WG_F32, 1, WG_SHAPE(4)), *e = wg_exp(x), *g;
    wg_tensor *y = wg_sum(wg_apply(
        &wrong, (wg_tensor *[]){e, wg_apply(&wrong, (wg_tensor *[]){e, e}, 2, NULL)}, 2, NULL));
    wg_check_report report;
    wg_grad(y, &x, 1, &g);
    snapshot before = snapshot_take(t);
    ck_assert_int_eq(wg_gradcheck(y, &x, NULL, 1, NULL, &report), WG_CHECK_UNRESOLVED);
    ck_assert_str_eq(report.blame, "product");
    ck_assert_double_gt(report.single, 0.1);
    ck_assert_uint_eq(report.agree, 4);
    ck_assert_int_eq(wg_gradcheck(y, &x, &g, 1, NULL, NULL), WG_CHECK_UNRESOLVED);
    snapshot_compare(&before, t);
    wg_tape_free(t);
}
END_TEST

/* x and y are f64, but f32 lies between them. */
START_TEST(f32_in_the_middle)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = normal(t, "x", WG_F64, 1, WG_SHAPE(5));
    wg_tensor *y = wg_sum(wg_cast(wg_exp(wg_cast(x, WG_F32)), WG_F64));
    ck_assert_int_eq(wg_dtype_of(y), WG_F64);
    ck_assert_int_eq(wg_gradcheck(y, &x, NULL, 1, NULL, NULL), WG_CHECK_PASSED);
    wg_tape_free(t);
}
END_TEST

/* The sum of a softmax is 1, whatever its rule is: only a random cotangent sees a wrong one. */
static wg_tensor *swapped_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    (void)i;
    wg_tensor *mean = wg_sum_over(wg_mul(dy, y), WG_AXES(-1), true);
    return wg_mul(wg_square(y), wg_sub(dy, mean)); /* y^2 for y */
}

START_TEST(a_y_of_many_elements_gets_a_random_cotangent)
{
    static wg_op wrong;
    wrong = *wg_op_find("softmax");
    wrong.name = "wrong_softmax";
    wrong.vjp = swapped_vjp;
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = normal(t, "x", WG_F64, 1, WG_SHAPE(3, 4)), *good = wg_softmax(x, -1);
    wg_tensor *bad = wg_apply(&wrong, &x, 1, good->attrs), *g;
    wg_check_report report;
    ck_assert_int_eq(wg_gradcheck(good, &x, NULL, 1, NULL, &report), WG_CHECK_PASSED);
    ck_assert_uint_eq(report.agree, 12);
    ck_assert_int_eq(wg_gradcheck(bad, &x, NULL, 1, NULL, &report), WG_CHECK_FAILED);
    ck_assert_str_eq(report.blame, "wrong_softmax");
    ck_assert_int_ne(wg_gradcheck(wg_sum(good), &x, NULL, 1, NULL, NULL), WG_CHECK_PASSED);
    ck_assert_int_ne(wg_gradcheck(wg_sum(good), &x, NULL, 1, NULL, NULL), WG_CHECK_FAILED);
    wg_grad(wg_sum(good), &x, 1, &g);
    ck_assert_int_eq(wg_gradcheck(good, &x, &g, 1, NULL, &report), WG_CHECK_INVALID);
    ck_assert_str_eq(report.blame, "a gradient is given, but y has not one element");
    wg_tape_free(t);
}
END_TEST

/* ---- What x may be ---------------------------------------------------------------------------------- */

START_TEST(an_x_may_be_anything_older)
{
    static const double data[] = {0.5, -1.25, 2}; /* cannot be written */
    wg_tape *t = wgt_strict_tape();
    wg_tensor *input = wg_input(t, "input", WG_F64, WG_SHAPE(3), data);
    wg_tensor *constant = wg_constant(t, WG_F64, WG_SHAPE(3), data);
    wg_tensor *folded = wg_exp(constant), *moved = wg_sin(input);
    wg_tensor *view = wg_reshape(moved, WG_SHAPE(3, 1)), *tail = wg_slice(view, 0, 1, WG_END);
    wg_tensor *y = wg_mul(wg_mul(folded, moved), wg_square(input));
    y = wg_mul(wg_sum(wg_mul(y, constant)), wg_add(wg_sum(wg_exp(view)), wg_prod(tail)));
    wg_tensor *xs[] = {input, constant, folded, moved, view, tail, input, y};
    wg_check_report reports[8];
    snapshot before = snapshot_take(t);
    ck_assert_int_eq(wg_gradcheck(y, xs, NULL, 8, NULL, reports), WG_CHECK_PASSED);
    for (int i = 0; i < 8; i++)
        ck_assert_uint_eq(reports[i].agree, (size_t)wg_size(xs[i]));
    ck_assert_str_eq(reports[6].name, "input");
    ck_assert_ptr_null(reports[1].name);
    ck_assert_int_eq(wg_gradcheck_second(y, xs, 7, NULL, reports), WG_CHECK_PASSED);
    snapshot_compare(&before, t);
    ck_assert_ptr_eq(wg_data_f64(input), data);
    wg_tape_free(t);
}
END_TEST

/* y does not depend on an x that is younger, or stands beside it, or is stale itself. */
START_TEST(an_x_that_y_does_not_depend_on_is_vacuous)
{
    wg_tape *t = wg_tape_new(&(wg_tape_options){.strict_grad = true});
    wg_tensor *x = wgt_scalar_param(t, "x", 2), *z = wgt_scalar_param(t, "z", 3);
    wg_tensor *y = wg_square(x), *beside = wg_exp(z), *xs[] = {x, z, beside};
    wg_check_report reports[3];
    *(double *)wg_edit(z) = 4;
    ck_assert(wg_is_stale(beside));
    snapshot before = snapshot_take(t);
    ck_assert_int_eq(wg_gradcheck(y, xs, NULL, 3, NULL, reports), WG_CHECK_VACUOUS);
    ck_assert_int_eq(reports[0].verdict, WG_CHECK_PASSED);
    ck_assert_int_eq(reports[1].verdict, WG_CHECK_VACUOUS);
    ck_assert_int_eq(reports[2].verdict, WG_CHECK_VACUOUS);
    snapshot_compare(&before, t);
    wg_tape_free(t);
}
END_TEST

static void hold_forward(const wg_tensor *y, const wg_piece *piece)
{
    (void)piece;
    memcpy(y->data, y->operand[0]->data, value_bytes(y));
}

static bool hold_shape(wg_tensor *y)
{
    y->dtype = y->operand[0]->dtype;
    y->shape = y->operand[0]->shape;
    return true;
}

static const wg_op op_hold = {.name = "hold",
                              .arity = 1,
                              .flags = WG_OP_ZERO_GRADIENT | WG_OP_DETACHED,
                              .shape = hold_shape,
                              .forward = hold_forward};

/* A detached view looks at memory that moves; it must not be seen to move, nor what looks at it. */
START_TEST(what_is_detached_is_held)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = normal(t, "x", WG_F64, 1, WG_SHAPE(2, 3)), *z = wg_exp(x), *ys[5];
    ys[0] = wg_mul(x, wg_detach(x));
    ys[1] = wg_mul(z, wg_detach(z));
    ys[2] = wg_mul(wg_reshape(z, WG_SHAPE(6)), wg_reshape(wg_detach(z), WG_SHAPE(6)));
    ys[3] = wg_mul(z, wg_apply(&op_hold, &z, 1, NULL));
    ys[4] = wg_mul(z, wg_sin(wg_slice(wg_detach(wg_reshape(z, WG_SHAPE(2, 3))), 0, 1, 2)));
    snapshot before = snapshot_take(t);
    for (int k = 0; k < 5; k++) {
        wg_check_report report;
        ck_assert_msg(wg_gradcheck(ys[k], &x, NULL, 1, NULL, &report) == WG_CHECK_PASSED, "%d", k);
        ck_assert_uint_eq(report.agree, 6);
    }
    snapshot_compare(&before, t);
    wg_tape_free(t);
}
END_TEST

/* ---- What is refused --------------------------------------------------------------------------------- */

static void assert_invalid(wg_tensor *y, wg_tensor *const xs[], wg_tensor *const gs[], int n,
                           const wg_gradcheck_options *options, const char *why)
{
    wg_check_report reports[2];
    memset(reports, 0xff, sizeof reports);
    ck_assert_int_eq(wg_gradcheck(y, xs, gs, n, options, reports), WG_CHECK_INVALID);
    for (int i = 0; i < n; i++) {
        ck_assert_int_eq(reports[i].verdict, WG_CHECK_INVALID);
        ck_assert_str_eq(reports[i].blame, why);
    }
    ck_assert_int_eq(wg_gradcheck(y, xs, gs, n, options, NULL), WG_CHECK_INVALID);
}

START_TEST(arguments_that_cannot_be_checked)
{
    wg_tape *t = wgt_strict_tape(), *other = wgt_strict_tape();
    wg_tensor *x = normal(t, "x", WG_F64, 1, WG_SHAPE(2)), *k = wg_full(t, WG_I64, WG_SCALAR, 1);
    wg_tensor *far = normal(other, "far", WG_F64, 1, WG_SHAPE(2)), *none = NULL, *g;
    wg_tensor *y = wg_sum(wg_square(x)), *hollow = wg_hollow(t, WG_F64, WG_SHAPE(2));
    wg_tensor *norule = wg_sum(wgt_reciprocal(x)), *inert = &t->inert;
    wg_grad(y, &x, 1, &g);
    snapshot before = snapshot_take(t);
    assert_invalid(NULL, &x, NULL, 1, NULL, "y is NULL");
    assert_invalid(inert, &x, NULL, 1, NULL, "y is what an earlier error returned");
    assert_invalid(k, &x, NULL, 1, NULL, "y is i64");
    assert_invalid(hollow, &x, NULL, 1, NULL, "y has no value");
    assert_invalid(y, &none, NULL, 1, NULL, "an x is NULL or inert");
    assert_invalid(y, &inert, NULL, 1, NULL, "an x is NULL or inert");
    assert_invalid(y, &far, NULL, 1, NULL, "an x is of another tape");
    assert_invalid(y, &k, NULL, 1, NULL, "an x is i64");
    assert_invalid(y, &hollow, NULL, 1, NULL, "an x has no value");
    assert_invalid(y, NULL, NULL, 1, NULL, "there is no x");
    assert_invalid(y, &x, NULL, 0, NULL, ""); /* no report to say why */
    assert_invalid(y, &x, NULL, -1, NULL, "");
    assert_invalid(norule, &x, NULL, 1, NULL, "no gradient can be derived");
    assert_invalid(y, &x, &none, 1, NULL, "a claimed gradient is NULL or inert");
    assert_invalid(y, &x, &far, 1, NULL, "a claimed gradient is of another tape");
    assert_invalid(y, &x, &k, 1, NULL, "a claimed gradient is not like its x");
    assert_invalid(y, &x, &y, 1, NULL, "a claimed gradient is not like its x");
    assert_invalid(y, &x, &hollow, 1, NULL, "a claimed gradient is not like its x");
    assert_invalid(y, &x, NULL, 1, &(wg_gradcheck_options){.check.points = 4},
                   "an option is out of its range");
    wg_check_report report;
    ck_assert_int_eq(wg_gradcheck_second(k, &x, 1, NULL, &report), WG_CHECK_INVALID);
    ck_assert_str_eq(report.blame, "y is i64");
    ck_assert_int_eq(wg_gradcheck_second(x, &x, 1, NULL, &report), WG_CHECK_INVALID);
    ck_assert_str_eq(report.blame, "no second derivative can be derived");
    snapshot_compare(&before, t);
    wg_tape_free(t);
    wg_tape_free(other);
}
END_TEST

START_TEST(what_is_stale_is_refused)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = normal(t, "x", WG_F64, 1, WG_SHAPE(2)), *y = wg_sum(wg_square(x)), *g;
    wg_check_taylor_report taylor;
    wg_check_sweep_row row;
    wg_grad(y, &x, 1, &g);
    *(double *)wg_edit(x) = 3;
    assert_invalid(y, &x, NULL, 1, NULL, "y is out of date: replay first");
    ck_assert_int_eq(wg_gradcheck_second(y, &x, 1, NULL, NULL), WG_CHECK_INVALID);
    ck_assert_int_eq(wg_gradcheck_taylor(y, x, 2, &taylor), WG_CHECK_INVALID);
    ck_assert_int_ne(wg_gradcheck_sweep(y, x, 0, 1, 1e-3, &row, 1), WG_OK);
    wg_replay_to(&y, 1);
    assert_invalid(y, &x, &g, 1, NULL, "a claimed gradient is out of date: replay first");
    ck_assert(wg_is_stale(g));
    wg_replay(t);
    ck_assert_int_eq(wg_gradcheck(y, &x, &g, 1, NULL, NULL), WG_CHECK_PASSED);
    wg_tape_free(t);
}
END_TEST

START_TEST(a_tape_with_an_error_is_refused)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = normal(t, "x", WG_F64, 1, WG_SHAPE(2)), *y = wg_sum(wg_square(x));
    wg_add(x, NULL);
    snapshot before = snapshot_take(t);
    assert_invalid(y, &x, NULL, 1, NULL, "add: operand 1 is NULL");
    assert_invalid(wg_sin(y), &x, NULL, 1, NULL, "add: operand 1 is NULL");
    snapshot_compare(&before, t);
    wg_tape_free(t);
}
END_TEST

/* In an f32 tape, too, where a place on the copy stands for a tensor. */
START_TEST(f32_is_refused_like_f64)
{
    wg_tape *t = wgt_strict_tape(), *other = wgt_strict_tape();
    model m = mlp(t, WG_F32, 3, 2, 2), n = mlp(other, WG_F32, 3, 2, 2);
    assert_invalid(m.loss, m.xs, n.gs, 2, NULL, "a claimed gradient is of another tape");
    assert_invalid(m.loss, m.xs, m.xs + 1, 2, NULL, "a claimed gradient is not like its x");
    ((float *)wg_edit(m.xs[0]))[0] = 3;
    wg_replay_to(&m.loss, 1);
    assert_invalid(m.loss, m.xs, m.gs, 2, NULL, "a claimed gradient is out of date: replay first");
    wg_tape_free(t);
    wg_tape_free(other);
}
END_TEST

/* The product of support.h with its f32 kernel alone; the user's callback does not hear of it. */
START_TEST(an_op_without_f64_is_refused)
{
    static wg_op narrow;
    narrow = wgt_op_product;
    narrow.map[WG_F64] = NULL;
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wg_param(t, "x", WG_F32, WG_SHAPE(2));
    wg_tensor *y = wg_sum(wg_apply(&narrow, (wg_tensor *[]){x, x}, 2, NULL));
    snapshot before = snapshot_take(t);
    assert_invalid(y, &x, NULL, 1, NULL, "an op of the tape has no f64");
    snapshot_compare(&before, t);
    wg_tape_free(t);
}
END_TEST

/* ---- Verdicts ---------------------------------------------------------------------------------------- */

START_TEST(all_zero_is_vacuous)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = normal(t, "x", WG_F64, 1, WG_SHAPE(4)),
              *none = wg_param(t, "none", WG_F64, WG_SHAPE(0));
    wg_check_report report;
    ck_assert_int_eq(wg_gradcheck(wg_sum(wg_floor(x)), &x, NULL, 1, NULL, &report),
                     WG_CHECK_VACUOUS);
    ck_assert_uint_eq(report.agree, 4);
    ck_assert_ptr_null(report.blame);
    ck_assert_int_eq(wg_gradcheck(wg_sum(wg_exp(none)), &none, NULL, 1, NULL, NULL),
                     WG_CHECK_VACUOUS);
    ck_assert_int_eq(wg_gradcheck_second(wg_sum(x), &x, 1, NULL, NULL), WG_CHECK_VACUOUS);
    wg_tape_free(t);
}
END_TEST

/* x log x at 0 by an unguarded where: the value is right, the gradient is 0 times infinity. */
START_TEST(nan_is_refused)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(2), (double[]){0, 1.5});
    wg_tensor *zero = wg_scalar(t, WG_F64, 0), *taken = wg_greater(x, zero);
    wg_tensor *y = wg_sum(wg_where(taken, wg_mul(x, wg_log(x)), zero));
    wg_tensor *pole = wg_sum(wg_reciprocal(x));
    wg_check_report report;
    snapshot before = snapshot_take(t);
    ck_assert_int_eq(wg_gradcheck(y, &x, NULL, 1, NULL, &report), WG_CHECK_FAILED);
    ck_assert_uint_eq(report.disagree, 1);
    ck_assert_uint_eq(report.worst.index, 0);
    ck_assert(isnan(report.worst.claimed));
    ck_assert_int_eq(wg_gradcheck(pole, &x, NULL, 1, NULL, &report), WG_CHECK_NOT_FINITE);
    snapshot_compare(&before, t);
    wg_tape_free(t);
}
END_TEST

/* Points beside x where f is not finite are no errors of the tape. */
START_TEST(near_the_edge_of_a_domain)
{
    wg_tape *t = wg_tape_new(&(wg_tape_options){.check_finite = true});
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(3), (double[]){1e-8, 1e-3, 2});
    wg_tensor *y = wg_sum(wg_add(wg_log(x), wg_sqrt(x)));
    snapshot before = snapshot_take(t);
    ck_assert_int_eq(wg_gradcheck(y, &x, NULL, 1, NULL, NULL), WG_CHECK_PASSED);
    ck_assert_int_eq(wg_gradcheck_second(y, &x, 1, NULL, NULL), WG_CHECK_PASSED);
    snapshot_compare(&before, t);
    wg_tape_free(t);
}
END_TEST

static bool positive_check(const wg_tensor *y)
{
    for (int64_t i = 0; i < y->size; i++)
        if (!(((const double *)y->operand[0]->data)[i] > 0))
            return wg_op_fail(y, WG_E_VALUE, "not above 0");
    return true;
}

static int errors_heard;

static void hear(wg_status status, const char *message, void *user)
{
    (void)status, (void)message, (void)user;
    errors_heard++;
}

START_TEST(an_op_may_refuse_a_point)
{
    static wg_op strict;
    strict = *wg_op_find("log");
    strict.name = "strict_log";
    strict.check = positive_check;
    wg_tape *t = wg_tape_new(&(wg_tape_options){.on_error = hear});
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(2), (double[]){1e-4, 2});
    wg_tensor *y = wg_sum(wg_apply(&strict, &x, 1, NULL));
    snapshot before = snapshot_take(t);
    ck_assert_int_eq(wg_gradcheck(y, &x, NULL, 1, NULL, NULL), WG_CHECK_PASSED);
    snapshot_compare(&before, t);
    ck_assert_int_eq(errors_heard, 0);
    wg_tape_free(t);
}
END_TEST

/* Of a wrong rule every mode says so, and the tape is as it was. */
START_TEST(a_wrong_rule_fails)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = normal(t, "x", WG_F64, 1, WG_SHAPE(70)),
              *z = normal(t, "z", WG_F64, 2, WG_SHAPE(2));
    wg_tensor *y = wg_mean(wg_exp(wg_sin(claimed_square(wg_sin(x), -2)))), *xs[] = {z, x};
    y = wg_add(y, wg_sum(wg_square(z)));
    wg_check_report reports[2];
    wg_check_taylor_report taylor;
    wg_gradcheck_options some = {.directions = 3}, quiet = {.no_blame = true};
    snapshot before = snapshot_take(t);
    ck_assert_int_eq(wg_gradcheck(y, xs, NULL, 2, NULL, reports), WG_CHECK_FAILED);
    ck_assert_int_eq(reports[0].verdict, WG_CHECK_PASSED);
    ck_assert_ptr_null(reports[0].blame);
    ck_assert_str_eq(reports[1].blame, "claimed_square"); /* of 70 entries: by directions */
    ck_assert_uint_eq(reports[1].disagree, 70);
    ck_assert_int_eq(wg_gradcheck(y, xs, NULL, 2, &quiet, reports), WG_CHECK_FAILED);
    ck_assert_ptr_null(reports[1].blame);
    ck_assert_int_eq(wg_gradcheck(y, xs, NULL, 2, &some, reports), WG_CHECK_FAILED);
    ck_assert_str_eq(reports[1].blame, "claimed_square");
    ck_assert_int_eq(wg_gradcheck_taylor(y, x, 2, &taylor), WG_CHECK_FAILED);
    wgt_assert_close(taylor.rate, 1, 0, 0.25);
    snapshot_compare(&before, t);
    wg_tape_free(t);
}
END_TEST

/* A gradient from elsewhere is nobody's rule. */
START_TEST(a_wrong_gradient_is_blamed_on_no_op)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = normal(t, "x", WG_F64, 1, WG_SHAPE(3)), *y = wg_sum(wg_square(x));
    wg_tensor *g = wg_scale(x, 2.01), *handmade = wg_sum(wgt_reciprocal(x));
    wg_tensor *right = wg_neg(wg_reciprocal(wg_square(x)));
    wg_check_report report;
    ck_assert_int_eq(wg_gradcheck(y, &x, &g, 1, NULL, &report), WG_CHECK_FAILED);
    ck_assert(wgt_contains(report.blame, "no single op"));
    /* an op without a rule has made no claim */
    ck_assert_int_eq(wg_gradcheck(handmade, &x, &right, 1, NULL, &report), WG_CHECK_PASSED);
    ck_assert_int_eq(wg_gradcheck(handmade, &x, &g, 1, NULL, &report), WG_CHECK_FAILED);
    ck_assert(wgt_contains(report.blame, "no single op"));
    wg_tape_free(t);
}
END_TEST

/* A rule that gives too little, met while somebody is to be blamed, is not read beyond its end. */
static wg_tensor *short_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    (void)i;
    return wg_sum(wg_mul(dy, y));
}

START_TEST(a_rule_of_the_wrong_shape)
{
    static wg_op op;
    op = *wg_op_find("square");
    op.vjp = short_vjp;
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = normal(t, "x", WG_F64, 1, WG_SHAPE(3));
    wg_tensor *y = wg_sum(wg_apply(&op, &x, 1, NULL)), *g = wg_scale(x, 3);
    wg_check_report report;
    ck_assert_int_eq(wg_gradcheck(y, &x, NULL, 1, NULL, &report), WG_CHECK_INVALID);
    ck_assert_int_eq(wg_gradcheck(y, &x, &g, 1, NULL, &report), WG_CHECK_FAILED);
    wg_tape_free(t);
}
END_TEST

/* ---- Second order ------------------------------------------------------------------------------------ */

/* The first derivative is right, but its own is lost. */
static wg_tensor *detached_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_scale(wg_mul(dy, wg_detach(y->operand[i])), 2);
}

START_TEST(a_detach_inside_a_rule_is_found)
{
    static wg_op op;
    op = *wg_op_find("square");
    op.vjp = detached_vjp;
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = normal(t, "x", WG_F64, 1, WG_SHAPE(3));
    wg_tensor *y = wg_sum(wg_exp(wg_apply(&op, &x, 1, NULL)));
    wg_check_report report;
    ck_assert_int_eq(wg_gradcheck(y, &x, NULL, 1, NULL, NULL), WG_CHECK_PASSED);
    ck_assert_int_eq(wg_gradcheck_second(y, &x, 1, NULL, &report), WG_CHECK_FAILED);
    ck_assert_str_eq(report.blame, "detach");
    wg_tensor *held = wg_sum(wg_mul(wg_square(x), wg_detach(wg_exp(x)))); /* the user's own */
    ck_assert_int_eq(wg_gradcheck_second(held, &x, 1, NULL, NULL), WG_CHECK_PASSED);
    wg_tape_free(t);
}
END_TEST

/* sin's rule by an op that is cosine in value, with a rule of its own that is wrong. */
static wg_op wrong_cosine;

static wg_tensor *wrong_cosine_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_mul(dy, wg_sin(y->operand[i])); /* the sign */
}

static wg_tensor *sine_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_mul(dy, wg_apply(&wrong_cosine, &y->operand[i], 1, NULL));
}

START_TEST(a_wrong_rule_of_a_rule_is_blamed)
{
    static wg_op sine;
    sine = *wg_op_find("sin");
    sine.vjp = sine_vjp;
    wrong_cosine = *wg_op_find("cos");
    wrong_cosine.name = "wrong_cosine";
    wrong_cosine.vjp = wrong_cosine_vjp;
    wg_tape *t = wgt_strict_tape();
    wg_tensor *xs[] = {normal(t, "x", WG_F64, 1, WG_SHAPE(3)),
                       normal(t, "z", WG_F64, 2, WG_SHAPE(3))};
    wg_tensor *y = wg_sum(wg_mul(wg_apply(&sine, xs, 1, NULL), wg_square(xs[1])));
    wg_check_report reports[2];
    wg_check_taylor_report taylor;
    ck_assert_int_eq(wg_gradcheck(y, xs, NULL, 2, NULL, NULL), WG_CHECK_PASSED);
    ck_assert_int_eq(wg_gradcheck_taylor(y, xs[0], 2, &taylor), WG_CHECK_PASSED);
    ck_assert_int_eq(wg_gradcheck_taylor(y, xs[0], 3, &taylor), WG_CHECK_FAILED);
    ck_assert_int_eq(wg_gradcheck_second(y, xs, 2, NULL, reports), WG_CHECK_FAILED);
    ck_assert_str_eq(reports[0].blame, "wrong_cosine");
    ck_assert_int_eq(reports[1].verdict, WG_CHECK_PASSED); /* d2/dzdx has no cosine's derivative */
    wg_tape_free(t);
}
END_TEST

/* One rule that is made of ops without a rule: there is a first derivative, and no second one. */
static wg_tensor *once_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    (void)i;
    wg_tensor *slope = wg_neg(wg_square(y)), *again = wgt_reciprocal(wgt_reciprocal(dy));
    return wg_mul(again, slope);
}

START_TEST(first_order_modes_need_no_second_derivative)
{
    static wg_op op;
    op = *wg_op_find("reciprocal");
    op.vjp = once_vjp;
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(2), (double[]){1, 2});
    wg_tensor *y = wg_sum(wg_square(wg_apply(&op, &x, 1, NULL)));
    wg_check_taylor_report taylor;
    wg_check_sweep_row row;
    ck_assert_int_eq(wg_gradcheck_taylor(y, x, 2, &taylor), WG_CHECK_PASSED);
    ck_assert_int_eq(wg_gradcheck_sweep(y, x, 0, 1e-3, 1e-3, &row, 1), WG_OK);
    ck_assert_int_eq(wg_gradcheck_taylor(y, x, 3, &taylor), WG_CHECK_INVALID);
    ck_assert_int_eq(wg_gradcheck_second(y, &x, 1, NULL, NULL), WG_CHECK_INVALID);
    wg_tape_free(t);
}
END_TEST

/* Blocks that are zero are no errors where gradients are strict. */
START_TEST(second_order_of_what_is_linear)
{
    wg_tape *t = wg_tape_new(&(wg_tape_options){.strict_grad = true});
    wg_tensor *xs[] = {normal(t, "x", WG_F64, 1, WG_SHAPE(3)),
                       normal(t, "z", WG_F64, 2, WG_SHAPE(3))};
    wg_tensor *y = wg_add(wg_sum(wg_exp(xs[0])), wg_sum(xs[1]));
    wg_check_report reports[2];
    ck_assert_int_eq(wg_gradcheck_second(y, xs, 2, NULL, reports), WG_CHECK_VACUOUS);
    ck_assert_int_eq(reports[0].verdict, WG_CHECK_PASSED);
    ck_assert_int_eq(reports[1].verdict, WG_CHECK_VACUOUS);
    wg_tape_free(t);
}
END_TEST

/* Inputs of one shape get tangents of their own: with equal ones, two exchanged blocks would agree. */
static void squares_map(int64_t n, void *y, const void *const x[], const int64_t step[],
                        const void *attrs)
{
    const double *a = x[0], *b = x[1];
    (void)attrs;
    for (int64_t i = 0; i < n; i++)
        ((double *)y)[i] = a[i * step[0]] * a[i * step[0]] + b[i * step[1]] * b[i * step[1]];
}

/* 2a for a, as it should be, but with b in a's place when it is differentiated. */
static wg_tensor *exchanged_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    wg_tensor *mine = wg_detach(y->operand[i]), *other = y->operand[1 - i];
    wg_tensor *slope = wg_add(mine, wg_sub(other, wg_detach(other)));
    return wg_scale(wg_mul(dy, slope), 2);
}

START_TEST(exchanged_blocks_are_found)
{
    static wg_op op;
    op = *wg_op_find("add");
    op.name = "squares";
    op.vjp = exchanged_vjp;
    op.map[WG_F64] = squares_map;
    wg_tape *t = wgt_strict_tape();
    wg_tensor *xs[] = {normal(t, "a", WG_F64, 1, WG_SHAPE(3)),
                       normal(t, "b", WG_F64, 2, WG_SHAPE(3))};
    wg_tensor *y = wg_sum(wg_apply(&op, xs, 2, NULL));
    ck_assert_int_eq(wg_gradcheck(y, xs, NULL, 2, NULL, NULL), WG_CHECK_PASSED);
    ck_assert_int_eq(wg_gradcheck_second(y, xs, 2, NULL, NULL), WG_CHECK_FAILED);
    wg_tape_free(t);
}
END_TEST

/* ---- Taylor and sweep --------------------------------------------------------------------------------- */

START_TEST(taylor_rates)
{
    wg_tape *t = wgt_strict_tape();
    model m = mlp(t, WG_F64, 6, 4, 5);
    wg_check_taylor_report report;
    for (int order = 2; order <= 3; order++) {
        ck_assert_int_eq(wg_gradcheck_taylor(m.loss, m.xs[0], order, &report), WG_CHECK_PASSED);
        ck_assert_int_eq(report.order, order);
        wgt_assert_close(report.rate, order, 0, 0.1);
        ck_assert_double_lt(report.rows[6].remainder, report.rows[0].remainder / pow(2, 5 * order));
    }
    ck_assert_int_eq(wg_gradcheck_taylor(m.loss, m.xs[0], 2, NULL), WG_CHECK_PASSED);
    ck_assert_int_eq(wg_gradcheck_taylor(m.loss, m.xs[0], 4, &report), WG_CHECK_INVALID);
    ck_assert_int_eq(report.verdict, WG_CHECK_INVALID);
    ck_assert_int_eq(wg_gradcheck_taylor(m.gs[0], m.xs[0], 2, &report), WG_CHECK_INVALID);
    ck_assert_int_eq(wg_gradcheck_taylor(NULL, m.xs[0], 2, &report), WG_CHECK_INVALID);
    ck_assert_int_eq(wg_gradcheck_taylor(m.loss, NULL, 2, &report), WG_CHECK_INVALID);
    wg_tape_free(t);
}
END_TEST

/* The best of each formula: eps^(1/2), eps^(2/3), eps^(4/5), as far as round-off goes. */
START_TEST(the_sweep_is_a_v)
{
    enum { ROWS = 40 };
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(2), (double[]){0.3, 1.1});
    wg_tensor *y = wg_sum(wg_exp(wg_sin(x)));
    wg_check_sweep_row rows[ROWS];
    double best[3] = {1, 1, 1};
    ck_assert_int_eq(wg_gradcheck_sweep(y, x, 1, 0.5, 0.5e-12, rows, ROWS), WG_OK);
    for (int i = 0; i < ROWS; i++) {
        best[0] = fmin(best[0], rows[i].error2);
        best[1] = fmin(best[1], rows[i].error3);
        best[2] = fmin(best[2], rows[i].error5);
    }
    wgt_assert_close(rows[0].h, 0.5, 1e-12, 0);
    wgt_assert_close(rows[ROWS - 1].h, 0.5e-12, 1e-12, 0);
    ck_assert(best[0] < 1e-7 && best[1] < 1e-9 && best[2] < 1e-11);
    ck_assert(best[2] < best[1] && best[1] < best[0]);
    ck_assert(rows[0].error3 > 1e-2 && rows[ROWS - 1].error3 > 1e-6);
    ck_assert_int_eq(wg_gradcheck_sweep(y, x, 2, 1, 1e-3, rows, ROWS), WG_E_INDEX);
    ck_assert_int_eq(wg_gradcheck_sweep(y, x, -1, 1, 1e-3, rows, ROWS), WG_E_INDEX);
    ck_assert_int_eq(wg_gradcheck_sweep(y, NULL, 0, 1, 1e-3, rows, ROWS), WG_E_INDEX);
    ck_assert_int_eq(wg_gradcheck_sweep(NULL, x, 0, 1, 1e-3, rows, ROWS), WG_E_VALUE);
    ck_assert_int_eq(wg_gradcheck_sweep(x, x, 0, 1, 1e-3, rows, ROWS), WG_E_VALUE);
    wg_tape_free(t);
}
END_TEST

/* ---- Closed forms, printing, memory -------------------------------------------------------------------- */

START_TEST(closed_forms_are_compared)
{
    static const double closed[] = {1, -4, 2, 0}, zeros[4] = {0}, nans[] = {1, -4, (double)NAN, 0};
    static const double infinite[] = {(double)INFINITY, 2, 3, 4};
    int64_t worst = -1;
    wg_tape *t = wgt_strict_tape();
    wg_tensor *g = wgt_param(t, "g", WG_SHAPE(4), (double[]){1, -4.5, 2.25, 0});
    wg_tensor *same = wgt_param(t, "same", WG_SHAPE(4), closed);
    wg_tensor *pole = wgt_param(t, "pole", WG_SHAPE(4), (double[]){(double)INFINITY, 2, 3, 5});
    ck_assert_double_eq(wg_compare_closed_form(g, closed, 0, &worst), 0.125);
    ck_assert_int_eq(worst, 1);
    ck_assert_double_eq(wg_compare_closed_form(g, closed, 10, NULL), 0.05);
    ck_assert_double_eq(wg_compare_closed_form(same, closed, 0, &worst), 0);
    ck_assert_double_eq(wg_compare_closed_form(wg_zeros_like(g), zeros, 0, NULL), 0);
    ck_assert(isinf(wg_compare_closed_form(g, zeros, 0, NULL)));
    ck_assert(isnan(wg_compare_closed_form(g, nans, 0, &worst)));
    ck_assert_int_eq(worst, 2);
    ck_assert(isnan(wg_compare_closed_form(NULL, closed, 0, NULL)));
    ck_assert(isnan(wg_compare_closed_form(&t->inert, closed, 0, NULL)));
    ck_assert_double_eq(wg_compare_closed_form(pole, infinite, 0, &worst), 0.25);
    ck_assert_int_eq(worst, 3);
    ck_assert(isinf(wg_compare_closed_form(g, infinite, 0, &worst)));
    wg_tape_free(t);
}
END_TEST

static const char *printed(wg_tensor *y, wg_tensor *const xs[], int n, wg_check_verdict verdict)
{
    static char text[4096];
    FILE *file = tmpfile();
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(wg_gradcheck_print(file, y, xs, NULL, n, NULL), verdict);
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

START_TEST(the_table)
{
    wg_tape *t = wgt_strict_tape();
    model m = mlp(t, WG_F64, 6, 4, 5);
    wg_tensor *wrong = wg_sum(claimed_square(m.xs[1], 1));
    const char *text = printed(m.loss, m.xs, 4, WG_CHECK_PASSED);
    ck_assert(wgt_contains(text, "W2 ") && wgt_contains(text, "gradient check passed: 4 of 4"));
    text = printed(wrong, m.xs + 1, 1, WG_CHECK_FAILED);
    ck_assert(wgt_contains(text, "enters at claimed_square"));
    ck_assert(wgt_contains(text, "NOT PASSED: 0 of 1"));
    text = printed(m.loss, m.xs, 0, WG_CHECK_INVALID);
    ck_assert(wgt_contains(text, "there is no x") && wgt_contains(text, "NOT PASSED"));
    text = printed(NULL, m.xs, 1, WG_CHECK_INVALID);
    ck_assert(wgt_contains(text, "y is NULL") && wgt_contains(text, "NOT PASSED"));
    wg_tape_free(t);
}
END_TEST

/* Every allocation fails once: the verdict is right or there is none, and the tape is as it was. */
START_TEST(out_of_memory)
{
    for (int64_t at = 1;; at++) {
        wgt_memory memory = {0};
        wg_tape *t = wgt_tape(&memory);
        model m = mlp(t, _i == 0 ? WG_F64 : WG_F32, 3, 4, 150);
        wg_check_report reports[4];
        snapshot before = snapshot_take(t);
        wg_gradcheck_options some = {.directions = 1};
        memory.fail_at = memory.calls + at;
        wg_check_verdict verdict = wg_gradcheck(m.loss, m.xs, NULL, 4, &some, reports);
        bool failed = memory.failed > 0;
        bool said = false; /* one input may have failed alone */
        for (int i = 0; i < 4; i++)
            said = said || (reports[i].verdict == WG_CHECK_INVALID &&
                            strcmp(reports[i].blame, "out of memory") == 0);
        ck_assert_int_eq(said, failed);
        ck_assert_int_eq(verdict, failed ? WG_CHECK_INVALID : WG_CHECK_PASSED);
        memory.fail_at = 0;
        ck_assert_int_eq(wg_gradcheck(m.loss, m.xs, NULL, 4, &some, reports), WG_CHECK_PASSED);
        snapshot_compare(&before, t);
        wg_tape_free(t);
        ck_assert_int_eq(memory.blocks, 0);
        if (!failed) {
            ck_assert_int_gt(at, 2);
            break;
        }
        ck_assert_int_lt(at, 60);
    }
}
END_TEST

Suite *suite_gradcheck(void)
{
    Suite *suite = suite_create("gradcheck");
    TCase *right = tcase_create("right");
    tcase_add_test(right, a_model_passes);
    tcase_add_test(right, every_mode_leaves_the_tape);
    tcase_add_test(right, f32_is_checked_through_its_copy);
    tcase_add_test(right, a_wrong_f32_kernel_is_noticed);
    tcase_add_test(right, f32_in_the_middle);
    tcase_add_test(right, a_y_of_many_elements_gets_a_random_cotangent);
    suite_add_tcase(suite, right);
    TCase *inputs = tcase_create("inputs");
    tcase_add_test(inputs, an_x_may_be_anything_older);
    tcase_add_test(inputs, an_x_that_y_does_not_depend_on_is_vacuous);
    tcase_add_test(inputs, what_is_detached_is_held);
    suite_add_tcase(suite, inputs);
    TCase *refused = tcase_create("refused");
    tcase_add_test(refused, arguments_that_cannot_be_checked);
    tcase_add_test(refused, what_is_stale_is_refused);
    tcase_add_test(refused, a_tape_with_an_error_is_refused);
    tcase_add_test(refused, f32_is_refused_like_f64);
    tcase_add_test(refused, an_op_without_f64_is_refused);
    suite_add_tcase(suite, refused);
    TCase *verdicts = tcase_create("verdicts");
    tcase_add_test(verdicts, all_zero_is_vacuous);
    tcase_add_test(verdicts, nan_is_refused);
    tcase_add_test(verdicts, near_the_edge_of_a_domain);
    tcase_add_test(verdicts, an_op_may_refuse_a_point);
    tcase_add_test(verdicts, a_wrong_rule_fails);
    tcase_add_test(verdicts, a_wrong_gradient_is_blamed_on_no_op);
    tcase_add_test(verdicts, a_rule_of_the_wrong_shape);
    suite_add_tcase(suite, verdicts);
    TCase *second = tcase_create("second");
    tcase_add_test(second, a_detach_inside_a_rule_is_found);
    tcase_add_test(second, a_wrong_rule_of_a_rule_is_blamed);
    tcase_add_test(second, first_order_modes_need_no_second_derivative);
    tcase_add_test(second, second_order_of_what_is_linear);
    tcase_add_test(second, exchanged_blocks_are_found);
    tcase_add_test(second, taylor_rates);
    tcase_add_test(second, the_sweep_is_a_v);
    suite_add_tcase(suite, second);
    TCase *rest = tcase_create("rest");
    tcase_add_test(rest, closed_forms_are_compared);
    tcase_add_test(rest, the_table);
    tcase_add_loop_test(rest, out_of_memory, 0, 2);
    suite_add_tcase(suite, rest);
    return suite;
}
