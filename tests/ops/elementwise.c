#include "tests/ops/elementwise.h"

static void expect_ok(const wg_tape *t)
{
    if (wg_tape_status(t) != WG_OK)
        ck_abort_msg("%s", wg_tape_message(t));
}

static wg_tensor *leaf(wg_tape *t, double value)
{
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SCALAR);
    wg_write(x, &value, sizeof value);
    return x;
}

static wg_tensor *leaf_f32(wg_tape *t, float value)
{
    wg_tensor *x = wg_param(t, "x", WG_F32, WG_SCALAR);
    wg_write(x, &value, sizeof value);
    return x;
}

static wg_tensor *derivative(wg_tensor *y, wg_tensor *x)
{
    wg_tensor *g = NULL;
    wg_grad(y, &x, 1, &g);
    return g;
}

void wgt_unary_at(wgt_unary *f, double value, int order, double *d)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = leaf(t, value), *y = f(x);
    for (int k = 0; k <= order; k++) {
        d[k] = wg_item(y);
        if (k < order)
            y = derivative(y, x);
    }
    expect_ok(t);
    wg_tape_free(t);
}

void wgt_assert_unary(wgt_unary *f, double value, int order, const double want[])
{
    double d[8];
    wgt_unary_at(f, value, order, d);
    for (int k = 0; k <= order; k++)
        ck_assert_msg(d[k] == want[k] || (isnan(d[k]) && isnan(want[k])),
                      "derivative %d at %g is %.17g, not %.17g", k, value, d[k], want[k]);
}

void wgt_unary_f32_at(wgt_unary *f, float value, float d[2])
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = leaf_f32(t, value), *y = f(x);
    d[0] = (float)wg_item(y);
    d[1] = (float)wg_item(derivative(y, x));
    expect_ok(t);
    wg_tape_free(t);
}

void wgt_binary_at(wgt_binary *f, double a_value, double b_value, double d[7])
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *a = leaf(t, a_value), *b = leaf(t, b_value), *y = f(a, b);
    wg_tensor *ga = derivative(y, a), *gb = derivative(y, b);
    d[0] = wg_item(y);
    d[1] = wg_item(ga);
    d[2] = wg_item(gb);
    d[3] = wg_item(derivative(ga, a));
    d[4] = wg_item(derivative(gb, b));
    d[5] = wg_item(derivative(ga, b));
    d[6] = wg_item(derivative(gb, a));
    expect_ok(t);
    wg_tape_free(t);
}

void wgt_binary_f32_at(wgt_binary *f, float a_value, float b_value, float d[3])
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *a = leaf_f32(t, a_value), *b = leaf_f32(t, b_value), *y = f(a, b);
    d[0] = (float)wg_item(y);
    d[1] = (float)wg_item(derivative(y, a));
    d[2] = (float)wg_item(derivative(y, b));
    expect_ok(t);
    wg_tape_free(t);
}

static void expect_close(const char *name, double x, const char *what, double got, double want,
                         double rel)
{
    char text[WGT_TEXT];
    if (!wgt_close(got, want, rel, 0))
        ck_abort_msg("%s at %g, %s: %s", name, x, what, wgt_describe(text, WGT_TEXT, got, want));
}

void wgt_check_unary(const char *name, wgt_unary *f, wgt_closed_form *closed, const double *x,
                     int n, const double rel[4], double rel_f32)
{
    static const char *const order[] = {"value", "derivative", "second derivative",
                                        "third derivative"};
    for (int i = 0; i < n; i++) {
        long double want[4];
        double got[4];
        float got_f32[2];
        closed((long double)x[i], want);
        wgt_unary_at(f, x[i], 3, got);
        for (int k = 0; k < 4; k++)
            expect_close(name, x[i], order[k], got[k], (double)want[k], rel[k]);
        closed((long double)(float)x[i], want);
        wgt_unary_f32_at(f, (float)x[i], got_f32);
        for (int k = 0; k < 2; k++)
            expect_close(name, x[i], order[k], (double)got_f32[k], (double)want[k], rel_f32);
    }
}
