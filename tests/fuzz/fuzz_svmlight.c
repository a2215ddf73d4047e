#include "models/files/svmlight.h"
#include "tests/fuzz/harness.h"

/* The transposed product walks all that was read; few columns, so that it takes little memory. */
void fuzz_read(wg_tape *t, const char *path)
{
    wg_csr *X;
    const wg_table *table = wg_svmlight_read(t, path, NULL, &X);
    if (wg_tape_status(t) == WG_OK && X->columns < 1000)
        wg_csr_matmul(X, true, wg_table_labels(table));
}
