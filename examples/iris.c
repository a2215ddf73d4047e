/* Three species of iris by two ways: softmax regression, and one logistic regression a species against the
 * rest, both with C = 1 and at their minimum. The confusion matrices' rows are the true species.
 *
 *     build/iris [--svg FILE] [DATA]
 *
 * prints
 *
 *     softmax: objective 0.209192 after 36 iterations
 *     one-vs-rest: objectives 0.044901 0.500912 0.173104
 *
 *     softmax          setosa  versicolor   virginica
 *     setosa               50           0           0
 *     versicolor            0          47           3
 *     virginica             0           1          49
 *
 *     one-vs-rest      setosa  versicolor   virginica
 *     setosa               50           0           0
 *     versicolor            0          46           4
 *     virginica             0           4          46
 *
 *     accuracy: softmax 0.973333, one-vs-rest 0.946667
 */
#include <stdio.h>
#include <wengert.h>

#include "support/charts.h"
#include "support/picture.h"

enum { K = 3 };

static wg_tensor *softmax_predict(wg_tensor *X, wg_tensor *y)
{
    wg_linear_model model = wg_softmax_regression_new(X, y, K, &(wg_linear_model_options){.C = 1});
    wg_optimum o = wg_minimize(model.loss, (wg_tensor *[]){model.W, model.b}, 2, NULL);
    printf("softmax: objective %.6f after %d iterations\n", o.value, (int)o.iterations);
    return wg_linear_model_predict(&model, X);
}

/* The species whose model has the largest logit. */
static wg_tensor *one_vs_rest_predict(wg_tensor *X, wg_tensor *y)
{
    wg_tensor *is_species = wg_one_hot(y, K, WG_F64), *logits[K];
    printf("one-vs-rest: objectives");
    for (int k = 0; k < K; k++) {
        wg_linear_model model = wg_logistic_new(X, wg_slice(is_species, 1, k, k + 1),
                                                &(wg_linear_model_options){.C = 1});
        wg_tensor *params[] = {model.W, model.b};
        printf(" %.6f", wg_minimize(model.loss, params, 2, NULL).value);
        logits[k] = wg_linear_model_logits(&model, X);
    }
    printf("\n");
    return wg_argmax_over(wg_concat(logits, K, 1), 1, false);
}

static void print_matrix(const char *name, const wg_tensor *matrix, const wg_table *data)
{
    printf("\n%-11s", name);
    for (int j = 0; j < K; j++)
        printf("  %10s", data->class_names[j]);
    for (int i = 0; i < K; i++) {
        printf("\n%-11s", data->class_names[i]);
        for (int j = 0; j < K; j++)
            printf("  %10.0f", wg_at(matrix, K * i + j));
    }
    printf("\n");
}

static bool draw(const picture_arguments *a, const wg_table *data, const wg_tensor *softmax,
                 const wg_tensor *one_vs_rest)
{
    char title[PICTURE_TITLE];
    svg_plot p = {.title = picture_title(a, "Confusion matrices", title),
                  .x = {.label = "predicted", .from = -1, .to = 2 * K + 0.5, .bare = true},
                  .y = {.label = "true", .from = -0.2, .to = K + 0.4, .bare = true},
                  .width = 860};
    const char *names[K];
    for (int i = 0; i < K; i++)
        names[i] = data->class_names[i];
    if (!picture_open(&p, a->svg))
        return false;
    svg_text(&p, K / 2.0, K + 0.15, false, "softmax");
    svg_text(&p, K + 0.3 + K / 2.0, K + 0.15, false, "one-vs-rest");
    chart_matrix(&p, 0, softmax, names);
    chart_matrix(&p, K + 0.3, one_vs_rest, names);
    return picture_close(&p);
}

int main(int argc, char **argv)
{
    picture_arguments a = {.data = "examples/data/iris.csv"};
    int usage = picture_arguments_read(&a, argc, argv);
    if (usage >= 0)
        return usage;
    wg_tape *t = wg_tape_new(NULL);
    wg_table *data = wg_csv_read(t, a.data, NULL);
    wg_tensor *X = wg_standardize(wg_table_features(data)), *y = wg_table_classes(data);
    if (wg_tape_status(t) != WG_OK)
        return picture_end(t, false);
    wg_tensor *softmax = softmax_predict(X, y), *one_vs_rest = one_vs_rest_predict(X, y);
    wg_tensor *matrix = wg_confusion_matrix(softmax, y, K);
    wg_tensor *other = wg_confusion_matrix(one_vs_rest, y, K);
    print_matrix("softmax", matrix, data);
    print_matrix("one-vs-rest", other, data);
    printf("\naccuracy: softmax %.6f, one-vs-rest %.6f\n", wg_accuracy(softmax, y),
           wg_accuracy(one_vs_rest, y));

    bool drawn = wg_tape_status(t) == WG_OK && (a.svg == NULL || draw(&a, data, matrix, other));
    return picture_end(t, drawn);
}
