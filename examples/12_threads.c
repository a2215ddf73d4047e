/* The same bits whatever the number of threads: a pool is made by the program and named in a tape's
 * options; the work is cut in pieces whose bounds do not depend on who does them, and sums are
 * taken in a fixed order.
 *
 * Run as build/12_threads. Prints:
 *
 *     1 thread:  loss 0.110984336635572
 *     2 threads: loss 0.110984336635572
 *     3 threads: loss 0.110984336635572
 *     4 threads: loss 0.110984336635572
 *     all weights have the same bits
 */
#include <stdio.h>
#include <string.h>
#include <wengert.h>

enum { ROWS = 20000, COLUMNS = 40 };

/* Trains on random rows with so many threads; the weights go to w. */
static wg_status train(int threads, double w[COLUMNS])
{
    wg_pool *pool = wg_pool_new(threads, NULL); /* threads wait in it; one tape at a time uses it */
    wg_tape *t = wg_tape_new(&(wg_tape_options){.pool = pool, .seed = 1});
    wg_tensor *X = wg_param(t, "X", WG_F64, WG_SHAPE(ROWS, COLUMNS));
    wg_tensor *truth = wg_param(t, "truth", WG_F64, WG_SHAPE(COLUMNS, 1));
    wg_tensor *weight = wg_param(t, "w", WG_F64, WG_SHAPE(COLUMNS, 1));
    wg_fill_normal(X, 0, 1, 1);
    wg_fill_normal(truth, 0, 1, 2);
    wg_tensor *z = wg_matmul(X, truth);
    wg_tensor *y = wg_cast(wg_greater(z, wg_zeros_like(z)), WG_F64);
    wg_tensor *loss = wg_bce_with_logits(wg_matmul(X, weight), y), *g;
    wg_grad(loss, &weight, 1, &g);
    wg_optimizer *adam = wg_adam_new(&weight, 1, &(wg_adam_options){.rate = 0.1});
    for (int step = 0; step < 30; step++) {
        wg_optimizer_step(adam, &g);
        wg_replay_to((wg_tensor *[]){loss, g}, 2);
    }
    printf("%d thread%s loss %.15f\n", threads, threads == 1 ? ": " : "s:", wg_item(loss));
    wg_read(weight, w, COLUMNS * sizeof *w);
    wg_status status = wg_tape_status(t);
    if (status != WG_OK)
        fprintf(stderr, "%s\n", wg_tape_message(t));
    wg_tape_free(t);
    wg_pool_free(pool); /* after the tapes that use it */
    return status;
}

int main(void)
{
    double one[COLUMNS], more[COLUMNS];
    bool good = train(1, one) == WG_OK;
    for (int threads = 2; threads <= 4; threads++)
        if (train(threads, more) != WG_OK || memcmp(one, more, sizeof one) != 0)
            good = false;
    printf("%s\n", good ? "all weights have the same bits" : "the weights differ");
    return good ? 0 : 1;
}
