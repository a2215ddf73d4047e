/* Softmax regression on the digits by mini-batches of 100 rows, in f32. 1437 training rows make 14 full
 * batches and one of 37 rows, which has a graph of its own on the same parameters.
 *
 * Run as build/minibatch_sgd [FILE]. Prints:
 *
 *     epoch  5  mean loss 0.3782
 *     epoch 10  mean loss 0.2498
 *     epoch 15  mean loss 0.2021
 *     epoch 20  mean loss 0.1755
 *     train accuracy 0.9701  test accuracy 0.9583
 */
#include <stdio.h>
#include <wengert.h>

/* The loss of a batch, by the parameters of the model of all rows. */
static wg_tensor *loss_of(wg_tensor *const batch[], void *user)
{
    const wg_linear_model *all = user;
    wg_linear_model_options o = {.C = 1, .n = wg_dim(all->X, 0), .W = all->W, .b = all->b};
    return wg_softmax_regression_new(batch[0], batch[1], wg_dim(all->b, 0), &o).loss;
}

static void train(wg_batches *batches, wg_optimizer *sgd, int epochs)
{
    for (int epoch = 1; epoch <= epochs; epoch++) {
        int64_t rows, seen = 0;
        double sum = 0;
        for (wg_batches_start(batches, epoch); (rows = wg_batches_next(batches)) > 0;) {
            sum += wg_item(wg_batches_loss(batches)) * (double)rows;
            seen += rows;
            wg_optimizer_step(sgd, wg_batches_grads(batches));
        }
        if (epoch % 5 == 0)
            printf("epoch %2d  mean loss %.4f\n", epoch, sum / (double)seen);
    }
}

int main(int argc, char **argv)
{
    const char *file = argc > 1 ? argv[1] : "examples/data/digits.csv";
    wg_tape *t = wg_tape_new(NULL);
    wg_table *data = wg_csv_read(t, file, &(wg_csv_options){.f32 = true});
    wg_tensor *X = wg_table_features(data), *y = wg_table_classes(data);
    wg_train_test rows = wg_train_test_split(t, data->rows,
                                             &(wg_train_test_options){.test = 0.2, .stratify = y});
    wg_tensor *Xtrain = wg_gather_rows(X, rows.train), *ytrain = wg_gather_rows(y, rows.train);
    wg_scaler *scaler = wg_scaler_fit(Xtrain);
    Xtrain = wg_scaler_apply(scaler, Xtrain);

    wg_linear_model model = wg_softmax_regression_new(Xtrain, ytrain, data->class_count, NULL);
    wg_tensor *params[] = {model.W, model.b};
    wg_batches_options options = {
        .size = 100, .seed = 1, .loss = loss_of, .params = params, .n_params = 2, .user = &model};
    train(wg_batches_new((wg_tensor *[]){Xtrain, ytrain}, 2, &options),
          wg_sgd_new(params, 2, &(wg_sgd_options){.rate = 0.1}), 20);

    wg_tensor *Xtest = wg_scaler_apply(scaler, wg_gather_rows(X, rows.test));
    wg_tensor *ytest = wg_gather_rows(y, rows.test);
    printf("train accuracy %.4f  test accuracy %.4f\n",
           wg_linear_model_score(&model, Xtrain, ytrain),
           wg_linear_model_score(&model, Xtest, ytest));

    wg_status status = wg_tape_status(t);
    if (status != WG_OK)
        fprintf(stderr, "%s\n", wg_tape_message(t));
    wg_tape_free(t);
    return status == WG_OK ? 0 : 1;
}
