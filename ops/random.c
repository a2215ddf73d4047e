/* random.c: random ops: dropout, uniform draws, classes; pure functions of seed, key and step. */
#include "ops/random.h"
#include "autograd/compile/c_writer.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>

#include "autograd/rng.h"
#include "autograd/wide.h"
#include "ops/arithmetic.h"
#include "ops/axes_internal.h"
#include "ops/describe_internal.h"
#include "ops/functions.h"
#include "ops/layout_internal.h"

/* Which numbers: those of a stream that the step chooses. */
typedef struct random_source {
    uint64_t seed, key;
} random_source;

static bool random_step_fits(const wg_tensor *y, const wg_tensor *step)
{
    if (step->dtype != WG_I64)
        return wg_op_fail(y, WG_E_DTYPE, "a step of i64 wanted");
    return step->size == 1 || (step->size == 2 && step->shape.ndim == 1) ||
           wg_op_fail(y, WG_E_SHAPE, "a step of one element, or (step, row), wanted");
}

static uint64_t random_stream(const random_source *source, const wg_tensor *step)
{
    return wg_random_bits(source->seed, source->key, (uint64_t)((const int64_t *)step->data)[0]);
}

/* How many numbers are drawn for a row. */
static int64_t random_row(const wg_tensor *y)
{
    const int64_t rows = y->shape.ndim > 0 ? y->shape.dim[0] : 1;
    return rows > 0 ? wg_shape_size(&y->shape) / rows : 0;
}

/* The number of the first draw: the step may say how many rows of a larger whole stand before. */
static uint64_t random_first(const wg_tensor *y, const wg_tensor *step)
{
    const int64_t before = step->size > 1 ? ((const int64_t *)step->data)[1] : 0;
    return (uint64_t)before * (uint64_t)random_row(y);
}

/* ---- As C: Philox-4x32-10, as wg_random_bits ------------------------------------------------- */

static const char random_bits[] =
    "static uint64_t @bits(uint64_t seed, uint64_t key, uint64_t number)\n"
    "{\n"
    "    uint32_t x0 = (uint32_t)number, x1 = (uint32_t)(number >> 32);\n"
    "    uint32_t x2 = (uint32_t)key, x3 = (uint32_t)(key >> 32);\n"
    "    uint32_t key0 = (uint32_t)seed, key1 = (uint32_t)(seed >> 32);\n"
    "    for (int round = 0; round < 10; round++) {\n"
    "        const uint64_t product0 = (uint64_t)0xD2511F53u * x0;\n"
    "        const uint64_t product1 = (uint64_t)0xCD9E8D57u * x2;\n"
    "        x0 = (uint32_t)(product1 >> 32) ^ x1 ^ key0;\n"
    "        x1 = (uint32_t)product1;\n"
    "        x2 = (uint32_t)(product0 >> 32) ^ x3 ^ key1;\n"
    "        x3 = (uint32_t)product0;\n"
    "        key0 += 0x9E3779B9u;\n"
    "        key1 += 0xBB67AE85u;\n"
    "    }\n"
    "    return (uint64_t)x1 << 32 | x0;\n"
    "}\n";

static wg_text random_u64(uint64_t value)
{
    wg_text text;
    snprintf(text.s, sizeof text.s, "UINT64_C(%" PRIu64 ")", value);
    return text;
}

/* Opens a block that knows the stream; returns the name of the function that draws from it. */
static wg_text random_open_c(wg_c_writer *c, const random_source *source, const wg_tensor *y,
                             const wg_tensor *step)
{
    const wg_text bits = wg_c_helper(c, "bits", random_bits);
    wg_c_line(c, "{");
    wg_c_line(c, "const uint64_t stream = %s(%s, %s, (uint64_t)%s);", bits.s,
              random_u64(source->seed).s, random_u64(source->key).s, wg_c_element(c, step, "0").s);
    if (step->size > 1)
        wg_c_line(c, "const uint64_t first = (uint64_t)%s * %s;", wg_c_element(c, step, "1").s,
                  random_u64((uint64_t)random_row(y)).s);
    return bits;
}

/* The number of draw `at`. */
static wg_text random_number_c(const wg_c_writer *c, const wg_tensor *step, const char *at)
{
    return wg_c_text_of(c, "%s(uint64_t)%s", step->size > 1 ? "first + " : "", at);
}

/* ---- dropout --------------------------------------------------------------------------------- */

typedef struct dropout_attrs {
    double rate;
    random_source source;
} dropout_attrs;

static bool dropout_shape(wg_tensor *y)
{
    const wg_tensor *x = y->operand[0], *step = y->operand[1];
    double rate = ((const dropout_attrs *)y->attrs)->rate;
    if (!(rate >= 0 && rate < 1))
        return wg_op_fail(y, WG_E_VALUE, "the rate is %g, but from 0 to less than 1 wanted", rate);
    if (x->dtype == WG_I64)
        return wg_op_fail(y, WG_E_DTYPE, "f32 or f64 wanted");
    y->dtype = x->dtype;
    y->shape = x->shape;
    return random_step_fits(y, step);
}

/* Selected, not multiplied by 0. The step chooses a stream; element i is its number i, counted from
 * the first row of the whole. */
#define DROPOUT(T, REAL)                                                                           \
    {                                                                                              \
        const T scale = (T)(1 / (1 - (REAL)attrs->rate)), *x = y->operand[0]->data;                \
        for (int64_t i = piece->begin; i < piece->end; i++) {                                      \
            const uint64_t number = first + (uint64_t)i;                                           \
            const double draw = wg_random_uniform(attrs->source.seed, stream, number);             \
            ((T *)y->data)[i] = draw >= attrs->rate ? x[i] * scale : 0;                            \
        }                                                                                          \
    }

static void dropout_forward(const wg_tensor *y, const wg_piece *piece)
{
    const dropout_attrs *attrs = y->attrs;
    const uint64_t stream = random_stream(&attrs->source, y->operand[1]);
    const uint64_t first = random_first(y, y->operand[1]);
    if (y->dtype == WG_F32)
        DROPOUT(float, double)
    else if (y->dtype == WG_F64)
        DROPOUT(double, double)
#if WG_HAS_WIDE
    else
        DROPOUT(wg_wide, wg_wide)
#endif
}

#undef DROPOUT

static wg_tensor *dropout_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    if (i != 0)
        return NULL;
    return wg_apply(y->op, (wg_tensor *[]){dy, y->operand[1]}, 2, y->attrs);
}

static void dropout_describe(const wg_tensor *y, char *text, size_t size)
{
    const dropout_attrs *attrs = y->attrs;
    wg_describe_add(text, size, "rate %g, key %" PRIu64, attrs->rate, attrs->source.key);
}

/* A draw of 53 bits is compared as an integer: no double is needed. */
static void dropout_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row)
{
    const dropout_attrs *attrs = y->attrs;
    wg_c_nest all;
    (void)row;
    wg_c_each(&all, y->size);
    if (attrs->rate == 0) {
        wg_c_open_one(c, &all);
        wg_c_line(c, "%y = %a;", wg_c_at(&all, NULL, 0).s, wg_c_at(&all, NULL, 0).s);
        wg_c_close_one(c, &all);
        return;
    }
    const wg_text bits = random_open_c(c, &attrs->source, y, y->operand[1]);
    wg_c_open_one(c, &all);
    const wg_text at = wg_c_at(&all, NULL, 0);
    wg_c_line(c, "%y = %s(%s, stream, %s) >> 11 >= %s ? %a * %N : 0;", at.s, bits.s,
              random_u64(attrs->source.seed).s, random_number_c(c, y->operand[1], at.s).s,
              random_u64((uint64_t)ceil(attrs->rate * 0x1p53)).s, at.s, 1 / (1 - attrs->rate));
    wg_c_close_one(c, &all);
    wg_c_line(c, "}");
}

static const wg_op wg_op_dropout = {
    .name = "dropout",
    .formula = WG_OP_TEXT("y_i = x_i / (1 - rate), or 0 with probability rate"),
    .source = WG_OP_TEXT(
        "Srivastava et al. 2014, Dropout: a simple way to prevent neural networks from "
        "overfitting, sec. 10"),
    .arity = 2,
    .flags = WG_OP_WIDE,
    .attr_size = sizeof(dropout_attrs),
    .describe = dropout_describe,
    .shape = dropout_shape,
    .forward = dropout_forward,
    .vjp = dropout_vjp,
    .chunks = wg_size,
    .write_c = WG_WRITES_C(dropout_write_c),
};

wg_tensor *wg_dropout(wg_tensor *x, double rate, uint64_t seed, uint64_t key, wg_tensor *step)
{
    const dropout_attrs attrs = {rate, {seed, key}};
    return wg_apply(&wg_op_dropout, (wg_tensor *[]){x, step}, 2, &attrs);
}

/* ---- uniform, normal ------------------------------------------------------------------------- */

typedef struct uniform_attrs {
    wg_sizes sizes;
    random_source source;
    wg_dtype dtype;
    int32_t unused; /* 0: attributes have no padding */
} uniform_attrs;

static bool uniform_shape(wg_tensor *y)
{
    const uniform_attrs *attrs = y->attrs;
    if (!wg_sizes_take(y, &attrs->sizes))
        return false;
    y->dtype = attrs->dtype;
    return random_step_fits(y, y->operand[0]) && wg_dtype_asked(y->tape, "uniform", &y->dtype) &&
           (y->dtype != WG_I64 || wg_op_fail(y, WG_E_DTYPE, "f32 or f64 wanted"));
}

/* A number of 53 bits, or for f32, which would round up to 1, of its first 24. */
static double uniform_draw(wg_dtype dtype, uint64_t bits)
{
    return dtype == WG_F32 ? (double)(bits >> 40) * 0x1p-24 : (double)(bits >> 11) * 0x1p-53;
}

static void uniform_forward(const wg_tensor *y, const wg_piece *piece)
{
    const uniform_attrs *attrs = y->attrs;
    const uint64_t stream = random_stream(&attrs->source, y->operand[0]);
    const uint64_t first = random_first(y, y->operand[0]);
    for (int64_t i = piece->begin; i < piece->end; i++)
        wg_put(y, i,
               uniform_draw(y->dtype,
                            wg_random_bits(attrs->source.seed, stream, first + (uint64_t)i)));
}

static void uniform_describe(const wg_tensor *y, char *text, size_t size)
{
    wg_describe_add(text, size, "key %" PRIu64, ((const uniform_attrs *)y->attrs)->source.key);
}

/* uniform_draw as C: how far the bits are shifted, and the factor. */
static int64_t random_shift_c(wg_dtype dtype)
{
    return dtype == WG_F32 ? 40 : 11;
}

static const char *random_scale_c(wg_dtype dtype)
{
    return dtype == WG_F32 ? "5.9604644775390625e-08f" : "1.1102230246251565e-16"; /* 2^-24, -53 */
}

static void uniform_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row)
{
    const uniform_attrs *attrs = y->attrs;
    const wg_text bits = random_open_c(c, &attrs->source, y, y->operand[0]);
    wg_c_nest all;
    (void)row;
    wg_c_each(&all, y->size);
    wg_c_open_one(c, &all);
    const wg_text at = wg_c_at(&all, NULL, 0);
    wg_c_line(c, "%y = (%T)(%s(%s, stream, %s) >> %i) * %s;", at.s, bits.s,
              random_u64(attrs->source.seed).s, random_number_c(c, y->operand[0], at.s).s,
              random_shift_c(y->dtype), random_scale_c(y->dtype));
    wg_c_close_one(c, &all);
    wg_c_line(c, "}");
}

static const wg_op wg_op_uniform = {
    .name = "uniform",
    .formula = WG_OP_TEXT("y_i drawn from [0, 1)"),
    .arity = 1,
    .flags = WG_OP_ZERO_GRADIENT | WG_OP_WIDE,
    .attr_size = sizeof(uniform_attrs),
    .dtype_attr = 1 + offsetof(uniform_attrs, dtype),
    .describe = uniform_describe,
    .shape = uniform_shape,
    .forward = uniform_forward,
    .chunks = wg_size,
    .write_c = WG_WRITES_C(uniform_write_c),
};

wg_tensor *wg_uniform(wg_dtype dtype, int ndim, const int64_t *dim, uint64_t seed, uint64_t key,
                      wg_tensor *step)
{
    uniform_attrs attrs = {{0, {0}}, {seed, key}, dtype, 0};
    if (!wg_is_inert(step))
        wg_sizes_init(&attrs.sizes, step, "uniform", ndim, dim); /* after an error all is inert */
    return wg_apply(&wg_op_uniform, &step, 1, &attrs);
}

/* The angle's stream is another than that of any key that a user would choose. */
wg_tensor *wg_normal(wg_dtype dtype, int ndim, const int64_t *dim, uint64_t seed, uint64_t key,
                     wg_tensor *step)
{
    const uint64_t angle = wg_random_bits(seed, key, UINT64_MAX);
    wg_tensor *u = wg_uniform(dtype, ndim, dim, seed, key, step);
    wg_tensor *v = wg_uniform(dtype, ndim, dim, seed, angle, step);
    wg_tensor *radius = wg_sqrt(wg_scale(wg_log1p(wg_neg(u)), -2));
    return wg_mul(radius, wg_cos(wg_scale(v, 6.283185307179586)));
}

/* ---- categorical ----------------------------------------------------------------------------- */

static int64_t categorical_classes(const wg_tensor *p)
{
    return p->shape.dim[p->shape.ndim - 1];
}

static bool categorical_shape(wg_tensor *y)
{
    const wg_tensor *p = y->operand[0];
    if (p->dtype == WG_I64)
        return wg_op_fail(y, WG_E_DTYPE, "probabilities of f32 or f64 wanted");
    if (p->shape.ndim == 0 || categorical_classes(p) == 0)
        return wg_op_fail(y, WG_E_SHAPE, "a last axis of classes wanted");
    y->dtype = WG_I64;
    y->shape = p->shape;
    y->shape.dim[--y->shape.ndim] = 0;
    return random_step_fits(y, y->operand[1]);
}

static bool categorical_check(const wg_tensor *y)
{
    const wg_tensor *p = y->operand[0];
    const int64_t n = categorical_classes(p);
    for (int64_t row = 0; row < y->size; row++) {
        double sum = 0;
        for (int64_t i = row * n; i < (row + 1) * n; i++) {
            const double e = wg_element(p, i);
            if (!(e >= 0 && e <= DBL_MAX))
                return wg_op_fail(y, WG_E_VALUE,
                                  "the probability of class %" PRId64 " in row %" PRId64 " is %g",
                                  i - row * n, row, e);
            sum += e;
        }
        if (!(sum > 0 && sum <= (p->dtype == WG_F32 ? (double)FLT_MAX / 2 : DBL_MAX)))
            return wg_op_fail(y, WG_E_VALUE, "the probabilities of row %" PRId64 " sum to %g", row,
                              sum);
    }
    return true;
}

/* The first class whose share of the sum reaches beyond u; where rounding leaves u over, the last
 * that has a share. */
#define CATEGORICAL(T)                                                                             \
    {                                                                                              \
        const T *p = (const T *)y->operand[0]->data + row * n;                                     \
        T sum = 0, below = 0;                                                                      \
        for (int64_t k = 0; k < n; k++)                                                            \
            sum += p[k];                                                                           \
        sum *= (T)u;                                                                               \
        for (int64_t k = 0; k < n && !(sum < below); k++)                                          \
            if (p[k] > 0) {                                                                        \
                below += p[k];                                                                     \
                drawn = k;                                                                         \
            }                                                                                      \
    }

static void categorical_forward(const wg_tensor *y, const wg_piece *piece)
{
    const random_source *source = y->attrs;
    const wg_dtype dtype = y->operand[0]->dtype;
    const uint64_t stream = random_stream(source, y->operand[1]);
    const int64_t n = categorical_classes(y->operand[0]);
    const uint64_t first = random_first(y, y->operand[1]);
    for (int64_t row = piece->begin; row < piece->end; row++) {
        const double u = uniform_draw(dtype,
                                      wg_random_bits(source->seed, stream, first + (uint64_t)row));
        int64_t drawn = 0;
        if (dtype == WG_F32)
            CATEGORICAL(float)
        else if (dtype == WG_F64)
            CATEGORICAL(double)
#if WG_HAS_WIDE
        else
            CATEGORICAL(wg_wide)
#endif
        ((int64_t *)y->data)[row] = drawn;
    }
}

#undef CATEGORICAL

static void categorical_describe(const wg_tensor *y, char *text, size_t size)
{
    wg_describe_add(text, size, "key %" PRIu64, ((const random_source *)y->attrs)->key);
}

static void categorical_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row)
{
    const random_source *source = y->attrs;
    const wg_tensor *p = y->operand[0];
    const wg_text bits = random_open_c(c, source, y, y->operand[1]);
    wg_c_nest rows, along;
    (void)row;
    wg_c_rows(&rows, &along, &p->shape, 1u << (p->shape.ndim - 1));
    wg_c_open(c, &rows);
    wg_c_line(c, "%A sum = 0, below = 0;");
    wg_c_line(c, "%T drawn = 0;");
    wg_c_open_one(c, &along);
    const wg_text e = wg_c_element(c, p, wg_c_at(&rows, &along, 0).s);
    const wg_text at = wg_c_at(&rows, NULL, 1), k = wg_c_at(&along, NULL, 1);
    wg_c_line(c, "sum += %s;", e.s);
    wg_c_close_one(c, &along);
    wg_c_line(c, "sum *= (%A)(%s(%s, stream, %s) >> %i) * %s;", bits.s, random_u64(source->seed).s,
              random_number_c(c, y->operand[1], at.s).s, random_shift_c(p->dtype),
              random_scale_c(p->dtype));
    wg_c_open(c, &along);
    wg_c_line(c, "if (%s > 0 && !(sum < below)) {", e.s);
    wg_c_line(c, "below += %s;", e.s);
    wg_c_line(c, "drawn = %s;", k.s);
    wg_c_line(c, "}");
    wg_c_close(c, &along);
    wg_c_line(c, "%y = drawn;", at.s);
    wg_c_close(c, &rows);
    wg_c_line(c, "}");
}

static const wg_op wg_op_categorical = {
    .name = "categorical",
    .formula = WG_OP_TEXT("y = k with probability p_k / sum_j p_j"),
    .arity = 2,
    .flags = WG_OP_WIDE,
    .attr_size = sizeof(random_source),
    .describe = categorical_describe,
    .shape = categorical_shape,
    .check = categorical_check,
    .forward = categorical_forward,
    .chunks = wg_size,
    .write_c = WG_WRITES_C(categorical_write_c),
    .domain = {{0, 2}},
};

wg_tensor *wg_categorical(wg_tensor *p, uint64_t seed, uint64_t key, wg_tensor *step)
{
    const random_source source = {seed, key};
    return wg_apply(&wg_op_categorical, (wg_tensor *[]){p, step}, 2, &source);
}

const wg_op *const wg_ops_random[] = {&wg_op_dropout, &wg_op_uniform, &wg_op_categorical, NULL};
