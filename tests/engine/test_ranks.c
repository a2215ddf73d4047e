/* Ranks: shards, what ranks do together, messages that are lost, damaged or out of step. */
#include "autograd/ranks/ranks_internal.h"
#include "tests/support/assert.h"
#include "tests/support/ranks.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static const int sizes[] = {1, 2, 3, 4, 5, 7, 8};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* ---- Shards ---------------------------------------------------------------------------------- */

static wg_shards shards_of(int rank, int size, int64_t rows, int64_t block)
{
    const wg_ranks r = {.rank = rank, .size = size};
    wg_tape *t = wg_tape_new(&(wg_tape_options){.ranks = &r});
    const wg_shards s = wg_shards_of(t, rows, block);
    wg_tape_free(t);
    return s;
}

START_TEST(test_shards_are_shared_out)
{
    const int64_t rows[] = {0, 1, 5, 63, 64, 65, 1000, INT64_MAX / 2};
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
        for (int size = 1; size <= 70; size++) {
            int at = 0;
            const wg_shards all = shards_of(0, 1, rows[k], 5);
            ck_assert_int_eq(wg_shards_row(&all, all.count), rows[k]);
            for (int rank = 0; rank < size; rank++) {
                const wg_shards s = shards_of(rank, size, rows[k], 5);
                ck_assert_int_eq(s.count, all.count);
                ck_assert_int_eq(s.first, at);
                ck_assert_int_le(s.end - s.first, (s.count + size - 1) / size);
                ck_assert(s.first < s.end || s.count < size); /* none without rows */
                for (at = s.first; at < s.end; at++) {
                    ck_assert_int_eq(s.owner[at], rank);
                    ck_assert_int_lt(wg_shards_row(&s, at), wg_shards_row(&s, at + 1));
                }
                const int width = wg_shards_width(&s, 64);
                ck_assert_int_eq(s.first % width + s.end % width, 0);
            }
            ck_assert_int_eq(at, all.count);
        }
}
END_TEST

/* ---- Together -------------------------------------------------------------------------------- */

static int do_all(const wg_ranks *r, void *user)
{
    wg_tape *t = wg_tape_new(&(wg_tape_options){.ranks = r});
    const int p = r->size;
    double x[3] = {r->rank, 1, -2};
    char text[8] = "", mine[16];
    size_t total;
    (void)user;
    if (wg_ranks_agree(t, 17, "numbers") != WG_OK || wg_ranks_sum(t, x, 3) != WG_OK)
        return 1;
    if (x[0] != p * (p - 1) / 2 || x[1] != p || x[2] != -2 * p)
        return 2;
    if (r->rank == 0)
        memcpy(text, "seven", 6);
    if (wg_ranks_broadcast(t, text, sizeof text) != WG_OK || strcmp(text, "seven") != 0)
        return 3;
    memset(mine, 'a' + r->rank, sizeof mine);
    for (int everywhere = 0; everywhere < 2; everywhere++) {
        char *all = wg_ranks_gather(t, mine, (size_t)r->rank, everywhere, &total);
        if ((all != NULL) != (everywhere || r->rank == 0) || total != (size_t)(p * (p - 1) / 2))
            return 4;
        for (int i = 0, at = 0; all != NULL && i < p; i++)
            for (int k = 0; k < i; k++)
                if (all[at++] != 'a' + i)
                    return 5;
        wg_temporary_free(t, all);
    }
    wg_tape_free(t);
    return 0;
}

START_TEST(test_together)
{
    wgt_ranks_run(sizes[_i], do_all, NULL);
}
END_TEST

/* ---- Rows that move -------------------------------------------------------------------------- */

/* Rank r holds so many of n rows that add up to them all, in some odd way. */
static int64_t part(int64_t n, int rank, int size)
{
    int64_t from = 0;
    for (int i = 0; i < rank; i++)
        from += part(n, i, size);
    return rank == size - 1 ? n - from : (n - from) / (rank % 3 + 1);
}

static int do_move(const wg_ranks *r, void *user)
{
    static double x[1000][3];
    const int64_t *n = user;
    wg_tape *t = wg_tape_new(&(wg_tape_options){.ranks = r});
    double held[WGT_RANKS];
    const int64_t mine = part(*n, r->rank, r->size);
    int64_t from = 0;
    for (int i = 0; i < r->rank; i++)
        from += part(*n, i, r->size);
    for (int64_t i = 0; i < mine * 3; i++)
        x[i / 3][i % 3] = (double)(3 * from + i);
    wg_tensor *list[] = {wg_input(t, "X", WG_F64, WG_SHAPE(mine, 3), x),
                         wg_constant(t, WG_F64, WG_SHAPE(mine, 3), x)};
    if (wg_ranks_count(t, mine, held) != *n)
        return 1;
    const wg_shards s = wg_shards_of(t, *n, 2);
    const int64_t first = wg_shards_row(&s, s.first), end = wg_shards_row(&s, s.end);
    for (int k = 0; k < 2; k++) {
        const wg_tensor *moved = wg_ranks_move(list[k], held, &s);
        if (wg_tape_status(t) != WG_OK || wg_dim(moved, 0) != end - first)
            return 2;
        for (int64_t from_row = 0; from_row < end - first; from_row += 7) {
            double room[21];
            const int64_t rows = end - first - from_row < 7 ? end - first - from_row : 7;
            const double *at = wg_rows_at(t, moved, from_row, rows, room);
            for (int64_t i = 0; i < 3 * rows; i++)
                if (at == NULL || at[i] != (double)(3 * (first + from_row) + i))
                    return 3;
        }
    }
    wg_tape_free(t);
    return 0;
}

START_TEST(test_rows_move)
{
    const int64_t n[] = {1, 2, 9, 100, 999};
    for (size_t k = 0; k < sizeof n / sizeof *n; k++)
        wgt_ranks_run(sizes[_i], do_move, &(int64_t){n[k]});
}
END_TEST

/* ---- Errors ---------------------------------------------------------------------------------- */

enum { TEXT = 256 };

typedef struct told {
    char text[WGT_RANKS][TEXT];
    int failing; /* the rank that does what is wrong */
} told;

static int note(wg_tape *t, const wg_ranks *r, told *out)
{
    snprintf(out->text[r->rank], TEXT, "%d %s", (int)wg_tape_status(t), wg_tape_message(t));
    wg_tape_free(t);
    return 0;
}

static int do_fail(const wg_ranks *r, void *user)
{
    told *out = user;
    wg_tape *t = wg_tape_new(&(wg_tape_options){.ranks = r});
    double x = 1;
    if (r->rank == out->failing)
        wg_fail(t, WG_E_VALUE, "its own");
    wg_ranks_sum(t, &x, 1);
    return note(t, r, out);
}

/* An error of one is everybody's. */
START_TEST(test_error_spreads)
{
    const int p = sizes[_i];
    told *out = wgt_shared(sizeof *out);
    char others[TEXT], own[TEXT];
    snprintf(own, sizeof own, "%d its own", WG_E_VALUE);
    for (out->failing = 0; out->failing < p; out->failing++) {
        wgt_ranks_run(p, do_fail, out);
        snprintf(others, sizeof others, "%d rank %d: its own", WG_E_VALUE, out->failing);
        for (int i = 0; i < p; i++)
            ck_assert_str_eq(out->text[i], i == out->failing ? own : others);
    }
}
END_TEST

static int do_differ(const wg_ranks *r, void *user)
{
    told *out = user;
    wg_tape *t = wg_tape_new(&(wg_tape_options){.ranks = r});
    wg_ranks_agree(t, r->rank == out->failing, "options");
    return note(t, r, out);
}

START_TEST(test_others_are_refused)
{
    told *out = wgt_shared(sizeof *out);
    static const char *const want[] = {"rank 1 has other options than rank 0", NULL,
                                       "rank 3 has other options than rank 2", NULL,
                                       "rank 4 has other options than rank 0"};
    for (out->failing = 0; out->failing < 5; out->failing += 2) {
        wgt_ranks_run(5, do_differ, out);
        for (int i = 0; i < 5; i++)
            ck_assert_str_eq(out->text[i] + 3, want[out->failing]);
    }
}
END_TEST

static int do_end(const wg_ranks *r, void *user)
{
    told *out = user;
    wg_tape *t = wg_tape_new(&(wg_tape_options){.ranks = r});
    double x[100] = {0};
    for (int i = 0; i < 20 && wg_tape_status(t) == WG_OK; i++) {
        if (r->rank == out->failing && i == 10)
            raise(SIGKILL);
        wg_ranks_sum(t, x, 100);
    }
    wg_ranks_agree(t, 0, "numbers"); /* as lost as before, and waits for nobody */
    return note(t, r, out);
}

START_TEST(test_a_rank_is_killed)
{
    const int p = sizes[_i];
    told *out = wgt_shared(sizeof *out);
    char want[TEXT];
    snprintf(want, sizeof want, "%d ranks: rank ", WG_E_RANKS);
    for (out->failing = 0; out->failing < p; out->failing++) {
        wgt_ranks r = wgt_ranks_start(p, do_end, out);
        ck_assert(wgt_ranks_wait(&r, 60));
        for (int i = 0; i < p; i++)
            if (i != out->failing)
                ck_assert_msg(strncmp(out->text[i], want, strlen(want)) == 0, "%s", out->text[i]);
    }
}
END_TEST

static int do_other_step(const wg_ranks *r, void *user)
{
    told *out = user;
    wg_tape *t = wg_tape_new(&(wg_tape_options){.ranks = r});
    double x[2] = {0};
    if (r->rank == out->failing)
        wg_ranks_sum(t, x, 1);
    else if (out->failing > 0)
        wg_ranks_broadcast(t, x, 16); /* of another length */
    else
        wg_ranks_agree(t, 0, "numbers");
    return note(t, r, out);
}

START_TEST(test_out_of_step)
{
    told *out = wgt_shared(sizeof *out);
    for (out->failing = 0; out->failing < 3; out->failing++) {
        wgt_ranks r = wgt_ranks_start(3, do_other_step, out);
        ck_assert(wgt_ranks_wait(&r, 60));
        int lost = 0;
        for (int i = 0; i < 3; i++)
            lost += strtol(out->text[i], NULL, 10) == WG_E_RANKS;
        ck_assert_int_gt(lost, 0);
    }
}
END_TEST

/* ---- Damage ---------------------------------------------------------------------------------- */

enum { TAKEN = 8, LONGEST = 1024 };

/* What rank 1 of 2 took, message by message, and is told again, with some damage. */
typedef struct record {
    unsigned char message[TAKEN][LONGEST];
    size_t length[TAKEN];
    int n, at; /* messages; the next one */
    const wg_ranks *inner;
} record;

static bool exchange_recorded(void *user, int partner, const void *out, size_t n_out, void *in,
                              size_t n_in)
{
    record *r = user;
    if (!r->inner->exchange(r->inner->user, partner, out, n_out, in, n_in))
        return false;
    if (n_in > 0) {
        memcpy(r->message[r->n], in, n_in);
        r->length[r->n++] = n_in;
    }
    return true;
}

static bool exchange_told(void *user, int partner, const void *out, size_t n_out, void *in,
                          size_t n_in)
{
    record *r = user;
    (void)partner, (void)out, (void)n_out;
    if (n_in == 0)
        return true;
    if (r->at == r->n || r->length[r->at] != n_in)
        return false;
    memcpy(in, r->message[r->at++], n_in);
    return true;
}

static wg_status all_together(const wg_ranks *r)
{
    wg_tape *t = wg_tape_new(&(wg_tape_options){.ranks = r});
    double x[8] = {1, 2, 3};
    size_t total;
    wg_ranks_agree(t, 5, "numbers");
    wg_ranks_sum(t, x, 8);
    wg_temporary_free(t, wg_ranks_gather(t, x, (size_t)r->rank + 3, true, &total));
    wg_ranks_broadcast(t, x, sizeof x);
    const wg_status status = wg_tape_status(t);
    wg_tape_free(t);
    return status;
}

static int do_record(const wg_ranks *r, void *user)
{
    record *mine = user;
    mine->inner = r;
    const wg_ranks recorded = {r->rank, r->size, exchange_recorded, mine};
    return (int)all_together(r->rank == 1 ? &recorded : r);
}

/* Every byte of every message: the rank that takes it refuses it, whatever it says. */
START_TEST(test_damage_is_refused)
{
    record *r = wgt_shared(sizeof *r);
    const wg_ranks heard = {1, 2, exchange_told, r};
    wgt_ranks_run(2, do_record, r);
    ck_assert_int_ge(r->n, 5);
    ck_assert_int_eq(all_together(&heard), WG_OK);
    for (int i = 0; i < r->n; i++)
        for (size_t byte = 0; byte < r->length[i]; byte++) {
            r->at = 0;
            r->message[i][byte] ^= (unsigned char)(1u << byte % 8);
            ck_assert_int_eq(all_together(&heard), WG_E_RANKS);
            r->message[i][byte] ^= (unsigned char)(1u << byte % 8);
        }
    for (int i = 0; i < r->n; i++) { /* one that is left out, or comes twice */
        record *odd = wgt_shared(sizeof *odd);
        for (int twice = 0; twice < 2; twice++) {
            odd->n = odd->at = 0;
            for (int k = 0; k < r->n; k++)
                for (int times = 0; times < (k == i ? 2 * twice : 1); times++, odd->n++) {
                    memcpy(odd->message[odd->n], r->message[k], LONGEST);
                    odd->length[odd->n] = r->length[k];
                }
            if (twice == 0 || i < r->n - 1)
                ck_assert_int_eq(all_together(&(wg_ranks){1, 2, exchange_told, odd}), WG_E_RANKS);
        }
    }
}
END_TEST

/* ---- Sums over rows. ------------------------------------------------------------------------- */

static void count_rows(int64_t first, int64_t end, double sum[], void *user)
{
    for (int64_t i = 0; i < *(const int64_t *)user; i++)
        sum[i] += (double)(end - first) * (double)i;
}

/* One process adds up a tree of 64 shards with room for its levels, of which there are six. */
START_TEST(test_sums_of_rows_take_little)
{
    enum { N = 1000, ALL = 2 * WG_SHARDS * WG_RANKS_BLOCK };
    wgt_memory memory = {0};
    wg_tape *t = wgt_tape(&memory);
    static double sum[N];
    int64_t n = N;
    ck_assert_int_eq(wg_ranks_sum_rows(t, ALL, N, count_rows, &n, sum), WG_OK);
    for (int i = 0; i < N; i++)
        ck_assert(sum[i] == (double)ALL * i);
    ck_assert_uint_le(memory.peak, 8 * N * sizeof *sum);
    ck_assert_int_eq(wg_ranks_sum_rows(t, 0, N, count_rows, &n, sum), WG_OK);
    ck_assert(sum[N - 1] == 0);
    wg_tape_free(t);
}
END_TEST

Suite *suite_ranks(void)
{
    Suite *suite = suite_create("ranks");
    TCase *cases = tcase_create("ranks");
    tcase_add_test(cases, test_shards_are_shared_out);
    tcase_add_loop_test(cases, test_together, 0, SIZES);
    tcase_add_loop_test(cases, test_rows_move, 0, SIZES);
    tcase_add_loop_test(cases, test_error_spreads, 0, SIZES);
    tcase_add_test(cases, test_others_are_refused);
    tcase_add_loop_test(cases, test_a_rank_is_killed, 0, SIZES);
    tcase_add_test(cases, test_out_of_step);
    tcase_add_test(cases, test_damage_is_refused);
    tcase_add_test(cases, test_sums_of_rows_take_little);
    suite_add_tcase(suite, cases);
    return suite;
}
