/* The walk over the registry, third part: points where an op has no derivative, or a value of its
 * own by convention (the Edges in the ops' headers). The value and the rule are exactly what
 * the convention says, in f64 and in f32. Every op that is flagged to have kinks is here. */
#include "autograd/check/gradcheck.h"
#include "autograd/grad.h"
#include "ops/axes_internal.h"
#include "ops/elementwise.h"
#include "ops/layout.h"
#include "ops/registry.h"
#include "tests/ops/op_table.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define INF  ((double)INFINITY)
#define QNAN ((double)NAN)

/* ---- Elementwise ops at a point -------------------------------------------------------------- */

typedef struct point {
    const char *op;
    double k[2], x[3]; /* attributes, operands */
    double y, derivative[3];
} point;

/* clang-format off */
static const point points[] = {
    /* op               attributes  operands              value  derivatives */
    {"abs",             {0},        {0},                  0,     {0}},
    {"abs",             {0},        {-0.0},               0,     {0}},
    {"relu",            {0},        {0},                  0,     {0}},
    {"relu_grad",       {0},        {3, 0},               0,     {0, 0}},
    {"leaky_relu",      {0.25},     {0},                  0,     {0.25}},
    {"leaky_relu_grad", {0.25},     {3, 0},               0.75,  {0.25, 0}},
    {"elu",             {1.5},      {0},                  0,     {1.5}},
    {"elu_grad",        {1.5},      {2, 0},               3,     {1.5, 3}},
    {"relu6",           {0},        {0},                  0,     {0}},
    {"relu6",           {0},        {6},                  6,     {0}},
    {"selu",            {0},        {0},                  0,     {1.7580993408473766}},
    {"softsign",        {0},        {0},                  0,     {1}},
    {"softsign",        {0},        {-INF},               -1,    {0}},
    {"hardswish",       {0},        {-3},                 0,     {-0.5}},
    {"hardswish",       {0},        {3},                  3,     {1.5}},
    {"hardswish",       {0},        {-INF},               0,     {0}},
    {"hardswish",       {0},        {INF},                INF,   {1}},
    {"mish",            {0},        {-INF},               0,     {0}},
    {"mish",            {0},        {INF},                INF,   {1}},
    {"atan2",           {0},        {0.5, 0},             1.5707963267948966192, {0, -2}},
    {"atan2",           {0},        {0, 0},               0,     {QNAN, QNAN}},
    {"maximum",         {0},        {3, 3},               3,     {0.5, 0.5}},
    {"minimum",         {0},        {3, 3},               3,     {0.5, 0.5}},
    {"maximum_grad",    {0},        {3, 2, 2},            1.5,   {0.5, 0, 0}},
    {"clamp",           {-1, 2},    {-1},                 -1,    {1}},
    {"clamp",           {-1, 2},    {2},                  2,     {1}},
    {"clamp",           {-1, 2},    {2.5},                2,     {0}},
    {"clamp_grad",      {-1, 2},    {3, 2},               3,     {1, 0}},
    {"clamp_grad",      {-1, 2},    {INF, 2.5},           0,     {0, 0}},
    {"hypot",           {0},        {0, 0},               0,     {0, 0}},
    {"div_or_zero",     {0},        {3, 0},               0,     {0, 0}},
    {"div_or_zero",     {0},        {INF, 0},             0,     {0, 0}},
    {"xlogy",           {0},        {0, 0},               0,     {0, 0}},
    {"xlogy",           {0},        {0, -3},              0,     {0, 0}},
    {"pow",             {0},        {0, 0},               1,     {0, 0}},
    {"pow",             {0},        {5, 0},               1,     {0, 1.6094379124341003746}},
    {"pow",             {0},        {0, 2},               0,     {0, 0}},
    {"pow",             {0},        {0, 1},               0,     {1, 0}},
    {"pow",             {0},        {-2, 2},              4,     {-4, QNAN}},
    {"scaled_pow",      {0},        {0, 0, -1},           0,     {INF, 0, 0}},
    {"pow_scalar",           {0},        {0},                  1,     {0}},
    {"pow_scalar",           {2},        {0},                  0,     {0}},
    {"pow_scalar",           {1},        {0},                  0,     {1}},
    {"weigh",           {0},        {0, INF},             0,     {INF, 0}},
    {"where",           {0},        {1, 2, QNAN},         2,     {0, 1, 0}},
    {"where",           {0},        {0, INF, 3},          3,     {0, 0, 1}},
    {"where",           {0},        {QNAN, 2, 3},         2,     {0, 1, 0}},
    {"logaddexp",       {0},        {-INF, -INF},         -INF,  {0, 0}},
    {"logaddexp",       {0},        {INF, INF},           INF,   {0.5, 0.5}},
    {"logaddexp",       {0},        {INF, 1},             INF,   {1, 0}},
    {"sign",            {0},        {0},                  0,     {0}},
    {"floor",           {0},        {2},                  2,     {0}},
    {"ceil",            {0},        {2},                  2,     {0}},
    {"round",           {0},        {2.5},                2,     {0}},
    {"equal",           {0},        {3, 3},               1,     {0, 0}},
    {"not_equal",       {0},        {3, 3},               0,     {0, 0}},
    {"less",            {0},        {3, 3},               0,     {0, 0}},
    {"less_equal",      {0},        {3, 3},               1,     {0, 0}},
    {"greater",         {0},        {3, 3},               0,     {0, 0}},
    {"greater_equal",   {0},        {3, 3},               1,     {0, 0}},
    {"equal",           {0},        {QNAN, QNAN},         0,     {0, 0}},
    {"not_equal",       {0},        {QNAN, QNAN},         1,     {0, 0}},
    /* losses: certain rows, right and wrong */
    {"bce_with_logits", {1},        {INF, 1},             0,     {0, -INF}},
    {"bce_with_logits", {1},        {INF, 0},             INF,   {1, -INF}},
    {"bce_with_logits", {1},        {1e4, 0},             1e4,   {1, -1e4}},
    {"bce_with_logits", {1},        {-1e4, 0},            0,     {0, 1e4}},
};
/* clang-format on */

enum { POINTS = sizeof points / sizeof *points };

static wg_tensor *scalar(wg_tape *t, wg_dtype dtype, double value)
{
    wg_tensor *x = wg_param(t, NULL, dtype, WG_SCALAR);
    float narrow = (float)value;
    wg_write(x, dtype == WG_F32 ? (void *)&narrow : (void *)&value, wg_dtype_size(dtype));
    return x;
}

/* The same number in the dtype; NaN is NaN. */
static bool is_number(double got, double want, wg_dtype dtype)
{
    return got == want || (isnan(got) && isnan(want)) ||
           (dtype == WG_F32 && (float)got == (float)want);
}

static void check_point(const point *p, wg_dtype dtype)
{
    const wg_op *op = wg_op_find(p->op);
    ck_assert_msg(op != NULL, "there is no op %s", p->op);
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x[3], *g[3];
    for (int i = 0; i < op->arity; i++)
        x[i] = scalar(t, dtype, p->x[i]);
    wg_tensor *y = wg_apply(op, x, op->arity, p->k);
    wg_grad(y, x, op->arity, g);
    ck_assert_msg(wg_tape_status(t) == WG_OK, "%s: %s", p->op, wg_tape_message(t));
    ck_assert_msg(is_number(wg_item(y), p->y, dtype), "%s(%g, %g, %g) = %.17g, want %.17g", p->op,
                  p->x[0], p->x[1], p->x[2], wg_item(y), p->y);
    for (int i = 0; i < op->arity; i++)
        ck_assert_msg(is_number(wg_item(g[i]), p->derivative[i], dtype),
                      "%s(%g, %g, %g): derivative %d is %.17g, want %.17g", p->op, p->x[0], p->x[1],
                      p->x[2], i, wg_item(g[i]), p->derivative[i]);
    wg_tape_free(t);
}

START_TEST(test_points)
{
    check_point(&points[_i], WG_F64);
    check_point(&points[_i], WG_F32);
}
END_TEST

/* ---- Reductions of a vector ------------------------------------------------------------------ */

typedef struct vector_point {
    const char *op;
    double x[4], y, derivative[4]; /* derivative: of y where it is one number, of y_0 else */
} vector_point;

/* clang-format off */
static const vector_point vectors[] = {
    {"amax",        {3, 7, 7, 1},               7,     {0, 0.5, 0.5, 0}},
    {"amin",        {1, 7, 1, 1},               1,     {1.0 / 3, 0, 1.0 / 3, 1.0 / 3}},
    {"amax",        {3, QNAN, 7, 1},            QNAN,  {0, 1, 0, 0}},
    {"norm2",       {0, 0, 0, 0},               0,     {0, 0, 0, 0}},
    {"logsumexp",   {-INF, -INF, -INF, -INF},   -INF,  {0, 0, 0, 0}},
    {"logsumexp",   {INF, 1, 2, 3},             INF,   {1, 0, 0, 0}},
    {"softmax",     {-INF, -INF, -INF, -INF},   0,     {0, 0, 0, 0}},
    {"softmax",     {1e4, 0, -1e4, -INF},       1,     {0, 0, 0, 0}},
    {"log_softmax", {1e4, 0, -1e4, -1e300},     0,     {0, 0, 0, 0}},
    {"mean",        {INF, 1, 2, 3},             INF,   {0.25, 0.25, 0.25, 0.25}},
    {"sum",         {INF, -INF, 2, 3},          QNAN,  {1, 1, 1, 1}},
};
/* clang-format on */

enum { VECTORS = sizeof vectors / sizeof *vectors };

static wg_tensor *vector(wg_tape *t, wg_dtype dtype, const double *values)
{
    wg_tensor *x = wg_param(t, NULL, dtype, WG_SHAPE(4));
    for (int i = 0; i < 4; i++)
        if (dtype == WG_F32)
            ((float *)x->data)[i] = (float)values[i];
        else
            ((double *)x->data)[i] = values[i];
    return x;
}

static void check_vector(const vector_point *p, wg_dtype dtype)
{
    static const double first[4] = {1, 0, 0, 0};
    const wg_axes_attrs attrs = {1, 0};
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = vector(t, dtype, p->x), *g;
    wg_tensor *y = wg_apply(wg_op_find(p->op), &x, 1, &attrs);
    wg_tensor *one = wg_ndim(y) == 0 ? wg_ones_like(y) : vector(t, dtype, first);
    wg_vjp(y, one, &x, 1, &g);
    ck_assert_msg(wg_tape_status(t) == WG_OK, "%s: %s", p->op, wg_tape_message(t));
    ck_assert_msg(is_number(wg_at(y, 0), p->y, dtype), "%s: %.17g, want %.17g", p->op, wg_at(y, 0),
                  p->y);
    for (int i = 0; i < 4; i++)
        ck_assert_msg(is_number(wg_at(g, i), p->derivative[i], dtype),
                      "%s: derivative %d is %.17g, want %.17g", p->op, i, wg_at(g, i),
                      p->derivative[i]);
    wg_tape_free(t);
}

START_TEST(test_vectors)
{
    check_vector(&vectors[_i], WG_F64);
    check_vector(&vectors[_i], WG_F32);
}
END_TEST

/* ---- What is flagged ------------------------------------------------------------------------- */

static bool is_listed(const char *name)
{
    for (int i = 0; i < POINTS; i++)
        if (strcmp(points[i].op, name) == 0)
            return true;
    for (int i = 0; i < VECTORS; i++)
        if (strcmp(vectors[i].op, name) == 0)
            return true;
    return false;
}

START_TEST(test_every_kink_is_listed)
{
    for (int i = 0; wg_op_at(i) != NULL; i++) {
        const wg_op *op = wg_op_at(i);
        ck_assert_msg(!(op->flags & WG_OP_KINKS) || is_listed(op->name),
                      "%s has kinks, but no point in the table", op->name);
    }
}
END_TEST

/* A float op has a rule, or says that its gradient is zero. */
START_TEST(test_rules_are_declared)
{
    static const char *const whole[] = {"argmax", "argmin", "categorical",
                                        NULL}; /* results that are never floats */
    for (int i = 0; wg_op_at(i) != NULL; i++) {
        const wg_op *op = wg_op_at(i);
        bool declared = op->vjp != NULL || (op->flags & (WG_OP_ZERO_GRADIENT | WG_OP_LEAF));
        for (int k = 0; whole[k] != NULL; k++)
            declared = declared || strcmp(whole[k], op->name) == 0;
        ck_assert_msg(declared, "%s has neither a rule nor a declared zero gradient", op->name);
        ck_assert_msg(!(op->flags & WG_OP_ZERO_GRADIENT) || op->vjp == NULL,
                      "%s declares a zero gradient and has a rule", op->name);
    }
}
END_TEST

/* x detach(x): a check holds what is detached, so the derivative is detach(x) itself; and it is a
 * copy, which can be held. */
START_TEST(test_detached)
{
    wg_tape *t = wg_tape_new(NULL);
    const double values[4] = {1, -2, 3, 0.5};
    wg_tensor *x = vector(t, WG_F64, values), *held = wg_detach(x), *y = wg_mul(x, held), *g;
    ck_assert_ptr_ne(held->data, x->data);
    ck_assert_int_eq(wg_vjp(y, wg_ones_like(y), &x, 1, &g), WG_OK);
    wgt_assert_all_close(wg_data_f64(g), values, 4, 0, 0);
    ck_assert_int_eq(wg_gradcheck(y, &x, NULL, 1, NULL, NULL), WG_CHECK_PASSED);
    wg_tape_free(t);
}
END_TEST

Suite *suite_walk_kinks(void)
{
    Suite *suite = suite_create("walk_kinks");
    TCase *cases = tcase_create("kinks");
    tcase_add_loop_test(cases, test_points, 0, POINTS);
    tcase_add_loop_test(cases, test_vectors, 0, VECTORS);
    tcase_add_test(cases, test_every_kink_is_listed);
    tcase_add_test(cases, test_rules_are_declared);
    tcase_add_test(cases, test_detached);
    suite_add_tcase(suite, cases);
    return suite;
}
