/* Every call to the system that reading and writing make, failing in its turn with each errno that
 * it can give, once and from then on: the right result or an error that says why, files old or new,
 * nothing leaked, and after a rewind the next try succeeds. And calls that stop half-way. */
#include "autograd/op.h"
#include "models/files/bytes_internal.h"
#include "models/wengert.h"
#include "tests/support/assert.h"
#include "tests/support/files.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"
#include "tests/support/system.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char path[WGT_PATH], given[WGT_PATH + 8];

/* ---- Programs: what they read and write, as one number; NaN after an error. ------------------ */

typedef double program(wg_tape *t);

static double total(const wg_tensor *x)
{
    double sum = 0;
    for (int64_t i = 0; i < wg_size(x); i++)
        sum += wg_at(x, i);
    return wg_size(x) > 0 ? sum : (double)NAN;
}

static double csv_program(wg_tape *t)
{
    const wg_table *table = wg_csv_read(t, "examples/data/iris.csv", NULL);
    if (wg_csv_write_table(table, path, NULL) != WG_OK)
        return (double)NAN;
    return total(wg_table_features(wg_csv_read(t, path, NULL)));
}

static double svmlight_program(wg_tape *t)
{
    wg_csr *X;
    return total(wg_table_labels(wg_svmlight_read(t, given, NULL, &X)));
}

static double idx_program(wg_tape *t)
{
    return total(wg_idx_read(t, given, WG_F64));
}

static double npy_program(wg_tape *t)
{
    if (wg_npy_write(wg_full(t, WG_F64, WG_SHAPE(40, 50), 0.5), path) != WG_OK)
        return (double)NAN;
    return total(wg_npy_read(t, path));
}

static wg_archive *some_archive(wg_tape *t)
{
    wg_archive *a = wg_archive_new(t);
    wg_archive_put_string(a, "text", "\"quoted\"");
    wg_archive_put_tensor(a, "x", wg_full(t, WG_F32, WG_SHAPE(70, 50), 0.25));
    return a;
}

static double archive_program(wg_tape *t)
{
    if (wg_archive_save(some_archive(t), path) != WG_OK)
        return (double)NAN;
    return total(wg_archive_tensor(wg_archive_load(t, path), "x"));
}

static double npz_program(wg_tape *t)
{
    wg_archive *a = wg_archive_new(t);
    wg_archive_put_tensor(a, "x", wg_full(t, WG_F32, WG_SHAPE(70, 50), 0.25));
    if (wg_npz_write(a, path) != WG_OK)
        return (double)NAN;
    return total(wg_archive_tensor(wg_npz_read(t, path), "x"));
}

/* Made, then used. */
static double cache_program(wg_tape *t)
{
    double sum = 0;
    for (int k = 0; k < 2; k++) {
        wg_csv_cache c = wg_csv_cache_open(t, given, path, NULL);
        double x[2] = {0, 0};
        const wg_tensor *X = wg_table_features(c.table);
        const wg_stream *s = !wg_is_inert(X) ? X->plan : NULL;
        const char *wrong = s != NULL ? s->read(s->user, s->first, 2, x) : "no rows";
        if (wrong != NULL)
            wg_fail(t, WG_E_IO, "%s", wrong);
        sum += x[0] + 2 * x[1] + total(wg_table_labels(c.table));
        wg_csv_cache_close(&c);
    }
    return wg_tape_status(t) == WG_OK ? sum : (double)NAN;
}

/* The same of an svmlight file. */
static double pairs_program(wg_tape *t)
{
    double sum = 0;
    for (int k = 0; k < 2 && wg_tape_status(t) == WG_OK; k++) {
        wg_svmlight_cache c = wg_svmlight_cache_open(t, given, path, NULL);
        const wg_csr *X = wg_csr_load_rows(c.features, 0, c.table->rows);
        for (int64_t i = 0; i < wg_size(X->value); i++)
            sum += wg_at(X->value, i) * (double)(1 + i);
        wg_svmlight_cache_close(&c);
    }
    return wg_tape_status(t) == WG_OK ? sum : (double)NAN;
}

/* Two epochs with a checkpoint each, then one more from the file. */
static double fit_program(wg_tape *t)
{
    wg_mlp *mlp = wg_mlp_new(t, &(wg_mlp_options){.sizes = (int64_t[]){2, 3, 2}, .n_sizes = 3});
    const wg_dataset data = {.X = wg_full(t, WG_DTYPE_DEFAULT, WG_SHAPE(6, 2), 0.25),
                             .y = wg_full(t, WG_I64, WG_SHAPE(6), 1)};
    const wg_fit_model model = wg_mlp_fit_model(mlp, &wg_head_softmax);
    wg_fit(&model, &data, &(wg_fit_options){.epochs = 2, .checkpoint = path});
    wg_fit(&model, &data, &(wg_fit_options){.epochs = 3, .checkpoint = path, .resume = true});
    return wg_tape_status(t) == WG_OK ? total(wg_params_get(mlp->params, "fc1.weight"))
                                      : (double)NAN;
}

static const struct io_case {
    program *run;
    const char *given; /* the file that there is */
    size_t size;
} programs[] = {
    {csv_program, "", 0},
    {svmlight_program, "1 1:2 3:4\n2 2:0.5\n", 18},
    {idx_program, "\0\0\x08\1\0\0\0\3abc", 11},
    {npy_program, "", 0},
    {archive_program, "", 0},
    {npz_program, "", 0},
    {fit_program, "", 0},
    {cache_program, "a,s,y\n1,b,0\n2,c,1\n", 18},
    {pairs_program, "1 1:2 3:4\n2 2:0.5\n", 18},
};

/* ---- Faults ---------------------------------------------------------------------------------- */

/* What POSIX and Linux let each call give. */
static const struct io_errors {
    char letter;
    int error[9];
} io_errors[] = {
    {'o', {EACCES, EMFILE, ENFILE, ENOENT, ENOSPC, EROFS, EINTR, ELOOP}},
    {'r', {EIO, EINTR, EAGAIN, EISDIR, ENOMEM}},
    {'w', {ENOSPC, EIO, EDQUOT, EFBIG, EINTR, EPERM}},
    {'s', {EIO, ENOSPC, EDQUOT, EINTR, EROFS, EINVAL}},
    {'c', {EIO, ENOSPC, EDQUOT, EINTR}},
    {'n', {EACCES, EXDEV, ENOSPC, EROFS, EIO, ENOENT, EBUSY, EPERM}},
    {'u', {EACCES, EROFS, EBUSY, ENOENT}},
    {'f', {EIO, ENOMEM, EOVERFLOW}},
    {'l', {EACCES, EIO, ENOMEM, ENOENT}},
    {'t', {EACCES, EIO}},
    {'k', {EACCES, EIO, EINVAL}},
    {'m', {EPERM, EROFS}},
    {'d', {EACCES, EMFILE, ENOMEM}},
    {'R', {EIO, EINTR, EISDIR}},
    {'S', {EINVAL, EOVERFLOW}},
};

static const int *errors_of(char letter)
{
    static const int none[] = {0};
    for (size_t i = 0; i < sizeof io_errors / sizeof *io_errors; i++)
        if (io_errors[i].letter == letter)
            return io_errors[i].error;
    return none;
}

/* The first free descriptor: a later one tells of one that was left open. */
static int free_descriptor(void)
{
    const int file = open("/dev/null", O_RDONLY);
    close(file);
    return file;
}

static double under(wgt_fault *f, program *run, wg_tape *t)
{
    wgt_fault_begin(f);
    const double got = run(t);
    wgt_fault_end();
    return got;
}

/* One try with the fault on a tape of its own, and a second one without after a rewind. */
static void fail_once(const struct io_case *c, wgt_fault *f, double want)
{
    wgt_memory m = {0};
    wg_tape *t = wgt_tape(&m);
    const wg_mark mark = wg_tape_mark(t);
    const int descriptor = free_descriptor(), files = wgt_file_beside(path);
    const double got = under(f, c->run, t);
    ck_assert_int_eq(free_descriptor(), descriptor);
    const char letter = f->trace[f->at - 1];
    const bool waits = f->error == EINTR && strchr("rwscR", letter) != NULL;
    if (!isnan(got))
        wgt_assert_same_bits(got, want);
    else
        wgt_assert_status(t, WG_E_IO, strerror(f->error));
    ck_assert_msg(!(waits && isnan(got)), "%c does not wait", letter);
    wg_tape_rewind(t, mark);
    wgt_assert_same_bits(c->run(t), want);
    /* Its own file, and where unlink failed the temporary one. */
    ck_assert_int_le(wgt_file_beside(path), files + 1 + (f->from_then || letter == 'u'));
    wg_tape_free(t);
    ck_assert_int_eq(m.blocks, 0);
}

/* The paths of the running test, and the number without faults; f tells its calls. */
static double begin(const struct io_case *c, wgt_fault *f)
{
    wgt_file_new(path);
    snprintf(given, sizeof given, "%s.given", path);
    wgt_file_put(given, c->given, c->size);
    wg_tape *t = wg_tape_new(NULL);
    const double want = under(f, c->run, t);
    ck_assert_msg(isfinite(want), "%s", wg_tape_message(t));
    wg_tape_free(t);
    return want;
}

START_TEST(test_every_call_fails)
{
    const struct io_case *c = &programs[_i];
    wgt_fault all = {.at = 0};
    const double want = begin(c, &all);
    ck_assert_int_gt(all.calls, 3);
    ck_assert_int_lt(all.calls, WGT_TRACE);
    int failed = 0;
    for (int at = 1; at <= all.calls; at++)
        for (const int *error = errors_of(all.trace[at - 1]); *error != 0; error++)
            for (int from_then = 0; from_then < 2; from_then++) {
                wgt_fault f = {.at = at, .error = *error, .from_then = from_then == 1};
                if (from_then == 1 && *error == EINTR) /* for ever */
                    continue;
                unlink(path);
                fail_once(c, &f, want);
                failed++;
            }
    printf("io: program %d: %d failures of %d calls, survived\n", _i, failed, all.calls);
    fflush(stdout);
    wgt_file_remove(path);
}
END_TEST

START_TEST(test_half)
{
    wgt_fault half = {.halves = true};
    wg_tape *t = wg_tape_new(NULL);
    wgt_fault whole = {.at = 0};
    const double want = begin(&programs[_i], &whole);
    wgt_assert_same_bits(under(&half, programs[_i].run, t), want);
    ck_assert_int_gt(half.calls, whole.calls);
    wg_tape_free(t);
    wgt_file_remove(path);
}
END_TEST

/* More than there is, or less than nothing, is never taken. */
START_TEST(test_taken_bytes)
{
    static const int64_t sizes[] = {4, -1, INT64_MIN, INT64_MAX};
    wgt_file_new(path);
    wgt_file_put(path, "abc", 3);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char bytes[8] = "";
        wg_reader reader;
        wg_tape *t = wg_tape_new(NULL);
        ck_assert(wg_reader_open(&reader, t, path));
        ck_assert(!wg_reader_take(&reader, bytes, sizes[i]));
        wgt_assert_status(t, WG_E_IO, "bytes wanted, 3 left");
        ck_assert_int_eq(reader.left, 3);
        wg_reader_close(&reader);
        wg_tape_free(t);
    }
    wgt_file_remove(path);
}
END_TEST

Suite *suite_io(void)
{
    const int n = wgt_faults_work() ? (int)(sizeof programs / sizeof *programs) : 0;
    Suite *suite = suite_create("io");
    TCase *c = tcase_create("io");
    tcase_set_timeout(c, 600);
    if (n > 0) {
        tcase_add_loop_test(c, test_every_call_fails, 0, n);
        tcase_add_loop_test(c, test_half, 0, n);
    }
    tcase_add_test(c, test_taken_bytes);
    suite_add_tcase(suite, c);
    return suite;
}
