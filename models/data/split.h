#ifndef WG_MODELS_DATA_SPLIT_H
#define WG_MODELS_DATA_SPLIT_H

#include "autograd/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct wg_train_test_options {
    double test;               /* the test rows' share, in (0, 1); default 0 stands for 0.25 */
    uint64_t seed;             /* any value; default 0 */
    const wg_tensor *stratify; /* classes, i64 [n]; default NULL: without regard to classes */
} wg_train_test_options;

/* Row numbers, i64 constants [n_train] and [n_test], in random order: wg_gather_rows(X,
 * split.train). */
typedef struct wg_train_test {
    wg_tensor *train, *test;
} wg_train_test;

/* wg_train_test_split: cuts the rows 0 to n - 1 into ceil(test * n) test rows and the other,
 * training rows.
 *   Not stratified: the rows are shuffled, and the first ones are the test rows.
 *   Stratified: of each class with m rows there are floor(test * m) test rows, and one more in the
 *   classes with the largest remainders (the lower class first) until the number is reached, but
 *   never a class's last row: each class can be learnt. Rows are shuffled within each class, and
 *   then within each part.
 * The same n, options and classes give the same split, on every machine.
 * Errors: WG_E_VALUE (test outside (0, 1), no row left on one side, fewer training rows than
 *   classes), WG_E_SHAPE, WG_E_DTYPE (stratify), WG_E_INDEX (a negative class), WG_E_STALE,
 *   WG_E_NULL, WG_E_NOMEM, on the tape; both tensors are then inert. */
wg_train_test wg_train_test_split(wg_tape *t, int64_t n, const wg_train_test_options *options);

#ifdef __cplusplus
}
#endif
#endif
