/* The kernels of elementwise ops against mathematics: 60 digits of tests/oracle/wide.txt. Wide ones
 * are compiled from the formulas; of f32 and f64 some are, others are written for speed. */
#include "autograd/wide.h"
#include "ops/registry.h"
#include "tests/ops/op_table.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define POINTS "tests/oracle/wide.txt"

/* Of the largest term; what an argument's rounding makes of it included: x^2 = 256 of gelu's. */
#define BOUND (WG_WIDE_BITS == 113 ? 1e-30 : 1e-17)

enum { ATTRS = 2, OPERANDS = 3 };

typedef struct point {
    char name[64];
    const wg_op *op;
    double attr[ATTRS], x[OPERANDS], y[3], term; /* the value is y[0] + y[1] + y[2] */
} point;

static int read_list(FILE *file, double *value, int most)
{
    int n = 0;
    ck_assert_int_eq(fscanf(file, "%d", &n), 1);
    ck_assert_int_le(n, most);
    for (int i = 0; i < n; i++)
        ck_assert_int_eq(fscanf(file, "%la", &value[i]), 1);
    return n;
}

/* The next line; false at the end. */
static bool read_point(FILE *file, point *p)
{
    memset(p, 0, sizeof *p);
    if (fscanf(file, "%63s", p->name) != 1)
        return false;
    p->op = wg_op_find(p->name);
    ck_assert_msg(p->op != NULL, POINTS " has %s, which is no op", p->name);
    const int attrs = read_list(file, p->attr, ATTRS), n = read_list(file, p->x, OPERANDS);
    ck_assert_uint_eq((size_t)attrs * sizeof(double), p->op->attr_size);
    ck_assert_int_eq(n, p->op->arity);
    ck_assert_int_eq(fscanf(file, "%la %la %la %la", &p->y[0], &p->y[1], &p->y[2], &p->term), 4);
    return true;
}

typedef void visit(const point *p);

static void each_point(visit *f)
{
    FILE *file = fopen(POINTS, "r");
    point p;
    int n = 0;
    ck_assert_ptr_nonnull(file);
    while (fgetc(file) != '\n') /* the comment on top */
        ;
    for (; read_point(file, &p); n++)
        f(&p);
    fclose(file);
    ck_assert_int_ge(n, 1000);
}

static const int64_t each[OPERANDS] = {1, 1, 1};

#if WG_HAS_WIDE
static void check_wide(const point *p)
{
    wg_wide x[OPERANDS], y, want = (wg_wide)p->y[0] + (wg_wide)p->y[1] + (wg_wide)p->y[2];
    for (int i = 0; i < OPERANDS; i++)
        x[i] = (wg_wide)p->x[i];
    ck_assert_msg(p->op->map[WG_WIDE] != NULL, "%s has no wide kernel", p->name);
    p->op->map[WG_WIDE](1, &y, (const void *[]){&x[0], &x[1], &x[2]}, each, p->attr);
    const double error = (double)(y < want ? want - y : y - want);
    ck_assert_msg(error <= BOUND * p->term, "%s(%a, %a, %a) is %.2g of its terms off", p->name,
                  p->x[0], p->x[1], p->x[2], error / p->term);
}

START_TEST(wide_kernels_are_right)
{
    each_point(check_wide);
}
END_TEST
#endif

/* What the walk over the table allows to the op, twice: either may be off by that. */
static double row_bound(const char *name)
{
    double ulps = 0;
    for (int i = 0; wgt_row_at(i) != NULL; i++)
        if (strcmp(wgt_row_at(i)->op, name) == 0)
            ulps = fmax(ulps, wgt_row_at(i)->ulps);
    return 2 * ulps;
}

static void expect(const point *p, const char *dtype, double got, double want, double bound)
{
    ck_assert_msg(fabs(got - want) <= bound, "%s(%a, %a, %a) in %s: %.17g, not %.17g", p->name,
                  p->x[0], p->x[1], p->x[2], dtype, got, want);
}

/* In f32 operands and attributes are rounded first: the f64 kernel has the value then. Subnormal
 * results have fewer digits. */
static void check_narrow(const point *p)
{
    if (p->op->map[WG_F64] == NULL)
        return;
    double y, attr[ATTRS], x[OPERANDS];
    float y_f32, x_f32[OPERANDS];
    const void *given[] = {&p->x[0], &p->x[1], &p->x[2]}, *rounded[] = {&x[0], &x[1], &x[2]};
    const void *narrow[] = {&x_f32[0], &x_f32[1], &x_f32[2]};
    for (int i = 0; i < OPERANDS; i++)
        x[i] = (double)(x_f32[i] = (float)p->x[i]);
    for (int i = 0; i < ATTRS; i++)
        attr[i] = (double)(float)p->attr[i];
    const double ulps = row_bound(p->name) * fmax(1, p->x[0] * p->x[0] / 4);
    p->op->map[WG_F64](1, &y, given, each, p->attr);
    expect(p, "f64", y, p->y[0], ulps * 0x1p-52 * p->term + 0x1p-1060);
    p->op->map[WG_F64](1, &y, rounded, each, attr);
    p->op->map[WG_F32](1, &y_f32, narrow, each, p->attr);
    expect(p, "f32", (double)y_f32, y, ulps * 0x1p-23 * p->term + 0x1p-135);
}

START_TEST(narrow_kernels_are_right)
{
    each_point(check_narrow);
}
END_TEST

static bool has_points(FILE *file, const char *name)
{
    char line[1024];
    const size_t length = strlen(name);
    rewind(file);
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, name, length) == 0 && line[length] == ' ')
            return true;
    return false;
}

/* An op with a row in a list has the formula "name(...) = ...". */
START_TEST(every_formula_has_points)
{
    FILE *file = fopen(POINTS, "r");
    ck_assert_ptr_nonnull(file);
    for (int i = 0; wg_op_at(i) != NULL; i++) {
        const wg_op *op = wg_op_at(i);
        const size_t length = strlen(op->name);
        if (op->formula != NULL && strncmp(op->formula, op->name, length) == 0 &&
            op->formula[length] == '(')
            ck_assert_msg(has_points(file, op->name), "%s has no points in " POINTS, op->name);
    }
    fclose(file);
}
END_TEST

Suite *suite_formulas(void)
{
    Suite *s = suite_create("formulas");
    TCase *c = tcase_create("formulas");
#if WG_HAS_WIDE
    tcase_add_test(c, wide_kernels_are_right);
#endif
    tcase_add_test(c, narrow_kernels_are_right);
    tcase_add_test(c, every_formula_has_points);
    suite_add_tcase(s, c);
    return s;
}
