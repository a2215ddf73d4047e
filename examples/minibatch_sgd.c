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

/* A model on one batch, and its gradient. */
typedef struct graph {
    wg_linear_model model;
    wg_tensor *gradient[2];
} graph;

static graph record(wg_tensor *X, wg_tensor *y, int64_t classes, int64_t n, wg_tensor *W,
                    wg_tensor *b)
{
    graph g;
    g.model = wg_softmax_regression_new(X, y, classes,
                                        &(wg_linear_model_options){.C = 1, .n = n, .W = W, .b = b});
    wg_grad(g.model.loss, (wg_tensor *[]){g.model.W, g.model.b}, 2, g.gradient);
    return g;
}

static void train(wg_batches *batches, const graph *full, const graph *last, int epochs)
{
    wg_tensor *wrt[] = {full->model.W, full->model.b};
    wg_optimizer *sgd = wg_sgd_new(wrt, 2, &(wg_sgd_options){.rate = 0.1});
    for (int epoch = 1; epoch <= epochs; epoch++) {
        int64_t rows, seen = 0;
        double sum = 0;
        for (wg_batches_start(batches, epoch); (rows = wg_batches_next(batches)) > 0;) {
            const graph *used = rows == wg_dim(full->model.X, 0) ? full : last;
            wg_tensor *outputs[] = {used->model.loss, used->gradient[0], used->gradient[1]};
            wg_replay_to(outputs, 3);
            sum += wg_item(used->model.loss) * (double)rows;
            seen += rows;
            wg_optimizer_step(sgd, used->gradient);
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

    wg_batches *batches = wg_batches_new((wg_tensor *[]){Xtrain, ytrain}, 2,
                                         &(wg_batches_options){.size = 100, .seed = 1});
    int64_t k = data->class_count, n = wg_dim(Xtrain, 0);
    graph full = record(wg_batches_input(batches, 0), wg_batches_input(batches, 1), k, n, NULL,
                        NULL);
    graph last = full;
    if (wg_batches_short_input(batches, 0) != NULL)
        last = record(wg_batches_short_input(batches, 0), wg_batches_short_input(batches, 1), k, n,
                      full.model.W, full.model.b);
    train(batches, &full, &last, 20);

    wg_tensor *Xtest = wg_scaler_apply(scaler, wg_gather_rows(X, rows.test));
    wg_tensor *ytest = wg_gather_rows(y, rows.test);
    printf("train accuracy %.4f  test accuracy %.4f\n",
           wg_linear_model_score(&full.model, Xtrain, ytrain),
           wg_linear_model_score(&full.model, Xtest, ytest));

    wg_status status = wg_tape_status(t);
    if (status != WG_OK)
        fprintf(stderr, "%s\n", wg_tape_message(t));
    wg_tape_free(t);
    return status == WG_OK ? 0 : 1;
}
