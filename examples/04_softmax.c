/* Softmax regression: three species of iris. The model by hand from ops, its gradient checked,
 * gradient descent, then the same minimum by L-BFGS, and what the model gets right.
 *
 * Run as build/04_softmax. Prints the check, and
 *
 *     step   0  loss 1.097554
 *     step  50  loss 0.274748
 *     step 100  loss 0.234774
 *     step 150  loss 0.220797
 *     step 200  loss 0.214958
 *     L-BFGS    loss 0.209192 after 23 iterations more: the gradient is as small as was asked for
 *     row  50: versicolor is taken for versicolor, with probability 0.865
 *     row  80: versicolor is taken for versicolor, with probability 0.953
 *     row 110: virginica is taken for virginica, with probability 0.818
 *     row 140: virginica is taken for virginica, with probability 0.985
 *     accuracy 0.9733
 */
#include <stdio.h>
#include <wengert.h>

enum { K = 3 };

int main(void)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_table *data = wg_csv_read(t, "examples/data/iris.csv", NULL);
    wg_tensor *X = wg_standardize(wg_table_features(data)); /* [150, 4] */
    wg_tensor *y = wg_table_classes(data);                  /* [150], i64: 0, 1, 2 */

    wg_tensor *W = wg_param(t, "W", WG_F64, WG_SHAPE(wg_dim(X, 1), K));
    wg_tensor *b = wg_param(t, "b", WG_F64, WG_SHAPE(K));
    wg_fill_normal(W, 0, 0.1, 1); /* at zeros the biases' gradient is 0: nothing to check */
    wg_tensor *Z = wg_add(wg_matmul(X, W), b); /* logits [150, 3] */
    wg_tensor *loss = wg_add(wg_cross_entropy(Z, y),
                             wg_scale(wg_sum(wg_square(W)), 1.0 / 300)); /* C = 1: 1 / 2n */

    wg_tensor *wrt[] = {W, b}, *g[2];
    wg_grad(loss, wrt, 2, g);
    wg_gradcheck_print(stdout, loss, wrt, g, 2, NULL);

    wg_optimizer *sgd = wg_sgd_new(wrt, 2, &(wg_sgd_options){.rate = 0.5});
    for (int step = 0; step <= 200; step++) {
        if (step % 50 == 0)
            printf("step %3d  loss %.6f\n", step, wg_item(loss));
        wg_optimizer_step(sgd, g);
        wg_replay(t);
    }
    wg_optimum o = wg_minimize(loss, wrt, 2, NULL);
    printf("L-BFGS    loss %.6f after %d iterations more: %s\n", o.value, (int)o.iterations,
           wg_stop_text(o.stop));

    wg_replay(t);
    wg_tensor *P = wg_softmax(Z, 1), *predicted = wg_argmax_over(Z, 1, false);
    for (int i = 50; i < 150; i += 30)
        printf("row %3d: %s is taken for %s, with probability %.3f\n", i,
               data->class_names[wg_data_i64(y)[i]], data->class_names[wg_data_i64(predicted)[i]],
               wg_at(P, K * i + wg_data_i64(predicted)[i]));
    printf("accuracy %.4f\n", wg_accuracy(predicted, y));

    int failed = wg_tape_status(t) != WG_OK;
    if (failed)
        fprintf(stderr, "%s\n", wg_tape_message(t));
    wg_tape_free(t);
    return failed;
}
