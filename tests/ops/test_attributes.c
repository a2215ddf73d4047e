/* Attributes that no builder would give: whoever calls wg_apply may. Every op of the registry, on
 * the operands of its test rows, takes what is wrong as an error on the tape, and reads nothing
 * that is not its operands' (the sanitizers see that). */
#include <string.h>

#include "autograd/grad.h"
#include "tests/ops/op_table.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

enum { HOSTILE_BYTES = 512, HOSTILE_ROUNDS = 40 };

static uint64_t hostile_seed;

static uint64_t hostile_next(void)
{
    hostile_seed = hostile_seed * 6364136223846793005u + 1442695040888963407u;
    return hostile_seed >> 33;
}

/* A number that an index, a size, a mask or a dtype should not be, or that it might be. None is a
 * size that could be had, and would take long to fill. */
static int64_t hostile_number(void)
{
    static const int64_t numbers[] = {-1, 0, 1, 2, 3, 8, 9, INT64_MIN, INT64_MAX, INT64_C(1) << 50};
    return numbers[hostile_next() % (sizeof numbers / sizeof *numbers)];
}

/* Some words of the op's own attributes become other numbers; of 4 bytes where they stay small. */
static void hostile_attributes(const wg_tensor *y, unsigned char *attrs)
{
    const size_t size = y->op->attr_size;
    memcpy(attrs, y->attrs, size);
    for (int changes = 1 + (int)(hostile_next() % 3); changes > 0; changes--) {
        const int64_t number = hostile_number();
        const int32_t half = (int32_t)(hostile_next() % 10);
        const size_t at = (size_t)(hostile_next() % ((size + 7) / 8)) * 8;
        if (at + 8 <= size && hostile_next() % 2)
            memcpy(attrs + at, &number, 8);
        else
            memcpy(attrs + at, &half, 4);
    }
}

/* Records the op with other attributes, and what comes of it with its gradient. */
static void hostile_apply(wgt_case *c)
{
    unsigned char attrs[HOSTILE_BYTES];
    const wg_mark mark = wg_tape_mark(c->tape);
    hostile_attributes(c->y, attrs);
    wg_tensor *y = wg_apply(c->y->op, c->operand, c->n, attrs), *g[WGT_OPERANDS];
    if (wg_tape_status(c->tape) == WG_OK && wg_size(y) < 1 << 16 && c->n_x > 0 &&
        (y->dtype == WG_F32 || y->dtype == WG_F64))
        wg_vjp(y, wg_ones_like(y), c->x, c->n_x, g);
    ck_assert_ptr_nonnull(y);
    wg_tape_rewind(c->tape, mark);
}

START_TEST(test_hostile_attributes)
{
    const wgt_row *row = wgt_row_at(_i);
    for (const wgt_variant *v = wgt_variants(row); v->shapes != NULL; v++) {
        wgt_case c = wgt_case_new(row, v, WG_F64);
        hostile_seed = (uint64_t)_i;
        ck_assert_uint_le(c.y->op->attr_size, HOSTILE_BYTES);
        for (int round = 0; c.y->op->attr_size >= 4 && round < HOSTILE_ROUNDS; round++)
            hostile_apply(&c);
        wgt_case_free(&c);
    }
}
END_TEST

Suite *suite_attributes(void)
{
    Suite *s = suite_create("attributes");
    TCase *tc = tcase_create("attributes");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, test_hostile_attributes, 0, wgt_row_count());
    suite_add_tcase(s, tc);
    return s;
}
