/* Metrics and curves: 200 random cases as scikit-learn has them (oracle/make_metrics.py), edges,
 * errors. */
#include "models/metrics/curves.h"
#include "models/metrics/metrics.h"
#include "tests/support/assert.h"
#include "tests/support/fixture.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- The golden file: lines of a name and numbers. Inputs are kept, results are compared. ---- */

enum { LONGEST = 1024, CASES = 200 };

static wg_tensor *truth, *scores, *predicted, *labels, *probabilities; /* of the case at hand */
static wg_tensor *hard;                                                /* scores >= 1/2 */
static int64_t classes;
static int compared;

static wg_tensor *doubles(int64_t n, const double *values)
{
    return wg_constant(tape, WG_F64, WG_SHAPE(n), values);
}

static wg_tensor *integers(int64_t n, const double *values)
{
    int64_t whole[LONGEST];
    for (int64_t i = 0; i < n; i++)
        whole[i] = (int64_t)values[i];
    return wg_constant(tape, WG_I64, WG_SHAPE(n), whole);
}

static bool keep_input(const char *name, int64_t n, const double *v)
{
    if (strcmp(name, "binary_truth") == 0)
        truth = integers(n, v);
    else if (strcmp(name, "binary_scores") == 0) {
        double at_half[LONGEST];
        for (int64_t i = 0; i < n; i++)
            at_half[i] = v[i] >= 0.5;
        scores = doubles(n, v);
        hard = integers(n, at_half);
    } else if (strcmp(name, "classes") == 0)
        classes = (int64_t)v[0];
    else if (strcmp(name, "truth") == 0)
        labels = integers(n, v);
    else if (strcmp(name, "predicted") == 0)
        predicted = integers(n, v);
    else if (strcmp(name, "probabilities") == 0)
        probabilities = wg_constant(tape, WG_F64, WG_SHAPE(n / classes, classes), v);
    else
        return false;
    return true;
}

/* Appends a tensor's values. */
static double *put(double *at, const wg_tensor *x)
{
    for (int64_t i = 0; i < wg_size(x); i++)
        *at++ = x == NULL ? (double)NAN
                          : (wg_dtype_of(x) == WG_I64 ? (double)wg_data_i64(x)[i] : wg_at(x, i));
    return at;
}

static double *put_scores(double *at, wg_scores s)
{
    *at++ = s.precision;
    *at++ = s.recall;
    *at++ = s.f1;
    return at;
}

static double *put_roc(double *at)
{
    wg_roc roc = wg_roc_curve(scores, truth);
    return put(put(put(at, roc.false_positive_rate), roc.true_positive_rate), roc.threshold);
}

static double *put_precision_recall(double *at)
{
    wg_precision_recall curve = wg_precision_recall_curve(scores, truth);
    return put(put(put(at, curve.precision), curve.recall), curve.threshold);
}

static double *put_best(double *at)
{
    wg_best_threshold best = wg_best_f1(scores, truth);
    *at++ = best.threshold;
    *at++ = best.precision;
    *at++ = best.recall;
    *at++ = best.f1;
    return at;
}

static double *put_average(double *at, const char *name)
{
    static const char *const names[] = {"macro", "micro", "weighted"};
    for (int i = 0; i < 3; i++)
        if (strncmp(name, names[i], strlen(names[i])) == 0) {
            int64_t over = strchr(name, '_') != NULL ? classes : 0;
            return put_scores(at, wg_average_scores(predicted, labels, (wg_average)i, over));
        }
    ck_abort_msg("the golden file has %s", name);
    return NULL;
}

/* What the library says. Returns the end of what it wrote to `got`. */
static double *result(const char *name, double *got)
{
    struct {
        const char *name;
        double (*of)(const wg_tensor *, const wg_tensor *);
        const wg_tensor *a, *b;
    } numbers[] = {
        {"binary_accuracy", wg_accuracy, hard, truth},
        {"binary_log_loss", wg_log_loss, scores, truth},
        {"binary_brier", wg_brier, scores, truth},
        {"auc", wg_roc_auc, scores, truth},
        {"average_precision", wg_average_precision, scores, truth},
        {"accuracy", wg_accuracy, predicted, labels},
        {"log_loss", wg_log_loss, probabilities, labels},
        {"brier", wg_brier, probabilities, labels},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strcmp(name, numbers[i].name) == 0) {
            *got = numbers[i].of(numbers[i].a, numbers[i].b);
            return got + 1;
        }
    if (strcmp(name, "binary_prf") == 0)
        return put_scores(got, wg_class_scores(hard, truth, 1));
    if (strcmp(name, "roc") == 0)
        return put_roc(got);
    if (strcmp(name, "precision_recall") == 0)
        return put_precision_recall(got);
    if (strcmp(name, "best_f1") == 0)
        return put_best(got);
    if (strcmp(name, "confusion") == 0)
        return put(got, wg_confusion_matrix(predicted, labels, classes));
    if (strncmp(name, "top_", 4) == 0) {
        *got = wg_top_k_accuracy(probabilities, labels, name[4] - '0');
        return got + 1;
    }
    return put_average(got, name);
}

/* Every number is a ratio of counts, or a mean of at most 30 terms: some 30 roundings of 1.1e-16 on
 * each side at most. Counts, thresholds and curves are the same bits, but the tolerance does for
 * them, too. */
static const double round_off = 1e-14;

static void compare(const char *name, int64_t n, const double *want, int number)
{
    double got[LONGEST];
    int64_t found = result(name, got) - got;
    ck_assert_msg(wg_tape_status(tape) == WG_OK, "%s: %s", name, wg_tape_message(tape));
    ck_assert_msg(found == n, "case %d, %s: %d numbers, want %d", number, name, (int)found, (int)n);
    size_t at = wgt_worst(got, want, (size_t)n, round_off, 0);
    if (at < (size_t)n)
        ck_abort_msg("case %d, %s[%zu]: got %.17g, want %.17g", number, name, at, got[at],
                     want[at]);
    compared++;
}

static int64_t numbers_of(char *text, double *values)
{
    int64_t n = 0;
    for (char *end;; text = end) {
        double value = strtod(text, &end);
        if (end == text)
            return n;
        ck_assert_int_lt(n, LONGEST);
        values[n++] = value;
    }
}

START_TEST(test_golden)
{
    static char text[1 << 15];
    static double values[LONGEST];
    FILE *file = fopen("tests/oracle/metrics.txt", "r");
    ck_assert_ptr_nonnull(file);
    const wg_mark mark = wg_tape_mark(tape);
    int number = -1;
    compared = 0;
    while (fgets(text, sizeof text, file) != NULL) {
        char name[64];
        if (text[0] == '#')
            continue;
        ck_assert_int_eq(sscanf(text, "%63s", name), 1);
        int64_t n = numbers_of(text + strlen(name), values);
        if (strcmp(name, "case") == 0) {
            wg_tape_rewind(tape, mark);
            ck_assert_int_eq((int)values[0], ++number);
        } else if (!keep_input(name, n, values))
            compare(name, n, values, number);
    }
    fclose(file);
    ck_assert_int_eq(number, CASES - 1);
    ck_assert_int_eq(compared, CASES * 22);
}
END_TEST

/* ---- By hand. -------------------------------------------------------------------------------- */

static const double four_scores[] = {0.1, 0.4, 0.35, 0.8};
static const int64_t four_labels[] = {0, 0, 1, 1};

/* f32 is computed in double, but a probability is brought within the epsilon of f32. */
START_TEST(test_f32)
{
    const float p[] = {1, 0.25f}, y[] = {0, 1};
    wg_tensor *P = wg_constant(tape, WG_F32, WG_SHAPE(2, 1), p);
    wg_tensor *Y = wg_constant(tape, WG_F32, WG_SHAPE(2, 1), y);
    wgt_assert_close(wg_log_loss(P, Y), (23 * log(2) + 2 * log(2)) / 2, 1e-15, 0);
    wgt_assert_close(wg_brier(P, Y), (1 + 0.5625) / 2, 0, 0);
    wgt_assert_close(wg_roc_auc(P, Y), 0, 0, 0);
    wgt_assert_close(wg_class_scores(Y, Y, 1).f1, 1, 0, 0);
    ck_assert_int_eq(wg_class_scores(Y, Y, 1).support, 1);
}
END_TEST

/* Of equal scores scikit-learn takes the later class; infinite scores are scores. */
START_TEST(test_top_k_ties)
{
    const double s[] = {1, 1, 1, -HUGE_VAL, 0, HUGE_VAL};
    const int64_t y[] = {1, 0};
    wg_tensor *S = wg_constant(tape, WG_F64, WG_SHAPE(2, 3), s);
    wg_tensor *Y = wg_constant(tape, WG_I64, WG_SHAPE(2), y);
    wgt_assert_close(wg_top_k_accuracy(S, Y, 1), 0, 0, 0);
    wgt_assert_close(wg_top_k_accuracy(S, Y, 2), 0.5, 0, 0);
    wgt_assert_close(wg_top_k_accuracy(S, Y, 3), 1, 0, 0);
    wgt_assert_close(wg_top_k_accuracy(S, Y, 99), 1, 0, 0);
}
END_TEST

/* 1e5 rows of two scores: pairs won 1/2 each; the sum of pairs is exact. */
START_TEST(test_many_rows)
{
    enum { ROWS = 100000 };
    static double s[ROWS];
    static int64_t y[ROWS];
    for (int i = 0; i < ROWS; i++) {
        s[i] = i % 2;
        y[i] = i / 2 % 2;
    }
    wg_tensor *S = doubles(ROWS, s), *Y = wg_constant(tape, WG_I64, WG_SHAPE(ROWS), y);
    wgt_assert_close(wg_roc_auc(S, Y), 0.5, 0, 0);
    ck_assert_int_eq(wg_size(wg_roc_curve(S, Y).threshold), 3);
}
END_TEST

static void expect_nan(double value)
{
    ck_assert_double_nan(value);
    ck_assert_msg(wg_tape_status(tape) == WG_OK, "%s", wg_tape_message(tape));
}

START_TEST(test_of_nothing)
{
    wg_tensor *s = doubles(0, NULL), *y = wg_constant(tape, WG_I64, WG_SHAPE(0), NULL);
    wg_tensor *P = wg_constant(tape, WG_F64, WG_SHAPE(0, 3), NULL);
    expect_nan(wg_accuracy(y, y));
    expect_nan(wg_log_loss(s, y));
    expect_nan(wg_log_loss(P, y));
    expect_nan(wg_brier(P, y));
    expect_nan(wg_top_k_accuracy(P, y, 1));
    expect_nan(wg_class_scores(y, y, 1).f1);
    expect_nan(wg_average_scores(y, y, WG_MACRO, 0).recall);
    expect_nan(wg_roc_auc(s, y));
    expect_nan(wg_average_precision(s, y));
    expect_nan(wg_best_f1(s, y).f1);
    ck_assert_int_eq(wg_size(wg_confusion_matrix(y, y, 3)), 9);
    ck_assert_int_eq(wg_tape_status(tape), WG_OK);
    wgt_assert_that(wg_size(wg_precision_recall_curve(s, y).recall), ==, 0);
    wgt_assert_status(tape, WG_E_SHAPE, "precision_recall_curve: of no rows");
}
END_TEST

static void expect_refused(double result_of_it, wg_mark mark, wg_status status, const char *part)
{
    ck_assert_double_nan(result_of_it);
    expect_error(mark, status, part);
}

START_TEST(test_errors)
{
    wg_tensor *s = doubles(4, four_scores);
    wg_tensor *y = wg_constant(tape, WG_I64, WG_SHAPE(4), four_labels);
    wg_tensor *column = wg_constant(tape, WG_I64, WG_SHAPE(4, 1), four_labels);
    wg_tensor *P = wg_constant(tape, WG_F64, WG_SHAPE(2, 2), four_scores);
    wg_tensor *two = wg_constant(tape, WG_I64, WG_SHAPE(2), four_labels);
    wg_tensor *large = wg_full(tape, WG_I64, WG_SHAPE(4), 2);
    wg_tensor *half = wg_full(tape, WG_F64, WG_SHAPE(4), 0.5);
    wg_tensor *none = wg_full(tape, WG_F64, WG_SHAPE(4), (double)NAN);
    wg_tensor *logits = wg_full(tape, WG_F64, WG_SHAPE(4), 7);
    wg_mark m = wg_tape_mark(tape);
    expect_refused(wg_roc_auc(s, column), m, WG_E_SHAPE,
                   "roc_auc: shapes do not fit: constant#0 (4,) f64, constant#2 (4, 1) i64");
    expect_refused(wg_roc_auc(none, y), m, WG_E_VALUE, "roc_auc: nan at place 0 of ");
    expect_refused(wg_roc_auc(s, large), m, WG_E_INDEX,
                   "roc_auc: label 2 at place 0, but 2 classes");
    expect_refused(wg_roc_auc(y, y), m, WG_E_DTYPE, "roc_auc: f32 or f64 wanted");
    expect_refused(wg_average_precision(s, half), m, WG_E_INDEX, "label 0.5 at place 0");
    expect_refused(wg_best_f1(NULL, y).f1, m, WG_E_NULL, "best_f1: of an inert tensor");
    expect_refused(wg_log_loss(logits, y), m, WG_E_VALUE, "log_loss: 7 at place 0");
    expect_refused(wg_log_loss(P, two), m, WG_E_VALUE,
                   "log_loss: the probabilities of row 0 sum to 0.5");
    expect_refused(wg_brier(P, y), m, WG_E_SHAPE, "brier: shapes do not fit");
    expect_refused(wg_top_k_accuracy(P, two, 0), m, WG_E_VALUE, "top_k_accuracy: k is 0");
    expect_refused(wg_top_k_accuracy(s, y, 1), m, WG_E_SHAPE, "top_k_accuracy: ");
    expect_refused(wg_class_scores(two, y, 1).f1, m, WG_E_SHAPE, "class_scores: ");
    expect_refused(wg_average_scores(y, y, WG_MICRO, 1).f1, m, WG_E_INDEX, "label 1 at place 2");
    expect_refused(wg_average_scores(y, large, WG_MICRO, -1).f1, m, WG_E_INDEX, "-1 classes");
    expect_refused(wg_item(wg_confusion_matrix(y, y, 1)), m, WG_E_INDEX,
                   "confusion_matrix: label 1");
    expect_refused(wg_item(wg_roc_curve(s, half).threshold), m, WG_E_INDEX, "roc_curve: ");
}
END_TEST

/* A label too large to count to, a stale operand, another tape: nothing is made, nothing leaks. */
START_TEST(test_hostile)
{
    const int64_t huge[] = {INT64_C(1) << 60, 0};
    wg_tensor *y = wg_constant(tape, WG_I64, WG_SHAPE(2), huge);
    wg_mark m = wg_tape_mark(tape);
    expect_refused(wg_average_scores(y, y, WG_MACRO, 0).f1, m, WG_E_NOMEM, "items");
    wg_tensor *p = wg_param(tape, "p", WG_F64, WG_SHAPE(4)), *twice = wgt_product(p, p);
    wg_fill_uniform(p, 0, 1, 0);
    expect_refused(wg_roc_auc(twice, p), m, WG_E_STALE, "roc_auc: ");
    wg_tape *other = wg_tape_new(NULL);
    wg_tensor *there = wg_constant(other, WG_I64, WG_SHAPE(2), huge);
    expect_refused(wg_accuracy(y, there), m, WG_E_TAPE, "accuracy: ");
    wg_tape_free(other);
}
END_TEST

static void every_metric(wg_tape *t)
{
    wg_tensor *s = wg_constant(t, WG_F64, WG_SHAPE(4), four_scores);
    wg_tensor *y = wg_constant(t, WG_I64, WG_SHAPE(4), four_labels);
    wg_roc_curve(s, y);
    wg_precision_recall_curve(s, y);
    wg_confusion_matrix(y, y, 2);
    double area = wg_roc_auc(s, y);
    ck_assert(area == 0.75 || wg_tape_status(t) != WG_OK);
    wg_average_scores(y, y, WG_MACRO, 0);
    wg_average_precision(s, y);
    wg_best_f1(s, y);
}

START_TEST(test_no_memory)
{
    for (int64_t fail_at = 1;; fail_at++) {
        wgt_memory memory = {0};
        wg_tape *t = wgt_tape(&memory);
        memory.fail_at = memory.calls + fail_at;
        every_metric(t);
        if (memory.failed > 0)
            ck_assert_int_eq(wg_tape_status(t), WG_E_NOMEM);
        wg_tape_free(t);
        ck_assert_int_eq(memory.blocks, 0);
        if (memory.failed == 0)
            break;
        ck_assert_int_lt(fail_at, 100);
    }
}
END_TEST

Suite *suite_metrics(void)
{
    Suite *suite = suite_create("metrics");
    TCase *c = tcase_create("metrics");
    tcase_add_checked_fixture(c, wgt_tape_setup, wgt_tape_teardown);
    tcase_add_test(c, test_golden);
    tcase_add_test(c, test_f32);
    tcase_add_test(c, test_top_k_ties);
    tcase_add_test(c, test_many_rows);
    tcase_add_test(c, test_of_nothing);
    tcase_add_test(c, test_errors);
    tcase_add_test(c, test_hostile);
    tcase_add_test(c, test_no_memory);
    suite_add_tcase(suite, c);
    return suite;
}
