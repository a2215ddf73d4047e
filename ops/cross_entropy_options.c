/* cross_entropy_options.c: cross-entropy and negative log-likelihood, with all their options, from
 * the ops of cross_entropy.c. */
#include "ops/cross_entropy_internal.h"
#include "ops/elementwise.h"
#include "ops/loss_internal.h"
#include "ops/reduce.h"

/* ---- Builders -------------------------------------------------------------------------------- */

/* Are there rows of logits, and one label for each where targets are labels? */
static bool cross_entropy_rows_fit(const wg_tensor *z, const wg_tensor *targets)
{
    if (wg_is_inert(z) || wg_is_inert(targets) || z->shape.ndim == 0 || z->dtype == WG_I64)
        return false;
    wg_shape rows = wg_logits_rows(z);
    return targets->dtype != WG_I64 || wg_shape_same(&targets->shape, &rows);
}

static const char *cross_entropy_wrong_option(const wg_tensor *z, const wg_tensor *targets,
                                              const wg_cross_entropy_options *o)
{
    if (!(o->smoothing >= 0 && o->smoothing <= 1))
        return "smoothing must be from 0 to 1";
    if (o->ignore && targets->dtype != WG_I64)
        return "only class indices can be ignored, not soft labels";
    const wg_tensor *w = o->weights;
    if (w != NULL && !wg_is_inert(w) &&
        (w->shape.ndim != 1 || w->dtype != z->dtype || w->shape.dim[0] != wg_logits_classes(z)))
        return "weights must have one number for each class, in the logits' dtype";
    return NULL;
}

/* What the builders work with: the target weights q [..., c], or NULL where plain labels do, and
 * the sum that a mean over index labels is divided by, or NULL where that is the number of rows. */
typedef struct cross_entropy_targets {
    wg_tensor *q, *divisor;
} cross_entropy_targets;

static wg_tensor *cross_entropy_weighted(wg_tensor *t, wg_tensor *weights)
{
    return weights != NULL ? wg_weigh(t, weights) : t;
}

static cross_entropy_targets cross_entropy_soft_targets(wg_tensor *z, wg_tensor *t,
                                                        const wg_cross_entropy_options *o)
{
    if (o->smoothing > 0)
        t = wg_shift(wg_scale(t, 1 - o->smoothing), o->smoothing / (double)wg_logits_classes(z));
    return (cross_entropy_targets){cross_entropy_weighted(t, o->weights), NULL};
}

static cross_entropy_targets cross_entropy_index_targets(wg_tensor *z, wg_tensor *labels,
                                                         const wg_cross_entropy_options *o,
                                                         const wg_ignored_label *ignored)
{
    cross_entropy_targets targets = {NULL, NULL};
    int64_t c = wg_logits_classes(z);
    if (o->weights == NULL && o->smoothing == 0 && !o->ignore)
        return targets;
    wg_tensor *t = wg_smooth_labels(labels, z->dtype, c, 0, ignored);
    t = cross_entropy_weighted(t, o->weights);
    targets.divisor = wg_sum(t);
    if (o->smoothing > 0) {
        wg_tensor *smooth = wg_smooth_labels(labels, z->dtype, c, o->smoothing, ignored);
        targets.q = cross_entropy_weighted(smooth, o->weights);
    } else if (o->weights != NULL)
        targets.q = t;
    return targets;
}

static wg_tensor *cross_entropy_reduce(wg_tensor *l, wg_tensor *divisor, wg_reduction reduction,
                                       const char *op)
{
    if (reduction == WG_MEAN && divisor != NULL)
        return wg_div(wg_sum(l), divisor);
    return wg_loss_reduce(l, reduction, op);
}

/* -sum_k q_k * log_p_k, with one-hot rows for q where that is NULL. */
static wg_tensor *cross_entropy_nll_rows(wg_tensor *log_p, wg_tensor *labels, wg_tensor *q,
                                         const wg_ignored_label *ignored)
{
    if (q == NULL)
        q = wg_smooth_labels(labels, log_p->dtype, wg_logits_classes(log_p), 0, ignored);
    wg_loss_pair_fits(log_p, q, "nll");
    return wg_neg(wg_logits_sum(wg_weigh(q, log_p), false));
}

static wg_tensor *cross_entropy_build(wg_tensor *z, wg_tensor *targets,
                                      const wg_cross_entropy_options *options, bool logits)
{
    const wg_cross_entropy_options defaults = {WG_MEAN, NULL, 0, false, 0};
    const wg_cross_entropy_options *o = options != NULL ? options : &defaults;
    const char *op = logits ? "cross_entropy" : "nll", *wrong;
    wg_ignored_label ignored = {o->ignore, o->ignore ? o->ignored_label : 0};
    if (!cross_entropy_rows_fit(z, targets))
        return wg_cross_entropy_rows(z, targets, &ignored); /* fails, with the right words */
    wrong = cross_entropy_wrong_option(z, targets, o);
    if (wrong != NULL)
        return wg_loss_fail(z, targets, op, wrong);
    cross_entropy_targets made = targets->dtype == WG_I64
                                     ? cross_entropy_index_targets(z, targets, o, &ignored)
                                     : cross_entropy_soft_targets(z, targets, o);
    wg_tensor *l;
    if (!logits)
        l = cross_entropy_nll_rows(z, targets, made.q, &ignored);
    else if (made.q != NULL)
        l = wg_soft_cross_entropy_rows(z, made.q);
    else
        l = wg_cross_entropy_rows(z, targets, &ignored);
    return cross_entropy_reduce(l, made.divisor, o->reduction, op);
}

wg_tensor *wg_cross_entropy(wg_tensor *z, wg_tensor *targets)
{
    return cross_entropy_build(z, targets, NULL, true);
}

wg_tensor *wg_cross_entropy_opt(wg_tensor *z, wg_tensor *targets,
                                const wg_cross_entropy_options *options)
{
    return cross_entropy_build(z, targets, options, true);
}

wg_tensor *wg_nll(wg_tensor *log_p, wg_tensor *targets, const wg_cross_entropy_options *options)
{
    return cross_entropy_build(log_p, targets, options, false);
}
