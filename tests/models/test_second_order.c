/* Standard errors, z and intervals of logistic regressions, from the tape's Hessian, against
 * statsmodels. */
#include "models/optim/minimize_internal.h"
#include "models/wengert.h"
#include "tests/models/optimizer_golden.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"

#include <math.h>
#include <stdio.h>

enum { MOST = 6 };

/* The diagonal of the inverse of n H [k, k]. */
static void variances(wg_tensor *H, double n, int64_t k, double variance[])
{
    double a[MOST * MOST], work[MOST * (MOST + 3)], unit[MOST], x[MOST];
    int64_t order[MOST];
    for (int64_t i = 0; i < k * k; i++)
        a[i] = n * wg_at(H, i);
    ck_assert_int_eq(wg_semidefinite_factor(k, a, 0, order, work), k);
    for (int64_t i = 0; i < k; i++) {
        for (int64_t j = 0; j < k; j++)
            unit[j] = i == j;
        wg_semidefinite_solve(k, k, a, order, unit, x, work);
        variance[i] = x[i];
    }
}

/* The Hessian's condition number is 1e9 for the first; its entries are rounded sums of 569 terms,
 * so that its inverse has eight digits and some. */
START_TEST(test_second_order)
{
    static const struct {
        const char *name;
        int64_t columns;
    } cases[] = {{"breast_cancer", 5}, {"two_class_300", 2}};
    const int64_t d = cases[_i].columns, k = d + 1;
    double golden[1 + 5 * MOST], variance[MOST];
    char words[64], path[64];
    snprintf(words, sizeof words, "logit %s %d", cases[_i].name, (int)k);
    snprintf(path, sizeof path, "examples/data/%s.csv", cases[_i].name);
    wgt_golden_of("tests/oracle/second_order.txt", words, (size_t)(1 + 5 * k), golden);
    wg_tape *t = wg_tape_new(NULL);
    wg_table *data = wg_csv_read(t, path, NULL);
    wg_tensor *X = wg_slice(wg_table_features(data), 1, 0, d), *y = wg_table_labels(data);
    wg_tensor *params[] = {wg_param(t, "w", WG_F64, WG_SHAPE(d, 1)),
                           wg_param(t, "b", WG_F64, WG_SHAPE(1))};
    wg_tensor *loss = wg_bce_with_logits(wg_add(wg_matmul(X, params[0]), params[1]), y);
    const double n = (double)data->rows;
    const wg_optimum o = wg_minimize(
        loss, params, 2, &(wg_minimizer_options){.method = WG_NEWTON_EXACT, .tolerance = 1e-12});
    wg_replay(t);
    variances(wg_hessian(loss, params, 2), n, k, variance);
    ck_assert_msg(wg_tape_status(t) == WG_OK, "%s", wg_tape_message(t));
    wgt_assert_close(-o.value * n, golden[0], 1e-12, 0);
    for (int64_t i = 0; i < k; i++) {
        const double value = i < d ? wg_at(params[0], i) : wg_item(params[1]);
        const double error = sqrt(variance[i]), half = 1.959963984540054 * error;
        const double got[] = {value, error, value / error, value - half, value + half};
        for (int64_t c = 0; c < 5; c++)
            wgt_assert_close(got[c], golden[1 + c * k + i], 1e-8, 1e-8);
    }
    wg_tape_free(t);
}
END_TEST

Suite *suite_second_order(void)
{
    Suite *suite = suite_create("second_order");
    TCase *tests = tcase_create("second_order");
    tcase_add_loop_test(tests, test_second_order, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}
