/* Logistic regression on 1000 points that a line separates, by plain gradient descent from zero weights; and the
 * same as one would write it with PyTorch: in f32, from random weights.
 * The points are numpy.random.seed(0); X = randn(1000, 2), labelled 1 where 2 x1 - 3 x2 + 0.5 > 0.
 *
 *     build/linear_1000 [--svg FILE] [DATA]
 *
 * prints
 *
 *     epoch   0  loss 0.6931
 *     epoch  10  loss 0.5710
 *     epoch  20  loss 0.4932
 *     epoch  30  loss 0.4403
 *     epoch  40  loss 0.4019
 *     epoch  50  loss 0.3726
 *     epoch  60  loss 0.3495
 *     epoch  70  loss 0.3305
 *     epoch  80  loss 0.3147
 *     epoch  90  loss 0.3013
 *     w = (1.05673617, -1.50856125)  b = 0.32159730
 *     slope of the boundary: 0.7005, of the rule 0.6667; accuracy 0.9870
 *
 *     f32 from a random start: 0.7723 -> 0.2890; PyTorch's, from its own seed: 0.6921 -> 0.2977
 */
#include <stdio.h>
#include <wengert.h>

#include "support/picture.h"

/* 100 steps; returns the loss after them. `every`: epochs between two lines; 0: none. */
static double train(const wg_linear_model *model, int every)
{
    wg_tensor *wrt[] = {model->W, model->b}, *g[2];
    wg_grad(model->loss, wrt, 2, g);
    wg_optimizer *sgd = wg_sgd_new(wrt, 2, &(wg_sgd_options){.rate = 0.1});
    for (int epoch = 0; epoch < 100; epoch++) {
        if (every > 0 && epoch % every == 0)
            printf("epoch %3d  loss %.4f\n", epoch, wg_item(model->loss));
        wg_optimizer_step(sgd, g);
        wg_replay_to((wg_tensor *[]){model->loss, g[0], g[1]}, 3);
    }
    return wg_item(model->loss);
}

/* As torch.nn.Linear(2, 1) begins: uniform within 1/sqrt(2). */
static void train_as_pytorch(wg_tape *t, wg_tensor *X, wg_tensor *y)
{
    wg_linear_model model = wg_logistic_new(wg_cast(X, WG_F32), wg_cast(y, WG_F32), NULL);
    wg_fill_uniform(model.W, -0.70710678, 0.70710678, 1);
    wg_fill_uniform(model.b, -0.70710678, 0.70710678, 2);
    wg_replay(t);
    double first = wg_item(model.loss);
    double last = train(&model, 0);
    printf(
        "\nf32 from a random start: %.4f -> %.4f; PyTorch's, from its own seed: 0.6921 -> 0.2977\n",
        first, last);
}

static bool draw(const picture_arguments *a, const wg_linear_model *model)
{
    char title[PICTURE_TITLE];
    svg_plot p = plane_plot(model->X, picture_title(a, "Two classes and the boundary", title));
    double w1 = wg_at(model->W, 0), w2 = wg_at(model->W, 1), b = wg_item(model->b);
    double x[] = {p.x.from, p.x.to};
    double found[] = {-(w1 * x[0] + b) / w2, -(w1 * x[1] + b) / w2};
    double rule[] = {(2 * x[0] + 0.5) / 3, (2 * x[1] + 0.5) / 3};
    if (!picture_open(&p, a->svg))
        return false;
    plane_points(&p, model->X, model->y);
    svg_line(&p, 2, "the rule", x, rule, 2);
    p.dashed = true;
    svg_line(&p, 7, "p = 1/2, dashed", x, found, 2);
    return picture_close(&p);
}

int main(int argc, char **argv)
{
    picture_arguments a = {.data = "examples/data/linear_1000.csv"};
    int usage = picture_arguments_read(&a, argc, argv);
    if (usage >= 0)
        return usage;
    wg_tape *t = wg_tape_new(NULL);
    const wg_table *data = wg_csv_read(t, a.data, NULL);
    wg_tensor *X = wg_table_features(data), *y = wg_table_labels(data);
    wg_linear_model model = wg_logistic_new(X, y, NULL);
    if (wg_tape_status(t) != WG_OK)
        return picture_end(t, false);
    train(&model, 10);
    double w1 = wg_at(model.W, 0), w2 = wg_at(model.W, 1);
    printf("w = (%.8f, %.8f)  b = %.8f\n", w1, w2, wg_item(model.b));
    printf("slope of the boundary: %.4f, of the rule 0.6667; accuracy %.4f\n", -w1 / w2,
           wg_linear_model_score(&model, X, y));
    train_as_pytorch(t, X, y);
    bool drawn = wg_tape_status(t) == WG_OK && (a.svg == NULL || draw(&a, &model));
    return picture_end(t, drawn);
}
