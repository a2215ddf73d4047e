/* What a model predicts of rows, block of rows by block of rows. */
#include "judge.h"

#include "outputs.h"

/* ---- Metrics --------------------------------------------------------------------------------------------- */

/* Adds `weight` times the metrics of these rows. */
static void add_metrics(judged *r, const wg_head *head, double weight, const wg_tensor *predicted,
                        const wg_tensor *p, const wg_tensor *truth)
{
    r->n_metrics = head->n_metrics < JUDGED_METRICS ? head->n_metrics : JUDGED_METRICS;
    for (int i = 0; i < r->n_metrics; i++)
        r->metric[i] += weight * head->metrics[i].value(predicted, p, truth);
    if (p != NULL)
        r->brier += weight * wg_brier(p, truth) / (wg_dim(p, 1) == 2 ? 2 : 1);
}

/* Rows from `first` on, whose outputs are Z. Where probabilities are not kept, their share of the metrics, which are
 * means over the rows, is taken at once. */
static void judge_block(judged *r, const wg_head *head, int64_t first, wg_tensor *Z)
{
    wg_tensor *predicted = wg_head_predict(head, Z);
    outputs_put(r->predicted, first, predicted);
    if (head->probabilities == NULL || wg_tape_status(Z->tape) != WG_OK)
        return;
    wg_tensor *p = wg_head_probabilities(head, Z);
    if (r->p != NULL)
        outputs_put(r->p, first, p);
    else
        add_metrics(r, head, (double)wg_dim(Z, 0) / (double)wg_dim(r->truth, 0), predicted, p,
                    wg_slice(r->truth, 0, first, first + wg_dim(Z, 0)));
}

judged judge(const char *name, const wg_estimator *e, const wg_dataset *rows, bool placed,
             int64_t most)
{
    wg_tape *t = rows->table->tape;
    const int64_t all = wg_dataset_rows(rows), block = outputs_rows(e, rows);
    const bool numbers = e->head->kind == WG_HEAD_NUMBERS, classes = e->head->probabilities != NULL;
    judged r = {.name = name, .rows = *rows, .truth = wg_estimator_targets(e, rows)};
    r.predicted = numbers ? wg_full(t, e->dtype, WG_SHAPE(all, e->k), 0)
                          : wg_full(t, WG_I64, WG_SHAPE(all), 0);
    if (classes && (e->k == 2 || all <= most / (int64_t)sizeof(double) / e->k))
        r.p = wg_full(t, e->dtype, WG_SHAPE(all, e->k), 0);
    for (int64_t row = 0, n; wg_tape_status(t) == WG_OK && row < all; row += n) {
        const wg_mark mark = wg_tape_mark(t);
        n = all - row < block ? all - row : block;
        const wg_dataset part = outputs_part(t, rows, row, n);
        wg_tensor *Z = wg_estimator_outputs(e, &part);
        if (!outputs_finite(Z, rows->table->path, name,
                            placed && rows->table->dropped == 0 ? row : -1))
            break;
        judge_block(&r, e->head, row, Z);
        if (wg_tape_status(t) == WG_OK)
            wg_tape_rewind(t, mark);
    }
    if (wg_tape_status(t) == WG_OK && (!classes || r.p != NULL))
        add_metrics(&r, e->head, 1, r.predicted, r.p, r.truth);
    return r;
}
