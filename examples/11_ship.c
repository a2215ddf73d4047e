/* Taking the model away: a training step and a trained network as C files that need no library, no
 * malloc and no double; what they compute with is in structs whose size the compiler knows. A
 * network that tells half moons apart is trained here, a row at a time, and written twice: as it
 * began, with its step of Adam, to be trained elsewhere, and as it ended, to be used:
 *
 * #include "moons.h"
 *
 * static moons_work work;
 * moons_outputs out;
 * moons_run(&(moons_inputs){.x = row}, &out, &work);
 * if (out.logits[1] > out.logits[0]) ...
 *
 * Run as build/11_ship [directory]; it writes to build. Prints:
 *
 *     $ build/11_ship
 *     wrote build/moons_step.c: moons_step_init, and moons_step_run for a row and its label
 *     epoch  0  loss 0.3273
 *     epoch 10  loss 0.1271
 *     epoch 20  loss 0.1138
 *     wrote build/moons.c: moons_run for a row
 *     row 0  class 0  logits  2.91 -2.21
 *     row 1  class 1  logits -3.91  3.07
 *     row 2  class 1  logits -3.12  2.42
 *     row 3  class 0  logits  3.07 -2.30
 */
#include <stdio.h>
#include <wengert.h>

enum { ROWS = 400, EPOCHS = 20 };

static float rows[ROWS][2];
static int64_t labels[ROWS];

/* A step of Adam on the loss of one row: the recorded ops go into the written program alone. */
static void write_step(wg_tensor *loss, const wg_optimizer *adam, wg_tensor *const grads[],
                       const char *path)
{
    const wg_recorded_step step = wg_optimizer_record(adam, grads);
    wg_tensor *outputs[32] = {loss};
    wg_c_update updates[31];
    for (int i = 0; i < step.n; i++) {
        outputs[1 + i] = step.value[i];
        updates[i] = (wg_c_update){step.param[i], 1 + i};
    }
    wg_program *program = wg_compile(outputs, 1 + step.n, NULL);
    if (wg_program_write_c(program, path,
                           &(wg_c_options){.updates = updates, .n_updates = step.n}) == WG_OK)
        printf("wrote %s: moons_step_init, and moons_step_run for a row and its label\n", path);
}

static double train_epoch(wg_program *program, wg_tensor *x, wg_tensor *label, wg_optimizer *adam)
{
    wg_tensor *grads[4];
    double sum = 0;
    for (int i = 0; i < 4; i++)
        grads[i] = wg_program_output(program, 1 + i);
    for (int i = 0; i < ROWS; i++) {
        wg_program_bind(program, x, rows[i]);
        wg_program_bind(program, label, &labels[i]);
        wg_program_run(program);
        sum += wg_item(wg_program_output(program, 0));
        wg_optimizer_step(adam, grads);
    }
    return sum / ROWS;
}

static void read_moons(wg_tape *t)
{
    wg_table *data = wg_csv_read(t, "examples/data/moons_400.csv", NULL);
    wg_tensor *X = wg_standardize(wg_table_features(data)), *y = wg_table_classes(data);
    for (int i = 0; i < ROWS && wg_tape_status(t) == WG_OK; i++) {
        rows[i][0] = (float)wg_at(X, 2 * i);
        rows[i][1] = (float)wg_at(X, 2 * i + 1);
        labels[i] = wg_data_i64(y)[i];
    }
}

int main(int argc, char **argv)
{
    char step_path[256], path[256];
    snprintf(step_path, sizeof step_path, "%s/moons_step.c", argc > 1 ? argv[1] : "build");
    snprintf(path, sizeof path, "%s/moons.c", argc > 1 ? argv[1] : "build");

    wg_tape *t = wg_tape_new(NULL);
    read_moons(t);
    wg_tensor *x = wg_input(t, "x", WG_F32, WG_SHAPE(1, 2), rows);
    wg_tensor *label = wg_input(t, "label", WG_I64, WG_SHAPE(1), labels);
    wg_tensor *w1 = wg_param(t, "w1", WG_F32, WG_SHAPE(2, 16));
    wg_tensor *b1 = wg_param(t, "b1", WG_F32, WG_SHAPE(16));
    wg_tensor *w2 = wg_param(t, "w2", WG_F32, WG_SHAPE(16, 2));
    wg_tensor *b2 = wg_param(t, "b2", WG_F32, WG_SHAPE(2));
    wg_fill_normal(w1, 0, 0.7, 1);
    wg_fill_normal(w2, 0, 0.25, 2);
    wg_tensor *hidden = wg_rename(wg_tanh(wg_add(wg_matmul(x, w1), b1)), "hidden");
    wg_tensor *logits = wg_rename(wg_add(wg_matmul(hidden, w2), b2), "logits");
    wg_tensor *loss = wg_rename(wg_cross_entropy(logits, label), "loss");

    wg_tensor *params[] = {w1, b1, w2, b2}, *outputs[5] = {loss};
    wg_grad(loss, params, 4, outputs + 1);
    wg_optimizer *adam = wg_adam_new(params, 4, &(wg_adam_options){.rate = 0.005});
    write_step(loss, adam, outputs + 1, step_path);

    wg_program *program = wg_compile(outputs, 5, NULL);
    for (int epoch = 0; epoch <= EPOCHS; epoch++) {
        const double mean = train_epoch(program, x, label, adam);
        if (epoch % 10 == 0)
            printf("epoch %2d  loss %.4f\n", epoch, mean);
    }

    wg_program *model = wg_compile(&logits, 1, NULL);
    if (wg_program_write_c(model, path, NULL) == WG_OK)
        printf("wrote %s: moons_run for a row\n", path);
    for (int i = 0; i < 4; i++) {
        wg_program_bind(model, x, rows[i]);
        wg_program_run(model);
        const float *z = wg_data_f32(wg_program_output(model, 0));
        if (z != NULL)
            printf("row %d  class %d  logits %5.2f %5.2f\n", i, (int)labels[i], (double)z[0],
                   (double)z[1]);
    }
    const wg_status status = wg_tape_status(t);
    if (status != WG_OK)
        fprintf(stderr, "%s\n", wg_tape_message(t));
    wg_tape_free(t);
    return status == WG_OK ? 0 : 1;
}
