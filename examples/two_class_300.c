/* Logistic regression on 300 points of two classes that overlap: 500 steps of plain gradient descent.
 *
 * Run as build/two_class_300 [FILE]. Prints:
 *
 *     step   0  loss 0.6931  accuracy 0.5000
 *     step 100  loss 0.2415  accuracy 0.9267
 *     step 200  loss 0.2068  accuracy 0.9233
 *     step 300  loss 0.1946  accuracy 0.9233
 *     step 400  loss 0.1886  accuracy 0.9233
 *     w = (0.34224863, 3.17089155)  b = -0.11621907
 *     accuracy 0.9233
 */
#include <stdio.h>
#include <wengert.h>

int main(int argc, char **argv)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_table *data = wg_csv_read(t, argc > 1 ? argv[1] : "examples/data/two_class_300.csv", NULL);
    wg_tensor *X = wg_table_features(data), *y = wg_table_labels(data);
    wg_linear_model model = wg_logistic_new(X, y, NULL);

    wg_tensor *wrt[] = {model.W, model.b}, *g[2];
    wg_grad(model.loss, wrt, 2, g);
    wg_optimizer *sgd = wg_sgd_new(wrt, 2, &(wg_sgd_options){.rate = 0.1});
    for (int step = 0; step < 500; step++) {
        if (step % 100 == 0)
            printf("step %3d  loss %.4f  accuracy %.4f\n", step, wg_item(model.loss),
                   wg_linear_model_score(&model, X, y));
        wg_optimizer_step(sgd, g);
        wg_replay(t);
    }
    printf("w = (%.8f, %.8f)  b = %.8f\n", wg_at(model.W, 0), wg_at(model.W, 1), wg_item(model.b));
    printf("accuracy %.4f\n", wg_linear_model_score(&model, X, y));

    wg_status status = wg_tape_status(t);
    if (status != WG_OK)
        fprintf(stderr, "%s\n", wg_tape_message(t));
    wg_tape_free(t);
    return status == WG_OK ? 0 : 1;
}
