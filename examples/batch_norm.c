/* Batch normalization as a recipe from ops (Ioffe, Szegedy 2015): the gradient goes through the batch's mean
 * and variance like through anything else, and the running statistics are leaves that the loop updates.
 *
 * Run as build/batch_norm. Prints:
 *
 *     input              entries     agree      kink unresolved  disagree evaluations  verdict
 *     W                       32        32         0          0         0         129  passed
 *     gain                     8         8         0          0         0          33  passed
 *     shift                    8         8         0          0         0          33  passed
 *     V                       24        24         0          0         0          97  passed
 *     gradient check passed: 4 of 4 inputs passed
 *     step   0  loss 1.7960
 *     step  50  loss 0.1691
 *     step 100  loss 0.0776
 *     step 150  loss 0.0573
 *     step 200  loss 0.0500
 *     accuracy with running statistics 0.9800
 */
#include <math.h>
#include <stdio.h>
#include <wengert.h>

enum { ROWS = 150, FEATURES = 4, HIDDEN = 8, CLASSES = 3 };
static const double epsilon = 1e-5;

/* (z - mean) / sqrt(variance + epsilon) * gain + shift, with mean and variance (1, HIDDEN) */
static wg_tensor *normalize(wg_tensor *z, wg_tensor *mean, wg_tensor *variance, wg_tensor *gain,
                            wg_tensor *shift)
{
    wg_tensor *centered = wg_sub(z, mean);
    wg_tensor *unit = wg_mul(centered, wg_rsqrt(wg_shift(variance, epsilon)));
    return wg_add(wg_mul(unit, gain), shift);
}

/* What prediction normalizes with follows the batches: running <- 0.9 running + 0.1 batch. */
static void follow(wg_tensor *running, const wg_tensor *batch)
{
    const double *from = wg_data_f64(batch);
    double *to = wg_edit(running);
    for (int j = 0; j < HIDDEN && from != NULL && to != NULL; j++)
        to[j] = 0.9 * to[j] + 0.1 * from[j];
}

int main(void)
{
    wg_tape *t = wg_tape_new(&(wg_tape_options){.seed = 7});
    wg_table *data = wg_csv_read(t, "examples/data/iris.csv", NULL);
    wg_tensor *X = wg_table_features(data), *y = wg_table_classes(data);
    wg_tensor *W = wg_param(t, "W", WG_F64, WG_SHAPE(FEATURES, HIDDEN));
    wg_tensor *gain = wg_param(t, "gain", WG_F64, WG_SHAPE(HIDDEN));
    wg_tensor *shift = wg_param(t, "shift", WG_F64, WG_SHAPE(HIDDEN));
    wg_tensor *V = wg_param(t, "V", WG_F64, WG_SHAPE(HIDDEN, CLASSES));
    wg_tensor *mean_run = wg_param(t, "running mean", WG_F64, WG_SHAPE(1, HIDDEN));
    wg_tensor *var_run = wg_param(t, "running variance", WG_F64, WG_SHAPE(1, HIDDEN));
    wg_fill_normal(W, 0, 0.5, 1);
    wg_fill_normal(V, 0, 0.5, 2);
    wg_fill_uniform(gain, 1, 1, 0);
    wg_fill_uniform(var_run, 1, 1, 0);

    wg_tensor *z = wg_matmul(X, W); /* no bias: the mean would take it away */
    wg_tensor *mean = wg_mean_over(z, WG_AXES(0), true);
    wg_tensor *variance = wg_var_over(z, 0, WG_AXES(0), true);
    wg_tensor *h = wg_tanh(normalize(z, mean, variance, gain, shift));
    wg_tensor *loss = wg_cross_entropy(wg_matmul(h, V), y);

    wg_tensor *params[] = {W, gain, shift, V}, *g[4];
    wg_grad(loss, params, 4, g);
    wg_gradcheck_print(stdout, loss, params, g, 4, NULL);
    wg_optimizer *adam = wg_adam_new(params, 4, &(wg_adam_options){.rate = 0.02});
    for (int step = 0; step <= 200; step++) {
        if (step % 50 == 0)
            printf("step %3d  loss %.4f\n", step, wg_item(loss));
        follow(mean_run, mean);
        follow(var_run, variance);
        wg_optimizer_step(adam, g);
        wg_replay(t);
    }

    wg_tensor *hidden = wg_tanh(normalize(z, mean_run, var_run, gain, shift));
    wg_tensor *predicted = wg_argmax_over(wg_matmul(hidden, V), 1, false);
    printf("accuracy with running statistics %.4f\n", wg_accuracy(predicted, y));
    if (wg_tape_status(t) != WG_OK)
        fprintf(stderr, "%s\n", wg_tape_message(t));
    int failed = wg_tape_status(t) != WG_OK;
    wg_tape_free(t);
    return failed;
}
