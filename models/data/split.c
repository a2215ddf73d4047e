/* The split of rows into training and test rows, by class if asked for. */
#include "models/data/split.h"

#include "autograd/op.h"
#include "autograd/rng.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* Streams of random numbers: rows, the two parts, and class c under SPLIT_CLASS + c. */
enum { SPLIT_ROWS = 1, SPLIT_TRAIN = 2, SPLIT_TEST = 3, SPLIT_CLASS = 16 };

/* The rows of one class lie at [start, start + rows) of the rows sorted by class. */
typedef struct split_class {
    int64_t label, start, rows, test;
    double remainder;
} split_class;

typedef struct split_row {
    int64_t label, row;
} split_row;

static int split_by_label(const void *a, const void *b)
{
    const split_row *p = a, *q = b;
    if (p->label != q->label)
        return p->label < q->label ? -1 : 1;
    return (p->row > q->row) - (p->row < q->row);
}

static int split_by_remainder(const void *a, const void *b)
{
    const split_class *p = a, *q = b;
    if (p->remainder != q->remainder)
        return p->remainder > q->remainder ? -1 : 1;
    return (p->label > q->label) - (p->label < q->label);
}

static bool split_classes_fit(wg_tape *t, int64_t n, const wg_tensor *classes)
{
    if (wg_is_inert(classes)) {
        wg_fail(t, WG_E_NULL, "split: the classes are inert");
        return false;
    }
    if (classes->dtype != WG_I64)
        wg_fail(t, WG_E_DTYPE, "split: classes must be i64: %s", wg_tensor_text(classes).s);
    else if (classes->shape.ndim != 1 || classes->size != n)
        wg_fail(t, WG_E_SHAPE, "split: %" PRId64 " rows, classes %s", n, wg_tensor_text(classes).s);
    else if (classes->data == NULL || wg_is_stale(classes))
        wg_fail(t, WG_E_STALE, "split: replay first: %s", wg_tensor_text(classes).s);
    for (int64_t i = 0; wg_tape_status(t) == WG_OK && i < n; i++)
        if (((const int64_t *)classes->data)[i] < 0)
            wg_fail(t, WG_E_INDEX, "split: row %" PRId64 " has a negative class: %s", i,
                    wg_tensor_text(classes).s);
    return wg_tape_status(t) == WG_OK;
}

/* Groups rows sorted by class; group[n] has room for all. Returns how many there are. */
static int64_t split_group(const split_row *rows, int64_t n, double share, split_class *group)
{
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++) {
        if (i == 0 || rows[i].label != rows[i - 1].label)
            group[count++] = (split_class){.label = rows[i].label, .start = i};
        group[count - 1].rows++;
    }
    for (int64_t c = 0; c < count; c++) {
        double wanted = share * (double)group[c].rows;
        group[c].test = (int64_t)fmin(floor(wanted), (double)(group[c].rows - 1));
        group[c].remainder = wanted - floor(wanted);
    }
    return count;
}

/* Hands out the test rows that rounding down has left over, one a class, but never a class's last
 * row. share * n and the sum of the shares by class may be rounded differently, so more may be left
 * than there are classes. There is an end to it where each class can keep a training row. */
static void split_share_out(split_class *group, int64_t count, int64_t n_test)
{
    qsort(group, (size_t)count, sizeof *group, split_by_remainder);
    for (int64_t c = 0; c < count; c++)
        n_test -= group[c].test;
    for (int64_t c = 0; n_test > 0; c = (c + 1) % count)
        if (group[c].test < group[c].rows - 1) {
            group[c].test++;
            n_test--;
        }
}

static void split_shuffle(uint64_t seed, uint64_t key, int64_t n, int64_t *rows, int64_t *order,
                          int64_t *copy)
{
    wg_random_permutation(seed, key, n, order);
    for (int64_t i = 0; i < n; i++)
        copy[i] = rows[i];
    for (int64_t i = 0; i < n; i++)
        rows[i] = copy[order[i]];
}

/* row[n]: the test rows first. order and copy are room for n each. */
static void split_stratified(split_class *group, int64_t count, const split_row *sorted, int64_t n,
                             int64_t n_test, uint64_t seed, int64_t *row, int64_t *order)
{
    int64_t test = 0, train = n_test;
    for (int64_t c = 0; c < count; c++) {
        wg_random_permutation(seed, SPLIT_CLASS + (uint64_t)group[c].label, group[c].rows, order);
        for (int64_t i = 0; i < group[c].rows; i++) {
            int64_t from = sorted[group[c].start + order[i]].row;
            if (i < group[c].test)
                row[test++] = from;
            else
                row[train++] = from;
        }
    }
    int64_t *copy = order + n;
    split_shuffle(seed, SPLIT_TEST, n_test, row, order, copy);
    split_shuffle(seed, SPLIT_TRAIN, n - n_test, row + n_test, order, copy);
}

static bool split_by_class(wg_tape *t, int64_t n, int64_t n_test,
                           const wg_train_test_options *options, int64_t *row)
{
    if (!split_classes_fit(t, n, options->stratify))
        return false;
    const int64_t *label = options->stratify->data;
    split_row *sorted = wg_temporary(t, n, sizeof *sorted);
    split_class *group = sorted != NULL ? wg_temporary(t, n, sizeof *group) : NULL;
    int64_t *order = group != NULL ? wg_temporary(t, n, 2 * sizeof *order) : NULL;
    bool done = false;
    if (order != NULL) {
        for (int64_t i = 0; i < n; i++)
            sorted[i] = (split_row){label[i], i};
        qsort(sorted, (size_t)n, sizeof *sorted, split_by_label);
        int64_t count = split_group(sorted, n, options->test, group);
        done = count <= n - n_test;
        if (done) {
            split_share_out(group, count, n_test);
            split_stratified(group, count, sorted, n, n_test, options->seed, row, order);
        } else
            wg_fail(t, WG_E_VALUE,
                    "split: %" PRId64 " classes cannot each have one of %" PRId64 " training rows",
                    count, n - n_test);
    }
    wg_temporary_free(t, order);
    wg_temporary_free(t, group);
    wg_temporary_free(t, sorted);
    return done;
}

static wg_train_test split_nothing(wg_tape *t)
{
    wg_tensor *inert = wg_fail(t, WG_E_NULL, "split: the tape is NULL");
    return (wg_train_test){inert, inert};
}

wg_train_test wg_train_test_split(wg_tape *t, int64_t n, const wg_train_test_options *options)
{
    wg_train_test_options chosen = {0};
    if (wg_tape_status(t) != WG_OK)
        return split_nothing(t);
    if (options != NULL)
        chosen = *options;
    if (chosen.test == 0)
        chosen.test = 0.25;
    int64_t n_test = chosen.test > 0 && chosen.test < 1 && n > 0
                         ? (int64_t)ceil(chosen.test * (double)n)
                         : 0;
    if (n_test < 1 || n_test >= n) {
        wg_fail(t, WG_E_VALUE, "split: a share of %g of %" PRId64 " rows for testing", chosen.test,
                n);
        return split_nothing(t);
    }
    int64_t *row = wg_temporary(t, n, sizeof *row);
    bool done = row != NULL;
    if (done && chosen.stratify == NULL)
        wg_random_permutation(chosen.seed, SPLIT_ROWS, n, row);
    else if (done)
        done = split_by_class(t, n, n_test, &chosen, row);
    wg_train_test split = {0};
    if (done)
        split = (wg_train_test){
            .test = wg_constant(t, WG_I64, WG_SHAPE(n_test), row),
            .train = wg_constant(t, WG_I64, WG_SHAPE(n - n_test), row + n_test)};
    wg_temporary_free(t, row);
    return wg_tape_status(t) == WG_OK ? split : split_nothing(t);
}
