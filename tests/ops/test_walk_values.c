/* The walk over the registry, first part: every op has its row, its values are the reference's,
 * and they do not depend on how the work is cut. */
#include "autograd/tape.h"
#include "ops/registry.h"
#include "tests/ops/op_table.h"
#include "tests/support/suites.h"

#include <math.h>
#include <string.h>

static bool is_leaf(const wg_op *op)
{
    return (op->flags & WG_OP_LEAF) != 0;
}

/* Leaves compute nothing. */
START_TEST(test_every_op_has_a_row)
{
    for (int i = 0; wg_op_at(i) != NULL; i++) {
        const wg_op *op = wg_op_at(i);
        bool found = is_leaf(op);
        for (int k = 0; !found && wgt_row_at(k) != NULL; k++)
            found = strcmp(wgt_row_at(k)->op, op->name) == 0;
        ck_assert_msg(found, "op %s has no row in the test table", op->name);
    }
}
END_TEST

START_TEST(test_every_row_has_an_op)
{
    for (int k = 0; wgt_row_at(k) != NULL; k++)
        ck_assert_msg(wg_op_find(wgt_row_at(k)->op) != NULL, "row %s is of no op",
                      wgt_row_at(k)->op);
}
END_TEST

START_TEST(test_names_are_unique)
{
    for (int i = 0; wg_op_at(i) != NULL; i++) {
        const wg_op *op = wg_op_at(i);
        ck_assert_msg(op->name != NULL && wg_op_find(op->name) == op, "two ops are called %s",
                      op->name);
        ck_assert_msg(is_leaf(op) || op->formula != NULL, "%s has no formula", op->name);
    }
}
END_TEST

/* A row with fewer kinds of operands than the walk needs shows nothing: every op is recorded with
 * an empty one, and with one of zero dimensions where it can be. */
START_TEST(test_rows_are_complete)
{
    static const char *const without_0d[] = {"cumsum",
                                             "diagonal",
                                             "diagonal_embed",
                                             "slice",
                                             "slice_rows",
                                             "concat",
                                             "matmul",
                                             "gather",
                                             "sum_to",
                                             "scatter_add",
                                             "csr_sampled",
                                             "csr_matmul",
                                             "soft_cross_entropy",
                                             NULL};
    for (int k = 0; wgt_row_at(k) != NULL; k++) {
        const wgt_row *row = wgt_row_at(k);
        bool empty = strcmp(row->op, "uniform") == 0; /* its operand, a step, has one element */
        bool scalar = false;
        for (const wgt_variant *v = wgt_variants(row); v->shapes != NULL; v++) {
            scalar = scalar || strchr(v->shapes, '.') != NULL;
            for (const char *at = v->shapes; (at = strchr(at, '0')) != NULL; at++)
                empty = empty || at == v->shapes || strchr(" x:?", at[-1]) != NULL;
        }
        for (int i = 0; without_0d[i] != NULL; i++)
            scalar = scalar || strcmp(without_0d[i], row->op) == 0;
        ck_assert_msg(empty && scalar, "row %s lacks a variant: %s", row->op,
                      empty ? "zero dimensions" : "empty");
    }
}
END_TEST

/* ---- Values ---------------------------------------------------------------------------------- */

static long double epsilon_of(wg_dtype dtype)
{
    return dtype == WG_F32 ? 0x1p-23L : dtype == WG_F64 ? 0x1p-52L : 0;
}

/* What the reference itself may be off by, in ulps of f64: some 2^-60 of the terms is nothing. Where
 * a long double is a double (armhf, valgrind), a sum of 900 terms, the longest, is off by up to n u. */
static long double reference_ulps(wg_dtype dtype)
{
    const volatile long double one = 1, little = 0x1p-60L, sum = one + little;
    return dtype == WG_F64 && sum == one ? 450 : 0;
}

/* Is got the reference's entry i, to the row's bound? A NaN is met by a NaN alone. */
static bool entry_fits(const wgt_row *row, wg_dtype dtype, long double got, const wgt_array *want,
                       int64_t i)
{
    long double value = want->value[i];
    if (got == value || (isnan(got) && isnan(value)))
        return true;
    long double size = fmaxl(fabsl(value), want->terms[i]);
    const long double ulps = row->ulps > 0 ? (long double)row->ulps + reference_ulps(dtype) : 0;
    return fabsl(got - value) <= 1.001L * ulps * epsilon_of(dtype) * size;
}

static void check_values(const wgt_case *c)
{
    wgt_array want = wgt_case_reference(c), got = wgt_array_of(c->y);
    char text[2][WG_SHAPE_TEXT];
    ck_assert_msg(wg_shape_same(&got.shape, &want.shape), "%s: shape %s, want %s", c->name,
                  wg_shape_text(&got.shape, text[0], WG_SHAPE_TEXT),
                  wg_shape_text(&want.shape, text[1], WG_SHAPE_TEXT));
    for (int64_t i = 0; i < got.size; i++)
        ck_assert_msg(entry_fits(c->row, c->y->dtype, got.value[i], &want, i),
                      "%s: entry %lld is %.21Lg, want %.21Lg; the terms are %.3Lg", c->name,
                      (long long)i, got.value[i], want.value[i], want.terms[i]);
    wgt_array_free(&want);
    wgt_array_free(&got);
}

/* ---- Pieces ---------------------------------------------------------------------------------- */

enum { PIECE_BYTES = 1 << 16, PIECE_WORKSPACE = 1 << 20 };

/* y computed in the pieces that begin at multiples of `length`, the last piece first, each with
 * other garbage in its workspace. */
static void compute_in_pieces(wg_tensor *y, int64_t chunks, int64_t length)
{
    static _Thread_local union {
        double aligned[PIECE_WORKSPACE / sizeof(double)];
    } workspace;
    for (int64_t at = (chunks - 1) / length * length; at >= 0; at -= length) {
        int64_t end = at + length < chunks ? at + length : chunks;
        memset(&workspace, 0xFF, y->op->workspace != NULL ? y->op->workspace(y) : 0);
        y->op->forward(y, &(wg_piece){at, end, &workspace});
    }
}

static void check_pieces(const wgt_case *c)
{
    static _Thread_local char whole[PIECE_BYTES];
    wg_tensor *y = c->y;
    size_t bytes = (size_t)y->size * wg_dtype_size(y->dtype);
    if (y->op->chunks == NULL || y->size == 0)
        return;
    int64_t chunks = y->op->chunks(y), lengths[] = {1, 2, 3, 7, 64, chunks};
    ck_assert_uint_le(bytes, sizeof whole);
    ck_assert_uint_le(y->op->workspace != NULL ? y->op->workspace(y) : 0, PIECE_WORKSPACE);
    memcpy(whole, y->data, bytes);
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
        memset(y->data, 0xA5, bytes);
        compute_in_pieces(y, chunks, lengths[k]);
        ck_assert_msg(memcmp(y->data, whole, bytes) == 0, "%s: other bits in pieces of %lld",
                      c->name, (long long)lengths[k]);
    }
}

/* ---- Copies ---------------------------------------------------------------------------------- */

/* What was recorded in f32 exists in f64: an op whose result's dtype is an attribute says so. */
static void check_copy(const wgt_case *c)
{
    wg_tape *copy = wg_tape_copy(c->tape, WG_F64);
    const wg_tensor *y = wg_tape_counterpart(copy, c->y);
    wg_dtype want = c->y->dtype == WG_I64 ? WG_I64 : WG_F64;
    ck_assert_msg(wg_tape_status(copy) == WG_OK, "%s: %s", c->name, wg_tape_message(copy));
    ck_assert_msg(y->dtype == want, "%s: %s in the f64 copy", c->name, wg_dtype_name(y->dtype));
    ck_assert_msg(wg_shape_same(&y->shape, &c->y->shape), "%s: another shape in the copy", c->name);
    wg_tape_free(copy);
}

/* ---- The walk -------------------------------------------------------------------------------- */

static void walk(const wgt_row *row, wg_dtype dtype)
{
    if (!wgt_row_takes(row, dtype))
        return;
    for (const wgt_variant *v = wgt_variants(row); v->shapes != NULL; v++) {
        wgt_case c = wgt_case_new(row, v, dtype);
        check_values(&c);
        check_pieces(&c);
        check_copy(&c);
        wgt_case_free(&c);
    }
}

START_TEST(test_values_f64)
{
    walk(wgt_row_at(_i), WG_F64);
}
END_TEST

START_TEST(test_values_f32)
{
    walk(wgt_row_at(_i), WG_F32);
}
END_TEST

START_TEST(test_values_i64)
{
    walk(wgt_row_at(_i), WG_I64);
}
END_TEST

Suite *suite_walk_values(void)
{
    Suite *suite = suite_create("walk_values");
    TCase *cases = tcase_create("values");
    tcase_add_test(cases, test_every_op_has_a_row);
    tcase_add_test(cases, test_every_row_has_an_op);
    tcase_add_test(cases, test_names_are_unique);
    tcase_add_test(cases, test_rows_are_complete);
    tcase_add_loop_test(cases, test_values_f64, 0, wgt_row_count());
    tcase_add_loop_test(cases, test_values_f32, 0, wgt_row_count());
    tcase_add_loop_test(cases, test_values_i64, 0, wgt_row_count());
    suite_add_tcase(suite, cases);
    return suite;
}
