/* Trains a logistic regression on 200 made-up rows: what the switches leave of the library must
 * still do it. */
#include <stdio.h>
#include <wengert.h>

enum { ROWS = 200, COLUMNS = 4 };

int main(void)
{
    double rows[ROWS][COLUMNS], labels[ROWS];
    for (int i = 0; i < ROWS; i++) {
        for (int j = 0; j < COLUMNS; j++)
            rows[i][j] = ((i + 1) * (7 * j + 3) % 41 - 20) / 20.0;
        labels[i] = rows[i][0] - 2 * rows[i][1] + 0.3 * (i % 3) > 0.2;
    }
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *X = wg_constant(t, WG_F64, WG_SHAPE(ROWS, COLUMNS), rows);
    wg_tensor *y = wg_constant(t, WG_F64, WG_SHAPE(ROWS, 1), labels);
    wg_tensor *w = wg_param(t, "w", WG_F64, WG_SHAPE(COLUMNS, 1));
    wg_tensor *b = wg_param(t, "b", WG_F64, WG_SHAPE(1));
    wg_tensor *loss = wg_bce_with_logits(wg_add(wg_matmul(X, w), b), y);

    wg_tensor *wrt[] = {w, b}, *g[2];
    wg_grad(loss, wrt, 2, g);
    wg_optimizer *sgd = wg_sgd_new(wrt, 2, &(wg_sgd_options){.rate = 0.5});
    for (int step = 0; step < 500; step++) {
        wg_optimizer_step(sgd, g);
        wg_replay(t);
    }
    printf("loss %.6f%s\n", wg_item(loss), wg_tape_message(t));
    wg_tape_free(t);
    return 0;
}
