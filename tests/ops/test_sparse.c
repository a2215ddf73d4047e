/* Sparse rows: values, derivatives by everything that has one, edges, errors, parts. The walk over
 * the registry has the two ops, too. */
#include "autograd/check/gradcheck.h"
#include "autograd/grad.h"
#include "autograd/pool.h"
#include "ops/loss.h"
#include "ops/matmul.h"
#include "ops/registry.h"
#include "ops/sparse.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>
#include <string.h>

/* [[2, 0, -1], [0, 0, 0], [0, 0.5, 4]] */
static const int64_t start[] = {0, 2, 2, 4}, column[] = {0, 2, 1, 2};
static const double value[] = {2, -1, 0.5, 4};
static const double dense[] = {2, 0, -1, 0, 0, 0, 0, 0.5, 4};

static wg_tape *tape;

static void setup(void)
{
    tape = wg_tape_new(NULL);
}

static void teardown(void)
{
    wg_tape_free(tape);
}

static wg_csr *small(wg_tape *t)
{
    return wg_csr_new(t, WG_F64, 3, 3, start, column, value);
}

START_TEST(test_values)
{
    const double b[] = {1, 2, 3, 4, 5, 6}, y[] = {-3, -2, 0, 0, 21.5, 26};
    const double transposed[] = {2, 4, 2.5, 3, 19, 22};
    const wg_csr *A = small(tape);
    wg_tensor *B = wg_constant(tape, WG_F64, WG_SHAPE(3, 2), b);
    wgt_assert_same_bytes(wg_data_f64(wg_csr_matmul(A, false, B)), y, sizeof y);
    wgt_assert_same_bytes(wg_data_f64(wg_csr_matmul(A, true, B)), transposed, sizeof transposed);
    wgt_assert_same_bytes(wg_data_f64(wg_csr_dense(A)), dense, sizeof dense);
    ck_assert_int_eq(wg_tape_status(tape), WG_OK);
}
END_TEST

/* What is not stored is no factor: an infinity meets the stored entries alone, and a stored 0 is
 * one. */
START_TEST(test_infinities)
{
    const double b[] = {HUGE_VAL, 1, 1}, zero[] = {0, -1, 0.5, 4};
    wg_tensor *B = wg_constant(tape, WG_F64, WG_SHAPE(3, 1), b);
    const wg_tensor *y = wg_csr_matmul(small(tape), false, B);
    wgt_assert_that(wg_at(y, 0), ==, HUGE_VAL);
    wgt_assert_that(wg_at(y, 1), ==, 0);
    wgt_assert_that(wg_at(y, 2), ==, 4.5);
    const wg_csr *A = wg_csr_new(tape, WG_F64, 3, 3, start, column, zero);
    ck_assert_double_nan(wg_at(wg_csr_matmul(A, false, B), 0));
}
END_TEST

START_TEST(test_sums_are_compensated)
{
    enum { N = 100001 };
    static int64_t columns[N], starts[N + 1];
    static double ones[N], tenths[N];
    const int64_t row[] = {0, N};
    for (int64_t i = 0; i < N; i++)
        columns[i] = i, ones[i] = 1, tenths[i] = i == 0 ? 1e16 : 1;
    wg_tensor *B = wg_constant(tape, WG_F64, WG_SHAPE(N, 1), tenths);
    const wg_csr *wide = wg_csr_new(tape, WG_F64, 1, N, row, columns, ones);
    wgt_assert_same_bits(wg_item(wg_csr_matmul(wide, false, B)), 1e16 + 100000);
    for (int64_t i = 0; i < N; i++)
        columns[i] = 0, starts[i + 1] = i + 1;
    const wg_csr *tall = wg_csr_new(tape, WG_F64, N, 1, starts, columns, ones);
    wgt_assert_same_bits(wg_item(wg_csr_matmul(tall, true, B)), 1e16 + 100000);
}
END_TEST

/* A logistic regression on sparse rows: the loss and its gradient are those of the dense one. */
START_TEST(test_as_dense)
{
    const double labels[] = {1, 0, 1}, first[] = {0.3, -0.2, 0.1};
    const wg_csr *A = small(tape);
    wg_tensor *y = wg_constant(tape, WG_F64, WG_SHAPE(3, 1), labels);
    wg_tensor *w = wgt_param(tape, "w", WG_SHAPE(3, 1), first), *g, *g_dense;
    wg_tensor *loss = wg_bce_with_logits(wg_csr_matmul(A, false, w), y);
    wg_tensor *loss_dense = wg_bce_with_logits(wg_matmul(wg_csr_dense(A), w), y);
    wgt_assert_ulps(wg_item(loss), wg_item(loss_dense), 2);
    wg_grad(loss, &w, 1, &g);
    wg_grad(loss_dense, &w, 1, &g_dense);
    wgt_assert_all_close(wg_data_f64(g), wg_data_f64(g_dense), 3, 1e-15, 0);
    ck_assert_int_eq(wg_gradcheck(loss, &w, &g, 1, NULL, NULL), WG_CHECK_PASSED);
    ck_assert_int_eq(wg_gradcheck_second(loss, &w, 1, NULL, NULL), WG_CHECK_PASSED);
    ck_assert_int_eq(wg_tape_status(tape), WG_OK);
}
END_TEST

/* The entries' values and b as parameters, both ways round, first and second derivatives. */
START_TEST(test_gradcheck)
{
    const double b[] = {0.3, -0.2, 1.1, 0.4, -0.7, 0.9}, c[] = {1, 0.2, 0.5, 0.3, 0, 0.9};
    const struct {
        int64_t columns, transpose;
    } attrs = {3, _i};
    wg_tensor *v = wgt_param(tape, "v", WG_SHAPE(4), value);
    wg_tensor *B = wgt_param(tape, "B", WG_SHAPE(3, 2), b), *xs[] = {v, B};
    wg_tensor *s = wg_constant(tape, WG_I64, WG_SHAPE(4), start);
    wg_tensor *p = wg_constant(tape, WG_I64, WG_SHAPE(4), column);
    wg_tensor *y = wg_apply(wg_op_find("csr_matmul"), (wg_tensor *[]){v, s, p, B}, 4, &attrs);
    wg_tensor *loss = wg_bce_with_logits(y, wg_constant(tape, WG_F64, WG_SHAPE(3, 2), c));
    ck_assert_msg(wg_tape_status(tape) == WG_OK, "%s", wg_tape_message(tape));
    ck_assert_int_eq(wg_gradcheck(loss, xs, NULL, 2, NULL, NULL), WG_CHECK_PASSED);
    ck_assert_int_eq(wg_gradcheck_second(loss, xs, 2, NULL, NULL), WG_CHECK_PASSED);
}
END_TEST

START_TEST(test_take_rows)
{
    const int64_t rows[] = {2, 0, 2}, none[] = {1, 3};
    const double want[] = {0, 0.5, 4, 2, 0, -1, 0, 0.5, 4};
    const wg_csr *A = small(tape), *part = wg_csr_take_rows(A, rows, 3);
    wgt_assert_that(part->rows, ==, 3);
    wgt_assert_that(part->columns, ==, 3);
    wgt_assert_that(wg_size(part->value), ==, 6);
    wgt_assert_same_bytes(wg_data_f64(wg_csr_dense(part)), want, sizeof want);
    ck_assert_int_eq(wg_csr_take_rows(A, NULL, 0)->rows, 0);
    ck_assert_int_eq(wg_tape_status(tape), WG_OK);
    ck_assert_int_eq(wg_csr_take_rows(A, none, 2)->rows, 0);
    wgt_assert_status(tape, WG_E_INDEX, "no such row");
}
END_TEST

START_TEST(test_bad_matrix)
{
    static const struct {
        int64_t start[3], column[3];
        const char *message;
    } bad[] = {
        {{1, 2, 3}, {0, 1, 2}, "start does not begin with 0"},
        {{0, 3, 2}, {0, 1, 2}, "start falls, or passes the number of entries, behind row 0"},
        {{0, -1, 2}, {0, 1, 2}, "start falls, or passes the number of entries, behind row 0"},
        {{0, 2, 1}, {0, 1, 2}, "start falls, or passes the number of entries, behind row 0"},
        {{0, 1, 3}, {0, 1, 1}, "in row 1"},
        {{0, 1, 3}, {0, 2, 1}, "in row 1"},
        {{0, 1, 3}, {-1, 1, 2}, "in row 0"},
        {{0, 1, 3}, {0, 1, 3}, "in row 1"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const wg_mark mark = wg_tape_mark(tape);
        const wg_csr *A = wg_csr_new(tape, WG_F64, 2, 3, bad[i].start, bad[i].column, value);
        wgt_assert_status(tape, WG_E_INDEX, bad[i].message);
        ck_assert_ptr_null(A->value);
        wgt_assert_that(A->rows, ==, 0);
        wg_tape_rewind(tape, mark);
    }
    const wg_mark mark = wg_tape_mark(tape);
    wg_csr_new(tape, WG_I64, 3, 3, start, column, value);
    wgt_assert_status(tape, WG_E_DTYPE, "f32 or f64");
    wg_tape_rewind(tape, mark);
    wg_csr_new(tape, WG_F64, -1, 3, start, column, value);
    wgt_assert_status(tape, WG_E_VALUE, "negative");
    wg_tape_rewind(tape, mark);
    wg_csr_new(tape, WG_F64, 3, 3, start, NULL, value);
    wgt_assert_status(tape, WG_E_NULL, "");
}
END_TEST

/* A pattern in inputs may be changed, and is looked at in every run. */
START_TEST(test_pattern_in_inputs)
{
    int64_t moving[] = {0, 2, 1, 2};
    const struct {
        int64_t columns, transpose;
    } attrs = {3, 1};
    wg_tensor *v = wg_constant(tape, WG_F64, WG_SHAPE(4), value);
    wg_tensor *s = wg_constant(tape, WG_I64, WG_SHAPE(4), start);
    wg_tensor *p = wg_input(tape, "p", WG_I64, WG_SHAPE(4), moving);
    wg_tensor *b = wg_full(tape, WG_F64, WG_SHAPE(3, 1), 1);
    const wg_tensor *y = wg_apply(wg_op_find("csr_matmul"), (wg_tensor *[]){v, s, p, b}, 4, &attrs);
    wgt_assert_that(wg_at(y, 0), ==, 2);
    moving[3] = 1000000;
    wg_bind(p, moving);
    ck_assert_int_eq(wg_replay(tape), WG_E_INDEX);
    wgt_assert_status(tape, WG_E_INDEX, "in row 2: ");
}
END_TEST

static void check_operand(wg_tensor *b, wg_status code, const char *part)
{
    const wg_mark mark = wg_tape_mark(tape);
    const wg_csr *A = wg_csr_new(tape, WG_F64, 3, 3, start, column, value);
    ck_assert(wg_is_inert(wg_csr_matmul(A, false, b)));
    wgt_assert_status(tape, code, part);
    wg_tape_rewind(tape, mark);
}

START_TEST(test_errors)
{
    check_operand(wg_full(tape, WG_F64, WG_SHAPE(4, 1), 0), WG_E_SHAPE,
                  "csr_matmul: A (3, 3) wants a matrix of 3 rows");
    check_operand(wg_full(tape, WG_F64, WG_SHAPE(3), 0), WG_E_SHAPE, "wants a matrix of 3 rows");
    check_operand(wg_full(tape, WG_F32, WG_SHAPE(3, 1), 0), WG_E_DTYPE, "dtypes differ");
    check_operand(NULL, WG_E_NULL, "operand 3 is NULL");
    wg_tensor *b = wg_full(tape, WG_F64, WG_SHAPE(3, 1), 0);
    const wg_mark mark = wg_tape_mark(tape);
    ck_assert(wg_is_inert(wg_csr_matmul(NULL, false, b)));
    wgt_assert_status(tape, WG_E_NULL, "");
    wg_tape_rewind(tape, mark);
    ck_assert(wg_is_inert(wg_csr_matmul(wg_csr_none(), true, b)));
    ck_assert(wg_is_inert(wg_csr_dense(NULL)));
    ck_assert(wg_is_inert(wg_csr_dense(wg_csr_none())));
    ck_assert_int_eq(wg_csr_take_rows(NULL, start, 1)->rows, 0);
    ck_assert_ptr_null(wg_csr_new(NULL, WG_F64, 3, 3, start, column, value)->value);
    ck_assert_ptr_null(wg_csr_new(tape, WG_F64, 3, 3, NULL, column, value)->value);
}
END_TEST

/* Large enough to be cut: the same bits with threads and without, in both directions and types. */
START_TEST(test_threads)
{
    enum { ROWS = 3000, COLUMNS = 700, EACH = 40, K = 3 };
    static int64_t starts[ROWS + 1], columns[ROWS * EACH];
    static double values[ROWS * EACH], b[ROWS * K];
    static float narrow[ROWS * EACH], narrow_b[ROWS * K];
    const bool f32 = _i >= 2, transpose = _i % 2 == 1;
    for (int64_t i = 0; i < ROWS * EACH; i++) {
        starts[i / EACH + 1] = i + 1;
        columns[i] = i % EACH * 17 + i / EACH % 17;
        narrow[i] = (float)(values[i] = sin((double)i));
    }
    for (int64_t i = 0; i < ROWS * K; i++)
        narrow_b[i] = (float)(b[i] = cos((double)i));
    double *result[2];
    wg_tape *tapes[2];
    wg_pool *pool = wg_pool_new(3, NULL);
    const wg_dtype dtype = f32 ? WG_F32 : WG_F64;
    const wg_tensor *y[2];
    for (int i = 0; i < 2; i++) {
        tapes[i] = wg_tape_new(&(wg_tape_options){.pool = i == 1 ? pool : NULL});
        const wg_csr *A = wg_csr_new(tapes[i], dtype, ROWS, COLUMNS, starts, columns,
                                     f32 ? (const void *)narrow : values);
        wg_tensor *B = wg_constant(tapes[i], dtype, WG_SHAPE(transpose ? ROWS : COLUMNS, K),
                                   f32 ? (const void *)narrow_b : b);
        y[i] = wg_csr_matmul(A, transpose, B);
        ck_assert_msg(wg_tape_status(tapes[i]) == WG_OK, "%s", wg_tape_message(tapes[i]));
        result[i] = y[i]->data;
    }
    wgt_assert_same_bytes(result[0], result[1], (size_t)wg_size(y[0]) * wg_dtype_size(dtype));
    wg_tape_free(tapes[0]);
    wg_tape_free(tapes[1]);
    wg_pool_free(pool);
}
END_TEST

START_TEST(test_no_memory)
{
    for (int64_t fail_at = 1;; fail_at++) {
        const int64_t rows[] = {2, 0};
        wgt_memory memory = {0};
        wg_tape *t = wgt_tape(&memory);
        memory.fail_at = memory.calls + fail_at;
        const wg_csr *part = wg_csr_take_rows(small(t), rows, 2);
        const wg_tensor *y = wg_csr_matmul(part, true, wg_full(t, WG_F64, WG_SHAPE(2, 600), 1));
        const bool failed = memory.failed > 0;
        ck_assert_int_eq(wg_tape_status(t), failed ? WG_E_NOMEM : WG_OK);
        wgt_assert_that(wg_is_inert(y), ==, failed);
        wg_tape_free(t);
        ck_assert_int_eq(memory.blocks, 0);
        if (!failed)
            break;
    }
}
END_TEST

/* Operands that wg_csr_matmul never gives, through wg_apply: each is refused with a reason. */
START_TEST(test_operands_are_checked)
{
    wg_tensor *s = wg_constant(tape, WG_I64, WG_SHAPE(4), start);
    wg_tensor *c = wg_constant(tape, WG_I64, WG_SHAPE(4), column);
    wg_tensor *v = wg_constant(tape, WG_F64, WG_SHAPE(4), value);
    wg_tensor *m = wg_constant(tape, WG_F64, WG_SHAPE(3, 3), dense);
    wg_tensor *two = wg_constant(tape, WG_F64, WG_SHAPE(2), value);
    wg_tensor *zero = wg_scalar(tape, WG_I64, 0);
    const wg_mark mark = wg_tape_mark(tape);
    struct {
        const char *op;
        wg_tensor *operand[4];
        int64_t columns;
        const char *says;
    } row[] = {{"csr_matmul", {v, v, c, m}, 3, "start and column are to be i64"},
               {"csr_matmul", {c, s, c, c}, 3, "f32 or f64 wanted"},
               {"csr_matmul", {v, zero, c, m}, 3, "start (rows + 1) and column (entries) wanted"},
               {"csr_matmul", {two, s, c, m}, 3, "a value for each column wanted"},
               {"csr_matmul", {v, s, c, m}, -1, "-1 columns"},
               {"csr_sampled", {v, c, m, m}, 3, "start and column are to be i64"},
               {"csr_sampled", {s, c, v, m}, 3, "u (rows, k) and v (columns, k) wanted"}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        const int64_t attrs[2] = {row[i].columns, 0};
        ck_assert(wg_is_inert(wg_apply(wg_op_find(row[i].op), row[i].operand, 4, attrs)));
        wgt_assert_contains(wg_tape_message(tape), row[i].says);
        wg_tape_rewind(tape, mark);
    }
}
END_TEST

Suite *suite_sparse(void)
{
    Suite *suite = suite_create("sparse");
    TCase *cases = tcase_create("sparse");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, test_values);
    tcase_add_test(cases, test_infinities);
    tcase_add_test(cases, test_sums_are_compensated);
    tcase_add_test(cases, test_as_dense);
    tcase_add_loop_test(cases, test_gradcheck, 0, 2);
    tcase_add_test(cases, test_take_rows);
    tcase_add_test(cases, test_bad_matrix);
    tcase_add_test(cases, test_pattern_in_inputs);
    tcase_add_test(cases, test_errors);
    tcase_add_test(cases, test_operands_are_checked);
    tcase_add_loop_test(cases, test_threads, 0, 4);
    tcase_add_test(cases, test_no_memory);
    suite_add_tcase(suite, cases);
    return suite;
}
