#include "models/wengert.h"
#include "tests/bench/bench.h"

/* ---- tiny: (1, 4) . (4, 1), sigmoid, sum, and the gradient ----------------------------------- */

typedef struct small {
    wg_tape *t;
    wg_mark mark;
    wg_tensor *x, *w, *g;
    wg_program *program;
} small;

static void tiny_record(void *context)
{
    small *s = context;
    wg_tape_rewind(s->t, s->mark);
    wg_tensor *y = wg_sum(wg_sigmoid(wg_matmul(s->x, s->w)));
    wg_grad(y, &s->w, 1, &s->g);
}

static void small_replay(void *context)
{
    wg_replay(((small *)context)->t);
}

static void small_run(void *context)
{
    wg_program_run(((small *)context)->program);
}

static void bench_tiny(void)
{
    static const float x[4] = {1, -2, 3, 0.5f};
    small s = {.t = wg_tape_new(NULL)};
    s.x = wg_input(s.t, "x", WG_F32, WG_SHAPE(1, 4), x);
    s.w = wg_param(s.t, "w", WG_F32, WG_SHAPE(4, 1));
    wg_fill_normal(s.w, 0, 1, 1);
    s.mark = wg_tape_mark(s.t);
    bench_measure(
        &(bench_task){.name = "tiny_recorded", .unit = "ns", .step = tiny_record, .context = &s});
    tiny_record(&s);
    bench_measure(
        &(bench_task){.name = "tiny_replayed", .unit = "ns", .step = small_replay, .context = &s});
    wg_tape_free(s.t);
}

/* ---- scalar_chain: v = v a + a, a thousand times, and the gradient --------------------------- */

enum { CHAIN = 1000 };

static void chain_record(void *context)
{
    small *s = context;
    wg_tape_rewind(s->t, s->mark);
    wg_tensor *v = s->w;
    for (int i = 0; i < CHAIN; i++)
        v = wg_add(wg_mul(v, s->w), s->w);
    wg_grad(v, &s->w, 1, &s->g);
}

static void bench_chain(void)
{
    small s = {.t = wg_tape_new(NULL)};
    s.w = wg_param(s.t, "a", WG_F64, WG_SCALAR);
    wg_write(s.w, &(double){0.5}, sizeof(double));
    s.mark = wg_tape_mark(s.t);
    bench_task task = {.name = "scalar_chain_recorded",
                       .unit = "ns",
                       .step = chain_record,
                       .context = &s,
                       .parts = 2 * CHAIN};
    bench_measure(&task);
    chain_record(&s);
    s.program = wg_compile(&s.g, 1, NULL);
    task.name = "scalar_chain_compiled";
    task.step = small_run;
    bench_measure(&task);
    wg_tape_free(s.t);
}

/* ---- gradcheck: MLP 10-16-3, tanh, 8 rows, 227 parameters ------------------------------------ */

typedef struct checked {
    wg_tensor *loss, **params;
    int n, points;
} checked;

static void check_step(void *context)
{
    const checked *c = context;
    wg_gradcheck_options options = {.check = {.points = c->points}};
    wg_gradcheck(c->loss, c->params, NULL, c->n, &options, NULL);
}

static void bench_check(void)
{
    wg_tape *t = wg_tape_new(NULL);
    static int64_t labels[8] = {0, 1, 2, 2, 1, 0, 1, 2};
    double *x = bench_normal_f64(80, 7);
    wg_tensor *X = wg_constant(t, WG_F64, WG_SHAPE(8, 10), x);
    wg_tensor *y = wg_constant(t, WG_I64, WG_SHAPE(8), labels);
    wg_tensor *params[] = {
        wg_param(t, "W1", WG_F64, WG_SHAPE(10, 16)), wg_param(t, "b1", WG_F64, WG_SHAPE(16)),
        wg_param(t, "W2", WG_F64, WG_SHAPE(16, 3)), wg_param(t, "b2", WG_F64, WG_SHAPE(3))};
    for (int i = 0; i < 4; i++)
        wg_fill_normal(params[i], 0, 0.5, (uint64_t)i);
    wg_tensor *h = wg_tanh(wg_add(wg_matmul(X, params[0]), params[1]));
    wg_tensor *loss = wg_cross_entropy(wg_add(wg_matmul(h, params[2]), params[3]), y);
    checked c = {loss, params, 4, 5};
    bench_task task = {
        .name = "gradcheck_5_points", .unit = "ms", .step = check_step, .context = &c};
    bench_measure(&task);
    c.points = 3;
    task.name = "gradcheck_3_points";
    bench_measure(&task);
    wg_tape_free(t);
    bench_release(x);
}

void bench_small(void)
{
    bench_tiny();
    bench_chain();
    bench_check();
}
