#include "mixed.h"

const char *const mixed_bugs[] = {"none", "sign", "scale", "drop", "zero", "transpose"};

static bool mixed_shape(wg_tensor *y)
{
    const wg_tensor *a = y->operand[0], *b = y->operand[1];
    if (a->dtype != WG_F64 || b->dtype != WG_F64)
        return wg_op_fail(y, WG_E_DTYPE, "f64 wanted");
    y->dtype = WG_F64;
    y->shape = a->shape;
    return (a->shape.ndim == 2 && a->shape.dim[0] == a->shape.dim[1] &&
            wg_shape_same(&a->shape, &b->shape)) ||
           wg_op_fail(y, WG_E_SHAPE, "two square matrices of one size wanted");
}

static void mixed_forward(const wg_tensor *y, const wg_piece *piece)
{
    const double *a = y->operand[0]->data, *b = y->operand[1]->data;
    int64_t n = y->shape.dim[0];
    (void)piece;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            double sum = a[i * n + j] * a[i * n + j];
            for (int64_t k = 0; k < n; k++)
                sum += a[i * n + k] * b[k * n + j];
            ((double *)y->data)[i * n + j] = sum;
        }
}

/* dA = dY B^T + 2 A dY,   dB = A^T dY, as ops, so that they can be differentiated, too. */
static wg_tensor *mixed_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    wg_tensor *a = y->operand[0], *b = y->operand[1];
    int64_t bug = *(const int64_t *)y->attrs;
    if (i == 1)
        return bug == MIXED_ZERO ? NULL : wg_matmul_t(a, true, dy, false);
    double derivative = bug == MIXED_SCALE ? 2.002 : 2;
    wg_tensor *product = wg_matmul_t(dy, false, b, bug != MIXED_TRANSPOSE);
    wg_tensor *square = wg_scale(wg_mul(a, dy), bug == MIXED_SIGN ? -derivative : derivative);
    return bug == MIXED_DROP ? product : wg_add(product, square);
}

static const wg_op mixed_op = {.name = "mixed",
                               .formula = "Y = A B + A^2",
                               .arity = 2,
                               .attr_size = sizeof(int64_t),
                               .shape = mixed_shape,
                               .forward = mixed_forward,
                               .vjp = mixed_vjp};

wg_tensor *mixed(wg_tensor *a, wg_tensor *b, mixed_bug bug)
{
    const int64_t attribute = bug;
    return wg_apply(&mixed_op, (wg_tensor *[]){a, b}, 2, &attribute);
}
