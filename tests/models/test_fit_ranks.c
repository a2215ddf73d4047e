/* Trainings whose rows are shared by ranks: one hash of the model for any number of them, resumed,
 * killed, refused. */
#include "autograd/rng.h"
#include "models/wengert.h"
#include "tests/support/files.h"
#include "tests/support/ranks.h"
#include "tests/support/suites.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROWS = 1100, COLUMNS = 5, TEXT = 400 };

/* What ranks do, and what comes of it. */
typedef struct job {
    const char *model, *optimizer;
    int classes, threads;
    bool f32, weights;
    wg_fit_options fit;
    char path[TEXT];
    int odd; /* this rank has something else: see odd_one; -1: none */
    void (*odd_one)(wg_estimator_options *o);
    uint64_t hash[WGT_RANKS]; /* of all that is saved, and of the history */
    int64_t epochs;
    char message[WGT_RANKS][TEXT];
    bool sparse; /* rows */
    bool least;  /* the last rank has one row */
} job;

static void part_of(const job *j, int rank, int size, int64_t *first, int64_t *end)
{
    const bool least = j->least && size > 1;
    const int64_t rows = least ? ROWS - 1 : ROWS, ranks = least ? size - 1 : size;
    *first = rows * rank / ranks;
    *end = least && rank == size - 1 ? ROWS : rows * (rank + 1) / ranks;
}

static void fill(const job *j, int64_t first, int64_t end, double *X, int64_t *y, double *w)
{
    for (int64_t i = first; i < end; i++) {
        double z = 0;
        for (int k = 0; k < COLUMNS; k++) {
            const double x = wg_random_normal(3, 1, (uint64_t)(i * COLUMNS + k));
            X[(i - first) * COLUMNS + k] = 100 * k + x * (k + 1);
            z += x;
        }
        z += wg_random_normal(3, 2, (uint64_t)i);
        y[i - first] = z < -1 ? 0 : z < 1 || j->classes == 2 ? 1 : 2;
        w[i - first] = 1 + (double)(i % 7);
    }
}

static uint64_t mix(uint64_t hash, const void *data, size_t n)
{
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ ((const unsigned char *)data)[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static uint64_t mix_tensor(uint64_t hash, const wg_tensor *x)
{
    return x == NULL ? hash : mix(hash, x->data, (size_t)x->size * wg_dtype_size(x->dtype));
}

static uint64_t hash_of(const wg_estimator *e)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (int i = 0; i < e->mlp->params->n; i++)
        hash = mix_tensor(hash, e->mlp->params->param[i]);
    hash = mix_tensor(mix_tensor(hash, e->fit.loss), e->fit.validation_loss);
    return mix_tensor(hash, e->fit.validation_score);
}

static int train_sparse(const wg_ranks *r, void *user);

static int train(const wg_ranks *r, void *user)
{
    static double X[ROWS * COLUMNS], w[ROWS];
    static int64_t y[ROWS];
    job *j = user;
    if (j->sparse)
        return train_sparse(r, user);
    wg_pool *pool = wg_pool_new(j->threads, NULL);
    wg_tape *t = wg_tape_new(&(wg_tape_options){.ranks = r, .pool = pool});
    int64_t first, end;
    part_of(j, r->rank, r->size, &first, &end);
    fill(j, first, end, X, y, w);
    const int64_t n = end - first;
    wg_tensor *rows = wg_constant(t, WG_F64, WG_SHAPE(n, COLUMNS), X);
    wg_estimator_options o = {
        .model = j->model, .optimizer = j->optimizer, .seed = j->fit.seed, .fit = j->fit};
    if (j->weights)
        o.fit.sample_weights = wg_constant(t, WG_F64, WG_SHAPE(n), w);
    if (j->path[0] != '\0')
        o.fit.checkpoint = j->path;
    if (j->odd == r->rank)
        j->odd_one(&o);
    const wg_dataset data = {.X = j->f32 ? wg_cast(rows, WG_F32) : rows,
                             .y = wg_constant(t, WG_I64, WG_SHAPE(n), y)};
    const wg_estimator *e = wg_estimator_fit(&data, &o);
    const wg_status status = wg_tape_status(t);
    snprintf(j->message[r->rank], TEXT, "%.*s", TEXT - 1, wg_tape_message(t));
    if (status == WG_OK) {
        j->hash[r->rank] = hash_of(e);
        j->epochs = e->fit.epochs;
    }
    wg_tape_free(t);
    wg_pool_free(pool);
    return (int)status;
}

static job *job_new(job what)
{
    job *j = wgt_shared(sizeof *j);
    *j = what;
    j->threads = j->threads > 0 ? j->threads : 1;
    j->odd = -1;
    return j;
}

/* ---- The same bits --------------------------------------------------------------------------- */

static void same_on_all(job *j, int ranks, uint64_t want)
{
    memset(j->hash, 0, sizeof j->hash);
    wgt_ranks_run(ranks, train, j);
    for (int i = 0; i < ranks; i++)
        ck_assert_msg(j->hash[i] == want, "%s by %s, %d ranks, %d threads: other bits on rank %d",
                      j->model, j->optimizer, ranks, j->threads, i);
}

/* Whatever the ranks and, with each, the threads: up to so many, and 4 with 3 ranks. */
static void one_hash(job *j, int threads)
{
    static const int ranks[] = {1, 2, 3, 5, 8};
    ck_assert_msg(train(&(wg_ranks){.size = 1}, j) == 0, "%s", j->message[0]);
    const uint64_t want = j->hash[0];
    for (size_t k = 0; k < sizeof ranks / sizeof *ranks; k++)
        for (j->threads = 1; j->threads <= (ranks[k] == 3 ? 4 : threads); j->threads *= 2)
            same_on_all(j, ranks[k], want);
}

static const struct {
    const char *model;
    int classes;
} models[] = {{"logistic", 2}, {"softmax", 3}, {"one_vs_rest", 3}};

START_TEST(test_one_hash)
{
    one_hash(job_new((job){.model = models[_i / 2].model,
                           .classes = models[_i / 2].classes,
                           .optimizer = _i % 2 ? "newton" : "lbfgs",
                           .fit = {.epochs = 5}}),
             2);
}
END_TEST

/* Validation, its score, weights, patience, f32. */
START_TEST(test_one_hash_of_all_manners)
{
    job *j = job_new((job){.model = models[_i].model,
                           .classes = models[_i].classes,
                           .optimizer = "lbfgs",
                           .f32 = _i == 1,
                           .weights = true,
                           .fit = {.epochs = 20,
                                   .validation = 0.3,
                                   .patience = 2,
                                   .balanced = _i != 1,
                                   .check_every = 100}});
    ck_assert_int_eq(train(&(wg_ranks){.size = 1}, j), 0);
    const uint64_t want = j->hash[0];
    for (int ranks = 1; ranks <= 7; ranks += 2)
        same_on_all(j, ranks, want);
}
END_TEST

/* All rows of a rank may be held back. */
START_TEST(test_a_rank_of_one_row)
{
    for (uint64_t seed = 0; seed < 6; seed++) {
        job *j = job_new((job){.model = "softmax",
                               .classes = 3,
                               .optimizer = "lbfgs",
                               .least = true,
                               .fit = {.epochs = 3, .validation = 0.5, .seed = seed}});
        ck_assert_int_eq(train(&(wg_ranks){.size = 1}, j), 0);
        same_on_all(j, 3, j->hash[0]);
    }
}
END_TEST

/* ---- Checkpoints ----------------------------------------------------------------------------- */

static job *job_with_checkpoint(const char *optimizer, char path[WGT_PATH])
{
    job *j = job_new((job){.model = "softmax",
                           .classes = 3,
                           .optimizer = optimizer,
                           .fit = {.epochs = 12, .validation = 0.2, .patience = 100}});
    wgt_file_new(path);
    snprintf(j->path, TEXT, "%s", path);
    return j;
}

START_TEST(test_resumed_by_another_number)
{
    char path[WGT_PATH];
    job *j = job_with_checkpoint(_i % 2 ? "newton" : "lbfgs", path);
    ck_assert_int_eq(train(&(wg_ranks){.size = 1}, j), 0);
    const uint64_t want = j->hash[0];
    for (int ranks = 2; ranks <= 5; ranks++) {
        unlink(path);
        j->fit.resume = false;
        j->fit.epochs = 3;
        wgt_ranks_run(ranks, train, j);
        j->fit.resume = true;
        j->fit.epochs = 6;
        wgt_ranks_run(7 - ranks, train, j);
        j->fit.epochs = 12;
        same_on_all(j, ranks % 3 + 1, want);
    }
    wgt_file_remove(path);
}
END_TEST

/* One rank is killed at some moment; the others end by themselves, with an error; and another
 * number of ranks goes on from where the last checkpoint was. */
START_TEST(test_killed_and_resumed)
{
    char path[WGT_PATH];
    job *j = job_with_checkpoint("lbfgs", path);
    ck_assert_int_eq(train(&(wg_ranks){.size = 1}, j), 0);
    const uint64_t want = j->hash[0];
    const int kills = getenv("WGT_ALL") != NULL ? 200 : 30;
    for (int i = 0; i < kills; i++) {
        const int ranks = 2 + i % 4;
        unlink(path);
        j->fit.resume = false;
        memset(j->message, 0, sizeof j->message);
        wgt_ranks r = wgt_ranks_start(ranks, train, j);
        nanosleep(&(struct timespec){.tv_nsec = (long)(wg_random_uniform(7, 1, (uint64_t)i) * 6e7)},
                  NULL);
        const int victim = (int)(wg_random_uniform(7, 2, (uint64_t)i) * ranks);
        kill(r.pid[victim], SIGKILL);
        ck_assert(wgt_ranks_wait(&r, 60));
        for (int k = 0; k < ranks; k++)
            ck_assert_msg(k == victim || r.status[k] == 0 || j->message[k][0] != '\0',
                          "rank %d has no message", k);
        j->fit.resume = access(path, F_OK) == 0;
        same_on_all(j, 1 + (i + 1) % 4, want);
    }
    wgt_file_remove(path);
}
END_TEST

/* ---- Refused --------------------------------------------------------------------------------- */

static void other_l2(wg_estimator_options *o)
{
    o->C = 2;
}

static void other_model(wg_estimator_options *o)
{
    o->model = "one_vs_rest";
}

static void other_seed(wg_estimator_options *o)
{
    o->seed = 1;
}

static void other_method(wg_estimator_options *o)
{
    o->optimizer = "newton";
}

static void other_mistake(wg_estimator_options *o)
{
    o->fit.validation = 2;
}

START_TEST(test_refused)
{
    static const struct {
        void (*odd_one)(wg_estimator_options *o);
        const char *message;
    } row[] = {{other_l2, "rank 2 has other options or model than rank 0"},
               {other_model, "rank 2 has other columns, model or version than rank 0"},
               {other_seed, "rank 2 has other options or model than rank 0"},
               {other_method, "rank 2 has other options or model than rank 0"},
               {other_mistake, "validation = 2"}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        job *j = job_new((job){.model = "softmax", .classes = 3, .optimizer = "lbfgs"});
        j->odd = 2;
        j->odd_one = row[i].odd_one;
        wgt_ranks r = wgt_ranks_start(3, train, j);
        ck_assert(wgt_ranks_wait(&r, 60));
        for (int k = 0; k < 3; k++) {
            ck_assert_int_ne(r.status[k], 0);
            ck_assert_msg(strstr(j->message[k], row[i].message) != NULL, "%s", j->message[k]);
        }
    }
}
END_TEST

static volatile sig_atomic_t stop_now = 1;

static void can_be_stopped(wg_estimator_options *o)
{
    o->fit.stop = &stop_now;
}

/* A signal comes to one rank, where the others do not even listen: all end with the same. */
START_TEST(test_one_is_stopped)
{
    job *j = job_new(
        (job){.model = "softmax", .classes = 3, .optimizer = "lbfgs", .fit = {.epochs = 5}});
    j->odd_one = can_be_stopped;
    j->odd = 1;
    wgt_ranks_run(3, train, j);
    ck_assert_int_eq(j->epochs, 1);
    for (int i = 0; i < 3; i++) {
        ck_assert_str_eq(j->message[i], "");
        ck_assert_uint_eq(j->hash[i], j->hash[0]);
    }
}
END_TEST

/* ---- Sparse rows ----------------------------------------------------------------------------- */

/* Some of a row's columns, few of most of them, none of some rows; of many more where `wide`. */
static wg_csr *sparse_part(const job *j, wg_tape *t, int64_t first, int64_t end, int64_t *y)
{
    static int64_t start[ROWS + 1], column[ROWS * 40];
    static double value[ROWS * 40];
    const int64_t d = j->fit.seed == 1 ? 3000 : 23;
    int64_t n = 0;
    for (int64_t i = first; i < end; i++) {
        const int64_t count = i % 10 == 0 ? 0 : i % 97 == 0 ? 20 : 1 + i % 4;
        double z = 0;
        start[i - first] = n;
        for (int64_t k = 0; k < count; k++, n++) {
            column[n] = d / count * k + i * 31 % (d / count);
            value[n] = wg_random_normal(5, 1, (uint64_t)(i * 64 + k));
            z += column[n] % 3 == 0 ? value[n] : -value[n];
        }
        y[i - first] = z < -0.5 ? 0 : z < 0.5 || j->classes == 2 ? 1 : 2;
    }
    start[end - first] = n;
    return wg_csr_new(t, WG_F64, end - first, d, start, column, value);
}

static int train_sparse(const wg_ranks *r, void *user)
{
    static int64_t y[ROWS];
    job *j = user;
    wg_pool *pool = wg_pool_new(j->threads, NULL);
    wg_tape *t = wg_tape_new(&(wg_tape_options){.ranks = r, .pool = pool});
    int64_t first, end;
    part_of(j, r->rank, r->size, &first, &end);
    wg_estimator_options o = {
        .model = j->model, .optimizer = j->optimizer, .seed = j->fit.seed, .fit = j->fit};
    o.fit.seed = 0;
    if (j->path[0] != '\0')
        o.fit.checkpoint = j->path;
    const wg_csr *rows = sparse_part(j, t, first, end, y);
    const wg_dataset data = {.sparse = rows, .y = wg_constant(t, WG_I64, WG_SHAPE(end - first), y)};
    o.classes = j->classes;
    const wg_estimator *e = wg_estimator_fit(&data, &o);
    const wg_status status = wg_tape_status(t);
    snprintf(j->message[r->rank], TEXT, "%.*s", TEXT - 1, wg_tape_message(t));
    if (status == WG_OK)
        j->hash[r->rank] = hash_of(e);
    wg_tape_free(t);
    wg_pool_free(pool);
    return (int)status;
}

START_TEST(test_sparse)
{
    one_hash(job_new((job){.model = models[_i / 2].model,
                           .classes = models[_i / 2].classes,
                           .optimizer = _i % 2 ? "newton" : "lbfgs",
                           .sparse = true,
                           .fit = {.epochs = 4, .balanced = _i == 2, .seed = _i == 0}}),
             1);
}
END_TEST

/* Validation rows, and their score. */
START_TEST(test_sparse_validation)
{
    one_hash(job_new((job){.model = models[_i].model,
                           .classes = models[_i].classes,
                           .optimizer = "lbfgs",
                           .sparse = true,
                           .fit = {.epochs = 8, .validation = 0.3, .patience = 2}}),
             2);
}
END_TEST

START_TEST(test_sparse_resumed)
{
    char path[WGT_PATH];
    job *j = job_with_checkpoint("lbfgs", path);
    j->sparse = true;
    ck_assert_int_eq(train(&(wg_ranks){.size = 1}, j), 0);
    const uint64_t want = j->hash[0];
    unlink(path);
    j->fit.epochs = 3;
    wgt_ranks_run(3, train, j);
    j->fit.resume = true;
    j->fit.epochs = 12;
    same_on_all(j, 2, want);
    wgt_file_remove(path);
}
END_TEST

START_TEST(test_no_batches)
{
    job *j = job_new((job){.model = "softmax", .classes = 3, .optimizer = "adam"});
    wgt_ranks r = wgt_ranks_start(2, train, j);
    ck_assert(wgt_ranks_wait(&r, 60));
    ck_assert_ptr_nonnull(strstr(j->message[1], "mini-batches are for one process"));
}
END_TEST

/* ---- Texts ----------------------------------------------------------------------------------- */

/* A table each, whose categories and classes are not the others'. */
static const char *const texts_of[3] = {"L,b\nM,a\n", "S,c\nL,b\n", "M,c\nS,a\nXL,d\n"};

static int train_on_texts(const wg_ranks *r, void *user)
{
    job *j = user;
    char file[WGT_PATH], text[100] = "size,kind\n";
    for (int k = 0; k < 3; k++)
        if (r->size == 1 || k == r->rank)
            strcat(text, texts_of[k]);
    wg_tape *t = wg_tape_new(&(wg_tape_options){.ranks = r});
    wgt_file_new(file);
    wgt_file_put(file, text, strlen(text));
    const char *const strings[] = {"size", NULL};
    const wg_table *table = wg_csv_read(t, file,
                                        &(wg_csv_options){.label = "kind", .strings = strings});
    const wg_estimator *e = wg_estimator_fit(&(wg_dataset){.table = table},
                                             &(wg_estimator_options){.model = "softmax"});
    const wg_status status = wg_tape_status(t);
    if (status == WG_OK) {
        j->hash[r->rank] = hash_of(e);
        for (int64_t k = 0; k < e->class_count; k++)
            strcat(strcat(j->message[r->rank], e->class_names[k]), " ");
    } else
        snprintf(j->message[r->rank], TEXT, "%.*s", TEXT - 1, wg_tape_message(t));
    wg_tape_free(t);
    wgt_file_remove(file);
    return (int)status;
}

START_TEST(test_texts_of_all)
{
    job *whole = job_new((job){0}), *parts = job_new((job){0});
    ck_assert_int_eq(train_on_texts(&(wg_ranks){.size = 1}, whole), 0);
    ck_assert_str_eq(whole->message[0], "a b c d ");
    wgt_ranks_run(3, train_on_texts, parts);
    for (int i = 0; i < 3; i++) {
        ck_assert_str_eq(parts->message[i], "a b c d ");
        ck_assert_uint_eq(parts->hash[i], whole->hash[0]);
    }
}
END_TEST

Suite *suite_fit_ranks(void)
{
    Suite *suite = suite_create("fit_ranks");
    TCase *cases = tcase_create("fit_ranks");
    tcase_set_timeout(cases, 60);
    tcase_add_loop_test(cases, test_one_hash, 0, 6);
    tcase_add_loop_test(cases, test_one_hash_of_all_manners, 0, 3);
    tcase_add_test(cases, test_a_rank_of_one_row);
    tcase_add_loop_test(cases, test_resumed_by_another_number, 0, 2);
    tcase_add_test(cases, test_killed_and_resumed);
    tcase_add_test(cases, test_refused);
    tcase_add_test(cases, test_one_is_stopped);
    tcase_add_loop_test(cases, test_sparse, 0, 6);
    tcase_add_loop_test(cases, test_sparse_validation, 0, 3);
    tcase_add_test(cases, test_sparse_resumed);
    tcase_add_test(cases, test_no_batches);
    tcase_add_test(cases, test_texts_of_all);
    suite_add_tcase(suite, cases);
    return suite;
}
