/* Checkpoints of the training loop: resumed bit by bit, after a kill, too; foreign ones refused. */
#include "models/wengert.h"
#include "tests/models/fit_iris.h"
#include "tests/support/assert.h"
#include "tests/support/files.h"
#include "tests/support/fixture.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { KINDS = 5 };

static wg_optimizer *optimizer_of(int kind, const problem *p)
{
    wg_tensor *const *w = p->model.params;
    switch (kind) {
    case 0: return wg_sgd_new(w, PARAMS, &(wg_sgd_options){.rate = 0.05});
    case 1: return wg_sgd_new(w, PARAMS, &(wg_sgd_options){.momentum = 0.9, .nesterov = true});
    case 2: return wg_rmsprop_new(w, PARAMS, &(wg_rmsprop_options){.momentum = 0.5});
    case 3: return wg_adamw_new(w, PARAMS, &(wg_adam_options){.amsgrad = true});
    default: return wg_adam_new(w, PARAMS, NULL);
    }
}

static wg_fit_options resumable(const char *file, wg_optimizer *optimizer, watch *w)
{
    static const wg_schedule schedule = {
        .kind = WG_SCHEDULE_COSINE, .rate = 0.02, .period = 40, .warm_up = 5};
    return (wg_fit_options){.epochs = 9,
                            .batch = 50,
                            .seed = 11,
                            .optimizer = optimizer,
                            .schedule = &schedule,
                            .validation = 0.2,
                            .patience = 4,
                            .checkpoint = file,
                            .on_epoch = watching,
                            .on_epoch_user = w};
}

enum { PLATEAU = 5 }; /* the last kind: Adam, with that schedule */

/* Trains on a tape of its own, to the end or until after epoch stop_at; weights and losses into
 * values. */
static int trained(const char *file, int kind, int64_t stop_at, bool resume, float values[2 * MOST])
{
    wg_tape *t = wg_tape_new(NULL);
    problem p = iris(t, 0.3);
    watch w = {.p = &p, .stop_at = stop_at};
    wg_fit_options o = resumable(file, optimizer_of(kind, &p), &w);
    const wg_schedule plateau = {WG_SCHEDULE_PLATEAU, .rate = 0.02, .factor = 0.5, .patience = 1,
                                 .threshold = 0.9};
    o.resume = resume;
    if (kind == PLATEAU)
        o.schedule = &plateau;
    wg_fit_result r = wg_fit(&p.model, &(wg_dataset){.X = p.X, .y = p.y}, &o);
    for (int64_t i = 0; kind == PLATEAU && i < r.epochs; i++)
        wgt_assert_that(wg_at(r.rate, i), ==,
                        wg_schedule_plateau(&plateau, wg_data_f64(r.validation_loss), 1, i));
    if (kind == PLATEAU && stop_at == 0)
        wgt_assert_that(wg_at(r.rate, r.epochs - 1), <=, 0.01);
    ck_assert_msg(wg_tape_status(t) == WG_OK, "%s", wg_tape_message(t));
    int n = weights(&p, values);
    for (int64_t i = 0; i < r.epochs; i++) {
        values[n++] = (float)wg_at(r.loss, i);
        values[n++] = (float)wg_at(r.accuracy, i);
        values[n++] = (float)wg_at(r.rate, i);
        values[n++] = (float)wg_at(r.validation_loss, i);
    }
    values[n++] = (float)r.best_epoch;
    wg_tape_free(t);
    return n;
}

START_TEST(test_resumed_is_bit_identical)
{
    static float whole[2 * MOST], part[2 * MOST], rest[2 * MOST];
    char file[WGT_PATH];
    wgt_file_new(file);
    int n = trained(file, _i, 0, false, whole);
    for (int64_t stop_at = 1; stop_at < 8; stop_at += 3) {
        ck_assert_int_ne(trained(file, _i, stop_at, false, part), n);
        ck_assert_int_eq(trained(file, _i, 0, true, rest), n);
        ck_assert_mem_eq(whole, rest, (size_t)n * sizeof *whole);
    }
    wgt_file_remove(file);
}
END_TEST

/* Trains in a process of its own, which is killed after so many nanoseconds. */
static void train_and_die(const char *file, long wait)
{
    fflush(NULL);
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        static float values[2 * MOST];
        trained(file, 4, 0, false, values);
        _exit(0);
    }
    nanosleep(&(struct timespec){wait / 1000000000, wait % 1000000000}, NULL);
    kill(child, SIGKILL);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
}

/* Killed at any time, a training goes on from its checkpoint to the same bits. WGT_ALL=1: 200
 * kills. */
START_TEST(test_killed_anywhere)
{
    static float whole[2 * MOST], rest[2 * MOST];
    char file[WGT_PATH];
    struct timespec begin, end;
    const int kills = getenv("WGT_ALL") != NULL ? 200 : 8;
    wgt_file_new(file);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    const int n = trained(file, 4, 0, false, whole);
    clock_gettime(CLOCK_MONOTONIC, &end);
    const double all = 1e9 * (double)(end.tv_sec - begin.tv_sec) +
                       (double)(end.tv_nsec - begin.tv_nsec);
    for (int i = 0; i < kills; i++) {
        unlink(file);
        train_and_die(file, (long)(all * 1.1 * wg_random_uniform(3, 1, (uint64_t)i)));
        ck_assert_int_eq(trained(file, 4, 0, access(file, F_OK) == 0, rest), n);
        ck_assert_mem_eq(whole, rest, (size_t)n * sizeof *whole);
    }
    wgt_file_remove(file);
}
END_TEST

START_TEST(test_foreign_checkpoints_change_nothing)
{
    static float before[MOST], after[MOST];
    char file[WGT_PATH];
    wgt_file_new(file);
    trained(file, 4, 0, false, (float[2 * MOST]){0});
    problem p = iris(tape, 0.3);
    watch w = {.p = &p};
    int n = weights(&p, before);
    for (int k = 0; k < 6; k++) {
        wg_mark mark = wg_tape_mark(tape);
        wg_fit_options o = resumable(file, optimizer_of(k == 0 ? 2 : 4, &p), &w);
        o.resume = true;
        o.seed += k == 1 ? (uint64_t)1 << 40 : 0;
        o.batch += k == 2;
        o.l2 = k == 3 ? 0.1 : 0;
        o.validation += k == 4 ? 0.1 : 0;
        o.checkpoint = k == 5 ? "no such file" : file;
        wg_fit_result r = wg_fit(&p.model, &(wg_dataset){.X = p.X, .y = p.y}, &o);
        ck_assert_int_eq(r.stop, WG_FIT_ERROR);
        ck_assert_int_eq(wg_tape_status(tape), k == 5 ? WG_E_IO : WG_E_FORMAT);
        wg_tape_rewind(tape, mark);
        ck_assert_int_eq(wg_tape_status(tape), WG_OK);
        weights(&p, after);
        ck_assert_mem_eq(before, after, (size_t)n * sizeof *after);
    }
    wgt_file_remove(file);
}
END_TEST

/* The same model on the same number of rows, but for one thing: refused, nothing written. */
START_TEST(test_other_data_and_models_are_noticed)
{
    static const char *const words[] = {NULL,
                                        "rows, their labels",
                                        "rows, their labels",
                                        "rows, their labels",
                                        "rows, their labels",
                                        "ops",
                                        "ops",
                                        "fit.rate"};
    char file[WGT_PATH];
    wgt_file_new(file);
    for (int k = 0; k <= 8; k++) {
        wg_tape *t = wg_tape_new(NULL);
        int change = k - 1; /* -1: writes the checkpoint; 0: the same again */
        problem p = iris(t, change == 5 ? 0 : 0.3);
        float *X = wg_edit(p.X = wg_param(t, "X", WG_F32, WG_SHAPE(150, 4)));
        problem q = iris(t, 0);
        memcpy(X, wg_data_f32(q.X), 600 * sizeof *X);
        X[599] += change == 1 ? 1e-3f : 0;
        int64_t y[150];
        memcpy(y, wg_data_i64(p.y), sizeof y);
        y[0] = change == 2 ? 1 : y[0];
        y[50] = change == 2 ? 0 : y[50];
        p.y = wg_constant(t, WG_I64, WG_SHAPE(150), y);
        if (change == 6) {
            p.mlp = wg_mlp_new(t, &(wg_mlp_options){.sizes = (int64_t[]){4, 16, 3},
                                                    .n_sizes = 3,
                                                    .dtype = WG_F32,
                                                    .activation = "tanh",
                                                    .dropout = 0.3,
                                                    .seed = 7});
            p.model = wg_mlp_fit_model(p.mlp, &wg_head_softmax);
        }
        wg_fit_options o = {
            .epochs = change < 0 ? 2 : 3,
            .validation = 0.2,
            .balanced = change == 3,
            .class_weights = change == 4 ? (double[]){1, 2, 1} : NULL,
            .optimizer = wg_adam_new(p.model.params, PARAMS,
                                     &(wg_adam_options){.rate = change == 7 ? 0.02 : 0.01}),
            .checkpoint = file,
            .resume = change >= 0};
        float before[MOST], after[MOST];
        int n = weights(&p, before);
        wg_fit_result r = wg_fit(&p.model, &(wg_dataset){.X = p.X, .y = p.y}, &o);
        weights(&p, after);
        bool wrong = change > 0;
        ck_assert_int_eq(r.stop, wrong ? WG_FIT_ERROR : WG_FIT_EPOCHS);
        ck_assert_int_eq(wg_tape_status(t), wrong ? WG_E_FORMAT : WG_OK);
        ck_assert_msg(!wrong || strstr(wg_tape_message(t), words[change]) != NULL, "%d: %s", change,
                      wg_tape_message(t));
        ck_assert_int_eq(memcmp(before, after, (size_t)n * sizeof *after) == 0, wrong);
        wg_tape_free(t);
    }
    wgt_file_remove(file);
}
END_TEST

/* Two models that differ in an attribute, a shape inside, or behind a second operand. */
typedef struct two_parts {
    wg_tensor *param[2]; /* [3, 4], [3] */
    double scale, factor;
} two_parts;

static wg_tensor *two_parts_outputs(void *user, const wg_dataset *rows, bool training)
{
    const two_parts *m = user;
    (void)training;
    wg_tensor *bias = wg_scale(wg_tanh(m->param[1]), m->factor); /* a second operand's graph */
    return wg_add(wg_leaky_relu(wg_linear(rows->X, m->param[0], NULL), m->scale), bias);
}

START_TEST(test_checkpoints_tell_graphs_apart)
{
    static const two_parts models[] = {
        {.scale = 0.1, .factor = 2}, {.scale = 0.2, .factor = 2}, {.scale = 0.1, .factor = 3}};
    char file[WGT_PATH];
    wgt_file_new(file);
    problem p = iris(tape, 0);
    for (int i = -1; i < 3; i++) { /* -1 writes, 0 is the same again */
        two_parts m = models[i < 0 ? 0 : i];
        wg_mark mark = wg_tape_mark(tape);
        m.param[0] = wg_param(tape, "W", WG_F32, WG_SHAPE(3, 4));
        m.param[1] = wg_param(tape, "b", WG_F32, WG_SHAPE(3));
        const wg_fit_model model = {.head = &wg_head_softmax,
                                    .params = m.param,
                                    .n_params = 2,
                                    .outputs = two_parts_outputs,
                                    .user = &m};
        const wg_fit_options o = {.epochs = 1 + (i >= 0), .checkpoint = file, .resume = i >= 0};
        wg_fit_result r = wg_fit(&model, &(wg_dataset){.X = p.X, .y = p.y}, &o);
        ck_assert_msg(r.stop == (i > 0 ? WG_FIT_ERROR : WG_FIT_EPOCHS), "%d: %s", i,
                      wg_tape_message(tape));
        if (i > 0)
            wgt_assert_status(tape, WG_E_FORMAT, "the model's ops");
        wg_tape_rewind(tape, mark);
    }
    /* dropout of another share */
    for (int i = 0; i < 2; i++) {
        problem q = iris(tape, i == 0 ? 0.3 : 0.5);
        const wg_fit_options o = {.epochs = 1 + i, .checkpoint = file, .resume = i == 1};
        wg_fit(&q.model, &(wg_dataset){.X = q.X, .y = q.y}, &o);
    }
    wgt_assert_status(tape, WG_E_FORMAT, "the model's ops");
    wgt_file_remove(file);
}
END_TEST

/* A name has room behind "fit.best.", or is refused before anything is written. */
START_TEST(test_long_names)
{
    char file[WGT_PATH], name[243];
    wgt_file_new(file);
    problem p = iris(tape, 0);
    for (int length = 240; length <= 241; length++) {
        two_parts m = {.scale = 0.1, .factor = 2};
        memset(name, 'W', sizeof name);
        name[length] = '\0';
        const wg_mark mark = wg_tape_mark(tape);
        m.param[0] = wg_param(tape, name, WG_F32, WG_SHAPE(3, 4));
        m.param[1] = wg_param(tape, "b", WG_F32, WG_SHAPE(3));
        const wg_fit_model model = {.head = &wg_head_softmax,
                                    .params = m.param,
                                    .n_params = 2,
                                    .outputs = two_parts_outputs,
                                    .user = &m};
        const wg_fit_options o = {.epochs = 1, .validation = 0.2, .checkpoint = file};
        wg_fit(&model, &(wg_dataset){.X = p.X, .y = p.y}, &o);
        if (length == 240)
            expect_ok(tape);
        else
            wgt_assert_status(tape, WG_E_VALUE, "parameter 0 has no name, or too long a one");
        wg_tape_rewind(tape, mark);
    }
    wgt_file_remove(file);
}
END_TEST

/* The epoch that the file is of. */
static int64_t epoch_in(const char *file)
{
    int64_t epoch = -1;
    wg_archive_integer(wg_archive_load(tape, file), "test", "fit.epoch", 1, 99, &epoch);
    return epoch;
}

typedef struct looks {
    char file[WGT_PATH];
    int64_t seen[8];
} looks;

static bool look_at_file(const wg_fit_epoch *epoch, void *user)
{
    looks *l = user;
    l->seen[epoch->epoch - 1] = epoch->epoch < 3 ? 0 : epoch_in(l->file);
    return true;
}

START_TEST(test_checkpoint_every)
{
    looks l;
    const int64_t want[] = {0, 0, 3, 3, 3, 6, 6, 6};
    problem p = iris(tape, 0);
    wgt_file_new(l.file);
    const wg_fit_options o = {.epochs = 8,
                              .checkpoint = l.file,
                              .checkpoint_every = 3,
                              .on_epoch = look_at_file,
                              .on_epoch_user = &l};
    wg_fit(&p.model, &(wg_dataset){.X = p.X, .y = p.y}, &o);
    expect_ok(tape);
    wgt_assert_same_bytes(l.seen, want, sizeof want);
    wgt_file_remove(l.file);
}
END_TEST

Suite *suite_fit_checkpoint(void)
{
    Suite *suite = suite_create("fit_checkpoint");
    TCase *cases = tcase_create("fit_checkpoint");
    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, wgt_tape_setup, wgt_tape_teardown);
    tcase_add_loop_test(cases, test_resumed_is_bit_identical, 0, PLATEAU + 1);
    tcase_add_test(cases, test_killed_anywhere);
    tcase_add_test(cases, test_foreign_checkpoints_change_nothing);
    tcase_add_test(cases, test_other_data_and_models_are_noticed);
    tcase_add_test(cases, test_checkpoints_tell_graphs_apart);
    tcase_add_test(cases, test_long_names);
    tcase_add_test(cases, test_checkpoint_every);
    suite_add_tcase(suite, cases);
    return suite;
}
