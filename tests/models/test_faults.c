/* Whole programs in which an allocation fails, each in its turn, once and from then on: a clear
 * error or the right result, nothing leaked, files old or new, and after a rewind the next try
 * succeeds. And threads that cannot be started. WGT_ALL=1: every allocation, else a sample. */
#include "models/wengert.h"
#include "tests/ops/random_graph.h"
#include "tests/support/assert.h"
#include "tests/support/files.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"
#include "tests/support/system.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { POINTS = 40 };

static char path[WGT_PATH];

/* A program says what it found as one number; NaN after an error. */
typedef double program(wg_tape *t);

static double sum_of(const wg_tensor *x)
{
    double sum = 0;
    for (int64_t i = 0; i < wg_size(x); i++)
        sum += wg_at(x, i);
    return wg_size(x) > 0 ? sum : (double)NAN;
}

/* Trained, kept, loaded, asked. */
static double train(wg_tape *t, const wg_dataset *data, const wg_estimator_options *options)
{
    wg_estimator *e = wg_estimator_fit(data, options);
    if (wg_estimator_save(e, path) != WG_OK)
        return (double)NAN;
    return sum_of(wg_estimator_predict_proba(wg_estimator_load(t, path, NULL), data));
}

static double lbfgs_program(wg_tape *t)
{
    const wg_table *table = wg_csv_read(t, "examples/data/iris.csv", NULL);
    return train(t, &(wg_dataset){.table = table}, &(wg_estimator_options){.fit.epochs = 3});
}

static double mlp_program(wg_tape *t)
{
    const wg_table *table = wg_csv_read(t, "examples/data/iris.csv", NULL);
    return train(t, &(wg_dataset){.table = table},
                 &(wg_estimator_options){.model = "mlp",
                                         .hidden = (int64_t[]){3},
                                         .n_hidden = 1,
                                         .dropout = 0.25,
                                         .fit = {.epochs = 2, .batch = 50, .validation = 0.2}});
}

static double compiled_program(wg_tape *t)
{
    double data[12];
    for (int i = 0; i < 12; i++)
        data[i] = i / 8.0 - 0.5;
    const wgt_graph g = wgt_graph_new(t, 5, WG_F64, 4, 3, 25, data);
    wg_program *p = wg_compile(g.output, g.n_outputs, NULL);
    if (wg_program_run(p) != WG_OK)
        return (double)NAN;
    return sum_of(wg_program_output(p, 0)) + sum_of(wg_program_output(p, 1));
}

static double gradcheck_program(wg_tape *t)
{
    double data[12];
    for (int i = 0; i < 12; i++)
        data[i] = i / 8.0 - 0.5;
    const wgt_graph g = wgt_graph_new(t, 7, WG_F32, 4, 3, 15, data);
    wg_tensor *x = g.param[1];
    wg_check_report report;
    const wg_check_verdict verdict = wg_gradcheck(g.output[0], &x, NULL, 1, NULL, &report);
    return verdict == WG_CHECK_INVALID || wg_tape_status(t) != WG_OK ? (double)NAN
                                                                     : (double)verdict;
}

static double audit_program(wg_tape *t)
{
    const double data[] = {40, -3, 0.5};
    wg_audit_row rows[4];
    const char *why;
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SHAPE(3));
    if (wg_edit(x) != NULL)
        memcpy(wg_edit(x), data, sizeof data);
    wg_tensor *y = wg_sum(wg_log(wg_shift(wg_neg(wg_sigmoid(x)), 1)));
    const size_t count = wg_audit(&y, 1, rows, 4, &why);
    return count > 0 ? (double)count : (double)NAN;
}

/* Columns of numbers that are streamed, missing values, strings. */
static double cache_program(wg_tape *t)
{
    const char *text = "a,s,y\n1,b,0\n,c,1\n3,,1\n2,c,0\n";
    const wg_pipeline_step steps[] = {{.kind = WG_STEP_IMPUTE, .imputer.indicate = true},
                                      {.kind = WG_STEP_STANDARDIZE}};
    char csv[WGT_PATH + 8], cache[WGT_PATH + 8];
    snprintf(csv, sizeof csv, "%s.csv", path);
    snprintf(cache, sizeof cache, "%s.cache", path);
    wgt_file_put(csv, text, strlen(text));
    unlink(cache);
    const wg_csv_options o = {.missing = WG_CSV_MISSING_KEEP};
    wg_csv_cache c = wg_csv_cache_open(t, csv, cache, &o);
    const double sum = train(t, &(wg_dataset){.table = c.table},
                             &(wg_estimator_options){.model = "logistic",
                                                     .pipeline = {.steps = steps, .n_steps = 2},
                                                     .fit.epochs = 2});
    wg_csv_cache_close(&c);
    return sum;
}

/* Sparse rows that are streamed, some of them trained on. */
static double sparse_cache_program(wg_tape *t)
{
    const char *text = "1 1:2 3:0.5\n0 2:1\n1 1:1 2:-1 3:2\n0\n1 3:4\n";
    char file[WGT_PATH + 8], cache[WGT_PATH + 8];
    snprintf(file, sizeof file, "%s.svm", path);
    snprintf(cache, sizeof cache, "%s.pairs", path);
    wgt_file_put(file, text, strlen(text));
    unlink(cache);
    wg_svmlight_cache c = wg_svmlight_cache_open(t, file, cache, NULL);
    const wg_dataset all = {.table = c.table, .sparse = c.features};
    const int64_t row[] = {0, 1, 4};
    const wg_dataset some = wg_dataset_take(&all, wg_constant(t, WG_I64, WG_SHAPE(3), row));
    const double sum = train(t, &some,
                             &(wg_estimator_options){.model = "logistic", .fit.epochs = 2});
    wg_svmlight_cache_close(&c);
    return sum;
}

/* What it holds is one of its xs; x and y move together. */
static void loop_body(wg_scan_step *s, void *user)
{
    (void)user;
    s->next[0] = wg_mul(wg_add(s->carry[0], wg_detach(wg_tanh(s->x[0]))), s->x[0]);
    s->y[0] = wg_sin(s->next[0]);
}

/* A loop that is checked, and written as C with its gradient. */
static double loop_program(wg_tape *t)
{
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SHAPE(4, 2)), *last, *y, *out[2];
    wg_tensor *start = wg_param(t, "start", WG_F64, WG_SHAPE(2));
    wg_fill_normal(x, 0, 1, 1);
    wg_scan(
        &(wg_scan_loop){
            .body = loop_body, .carries = &start, .n_carries = 1, .xs = &x, .n_xs = 1, .n_ys = 1},
        &last, &y);
    out[0] = wg_add(wg_sum(wg_square(last)), wg_sum(y));
    wg_grad(out[0], &x, 1, out + 1);
    wg_c_file file;
    if (wg_program_to_c(wg_compile(out, 2, NULL), NULL, &file) != WG_OK)
        return (double)NAN;
    const double written = (double)strlen(file.source);
    const wg_check_verdict verdict = wg_gradcheck(out[0], &x, NULL, 1, NULL, NULL);
    return verdict == WG_CHECK_INVALID || wg_tape_status(t) != WG_OK ? (double)NAN
                                                                     : written + (double)verdict;
}

/* A training step of Adam as C. */
static double step_program(wg_tape *t)
{
    enum { MOST = 16 };
    const double data[] = {0.5, -1, 2, 0.25, -0.75, 1.5};
    const int64_t classes[] = {1, 0};
    wg_tensor *x = wg_input(t, "x", WG_F64, WG_SHAPE(2, 3), data), *g[2];
    wg_tensor *label = wg_input(t, "label", WG_I64, WG_SHAPE(2), classes);
    wg_tensor *param[] = {wg_param(t, "W", WG_F64, WG_SHAPE(3, 2)),
                          wg_param(t, "b", WG_F64, WG_SHAPE(2))};
    wg_tensor *out[MOST] = {wg_cross_entropy(wg_add(wg_matmul(x, param[0]), param[1]), label)};
    wg_grad(out[0], param, 2, g);
    const wg_recorded_step step = wg_optimizer_record(wg_adam_new(param, 2, NULL), g);
    wg_c_update updates[MOST];
    for (int i = 0; i < step.n && i < MOST - 1; i++) {
        out[1 + i] = step.value[i];
        updates[i] = (wg_c_update){step.param[i], 1 + i};
    }
    wg_c_file file;
    const wg_c_options options = {.updates = updates, .n_updates = step.n};
    if (step.n == 0 || wg_program_to_c(wg_compile(out, 1 + step.n, NULL), &options, &file) != WG_OK)
        return (double)NAN;
    return (double)strlen(file.source);
}

/* Products with derivatives, matrices of them, and the checks of higher order. */
static double derivatives_program(wg_tape *t)
{
    const double data[] = {0.5, -1, 2};
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SHAPE(3));
    wg_tensor *v = wg_constant(t, WG_F64, WG_SHAPE(3), data), *hv;
    wg_fill_normal(x, 0, 1, 3);
    wg_tensor *y = wg_mul(wg_exp(x), wg_sin(x)), *sum = wg_sum(y);
    wg_tensor *jv = wg_jvp(y, &x, &v, 1);
    wg_hvp(sum, &x, &v, 1, &hv);
    const double found = sum_of(jv) + sum_of(hv) + sum_of(wg_jacobian(y, &x, 1)) +
                         sum_of(wg_hessian(sum, &x, 1));
    const wg_check_verdict second = wg_gradcheck_second(sum, &x, 1, NULL, NULL);
    return second == WG_CHECK_INVALID || wg_tape_status(t) != WG_OK ? (double)NAN
                                                                    : found + (double)second;
}

static program *const programs[] = {
    cache_program,     sparse_cache_program, lbfgs_program, mlp_program,  compiled_program,
    gradcheck_program, audit_program,        loop_program,  step_program, derivatives_program,
};

/* One try that fails at a call, on a tape of its own, and a second one after a rewind. */
static void fail_once(program *run, int64_t call, bool from_then, double want)
{
    wgt_memory m = {0};
    wg_pool *pool = wg_pool_new(2, NULL);
    const wg_allocator allocator = wgt_allocator(&m);
    wg_tape *t = wg_tape_new(&(wg_tape_options){.allocator = allocator, .pool = pool});
    const wg_mark mark = wg_tape_mark(t);
    m.fail_at = m.calls + call;
    m.from_then = from_then;
    const double got = run(t);
    m.fail_at = 0;
    m.from_then = false;
    if (isnan(got) && wg_tape_status(t) != WG_OK)
        ck_assert_int_eq(wg_tape_status(t), WG_E_NOMEM);
    if (!isnan(got))
        wgt_assert_same_bits(got, want);
    else
        ck_assert_msg(m.failed > 0, "no result, and no allocation has failed");
    wg_tape_rewind(t, mark);
    ck_assert_int_eq(wg_tape_status(t), WG_OK);
    wgt_assert_same_bits(run(t), want);
    wg_tape_free(t);
    wg_pool_free(pool);
    ck_assert_int_eq(m.blocks, 0);
}

START_TEST(test_allocations)
{
    wgt_memory m = {0};
    if (programs[_i] == audit_program && !WG_HAS_WIDE)
        return;
    wgt_file_new(path);
    wg_pool *pool = wg_pool_new(2, NULL); /* what is written of a program may depend on it */
    const wg_allocator allocator = wgt_allocator(&m);
    wg_tape *t = wg_tape_new(&(wg_tape_options){.allocator = allocator, .pool = pool});
    const int64_t before = m.calls;
    const double want = programs[_i](t);
    ck_assert_msg(wg_tape_status(t) == WG_OK, "%s", wg_tape_message(t));
    const int64_t calls = m.calls - before;
    ck_assert_double_finite(want);
    wg_tape_free(t);
    wg_pool_free(pool);
    const int64_t step = getenv("WGT_ALL") == NULL && calls > POINTS ? calls / POINTS : 1;
    int failed = 0;
    for (int64_t call = 1; call <= calls; call += step, failed += 2) {
        fail_once(programs[_i], call, false, want);
        fail_once(programs[_i], call, true, want);
    }
    printf("faults: program %d: %d allocations failed, survived\n", _i, failed);
    fflush(stdout);
    wgt_file_remove(path);
}
END_TEST

/* No pool where one of its threads does not start, and those that did are ended. */
START_TEST(test_threads)
{
    enum { THREADS = 4 };
    for (int call = 1; call < THREADS && wgt_faults_work(); call++) {
        wgt_memory m = {0};
        const wg_allocator allocator = wgt_allocator(&m);
        wgt_fault f = {.at = call, .only = "p"};
        wgt_fault_begin(&f);
        ck_assert_ptr_null(wg_pool_new(THREADS, &allocator));
        wgt_fault_end();
        ck_assert_int_eq(f.calls, call);
        ck_assert_int_eq(m.blocks, 0);
    }
}
END_TEST

Suite *suite_faults(void)
{
    Suite *suite = suite_create("faults");
    TCase *c = tcase_create("faults");
    tcase_set_timeout(c, 600);
    tcase_add_loop_test(c, test_allocations, 0, (int)(sizeof programs / sizeof *programs));
    tcase_add_test(c, test_threads);
    suite_add_tcase(suite, c);
    return suite;
}
