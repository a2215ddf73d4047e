/* The suites that the runner knows: one for each tests/test_<name>.c.  suites.inc is written by the
 * Makefile into the build directory, one line WGT_SUITE(name) for each. */
#ifndef WGT_SUPPORT_SUITES_H
#define WGT_SUPPORT_SUITES_H

#include <check.h>

#define WGT_SUITE(name) Suite *suite_##name(void);
#include "suites.inc"
#undef WGT_SUITE

#endif
