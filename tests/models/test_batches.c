/* Mini-batches: rows in their order, the loss of a batch, errors. */
#include "models/wengert.h"
#include "tests/support/assert.h"
#include "tests/support/fixture.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <string.h>

/* Ten rows: X[i] = (i, -i), y[i] = i. */
static void ten_rows(wg_tensor **X, wg_tensor **y)
{
    double x[20];
    int64_t c[10];
    for (int i = 0; i < 10; i++)
        x[2 * i] = i, x[2 * i + 1] = -i, c[i] = i;
    *X = wg_constant(tape, WG_F64, WG_SHAPE(10, 2), x);
    *y = wg_constant(tape, WG_I64, WG_SHAPE(10), c);
}

/* One epoch's rows in their order; the two inputs hold the same rows. */
static int64_t collect(wg_batches *batches, int64_t epoch, int64_t order[10])
{
    int64_t rows, total = 0;
    for (wg_batches_start(batches, epoch); (rows = wg_batches_next(batches)) > 0;) {
        const bool full = rows == wg_dim(wg_batches_input(batches, 0), 0);
        const wg_tensor *X = full ? wg_batches_input(batches, 0)
                                  : wg_batches_short_input(batches, 0);
        const wg_tensor *y = full ? wg_batches_input(batches, 1)
                                  : wg_batches_short_input(batches, 1);
        ck_assert_int_eq(wg_dim(X, 0), rows);
        for (int64_t i = 0; i < rows; i++) {
            order[total + i] = wg_data_i64(y)[i];
            wgt_assert_that(wg_at(X, 2 * i), ==, (double)wg_data_i64(y)[i]);
            wgt_assert_that(wg_at(X, 2 * i + 1), ==, -(double)wg_data_i64(y)[i]);
        }
        total += rows;
    }
    ck_assert_int_eq(wg_batches_next(batches), 0);
    return total;
}

START_TEST(test_batches)
{
    wg_tensor *X, *y;
    ten_rows(&X, &y);
    wg_batches *batches = wg_batches_new((wg_tensor *[]){X, y}, 2,
                                         &(wg_batches_options){.size = 4, .seed = 5});
    ck_assert_int_eq(wg_dim(wg_batches_input(batches, 0), 0), 4);
    ck_assert_int_eq(wg_dim(wg_batches_short_input(batches, 0), 0), 2);
    ck_assert_int_eq(wg_batches_next(batches), 0); /* no epoch was begun */
    int64_t first[10], second[10], again[10], seen = 0;
    ck_assert_int_eq(collect(batches, 0, first), 10);
    ck_assert_int_eq(collect(batches, 1, second), 10);
    ck_assert_int_eq(collect(batches, 0, again), 10);
    for (int i = 0; i < 10; i++)
        seen |= 1 << first[i];
    ck_assert_int_eq(seen, 1023);
    wgt_assert_same_bytes(first, again, sizeof first);
    ck_assert(memcmp(first, second, sizeof first) != 0);
    expect_ok(tape);
}
END_TEST

START_TEST(test_batches_options)
{
    wg_tensor *X, *y;
    int64_t order[10];
    ten_rows(&X, &y);
    wg_tensor *sources[] = {X, y};
    wg_batches *even = wg_batches_new(sources, 2,
                                      &(wg_batches_options){.size = 5, .in_order = true});
    ck_assert_ptr_eq(wg_batches_short_input(even, 0), wg_batches_input(even, 0));
    ck_assert_ptr_eq(wg_batches_short_input(even, 1), wg_batches_input(even, 1));
    collect(even, 3, order);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(order[i], i);
    wg_batches *dropped = wg_batches_new(sources, 2,
                                         &(wg_batches_options){.size = 4, .drop_short = true});
    ck_assert_int_eq(collect(dropped, 0, order), 8);
    wg_batches *all = wg_batches_new(sources, 2, NULL);
    ck_assert_int_eq(wg_dim(wg_batches_input(all, 0), 0), 10);
    ck_assert_int_eq(collect(all, 0, order), 10);
    expect_ok(tape);
}
END_TEST

/* The mean of the squares of X w - 1 over a batch. */
static wg_tensor *line_loss(wg_tensor *const batch[], void *w)
{
    return wg_mean(wg_square(wg_shift(wg_matmul(batch[0], w), -1)));
}

/* The losses and gradients of the batches, each by rows that are picked by hand; 4 leaves a short
 * batch, 5 does not. */
START_TEST(test_batches_record)
{
    wg_tensor *X, *y;
    ten_rows(&X, &y);
    const int64_t size = _i == 0 ? 4 : 5;
    wg_tensor *w = wgt_param(tape, "w", WG_SHAPE(2, 1), (double[]){0.5, 0.25}), *g;
    wg_batches *b = wg_batches_new(
        (wg_tensor *[]){X, y}, 2,
        &(wg_batches_options){
            .size = size, .loss = line_loss, .params = &w, .n_params = 1, .user = w});
    wg_optimizer *sgd = wg_sgd_new(&w, 1, NULL);
    int64_t rows, steps = 0;
    for (int epoch = 0; epoch < 2; epoch++)
        for (wg_batches_start(b, epoch); (rows = wg_batches_next(b)) > 0; steps++) {
            wg_tensor *taken = rows == size ? wg_batches_input(b, 1) : wg_batches_short_input(b, 1);
            wg_tensor *by_hand = wg_gather_rows(X, taken), *loss = line_loss(&by_hand, w);
            wg_grad(loss, &w, 1, &g);
            wgt_assert_same_bits(wg_item(wg_batches_loss(b)), wg_item(loss));
            wgt_assert_same_bits(wg_at(wg_batches_grads(b)[0], 1), wg_at(g, 1));
            wg_optimizer_step(sgd, wg_batches_grads(b));
        }
    ck_assert_int_eq(steps, _i == 0 ? 6 : 4);
    expect_ok(tape);
}
END_TEST

START_TEST(test_batches_without_a_loss)
{
    wg_tensor *X, *y;
    ten_rows(&X, &y);
    wg_batches *b = wg_batches_new(&X, 1, NULL);
    const wg_mark mark = wg_tape_mark(tape);
    ck_assert_double_nan(wg_item(wg_batches_loss(b)));
    wgt_assert_status(tape, WG_E_VALUE, "no loss among their options");
    wg_tape_rewind(tape, mark);
    ck_assert_ptr_null(wg_batches_grads(b));
    ck_assert_int_eq(wg_tape_rewind(tape, mark), WG_E_VALUE);
    b = wg_batches_new(&X, 1, &(wg_batches_options){.loss = line_loss});
    wgt_assert_status(tape, WG_E_VALUE, "a loss without parameters");
    ck_assert_int_eq(wg_batches_next(b), 0);
    ck_assert_ptr_null(wg_batches_grads(NULL));
    ck_assert(wg_is_inert(wg_batches_loss(NULL)));
}
END_TEST

/* A batch makes stale what was computed from the one before. */
/* The loss that it is given, instead of one of the batch. */
static wg_tensor *given_loss(wg_tensor *const batch[], void *loss)
{
    (void)batch;
    return loss;
}

START_TEST(test_batches_loss_of_none)
{
    wg_tensor *X, *y, *w = wg_param(tape, "w", WG_F64, WG_SCALAR);
    wg_tape *other = wg_tape_new(NULL);
    ten_rows(&X, &y);
    const wg_mark mark = wg_tape_mark(tape);
    wg_batches_options options = {.loss = given_loss, .params = &w, .n_params = 1};
    wg_batches_new(&X, 1, &options);
    wgt_assert_status(tape, WG_E_NULL, "batches: the loss is NULL");
    wg_tape_rewind(tape, mark);
    options.user = wg_scalar(other, WG_F64, 1);
    wg_batches_new(&X, 1, &options);
    wgt_assert_status(tape, WG_E_TAPE, "batches: the loss is of another tape");
    ck_assert_int_eq(wg_tape_status(other), WG_OK);
    wg_tape_free(other);
}
END_TEST

START_TEST(test_batches_stale)
{
    wg_tensor *X, *y;
    ten_rows(&X, &y);
    wg_batches *batches = wg_batches_new(&X, 1, &(wg_batches_options){.size = 4, .in_order = true});
    wg_tensor *sum = wg_sum_over(wg_batches_input(batches, 0), 1, (const int[]){0}, false);
    wg_tensor *rest = wg_sum_over(wg_batches_short_input(batches, 0), 1, (const int[]){0}, false);
    wgt_assert_close(wg_at(sum, 0), 6, 0, 0); /* the first rows, 0 to 3 */
    wg_batches_start(batches, 0);
    const double want[] = {6, 22};
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(wg_batches_next(batches), 4);
        ck_assert(wg_is_stale(sum));
        wg_replay(tape);
        wgt_assert_close(wg_at(sum, 0), want[i], 0, 0);
    }
    ck_assert_int_eq(wg_batches_next(batches), 2);
    ck_assert(wg_is_stale(rest));
    ck_assert(!wg_is_stale(sum));
    wg_replay(tape);
    wgt_assert_close(wg_at(rest, 0), 17, 0, 0);
    wgt_assert_close(wg_at(sum, 0), 22, 0, 0);
}
END_TEST

START_TEST(test_batches_errors)
{
    wg_tensor *X, *y, *scalar = wg_scalar(tape, WG_F64, 1);
    ten_rows(&X, &y);
    wg_tensor *fewer = wg_full(tape, WG_F64, WG_SHAPE(9), 1);
    wg_tensor *empty = wg_full(tape, WG_F64, WG_SHAPE(0, 2), 1);
    expect_error_of(wg_batches_new((wg_tensor *[]){X, fewer}, 2, NULL), WG_E_SHAPE, "10 rows");
    expect_error_of(wg_batches_new(&scalar, 1, NULL), WG_E_SHAPE, "batches");
    expect_error_of(wg_batches_new(&empty, 1, NULL), WG_E_SHAPE, "batches");
    expect_error_of(wg_batches_new((wg_tensor *[]){X, NULL}, 2, NULL), WG_E_NULL, "batches");
    expect_error_of(wg_batches_new(&X, 1, &(wg_batches_options){.size = -1}), WG_E_VALUE,
                    "size of -1");
    expect_error_of(wg_batches_input(wg_batches_new(&X, 1, NULL), 1), WG_E_VALUE, "no source 1");
    wg_batches *none = wg_batches_new(NULL, 0, NULL);
    ck_assert_ptr_nonnull(none);
    wg_batches_start(none, 0);
    ck_assert_int_eq(wg_batches_next(none), 0);
    ck_assert(wg_is_inert(wg_batches_input(none, 0)));
    ck_assert(wg_is_inert(wg_batches_short_input(NULL, 0)));
}
END_TEST

Suite *suite_batches(void)
{
    Suite *suite = suite_create("batches");
    TCase *batches = tcase_create("batches");
    tcase_add_checked_fixture(batches, wgt_tape_setup, wgt_tape_teardown);
    tcase_add_test(batches, test_batches);
    tcase_add_test(batches, test_batches_options);
    tcase_add_test(batches, test_batches_loss_of_none);
    tcase_add_test(batches, test_batches_stale);
    tcase_add_loop_test(batches, test_batches_record, 0, 2);
    tcase_add_test(batches, test_batches_without_a_loss);
    tcase_add_test(batches, test_batches_errors);
    suite_add_tcase(suite, batches);
    return suite;
}
