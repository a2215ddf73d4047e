/* dropout.c: dropout, whose mask is a pure function of seed, key and step. */
#include "ops/dropout.h"
#include "autograd/compile/c_writer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "autograd/rng.h"
#include "autograd/wide.h"
#include "ops/describe_internal.h"

typedef struct dropout_attrs {
    double rate;
    uint64_t seed, key;
} dropout_attrs;

static bool dropout_shape(wg_tensor *y)
{
    const wg_tensor *x = y->operand[0], *step = y->operand[1];
    double rate = ((const dropout_attrs *)y->attrs)->rate;
    if (!(rate >= 0 && rate < 1))
        return wg_op_fail(y, WG_E_VALUE, "the rate is %g, but from 0 to less than 1 wanted", rate);
    if (x->dtype == WG_I64 || step->dtype != WG_I64)
        return wg_op_fail(y, WG_E_DTYPE, "f32 or f64, and a step of i64, wanted");
    if (wg_shape_size(&step->shape) != 1)
        return wg_op_fail(y, WG_E_SHAPE, "a step of one element wanted");
    y->dtype = x->dtype;
    y->shape = x->shape;
    return true;
}

/* Selected, not multiplied by 0. The step chooses a stream; element i is its number i. */
#define DROPOUT(T, REAL)                                                                           \
    {                                                                                              \
        const T scale = (T)(1 / (1 - (REAL)attrs->rate)), *x = y->operand[0]->data;                \
        for (int64_t i = piece->begin; i < piece->end; i++) {                                      \
            const double draw = wg_random_uniform(attrs->seed, stream, (uint64_t)i);               \
            ((T *)y->data)[i] = draw >= attrs->rate ? x[i] * scale : 0;                            \
        }                                                                                          \
    }

static void dropout_forward(const wg_tensor *y, const wg_piece *piece)
{
    const dropout_attrs *attrs = y->attrs;
    const uint64_t step = (uint64_t)((const int64_t *)y->operand[1]->data)[0];
    const uint64_t stream = wg_random_bits(attrs->seed, attrs->key, step);
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
    wg_describe_add(text, size, "rate %g, key %" PRIu64, attrs->rate, attrs->key);
}

/* Philox-4x32-10, as wg_random_bits. */
static const char dropout_bits[] =
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

static wg_text dropout_u64(uint64_t value)
{
    wg_text text;
    snprintf(text.s, sizeof text.s, "UINT64_C(%" PRIu64 ")", value);
    return text;
}

/* A draw of 53 bits is compared as an integer: no double is needed. */
static void dropout_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row)
{
    const dropout_attrs *attrs = y->attrs;
    const wg_text seed = dropout_u64(attrs->seed);
    wg_c_nest all;
    (void)row;
    wg_c_each(&all, y->size);
    if (attrs->rate == 0) {
        wg_c_open_one(c, &all);
        wg_c_line(c, "%y = %a;", wg_c_at(&all, NULL, 0).s, wg_c_at(&all, NULL, 0).s);
        wg_c_close_one(c, &all);
        return;
    }
    const wg_text bits = wg_c_helper(c, "bits", dropout_bits);
    wg_c_line(c, "{");
    wg_c_line(c, "const uint64_t stream = %s(%s, %s, (uint64_t)%b);", bits.s, seed.s,
              dropout_u64(attrs->key).s, "0");
    wg_c_open_one(c, &all);
    const wg_text at = wg_c_at(&all, NULL, 0);
    wg_c_line(c, "%y = %s(%s, stream, (uint64_t)%s) >> 11 >= %s ? %a * %N : 0;", at.s, bits.s,
              seed.s, at.s, dropout_u64((uint64_t)ceil(attrs->rate * 0x1p53)).s, at.s,
              1 / (1 - attrs->rate));
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
    dropout_attrs attrs = {rate, seed, key};
    return wg_apply(&wg_op_dropout, (wg_tensor *[]){x, step}, 2, &attrs);
}

const wg_op *const wg_ops_dropout[] = {&wg_op_dropout, NULL};
