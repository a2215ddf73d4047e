#include "tests/support/support.h"

#include "ops/elementwise.h"
#include "tests/support/assert.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void wgt_sum_add(wgt_sum *s, long double term)
{
    const volatile long double sum = s->rounded + term;
    s->lost += fabsl(s->rounded) >= fabsl(term) ? (s->rounded - sum) + term
                                                : (term - sum) + s->rounded;
    s->rounded = sum;
}

long double wgt_sum_value(const wgt_sum *s)
{
    return s->rounded + s->lost;
}

/* ---- The allocator ------------------------------------------------------------------------------
 * Each block has its size in front of it, in 16 bytes so that what follows is aligned. */

enum { HEAD = 16 };

static bool memory_fails(wgt_memory *m)
{
    m->calls++;
    bool fails = m->fail_at > 0 &&
                 (m->calls == m->fail_at || (m->from_then && m->calls > m->fail_at));
    m->failed += fails;
    return fails;
}

static void *memory_give(wgt_memory *m, char *block, size_t size)
{
    if (block == NULL)
        return NULL;
    memcpy(block, &size, sizeof size);
    m->blocks++;
    m->bytes += size;
    m->peak = m->bytes > m->peak ? m->bytes : m->peak;
    return block + HEAD;
}

/* The block that `memory` lies in, no longer counted. */
static char *memory_take_back(wgt_memory *m, void *memory)
{
    size_t size;
    char *block = (char *)memory - HEAD;
    memcpy(&size, block, sizeof size);
    m->blocks--;
    m->bytes -= size;
    return block;
}

/* NaNs, so that what is read before it is written is seen. */
static void *memory_allocate(size_t size, void *user)
{
    ck_assert_uint_gt(size, 0);
    void *memory = memory_fails(user) ? NULL : memory_give(user, malloc(HEAD + size), size);
    return memory != NULL ? memset(memory, 0xff, size) : NULL;
}

static void *memory_reallocate(void *memory, size_t size, void *user)
{
    ck_assert_uint_gt(size, 0);
    if (memory_fails(user))
        return NULL;
    return memory_give(user, realloc(memory_take_back(user, memory), HEAD + size), size);
}

static void memory_release(void *memory, void *user)
{
    free(memory_take_back(user, memory));
}

wg_allocator wgt_allocator(wgt_memory *m)
{
    return (wg_allocator){memory_allocate, memory_reallocate, memory_release, m};
}

wg_tape *wgt_tape(wgt_memory *m)
{
    if (m == NULL)
        return wg_tape_new(NULL);
    return wg_tape_new(&(wg_tape_options){.allocator = wgt_allocator(m)});
}

static void strict_error(wg_status status, const char *message, void *user)
{
    (void)user;
    ck_abort_msg("%s: %s", wg_status_name(status), message);
}

wg_tape *wgt_strict_tape(void)
{
    return wg_tape_new(&(wg_tape_options){.on_error = strict_error});
}

/* ---- Leaves ---------------------------------------------------------------------------------- */

wg_tensor *wgt_param(wg_tape *t, const char *name, int ndim, const int64_t *dim,
                     const double *values)
{
    wg_tensor *x = wg_param(t, name, WG_F64, ndim, dim);
    wg_write(x, values, (size_t)wg_size(x) * sizeof *values);
    return x;
}

wg_tensor *wgt_scalar_param(wg_tape *t, const char *name, double value)
{
    return wgt_param(t, name, WG_SCALAR, &value);
}

/* ---- Elementwise ops on f64 ------------------------------------------------------------------ */

static _Thread_local int64_t runs;

int64_t wgt_runs(void)
{
    return runs;
}

#define MAP(name, expression)                                                                      \
    static void name##_map(int64_t n, void *y, const void *const x[], const int64_t stride[],      \
                           const void *attrs)                                                      \
    {                                                                                              \
        (void)attrs;                                                                               \
        const double *from = x[0];                                                                 \
        for (int64_t i = 0; i < n; i++) {                                                          \
            const double v = from[i * stride[0]];                                                  \
            ((double *)y)[i] = (expression);                                                       \
        }                                                                                          \
    }

MAP(sine, sin(v))
MAP(cosine, cos(v))
MAP(cube, v *v *v)
MAP(scaled, v *((const double *)attrs)[0])
MAP(step, v > 0 ? 1.0 : 0.0)
MAP(reciprocal, 1 / v)

static void counted_forward(const wg_tensor *y, const wg_piece *piece)
{
    runs++;
    wg_elementwise_forward(y, piece);
}

static wg_tensor *sine_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    return wgt_product(dy, wgt_cosine(y->operand[i]));
}

static wg_tensor *cosine_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    return wgt_scaled(wgt_product(dy, wgt_sine(y->operand[i])), -1);
}

static wg_tensor *cube_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    wg_tensor *x = y->operand[i];
    return wgt_product(dy, wgt_scaled(wgt_product(x, x), 3));
}

static wg_tensor *scaled_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    (void)i;
    return wgt_scaled(dy, *(const double *)y->attrs);
}

#define ELEMENTWISE(op, rule, ...)                                                                 \
    const wg_op wgt_op_##op = {.name = #op,                                                        \
                               .arity = 1,                                                         \
                               .flags = WG_OP_ELEMENTWISE __VA_ARGS__,                             \
                               .shape = wg_elementwise_shape,                                      \
                               .forward = counted_forward,                                         \
                               .vjp = (rule),                                                      \
                               .chunks = wg_size,                                                  \
                               .map = {[WG_F64] = op##_map}}

ELEMENTWISE(sine, sine_vjp, );
ELEMENTWISE(cosine, cosine_vjp, );
ELEMENTWISE(cube, cube_vjp, );
ELEMENTWISE(step, NULL, | WG_OP_ZERO_GRADIENT);
ELEMENTWISE(reciprocal, NULL, );

const wg_op wgt_op_scaled = {.name = "scaled",
                             .arity = 1,
                             .attr_size = sizeof(double),
                             .flags = WG_OP_ELEMENTWISE,
                             .shape = wg_elementwise_shape,
                             .forward = counted_forward,
                             .vjp = scaled_vjp,
                             .chunks = wg_size,
                             .map = {[WG_F64] = scaled_map}};

/* ---- Ops on several operands ----------------------------------------------------------------- */

static bool product_shape(wg_tensor *y)
{
    if (!wg_shape_same(&y->operand[0]->shape, &y->operand[1]->shape))
        return wg_op_fail(y, WG_E_SHAPE, "shapes differ");
    return wg_elementwise_shape(y);
}

#define PRODUCT_MAP(name, type)                                                                    \
    static void name(int64_t n, void *y, const void *const x[], const int64_t stride[],            \
                     const void *attrs)                                                            \
    {                                                                                              \
        (void)attrs;                                                                               \
        const type *a = x[0], *b = x[1];                                                           \
        for (int64_t i = 0; i < n; i++)                                                            \
            ((type *)y)[i] = a[i * stride[0]] * b[i * stride[1]];                                  \
    }

PRODUCT_MAP(product_map_f32, float)
PRODUCT_MAP(product_map_f64, double)

static wg_tensor *product_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    return wgt_product(dy, y->operand[1 - i]);
}

const wg_op wgt_op_product = {.name = "product",
                              .arity = 2,
                              .flags = WG_OP_ELEMENTWISE,
                              .shape = product_shape,
                              .forward = counted_forward,
                              .vjp = product_vjp,
                              .chunks = wg_size,
                              .map = {[WG_F32] = product_map_f32, [WG_F64] = product_map_f64}};

static void blend_map(int64_t n, void *y, const void *const x[], const int64_t stride[],
                      const void *attrs)
{
    (void)attrs;
    const double *a = x[0], *b = x[1], *c = x[2];
    for (int64_t i = 0; i < n; i++)
        ((double *)y)[i] = a[i * stride[0]] + 10 * b[i * stride[1]] + 100 * c[i * stride[2]];
}

const wg_op wgt_op_blend = {.name = "blend",
                            .arity = 3,
                            .flags = WG_OP_ELEMENTWISE,
                            .shape = wg_elementwise_shape,
                            .forward = counted_forward,
                            .chunks = wg_size,
                            .map = {[WG_F64] = blend_map}};

/* ---- Ops of other shapes --------------------------------------------------------------------- */

static bool total_shape(wg_tensor *y)
{
    y->dtype = WG_F64;
    return y->operand[0]->dtype == WG_F64 || wg_op_fail(y, WG_E_DTYPE, "f64 is needed");
}

static void total_forward(const wg_tensor *y, const wg_piece *piece)
{
    const wg_tensor *x = y->operand[0];
    double *sum = y->data;
    (void)piece;
    runs++;
    *sum = 0;
    for (int64_t i = 0; i < x->size; i++)
        *sum += ((const double *)x->data)[i];
}

static wg_tensor *total_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    return wgt_spread(dy, &y->operand[i]->shape);
}

const wg_op wgt_op_total = {
    .name = "total", .arity = 1, .shape = total_shape, .forward = total_forward, .vjp = total_vjp};

static bool spread_shape(wg_tensor *y)
{
    if (y->operand[0]->size != 1)
        return wg_op_fail(y, WG_E_SHAPE, "one element is needed");
    y->dtype = WG_F64;
    y->shape = *(const wg_shape *)y->attrs;
    return true;
}

static void spread_forward(const wg_tensor *y, const wg_piece *piece)
{
    (void)piece;
    runs++;
    for (int64_t i = 0; i < y->size; i++)
        ((double *)y->data)[i] = *(const double *)y->operand[0]->data;
}

static wg_tensor *spread_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    (void)y;
    (void)i;
    return wgt_total(dy);
}

const wg_op wgt_op_spread = {.name = "spread",
                             .arity = 1,
                             .attr_size = sizeof(wg_shape),
                             .shape = spread_shape,
                             .forward = spread_forward,
                             .vjp = spread_vjp};

static bool select_shape(wg_tensor *y)
{
    const wg_tensor *x = y->operand[0], *k = y->operand[1];
    if (x->dtype != WG_F64 || k->dtype != WG_I64)
        return wg_op_fail(y, WG_E_DTYPE, "f64 and i64 are needed");
    y->dtype = WG_F64;
    return x->shape.ndim == 1 || wg_op_fail(y, WG_E_SHAPE, "rank 1 is needed");
}

static bool select_check(const wg_tensor *y)
{
    int64_t k = *(const int64_t *)y->operand[1]->data, n = y->operand[0]->size;
    return (k >= 0 && k < n) || wg_op_fail(y, WG_E_INDEX, "there is no element %d", (int)k);
}

static void select_forward(const wg_tensor *y, const wg_piece *piece)
{
    int64_t k = *(const int64_t *)y->operand[1]->data;
    (void)piece;
    runs++;
    *(double *)y->data = ((const double *)y->operand[0]->data)[k];
}

static wg_tensor *select_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    return i == 0 ? wgt_place(dy, y->operand[1], y->operand[0]->size) : NULL;
}

const wg_op wgt_op_select = {.name = "select",
                             .arity = 2,
                             .shape = select_shape,
                             .check = select_check,
                             .forward = select_forward,
                             .vjp = select_vjp};

static bool place_shape(wg_tensor *y)
{
    y->dtype = WG_F64;
    y->shape = (wg_shape){1, {*(const int64_t *)y->attrs}};
    return true;
}

static void place_forward(const wg_tensor *y, const wg_piece *piece)
{
    double *to = y->data;
    (void)piece;
    runs++;
    for (int64_t i = 0; i < y->size; i++)
        to[i] = 0;
    to[*(const int64_t *)y->operand[1]->data] = *(const double *)y->operand[0]->data;
}

static wg_tensor *place_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    return i == 0 ? wgt_select(dy, y->operand[1]) : NULL;
}

const wg_op wgt_op_place = {.name = "place",
                            .arity = 2,
                            .attr_size = sizeof(int64_t),
                            .shape = place_shape,
                            .forward = place_forward,
                            .vjp = place_vjp};

static bool tail_shape(wg_tensor *y)
{
    const wg_tensor *x = y->operand[0];
    int64_t from = *(const int64_t *)y->attrs;
    if (x->shape.ndim != 1 || from > x->size)
        return wg_op_fail(y, WG_E_SHAPE, "not so many elements");
    y->dtype = x->dtype;
    y->shape = (wg_shape){1, {x->size - from}};
    return true;
}

static int64_t tail_offset(const wg_tensor *y)
{
    return *(const int64_t *)y->attrs * (int64_t)wg_dtype_size(y->dtype);
}

const wg_op wgt_op_tail = {.name = "tail",
                           .arity = 1,
                           .attr_size = sizeof(int64_t),
                           .flags = WG_OP_VIEW,
                           .shape = tail_shape,
                           .offset = tail_offset};

/* ---- Builders -------------------------------------------------------------------------------- */

wg_tensor *wgt_sine(wg_tensor *x)
{
    return wg_apply(&wgt_op_sine, &x, 1, NULL);
}

wg_tensor *wgt_cosine(wg_tensor *x)
{
    return wg_apply(&wgt_op_cosine, &x, 1, NULL);
}

wg_tensor *wgt_cube(wg_tensor *x)
{
    return wg_apply(&wgt_op_cube, &x, 1, NULL);
}

wg_tensor *wgt_product(wg_tensor *a, wg_tensor *b)
{
    return wg_apply(&wgt_op_product, (wg_tensor *[]){a, b}, 2, NULL);
}

wg_tensor *wgt_scaled(wg_tensor *x, double factor)
{
    return wg_apply(&wgt_op_scaled, &x, 1, &factor);
}

wg_tensor *wgt_total(wg_tensor *x)
{
    return wg_apply(&wgt_op_total, &x, 1, NULL);
}

wg_tensor *wgt_spread(wg_tensor *x, const wg_shape *shape)
{
    return wg_apply(&wgt_op_spread, &x, 1, shape);
}

wg_tensor *wgt_select(wg_tensor *x, wg_tensor *k)
{
    return wg_apply(&wgt_op_select, (wg_tensor *[]){x, k}, 2, NULL);
}

wg_tensor *wgt_place(wg_tensor *x, wg_tensor *k, int64_t n)
{
    return wg_apply(&wgt_op_place, (wg_tensor *[]){x, k}, 2, &n);
}

wg_tensor *wgt_tail(wg_tensor *x, int64_t from)
{
    return wg_apply(&wgt_op_tail, &x, 1, &from);
}

wg_tensor *wgt_step(wg_tensor *x)
{
    return wg_apply(&wgt_op_step, &x, 1, NULL);
}

wg_tensor *wgt_blend(wg_tensor *a, wg_tensor *b, wg_tensor *c)
{
    return wg_apply(&wgt_op_blend, (wg_tensor *[]){a, b, c}, 3, NULL);
}

wg_tensor *wgt_reciprocal(wg_tensor *x)
{
    return wg_apply(&wgt_op_reciprocal, &x, 1, NULL);
}
