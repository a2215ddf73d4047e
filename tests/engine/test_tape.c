/* The tape: sticky errors, mark and rewind, failing memory, a very long chain. */
#include "autograd/grad.h"
#include "autograd/print/print.h"
#include "autograd/tape_internal.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

/* ---- Errors ---------------------------------------------------------------------------------- */

START_TEST(test_new_tape)
{
    wg_tape *t = wg_tape_new(NULL);
    wgt_assert_status(t, WG_OK, "");
    ck_assert_str_eq(wg_tape_message(t), "");
    ck_assert_int_eq(wg_tape_size(t), 0);
    ck_assert_int_eq(wg_replay(t), WG_OK);
    wg_tape_rewind(t, wg_tape_mark(t));
    ck_assert_int_eq(wg_tape_status(t), WG_OK);
    wg_tape_free(t);
}
END_TEST

/* An allocator that lacks a function is found before it is missed. */
START_TEST(test_allocator_that_lacks)
{
    for (int i = 0; i < 2; i++) {
        wgt_memory memory = {0};
        wg_tape_options options = {.allocator = wgt_allocator(&memory)};
        if (i == 0)
            options.allocator.reallocate = NULL;
        else
            options.allocator.release = NULL;
        wg_tape *t = wg_tape_new(&options);
        wgt_assert_status(t, WG_E_NULL, "tape: the allocator lacks reallocate or release");
        ck_assert(wg_is_inert(wgt_cube(wgt_scalar_param(t, "x", 2))));
        wg_tape_free(t);
        ck_assert_int_eq(memory.calls, 0);
    }
}
END_TEST

START_TEST(test_null_tape)
{
    ck_assert_int_eq(wg_tape_status(NULL), WG_E_NULL);
    ck_assert_str_eq(wg_tape_message(NULL), "the tape is NULL");
    ck_assert_int_eq(wg_tape_size(NULL), 0);
    ck_assert_int_eq(wg_tape_rewind(NULL, wg_tape_mark(NULL)), WG_E_NULL);
    ck_assert_int_eq(wg_replay(NULL), WG_E_NULL);
    ck_assert_ptr_null(wg_tape_take(NULL, 8));
    wg_tape_free(NULL);
}
END_TEST

START_TEST(test_first_error_stays)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wgt_scalar_param(t, "x", 1);
    ck_assert(wg_is_inert(wgt_product(x, NULL)));
    const int64_t size = wg_tape_size(t);
    ck_assert(wg_is_inert(wg_param(t, "y", WG_F64, WG_SHAPE(-1))));
    ck_assert(wg_is_inert(wgt_sine(x))); /* does nothing, for the tape has an error */
    ck_assert_int_eq(wg_tape_size(t), size);
    wgt_assert_status(t, WG_E_NULL, "product: operand 1 is NULL");
    ck_assert_int_eq(wg_replay(t), WG_E_NULL);
    ck_assert_int_eq(wg_replay_to(&x, 1), WG_E_NULL);
    ck_assert_ptr_null(wg_tape_take(t, 8));
    wgt_assert_same_bits(wg_item(x), 1); /* what there was can be read */
    wg_tape_free(t);
}
END_TEST

typedef struct heard {
    int times;
    wg_status status;
    char message[64];
} heard;

static void hear(wg_status status, const char *message, void *user)
{
    heard *h = user;
    h->times++;
    h->status = status;
    snprintf(h->message, sizeof h->message, "%s", message);
}

START_TEST(test_callback)
{
    heard h = {0};
    wg_tape *t = wg_tape_new(&(wg_tape_options){.on_error = hear, .on_error_user = &h});
    const wg_mark mark = wg_tape_mark(t);
    wg_param(t, "w", WG_F64, WG_SHAPE(-1));
    ck_assert_int_eq(h.times, 1);
    ck_assert_int_eq(h.status, WG_E_SHAPE);
    ck_assert_str_eq(h.message, wg_tape_message(t));
    wg_param(t, "w", WG_I64, WG_SHAPE(1));
    ck_assert_int_eq(h.times, 1); /* the first only */
    wg_tape_rewind(t, mark);
    wg_fail(t, WG_E_VALUE, "%s", "mine");
    ck_assert_int_eq(h.times, 2);
    ck_assert_str_eq(h.message, "mine");
    wg_tape_free(t);
}
END_TEST

START_TEST(test_long_message_is_cut)
{
    char name[2000];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wg_rename(wg_scalar(t, WG_F64, 1), name);
    wg_tensor *y = wg_rename(wg_full(t, WG_F64, WG_SHAPE(2, 3), 1), name);
    wgt_product(x, y);
    wgt_assert_status(t, WG_E_SHAPE, "product: shapes differ: nnn");
    wgt_assert_status(t, WG_E_SHAPE, " (2, 3)");
    wg_tape_free(t);
}
END_TEST

/* ---- Mark and rewind ------------------------------------------------------------------------- */

START_TEST(test_rewind_drops_what_is_younger)
{
    wgt_memory memory = {0};
    wg_tape *t = wgt_tape(&memory);
    wg_tensor *x = wgt_scalar_param(t, "x", 0.5);
    const wg_mark mark = wg_tape_mark(t);
    int64_t calls = 0;
    for (int step = 0; step < 5; step++) {
        wg_tensor *y = x, *g;
        for (int i = 0; i < 500; i++)
            y = wgt_sine(y);
        wg_grad(y, &x, 1, &g);
        ck_assert_double_finite(wg_item(g));
        wg_tape_rewind(t, mark);
        ck_assert_int_eq(wg_tape_status(t), WG_OK);
        ck_assert_int_eq(wg_tape_size(t), 1);
        wg_write(x, &(double){0.1 * step}, sizeof(double));
        if (step == 0)
            calls = memory.calls;
    }
    ck_assert_int_eq(memory.calls, calls); /* later steps find the memory of the first */
    wgt_assert_same_bits(wg_item(x), 0.1 * 4);
    wgt_assert_status(t, WG_OK, "");
    wg_tape_free(t);
    ck_assert_int_eq(memory.blocks, 0);
}
END_TEST

START_TEST(test_rewind_takes_the_status_back)
{
    wg_tape *t = wg_tape_new(NULL);
    const wg_mark well = wg_tape_mark(t);
    wg_scalar(t, WG_I64, (double)NAN);
    const wg_mark ill = wg_tape_mark(t);
    ck_assert_int_eq(wg_tape_rewind(t, ill), WG_E_VALUE);
    wgt_assert_status(t, WG_E_VALUE, "nan");
    ck_assert_int_eq(wg_tape_rewind(t, well), WG_E_VALUE); /* what it drops */
    ck_assert_int_eq(wg_tape_status(t), WG_OK);
    ck_assert_str_eq(wg_tape_message(t), "");
    wg_tape_free(t);
}
END_TEST

START_TEST(test_rewind_twice_and_nested)
{
    wg_tape *t = wgt_strict_tape();
    const wg_mark empty = wg_tape_mark(t);
    for (int round = 0; round < 3; round++) {
        wg_tensor *x = wgt_scalar_param(t, "x", 2);
        const wg_mark inner = wg_tape_mark(t);
        wgt_cube(x);
        wg_tape_rewind(t, inner);
        wg_tape_rewind(t, inner);
        wgt_assert_same_bits(wg_item(wgt_cube(x)), 8);
        wg_tape_rewind(t, empty);
        wg_tape_rewind(t, empty);
        ck_assert_int_eq(wg_tape_size(t), 0);
    }
    wg_tape_free(t);
}
END_TEST

START_TEST(test_bad_marks)
{
    wg_tape *t = wg_tape_new(NULL), *other = wg_tape_new(NULL);
    const wg_mark empty = wg_tape_mark(t);
    wgt_scalar_param(t, "x", 2);
    wgt_scalar_param(other, "x", 2);
    const wg_mark younger = wg_tape_mark(t), foreign = wg_tape_mark(other);
    ck_assert_int_eq(wg_tape_rewind(t, foreign), WG_E_TAPE); /* drops nothing */
    ck_assert_int_eq(wg_tape_size(t), 1);
    wg_tape_rewind(t, empty);
    ck_assert_int_eq(wg_tape_status(t), WG_OK);
    ck_assert_int_eq(wg_tape_rewind(t, younger), WG_E_TAPE);
    wgt_assert_status(t, WG_E_TAPE, "rewind: the mark went with a rewind to an older one");
    wg_tape_rewind(t, empty);
    ck_assert_int_eq(wg_tape_rewind(t, wg_tape_mark(NULL)), WG_E_TAPE);
    wg_tape_free(t);
    wg_tape_free(other);
}
END_TEST

/* A loop that marks and rewinds takes no memory, whatever its steps record: one place is enough. */
/* The words of an error are gone with a rewind to before it, and a mark behind it is still good. */
START_TEST(test_an_error_without_words)
{
    wg_tape *t = wg_tape_new(NULL);
    const wg_mark before = wg_tape_mark(t);
    wg_fail(t, WG_E_VALUE, "words");
    const wg_mark behind = wg_tape_mark(t);
    wg_tape_rewind(t, before);
    wg_tape_rewind(t, behind);
    wgt_assert_status(t, WG_E_VALUE, "an error from before the mark");
    wg_tape_free(t);
}
END_TEST

START_TEST(test_marks_do_not_add_up)
{
    wgt_memory memory = {0};
    wg_tape *t = wgt_tape(&memory);
    wg_tensor *x = wgt_scalar_param(t, "x", 2);
    const wg_mark before = wg_tape_mark(t);
    size_t held = 0;
    for (int step = 0; step < 100000; step++) {
        const wg_mark outer = wg_tape_mark(t);
        wgt_cube(x);
        const wg_mark inner = wg_tape_mark(t);
        wgt_cube(x);
        wg_tape_rewind(t, inner);
        wg_tape_rewind(t, outer);
        ck_assert_int_eq(wg_tape_size(t), 1);
        held = step == 0 ? memory.bytes : held;
    }
    ck_assert_uint_eq(memory.bytes, held);
    ck_assert_int_eq(wg_tape_rewind(t, before), WG_OK);
    wg_tape_free(t);
}
END_TEST

/* Bytes begin at a multiple of 64 and end just before one, so that the place behind them takes the
 * next 64, too: where a block of memory has an odd number of them left, the place does not fit. */
static wg_mark mark_without_memory(wg_tape *t, wgt_memory *memory)
{
    for (size_t blocks = 0;;) {
        memory->fail_at = memory->calls + 1;
        const wg_mark mark = wg_tape_mark(t);
        if (wg_tape_status(t) != WG_OK)
            return mark;
        if (wg_tape_take(t, 64 - sizeof(void *)) != NULL)
            continue;
        wg_tape_rewind(t, mark);
        memory->fail_at = 0;
        wg_tape_take(t, 64 * ++blocks);
    }
}

/* A mark that finds no memory is an error that rewinding to it takes back; not once an older one was
 * gone back to. */
START_TEST(test_mark_without_memory)
{
    wgt_memory memory = {0};
    wg_tape *t = wgt_tape(&memory);
    wg_tensor *x = wgt_scalar_param(t, "x", 2);
    const wg_mark well = wg_tape_mark(t);
    for (int round = 0; round < 2; round++) {
        const wg_mark ill = mark_without_memory(t, &memory);
        wgt_assert_status(t, WG_E_NOMEM, "mark: out of memory");
        memory.fail_at = 0;
        wg_tape_rewind(t, round == 0 ? ill : well);
        ck_assert_int_eq(wg_tape_status(t), WG_OK);
        ck_assert_double_eq(wg_item(wgt_cube(x)), 8);
        ck_assert_int_eq(wg_tape_rewind(t, ill), WG_E_TAPE);
        wg_tape_rewind(t, well);
        ck_assert_int_eq(wg_tape_status(t), WG_OK);
    }
    wg_tape_free(t);
    ck_assert_int_eq(memory.blocks, 0);
}
END_TEST

/* A mark that a rewind dropped is no mark again when the tape has grown past where it was. */
START_TEST(test_marks_have_a_generation)
{
    wg_tape *t = wg_tape_new(NULL);
    const wg_mark empty = wg_tape_mark(t);
    wgt_scalar_param(t, "x", 2);
    const wg_mark old = wg_tape_mark(t);
    wg_tape_rewind(t, empty);
    wg_tensor *w = wg_param(t, "w", WG_F64, WG_SHAPE(100000));
    wgt_cube(w);
    const wg_mark good = wg_tape_mark(t);
    ck_assert_int_eq(wg_tape_rewind(t, old), WG_E_TAPE);
    ck_assert_int_eq(wg_tape_size(t), 2);
    wgt_assert_status(t, WG_E_TAPE, "rewind: the mark went");
    for (int round = 0; round < 3; round++) {
        wg_tape_rewind(t, good);
        ck_assert_int_eq(wg_tape_status(t), WG_OK);
        wgt_sine(w);
        const wg_mark inner = wg_tape_mark(t);
        wgt_sine(w);
        wg_tape_rewind(t, inner);
        ck_assert_int_eq(wg_tape_status(t), WG_OK);
        ck_assert_int_eq(wg_tape_size(t), 3);
    }
    wg_tape_rewind(t, empty);
    ck_assert_int_eq(wg_tape_status(t), WG_OK);
    ck_assert_int_eq(wg_tape_rewind(t, good), WG_E_TAPE);
    wg_tape_rewind(t, empty);
    ck_assert_int_eq(wg_tape_status(t), WG_OK);
    wg_tape_free(t);
}
END_TEST

START_TEST(test_take)
{
    wg_tape *t = wgt_strict_tape();
    const wg_mark mark = wg_tape_mark(t);
    for (int round = 0; round < 2; round++) {
        char *p = wg_tape_take(t, 100);
        ck_assert_uint_eq((uintptr_t)p % 64, 0);
        for (int i = 0; i < 100; i++)
            ck_assert_int_eq(p[i], 0); /* also where it was used before */
        memset(p, 1, 100);
        ck_assert_str_eq(wg_tape_copy_text(t, "text"), "text");
        wg_tape_rewind(t, mark);
    }
    wg_tape_free(t);
}
END_TEST

/* ---- Failing memory -------------------------------------------------------------------------- */

/* Everything that takes memory: leaves, ops, gradients, the gradient's gradient, backward, replay,
 * a rewind in the middle, a graph.  A number that depends on all of it; NaN after an error. */
static double work(wg_tape *t)
{
    wg_tensor *k = wg_scalar(t, WG_I64, 7), *g, *gg, *y;
    wg_tensor *w = wg_param(t, "w", WG_F64, WG_SHAPE(2000)), *sum = wgt_total(w);
    wg_fill_uniform(w, 0, 1, 1);
    wg_replay(t);
    const double before = wg_item(sum);
    const wg_mark mark = wg_tape_mark(t);
    for (int i = 0; i < 80; i++)
        wgt_sine(w);
    if (wg_tape_status(t) == WG_OK)
        wg_tape_rewind(t, mark);
    y = wgt_select(wgt_cube(wgt_tail(w, 0)), k);
    y = wgt_select(wgt_cube(w), k);
    wg_grad(y, &w, 1, &g);
    wg_tensor *h = wgt_total(wgt_product(g, g));
    wg_grad(h, &w, 1, &gg);
    wg_backward(wgt_total(wgt_product(w, wgt_sine(w))));
    wg_fill_uniform(w, 0, 1, 2);
    wg_replay_to((wg_tensor *[]){sum, gg, wg_grad_of(w)}, 3);
    const bool well = wg_tape_status(t) == WG_OK;
    return before + wg_item(sum) + wg_at(gg, 7) + (well ? wg_at(wg_grad_of(w), 3) : (double)NAN);
}

static double work_undisturbed(wgt_memory *memory)
{
    wg_tape *t = wgt_tape(memory);
    const double result = work(t);
    wgt_assert_status(t, WG_OK, "");
    wg_tape_free(t);
    return result;
}

/* Allocation `at` fails; then there is memory again, and the tape is rewound and goes on. */
static void work_failing(int64_t at, bool from_then, double want)
{
    wgt_memory memory = {.fail_at = at, .from_then = from_then};
    wg_tape *t = wgt_tape(&memory);
    const wg_mark start = wg_tape_mark(t);
    ck_assert_double_nan(work(t));
    wgt_assert_status(t, WG_E_NOMEM, "out of memory");
    memory.fail_at = 0;
    if (at > 1) { /* else there is no tape */
        wg_tape_rewind(t, start);
        ck_assert_int_eq(wg_tape_status(t), WG_OK);
        wgt_assert_same_bits(work(t), want);
        wgt_assert_status(t, WG_OK, "");
    }
    wg_tape_free(t);
    ck_assert_int_eq(memory.blocks, 0);
}

START_TEST(test_every_allocation_fails)
{
    wgt_memory memory = {0};
    const double want = work_undisturbed(&memory);
    ck_assert_int_gt(memory.calls, 10);
    for (int64_t at = 1; at <= memory.calls; at++) {
        work_failing(at, false, want);
        work_failing(at, true, want);
    }
}
END_TEST

/* Parameters older than the mark keep values and gradients when the step that failed is rewound. */
START_TEST(test_parameters_survive_failure)
{
    for (int64_t at = 1; at < 30; at++) {
        wgt_memory memory = {0};
        wg_tape *t = wgt_tape(&memory);
        wg_tensor *w = wg_param(t, "w", WG_F64, WG_SHAPE(3000));
        wg_fill_uniform(w, 1, 2, 1);
        wg_backward(wgt_total(w));
        wg_tensor *former = wg_grad_of(w);
        const double value = wg_at(w, 2999);
        const wg_mark mark = wg_tape_mark(t);
        memory.fail_at = memory.calls + at;
        memory.from_then = true;
        wg_tensor *y = w;
        for (int i = 0; i < 100; i++)
            y = wgt_sine(y);
        wg_backward(wgt_total(y));
        wg_tape_rewind(t, mark);
        ck_assert_ptr_eq(wg_grad_of(w), former);
        wgt_assert_same_bits(wg_at(former, 2999), 1);
        wgt_assert_same_bits(wg_at(w, 2999), value);
        wg_tape_free(t);
        ck_assert_int_eq(memory.blocks, 0);
    }
}
END_TEST

/* ---- The tape that stands for 'no memory' ---------------------------------------------------- */

/* All that one can do to a tape; none of it may write the static one. */
static void *use_no_memory(void *unused)
{
    wgt_memory memory = {.fail_at = 1};
    wg_tape *t = wgt_tape(&memory);
    const wg_mark mark = wg_tape_mark(t);
    for (int i = 0; i < 1000; i++) {
        wg_tensor *w = wg_param(t, "w", WG_F64, WG_SCALAR), *g;
        wg_write(w, &(double){1}, sizeof(double));
        wg_fill_normal(w, 0, 1, 1);
        wg_bind(w, &mark);
        wg_rename(w, "v");
        wg_grad(wgt_product(w, wgt_sine(w)), &w, 1, &g);
        wg_backward(w);
        wg_replay_to(&g, 1);
        wg_replay(t);
        wg_fail(t, WG_E_VALUE, "not this");
        wg_tape_rewind(t, mark);
    }
    wg_tape_free(t);
    return unused;
}

START_TEST(test_no_memory_for_the_tape)
{
    wgt_memory memory = {.fail_at = 1};
    wg_tape *t = wgt_tape(&memory);
    wgt_assert_status(t, WG_E_NOMEM, "tape: out of memory");
    ck_assert_int_eq(wg_tape_rewind(t, wg_tape_mark(t)), WG_E_NOMEM);
    ck_assert_double_nan(wg_item(wg_param(t, "w", WG_F64, WG_SCALAR)));
    ck_assert_ptr_null(wg_temporary(t, 1, 8));
    ck_assert_ptr_null(wg_temporary(NULL, 1, 8));
    wg_pool *pool = wg_pool_new(2, &wg_tape_options_of(t)->allocator); /* all zero: libc's */
    ck_assert_ptr_nonnull(pool);
    wg_pool_free(pool);
    FILE *file = tmpfile();
    ck_assert_int_eq(wg_tape_print(file, t), WG_OK);
    ck_assert_int_eq(wg_tape_dot(file, t, NULL, 0), WG_E_NOMEM);
    fclose(file);
    wg_tape_free(t);
}
END_TEST

START_TEST(test_static_tape_is_never_written)
{
    static unsigned char before[sizeof(wg_tape)];
    memcpy(before, wg_inert_tape(), sizeof before);
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, use_no_memory, NULL), 0);
    use_no_memory(NULL);
    pthread_join(thread, NULL);
    wgt_assert_same_bytes(wg_inert_tape(), before, sizeof before);
}
END_TEST

/* ---- A million ops --------------------------------------------------------------------------- */

/* x -> sin(x) -> sin(x) w -> ...: the gradient with respect to w has half a million terms. */
START_TEST(test_a_million_ops)
{
    enum { PAIRS = 500000 };
    wgt_memory memory = {0};
    wg_tape *t = wgt_tape(&memory);
    wg_tensor *x = wgt_scalar_param(t, "x", 1), *w = wgt_scalar_param(t, "w", 1.000001), *g[2];
    const wg_mark mark = wg_tape_mark(t);
    wg_tensor *y = x;
    for (int i = 0; i < PAIRS; i++)
        y = wgt_product(wgt_sine(y), w);
    ck_assert_int_eq(wg_grad(y, (wg_tensor *[]){x, w}, 2, g), WG_OK);
    ck_assert_uint_lt(memory.peak, (size_t)2048 * 2 * PAIRS);

    double v = 1, dx = 1, dw = 0; /* tangents, forward */
    for (int i = 0; i < PAIRS; i++) {
        dx *= cos(v) * 1.000001;
        dw = dw * cos(v) * 1.000001 + sin(v);
        v = sin(v) * 1.000001;
    }
    wgt_assert_same_bits(wg_item(y), v);
    wgt_assert_close(wg_item(g[0]), dx, 1e-9, 0); /* 1e6 factors, each off by 2^-53 at most */
    wgt_assert_close(wg_item(g[1]), dw, 1e-9, 0);
    ck_assert_int_eq(wg_replay(t), WG_OK);
    wgt_assert_same_bits(wg_item(y), v);
    wg_tape_rewind(t, mark);
    ck_assert_int_eq(wg_tape_status(t), WG_OK);
    ck_assert_int_eq(wg_tape_size(t), 2);
    wg_tape_free(t);
    ck_assert_int_eq(memory.blocks, 0);
}
END_TEST

Suite *suite_tape(void)
{
    Suite *suite = suite_create("tape");
    TCase *errors = tcase_create("errors");
    tcase_add_test(errors, test_new_tape);
    tcase_add_test(errors, test_allocator_that_lacks);
    tcase_add_test(errors, test_null_tape);
    tcase_add_test(errors, test_first_error_stays);
    tcase_add_test(errors, test_callback);
    tcase_add_test(errors, test_long_message_is_cut);
    suite_add_tcase(suite, errors);
    TCase *rewind = tcase_create("mark and rewind");
    tcase_add_test(rewind, test_rewind_drops_what_is_younger);
    tcase_add_test(rewind, test_rewind_takes_the_status_back);
    tcase_add_test(rewind, test_rewind_twice_and_nested);
    tcase_add_test(rewind, test_bad_marks);
    tcase_add_test(rewind, test_an_error_without_words);
    tcase_add_test(rewind, test_marks_do_not_add_up);
    tcase_add_test(rewind, test_mark_without_memory);
    tcase_add_test(rewind, test_marks_have_a_generation);
    tcase_add_test(rewind, test_take);
    suite_add_tcase(suite, rewind);
    TCase *memory = tcase_create("memory");
    tcase_add_test(memory, test_every_allocation_fails);
    tcase_add_test(memory, test_parameters_survive_failure);
    tcase_add_test(memory, test_no_memory_for_the_tape);
    tcase_add_test(memory, test_static_tape_is_never_written);
    tcase_add_test(memory, test_a_million_ops);
    suite_add_tcase(suite, memory);
    return suite;
}
