/* Copies of a tape in the other precision. */
#include "autograd/derivatives/derivatives.h"
#include "autograd/grad.h"
#include "autograd/tape_internal.h"
#include "models/wengert.h"
#include "ops/random.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>
#include <string.h>

enum { ROWS = 6, INPUTS = 4, HIDDEN = 5, CLASSES = 3 };

/* A small model with leaves of every kind, its loss, and the gradient of that. */
typedef struct model {
    wg_tensor *X, *W, *b, *V, *dropped, *loss, *grad[3];
    float f32[ROWS * INPUTS];
    double f64[ROWS * INPUTS];
} model;

static void model_record(model *m, wg_tape *t, wg_dtype dtype)
{
    static const int64_t labels[ROWS] = {0, 2, 1, 1, 0, 2};
    for (uint64_t i = 0; i < ROWS * INPUTS; i++) {
        m->f32[i] = (float)wg_random_normal(1, 2, i);
        m->f64[i] = (double)m->f32[i];
    }
    const void *data = dtype == WG_F32 ? (void *)m->f32 : (void *)m->f64;
    m->X = wg_input(t, "X", dtype, WG_SHAPE(ROWS, INPUTS), data);
    m->W = wg_param(t, "W", dtype, WG_SHAPE(INPUTS, HIDDEN));
    m->b = wg_param(t, "b", dtype, WG_SHAPE(HIDDEN));
    m->V = wg_param(t, "V", dtype, WG_SHAPE(HIDDEN, CLASSES));
    wg_tensor *params[] = {m->W, m->b, m->V};
    for (uint64_t k = 0; k < 3; k++) /* halves: the same numbers in f32 and f64 */
        for (int64_t i = 0; i < wg_size(params[k]); i++) {
            double value = (double)wg_random_below(3, k, (uint64_t)i, 9) / 4 - 1;
            if (dtype == WG_F32)
                ((float *)wg_edit(params[k]))[i] = (float)value;
            else
                ((double *)wg_edit(params[k]))[i] = value;
        }
    wg_tensor *y = wg_input(t, "y", WG_I64, WG_SHAPE(ROWS), labels);
    wg_tensor *step = wg_full(t, WG_I64, WG_SHAPE(1), 3);
    wg_tensor *h = wg_rename(wg_tanh(wg_add(wg_matmul(m->X, m->W), m->b)), "hidden");
    m->dropped = wg_dropout(h, 0.5, 9, 1, step);
    m->loss = wg_cross_entropy(wg_matmul(m->dropped, m->V), y);
    ck_assert_int_eq(wg_grad(m->loss, params, 3, m->grad), WG_OK);
}

/* The same nodes, kinds, shapes, names; floats of the new dtype. */
static void assert_same_form(const wg_tape *t, const wg_tape *copy, wg_dtype dtype)
{
    wgt_assert_status(copy, WG_OK, "");
    ck_assert_int_eq(wg_tape_size(copy), wg_tape_size(t));
    for (int64_t i = 0; i < t->size; i++) {
        const wg_tensor *x = t->node[i], *twin = copy->node[i];
        ck_assert_ptr_eq(twin->op, x->op);
        ck_assert_ptr_eq(twin->tape, copy);
        ck_assert_int_eq(twin->dtype, x->dtype == WG_I64 ? WG_I64 : dtype);
        ck_assert(wg_shape_same(&twin->shape, &x->shape));
        ck_assert_int_eq(twin->n_operands, x->n_operands);
        for (int k = 0; k < x->n_operands; k++)
            ck_assert_int_eq(twin->operand[k]->index, x->operand[k]->index);
        ck_assert_int_eq(twin->name == NULL, x->name == NULL);
        if (x->name != NULL)
            ck_assert_str_eq(twin->name, x->name);
        ck_assert_uint_eq(twin->state & WG_NODE_LIVE, x->state & WG_NODE_LIVE);
    }
}

/* A copy is what the same calls record in the other precision: bit for bit, since the leaves hold
 * the same numbers. */
START_TEST(a_copy_is_the_model_recorded_in_the_other_dtype)
{
    const wg_dtype from = _i == 0 ? WG_F32 : WG_F64, to = _i == 0 ? WG_F64 : WG_F32;
    wg_tape *t = wgt_strict_tape(), *want = wgt_strict_tape();
    model m, n;
    model_record(&m, t, from);
    model_record(&n, want, to);
    wg_tape *copy = wg_tape_copy(t, to);
    assert_same_form(t, copy, to);
    ck_assert_int_eq(want->size, copy->size);
    for (int64_t i = 0; i < want->size; i++) {
        const wg_tensor *x = want->node[i];
        wgt_assert_same_bytes(copy->node[i]->data, x->data,
                              (size_t)x->size * wg_dtype_size(x->dtype));
    }
    ck_assert_ptr_eq(wg_tape_counterpart(copy, m.loss), copy->node[m.loss->index]);
    wgt_assert_that(wg_item(m.loss), !=, wg_item(wg_tape_counterpart(copy, m.loss)));
    wgt_assert_close(wg_item(m.loss), wg_item(wg_tape_counterpart(copy, m.loss)), 1e-6, 0);
    wg_tape_free(t);
    wg_tape_free(want);
    wg_tape_free(copy);
}
END_TEST

START_TEST(a_copy_of_the_same_dtype_is_the_same_bits)
{
    wg_tape *t = wgt_strict_tape();
    model m;
    model_record(&m, t, WG_F32);
    wg_tape *copy = wg_tape_copy(t, WG_F32);
    assert_same_form(t, copy, WG_F32);
    for (int64_t i = 0; i < t->size; i++)
        wgt_assert_same_bytes(copy->node[i]->data, t->node[i]->data,
                              (size_t)t->node[i]->size * wg_dtype_size(t->node[i]->dtype));
    wg_tape_free(t);
    wg_tape_free(copy);
}
END_TEST

/* The copy lives alone: it borrows nothing, and can be written, replayed and differentiated. */
START_TEST(a_copy_lives_on_its_own)
{
    wg_tape *t = wgt_strict_tape();
    model m, again;
    model_record(&m, t, WG_F32);
    wg_tape *copy = wg_tape_copy(t, WG_F64);
    wg_tensor *loss = wg_tape_counterpart(copy, m.loss), *W = wg_tape_counterpart(copy, m.W), *g;
    wg_tensor *X = wg_tape_counterpart(copy, m.X), *old = wg_tape_counterpart(copy, m.grad[0]);
    ck_assert_ptr_eq(X->op, &wg_op_input);
    wg_tape_free(t);
    memset(&m, 0xff, sizeof m);
    model_record(&again, copy, WG_F64); /* room for more, with names that are there already */
    ((double *)wg_edit(W))[3] = 0.5;
    wg_bind(X, again.f64);
    ck_assert(wg_is_stale(loss));
    ck_assert_int_eq(wg_replay(copy), WG_OK);
    wg_grad(loss, &W, 1, &g);
    ck_assert_str_eq(wg_tape_message(copy), "");
    wgt_assert_all_close(wg_data_f64(g), wg_data_f64(old), wg_size(g), 1e-15, 1e-17);
    wg_tape_free(copy);
}
END_TEST

/* Values are computed anew from the leaves, whatever was stale. */
START_TEST(a_copy_is_not_stale)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_scalar_param(t, "x", 2), *y = wg_square(x);
    *(double *)wg_edit(x) = 3;
    ck_assert(wg_is_stale(y));
    wg_tape *copy = wg_tape_copy(t, WG_F64);
    ck_assert(!wg_is_stale(wg_tape_counterpart(copy, y)));
    ck_assert_double_eq(wg_item(wg_tape_counterpart(copy, y)), 9);
    ck_assert_double_eq(*(double *)y->data, 4); /* the original keeps what it has */
    ck_assert(wg_is_stale(y));
    wg_tape_free(t);
    wg_tape_free(copy);
}
END_TEST

START_TEST(casts_and_other_ops_that_choose_a_dtype)
{
    wg_tape *t = wgt_strict_tape();
    static const float values[] = {1.25F, -2.75F, 0.1F};
    static const int64_t labels[] = {2, 0};
    wg_tensor *x = wg_input(t, "x", WG_F32, WG_SHAPE(3), values);
    wg_tensor *k = wg_input(t, "k", WG_I64, WG_SHAPE(2), labels);
    wg_tensor *wide = wg_cast(x, WG_F64), *narrow = wg_cast(wide, WG_F32);
    wg_tensor *whole = wg_cast(wide, WG_I64), *back = wg_cast(whole, WG_F64);
    wg_tensor *hot = wg_one_hot(k, 3, WG_F32), *y = wg_sum(wg_mul(narrow, hot)), *g;
    wg_grad(y, &x, 1, &g);
    for (int to = WG_F32; to <= WG_F64; to++) {
        wg_tape *copy = wg_tape_copy(t, (wg_dtype)to);
        assert_same_form(t, copy, (wg_dtype)to);
        for (int64_t i = 0; i < 3; i++) {
            ck_assert_double_eq(wg_at(wg_tape_counterpart(copy, narrow), i), (double)values[i]);
            ck_assert_int_eq(wg_data_i64(wg_tape_counterpart(copy, whole))[i], (int64_t)values[i]);
            ck_assert_double_eq(wg_at(wg_tape_counterpart(copy, back), i),
                                (double)(int64_t)values[i]);
            ck_assert_double_eq(wg_at(wg_tape_counterpart(copy, g), i), i != 1);
        }
        wg_tape_free(copy);
    }
    wg_tape_free(t);
}
END_TEST

#if WG_HAS_WIDE
/* A third and its digits: the double, what it lacks, and the text of both. */
START_TEST(wide_values_are_read)
{
    char text[64];
    double rest;
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SHAPE(3));
    wg_write(x, (double[]){3, -8, 0}, 24);
    wg_tape *copy = wg_tape_copy(t, WG_WIDE);
    wg_tensor *y = wg_reciprocal(wg_tape_counterpart(copy, x));
    ck_assert_double_eq(wg_wide_split(y, 0, &rest), 1. / 3);
    ck_assert_double_eq_tol(rest, 1.850371707708594e-17, 1e-19); /* 1/3 - fl(1/3) = 2^-54 / 3 */
    ck_assert_int_eq(strncmp(wg_wide_text(y, 0, text, sizeof text), "3.33333333333333333", 19), 0);
    ck_assert_ptr_nonnull(strstr(text, "e-1"));
    ck_assert_int_eq(strncmp(wg_wide_text(y, 1, text, sizeof text), "-1.25000000", 11), 0);
    ck_assert_str_eq(wg_wide_text(wg_tape_counterpart(copy, x), 2, text, sizeof text), "0");
    ck_assert_str_eq(wg_wide_text(y, 2, text, sizeof text), "inf");
    ck_assert_str_eq(wg_wide_text(x, 0, text, sizeof text), "nan"); /* not wide */
    ck_assert(isnan(wg_wide_split(y, 3, &rest)) && isnan(rest));
    ck_assert(isnan(wg_wide_split(x, 0, &rest)) && isnan(rest));
    wg_tape_free(copy);
    wg_tape_free(t);
}
END_TEST
#endif

/* Nodes without values, such as wg_jvp leaves behind, have none in the copy. */
START_TEST(abstract_nodes)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(3), (double[]){1, 2, 3});
    wg_tensor *jv = wg_jvp(wg_mul(wg_exp(x), x), &x, &x, 1);
    wg_tape *copy = wg_tape_copy(t, WG_F32);
    assert_same_form(t, copy, WG_F32);
    for (int64_t i = 0; i < t->size; i++)
        ck_assert_uint_eq(copy->node[i]->state, t->node[i]->state);
    for (int i = 0; i < 3; i++)
        wgt_assert_close(wg_at(wg_tape_counterpart(copy, jv), i), wg_at(jv, i), 1e-6, 0);
    wg_tape_free(t);
    wg_tape_free(copy);
}
END_TEST

START_TEST(empty_tensors_and_options)
{
    wg_tape *t = wg_tape_new(&(wg_tape_options){.seed = 77, .strict_grad = true});
    wg_tensor *none = wg_input(t, "none", WG_F32, WG_SHAPE(0, 2), NULL);
    wg_tensor *sum = wg_sum(none);
    wg_tape *copy = wg_tape_copy(t, WG_F64);
    assert_same_form(t, copy, WG_F64);
    ck_assert_double_eq(wg_item(wg_tape_counterpart(copy, sum)), 0);
    ck_assert_uint_eq(copy->options.seed, 77);
    ck_assert(copy->options.strict_grad);
    wg_tape_free(copy);
    wg_tape_free(t);
    t = wg_tape_new(NULL);
    copy = wg_tape_copy(t, WG_F64); /* of nothing */
    wgt_assert_status(copy, WG_OK, "");
    ck_assert_int_eq(wg_tape_size(copy), 0);
    wg_tape_free(copy);
    wg_tape_free(t);
}
END_TEST

/* ---- Errors ---------------------------------------------------------------------------------- */

START_TEST(an_op_that_does_not_exist_in_the_dtype)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *y = wgt_sine(wgt_scalar_param(t, "x", 2)); /* f64 only */
    wg_tape *copy = wg_tape_new(NULL);
    wg_tape_free(copy);
    t->options.on_error = NULL;
    copy = wg_tape_copy(t, WG_F32);
    wgt_assert_status(copy, WG_E_DTYPE, "sine");
    wgt_assert_status(t, WG_OK, "");
    ck_assert(wg_is_inert(wg_tape_counterpart(copy, y)));
    wgt_assert_status(copy, WG_E_DTYPE, "sine");
    wg_tape_free(copy);
    wg_tape_free(t);
}
END_TEST

START_TEST(wrong_arguments)
{
    wg_tape *t = wg_tape_new(NULL), *copy = wg_tape_copy(NULL, WG_F64);
    wgt_assert_status(copy, WG_E_NULL, "the tape is NULL");
    wg_tape_free(copy);
    wg_tensor *x = wgt_scalar_param(t, "x", 2);
    copy = wg_tape_copy(t, WG_I64);
    wgt_assert_status(copy, WG_E_DTYPE, "not i64");
    wg_tape_free(copy);
    copy = wg_tape_copy(t, WG_F64);
    wg_tensor *younger = wg_exp(x);
    ck_assert(wg_is_inert(wg_tape_counterpart(copy, younger)));
    wgt_assert_status(copy, WG_E_NULL, "no such tensor");
    wg_tape_free(copy);
    copy = wg_tape_copy(t, WG_F64);
    ck_assert(wg_is_inert(wg_tape_counterpart(copy, NULL)));
    wg_tape_free(copy);
    ck_assert(wg_is_inert(wg_tape_counterpart(NULL, x)));
    wg_add(x, NULL);
    copy = wg_tape_copy(t, WG_F64);
    wgt_assert_status(copy, WG_E_NULL, "operand 1 is NULL");
    wg_tape_free(copy);
    wg_tape_free(t);
}
END_TEST

/* Every allocation fails: once, or from then on. The static tape that stands for no memory is not
 * touched. */
START_TEST(out_of_memory)
{
    wg_tape before = *wg_inert_tape();
    for (int64_t at = 1;; at++) {
        wgt_memory memory = {0};
        wg_tape *t = wgt_tape(&memory);
        model m;
        model_record(&m, t, WG_F32);
        memory.fail_at = memory.calls + at;
        memory.from_then = _i == 1;
        wg_tape *copy = wg_tape_copy(t, WG_F64);
        bool failed = memory.failed > 0;
        ck_assert_int_eq(wg_tape_status(copy), failed ? WG_E_NOMEM : WG_OK);
        ck_assert_int_eq(wg_is_inert(wg_tape_counterpart(copy, m.loss)), failed);
        wgt_assert_status(t, WG_OK, "");
        wg_tape_free(copy);
        wg_tape_free(t);
        ck_assert_int_eq(memory.blocks, 0);
        if (!failed)
            break;
        ck_assert_int_lt(at, 100);
    }
    wgt_assert_same_bytes(wg_inert_tape(), &before, sizeof before);
}
END_TEST

/* It cannot be written at all: a thread may read it meanwhile. Here the write would be seen. */
START_TEST(the_static_tape_is_not_written)
{
    wgt_memory memory = {.fail_at = 2, .from_then = true};
    wg_tape *t = wgt_tape(&memory);
    wg_inert_tape()->written = true;
    wg_tape *copy = wg_tape_copy(t, WG_F64);
    ck_assert_ptr_eq(copy, wg_inert_tape());
    ck_assert(copy->written);
    copy->written = false;
    wg_tape_free(copy);
    wg_tape_free(t);
}
END_TEST

Suite *suite_copy(void)
{
    Suite *suite = suite_create("copy");
    TCase *copies = tcase_create("copies");
    tcase_add_loop_test(copies, a_copy_is_the_model_recorded_in_the_other_dtype, 0, 2);
    tcase_add_test(copies, a_copy_of_the_same_dtype_is_the_same_bits);
    tcase_add_test(copies, a_copy_lives_on_its_own);
    tcase_add_test(copies, a_copy_is_not_stale);
    tcase_add_test(copies, casts_and_other_ops_that_choose_a_dtype);
#if WG_HAS_WIDE
    tcase_add_test(copies, wide_values_are_read);
#endif
    tcase_add_test(copies, abstract_nodes);
    tcase_add_test(copies, empty_tensors_and_options);
    suite_add_tcase(suite, copies);
    TCase *errors = tcase_create("errors");
    tcase_add_test(errors, an_op_that_does_not_exist_in_the_dtype);
    tcase_add_test(errors, wrong_arguments);
    tcase_add_loop_test(errors, out_of_memory, 0, 2);
    tcase_add_test(errors, the_static_tape_is_not_written);
    suite_add_tcase(suite, errors);
    return suite;
}
