/* The smallest example: five points by hand, a penalty-free logistic regression, and the tape itself.
 *
 * Run as build/toy_5 [FILE]. Prints:
 *
 *     step  0  loss 0.6931
 *     step 20  loss 0.5222
 *     step 40  loss 0.4892
 *     step 60  loss 0.4786
 *     step 80  loss 0.4744
 *
 * and then the recorded computation, one line a node: the forward part, and behind it the gradient.
 */
#include <stdio.h>
#include <wengert.h>

int main(int argc, char **argv)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_table *data = wg_csv_read(t, argc > 1 ? argv[1] : "examples/data/toy_5.csv", NULL);
    wg_tensor *X = wg_rename(wg_table_features(data), "X");
    wg_tensor *y = wg_rename(wg_table_labels(data), "y");
    wg_linear_model model = wg_logistic_new(X, y, NULL);

    wg_tensor *wrt[] = {model.W, model.b}, *g[2];
    wg_grad(model.loss, wrt, 2, g);
    wg_optimizer *sgd = wg_sgd_new(wrt, 2, &(wg_sgd_options){.rate = 0.1});
    for (int step = 0; step < 100; step++) {
        if (step % 20 == 0)
            printf("step %2d  loss %.4f\n", step, wg_item(model.loss));
        wg_optimizer_step(sgd, g);
        wg_replay(t);
    }
    printf("\n");
    wg_tape_print(stdout, t);

    wg_status status = wg_tape_status(t);
    if (status != WG_OK)
        fprintf(stderr, "%s\n", wg_tape_message(t));
    wg_tape_free(t);
    return status == WG_OK ? 0 : 1;
}
