/* Replay: what depends on parameters and inputs is computed anew, all or what is asked for. */
#include "autograd/tape_internal.h"

#include <inttypes.h>
#include <string.h>

/* Leaves and abstract nodes have nothing to compute; what depends on constants never changes. */
static bool replay_runs(const wg_tensor *y)
{
    return (y->state & WG_NODE_LIVE) && !(y->state & WG_NODE_ABSTRACT) && y->n_operands > 0;
}

/* What is computed from the output of a program stays stale while that is: only the program's run
 * gives it a value. Operands that were computed anew are fresh. */
static bool replay_waits(const wg_tensor *y)
{
    bool waits = false;
    for (int k = 0; k < y->n_operands && y->tape->has_outputs && !waits; k++)
        waits = (y->operand[k]->state & WG_NODE_STALE) != 0;
    return waits;
}

/* The operand that is looked at is the last. */
static bool replay_checks_input(const wg_tensor *y)
{
    if (y->op->check_input == NULL || !replay_runs(y))
        return false;
    const wg_tensor *root = wg_view_root(y->operand[y->n_operands - 1]);
    return root->n_operands > 0 || !(root->state & WG_NODE_STALE);
}

/* Before anything is computed. Views of inputs follow them already. */
static bool replay_checks_inputs(wg_tensor *const node[], int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (replay_checks_input(node[i]) && !wg_node_check_input(node[i]))
            return false;
    return true;
}

static bool replay_run(wg_tensor *y)
{
    if (replay_waits(y))
        return true;
    if (!wg_node_run(y))
        return false;
    y->state &= ~(unsigned)WG_NODE_STALE;
    return true;
}

wg_status wg_replay(wg_tape *t)
{
    if (t == NULL)
        return WG_E_NULL;
    if (t->status != WG_OK)
        return t->status;
    if (t->written)
        wg_stale_spread(t);
    if (t->checks_inputs && !replay_checks_inputs(t->node, t->size))
        return t->status;
    for (int64_t i = 0; i < t->size; i++)
        if (replay_runs(t->node[i]) && !replay_run(t->node[i]))
            break;
    return t->status;
}

static bool replay_asked(wg_tape *t, wg_tensor *const ys[], int n, int64_t *last)
{
    *last = -1;
    for (int i = 0; i < n; i++) {
        if (!wg_belongs(t, ys[i], "replay", "output", i))
            return false;
        if (ys[i]->index > *last)
            *last = ys[i]->index;
    }
    return true;
}

void wg_mark_needed(const wg_tape *t, wg_tensor *const ys[], int n, int64_t last, bool *needed)
{
    memset(needed, 0, (size_t)last + 1);
    for (int i = 0; i < n; i++)
        needed[ys[i]->index] = true;
    for (int64_t i = last; i >= 0; i--)
        for (int k = 0; needed[i] && k < t->node[i]->n_operands; k++)
            needed[t->node[i]->operand[k]->index] = true;
}

/* reached[i]: node i is computed from one of `from`, and is none of them. What is detached from
 * them keeps its value. */
static void plan_mark_reached(const wg_tape *t, wg_tensor *const from[], int n, bool *reached)
{
    memset(reached, 0, (size_t)t->size);
    for (int i = 0; i < n; i++)
        reached[from[i]->index] = true;
    for (int64_t i = 0; i < t->size; i++)
        for (int k = 0;
             !reached[i] && !(t->node[i]->op->flags & WG_OP_DETACHED) && k < t->node[i]->n_operands;
             k++)
            reached[i] = reached[t->node[i]->operand[k]->index];
    for (int i = 0; i < n; i++)
        reached[from[i]->index] = false;
}

static bool plan_list(wg_plan *plan, wg_tape *t, const bool *needed, const bool *reached,
                      int64_t last)
{
    plan->t = t;
    plan->n = 0;
    plan->node = wg_arena_take(&t->scratch, (size_t)(last + 1) * sizeof *plan->node,
                               sizeof(void *));
    if (plan->node == NULL)
        return false;
    for (int64_t i = 0; i <= last; i++)
        if (needed[i] && (reached == NULL || reached[i]) && replay_runs(t->node[i]))
            plan->node[plan->n++] = t->node[i];
    return true;
}

bool wg_plan_init(wg_plan *plan, wg_tensor *const from[], int n_from, wg_tensor *const to[],
                  int n_to)
{
    wg_tape *t = wg_first_tape(to, n_to);
    int64_t last;
    if (t->status != WG_OK || !replay_asked(t, to, n_to, &last))
        return false;
    bool *needed = wg_arena_take(&t->scratch, (size_t)last + 1, 1);
    bool *reached = from != NULL ? wg_arena_take(&t->scratch, (size_t)t->size, 1) : NULL;
    if (needed != NULL)
        wg_mark_needed(t, to, n_to, last, needed);
    if (reached != NULL)
        plan_mark_reached(t, from, n_from, reached);
    if (needed != NULL && (reached != NULL || from == NULL) &&
        plan_list(plan, t, needed, reached, last))
        return true;
    wg_fail(t, WG_E_NOMEM, "replay: out of memory for a plan of %" PRId64 " nodes", last + 1);
    return false;
}

bool wg_plan_run(const wg_plan *plan)
{
    if (plan->t->checks_inputs && !replay_checks_inputs(plan->node, plan->n))
        return false;
    for (int64_t i = 0; i < plan->n; i++)
        if (!replay_run(plan->node[i]))
            return false;
    return true;
}

wg_status wg_replay_to(wg_tensor *const ys[], int n)
{
    wg_tape *t = wg_first_tape(ys, n);
    wg_plan plan;
    if (t->status != WG_OK)
        return t->status;
    if (t->written)
        wg_stale_spread(t);
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    if (wg_plan_init(&plan, NULL, 0, ys, n))
        wg_plan_run(&plan);
    wg_arena_rewind(&t->scratch, empty);
    return t->status;
}
