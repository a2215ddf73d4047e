/* Checks gradients: of the library's models, and of a user's op (mixed.c), with a bug in its rule
 * if you like.
 *
 *     build/08_verdicts [--bug none|sign|scale|drop|zero|transpose]
 *
 * The models pass (the MLP is of f32 and is checked through an f64 copy of the tape). With a bug,
 * the last table tells of it:
 *
 *     $ build/08_verdicts --bug transpose
 *     ...
 *     user op "mixed", bug: transpose
 *     input              entries     agree      kink unresolved  disagree evaluations  verdict
 *     A                        9         0         0          0         9        1995  failed
 *         [2, 1] is wrong: claimed -0.04973206013, numeric 0.09125449857 +- 2.8e-12
 *             step 1.2e-04, truncation 4.5e-13, round-off 2.4e-12
 *         enters at mixed
 *     B                        9         9         0          0         0          37  passed
 *     GRADIENT CHECK NOT PASSED: 1 of 2 inputs passed
 *
 * The exit status is 0 if every verdict is as it should be. */
#include <stdio.h>
#include <string.h>
#include <wengert.h>

#include "support/mixed.h"
#include "support/options.h"

static mixed_bug bug;

static wg_tensor *normal(wg_tape *t, const char *name, uint64_t key, int64_t rows, int64_t columns)
{
    wg_tensor *x = wg_param(t, name, WG_F64, WG_SHAPE(rows, columns));
    wg_fill_normal(x, 0, 0.5, key);
    return x;
}

static wg_tensor *classes(wg_tape *t)
{
    return wg_constant(t, WG_I64, WG_SHAPE(8), (const int64_t[]){0, 2, 1, 1, 0, 2, 2, 0});
}

static bool passes(const char *what, wg_tensor *loss, wg_tensor *const xs[], int n)
{
    printf("%s\n", what);
    wg_check_verdict verdict = wg_gradcheck_print(stdout, loss, xs, NULL, n, NULL);
    putchar('\n');
    return verdict == WG_CHECK_PASSED;
}

static bool check_logistic(wg_tape *t)
{
    static const double y[] = {0, 1, 1, 0, 1, 0, 0, 1};
    wg_linear_model m = wg_logistic_new(
        normal(t, "X", 1, 8, 5), wg_constant(t, WG_F64, WG_SHAPE(8, 1), y),
        &(wg_linear_model_options){.C = 1, .W = normal(t, "w", 2, 5, 1)});
    wg_tensor *xs[] = {m.W, m.b, m.X};
    return passes("logistic regression", m.loss, xs, 3);
}

static bool check_softmax(wg_tape *t)
{
    wg_linear_model m = wg_softmax_regression_new(normal(t, "X", 1, 8, 5), classes(t), 3, NULL);
    wg_tensor *xs[] = {m.W, m.b};
    wg_fill_normal(m.W, 0, 0.5, 2);
    wg_replay(t);
    return passes("softmax regression", m.loss, xs, 2);
}

static bool check_mlp(wg_tape *t)
{
    wg_mlp *m = wg_mlp_new(
        t, &(wg_mlp_options){.sizes = (int64_t[]){5, 16, 3}, .n_sizes = 3, .dtype = WG_F32});
    wg_tensor *X = wg_cast(normal(t, "X", 1, 8, 5), WG_F32);
    wg_tensor *loss = wg_cross_entropy(wg_mlp_forward(m, X, true), classes(t));
    return passes("MLP 5-16-3 with relu, f32", loss, m->params->param, m->params->n);
}

static bool check_user_op(wg_tape *t)
{
    wg_tensor *xs[] = {normal(t, "A", 1, 3, 3), normal(t, "B", 2, 3, 3)};
    wg_tensor *y = mixed(xs[0], xs[1], bug), *loss = wg_mean(wg_exp(wg_sin(y)));
    wg_check_report reports[2];
    wg_check_verdict verdict = wg_gradcheck(loss, xs, NULL, 2, NULL, reports);
    const wg_check_report *wrong =
        &reports[bug == MIXED_ZERO]; /* the input that the bug is about */
    printf("user op \"mixed\", bug: %s\n", mixed_bugs[bug]);
    wg_check_report_print(stdout, reports, 2);
    if (bug == MIXED_RIGHT)
        return verdict == WG_CHECK_PASSED;
    return verdict == WG_CHECK_FAILED && wrong->blame != NULL && strcmp(wrong->blame, "mixed") == 0;
}

int main(int argc, char **argv)
{
    static bool (*const checks[])(wg_tape *) = {check_logistic, check_softmax, check_mlp,
                                                check_user_op};
    const char *named = mixed_bugs[MIXED_RIGHT];
    const option o = {"--bug", "none|sign|scale|drop|zero|transpose", OPTION_CHOICE, &named, 0,
                      0,       "in the rule of the last check's op"};
    const command c = {"", "Checks gradients of models, and of an op.", &o, 1};
    bool expected = true;
    int status = options_read(&c, argc, argv, NULL);
    if (status >= 0)
        return status;
    while (strcmp(mixed_bugs[bug], named) != 0)
        bug++;
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        wg_tape *t = wg_tape_new(NULL);
        expected = checks[i](t) && expected;
        if (wg_tape_status(t) != WG_OK)
            fprintf(stderr, "08_verdicts: %s\n", wg_tape_message(t));
        wg_tape_free(t);
    }
    return expected ? 0 : 1;
}
