/* Wengert's main job on three data sets: logistic regression on breast_cancer.csv, softmax regression on
 * iris.csv and digits.csv. For each one: read, split (stratified, 20 % for testing), standardize on the
 * training rows, record the model, check its gradient three ways at random weights, train, and score.
 *
 * Run as build/demo [DIRECTORY OF THE DATA]. For iris.csv it prints:
 *
 *     iris.csv: softmax regression, 120 training rows, 30 test rows, 4 features, 3 classes
 *       gradient       autodiff        closed form finite differences
 *       W[0  ]  0.295801295925725   0.295801295925725   0.295801295925778
 *       W[3  ]  0.361356652002473   0.361356652002472   0.361356652002524
 *       W[6  ] -0.093178000504174  -0.093178000504174  -0.093178000504198
 *       W[9  ]  0.094254917519535   0.094254917519535   0.094254917519567
 *       b[0  ]  0.002405461212261   0.002405461212261   0.002405461212246
 *       largest difference of 15 entries: closed form 1.1e-16, finite differences 9.5e-14
 *       step   0  loss 1.0986
 *       step  40  loss 0.2636
 *       step  80  loss 0.1951
 *       step 120  loss 0.1605
 *       step 160  loss 0.1396
 *       step 200  loss 0.1256
 *       accuracy: train 0.9667, test 0.9667
 */
#include <inttypes.h>
#include <stdio.h>
#include <wengert.h>

#include "support/three_ways.h"

static void train(job *j, int steps, double rate)
{
    wg_optimizer *sgd = wg_sgd_new(j->param, 2, &(wg_sgd_options){.rate = rate});
    wg_tensor *outputs[] = {j->loss, j->gradient[0], j->gradient[1]};
    for (int step = 0; step <= steps; step++) {
        wg_replay_to(outputs, 3);
        if (step % (steps / 5) == 0)
            printf("  step %3d  loss %.4f\n", step, wg_item(j->loss));
        if (step < steps)
            wg_optimizer_step(sgd, j->gradient);
    }
}

/* Records the model, has it checked and trained, and prints its accuracies. */
static void run(job *j, bool logistic, wg_tensor *y, wg_tensor *Xtest, wg_tensor *ytest, int64_t k)
{
    wg_linear_model m = logistic ? wg_logistic_new(j->X, y, NULL)
                                 : wg_softmax_regression_new(j->X, y, k, NULL);
    *j = (job){j->X, j->classes, {m.W, m.b}, m.loss, {NULL, NULL}};
    wg_grad(j->loss, j->param, 2, j->gradient);
    for (int p = 0; p < 2; p++)
        wg_fill_normal(j->param[p], 0, 0.1, (uint64_t)p);
    wg_replay_to(&j->loss, 1);
    check_three_ways(j);
    for (int p = 0; p < 2; p++)
        wg_fill_uniform(j->param[p], 0, 0, 0); /* zeros */
    train(j, 200, 0.5);
    printf("  accuracy: train %.4f, test %.4f\n\n", wg_linear_model_score(&m, j->X, y),
           wg_linear_model_score(&m, Xtest, ytest));
}

static wg_status demonstrate(const char *directory, const char *name, bool logistic)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    wg_tape *t = wg_tape_new(NULL);
    wg_table *data = wg_csv_read(t, path, NULL);
    int64_t k = data->class_count;
    wg_tensor *X = wg_table_features(data), *classes = wg_table_classes(data);
    wg_tensor *y = logistic ? wg_table_labels(data) : classes;
    wg_train_test rows = wg_train_test_split(
        t, data->rows, &(wg_train_test_options){.test = 0.2, .stratify = classes});
    wg_tensor *Xtrain = wg_gather_rows(X, rows.train), *Xtest = wg_gather_rows(X, rows.test);
    wg_scaler *scaler = wg_scaler_fit(Xtrain);
    job j = {.X = wg_scaler_apply(scaler, Xtrain), .classes = wg_gather_rows(classes, rows.train)};
    if (wg_tape_status(t) == WG_OK) {
        printf("%s: %s regression, %" PRId64 " training rows, %" PRId64 " test rows, %" PRId64
               " features, %" PRId64 " classes\n",
               name, logistic ? "logistic" : "softmax", wg_size(rows.train), wg_size(rows.test),
               data->columns, k);
        run(&j, logistic, wg_gather_rows(y, rows.train), wg_scaler_apply(scaler, Xtest),
            wg_gather_rows(y, rows.test), k);
    }
    wg_status status = wg_tape_status(t);
    if (status != WG_OK)
        fprintf(stderr, "%s\n", wg_tape_message(t));
    wg_tape_free(t);
    return status;
}

int main(int argc, char **argv)
{
    const char *directory = argc > 1 ? argv[1] : "examples/data";
    wg_status status = demonstrate(directory, "breast_cancer.csv", true);
    if (status == WG_OK)
        status = demonstrate(directory, "iris.csv", false);
    if (status == WG_OK)
        status = demonstrate(directory, "digits.csv", false);
    return status == WG_OK ? 0 : 1;
}
