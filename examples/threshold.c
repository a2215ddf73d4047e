/* Precision and recall as the threshold moves: a tumour counts as malignant where its probability is at least
 * the threshold. Of the 30 measurements of breast_cancer the first two alone, mean radius and mean texture,
 * are given to a logistic regression, so that there is something to choose; a quarter of the rows is the test.
 *
 *     build/threshold [--svg FILE] [DATA]
 *
 * prints
 *
 *     threshold  precision  recall
 *        0.1     0.6375  0.9623
 *        0.2     0.6892  0.9623
 *        0.3     0.7541  0.8679
 *        0.4     0.7857  0.8302
 *        0.5     0.8235  0.7925
 *        0.6     0.8913  0.7736
 *        0.7     0.9512  0.7358
 *        0.8     0.9730  0.6792
 *        0.9     1.0000  0.5849
 *     best F1 0.8454 at threshold 0.6387: precision 0.9318, recall 0.7736
 *     average precision 0.9294, area under the ROC curve 0.9440
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

/* Precision and recall at the lowest threshold of the curve that is not below `threshold`. */
static void print_at(const wg_precision_recall *curve, double threshold)
{
    int64_t i = 0;
    while (i < wg_size(curve->threshold) && wg_at(curve->threshold, i) < threshold)
        i++;
    printf("   %.1f     %.4f  %.4f\n", threshold, wg_at(curve->precision, i),
           wg_at(curve->recall, i));
}

static bool draw(const picture_arguments *a, wg_tape *t, const wg_precision_recall *curve,
                 const wg_best_threshold *best)
{
    char title[PICTURE_TITLE];
    svg_plot p = {.title = picture_title(a, "Precision and recall of the test rows", title),
                  .x = {.label = "threshold", .from = 0, .to = 1},
                  .y = {.label = "share", .from = 0, .to = 1.02},
                  .legend = SVG_BESIDE,
                  .width = 820};
    const double *at = wg_data_f64(curve->threshold), *precision = wg_data_f64(curve->precision);
    const double *recall = wg_data_f64(curve->recall);
    int n = (int)wg_size(curve->threshold);
    double *f1 = wg_tape_take(t, (size_t)n * sizeof *f1);
    if (f1 == NULL || !picture_open(&p, a->svg))
        return false;
    for (int i = 0; i < n; i++)
        f1[i] = 2 * precision[i] * recall[i] / (precision[i] + recall[i]);
    svg_line(&p, 0, "precision", at, precision, n);
    svg_line(&p, 1, "recall", at, recall, n);
    svg_line(&p, 2, "F1", at, f1, n);
    svg_points(&p, 7, "best F1", &best->threshold, &best->f1, 1, 5);
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
    wg_tensor *X = wg_slice(wg_table_features(data), 1, 0, 2);
    wg_tensor *y = wg_shift(wg_neg(wg_table_labels(data)), 1); /* 1: malignant */
    wg_train_test rows = wg_train_test_split(
        t, data->rows, &(wg_train_test_options){.stratify = wg_table_classes(data)});
    wg_scaler *scaler = wg_scaler_fit(wg_gather_rows(X, rows.train));
    wg_linear_model model = wg_logistic_new(wg_scaler_apply(scaler, wg_gather_rows(X, rows.train)),
                                            wg_gather_rows(y, rows.train),
                                            &(wg_linear_model_options){.C = 1});
    train(&model, 500);

    wg_tensor *Xtest = wg_scaler_apply(scaler, wg_gather_rows(X, rows.test));
    wg_tensor *p = wg_sigmoid(wg_linear_model_logits(&model, Xtest)),
              *truth = wg_gather_rows(y, rows.test);
    wg_precision_recall curve = wg_precision_recall_curve(p, truth);
    wg_best_threshold best = wg_best_f1(p, truth);
    if (wg_tape_status(t) != WG_OK)
        return picture_end(t, false);
    printf("threshold  precision  recall\n");
    for (int i = 1; i < 10; i++)
        print_at(&curve, 0.1 * i);
    printf("best F1 %.4f at threshold %.4f: precision %.4f, recall %.4f\n", best.f1, best.threshold,
           best.precision, best.recall);
    printf("average precision %.4f, area under the ROC curve %.4f\n",
           wg_average_precision(p, truth), wg_roc_auc(p, truth));

    bool drawn = wg_tape_status(t) == WG_OK && (a.svg == NULL || draw(&a, t, &curve, &best));
    return picture_end(t, drawn);
}
