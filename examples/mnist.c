/* MNIST, or anything else that comes as IDX files: an MLP, or softmax regression where there are no hidden
 * units, in f32 with mini-batches and AdamW. The files are not part of this tree.
 *
 *     build/mnist [--hidden N] [--epochs N] TRAIN_IMAGES TRAIN_LABELS TEST_IMAGES TEST_LABELS
 *
 * Without files it prints its usage and exits with 2. Else it prints a line an epoch. For want of MNIST here,
 * this is what it says of digits.csv written as such files: rows 1 to 1500 to train on, 297 to test, 8 x 8 pixels
 * times 16, at most 255:
 *
 *     $ build/mnist train-images train-labels test-images test-labels
 *     epoch  1  mean loss 2.1734  test accuracy 0.7138
 *     epoch  2  mean loss 1.8052  test accuracy 0.8013
 *     epoch  3  mean loss 1.3463  test accuracy 0.8148
 *     epoch  4  mean loss 0.9341  test accuracy 0.8350
 *     epoch  5  mean loss 0.6610  test accuracy 0.8384
 */
#include <stdio.h>
#include <wengert.h>

#include "support/options.h"

/* Pixels are bytes. An image is a row of them. */
static wg_tensor *logits(const wg_mlp *mlp, wg_tensor *images, bool training)
{
    int64_t n = wg_dim(images, 0);
    wg_tensor *rows = wg_reshape(images, WG_SHAPE(n, n > 0 ? wg_size(images) / n : 0));
    return wg_mlp_forward(mlp, wg_scale(rows, 1.0 / 255), training);
}

/* ---- Training ----------------------------------------------------------------------------------------------- */

static wg_tensor *loss_of(wg_tensor *const batch[], void *mlp)
{
    return wg_cross_entropy(logits(mlp, batch[0], true), batch[1]);
}

/* Returns the mean loss of the epoch. */
static double train(wg_batches *batches, wg_optimizer *optimizer, int64_t epoch)
{
    double sum = 0;
    int64_t rows, seen = 0;
    for (wg_batches_start(batches, epoch); (rows = wg_batches_next(batches)) > 0; seen += rows) {
        sum += wg_item(wg_batches_loss(batches)) * (double)rows;
        wg_optimizer_step(optimizer, wg_batches_grads(batches));
    }
    return sum / (double)seen;
}

static double test(wg_tape *t, const wg_mlp *mlp, wg_tensor *images, wg_tensor *labels)
{
    wg_mark mark = wg_tape_mark(t);
    double accuracy = wg_accuracy(wg_argmax_over(logits(mlp, images, false), 1, false), labels);
    if (wg_tape_status(t) == WG_OK)
        wg_tape_rewind(t, mark);
    return accuracy;
}

/* ---- The program -------------------------------------------------------------------------------------------- */

int main(int argc, char **argv)
{
    int64_t hidden = 128, epochs = 5;
    const option options[] = {{"--hidden", "N", OPTION_WHOLE, &hidden, 0, 65536,
                               "units, default 128; 0: softmax regression"},
                              {"--epochs", "N", OPTION_WHOLE, &epochs, 1, 1000, "default 5"}};
    const command c = {"TRAIN_IMAGES TRAIN_LABELS TEST_IMAGES TEST_LABELS",
                       "Trains on IDX files, of MNIST or others.", options, 2};
    const char *file[4];
    int usage = options_read(&c, argc, argv, file);
    if (usage >= 0)
        return usage;
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *X = wg_idx_read(t, file[0], WG_F32), *y = wg_idx_read(t, file[1], WG_I64);
    wg_tensor *Xtest = wg_idx_read(t, file[2], WG_F32);
    wg_tensor *ytest = wg_idx_read(t, file[3], WG_I64);
    int64_t rows = wg_dim(X, 0), pixels = rows > 0 ? wg_size(X) / rows : 0;
    int64_t sizes[] = {pixels, hidden > 0 ? hidden : 10, 10};
    wg_mlp *mlp = wg_mlp_new(
        t, &(wg_mlp_options){.sizes = sizes, .n_sizes = hidden > 0 ? 3 : 2, .dtype = WG_F32});
    wg_batches_options batch = {.size = 64,
                                .loss = loss_of,
                                .params = mlp->params->param,
                                .n_params = mlp->params->n,
                                .user = mlp};
    wg_batches *batches = wg_batches_new((wg_tensor *[]){X, y}, 2, &batch);
    wg_optimizer *adam = wg_adamw_new(mlp->params->param, mlp->params->n, NULL);
    for (int64_t epoch = 1; epoch <= epochs && wg_tape_status(t) == WG_OK; epoch++) {
        double loss = train(batches, adam, epoch);
        printf("epoch %2d  mean loss %.4f  test accuracy %.4f\n", (int)epoch, loss,
               test(t, mlp, Xtest, ytest));
    }

    wg_status status = wg_tape_status(t);
    if (status != WG_OK)
        fprintf(stderr, "%s\n", wg_tape_message(t));
    wg_tape_free(t);
    return status == WG_OK ? 0 : 1;
}
