/* Objectives over all rows: blocks run, and what they make added up. */
#include "autograd/compile/blocks_internal.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* ---- Adding up ------------------------------------------------------------------------------- */

/* Knuth's two-sum: *rest takes what the rounding of *sum + x loses. */
static void blocks_add(double *sum, double *rest, double x)
{
    double s = *sum + x, part = s - *sum;
    *rest += (*sum - (s - part)) + (x - part);
    *sum = s;
}

/* An infinite sum has a rest of NaN, which must not replace it. */
static double blocks_total(double sum, double rest)
{
    return isnan(rest) ? sum : sum + rest;
}

/* A double holds sums of floats to many more digits than a float has: they need no rest. */
static void blocks_add_result(double *sum, double *rest, int64_t at, const wg_tensor *x)
{
    if (x->dtype == WG_F32)
        for (int64_t i = 0; i < x->size; i++)
            sum[at + i] += (double)((const float *)x->data)[i];
    else
        for (int64_t i = 0; i < x->size; i++)
            blocks_add(&sum[at + i], &rest[at + i], ((const double *)x->data)[i]);
}

static void blocks_store(const wg_blocks *b)
{
    int64_t at = 0;
    for (int k = 0; k < 1 + b->n_params; k++) {
        wg_tensor *y = b->output[k];
        const wg_tensor *penalty = b->penalty != NULL ? b->penalty->result[k] : NULL;
        for (int64_t i = 0; i < y->size; i++, at++) {
            double value = b->options.scale * b->sum[0][at];
            if (penalty != NULL)
                value += wg_element(penalty, i);
            wg_set_element(y, i, value);
        }
    }
}

/* ---- Running --------------------------------------------------------------------------------- */

/* One block, added to sums; what went wrong goes to the lane. */
static bool blocks_run_one(const wg_blocks *b, int64_t block, int worker, wg_blocks_lane *lane,
                           double *sum)
{
    const int64_t row = block * b->full.rows;
    const bool shorter = block == b->shards.blocks - 1 && b->last.rows > 0;
    const wg_blocks_size *size = shorter ? &b->last : &b->full;
    wg_program *p = size->worker[worker];
    bool ready = true;
    for (int i = 0; i < b->n_rows && ready; i++) {
        const void *rows = wg_rows_at(&b->host[worker], b->rows[i], row - b->first_row, size->rows,
                                      b->read[worker * b->n_rows + i]);
        ready = b->host[worker].status == WG_OK;
        if (ready)
            wg_program_rebind(p, size->input[i], rows);
    }
    if (!ready || !wg_program_execute(p)) {
        lane->row = row;
        return false;
    }
    int64_t at = 0;
    for (int i = 0; i < p->n_outputs; at += p->result[i++]->size)
        blocks_add_result(sum, b->sums[worker].rest, at, p->result[i]);
    return true;
}

/* The worker's host is well again for its next lane. */
static void blocks_note_error(wg_blocks_lane *lane, wg_tape *host)
{
    lane->status = host->status;
    memcpy(lane->message, host->message, sizeof lane->message);
    host->status = WG_OK;
}

/* Its blocks, in order. */
static bool blocks_run_shard(const wg_blocks *b, int shard, int worker, wg_blocks_lane *lane,
                             double *sum)
{
    double *rest = b->sums[worker].rest;
    const int64_t end = wg_shards_block(&b->shards, shard + 1);
    memset(sum, 0, (size_t)b->n_sums * sizeof *sum);
    if (rest != NULL)
        memset(rest, 0, (size_t)b->n_sums * sizeof *rest);
    for (int64_t block = wg_shards_block(&b->shards, shard); block < end; block++)
        if (!blocks_run_one(b, block, worker, lane, sum)) {
            blocks_note_error(lane, &b->host[worker]);
            return false;
        }
    for (int64_t i = 0; rest != NULL && i < b->n_sums; i++)
        sum[i] = blocks_total(sum[i], rest[i]);
    return true;
}

/* The subtree of 2^level shards from one on. */
static bool blocks_run_tree(const wg_blocks *b, int shard, int level, int worker,
                            wg_blocks_lane *lane, double *sum)
{
    if (level == 0)
        return blocks_run_shard(b, shard, worker, lane, sum);
    double *right = b->sums[worker].level[--level];
    if (!blocks_run_tree(b, shard, level, worker, lane, sum) ||
        !blocks_run_tree(b, shard + (1 << level), level, worker, lane, right))
        return false;
    for (int64_t i = 0; i < b->n_sums; i++)
        sum[i] += right[i];
    return true;
}

static void blocks_run_lane(int64_t which, int worker, void *context)
{
    const wg_blocks *b = context;
    int level = 0;
    while (1 << level < b->width)
        level++;
    b->lane[which].status = WG_OK;
    blocks_run_tree(b, b->shards.first + (int)which * b->width, level, worker, &b->lane[which],
                    b->sum[which]);
}

/* The first block that failed speaks. */
static void blocks_tell_error(const wg_blocks *b)
{
    for (int64_t i = 0; i < b->n_lanes; i++) {
        const wg_blocks_lane *lane = &b->lane[i];
        if (lane->status != WG_OK)
            wg_fail(b->tape, lane->status, "%s (in the block from row %" PRId64 " on)",
                    lane->message, lane->row);
    }
}

wg_status wg_blocks_run(wg_blocks *b)
{
    if (wg_blocks_is_inert(b))
        return WG_E_NULL;
    wg_tape *t = b->tape;
    if (t->status == WG_OK) {
        wg_pool_run(t->options.pool, b->n_lanes, blocks_run_lane, b);
        blocks_tell_error(b);
    } else if (wg_ranks_of(t) == NULL)
        return t->status;
    if (wg_shards_sum(t, &b->shards, b->sum, b->width, b->n_sums) &&
        (b->penalty == NULL || wg_program_execute(b->penalty))) {
        blocks_store(b);
        wg_outputs_written(t, &b->fresh, b->output, 1 + b->n_params, b->tape_size);
        return WG_OK;
    }
    wg_fresh_end(t, &b->fresh);
    for (int i = 0; i < 1 + b->n_params; i++)
        wg_output_spoil(b->output[i]);
    return t->status;
}
