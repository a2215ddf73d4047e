/* Cross-validation. */
#include "folds.h"

#include "judge.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { FOLDS = 100 };

/* ---- Parts --------------------------------------------------------------------------------------------- */

/* The part of each row, into fold[n]: rows are shuffled and dealt out, the rows of a class one behind the other. */
static void deal(wg_tape *t, int64_t n, uint64_t seed, const wg_tensor *classes, int64_t k,
                 int64_t *fold)
{
    int64_t *order = wg_tape_take(t, (size_t)n * sizeof *order), next = 0, class_count = 1;
    if (order == NULL)
        return;
    wg_random_permutation(seed, 1, n, order);
    for (int64_t i = 0; classes != NULL && i < n; i++)
        if (wg_data_i64(classes)[i] >= class_count)
            class_count = wg_data_i64(classes)[i] + 1;
    for (int64_t c = 0; c < class_count; c++)
        for (int64_t i = 0; i < n; i++)
            if (classes == NULL || wg_data_i64(classes)[order[i]] == c)
                fold[order[i]] = next++ % k;
}

/* The rows that are, or are not, of a part. */
static wg_dataset rows_of(const wg_dataset *data, wg_tape *t, const int64_t *fold, int64_t part,
                          bool of_it)
{
    int64_t n = wg_dataset_rows(data), m = 0;
    int64_t *row = wg_tape_take(t, (size_t)n * sizeof *row);
    for (int64_t i = 0; row != NULL && i < n; i++)
        if ((fold[i] == part) == of_it)
            row[m++] = i;
    return wg_dataset_take(data, wg_constant(t, WG_I64, WG_SHAPE(m), row));
}

/* ---- Scores -------------------------------------------------------------------------------------------- */

/* The metrics of one part by a model of the others; returns how many there are, 0 after an error. */
static int score(const wg_dataset *data, const wg_estimator_options *o, const int64_t *fold,
                 int64_t part, int64_t room, double metric[JUDGED_METRICS], const wg_head **head)
{
    wg_tape *t = data->table->tape;
    wg_mark mark = wg_tape_mark(t);
    wg_dataset trained = rows_of(data, t, fold, part, false);
    wg_dataset held = rows_of(data, t, fold, part, true);
    const wg_estimator *e = wg_estimator_fit(&trained, o);
    if (wg_tape_status(t) != WG_OK)
        return 0;
    *head = e->head;
    const judged r = judge("held", e, &held, false, room);
    memcpy(metric, r.metric, sizeof r.metric);
    if (wg_tape_status(t) != WG_OK)
        return 0;
    wg_tape_rewind(t, mark);
    return r.n_metrics;
}

static double mean_of(const double *values, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += values[i];
    return sum / (double)n;
}

static double deviation_of(const double *values, int64_t n)
{
    double mean = mean_of(values, n), sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (values[i] - mean) * (values[i] - mean);
    return sqrt(sum / (double)(n - 1));
}

/* Prints a line for these options; returns the mean of the last metric. */
static double judge_options(const wg_dataset *data, const wg_estimator_options *o, int64_t k,
                            const int64_t *fold, int64_t room, bool quiet)
{
    double metric[JUDGED_METRICS], of_part[JUDGED_METRICS][FOLDS];
    const wg_head *head = NULL;
    int n = 0;
    for (int64_t part = 0; part < k; part++) {
        n = score(data, o, fold, part, room, metric, &head);
        if (n == 0)
            return (double)NAN;
        if (!quiet)
            fprintf(stderr, "cv part %" PRId64 "/%" PRId64 "\n", part + 1, k);
        for (int i = 0; i < n; i++)
            of_part[i][part] = metric[i];
    }
    const bool mlp = o->model != NULL && strcmp(o->model, "mlp") == 0;
    const double C = o->C != 0 ? o->C : mlp ? (double)INFINITY : 1;
    printf(isinf(C) ? "cv           no penalty" : "cv           C %-8g", C);
    for (int i = 0; i < n; i++)
        printf("%s %s %.4f +- %.4f", i > 0 ? "," : "", head->metrics[i].name,
               mean_of(of_part[i], k), deviation_of(of_part[i], k));
    putchar('\n');
    fflush(stdout);
    return mean_of(of_part[n - 1], k);
}

double folds_choose(const wg_dataset *data, const train_arguments *a, const wg_tensor *classes)
{
    wg_estimator_options o = a->e;
    wg_tape *t = data->table->tape;
    int64_t rows = wg_dataset_rows(data);
    int64_t *fold = wg_tape_take(t, (size_t)rows * sizeof *fold);
    double best = (double)NAN, lowest = (double)INFINITY;
    o.fit.checkpoint = NULL;
    o.fit.resume = false;
    o.fit.on_epoch = NULL;
    if (fold != NULL)
        deal(t, rows, o.seed, classes, a->folds, fold);
    for (int i = 0; i < (a->C.n > 0 ? a->C.n : 1) && wg_tape_status(t) == WG_OK; i++) {
        o.C = a->C.n > 0 ? a->C.real[i] : o.C;
        double loss = judge_options(data, &o, a->folds, fold, a->room, a->quiet);
        if (loss < lowest) {
            lowest = loss;
            best = o.C;
        }
    }
    return wg_tape_status(t) == WG_OK ? best : (double)NAN;
}
