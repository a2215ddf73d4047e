/* Training steps written as C: a network's, with its optimizer; Hessian-vector products; parameters
 * that take values of one another. */
#include "tests/compile/written.h"

#include "autograd/grad.h"
#include "models/optim/record.h"
#include "ops/cumsum.h"
#include "ops/elementwise.h"
#include "ops/layout.h"
#include "ops/loss.h"
#include "ops/matmul.h"
#include "ops/reduce.h"
#include "tests/ops/op_table.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"

#include <math.h>

/* ---- A network: its Hessian times a vector, its training step -------------------------------- */

typedef struct network {
    wg_tape *t;
    wg_tensor *x, *label, *w1, *b1, *w2, *b2, *loss;
    wg_tensor *first; /* older than w2 and b2 */
} network;

static const double network_x[2 * 4] = {0.5, -1, 2, 0.25, -0.75, 1.5, 0.125, -2};
static const int64_t network_label[2] = {2, 0};

/* The second layer is of dtype `second`. */
static network network_new(wg_dtype second)
{
    network n = {.t = wg_tape_new(NULL)};
    n.x = wg_input(n.t, "x", WG_F64, WG_SHAPE(2, 4), network_x);
    n.label = wg_input(n.t, "label", WG_I64, WG_SHAPE(2), network_label);
    n.w1 = wg_param(n.t, "w1", WG_F64, WG_SHAPE(4, 5));
    n.b1 = wg_param(n.t, "b1", WG_F64, WG_SHAPE(5));
    wg_fill_normal(n.w1, 0, 0.5, 1);
    wg_tensor *h = wg_tanh(wg_add(wg_matmul(n.x, n.w1), n.b1));
    n.first = wg_sum(h);
    n.w2 = wg_param(n.t, "w2", second, WG_SHAPE(5, 3));
    n.b2 = wg_param(n.t, "b2", second, WG_SHAPE(3));
    wg_fill_normal(n.w2, 0, 0.5, 2);
    h = second != WG_F64 ? wg_cast(h, second) : h;
    n.loss = wg_rename(wg_cross_entropy(wg_add(wg_matmul(h, n.w2), n.b2), n.label), "loss");
    return n;
}

START_TEST(test_hessian_vector_products)
{
    network n = network_new(WG_F64);
    wg_tensor *const wrt[] = {n.w1, n.b1, n.w2, n.b2};
    wg_tensor *v[4], *hv[4], *g[4];
    for (int i = 0; i < 4; i++)
        v[i] = wgt_draw_like(wrt[i], "v", (uint64_t)i);
    ck_assert_int_eq(wg_grad(n.loss, wrt, 4, g), WG_OK);
    wg_tensor *dot = NULL;
    for (int i = 0; i < 4; i++) {
        wg_tensor *term = wg_sum(wg_mul(g[i], v[i]));
        dot = dot == NULL ? term : wg_add(dot, term);
    }
    ck_assert_int_eq(wg_grad(dot, wrt, 4, hv), WG_OK);
    wg_program *p = wg_compile(hv, 4, NULL);
    ck_assert_int_eq(wg_program_run(p), WG_OK);
    wgt_written *w = wgt_written_new();
    wgt_written_add(w, p, false);
    struct {
        const double *x;
        const int64_t *label;
    } in = {network_x, network_label};
    for (int k = 0; k < WGT_COMPILERS; k++) {
        const void *out;
        size_t offset = 0;
        if (!wgt_written_compile(w, wgt_compilers[k]))
            continue;
        ck_assert_int_eq(wgt_written_run(w, 0, &in, &out), 0);
        for (int i = 0; i < 4; i++) {
            const double *got = wgt_written_output(out, &offset, WG_F64, wg_size(hv[i]));
            for (int64_t j = 0; j < wg_size(hv[i]); j++)
                ck_assert(wgt_close(got[j], wg_at(wg_program_output(p, i), j), 1e-13, 1e-14));
        }
    }
    wgt_written_free(w);
    wg_tape_free(n.t);
}
END_TEST

/* A step with its optimizer, written, goes where the library's goes: ten steps of each. */
static wg_optimizer *optimizer_number(int i, wg_tensor *const params[], int n)
{
    switch (i) {
    case 0: return wg_sgd_new(params, n, &(wg_sgd_options){.rate = 0.1, .weight_decay = 0.01});
    case 1: return wg_sgd_new(params, n, &(wg_sgd_options){.rate = 0.1, .momentum = 0.9});
    case 2:
        return wg_sgd_new(params, n,
                          &(wg_sgd_options){.rate = 0.1, .momentum = 0.9, .nesterov = true});
    case 3: return wg_adam_new(params, n, &(wg_adam_options){.rate = 0.05});
    case 4: return wg_adam_new(params, n, &(wg_adam_options){.rate = 0.05, .amsgrad = true});
    case 5: return wg_adamw_new(params, n, &(wg_adam_options){.rate = 0.05, .decay_all = true});
    case 6: return wg_rmsprop_new(params, n, &(wg_rmsprop_options){.rate = 0.01});
    default:
        return wg_rmsprop_new(
            params, n, &(wg_rmsprop_options){.rate = 0.01, .momentum = 0.5, .centered = true});
    }
}

enum { OPTIMIZERS = 8, STEPS = 10 };

static void step_write(network *n, wg_optimizer *o, wg_tensor *const g[], wgt_written *w)
{
    const wg_recorded_step r = wg_optimizer_record(o, g);
    wg_tensor *out[32] = {n->loss};
    wg_c_update update[32];
    ck_assert_msg(r.n > 0, "%s", wg_tape_message(n->t));
    for (int k = 0; k < r.n; k++) {
        out[1 + k] = r.value[k];
        update[k] = (wg_c_update){r.param[k], 1 + k};
    }
    wgt_written_add_updates(w, wg_compile(out, 1 + r.n, NULL), update, r.n);
}

static void assert_steps(network *n, wg_optimizer *o, wg_tensor *const g[], const wgt_written *w,
                         int number, double tolerance)
{
    struct {
        const double *x;
        const int64_t *label;
    } in = {network_x, network_label};
    for (int s = 0; s < STEPS; s++) {
        const void *out;
        ck_assert_int_eq(wgt_written_run(w, number, &in, &out), 0);
        const double loss = n->loss->dtype == WG_F32 ? (double)*(const float *)out
                                                     : *(const double *)out;
        ck_assert_msg(wgt_close(loss, wg_item(n->loss), tolerance, 0),
                      "optimizer %d, step %d: %.17g, not %.17g", number, s, loss, wg_item(n->loss));
        ck_assert_int_eq(wg_optimizer_step(o, g), WG_OK);
        ck_assert_int_eq(wg_replay(n->t), WG_OK);
    }
}

/* All optimizers; with `rest`, a step by wg_backward is made before that leaves the second layer's
 * parameters, which have no gradient then, a step behind. */
static void training_steps(wg_dtype second, bool rest, double tolerance)
{
    network n[OPTIMIZERS];
    wg_optimizer *optimizer[OPTIMIZERS];
    wg_tensor *g[OPTIMIZERS][4];
    wgt_written *w = wgt_written_new();
    for (int i = 0; i < OPTIMIZERS; i++) {
        n[i] = network_new(second);
        wg_tensor *const wrt[] = {n[i].w1, n[i].b1, n[i].w2, n[i].b2};
        optimizer[i] = optimizer_number(i, wrt, 4);
        if (rest) {
            ck_assert_int_eq(wg_backward(n[i].first), WG_OK);
            ck_assert_int_eq(wg_optimizer_step(optimizer[i], NULL), WG_OK);
            ck_assert_int_eq(wg_replay(n[i].t), WG_OK);
        }
        ck_assert_int_eq(wg_grad(n[i].loss, wrt, 4, g[i]), WG_OK);
        step_write(&n[i], optimizer[i], g[i], w);
    }
    if (wgt_written_compile(w, wgt_compilers[0]))
        for (int i = 0; i < OPTIMIZERS; i++)
            assert_steps(&n[i], optimizer[i], g[i], w, i, tolerance);
    wgt_written_free(w);
    for (int i = 0; i < OPTIMIZERS; i++)
        wg_tape_free(n[i].t);
}

START_TEST(test_training_steps)
{
    training_steps(WG_F64, false, 1e-12);
    training_steps(WG_F64, true, 1e-12);
}
END_TEST

/* Parameters of each dtype have a counter of it. */
START_TEST(test_steps_of_two_dtypes)
{
    training_steps(WG_F32, false, 4e-6);
    training_steps(WG_F32, true, 4e-6);
}
END_TEST

/* ---- Updates -------------------------------------------------------------------------------- */

/* The same text is not the same value where a parameter has changed in between. */
START_TEST(test_calls_of_what_changes)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *a = wg_param(t, "a", WG_F64, WG_SCALAR);
    ck_assert_int_eq(wg_write(a, (const double[]){0.5}, sizeof(double)), WG_OK);
    wg_tensor *e = wg_exp(a), *next = wg_scale(e, -3), *square = wg_reshape(next, WG_SHAPE(1, 1));
    square = wg_sum(wg_matmul(square, square)); /* a step in between */
    wg_tensor *out[] = {e, next, wg_mul(wg_exp(next), square)};
    const wg_c_update update = {a, 1};
    const double want = exp(-3 * exp(0.5)) * 9 * exp(1);
    wgt_written *w = wgt_written_new();
    wgt_written_add_updates(w, wg_compile(out, 3, NULL), &update, 1);
    if (wgt_written_compile(w, wgt_compilers[0])) {
        const void *bytes;
        size_t offset = 0;
        ck_assert_int_eq(wgt_written_run(w, 0, NULL, &bytes), 0);
        const double *got = wgt_written_output(bytes, &offset, WG_F64, 1);
        ck_assert(wgt_close(*got, exp(0.5), 1e-15, 0));
        got = wgt_written_output(bytes, &offset, WG_F64, 1);
        ck_assert(wgt_close(*got, want, 3e-15, 0));
    }
    wgt_written_free(w);
    wg_tape_free(t);
}
END_TEST

/* Parameters that take one another's values take those from before the run, and so do outputs. */
START_TEST(test_updates_take_old_values)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *a = wg_param(t, "a", WG_F64, WG_SHAPE(2)),
              *b = wg_param(t, "b", WG_F64, WG_SHAPE(2));
    wg_tensor *c = wg_param(t, "c", WG_F64, WG_SHAPE(2));
    wg_fill_uniform(a, 1, 2, 1);
    wg_fill_uniform(b, 1, 2, 2);
    wg_fill_uniform(c, 1, 2, 3);
    wg_tensor *next = wg_cumsum(c, 0, false);
    wg_tensor *out[] = {next, b, wg_reshape(c, WG_SHAPE(2)), a, c, a};
    const wg_c_update updates[] = {{c, 0}, {a, 1}, {b, 2}};
    wgt_written *w = wgt_written_new();
    wgt_written_add_updates(w, wg_compile(out, 6, NULL), updates, 3);
    double now[3][2];
    for (int i = 0; i < 6; i++)
        now[i / 2][i % 2] = wg_at((wg_tensor *[]){a, b, c}[i / 2], i % 2);
    const bool compiled = wgt_written_compile(w, wgt_compilers[0]);
    for (int run = 0; compiled && run < 3; run++) {
        const void *bytes;
        size_t offset = 0;
        ck_assert_int_eq(wgt_written_run(w, 0, NULL, &bytes), 0);
        for (int i = 0; i < 3; i++) {
            const double *got = wgt_written_output(bytes, &offset, WG_F64, 2);
            ck_assert_double_eq(got[0], now[i == 1 ? 2 : 0][0]);
            ck_assert_double_eq(got[1], now[i == 1 ? 2 : 0][1]);
        }
        for (int i = 0; i < 2; i++) {
            now[0][i] = now[1][i];
            now[1][i] = now[2][i];
        }
        now[2][1] += now[2][0];
    }
    wgt_written_free(w);
    wg_tape_free(t);
}
END_TEST

/* Updates of which one would be lost. */
START_TEST(test_updates_that_clash)
{
    for (int k = 0; k < 3; k++) {
        wg_tape *t = wg_tape_new(NULL);
        wg_tensor *a = wg_param(t, "a", WG_F64, WG_SHAPE(2));
        wg_tensor *b = wg_param(t, "b", WG_F64, WG_SHAPE(2));
        wg_tensor *out[] = {k == 2 ? b : wg_add(a, b), a};
        const wg_c_update updates[3][2] = {{{a, 0}, {b, 0}}, {{a, 0}, {a, 1}}, {{a, 0}, {b, 1}}};
        const char *message = k == 2 ? "circle" : "update 1";
        wg_c_file file;
        ck_assert_int_eq(wg_program_to_c(wg_compile(out, 2, NULL),
                                         &(wg_c_options){.updates = updates[k], .n_updates = 2},
                                         &file),
                         WG_E_VALUE);
        ck_assert_msg(wgt_contains(wg_tape_message(t), message), "%s", wg_tape_message(t));
        wg_tape_free(t);
    }
}
END_TEST

Suite *suite_write_steps(void)
{
    Suite *s = suite_create("write_steps");
    TCase *tc = tcase_create("steps");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, test_hessian_vector_products);
    tcase_add_test(tc, test_training_steps);
    tcase_add_test(tc, test_steps_of_two_dtypes);
    tcase_add_test(tc, test_calls_of_what_changes);
    tcase_add_test(tc, test_updates_take_old_values);
    tcase_add_test(tc, test_updates_that_clash);
    suite_add_tcase(s, tc);
    return s;
}
