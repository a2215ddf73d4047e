/* Gradients in wide floats against closed forms, computed by loops in wide floats:
 *     dL/dW = A^T (P - Y) / n,   dL/db = sum_i (P - Y)_i / n
 * of logistic and softmax regression (A = X), and of an MLP of one hidden layer, A = tanh(X V + c):
 *     D = ((P - Y) / n) W^T (1 - A^2),   dL/dV = X^T D,   dL/dc = sum_i D_i.
 * n is no power of two: a rule that divides by it in double is off by 1e-17. */
#include "autograd/tape_internal.h"
#include "models/wengert.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#if WG_HAS_WIDE

enum { N = 7, D = 3, H = 5, MOST = 5 };

typedef wg_wide rows[N][MOST];

#define F(f) WG_F(wide, f)

/* z = a [N, d] w [d, k] + b [k] */
static void affine(int d, int k, rows a, const wg_wide *w, const wg_wide *b, rows z)
{
    for (int i = 0; i < N; i++)
        for (int c = 0; c < k; c++) {
            z[i][c] = b[c];
            for (int j = 0; j < d; j++)
                z[i][c] += a[i][j] * w[j * k + c];
        }
}

/* (P - Y) / n of logits z; k = 1: logistic. */
static void residual(int k, rows z, const int64_t *label, rows r)
{
    for (int i = 0; i < N; i++) {
        wg_wide sum = k == 1 ? 1 : 0;
        for (int c = 0; c < k; c++)
            sum += F(exp)(z[i][c]);
        for (int c = 0; c < k; c++)
            r[i][c] = (F(exp)(z[i][c]) / sum - (k == 1 ? label[i] : label[i] == c)) / N;
    }
}

/* The largest entry of g less a^T r [d, k], over the largest of a^T r; a NULL: of ones [1]. */
static double gap(const wg_tensor *g, int d, int k, rows a, rows r)
{
    wg_wide most = 0, largest = 0;
    ck_assert_int_eq(g->size, d * k);
    for (int j = 0; j < d; j++)
        for (int c = 0; c < k; c++) {
            wg_wide want = 0;
            for (int i = 0; i < N; i++)
                want += (a != NULL ? a[i][j] : 1) * r[i][c];
            largest = F(fmax)(largest, F(fabs)(want));
            most = F(fmax)(most, F(fabs)(((const wg_wide *)g->data)[j * k + c] - want));
        }
    return (double)(most / largest);
}

static void check(const wg_tensor *g, int d, int k, rows a, rows r)
{
    const double off = gap(g, d, k, a, r);
    ck_assert_msg(off <= (WG_WIDE_BITS == 113 ? 1e-28 : 1e-14), "%d x %d: off by %g", d, k, off);
}

static void read_rows(const wg_tensor *x, int d, rows a)
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < d; j++)
            a[i][j] = ((const wg_wide *)x->data)[i * d + j];
}

static wg_tensor *normal(wg_tape *t, uint64_t key, int64_t n, int64_t m)
{
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SHAPE(n, m));
    wg_fill_normal(x, 0, 1, key);
    return x;
}

/* k = 1 is logistic. xs: W, b, and of an MLP V, c. */
static void check_model(int k, bool hidden)
{
    const int64_t label[N] = {0, 1, 1, 0, k > 1 ? 2 : 0, 0, 1};
    const double target[N] = {0, 1, 1, 0, 0, 0, 1};
    const int d = hidden ? H : D, n = hidden ? 4 : 2;
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *X = normal(t, 1, N, D), *A = X, *xs[4], *g[4];
    xs[0] = normal(t, 2, d, k);
    xs[1] = normal(t, 3, 1, k);
    xs[2] = normal(t, 4, D, H);
    xs[3] = normal(t, 5, 1, H);
    if (hidden)
        A = wg_tanh(wg_add(wg_matmul(X, xs[2]), xs[3]));
    wg_tensor *z = wg_add(wg_matmul(A, xs[0]), xs[1]);
    wg_tensor *loss = k == 1 ? wg_bce_with_logits(z, wg_constant(t, WG_F64, WG_SHAPE(N, 1), target))
                             : wg_cross_entropy(z, wg_constant(t, WG_I64, WG_SHAPE(N), label));
    wg_tape *wide = wg_tape_copy(t, WG_WIDE);
    for (int i = 0; i < 4; i++)
        xs[i] = wg_tape_counterpart(wide, xs[i]);
    ck_assert_int_eq(wg_grad(wg_tape_counterpart(wide, loss), xs, n, g), WG_OK);
    rows x, a, logits, r, back;
    read_rows(wg_tape_counterpart(wide, X), D, x);
    read_rows(wg_tape_counterpart(wide, X), D, a);
    if (hidden)
        affine(D, H, x, xs[2]->data, xs[3]->data, a);
    for (int i = 0; i < N && hidden; i++)
        for (int j = 0; j < H; j++)
            a[i][j] = F(tanh)(a[i][j]);
    affine(d, k, a, xs[0]->data, xs[1]->data, logits);
    residual(k, logits, label, r);
    check(g[0], d, k, a, r);
    check(g[1], 1, k, NULL, r);
    for (int i = 0; i < N && hidden; i++)
        for (int j = 0; j < H; j++) {
            back[i][j] = 0;
            for (int c = 0; c < k; c++)
                back[i][j] += r[i][c] * ((const wg_wide *)xs[0]->data)[j * k + c];
            back[i][j] *= 1 - a[i][j] * a[i][j];
        }
    if (hidden) {
        check(g[2], D, H, x, back);
        check(g[3], 1, H, NULL, back);
    }
    wg_tape_free(wide);
    wg_tape_free(t);
}

START_TEST(gradients_to_all_digits)
{
    check_model(1, false);
    check_model(4, false);
    check_model(1, true);
    check_model(4, true);
}
END_TEST

#endif

Suite *suite_closed_form_wide(void)
{
    Suite *suite = suite_create("closed_form_wide");
    TCase *tc = tcase_create("closed forms");
#if WG_HAS_WIDE
    tcase_add_test(tc, gradients_to_all_digits);
#endif
    suite_add_tcase(suite, tc);
    return suite;
}
