/* A loop that is one node of the tape: wg_scan records its body once and runs it for every step. A
 * filter y[t] = a y[t-1] + b x[t] is found from 10,000 values of its input and output; the tape and
 * the program have the size of one step, and so has the gradient, which is a loop backwards.
 *
 * Run as build/13_scan. Prints:
 *
 *     step   0: a 0.0000, b 0.0000, loss 1.1e-01
 *     step 100: a 0.7983, b 0.2015, loss 3.9e-06
 *     step 200: a 0.8000, b 0.2000, loss 2.0e-11
 *     10000 steps, 47 nodes on the tape, 5 steps of the program
 */
#include <stdio.h>
#include <wengert.h>

enum { STEPS = 10000 };

/* One step: what it is given has shapes and no values yet. */
static void filter(wg_scan_step *s, void *user)
{
    (void)user;
    s->next[0] = wg_add(wg_mul(s->param[0], s->carry[0]), wg_mul(s->param[1], s->x[0]));
    s->y[0] = s->next[0];
}

/* The outputs [STEPS] for the inputs x and a, b. */
static wg_tensor *outputs(wg_tape *t, wg_tensor *x, wg_tensor *const ab[2])
{
    wg_tensor *start = wg_scalar(t, WG_F64, 0), *ys;
    wg_scan(&(wg_scan_loop){.body = filter,
                            .carries = &start,
                            .xs = &x,
                            .params = ab,
                            .n_carries = 1,
                            .n_xs = 1,
                            .n_params = 2,
                            .n_ys = 1},
            NULL, &ys);
    return ys;
}

int main(void)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SHAPE(STEPS));
    wg_fill_normal(x, 0, 1, 1);
    wg_tensor *truth[] = {wg_scalar(t, WG_F64, 0.8), wg_scalar(t, WG_F64, 0.2)};
    wg_tensor *ab[] = {wg_param(t, "a", WG_F64, WG_SCALAR), wg_param(t, "b", WG_F64, WG_SCALAR)};
    wg_tensor *loss = wg_mse(outputs(t, x, ab), outputs(t, x, truth), WG_MEAN), *g[2];
    wg_grad(loss, ab, 2, g);
    wg_program *p = wg_compile((wg_tensor *[]){loss, g[0], g[1]}, 3, NULL);
    wg_tensor *grads[] = {wg_program_output(p, 1), wg_program_output(p, 2)};
    wg_optimizer *adam = wg_adam_new(ab, 2, &(wg_adam_options){.rate = 0.05});
    for (int step = 0; step <= 200; step++) {
        wg_program_run(p);
        if (step % 100 == 0)
            printf("step %3d: a %.4f, b %.4f, loss %.1e\n", step, wg_item(ab[0]), wg_item(ab[1]),
                   wg_item(wg_program_output(p, 0)));
        wg_optimizer_step(adam, grads);
    }
    printf("%d steps, %d nodes on the tape, %d steps of the program\n", STEPS, (int)wg_tape_size(t),
           (int)wg_program_steps(p));
    if (wg_tape_status(t) != WG_OK)
        fprintf(stderr, "%s\n", wg_tape_message(t));
    wg_tape_free(t);
    return 0;
}
