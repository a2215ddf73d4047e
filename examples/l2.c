/* The L2 penalty ||w||^2 / (2 n C) of a logistic regression compared over C, as in scikit-learn the smaller the
 * stronger: degree-2 polynomial features of breast_cancer (495 columns, more than the 284 training rows, which
 * are half of all), each fit from the last one's weights by L-BFGS to its minimum.
 *
 *     build/l2 [--svg FILE] [DATA]
 *
 * A strong penalty underfits, a weak one overfits: the test loss is lowest between. Prints
 *
 *           C   length  train loss  test loss  test accuracy
 *       1e-05    0.006      0.6463     0.6464         0.6281
 *      0.0001    0.045      0.5751     0.5774         0.6982
 *       0.001    0.223      0.3814     0.3877         0.8702
 *        0.01    0.686      0.1737     0.1924         0.9439
 *         0.1    1.596      0.0670     0.1071         0.9754
 *           1    3.396      0.0187     0.1623         0.9649
 *          10    6.096      0.0036     0.3675         0.9544
 *         100    9.248      0.0006     0.6437         0.9368
 *        1000   12.641      0.0001     0.9711         0.9333
 */
#include <math.h>
#include <stdio.h>
#include <wengert.h>

#include "support/picture.h"

enum { COUNT = 9 };

/* For each C: the length of w, the mean log loss on training and test rows, the test accuracy. */
typedef struct path {
    double C[COUNT], length[COUNT], train[COUNT], test[COUNT], accuracy[COUNT];
} path;

static void fit(path *to, int i, wg_tensor *X, wg_tensor *y, wg_tensor *Xtest, wg_tensor *ytest,
                wg_tensor *w, wg_tensor *b)
{
    wg_linear_model model = wg_logistic_new(
        X, y, &(wg_linear_model_options){.C = to->C[i], .W = w, .b = b});
    /* weights are only as near to the minimum as the gradient over the penalty, 1 / (n C) */
    wg_minimize(model.loss, (wg_tensor *[]){w, b}, 2,
                &(wg_minimizer_options){.tolerance = 1e-12, .iterations = 5000});
    to->length[i] = wg_item(wg_norm(w, 2));
    to->train[i] = wg_item(wg_bce_with_logits(wg_linear_model_logits(&model, X), y));
    to->test[i] = wg_item(wg_bce_with_logits(wg_linear_model_logits(&model, Xtest), ytest));
    to->accuracy[i] = wg_linear_model_score(&model, Xtest, ytest);
    printf("%7g  %7.3f  %10.4f  %9.4f  %13.4f\n", to->C[i], to->length[i], to->train[i],
           to->test[i], to->accuracy[i]);
}

static bool draw(const picture_arguments *a, const path *of)
{
    char title[PICTURE_TITLE];
    svg_plot p = {
        .title = picture_title(a, "L2 penalty, loss of training and test rows", title),
        .x = {.label = "C (strong penalty to weak)", of->C[0] / 2, of->C[COUNT - 1] * 2, true},
        .y = {.label = "mean log loss", .from = -0.02, .to = 1},
        .legend = SVG_BESIDE,
        .width = 820};
    if (!picture_open(&p, a->svg))
        return false;
    svg_line(&p, 0, "training", of->C, of->train, COUNT);
    svg_points(&p, 0, NULL, of->C, of->train, COUNT, 3.5);
    svg_line(&p, 1, "test", of->C, of->test, COUNT);
    svg_points(&p, 1, NULL, of->C, of->test, COUNT, 3.5);
    return picture_close(&p);
}

int main(int argc, char **argv)
{
    picture_arguments a = {.data = "examples/data/breast_cancer.csv"};
    int usage = picture_arguments_read(&a, argc, argv);
    if (usage >= 0)
        return usage;
    wg_tape *t = wg_tape_new(NULL);
    wg_table *data = wg_csv_read(t, a.data, NULL);
    wg_tensor *X = wg_table_features(data), *y = wg_table_labels(data);
    wg_train_test rows = wg_train_test_split(
        t, data->rows, &(wg_train_test_options){.test = 0.5, .stratify = wg_table_classes(data)});
    const wg_pipeline_step steps[] = {
        {.kind = WG_STEP_STANDARDIZE}, {.kind = WG_STEP_POLYNOMIAL}, {.kind = WG_STEP_STANDARDIZE}};
    wg_tensor *Xtrain = wg_gather_rows(X, rows.train), *Xtest = wg_gather_rows(X, rows.test);
    wg_tensor *ytrain = wg_gather_rows(y, rows.train), *ytest = wg_gather_rows(y, rows.test);
    wg_pipeline *features = wg_pipeline_fit(Xtrain, NULL, 0,
                                            &(wg_pipeline_options){.steps = steps, .n_steps = 3});
    Xtrain = wg_pipeline_apply(features, Xtrain, NULL);
    Xtest = wg_pipeline_apply(features, Xtest, NULL);

    wg_tensor *w = wg_param(t, "w", WG_F64, WG_SHAPE(1, wg_dim(Xtrain, 1)));
    wg_tensor *b = wg_param(t, "b", WG_F64, WG_SHAPE(1));
    path of;
    if (wg_tape_status(t) != WG_OK)
        return picture_end(t, false);
    printf("      C   length  train loss  test loss  test accuracy\n");
    for (int i = 0; i < COUNT; i++) {
        of.C[i] = pow(10, i - 5);
        fit(&of, i, Xtrain, ytrain, Xtest, ytest, w, b);
    }

    bool drawn = wg_tape_status(t) == WG_OK && (a.svg == NULL || draw(&a, &of));
    return picture_end(t, drawn);
}
