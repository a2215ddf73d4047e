/* matmul.c: the matrix product, with batches and transposes; dot and outer products. */
#include "ops/matmul.h"
#include "autograd/compile/c_writer.h"
#include "autograd/tape_internal.h"

#include "ops/axes_internal.h"
#include "ops/describe_internal.h"
#include "ops/elementwise.h"
#include "ops/kernels/gemm.h"
#include "ops/layout.h"

typedef struct matmul_attrs {
    uint32_t transpose_a, transpose_b;
} matmul_attrs;

/* One operand as a stack of matrices [rows, columns], as they are stored. */
typedef struct matmul_side {
    int batch_rank;
    const int64_t *batch; /* [batch_rank] the leading axes, in the operand's shape */
    int64_t rows, columns;
    bool transpose;
} matmul_side;

/* y [batch, m, n] from op(a) [batch_a, m, k] and op(b) [batch_b, k, n]. Of `batch`, as it is made
 * for every product, small ones too, dim[ndim..] is not set. */
typedef struct matmul_job {
    matmul_side a, b;
    wg_shape batch;
    int64_t m, n, k;
} matmul_job;

/* One axis is a row on the left and a column on the right, transposed or not. */
static matmul_side matmul_side_of(const wg_tensor *x, bool left, bool transpose)
{
    const wg_shape *shape = &x->shape;
    matmul_side side = {.batch = shape->dim, .transpose = shape->ndim > 1 && transpose};
    if (shape->ndim == 1) {
        side.rows = left ? 1 : shape->dim[0];
        side.columns = left ? shape->dim[0] : 1;
        return side;
    }
    side.batch_rank = shape->ndim - 2;
    side.rows = shape->dim[shape->ndim - 2];
    side.columns = shape->dim[shape->ndim - 1];
    return side;
}

static wg_shape matmul_batch_shape(const matmul_side *side)
{
    wg_shape shape = {.ndim = side->batch_rank};
    for (int i = 0; i < shape.ndim; i++)
        shape.dim[i] = side->batch[i];
    return shape;
}

static int64_t matmul_count(int ndim, const int64_t *dim)
{
    int64_t count = 1;
    for (int i = 0; i < ndim; i++)
        count *= dim[i];
    return count;
}

/* False where the batch axes do not broadcast. Both ndims are at least 1. */
static bool matmul_job_of(const wg_tensor *y, matmul_job *job)
{
    const matmul_attrs *attrs = y->attrs;
    job->a = matmul_side_of(y->operand[0], true, attrs->transpose_a);
    job->b = matmul_side_of(y->operand[1], false, attrs->transpose_b);
    job->m = job->a.transpose ? job->a.columns : job->a.rows;
    job->k = job->a.transpose ? job->a.rows : job->a.columns;
    job->n = job->b.transpose ? job->b.rows : job->b.columns;
    job->batch.ndim = 0;
    if (job->a.batch_rank == 0 && job->b.batch_rank == 0)
        return true;
    wg_shape a = matmul_batch_shape(&job->a), b = matmul_batch_shape(&job->b);
    return wg_shape_broadcast(&a, &b, &job->batch);
}

static const char *matmul_transposed(const matmul_attrs *attrs)
{
    static const char *const words[] = {"", " (the first is transposed)",
                                        " (the second is transposed)", " (both are transposed)"};
    return words[(attrs->transpose_a ? 1 : 0) + (attrs->transpose_b ? 2 : 0)];
}

static bool matmul_operands_fit(const wg_tensor *y, matmul_job *job)
{
    const wg_tensor *a = y->operand[0], *b = y->operand[1];
    if (a->dtype != b->dtype)
        return wg_op_fail(y, WG_E_DTYPE, "dtypes differ");
    if (a->dtype == WG_I64)
        return wg_op_fail(y, WG_E_DTYPE, "f32 or f64 wanted (wg_cast converts)");
    if (a->shape.ndim == 0 || b->shape.ndim == 0)
        return wg_op_fail(y, WG_E_SHAPE, "an operand has no axes (wg_mul takes scalars)");
    bool batch_fits = matmul_job_of(y, job);
    if (job->k != (job->b.transpose ? job->b.columns : job->b.rows))
        return wg_op_fail(y, WG_E_SHAPE, "inner sizes differ%s", matmul_transposed(y->attrs));
    if (!batch_fits)
        return wg_op_fail(y, WG_E_SHAPE, "batch axes do not broadcast");
    return true;
}

static bool matmul_shape(wg_tensor *y)
{
    matmul_job job;
    if (!matmul_operands_fit(y, &job))
        return false;
    y->dtype = y->operand[0]->dtype;
    y->shape.ndim = job.batch.ndim;
    for (int i = 0; i < job.batch.ndim; i++)
        y->shape.dim[i] = job.batch.dim[i];
    if (y->operand[0]->shape.ndim > 1)
        y->shape.dim[y->shape.ndim++] = job.m;
    if (y->operand[1]->shape.ndim > 1)
        y->shape.dim[y->shape.ndim++] = job.n;
    return true;
}

/* ---- Forward: one GEMM for each matrix of the batch, or one for all -------------------------- */

/* A stack on the left times one matrix is one product with all rows of the stack: in the rule of
 * reverse mode, the sum over the batch that b's cotangent needs is then part of the product. */
static void matmul_fold(matmul_job *job)
{
    if (job->batch.ndim == 0 || job->a.transpose ||
        matmul_count(job->b.batch_rank, job->b.batch) != 1)
        return;
    job->m *= matmul_count(job->batch.ndim, job->batch.dim);
    job->a.rows = job->m;
    job->batch.ndim = job->a.batch_rank = job->b.batch_rank = 0;
}

typedef struct matmul_plan {
    matmul_job job; /* folded */
    wgk_gemm_plan gemm;
} matmul_plan;

static void matmul_plan_fill(const wg_tensor *y)
{
    matmul_plan *plan = y->plan;
    matmul_job *job = &plan->job;
    matmul_job_of(y, job);
    matmul_fold(job);
    wgk_gemm_plan_init(&plan->gemm, wg_kernel_type(y), job->a.transpose, job->b.transpose, job->m,
                       job->n, job->k);
}

/* Where the inner axis is cut, pieces share partial sums: such a product is one unit of work. */
static int64_t matmul_unit_pieces(const wgk_gemm_plan *plan)
{
    return plan->partials > 0 ? plan->pieces : 1;
}

/* Units of work of one matrix of the batch. */
static int64_t matmul_units_each(const wgk_gemm_plan *plan)
{
    return plan->partials > 0 ? 1 : plan->pieces;
}

/* The user's own product, where the tape has one; it is given whole matrices. */
static wg_gemm *matmul_hook(const wg_tensor *y, const matmul_job *job)
{
    return job->k > 0 && y->dtype != WG_WIDE ? y->tape->options.gemm : NULL;
}

static int64_t matmul_chunks(const wg_tensor *y)
{
    const matmul_plan *plan = y->plan;
    int64_t matrices = matmul_count(plan->job.batch.ndim, plan->job.batch.dim);
    if (matmul_hook(y, &plan->job) != NULL)
        return matrices;
    return matrices * matmul_units_each(&plan->gemm);
}

static size_t matmul_workspace_used(const wgk_gemm_plan *plan)
{
    return (plan->workspace + 63) & ~(size_t)63;
}

static size_t matmul_workspace(const wg_tensor *y)
{
    const wgk_gemm_plan *gemm = &((const matmul_plan *)y->plan)->gemm;
    return matmul_workspace_used(gemm) + gemm->partials;
}

/* Which of the operand's matrices belongs to matrix `at` of the batch. */
static int64_t matmul_matrix(const wg_shape *batch, int64_t at, const matmul_side *own)
{
    int64_t matrix = 0, stride = 1;
    int shift = batch->ndim - own->batch_rank;
    for (int i = batch->ndim - 1; i >= shift; i--) {
        int64_t index = at % batch->dim[i], size = own->batch[i - shift];
        at /= batch->dim[i];
        matrix += size == 1 ? 0 : index * stride;
        stride *= size;
    }
    return matrix;
}

/* Of two operands, one of which is read in blocks of its rows, the larger one is: how far it is to
 * the next block. */
static int64_t matmul_ahead(const wg_tensor *a, const wg_tensor *b)
{
    const wg_tensor *x = a->size >= b->size ? a : b;
    return x->state & WG_NODE_FOLLOWED ? x->size * (int64_t)wg_dtype_size(x->dtype) : 0;
}

static wgk_gemm_operands matmul_operands(const wg_tensor *y, const matmul_job *job, int64_t at)
{
    wgk_gemm_operands o = {.a = y->operand[0]->data, .b = y->operand[1]->data, .c = y->data};
    o.lda = job->a.columns;
    o.ldb = job->b.columns;
    o.ldc = job->n;
    if (job->batch.ndim > 0) {
        const int64_t size = (int64_t)wg_dtype_size(y->dtype);
        const int64_t a = matmul_matrix(&job->batch, at, &job->a);
        const int64_t b = matmul_matrix(&job->batch, at, &job->b);
        o.a = (const char *)o.a + a * job->a.rows * job->a.columns * size;
        o.b = (const char *)o.b + b * job->b.rows * job->b.columns * size;
        o.c = (char *)o.c + at * job->m * job->n * size;
    }
    if ((y->operand[0]->state | y->operand[1]->state) & WG_NODE_FOLLOWED)
        o.ahead = matmul_ahead(y->operand[0], y->operand[1]);
    return o;
}

static void matmul_forward_hook(const wg_tensor *y, const matmul_job *job, const wg_piece *piece)
{
    wg_gemm *gemm = matmul_hook(y, job);
    for (int64_t i = piece->begin; i < piece->end; i++) {
        wgk_gemm_operands o = matmul_operands(y, job, i);
        gemm(y->dtype, job->a.transpose, job->b.transpose, job->m, job->n, job->k, o.a, o.lda, o.b,
             o.ldb, o.c, o.ldc, y->tape->options.gemm_user);
    }
}

static void matmul_forward(const wg_tensor *y, const wg_piece *piece)
{
    const matmul_plan *plan = y->plan;
    const wgk_gemm_plan *gemm = &plan->gemm;
    if (matmul_hook(y, &plan->job) != NULL) {
        matmul_forward_hook(y, &plan->job, piece);
        return;
    }
    int64_t together = matmul_unit_pieces(gemm), chunks = matmul_units_each(gemm);
    char *partials = gemm->partials > 0 ? (char *)piece->workspace + matmul_workspace_used(gemm)
                                        : NULL;
    int64_t matrix = chunks == 1 ? piece->begin : piece->begin / chunks;
    int64_t part = piece->begin - matrix * chunks;
    for (int64_t unit = piece->begin, count; unit < piece->end; unit += count, matrix++, part = 0) {
        wgk_gemm_operands o = matmul_operands(y, &plan->job, matrix);
        count = chunks - part < piece->end - unit ? chunks - part : piece->end - unit;
        wgk_gemm_run_pieces(gemm, &o, part * together, (part + count) * together, piece->workspace,
                            partials);
        if (partials != NULL)
            wgk_gemm_finish(gemm, &o, partials);
    }
}

/* Matrices of a batch, not rows of one. */
static bool matmul_by_rows(const wg_tensor *y, int k)
{
    const matmul_job *job = &((const matmul_plan *)y->plan)->job;
    const matmul_side *side = k == 0 ? &job->a : &job->b;
    return job->batch.ndim > 0 && side->batch_rank == job->batch.ndim &&
           side->batch[0] == job->batch.dim[0];
}

/* ---- Reverse --------------------------------------------------------------------------------- */

static wg_tensor *matmul_stack(wg_tensor *x, int batch_rank, const int64_t *batch, int64_t rows,
                               int64_t columns)
{
    wg_shape shape = {.ndim = batch_rank};
    for (int i = 0; i < batch_rank; i++)
        shape.dim[i] = batch[i];
    shape.dim[shape.ndim++] = rows;
    shape.dim[shape.ndim++] = columns;
    return wg_is_inert(x) || wg_shape_same(&x->shape, &shape)
               ? x
               : wg_reshape(x, shape.ndim, shape.dim);
}

static wg_tensor *matmul_stack_side(wg_tensor *x, const matmul_side *side)
{
    return matmul_stack(x, side->batch_rank, side->batch, side->rows, side->columns);
}

/* With Y = op(A) op(B): the cotangent of op(A) is dY op(B)^T, that of op(B) is op(A)^T dY. */
static wg_tensor *matmul_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    const matmul_job *job = &((const matmul_plan *)y->plan)->job;
    bool ta = job->a.transpose, tb = job->b.transpose;
    wg_tensor *a = matmul_stack_side(y->operand[0], &job->a);
    wg_tensor *b = matmul_stack_side(y->operand[1], &job->b);
    wg_tensor *d = matmul_stack(dy, job->batch.ndim, job->batch.dim, job->m, job->n);
    wg_tensor *g, *x = y->operand[i];
    if (i == 0)
        g = ta ? wg_matmul_t(b, tb, d, true) : wg_matmul_t(d, false, b, !tb);
    else
        g = tb ? wg_matmul_t(d, true, a, ta) : wg_matmul_t(a, !ta, d, false);
    g = wg_sum_to(g, i == 0 ? a : b);
    return wg_is_inert(g) || wg_shape_same(&g->shape, &x->shape)
               ? g
               : wg_reshape(g, x->shape.ndim, x->shape.dim);
}

static void matmul_describe(const wg_tensor *y, char *text, size_t size)
{
    const matmul_attrs *attrs = y->attrs;
    if (attrs->transpose_a)
        wg_describe_add(text, size, "a transposed");
    if (attrs->transpose_b)
        wg_describe_add(text, size, "b transposed");
}

/* ---- As C ------------------------------------------------------------------------------------ */

/* Loops over the matrices of a batch, and their rows; arrays: 0 y, 1 a, 2 b. */
static void matmul_write_outer(wg_c_nest *outer, const matmul_job *job)
{
    int64_t own[WG_MAX_DIMS][3],
        next[3] = {job->m * job->n, job->a.rows * job->a.columns, job->b.rows * job->b.columns};
    for (int i = job->batch.ndim - 1; i >= 0; i--) {
        const matmul_side *side[] = {NULL, &job->a, &job->b};
        own[i][0] = next[0];
        next[0] *= job->batch.dim[i];
        for (int k = 1; k < 3; k++) {
            int axis = i - (job->batch.ndim - side[k]->batch_rank);
            bool walks = axis >= 0 && side[k]->batch[axis] != 1;
            own[i][k] = walks ? next[k] : 0;
            next[k] *= axis >= 0 ? side[k]->batch[axis] : 1;
        }
    }
    wg_c_nest_init(outer, 3);
    for (int i = 0; i < job->batch.ndim; i++)
        wg_c_nest_add(outer, job->batch.dim[i], own[i]);
    wg_c_nest_add(outer, job->m,
                  (const int64_t[]){job->n, job->a.transpose ? 1 : job->a.columns, 0});
}

/* y_j = sum_k a_k b_kj, the sum in a variable: b is read along k. */
static void matmul_write_dots(wg_c_writer *c, const wg_c_nest *outer, wg_c_nest *j, wg_c_nest *k)
{
    if (k->n_loops == 0) {
        wg_c_open_one(c, j);
        wg_c_line(c, "%y = %a * %b;", wg_c_at(outer, j, 0).s, wg_c_at(outer, j, 1).s,
                  wg_c_at(outer, j, 2).s);
        wg_c_close_one(c, j);
        return;
    }
    wg_c_open(c, j);
    const wg_c_nest column = wg_c_inside(outer, j);
    wg_c_line(c, "%T sum = 0;");
    wg_c_open_one(c, k);
    wg_c_line(c, "sum += %a * %b;", wg_c_at(&column, k, 1).s, wg_c_at(&column, k, 2).s);
    wg_c_close_one(c, k);
    wg_c_line(c, "%y = sum;", wg_c_at(&column, NULL, 0).s);
    wg_c_close(c, j);
}

/* y = sum_k a_k b_k, b_k a row of b: what compilers vectorize. */
static void matmul_write_rows(wg_c_writer *c, const wg_c_nest *outer, wg_c_nest *j, wg_c_nest *k)
{
    wg_c_open_one(c, j);
    wg_c_line(c, "%y = 0;", wg_c_at(outer, j, 0).s);
    wg_c_close_one(c, j);
    wg_c_open_one(c, k);
    wg_c_open_one(c, j);
    const wg_c_nest inner = wg_c_inside(k, j);
    wg_c_line(c, "%y += %a * %b;", wg_c_at(outer, &inner, 0).s, wg_c_at(outer, &inner, 1).s,
              wg_c_at(outer, &inner, 2).s);
    wg_c_close_one(c, j);
    wg_c_close_one(c, k);
}

static void matmul_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row)
{
    const matmul_job *job = &((const matmul_plan *)y->plan)->job;
    const bool ta = job->a.transpose, tb = job->b.transpose;
    wg_c_nest outer, j, k;
    matmul_write_outer(&outer, job);
    const bool blocks = outer.n_loops > 0 && job->k != 1; /* one statement needs no braces */
    if (row != NULL) {                                    /* a matrix: its rows are open */
        outer.first = row->first;
        outer.stride[0][0] = 0;
    } else if (blocks)
        wg_c_open(c, &outer);
    else
        wg_c_open_one(c, &outer);
    wg_c_nest_init(&j, 3);
    wg_c_nest_init(&k, 3);
    wg_c_nest_add(&j, job->n, (const int64_t[]){1, 0, tb ? job->b.columns : 1});
    wg_c_nest_add(&k, job->k,
                  (const int64_t[]){0, ta ? job->a.columns : 1, tb ? 1 : job->b.columns});
    if (tb || job->n == 1 || job->k == 1)
        matmul_write_dots(c, &outer, &j, &k);
    else
        matmul_write_rows(c, &outer, &j, &k);
    if (row == NULL && blocks)
        wg_c_close(c, &outer);
    else if (row == NULL)
        wg_c_close_one(c, &outer);
}

static const wg_op wg_op_matmul = {
    .name = "matmul",
    .formula = WG_OP_TEXT("y = a b"),
    .notation = WG_OP_TEXT("matmul(a, b) = a @ b"),
    .source = WG_OP_TEXT(
        "Giles 2008, Collected matrix derivative results for forward and reverse mode "
        "algorithmic differentiation, sec. 2.2.2"),
    .arity = 2,
    .flags = WG_OP_WIDE | WG_OP_ROWS,
    .attr_size = sizeof(matmul_attrs),
    .describe = matmul_describe,
    .shape = matmul_shape,
    .plan_size = sizeof(matmul_plan),
    .plan = matmul_plan_fill,
    .forward = matmul_forward,
    .vjp = matmul_vjp,
    .chunks = matmul_chunks,
    .workspace = matmul_workspace,
    .by_rows = matmul_by_rows,
    .write_c = WG_WRITES_C(matmul_write_c),
};

wg_tensor *wg_matmul(wg_tensor *a, wg_tensor *b)
{
    return wg_matmul_t(a, false, b, false);
}

wg_tensor *wg_matmul_t(wg_tensor *a, bool transpose_a, wg_tensor *b, bool transpose_b)
{
    matmul_attrs attrs = {transpose_a, transpose_b};
    return wg_apply(&wg_op_matmul, (wg_tensor *[]){a, b}, 2, &attrs);
}

/* ---- dot, outer ------------------------------------------------------------------------------ */

static bool matmul_vectors(const char *op, const wg_tensor *a, const wg_tensor *b)
{
    if (wg_is_inert(a) || wg_is_inert(b) || (a->shape.ndim == 1 && b->shape.ndim == 1))
        return true; /* matmul or mul says what is wrong with an inert one */
    wg_fail(a->tape, WG_E_SHAPE, "%s: two tensors of one axis wanted: %s x %s", op,
            wg_tensor_text(a).s, wg_tensor_text(b).s);
    return false;
}

wg_tensor *wg_dot(wg_tensor *a, wg_tensor *b)
{
    matmul_vectors("dot", a, b);
    return wg_matmul(a, b);
}

wg_tensor *wg_outer(wg_tensor *a, wg_tensor *b)
{
    if (!matmul_vectors("outer", a, b) || wg_is_inert(a) || wg_is_inert(b))
        return wg_mul(a, b);
    wg_tensor *column = wg_reshape(a, WG_SHAPE(a->size, 1));
    return wg_mul(column, b);
}

const wg_op *const wg_ops_matmul[] = {&wg_op_matmul, NULL};
