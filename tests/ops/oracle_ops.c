/* The ops of the case language: how they are recorded from operands and attributes. Elementwise ops
 * are found by name in the registry; the others have a row each. tests/oracle/make_oracle.py has
 * the same table in terms of PyTorch. */
#include "models/wengert.h"
#include "ops/registry.h"
#include "tests/ops/oracle.h"
#include "tests/support/assert.h"

#include <string.h>

enum { LIST = 16 };

/* Operands and attributes of one op. */
typedef struct case_op {
    wg_tensor *x[LIST];
    int n;
    const double *a;
    int n_a;
} case_op;

/* A row has the function of one of these kinds. */
typedef struct case_row {
    const char *name;
    wg_tensor *(*unary)(wg_tensor *x);
    wg_tensor *(*binary)(wg_tensor *a, wg_tensor *b);
    wg_tensor *(*ternary)(wg_tensor *a, wg_tensor *b, wg_tensor *c);
    wg_tensor *(*along)(wg_tensor *x, int axis);
    wg_tensor *(*over)(wg_tensor *x, int n_axes, const int *axes,
                       bool keep); /* attributes: keep, axes */
    wg_tensor *(*by)(wg_tensor *x, double parameter, int n_axes, const int *axes, bool keep);
    wg_tensor *(*place)(wg_tensor *x, int axis, bool keep);
    wg_tensor *(*axes)(wg_tensor *x, int n_axes, const int *axes);
    wg_tensor *(*shaped)(wg_tensor *x, int ndim, const int64_t *dim);
    wg_tensor *(*many)(wg_tensor *const xs[], int n, int axis);
    wg_tensor *(*other)(const case_op *o); /* all else */
} case_row;

/* Attributes from number `from` on, as axes and as sizes. */
typedef struct case_list {
    int n, axis[LIST];
    int64_t size[LIST];
} case_list;

static case_list list_from(const case_op *o, int from)
{
    case_list list = {.n = o->n_a > from ? o->n_a - from : 0};
    ck_assert_int_le(list.n, LIST);
    for (int i = 0; i < list.n; i++) {
        list.size[i] = (int64_t)o->a[from + i];
        list.axis[i] = (int)o->a[from + i];
    }
    return list;
}

/* Attribute i, or what stands for it where the list is shorter. */
static double attribute(const case_op *o, int i, double otherwise)
{
    return i < o->n_a ? o->a[i] : otherwise;
}

/* ---- Ops with attributes of their own. ------------------------------------------------------- */

static wg_tensor *case_cast_f32(const case_op *o)
{
    return wg_cast(wg_cast(o->x[0], WG_F32), WG_F64);
}

static wg_tensor *case_cast_i64(const case_op *o)
{
    return wg_cast(wg_cast(o->x[0], WG_I64), WG_F64);
}

static wg_tensor *case_norm(const case_op *o)
{
    return wg_norm(o->x[0], o->a[0]);
}

static wg_tensor *case_transpose(const case_op *o)
{
    return wg_transpose(o->x[0], (int)o->a[0], (int)o->a[1]);
}

static wg_tensor *case_sum_to(const case_op *o)
{
    return wg_sum_to(o->x[0], o->x[1]);
}

static wg_tensor *case_slice(const case_op *o)
{
    return wg_slice(o->x[0], (int)o->a[0], (int64_t)o->a[1], (int64_t)o->a[2]);
}

/* Attributes: value, before, after. */
static wg_tensor *case_pad(const case_op *o)
{
    const case_list counts = list_from(o, 1);
    const int ndim = wg_ndim(o->x[0]);
    return wg_pad(o->x[0], ndim, counts.size, ndim, counts.size + ndim, o->a[0]);
}

/* Attributes: axis, which part, sizes. */
static wg_tensor *case_split(const case_op *o)
{
    const case_list sizes = list_from(o, 2);
    wg_tensor *parts[LIST];
    wg_split(o->x[0], (int)o->a[0], sizes.n, sizes.size, parts);
    return parts[(int)o->a[1]];
}

static wg_tensor *case_scatter_add_rows(const case_op *o)
{
    return wg_scatter_add_rows(o->x[0], o->x[1], (int64_t)o->a[0]);
}

static wg_tensor *case_gather(const case_op *o)
{
    return wg_gather(o->x[0], (int)o->a[0], o->x[1]);
}

static wg_tensor *case_scatter_add(const case_op *o)
{
    return wg_scatter_add(o->x[0], (int)o->a[0], o->x[1], o->x[2]);
}

static wg_tensor *case_one_hot(const case_op *o)
{
    return wg_one_hot(o->x[0], (int64_t)o->a[0], WG_F64);
}

static wg_tensor *case_diagonal_embed(const case_op *o)
{
    return wg_diagonal_embed(o->x[0], (int64_t)o->a[0], (int64_t)o->a[1]);
}

static wg_tensor *case_matmul(const case_op *o)
{
    if (o->a[0] == 0 && o->a[1] == 0)
        return wg_matmul(o->x[0], o->x[1]);
    return wg_matmul_t(o->x[0], o->a[0] != 0, o->x[1], o->a[1] != 0);
}

/* Operands: values, starts of rows, columns, b; attributes: transpose, rows, columns. */
static wg_tensor *case_csr_matmul(const case_op *o)
{
    const wg_csr a = {.value = o->x[0],
                      .start = o->x[1],
                      .column = o->x[2],
                      .rows = (int64_t)o->a[1],
                      .columns = (int64_t)o->a[2]};
    return wg_csr_matmul(&a, o->a[0] != 0, o->x[3]);
}

static wg_tensor *case_cumsum(const case_op *o)
{
    return wg_cumsum(o->x[0], (int)o->a[0], false);
}

static wg_tensor *case_cumsum_reverse(const case_op *o)
{
    return wg_cumsum(o->x[0], (int)o->a[0], true);
}

static wg_tensor *case_layer_norm(const case_op *o)
{
    return wg_layer_norm(o->x[0], o->n > 1 ? o->x[1] : NULL, o->n > 2 ? o->x[2] : NULL, o->a[0]);
}

/* ---- Losses: the first attribute is the reduction, a mean where there is none. --------------- */

#define CASE_LOSS(name)                                                                            \
    static wg_tensor *case_##name(const case_op *o)                                                \
    {                                                                                              \
        return wg_##name(o->x[0], o->x[1], (wg_reduction)attribute(o, 0, 0));                      \
    }

CASE_LOSS(mse)
CASE_LOSS(mae)
CASE_LOSS(hinge)
CASE_LOSS(kl_divergence)

static wg_tensor *case_huber(const case_op *o)
{
    return wg_huber(o->x[0], o->x[1], attribute(o, 1, 1), (wg_reduction)attribute(o, 0, 0));
}

static wg_tensor *case_bce(const case_op *o)
{
    const wg_bce_options options = {(wg_reduction)attribute(o, 0, 0), attribute(o, 1, 0)};
    return o->n_a == 0 ? wg_bce_with_logits(o->x[0], o->x[1])
                       : wg_bce_with_logits_opt(o->x[0], o->x[1], &options);
}

/* Attributes: reduction, smoothing, whether to ignore, which label; a third operand: weights. */
static wg_cross_entropy_options class_options(const case_op *o)
{
    return (wg_cross_entropy_options){.reduction = (wg_reduction)o->a[0],
                                      .weights = o->n > 2 ? o->x[2] : NULL,
                                      .smoothing = o->a[1],
                                      .ignore = o->a[2] != 0,
                                      .ignored_label = (int64_t)o->a[3]};
}

static wg_tensor *case_cross_entropy(const case_op *o)
{
    if (o->n_a == 0)
        return wg_cross_entropy(o->x[0], o->x[1]);
    const wg_cross_entropy_options options = class_options(o);
    return wg_cross_entropy_opt(o->x[0], o->x[1], &options);
}

static wg_tensor *case_nll(const case_op *o)
{
    if (o->n_a == 0)
        return wg_nll(o->x[0], o->x[1], NULL);
    const wg_cross_entropy_options options = class_options(o);
    return wg_nll(o->x[0], o->x[1], &options);
}

/* ---- The table. ------------------------------------------------------------------------------ */

/* clang-format off */
#define AS(kind, name) {#name, .kind = wg_##name}
static const case_row rows[] = {
    AS(unary, detach), AS(unary, t), AS(unary, diagonal),
    AS(unary, sum), AS(unary, mean), AS(unary, prod), AS(unary, amax), AS(unary, amin),
    AS(unary, argmax), AS(unary, argmin), AS(unary, var), AS(unary, std), AS(unary, logsumexp),
    AS(binary, dot), AS(binary, outer), AS(binary, gather_rows),
    AS(ternary, where),
    AS(along, softmax), AS(along, log_softmax),
    AS(over, sum_over), AS(over, mean_over), AS(over, prod_over), AS(over, amax_over),
    AS(over, amin_over), AS(over, logsumexp_over),
    AS(by, var_over), AS(by, std_over), AS(by, norm_over),
    AS(place, argmax_over), AS(place, argmin_over),
    AS(axes, permute), AS(axes, squeeze), AS(axes, expand_dims),
    AS(shaped, reshape), AS(shaped, broadcast_to), AS(many, concat), AS(many, stack),
    {"cast_f32", .other = case_cast_f32}, {"cast_i64", .other = case_cast_i64},
    {"norm", .other = case_norm}, {"transpose", .other = case_transpose},
    {"sum_to", .other = case_sum_to}, {"slice", .other = case_slice}, {"pad", .other = case_pad},
    {"split", .other = case_split}, {"scatter_add_rows", .other = case_scatter_add_rows},
    {"gather", .other = case_gather}, {"scatter_add", .other = case_scatter_add},
    {"one_hot", .other = case_one_hot}, {"diagonal_embed", .other = case_diagonal_embed},
    {"matmul", .other = case_matmul}, {"csr_matmul", .other = case_csr_matmul},
    {"cumsum", .other = case_cumsum}, {"cumsum_reverse", .other = case_cumsum_reverse},
    {"layer_norm", .other = case_layer_norm},
    {"mse", .other = case_mse}, {"mae", .other = case_mae}, {"hinge", .other = case_hinge},
    {"kl_divergence", .other = case_kl_divergence}, {"huber", .other = case_huber},
    {"bce_with_logits", .other = case_bce}, {"cross_entropy", .other = case_cross_entropy},
    {"nll", .other = case_nll},
};
/* clang-format on */

static wg_tensor *record_reduction(const case_row *row, const case_op *o)
{
    if (row->over != NULL) {
        const case_list axes = list_from(o, 1);
        return row->over(o->x[0], axes.n, axes.axis, o->a[0] != 0);
    }
    const case_list axes = list_from(o, 2);
    return row->by(o->x[0], o->a[0], axes.n, axes.axis, o->a[1] != 0);
}

static wg_tensor *record(const case_row *row, const case_op *o)
{
    if (row->other != NULL)
        return row->other(o);
    if (row->unary != NULL)
        return row->unary(o->x[0]);
    if (row->binary != NULL)
        return row->binary(o->x[0], o->x[1]);
    if (row->ternary != NULL)
        return row->ternary(o->x[0], o->x[1], o->x[2]);
    if (row->over != NULL || row->by != NULL)
        return record_reduction(row, o);
    const case_list all = list_from(o, 0);
    if (row->along != NULL)
        return row->along(o->x[0], all.axis[0]);
    if (row->place != NULL)
        return row->place(o->x[0], all.axis[0], o->a[1] != 0);
    if (row->axes != NULL)
        return row->axes(o->x[0], all.n, all.axis);
    if (row->shaped != NULL)
        return row->shaped(o->x[0], all.n, all.size);
    return row->many(o->x, o->n, all.axis[0]);
}

wg_tensor *wgt_case_op(const wgt_line *line, wg_tensor *const node[])
{
    case_op o = {.n = line->n_integers, .a = line->number, .n_a = line->n_numbers};
    ck_assert_int_le(o.n, LIST);
    for (int i = 0; i < o.n; i++)
        o.x[i] = node[line->integer[i]];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].name, line->name) == 0)
            return record(&rows[i], &o);
    }
    const wg_op *op = wg_op_find(line->name);
    if (op == NULL || !(op->flags & WG_OP_ELEMENTWISE))
        return NULL;
    ck_assert_uint_eq((size_t)o.n_a * sizeof *o.a, op->attr_size);
    return wg_apply(op, o.x, o.n, o.a);
}
