/* Gradient descent with learning rates 0.01, 0.1 and 1, and with 10, which overshoots at first: the loss of a
 * logistic regression (with a penalty, C = 1) on breast_cancer, standardized, over 200 steps from zero weights.
 * The minimum is 0.066360.
 *
 *     build/learning_rates [--svg FILE] [DATA]
 *
 * prints
 *
 *     step   rate  0.01  rate   0.1  rate     1  rate    10
 *        0       0.6931      0.6931      0.6931      0.6931
 *       20       0.4549      0.1844      0.0856      0.1426
 *       40       0.3595      0.1417      0.0772      0.0805
 *       60       0.3072      0.1233      0.0736      0.0673
 *       80       0.2734      0.1126      0.0715      0.0665
 *      100       0.2494      0.1055      0.0702      0.0664
 *      120       0.2312      0.1004      0.0693      0.0664
 *      140       0.2169      0.0965      0.0687      0.0664
 *      160       0.2053      0.0934      0.0682      0.0664
 *      180       0.1956      0.0909      0.0679      0.0664
 *      200       0.1874      0.0888      0.0676      0.0664
 */
#include <stdio.h>
#include <wengert.h>

#include "support/picture.h"

enum { STEPS = 200, RATES = 4 };
static const double rates[RATES] = {0.01, 0.1, 1, 10};

/* loss[k] is the loss after k steps. */
static void descend(const wg_linear_model *model, double rate, double loss[STEPS + 1])
{
    wg_tensor *params[] = {model->W, model->b}, *grads[2];
    wg_optimizer *sgd = wg_sgd_new(params, 2, &(wg_sgd_options){.rate = rate});
    wg_grad(model->loss, params, 2, grads);
    for (int step = 0; step <= STEPS; step++) {
        loss[step] = wg_item(model->loss);
        wg_optimizer_step(sgd, grads);
        wg_replay_to((wg_tensor *[]){model->loss, grads[0], grads[1]}, 3);
    }
}

static void print_losses(double loss[RATES][STEPS + 1])
{
    printf("step ");
    for (int r = 0; r < RATES; r++)
        printf("  rate %5g", rates[r]);
    for (int step = 0; step <= STEPS; step += 20) {
        printf("\n%4d ", step);
        for (int r = 0; r < RATES; r++)
            printf("  %10.4f", loss[r][step]);
    }
    printf("\n");
}

static bool draw(const picture_arguments *a, double loss[RATES][STEPS + 1])
{
    static const char *const labels[RATES] = {"rate 0.01", "rate 0.1", "rate 1", "rate 10"};
    char title[PICTURE_TITLE];
    double step[STEPS + 1];
    svg_plot p = {.title = picture_title(a, "Gradient descent", title),
                  .x = {.label = "step", .from = 0, .to = STEPS},
                  .y = {.label = "loss", .from = 0, .to = 1}};
    if (!picture_open(&p, a->svg))
        return false;
    for (int k = 0; k <= STEPS; k++)
        step[k] = k;
    for (int r = 0; r < RATES; r++)
        svg_line(&p, r, labels[r], step, loss[r], STEPS + 1);
    return picture_close(&p);
}

int main(int argc, char **argv)
{
    picture_arguments a = {.data = "examples/data/breast_cancer.csv"};
    int usage = picture_arguments_read(&a, argc, argv);
    if (usage >= 0)
        return usage;
    static double loss[RATES][STEPS + 1];
    wg_tape *t = wg_tape_new(NULL);
    wg_table *data = wg_csv_read(t, a.data, NULL);
    wg_tensor *X = wg_standardize(wg_table_features(data)), *y = wg_table_labels(data);
    for (int r = 0; r < RATES; r++) {
        wg_mark mark = wg_tape_mark(t);
        wg_linear_model model = wg_logistic_new(X, y, &(wg_linear_model_options){.C = 1});
        descend(&model, rates[r], loss[r]);
        if (wg_tape_status(t) == WG_OK)
            wg_tape_rewind(t, mark); /* weights, gradients, optimizer */
    }
    if (wg_tape_status(t) != WG_OK)
        return picture_end(t, false);
    print_losses(loss);
    bool drawn = wg_tape_status(t) == WG_OK && (a.svg == NULL || draw(&a, loss));
    return picture_end(t, drawn);
}
