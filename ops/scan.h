#ifndef WG_OPS_SCAN_H
#define WG_OPS_SCAN_H

#include "autograd/op.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A loop that is one node: its body is recorded once and run for every step, so that the tape, a
 * program of it and their derivatives have the size of one step, however many there are.
 *
 *     static void cell(wg_scan_step *s, void *user)
 *     {
 *         wg_tensor *h = wg_matmul(s->carry[0], s->param[0]);
 *         s->next[0] = s->y[0] = wg_tanh(wg_add(h, s->x[0]));
 *     }
 *
 *     wg_tensor *last, *hs;
 *     wg_scan(&(wg_scan_loop){.body = cell, .n_carries = 1, .carries = &h0, .n_xs = 1, .xs = &X,
 *                             .n_params = 1, .params = &W, .n_ys = 1}, &last, &hs);
 *
 * is, for W (d, d), h0 (1, d) and X (n, 1, d): h = h0; for t < n: h = hs[t] = tanh(h W + X[t]). */

/* A step, as the body sees it: tensors that have shapes and no values, on a tape of their own.
 * The body records ops on them and sets next and y. It uses what it is given and constants that it
 * makes (wg_zeros_like(s->carry[0])); another tensor of the caller is WG_E_TAPE: it belongs to the
 * params. What the body writes elsewhere, and what C's own `if` decides, is done once. A random op
 * draws the same in every step, unless its `step` is one of the xs. wg_grad and wg_jvp work inside;
 * wg_jacobian and wg_hessian, which need values, are WG_E_VALUE. */
typedef struct wg_scan_step {
    wg_tensor *const *carry; /* [n_carries] what the step before left, with the carries' shapes */
    wg_tensor *const *x;     /* [n_xs] row t of each of the xs */
    wg_tensor *const *param; /* [n_params] the params as they are */
    wg_tensor **next;        /* [n_carries] to be set: each with its carry's shape and dtype */
    wg_tensor **y;           /* [n_ys] to be set: what the step gives out, of any shape */
} wg_scan_step;

typedef void wg_scan_body(wg_scan_step *step, void *user);

typedef struct wg_scan_loop {
    wg_scan_body *body; /* called once; with snapshots up to twice */
    void *user;         /* handed to it */

    wg_tensor *const *carries; /* [n_carries] before the first step; at most 7 dimensions */
    wg_tensor *const *xs;      /* [n_xs] (steps, ...): a row each step; i64 (labels), too */
    wg_tensor *const *params;  /* [n_params] what all steps share; i64, too */
    int n_carries, n_xs, n_params;
    int n_ys;      /* tensors that a step gives out */
    int64_t steps; /* how many; with xs, which say it, 0 will do */
    bool reverse;  /* from the last row to the first; ys stand where their xs do */

    /* Default 0: the carries of every step are kept for the gradient: (steps + 1) times their size.
     * s > 0: those of about s steps, equally spaced, and a gradient runs the steps between once
     * more; the square root of `steps` takes least. It is a loop of s loops: values are the same
     * bits, and sums over steps (the gradients of params) are made in two levels; xs and ys have at
     * most 7 dimensions then. */
    int64_t snapshots;
} wg_scan_loop;

/* wg_scan: run the loop. last[i] (NULL: unwanted) becomes carry i after the last step, ys[i] y i of
 * all steps, (steps, ...). All floats among carries, xs, params and ys are of one dtype. The tape
 * owns everything; its status is returned, and after an error every result is inert.
 * Bits: values are those of the unrolled loop. In gradients, cotangents that meet in a step are
 *   rounded before they meet those of the step after it; those of params are summed over the steps
 *   as wg_add_n does, from the last step to the first. Each differs from the unrolled loop's by
 *   some roundings of its terms' size, and is the same where no more than two terms meet.
 * Derivatives: of any order; the gradient is a scan in the other direction. A check of gradients
 *   that fails names the op in the body whose rule is wrong in a step, or else scan. In a check
 *   what the body detaches, and what is discrete there, keeps in each step the value that it has,
 *   as in the unrolled loop; in a copy (wg_tape_copy) it is computed as all else is.
 * Errors: WG_E_NULL, WG_E_TAPE, WG_E_VALUE (no loop: nothing says how many steps, a body that
 *   makes parameters or inputs or sets no next or y), WG_E_SHAPE, WG_E_DTYPE, WG_E_STALE,
 *   WG_E_NOMEM, and those of the body and of its ops, in the name of scan.
 * As C (wg_program_to_c): a function of a step, which is called in a loop; loops of one body share
 *   it. Sums over the steps are added up in order.
 * Source: jax.lax.scan; Griewank and Walther, Evaluating Derivatives, 2008, sec. 12 (snapshots). */
wg_status wg_scan(const wg_scan_loop *loop, wg_tensor *last[], wg_tensor *ys[]);

#ifdef __cplusplus
}
#endif
#endif
