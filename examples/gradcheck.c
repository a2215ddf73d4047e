/* Checks gradients: of the library's models, and of an op defined here, with a bug in its rule if you like.
 *
 *     build/gradcheck [--bug none|sign|scale|drop|zero|transpose]
 *
 * The models pass (the MLP is of f32 and is checked through an f64 copy of the tape). With a bug, the last table
 * tells of it:
 *
 *     $ build/gradcheck --bug transpose
 *     ...
 *     user op "mixed", bug: transpose
 *     input              entries     agree      kink unresolved  disagree evaluations  verdict
 *     A                        9         0         0          0         9        1184  failed
 *         [7] is wrong: claimed -0.04973206013, numeric 0.09125449857 +- 2.8e-12
 *             step 1.2e-04, truncation 4.5e-13, round-off 2.4e-12, 9.2e+18 ulp
 *         enters at mixed
 *     B                        9         9         0          0         0          37  passed
 *     GRADIENT CHECK NOT PASSED: 1 of 2 inputs passed
 *
 * The exit status is 0 if every verdict is as it should be. */
#include <stdio.h>
#include <string.h>
#include <wengert.h>

static const char *const bugs[] = {"none", "sign", "scale", "drop", "zero", "transpose"};
enum { NONE, SIGN, SCALE, DROP, ZERO, TRANSPOSE, BUGS };
static int bug;

/* ---- A user's op: Y = A B + A^2, with the square taken of each entry, for A, B [n, n] ------------------- */

static bool mixed_shape(wg_tensor *y)
{
    const wg_tensor *a = y->operand[0], *b = y->operand[1];
    if (a->dtype != WG_F64 || b->dtype != WG_F64)
        return wg_op_fail(y, WG_E_DTYPE, "f64 wanted");
    y->dtype = WG_F64;
    y->shape = a->shape;
    return (a->shape.rank == 2 && a->shape.dim[0] == a->shape.dim[1] &&
            wg_shape_same(&a->shape, &b->shape)) ||
           wg_op_fail(y, WG_E_SHAPE, "two square matrices of one size wanted");
}

static void mixed_forward(const wg_tensor *y, const wg_piece *piece)
{
    const double *a = y->operand[0]->data, *b = y->operand[1]->data;
    int64_t n = y->shape.dim[0];
    (void)piece;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            double sum = a[i * n + j] * a[i * n + j];
            for (int64_t k = 0; k < n; k++)
                sum += a[i * n + k] * b[k * n + j];
            ((double *)y->data)[i * n + j] = sum;
        }
}

/* dA = dY B^T + 2 A dY,   dB = A^T dY, as ops, so that they can be differentiated, too. */
static wg_tensor *mixed_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    wg_tensor *a = y->operand[0], *b = y->operand[1];
    if (i == 1)
        return bug == ZERO ? NULL : wg_matmul_t(a, true, dy, false);
    wg_tensor *product = wg_matmul_t(dy, false, b, bug != TRANSPOSE);
    wg_tensor *square = wg_scale(wg_mul(a, dy), bug == SIGN ? -2 : bug == SCALE ? 2.002 : 2);
    return bug == DROP ? product : wg_add(product, square);
}

static const wg_op op_mixed = {.name = "mixed",
                               .formula = "Y = A B + A^2",
                               .arity = 2,
                               .shape = mixed_shape,
                               .forward = mixed_forward,
                               .vjp = mixed_vjp};

/* ---- Checks: each says whether the verdict is as it should be --------------------------------------------- */

static wg_tensor *normal(wg_tape *t, const char *name, uint64_t key, int64_t rows, int64_t columns)
{
    wg_tensor *x = wg_param(t, name, WG_F64, WG_SHAPE(rows, columns));
    wg_fill_normal(x, 0, 0.5, key);
    return x;
}

static wg_tensor *classes(wg_tape *t)
{
    static const int64_t labels[] = {0, 2, 1, 1, 0, 2, 2, 0};
    return wg_constant(t, WG_I64, WG_SHAPE(8), labels);
}

static bool check_logistic(wg_tape *t)
{
    static const double y[] = {0, 1, 1, 0, 1, 0, 0, 1};
    wg_logistic m = wg_logistic_new(normal(t, "X", 1, 8, 5),
                                    wg_constant(t, WG_F64, WG_SHAPE(8, 1), y),
                                    &(wg_logistic_options){.C = 1, .w = normal(t, "w", 2, 5, 1)});
    wg_tensor *xs[] = {m.w, m.b, m.X};
    printf("logistic regression\n");
    return wg_gradcheck_print(stdout, m.loss, xs, NULL, 3, NULL) == WG_CHECK_PASSED;
}

static bool check_softmax(wg_tape *t)
{
    wg_softmax_regression m = wg_softmax_regression_new(normal(t, "X", 1, 8, 5), classes(t), 3,
                                                        NULL);
    wg_tensor *xs[] = {m.W, m.b};
    wg_fill_normal(m.W, 0, 0.5, 2);
    wg_replay(t);
    printf("\nsoftmax regression\n");
    return wg_gradcheck_print(stdout, m.loss, xs, NULL, 2, NULL) == WG_CHECK_PASSED;
}

static bool check_mlp(wg_tape *t)
{
    wg_mlp *m = wg_mlp_new(t, &(wg_mlp_options){.sizes = (int64_t[]){5, 16, 3}, .n_sizes = 3});
    wg_tensor *X = wg_cast(normal(t, "X", 1, 8, 5), WG_F32);
    wg_tensor *loss = wg_cross_entropy(wg_mlp_forward(m, X, true), classes(t));
    printf("\nMLP 5-16-3 with relu, f32\n");
    return wg_gradcheck_print(stdout, loss, wg_mlp_params(m), NULL, wg_mlp_param_count(m), NULL) ==
           WG_CHECK_PASSED;
}

static bool check_user_op(wg_tape *t)
{
    wg_tensor *xs[] = {normal(t, "A", 1, 3, 3), normal(t, "B", 2, 3, 3)};
    wg_tensor *y = wg_apply(&op_mixed, xs, 2, NULL), *loss = wg_mean(wg_exp(wg_sin(y)));
    wg_check_report reports[2];
    wg_check_verdict verdict = wg_gradcheck(loss, xs, NULL, 2, NULL, reports);
    const wg_check_report *wrong = &reports[bug == ZERO]; /* the input that the bug is about */
    printf("\nuser op \"mixed\", bug: %s\n", bugs[bug]);
    wg_check_report_print(stdout, reports, 2);
    if (bug == NONE)
        return verdict == WG_CHECK_PASSED;
    return verdict == WG_CHECK_FAILED && wrong->blame != NULL && strcmp(wrong->blame, "mixed") == 0;
}

static int usage(FILE *stream, int status)
{
    fprintf(stream, "usage: gradcheck [--bug none|sign|scale|drop|zero|transpose]\n");
    return status;
}

int main(int argc, char **argv)
{
    static bool (*const checks[])(wg_tape *) = {check_logistic, check_softmax, check_mlp,
                                                check_user_op};
    bool expected = true;
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return usage(stdout, 0);
    if (argc == 3 && strcmp(argv[1], "--bug") == 0)
        while (bug < BUGS && strcmp(argv[2], bugs[bug]) != 0)
            bug++;
    else if (argc != 1)
        return usage(stderr, 2);
    if (bug == BUGS)
        return usage(stderr, 2);
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        wg_tape *t = wg_tape_new(NULL);
        expected = checks[i](t) && expected;
        if (wg_tape_status(t) != WG_OK)
            fprintf(stderr, "gradcheck: %s\n", wg_tape_message(t));
        wg_tape_free(t);
    }
    return expected ? 0 : 1;
}
