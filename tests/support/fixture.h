/* What most suites begin with: a tape, a file of the test's own, and what is expected of them. */
#ifndef WGT_SUPPORT_FIXTURE_H
#define WGT_SUPPORT_FIXTURE_H

#include "tests/support/files.h"

/* The running test's; a test may put another tape in its place. */
extern wg_tape *tape;
extern char path[WGT_PATH];

/* For tcase_add_checked_fixture: the tape alone, or the tape and the path of a file that there is
 * not yet. */
void wgt_tape_setup(void);
void wgt_tape_teardown(void);
void wgt_file_setup(void);
void wgt_file_teardown(void);

/* expect_ok: t is well. expect_error: the running test's tape has this error, whose message holds
 * `part`; it is rewound. */
void expect_ok(const wg_tape *t);
void expect_error(wg_mark mark, wg_status status, const char *part);

/* expect_error_of: the error that this call leaves on the running test's tape. */
#define expect_error_of(call, status, part)                                                        \
    do {                                                                                           \
        const wg_mark refused_mark = wg_tape_mark(tape);                                           \
        (void)(call);                                                                              \
        expect_error(refused_mark, status, part);                                                  \
    } while (0)

#endif
