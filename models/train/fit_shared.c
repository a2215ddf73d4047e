/* A training whose rows are shared by ranks: how validation rows are judged, and what the ranks
 * agree on. */
#include "models/train/fit_internal.h"

#include "autograd/op.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* ---- Validation rows. ------------------------------------------------------------------------ */

/* A block of so many rows: outputs are the sum of their losses, and predictions. */
typedef struct shared_block {
    int64_t rows; /* 0: there is no such block */
    wg_tensor *of[WG_FIT_SPARSE], *targets;
    wg_program *program;
} shared_block;

struct wg_fit_shared {
    /* Of the rows that fall to this rank; what they are made of: X, or what sparse ones are. */
    wg_tensor *of[WG_FIT_SPARSE], *targets, *labels;
    int n;                     /* tensors of them */
    void *room[WG_FIT_SPARSE]; /* of a block, where they are streamed */
    shared_block full, last;
    int64_t all;     /* rows of all ranks */
    char *predicted; /* of this rank's rows */
    size_t row;      /* bytes of it */
};

/* An input of so many rows as those of x; of zeros, at first. */
static wg_tensor *shared_input(const wg_tensor *x, int64_t rows)
{
    wg_shape shape = x->shape;
    shape.dim[0] = rows;
    return wg_input(x->tape, x->name, x->dtype, shape.ndim, shape.dim,
                    wg_tape_take(x->tape, (size_t)rows * wg_row_bytes(x)));
}

static shared_block shared_record(const wg_fit_run *run, int64_t rows)
{
    const struct wg_fit_shared *s = run->shared;
    const wg_head *head = run->model->head;
    shared_block b = {.rows = rows};
    if (rows == 0)
        return b;
    for (int i = 0; i < s->n; i++)
        b.of[i] = shared_input(s->of[i], rows);
    b.targets = shared_input(s->targets, rows);
    if (wg_tape_status(run->tape) != WG_OK)
        return b;
    const bool sparse = s->n == WG_FIT_SPARSE;
    const wg_csr matrix = sparse ? wg_fit_sparse_matrix(run, b.of) : *wg_csr_none();
    const wg_dataset block = {.X = sparse ? NULL : b.of[0], .sparse = sparse ? &matrix : NULL};
    wg_tensor *Z = wg_fit_outputs(run->model, &block, false);
    wg_tensor *outputs[] = {head->loss(Z, b.targets, NULL, WG_SUM),
                            head->predict != NULL ? head->predict(Z) : Z};
    b.program = wg_compile(outputs, 2, NULL);
    return b;
}

static void shared_blocks(wg_fit_run *run)
{
    struct wg_fit_shared *s = run->shared;
    s->full = shared_record(run, s->all >= WG_RANKS_BLOCK ? WG_RANKS_BLOCK : 0);
    s->last = shared_record(run, s->all % WG_RANKS_BLOCK);
    if (wg_tape_status(run->tape) != WG_OK)
        return;
    const shared_block *any = s->full.rows > 0 ? &s->full : &s->last;
    s->row = wg_row_bytes(wg_program_output(any->program, 1));
    s->predicted = wg_tape_take(run->tape, (size_t)s->labels->shape.dim[0] * s->row);
}

/* Ranks tell each time how many rows they have: is it always the same? */
static bool shared_rows_fit(const struct wg_fit_shared *s)
{
    wg_tape *t = s->labels->tape;
    int64_t first, end;
    wg_ranks_range(t, s->all, &first, &end);
    if (s->of[0]->shape.dim[0] != end - first || s->targets->shape.dim[0] != end - first ||
        s->labels->shape.dim[0] != end - first)
        wg_fail(t, WG_E_RANKS, "fit: validation rows, and others of labels");
    return wg_tape_status(t) == WG_OK;
}

/* The rows, of which this rank has some, where they are due. */
static void shared_deal(struct wg_fit_shared *s, const wg_fit_rows *r)
{
    s->n = r->validation.sparse != NULL ? WG_FIT_SPARSE : 1;
    if (r->validation.sparse != NULL)
        wg_fit_sparse_rows(r->validation.sparse, WG_RANKS_BLOCK, s->of);
    else
        s->of[0] = wg_ranks_share(r->validation.X);
    s->targets = wg_ranks_share(r->validation_targets);
    s->labels = wg_ranks_share(r->validation_labels);
    for (int i = 0; wg_tape_status(s->labels->tape) == WG_OK && i < s->n; i++)
        if (wg_is_streamed(s->of[i]))
            s->room[i] = wg_tape_take(s->labels->tape, WG_RANKS_BLOCK * wg_row_bytes(s->of[i]));
}

void wg_fit_shared_new(wg_fit_run *run)
{
    const wg_fit_rows *r = &run->rows;
    struct wg_fit_shared *s = wg_tape_take(run->tape, sizeof *s);
    if (wg_ranks_agree(run->tape, 0, "") != WG_OK)
        return;
    run->shared = s;
    s->all = wg_ranks_rows(run->tape, r->validation_labels->shape.dim[0], NULL);
    shared_deal(s, r);
    if (wg_tape_status(run->tape) == WG_OK && shared_rows_fit(s))
        shared_blocks(run);
}

static const void *shared_at(const wg_tensor *x, int64_t row)
{
    return (const char *)x->data + (size_t)row * wg_row_bytes(x);
}

/* Blocks of rows: their losses are added, their predictions kept. */
static void shared_add(int64_t first, int64_t end, double sum[], void *user)
{
    struct wg_fit_shared *s = user;
    for (int64_t row = first; row < end; row += WG_RANKS_BLOCK) {
        const shared_block *b = end - row >= WG_RANKS_BLOCK ? &s->full : &s->last;
        if (b->rows == 0 || b->rows > end - row) {
            wg_fail(s->labels->tape, WG_E_RANKS, "fit: other validation rows than before");
            return;
        }
        for (int i = 0; i < s->n; i++)
            wg_program_bind(b->program, b->of[i],
                            wg_rows_at(s->labels->tape, s->of[i], row, b->rows, s->room[i]));
        wg_program_bind(b->program, b->targets, shared_at(s->targets, row));
        if (wg_program_run(b->program) != WG_OK)
            return; /* the tape has it, and so have all ranks, soon */
        sum[0] += wg_item(wg_program_output(b->program, 0));
        memcpy(s->predicted + (size_t)row * s->row, wg_program_output(b->program, 1)->data,
               (size_t)b->rows * s->row);
    }
}

/* A tensor of all ranks' rows, on rank 0, from what each has of them; NULL elsewhere. `like` has
 * the dtype and, but for how many rows, the shape. */
static wg_tensor *shared_gather(const struct wg_fit_shared *s, const void *rows,
                                const wg_tensor *like)
{
    const size_t row = wg_row_bytes(like);
    wg_tape *t = like->tape;
    size_t bytes;
    void *all = wg_ranks_gather(t, rows, (size_t)s->labels->shape.dim[0] * row, false, &bytes);
    wg_shape shape = like->shape;
    shape.dim[0] = s->all;
    wg_tensor *x = all != NULL ? wg_constant(t, like->dtype, shape.ndim, shape.dim, all) : NULL;
    wg_temporary_free(t, all);
    return x;
}

/* What is no sum is computed by rank 0, of all that was predicted. */
static double shared_score(wg_fit_run *run)
{
    const struct wg_fit_shared *s = run->shared;
    const wg_head *head = run->model->head;
    const shared_block *any = s->full.rows > 0 ? &s->full : &s->last;
    const wg_mark mark = wg_tape_mark(run->tape);
    double score = (double)NAN;
    if (head->n_metrics == 0)
        return score;
    wg_tensor *predicted = shared_gather(s, s->predicted, wg_program_output(any->program, 1));
    wg_tensor *labels = shared_gather(s, s->labels->data, s->labels);
    if (predicted != NULL && labels != NULL)
        score = head->metrics[0].value(predicted, NULL, labels);
    if (wg_tape_status(run->tape) == WG_OK)
        wg_tape_rewind(run->tape, mark);
    wg_ranks_broadcast(run->tape, &score, sizeof score);
    return score;
}

void wg_fit_shared_judge(wg_fit_run *run, double *loss, double *score)
{
    struct wg_fit_shared *s = run->shared;
    double sum = 0;
    if (wg_ranks_sum_rows(run->tape, s->labels->shape.dim[0], 1, shared_add, s, &sum) != WG_OK)
        return;
    *loss = sum / (double)s->all;
    if (!isfinite(*loss))
        wg_fail(run->tape, WG_E_NOT_FINITE, "fit: the validation loss is %g in epoch %" PRId64,
                *loss, run->state.epoch + 1);
    else
        *score = shared_score(run);
}

/* ---- Epochs. --------------------------------------------------------------------------------- */

bool wg_fit_shared_goes_on(wg_fit_run *run, bool goes_on)
{
    double vote[2] = {run->o.stop != NULL && *run->o.stop != 0, !goes_on};
    if (!wg_fit_is_shared(run->tape))
        return goes_on;
    wg_ranks_vote(run->tape, wg_fit_identity_of_params(run->model), "parameters", vote, 2);
    run->stopping = vote[0] > 0;
    return vote[1] == 0;
}
