/* REINFORCE (Williams 1992): the gradient of a softmax policy's expected return is the mean of (return - baseline)
 * times the gradient of log pi(action). So the loss is a cross-entropy whose rows are weighed by how well the
 * actions paid: the same mathematics as a classifier's. A bandit with three arms, then a walk through a small grid,
 * whose policy is a table of logits: a linear model of one-hot cells.
 *
 * Run as build/reinforce. Prints
 *
 *     bandit     mean pay  probabilities of the arms
 *     round   0    0.4844  0.333 0.333 0.333
 *     round  20    0.8750  0.025 0.062 0.913
 *     round  40    0.9219  0.005 0.010 0.985
 *     round  60    0.6562  0.003 0.007 0.990
 *
 *     grid       mean steps; 6 are the fewest
 *     round   0  30.62
 *     round  20  8.31
 *     round  40  7.62
 *     round  60  6.81
 *     round  80  6.56
 *     round 100  6.69
 */
#include <stdio.h>
#include <string.h>
#include <wengert.h>

enum { ARMS = 3, BATCH = 64, SIDE = 4, CELLS = SIDE * SIDE, MOVES = 4, LONGEST = 40, PATHS = 16 };
enum { ROWS = PATHS * LONGEST };

/* States, the actions taken there, and how much better than usual they were. */
typedef struct experience {
    int64_t rows, state[ROWS], action[ROWS];
    double advantage[ROWS];
} experience;

/* A policy that is recorded once: its probabilities, and the weighted loss of what was done. */
typedef struct policy {
    wg_tensor *W, *probabilities;          /* logits and probabilities [states, actions] */
    wg_tensor *state, *action, *advantage; /* [rows], borrowed from the experience */
    wg_tensor *loss, *g;
    wg_optimizer *adam;
    const experience *seen;
} policy;

static policy policy_new(wg_tape *t, int64_t states, int64_t actions, const experience *e)
{
    policy p = {.W = wg_param(t, "W", WG_F64, WG_SHAPE(states, actions)), .seen = e};
    p.state = wg_input(t, "state", WG_I64, WG_SHAPE(e->rows), e->state);
    p.action = wg_input(t, "action", WG_I64, WG_SHAPE(e->rows), e->action);
    p.advantage = wg_input(t, "advantage", WG_F64, WG_SHAPE(e->rows), e->advantage);
    p.probabilities = wg_softmax(p.W, 1);
    wg_tensor *z = wg_gather_rows(p.W, p.state);
    wg_tensor *surprise = wg_cross_entropy_opt(
        z, p.action, &(wg_cross_entropy_options){.reduction = WG_NONE}); /* -log pi(action) */
    p.loss = wg_mean(wg_mul(p.advantage, surprise));
    wg_grad(p.loss, &p.W, 1, &p.g);
    p.adam = wg_adam_new(&p.W, 1, &(wg_adam_options){.rate = 0.1});
    return p;
}

/* A step by an experience that has changed. */
static void learn(const policy *p)
{
    wg_bind(p->state, p->seen->state);
    wg_bind(p->action, p->seen->action);
    wg_bind(p->advantage, p->seen->advantage);
    wg_tensor *g = p->g;
    wg_replay_to(&g, 1);
    wg_optimizer_step(p->adam, &g);
    wg_tensor *probabilities = p->probabilities;
    wg_replay_to(&probabilities, 1);
}

/* ---- The bandit: all of it is on the tape, drawn anew by a replay at another step ------------------------- */

static void bandit(wg_tape *t)
{
    const double often[ARMS] = {0.2, 0.5, 0.8}; /* how often an arm pays 1 */
    int64_t round = 0;
    wg_tensor *pays = wg_constant(t, WG_F64, WG_SHAPE(ARMS), often);
    wg_tensor *step = wg_input(t, "step", WG_I64, WG_SCALAR, &round);
    wg_tensor *w = wg_param(t, "w", WG_F64, WG_SHAPE(ARMS)), *p = wg_softmax(w, 0), *g;
    wg_tensor *z = wg_broadcast_to(w, WG_SHAPE(BATCH, ARMS));
    wg_tensor *arm = wg_categorical(wg_softmax(z, 1), 1, 0, step);
    wg_tensor *luck = wg_uniform(WG_F64, WG_SHAPE(BATCH), 1, 1, step);
    wg_tensor *pay = wg_less(luck, wg_gather_rows(pays, arm)), *mean = wg_mean(pay);
    wg_tensor *surprise = wg_cross_entropy_opt(
        z, arm, &(wg_cross_entropy_options){.reduction = WG_NONE}); /* -log p(arm) */
    wg_grad(wg_mean(wg_mul(wg_sub(pay, mean), surprise)), &w, 1, &g);
    wg_optimizer *adam = wg_adam_new(&w, 1, &(wg_adam_options){.rate = 0.1});
    printf("bandit     mean pay  probabilities of the arms\n");
    for (; round <= 60; round++) {
        wg_bind(step, &round);
        wg_replay(t);
        if (round % 20 == 0)
            printf("round %3d    %.4f  %.3f %.3f %.3f\n", (int)round, wg_item(mean), wg_at(p, 0),
                   wg_at(p, 1), wg_at(p, 2));
        wg_optimizer_step(adam, &g);
    }
    wg_replay(t);
}

/* ---- The grid: from one corner to the other, a step costs 1 ---------------------------------------------- */

/* Up, down, left, right; walls stop. */
static int64_t move(int64_t cell, int64_t action)
{
    int64_t row = cell / SIDE, column = cell % SIDE;
    row += (action == 1 && row < SIDE - 1) - (action == 0 && row > 0);
    column += (action == 3 && column < SIDE - 1) - (action == 2 && column > 0);
    return row * SIDE + column;
}

/* A walk into the arrays, padded by steps that count nothing; returns its length. */
static int walk(const double *q, uint64_t key, int64_t *state, int64_t *action)
{
    int64_t cell = 0;
    int n = 0;
    for (; n < LONGEST && cell != CELLS - 1; n++) {
        state[n] = cell;
        action[n] = wg_random_categorical(2, key, (uint64_t)n, q + cell * MOVES, MOVES);
        cell = move(cell, action[n]);
    }
    for (int i = n; i < LONGEST; i++)
        state[i] = action[i] = 0;
    return n;
}

/* What a step is worth: minus the steps that followed, against the mean of all walks at that step. */
static void weigh(const int length[PATHS], double *advantage)
{
    memset(advantage, 0, ROWS * sizeof *advantage);
    for (int i = 0; i < LONGEST; i++) {
        double sum = 0, count = 0;
        for (int k = 0; k < PATHS; k++)
            if (i < length[k]) {
                sum += length[k] - i;
                count++;
            }
        for (int k = 0; k < PATHS; k++)
            if (i < length[k])
                advantage[k * LONGEST + i] = sum / count - (length[k] - i);
    }
}

static void grid(wg_tape *t)
{
    static experience e = {.rows = ROWS};
    int length[PATHS];
    const policy p = policy_new(t, CELLS, MOVES, &e);
    printf("\ngrid       mean steps; 6 are the fewest\n");
    for (uint64_t round = 0; round <= 100; round++) {
        const double *q = wg_data_f64(p.probabilities);
        double sum = 0;
        for (int k = 0; k < PATHS; k++) {
            length[k] = walk(q, round * PATHS + (uint64_t)k, e.state + k * LONGEST,
                             e.action + k * LONGEST);
            sum += length[k];
        }
        if (round % 20 == 0)
            printf("round %3d  %.2f\n", (int)round, sum / PATHS);
        weigh(length, e.advantage);
        learn(&p);
    }
}

int main(void)
{
    wg_tape *t = wg_tape_new(NULL);
    bandit(t);
    grid(t);
    int failed = wg_tape_status(t) != WG_OK;
    if (failed)
        fprintf(stderr, "%s\n", wg_tape_message(t));
    wg_tape_free(t);
    return failed;
}
