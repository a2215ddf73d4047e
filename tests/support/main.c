/* The runner of all suites.
 *
 *   run [-l] [-m least] [suite ...]
 *
 * runs the suites named, or all; -l lists them; -m: fail when fewer tests than this were run, since
 * Check is content with none.  A suite without tests is a failure for the same reason.  Check's own
 * variables hold: CK_FORK=no, CK_RUN_CASE, CK_DEFAULT_TIMEOUT, CK_TIMEOUT_MULTIPLIER. */
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

/* Runs one suite; its results add up in the runner.  False where no test was run. */
static bool run_suite(SRunner *runner, const char *name)
{
    const int run = srunner_ntests_run(runner), failed = srunner_ntests_failed(runner);
    const double start = seconds();
    srunner_run(runner, name, NULL, CK_SILENT);
    const int tests = srunner_ntests_run(runner) - run;
    const int bad = srunner_ntests_failed(runner) - failed;
    printf("%-24s %5d tests %7.2f s%s\n", name, tests, seconds() - start, bad ? "   FAILED" : "");
    fflush(stdout);
    if (tests == 0)
        printf("%s: no test was run (is it suite_create(\"%s\")?)\n", name, name);
    return tests > 0;
}

static int run_all(char **wanted, int n, long least)
{
    SRunner *runner = srunner_create(NULL);
    for (int i = 0; i < SUITE_COUNT; i++) {
        if (is_wanted(suites[i].name, wanted, n))
            srunner_add_suite(runner, suites[i].make());
    }
    bool complete = true;
    for (int i = 0; i < SUITE_COUNT; i++) {
        if (is_wanted(suites[i].name, wanted, n))
            complete &= run_suite(runner, suites[i].name);
    }
    if (srunner_ntests_run(runner) < least) {
        printf("%d tests were run, at least %ld must be\n", srunner_ntests_run(runner), least);
        complete = false;
    }
    srunner_print(runner, CK_NORMAL); /* the closing line, then each failure with file and line */
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 && complete ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    long least = 1;
    int option;
    while ((option = getopt(argc, argv, "lm:")) != -1) {
        if (option == 'l') {
            for (int i = 0; i < SUITE_COUNT; i++)
                puts(suites[i].name);
            return EXIT_SUCCESS;
        }
        if (option != 'm')
            return EXIT_FAILURE;
        least = strtol(optarg, NULL, 10);
    }
    for (int i = optind; i < argc; i++) {
        if (!is_known(argv[i])) {
            fprintf(stderr, "no suite %s; -l lists them\n", argv[i]);
            return EXIT_FAILURE;
        }
    }
    setenv("CK_DEFAULT_TIMEOUT", "30",
           0); /* seconds a test; Check's 4 is too few on a busy machine */
    return run_all(argv + optind, argc - optind, argc > optind ? 1 : least);
}
