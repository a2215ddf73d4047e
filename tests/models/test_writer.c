/* The crash-safe writer: killed before and after every call to the system, and failing in each. */
#include "autograd/tape.h"
#include "models/files/bytes_internal.h"
#include "models/files/file.h"
#include "tests/support/assert.h"
#include "tests/support/files.h"
#include "tests/support/fixture.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"
#include "tests/support/system.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- A save of some size, in pieces that are smaller and larger than the buffer. ------------- */

enum { SMALL = 3000, LARGE = 20000, WHOLE = 5 * SMALL + LARGE };

static unsigned char byte_at(size_t i)
{
    return (unsigned char)(i * 7 + i / 251);
}

static wg_status save_pieces(wg_tape *t)
{
    static unsigned char bytes[WHOLE];
    wg_writer w;
    for (size_t i = 0; i < WHOLE; i++)
        bytes[i] = byte_at(i);
    if (!wg_writer_open(&w, t, path))
        return wg_tape_status(t);
    for (int i = 0; i < 5; i++)
        wg_writer_put(&w, bytes + (size_t)i * SMALL, SMALL);
    wg_writer_put(&w, bytes + 5 * (size_t)SMALL, LARGE);
    return wg_writer_close(&w);
}

/* The calls that make or break a save; writes are short, so that a kill after one is within what is
 * written. */
static wg_status save(wg_tape *t, wgt_fault *f)
{
    f->only = "owscnu";
    f->halves = true;
    wgt_fault_begin(f);
    const wg_status status = save_pieces(t);
    wgt_fault_end();
    return status;
}

static bool is_new(void)
{
    size_t size;
    char *bytes = wgt_file_get(path, &size);
    bool same = bytes != NULL && size == WHOLE;
    for (size_t i = 0; same && i < WHOLE; i++)
        same = (unsigned char)bytes[i] == byte_at(i);
    free(bytes);
    return same;
}

static bool is_old(bool there)
{
    size_t size;
    char *bytes = wgt_file_get(path, &size);
    const bool same = there ? bytes != NULL && strcmp(bytes, "old") == 0 : bytes == NULL;
    free(bytes);
    return same;
}

static int calls_of_a_save(void)
{
    wgt_fault none = {.at = 0};
    ck_assert_int_eq(save(tape, &none), WG_OK);
    ck_assert(is_new());
    ck_assert_int_eq(wgt_file_beside(path), 1);
    unlink(path);
    return none.calls;
}

/* Bytes are synced before the name is theirs, and the name after it is: a machine that stops in
 * between must not find an empty file under it. */
START_TEST(test_order)
{
    wgt_fault none = {.at = 0};
    ck_assert_int_eq(save(tape, &none), WG_OK);
    ck_assert_str_eq(none.trace + strspn(none.trace, "ow"), "scnosc");
    wgt_assert_that(none.trace[0], ==, 'o');
    ck_assert_ptr_nonnull(strchr(none.trace + 1, 'w'));
}
END_TEST

/* In a process of its own, which the call ends. */
static void save_and_die(wgt_fault_kind kind, int at)
{
    fflush(NULL);
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        wgt_fault f = {.kind = kind, .at = at};
        save(tape, &f);
        _exit(0);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == WGT_KILLED, "call %d was not met",
                  at);
}

static void clear_directory(bool there)
{
    wgt_file_remove(path);
    wgt_file_new(path);
    if (there)
        wgt_file_put(path, "old", 3);
}

/* Entirely old or entirely new, and in that order; what is left beside it does not hinder the
 * next. */
START_TEST(test_kill)
{
    const int n = calls_of_a_save();
    const bool there = _i % 2 == 1;
    bool seen_old = false, seen_new = false;
    ck_assert_int_gt(n, 8);
    for (int at = 1; at <= n; at++) {
        clear_directory(there);
        save_and_die((wgt_fault_kind)(WGT_KILL_BEFORE + _i / 2), at);
        const bool fresh = is_new();
        ck_assert_msg(fresh || is_old(there), "neither old nor new after a kill at call %d", at);
        ck_assert(!(seen_new && !fresh));
        seen_old |= !fresh;
        seen_new |= fresh;
        wgt_fault none = {.at = 0};
        ck_assert_int_eq(save(tape, &none), WG_OK);
        ck_assert(is_new());
    }
    ck_assert(seen_old);
    ck_assert(seen_new);
}
END_TEST

/* The old file, an error that names it, and nothing left beside it; the next try succeeds. Behind
 * the rename the new file is there, and the error says so. */
START_TEST(test_fail)
{
    const int n = calls_of_a_save();
    const bool there = _i == 1;
    int renamed = 0;
    for (int at = 1; at <= n; at++) {
        clear_directory(there);
        const wg_mark mark = wg_tape_mark(tape);
        wgt_fault f = {.at = at, .error = ENOSPC};
        const wg_status status = save(tape, &f);
        if (is_new()) {
            renamed++;
            if (status != WG_OK) /* closing the directory tells nothing */
                wgt_assert_status(tape, WG_E_IO, "is written, but its directory could not");
        } else {
            ck_assert(is_old(there));
            wgt_assert_status(tape, WG_E_IO, path);
            wgt_assert_status(tape, WG_E_IO, strerror(ENOSPC));
        }
        ck_assert_int_eq(wgt_file_beside(path), there || is_new() ? 1 : 0);
        wg_tape_rewind(tape, mark);
        wgt_fault none = {.at = 0};
        ck_assert_int_eq(save(tape, &none), WG_OK);
    }
    ck_assert_int_eq(renamed, 3); /* opening, syncing and closing the directory */
}
END_TEST

START_TEST(test_interrupted)
{
    const int n = calls_of_a_save();
    for (int at = 2; at <= n; at++) { /* 1 is open */
        wgt_fault f = {.at = at, .error = EINTR};
        const bool waits = at != n - 3 && at != n - 2; /* not rename, nor open of the directory */
        if (waits)
            ck_assert_int_eq(save(tape, &f), WG_OK);
        ck_assert(!waits || is_new());
    }
    wgt_fault directory = {.at = n - 1, .error = EINVAL}; /* it cannot be synced here */
    ck_assert_int_eq(save(tape, &directory), WG_OK);
    ck_assert(is_new());
}
END_TEST

static void write_text(const char *to, const char *text)
{
    wg_writer w;
    if (!wg_writer_open(&w, tape, to))
        return;
    wg_writer_text(&w, text);
    wg_writer_close(&w);
}

static void check_text(const char *want)
{
    size_t size;
    char *got = wgt_file_get(path, &size);
    ck_assert_ptr_nonnull(got);
    ck_assert_str_eq(got, want);
    free(got);
}

START_TEST(test_permissions)
{
    struct stat about;
    const mode_t before = umask(022);
    write_text(path, "new");
    ck_assert_int_eq(stat(path, &about), 0);
    ck_assert_int_eq(about.st_mode & 0777, 0644);
    ck_assert_int_eq(chmod(path, 0600), 0);
    write_text(path, "newer");
    ck_assert_int_eq(stat(path, &about), 0);
    ck_assert_int_eq(about.st_mode & 0777, 0600);
    ck_assert_int_eq(chmod(path, 0666), 0); /* more than the mask would give */
    write_text(path, "newest");
    ck_assert_int_eq(stat(path, &about), 0);
    ck_assert_int_eq(about.st_mode & 0777, 0666);
    umask(before);
    check_text("newest");
}
END_TEST

/* A symbolic link stays, and what it points to is replaced. */
START_TEST(test_link)
{
    char link[WGT_PATH + 8], second[WGT_PATH + 8];
    struct stat about;
    snprintf(link, sizeof link, "%s.link", path);
    snprintf(second, sizeof second, "%s.second", path);
    ck_assert_int_eq(symlink("file", link), 0); /* to a file that there is not yet */
    ck_assert_int_eq(symlink(link, second), 0);
    write_text(second, "through two links");
    check_text("through two links");
    write_text(link, "again");
    check_text("again");
    wgt_assert_that(lstat(link, &about), ==, 0);
    ck_assert(S_ISLNK(about.st_mode));
    wgt_assert_that(lstat(second, &about), ==, 0);
    ck_assert(S_ISLNK(about.st_mode));
    ck_assert_int_eq(wg_tape_status(tape), WG_OK);
    unlink(link);
    ck_assert_int_eq(symlink(second, link), 0); /* each points to the other */
    write_text(link, "x");
    wgt_assert_status(tape, WG_E_IO, strerror(ELOOP));
}
END_TEST

START_TEST(test_refused)
{
    const wg_mark mark = wg_tape_mark(tape);
    write_text("/tmp", "x");
    wgt_assert_status(tape, WG_E_IO, "/tmp: is a directory");
    wg_tape_rewind(tape, mark);
    ck_assert_int_eq(mkfifo(path, 0600),
                     0); /* no device of the machine: a wrong writer would replace it */
    write_text(path, "x");
    wgt_assert_status(tape, WG_E_IO, "is not a regular file");
    unlink(path);
    wg_tape_rewind(tape, mark);
    write_text("/nowhere/x", "x");
    wgt_assert_status(tape, WG_E_IO, "/nowhere/x: No such file");
    wg_tape_rewind(tape, mark);
    write_text("", "x");
    wgt_assert_status(tape, WG_E_IO, "");
    wg_tape_rewind(tape, mark);
    static char name[2 * PATH_MAX];
    memset(name, 'a', sizeof name - 1);
    write_text(name, "x");
    wgt_assert_status(tape, WG_E_IO, strerror(ENAMETOOLONG));
    write_text(path, "x"); /* after an error nothing is written */
    ck_assert_int_eq(wgt_file_beside(path), 0);
    wg_tape_rewind(tape, mark);
    write_text(NULL, "x");
    wgt_assert_status(tape, WG_E_NULL, "");
}
END_TEST

/* However many temporary files killed processes have left, the next save succeeds, removes the old
 * ones and nothing else. */
START_TEST(test_left_over)
{
    static const char *const other[] = {"0123456789abcdeg.tmp", "0123456789abcdef0.tmp",
                                        "0123456789abcdef.tm", "tmp"};
    char name[WGT_PATH + 40];
    const struct timespec old[] = {{1000000000, 0}, {1000000000, 0}};
    for (int i = 0; i < 304; i++) {
        if (i < 300)
            snprintf(name, sizeof name, "%s.%016x.tmp", path, i);
        else
            snprintf(name, sizeof name, "%s.%s", path, other[i - 300]);
        wgt_file_put(name, "theirs", 6);
        if (i >= 100) /* the first hundred are being written just now */
            ck_assert_int_eq(utimensat(AT_FDCWD, name, old, 0), 0);
    }
    write_text(path, "mine");
    check_text("mine");
    ck_assert_int_eq(wg_tape_status(tape), WG_OK);
    ck_assert_int_eq(wgt_file_beside(path), 1 + 100 + 4);
}
END_TEST

/* A name as long as names can be leaves no room for the temporary file's own letters: its
 * characters are left out, whole ones. What a killed process left is known all the same. */
START_TEST(test_longest_name)
{
    char name[WGT_PATH + 300], old[WGT_PATH + 300];
    const struct timespec long_ago[] = {{1000000000, 0}, {1000000000, 0}};
    const size_t directory = (size_t)(strrchr(path, '/') + 1 - path);
    memcpy(name, path, directory);
    name[directory] = 'a';
    for (size_t i = 1; i < 253; i += 3)
        memcpy(name + directory + i, "\xE2\x82\xAC", 4); /* the euro sign, 84 times */
    snprintf(old, sizeof old, "%.*s.0123456789abcdef.tmp", (int)directory + 232, name);
    wgt_file_put(old, "theirs", 6);
    ck_assert_int_eq(utimensat(AT_FDCWD, old, long_ago, 0), 0);
    write_text(name, "mine");
    ck_assert_msg(wg_tape_status(tape) == WG_OK, "%s", wg_tape_message(tape));
    ck_assert_int_ne(access(old, F_OK), 0);
    ck_assert_int_eq(access(name, F_OK), 0);
    ck_assert_int_eq(unlink(name), 0);
}
END_TEST

/* Another user's link in a directory that is open to all is not followed. Only root can make
 * one. */
START_TEST(test_link_of_another)
{
    char link[WGT_PATH + 8], directory[WGT_PATH];
    snprintf(link, sizeof link, "%s.link", path);
    strcpy(directory, path);
    *strrchr(directory, '/') = '\0';
    ck_assert_int_eq(symlink("file", link), 0);
    if (lchown(link, 12345, 12345) != 0)
        return;
    write_text(link, "one");
    check_text("one");
    ck_assert_int_eq(chmod(directory, 01777), 0);
    write_text(link, "two");
    wgt_assert_status(tape, WG_E_IO, "is a symbolic link of another user");
    check_text("one");
    ck_assert_int_eq(wgt_file_beside(path), 2);
}
END_TEST

/* The directory is gone before the save ends. */
START_TEST(test_vanished)
{
    wg_writer w;
    ck_assert(wg_writer_open(&w, tape, path));
    wg_writer_text(&w, "new");
    wgt_file_remove(path);
    ck_assert_int_eq(wg_writer_close(&w), WG_E_IO);
    wgt_assert_status(tape, WG_E_IO, path);
    wgt_assert_status(tape, WG_E_IO, strerror(ENOENT));
    wgt_file_new(path);
}
END_TEST

/* A file may not grow any more, as on a full disk: the old one stays, alone. */
START_TEST(test_full)
{
    struct rlimit before, limit;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = WHOLE / 2;
    wgt_file_put(path, "old", 3);
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert_int_eq(save_pieces(tape), WG_E_IO);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    wgt_assert_status(tape, WG_E_IO, strerror(EFBIG));
    check_text("old");
    ck_assert_int_eq(wgt_file_beside(path), 1);
}
END_TEST

START_TEST(test_abandon)
{
    wg_writer w;
    wgt_file_put(path, "old", 3);
    ck_assert(wg_writer_open(&w, tape, path));
    wg_writer_text(&w, "new");
    ck_assert_int_eq(wgt_file_beside(path), 2);
    wg_writer_abandon(&w);
    ck_assert_int_eq(wg_writer_close(&w), WG_OK);
    check_text("old");
    ck_assert_int_eq(wgt_file_beside(path), 1);
}
END_TEST

/* A name without a directory stands in the one that the process is in. */
START_TEST(test_here)
{
    char directory[WGT_PATH], before[PATH_MAX];
    strcpy(directory, path);
    *strrchr(directory, '/') = '\0';
    ck_assert_ptr_nonnull(getcwd(before, sizeof before));
    ck_assert_int_eq(chdir(directory), 0);
    write_text("file", "here");
    ck_assert_int_eq(chdir(before), 0);
    check_text("here");
}
END_TEST

START_TEST(test_file_write)
{
    ck_assert_int_eq(wg_file_write(tape, path, "new", 3), WG_OK);
    check_text("new");
    ck_assert_int_eq(wg_file_write(tape, path, NULL, 0), WG_OK);
    check_text("");
    const wg_mark mark = wg_tape_mark(tape);
    ck_assert_int_eq(wg_file_write(tape, path, NULL, 1), WG_E_NULL);
    wg_tape_rewind(tape, mark);
    ck_assert_int_eq(wg_file_write(tape, path, "x", -1), WG_E_VALUE);
    wg_tape_rewind(tape, mark);
    ck_assert_int_eq(wg_file_write(tape, NULL, "x", 1), WG_E_NULL);
    wg_tape_rewind(tape, mark);
    ck_assert_int_eq(wg_file_write(tape, "", "x", 1), WG_E_IO);
    check_text("");
    ck_assert_int_eq(wgt_file_beside(path), 1);
    ck_assert_int_eq(wg_file_write(NULL, path, "x", 1), WG_E_NULL);
}
END_TEST

Suite *suite_writer(void)
{
    Suite *suite = suite_create("writer");
    TCase *cases = tcase_create("writer");
    tcase_add_checked_fixture(cases, wgt_file_setup, wgt_file_teardown);
    if (wgt_faults_work()) {
        tcase_add_loop_test(cases, test_kill, 0, 4);
        tcase_add_loop_test(cases, test_fail, 0, 2);
        tcase_add_test(cases, test_order);
        tcase_add_test(cases, test_interrupted);
    }
    tcase_add_test(cases, test_permissions);
    tcase_add_test(cases, test_link);
    tcase_add_test(cases, test_refused);
    tcase_add_test(cases, test_left_over);
    tcase_add_test(cases, test_longest_name);
    tcase_add_test(cases, test_link_of_another);
    tcase_add_test(cases, test_vanished);
    tcase_add_test(cases, test_full);
    tcase_add_test(cases, test_abandon);
    tcase_add_test(cases, test_here);
    tcase_add_test(cases, test_file_write);
    suite_add_tcase(suite, cases);
    return suite;
}
