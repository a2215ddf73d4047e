/* Owns the table of what loses digits and how it is cured, by the names of ops. */
#include "autograd/check/audit_internal.h"

#include <string.h>

static bool pattern_is(const wg_tensor *x, const char *op)
{
    return x != NULL && strcmp(x->op->name, op) == 0;
}

static const wg_tensor *pattern_operand(const wg_tensor *x, int i)
{
    return x != NULL && i < x->n_operands ? x->operand[i] : NULL;
}

/* What x is but for its shape and sign: views, broadcasts, sums of nothing and negations are
 * passed. */
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
    if (pattern_is(y, "shift") && *(const double *)y->attrs == value)
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

static bool pattern_log_sigmoid(const wg_tensor *y)
{
    return pattern_is(y, "log") && pattern_is(pattern_skip(pattern_operand(y, 0)), "sigmoid");
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
    return pattern_is(y, "sqrt") && (pattern_sums(pattern_skip(pattern_operand(y, 0)), "square") ||
                                     pattern_is(pattern_skip(pattern_operand(y, 0)), "add"));
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
    {pattern_log_expm1, "log(1 - exp(z))", "log(-expm1(z)), or log1p(-exp(z)) far below 0"},
    {pattern_softplus, "log(1 + exp(z))", "wg_softplus(z)"},
    {pattern_softmax, "exp over a sum of exp", "wg_softmax(z)"},
    {pattern_sigmoid, "1 / (1 + exp(-z))", "wg_sigmoid(z)"},
    {pattern_complement, "1 - sigmoid(z)", "wg_sigmoid(-z)"},
    {pattern_tanh, "1 - tanh(z)^2", "4 sigmoid(2z) sigmoid(-2z)"},
    {pattern_erfc, "1 - erf(z)", "wg_erfc(z)"},
    {pattern_log1p, "log(1 + z)", "wg_log1p(z)"},
    {pattern_expm1, "exp(z) - 1", "wg_expm1(z)"},
    {pattern_cosine, "1 - cos(z)", "2 sin(z/2)^2"},
    {pattern_variance, "mean of squares - square of the mean", "the mean of (x - mean)^2"},
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
