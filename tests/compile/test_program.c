/* Compiled programs: the same bits as replays, no allocation, liveness, inputs,
 * staleness. */
#include "autograd/compile/program.h"
#include "autograd/compile/program_internal.h"
#include "autograd/compile/write.h"

#include "autograd/grad.h"
#include "autograd/print/print.h"
#include "autograd/rng.h"
#include "autograd/tape_internal.h"
#include "ops/elementwise.h"
#include "ops/index.h"
#include "ops/layout.h"
#include "ops/matmul.h"
#include "ops/reduce.h"
#include "ops/slice.h"
#include "tests/ops/random_graph.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const wg_compile_options every_choice[] = {{0},
                                                  {.keep_values = true},
                                                  {.keep_buffers = true},
                                                  {.keep_values = true, .keep_buffers = true}};

/* ---- Random graphs --------------------------------------------------------------------------- */

enum { LARGEST = 700 * 70 };

static void *normal_data(wg_dtype dtype, int64_t n, uint64_t key)
{
    void *data = malloc((size_t)n * wg_dtype_size(dtype));
    for (int64_t i = 0; i < n; i++) {
        const double x = wg_random_normal(1, key, (uint64_t)i);
        if (dtype == WG_F32)
            ((float *)data)[i] = (float)x;
        else
            ((double *)data)[i] = x;
    }
    return data;
}

static void program_follows(wg_tape *t, const wgt_graph *g, wg_program *p, const void *data)
{
    wgt_graph_write(g, 3);
    ck_assert_int_eq(wg_bind(g->input, data), WG_OK);
    ck_assert_int_eq(wg_replay(t), WG_OK);
    ck_assert_int_eq(wg_program_run(p), WG_OK);
    for (int i = 0; i < g->n_outputs; i++)
        wgt_assert_same_values(wg_program_output(p, i), g->output[i]);
}

static void compiled_and_replayed(uint64_t seed, wg_dtype dtype, int64_t rows, int64_t columns)
{
    void *data = normal_data(dtype, rows * columns, 1),
         *other = normal_data(dtype, rows * columns, 2);
    for (int i = 0; i < 4; i++) {
        wg_tape *t = wgt_strict_tape();
        wgt_graph g = wgt_graph_new(t, seed, dtype, rows, columns, 12, data);
        wg_program *p = wg_compile(g.output, g.n_outputs, &every_choice[i]);
        for (int k = 0; k < g.n_outputs; k++) /* what the tape computed */
            wgt_assert_same_values(wg_program_output(p, k), g.output[k]);
        program_follows(t, &g, p, data);
        program_follows(t, &g, p, other);
        wg_tape_free(t);
    }
    free(data);
    free(other);
}

START_TEST(test_random_graphs)
{
    const uint64_t seed = (uint64_t)_i;
    compiled_and_replayed(seed, seed % 2 ? WG_F32 : WG_F64, 2 + _i % 7, 1 + _i % 5);
    compiled_and_replayed(seed, seed % 2 ? WG_F64 : WG_F32, 40 + _i, 17);
}
END_TEST

/* Chains are cut into tiles and pieces, whose ends fall anywhere. */
START_TEST(test_random_graphs_with_threads)
{
    const int threads[] = {1, 2, 3, 4, 8};
    const wg_dtype dtype = _i % 2 ? WG_F32 : WG_F64;
    const int64_t rows = 700, columns = 70;
    void *data = normal_data(dtype, LARGEST, 1);
    wg_tape *alone = wgt_strict_tape();
    wgt_graph want = wgt_graph_new(alone, (uint64_t)_i, dtype, rows, columns, 8, data);
    for (int i = 0; i < 5; i++) {
        wg_pool *pool = wg_pool_new(threads[i], NULL);
        wg_tape *t = wg_tape_new(&(wg_tape_options){.pool = pool});
        wgt_graph g = wgt_graph_new(t, (uint64_t)_i, dtype, rows, columns, 8, data);
        wg_program *p = wg_compile(g.output, g.n_outputs, NULL);
        ck_assert_int_eq(wg_program_run(p), WG_OK);
        for (int k = 0; k < g.n_outputs; k++) {
            wgt_assert_same_values(wg_program_output(p, k), want.output[k]);
            wgt_assert_same_values(g.output[k], want.output[k]);
        }
        wg_tape_free(t);
        wg_pool_free(pool);
    }
    wg_tape_free(alone);
    free(data);
}
END_TEST

/* Recorded without values, and bound afterwards: the same bits. */
START_TEST(test_placeholders)
{
    const uint64_t seed = (uint64_t)_i;
    const wg_dtype dtype = _i % 2 ? WG_F32 : WG_F64;
    const int64_t rows = 100 + _i, columns = 1 + _i % 5;
    void *data = normal_data(dtype, rows * columns, 1);
    wgt_memory full = {0}, bare = {0};
    wg_tape *computed = wgt_tape(&full), *later = wgt_tape(&bare);
    wgt_graph want = wgt_graph_new(computed, seed, dtype, rows, columns, 12, data);
    wgt_graph g = wgt_graph_new(later, seed, dtype, rows, columns, 12, NULL);
    wg_program *p = wg_compile(g.output, g.n_outputs, &every_choice[_i % 4]);
    if (_i % 3 == 0)
        ck_assert_int_eq(wg_bind(g.input, data), WG_OK);
    else
        ck_assert_int_eq(wg_program_bind(p, g.input, data), WG_OK);
    ck_assert_int_eq(wg_program_run(p), WG_OK);
    for (int k = 0; k < g.n_outputs; k++)
        wgt_assert_same_values(wg_program_output(p, k), want.output[k]);
    wg_tape_free(computed);
    wg_tape_free(later);
    free(data);
}
END_TEST

START_TEST(test_a_placeholder_without_memory)
{
    wgt_memory m = {0};
    wg_tape *t = wgt_tape(&m);
    enum { ROWS = 10000, COLUMNS = 100 };
    wg_tensor *X = wg_placeholder(t, "X", WG_F32, WG_SHAPE(ROWS, COLUMNS)), *dw;
    wg_tensor *w = wg_param(t, "w", WG_F32, WG_SHAPE(COLUMNS, 1));
    wg_tensor *loss = wg_mean(wg_square(wg_tanh(wg_matmul(wg_exp(X), w))));
    ck_assert_int_eq(wg_grad(loss, &w, 1, &dw), WG_OK);
    wgt_assert_that(m.bytes, <, 200000); /* X alone would take 4,000,000 */
    ck_assert_double_nan(wg_item(loss));
    ck_assert_int_eq(wg_replay(t), WG_OK);
    const wg_mark mark = wg_tape_mark(t);
    wg_add(X, wg_zeros_like(w));
    wgt_assert_status(t, WG_E_SHAPE, "add: ");
    wg_tape_rewind(t, mark);

    wg_program *p = wg_compile((wg_tensor *[]){loss, dw}, 2, NULL);
    const wg_mark compiled = wg_tape_mark(t);
    ck_assert(wg_is_stale(wg_program_output(p, 0)));
    ck_assert_int_eq(wg_program_run(p), WG_E_NULL);
    wgt_assert_status(t, WG_E_NULL,
                      "program: a placeholder has no memory yet: bind it: X (10000, 100)");
    wg_tape_rewind(t, compiled);
    float *data = calloc(ROWS * COLUMNS, sizeof *data);
    ck_assert_int_eq(wg_program_bind(p, X, data), WG_OK);
    ck_assert_int_eq(wg_program_run(p), WG_OK);
    wgt_assert_that(wg_item(wg_program_output(p, 0)), ==, 0);
    ck_assert_int_eq(wg_tape_rewind(t, mark), WG_OK);

    wg_tensor *rows = wg_placeholder(t, NULL, WG_I64, WG_SHAPE(0));
    wg_tensor *none = wg_sum(wg_gather_rows(w, rows));
    p = wg_compile(&none, 1, NULL); /* nothing is missing */
    ck_assert_int_eq(wg_program_run(p), WG_OK);
    wgt_assert_that(wg_item(wg_program_output(p, 0)), ==, 0);
    wg_tape_free(t);
    free(data);
}
END_TEST

/* ---- What a program leaves out --------------------------------------------------------------- */

static wg_tape *t;

static void set_up(void)
{
    t = wgt_tape(NULL);
}

static void tear_down(void)
{
    wg_tape_free(t);
}

static void write(wg_tensor *x, double value)
{
    ck_assert_int_eq(wg_write(x, &value, sizeof value), WG_OK);
}

static void fill(wg_tensor *x, uint64_t key)
{
    ck_assert_int_eq(wg_fill_normal(x, 0, 1, key), WG_OK);
}

START_TEST(test_dead_and_constant_nodes_do_not_run)
{
    wg_tensor *x = wgt_scalar_param(t, "x", 2), *c = wg_scalar(t, WG_F64, 3);
    wg_tensor *y = wgt_product(wgt_cube(x), wgt_cube(c));
    wgt_sine(y);
    wg_program *p = wg_compile(&y, 1, NULL);
    ck_assert_int_eq(wg_program_steps(p), 2);
    const int64_t before = wgt_runs();
    write(x, 3);
    ck_assert_int_eq(wg_program_run(p), WG_OK);
    ck_assert_int_eq(wgt_runs() - before, 2);
    wgt_assert_same_bits(wg_item(wg_program_output(p, 0)), 27 * 27);
}
END_TEST

/* x -> tanh -> ... -> tanh: two values at a time are enough, and none where the chain is in
 * tiles. */
START_TEST(test_memory_is_used_again)
{
    wg_tensor *x = wg_param(t, "x", WG_F32, WG_SHAPE(1024)), *y = x;
    fill(x, 1);
    for (int i = 0; i < 10; i++)
        y = wg_tanh(y);
    wg_program *kept = wg_compile(&y, 1, &(wg_compile_options){true, true});
    wg_program *shared = wg_compile(&y, 1, &(wg_compile_options){.keep_values = true});
    wg_program *tiled = wg_compile(&y, 1, NULL);
    ck_assert_uint_eq(kept->tape_memory_size, 10 * 4096);
    ck_assert_uint_eq(wg_program_memory(kept), 10 * 4096);
    ck_assert_uint_eq(wg_program_memory(shared), 2 * 4096);
    ck_assert_uint_eq(wg_program_memory(tiled), 4096);
    ck_assert_int_eq(wg_program_steps(shared), 10);
    ck_assert_int_eq(wg_program_steps(tiled), 1);
    wg_program *all[] = {kept, shared, tiled};
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(wg_program_run(all[i]), WG_OK);
        wgt_assert_same_values(wg_program_output(all[i], 0), y);
    }
}
END_TEST

/* The base of a view is read through it, long after its last direct reader. */
START_TEST(test_a_view_keeps_its_base)
{
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SHAPE(100));
    fill(x, 1);
    wg_tensor *base = wg_exp(x), *view = wg_slice(base, 0, 10, 60), *other = wg_exp(wg_neg(base));
    for (int i = 0; i < 4; i++)
        other = wg_sin(wg_scale(other, 2));
    wg_tensor *y = wg_add(wg_sum(other), wg_sum(view));
    wg_program *p = wg_compile(&y, 1, &(wg_compile_options){.keep_values = true});
    wg_program *q = wg_compile(&view, 1, NULL); /* an output that is a view */
    fill(x, 2);
    ck_assert_int_eq(wg_replay(t), WG_OK);
    ck_assert_int_eq(wg_program_run(p), WG_OK);
    ck_assert_int_eq(wg_program_run(q), WG_OK);
    wgt_assert_same_values(wg_program_output(p, 0), y);
    wgt_assert_same_values(wg_program_output(q, 0), view);
}
END_TEST

/* Outputs that need no step: a parameter, a constant, views of them, and one output twice. */
/* Time in proportion: minutes where each view is followed down its chain, or the text is searched for
 * each constant. */
START_TEST(test_many_views_and_tables)
{
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SHAPE(4)), *y = x;
    for (int i = 0; i < 100000; i++)
        y = wg_reshape(wg_reshape(y, WG_SHAPE(2, 2)), WG_SHAPE(4));
    y = wg_neg(y);
    wg_compile(&y, 1, NULL);
    y = x;
    for (int i = 0; i < 15000; i++)
        y = wg_mul(y, wg_constant(t, WG_F64, WG_SHAPE(4), (double[]){1, 2, 3, i}));
    wg_c_file file;
    ck_assert_int_eq(
        wg_program_to_c(wg_compile(&y, 1, NULL), &(wg_c_options){.name = "many"}, &file), WG_OK);
}
END_TEST

/* A value that something else reads, too, is stored. */
START_TEST(test_empty_values)
{
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SHAPE(0, 3));
    wg_tensor *outputs[] = {wg_tanh(x), wg_sum(wg_exp(x)), wg_sum_over(x, WG_AXES(0), false),
                            wg_neg(wg_reshape(wg_sin(x), WG_SHAPE(3, 0)))};
    wg_program *p = wg_compile(outputs, 4, NULL);
    ck_assert_int_eq(wg_program_run(p), WG_OK);
    ck_assert_int_eq(wg_size(wg_program_output(p, 0)), 0);
    wgt_assert_same_bits(wg_item(wg_program_output(p, 1)), 0);
    wgt_assert_same_bits(wg_at(wg_program_output(p, 2), 2), 0);
}
END_TEST

/* ---- Inputs and staleness -------------------------------------------------------------------- */

START_TEST(test_bind)
{
    const double a[] = {1, 2, 3}, b[] = {4, 5, 6}, c[] = {7, 8, 9};
    wg_tensor *x = wg_input(t, "x", WG_F64, WG_SHAPE(3), a);
    wg_tensor *outputs[] = {wg_sum(wg_square(wg_slice(x, 0, 1, 3))), x};
    wg_program *p = wg_compile(outputs, 2, NULL), *q = wg_compile(outputs, 2, NULL);
    wg_tensor *y = wg_program_output(p, 0);
    wgt_assert_same_bits(wg_item(y), 13);
    ck_assert(!wg_is_stale(y));
    ck_assert_int_eq(wg_program_bind(p, x, b), WG_OK);
    ck_assert(wg_is_stale(y));
    ck_assert_int_eq(wg_program_run(p), WG_OK);
    ck_assert(!wg_is_stale(y));
    wgt_assert_same_bits(wg_item(y), 61);
    ck_assert_ptr_eq(wg_data_f64(wg_program_output(p, 1)), b); /* not copied */
    ck_assert_ptr_eq(wg_data_f64(x), a);
    wg_bind(x, c); /* seen by q alone: p has memory of its own */
    wg_program_run(p), wg_program_run(q);
    wgt_assert_same_bits(wg_item(y), 61);
    wgt_assert_same_bits(wg_item(wg_program_output(q, 0)), 145);
}
END_TEST

START_TEST(test_bind_mistakes)
{
    const double one = 1;
    wg_tape *other = wgt_tape(NULL);
    wg_tensor *w = wgt_scalar_param(t, "w", 1), *x = wg_input(t, "x", WG_F64, WG_SCALAR, &one);
    wg_tensor *unused = wg_input(t, "u", WG_F64, WG_SCALAR, &one);
    wg_tensor *foreign = wg_input(other, "f", WG_F64, WG_SCALAR, &one);
    wg_tensor *y = wgt_product(w, x);
    wg_program *p = wg_compile(&y, 1, NULL);
    const wg_mark mark = wg_tape_mark(t);
    ck_assert_int_eq(wg_program_bind(p, unused, &one), WG_OK);
    ck_assert_int_eq(wg_program_bind(p, w, &one), WG_E_VALUE);
    wg_tape_rewind(t, mark);
    ck_assert_int_eq(wg_program_bind(p, foreign, &one), WG_E_TAPE);
    wg_tape_rewind(t, mark);
    ck_assert_int_eq(wg_program_bind(p, NULL, &one), WG_E_NULL);
    wg_tape_rewind(t, mark);
    ck_assert_int_eq(wg_program_bind(p, x, NULL), WG_E_NULL);
    ck_assert_int_eq(wg_program_run(p), WG_E_NULL);
    wg_tape_rewind(t, mark);
    ck_assert_int_eq(wg_program_bind(NULL, x, &one), WG_E_NULL);
    ck_assert_int_eq(wg_program_run(p), WG_OK);
    wg_tape_free(other);
}
END_TEST

/* ---- Errors ---------------------------------------------------------------------------------- */

START_TEST(test_compile_mistakes)
{
    wg_tape *other = wgt_tape(NULL);
    wg_tensor *x = wgt_scalar_param(t, "x", 1), *far = wgt_scalar_param(other, "far", 1);
    wg_tensor *abstract = wg_abstract(t, WG_F64, WG_SCALAR), *pair[] = {x, far}, *gap[] = {x, NULL};
    wg_tensor *of = wg_mul(wg_exp(abstract), wg_placeholder(t, "X", WG_F64, WG_SHAPE(2)));
    const wg_mark mark = wg_tape_mark(t);
    const struct {
        wg_tensor **outputs;
        int n;
        wg_status status;
    } row[] = {{pair, 2, WG_E_TAPE},
               {gap, 2, WG_E_NULL},
               {&abstract, 1, WG_E_VALUE},
               {&of, 1, WG_E_VALUE}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        wg_program *p = wg_compile(row[i].outputs, row[i].n, NULL);
        wgt_assert_status(t, row[i].status, "compile: ");
        wg_tape_rewind(t, mark);
        ck_assert_int_eq(wg_program_run(p), WG_E_NULL);
        ck_assert_int_eq(wg_program_bind(p, x, NULL), WG_E_NULL);
        ck_assert(wg_is_inert(wg_program_output(p, 0)));
        ck_assert_uint_eq(wg_program_memory(p), 0);
        ck_assert_int_eq(wg_program_steps(p), 0);
        ck_assert_int_eq(wg_program_print(stdout, p), WG_E_NULL);
    }
    ck_assert_int_eq(wg_program_run(wg_compile(NULL, 0, NULL)), WG_E_NULL);
    wg_program *p = wg_compile(&x, 1, NULL);
    ck_assert(wg_is_inert(wg_program_output(p, 1)));
    wgt_assert_status(t, WG_E_INDEX, "there is no output 1 of 1");
    wg_tape_free(other);
}
END_TEST

/* A label out of range: outputs are NaN and stale until a run succeeds. */
START_TEST(test_a_failed_check)
{
    const int64_t good[] = {1, 0}, bad[] = {1, 7};
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SHAPE(3, 2));
    fill(x, 1);
    wg_tensor *k = wg_input(t, "k", WG_I64, WG_SHAPE(2), good);
    wg_tensor *outputs[] = {wg_sum(wg_gather_rows(x, k)), wg_square(x), x};
    wg_program *p = wg_compile(outputs, 3, NULL);
    const double want = wg_item(outputs[0]);
    const wg_mark mark = wg_tape_mark(t);
    wg_program_bind(p, k, bad);
    ck_assert_int_eq(wg_program_run(p), WG_E_INDEX);
    ck_assert_double_nan(wg_item(wg_program_output(p, 0)));
    for (int i = 0; i < 2; i++) /* in memory, too, to which a pointer may be left */
        for (int64_t at = 0; at < wg_size(wg_program_output(p, i)); at++)
            ck_assert_double_nan(((const double *)wg_program_output(p, i)->data)[at]);
    ck_assert_double_finite(wg_at(x, 0)); /* an output that is a parameter is left alone */
    ck_assert(wg_is_stale(wg_program_output(p, 0)));
    ck_assert_int_eq(wg_program_run(p), WG_E_INDEX);
    wg_tape_rewind(t, mark);
    wg_program_bind(p, k, good);
    ck_assert_int_eq(wg_program_run(p), WG_OK);
    wgt_assert_same_bits(wg_item(wg_program_output(p, 0)), want);
}
END_TEST

/* The message names the first op that made it, though it would stand inside a chain. */
START_TEST(test_check_finite)
{
    wg_tape *checked = wg_tape_new(&(wg_tape_options){.check_finite = true});
    wg_tensor *x = wg_param(checked, "x", WG_F64, WG_SHAPE(1000));
    wg_tensor *y = wg_neg(wg_exp(wg_scale(x, 2)));
    wg_program *p = wg_compile(&y, 1, NULL);
    ck_assert_int_eq(wg_program_run(p), WG_OK);
    double *w = wg_edit(x);
    w[17] = 400;
    ck_assert_int_eq(wg_program_run(p), WG_E_NOT_FINITE);
    wgt_assert_status(checked, WG_E_NOT_FINITE, "exp: the result is inf at 17");
    wg_tape_free(checked);
}
END_TEST

/* ---- Memory ---------------------------------------------------------------------------------- */

START_TEST(test_running_allocates_nothing)
{
    wgt_memory m = {0};
    double *data = normal_data(WG_F64, 60 * 20, 1), *other = normal_data(WG_F64, 60 * 20, 2);
    wg_tape *counted = wgt_tape(&m);
    wgt_graph g = wgt_graph_new(counted, 5, WG_F64, 60, 20, 20, data);
    wg_program *p = wg_compile(g.output, g.n_outputs, NULL);
    const int64_t calls = m.calls;
    for (int i = 0; i < 10; i++) {
        wgt_graph_write(&g, (uint64_t)i);
        ck_assert_int_eq(wg_program_bind(p, g.input, i % 2 ? data : other), WG_OK);
        ck_assert_int_eq(wg_program_run(p), WG_OK);
    }
    ck_assert_int_eq(m.calls, calls);
    wg_tape_free(counted);
    ck_assert_int_eq(m.blocks, 0);
    free(data);
    free(other);
}
END_TEST

static bool compiles_with_failing_memory(int64_t fail_at, bool from_then)
{
    static double data[300 * 100];
    wgt_memory m = {0};
    wg_tape *tape = wgt_tape(&m);
    wgt_graph g = wgt_graph_new(tape, 3, WG_F64, 300, 100, 6, data);
    const wg_mark mark = wg_tape_mark(tape);
    m.fail_at = m.calls + fail_at;
    m.from_then = from_then;
    wg_program *p = wg_compile(g.output, g.n_outputs, NULL);
    const bool made = m.failed == 0;
    if (!made) {
        ck_assert_int_eq(wg_tape_status(tape), WG_E_NOMEM);
        ck_assert_int_eq(wg_program_run(p), WG_E_NULL);
        m.fail_at = 0;
        wg_tape_rewind(tape, mark);
        ck_assert_int_eq(wg_tape_status(tape), WG_OK);
        p = wg_compile(g.output, g.n_outputs, NULL);
    }
    ck_assert_int_eq(wg_program_run(p), WG_OK);
    wgt_assert_same_values(wg_program_output(p, 1), g.output[1]);
    wg_tape_free(tape);
    ck_assert_int_eq(m.blocks, 0);
    return made;
}

START_TEST(test_failing_memory)
{
    for (int from_then = 0; from_then < 2; from_then++) {
        int64_t at = 1;
        while (!compiles_with_failing_memory(at, from_then))
            at++;
        ck_assert_int_gt(at, 1);
    }
}
END_TEST

/* A program goes with the mark that is older, and stays with one that is younger. */
START_TEST(test_rewinding)
{
    wg_tensor *x = wgt_scalar_param(t, "x", 2), *y = wgt_cube(x);
    const wg_mark before = wg_tape_mark(t);
    for (int i = 0; i < 3; i++) {
        wg_program *p = wg_compile(&y, 1, NULL);
        const wg_mark after = wg_tape_mark(t);
        wgt_sine(y);
        wg_tape_rewind(t, after);
        write(x, i);
        ck_assert_int_eq(wg_program_run(p), WG_OK);
        wgt_assert_same_bits(wg_item(wg_program_output(p, 0)), i * i * i);
        wg_tape_rewind(t, before);
    }
    ck_assert_int_eq(wg_tape_size(t), 2);
}
END_TEST

START_TEST(test_print)
{
    char text[4096] = "";
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SHAPE(1000));
    wg_tensor *y = wg_sum(wg_exp(wg_neg(x)));
    wg_program *p = wg_compile(&y, 1, NULL);
    FILE *file = tmpfile();
    ck_assert_int_eq(wg_program_print(file, p), WG_OK);
    rewind(file);
    const size_t n = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[n] = '\0';
    wgt_assert_contains(text, "neg, exp");
    wgt_assert_contains(text, "sum");
    wgt_assert_contains(text, "1 steps");
    ck_assert_int_eq(wg_program_print(NULL, p), WG_E_NULL);
}
END_TEST

Suite *suite_program(void)
{
    Suite *suite = suite_create("program");
    TCase *random = tcase_create("random graphs");
    tcase_add_loop_test(random, test_random_graphs, 0, 60);
    tcase_add_loop_test(random, test_random_graphs_with_threads, 0, 6);
    suite_add_tcase(suite, random);
    TCase *cases = tcase_create("program");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, test_dead_and_constant_nodes_do_not_run);
    tcase_add_test(cases, test_memory_is_used_again);
    tcase_add_test(cases, test_a_view_keeps_its_base);
    tcase_add_test(cases, test_many_views_and_tables);
    tcase_add_test(cases, test_empty_values);
    tcase_add_test(cases, test_bind);
    tcase_add_test(cases, test_bind_mistakes);
    tcase_add_loop_test(cases, test_placeholders, 0, 24);
    tcase_add_test(cases, test_a_placeholder_without_memory);
    tcase_add_test(cases, test_compile_mistakes);
    tcase_add_test(cases, test_a_failed_check);
    tcase_add_test(cases, test_check_finite);
    tcase_add_test(cases, test_running_allocates_nothing);
    tcase_add_test(cases, test_failing_memory);
    tcase_add_test(cases, test_rewinding);
    tcase_add_test(cases, test_print);
    suite_add_tcase(suite, cases);
    return suite;
}
