/* The broadcast walk: right values for every kind of shape, and the same bits however it is cut. */
#include "autograd/check/gradcheck.h"
#include "autograd/op.h"
#include "autograd/rng.h"
#include "ops/elementwise.h"
#include "ops/registry.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>
#include <string.h>

static wg_tape *t;

static void set_up(void)
{
    t = wgt_strict_tape();
}

static void tear_down(void)
{
    wg_tape_free(t);
}

/* A parameter with entries base, base + 1, ...: exact in all sums below. */
static wg_tensor *counting(int ndim, const int64_t *dim, double base)
{
    wg_tensor *x = wg_param(t, NULL, WG_F64, ndim, dim);
    double *to = wg_edit(x);
    for (int64_t i = 0; i < wg_size(x); i++)
        to[i] = base + (double)i;
    return x;
}

/* x at the place of y's element i, by division: the slow way, axis by axis. */
static double broadcast_at(const wg_tensor *x, const wg_tensor *y, int64_t i)
{
    int64_t at = 0, step = 1;
    for (int axis = y->shape.ndim - 1, own = x->shape.ndim - 1; own >= 0; axis--, own--) {
        const int64_t place = i % y->shape.dim[axis];
        i /= y->shape.dim[axis];
        at += x->shape.dim[own] == 1 ? 0 : place * step;
        step *= x->shape.dim[own];
    }
    return wg_at(x, at);
}

static void check_values(const wg_tensor *y)
{
    for (int64_t i = 0; i < y->size; i++) {
        const double a = broadcast_at(y->operand[0], y, i), b = broadcast_at(y->operand[1], y, i);
        wgt_assert_same_bits(wg_at(y, i), a + 10 * b + 100 * broadcast_at(y->operand[2], y, i));
    }
}

/* y computed in pieces [0, cut), [cut, next), ... is what it was in one. */
static void check_cuts(wg_tensor *y)
{
    static double whole[4096];
    double untouched;
    memset(&untouched, 0xff, sizeof untouched);
    const size_t bytes = (size_t)y->size * sizeof(double);
    ck_assert_uint_le(bytes, sizeof whole);
    memcpy(whole, y->data, bytes);
    for (int64_t length = 1; length <= y->size; length += length < 20 ? 1 : 37) {
        memset(y->data, 0xff, bytes);
        for (int64_t at = 0; at < y->size; at += length) {
            const int64_t end = at + length < y->size ? at + length : y->size;
            wg_elementwise_forward(y, &(wg_piece){at, end, NULL});
            if (end < y->size) /* a piece writes its own part only */
                wgt_assert_same_bytes((double *)y->data + end, &untouched, sizeof untouched);
        }
        wgt_assert_same_bytes(y->data, whole, bytes);
    }
}

static void check(wg_tensor *a, wg_tensor *b, wg_tensor *c)
{
    wg_tensor *y = wgt_blend(a, b, c);
    check_values(y);
    if (wg_size(y) > 0)
        check_cuts(y);
}

START_TEST(test_kinds_of_broadcast)
{
    check(counting(WG_SCALAR, 1), counting(WG_SCALAR, 2), counting(WG_SCALAR, 3));
    check(counting(WG_SHAPE(2, 3), 1), counting(WG_SHAPE(2, 3), 9), counting(WG_SHAPE(2, 3), 50));
    check(counting(WG_SHAPE(4, 5), 1), counting(WG_SHAPE(5), 9), counting(WG_SCALAR, 50));
    check(counting(WG_SHAPE(4, 1), 1), counting(WG_SHAPE(1, 5), 9), counting(WG_SHAPE(1), 50));
    check(counting(WG_SHAPE(5), 1), counting(WG_SHAPE(3, 1, 1), 9), counting(WG_SHAPE(2, 1), 50));
    check(counting(WG_SHAPE(2, 1, 3, 1, 2), 1), counting(WG_SHAPE(4, 3, 5, 2), 9),
          counting(WG_SHAPE(1, 5, 1), 50));
    check(counting(WG_SHAPE(1, 2, 1, 2, 1, 2, 1, 2), 1),
          counting(WG_SHAPE(2, 1, 2, 1, 2, 1, 2, 1), 9), counting(WG_SHAPE(2), 50));
}
END_TEST

/* Short rows are walked many at a time, 64 is the longest. */
START_TEST(test_many_short_rows)
{
    const int64_t sizes[] = {2, 7, 10, 63, 64, 65};
    for (int i = 0; i < 6; i++) {
        const int64_t n = sizes[i], rows = 3900 / n;
        check(counting(WG_SHAPE(rows, n), 1), counting(WG_SHAPE(n), 9), counting(WG_SCALAR, 50));
        check(counting(WG_SHAPE(n), 1), counting(WG_SHAPE(1, n), 9),
              counting(WG_SHAPE(rows, n), 50));
        check(counting(WG_SHAPE(rows, n), 1), counting(WG_SHAPE(rows, 1), 9),
              counting(WG_SHAPE(n), 50));
    }
    check(counting(WG_SHAPE(50, 10), 1), counting(WG_SHAPE(6, 1, 10), 9),
          counting(WG_SHAPE(6, 50, 1), 50));
    check(counting(WG_SHAPE(6, 50, 10), 1), counting(WG_SHAPE(6, 1, 10), 9),
          counting(WG_SHAPE(6, 1, 1), 50));
}
END_TEST

/* Kernels take many elements at once: each as if it were alone. */
static void check_alone(const wg_op *op, wg_dtype dtype)
{
    enum { N = 67, SPECIAL = 7 };
    const double special[SPECIAL] = {0, -0.0, HUGE_VAL, -HUGE_VAL, nan(""), 1, -1};
    double x[3][N], many[N], alone[N], attrs[2] = {0.5, 2};
    const int64_t element = (int64_t)wg_dtype_size(dtype), stride[3] = {1, 1, 1};
    const void *at[3];
    for (int k = 0; k < 3 * N; k++) {
        const double value = k % 3 == 0 ? special[k / 3 % SPECIAL]
                                        : 3 * wg_random_normal(8, 1, (uint64_t)k);
        if (dtype == WG_F32)
            ((float *)x[k / N])[k % N] = (float)value;
        else
            x[k / N][k % N] = value;
    }
    for (int k = 0; k < 3; k++)
        at[k] = x[k];
    op->map[dtype](N, many, at, stride, attrs);
    for (int64_t i = 0; i < N; i++) {
        for (int k = 0; k < 3; k++)
            at[k] = (char *)x[k] + i * element;
        op->map[dtype](1, (char *)alone + i * element, at, stride, attrs);
    }
    for (int64_t i = 0; i < N; i++) {
        const char *a = (char *)many + i * element, *b = (char *)alone + i * element;
        const bool nan = dtype == WG_F32 ? isnan(((float *)many)[i]) && isnan(((float *)alone)[i])
                                         : isnan(many[i]) && isnan(alone[i]);
        ck_assert_msg(nan || memcmp(a, b, (size_t)element) == 0, "%s, element %d", op->name,
                      (int)i);
    }
}

START_TEST(test_many_elements_are_each_alone)
{
    for (int i = 0; wg_op_at(i) != NULL; i++) {
        const wg_op *op = wg_op_at(i);
        for (wg_dtype dtype = WG_F32; dtype <= WG_F64; dtype++)
            if ((op->flags & WG_OP_ELEMENTWISE) && op->map[dtype] != NULL && op->arity <= 3 &&
                op->check == NULL && op->attr_size <= 2 * sizeof(double))
                check_alone(op, dtype);
    }
}
END_TEST

START_TEST(test_nothing_to_walk)
{
    check(counting(WG_SHAPE(0), 1), counting(WG_SHAPE(3, 1), 9), counting(WG_SCALAR, 50));
    check(counting(WG_SHAPE(2, 0, 3), 1), counting(WG_SHAPE(1, 3), 9), counting(WG_SCALAR, 50));
}
END_TEST

/* A random shape that broadcasts with dim[8]: some leading axes dropped, some sizes 1. */
static wg_tensor *random_operand(const int64_t dim[WG_MAX_DIMS], int ndim, uint64_t key)
{
    int64_t own[WG_MAX_DIMS];
    const int skip = (int)wg_random_below(1, key, 100, ndim + 1);
    for (int i = skip; i < ndim; i++)
        own[i - skip] = wg_random_below(1, key, (uint64_t)i, 3) == 0 ? 1 : dim[i];
    return counting(ndim - skip, own, (double)(key % 1000));
}

START_TEST(test_random_shapes)
{
    const wg_mark mark = wg_tape_mark(t);
    for (uint64_t trial = 0; trial < 300; trial++) {
        int64_t dim[WG_MAX_DIMS];
        const int ndim = (int)wg_random_below(2, trial, 100, 7);
        for (int i = 0; i < ndim; i++)
            dim[i] = 1 + wg_random_below(2, trial, (uint64_t)i, 4);
        wg_tensor *a = random_operand(dim, ndim, 10 * trial);
        wg_tensor *b = random_operand(dim, ndim, 10 * trial + 1);
        check(a, b, random_operand(dim, ndim, 10 * trial + 2));
        wg_tape_rewind(t, mark);
    }
}
END_TEST

/* Of x tanh(s), s = log(1 + exp(x / 2)) */
static wg_tensor *swell_slope(wg_tensor *x)
{
    wg_tensor *half = wg_scale(x, 0.5), *u = wg_tanh(wg_softplus(half));
    return wg_add(u, wg_mul(wg_mul(half, wg_sigmoid(half)), wg_affine(wg_square(u), -1, 1)));
}

START_TEST(test_f32)
{
    wg_tensor *a = wg_full(t, WG_F32, WG_SHAPE(1000), 1.5),
              *b = wg_param(t, "b", WG_F32, WG_SHAPE(1000));
    wg_fill_uniform(b, 0, 1, 1);
    wg_tensor *y = wgt_product(a, b);
    for (int64_t i = 0; i < 1000; i++) {
        const float want = 1.5f * wg_data_f32(b)[i];
        wgt_assert_same_bits(wg_at(y, i), (double)want);
    }
}
END_TEST

START_TEST(test_too_many_operands)
{
    wg_tape *loose = wgt_tape(NULL);
    wg_op many = wgt_op_blend;
    many.arity = WG_VARIADIC;
    wg_tensor *x[9];
    for (int i = 0; i < 9; i++)
        x[i] = wg_scalar(loose, WG_F64, 1);
    ck_assert(wg_is_inert(wg_apply(&many, x, 9, NULL)));
    wgt_assert_status(loose, WG_E_VALUE, "blend: more than 8 operands");
    wg_tape_free(loose);
}
END_TEST

/* ---- Ops that a formula makes. ---- */

WG_UNARY_OP(swell, x, x *tanh(log1p(exp(0.5 * x))), wg_mul(dy, swell_slope(x)));
WG_BINARY_OP(reach, a, b, hypot(a, b), wg_mul(dy, wg_div(a, y)), wg_mul(dy, wg_div(b, y)));
WG_BINARY_OP(left, a, b, a > b ? a : 2 * a, dy, NULL);

/* Each type by its own functions: by those of double, wide values would not be wide, and a check
 * by their differences would accuse right rules; by broadcasting, b's cotangent is a sum. */
START_TEST(test_ops_of_formulas)
{
    wg_tape *own = wgt_tape(NULL);
    for (int k = 0; k < 2; k++) {
        const wg_dtype dtype = k == 0 ? WG_F64 : WG_F32;
        wg_tensor *x = wg_param(own, "x", dtype, WG_SHAPE(5, 3));
        wg_tensor *b = wg_param(own, "b", dtype, WG_SHAPE(3)), *xs[] = {x, b};
        wg_fill_uniform(x, 0.1, 2, 1);
        wg_fill_uniform(b, 0.1, 2, 2);
        wg_tensor *y = swell(x), *z = left(reach(y, b), b);
        const wg_gradcheck_options wide = {.precision = WG_CHECK_WIDE};
        ck_assert_int_eq(wg_gradcheck(z, xs, NULL, 2, &wide, NULL), WG_CHECK_PASSED);
        ck_assert_int_eq(wg_dtype_of(z), dtype);
        for (int i = 0; i < 15; i++) {
            const double v = wg_at(x, i), want = v * tanh(log1p(exp(0.5 * v)));
            ck_assert(wgt_close(wg_at(y, i), want, k == 0 ? 1e-15 : 3e-7, 0));
        }
    }
    wgt_assert_status(own, WG_OK, "");
    wg_tape_free(own);
}
END_TEST

Suite *suite_elementwise_walk(void)
{
    Suite *suite = suite_create("elementwise_walk");
    TCase *cases = tcase_create("walk");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, test_kinds_of_broadcast);
    tcase_add_test(cases, test_many_short_rows);
    tcase_add_test(cases, test_many_elements_are_each_alone);
    tcase_add_test(cases, test_nothing_to_walk);
    tcase_add_test(cases, test_random_shapes);
    tcase_add_test(cases, test_f32);
    tcase_add_test(cases, test_too_many_operands);
    tcase_add_test(cases, test_ops_of_formulas);
    suite_add_tcase(suite, cases);
    return suite;
}
