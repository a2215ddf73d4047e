/* Programs written as C: formulas of users' ops, as they may be spelled, and indices of many axes. */
#include "tests/compile/written.h"

#include "autograd/compile/program_internal.h"
#include "ops/constants.h"
#include "ops/elementwise.h"
#include "ops/index.h"
#include "ops/layout.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 4 };

/* ---- Ops whose kernels and formulas say the same ---------------------------------------------- */

#define KERNEL(name, type, from, expression)                                                       \
    static void name(int64_t n, void *out, const void *const in[], const int64_t step[],           \
                     const void *attrs)                                                            \
    {                                                                                              \
        const double c = attrs != NULL ? *(const double *)attrs : 0;                               \
        for (int64_t i = 0; i < n; i++) {                                                          \
            const from x = ((const from *)in[0])[i * step[0]];                                     \
            (void)c;                                                                               \
            ((type *)out)[i] = (type)(expression);                                                 \
        }                                                                                          \
    }

KERNEL(less_two, double, double, x + -2.0)
KERNEL(three_times, double, double, x * 3.0)
KERNEL(less_half, double, double, -0.5 + x)
KERNEL(bell, double, double, exp(-x / c * x))
KERNEL(thirds, double, double, c * 3 / 2 * x)
KERNEL(halves, int64_t, int64_t, x / 2)
KERNEL(tenths, int64_t, double, x * 10)
KERNEL(doubled, int64_t, int64_t, (uint64_t)x * 2u + (uint64_t)x)

#define UNARY(of, text, dtype, size)                                                               \
    {                                                                                              \
        .name = #of, .formula = text, .arity = 1, .attr_size = size,                               \
        .flags = WG_OP_ELEMENTWISE | WG_OP_ZERO_GRADIENT, .shape = wg_elementwise_shape,           \
        .forward = wg_elementwise_forward, .part = wg_elementwise_part, .map = {                   \
            [dtype] = of                                                                           \
        }                                                                                          \
    }

static bool integers(wg_tensor *y)
{
    y->dtype = WG_I64;
    y->shape = y->operand[0]->shape;
    return true;
}

static wg_op op[] = {
    UNARY(less_two, "less_two(x) = x + K(-2)", WG_F64, 0),
    UNARY(three_times, "three_times(x) = x * K( 3 )", WG_F64, 0),
    UNARY(less_half, "less_half(x) = K(-0.5) + x", WG_F64, 0),
    UNARY(bell, "bell(x; c) = exp(-x/c * x)", WG_F64, sizeof(double)),
    UNARY(thirds, "thirds(x; c) = c * 3 / 2 * x", WG_F64, sizeof(double)),
    UNARY(tenths, "tenths(x) = x * 10", WG_F64, 0),
    UNARY(halves, "halves(x) = x / 2", WG_I64, 0),
    UNARY(doubled, "doubled(x) = x * 2 + x", WG_I64, 0),
};
enum { OPS = sizeof op / sizeof *op, FLOATS = 6 };

/* A comparison without blanks; the other operand is a table of the file. */
static void above(int64_t n, void *out, const void *const in[], const int64_t step[],
                  const void *attrs)
{
    (void)attrs;
    for (int64_t i = 0; i < n; i++)
        ((double *)out)[i] = ((const double *)in[0])[i * step[0]] >
                             ((const double *)in[1])[i * step[1]];
}
static wg_op above_op = UNARY(above, "above(a, b) = a>b ? 1 : 0", WG_F64, 0);

static void assert_written(wg_program *p, const void *in)
{
    wgt_written *w = wgt_written_new();
    const void *bytes;
    size_t offset = 0;
    wgt_written_add(w, p, false);
    if (wgt_written_compile(w, wgt_compilers[0])) {
        ck_assert_int_eq(wgt_written_run(w, 0, in, &bytes), 0);
        for (int k = 0; k < p->n_outputs; k++) {
            const wg_tensor *want = p->output[k];
            ck_assert_msg(memcmp(wgt_written_output(bytes, &offset, want->dtype, want->size),
                                 want->data, (size_t)want->size * wg_dtype_size(want->dtype)) == 0,
                          "output %d, %s", k, want->name != NULL ? want->name : "");
        }
    }
    wgt_written_free(w);
}

START_TEST(test_spellings)
{
    static const double x[SIZE] = {3, 0.5, -0.35, 7}, than[SIZE] = {1, 2, -1, 7}, one = 1;
    static const int64_t i[SIZE] = {-4, 7, INT64_MAX, -1};
    wg_tape *t = wgt_strict_tape();
    wg_tensor *floats = wg_input(t, "x", WG_F64, WG_SHAPE(SIZE), x);
    wg_tensor *whole = wg_input(t, "i", WG_I64, WG_SHAPE(SIZE), i), *out[OPS + 1];
    op[FLOATS - 1].shape = integers;
    for (int k = 0; k < OPS; k++) {
        out[k] = wg_apply(&op[k], k < FLOATS ? &floats : &whole, 1, &one);
        wg_rename(out[k], op[k].name);
    }
    above_op.arity = 2;
    wg_tensor *pair[] = {floats, wg_constant(t, WG_F64, WG_SHAPE(SIZE), than)};
    out[OPS] = wg_apply(&above_op, pair, 2, NULL);
    wg_program *p = wg_compile(out, OPS + 1, NULL);
    ck_assert_int_eq(wg_program_run(p), WG_OK);
    assert_written(p, &(struct {
                       const double *x;
                       const int64_t *i;
                   }){x, i});
    wg_tape_free(t);
}
END_TEST

/* The place in the table takes more than a hundred letters. */
START_TEST(test_indices_of_eight_axes)
{
    enum { N = 256, LAST = 1000 };
    const int64_t table[8] = {2, 2, 2, 2, 2, 2, 9, LAST}, shape[8] = {2, 2, 2, 2, 2, 2, 2, 2};
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wg_reshape(wg_arange(t, WG_F32, 0, 64 * 9 * LAST, 1), 8, table);
    static int64_t at[N];
    for (int i = 0; i < N; i++)
        at[i] = i * 37 % LAST;
    wg_tensor *index = wg_input(t, "index", WG_I64, 8, shape, at),
              *w = wg_param(t, "w", WG_F32, 8, table);
    wg_write(w, x->data, (size_t)x->size * sizeof(float));
    wg_tensor *out[] = {wg_gather(w, 7, index)};
    wg_program *p = wg_compile(out, 1, NULL);
    ck_assert_int_eq(wg_program_run(p), WG_OK);
    const int64_t *const in = at;
    assert_written(p, &in);
    wg_tape_free(t);
}
END_TEST

/* ---- What cannot be written ------------------------------------------------------------------ */

static wg_tensor *refused_op(wg_tape *t, const char *formula, int arity)
{
    static wg_op bad;
    static const double x[SIZE] = {1, 2, 3, 4};
    wg_tensor *operand[2];
    bad = op[0];
    bad.name = "bad";
    bad.formula = formula;
    bad.arity = arity;
    for (int k = 0; k < 2; k++)
        operand[k] = wg_input(t, k == 0 ? "x" : "y", WG_F64, WG_SHAPE(SIZE), x);
    return wg_apply(&bad, operand, arity, NULL);
}

START_TEST(test_refused_formulas)
{
    static const struct {
        const char *formula;
        int arity;
    } row[] = {{"bad(x) = x * K(M_PI)", 1},
               {"bad(x) = x * K()", 1},
               {"bad(the_temperature_of_a_reservoir_hot, the_temperature_of_a_reservoir_cold) = "
                "the_temperature_of_a_reservoir_hot - the_temperature_of_a_reservoir_cold",
                2},
               {"bad(x) = a_function_with_a_name_of_more_than_31_letters(x)", 1}};
    wg_tape *t = wgt_tape(NULL);
    wg_tensor *y = refused_op(t, row[_i].formula, row[_i].arity);
    wg_program *p = wg_compile(&y, 1, NULL);
    wg_c_file file;
    ck_assert_int_eq(wg_program_to_c(p, NULL, &file), WG_E_VALUE);
    wgt_assert_status(t, WG_E_VALUE, "write: bad has no write_c, and its formula is no");
    wg_tape_free(t);
}
END_TEST

/* 24 ops of one loop, with operands of 240 shapes. */
START_TEST(test_too_many_shapes)
{
    static double zeros[256];
    static wg_op sum;
    int64_t full[8] = {2, 2, 2, 2, 2, 2, 2, 2}, dim[8];
    wg_tape *t = wgt_tape(NULL);
    wg_tensor *y = wg_input(t, "y", WG_F64, 8, full, zeros), *operand[8];
    sum = op[0];
    sum.formula = "sum(a, b, c, d, e, f, g, h) = a + b + c + d + e + f + g + h";
    sum.arity = 8;
    for (int link = 0, mask = 0; link < 24; link++) {
        operand[0] = y;
        for (int k = 1; k < 8; k++, mask++) {
            for (int axis = 0; axis < 8; axis++)
                dim[axis] = (mask >> axis) % 2 == 1 ? 1 : 2;
            operand[k] = wg_input(t, NULL, WG_F64, 8, dim, zeros);
        }
        y = wg_apply(&sum, operand, 8, NULL);
    }
    wg_c_file file;
    ck_assert_int_eq(wg_program_to_c(wg_compile(&y, 1, NULL), NULL, &file), WG_E_VALUE);
    wgt_assert_status(t, WG_E_VALUE, "operands of more than 95 shapes in one loop");
    wg_tape_free(t);
}
END_TEST

START_TEST(test_what_is_not_of_the_program)
{
    static const double x[SIZE];
    static const int64_t start[] = {0, SIZE};
    wg_tape *t = wgt_tape(NULL), *other = wgt_tape(NULL);
    wg_tensor *w = wg_param(t, "w", WG_F64, WG_SHAPE(SIZE));
    wg_tensor *input = wg_input(t, "x", WG_F64, WG_SHAPE(SIZE), x), *y = wg_mul(w, input);
    wg_program *p = wg_compile(&y, 1, NULL);
    const wg_mark mark = wg_tape_mark(t);
    wg_c_file file;
    ck_assert_int_eq(wg_program_to_c(p, NULL, NULL), WG_E_NULL);
    const wg_c_update update = {wg_param(other, "w", WG_F64, WG_SHAPE(SIZE)), 0};
    ck_assert_int_eq(wg_program_to_c(p, &(wg_c_options){.updates = &update, .n_updates = 1}, &file),
                     WG_E_VALUE);
    wgt_assert_status(t, WG_E_VALUE, "write: update 0 is no output for a parameter");
    wg_tape_rewind(t, mark);
    const wg_c_strings strings = {.input = input, .columns = 1, .start = start};
    ck_assert_int_eq(wg_program_to_c(p, &(wg_c_options){.strings = &strings}, &file), WG_E_VALUE);
    wgt_assert_status(t, WG_E_VALUE, "write: strings are not of an input");
    wg_tape_free(other);
    wg_tape_free(t);
}
END_TEST

Suite *suite_write_formulas(void)
{
    Suite *s = suite_create("write_formulas");
    TCase *tc = tcase_create("formulas");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, test_spellings);
    tcase_add_test(tc, test_indices_of_eight_axes);
    tcase_add_loop_test(tc, test_refused_formulas, 0, 4);
    tcase_add_test(tc, test_too_many_shapes);
    tcase_add_test(tc, test_what_is_not_of_the_program);
    suite_add_tcase(s, tc);
    return s;
}
