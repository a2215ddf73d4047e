/* The same bits whatever the number of threads: a pool is made by the program and named in a tape's
 * options; the work is cut in pieces whose bounds do not depend on who does them, and sums are
 * taken in a fixed order. The other way to use threads is a tape for each: tapes know nothing of one
 * another, and several threads may copy one that none of them changes. So a model predicts in
 * several threads.
 *
 * Run as build/12_threads. Prints:
 *
 *     1 thread:  loss 0.110984336635572
 *     2 threads: loss 0.110984336635572
 *     3 threads: loss 0.110984336635572
 *     4 threads: loss 0.110984336635572
 *     all weights have the same bits
 *     4 threads predicted 20000 rows, 10091 of them above 0
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

/* ---- A tape for each thread -------------------------------------------------------------------- */

enum { PIECES = 4, PART = ROWS / PIECES };

/* What all threads read, and a place for what each finds. */
typedef struct shared {
    const wg_tape *tape;
    const wg_tensor *X, *z; /* PART rows, and what the model makes of them */
    const double *rows;     /* [ROWS, COLUMNS] */
    int64_t above[PIECES];
} shared;

static void predict(int64_t piece, int worker, void *user)
{
    shared *s = user;
    (void)worker;
    wg_tape *own = wg_tape_copy(s->tape, WG_F64);
    wg_tensor *X = wg_tape_counterpart(own, s->X), *z = wg_tape_counterpart(own, s->z);
    wg_write(X, s->rows + piece * PART * COLUMNS, PART * COLUMNS * sizeof(double));
    wg_replay(own);
    for (int64_t i = 0; i < PART; i++)
        s->above[piece] += wg_at(z, i) > 0;
    wg_tape_free(own);
}

/* A pool's threads, though a program's own would do. */
static bool predict_in_threads(const double w[COLUMNS])
{
    wg_tape *t = wg_tape_new(NULL), *data = wg_tape_new(NULL);
    wg_tensor *X = wg_param(t, "X", WG_F64, WG_SHAPE(PART, COLUMNS));
    wg_tensor *z = wg_matmul(X, wg_constant(t, WG_F64, WG_SHAPE(COLUMNS, 1), w));
    wg_tensor *rows = wg_param(data, "rows", WG_F64, WG_SHAPE(ROWS, COLUMNS));
    wg_fill_normal(rows, 0, 1, 3);
    shared s = {.tape = t, .X = X, .z = z, .rows = wg_data_f64(rows)};
    wg_pool *pool = wg_pool_new(PIECES, NULL);
    wg_pool_run(pool, PIECES, predict, &s);
    int64_t above = 0;
    for (int i = 0; i < PIECES; i++)
        above += s.above[i];
    printf("%d threads predicted %d rows, %d of them above 0\n", PIECES, ROWS, (int)above);
    bool good = wg_tape_status(t) == WG_OK && wg_tape_status(data) == WG_OK;
    wg_pool_free(pool);
    wg_tape_free(data);
    wg_tape_free(t);
    return good;
}

int main(void)
{
    double one[COLUMNS], more[COLUMNS];
    bool good = train(1, one) == WG_OK;
    for (int threads = 2; threads <= 4; threads++)
        if (train(threads, more) != WG_OK || memcmp(one, more, sizeof one) != 0)
            good = false;
    printf("%s\n", good ? "all weights have the same bits" : "the weights differ");
    good = predict_in_threads(one) && good;
    return good ? 0 : 1;
}
