/* A small stand-in for Check: suites, a process for each test where there are processes, and what
 * the closing line says. */
#include "tests/support/check/check.h"

#include "tests/support/system.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if WGT_POSIX
#include <sys/wait.h>
#endif
#ifdef _WIN32
#include <setjmp.h>
#endif

typedef struct entry {
    const TTest *test;
    int start, end;
    struct entry *next;
} entry;

struct TCase {
    const char *name;
    SFun setup, teardown;
    double timeout; /* seconds; 0: the default */
    entry *tests, **end;
    TCase *next;
};

struct Suite {
    const char *name;
    TCase *tcases, **end;
    Suite *next;
};

enum { MESSAGE = 1024 };

typedef struct failure {
    char text[MESSAGE];
    struct failure *next;
} failure;

struct SRunner {
    Suite *suites, **end;
    failure *failures, **last;
    int run, failed;
};

static void *allocate(size_t size)
{
    void *memory = calloc(1, size);
    if (memory == NULL)
        abort();
    return memory;
}

/* ---- Building. ------------------------------------------------------------------------------- */

Suite *suite_create(const char *name)
{
    Suite *suite = allocate(sizeof *suite);
    suite->name = name;
    suite->end = &suite->tcases;
    return suite;
}

TCase *tcase_create(const char *name)
{
    TCase *tcase = allocate(sizeof *tcase);
    tcase->name = name;
    tcase->end = &tcase->tests;
    return tcase;
}

void suite_add_tcase(Suite *suite, TCase *tcase)
{
    *suite->end = tcase;
    suite->end = &tcase->next;
}

void tcase_add_checked_fixture(TCase *tcase, SFun setup, SFun teardown)
{
    tcase->setup = setup;
    tcase->teardown = teardown;
}

void tcase_set_timeout(TCase *tcase, double seconds)
{
    tcase->timeout = seconds;
}

void tcase_add_loop(TCase *tcase, const TTest *test, int start, int end)
{
    entry *e = allocate(sizeof *e);
    *e = (entry){test, start, end, NULL};
    *tcase->end = e;
    tcase->end = &e->next;
}

SRunner *srunner_create(Suite *suite)
{
    SRunner *runner = allocate(sizeof *runner);
    runner->end = &runner->suites;
    runner->last = &runner->failures;
    if (suite != NULL)
        srunner_add_suite(runner, suite);
    return runner;
}

void srunner_add_suite(SRunner *runner, Suite *suite)
{
    *runner->end = suite;
    runner->end = &suite->next;
}

/* ---- Failing. -------------------------------------------------------------------------------- */

static _Noreturn void end_test(const char *why);

void own_check_fail(const char *file, int line, const char *format, ...)
{
    char text[MESSAGE];
    const int n = snprintf(text, sizeof text, "%s:%d: ", file, line);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + n, sizeof text - (size_t)n, format, arguments);
    va_end(arguments);
    end_test(text);
}

void own_check_fail_real(const char *file, int line, const char *what, long double x, long double y)
{
    own_check_fail(file, line, "%s: %.17Lg and %.17Lg", what, x, y);
}

void own_check_strings(const char *file, int line, const char *what, const char *x, const char *y)
{
    if (x == NULL || y == NULL || strcmp(x, y) != 0)
        own_check_fail(file, line, "%s: \"%s\" and \"%s\"", what, x ? x : "(null)",
                       y ? y : "(null)");
}

void own_check_bytes(const char *file, int line, const char *what, const void *x, const void *y,
                     uintmax_t size)
{
    if (memcmp(x, y, (size_t)size) != 0)
        own_check_fail(file, line, "%s: the bytes differ", what);
}

/* ---- Running. -------------------------------------------------------------------------------- */

static void record(SRunner *runner, const Suite *suite, const TTest *test, int i, const char *why)
{
    failure *f = allocate(sizeof *f);
    snprintf(f->text, sizeof f->text, "%s:%s:%d: %.*s", suite->name, test->name, i, MESSAGE - 200,
             why);
    *runner->last = f;
    runner->last = &f->next;
    runner->failed++;
}

static void run_test(const TCase *tcase, const TTest *test, int i)
{
    if (tcase->setup != NULL)
        tcase->setup();
    test->run(i);
    if (tcase->teardown != NULL)
        tcase->teardown();
    fflush(stdout);
}

#if !WGT_POSIX

/* A test that fails leaves behind what it has; where there is no way out of it, on WASI, it ends
 * them all. Nothing limits its time. */
static char reason[MESSAGE];
#ifdef _WIN32
static jmp_buf out;
#endif

static _Noreturn void end_test(const char *why)
{
#ifdef _WIN32
    snprintf(reason, sizeof reason, "%s", why);
    longjmp(out, 1);
#else
    printf("%s\n", why);
    exit(1);
#endif
}

static void run_one(SRunner *runner, const Suite *suite, const TCase *tcase, const TTest *test,
                    int i)
{
    runner->run++;
#ifdef _WIN32
    if (setjmp(out) != 0) {
        record(runner, suite, test, i, reason);
        return;
    }
#endif
    run_test(tcase, test, i);
}

#else

/* The end of the pipe at which the running test says why it fails. */
static int message_to = -1;

static _Noreturn void end_test(const char *why)
{
    if (write(message_to, why, strlen(why)) < 0)
        abort();
    _exit(1);
}

static double real_variable(const char *name, double otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? strtod(text, NULL) : otherwise;
}

static unsigned seconds_for(const TCase *tcase)
{
    const double base = tcase->timeout > 0 ? tcase->timeout
                                           : real_variable("CK_DEFAULT_TIMEOUT", 4);
    return 1 + (unsigned)(base * real_variable("CK_TIMEOUT_MULTIPLIER", 1));
}

static _Noreturn void run_here(const TCase *tcase, const TTest *test, int i)
{
    signal(SIGALRM, SIG_DFL);
    alarm(seconds_for(tcase));
    run_test(tcase, test, i);
    exit(0); /* as Check does, so that leaks are found */
}

/* What the child writes until it ends, as a string. */
static void read_all(int from, char *text, size_t size)
{
    size_t have = 0;
    ssize_t n;
    while (have + 1 < size && (n = read(from, text + have, size - 1 - have)) > 0)
        have += (size_t)n;
    text[have] = '\0';
}

static void run_one(SRunner *runner, const Suite *suite, const TCase *tcase, const TTest *test,
                    int i)
{
    char why[MESSAGE];
    int ends[2], status = 0;
    fflush(stdout);
    if (pipe(ends) != 0)
        abort();
    message_to = ends[1];
    const pid_t child = fork();
    if (child < 0)
        abort();
    if (child == 0) {
        close(ends[0]);
        run_here(tcase, test, i);
    }
    close(ends[1]);
    read_all(ends[0], why, sizeof why);
    close(ends[0]);
    waitpid(child, &status, 0);
    runner->run++;
    if (status == 0)
        return;
    if (WIFSIGNALED(status))
        snprintf(why, sizeof why, WTERMSIG(status) == SIGALRM ? "out of time (%d)" : "signal %d",
                 WTERMSIG(status));
    record(runner, suite, test, i, why);
}

#endif

void srunner_run(SRunner *runner, const char *name, const char *only, enum print_output mode)
{
    (void)only;
    (void)mode;
    for (const Suite *suite = runner->suites; suite != NULL; suite = suite->next) {
        if (name != NULL && strcmp(name, suite->name) != 0)
            continue;
        for (const TCase *tcase = suite->tcases; tcase != NULL; tcase = tcase->next)
            for (const entry *e = tcase->tests; e != NULL; e = e->next)
                for (int i = e->start; i < e->end; i++)
                    run_one(runner, suite, tcase, e->test, i);
    }
}

int srunner_ntests_run(SRunner *runner)
{
    return runner->run;
}

int srunner_ntests_failed(SRunner *runner)
{
    return runner->failed;
}

void srunner_print(SRunner *runner, enum print_output mode)
{
    (void)mode;
    printf("%d%%: Checks: %d, Failures: %d, Errors: 0\n",
           runner->run > 0 ? 100 * (runner->run - runner->failed) / runner->run : 0, runner->run,
           runner->failed);
    for (const failure *f = runner->failures; f != NULL; f = f->next)
        printf("%s\n", f->text);
}

void srunner_free(SRunner *runner)
{
    while (runner->failures != NULL) {
        failure *next = runner->failures->next;
        free(runner->failures);
        runner->failures = next;
    }
    for (Suite *suite = runner->suites, *after; suite != NULL; suite = after) {
        for (TCase *tcase = suite->tcases, *later; tcase != NULL; tcase = later) {
            for (entry *e = tcase->tests, *next; e != NULL; e = next) {
                next = e->next;
                free(e);
            }
            later = tcase->next;
            free(tcase);
        }
        after = suite->next;
        free(suite);
    }
    free(runner);
}
