/* Owns the table of what loses digits and how it is cured, by the names of ops. */
#include "autograd/check/audit_internal.h"

#include <string.h>

static bool pattern_is(const wg_tensor *x, const char *op)
{
    return x != NULL && strcmp(x->op->name, op) == 0;
}

/* The op with that number; a user's may be called the same, and have none. */
static bool pattern_is_with(const wg_tensor *x, const char *op, double number)
{
    return pattern_is(x, op) && x->op->attr_size == sizeof number &&
           *(const double *)x->attrs == number;
}

static const wg_tensor *pattern_operand(const wg_tensor *x, int i)
{
    return x != NULL && i < x->n_operands ? x->operand[i] : NULL;
}

/* What x is but for its shape, sign and a factor: views, broadcasts, negations and scalings are
 * skipped. */
static const wg_tensor *pattern_skip(const wg_tensor *x)
{
    while (x != NULL && ((x->op->flags & WG_OP_VIEW) || pattern_is(x, "neg") ||
                         pattern_is(x, "broadcast_to") || pattern_is(x, "scale")))
        x = pattern_operand(x, 0);
    return x;
}

static bool pattern_is_constant(const wg_tensor *x, double value)
{
    x = x != NULL && (x->op->flags & WG_OP_VIEW) ? pattern_operand(x, 0) : x;
    return x != NULL && x->op == &wg_op_constant && x->size > 0 && x->dtype != WG_I64 &&
           wg_element(x, 0) == value;
}

/* x + value or x - (-value), by any of the ops: what is added to the number; NULL: it is no such
 * sum. */
static const wg_tensor *pattern_sum_with(const wg_tensor *y, double value)
{
    if (pattern_is_with(y, "shift", value))
        return pattern_operand(y, 0);
    if (!pattern_is(y, "add") && !pattern_is(y, "sub"))
        return NULL;
    const double second = pattern_is(y, "sub") ? -value : value;
    const wg_tensor *a = pattern_operand(y, 0), *b = pattern_operand(y, 1);
    return pattern_is_constant(b, second) ? a : pattern_is_constant(a, value) ? b : NULL;
}

static bool pattern_sums(const wg_tensor *x, const char *op)
{
    return (pattern_is(x, "sum") || pattern_is(x, "mean")) &&
           pattern_is(pattern_skip(pattern_operand(x, 0)), op);
}

/* Are both operands of a sum or difference of these kinds, in one order or the other? */
static bool pattern_joins(const wg_tensor *y, const char *a, const char *b)
{
    if (!pattern_is(y, "add") && !pattern_is(y, "sub"))
        return false;
    const wg_tensor *p = pattern_skip(pattern_operand(y, 0)),
                    *q = pattern_skip(pattern_operand(y, 1));
    return (pattern_is(p, a) && pattern_is(q, b)) || (pattern_is(p, b) && pattern_is(q, a));
}

static bool pattern_is_neg(const wg_tensor *x, const wg_tensor *of)
{
    return (pattern_is(x, "neg") || pattern_is_with(x, "scale", -1)) && pattern_operand(x, 0) == of;
}

/* exp(z) of +z in the one and of -z in the other operand? */
static bool pattern_is_hyperbolic(const wg_tensor *y)
{
    if (!pattern_joins(y, "exp", "exp"))
        return false;
    const wg_tensor *a = pattern_operand(pattern_skip(pattern_operand(y, 0)), 0);
    const wg_tensor *b = pattern_operand(pattern_skip(pattern_operand(y, 1)), 0);
    return pattern_is_neg(a, b) || pattern_is_neg(b, a);
}

/* The square root of something, by any of the ops; what it is of. */
static const wg_tensor *pattern_root(const wg_tensor *y)
{
    const bool half = pattern_is_with(y, "pow_scalar", 0.5);
    const bool power = pattern_is(y, "pow") && pattern_is_constant(pattern_operand(y, 1), 0.5);
    return pattern_is(y, "sqrt") || half || power ? pattern_skip(pattern_operand(y, 0)) : NULL;
}

static bool pattern_is_square(const wg_tensor *x)
{
    return pattern_is(x, "square") ||
           (pattern_is(x, "mul") && pattern_operand(x, 0) == pattern_operand(x, 1)) ||
           pattern_is_with(x, "pow_scalar", 2);
}

/* ---- The patterns ---------------------------------------------------------------------------- */

static bool pattern_sigmoid(const wg_tensor *y);

static bool pattern_log_sigmoid(const wg_tensor *y)
{
    const wg_tensor *p = pattern_is(y, "log") ? pattern_skip(pattern_operand(y, 0)) : NULL;
    return pattern_is(p, "sigmoid") || pattern_sigmoid(p);
}

static bool pattern_logaddexp(const wg_tensor *y)
{
    return pattern_is(y, "log") && pattern_joins(pattern_operand(y, 0), "exp", "exp");
}

static bool pattern_log_cosh(const wg_tensor *y)
{
    const wg_tensor *x = pattern_is(y, "log") ? pattern_skip(pattern_operand(y, 0)) : NULL;
    return pattern_is(x, "cosh") || pattern_is_hyperbolic(x);
}

static bool pattern_log_tanh(const wg_tensor *y)
{
    return pattern_is(y, "log") && pattern_is(pattern_operand(y, 0), "tanh");
}

static bool pattern_log_erfc(const wg_tensor *y)
{
    return pattern_is(y, "log") && pattern_is(pattern_skip(pattern_operand(y, 0)), "erfc");
}

/* log((1 + z) / (1 - z)) */
static bool pattern_atanh(const wg_tensor *y)
{
    const wg_tensor *q = pattern_is(y, "log") ? pattern_operand(y, 0) : NULL;
    return pattern_is(q, "div") && pattern_sum_with(pattern_operand(q, 0), 1) != NULL &&
           pattern_sum_with(pattern_operand(q, 1), 1) != NULL;
}

/* log(z + root(z^2 +- 1)) */
static bool pattern_asinh(const wg_tensor *y)
{
    const wg_tensor *sum = pattern_is(y, "log") ? pattern_operand(y, 0) : NULL;
    if (!pattern_is(sum, "add"))
        return false;
    for (int i = 0; i < 2; i++) {
        const wg_tensor *under = pattern_root(pattern_operand(sum, i));
        const wg_tensor *square = pattern_sum_with(under, 1);
        square = square != NULL ? square : pattern_sum_with(under, -1);
        if (pattern_is_square(pattern_skip(square)))
            return true;
    }
    return false;
}

/* (exp(z) - exp(-z)) / (exp(z) + exp(-z)), (exp(z) - 1) / (exp(z) + 1) */
static bool pattern_tanh_of_exp(const wg_tensor *y)
{
    const wg_tensor *a = pattern_is(y, "div") ? pattern_operand(y, 0) : NULL;
    const wg_tensor *b = a != NULL ? pattern_operand(y, 1) : NULL;
    return (pattern_is_hyperbolic(a) && pattern_is_hyperbolic(b)) ||
           (pattern_is(pattern_skip(pattern_sum_with(a, -1)), "exp") &&
            pattern_is(pattern_skip(pattern_sum_with(b, 1)), "exp"));
}

static bool pattern_sinh(const wg_tensor *y)
{
    return pattern_is(y, "sub") && pattern_is_hyperbolic(y);
}

static bool pattern_exp_difference(const wg_tensor *y)
{
    return pattern_joins(y, "exp", "exp");
}

static bool pattern_sigmoid_minus_one(const wg_tensor *y)
{
    return pattern_is(pattern_sum_with(y, -1), "sigmoid");
}

/* A log among the factors. */
static bool pattern_has_log(const wg_tensor *x)
{
    return pattern_is(x, "log") || pattern_joins(x, "log", "log");
}

/* 0 log(0), NaN. */
static bool pattern_times_log(const wg_tensor *y)
{
    return pattern_is(y, "mul") && (pattern_has_log(pattern_skip(pattern_operand(y, 0))) ||
                                    pattern_has_log(pattern_skip(pattern_operand(y, 1))));
}

/* A log, root or power of a product, which is beyond all floats where that is not. */
static bool pattern_product(const wg_tensor *y)
{
    const bool tames = pattern_is(y, "log") || pattern_is(y, "sqrt") || pattern_is(y, "pow") ||
                       pattern_is(y, "pow_scalar");
    return tames && pattern_is(pattern_skip(pattern_operand(y, 0)), "mul");
}

/* A difference with a root in it: sqrt(1 + z) - 1, b - sqrt(b^2 - 4ac). */
static bool pattern_root_difference(const wg_tensor *y)
{
    const bool shifts = pattern_is(y, "shift");
    if (!shifts && !pattern_is(y, "sub") && !pattern_is(y, "add"))
        return false;
    return pattern_root(pattern_skip(pattern_operand(y, 0))) != NULL ||
           (!shifts && pattern_root(pattern_skip(pattern_operand(y, 1))) != NULL);
}

static bool pattern_square_difference(const wg_tensor *y)
{
    return pattern_is(y, "sub") && pattern_is_square(pattern_skip(pattern_operand(y, 0))) &&
           pattern_is_square(pattern_skip(pattern_operand(y, 1)));
}

static bool pattern_log_complement(const wg_tensor *y)
{
    const wg_tensor *p = pattern_is(y, "log") ? pattern_sum_with(pattern_operand(y, 0), 1) : NULL;
    return pattern_is(pattern_skip(p), "sigmoid");
}

static bool pattern_complement(const wg_tensor *y)
{
    return pattern_is(pattern_skip(pattern_sum_with(y, 1)), "sigmoid");
}

static bool pattern_log_softmax(const wg_tensor *y)
{
    const wg_tensor *p = pattern_is(y, "log") ? pattern_skip(pattern_operand(y, 0)) : NULL;
    return pattern_is(p, "softmax") ||
           (pattern_is(p, "div") && pattern_is(pattern_skip(pattern_operand(p, 0)), "exp"));
}

static bool pattern_softmax(const wg_tensor *y)
{
    return pattern_is(y, "div") && pattern_is(pattern_skip(pattern_operand(y, 0)), "exp") &&
           pattern_sums(pattern_skip(pattern_operand(y, 1)), "exp");
}

/* Is it 1 minus something, of the sums that pattern_sum_with(y, 1) knows? */
static bool pattern_subtracts(const wg_tensor *y)
{
    const bool minus = pattern_is(y, "sub") && pattern_is_constant(pattern_operand(y, 0), 1);
    return minus != pattern_is(pattern_sum_with(y, 1), "neg");
}

static bool pattern_softplus(const wg_tensor *y)
{
    const wg_tensor *sum = pattern_is(y, "log") ? pattern_operand(y, 0) : NULL;
    return pattern_is(pattern_skip(pattern_sum_with(sum, 1)), "exp") && !pattern_subtracts(sum);
}

static bool pattern_log_expm1(const wg_tensor *y)
{
    const wg_tensor *sum = pattern_is(y, "log") ? pattern_operand(y, 0) : NULL;
    return pattern_is(pattern_skip(pattern_sum_with(sum, 1)), "exp") && pattern_subtracts(sum);
}

static bool pattern_sigmoid(const wg_tensor *y)
{
    const wg_tensor *d = pattern_is(y, "reciprocal") ? pattern_operand(y, 0)
                         : pattern_is(y, "div")      ? pattern_operand(y, 1)
                                                     : NULL;
    return pattern_is(pattern_skip(pattern_sum_with(d, 1)), "exp") && !pattern_subtracts(d);
}

static bool pattern_logsumexp(const wg_tensor *y)
{
    return pattern_is(y, "log") && pattern_sums(pattern_skip(pattern_operand(y, 0)), "exp");
}

static bool pattern_expm1(const wg_tensor *y)
{
    return pattern_is(pattern_skip(pattern_sum_with(y, -1)), "exp") ||
           (pattern_is(pattern_skip(pattern_sum_with(y, 1)), "exp") && pattern_subtracts(y));
}

static bool pattern_log1p(const wg_tensor *y)
{
    return pattern_is(y, "log") && pattern_sum_with(pattern_operand(y, 0), 1) != NULL;
}

static bool pattern_cosine(const wg_tensor *y)
{
    return pattern_is(pattern_skip(pattern_sum_with(y, 1)), "cos") ||
           pattern_is(pattern_skip(pattern_sum_with(y, -1)), "cos");
}

static bool pattern_variance(const wg_tensor *y)
{
    const wg_tensor *a = pattern_is(y, "sub") ? pattern_skip(pattern_operand(y, 0)) : NULL;
    const wg_tensor *b = a != NULL ? pattern_skip(pattern_operand(y, 1)) : NULL;
    return (pattern_sums(a, "square") || pattern_sums(a, "mul")) &&
           (pattern_is(b, "square") || pattern_is(b, "mul"));
}

static bool pattern_norm(const wg_tensor *y)
{
    const wg_tensor *sum = pattern_root(y);
    return pattern_sums(sum, "square") || pattern_sums(sum, "mul") || pattern_is(sum, "add");
}

static bool pattern_tanh(const wg_tensor *y)
{
    const wg_tensor *s = pattern_skip(pattern_sum_with(y, 1));
    return (pattern_is(s, "square") || pattern_is(s, "mul")) &&
           pattern_is(pattern_skip(pattern_operand(s, 0)), "tanh");
}

static bool pattern_erfc(const wg_tensor *y)
{
    return pattern_is(pattern_skip(pattern_sum_with(y, 1)), "erf");
}

static bool pattern_difference(const wg_tensor *y)
{
    return pattern_is(y, "sub") || pattern_is(y, "add") || pattern_is(y, "shift");
}

static bool pattern_exp(const wg_tensor *y)
{
    return pattern_is(y, "exp");
}

static bool pattern_square(const wg_tensor *y)
{
    return pattern_is(y, "square") || pattern_is(y, "mul");
}

/* The first that fits explains; what any difference is comes last. */
static const struct {
    bool (*fits)(const wg_tensor *y);
    const char *pattern, *cure;
} pattern_table[] = {
    {pattern_log_sigmoid, "log of a sigmoid", "wg_log_sigmoid(z), or wg_bce_with_logits(z, t)"},
    {pattern_log_complement, "log of 1 - sigmoid(z)",
     "wg_log_sigmoid(-z), or wg_bce_with_logits(z, t)"},
    {pattern_log_softmax, "log of a softmax", "wg_log_softmax(z), or wg_cross_entropy(z, labels)"},
    {pattern_logsumexp, "log of a sum of exp", "wg_logsumexp(z)"},
    {pattern_log_cosh, "log(cosh(z))", "|z| + wg_softplus(-2|z|) - log(2)"},
    {pattern_logaddexp, "log(exp(a) + exp(b))", "wg_logaddexp(a, b)"},
    {pattern_log_tanh, "log(tanh(z))", "wg_log1p(-2 sigmoid(-2z))"},
    {pattern_log_erfc, "log(erfc(z))", "-z^2 - log(z sqrt(pi)) + log1p(-1/(2z^2)) for a large z"},
    {pattern_log_expm1, "log(1 - exp(z))", "log(-expm1(z)), or log1p(-exp(z)) far below 0"},
    {pattern_softplus, "log(1 + exp(z))", "wg_softplus(z)"},
    {pattern_softmax, "exp over a sum of exp", "wg_softmax(z)"},
    {pattern_tanh_of_exp, "tanh by exp", "wg_tanh(z)"},
    {pattern_sigmoid, "1 / (1 + exp(-z))", "wg_sigmoid(z)"},
    {pattern_complement, "1 - sigmoid(z)", "wg_sigmoid(-z)"},
    {pattern_sigmoid_minus_one, "sigmoid(z) - 1", "-wg_sigmoid(-z)"},
    {pattern_tanh, "1 - tanh(z)^2", "4 sigmoid(2z) sigmoid(-2z)"},
    {pattern_sinh, "exp(z) - exp(-z)", "2 wg_sinh(z)"},
    {pattern_erfc, "1 - erf(z)", "wg_erfc(z)"},
    {pattern_atanh, "log((1 + z) / (1 - z))", "2 wg_atanh(z)"},
    {pattern_asinh, "log(z + sqrt(z^2 + 1))", "wg_asinh(z) (wg_acosh(z) for z^2 - 1)"},
    {pattern_log1p, "log(1 + z)", "wg_log1p(z)"},
    {pattern_expm1, "exp(z) - 1", "wg_expm1(z)"},
    {pattern_exp_difference, "exp(a) - exp(b)", "exp(b) wg_expm1(a - b)"},
    {pattern_cosine, "1 - cos(z)", "2 sin(z/2)^2"},
    {pattern_times_log, "p log(p)", "wg_xlogy(p, p): 0 where p is 0; or wg_kl_divergence"},
    {pattern_product, "log or root of a product", "the sum or mean of the logs, and its exp"},
    {pattern_variance, "mean of squares - square of the mean", "the mean of (x - mean)^2"},
    {pattern_square_difference, "x^2 - y^2", "(x - y)(x + y)"},
    {pattern_root_difference, "difference with a root: sqrt(a) - b",
     "its conjugate, (a - b^2) / (sqrt(a) + b)"},
    {pattern_norm, "root of a sum of squares", "scale by the largest, or wg_hypot(a, b)"},
    {pattern_exp, "exp of a large number",
     "a form without it: wg_softmax, wg_logsumexp, wg_softplus"},
    {pattern_square, "square of a large or tiny number", "scale by the largest first"},
    {pattern_difference, "difference of nearly equal numbers",
     "another form, or the part that they share left out on both sides"},
};

bool wg_audit_explain(wg_audit_row *row)
{
    for (size_t i = 0; i < sizeof pattern_table / sizeof *pattern_table; i++)
        if (pattern_table[i].fits(row->node)) {
            row->pattern = pattern_table[i].pattern;
            row->cure = pattern_table[i].cure;
            return true;
        }
    return false;
}
