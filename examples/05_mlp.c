/* From softmax regression to an MLP: what a line cannot separate, a hidden layer can. Two half
 * moons, the same loop twice, without a hidden layer and with one of 16 units, in a compiled
 * program: a step allocates nothing.
 *
 * Run as build/05_mlp. Prints:
 *
 *     softmax regression
 *       step   0  loss 0.9298  accuracy 0.1875
 *       step 100  loss 0.3083  accuracy 0.8700
 *       step 200  loss 0.2971  accuracy 0.8725
 *       step 300  loss 0.2964  accuracy 0.8775
 *       step 400  loss 0.2963  accuracy 0.8775
 *     with a hidden layer
 *       step   0  loss 0.5577  accuracy 0.7425
 *       step 100  loss 0.1190  accuracy 0.9550
 *       step 200  loss 0.0871  accuracy 0.9675
 *       step 300  loss 0.0833  accuracy 0.9675
 *       step 400  loss 0.0807  accuracy 0.9700
 */
#include <stdio.h>
#include <wengert.h>

/* Trains a network with these sizes for some steps of Adam, and prints how it goes. */
static wg_status train(const int64_t *sizes, int n_sizes, int steps)
{
    wg_tape *t = wg_tape_new(&(wg_tape_options){.seed = 3});
    wg_table *data = wg_csv_read(t, "examples/data/moons_400.csv", NULL);
    wg_tensor *X = wg_standardize(wg_table_features(data)), *y = wg_table_classes(data);
    wg_mlp *mlp = wg_mlp_new(
        t, &(wg_mlp_options){
               .sizes = sizes, .n_sizes = n_sizes, .activation = "tanh", .dtype = WG_F64});
    wg_tensor *Z = wg_mlp_forward(mlp, X, true);

    int n = mlp->params->n;
    wg_tensor *outputs[8] = {wg_cross_entropy(Z, y)}, *grads[6];
    wg_grad(outputs[0], mlp->params->param, n, outputs + 1);
    outputs[n + 1] = wg_argmax_over(Z, 1, false);
    wg_program *program = wg_compile(outputs, n + 2, NULL);
    for (int i = 0; i < n; i++)
        grads[i] = wg_program_output(program, i + 1);

    printf("%s\n", n_sizes > 2 ? "with a hidden layer" : "softmax regression");
    wg_optimizer *adam = wg_adam_new(mlp->params->param, n, &(wg_adam_options){.rate = 0.02});
    for (int step = 0; step <= steps; step++) {
        wg_program_run(program);
        if (step % (steps / 4) == 0)
            printf("  step %3d  loss %.4f  accuracy %.4f\n", step,
                   wg_item(wg_program_output(program, 0)),
                   wg_accuracy(wg_program_output(program, n + 1), y));
        if (step < steps)
            wg_optimizer_step(adam, grads);
    }
    wg_status status = wg_tape_status(t);
    if (status != WG_OK)
        fprintf(stderr, "%s\n", wg_tape_message(t));
    wg_tape_free(t);
    return status;
}

int main(void)
{
    const int64_t line[] = {2, 2}, hidden[] = {2, 16, 2};
    wg_status first = train(line, 2, 400), second = train(hidden, 3, 400);
    return first == WG_OK && second == WG_OK ? 0 : 1;
}
