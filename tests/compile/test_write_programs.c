/* Programs written as C: names, numbers, indices, what compilers say, and what is refused. */
#include "tests/compile/written.h"

#include "autograd/compile/c_writer.h"
#include "autograd/grad.h"
#include "models/files/program_c.h"
#include "models/optim/record.h"
#include "ops/elementwise.h"
#include "ops/index.h"
#include "ops/layout.h"
#include "ops/loss.h"
#include "ops/matmul.h"
#include "ops/random.h"
#include "ops/reduce.h"
#include "ops/slice.h"
#include "ops/softmax.h"
#include "ops/sparse_internal.h"
#include "tests/ops/op_table.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- A loss of rows ---------------------------------------------------------------------------- */

typedef struct rows_loss {
    wg_tape *t;
    wg_tensor *w, *loss;
} rows_loss;

static const double rows_x[2 * 4] = {0.5, -1, 2, 0.25, -0.75, 1.5, 0.125, -2};
static const int64_t rows_label[2] = {2, 0};

static rows_loss rows_new(void)
{
    rows_loss r = {.t = wg_tape_new(NULL)};
    wg_tensor *x = wg_input(r.t, "x", WG_F64, WG_SHAPE(2, 4), rows_x);
    wg_tensor *label = wg_input(r.t, "label", WG_I64, WG_SHAPE(2), rows_label);
    r.w = wg_param(r.t, "w", WG_F64, WG_SHAPE(4, 3));
    wg_fill_normal(r.w, 0, 0.5, 1);
    r.loss = wg_rename(wg_cross_entropy(wg_matmul(x, r.w), label), "loss");
    return r;
}

/* ---- Names, errors, what is written ---------------------------------------------------------- */

static const char *source_of(const wg_program *p, const wg_c_options *options)
{
    wg_c_file file;
    ck_assert_int_eq(wg_program_to_c(p, options, &file), WG_OK);
    return file.source;
}

/* clang-format off */
static const char *const names[] = {
    "int", "*/", "a\"b\\", "\xc3\xa4", "x", "x", "exp", "NAN", "9", "", "i", "linux", "out->x",
    "_Bool", "expf", "work", "int64_t", "run", "init", "state", "c0_x", "bits", "shift",
    "inputs", "rest", "names", "top", "scale", "label", "term", "used", "stream", "most", "at",
    "first", "sum", "math_errhandling",
};
/* clang-format on */
static const double odd[] = {(double)NAN, -0.0, (double)INFINITY, -(double)INFINITY, 5e-324, 0.1};

/* exp of a sum of parameters with these names, the odd numbers negated, a loss of ops with variables
 * of their own, and its gradient. */
static wg_program *program_of_names(wg_tape *t)
{
    wg_tensor *sum = NULL, *first = NULL, *loss = wg_scalar(t, WG_F64, 0), *out[4];
    wg_tensor *label = wg_constant(t, WG_I64, WG_SCALAR, (const int64_t[]){1});
    for (int i = 0; i < (int)(sizeof names / sizeof *names); i++) {
        wg_tensor *x = wg_param(t, names[i], WG_F64, WG_SHAPE(2));
        wg_fill_normal(x, 0, 1, (uint64_t)i);
        sum = sum == NULL ? x : wg_rename(wg_add(sum, x), names[i]);
        first = first == NULL ? x : first;
        loss = wg_add(loss, wg_cross_entropy(sum, label)); /* ops with variables of their own */
        loss = wg_add(loss, wg_norm(wg_dropout(sum, 0.5, 1, 2, label), 2));
    }
    wg_grad(loss, &first, 1, &out[3]);
    out[2] = loss;
    wg_tensor *numbers = wg_param(t, "numbers", WG_F64, WG_SHAPE(6));
    ck_assert_int_eq(wg_write(numbers, odd, sizeof odd), WG_OK);
    out[0] = wg_exp(sum);
    out[1] = wg_neg(numbers);
    return wg_compile(out, 4, NULL);
}

static void compiled_names_run(wgt_written *w, const wg_program *p)
{
    const void *bytes;
    size_t offset = 0;
    ck_assert_int_eq(wgt_written_run(w, 0, NULL, &bytes), 0);
    const double *got = wgt_written_output(bytes, &offset, WG_F64, 2);
    ck_assert(wgt_close(got[0], wg_at(wg_program_output(p, 0), 0), 1e-15, 0));
    got = wgt_written_output(bytes, &offset, WG_F64, 6);
    ck_assert(isnan(got[0]));
    for (int i = 1; i < 6; i++)
        ck_assert(wgt_same_bits(got[i], -odd[i]));
    got = wgt_written_output(bytes, &offset, WG_F64, 1);
    ck_assert(wgt_close(*got, wg_item(wg_program_output(p, 2)), 1e-13, 0));
    got = wgt_written_output(bytes, &offset, WG_F64, 2);
    ck_assert(wgt_close(got[1], wg_at(wg_program_output(p, 3), 1), 1e-13, 0));
}

/* Names of all kinds give a file that compiles, and values that no decimal holds come back. */
START_TEST(test_names_and_numbers)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_program *p = program_of_names(t);
    ck_assert_int_eq(wg_program_run(p), WG_OK);
    wgt_written *w = wgt_written_new();
    wgt_written_add(w, p, false);
    for (int k = 0; k < WGT_COMPILERS; k++)
        if (wgt_written_compile(w, wgt_compilers[k]))
            compiled_names_run(w, p);
    ck_assert_str_eq(source_of(p, NULL), source_of(p, NULL));
    ck_assert(wgt_contains(source_of(p, &(wg_c_options){.name = "int", .header = "a b.h"}),
                           "#include \"a b.h\""));
    ck_assert(wgt_contains(source_of(p, &(wg_c_options){.name = "int"}), "int int__run("));
    const char *const classes[] = {"a\"b", "\xc3\xa4", "?\?/", NULL};
    ck_assert(wgt_contains(source_of(p, &(wg_c_options){.names = classes}),
                           "model_names[3] = {\"a\\042b\", \"\\303\\244\", \"\\077\\077/\"};"));
    char longest[4097]; /* longer than a literal may be */
    memset(longest, 'x', sizeof longest);
    longest[4096] = '\0';
    const char *const long_names[] = {"a", longest, NULL};
    const char *source = source_of(p, &(wg_c_options){.names = long_names});
    ck_assert(wgt_contains(source, "static const char model__name_1[] = {\n    '\\170', '\\170',"));
    ck_assert(wgt_contains(source, "'\\170', '\\000',\n};"));
    ck_assert(wgt_contains(source, "model_names[2] = {\"a\", model__name_1};"));
    longest[4095] = '\0';
    ck_assert(!wgt_contains(source_of(p, &(wg_c_options){.names = long_names}), "model__name_1"));
    wg_c_file file;
    ck_assert_int_eq(wg_program_to_c(p, &(wg_c_options){.names = classes}, &file), WG_OK);
    ck_assert(wgt_contains(file.header, "extern const char *const model_names[3];"));
    const wg_c_options about = {.about = "x */ y\n?\?/\r/* z"};
    ck_assert_int_eq(wg_program_to_c(p, &about, &file), WG_OK);
    ck_assert(wgt_contains(file.header, "Wengert.\n * x * / y\n * ? ?/ / * z */\n#ifndef"));
    wgt_written_free(w);
    wg_tape_free(t);
}
END_TEST

/* Words of C, and what may be a macro, are taken. */
START_TEST(test_identifiers)
{
    static const char *const pairs[][2] = {
        {"NAN", "nan_"}, {"I", "i"},      {"X", "X"},    {"M_PIl", "m_pil"}, {"ABYZ", "abyz"},
        {"9a", "v9a"},   {"int", "int_"}, {"", "value"}, {"a--b-", "a_b"},   {"expf", "expf_"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        ck_assert_str_eq(wg_c_identifier(pairs[i][0]).s, pairs[i][1]);
}
END_TEST

/* A constant whose elements are one value is no table; views of it, and what reads it by index, are
 * as right as before. */
START_TEST(test_uniform_constants)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SHAPE(4, 3));
    wg_tensor *half = wg_full(t, WG_F64, WG_SHAPE(4, 3), 0.5);
    wg_tensor *minus = wg_full(t, WG_F64, WG_SHAPE(3, 5), -0.0);
    const int64_t two[] = {2, 2, 2};
    wg_tensor *rows = wg_constant(t, WG_I64, WG_SHAPE(3), two), *out[5];
    wg_fill_normal(x, 0, 1, 1);
    out[0] = wg_mul(x, half);
    out[1] = wg_matmul(x, minus);
    out[2] = wg_gather_rows(x, rows);
    out[3] = wg_mul(wg_slice(half, 0, 1, 3), wg_slice(x, 0, 0, 2));
    out[4] = wg_concat((wg_tensor *[]){half, x}, 2, 0);
    wg_program *p = wg_compile(out, 5, NULL);
    ck_assert_int_eq(wg_program_run(p), WG_OK);
    const char *text = source_of(p, &(wg_c_options){.state = true});
    ck_assert(!wgt_contains(text, "constant"));
    ck_assert(wgt_contains(text, "* 0.5;"));
    wgt_written *w = wgt_written_new();
    wgt_written_add(w, p, true);
    for (int k = 0; k < WGT_COMPILERS; k++) {
        const void *bytes;
        size_t offset = 0;
        if (!wgt_written_compile(w, wgt_compilers[k]))
            continue;
        ck_assert_int_eq(wgt_written_run(w, 0, NULL, &bytes), 0);
        for (int i = 0; i < 5; i++) {
            const wg_tensor *y = wg_program_output(p, i);
            const double *got = wgt_written_output(bytes, &offset, WG_F64, wg_size(y));
            for (int64_t e = 0; e < wg_size(y); e++)
                ck_assert(wgt_same_bits(got[e], wg_at(y, e)));
        }
    }
    wgt_written_free(w);
    wg_tape_free(t);
}
END_TEST

static int count_of(const char *text, const char *part)
{
    int n = 0;
    for (const char *s = text; (s = strstr(s, part)) != NULL; s++)
        n++;
    return n;
}

/* What several formulas call is called once: in a loop, and in the function around loops. A factor of
 * one is not written. */
START_TEST(test_calls_are_shared)
{
    static const double quarter = 0.25;
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SHAPE(4));
    wg_tensor *y = wg_param(t, "y", WG_F32, WG_SHAPE(4)), *out[4];
    wg_tensor *z = wg_shift(wg_param(t, "z", WG_F64, WG_SCALAR), 0.25);
    wg_tensor *label = wg_input(t, "label", WG_F64, WG_SCALAR, &quarter);
    wg_fill_normal(x, 0, 3, 1);
    wg_fill_normal(y, 0, 3, 2);
    out[0] = wg_mul(wg_softplus(x), wg_sigmoid(x));
    out[1] = wg_mul(wg_sigmoid(y), wg_log_sigmoid(y));
    out[2] = wg_bce_with_logits(z, label);
    ck_assert_int_eq(wg_grad(out[2], &z, 1, &out[3]), WG_OK);
    wg_program *p = wg_compile(out, 4, NULL);
    ck_assert_int_eq(wg_program_run(p), WG_OK);
    const char *text = source_of(p, &(wg_c_options){.state = true});
    ck_assert_int_eq(count_of(text, "exp("), 2);
    ck_assert_int_eq(count_of(text, "expf("), 1);
    ck_assert_int_eq(count_of(text, "log1p("), 2);
    ck_assert(!wgt_contains(text, "1.0 *"));
    wgt_written *w = wgt_written_new();
    wgt_written_add(w, p, false);
    for (int k = 0; k < WGT_COMPILERS; k++) {
        const void *bytes;
        size_t offset = 0;
        if (!wgt_written_compile(w, wgt_compilers[k]))
            continue;
        ck_assert_int_eq(wgt_written_run(w, 0, &quarter, &bytes), 0);
        for (int i = 0; i < 4; i++) {
            const wg_tensor *want = wg_program_output(p, i);
            wg_tensor got = *want;
            const void *data = wgt_written_output(bytes, &offset, want->dtype, want->size);
            memcpy(&got.data, &data, sizeof data);
            for (int64_t e = 0; e < want->size; e++)
                ck_assert(wgt_close(wg_element(&got, e), wg_element(want, e),
                                    want->dtype == WG_F32 ? 4e-7 : 8e-16, 0));
        }
    }
    wgt_written_free(w);
    wg_tape_free(t);
}
END_TEST

static bool strange_shape(wg_tensor *y)
{
    y->shape = y->operand[0]->shape;
    y->dtype = y->operand[0]->dtype;
    return true;
}

static void strange_forward(const wg_tensor *y, const wg_piece *piece)
{
    (void)piece;
    memcpy(y->data, y->operand[0]->data, (size_t)y->size * sizeof(double));
}

/* An op of the user's own that says nothing of C is named; so are a header that cannot be included,
 * and strings and updates that do not fit. */
START_TEST(test_errors)
{
    static const wg_op strange = {
        .name = "strange", .arity = 1, .shape = strange_shape, .forward = strange_forward};
    rows_loss n = rows_new();
    wg_program *p = wg_compile(&n.loss, 1, NULL);
    const wg_c_update update = {n.w, 0};
    const wg_c_strings strange_strings = {.input = n.w, .start = (const int64_t[]){0}};
    const wg_c_options wrong[] = {{.header = "a\"b.h"},
                                  {.header = "a\\.h"},
                                  {.header = ""},
                                  {.header = "math.h"},
                                  {.header = "STRING.H"},
                                  {.name = "stdint"},
                                  {.strings = &strange_strings},
                                  {.updates = &update, .n_updates = 1},
                                  {.n_updates = 1},
                                  {.n_updates = -1}};
    wg_c_file file;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        wg_mark mark = wg_tape_mark(n.t);
        ck_assert_int_eq(wg_program_to_c(p, &wrong[i], &file), WG_E_VALUE);
        ck_assert_str_eq(file.source, "");
        wg_tape_rewind(n.t, mark);
    }
    wg_tensor *y = wg_apply(&strange, &n.w, 1, NULL);
    p = wg_compile(&y, 1, NULL);
    ck_assert_int_eq(wg_program_to_c(p, NULL, &file), WG_E_VALUE);
    ck_assert(wgt_contains(wg_tape_message(n.t), "strange"));
    ck_assert_int_eq(wg_program_to_c(NULL, NULL, &file), WG_E_NULL);
    wg_tape_free(n.t);
    static const char *const paths[] = {NULL, "", ".c", "step", "/nowhere/a\"b.c"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        n = rows_new();
        p = wg_compile(&n.loss, 1, NULL);
        ck_assert_int_eq(wg_program_write_c(p, paths[i], NULL), WG_E_VALUE);
        wg_tape_free(n.t);
    }
    n = rows_new();
    p = wg_compile(&n.loss, 1, NULL);
    ck_assert_int_eq(wg_program_write_c(p, "/nowhere/step.c", NULL), WG_E_IO);
    wg_tape_free(n.t);
}
END_TEST

/* A label that is no class is found before it is used; integers may have 32 bits. */
START_TEST(test_labels_are_checked)
{
    static const int32_t bad[2] = {0, 3}, good[2] = {2, 0};
    rows_loss n = rows_new();
    wg_program *p = wg_compile(&n.loss, 1, NULL);
    ck_assert_int_eq(wg_program_run(p), WG_OK);
    wgt_written *w = wgt_written_new();
    wgt_written_add(w, p, true);
    if (wgt_written_compile(w, wgt_compilers[0])) {
        const void *out;
        size_t offset = 0;
        struct {
            const double *x;
            const int32_t *label;
        } in = {rows_x, bad};
        ck_assert_int_eq(wgt_written_run(w, 0, &in, &out), 1);
        in.label = good;
        ck_assert_int_eq(wgt_written_run(w, 0, &in, &out), 0);
        const double *loss = wgt_written_output(out, &offset, WG_F64, 1);
        ck_assert(wgt_close(*loss, wg_item(wg_program_output(p, 0)), 1e-14, 0));
    }
    wgt_written_free(w);
    wg_tape_free(n.t);
}
END_TEST

/* An index is looked at for every table that it goes into, unless a narrower one came before. */
START_TEST(test_indices_are_checked_for_each_table)
{
    static const int64_t index[3][2] = {{1, 2}, {1, 3}, {-1, 2}};
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *wide = wg_param(t, "wide", WG_F64, WG_SHAPE(2, 4));
    wg_tensor *narrow = wg_param(t, "narrow", WG_F64, WG_SHAPE(3));
    wg_tensor *i = wg_input(t, "index", WG_I64, WG_SHAPE(2), index[0]);
    const wg_cross_entropy_options ignore = {.ignore = true, .ignored_label = -1};
    wg_tensor *out[] = {wg_cross_entropy_opt(wide, i, &ignore), wg_gather_rows(narrow, i)};
    wg_program *p = wg_compile(out, 2, NULL);
    wgt_written *w = wgt_written_new();
    wgt_written_add(w, p, false);
    if (wgt_written_compile(w, wgt_compilers[0]))
        for (int k = 0; k < 3; k++) {
            const void *bytes, *in = index[k];
            ck_assert_int_eq(wgt_written_run(w, 0, &in, &bytes), k > 0);
        }
    wgt_written_free(w);
    wg_tape_free(t);
}
END_TEST

/* A label that one loss ignores is none for another, which ignores another. */
START_TEST(test_each_ignores_its_own)
{
    static const int64_t labels[2][2] = {{0, 2}, {-1, 2}};
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *z = wg_param(t, "z", WG_F64, WG_SHAPE(2, 3));
    wg_tensor *i = wg_input(t, "labels", WG_I64, WG_SHAPE(2), labels[0]);
    const wg_cross_entropy_options minus = {.ignore = true, .ignored_label = -1},
                                   none = {.ignore = true};
    wg_tensor *out[] = {wg_cross_entropy_opt(z, i, &minus), wg_cross_entropy_opt(z, i, &none)};
    wg_program *p = wg_compile(out, 2, NULL);
    wgt_written *w = wgt_written_new();
    wgt_written_add(w, p, false);
    if (wgt_written_compile(w, wgt_compilers[0]))
        for (int k = 0; k < 2; k++) {
            const void *bytes, *in = labels[k];
            ck_assert_int_eq(wgt_written_run(w, 0, &in, &bytes), k);
        }
    wgt_written_free(w);
    wg_tape_free(t);
}
END_TEST

/* A sparse matrix's rows may begin nowhere but in order. */
START_TEST(test_rows_begin_in_order)
{
    static const int64_t starts[3][4] = {{0, 1, 2, 3}, {0, 2, 1, 3}, {1, 0, 2, 3}},
                         columns[3] = {0};
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *v = wg_param(t, "v", WG_F64, WG_SHAPE(3)),
              *b = wg_param(t, "b", WG_F64, WG_SHAPE(2, 2));
    wg_tensor *start = wg_input(t, "start", WG_I64, WG_SHAPE(4), starts[0]);
    wg_tensor *y = wg_sparse_matmul(v, start, wg_constant(t, WG_I64, WG_SHAPE(3), columns), 2,
                                    false, b);
    wg_program *p = wg_compile(&y, 1, NULL);
    wgt_written *w = wgt_written_new();
    wgt_written_add(w, p, false);
    if (wgt_written_compile(w, wgt_compilers[0]))
        for (int k = 0; k < 3; k++) {
            const void *bytes, *in = starts[k];
            ck_assert_int_eq(wgt_written_run(w, 0, &in, &bytes), k > 0);
        }
    wgt_written_free(w);
    wg_tape_free(t);
}
END_TEST

static void strange_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row)
{
    wg_c_nest all;
    (void)row;
    wg_c_strided(&all, 1, &y->size, (const int64_t[]){1}, (const int64_t[]){1});
    wg_c_copy(c, &all, y->operand[0]);
}

/* What compilers warn of, as of a value that nothing reads: a single class, an integer beside
 * itself, a comment in a comment. */
START_TEST(test_compilers_have_nothing_to_say)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *z = wg_param(t, "z", WG_F64, WG_SHAPE(1));
    wg_tensor *label = wg_input(t, "label", WG_I64, WG_SCALAR, &(const int64_t){0});
    wg_tensor *i = wg_input(t, "i", WG_I64, WG_SHAPE(2), (const int64_t[]){3, 4});
    wg_tensor *flat = wg_reshape(i, WG_SHAPE(1, 2));
    static const wg_op strange = {.name = "a/*",
                                  .formula = "*/ /* \\",
                                  .arity = 1,
                                  .shape = strange_shape,
                                  .forward = strange_forward,
                                  .write_c = strange_write_c};
    wg_tensor *out[] = {wg_rename(wg_cross_entropy(z, label), "rest"),
                        wg_apply(&strange, &z, 1, NULL), wg_equal(i, i), wg_less(label, label),
                        wg_less_equal(flat, wg_reshape(i, WG_SHAPE(1, 2)))};
    wgt_written *w = wgt_written_new();
    wgt_written_add(w, wg_compile(out, 5, NULL), false);
    ck_assert(wgt_contains(wgt_written_text(w), "in->label;")); /* callers know these names */
    ck_assert(wgt_contains(wgt_written_text(w), "out->rest = "));
    for (int k = 0; k < WGT_COMPILERS; k++)
        wgt_written_compile(w, wgt_compilers[k]);
    wgt_written_free(w);
    wg_tape_free(t);
}
END_TEST

static void assert_refused(wg_tape *t, wg_tensor *const out[], int n, const wg_c_options *options,
                           const char *message)
{
    wg_c_file file;
    ck_assert_int_eq(wg_program_to_c(wg_compile(out, n, NULL), options, &file), WG_E_VALUE);
    ck_assert_msg(wgt_contains(wg_tape_message(t), message), "%s", wg_tape_message(t));
    ck_assert_str_eq(file.source, "");
    wg_tape_free(t);
}

/* Integers that 32 bits do not hold, wherever they stand. */
START_TEST(test_integers_of_32_bits)
{
    static const int64_t large = 5000000000, label[2] = {0, 1};
    const wg_c_options options = {.int32 = true};
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *i = wg_input(t, "i", WG_I64, WG_SHAPE(2), label);
    wg_tensor *y = wg_less(i, wg_constant(t, WG_I64, WG_SCALAR, &large));
    assert_refused(t, &y, 1, &options, "5000000000");
    t = wg_tape_new(NULL);
    i = wg_input(t, "i", WG_I64, WG_SHAPE(2), label);
    y = wg_cross_entropy_opt(wg_param(t, "z", WG_F64, WG_SHAPE(2, 3)), i,
                             &(wg_cross_entropy_options){.ignore = true, .ignored_label = large});
    assert_refused(t, &y, 1, &options, "5000000000");
    t = wg_tape_new(NULL);
    i = wg_input(t, "i", WG_I64, WG_SHAPE(2), label);
    y = wg_pad(i, WG_SHAPE(1), WG_SHAPE(0), 5e9);
    assert_refused(t, &y, 1, &options, "5000000000");
}
END_TEST

static void helped_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row)
{
    (void)row;
    const wg_text name = wg_c_helper(c, "own",
                                     y->shape.ndim == 1
                                         ? "static double @own(double x)\n{\n    return x;\n}\n"
                                         : "static double @own(double x)\n{\n    return +x;\n}\n");
    wg_c_nest all;
    wg_c_each(&all, y->size);
    wg_c_open_one(c, &all);
    const wg_text at = wg_c_at(&all, NULL, 0);
    wg_c_line(c, "%y = %s(%a);", at.s, name.s, at.s);
    wg_c_close_one(c, &all);
}

/* A function that ops share is of one type; two of one name are an error. */
START_TEST(test_functions_of_two_types)
{
    static const wg_op helped = {.name = "helped",
                                 .arity = 1,
                                 .shape = strange_shape,
                                 .forward = strange_forward,
                                 .write_c = helped_write_c};
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SHAPE(2, 3)), *out[4];
    wg_fill_normal(x, 0, 1, 1);
    out[0] = wg_softmax(x, 1);
    out[1] = wg_softmax(wg_cast(x, WG_F32), 1);
    out[2] = wg_apply(&helped, &x, 1, NULL);
    out[3] = wg_apply(&helped, &out[2], 1, NULL);
    wg_program *p = wg_compile(out, 4, NULL);
    ck_assert_int_eq(wg_program_run(p), WG_OK);
    wgt_written *w = wgt_written_new();
    wgt_written_add(w, p, false);
    for (int k = 0; k < WGT_COMPILERS; k++) {
        const void *bytes;
        size_t offset = 0;
        if (!wgt_written_compile(w, wgt_compilers[k]))
            continue;
        ck_assert_int_eq(wgt_written_run(w, 0, NULL, &bytes), 0);
        const double *f64 = wgt_written_output(bytes, &offset, WG_F64, 6);
        const float *f32 = wgt_written_output(bytes, &offset, WG_F32, 6);
        for (int64_t i = 0; i < 6; i++) {
            ck_assert(wgt_close(f64[i], wg_at(out[0], i), 1e-15, 0));
            ck_assert(wgt_close((double)f32[i], wg_at(out[1], i), 2e-7, 0));
        }
    }
    wgt_written_free(w);
    out[1] = wg_reshape(x, WG_SHAPE(6));
    out[1] = wg_apply(&helped, &out[1], 1, NULL);
    assert_refused(t, out, 3, NULL, "helped writes another function own");
}
END_TEST

/* A NaN anywhere in a row makes all that a softmax of the row gives NaN, as the library does. */
START_TEST(test_a_row_with_nan)
{
    enum { N = 5 };
    const double x[4][4] = {
        {(double)NAN, 1, 2, 3}, {1, (double)NAN, 2, 3}, {3, 2, 1, (double)NAN}, {0, 1, 2, 3}};
    const int64_t label[4] = {2, 0, 0, 1};
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *z = wg_param(t, "z", WG_F64, WG_SHAPE(4, 4)), *g[2];
    wg_write(z, x, sizeof x);
    wg_tensor *loss = wg_cross_entropy_opt(z, wg_constant(t, WG_I64, WG_SHAPE(4), label),
                                           &(wg_cross_entropy_options){.reduction = WG_SUM});
    wg_grad(loss, &z, 1, &g[0]);
    wg_grad(wg_sum(wg_logsumexp_over(z, 1, (const int[]){1}, false)), &z, 1, &g[1]);
    wg_tensor *const out[N] = {wg_softmax(z, 1), wg_log_softmax(z, 1), loss, g[0], g[1]};
    wg_program *p = wg_compile(out, N, NULL);
    ck_assert_int_eq(wg_program_run(p), WG_OK);
    wgt_written *w = wgt_written_new();
    wgt_written_add(w, p, false);
    const void *bytes;
    if (wgt_written_compile(w, wgt_compilers[0])) {
        size_t offset = 0;
        ck_assert_int_eq(wgt_written_run(w, 0, NULL, &bytes), 0);
        for (int k = 0; k < N; k++) {
            const wg_tensor *want = wg_program_output(p, k);
            const double *got = wgt_written_output(bytes, &offset, WG_F64, wg_size(want));
            for (int64_t i = 0; i < wg_size(want); i++)
                ck_assert_msg(isnan(wg_at(want, i)) ? isnan(got[i]) != 0
                                                    : wgt_close(got[i], wg_at(want, i), 1e-14, 0),
                              "output %d [%d]: %g, not %g", k, (int)i, got[i], wg_at(want, i));
        }
    }
    wgt_written_free(w);
    wg_tape_free(t);
}
END_TEST

Suite *suite_write_programs(void)
{
    Suite *s = suite_create("write_programs");
    TCase *tc = tcase_create("programs");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, test_names_and_numbers);
    tcase_add_test(tc, test_identifiers);
    tcase_add_test(tc, test_uniform_constants);
    tcase_add_test(tc, test_calls_are_shared);
    tcase_add_test(tc, test_errors);
    tcase_add_test(tc, test_labels_are_checked);
    tcase_add_test(tc, test_indices_are_checked_for_each_table);
    tcase_add_test(tc, test_each_ignores_its_own);
    tcase_add_test(tc, test_rows_begin_in_order);
    tcase_add_test(tc, test_compilers_have_nothing_to_say);
    tcase_add_test(tc, test_integers_of_32_bits);
    tcase_add_test(tc, test_functions_of_two_types);
    tcase_add_test(tc, test_a_row_with_nan);
    suite_add_tcase(s, tc);
    return s;
}
