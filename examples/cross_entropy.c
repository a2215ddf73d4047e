/* What cross-entropy is, and why it is computed from logits.
 *
 *     build/cross_entropy [--svg FILE]
 *
 * For a row of class 1 the loss is the surprise -log p of what happened: in nats by the natural logarithm, in bits
 * by that to base 2. Squared error punishes too little where a model is sure and wrong: its gradient vanishes there,
 * since sigmoid' does, where that of cross-entropy is p - y. And log(sigmoid(z)) is -inf where sigmoid(z) rounds to 0;
 * softplus(-z) is the same number without the detour. Prints
 *
 *     p of class 1   surprise in nats   in bits
 *             0.99             0.0101    0.0145
 *              0.9             0.1054    0.1520
 *              0.5             0.6931    1.0000
 *              0.1             2.3026    3.3219
 *             0.01             4.6052    6.6439
 *
 *     y = (1, 0):  p = (0.9, 0.1)  -log 0.9 = 0.1054   by the tape 0.1054
 *                  p = (0.5, 0.5)  -log 0.5 = 0.6931   by the tape 0.6931
 *
 *     y = 1              cross-entropy           squared error
 *         z         p      loss  gradient      loss  gradient
 *        -8    0.0003    8.0003   -0.9997    0.9993   -0.0007
 *        -4    0.0180    4.0181   -0.9820    0.9644   -0.0347
 *        -1    0.2689    1.3133   -0.7311    0.5344   -0.2875
 *         0    0.5000    0.6931   -0.5000    0.2500   -0.2500
 *         1    0.7311    0.3133   -0.2689    0.0723   -0.1058
 *         4    0.9820    0.0181   -0.0180    0.0003   -0.0006
 *
 *     y = 1    -log(sigmoid(z))  gradient   fused loss  gradient
 *      -800                 inf       nan          800        -1
 *       -40                  40        -1           40        -1
 *         0            0.693147      -0.5     0.693147      -0.5
 *        40                   0  -4.24835e-18  4.24835e-18  -4.24835e-18
 *       800                   0         0            0         0
 */
#include <math.h>
#include <stdio.h>
#include <wengert.h>

#include "support/picture.h"

static void print_surprise(void)
{
    const double p[] = {0.99, 0.9, 0.5, 0.1, 0.01};
    printf("p of class 1   surprise in nats   in bits\n");
    for (int i = 0; i < 5; i++)
        printf("%12g   %16.4f  %8.4f\n", p[i], -log(p[i]), -log2(p[i]));
}

/* The logits of (p, 1 - p) are its logarithms. */
static void print_by_hand(wg_tape *t)
{
    const double p[2][2] = {{0.9, 0.1}, {0.5, 0.5}};
    const int64_t first = 0;
    wg_tensor *y = wg_constant(t, WG_I64, WG_SHAPE(1), &first);
    printf("\n");
    for (int i = 0; i < 2; i++) {
        wg_tensor *z = wg_log(wg_constant(t, WG_F64, WG_SHAPE(1, 2), p[i]));
        printf("%-12s p = (%g, %g)  -log %g = %.4f   by the tape %.4f\n",
               i == 0 ? "y = (1, 0):" : "", p[i][0], p[i][1], p[i][0], -log(p[i][0]),
               wg_item(wg_cross_entropy(z, y)));
    }
}

typedef wg_tensor *loss_of(wg_tensor *z, wg_tensor *y);

static wg_tensor *squared(wg_tensor *z, wg_tensor *y)
{
    return wg_mean(wg_square(wg_sub(wg_sigmoid(z), y)));
}

static wg_tensor *naive(wg_tensor *z, wg_tensor *y)
{
    return wg_mean(wg_neg(wg_mul(y, wg_log(wg_sigmoid(z)))));
}

static wg_tensor *fused(wg_tensor *z, wg_tensor *y)
{
    return wg_bce_with_logits(z, y);
}

/* Loss and gradient at z for y = 1; leaves nothing on the tape. */
static void at(wg_tape *t, loss_of *loss, double z, double *value, double *slope)
{
    wg_mark mark = wg_tape_mark(t);
    wg_tensor *x = wg_param(t, "z", WG_F64, WG_SHAPE(1, 1)), *g;
    wg_write(x, &z, sizeof z);
    wg_tensor *l = loss(x, wg_full(t, WG_F64, WG_SHAPE(1, 1), 1));
    wg_grad(l, &x, 1, &g);
    *value = wg_item(l);
    *slope = wg_item(g);
    wg_tape_rewind(t, mark);
}

static void print_losses(wg_tape *t)
{
    const double z[] = {-8, -4, -1, 0, 1, 4};
    double l[2], g[2];
    printf("\ny = 1              cross-entropy           squared error\n"
           "    z         p      loss  gradient      loss  gradient\n");
    for (int i = 0; i < 6; i++) {
        at(t, fused, z[i], &l[0], &g[0]);
        at(t, squared, z[i], &l[1], &g[1]);
        printf("%5g  %8.4f  %8.4f  %8.4f  %8.4f  %8.4f\n", z[i], 1 / (1 + exp(-z[i])), l[0], g[0],
               l[1], g[1]);
    }
}

static void print_forms(wg_tape *t)
{
    const double z[] = {-800, -40, 0, 40, 800};
    double l[2], g[2];
    printf("\ny = 1    -log(sigmoid(z))  gradient   fused loss  gradient\n");
    for (int i = 0; i < 5; i++) {
        at(t, naive, z[i], &l[0], &g[0]);
        at(t, fused, z[i], &l[1], &g[1]);
        printf("%5g  %18g  %8g  %11g  %8g\n", z[i], fabs(l[0]),
               isnan(g[0]) ? fabs(g[0]) : g[0] + 0.0, l[1], g[1] + 0.0);
    }
}

enum { POINTS = 161 };

/* Losses above, gradients below. */
static bool draw(wg_tape *t, const char *path)
{
    static double z[POINTS], l[2][POINTS], g[2][POINTS];
    svg_plot top = {.title = "Losses and their gradients, y = 1",
                    .x = {.label = "z", .from = -8, .to = 8},
                    .y = {.label = "loss", .from = 0, .to = 8},
                    .height = 330,
                    .panels = 2};
    svg_plot below = top;
    for (int i = 0; i < POINTS; i++) {
        z[i] = -8 + 0.1 * i;
        at(t, fused, z[i], &l[0][i], &g[0][i]);
        at(t, squared, z[i], &l[1][i], &g[1][i]);
    }
    if (!picture_open(&top, path))
        return false;
    svg_line(&top, 0, "cross-entropy", z, l[0], POINTS);
    svg_line(&top, 1, "squared error", z, l[1], POINTS);
    if (!svg_end(&top))
        return false;
    below.title = NULL;
    below.panel = 1;
    below.y = (svg_axis){.label = "gradient", .from = -1.05, .to = 0.05};
    below.legend = SVG_BOTTOM_RIGHT;
    svg_begin(&below, top.file);
    svg_line(&below, 0, "cross-entropy: p - 1", z, g[0], POINTS);
    svg_line(&below, 1, "squared error", z, g[1], POINTS);
    return picture_close(&below);
}

int main(int argc, char **argv)
{
    picture_arguments a = {.data = "none"};
    int usage = picture_arguments_read(&a, argc, argv);
    if (usage >= 0)
        return usage;
    wg_tape *t = wg_tape_new(NULL);
    print_surprise();
    print_by_hand(t);
    print_losses(t);
    print_forms(t);
    bool drawn = wg_tape_status(t) == WG_OK && (a.svg == NULL || draw(t, a.svg));
    return picture_end(t, drawn);
}
