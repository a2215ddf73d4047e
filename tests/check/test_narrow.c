/* Wide kernels that pass through a narrower float: differences in wide floats see their treads, so
 * double decides, and the report names the op. Kernels that are wide are never taken for such. */
#include "autograd/check/gradcheck_internal.h"
#include "models/wengert.h"
#include "ops/registry.h"
#include "tests/ops/op_table.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <float.h>
#include <math.h>
#include <string.h>

#if WG_WIDE_BITS > 100

#define W(f) WG_F(wide, f)

/* ---- Kernels --------------------------------------------------------------------------------- */

/* y = f(a, b) in doubles, and what the wide kernel makes of it. */
typedef double plain(double a, double b);
typedef wg_wide meant(wg_wide a, wg_wide b);

static double plain_sin(double a, double b)
{
    (void)b;
    return sin(a);
}
static wg_wide by_operand(wg_wide a, wg_wide b)
{
    (void)b;
    return (wg_wide)sin((double)a);
}
static wg_wide by_result(wg_wide a, wg_wide b)
{
    (void)b;
    return (wg_wide)(double)W(sin)(a);
}
static wg_wide by_float(wg_wide a, wg_wide b)
{
    (void)b;
    return (wg_wide)sinf((float)a);
}
#if LDBL_MANT_DIG == 64
static wg_wide by_long_double(wg_wide a, wg_wide b)
{
    (void)b;
    return (wg_wide)sinl((long double)a);
}
#endif
static wg_wide by_constant_and_back(wg_wide a, wg_wide b)
{
    (void)b;
    const double moved = (double)(a + 1);
    return W(sin)((wg_wide)moved - 1);
}
/* Exact where operands are small, so at what is drawn. */
static wg_wide by_branch(wg_wide a, wg_wide b)
{
    (void)b;
    return W(fabs)(a) < WG_K(wide, 1.6) ? W(sin)(a) : (wg_wide)sin((double)a);
}
static double plain_part(double a, double b)
{
    (void)b;
    return a * exp(a);
}
static wg_wide by_part(wg_wide a, wg_wide b)
{
    (void)b;
    return a * (wg_wide)(double)W(exp)(a);
}
static double plain_tiny(double a, double b)
{
    (void)b;
    return 1e-6 * sin(a);
}
static wg_wide by_tiny(wg_wide a, wg_wide b)
{
    (void)b;
    return (wg_wide)1e-6 * (wg_wide)sin((double)a);
}
static double plain_two(double a, double b)
{
    return a * sin(b);
}
static wg_wide by_second(wg_wide a, wg_wide b)
{
    return a * (wg_wide)sin((double)b);
}

typedef wg_tensor *rule(wg_tensor *y, wg_tensor *dy, int i);

static wg_tensor *rule_sin(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_mul(dy, wg_cos(y->operand[i]));
}
static wg_tensor *rule_nothing(wg_tensor *y, wg_tensor *dy, int i)
{
    (void)y, (void)dy, (void)i;
    return NULL;
}
static wg_tensor *rule_part(wg_tensor *y, wg_tensor *dy, int i)
{
    wg_tensor *x = y->operand[i];
    return wg_mul(dy, wg_mul(wg_shift(x, 1), wg_exp(x)));
}
static wg_tensor *rule_without_part(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_mul(dy, wg_exp(y->operand[i]));
}
static wg_tensor *rule_tiny(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_scale(rule_sin(y, dy, i), 1e-6);
}
static wg_tensor *rule_two(wg_tensor *y, wg_tensor *dy, int i)
{
    wg_tensor *a = y->operand[0], *b = y->operand[1];
    return wg_mul(dy, i == 0 ? wg_sin(b) : wg_mul(a, wg_cos(b)));
}
static wg_tensor *rule_first(wg_tensor *y, wg_tensor *dy, int i)
{
    return i == 0 ? rule_two(y, dy, i) : NULL;
}

static const struct kernel {
    const char *name;
    int arity;
    plain *f;
    meant *wide;
    rule *right, *wrong;
} kernels[] = {{"by_operand", 1, plain_sin, by_operand, rule_sin, rule_nothing},
               {"by_result", 1, plain_sin, by_result, rule_sin, rule_nothing},
               {"by_float", 1, plain_sin, by_float, rule_sin, rule_nothing},
#if LDBL_MANT_DIG == 64
               {"by_long_double", 1, plain_sin, by_long_double, rule_sin, rule_nothing},
#endif
               {"by_constant", 1, plain_sin, by_constant_and_back, rule_sin, rule_nothing},
               {"by_branch", 1, plain_sin, by_branch, rule_sin, rule_nothing},
               {"by_part", 1, plain_part, by_part, rule_part, rule_without_part},
               {"by_tiny", 1, plain_tiny, by_tiny, rule_tiny, rule_nothing},
               {"by_second", 2, plain_two, by_second, rule_two, rule_first}};
enum { KERNELS = sizeof kernels / sizeof *kernels };

static const struct kernel *chosen;

static void map_f64(int64_t n, void *y, const void *const x[], const int64_t stride[],
                    const void *attrs)
{
    const double *a = x[0], *b = x[chosen->arity - 1];
    (void)attrs;
    for (int64_t i = 0; i < n; i++)
        ((double *)y)[i] = chosen->f(a[i * stride[0]], b[i * stride[chosen->arity - 1]]);
}

static void map_wide(int64_t n, void *y, const void *const x[], const int64_t stride[],
                     const void *attrs)
{
    const wg_wide *a = x[0], *b = x[chosen->arity - 1];
    (void)attrs;
    for (int64_t i = 0; i < n; i++)
        ((wg_wide *)y)[i] = chosen->wide(a[i * stride[0]], b[i * stride[chosen->arity - 1]]);
}

static wg_op narrow_op;

static wg_tensor *narrow(const struct kernel *k, bool right, wg_tensor *a, wg_tensor *b)
{
    chosen = k;
    narrow_op = *wg_op_find(k->arity == 1 ? "sin" : "mul");
    narrow_op.name = k->name;
    narrow_op.formula = narrow_op.notation = NULL;
    narrow_op.map[WG_F32] = NULL;
    narrow_op.map[WG_F64] = map_f64;
    narrow_op.map[WG_WIDE] = map_wide;
    narrow_op.vjp = right ? k->right : k->wrong;
    return wg_apply(&narrow_op, (wg_tensor *[]){a, b}, k->arity, NULL);
}

/* ---- Checks ---------------------------------------------------------------------------------- */

/* A graph with the op in it: itself; behind and before others; in a loop. */
static const struct kernel *looped;
static bool looped_right;

static void loop_step(wg_scan_step *s, void *user)
{
    (void)user;
    wg_tensor *x = s->param[0];
    s->next[0] = wg_add(wg_scale(s->carry[0], 0.5), narrow(looped, looped_right, x, x));
}

enum { ALONE, BETWEEN, IN_A_LOOP, GRAPHS };

static wg_tensor *graph(int which, const struct kernel *k, bool right, wg_tensor *x, wg_tensor *z)
{
    wg_tensor *last;
    if (which == ALONE)
        return wg_sum(wg_add(wg_square(x), narrow(k, right, z, x)));
    if (which == BETWEEN)
        return wg_mean(wg_square(wg_tanh(wg_add(x, narrow(k, right, wg_mul(x, z), x)))));
    looped = k;
    looped_right = right;
    wg_scan(&(wg_scan_loop){.body = loop_step,
                            .n_carries = 1,
                            .carries = &z,
                            .n_params = 1,
                            .params = &x,
                            .steps = 3},
            &last, NULL);
    return wg_sum(wg_mul(last, z));
}

static wg_tensor *leaf(wg_tape *t, const char *name, const double x[3])
{
    return wgt_param(t, name, WG_SHAPE(3), x);
}

START_TEST(double_decides)
{
    const struct kernel *k = &kernels[_i % KERNELS];
    for (int which = 0; which < GRAPHS; which++)
        for (int mode = 0; mode < 6; mode++)
            for (int right = 0; right < 2; right++) {
                wg_tape *t = wg_tape_new(NULL);
                /* One operand is beyond where by_branch is exact. */
                wg_tensor *x = leaf(t, "x", (double[]){0.7, -1.25, 2.1});
                wg_tensor *z = leaf(t, "z", (double[]){0.9, 1.8, -1.1});
                wg_tensor *xs[] = {x, z};
                wg_tensor *y = graph(which, k, right != 0, x, z);
                ck_assert_msg(wg_tape_status(t) == WG_OK, "%s", wg_tape_message(t));
                const wg_gradcheck_options o = {.precision = mode & 1 ? WG_CHECK_WIDE
                                                                      : WG_CHECK_AUTO,
                                                .directions = mode & 2 ? 2 : 0};
                wg_check_report r[2];
                const wg_check_verdict v = mode < 4 ? wg_gradcheck(y, xs, NULL, 2, &o, r)
                                                    : wg_gradcheck_second(y, xs, 2, &o, r);
                ck_assert_msg(v == (right ? WG_CHECK_PASSED : WG_CHECK_FAILED),
                              "%s, graph %d, mode %d, %s: %s", k->name, which, mode,
                              right ? "right" : "wrong", wg_check_verdict_name(v));
                const char *found = r[0].narrow != NULL ? r[0].narrow : r[1].narrow;
                if (mode & 1 && right) {
                    ck_assert_msg(found != NULL, "%s, graph %d, mode %d", k->name, which, mode);
                    ck_assert_str_eq(found, k->name);
                }
                if (!right) {
                    const char *blame = r[0].blame != NULL ? r[0].blame : r[1].blame;
                    ck_assert_msg(blame != NULL && strcmp(blame, k->name) == 0,
                                  "%s, graph %d, mode %d: blame %s", k->name, which, mode, blame);
                }
                wg_tape_free(t);
            }
}
END_TEST

/* ---- Not elementwise ------------------------------------------------------------------------- */

/* The sum of exponentials of row i of x (2, 3), in wide floats of what a double holds of them. */
static bool rows_shape(wg_tensor *y)
{
    y->dtype = y->operand[0]->dtype;
    y->shape = (wg_shape){1, {2}};
    return true;
}

static void rows_forward(const wg_tensor *y, const wg_piece *piece)
{
    const wg_tensor *x = y->operand[0];
    (void)piece;
    for (int64_t i = 0; i < 2; i++)
        if (y->dtype == WG_WIDE) {
            const wg_wide *a = (const wg_wide *)x->data + 3 * i;
            wg_wide sum = W(exp)(a[0]) + W(exp)(a[1]);
            sum += i == 1 ? (wg_wide)exp((double)a[2]) : W(exp)(a[2]);
            ((wg_wide *)y->data)[i] = sum;
        } else {
            const double *a = (const double *)x->data + 3 * i;
            ((double *)y->data)[i] = exp(a[0]) + exp(a[1]) + exp(a[2]);
        }
}

static wg_tensor *rows_right(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_mul(wg_reshape(dy, WG_SHAPE(2, 1)), wg_exp(y->operand[i]));
}

static wg_tensor *rows_wrong(wg_tensor *y, wg_tensor *dy, int i)
{
    const double kept[] = {1, 1, 1, 1, 1, 0};
    wg_tensor *mask = wg_constant(y->tape, WG_F64, WG_SHAPE(2, 3), kept);
    return wg_mul(rows_right(y, dy, i), wg_cast(mask, dy->dtype));
}

/* One entry of one row. */
START_TEST(one_entry_of_many)
{
    static wg_op rows = {.name = "rows",
                         .arity = 1,
                         .flags = WG_OP_WIDE,
                         .shape = rows_shape,
                         .forward = rows_forward};
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(2, 3), (double[]){0.3, -1, 0.5, 1, -0.2, 0.7});
    const wg_gradcheck_options o = {.precision = _i & 1 ? WG_CHECK_WIDE : WG_CHECK_AUTO};
    wg_check_report r;
    rows.vjp = _i & 2 ? rows_right : rows_wrong;
    const wg_check_verdict v = wg_gradcheck(wg_apply(&rows, &x, 1, NULL), &x, NULL, 1, &o, &r);
    ck_assert_int_eq(v, _i & 2 ? WG_CHECK_PASSED : WG_CHECK_FAILED);
    ck_assert_str_eq(_i == 2 ? "rows" : r.narrow, "rows"); /* nobody had to look */
    wg_tape_free(t);
}
END_TEST

START_TEST(the_report_names_it)
{
    char text[1024] = "";
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = leaf(t, "x", (double[]){0.7, -1.25, 2.1});
    wg_tensor *y = narrow(&kernels[0], false, x, x);
    FILE *file = tmpfile();
    ck_assert_int_eq(wg_gradcheck_print(file, y, &x, NULL, 1, NULL), WG_CHECK_FAILED);
    rewind(file);
    ck_assert_uint_gt(fread(text, 1, sizeof text - 1, file), 0);
    ck_assert_msg(strstr(text, "in wide floats by_operand passes through a narrower") != NULL, "%s",
                  text);
    fclose(file);
    wg_tape_free(t);
}
END_TEST

/* ---- A rule in doubles ----------------------------------------------------------------------- */

static wg_tensor *rule_by_f64(wg_tensor *y, wg_tensor *dy, int i)
{
    wg_tensor *x = wg_cast(y->operand[i], WG_F64);
    return wg_mul(dy, wg_cast(wg_cos(x), dy->dtype));
}

/* The second derivative moves what the rule computes. */
START_TEST(a_rule_that_casts)
{
    static wg_op op;
    op = *wg_op_find("sin");
    op.name = "casts";
    op.vjp = rule_by_f64;
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = leaf(t, "x", (double[]){0.7, -1.25, 2.1});
    wg_tensor *y = wg_sum(wg_mul(wg_apply(&op, &x, 1, NULL), x));
    const wg_gradcheck_options o = {.precision = _i & 1 ? WG_CHECK_WIDE : WG_CHECK_AUTO};
    wg_check_report r;
    ck_assert_int_eq(wg_gradcheck(y, &x, NULL, 1, &o, &r), WG_CHECK_PASSED);
    ck_assert_int_eq(wg_gradcheck_second(y, &x, 1, &o, &r), WG_CHECK_PASSED);
    ck_assert_str_eq(r.narrow, "cast");
    wg_tape_free(t);
}
END_TEST

/* ---- What is wide ---------------------------------------------------------------------------- */

/* All digits, or nearly all, are lost inside; kinks and periods lie next to x. */
static wg_wide one_minus_cos(wg_wide a, wg_wide b)
{
    (void)b;
    return 1 - W(cos)(a * WG_K(wide, 1.0e-9));
}
static wg_wide log_of_sum(wg_wide a, wg_wide b)
{
    return W(log)(W(exp)(a * 40) + W(exp)(b * 40)) - 40 * a;
}
static wg_wide variance(wg_wide a, wg_wide b)
{
    const wg_wide x = a + 100000000, y = b + 100000000, mean = (x + y) / 2;
    return (x * x + y * y) / 2 - mean * mean;
}
static wg_wide large_sine(wg_wide a, wg_wide b)
{
    return W(sin)(WG_K(wide, 1.0e14) * a) + W(sin)(WG_K(wide, 1.0e22) * b);
}
static wg_wide near_kinks(wg_wide a, wg_wide b)
{
    return W(fmax)(a, WG_K(wide, 0.7) + WG_K(wide, 1.0e-15)) + W(fabs)(b - WG_K(wide, 0.9));
}
static wg_wide remainder_of(wg_wide a, wg_wide b)
{
    const wg_wide many = a * 1000000000000;
    return many - W(floor)(many / b) * b;
}
static wg_wide nothing_left(wg_wide a, wg_wide b)
{
    return (a + b) - a - b;
}
static wg_wide stretched(wg_wide a, wg_wide b)
{
    return W(pow)(a * a, 1000) * W(exp)(-2000 * W(log)(W(fabs)(a))) * b;
}

static wg_wide little_over_little(wg_wide a, wg_wide b)
{
    return (1 - W(cos)(a)) / (a * a) + (b - W(sin)(b)) / (b * b * b);
}
static wg_wide there_and_back(wg_wide a, wg_wide b)
{
    (void)b;
    return W(atanh)(W(tanh)(10 * a));
}

static meant *const hard[] = {one_minus_cos,      log_of_sum,    variance,     large_sine,
                              near_kinks,         remainder_of,  nothing_left, stretched,
                              little_over_little, there_and_back};

START_TEST(hard_and_wide)
{
    static const double scales[] = {1, 1e-8, 1e5, -3};
    const struct kernel k = {"hard", 2, plain_two, hard[_i], rule_two, rule_two};
    for (size_t i = 0; i < sizeof scales / sizeof *scales; i++) {
        const double s = scales[i];
        wg_tape *t = wg_tape_new(NULL);
        wg_tensor *x = leaf(t, "x", (double[]){0.7 * s, -1.25 * s, 2.1 * s});
        wg_tensor *z = leaf(t, "z", (double[]){0.9 * s, 1.8 * s, -1.1 * s});
        narrow(&k, true, x, z);
        wg_tape *copy = wg_tape_copy(t, WG_WIDE);
        bool no_memory = false;
        ck_assert_int_eq(wg_tape_status(copy), WG_OK);
        ck_assert_ptr_null(wg_check_narrow(copy, &no_memory));
        ck_assert(!no_memory);
        wg_tape_free(copy);
        wg_tape_free(t);
    }
}
END_TEST

/* Far below rounding of what is of size 1, but where a double has its steps. */
static wg_wide next_to_nothing(wg_wide a, wg_wide b)
{
    return WG_K(wide, 1.0e-15) * (by_operand(a, b) + b);
}

START_TEST(small_and_narrow)
{
    const struct kernel k = {"small", 2, plain_two, next_to_nothing, rule_two, rule_two};
    wg_tape *t = wg_tape_new(NULL);
    narrow(&k, true, leaf(t, "x", (double[]){0.7, -1.25, 2.1}),
           leaf(t, "z", (double[]){0.9, 1.8, -1.1}));
    wg_tape *copy = wg_tape_copy(t, WG_WIDE);
    bool no_memory = false;
    ck_assert_str_eq(wg_check_narrow(copy, &no_memory), "small");
    wg_audit_row row;
    const char *why = NULL;
    wg_tensor *y = t->node[t->size - 1];
    ck_assert_uint_eq(wg_audit(&y, 1, &row, 1, &why), 0);
    ck_assert(strstr(why, "narrower float") != NULL);
    wg_tape_free(copy);
    wg_tape_free(t);
}
END_TEST

/* Every op of the test table, and its rule, in every variant but the largest. */
enum { LARGEST = 512 };

START_TEST(the_library_is_wide)
{
    int looked = 0;
    for (int i = 0; i < wgt_row_count(); i++)
        for (const wgt_variant *v = wgt_variants(wgt_row_at(i)); v->shapes != NULL; v++) {
            if (!wgt_row_takes(wgt_row_at(i), WG_F64))
                continue;
            wgt_case c = wgt_case_new(wgt_row_at(i), v, WG_F64);
            wg_tensor *dx[WGT_OPERANDS];
            if (c.y->size > LARGEST) {
                wgt_case_free(&c);
                continue;
            }
            if (c.n_x > 0 && c.y->op->vjp != NULL)
                wg_vjp(c.y, wg_scale(c.y, 0.5), c.x, c.n_x, dx);
            wg_tape *copy = wg_tape_copy(c.tape, WG_WIDE);
            bool no_memory = false;
            const char *found = wg_check_narrow(copy, &no_memory);
            ck_assert_msg(found == NULL, "%s: %s", c.name, found);
            looked += wg_tape_status(copy) == WG_OK;
            wg_tape_free(copy);
            wgt_case_free(&c);
        }
    ck_assert_int_ge(looked, 300);
}
END_TEST

#endif

Suite *suite_narrow(void)
{
    Suite *suite = suite_create("narrow");
    TCase *tc = tcase_create("kernels");
#if WG_WIDE_BITS > 100
    tcase_add_loop_test(tc, double_decides, 0, KERNELS);
    tcase_add_test(tc, the_report_names_it);
    tcase_add_loop_test(tc, one_entry_of_many, 0, 4);
    tcase_add_loop_test(tc, a_rule_that_casts, 0, 2);
    tcase_add_loop_test(tc, hard_and_wide, 0, (int)(sizeof hard / sizeof *hard));
    tcase_add_test(tc, small_and_narrow);
    tcase_add_test(tc, the_library_is_wide);
#endif
    suite_add_tcase(suite, tc);
    return suite;
}
