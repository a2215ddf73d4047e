/* Logistic regression on 1000 points that a line separates, by plain gradient descent from zero weights.
 * The points are numpy.random.seed(0); X = randn(1000, 2), labelled 1 where 2 x1 - 3 x2 + 0.5 > 0.
 *
 * Run as build/linear_1000 [FILE]. Prints:
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
 */
#include <stdio.h>
#include <wengert.h>

int main(int argc, char **argv)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_table *data = wg_csv_read(t, argc > 1 ? argv[1] : "examples/data/linear_1000.csv", NULL);
    wg_linear_model model = wg_logistic_new(wg_table_features(data), wg_table_labels(data), NULL);

    wg_tensor *wrt[] = {model.W, model.b}, *g[2];
    wg_grad(model.loss, wrt, 2, g);
    wg_optimizer *sgd = wg_sgd_new(wrt, 2, &(wg_sgd_options){.rate = 0.1});
    for (int epoch = 0; epoch < 100; epoch++) {
        if (epoch % 10 == 0)
            printf("epoch %3d  loss %.4f\n", epoch, wg_item(model.loss));
        wg_optimizer_step(sgd, g);
        wg_replay(t);
    }
    printf("w = (%.8f, %.8f)  b = %.8f\n", wg_at(model.W, 0), wg_at(model.W, 1), wg_item(model.b));

    wg_status status = wg_tape_status(t);
    if (status != WG_OK)
        fprintf(stderr, "%s\n", wg_tape_message(t));
    wg_tape_free(t);
    return status == WG_OK ? 0 : 1;
}
