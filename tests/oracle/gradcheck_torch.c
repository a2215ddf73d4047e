/* Wrong rules and right gradients through wg_gradcheck: one line a case, "kind case verdict", in the
 * order of gradcheck_torch.py, which puts the same ones through torch.autograd.gradcheck. */
#include "models/wengert.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { N = 6, OPS = 12, BUGS = 11, FORMS = 3 };

static const char *const op_name[OPS] = {"sin", "exp", "tanh", "sigmoid", "log", "sqrt",
                                         "square", "erf", "softplus", "atan", "cosh", "expm1"};
static const char *const bug_name[BUGS] = {
    "sign", "half", "one entry zero", "times 1.001", "times 1 + 1e-6", "times 1 + 1e-10",
    "plus 1e-6", "one entry times 1 + 1e-6", "small entries zero", "forgets dy", "times |dy|"};
static const double point[N] = {0.7, 1.2, 1.8, 0.31, 2.2, 0.4};
static const double wide_point[N] = {0.7, 1.2, 14, 16, 12, 0.4};

static const wg_op *right;
static int bug;

static wg_tensor *mask(const wg_tensor *g, double last)
{
    wg_tensor *m = wg_ones_like(g);
    for (int64_t i = 0; i < wg_size(m); i++)
        if (i + 1 == wg_size(m)) {
            wg_tensor *parts[] = {wg_slice(m, 0, 0, i), wg_full(g->tape, g->dtype, WG_SHAPE(1), last)};
            return wg_concat(parts, 2, 0);
        }
    return m;
}

static wg_tensor *spoiled(wg_tensor *y, wg_tensor *dy, int i)
{
    if (bug == 9)
        return right->vjp(y, wg_ones_like(dy), i);
    wg_tensor *g = right->vjp(y, dy, i);
    switch (bug) {
    case 0: return wg_neg(g);
    case 1: return wg_scale(g, 0.5);
    case 2: return wg_mul(g, mask(g, 0));
    case 3: return wg_scale(g, 1.001);
    case 4: return wg_scale(g, 1 + 1e-6);
    case 5: return wg_scale(g, 1 + 1e-10);
    case 6: return wg_add(g, wg_scale(dy, 1e-6));
    case 7: return wg_mul(g, mask(g, 1 + 1e-6));
    case 8:
        return wg_where(wg_less(wg_abs(g), wg_full(g->tape, g->dtype, WG_SCALAR, 1e-5)),
                        wg_zeros_like(g), g);
    default: return wg_mul(g, wg_abs(dy));
    }
}

static wg_tensor *formed(wg_tensor *y, int form)
{
    return form == 0 ? y : form == 1 ? wg_sum(y) : wg_logsumexp(wg_sin(y));
}

static void tell(const char *kind, const char *what, wg_tensor *y, wg_tensor *x)
{
    const wg_gradcheck_options wide = {.precision = WG_CHECK_WIDE};
    printf("%s;%s;%s\n", kind, what, wg_check_verdict_name(wg_gradcheck(y, &x, NULL, 1, &wide, NULL)));
}

static wg_tensor *leaf(wg_tape *t, const double *values, int n)
{
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SHAPE(n));
    wg_write(x, values, (size_t)n * sizeof *values);
    return x;
}

static void wrong_rules(void)
{
    for (bug = 0; bug < BUGS; bug++)
        for (int k = 0; k < OPS; k++)
            for (int form = 0; form < FORMS; form++) {
                wg_tape *t = wg_tape_new(NULL);
                right = wg_op_find(op_name[k]);
                wg_op op = *right;
                op.vjp = spoiled;
                op.vjp_parts = NULL;
                /* Where no derivative is small there is none to lose. */
                const bool tail = bug == 8, saturates = k == 2 || k == 3;
                wg_tensor *x = leaf(t, tail ? wide_point : point, N), *y = wg_apply(&op, &x, 1, NULL);
                if (!tail || saturates)
                    tell(bug_name[bug], op_name[k], formed(y, form), x);
                wg_tape_free(t);
            }
}

static void right_scales(void)
{
    for (int k = 0; k < OPS; k++)
        for (int power = -8; power <= 6; power += 2)
            for (int form = 0; form < FORMS; form++) {
                wg_tape *t = wg_tape_new(NULL);
                double values[N];
                for (int i = 0; i < N; i++)
                    values[i] = point[i] * pow(10, power);
                wg_tensor *x = leaf(t, values, N), *y = wg_apply(wg_op_find(op_name[k]), &x, 1, NULL);
                y = formed(y, form);
                if (isfinite(wg_item(wg_sum(y))))
                    tell("right: scales", op_name[k], y, x);
                wg_tape_free(t);
            }
}

static void right_sizes(void)
{
    static const double scale[] = {1e-9, 1e9, 1e12}, shift[] = {0, 1e6, 1e9};
    for (int k = 0; k < OPS; k++)
        for (int s = 0; s < 3; s++)
            for (int add = 0; add < 2; add++) {
                wg_tape *t = wg_tape_new(NULL);
                wg_tensor *x = leaf(t, point, N), *y = wg_apply(wg_op_find(op_name[k]), &x, 1, NULL);
                tell("right: sizes", op_name[k],
                     add ? wg_shift(wg_sum(y), shift[s]) : wg_scale(wg_sum(y), scale[s]), x);
                wg_tape_free(t);
            }
}

static wg_tensor *kinked(wg_tensor *x, int k)
{
    wg_tensor *zero = wg_zeros_like(x);
    switch (k) {
    case 0: return wg_relu(x);
    case 1: return wg_abs(x);
    case 2: return wg_maximum(x, zero);
    case 3: return wg_amax(x);
    case 4: return wg_clamp(x, 0, 1);
    case 5: return wg_leaky_relu(x, 0.1);
    default: return wg_sum(wg_relu(wg_scale(x, 3)));
    }
}

static void right_kinks(void)
{
    static const double at[3][4] = {{0, 1, -1, 0}, {1e-7, 1, -1e-7, 2}, {0, 0, 0, 0}};
    for (int k = 0; k < 7; k++)
        for (int p = 0; p < 3; p++) {
            wg_tape *t = wg_tape_new(NULL);
            wg_tensor *x = leaf(t, at[p], 4);
            tell("right: kinks", "", kinked(x, k), x);
            wg_tape_free(t);
        }
}

static wg_tensor *hard(wg_tensor *x, int k)
{
    wg_tensor *rest = wg_shift(wg_neg(x), 1);
    switch (k) {
    case 0: return wg_add(wg_mul(x, wg_log(x)), wg_mul(rest, wg_log(rest)));
    case 1: return wg_div(wg_log1p(x), x);
    case 2: return wg_sin(wg_scale(x, 1e6));
    case 3: return wg_log(x);
    case 4: return wg_reciprocal(x);
    case 5: return wg_sqrt(x);
    default: return wg_sin(wg_reciprocal(x));
    }
}

static void right_hard(void)
{
    for (int k = 0; k < 7; k++)
        for (int power = -12; power <= -3; power += 3) {
            wg_tape *t = wg_tape_new(NULL);
            wg_tensor *x = leaf(t, (double[]){1.3 * pow(10, power), 2.7 * pow(10, power)}, 2);
            tell("right: hard", "", hard(x, k), x);
            wg_tape_free(t);
        }
}

int main(void)
{
    wrong_rules();
    right_scales();
    right_sizes();
    right_kinks();
    right_hard();
    return 0;
}
