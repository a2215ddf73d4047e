#include "tests/support/linear.h"

#include "autograd/derivatives/derivatives.h"
#include "autograd/grad.h"
#include "tests/support/assert.h"

#include <string.h>

wg_tensor *wgt_counting(wg_tape *t, int ndim, const int64_t *dim)
{
    wg_tensor *x = wg_param(t, "x", WG_F64, ndim, dim);
    double *values = wg_edit(x);
    for (int64_t i = 0; i < wg_size(x); i++)
        values[i] = (double)(i + 1);
    return x;
}

wg_tensor *wgt_counting_of(wg_tape *t, wg_dtype dtype, int ndim, const int64_t *dim)
{
    static _Thread_local union {
        float f32[WGT_LINEAR_MOST];
        double f64[WGT_LINEAR_MOST];
        int64_t i64[WGT_LINEAR_MOST];
    } values;
    for (int i = 0; i < WGT_LINEAR_MOST; i++)
        switch (dtype) {
        case WG_F32: values.f32[i] = (float)(i + 1); break;
        case WG_F64: values.f64[i] = (double)(i + 1); break;
        case WG_I64: values.i64[i] = i + 1; break;
        default: ck_abort_msg("no dtype of leaves");
        }
    wg_tensor *x = wg_constant(t, dtype, ndim, dim, &values);
    ck_assert_int_le(wg_size(x), WGT_LINEAR_MOST);
    return x;
}

void wgt_assert_tensor(const wg_tensor *y, int ndim, const int64_t *dim, const double *values)
{
    ck_assert_str_eq(wg_tape_message(y->tape), "");
    ck_assert_int_eq(wg_ndim(y), ndim);
    for (int i = 0; i < ndim; i++)
        ck_assert_int_eq(wg_dim(y, i), dim[i]);
    if (wg_size(y) > 0)
        wgt_assert_all_close(wg_data_f64(y), values, wg_size(y), 0, 0);
}

/* J v, the transpose for `transposed`; exact for small whole numbers. */
static void linear_apply(const wg_tensor *J, bool transposed, const double *v, double *result)
{
    int64_t rows = wg_dim(J, 0), columns = wg_dim(J, 1);
    const double *entry = wg_data_f64(J);
    memset(result, 0, sizeof(double) * (size_t)(transposed ? columns : rows));
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++)
            result[transposed ? j : i] += entry[i * columns + j] * v[transposed ? i : j];
}

static void linear_pattern(wg_tensor *leaf)
{
    double *values = wg_edit(leaf);
    for (int64_t i = 0; i < wg_size(leaf); i++)
        values[i] = (double)(i * 7 % 11) - 5;
}

void wgt_assert_linear(wg_tensor *x, wg_tensor *y)
{
    double want[WGT_LINEAR_MOST];
    wg_tape *t = x->tape;
    ck_assert_str_eq(wg_tape_message(t), "");
    ck_assert_int_le(wg_size(x), WGT_LINEAR_MOST);
    ck_assert_int_le(wg_size(y), WGT_LINEAR_MOST);
    wg_tensor *J = wg_jacobian(y, &x, 1);
    linear_apply(J, false, wg_data_f64(x), want);
    wgt_assert_all_close(wg_data_f64(y), want, wg_size(y), 0, 0);

    wg_tensor *v = wg_param(t, "v", WG_F64, x->shape.ndim, x->shape.dim);
    linear_pattern(v);
    wg_tensor *Jv = wg_jvp(y, &x, &v, 1);
    ck_assert_str_eq(wg_tape_message(t), "");
    linear_apply(J, false, wg_data_f64(v), want);
    wgt_assert_all_close(wg_data_f64(Jv), want, wg_size(y), 0, 0);

    wg_tensor *u = wg_param(t, "u", WG_F64, y->shape.ndim, y->shape.dim), *g;
    linear_pattern(u);
    ck_assert_int_eq(wg_vjp(y, u, &x, 1, &g), WG_OK);
    linear_apply(J, true, wg_data_f64(u), want);
    wgt_assert_all_close(wg_data_f64(g), want, wg_size(x), 0, 0);
    wg_tensor *back = wg_jacobian(g, &u, 1); /* [size of x, size of y]: the transpose of J */
    ck_assert_str_eq(wg_tape_message(t), "");
    for (int64_t i = 0; i < wg_size(y); i++)
        for (int64_t j = 0; j < wg_size(x); j++)
            wgt_assert_that(wg_data_f64(J)[i * wg_size(x) + j], ==,
                            wg_data_f64(back)[j * wg_size(y) + i]);
}

void wgt_assert_pieces(wg_tensor *y)
{
    static _Thread_local double whole[WGT_LINEAR_MOST];
    static _Thread_local char workspace[1 << 16];
    size_t bytes = (size_t)y->size * wg_dtype_size(y->dtype);
    ck_assert_str_eq(wg_tape_message(y->tape), "");
    ck_assert_uint_le(bytes, sizeof whole);
    ck_assert(y->op->chunks != NULL);
    memcpy(whole, y->data, bytes);
    memset(y->data, 0xA5, bytes);
    for (int64_t i = y->op->chunks(y) - 1; i >= 0; i--) {
        wg_piece piece = {i, i + 1, workspace};
        y->op->forward(y, &piece);
    }
    wgt_assert_same_bytes(y->data, whole, bytes);
}
