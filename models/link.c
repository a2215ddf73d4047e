#include "models/link.h"

#include "autograd/op.h"
#include "ops/activations.h"
#include "ops/arithmetic.h"
#include "ops/compare.h"
#include "ops/index.h"
#include "ops/layout.h"
#include "ops/loss.h"
#include "ops/reduce.h"
#include "ops/slice.h"
#include "ops/softmax.h"

#include <inttypes.h>

int64_t wg_link_classes_of(wg_link link, int64_t columns)
{
    if (link == WG_LINK_SIGMOID)
        return columns == 1 ? 2 : 0;
    return columns > 1 ? columns : 0;
}

static bool link_labels_fit(wg_tensor *labels, int64_t k)
{
    wg_tape *t = labels->tape;
    if (labels->dtype != WG_I64)
        wg_fail(t, WG_E_DTYPE, "labels must be i64: %s", wg_tensor_text(labels).s);
    else if (labels->shape.ndim != 1)
        wg_fail(t, WG_E_SHAPE, "labels must be [n]: %s", wg_tensor_text(labels).s);
    else if (labels->data == NULL || wg_is_stale(labels))
        wg_fail(t, WG_E_STALE, "labels: replay first: %s", wg_tensor_text(labels).s);
    for (int64_t i = 0; wg_tape_status(t) == WG_OK && i < labels->size; i++) {
        int64_t label = ((const int64_t *)labels->data)[i];
        if (label < 0 || label >= k)
            wg_fail(t, WG_E_INDEX,
                    "row %" PRId64 " has the label %" PRId64 ", but there are %" PRId64
                    " classes: %s",
                    i, label, k, wg_tensor_text(labels).s);
    }
    return wg_tape_status(t) == WG_OK;
}

wg_tensor *wg_link_targets(wg_link link, wg_tensor *labels, int64_t k, wg_dtype dtype)
{
    if (wg_is_inert(labels))
        return wg_fail(labels != NULL ? labels->tape : NULL, WG_E_NULL, "labels are inert");
    if (!link_labels_fit(labels, k))
        return wg_fail(labels->tape, WG_E_INDEX, "labels do not fit");
    if (link == WG_LINK_SOFTMAX)
        return labels;
    if (link == WG_LINK_ONE_VS_REST)
        return wg_one_hot(labels, k, dtype);
    return wg_reshape(wg_cast(labels, dtype), WG_SHAPE(labels->size, 1));
}

/* Each row's loss, [n]. */
static wg_tensor *link_row_losses(wg_link link, wg_tensor *Z, wg_tensor *targets)
{
    if (link == WG_LINK_SOFTMAX)
        return wg_cross_entropy_opt(Z, targets, &(wg_cross_entropy_options){.reduction = WG_NONE});
    wg_tensor *each = wg_bce_with_logits_opt(Z, targets, &(wg_bce_options){.reduction = WG_NONE});
    return wg_sum_over(each, WG_AXES(1), false);
}

wg_tensor *wg_link_loss(wg_link link, wg_tensor *Z, wg_tensor *targets, wg_tensor *weights)
{
    if (weights != NULL)
        return wg_mean(wg_mul(link_row_losses(link, Z, targets), weights));
    if (link == WG_LINK_SOFTMAX)
        return wg_cross_entropy(Z, targets);
    if (link == WG_LINK_SIGMOID)
        return wg_bce_with_logits(Z, targets);
    return wg_mean(link_row_losses(link, Z, targets));
}

wg_tensor *wg_link_loss_sum(wg_link link, wg_tensor *Z, wg_tensor *targets, wg_tensor *weights)
{
    if (weights != NULL)
        return wg_sum(wg_mul(link_row_losses(link, Z, targets), weights));
    if (link == WG_LINK_SOFTMAX)
        return wg_cross_entropy_opt(Z, targets, &(wg_cross_entropy_options){.reduction = WG_SUM});
    return wg_bce_with_logits_opt(Z, targets, &(wg_bce_options){.reduction = WG_SUM});
}

wg_tensor *wg_link_probabilities(wg_link link, wg_tensor *Z)
{
    if (link == WG_LINK_SOFTMAX)
        return wg_softmax(Z, -1);
    wg_tensor *P = wg_sigmoid(Z);
    if (link == WG_LINK_SIGMOID)
        return wg_concat((wg_tensor *[]){wg_sigmoid(wg_neg(Z)), P}, 2, 1);
    return wg_div(P, wg_sum_over(P, WG_AXES(1), true));
}

wg_tensor *wg_link_predict(wg_link link, wg_tensor *Z)
{
    if (link != WG_LINK_SIGMOID)
        return wg_argmax_over(Z, 1, false);
    wg_tensor *above = wg_greater(Z, wg_zeros_like(Z));
    return wg_reshape(wg_cast(above, WG_I64), WG_SHAPE(wg_size(Z)));
}
