/* The walk over the registry, second part: the rule of every op, recorded in f64 and in f32,
 * against differences of its own kernel, to first and second order, and against itself: linear in
 * the cotangent, and the transpose of its transpose. What is recorded in f32 is differentiated
 * numerically through its f64 copy, and compared with it.
 *
 * Bounds. Differences are 5-point ones with h = 2^-12: their truncation is h^4/30 = 1e-16 times a
 * fifth derivative, and their round-off 1.5 * 2^-53 / h = 7e-13 times the size of what is moved.
 * They must agree to 1e-8 of the largest entry, and to 1e-11 of that size where there is nothing
 * but round-off. Identities within one precision hold to 1e-12 of the largest terms, in f32 to
 * 1e-5: about 100 roundings. f32 agrees with its f64 copy to 1e-5 of the largest entry, for the
 * same reason. */
#include "autograd/check/gradcheck.h"
#include "autograd/derivatives/derivatives.h"
#include "autograd/grad.h"
#include "autograd/tape.h"
#include "ops/arithmetic.h"
#include "ops/reduce.h"
#include "ops/registry.h"
#include "tests/ops/op_table.h"
#include "tests/support/suites.h"

#include <math.h>
#include <string.h>

enum { MOST = 64 }; /* entries of an operand or a result; larger variants are for values */

#define STEP 0x1p-12

/* A function ys of xs on a tape, in f64: one result, or a gradient for each x. */
typedef struct function {
    const char *name;
    wg_tape *t;
    wg_tensor *const *xs, *const *ys;
    int n_x, n_y;
} function;

/* A list of tensors' entries, one behind the other. */
typedef struct entries {
    long double at[WGT_OPERANDS * MOST];
    int64_t n;
} entries;

static entries entries_of(wg_tensor *const xs[], int n)
{
    entries e = {.n = 0};
    for (int k = 0; k < n; k++)
        for (int64_t i = 0; i < xs[k]->size; i++)
            e.at[e.n++] = (long double)wg_at(xs[k], i);
    return e;
}

static long double largest_of(const entries *e)
{
    long double largest = 0;
    for (int64_t i = 0; i < e->n; i++)
        largest = fmaxl(largest, fabsl(e->at[i]));
    return largest;
}

/* sum of a_i b_i; *size, if not NULL, becomes the sum of |a_i b_i| */
static long double inner(const entries *a, const entries *b, long double *size)
{
    long double sum = 0, total = 0;
    for (int64_t i = 0; i < a->n; i++) {
        sum += a->at[i] * b->at[i];
        total += fabsl(a->at[i] * b->at[i]);
    }
    if (size != NULL)
        *size = total;
    return sum;
}

static void expect_ok(const char *name, const wg_tape *t)
{
    ck_assert_msg(wg_tape_status(t) == WG_OK, "%s: %s", name, wg_tape_message(t));
}

/* |got - want| <= bound for each entry. */
static void expect_entries(const char *name, const char *what, const entries *got,
                           const entries *want, long double bound)
{
    ck_assert_msg(got->n == want->n, "%s: %s: %lld entries", name, what, (long long)got->n);
    for (int64_t i = 0; i < got->n; i++)
        ck_assert_msg(got->at[i] == want->at[i] || fabsl(got->at[i] - want->at[i]) <= bound,
                      "%s: %s: entry %lld is %.17Lg, want %.17Lg to %.3Lg", name, what,
                      (long long)i, got->at[i], want->at[i], bound);
}

static void expect_number(const char *name, const char *what, long double got, long double want,
                          long double bound)
{
    ck_assert_msg(fabsl(got - want) <= bound, "%s: %s: %.17Lg, want %.17Lg to %.3Lg", name, what,
                  got, want, bound);
}

/* ---- Differences ----------------------------------------------------------------------------- */

/* The ys at xs + t v. */
static entries values_at(const function *f, const entries *v, double t)
{
    double before[WGT_OPERANDS * MOST];
    int64_t at = 0;
    for (int k = 0, i = 0; k < f->n_x; k++) {
        double *x = wg_edit(f->xs[k]);
        for (int64_t j = 0; j < f->xs[k]->size; j++, i++) {
            before[i] = x[j];
            x[j] += t * (double)v->at[i];
        }
    }
    ck_assert_int_eq(wg_replay_to(f->ys, f->n_y), WG_OK);
    entries ys = entries_of(f->ys, f->n_y);
    for (int k = 0; k < f->n_x; k++) {
        double *x = wg_edit(f->xs[k]);
        memcpy(x, before + at, sizeof(double) * (size_t)f->xs[k]->size);
        at += f->xs[k]->size;
    }
    return ys;
}

/* J v, entry by entry. */
static entries difference_along(const function *f, const entries *v)
{
    entries right = values_at(f, v, STEP), left = values_at(f, v, -STEP);
    entries far_right = values_at(f, v, 2 * STEP), far_left = values_at(f, v, -2 * STEP);
    for (int64_t i = 0; i < right.n; i++)
        right.at[i] = (8 * (right.at[i] - left.at[i]) - (far_right.at[i] - far_left.at[i])) /
                      (12 * (long double)STEP);
    ck_assert_int_eq(wg_replay(f->t), WG_OK);
    return right;
}

/* g is the gradient of <w, f>: each entry against the difference. */
static void expect_gradient(const function *f, const char *what, const entries *w, const entries *g)
{
    long double noise;
    entries v = {.n = g->n}, want = {.n = g->n}, ys = entries_of(f->ys, f->n_y);
    inner(w, &ys, &noise);
    for (int64_t i = 0; i < g->n; i++) {
        v.at[i] = 1;
        entries column = difference_along(f, &v);
        want.at[i] = inner(w, &column, NULL);
        v.at[i] = 0;
    }
    expect_entries(f->name, what, g, &want, 1e-8L * largest_of(&want) + 1e-11L * noise);
}

/* ---- What is recorded: y and all that is derived from it ------------------------------------- */

/* w: a cotangent of y; v: a tangent, one tensor an x; g = J'w, Jv. */
typedef struct derived {
    const char *name;
    wg_tape *t;
    int n;
    wg_tensor *y, *w, *Jv, *x[WGT_OPERANDS], *v[WGT_OPERANDS], *g[WGT_OPERANDS];
} derived;

static derived derive(const wgt_case *c)
{
    derived d = {.name = c->name, .t = c->tape, .n = c->n_x, .y = c->y};
    memcpy(d.x, c->x, sizeof d.x);
    d.w = wgt_draw_like(d.y, "w", 50);
    for (int k = 0; k < d.n; k++)
        d.v[k] = wgt_draw_like(d.x[k], "v", 60 + (uint64_t)k);
    wg_vjp(d.y, d.w, d.x, d.n, d.g);
    d.Jv = wg_jvp(d.y, d.x, d.v, d.n);
    expect_ok(d.name, d.t);
    for (int k = 0; k < d.n; k++)
        ck_assert_msg(wg_shape_same(&d.g[k]->shape, &d.x[k]->shape), "%s: shape of gradient %d",
                      d.name, k);
    ck_assert_msg(wg_shape_same(&d.Jv->shape, &d.y->shape), "%s: shape of Jv", d.name);
    return d;
}

static derived twin_of(const derived *d, wg_tape *copy)
{
    derived twin = {.name = d->name, .t = copy, .n = d->n};
    twin.y = wg_tape_counterpart(copy, d->y);
    twin.w = wg_tape_counterpart(copy, d->w);
    twin.Jv = wg_tape_counterpart(copy, d->Jv);
    for (int k = 0; k < d->n; k++) {
        twin.x[k] = wg_tape_counterpart(copy, d->x[k]);
        twin.v[k] = wg_tape_counterpart(copy, d->v[k]);
        twin.g[k] = wg_tape_counterpart(copy, d->g[k]);
    }
    expect_ok(d->name, copy);
    return twin;
}

/* ---- The rule against itself ----------------------------------------------------------------- */

/* <w, Jv> = <J'w, v>, with J as the VJP of the VJP */
static void check_transposition(const derived *d, long double bound)
{
    entries w = entries_of(&d->w, 1), Jv = entries_of(&d->Jv, 1);
    entries g = entries_of(d->g, d->n), v = entries_of(d->v, d->n);
    long double left, right, sum = inner(&w, &Jv, &left), other = inner(&g, &v, &right);
    expect_number(d->name, "<w, Jv> = <J'w, v>", sum, other, bound * fmaxl(left, right));
}

/* J'(a w + b u) = a J'w + b J'u */
static void check_linearity(const derived *d, long double bound)
{
    const double a = -0.75, b = 1.5;
    wg_tensor *u = wgt_draw_like(d->y, "u", 70), *both = wgt_draw_like(d->y, "both", 71);
    for (int64_t i = 0; i < u->size; i++) {
        double value = a * wg_at(d->w, i) + b * wg_at(u, i);
        if (u->dtype == WG_F32)
            ((float *)both->data)[i] = (float)value;
        else
            ((double *)both->data)[i] = value;
    }
    wg_tensor *gu[WGT_OPERANDS], *sum[WGT_OPERANDS];
    wg_vjp(d->y, u, d->x, d->n, gu);
    wg_vjp(d->y, both, d->x, d->n, sum);
    expect_ok(d->name, d->t);
    entries got = entries_of(sum, d->n), g = entries_of(d->g, d->n), other = entries_of(gu, d->n);
    long double size = fmaxl(largest_of(&g), largest_of(&other));
    for (int64_t i = 0; i < g.n; i++)
        g.at[i] = (long double)a * g.at[i] + (long double)b * other.at[i];
    expect_entries(d->name, "linearity of the rule", &got, &g, bound * 2 * size);
}

/* ---- The rule against differences, in f64 ---------------------------------------------------- */

static void check_first_order(const derived *d)
{
    const function f = {d->name, d->t, d->x, &d->y, d->n, 1};
    entries w = entries_of(&d->w, 1), g = entries_of(d->g, d->n), v = entries_of(d->v, d->n);
    entries y = entries_of(&d->y, 1), Jv = entries_of(&d->Jv, 1), size = Jv;
    entries numeric = difference_along(&f, &v);
    long double left, right, noise, sum = inner(&w, &numeric, &left), other = inner(&g, &v, &right);
    inner(&w, &y, &noise);
    expect_number(d->name, "<w, Jv> = <J'w, v>, Jv by differences", sum, other,
                  1e-8L * fmaxl(left, right) + 1e-11L * noise);
    expect_entries(d->name, "Jv", &Jv, &numeric,
                   1e-8L * largest_of(&size) + 1e-11L * largest_of(&y));
    expect_gradient(&f, "gradient", &w, &g);
}

/* <J'w, v> as a function of the xs, by the gradient's own derivative and by differences of the
 * gradient. */
static void check_second_order(const derived *d)
{
    const function f = {d->name, d->t, d->x, d->g, d->n, d->n};
    wg_tensor *h[WGT_OPERANDS];
    wg_vjp_many(d->g, d->v, d->n, d->x, d->n, h);
    expect_ok(d->name, d->t);
    entries v = entries_of(d->v, d->n), second = entries_of(h, d->n);
    expect_gradient(&f, "second derivative", &v, &second);
}

/* The project's own checker passes it, too. A derivative that is zero it rightly calls vacuous,
 * and one that is nothing but round-off, as that of hypot(x, x)', that or unresolved. */
static void expect_passed(const derived *d, const char *what, const wg_check_report *reports,
                          wg_tensor *const gs[])
{
    for (int k = 0; k < d->n; k++) {
        entries g = entries_of(gs + k, 1);
        wg_check_verdict verdict = reports[k].verdict;
        long double largest = largest_of(&g);
        bool nothing = (verdict == WG_CHECK_VACUOUS || verdict == WG_CHECK_UNRESOLVED) &&
                       largest < 1e-14L;
        ck_assert_msg(verdict == WG_CHECK_PASSED || nothing, "%s: %s of operand %d: %s", d->name,
                      what, k, wg_check_verdict_name(verdict));
    }
}

static void check_by_checker(const derived *d)
{
    const wg_gradcheck_options along = {.directions = 3};
    wg_check_report reports[WGT_OPERANDS];
    wg_tensor *h[WGT_OPERANDS], *s = wg_sum(wg_mul(d->y, d->w));
    wg_gradcheck(d->y, d->x, NULL, d->n, NULL, reports);
    expect_passed(d, "wg_gradcheck", reports, d->g);
    wg_gradcheck(d->y, d->x, NULL, d->n, &along, reports);
    expect_passed(d, "wg_gradcheck along directions", reports, d->g);
    wg_vjp_many(d->g, d->v, d->n, d->x, d->n, h);
    wg_gradcheck_second(s, d->x, d->n, NULL, reports);
    expect_passed(d, "wg_gradcheck_second", reports, h);
    expect_ok(d->name, d->t);
}

static bool has_entries(const derived *d)
{
    entries x = entries_of(d->x, d->n);
    return x.n > 0 && d->y->size > 0;
}

static void check_f64(const derived *d)
{
    check_transposition(d, 1e-12L);
    check_linearity(d, 1e-12L);
    if (d->y->op->flags & WG_OP_DETACHED || !has_entries(d))
        return; /* a detached value moves with x, and its gradient is 0 all the same */
    check_first_order(d);
    check_second_order(d);
    check_by_checker(d);
}

/* ---- f32 against its copy -------------------------------------------------------------------- */

static void expect_like(const char *name, const char *what, wg_tensor *const got[],
                        wg_tensor *const want[], int n, long double size)
{
    entries narrow = entries_of(got, n), wide = entries_of(want, n);
    expect_entries(name, what, &narrow, &wide, 1e-5L * fmaxl(size, largest_of(&wide)));
}

/* Jv is a sum of products of derivatives and tangents: what is left of larger ones is no more
 * exact. */
static void check_copied(const derived *d)
{
    wg_tape *copy = wg_tape_copy(d->t, WG_F64);
    derived wide = twin_of(d, copy);
    ck_assert_msg(wide.y->dtype == WG_F64, "%s: the f64 copy is of %s", d->name,
                  wg_dtype_name(wide.y->dtype));
    entries g = entries_of(wide.g, d->n), v = entries_of(wide.v, d->n);
    expect_like(d->name, "value against the copy's", &d->y, &wide.y, 1, 0);
    expect_like(d->name, "gradient against the copy's", d->g, wide.g, d->n, 0);
    expect_like(d->name, "Jv against the copy's", &d->Jv, &wide.Jv, 1,
                largest_of(&g) * largest_of(&v));
    check_f64(&wide);
    wg_tape_free(copy);
}

/* ---- The walk -------------------------------------------------------------------------------- */

static bool is_small(const wgt_case *c)
{
    bool small = c->y->size <= MOST;
    for (int k = 0; k < c->n; k++)
        small = small && c->operand[k]->size <= MOST;
    return small;
}

static bool has_derivatives(const wgt_case *c)
{
    return c->n_x > 0 && c->y->dtype != WG_I64 && is_small(c);
}

static void walk(const wgt_row *row, wg_dtype dtype)
{
    for (const wgt_variant *v = wgt_variants(row); v->shapes != NULL; v++) {
        wgt_case c = wgt_case_new(row, v, dtype);
        if (has_derivatives(&c)) {
            bool narrow = dtype == WG_F32 || c.y->dtype == WG_F32;
            derived d = derive(&c);
            if (narrow) {
                check_transposition(&d, 1e-5L);
                check_linearity(&d, 1e-5L);
                check_copied(&d);
            } else
                check_f64(&d);
        }
        wgt_case_free(&c);
    }
}

START_TEST(test_derivatives_f64)
{
    walk(wgt_row_at(_i), WG_F64);
}
END_TEST

START_TEST(test_derivatives_f32)
{
    walk(wgt_row_at(_i), WG_F32);
}
END_TEST

Suite *suite_walk_derivatives(void)
{
    Suite *suite = suite_create("walk_derivatives");
    TCase *cases = tcase_create("derivatives");
    tcase_add_loop_test(cases, test_derivatives_f64, 0, wgt_row_count());
    tcase_add_loop_test(cases, test_derivatives_f32, 0, wgt_row_count());
    suite_add_tcase(suite, cases);
    return suite;
}
