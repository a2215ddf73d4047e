/* The smallest example: five points by hand, a logistic regression without a penalty, and what can be learnt from it.
 *
 *     build/toy_5 [--svg FILE] [DATA]
 *
 * A figure of 0.20 at step 80 is in circulation for these points. It is wrong: the loss is 0.4744 there, and no
 * weights at all have one below 0.3819. Nor has it a minimum: as the weights grow the loss falls for ever, and
 * scikit-learn's answer (C = 1e10: loss 0.381909, weights of 34 and more) is where it stopped. Prints
 *
 *     step   0  loss 0.6931
 *     step  20  loss 0.5222
 *     step  40  loss 0.4892
 *     step  60  loss 0.4786
 *     step  80  loss 0.4744
 *     step 500  loss 0.4669   scikit-learn, C = 1e10: 0.3819
 *
 *     The first step, in words (d loss / d weight tells which way is up, and we go down):
 *     x1's weight rises from 0, since its gradient is -0.40
 *     x2's weight falls from 0, since its gradient is 0.10
 *     x3's weight rises from 0, since its gradient is -0.28
 *     the intercept rises from 0, since its gradient is -0.10
 *
 *     rate   0.01: 0.5674 after 100 steps
 *     rate    0.1: 0.4725 after 100 steps
 *     rate      1: 0.4621 after 100 steps
 *
 *     The same by mistake uphill, w += rate * g:
 *     the loss says so: 0.6931, then 0.7204, then 0.7542
 *     the checker, of the gradient with its sign turned: failed
 *     with the sign put right: passed, and the loss is 0.6687, then 0.6491
 */
#include <math.h>
#include <stdio.h>
#include <wengert.h>

#include "support/picture.h"

enum { STEPS = 100, RATES = 3 };
static const double rates[RATES] = {0.01, 0.1, 1};

/* The model at zero weights, its gradient, and what goes down by it. */
typedef struct job {
    wg_linear_model model;
    wg_tensor *params[2], *g[2];
    wg_optimizer *sgd;
} job;

static job start(wg_tensor *X, wg_tensor *y, double rate)
{
    job j = {.model = wg_logistic_new(X, y, NULL)};
    j.params[0] = j.model.W;
    j.params[1] = j.model.b;
    wg_grad(j.model.loss, j.params, 2, j.g);
    j.sgd = wg_sgd_new(j.params, 2, &(wg_sgd_options){.rate = rate});
    return j;
}

/* One step; returns the loss before it. */
static double step(job *j)
{
    double loss = wg_item(j->model.loss);
    wg_optimizer_step(j->sgd, j->g);
    wg_replay_to((wg_tensor *[]){j->model.loss, j->g[0], j->g[1]}, 3);
    return loss;
}

static void descend(wg_tensor *X, wg_tensor *y)
{
    job j = start(X, y, 0.1);
    for (int k = 0; k < 500; k++) {
        double loss = step(&j);
        if (k <= 80 && k % 20 == 0)
            printf("step %3d  loss %.4f\n", k, loss);
    }
    printf("step 500  loss %.4f   scikit-learn, C = 1e10: 0.3819\n", wg_item(j.model.loss));
}

static void explain(wg_tensor *X, wg_tensor *y, const wg_table *data)
{
    job j = start(X, y, 0.1);
    printf(
        "\nThe first step, in words (d loss / d weight tells which way is up, and we go down):\n");
    for (int64_t i = 0; i < wg_dim(X, 1); i++)
        printf("%s's weight %s from 0, since its gradient is %.2f\n", data->column_names[i],
               wg_at(j.g[0], i) < 0 ? "rises" : "falls", wg_at(j.g[0], i));
    printf("the intercept %s from 0, since its gradient is %.2f\n",
           wg_item(j.g[1]) < 0 ? "rises" : "falls", wg_item(j.g[1]));
}

static void compare_rates(wg_tensor *X, wg_tensor *y, double loss[RATES][STEPS + 1])
{
    printf("\n");
    for (int r = 0; r < RATES; r++) {
        job j = start(X, y, rates[r]);
        for (int k = 0; k <= STEPS; k++)
            loss[r][k] = step(&j);
        printf("rate %6g: %.4f after %d steps\n", rates[r], loss[r][STEPS], STEPS);
    }
}

/* Two ways to find it: the loss rises; and the gradient that the loop uses is not the loss's. */
static void ascend(wg_tensor *X, wg_tensor *y)
{
    job j = start(X, y, 0.1);
    wg_tensor *right[2] = {j.g[0], j.g[1]}, *turned[2] = {wg_neg(j.g[0]), wg_neg(j.g[1])};
    wg_check_verdict bad = wg_gradcheck(j.model.loss, j.params, turned, 2, NULL, NULL);
    wg_check_verdict good = wg_gradcheck(j.model.loss, j.params, right, 2, NULL, NULL);
    printf("\nThe same by mistake uphill, w += rate * g:\nthe loss says so: ");
    for (int k = 0; k < 3; k++) {
        printf(k > 0 ? ", then %.4f" : "%.4f", wg_item(j.model.loss));
        wg_optimizer_step(j.sgd, turned);
        wg_replay(X->tape);
    }
    printf("\nthe checker, of the gradient with its sign turned: %s\n", wg_check_verdict_name(bad));
    job again = start(X, y, 0.1);
    step(&again);
    double one = step(&again);
    printf("with the sign put right: %s, and the loss is %.4f, then %.4f\n",
           wg_check_verdict_name(good), one, wg_item(again.model.loss));
}

static bool draw(const picture_arguments *a, double loss[RATES][STEPS + 1])
{
    const char *label[RATES] = {"rate 0.01", "rate 0.1", "rate 1"};
    char title[PICTURE_TITLE];
    double x[STEPS + 1];
    svg_plot p = {.title = picture_title(a, "Loss by rate", title),
                  .x = {.label = "step", .from = 0, .to = STEPS, .whole = true},
                  .y = {.label = "loss", .from = 0.4, .to = 0.7}};
    for (int k = 0; k <= STEPS; k++)
        x[k] = k;
    if (!picture_open(&p, a->svg))
        return false;
    for (int r = 0; r < RATES; r++)
        svg_line(&p, r, label[r], x, loss[r], STEPS + 1);
    return picture_close(&p);
}

int main(int argc, char **argv)
{
    picture_arguments a = {.data = "examples/data/toy_5.csv"};
    int usage = picture_arguments_read(&a, argc, argv);
    if (usage >= 0)
        return usage;
    wg_tape *t = wg_tape_new(NULL);
    const wg_table *data = wg_csv_read(t, a.data, NULL);
    wg_tensor *X = wg_table_features(data), *y = wg_table_labels(data);
    double loss[RATES][STEPS + 1];
    if (wg_tape_status(t) != WG_OK)
        return picture_end(t, false);
    descend(X, y);
    explain(X, y, data);
    compare_rates(X, y, loss);
    ascend(X, y);
    bool drawn = wg_tape_status(t) == WG_OK && (a.svg == NULL || draw(&a, loss));
    return picture_end(t, drawn);
}
