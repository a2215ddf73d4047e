/* Full-batch objectives in row blocks: the whole batch at once, threads, the last block, errors. */
#include "autograd/compile/blocks_internal.h"

#include "autograd/grad.h"
#include "autograd/rng.h"
#include "autograd/tape_internal.h"
#include "ops/elementwise.h"
#include "ops/loss.h"
#include "ops/matmul.h"
#include "ops/reduce.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CLASSES = 3, COLUMNS = 5, MOST = 4000 };

typedef struct model {
    wg_tensor *w, *b;
    int calls; /* of the loss */
} model;

typedef struct problem {
    wg_tape *t;
    model m;
    wg_tensor *rows[2], *param[2]; /* X [n, COLUMNS], labels [n]; w, b */
    double *X;
    float *X32;
    int64_t *labels;
} problem;

static wg_tensor *softmax_loss(wg_tape *t, wg_tensor *const rows[], void *user)
{
    model *m = user;
    m->calls++;
    (void)t;
    wg_tensor *z = wg_add(wg_matmul(rows[0], m->w), m->b);
    return wg_cross_entropy_opt(z, rows[1], &(wg_cross_entropy_options){.reduction = WG_SUM});
}

static problem problem_new(int64_t n, wg_dtype dtype, const wg_tape_options *options)
{
    problem p = {.t = wg_tape_new(options)};
    p.X = malloc(sizeof(double) * MOST * COLUMNS);
    p.X32 = malloc(sizeof(float) * MOST * COLUMNS);
    p.labels = malloc(sizeof(int64_t) * MOST);
    for (int64_t i = 0; i < n * COLUMNS; i++) {
        p.X[i] = wg_random_normal(1, 1, (uint64_t)i);
        p.X32[i] = (float)p.X[i];
    }
    for (int64_t i = 0; i < n; i++)
        p.labels[i] = (int64_t)(wg_random_uniform(1, 2, (uint64_t)i) * CLASSES);
    const void *data = dtype == WG_F32 ? (const void *)p.X32 : (const void *)p.X;
    p.rows[0] = wg_input(p.t, "X", dtype, WG_SHAPE(n, COLUMNS), data);
    p.rows[1] = wg_input(p.t, "k", WG_I64, WG_SHAPE(n), p.labels);
    p.param[0] = p.m.w = wg_param(p.t, "w", dtype, WG_SHAPE(COLUMNS, CLASSES));
    p.param[1] = p.m.b = wg_param(p.t, "b", dtype, WG_SHAPE(CLASSES));
    wg_fill_normal(p.m.w, 0, 1, 1);
    wg_fill_normal(p.m.b, 0, 1, 2);
    return p;
}

static void problem_free(problem *p)
{
    wg_tape_free(p->t);
    free(p->X);
    free(p->X32);
    free(p->labels);
}

static wg_blocks *blocks_of(problem *p, const wg_blocks_options *options)
{
    return wg_blocks_new(p->rows, 2, p->param, 2, softmax_loss, &p->m, options);
}

/* value and gradient against those of the whole batch at once. Both are sums of n terms whose
 * absolute values add up to less than `size` each; the batch's are pairwise or blocked, so eps
 * (log2(n) + 4) size bounds the difference; the terms themselves have a few eps. */
static void is_the_whole_batch(problem *p, wg_blocks *b, double scale, wg_tensor *penalty)
{
    ck_assert_int_eq(wg_blocks_run(b), WG_OK);
    const wg_mark mark = wg_tape_mark(p->t);
    wg_tensor *g[2], *y = wg_scale(softmax_loss(p->t, p->rows, &p->m), scale);
    if (penalty != NULL)
        y = wg_add(y, penalty);
    wg_grad(y, p->param, 2, g);
    wgt_assert_status(p->t, WG_OK, "");
    const double n = (double)wg_dim(p->rows[0], 0);
    const double eps = wg_dtype_of(p->m.w) == WG_F32 ? (double)FLT_EPSILON : DBL_EPSILON;
    const double most = 30 * (fabs(scale) * n + 10), bound = 20 * eps * most;
    wgt_assert_close(wg_item(wg_blocks_value(b)), wg_item(y), 0, bound);
    for (int k = 0; k < 2; k++)
        for (int64_t i = 0; i < wg_size(g[k]); i++)
            wgt_assert_close(wg_at(wg_blocks_gradient(b, k), i), wg_at(g[k], i), 0, bound);
    wg_tape_rewind(p->t, mark);
}

START_TEST(test_blocks_are_the_batch)
{
    const int64_t n[] = {1, 2, 7, 64, 100, 1000}, rows[] = {0, 1, 2, 7, 32, 5000};
    const wg_dtype dtype = _i % 2 ? WG_F32 : WG_F64;
    for (size_t i = 0; i < 6; i++)
        for (size_t k = 0; k < 6; k++) {
            problem p = problem_new(n[i], dtype, NULL);
            const double scale = k % 2 ? 1 / (double)n[i] : 1;
            wg_tensor *penalty = i % 2 ? wg_sum(wg_square(p.m.w)) : NULL;
            wg_blocks *b = blocks_of(&p, &(wg_blocks_options){rows[k], k % 2 ? scale : 0, penalty});
            const int64_t each = rows[k] > 0 && rows[k] < n[i] ? rows[k] : n[i];
            ck_assert_int_eq(b->full.rows, each);
            ck_assert_int_eq(b->shards.blocks, (n[i] + each - 1) / each);
            ck_assert_int_eq(p.m.calls, n[i] % each == 0 ? 1 : 2);
            is_the_whole_batch(&p, b, scale, penalty);
            wg_fill_normal(p.m.w, 0, 1, 9);
            wg_replay(p.t);
            is_the_whole_batch(&p, b, scale, penalty);
            problem_free(&p);
        }
}
END_TEST

START_TEST(test_no_rows)
{
    problem p = problem_new(0, WG_F64, NULL);
    wg_tensor *penalty = wg_sum(wg_square(p.m.b));
    wg_blocks *b = blocks_of(&p, &(wg_blocks_options){.penalty = penalty});
    ck_assert_int_eq(wg_blocks_run(b), WG_OK);
    wgt_assert_same_bits(wg_item(wg_blocks_value(b)), wg_item(penalty));
    wgt_assert_same_bits(wg_at(wg_blocks_gradient(b, 0), 0), 0);
    wgt_assert_same_bits(wg_at(wg_blocks_gradient(b, 1), 1), 2 * wg_at(p.m.b, 1));
    problem_free(&p);
}
END_TEST

START_TEST(test_the_same_bits_with_threads)
{
    const int threads[] = {1, 2, 3, 4, 8};
    const wg_dtype dtype = _i % 2 ? WG_F32 : WG_F64;
    problem alone = problem_new(MOST, dtype, NULL);
    const wg_blocks_options options = {.rows = _i < 2 ? 37 : 250};
    wg_blocks *want = blocks_of(&alone, &options);
    ck_assert_int_eq(wg_blocks_run(want), WG_OK);
    for (int i = 0; i < 5; i++) {
        wg_pool *pool = wg_pool_new(threads[i], NULL);
        problem p = problem_new(MOST, dtype, &(wg_tape_options){.pool = pool});
        wg_blocks *b = blocks_of(&p, &options);
        for (int run = 0; run < 5; run++) {
            ck_assert_int_eq(wg_blocks_run(b), WG_OK);
            wgt_assert_same_bits(wg_item(wg_blocks_value(b)), wg_item(wg_blocks_value(want)));
            for (int k = 0; k < 2; k++)
                for (int64_t j = 0; j < wg_size(p.param[k]); j++)
                    wgt_assert_same_bits(wg_at(wg_blocks_gradient(b, k), j),
                                         wg_at(wg_blocks_gradient(want, k), j));
        }
        problem_free(&p);
        wg_pool_free(pool);
    }
    problem_free(&alone);
}
END_TEST

/* 1, then a great many terms that a plain sum in double would lose one by one. A shard's sum is
 * rounded once, and so are the six on its way to the root: 7 roundings of eps/2 of about 1. */
static wg_tensor *plain_sum(wg_tape *t, wg_tensor *const rows[], void *user)
{
    (void)t;
    return wg_sum(wg_mul(rows[0], user));
}

START_TEST(test_sums_are_compensated)
{
    static double x[MOST];
    wg_tape *t = wgt_strict_tape();
    for (int i = 0; i < MOST; i++)
        x[i] = i == 0 ? 1 : DBL_EPSILON / 4;
    wg_tensor *one = wgt_scalar_param(t, "one", 1);
    wg_tensor *X = wg_input(t, "x", WG_F64, WG_SHAPE(MOST), x);
    wg_blocks *b = wg_blocks_new(&X, 1, &one, 1, plain_sum, one, &(wg_blocks_options){.rows = 1});
    wg_blocks_run(b);
    const double want = 1 + (MOST - 1) * (DBL_EPSILON / 4), bound = 7 * (DBL_EPSILON / 2);
    wgt_assert_close(wg_item(wg_blocks_value(b)), want, 0, bound);
    wgt_assert_close(wg_item(wg_blocks_gradient(b, 0)), want, 0, bound);
    wg_tape_free(t);
}
END_TEST

/* In f32 the value is kept in double. */
START_TEST(test_value_of_f32)
{
    static float x[MOST];
    wg_tape *t = wgt_strict_tape();
    for (int i = 0; i < MOST; i++)
        x[i] = i == 0 ? 16777216 : 1;
    wg_tensor *one = wg_param(t, "one", WG_F32, WG_SCALAR);
    wg_write(one, &(float){1}, sizeof(float));
    wg_tensor *X = wg_input(t, "x", WG_F32, WG_SHAPE(MOST), x);
    wg_blocks *b = wg_blocks_new(&X, 1, &one, 1, plain_sum, one, &(wg_blocks_options){.rows = 10});
    wg_blocks_run(b);
    ck_assert_int_eq(wg_dtype_of(wg_blocks_value(b)), WG_F64);
    ck_assert_int_eq(wg_dtype_of(wg_blocks_gradient(b, 0)), WG_F32);
    wgt_assert_close(wg_item(wg_blocks_value(b)), 16777216.0 + MOST - 1, 0,
                     10); /* first block: f32 */
    wg_tape_free(t);
}
END_TEST

/* A parameter of f64 under a loss of f32: its gradient is compensated, and keeps what f32 lost of a
 * term alone. */
static wg_tensor *narrow_sum(wg_tape *t, wg_tensor *const rows[], void *user)
{
    (void)t;
    return wg_cast(wg_sum(wg_mul(rows[0], user)), WG_F32);
}

START_TEST(test_wide_parameter_of_a_narrow_loss)
{
    static double x[MOST];
    wg_tape *t = wgt_strict_tape();
    for (int i = 0; i < MOST; i++)
        x[i] = i == 0 ? 1 : DBL_EPSILON / 4;
    wg_tensor *one = wgt_scalar_param(t, "one", 1);
    wg_tensor *X = wg_input(t, "x", WG_F64, WG_SHAPE(MOST), x);
    wg_blocks *b = wg_blocks_new(&X, 1, &one, 1, narrow_sum, one, &(wg_blocks_options){.rows = 1});
    wg_blocks_run(b);
    const double want = 1 + (MOST - 1) * (DBL_EPSILON / 4), bound = 7 * (DBL_EPSILON / 2);
    wgt_assert_close(wg_item(wg_blocks_gradient(b, 0)), want, 0, bound);
    wg_tape_free(t);
}
END_TEST

START_TEST(test_infinite_sum)
{
    double x[] = {1, (double)INFINITY, 2};
    wg_tape *t = wgt_strict_tape();
    wg_tensor *one = wgt_scalar_param(t, "one", 1), *X = wg_input(t, "x", WG_F64, WG_SHAPE(3), x);
    wg_blocks *b = wg_blocks_new(&X, 1, &one, 1, plain_sum, one, &(wg_blocks_options){.rows = 1});
    wg_blocks_run(b);
    wgt_assert_same_bits(wg_item(wg_blocks_value(b)), (double)INFINITY);
    wg_tape_free(t);
}
END_TEST

START_TEST(test_staleness_and_binding)
{
    problem p = problem_new(50, WG_F64, NULL);
    double other[50 * COLUMNS] = {0};
    wg_blocks *b = blocks_of(&p, &(wg_blocks_options){.rows = 16});
    wg_tensor *value = wg_blocks_value(b);
    ck_assert(wg_is_stale(value));
    const wg_mark mark = wg_tape_mark(p.t);
    ck_assert_double_nan(wg_item(value));
    ck_assert_int_eq(wg_tape_status(p.t), WG_E_STALE);
    wg_tape_rewind(p.t, mark);
    wg_blocks_run(b);
    ck_assert(!wg_is_stale(value));
    ck_assert_double_finite(wg_item(value));
    wg_fill_normal(p.m.w, 0, 1, 5);
    ck_assert(wg_is_stale(value));
    ck_assert(wg_is_stale(wg_blocks_gradient(b, 1)));
    wg_replay(p.t); /* of the tape; it does not run blocks */
    ck_assert(wg_is_stale(value));
    wg_blocks_run(b);
    ck_assert(!wg_is_stale(value));
    ck_assert_int_eq(wg_bind(p.rows[0], other), WG_OK);
    ck_assert(wg_is_stale(value));
    wg_replay(p.t);
    is_the_whole_batch(&p, b, 1, NULL);
    problem_free(&p);
}
END_TEST

/* Whoever meets it first: the message is that of the first row that is wrong. */
START_TEST(test_error_in_a_block)
{
    for (int threads = 1; threads <= 4; threads *= 2) {
        wg_pool *pool = wg_pool_new(threads, NULL);
        problem p = problem_new(1000, WG_F64, &(wg_tape_options){.pool = pool});
        wg_blocks *b = blocks_of(&p, &(wg_blocks_options){.rows = 10});
        const wg_mark mark = wg_tape_mark(p.t);
        p.labels[905] = 7, p.labels[333] = -5;
        for (int run = 0; run < 3; run++) {
            ck_assert_int_eq(wg_blocks_run(b), WG_E_INDEX);
            wgt_assert_status(p.t, WG_E_INDEX, "(in the block from row 330 on)");
            ck_assert_double_nan(wg_item(wg_blocks_value(b)));
            ck_assert(wg_is_stale(wg_blocks_value(b)));
            ck_assert_double_nan(wg_at(wg_blocks_gradient(b, 0), 3));
            wg_tape_rewind(p.t, mark);
        }
        p.labels[905] = p.labels[333] = 0;
        is_the_whole_batch(&p, b, 1, NULL);
        problem_free(&p);
        wg_pool_free(pool);
    }
}
END_TEST

static wg_tensor *not_one_element(wg_tape *t, wg_tensor *const rows[], void *user)
{
    (void)t;
    return wg_mul(rows[0], user);
}

START_TEST(test_mistakes)
{
    problem p = problem_new(50, WG_F64, NULL);
    const wg_mark mark = wg_tape_mark(p.t);
    wg_tensor *computed = wg_tanh(p.rows[0]);
    wg_tensor *wrong[] = {p.rows[0], wg_input(p.t, "y", WG_I64, WG_SHAPE(49), p.labels)};
    wg_tensor *live[] = {computed, p.rows[1]}, *gap[] = {p.rows[0], NULL};
    const wg_mark made = wg_tape_mark(p.t);
    const struct {
        wg_tensor **rows;
        wg_blocks_options options;
        wg_status status;
    } row[] = {
        {wrong, {0}, WG_E_SHAPE},
        {live, {0}, WG_E_VALUE},
        {gap, {0}, WG_E_NULL},
        {p.rows, {.rows = -1}, WG_E_VALUE},
        {p.rows, {.scale = (double)NAN}, WG_E_VALUE},
        {p.rows, {.penalty = p.m.w}, WG_E_SHAPE},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        wg_blocks *b = wg_blocks_new(row[i].rows, 2, p.param, 2, softmax_loss, &p.m,
                                     &row[i].options);
        wgt_assert_status(p.t, row[i].status, "");
        ck_assert_int_eq(wg_blocks_run(b), WG_E_NULL);
        ck_assert(wg_is_inert(wg_blocks_value(b)));
        ck_assert(wg_is_inert(wg_blocks_gradient(b, 0)));
        ck_assert_int_eq(wg_blocks_params(b), 0);
        wg_tape_rewind(p.t, made);
    }
    wg_blocks_new(p.rows, 1, p.param, 1, not_one_element, p.m.w, NULL);
    wgt_assert_status(p.t, WG_E_SHAPE, "");
    wg_tape_rewind(p.t, made);
    wg_blocks_new(p.rows, 2, p.param, 2, NULL, NULL, NULL);
    wgt_assert_status(p.t, WG_E_NULL, "the loss is NULL");
    wg_tape_rewind(p.t, mark);
    wg_blocks_new(p.rows, 2, p.param, -1, softmax_loss, &p.m, NULL);
    wgt_assert_status(p.t, WG_E_VALUE, "blocks: 2 rows, -1 parameters");
    wg_tape_rewind(p.t, mark);
    wg_blocks *b = blocks_of(&p, NULL);
    ck_assert_int_eq(wg_blocks_params(b), 2);
    ck_assert_int_eq(wg_blocks_params(NULL), 0);
    ck_assert_ptr_eq(wg_blocks_param(b, 1), p.param[1]);
    ck_assert(wg_is_inert(wg_blocks_param(NULL, 0)));
    ck_assert(wg_is_inert(wg_blocks_gradient(b, 2)));
    wgt_assert_status(p.t, WG_E_INDEX, "no parameter 2 of 2");
    problem_free(&p);
}
END_TEST

START_TEST(test_running_allocates_nothing)
{
    wgt_memory m = {0};
    problem p = problem_new(1000, WG_F32, &(wg_tape_options){.allocator = wgt_allocator(&m)});
    wg_blocks *b = blocks_of(&p, &(wg_blocks_options){.rows = 64});
    const int64_t calls = m.calls;
    for (int i = 0; i < 5; i++) {
        wg_fill_normal(p.m.w, 0, 1, (uint64_t)i);
        ck_assert_int_eq(wg_blocks_run(b), WG_OK);
    }
    ck_assert_int_eq(m.calls, calls);
    problem_free(&p);
    ck_assert_int_eq(m.blocks, 0);
}
END_TEST

/* ---- Rows that are read ---------------------------------------------------------------------- */

typedef struct rows_source {
    const double *X;
    int64_t rows, before; /* how many there are; numbers that `read` has for those before */
} rows_source;

static const char *read_rows(void *user, int64_t first, int64_t n, void *to)
{
    const rows_source *s = user;
    first -= s->before;
    if (first < 0 || first + n > s->rows)
        return "there are no such rows";
    memcpy(to, s->X + first * COLUMNS, sizeof *s->X * (size_t)(n * COLUMNS));
    return NULL;
}

static wg_blocks *streamed_blocks(problem *p, rows_source *s, int64_t n, int64_t rows)
{
    const wg_stream stream = {.read = read_rows, .user = s, .first = s->before};
    wg_tensor *X = wg_streamed(p->t, "X", WG_F64, WG_SHAPE(n, COLUMNS), &stream);
    wg_tensor *const both[] = {X, p->rows[1]};
    return wg_blocks_new(both, 2, p->param, 2, softmax_loss, &p->m,
                         &(wg_blocks_options){.rows = rows});
}

/* The same bits as from memory, whatever the blocks and the threads. */
START_TEST(test_streamed_rows)
{
    wg_pool *pool = wg_pool_new(2, NULL);
    const int64_t n[] = {1, 7, 100, 1000}, rows[] = {0, 1, 7, 64};
    for (int i = 0; i < 16; i++) {
        problem p = problem_new(n[i / 4], WG_F64, &(wg_tape_options){.pool = i % 2 ? pool : NULL});
        rows_source s = {p.X, n[i / 4], i};
        wg_blocks *b = blocks_of(&p, &(wg_blocks_options){.rows = rows[i % 4]});
        wg_blocks *from = streamed_blocks(&p, &s, n[i / 4], rows[i % 4]);
        for (int run = 0; run < 2; run++) {
            wg_fill_normal(p.m.w, 0, 1, 3 + (uint64_t)run);
            ck_assert_int_eq(wg_blocks_run(b), WG_OK);
            ck_assert_int_eq(wg_blocks_run(from), WG_OK);
            wgt_assert_same_bits(wg_item(wg_blocks_value(from)), wg_item(wg_blocks_value(b)));
            wgt_assert_same_bytes(wg_data_f64(wg_blocks_gradient(from, 0)),
                                  wg_data_f64(wg_blocks_gradient(b, 0)),
                                  sizeof(double) * COLUMNS * CLASSES);
        }
        problem_free(&p);
    }
    wg_pool_free(pool);
}
END_TEST

START_TEST(test_streamed_rows_that_fail)
{
    problem p = problem_new(100, WG_F64, NULL);
    const wg_mark mark = wg_tape_mark(p.t);
    rows_source s = {p.X, 90, 1000};
    wg_blocks *b = streamed_blocks(&p, &s, 100, 20);
    ck_assert_int_eq(wg_blocks_run(b), WG_E_IO);
    wgt_assert_status(p.t, WG_E_IO, "X (100, 5), rows from 1080 on: there are no such rows");
    ck_assert(isnan(wg_item(wg_blocks_value(b))));
    wg_tape_rewind(p.t, mark);
    s.rows = 10;
    ck_assert_int_eq(wg_blocks_run(streamed_blocks(&p, &s, 100, 20)), WG_E_IO);
    wgt_assert_status(p.t, WG_E_IO, "rows from 1000 on");
    wg_tape_rewind(p.t, mark);
    ck_assert(wg_is_inert(wg_streamed(p.t, "X", WG_F64, WG_SHAPE(2), NULL)));
    wgt_assert_status(p.t, WG_E_NULL, "streamed X: there is nothing to read from");
    wg_tape_rewind(p.t, mark);
    const wg_stream stream = {.read = read_rows, .user = &s};
    ck_assert(wg_is_inert(wg_streamed(p.t, "X", WG_F64, WG_SCALAR, &stream)));
    wgt_assert_status(p.t, WG_E_SHAPE, "X: rows wanted");
    problem_free(&p);
}
END_TEST

/* An op of a user that refuses, and does not say why, has no part in a sum. */
static bool check_silently(const wg_tensor *y)
{
    const wg_tensor *x = y->operand[0];
    bool good = true;
    for (int64_t i = 0; i < x->size; i++)
        good = good && wg_element(x, i) < 1000;
    return good;
}

static wg_tensor *refusing_loss(wg_tape *t, wg_tensor *const rows[], void *user)
{
    static _Thread_local wg_op op;
    const model *m = user;
    wg_tensor *x = rows[0];
    (void)t;
    op = wgt_op_sine;
    op.check = check_silently;
    return wg_sum(wg_matmul(wg_apply(&op, &x, 1, NULL), m->w));
}

START_TEST(test_a_silent_check)
{
    problem p = problem_new(100, WG_F64, NULL);
    wg_blocks *b = wg_blocks_new(p.rows, 2, p.param, 2, refusing_loss, &p.m,
                                 &(wg_blocks_options){.rows = 30});
    ck_assert_int_eq(wg_blocks_run(b), WG_OK);
    const wg_mark mark = wg_tape_mark(p.t);
    p.X[40 * COLUMNS] = 2000;
    ck_assert_int_eq(wg_blocks_run(b), WG_E_VALUE);
    wgt_assert_status(p.t, WG_E_VALUE, "the op refuses its operands and does not say why");
    ck_assert(wg_is_stale(wg_blocks_value(b)));
    wg_tape_rewind(p.t, mark);
    ck_assert(wg_is_inert(wg_blocks_value(wg_blocks_derived(b, NULL, NULL))));
    wgt_assert_status(p.t, WG_E_NULL, "blocks: the function that derives is NULL");
    problem_free(&p);
}
END_TEST

/* What blocks record is of no rows: a replay does not read the memory that they had once. */
START_TEST(test_replay_reads_no_rows)
{
    problem p = problem_new(100, WG_F64, NULL), q = problem_new(100, WG_F64, NULL);
    wg_blocks *b = blocks_of(&p, &(wg_blocks_options){.rows = 30});
    ck_assert_int_eq(wg_bind(p.rows[0], q.X), WG_OK);
    ck_assert_int_eq(wg_bind(p.rows[1], q.labels), WG_OK);
    for (int i = 0; i < 100; i++)
        p.labels[i] = CLASSES; /* out of range, and nobody's any more */
    ck_assert_int_eq(wg_replay(p.t), WG_OK);
    ck_assert_int_eq(wg_blocks_run(b), WG_OK);
    problem_free(&p);
    problem_free(&q);
}
END_TEST

static bool made_with_failing_memory(int64_t fail_at)
{
    wgt_memory m = {0};
    problem p = problem_new(3000, WG_F64, &(wg_tape_options){.allocator = wgt_allocator(&m)});
    const wg_mark mark = wg_tape_mark(p.t);
    m.fail_at = m.calls + fail_at;
    wg_blocks *b = blocks_of(&p, NULL);
    const bool made = m.failed == 0;
    m.fail_at = 0;
    if (!made) {
        ck_assert_int_eq(wg_tape_status(p.t), WG_E_NOMEM);
        ck_assert_int_eq(wg_blocks_run(b), WG_E_NULL);
        wg_tape_rewind(p.t, mark);
        b = blocks_of(&p, NULL);
    }
    is_the_whole_batch(&p, b, 1, NULL);
    problem_free(&p);
    ck_assert_int_eq(m.blocks, 0);
    return made;
}

START_TEST(test_failing_memory)
{
    int64_t at = 1;
    while (!made_with_failing_memory(at))
        at++;
    ck_assert_int_gt(at, 2);
}
END_TEST

Suite *suite_blocks(void)
{
    Suite *suite = suite_create("blocks");
    TCase *cases = tcase_create("blocks");
    tcase_add_loop_test(cases, test_blocks_are_the_batch, 0, 2);
    tcase_add_test(cases, test_no_rows);
    tcase_add_loop_test(cases, test_the_same_bits_with_threads, 0, 4);
    tcase_add_test(cases, test_sums_are_compensated);
    tcase_add_test(cases, test_value_of_f32);
    tcase_add_test(cases, test_wide_parameter_of_a_narrow_loss);
    tcase_add_test(cases, test_infinite_sum);
    tcase_add_test(cases, test_staleness_and_binding);
    tcase_add_test(cases, test_error_in_a_block);
    tcase_add_test(cases, test_mistakes);
    tcase_add_test(cases, test_running_allocates_nothing);
    tcase_add_test(cases, test_streamed_rows);
    tcase_add_test(cases, test_streamed_rows_that_fail);
    tcase_add_test(cases, test_replay_reads_no_rows);
    tcase_add_test(cases, test_a_silent_check);
    tcase_add_test(cases, test_failing_memory);
    suite_add_tcase(suite, cases);
    return suite;
}
