/* Rows of the ops that take and put elements by index, and of random ops: naive loops. */
#include "tests/ops/op_table.h"

#include "autograd/rng.h"
#include "ops/compare.h"
#include "ops/index.h"
#include "ops/random.h"
#include "ops/registry.h"

#include <math.h>
#include <string.h>

/* ---- gather_rows, scatter_add_rows (how many rows) ------------------------------------------- */

static wg_tensor *record_gather_rows(wg_tensor *const x[], int n, const int64_t *a)
{
    (void)n, (void)a;
    return wg_gather_rows(x[0], x[1]);
}

static void reference_gather_rows(const wgt_array x[], int n, const int64_t *a, wgt_array *y)
{
    wg_shape shape = x[1].shape;
    int64_t row = 1;
    (void)n, (void)a;
    for (int i = 1; i < x[0].shape.ndim; i++)
        row *= shape.dim[shape.ndim++] = x[0].shape.dim[i];
    wgt_shape_set(y, &shape);
    for (int64_t i = 0; i < y->size; i++)
        y->value[i] = x[0].value[(int64_t)x[1].value[i / row] * row + i % row];
}

static wg_tensor *record_scatter_add_rows(wg_tensor *const x[], int n, const int64_t *a)
{
    (void)n;
    return wg_scatter_add_rows(x[0], x[1], a[0]);
}

static void reference_scatter_add_rows(const wgt_array x[], int n, const int64_t *a, wgt_array *y)
{
    wg_shape shape = {1, {a[0]}};
    int64_t row = 1;
    (void)n;
    for (int i = x[1].shape.ndim; i < x[0].shape.ndim; i++)
        row *= shape.dim[shape.ndim++] = x[0].shape.dim[i];
    wgt_shape_set(y, &shape);
    for (int64_t i = 0; i < x[0].size; i++)
        y->value[(int64_t)x[1].value[i / row] * row + i % row] += x[0].value[i];
}

/* ---- gather (axis), scatter_add into zeros (axis, ndim, sizes) ------------------------------- */

static wg_tensor *record_gather(wg_tensor *const x[], int n, const int64_t *a)
{
    (void)n;
    return wg_gather(x[0], (int)a[0], x[1]);
}

static void reference_gather(const wgt_array x[], int n, const int64_t *a, wgt_array *y)
{
    int64_t place[WG_MAX_DIMS];
    (void)n;
    wgt_shape_set(y, &x[1].shape);
    for (int64_t i = 0; i < y->size; i++) {
        wgt_place_of(&y->shape, i, place);
        place[a[0]] = (int64_t)x[1].value[i];
        y->value[i] = x[0].value[wgt_number_of(&x[0].shape, place)];
    }
}

/* wg_scatter_add records a sum on top of the op. */
static wg_tensor *record_scatter_add(wg_tensor *const x[], int n, const int64_t *a)
{
    struct {
        int64_t axis, ndim, dim[WG_MAX_DIMS];
    } attrs = {a[0], a[1], {0}};
    memcpy(attrs.dim, a + 2, sizeof(int64_t) * (size_t)a[1]);
    return wg_apply(wg_op_find("scatter_add"), x, n, &attrs);
}

static void reference_scatter_add(const wgt_array x[], int n, const int64_t *a, wgt_array *y)
{
    int64_t place[WG_MAX_DIMS];
    wg_shape shape = {.ndim = (int)a[1]};
    (void)n;
    memcpy(shape.dim, a + 2, sizeof(int64_t) * (size_t)a[1]);
    wgt_shape_set(y, &shape);
    for (int64_t i = 0; i < x[0].size; i++) {
        wgt_place_of(&x[0].shape, i, place);
        place[a[0]] = (int64_t)x[1].value[i];
        y->value[wgt_number_of(&shape, place)] += x[0].value[i];
    }
}

/* ---- one_hot (classes, dtype), smooth_labels: see op_table_loss.c ---------------------------- */

static wg_tensor *record_one_hot(wg_tensor *const x[], int n, const int64_t *a)
{
    (void)n;
    return wg_one_hot(x[0], a[0], (wg_dtype)a[1]);
}

static void reference_one_hot(const wgt_array x[], int n, const int64_t *a, wgt_array *y)
{
    wg_shape shape = x[0].shape;
    (void)n;
    shape.dim[shape.ndim++] = a[0];
    wgt_shape_set(y, &shape);
    for (int64_t i = 0; i < x[0].size; i++)
        y->value[i * a[0] + (int64_t)x[0].value[i]] = 1;
}

/* ---- dropout (rate in percent, seed, key); the mask by its definition ------------------------ */

static wg_tensor *record_dropout(wg_tensor *const x[], int n, const int64_t *a)
{
    (void)n;
    return wg_dropout(x[0], (double)a[0] / 100, (uint64_t)a[1], (uint64_t)a[2], x[1]);
}

static void reference_dropout(const wgt_array x[], int n, const int64_t *a, wgt_array *y)
{
    uint64_t seed = (uint64_t)a[1], step = (uint64_t)x[1].value[0];
    uint64_t stream = wg_random_bits(seed, (uint64_t)a[2], step);
    (void)n;
    wgt_shape_set(y, &x[0].shape);
    for (int64_t i = 0; i < y->size; i++)
        if (wg_random_uniform(seed, stream, (uint64_t)i) >= (double)a[0] / 100)
            y->value[i] = x[0].value[i] * 100 / (long double)(100 - a[0]);
}

/* ---- uniform (dtype, seed, key, size; f32 has the first 24 bits), categorical (seed, key) ---- */

static wg_tensor *record_uniform(wg_tensor *const x[], int n, const int64_t *a)
{
    (void)n;
    return wg_uniform((wg_dtype)a[0], WG_SHAPE(2, a[3]), (uint64_t)a[1], (uint64_t)a[2], x[0]);
}

static void reference_uniform(const wgt_array x[], int n, const int64_t *a, wgt_array *y)
{
    const wg_shape shape = {2, {2, a[3]}};
    uint64_t seed = (uint64_t)a[1], step = (uint64_t)x[0].value[0];
    uint64_t stream = wg_random_bits(seed, (uint64_t)a[2], step);
    (void)n;
    wgt_shape_set(y, &shape);
    for (int64_t i = 0; i < y->size; i++) {
        const long double u = (long double)wg_random_uniform(seed, stream, (uint64_t)i);
        y->value[i] = a[0] == WG_F32 ? floorl(u * 0x1p24L) * 0x1p-24L : u;
    }
}

static wg_tensor *record_categorical(wg_tensor *const x[], int n, const int64_t *a)
{
    (void)n;
    return wg_categorical(x[0], (uint64_t)a[0], (uint64_t)a[1], x[1]);
}

static void reference_categorical(const wgt_array x[], int n, const int64_t *a, wgt_array *y)
{
    wg_shape shape = x[0].shape;
    const int64_t k = shape.dim[--shape.ndim];
    const uint64_t seed = (uint64_t)a[0], step = (uint64_t)x[1].value[0];
    const uint64_t stream = wg_random_bits(seed, (uint64_t)a[1], step);
    (void)n;
    wgt_shape_set(y, &shape);
    for (int64_t row = 0; row < y->size; row++) {
        const long double *p = x[0].value + row * k;
        long double sum = 0, left = (long double)wg_random_uniform(seed, stream, (uint64_t)row);
        for (int64_t i = 0; i < k; i++)
            sum += p[i];
        left *= sum;
        int64_t drawn = 0;
        while (left >= p[drawn])
            left -= p[drawn++];
        y->value[row] = (long double)drawn;
    }
}

/* clang-format off */
const wgt_row wgt_rows_index[] = {
    WGT_ROW(gather_rows, 0, true, {"4x2 <4:3", {0}}, {"3 <3:2x2", {0}}, {"3x2 <3:.", {0}},
            {"2x2x2 <2:3", {0}}, {"3x2 <3:0", {0}}, {"3x0 <3:2", {0}}, {"9x30 <9:40", {0}}),
    WGT_ROW(scatter_add_rows, 0.5, true, {"3x2 <4:3", {4}}, {"2x2 <3:2x2", {3}}, {"3 <2:.", {2}},
            {"5 <2:5", {2}}, {". <3:.", {3}}, {"0x2 <3:0", {3}}, {"90x5 <7:90", {7}}),
    WGT_ROW(gather, 0, true, {"4 <4:3", {0}}, {"2x4 <4:2x3", {1}}, {"4x2 <4:3x1", {0}},
            {"2x3x2 <3:1x4x2", {1}}, {"2x4 <4:2x0", {1}}, {"2x4 <4:0x3", {1}},
            {"30x9 <9:20x12", {1}}),
    WGT_ROW(scatter_add, 0.5, true, {"3 <4:3", {0, 1, 4}}, {"2x3 <2:2x3", {1, 2, 2, 2}},
            {"3x1 <2:3x1", {0, 2, 2, 2}}, {"0 <3:0", {0, 1, 3}},
            {"2x2x2 <3:2x2x2", {1, 3, 2, 3, 2}}, {"90x5 <7:90x5", {0, 2, 7, 5}}),
    WGT_ROW(one_hot, 0, false, {"<3:4", {3, WG_F32}}, {"<3:2x2", {3, WG_F64}},
            {"<2:.", {4, WG_F64}}, {"<3:3", {3, WG_I64}}, {"<3:0", {3, WG_F32}},
            {"<9:90", {9, WG_F64}}),
    WGT_ROW(dropout, 1, false, {"3x4 <9:1", {50, 1, 2}}, {"3x4 <9:.", {25, 8, 3}},
            {"4 <9:1", {0, 1, 1}}, {". <9:.", {10, 1, 1}}, {"0 <9:1", {50, 1, 1}},
            {"700 <99:1", {50, 1, 2}}),
    WGT_ROW(uniform, 0, false, {"<9:1", {WG_F64, 1, 2, 4}}, {"<9:.", {WG_F32, 8, 3, 70}},
            {"<99:1", {WG_F64, 1, 2, 900}}, {"<9:1", {WG_F32, 1, 2, 0}}),
    WGT_ROW(categorical, 0, false, {"3x4 <9:1", {1, 2}}, {"4 <9:.", {8, 3}}, {"2x3x2 <9:1", {1, 1}},
            {"5x1 <9:1", {1, 1}}, {"0x3 <9:1", {1, 1}}, {"300x7 <99:1", {1, 2}}),
    {.op = NULL},
};
/* clang-format on */
