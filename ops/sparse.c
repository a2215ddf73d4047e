/* sparse.c: products with matrices in compressed sparse rows (CSR). */
#include "ops/kernels/sparse.h"
#include "ops/axes_internal.h"
#include "ops/describe_internal.h"
#include "ops/index_internal.h"
#include "ops/sparse_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define CSR_PIECE             16384
#define CSR_PIECES_TRANSPOSED 8

/* ---- The pattern: operands start [rows + 1] and column [entries]. ---------------------------- */

const char *wg_sparse_wrong(int64_t rows, int64_t columns, int64_t entries, const int64_t *start,
                            const int64_t *column, int64_t *at)
{
    *at = 0;
    if (start[0] != 0)
        return "start does not begin with 0";
    for (int64_t r = 0; r < rows; r++) {
        *at = r;
        if (start[r + 1] < start[r] || start[r + 1] > entries)
            return "start falls, or passes the number of entries, behind row";
        for (int64_t p = start[r]; p < start[r + 1]; p++)
            if (column[p] < (p > start[r] ? column[p - 1] + 1 : 0) || column[p] >= columns)
                return "columns do not rise, or are out of range, in row";
    }
    return start[rows] == entries ? NULL
                                  : "start does not end with the number of entries, behind row";
}

/* There may be more entries than the rows have: they stand behind the last row's, and are of no
 * row. */
static bool sparse_check(const wg_tensor *y, const wg_tensor *start, const wg_tensor *column,
                         int64_t columns)
{
    const int64_t rows = start->size - 1, last = ((const int64_t *)start->data)[rows];
    const int64_t entries = last >= 0 && last < column->size && rows > 0 ? last : column->size;
    int64_t at;
    const char *wrong = wg_sparse_wrong(rows, columns, entries, start->data, column->data, &at);
    return wrong == NULL || wg_op_fail(y, WG_E_INDEX, "%s %" PRId64, wrong, at);
}

/* Do dtypes and shapes fit? a and b are the two float operands. */
static bool sparse_fits(const wg_tensor *y, const wg_tensor *a, const wg_tensor *b, int start)
{
    const wg_tensor *s = y->operand[start], *c = y->operand[start + 1];
    if (s->dtype != WG_I64 || c->dtype != WG_I64)
        return wg_op_fail(y, WG_E_DTYPE, "start and column are to be i64");
    if (a->dtype != b->dtype)
        return wg_op_fail(y, WG_E_DTYPE, "dtypes differ");
    if (a->dtype == WG_I64)
        return wg_op_fail(y, WG_E_DTYPE, "f32 or f64 wanted (wg_cast converts)");
    if (s->shape.ndim != 1 || c->shape.ndim != 1 || s->shape.dim[0] < 1)
        return wg_op_fail(y, WG_E_SHAPE, "start (rows + 1) and column (entries) wanted");
    return true;
}

/* ---- csr_matmul: operands value, start, column, b. ------------------------------------------- */

typedef struct csr_matmul_attrs {
    int64_t columns; /* of A */
    int64_t transpose;
} csr_matmul_attrs;

static int64_t csr_matmul_rows(const wg_tensor *y)
{
    return wg_shape_size(&y->operand[1]->shape) - 1;
}

static bool csr_matmul_shape(wg_tensor *y)
{
    const csr_matmul_attrs *attrs = y->attrs;
    const wg_tensor *value = y->operand[0], *b = y->operand[3];
    if (!sparse_fits(y, value, b, 1))
        return false;
    if (!wg_shape_same(&value->shape, &y->operand[2]->shape))
        return wg_op_fail(y, WG_E_SHAPE, "a value for each column wanted");
    if (attrs->columns < 0)
        return wg_op_fail(y, WG_E_VALUE, "%" PRId64 " columns", attrs->columns);
    int64_t m = csr_matmul_rows(y), n = attrs->columns;
    if (b->shape.ndim != 2 || b->shape.dim[0] != (attrs->transpose ? m : n))
        return wg_op_fail(y, WG_E_SHAPE,
                          "A (%" PRId64 ", %" PRId64 ")%s wants a matrix of %" PRId64 " rows", m, n,
                          attrs->transpose ? " transposed" : "", attrs->transpose ? m : n);
    y->dtype = b->dtype;
    y->shape = (wg_shape){2, {attrs->transpose ? n : m, b->shape.dim[1]}};
    return true;
}

static bool csr_matmul_check(const wg_tensor *y)
{
    const csr_matmul_attrs *attrs = y->attrs;
    return sparse_check(y, y->operand[1], y->operand[2], attrs->columns);
}

static int64_t csr_matmul_chunks(const wg_tensor *y)
{
    return y->shape.dim[0];
}

/* Rows of A: so many that a piece has CSR_PIECE products. Rows of A^T: every piece has to walk all
 * rows of A, hence there are few. */
static int64_t csr_matmul_piece_chunks(const wg_tensor *y)
{
    const csr_matmul_attrs *attrs = y->attrs;
    int64_t rows = y->shape.dim[0], pieces = CSR_PIECES_TRANSPOSED;
    if (!attrs->transpose)
        pieces = y->operand[0]->size / CSR_PIECE * y->shape.dim[1] + 1;
    return rows / pieces + 1;
}

/* The most that a piece needs: one piece may be all of it. */
static size_t csr_matmul_workspace(const wg_tensor *y)
{
    const csr_matmul_attrs *attrs = y->attrs;
    return attrs->transpose
               ? 2 * (size_t)wg_shape_size(&y->shape) * wgk_real_size(wg_kernel_type(y))
               : 0;
}

static wgk_csr csr_matmul_matrix(const wg_tensor *y)
{
    return (wgk_csr){csr_matmul_rows(y), y->operand[1]->data, y->operand[2]->data,
                     y->operand[0]->data};
}

static void csr_matmul_forward(const wg_tensor *y, const wg_piece *piece)
{
    const csr_matmul_attrs *attrs = y->attrs;
    const wgk_csr a = csr_matmul_matrix(y);
    const void *b = y->operand[3]->data;
    const wgk_type type = wg_kernel_type(y);
    int64_t k = y->shape.dim[1];
    if (attrs->transpose)
        wgk_csr_transposed_times(&a, type, k, b, piece->begin, piece->end, y->data,
                                 piece->workspace);
    else
        wgk_csr_times(&a, type, k, b, piece->begin, piece->end, y->data);
}

static wg_tensor *csr_sampled_record(wg_tensor *start, wg_tensor *column, wg_tensor *u,
                                     wg_tensor *v);

static wg_tensor *csr_matmul_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    const csr_matmul_attrs *attrs = y->attrs;
    wg_tensor *value = y->operand[0], *start = y->operand[1], *column = y->operand[2];
    wg_tensor *b = y->operand[3];
    if (i == 3)
        return wg_sparse_matmul(value, start, column, attrs->columns, !attrs->transpose, dy);
    if (i != 0)
        return NULL;
    return attrs->transpose ? csr_sampled_record(start, column, b, dy)
                            : csr_sampled_record(start, column, dy, b);
}

static void csr_matmul_describe(const wg_tensor *y, char *text, size_t size)
{
    if (((const csr_matmul_attrs *)y->attrs)->transpose)
        wg_describe_add(text, size, "A transposed");
}

/* The pattern, where it is not a constant of the file: `columns` columns. */
static void sparse_write_check(wg_c_writer *c, const wg_tensor *start, const wg_tensor *column,
                               int64_t columns)
{
    wg_c_nest all;
    const int64_t rows = start->size - 1, one = 1;
    wg_c_check(c, column, columns, NULL);
    if (!(start->state & WG_NODE_LIVE))
        return;
    wg_c_check(c, start, column->size + 1, NULL);
    wg_c_strided(&all, 1, &rows, &one, &one);
    all.start[1] = 1;
    wg_c_open_one(c, &all);
    wg_c_line(c, "if (%s > %s)", wg_c_element(c, start, wg_c_at(&all, NULL, 0).s).s,
              wg_c_element(c, start, wg_c_at(&all, NULL, 1).s).s);
    wg_c_line(c, "    return 1;");
    wg_c_close_one(c, &all);
}

/* Opens the rows of A, each with its entries, number `at`. */
static wg_text sparse_write_open(wg_c_writer *c, const wg_tensor *start, wg_c_nest *rows)
{
    wg_c_each(rows, start->size - 1);
    wg_c_open(c, rows);
    const wg_text r = wg_c_at(rows, NULL, 0);
    wg_c_nest next = *rows;
    next.start[0] = 1;
    wg_c_line(c, "for (%I at = %s; at < %s; at++) {", wg_c_element(c, start, r.s).s,
              wg_c_element(c, start, wg_c_at(&next, NULL, 0).s).s);
    return r;
}

/* "r * 5 + j" and "column[at] * 5 + j": element j of the rows of k that belong to the row and to
 * the column of entry `at`. */
static void sparse_write_places(const wg_c_writer *c, const wg_tensor *column, int64_t k,
                                const char *row, const char *j, wg_text place[2])
{
    place[0] = wg_c_text_of(c, "%s * %" PRId64 " + %s", row, k, j);
    place[1] = wg_index_table_at(c, column, "at", k, j);
}

static void csr_matmul_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row)
{
    const csr_matmul_attrs *attrs = y->attrs;
    const int64_t k = y->shape.dim[1];
    wg_c_nest rows, each;
    wg_text place[2];
    (void)row;
    sparse_write_check(c, y->operand[1], y->operand[2], attrs->columns);
    wg_c_fill(c, 0);
    const wg_text r = sparse_write_open(c, y->operand[1], &rows);
    wg_c_each(&each, k);
    wg_c_open_one(c, &each);
    sparse_write_places(c, y->operand[2], k, r.s, wg_c_at(&each, NULL, 0).s, place);
    wg_c_line(c, "%y += %a * %d;", place[attrs->transpose].s, "at", place[!attrs->transpose].s);
    wg_c_close_one(c, &each);
    wg_c_line(c, "}");
    wg_c_close(c, &rows);
}

static const wg_op wg_op_csr_matmul = {
    .name = "csr_matmul",
    .formula = WG_OP_TEXT("y = A b, or A' b; A sparse rows"),
    .source = WG_OP_TEXT("Saad 2003, Iterative methods for sparse linear systems, sec. 3.5"),
    .arity = 4,
    .flags = WG_OP_WIDE,
    .attr_size = sizeof(csr_matmul_attrs),
    .describe = csr_matmul_describe,
    .shape = csr_matmul_shape,
    .check = csr_matmul_check,
    .forward = csr_matmul_forward,
    .vjp = csr_matmul_vjp,
    .chunks = csr_matmul_chunks,
    .piece_chunks = csr_matmul_piece_chunks,
    .workspace = csr_matmul_workspace,
    .write_c = WG_WRITES_C(csr_matmul_write_c),
};

wg_tensor *wg_sparse_matmul(wg_tensor *value, wg_tensor *start, wg_tensor *column, int64_t columns,
                            bool transpose, wg_tensor *b)
{
    csr_matmul_attrs attrs = {columns, transpose};
    return wg_apply(&wg_op_csr_matmul, (wg_tensor *[]){value, start, column, b}, 4, &attrs);
}

/* ---- csr_sampled: operands start, column, u, v. The gradient of csr_matmul by A's values. */

static bool csr_sampled_shape(wg_tensor *y)
{
    const wg_tensor *start = y->operand[0], *u = y->operand[2], *v = y->operand[3];
    if (!sparse_fits(y, u, v, 0))
        return false;
    if (u->shape.ndim != 2 || v->shape.ndim != 2 || u->shape.dim[1] != v->shape.dim[1] ||
        u->shape.dim[0] != start->shape.dim[0] - 1)
        return wg_op_fail(y, WG_E_SHAPE, "u (rows, k) and v (columns, k) wanted");
    y->dtype = u->dtype;
    y->shape = y->operand[1]->shape;
    return true;
}

static bool csr_sampled_check(const wg_tensor *y)
{
    return sparse_check(y, y->operand[0], y->operand[1], y->operand[3]->shape.dim[0]);
}

static int64_t csr_sampled_chunks(const wg_tensor *y)
{
    return y->operand[2]->shape.dim[0];
}

static void csr_sampled_forward(const wg_tensor *y, const wg_piece *piece)
{
    const wg_tensor *u = y->operand[2], *v = y->operand[3];
    const wgk_csr a = {u->shape.dim[0], y->operand[0]->data, y->operand[1]->data, NULL};
    wgk_csr_sampled(&a, wg_kernel_type(y), u->shape.dim[1], u->data, v->data, piece->begin,
                    piece->end, y->data);
    const size_t width = wg_dtype_size(y->dtype), used = (size_t)a.start[a.rows];
    if (piece->end == a.rows && used < (size_t)y->size) /* entries of no row */
        memset((char *)y->data + used * width, 0, ((size_t)y->size - used) * width);
}

/* y is linear in u and v, and dy are values at the pattern: du = Dy v, dv = Dy^T u. */
static wg_tensor *csr_sampled_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    wg_tensor *start = y->operand[0], *column = y->operand[1], *v = y->operand[3];
    if (i < 2)
        return NULL;
    return wg_sparse_matmul(dy, start, column, v->shape.dim[0], i == 3, i == 2 ? v : y->operand[2]);
}

static void csr_sampled_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row)
{
    const int64_t k = y->operand[2]->shape.dim[1];
    wg_c_nest rows, each;
    wg_text place[2];
    (void)row;
    sparse_write_check(c, y->operand[0], y->operand[1], y->operand[3]->shape.dim[0]);
    wg_c_fill(c, 0);
    const wg_text r = sparse_write_open(c, y->operand[0], &rows);
    wg_c_line(c, "%T sum = 0;");
    wg_c_each(&each, k);
    wg_c_open_one(c, &each);
    sparse_write_places(c, y->operand[1], k, r.s, wg_c_at(&each, NULL, 0).s, place);
    wg_c_line(c, "sum += %c * %d;", place[0].s, place[1].s);
    wg_c_close_one(c, &each);
    wg_c_line(c, "%y = sum;", "at");
    wg_c_line(c, "}");
    wg_c_close(c, &rows);
}

static const wg_op wg_op_csr_sampled = {
    .name = "csr_sampled",
    .formula = WG_OP_TEXT("y[p] = u[r] . v[c] for entry p in row r and column c"),
    .arity = 4,
    .flags = WG_OP_WIDE,
    .shape = csr_sampled_shape,
    .check = csr_sampled_check,
    .forward = csr_sampled_forward,
    .vjp = csr_sampled_vjp,
    .chunks = csr_sampled_chunks,
    .write_c = WG_WRITES_C(csr_sampled_write_c),
};

static wg_tensor *csr_sampled_record(wg_tensor *start, wg_tensor *column, wg_tensor *u,
                                     wg_tensor *v)
{
    return wg_apply(&wg_op_csr_sampled, (wg_tensor *[]){start, column, u, v}, 4, NULL);
}

const wg_op *const wg_ops_sparse[] = {&wg_op_csr_matmul, &wg_op_csr_sampled, NULL};
