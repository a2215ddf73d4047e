/* The tape and the file that a test begins with. */
#include "tests/support/fixture.h"

#include "tests/support/assert.h"

#include <check.h>

wg_tape *tape;
char path[WGT_PATH];

void wgt_tape_setup(void)
{
    tape = wg_tape_new(NULL);
}

void wgt_tape_teardown(void)
{
    wg_tape_free(tape);
}

void wgt_file_setup(void)
{
    wgt_tape_setup();
    wgt_file_new(path);
}

void wgt_file_teardown(void)
{
    wgt_file_remove(path);
    wgt_tape_teardown();
}

void expect_ok(const wg_tape *t)
{
    ck_assert_msg(wg_tape_status(t) == WG_OK, "%s", wg_tape_message(t));
}

void expect_error(wg_mark mark, wg_status status, const char *part)
{
    wgt_assert_status(tape, status, part);
    wg_tape_rewind(tape, mark);
}
