/* wg_apply: recording ops, built-in or the user's, and what is refused. */
#include "autograd/compile/program.h"
#include "autograd/pool.h"
#include "autograd/tape_internal.h"
#include "ops/elementwise.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>

static wg_tape *t;
static wg_mark start;

static void set_up(void)
{
    t = wgt_tape(NULL);
    start = wg_tape_mark(t);
}

static void tear_down(void)
{
    wg_tape_free(t);
}

/* The builder is inert, and leaves this error; then the tape is as it was. */
#define refused(builder, code, part)                                                               \
    do {                                                                                           \
        ck_assert(wg_is_inert(builder));                                                           \
        wgt_assert_status(t, code, part);                                                          \
        wg_tape_rewind(t, start);                                                                  \
        ck_assert_int_eq(wg_tape_status(t), WG_OK);                                                \
    } while (0)

START_TEST(test_a_node)
{
    wg_tensor *x = wgt_scalar_param(t, "x", 3), *y = wgt_scaled(x, 0.5);
    wgt_assert_same_bits(wg_item(y), 1.5); /* at once */
    ck_assert_ptr_eq(y->op, &wgt_op_scaled);
    ck_assert_int_eq(y->n_operands, 1);
    ck_assert_ptr_eq(y->operand[0], x);
    ck_assert_int_eq(y->index, 1);
    ck_assert_int_eq(wg_tape_size(t), 2);
    ck_assert_uint_eq((uintptr_t)y->data % 8, 0);
}
END_TEST

START_TEST(test_operands_and_attributes_are_copied)
{
    double factor = 2;
    wg_tensor *x = wgt_scalar_param(t, "x", 3), *list[] = {x};
    wg_tensor *y = wg_apply(&wgt_op_scaled, list, 1, &factor);
    factor = 100;
    list[0] = NULL;
    wg_replay(t);
    wgt_assert_same_bits(wg_item(y), 6);
}
END_TEST

START_TEST(test_empty_and_scalar)
{
    wg_tensor *none = wg_param(t, "none", WG_F64, WG_SHAPE(0, 3));
    ck_assert_int_eq(wg_size(wgt_sine(none)), 0);
    ck_assert_int_eq(wg_size(wgt_product(none, none)), 0);
    wgt_assert_same_bits(wg_item(wgt_total(none)), 0);
    ck_assert_int_eq(wg_ndim(wgt_sine(wgt_scalar_param(t, "x", 1))), 0);
    ck_assert_int_eq(wg_replay(t), WG_OK);
}
END_TEST

START_TEST(test_null_operands)
{
    wg_tensor *x = wgt_scalar_param(t, "x", 3);
    start = wg_tape_mark(t);
    refused(wgt_product(x, NULL), WG_E_NULL, "product: operand 1 is NULL");
    refused(wgt_product(NULL, x), WG_E_NULL, "product: operand 0 is NULL");
    ck_assert(wg_is_inert(wgt_product(NULL, NULL)));
    ck_assert_int_eq(wg_tape_status(wgt_product(NULL, NULL)->tape), WG_E_NULL);
    refused(wgt_product(wgt_sine(NULL), x), WG_E_NULL, "product: operand 0");
    ck_assert(wg_is_inert(wg_apply(&wgt_op_sine, NULL, 1, NULL)));
}
END_TEST

START_TEST(test_inert_operands)
{
    wg_tensor *x = wgt_scalar_param(t, "x", 3);
    start = wg_tape_mark(t);
    wg_tensor *inert = wg_param(t, "w", WG_F64, WG_SHAPE(-1));
    ck_assert(wg_is_inert(wgt_product(x, inert)));
    wgt_assert_status(t, WG_E_SHAPE, "parameter"); /* the first error, not a new one */
    wg_tape_rewind(t, start);
    refused(wgt_product(x, inert), WG_E_NULL, "operand 1 is what an earlier error returned");
}
END_TEST

START_TEST(test_two_tapes)
{
    wg_tape *other = wgt_tape(NULL);
    wg_tensor *x = wgt_scalar_param(t, "x", 3), *z = wgt_scalar_param(other, "z", 3);
    start = wg_tape_mark(t);
    refused(wgt_product(x, z), WG_E_TAPE, "product: operand 1 is of another tape");
    wgt_assert_status(other, WG_OK, "");
    ck_assert_int_eq(wg_tape_size(other), 1);
    ck_assert(wg_is_inert(wgt_product(z, x)));
    wgt_assert_status(other, WG_E_TAPE, "product");
    wgt_assert_status(t, WG_OK, "");
    wg_tape_free(other);
}
END_TEST

START_TEST(test_wrong_number_of_operands)
{
    wg_tensor *x = wgt_scalar_param(t, "x", 3), *two[] = {x, x};
    start = wg_tape_mark(t);
    refused(wg_apply(&wgt_op_sine, two, 2, NULL), WG_E_VALUE, "sine: 2 operands given, 1 wanted");
    refused(wg_apply(&wgt_op_product, two, 1, NULL), WG_E_VALUE, "product: 1 operands given, 2");
    ck_assert(wg_is_inert(wg_apply(&wg_op_add_n, two, 0, NULL)));
    ck_assert(wg_is_inert(wg_apply(&wgt_op_sine, two, -1, NULL)));
}
END_TEST

START_TEST(test_missing_op_or_attributes)
{
    wg_tensor *x = wgt_scalar_param(t, "x", 3);
    start = wg_tape_mark(t);
    refused(wg_apply(NULL, &x, 1, NULL), WG_E_NULL, "apply: the op is NULL");
    refused(wg_apply(&wgt_op_scaled, &x, 1, NULL), WG_E_NULL, "scaled: the attributes are NULL");
}
END_TEST

START_TEST(test_shape_and_dtype_rules)
{
    wg_tensor *a = wg_rename(wg_full(t, WG_F64, WG_SHAPE(2, 3), 1), "a");
    wg_tensor *b = wg_full(t, WG_F64, WG_SHAPE(3), 1), *k = wg_scalar(t, WG_I64, 1);
    wg_tensor *f = wg_full(t, WG_F32, WG_SHAPE(2, 3), 1);
    start = wg_tape_mark(t);
    const int64_t size = wg_tape_size(t);
    refused(wgt_product(a, b), WG_E_SHAPE, "product: shapes differ: a (2, 3) x constant#1 (3,)");
    refused(wgt_product(a, f), WG_E_DTYPE, "a (2, 3) f64 x constant#3 (2, 3) f32");
    refused(wgt_blend(a, wg_full(t, WG_F64, WG_SHAPE(2), 1), b), WG_E_SHAPE, "do not broadcast");
    refused(wgt_sine(k), WG_E_DTYPE, "sine: not for this dtype: constant#2 () i64");
    refused(wgt_select(b, wg_scalar(t, WG_I64, 3)), WG_E_INDEX, "select: there is no element 3");
    ck_assert_int_eq(wg_tape_size(t), size); /* what is refused leaves nothing behind */
}
END_TEST

START_TEST(test_refused_op_takes_no_memory)
{
    wg_tensor *a = wg_full(t, WG_F64, WG_SHAPE(2), 1), *b = wg_full(t, WG_F64, WG_SHAPE(3), 1);
    const wg_arena_mark before = wg_arena_height(&t->arena);
    wgt_product(a, b);
    const wg_arena_mark after = wg_arena_height(&t->arena);
    ck_assert_ptr_eq(after.block, before.block);
    ck_assert_uint_eq(after.used, before.used);
}
END_TEST

static bool shape_too_large(wg_tensor *y)
{
    y->dtype = WG_F64;
    y->shape = (wg_shape){2, {INT64_C(1) << 40, INT64_C(1) << 40}};
    return true;
}

static bool shape_silent(wg_tensor *y)
{
    (void)y;
    return false;
}

static void forward_nothing(const wg_tensor *y, const wg_piece *piece)
{
    (void)y;
    (void)piece;
}

static void part_nothing(const wg_tensor *y, int64_t begin, int64_t end, void *out,
                         const void *const tile[])
{
    (void)y, (void)begin, (void)end, (void)out, (void)tile;
}

static bool shape_of_x(wg_tensor *y)
{
    y->dtype = WG_F64;
    y->shape = y->operand[0]->shape;
    return true;
}

static int64_t chunks_one(const wg_tensor *y)
{
    (void)y;
    return 1;
}

static int64_t chunks_none(const wg_tensor *y)
{
    (void)y;
    return 0;
}

START_TEST(test_bad_user_ops)
{
    const wg_op large = {
        .name = "large", .arity = 1, .shape = shape_too_large, .forward = forward_nothing};
    const wg_op silent = {
        .name = "silent", .arity = 1, .shape = shape_silent, .forward = forward_nothing};
    const wg_op shapeless = {.name = "shapeless", .arity = 1, .forward = forward_nothing};
    const wg_op idle = {.name = "idle", .arity = 1, .shape = wg_elementwise_shape};
    const wg_op planless = {.name = "planless",
                            .arity = 1,
                            .plan_size = 8,
                            .shape = wg_elementwise_shape,
                            .forward = forward_nothing};
    const wg_op uncut = {.name = "uncut",
                         .arity = 1,
                         .shape = shape_of_x,
                         .forward = forward_nothing,
                         .part = part_nothing};
    wg_op nameless = wgt_op_cube, flagless = wgt_op_cube, halved = wgt_op_cube, none = wgt_op_cube;
    nameless.name = NULL;
    flagless.flags = 0;
    flagless.chunks = NULL;
    halved.chunks = chunks_one;
    none.flags = 0;
    none.map[WG_F64] = NULL;
    none.shape = shape_of_x;
    wg_op crowded = none, stuck = none;
    crowded.map[WG_F64] = wgt_op_cube.map[WG_F64];
    crowded.flags = WG_OP_ELEMENTWISE;
    crowded.arity = WG_VARIADIC;
    stuck.chunks = chunks_none;
    wg_op mapless = crowded;
    mapless.map[WG_F64] = NULL;
    wg_tensor *x = wgt_scalar_param(t, "x", 3), *w = wg_full(t, WG_F64, WG_SHAPE(2), 3);
    start = wg_tape_mark(t);
    refused(wg_apply(&large, &x, 1, NULL), WG_E_SHAPE, "large: a result of shape (1099511627776");
    refused(wg_apply(&silent, &x, 1, NULL), WG_E_VALUE, "silent");
    refused(wg_apply(&shapeless, &x, 1, NULL), WG_E_VALUE, "shapeless");
    refused(wg_apply(&idle, &x, 1, NULL), WG_E_VALUE, "idle");
    refused(wg_apply(&planless, &x, 1, NULL), WG_E_VALUE, "planless");
    refused(wg_apply(&uncut, &x, 1, NULL), WG_E_VALUE, "uncut: the op has a part, is not");
    refused(wg_apply(&nameless, &x, 1, NULL), WG_E_NULL, "apply: the op has no name");
    refused(wg_apply(&flagless, &x, 1, NULL), WG_E_VALUE, "cube: the op has a map, is not");
    refused(wg_apply(&halved, &w, 1, NULL), WG_E_VALUE, "cube: the op's work has 1 chunks");
    refused(wg_apply(&stuck, &w, 1, NULL), WG_E_VALUE, "cube: the op's work has 0 chunks");
    refused(wg_apply(&none, &w, 1, NULL), WG_E_DTYPE, "cube: the op has no map for this dtype");
    refused(wg_apply(&mapless, &w, 1, NULL), WG_E_DTYPE, "cube: the op has no map for this dtype");
    refused(wg_apply(&crowded, (wg_tensor *[]){w, w, w, w, w, w, w, w, w}, 9, NULL), WG_E_VALUE,
            "cube: more than 8 operands");
}
END_TEST

/* An elementwise op that does not say how its work is cut has it cut by elements, whoever runs it:
 * the tape, threads, a program, a check. */
START_TEST(test_elementwise_ops_are_cut_by_elements)
{
    wg_op cube = wgt_op_cube;
    cube.chunks = NULL;
    cube.part = wg_elementwise_part;
    wg_pool *pool = wg_pool_new(2, NULL);
    wg_tape *own = wg_tape_new(&(wg_tape_options){.pool = pool});
    wg_tensor *x = wg_param(own, "x", WG_F64, WG_SHAPE(100000));
    wg_fill_uniform(x, 1, 2, 1);
    wg_tensor *y = wg_apply(&cube, &x, 1, NULL), *z = wg_apply(&cube, &y, 1, NULL);
    wg_program *p = wg_compile(&z, 1, NULL);
    wg_program_run(p);
    for (int64_t i = 0; i < 100000; i += 99) {
        const double v = wg_at(x, i), w = v * v * v;
        wgt_assert_same_bits(wg_at(y, i), w);
        wgt_assert_same_bits(wg_at(wg_program_output(p, 0), i), w * w * w);
    }
    wg_tape_free(own);
    wg_pool_free(pool);
}
END_TEST

START_TEST(test_views_share_memory)
{
    const double values[] = {1, 2, 3};
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(3), values), *y = wgt_tail(x, 1);
    ck_assert_ptr_eq(wg_data_f64(y), wg_data_f64(x) + 1);
    ck_assert_ptr_eq(wg_data_f64(wgt_tail(y, 1)), wg_data_f64(x) + 2);
    ck_assert_int_eq(wg_size(wgt_tail(x, 3)), 0);
}
END_TEST

START_TEST(test_check_finite)
{
    wg_tape *checked = wg_tape_new(&(wg_tape_options){.check_finite = true});
    const double values[] = {1, 0};
    wg_tensor *x = wgt_param(checked, "x", WG_SHAPE(2), values);
    ck_assert(wg_is_inert(wgt_reciprocal(x)));
    wgt_assert_status(checked, WG_E_NOT_FINITE, "reciprocal: the result is inf at 1: x (2,)");
    wg_tape_free(checked);
    ck_assert(isinf(wg_at(wgt_reciprocal(wgt_param(t, "x", WG_SHAPE(2), values)), 1)));
    wgt_assert_status(t, WG_OK, "");
}
END_TEST

/* What is computed from an abstract leaf has a shape and no value, and its op does not run. */
START_TEST(test_abstract)
{
    wg_tensor *u = wg_abstract(t, WG_F64, WG_SHAPE(3)), *x = wg_full(t, WG_F64, WG_SHAPE(3), 2);
    const int64_t runs = wgt_runs();
    wg_tensor *y = wgt_total(wgt_product(u, x));
    ck_assert_int_eq(wgt_runs(), runs);
    ck_assert_int_eq(wg_size(y), 1);
    ck_assert_double_nan(wg_item(y));
    ck_assert_ptr_null(wg_data_f64(y));
    ck_assert_int_eq(wg_size(wgt_tail(u, 1)), 2);
    ck_assert_int_eq(wg_replay(t), WG_OK);
    ck_assert_int_eq(wgt_runs(), runs);
    refused(wgt_product(u, wg_scalar(t, WG_F64, 1)), WG_E_SHAPE, "product: shapes differ");
}
END_TEST

/* Workspace is made when an op is recorded, as large as the largest need; it is somewhere, also of
 * 0 bytes. */
static size_t workspace_need(const wg_tensor *y)
{
    return (size_t)(y->operand[0]->size - 1) * sizeof(double);
}

static void workspace_forward(const wg_tensor *y, const wg_piece *piece)
{
    double *room = piece->workspace;
    const double *x = y->operand[0]->data;
    ck_assert_ptr_nonnull(room);
    for (int64_t i = 1; i < y->size; i++)
        room[i - 1] = 2 * x[i];
    for (int64_t i = 0; i < y->size; i++)
        ((double *)y->data)[i] = i > 0 ? room[i - 1] : 2 * x[0];
}

START_TEST(test_workspace)
{
    const wg_op twice = {.name = "twice",
                         .arity = 1,
                         .shape = shape_of_x,
                         .forward = workspace_forward,
                         .workspace = workspace_need};
    wgt_memory memory = {0};
    wg_tape *own = wgt_tape(&memory);
    for (int64_t n = 1; n < 3000; n *= 3) {
        wg_tensor *x = wg_full(own, WG_F64, WG_SHAPE(n), 4);
        wgt_assert_same_bits(wg_at(wg_apply(&twice, &x, 1, NULL), n - 1), 8);
    }
    wg_tensor *x = wg_full(own, WG_F64, WG_SHAPE(100000), 4);
    const wg_mark mark = wg_tape_mark(own);
    memory.fail_at = memory.calls + 2; /* 1 is the result */
    ck_assert(wg_is_inert(wg_apply(&twice, &x, 1, NULL)));
    wgt_assert_status(own, WG_E_NOMEM, WGT_ARENA_TINY ? "" : "of workspace: constant#");
    wg_tape_rewind(own, mark);
    wgt_assert_same_bits(wg_at(wg_apply(&twice, &x, 1, NULL), 99999), 8);
    wg_tape_free(own);
    ck_assert_int_eq(memory.blocks, 0);
}
END_TEST

/* A plan is filled once, with the shape known, and is there whenever the op runs; the attributes
 * before it stay as they are. */
typedef struct planned {
    int64_t size, factor;
} planned;
static int plans_filled;

static void planned_fill(const wg_tensor *y)
{
    *(planned *)y->plan = (planned){y->size, *(const char *)y->attrs};
    plans_filled++;
}

static void planned_forward(const wg_tensor *y, const wg_piece *piece)
{
    const planned *plan = y->plan;
    (void)piece;
    for (int64_t i = 0; i < plan->size; i++)
        ((double *)y->data)[i] = (double)plan->factor * ((const double *)y->operand[0]->data)[i];
}

/* ---- Work in pieces. ---- */

/* Counts up: y[i] = x[i] + 1, and says which chunks were asked for by that. */
static int64_t count_chunks(const wg_tensor *y)
{
    return y->size;
}

static int64_t count_piece_chunks(const wg_tensor *y)
{
    return *(const int64_t *)y->attrs;
}

static void count_forward(const wg_tensor *y, const wg_piece *piece)
{
    for (int64_t i = piece->begin; i < piece->end; i++)
        ((double *)y->data)[i] = ((const double *)y->operand[0]->data)[i] + 1;
}

/* Every chunk is done, also where the last piece is a short one. */
START_TEST(test_pieces_cover_all_chunks)
{
    static const wg_op op = {.name = "count_up",
                             .arity = 1,
                             .attr_size = sizeof(int64_t),
                             .shape = shape_of_x,
                             .forward = count_forward,
                             .chunks = count_chunks,
                             .piece_chunks = count_piece_chunks};
    wg_pool *pool = wg_pool_new(2, NULL);
    wg_tape *own = wg_tape_new(&(wg_tape_options){.pool = pool});
    for (int64_t n = 1; n < 12; n++) {
        for (int64_t each = 1; each < 6; each++) {
            const wg_mark mark = wg_tape_mark(own);
            wg_tensor *y, *x = wg_full(own, WG_F64, WG_SHAPE(n), 2);
            y = wg_apply(&op, &x, 1, &each);
            for (int64_t i = 0; i < n; i++)
                ck_assert_msg(wg_at(y, i) == 3, "chunk %d of %d, %d a piece", (int)i, (int)n,
                              (int)each);
            wg_tape_rewind(own, mark);
        }
    }
    wg_tape_free(own);
    wg_pool_free(pool);
}
END_TEST

START_TEST(test_plan)
{
    const wg_op op = {
        .name = "planned",
        .arity = 1,
        .flags = WG_OP_ELEMENTWISE,
        .attr_size = 1,
        .plan_size = sizeof(planned),
        .plan = planned_fill,
        .shape = wg_elementwise_shape,
        .forward = planned_forward,
        .map = {[WG_F32] = wgt_op_product.map[WG_F32], [WG_F64] = wgt_op_product.map[WG_F64]}};
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(2), (double[]){1, 5});
    plans_filled = 0;
    wg_tensor *y = wg_apply(&op, &x, 1, &(char){3});
    ck_assert_ptr_nonnull(y->plan);
    wgt_assert_same_bits(wg_at(y, 1), 15);
    wg_program *p = wg_compile(&y, 1, NULL);
    wg_write(x, (double[]){2, 7}, 2 * sizeof(double));
    wg_replay(t);
    wgt_assert_same_bits(wg_at(y, 1), 21);
    wg_program_run(p);
    wgt_assert_same_bits(wg_at(wg_program_output(p, 0), 0), 6);
    ck_assert_int_eq(plans_filled, 1);
    ck_assert_ptr_null(wg_scalar(t, WG_F64, 1)->plan);
}
END_TEST

/* What a plan takes from the tape may be more than there is. */
static void greedy_fill(const wg_tensor *y)
{
    *(void **)y->plan = wg_tape_take(y->tape, SIZE_MAX / 2);
}

START_TEST(test_plan_without_memory)
{
    const wg_op op = {.name = "greedy",
                      .arity = 1,
                      .flags = WG_OP_ELEMENTWISE,
                      .plan_size = sizeof(void *),
                      .plan = greedy_fill,
                      .shape = wg_elementwise_shape,
                      .forward = planned_forward,
                      .map = {[WG_F64] = wgt_op_product.map[WG_F64]}};
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(2), (double[]){1, 5});
    const int64_t nodes = wg_tape_size(t);
    ck_assert(wg_is_inert(wg_apply(&op, &x, 1, NULL)));
    wgt_assert_status(t, WG_E_NOMEM, "memory");
    ck_assert_int_eq(wg_tape_size(t), nodes);
}
END_TEST

Suite *suite_apply(void)
{
    Suite *suite = suite_create("apply");
    TCase *cases = tcase_create("recording");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, test_a_node);
    tcase_add_test(cases, test_operands_and_attributes_are_copied);
    tcase_add_test(cases, test_empty_and_scalar);
    tcase_add_test(cases, test_elementwise_ops_are_cut_by_elements);
    tcase_add_test(cases, test_views_share_memory);
    tcase_add_test(cases, test_abstract);
    tcase_add_test(cases, test_workspace);
    tcase_add_test(cases, test_pieces_cover_all_chunks);
    tcase_add_test(cases, test_plan);
    suite_add_tcase(suite, cases);
    TCase *errors = tcase_create("errors");
    tcase_add_checked_fixture(errors, set_up, tear_down);
    tcase_add_test(errors, test_null_operands);
    tcase_add_test(errors, test_inert_operands);
    tcase_add_test(errors, test_two_tapes);
    tcase_add_test(errors, test_wrong_number_of_operands);
    tcase_add_test(errors, test_missing_op_or_attributes);
    tcase_add_test(errors, test_shape_and_dtype_rules);
    tcase_add_test(errors, test_refused_op_takes_no_memory);
    tcase_add_test(errors, test_bad_user_ops);
    tcase_add_test(errors, test_plan_without_memory);
    tcase_add_test(errors, test_check_finite);
    suite_add_tcase(suite, errors);
    return suite;
}
