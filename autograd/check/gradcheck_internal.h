/* What the files behind gradcheck.h share. */
#ifndef WG_AUTOGRAD_CHECK_GRADCHECK_INTERNAL_H
#define WG_AUTOGRAD_CHECK_GRADCHECK_INTERNAL_H

#include "autograd/body_internal.h"
#include "autograd/check/recorded_internal.h"

/* wg_check_recorded: checks a claim, recorded by `record` from the context, which records it on a
 * wide copy, too, where one is needed; given: the gradients are the caller's, not derived. */
wg_check_verdict wg_check_recorded(wg_check_session *s, const wg_check_claim *c,
                                   wg_check_record *record, const void *context,
                                   const wg_gradcheck_options *options, bool given,
                                   wg_check_report reports[]);

/* wg_check_blame: which op among those that move with r's x, on r's tape, has a rule that disagrees
 * with its own forward kernel? NULL: none. r has ended. */
const char *wg_check_blame(const wg_recorded *r, const wg_check_options *options);

/* The steps of a loop y, the first of many: wg_check_steps_begin, then, as long as
 * wg_check_steps_next is true, t has the ops of a step, if its status is WG_OK; wg_check_steps_end
 * frees the last. */
typedef struct wg_check_steps {
    const wg_tensor *y;
    wg_tape_options options;
    wg_tape *t;
    int64_t step;
    bool all; /* there were no more */
} wg_check_steps;

void wg_check_steps_begin(wg_check_steps *s, const wg_tensor *y);
bool wg_check_steps_next(wg_check_steps *s);
void wg_check_steps_end(wg_check_steps *s);

/* wg_check_rules: the worst of what differences say of each rule among these, by itself: AGREES, or
 * KINK, where all are resolved. The nodes hold their values at x. */
wg_check_outcome wg_check_rules(const wg_recorded *r);

/* wg_check_ties: what is found at the kinks of y's op, all operands that move with r's xs moving
 * together; AGREES: there are none. The nodes hold their values at x. */
wg_check_outcome wg_check_ties(const wg_recorded *r, wg_tensor *y);

/* wg_check_wrong_ties: the op, y's or one in its body, that is wrong there; NULL: none. */
const char *wg_check_wrong_ties(const wg_recorded *r, wg_tensor *y);

/* wg_check_rule: what y's rule gives for operand i, as wg_grad asks for it: by vjp_parts or
 * vjp_all where the op has them. */
wg_tensor *wg_check_rule(wg_tensor *y, wg_tensor *dy, int i);

/* wg_check_rule_alone: the same where no other operand leads to an x. */
wg_tensor *wg_check_rule_alone(wg_tensor *y, wg_tensor *dy, int i);

/* wg_check_cotangents: records, for n nodes that the claim's ys are computed from, constants of
 * what comes to them from the ys, and of normal draws where nothing does. [n] in scratch, or
 * NULL. */
wg_tensor **wg_check_cotangents(wg_tape *t, const wg_check_claim *c, wg_tensor *const nodes[],
                                int64_t n);

/* wg_check_linear: is the gradient that wg_vjp derives linear in the cotangent, at whatever size,
 * and the same when derived again? Where it is not the verdict is WG_CHECK_FAILED, and the op whose
 * rule is not is to blame. */
wg_check_verdict wg_check_linear(wg_check_session *s, const wg_check_claim *c,
                                 const wg_gradcheck_options *options, wg_check_report reports[]);

/* wg_check_wrong_in_walk: the op whose rule, asked as the claim's gradient asks it, gives something
 * else than about constants of the same values; NULL: none does. A rule must not tell them apart,
 * nor an operand that is asked about alone from several at once. */
const char *wg_check_wrong_in_walk(const wg_check_session *s, const wg_check_claim *c);

/* wg_check_same_bits: of two tensors of one shape and dtype. A NaN is like any other: its sign and
 * payload depend on the instructions, and so on the place in a vector. */
bool wg_check_same_bits(const wg_tensor *a, const wg_tensor *b);

/* wg_check_is_op: is an op the other one? A rule may make its descriptors anew. */
bool wg_check_is_op(const wg_op *a, const wg_op *b);

#if WG_HAS_WIDE
/* wg_check_wrong_kernel: the first op whose kernel of f64 does not compute, for the values that its
 * operands hold, what its wide one does, of the nodes that the two sessions have in common; NULL:
 * none. */
const char *wg_check_wrong_kernel(const wg_check_session *s, const wg_check_session *wide);
#endif

/* wg_check_narrow: the first op on a wide tape, or in the steps of its loops, whose wide kernel
 * passes through a narrower float; NULL: none. */
const char *wg_check_narrow(const wg_tape *t, bool *no_memory);

/* wg_check_wrong_single: the first op that y and the n gs, on their tape t, are computed with whose
 * kernel of f32 does not compute what that of f64 does; NULL: none. */
const char *wg_check_wrong_single(wg_tape *t, wg_tensor *y, wg_tensor *const gs[], int n,
                                  bool *no_memory);

/* wg_check_wrong_rule: the first op that y is computed with whose rule does not give in f64, for
 * the values that its operands hold, what it gives in wide floats; NULL: none. */
const char *wg_check_wrong_rule(const wg_check_session *s, bool *no_memory);

/* wg_check_impure: the op among those that y is computed from, on the user's tape, that gives other
 * bits when it is evaluated again, or with its work cut otherwise; NULL: none does. */
const char *wg_check_impure(const wg_check_session *s, bool *no_memory);

/* wg_check_independent: are the xs different tensors, none of them computed from another? */
bool wg_check_independent(const wg_check_session *s);

/* wg_check_look_near: of what moves with r's xs, along entry or direction: is there an op whose
 * values do not move smoothly at this step and fractions of it, or round off as much as the gap
 * (rough), or whose one-sided derivatives differ (kink)? gap = 0: rounding does not matter.
 * wg_check_branch: the op whose value, held because it is discrete, changes at that
 * step; or NULL. */
typedef struct wg_check_near {
    const char *rough, *kink;
    bool rounds; /* rough, by rounding */
} wg_check_near;
wg_check_near wg_check_look_near(wg_recorded *r, size_t entry, const double *direction, double step,
                                 double gap);

/* wg_check_rounds: the op whose rounding, carried on to f by derivatives, amounts to the gap
 * between a claim and differences at this step: 1 + x for a tiny x, a saturated erf; and the size
 * in f of what it rounds. 0, and no op: none does. */
double wg_check_rounds(wg_recorded *r, double step, double gap, const char **op);
const char *wg_check_branch(wg_recorded *r, size_t entry, const double *direction, double step);

/* wg_check_single: where a copy was checked, compares each kernel of f32 with that of f64, and the
 * gradients claimed on the copy with those of the user's tape: given ones, or what y's cotangent c
 * gives. Sets `single` in the reports; what differs by more than `most` of the largest, where that
 * is not 0, is unresolved. */
wg_check_verdict wg_check_single(wg_check_session *s, wg_tensor *y, const wg_tensor *c,
                                 wg_tensor *const given[], wg_tensor *const claimed[], double most,
                                 wg_check_report reports[]);

#endif
