/* Whole matrices of derivatives: Jacobians, by rows or by columns, and Hessians. */
#include "autograd/derivatives/derivatives_internal.h"

#include "autograd/grad.h"
#include "autograd/tape_internal.h"

#include <string.h>

/* d(ys)/d(xs) as a matrix [rows, columns]. By rows: the VJP is recorded once, with a cotangent leaf
 * for each y. By columns: the JVP, with a tangent leaf for each x. Then it is replayed for each row
 * or column, with one entry of one of these leaves set. */
typedef struct jacobian {
    wg_tape *t;
    wg_tensor *const *ys, *const *xs;
    int m, n;
    bool again;         /* the ys are derivatives themselves */
    wg_tensor **seed;   /* inputs like the ys or the xs, zero but for one entry */
    wg_tensor **result; /* [n] like the xs, or the one y's */
    wg_plan plan;
} jacobian;

static int64_t jacobian_sizes(wg_tensor *const list[], int n)
{
    int64_t sum = 0;
    for (int i = 0; i < n; i++)
        sum += list[i]->size;
    return sum;
}

/* Zeros like each of the n given; false: an error was recorded. */
static bool jacobian_seeds(jacobian *j, wg_tensor *const like[], int n)
{
    j->seed = wg_derivatives_list(j->t, n);
    for (int k = 0; k < n && j->seed != NULL; k++) {
        const wg_tensor *x = like[k];
        void *zeros = wg_tape_take(j->t, (size_t)x->size * wg_dtype_size(x->dtype));
        j->seed[k] = wg_input(j->t, NULL, x->dtype, x->shape.ndim, x->shape.dim, zeros);
    }
    return j->t->status == WG_OK;
}

static bool jacobian_record_rows(jacobian *j)
{
    if (!jacobian_seeds(j, j->ys, j->m) || (j->result = wg_derivatives_list(j->t, j->n)) == NULL)
        return false;
    wg_status (*vjp)(wg_tensor *const[], wg_tensor *const[], int, wg_tensor *const[], int,
                     wg_tensor *[]) = j->again ? wg_derivatives_again : wg_vjp_many;
    return vjp(j->ys, j->seed, j->m, j->xs, j->n, j->result) == WG_OK &&
           wg_plan_init(&j->plan, j->seed, j->m, j->result, j->n);
}

static bool jacobian_record_columns(jacobian *j)
{
    return jacobian_seeds(j, j->xs, j->n) && (j->result = wg_derivatives_list(j->t, 1)) != NULL &&
           wg_jvp_many(j->ys[0], j->xs, j->n, j->seed, 1, j->result) == WG_OK &&
           wg_plan_init(&j->plan, j->seed, j->n, j->result, 1);
}

static char *jacobian_copy_row(const jacobian *j, char *to)
{
    for (int i = 0; i < j->n; i++) {
        size_t bytes = (size_t)j->result[i]->size * wg_dtype_size(j->result[i]->dtype);
        memcpy(to, j->result[i]->data, bytes);
        to += bytes;
    }
    return to;
}

static char *jacobian_copy_column(const jacobian *j, char *to, size_t stride)
{
    const wg_tensor *y = j->result[0];
    const size_t size = wg_dtype_size(y->dtype);
    for (size_t row = 0; row < (size_t)y->size; row++)
        memcpy(to + row * stride, (const char *)y->data + row * size, size);
    return to + size;
}

/* Replays for one entry of a seed after the other. A result may be a view of the seed, so that is
 * cleared when the result has been copied. */
static void jacobian_fill(jacobian *j, wg_tensor *matrix, bool by_rows)
{
    const size_t stride = (size_t)matrix->shape.dim[1] * wg_dtype_size(matrix->dtype);
    const int seeds = by_rows ? j->m : j->n;
    char *to = matrix->data;
    for (int k = 0; k < seeds; k++)
        for (int64_t i = 0; i < j->seed[k]->size; i++) {
            wg_set_element(j->seed[k], i, 1);
            if (!wg_plan_run(&j->plan))
                return;
            to = by_rows ? jacobian_copy_row(j, to) : jacobian_copy_column(j, to, stride);
            wg_set_element(j->seed[k], i, 0);
        }
}

/* A tape of one dtype gives a matrix of that dtype. */
static bool jacobian_dtypes(wg_tape *t, wg_tensor *const list[], int n, wg_dtype dtype)
{
    for (int i = 0; i < n; i++)
        if (list[i]->dtype != dtype) {
            wg_fail(t, WG_E_DTYPE, "jacobian: dtypes differ: %s and %s", wg_dtype_name(dtype),
                    wg_dtype_name(list[i]->dtype));
            return false;
        }
    return true;
}

/* A matrix is of values, and those of a loop's body or of placeholders are not there while
 * they are recorded. */
static bool jacobian_values(wg_tape *t, wg_tensor *const list[], int n)
{
    for (int i = 0; i < n && t->status == WG_OK; i++)
        if (list[i]->state & WG_NODE_ABSTRACT)
            wg_fail(t, WG_E_VALUE, "jacobian: %s has no value, which wg_jvp does not ask for",
                    wg_tensor_text(list[i]).s);
    return t->status == WG_OK;
}

/* The matrix is filled, and with it done the products are dropped: first what stays, then what
 * goes. A replay costs about the same either way, so the fewer decide. */
static wg_tensor *jacobian_matrix(wg_tensor *matrix, wg_tensor *const ys[], int m,
                                  wg_tensor *const xs[], int n, bool again)
{
    wg_tape *t = matrix->tape;
    jacobian j = {.t = t, .ys = ys, .m = m, .xs = xs, .n = n, .again = again};
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    const bool by_rows = again || matrix->shape.dim[0] <= matrix->shape.dim[1];
    if (!jacobian_values(t, ys, m))
        return &t->inert;
    if (by_rows ? jacobian_record_rows(&j) : jacobian_record_columns(&j))
        jacobian_fill(&j, matrix, by_rows);
    wg_arena_rewind(&t->scratch, empty);
    return t->status == WG_OK ? matrix : &t->inert;
}

wg_tensor *wg_jacobian(wg_tensor *y, wg_tensor *const xs[], int n)
{
    if (wg_is_inert(y))
        return wg_fail(y != NULL ? y->tape : NULL, WG_E_NULL, "jacobian: y is NULL or inert");
    wg_tape *t = y->tape;
    if (!wg_derivatives_fit(t, "jacobian", xs, n) || !jacobian_dtypes(t, xs, n, y->dtype))
        return &t->inert;
    wg_tensor *matrix = wg_full(t, y->dtype, WG_SHAPE(y->size, jacobian_sizes(xs, n)), 0);
    wg_mark mark = wg_tape_mark(t);
    wg_tensor *result = jacobian_matrix(matrix, &y, 1, xs, n, false);
    if (t->status == WG_OK)
        wg_tape_rewind(t, mark);
    return result;
}

wg_tensor *wg_hessian(wg_tensor *y, wg_tensor *const xs[], int n)
{
    if (wg_is_inert(y))
        return wg_fail(y != NULL ? y->tape : NULL, WG_E_NULL, "hessian: y is NULL or inert");
    wg_tape *t = y->tape;
    if (!wg_derivatives_fit(t, "hessian", xs, n) || !jacobian_dtypes(t, xs, n, y->dtype))
        return &t->inert;
    int64_t size = jacobian_sizes(xs, n);
    wg_tensor *matrix = wg_full(t, y->dtype, WG_SHAPE(size, size), 0);
    wg_mark mark = wg_tape_mark(t);
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    wg_tensor **gs = wg_derivatives_list(t, n), *result = &t->inert;
    if (gs != NULL && wg_grad(y, xs, n, gs) == WG_OK)
        result = jacobian_matrix(matrix, gs, n, xs, n, true);
    wg_arena_rewind(&t->scratch, empty);
    if (t->status == WG_OK)
        wg_tape_rewind(t, mark);
    return result;
}
