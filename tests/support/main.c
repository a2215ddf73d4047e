/* The runner of all suites.
 *
 *   run [-l] [suite ...]
 *
 * runs the suites named, or all; -l lists them.  It fails unless every test that the suites added
 * was run; a suite or a loop without tests is a failure, too.  Check's own variables hold:
 * CK_FORK=no, CK_RUN_CASE (which takes tests away), CK_DEFAULT_TIMEOUT, CK_TIMEOUT_MULTIPLIER. */
#include "autograd/wide.h"
#include "tests/support/suites.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct {
    const char *name;
    Suite *(*make)(void);
} suite_entry;

/* clang-format off */
static const suite_entry suites[] = {
#define WGT_SUITE(name) {#name, suite_##name},
#include "suites.inc"
#undef WGT_SUITE
};
/* clang-format on */

enum { SUITE_COUNT = sizeof suites / sizeof suites[0] };

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static bool is_wanted(const char *name, char **wanted, int n)
{
    for (int i = 0; i < n; i++) {
        if (strcmp(name, wanted[i]) == 0)
            return true;
    }
    return n == 0;
}

static bool is_known(const char *name)
{
    for (int i = 0; i < SUITE_COUNT; i++) {
        if (strcmp(name, suites[i].name) == 0)
            return true;
    }
    return false;
}

static int tests_added;
static bool loops_are_empty;

void wgt_count_tests(const char *name, int start, int end)
{
    if (end <= start) {
        printf("%s: a loop from %d to %d runs no test\n", name, start, end);
        loops_are_empty = true;
    } else
        tests_added += end - start;
}

/* Runs one suite, made last; its results add up in the runner.  False where not all tests were run,
 * or there are none: some suites are for wide floats of 113 bits alone. */
static bool run_suite(SRunner *runner, const char *name, int added)
{
    const bool none = added == 0 && WG_WIDE_BITS < 113;
    const int run = srunner_ntests_run(runner), failed = srunner_ntests_failed(runner);
    const double start = seconds();
    srunner_run(runner, name, NULL, CK_SILENT);
    const int tests = srunner_ntests_run(runner) - run;
    const int bad = srunner_ntests_failed(runner) - failed;
    printf("%-24s %5d tests %7.2f s%s\n", name, tests, seconds() - start, bad ? "   FAILED" : "");
    if (tests != added || (tests == 0 && !none))
        printf("%s: %d tests were added, %d were run (is it suite_create(\"%s\")?)\n", name, added,
               tests, name);
    fflush(stdout);
    return tests == added && (tests > 0 || none);
}

static int run_all(char **wanted, int n)
{
    SRunner *runner = srunner_create(NULL);
    bool complete = true;
    for (int i = 0; i < SUITE_COUNT; i++) {
        if (!is_wanted(suites[i].name, wanted, n))
            continue;
        const int before = tests_added;
        srunner_add_suite(runner, suites[i].make());
        complete &= run_suite(runner, suites[i].name, tests_added - before);
    }
    srunner_print(runner, CK_NORMAL); /* the closing line, then each failure with file and line */
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 && complete && !loops_are_empty ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    const int option = getopt(argc, argv, "l");
    if (option == 'l') {
        for (int i = 0; i < SUITE_COUNT; i++)
            puts(suites[i].name);
        return EXIT_SUCCESS;
    }
    if (option != -1) {
        fprintf(stderr, "usage: run [-l] [suite ...]   (-l lists the suites; none named: all)\n");
        return EXIT_FAILURE;
    }
    for (int i = optind; i < argc; i++) {
        if (!is_known(argv[i])) {
            fprintf(stderr, "no suite %s; -l lists them\n", argv[i]);
            return EXIT_FAILURE;
        }
    }
#ifndef _WIN32                              /* which limits no test's time */
    setenv("CK_DEFAULT_TIMEOUT", "120", 0); /* seconds; Check's 4 are too few on a busy machine */
#endif
    return run_all(argv + optind, argc - optind);
}
