/* An MLP 64-64-64-10 on the digits, with a stratified fifth of the rows for testing: five splits, and the mean
 * of their test accuracies.
 *
 * Run as build/digits_mlp [FILE [SPLITS]]. Prints:
 *
 *     split  0  test accuracy 0.9917
 *     split  1  test accuracy 0.9806
 *     split  2  test accuracy 0.9806
 *     split  3  test accuracy 0.9833
 *     split  4  test accuracy 0.9750
 *     mean      test accuracy 0.9822
 */
#include <stdio.h>
#include <stdlib.h>
#include <wengert.h>

/* The test accuracy on one split; NaN after an error. */
static double run(const char *file, uint64_t seed)
{
    wg_tape *t = wg_tape_new(&(wg_tape_options){.seed = seed});
    wg_table *data = wg_csv_read(t, file, &(wg_csv_options){.f32 = true});
    wg_tensor *X = wg_table_features(data), *y = wg_table_classes(data);
    wg_train_test rows = wg_train_test_split(
        t, data->rows, &(wg_train_test_options){.test = 0.2, .seed = seed, .stratify = y});
    wg_tensor *X_test = wg_gather_rows(X, rows.test), *y_test = wg_gather_rows(y, rows.test);
    wg_estimator *mlp = wg_estimator_fit(
        &(wg_dataset){.X = wg_gather_rows(X, rows.train), .y = wg_gather_rows(y, rows.train)},
        &(wg_estimator_options){.model = "mlp",
                                .hidden = (const int64_t[]){64, 64},
                                .n_hidden = 2,
                                .optimizer = "adam",
                                .rate = 0.002,
                                .seed = seed,
                                .fit = {.epochs = 60, .batch = 64}});
    double accuracy = wg_estimator_score(mlp, &(wg_dataset){.X = X_test, .y = y_test});
    if (wg_tape_status(t) != WG_OK)
        fprintf(stderr, "%s\n", wg_tape_message(t));
    wg_tape_free(t);
    return accuracy;
}

int main(int argc, char **argv)
{
    const char *file = argc > 1 ? argv[1] : "examples/data/digits.csv";
    int splits = argc > 2 ? atoi(argv[2]) : 5;
    if (splits < 1) {
        fprintf(stderr, "usage: digits_mlp [FILE [SPLITS]]\n");
        return 2;
    }
    double sum = 0;
    for (int i = 0; i < splits; i++) {
        double accuracy = run(file, (uint64_t)i);
        printf("split %2d  test accuracy %.4f\n", i, accuracy);
        sum += accuracy;
    }
    printf("mean      test accuracy %.4f\n", sum / splits);
    return sum == sum ? 0 : 1; /* NaN: an error */
}
