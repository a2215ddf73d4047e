/* Logistic regression in twenty lines: read, standardize, record, differentiate, check, train.
 *
 * Run as build/03_loop [FILE]. Prints a table that compares the gradient with finite differences,
 * and
 *
 *     step   0  loss 0.6931
 *     step  10  loss 0.2424
 *     ...
 *     step 100  loss 0.1027
 */
#include <stdio.h>
#include <wengert.h>

int main(int argc, char **argv)
{
    const char *file = argc > 1 ? argv[1] : "examples/data/breast_cancer.csv";
    wg_tape *t = wg_tape_new(NULL);
    wg_table *data = wg_csv_read(t, file, NULL);            /* header, label last */
    wg_tensor *X = wg_standardize(wg_table_features(data)); /* [n, d] */
    wg_tensor *y = wg_table_labels(data);                   /* [n, 1] */

    wg_tensor *w = wg_param(t, "w", WG_F64,
                            WG_SHAPE(wg_dim(X, 1), 1)); /* zeros, owned by the tape */
    wg_tensor *b = wg_param(t, "b", WG_F64, WG_SHAPE(1));
    wg_tensor *loss = wg_bce_with_logits(wg_add(wg_matmul(X, w), b), y);

    wg_tensor *wrt[] = {w, b}, *g[2];
    wg_grad(loss, wrt, 2, g);                          /* appends the gradient to the tape */
    wg_gradcheck_print(stdout, loss, wrt, g, 2, NULL); /* a table: differences against g */

    wg_optimizer *sgd = wg_sgd_new(wrt, 2, &(wg_sgd_options){.rate = 0.1});
    for (int step = 0; step <= 100; step++) {
        if (step % 10 == 0)
            printf("step %3d  loss %.4f\n", step, wg_item(loss));
        wg_optimizer_step(sgd, g); /* w -= rate * g */
        wg_replay(t);              /* new values everywhere, no allocation */
    }
    wg_status status = wg_tape_status(t); /* one check for all of the above */
    if (status != WG_OK)
        fprintf(stderr, "%s\n", wg_tape_message(t));
    wg_tape_free(t); /* frees everything above */
    return status == WG_OK ? 0 : 1;
}
