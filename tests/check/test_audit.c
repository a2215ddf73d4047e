/* The audit: of pairs of a naive and a stable form, the op that loses digits and its cure are named
 * in the one, and nothing in the other. */
#include "models/wengert.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#if WG_HAS_WIDE

#define X(...) (double[]){__VA_ARGS__}, (int)(sizeof(double[]){__VA_ARGS__} / sizeof(double))
#define FORM(name, expression)                                                                     \
    static wg_tensor *name(wg_tensor *x)                                                           \
    {                                                                                              \
        return expression;                                                                         \
    }

static wg_tensor *one_minus(wg_tensor *x)
{
    return wg_shift(wg_neg(x), 1);
}
static wg_tensor *targets(wg_tensor *x)
{
    wg_tensor *t = wg_zeros_like(x);
    return wg_shift(t, 1);
}
static wg_tensor *naive_bce(wg_tensor *z)
{
    wg_tensor *p = wg_sigmoid(z), *t = targets(z);
    wg_tensor *yes = wg_mul(t, wg_log(p)), *no = wg_mul(one_minus(t), wg_log(one_minus(p)));
    return wg_neg(wg_mean(wg_add(yes, no)));
}
static wg_tensor *naive_softmax(wg_tensor *z)
{
    wg_tensor *e = wg_exp(z);
    return wg_div(e, wg_sum(e));
}
static wg_tensor *naive_variance(wg_tensor *x)
{
    wg_tensor *m = wg_mean(x);
    return wg_sub(wg_mean(wg_square(x)), wg_square(m));
}
static wg_tensor *variance(wg_tensor *x)
{
    return wg_mean(wg_square(wg_sub(x, wg_mean(x))));
}
static wg_tensor *scaled_norm(wg_tensor *x)
{
    wg_tensor *s = wg_amax(wg_abs(x));
    return wg_mul(s, wg_sqrt(wg_sum(wg_square(wg_div(x, s)))));
}

FORM(log_of_sigmoid, wg_log(wg_sigmoid(x)))
FORM(log_of_complement, wg_log(one_minus(wg_sigmoid(x))))
FORM(log_sigmoid_of_neg, wg_log_sigmoid(wg_neg(x)))
FORM(fused_bce, wg_bce_with_logits(x, targets(x)))
FORM(log_of_softmax, wg_log(wg_softmax(x, -1)))
FORM(log_of_quotient, wg_log(naive_softmax(x)))
FORM(stable_log_softmax, wg_log_softmax(x, -1))
FORM(stable_softmax, wg_softmax(x, -1))
FORM(log_sum_exp, wg_log(wg_sum(wg_exp(x))))
FORM(stable_logsumexp, wg_logsumexp(x))
FORM(log_one_plus_exp, wg_log(wg_shift(wg_exp(x), 1)))
FORM(log_one_minus_exp, wg_log(one_minus(wg_exp(x))))
FORM(log_one_sub_exp, wg_log(wg_sub(wg_ones_like(x), wg_exp(x))))
FORM(log_one_plus_of, wg_log1p(wg_neg(wg_exp(x))))
FORM(log_of_expm1, wg_log(wg_neg(wg_expm1(x))))
FORM(one_minus_tanh_tanh, one_minus(wg_mul(wg_tanh(x), wg_tanh(x))))
FORM(log_one_plus, wg_log(wg_shift(x, 1)))
FORM(exp_minus_one, wg_shift(wg_exp(x), -1))
FORM(one_minus_sigmoid, one_minus(wg_sigmoid(x)))
FORM(sigmoid_of_neg, wg_sigmoid(wg_neg(x)))
FORM(naive_sigmoid, wg_reciprocal(wg_shift(wg_exp(wg_neg(x)), 1)))
FORM(one_minus_cos, one_minus(wg_cos(x)))
FORM(half_sine, wg_scale(wg_square(wg_sin(wg_scale(x, 0.5))), 2))
FORM(one_minus_tanh2, one_minus(wg_square(wg_tanh(x))))
FORM(two_sigmoids, wg_scale(wg_mul(wg_sigmoid(wg_scale(x, 2)), wg_sigmoid(wg_scale(x, -2))), 4))
FORM(naive_norm, wg_sqrt(wg_sum(wg_square(x))))
FORM(root_difference, wg_sub(wg_sqrt(wg_shift(x, 1)), wg_sqrt(x)))
FORM(root_quotient, wg_reciprocal(wg_add(wg_sqrt(wg_shift(x, 1)), wg_sqrt(x))))
FORM(square_difference, wg_sub(wg_square(wg_shift(x, 1e-9)), wg_square(x)))
FORM(product_less_square, wg_sub(wg_mul(x, wg_shift(x, 1e-9)), wg_square(x)))
FORM(square_product, wg_scale(wg_shift(wg_scale(x, 2), 1e-9), 1e-9))
FORM(log_of_naive_sigmoid, wg_log(naive_sigmoid(x)))
FORM(log_of_quotient_sigmoid, wg_log(wg_div(wg_ones_like(x), wg_shift(wg_exp(wg_neg(x)), 1))))
FORM(half, wg_scale(x, 0.5))
FORM(log_of_two_exp, wg_log(wg_add(wg_exp(x), wg_exp(half(x)))))
FORM(two_logaddexp, wg_logaddexp(x, half(x)))
FORM(power_norm, wg_pow_scalar(wg_sum(wg_square(x)), 0.5))
FORM(product_norm, wg_sqrt(wg_sum(wg_mul(x, x))))
FORM(two_norm, wg_norm(x, 2))
FORM(log_of_cosh, wg_log(wg_cosh(x)))
FORM(log_cosh_by_hand, wg_log(half(wg_add(wg_exp(x), wg_exp(wg_neg(x))))))
FORM(stable_log_cosh,
     wg_shift(wg_add(wg_abs(x), wg_softplus(wg_scale(wg_abs(x), -2))), -0.6931471805599453))
FORM(sigmoid_minus_one, wg_shift(wg_sigmoid(x), -1))
FORM(minus_sigmoid_of_neg, wg_neg(wg_sigmoid(wg_neg(x))))
FORM(exp_less_exp, wg_sub(wg_exp(x), wg_exp(wg_neg(x))))
FORM(exp_plus_exp, wg_add(wg_exp(x), wg_exp(wg_neg(x))))
FORM(tanh_by_exp, wg_div(exp_less_exp(x), exp_plus_exp(x)))
FORM(tanh_by_one_exp, wg_div(wg_shift(wg_exp(x), -1), wg_shift(wg_exp(x), 1)))
FORM(tanh_of_half, wg_tanh(half(x)))
FORM(sinh_by_hand, half(exp_less_exp(x)))
FORM(hypot_by_hand, wg_sqrt(wg_add(wg_square(x), wg_square(half(x)))))
FORM(hypot_of_half, wg_hypot(x, half(x)))
FORM(atanh_by_hand, half(wg_log(wg_div(wg_shift(x, 1), one_minus(x)))))
FORM(asinh_by_hand, wg_log(wg_add(x, wg_sqrt(wg_shift(wg_square(x), 1)))))
FORM(log_of_erfc, wg_log(wg_erfc(x)))
FORM(tail_of_log_erfc, wg_sub(wg_log1p(wg_neg(wg_reciprocal(wg_scale(wg_square(x), 2)))),
                              wg_add(wg_square(x), wg_log(wg_scale(x, 1.772453850905516)))))
FORM(p_log_p, wg_sum(wg_mul(x, wg_log(x))))
FORM(xlogy, wg_sum(wg_xlogy(x, x)))
FORM(kl_by_logs, wg_sum(wg_mul(x, wg_sub(wg_log(x), wg_log(wg_softmax(x, -1))))))
FORM(kl_by_xlogy, wg_sum(wg_sub(wg_xlogy(x, x), wg_mul(x, wg_log_softmax(x, -1)))))
FORM(geometric_mean, wg_pow_scalar(wg_prod(x), 1.0 / 3))
FORM(mean_of_logs, wg_exp(wg_mean(wg_log(x))))
FORM(log_likelihood, wg_log(wg_prod(x)))
FORM(sum_of_logs, wg_sum(wg_log(x)))
FORM(quadratic_root, half(wg_add(wg_neg(x), wg_sqrt(wg_shift(wg_square(x), -4)))))
FORM(quadratic_conjugate,
     wg_scale(wg_reciprocal(wg_add(x, wg_sqrt(wg_shift(wg_square(x), -4)))), -2))
FORM(root_minus_one, wg_shift(wg_sqrt(wg_shift(x, 1)), -1))
FORM(root_conjugate, wg_div(x, wg_shift(wg_sqrt(wg_shift(x, 1)), 1)))
FORM(root_less_x, wg_sub(wg_sqrt(wg_shift(wg_square(x), 1)), x))
FORM(root_plus_x, wg_reciprocal(wg_add(wg_sqrt(wg_shift(wg_square(x), 1)), x)))
FORM(sigmoid_times_rest, wg_mul(wg_sigmoid(x), one_minus(wg_sigmoid(x))))
FORM(sigmoid_times_sigmoid, wg_mul(wg_sigmoid(x), wg_sigmoid(wg_neg(x))))
FORM(cross_entropy_by_hand, wg_neg(wg_log(wg_slice(wg_softmax(x, -1), 0, 0, 1))))
FORM(cross_entropy_of_logs, wg_neg(wg_slice(wg_log_softmax(x, -1), 0, 0, 1)))
FORM(exps_apart, wg_sub(wg_exp(x), wg_exp(wg_shift(x, 1e-9))))
FORM(exps_by_expm1, wg_scale(wg_exp(x), -1.00000000050000000017e-9))
FORM(log_of_tanh, wg_log(wg_tanh(x)))
FORM(log1p_of_two_sigmoids, wg_log1p(wg_scale(wg_sigmoid(wg_scale(x, -2)), -2)))
FORM(one_minus_erf, one_minus(wg_erf(x)))

#undef FORM

typedef struct audit_pair {
    wg_tensor *(*naive)(wg_tensor *), *(*stable)(wg_tensor *);
    const double *x;
    int n;
    const char *op, *cure;
} audit_pair;

static const audit_pair pairs[] = {
    {log_of_sigmoid, wg_log_sigmoid, X(40), "log", "wg_log_sigmoid(z)"},
    {log_of_sigmoid, wg_log_sigmoid, X(-800), "log", "wg_log_sigmoid(z)"},
    {log_of_sigmoid, wg_log_sigmoid, X(1, 20, 30), "log", "wg_log_sigmoid(z)"},
    {log_of_complement, log_sigmoid_of_neg, X(40), "log", "wg_log_sigmoid(-z)"},
    {log_of_complement, log_sigmoid_of_neg, X(-30), "log", "wg_log_sigmoid(-z)"},
    {naive_bce, fused_bce, X(-800, 1), "log", "wg_bce_with_logits"},
    {naive_bce, fused_bce, X(30), "log", "wg_bce_with_logits"},
    {log_of_softmax, stable_log_softmax, X(0, 800), "log", "wg_log_softmax"},
    {log_of_softmax, stable_log_softmax, X(-25, 3), "log", "wg_log_softmax"},
    {log_of_quotient, stable_log_softmax, X(1, 30), "log", "wg_log_softmax"},
    {naive_softmax, stable_softmax, X(800, 1), "div", "wg_softmax"},
    {naive_softmax, stable_softmax, X(-800, -801), "div", "wg_softmax"},
    {log_sum_exp, stable_logsumexp, X(800, 1), "log", "wg_logsumexp"},
    {log_sum_exp, stable_logsumexp, X(-900, -901), "log", "wg_logsumexp"},
    {log_one_plus_exp, wg_softplus, X(-40), "log", "wg_softplus"},
    {log_one_plus_exp, wg_softplus, X(800), "log", "wg_softplus"},
    {log_one_plus_exp, wg_softplus, X(-20), "log", "wg_softplus"},
    {log_one_minus_exp, log_one_plus_of, X(-38), "log", "log1p(-exp(z))"},
    {log_one_minus_exp, log_of_expm1, X(-1e-12), "shift", "wg_expm1"},
    {log_one_sub_exp, log_of_expm1, X(-1e-12, -1), "sub", "wg_expm1"},
    {one_minus_tanh_tanh, two_sigmoids, X(12), "shift", "sigmoid(2z)"},
    {log_one_plus, wg_log1p, X(1e-10), "log", "wg_log1p"},
    {log_one_plus, wg_log1p, X(-3e-8, 1), "log", "wg_log1p"},
    {exp_minus_one, wg_expm1, X(1e-10), "shift", "wg_expm1"},
    {exp_minus_one, wg_expm1, X(1, -1e-7), "shift", "wg_expm1"},
    {one_minus_sigmoid, sigmoid_of_neg, X(30), "shift", "wg_sigmoid(-z)"},
    {naive_sigmoid, wg_sigmoid, X(-740), "reciprocal", "wg_sigmoid"},
    {one_minus_cos, half_sine, X(1e-5), "shift", "sin(z/2)"},
    {one_minus_tanh2, two_sigmoids, X(12), "shift", "sigmoid(2z)"},
    {naive_variance, variance, X(1e8, 1e8 + 1, 1e8 + 2), "sub", "(x - mean)^2"},
    {naive_norm, scaled_norm, X(1e200, 1e200), "s", "scale by the largest"},
    {root_difference, root_quotient, X(1e12), "sub", "conjugate"},
    {square_difference, square_product, X(1), "sub", "(x - y)(x + y)"},
    {log_of_naive_sigmoid, wg_log_sigmoid, X(-800, 1), "log", "wg_log_sigmoid(z)"},
    {log_of_quotient_sigmoid, wg_log_sigmoid, X(-800, 1), "log", "wg_log_sigmoid(z)"},
    {log_of_two_exp, two_logaddexp, X(900, 1), "log", "wg_logaddexp"},
    {power_norm, two_norm, X(1e200, 1), "pow_scalar", "wg_hypot"},
    {product_norm, two_norm, X(1e-200, 1e-201), "sqrt", "wg_hypot"},
    {log_of_cosh, stable_log_cosh, X(800, 3), "log", "wg_softplus(-2|z|)"},
    {log_cosh_by_hand, stable_log_cosh, X(-800, 3), "log", "wg_softplus(-2|z|)"},
    {sigmoid_minus_one, minus_sigmoid_of_neg, X(30), "shift", "wg_sigmoid(-z)"},
    {tanh_by_exp, wg_tanh, X(800, 1), "div", "wg_tanh"},
    {tanh_by_one_exp, tanh_of_half, X(800, 1), "div", "wg_tanh"},
    {sinh_by_hand, wg_sinh, X(1e-9), "sub", "wg_sinh"},
    {hypot_by_hand, hypot_of_half, X(1e200, 1), "sqrt", "wg_hypot"},
    {atanh_by_hand, wg_atanh, X(1e-12), "log", "wg_atanh"},
    {asinh_by_hand, wg_asinh, X(1e-11), "log", "wg_asinh"},
    {log_of_erfc, tail_of_log_erfc, X(50), "log", "log1p"},
    {p_log_p, xlogy, X(0, 0.5), "mul", "wg_xlogy"},
    {kl_by_logs, kl_by_xlogy, X(0, 0.25, 0.75), "mul", "wg_xlogy"},
    {geometric_mean, mean_of_logs, X(1e150, 1e140, 1e130), "pow_scalar", "logs"},
    {log_likelihood, sum_of_logs, X(1e-150, 1e-140, 1e-130), "log", "logs"},
    {quadratic_root, quadratic_conjugate, X(1e8), "add", "conjugate"},
    {root_minus_one, root_conjugate, X(1e-10), "shift", "conjugate"},
    {root_less_x, root_plus_x, X(1e7), "sub", "conjugate"},
    {sigmoid_times_rest, sigmoid_times_sigmoid, X(36), "shift", "wg_sigmoid(-z)"},
    {cross_entropy_by_hand, cross_entropy_of_logs, X(-800, 1), "log", "wg_cross_entropy"},
    {exps_apart, exps_by_expm1, X(1), "sub", "wg_expm1(a - b)"},
    {log_of_tanh, log1p_of_two_sigmoids, X(19), "log", "sigmoid(-2z)"},
    {one_minus_erf, wg_erfc, X(5), "shift", "wg_erfc"},
};

static const wg_audit_row *explained(const wg_audit_row *rows, size_t count, const char *op,
                                     const char *cure)
{
    for (size_t i = 0; i < count; i++)
        if (rows[i].cure != NULL && strstr(rows[i].cure, cure) != NULL &&
            strstr(rows[i].node->op->name, op) != NULL)
            return &rows[i];
    return NULL;
}

START_TEST(pairs_of_forms)
{
    const audit_pair *p = &pairs[_i];
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(p->n), p->x);
    wg_tensor *naive = p->naive(x), *stable = p->stable(x);
    wg_audit_row rows[20];
    const char *why = "";
    size_t count = wg_audit(&naive, 1, rows, 20, &why);
    ck_assert_msg(count > 0, "%s", why);
    if (explained(rows, count, p->op, p->cure) == NULL) {
        wg_audit_print(stdout, &naive, 1);
        ck_abort_msg("no %s with %s", p->op, p->cure);
    }
    count = wg_audit(&stable, 1, rows, 20, NULL);
    for (size_t i = 0; i < count; i++)
        ck_assert_msg(rows[i].cure == NULL, "%s is accused: %s", wg_tensor_text(rows[i].node).s,
                      rows[i].pattern);
    ck_assert_int_eq(wg_tape_status(t), WG_OK);
    wg_tape_free(t);
}
END_TEST

/* A product of two is no square: it is accused, but not told the cure of squares. */
START_TEST(next_to_a_pattern)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(1), (double[]){1}), *y = product_less_square(x);
    wg_audit_row rows[20];
    const size_t count = wg_audit(&y, 1, rows, 20, NULL);
    ck_assert_ptr_nonnull(explained(rows, count, "sub", ""));
    ck_assert_ptr_null(explained(rows, count, "sub", "(x - y)(x + y)"));
    wg_tape_free(t);
}
END_TEST

/* Users' ops may be called as those of the library are, and have no number. */
START_TEST(ops_of_the_same_name)
{
    static const char *const name[] = {"shift", "scale", "pow_scalar"};
    static _Thread_local wg_op op;
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(2), (double[]){1.5707, 3});
    op = *wg_op_find("sin");
    op.name = name[_i];
    wg_tensor *alike = wg_apply(&op, &x, 1, NULL);
    /* what log1p, log of a difference of exponentials and differences of roots and squares are
     * looked for in, where digits are lost */
    wg_tensor *part[] = {wg_log(alike), wg_log(wg_sub(wg_exp(alike), wg_exp(wg_sub(x, alike)))),
                         wg_sub(alike, wg_add(alike, wg_scale(x, 1e-12)))};
    wg_tensor *y = wg_sum(wg_concat(part, 3, 0));
    wg_audit_row rows[20];
    wg_audit(&y, 1, rows, 20, NULL);
    ck_assert_int_eq(wg_tape_status(t), WG_OK);
    wg_tape_free(t);
}
END_TEST

/* ---- Well-written graphs --------------------------------------------------------------------- */

enum { GRAPHS = 100, WELL = 20 };

static wg_tensor *well_written(wg_tensor *x, wg_tensor *y, int form)
{
    const int64_t n = wg_size(x);
    wg_tensor *z = wg_reshape(x, WG_SHAPE(1, n));
    switch (form) {
    case 0: return wg_bce_with_logits(x, y);
    case 1: return wg_logsumexp(x);
    case 2: return wg_sum(wg_mul(wg_softmax(x, 0), y));
    case 3: return wg_mean(wg_log_softmax(x, 0));
    case 4: return wg_mean(wg_softplus(x));
    case 5: return wg_mse(wg_tanh(x), y, WG_MEAN);
    case 6: return wg_norm(x, 2);
    case 7: return wg_huber(x, y, 1, WG_MEAN);
    case 8: return variance(x);
    case 9: return wg_var(x);
    case 10: return wg_cross_entropy(z, wg_full(x->tape, WG_I64, WG_SHAPE(1), 1));
    case 11: return wg_sum(wg_gelu(x));
    case 12: return wg_sum(wg_log_sigmoid(x));
    case 13: return wg_mean(wg_mul(wg_layer_norm(x, NULL, NULL, 1e-5), y));
    case 14: return wg_sum(wg_mul(wg_expm1(wg_tanh(x)), y));
    case 15: return wg_sum(wg_log1p(wg_square(x)));
    case 16: return wg_sum(wg_hypot(x, y));
    case 17: return wg_sum(wg_logaddexp(x, y));
    case 18: return wg_mean(wg_mish(x));
    default: return wg_add(wg_mean(wg_silu(x)), wg_scale(wg_sum(wg_square(x)), 0.01));
    }
}

/* Every form at five scales, gradients too: nothing is accused. */
START_TEST(well_written_graphs)
{
    static const double scale[] = {1, 10, 100, 0.01, 600};
    for (int i = 0; i < GRAPHS; i++) {
        wg_tape *t = wg_tape_new(NULL);
        wg_tensor *x = wg_param(t, "x", WG_F64, WG_SHAPE(2 + i % 7)), *ys[2];
        wg_fill_normal(x, 0, scale[i / WELL], (uint64_t)i + 1);
        ys[0] = well_written(
            x, wg_constant_uniform(t, WG_F64, WG_SHAPE(wg_size(x)), 0, 1, (uint64_t)i), i % WELL);
        wg_grad(ys[0], &x, 1, &ys[1]);
        wg_audit_row rows[20];
        const char *why = "";
        const size_t count = wg_audit(ys, 2, rows, 20, &why);
        ck_assert_msg(count > 0, "form %d: %s", i % WELL, why);
        for (size_t k = 0; k < count; k++)
            ck_assert_msg(rows[k].cure == NULL, "form %d at %g: %s is accused: %s", i % WELL,
                          scale[i / WELL], wg_tensor_text(rows[k].node).s, rows[k].pattern);
        wg_tape_free(t);
    }
}
END_TEST

/* 1e17 + 1 is more than 1e17, but not in double. */
START_TEST(decided_by_rounding)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(1, 2), (double[]){-1e17, 1});
    wg_tensor *y = wg_where(wg_greater(wg_shift(x, 1e17), wg_scale(x, 0)), x, wg_neg(x));
    wg_tensor *z = wg_where(wg_greater(wg_shift(x, 1e17), wg_full(t, WG_F64, WG_SHAPE(1), 1e17)), x,
                            wg_neg(x));
    wg_audit_row rows[10];
    size_t count = wg_audit(&z, 1, rows, 10, NULL);
    ck_assert_uint_gt(count, 0);
    ck_assert_str_eq(rows[0].pattern, "decided by rounding");
    ck_assert_str_eq(rows[0].node->op->name, "greater");
    ck_assert_int_eq(rows[0].entry, 1);
    ck_assert_double_eq(rows[0].value, 0);
    ck_assert_double_eq(rows[0].exact, 1);
    count = wg_audit(&y, 1, rows, 10, NULL);
    for (size_t i = 0; i < count; i++)
        ck_assert(rows[i].pattern == NULL || strstr(rows[i].pattern, "decided") == NULL);
    wg_tape_free(t);
}
END_TEST

/* What a stream holds, from its beginning. */
static const char *text_of(FILE *file, char text[4096])
{
    rewind(file);
    text[fread(text, 1, 4095, file)] = '\0';
    fclose(file);
    return text;
}

/* The table and the CSV of a cancellation, in both dtypes: the op is named, with its cure. */
START_TEST(printed)
{
    char text[4096];
    wg_audit_row rows[4];
    wg_tape *t = wgt_strict_tape();
    const wg_dtype dtype = _i == 0 ? WG_F64 : WG_F32;
    wg_tensor *x = wg_full(t, dtype, WG_SHAPE(2), _i == 0 ? 40 : 18);
    wg_tensor *y = wg_log(wg_sigmoid(wg_neg(one_minus(wg_sigmoid(x)))));
    y = wg_add(y, wg_log(one_minus(wg_sigmoid(x))));
    FILE *file = tmpfile();
    const double digits = wg_audit_print(file, &y, 1);
    ck_assert_double_lt(digits, 8);
    text_of(file, text);
    wgt_assert_contains(text, "digits");
    wgt_assert_contains(text, ": use wg_");
    wgt_assert_contains(text, "[0]");
    const size_t count = wg_audit(&y, 1, rows, 4, NULL);
    ck_assert_uint_eq(count, 4);
    file = tmpfile();
    wg_audit_csv(file, rows, count);
    text_of(file, text);
    wgt_assert_contains(text, "node,op,entry,value,exact,digits,lost,condition,pattern,cure\n");
    int lines = 0;
    for (const char *c = text; *c != '\0'; c++)
        lines += *c == '\n';
    ck_assert_int_eq(lines, 5);
    wg_tape_free(t);
}
END_TEST

/* What cannot be audited is said, and the tape is left alone. */
START_TEST(refused)
{
    char text[4096];
    wg_audit_row rows[4];
    const char *why;
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SHAPE(2)), *y = wg_exp(x), *none = NULL;
    ck_assert_uint_eq(wg_audit(NULL, 1, rows, 4, &why), 0);
    ck_assert_str_eq(why, "there is no y");
    ck_assert_uint_eq(wg_audit(&none, 1, rows, 4, &why), 0);
    ck_assert_str_eq(why, "a y is NULL, inert or of another tape");
    ck_assert_ptr_nonnull(wg_edit(x));
    ck_assert_uint_eq(wg_audit(&y, 1, rows, 4, &why), 0);
    ck_assert_str_eq(why, "a y is out of date: replay first");
    FILE *file = tmpfile();
    ck_assert_double_nan(wg_audit_print(file, &y, 1));
    ck_assert_str_eq(text_of(file, text), "audit: a y is out of date: replay first\n");
    wg_replay(t);
    wg_tensor *user = wgt_spread(wg_sum(y), &(wg_shape){1, {2}});
    ck_assert_uint_eq(wg_audit(&user, 1, rows, 4, &why), 0);
    ck_assert_ptr_nonnull(why);
    wg_tensor *empty = wg_exp(wg_param(t, "none", WG_F64, WG_SHAPE(0)));
    ck_assert_uint_eq(wg_audit(&empty, 1, rows, 4, &why), 0);
    wg_tape_free(t);
}
END_TEST

#endif

Suite *suite_audit(void)
{
    Suite *suite = suite_create("audit");
    TCase *tc = tcase_create("audit");
#if WG_HAS_WIDE
    tcase_add_test(tc, decided_by_rounding);
    tcase_add_loop_test(tc, printed, 0, 2);
    tcase_add_test(tc, refused);
    tcase_add_test(tc, well_written_graphs);
    tcase_add_loop_test(tc, pairs_of_forms, 0, (int)(sizeof pairs / sizeof *pairs));
    tcase_add_test(tc, next_to_a_pattern);
    tcase_add_loop_test(tc, ops_of_the_same_name, 0, 3);
#endif
    suite_add_tcase(suite, tc);
    return suite;
}
