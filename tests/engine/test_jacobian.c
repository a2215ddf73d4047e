/* Jacobians and Hessians, against closed forms; JVPs against them, and against differences. */
#include "autograd/derivatives/derivatives.h"
#include "autograd/tape.h"
#include "models/wengert.h"
#include "tests/support/assert.h"
#include "tests/support/derivatives.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>
#include <string.h>

/* ---- Hessians in closed form ----------------------------------------------------------------- */

enum { ROWS = 12, FEATURES = 3, CLASSES = 4 };

/* Entry (f, c), (g, e) of the Hessian of mean cross-entropy in W: sum_i x_if x_ig p_ic (d_ce -
 * p_ie) / n; with one column of weights the second class has logit 0, which makes p (1 - p). */
static double closed_hessian(const double *X, const long double *p, int k, int row, int column)
{
    long double sum = 0;
    int f = row / k, c = row % k, g = column / k, e = column % k;
    for (int i = 0; i < ROWS; i++)
        sum += (long double)X[i * FEATURES + f] * (long double)X[i * FEATURES + g] * p[i * k + c] *
               ((c == e) - p[i * k + e]);
    return (double)(sum / ROWS);
}

static void probabilities(const double *X, const double *W, int k, long double *p)
{
    for (int i = 0; i < ROWS; i++) {
        long double sum = k == 1 ? 1 : 0;
        for (int c = 0; c < k; c++) {
            long double z = 0;
            for (int f = 0; f < FEATURES; f++)
                z += (long double)X[i * FEATURES + f] * (long double)W[f * k + c];
            sum += p[i * k + c] = expl(z);
        }
        for (int c = 0; c < k; c++)
            p[i * k + c] /= sum;
    }
}

static void check_hessian(wg_tensor *loss, wg_tensor *X, wg_tensor *W, int k)
{
    long double p[ROWS * CLASSES];
    double closed[FEATURES * CLASSES * FEATURES * CLASSES];
    int m = FEATURES * k;
    wg_tensor *H = wg_hessian(loss, &W, 1);
    ck_assert_str_eq(wg_tape_message(loss->tape), "");
    ck_assert_int_eq(wg_dim(H, 0), m);
    ck_assert_int_eq(wg_dim(H, 1), m);
    probabilities(wg_data_f64(X), wg_data_f64(W), k, p);
    for (int row = 0; row < m; row++)
        for (int column = 0; column < m; column++)
            closed[row * m + column] = closed_hessian(wg_data_f64(X), p, k, row, column);
    wgt_assert_all_close(wg_data_f64(H), closed, m * m, 0, 1e-13 * wgt_largest(H));
}

START_TEST(hessian_of_logistic_regression)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *X = wgt_random_param(t, "X", WG_SHAPE(ROWS, FEATURES), 1);
    wg_tensor *w = wgt_random_param(t, "w", WG_SHAPE(FEATURES, 1), 2);
    double y[ROWS];
    for (int i = 0; i < ROWS; i++)
        y[i] = i % 3 == 0;
    wg_tensor *labels = wg_constant(t, WG_F64, WG_SHAPE(ROWS, 1), y);
    check_hessian(wg_bce_with_logits(wg_matmul(X, w), labels), X, w, 1);
    wg_tape_free(t);
}
END_TEST

START_TEST(hessian_of_softmax_regression)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *X = wgt_random_param(t, "X", WG_SHAPE(ROWS, FEATURES), 1);
    wg_tensor *W = wgt_random_param(t, "W", WG_SHAPE(FEATURES, CLASSES), 2);
    int64_t labels[ROWS];
    for (int i = 0; i < ROWS; i++)
        labels[i] = i % CLASSES;
    wg_tensor *y = wg_constant(t, WG_I64, WG_SHAPE(ROWS), labels);
    check_hessian(wg_cross_entropy(wg_matmul(X, W), y), X, W, CLASSES);
    wg_tape_free(t);
}
END_TEST

/* x'Ax + x'By: blocks A + A', B, B', 0, for two xs one after the other. */
START_TEST(hessian_of_several_xs)
{
    wg_tape *t = wgt_strict_tape();
    static const double a[] = {1, 2, 3, 4}, b[] = {5, 6, 7, 8, 9, 10};
    static const double closed[] = {2, 5, 5, 6, 7, 5, 8, 8, 9,  10, 5, 8, 0,
                                    0, 0, 6, 9, 0, 0, 0, 7, 10, 0,  0, 0};
    wg_tensor *A = wg_constant(t, WG_F64, WG_SHAPE(2, 2), a);
    wg_tensor *B = wg_constant(t, WG_F64, WG_SHAPE(2, 3), b);
    wg_tensor *xs[] = {wgt_random_param(t, "x", WG_SHAPE(2), 1),
                       wgt_random_param(t, "y", WG_SHAPE(3), 2)};
    wg_tensor *y = wg_add(wg_dot(xs[0], wg_matmul(A, xs[0])), wg_dot(xs[0], wg_matmul(B, xs[1])));
    wg_tensor *H = wg_hessian(y, xs, 2);
    wgt_assert_all_close(wg_data_f64(H), closed, 25, 1e-15, 0);
    wg_tape_free(t);
}
END_TEST

/* ---- Jacobians ------------------------------------------------------------------------------- */

/* A vector of two xs by ops of several kinds, one of the xs in two places. */
static wg_tensor *vector_function(wg_tensor *a, wg_tensor *b)
{
    wg_tensor *product = wg_matmul(wg_sigmoid(a), b);                               /* [2, 2] */
    wg_tensor *rows = wg_softmax(wg_concat((wg_tensor *[]){product, a}, 2, 1), -1); /* [2, 5] */
    return wg_logaddexp(rows, wg_sin(wg_sum(b)));
}

START_TEST(jvp_is_the_jacobian_times_the_tangent)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *xs[] = {wgt_random_param(t, "a", WG_SHAPE(2, 3), 1),
                       wgt_random_param(t, "b", WG_SHAPE(3, 2), 2)};
    wg_tensor *vs[] = {wgt_random_param(t, "va", WG_SHAPE(2, 3), 3),
                       wgt_random_param(t, "vb", WG_SHAPE(3, 2), 4)};
    wg_tensor *y = vector_function(xs[0], xs[1]);
    wg_tensor *jv = wg_jvp(y, xs, vs, 2), *J = wg_jacobian(y, xs, 2);
    ck_assert(wg_shape_same(&jv->shape, &y->shape));
    ck_assert_int_eq(wg_dim(J, 0), 10);
    ck_assert_int_eq(wg_dim(J, 1), 12);
    for (int i = 0; i < 10; i++) {
        long double sum = 0;
        for (int j = 0; j < 12; j++)
            sum += (long double)wg_at(J, i * 12 + j) * (long double)wg_at(vs[j / 6], j % 6);
        wgt_assert_close(wg_at(jv, i), (double)sum, 0, 1e-15);
    }
    wg_tape_free(t);
}
END_TEST

/* One x has fewer elements than y, both together have more: the same matrix by JVPs as by VJPs. */
START_TEST(a_jacobian_by_columns_is_that_by_rows)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *xs[] = {wgt_random_param(t, "a", WG_SHAPE(2, 3), 1),
                       wgt_random_param(t, "b", WG_SHAPE(3, 2), 2)};
    wg_tensor *y = vector_function(xs[0], xs[1]);
    const wg_tensor *J = wg_jacobian(y, xs, 2), *by_column = wg_jacobian(y, xs + 1, 1);
    ck_assert_int_eq(wg_dim(by_column, 0), 10);
    ck_assert_int_eq(wg_dim(by_column, 1), 6);
    for (int i = 0; i < 60; i++)
        wgt_assert_close(wg_at(by_column, i), wg_at(J, i / 6 * 12 + 6 + i % 6), 0, 1e-15);
    wg_tape_free(t);
}
END_TEST

/* One by one they are the same bits; what no tangent changes is recorded once; along the axes they
 * are a Jacobian that a program computes at another point. */
START_TEST(many_tangents)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *xs[] = {wgt_random_param(t, "a", WG_SHAPE(2, 3), 1),
                       wgt_random_param(t, "b", WG_SHAPE(3, 2), 2)};
    wg_tensor *y = vector_function(xs[0], xs[1]), *vs[12], *jvs[12];
    for (int i = 0; i < 12; i++)
        vs[i] = wgt_random_param(t, "v", 2, xs[i % 2]->shape.dim, 3 + (uint64_t)i);
    const int64_t before = wg_tape_size(t);
    wg_jvp(y, xs, vs, 2);
    const int64_t one = wg_tape_size(t) - before;
    ck_assert_int_eq(wg_jvp_many(y, xs, 2, vs, 6, jvs), WG_OK);
    ck_assert_int_lt(wg_tape_size(t) - before - one, 4 * one);
    for (int j = 0; j < 6; j++)
        wgt_assert_same_bytes(wg_data_f64(jvs[j]), wg_data_f64(wg_jvp(y, xs, vs + 2L * j, 2)),
                              10 * sizeof(double));

    wg_tensor *axes = wg_eye(t, WG_F64, 6, 6);
    for (int64_t i = 0; i < 6; i++)
        vs[i] = wg_reshape(wg_slice(axes, 0, i, i + 1), WG_SHAPE(2, 3));
    ck_assert_int_eq(wg_jvp_many(y, xs, 1, vs, 6, jvs), WG_OK);
    wg_tensor *J = wg_stack(jvs, 6, 2); /* [2, 5, 6] */
    wg_program *p = wg_compile(&J, 1, NULL);
    wg_fill_normal(xs[0], 0, 1, 40);
    wg_program_run(p);
    wg_replay(t);
    wgt_assert_all_close(wg_data_f64(wg_program_output(p, 0)), wg_data_f64(wg_jacobian(y, xs, 1)),
                         60, 0, 1e-15);
    wg_tape_free(t);
}
END_TEST

/* With the JVP from differences: the one above would hold for a rule of the wrong sign, too. */
START_TEST(jvp_is_the_difference_along_the_tangent)
{
    static const double at[] = {-2, -1, 1, 2}, weight[] = {1, -8, 8, -1}, h = 0x1p-9;
    wg_tape *t = wgt_strict_tape();
    wg_tensor *xs[] = {wgt_random_param(t, "a", WG_SHAPE(2, 3), 1),
                       wgt_random_param(t, "b", WG_SHAPE(3, 2), 2)};
    wg_tensor *v = wgt_random_param(t, "v", WG_SHAPE(2, 3), 3);
    wg_tensor *y = vector_function(xs[0], xs[1]), *jv = wg_jvp(y, xs, &v, 1);
    double x0[6], product[10], quotient[10] = {0};
    memcpy(x0, xs[0]->data, sizeof x0);
    ck_assert_int_eq(wg_read(jv, product, sizeof product), WG_OK);
    for (int j = 0; j < 4; j++) {
        double *x = wg_edit(xs[0]);
        for (int i = 0; i < 6; i++)
            x[i] = x0[i] + at[j] * h * wg_at(v, i);
        wg_replay_to(&y, 1);
        for (int i = 0; i < 10; i++)
            quotient[i] += weight[j] * wg_at(y, i) / (12 * h);
    }
    wgt_assert_all_close(product, quotient, 10, 0, 1e-10);
    wg_tape_free(t);
}
END_TEST

/* y = (x^2)^3 by z = x^2 is 3 z^2, though x is what z is computed from. */
START_TEST(an_x_may_be_intermediate_or_given_twice)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_random_param(t, "x", WG_SHAPE(2), 1), *z = wg_square(x);
    wg_tensor *y = wg_pow_scalar(z, 3), *xs[] = {z, x, z};
    wg_tensor *J = wg_jacobian(y, xs, 3), *vs[] = {z, x, z}, *jv = wg_jvp(y, xs, vs, 3);
    for (int i = 0; i < 2; i++) {
        double a = wg_at(x, i), by_z = 3 * pow(a, 4), by_x = 6 * pow(a, 5);
        for (int j = 0; j < 6; j++)
            wgt_assert_close(wg_at(J, i * 6 + j),
                             j % 2 != i   ? 0
                             : j / 2 == 1 ? by_x
                                          : by_z,
                             1e-14, 0);
        wgt_assert_close(wg_at(jv, i), 2 * by_z * a * a + by_x * a, 1e-14, 0);
    }
    wg_tape_free(t);
}
END_TEST

Suite *suite_jacobian(void)
{
    Suite *suite = suite_create("jacobian");
    TCase *hessians = tcase_create("hessians");
    tcase_add_test(hessians, hessian_of_logistic_regression);
    tcase_add_test(hessians, hessian_of_softmax_regression);
    tcase_add_test(hessians, hessian_of_several_xs);
    suite_add_tcase(suite, hessians);
    TCase *jacobians = tcase_create("jacobians");
    tcase_add_test(jacobians, jvp_is_the_jacobian_times_the_tangent);
    tcase_add_test(jacobians, a_jacobian_by_columns_is_that_by_rows);
    tcase_add_test(jacobians, many_tangents);
    tcase_add_test(jacobians, jvp_is_the_difference_along_the_tangent);
    tcase_add_test(jacobians, an_x_may_be_intermediate_or_given_twice);
    suite_add_tcase(suite, jacobians);
    return suite;
}
