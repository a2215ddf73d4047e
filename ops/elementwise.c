/* Elementwise ops: how a kernel is taken over operands that broadcast. */
#include "ops/elementwise.h"

#include "autograd/tape_internal.h"

#include <string.h>

#define ELEMENTWISE_REPEATED 256 /* elements of repeated short rows */

bool wg_elementwise_shape(wg_tensor *y)
{
    const wg_tensor *first = y->operand[0];
    y->shape = first->shape;
    for (int i = 1; i < y->n_operands; i++) {
        if (y->operand[i]->dtype != first->dtype)
            return wg_op_fail(y, WG_E_DTYPE, "dtypes differ (wg_cast converts)");
        if (!wg_shape_same(&y->shape, &y->operand[i]->shape) &&
            !wg_shape_broadcast(&y->shape, &y->operand[i]->shape, &y->shape))
            return wg_op_fail(y, WG_E_SHAPE, "shapes do not broadcast");
    }
    if (y->op->map[first->dtype] == NULL)
        return wg_op_fail(y, WG_E_DTYPE, "not for this dtype");
    y->dtype = first->dtype;
    return true;
}

/* How y's elements are walked: axes that every operand strides through alike are one axis. */
typedef struct elementwise_walk {
    int ndim;
    int64_t dim[WG_MAX_DIMS];
    /* Of operand k along the axis, in elements. */
    int64_t stride[WG_MAX_DIMS][WG_ELEMENTWISE_OPERANDS];
} elementwise_walk;

/* Can the axis with these strides be walked as one with the axis inside it? */
static bool elementwise_joins(const elementwise_walk *w, const int64_t *stride, int n)
{
    int inner = w->ndim - 1; /* the axis added last, inside the one that is next */
    for (int k = 0; k < n; k++)
        if (stride[k] != w->stride[inner][k] * w->dim[inner])
            return false;
    return true;
}

/* Axes are taken from the last to the first: w's axis 0 is the innermost. */
static void elementwise_walk_init(elementwise_walk *w, const wg_tensor *y)
{
    w->ndim = 0;
    for (int axis = y->shape.ndim - 1; axis >= 0; axis--) {
        int64_t stride[WG_ELEMENTWISE_OPERANDS];
        if (y->shape.dim[axis] == 1)
            continue;
        for (int k = 0; k < y->n_operands; k++)
            stride[k] = wg_broadcast_stride(&y->operand[k]->shape, &y->shape, axis);
        if (w->ndim > 0 && elementwise_joins(w, stride, y->n_operands)) {
            w->dim[w->ndim - 1] *= y->shape.dim[axis];
            continue;
        }
        w->dim[w->ndim] = y->shape.dim[axis];
        for (int k = 0; k < y->n_operands; k++)
            w->stride[w->ndim][k] = stride[k];
        w->ndim++;
    }
    if (w->ndim == 0) { /* one element */
        w->ndim = 1;
        w->dim[0] = 1;
        for (int k = 0; k < y->n_operands; k++)
            w->stride[0][k] = 0;
    }
}

/* Element `at` of the walk: where it lies along each axis, and in each operand. */
static void elementwise_seek(const elementwise_walk *w, int n, int64_t at, int64_t *place,
                             int64_t *start)
{
    for (int k = 0; k < n; k++)
        start[k] = 0;
    for (int axis = 0; axis < w->ndim; axis++) {
        place[axis] = at % w->dim[axis];
        at /= w->dim[axis];
        for (int k = 0; k < n; k++)
            start[k] += place[axis] * w->stride[axis][k];
    }
}

/* Goes to the first element of the next run along the innermost axis. */
static void elementwise_next_run(const elementwise_walk *w, int n, int64_t *place, int64_t *start)
{
    for (int k = 0; k < n; k++)
        start[k] -= place[0] * w->stride[0][k];
    place[0] = 0;
    for (int axis = 1; axis < w->ndim; axis++) {
        for (int k = 0; k < n; k++)
            start[k] += w->stride[axis][k];
        if (++place[axis] < w->dim[axis])
            return;
        for (int k = 0; k < n; k++)
            start[k] -= w->dim[axis] * w->stride[axis][k];
        place[axis] = 0;
    }
}

static char *elementwise_at(const wg_tensor *x, int64_t i)
{
    return i == 0 ? x->data : (char *)x->data + i * (int64_t)wg_dtype_size(x->dtype);
}

/* Short rows, where along the two inner axes every operand has all of y's elements, one row or one
 * element: a layer's bias. */
static bool elementwise_repeats(const elementwise_walk *w, int n)
{
    if (w->ndim < 2 || w->dim[0] > ELEMENTWISE_REPEATED / 4)
        return false;
    for (int k = 0; k < n; k++)
        if (w->stride[1][k] != 0 && (w->stride[0][k] == 0 || w->stride[1][k] != w->dim[0]))
            return false;
    return true;
}

/* The row x of `size` bytes, from byte `phase` on, again and again: at least once, up to
 * `length`. */
static void elementwise_repeat(const char *x, int64_t size, int64_t phase, char *to, int64_t length)
{
    memcpy(to, x + phase, (size_t)(size - phase));
    memcpy(to + size - phase, x, (size_t)phase);
    for (int64_t done = size; done < length;) {
        const int64_t now = done < length - done ? done : length - done;
        memcpy(to + done, to, (size_t)now);
        done += now;
    }
}

/* Elements [begin, end) of the two inner axes, where operands begin at start. The map is called for
 * many rows at once, on operands whose one row is repeated for that. */
static void elementwise_run_repeated(const wg_tensor *y, const elementwise_walk *w, int64_t begin,
                                     int64_t end, char *out, const void *const start[])
{
    const int64_t element = (int64_t)wg_dtype_size(y->operand[0]->dtype), dim = w->dim[0];
    const int64_t result = (int64_t)wg_dtype_size(y->dtype);
    const int64_t room = ELEMENTWISE_REPEATED * (int64_t)sizeof(double) / element;
    const int64_t most = room / dim * dim, n = end - begin < most ? end - begin : most;
    char repeated[WG_ELEMENTWISE_OPERANDS][ELEMENTWISE_REPEATED * sizeof(double)];
    const void *x[WG_ELEMENTWISE_OPERANDS];
    for (int k = 0; k < y->n_operands; k++) {
        x[k] = start[k];
        if (w->stride[1][k] == 0 && w->stride[0][k] != 0) {
            const int64_t phase = begin % dim * element;
            elementwise_repeat((const char *)x[k] - phase, dim * element, phase, repeated[k],
                               n * element);
            x[k] = repeated[k];
        }
    }
    for (int64_t at = begin; at < end; at += most) {
        const int64_t now = end - at < most ? end - at : most;
        y->op->map[y->operand[0]->dtype](now, out + (at - begin) * result, x, w->stride[0],
                                         y->attrs);
        for (int k = 0; k < y->n_operands; k++)
            if (w->stride[1][k] != 0)
                x[k] = (const char *)x[k] + now * element;
    }
}

/* A tile is walked as y is: along the innermost axis by 1, whatever the others are. Its many
 * registers are saved here, not where no walk is needed. */
__attribute__((noinline)) static void elementwise_run_walk(const wg_tensor *y, int64_t begin,
                                                           int64_t end, char *out,
                                                           const void *const tile[])
{
    elementwise_walk w;
    int64_t place[WG_MAX_DIMS], start[WG_ELEMENTWISE_OPERANDS];
    const void *x[WG_ELEMENTWISE_OPERANDS];
    int n = y->n_operands;
    int64_t element = (int64_t)wg_dtype_size(y->operand[0]->dtype);
    int64_t result = (int64_t)wg_dtype_size(y->dtype);
    wg_map *map = y->op->map[y->operand[0]->dtype];

    elementwise_walk_init(&w, y);
    const bool repeats = elementwise_repeats(&w, n);
    const int64_t inner = repeats ? w.dim[0] * w.dim[1] : w.dim[0];
    elementwise_seek(&w, n, begin, place, start);
    for (int64_t at = begin; at < end;) {
        const int64_t in = at % inner, run = inner - in < end - at ? inner - in : end - at;
        for (int k = 0; k < n; k++)
            x[k] = tile != NULL && tile[k] != NULL ? (const char *)tile[k] + (at - begin) * element
                                                   : elementwise_at(y->operand[k], start[k]);
        if (repeats)
            elementwise_run_repeated(y, &w, in, in + run, out + (at - begin) * result, x);
        else
            map(run, out + (at - begin) * result, x, w.stride[0], y->attrs);
        at += run;
        if (repeats)
            elementwise_seek(&w, n, at, place, start);
        else
            elementwise_next_run(&w, n, place, start);
    }
}

/* Where every operand has y's size or one element, no walk is needed: x[k] is operand k from
 * element `begin` on, or its tile. */
static inline bool elementwise_is_flat(const wg_tensor *y, int64_t begin, const void *const tile[],
                                       const void *x[], int64_t stride[])
{
    for (int k = 0; k < y->n_operands; k++) {
        const wg_tensor *operand = y->operand[k];
        if (operand->size != y->size && operand->size != 1)
            return false;
        stride[k] = operand->size == y->size;
        x[k] = tile != NULL && tile[k] != NULL ? tile[k]
                                               : elementwise_at(operand, begin * stride[k]);
    }
    return true;
}

static inline void elementwise_part(const wg_tensor *y, int64_t begin, int64_t end, void *out,
                                    const void *const tile[])
{
    const void *x[WG_ELEMENTWISE_OPERANDS];
    int64_t stride[WG_ELEMENTWISE_OPERANDS];
    wg_map *map = y->op->map[y->operand[0]->dtype];
    if (map == NULL) /* a user's op, not WG_OP_ELEMENTWISE, that has none at all */
        wg_op_fail(y, WG_E_DTYPE, "the op has no map for this dtype");
    else if (elementwise_is_flat(y, begin, tile, x, stride))
        map(end - begin, out, x, stride, y->attrs);
    else
        elementwise_run_walk(y, begin, end, out, tile);
}

void wg_elementwise_part(const wg_tensor *y, int64_t begin, int64_t end, void *out,
                         const void *const tile[])
{
    elementwise_part(y, begin, end, out, tile);
}

void wg_elementwise_forward(const wg_tensor *y, const wg_piece *piece)
{
    elementwise_part(y, piece->begin, piece->end, elementwise_at(y, piece->begin), NULL);
}
