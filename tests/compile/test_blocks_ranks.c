/* Objectives in row blocks whose rows are shared by ranks: the same bits, few messages. */
#include "autograd/compile/blocks.h"
#include "autograd/rng.h"
#include "autograd/tape.h"
#include "ops/elementwise.h"
#include "ops/layout.h"
#include "ops/loss.h"
#include "ops/matmul.h"
#include "ops/random.h"
#include "ops/reduce.h"
#include "ops/slice.h"
#include "tests/support/ranks.h"
#include "tests/support/suites.h"

#include <string.h>

enum { COLUMNS = 5, CLASSES = 3, PARAMS = COLUMNS * CLASSES + CLASSES, MOST = 3000 };

/* What all ranks do, and what comes of it: value and gradient, on every rank. */
typedef struct job {
    int64_t n, rows; /* in all, and of a block */
    wg_dtype dtype;
    int threads, runs;
    bool uneven; /* parts: the first rank holds most */
    double result[WGT_RANKS][1 + PARAMS];
} job;

static wg_tensor *softmax_loss(wg_tape *t, wg_tensor *const rows[], void *user)
{
    wg_tensor **param = user;
    (void)t;
    wg_tensor *z = wg_add(wg_matmul(rows[0], param[0]), param[1]);
    return wg_cross_entropy_opt(z, rows[1], &(wg_cross_entropy_options){.reduction = WG_SUM});
}

static int64_t part_start(const job *j, int rank, int size)
{
    if (j->uneven)
        return rank == 0 ? 0 : j->n - (size - rank);
    return j->n * rank / size;
}

static int run(const wg_ranks *r, void *user)
{
    static double X64[MOST * COLUMNS];
    static float X32[MOST * COLUMNS];
    static int64_t label[MOST];
    job *j = user;
    wg_pool *pool = wg_pool_new(j->threads, NULL);
    wg_tape *t = wg_tape_new(&(wg_tape_options){.ranks = r, .pool = pool});
    const int64_t from = part_start(j, r->rank, r->size),
                  n = part_start(j, r->rank + 1, r->size) - from;
    for (int64_t i = 0; i < n * COLUMNS; i++) {
        X64[i] = wg_random_normal(1, 1, (uint64_t)(from * COLUMNS + i));
        X32[i] = (float)X64[i];
    }
    for (int64_t i = 0; i < n; i++)
        label[i] = (int64_t)(wg_random_uniform(1, 2, (uint64_t)(from + i)) * CLASSES);
    const void *X = j->dtype == WG_F32 ? (const void *)X32 : (const void *)X64;
    wg_tensor *rows[] = {wg_input(t, "X", j->dtype, WG_SHAPE(n, COLUMNS), X),
                         wg_input(t, "k", WG_I64, WG_SHAPE(n), label)};
    wg_tensor *param[] = {wg_param(t, "w", j->dtype, WG_SHAPE(COLUMNS, CLASSES)),
                          wg_param(t, "b", j->dtype, WG_SHAPE(CLASSES))};
    wg_fill_normal(param[0], 0, 1, 1);
    wg_blocks *b = wg_blocks_new(rows, 2, param, 2, softmax_loss, param,
                                 &(wg_blocks_options){.rows = j->rows});
    for (int i = 0; i < j->runs; i++)
        wg_blocks_run(b);
    double *to = j->result[r->rank];
    if (j->runs > 0) {
        *to++ = wg_item(wg_blocks_value(b));
        for (int k = 0; k < 2; k++)
            for (int64_t i = 0; i < wg_size(param[k]); i++)
                *to++ = wg_at(wg_blocks_gradient(b, k), i);
    }
    const int status = (int)wg_tape_status(t);
    wg_tape_free(t);
    wg_pool_free(pool);
    return status;
}

/* ---- Random ops draw by the row's index in the whole ----------------------------------------- */

/* Sums that are exact in any order: whole numbers. */
static wg_tensor *dropped_loss(wg_tape *t, wg_tensor *const rows[], void *user)
{
    const job *j = user;
    wg_tensor *step = wg_full(t, WG_I64, WG_SHAPE(1), 3);
    wg_tensor *from[] = {step, wg_slice(rows[1], 0, 0, 1)};
    step = wg_concat(from, 2, 0);
    wg_tensor *x = wg_dropout(rows[0], 0.5, 7, 1, step);
    const int64_t shape[] = {wg_dim(x, 0), COLUMNS};
    wg_tensor *u = wg_floor(wg_scale(wg_uniform(j->dtype, 2, shape, 7, 2, step), 1000));
    return wg_sum(wg_mul(x, u));
}

static int run_dropped(const wg_ranks *r, void *user)
{
    static double X[MOST * COLUMNS];
    static int64_t number[MOST];
    job *j = user;
    wg_pool *pool = wg_pool_new(j->threads, NULL);
    wg_tape *t = wg_tape_new(&(wg_tape_options){.ranks = r, .pool = pool});
    const int64_t from = part_start(j, r->rank, r->size),
                  n = part_start(j, r->rank + 1, r->size) - from;
    for (int64_t i = 0; i < n; i++)
        number[i] = from + i;
    for (int64_t i = 0; i < n * COLUMNS; i++)
        X[i] = (double)((from * COLUMNS + i) % 17 - 8);
    wg_tensor *rows[] = {wg_cast(wg_constant(t, WG_F64, WG_SHAPE(n, COLUMNS), X), j->dtype),
                         wg_input(t, "number", WG_I64, WG_SHAPE(n), number)};
    if (j->rows == 0)
        j->result[0][0] = wg_item(dropped_loss(t, rows, j));
    else {
        wg_blocks *b = wg_blocks_new(rows, 2, NULL, 0, dropped_loss, j,
                                     &(wg_blocks_options){.rows = j->rows});
        wg_blocks_run(b);
        j->result[r->rank][0] = wg_item(wg_blocks_value(b));
    }
    const int status = (int)wg_tape_status(t);
    wg_tape_free(t);
    wg_pool_free(pool);
    return status;
}

START_TEST(test_random_by_row)
{
    static const int ranks[] = {1, 2, 3, 5, 8};
    job *j = wgt_shared(sizeof *j);
    *j = (job){.n = MOST, .threads = 1, .dtype = _i % 2 ? WG_F32 : WG_F64};
    ck_assert_int_eq(run_dropped(&(wg_ranks){.size = 1}, j), 0);
    const double want = j->result[0][0];
    ck_assert(want != 0);
    for (size_t k = 0; k < sizeof ranks / sizeof *ranks; k++)
        for (j->threads = 1; j->threads <= (ranks[k] == 3 ? 4 : 1); j->threads *= 2)
            for (j->rows = 7; j->rows < 500; j->rows *= 64) {
                memset(j->result, 0, sizeof j->result);
                wgt_ranks_run(ranks[k], run_dropped, j);
                for (int i = 0; i < ranks[k]; i++)
                    ck_assert_msg(j->result[i][0] == want, "%d ranks, blocks of %d rows", ranks[k],
                                  (int)j->rows);
            }
}
END_TEST

/* No ranks, and one, and others, with threads. */
START_TEST(test_the_same_bits)
{
    static const int ranks[] = {1, 2, 3, 4, 5, 8};
    static const struct {
        int64_t n, rows;
    } sizes[] = {{MOST, 7}, {67, 1}};
    job *j = wgt_shared(sizeof *j);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        double want[1 + PARAMS];
        *j = (job){.n = sizes[s].n, .rows = sizes[s].rows, .runs = 2};
        j->dtype = _i % 2 ? WG_F32 : WG_F64;
        j->threads = 1;
        ck_assert_int_eq(run(&(wg_ranks){.size = 1}, j), 0);
        memcpy(want, j->result[0], sizeof want);
        for (size_t k = 0; k < sizeof ranks / sizeof *ranks; k++)
            for (j->threads = 1; j->threads <= 4; j->threads *= 2) {
                j->uneven = j->threads == 2;
                memset(j->result, 0, sizeof j->result);
                wgt_ranks_run(ranks[k], run, j);
                for (int i = 0; i < ranks[k]; i++)
                    ck_assert_int_eq(memcmp(j->result[i], want, sizeof want), 0);
            }
    }
}
END_TEST

/* Messages of a run as long as value and gradient: log2 p for a power of two, else at most three
 * times as many; and what another run adds, since the first ones are for making it. */
START_TEST(test_messages_are_few)
{
    job *j = wgt_shared(sizeof *j);
    for (int p = 1; p <= WGT_RANKS; p++) {
        int64_t made[WGT_RANKS] = {0};
        int log2p = 0;
        while (1 << log2p < p)
            log2p++;
        for (int runs = 0; runs <= 10; runs += 10) {
            *j = (job){.n = MOST, .rows = 7, .threads = 1, .runs = runs};
            wgt_ranks r = wgt_ranks_start(p, run, j);
            ck_assert(wgt_ranks_wait(&r, 300));
            for (int i = 0; i < p; i++) {
                const wgt_traffic *t = &r.traffic[i];
                const int64_t all = t->sent > t->taken ? t->sent : t->taken;
                ck_assert_int_eq(r.status[i], 0);
                if (runs == 0)
                    made[i] = all;
                else if (1 << log2p == p)
                    ck_assert_int_eq(all - made[i], 10 * log2p);
                else
                    ck_assert_int_le(all - made[i], 10 * 3 * log2p);
            }
        }
    }
}
END_TEST

Suite *suite_blocks_ranks(void)
{
    Suite *suite = suite_create("blocks_ranks");
    TCase *cases = tcase_create("blocks_ranks");
    tcase_add_loop_test(cases, test_the_same_bits, 0, 2);
    tcase_add_loop_test(cases, test_random_by_row, 0, 2);
    tcase_add_test(cases, test_messages_are_few);
    suite_add_tcase(suite, cases);
    return suite;
}
