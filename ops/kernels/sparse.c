/* sparse.c: products with sparse rows, compensated. */
#include "ops/kernels/sparse.h"

#include <string.h>

#define SPARSE_TILE 16 /* columns of y summed together: their sums stay in the first cache */

/* The first entry in [p, end) whose column is not below `column`. */
static int64_t sparse_find(const int64_t *columns, int64_t p, int64_t end, int64_t column)
{
    while (p < end) {
        int64_t middle = p + (end - p) / 2;
        if (columns[middle] < column)
            p = middle + 1;
        else
            end = middle;
    }
    return p;
}

#define ELEMENT f32
#define REAL    f64
#include "ops/kernels/sparse_body.inc"

#define ELEMENT f64
#define REAL    f64
#include "ops/kernels/sparse_body.inc"

#if WG_HAS_WIDE
#define ELEMENT wide
#define REAL    wide
#include "ops/kernels/sparse_body.inc"
#endif

void wgk_csr_times(const wgk_csr *a, wgk_type type, int64_t k, const void *b, int64_t begin,
                   int64_t end, void *y)
{
    WGK_RUN_OWN(sparse_times, type, a, k, b, begin, end, y);
}

void wgk_csr_transposed_times(const wgk_csr *a, wgk_type type, int64_t k, const void *b,
                              int64_t begin, int64_t end, void *y, void *workspace)
{
    if (begin == end || k == 0)
        return;
    WGK_RUN_OWN(sparse_transposed, type, a, k, b, begin, end, y, workspace);
}

void wgk_csr_sampled(const wgk_csr *a, wgk_type type, int64_t k, const void *u, const void *v,
                     int64_t begin, int64_t end, void *y)
{
    WGK_RUN_OWN(sparse_sampled, type, a, k, u, v, begin, end, y);
}
