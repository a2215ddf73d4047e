/* Rows of the ops that move, repeat, cut and join elements: naive loops over indices. */
#include "tests/ops/op_table.h"

#include "ops/axes_internal.h"
#include "ops/compare.h"
#include "ops/cumsum.h"
#include "ops/diagonal.h"
#include "ops/layout.h"
#include "ops/registry.h"
#include "ops/slice.h"

/* Each element of y is the element of x at an index that `move` makes of y's. False: there is
 * none, and the value is what y holds already. */
typedef bool layout_move(const int64_t *a, const wg_shape *x, const int64_t *place, int64_t *from);

static void layout_run(const wgt_array *x, const int64_t *a, const wg_shape *shape,
                       layout_move *move, wgt_array *y)
{
    int64_t place[WG_MAX_DIMS] = {0}, from[WG_MAX_DIMS] = {0};
    wgt_shape_set(y, shape);
    for (int64_t i = 0; i < y->size; i++) {
        wgt_place_of(&y->shape, i, place);
        if (move(a, &x->shape, place, from))
            y->value[i] = x->value[wgt_number_of(&x->shape, from)];
    }
}

static bool same_place(const int64_t *a, const wg_shape *x, const int64_t *place, int64_t *from)
{
    (void)a;
    for (int i = 0; i < x->ndim; i++)
        from[i] = place[i];
    return true;
}

/* A shape as numbers of a variant: the ndim, then the sizes. */
static wg_shape shape_of(const int64_t *a)
{
    wg_shape shape = {.ndim = (int)a[0]};
    for (int i = 0; i < shape.ndim; i++)
        shape.dim[i] = a[1 + i];
    return shape;
}

/* ---- reshape (ndim, sizes), permute (the axes), detach --------------------------------------- */

static wg_tensor *record_reshape(wg_tensor *const x[], int n, const int64_t *a)
{
    (void)n;
    return wg_reshape(x[0], (int)a[0], a + 1);
}

static void reference_reshape(const wgt_array x[], int n, const int64_t *a, wgt_array *y)
{
    wg_shape shape = shape_of(a);
    (void)n;
    wgt_shape_set(y, &shape);
    for (int64_t i = 0; i < y->size; i++)
        y->value[i] = x[0].value[i];
}

static wg_tensor *record_permute(wg_tensor *const x[], int n, const int64_t *a)
{
    int axes[WGT_NUMBERS];
    (void)n;
    for (int i = 0; i < x[0]->shape.ndim; i++)
        axes[i] = (int)a[i];
    return wg_permute(x[0], x[0]->shape.ndim, axes);
}

static bool permuted(const int64_t *a, const wg_shape *x, const int64_t *place, int64_t *from)
{
    for (int i = 0; i < x->ndim; i++)
        from[a[i]] = place[i];
    return true;
}

static void reference_permute(const wgt_array x[], int n, const int64_t *a, wgt_array *y)
{
    wg_shape shape = x[0].shape;
    (void)n;
    for (int i = 0; i < shape.ndim; i++)
        shape.dim[i] = x[0].shape.dim[a[i]];
    layout_run(x, a, &shape, permuted, y);
}

static wg_tensor *record_detach(wg_tensor *const x[], int n, const int64_t *a)
{
    (void)n, (void)a;
    return wg_detach(x[0]);
}

static void reference_detach(const wgt_array x[], int n, const int64_t *a, wgt_array *y)
{
    (void)n;
    layout_run(x, a, &x[0].shape, same_place, y);
}

/* ---- broadcast_to, sum_to (ndim, sizes) ------------------------------------------------------ */

static wg_tensor *record_broadcast_to(wg_tensor *const x[], int n, const int64_t *a)
{
    (void)n;
    return wg_broadcast_to(x[0], (int)a[0], a + 1);
}

static void reference_broadcast_to(const wgt_array x[], int n, const int64_t *a, wgt_array *y)
{
    wg_shape shape = shape_of(a);
    (void)n;
    wgt_shape_set(y, &shape);
    for (int64_t i = 0; i < y->size; i++)
        y->value[i] = wgt_broadcast_entry(&x[0], &shape, i);
}

static wg_tensor *record_sum_to(wg_tensor *const x[], int n, const int64_t *a)
{
    (void)n;
    return wg_sum_to(x[0], wg_full(x[0]->tape, x[0]->dtype, (int)a[0], a + 1, 0));
}

/* Where y would be repeated, all of x is added up. */
static void reference_sum_to(const wgt_array x[], int n, const int64_t *a, wgt_array *y)
{
    wg_shape shape = shape_of(a);
    int64_t place[WG_MAX_DIMS], to[WG_MAX_DIMS] = {0};
    int missing = x[0].shape.ndim - shape.ndim;
    (void)n;
    wgt_shape_set(y, &shape);
    for (int64_t i = 0; i < x[0].size; i++) {
        wgt_place_of(&x[0].shape, i, place);
        for (int axis = 0; axis < shape.ndim; axis++)
            to[axis] = shape.dim[axis] == 1 ? 0 : place[axis + missing];
        y->value[wgt_number_of(&shape, to)] += x[0].value[i];
    }
}

/* ---- cast (the dtype), cumsum (axis, reverse) ------------------------------------------------ */

static wg_tensor *record_cast(wg_tensor *const x[], int n, const int64_t *a)
{
    wg_op const *op = wg_op_find("cast");
    wg_dtype to = (wg_dtype)a[0];
    (void)n;
    return wg_apply(op, x, 1, &to); /* wg_cast records nothing where the dtype is right already */
}

static void reference_cast(const wgt_array x[], int n, const int64_t *a, wgt_array *y)
{
    reference_detach(x, n, a, y);
    for (int64_t i = 0; i < y->size; i++)
        y->value[i] = a[0] == WG_F32   ? (long double)(float)y->value[i]
                      : a[0] == WG_F64 ? (long double)(double)y->value[i]
                                       : (long double)(int64_t)y->value[i];
}

static wg_tensor *record_cumsum(wg_tensor *const x[], int n, const int64_t *a)
{
    (void)n;
    return wg_cumsum(x[0], (int)a[0], a[1] != 0);
}

static void reference_cumsum(const wgt_array x[], int n, const int64_t *a, wgt_array *y)
{
    int64_t place[WG_MAX_DIMS];
    (void)n;
    wgt_shape_set(y, &x[0].shape);
    for (int64_t i = 0; i < y->size; i++) {
        wgt_place_of(&y->shape, i, place);
        int64_t at = place[a[0]], first = a[1] ? at : 0, last = a[1] ? y->shape.dim[a[0]] - 1 : at;
        for (place[a[0]] = first; place[a[0]] <= last; place[a[0]]++)
            y->value[i] += x[0].value[wgt_number_of(&y->shape, place)];
    }
}

/* ---- diagonal, diagonal_embed (n, m) --------------------------------------------------------- */

static wg_tensor *record_diagonal(wg_tensor *const x[], int n, const int64_t *a)
{
    (void)n, (void)a;
    return wg_diagonal(x[0]);
}

static bool on_diagonal(const int64_t *a, const wg_shape *x, const int64_t *place, int64_t *from)
{
    same_place(a, x, place, from);
    from[x->ndim - 1] = place[x->ndim - 2];
    return true;
}

static void reference_diagonal(const wgt_array x[], int n, const int64_t *a, wgt_array *y)
{
    wg_shape shape = x[0].shape;
    (void)n;
    int64_t rows = shape.dim[shape.ndim - 2], columns = shape.dim[shape.ndim - 1];
    shape.ndim--;
    shape.dim[shape.ndim - 1] = rows < columns ? rows : columns;
    layout_run(x, a, &shape, on_diagonal, y);
}

static wg_tensor *record_diagonal_embed(wg_tensor *const x[], int n, const int64_t *a)
{
    (void)n;
    return wg_diagonal_embed(x[0], a[0], a[1]);
}

static bool off_diagonal(const int64_t *a, const wg_shape *x, const int64_t *place, int64_t *from)
{
    same_place(a, x, place, from);
    return place[x->ndim - 1] == place[x->ndim];
}

static void reference_diagonal_embed(const wgt_array x[], int n, const int64_t *a, wgt_array *y)
{
    wg_shape shape = x[0].shape;
    (void)n;
    shape.dim[shape.ndim - 1] = a[0];
    shape.dim[shape.ndim++] = a[1];
    layout_run(x, a, &shape, off_diagonal, y);
}

/* clang-format off */
const wgt_row wgt_rows_layout[] = {
    WGT_ROW(reshape, 0, true, {"2x3", {2, 3, 2}}, {"2x3", {1, 6}}, {".", {2, 1, 1}}, {"1", {0}},
            {"0x3", {2, 5, 0}}, {"2x6x1", {2, 2, 6}}),
    WGT_ROW(permute, 0, true, {"2x3", {1, 0}}, {"2x3x4", {2, 0, 1}}, {"2x3x2x1", {1, 3, 0, 2}},
            {"3", {0}}, {".", {0}}, {"0x3", {1, 0}}, {"33x20", {1, 0}}),
    WGT_ROW(broadcast_to, 0, true, {"3", {2, 2, 3}}, {"2x1", {2, 2, 3}}, {".", {2, 2, 2}},
            {"1x3x1", {3, 2, 3, 2}}, {"1", {2, 0, 3}}, {"0x1", {2, 0, 2}},
            {"20x1", {3, 2, 20, 30}}),
    WGT_ROW(sum_to, 0.5, true, {"2x3", {1, 3}}, {"2x3", {2, 2, 1}}, {"2x3", {0}},
            {"2x3x2", {3, 1, 3, 1}}, {"0x3", {1, 3}}, {"2x0", {2, 2, 1}}, {"40x20", {1, 20}},
            {"40x20", {2, 40, 1}}),
    WGT_ROW(detach, 0, true, {"2x3", {0}}, {".", {0}}, {"0", {0}}, {"700", {0}}),
    WGT_ROW(cast, 0, true, {"2x3", {WG_F32}}, {"2x3", {WG_F64}}, {".", {WG_F32}}, {".", {WG_F64}},
            {"0x3", {WG_F32}}, {"0x3", {WG_F64}}, {"7", {WG_I64}}, {"700", {WG_F32}}),
    WGT_ROW(cumsum, 0.5, true, {"130x3", {1, 1}}, {"3x70", {0, 0}},
            {"4", {0, 0}}, {"4", {0, 1}}, {"2x3", {0, 1}}, {"2x3x2", {1, 0}},
            {"2x3", {1, 0}}, {"0x3", {0, 0}}, {"3x0", {0, 1}}, {"30x20", {0, 0}},
            {"20x30", {1, 1}}),
    WGT_ROW(diagonal, 0, true, {"3x3", {0}}, {"2x4", {0}}, {"2x3x2", {0}}, {"0x3", {0}},
            {"2x0x0", {0}}),
    WGT_ROW(diagonal_embed, 0, true, {"3", {3, 3}}, {"2", {2, 4}}, {"2x2", {3, 2}}, {"0", {0, 2}},
            {"0x2", {2, 2}}),
    {.op = NULL},
};
/* clang-format on */

/* ---- slice and slice_rows (axis, begin, end), pad (counts before, counts after, value) ------- */

static wg_tensor *record_slice(wg_tensor *const x[], int n, const int64_t *a)
{
    (void)n;
    return wg_slice(x[0], (int)a[0], a[1], a[2]);
}

static bool sliced(const int64_t *a, const wg_shape *x, const int64_t *place, int64_t *from)
{
    same_place(a, x, place, from);
    from[a[0]] += a[1];
    return true;
}

static void reference_slice(const wgt_array x[], int n, const int64_t *a, wgt_array *y)
{
    wg_shape shape = x[0].shape;
    (void)n;
    shape.dim[a[0]] = a[2] - a[1];
    layout_run(x, a, &shape, sliced, y);
}

/* A part that is one piece of memory is recorded as slice_rows. */
#define record_slice_rows    record_slice
#define reference_slice_rows reference_slice

/* Of a matrix; the value padded is a[4]. */
static wg_tensor *record_pad(wg_tensor *const x[], int n, const int64_t *a)
{
    int ndim = x[0]->shape.ndim;
    (void)n;
    return wg_pad(x[0], ndim, a, ndim, a + 2, (double)a[4]);
}

static bool padded(const int64_t *a, const wg_shape *x, const int64_t *place, int64_t *from)
{
    bool inside = true;
    for (int i = 0; i < x->ndim; i++) {
        from[i] = place[i] - a[i];
        inside = inside && from[i] >= 0 && from[i] < x->dim[i];
    }
    return inside;
}

static void reference_pad(const wgt_array x[], int n, const int64_t *a, wgt_array *y)
{
    wg_shape shape = x[0].shape;
    (void)n;
    for (int i = 0; i < shape.ndim; i++)
        shape.dim[i] += a[i] + a[2 + i];
    for (int64_t i = 0; i < wg_shape_size(&shape); i++)
        y->value[i] = (long double)a[4];
    layout_run(x, a, &shape, padded, y);
}

/* ---- concat, stack (the axis), add_n -------------------------------------------------------- */

static wg_tensor *record_concat(wg_tensor *const x[], int n, const int64_t *a)
{
    return wg_concat(x, n, (int)a[0]);
}

static void reference_concat(const wgt_array x[], int n, const int64_t *a, wgt_array *y)
{
    int64_t place[WG_MAX_DIMS], begin = 0;
    wg_shape shape = x[0].shape;
    for (int k = 1; k < n; k++)
        shape.dim[a[0]] += x[k].shape.dim[a[0]];
    wgt_shape_set(y, &shape);
    for (int k = 0; k < n; begin += x[k++].shape.dim[a[0]])
        for (int64_t i = 0; i < x[k].size; i++) {
            wgt_place_of(&x[k].shape, i, place);
            place[a[0]] += begin;
            y->value[wgt_number_of(&shape, place)] = x[k].value[i];
        }
}

static wg_tensor *record_stack(wg_tensor *const x[], int n, const int64_t *a)
{
    return wg_stack(x, n, (int)a[0]);
}

static void reference_stack(const wgt_array x[], int n, const int64_t *a, wgt_array *y)
{
    int64_t place[WG_MAX_DIMS], from[WG_MAX_DIMS];
    wg_shape shape = {.ndim = x[0].shape.ndim + 1};
    for (int i = 0, next = 0; i < shape.ndim; i++)
        shape.dim[i] = i == a[0] ? n : x[0].shape.dim[next++];
    wgt_shape_set(y, &shape);
    for (int64_t i = 0; i < y->size; i++) {
        wgt_place_of(&shape, i, place);
        for (int axis = 0, next = 0; axis < shape.ndim; axis++)
            if (axis != a[0])
                from[next++] = place[axis];
        y->value[i] = x[place[a[0]]].value[wgt_number_of(&x[0].shape, from)];
    }
}

static wg_tensor *record_add_n(wg_tensor *const x[], int n, const int64_t *a)
{
    (void)a;
    return wg_apply(&wg_op_add_n, x, n, NULL);
}

static void reference_add_n(const wgt_array x[], int n, const int64_t *a, wgt_array *y)
{
    (void)a;
    wgt_shape_set(y, &x[0].shape);
    for (int k = 0; k < n; k++)
        for (int64_t i = 0; i < y->size; i++)
            y->value[i] += x[k].value[i];
}

/* ---- assemble: part k stands at index a[k] of every axis, whose size is a[5] ----------------- */

static wg_tensor *record_assemble(wg_tensor *const x[], int n, const int64_t *a)
{
    const int ndim = x[0]->shape.ndim;
    int64_t sizes[1 + WG_MAX_DIMS] = {ndim}, places[WGT_OPERANDS * WG_MAX_DIMS];
    wg_tensor *operand[1 + WGT_OPERANDS];
    for (int i = 0; i < ndim; i++)
        sizes[1 + i] = a[5];
    for (int i = 0; i < n * ndim; i++)
        places[i] = a[i / ndim];
    operand[0] = wg_constant(x[0]->tape, WG_I64, WG_SHAPE(n, ndim), places);
    for (int k = 0; k < n; k++)
        operand[1 + k] = x[k];
    return wg_apply(wg_op_find("assemble"), operand, 1 + n, sizes);
}

static void reference_assemble(const wgt_array x[], int n, const int64_t *a, wgt_array *y)
{
    int64_t place[WG_MAX_DIMS];
    wg_shape shape = {.ndim = x[0].shape.ndim};
    for (int i = 0; i < shape.ndim; i++)
        shape.dim[i] = a[5];
    wgt_shape_set(y, &shape);
    for (int k = 0; k < n; k++)
        for (int64_t i = 0; i < x[k].size; i++) {
            wgt_place_of(&x[k].shape, i, place);
            for (int axis = 0; axis < shape.ndim; axis++)
                place[axis] += a[k];
            y->value[wgt_number_of(&shape, place)] += x[k].value[i];
        }
}

/* clang-format off */
const wgt_row wgt_rows_slice[] = {
    WGT_ROW(slice, 0, true, {"2x4", {1, 1, 3}}, {"3x2x2", {1, 0, 1}}, {"2x3x2", {2, 1, 2}},
            {"3x4", {1, 2, 2}}, {"0x4", {1, 1, 3}}, {"20x30", {1, 3, 28}}),
    WGT_ROW(slice_rows, 0, true, {"4x2", {0, 1, 3}}, {"5", {0, 2, 5}}, {"1x4", {1, 1, 3}},
            {"4x2", {0, 2, 2}}, {"4x0", {0, 1, 3}}),
    WGT_ROW(pad, 0, true, {"2x3", {1, 0, 0, 2, 7}}, {"3", {1, 0, 2}}, {"2x2", {0, 0, 0, 0}},
            {".", {0}}, {"0x2", {1, 0, 1, 0, -1}}, {"10x20", {1, 2, 3, 4}}),
    WGT_ROW(concat, 0, true, {"2 3", {0}}, {"2x1 2x3", {1}}, {"1x2 2x2 3x2", {0}},
            {"2x1x2 2x2x2", {1}}, {"3", {0}}, {"2x2 =", {1}}, {"2 = =", {0}}, {"0x2 1x2", {0}},
            {"0x2 0x1", {1}}, {"30x4 30x9", {1}}),
    WGT_ROW(stack, 0, true, {"3 3", {0}}, {"3 3", {1}}, {"2x2 2x2 2x2", {1}}, {". .", {0}},
            {"2x2", {2}}, {"3 =", {1}}, {"0 0", {1}}, {"30x4 30x4", {1}}),
    WGT_ROW(assemble, 0.5, false, {"3", {2, 0, 0, 0, 0, 6}}, {"3 3 2", {0, 2, 4, 0, 0, 7}},
            {"2x3 2x3 4x1", {0, 1, 1, 0, 0, 5}}, {". . .", {0}}, {"0 2", {3, 1, 0, 0, 0, 3}},
            {"2x3 = 3x2", {1, 0, 0, 0, 0, 4}}, {"2x2x2 1x3x2 3x1x3", {1, 0, 0, 0, 0, 3}},
            {"700 700 20", {0, 300, 900, 0, 0, 1000}}),
    WGT_ROW(add_n, 0.5, false, {"2x3 2x3", {0}}, {"2x3 2x3 2x3", {0}}, {". . . .", {0}},
            {"3", {0}}, {"3 =", {0}}, {"2x2 = 2x2 =", {0}}, {"0 0", {0}}, {"700 700", {0}},
            {"700 700 700", {0}}),
    {.op = NULL},
};
/* clang-format on */
