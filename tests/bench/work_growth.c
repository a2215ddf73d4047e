/* work_growth.c: what must grow as its work does, by doubling; short rows in both layouts; small
 * products. */
#include "models/wengert.h"
#include "tests/bench/bench.h"

/* ---- n slices of 16 elements of one tensor: the gradient, recorded and run ------------------- */

enum { SLICES = 4096, SLICE = 16 };

typedef struct slices {
    int64_t n;
    wg_tape *t;
    wg_mark mark;
    wg_tensor *x, *g, **part;
    wg_program *program;
} slices;

static void slices_record(void *context)
{
    slices *s = context;
    wg_tape_rewind(s->t, s->mark);
    for (int64_t i = 0; i < s->n; i++)
        s->part[i] = wg_sum(wg_square(wg_slice(s->x, 0, i * SLICE, (i + 1) * SLICE)));
    wg_grad(wg_sum(wg_stack(s->part, (int)s->n, 0)), &s->x, 1, &s->g);
}

static void slices_run(void *context)
{
    wg_program_run(((slices *)context)->program);
}

static slices slices_of(int64_t n)
{
    slices s = {
        .n = n, .t = wg_tape_new(NULL), .part = bench_take((size_t)n * sizeof(wg_tensor *))};
    s.x = wg_param(s.t, "x", WG_F64, WG_SHAPE(n * SLICE));
    wg_fill_normal(s.x, 0, 1, 1);
    s.mark = wg_tape_mark(s.t);
    return s;
}

static void bench_slices(void)
{
    slices half = slices_of(SLICES / 2), whole = slices_of(SLICES);
    const bench_task small = {.step = slices_record, .context = &half};
    const bench_task record = {.name = "slices_gradient_recorded",
                               .unit = "ms",
                               .step = slices_record,
                               .context = &whole,
                               .against = &small,
                               .doubled = true};
    bench_measure(&record);
    slices_record(&half);
    slices_record(&whole);
    half.program = wg_compile(&half.g, 1, NULL);
    whole.program = wg_compile(&whole.g, 1, NULL);
    const bench_task small_run = {.step = slices_run, .context = &half};
    const bench_task run = {.name = "slices_gradient_run",
                            .unit = "us",
                            .step = slices_run,
                            .context = &whole,
                            .against = &small_run,
                            .doubled = true};
    bench_measure(&run);
    wg_tape_free(half.t);
    wg_tape_free(whole.t);
    bench_release(half.part);
    bench_release(whole.part);
}

/* ---- Rows of 2 and 16, on the last axis and on the first; products of 8 x 8 ------------------ */

static void replay_all(void *context)
{
    wg_replay(context);
}

/* The parameter [n, rows] or [rows, n], what is recorded on it, and the time for each of the
 * rows. */
static void bench_rows(const char *name, wg_tensor *record(wg_tensor *x, int axis), int64_t n,
                       int axis)
{
    enum { ELEMENTS = 1 << 14 };
    wg_tape *t = wg_tape_new(NULL);
    const int64_t rows = ELEMENTS / n;
    wg_tensor *x = axis == 0 ? wg_param(t, "x", WG_F64, WG_SHAPE(n, rows))
                             : wg_param(t, "x", WG_F64, WG_SHAPE(rows, n));
    wg_fill_normal(x, 0, 1, 1);
    record(x, axis);
    bench_measure(&(bench_task){
        .name = name, .unit = "ns", .step = replay_all, .context = t, .parts = (double)rows});
    wg_tape_free(t);
}

static wg_tensor *row_sums(wg_tensor *x, int axis)
{
    return wg_sum_over(x, WG_AXES(axis), false);
}

static wg_tensor *squares_of_8(wg_tensor *x, int axis)
{
    wg_tensor *a = wg_reshape(x, WG_SHAPE(-1, 8, 8));
    (void)axis;
    return wg_matmul(a, a);
}

void bench_growth(void)
{
    bench_slices();
    bench_rows("sum_of_2_last_axis", row_sums, 2, 1);
    bench_rows("sum_of_2_first_axis", row_sums, 2, 0);
    bench_rows("softmax_of_2_last_axis", wg_softmax, 2, 1);
    bench_rows("softmax_of_2_first_axis", wg_softmax, 2, 0);
    bench_rows("softmax_of_16_last_axis", wg_softmax, 16, 1);
    bench_rows("softmax_of_16_first_axis", wg_softmax, 16, 0);
    bench_rows("matmul_8_f64_batch", squares_of_8, 64, 1);
}
