/* Two interleaving half moons, which no line separates: logistic regression fails, and succeeds on polynomial
 * features; so does an MLP. Accuracies are those on the 400 training points.
 *
 *     build/moons [--svg FILE] [DATA]
 *
 * prints
 *
 *     logistic             loss 0.3187  accuracy 0.8750
 *     logistic, degree 3   loss 0.1009  accuracy 0.9575
 *     MLP 2-32-32-2        loss 0.0620  accuracy 0.9750
 */
#include <stdio.h>
#include <wengert.h>

#include "support/picture.h"

/* Full batches, on the compiled gradient. Returns the loss before the last step. */
static double train(wg_tensor *loss, wg_tensor *const params[], int n, wg_optimizer *optimizer,
                    int steps)
{
    wg_tensor *outputs[8], **grads = outputs + 1;
    wg_grad(loss, params, n, grads);
    outputs[0] = loss;
    wg_program *program = wg_compile(outputs, n + 1, NULL);
    for (int i = 0; i <= n; i++)
        outputs[i] = wg_program_output(program, i);
    double last = 0;
    for (int step = 0; step < steps; step++) {
        wg_program_run(program);
        last = wg_item(outputs[0]);
        wg_optimizer_step(optimizer, grads);
    }
    return last;
}

/* The MLP's probability of class 1, [n, 1]. */
static wg_tensor *mlp_probability(const wg_mlp *mlp, wg_tensor *X)
{
    return wg_slice(wg_softmax(wg_mlp_forward(mlp, X, false), 1), 1, 1, 2);
}

static void print_row(const char *name, double loss, wg_tensor *probability, wg_tensor *y)
{
    printf("%-19s  loss %.4f  accuracy %.4f\n", name, loss, wg_accuracy(wg_round(probability), y));
}

static double train_logistic(const wg_linear_model *model)
{
    wg_tensor *params[] = {model->W, model->b};
    wg_sgd_options options = {.rate = 0.5, .momentum = 0.9, .nesterov = true};
    return train(model->loss, params, 2, wg_sgd_new(params, 2, &options), 2000);
}

static bool draw(const picture_arguments *a, wg_tape *t, wg_tensor *X, wg_tensor *y,
                 const wg_linear_model *line, const wg_pipeline *cubic,
                 const wg_linear_model *polynomial, const wg_mlp *mlp)
{
    char title[PICTURE_TITLE];
    const char *what = "Three boundaries, the MLP's probabilities";
    svg_plot p = plane_plot(X, picture_title(a, what, title));
    wg_tensor *at = plane_lattice(&p, t);
    wg_tensor *mlp_at = mlp_probability(mlp, at);
    wg_tensor *cubic_at = wg_sigmoid(
        wg_linear_model_logits(polynomial, wg_pipeline_apply(cubic, at, NULL)));
    if (!picture_open(&p, a->svg))
        return false;
    plane_heat(&p, mlp_at);
    plane_points(&p, X, y);
    plane_boundary(&p, 2, "logistic", wg_sigmoid(wg_linear_model_logits(line, at)));
    plane_boundary(&p, 3, "degree 3", cubic_at);
    plane_boundary(&p, 7, "MLP", mlp_at);
    plane_colour_bar(&p);
    return picture_close(&p);
}

int main(int argc, char **argv)
{
    picture_arguments a = {.data = "examples/data/moons_400.csv"};
    int usage = picture_arguments_read(&a, argc, argv);
    if (usage >= 0)
        return usage;
    wg_tape *t = wg_tape_new(NULL);
    wg_table *data = wg_csv_read(t, a.data, NULL);
    wg_tensor *X = wg_table_features(data), *y = wg_table_labels(data);
    if (wg_tape_status(t) != WG_OK)
        return picture_end(t, false);

    wg_linear_model line = wg_logistic_new(X, y, &(wg_linear_model_options){.C = 1});
    double line_loss = train_logistic(&line);
    print_row("logistic", line_loss, wg_sigmoid(wg_linear_model_logits(&line, X)), y);

    /* Nine columns: x1, x2, x1^2, ..., x2^3, standardized, so that one rate suits all. */
    const wg_pipeline_step steps[] = {{.kind = WG_STEP_POLYNOMIAL, .polynomial = {.degree = 3}},
                                      {.kind = WG_STEP_STANDARDIZE}};
    wg_pipeline *cubic = wg_pipeline_fit(X, NULL, 0,
                                         &(wg_pipeline_options){.steps = steps, .n_steps = 2});
    wg_tensor *Z = wg_pipeline_apply(cubic, X, NULL);
    wg_linear_model polynomial = wg_logistic_new(Z, y, &(wg_linear_model_options){.C = 1000});
    double polynomial_loss = train_logistic(&polynomial);
    print_row("logistic, degree 3", polynomial_loss,
              wg_sigmoid(wg_linear_model_logits(&polynomial, Z)), y);

    wg_mlp *mlp = wg_mlp_new(
        t, &(wg_mlp_options){.sizes = (int64_t[]){2, 32, 32, 2}, .n_sizes = 4, .dtype = WG_F64});
    wg_tensor *loss = wg_cross_entropy(wg_mlp_forward(mlp, X, true), wg_table_classes(data));
    wg_optimizer *adam = wg_adam_new(mlp->params->param, mlp->params->n,
                                     &(wg_adam_options){.rate = 0.01});
    double mlp_loss = train(loss, mlp->params->param, mlp->params->n, adam, 500);
    print_row("MLP 2-32-32-2", mlp_loss, mlp_probability(mlp, X), y);

    bool drawn = wg_tape_status(t) == WG_OK &&
                 (a.svg == NULL || draw(&a, t, X, y, &line, cubic, &polynomial, mlp));
    return picture_end(t, drawn);
}
