/* copy.h: elements moved by index. An element has 4, 8 or 16 bytes; what they stand for
 * does not matter. */
#ifndef WG_OPS_KERNELS_COPY_H
#define WG_OPS_KERNELS_COPY_H

#include <stddef.h>
#include <stdint.h>

enum { WGK_COPY_AXES = 8 };

/* y[sum_k i_k * to[k]] = x[sum_k i_k * from[k]] for all 0 <= i_k < dim[k]: permutes, slices,
 * repeats (from = 0), and places a part into a larger array. Strides are in elements. Made by
 * wgk_copy_of, which merges axes and puts them in the order in which they are walked; ndim is at
 * least 2. */
typedef struct wgk_copy {
    int ndim;
    int64_t dim[WGK_COPY_AXES], from[WGK_COPY_AXES], to[WGK_COPY_AXES];
    int64_t chunks;
} wgk_copy;

/* ndim <= 8; strides are not negative; two elements never go to the same index. */
wgk_copy wgk_copy_of(int ndim, const int64_t *dim, const int64_t *from, const int64_t *to);

/* Does the part [begin, end) of the chunks; any division of them does the same in total. x and y
 * are aligned to their elements and do not overlap. */
void wgk_copy_run(const wgk_copy *copy, size_t size, const void *x, void *y, int64_t begin,
                  int64_t end);

/* stride[i] = the elements that lie between neighbours on axis i of a dense array. */
void wgk_dense_strides(int ndim, const int64_t *dim, int64_t *stride);

/* y[0..n) = the element of `size` bytes at `value`. */
void wgk_fill(int64_t n, size_t size, const void *value, void *y);

#endif
