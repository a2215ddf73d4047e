#include "models/wengert.h"
#include "tests/bench/bench.h"

enum { ROWS = 60000, FEATURES = 784, CLASSES = 10, BATCH = 128 };

/* A training step: the next batch is bound, the program run, the optimizer steps. */
typedef struct training {
    wg_tape *t;
    wg_tensor *x, *y, *grads[8];
    wg_program *program;
    wg_optimizer *optimizer;
    const float *features; /* [ROWS, FEATURES] */
    const int64_t *labels; /* [ROWS] */
    int64_t at;
} training;

static void training_step(void *context)
{
    training *s = context;
    s->at = s->at + BATCH > ROWS ? 0 : s->at;
    wg_program_bind(s->program, s->x, s->features + s->at * FEATURES);
    wg_program_bind(s->program, s->y, s->labels + s->at);
    s->at += BATCH;
    wg_program_run(s->program);
    wg_optimizer_step(s->optimizer, s->grads);
}

static wg_tensor *layer(wg_tape *t, wg_tensor *x, int64_t out, uint64_t key, wg_tensor **param)
{
    double deviation = 1 / (double)wg_dim(x, 1);
    param[0] = wg_param(t, "W", WG_F32, WG_SHAPE(wg_dim(x, 1), out));
    param[1] = wg_param(t, "b", WG_F32, WG_SHAPE(out));
    wg_fill_uniform(param[0], -deviation, deviation, key);
    return wg_add(wg_matmul(x, param[0]), param[1]);
}

/* hidden: sizes of the hidden layers, up to a 0. The gradients are outputs 1.. of the program. */
static void training_build(training *s, const int64_t *hidden, bool adam)
{
    wg_tensor *params[8], *outputs[9];
    int n = 0;
    s->x = wg_input(s->t, "X", WG_F32, WG_SHAPE(BATCH, FEATURES), s->features);
    s->y = wg_input(s->t, "y", WG_I64, WG_SHAPE(BATCH), s->labels);
    wg_tensor *h = s->x;
    for (; *hidden != 0; hidden++, n += 2)
        h = wg_relu(layer(s->t, h, *hidden, (uint64_t)n, params + n));
    outputs[0] = wg_cross_entropy(layer(s->t, h, CLASSES, (uint64_t)n, params + n), s->y);
    n += 2;
    wg_grad(outputs[0], params, n, outputs + 1);
    s->program = wg_compile(outputs, n + 1, NULL);
    for (int i = 0; i < n; i++)
        s->grads[i] = wg_program_output(s->program, i + 1);
    s->optimizer = adam ? wg_adam_new(params, n, &(wg_adam_options){.rate = 1e-3})
                        : wg_sgd_new(params, n, &(wg_sgd_options){.rate = 0.1});
}

/* 2 m n k for each product: forward, gradient of the weights, and of the input but for the
 * first. */
static double training_flops(const int64_t *hidden)
{
    double flops = 0;
    for (int64_t in = FEATURES, i = 0;; in = hidden[i++]) {
        int64_t out = hidden[i] != 0 ? hidden[i] : CLASSES;
        flops += (i == 0 ? 4.0 : 6.0) * BATCH * (double)in * (double)out;
        if (hidden[i] == 0)
            return flops;
    }
}

/* A model that is trained, and one on several threads beside it. */
typedef struct workload {
    const char *name, *name_of_threads; /* the latter NULL: not with threads */
    int64_t hidden[3];
    bool adam;
} workload;

static training training_new(const workload *w, const float *features, const int64_t *labels,
                             wg_pool *pool)
{
    training s = {
        .t = wg_tape_new(&(wg_tape_options){.pool = pool}), .features = features, .labels = labels};
    training_build(&s, w->hidden, w->adam);
    return s;
}

static void training_measure(const workload *w, const float *features, const int64_t *labels)
{
    training one = training_new(w, features, labels, NULL);
    bench_task task = {.name = w->name,
                       .unit = "us",
                       .step = training_step,
                       .context = &one,
                       .flops = training_flops(w->hidden),
                       .bytes = (double)BATCH * FEATURES * sizeof *features};
    bench_measure(&task);
    if (w->name_of_threads != NULL && bench_wanted(w->name_of_threads)) {
        wg_pool *pool = wg_pool_new(2, NULL);
        training two = training_new(w, features, labels, pool);
        bench_task threads = task;
        threads.name = w->name_of_threads;
        threads.context = &two;
        threads.threads = 2;
        threads.against = &task;
        bench_measure(&threads);
        wg_tape_free(two.t);
        wg_pool_free(pool);
    }
    wg_tape_free(one.t);
}

void bench_train(void)
{
    static const workload workloads[] = {
        {"softmax_784", NULL, {0}, false},
        {"mlp_256", "mlp_256_2_threads", {256, 0}, false},
        {"mlp_512_512_adam", "mlp_512_512_adam_2_threads", {512, 512, 0}, true},
    };
    float *features = NULL;
    int64_t *labels = NULL;
    for (size_t i = 0; i < sizeof workloads / sizeof *workloads; i++) {
        const workload *w = &workloads[i];
        if (!bench_wanted(w->name) &&
            (w->name_of_threads == NULL || !bench_wanted(w->name_of_threads)))
            continue;
        if (features == NULL) {
            features = bench_normal_f32((int64_t)ROWS * FEATURES, 11);
            labels = bench_softmax_labels(features, ROWS, FEATURES, CLASSES);
        }
        training_measure(w, features, labels);
    }
    bench_release(features);
    bench_release(labels);
}
