/* Which rows are held back where ranks share them. */
#include "models/train/fit_internal.h"

#include "autograd/op.h"

#include <inttypes.h>
#include <stdlib.h>

bool wg_fit_is_shared(const wg_tape *t)
{
    return wg_tape_options_of(t)->ranks != NULL;
}

static int split_rows_rising(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The rows of the whole that are this rank's, [first, first + n), as its own; into row[]. Returns
 * how many. */
static int64_t split_rows_pick(const wg_tensor *rows, int64_t first, int64_t n, int64_t row[])
{
    int64_t count = 0;
    for (int64_t i = 0; i < wg_size(rows); i++) {
        const int64_t own = wg_data_i64(rows)[i] - first;
        if (own >= 0 && own < n)
            row[count++] = own;
    }
    qsort(row, (size_t)count, sizeof *row, split_rows_rising);
    return count;
}

/* All ranks' labels; the inert tensor after an error. */
static wg_tensor *split_rows_labels(wg_tensor *y, int64_t n)
{
    size_t bytes;
    void *all = wg_ranks_gather(y->tape, y->data, (size_t)y->size * wg_dtype_size(y->dtype), true,
                                &bytes);
    const bool fits = all != NULL && bytes == (size_t)n * wg_dtype_size(y->dtype);
    wg_tensor *labels = fits ? wg_constant(y->tape, y->dtype, WG_SHAPE(n), all)
                             : wg_fail(y->tape, WG_E_RANKS, "fit: labels of %" PRId64 " rows", n);
    wg_temporary_free(y->tape, all);
    return labels;
}

wg_train_test wg_fit_split_rows(wg_tensor *y, const wg_train_test_options *options)
{
    wg_tape *t = y->tape;
    const wg_mark mark = wg_tape_mark(t);
    wg_train_test_options o = *options;
    const int64_t n = y->shape.dim[0];
    int64_t first, all = wg_ranks_rows(t, n, &first);
    if (o.stratify != NULL)
        o.stratify = split_rows_labels(y, all);
    const wg_train_test whole = wg_train_test_split(t, all, &o);
    int64_t *row = wg_temporary(t, n, sizeof *row);
    if (row == NULL || wg_tape_status(t) != WG_OK) {
        wg_temporary_free(t, row);
        wg_tensor *inert = wg_fail(t, WG_E_NOMEM, "fit: the split");
        return (wg_train_test){inert, inert};
    }
    const int64_t test = split_rows_pick(whole.test, first, n, row);
    const int64_t train = split_rows_pick(whole.train, first, n, row + test);
    wg_tape_rewind(t, mark);
    const wg_train_test own = {.test = wg_constant(t, WG_I64, WG_SHAPE(test), row),
                               .train = wg_constant(t, WG_I64, WG_SHAPE(train), row + test)};
    wg_temporary_free(t, row);
    return own;
}
