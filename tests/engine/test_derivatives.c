/* Products of Hessians and Jacobians with vectors, of higher orders too; stops; errors. */
#include "autograd/derivatives/derivatives.h"
#include "autograd/grad.h"
#include "autograd/rng.h"
#include "autograd/tape.h"
#include "models/wengert.h"
#include "tests/support/assert.h"
#include "tests/support/derivatives.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>

static wg_tensor *normal(wg_tape *t, const char *name, double deviation, uint64_t key, int ndim,
                         const int64_t *dim)
{
    wg_tensor *x = wg_param(t, name, WG_F64, ndim, dim);
    wg_fill_normal(x, 0, deviation, key);
    return x;
}

/* ---- Products -------------------------------------------------------------------------------- */

/* A loss of three layers; params are W1, b1, W2, b2, W3. */
static wg_tensor *mlp(wg_tape *t, wg_tensor *params[5])
{
    static const int64_t labels[] = {0, 2, 1, 1, 0, 2};
    wg_tensor *X = wg_full(t, WG_F64, WG_SHAPE(6, 4), 0);
    for (uint64_t i = 0; i < 24; i++)
        ((double *)X->data)[i] = wg_random_normal(5, 5, i);
    params[0] = normal(t, "W1", 0.7, 1, WG_SHAPE(4, 5));
    params[1] = normal(t, "b1", 0.7, 2, WG_SHAPE(5));
    params[2] = normal(t, "W2", 0.7, 3, WG_SHAPE(5, 5));
    params[3] = normal(t, "b2", 0.7, 4, WG_SHAPE(5));
    params[4] = normal(t, "W3", 0.7, 5, WG_SHAPE(5, 3));
    wg_tensor *h = wg_tanh(wg_add(wg_matmul(X, params[0]), params[1]));
    h = wg_gelu(wg_add(wg_matmul(h, params[2]), params[3]));
    return wg_cross_entropy(wg_matmul(h, params[4]), wg_constant(t, WG_I64, WG_SHAPE(6), labels));
}

/* x_k = x0_k + h v_k for every parameter. */
static void move_params(wg_tensor *const params[], wg_tensor *const x0[], wg_tensor *const v[],
                        double h)
{
    for (int k = 0; k < 5; k++) {
        double *x = wg_edit(params[k]);
        for (int64_t i = 0; i < wg_size(params[k]); i++)
            x[i] = wg_at(x0[k], i) + h * wg_at(v[k], i);
    }
    wg_replay(params[0]->tape);
}

/* The five-point quotient of gradients with h = 2^-12: with |v| = 8 its error is (8 h)^4/30 = 5e-13
 * times a fifth derivative, and 1e-16/h = 4e-13 of rounding. */
START_TEST(hvp_is_the_quotient_of_gradients)
{
    static const double at[] = {-2, -1, 1, 2}, weight[] = {1, -8, 8, -1}, h = 0x1p-12;
    wg_tape *t = wgt_strict_tape();
    wg_tensor *params[5], *v[5], *x0[5], *g[5], *hv[5];
    double quotient[5][25] = {{0}};
    wg_tensor *loss = mlp(t, params);
    for (int k = 0; k < 5; k++) {
        const wg_tensor *x = params[k];
        v[k] = normal(t, NULL, 1, 10 + (uint64_t)k, x->shape.ndim, x->shape.dim);
        x0[k] = wg_constant(t, WG_F64, x->shape.ndim, x->shape.dim, x->data);
    }
    ck_assert_int_eq(wg_hvp(loss, params, v, 5, hv), WG_OK);
    ck_assert_int_eq(wg_grad(loss, params, 5, g), WG_OK);
    for (int j = 0; j < 4; j++) {
        move_params(params, x0, v, at[j] * h);
        for (int k = 0; k < 5; k++)
            for (int64_t i = 0; i < wg_size(g[k]); i++)
                quotient[k][i] += weight[j] * wg_at(g[k], i) / (12 * h);
    }
    move_params(params, x0, v, 0);
    for (int k = 0; k < 5; k++) {
        ck_assert_double_gt(wgt_largest(hv[k]), 1e-3);
        wgt_assert_all_close(wg_data_f64(hv[k]), quotient[k], wg_size(hv[k]), 0,
                             1e-10 * wgt_largest(hv[k]));
    }
    wg_tape_free(t);
}
END_TEST

/* ---- Higher orders --------------------------------------------------------------------------- */

START_TEST(derivatives_of_third_and_fourth_order)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_scalar_param(t, "x", 0.8), *d[5];
    double s = sin(0.8), c = cos(0.8), e = exp(0.8), h = tanh(0.8);
    d[0] = wg_mul(wg_exp(x), wg_sin(x));
    for (int k = 1; k < 5; k++)
        wg_grad(d[k - 1], &x, 1, &d[k]);
    wgt_assert_close(wg_item(d[1]), e * (s + c), 1e-14, 0);
    wgt_assert_close(wg_item(d[2]), e * 2 * c, 1e-14, 0);
    wgt_assert_close(wg_item(d[3]), e * 2 * (c - s), 1e-13, 0);
    wgt_assert_close(wg_item(d[4]), e * -4 * s, 1e-13, 0);
    d[0] = wg_tanh(x);
    for (int k = 1; k < 5; k++)
        wg_grad(d[k - 1], &x, 1, &d[k]);
    double q = 1 - h * h;
    wgt_assert_close(wg_item(d[3]), q * (6 * h * h - 2), 1e-13, 0);
    wgt_assert_close(wg_item(d[4]), q * (16 * h - 24 * h * h * h), 1e-13, 0);
    wg_tape_free(t);
}
END_TEST

/* f = a^2 b^3: the Hessian's product with (v, w) is (2 b^3 v + 6 a b^2 w, 6 a b^2 v + 6 a^2 b w),
 * and the product's gradient is third order. */
START_TEST(a_product_can_be_differentiated_again)
{
    wg_tape *t = wgt_strict_tape();
    const double a = 1.5, b = -0.7, v = 0.3, w = 2;
    wg_tensor *xs[] = {wgt_scalar_param(t, "a", a), wgt_scalar_param(t, "b", b)};
    wg_tensor *vs[] = {wg_scalar(t, WG_F64, v), wg_scalar(t, WG_F64, w)}, *hv[2], *third[2];
    wg_tensor *f = wg_mul(wg_square(xs[0]), wg_pow_scalar(xs[1], 3));
    wg_hvp(f, xs, vs, 2, hv);
    wgt_assert_close(wg_item(hv[0]), 2 * b * b * b * v + 6 * a * b * b * w, 1e-14, 0);
    wgt_assert_close(wg_item(hv[1]), 6 * a * b * b * v + 6 * a * a * b * w, 1e-14, 0);
    wg_grad(hv[0], xs, 2, third);
    wgt_assert_close(wg_item(third[0]), 6 * b * b * w, 1e-14, 0);
    wgt_assert_close(wg_item(third[1]), 6 * b * b * v + 12 * a * b * w, 1e-14, 0);
    wg_tape_free(t);
}
END_TEST

START_TEST(products_follow_a_replay)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_scalar_param(t, "x", 1), *v = wgt_scalar_param(t, "v", 1), *hv;
    wg_tensor *y = wg_pow_scalar(x, 4), *jv = wg_jvp(y, &x, &v, 1);
    wg_hvp(y, &x, &v, 1, &hv);
    *(double *)wg_edit(x) = 2;
    *(double *)wg_edit(v) = 3;
    wg_replay(t);
    wgt_assert_close(wg_item(jv), 4 * 8 * 3, 1e-15, 0);
    wgt_assert_close(wg_item(hv), 12 * 4 * 3, 1e-15, 0);
    wg_tape_free(t);
}
END_TEST

/* ---- Stops, and what does not depend --------------------------------------------------------- */

START_TEST(detach_stops_every_derivative)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_scalar_param(t, "x", 3), *v = wg_scalar(t, WG_F64, 2), *hv;
    wg_tensor *y = wg_mul(wg_square(x), wg_detach(wg_square(x)));
    ck_assert_double_eq(wg_item(wg_jacobian(y, &x, 1)), 2 * 3 * 9);
    ck_assert_double_eq(wg_item(wg_jvp(y, &x, &v, 1)), 2 * 3 * 9 * 2);
    ck_assert_double_eq(wg_item(wg_hessian(y, &x, 1)), 2 * 9);
    wg_hvp(y, &x, &v, 1, &hv);
    ck_assert_double_eq(wg_item(hv), 2 * 9 * 2);
    wg_tape_free(t);
}
END_TEST

START_TEST(what_y_does_not_depend_on_is_zero)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *xs[] = {wgt_scalar_param(t, "x", 3), normal(t, "z", 1, 1, WG_SHAPE(2))}, *hv[2];
    wg_tensor *y = wg_square(xs[0]);
    static const double gradient[] = {6, 0, 0}, hessian[] = {2, 0, 0, 0, 0, 0, 0, 0, 0};
    wgt_assert_all_close(wg_data_f64(wg_jacobian(y, xs, 2)), gradient, 3, 0, 0);
    wgt_assert_all_close(wg_data_f64(wg_hessian(y, xs, 2)), hessian, 9, 0, 0);
    ck_assert_double_eq(wg_item(wg_jvp(y, xs + 1, xs + 1, 1)), 0);
    wg_hvp(y, xs, xs, 2, hv);
    ck_assert_double_eq(wg_item(hv[0]), 6);
    ck_assert_double_eq(wg_at(hv[1], 0), 0);
    wg_tape_free(t);
}
END_TEST

/* strict_grad is about y: a gradient that is constant has zero second derivatives, which is no
 * error. */
START_TEST(strict_grad_asks_whether_y_depends_on_x)
{
    wg_tape *t = wg_tape_new(&(wg_tape_options){.strict_grad = true});
    wg_tensor *x = wgt_scalar_param(t, "x", 3), *z = wgt_scalar_param(t, "z", 1), *hv;
    wg_tensor *y = wg_scale(x, 5);
    wg_mark mark = wg_tape_mark(t);
    wg_hvp(y, &x, &x, 1, &hv);
    ck_assert_double_eq(wg_item(hv), 0);
    ck_assert_double_eq(wg_item(wg_hessian(y, &x, 1)), 0);
    ck_assert_double_eq(wg_item(wg_jvp(y, &x, &x, 1)), 15);
    wgt_assert_status(t, WG_OK, "");
    wg_jacobian(y, &z, 1);
    wgt_assert_status(t, WG_E_VALUE, "does not depend on z");
    wg_tape_rewind(t, mark);
    wg_jvp(y, &z, &z, 1);
    wgt_assert_status(t, WG_E_VALUE, "does not depend on z");
    wg_tape_rewind(t, mark);
    wg_hvp(y, &z, &z, 1, &hv);
    wgt_assert_status(t, WG_E_VALUE, "does not depend on z");
    ck_assert(wg_is_inert(hv));
    wg_tape_rewind(t, mark);
    wg_hessian(y, &z, 1);
    wgt_assert_status(t, WG_E_VALUE, "does not depend on z");
    wg_tape_rewind(t, mark);
    wg_grad(y, &z, 1, &hv);
    wgt_assert_status(t, WG_E_VALUE, "does not depend on z"); /* the option is still on */
    wg_tape_free(t);
}
END_TEST

/* ---- Rules that are none --------------------------------------------------------------------- */

static wg_tensor *bent_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_mul(wg_mul(dy, dy), y->operand[i]); /* dy^2 x: not linear */
}

static wg_tensor *bent(wg_tensor *x)
{
    static wg_op op;
    op = *wg_op_find("square");
    op.name = "bent";
    op.vjp = bent_vjp;
    return wg_apply(&op, &x, 1, NULL);
}

START_TEST(jvp_names_a_rule_that_is_not_linear)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = normal(t, "x", 1, 1, WG_SHAPE(3));
    wg_tensor *y = wg_sum(wg_mul(bent(wg_exp(x)), wg_sin(x)));
    wg_tensor *jv = wg_jvp(y, &x, &x, 1);
    ck_assert(wg_is_inert(jv));
    wgt_assert_status(t, WG_E_NO_RULE, "the rule of bent is not linear in its cotangent");
    wg_tape_free(t);
}
END_TEST

static wg_tensor *forgetful_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    (void)dy;
    return wg_scale(y->operand[i], 2);
}

/* Alone, and where its cotangent meets another's. */
START_TEST(jvp_names_a_rule_that_forgets_its_cotangent)
{
    static wg_op op;
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = normal(t, "x", 1, 1, WG_SHAPE(3));
    op = *wg_op_find("square");
    op.name = "forgetful";
    op.vjp = forgetful_vjp;
    wg_tensor *y = wg_apply(&op, &x, 1, NULL);
    wg_mark mark = wg_tape_mark(t);
    ck_assert(wg_is_inert(wg_jvp(y, &x, &x, 1)));
    wgt_assert_status(t, WG_E_NO_RULE, "the rule of forgetful is not linear in its cotangent");
    wg_tape_rewind(t, mark);
    ck_assert(wg_is_inert(wg_jvp(wg_sum(wg_add(y, wg_sin(x))), &x, &x, 1)));
    wgt_assert_status(t, WG_E_NO_RULE, "the rule of forgetful is not linear in its cotangent");
    wg_tape_free(t);
}
END_TEST

START_TEST(an_op_without_a_rule_is_named)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = normal(t, "x", 1, 1, WG_SHAPE(3)), *y = wgt_reciprocal(wg_exp(x)), *hv;
    wg_mark mark = wg_tape_mark(t);
    ck_assert(wg_is_inert(wg_jvp(y, &x, &x, 1)));
    wgt_assert_status(t, WG_E_NO_RULE, "reciprocal");
    wg_tape_rewind(t, mark);
    ck_assert(wg_is_inert(wg_jacobian(y, &x, 1)));
    wgt_assert_status(t, WG_E_NO_RULE, "reciprocal");
    wg_tape_rewind(t, mark);
    wg_hvp(wg_sum(y), &x, &x, 1, &hv);
    wgt_assert_status(t, WG_E_NO_RULE, "reciprocal");
    wg_tape_free(t);
}
END_TEST

/* ---- Errors, and what stays ------------------------------------------------------------------ */

START_TEST(wrong_arguments)
{
    wg_tape *t = wg_tape_new(NULL), *other = wg_tape_new(NULL);
    wg_tensor *x = normal(t, "x", 1, 1, WG_SHAPE(2)), *k = wg_full(t, WG_I64, WG_SHAPE(2), 1), *hv;
    wg_tensor *y = wg_sum(wg_square(x)), *far = wgt_scalar_param(other, "far", 1), *none = NULL;
    wg_tensor *single = wg_cast(x, WG_F32);
    wg_mark mark = wg_tape_mark(t);
#define FAILS(call, status, text)                                                                  \
    do {                                                                                           \
        (void)(call);                                                                              \
        wgt_assert_status(t, status, text);                                                        \
        wg_tape_rewind(t, mark);                                                                   \
        ck_assert_int_eq(wg_tape_size(t), mark.size);                                              \
    } while (0)
    FAILS(wg_jvp(y, &none, &x, 1), WG_E_NULL, "jvp: x 0");
    FAILS(wg_jvp(y, &far, &x, 1), WG_E_TAPE, "jvp: x 0");
    FAILS(wg_jvp(y, NULL, &x, 1), WG_E_NULL, "jvp: the list of xs is NULL");
    FAILS(wg_jvp(y, &x, NULL, 1), WG_E_NULL, "jvp: the list of tangents is NULL");
    FAILS(wg_jvp(y, &x, &none, 1), WG_E_NULL, "tangent");
    FAILS(wg_jvp(y, &x, &y, 1), WG_E_SHAPE, "jvp: the tangent sum#");
    FAILS(wg_jvp(y, &x, &single, 1), WG_E_DTYPE, "jvp: the tangent cast#");
    FAILS(wg_jvp(y, &k, &k, 1), WG_E_DTYPE, "i64");
    FAILS(wg_jvp(y, &x, &x, 0), WG_E_VALUE, "there is no x");
    FAILS(wg_jvp_many(y, &x, 1, &x, 0, &hv), WG_E_VALUE, "jvp: 0 lists of tangents");
    FAILS(wg_jvp_many(y, &x, 1, (wg_tensor *[]){x, y}, 2, (wg_tensor *[2]){0}), WG_E_SHAPE, "sum#");
    FAILS(wg_jvp_many(y, &x, 1, &x, 1, NULL), WG_E_NULL, "jvp: the list of results is NULL");
    FAILS(wg_hvp(y, &x, &none, 1, &hv), WG_E_NULL, "");
    FAILS(wg_hvp(y, &x, NULL, 1, &hv), WG_E_NULL, "hvp: the list of tangents is NULL");
    FAILS(wg_hvp(x, &x, &x, 1, &hv), WG_E_SHAPE, "not one");
    FAILS(wg_jacobian(k, &k, 1), WG_E_DTYPE, "");
    FAILS(wg_jacobian(y, &single, 1), WG_E_DTYPE, "jacobian: dtypes differ: f64 and f32");
    FAILS(wg_jacobian(y, NULL, 1), WG_E_NULL, "jacobian: the list of xs is NULL");
    FAILS(wg_hessian(x, &x, 1), WG_E_SHAPE, "not one");
    *(double *)wg_edit(x) = 3;
    ck_assert(wg_is_inert(wg_jacobian(y, &x, 1)));
    wgt_assert_status(t, WG_E_STALE, "replay first");
    ck_assert(wg_is_inert(wg_jvp(NULL, &x, &x, 1)));
    ck_assert(wg_is_inert(wg_jacobian(NULL, &x, 1)));
    ck_assert(wg_is_inert(wg_hessian(NULL, &x, 1)));
    ck_assert_int_ne(wg_hvp(NULL, &x, &x, 1, &hv), WG_OK);
    ck_assert(wg_is_inert(hv));
#undef FAILS
    wg_tape_free(t);
    wg_tape_free(other);
}
END_TEST

START_TEST(only_the_matrix_stays)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *params[5], *loss = mlp(t, params);
    int64_t size = wg_tape_size(t);
    wg_tensor *J = wg_jacobian(loss, params, 5);
    ck_assert_int_eq(wg_tape_size(t), size + 1);
    wg_tensor *H = wg_hessian(loss, params + 1, 1);
    ck_assert_int_eq(wg_tape_size(t), size + 2);
    ck_assert_int_eq(wg_size(J), 20 + 5 + 25 + 5 + 15);
    ck_assert_int_eq(wg_size(H), 25);
    ck_assert_ptr_eq(J->op, &wg_op_constant);
    wg_tape_free(t);
}
END_TEST

START_TEST(empty_and_zero_dimensional)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *none = wg_param(t, "none", WG_F64, WG_SHAPE(0, 3));
    wg_tensor *x = wgt_scalar_param(t, "x", 2);
    ck_assert_int_eq(wg_dim(wg_jacobian(wg_exp(none), &none, 1), 0), 0);
    wg_tensor *J = wg_jacobian(wg_mul(x, wg_sum(none)), (wg_tensor *[]){none, x}, 2);
    ck_assert_int_eq(wg_dim(J, 0), 1);
    ck_assert_int_eq(wg_dim(J, 1), 1);
    ck_assert_double_eq(wg_item(J), 0);
    ck_assert_double_eq(wg_item(wg_jacobian(wg_square(x), &x, 1)), 4);
    ck_assert_int_eq(wg_size(wg_jvp(wg_exp(none), &none, &none, 1)), 0);
    wg_tape_free(t);
}
END_TEST

START_TEST(in_f32_too)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wg_param(t, "x", WG_F32, WG_SHAPE(2));
    ((float *)wg_edit(x))[0] = 2;
    ((float *)wg_edit(x))[1] = 3;
    wg_tensor *y = wg_mul(x, wg_sum(x)), *H = wg_hessian(wg_sum(y), &x, 1);
    static const double jacobian[] = {7, 2, 3, 8};
    wg_tensor *J = wg_jacobian(y, &x, 1);
    ck_assert_int_eq(wg_dtype_of(J), WG_F32);
    for (int i = 0; i < 4; i++) {
        ck_assert_double_eq(wg_at(J, i), jacobian[i]);
        ck_assert_double_eq(wg_at(H, i), 2);
    }
    wg_tape_free(t);
}
END_TEST

/* Every allocation fails once: an error, nothing lost, and the next try succeeds. */
START_TEST(out_of_memory)
{
    for (int64_t at = 1;; at++) {
        wgt_memory m = {0};
        wg_tape *t = wgt_tape(&m);
        wg_tensor *params[5], *loss = mlp(t, params), *hv[5];
        wg_mark mark = wg_tape_mark(t);
        m.fail_at = m.calls + at;
        wg_jvp(loss, params, params, 5);
        wg_hvp(loss, params, params, 5, hv);
        wg_tensor *H = wg_hessian(loss, params, 5);
        bool failed = m.failed > 0;
        m.fail_at = 0;
        if (failed)
            wgt_assert_status(t, WG_E_NOMEM, "");
        ck_assert_int_eq(wg_is_inert(H), failed);
        wg_tape_rewind(t, mark);
        ck_assert_int_eq(wg_size(wg_hessian(loss, params, 5)), 70 * 70);
        wg_tape_free(t);
        ck_assert_int_eq(m.blocks, 0);
        if (!failed)
            break;
        ck_assert_int_lt(at, 1000);
    }
}
END_TEST

Suite *suite_derivatives(void)
{
    Suite *suite = suite_create("derivatives");
    TCase *products = tcase_create("products");
    tcase_add_test(products, hvp_is_the_quotient_of_gradients);
    tcase_add_test(products, products_follow_a_replay);
    suite_add_tcase(suite, products);
    TCase *orders = tcase_create("orders");
    tcase_add_test(orders, derivatives_of_third_and_fourth_order);
    tcase_add_test(orders, a_product_can_be_differentiated_again);
    suite_add_tcase(suite, orders);
    TCase *stops = tcase_create("stops");
    tcase_add_test(stops, detach_stops_every_derivative);
    tcase_add_test(stops, what_y_does_not_depend_on_is_zero);
    tcase_add_test(stops, strict_grad_asks_whether_y_depends_on_x);
    suite_add_tcase(suite, stops);
    TCase *errors = tcase_create("errors");
    tcase_add_test(errors, jvp_names_a_rule_that_is_not_linear);
    tcase_add_test(errors, jvp_names_a_rule_that_forgets_its_cotangent);
    tcase_add_test(errors, an_op_without_a_rule_is_named);
    tcase_add_test(errors, wrong_arguments);
    tcase_add_test(errors, only_the_matrix_stays);
    tcase_add_test(errors, empty_and_zero_dimensional);
    tcase_add_test(errors, in_f32_too);
    tcase_add_test(errors, out_of_memory);
    suite_add_tcase(suite, errors);
    return suite;
}
