/* Learning rates as functions of the step. */
#include "models/optim/schedule.h"
#include "tests/models/optimizer_golden.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"

#include <math.h>
#include <stdio.h>

/* PyTorch multiplies from step to step, 40 roundings of 2^-53 at most (and as many of its cosine's
 * recurrence, whose factors near 2 pi / 39 amplify them no more than 39-fold at the end). */
START_TEST(test_schedule_as_pytorch)
{
    static const struct {
        const char *name;
        wg_schedule schedule;
        double tolerance;
    } cases[] = {
        {"schedule step", {WG_SCHEDULE_STEP, .rate = 0.3, .period = 7, .factor = 0.5}, 0x1p-47},
        {"schedule exponential", {WG_SCHEDULE_EXPONENTIAL, .rate = 0.3, .factor = 0.9}, 0x1p-47},
        {"schedule cosine",
         {WG_SCHEDULE_COSINE, .rate = 0.3, .period = 39, .least = 0.01},
         39 * 0x1p-47},
    };
    double want[40];
    wgt_golden(cases[_i].name, 40, want);
    for (int k = 0; k < 40; k++)
        wgt_assert_close(wg_schedule_rate(&cases[_i].schedule, k), want[k], cases[_i].tolerance, 0);
}
END_TEST

/* The rates are products of the same numbers as PyTorch's, in the same order. */
START_TEST(test_schedule_plateau)
{
    static const struct {
        const char *name;
        wg_schedule schedule;
    } cases[] = {
        {"plateau default", {WG_SCHEDULE_PLATEAU, .rate = 0.3}},
        {"plateau all",
         {WG_SCHEDULE_PLATEAU, .rate = 0.3, .factor = 0.5, .patience = 2, .threshold = 0.05,
          .cooldown = 3, .least = 0.02}},
    };
    const wg_schedule *s = &cases[_i].schedule;
    double v[80], spread[120];
    wgt_golden(cases[_i].name, 80, v);
    for (int k = 0; k < 40; k++)
        spread[3 * k] = v[k];
    wgt_assert_that(wg_schedule_plateau(s, v, 1, 0), ==, 0.3);
    for (int k = 0; k < 40; k++) {
        wgt_assert_that(wg_schedule_plateau(s, v, 1, k + 1), ==, v[40 + k]);
        wgt_assert_that(wg_schedule_plateau(s, spread, 3, k + 1), ==, v[40 + k]);
    }
    wgt_assert_that(v[79], <, 0.3);
    ck_assert(isnan(wg_schedule_rate(s, 0)));
    ck_assert(isnan(wg_schedule_plateau(&(wg_schedule){.rate = 1}, v, 1, 3)));
}
END_TEST

START_TEST(test_schedule_warm_up)
{
    const wg_schedule plain = {WG_SCHEDULE_COSINE, .rate = 2, .period = 10, .least = 1};
    wg_schedule warm = plain;
    warm.warm_up = 4;
    for (int k = 0; k < 4; k++)
        wgt_assert_that(wg_schedule_rate(&warm, k), ==, 0.5 * (k + 1));
    for (int k = 0; k < 20; k++)
        wgt_assert_that(wg_schedule_rate(&warm, k + 4), ==, wg_schedule_rate(&plain, k));
    wgt_assert_that(wg_schedule_rate(&plain, 0), ==, 2);
    wgt_assert_that(wg_schedule_rate(&plain, 10), ==, 1);
    wgt_assert_that(wg_schedule_rate(&plain, INT64_MAX), ==, 1);
    wgt_assert_that(wg_schedule_rate(&plain, -1), ==, 2);
    wgt_assert_close(wg_schedule_rate(&plain, 5), 1.5, 1e-15, 0);
}
END_TEST

START_TEST(test_schedule_edges)
{
    wgt_assert_that(wg_schedule_rate(&(wg_schedule){.rate = 3}, 77), ==, 3);
    wgt_assert_close(wg_schedule_rate(&(wg_schedule){WG_SCHEDULE_STEP, .rate = 3}, 2), 0.03, 1e-15,
                     0);
    ck_assert_double_nan(wg_schedule_rate(NULL, 0));
    ck_assert_double_nan(wg_schedule_rate(&(wg_schedule){.rate = -1}, 0));
    ck_assert_double_nan(wg_schedule_rate(&(wg_schedule){.rate = 1, .warm_up = -1}, 0));
    ck_assert_double_nan(wg_schedule_rate(&(wg_schedule){.rate = 1, .period = -1}, 0));
    ck_assert_double_nan(wg_schedule_rate(&(wg_schedule){.rate = 1, .factor = (double)NAN}, 0));
    ck_assert_double_nan(wg_schedule_rate(&(wg_schedule){(wg_schedule_kind)9, .rate = 1}, 0));
}
END_TEST

Suite *suite_schedule(void)
{
    Suite *suite = suite_create("schedule");
    TCase *tests = tcase_create("schedule");
    tcase_add_loop_test(tests, test_schedule_as_pytorch, 0, 3);
    tcase_add_loop_test(tests, test_schedule_plateau, 0, 2);
    tcase_add_test(tests, test_schedule_warm_up);
    tcase_add_test(tests, test_schedule_edges);
    suite_add_tcase(suite, tests);
    return suite;
}
