/* Reverse mode: gradients, cotangents, gradients of gradients, and what is refused. */
#include "autograd/grad.h"
#include "autograd/tape_internal.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>

static wg_tape *t;
static wg_tensor *x;
static const double three[] = {0.5, -1.25, 2};

static void set_up(void)
{
    t = wgt_tape(NULL);
    x = wgt_param(t, "x", WG_SHAPE(3), three);
}

static void tear_down(void)
{
    wg_tape_free(t);
}

static wg_tensor *grad_of(wg_tensor *y, wg_tensor *by)
{
    wg_tensor *g;
    ck_assert_int_eq(wg_grad(y, &by, 1, &g), WG_OK);
    ck_assert(wg_shape_same(&g->shape, &by->shape));
    ck_assert_int_eq(g->dtype, by->dtype);
    return g;
}

/* ---- Values ---------------------------------------------------------------------------------- */

START_TEST(test_gradient)
{
    wg_tensor *g = grad_of(wgt_total(wgt_cube(x)), x);
    for (int i = 0; i < 3; i++)
        wgt_assert_ulps(wg_at(g, i), 3 * three[i] * three[i], 0);
}
END_TEST

START_TEST(test_higher_orders)
{
    wg_tensor *s = wgt_scalar_param(t, "s", 0.7), *y = wgt_sine(s);
    const double want[] = {sin(0.7), cos(0.7), -sin(0.7), -cos(0.7)};
    for (int order = 0; order < 9; order++) {
        wgt_assert_same_bits(wg_item(y), want[order % 4]);
        ck_assert_int_eq(wg_grad(y, &s, 1, &y), WG_OK);
    }
}
END_TEST

START_TEST(test_vjp)
{
    const double weight[] = {2, 3, 5};
    wg_tensor *dy = wg_constant(t, WG_F64, WG_SHAPE(3), weight), *g;
    ck_assert_int_eq(wg_vjp(wgt_cube(x), dy, &x, 1, &g), WG_OK);
    for (int i = 0; i < 3; i++)
        wgt_assert_same_bits(wg_at(g, i), weight[i] * (3 * (three[i] * three[i])));
}
END_TEST

/* Two outputs in one walk: the sum of what each gives. */
START_TEST(test_vjp_many)
{
    wg_tensor *a = wgt_cube(x), *b = wgt_total(a), *one = wg_ones_like(a), *g;
    wg_tensor *ys[] = {b, a, b},
              *dys[] = {wg_scalar(t, WG_F64, 10), one, wg_scalar(t, WG_F64, 100)};
    ck_assert_int_eq(wg_vjp_many(ys, dys, 3, &x, 1, &g), WG_OK);
    for (int i = 0; i < 3; i++)
        wgt_assert_close(wg_at(g, i), 111 * 3 * three[i] * three[i], 4e-16, 0);
}
END_TEST

START_TEST(test_x_twice)
{
    wg_tensor *s = wgt_scalar_param(t, "s", 3), *xs[] = {s, x, s}, *gs[3];
    wg_grad(wgt_product(s, s), xs, 3, gs);
    wgt_assert_same_bits(wg_item(gs[0]), 6);
    wgt_assert_same_bits(wg_item(gs[2]), 6);
    wgt_assert_same_bits(wg_at(gs[1], 0), 0);
}
END_TEST

START_TEST(test_intermediate_x)
{
    wg_tensor *a = wgt_cube(x), *b = wgt_scaled(a, 2), *y = wgt_total(wgt_product(a, b)), *gs[4];
    ck_assert_int_eq(wg_grad(y, (wg_tensor *[]){b, a, y, x}, 4, gs), WG_OK);
    for (int i = 0; i < 3; i++) {
        const double v = three[i] * three[i] * three[i];
        wgt_assert_same_bits(wg_at(gs[0], i), v);
        wgt_assert_close(wg_at(gs[1], i), 4 * v, 2e-16, 0); /* directly, and through b */
        wgt_assert_close(wg_at(gs[3], i), 4 * v * 3 * three[i] * three[i], 4e-16, 0);
    }
    wgt_assert_same_bits(wg_item(gs[2]), 1);
}
END_TEST

START_TEST(test_x_that_y_does_not_depend_on)
{
    wg_tensor *other = wg_param(t, "other", WG_F32, WG_SHAPE(2)), *y = wgt_total(x);
    wg_tensor *younger = wgt_cube(x), *xs[] = {other, younger, x}, *gs[3];
    ck_assert_int_eq(wg_grad(y, xs, 3, gs), WG_OK);
    ck_assert_int_eq(wg_dtype_of(gs[0]), WG_F32);
    wgt_assert_same_bits(wg_at(gs[0], 1), 0);
    wgt_assert_same_bits(wg_at(gs[1], 2), 0);
    wgt_assert_same_bits(wg_at(gs[2], 2), 1);
    wgt_assert_same_bits(wg_at(grad_of(y, younger), 0), 0); /* alone, too */
}
END_TEST

START_TEST(test_strict_grad)
{
    wg_tape *strict = wg_tape_new(&(wg_tape_options){.strict_grad = true});
    wg_tensor *a = wgt_scalar_param(strict, "a", 1), *b = wgt_scalar_param(strict, "b", 1);
    wg_tensor *xs[] = {a, b}, *gs[2];
    ck_assert_int_eq(wg_grad(wgt_cube(a), xs, 2, gs), WG_E_VALUE);
    wgt_assert_status(strict, WG_E_VALUE, "grad: y does not depend on b ()");
    ck_assert(wg_is_inert(gs[0]));
    ck_assert(wg_is_inert(gs[1]));
    wg_tape_free(strict);
}
END_TEST

/* 10000 consumers of one node, of both operands of each: one sum, not a chain of additions. */
START_TEST(test_many_consumers)
{
    wg_tensor *s = wgt_scalar_param(t, "s", 2), *y[10000], *dy[10000],
              *one = wg_scalar(t, WG_F64, 1);
    for (int i = 0; i < 10000; i++)
        y[i] = wgt_product(s, s), dy[i] = one;
    wg_tensor *g;
    ck_assert_int_eq(wg_vjp_many(y, dy, 10000, &s, 1, &g), WG_OK);
    wgt_assert_same_bits(wg_item(g), 40000);
    ck_assert_ptr_eq(g->op, &wg_op_add_n);
    ck_assert_int_eq(g->n_operands, 20000);
}
END_TEST

/* Terms stand in the order in which their consumers were recorded. */
START_TEST(test_terms_in_recording_order)
{
    wg_tensor *s = wgt_scalar_param(t, "s", 2);
    wg_tensor *parts[] = {wgt_scaled(s, 3), wgt_scaled(s, 5), wgt_scaled(s, 7)};
    wg_tensor *g = grad_of(wg_add_n(parts, 3), s);
    for (int i = 0; i < 3; i++)
        wgt_assert_same_bits(wg_item(g->operand[i]), 3 + 2 * i);
}
END_TEST

/* Nothing is recorded for what does not lead to an x. */
START_TEST(test_only_what_leads_to_x)
{
    wg_tensor *c = wg_full(t, WG_F64, WG_SHAPE(3), 2), *deep = c;
    for (int i = 0; i < 100; i++)
        deep = wgt_sine(deep);
    wg_tensor *y = wgt_total(wgt_product(deep, x));
    const int64_t size = wg_tape_size(t);
    grad_of(y, x);
    ck_assert_int_eq(wg_tape_size(t) - size, 3); /* the seed, spread, product */
}
END_TEST

START_TEST(test_zero_gradient_and_i64)
{
    wg_tensor *k = wg_scalar(t, WG_I64, 2), *step = wgt_step(x);
    wg_tensor *y = wgt_total(wgt_product(step, wgt_cube(x)));
    wg_tensor *g = grad_of(y, x);
    wgt_assert_same_bits(wg_at(g, 1), 0);
    wgt_assert_same_bits(wg_at(g, 2), 12);
    wgt_assert_same_bits(wg_at(grad_of(wgt_total(step), x), 2), 0);
    wgt_assert_same_bits(wg_at(grad_of(y, step), 0), 0.125); /* it may be an x itself */
    wg_tensor *both[] = {x, step}, *gs[2];                   /* or one beside what it is made of */
    ck_assert_int_eq(wg_grad(y, both, 2, gs), WG_OK);
    wgt_assert_same_bits(wg_at(gs[0], 2), 12);
    wgt_assert_same_bits(wg_at(gs[1], 0), 0.125);
    g = grad_of(wgt_select(wgt_cube(x), k), x); /* k receives no cotangent, silently */
    wgt_assert_same_bits(wg_at(g, 0), 0);
    wgt_assert_same_bits(wg_at(g, 2), 12);
}
END_TEST

/* The JVP is the VJP of a VJP, by a cotangent that has no value. */
START_TEST(test_abstract_cotangent)
{
    const double tangent[] = {1, 10, 100};
    wg_tensor *y = wgt_sine(wgt_cube(x)), *u = wg_abstract(t, WG_F64, WG_SHAPE(3)), *g, *jv;
    const int64_t runs = wgt_runs();
    ck_assert_int_eq(wg_vjp(y, u, &x, 1, &g), WG_OK);
    ck_assert_double_nan(wg_at(g, 0));
    ck_assert_int_eq(wgt_runs() - runs, 3); /* cos(x^3), and 3 x^2: two products */
    ck_assert_int_eq(wg_vjp(g, wg_constant(t, WG_F64, WG_SHAPE(3), tangent), &u, 1, &jv), WG_OK);
    for (int i = 0; i < 3; i++) {
        const double v = three[i];
        wgt_assert_close(wg_at(jv, i), cos(v * v * v) * 3 * v * v * tangent[i], 1e-15, 0);
    }
}
END_TEST

START_TEST(test_empty)
{
    wg_tensor *none = wg_param(t, "none", WG_F64, WG_SHAPE(0)), *g;
    ck_assert_int_eq(wg_size(grad_of(wgt_total(wgt_cube(none)), none)), 0);
    ck_assert_int_eq(wg_vjp(none, none, &none, 1, &g), WG_OK);
    ck_assert_int_eq(wg_grad(wgt_total(x), NULL, 0, NULL), WG_OK);
}
END_TEST

/* ---- Mistakes -------------------------------------------------------------------------------- */

static wg_mark start;

/* wg_vjp(y, dy, &by, 1, ...) gives this error and an inert gradient; then the tape is as it was. */
static void refused(wg_tensor *y, wg_tensor *dy, wg_tensor *by, wg_status code, const char *part)
{
    wg_tensor *g = by;
    ck_assert_int_eq(wg_vjp(y, dy, &by, 1, &g), code);
    ck_assert(wg_is_inert(g));
    wgt_assert_status(t, code, part);
    wg_tape_rewind(t, start);
    ck_assert_int_eq(wg_tape_status(t), WG_OK);
}

START_TEST(test_mistakes)
{
    wg_tape *other = wgt_tape(NULL);
    wg_tensor *y = wgt_cube(x), *one = wg_ones_like(y), *k = wg_scalar(t, WG_I64, 1);
    wg_tensor *z = wgt_scalar_param(other, "z", 1), *s = wg_scalar(t, WG_F64, 1);
    wg_tensor *f = wg_full(t, WG_F32, WG_SHAPE(3), 1), *dead = &t->inert;
    start = wg_tape_mark(t);
    refused(NULL, one, x, WG_E_NULL, "grad: y is NULL");
    refused(y, NULL, x, WG_E_NULL, "grad: the cotangent is NULL");
    refused(y, one, NULL, WG_E_NULL, "grad: x 0 is NULL");
    refused(dead, one, x, WG_E_NULL, "grad: y is what an earlier error returned");
    refused(y, one, dead, WG_E_NULL, "grad: x 0 is what");
    refused(y, one, z, WG_E_TAPE, "grad: x 0 is of another tape");
    refused(y, z, x, WG_E_TAPE, "grad: the cotangent is of another tape");
    refused(y, s, x, WG_E_SHAPE, "cotangent constant#4 () f64 is not like y cube#1 (3,) f64");
    refused(y, f, x, WG_E_DTYPE, "f32");
    refused(k, k, x, WG_E_DTYPE, "grad: i64 has no derivative: constant#3 ()");
    refused(y, one, k, WG_E_DTYPE, "grad: i64 has no derivative: constant#3 ()");
    wgt_assert_status(other, WG_OK, "");
    wg_tape_free(other);
}
END_TEST

START_TEST(test_mistakes_of_grad)
{
    wg_tensor *y = wg_rename(wgt_cube(x), "y"), *g = NULL;
    start = wg_tape_mark(t);
    ck_assert_int_eq(wg_grad(y, &x, 1, &g), WG_E_SHAPE);
    wgt_assert_status(t, WG_E_SHAPE, "grad: y has 3 elements, not one: y (3,)");
    ck_assert(wg_is_inert(g));
    wg_tape_rewind(t, start);
    ck_assert_int_eq(wg_grad(wg_scalar(t, WG_I64, 1), &x, 1, &g), WG_E_DTYPE);
    wg_tape_rewind(t, start);
    ck_assert_int_eq(wg_grad(NULL, &x, 1, &g), WG_E_NULL);
    wgt_assert_status(t, WG_E_NULL, "grad: y is NULL");
    wg_tape_rewind(t, start);
    ck_assert_int_eq(wg_grad(wgt_product(NULL, NULL), &x, 1, &g), WG_E_NULL);
    wgt_assert_status(t, WG_E_NULL, "grad: y is"); /* not silent on the tape that there is */
    wg_tape_rewind(t, start);
    ck_assert_int_eq(wg_grad(wgt_total(y), NULL, 1, &g), WG_E_NULL);
    wgt_assert_status(t, WG_E_NULL, "grad");
    wg_tape_rewind(t, start);
    ck_assert_int_eq(wg_grad(wgt_total(y), &x, 1, NULL), WG_E_NULL);
    wg_tape_rewind(t, start);
    ck_assert_int_eq(wg_grad(NULL, NULL, 0, NULL), WG_E_NULL);
    ck_assert_int_eq(wg_vjp_many(NULL, NULL, 0, &x, 1, &g), WG_E_NULL);
}
END_TEST

START_TEST(test_stale_cotangent)
{
    wg_tensor *w = wgt_scalar_param(t, "w", 1), *dw = wgt_cube(w);
    wg_tensor *s = wgt_scalar_param(t, "s", 1);
    wg_edit(w);
    start = wg_tape_mark(t);
    refused(s, dw, s, WG_E_STALE, "grad: cube#2 () is older than the leaves");
}
END_TEST

START_TEST(test_missing_rule)
{
    wg_tensor *s = wgt_scalar_param(t, "s", 2), *y = wgt_reciprocal(wgt_cube(s));
    start = wg_tape_mark(t);
    refused(y, wg_ones_like(y), s, WG_E_NO_RULE,
            "grad: reciprocal has neither a derivative rule nor a declared zero gradient");
    /* Where no x is behind it, it is not missed. */
    wgt_assert_same_bits(wg_item(grad_of(wgt_product(y, wgt_scalar_param(t, "r", 3)), y)), 3);
}
END_TEST

static wg_tensor *wrong_shape(wg_tensor *y, wg_tensor *dy, int i)
{
    (void)i;
    return wgt_product(wgt_total(dy), wg_scalar(y->tape, WG_F64, 1));
}

static wg_tensor *wrong_dtype(wg_tensor *y, wg_tensor *dy, int i)
{
    (void)dy;
    return wg_full(y->tape, WG_F32, y->operand[i]->shape.ndim, y->operand[i]->shape.dim, 1);
}

static wg_tensor *wrong_nothing(wg_tensor *y, wg_tensor *dy, int i)
{
    (void)dy, (void)i;
    return &y->tape->inert;
}

static wg_tensor *wrong_call(wg_tensor *y, wg_tensor *dy, int i)
{
    (void)y, (void)dy, (void)i;
    return wgt_product(NULL, NULL);
}

static wg_tensor *wrong_inside(wg_tensor *y, wg_tensor *dy, int i)
{
    (void)i;
    return wgt_product(dy, wgt_total(y));
}

static wg_tensor *right_zero(wg_tensor *y, wg_tensor *dy, int i)
{
    (void)y, (void)dy, (void)i;
    return NULL;
}

static wg_tensor *parts_of_nothing(wg_tensor *const ys[], wg_tensor *const dys[], int n)
{
    (void)ys, (void)dys, (void)n;
    return NULL;
}

static wg_tensor *cube_with(wg_op *op, wg_tensor *(*rule)(wg_tensor *, wg_tensor *, int))
{
    *op = wgt_op_cube;
    op->name = "mine";
    op->vjp = rule;
    return wg_apply(op, &x, 1, NULL);
}

START_TEST(test_wrong_rules)
{
    wg_op op;
    wg_tensor *one = wg_ones_like(x);
    start = wg_tape_mark(t);
    refused(cube_with(&op, wrong_shape), one, x, WG_E_SHAPE,
            "grad: the rule of mine gave operand 0 a cotangent () f64, not (3,) f64");
    refused(cube_with(&op, wrong_dtype), one, x, WG_E_SHAPE, "(3,) f32, not (3,) f64");
    refused(cube_with(&op, wrong_nothing), one, x, WG_E_TAPE, "the rule of mine");
    refused(cube_with(&op, wrong_call), one, x, WG_E_TAPE, "the rule of mine");
    refused(cube_with(&op, wrong_inside), one, x, WG_E_SHAPE, "product: shapes differ");
    wgt_assert_same_bits(wg_at(grad_of(wgt_total(cube_with(&op, right_zero)), x), 2), 0);
    wg_tensor *part = cube_with(&op, right_zero);
    op.vjp_parts = parts_of_nothing;
    refused(part, one, x, WG_E_TAPE, "the rule of mine gave no tensor");
}
END_TEST

/* A rule may take a gradient itself, and of a tensor that the gradient it is part of goes over,
 * too. */
static wg_tensor *rule_with_gradient(wg_tensor *y, wg_tensor *dy, int i)
{
    wg_tensor *g, *of = y->operand[i];
    wg_vjp(wgt_cube(of), dy, &of, 1, &g);
    return g;
}

START_TEST(test_gradient_inside_a_rule)
{
    wg_op op;
    wg_tensor *y = wgt_product(cube_with(&op, rule_with_gradient), wgt_product(x, x));
    wg_tensor *g = grad_of(wgt_total(y), x);
    for (int i = 0; i < 3; i++)
        wgt_assert_ulps(wg_at(g, i), 5 * pow(three[i], 4), 2);
    ck_assert_ptr_null(x->walk);
}
END_TEST

/* ---- How much -------------------------------------------------------------------------------- */

static size_t scratch_bytes(void)
{
    size_t bytes = 0;
    for (const wg_arena_block *block = t->scratch.first; block != NULL; block = block->next)
        bytes += block->size;
    return bytes;
}

/* The gradient goes over what y is computed from, whatever else is on the tape: it needs no more
 * memory, nor time, when a loop never rewinds. */
START_TEST(test_long_tape)
{
    size_t first = 0;
    for (int i = 0; i < 10000; i++) {
        wg_tensor *g = grad_of(wgt_total(wgt_cube(x)), x);
        wgt_assert_same_bits(wg_at(g, 2), 12);
        if (i == 0)
            first = scratch_bytes();
    }
    ck_assert_uint_eq(scratch_bytes(), first);
}
END_TEST

/* Where memory ends on the way, no node is left as part of a gradient: the next one is right. */
START_TEST(test_no_memory_on_the_way)
{
    wgt_memory memory = {0};
    wg_tape *small = wgt_tape(&memory);
    wg_tensor *p = wgt_param(small, "p", WG_SHAPE(3), three), *y = wgt_cube(p), *g;
    for (int i = 0; i < 600; i++) /* more nodes than the scratch's first block has room for */
        y = wgt_product(y, wgt_scaled(p, 1));
    y = wgt_total(y);
    start = wg_tape_mark(small);
    int64_t failures = 0;
    for (int64_t nth = 1;; nth++, failures++) {
        memory.fail_at = memory.calls + nth;
        const wg_status status = wg_grad(y, &p, 1, &g);
        memory.fail_at = 0;
        for (int64_t i = 0; i < small->size; i++)
            ck_assert_ptr_null(small->node[i]->walk);
        if (status == WG_OK)
            break;
        ck_assert_int_eq(status, WG_E_NOMEM);
        wg_tape_rewind(small, start);
        ck_assert_int_eq(wg_tape_status(small), WG_OK);
    }
    ck_assert_int_ge(failures, 3);
    ck_assert_double_eq_tol(wg_at(g, 0), 603 * pow(0.5, 602), 1e-190);
    wg_tape_free(small);
}
END_TEST

/* ---- Backward -------------------------------------------------------------------------------- */

START_TEST(test_backward)
{
    wg_tensor *unused = wgt_scalar_param(t, "unused", 1);
    ck_assert_ptr_null(wg_grad_of(x));
    ck_assert_ptr_null(wg_grad_of(NULL));
    wg_tensor *y = wgt_total(wgt_cube(x)), *younger = wgt_scalar_param(t, "younger", 1);
    ck_assert_int_eq(wg_backward(y), WG_OK);
    wgt_assert_same_bits(wg_at(wg_grad_of(x), 2), 12);
    wgt_assert_same_bits(wg_item(wg_grad_of(unused)), 0);
    ck_assert_ptr_null(wg_grad_of(younger));
    wg_backward(wgt_scaled(y, 2)); /* replaces, does not add */
    wgt_assert_same_bits(wg_at(wg_grad_of(x), 2), 24);
}
END_TEST

START_TEST(test_rewind_past_backward)
{
    wg_tensor *y = wgt_total(x);
    const wg_mark none = wg_tape_mark(t);
    wg_backward(y);
    wg_tensor *first = wg_grad_of(x);
    const wg_mark one = wg_tape_mark(t);
    wg_backward(y);
    wg_backward(wgt_scaled(y, 3));
    wgt_assert_same_bits(wg_at(wg_grad_of(x), 0), 3);
    wg_tape_rewind(t, one);
    ck_assert_ptr_eq(wg_grad_of(x), first);
    wgt_assert_same_bits(wg_at(first, 0), 1);
    wg_tape_rewind(t, none);
    ck_assert_ptr_null(wg_grad_of(x));
}
END_TEST

/* Only parameters that are there: a rewind drops them one by one, and others take their place. */
START_TEST(test_backward_after_rewinds)
{
    for (int i = 0; i < 3; i++) {
        const wg_mark mark = wg_tape_mark(t);
        wg_tensor *a = wgt_scalar_param(t, "a", 2), *b = wgt_scalar_param(t, "b", 3);
        const wg_mark inner = wg_tape_mark(t);
        wgt_scalar_param(t, "dropped", 1);
        wg_tape_rewind(t, inner);
        ck_assert_int_eq(wg_backward(wgt_product(wgt_product(a, b), wgt_total(x))), WG_OK);
        wgt_assert_same_bits(wg_item(wg_grad_of(a)), 3 * 1.25);
        wgt_assert_same_bits(wg_item(wg_grad_of(b)), 2 * 1.25);
        wgt_assert_same_bits(wg_at(wg_grad_of(x), 1), 6);
        wg_tape_rewind(t, mark);
        ck_assert_ptr_eq(t->param, x);
    }
}
END_TEST

START_TEST(test_backward_fails)
{
    wg_tensor *y = wgt_total(x);
    wg_backward(y);
    wg_tensor *former = wg_grad_of(x);
    wg_tensor *bad = wgt_reciprocal(y);
    const wg_mark mark = wg_tape_mark(t);
    ck_assert_int_eq(wg_backward(bad), WG_E_NO_RULE);
    ck_assert_ptr_eq(wg_grad_of(x), former);
    ck_assert_int_eq(wg_backward(y), WG_E_NO_RULE); /* the tape has an error */
    wg_tape_rewind(t, mark);
    ck_assert_int_eq(wg_backward(x), WG_E_SHAPE);
    wg_tape_rewind(t, mark);
    ck_assert_int_eq(wg_backward(&t->inert), WG_E_NULL);
    ck_assert_int_eq(wg_backward(NULL), WG_E_NULL);
    ck_assert_ptr_eq(wg_grad_of(x), former);
}
END_TEST

Suite *suite_grad(void)
{
    Suite *suite = suite_create("grad");
    TCase *values = tcase_create("values");
    tcase_add_checked_fixture(values, set_up, tear_down);
    tcase_add_test(values, test_gradient);
    tcase_add_test(values, test_higher_orders);
    tcase_add_test(values, test_vjp);
    tcase_add_test(values, test_vjp_many);
    tcase_add_test(values, test_gradient_inside_a_rule);
    tcase_add_test(values, test_long_tape);
    tcase_add_test(values, test_no_memory_on_the_way);
    tcase_add_test(values, test_x_twice);
    tcase_add_test(values, test_intermediate_x);
    tcase_add_test(values, test_x_that_y_does_not_depend_on);
    tcase_add_test(values, test_strict_grad);
    tcase_add_test(values, test_many_consumers);
    tcase_add_test(values, test_terms_in_recording_order);
    tcase_add_test(values, test_only_what_leads_to_x);
    tcase_add_test(values, test_zero_gradient_and_i64);
    tcase_add_test(values, test_abstract_cotangent);
    tcase_add_test(values, test_empty);
    suite_add_tcase(suite, values);
    TCase *mistakes = tcase_create("mistakes");
    tcase_add_checked_fixture(mistakes, set_up, tear_down);
    tcase_add_test(mistakes, test_mistakes);
    tcase_add_test(mistakes, test_mistakes_of_grad);
    tcase_add_test(mistakes, test_stale_cotangent);
    tcase_add_test(mistakes, test_missing_rule);
    tcase_add_test(mistakes, test_wrong_rules);
    suite_add_tcase(suite, mistakes);
    TCase *backward = tcase_create("backward");
    tcase_add_checked_fixture(backward, set_up, tear_down);
    tcase_add_test(backward, test_backward);
    tcase_add_test(backward, test_rewind_past_backward);
    tcase_add_test(backward, test_backward_fails);
    tcase_add_test(backward, test_backward_after_rewinds);
    suite_add_tcase(suite, backward);
    return suite;
}
