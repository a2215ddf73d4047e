/* How wrong are finite differences? Prints, for one weight of a small MLP, the error of 2-, 3- and 5-point
 * differences against the recorded derivative for steps from 1 to 1e-13, and the Taylor remainders with and
 * without the second derivative, as two tables for gnuplot; draws the first as SVG.
 *
 *     build/error_curve [--svg FILE] > error.dat
 *     gnuplot -p -e 'set logscale xy; plot for [c=2:4] "error.dat" index 0 using 1:c with lines'
 *
 * The curves fall with h, h^2 and h^4 until the rounding of f, which grows as 1/h, takes over:
 *
 *     # h            2 points     3 points     5 points
 *     1.000000e+00   2.1390e-01   8.2874e-02   9.1451e-02
 *     ...
 *     1.000000e-13   1.1902e-04   1.2289e-03   1.6034e-03
 *
 *     # rates 2.00 and 3.00; noise 3.8e-16
 *     # t            gradient     and Hessian
 *     8.178473e-02   4.5339e-03   2.5221e-04
 *     ...
 *     3.993395e-05   1.0209e-09   4.5695e-14
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <wengert.h>

#include "support/options.h"
#include "support/picture.h"

enum { ROWS = 53, SAMPLES = 8 };

/* Mean cross-entropy of a 4-6-3 network with tanh on random rows; *w is its first matrix of weights. */
static wg_tensor *record(wg_tape *t, wg_tensor **w)
{
    static const int64_t labels[SAMPLES] = {0, 1, 2, 0, 1, 2, 0, 1};
    wg_tensor *X = wg_param(t, "X", WG_F64, WG_SHAPE(SAMPLES, 4));
    wg_tensor *V = wg_param(t, "V", WG_F64, WG_SHAPE(6, 3));
    *w = wg_param(t, "W", WG_F64, WG_SHAPE(4, 6));
    wg_fill_normal(X, 0, 1, 1);
    wg_fill_normal(V, 0, 1, 2);
    wg_fill_normal(*w, 0, 1, 3);
    wg_tensor *h = wg_tanh(wg_matmul(X, *w));
    return wg_cross_entropy(wg_matmul(h, V), wg_constant(t, WG_I64, WG_SHAPE(SAMPLES), labels));
}

static void print_sweep(const wg_check_sweep_row *rows)
{
    printf("# h            2 points     3 points     5 points\n");
    for (int i = 0; i < ROWS; i++)
        printf("%.6e   %.4e   %.4e   %.4e\n", rows[i].h, rows[i].error2, rows[i].error3,
               rows[i].error5);
}

/* The remainder of f(x + tv) after the gradient falls as t^2, after the Hessian too as t^3. */
static void print_taylor(const wg_check_taylor_report *g, const wg_check_taylor_report *h)
{
    printf("\n\n# rates %.2f and %.2f; noise %.1e\n# t            gradient     and Hessian\n",
           g->rate, h->rate, g->noise);
    for (int i = 0; i < WG_CHECK_TAYLOR_ROWS; i++)
        printf("%.6e   %.4e   %.4e\n", g->rows[i].t, g->rows[i].remainder, h->rows[i].remainder);
}

static bool draw(const char *path, const wg_check_sweep_row *rows)
{
    static const char *const labels[] = {"2 points", "3 points", "5 points"};
    svg_plot p = {.title = "Error of a finite difference against its step",
                  .x = {"step h", 1e-13, 1, .log = true},
                  .y = {"|difference - derivative|", 1e-15, 1, .log = true},
                  .legend = SVG_BOTTOM_LEFT};
    double h[ROWS], error[ROWS];
    if (!picture_open(&p, path))
        return false;
    for (int c = 0; c < 3; c++) {
        for (int i = 0; i < ROWS; i++) {
            h[i] = rows[i].h;
            error[i] = c == 0 ? rows[i].error2 : c == 1 ? rows[i].error3 : rows[i].error5;
        }
        svg_line(&p, c, labels[c], h, error, ROWS);
        svg_points(&p, c, NULL, h, error, ROWS, 2.5);
    }
    return picture_close(&p);
}

static int usage(FILE *stream, int status)
{
    fprintf(stream, "usage: error_curve [--svg FILE]\n"
                    "prints the errors of finite differences and the Taylor remainders of a small "
                    "network\n");
    return status;
}

int main(int argc, char **argv)
{
    wg_check_sweep_row rows[ROWS];
    wg_check_taylor_report first, second;
    wg_tensor *w;
    options_called(argc > 0 ? argv[0] : NULL);
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return usage(stdout, 0);
    if (argc != 1 && (argc != 3 || strcmp(argv[1], "--svg") != 0))
        return usage(stderr, 2);
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *loss = record(t, &w);
    wg_status status = wg_gradcheck_sweep(loss, w, 7, 1, 1e-13, rows, ROWS);
    if (status == WG_OK && wg_gradcheck_taylor(loss, w, 2, NULL, &first) == WG_CHECK_PASSED &&
        wg_gradcheck_taylor(loss, w, 3, NULL, &second) == WG_CHECK_PASSED) {
        print_sweep(rows);
        print_taylor(&first, &second);
    } else {
        fprintf(stderr, "error_curve: %s\n", wg_tape_message(t));
        status = WG_E_VALUE;
    }
    wg_tape_free(t);
    return status == WG_OK && (argc < 3 || draw(argv[2], rows)) ? 0 : 1;
}
