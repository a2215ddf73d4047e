#include "tests/models/optima.h"

#include "autograd/op.h"
#include "models/wengert.h"
#include "tests/support/assert.h"
#include "tests/support/support.h"

#include <math.h>

/* Computed outside of this library by Newton's method in 30 digits, from the data as they are in
 * examples/data, and printed with 15 decimals. */
const wgt_optimum wgt_optima[WGT_OPTIMA] = {
    {"examples/data/breast_cancer.csv", true, false, true, 0.053391857501945, 0.066360186224738,
     1e-15, 0.987698},
    {"examples/data/two_class_300.csv", false, false, true, 0.180279389010658, 0.200237109232505,
     1e-15, 0.93},
    {"examples/data/iris.csv", true, true, true, 0.129542268095830, 0.209191788405310, 1e-15,
     0.973333},
    {"examples/data/two_class_300.csv", false, false, false, 0.175952013976479, 0.175952013976479,
     1e-15, 0.93},
};

wgt_model wgt_model_new(wg_tape *t, int i)
{
    const wgt_optimum *o = &wgt_optima[i];
    wg_table *data = wg_csv_read(t, o->path, NULL);
    wg_tensor *X = wg_table_features(data);
    if (o->standardized)
        X = wg_standardize(X);
    const double C = o->penalized ? 1 : 0;
    if (o->softmax) {
        wg_tensor *y = wg_table_classes(data);
        wg_linear_model m = wg_softmax_regression_new(X, y, 3, &(wg_linear_model_options){.C = C});
        return (wgt_model){o, X, y, {m.W, m.b}, m.loss, m.mean_loss, m.logits};
    }
    wg_linear_model m = wg_logistic_new(X, wg_table_labels(data),
                                        &(wg_linear_model_options){.C = C});
    return (wgt_model){o, X, m.y, {m.W, m.b}, m.loss, m.mean_loss, m.logits};
}

static double accuracy(const wgt_model *m)
{
    const wg_linear_model l = {.head = m->optimum->softmax ? &wg_head_softmax : &wg_head_sigmoid,
                               .W = m->param[0],
                               .b = m->param[1]};
    return wg_linear_model_score(&l, m->X, m->y);
}

/* The 2-norm of the weights. */
static double length_of(const wg_tensor *w)
{
    double sum = 0;
    for (int64_t i = 0; i < wg_size(w); i++)
        sum += wg_at(w, i) * wg_at(w, i);
    return sqrt(sum);
}

/* With a gradient g, the objective lies g' H^-1 g / 2 above the optimum: less than 1e-20 * 31 / 2 *
 * 1e3. The mean loss alone is not at a minimum: with the penalty of C = 1 its gradient is -w / n
 * there, the curvature of the penalty is 1 / n, so that it is off by |w' H^-1 g| / n <= ||w||
 * ||g||. */
void wgt_assert_optimum(const wgt_model *m, const wg_optimum *found, double tolerance)
{
    const wgt_optimum *o = m->optimum;
    wg_tape *t = m->loss->tape;
    ck_assert_msg(wg_tape_status(t) == WG_OK, "%s", wg_tape_message(t));
    ck_assert_int_eq(found->stop, WG_STOP_GRADIENT);
    wgt_assert_that(found->gradient_norm, <=, tolerance);
    ck_assert(!wg_is_stale(m->loss));
    wgt_assert_close(found->value, o->objective, 0, o->unit);
    wgt_assert_close(wg_item(m->loss), o->objective, 0, o->unit);
    ck_assert_int_eq(wg_replay(t), WG_OK);
    const double size = (double)(wg_size(m->param[0]) + wg_size(m->param[1]));
    const double slack = length_of(m->param[0]) * found->gradient_norm * sqrt(size);
    wgt_assert_close(wg_item(m->mean_loss), o->mean_loss, 0, o->unit + slack);
    wgt_assert_close(accuracy(m), o->accuracy, 0, 5.1e-7);
}

void wgt_assert_survives_no_memory(wg_optimum (*minimize)(wg_tensor *loss,
                                                          wg_tensor *const params[], int n))
{
    for (int64_t fail_at = 1;; fail_at++) {
        wgt_memory memory = {0};
        wg_tape *t = wgt_tape(&memory);
        wg_tensor *p = wg_param(t, "p", WG_F64, WG_SHAPE(70));
        wg_tensor *loss = wg_sum(wg_square(wg_shift(p, -1)));
        const wg_mark mark = wg_tape_mark(t);
        memory.fail_at = memory.calls + fail_at;
        const wg_optimum first = minimize(loss, &p, 1);
        const bool failed = memory.failed > 0;
        memory.fail_at =
            0; /* the second try has all: a first one that needed less left the fault */
        ck_assert_int_eq(wg_tape_status(t), failed ? WG_E_NOMEM : WG_OK);
        ck_assert_int_eq(first.stop, failed ? WG_STOP_ERROR : WG_STOP_GRADIENT);
        wg_tape_rewind(t, mark);
        ck_assert_int_eq(minimize(loss, &p, 1).stop, WG_STOP_GRADIENT);
        ck_assert_int_eq(wg_tape_status(t), WG_OK);
        wg_tape_free(t);
        ck_assert_int_eq(memory.blocks, 0);
        if (!failed)
            break;
    }
}

/* ---- Rosenbrock 1960: sum 100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2. ---------------------------- */

typedef struct valley {
    int64_t n;
    double x[16];
} valley;

static double valley_value(const double x[], double g[], void *user)
{
    valley *v = user;
    double value = 0;
    for (int64_t i = 0; i < v->n; i++) {
        v->x[i] = x[i];
        g[i] = 0;
    }
    for (int64_t i = 0; i + 1 < v->n; i++) {
        const double a = x[i + 1] - x[i] * x[i], b = 1 - x[i];
        value += 100 * a * a + b * b;
        g[i] += -400 * a * x[i] - 2 * b;
        g[i + 1] += 200 * a;
    }
    return value;
}

static void valley_hessian(double h[], void *user)
{
    const valley *v = user;
    const int64_t n = v->n;
    for (int64_t i = 0; i < n * n; i++)
        h[i] = 0;
    for (int64_t i = 0; i + 1 < n; i++) {
        h[i * n + i] += 1200 * v->x[i] * v->x[i] - 400 * v->x[i + 1] + 2;
        h[(i + 1) * n + i + 1] += 200;
        h[i * n + i + 1] = h[(i + 1) * n + i] = -400 * v->x[i];
    }
}

static void valley_product(const double p[], double hp[], void *user)
{
    const valley *v = user;
    double h[16 * 16];
    valley_hessian(h, user);
    for (int64_t i = 0; i < v->n; i++) {
        hp[i] = 0;
        for (int64_t j = 0; j < v->n; j++)
            hp[i] += h[i * v->n + j] * p[j];
    }
}

wg_objective wgt_rosenbrock(wg_tape *t, int64_t n)
{
    valley *v = wg_tape_take(t, sizeof *v);
    v->n = n;
    return (wg_objective){.tape = t,
                          .n = n,
                          .value_and_gradient = valley_value,
                          .hessian_product = valley_product,
                          .hessian = valley_hessian,
                          .user = v};
}

void wgt_rosenbrock_start(int64_t n, double x[])
{
    for (int64_t i = 0; i < n; i++)
        x[i] = i % 2 == 0 ? -1.2 : 1;
}
