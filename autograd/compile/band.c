/* Bands: steps one after the other that go through the rows of the first axis together, a few at a
 * time, so that a row is still in cache when the next step reads it. What no other step reads is
 * kept for these few rows alone. The bits are the same: how work is cut never matters. */
#include "autograd/compile/program_internal.h"

/* What the steps read and write at a time: about half of a second-level cache. */
#define BAND_BYTES ((int64_t)512 << 10)
/* Of all rows, on average: a part of less is not worth the call of a step. */
#define BAND_STEP_BYTES ((int64_t)128 << 10)

/* ---- Finding bands --------------------------------------------------------------------------- */

/* Does row r of y need row r of operand k alone? */
static bool band_is_aligned(const wg_tensor *y, int k)
{
    const wg_shape *x = &y->operand[k]->shape;
    if (y->op->part == NULL)
        return y->op->by_rows != NULL && y->op->by_rows(y, k);
    return x->ndim == y->shape.ndim && x->dim[0] == y->shape.dim[0];
}

/* Can the node be computed some of `rows` rows at a time, after steps from `begin` on that were so,
 * too? */
static bool band_takes_node(const wg_program *p, const wg_program_fact *fact, const wg_tensor *y,
                            int64_t begin, int64_t rows)
{
    bool by_rows = false, whole = false;
    if (y->size == 0 || y->shape.ndim == 0 || y->shape.dim[0] % rows != 0 || y->op->check != NULL ||
        (y->op->flags & WG_OP_OWN_PLAN) || y->n_operands > WG_ELEMENTWISE_OPERANDS)
        return false;
    for (int k = 0; k < y->n_operands; k++) {
        const wg_tensor *x = y->operand[k], *root = &p->node[wg_program_root(p, fact, x)];
        const wg_program_fact *f = &fact[root - p->node];
        const bool aligned = band_is_aligned(y, k);
        by_rows = by_rows || aligned;
        whole = whole || (f->computed && f->step >= begin && !(aligned && x->size == root->size));
    }
    return by_rows && !whole;
}

static bool band_takes(const wg_program *p, const wg_program_fact *fact, int64_t s, int64_t begin,
                       int64_t rows)
{
    const wg_step_work *work = &p->work[s];
    const wg_tensor *y = work->y;
    if (work->link == NULL)
        return work->chunks % rows == 0 && (y->op->part == NULL || work->chunks == y->size) &&
               band_takes_node(p, fact, y, begin, rows);
    for (int64_t i = fact[y - p->node].head; i != -1; i = fact[i].next)
        if (fact[i].folds || !band_takes_node(p, fact, &p->node[i], begin, rows))
            return false;
    return true;
}

static int64_t band_bytes(const wg_tensor *x)
{
    return x->size * (int64_t)wg_dtype_size(x->dtype);
}

/* What the step writes to memory and reads from there, for all rows. */
static int64_t band_step_bytes(const wg_program *p, const wg_program_fact *fact, int64_t s)
{
    int64_t bytes = 0;
    for (int64_t i = fact[p->work[s].y - p->node].head; i != -1; i = fact[i].next) {
        const wg_tensor *y = &p->node[i];
        bytes += wg_program_is_stored(&fact[i]) ? band_bytes(y) : 0;
        for (int k = 0; k < y->n_operands; k++)
            if (fact[wg_program_root(p, fact, y->operand[k])].step < s && band_is_aligned(y, k))
                bytes += band_bytes(y->operand[k]);
    }
    return bytes;
}

/* The band that begins with step `begin`; false: an error was recorded. Without one, *end is the
 * next step. */
static bool band_find(wg_program *p, wg_program_fact *fact, int64_t begin, int64_t *end)
{
    const wg_tensor *y = p->work[begin].y;
    const int64_t rows = y->shape.ndim > 0 ? y->shape.dim[0] : 0;
    int64_t bytes = 0;
    for (*end = begin; rows > 1 && *end < p->n_steps && band_takes(p, fact, *end, begin, rows);)
        bytes += band_step_bytes(p, fact, (*end)++);
    if (*end < begin + 2 || bytes < 2 * BAND_BYTES || bytes < (*end - begin) * BAND_STEP_BYTES) {
        *end = *end > begin ? *end : begin + 1;
        return true;
    }
    wg_band *band = wg_tape_take(p->tape, sizeof *band);
    if (band == NULL)
        return false;
    const int64_t fit = BAND_BYTES / (bytes / rows);
    *band = (wg_band){.begin = begin, .end = *end, .rows = rows, .at_once = fit > 0 ? fit : 1};
    for (int64_t s = begin; s < *end; s++) {
        p->work[s].band = band;
        for (int64_t i = fact[p->work[s].y - p->node].head; i != -1; i = fact[i].next)
            if (wg_program_is_stored(&fact[i]) && !fact[i].pinned && fact[i].last_step >= 0 &&
                fact[i].last_step < *end)
                fact[i].band = band;
    }
    return true;
}

/* The band whose few rows y's value is, or that of which it is a view; NULL: y has all rows. */
static wg_band *band_of(const wg_program *p, const wg_program_fact *fact, const wg_tensor *y)
{
    return y->n_operands > 0 ? fact[wg_program_root(p, fact, y)].band : NULL;
}

static bool band_list_moved(wg_program *p, const wg_program_fact *fact)
{
    for (int64_t i = 0; i < p->n_nodes; i++) {
        wg_band *band = band_of(p, fact, &p->node[i]);
        if (band != NULL)
            band->n_moved++;
    }
    for (int64_t i = 0; i < p->n_nodes; i++) {
        wg_band *band = band_of(p, fact, &p->node[i]);
        if (band != NULL && band->moved == NULL) {
            band->moved = wg_tape_take(p->tape, (size_t)band->n_moved * sizeof *band->moved);
            band->n_moved = 0;
            if (band->moved == NULL)
                return false;
        }
        if (band != NULL)
            band->moved[band->n_moved++] = &p->node[i];
    }
    return true;
}

bool wg_bands_find(wg_program *p, wg_program_fact *fact)
{
    for (int64_t s = 0, end; s < p->n_steps; s = end)
        if (!band_find(p, fact, s, &end))
            return false;
    return band_list_moved(p, fact);
}

/* ---- Running one ----------------------------------------------------------------------------- */

/* Where row r of a value was, row r + by is now. */
static void band_move(const wg_band *band, int64_t by)
{
    for (int64_t i = 0; i < band->n_moved; i++) {
        wg_tensor *x = band->moved[i];
        if (x->op->flags & WG_OP_VIEW)
            wg_node_view(x);
        else /* an integer: for other rows than those that are there it is no address */
            x->data = (void *)((uintptr_t)x->data - (uintptr_t)(by * (band_bytes(x) / band->rows)));
    }
}

void wg_band_run(const wg_program *p, const wg_band *band)
{
    int64_t row = 0;
    for (int64_t n; row < band->rows; row += n) {
        n = band->rows - row < band->at_once ? band->rows - row : band->at_once;
        for (int64_t s = band->begin; s < band->end; s++) {
            const int64_t each = p->work[s].chunks / band->rows;
            wg_step_run(&p->work[s], &(wg_piece){row * each, (row + n) * each, p->workspace});
        }
        band_move(band, n);
    }
    band_move(band, -row);
}
