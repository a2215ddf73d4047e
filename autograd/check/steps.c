/* Owns the steps of a loop as checks look at them: the ops of its body, each step's on a tape of
 * its own. */
#include "autograd/check/gradcheck_internal.h"

enum { STEPS_MOST = 32 };

void wg_check_steps_begin(wg_check_steps *s, const wg_tensor *y)
{
    *s = (wg_check_steps){.y = y, .options = y->tape->options};
    s->options.on_error = NULL;
}

bool wg_check_steps_next(wg_check_steps *s)
{
    wg_tape *before = s->t;
    if (s->step >= STEPS_MOST || (before != NULL && before->status != WG_OK))
        return false;
    s->t = wg_tape_new(&s->options);
    const bool real = wg_tape_is_real(s->t);
    const bool more = real && s->y->op->holds->step(s->y, s->step++, before, s->t);
    s->all = real && !more;
    wg_tape_free(before);
    return more;
}

void wg_check_steps_end(wg_check_steps *s)
{
    wg_tape_free(s->t);
}
