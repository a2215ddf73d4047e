/* What tells one training from another: so that it is not gone on from with other data or options,
 * nor shared with ranks that have others. */
#include "models/train/fit_internal.h"

#include "autograd/hash.h"
#include "autograd/op.h"

#include <string.h>

/* Elements as doubles or i64, so that the hash does not depend on the order of bytes. */
static uint64_t identity_mix_elements(uint64_t hash, const wg_tensor *x, int64_t first, int64_t n)
{
    for (int64_t i = first; i < first + n; i++) {
        double value = wg_element(x, i);
        uint64_t word;
        memcpy(&word, &value, sizeof word);
        if (x->dtype == WG_I64)
            word = (uint64_t)((const int64_t *)x->data)[i];
        hash = wg_hash_word(hash, word);
    }
    return hash;
}

/* NULL: no tensor. */
static uint64_t identity_mix_tensor(uint64_t hash, const wg_tensor *x)
{
    if (wg_is_inert(x) || x->data == NULL)
        return wg_hash_word(hash, 0);
    hash = wg_hash_word(hash, (uint64_t)x->dtype);
    for (int i = 0; i < x->shape.ndim; i++)
        hash = wg_hash_word(hash, (uint64_t)x->shape.dim[i]);
    return identity_mix_elements(hash, x, 0, x->size);
}

enum { IDENTITY_LIST = 3, IDENTITY_ROWS = 256 }; /* tensors that rows are of; read at a time */

/* Row i of the tensors that are there, as row `number` of the whole. */
static uint64_t identity_of_row(wg_tensor *const list[], int n, int64_t i, int64_t number)
{
    uint64_t hash = wg_hash_word(WG_HASH_START, (uint64_t)number);
    for (int k = 0; k < n; k++) {
        const wg_tensor *x = list[k];
        hash = wg_hash_word(hash, x != NULL ? (uint64_t)x->dtype : 0);
        if (x != NULL)
            hash = identity_mix_elements(hash, x, x->size / x->shape.dim[0] * i,
                                         x->size / x->shape.dim[0]);
    }
    return hash;
}

/* Rows `from` to `end` - 1 of the list, the first of which has that number in the whole. */
static uint64_t identity_of_piece(wg_tensor *const list[], int n, int64_t from, int64_t end,
                                  int64_t number, void *room)
{
    wg_tensor piece[IDENTITY_LIST], *part[IDENTITY_LIST] = {NULL};
    uint64_t sum = 0;
    for (int k = 0; k < n; k++)
        if (list[k] != NULL) {
            piece[k] = wg_rows_piece(list[k], from, end - from, room);
            if (piece[k].data == NULL && piece[k].size > 0)
                return 0;
            part[k] = &piece[k];
        }
    for (int64_t i = from; i < end; i++)
        sum += identity_of_row(part, n, i - from, number++);
    return sum;
}

/* Sparse rows `from` to `end` - 1, with their entries; the first has that number in the whole. */
static uint64_t identity_of_entries(const int64_t *start, int64_t from, int64_t end, int64_t number,
                                    const int64_t *column, const wg_tensor *value)
{
    uint64_t sum = 0;
    for (int64_t i = from; i < end; i++) {
        uint64_t hash = wg_hash_word(WG_HASH_START, (uint64_t)number++);
        for (int64_t p = start[i] - start[from]; p < start[i + 1] - start[from]; p++) {
            const double x = wg_element(value, p);
            hash = wg_hash_word(wg_hash_word(hash, (uint64_t)column[p]), 0);
            hash = wg_hash_bytes(hash, &x, sizeof x);
        }
        sum += hash;
    }
    return sum;
}

/* The sum of a hash of each row, the first of which has that number in the whole. */
static uint64_t identity_of_sparse(const wg_csr *rows, int64_t first)
{
    wg_tape *t = rows->value->tape;
    const int64_t *start = wg_data_i64(rows->start);
    uint64_t sum = 0;
    int64_t most = 0;
    for (int64_t i = 0, end; i < rows->rows; i = end) {
        end = rows->rows - i < IDENTITY_ROWS ? rows->rows : i + IDENTITY_ROWS;
        most = start[end] - start[i] > most ? start[end] - start[i] : most;
    }
    void *columns = wg_rows_room(rows->column, most), *values = wg_rows_room(rows->value, most);
    for (int64_t i = 0, end; wg_tape_status(t) == WG_OK && i < rows->rows; i = end) {
        end = rows->rows - i < IDENTITY_ROWS ? rows->rows : i + IDENTITY_ROWS;
        const int64_t n = start[end] - start[i];
        const void *column = wg_rows_at(t, rows->column, start[i], n, columns);
        wg_tensor value = *rows->value;
        value.data = (void *)(uintptr_t)wg_rows_at(t, rows->value, start[i], n, values);
        if (wg_tape_status(t) == WG_OK)
            sum += identity_of_entries(start, i, end, first + i, column, &value);
    }
    wg_temporary_free(t, values);
    wg_temporary_free(t, columns);
    return sum;
}

/* What ranks have summed up may be anything. */
static uint64_t identity_whole(double sum)
{
    return sum >= 0 && sum < 0x1p63 ? (uint64_t)sum : 0;
}

/* The sum of the rows' hashes: over the rows of all ranks, whoever has which. list[1], X, and
 * sparse rows in its place may be streamed. */
static uint64_t identity_of_rows(wg_tape *t, wg_tensor *const list[], int n, const wg_csr *sparse)
{
    int64_t first, rows = list[0]->shape.dim[0];
    uint64_t sum = 0;
    wg_ranks_rows(t, rows, &first);
    void *room = list[1] != NULL ? wg_rows_room(list[1], IDENTITY_ROWS) : NULL;
    for (int64_t i = 0, end; wg_tape_status(t) == WG_OK && i < rows; i = end) {
        end = rows - i < IDENTITY_ROWS ? rows : i + IDENTITY_ROWS;
        sum += identity_of_piece(list, n, i, end, first + i, room);
    }
    if (sparse != NULL && wg_tape_status(t) == WG_OK)
        sum += identity_of_sparse(sparse, first);
    wg_temporary_free(t, room);
    double half[2] = {(double)(sum & UINT32_MAX), (double)(sum >> 32)};
    wg_ranks_sum(t, half, 2);
    return identity_whole(half[0]) + (identity_whole(half[1]) << 32);
}

static uint64_t identity_of_data(const wg_fit_run *run)
{
    const wg_fit_rows *r = &run->rows;
    wg_tensor *train[] = {r->labels, r->train.X, r->weights};
    wg_tensor *validation[] = {r->validation_labels, r->validation.X};
    uint64_t hash = identity_of_rows(run->tape, train, 3, r->train.sparse);
    if (r->validation_labels != NULL)
        hash = wg_hash_word(hash, identity_of_rows(run->tape, validation, 2, r->validation.sparse));
    return hash;
}

/* ---- The graph. ------------------------------------------------------------------------------ */

static uint64_t identity_mix_bytes(uint64_t hash, const void *bytes, size_t n)
{
    const unsigned char *byte = bytes;
    for (size_t i = 0; byte != NULL && i < n; i++)
        hash = wg_hash_word(hash, byte[i]);
    return wg_hash_word(hash, n);
}

/* A node as something that follows from older ones; number[]: those of its operands. */
static uint64_t identity_mix_node(uint64_t hash, const wg_tensor *x, const int64_t number[],
                                  bool leaf)
{
    if (!leaf)
        hash = identity_mix_bytes(hash, x->op->name, strlen(x->op->name));
    if (!leaf)
        hash = identity_mix_bytes(hash, x->attrs, x->op->attr_size);
    hash = wg_hash_word(hash, (uint64_t)x->dtype);
    for (int i = 0; i < x->shape.ndim; i++)
        hash = wg_hash_word(hash, (uint64_t)x->shape.dim[i]);
    for (int i = 0; !leaf && i < x->n_operands; i++)
        hash = wg_hash_word(hash, (uint64_t)number[x->operand[i]->index]);
    return hash;
}

/* Operands are older than what is computed from them: one walk back finds the nodes that Z depends
 * on, one forward numbers them. X stands for the rows, however they were come by. */
void wg_fit_identity_of_outputs(const wg_head *head, wg_tensor *Z, const wg_tensor *X,
                                uint64_t *hash)
{
    wg_tape *t = Z->tape;
    int64_t n = Z->index + 1, count = 0;
    const wg_tensor **node = wg_temporary(t, n, sizeof *node);
    int64_t *number = wg_temporary(t, n, sizeof *number);
    if (node != NULL && number != NULL) {
        *hash = identity_mix_bytes(WG_HASH_START, head->name, strlen(head->name));
        memset(node, 0, (size_t)n * sizeof *node);
        node[Z->index] = Z;
        for (int64_t i = n - 1; i >= 0; i--)
            for (int j = 0; node[i] != NULL && node[i] != X && j < node[i]->n_operands; j++)
                node[node[i]->operand[j]->index] = node[i]->operand[j];
        for (int64_t i = 0; i < n; i++)
            if (node[i] != NULL) {
                number[i] = count++;
                *hash = identity_mix_node(*hash, node[i], number, node[i] == X);
            }
    }
    wg_temporary_free(t, number);
    wg_temporary_free(t, node);
}

/* ---- The identity. --------------------------------------------------------------------------- */

wg_fit_identity wg_fit_identity_of(const wg_fit_run *run)
{
    bool kept = run->o.checkpoint != NULL; /* or nobody asks */
#ifdef WG_NO_FILES
    if (kept)
        wg_fail(run->tape, WG_E_VALUE, "fit: checkpoint: this library has no files (WG_NO_FILES)");
#endif
    return (wg_fit_identity){.rows = run->rows.n,
                             .batch = run->o.batch,
                             .seed = run->o.seed,
                             .l1 = run->l1,
                             .l2 = run->l2,
                             .validation = run->o.validation,
                             .data = kept ? identity_of_data(run) : 0,
                             .ops = run->rows.ops};
}

/* ---- What ranks must have in common. --------------------------------------------------------- */

static uint64_t identity_mix_real(uint64_t hash, double value)
{
    return identity_mix_bytes(hash, &value, sizeof value);
}

uint64_t wg_fit_identity_of_params(const wg_fit_model *model)
{
    uint64_t hash = WG_HASH_START;
    for (int i = 0; i < model->n_params; i++)
        hash = identity_mix_tensor(hash, model->params[i]);
    return hash;
}

/* Data apart: options, the model and where it begins. */
uint64_t wg_fit_identity_of_rank(const wg_fit_run *run)
{
    const wg_fit_options *o = &run->o;
    const double reals[] = {o->l2, o->C, o->l1_ratio, o->validation, o->min_delta};
    const int64_t integers[] = {o->epochs,           (int64_t)o->seed, o->patience,
                                o->balanced,         o->resume,        o->checkpoint != NULL,
                                o->checkpoint_every, o->check_every,   o->sample_weights != NULL,
                                run->rows.k};
    uint64_t hash = wg_fit_identity_of_params(run->model);
    hash = identity_mix_bytes(hash, integers, sizeof integers);
    hash = identity_mix_bytes(hash, reals, sizeof reals);
    for (int64_t k = 0; o->class_weights != NULL && k < run->rows.k; k++)
        hash = identity_mix_real(hash, o->class_weights[k]);
    return wg_hash_word(wg_hash_word(hash, run->rows.ops), run->method_hash);
}

uint64_t wg_fit_identity_of_minimizer(const wg_minimizer_options *o)
{
    const int64_t integers[] = {o->method, o->history, o->products};
    const double reals[] = {o->tolerance, o->l1, o->l2};
    const uint64_t hash = identity_mix_bytes(WG_HASH_START, integers, sizeof integers);
    return identity_mix_bytes(hash, reals, sizeof reals);
}
