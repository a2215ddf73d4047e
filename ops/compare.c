/* compare.c: comparisons and selection (rows in compare.inc), and conversion between dtypes. */
#include "ops/compare.h"
#include "autograd/compile/c_writer.h"

#include "ops/elementwise_internal.h"

#include <inttypes.h>
#include <stddef.h>

static wg_tensor *where_zero(const wg_tensor *y)
{
    return wg_scalar(y->tape, y->dtype, 0);
}

#include "ops/elementwise_rows.inc"

#include "ops/compare.inc"

/* A condition of another dtype is compared with 0 in its own: a cast alone would take 1e-300 for 0
 * in f32, 0.5 for 0 in i64, and would not take NaN. */
wg_tensor *wg_where(wg_tensor *c, wg_tensor *a, wg_tensor *b)
{
    if (!wg_is_inert(c) && !wg_is_inert(a) && c->dtype != a->dtype)
        c = wg_cast(wg_not_equal(c, where_zero(c)), a->dtype);
    return wg_apply(&wg_op_where, (wg_tensor *[]){c, a, b}, 3, NULL);
}

/* ---- Cast ------------------------------------------------------------------------------------ */

typedef struct cast_attrs {
    wg_dtype to;
} cast_attrs;

static bool cast_shape(wg_tensor *y)
{
    const cast_attrs *attrs = y->attrs;
    y->dtype = attrs->to;
    if (!wg_dtype_asked(y->tape, "cast", &y->dtype))
        return false;
    y->shape = y->operand[0]->shape;
    return true;
}

/* Only a float that becomes an i64 can be unfit. -2^63 and 2^63 are doubles; the latter is no
 * i64. */
static bool cast_check(const wg_tensor *y)
{
    const wg_tensor *x = y->operand[0];
    if (y->dtype != WG_I64 || x->dtype == WG_I64)
        return true;
    for (int64_t i = 0; i < x->size; i++) {
        const double value = wg_element(x, i);
        if (!(value >= -0x1p63 && value < 0x1p63))
            return wg_op_fail(y, WG_E_VALUE, "element %" PRId64 " is %g, which no i64 holds", i,
                              value);
    }
    return true;
}

static wg_tensor *cast_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_cast(dy, y->operand[i]->dtype);
}

/* The integers between -2^63 and 2^63, the latter excluded, both of which a float holds exactly; a
 * float that no i64 holds gives INT64_MIN. */
#define CAST_TO_I64(v) ((v) >= -(T)0x1p63 && (v) < (T)0x1p63 ? (int64_t)(v) : INT64_MIN)
#define CAST_ITSELF(v) v

#if WG_HAS_WIDE
#define CAST_TO_WIDE WGK_EACH1(0, n, v, ((wg_wide *)y)[i] = (wg_wide)v)
#else
#define CAST_TO_WIDE (void)0;
#endif

/* A map is found by the operand's dtype; what is cast to is an attribute. */
#define CAST_FROM(suffix, from, to_i64)                                                            \
    static void cast_from_##suffix(int64_t n, void *y, const void *const x[],                      \
                                   const int64_t stride[], const void *attrs)                      \
    {                                                                                              \
        typedef from T;                                                                            \
        const T *p = x[0];                                                                         \
        const wg_dtype to = ((const cast_attrs *)attrs)->to;                                       \
        if (to == WG_F32)                                                                          \
            WGK_EACH1(0, n, v, ((float *)y)[i] = (float)v)                                         \
        else if (to == WG_F64)                                                                     \
            WGK_EACH1(0, n, v, ((double *)y)[i] = (double)v)                                       \
        else if (to == WG_WIDE)                                                                    \
            CAST_TO_WIDE                                                                           \
        else                                                                                       \
            WGK_EACH1(0, n, v, ((int64_t *)y)[i] = to_i64(v))                                      \
    }

CAST_FROM(f32, float, CAST_TO_I64)
CAST_FROM(f64, double, CAST_TO_I64)
CAST_FROM(i64, int64_t, CAST_ITSELF)
#if WG_HAS_WIDE
CAST_FROM(wide, wg_wide, CAST_TO_I64)
#define CAST_WIDE , [WG_WIDE] = cast_from_wide
#else
#define CAST_WIDE
#endif

static void cast_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row)
{
    const wg_tensor *x = y->operand[0];
    wg_c_nest all;
    (void)row;
    wg_c_each(&all, y->size);
    wg_c_open(c, &all);
    const wg_text at = wg_c_at(&all, NULL, 0);
    if (y->dtype == WG_I64)
        wg_c_line(c, "if (!(%a >= -%s && %a < %s))", at.s, wg_c_i64_limit(c, x->dtype).s, at.s,
                  wg_c_i64_limit(c, x->dtype).s);
    if (y->dtype == WG_I64)
        wg_c_line(c, "    return 1;");
    wg_c_line(c, "%y = (%T)%a;", at.s, at.s);
    wg_c_close(c, &all);
}

static const wg_op wg_op_cast = {
    .name = "cast",
    .formula = WG_OP_TEXT("y = x, rounded to another dtype"),
    .arity = 1,
    .flags = WG_OP_ELEMENTWISE,
    .attr_size = sizeof(cast_attrs),
    .dtype_attr = 1 + offsetof(cast_attrs, to),
    .shape = cast_shape,
    .check = cast_check,
    .forward = wg_elementwise_forward,
    .part = wg_elementwise_part,
    .vjp = cast_vjp,
    .chunks = wg_size,
    .map = {[WG_F32] = cast_from_f32, [WG_F64] = cast_from_f64, [WG_I64] = cast_from_i64 CAST_WIDE},
    .write_c = WG_WRITES_C(cast_write_c),
};

wg_tensor *wg_cast(wg_tensor *x, wg_dtype to)
{
    const cast_attrs attrs = {to == WG_DTYPE_DEFAULT ? WG_F64 : to};
    if (!wg_is_inert(x) && x->dtype == attrs.to)
        return x;
    return wg_apply(&wg_op_cast, &x, 1, &attrs);
}

#include "ops/elementwise_list.inc"

const wg_op *const wg_ops_compare[] = {
#include "ops/compare.inc"
    &wg_op_cast,
    NULL,
};
