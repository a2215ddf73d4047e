/* The default allocator and the arena. */
#include "autograd/arena_internal.h"
#include "autograd/rng.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <string.h>

static wgt_memory memory;
static wg_arena arena;

static void set_up(void)
{
    memory = (wgt_memory){0};
    const wg_allocator from = wgt_allocator(&memory);
    wg_arena_init(&arena, &from);
}

static void tear_down(void)
{
    wg_arena_clear(&arena);
    ck_assert_int_eq(memory.blocks, 0);
    ck_assert_uint_eq(memory.bytes, 0);
}

START_TEST(test_default_allocator)
{
    const wg_allocator a = wg_allocator_default();
    char *text = a.allocate(4, a.user);
    memcpy(text, "abc", 4);
    text = a.reallocate(text, 1000, a.user);
    ck_assert_str_eq(text, "abc");
    a.release(text, a.user);
}
END_TEST

/* What asks for huge pages: it starts where one does, and is memory like any other. */
START_TEST(test_default_allocator_large)
{
    const size_t size = (size_t)16 << 20, larger = 2 * size + 12345;
    const wg_allocator a = wg_allocator_default();
    unsigned char *block = a.allocate(size, a.user);
    ck_assert_ptr_nonnull(block);
#ifdef __linux__
    ck_assert_uint_eq((uintptr_t)block % ((size_t)2 << 20), 0);
#endif
    memset(block, 7, size);
    block = a.reallocate(block, larger, a.user);
    ck_assert_ptr_nonnull(block);
    ck_assert_int_eq(block[0] + block[size - 1], 14);
    memset(block + size, 9, larger - size);
    block = a.reallocate(block, 100, a.user);
    ck_assert_int_eq(block[99], 7);
    a.release(block, a.user);
}
END_TEST

/* More than there can be. AddressSanitizer ends a program that asks for it. */
#ifndef WG_ARENA_ASAN
START_TEST(test_default_allocator_without_memory)
{
    const wg_allocator a = wg_allocator_default();
    const size_t sizes[] = {(size_t)PTRDIFF_MAX, (size_t)PTRDIFF_MAX + 1, SIZE_MAX - 4096,
                            SIZE_MAX};
    volatile size_t size; /* or the compiler says that it is too large */
    void *block = a.allocate(1000, a.user);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size = sizes[i];
        ck_assert_ptr_null(a.allocate(size, a.user));
        ck_assert_ptr_null(a.reallocate(block, size, a.user));
    }
    a.release(block, a.user);
}
END_TEST
#endif

/* A value of some megabytes is a block of the allocator by itself, with room for the nodes that
 * follow. */
START_TEST(test_large_value_has_its_own_block)
{
    ck_assert_ptr_nonnull(wg_arena_take(&arena, 100, 8));
    const size_t before = memory.bytes, size = (size_t)16 << 20;
    ck_assert_ptr_nonnull(wg_arena_take(&arena, size, WG_ALIGNMENT));
    ck_assert_int_eq(memory.blocks, 2);
    ck_assert_uint_le(memory.bytes - before, size + ((size_t)33 << 10));
}
END_TEST

START_TEST(test_alignment)
{
    for (size_t alignment = 1; alignment <= WG_ALIGNMENT; alignment *= 2) {
        ck_assert_ptr_nonnull(wg_arena_take(&arena, 1, 1));
        const char *p = wg_arena_take(&arena, 3, alignment);
        ck_assert_uint_eq((uintptr_t)p % alignment, 0);
    }
}
END_TEST

START_TEST(test_pieces_do_not_overlap)
{
    enum { COUNT = 200 };
    unsigned char *piece[COUNT];
    for (int i = 0; i < COUNT; i++) {
        piece[i] = wg_arena_take(&arena, (size_t)i * 37, 8);
        ck_assert_ptr_nonnull(piece[i]); /* also for size 0 */
        memset(piece[i], i, (size_t)i * 37);
    }
    int changed = 0;
    for (int i = 0; i < COUNT; i++) {
        for (int k = 0; k < i * 37; k++)
            changed += piece[i][k] != i;
    }
    ck_assert_int_eq(changed, 0);
    ck_assert_int_gt(memory.blocks, 1);
}
END_TEST

START_TEST(test_rewind_gives_the_same_memory)
{
    ck_assert_ptr_nonnull(wg_arena_take(&arena, 100, 8));
    const wg_arena_mark mark = wg_arena_height(&arena);
    void *first[3];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 3; i++) {
            void *p = wg_arena_take(&arena, (size_t)3000000 * (size_t)i + 9, 64);
            if (round == 0)
                first[i] = p;
            ck_assert_ptr_eq(p, first[i]);
        }
        wg_arena_rewind(&arena, mark);
    }
    if (!WGT_ARENA_TINY)
        ck_assert_int_eq(memory.calls, 3); /* the first block, and one for each large piece */
}
END_TEST

START_TEST(test_rewind_to_nothing_twice)
{
    const wg_arena_mark empty = wg_arena_height(&arena);
    wg_arena_rewind(&arena, empty); /* before there is a block */
    void *p = wg_arena_take(&arena, 8, 8);
    wg_arena_rewind(&arena, empty);
    wg_arena_rewind(&arena, empty);
    ck_assert_ptr_eq(wg_arena_take(&arena, 8, 8), p);
    ck_assert_int_eq(memory.calls, 1);
}
END_TEST

START_TEST(test_kept_block_too_small)
{
    ck_assert_ptr_nonnull(wg_arena_take(&arena, 8000, 8));
    const wg_arena_mark mark = wg_arena_height(&arena);
    ck_assert_ptr_nonnull(wg_arena_take(&arena, 10000, 8));
    wg_arena_rewind(&arena, mark);
    for (int round = 0; round < 4; round++) { /* goes, and the new one is found again */
        char *large = wg_arena_take(&arena, 5000000, 8);
        memset(large, 1, 5000000);
        ck_assert_ptr_nonnull(wg_arena_take(&arena, 10000, 8));
        wg_arena_rewind(&arena, mark);
    }
    if (WGT_ARENA_TINY)
        return;
    ck_assert_int_eq(memory.blocks, 2);
    ck_assert_int_eq(memory.calls, 3);
}
END_TEST

/* Pieces of more than half a block, of which two would not fit into one, do not take one each. */
START_TEST(test_pieces_of_most_of_a_block)
{
    size_t used = 0;
    for (int i = 0; i < 40; i++, used += 640000)
        ck_assert_ptr_nonnull(wg_arena_take(&arena, 640000, 8));
    ck_assert_uint_le(memory.bytes, used + used / 10);
}
END_TEST

/* Whatever the order of sizes, what is held is at most twice what was in use at the peak, and a
 * block. */
START_TEST(test_held_is_bounded)
{
    const wg_arena_mark empty = wg_arena_height(&arena);
    size_t peak = 0;
    for (uint64_t step = 0; step < 300; step++) {
        size_t used = 0;
        wg_arena_rewind(&arena, empty);
        for (uint64_t i = 0; i < 12; i++) {
            size_t growing = 140000 + (size_t)step * 400, small = 200;
            size_t random = (size_t)wg_random_below(1, step, i, 2000000);
            size_t size = i % 2 == 1 ? small : step < 150 ? growing : random;
            ck_assert_ptr_nonnull(wg_arena_take(&arena, size, 8));
            used += size;
        }
        peak = used > peak ? used : peak;
        ck_assert_uint_le(memory.bytes, 2 * peak + ((size_t)1 << 20));
    }
}
END_TEST

/* Steps that differ in turn, as full batches and a short last one, come to ask the allocator for
 * nothing. */
START_TEST(test_alternating_steps_settle)
{
    static const size_t size[2][3] = {{3000000, 200, 7000000}, {6000000, 200, 2500000}};
    const wg_arena_mark empty = wg_arena_height(&arena);
    int64_t calls = 0;
    for (int step = 0; step < 20; step++) {
        wg_arena_rewind(&arena, empty);
        for (int i = 0; i < 3; i++)
            ck_assert_ptr_nonnull(wg_arena_take(&arena, size[step % 2][i], 8));
        if (step == 9)
            calls = memory.calls;
    }
    ck_assert_int_eq(memory.calls, calls);
}
END_TEST

START_TEST(test_no_memory)
{
    ck_assert_ptr_null(wg_arena_take(&arena, SIZE_MAX, 64));
    memory.fail_at = memory.calls + 1;
    ck_assert_ptr_null(wg_arena_take(&arena, 8, 8));
    ck_assert_ptr_nonnull(wg_arena_take(&arena, 8, 8));
    memory.fail_at = memory.calls + 1;
    ck_assert_ptr_null(wg_arena_take(&arena, 1 << 20, 8));
    ck_assert_ptr_nonnull(wg_arena_take(&arena, 8, 8)); /* the block in use goes on */
    ck_assert_int_eq(memory.blocks, WGT_ARENA_TINY ? 2 : 1);
}
END_TEST

Suite *suite_memory(void)
{
    Suite *suite = suite_create("memory");
    TCase *cases = tcase_create("arena");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, test_default_allocator);
    tcase_add_test(cases, test_default_allocator_large);
#ifndef WG_ARENA_ASAN
    tcase_add_test(cases, test_default_allocator_without_memory);
#endif
    tcase_add_test(cases, test_large_value_has_its_own_block);
    tcase_add_test(cases, test_alignment);
    tcase_add_test(cases, test_pieces_do_not_overlap);
    tcase_add_test(cases, test_rewind_gives_the_same_memory);
    tcase_add_test(cases, test_rewind_to_nothing_twice);
    tcase_add_test(cases, test_kept_block_too_small);
    tcase_add_test(cases, test_pieces_of_most_of_a_block);
    tcase_add_test(cases, test_held_is_bounded);
    tcase_add_test(cases, test_alternating_steps_settle);
    tcase_add_test(cases, test_no_memory);
    suite_add_tcase(suite, cases);
    return suite;
}
