/* The decision boundary of a logistic regression on 300 points of two classes: its probabilities as a heat
 * map, the line where they are 1/2, and the points.
 *
 *     build/decision_boundary [--svg FILE] [DATA]
 *
 * The line is w1 x1 + w2 x2 + b = 0. Prints
 *
 *     loss 0.175952  accuracy 0.9300
 *     w = (1.001261, 4.183311)  b = -0.885867
 *        x2 =  -1.5  -1.0  -0.5   0.0   0.5   1.0   1.5
 *     x1 = -2   0.00  0.00  0.01  0.05  0.31  0.78  0.97
 *     x1 = -1   0.00  0.00  0.02  0.13  0.55  0.91  0.99
 *     x1 =  0   0.00  0.01  0.05  0.29  0.77  0.96  1.00
 *     x1 =  1   0.00  0.02  0.12  0.53  0.90  0.99  1.00
 *     x1 =  2   0.01  0.04  0.27  0.75  0.96  1.00  1.00
 */
#include <stdio.h>
#include <wengert.h>

#include "support/picture.h"

static void train(const wg_linear_model *model, int steps)
{
    wg_tensor *params[] = {model->W, model->b}, *grads[2];
    wg_optimizer *sgd = wg_sgd_new(params, 2, &(wg_sgd_options){.rate = 0.5, .momentum = 0.9});
    wg_grad(model->loss, params, 2, grads);
    for (int step = 0; step < steps; step++) {
        wg_optimizer_step(sgd, grads);
        wg_replay_to((wg_tensor *[]){model->loss, grads[0], grads[1]}, 3);
    }
}

/* Probabilities on a coarse grid, as text. */
static void print_probabilities(const wg_linear_model *model, wg_tape *t)
{
    printf("   x2 =");
    for (int j = 0; j < 7; j++)
        printf("%6.1f", -1.5 + 0.5 * j);
    for (int i = 0; i < 5; i++) {
        printf("\nx1 = %2d ", i - 2);
        for (int j = 0; j < 7; j++) {
            double point[] = {i - 2, -1.5 + 0.5 * j};
            wg_tensor *x = wg_constant(t, WG_F64, WG_SHAPE(1, 2), point);
            printf("%6.2f", wg_item(wg_sigmoid(wg_linear_model_logits(model, x))));
        }
    }
    printf("\n");
}

static bool draw(const picture_arguments *a, wg_tape *t, const wg_linear_model *model)
{
    char title[PICTURE_TITLE];
    svg_plot p = plane_plot(model->X, picture_title(a, "Logistic regression", title));
    wg_tensor *probability = wg_sigmoid(wg_linear_model_logits(model, plane_lattice(&p, t)));
    if (!picture_open(&p, a->svg))
        return false;
    plane_heat(&p, probability);
    plane_boundary(&p, 7, "p = 1/2", probability);
    plane_points(&p, model->X, model->y);
    plane_colour_bar(&p);
    return picture_close(&p);
}

int main(int argc, char **argv)
{
    picture_arguments a = {.data = "examples/data/two_class_300.csv"};
    int usage = picture_arguments_read(&a, argc, argv);
    if (usage >= 0)
        return usage;
    wg_tape *t = wg_tape_new(NULL);
    wg_table *data = wg_csv_read(t, a.data, NULL);
    wg_linear_model model = wg_logistic_new(wg_table_features(data), wg_table_labels(data), NULL);
    train(&model, 1000);
    if (wg_tape_status(t) != WG_OK)
        return picture_end(t, false);
    printf("loss %.6f  accuracy %.4f\n", wg_item(model.loss),
           wg_linear_model_score(&model, model.X, model.y));
    printf("w = (%.6f, %.6f)  b = %.6f\n", wg_at(model.W, 0), wg_at(model.W, 1), wg_item(model.b));
    print_probabilities(&model, t);

    bool drawn = wg_tape_status(t) == WG_OK && (a.svg == NULL || draw(&a, t, &model));
    return picture_end(t, drawn);
}
